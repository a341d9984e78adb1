"""Hot days of a year from daily maximum temperature."""

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def daily_maximum_corrected(
    elevation, temperature_elevation, daily_maximum_temperature, hot_threshold, lapse_rate
):
    """Days of a year whose maximum is above a threshold, at the height of the pixel [day/year].

    Parameters
    ----------
    elevation : float
        Height of the pixel [m].
    temperature_elevation : float
        Height at which the temperature holds: of the station or of the cell of its product [m].
    daily_maximum_temperature : sequence of float
        Maximum temperature of every day, T [degC].
    hot_threshold : float
        Maximum above which a day is hot [degC].
    lapse_rate : float
        Fall of temperature with height [degC/m].

    Returns
    -------
    float
        Days on which T - lapse rate x (elevation - temperature elevation) is above the threshold
        [day/year]; NaN if any input is NaN.

    Source
    ------
    MEE guide 2020, remembered. Differs in this: the correction of the height is ours. See
    docs/methods.md#hot-days.

    Examples
    --------
    >>> daily_maximum_corrected(600.0, 100.0, [28.9, 29.0, 29.1], 26.0, 0.006)
    1.0
    """
    fall = lapse_rate * (elevation - temperature_elevation)
    days = 0.0 * fall + 0.0 * hot_threshold
    for day in range(len(daily_maximum_temperature)):
        here = daily_maximum_temperature[day] - fall
        days += 1.0 if here > hot_threshold else here * 0.0
    return days


def daily_maximum(daily_maximum_temperature, hot_threshold):
    """Days of a year whose maximum is above a threshold, as the temperature is [day/year].

    Parameters
    ----------
    daily_maximum_temperature : sequence of float
        Maximum temperature of every day at the height of the pixel [degC].
    hot_threshold : float
        Maximum above which a day is hot [degC].

    Returns
    -------
    float
        Days above the threshold [day/year]; NaN if any input is NaN.

    Source
    ------
    MEE guide 2020, remembered. Differs in nothing. See docs/methods.md#hot-days.

    Examples
    --------
    >>> daily_maximum([25.9, 26.0, 26.1], 26.0)
    1.0
    """
    days = 0.0 * hot_threshold
    for day in range(len(daily_maximum_temperature)):
        here = daily_maximum_temperature[day]
        days += 1.0 if here > hot_threshold else here * 0.0
    return days


SERIES = {"daily_maximum_temperature": Series(unit="degC", step="day")}

PREPARATIONS = (
    Preparation(
        name="hot_days",
        method="daily_maximum_corrected",
        title=Title(
            "Hot days from daily maxima by elevation", "逐日最高气温统计高温日数（高程订正）"
        ),
        kernel=daily_maximum_corrected,
        rasters={"elevation": "m", "temperature_elevation": "m"},
        series=SERIES,
        coefficients={"hot_threshold": "degC", "lapse_rate": "degC/m"},
        gives="day/year",
        source="days on which Tmax - 6 degC/km x (z - z0) is above 26 degC; MEE guide 2020, "
        "remembered; docs/methods.md#hot-days",
    ),
    Preparation(
        name="hot_days",
        method="daily_maximum",
        title=Title("Hot days from daily maxima as given", "逐日最高气温统计高温日数（不订正）"),
        kernel=daily_maximum,
        series=SERIES,
        coefficients={"hot_threshold": "degC"},
        gives="day/year",
        source="days on which Tmax is above 26 degC; MEE guide 2020, remembered; "
        "docs/methods.md#hot-days",
    ),
)
