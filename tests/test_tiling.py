"""Tiles of any size, in any order, on any number of threads: the same integers.

On a made-up account larger than a tile, whose pixels are counted here with numpy.
"""

import dataclasses
import random
import shutil
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio.shutil
import small

import gep
from gep.ecosystems import ecosystems
from gep.errors import InputError
from gep.plan import Plan
from gep.rasters import Reader, Window, tiles
from gep.run import Loop, Partials, Take, accumulate

ROWS, COLUMNS = 900, 1100
SHARE = 0.03
"""Of the pixels of a layer, those without a value."""
BOXES = {"360101": (0, 900, 0, 430), "360102": (0, 500, 430, 1060), "360103": (500, 900, 430, 1060)}
"""First row, end row, first column, end column; the last columns are outside."""


def enlarged() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Classes and layers of the small account anew at every pixel, some of them missing."""
    chance = np.random.default_rng(11)
    codes = np.array([*small.CLASSES, small.NODATA_CLASS], np.uint8)
    layers = {}
    for name, layer in small.arrays().items():
        low, high = float(layer.min()), float(layer.max())
        drawn = chance.uniform(low, max(high, 1.01 * low), (ROWS, COLUMNS)).astype(np.float32)
        drawn[chance.random((ROWS, COLUMNS)) < SHARE] = np.nan
        layers[name] = drawn
    return codes[chance.integers(0, len(codes), (ROWS, COLUMNS))], layers


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    return enlarged()


@pytest.fixture(scope="module")
def plan(drawn: tuple[np.ndarray, Any], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Plan of the large account."""
    shapes = [small.box(*box) for box in BOXES.values()]
    cities = {"city_code": ["360100"] * 3, "city_name": ["某市"] * 3}
    columns = {"code": list(BOXES), "name": list(small.NAMES), **cities}
    polygons = geopandas.GeoDataFrame(columns, geometry=shapes, crs=small.CRS)
    folder = tmp_path_factory.mktemp("large")
    codes, layers = drawn
    path = small.write(folder, ecosystem=codes, rasters=layers, polygons=polygons)
    report = gep.open(path).check()
    assert report.plan, report.problems
    return report.plan


@pytest.fixture(scope="module")
def loop(plan: Plan) -> Loop:
    return Loop(plan)


@pytest.fixture(scope="module")
def whole(plan: Plan, loop: Loop) -> Partials:
    """The account in one tile on one thread."""
    return accumulate(plan, 1, size=4096, loop=loop)


def assert_same(found: Partials, wanted: Partials) -> None:
    """Every integer, and what was found on the way."""
    for field in dataclasses.fields(Partials):
        ours, theirs = getattr(found, field.name), getattr(wanted, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs, field.name)
        else:
            assert ours == theirs, field.name


def test_the_account_has_the_pixels_that_were_drawn(
    plan: Plan, whole: Partials, drawn: tuple[np.ndarray, dict[str, np.ndarray]]
) -> None:
    codes, layers = drawn
    kinds = [*ecosystems()]
    legend = {code: kinds.index(kind.key) for code, kind in plan.legend.codes.items()}
    kind_of = np.full(256, len(kinds))
    kind_of[list(legend)] = list(legend.values())
    names = [layer.name for layer in plan.layers[1:]]
    for place, (top, bottom, left, right) in enumerate(BOXES.values()):
        part = slice(top, bottom), slice(left, right)
        counted = np.bincount(kind_of[codes[part]].ravel(), minlength=len(kinds) + 1)
        np.testing.assert_array_equal(whole.pixels[place], counted)
        for number, accumulator in enumerate(plan.accumulators):
            read = [layers[names[layer]][part] for layer in accumulator.column.layers]
            gap = np.isnan(read).any(axis=0) if read else np.zeros_like(codes[part], bool)
            eligible = np.isin(kind_of[codes[part]], list(accumulator.eligible))
            at = list(accumulator.eligible)
            lacking = np.bincount(kind_of[codes[part]][gap & eligible], minlength=len(kinds) + 1)
            missing = whole.missing[place, at, number]
            some = missing != whole.pixels[place, at]  # nothing of a class without a coefficient
            np.testing.assert_array_equal(missing[some], lacking[at][some])
    assert whole.outside == (COLUMNS - 1060) * ROWS
    assert whole.sums.any()


WAYS = [(256, 1), (256, 3), (300, 2), (512, 1), (512, 2), (512, 3), (1024, 2), (2048, 3), (4096, 2)]


@pytest.mark.parametrize(("size", "threads"), WAYS)
def test_tiles_of_any_size_in_any_order_on_any_threads_give_the_same(
    size: int, threads: int, plan: Plan, loop: Loop, whole: Partials
) -> None:
    windows = tiles(plan.grid, size)
    assert len(windows) == -(-ROWS // size) * -(-COLUMNS // size)
    random.Random(100 * size + threads).shuffle(windows)
    seen: list[int] = []
    found = accumulate(
        plan, threads, lambda done, all_: seen.append(done), windows=windows, loop=loop
    )
    assert_same(found, whole)
    assert seen == list(range(1, len(windows) + 1))


def test_a_reader_beside_another_opens_only_what_gdal_reads(plan: Plan, tmp_path: Path) -> None:
    """And says so where that is not there any more."""
    layers, window = list(plan.layers), Window(256, 0, 512, 768)
    layers[1] = dataclasses.replace(layers[1], path=tmp_path / "tiled.tif")
    options = {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate"}
    rasterio.shutil.copy(plan.layers[1].path, layers[1].path, driver="GTiff", **options)
    layers[2] = dataclasses.replace(layers[2], path=tmp_path / "strips.tif")
    shutil.copyfile(plan.layers[2].path, layers[2].path)
    with (
        Reader(layers, plan.grid) as first,
        Reader(layers, plan.grid, first) as beside,
        Reader(layers, plan.grid, first) as late,
    ):
        for number in range(len(layers)):
            wanted = first.stored(number, window)
            np.testing.assert_array_equal(beside.stored(number, window), wanted)
        by_gdal = {number for number, tiles in enumerate(first._tiles) if tiles is None}
        assert set(beside._files) == by_gdal >= {*range(len(layers))} - {1}
        layers[2].path.unlink()
        with pytest.raises(InputError, match="no such file"):
            late.stored(2, window)


def test_tiles_computed_elsewhere_give_the_same(plan: Plan, loop: Loop, whole: Partials) -> None:
    """As a cluster gives them: the last ones first."""

    def elsewhere(windows: list[Window], take: Take) -> None:
        with Reader(plan.layers, plan.grid) as reader:
            done = [(window, *loop.tile(reader, window)) for window in windows]
        for one in reversed(done):
            take(*one)

    assert_same(accumulate(plan, 1, size=400, loop=loop, by=elsewhere), whole)
