"""Sandstorm prevention by RWEQ: wind erosion of the bare field minus that under vegetation."""

import math

from gep.ecosystems import Title
from gep.service import Derived, Example, Indicator, Service


def sand_fixed(
    weather_factor,
    erodible_fraction,
    crust_factor,
    roughness_factor,
    wind_vegetation_factor,
    transport_constant,
    field_length_constant,
    field_length_exponent,
    downwind_distance,
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
    transport_constant : float
        Largest transport over the product of the factors, q [1].
    field_length_constant : float
        Critical field length where that product is 1 kg/m, k [m].
    field_length_exponent : float
        How the critical field length shrinks with the product, b [1].
    downwind_distance : float
        Distance from the sheltered edge of the field, z [m].

    Returns
    -------
    float
        SL(C = 1) - SL(C) [kg/(m^2 year)], not below 0, with SL = 2 z/s^2 q x exp(-(z/s)^2),
        s = k x^-b, x = WF EF SCF K' C; NaN if any input is NaN or a factor is negative.

    Source
    ------
    RWEQ as coded in lxyNgeo/pyrweq (S29) and the script of RCEES (S28); after 白玛卓嘎 2017 (Garzé
    2010), 2.4.3. Differs in this: 1/s is worked out instead of s, so that x = 0 needs no guard.
    See docs/methods.md#sandstorm-prevention.

    Examples
    --------
    >>> round(sand_fixed(0.9, 0.5, 0.75, 0.8, 0.0, 109.8, 150.71, 0.3711, 50.0), 4)
    0.0474
    >>> sand_fixed(0.9, 0.5, 0.75, 0.8, 1.0, 109.8, 150.71, 0.3711, 50.0)
    0.0
    """
    bare = weather_factor * erodible_fraction * crust_factor * roughness_factor
    covered = bare * wind_vegetation_factor
    nothing = -math.inf if covered == 0.0 else math.nan
    covered_log = math.log(covered) if covered > 0.0 else nothing
    nothing = -math.inf if bare == 0.0 else math.nan
    bare_log = math.log(bare) if bare > 0.0 else nothing
    covered_rise = math.exp(field_length_exponent * covered_log) / field_length_constant  # 1/s
    bare_rise = math.exp(field_length_exponent * bare_log) / field_length_constant
    covered_reach = (downwind_distance * covered_rise) * (downwind_distance * covered_rise)
    bare_reach = (downwind_distance * bare_rise) * (downwind_distance * bare_rise)
    steady = 2.0 * downwind_distance * transport_constant
    actual = steady * covered_rise * covered_rise * covered * math.exp(-covered_reach)
    potential = steady * bare_rise * bare_rise * bare * math.exp(-bare_reach)
    return max(potential - actual, 0.0)


SERVICE = Service(
    name="sandstorm_prevention",
    method="rweq",
    group="regulating",
    title=Title("Sandstorm prevention", "防风固沙"),
    seea="Soil and sediment retention services: soil erosion control services",
    source="DB36/T 1402-2021 as understood, text not read; docs/methods.md#sandstorm-prevention",
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
            coefficients={
                "transport_constant": "1",
                "field_length_constant": "m",
                "field_length_exponent": "1",
                "downwind_distance": "m",
            },
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
                    "wind_vegetation_factor": 0.0,
                    "transport_constant": 1.0,
                    "field_length_constant": 10.0,
                    "field_length_exponent": 0.3711,
                    "downwind_distance": 10.0,
                },
                gives=0.07357588823428847,  # 2 z q / k^2 / e, where z = k and x = 1
            ),
            source=(
                "Q = sum of (SL(C=1) - SL) A, SL = 2 z/s^2 Qmax exp(-(z/s)^2), Qmax = 109.8 x, "
                "s = 150.71 x^-0.3711, x = WF EF SCF K' C; RWEQ as in public code (S29, S28); "
                "docs/methods.md#sandstorm-prevention"
            ),
            empirical="a regression: kg/m in, m and kg/m^2 out",
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
