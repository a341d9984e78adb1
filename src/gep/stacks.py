"""Series of layers: the steps of a year, how many pixels fit in memory, what is wrong in them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from gep.acceptance import accept
from gep.check import SAMPLE, Understood, judge
from gep.errors import Problem
from gep.layers import possible
from gep.plan import Plan
from gep.preparation import dates, steps_of
from gep.rasters import Grid, Layer, Reader, Window, open_file, tiles
from gep.run import TILE
from gep.step import Step

MEMORY = 200_000_000
"""Bytes the stacks of a window may take, as stored and as staged."""
STAGED = 6
"""Bytes of a staged number: a float32 and two masks."""
LEAST = 16
MUCH = 0.05
"""Share of the pixels by which a step may lack more than its series commonly does."""
LOOKED = 64
"""Side of the part of a tile a check reads all steps of."""


def windows(grid: Grid, step: Step) -> list[Window]:
    """Windows that cover the grid, so small that the stacks of one fit in MEMORY.

    Files in strips are read in strips, so that none is decoded more than once.
    """
    if not step.stacks:
        return tiles(grid, TILE)
    each, strips = 0, True
    for name, layer in step.stacks.items():
        each += steps_of(step.preparation.series[name], step.year) * (
            STAGED + np.dtype(layer.dtype).itemsize
        )
        with open_file(layer.path, name) as file:
            strips &= file.block_shapes[0][1] == file.width and not layer.section.resampling
    pixels = max(1, MEMORY // each)
    if not strips:
        return tiles(grid, min(TILE, max(LEAST, math.isqrt(pixels))))
    high = max(1, pixels // grid.width)
    return [
        Window(0, top, grid.width, min(high, grid.height - top))
        for top in range(0, grid.height, high)
    ]


@dataclass
class Stacks:
    """The stacks of one step, read by window; what is wrong in them is gathered."""

    step: Step
    problems: list[Problem] = field(default_factory=list)
    _seen: dict[str, NDArray[np.bool_]] = field(default_factory=dict)
    _absent: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    _pixels: int = 0

    @property
    def layers(self) -> list[Layer]:
        """Layers whose files hold them."""
        return list(self.step.stacks.values())

    def read(
        self, reader: Reader, window: Window, inside: NDArray[np.bool_]
    ) -> list[NDArray[np.float32]]:
        """Every stack of a window, as stored, shape (steps, rows, columns), NaN for nothing."""
        found = []
        for number, (name, layer) in enumerate(self.step.stacks.items()):
            one = self.step.preparation.series[name]
            shape = (steps_of(one, self.step.year), window.height, window.width)
            stack = np.empty(shape, np.float32)
            reader.stage(number, window, stack)
            self._examine(layer, one.step, stack, inside, window)
            found.append(stack)
        self._pixels += int(inside.sum())
        return found

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
        seen = self._seen.setdefault(layer.name, np.zeros(len(stack), bool))
        seen |= known.any(axis=(1, 2))
        absent = self._absent.setdefault(layer.name, np.zeros(len(stack), np.int64))
        absent += int(inside.sum()) - known.sum(axis=(1, 2))
        allowed = possible(layer.name, layer.unit)
        said = {problem.fields["name"] for problem in self.problems}
        if allowed is None or layer.name in said:
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
            n, row, column = np.argwhere(wrong)[0]
            fields = {"name": layer.name, "file": layer.path, "unit": layer.unit}
            fields |= {"value": f"{values[n, row, column]:.6g}", "low": allowed[0]}
            fields |= {"high": allowed[1], "date": dates(step, self.step.year)[n]}
            fields |= {"row": int(row) + window.row_off + 1}
            fields |= {"column": int(column) + window.col_off + 1, "band": int(n) + 1}
            self.problems.append(Problem("E808", fields))

    def found(self) -> list[Problem]:
        """Return everything that is wrong: E808, and E812 for steps without any value."""
        problems = list(self.problems)
        for name, seen in self._seen.items():
            if not seen.all():
                names = dates(self.step.preparation.series[name].step, self.step.year)
                listed = _listed([names[n] for n in np.flatnonzero(~seen)])
                fields = {"name": name, "file": self.step.stacks[name].path, "dates": listed}
                problems.append(Problem("E812", fields))
        return problems

    def thin(self) -> list[Problem]:
        """Return the steps that lack far more pixels inside the counties than the others: W801."""
        problems = []
        for name, absent in self._absent.items():
            shares = absent / max(1, self._pixels)
            common = float(np.median(shares))
            names = dates(self.step.preparation.series[name].step, self.step.year)
            thin = [f"{names[n]} ({shares[n]:.1%})" for n in np.flatnonzero(shares > common + MUCH)]
            if thin:
                fields = {"name": name, "file": self.step.stacks[name].path, "dates": _listed(thin)}
                problems.append(Problem("W801", fields | {"common": f"{common:.1%}"}))
        return problems


def _listed(names: Sequence[str]) -> str:
    """Return the first few of some names, and how many more there are."""
    return ", ".join(names[:6]) + (f" + {len(names) - 6}" if len(names) > 6 else "")


def look(plan: Plan, step: Step, name: str) -> tuple[Understood, list[Problem]]:
    """Summary of one series of a step on small parts of a few tiles, and what is wrong there.

    The middle number is the median over the pixels of the mean over the steps.
    """
    layer = step.stacks[name]
    stacks = Stacks(replace(step, stacks={name: layer}))
    means, ends, missing = [np.zeros(0)], [], []
    with Reader([layer], plan.grid) as reader:
        for window in _parts(plan):
            inside = plan.counties.places_in(window) >= 0
            (stack,) = stacks.read(reader, window, inside)
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
    return row, accept([*stacks.problems, *stacks.thin(), *wrong], plan.definition)


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
