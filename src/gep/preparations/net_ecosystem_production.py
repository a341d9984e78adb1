"""Net ecosystem production: what plants fix, less what the soil breathes out."""

import math

from gep.ecosystems import Title
from gep.preparation import Preparation, Series
from gep.service import Example


def npp_minus_respiration(
    net_primary_production,
    monthly_temperature,
    monthly_precipitation,
    soil_respires,
    respiration_scale,
    respiration_warming,
    respiration_wetting,
    respiration_days,
    respiration_share,
):
    """Net primary production less the respiration of the soil, NPP - Rh [gC/(m^2 year)].

    Parameters
    ----------
    net_primary_production : float
        Net primary production, NPP [gC/(m^2 year)].
    monthly_temperature : sequence of float
        Mean of every month, T [degC].
    monthly_precipitation : sequence of float
        Sum of every month, P [mm/month].
    soil_respires : float
        1; 0 on water, snow and built-up land [1].
    respiration_scale, respiration_warming, respiration_wetting : float
        0.22 [gC/(m^2 day)], 0.0913 [1/degC], 0.3145 [month/mm] of
        Rs = 0.22 (exp(0.0913 T) + ln(0.3145 P + 1)).
    respiration_days : float
        Days of every month [day].
    respiration_share : float
        0.465 as printed, taken for the heterotrophic share of Rs [1].

    Returns
    -------
    float
        NPP - sum of Rs x 30 x 0.465 over the months [gC/(m^2 year)]; negative where more is
        breathed out than fixed; NaN if any input is NaN.

    Source
    ------
    Public code of net ecosystem production in China (S30). Differs in nothing: months have 30 days
    as printed. See docs/methods.md#net-ecosystem-production.

    Examples
    --------
    >>> npp_minus_respiration(600.0, [0.0], [0.0], 1.0, 0.22, 0.0913, 0.3145, 30.0, 0.465)
    596.931
    """
    breathed = 0.0 * respiration_scale
    for month in range(len(monthly_temperature)):
        wet = respiration_wetting * monthly_precipitation[month] + 1.0
        moisture = math.log(wet) if wet > 0.0 else math.nan
        warmth = math.exp(respiration_warming * monthly_temperature[month])
        breathed = breathed + respiration_scale * (warmth + moisture) * respiration_days
    return net_primary_production - breathed * respiration_share * soil_respires


def npp_ratio(net_primary_production, ecosystem_share):
    """Net primary production times the share that stays [gC/(m^2 year)].

    Parameters
    ----------
    net_primary_production : float
        Net primary production, NPP [gC/(m^2 year)].
    ecosystem_share : float
        Net ecosystem production per net primary production, beta [1].

    Returns
    -------
    float
        beta NPP [gC/(m^2 year)]; NaN if any input is NaN.

    Source
    ------
    MEE guide 2020, remembered. Differs in this: NPP is carbon, not dry matter times 72/162. See
    docs/methods.md#net-ecosystem-production.

    Examples
    --------
    >>> npp_ratio(600.0, 0.25)
    150.0
    """
    return net_primary_production * ecosystem_share


def biomass_difference(biomass, former_biomass, years_between, biomass_carbon):
    """Growth of biomass between two surveys as carbon per year [gC/(m^2 year)].

    Parameters
    ----------
    biomass, former_biomass : float
        Dry matter of the living plants at the later and at the earlier survey [g/m^2].
    years_between : float
        Years from one to the other [year].
    biomass_carbon : float
        Carbon in dry matter [gC/g].

    Returns
    -------
    float
        (B1 - B0) / years x 0.5 [gC/(m^2 year)]; NaN if any input is NaN or no year lies between.

    Source
    ------
    Biomass method, one of the three of GB/T 46869-2025 A.7 as reported. Differs in nothing. See
    docs/methods.md#net-ecosystem-production.

    Examples
    --------
    >>> biomass_difference(9000.0, 8000.0, 5.0, 0.5)
    100.0
    """
    years = years_between if years_between > years_between * 0.0 else math.nan
    return (biomass - former_biomass) / years * biomass_carbon


def fixed_rates(fixation_rate):
    """Carbon an ecosystem fixes in a year by its class [gC/(m^2 year)].

    Parameters
    ----------
    fixation_rate : float
        Carbon that vegetation and soil of the class fix together [gC/(m^2 year)].

    Returns
    -------
    float
        The rate [gC/(m^2 year)]; NaN if it is NaN.

    Source
    ------
    Rates of carbon fixation, annex of the MEE guide 2020, remembered. Differs in this: one rate
    for vegetation and soil, where the guide has that of a forest times 1 + beta, and fertiliser
    and straw of fields. See docs/methods.md#net-ecosystem-production.

    Examples
    --------
    >>> fixed_rates(120.0)
    120.0
    """
    return fixation_rate


PREPARATIONS = (
    Preparation(
        name="net_ecosystem_production",
        method="npp_minus_respiration",
        title=Title(
            "Net primary production less respiration of the soil", "净初级生产力减土壤异养呼吸"
        ),
        kernel=npp_minus_respiration,
        rasters={"net_primary_production": "gC/(m^2*year)"},
        series={
            "monthly_temperature": Series(unit="degC", step="month"),
            "monthly_precipitation": Series(unit="mm/month", step="month"),
        },
        coefficients={
            "soil_respires": "1",
            "respiration_scale": "gC/(m^2*day)",
            "respiration_warming": "1/degC",
            "respiration_wetting": "month/mm",
            "respiration_days": "day",
            "respiration_share": "1",
        },
        gives="gC/(m^2*year)",
        source=(
            "NEP = NPP - sum by month of 0.22 (exp(0.0913 T) + ln(0.3145 P + 1)) 30 x 46.5 %; "
            "public code; docs/methods.md#net-ecosystem-production"
        ),
    ),
    Preparation(
        name="net_ecosystem_production",
        method="biomass_difference",
        title=Title("Growth of biomass between two surveys", "两期生物量之差"),
        kernel=biomass_difference,
        rasters={"biomass": "g/m^2", "former_biomass": "g/m^2"},
        coefficients={"years_between": "year", "biomass_carbon": "gC/g"},
        gives="gC/(m^2*year)",
        example=Example(
            inputs={
                "biomass": 9000.0,
                "former_biomass": 8000.0,
                "years_between": 5.0,
                "biomass_carbon": 0.5,
            },
            gives=100.0,
        ),
        source=(
            "NEP = (B1 - B0) / years x 0.5; biomass method, one of three in GB/T 46869-2025 A.7 as "
            "reported; docs/methods.md#net-ecosystem-production"
        ),
    ),
    Preparation(
        name="net_ecosystem_production",
        method="npp_ratio",
        title=Title("Share of net primary production", "净初级生产力按比例折算"),
        kernel=npp_ratio,
        rasters={"net_primary_production": "gC/(m^2*year)"},
        coefficients={"ecosystem_share": "1"},
        gives="gC/(m^2*year)",
        example=Example(
            inputs={"net_primary_production": 600.0, "ecosystem_share": 0.25}, gives=150.0
        ),
        source=(
            "NEP = beta NPP; MEE guide 2020, remembered, without a number for beta; "
            "docs/methods.md#net-ecosystem-production"
        ),
    ),
    Preparation(
        name="net_ecosystem_production",
        method="fixed_rates",
        title=Title("Fixed rates of carbon by ecosystem", "固碳速率法（按生态系统类型）"),
        kernel=fixed_rates,
        coefficients={"fixation_rate": "gC/(m^2*year)"},
        gives="gC/(m^2*year)",
        example=Example(inputs={"fixation_rate": 120.0}, gives=120.0),
        source=(
            "NEP = rate of the class, vegetation and soil together; MEE guide 2020, remembered, "
            "without its numbers; docs/methods.md#net-ecosystem-production"
        ),
    ),
)
