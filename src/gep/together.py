"""Several accounts on one grid in one pass: what more than one of them reads is decoded once.

Years that share elevation or soil, scenarios that share all but one layer.
"""

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.engine import Account, How, Report
from gep.errors import GepError, Interrupted, Problem
from gep.map_names import Wanted
from gep.plan import Plan
from gep.rasters import Layer, Reader, Window, same, tiles
from gep.rasters import threads as default_threads
from gep.result import Result
from gep.run import TICK, TILE, By, Done, Loop, Progress, Take


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

    Accounts that lie on another grid than the first are run by themselves. The results are those of
    `Account.run` on each, to the last digit; the parameters are as there, with one folder for each
    account in *outputs*. *progress* counts the tiles of all accounts.

    Raises
    ------
    GepError
        As `Account.run`, of the first account that has something wrong, which its note names; all
        are checked before any is computed.
    Interrupted
        A KeyboardInterrupt: the tiles of every account with a folder are kept.
    """
    started, workers = time.monotonic(), default_threads(threads)
    folders = [Path(folder) for folder in outputs] if outputs else [None] * len(accounts)
    wanted = [one.definition.output.maps if maps is None else maps for one in accounts]
    runs = []
    for one, folder, drawn in zip(accounts, folders, wanted, strict=True):
        with _named(one.path):
            report = one.ready(folder, drawn, progress, workers)
        runs.append(Run(one, report, How(workers, tile, progress, folder, drawn, fresh)))
    course = Course(progress, [len(tiles(run.plan.grid, tile)) for run in runs])
    return _results(_shared(runs, workers, course), started, course)


@dataclass(frozen=True)
class Run:
    """One of several accounts, ready to be computed; its turn in the pass if it is on its grid."""

    account: Account
    report: Report
    how: How
    turn: "Turn | None" = None

    @property
    def plan(self) -> Plan:
        """Plan of the report, in which nothing is wrong."""
        assert self.report.plan is not None
        return self.report.plan


def _shared(runs: Sequence[Run], threads: int, course: "Course") -> list[Run]:
    """The same runs with their progress a part of the whole, and their turns in one pass."""
    alike = [n for n, run in enumerate(runs) if same(run.plan.grid, runs[0].plan.grid)]
    shared = Pass(
        [runs[n].plan for n in alike],
        threads,
        lambda number, count: course.reached(alike[number], count),
        [runs[n].account.path for n in alike],
    )
    found = []
    for n, run in enumerate(runs):
        turn = shared.of(alike.index(n)) if n in alike else None
        by = partial(_given, turn) if turn else None
        found.append(replace(run, how=replace(run.how, progress=course.of(n), by=by), turn=turn))
    return found


def _results(runs: Sequence[Run], started: float, course: "Course") -> list[Result]:
    """Results of accounts, one after another; the first of a grid computes for all of it."""
    found = []
    for number, run in enumerate(runs):
        try:
            with _named(run.account.path):
                found.append(run.account.account(run.report, run.how, started))
        except KeyboardInterrupt as stopped:
            problems = [*getattr(stopped, "problems", ()), *_kept(runs[number + 1 :], started)]
            if not problems:
                raise
            raise Interrupted(*problems) from None
        course.of(number)(1, 1)
    return found


def _kept(runs: Sequence[Run], started: float) -> list[Problem]:
    """Keep the tiles of accounts whose turn has not come; W593 of each says how many.

    A scenario goes on from its base, not from tiles.
    """
    problems: list[Problem] = []
    for run in runs:
        one = run.account
        if run.turn is None or not run.turn.waiting or run.how.output is None or one.replaced:
            continue
        ended = replace(run.how, by=partial(_given, run.turn.left), progress=None)
        try:
            with suppress(GepError):
                one.account(run.report, ended, started)
        except KeyboardInterrupt as stopped:
            problems += getattr(stopped, "problems", ())
    return problems


@contextmanager
def _named(path: Path) -> Generator[None, None, None]:
    """Note at an error of which account it is, unless that is known already."""
    try:
        yield
    except GepError as error:
        if not getattr(error, "__notes__", ()):
            error.add_note(str(path))
        raise


def _given(by: By, *_: object) -> By:
    return by


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

    def of(self, number: int) -> Progress:
        """Progress of one account, told as a part of that of all."""
        return lambda done, total: self.reached(number, self._all[number] * done // total)


def _silent(number: int, count: int) -> None:
    pass


class Pass:
    """Tiles of several plans, computed when the first of them asks for any.

    Those of the plans after it wait as partials until these ask: some 26 kB a tile. *waiting* is
    told how many, plan by plan; *paths* say where each is defined.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        threads: int,
        waiting: Callable[[int, int], None] = _silent,
        paths: Sequence[Path] = (),
    ) -> None:
        self._plans, self._threads, self._waiting = list(plans), threads, waiting
        self._paths = list(paths) or [Path()] * len(plans)
        self._layers: list[Layer] = []
        self._numbers = [[self._number(layer) for layer in plan.layers] for plan in plans]
        self.done: list[dict[Window, Done]] = [{} for _ in plans]

    def _number(self, layer: Layer) -> int:
        """Number of a layer among all; one for what is decoded alike."""
        for number, other in enumerate(self._layers):
            if _decoded_alike(layer, other):
                return number
        self._layers.append(layer)
        return len(self._layers) - 1

    def of(self, number: int) -> "Turn":
        """How plan *number* gets its tiles."""
        return Turn(self, number)

    def compute(self, windows: list[Window], asking: int, take: Take) -> None:
        """Compute windows of the plan *asking* and of those after it; its own are taken at once.

        Those before it have had their turn and lack nothing.
        """
        numbers = range(asking, len(self._plans))
        loops = [Loop(self._plans[number]) for number in numbers]
        readers: SimpleQueue[Shared] = SimpleQueue()

        def work(window: Window) -> list[Done]:
            reader, found = readers.get(), []
            try:
                for number, loop in zip(numbers, loops, strict=True):
                    view = View(reader, self._numbers[number])
                    with _named(self._paths[number]):
                        found.append((window, *loop.tile(view, window)))
                return found
            finally:
                readers.put(reader)

        def hand_out(found: list[Done]) -> None:
            for number, done in zip(numbers[1:], found[1:], strict=True):
                self.done[number][done[0]] = done
                self._waiting(number, len(self.done[number]))
            take(*found[0])

        with ExitStack() as opened, ThreadPoolExecutor(self._threads) as pool:
            for _ in range(self._threads):
                reader = Shared(self._layers, self._plans[0].grid)
                opened.enter_context(reader)
                readers.put(reader)
            _each(pool, work, windows, 2 * self._threads, hand_out)


def _each(
    pool: ThreadPoolExecutor,
    work: Callable[[Window], list[Done]],
    windows: Sequence[Window],
    most: int,
    hand_out: Callable[[list[Done]], None],
) -> None:
    """Hand out what *work* makes of every window, of those in hand too if somebody interrupts."""
    queue, pending = iter(windows), set[Future[list[Done]]]()
    try:
        while True:
            pending |= {pool.submit(work, window) for window in islice(queue, most - len(pending))}
            if not pending:
                return
            for future in wait(pending, TICK, FIRST_COMPLETED).done:
                pending.discard(future)
                hand_out(future.result())
    except KeyboardInterrupt:
        pool.shutdown(cancel_futures=True)
        for future in pending:
            if not future.cancelled() and future.exception() is None:
                hand_out(future.result())
        raise
    finally:
        pool.shutdown(cancel_futures=True)


class Turn:
    """How one of the plans of a pass gets its tiles: those that wait, the rest computed."""

    def __init__(self, shared: Pass, number: int) -> None:
        self._pass, self._number = shared, number

    @property
    def waiting(self) -> dict[Window, Done]:
        """Tiles that are computed and not taken."""
        return self._pass.done[self._number]

    def __call__(self, todo: list[Window], take: Take) -> None:
        """Take every tile of *todo*."""
        if lacking := [window for window in todo if window not in self.waiting]:
            self._pass.compute(lacking, self._number, take)
        self._take(todo, take)

    def left(self, todo: list[Window], take: Take) -> None:
        """Take the tiles of *todo* that wait, and go on as if interrupted."""
        self._take(todo, take)
        raise KeyboardInterrupt

    def _take(self, todo: list[Window], take: Take) -> None:
        for window in todo:
            if window in self.waiting:
                take(*self.waiting.pop(window))


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
