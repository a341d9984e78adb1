"""Several accounts on one grid in one pass: what more than one of them reads is decoded once.

Years that share elevation or soil, scenarios that share all but one layer.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.engine import Account, How
from gep.plan import Plan
from gep.rasters import Layer, Reader, Window, same
from gep.rasters import threads as default_threads
from gep.result import Result
from gep.run import TILE, By, Done, Loop, Progress, Take


def run_together(
    accounts: Sequence[Account],
    *,
    threads: int | None = None,
    tile: int = TILE,
    progress: Progress | None = None,
    outputs: Sequence[str | Path] | None = None,
    fresh: bool = False,
) -> list[Result]:
    """Run several accounts, decoding what they share once: years, or scenarios, of one grid.

    Accounts that lie on another grid than the first are run by themselves. The results are those of
    `Account.run` on each, to the last digit; the parameters are as there, with one folder for each
    account in *outputs*.

    Raises
    ------
    GepError
        As `Account.run`, of the first account that has something wrong; all are checked before
        any is computed.
    """
    started, workers = time.monotonic(), default_threads(threads)
    folders = [Path(folder) for folder in outputs] if outputs else [None] * len(accounts)
    reports = [
        one.ready(folder, one.definition.output.maps, progress, workers)
        for one, folder in zip(accounts, folders, strict=True)
    ]
    plans = [report.plan for report in reports if report.plan]
    alike = [n for n, plan in enumerate(plans) if same(plan.grid, plans[0].grid)]
    shared = Pass([plans[n] for n in alike], workers)
    found = []
    for n, (one, report) in enumerate(zip(accounts, reports, strict=True)):
        by = partial(_given, shared.of(alike.index(n))) if n in alike else None
        how = How(workers, tile, progress, folders[n], one.definition.output.maps, fresh, by)
        found.append(one.account(report, how, started))
    return found


def _given(by: By, *_: object) -> By:
    return by


class Pass:
    """Tiles of several plans, computed when the first of them asks for any.

    Those of the others wait as partials until their plan asks: some 26 kB a tile.
    """

    def __init__(self, plans: Sequence[Plan], threads: int) -> None:
        self._plans, self._threads = list(plans), threads
        self._layers: list[Layer] = []
        self._numbers = [[self._number(layer) for layer in plan.layers] for plan in plans]
        self._done: list[dict[Window, Done]] = [{} for _ in plans]

    def _number(self, layer: Layer) -> int:
        """Number of a layer among all; one for what is decoded alike."""
        for number, other in enumerate(self._layers):
            if _decoded_alike(layer, other):
                return number
        self._layers.append(layer)
        return len(self._layers) - 1

    def of(self, number: int) -> By:
        """How plan *number* gets its tiles."""

        def by(todo: list[Window], take: Take) -> None:
            there = self._done[number]
            if lacking := [window for window in todo if window not in there]:
                self._compute(lacking, number, take)
            for window in todo:
                if window in there:
                    take(*there.pop(window))

        return by

    def _compute(self, windows: list[Window], asking: int, take: Take) -> None:
        """Compute windows of all plans; those of the one asking are taken as they are done."""
        loops = [Loop(plan) for plan in self._plans]
        readers: SimpleQueue[Shared] = SimpleQueue()

        def work(window: Window) -> list[Done]:
            reader = readers.get()
            try:
                views = [View(reader, numbers) for numbers in self._numbers]
                both = zip(loops, views, strict=True)
                return [(window, *loop.tile(view, window)) for loop, view in both]
            finally:
                readers.put(reader)

        with ExitStack() as opened, ThreadPoolExecutor(self._threads) as pool:
            for _ in range(self._threads):
                reader = Shared(self._layers, self._plans[0].grid)
                opened.enter_context(reader)
                readers.put(reader)
            for found in pool.map(work, windows):
                for number, done in enumerate(found):
                    if number == asking:
                        take(*done)
                    else:
                        self._done[number][done[0]] = done


def _decoded_alike(one: Layer, other: Layer) -> bool:
    """Tell whether two layers are the same stored numbers, whatever these mean."""
    same_file = one.path == other.path and one.section.band == other.section.band
    how = ("resampling", "kind", "fill", "valid")
    return same_file and all(getattr(one.section, k) == getattr(other.section, k) for k in how)


class Shared(Reader):
    """Files of one thread, of which a window is decoded once, whoever asks for it."""

    def __init__(self, layers: list[Layer], target: Any) -> None:
        super().__init__(layers, target)
        self._window: Window | None = None
        self._there: dict[int, NDArray[Any]] = {}

    def stored(self, number: int, window: Window, bands: int | None = None) -> NDArray[Any]:
        """Numbers of a layer as stored, as `Reader` gives them."""
        if bands is not None:
            return super().stored(number, window, bands)
        if window != self._window:
            self._window, self._there = window, {}
        if number not in self._there:
            self._there[number] = super().stored(number, window)
        return self._there[number]

    def lent(self, number: int, window: Window) -> NDArray[Any]:
        """As `stored`: another account may ask for it again."""
        return self.stored(number, window)


class View(Reader):
    """The layers of one plan among those of a shared reader."""

    def __init__(self, reader: Shared, numbers: list[int]) -> None:
        self._reader, self._numbers = reader, numbers

    def stored(self, number: int, window: Window, bands: int | None = None) -> NDArray[Any]:
        """Numbers of a layer as stored."""
        return self._reader.stored(self._numbers[number], window, bands)

    def gather(
        self, number: int, window: Window, order: NDArray[np.uint32], out: NDArray[np.float32]
    ) -> tuple[float, float]:
        """Write the numbers of the pixels of *order* into *out*, as `Reader` does."""
        return self._reader.gather(self._numbers[number], window, order, out)
