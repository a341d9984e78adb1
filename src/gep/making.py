"""Rasters whose pixels are made one by one: on several threads, by area, in file order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from gep.acceptance import accept
from gep.areas import Form, areas, forms, parts, pieces
from gep.errors import Problem, stop_on
from gep.fuse import pixelwise
from gep.held import Held, fetch
from gep.plan import Plan
from gep.preparation import almanac
from gep.rasters import Reader, Window
from gep.raw import Texture, bare
from gep.run import Progress
from gep.stacks import Stacks
from gep.staging import Findings, Stager, Tile
from gep.step import Step

Found = tuple[Stacks, NDArray[np.float32]]
Made = Generator[tuple[Window, NDArray[np.float32]], None, None]
Task = TypeVar("Task")
Done = TypeVar("Done")


class Crew:
    """Threads, each with open files of its own: those of the plan, and those of the series."""

    def __init__(self, plan: Plan, step: Step, threads: int) -> None:
        self.threads = threads
        self._plan, self._series = plan, list(step.stacks.values())
        self._files: SimpleQueue[tuple[Reader, Reader]] = SimpleQueue()
        self._opened = ExitStack()

    def __enter__(self) -> "Crew":
        with ExitStack() as stack:
            for _ in range(self.threads):
                layers = stack.enter_context(Reader(self._plan.layers, self._plan.grid))
                series = stack.enter_context(Reader(self._series, self._plan.grid))
                self._files.put((layers, series))
            self._pool = ThreadPoolExecutor(self.threads, "gep")
            stack.callback(self._pool.shutdown, cancel_futures=True)  # before files are closed
            self._opened = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opened.__exit__(kind, error, trace)

    def each(
        self, work: Callable[[tuple[Reader, Reader], Task], Done], todo: Iterable[Task]
    ) -> Iterator[Done]:
        """Results of *work* in the order of *todo*, never many more at once than are taken."""
        waiting: deque[Future[Done]] = deque()
        for task in todo:
            waiting.append(self._pool.submit(self._do, work, task))
            if len(waiting) > 2 * self.threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _do(self, work: Callable[[tuple[Reader, Reader], Task], Done], task: Task) -> Done:
        files = self._files.get()
        try:
            return work(files, task)
        finally:
            self._files.put(files)


class Pixelwise:
    """A raster whose pixels are made one by one, and what was found on the way.

    `stacks` holds what the series show; the numbers made are those for any area and any number of
    threads.
    """

    def __init__(self, plan: Plan, step: Step, tables: NDArray[np.float64]) -> None:
        one = step.preparation
        self.plan, self.step, self.stacks = plan, step, Stacks(step)
        self._stager, self._findings, self._texture = Stager(plan), Findings(), Texture()
        layers = [*step.layers.values(), *step.stacks.values()]
        self._scales = np.array([layer.scale for layer in layers] + [1.0])
        self._offsets = np.array([layer.offset for layer in layers] + [0.0])
        self._tables = tables
        self._dates = [almanac(word, step.year) for word in one.calendar]
        counts = len(step.layers), len(step.stacks), len(self._dates), len(one.coefficients)
        self._fused = pixelwise(one.kernel, *counts)

    def windows(self, threads: int, progress: Progress) -> Made:
        """Windows that cover the grid, NaN outside the counties.

        Raises
        ------
        InputError
            Everything wrong with the pixels that were read, once all are.
        """
        todo = areas(self.plan.grid, self.step, threads)
        with Crew(self.plan, self.step, threads) as crew:
            made = self._by_area(crew, todo) if self.step.stacks else crew.each(self._plain, todo)
            for number, (window, tile, out) in enumerate(made):
                self._findings.add(tile.findings)
                self._texture.add(tile, self._stager, window)
                if not self.step.stacks:
                    self._count(tile, out)
                yield window, out
                progress(number + 1, len(todo))
        problems = [*self._findings.problems(self.plan), *self._texture.problems]
        stop_on(accept([*problems, *self.stacks.found()], self.plan.definition))

    def doubts(self) -> list[Problem]:
        """What deserves a look, once all is made: W808, W809, W812."""
        return [*self.stacks.doubts(), *self._texture.doubts]

    def _count(self, tile: Tile, out: NDArray[np.float32]) -> None:
        """Count the pixels of a window made of layers alone, and those of which nothing came."""
        inside = tile.places >= 0
        self.stacks.count(inside)
        if inside.any():
            self.stacks.lose([], out, inside, self._known(tile))

    def _known(self, tile: Tile) -> NDArray[np.bool_]:
        """Where the layers of a step and its numbers by class are there, and a soil."""
        numbers = self._tables[: len(self.step.coefficients), tile.kinds]
        unknown = np.isnan(tile.layers).any(axis=0) | np.isnan(numbers).any(axis=0)
        known: NDArray[np.bool_] = ~unknown & ~bare(tile, self._stager)
        return known

    def _plain(
        self, files: tuple[Reader, Reader], window: Window
    ) -> tuple[Window, Tile, NDArray[np.float32]]:
        """One window made of layers alone."""
        tile = self._stager.tile(files[0], window)
        return window, tile, self._made(tile, window, window, [])

    def _by_area(
        self, crew: Crew, todo: Iterable[Window]
    ) -> Iterator[tuple[Window, Tile, NDArray[np.float32]]]:
        """Areas made of series: what an area has is read on all threads, then made on all."""
        stored = forms(self.step, self.plan.grid)
        for area in todo:
            tile = next(
                crew.each(lambda files, window: self._stager.tile(files[0], window), [area])
            )
            out = np.full(tile.places.shape, np.nan, np.float32)
            if (tile.places >= 0).any():
                self._area(crew, area, tile, self._read(crew, area, tile, stored), out)
            yield area, tile, out

    def _read(self, crew: Crew, area: Window, tile: Tile, stored: Iterable[Form]) -> Held:
        """Series of an area, but where a piece has nothing inside the counties."""
        held: dict[str, list[tuple[Window, NDArray[Any]]]] = {form.name: [] for form in stored}
        jobs = [
            (number, form, piece)
            for number, form in enumerate(stored)
            for piece in pieces(area, form, crew.threads)
            if (tile.places[_slices(piece, area)] >= 0).any()
        ]

        def read(files: tuple[Reader, Reader], job: tuple[int, Form, Window]) -> NDArray[Any]:
            number, form, piece = job
            return fetch(files[1], number, self.step.stacks[form.name], form.steps, piece)

        for (_, form, piece), array in zip(jobs, crew.each(read, jobs), strict=True):
            held[form.name].append((piece, array))
        return Held(held)

    def _area(
        self, crew: Crew, area: Window, tile: Tile, held: Held, out: NDArray[np.float32]
    ) -> None:
        """Make the parts of an area into *out*."""
        todo = [
            part for part in parts(area, self.step) if (tile.places[_slices(part, area)] >= 0).any()
        ]

        known = self._known(tile)

        def make(_: object, part: Window) -> Found:
            found, inside = Stacks(self.step), tile.places[_slices(part, area)] >= 0
            read = found.read(lambda _, *rest: held.stage(*rest), part, inside)
            made = self._made(tile, area, part, read)
            found.lose(read, made, inside, known[_slices(part, area)])
            return found, made

        for part, (found, made) in zip(todo, crew.each(make, todo), strict=True):
            self.stacks.add(found)
            out[_slices(part, area)] = made

    def _made(
        self, tile: Tile, area: Window, part: Window, read: list[NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Numbers of a part of an area; NaN outside the counties, whatever was read there."""
        at = _slices(part, area)
        inside = tile.places[at] >= 0
        out = np.full(inside.shape, np.nan, np.float32)
        if inside.any():
            kinds = np.ascontiguousarray(tile.kinds[at], np.uint8)
            layers = np.ascontiguousarray(tile.layers[(slice(None), *at)])
            numbers = (self._scales, self._offsets, self._tables)
            self._fused(kinds, layers, *numbers, *read, *self._dates, out)
            out[~inside] = np.nan
        return out


def _slices(part: Window, whole: Window) -> tuple[slice, slice]:
    """Where a part of a window stands in an array (rows, columns) of it."""
    top, left = part.row_off - whole.row_off, part.col_off - whole.col_off
    return slice(top, top + part.height), slice(left, left + part.width)
