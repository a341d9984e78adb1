"""The floor: how long rasterio takes to decode the inputs, and nothing else.

Every thread has a handle of its own of every layer and takes tiles of 512, the file's own, in file
order, into one buffer per layer. `encodings` decodes the same layers compressed otherwise.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

os.environ.setdefault("GDAL_CACHEMAX", "64")  # as the engine: every block is read once

import numpy as np
import rasterio
from landscape import LAYERS, TILE
from province import Recipe, province
from rasterio.windows import Window
from timing import THREADS, Record, paired

ENCODINGS = {
    "none": ("NONE", 0, False),
    "zstd": ("ZSTD", 3, False),
    "zstd + predictor": ("ZSTD", 3, True),
    "deflate + predictor": ("DEFLATE", 6, True),
    "lzw + predictor": ("LZW", 0, True),
}
"""Compression, level, predictor."""
LARGEST = 2048
"""Side of the province that is decoded in every encoding."""


def layers(folder: Path, names: Any = LAYERS) -> list[Path]:
    """Files of layers on the account grid."""
    return [folder / "aligned" / f"{name}.tif" for name in names]


def floor(paths: list[Path], threads: int = THREADS) -> None:
    """Decode every tile of some rasters on one grid."""
    with rasterio.open(paths[0]) as first:
        side = first.width
    across = -(-side // TILE)
    numbers = count()

    def work(_: int) -> None:
        files = [rasterio.open(path) for path in paths]
        buffers = [np.empty((TILE, TILE), file.dtypes[0]) for file in files]
        try:
            while (number := next(numbers)) < across * across:
                top, left = number // across * TILE, number % across * TILE
                high, wide = min(TILE, side - top), min(TILE, side - left)
                window = Window(left, top, wide, high)
                for file, buffer in zip(files, buffers, strict=True):
                    file.read(1, window=window, out=buffer[:high, :wide])
        finally:
            for file in files:
                file.close()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Time of decoding with one and two threads, and of other encodings."""
    paths = layers(province(Recipe(size)))
    cases = {f"{n} thread{'s' * (n > 1)}": lambda n=n: floor(paths, n) for n in (1, THREADS)}
    records = list(paired("decode", size, cases, repeats).values())
    records += encodings(min(size, LARGEST), repeats)
    return [record.summary() for record in records]


def encodings(size: int, repeats: int) -> list[Record]:
    """The same layers in other encodings, two threads; kept only while they are measured."""
    plain = layers(province(Recipe(size)))
    with tempfile.TemporaryDirectory() as temporary:
        made = {
            name: [encoded(path, Path(temporary), *way) for path in plain]
            for name, way in ENCODINGS.items()
        }
        cases = {name: lambda paths=paths: floor(paths) for name, paths in made.items()}
        records = paired("encodings", size, cases, repeats)
        raw = sum(np.dtype(kind.dtype).itemsize for kind in LAYERS.values()) * size**2
        for name, paths in made.items():
            stored = sum(path.stat().st_size for path in paths)
            records[name].more["compressed_to"] = round(stored / raw, 4)
    return list(records.values())


def encoded(path: Path, folder: Path, *way: Any) -> Path:
    """A copy of a layer in another encoding."""
    kind = LAYERS[path.stem]
    target = folder / f"{'-'.join(map(str, way))}-{path.name}"
    with rasterio.open(path) as file:
        form = Recipe(file.width, *way).profile(kind, file.width, file.transform)
        with rasterio.open(target, "w", **form) as copy:
            copy.write(file.read(1), 1)
    return target
