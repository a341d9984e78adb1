"""County polygons → which county owns which pixel of the account grid."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio.errors  # type: ignore[import-untyped]
import shapely
from numpy.typing import NDArray
from rasterio.windows import Window

from gep.config import CountiesSection, locate
from gep.cube import UNALLOCATED
from gep.errors import InputError, Problem
from gep.membership import Shapes, shapes
from gep.rasters import Grid, known_shift

BLOCK = 512
"""Polygons are burned in blocks of this size, so that membership is the same for every tiling."""
OVERLAP = 1e-6
"""Overlaps up to this share of the total area go to the lowest code; above it is an error."""
GAP = 1e-4
FORMATS = (b"SQLite format 3", b"{", b"fgb", b"\x00\x00\x27\x0a")
"""How a GeoPackage, GeoJSON, FlatGeobuf and Shapefile begin; others are not opened."""
COVERED = 0.99
REPAIRED = 1e-3


@dataclass(frozen=True)
class Counties:
    """Accounting units on the account grid, in the order of their codes."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    cities: tuple[tuple[str, str], ...]
    areas: tuple[float, ...]
    polygons: NDArray[Any] = field(repr=False)
    universe: Any = field(repr=False)
    grid: Grid = field(repr=False)

    @property
    def unallocated(self) -> int:
        """Place of the pixels of the universe that belong to no county."""
        return len(self.codes)

    @property
    def places(self) -> tuple[str, ...]:
        """Code of every place: the counties, then `unallocated`."""
        return (*self.codes, UNALLOCATED)

    @cached_property
    def _shapes(self) -> Shapes:
        """Shapes in burning order with their places: universe first, then falling codes."""
        order = np.arange(len(self.codes))[::-1]
        universe = shapely.get_parts([self.universe])
        places = np.concatenate([np.full(len(universe), self.unallocated), order])
        polygons = np.concatenate([universe, self.polygons[order]])
        return shapes(polygons, places.astype(np.int32), self.grid)

    @cached_property
    def inside(self) -> NDArray[np.float64]:
        """Share of the area of every county that lies on the grid."""
        return inside_share(self.polygons, self.grid)

    def places_in(self, window: Window) -> NDArray[np.int32]:
        """Place of every pixel of *window* by its centre, shape (rows, columns); -1 is outside."""
        top, left = window.row_off, window.col_off
        if top % BLOCK == left % BLOCK == 0 and max(window.height, window.width) <= BLOCK:
            whole = self._shapes.block(top, left, BLOCK)
            return np.ascontiguousarray(whole[: window.height, : window.width])
        out = np.empty((window.height, window.width), np.int32)
        for y in range(top - top % BLOCK, top + window.height, BLOCK):
            for x in range(left - left % BLOCK, left + window.width, BLOCK):
                block = self._shapes.block(y, x, BLOCK)
                y0, y1 = max(y, top), min(y + BLOCK, top + window.height)
                x0, x1 = max(x, left), min(x + BLOCK, left + window.width)
                out[y0 - top : y1 - top, x0 - left : x1 - left] = block[
                    y0 - y : y1 - y, x0 - x : x1 - x
                ]
        return out


def load(section: CountiesSection, folder: Path, grid: Grid) -> tuple[Counties, list[Problem]]:
    """Counties of a gep.toml on the account grid, and what is wrong with their polygons.

    Raises
    ------
    InputError
        E004, E410 unreadable file, E411 missing attribute, E201 no CRS, E204 a datum that cannot
        be brought to the grid's, E404 a duplicated or malformed code.
    """
    path = locate(folder, section.file)
    frame = _read(path, section.layer)
    problems = _check_codes(frame, section, path)
    frame = frame.assign(code=_text(frame[section.code])).sort_values("code", kind="stable")
    frame, repaired = _repair(frame, path)
    areas = _geodesic(frame)
    frame = _to_grid(frame, grid, path)
    polygons = np.asarray(frame.geometry.values, dtype=object)
    shapely.prepare(polygons)
    universe = _universe(section, folder, grid, polygons)
    codes = tuple(frame["code"])
    named = (section.name, section.city_code, section.city_name)
    names, *cities = (_column(frame, name) for name in named)
    found = Counties(
        codes,
        names,
        tuple(zip(*cities, strict=True)),
        areas,
        polygons,
        universe,
        grid,
    )
    return found, [*problems, *repaired, *_check_cover(found, path)]


def _read(path: Path, layer: str | None) -> geopandas.GeoDataFrame:
    if not path.is_file():
        raise InputError(Problem("E004", {"at": "counties", "file": path}))
    with path.open("rb") as file:
        if not file.read(16).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(FORMATS):
            raise InputError(Problem("E410", {"file": path, "why": "format"}))
    try:
        layers = [name for name, kind in pyogrio.list_layers(path) if kind is not None]
        if layer is None and len(layers) > 1:
            raise InputError(Problem("E412", {"file": path, "layers": ", ".join(layers)}))
        frame = geopandas.read_file(path, **({"layer": layer} if layer else {}))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InputError(Problem("E410", {"file": path, "why": error})) from None
    crs = getattr(frame, "crs", None)  # a layer without geometry is no GeoDataFrame
    if crs is None or crs.geodetic_crs is None:
        raise InputError(Problem("E201", {"file": path}))
    shapes = np.asarray(frame.geometry.values, dtype=object)
    flat = ~(shapely.get_dimensions(shapes) == 2) | shapely.is_empty(shapes)
    if flat.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(flat)[:8])
        raise InputError(Problem("E407", {"file": path, "rows": rows}))
    return frame


def _text(column: Any) -> Any:
    """Codes as text: 360732 rather than 360732.0."""
    if column.dtype.kind == "f" and (column.isna() | (column % 1 == 0)).all():
        column = column.astype("Int64")
    return column.astype(str).fillna("-").str.strip()


def _column(frame: geopandas.GeoDataFrame, name: str | None) -> tuple[str, ...]:
    """Cells of a column as text; empty ones where there is no such column."""
    if not name:
        return ("",) * len(frame)
    column = frame[name]
    cells = [column.iloc[row] for row in range(len(frame))]
    return tuple("" if cell is None or cell != cell else str(cell) for cell in cells)


def _check_codes(
    frame: geopandas.GeoDataFrame, section: CountiesSection, path: Path
) -> list[Problem]:
    wanted = [section.code, section.name, section.city_code, section.city_name]
    for name in filter(None, wanted):
        if name not in frame:
            known = ", ".join(c for c in frame.columns if c != "geometry")
            raise InputError(Problem("E411", {"file": path, "name": name, "known": known}))
    codes = _text(frame[section.code])
    problems = []
    for code in codes[codes.duplicated()].unique():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(codes == code))
        times = rows.count(",") + 1
        fields = {"file": path, "code": code, "times": times, "rows": rows}
        problems.append(Problem("E404", fields))
    wrong = codes[~codes.str.fullmatch(r"\d{6}|\d{9}|\d{12}")]
    if len(wrong):
        listed = ", ".join(wrong[:5])
        problems.append(Problem("E406", {"file": path, "codes": listed}))
    return problems


def _repair(
    frame: geopandas.GeoDataFrame, path: Path
) -> tuple[geopandas.GeoDataFrame, list[Problem]]:
    """Make invalid polygons valid; an error where that changes their area."""
    problems = []
    shapes = np.asarray(frame.geometry.values, dtype=object)
    for row in np.flatnonzero(~shapely.is_valid(shapes)):
        parts = shapely.get_parts(shapely.make_valid(shapes[row]))
        valid = shapely.union_all([p for p in parts if shapely.get_dimensions(p) == 2])
        if valid.is_empty:
            raise InputError(Problem("E407", {"file": path, "rows": frame["code"].iloc[row]}))
        before = abs(shapes[row].area)
        change = abs(valid.area - before) / max(before, valid.area)
        fields = {"file": path, "code": frame["code"].iloc[row], "change": f"{change:.2%}"}
        fields["why"] = shapely.is_valid_reason(shapes[row])
        problems.append(Problem("E403" if change > REPAIRED else "W403", fields))
        shapes[row] = valid
    return frame.set_geometry(geopandas.GeoSeries(shapes, frame.index, crs=frame.crs)), problems


def _geodesic(frame: geopandas.GeoDataFrame) -> tuple[float, ...]:
    """Area of every polygon on the ellipsoid [m^2]; long edges are cut before they are bent."""
    assert frame.crs
    geod = frame.crs.get_geod()
    reach = 0.01 if frame.crs.is_geographic else 1000.0
    dense = frame.geometry.segmentize(reach).to_crs(frame.crs.geodetic_crs)
    return tuple(abs(geod.geometry_area_perimeter(shape)[0]) for shape in dense)


def _to_grid(frame: geopandas.GeoDataFrame, grid: Grid, path: Path) -> geopandas.GeoDataFrame:
    """Polygons in the CRS of the grid; never by a guessed datum shift."""
    assert frame.crs
    if not known_shift(frame.crs, grid.crs, tuple(frame.total_bounds)):
        fields = {"name": "counties", "file": path, "add": "", "add_zh": ""}
        fields |= {"crs": frame.crs.name, "want": grid.crs.name}
        raise InputError(Problem("E204", fields))
    return frame.to_crs(grid.crs)


def _universe(section: CountiesSection, folder: Path, grid: Grid, polygons: NDArray[Any]) -> Any:
    """Return the outline if one is given, else the union of the counties with its holes filled."""
    if section.outline:
        path = locate(folder, section.outline)
        outline = _to_grid(_read(path, None), grid, path)
        return shapely.union_all([*outline.geometry.values, *polygons])
    parts = shapely.get_parts(shapely.union_all(polygons))
    return shapely.union_all([shapely.Polygon(part.exterior) for part in parts])


def _check_cover(counties: Counties, path: Path) -> list[Problem]:
    """Overlaps, gaps, and counties that lie outside the rasters."""
    problems = []
    polygons, total = counties.polygons, float(shapely.area(counties.polygons).sum())
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    first, second = first[first < second], second[first < second]
    common = shapely.area(shapely.intersection(polygons[first], polygons[second])).tolist()
    shared = list(zip(common, first, second, strict=True))
    overlap = sum(common)
    if overlap > OVERLAP * total:
        worst = sorted(shared, reverse=True)[:3]
        names = ", ".join(f"{counties.codes[a]}+{counties.codes[b]}" for _, a, b in worst)
        fields = {"file": path, "share": f"{overlap / total:.2g}", "pairs": names}
        problems.append(Problem("E401", fields))
    gap = float(counties.universe.area) - (total - overlap)
    if gap > GAP * total:
        problems.append(Problem("W402", {"file": path, "share": f"{gap / total:.3%}"}))
    inside = counties.inside
    for row in np.flatnonzero(inside < COVERED):
        fields = {"file": path, "code": counties.codes[row], "name": counties.names[row]}
        problems.append(Problem("E405", fields | {"share": f"{inside[row]:.1%}"}))
    return problems


def owned_share(polygons: NDArray[Any]) -> NDArray[np.float64]:
    """Share of the area of every polygon that no polygon of a lower code overlaps."""
    owned = np.ones(len(polygons))
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    for row in np.unique(first):
        lower = polygons[second[(first == row) & (second < row)]]
        if len(lower):
            rest = shapely.difference(polygons[row], shapely.union_all(lower))
            owned[row] = rest.area / polygons[row].area
    return owned


def inside_share(polygons: NDArray[Any], grid: Grid) -> NDArray[np.float64]:
    """Share of the area of every polygon that lies on the grid."""
    t = grid.transform
    frame = shapely.box(t.c, t.f + t.e * grid.height, t.c + t.a * grid.width, t.f)
    share: NDArray[np.float64] = shapely.area(shapely.intersection(polygons, frame)) / shapely.area(
        polygons
    )
    return share
