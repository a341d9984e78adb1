"""Damaged rasters: what is read is right, or it is said where it is not."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from gep import unpacking
from gep.checksums import Checksums, checksums, wrong
from gep.config import RasterSection
from gep.errors import InputError, Problem
from gep.rasters import Layer, Reader, Window, grid, tiles

HEIGHT, WIDTH = 170, 150
PLACE = {"crs": "EPSG:4547", "transform": from_origin(500_000, 3_100_000, 30, 30)}
WORDS = ("OFFSET", "SIZE")


def rain() -> NDArray[np.int16]:
    """Numbers that pack to some half of their size."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(4).integers(0, 40, (HEIGHT, WIDTH))
    return (1500 + 200 * np.sin(x / 30) * np.cos(y / 20) + noise).astype(np.int16)


def written(path: Path, values: NDArray[Any], **options: Any) -> Path:
    height, width = values.shape
    form = {"driver": "GTiff", "count": 1, "height": height, "width": width, **PLACE}
    with rasterio.open(path, "w", **form, dtype=values.dtype, **options) as file:
        file.write(values, 1)
    return path


def block(path: Path, x: int, y: int, band: int = 1) -> tuple[int, int]:
    """Where a block stands in a file: first byte and number of bytes."""
    with rasterio.open(path) as file:
        said = [file.get_tag_item(f"BLOCK_{w}_{x}_{y}", "TIFF", bidx=band) for w in WORDS]
    return int(said[0]), int(said[1])


def read(path: Path, size: int = 64, **section: Any) -> NDArray[np.float32]:
    """All of a layer as the account reads it, in tiles of *size*."""
    said = RasterSection(file=str(path), unit="mm/year", **section)
    with rasterio.open(path) as file:
        dtype = file.dtypes[0]
    layer = Layer("precipitation", path, said, dtype, None, 1.0, 0.0, "mm/year")
    target = grid(path)[0]
    found = np.empty((target.height, target.width), np.float32)
    with Reader([layer], target) as reader:
        for window in tiles(target, size):
            rows = slice(window.row_off, window.row_off + window.height)
            columns = slice(window.col_off, window.col_off + window.width)
            reader.stage(0, window, found[rows, columns])
    return found


def damaged(path: Path, at: int, content: bytes) -> None:
    """Other bytes from a place of a file."""
    whole = bytearray(path.read_bytes())
    whole[at : at + len(content)] = content
    path.write_bytes(whole)


def problem_of(path: Path, **how: Any) -> Problem:
    with pytest.raises(InputError) as caught:
        read(path, **how)
    (problem,) = caught.value.problems
    assert problem.code == "E101"
    return problem


def test_what_gdal_cannot_read_is_said_with_its_words_and_place(tmp_path: Path) -> None:
    options = {"compress": "lzma", "tiled": True, "blockxsize": 64, "blockysize": 48}
    path = written(tmp_path / "rain.tif", rain(), **options)
    start, size = block(path, 1, 2)
    damaged(path, start + size // 2, b"\xff" * 40)
    problem = problem_of(path)
    assert "begins at row 97, column 65: LZMADecode:" in problem.text()
    assert "从第 97 行第 65 列开始的分块：GDAL 报告：LZMADecode:" in problem.text("zh")
    assert "previous exception" not in problem.text()


def many() -> NDArray[np.int64]:
    return rain().astype(np.int64)


GDALS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "strips": (rain(), {"blockysize": 16}),
    "strips of one row": (rain(), {"blockysize": 1, "predictor": 2}),
    "one strip": (rain(), {"blockysize": HEIGHT}),
    "whole numbers of 64 bits": (many(), {"tiled": True, "blockxsize": 64, "blockysize": 48}),
    "floats of 16 bits": (
        rain().astype(np.float32),
        {"tiled": True, "blockxsize": 64, "blockysize": 48, "nbits": 16},
    ),
    "large tiles": (rain(), {"tiled": True, "blockxsize": 160, "blockysize": 176}),
}


@pytest.mark.parametrize("library", [True, False])
@pytest.mark.parametrize("how", GDALS)
def test_no_damage_of_a_deflate_block_that_gdal_reads_is_quiet(
    how: str, library: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not library:
        monkeypatch.setattr(unpacking, "_imagecodecs", lambda: None)
    values, options = GDALS[how]
    path = written(tmp_path / "rain.tif", values, compress="deflate", **options)
    with rasterio.open(path) as file:
        rows, columns = file.block_shapes[0]
        bits = file.tags(1, ns="IMAGE_STRUCTURE").get("NBITS")
        whole = file.read(1).astype(np.float32)
    assert bits or np.array_equal(whole, values)
    np.testing.assert_array_equal(read(path, 40), whole)
    x, y = (WIDTH - 1) // columns, (HEIGHT - 1) // rows  # the last one, which may be short
    start, size = block(path, x, y)
    content, random = path.read_bytes(), np.random.default_rng(2)
    for at in random.choice(np.arange(start, start + size), min(size, 40), replace=False):
        path.write_bytes(content)
        damaged(path, at, bytes([content[at] ^ random.integers(1, 256)]))
        text = problem_of(path, size=40).text()
        assert f"row {y * rows + 1}, column {x * columns + 1}: DEFLATE data are damaged" in text


def test_the_bands_of_a_series_have_their_own_blocks(tmp_path: Path) -> None:
    """By bands or all together; damage in one that nobody asks for is nobody's."""
    for together in ("band", "pixel"):
        path = tmp_path / f"{together}.tif"
        form = {"driver": "GTiff", "count": 3, "height": HEIGHT, "width": WIDTH, **PLACE}
        how = {"dtype": "int16", "compress": "deflate", "blockysize": 16, "interleave": together}
        with rasterio.open(path, "w", **form, **how) as file:
            file.write(np.stack([rain()] * 3))
        start, size = block(path, 0, 3, band=2)
        damaged(path, start + size - 1, b"\0")
        with rasterio.open(path) as file:
            sums = checksums(file)
            assert sums
            window = Window(0, 0, WIDTH, HEIGHT)
            for bands, sound in (([1], together == "band"), ([1, 2, 3], False)):
                if sound:
                    sums.hold(file, bands, window)
                else:
                    with pytest.raises(InputError, match="DEFLATE data are damaged"):
                        sums.hold(file, bands, window)


def test_a_block_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "rain.tif", rain(), compress="deflate", blockysize=16)
    seen, inner = [], Checksums._look

    def look(self: Checksums, *given: Any) -> None:
        seen.append(given[-1])
        inner(self, *given)

    monkeypatch.setattr(Checksums, "_look", look)
    read(path, 40)
    assert sorted(seen) == [(0, y) for y in range(-(-HEIGHT // 16))]


def test_a_resampled_layer_is_looked_at_too(tmp_path: Path) -> None:
    path = written(tmp_path / "rain.tif", rain(), compress="deflate", blockysize=16)
    fine = written(tmp_path / "fine.tif", rain()[:20, :20])
    start, size = block(path, 0, 2)
    section = RasterSection(file=str(path), unit="mm/year", resampling="bilinear")
    layer = Layer("precipitation", path, section, "int16", None, 1.0, 0.0, "mm/year")
    damaged(path, start + size - 1, b"\0")
    with Reader([layer], grid(fine)[0]) as reader:
        out = np.empty((20, 20), np.float32)
        with pytest.raises(InputError, match="row 33, column 1: DEFLATE data are damaged"):
            reader.stage(0, Window(0, 0, 20, 20), out)


def test_a_block_without_a_checksum_or_never_written_is_gdals(tmp_path: Path) -> None:
    """Some writers leave it away; what has all its bytes is read."""
    packed = zlib.compress(rain()[:16, :64].tobytes())
    assert unpacking_of(packed[:-4], 2048) is None
    assert unpacking_of(packed[:-4], 2047) is not None
    assert unpacking_of(packed[:-40], 2048) is not None
    assert unpacking_of(packed, 1) is None, "a checksum that holds is enough"
    sparse = tmp_path / "sparse.tif"
    form = {"driver": "GTiff", "count": 1, "height": 64, "width": 64, "dtype": "int16", **PLACE}
    how = {"compress": "deflate", "blockysize": 8, "sparse_ok": True}
    with rasterio.open(sparse, "w", **form, **how) as file:
        file.write(np.ones((1, 8, 64), np.int16), window=Window(0, 0, 64, 8))
    with rasterio.open(sparse) as file:
        sums = checksums(file)
        assert sums
        sums.hold(file, [1], Window(0, 0, 64, 64))
        assert [*sums._sound[1]] == [1] * 8


def unpacking_of(packed: bytes, size: int) -> tuple[str, str] | None:
    return wrong(np.frombuffer(packed, np.uint8), {size})


@pytest.mark.parametrize("compression", ["lzw", "lzma", None])
def test_other_compressions_have_no_checksum_to_look_at(
    compression: str | None, tmp_path: Path
) -> None:
    options = {"compress": compression} if compression else {}
    path = written(tmp_path / "rain.tif", rain(), **options)
    with rasterio.open(path) as file:
        assert checksums(file) is None
