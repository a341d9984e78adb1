"""Air purification: what vegetation can take up, never more than the county emits."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service

ECOSYSTEMS = (
    "evergreen_broadleaf_forest",
    "deciduous_broadleaf_forest",
    "evergreen_needleleaf_forest",
    "deciduous_needleleaf_forest",
    "mixed_forest",
    "bamboo_forest",
    "unspecified_forest",
    "broadleaf_shrubland",
    "needleleaf_shrubland",
)


def sulfur_dioxide(sulfur_dioxide_capacity):
    """Sulfur dioxide an ecosystem can take up in a year [kg/(ha year)]: its class capacity.

    >>> sulfur_dioxide(88.65)
    88.65
    """
    return sulfur_dioxide_capacity


def nitrogen_oxides(nitrogen_oxides_capacity):
    """Nitrogen oxides an ecosystem can take up in a year [kg/(ha year)]: its class capacity.

    >>> nitrogen_oxides(6.0)
    6.0
    """
    return nitrogen_oxides_capacity


def dust(dust_capacity):
    """Dust an ecosystem can hold back in a year [kg/(ha year)]: its class capacity.

    >>> dust(10110.0)
    10110.0
    """
    return dust_capacity


SERVICE = Service(
    name="air_purification",
    method="capacity",
    group="regulating",
    title=Title("Air purification", "空气净化"),
    seea="Air filtration services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#air-purification",
    indicators=(
        Indicator(
            name="sulfur_dioxide",
            title=Title("Sulfur dioxide removed", "净化二氧化硫量"),
            kernel=sulfur_dioxide,
            coefficients={"sulfur_dioxide_capacity": "kg/(ha*year)"},
            ecosystems=ECOSYSTEMS,
            gives="kg/(ha*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("emissions.so2", "t/year"),
            price=("sulfur_dioxide_price", "CNY/t"),
            example=Example(inputs={"sulfur_dioxide_capacity": 88.65}, gives=88.65),
            source=(
                "Q = min(emission of the county, sum of q A); MEE guide 2020, not read; "
                "docs/methods.md#air-purification"
            ),
        ),
        Indicator(
            name="nitrogen_oxides",
            title=Title("Nitrogen oxides removed", "净化氮氧化物量"),
            kernel=nitrogen_oxides,
            coefficients={"nitrogen_oxides_capacity": "kg/(ha*year)"},
            ecosystems=ECOSYSTEMS,
            gives="kg/(ha*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("emissions.nox", "t/year"),
            price=("nitrogen_oxides_price", "CNY/t"),
            example=Example(inputs={"nitrogen_oxides_capacity": 6.0}, gives=6.0),
            source=(
                "Q = min(emission of the county, sum of q A); MEE guide 2020, not read; "
                "docs/methods.md#air-purification"
            ),
        ),
        Indicator(
            name="dust",
            title=Title("Dust held back", "滞尘量"),
            kernel=dust,
            coefficients={"dust_capacity": "kg/(ha*year)"},
            ecosystems=ECOSYSTEMS,
            gives="kg/(ha*year)",
            quantity="t/year",
            quantum=1e-9,
            cap=("emissions.dust", "t/year"),
            price=("dust_price", "CNY/t"),
            optional=True,
            example=Example(inputs={"dust_capacity": 10110.0}, gives=10110.0),
            source=(
                "Q = min(emission of the county, sum of q A); MEE guide 2020, not read; "
                "off in jiangxi-2021; docs/methods.md#air-purification"
            ),
        ),
    ),
)
