"""Carbon sequestration by net ecosystem production: carbon fixed minus carbon respired."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def carbon_dioxide(net_ecosystem_production, clamp):
    """Carbon kept by the ecosystem in a year [gC/(m^2 year)]; units make it carbon dioxide.

    Parameters
    ----------
    net_ecosystem_production : float
        Net ecosystem production, NEP [gC/(m^2 year)].
    clamp : float
        0 counts sources as negative, 1 sets them to zero [1].

    Returns
    -------
    float
        NEP or max(NEP, 0) [gC/(m^2 year)]; NaN if any input is NaN.

    Source
    ------
    NEP method, one of the three of GB/T 46869-2025 A.7 as reported. Differs in nothing; 44/12 is a
    conversion of units, not of this kernel. See docs/methods.md#carbon-sequestration.

    Examples
    --------
    >>> carbon_dioxide(220.0, 0.0), carbon_dioxide(-20.0, 0.0), carbon_dioxide(-20.0, 1.0)
    (220.0, -20.0, 0.0)
    """
    kept = max(net_ecosystem_production, 0.0)
    return net_ecosystem_production * (1.0 - clamp) + kept * clamp


SERVICE = Service(
    name="carbon_sequestration",
    method="nep",
    group="regulating",
    title=Title("Carbon sequestration", "固碳"),
    seea="Global climate regulation services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#carbon-sequestration",
    indicators=(
        Indicator(
            name="carbon_dioxide",
            title=Title("Carbon dioxide fixed", "固定二氧化碳量"),
            kernel=carbon_dioxide,
            rasters={"net_ecosystem_production": "gC/(m^2*year)"},
            coefficients={"clamp": "1"},
            ecosystems=("forest", "shrubland", "grassland", "swamp"),
            gives="gC/(m^2*year)",
            quantity="tCO2/year",
            quantum=1e-6,
            price=("carbon_market", "CNY/tCO2"),
            example=Example(inputs={"net_ecosystem_production": 220.0, "clamp": 0.0}, gives=220.0),
            source=(
                "Q = sum of NEP 44/12 A, without cropland; NEP method, one of three in "
                "GB/T 46869-2025 A.7 as reported; docs/methods.md#carbon-sequestration"
            ),
        ),
    ),
)
