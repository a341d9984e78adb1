"""Water supply: water people take for homes, industry and fields, at the price of each use."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def domestic_use(domestic):
    """Water taken for homes and services in a year [m^3/year]: as metered.

    >>> domestic_use(1.36e8)
    136000000.0
    """
    return domestic


def industrial_use(industrial):
    """Water taken by industry in a year [m^3/year]: as metered.

    >>> industrial_use(150.17e8)
    15017000000.0
    """
    return industrial


def agricultural_use(agricultural):
    """Water taken for fields, fish and livestock in a year [m^3/year]: as reported.

    >>> agricultural_use(17.31e8)
    1731000000.0
    """
    return agricultural


SERVICE = Service(
    name="water_supply",
    method="market",
    group="provisioning",
    title=Title("Water supply", "水资源供给"),
    seea="Water supply",
    source="V = sum of W p; 白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#water-supply",
    indicators=(
        Indicator(
            name="domestic",
            title=Title("Domestic water", "生活用水"),
            kernel=domestic_use,
            table="water",
            columns={"domestic": "m^3/year"},
            ecosystems=(),
            gives="m^3/year",
            quantity="m^3/year",
            quantum=1e-3,
            price=("domestic_water_price", "CNY/m^3"),
            example=Example(inputs={"domestic": 1.36e8}, gives=1.36e8),
            source="V = W p; 白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#water-supply",
        ),
        Indicator(
            name="industrial",
            title=Title("Industrial water", "工业用水"),
            kernel=industrial_use,
            table="water",
            columns={"industrial": "m^3/year"},
            ecosystems=(),
            gives="m^3/year",
            quantity="m^3/year",
            quantum=1e-3,
            price=("industrial_water_price", "CNY/m^3"),
            example=Example(inputs={"industrial": 150.17e8}, gives=150.17e8),
            source="V = W p; 白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#water-supply",
        ),
        Indicator(
            name="agricultural",
            title=Title("Agricultural water", "农业用水"),
            kernel=agricultural_use,
            table="water",
            columns={"agricultural": "m^3/year"},
            ecosystems=(),
            gives="m^3/year",
            quantity="m^3/year",
            quantum=1e-3,
            price=("agricultural_water_price", "CNY/m^3"),
            example=Example(inputs={"agricultural": 17.31e8}, gives=17.31e8),
            source="V = W p; 白玛卓嘎 2017 (Garzé 2010), table 3; docs/methods.md#water-supply",
        ),
    ),
)
