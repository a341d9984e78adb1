"""Memory of tiles: asked for once, large enough, and given back."""

from pathlib import Path

import numpy as np
import pyproj
import rasterio
from rasterio.transform import from_origin

from gep.config import RasterSection
from gep.rasters import Grid, Layer, Reader, Window
from gep.room import Room, fresh


def test_an_array_is_as_asked_and_its_memory_that_of_the_one_before() -> None:
    room = Room()
    first = room.array("one", (3, 4), np.float64)
    first[...] = 7.0
    again = room.array("one", 5, np.uint8)
    other = room.array("other", (3, 4), np.float64)
    assert first.shape == (3, 4)
    assert again.shape == (5,)
    assert again.dtype == np.uint8
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, other)


def test_a_larger_array_is_other_memory_and_leaves_the_smaller_as_it_is() -> None:
    room = Room()
    small = room.array("one", 4, np.int32)
    small[...] = 5
    large = room.array("one", (300, 400), np.int32)
    large[...] = 6
    assert small.tolist() == [5, 5, 5, 5]
    assert large.sum() == 6 * 300 * 400


def test_nothing_is_an_array_too() -> None:
    assert fresh((0, 5), np.float32).shape == (0, 5)
    assert Room().array("none", 0, np.uint8).size == 0


def test_a_thread_reads_a_coarse_layer_first_whose_file_another_has_open(tmp_path: Path) -> None:
    path, coarse = tmp_path / "coarse.tif", from_origin(1000, 5000, 20, 20)
    numbers = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    about = {"crs": "EPSG:6933", "transform": coarse, "blockxsize": 64, "blockysize": 64}
    sides = {"width": 64, "height": 64, "count": 1, "tiled": True}
    with rasterio.open(path, "w", driver="GTiff", dtype="float32", **sides, **about) as file:
        file.write(numbers, 1)
    section = RasterSection(file=path.name, unit="mm/year", resampling="nearest")
    layer = Layer("precipitation", path, section, "float32", None, 1.0, 0.0, "mm/year")
    fine = from_origin(1000, 5000, 10, 10)
    grid = Grid(pyproj.CRS("EPSG:6933"), fine, 128, 128, np.full(128, 100.0), np.ones(128))
    with Reader([layer], grid) as first, Reader([layer], grid, first) as second:
        found = second.stored(0, Window(0, 0, 128, 128))
    np.testing.assert_array_equal(found, numbers.repeat(2, 0).repeat(2, 1))
