"""Climate regulation: heat taken up on hot days, as the electricity that would cool as much."""

from gep.ecosystems import Title
from gep.service import Example, Indicator, Service


def transpiration(hot_days, heat_absorbed, cooling_efficiency):
    """Electricity that would cool as much as plants do in a year [kJ/(m^2 year)].

    Parameters
    ----------
    hot_days : float
        Days of a year on which cooling counts, D [day/year].
    heat_absorbed : float
        Heat that transpiration takes up, EPP [kJ/(m^2 day)].
    cooling_efficiency : float
        Heat an air conditioner moves per electricity, r [1].

    Returns
    -------
    float
        EPP D / r [kJ/(m^2 year)]; NaN if any input is NaN.

    Source
    ------
    MEE guide 2020, remembered; 白玛卓嘎 2017 (Garzé 2010), 2.4.8. Differs in nothing.
    See docs/methods.md#climate-regulation.

    Examples
    --------
    >>> round(transpiration(120.0, 2837.27, 3.0) / 3600, 2)
    31.53
    """
    return hot_days * heat_absorbed / cooling_efficiency


def evaporation(water_evaporation, latent_heat, water_density, water_cooling_efficiency):
    """Electricity that would cool as much as water surfaces do in a year [J/(m^2 year)].

    Parameters
    ----------
    water_evaporation : float
        Evaporation from open water on the hot days [mm/year].
    latent_heat : float
        Heat that evaporates water, q [kJ/kg].
    water_density : float
        Density of water, rho [kg/m^3].
    water_cooling_efficiency : float
        Heat an air conditioner moves per electricity, r [1].

    Returns
    -------
    float
        E rho q / r [mm kJ/m^3 = J/m^2, per year]; NaN if any input is NaN.

    Source
    ------
    白玛卓嘎 2017 (Garzé 2010), 2.4.8. Differs in this: there the heat is not divided
    by r, and the electricity of a humidifier is added. See docs/methods.md#climate-regulation.

    Examples
    --------
    >>> round(evaporation(400.0, 2450.0, 1000.0, 3.0) / 3.6e6, 2)
    90.74
    """
    return water_evaporation * water_density * latent_heat / water_cooling_efficiency


SERVICE = Service(
    name="climate_regulation",
    method="transpiration",
    group="regulating",
    title=Title("Climate regulation", "气候调节"),
    seea="Local (micro and meso) climate regulation services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#climate-regulation",
    indicators=(
        Indicator(
            name="vegetation",
            title=Title("Cooling by transpiration of plants", "植被蒸腾降温节电量"),
            kernel=transpiration,
            rasters={"hot_days": "day/year"},
            coefficients={"heat_absorbed": "kJ/(m^2*day)", "cooling_efficiency": "1"},
            ecosystems=("forest", "shrubland", "grassland"),
            gives="kJ/(m^2*year)",
            quantity="kWh/year",
            quantum=1e-6,
            price=("electricity_price", "CNY/kWh"),
            example=Example(
                inputs={"hot_days": 120.0, "heat_absorbed": 2837.27, "cooling_efficiency": 3.0},
                gives=113490.8,
            ),
            source=(
                "E = sum of EPP D A / (3600 r); MEE guide 2020, remembered; 白玛卓嘎 2017 (Garzé "
                "2010), 2.4.8; docs/methods.md#climate-regulation"
            ),
        ),
        Indicator(
            name="water",
            title=Title("Cooling by evaporation of water", "水面蒸发降温节电量"),
            kernel=evaporation,
            rasters={"water_evaporation": "mm/year"},
            coefficients={
                "latent_heat": "kJ/kg",
                "water_density": "kg/m^3",
                "water_cooling_efficiency": "1",
            },
            ecosystems=("lake", "river", "reservoir", "pond", "open_water"),
            gives="J/(m^2*year)",
            quantity="kWh/year",
            quantum=1e-6,
            price=("electricity_price", "CNY/kWh"),
            example=Example(
                inputs={
                    "water_evaporation": 300.0,
                    "latent_heat": 2450.0,
                    "water_density": 1000.0,
                    "water_cooling_efficiency": 3.0,
                },
                gives=2.45e8,
            ),
            source=(
                "E = sum of E rho q A / (3600 r); 白玛卓嘎 2017 (Garzé 2010), 2.4.8, "
                "divided by r; docs/methods.md#climate-regulation"
            ),
        ),
    ),
)
