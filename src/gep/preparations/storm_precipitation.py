"""Rain of the storm days of a year from daily rain."""

from gep.ecosystems import Title
from gep.preparation import Preparation, Series


def daily(daily_precipitation, storm_threshold):
    """Rain of the storm days of a year [mm/year].

    Parameters
    ----------
    daily_precipitation : sequence of float
        Rain of every day [mm/day].
    storm_threshold : float
        Rain of a day from which on it is a storm [mm/day].

    Returns
    -------
    float
        Sum of the days of at least the threshold [mm/year]; 0 if there is none; NaN if any input is
        NaN.

    Source
    ------
    MEE guide 2020, remembered. Differs in nothing. See docs/methods.md#storms.

    Examples
    --------
    >>> daily([49.9, 50.0, 110.0], 50.0)
    160.0
    """
    total = 0.0 * storm_threshold
    for day in range(len(daily_precipitation)):
        rain = daily_precipitation[day]
        total += rain if rain >= storm_threshold else rain * 0.0
    return total


PREPARATIONS = (
    Preparation(
        name="storm_precipitation",
        method="daily",
        title=Title("Storm rain from daily rain", "逐日降水累计暴雨降水量"),
        kernel=daily,
        series={"daily_precipitation": Series(unit="mm/day", step="day")},
        coefficients={"storm_threshold": "mm/day"},
        gives="mm/year",
        source="sum of the days of 50 mm and more; MEE guide 2020, remembered; "
        "docs/methods.md#storms",
    ),
)
