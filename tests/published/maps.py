"""A tiny account whose counties and classes have areas that were said, in pixels of a hectare."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas
import numpy as np
import shapely
import small

import gep
from gep.ecosystems import ecosystems

WIDTH = 500


@dataclass(frozen=True)
class Patch:
    """Pixels of one county and class, and the values of the layers on them."""

    county: str
    ecosystem: str
    pixels: int
    layers: Mapping[str, float]


def run(
    patches: Sequence[Patch], overrides: str = "", change: Mapping[str, object] | None = None
) -> gep.Result:
    """Run the account of patches laid one after another, row by row.

    A county is what its patches cover, so patches of a county must stand together. `overrides`
    is the text of an override file.
    """
    codes, ends = {e.key: e.code for e in ecosystems().values()}, [0]
    ends += np.cumsum([patch.pixels for patch in patches]).tolist()
    size = -(-ends[-1] // WIDTH) * WIDTH
    names = dict.fromkeys(name for patch in patches for name in patch.layers)
    flat: dict[str, np.ndarray] = {name: np.full(size, np.nan) for name in names}
    cover = np.full(size, small.NODATA_CLASS, np.uint8)
    spans: dict[str, list[int]] = {}
    for patch, start, end in zip(patches, ends[:-1], ends[1:], strict=True):
        cover[start:end] = codes[patch.ecosystem]
        for name, value in patch.layers.items():
            flat[name][start:end] = value
        spans.setdefault(patch.county, [start, end])[1] = end
    grids = {name: values.reshape(-1, WIDTH) for name, values in flat.items()}
    tables = dict.fromkeys(small.TABLES)
    files = {"own.toml": overrides} if overrides else {}
    said = {"coefficients.overrides": "own.toml"} if overrides else {}
    with tempfile.TemporaryDirectory() as folder:
        path = small.write(
            Path(folder),
            ecosystem=cover.reshape(-1, WIDTH),
            rasters=dict.fromkeys(small.UNITS) | grids,
            polygons=_counties(spans),
            tables=tables,
            change=said | dict(change or {}),
            files=files,
        )
        return gep.open(path).run(threads=1)


def _counties(spans: Mapping[str, Sequence[int]]) -> geopandas.GeoDataFrame:
    shapes = [_run_of_pixels(*span) for span in spans.values()]
    city = {"city_code": ["360100"] * len(spans), "city_name": ["某市"] * len(spans)}
    columns = {"code": list(spans), "name": list(spans), **city}
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=small.CRS)


def _run_of_pixels(start: int, end: int) -> shapely.Geometry:
    """Polygon over the pixels from `start` to before `end`, counted row by row."""
    top, bottom = start // WIDTH, (end - 1) // WIDTH
    rows = [
        (top, top + 1, start % WIDTH, WIDTH if bottom > top else (end - 1) % WIDTH + 1),
        (top + 1, bottom, 0, WIDTH),
        (bottom, bottom + 1, 0, (end - 1) % WIDTH + 1),
    ]
    if bottom == top:
        rows = rows[:1]
    return shapely.union_all([small.box(*row) for row in rows if row[1] > row[0]])
