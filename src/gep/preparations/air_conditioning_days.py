"""Days on which air conditioners run, guessed from daily mean temperature."""

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def daily_mean_corrected(
    elevation, temperature_elevation, daily_mean_temperature, cooling_threshold, lapse_rate
):
    """Days of a year whose mean is above a threshold, at the height of the pixel [day/year].

    Parameters
    ----------
    elevation : float
        Height of the pixel [m].
    temperature_elevation : float
        Height at which the temperature holds: of the station or of the cell of its product [m].
    daily_mean_temperature : sequence of float
        Mean temperature of every day, T [degC].
    cooling_threshold : float
        Mean above which air conditioners are taken to run [degC].
    lapse_rate : float
        Fall of temperature with height [degC/m].

    Returns
    -------
    float
        Days on which T - lapse rate x (elevation - temperature elevation) is above the threshold
        [day/year]; NaN if any input is NaN.

    Source
    ------
    Decision of this project. Differs in this: the correction of the height is ours. See
    docs/methods.md#hot-days.

    Examples
    --------
    >>> daily_mean_corrected(600.0, 100.0, [28.9, 29.0, 29.1], 26.0, 0.006)
    1.0
    """
    fall = lapse_rate * (elevation - temperature_elevation)
    days = 0.0 * fall + 0.0 * cooling_threshold
    for day in range(len(daily_mean_temperature)):
        here = daily_mean_temperature[day] - fall
        days += 1.0 if here > cooling_threshold else here * 0.0
    return days


def daily_mean(daily_mean_temperature, cooling_threshold):
    """Days of a year whose mean is above a threshold, as the temperature is [day/year].

    Parameters
    ----------
    daily_mean_temperature : sequence of float
        Mean temperature of every day at the height of the pixel [degC].
    cooling_threshold : float
        Mean above which air conditioners are taken to run [degC].

    Returns
    -------
    float
        Days above the threshold [day/year]; NaN if any input is NaN.

    Source
    ------
    Decision of this project. Differs in nothing. See docs/methods.md#hot-days.

    Examples
    --------
    >>> daily_mean([25.9, 26.0, 26.1], 26.0)
    1.0
    """
    days = 0.0 * cooling_threshold
    for day in range(len(daily_mean_temperature)):
        here = daily_mean_temperature[day]
        days += 1.0 if here > cooling_threshold else here * 0.0
    return days


SERIES = {"daily_mean_temperature": Series(unit="degC", step="day")}

PREPARATIONS = (
    Preparation(
        name="air_conditioning_days",
        method="daily_mean_corrected",
        title=Title(
            "Cooling days from daily means by elevation", "逐日平均气温推算空调使用天数（高程订正）"
        ),
        kernel=daily_mean_corrected,
        rasters={"elevation": "m", "temperature_elevation": "m"},
        series=SERIES,
        coefficients={"cooling_threshold": "degC", "lapse_rate": "degC/m"},
        gives="day/year",
        source="days on which T - 6 degC/km x (z - z0) is above 26 degC; decision of this project; "
        "docs/methods.md#hot-days",
    ),
    Preparation(
        name="air_conditioning_days",
        method="daily_mean",
        title=Title(
            "Cooling days from daily means as given", "逐日平均气温推算空调使用天数（不订正）"
        ),
        kernel=daily_mean,
        series=SERIES,
        coefficients={"cooling_threshold": "degC"},
        gives="day/year",
        source="days on which T is above 26 degC; decision of this project; "
        "docs/methods.md#hot-days",
    ),
)
