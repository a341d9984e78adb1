"""Sandstorm prevention by the short form of RWEQ that the MEE guide of 2020 prints."""

import math

from gep.ecosystems import Title
from gep.service import Derived, Example, Indicator, Service


def sand_fixed(
    weather_factor,
    erodible_fraction,
    crust_factor,
    roughness_factor,
    wind_vegetation_factor,
    simplified_constant,
    simplified_exponent,
):
    """Soil the wind would take from a bare field and does not take in a year [kg/(m^2 year)].

    Parameters
    ----------
    weather_factor : float
        Weather of the year, WF [kg/m].
    erodible_fraction : float
        Share of the soil in grains the wind can carry, EF [1].
    crust_factor : float
        Effect of the soil crust, SCF; 1 without crust [1].
    roughness_factor : float
        Effect of roughness, K'; 1 on smooth ground [1].
    wind_vegetation_factor : float
        Effect of vegetation on wind erosion, C; 1 without vegetation [1].
    simplified_constant : float
        Erosion where the product of the factors is 1 kg/m, a [kg/(m^2 year)].
    simplified_exponent : float
        Exponent of the product and of C, n [1].

    Returns
    -------
    float
        a (WF EF SCF K')^n (1 - C^n) [kg/(m^2 year)]; NaN if any input is NaN or a factor is
        negative.

    Source
    ------
    MEE guide 2020, chapter on sandstorms, remembered. That it is per square metre and in kg is
    not verified: its exponent, 1 + 0.3711, is that of Qmax/s in RWEQ, which is. See
    docs/methods.md#sandstorm-prevention.

    Examples
    --------
    >>> round(sand_fixed(0.9, 0.5, 0.75, 0.8, 0.0, 0.1699, 1.3711), 5)
    0.02822
    >>> sand_fixed(0.9, 0.5, 0.75, 0.8, 1.0, 0.1699, 1.3711)
    0.0
    """
    bare = weather_factor * erodible_fraction * crust_factor * roughness_factor
    nothing = -math.inf if bare == 0.0 else math.nan
    bare_log = math.log(bare) if bare > 0.0 else nothing
    nothing = -math.inf if wind_vegetation_factor == 0.0 else math.nan
    vegetation_log = math.log(wind_vegetation_factor) if wind_vegetation_factor > 0.0 else nothing
    potential = simplified_constant * math.exp(simplified_exponent * bare_log)
    return potential * (1.0 - math.exp(simplified_exponent * vegetation_log))


SERVICE = Service(
    name="sandstorm_prevention",
    method="rweq_simplified",
    group="regulating",
    title=Title("Sandstorm prevention", "防风固沙"),
    seea="Soil and sediment retention services: soil erosion control services",
    source="MEE guide 2020, remembered; docs/methods.md#sandstorm-prevention",
    indicators=(
        Indicator(
            name="sand_fixed",
            title=Title("Soil kept from the wind", "防风固沙量"),
            kernel=sand_fixed,
            rasters={
                "weather_factor": "kg/m",
                "erodible_fraction": "1",
                "crust_factor": "1",
                "roughness_factor": "1",
                "wind_vegetation_factor": "1",
            },
            coefficients={"simplified_constant": "kg/(m^2*year)", "simplified_exponent": "1"},
            ecosystems=("forest", "shrubland", "grassland", "cropland", "desert", "bare_land"),
            gives="kg/(m^2*year)",
            quantity="t/year",
            quantum=1e-6,
            example=Example(
                inputs={
                    "weather_factor": 1.0,
                    "erodible_fraction": 1.0,
                    "crust_factor": 1.0,
                    "roughness_factor": 1.0,
                    "wind_vegetation_factor": 0.5,
                    "simplified_constant": 0.5,
                    "simplified_exponent": 2.0,
                },
                gives=0.375,
            ),
            source=(
                "Q = sum of 0.1699 (WF EF SCF K')^1.3711 (1 - C^1.3711) A; MEE guide 2020, "
                "remembered, unit not verified; docs/methods.md#sandstorm-prevention"
            ),
            empirical="a regression: kg/m in, kg/m^2 out",
        ),
        Derived(
            name="sand_free_area",
            title=Title("Land kept from being covered by sand", "避免沙化土地面积"),
            of="sand_fixed",
            per={"sand_density": "t/m^3", "sand_cover_depth": "m"},
            quantity="m^2/year",
            quantum=1e-6,
            price=("sand_control_cost", "CNY/m^2"),
            source=(
                "Q / (rho h); 白玛卓嘎 2017 (Garzé 2010), 2.4.3 and 3.2.3; "
                "docs/methods.md#sandstorm-prevention"
            ),
        ),
    ),
)
