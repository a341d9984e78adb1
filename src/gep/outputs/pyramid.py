"""Tiles of a raster and of its overviews, packed where they are made, and what is known of all."""

import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gep.outputs.cog import BLOCK, Key, Shape, Spool, across, levels, pack
from gep.rasters import Window
from gep.unpacking import loop

Array = NDArray[np.float32]
DEEPEST = 32
"""Overviews no raster has."""


def halve(array, out):  # type: ignore[no-untyped-def]
    """Fill *out* with the means of what is known among two by two numbers of *array*."""
    for y in range(np.uint64(out.shape[0])):
        upper, lower, into = array[2 * y], array[2 * y + 1], out[y]
        for x in range(np.uint64(into.size)):
            total, known = 0.0, 0.0
            for value in (upper[2 * x], upper[2 * x + 1], lower[2 * x], lower[2 * x + 1]):
                there = value == value
                total += np.float64(value) if there else 0.0
                known += 1.0 if there else 0.0
            into[x] = total / known if known > 0.0 else np.nan


def survey(array):  # type: ignore[no-untyped-def]
    """How many numbers are known, the least, the greatest, their mean and squares about it.

    Column by column, which a processor does several of at once, and about a number that is there.
    """
    wide = np.uint64(array.shape[1])
    near = 0.0
    for value in array.flat:
        if value == value:
            near = np.float64(value)
            break
    known, totals, squares = np.zeros(wide), np.zeros(wide), np.zeros(wide)
    least, most = np.full(wide, np.inf), np.full(wide, -np.inf)
    for y in range(np.uint64(array.shape[0])):
        line = array[y]
        for x in range(wide):
            value = np.float64(line[x])
            there = value == value
            apart = value - near if there else 0.0
            known[x] += 1.0 if there else 0.0
            totals[x] += apart
            squares[x] += apart * apart
            least[x] = value if value < least[x] else least[x]
            most[x] = value if value > most[x] else most[x]
    count, total = known.sum(), totals.sum()
    mean = total / count if count > 0.0 else 0.0
    return int(count), least.min(), most.max(), near + mean, squares.sum() - mean * total


def halved(array: Array) -> Array:
    """Mean of what is known among each two by two numbers."""
    high, wide = array.shape
    out = np.empty((-(-high // 2), -(-wide // 2)), np.float32)
    if high % 2 or wide % 2:
        array = np.pad(array, ((0, high % 2), (0, wide % 2)), constant_values=np.nan)
    loop(halve)(array, out)
    return out


@dataclass
class Statistics:
    """Of the numbers that are known: how many, least, greatest, mean, squares about the mean."""

    known: int = 0
    least: float = math.inf
    most: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0

    def add(self, known: int, least: float, most: float, mean: float, squares: float) -> None:
        """Add those of other numbers (Chan, Golub and LeVeque 1979); their order is in the bits."""
        if not known:
            return
        both = self.known + known
        apart = mean - self.mean
        self.mean += apart * known / both
        self.squares += squares + apart * apart * self.known * known / both
        self.least, self.most = min(self.least, least), max(self.most, most)
        self.known = both

    def tags(self, pixels: int) -> dict[str, str]:
        """As GDAL writes them."""
        said = {"VALID_PERCENT": f"{100 * self.known / pixels:.4g}"}
        if self.known:
            spread = math.sqrt(max(0.0, self.squares / self.known))
            numbers = {"MINIMUM": self.least, "MAXIMUM": self.most, "MEAN": self.mean}
            said |= {key: f"{n:.14g}" for key, n in (numbers | {"STDDEV": spread}).items()}
        return {f"STATISTICS_{key}": text for key, text in said.items()}


class Pyramid:
    """One raster as it grows, from several threads: its tiles and those of its overviews."""

    def __init__(self, path: Path, shape: Shape) -> None:
        self.shape, self.spool = shape, Spool(path)
        self._shapes = levels(*shape)
        self._open: dict[Key, tuple[Array, int]] = {}
        self._mine = threading.Lock()

    def grow(self, key: Key, array: Array) -> None:
        """Pack a tile, and every tile of an overview of which this was the last quarter."""
        below: Key | None = key
        while below is not None:
            content = pack(array)
            with self._mine:
                self.spool.put(below, content)
            below, array = self._above(below, halved(array))

    def close(self) -> None:
        """Close the file of the tiles."""
        self.spool.close()

    def _above(self, key: Key, half: Array) -> tuple[Key | None, Array]:
        """Put what a tile gives into that of the overview, and return this once it is whole."""
        level, row, column = key[0] + 1, key[1] // 2, key[2] // 2
        if level == len(self._shapes):
            return None, half
        above, side = (level, row, column), BLOCK // 2
        high, wide = self._shapes[level]
        down, along = across(self._shapes[level - 1])
        wanted = min(2, down - 2 * row) * min(2, along - 2 * column)
        with self._mine:
            if above not in self._open:
                shape = min(BLOCK, high - row * BLOCK), min(BLOCK, wide - column * BLOCK)
                self._open[above] = np.empty(shape, np.float32), 0
            tile, there = self._open[above]
            top, left = key[1] % 2 * side, key[2] % 2 * side
            tile[top : top + half.shape[0], left : left + half.shape[1]] = half
            self._open[above] = tile, there + 1
            if there + 1 < wanted:
                return None, tile
            del self._open[above]
        return above, tile


def nearby(window: Window) -> list[tuple[int, int]]:
    """Key that sorts windows so that those of one tile of an overview follow each other."""
    row, column = window.row_off // BLOCK, window.col_off // BLOCK
    return [(row >> shift, column >> shift) for shift in range(DEEPEST, -1, -1)]
