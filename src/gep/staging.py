"""A tile as the loop takes it: classes, places, layers with NaN; and what is wrong with it."""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gep.ecosystems import ecosystems
from gep.errors import Problem
from gep.layers import possible
from gep.plan import Plan
from gep.rasters import Reader, Window

UNKNOWN = -2
FLOAT_FILLS = (-99999, -32768, -9999, -999, 32767, 65535)
"""Stored numbers of float layers that are fill values more often than measurements."""

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

    kinds: NDArray[np.int16]
    places: NDArray[np.int32]
    layers: NDArray[np.float32]
    findings: Findings


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
        self._table = np.full(max(codes) - self._low + 1, UNKNOWN, np.int16)
        for code, kind in codes.items():
            self._table[code - self._low] = kind.index
        ecosystem = plan.layers[0]
        fills = [ecosystem.nodata, *ecosystem.section.fill, *plan.legend.nodata]
        self._fills = [code for code in fills if code is not None]

    def tile(self, reader: Reader, window: Window) -> Tile:
        """Stage one window; its layers are not read where it lies outside the universe."""
        places = self.plan.counties.places_in(window)
        inside = places >= 0
        findings = Findings()
        if not inside.any():
            nothing = np.zeros((len(self.layers), 0, 0), np.float32)
            return Tile(np.zeros(places.shape, np.int16), places, nothing, findings)
        kinds = self._kinds(reader, window, inside, findings)
        layers = np.empty((len(self.layers), *places.shape), np.float32)
        for number in range(len(self.layers)):
            reader.stage(number + 1, window, layers[number])
            self.examine(number, layers[number], inside, window, findings)
        return Tile(kinds, places, layers, findings)

    def _kinds(
        self, reader: Reader, window: Window, inside: NDArray[np.bool_], findings: Findings
    ) -> NDArray[np.int16]:
        """Class index of every pixel; codes the legend does not know are noted."""
        stored = reader.stored(0, window)
        if stored.dtype.kind in "iu":
            stored = stored.astype(np.int64)
        known = (stored >= self._low) & (stored <= self._low + len(self._table) - 1)
        if stored.dtype.kind == "f":
            known &= stored == np.floor(stored)
        position = np.where(known, stored, self._low).astype(np.int64) - self._low
        kinds = np.where(known, self._table[position], UNKNOWN).astype(np.int16)
        nodata = len(ecosystems())
        kinds[np.isin(stored, self._fills) | (stored != stored)] = nodata
        strange = (kinds == UNKNOWN) & inside
        for code in np.unique(stored[strange]):
            hits = np.argwhere(strange & (stored == code))
            row, column = hits[0] + (window.row_off, window.col_off)
            findings.unknown[code.item()] = (len(hits), int(row), int(column))
        kinds[kinds == UNKNOWN] = nodata
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
        low, high = float(np.fmin.reduce(staged, None)), float(np.fmax.reduce(staged, None))
        scale, offset = self.scales[number], self.offsets[number]
        allowed = self._ranges[number]
        if allowed is not None:
            slack = 1e-6 * max(map(abs, allowed))
            least, most = allowed[0] - slack, allowed[1] + slack
            ends = low * scale + offset, high * scale + offset
            if min(ends) < least or max(ends) > most:
                with np.errstate(invalid="ignore"):
                    values = staged * scale + offset
                    wrong = ((values < least) | (values > most)) & inside
                _note(findings.impossible, number, values, wrong, window)
        suspects = self._suspects(number)
        if any(low <= value <= high for value in suspects):
            wrong = np.isin(staged, np.array(suspects, np.float32)) & inside
            _note(findings.fills, number, staged, wrong, window)

    def _suspects(self, number: int) -> tuple[int, ...]:
        """Stored numbers that nobody declared and that look like a fill value."""
        layer = self.layers[number]
        if layer.section.valid is not None:
            return ()
        if np.dtype(layer.dtype).kind not in "iu":
            return FLOAT_FILLS
        limits = np.iinfo(layer.dtype)
        return (-9999, limits.max, *([limits.min] if limits.min else []))


def _note(
    into: dict[int, Place],
    number: int,
    values: NDArray[np.float64] | NDArray[np.float32],
    wrong: NDArray[np.bool_],
    window: Window,
) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        at = (int(row) + window.row_off, int(column) + window.col_off)
        into[number] = (float(values[row, column]), *at)


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
