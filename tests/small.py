"""A tiny account for tests: 40 x 50 pixels of one hectare, three counties, every layer and table.

`write(folder)` makes it; the keywords replace parts of it. Everything is plain arithmetic of row
and column, so that what must come out can be worked out by hand (or with numpy, without gep).
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyproj
import rasterio
import shapely
from rasterio.transform import from_origin

ROWS, COLUMNS = 40, 50
PIXEL = 100.0
"""Metres: a pixel is one hectare."""
WEST, NORTH = 11_200_000.0, 3_320_000.0
CRS = "EPSG:6933"
"""Equal area on WGS 84; the grid lies in Jiangxi."""
CODES = ("360101", "360102", "360103")
NAMES = ("东县", "西县", "南县")
BOXES = {"360101": (0, 40, 0, 20), "360102": (0, 20, 20, 45), "360103": (20, 40, 20, 45)}
"""First row, end row, first column, end column of every county; columns 45 to 49 are outside."""
HOLE = (18, 22, 28, 33)
"""Rows and columns cut out of counties 2 and 3 with `hole=True`: unallocated."""
CLASSES = (11, 13, 16, 21, 33, 41, 51, 52, 61, 47)
"""Codes of the legend `gep`, in patches of 4 rows by 5 columns."""
NODATA_CLASS = 255
NODATA = -9999.0
UNITS = {
    "precipitation": "mm/year",
    "evapotranspiration": "mm/year",
    "erosivity": "MJ*mm/(ha*h*year)",
    "erodibility": "t*ha*h/(ha*MJ*mm)",
    "slope_factor": "1",
    "cover_factor": "1",
    "support_factor": "1",
    "net_ecosystem_production": "gC/(m^2*year)",
    "net_primary_production": "gC/(m^2*year)",
}
EMISSIONS = """\
county_code,so2(t),nox(t),dust(t)
360101,5,100,1000
360102,1000,0.25,20
360103,12.5,1000,0
"""
PRODUCTS = """\
county_code,group,product,quantity,unit,price(元),value(元)
360101,agriculture,稻谷,12000,t,2800,
360102,agriculture,稻谷,8000.5,t,2750,
360103,agriculture,稻谷,500,t,2900,
360101,agriculture,茶叶,40,t,60000,
360103,agriculture,蔬菜,,,,1234567.89
360101,forestry,木材,1000,m^3,900,
360102,forestry,木材,0,m^3,900,
360103,forestry,木材,0,m^3,900,
"""
TABLES = {"emissions": EMISSIONS, "products": PRODUCTS}


def classes() -> np.ndarray:
    """Ecosystem codes, shape (rows, columns)."""
    row, column = np.indices((ROWS, COLUMNS))
    return np.array(CLASSES, np.uint8)[(row // 4 + column // 5) % len(CLASSES)]


def arrays() -> dict[str, np.ndarray]:
    """Every layer but the ecosystems, by name; float32 as stored."""
    row, column = np.indices((ROWS, COLUMNS)).astype(float)
    layers = {
        "precipitation": 1600 + 2 * row,
        "evapotranspiration": 700 + column,
        "erosivity": 8000 + 10 * column,
        "erodibility": 0.014 + 0 * row,
        "slope_factor": 3 + row / 16,
        "cover_factor": 0.02 + column / 1000,
        "support_factor": 1 - row / 80,
        "net_ecosystem_production": 220 + row - 2 * column,
        "net_primary_production": 600 + column - row,
    }
    return {name: layer.astype(np.float32) for name, layer in layers.items()}


def places() -> np.ndarray:
    """Number of the county every pixel belongs to, -1 outside; without the hole."""
    found = np.full((ROWS, COLUMNS), -1)
    for number, (top, bottom, left, right) in enumerate(BOXES.values()):
        found[top:bottom, left:right] = number
    return found


def box(top: float, bottom: float, left: float, right: float) -> shapely.Polygon:
    """Polygon over rows and columns of the grid."""
    west, east = WEST + PIXEL * left, WEST + PIXEL * right
    return shapely.box(west, NORTH - PIXEL * bottom, east, NORTH - PIXEL * top)


def sides() -> tuple[np.ndarray, np.ndarray]:
    """True height and width of the pixels of each row of the small grid, by hand [m].

    EPSG:6933 is the cylinder on the parallel of 30 degrees: parallels are stretched by the ratio
    of their radii, meridians squeezed by it.
    """
    back = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    north = NORTH - PIXEL * (np.arange(ROWS) + 0.5)
    latitude = np.radians(back.transform(np.full(ROWS, WEST), north)[1])
    e2 = 0.00669437999014

    def radius(angle: np.ndarray | float) -> np.ndarray | float:
        return np.cos(angle) / np.sqrt(1 - e2 * np.sin(angle) ** 2)

    stretch = radius(math.radians(30)) / radius(latitude)
    return PIXEL * stretch, PIXEL / stretch


def counties(hole: bool = False, crs: str = CRS) -> geopandas.GeoDataFrame:
    """Polygons of the three counties with `code`, `name`, `city_code`, `city_name`."""
    cut = box(*HOLE) if hole else shapely.Polygon()
    shapes = [box(*BOXES[code]).difference(cut) for code in CODES]
    cities = {"city_code": ["360100"] * 3, "city_name": ["某市"] * 3}
    columns = {"code": list(CODES), "name": list(NAMES), **cities}
    return geopandas.GeoDataFrame(columns, geometry=shapes, crs=CRS).to_crs(crs)


def write_raster(
    path: Path,
    array: np.ndarray,
    *,
    nodata: float | None = None,
    crs: str | None = CRS,
    **more: Any,
) -> Path:
    """Write a north-up GeoTIFF; `transform` and profile keywords may be replaced."""
    height, width = array.shape
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": 1,
        "dtype": array.dtype,
        "crs": crs,
        "transform": from_origin(WEST, NORTH, PIXEL, PIXEL),
        "nodata": nodata,
    }
    with rasterio.open(path, "w", **profile | more) as file:
        file.write(array, 1)
    return path


def toml(tables: Mapping[str, Any], head: str = "") -> str:
    """Plain nested dictionaries as TOML."""
    lines = [f"{key} = {_literal(v)}" for key, v in tables.items() if not isinstance(v, Mapping)]
    text = f"[{head}]\n" + "\n".join(lines) + "\n\n" if lines else ""
    for key, inner in tables.items():
        if isinstance(inner, Mapping):
            text += toml(inner, f"{head}.{key}" if head else key)
    return text


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def settings() -> dict[str, Any]:
    """Content of gep.toml as nested dictionaries."""
    rasters: dict[str, Any] = {"ecosystem": {"file": "ecosystem.tif", "legend": "gep"}}
    rasters |= {name: {"file": f"{name}.tif", "unit": unit} for name, unit in UNITS.items()}
    cities = {"city_code": "city_code", "city_name": "city_name"}
    return {
        "account": {"name": "小账户", "year": 2021, "profile": "jiangxi-2021"},
        "counties": {"file": "counties.gpkg", "code": "code", "name": "name", **cities},
        "rasters": rasters,
        "statistics": {name: {"file": f"{name}.csv"} for name in TABLES},
    }


def write(
    folder: Path,
    *,
    ecosystem: np.ndarray | None = None,
    rasters: Mapping[str, np.ndarray | None] | None = None,
    polygons: geopandas.GeoDataFrame | None = None,
    hole: bool = False,
    tables: Mapping[str, str | None] | None = None,
    change: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
) -> Path:
    """Write the account into *folder* and return its gep.toml.

    Parameters
    ----------
    ecosystem : array, optional
        Class codes instead of `classes()`.
    rasters : mapping, optional
        Arrays instead of those of `arrays()` (NaN becomes nodata); None leaves a layer out.
    polygons : GeoDataFrame, optional
        Counties instead of `counties(hole)`.
    hole : bool
        Cut an unallocated hole into two of the counties (gives W402).
    tables : mapping, optional
        Texts instead of the statistics tables; None leaves one out.
    change : mapping, optional
        Dotted keys of gep.toml and their new values, as ``{"account.year": 2020,
        "rasters.precipitation.unit": None}``; None takes the key out.
    files : mapping, optional
        Further text files by name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = settings()
    codes = classes() if ecosystem is None else ecosystem
    write_raster(folder / "ecosystem.tif", codes, nodata=NODATA_CLASS)
    for name, array in (arrays() | dict(rasters or {})).items():
        if array is None:
            del said["rasters"][name]
            continue
        stored = np.where(np.isnan(array), NODATA, array).astype(np.float32)
        write_raster(folder / f"{name}.tif", stored, nodata=NODATA)
    shapes = counties(hole) if polygons is None else polygons
    shapes.to_file(folder / "counties.gpkg", layer="counties", engine="pyogrio")
    for name, text in (TABLES | dict(tables or {})).items():
        if text is None:
            del said["statistics"][name]
        else:
            (folder / f"{name}.csv").write_text(text, "utf8")
            said["statistics"].setdefault(name, {"file": f"{name}.csv"})
    for name, text in (files or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf8")
    for dotted, value in (change or {}).items():
        _set(said, dotted.split("."), value)
    path = folder / "gep.toml"
    path.write_text(toml(said), "utf8")
    return path


def _set(tables: dict[str, Any], keys: list[str], value: Any) -> None:
    *heads, last = keys
    for head in heads:
        tables = tables.setdefault(head, {})
    if value is None:
        tables.pop(last, None)
    else:
        tables[last] = value
