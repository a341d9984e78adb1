"""Tourism by travel cost: what visitors of natural sites pay, and the time they give."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def visits(visitors):
    """Visits to natural sites in a year [visit/year]: as counted.

    >>> visits(3586800.0)
    3586800.0
    """
    return visitors


def travel_cost(visitors, cost, days, wage, time_value_share):
    """Money and time visitors spend on coming and staying in a year [CNY/year].

    Parameters
    ----------
    visitors : float
        Visits from one origin, or to one site [visit/year].
    cost : float
        Transport, food, lodging and tickets of one visit [CNY/visit].
    days : float
        Travel and stay of one visit [day/visit].
    wage : float
        Wage of a day at the origin [CNY/day].
    time_value_share : float
        Share of the wage at which time counts [1].

    Returns
    -------
    float
        N (C + T W s) [CNY/year]; NaN if any input is NaN.

    Source
    ------
    Zonal travel cost without surplus: MEE guide 2020 and DB33/T 2274-2020 as remembered. Differs
    in this: the share of the wage is a parameter, 1 unless the profile says otherwise. See
    docs/methods.md#tourism.

    Examples
    --------
    >>> travel_cost(1000.0, 600.0, 1.5, 200.0, 1.0)
    900000.0
    """
    return visitors * (cost + days * wage * time_value_share)


SERVICE = Service(
    name="tourism",
    method="travel_cost",
    group="cultural",
    title=Title("Tourism and health", "旅游康养"),
    seea="Recreation-related services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#tourism",
    indicators=(
        Indicator(
            name="visits",
            title=Title("Visits to natural sites", "自然景点游客人次"),
            kernel=visits,
            table="tourism",
            columns={
                "visitors": "visit/year",
                "cost": "CNY/visit",
                "days": "day/visit",
                "wage": "CNY/day",
            },
            coefficients={"time_value_share": "1"},
            items=True,
            worth=travel_cost,
            index="consumer_price",
            worth_example=Example(
                inputs={
                    "visitors": 1000.0,
                    "cost": 600.0,
                    "days": 1.5,
                    "wage": 200.0,
                    "time_value_share": 1.0,
                },
                gives=900000.0,
            ),
            ecosystems=(),
            gives="visit/year",
            quantity="visit/year",
            quantum=1e-3,
            example=Example(inputs={"visitors": 3586800.0}, gives=3586800.0),
            source=(
                "V = sum of N (C + T W s); MEE guide 2020 and DB33/T 2274-2020, neither read; "
                "docs/methods.md#tourism"
            ),
        ),
    ),
)
