"""What exactness costs: integer sums, missing counts and areas, against plain sums. P5.

The plain loop is generated here from the same kernels: it visits the pixels one by one, adds
float64 by county and class, and counts nothing. It runs over staged tiles in memory. The engine's
loop runs over files, and the time it takes with no column, which reads and stages, is taken off.
So the two differ in how they visit pixels, too: a ratio below 1 does not say that exactness is
free, which only the engine's own loop without its exact sums could show.
"""

import statistics
from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import rasterio
from kernels.kernels import ALL, NONE, cases, plan
from landscape import TILE
from timing import CLEAN, paired

from gep.ecosystems import ecosystems
from gep.plan import Plan
from gep.rasters import tiles

HEAD = """
def plain(kinds, places, layers, scales, offsets, tables, eligible, weights, widths, sums):
    for y in range(kinds.shape[0]):
        for x in range(kinds.shape[1]):
            place = places[y, x]
            kind = kinds[y, x]
            if place < 0 or kind == {nodata}:
                continue
"""
LOAD = "            v{0} = np.float64(layers[{0}, y, x]) * scales[{0}] + offsets[{0}]\n"
CALL = """\
            if eligible[{n}, kind]:
                amount = kernel{n}({values}) * (weights[y, {n}] * widths[x])
                if amount == amount:
                    sums[place, kind, {n}] += amount
"""


def plain(made: Plan, kinds: int) -> Callable[..., None]:
    """The plain loop over the columns of a plan."""
    names: dict[str, Any] = {"np": np}
    text = HEAD.format(nodata=kinds)
    used = sorted({layer for one in made.accumulators for layer in one.column.layers})
    text += "".join(LOAD.format(layer) for layer in used)
    for n, one in enumerate(made.accumulators):
        values = [f"v{layer}" for layer in one.column.layers]
        values += [f"tables[place, {table}, kind]" for table in one.column.tables]
        names[f"kernel{n}"] = numba.njit(error_model="numpy")(one.column.kernel)
        text += CALL.format(n=n, values=", ".join(values))
    exec(text, names)  # noqa: S102
    compiled: Callable[..., None] = numba.njit(nogil=True, error_model="numpy")(names["plain"])
    return compiled


class Plain:
    """The plain loop with its tiles, staged once."""

    def __init__(self, made: Plan) -> None:
        grid, kinds, columns = made.grid, len(ecosystems()), len(made.accumulators)
        self._loop = plain(made, kinds)
        self._eligible = np.zeros((columns, 256), bool)
        for number, one in enumerate(made.accumulators):
            self._eligible[number, list(one.eligible)] = True
        weights = np.array([one.weight for one in made.accumulators])
        self._weights = np.asarray(grid.row_areas)[:, None] * weights
        self._widths = np.asarray(grid.column_factors)
        self._tables = np.ascontiguousarray(np.stack(made.lookups, axis=1))
        self._scales = np.array([layer.scale for layer in made.layers[1:]])
        self._offsets = np.array([layer.offset for layer in made.layers[1:]])
        self._tiles = [self._stage(made, window, kinds) for window in tiles(grid, TILE)]
        self.sums = np.zeros((len(made.counties.places), kinds + 1, columns))

    def _stage(self, made: Plan, window: Any, kinds: int) -> tuple[Any, ...]:
        layers = []
        for layer in made.layers:
            with rasterio.open(layer.path) as file:
                stored = file.read(1, window=window).astype(np.float32)
            stored[stored == np.float32(np.nan if layer.nodata is None else layer.nodata)] = np.nan
            layers.append(stored)
        classes = np.full(layers[0].shape, kinds, np.uint8)
        for code, kind in made.legend.codes.items():
            classes[layers[0] == code] = kind.index
        rows = slice(window.row_off, window.row_off + window.height)
        across = slice(window.col_off, window.col_off + window.width)
        places = np.asarray(made.counties.places_in(window), np.int32)
        return classes, places, np.stack(layers[1:]), rows, across

    def __call__(self) -> None:
        """Sum every tile."""
        self.sums[:] = 0.0
        for kinds, places, layers, rows, across in self._tiles:
            self._loop(
                *(kinds, places, layers, self._scales, self._offsets, self._tables),
                *(self._eligible, self._weights[rows], self._widths[across], self.sums),
            )


def agreement(made: Plan, loop: Plain) -> float:
    """Largest relative difference of a column's total from the engine's."""
    loop()
    exact = cases(made)[ALL]()
    totals = np.asarray(exact.total(exact.sums).sum(axis=(0, 1)), float)
    return float(np.max(np.abs(loop.sums.sum(axis=(0, 1)) / totals - 1)))


AGREE = 1e-6
"""Quanta are rounded pixel by pixel, plain sums are not."""


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Time of the engine's loop less staging, ÷ the plain loop's; their sums agree."""
    made = plan(size)
    loop, engine = Plain(made), cases(made)
    if (apart := agreement(made, loop)) > AGREE:
        raise ValueError(f"the plain loop gives other sums: {apart:.1e}")
    chosen = {NONE: engine[NONE], ALL: engine[ALL], "plain": loop}
    found = paired("exactness", made.grid.height, chosen, repeats)
    loops = [a - b for a, b in zip(found[ALL].cpu, found[NONE].cpu, strict=True)]
    ratios = sorted(a / b for a, b in zip(loops, found["plain"].cpu, strict=True))
    middle, used = statistics.median(ratios), (found[ALL], found[NONE], found["plain"])
    quiet = all(max(record.other) < CLEAN for record in used)
    line = {"benchmark": "exactness", "side": made.grid.height, "target": "P5", "case": "exact"}
    line |= {"over": "plain", "low": ratios[0], "high": ratios[-1], "pairs": len(ratios)}
    line |= {"ratio": middle, "by_cpu": middle, "clean": quiet}
    return [*(record.summary() for record in found.values()), line | {"agreement": apart}]
