"""Ecological energy: electricity from the county's own hydropower stations, at the tariff."""

from gep.ecosystems import Title
from gep.service import AREA, Example, Indicator, Service


def hydropower(generation):
    """Electricity a hydropower station generates in a year [kWh/year]: as metered.

    >>> hydropower(9.53e9)
    9530000000.0
    """
    return generation


SERVICE = Service(
    name="ecological_energy",
    method="market",
    group="provisioning",
    title=Title("Ecological energy", "生态能源"),
    seea="none: hydropower is an abiotic flow",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#ecological-energy",
    indicators=(
        Indicator(
            name="hydropower",
            title=Title("Hydropower", "水电"),
            kernel=hydropower,
            table="energy",
            columns={"generation": "kWh/year"},
            items=True,
            ecosystems=("reservoir", "river"),
            gives="kWh/year",
            quantity="kWh/year",
            quantum=1e-3,
            price=("hydropower_price", "CNY/kWh"),
            spread=(AREA,),
            example=Example(inputs={"generation": 9.53e9}, gives=9.53e9),
            source=(
                "V = sum of G p; 白玛卓嘎 2017 (Garzé 2010), table 3; "
                "docs/methods.md#ecological-energy"
            ),
        ),
    ),
)
