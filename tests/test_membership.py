"""Which pixels a shape holds: against the centres one by one, and against GDAL's own burning."""

from collections.abc import Callable

import numpy as np
import pyproj
import pytest
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.features import rasterize

from gep.membership import OUTSIDE, shapes
from gep.rasters import Grid

SIZE = 32
CRS = pyproj.CRS.from_epsg(32650)


def grid(width: int = 96, height: int = 96, step: float = 30.0) -> Grid:
    transform = Affine(step, 0, 500_000.0, 0, -step, 3_000_000.0)
    return Grid(CRS, transform, height, width, np.full(height, step**2), np.ones(width))


def on(of: Grid, *corners: tuple[float, float]) -> list[tuple[float, float]]:
    """Points given in pixels (column, row) from the corner of the grid."""
    return [of.transform * corner for corner in corners]


def burned(of: Grid, *polygons: shapely.Geometry) -> np.ndarray:
    """Places of the whole grid, block by block."""
    made = shapes(np.array(polygons, object), np.arange(len(polygons), dtype=np.int32), of)
    rows = [
        np.hstack([made.block(top, left, SIZE) for left in range(0, of.width, SIZE)])
        for top in range(0, of.height, SIZE)
    ]
    return np.vstack(rows)[: of.height, : of.width]


def by_centres(of: Grid, *polygons: shapely.Geometry) -> np.ndarray:
    """The same from the definition: which polygon contains the centre, the last one that does."""
    x, y = np.meshgrid(np.arange(of.width) + 0.5, np.arange(of.height) + 0.5)
    east, north = of.transform * (x, y)
    out = np.full(x.shape, OUTSIDE, np.int32)
    for place, polygon in enumerate(polygons):
        out[shapely.contains_xy(polygon, east, north)] = place
    return out


def star(of: Grid, seed: int, corners: int) -> shapely.Geometry:
    """Polygon around a random point with random radii, and a hole of the same form."""
    random = np.random.default_rng(seed)
    angles = np.sort(random.uniform(0, 2 * np.pi, corners))
    radii = random.uniform(5, 40, corners)
    middle = random.uniform(20, 76, 2)
    unit = np.column_stack([np.cos(angles), np.sin(angles)])
    outer = [tuple(point) for point in middle + unit * radii[:, None]]
    inner = [tuple(point) for point in middle + unit * radii[:, None] * 0.4]
    return shapely.make_valid(shapely.Polygon(on(of, *outer), [on(of, *inner)]))


@settings(max_examples=60, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), corners=st.integers(3, 40))
def test_a_pixel_belongs_to_the_last_shape_that_holds_its_centre(
    seeds: list[int], corners: int
) -> None:
    of = grid()
    polygons = [star(of, seed, corners) for seed in seeds]
    np.testing.assert_array_equal(burned(of, *polygons), by_centres(of, *polygons))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), corners=st.integers(3, 200))
def test_it_is_what_gdal_burns(seed: int, corners: int) -> None:
    of = grid()
    polygon = star(of, seed, corners)
    want = rasterize([(polygon, 0)], (96, 96), fill=OUTSIDE, transform=of.transform, dtype="int32")
    np.testing.assert_array_equal(burned(of, polygon), want)


def test_several_parts_and_holes_are_one_shape() -> None:
    of = grid()
    ring = shapely.Polygon(
        on(of, (4, 4), (60, 4), (60, 60), (4, 60)), [on(of, (20, 20), (40, 20), (40, 40), (20, 40))]
    )
    island = shapely.Polygon(on(of, (70, 70), (90, 70), (90, 90), (70, 90)))
    found = burned(of, shapely.MultiPolygon([ring, island]))
    want = np.full((96, 96), OUTSIDE)
    want[4:60, 4:60] = 0
    want[20:40, 20:40] = OUTSIDE
    want[70:90, 70:90] = 0
    np.testing.assert_array_equal(found, want)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "cut",
    [
        lambda of: on(of, (0, 48.5), (96, 48.5)),  # through the centres of a row
        lambda of: on(of, (48.5, 0), (48.5, 96)),  # of a column
        lambda of: on(of, (0, 0), (96, 96)),  # from corner to corner, through centres
        lambda of: on(of, (0, 13.25), (96, 81.125)),
    ],
)
def test_neighbours_share_no_pixel_and_leave_none(
    cut: Callable[[Grid], list[tuple[float, float]]], turned: bool
) -> None:
    """A grid cut in two along a line through pixel centres: every pixel has one owner."""
    of = grid()
    whole = shapely.box(*on(of, (0, 96))[0], *on(of, (96, 0))[0])
    line = shapely.LineString(cut(of))
    halves = list(
        shapely.get_parts(shapely.polygonize([shapely.node(shapely.union(whole.exterior, line))]))
    )
    assert len(halves) == 2
    if turned:
        halves = [shapely.reverse(half) for half in halves]
    counts = sum((burned(of, half) == 0).astype(int) for half in halves)
    assert (counts == 1).all()


def test_a_shape_that_lies_elsewhere_is_nowhere() -> None:
    of = grid()
    far = shapely.Polygon(on(of, (200, 200), (300, 200), (300, 300)))
    assert (burned(of, far) == OUTSIDE).all()


def test_a_shape_larger_than_the_grid_fills_it() -> None:
    of = grid()
    around = shapely.Polygon(on(of, (-500, -500), (600, -500), (600, 600), (-500, 600)))
    assert (burned(of, around) == 0).all()


def test_blocks_of_any_size_agree() -> None:
    of = grid()
    made = shapes(np.array([star(of, 7, 30)], object), np.zeros(1, np.int32), of)
    whole = made.block(0, 0, 96)
    for size in (5, 17, 48):
        for top in range(0, 96, size):
            for left in range(0, 96, size):
                part = made.block(top, left, size)
                want = whole[top : top + size, left : left + size]
                np.testing.assert_array_equal(part[: want.shape[0], : want.shape[1]], want)
