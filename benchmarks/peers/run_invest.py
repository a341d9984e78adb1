"""InVEST on prepared inputs, by the Python of the environment that make_invest.sh makes.

    python run_invest.py FOLDER POINTS

FOLDER holds the inputs of one landscape and settings.json; the results go to folders in it. POINTS
takes what InVEST's formulas give for made-up numbers, which the tests hold ours against. Last line
of the output: the versions, as JSON.
"""

import csv
import inspect
import itertools
import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy
import pygeoprocessing
from natcap import invest
from natcap.invest import annual_water_yield, carbon, sdr
from natcap.invest.annual_water_yield import annual_water_yield as water_formulas
from natcap.invest.sdr import sdr as sediment_formulas
from osgeo import gdal

gdal.UseExceptions()
logging.basicConfig(level=logging.ERROR)

POINT_COLUMNS = ("kc", "eto_mm", "rain_mm", "root_depth_mm", "soil_depth_mm", "pawc", "vegetated")
POINT_SEASONALITY, POINT_PIXEL, POINT_LONGEST = 12.0, 30.0, 10.0
"""Made up: Z; side of a pixel [m]; limit of L, low enough to be met."""

WATER_INPUTS = {
    "kc_raster": "out_nodata",
    "eto": "eto",
    "precip": "precip",
    "root_depth": "out_nodata",
    "depth_to_root_rest_layer": "depth_root",
    "pawc": "pawc",
    "veg": "out_nodata",
}
"""Intermediate rasters its formula takes, in its order, and its name for their missing value."""


def workspace(folder: Path, name: str) -> dict[str, object]:
    """What every model is told: one process, its own folder."""
    return {"workspace_dir": str(folder / name), "results_suffix": "", "n_workers": -1}


def water(folder: Path, seasonality: float) -> None:
    """Annual water yield."""
    rasters = {
        "lulc_path": "landuse.tif",
        "depth_to_root_rest_layer_path": "soil_depth.tif",
        "precipitation_path": "precipitation.tif",
        "pawc_path": "available_water_share.tif",
        "eto_path": "reference_evapotranspiration.tif",
        "watersheds_path": "watersheds.shp",
        "biophysical_table_path": "biophysical.csv",
    }
    paths = {name: str(folder / file) for name, file in rasters.items()}
    unused = {"sub_watersheds_path": "", "demand_table_path": "", "valuation_table_path": ""}
    settings = {**workspace(folder, "water"), **paths, **unused}
    annual_water_yield.execute({**settings, "seasonality_constant": seasonality})


def sediment(folder: Path, routing: str, settings: dict[str, float]) -> None:
    """Sediment delivery ratio with one kind of routing: D8, or MFD, which is InVEST's default."""
    rasters = {
        "dem_path": "elevation.tif",
        "erosivity_path": "erosivity.tif",
        "erodibility_path": "erodibility.tif",
        "lulc_path": "landuse.tif",
        "watersheds_path": "watersheds.shp",
        "biophysical_table_path": "biophysical.csv",
    }
    paths = {name: str(folder / file) for name, file in rasters.items()}
    where = workspace(folder, f"sediment_{routing.lower()}")
    sdr.execute({**where, **paths, **settings, "flow_dir_algorithm": routing, "drainage_path": ""})


def in_double(room: object, name: str) -> Callable[..., object]:
    """One of InVEST's functions with its only array of single precision made double."""
    single, double = "dtype=numpy.float32", "dtype=numpy.float64"
    source = inspect.getsource(getattr(room, name))
    if source.count(single) != 1:
        raise ValueError(f"{name} is not as it was in the version this was written for")
    names = dict(vars(room))
    exec(compile(source.replace(single, double), name, "exec"), names)
    function: Callable[..., object] = names[name]
    return function


def water_in_double(folder: Path, seasonality: float) -> None:
    """The formula of annual water yield on InVEST's own rasters, all in double precision."""
    inner = folder / "water" / "intermediate"
    arrays, nothing = [], {"out_nodata": -1}
    for name, key in WATER_INPUTS.items():
        path = str(inner / f"{name}.tif")
        arrays.append(pygeoprocessing.raster_to_numpy_array(path).astype(numpy.float64))
        nothing[key] = pygeoprocessing.get_raster_info(path)["nodata"][0]
    share = in_double(water_formulas, "fractp_op")(*arrays, nothing, seasonality)
    info = pygeoprocessing.get_raster_info(str(inner / "precip.tif"))
    pygeoprocessing.numpy_array_to_raster(
        share,
        -1,
        info["pixel_size"],
        (info["geotransform"][0], info["geotransform"][3]),
        info["projection_wkt"],
        str(folder / "water" / "share_double.tif"),
    )


def slope_factor_in_double(folder: Path, routing: str, longest: float) -> None:
    """The formula of LS on InVEST's own slope and accumulation, all in double precision."""
    place = folder / f"sediment_{routing.lower()}"
    copies = []
    for name in ("flow_accumulation", "slope"):
        source = str(place / "intermediate_outputs" / f"{name}.tif")
        copies.append(str(place / f"{name}_double.tif"))
        gdal.Translate(copies[-1], source, outputType=gdal.GDT_Float64)
    formula = in_double(sediment_formulas, "_calculate_ls_factor")
    formula(*copies, longest, str(place / "ls_double.tif"))


def stocks(folder: Path) -> None:
    """Carbon: stocks of two maps and their change, without money."""
    paths = {
        "lulc_bas_path": str(folder / "landuse.tif"),
        "lulc_alt_path": str(folder / "landuse_changed.tif"),
        "carbon_pools_path": str(folder / "carbon_pools.csv"),
    }
    asked = {"calc_sequestration": True, "do_valuation": False}
    carbon.execute({**workspace(folder, "carbon"), **paths, **asked})


def points(folder: Path) -> None:
    """Write what the two formulas give, all in double precision, for made-up numbers."""
    kinds = ((0.2, 1.1), (500.0, 1300.0), (300.0, 900.0, 1800.0), (150.0, 2000.0), (900.0,))
    rows = numpy.array(list(itertools.product(*kinds, (0.08, 0.25), (0.0, 1.0))))
    nothing = {"out_nodata": -1, **dict.fromkeys(("eto", "precip", "depth_root", "pawc"))}
    share = in_double(water_formulas, "fractp_op")(*rows.T, nothing, POINT_SEASONALITY)
    head = [*POINT_COLUMNS, f"share_at_seasonality_{POINT_SEASONALITY:g}"]
    save(folder / "invest_water_points.csv", head, numpy.column_stack([rows, share]).tolist())
    limits = numpy.array([1.0, 3.5, 5.0, 9.0])
    beside = (limits - 0.01, limits + 0.01)
    slopes = numpy.concatenate([*beside, numpy.array([0.1, 2.0, 7.0, 12.0, 30.0, 80.0])])
    counts = numpy.array([1.0, 5.0, 400.0, 1e6])
    slope, count = numpy.meshgrid(slopes, counts)
    with tempfile.TemporaryDirectory() as place:
        paths = [str(Path(place) / f"{name}.tif") for name in ("count", "slope", "ls")]
        for path, array in zip(paths, (count, slope), strict=False):
            size = (POINT_PIXEL, -POINT_PIXEL)
            pygeoprocessing.numpy_array_to_raster(array, -1, size, (0, 0), None, path)
        in_double(sediment_formulas, "_calculate_ls_factor")(*paths[:2], POINT_LONGEST, paths[2])
        factor = pygeoprocessing.raster_to_numpy_array(paths[2])
    head = ["slope_percent", "pixels_with_own", f"ls_at_{POINT_PIXEL:g}_m_cut_at_{POINT_LONGEST:g}"]
    columns = (array.ravel() for array in (slope, count, factor))
    save(folder / "invest_slope_points.csv", head, numpy.column_stack([*columns]).tolist())


def save(path: Path, head: list[str], rows: Iterable[list[float]]) -> None:
    """One table of points."""
    with path.open("w", encoding="utf8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([head, *rows])


def main(folder: Path, tables: Path) -> None:
    """Every model the inputs suffice for."""
    points(tables)
    settings = json.loads((folder / "settings.json").read_text("utf8"))
    water(folder, settings["seasonality"])
    water_in_double(folder, settings["seasonality"])
    for routing in settings["routings"]:
        sediment(folder, routing, settings["sediment"])
        slope_factor_in_double(folder, routing, settings["sediment"]["l_max"])
    if (folder / "carbon_pools.csv").exists():
        stocks(folder)
    libraries = {"InVEST": invest, "pygeoprocessing": pygeoprocessing, "numpy": numpy}
    versions = {name: library.__version__ for name, library in libraries.items()}
    sys.stdout.write(json.dumps({**versions, "GDAL": gdal.__version__}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
