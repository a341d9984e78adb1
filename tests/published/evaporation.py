"""FAO 56 and InVEST Annual Water Yield by `gep.preparations`.

The steps of FAO 56 are read out of a year of evapotranspiration: with the numbers of the other
steps set to 0 or 1 what is left is the one step, and all days but one are such that nothing
evaporates, so the year is the one day.
"""

import math
from typing import Any

import numpy as np
import xarray as xr

import gep
from gep import coefficients
from gep.preparation import preparations
from published.case import Said

DRY = -100.0
"""Dew point [degC] at which the air holds next to nothing, 2e-6 kPa; less is refused."""
NET = {"latent_heat": 1.0, "psychrometric_coefficient": 0.0}
"""With these a day's evapotranspiration is the net radiation [MJ/m2]."""
WARM = 20.0
SHORT = NET | {"albedo": 0.0, "stefan_boltzmann": 1.0, "absolute_zero": -WARM}
"""With these it is the solar radiation on the ground, if it is WARM; colder days lose too much."""
MILD = {"daily_maximum_temperature": WARM, "daily_minimum_temperature": WARM}
DEW, WIND, SUN = "daily_dew_point", "daily_wind_speed", "daily_radiation"


def _day(method: str, day: int, **inputs: float) -> float:
    """Evapotranspiration of one day of a year on whose other days all series are 0.

    Nothing evaporates on those: without wind and sun, or without a range of temperature.
    """
    one = preparations()["reference_evapotranspiration", method]
    given: dict[str, Any] = dict(inputs)
    for name, unit in one.rasters.items():
        given[name] = _said(inputs[name], unit)
    for name, series in one.series.items():
        values = np.zeros(365)
        values[day - 1] = inputs[name]
        given[name] = _said(values, series.unit)
    made = gep.preparations["reference_evapotranspiration", method](year=2021, **given)
    return float(made)


def _said(values: Any, unit: str) -> xr.DataArray:
    """A number, or one for every day of a year, with its unit."""
    return xr.DataArray(values, dims=("time",)[: np.ndim(values)], attrs={"units": unit})


def _lit(latitude: float, day: int, **inputs: float) -> float:
    """Solar radiation on the ground [MJ/m2], by sunshine."""
    calm = MILD | {"daily_relative_humidity": 0.5, WIND: 0.0, "elevation": 0.0}
    given = calm | SHORT | {"latitude": latitude, "daily_sunshine": 0.0} | inputs
    return _day("penman_monteith_sunshine", day, **given)


def _outside(latitude: float, day: int) -> float:
    """Radiation outside the air, Ra [MJ/m2]."""
    return _lit(latitude, day, angstrom_intercept=1.0, angstrom_slope=0.0)


def _weighed(degrees: float, **inputs: float) -> float:
    """Slope of saturation, D, over itself and the psychrometric constant, D / (D + g)."""
    warm = {"daily_maximum_temperature": degrees, "daily_minimum_temperature": degrees}
    given = warm | {DEW: DRY, WIND: 0.0, SUN: 1.0, "latitude": 0.0, "elevation": 0.0}
    given |= {"albedo": 0.0, "stefan_boltzmann": 0.0, "latent_heat": 1.0} | inputs
    return _day("penman_monteith", 1, **given)


def _slope(degrees: float) -> float:
    """Slope of saturation [kPa/degC], weighed against a constant of 1."""
    share = _weighed(degrees, psychrometric_coefficient=1.0, sea_level_pressure=1.0)
    return share / (1 - share)


def _constant(**inputs: float) -> float:
    """Psychrometric constant [kPa/degC], weighed against the slope at 20 degrees."""
    return _slope(20.0) * (1 / _weighed(20.0, **inputs) - 1)


def _saturation(warmest: float, coldest: float) -> float:
    """Saturation vapour pressure [kPa]: what dry air lacks."""
    mean = (warmest + coldest) / 2
    drying = {"wind_resistance": 0.0, "wind_share": 1.0, "aerodynamic_constant": mean + 273}
    drying |= {"psychrometric_coefficient": 1.0, "sea_level_pressure": 1.0}
    given = {"daily_maximum_temperature": warmest, "daily_minimum_temperature": coldest}
    given |= {DEW: DRY, WIND: 1.0, SUN: 0.0, "latitude": 0.0, "elevation": 0.0}
    lacking = _day("penman_monteith", 1, **given | {"stefan_boltzmann": 0.0} | drying)
    return lacking * (_slope(mean) + 1)


def _vapour(warmest: float, coldest: float, most: float, least: float) -> float:
    """Vapour pressure [kPa] of the highest and lowest humidity [%], FAO 56, equation 17."""
    return (_saturation(coldest, coldest) * most + _saturation(warmest, warmest) * least) / 200


def _dew_point(vapour: float) -> float:
    """Temperature [degC] at which so much vapour saturates the air."""
    log = math.log(vapour / 0.6108)
    return 237.3 * log / (17.27 - log)


def _lost(said: list[float]) -> float:
    """Net radiation in long waves, Rnl [MJ/m2], under a clear sky as the case states it."""
    radiation, clear, warmest, coldest, vapour = said
    sky = {"clear_sky_share": clear / _outside(0.0, 1), "clear_sky_rise": 0.0}
    given = {"daily_maximum_temperature": warmest, "daily_minimum_temperature": coldest}
    given |= {DEW: _dew_point(vapour), WIND: 0.0, SUN: radiation, "latitude": 0.0}
    given |= {"elevation": 0.0, "albedo": 0.0} | NET | sky
    return radiation - _day("penman_monteith", 1, **given)


def worked_examples(said: Said) -> dict[str, float]:
    """Allen et al. 1998, FAO 56: examples 2 to 6, 8 to 10, 18, 20, as pyet 1.5.0 tests them."""
    inputs = said["inputs"]
    found = {
        f"P_kPa.{n}": _constant(psychrometric_coefficient=1.0, elevation=height)
        for n, height in enumerate(inputs["elev_m"])
    }
    found["gamma_81.8"] = _constant(sea_level_pressure=81.8)
    found |= {f"e0.{n}": _saturation(t, t) for n, t in enumerate(inputs["T_for_e0"])}
    found |= {f"slope.{n}": _slope(t) for n, t in enumerate(inputs["slope_T"])}
    humid = inputs["ea_case(Tx,Tn,RHx,RHn)"]
    found |= {"es": _saturation(*inputs["T_for_e0"]), "ea": _vapour(*humid)}
    found |= _sky(*inputs["Ra_case(lat rad, J)"])
    south, day, hours = inputs["Rs_case(lat deg, J, n h)"]
    found["Rs"] = _lit(south, round(day), daily_sunshine=hours / 24)
    found["Rnl"] = _lost(inputs["Rnl_case(Rs,Rso,Tx,Tn,ea)"])
    warmest, coldest, wind, most, least, sun, height, north, day = inputs[
        "PM_case(Tx,Tn,u2,RHx,RHn,Rs,z,lat deg,J)"
    ]
    brussels = {"daily_maximum_temperature": warmest, "daily_minimum_temperature": coldest}
    brussels |= {DEW: _dew_point(_vapour(warmest, coldest, most, least)), WIND: wind, SUN: sun}
    brussels |= {"latitude": north, "elevation": height, "wind_share": 1.0}
    found["ETo_PM"] = _day("penman_monteith", round(day), **brussels)
    warmest, coldest, north, day = inputs["Hargreaves(Tx,Tn,lat deg,J)"]
    lyon = {"daily_maximum_temperature": warmest, "daily_minimum_temperature": coldest}
    found["ETo_Hargreaves"] = _day("hargreaves", round(day), latitude=north, **lyon)
    return found


def _sky(radians: float, day: float) -> dict[str, float]:
    """Radiation outside the air, and the hours, declination and distance it follows from."""
    latitude, on = math.degrees(radians), round(day)
    outside, share = _outside(latitude, on), 0.1
    sunny = _lit(latitude, on, angstrom_intercept=0.0, angstrom_slope=1.0, daily_sunshine=share)
    sunset = math.pi * share * outside / sunny
    tilt = math.atan(-math.cos(sunset) / math.tan(radians))
    lit = sunset * math.sin(radians) * math.sin(tilt)
    lit += math.cos(radians) * math.cos(tilt) * math.sin(sunset)
    on_file = coefficients.load()[0].coefficient("reference_evapotranspiration", "solar_constant")
    assert on_file
    number = on_file.number("MJ/(m^2*day)", year=2021)
    assert number
    distance = outside * math.pi / (float(number[0]) * lit)
    found = {"Ra": outside, "ws": sunset, "decl": tilt, "dr": distance}
    return found | {"N": 24 / math.pi * sunset}


def share_of_rain(said: Said) -> dict[str, float]:
    """InVEST Annual Water Yield, test_fractp_op: what evaporates of the rain, six pixels."""
    i = {name: np.array(value, float) for name, value in said["inputs"].items()}
    found = {}
    for row, column in np.ndindex(i["P_mm"].shape):
        at = (row, column)
        water = gep.preparations["available_water", "root_zone"](
            root_depth=_said(i["root_depth_mm"][at], "mm"),
            soil_depth=_said(i["soil_depth_mm"][at], "mm"),
            available_water_share=i["PAWC"][at],
        )
        evaporated = gep.preparations["evapotranspiration", "budyko_fu"](
            precipitation=_said(i["P_mm"][at], "mm/year"),
            reference_evapotranspiration=_said(i["ETo_mm"][at], "mm/year"),
            available_water=_said(water, "mm"),
            crop_coefficient=i["Kc"][at],
            vegetated=i["vegetated"][at],
            seasonality=float(i["Z"]),
        )
        found[f"AET_over_P.{row}.{column}"] = float(evaporated / i["P_mm"][at])
    return found
