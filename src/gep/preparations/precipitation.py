"""Precipitation of a year as the sum of its days or months."""

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def daily(daily_precipitation):
    """Precipitation of the year as the sum of its days [mm/year].

    Parameters
    ----------
    daily_precipitation : sequence of float
        Every day of the year [mm/day].

    Returns
    -------
    float
        Sum [mm/year]; NaN if any day is NaN.

    Source
    ------
    A sum. Differs in nothing.

    Examples
    --------
    >>> daily([0.0, 12.5, 30.0])
    42.5
    """
    total = 0.0
    for value in daily_precipitation:
        total = total + value
    return total


def monthly(monthly_precipitation):
    """Precipitation of the year as the sum of its months [mm/year].

    Parameters
    ----------
    monthly_precipitation : sequence of float
        Every month of the year [mm/month].

    Returns
    -------
    float
        Sum [mm/year]; NaN if any month is NaN.

    Source
    ------
    A sum. Differs in nothing.

    Examples
    --------
    >>> monthly([75.0, 110.5])
    185.5
    """
    total = 0.0
    for value in monthly_precipitation:
        total = total + value
    return total


PREPARATIONS = (
    Preparation(
        name="precipitation",
        method="daily",
        title=Title("Sum of daily precipitation", "逐日降水量求和"),
        kernel=daily,
        series={"daily_precipitation": Series(unit="mm/day", step="day")},
        gives="mm/year",
        source="sum of the days; docs/methods.md#annual-climate",
    ),
    Preparation(
        name="precipitation",
        method="monthly",
        title=Title("Sum of monthly precipitation", "逐月降水量求和"),
        kernel=monthly,
        series={"monthly_precipitation": Series(unit="mm/month", step="month")},
        gives="mm/year",
        source="sum of the months; docs/methods.md#annual-climate",
    ),
)
