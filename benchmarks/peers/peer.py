"""One other way to the same twelve sums per county, in an environment of its own.

    python peer.py NAME FOLDER

FOLDER is a province with its `peers`. The last line of the output is JSON: seconds from the first
file opened to the sums, CPU time, largest resident memory [MB], versions, and the sums by indicator
and county. NAME: numpy, blocks, dask, exactextract, rasterstats; the last two only sum one layer by
polygon, which is what they are for.
"""

import importlib.metadata
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from formulas import INDICATORS, LAYERS, ZONAL_LAYER, coefficients, quantity

BLOCK, CHUNK, WORKERS = 512, 2048, 2
PRECISE = "float32"


class Inputs:
    """Files and tables of a province."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coefficients = coefficients(folder / "peers")
        with np.load(folder / "peers" / "areas.npz") as areas:
            self.rows, self.columns = areas["rows"], areas["columns"]
            self.zones = int(areas["counties"]) + 1

    def path(self, name: str) -> Path:
        """File of a layer."""
        return self.folder / ("peers" if name == "zones" else "aligned") / f"{name}.tif"


def sums(data: Inputs, read: Callable[[str], Any], rows: Any, columns: Any) -> Any:
    """Sums by indicator and county, of the arrays that *read* gives; the first is outside."""
    code, zones = read("ecosystem"), read("zones").ravel()
    arrays: dict[str, Any] = {}

    def value(name: str) -> Any:
        if name not in arrays:
            arrays[name] = read(name).astype(PRECISE) * np.float32(LAYERS[name])
        return arrays[name]

    area = rows[:, None].astype(PRECISE) * columns.astype(PRECISE)
    found = []
    for name in INDICATORS:
        amount = quantity(name, value, [table[code] for table in data.coefficients[name]]) * area
        weights = np.nan_to_num(amount, copy=False, nan=0.0).ravel()
        found.append(np.bincount(zones, weights=weights, minlength=data.zones))
    return np.stack(found)


def by_numpy(data: Inputs) -> Any:
    """Whole arrays."""
    import rasterio

    def read(name: str) -> Any:
        with rasterio.open(data.path(name)) as file:
            return file.read(1)

    return sums(data, read, data.rows, data.columns)


def by_blocks(data: Inputs) -> Any:
    """The tiles of the files, one after another."""
    import rasterio
    from rasterio.windows import Window

    names = ("ecosystem", "zones", *LAYERS)
    files = {name: rasterio.open(data.path(name)) for name in names}
    total, side = np.zeros((len(INDICATORS), data.zones)), files["zones"].width
    for top in range(0, side, BLOCK):
        for left in range(0, side, BLOCK):
            window = Window(left, top, min(BLOCK, side - left), min(BLOCK, side - top))
            rows = data.rows[top : top + BLOCK]
            columns = data.columns[left : left + BLOCK]
            total += sums(data, lambda name, w=window: files[name].read(1, window=w), rows, columns)
    return total


def by_dask(data: Inputs) -> Any:
    """xarray and dask in chunks, grouped by flox."""
    import dask
    import dask.array as da
    import flox
    import rioxarray

    def read(name: str) -> Any:
        chunks = (1, CHUNK, CHUNK)
        return rioxarray.open_rasterio(data.path(name), chunks=chunks, lock=False)[0].data

    code, zones = read("ecosystem"), read("zones")
    rows = da.from_array(data.rows.astype(PRECISE), chunks=CHUNK)[:, None]
    area = rows * da.from_array(data.columns.astype(PRECISE), chunks=CHUNK)
    arrays = {name: read(name).astype(PRECISE) * np.float32(s) for name, s in LAYERS.items()}
    found = []
    for name in INDICATORS:
        tables = [
            code.map_blocks(lambda a, t: t[a], t, dtype=PRECISE) for t in data.coefficients[name]
        ]
        amount = (quantity(name, arrays.__getitem__, tables) * area).astype(np.float64)
        by = flox.groupby_reduce(
            amount, zones, func="nansum", expected_groups=np.arange(data.zones), fill_value=0
        )
        found.append(by[0])
    with dask.config.set(scheduler="threads", num_workers=WORKERS):
        return np.stack([np.asarray(one).ravel() for one in dask.compute(*found)])


def by_exactextract(data: Inputs) -> Any:
    """Zonal sum of one layer, pixels weighted by the share a polygon covers."""
    import exactextract
    import geopandas

    frame = geopandas.read_file(data.folder / "peers" / "counties.shp")
    found = exactextract.exact_extract(data.path(ZONAL_LAYER), frame, ["sum"], output="pandas")
    return np.concatenate([[0.0], found["sum"]])[None]


def by_rasterstats(data: Inputs) -> Any:
    """Zonal sum of one layer, of pixels whose centre a polygon holds."""
    import rasterstats

    polygons = str(data.folder / "peers" / "counties.shp")
    found = rasterstats.zonal_stats(polygons, str(data.path(ZONAL_LAYER)), stats=["sum"])
    return np.array([0.0, *(row["sum"] or 0.0 for row in found)])[None]


WAYS: dict[str, tuple[Callable[[Inputs], Any], tuple[str, ...]]] = {
    "numpy": (by_numpy, ("numpy", "rasterio")),
    "blocks": (by_blocks, ("numpy", "rasterio")),
    "dask": (by_dask, ("xarray", "rioxarray", "dask", "flox")),
    "exactextract": (by_exactextract, ("exactextract",)),
    "rasterstats": (by_rasterstats, ("rasterstats",)),
}
"""Way, and the libraries it stands on. The latter two are zonal."""


def cpu() -> float:
    """CPU time of this process [s]."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def main(name: str, folder: Path) -> None:
    """Run one way and say what came out."""
    way, libraries = WAYS[name]
    data = Inputs(folder)
    start, before = time.perf_counter(), cpu()
    with np.errstate(all="ignore"):
        found = way(data)
    said = {
        "seconds": time.perf_counter() - start,
        "cpu": cpu() - before,
        "versions": {one: importlib.metadata.version(one) for one in libraries},
    }
    names = list(INDICATORS) if len(found) > 1 else [ZONAL_LAYER]
    said["sums"] = {one: row[1:].tolist() for one, row in zip(names, found, strict=True)}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
