"""A series in time, docs/methods.md#series: maps that stand still, series that contradict."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gep.errors import Problem
from gep.rasters import Layer

DRY = {"day": 28, "month": 1}
"""Steps without a drop anywhere from which a series of rain may have been filled in."""
STILL = 10
"""Days of one and the same map from which a series may have been filled in."""
RAIN = "precipitation"
"""End of the names of series of rain: theirs is the only 0 that often lasts."""
ROUNDED = 0.05
"""By how much files in tenths may miss each other, in the unit of the series."""
PROBE = 64
"""Pixels that show at once that most maps do not stand still."""

Place = tuple[int, int, int]
"""Step, row and column, from 0."""


@dataclass
class Still:
    """Steps whose numbers are all 0, and whose map is that of the step before, as far as seen."""

    zero: NDArray[np.bool_]
    same: NDArray[np.bool_]

    def add(self, other: "Still") -> None:
        """Add what another window showed; the order of additions is irrelevant."""
        self.zero &= other.zero
        self.same &= other.same


def still(layer: Layer, stack: NDArray[np.float32], inside: NDArray[np.bool_]) -> Still:
    """What stands still in a series as stored, shape (steps, rows, columns), where it is inside."""
    flat, within = stack.reshape(len(stack), -1), np.flatnonzero(inside)
    probe = flat[:, within[:: max(1, -(-len(within) // PROBE))]]
    nothing = np.float32(-layer.offset / layer.scale)
    zero = ((probe == nothing) | np.isnan(probe)).all(axis=1)
    same = np.zeros(len(stack), np.bool_)
    same[1:] = _alike(probe[1:], probe[:-1]).all(axis=1)
    for n in np.flatnonzero(zero):
        one = flat[n, within]
        zero[n] = bool(((one == nothing) | np.isnan(one)).all())
    for n in np.flatnonzero(same):
        same[n] = bool(_alike(flat[n, within], flat[n - 1, within]).all())
    return Still(zero, same)


def _alike(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.bool_]:
    alike: NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return alike


def standing(
    layer: Layer, step: str, names: list[str], found: Still, seen: NDArray[np.bool_]
) -> list[Problem]:
    """W809 of zeros that last, W809 of a map that lasts; *names* are those of the steps."""
    rain = layer.name.endswith(RAIN)
    zero, same = found.zero & seen, found.same & seen
    dry = _runs(zero, DRY[step], 0) if rain else []
    alike = _runs(same & ~zero if rain else same, STILL - 1, 1) if step == "day" else []
    whats = ("all numbers are 0", "数值全为 0"), ("every map is the same", "各图完全相同")
    problems = []
    for (what, what_zh), runs in zip(whats, (dry, alike), strict=True):
        if runs:
            said = ", ".join(_said(names, first, last) for first, last in runs)
            fields = {"name": layer.name, "file": layer.path, "dates": said}
            problems.append(Problem("W809", fields | {"what": what, "what_zh": what_zh}))
    return problems


def _runs(flags: NDArray[np.bool_], least: int, before: int) -> list[tuple[int, int]]:
    """First and last step of every run of at least so many, begun so many steps *before* it."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    runs = zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
    return [(start - before, end - 1) for start, end in runs if end - start >= least]


def _said(names: list[str], first: int, last: int) -> str:
    """Words of a run of steps, with how many they are."""
    return names[first] if first == last else f"{names[first]}/{names[last]} ({last - first + 1})"


def contrary(
    low: Layer,
    high: Layer,
    stacks: tuple[NDArray[np.float32], NDArray[np.float32]],
    inside: NDArray[np.bool_],
) -> tuple[Place, float, float] | None:
    """Where a series is first above the one it never is above, and both numbers there."""
    for n, (one, other) in enumerate(zip(*stacks, strict=True)):  # step by step: memory is short
        lower, upper = one * low.scale + low.offset, other * high.scale + high.offset
        wrong = (lower > upper + ROUNDED) & inside
        if wrong.any():
            row, column = map(int, np.argwhere(wrong)[0])
            return (n, row, column), float(lower[row, column]), float(upper[row, column])
    return None
