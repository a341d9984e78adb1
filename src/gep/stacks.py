"""Series of layers, the steps of a year: staged, looked at; what is wrong in them, and lacks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.acceptance import accept
from gep.check import SAMPLE, Understood, judge
from gep.errors import Problem
from gep.layers import possible
from gep.plan import Plan
from gep.preparation import dates, steps_of
from gep.rasters import Layer, Reader, Window, tiles
from gep.run import TILE
from gep.sequence import Still, contrary, standing, still
from gep.step import Step, listed

MUCH = 0.05
"""Share of the pixels by which a step may lack more than its series commonly does."""
SURE = 6
"""Steps that seem to have no value and are read whole to be sure: as many as a message names."""
LOOKED = 64
"""Side of the part of a tile a check reads all steps of."""


@dataclass
class Loss:
    """Pixels inside that lack some steps of a series, though not all, and so are not made.

    `steps` counts them by step.
    """

    pixels: int
    steps: NDArray[np.int64]


Stage = Callable[[int, Layer, Window, NDArray[np.float32]], None]
"""What writes series number n in a window into an array."""


@dataclass
class Stacks:
    """The stacks of one step, by window; what is wrong in them is gathered, and what they lack.

    `unmade` counts the pixels at which everything is there and nothing could be made.
    """

    step: Step
    impossible: dict[str, tuple[tuple[int, int, int], Problem]] = field(default_factory=dict)
    lost: dict[str, Loss] = field(default_factory=dict)
    unmade: int = 0
    _still: dict[str, Still] = field(default_factory=dict)
    _seen: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    _absent: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _pixels: int = 0

    def read(
        self, stage: Stage, window: Window, inside: NDArray[np.bool_]
    ) -> list[NDArray[np.float32]]:
        """Every stack of a window, as stored, shape (steps, rows, columns), NaN for nothing."""
        found = []
        for number, (name, layer) in enumerate(self.step.stacks.items()):
            one = self.step.preparation.series[name]
            shape = (steps_of(one, self.step.year), window.height, window.width)
            stack = np.empty(shape, np.float32)
            stage(number, layer, window, stack)
            self._examine(layer, one.step, stack, inside, window)
            found.append(stack)
        self.count(inside)
        self._compare(dict(zip(self.step.stacks, found, strict=True)), inside, window)
        return found

    def count(self, inside: NDArray[np.bool_]) -> None:
        """Count the pixels inside."""
        self._pixels += int(inside.sum())

    def _compare(
        self, read: Mapping[str, NDArray[np.float32]], inside: NDArray[np.bool_], window: Window
    ) -> None:
        """Note where a series is first above the one it never is above."""
        for names in self.step.preparation.ordered:
            if not read.keys() >= {*names}:
                continue
            low, high = (self.step.stacks[name] for name in names)
            if found := contrary(low, high, (read[low.name], read[high.name]), inside):
                (n, row, column), *numbers = found
                row, column = row + window.row_off, column + window.col_off
                fields = {"low_name": low.name, "high_name": high.name, "file": low.path}
                fields |= {"low": f"{numbers[0]:.6g}", "high": f"{numbers[1]:.6g}"}
                names_of_steps = dates(self.step.preparation.series[low.name].step, self.step.year)
                fields |= {"unit": low.unit, "date": names_of_steps[n], "band": n + 1}
                fields |= {"row": row + 1, "column": column + 1}
                self.impossible[" ".join(names)] = (n, row, column), Problem("E825", fields)

    def _examine(
        self,
        layer: Layer,
        step: str,
        stack: NDArray[np.float32],
        inside: NDArray[np.bool_],
        window: Window,
    ) -> None:
        """Note what each step has and lacks, and the first impossible value of a series."""
        known = ~np.isnan(stack) & inside
        self._seen[layer.name] = np.asarray(known.any(axis=(1, 2)))
        self._absent[layer.name] = int(inside.sum()) - known.sum(axis=(1, 2))
        self._still[layer.name] = still(layer, stack, inside)
        allowed = possible(layer.name, layer.unit)
        if allowed is None:
            return
        slack = 1e-6 * max(map(abs, allowed))
        ends = [float(np.fmin.reduce(stack, None)), float(np.fmax.reduce(stack, None))]
        ends = sorted(end * layer.scale + layer.offset for end in ends)
        if allowed[0] - slack <= ends[0] and ends[1] <= allowed[1] + slack:
            return
        with np.errstate(invalid="ignore"):
            values = stack * layer.scale + layer.offset
            wrong = known & ((values < allowed[0] - slack) | (values > allowed[1] + slack))
        if wrong.any():
            n, row, column = map(int, np.argwhere(wrong)[0])
            fields = {"name": layer.name, "file": layer.path, "unit": layer.unit}
            fields |= {"value": f"{values[n, row, column]:.6g}", "low": allowed[0]}
            fields |= {"high": allowed[1], "date": dates(step, self.step.year)[n]}
            row, column = row + window.row_off, column + window.col_off
            fields |= {"row": row + 1, "column": column + 1, "band": n + 1}
            self.impossible[layer.name] = (n, row, column), Problem("E808", fields)

    def lose(
        self,
        read: Sequence[NDArray[np.float32]],
        made: NDArray[np.float32],
        inside: NDArray[np.bool_],
        known: NDArray[np.bool_],
    ) -> None:
        """Note where nothing was *made* of the stacks as *read*: some steps lack, or none does.

        *known* is where the layers and the numbers by class are there.
        """
        nothing = np.isnan(made) & inside
        if not nothing.any():
            return
        whole = known[nothing]
        for stack in read:
            whole &= ~np.isnan(stack[:, nothing]).any(axis=0)
        self.unmade += int(whole.sum())
        for name, stack in zip(self.step.stacks, read, strict=bool(read)):
            absent = np.isnan(stack[:, nothing])
            partly = absent.any(axis=0) & ~absent.all(axis=0)
            if partly.any():
                self.lost[name] = Loss(int(partly.sum()), absent[:, partly].sum(axis=1))

    def add(self, other: "Stacks") -> None:
        """Add what another window showed; the order of additions is irrelevant."""
        for name, found in other.impossible.items():
            self.impossible[name] = min(self.impossible.get(name, found), found, key=_place)
        for name, loss in other.lost.items():
            known = self.lost.setdefault(name, Loss(0, np.zeros_like(loss.steps)))
            known.pixels += loss.pixels
            known.steps += loss.steps
        for name, standing_still in other._still.items():
            self._still.setdefault(name, standing_still).add(standing_still)
        self.unmade += other.unmade
        for name, seen in other._seen.items():
            self._seen[name] = np.logical_or(self._seen.get(name, seen), seen)
            absent = other._absent[name]
            self._absent[name] = self._absent.get(name, np.zeros_like(absent)) + absent
        self._pixels += other._pixels

    @property
    def problems(self) -> list[Problem]:
        """The first impossible value of every series, E808, and of two together: E825."""
        pairs = map(" ".join, self.step.preparation.ordered)
        names = [name for name in (*self.step.stacks, *pairs) if name in self.impossible]
        return [self.impossible[name][1] for name in names]

    def still(self) -> list[Problem]:
        """Zeros and maps that last: W809."""
        found = []
        for name, layer in self.step.stacks.items():
            if name in self._still:
                step = self.step.preparation.series[name].step
                names = dates(step, self.step.year)
                found += standing(layer, step, names, self._still[name], self._seen[name])
        return found

    def doubts(self) -> list[Problem]:
        """What deserves a look of a raster that was made: W808, W809."""
        if not self.unmade:
            return self.still()
        share = f"{self.unmade / max(1, self._pixels):.2%}"
        fields = {"raster": self.step.name, "method": self.step.preparation.method}
        problem = Problem("W808", fields | {"count": self.unmade, "share": share})
        return [problem, *self.still()]

    def empty(self) -> dict[str, list[int]]:
        """Steps of every series that have no value in any window."""
        found = {name: np.flatnonzero(~seen).tolist() for name, seen in self._seen.items()}
        return {name: steps for name, steps in found.items() if steps}

    def found(self) -> list[Problem]:
        """Return everything that is wrong: E808, and E812 for steps without any value."""
        return [
            *self.problems,
            *(_no_value(self.step, n, found) for n, found in self.empty().items()),
        ]

    def losses(self) -> dict[str, Any]:
        """What of the raster is not made though most of its series is there, as plain data."""
        return {
            name: {
                "pixels": loss.pixels,
                "inside": self._pixels,
                "steps": {str(n): int(loss.steps[n]) for n in np.flatnonzero(loss.steps)},
            }
            for name, loss in self.lost.items()
        }

    def thin(self, but: Mapping[str, Sequence[int]]) -> list[Problem]:
        """Return the steps that lack far more pixels inside the counties than the others: W801.

        *but* are steps that are not spoken of.
        """
        problems = []
        for name, absent in self._absent.items():
            shares = absent / max(1, self._pixels)
            common = float(np.median(shares))
            names = dates(self.step.preparation.series[name].step, self.step.year)
            steps = [
                n for n in np.flatnonzero(shares > common + MUCH) if n not in but.get(name, ())
            ]
            thin = [f"{names[n]} ({shares[n]:.1%})" for n in steps]
            if thin:
                fields = {"name": name, "file": self.step.stacks[name].path, "dates": listed(thin)}
                problems.append(Problem("W801", fields | {"common": f"{common:.1%}"}))
        return problems


def _place(found: tuple[tuple[int, int, int], Problem]) -> tuple[int, int, int]:
    return found[0]


def _no_value(step: Step, name: str, steps: Sequence[int]) -> Problem:
    """E812 of a series."""
    names = dates(step.preparation.series[name].step, step.year)
    fields = {"name": name, "file": step.stacks[name].path}
    return Problem("E812", fields | {"dates": listed([names[n] for n in steps])})


def look(plan: Plan, step: Step, name: str) -> tuple[Understood, list[Problem]]:
    """Summary of one series of a step on small parts of a few tiles, and what is wrong there.

    The middle number is the median over the pixels of the mean over the steps. Steps without any
    value there are read until they have one.
    """
    layer = step.stacks[name]
    stacks = Stacks(replace(step, stacks={name: layer}))
    means, ends, missing = [np.zeros(0)], [], []
    with Reader([layer], plan.grid) as reader:
        for window in _parts(plan):
            inside = plan.counties.places_in(window) >= 0
            part = Stacks(stacks.step)
            (stack,) = part.read(lambda n, _, w, out: reader.stage(n, w, out), window, inside)
            stacks.add(part)
            values = stack[:, inside].astype(np.float64) * layer.scale + layer.offset
            whole = values[:, ~np.isnan(values).any(axis=0)]
            means.append(whole.mean(axis=0))
            missing.append(float(np.isnan(values).mean()))
            if whole.size:
                ends += [float(whole.min()), float(whole.max())]
    row, wrong = judge(layer, np.concatenate(means))
    if ends:
        row = replace(row, low=min(ends), high=max(ends), missing=float(np.mean(missing)))
    wrong = [problem for problem in wrong if problem.code != "E301"]  # only parts were read
    empty = _empty(plan, layer, stacks.empty().get(name, []))
    if empty:
        wrong.append(_no_value(step, name, empty))
    found = [*stacks.problems, *_out_of_order(plan, step, name), *stacks.thin({name: empty})]
    found += wrong if step.ready else [*wrong, *stacks.still()]  # else said as it was made
    return row, accept(found, plan.definition)


def _out_of_order(plan: Plan, step: Step, name: str) -> list[Problem]:
    """E825 of a series and those it never is above, on the same parts."""
    above = {high for low, high in step.preparation.ordered if low == name}
    if not above:
        return []
    chosen = {one: layer for one, layer in step.stacks.items() if one in {name, *above}}
    stacks = Stacks(replace(step, stacks=chosen))
    with Reader([*chosen.values()], plan.grid) as reader:
        for window in _parts(plan):
            part = Stacks(stacks.step)
            inside = plan.counties.places_in(window) >= 0
            part.read(lambda n, _, w, out: reader.stage(n, w, out), window, inside)
            stacks.add(part)
    return [problem for problem in stacks.problems if problem.code == "E825"]


def _empty(plan: Plan, layer: Layer, steps: Sequence[int]) -> list[int]:
    """Which of some steps, the first SURE at most, have no value inside the counties at all."""
    return [n for n in steps[:SURE] if not _has_value(plan, layer, n + 1)]


def _has_value(plan: Plan, layer: Layer, band: int) -> bool:
    """Tell whether a band of a series has a value inside the counties; read until it has."""
    section = layer.section.model_copy(update={"band": band})
    with Reader([replace(layer, section=section)], plan.grid) as reader:
        for window in tiles(plan.grid, TILE):
            inside = plan.counties.places_in(window) >= 0
            if inside.any():
                staged = np.empty(inside.shape, np.float32)
                reader.stage(0, window, staged)
                if not np.isnan(staged[inside]).all():
                    return True
    return False


def _parts(plan: Plan) -> Sequence[Window]:
    """Middle part of a few tiles that lie in the counties."""
    found = []
    for window in tiles(plan.grid, TILE)[:: max(1, len(tiles(plan.grid, TILE)) // SAMPLE)]:
        high, wide = min(LOOKED, window.height), min(LOOKED, window.width)
        inside = plan.counties.places_in(window) >= 0
        if inside.any():
            rows, columns = np.nonzero(inside)
            top = int(np.clip(int(np.median(rows)) - high // 2, 0, window.height - high))
            left = int(np.clip(int(np.median(columns)) - wide // 2, 0, window.width - wide))
            part = Window(window.col_off + left, window.row_off + top, wide, high)
            if (plan.counties.places_in(part) >= 0).any():
                found.append(part)
        if len(found) == 3:
            break
    return found
