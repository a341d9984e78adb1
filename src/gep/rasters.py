"""Raster files: open, check, align to the account grid, stage tiles as float32 with NaN."""

import math
import os
import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray
from pyproj.transformer import AreaOfInterest, TransformerGroup
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window as Window  # tiles; other rooms get it from here

from gep.checksums import Checksums, checksums
from gep.config import RasterSection
from gep.decoding import Tiles, refused_by_gdal, tiles_of
from gep.errors import InputError, Problem, UnitError
from gep.fuse import routine
from gep.layers import of_classes
from gep.resampling import FINER, Box, Lately, Method, Native, Own, straight, way
from gep.room import Room, fresh
from gep.segments import CHUNK, gather
from gep.sidecars import unread
from gep.units import factor

if TYPE_CHECKING:
    from affine import Affine

SAFE = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "TRUE",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_GEOREF_SOURCES": "INTERNAL",  # nothing beside a file says where it lies: no digest has it
}
os.environ.setdefault("GDAL_CACHEMAX", "64")  # [MB]; every block is read once, by its own tile
SAME_DATUM = (
    *("World Geodetic System 1984", "WGS 84", "WGS_1984", "China 2000", "China_2000", "CGCS2000"),
    *("China Geodetic Coordinate System 2000", "International Terrestrial Reference", "ITRF"),
)
SILENCE = threading.Lock()
"""Held while a warning is silenced: Python does that for all threads, and undoes it for all."""
SNAP = 1e-6
"""Grids closer than this share of a pixel are one grid."""
FINEST = 0.01
"""No account has pixels smaller than this [m]: degrees were taken for metres."""
SEPARABLE = 1e-5
"""Largest error, relative, of taking areal distortion as row factor times column factor."""
KNOTS, SUPPORT = 50_000.0, 6
"""The stretch of a projection is known every so many metres, and taken between so many nodes."""
FINEST_BENT = {"bilinear": FINER, "conserved": 0.5, "average": 0.0}
"""Own pixels to the side of an account pixel from which on a layer in another system is refused."""
FLOAT_FILLS = (-99999, -32768, -9999, -999, 32767, 65535)
"""Stored numbers of float layers that are fill values more often than measurements."""
STRIP = 0.1
"""Share of its tiles that a strip of a whole layer has at least, which is read but once."""
EXACT = 1e-9
"""Largest error, relative, of a side of a pixel: sides that differ by less are one."""


@dataclass(frozen=True)
class Grid:
    """The account grid: where its pixels are and how large they really are."""

    crs: pyproj.CRS
    transform: "Affine"
    height: int
    width: int
    row_areas: NDArray[np.float64] = field(repr=False)
    column_factors: NDArray[np.float64] = field(repr=False)

    @property
    def pixel(self) -> float:
        """Side of a pixel in metres, at the middle of the grid."""
        return math.sqrt(float(self.row_areas[self.height // 2]))


@dataclass(frozen=True)
class Layer:
    """One raster file as the engine reads it: value = stored × scale + offset, in *unit*.

    Of amounts per pixel what is stored is divided by m^2 first. `pixel` says how large its own are.
    """

    name: str
    path: Path
    section: RasterSection
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    unit: str
    pixel: str = ""


def open_file(path: Path, name: str = "ecosystem") -> rasterio.DatasetReader:
    """Open a GeoTIFF and nothing else.

    Raises
    ------
    InputError
        E004 if there is no such file, E101 if it is not a readable GeoTIFF.
    """
    if not path.is_file():
        raise InputError(Problem("E004", {"at": f"rasters.{name}", "file": path}))
    try:
        with SILENCE, rasterio.Env(**SAFE), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said as E201, E205, E208
            return rasterio.open(path, driver="GTiff")
    except RasterioError as error:
        raise refused_by_gdal(path, error, (1, 1)) from None


def inspect(
    name: str, section: RasterSection, path: Path, unit: str
) -> tuple[Layer, list[Problem]]:
    """Layer in the file *path* and what is wrong with how it is declared.

    *unit* is the unit the services need; "" for the ecosystem layer, whose numbers are codes.
    """
    problems = []
    with open_file(path, name) as file:
        if section.band > file.count:
            fields = {"file": path, "band": section.band, "count": file.count}
            raise InputError(Problem("E107", fields))
        if file.count > 1 and "band" not in section.model_fields_set:
            problems.append(Problem("E108", {"name": name, "file": path, "count": file.count}))
        band = section.band - 1
        flags = file.mask_flag_enums[band]
        if MaskFlags.per_dataset in flags or MaskFlags.alpha in flags:
            problems.append(Problem("E109", {"name": name, "file": path}))
        if file.crs is None:
            problems.append(Problem("E201", {"file": path}))
        if lossy := _lossy(file):
            problems.append(Problem("E104", {"file": path, "compression": lossy}))
        if _truncated(path, file):
            problems.append(Problem("E102", {"file": path}))
        elif file.nodatavals[band] is None and (absent := _sparse(file, section.band)):
            fields = {"file": path, "tiles": absent[0], "whole": absent[1]}
            problems.append(Problem("E103", fields))
        stored = {"scale": file.scales[band], "offset": file.offsets[band]}
        inside = stored | {"nodata": file.nodatavals[band]}
        problems += unread(name, section, path, section.band, inside)
        plain = {"scale": 1.0, "offset": 0.0}
        used = {}
        for key, default in plain.items():
            declared = getattr(section, key)
            if declared is not None and stored[key] not in (default, declared):
                fields = {"file": path, "key": key, "stored": stored[key], "declared": declared}
                problems.append(Problem("E303", fields))
            used[key] = float(stored[key] if declared is None else declared)
        declared_unit = section.unit or file.units[band] or ""
        if section.unit and file.units[band] and _differ(section.unit, file.units[band]):
            fields = {"file": path, "key": "unit"}
            fields |= {"stored": file.units[band], "declared": section.unit}
            problems.append(Problem("E303", fields))
        nodata, dtype = file.nodatavals[band], file.dtypes[band]
        pixel = _pixel(file)
    times = 1.0
    if unit:
        if not declared_unit:
            problems.append(Problem("E302", {"name": name, "file": path, "unit": unit}))
        else:
            where = f"rasters.{name}" + (".unit" if section.unit else f": {path.name}")
            if section.kind == "extensive":
                times, wrong = _per_area(name, path, declared_unit, unit, where)
                problems += wrong
            else:
                times = factor(declared_unit, unit, where)
    problems += _at_odds(name, section, path, used["offset"])
    scale, offset = used["scale"] * times, used["offset"] * times
    return Layer(name, path, section, dtype, nodata, scale, offset, unit, pixel), problems


def side(layer: Layer, target: Grid) -> float:
    """Side of the own pixels of a layer, the shorter one, where the account is [m]."""
    with open_file(layer.path, layer.name) as file:
        return target.pixel / way(own_grid(file), target, "nearest").density[0]


def _pixel(file: rasterio.DatasetReader) -> str:
    """Size of the pixels of a file, width and height."""
    t, unit, times = file.transform, "", 1.0
    if file.crs is not None and file.crs.is_projected:
        unit, times = " m", file.crs.linear_units_factor[1]
    elif file.crs is not None and file.crs.is_geographic:
        unit = "°"
    sides = math.hypot(t.a, t.d) * times, math.hypot(t.b, t.e) * times
    return " × ".join(f"{side:.6g}{unit}" for side in sides)


def _per_area(
    name: str, path: Path, have: str, want: str, where: str
) -> tuple[float, list[Problem]]:
    """Factor from amounts per m^2 of pixel to a density; E206 if they are not of its kind."""
    factor(have, have, where)  # a unit nobody knows is said as it was written
    try:
        return factor(f"({have})/m^2", want, where), []
    except UnitError:
        fields = {"name": name, "file": path, "have": have, "want": want}
        return 1.0, [Problem("E206", fields)]


def _at_odds(name: str, section: RasterSection, path: Path, offset: float) -> list[Problem]:
    """Keys of a section that contradict each other, or the layer: E213, E214, E826."""
    how, extensive = section.resampling, section.kind == "extensive"
    fields: dict[str, object] = {"name": name, "file": path}
    if of_classes(name) and (extensive or how not in (None, "nearest")):
        return [Problem("E826", fields | {"resampling": how or "conserved"})]
    if extensive and offset:
        return [Problem("E214", fields | {"offset": f"{offset:g}"})]
    if how is None or extensive == (how == "conserved"):
        return []
    right = "conserved" if extensive else "bilinear"
    fields |= {"kind": section.kind, "resampling": how, "right": right}
    return [Problem("E213", fields)]


def inspect_series(
    name: str, section: RasterSection, path: Path, unit: str, steps: int
) -> tuple[Layer, list[Problem]]:
    """Layer of the first of *steps* bands of a file, all read alike, and what is wrong with them.

    Raises
    ------
    InputError
        E804 the file has another number of bands.
    """
    with open_file(path, name) as file:
        if file.count != steps:
            fields = {"name": name, "file": path, "count": file.count, "steps": steps}
            raise InputError(Problem("E804", fields))
        kept = (file.nodatavals, file.scales, file.offsets, file.units, file.dtypes)
        other = [n + 1 for n in range(steps) if any(str(k[n]) != str(k[0]) for k in kept)]
        absent = [n for n in range(2, steps + 1) if file.nodatavals[0] is None and _sparse(file, n)]
        keys = ("nodata", "scale", "offset")
        beside = [
            unread(name, section, path, n, dict(zip(keys, inside, strict=True)))
            for n, inside in enumerate(zip(*kept[:3], strict=True), 1)
        ]
    first = section.model_copy(update={"band": 1})
    layer, problems = inspect(name, first, path, unit)
    problems = [problem for problem in problems if problem.code != "E108"]
    problems += [] if beside[0] else next(filter(None, beside), [])  # band 1 was inspected
    if other:
        problems.append(Problem("E805", {"name": name, "file": path, "bands": _listed(other)}))
    if absent:
        problems.append(Problem("E811", {"name": name, "file": path, "bands": _listed(absent)}))
    return replace(layer, section=section), problems


def _listed(numbers: list[int]) -> str:
    """Return the first few of some numbers, and how many more there are."""
    more = f" + {len(numbers) - 8}" if len(numbers) > 8 else ""
    return ", ".join(map(str, numbers[:8])) + more


def _differ(one: str, other: str) -> bool:
    """Tell whether two units are known, and not the same."""
    try:
        return factor(one, other, "unit") != 1.0
    except UnitError as error:
        return error.problems[0].code == "E603"


def _truncated(path: Path, file: rasterio.DatasetReader) -> bool:
    """Tell whether the file ends before the last tile its directory names."""
    size = path.stat().st_size
    for band in file.indexes:
        height, width = file.block_shapes[band - 1]
        last = (file.width - 1) // width, (file.height - 1) // height
        start = file.get_tag_item(f"BLOCK_OFFSET_{last[0]}_{last[1]}", "TIFF", bidx=band)
        length = file.get_tag_item(f"BLOCK_SIZE_{last[0]}_{last[1]}", "TIFF", bidx=band)
        if start and length and int(start) + int(length) > size:
            return True
    return False


def _lossy(file: rasterio.DatasetReader) -> str:
    """Compression of a file whose numbers are not those that were written, "" if they are."""
    told = file.tags(ns="IMAGE_STRUCTURE")
    name = str(told.get("COMPRESSION", ""))
    jpeg = "JPEG" in name.split()  # beside it YCbCr; JPEG2000 and JXL say whether they are lossy
    lossy = told.get("COMPRESSION_REVERSIBILITY") == "LOSSY"
    return name if jpeg or lossy or float(told.get("MAX_Z_ERROR", 0)) > 0 else ""


def _sparse(file: rasterio.DatasetReader, band: int) -> tuple[int, int] | None:
    """Return how many tiles were never written, of how many; they would read as 0."""
    height, width = file.block_shapes[band - 1]
    wide, high = -(-file.width // width), -(-file.height // height)
    absent = sum(
        file.get_tag_item(f"BLOCK_OFFSET_{x}_{y}", "TIFF", bidx=band) is None
        for y in range(high)
        for x in range(wide)
    )
    return (absent, wide * high) if absent else None


def grid(path: Path) -> tuple[Grid, list[Problem]]:
    """Account grid of the file *path*, with the true area of its pixels."""
    with open_file(path) as file:
        if file.crs is None:
            raise InputError(Problem("E201", {"file": path}))
        t = file.transform
        if t.b or t.d or t.a <= 0 or t.e >= 0:
            raise InputError(Problem("E208", {"file": path, "transform": tuple(t)[:6]}))
        crs = pyproj.CRS.from_user_input(file.crs.to_wkt())
        height, width = file.height, file.width
    if crs.is_geographic:
        if max(abs(t.f), abs(t.f + t.e * height)) > 90 + abs(t.e):
            raise InputError(Problem("E202", {"file": path, "crs": crs.name}))
        return Grid(crs, t, height, width, _geographic(crs, t, height), np.ones(width)), []
    if not crs.is_projected:
        raise InputError(Problem("E202", {"file": path, "crs": crs.name}))
    rows, columns, error = _projected(crs, t, height, width)
    if not float(np.min(rows)) * float(np.min(columns)) > FINEST**2:
        raise InputError(Problem("E202", {"file": path, "crs": crs.name}))
    problems = []
    if error > SEPARABLE:
        problems.append(Problem("E207", {"file": path, "crs": crs.name, "error": f"{error:.2%}"}))
    return Grid(crs, t, height, width, rows, columns), problems


def cells(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Height and width of the pixels in metres, docs/methods.md#pixel-area.

    On the ellipsoid. By row where all pixels of a row are alike, else shape (rows, columns). Those
    of a pixel are the same on every grid that has it.
    """
    t, crs = grid.transform, grid.crs
    if not crs.is_geographic:
        return _sides(grid)
    ellipsoid = crs.ellipsoid
    assert ellipsoid
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    e2 = 1 - (b / a) ** 2
    latitude = np.deg2rad(t.f + t.e * (np.arange(grid.height) + 0.5))
    bend = 1 - e2 * np.sin(latitude) ** 2
    heights = a * (1 - e2) / bend**1.5 * math.radians(-t.e)
    widths = a / np.sqrt(bend) * np.cos(latitude) * math.radians(t.a)
    return heights, widths


def _sides(grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True heights and widths of the pixels of a projected grid, in metres.

    Metres per unit of the grid change slowly: between nodes KNOTS apart, counted from the origin of
    the coordinates and not from the grid, polynomials of SUPPORT nodes give them to 1e-12. Where
    the projection ends or bends too sharply for that, every pixel is asked.
    """
    t, metre = grid.transform, grid.crs.axis_info[0].unit_conversion_factor
    east = t.c + t.a * (np.arange(grid.width) + 0.5)
    north = t.f + t.e * (np.arange(grid.height) + 0.5)
    columns, across = _between(east * metre / KNOTS)
    rows, down = _between(north * metre / KNOTS)
    columns, rows = columns * KNOTS / metre, rows * KNOTS / metre
    nodes = _stretch(grid.crs, *np.meshgrid(columns, rows))
    origin = _stretch(grid.crs, np.zeros_like(rows), rows)
    some = [np.unique(np.linspace(0, n - 1, 5).astype(int)) for n in (grid.height, grid.width)]
    wanted = _stretch(grid.crs, *np.meshgrid(east[some[1]], north[some[0]]))
    sides = []
    for n, size in enumerate((-t.e * metre, t.a * metre)):
        with np.errstate(invalid="ignore"):  # beyond the end of the projection
            found = down[some[0]] @ nodes[n] @ across[some[1]].T
        if not np.allclose(found, wanted[n], rtol=EXACT, atol=0):
            return _each(grid, east, north)
        alike = np.allclose(nodes[n], origin[n][:, None], rtol=EXACT, atol=0)
        sides.append(down @ (origin[n] if alike else nodes[n] @ across.T) * size)
    return sides[0], sides[1]


def _each(
    grid: Grid, east: NDArray[np.float64], north: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """True sides of every pixel of a projected grid, asked one by one [m]."""
    metre = grid.crs.axis_info[0].unit_conversion_factor
    sides = np.empty((2, grid.height, grid.width))
    for row in range(grid.height):
        sides[:, row] = _stretch(grid.crs, east, np.full(grid.width, north[row]))
    sides *= metre
    return sides[0] * -grid.transform.e, sides[1] * grid.transform.a


def _between(at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Whole numbers around *at*, and the weights (places, numbers) that give what is at *at*.

    Lagrange's, on the SUPPORT nearest ones.
    """
    first = np.floor(at).astype(int) - SUPPORT // 2 + 1
    start = int(first.min())
    nodes = np.arange(start, int(first.max()) + SUPPORT)
    weights = np.zeros((len(at), len(nodes)))
    places = np.arange(len(at))
    for one in range(SUPPORT):
        weight = np.ones(len(at))
        for other in set(range(SUPPORT)) - {one}:
            weight *= (at - first - other) / (one - other)
        weights[places, first - start + one] = weight
    return nodes.astype(np.float64), weights


def _stretch(
    crs: pyproj.CRS, east: NDArray[np.float64], north: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres on the ground of a metre northwards and eastwards on the plane, at some points.

    From the derivatives of the projection: distances between corners projected back lose four
    digits on small pixels.
    """
    project, ellipsoid = pyproj.Proj(crs), crs.ellipsoid
    assert ellipsoid
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    longitude, latitude = project(east, north, inverse=True)
    found = project.get_factors(longitude, latitude)
    by_east = np.asarray(found.dx_dlam), np.asarray(found.dy_dlam)
    by_north = np.asarray(found.dx_dphi), np.asarray(found.dy_dphi)
    e2 = 1 - (b / a) ** 2
    with np.errstate(all="ignore"):  # where there is no projection
        whole = np.abs(by_east[0] * by_north[1] - by_north[0] * by_east[1]) * a
        bend = 1 - e2 * np.sin(np.deg2rad(latitude)) ** 2
        parallel = a / np.sqrt(bend) * np.cos(np.deg2rad(latitude))  # [m] of a radian
        meridian = a * (1 - e2) / bend**1.5
        heights = np.hypot(parallel * by_north[0], meridian * by_east[0]) / whole
        widths = np.hypot(parallel * by_north[1], meridian * by_east[1]) / whole
    return heights, widths


def latitudes(grid: Grid) -> NDArray[np.float64]:
    """Latitude of the middle of every pixel in degrees, shape (rows, columns)."""
    t, shape = grid.transform, (grid.height, grid.width)
    north = t.f + t.e * (np.arange(grid.height) + 0.5)
    if grid.crs.is_geographic:
        return np.repeat(north, grid.width).reshape(shape)
    east = t.c + t.a * (np.arange(grid.width) + 0.5)
    project, found = pyproj.Proj(grid.crs), np.empty(shape)
    for row in range(grid.height):
        found[row] = project(east, np.full(grid.width, north[row]), inverse=True)[1]
    return found


def _geographic(crs: pyproj.CRS, t: "Affine", height: int) -> NDArray[np.float64]:
    """Area of a pixel of each row on the ellipsoid [m^2], docs/methods.md#pixel-area.

    The integral over the row by three Gauss points: the closed formula is a difference of two
    nearly equal zones and loses six digits on pixels of a second.
    """
    ellipsoid = crs.ellipsoid
    assert ellipsoid
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    e2 = 1 - (b / a) ** 2
    points, weights = np.polynomial.legendre.leggauss(3)
    half = abs(math.radians(t.e)) / 2
    middle = np.deg2rad(t.f + t.e * (np.arange(height) + 0.5))
    areas = np.zeros(height)
    for point, weight in zip(points, weights, strict=True):
        latitude = middle + point * half
        areas += weight * np.cos(latitude) / (1 - e2 * np.sin(latitude) ** 2) ** 2
    areas *= a**2 * (1 - e2) * half * math.radians(t.a)
    return areas


def _projected(
    crs: pyproj.CRS, t: "Affine", height: int, width: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Area of a pixel by row [m^2], its factor by column, and the largest error of their product.

    Areal distortion comes from the projection; that it is right is checked against the geodesic
    area of a block at the middle of the grid.
    """
    metre = crs.axis_info[0].unit_conversion_factor
    plane = abs(t.a * t.e) * metre**2
    project = pyproj.Proj(crs)

    def true_area(x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.float64]:
        east, north = t.c + t.a * x, t.f + t.e * y
        longitude, latitude = project(east, north, inverse=True)
        scale = np.asarray(project.get_factors(longitude, latitude).areal_scale, np.float64)
        areas: NDArray[np.float64] = plane / scale
        return areas

    middle_x, middle_y = width / 2, height / 2
    rows = true_area(np.full(height, middle_x), np.arange(height) + 0.5)
    columns = true_area(np.arange(width) + 0.5, np.full(width, middle_y))
    centre = float(true_area(np.array([middle_x]), np.array([middle_y]))[0])
    if max(np.ptp(rows), np.ptp(columns)) < 1e-9 * centre and abs(centre / plane - 1) < 1e-9:
        rows, columns = np.full(height, plane), np.full(width, plane)
        centre = plane
    columns = columns / centre
    x, y = np.meshgrid(np.linspace(0, width, 5), np.linspace(0, height, 5))
    x, y = x.ravel().clip(0.5, width - 0.5), y.ravel().clip(0.5, height - 0.5)
    product = rows[y.astype(int)] * columns[x.astype(int)]
    at_centres = true_area(np.floor(x) + 0.5, np.floor(y) + 0.5)
    error = float(np.max(np.abs(product / at_centres - 1)))
    half = max(1.0, 2000 / math.sqrt(plane))
    ring = [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]
    east = np.array([t.c + t.a * (middle_x + half * dx) for dx, _ in ring])
    north = np.array([t.f + t.e * (middle_y + half * dy) for _, dy in ring])
    longitude, latitude = project(east, north, inverse=True)
    geod = crs.get_geod()
    assert geod
    geodesic = abs(geod.polygon_area_perimeter(longitude, latitude)[0])
    return rows, columns, max(error, abs(centre * (2 * half) ** 2 / geodesic - 1))


def known_shift(have: pyproj.CRS, want: pyproj.CRS, bounds: tuple[float, ...]) -> bool:
    """Tell whether the datum of *have* can be brought to that of *want* without guessing.

    It can where both are one or practically one, or where a published transformation holds for
    all of *bounds* (west, south, east, north in *have*).
    """
    datums = [_datum(crs) for crs in (have, want)]
    if datums[0] == datums[1] or all(any(s in d for s in SAME_DATUM) for d in datums):
        return True
    if have.geodetic_crs is None or want.geodetic_crs is None:
        return False
    plain = pyproj.Transformer.from_crs(have, have.geodetic_crs, always_xy=True)
    left, bottom, right, top = bounds
    west, south, east, north = plain.transform_bounds(left, bottom, right, top)
    if not all(map(math.isfinite, (west, south, east, north))):
        return False
    area = AreaOfInterest(west, south, east, north)
    group = TransformerGroup(
        have, want, always_xy=True, area_of_interest=area, allow_ballpark=False
    )
    uses = [t.area_of_use for t in group.transformers if t.area_of_use]
    return any(
        u.west <= west and u.south <= south and u.east >= east and u.north >= north for u in uses
    )


def _datum(crs: pyproj.CRS) -> str:
    geodetic = crs.geodetic_crs
    return geodetic.datum.name if geodetic and geodetic.datum else "?"


def compare(layer: Layer, target: Grid) -> list[Problem]:
    """How the grid of *layer* differs from the account grid; of a resampled one, what is wrong."""
    with open_file(layer.path, layer.name) as file:
        if file.crs is None:
            return []
        own, bounds = own_grid(file), tuple(file.bounds)
    if own.transform.is_degenerate:
        return [Problem("E208", {"file": layer.path, "transform": tuple(own.transform)[:6]})]
    known = known_shift(own.crs, target.crs, bounds)
    fields: dict[str, object] = {"name": layer.name, "file": layer.path}
    if layer.section.resampling and known:
        return _brought(layer, own, target)
    fields["resampling"] = _advised(layer, own, target) if known else ""
    t, g, shape = own.transform, target.transform, (own.height, own.width)
    if layer.section.resampling or not own.crs.equals(target.crs, ignore_axis_order=True):
        add, add_zh = _added(fields)
        fields |= {"crs": own.crs.name, "want": target.crs.name, "add": add, "add_zh": add_zh}
        return [Problem("E204", fields)]
    if t.b or t.d:
        return [Problem("E208", {"file": layer.path, "transform": tuple(t)[:6]})]
    if max(abs(t.a - g.a), abs(t.e - g.e)) * max(shape) > SNAP * abs(g.a):
        size = f"{t.a:.10g} x {-t.e:.10g}"
        return [Problem("E205", fields | {"size": size, "want": f"{g.a:.10g} x {-g.e:.10g}"})]
    east, south = (t.c - g.c) / g.a, (t.f - g.f) / g.e
    if max(abs(east), abs(south)) > SNAP:
        return [Problem("E203", fields | {"east": _signed(east), "south": _signed(south)})]
    if shape != (target.height, target.width):
        want = f"{target.height} x {target.width}"
        return [Problem("E209", fields | {"shape": f"{shape[0]} x {shape[1]}", "want": want})]
    return []


def _brought(layer: Layer, own: Own, target: Grid) -> list[Problem]:
    """Why a layer cannot come to the account grid as it says: E211, E212, W107."""
    how = layer.section.resampling
    if how is None or same(own, target):
        return []
    most = way(own, target, how).density[0]
    fields: dict[str, object] = {"name": layer.name, "file": layer.path, "resampling": how}
    fields |= {"times": f"{most:.3g}", "crs": own.crs.name, "want": target.crs.name}
    if how == "nearest":
        return [Problem("W107", fields)] if most >= FINER else []
    if not straight(own, target) and most >= FINEST_BENT[how]:
        return [Problem("E212", fields)]
    return [Problem("E211", fields)] if how == "bilinear" and most >= FINER else []


def _advised(layer: Layer, own: Own, target: Grid) -> str:
    """Resampling a layer needs; "" if there is none that is right."""
    if of_classes(layer.name):
        return "nearest"
    fine = way(own, target, "nearest").density[0]
    how = "conserved" if layer.section.kind == "extensive" else "bilinear"
    if how == "bilinear" and fine >= FINER:
        how = "average"
    return "" if not straight(own, target) and fine >= FINEST_BENT[how] else how


def _added(fields: Mapping[str, object]) -> tuple[str, str]:
    """What a fix says of resampling, in both languages."""
    if not fields["resampling"]:
        return "", ""
    line = f'resampling = "{fields["resampling"]}"'
    section = f"[rasters.{fields['name']}]"
    return f", or add to {section}: {line}", f"；或在 {section} 加一行：{line}"


def same(one: Grid | Own, other: Grid) -> bool:
    """Tell whether two grids are one: coordinate system, shape, and every corner."""
    t, g = one.transform, other.transform
    if (one.height, one.width) != (other.height, other.width):
        return False
    if not one.crs.equals(other.crs, ignore_axis_order=True):
        return False
    off = [abs(t.c - g.c), abs(t.f - g.f)]
    off += [abs(t.a - g.a) * one.width, abs(t.e - g.e) * one.height]
    return bool(max(off) <= SNAP * abs(g.a))


def _signed(pixels: float) -> str:
    return f"{round(pixels, 2) + 0.0:+.2f}"


@cache
def _gather() -> Callable[..., None]:
    return routine(gather)


def gathered(
    layer: Layer, stored: NDArray[Any], order: NDArray[np.uint32], out: NDArray[np.float32]
) -> tuple[float, float]:
    """Write numbers as stored into *out* (pixels), in some order, NaN for those that mean nothing.

    Returns the least and the greatest that is there; inf and -inf if none is.
    """
    plain, fills = stored.ravel(), _fills(layer, stored.dtype)
    ends, taken = np.empty(2, np.float32), np.empty(CHUNK, stored.dtype)
    views = out.view(np.int32), taken, ends.view(np.int32)
    _gather()(plain, order, fills[:2], out, *views)
    if layer.section.valid is None and len(fills) <= 2:
        return float(ends[0]), float(ends[1])
    low, high = layer.section.valid or (-math.inf, math.inf)
    chosen = plain[order]
    with np.errstate(over="ignore"):  # limits beyond what the layer can hold
        out[np.isin(chosen, fills[2:]) | ~((chosen >= low) & (chosen <= high))] = np.nan
    known = out[~np.isnan(out)]
    return float(known.min(initial=np.inf)), float(known.max(initial=-np.inf))


def _fills(layer: Layer, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Stored numbers that mean nothing, of the type of the layer; those it cannot hold are none."""
    said = [*layer.section.fill, *([] if layer.nodata is None else [layer.nodata])]
    return _held(tuple(fill for fill in said if not math.isnan(fill)), dtype)


@lru_cache(1024)
def _held(said: tuple[float, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Those of some numbers that a type can hold, of that type."""
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            return np.array(said, dtype)
    limits = np.iinfo(dtype)
    return np.array(
        [f for f in said if float(f).is_integer() and limits.min <= f <= limits.max], dtype
    )


class Reader:
    """Open files of one thread: reads windows of the account grid."""

    def __init__(
        self,
        layers: list[Layer],
        target: Grid,
        beside: "Reader | None" = None,
    ) -> None:
        self._target = target
        self.pieces: bool | None = False
        """Small parts of tiles are decoded here as well, which fills no memory of GDAL's.

        None: nothing is.
        """
        self._layers = layers
        self._beside = beside
        """Reader of another thread, open as long as this one, whose tiles this one may use."""
        self._meant = list(layers)
        """How the numbers of `stored` are to be read."""
        self._files: dict[int, Any] = {}
        """Files GDAL has open, by layer: beside another reader those it has had to read."""
        self._tiles: list[Tiles | None] = []
        self._sums: list[Checksums | None] = []
        self._native: dict[int, Native] = {}
        self.room = Room()

    def __enter__(self) -> "Reader":
        if self._beside is not None:
            self._tiles, self._sums = self._beside._tiles, self._beside._sums
            for number, native in self._beside._native.items():
                self._bring(number, native.way.own, native.way.method, native.block, native.lately)
            return self
        for number, layer in enumerate(self._layers):
            file = self._file(number)
            self._tiles.append(tiles_of(file, layer.section.band))
            self._sums.append(checksums(file))
            if (how := method(layer)) is None:
                continue
            own = own_grid(file)
            if how == "conserved" or not same(own, self._target):
                block = file.block_shapes[layer.section.band - 1][0]
                self._bring(number, own, how, block, Lately())
        return self

    def __exit__(self, *failure: object) -> None:
        own = self._tiles if self._beside is None else []
        for file in (*self._files.values(), *filter(None, own)):
            file.close()
        self._native.clear()  # they know this reader: else all stays until garbage is collected
        self.room = Room()

    def _file(self, number: int) -> Any:
        """File of a layer, open for GDAL: most tiles are decoded without."""
        if number not in self._files:
            layer = self._layers[number]
            self._files[number] = open_file(layer.path, layer.name)
        return self._files[number]

    def _bring(self, number: int, own: Own, how: Method, block: int, lately: Lately) -> None:
        """Have a layer come to the account grid from one of its own."""
        layer, read = self._layers[number], partial(self._own_part, number)
        brought = way(own, self._target, how)
        self._native[number] = Native(brought, read, suspects(layer), block, lately)
        section = layer.section.model_copy(update={"fill": [], "valid": None})
        self._meant[number] = replace(layer, section=section, nodata=None)

    def _own_part(self, number: int, box: Box, bands: int | None) -> NDArray[np.float32]:
        """Part of the own grid of a layer, shape (bands, rows, columns), NaN for nothing."""
        layer = self._layers[number]
        window = Window(box[1], box[0], box[3], box[2])
        if bands is None:
            out = fresh((1, box[2], box[3]), np.float32)
            plain = layer.dtype == "float32"
            into = out[0] if plain else self.room.array("stored", out.shape[1:], layer.dtype)
            stored = self._read(number, layer.section.band, window, into)[None]
        else:
            stored = self._read(number, list(range(1, bands + 1)), window)
            out = np.empty(stored.shape, np.float32)
        unpack(layer, stored, out)
        return out

    def _read(
        self,
        number: int,
        chosen: int | list[int],
        window: Window,
        out: NDArray[Any] | None = None,
    ) -> NDArray[Any]:
        """Numbers as stored in a window of the own grid of a layer; written into *out* if given."""
        tiles = self._tiles[number] if chosen == self._layers[number].section.band else None
        whole = out is not None and out.shape[1] == self._native[number].way.own.width
        least = STRIP if whole else 0.5
        found = tiles.read(window, out) if tiles and self._suits(tiles, window, least) else None
        if found is not None:
            return found
        file, sums = self._file(number), self._sums[number]
        if sums:
            sums.hold(file, [chosen] if isinstance(chosen, int) else chosen, window)
        try:
            array: NDArray[Any] = file.read(chosen, window=window, out=out)
        except RasterioError as error:
            path = self._layers[number].path
            raise refused_by_gdal(path, error, file.block_shapes[0]) from None
        return array

    def _suits(self, tiles: Tiles, window: Window, least: float = 0.5) -> bool:
        return self.pieces is not None and (self.pieces or tiles.suits(window, least))

    def stored(self, number: int, window: Window, bands: int | None = None) -> NDArray[Any]:
        """Numbers of layer *number* as stored, shape (rows, columns).

        With *bands* those of so many bands from the first, shape (bands, rows, columns). Of a layer
        on a grid of its own what it comes to on the account's, float32, NaN where there is nothing.

        Raises
        ------
        InputError
            E101 if the file cannot be decoded there.
        """
        if number in self._native:
            shape = (bands or 1, window.height, window.width)
            part = np.empty(shape, np.float32)
            self._native[number].fill(_box(window), bands, part)
            return part[0] if bands is None else part
        band = self._layers[number].section.band
        return self._read(number, band if bands is None else list(range(1, bands + 1)), window)

    def lent(self, number: int, window: Window) -> NDArray[Any]:
        """As `stored`, but in memory that whatever this reader decodes next may overwrite."""
        if number in self._native:
            part: NDArray[Any] = self.room.array(
                "lent", (1, window.height, window.width), np.float32
            )
            self._native[number].fill(_box(window), None, part)
            one: NDArray[Any] = part[0]
            return one
        tiles = self._tiles[number]
        found = tiles.lend(window) if tiles and self._suits(tiles, window) else None
        return self.stored(number, window) if found is None else found

    def gather(
        self, number: int, window: Window, order: NDArray[np.uint32], out: NDArray[np.float32]
    ) -> tuple[float, float]:
        """Write the numbers of the pixels of *order* into *out*, NaN where there is none.

        Pixels are numbered row by row within the window. Returns the least and the greatest
        number that is there; inf and -inf if none is.
        """
        return gathered(self._meant[number], self.lent(number, window), order, out)

    def stage(self, number: int, window: Window, out: NDArray[np.float32]) -> None:
        """Write the numbers of a layer into *out* (rows, columns), NaN where there is none.

        Of a series into *out* (steps, rows, columns).
        """
        bands = len(out) if out.ndim == 3 else None
        if number in self._native:
            self._native[number].fill(_box(window), bands, out if bands else out[None])
        else:
            unpack(self._meant[number], self.stored(number, window, bands), out)


def _box(window: Window) -> Box:
    return window.row_off, window.col_off, window.height, window.width


def suspects(layer: Layer) -> tuple[int, ...]:
    """Stored numbers of a layer that nobody declared and that look like a fill value."""
    if layer.section.valid is not None:
        return ()
    if np.dtype(layer.dtype).kind not in "iu":
        return FLOAT_FILLS
    limits = np.iinfo(layer.dtype)
    return (-9999, limits.max, *([limits.min] if limits.min else []))


def own_grid(file: rasterio.DatasetReader) -> Own:
    """Grid of an open file."""
    crs = pyproj.CRS.from_user_input(file.crs.to_wkt())
    return Own(crs, file.transform, file.height, file.width)


def method(layer: Layer) -> Method | None:
    """How a layer comes to the account grid; None if it has to be on it."""
    extensive = layer.section.kind == "extensive"
    return layer.section.resampling or ("conserved" if extensive else None)


def unpack(layer: Layer, stored: NDArray[Any], out: NDArray[np.float32]) -> None:
    """Write stored numbers of a layer into *out* (float32), NaN for those that mean nothing."""
    out[...] = stored
    fills = [*layer.section.fill, *([] if layer.nodata is None else [layer.nodata])]
    for fill in fills:
        if not math.isnan(fill):
            with np.errstate(over="ignore"):  # a fill value beyond what the layer can hold
                out[stored == fill] = np.nan
    if layer.section.valid is not None:
        low, high = layer.section.valid
        out[~((stored >= low) & (stored <= high))] = np.nan
    if stored.dtype.kind == "f":
        out[~np.isfinite(stored)] = np.nan


def tiles(target: Grid, size: int) -> list[Window]:
    """Return windows of *size* pixels that cover the grid, in file order."""
    return [
        Window(left, top, min(size, target.width - left), min(size, target.height - top))
        for top in range(0, target.height, size)
        for left in range(0, target.width, size)
    ]


def threads(asked: int | None = None) -> int:
    """Return how many threads to use: as many as asked for, else one per processor, at most 8."""
    return asked or min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2)
