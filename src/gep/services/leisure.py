"""Leisure by travel cost: what residents pay for visits to parks, and the time they give."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def visits(residents, visits_per_head):
    """Visits of residents to parks and green space in a year [visit/year].

    Parameters
    ----------
    residents : float
        People who live there, all of them or those of one group or near one site, N [person].
    visits_per_head : float
        Visits of one of them in a year, from a survey, f [visit/(person year)].

    Returns
    -------
    float
        N f [visit/year]; NaN if any input is NaN.

    Source
    ------
    NDRC and NBS 2022, remembered. Differs in nothing known. See docs/methods.md#leisure.

    Examples
    --------
    >>> visits(20000.0, 12.0)
    240000.0
    """
    return residents * visits_per_head


def leisure(residents, visits_per_head, hours, hourly_wage, cost, time_value_share):
    """Money and time residents spend on their visits in a year [CNY/year].

    Parameters
    ----------
    residents : float
        People who live there, N [person].
    visits_per_head : float
        Visits of one of them in a year, f [visit/(person year)].
    hours : float
        Time of one visit with the way there and back, T [h/visit].
    hourly_wage : float
        Wage of an hour of work, W [CNY/h].
    cost : float
        Fares, entrance and the like of one visit, C [CNY/visit].
    time_value_share : float
        Share of the wage at which time counts, s [1].

    Returns
    -------
    float
        N f (C + T W s) [CNY/year]; NaN if any input is NaN.

    Source
    ------
    NDRC and NBS 2022, remembered. Differs in this: the share of the wage is a parameter. See
    docs/methods.md#leisure.

    Examples
    --------
    >>> leisure(20000.0, 12.0, 1.5, 20.0, 5.0, 1.0)
    8400000.0
    """
    return residents * visits_per_head * (cost + hours * hourly_wage * time_value_share)


SERVICE = Service(
    name="leisure",
    method="travel_cost",
    group="cultural",
    title=Title("Leisure", "休闲游憩"),
    seea="Recreation-related services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#leisure",
    indicators=(
        Indicator(
            name="visits",
            title=Title("Visits of residents to parks", "居民休闲游憩人次"),
            kernel=visits,
            table="leisure",
            columns={
                "residents": "person",
                "visits_per_head": "visit/person/year",
                "hours": "h/visit",
                "hourly_wage": "CNY/h",
                "cost": "CNY/visit",
            },
            coefficients={"time_value_share": "1"},
            items=True,
            worth=leisure,
            index="consumer_price",
            worth_example=Example(
                inputs={
                    "residents": 20000.0,
                    "visits_per_head": 12.0,
                    "hours": 1.5,
                    "hourly_wage": 20.0,
                    "cost": 5.0,
                    "time_value_share": 1.0,
                },
                gives=8400000.0,
            ),
            ecosystems=(),
            gives="visit/year",
            quantity="visit/year",
            quantum=1e-3,
            example=Example(inputs={"residents": 20000.0, "visits_per_head": 12.0}, gives=240000.0),
            source=(
                "V = sum of N f (C + T W s), residents only; NDRC and NBS 2022, remembered; "
                "docs/methods.md#leisure"
            ),
        ),
    ),
)
