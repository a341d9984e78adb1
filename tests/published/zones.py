"""Zonal sums of exactextract on a map of half pixels, where the edges of its boxes are edges too.

isciences/exactextract, python/tests/test_exact_extract.py and test/test_stats.cpp. Ours: a pixel
belongs to a county by its centre; sums, areas, areas by class, what is missing. Not ours: a pixel
in part, and statistics that are no sums. A value enters as rain above what evaporates, a weight as
well; a case pixel is 4 ha, a quarter of it one of ours.
"""

import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import small

import gep
from gep.ecosystems import ecosystems
from published.case import Said
from published.xichuan import CLASSES, NO_RUNOFF, OUTSIDE

WIDTH = 20
"""Columns of the map, in half pixels."""


@dataclass(frozen=True)
class Zone:
    """A box on a small raster: its edges from the lower left corner, west south east north."""

    numbers: np.ndarray
    box: Sequence[float]
    classes: np.ndarray | None = None


def zonal_statistics(said: Said) -> dict[str, float]:
    """Counts, sums and means, shares of classes, and sums over what is not missing."""
    inputs = said["inputs"]
    names = ("values", "box", "small_box", "classes", "weights", "values_5x5_with_nodata")
    return _found(json.dumps({name: inputs[name] for name in names}))


@lru_cache(64)
def _found(text: str) -> dict[str, float]:
    inputs = json.loads(text)
    values, box = np.array(inputs["values"], float), inputs["box"]
    classes = np.array(inputs["classes"]).round().astype(int)
    holed = np.arange(1.0, 101.0).reshape(10, 10)
    holed[6:, :4] = np.nan
    centre = np.array(inputs["values_5x5_with_nodata"], float)
    zones = {
        "whole": Zone(values, box, classes),
        "small": Zone(values, inputs["small_box"]),
        "weights": Zone(np.array(inputs["weights"], float), box, classes),
        "nodata": Zone(holed, (3.5, 3.5, 4.5, 4.5)),
        "cpp": Zone(centre, (1.5, 1.5, 3.5, 3.5)),  # its raster begins at -1
    }
    made = dict(zip(zones, _accounted(list(zones.values())), strict=True))
    count, known, total = (made["whole"][name] for name in ("area", "known", "sum"))
    found = {"count": count, "sum": total, "mean": total / known}
    for name in ("small", "nodata", "cpp"):
        one = made[name]
        found |= {f"{name}.sum": one["sum"], f"{name}.mean": one["sum"] / one["known"]}
    found |= {"small.count": made["small"]["area"], "cpp.count": made["cpp"]["known"]}
    for code in (1, 2, 3):
        found[f"frac.{code}"] = made["whole"][f"area {code}"] / count
        found[f"weighted_frac.{code}"] = made["weights"][f"sum {code}"] / made["weights"]["sum"]
    del found["small.sum"]  # the case does not ask for it
    return found


def _accounted(zones: list[Zone]) -> list[dict[str, float]]:
    """Area, area with a value and sum of every zone in pixels of the case, also by class."""
    heights = [2 * len(zone.numbers) for zone in zones]
    tops = np.cumsum([0, *heights])
    shape = (int(tops[-1]), WIDTH)
    rain, kinds = np.full(shape, OUTSIDE), np.ones(shape, int)
    shapes = []
    for zone, top in zip(zones, tops[:-1], strict=True):
        rows, columns = (2 * size for size in zone.numbers.shape)
        at = slice(top, top + rows), slice(0, columns)
        rain[at] = OUTSIDE + zone.numbers.repeat(2, 0).repeat(2, 1)
        if zone.classes is not None:
            kinds[at] = zone.classes.repeat(2, 0).repeat(2, 1)
        west, south, east, north = (2 * edge for edge in zone.box)
        shapes.append(small.box(top + rows - north, top + rows - south, west, east))
    codes = np.array([0, *(ecosystems()[name].code for name in CLASSES[:3])], np.uint8)
    counties = [f"36010{n}" for n in range(1, len(zones) + 1)]
    result = _run(codes[kinds], rain, geopandas.GeoDataFrame(
        {"code": counties, "name": counties, "city_code": "360100", "city_name": "某市"},
        geometry=shapes, crs=small.CRS,
    ))  # fmt: skip
    return [_of_county(result, county) for county in counties]


def _run(ecosystem: np.ndarray, rain: np.ndarray, polygons: Any) -> gep.Result:
    """Water of an account without runoff: the rain that does not evaporate."""
    layers = {"precipitation": rain, "evapotranspiration": np.full(rain.shape, OUTSIDE)}
    with tempfile.TemporaryDirectory() as folder:
        path = small.write(
            Path(folder),
            ecosystem=ecosystem,
            rasters=dict.fromkeys(small.UNITS) | layers,
            polygons=polygons,
            tables=dict.fromkeys(small.TABLES),
            change={"coefficients.overrides": "own.toml", "accept.E305": "missing on purpose"},
            files={"own.toml": NO_RUNOFF},
        )
        return gep.open(path).run(threads=1)


def _of_county(result: gep.Result, county: str) -> dict[str, float]:
    """Numbers of one county; 1 mm on 4 ha is 40 m3."""
    files = result.files()
    extent, rows = (
        pd.read_csv(io.BytesIO(files[name]), dtype={"county_code": str})
        for name in ("extent.csv", "accounts.csv")
    )
    area = extent[extent["county_code"] == county].set_index("ecosystem")["area_km2"] / 0.04
    own = rows[(rows["county_code"] == county) & (rows["indicator"] == "water_retention")]
    amount = own.set_index("ecosystem")["quantity"] / 40
    found = {"area": area.sum(), "sum": amount.sum()}
    found["known"] = found["area"] * own["coverage"].iloc[0]
    for code, name in enumerate(CLASSES[:3], 1):
        found |= {f"area {code}": area.get(name, 0.0), f"sum {code}": amount.get(name, 0.0)}
    return {name: float(number) for name, number in found.items()}
