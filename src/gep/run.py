"""Plan → partials: tiles through the fused loop on several threads, summed as integers."""

import random
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.cube import AREA_QUANTUM
from gep.ecosystems import ecosystems
from gep.errors import stop_on
from gep.fuse import fuse
from gep.plan import Plan
from gep.rasters import Reader, Window, tiles
from gep.staging import Findings, Stager

TILE = 512
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
    findings: Findings = field(default_factory=Findings)

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
        self._add(other, places, 1)
        self.findings.add(other.findings)

    def merge(self, other: "Partials") -> None:
        """Add partials of the same places."""
        self.add(other, np.arange(len(self.pixels)))

    def subtract(self, other: "Partials") -> None:
        """Take off partials of the same places that are part of these: exactly, as integers."""
        self._add(other, np.arange(len(self.pixels)), -1)

    def copy(self) -> "Partials":
        """Partials that can be changed without changing these; their findings are none."""
        zeros = Partials.zeros(
            len(self.pixels), self.pixels.shape[1] - 1, self.blame.shape[0], self.blame.shape[1]
        )
        zeros._add(self, np.arange(len(self.pixels)), 1)
        return zeros

    def _add(self, other: "Partials", places: NDArray[np.int64], sign: int) -> None:
        for mine, theirs in ((self.sums, other.sums), (self.negative, other.negative)):
            mine[places] += sign * theirs
            carry = mine[places][..., 1] >> 32
            mine[places, ..., 0] += carry
            mine[places, ..., 1] &= MASK
        self.missing[places] += sign * other.missing
        self.missing_area[places] += sign * other.missing_area
        self.pixels[places] += sign * other.pixels
        self.areas[places] += sign * other.areas
        self.blame += sign * other.blame
        self.outside += sign * other.outside

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
        self.stager = Stager(plan)
        self.columns = len(plan.accumulators)
        self.culprits = len(culprits(plan))
        columns = [accumulator.column for accumulator in plan.accumulators]
        self._fused = fuse(columns, len(self.stager.layers), self.kinds)
        self._eligible = np.zeros((self.columns, 256), bool)
        for number, accumulator in enumerate(plan.accumulators):
            self._eligible[number, list(accumulator.eligible)] = True
        factors = np.array([accumulator.weight for accumulator in plan.accumulators])
        self._weights = grid.row_areas[:, None] * factors
        self._area_weights = grid.row_areas / AREA_QUANTUM
        self._tables = plan.lookups

    def tile(self, reader: Reader, window: Window) -> tuple[Partials, NDArray[np.int64]]:
        """Partials of one window, and the places they belong to."""
        tile = self.stager.tile(reader, window)
        inside = tile.places >= 0
        present = np.unique(tile.places[inside])
        part = Partials.zeros(len(present), self.kinds, self.columns, self.culprits)
        part.findings = tile.findings
        part.outside = int(inside.size - inside.sum())
        if not len(present):
            return part, np.zeros(0, np.int64)
        local = np.full(tile.places.shape, -1, np.int32)
        local[inside] = np.searchsorted(present, tile.places[inside])
        rows = slice(window.row_off, window.row_off + window.height)
        columns = slice(window.col_off, window.col_off + window.width)
        self._fused(
            tile.kinds.astype(np.uint8),
            local,
            tile.layers,
            self.stager.scales,
            self.stager.offsets,
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
        E031 codes the legend does not know, E307 values physics does not allow, E308 undeclared
        fills, E101 a file that cannot be decoded.
    """
    loop = loop or Loop(plan)
    todo = tiles(plan.grid, size) if windows is None else windows
    total = Partials.zeros(len(plan.counties.places), loop.kinds, loop.columns, loop.culprits)
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
    stop_on(total.findings.problems(plan))
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
