"""Runoff of the storm days of a year from daily rain, soil group and ecosystem."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def regression(
    soil_group,
    daily_precipitation,
    storm_threshold,
    runoff_slope,
    runoff_offset,
    curve_number_a,
    curve_number_b,
    curve_number_c,
    curve_number_d,
    retention_constant,
    retention_offset,
    initial_share,
):
    """Runoff of the storm days, by regression where there is one, else by curve number [mm/year].

    Parameters
    ----------
    soil_group : float
        Hydrologic soil group: 1 is A, 2 is B, 3 is C, 4 is D [1].
    daily_precipitation : sequence of float
        Rain of every day, P [mm/day].
    storm_threshold : float
        Rain of a day from which on it is a storm [mm/day].
    runoff_slope, runoff_offset : float
        a and b of the runoff of a day, a ln P - b [mm/day]; a is 0 where the ecosystem has no
        regression.
    curve_number_a, curve_number_b, curve_number_c, curve_number_d : float
        Curve numbers of the ecosystem on the four soil groups, CN [1].
    retention_constant, retention_offset : float
        25400 and 254 of the retention 25400/CN - 254, S [mm/day].
    initial_share : float
        Share of S that is wetted before anything runs off, 0.2 [1].

    Returns
    -------
    float
        Sum over the days of at least the threshold [mm/year] of a ln P - b, or without a regression
        of (P - 0.2 S)^2 / (P + 0.8 S), 0 up to P = 0.2 S; of each day not below 0 and not above P;
        NaN if any input is NaN, the group is another or CN is not within 0 and 100.

    Source
    ------
    Regressions MEE guide 2020, remembered; curve numbers TR-55, 1986. Differs in this: a day is an
    event, and its runoff is held to 0 ... P. See docs/methods.md#storms.

    Examples
    --------
    >>> days, numbers = [49.0, 100.0], (30.0, 55.0, 70.0, 77.0, 25400.0, 254.0, 0.2)
    >>> round(regression(3.0, days, 50.0, 7.5877, 22.667, *numbers), 2)
    12.28
    >>> round(regression(3.0, days, 50.0, 0.0, 0.0, *numbers), 2)
    32.71
    """
    total = 0.0 * storm_threshold + 0.0 * runoff_slope + 0.0 * runoff_offset
    total *= curve_number_a * curve_number_b * curve_number_c * curve_number_d
    number = curve_number_a if soil_group == 1.0 else math.nan
    number = curve_number_b if soil_group == 2.0 else number
    number = curve_number_c if soil_group == 3.0 else number
    number = curve_number_d if soil_group == 4.0 else number
    retention = retention_constant / number - retention_offset if number > 0.0 else math.nan
    retention = retention if retention >= 0.0 else math.nan
    total += 0.0 * initial_share * retention
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        excess = rain - initial_share * retention
        curve = excess * excess / (excess + retention) if excess > 0.0 else 0.0
        fitted = runoff_slope * math.log(rain) - runoff_offset if rain > 0.0 else 0.0
        runoff = fitted if runoff_slope > 0.0 else curve
        runoff = 0.0 if runoff < 0.0 else runoff
        runoff = rain if runoff > rain else runoff
        total += runoff if rain >= storm_threshold else rain * 0.0
    return total


def curve_number(
    soil_group,
    daily_precipitation,
    storm_threshold,
    curve_number_a,
    curve_number_b,
    curve_number_c,
    curve_number_d,
    retention_constant,
    retention_offset,
    initial_share,
):
    """Runoff of the storm days by curve number [mm/year].

    Parameters
    ----------
    soil_group : float
        Hydrologic soil group: 1 is A, 2 is B, 3 is C, 4 is D [1].
    daily_precipitation : sequence of float
        Rain of every day, P [mm/day].
    storm_threshold : float
        Rain of a day from which on it is a storm [mm/day].
    curve_number_a, curve_number_b, curve_number_c, curve_number_d : float
        Curve numbers of the ecosystem on the four soil groups, CN [1].
    retention_constant, retention_offset : float
        25400 and 254 of the retention 25400/CN - 254, S [mm/day].
    initial_share : float
        Share of S that is wetted before anything runs off, 0.2 [1].

    Returns
    -------
    float
        Sum over the days of at least the threshold [mm/year] of (P - 0.2 S)^2 / (P + 0.8 S), 0 up
        to P = 0.2 S; NaN if any input is NaN, the group is another or CN is not within 0 and 100.

    Source
    ------
    TR-55, 1986. Differs in this: a day is an event. See docs/methods.md#storms.

    Examples
    --------
    >>> numbers = (30.0, 55.0, 70.0, 77.0, 25400.0, 254.0, 0.2)
    >>> round(curve_number(3.0, [49.0, 100.0], 50.0, *numbers), 2)
    32.71
    """
    total = 0.0 * storm_threshold
    total *= curve_number_a * curve_number_b * curve_number_c * curve_number_d
    number = curve_number_a if soil_group == 1.0 else math.nan
    number = curve_number_b if soil_group == 2.0 else number
    number = curve_number_c if soil_group == 3.0 else number
    number = curve_number_d if soil_group == 4.0 else number
    retention = retention_constant / number - retention_offset if number > 0.0 else math.nan
    retention = retention if retention >= 0.0 else math.nan
    total += 0.0 * initial_share * retention
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        excess = rain - initial_share * retention
        runoff = excess * excess / (excess + retention) if excess > 0.0 else 0.0
        total += runoff if rain >= storm_threshold else rain * 0.0
    return total


SERIES = {"daily_precipitation": Series(unit="mm/day", step="day")}
CURVES = {
    "curve_number_a": "1",
    "curve_number_b": "1",
    "curve_number_c": "1",
    "curve_number_d": "1",
    "retention_constant": "mm/day",
    "retention_offset": "mm/day",
    "initial_share": "1",
}

PREPARATIONS = (
    Preparation(
        name="storm_runoff",
        method="regression",
        title=Title("Storm runoff by regression and curve number", "回归与曲线数法暴雨径流量"),
        kernel=regression,
        rasters={"soil_group": "1"},
        series=SERIES,
        coefficients={
            "storm_threshold": "mm/day",
            "runoff_slope": "mm/day",
            "runoff_offset": "mm/day",
        }
        | CURVES,
        gives="mm/year",
        source="per storm day a ln P - b for five kinds of forest, MEE guide 2020, remembered; "
        "else (P - 0.2 S)^2 / (P + 0.8 S), S = 25400/CN - 254, TR-55; docs/methods.md#storms",
    ),
    Preparation(
        name="storm_runoff",
        method="curve_number",
        title=Title("Storm runoff by curve number", "曲线数法暴雨径流量"),
        kernel=curve_number,
        rasters={"soil_group": "1"},
        series=SERIES,
        coefficients={"storm_threshold": "mm/day"} | CURVES,
        gives="mm/year",
        source="per storm day (P - 0.2 S)^2 / (P + 0.8 S), S = 25400/CN - 254; TR-55; "
        "docs/methods.md#storms",
    ),
)
