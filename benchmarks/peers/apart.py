"""How far two rasters of the same quantity lie apart."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLOSE = 1e-6
"""Relative difference above which a pixel counts as different: some ten steps of a float32."""


@dataclass(frozen=True)
class Apart:
    """Differences pixel by pixel, relative to the larger of the two, and of the sums.

    `pixels` have a number on both sides, `only_ours` and `only_theirs` on one. `different` is the
    share of pixels that differ by more than CLOSE; `total` is ours over theirs, less 1.
    """

    pixels: int
    only_ours: int
    only_theirs: int
    largest: float
    median: float
    different: float
    largest_absolute: float
    total: float
    total_ours: float
    total_theirs: float

    def numbers(self) -> dict[str, Any]:
        """As data: the sums to seven digits, the differences to three."""
        said: dict[str, Any] = {}
        for name, value in asdict(self).items():
            digits = 7 if name.startswith("total_") else 3
            said[name] = float(f"{value:.{digits}g}") if isinstance(value, float) else value
        return said


def apart(ours: Array, theirs: Array, weight: float = 1.0) -> Apart:
    """Differences of two arrays of one shape, NaN where there is nothing; sums times *weight*.

    >>> apart(np.array([1.0, 2.0, 0.0, np.nan]), np.array([1.0, 2.5, 0.0, 3.0])).largest
    0.2
    """
    if ours.shape != theirs.shape:
        raise ValueError(f"{ours.shape} beside {theirs.shape}")
    there, here = np.isfinite(theirs), np.isfinite(ours)
    both = there & here
    mine, other = ours[both], theirs[both]
    larger = np.maximum(np.abs(mine), np.abs(other))
    relative = np.abs(mine - other) / np.where(larger > 0.0, larger, 1.0)
    sums = float(mine.sum()) * weight, float(other.sum()) * weight
    return Apart(
        pixels=int(both.sum()),
        only_ours=int((here & ~there).sum()),
        only_theirs=int((there & ~here).sum()),
        largest=float(relative.max()),
        median=float(np.median(relative)),
        different=float((relative > CLOSE).mean()),
        largest_absolute=float(np.abs(mine - other).max()),
        total=sums[0] / sums[1] - 1.0,
        total_ours=sums[0],
        total_theirs=sums[1],
    )
