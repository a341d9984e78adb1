"""What the pixels themselves say before a run: codes, ranges, medians, on a sample of tiles."""

from dataclasses import dataclass

import numpy as np

from gep.errors import Problem
from gep.layers import usual
from gep.plan import Plan, accept, gathering
from gep.rasters import Layer, Reader, Window, tiles
from gep.run import TILE, UNKNOWN, Loop, unknown_codes

SAMPLE = 24
"""Tiles looked at."""


@dataclass(frozen=True)
class Understood:
    """What was understood of one layer: its numbers in the unit the engine uses."""

    name: str
    file: str
    unit: str
    low: float
    median: float
    high: float
    missing: float


def sample(windows: list[Window]) -> list[Window]:
    """At most SAMPLE windows, evenly spread; all of them where there are few."""
    step = max(1, -(-len(windows) // SAMPLE))
    return windows[step // 2 :: step]


def pixels(plan: Plan) -> tuple[list[Understood], list[Problem]]:
    """Summary of every layer inside the counties, and what is wrong with its numbers."""
    problems: list[Problem] = []
    understood: list[Understood] = []
    windows = sample(tiles(plan.grid, TILE))
    loop = Loop(plan)
    with gathering(problems), Reader(plan.layers, plan.grid) as reader:
        masks = [(w, plan.counties.places_in(w) >= 0) for w in windows]
        inside = [(w, mask) for w, mask in masks if mask.any()]
        problems += _codes(plan, loop, reader, inside)
        for number, layer in enumerate(plan.layers[1:], 1):
            with gathering(problems):
                found = [_values(reader, number, layer, w, mask) for w, mask in inside]
                values = np.concatenate(found) if found else np.zeros(0)
                row, wrong = _summary(layer, values)
                understood.append(row)
                problems += wrong
    return understood, accept(problems, plan.definition)


def _codes(
    plan: Plan, loop: Loop, reader: Reader, inside: list[tuple[Window, np.ndarray]]
) -> list[Problem]:
    """Return the unknown codes of the sample, with counts and first positions."""
    found: dict[int, tuple[int, int, int]] = {}
    for window, mask in inside:
        strange = (loop.kinds_in(reader, window) == UNKNOWN) & mask
        if not strange.any():
            continue
        stored = reader.stored(0, window)
        for code in np.unique(stored[strange]).tolist():
            hits = np.argwhere(strange & (stored == code))
            first = (int(hits[0, 0]) + window.row_off, int(hits[0, 1]) + window.col_off)
            count, *place = found.get(code, (0, *first))
            found[code] = (count + len(hits), *min(tuple(place), first))
    return [unknown_codes(plan, found)] if found else []


def _values(
    reader: Reader, number: int, layer: Layer, window: Window, mask: np.ndarray
) -> np.ndarray:
    staged = np.empty((window.height, window.width), np.float32)
    reader.stage(number, window, staged)
    values: np.ndarray = staged[mask] * layer.scale + layer.offset
    return values


def _summary(layer: Layer, values: np.ndarray) -> tuple[Understood, list[Problem]]:
    """Lowest, median, highest; E304 if the median is far from what is usual, E301 if none."""
    known = values[~np.isnan(values)]
    missing = 1 - len(known) / len(values) if len(values) else 1.0
    if not len(known):
        row = Understood(layer.name, layer.path.name, layer.unit, *(float("nan"),) * 3, missing)
        return row, [Problem("E301", {"name": layer.name, "file": layer.path})]
    low, middle, high = float(known.min()), float(np.median(known)), float(known.max())
    row = Understood(layer.name, layer.path.name, layer.unit, low, middle, high, missing)
    expected = usual(layer.name, layer.unit)
    if expected is None or expected[0] <= middle <= expected[1]:
        return row, []
    hint = ", ".join(
        f"{factor:g}"
        for factor in (10, 100, 1000, 0.1, 0.01, 0.001, 12, 1 / 12)
        if expected[0] <= middle * factor <= expected[1]
    )
    fields: dict[str, object] = {"name": layer.name, "file": layer.path, "unit": layer.unit}
    fields |= {"median": f"{middle:.6g}", "low": expected[0], "high": expected[1]}
    return row, [Problem("E304", fields | {"hint": hint or "-"})]
