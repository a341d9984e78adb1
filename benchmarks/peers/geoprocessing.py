"""pygeoprocessing on the twelve quantities, or InVEST's annual water yield alone.

    python geoprocessing.py {pygeoprocessing | water_yield} FOLDER

By the Python of the environment that make_invest.sh makes; says the same as peer.py.
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pygeoprocessing
from formulas import INDICATORS, LAYERS, coefficients, quantity
from osgeo import gdal
from peer import cpu

gdal.UseExceptions()
logging.basicConfig(level=logging.ERROR)
NOTHING = -9999.0
AREA = 900.0
"""Of a pixel [m^2]: as people do, without the distortion of the map (1e-4 here)."""


def by_pygeoprocessing(folder: Path, place: Path) -> dict[str, list[float]]:
    """raster_calculator and zonal_statistics, once per indicator."""
    tables, polygons = coefficients(folder / "peers"), str(folder / "peers" / "counties.shp")
    found = {}
    for name, layers in INDICATORS.items():

        def amount(code: Any, *arrays: Any, name: str = name, layers: Any = layers) -> Any:
            values = {
                layer: array.astype(np.float32) * np.float32(LAYERS[layer])
                for layer, array in zip(layers, arrays, strict=True)
            }
            with np.errstate(all="ignore"):
                result = quantity(name, values.__getitem__, [t[code] for t in tables[name]])
            result = np.where((code == 0) | np.isnan(result), NOTHING, result)
            return result.astype(np.float32)

        paths = [(str(folder / "aligned" / f"{n}.tif"), 1) for n in ("ecosystem", *layers)]
        target = str(place / "amount.tif")
        pygeoprocessing.raster_calculator(
            paths, amount, target, gdal.GDT_Float32, NOTHING, calc_raster_stats=False
        )
        by = pygeoprocessing.zonal_statistics(
            (target, 1), polygons, polygons_might_overlap=False, working_dir=str(place)
        )
        found[name] = [float(by[number]["sum"]) * AREA for number in sorted(by)]
    return found


def water_yield(folder: Path, place: Path) -> dict[str, list[float]]:
    """One model, with no process beside it."""
    from natcap.invest import annual_water_yield

    aligned, peers = folder / "aligned", folder / "peers"
    rasters = {
        "lulc_path": "ecosystem",
        "depth_to_root_rest_layer_path": "soil_depth",
        "precipitation_path": "precipitation",
        "pawc_path": "available_water_share",
        "eto_path": "reference_evapotranspiration",
    }
    said: dict[str, Any] = {key: str(aligned / f"{name}.tif") for key, name in rasters.items()}
    said |= {"watersheds_path": str(peers / "counties.shp"), "sub_watersheds_path": ""}
    said |= {"biophysical_table_path": str(peers / "biophysical.csv"), "seasonality_constant": 9.0}
    said |= {"demand_table_path": "", "valuation_table_path": "", "results_suffix": ""}
    annual_water_yield.execute(said | {"workspace_dir": str(place), "n_workers": -1})
    raster = place / "output" / "per_pixel" / "wyield.tif"
    array = pygeoprocessing.raster_to_numpy_array(str(raster))
    nothing = pygeoprocessing.get_raster_info(str(raster))["nodata"][0]
    return {"water_yield": [float(array[array != nothing].sum(dtype=np.float64))]}


def main(name: str, folder: Path) -> None:
    """Run one of the two and say what came out."""
    way = {"pygeoprocessing": by_pygeoprocessing, "water_yield": water_yield}[name]
    with tempfile.TemporaryDirectory() as place:
        start, before = time.perf_counter(), cpu()
        sums = way(folder, Path(place))
        seconds, used = time.perf_counter() - start, cpu() - before
    versions = {"pygeoprocessing": pygeoprocessing.__version__, "GDAL": gdal.__version__}
    if name == "water_yield":
        from natcap import invest

        versions["InVEST"] = invest.__version__
    said = {"seconds": seconds, "cpu": used, "versions": versions, "sums": sums}
    sys.stdout.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
