"""Decoding past GDAL: `gep.decoding` against the floor of `decode`, the same files and threads.

Per encoding the tiles of all layers are read as stored (`direct`), and lent rather than copied
(`lent`), which is what the engine does.
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from decode import ENCODINGS, LARGEST, encoded, floor, layers
from landscape import TILE
from province import Recipe, province
from rasterio.windows import Window
from timing import THREADS, paired, ratio

from gep.decoding import Tiles, tiles_of

UNPREDICTED = {"deflate": ("DEFLATE", 6, False), "lzw": ("LZW", 0, False)}


def opened(paths: list[Path], stack: ExitStack) -> list[tuple[Tiles, float]]:
    """Tiles and fill value of every file."""
    found = []
    for path in paths:
        with rasterio.open(path) as file:
            tiles = tiles_of(file, 1)
            if tiles is None:
                raise ValueError(f"{path} is left to GDAL")
            stack.callback(tiles.close)
            found.append((tiles, float("nan") if file.nodata is None else file.nodata))
    return found


def direct(paths: list[Path], threads: int, how: str) -> None:
    """Open the files, as `floor` does too, and decode every tile; *how* is the way."""
    with ExitStack() as stack:
        decoded(opened(paths, stack), threads, how)


def decoded(layers: list[tuple[Tiles, float]], threads: int, how: str) -> None:
    """Decode every tile of some files."""
    height, width = layers[0][0].shape
    across, down = -(-width // TILE), -(-height // TILE)
    numbers = count()

    def work(_: int) -> None:
        buffers = [np.empty((TILE, TILE), tiles.dtype) for tiles, _ in layers]
        while (number := next(numbers)) < across * down:
            top, left = number // across * TILE, number % across * TILE
            window = Window(left, top, min(TILE, width - left), min(TILE, height - top))
            part = slice(window.height), slice(window.width)
            for (tiles, _), buffer in zip(layers, buffers, strict=True):
                if how == "lent":
                    done = tiles.lend(window) is not None
                else:
                    done = tiles.read(window, buffer[part]) is not None
                if not done:
                    raise ValueError(f"{tiles.file.name}: {window} was left to GDAL")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def compared(name: str, paths: list[Path], size: int, repeats: int) -> list[dict[str, Any]]:
    """Records of one encoding, and their ratios to rasterio."""
    cases: dict[str, Callable[[], None]] = {f"{name}: rasterio": lambda: floor(paths)}
    for how in ("direct", "lent"):
        cases[f"{name}: {how}"] = lambda how=how: direct(paths, THREADS, how)  # type: ignore[misc]
    found = paired("decoding", size, cases, repeats)
    (base, over), *others = found.items()
    place = {"benchmark": "decoding", "side": size, "target": "direct", "over": base}
    ratios = [place | {"case": case} | ratio(record, over) for case, record in others]
    return [*(record.summary() for record in found.values()), *ratios]


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Time per encoding; the copies are kept only while they are measured."""
    side = min(size, LARGEST)
    plain = layers(province(Recipe(side)))
    records = []
    for name, way in (ENCODINGS | UNPREDICTED).items():
        with tempfile.TemporaryDirectory() as temporary:
            made = [encoded(path, Path(temporary), *way) for path in plain]
            records += compared(name, made, side, repeats)
    return records
