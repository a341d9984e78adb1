"""The woodland of Xichuan in 2004, 2009 and 2014: areas and depths on a map, three years.

殷格兰, 邵景安, 郭跃, 党永峰. 林地资源变化对森林生态系统服务功能的影响——以南水北调核心水源地淅川县
为例. 生态学报 2017, 37(20): 6973-6985, doi:10.5846/stxb201605170954.

Ours: depth times area, soil as potential less actual erosion, sums over classes, change between
years. Not ours: how the paper came to its depths, and its load of nitrogen, a loss per area where
we account what is removed; that is added up as given quantities.
"""

import json
from functools import lru_cache
from typing import Any

import pandas as pd

import gep
from published.case import Said
from published.maps import Patch, run

AS_IT_IS, BARE = "411326", "411399"
"""The county, and the same land where the factor of cover keeps all soil: what is kept there is
the potential erosion, and what is kept less in the county the actual one."""
CLASSES = (
    *("unspecified_forest", "sparse_forest", "broadleaf_shrubland"),
    *("shrub_plantation", "sparse_shrubland"),
)
"""Ours for the five types of the paper, one each; nothing depends on which."""
OUTSIDE = 1000.0
"""Evapotranspiration everywhere; the rain is as much higher as the depth the paper retains."""
NO_RUNOFF = "[water_retention.runoff_coefficient.sets.hj1173.values]\n" + "".join(
    f'{name} = {{ value = 0, source = {{ key = "GEP", where = "the depths are net of runoff" }}, '
    'status = "design" }\n'
    for name in CLASSES
)


def three_services_three_years(said: Said) -> dict[str, float]:
    """Tables 1 to 4."""
    inputs = said["inputs"]
    lists = ("area_hm2", "water_mm", "N_kg_hm2", "potential_1e4t", "actual_1e4t")
    found: dict[str, float] = {}
    for year in inputs["area_hm2"]:
        for name, number in _year(json.dumps([inputs[name][year] for name in lists])).items():
            found[f"{name}.{year}"] = number
    for name, ours in (("water", "water_1e8m3"), ("N", "N_t"), ("soil", "retained_1e4t")):
        change = found[f"{ours}.2014"] / found[f"{ours}.2004"] - 1
        found[f"pct_change_2004_2014.{name}"] = change * 100
    return found


@lru_cache(8)
def _year(text: str) -> dict[str, float]:
    """Totals of one year from its lists by type."""
    areas, depths, losses, potential, actual = json.loads(text)
    patches = []
    for county in (AS_IT_IS, BARE):
        for number, ecosystem in enumerate(CLASSES):
            pixels = round(areas[number])
            cover = actual[number] / potential[number] if county == AS_IT_IS else 0.0
            layers = {
                "precipitation": OUTSIDE + depths[number],
                "evapotranspiration": OUTSIDE,
                "erosivity": potential[number] * 1e4 / pixels * 10,
                "erodibility": 0.01,
                "slope_factor": 10.0,
                "cover_factor": cover,
                "support_factor": 1.0,
            }
            patches.append(Patch(county, ecosystem, pixels, layers))
    cube = run(patches, NO_RUNOFF).cube["quantity"].sum("ecosystem")
    water, soil = (
        cube.sel(indicator=f"{name}.{name}").to_series()
        for name in ("water_retention", "soil_retention")
    )
    return {
        "water_1e8m3": water[AS_IT_IS] / 1e8,
        "N_t": _load(areas, losses),
        "potential_1e4t": soil[BARE] / 1e4,
        "actual_1e4t": (soil[BARE] - soil[AS_IT_IS]) / 1e4,
        "retained_1e4t": soil[AS_IT_IS] / 1e4,
    }


def _load(areas: list[float], losses: list[float]) -> float:
    """Tonnes of nitrogen, added up over types; the formula is the paper's."""
    row: dict[str, Any] = {"service": "water_purification", "indicator": "total_nitrogen"}
    rows = [
        row | {"ecosystem": kind, "quantity": area * loss, "quantity_unit": "kg"}
        for kind, area, loss in zip(CLASSES, areas, losses, strict=True)
    ]
    found = gep.from_quantities(pd.DataFrame(rows), price_year=2018)
    return float(found.rows["quantity"].astype(float).sum())
