"""A tile as a loop takes it: classes, places, layers with NaN; and what is wrong with it."""

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep import segments
from gep.ecosystems import ecosystems
from gep.errors import Problem
from gep.fuse import routine
from gep.layers import possible
from gep.plan import Plan
from gep.rasters import Reader, Window, suspects
from gep.room import Room

UNKNOWN = 255
"""Class index of a code the legend does not know."""

Place = tuple[float, int, int]
"""A number and the row and column where it stands first, in file order."""


@dataclass
class Findings:
    """Unknown codes, impossible values and undeclared fills, each with its first position."""

    unknown: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    impossible: dict[int, Place] = field(default_factory=dict)
    fills: dict[int, Place] = field(default_factory=dict)

    def add(self, other: "Findings") -> None:
        """Add what another tile showed; the order of additions is irrelevant."""
        for code, (count, row, column) in other.unknown.items():
            before, *place = self.unknown.get(code, (0, row, column))
            first = min((place[0], place[1]), (row, column))
            self.unknown[code] = (before + count, first[0], first[1])
        for ours, found in ((self.impossible, other.impossible), (self.fills, other.fills)):
            for layer, (value, row, column) in found.items():
                if layer not in ours or (row, column) < ours[layer][1:]:
                    ours[layer] = (value, row, column)

    def problems(self, plan: Plan) -> list[Problem]:
        """Return them as messages: E031, E307, E308."""
        problems = [_unknown_codes(plan, self.unknown)] if self.unknown else []
        for number, (value, row, column) in sorted(self.impossible.items()):
            layer = plan.layers[number + 1]
            low, high = possible(layer.name, layer.unit) or (math.nan, math.nan)
            fields = {"file": layer.path, "name": layer.name, "value": f"{value:.6g}"}
            fields |= {"unit": layer.unit, "low": low, "high": high}
            problems.append(Problem("E307", fields | {"row": row + 1, "column": column + 1}))
        for number, (value, row, column) in sorted(self.fills.items()):
            layer = plan.layers[number + 1]
            fields = {"file": layer.path, "name": layer.name, "value": f"{value:.7g}"}
            problems.append(Problem("E308", fields | {"row": row + 1, "column": column + 1}))
        return problems


@dataclass(frozen=True)
class Tile:
    """One window: class index and place of every pixel, the layers, and what was found.

    `kinds` (rows, columns) holds the number of classes where there is no data; `places` -1
    outside; `layers` (layers, rows, columns) float32 as stored, NaN where there is nothing.
    """

    kinds: NDArray[np.uint8]
    places: NDArray[np.int32]
    layers: NDArray[np.float32]
    findings: Findings


@dataclass(frozen=True)
class Sorted:
    """The pixels of one window that lie inside, sorted by place and ecosystem.

    `present` are the places that occur, in order; a cell is the position of a place in it times
    the classes (with "no data") plus the class index, and `ends` says where each cell ends.
    `areas` [m^2] and `values` (layers, pixels; float32 as stored, NaN where there is nothing) are
    in the order of the cells. `outside` counts the pixels that are left out.
    """

    present: NDArray[np.int64]
    ends: NDArray[np.uint64]
    areas: NDArray[np.float64]
    values: NDArray[np.float32]
    outside: int
    findings: Findings


@cache
def _routine(name: str) -> Callable[..., Any]:
    return routine(getattr(segments, name))


@cache
def _every(size: int) -> NDArray[np.uint32]:
    """Order of so many pixels as they come."""
    return np.arange(size, dtype=np.uint32)


class Stager:
    """Stages the windows of a plan; holds its tables and no open file."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.layers = plan.layers[1:]
        self.scales = np.array([layer.scale for layer in self.layers])
        self.offsets = np.array([layer.offset for layer in self.layers])
        self._ranges = [possible(layer.name, layer.unit) for layer in self.layers]
        codes = plan.legend.codes
        self._low = min(codes)
        self._table = np.full(max(codes) - self._low + 1, UNKNOWN, np.uint8)
        for code, kind in codes.items():
            self._table[code - self._low] = kind.index
        ecosystem = plan.layers[0]
        fills = [ecosystem.nodata, *ecosystem.section.fill, *plan.legend.nodata]
        self._fills = [code for code in fills if code is not None]
        self._nodata = len(ecosystems())
        self._runs, self._group = _routine("runs"), _routine("group")  # before there are threads
        self._of_all: dict[Any, NDArray[np.uint8]] = {}

    def tile(
        self,
        reader: Reader,
        window: Window,
        only: Collection[int] | None = None,
        lent: bool = False,
    ) -> Tile:
        """Stage one window; its layers are not read where it lies outside the universe.

        With *only* some layers there is anything in the others. Layers that are *lent* are in
        memory that the next window of this reader may overwrite.
        """
        places = self.plan.counties.places_in(window)
        inside = places >= 0
        findings = Findings()
        if not inside.any():
            nothing = np.zeros((len(self.layers), 0, 0), np.float32)
            return Tile(np.zeros(places.shape, np.uint8), places, nothing, findings)
        kinds = self._kinds(reader.stored(0, window), inside, window, findings)
        shape = (len(self.layers), *places.shape)
        layers = (
            reader.room.array("layers", shape, np.float32) if lent else np.empty(shape, np.float32)
        )
        order = _every(places.size)
        for number in range(len(self.layers)) if only is None else only:
            staged = layers[number]
            ends = reader.gather(number + 1, window, order, staged.ravel())
            self._judge(number, staged, ends, inside, window, findings)
        return Tile(kinds, places, layers, findings)

    def sorted(self, reader: Reader, window: Window) -> Sorted:
        """Stage one window for the sums; its layers are not read where nothing is inside.

        What is returned is in memory that the next window of this reader overwrites.
        """
        places = self.plan.counties.places_in(window)
        findings = Findings()
        if places.max() < 0:
            nothing = np.zeros((len(self.layers), 0), np.float32)
            present, ends = np.zeros(0, np.int64), np.zeros(1, np.uint64)
            return Sorted(present, ends, np.zeros(0), nothing, places.size, findings)
        stored = reader.lent(0, window)
        present, starts, heads, firsts = self._in_runs(reader.room, places, stored)
        kinds = self._classes(firsts)
        if (kinds == UNKNOWN).any():
            self._kinds(stored, places >= 0, window, findings)
            kinds[kinds == UNKNOWN] = self._nodata
        ends, order, areas = self._grouped(reader.room, window, present, starts, heads, kinds)
        values = reader.room.array("layers", (len(self.layers), len(order)), np.float32)
        for number, into in enumerate(values):
            limits = reader.gather(number + 1, window, order, into)
            self._judge(number, into, limits, None, window, findings, order)
        return Sorted(present, ends, areas, values, places.size - len(order), findings)

    def _in_runs(
        self, room: Room, places: NDArray[np.int32], stored: NDArray[Any]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int32], NDArray[Any]]:
        """Places that occur; and where runs of one place and code begin, their places and codes."""
        starts = room.array("starts", places.size + 1, np.uint32)
        heads = room.array("heads", places.size, np.int32)
        firsts = room.array("firsts", places.size, stored.dtype)
        seen = np.zeros(len(self.plan.counties.places), np.bool_)
        flat = places.ravel(), stored.ravel()
        many = int(self._runs(*flat, places.shape[1], starts, heads, firsts, seen))
        return np.flatnonzero(seen), starts, heads[:many], firsts[:many]

    def _grouped(
        self,
        room: Room,
        window: Window,
        present: NDArray[np.int64],
        starts: NDArray[np.uint32],
        heads: NDArray[np.int32],
        kinds: NDArray[np.uint8],
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.float64]]:
        """Ends of the cells of a window, and its pixels with their areas in that order.

        *present* are its places, *starts* where its runs begin, *heads* and *kinds* what they are.
        """
        grid, classes = self.plan.grid, self._nodata + 1
        local = np.zeros(len(self.plan.counties.places), np.int32)
        local[present] = np.arange(len(present))
        ends = np.zeros(len(present) * classes + 1, np.uint64)
        size = window.height * window.width + segments.BLOCK
        order = room.array("order", size, np.uint32)
        areas = room.array("areas", size, np.float64)
        row_areas = grid.row_areas[window.row_off : window.row_off + window.height]
        widths = np.zeros(window.width + segments.BLOCK)
        widths[: window.width] = grid.column_factors[window.col_off :][: window.width]
        of_runs = starts, heads, kinds, local, classes
        count = int(self._group(*of_runs, row_areas, widths, ends, order, areas))
        return ends, order[:count], areas[:count]

    def _kinds(
        self,
        stored: NDArray[Any],
        inside: NDArray[np.bool_],
        window: Window,
        findings: Findings,
    ) -> NDArray[np.uint8]:
        """Class index of every pixel; codes the legend does not know are noted."""
        kinds = self._classes(stored)
        unknown = kinds == UNKNOWN
        if unknown.any():
            strange = unknown & inside
            for code in np.unique(stored[strange]):
                hits = np.argwhere(strange & (stored == code))
                row, column = hits[0] + (window.row_off, window.col_off)
                findings.unknown[code.item()] = (len(hits), int(row), int(column))
            kinds[unknown] = self._nodata
        return kinds

    def _classes(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Class index of stored codes; UNKNOWN where the legend has none."""
        if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
            limits = np.iinfo(stored.dtype)
            if stored.dtype not in self._of_all:
                codes = np.arange(limits.min, limits.max + 1).astype(stored.dtype)
                self._of_all[stored.dtype] = self._looked_up(codes)
            at = stored if limits.min == 0 else stored.astype(np.int32) - limits.min
            return self._of_all[stored.dtype].take(at)
        return self._looked_up(stored)

    def _looked_up(self, stored: NDArray[Any]) -> NDArray[np.uint8]:
        """Class index of any codes, one by one."""
        codes = stored.astype(np.int64) if stored.dtype.kind in "iu" else stored
        known = (codes >= self._low) & (codes <= self._low + len(self._table) - 1)
        if codes.dtype.kind == "f":
            known &= codes == np.floor(codes)
        position = np.where(known, codes, self._low).astype(np.int64) - self._low
        kinds = np.where(known, self._table[position], UNKNOWN).astype(np.uint8)
        kinds[np.isin(codes, self._fills) | (codes != codes)] = self._nodata
        return kinds

    def examine(
        self,
        number: int,
        staged: NDArray[np.float32],
        inside: NDArray[np.bool_],
        window: Window,
        findings: Findings,
    ) -> None:
        """Note the first impossible value and the first undeclared fill of a layer."""
        ends = float(np.fmin.reduce(staged, None)), float(np.fmax.reduce(staged, None))
        self._judge(number, staged, ends, inside, window, findings)

    def _judge(
        self,
        number: int,
        staged: NDArray[np.float32],
        ends: tuple[float, float],
        inside: NDArray[np.bool_] | None,
        window: Window,
        findings: Findings,
        order: NDArray[np.uint32] | None = None,
    ) -> None:
        """Note what is impossible among numbers whose least and greatest are *ends*.

        They are a window, of which only what is *inside* counts, or the pixels of it in *order*.
        """
        scale, offset = self.scales[number], self.offsets[number]
        allowed = self._ranges[number]
        if allowed is not None:
            slack = 1e-6 * max(map(abs, allowed))
            least, most = allowed[0] - slack, allowed[1] + slack
            scaled = ends[0] * scale + offset, ends[1] * scale + offset
            if min(scaled) < least or max(scaled) > most:
                with np.errstate(invalid="ignore"):
                    values = staged * scale + offset
                    wrong = (values < least) | (values > most)
                _note(findings.impossible, number, values, wrong, inside, window, order)
        looks_like_fill = suspects(self.layers[number])
        if any(ends[0] <= value <= ends[1] for value in looks_like_fill):
            wrong = np.isin(staged, np.array(looks_like_fill, np.float32))
            _note(findings.fills, number, staged, wrong, inside, window, order)


def _note(
    into: dict[int, Place],
    number: int,
    values: NDArray[np.float64] | NDArray[np.float32],
    wrong: NDArray[np.bool_],
    inside: NDArray[np.bool_] | None,
    window: Window,
    order: NDArray[np.uint32] | None,
) -> None:
    """Note the first wrong value of a window in file order."""
    hits = np.flatnonzero(wrong if inside is None else wrong & inside)
    if len(hits):
        at = hits[0] if order is None else hits[np.argmin(order[hits])]
        row, column = divmod(int(at if order is None else order[at]), window.width)
        place = row + window.row_off, column + window.col_off
        into[number] = (float(values.ravel()[at]), *place)


def _unknown_codes(plan: Plan, found: dict[int, tuple[int, int, int]]) -> Problem:
    """E031 with every code, how often it occurs and where first."""
    listed = sorted(found.items(), key=lambda entry: -entry[1][0])[:8]
    codes = "; ".join(
        f"{code} ({count} px, first at row {row + 1}, column {column + 1})"
        for code, (count, row, column) in listed
    )
    codes_zh = "；".join(
        f"{code}（{count} 像元，首个在第 {row + 1} 行第 {column + 1} 列）"
        for code, (count, row, column) in listed
    )
    fields = {"file": plan.layers[0].path, "legend": plan.legend.name}
    return Problem("E031", fields | {"codes": codes, "codes_zh": codes_zh})
