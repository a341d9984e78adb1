"""Oxygen release: the oxygen that goes with the carbon dioxide fixed, on one basis."""

from gep.ecosystems import Title
from gep.service import Derived, Service

SERVICE = Service(
    name="oxygen_release",
    method="nep",
    group="regulating",
    title=Title("Oxygen release", "释氧"),
    seea="not in the reference list (oxygen is not scarce)",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#oxygen-release",
    indicators=(
        Derived(
            name="oxygen",
            title=Title("Oxygen released", "释放氧气量"),
            of="carbon_sequestration.carbon_dioxide",
            times={"oxygen_per_carbon_dioxide": "tO2/tCO2"},
            quantity="tO2/year",
            quantum=1e-6,
            price=("oxygen_price", "CNY/tO2"),
            source=(
                "Q of oxygen = Q of carbon dioxide 32/44; stoichiometry of photosynthesis; "
                "docs/methods.md#oxygen-release"
            ),
        ),
    ),
)
