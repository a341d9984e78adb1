"""Areas of the grid whose series are in memory at once, cut so that files are decoded once.

A series has some hundred bands; where a window is smaller than a block of its file, or cuts one,
the block is decoded anew for every window it touches. An area is made of whole blocks of every
file, and what is in it is read in whole blocks and kept as it is stored. Of a series on a grid of
its own an area reads what it needs, so that blocks at its border are decoded for its neighbour too.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from gep.errors import Problem
from gep.preparation import steps_of
from gep.rasters import Grid, Window, method, open_file, tiles
from gep.run import TILE
from gep.step import Step

MEMORY = 200_000_000
"""Bytes the series of an area may take, as stored."""
MOST = 800_000_000
"""Bytes they may take so that it holds whole blocks, one for each thread."""
PIXEL, LAYER = 32, 16
"""Bytes of a pixel beside its series: class, place and number made; and those of each layer."""
STAGED = 24_000_000
"""Bytes of staged numbers a thread holds of its part of an area."""
NUMBER = 6
"""Bytes of a staged number: a float32 and two masks."""
OWN_GRID = 64
"""Rows and columns of which areas are multiples for series on grids of their own."""
OFTEN = 1.5
"""A series whose blocks are decoded more often than this is told of."""


@dataclass(frozen=True)
class Form:
    """How a series is held: its steps, bytes of a number, rows and columns of a block."""

    name: str
    steps: int
    size: int
    high: int
    wide: int
    resampled: bool

    @property
    def bytes(self) -> int:
        """Bytes of a pixel, as held."""
        return self.steps * self.size


def forms(step: Step, grid: Grid) -> list[Form]:
    """Form of every series of a step; a resampled one is held as float32."""
    found = []
    for name, layer in step.stacks.items():
        steps = steps_of(step.preparation.series[name], step.year)
        if method(layer):
            high, wide, size = OWN_GRID, OWN_GRID, np.dtype(np.float32).itemsize
        else:
            size = np.dtype(layer.dtype).itemsize
            with open_file(layer.path, name) as file:
                high, wide = file.block_shapes[0]
        own = min(high, grid.height), min(wide, grid.width)
        found.append(Form(name, steps, size, *own, method(layer) is not None))
    return found


def areas(grid: Grid, step: Step, threads: int = 1) -> list[Window]:
    """Areas that cover the grid, in file order; of a step without series those of the loop."""
    stored = forms(step, grid)
    if not stored:
        return tiles(grid, TILE)
    each = PIXEL + LAYER * len(step.layers) + sum(form.bytes for form in stored)
    most = max(1, MOST // each)
    high, wide = whole = _whole_blocks(stored, grid)
    if high * wide > most:
        high, wide = _within(most, *whole)
    room = max(MEMORY // each, min(threads * high * wide, most))
    across = max(1, min(math.isqrt(room), room // high) // wide)
    wide = min(grid.width, wide * across)
    high = min(grid.height, high * max(1, room // (high * wide)))
    return _grid_of(grid, high, wide)


def _whole_blocks(stored: Sequence[Form], grid: Grid) -> tuple[int, int]:
    """Rows and columns that are whole blocks of every series, or the whole grid."""
    high = math.lcm(*(form.high for form in stored))
    wide = math.lcm(*(form.wide for form in stored))
    return min(high, grid.height), min(wide, grid.width)


def _within(pixels: int, high: int, wide: int) -> tuple[int, int]:
    """Rows and columns of at most so many pixels: the longer side is halved until they fit."""
    while high * wide > pixels and high * wide > 1:
        high, wide = (-(-high // 2), wide) if high > wide else (high, -(-wide // 2))
    return high, wide


def _grid_of(grid: Grid, high: int, wide: int) -> list[Window]:
    """Windows of so many rows and columns that cover the grid, in file order."""
    return [
        Window(left, top, min(wide, grid.width - left), min(high, grid.height - top))
        for top in range(0, grid.height, high)
        for left in range(0, grid.width, wide)
    ]


def pieces(area: Window, form: Form, threads: int = 1) -> list[Window]:
    """Windows in which a series of an area is read: whole blocks, enough for every thread."""
    high, wide = form.high, form.wide
    down, across = -(-area.height // high), -(-area.width // wide)
    most = threads if form.resampled else 4 * threads
    high *= -(-down // most)
    wide *= -(-across // max(1, most // down))
    rows = _lines(area.row_off, area.height, high)
    columns = _lines(area.col_off, area.width, wide)
    return [
        Window(left, top, right - left, bottom - top)
        for top, bottom in pairwise(rows)
        for left, right in pairwise(columns)
    ]


def _lines(start: int, length: int, side: int) -> list[int]:
    """Start, end, and the multiples of *side* between them."""
    first = (start // side + 1) * side
    return [start, *range(first, start + length, side), start + length]


def parts(area: Window, step: Step) -> list[Window]:
    """Parts of an area that are staged and made at once."""
    steps = sum(steps_of(one, step.year) for one in step.preparation.series.values())
    side = max(1, min(TILE, math.isqrt(STAGED // (NUMBER * steps))))
    return [
        Window(
            area.col_off + left,
            area.row_off + top,
            min(side, area.width - left),
            min(side, area.height - top),
        )
        for top in range(0, area.height, side)
        for left in range(0, area.width, side)
    ]


def decoded(step: Step, grid: Grid, threads: int = 1) -> dict[str, float]:
    """How often a block of every series is decoded, on average; resampled ones are left out."""
    windows = areas(grid, step, threads)
    rows = sorted({(window.row_off, window.height) for window in windows})
    columns = sorted({(window.col_off, window.width) for window in windows})
    return {
        form.name: _touched(rows, form.high, grid.height) * _touched(columns, form.wide, grid.width)
        for form in forms(step, grid)
        if not form.resampled
    }


def _touched(spans: Sequence[tuple[int, int]], side: int, length: int) -> float:
    """How many of some spans a block of so many pixels meets, on average."""
    met = sum(-(-(start + size) // side) - start // side for start, size in spans)
    return met / -(-length // side)


def slow(step: Step, grid: Grid, threads: int = 1) -> Iterator[Problem]:
    """Series with blocks that no area holds, so that they are decoded again and again: W806."""
    often = decoded(step, grid, threads)
    for form in forms(step, grid):
        if often.get(form.name, 0) > OFTEN:
            fields = {"name": form.name, "file": step.stacks[form.name].path, "raster": step.name}
            fields |= {"rows": form.high, "columns": form.wide}
            yield Problem("W806", fields | {"times": f"{often[form.name]:.0f}"})
