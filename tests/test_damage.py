"""Damaged rasters: what is read is right, or it is said where it is not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin

from gep.config import RasterSection
from gep.errors import InputError, Problem
from gep.rasters import Layer, Reader, grid, tiles

HEIGHT, WIDTH = 170, 150


def rain() -> NDArray[np.int16]:
    """Numbers that pack to some half of their size."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    noise = np.random.default_rng(4).integers(0, 40, (HEIGHT, WIDTH))
    return (1500 + 200 * np.sin(x / 30) * np.cos(y / 20) + noise).astype(np.int16)


def written(path: Path, values: NDArray[Any], **options: Any) -> Path:
    height, width = values.shape
    form = {"driver": "GTiff", "count": 1, "height": height, "width": width}
    form |= {"crs": "EPSG:4547", "transform": from_origin(500_000, 3_100_000, 30, 30)}
    with rasterio.open(path, "w", **form, dtype=values.dtype, **options) as file:
        file.write(values, 1)
    return path


def block(path: Path, x: int, y: int, band: int = 1) -> tuple[int, int]:
    """Where a block stands in a file: first byte and number of bytes."""
    with rasterio.open(path) as file:
        said = [file.get_tag_item(f"BLOCK_{w}_{x}_{y}", "TIFF", bidx=band) for w in WORDS]
    return int(said[0]), int(said[1])


WORDS = ("OFFSET", "SIZE")


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
