"""Several accounts on one grid in one pass: what more than one of them reads is decoded once.

Years that share elevation or soil, scenarios that share all but one layer.
"""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.engine import Account, Begun, How, Report
from gep.errors import GepError
from gep.map_names import Wanted
from gep.plan import Plan
from gep.rasters import Grid, Layer, Reader, Window, tiles
from gep.rasters import threads as default_threads
from gep.replacements import counted
from gep.result import Result
from gep.resume import keeping_all
from gep.run import TICK, TILE, Loop, Progress, Readers, Summed
from gep.scenario import Sums, of_all


def run_together(
    accounts: Sequence[Account],
    *,
    threads: int | None = None,
    tile: int = TILE,
    progress: Progress | None = None,
    outputs: Sequence[str | Path] | None = None,
    maps: Wanted | None = None,
    fresh: bool = False,
) -> list[Result]:
    """Run several accounts, decoding what they share once: years, or scenarios, of one grid.

    Those of the same grid share a pass: same crs, transform and shape, exactly. The results are
    those of `Account.run` on each, to the last digit; the parameters are as there, with one folder
    for each account in *outputs*, which is held as long as its tiles are computed. *progress*
    counts the tiles of all accounts.

    Raises
    ------
    GepError
        As `Account.run`, of an account that has something wrong, which its note names; all are
        checked before any is computed. Tiles that are done are kept, also those of others.
    Interrupted
        A KeyboardInterrupt: the tiles of every account with a folder are kept.
    """
    threads, tile = counted("run_together", threads, tile)
    started, workers = time.monotonic(), default_threads(threads)
    folders = [Path(folder) for folder in outputs] if outputs else [None] * len(accounts)
    wanted = [one.definition.output.maps if maps is None else maps for one in accounts]
    runs: list[Run] = []
    for one, folder, drawn in zip(accounts, folders, wanted, strict=True):
        with _named(one.path):
            report = one.ready(folder, drawn, progress, workers)
        runs.append(Run(len(runs), one, report, How(workers, tile, None, folder, drawn, fresh)))
    course = Course(progress, [len(tiles(run.plan.grid, tile)) for run in runs])
    found: dict[int, Result] = {}
    for group in _groups(runs):
        told = [replace(run, how=replace(run.how, progress=course.of(run.number))) for run in group]
        for run, result in zip(group, _results(told, started, course), strict=True):
            found[run.number] = result
            course.of(run.number)(1, 1)
    return [found[run.number] for run in runs]


@dataclass(frozen=True)
class Run:
    """One of several accounts, ready to be computed: its number among them."""

    number: int
    account: Account
    report: Report
    how: How

    @property
    def plan(self) -> Plan:
        """Plan of the report, in which nothing is wrong."""
        assert self.report.plan is not None
        return self.report.plan


def _groups(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that can share a pass: of one grid, to the last bit.

    A scenario whose base has run is by itself: it computes what differs, under both plans. Such
    are first, before a base that runs again is another.
    """
    shared: list[list[Run]] = []
    alone: list[list[Run]] = []
    for run in runs:
        fits = (group for group in shared if _one_grid(group[0].plan.grid, run.plan.grid))
        if run.account.little(run.plan):
            alone.append([run])
        elif group := next(fits, None):
            group.append(run)
        else:
            shared.append([run])
    return [*alone, *shared]


def _one_grid(one: Grid, other: Grid) -> bool:
    """Tell whether what is resampled to one grid is that of the other, bit for bit."""
    places = [(grid.height, grid.width, grid.transform, grid.crs.to_wkt()) for grid in (one, other)]
    return places[0] == places[1]


def _results(runs: Sequence[Run], started: float, course: "Course") -> list[Result]:
    """Results of runs that share a pass, in their order.

    The tiles of all are in their ledgers before any is accounted: what is wrong with one does not
    lose those of another.
    """
    if len(runs) == 1:
        (run,) = runs
        with _named(run.account.path):
            return [run.account.account(run.report, run.how, started)]
    with ExitStack() as held:
        begun = _begun(runs, held)
        summed = _pass(runs, begun, course)
    found = []
    for run, one, sums in zip(runs, begun, summed, strict=True):
        with _named(run.account.path):
            found.append(run.account.finish(one, sums, run.how, started))
    return found


def _begun(runs: Sequence[Run], held: ExitStack) -> list[Begun]:
    """What each run knows before the first tile, its folder held."""
    keeping = held.enter_context(keeping_all([(run.how.output, run.how.fresh) for run in runs]))
    found = []
    for run, one in zip(runs, keeping, strict=True):
        with _named(run.account.path):
            found.append(run.account.begin(run.report, run.how, one))
    return found


def _pass(runs: Sequence[Run], begun: Sequence[Begun], course: "Course") -> list[Sums]:
    """Sums of every tile of the plans, those that are not kept computed at once."""
    size, added = runs[0].how.tile, list[Summed]()
    windows = tiles(begun[0].plan.grid, size)

    for run, one in zip(runs, begun, strict=True):
        added.append(Summed(Loop(one.plan), windows, one.held.kept))
        course.reached(run.number, added[-1].count)
    paths = [run.account.path for run in runs]

    def tell(numbers: Sequence[int]) -> None:
        for number in numbers:
            course.more(runs[number].number)

    Pass(added, paths).compute(windows, runs[0].how.threads, tell)
    found = []
    for path, one, summed in zip(paths, begun, added, strict=True):
        with _named(path):
            if one.held.kept:
                one.held.kept.ended(shared=True)
            total = summed.ended()
            with Readers(one.plan, runs[0].how.threads) as readers:
                found.append(of_all(total, summed.loop, readers, size, one.held.kept))
    return found


@contextmanager
def _named(path: Path) -> Generator[None, None, None]:
    """Note at an error of which account it is, unless that is known already."""
    try:
        yield
    except GepError as error:
        if not getattr(error, "__notes__", ()):
            error.add_note(str(path))
        raise


class Course:
    """Progress over the tiles of several accounts, whichever of them computes; never back."""

    def __init__(self, told: Progress | None, tiles: Sequence[int]) -> None:
        self._told, self._all, self._done = told, list(tiles), [0] * len(tiles)

    def reached(self, number: int, count: int) -> None:
        """So many tiles of one account are computed."""
        if count > self._done[number]:
            self._done[number] = count
            if self._told:
                self._told(sum(self._done), sum(self._all))

    def more(self, number: int) -> None:
        """One more tile of one account is computed."""
        self.reached(number, self._done[number] + 1)

    def of(self, number: int) -> Progress:
        """Progress of one account, told as a part of that of all."""
        return lambda done, total: self.reached(number, self._all[number] * done // total)


Tell = Callable[[Sequence[int]], None]


def _silent(_: Sequence[int]) -> None:
    pass


class Pass:
    """Tiles of several plans of one grid: where a file is read by more than one, decoded once.

    Every tile is kept and added by the thread that computes it, plan by plan: what waits in memory
    are the sums. *paths* say where each plan is defined.
    """

    def __init__(self, added: Sequence[Summed], paths: Sequence[Path]) -> None:
        self._added, self._paths = list(added), list(paths)
        self._lacking = [set(one.lacking) for one in added]
        self._layers: list[Layer] = []
        needed = [one.loop.plan.layers if one.lacking else [] for one in added]
        self._numbers = [[self._number(layer) for layer in layers] for layers in needed]

    def _number(self, layer: Layer) -> int:
        """Number of a layer among all; one for what is decoded alike."""
        for number, other in enumerate(self._layers):
            if _decoded_alike(layer, other):
                return number
        self._layers.append(layer)
        return len(self._layers) - 1

    def compute(self, windows: Sequence[Window], threads: int, tell: Tell = _silent) -> None:
        """Compute those of *windows* that a plan lacks, for those that lack it.

        After each window *tell* hears their numbers, in the thread of the caller.
        """
        todo = [window for window in windows if any(window in some for some in self._lacking)]
        if not todo:
            return
        readers: SimpleQueue[Shared] = SimpleQueue()

        def work(window: Window) -> list[int]:
            reader = readers.get()
            try:
                return self._compute(reader, window)
            finally:
                readers.put(reader)

        with ExitStack() as opened, ThreadPoolExecutor(threads) as pool:
            first = Shared(self._layers, self._added[0].loop.plan.grid)
            for number in range(threads):
                reader = Shared(first._layers, first._target, first) if number else first
                opened.enter_context(reader)
                readers.put(reader)
            _each(pool, work, todo, 2 * threads, tell)

    def _compute(self, reader: "Shared", window: Window) -> list[int]:
        """Compute one window for every plan that lacks it; the numbers of these."""
        numbers = [number for number, some in enumerate(self._lacking) if window in some]
        for number in numbers:
            with _named(self._paths[number]):
                self._added[number].compute(View(reader, self._numbers[number]), window)
        return numbers


def _each(
    pool: ThreadPoolExecutor,
    work: Callable[[Window], list[int]],
    windows: Sequence[Window],
    most: int,
    tell: Tell,
) -> None:
    """Do *work* of every window, and *tell* of each; what is begun is ended, whatever happens."""
    queue, pending = iter(windows), set[Future[list[int]]]()
    try:
        while True:
            pending |= {pool.submit(work, window) for window in islice(queue, most - len(pending))}
            if not pending:
                return
            finished, pending = wait(pending, TICK, FIRST_COMPLETED)
            for future in finished:
                tell(future.result())
    finally:
        pool.shutdown(cancel_futures=True)


def _decoded_alike(one: Layer, other: Layer) -> bool:
    """Tell whether two layers are the same stored numbers, whatever these mean."""
    same_file = one.path == other.path and one.section.band == other.section.band
    how = ("resampling", "kind", "fill", "valid")
    return same_file and all(getattr(one.section, k) == getattr(other.section, k) for k in how)


class Shared(Reader):
    """Files of one thread, of which a window is decoded once, whoever asks for it."""

    def __init__(self, layers: list[Layer], target: Grid, beside: "Shared | None" = None) -> None:
        super().__init__(layers, target, beside)
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
        self._reader, self._numbers, self.room = reader, numbers, reader.room

    def stored(self, number: int, window: Window, bands: int | None = None) -> NDArray[Any]:
        """Numbers of a layer as stored."""
        return self._reader.stored(self._numbers[number], window, bands)

    def lent(self, number: int, window: Window) -> NDArray[Any]:
        """As `stored`: another account may ask for it again."""
        return self._reader.lent(self._numbers[number], window)

    def gather(
        self, number: int, window: Window, order: NDArray[np.uint32], out: NDArray[np.float32]
    ) -> tuple[float, float]:
        """Write the numbers of the pixels of *order* into *out*, as `Reader` does."""
        return self._reader.gather(self._numbers[number], window, order, out)
