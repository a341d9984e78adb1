"""What raw layers must be like so that rasters can be made of them: soils whole, no holes."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gep.errors import Problem
from gep.layers import SOIL_SLACK, TEXTURE, WHOLE_SOIL
from gep.rasters import Layer, Window
from gep.staging import Stager, Tile
from gep.step import Step
from gep.units import factor

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


@dataclass
class Texture:
    """Pixels at which sand, silt and clay, if they are layers, are not the whole soil."""

    count: int = 0
    _first: tuple[Place, float] = ((0, 0), WHOLE_SOIL)
    _files: str = ""

    def add(self, tile: Tile, stager: Stager, window: Window) -> None:
        """Note those of one window."""
        numbers = {layer.name: n for n, layer in enumerate(stager.layers)}
        if not {*TEXTURE} <= numbers.keys() or not tile.layers.size:
            return
        total = np.zeros(tile.places.shape)
        for n in (numbers[name] for name in TEXTURE):
            times = factor(stager.layers[n].unit, "1", stager.layers[n].name)
            total += (tile.layers[n] * stager.scales[n] + stager.offsets[n]) * times
        wrong = (np.abs(total - WHOLE_SOIL) > SOIL_SLACK) & (tile.places >= 0)
        place = _first_of(wrong, window)
        if place is None:
            return
        first = place, float(total[place[0] - window.row_off, place[1] - window.col_off])
        self._first = min(self._first, first) if self.count else first
        self._files = ", ".join(stager.layers[numbers[name]].path.name for name in TEXTURE)
        self.count += int(wrong.sum())

    @property
    def problems(self) -> list[Problem]:
        """E809, if there are any."""
        if not self.count:
            return []
        (row, column), total = self._first
        fields = {"files": self._files, "count": self.count, "total": f"{total:.1%}"}
        return [Problem("E809", fields | {"row": row + 1, "column": column + 1})]


class Raw:
    """What of this a sample of the pixels shows of the layers of some steps."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._texture, self._soils = Texture(), False
        self._holes: dict[str, Holes] = {}
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

    @property
    def problems(self) -> list[Problem]:
        """E809, E810."""
        holes = [problem for found in self._holes.values() for problem in found.problems]
        return [*self._texture.problems, *holes]


def _first_of(wrong: NDArray[np.bool_], window: Window) -> Place | None:
    """First place that is wrong, counted in the grid."""
    if not wrong.any():
        return None
    row, column = np.argwhere(wrong)[0]
    return int(row) + int(window.row_off), int(column) + int(window.col_off)
