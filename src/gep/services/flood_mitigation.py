"""Flood mitigation: storm water that vegetation, swamps, lakes and reservoirs hold back."""

import math

from gep.ecosystems import Title
from gep.service import AREA, Example, Indicator, Service


def storm_water(storm_precipitation, storm_runoff):
    """Depth of storm rain that does not run off in a year [mm/year].

    Parameters
    ----------
    storm_precipitation : float
        Rain of the storm days of a year [mm/year].
    storm_runoff : float
        Runoff of the same days [mm/year].

    Returns
    -------
    float
        The difference [mm/year]; NaN if an input is NaN, or if more runs off than rained, which
        is a fault of the rasters and no retention.

    Source
    ------
    MEE guide 2020, remembered. Differs in this: runoff above rain is missing, not negative. See
    docs/methods.md#flood-mitigation.

    Examples
    --------
    >>> storm_water(300.0, 45.0)
    255.0
    >>> storm_water(300.0, 301.0)
    nan
    """
    retained = storm_precipitation - storm_runoff
    return retained if storm_runoff <= storm_precipitation else math.nan


def swamp_water(water_level_difference):
    """Depth of flood water a swamp takes up in a year [mm/year]: that of its class.

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), 2.4.4: 0.3 S 10^6. Printed in 10^4 m^3, but its result, 6.0e8 m^3
    on 2005 km^2, is in m^3.

    Examples
    --------
    >>> swamp_water(300.0)
    300.0
    """
    return water_level_difference


def lake_water(area, lake_intercept, lake_exponent, lake_exchange):
    """Water a lake can regulate in a year [万m^3/year], by its area.

    Parameters
    ----------
    area : float
        Area of the lake at its mean high water, A [km^2].
    lake_intercept : float
        Logarithm of the storage of a lake of 1 km^2 in 10^4 m^3, a [1].
    lake_exponent : float
        Exponent of the area, b [1].
    lake_exchange : float
        How often the water is exchanged in a year, T [1/year].

    Returns
    -------
    float
        e^a A^b T [10^4 m^3/year]; NaN if any input is NaN.

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), 2.4.4, after 饶恩明 2014. Differs in nothing. See
    docs/methods.md#flood-mitigation.

    Examples
    --------
    >>> round(lake_water(3500.0, 4.924, 1.128, 1.0))
    1368279
    >>> lake_water(0.0, 4.924, 1.128, 1.0)
    0.0
    """
    nothing = area * lake_intercept * lake_exponent  # 0 without a lake, NaN where something is
    logarithm = math.log(area) if area > 0.0 else math.nan
    amount = math.exp(lake_intercept + lake_exponent * logarithm)
    return (amount if area > 0.0 else nothing) * lake_exchange


def reservoir_water(total_storage, flood_share):
    """Flood water a reservoir can hold back in a year [m^3/year]: a share of its storage.

    Parameters
    ----------
    total_storage : float
        Total storage of the reservoir, there every year [m^3/year].
    flood_share : float
        Share of it that is free for floods [1].

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), 2.4.4. Differs in nothing. See docs/methods.md#flood-mitigation.

    Examples
    --------
    >>> reservoir_water(2e7, 0.35)
    7000000.0
    """
    return total_storage * flood_share


SERVICE = Service(
    name="flood_mitigation",
    method="storage",
    group="regulating",
    title=Title("Flood mitigation", "洪水调蓄"),
    seea=(
        "Water flow regulation services: peak flow mitigation services; flood control services: "
        "river flood mitigation services"
    ),
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#flood-mitigation",
    indicators=(
        Indicator(
            name="vegetation",
            title=Title("Storm water held back by vegetation", "植被洪水调蓄量"),
            kernel=storm_water,
            rasters={"storm_precipitation": "mm/year", "storm_runoff": "mm/year"},
            ecosystems=("forest", "shrubland", "grassland"),
            gives="mm/year",
            quantity="m^3/year",
            quantum=1e-6,
            price=("reservoir_cost", "CNY/m^3"),
            example=Example(
                inputs={"storm_precipitation": 300.0, "storm_runoff": 45.0}, gives=255.0
            ),
            source=(
                "C = sum of (P - R) A over the storm days; MEE guide 2020, remembered; "
                "docs/methods.md#flood-mitigation"
            ),
        ),
        Indicator(
            name="swamps",
            title=Title("Flood water taken up by swamps", "沼泽洪水调蓄量"),
            kernel=swamp_water,
            coefficients={"water_level_difference": "mm/year"},
            ecosystems=("swamp",),
            gives="mm/year",
            quantity="m^3/year",
            quantum=1e-6,
            price=("reservoir_cost", "CNY/m^3"),
            example=Example(inputs={"water_level_difference": 300.0}, gives=300.0),
            source=(
                "C = 0.3 S 10^6; 白玛卓嘎 2017 (Garzé 2010), 2.4.4; "
                "docs/methods.md#flood-mitigation"
            ),
        ),
        Indicator(
            name="lakes",
            title=Title("Water regulated by lakes", "湖泊洪水调蓄量"),
            kernel=lake_water,
            table="lakes",
            columns={"area": "km^2"},
            coefficients={"lake_intercept": "1", "lake_exponent": "1", "lake_exchange": "1/year"},
            measured=("storage", "m^3/year"),
            items=True,
            ecosystems=("lake", "open_water"),
            gives="万m^3/year",
            quantity="m^3/year",
            quantum=1e-6,
            price=("reservoir_cost", "CNY/m^3"),
            spread=(AREA,),
            example=Example(
                inputs={
                    "area": 1.0,
                    "lake_intercept": 0.0,
                    "lake_exponent": 1.128,
                    "lake_exchange": 3.0,
                },
                gives=3.0,
            ),
            source=(
                "C = e^a A^b T per lake; 白玛卓嘎 2017 (Garzé 2010), 2.4.4, after 饶恩明 2014; "
                "docs/methods.md#flood-mitigation"
            ),
            empirical="a regression: km^2 in, 10^4 m^3 out",
        ),
        Indicator(
            name="reservoirs",
            title=Title("Flood water held back by reservoirs", "水库洪水调蓄量"),
            kernel=reservoir_water,
            table="reservoirs",
            columns={"total_storage": "m^3/year"},
            coefficients={"flood_share": "1"},
            measured=("flood_storage", "m^3/year"),
            items=True,
            ecosystems=("reservoir",),
            gives="m^3/year",
            quantity="m^3/year",
            quantum=1e-6,
            price=("reservoir_cost", "CNY/m^3"),
            spread=(AREA,),
            example=Example(inputs={"total_storage": 2e7, "flood_share": 0.35}, gives=7e6),
            source=(
                "C = 0.35 of the total storage; 白玛卓嘎 2017 (Garzé 2010), 2.4.4; "
                "docs/methods.md#flood-mitigation"
            ),
        ),
    ),
)
