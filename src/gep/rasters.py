"""Raster files: open, check, align to the account grid, stage tiles as float32 with NaN."""

import math
import os
import threading
import warnings
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray
from pyproj.transformer import AreaOfInterest, TransformerGroup
from rasterio.enums import MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as Window  # tiles; other rooms get it from here

from gep.config import RasterSection
from gep.errors import InputError, Problem, UnitError
from gep.units import factor

if TYPE_CHECKING:
    from affine import Affine

SAFE = {"GDAL_DISABLE_READDIR_ON_OPEN": "TRUE", "GDAL_PAM_ENABLED": "NO"}
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
    """One raster file as the engine reads it: value = stored × scale + offset, in *unit*."""

    name: str
    path: Path
    section: RasterSection
    dtype: str
    nodata: float | None
    scale: float
    offset: float
    unit: str


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
        raise InputError(Problem("E101", {"file": path, "why": error})) from None


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
        if _truncated(path, file):
            problems.append(Problem("E102", {"file": path}))
        elif file.nodatavals[band] is None and (absent := _sparse(file, section.band)):
            fields = {"file": path, "tiles": absent[0], "whole": absent[1]}
            problems.append(Problem("E103", fields))
        if section.resampling == "bilinear" and (section.fill or section.valid):
            problems.append(Problem("E210", {"name": name, "file": path}))
        stored = {"scale": file.scales[band], "offset": file.offsets[band]}
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
    times = 1.0
    if unit:
        if not declared_unit:
            problems.append(Problem("E302", {"name": name, "file": path, "unit": unit}))
        else:
            times = factor(declared_unit, unit, f"rasters.{name}")
        if section.kind == "extensive":
            problems.append(Problem("E206", {"name": name, "file": path}))
    scale, offset = used["scale"] * times, used["offset"] * times
    return Layer(name, path, section, dtype, nodata, scale, offset, unit), problems


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
    first = section.model_copy(update={"band": 1})
    layer, problems = inspect(name, first, path, unit)
    problems = [problem for problem in problems if problem.code != "E108"]
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
    """Height and width of a pixel of each row in metres, docs/methods.md#pixel-area.

    On the ellipsoid; of a projected grid at its middle column.
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
    """True height and width of the pixel of each row of a projected grid, in metres.

    From the derivatives of the projection: distances between corners projected back lose four
    digits on small pixels.
    """
    t, project, ellipsoid = grid.transform, pyproj.Proj(grid.crs), grid.crs.ellipsoid
    assert ellipsoid
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    north = t.f + t.e * (np.arange(grid.height) + 0.5)
    east = np.full(grid.height, t.c + t.a * grid.width / 2)
    longitude, latitude = project(east, north, inverse=True)
    found = project.get_factors(longitude, latitude)
    by_east = np.asarray(found.dx_dlam), np.asarray(found.dy_dlam)
    by_north = np.asarray(found.dx_dphi), np.asarray(found.dy_dphi)
    whole = (by_east[0] * by_north[1] - by_north[0] * by_east[1]) * a
    e2 = 1 - (b / a) ** 2
    bend = 1 - e2 * np.sin(np.deg2rad(latitude)) ** 2
    parallel = a / np.sqrt(bend) * np.cos(np.deg2rad(latitude))  # [m] of a radian
    meridian = a * (1 - e2) / bend**1.5
    metre = grid.crs.axis_info[0].unit_conversion_factor
    heights = np.hypot(parallel * by_north[0], meridian * by_east[0]) / np.abs(whole)
    widths = np.hypot(parallel * by_north[1], meridian * by_east[1]) / np.abs(whole)
    return heights * -t.e * metre, widths * t.a * metre


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
    """How the grid of *layer* differs from the account grid; of a resampled one, the datum."""
    with open_file(layer.path, layer.name) as file:
        if file.crs is None:
            return []
        crs = pyproj.CRS.from_user_input(file.crs.to_wkt())
        if layer.section.resampling:
            bounds = file.bounds
            if known_shift(crs, target.crs, bounds):
                return []
            fields = {"name": layer.name, "file": layer.path}
            return [Problem("E204", fields | {"crs": crs.name, "want": target.crs.name})]
        t, shape = file.transform, (file.height, file.width)
    g = target.transform
    fields = {"name": layer.name, "file": layer.path}
    if not crs.equals(target.crs, ignore_axis_order=True):
        return [Problem("E204", fields | {"crs": crs.name, "want": target.crs.name})]
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


def same(one: Grid, other: Grid) -> bool:
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


class Reader:
    """Open files of one thread: reads windows of the account grid."""

    def __init__(self, layers: list[Layer], target: Grid) -> None:
        self._target = target
        self._layers = layers
        self._files: list[Any] = []

    def __enter__(self) -> "Reader":
        for layer in self._layers:
            file = open_file(layer.path, layer.name)
            method = layer.section.resampling
            self._files.append(file if method is None else self._warped(file, layer))
        return self

    def __exit__(self, *failure: object) -> None:
        for file in self._files:
            file.close()

    def _warped(self, file: rasterio.DatasetReader, layer: Layer) -> WarpedVRT:
        return WarpedVRT(
            file,
            crs=self._target.crs.to_wkt(),
            transform=self._target.transform,
            height=self._target.height,
            width=self._target.width,
            resampling=Resampling[layer.section.resampling or "nearest"],
            src_nodata=layer.nodata,
            nodata=layer.nodata,
            add_alpha=layer.nodata is None,  # else 0 beyond the edge of the file
        )

    def stored(self, number: int, window: Window, bands: int | None = None) -> NDArray[Any]:
        """Numbers of layer *number* as stored, shape (rows, columns).

        With *bands* those of so many bands from the first, shape (bands, rows, columns).

        Raises
        ------
        InputError
            E101 if the file cannot be decoded there.
        """
        layer = self._layers[number]
        chosen = layer.section.band if bands is None else list(range(1, bands + 1))
        try:
            array: NDArray[Any] = self._files[number].read(chosen, window=window)
        except RasterioError as error:
            raise InputError(Problem("E101", {"file": layer.path, "why": error})) from None
        return array

    def stage(self, number: int, window: Window, out: NDArray[np.float32]) -> None:
        """Write the numbers of a layer into *out* (rows, columns), NaN where there is none.

        Of a series into *out* (steps, rows, columns).
        """
        layer = self._layers[number]
        stored = self.stored(number, window, len(out) if out.ndim == 3 else None)
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
        if layer.section.resampling and layer.nodata is None:
            file = self._files[number]
            out[..., file.read(file.count, window=window) == 0] = np.nan


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
