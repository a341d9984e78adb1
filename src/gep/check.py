"""What the pixels themselves say before a run: codes, ranges, medians, on a sample of tiles."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gep.acceptance import accept
from gep.ecosystems import ecosystems
from gep.errors import Problem, gathering
from gep.layers import usual, variables
from gep.plan import Plan
from gep.rasters import Layer, Reader, Window, tiles
from gep.run import TILE
from gep.staging import Findings, Stager

ZEROS = 1e-3
"""Share of zeros above which a layer that is never near 0 is suspected of a fill value 0."""
SAMPLE = 24
"""Tiles looked at."""
US_UNITS = 17.02
"""One hundred foot ton inch per acre and hour is so many MJ mm per ha and hour."""
RAIN_CONSTANT, RAIN_EXPONENT = 0.0534, 1.6548
"""Erosivity of the rain of a year, docs/methods.md#factors: right within a factor of two or so."""
ABSOLUTE_ZERO = -273.15
"""Zero of the kelvin [degC]."""
SLIPS = (10, 100, 1000, 0.1, 0.01, 0.001, 12, 1 / 12)
"""Factors by which a layer is often wrong; a variable may have more of its own."""


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


def pixels(plan: Plan) -> tuple[list[Understood], dict[str, float], list[Problem]]:
    """Summary of every layer inside the counties, shares of the classes, and what is wrong."""
    problems: list[Problem] = []
    understood: list[Understood] = []
    stager = Stager(plan)
    findings = Findings()
    classes = np.zeros(len(ecosystems()) + 1, np.int64)
    found: list[list[NDArray[np.float64]]] = [[] for _ in stager.layers]
    with gathering(problems), Reader(plan.layers, plan.grid) as reader:
        for window in sample(tiles(plan.grid, TILE)):
            tile = stager.tile(reader, window)
            findings.add(tile.findings)
            inside = tile.places >= 0
            if inside.any():
                classes += np.bincount(tile.kinds[inside], minlength=len(classes))
                for number, staged in enumerate(tile.layers):
                    values = staged[inside] * stager.scales[number] + stager.offsets[number]
                    found[number].append(values)
        problems += findings.problems(plan)
        for layer, parts in zip(stager.layers, found, strict=True):
            row, wrong = judge(layer, np.concatenate(parts) if parts else np.zeros(0))
            understood.append(row)
            problems += wrong
        problems += american(understood)
    names = [*ecosystems(), "nodata"]
    whole = int(classes.sum())
    shares = {n: int(c) / whole for n, c in zip(names, classes, strict=True) if c}
    return understood, shares, accept(problems, plan.definition)


def judge(layer: Layer, values: NDArray[np.float64]) -> tuple[Understood, list[Problem]]:
    """Lowest, median, highest; E304 if the median is far from what is usual, E301 if none."""
    known = values[~np.isnan(values)]
    missing = 1 - len(known) / len(values) if len(values) else 1.0
    if not len(known):
        row = Understood(layer.name, layer.path.name, layer.unit, *(float("nan"),) * 3, missing)
        return row, [Problem("E301", {"name": layer.name, "file": layer.path})]
    low, middle, high = float(known.min()), float(np.median(known)), float(known.max())
    row = Understood(layer.name, layer.path.name, layer.unit, low, middle, high, missing)
    expected = usual(layer.name, layer.unit)
    if expected is None:
        return row, []
    suspicious: list[Problem] = []
    zeros = float((known == 0).mean())
    if variables()[layer.name].never_zero and zeros > ZEROS:
        fields: dict[str, object] = {"name": layer.name, "file": layer.path, "unit": layer.unit}
        fields |= {"share": f"{zeros:.2%}", "low": f"{expected[0]:g}", "high": f"{expected[1]:g}"}
        suspicious = [Problem("W309", fields)]
    if expected[0] <= middle <= expected[1]:
        return row, suspicious
    hint = ", ".join(_slips(layer, middle, expected))
    said: dict[str, object] = {"name": layer.name, "file": layer.path, "unit": layer.unit}
    said |= {"median": f"{middle:.6g}", "low": expected[0], "high": expected[1]}
    return row, [*suspicious, Problem("E304", said | {"hint": hint or "-"})]


def _slips(layer: Layer, middle: float, expected: tuple[float, float]) -> list[str]:
    """What the unit of a layer may have missed: factors, and the zero of the kelvin."""
    factors = (*SLIPS, *variables()[layer.name].slips)
    found = [f"{times:g}" for times in factors if expected[0] <= middle * times <= expected[1]]
    kelvin = layer.unit == "degC" and expected[0] <= middle + ABSOLUTE_ZERO <= expected[1]
    return [f"1, offset = {ABSOLUTE_ZERO}", *found] if kelvin else found


def american(layers: list[Understood]) -> list[Problem]:
    """Whether erosivity is nearer to what rain gives in US units than in ours: E814."""
    rows = {row.name: row for row in layers}
    if not {"erosivity", "precipitation"} <= rows.keys():
        return []
    found, rain = rows["erosivity"], rows["precipitation"].median
    expected = RAIN_CONSTANT * max(rain, 0.0) ** RAIN_EXPONENT
    if not 0 < found.median < expected / math.sqrt(US_UNITS):
        return []
    fields: dict[str, object] = {"file": found.file, "median": f"{found.median:.6g}"}
    fields |= {"rain": f"{rain:.6g}", "share": f"{found.median / expected:.1%}"}
    return [Problem("E814", fields)]
