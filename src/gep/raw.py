"""What raw layers must be like so that rasters can be made of them: soils whole, no holes."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.errors import Problem
from gep.layers import SOIL_SLACK, TEXTURE, WHOLE_SOIL
from gep.rasters import Grid, Layer, Window, method, side
from gep.staging import Stager, Tile
from gep.step import Step
from gep.units import factor

ELEVATION = "elevation"
CLIFF = 50.0
"""Ground above a 0 beside it [m] from which that is more likely a hole filled with 0."""
COARSE = 90.0
"""Side of a pixel [m] above which slopes are a rough index, docs/methods.md#slope-factor."""
ALIKE = 0.01
"""Share by which the pixels of two coordinate systems may differ and be alike."""
AROUND = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if (y, x) != (0, 0)]
Place = tuple[int, int]
"""Row and column, from 0."""


@dataclass
class Holes:
    """First hole inside the counties of every layer whose neighbours a raster needs."""

    raster: str
    _first: dict[str, tuple[Place, Layer]] = field(default_factory=dict)

    def add(
        self, layer: Layer, staged: NDArray[np.float32], inside: NDArray[np.bool_], window: Window
    ) -> None:
        """Note the first hole of a layer in a window."""
        if (place := _first_of(np.isnan(staged) & inside, window)) is not None:
            known, _ = self._first.get(layer.name, (place, layer))
            self._first[layer.name] = min(known, place), layer

    @property
    def problems(self) -> list[Problem]:
        """E810, one for each layer."""
        found = []
        for place, layer in self._first.values():
            fields = {"name": layer.name, "file": layer.path, "raster": self.raster}
            at = {"row": place[0] + 1, "column": place[1] + 1}
            found.append(Problem("E810", fields | at))
        return found


def _soils(tile: Tile, stager: Stager) -> NDArray[np.float64] | None:
    """Sum of sand, silt and clay; None if they are no layers, or none is read."""
    numbers = {layer.name: n for n, layer in enumerate(stager.layers)}
    if not {*TEXTURE} <= numbers.keys() or not tile.layers.size:
        return None
    total = np.zeros(tile.places.shape)
    for n in (numbers[name] for name in TEXTURE):
        times = factor(stager.layers[n].unit, "1", stager.layers[n].name)
        total += (tile.layers[n] * stager.scales[n] + stager.offsets[n]) * times
    return total


def bare(tile: Tile, stager: Stager) -> NDArray[np.bool_]:
    """Where sand, silt and clay are all 0, as products have it of water, rock and towns."""
    total = _soils(tile, stager)
    return np.zeros(tile.places.shape, np.bool_) if total is None else total == 0


@dataclass
class Texture:
    """Pixels at which sand, silt and clay, if they are layers, are not the whole soil.

    Where all three are 0 there is no soil, and nothing is made; that is counted by itself.
    """

    count: int = 0
    bare: int = 0
    _bare: Place = (0, 0)
    _first: tuple[Place, float] = ((0, 0), WHOLE_SOIL)
    _files: str = ""

    def add(self, tile: Tile, stager: Stager, window: Window) -> None:
        """Note those of one window."""
        if (total := _soils(tile, stager)) is None:
            return
        paths = {layer.name: layer.path.name for layer in stager.layers}
        self._files = ", ".join(paths[name] for name in TEXTURE)
        inside, empty = tile.places >= 0, total == 0
        if (at := _first_of(empty & inside, window)) is not None:
            self._bare = min(self._bare, at) if self.bare else at
            self.bare += int((empty & inside).sum())
        wrong = (np.abs(total - WHOLE_SOIL) > SOIL_SLACK) & inside & ~empty
        place = _first_of(wrong, window)
        if place is None:
            return
        first = place, float(total[place[0] - window.row_off, place[1] - window.col_off])
        self._first = min(self._first, first) if self.count else first
        self.count += int(wrong.sum())

    @property
    def problems(self) -> list[Problem]:
        """E809, if there are any."""
        if not self.count:
            return []
        (row, column), total = self._first
        fields = {"files": self._files, "count": self.count, "total": f"{total:.1%}"}
        return [Problem("E809", fields | {"row": row + 1, "column": column + 1})]

    @property
    def doubts(self) -> list[Problem]:
        """W812, if there is no soil somewhere."""
        if not self.bare:
            return []
        row, column = self._bare
        fields = {"files": self._files, "count": self.bare}
        return [Problem("W812", fields | {"row": row + 1, "column": column + 1})]


@dataclass
class Pits:
    """Ground of exactly 0 beside ground more than CLIFF above: perhaps holes filled with 0."""

    count: int = 0
    _first: tuple[Place, Layer] | None = None

    def add(
        self,
        layer: Layer,
        heights: NDArray[Any],
        inside: NDArray[np.bool_],
        window: Window,
    ) -> None:
        """Note those of a window, heights in m."""
        zero = (heights == 0) & inside
        if not zero.any():
            return
        around = np.pad(heights, 1, constant_values=np.nan)
        beside = [np.roll(around, by, (0, 1))[1:-1, 1:-1] for by in AROUND]
        wrong = zero & (np.fmax.reduce(beside) > CLIFF)
        place = _first_of(wrong, window)
        if place is not None:
            first = place, layer
            self._first = min(self._first or first, first, key=lambda found: found[0])
            self.count += int(wrong.sum())

    @property
    def doubts(self) -> list[Problem]:
        """W810, if there are any."""
        if self._first is None:
            return []
        (row, column), layer = self._first
        fields = {"name": layer.name, "file": layer.path, "count": self.count, "high": f"{CLIFF:g}"}
        return [Problem("W810", fields | {"row": row + 1, "column": column + 1})]


def coarse(step: Step, grid: Grid) -> list[Problem]:
    """W811 of slopes from an elevation that is too coarse, or that comes to the grid in steps."""
    layer = step.layers.get(ELEVATION)
    if layer is None or not step.preparation.whole:
        return []
    own = side(layer, grid)
    most = max(own, grid.pixel)
    found = []
    if method(layer) == "nearest" and own > grid.pixel * (1 + ALIKE):
        what = f"by nearest every pixel of {own:.4g} m is a step of the ground"
        found.append((what, f"nearest 使每个 {own:.4g} m 的像元成为一级台阶"))
    if most > COARSE:
        what = f"from pixels of {most:.4g} m slopes come out far too gentle"
        found.append((what, f"由 {most:.4g} m 的像元推算，坡度明显偏缓"))
    fields = {"name": layer.name, "file": layer.path, "high": f"{COARSE:g}", "raster": step.name}
    fields |= {"method": step.preparation.method}
    return [Problem("W811", fields | {"what": en, "what_zh": zh}) for en, zh in found]


class Raw:
    """What of this a sample of the pixels shows of the layers of some steps."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._texture, self._soils = Texture(), False
        self._holes: dict[str, Holes] = {}
        self._pits = Pits()
        for step in steps:
            self._soils |= {*step.layers} >= {*TEXTURE}
            for name in step.layers if step.preparation.whole else ():
                self._holes.setdefault(name, Holes(step.name))

    def add(self, tile: Tile, stager: Stager, window: Window) -> None:
        """Note what is wrong in one window."""
        inside = tile.places >= 0
        if not inside.any():
            return
        if self._soils:
            self._texture.add(tile, stager, window)
        for layer, staged in zip(stager.layers, tile.layers, strict=True):
            if layer.name in self._holes:
                self._holes[layer.name].add(layer, staged, inside, window)
                if layer.name == ELEVATION:
                    heights = staged * np.float32(layer.scale) + np.float32(layer.offset)
                    self._pits.add(layer, heights, inside, window)

    @property
    def problems(self) -> list[Problem]:
        """E809, E810; W810, W812."""
        holes = [problem for found in self._holes.values() for problem in found.problems]
        doubts = [*self._texture.doubts, *self._pits.doubts]
        return [*self._texture.problems, *holes, *doubts]


def _first_of(wrong: NDArray[np.bool_], window: Window) -> Place | None:
    """First place that is wrong, counted in the grid."""
    if not wrong.any():
        return None
    row, column = np.argwhere(wrong)[0]
    return int(row) + int(window.row_off), int(column) + int(window.col_off)
