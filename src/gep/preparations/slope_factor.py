"""Slope length and steepness factor LS from elevation and slope."""

import numpy as np

from gep.ecosystems import Title
from gep.preparation import Preparation
from gep.terrain import Array, Cell, area_above, flow, gradient, length_above, spread

Numbers = tuple[float, ...]


def segmented(
    elevation,
    slope,
    land,
    gentle_factor,
    gentle_constant,
    middle_factor,
    middle_constant,
    steep_factor,
    steep_constant,
    middle_slope,
    steep_slope,
    steepest_slope,
    first_exponent,
    second_exponent,
    third_exponent,
    fourth_exponent,
    first_slope,
    second_slope,
    third_slope,
    plot_length,
    longest_slope,
    slope_kept,
    channel_area,
    cell,
):
    """LS by the length of the slope above and the steepness of McCool and of Liu Baoyuan [1].

    Parameters
    ----------
    elevation, slope : array (rows, columns)
        Elevation [m] and slope of the ground, t [degree].
    land : array (rows, columns) or float
        1 on land, 0 on open water [1].
    gentle_factor, gentle_constant, middle_factor, middle_constant, steep_factor, \
    steep_constant : float
        10.8, 0.03; 16.8, -0.50; 21.91, -0.96 of S = factor sin t + constant [1].
    middle_slope, steep_slope, steepest_slope : float
        5 and 10, from which on the second and the third pair hold; 30, where t is cut [degree].
    first_exponent, second_exponent, third_exponent, fourth_exponent : float
        0.2, 0.3, 0.4, 0.5, the exponents m of L [1].
    first_slope, second_slope, third_slope : float
        1, 3, 5, up to which the first three exponents hold [degree].
    plot_length : float
        22.13, length of the unit plot [m].
    longest_slope : float
        Longest slope, q [m].
    slope_kept : float
        Share of the slope above below which soil settles and the length begins anew [1].
    channel_area : float
        Area drained from which on the water runs in a channel [m^2].
    cell : pair of arrays
        Heights and widths of the pixels, by row or of each [m].

    Returns
    -------
    array (rows, columns)
        land (q/22.13)^m S [1]; NaN where elevation, slope or land is.

    Source
    ------
    S and m: McCool 1987, Liu 1994 and 2000, as coded in public and remembered of HJ 1173-2021.
    q: Hickey 2000, Van Remortel 2001, cut at channels as Zhang 2013 do. See
    docs/methods.md#slope-factor.

    Examples
    --------
    >>> rising = np.array([[0.0, 3.0, 6.0]] * 3)
    >>> side = np.full(3, 30.0)
    >>> liu = (10.8, 0.03, 16.8, -0.5, 21.91, -0.96, 5.0, 10.0, 30.0)
    >>> m = (0.2, 0.3, 0.4, 0.5, 1.0, 3.0, 5.0)
    >>> segmented(rising, np.full((3, 3), 8.0), 1.0, *liu, *m, 22.13, 122.0, 0.5, 1e5,
    ...           (side, side)).round(4)[1]
    array([3.3838, 2.6211, 1.5133])
    """
    drained = flow(elevation, cell)
    above = area_above(drained, cell)
    channel = above + _area(cell) >= channel_area
    length = length_above(drained, slope, channel, slope_kept, longest_slope)
    gentle, middle = (gentle_factor, gentle_constant), (middle_factor, middle_constant)
    lines = (gentle, middle, (steep_factor, steep_constant))
    cut = np.minimum(slope, steepest_slope)
    steepness = steepness_of(cut, cut, (middle_slope, steep_slope), lines)
    exponents = (first_exponent, second_exponent, third_exponent, fourth_exponent)
    exponent = exponent_of(slope, (first_slope, second_slope, third_slope), exponents)
    return _on_land(land, steepness * (length / plot_length) ** exponent)


def desmet_govers(
    elevation,
    slope,
    land,
    gentle_factor,
    gentle_constant,
    middle_factor,
    middle_constant,
    middle_grade,
    first_exponent,
    second_exponent,
    third_exponent,
    fourth_exponent,
    first_grade,
    second_grade,
    third_grade,
    fourth_grade,
    rill_sine,
    rill_factor,
    rill_power,
    rill_constant,
    plot_length,
    longest_slope,
    cell,
):
    """LS by the area that drains into a pixel [1].

    Parameters
    ----------
    elevation, slope : array (rows, columns)
        Elevation [m] and slope of the ground, t [degree].
    land : array (rows, columns) or float
        1 on land, 0 on open water [1].
    gentle_factor, gentle_constant, middle_factor, middle_constant : float
        10.8, 0.03; 16.8, -0.50 of S = factor sin t + constant [1].
    middle_grade : float
        0.09, from which on the second pair holds [1].
    first_exponent, second_exponent, third_exponent, fourth_exponent : float
        0.2, 0.3, 0.4, 0.5, the exponents m [1].
    first_grade, second_grade, third_grade, fourth_grade : float
        0.01, 0.035, 0.05, 0.09, up to which they hold; above, m = b/(1 + b) [1].
    rill_sine, rill_factor, rill_power, rill_constant : float
        0.0896, 3, 0.8, 0.56 of b = (sin t/0.0896)/(3 sin^0.8 t + 0.56) [1].
    plot_length : float
        22.13, length of the unit plot [m].
    longest_slope : float
        Longest slope; A is at most its square [m].
    cell : pair of arrays
        Heights and widths of the pixels, by row or of each [m]; D is the root of their product.

    Returns
    -------
    array (rows, columns)
        land S ((A + D^2)^(m+1) - A^(m+1)) / (D^(m+2) x^m 22.13^m) [1], with A the area that drains
        into the pixel and x = |sin a| + |cos a| of its aspect a; NaN where an input is.

    Source
    ------
    Desmet and Govers 1996, equation 13, with S and m as in the guide of InVEST SDR (S26). Differs
    in this: D8 instead of several directions of flow. See docs/methods.md#slope-factor.

    Examples
    --------
    >>> rising, side = np.array([[0.0, 5.29, 10.58]] * 3), np.full(3, 30.0)
    >>> renard = (10.8, 0.03, 16.8, -0.5, 0.09)
    >>> m = (0.2, 0.3, 0.4, 0.5, 0.01, 0.035, 0.05, 0.09, 0.0896, 3.0, 0.8, 0.56)
    >>> desmet_govers(rising, np.full((3, 3), 10.0), 1.0, *renard, *m, 22.13, 122.0,
    ...               (side, side)).round(3)[1, 2]
    np.float64(2.9)
    """
    lines = ((gentle_factor, gentle_constant), (middle_factor, middle_constant))
    grade = np.tan(np.radians(slope))
    steepness = steepness_of(slope, grade, (middle_grade,), lines)
    exponents = (first_exponent, second_exponent, third_exponent, fourth_exponent)
    rills = rill_exponent(slope, rill_sine, rill_factor, rill_power, rill_constant)
    grades = (first_grade, second_grade, third_grade, fourth_grade)
    exponent = exponent_of(grade, grades, (*exponents, rills))
    above = np.minimum(area_above(flow(elevation, cell), cell), longest_slope**2)
    east, south = gradient(elevation, cell)
    rise = np.hypot(east, south)
    with np.errstate(invalid="ignore"):
        crossing = np.where(rise > 0.0, (np.abs(east) + np.abs(south)) / rise, 1.0)
    length = length_factor(above, _area(cell), exponent, crossing, plot_length)
    return _on_land(land, steepness * length)


def sdr(
    elevation,
    slope,
    land,
    gentle_factor,
    gentle_constant,
    middle_factor,
    middle_constant,
    middle_grade,
    first_exponent,
    second_exponent,
    third_exponent,
    fourth_exponent,
    first_grade,
    second_grade,
    third_grade,
    fourth_grade,
    rill_sine,
    rill_factor,
    rill_power,
    rill_constant,
    plot_length,
    largest_length_factor,
    cell,
):
    """LS as InVEST SDR codes it, by the root of the area that drains into a pixel [1].

    Parameters
    ----------
    elevation, slope : array (rows, columns)
        Elevation [m] and slope of the ground, t [degree].
    land : array (rows, columns) or float
        1 on land, 0 on open water [1].
    gentle_factor, gentle_constant, middle_factor, middle_constant, middle_grade, \
    first_exponent, second_exponent, third_exponent, fourth_exponent, first_grade, \
    second_grade, third_grade, fourth_grade, rill_sine, rill_factor, rill_power, rill_constant, \
    plot_length : float
        As in `desmet_govers`.
    largest_length_factor : float
        122, where L is cut [1].
    cell : pair of arrays
        Heights and widths of the pixels, by row or of each [m]; D is the root of their product.

    Returns
    -------
    array (rows, columns)
        As `desmet_govers`, with A the root of the area in m^2 and x = sin t + cos t of the slope
        [1]; NaN where an input is.

    Source
    ------
    natcap/invest, sdr.py, as its test test_ls_factor pins it. Differs in this: D8 instead of
    several directions of flow, slope as it is given. See docs/methods.md#slope-factor.

    Examples
    --------
    >>> rising, side = np.array([[0.0, 5.29, 10.58]] * 3), np.full(3, 30.0)
    >>> renard = (10.8, 0.03, 16.8, -0.5, 0.09)
    >>> m = (0.2, 0.3, 0.4, 0.5, 0.01, 0.035, 0.05, 0.09, 0.0896, 3.0, 0.8, 0.56)
    >>> sdr(rising, np.full((3, 3), 10.0), 1.0, *renard, *m, 22.13, 122.0,
    ...     (side, side)).round(3)[1, 2]
    np.float64(2.656)
    """
    lines = ((gentle_factor, gentle_constant), (middle_factor, middle_constant))
    exponents = (first_exponent, second_exponent, third_exponent, fourth_exponent)
    grades = (first_grade, second_grade, third_grade, fourth_grade)
    rills = (rill_sine, rill_factor, rill_power, rill_constant)
    above = area_above(flow(elevation, cell), cell)
    size = (_area(cell), plot_length, largest_length_factor)
    factor = sdr_factor(slope, above, *size, lines, middle_grade, grades, exponents, rills)
    return _on_land(land, factor)


def steepness_of(
    slope: Array, measure: Array, limits: Numbers, lines: tuple[tuple[float, float], ...]
) -> Array:
    """S = factor sin t + constant, the pair chosen by a measure of the slope [1].

    A measure at a limit belongs above it.

    >>> lines = ((10.8, 0.03), (16.8, -0.5), (21.91, -0.96))
    >>> t = np.array([3.0, 8.0, 10.0])
    >>> steepness_of(t, t, (5.0, 10.0), lines).round(3)
    array([0.595, 1.838, 2.845])
    """
    sine = np.sin(np.radians(slope))
    found = lines[0][0] * sine + lines[0][1]
    for limit, (factor, constant) in zip(limits, lines[1:], strict=True):
        found = np.where(measure >= limit, factor * sine + constant, found)
    return found


def exponent_of(measure: Array, limits: Numbers, exponents: tuple[Array | float, ...]) -> Array:
    """Exponent m of the slope length, by a measure of the slope [1].

    A measure at a limit belongs below it.

    >>> exponent_of(np.array([1.0, 2.0, 5.0, 6.0]), (1.0, 3.0, 5.0), (0.2, 0.3, 0.4, 0.5))
    array([0.2, 0.3, 0.4, 0.5])
    """
    found = np.where(np.isnan(measure), np.nan, exponents[0])
    for limit, exponent in zip(limits, exponents[1:], strict=True):
        found = np.where(measure > limit, exponent, found)
    return found


def rill_exponent(
    slope: Array, sine_of_one: float, factor: float, power: float, constant: float
) -> Array:
    """Exponent m = b/(1 + b), b = (sin t/0.0896)/(3 sin^0.8 t + 0.56) [1].

    >>> round(float(rill_exponent(10.0, 0.0896, 3.0, 0.8, 0.56)), 4)
    0.5986
    """
    sine = np.sin(np.radians(slope))
    rills = (sine / sine_of_one) / (factor * sine**power + constant)
    exponent: Array = rills / (1.0 + rills)
    return exponent


def length_factor(
    above: Array, area: Array, exponent: Array, crossing: Array, plot_length: float
) -> Array:
    """L of a pixel of that area into which *above* drains, crossed by x times its side [1].

    >>> round(float(length_factor(2700.0, 900.0, 0.59862, 1.0, 22.13)), 3)
    4.057
    """
    side = np.sqrt(area)
    gained = (above + area) ** (exponent + 1.0) - above ** (exponent + 1.0)
    factor: Array = gained / (side ** (exponent + 2.0) * (crossing * plot_length) ** exponent)
    return factor


def sdr_factor(
    slope: Array,
    above: Array,
    area: Array,
    plot_length: float,
    largest: float,
    lines: tuple[tuple[float, float], ...],
    middle_grade: float,
    grades: Numbers,
    exponents: Numbers,
    rills: tuple[float, float, float, float],
) -> Array:
    """LS of InVEST SDR where *above* drains into a pixel of that *area* [1]."""
    grade, angle = np.tan(np.radians(slope)), np.radians(slope)
    exponent = exponent_of(grade, grades, (*exponents, rill_exponent(slope, *rills)))
    crossing = np.abs(np.sin(angle)) + np.abs(np.cos(angle))
    length = length_factor(np.sqrt(above), area, exponent, crossing, plot_length)
    steepness = steepness_of(slope, grade, (middle_grade,), lines)
    factor: Array = np.minimum(length, largest) * steepness
    return factor


def _area(cell: Cell) -> Array:
    """Area of the pixels, of two dimensions [m^2]."""
    height, width = spread(cell)
    return height * width


def _on_land(land: Array, factor: Array) -> Array:
    """The factor on land, 0 on open water, NaN where either is."""
    return np.where(land == 0.0, factor * 0.0, factor * land)


COMMON = {
    "land": "1",
    "gentle_factor": "1",
    "gentle_constant": "1",
    "middle_factor": "1",
    "middle_constant": "1",
}
EXPONENTS = {
    "first_exponent": "1",
    "second_exponent": "1",
    "third_exponent": "1",
    "fourth_exponent": "1",
}
GRADES = {
    "middle_grade": "1",
    **EXPONENTS,
    "first_grade": "1",
    "second_grade": "1",
    "third_grade": "1",
    "fourth_grade": "1",
    "rill_sine": "1",
    "rill_factor": "1",
    "rill_power": "1",
    "rill_constant": "1",
    "plot_length": "m",
}
RASTERS = {"elevation": "m", "slope": "degree"}
PREPARATIONS = (
    Preparation(
        name="slope_factor",
        method="segmented",
        title=Title("LS by slope length and segmented steepness", "分段坡度与坡长的 LS 因子"),
        kernel=segmented,
        rasters=RASTERS,
        coefficients={
            **COMMON,
            "steep_factor": "1",
            "steep_constant": "1",
            "middle_slope": "degree",
            "steep_slope": "degree",
            "steepest_slope": "degree",
            **EXPONENTS,
            "first_slope": "degree",
            "second_slope": "degree",
            "third_slope": "degree",
            "plot_length": "m",
            "longest_slope": "m",
            "slope_kept": "1",
            "channel_area": "m^2",
        },
        gives="1",
        whole=True,
        memory=180,
        source=(
            "(q/22.13)^m S, q along D8 flow; McCool 1987, Liu 1994, Hickey 2000; "
            "docs/methods.md#slope-factor"
        ),
    ),
    Preparation(
        name="slope_factor",
        method="desmet_govers",
        title=Title("LS by Desmet and Govers", "Desmet–Govers 法 LS 因子"),
        kernel=desmet_govers,
        rasters=RASTERS,
        coefficients={**COMMON, **GRADES, "longest_slope": "m"},
        gives="1",
        whole=True,
        memory=240,
        source="Desmet and Govers 1996 with S and m of InVEST SDR; docs/methods.md#slope-factor",
    ),
    Preparation(
        name="slope_factor",
        method="invest_sdr",
        title=Title("LS as InVEST SDR", "InVEST SDR 的 LS 因子"),
        kernel=sdr,
        rasters=RASTERS,
        coefficients={**COMMON, **GRADES, "largest_length_factor": "1"},
        gives="1",
        whole=True,
        memory=180,
        source="natcap/invest sdr.py, D8 flow; docs/methods.md#slope-factor",
    ),
)
