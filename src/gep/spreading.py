"""The pixels of maps: tiles once more through the kernels, spread by the factors of each map."""

from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gep.cube import AREA_QUANTUM
from gep.densities import Map
from gep.ecosystems import ecosystems
from gep.fuse import fuse, spread_source
from gep.plan import Plan
from gep.rasters import Reader, Window
from gep.staging import Stager

T = TypeVar("T")


@dataclass(frozen=True)
class Factors:
    """Parts of several maps as the loop takes them, in the words of `fuse.spread_source`."""

    eligible: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    starts: NDArray[np.int64]
    sources: NDArray[np.int64]
    factors: NDArray[np.float64]
    layers: frozenset[int]
    """Layers their kernels read."""


class Spreader:
    """The spreading loop of a plan with its tables, ready for tiles."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.stager = plan, Stager(plan)
        self._kinds = len(ecosystems())
        columns = [accumulator.column for accumulator in plan.accumulators]
        layers = len(self.stager.layers)
        self._spread = fuse(columns, layers, self._kinds, spread_source)
        self._eligible = np.zeros((max(1, len(columns)), 256), bool)
        for number, accumulator in enumerate(plan.accumulators):
            self._eligible[number, list(accumulator.eligible)] = True
        self._weights = np.array([accumulator.weight for accumulator in plan.accumulators])
        shape = len(plan.counties.places), 1, 256
        tables = np.stack(plan.lookups, axis=1) if plan.lookups else np.zeros(shape)
        self._tables = np.ascontiguousarray(tables)

    def factors(self, maps: Sequence[Map]) -> Factors:
        """What the loop needs of some maps, the same for every tile."""
        parts = [part for each in maps for part in each.parts]
        sources = np.array([part.source for part in parts], np.int64)
        eligible = self._eligible.copy()
        eligible[~np.isin(np.arange(len(eligible)), sources)] = False  # kernels nobody needs
        accumulators = self.plan.accumulators
        used = [accumulators[n].column for n in sources if n < len(accumulators)]
        needed = frozenset(layer for column in used for layer in column.layers)
        return Factors(
            eligible,
            np.array([each.whole for each in maps]),
            np.cumsum([0, *(len(each.parts) for each in maps)], dtype=np.int64),
            sources,
            np.ascontiguousarray(np.stack([part.factors for part in parts], axis=-1)),
            needed,
        )

    def tile(self, reader: Reader, window: Window, of: Factors) -> NDArray[np.float32]:
        """Densities of one window, shape (maps, rows, columns); NaN where a map has none."""
        out = np.full((len(of.whole), window.height, window.width), np.nan, np.float32)
        tile = self.stager.tile(reader, window, of.layers)
        if not (tile.places >= 0).any():
            return out
        rows = slice(window.row_off, window.row_off + window.height)
        columns = slice(window.col_off, window.col_off + window.width)
        self._spread(
            tile.kinds,
            tile.places,
            tile.layers,
            self.stager.scales,
            self.stager.offsets,
            self._tables,
            of.eligible,
            self._weights,
            np.ascontiguousarray(self.plan.grid.row_areas[rows]),
            np.ascontiguousarray(self.plan.grid.column_factors[columns]),
            AREA_QUANTUM,
            of.whole,
            of.starts,
            of.sources,
            of.factors,
            out,
        )
        return out


def stream(
    spreader: Spreader,
    maps: Sequence[Map],
    windows: Sequence[Window],
    threads: int,
    use: Callable[[Window, NDArray[np.float32]], T],
) -> Generator[T, None, None]:
    """Yield what *use* gives of the densities of every window, in the order of *windows*.

    It is called by several threads. At most two windows per thread are in hand at once, so memory
    does not grow with the raster.
    """
    plan, factors = spreader.plan, spreader.factors(maps)
    readers: SimpleQueue[Reader] = SimpleQueue()

    def work(window: Window) -> T:
        reader = readers.get()
        try:
            arrays = spreader.tile(reader, window, factors)
        finally:
            readers.put(reader)
        return use(window, arrays)

    first = Reader(plan.layers, plan.grid)
    opened = [first, *(Reader(plan.layers, plan.grid, first) for _ in range(threads - 1))]
    pending: deque[Future[T]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for reader in opened:
                readers.put(reader.__enter__())
            for window in windows:
                pending.append(pool.submit(work, window))
                if len(pending) >= 2 * threads:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
            for reader in opened:
                reader.__exit__(None, None, None)
