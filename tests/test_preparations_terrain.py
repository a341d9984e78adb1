"""Slope, LS, vegetation cover, C and P: hand calculations of the printed formulas, laws.

What is made of whole arrays is checked against plain loops, and the depressions against another
algorithm, in this file.
"""

import csv
import io
import itertools
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
import small
import xarray as xr
from numpy.typing import NDArray
from rasterio.transform import from_origin

import gep
from gep import coefficients, rasters
from gep.ecosystems import ecosystems, members
from gep.fuse import routine
from gep.preparation import Preparation, preparations
from gep.preparations import slope_factor
from gep.preparations.cover_factor import by_class, cai2000
from gep.preparations.slope import horn
from gep.preparations.support_factor import by_slope
from gep.preparations.vegetation_cover import dimidiate
from gep.service import services
from gep.terrain import (
    NOWHERE,
    area_above,
    flood,
    flow,
    gathered,
    gradient,
    length_above,
    spread,
)
from gep.units import parse, registry

Array = NDArray[np.float64]
SIDE = 30.0
MINE = ("slope", "slope_factor", "vegetation_cover", "cover_factor", "support_factor")
KERNELS: dict[Callable[..., float], tuple[str, str]] = {
    dimidiate: ("vegetation_cover", "dimidiate"),
    by_class: ("cover_factor", "table"),
    cai2000: ("cover_factor", "cai2000"),
    by_slope: ("support_factor", "table"),
}


def cell(rows: int, height: float = SIDE, width: float = SIDE) -> tuple[Array, Array]:
    return np.full(rows, height), np.full(rows, width)


@cache
def shipped() -> coefficients.Book:
    book, problems = coefficients.load()
    assert problems == []
    return book


def numbers(name: str, method: str, ecosystem: str = "mixed_forest", **changes: float) -> list[Any]:
    """Coefficients on file in the order of the kernel, in its units; *changes* instead."""
    book = shipped()
    found: list[Any] = []
    for key, unit in preparations()[name, method].coefficients.items():
        on_file = book.coefficient(name, key)
        assert on_file, key
        number = on_file.number(unit, ecosystem=ecosystem, year=2021)
        assert number or key in changes, (key, ecosystem)
        found.append(changes[key] if key in changes else float(number[0]))  # type: ignore[index]
    return found


def ls(method: str, z: Array, slope: Array, ground: tuple[Array, Array], **changes: Any) -> Array:
    """LS by the numbers on file."""
    kernel = preparations()["slope_factor", method].kernel
    result = kernel(z, slope, *numbers("slope_factor", method, **changes), ground)
    assert isinstance(result, np.ndarray)
    return result


def hills(seed: int, rows: int = 40, columns: int = 50, holes: bool = True) -> Array:
    """Rough ground with pits, flats and, perhaps, holes."""
    random = np.random.default_rng(seed)
    rise = random.normal(size=(rows, columns)).cumsum(axis=0).cumsum(axis=1)
    ground: Array = np.round(np.abs(rise), 1) + 5.0 * random.random((rows, columns)).round(1)
    ground[10:14, 20:26] = ground[10, 20]
    if holes:
        ground[random.random((rows, columns)) < 0.01] = np.nan
    return ground


# ---- slope


@pytest.mark.parametrize(("east", "south"), [(0.1, 0.0), (0.0, -0.2), (0.3, 0.4), (0.0, 0.0)])
def test_slope_of_a_plane_is_exact_to_the_border_and_around_holes(
    east: float, south: float
) -> None:
    y, x = np.mgrid[0:7, 0:9]
    z = 100 + east * 25.0 * x + south * 40.0 * y
    z[3, 4] = np.nan
    rise = gradient(z, cell(7, 40.0, 25.0))
    there = ~np.isnan(z)
    np.testing.assert_allclose(rise[0][there], east, atol=1e-12)
    np.testing.assert_allclose(rise[1][there], south, atol=1e-12)
    slope = horn(z, cell(7, 40.0, 25.0))
    assert np.isnan(slope[3, 4])
    np.testing.assert_allclose(slope[there], math.degrees(math.atan(math.hypot(east, south))))


def test_slope_has_the_true_width_of_every_row() -> None:
    """On a grid in degrees rows get narrower towards the pole: the same rise is steeper."""
    widths = np.array([30.0, 28.0, 26.0, 24.0, 22.0])
    z = np.tile(np.arange(6) * 3.0, (5, 1))
    slope = horn(z, (np.full(5, 30.0), widths))
    np.testing.assert_allclose(np.tan(np.radians(slope[:, 2])), 3.0 / widths)


def test_slope_by_hand() -> None:
    """Horn: east ((3+2*6+9)-(1+2*4+7))/(8*10) = 0.1, south ((7+16+9)-(1+4+3))/80 = 0.3."""
    z = np.arange(1.0, 10.0).reshape(3, 3)
    slope = horn(z, cell(3, 10.0, 10.0))
    assert slope[1, 1] == pytest.approx(math.degrees(math.atan(math.hypot(0.1, 0.3))))


# ---- sides of pixels


def on(crs: str, west: float, north: float, pixel: float, shape: tuple[int, int]) -> rasters.Grid:
    """Grid of a projection; its areas are not asked."""
    where = from_origin(west, north, pixel, pixel)
    known = np.full(shape[0], pixel**2), np.ones(shape[1])
    return rasters.Grid(pyproj.CRS.from_user_input(crs), where, *shape, *known)


def geodesics(grid: rasters.Grid) -> tuple[Array, Array]:
    """Heights and widths of all pixels between the middles of their sides, on the ellipsoid [m]."""
    t = grid.transform
    back = pyproj.Transformer.from_crs(grid.crs, grid.crs.geodetic_crs, always_xy=True)
    middle = np.meshgrid(
        t.c + t.a * (np.arange(grid.width) + 0.5), t.f + t.e * (np.arange(grid.height) + 0.5)
    )
    geod = grid.crs.get_geod()
    assert geod

    def apart(x: float, y: float) -> Array:
        start = back.transform(middle[0] - x / 2, middle[1] - y / 2)
        end = back.transform(middle[0] + x / 2, middle[1] + y / 2)
        return np.asarray(geod.inv(*start, *end)[2])

    return apart(0.0, t.e), apart(t.a, 0.0)


ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84"
PROJECTED = {
    "EPSG:32650": (250_000, 3_400_000),  # UTM; Xi'an 1980 in a zone of 3 degrees; cylinders
    "EPSG:2362": (38_500_000, 3_400_000),
    "EPSG:6933": (11_200_000, 3_320_000),
    "EPSG:3857": (12_700_000, 3_320_000),
    ALBERS: (800_000, 3_100_000),
    "EPSG:3035": (4_300_000, 3_200_000),
    "EPSG:3413": (1_200_000, 700_000),
    "+proj=sinu +R=6371007.181": (11_000_000, 3_300_000),
}


@pytest.mark.parametrize("crs", PROJECTED)
def test_sides_of_every_pixel_are_geodesics(crs: str) -> None:
    """At 500 m a chord is a tangent to 1e-9, but for the ends of the geodesics themselves."""
    grid = on(crs, *PROJECTED[crs], 500.0, (420, 380))
    wanted = geodesics(grid)
    for found, side in zip(spread(rasters.cells(grid)), wanted, strict=True):
        np.testing.assert_allclose(np.broadcast_to(found, side.shape), side, rtol=3e-9)


@pytest.mark.parametrize("crs", PROJECTED)
def test_sides_of_a_pixel_do_not_hang_on_the_extent(crs: str) -> None:
    west, north = PROJECTED[crs]
    whole = on(crs, west, north, 500.0, (420, 380))
    part = on(crs, west + 500.0 * 251, north - 500.0 * 307, 500.0, (40, 30))
    for large, small_one in zip(
        spread(rasters.cells(whole)), spread(rasters.cells(part)), strict=True
    ):
        cut = np.broadcast_to(large, (420, 380))[307:347, 251:281]
        np.testing.assert_allclose(np.broadcast_to(small_one, (40, 30)), cut, rtol=1e-13)


def test_sides_of_a_cylinder_are_those_of_the_row() -> None:
    """No memory for what is the same all along a row; of other projections every pixel has two."""
    shapes = {
        crs: [side.shape for side in rasters.cells(on(crs, *place, 500.0, (42, 38)))]
        for crs, place in PROJECTED.items()
    }
    assert shapes["EPSG:6933"] == shapes["EPSG:3857"] == [(42,), (42,)]
    assert shapes["+proj=sinu +R=6371007.181"] == [(42, 38), (42,)]
    assert shapes["EPSG:32650"] == shapes[ALBERS] == [(42, 38), (42, 38)]


@pytest.mark.parametrize(
    ("crs", "west", "north"),
    [
        ("EPSG:3031", -20_000, 20_000),  # the pole, where a radian of longitude is nothing
        ("EPSG:6933", 11_200_000, 7_312_000),  # 100 m from the pole, where the cylinder ends
        ("+proj=moll", 17_990_000, 200_000),  # the edge of the world
    ],
)
def test_sides_where_a_projection_ends_are_asked_of_every_pixel(
    crs: str, west: float, north: float
) -> None:
    grid = on(crs, west, north, 500.0, (80, 80))
    wanted = geodesics(grid)
    for found, side in zip(rasters.cells(grid), wanted, strict=True):
        assert found.shape == (80, 80)
        assert np.isfinite(found).all()
        inner = slice(4, None)  # beside the pole chords are no tangents
        np.testing.assert_allclose(found[inner], side[inner], rtol=2e-3)


def test_pixels_outside_the_world_have_no_sides() -> None:
    heights, widths = rasters.cells(on("+proj=moll", 17_900_000, 200_000, 2000.0, (20, 200)))
    assert np.isnan(heights[:, -1]).all()
    assert np.isnan(widths[:, -1]).all()
    assert np.isfinite(heights[:, 0]).all()


@pytest.mark.parametrize("method", ["segmented", "desmet_govers", "invest_sdr"])
def test_sides_by_row_and_by_pixel_are_one(method: str) -> None:
    """The same sides given by row and of every pixel give the same slope and LS."""
    z, heights = hills(8), np.linspace(20.0, 30.0, 40)
    by_row = heights, np.full(40, 25.0)
    by_pixel = np.repeat(heights[:, None], 50, 1), np.full((40, 50), 25.0)
    np.testing.assert_array_equal(horn(z, by_row), horn(z, by_pixel))
    slope = horn(z, by_row)
    np.testing.assert_array_equal(ls(method, z, slope, by_row), ls(method, z, slope, by_pixel))


def test_slope_and_flow_have_the_true_sides_of_every_pixel() -> None:
    """Pixels twice as wide in the east: half as steep there, and twice the area above."""
    widths = np.where(np.arange(8) < 4, 25.0, 50.0) * np.ones((5, 1))
    ground = np.full((5, 8), 30.0), widths
    east = np.tile(np.arange(8) * 3.0, (5, 1))
    np.testing.assert_allclose(np.tan(np.radians(horn(east, ground)[2])), 3.0 / widths[2])
    south = np.tile(-3.0 * np.arange(5)[:, None], (1, 8))
    drained = flow(south, ground)
    above = area_above(drained, ground)
    np.testing.assert_allclose(above, np.arange(5)[:, None] * 30.0 * widths)
    across = flow(east, ground)
    np.testing.assert_allclose(across.reach[:, 1:], widths[:, 1:])


# ---- depressions and flow


def raised(elevation: Array) -> Array:
    """Filled elevation by Planchon and Darboux 2001: water everywhere, let down until it stays."""
    rows, columns = elevation.shape
    around = np.pad(elevation, 1, constant_values=np.nan)
    window = np.lib.stride_tricks.sliding_window_view(around, (3, 3))
    border = np.isnan(window).any(axis=(2, 3))
    water = np.where(border, elevation, np.inf)
    while True:
        padded = np.pad(np.where(np.isnan(water), np.inf, water), 1, constant_values=np.inf)
        lowest = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).min(axis=(2, 3))
        lower = np.where(border, elevation, np.maximum(elevation, np.minimum(water, lowest)))
        if np.array_equal(lower, water, equal_nan=True):
            return lower
        water = lower


@pytest.mark.parametrize("seed", range(6))
def test_depressions_are_filled_to_where_they_spill(seed: int) -> None:
    z = hills(seed)
    drained = flow(z, cell(len(z)))
    np.testing.assert_array_equal(drained.filled, raised(z))
    assert (drained.filled > z).any(), "there were depressions"


def test_pit_is_filled_by_hand() -> None:
    z = np.array([[9.0, 9, 9, 9], [9, 1, 2, 6], [9, 9, 9, 9]])
    drained = flow(z, cell(3))
    np.testing.assert_array_equal(drained.filled[1], [9, 6, 6, 6])
    np.testing.assert_array_equal(drained.receiver[1, 1:], [6, 7, 7])


@pytest.mark.parametrize("seed", range(6))
def test_water_takes_the_steepest_way_and_leaves(seed: int) -> None:
    """Against a loop over the pixels; sides are unequal, so the diagonal is neither of them."""
    z = hills(seed)
    height, width = 20.0, 30.0
    ground = cell(len(z), height, width)
    drained = flow(z, ground)
    rows, columns = z.shape
    for row, column in np.argwhere(~np.isnan(z)):
        falls = {}
        for y in range(max(row - 1, 0), min(row + 2, rows)):
            for x in range(max(column - 1, 0), min(column + 2, columns)):
                far = math.hypot((y - row) * height, (x - column) * width)
                if far and not math.isnan(z[y, x]):
                    falls[y, x] = (drained.filled[row, column] - drained.filled[y, x]) / far
        into = divmod(int(drained.receiver[row, column]), columns)
        if max(falls.values(), default=0.0) > 0:
            assert falls[into] == pytest.approx(max(falls.values()), rel=1e-12)
        elif into != (row, column):
            assert falls[into] == 0.0
        far = math.hypot((into[0] - row) * height, (into[1] - column) * width)
        assert drained.reach[row, column] == pytest.approx(far or math.sqrt(height * width))
    assert (drained.receiver[np.isnan(z)] == NOWHERE).all()
    outlets = np.flatnonzero(drained.receiver.ravel() == np.arange(z.size))
    whole = (area_above(drained, ground) + height * width).ravel()[outlets].sum()
    assert whole == pytest.approx(np.isfinite(z).sum() * height * width), "no drop stays inside"


def test_plane_drains_straight_down() -> None:
    """Not diagonally, though three neighbours are equally low; each row by itself."""
    z = np.tile(100 - 3.0 * np.arange(8), (6, 1))
    drained = flow(z, cell(6))
    np.testing.assert_array_equal(drained.receiver[:, :-1] % 8, np.tile(np.arange(1, 8), (6, 1)))
    above = area_above(drained, cell(6)) / SIDE**2
    np.testing.assert_array_equal(above, np.tile(np.arange(8.0), (6, 1)))


def test_valley_gathers_both_sides() -> None:
    """A V that falls south: every row adds its two sides of two pixels and its own middle."""
    y, x = np.mgrid[0:4, 0:5]
    z = 50.0 + 10.0 * np.abs(x - 2) - 1.0 * y
    drained = flow(z, cell(4))
    above = area_above(drained, cell(4)) / SIDE**2
    np.testing.assert_array_equal(drained.receiver[:, 2], [7, 12, 17, 17])
    np.testing.assert_array_equal(above[:, 2], [4, 9, 14, 19])
    np.testing.assert_array_equal(above[:, [0, 4]], 0)
    np.testing.assert_array_equal(above[:, [1, 3]], 1)


def test_compiled_routing_is_the_plain_one() -> None:
    z = hills(11)
    filled, reached = flood(z)
    compiled = routine(flood)(z)
    np.testing.assert_array_equal(filled, compiled[0])
    np.testing.assert_array_equal(reached, compiled[1])
    receiver = flow(z, cell(len(z))).receiver.ravel()
    amounts = np.random.default_rng(1).random(z.size)
    np.testing.assert_array_equal(gathered(receiver, amounts), routine(gathered)(receiver, amounts))


def test_turned_ground_gives_the_turned_factor() -> None:
    """No direction of the compass is better, where no two ways are equally steep and no pit is."""
    y, x = np.mgrid[0:30, 0:30]
    z = np.random.default_rng(5).random((30, 30)) * 0.9 - 2 * np.hypot(x - 14.5, y - 14.5)
    slope = horn(z, cell(30))
    plain = ls("segmented", z, slope, cell(30))
    for turns in (1, 2, 3):
        turned = ls("segmented", np.rot90(z, turns), np.rot90(slope, turns), cell(30))
        np.testing.assert_allclose(np.rot90(turned, -turns), plain, rtol=1e-12)


# ---- slope length


def lengths(
    z: Array, slope: Array, ends: Any = None, keeps: float = 0.5, longest: float = 122.0
) -> Array:
    drained = flow(z, cell(len(z)))
    ended = np.zeros(z.shape, bool) if ends is None else np.asarray(ends, bool)
    return length_above(drained, slope, ended, keeps, longest)


ROW = np.array([[50.0, 40.0, 30.0, 20.0, 10.0, 0.0]])
EVEN = np.full((1, 6), 18.0)


def test_length_grows_down_the_slope_to_its_limit() -> None:
    np.testing.assert_array_equal(lengths(ROW, EVEN), [[15, 45, 75, 105, 122, 122]])
    np.testing.assert_array_equal(lengths(ROW, EVEN, longest=1e9), [[15, 45, 75, 105, 135, 165]])


def test_length_begins_anew_at_a_break_of_slope() -> None:
    """18 to 8.9 degrees falls by more than half, to 9 it does not; a steeper one never ends it."""
    broken = np.array([[18.0, 18.0, 8.9, 8.9, 18.0, 18.0]])
    np.testing.assert_array_equal(lengths(ROW, broken), [[15, 45, 15, 45, 75, 105]])
    kept = np.array([[18.0, 18.0, 9.0, 9.0, 18.0, 18.0]])
    np.testing.assert_array_equal(lengths(ROW, kept), [[15, 45, 75, 105, 122, 122]])


def test_length_ends_in_a_channel() -> None:
    channel = [[False, False, True, True, False, False]]
    np.testing.assert_array_equal(lengths(ROW, EVEN, channel), [[15, 45, 15, 15, 15, 45]])


def test_length_of_a_diagonal_and_the_longest_of_several() -> None:
    z = np.array([[30.0, 99.0, 99.0], [99.0, 20.0, 99.0], [99.0, 99.0, 10.0]])
    slope = np.full((3, 3), 30.0)
    step = SIDE * math.sqrt(2)
    assert lengths(z, slope)[1, 1] == pytest.approx(step / 2 + step)
    assert lengths(z, slope)[2, 2] == pytest.approx(min(0.5 * step + 2 * step, 122.0))


def walked(
    z: Array, slope: Array, ground: tuple[Array, Array], channel_area: float, keeps: float = 0.5
) -> Array:
    """Length of the slope above every pixel [m], docs/methods.md#slope-factor, in plain Python.

    For ground without pits. Pixels are taken from the highest to the lowest, so all that drains
    into one is known before it. The way out of the grid is the side of a pixel, root of its area.
    """
    rows, columns = z.shape
    heights, widths = (np.broadcast_to(side.reshape(rows, -1), z.shape) for side in ground)
    into: dict[tuple[int, int], tuple[int, int] | None] = {}
    way, area = np.empty(z.shape), (heights * widths).astype(float)
    downwards = sorted(np.ndindex(z.shape), key=lambda at: -z[at])
    for y, x in downwards:
        steepest, into[y, x], way[y, x] = 0.0, None, math.sqrt(heights[y, x] * widths[y, x])
        for down, right in itertools.product((-1, 0, 1), repeat=2):
            if 0 <= y + down < rows and 0 <= x + right < columns and (down, right) != (0, 0):
                far = math.hypot(down * heights[y, x], right * widths[y, x])
                fall = (z[y, x] - z[y + down, x + right]) / far
                if fall > steepest:
                    steepest, into[y, x], way[y, x] = fall, (y + down, x + right), far
        border = y in (0, rows - 1) or x in (0, columns - 1)
        assert into[y, x] or border, "a pit"
    for at in downwards:
        if below := into[at]:
            area[below] += area[at]
    length = np.minimum(way / 2, 122.0)
    for at in downwards:
        below = into[at] or at
        goes_on = below != at and max(area[at], area[below]) < channel_area
        if goes_on and slope[below] >= keeps * slope[at]:
            length[below] = max(length[below], min(length[at] + way[at], 122.0))
    return length


@pytest.mark.parametrize("seed", range(4))
def test_lengths_are_those_of_a_walk_down_the_slope(seed: int) -> None:
    """Rough cones without pits, on pixels each of which has sides of its own."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:25, 0:30]
    z = 1000.0 - 8 * np.hypot(y - 12.3, x - 14.6) + 4.0 * random.random((25, 30))
    ground = 20 + 5 * random.random((25, 30)), 25 + 5 * random.random((25, 30))
    slope = horn(z, ground)
    drained = flow(z, ground)
    area = area_above(drained, ground) + ground[0] * ground[1]
    for channel_area in (3_000.0, 12_000.0, 1e9):
        found = length_above(drained, slope, area >= channel_area, 0.5, 122.0)
        wanted = walked(z, slope, ground, channel_area)
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
        assert len(np.unique(wanted)) > 50


def test_length_on_coarse_pixels_is_the_limit() -> None:
    z = np.array([[50.0, 40.0, 30.0]])
    drained = flow(z, cell(1, 1000.0, 1000.0))
    found = length_above(drained, np.full((1, 3), 5.0), np.zeros((1, 3), bool), 0.5, 122.0)
    np.testing.assert_array_equal(found, 122.0)


# ---- LS


STEEPNESS = {3: 0.595, 5: 0.964, 8: 1.838, 10: 2.845, 15: 4.711, 20: 6.534, 25: 8.300, 30: 9.995}


@pytest.mark.parametrize(("degrees", "wanted"), [*STEEPNESS.items(), (40, 9.995)])
def test_segmented_steepness(degrees: float, wanted: float) -> None:
    """At a length of 22.13 m L is 1, so LS is S."""
    z, slope = np.zeros((1, 1)), np.full((1, 1), float(degrees))
    found = ls("segmented", z, slope, cell(1, 44.26, 44.26))
    assert found[0, 0] == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize(
    ("length", "degrees", "wanted"), [(30, 8, 1.1643), (100, 15, 2.1257), (30, 2, 1.0956)]
)
def test_segmented_length(length: float, degrees: float, wanted: float) -> None:
    z, slope = np.zeros((1, 1)), np.full((1, 1), float(degrees))
    whole = ls("segmented", z, slope, cell(1, 2 * length, 2 * length), channel_area=1e9)
    steepness = ls("segmented", z, slope, cell(1, 44.26, 44.26))
    assert (whole / steepness)[0, 0] == pytest.approx(wanted, rel=1e-4)


def test_exponent_and_steepness_change_where_they_say() -> None:
    measure = np.array([1.0, 1.1, 3.0, 3.1, 5.0, 5.1, np.nan])
    exponent = slope_factor.exponent_of(measure, (1.0, 3.0, 5.0), (0.2, 0.3, 0.4, 0.5))
    np.testing.assert_array_equal(exponent, [0.2, 0.3, 0.3, 0.4, 0.4, 0.5, np.nan])


@pytest.mark.parametrize(
    ("above", "length", "whole"), [(0.0, 1.200, 2.900), (2700.0, 4.057, 9.807)]
)
def test_desmet_govers(above: float, length: float, whole: float) -> None:
    """10 degrees, 30 m, water across the side: m 0.5986, S 2.417, worked out by hand."""
    exponent = slope_factor.rill_exponent(np.array(10.0), 0.0896, 3.0, 0.8, 0.56)
    assert float(exponent) == pytest.approx(0.5986, abs=5e-5)
    area = np.array(900.0)
    found = slope_factor.length_factor(np.array(above), area, exponent, np.array(1.0), 22.13)
    assert float(found) == pytest.approx(length, rel=1e-3)
    columns = 1 + round(above / 900)
    z = np.tile(-30.0 * math.tan(math.radians(10)) * np.arange(columns), (1, 1))
    factor = ls("desmet_govers", z, np.full(z.shape, 10.0), cell(1))
    assert factor[0, -1] == pytest.approx(whole, rel=1e-3)


def test_desmet_govers_is_bounded_by_the_longest_slope() -> None:
    z = np.tile(-5.0 * np.arange(40.0), (1, 1))
    factor = ls("desmet_govers", z, np.full(z.shape, 10.0), cell(1))[0]
    reaches = int(122**2 / 900) + 1
    assert (np.diff(factor[: reaches + 1]) > 0).all()
    np.testing.assert_array_equal(factor[reaches:], factor[-1])


def test_desmet_govers_across_the_corner() -> None:
    """Water that crosses a pixel at 45 degrees has x = sqrt(2): L is less by that to the m."""
    y, x = np.mgrid[0:3, 0:3]
    slope = np.full((3, 3), 10.0)
    rise = SIDE * math.tan(math.radians(10))
    straight = ls("desmet_govers", -rise * x, slope, cell(3))
    corner = ls("desmet_govers", -rise * (x + y) / math.sqrt(2), slope, cell(3))
    m = float(slope_factor.rill_exponent(np.array(10.0), 0.0896, 3.0, 0.8, 0.56))
    assert corner[0, 0] / straight[0, 0] == pytest.approx(2 ** (-m / 2), rel=1e-12)


@pytest.mark.parametrize("method", ["segmented", "desmet_govers", "invest_sdr"])
def test_factor_of_rough_ground(method: str) -> None:
    """Finite and positive wherever there is ground, 0 on water, missing where anything is."""
    z = hills(3)
    slope = horn(z, cell(len(z)))
    there = ~np.isnan(z)
    dry = ls(method, z, slope, cell(len(z)))
    np.testing.assert_array_equal(np.isfinite(dry), there)
    assert (dry[there] > 0).all()
    land = np.ones(z.shape)
    land[:5], land[5:8] = 0.0, np.nan
    mixed = ls(method, z, slope, cell(len(z)), land=land)
    assert (mixed[:5][there[:5]] == 0).all()
    assert np.isnan(mixed[5:8]).all()
    np.testing.assert_array_equal(mixed[8:], dry[8:])
    unknown = slope.copy()
    unknown[20, 20] = np.nan
    assert np.isnan(ls(method, z, unknown, cell(len(z)))[20, 20])


@pytest.mark.parametrize("method", ["segmented", "desmet_govers", "invest_sdr"])
def test_level_ground_still_has_a_factor(method: str) -> None:
    """S is 0.03, not 0, so a plain is not without erosion."""
    z = np.full((4, 5), 7.0)
    factor = ls(method, z, np.zeros((4, 5)), cell(4))
    assert (factor > 0).all()
    assert (factor < 0.1).all()


def test_longer_slopes_and_fewer_cuts_never_lower_the_factor() -> None:
    z = hills(8, holes=False)
    slope = horn(z, cell(len(z)))
    plain = ls("segmented", z, slope, cell(len(z)))
    for changes in ({"longest_slope": 300.0}, {"slope_kept": 0.2}, {"channel_area": 1e12}):
        assert (ls("segmented", z, slope, cell(len(z)), **changes) >= plain - 1e-12).all()


def test_water_has_no_slope_factor_and_every_class_is_said() -> None:
    book = shipped()
    land = book.coefficient("slope_factor", "land")
    assert land
    water = {"lake", "river", "reservoir", "pond", "open_water"}
    for key in ecosystems():
        value = land.find(ecosystem=key)
        assert value is not None, key
        assert value.number == (0 if key in water else 1), key


# ---- vegetation cover, C, P


COVERS = (0.1, 0.3, 0.5, 0.7, 0.9)


def test_vegetation_cover_is_between_the_limits() -> None:
    assert [dimidiate(i, 0.05, 0.85) for i in (-0.3, 0.05, 0.45, 0.85, 0.99)] == pytest.approx(
        [0.0, 0.0, 0.5, 1.0, 1.0]
    )
    assert math.isnan(dimidiate(0.5, 0.6, 0.6)), "limits that leave no room give nothing"
    assert math.isnan(dimidiate(0.5, 0.9, 0.1)), "nor do limits the wrong way round"


def test_vegetation_cover_has_no_numbers_of_its_own() -> None:
    """NDVI of bare soil and of full cover are the user's: no default is shipped."""
    book = shipped()
    for name in ("soil_ndvi", "vegetation_ndvi"):
        found = book.coefficient("vegetation_cover", name)
        assert found
        assert found.values == {}


@pytest.mark.parametrize(
    ("cover", "wanted"), [(0.1, 0.816), (0.3, 0.5321), (0.5, 0.4001), (0.7, 0.3132), (0.9, 0.2482)]
)
def test_upland_formula(cover: float, wanted: float) -> None:
    given = numbers("cover_factor", "table", "upland")
    assert by_class(cover, *given) == pytest.approx(wanted, abs=5e-5)


def test_upland_formula_ends_at_its_least_cover() -> None:
    given = numbers("cover_factor", "table", "upland")
    least = 0.221 - 0.595 * math.log10(0.05)
    assert least == pytest.approx(0.9951, abs=5e-5)
    assert [by_class(f, *given) for f in (0.0, 0.03, 0.05)] == pytest.approx([least] * 3)


TABLE = {
    "evergreen_broadleaf_forest": (0.10, 0.08, 0.06, 0.02, 0.004, 0.001),
    "sparse_shrubland": (0.40, 0.22, 0.14, 0.085, 0.040, 0.011),
    "tussock": (0.45, 0.24, 0.15, 0.09, 0.043, 0.011),
    "orchard": (0.42, 0.23, 0.14, 0.089, 0.042, 0.011),
    "shrub_plantation": (0.40, 0.22, 0.14, 0.087, 0.042, 0.011),
    "paddy": (0.0,) * 6,
    "swamp": (0.0,) * 6,
    "built_up": (0.01,) * 6,
    "bare_land": (0.7,) * 6,
}


@pytest.mark.parametrize(("ecosystem", "levels"), TABLE.items(), ids=list(TABLE))
def test_cover_factor_by_class(ecosystem: str, levels: tuple[float, ...]) -> None:
    """Within the classes and at their lower limits; a limit belongs to the class above."""
    given = numbers("cover_factor", "table", ecosystem)
    assert [by_class(f, *given) for f in (0.0, *COVERS)] == list(levels)
    below = [math.nextafter(f, 0.0) for f in (*COVERS, 1.0)]
    assert [by_class(f, *given) for f in below] == list(levels)


def test_cover_factor_of_unknown_cropland_is_that_of_upland() -> None:
    upland, unknown = (
        numbers("cover_factor", "table", key) for key in ("upland", "unspecified_cropland")
    )
    assert upland == unknown


@pytest.mark.parametrize(
    ("percent", "wanted"),
    [(10, 0.30720), (30, 0.14326), (50, 0.067034), (70, 0.016824), (78.3, 0.00010346)],
)
def test_cai(percent: float, wanted: float) -> None:
    given = numbers("cover_factor", "cai2000")
    assert cai2000(percent, *given) == pytest.approx(wanted, rel=1e-4)


def test_cai_outside_its_curve() -> None:
    given = numbers("cover_factor", "cai2000")
    assert [cai2000(c, *given) for c in (0.0, 0.1, 78.31, 100.0)] == [1.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("method", ["table", "cai2000"])
@pytest.mark.parametrize("ecosystem", list(TABLE) + ["upland"])
def test_more_cover_never_raises_the_factor(method: str, ecosystem: str) -> None:
    one = preparations()["cover_factor", method]
    times = 100.0 if method == "cai2000" else 1.0
    given = numbers("cover_factor", method, ecosystem)
    found = [one.kernel(f * times, *given) for f in np.linspace(0.0, 1.0, 501)]
    assert all(
        0.0 <= after <= before <= 1.0 for before, after in zip(found, found[1:], strict=False)
    )  # type: ignore[operator]


def test_support_factor_of_sloping_cropland() -> None:
    levels = (0.100, 0.221, 0.305, 0.575, 0.705, 0.800)
    for ecosystem in ("upland", "orchard", "shrub_plantation", "unspecified_cropland"):
        given = numbers("support_factor", "table", ecosystem)
        assert [by_slope(t, *given) for t in (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)] == list(levels)
        assert [by_slope(t, *given) for t in (4.9, 9.9, 14.9, 19.9, 24.9, 60.0)] == list(levels)


@pytest.mark.parametrize(
    ("ecosystem", "wanted"), [("paddy", 0.1), ("mixed_forest", 1.0), ("lake", 1.0), ("swamp", 1.0)]
)
def test_support_factor_elsewhere_knows_no_slope(ecosystem: str, wanted: float) -> None:
    given = numbers("support_factor", "table", ecosystem)
    assert {by_slope(t, *given) for t in (0.0, 7.0, 44.0)} == {wanted}


@pytest.mark.parametrize(
    ("name", "method"), [("cover_factor", "table"), ("support_factor", "table")]
)
def test_every_class_of_soil_retention_has_its_numbers(name: str, method: str) -> None:
    retention = services()["soil_retention", "rusle"].indicators[0]
    for one in members(retention.ecosystems):  # type: ignore[union-attr]
        assert all(math.isfinite(number) for number in numbers(name, method, one.key)), one.key


# ---- what every kernel keeps


@pytest.mark.parametrize("kernel", KERNELS)
def test_missing_in_missing_out(kernel: Callable[..., float]) -> None:
    one = preparations()[KERNELS[kernel]]
    assert one.example
    for name in one.example.inputs:
        assert math.isnan(kernel(**one.example.inputs | {name: math.nan})), name
    assert math.isnan(kernel(*[math.nan] * len(one.example.inputs)))


@pytest.mark.parametrize("kernel", KERNELS)
def test_compiled_kernel_is_the_plain_one(kernel: Callable[..., float]) -> None:
    one = preparations()[KERNELS[kernel]]
    assert one.example
    compiled = routine(kernel)
    random = np.random.default_rng(7)
    names = list(one.example.inputs)
    first = one.example.inputs[names[0]]
    for value in [*(random.random(300) * 2.2 * first), 0.0, -first, math.nan]:
        given = [float(value), *list(one.example.inputs.values())[1:]]
        np.testing.assert_array_equal(compiled(*given), kernel(*given))


@pytest.mark.parametrize("kernel", KERNELS)
def test_example_holds(kernel: Callable[..., float]) -> None:
    one = preparations()[KERNELS[kernel]]
    assert one.example
    assert kernel(**one.example.inputs) == pytest.approx(one.example.gives, rel=1e-12)


@pytest.mark.parametrize("kernel", [dimidiate, by_class, by_slope])
@pytest.mark.parametrize("base", [False, True])
def test_units_go_through_the_formula(kernel: Callable[..., Any], base: bool) -> None:
    """cai2000 is left out: its logarithm is of per cent, as printed."""
    one = preparations()[KERNELS[kernel]]
    assert one.example
    declared = one.rasters | one.coefficients
    given = {name: one.example.inputs[name] * parse(unit) for name, unit in declared.items()}
    if base:
        given = {name: quantity.to_base_units() for name, quantity in given.items()}
    found = registry().Quantity(kernel(**given))
    assert found.to(parse(one.gives).units).magnitude == pytest.approx(one.example.gives)


def test_slope_in_per_cent_is_refused() -> None:
    """100 per cent are 45 degrees, not 57: the two are not one factor apart."""
    from gep.errors import UnitError
    from gep.units import factor

    with pytest.raises(UnitError, match="slope: 'percent' is dimensionless, but 'degree'"):
        factor("percent", "degree", "slope")


def of(name: str) -> list[Preparation]:
    return [one for (raster, _), one in preparations().items() if raster == name]


def test_methods_in_the_order_they_are_taken() -> None:
    assert [[one.method for one in of(name)] for name in MINE] == [
        ["horn"],
        ["segmented", "desmet_govers", "invest_sdr"],
        ["dimidiate"],
        ["table", "cai2000"],
        ["table"],
    ]


# ---- from the raw rasters to the account


def raw(folder: Path, **change: Any) -> Path:
    """Account whose LS, C and P come from a plane that falls south and from NDVI."""
    row, column = np.indices((small.ROWS, small.COLUMNS)).astype(float)
    return small.write(
        folder,
        rasters={
            **dict.fromkeys(("slope_factor", "cover_factor", "support_factor")),
            "elevation": 500 - 10 * row,
            "ndvi": 0.2 + 0.01 * column,
        },
        change={
            "rasters.elevation": {"file": "elevation.tif", "unit": "m"},
            "rasters.ndvi": {"file": "ndvi.tif", "unit": "1"},
            "preparations.vegetation_cover.parameters": {"soil_ndvi": 0.1, "vegetation_ndvi": 0.9},
            "preparations.slope_factor.parameters": {"channel_area": 0.095},  # [km^2]
        }
        | change,
    )


def kept(given: dict[str, Array]) -> Array:
    """Soil retained by pixel [t/year]: the formulas of the page written out, one hectare each."""
    row, column = np.indices((small.ROWS, small.COLUMNS)).astype(float)
    high = small.sides()[0][:, None]
    sine = np.sin(np.arctan(10 / high))
    ground = small.sides()
    length = walked(500 - 10 * row, np.degrees(np.arctan(10 / high)) + 0 * row, ground, 95_000.0)
    factor = (16.8 * sine - 0.5) * (length / 22.13) ** 0.5
    cover = (0.1 + 0.01 * column) / 0.8
    level = np.digitize(cover, COVERS)
    upland = 0.221 - 0.595 * np.log10(np.maximum(cover, 0.05))
    forest, shrubs, grass = (
        np.array(TABLE[key])[level]
        for key in ("evergreen_broadleaf_forest", "sparse_shrubland", "tussock")
    )
    codes = small.classes()
    kinds = [np.isin(codes, (11, 13, 16)), codes == 21, codes == 33, codes == 52]
    c = np.select([*kinds, np.isin(codes, (41, 51))], [forest, shrubs, grass, upland, 0.0], np.nan)
    p = np.where(codes == 52, 0.221, np.where(codes == 51, 0.1, 1.0))
    return given["erosivity"] * given["erodibility"] * factor * (1 - c * p)


def test_account_from_elevation_and_ndvi(tmp_path: Path) -> None:
    """Slope makes LS and P, NDVI makes cover and cover C: a chain of five rasters."""
    result = gep.open(raw(tmp_path)).run()
    text = result.files()["accounts.csv"].decode("utf-8-sig")
    rows = [r for r in csv.DictReader(io.StringIO(text)) if r["indicator"] == "soil_retention"]
    wanted, where = kept({k: v.astype(float) for k, v in small.arrays().items()}), small.places()
    for number, code in enumerate(small.CODES):
        ours = [float(row["quantity"]) for row in rows if row["county_code"] == code]
        assert sum(ours) == pytest.approx(np.nansum(wanted[where == number]), rel=2e-6)
    made = {path.name.rpartition("_")[0] for path in tmp_path.rglob("prepared/*.tif")}
    assert made == {*MINE}


def test_numbers_of_bare_soil_and_full_cover_are_asked_for(tmp_path: Path) -> None:
    """Without them there is no cover, so no C, and soil retention is left out, not guessed."""
    path = raw(tmp_path, **{"preparations.vegetation_cover.parameters": None})
    uncovered = gep.open(path).check().plan.uncovered
    assert ("soil_retention", "soil_retention") in {(u.service, u.indicator) for u in uncovered}
    asked = {"preparations.vegetation_cover": {"method": "dimidiate"}}
    (problem,) = gep.open(raw(tmp_path / "asked", **asked)).check().problems
    assert problem.code == "E802"
    for name in ("soil_ndvi", "vegetation_ndvi"):
        assert f"preparations.vegetation_cover.parameters.{name}" in problem.text()


def test_factors_on_arrays_of_xarray() -> None:
    """The same through Python: elevation to slope to LS, by the numbers on file."""
    z = hills(4, holes=False)
    elevation = xr.DataArray(z, dims=("y", "x"), attrs={"units": "m"})
    steep = gep.preparations["slope"](elevation=elevation, cell=SIDE)
    assert steep.attrs["units"] == "degree"
    np.testing.assert_array_equal(steep, horn(z, cell(len(z))))
    kinds = xr.full_like(elevation, "upland", dtype=object)
    kinds[:, :7] = "lake"
    factor = gep.preparations["slope_factor"](
        elevation=elevation, slope=steep, ecosystem=kinds, cell=SIDE
    )
    plain = ls("segmented", z, steep.values, cell(len(z)))
    np.testing.assert_array_equal(factor[:, 7:], plain[:, 7:])
    assert (factor[:, :7] == 0).all()
