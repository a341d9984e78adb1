"""The twelve quantities as one writes them on arrays, without the engine. numpy is all it needs.

`COEFFICIENTS` are not here but in coefficients.json of the province, by class code, as the engine
takes them from its files: the programs are to do the same work on the same numbers.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

LAYERS = {
    "precipitation": 1.0,
    "evapotranspiration": 0.1,
    "erosivity": 1.0,
    "erodibility": 1.0,
    "slope_factor": 1.0,
    "cover_factor": 0.0001,
    "support_factor": 0.01,
    "net_ecosystem_production": 0.1,
    "storm_precipitation": 0.1,
    "storm_runoff": 0.1,
    "hot_days": 1.0,
    "water_evaporation": 0.1,
}
"""Layers, and the scale of what is stored."""
ZONAL_LAYER = "erodibility"
"""What programs sum that only sum."""
INDICATORS = {
    "water_retention.water_retention": ("precipitation", "evapotranspiration"),
    "soil_retention.soil_retention": (
        *("erosivity", "erodibility", "slope_factor", "cover_factor", "support_factor"),
    ),
    "flood_mitigation.vegetation": ("storm_precipitation", "storm_runoff"),
    "flood_mitigation.swamps": (),
    "carbon_sequestration.carbon_dioxide": ("net_ecosystem_production",),
    "air_purification.sulfur_dioxide": (),
    "air_purification.nitrogen_oxides": (),
    "water_purification.chemical_oxygen_demand": (),
    "water_purification.ammonia_nitrogen": (),
    "water_purification.total_phosphorus": (),
    "climate_regulation.vegetation": ("hot_days",),
    "climate_regulation.water": ("water_evaporation",),
}
"""Layers each takes beside the land cover."""
KEPT = ("water_retention.water_retention", "carbon_sequestration.carbon_dioxide")
"""Their last coefficient is 1 where negative amounts are set to 0."""
MM, HECTARE, SQUARE_KILOMETRE, MILLION = 1e3, 1e4, 1e6, 1e6
KILOWATT_HOUR = 3600.0
"""In kJ."""


def coefficients(folder: Path) -> dict[str, list[Any]]:
    """By indicator its coefficients, each by class code: NaN where the class does not count."""
    raw = json.loads((folder / "coefficients.json").read_text("utf8"))
    found = {
        name: [np.array([np.nan if n is None else n for n in row], np.float32) for row in rows]
        for name, rows in raw.items()
    }
    if any(np.nanmax(found[name][-1]) != 0 for name in KEPT):
        raise ValueError("the account sets negative amounts to 0, these formulas do not")
    return found


def quantity(name: str, v: Callable[[str], Any], c: list[Any]) -> Any:
    """Quantity of an indicator per square metre [m^3, t or kWh], of values and coefficients."""
    f = np.float32
    if name == "water_retention.water_retention":
        return (v("precipitation") - v("precipitation") * c[0] - v("evapotranspiration")) / f(MM)
    if name == "soil_retention.soil_retention":
        lost = v("erosivity") * v("erodibility") * v("slope_factor") * c[0]
        return lost * (f(1) - v("cover_factor") * v("support_factor")) / f(HECTARE)
    if name == "flood_mitigation.vegetation":
        return (v("storm_precipitation") - v("storm_runoff")) * c[0] / f(MM)
    if name == "flood_mitigation.swamps":
        return c[0] / f(MM)
    if name == "carbon_sequestration.carbon_dioxide":
        return v("net_ecosystem_production") * (f(1) - c[0]) * f(44 / 12 / MILLION)
    if name.startswith("air_purification"):
        return c[0] / f(HECTARE * 1e3)
    if name.startswith("water_purification"):
        return c[0] / f(SQUARE_KILOMETRE)
    if name == "climate_regulation.vegetation":
        return v("hot_days") * (c[0] / c[1] / f(KILOWATT_HOUR))
    if name == "climate_regulation.water":
        return v("water_evaporation") * (c[0] * c[1] / c[2] / f(KILOWATT_HOUR * 1e3))
    raise KeyError(name)
