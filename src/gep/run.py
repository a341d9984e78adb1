"""Plan → partials: tiles through the fused loop on several threads, summed as integers."""

import math
import random
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.ecosystems import ecosystems
from gep.errors import InputError, Problem
from gep.fuse import fuse
from gep.layers import possible
from gep.plan import Plan
from gep.rasters import AREA_QUANTUM, Reader, Window, tiles

TILE = 512
NODATA, UNKNOWN = -1, -2
FLOAT_FILLS = (-99999, -32768, -9999, -999, 32767, 65535)
"""Stored numbers of float layers that are fill values more often than measurements."""
MASK = 0xFFFFFFFF
Progress = Callable[[int, int], None]


@dataclass
class Partials:
    """Integers of the account by place, class index (the last is "no data") and accumulator.

    `sums` and `negative` have two limbs, high and low, of 32 bits: high × 2^32 + low.
    """

    sums: NDArray[np.int64]
    negative: NDArray[np.int64]
    missing: NDArray[np.int64]
    missing_area: NDArray[np.int64]
    blame: NDArray[np.int64]
    pixels: NDArray[np.int64]
    areas: NDArray[np.int64]
    outside: int = 0
    unknown: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    impossible: dict[int, tuple[float, int, int]] = field(default_factory=dict)
    fills: dict[int, tuple[float, int, int]] = field(default_factory=dict)

    @classmethod
    def zeros(cls, places: int, kinds: int, columns: int, culprits: int) -> "Partials":
        """Partials of nothing."""
        return cls(
            np.zeros((places, kinds + 1, columns, 2), np.int64),
            np.zeros((places, kinds + 1, columns, 2), np.int64),
            np.zeros((places, kinds + 1, columns), np.int64),
            np.zeros((places, kinds + 1, columns), np.int64),
            np.zeros((columns, culprits), np.int64),
            np.zeros((places, kinds + 1), np.int64),
            np.zeros((places, kinds + 1), np.int64),
        )

    def add(self, other: "Partials", places: NDArray[np.int64]) -> None:
        """Add partials whose places are *places* of these; the order of additions is irrelevant."""
        for mine, theirs in ((self.sums, other.sums), (self.negative, other.negative)):
            mine[places] += theirs
            carry = mine[places][..., 1] >> 32
            mine[places, ..., 0] += carry
            mine[places, ..., 1] &= MASK
        self.missing[places] += other.missing
        self.missing_area[places] += other.missing_area
        self.pixels[places] += other.pixels
        self.areas[places] += other.areas
        self.blame += other.blame
        self.outside += other.outside
        for code, (count, row, column) in other.unknown.items():
            before, *place = self.unknown.get(code, (0, row, column))
            first = min((place[0], place[1]), (row, column))
            self.unknown[code] = (before + count, first[0], first[1])
        for ours, found in ((self.impossible, other.impossible), (self.fills, other.fills)):
            for layer, (value, row, column) in found.items():
                if layer not in ours or (row, column) < ours[layer][1:]:
                    ours[layer] = (value, row, column)

    def total(self, limbs: NDArray[np.int64]) -> NDArray[Any]:
        """Two-limb integers as Python integers."""
        exact: NDArray[Any] = limbs[..., 0].astype(object) * 2**32 + limbs[..., 1].astype(object)
        return exact


def culprits(plan: Plan) -> list[str]:
    """Return what a missing pixel can be blamed on, in the order of `Partials.blame`."""
    names = [layer.name for layer in plan.layers[1:]]
    return [*names, "no coefficient / 没有系数", "no finite result / 结果不是有限数"]


class Loop:
    """The fused loop of a plan with its tables, ready for tiles."""

    def __init__(self, plan: Plan) -> None:
        grid, self.kinds = plan.grid, len(ecosystems())
        self.plan = plan
        self.layers = plan.layers[1:]
        self.columns = len(plan.accumulators)
        columns = [accumulator.column for accumulator in plan.accumulators]
        self._fused = fuse(columns, len(self.layers), self.kinds)
        self._scales = np.array([layer.scale for layer in self.layers])
        self._offsets = np.array([layer.offset for layer in self.layers])
        self._eligible = np.zeros((self.columns, 256), bool)
        for number, accumulator in enumerate(plan.accumulators):
            self._eligible[number, list(accumulator.eligible)] = True
        factors = np.array([accumulator.weight for accumulator in plan.accumulators])
        self._weights = grid.row_areas[:, None] * factors
        self._area_weights = grid.row_areas / AREA_QUANTUM
        self._tables = plan.lookups
        self._lut, self._low, self._fills = _lookup(plan)
        self._ranges = [possible(layer.name, layer.unit) for layer in self.layers]

    def kinds_in(self, reader: Reader, window: Window) -> NDArray[np.int16]:
        """Class index of every pixel; the number of classes where there is no data, -2 unknown."""
        stored = reader.stored(0, window)
        if stored.dtype.kind in "iu":
            stored = stored.astype(np.int64)
        high = self._low + len(self._lut) - 1
        inside = (stored >= self._low) & (stored <= high)
        if stored.dtype.kind == "f":
            inside &= stored == np.floor(stored)
        position = np.where(inside, stored, self._low).astype(np.int64) - self._low
        kinds = np.where(inside, self._lut[position], UNKNOWN).astype(np.int16)
        kinds[np.isin(stored, self._fills) | (stored != stored)] = self.kinds
        return kinds

    def tile(self, reader: Reader, window: Window) -> tuple[Partials, NDArray[np.int64]]:
        """Partials of one window, and the places they belong to."""
        kinds = self.kinds_in(reader, window)
        places = self.plan.counties.places_in(window)
        inside = places >= 0
        outside = int(inside.size - inside.sum())
        if outside == inside.size:
            nothing = Partials.zeros(0, self.kinds, self.columns, len(self.layers) + 2)
            nothing.outside = outside
            return nothing, np.zeros(0, np.int64)
        present = np.unique(places[inside])
        local = np.full(places.shape, -1, np.int32)
        local[inside] = np.searchsorted(present, places[inside])
        part = Partials.zeros(len(present), self.kinds, self.columns, len(self.layers) + 2)
        part.outside = outside
        self._find_unknown(part, reader, window, kinds, inside)
        height, width = kinds.shape
        staged = np.empty((len(self.layers), height, width), np.float32)
        for number in range(len(self.layers)):
            reader.stage(number + 1, window, staged[number])
            span = _span(staged[number])
            self._find_impossible(part, number, window, staged[number], inside, span)
            self._find_fills(part, number, window, staged[number], inside, span)
        rows = slice(window.row_off, window.row_off + height)
        columns = slice(window.col_off, window.col_off + width)
        self._fused(
            kinds.clip(0).astype(np.uint8),
            local,
            staged,
            self._scales,
            self._offsets,
            self._tables_of(present),
            self._eligible,
            np.ascontiguousarray(self._weights[rows]),
            np.ascontiguousarray(self.plan.grid.column_factors[columns]),
            np.ascontiguousarray(self._area_weights[rows]),
            part.sums,
            part.negative,
            part.missing,
            part.missing_area,
            part.blame,
            part.pixels,
            part.areas,
        )
        return part, present.astype(np.int64)

    def _tables_of(self, present: NDArray[np.int32]) -> NDArray[np.float64]:
        """Tables of the places in a tile, shape (places, tables, 256)."""
        if not self._tables:
            return np.zeros((len(present), 1, 256))
        return np.ascontiguousarray(np.stack([t[present] for t in self._tables], axis=1))

    def _find_unknown(
        self,
        part: Partials,
        reader: Reader,
        window: Window,
        kinds: NDArray[np.int16],
        inside: NDArray[np.bool_],
    ) -> None:
        """Note codes of the universe that the legend does not know, with their first position."""
        strange = (kinds == UNKNOWN) & inside
        if not strange.any():
            return
        stored = reader.stored(0, window)
        for code in np.unique(stored[strange]):
            hits = np.argwhere(strange & (stored == code))
            row, column = hits[0] + (window.row_off, window.col_off)
            part.unknown[code.item()] = (len(hits), int(row), int(column))

    def _find_impossible(
        self,
        part: Partials,
        number: int,
        window: Window,
        staged: NDArray[np.float32],
        inside: NDArray[np.bool_],
        span: tuple[float, float],
    ) -> None:
        """Note the first value of a layer that physics does not allow."""
        allowed = self._ranges[number]
        if allowed is None:
            return
        low, high = allowed
        scale, offset = self._scales[number], self._offsets[number]
        slack = 1e-6 * max(abs(low), abs(high))
        ends = [end * scale + offset for end in span]
        if not (min(ends) < low - slack or max(ends) > high + slack):
            return
        with np.errstate(invalid="ignore"):
            values = staged * scale + offset
            wrong = ((values < low - slack) | (values > high + slack)) & inside
        if wrong.any():
            row, column = np.argwhere(wrong)[0]
            value = float(values[row, column])
            at = (int(row) + window.row_off, int(column) + window.col_off)
            part.impossible[number] = (value, *at)

    def _find_fills(
        self,
        part: Partials,
        number: int,
        window: Window,
        staged: NDArray[np.float32],
        inside: NDArray[np.bool_],
        span: tuple[float, float],
    ) -> None:
        """Note the first number that looks like a fill value nobody declared."""
        layer = self.layers[number]
        if layer.section.valid is not None:
            return
        values: tuple[int, ...] = FLOAT_FILLS
        if np.dtype(layer.dtype).kind in "iu":
            limits = np.iinfo(layer.dtype)
            values = (-9999, limits.max, *([limits.min] if limits.min else []))
        if not any(span[0] <= value <= span[1] for value in values):
            return
        found = np.isin(staged, np.array(values, np.float32)) & inside
        if found.any():
            row, column = np.argwhere(found)[0]
            at = (int(row) + window.row_off, int(column) + window.col_off)
            part.fills[number] = (float(staged[row, column]), *at)


def _span(staged: NDArray[np.float32]) -> tuple[float, float]:
    """Return the lowest and the highest number of a whole tile; NaN if it has none."""
    return float(np.fmin.reduce(staged, axis=None)), float(np.fmax.reduce(staged, axis=None))


def _lookup(plan: Plan) -> tuple[NDArray[np.int16], int, list[float]]:
    """Class index by stored code, the lowest code of the table, and what means "no data"."""
    ecosystem = plan.layers[0]
    declared = [ecosystem.nodata, *ecosystem.section.fill, *plan.legend.nodata]
    low = min(plan.legend.codes)
    table = np.full(max(plan.legend.codes) - low + 1, UNKNOWN, np.int16)
    for code, kind in plan.legend.codes.items():
        table[code - low] = kind.index
    return table, low, [code for code in declared if code is not None]


def accumulate(
    plan: Plan,
    threads: int,
    progress: Progress | None = None,
    size: int = TILE,
    windows: list[Window] | None = None,
    loop: Loop | None = None,
) -> Partials:
    """Partials of the whole account grid; the same integers for any tile size and thread count.

    Raises
    ------
    InputError
        E031 codes the legend does not know, E307 values physics does not allow, E101 a file that
        cannot be decoded.
    """
    loop = loop or Loop(plan)
    todo = tiles(plan.grid, size) if windows is None else windows
    total = Partials.zeros(
        len(plan.counties.places), loop.kinds, loop.columns, len(loop.layers) + 2
    )
    readers: SimpleQueue[Reader] = SimpleQueue()

    def work(window: Window) -> tuple[Partials, NDArray[np.int64]]:
        reader = readers.get()
        try:
            return loop.tile(reader, window)
        finally:
            readers.put(reader)

    opened = [Reader(plan.layers, plan.grid) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        try:
            for reader in opened:
                readers.put(reader.__enter__())
            done = 0
            pending: set[Future[tuple[Partials, NDArray[np.int64]]]] = set()
            queue = iter(todo)
            for window in queue:
                pending.add(pool.submit(work, window))
                if len(pending) < 2 * threads:
                    continue
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                done += _gather(total, finished)
                if progress:
                    progress(done, len(todo))
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                done += _gather(total, finished)
                if progress:
                    progress(done, len(todo))
        finally:
            pool.shutdown(cancel_futures=True)
            for reader in opened:
                reader.__exit__(None, None, None)
    _stop_on_findings(plan, total)
    return total


def same_after_retiling(plan: Plan, loop: Loop) -> tuple[int, list[int], list[int]]:
    """Number of tiles tried, and the column sums of one in a hundred tiles cut in two ways."""
    windows = tiles(plan.grid, TILE)
    chosen = random.Random(len(windows)).sample(windows, max(1, len(windows) // 100))
    cut = [part for window in chosen for part in _pieces(window)]
    sums = []
    for pieces in (chosen, cut):
        partials = accumulate(plan, 1, windows=pieces, loop=loop)
        by_column = partials.total(partials.sums).sum(axis=(0, 1))
        sums.append([*map(int, by_column), int(partials.areas.sum()), int(partials.missing.sum())])
    return len(chosen), sums[0], sums[1]


def _pieces(window: Window) -> list[Window]:
    """Cut a window into pieces of unequal size."""
    wide, high = window.width // 3 or 1, window.height // 5 or 1
    found = []
    for x, width in ((0, wide), (wide, window.width - wide)):
        for y, height in ((0, high), (high, window.height - high)):
            if width > 0 and height > 0:
                found.append(Window(window.col_off + x, window.row_off + y, width, height))
    return found


def _gather(total: Partials, finished: set[Future[tuple[Partials, NDArray[np.int64]]]]) -> int:
    for future in finished:
        part, places = future.result()
        total.add(part, places)
    return len(finished)


def unknown_codes(plan: Plan, found: dict[int, tuple[int, int, int]]) -> Problem:
    """E031 with every code, how often it occurs and where first."""
    listed = sorted(found.items(), key=lambda entry: -entry[1][0])
    codes = "; ".join(
        f"{code} ({count} px, first at row {row + 1}, column {column + 1})"
        for code, (count, row, column) in listed[:8]
    )
    codes_zh = ";".join(
        f"{code}({count} 像元,首个在第 {row + 1} 行第 {column + 1} 列)"
        for code, (count, row, column) in listed[:8]
    )
    fields = {"file": plan.layers[0].path, "legend": plan.legend.name}
    fields |= {"codes": codes, "codes_zh": codes_zh}
    return Problem("E031", fields)


def _stop_on_findings(plan: Plan, total: Partials) -> None:
    """Raise what the pixels themselves showed to be wrong."""
    problems = []
    if total.unknown:
        problems.append(unknown_codes(plan, total.unknown))
    for number, (value, row, column) in sorted(total.impossible.items()):
        layer = plan.layers[number + 1]
        low, high = possible(layer.name, layer.unit) or (math.nan, math.nan)
        fields = {"file": layer.path, "name": layer.name, "value": f"{value:.6g}"}
        fields |= {"unit": layer.unit, "low": low, "high": high}
        problems.append(Problem("E307", fields | {"row": row + 1, "column": column + 1}))
    for number, (value, row, column) in sorted(total.fills.items()):
        layer = plan.layers[number + 1]
        fields = {"file": layer.path, "name": layer.name, "value": f"{value:.7g}"}
        problems.append(Problem("E308", fields | {"row": row + 1, "column": column + 1}))
    if problems:
        raise InputError(*problems)
