"""Cloud-optimised GeoTIFFs as GDAL reads them: any shape, what is missing, where tiles stand."""

import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import from_origin

from gep import unpacking
from gep.decoding import tiles_of
from gep.outputs import cog
from gep.outputs.pyramid import Pyramid, Statistics, loop, nearby, survey
from gep.rasters import Window

SHAPES = [(1, 1), (7, 300), (512, 512), (513, 512), (1025, 31), (1300, 1777)]


def numbers(shape: tuple[int, int]) -> np.ndarray:
    """Numbers of every magnitude, a tenth of them missing."""
    dice = np.random.default_rng(shape)
    array = (dice.normal(size=shape) * 10.0 ** dice.integers(-30, 30, shape)).astype(np.float32)
    array[dice.random(shape) < 0.1] = np.nan
    return array


def about(folder: Path) -> dict[int, cog.Tag]:
    """Tags of a file that GDAL has made."""
    path = folder / "small.tif"
    where = {"crs": "EPSG:4524", "transform": from_origin(500_000, 3_100_000, 30, 30)}
    with rasterio.open(
        path, "w", "GTiff", 1, 1, 1, dtype="float32", nodata=np.nan, **where
    ) as file:
        file.update_tags(said="水源涵养 & <all>")
    return cog.tags_of(path.read_bytes())


def windows(shape: tuple[int, int]) -> list[Window]:
    side = cog.BLOCK
    return [
        Window(x, y, min(side, shape[1] - x), min(side, shape[0] - y))
        for y in range(0, shape[0], side)
        for x in range(0, shape[1], side)
    ]


def write(folder: Path, array: np.ndarray, order: int = 0) -> Path:
    """A file of an array, its tiles given in some order."""
    pyramid, path = Pyramid(folder / "part", array.shape), folder / "map.tif"
    given = windows(array.shape)
    np.random.default_rng(order).shuffle(given)
    for w in given:
        rows, columns = (
            slice(w.row_off, w.row_off + w.height),
            slice(w.col_off, w.col_off + w.width),
        )
        key = 0, w.row_off // cog.BLOCK, w.col_off // cog.BLOCK
        pyramid.grow(key, np.ascontiguousarray(array[rows, columns]))
    cog.assemble(path, pyramid.spool, array.shape, about(folder))
    pyramid.close()
    return path


def means(array: np.ndarray) -> np.ndarray:
    """Means of what is known among two by two."""
    high, wide = array.shape
    even = np.pad(array, ((0, high % 2), (0, wide % 2)), constant_values=np.nan)
    fours = even.reshape(even.shape[0] // 2, 2, -1, 2).transpose(0, 2, 1, 3).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing there is no mean
        return np.nanmean(fours.reshape(*fours.shape[:2], 4), axis=2).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES)
def test_gdal_reads_what_was_given(shape: tuple[int, int], tmp_path: Path) -> None:
    array = numbers(shape)
    path = write(tmp_path, array)
    with rasterio.open(path) as file:
        assert file.read(1).tobytes() == array.tobytes()
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert np.isnan(file.nodata)
        assert file.crs.to_epsg() == 4524
        assert file.transform == from_origin(500_000, 3_100_000, 30, 30)
        assert file.tags()["said"] == "水源涵养 & <all>"
        overviews = file.overviews(1)
        if max(shape) > 512:
            assert file.block_shapes == [(512, 512)]
    assert len(overviews) == len(cog.levels(*shape)) - 1
    for level, own in enumerate(cog.levels(*shape)[1:]):
        array = means(array)
        with rasterio.open(path, overview_level=level) as file:
            found = file.read(1)
        assert found.shape == own
        np.testing.assert_array_equal(np.isnan(found), np.isnan(array))
        # sums of numbers of both signs may cancel
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=float(np.nanmax(array)) * 1e-12)


def test_bytes_do_not_depend_on_the_order_of_the_tiles(tmp_path: Path) -> None:
    array = numbers((1300, 1777))
    one = write(tmp_path, array).read_bytes()
    assert write(tmp_path, array, 1).read_bytes() == one


def test_tiles_stand_as_the_file_promises(tmp_path: Path) -> None:
    """Each behind its size and before its last four bytes; smallest overview first; no gaps."""
    path = write(tmp_path, numbers((1300, 1777)))
    content, places = path.read_bytes(), []
    for level in (1, 0, None):
        with warnings.catch_warnings(), rasterio.open(path, overview_level=level) as file:
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            tiles = [
                (y, x) for y in range(-(-file.height // 512)) for x in range(-(-file.width // 512))
            ]
        with rasterio.open(path) as file:
            kind = {} if level is None else {"ovr": level}
            for y, x in tiles:
                said = [
                    file.get_tag_item(f"BLOCK_{what}_{x}_{y}", "TIFF", bidx=1, **kind)
                    for what in ("OFFSET", "SIZE")
                ]
                places.append(tuple(map(int, said)))
    assert places[0][0] < places[-1][0]
    for (start, size), following in zip(places, [*places[1:], (len(content) + 4, 0)], strict=True):
        assert struct.unpack_from("<I", content, start - 4) == (size,)
        assert content[start + size : start + size + 4] == content[start + size - 4 : start + size]
        assert start + size + 8 == following[0]


def test_a_file_of_more_than_four_gigabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BigTIFF, here from the first byte on."""
    monkeypatch.setattr(cog, "CLASSIC", 0)
    array = numbers((700, 900))
    path = write(tmp_path, array)
    assert path.read_bytes()[:4] == b"II\x2b\0"
    with rasterio.open(path) as file:
        assert file.read(1).tobytes() == array.tobytes()
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert file.tags()["said"] == "水源涵养 & <all>"


def test_without_imagecodecs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "_imagecodecs", lambda: None)
    array = numbers((600, 700))
    with rasterio.open(write(tmp_path, array)) as file:
        assert file.read(1).tobytes() == array.tobytes()


def test_our_own_decoder_reads_it(tmp_path: Path) -> None:
    array = numbers((600, 700))
    with rasterio.open(write(tmp_path, array)) as file:
        tiles = tiles_of(file, 1)
        if tiles is None:
            pytest.skip("loops are not compiled")
        found = tiles.read(Window(0, 0, 700, 600))
        tiles.close()
    assert found is not None
    assert found.tobytes() == array.tobytes()


def test_statistics_of_windows_are_those_of_the_whole() -> None:
    """A mean far from 0, of which squares would leave nothing; a window of nothing; a constant."""
    array = np.random.default_rng(0).normal(1e6, 3, (1100, 700)).astype(np.float32)
    array[:600, :512] = np.nan
    array[-1, -1] = np.nan
    statistics = Statistics()
    for w in windows(array.shape):
        part = array[w.row_off : w.row_off + w.height, w.col_off : w.col_off + w.width]
        statistics.add(*loop(survey)(np.ascontiguousarray(part)))
    known = array[~np.isnan(array)].astype(float)
    assert statistics.known == known.size
    assert (statistics.least, statistics.most) == (known.min(), known.max())
    assert statistics.mean == pytest.approx(known.mean(), rel=1e-12)
    assert statistics.squares / known.size == pytest.approx(known.var(), rel=1e-9)
    constant = Statistics()
    constant.add(*loop(survey)(np.full((9, 9), 0.1, np.float32)))
    assert constant.tags(81)["STATISTICS_STDDEV"] == "0"
    nothing = Statistics()
    nothing.add(*loop(survey)(np.full((9, 9), np.nan, np.float32)))
    assert nothing.tags(81) == {"STATISTICS_VALID_PERCENT": "0"}


def test_windows_of_one_overview_follow_each_other() -> None:
    given = sorted(windows((3000, 3000)), key=nearby)
    at = [(w.row_off // 512, w.col_off // 512) for w in given]
    assert at[:5] == [(0, 0), (0, 1), (1, 0), (1, 1), (0, 2)]
    assert sorted(at) == [(y, x) for y in range(6) for x in range(6)]
