"""Plan → partials: tiles through the fused loop on several threads, summed as integers."""

import itertools
import random
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from gep.ahead import AHEAD
from gep.cube import AREA_QUANTUM
from gep.ecosystems import ecosystems
from gep.errors import stop_on
from gep.fuse import Column, fuse, uncompiled
from gep.plan import Plan
from gep.rasters import Grid, Reader, Window, tiles
from gep.staging import Findings, Stager

TILE = 512
MASK = 0xFFFFFFFF
SMALL = 2**30
"""High limbs below this, and their low ones, fit into one of 64 bits."""
TICK = 0.5
"""Seconds after which a wait for tiles is left, so that Windows hears Ctrl-C."""
Progress = Callable[[int, int], None]
T = TypeVar("T")


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
            if theirs.any():
                both = mine[places] + sign * theirs
                both[..., 0] += both[..., 1] >> 32
                both[..., 1] &= MASK
                mine[places] = both
        self.missing[places] += sign * other.missing
        self.missing_area[places] += sign * other.missing_area
        self.pixels[places] += sign * other.pixels
        self.areas[places] += sign * other.areas
        self.blame += sign * other.blame
        self.outside += sign * other.outside

    def of_columns(self) -> list[int]:
        """What the same pixels cut otherwise must come to: by column, area, and what is missing."""
        by_column = self.total(self.sums).sum(axis=(0, 1))
        return [*map(int, by_column), int(self.areas.sum()), int(self.missing.sum())]

    def total(self, limbs: NDArray[np.int64]) -> NDArray[Any]:
        """Two-limb integers as Python integers."""
        high = limbs[..., 0]
        if high.size and high.min() >= -SMALL and high.max() < SMALL:
            small: NDArray[Any] = (high * 2**32 + limbs[..., 1]).astype(object)
            return small
        exact: NDArray[Any] = limbs[..., 0].astype(object) * 2**32 + limbs[..., 1].astype(object)
        return exact


def culprits(plan: Plan) -> list[str]:
    """Return what a missing pixel can be blamed on, in the order of `Partials.blame`."""
    names = [layer.name for layer in plan.layers[1:]]
    return [*names, "no coefficient / 没有系数", "no finite result / 结果不是有限数"]


Done = tuple[Window, Partials, NDArray[np.int64]]
"""One tile: where it is, what it gave, and the places that belongs to."""
Take = Callable[[Window, Partials, NDArray[np.int64]], None]
By = Callable[[list[Window], Take], None]
"""Computes some tiles and gives each to *take*, in any order."""


class Kept(Protocol):
    """Tiles that are there already, and a place for those that are computed."""

    def found(self, windows: Sequence[Window]) -> Iterator[Done]:
        """Those of *windows* that are there, with their partials and places."""

    def keep(self, window: Window, part: Partials, places: NDArray[np.int64]) -> None:
        """Put one computed tile there; from any thread."""


class Loop:
    """The fused loop of a plan with its tables, ready for tiles."""

    def __init__(self, plan: Plan) -> None:
        self.kinds = len(ecosystems())
        self.plan = plan
        self.stager = Stager(plan)
        self.columns = len(plan.accumulators)
        self.culprits = len(culprits(plan))
        columns = [accumulator.column for accumulator in plan.accumulators]
        self._fused = fuse(columns, len(self.stager.layers), self.kinds)
        self._eligible = np.zeros((self.columns, 256), bool)
        for number, accumulator in enumerate(plan.accumulators):
            self._eligible[number, list(accumulator.eligible)] = True
        self._factors = np.array([accumulator.weight for accumulator in plan.accumulators])
        self._readers = padded([column.layers for column in columns])
        self._lookups = padded([column.tables for column in columns])
        self._tables = plan.lookups
        self.sample: dict[Window, list[int] | None] = dict.fromkeys(_sample(plan.grid))
        """Tiles that are also cut otherwise: what each came to, once a run has added it."""

    def tile(self, reader: Reader, window: Window) -> tuple[Partials, NDArray[np.int64]]:
        """Partials of one window, and the places they belong to."""
        tile = self.stager.sorted(reader, window)
        part = Partials.zeros(len(tile.present), self.kinds, self.columns, self.culprits)
        part.findings, part.outside = tile.findings, tile.outside
        if len(tile.present):
            AHEAD.wait()
            self._fused(
                tile.values,
                tile.ends,
                tile.areas,
                self.stager.scales,
                self.stager.offsets,
                self._tables_of(tile.present),
                self._eligible,
                self._factors,
                AREA_QUANTUM,
                self._readers,
                self._lookups,
                part.sums,
                part.negative,
                part.missing,
                part.missing_area,
                part.blame,
                part.pixels,
                part.areas,
            )
        return part, tile.present

    def _tables_of(self, present: NDArray[np.int64]) -> NDArray[np.float64]:
        """Tables of the places in a tile, shape (places, tables, classes)."""
        found = np.zeros((len(present), max(1, len(self._tables)), self.kinds))
        for number, table in enumerate(self._tables):
            found[:, number] = table[present, : self.kinds]
        return found


def compile_ahead(plan: Plan) -> None:
    """Have the loop of *plan* compiled, where it is not yet, before it is needed."""
    AHEAD.begin(*_looped(plan))


def to_compile(plan: Plan) -> int:
    """Kernels of the loop of *plan*; 0 where it is compiled already."""
    columns, layers, kinds = _looped(plan)
    return len({column.kernel for column in columns}) if uncompiled(columns, layers, kinds) else 0


def _looped(plan: Plan) -> tuple[list[Column], int, int]:
    """What the loop of *plan* is made of: its columns, the number of layers, that of classes."""
    columns = [accumulator.column for accumulator in plan.accumulators]
    return columns, len(plan.layers) - 1, len(ecosystems())


def padded(numbers: Sequence[tuple[int, ...]]) -> NDArray[np.int64]:
    """Numbers of every column in rows of one length, filled up with -1."""
    longest = max(map(len, numbers), default=0)
    rows = [[*row, *[-1] * (longest - len(row))] for row in numbers]
    return np.array(rows, np.int64).reshape(len(numbers), longest)


def accumulate(
    plan: Plan,
    threads: int,
    progress: Progress | None = None,
    size: int = TILE,
    windows: list[Window] | None = None,
    loop: Loop | None = None,
    kept: Kept | None = None,
    by: By | None = None,
    readers: "Readers | None" = None,
) -> Partials:
    """Partials of the whole account grid; the same integers for any tile size and thread count.

    Tiles that are *kept* are not computed again, and those that are computed are kept, also those
    in hand when somebody interrupts. *by* computes them elsewhere than in threads of this process;
    *readers* of the plan are those to use, and bring their threads.

    Raises
    ------
    InputError
        E031 codes the legend does not know, E307 values physics does not allow, E308 undeclared
        fills, E101 a file that cannot be decoded.
    """
    loop = loop or Loop(plan)
    every = tiles(plan.grid, size) if windows is None else windows
    summed = Summed(loop, every, kept)

    def tell() -> None:
        if progress and summed.count:
            progress(summed.count, len(every))

    def take(window: Window, part: Partials, places: NDArray[np.int64]) -> None:
        summed.add(window, part, places)
        tell()

    def keep(window: Window, part: Partials, places: NDArray[np.int64]) -> None:
        if kept:
            kept.keep(window, part, places)
        take(window, part, places)

    tell()
    if summed.lacking and by:
        by(summed.lacking, keep)
    elif summed.lacking:
        with nullcontext(readers) if readers else Readers(plan, threads) as opened:
            opened.each(summed.computed, summed.lacking, lambda done: take(*done))
    return summed.ended()


class Summed:
    """Running sums of the tiles of one plan: those that are *kept*, and what is added to them.

    `lacking` are the windows that were not there, `count` the tiles that are added.
    """

    def __init__(self, loop: Loop, windows: Sequence[Window], kept: Kept | None = None) -> None:
        places = len(loop.plan.counties.places)
        self.loop, self._kept, self._adding = loop, kept, threading.Lock()
        self.total, self.count = Partials.zeros(places, loop.kinds, loop.columns, loop.culprits), 0
        there = set()
        for window, part, numbers in kept.found(windows) if kept else ():
            self.add(window, part, numbers)
            there.add(window)
        self.lacking = [window for window in windows if window not in there]

    def computed(self, reader: Reader, window: Window) -> Done:
        """One tile, computed and kept, from any thread.

        It is kept before its thread begins another: whatever happens, no more than one tile per
        thread is lost.
        """
        part, places = self.loop.tile(reader, window)
        if self._kept:
            self._kept.keep(window, part, places)
        return window, part, places

    def compute(self, reader: Reader, window: Window) -> None:
        """Compute, keep and add one tile, from any thread: nothing of it waits."""
        self.add(*self.computed(reader, window))

    def add(self, window: Window, part: Partials, places: NDArray[np.int64]) -> None:
        """Add partials of a window whose places are *places* of the plan, from any thread."""
        if window in self.loop.sample:
            self.loop.sample[window] = part.of_columns()
        with self._adding:
            self.total.add(part, places)
            self.count += 1

    def ended(self) -> Partials:
        """Sums of all tiles, in whose pixels nothing stops an account.

        Raises
        ------
        InputError
            E031 codes the legend does not know, E307 values physics does not allow, E308 undeclared
            fills.
        """
        stop_on(self.total.findings.problems(self.loop.plan))
        return self.total


class Readers:
    """Readers of the layers of a plan, one for each thread, opened once they are needed."""

    def __init__(self, plan: Plan, threads: int) -> None:
        self.threads = threads
        first = Reader(plan.layers, plan.grid)
        beside = (Reader(plan.layers, plan.grid, first) for _ in range(threads - 1))
        self._all = [first, *beside]
        self._free: SimpleQueue[Reader] = SimpleQueue()
        self._opened: list[Reader] = []

    def __enter__(self) -> "Readers":
        return self

    def __exit__(self, *failure: object) -> None:
        for reader in self._opened:
            reader.__exit__(None, None, None)

    def _open(self) -> None:
        for reader in self._all:
            self._opened.append(reader)
            self._free.put(reader.__enter__())

    def each(
        self,
        work: Callable[[Reader, Window], T],
        windows: Sequence[Window],
        take: Callable[[T], None],
    ) -> None:
        """Give what *work* makes of every window, on the threads, to *take*, as they are done.

        When somebody interrupts, what is in hand comes to its end, and no other is begun.
        """

        def one(window: Window) -> T:
            reader = self._free.get()
            try:
                return work(reader, window)
            finally:
                self._free.put(reader)

        if not self._opened and windows:
            self._open()
        pending: set[Future[T]] = set()
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                queue = iter(windows)
                while True:
                    more = itertools.islice(queue, 2 * self.threads - len(pending))
                    pending |= {pool.submit(one, window) for window in more}
                    if not pending:
                        break
                    finished, pending = wait(pending, TICK, FIRST_COMPLETED)
                    for future in finished:
                        take(future.result())
            except KeyboardInterrupt:
                _end(pending)
                raise
            finally:
                pool.shutdown(cancel_futures=True)


def _end(pending: Iterable[Future[Any]]) -> None:
    """Let the tiles in hand come to their end, and begin no other."""
    wait([future for future in pending if not future.cancel()])


def same_after_retiling(loop: Loop, readers: Readers) -> tuple[int, list[int], list[int]]:
    """Number of tiles tried, and the column sums of one in a hundred tiles cut in two ways.

    Whole they are what the run has added, whoever computed them; in pieces they are decoded anew,
    those of one tile by GDAL.
    """

    def whole(reader: Reader, window: Window) -> tuple[Window, list[int]]:
        return window, loop.tile(reader, window)[0].of_columns()

    def piece(reader: Reader, window: Window) -> list[int]:
        reader.pieces = None if window in by_gdal else True
        return loop.tile(reader, window)[0].of_columns()

    found, cut = loop.sample, list[list[int]]()
    by_gdal = [one for window in itertools.islice(found, 1) for one in _pieces(window)]
    lacking = [window for window in found if found[window] is None]
    readers.each(whole, lacking, lambda one: found.update([one]))
    readers.each(piece, [one for window in found for one in _pieces(window)], cut.append)
    left, right = (
        [sum(column) for column in zip(*filter(None, sums), strict=True)]
        for sums in (found.values(), cut)
    )
    return len(found), left, right


def _sample(grid: Grid) -> list[Window]:
    """One in a hundred tiles, at random but always the same."""
    windows = tiles(grid, TILE)
    return random.Random(len(windows)).sample(windows, max(1, len(windows) // 100))


def _pieces(window: Window) -> list[Window]:
    """Cut a window into pieces of unequal size."""
    wide, high = window.width // 3 or 1, window.height // 5 or 1
    found = []
    for x, width in ((0, wide), (wide, window.width - wide)):
        for y, height in ((0, high), (high, window.height - high)):
            if width > 0 and height > 0:
                found.append(Window(window.col_off + x, window.row_off + y, width, height))
    return found
