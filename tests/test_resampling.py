"""Layers on a grid of their own: against a plain definition, GDAL's warper, and the laws."""

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pyproj
import pytest
import small
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.warp import Resampling, reproject

import gep
from gep import rasters, resampling
from gep.cli import main
from gep.rasters import Grid
from gep.resampling import Method, Native, Own, way

P, NEP = "precipitation", "net_ecosystem_production"
FLAT = pyproj.CRS("EPSG:6933")
SHIFT = (11_200_000.0, 3_320_000.0)


def account(height: int, width: int, crs: str = "EPSG:6933", pixel: float = 30.0) -> Grid:
    """A grid whose pixels differ in area by row and column, as if they were known so."""
    transform = from_origin(*SHIFT, pixel, pixel)
    rows = pixel**2 * (1 + 1e-4 * np.arange(height))
    return Grid(pyproj.CRS(crs), transform, height, width, rows, 1 + 1e-5 * np.arange(width))


def native(source: NDArray[Any], own: Own, grid: Grid, method: Method) -> Native:
    """Reader of a layer in memory."""

    def read(box: resampling.Box, bands: int | None) -> NDArray[np.float32]:
        top, left, height, width = box
        return source[None, top : top + height, left : left + width].astype(np.float32)

    return Native(way(own, grid, method), read)


def part(reader: Native, box: resampling.Box) -> NDArray[np.float32]:
    """Part of a layer on the account grid."""
    out = np.empty((1, *box[2:]), np.float32)
    reader.fill(box, None, out)
    return out[0]


def brought(
    source: NDArray[Any], transform: Affine, grid: Grid, method: Method, crs: Any = FLAT
) -> NDArray[np.float32]:
    """A whole layer on the account grid."""
    own = Own(pyproj.CRS(crs), transform, *source.shape)
    return part(native(source, own, grid, method), (0, 0, grid.height, grid.width))


def places(grid: Grid, transform: Affine) -> tuple[NDArray[Any], NDArray[Any]]:
    """Column and row of a layer at which the centre of every account pixel lies, same CRS."""
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    return ~transform * (grid.transform * (columns, rows))


def defined(source: NDArray[Any], x: float, y: float, smooth: bool) -> float:
    """What the definition gives at one place of a layer, in plain Python."""
    row, column = math.floor(y + 1e-6), math.floor(x + 1e-6)
    if not (0 <= row < source.shape[0] and 0 <= column < source.shape[1]):
        return math.nan
    own = float(source[row, column])
    if not smooth or math.isnan(own):
        return own
    top, left = math.floor(y - 0.5), math.floor(x - 0.5)
    total = weight = 0.0
    for i in (0, 1):
        for j in (0, 1):
            inside = 0 <= top + i < source.shape[0] and 0 <= left + j < source.shape[1]
            one = float(source[top + i, left + j]) if inside else math.nan
            if not math.isnan(one):
                share = abs(1 - i - (y - 0.5 - top)) * abs(1 - j - (x - 0.5 - left))
                total, weight = total + share * one, weight + share
    return total / weight


def by_definition(
    source: NDArray[Any], x: NDArray[Any], y: NDArray[Any], smooth: bool
) -> NDArray[np.float64]:
    found = [defined(source, a, b, smooth) for a, b in zip(x.ravel(), y.ravel(), strict=True)]
    return np.array(found).reshape(x.shape)


def assert_near(found: NDArray[Any], expected: NDArray[Any], within: float) -> None:
    """Equal holes, and numbers equal to a share of the largest."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    scale = float(np.nanmax(np.abs(expected), initial=1e-30))
    np.testing.assert_allclose(found, expected, rtol=0, atol=within * scale)


def layer(seed: int, height: int, width: int, holes: float) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    values = rng.normal(1000, 400, (height, width)).astype(np.float32)
    values[rng.random((height, width)) < holes] = np.nan
    return values


LAYERS = {
    "seed": st.integers(0, 2**32 - 1),
    "scale": st.tuples(st.floats(1, 40), st.floats(1, 40)),
    "offset": st.tuples(st.floats(-1.5, 0.5), st.floats(-1.5, 0.5)),
    "shape": st.tuples(st.integers(1, 9), st.integers(1, 9)),
    "holes": st.sampled_from([0.0, 0.0, 0.2, 0.9]),
    "flipped": st.booleans(),
}


def placed(
    shape: tuple[int, int],
    scale: tuple[float, float],
    offset: tuple[float, float],
    flipped: bool = False,
) -> Affine:
    """Transform of a layer whose pixels are *scale* account pixels, *offset* of its own away."""
    step_x, step_y = 30 * scale[1], -30 * scale[0]
    west, north = SHIFT[0] + offset[1] * step_x, SHIFT[1] + offset[0] * step_y
    if flipped:  # the first row in the south
        north, step_y = north + shape[0] * step_y, -step_y
    return Affine(step_x, 0, west, 0, step_y, north)


@pytest.mark.parametrize("smooth", [True, False], ids=["bilinear", "nearest"])
@settings(max_examples=60, deadline=None)
@given(**LAYERS)
def test_a_layer_in_the_same_system_is_what_the_definition_says(
    smooth: bool, seed: int, scale: Any, offset: Any, shape: Any, holes: float, flipped: bool
) -> None:
    grid, source = account(37, 41), layer(seed, *shape, holes)
    transform = placed(shape, scale, offset, flipped)
    x, y = places(grid, transform)
    found = brought(source, transform, grid, "bilinear" if smooth else "nearest")
    near = [np.abs(z + shift - np.round(z + shift)) < 1e-4 for z in (x, y) for shift in (0.0, 0.5)]
    clear = ~np.logical_or.reduce(near)  # not on an edge or a centre, where a rounding decides
    expected = by_definition(source, x, y, smooth)
    assert_near(found[clear][None], expected[clear][None], 1e-6)


def test_a_centre_on_the_edge_of_two_pixels_belongs_to_the_later() -> None:
    source = np.array([[1, 2], [3, 4]], np.float32)
    grid = account(3, 3)
    transform = from_origin(SHIFT[0] - 45, SHIFT[1] + 15, 60, 60)
    found = brought(source, transform, grid, "nearest")
    np.testing.assert_array_equal(found, [[2, 2, np.nan], [4, 4, np.nan], [4, 4, np.nan]])


def test_between_centres_by_hand() -> None:
    """Two pixels of 4 account pixels: centres lie 1/8, 3/8 … of the way; half a pixel is level."""
    source = np.array([[0, 8]], np.float32)
    found = brought(source, from_origin(*SHIFT, 120, 120), account(4, 8), "bilinear")
    np.testing.assert_array_equal(found, [[0, 0, 1, 3, 5, 7, 8, 8]] * 4)


def test_next_to_a_hole_by_hand() -> None:
    """What is a hole stays one; beside it the neighbours that are there count alone."""
    source = np.array([[0, np.nan, 8, 4]], np.float32)
    found = brought(source, from_origin(*SHIFT, 60, 60), account(2, 8), "bilinear")
    gone = np.nan
    np.testing.assert_array_equal(found, [[0, 0, gone, gone, 8, 7, 5, 4]] * 2)


@settings(max_examples=25, deadline=None)
@given(
    seed=LAYERS["seed"],
    scale=st.floats(1.1, 40),
    offset=st.tuples(st.floats(-1.5, 0.5), st.floats(-1.5, 0.5)),
    holes=st.sampled_from([0.0, 0.2]),
    method=st.sampled_from(["nearest", "bilinear"]),
)
def test_a_layer_in_the_same_system_is_what_gdal_makes_of_it(
    seed: int, scale: float, offset: Any, holes: float, method: Any
) -> None:
    grid, source = account(37, 41), layer(seed, 8, 8, holes)
    transform = placed((8, 8), (scale, scale), offset)
    x, y = places(grid, transform)
    near = [np.abs(z - np.round(z)) < 1e-3 for z in (x, y)]
    expected = warped(source, transform, FLAT, grid, Resampling[method])
    found = brought(source, transform, grid, method)
    found, expected = (np.where(near[0] | near[1], 0, z) for z in (found, expected))
    assert_near(found, expected, 2e-6)


def warped(
    source: NDArray[Any], transform: Affine, crs: Any, grid: Grid, method: Resampling
) -> NDArray[np.float32]:
    """The layer as GDAL brings it to the grid, without approximation."""
    out = np.full((grid.height, grid.width), np.nan, np.float32)
    reproject(
        source,
        out,
        src_transform=transform,
        src_crs=crs.to_wkt(),
        dst_transform=grid.transform,
        dst_crs=grid.crs.to_wkt(),
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=method,
        tolerance=0,
    )
    return out


def area_shares(ratio: float, start: float, count: int, size: int) -> NDArray[np.float64]:
    """Share of each account pixel that lies in each pixel of a layer, shape (count, size)."""
    low = start + np.arange(count)[:, None] * ratio
    k = np.arange(size)[None]
    return np.clip(np.minimum(low + ratio, k + 1) - np.maximum(low, k), 0, None) / ratio


@settings(max_examples=60, deadline=None)
@given(
    seed=LAYERS["seed"],
    ratio=st.tuples(st.floats(0.2, 6), st.floats(0.2, 6)),
    offset=st.tuples(st.floats(-3, 1), st.floats(-3, 1)),
    holes=st.sampled_from([0.0, 0.3]),
)
def test_an_average_is_the_mean_by_area(seed: int, ratio: Any, offset: Any, holes: float) -> None:
    shape = (23, 17)
    grid, source = account(9, 8), layer(seed, *shape, holes)
    transform = placed(shape, (1 / ratio[0], 1 / ratio[1]), offset)
    down = area_shares(ratio[0], -offset[0], 9, 23)
    across = area_shares(ratio[1], -offset[1], 8, 17)
    known = down @ ~np.isnan(source) @ across.T
    with np.errstate(invalid="ignore", divide="ignore"):
        expected = down @ np.nan_to_num(source) @ across.T / known
    expected[known < 0.5] = np.nan
    found = brought(source, transform, grid, "average")
    doubtful = np.abs(known - 0.5) < 1e-4
    assert_near(np.where(doubtful, 0, found), np.where(doubtful, 0, expected), 1e-5)


def test_an_average_of_whole_pixels_is_that_of_blocks() -> None:
    source = layer(3, 24, 30, 0.0)
    found = brought(source, from_origin(*SHIFT, 10, 10), account(8, 10), "average")
    blocks = source.reshape(8, 3, 10, 3).mean(axis=(1, 3), dtype=float)
    np.testing.assert_allclose(found, blocks, rtol=1e-6)


def summed(
    source: NDArray[Any], transform: Affine, grid: Grid, crs: Any = FLAT
) -> tuple[float, float]:
    """Sum of what a layer of amounts comes to, times the areas, and its own."""
    own = Own(pyproj.CRS(crs), transform, *source.shape)
    made, box = way(own, grid, "conserved"), (0, 0, grid.height, grid.width)
    needed = made.needs(box)
    assert needed
    top, left, height, width = needed
    read = source[top : top + height, left : left + width].astype(np.float32)
    out = np.full((grid.height, grid.width), np.nan)
    made.bring(np.ascontiguousarray(read), (top, left), box, out)
    areas = np.outer(grid.row_areas, grid.column_factors)
    return float(np.nansum(out * areas)), float(np.nansum(source.astype(float)))


@settings(max_examples=60, deadline=None)
@given(
    seed=LAYERS["seed"],
    scale=st.tuples(st.floats(1, 40), st.floats(1, 40)),
    offset=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    holes=st.sampled_from([0.0, 0.3]),
    flipped=st.booleans(),
)
def test_amounts_are_conserved(
    seed: int, scale: Any, offset: Any, holes: float, flipped: bool
) -> None:
    """Whatever the alignment, with pixels no smaller than the account's."""
    shape = (4, 5)
    grid = account(*(math.ceil((n + 1) * s) + 1 for n, s in zip(shape, scale, strict=True)))
    source = np.abs(layer(seed, *shape, holes))
    transform = placed(shape, scale, offset, flipped)
    found, there = summed(source, transform, grid)
    assert found == pytest.approx(there, rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(
    seed=LAYERS["seed"],
    scale=st.tuples(st.floats(0.2, 1.6), st.floats(0.2, 1.6)),
    offset=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_amounts_in_smaller_pixels_are_conserved_at_any_alignment(
    seed: int, scale: Any, offset: Any
) -> None:
    """A layer wider than the account, of nothing beyond its middle."""
    source = np.zeros((40, 50))
    source[12:28, 15:35] = np.abs(layer(seed, 16, 20, 0.0))
    grid = account(*(math.ceil(30 * one) for one in scale))
    transform = placed((40, 50), scale, (-10 - offset[0], -10 - offset[1]))
    found, there = summed(source, transform, grid)
    assert found == pytest.approx(there, rel=1e-9)


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_amounts_in_smaller_pixels_add_up(parts: int) -> None:
    grid = account(20, 30)
    source = np.abs(layer(parts, 20 * parts, 30 * parts, 0.0))
    transform = from_origin(*SHIFT, 30 / parts, 30 / parts)
    found, there = summed(source, transform, grid)
    assert found == pytest.approx(there, rel=1e-9)
    source[parts, 5] = np.nan  # one part of one pixel: the whole pixel is missing
    made = brought(source, transform, grid, "conserved")
    assert np.argwhere(np.isnan(made)).tolist() == [[1, 5 // parts]]


def test_amounts_beyond_the_account_are_not_pushed_into_it() -> None:
    """A pixel of amount 16, half of it beyond the western edge: 8 are in the account."""
    grid = Grid(FLAT, from_origin(*SHIFT, 30, 30), 4, 4, np.full(4, 900.0), np.ones(4))
    source = np.full((1, 2), 16, np.float32)
    found, _ = summed(source, from_origin(SHIFT[0] - 60, SHIFT[1], 120, 120), grid)
    assert found == pytest.approx(8 + 8, rel=1e-12)


def test_amounts_on_the_account_grid_are_divided_by_the_area_of_their_pixel() -> None:
    grid, source = account(5, 6), np.abs(layer(1, 5, 6, 0.2))
    found = brought(source, grid.transform, grid, "conserved")
    areas = np.outer(grid.row_areas, grid.column_factors)
    assert_near(found * areas, source, 1e-6)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average"])
def test_a_level_layer_stays_level(method: Method) -> None:
    source = np.full((9, 9), 0.1, np.float32)
    for scale in (1.0, 3.7, 32.0):
        found = brought(
            source, placed((9, 9), (scale, scale), (-0.3, -0.4)), account(20, 21), method
        )
        known = found[~np.isnan(found)]
        assert known.size
        assert set(known) == {np.float32(0.1)} if method != "average" else np.ptp(known) < 1e-8


def test_an_inclined_layer_stays_inclined() -> None:
    row, column = np.indices((12, 12)) + 0.5
    source = (5 * row - 3 * column).astype(np.float32)
    grid, transform = account(60, 50), placed((12, 12), (6.4, 5.1), (-1.2, -1.1))
    x, y = places(grid, transform)
    assert min(x.min(), y.min()) > 0.5
    assert max(x.max(), y.max()) < 11.5
    np.testing.assert_allclose(
        brought(source, transform, grid, "bilinear"), 5 * y - 3 * x, atol=1e-5
    )


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average"])
@pytest.mark.parametrize("pixel", [30.0, 1 / 3])
def test_pixels_that_coincide_give_their_very_numbers(method: Method, pixel: float) -> None:
    source = layer(2, 60, 70, 0.2)
    grid = account(30, 40, pixel=pixel)
    found = brought(
        source, from_origin(SHIFT[0] - 7 * pixel, SHIFT[1] + 11 * pixel, pixel, pixel), grid, method
    )
    if method == "average":
        assert_near(found, source[11:41, 7:47], 1e-6)
    else:
        np.testing.assert_array_equal(found, source[11:41, 7:47])


WAYS: dict[str, tuple[Any, Affine, Method]] = {
    "bilinear": (FLAT, placed((9, 9), (7.3, 6.1), (-0.4, -0.7)), "bilinear"),
    "nearest": (FLAT, placed((9, 9), (7.3, 6.1), (-0.4, -0.7)), "nearest"),
    "average": (FLAT, placed((9, 9), (7.3, 6.1), (-0.4, -0.7)), "average"),
    "conserved": (FLAT, placed((9, 9), (7.3, 6.1), (-0.4, -0.7)), "conserved"),
    "degrees": ("EPSG:4326", from_origin(116.077, 26.985, 0.0021, 0.0021), "bilinear"),
    "degrees, amounts": ("EPSG:4326", from_origin(116.077, 26.985, 0.0021, 0.0021), "conserved"),
}


@pytest.mark.parametrize("name", WAYS)
def test_the_same_numbers_come_of_any_window(name: str) -> None:
    crs, transform, method = WAYS[name]
    source = np.abs(layer(5, 9, 9, 0.15))
    grid = account(67, 59)
    own = Own(pyproj.CRS(crs), transform, 9, 9)
    whole = part(native(source, own, grid, method), (0, 0, 67, 59))
    assert 0.1 < np.isnan(whole).mean() < 0.6
    rng = np.random.default_rng(2)
    reader = native(source, own, grid, method)
    for _ in range(40):
        top, left = int(rng.integers(67)), int(rng.integers(59))
        high, wide = int(rng.integers(1, 68 - top)), int(rng.integers(1, 60 - left))
        found = part(reader, (top, left, high, wide))
        np.testing.assert_array_equal(found, whole[top : top + high, left : left + wide])


def test_a_part_is_read_once_for_many_tiles_and_a_large_one_in_pieces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid, source = account(256, 256), layer(1, 40, 40, 0.1)
    own = Own(FLAT, placed((40, 40), (8, 8), (-0.5, -0.5)), 40, 40)
    seen: list[resampling.Box] = []
    reader = native(source, own, grid, "bilinear")
    inner = reader.read
    reader.read = lambda box, bands: seen.append(box) or inner(box, bands)  # type: ignore[func-returns-value]
    for top in range(0, 256, 64):
        for left in range(0, 256, 64):
            part(reader, (top, left, 64, 64))
    assert seen == [(0, 0, 40, 40)]
    whole = part(reader, (0, 0, 256, 256))
    monkeypatch.setattr(resampling, "MOST", 100)
    monkeypatch.setattr(resampling, "HELD", 0)
    seen.clear()
    reader.lately.part = None
    np.testing.assert_array_equal(part(reader, (0, 0, 256, 256)), whole)
    assert len(seen) > 10
    assert max(box[2] * box[3] for box in seen) <= 100


def test_a_part_is_read_once_for_all_threads_and_tiles_of_the_file_whole() -> None:
    grid, source = account(1024, 64), layer(1, 400, 40, 0.1)
    own = Own(FLAT, placed((400, 40), (2.56, 1.6), (0, 0)), 400, 40)
    seen: list[resampling.Box] = []
    one = native(source, own, grid, "bilinear")
    inner = one.read
    one.read = lambda box, bands: seen.append(box) or inner(box, bands)  # type: ignore[func-returns-value]
    one.block = 128
    readers = one, replace(one)
    assert readers[0].lately is readers[1].lately
    for turn, top in enumerate(range(0, 1024, 64)):
        found = part(readers[turn % 2], (top, 0, 64, 64))
        alone = native(source, own, grid, "bilinear")
        np.testing.assert_array_equal(found, part(alone, (top, 0, 64, 64)))
    assert all(box[0] % 128 == 0 and box[1:4:2] == (0, 40) for box in seen)
    assert len(seen) <= 7  # four blocks, and at most three pairs of them


def exactly(grid: Grid, own: Own) -> tuple[NDArray[Any], NDArray[Any]]:
    """Column and row of a layer at which every account pixel lies: each one asked of PROJ."""
    columns, rows = np.meshgrid(np.arange(grid.width) + 0.5, np.arange(grid.height) + 0.5)
    to = pyproj.Transformer.from_crs(grid.crs, own.crs, always_xy=True)
    return ~own.transform * to.transform(*(grid.transform * (columns, rows)))


OTHERS: dict[str, tuple[Any, Affine]] = {
    "degrees": ("EPSG:4326", from_origin(116.070, 27.013, 0.0021, 0.0021)),
    "UTM": ("EPSG:32650", from_origin(408_000, 2_988_000, 250, 250)),
    "Albers": ("ESRI:102025", from_origin(1_957_700, -145_600, 300, 300)),
    "sinusoidal": (
        "+proj=sinu +R=6371007.181 +units=m",
        from_origin(11_498_000, 3_003_000, 463.3127, 463.3127),
    ),
    "rotated": (FLAT, Affine(170, 60, SHIFT[0] - 900, -50, -190, SHIFT[1] + 800)),
}


@pytest.mark.parametrize("smooth", [True, False], ids=["bilinear", "nearest"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_layer_in_another_system_is_what_the_definition_says(name: str, smooth: bool) -> None:
    crs, transform = OTHERS[name]
    grid, source = account(97, 83), layer(8, 30, 30, 0.1)
    own = Own(pyproj.CRS(crs), transform, 30, 30)
    x, y = exactly(grid, own)
    found = brought(source, transform, grid, "bilinear" if smooth else "nearest", crs)
    near = [np.abs(z - np.round(z)) < 0.01 for z in (x, y)]
    expected = by_definition(source, x, y, smooth)
    assert 0.3 < np.mean(~np.isnan(expected)) < 0.95
    keep = [np.where(near[0] | near[1], 0, z) for z in (found, expected)]
    steep = 2 * np.nanmax(np.abs(source))  # between pixels no more than this
    np.testing.assert_array_equal(np.isnan(keep[0]), np.isnan(keep[1]))
    atol = 1e-3 * steep if smooth else 0
    np.testing.assert_allclose(keep[0], keep[1], rtol=1e-6, atol=atol)


@pytest.mark.parametrize("name", ["degrees", "UTM", "Albers"])
def test_a_layer_in_another_system_is_what_gdal_makes_of_it(name: str) -> None:
    crs, transform = OTHERS[name]
    grid, source = account(97, 83), layer(8, 30, 30, 0.0)
    expected = warped(source, transform, pyproj.CRS(crs), grid, Resampling.bilinear)
    found = brought(source, transform, grid, "bilinear", crs)
    assert np.mean(np.isnan(found) != np.isnan(expected)) < 0.01
    both = ~np.isnan(found) & ~np.isnan(expected)
    differ = np.abs(found - expected)[both]
    assert np.quantile(differ, 0.99) < 0.02 * np.ptp(source)


@pytest.mark.parametrize("name", OTHERS)
def test_positions_between_nodes_are_right_to_a_thousandth_of_a_pixel(name: str) -> None:
    """On a grid as large as a province, at pixels drawn at random."""
    crs, transform = OTHERS[name]
    grid = account(16_384, 16_384)
    made = resampling.Bent(Own(pyproj.CRS(crs), transform, 3000, 3000), grid, "bilinear")
    rng = np.random.default_rng(4)
    worst = 0.0
    for _ in range(40):
        top, left = (int(n) for n in rng.integers(0, 16_384 - 64, 2))
        found = made.places((top, left, 50, 50))
        exact = made.nodes(top + np.arange(50), left + np.arange(50))
        worst = max(worst, float(np.abs(found - exact).max()))
    assert worst < 0.001
    assert made.step >= 16


def test_a_sharp_bend_is_asked_pixel_by_pixel() -> None:
    """An azimuthal projection about the middle of the grid, in degrees, pixels of 8 km."""
    grid = Grid(
        pyproj.CRS("+proj=aeqd +lat_0=89 +lon_0=0"),
        from_origin(-400_000, 400_000, 8000, 8000),
        100,
        100,
        np.full(100, 64e6),
        np.ones(100),
    )
    made = resampling.Bent(
        Own(pyproj.CRS("EPSG:4326"), from_origin(-180, 90, 0.1, 0.1), 100, 3600), grid, "nearest"
    )
    assert made.step == 1
    exact = made.nodes(np.arange(20, 40), np.arange(10, 30))
    np.testing.assert_array_equal(made.places((20, 10, 20, 20)), exact)


@pytest.mark.parametrize("name", OTHERS)
def test_amounts_are_conserved_across_systems(name: str) -> None:
    """Of the pixels that lie wholly within the account."""
    crs, transform = OTHERS[name]
    grid = account(120, 110)
    own = Own(pyproj.CRS(crs), transform, 30, 30)
    x, y = exactly(grid, own)
    rows, columns = np.floor(y).astype(int), np.floor(x).astype(int)
    edge = np.ones_like(rows, bool)
    edge[3:-3, 3:-3] = False
    source = np.abs(layer(6, 30, 30, 0.1))
    inside = np.zeros((30, 30), bool)
    ok = (rows >= 0) & (rows < 30) & (columns >= 0) & (columns < 30)
    inside[rows[ok], columns[ok]] = True
    inside[rows[ok & edge], columns[ok & edge]] = False
    source[~inside] = np.nan
    assert inside.sum() > 20
    found, there = summed(source, transform, grid, crs)
    assert found == pytest.approx(there, rel=1e-9)


def test_nothing_of_a_layer_elsewhere() -> None:
    source = np.ones((5, 5), np.float32)
    elsewhere = from_origin(SHIFT[0] + 1e6, SHIFT[1], 300, 300)
    for method in ("nearest", "bilinear", "average", "conserved"):
        assert np.isnan(brought(source, elsewhere, account(9, 9), method)).all()  # type: ignore[arg-type]
    degrees = from_origin(10, 50, 0.01, 0.01)
    for method in ("nearest", "bilinear", "conserved"):
        found = brought(source, degrees, account(9, 9), method, "EPSG:4326")  # type: ignore[arg-type]
        assert np.isnan(found).all()


def test_the_loops_are_plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled or not, the same numbers."""
    for crs, transform, method in WAYS.values():
        source = np.abs(layer(5, 9, 9, 0.15))
        compiled = brought(source, transform, account(33, 31), method, crs)
        with monkeypatch.context() as plain:
            plain.setattr(resampling, "compiled", lambda function: function)
            np.testing.assert_array_equal(
                brought(source, transform, account(33, 31), method, crs), compiled
            )


def run(path: Path, threads: int = 1, tile: int = 512) -> list[dict[str, str]]:
    """Rows of accounts.csv."""
    text = (
        gep.open(path).run(threads=threads, tile=tile).files()["accounts.csv"].decode("utf-8-sig")
    )
    return list(csv.DictReader(io.StringIO(text)))


def quantities(rows: list[dict[str, str]]) -> dict[tuple[str, ...], float]:
    keys = ("county_code", "service", "indicator", "ecosystem")
    return {tuple(r[k] for k in keys): float(r["quantity"]) for r in rows if r["quantity"]}


OWN_GRIDS: dict[str, tuple[tuple[int, int], Any, Affine, str]] = {
    P: ((14, 17), FLAT, from_origin(small.WEST - 130, small.NORTH + 70, 320, 320), "bilinear"),
    "evapotranspiration": (
        (24, 24),
        pyproj.CRS("EPSG:4326"),
        from_origin(116.075, 26.991, 0.0025, 0.0025),
        "bilinear",
    ),
    "erosivity": (
        (130, 150),
        FLAT,
        from_origin(small.WEST - 70, small.NORTH + 30, 40, 40),
        "average",
    ),
    "slope_factor": (
        (20, 20),
        pyproj.CRS("EPSG:32650"),
        from_origin(408_300, 2_985_600, 320, 320),
        "nearest",
    ),
}


def aligned(source: NDArray[Any], grid: Grid, own: Own, method: str) -> NDArray[np.float64]:
    """A layer on the account grid by the plain definition."""
    if method == "average":
        t, g = own.transform, grid.transform
        down = area_shares(g.e / t.e, (g.f - t.f) / t.e, grid.height, own.height)
        across = area_shares(g.a / t.a, (g.c - t.c) / t.a, grid.width, own.width)
        known = down @ ~np.isnan(source) @ across.T
        mean = down @ np.nan_to_num(source.astype(float)) @ across.T / known
        return np.where(known < 0.5, np.nan, mean)
    return by_definition(source, *exactly(grid, own), method == "bilinear")


def test_an_account_of_native_layers_is_that_of_layers_aligned_before(tmp_path: Path) -> None:
    """Sums of every county, ecosystem and indicator agree to a millionth."""
    change = {f"rasters.{name}.resampling": said[3] for name, said in OWN_GRIDS.items()}
    change |= {"accept.E305": "holes are meant", "accept.W306": "holes are meant"}
    path = small.write(tmp_path / "native", change=change)
    grid, _ = rasters.grid(path.parent / "ecosystem.tif")
    made: dict[str, NDArray[np.float32] | None] = {}
    for number, (name, (shape, crs, transform, method)) in enumerate(OWN_GRIDS.items()):
        middle = float(small.arrays()[name].mean())
        spread = np.random.default_rng(number).normal(1, 0.05, shape)
        source = (middle * spread).astype(np.float32)
        row, column, size = shape[0] // 2, shape[1] // 3, 4 if method == "average" else 1
        source[row : row + size, column : column + size] = np.nan
        stored = np.where(np.isnan(source), small.NODATA, source).astype(np.float32)
        file = path.parent / f"{name}.tif"
        small.write_raster(file, stored, crs=crs, transform=transform, nodata=small.NODATA)
        made[name] = aligned(source, grid, Own(crs, transform, *shape), method).astype(np.float32)
    assert all(0 < np.isnan(one).sum() < 300 for one in made.values() if one is not None)
    accept = {k: v for k, v in change.items() if k.startswith("accept")}
    before = small.write(tmp_path / "aligned", rasters=made, change=accept)
    native, expected = quantities(run(path)), quantities(run(before))
    assert quantities(run(path, threads=3, tile=16)) == native
    assert native.keys() == expected.keys()
    assert len(native) > 100
    for key, value in expected.items():
        assert native[key] == pytest.approx(value, rel=1e-6, abs=2e-6), key


def test_an_account_of_amounts_per_pixel(tmp_path: Path) -> None:
    """Tonnes of carbon a year in pixels of 500 m: what a county gets is what lies in it."""
    amounts = np.arange(80, dtype=np.float32).reshape(8, 10) + 20
    said = {"kind": "extensive", "unit": "tC/year", "resampling": "conserved"}
    change: dict[str, Any] = {f"rasters.{NEP}.{key}": value for key, value in said.items()}
    ecosystem = np.full((small.ROWS, small.COLUMNS), 11, np.uint8)
    path = small.write(tmp_path, ecosystem=ecosystem, change=change)
    transform = from_origin(small.WEST, small.NORTH, 500, 500)
    small.write_raster(tmp_path / f"{NEP}.tif", amounts, transform=transform)
    found = quantities(run(path))
    blocks = {"360101": amounts[:, :4], "360102": amounts[:4, 4:9], "360103": amounts[4:, 4:9]}
    for code, block in blocks.items():
        (dioxide,) = (v for k, v in found.items() if k[0] == code and k[2] == "carbon_dioxide")
        assert dioxide == pytest.approx(float(block.sum()) * 44 / 12, rel=1e-7)


def said_of(path: Path, verb: str = "run", language: str = "en") -> str:
    words = [verb, str(path), "--lang", language]
    done = click.testing.CliRunner().invoke(main, words)
    return done.output


def moved(shape: tuple[int, int], pixel: float, east: float = 0.0, crs: Any = small.CRS) -> Any:
    where = from_origin(small.WEST + east, small.NORTH, pixel, pixel)
    return {"shape": shape, "transform": where, "crs": crs}


ASKED: dict[str, tuple[dict[str, Any], str | None, str, str]] = {
    "shifted": (moved((40, 50), 100, -30), None, "E203", "bilinear"),
    "coarse": (moved((8, 10), 500), None, "E205", "bilinear"),
    "fine": (moved((160, 200), 25), None, "E205", "average"),
    "another shape": (moved((41, 50), 100), None, "E209", "bilinear"),
    "degrees": (
        {
            "shape": (30, 30),
            "transform": from_origin(116.07, 26.995, 0.002, 0.002),
            "crs": "EPSG:4326",
        },
        None,
        "E204",
        "bilinear",
    ),
    "amounts": (moved((8, 10), 500), "extensive", "E205", "conserved"),
}


@pytest.mark.parametrize("name", ASKED)
def test_the_error_says_the_line_that_mends_it(name: str, tmp_path: Path) -> None:
    place, kind, code, method = ASKED[name]
    change: dict[str, Any] = {f"rasters.{P}.kind": kind} if kind else {}
    if kind:
        change[f"rasters.{P}.unit"] = "m^3/year"
    path = small.write(tmp_path, change=change)
    shape = place.pop("shape")
    small.write_raster(tmp_path / f"{P}.tif", np.full(shape, 4e5, np.float32), **place)
    if not kind:
        small.write_raster(tmp_path / f"{P}.tif", np.full(shape, 1600, np.float32), **place)
    place["shape"] = shape
    line = f'resampling = "{method}"'
    said = said_of(path)
    assert f"error {code}  " in said
    assert f"or add to [rasters.{P}]: {line}" in said
    assert f"或在 [rasters.{P}] 加一行：{line}" in said_of(path, language="zh")
    text = path.read_text("utf8").replace(f"[rasters.{P}]\n", f"[rasters.{P}]\n{line}\n")
    path.write_text(text, "utf8")
    assert gep.open(path).check().ok


def test_a_datum_that_cannot_be_known_gets_no_such_advice(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    where = from_origin(116.07, 26.995, 0.002, 0.002)
    small.write_raster(
        tmp_path / f"{P}.tif", np.full((30, 30), 1600, np.float32), crs="EPSG:4610", transform=where
    )
    assert "fix: reproject it with a known datum transformation\n" in said_of(path)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "bilinear of fine pixels": (
        {"resampling": "bilinear"},
        moved((160, 200), 25),
        "E211",
        (
            " has 4 pixels to the side of an account pixel; "
            "bilinear resampling would leave most of them out"
        ),
    ),
    "mean across systems": (
        {"resampling": "average"},
        ASKED["degrees"][0],
        "E212",
        (
            " is in WGS 84 and has 0.518 pixels to the side of an account pixel; "
            'resampling = "average" cannot do that'
        ),
    ),
    "amounts as a density": (
        {"resampling": "bilinear", "kind": "extensive", "unit": "m^3/year"},
        moved((8, 10), 500),
        "E213",
        ': kind = "extensive" and resampling = "bilinear" contradict each other',
    ),
    "a density as amounts": (
        {"resampling": "conserved"},
        moved((8, 10), 500),
        "E213",
        ': kind = "density" and resampling = "conserved" contradict each other',
    ),
    "amounts with an offset": (
        {"resampling": "conserved", "kind": "extensive", "unit": "m^3/year", "offset": 3},
        moved((8, 10), 500),
        "E214",
        ' holds amounts per pixel (kind = "extensive") with an offset of 3',
    ),
    "amounts of another kind": (
        {"resampling": "conserved", "kind": "extensive", "unit": "mm/year"},
        moved((8, 10), 500),
        "E206",
        (
            ' holds mm/year per pixel (kind = "extensive"); divided by its area '
            "that is no density in mm/year"
        ),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_brought_over_is_refused(name: str, tmp_path: Path) -> None:
    said, place, code, text = REFUSED[name]
    change = {f"rasters.{P}.{key}": value for key, value in said.items()}
    path = small.write(tmp_path, change=change)
    values = np.full(place["shape"], 1600, np.float32)
    rest = {key: value for key, value in place.items() if key != "shape"}
    small.write_raster(tmp_path / f"{P}.tif", values, **rest)
    found = {p.code: p.text() for p in gep.open(path).check().problems}
    said_so = found[code].replace(f"{tmp_path}/", "")
    assert said_so == f"rasters.precipitation: precipitation.tif{text}"


def test_nearest_of_fine_pixels_deserves_a_look(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": "nearest"})
    place = moved((160, 200), 25)
    values = np.full(place.pop("shape"), 1600, np.float32)
    small.write_raster(tmp_path / f"{P}.tif", values, **place)
    report = gep.open(path).check()
    assert report.ok
    (found,) = (p for p in report.problems if p.code == "W107")
    assert found.text().replace(f"{tmp_path}/", "") == (
        "rasters.precipitation: precipitation.tif has 4 pixels to the side of an account pixel; "
        'resampling = "nearest" reads one of them and leaves the others out'
    )


def test_a_check_says_how_a_layer_comes_to_the_account(tmp_path: Path) -> None:
    change = {f"rasters.{P}.resampling": "bilinear", f"rasters.{NEP}.resampling": "nearest"}
    path = small.write(tmp_path, change=change)
    place = {"transform": from_origin(116.07, 26.995, 0.002, 0.002), "crs": "EPSG:4326"}
    small.write_raster(tmp_path / f"{P}.tif", np.full((30, 30), 1600, np.float32), **place)
    where = from_origin(small.WEST, small.NORTH, 500, 250)
    small.write_raster(tmp_path / f"{NEP}.tif", np.full((16, 10), 300, np.float32), transform=where)
    said, chinese = said_of(path, "check"), said_of(path, "check", "zh")
    assert ": pixels of its own 0.002° × 0.002°; bilinear between their centres\n" in said
    assert ": pixels of its own 500 m × 250 m; the one a centre lies in\n" in said
    assert "：自有像元 0.002° × 0.002°；在像元中心之间双线性内插\n" in chinese
    assert "：自有像元 500 m × 250 m；取核算像元中心所在的像元\n" in chinese
    done = click.testing.CliRunner().invoke(main, ["check", str(path), "--json"])
    rows = {row["name"]: row for row in json.loads(done.stdout)["layers"]}
    assert rows[P]["pixel"] == "0.002° × 0.002°"
    assert rows[P]["resampling"] == "bilinear"
    assert rows["evapotranspiration"]["resampling"] is None


@pytest.mark.parametrize("said", [{"fill": [65533]}, {"valid": [0, 20_000]}], ids=["fill", "valid"])
def test_fill_values_are_not_mixed_in(said: dict[str, Any], tmp_path: Path) -> None:
    """A fill becomes a hole before anything lies between it and a number."""
    change = {f"rasters.{P}.{key}": value for key, value in said.items()}
    path = small.write(tmp_path, change=change | {f"rasters.{P}.resampling": "bilinear"})
    stored = np.full((8, 10), 1600, np.uint16)
    stored[0, 9] = 65533  # outside the counties
    stored[3, 3] = 65533
    where = from_origin(small.WEST, small.NORTH, 500, 500)
    small.write_raster(tmp_path / f"{P}.tif", stored, transform=where)
    (row,) = (row for row in gep.open(path).check().layers if row.name == P)
    assert (row.low, row.high) == (1600, 1600)
    assert row.missing == pytest.approx(25 / 1800)


@pytest.mark.parametrize("said", ["bilinear", "nearest", "average"])
def test_a_fill_nobody_declared_is_not_hidden_between_numbers(said: str, tmp_path: Path) -> None:
    """65535 tenths of a millimetre are possible; half of it would not even look like a fill."""
    pixel = 50 if said == "average" else 300
    shape = (80, 100) if said == "average" else (14, 17)
    change = {f"rasters.{P}.scale": 0.1, f"rasters.{P}.resampling": said}
    path = small.write(tmp_path, change=change)
    stored = np.full(shape, 16_000, np.uint16)
    stored[5, 5] = 65_535
    where = from_origin(small.WEST - 20, small.NORTH + 20, pixel, pixel)
    small.write_raster(tmp_path / f"{P}.tif", stored, transform=where)
    found = {p.code: p.text() for p in gep.open(path).check().problems}
    assert "65535" in found["E308"]


@pytest.mark.parametrize("method", [None, "bilinear"])
def test_a_layer_in_a_system_of_a_site_is_refused(method: str | None, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": method})
    local = 'LOCAL_CS["site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    small.write_raster(tmp_path / f"{P}.tif", small.arrays()[P], crs=local)
    found = {p.code for p in gep.open(path).check().problems}
    assert "E204" in found


def test_a_rotated_layer_needs_only_resampling(tmp_path: Path) -> None:
    """Level, so that whatever lies where, the county gets the same."""
    turned = Affine(80, -40, small.WEST - 100, -40, -80, small.NORTH + 5800)
    path = small.write(tmp_path)
    small.write_raster(
        tmp_path / f"{P}.tif", np.full((130, 130), 1600, np.float32), transform=turned
    )
    assert "E208" in {p.code for p in gep.open(path).check().problems}
    path = small.write(tmp_path, change={f"rasters.{P}.resampling": "bilinear"})
    small.write_raster(
        tmp_path / f"{P}.tif", np.full((130, 130), 1600, np.float32), transform=turned
    )
    (row,) = (row for row in gep.open(path).check().layers if row.name == P)
    assert (row.low, row.high, row.missing) == (1600, 1600, 0)
