"""Rainfall erosivity R from daily, monthly or annual rain."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation, Series
from gep.service import Example


def season_daily(
    daily_precipitation,
    month,
    erosive_threshold,
    warm_constant,
    cold_constant,
    season_exponent,
    warm_first_month,
    warm_last_month,
):
    """Erosivity of a year from the rain of its days, by season [MJ mm/(ha h year)].

    Parameters
    ----------
    daily_precipitation : sequence of float
        Rain of every day, P [mm/day].
    month : sequence of float
        Month of every day, 1 to 12.
    erosive_threshold : float
        Rain of a day from which on it erodes [mm/day].
    warm_constant, cold_constant : float
        Erosivity of a day of 1 mm in the warm and in the cold months, a [1].
    season_exponent : float
        Exponent of the rain of a day, b [1].
    warm_first_month, warm_last_month : float
        First and last warm month [1]; the first is the later one where summer has the new year.

    Returns
    -------
    float
        Sum of a P^b over the days of at least the threshold [MJ mm/(ha h year)]; 0 if there is
        none; NaN if any input is NaN.

    Source
    ------
    As coded in a public assessment of soil conservation (S21), remembered of the MEE guide of 2020
    and of HJ 1173-2021. Differs in this: the sum of the days, where the sources add up
    half-months first; that is the same. See docs/methods.md#erosivity.

    Examples
    --------
    >>> days, months = [11.9, 50.0, 50.0], [6.0, 6.0, 12.0]
    >>> round(season_daily(days, months, 12.0, 0.3937, 0.3101, 1.7265, 5.0, 9.0), 1)
    603.6
    """
    total = 0.0 * (erosive_threshold + warm_constant + cold_constant + season_exponent)
    total += 0.0 * (warm_first_month + warm_last_month)
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        begun, ended = month[day] >= warm_first_month, month[day] > warm_last_month
        over = warm_first_month > warm_last_month  # south of the equator, over the new year
        warm = (begun or not ended) if over else (begun and not ended)
        constant = warm_constant if warm else cold_constant
        erodes = rain >= erosive_threshold and rain > 0.0
        total += constant * math.exp(season_exponent * math.log(rain)) if erodes else rain * 0.0
    return total


def half_month_daily(
    daily_precipitation,
    erosive_threshold,
    half_month_base,
    half_month_day,
    half_month_year,
    half_month_constant,
    half_month_power,
):
    """Erosivity of a year from the rain of its days, by its own erosive days [MJ mm/(ha h year)].

    Parameters
    ----------
    daily_precipitation : sequence of float
        Rain of every day, P [mm/day].
    erosive_threshold : float
        Rain of a day from which on it erodes [mm/day].
    half_month_base, half_month_day, half_month_year : float
        0.8363 [1], 18.144 [mm/day] and 24.455 [mm/year] of
        b = 0.8363 + 18.144 / Pd + 24.455 / Py.
    half_month_constant, half_month_power : float
        21.586 and 7.1891 of a = 21.586 b^-7.1891 [1].

    Returns
    -------
    float
        Sum of a P^b over the days of at least the threshold, with Pd their mean and Py their sum
        [MJ mm/(ha h year)]; 0 if there is none; NaN if any input is NaN.

    Source
    ------
    章文波 2002, remembered. Differs in this: Pd and Py are of the year itself, where the source has
    means of many years (`half_month_daily_means`), and so a and b move with the year; the sum of
    the days, where the source adds up half-months first. See docs/methods.md#erosivity.

    Examples
    --------
    >>> round(half_month_daily([26.0] * 48, 12.0, 0.8363, 18.144, 24.455, 21.586, 7.1891), 1)
    6887.7
    """
    missing = 0.0 * (half_month_base + half_month_day + half_month_year)
    missing += 0.0 * (erosive_threshold + half_month_constant + half_month_power)
    erosive, whole = 0.0, 0.0
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        missing += rain * 0.0
        erodes = rain >= erosive_threshold and rain > 0.0
        erosive += 1.0 if erodes else 0.0
        whole += rain if erodes else 0.0
    mean = whole / erosive if erosive > 0.0 else 1.0
    year = whole if erosive > 0.0 else 1.0
    exponent = half_month_base + half_month_day / mean + half_month_year / year
    total = 0.0
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        erodes = rain >= erosive_threshold and rain > 0.0
        total += math.exp(exponent * math.log(rain)) if erodes else 0.0
    logarithm = math.log(exponent) if exponent > 0.0 else math.nan
    return half_month_constant * math.exp(-half_month_power * logarithm) * total + missing


def half_month_daily_means(
    mean_erosive_day_precipitation,
    mean_erosive_year_precipitation,
    daily_precipitation,
    erosive_threshold,
    half_month_base,
    half_month_day,
    half_month_year,
    half_month_constant,
    half_month_power,
):
    """Erosivity of a year from the rain of its days, by the means of many [MJ mm/(ha h year)].

    Parameters
    ----------
    mean_erosive_day_precipitation : float
        Mean rain of the erosive days of many years, Pd [mm/day].
    mean_erosive_year_precipitation : float
        Mean rain of the erosive days of a year over many years, Py [mm/year].
    daily_precipitation : sequence of float
        Rain of every day, P [mm/day].
    erosive_threshold : float
        Rain of a day from which on it erodes [mm/day].
    half_month_base, half_month_day, half_month_year : float
        0.8363 [1], 18.144 [mm/day] and 24.455 [mm/year] of
        b = 0.8363 + 18.144 / Pd + 24.455 / Py.
    half_month_constant, half_month_power : float
        21.586 and 7.1891 of a = 21.586 b^-7.1891 [1].

    Returns
    -------
    float
        Sum of a P^b over the days of at least the threshold [MJ mm/(ha h year)]; 0 if there is
        none; NaN if any input is NaN or a mean is not above 0.

    Source
    ------
    章文波 2002, remembered. Differs in this: the sum of the days, where the source adds up half-
    months first; a and b are the same in all, so that is the same. See docs/methods.md#erosivity.

    Examples
    --------
    >>> numbers = (12.0, 0.8363, 18.144, 24.455, 21.586, 7.1891)
    >>> round(half_month_daily_means(26.0, 1248.0, [26.0] * 48, *numbers), 1)
    6887.7
    """
    known = mean_erosive_day_precipitation > 0.0 and mean_erosive_year_precipitation > 0.0
    day_part = half_month_day / mean_erosive_day_precipitation if known else math.nan
    year_part = half_month_year / mean_erosive_year_precipitation if known else math.nan
    exponent = half_month_base + day_part + year_part
    total = 0.0 * erosive_threshold
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        erodes = rain >= erosive_threshold and rain > 0.0
        total += math.exp(exponent * math.log(rain)) if erodes else rain * 0.0
    logarithm = math.log(exponent) if exponent > 0.0 else math.nan
    return half_month_constant * math.exp(-half_month_power * logarithm) * total


def zhang_annual(precipitation, annual_constant, annual_exponent):
    """Erosivity of a year from its rain [MJ mm/(ha h year)].

    Parameters
    ----------
    precipitation : float
        Rain of the year, P [mm/year].
    annual_constant, annual_exponent : float
        0.0534 and 1.6548 of 0.0534 P^1.6548 [1].

    Returns
    -------
    float
        0.0534 P^1.6548 [MJ mm/(ha h year)]; NaN if any input is NaN or the rain below 0.

    Source
    ------
    章文波, 付金生 2003, remembered. Differs in nothing. See docs/methods.md#erosivity.

    Examples
    --------
    >>> round(zhang_annual(1655.0, 0.0534, 1.6548))
    11324
    >>> zhang_annual(0.0, 0.0534, 1.6548)
    0.0
    """
    nothing = 0.0 * (annual_constant + annual_exponent)
    nothing += precipitation * 0.0 if precipitation >= 0.0 else math.nan
    logarithm = math.log(precipitation) if precipitation > 0.0 else math.nan
    erosivity = annual_constant * math.exp(annual_exponent * logarithm)
    return erosivity if precipitation > 0.0 else nothing


def renard_freimund(
    precipitation,
    branch_precipitation,
    dry_constant,
    dry_exponent,
    wet_constant,
    wet_slope,
    wet_curvature,
):
    """Erosivity of a year from its rain, by two branches [MJ mm/(ha h year)].

    Parameters
    ----------
    precipitation : float
        Rain of the year, P [mm/year].
    branch_precipitation : float
        Rain up to which the first branch holds [mm/year].
    dry_constant, dry_exponent : float
        0.0483 and 1.61 of 0.0483 P^1.61 [1].
    wet_constant, wet_slope, wet_curvature : float
        587.8 [MJ mm/(ha h year)], 1.219 [MJ/(ha h)] and 0.004105 [MJ year/(ha h mm)] of
        587.8 - 1.219 P + 0.004105 P^2.

    Returns
    -------
    float
        The branch of P [MJ mm/(ha h year)]; NaN if any input is NaN or the rain below 0.

    Source
    ------
    Renard and Freimund 1994, as coded in public (S22). Differs in nothing. See
    docs/methods.md#erosivity.

    Examples
    --------
    >>> numbers = (850.0, 0.0483, 1.61, 587.8, 1.219, 0.004105)
    >>> round(renard_freimund(1655.0, *numbers)), round(renard_freimund(850.0, *numbers))
    (9814, 2514)
    """
    nothing = 0.0 * (branch_precipitation + dry_constant + dry_exponent)
    nothing += 0.0 * (wet_constant + wet_slope + wet_curvature)
    nothing += precipitation * 0.0 if precipitation >= 0.0 else math.nan
    logarithm = math.log(precipitation) if precipitation > 0.0 else math.nan
    power = dry_constant * math.exp(dry_exponent * logarithm) if precipitation > 0.0 else 0.0
    square = wet_constant - wet_slope * precipitation + wet_curvature * precipitation**2
    return (power if precipitation <= branch_precipitation else square) + nothing


def wischmeier_monthly(
    monthly_precipitation, month_constant, month_exponent, month_offset, us_erosivity
):
    """Erosivity of a year from the rain of its months [MJ mm/(ha h year)].

    Parameters
    ----------
    monthly_precipitation : sequence of float
        Rain of every month, p [mm/month]; their sum is P.
    month_constant, month_exponent, month_offset : float
        1.735, 1.5 and 0.8188 of 1.735 x 10^(1.5 lg(p^2 / P) - 0.8188) [1].
    us_erosivity : float
        What one unit of the result, hundreds of foot tons inch per acre, hour and year, is
        [MJ mm/(ha h year)].

    Returns
    -------
    float
        Sum over the months [MJ mm/(ha h year)]; a month without rain adds nothing; NaN if any
        input is NaN.

    Source
    ------
    Wischmeier and Smith 1978, remembered; unit Foster 1981, remembered. Differs in this: a month
    without rain, whose logarithm there is none of, adds 0. See docs/methods.md#erosivity.

    Examples
    --------
    >>> round(wischmeier_monthly([100.0] * 12, 1.735, 1.5, 0.8188, 17.02), 1)
    1293.8
    """
    whole = 0.0 * (month_constant + month_exponent + month_offset + us_erosivity)
    for month in range(len(monthly_precipitation)):
        whole += monthly_precipitation[month]
    total = whole * 0.0
    for month in range(len(monthly_precipitation)):
        rain = monthly_precipitation[month]
        share = rain * rain / whole if rain > 0.0 and whole > 0.0 else math.nan
        power = month_exponent * math.log10(share) - month_offset if share > 0.0 else math.nan
        total += month_constant * math.pow(10.0, power) if rain > 0.0 and whole > 0.0 else 0.0
    return us_erosivity * total


def fournier(monthly_precipitation, fournier_constant, fournier_exponent):
    """Erosivity of a year from the rain of its months, by Fournier's index [MJ mm/(ha h year)].

    Parameters
    ----------
    monthly_precipitation : sequence of float
        Rain of every month, p [mm/month]; their sum is P.
    fournier_constant, fournier_exponent : float
        0.1833 and 1.9957 of 0.1833 F^1.9957, F the sum of p^2 over P [1].

    Returns
    -------
    float
        0.1833 F^1.9957 [MJ mm/(ha h year)]; 0 without rain; NaN if any input is NaN.

    Source
    ------
    章文波, 付金生 2003, remembered. Differs in nothing. See docs/methods.md#erosivity.

    Examples
    --------
    >>> round(fournier([100.0] * 12, 0.1833, 1.9957), 1)
    1797.1
    """
    whole = 0.0 * (fournier_constant + fournier_exponent)
    squares = 0.0
    for month in range(len(monthly_precipitation)):
        whole += monthly_precipitation[month]
        squares += monthly_precipitation[month] * monthly_precipitation[month]
    index = squares / whole if whole > 0.0 else math.nan
    erosivity = math.exp(fournier_exponent * math.log(index)) if index > 0.0 else math.nan
    return fournier_constant * erosivity if whole > 0.0 else whole * 0.0


UNIT = "MJ*mm/(ha*h*year)"
DAILY = {"daily_precipitation": Series(unit="mm/day", step="day")}
MONTHLY = {"monthly_precipitation": Series(unit="mm/month", step="month")}
HALF_MONTH = {
    "erosive_threshold": "mm/day",
    "half_month_base": "1",
    "half_month_day": "mm/day",
    "half_month_year": "mm/year",
    "half_month_constant": "1",
    "half_month_power": "1",
}

PREPARATIONS = (
    Preparation(
        name="erosivity",
        method="season_daily",
        title=Title("Erosivity from daily rain by season", "分冷暖季日雨量法降雨侵蚀力"),
        kernel=season_daily,
        series=DAILY,
        calendar=("month",),
        coefficients={
            "erosive_threshold": "mm/day",
            "warm_constant": "1",
            "cold_constant": "1",
            "season_exponent": "1",
            "warm_first_month": "1",
            "warm_last_month": "1",
        },
        gives=UNIT,
        source="R = sum of a P^1.7265 over days of 12 mm and more, a 0.3937 from May to September, "
        "else 0.3101; public code (S21); docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="half_month_daily_means",
        title=Title(
            "Erosivity from daily rain by long-term means", "日雨量法降雨侵蚀力（多年均值）"
        ),
        kernel=half_month_daily_means,
        rasters={
            "mean_erosive_day_precipitation": "mm/day",
            "mean_erosive_year_precipitation": "mm/year",
        },
        series=DAILY,
        coefficients=HALF_MONTH,
        gives=UNIT,
        source="R = sum of a P^b, b = 0.8363 + 18.144/Pd + 24.455/Py, a = 21.586 b^-7.1891; "
        "章文波 2002, remembered; docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="half_month_daily",
        title=Title("Erosivity from daily rain of the year", "日雨量法降雨侵蚀力（当年）"),
        kernel=half_month_daily,
        series=DAILY,
        coefficients=HALF_MONTH,
        gives=UNIT,
        source="R = sum of a P^b, b = 0.8363 + 18.144/Pd + 24.455/Py, a = 21.586 b^-7.1891, Pd and "
        "Py of the year itself; 章文波 2002, remembered; docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="zhang_annual",
        title=Title("Erosivity from annual rain", "年雨量法降雨侵蚀力"),
        kernel=zhang_annual,
        rasters={"precipitation": "mm/year"},
        coefficients={"annual_constant": "1", "annual_exponent": "1"},
        gives=UNIT,
        example=Example(
            inputs={"precipitation": 1000.0, "annual_constant": 2.0, "annual_exponent": 1.0},
            gives=2000.0,
        ),
        source="R = 0.0534 P^1.6548; 章文波, 付金生 2003, remembered; docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="renard_freimund",
        title=Title("Erosivity from annual rain by two branches", "Renard-Freimund 降雨侵蚀力"),
        kernel=renard_freimund,
        rasters={"precipitation": "mm/year"},
        coefficients={
            "branch_precipitation": "mm/year",
            "dry_constant": "1",
            "dry_exponent": "1",
            "wet_constant": UNIT,
            "wet_slope": "MJ/(ha*h)",
            "wet_curvature": "MJ*year/(ha*h*mm)",
        },
        gives=UNIT,
        example=Example(
            inputs={
                "precipitation": 1000.0,
                "branch_precipitation": 850.0,
                "dry_constant": 0.0483,
                "dry_exponent": 1.61,
                "wet_constant": 587.8,
                "wet_slope": 1.219,
                "wet_curvature": 0.004105,
            },
            gives=3473.8,  # 587.8 - 1219 + 4105
        ),
        source="R = 0.0483 P^1.61 up to 850 mm, else 587.8 - 1.219 P + 0.004105 P^2; Renard and "
        "Freimund 1994 as in public code (S22); docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="wischmeier_monthly",
        title=Title("Erosivity from monthly rain by Wischmeier", "Wischmeier 月雨量法降雨侵蚀力"),
        kernel=wischmeier_monthly,
        series=MONTHLY,
        coefficients={
            "month_constant": "1",
            "month_exponent": "1",
            "month_offset": "1",
            "us_erosivity": UNIT,
        },
        gives=UNIT,
        source="R = 17.02 sum of 1.735 x 10^(1.5 lg(p^2/P) - 0.8188); Wischmeier and Smith 1978, "
        "Foster 1981, remembered; docs/methods.md#erosivity",
    ),
    Preparation(
        name="erosivity",
        method="fournier",
        title=Title("Erosivity from monthly rain by Fournier's index", "Fournier 指数法降雨侵蚀力"),
        kernel=fournier,
        series=MONTHLY,
        coefficients={"fournier_constant": "1", "fournier_exponent": "1"},
        gives=UNIT,
        source="R = 0.1833 F^1.9957, F = sum of p^2 / P; 章文波, 付金生 2003, remembered; "
        "docs/methods.md#erosivity",
    ),
)
