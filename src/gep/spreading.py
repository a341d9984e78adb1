"""The pixels of maps: tiles once more through the kernels, spread by the factors of each map."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from gep.cube import AREA_QUANTUM
from gep.densities import Map
from gep.ecosystems import ecosystems
from gep.fuse import fuse, spread_source
from gep.plan import Plan
from gep.rasters import Reader, Window
from gep.staging import Stager


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
        weights = np.array([accumulator.weight for accumulator in plan.accumulators])
        self._weights = plan.grid.row_areas[:, None] * weights
        self._area_weights = plan.grid.row_areas / AREA_QUANTUM
        shape = len(plan.counties.places), 1, 256
        tables = np.stack(plan.lookups, axis=1) if plan.lookups else np.zeros(shape)
        self._tables = np.ascontiguousarray(tables)

    def tile(self, reader: Reader, window: Window, maps: Sequence[Map]) -> NDArray[np.float32]:
        """Densities of one window, shape (maps, rows, columns); NaN where a map has none."""
        out = np.full((len(maps), window.height, window.width), np.nan, np.float32)
        tile = self.stager.tile(reader, window)
        if not tile.layers.size and not (tile.places >= 0).any():
            return out
        parts = [part for each in maps for part in each.parts]
        eligible = self._eligible.copy()
        used = {part.source for part in parts}
        eligible[[n for n in range(len(eligible)) if n not in used]] = False  # kernels not needed
        starts = np.cumsum([0, *(len(each.parts) for each in maps)])
        rows = slice(window.row_off, window.row_off + window.height)
        columns = slice(window.col_off, window.col_off + window.width)
        self._spread(
            tile.kinds.astype(np.uint8),
            tile.places,
            tile.layers,
            self.stager.scales,
            self.stager.offsets,
            self._tables,
            eligible,
            np.ascontiguousarray(self._weights[rows]),
            np.ascontiguousarray(self.plan.grid.column_factors[columns]),
            np.ascontiguousarray(self._area_weights[rows]),
            np.ascontiguousarray(self.plan.grid.row_areas[rows]),
            np.array([each.whole for each in maps]),
            starts.astype(np.int64),
            np.array([part.source for part in parts], np.int64),
            np.ascontiguousarray([part.factors for part in parts]),
            out,
        )
        return out


def stream(
    spreader: Spreader, maps: Sequence[Map], windows: Sequence[Window], threads: int
) -> Iterator[tuple[Window, NDArray[np.float32]]]:
    """Yield the densities of every window, in the order of *windows*.

    At most two windows per thread are held at once, so memory does not grow with the raster.
    """
    plan = spreader.plan
    readers: SimpleQueue[Reader] = SimpleQueue()

    def work(window: Window) -> NDArray[np.float32]:
        reader = readers.get()
        try:
            return spreader.tile(reader, window, maps)
        finally:
            readers.put(reader)

    opened = [Reader(plan.layers, plan.grid) for _ in range(threads)]
    pending: deque[tuple[Window, Future[NDArray[np.float32]]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for reader in opened:
                readers.put(reader.__enter__())
            for window in windows:
                pending.append((window, pool.submit(work, window)))
                if len(pending) >= 2 * threads:
                    first, future = pending.popleft()
                    yield first, future.result()
            for window, future in pending:
                yield window, future.result()
        finally:
            pool.shutdown(cancel_futures=True)
            for reader in opened:
                reader.__exit__(None, None, None)
