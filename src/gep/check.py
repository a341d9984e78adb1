"""What the pixels themselves say before a run: codes, ranges, medians, on a sample of tiles."""

import datetime
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from gep.acceptance import accept
from gep.ecosystems import ecosystems
from gep.errors import Problem, gathering
from gep.layers import usual, variables
from gep.plan import Plan
from gep.rasters import Layer, Reader, Window, method, tiles
from gep.raw import Raw
from gep.run import TILE
from gep.staging import Findings, Stager, Tile

ZEROS = 1e-3
"""Share of zeros above which a layer that is never near 0 is suspected of a fill value 0."""
ENOUGH = 1 << 13
"""Values of a tile and layer from which the median of a layer is taken."""
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
    """What was understood of one layer: its numbers in the unit the engine uses.

    Of a layer that is not on the account grid also its own pixels, and how it comes there.
    """

    name: str
    file: str
    unit: str
    low: float
    median: float
    high: float
    missing: float
    pixel: str | None = None
    resampling: str | None = None


def sample(windows: list[Window]) -> list[Window]:
    """At most SAMPLE windows, evenly spread; one in eight of them where eight are not enough."""
    step = max(1, -(-len(windows) // min(SAMPLE, max(8, len(windows) // 8))))
    return windows[step // 2 :: step]


@dataclass(frozen=True)
class Seen:
    """What one tile shows inside the counties: pixels by class, some values of every layer."""

    findings: Findings
    classes: NDArray[np.int64]
    values: list[NDArray[np.float64]]


def _seen(tile: Tile, stager: Stager) -> Seen:
    inside = tile.places >= 0
    classes = np.bincount(tile.kinds[inside], minlength=len(ecosystems()) + 1)
    rows = zip(tile.layers, stager.scales, stager.offsets, strict=True) if inside.any() else ()
    values = [_some(staged[inside]) * scale + offset for staged, scale, offset in rows]
    return Seen(tile.findings, classes, values)


def _each(
    plan: Plan, windows: list[Window], workers: int, see: Callable[[Reader, Window], Seen]
) -> Iterator[Seen]:
    """Yield what is seen in every window, in order; the first is seen before there are threads."""
    readers: SimpleQueue[Reader] = SimpleQueue()

    def look(window: Window) -> Seen:
        reader = readers.get()
        try:
            return see(reader, window)
        finally:
            readers.put(reader)

    with ExitStack() as opened, ThreadPoolExecutor(workers) as pool:
        first = opened.enter_context(Reader(plan.layers, plan.grid))
        readers.put(first)
        yield from map(look, windows[:1])
        for _ in range(1, workers):
            readers.put(opened.enter_context(Reader(plan.layers, plan.grid, first)))
        yield from pool.map(look, windows[1:])
        pool.shutdown()


def pixels(
    plan: Plan, workers: int = 1
) -> tuple[list[Understood], dict[str, float], list[Problem]]:
    """Summary of every layer inside the counties, shares of the classes, and what is wrong."""
    problems: list[Problem] = []
    understood: list[Understood] = []
    stager, findings = Stager(plan), Findings()
    unready = [step for step in plan.steps if not step.ready]
    raw = Raw(unready)
    classes = np.zeros(len(ecosystems()) + 1, np.int64)
    found: list[list[NDArray[np.float64]]] = [[] for _ in stager.layers]

    def see(reader: Reader, window: Window) -> Seen:
        tile = stager.tile(reader, window, lent=True)
        raw.add(tile, stager, window)
        return _seen(tile, stager)

    threads = 1 if unready else workers  # what is raw is noted in the order of the tiles
    with gathering(problems):
        for seen in _each(plan, sample(tiles(plan.grid, TILE)), threads, see):
            findings.add(seen.findings)
            classes += seen.classes
            for values, own in zip(found, seen.values, strict=False):
                values.append(own)
        problems += [*findings.problems(plan), *raw.problems]
        for layer, parts in zip(stager.layers, found, strict=True):
            row, wrong = judge(layer, np.concatenate(parts) if parts else np.zeros(0))
            understood.append(row)
            problems += wrong
        problems += american(plan, understood)
    problems += ahead(plan.definition.account.year, datetime.date.today().year)
    names = [*ecosystems(), "nodata"]
    whole = int(classes.sum())
    shares = {n: int(c) / whole for n, c in zip(names, classes, strict=True) if c}
    return understood, shares, accept(problems, plan.definition)


def _some(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """At most ENOUGH of many values, evenly spread, and the ends of all: memory stays small."""
    if len(values) <= ENOUGH:
        return values.astype(np.float64)
    ends = np.array([np.fmin.reduce(values, None), np.fmax.reduce(values, None)])
    return np.concatenate([values[:: -(-len(values) // ENOUGH)], ends]).astype(np.float64)


def judge(layer: Layer, values: NDArray[np.float64]) -> tuple[Understood, list[Problem]]:
    """Lowest, median, highest; E304 if the median is far from what is usual, E301 if none."""
    known = values[~np.isnan(values)]
    missing = 1 - len(known) / len(values) if len(values) else 1.0
    named = layer.name, layer.path.name, layer.unit
    brought = (layer.pixel, how) if (how := method(layer)) else (None, None)
    if not len(known):
        row = Understood(*named, *(float("nan"),) * 3, missing, *brought)
        return row, [Problem("E301", {"name": layer.name, "file": layer.path})]
    low, middle, high = float(known.min()), float(np.median(known)), float(known.max())
    row = Understood(*named, low, middle, high, missing, *brought)
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


def ahead(year: int, today: int) -> list[Problem]:
    """E553 of an account of a year that has not come: nobody has measured it."""
    return [Problem("E553", {"year": year, "today": today})] if year > today else []


def american(plan: Plan, layers: list[Understood]) -> list[Problem]:
    """Whether erosivity is in US units: E814 by the rain, E818 where there is none."""
    rows = {row.name: row for row in layers}
    if "erosivity" not in rows:
        return []
    found = rows["erosivity"]
    rain = rows["precipitation"].median if "precipitation" in rows else math.nan
    if math.isnan(rain):
        if "precipitation" in {step.name for step in plan.steps if not step.ready}:
            return []  # judged once it is made
        given = "erosivity" in plan.definition.rasters
        return _american_alone(found) if given else []
    expected = RAIN_CONSTANT * max(rain, 0.0) ** RAIN_EXPONENT
    if not 0 < found.median < expected / math.sqrt(US_UNITS):
        return []
    fields: dict[str, object] = {"file": found.file, "median": f"{found.median:.6g}"}
    fields |= {"rain": f"{rain:.6g}", "share": f"{found.median / expected:.1%}"}
    return [Problem("E814", fields)]


def _american_alone(found: Understood) -> list[Problem]:
    """E818 of what may be in US units by its magnitude: up to the highest published, in them.

    In the humid south such values are in US units; in the dry north they may be right, and nothing
    in them says which.
    """
    known = variables()["erosivity"].published
    assert known
    low, high = known.low / US_UNITS, known.high / US_UNITS
    if not found.median <= high:
        return []
    fields: dict[str, object] = {"file": found.file, "median": f"{found.median:.6g}"}
    fields |= {"low": f"{known.low:.0f}", "high": f"{known.high:.0f}"}
    fields |= {"us_low": f"{low:.0f}", "us_high": f"{high:.0f}"}
    return [Problem("E818", fields)]
