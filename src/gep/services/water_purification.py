"""Water purification: what wetlands can remove, never more than reaches the county's water."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def chemical_oxygen_demand(chemical_oxygen_demand_capacity):
    """Oxygen demand a wetland can remove in a year [t/(km^2 year)]: its class capacity.

    >>> chemical_oxygen_demand(110.4)
    110.4
    """
    return chemical_oxygen_demand_capacity


def ammonia_nitrogen(ammonia_nitrogen_capacity):
    """Ammonia nitrogen a wetland can remove in a year [t/(km^2 year)]: its class capacity.

    >>> ammonia_nitrogen(8.56)
    8.56
    """
    return ammonia_nitrogen_capacity


def total_phosphorus(total_phosphorus_capacity):
    """Phosphorus a wetland can remove in a year [t/(km^2 year)]: its class capacity.

    >>> total_phosphorus(8.56)
    8.56
    """
    return total_phosphorus_capacity


def total_nitrogen(total_nitrogen_capacity):
    """Nitrogen a wetland can remove in a year [t/(km^2 year)]: its class capacity.

    >>> total_nitrogen(8.56)
    8.56
    """
    return total_nitrogen_capacity


SERVICE = Service(
    name="water_purification",
    method="capacity",
    group="regulating",
    title=Title("Water purification", "水质净化"),
    seea="Water purification services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#water-purification",
    indicators=(
        Indicator(
            name="chemical_oxygen_demand",
            title=Title("Chemical oxygen demand removed", "净化化学需氧量"),
            kernel=chemical_oxygen_demand,
            coefficients={"chemical_oxygen_demand_capacity": "t/(km^2*year)"},
            ecosystems=("wetland",),
            gives="t/(km^2*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("loads.cod", "t/year"),
            price=("chemical_oxygen_demand_price", "CNY/t"),
            example=Example(inputs={"chemical_oxygen_demand_capacity": 110.4}, gives=110.4),
            source=(
                "Q = min(load of the county, sum of u S); MEE guide 2020, not read; "
                "docs/methods.md#water-purification"
            ),
        ),
        Indicator(
            name="ammonia_nitrogen",
            title=Title("Ammonia nitrogen removed", "净化氨氮量"),
            kernel=ammonia_nitrogen,
            coefficients={"ammonia_nitrogen_capacity": "t/(km^2*year)"},
            ecosystems=("wetland",),
            gives="t/(km^2*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("loads.ammonia_nitrogen", "t/year"),
            price=("ammonia_nitrogen_price", "CNY/t"),
            example=Example(inputs={"ammonia_nitrogen_capacity": 8.56}, gives=8.56),
            source=(
                "Q = min(load of the county, sum of u S); MEE guide 2020, not read; "
                "docs/methods.md#water-purification"
            ),
        ),
        Indicator(
            name="total_phosphorus",
            title=Title("Total phosphorus removed", "净化总磷量"),
            kernel=total_phosphorus,
            coefficients={"total_phosphorus_capacity": "t/(km^2*year)"},
            ecosystems=("wetland",),
            gives="t/(km^2*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("loads.total_phosphorus", "t/year"),
            price=("phosphorus_price", "CNY/t"),
            example=Example(inputs={"total_phosphorus_capacity": 8.56}, gives=8.56),
            source=(
                "Q = min(load of the county, sum of u S); MEE guide 2020, not read; "
                "docs/methods.md#water-purification"
            ),
        ),
        Indicator(
            name="total_nitrogen",
            title=Title("Total nitrogen removed", "净化总氮量"),
            kernel=total_nitrogen,
            coefficients={"total_nitrogen_capacity": "t/(km^2*year)"},
            ecosystems=("wetland",),
            gives="t/(km^2*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("loads.total_nitrogen", "t/year"),
            optional=True,
            example=Example(inputs={"total_nitrogen_capacity": 8.56}, gives=8.56),
            source=(
                "Q = min(load of the county, sum of u S); no money, because it holds the ammonia "
                "nitrogen that is priced; docs/methods.md#water-purification"
            ),
        ),
    ),
)
