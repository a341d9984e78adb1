"""Mean temperature of a year from its days or months."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def daily(daily_mean_temperature):
    """Mean temperature of the year from its days [degC].

    Parameters
    ----------
    daily_mean_temperature : sequence of float
        Every day of the year [degC].

    Returns
    -------
    float
        Mean of the days [degC]; NaN if any day is NaN or there is none.

    Source
    ------
    A mean. Differs in nothing.

    Examples
    --------
    >>> daily([10.0, 12.0, 17.0])
    13.0
    """
    total = 0.0
    for value in daily_mean_temperature:
        total = total + value
    days = len(daily_mean_temperature)
    return total / days if days > 0 else math.nan


def monthly(monthly_temperature, days):
    """Mean temperature of the year from its months, each with its days [degC].

    Parameters
    ----------
    monthly_temperature : sequence of float
        Mean of every month of the year [degC].
    days : sequence of float
        Days of every month [day].

    Returns
    -------
    float
        Mean weighted by the days [degC]; NaN if any month is NaN or there is none.

    Source
    ------
    A mean. Differs in nothing.

    Examples
    --------
    >>> monthly([6.0, 8.0], [31.0, 28.0])
    6.9491525423728815
    """
    total = 0.0
    length = 0.0
    for month in range(len(monthly_temperature)):
        total = total + monthly_temperature[month] * days[month]
        length = length + days[month]
    return total / length if length > 0.0 else math.nan


PREPARATIONS = (
    Preparation(
        name="temperature",
        method="daily",
        title=Title("Mean of daily temperature", "逐日气温平均"),
        kernel=daily,
        series={"daily_mean_temperature": Series(unit="degC", step="day")},
        gives="degC",
        source="mean of the days; docs/methods.md#annual-climate",
    ),
    Preparation(
        name="temperature",
        method="monthly",
        title=Title("Mean of monthly temperature", "逐月气温平均"),
        kernel=monthly,
        series={"monthly_temperature": Series(unit="degC", step="month")},
        calendar=("days",),
        gives="degC",
        source="mean of the months, each with its days; docs/methods.md#annual-climate",
    ),
)
