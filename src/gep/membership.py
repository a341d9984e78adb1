"""Which shape holds the centre of a pixel, block by block of the account grid."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gep.fuse import routine
from gep.rasters import Grid

OUTSIDE = -1


def burn(edges, place, top, left, out):  # type: ignore[no-untyped-def]
    """Write *place* into the pixels of *out* whose centres a shape holds.

    *edges* (edges, 4) are x, y, x, y in pixels from the corner of the grid; *out* begins at row
    *top* and column *left*. The row of a centre meets an edge that begins at or above it and ends
    below it; what lies right of an odd crossing, and left of the next or on it, is inside. So
    shapes that share an edge share no pixel.
    """
    rows, columns = out.shape
    ends = np.zeros(rows + 1, np.int64)
    for edge in range(edges.shape[0]):
        y, other = edges[edge, 1], edges[edge, 3]
        first = max(np.ceil(min(y, other) - 0.5) - top, 0.0)
        last = min(np.ceil(max(y, other) - 0.5) - top, float(rows))
        for row in range(int(first), int(last)):
            ends[row + 1] += 1
    filled = np.zeros(rows, np.int64)
    for row in range(rows):
        filled[row] = ends[row]
        ends[row + 1] += ends[row]
    crossings = np.zeros(ends[rows])
    for edge in range(edges.shape[0]):
        x, y = edges[edge, 0], edges[edge, 1]
        other_x, other_y = edges[edge, 2], edges[edge, 3]
        if y > other_y:
            x, y, other_x, other_y = other_x, other_y, x, y
        first = max(np.ceil(y - 0.5) - top, 0.0)
        last = min(np.ceil(other_y - 0.5) - top, float(rows))
        for row in range(int(first), int(last)):
            down = row + top + 0.5 - y
            crossings[filled[row]] = down * (other_x - x) / (other_y - y) + x
            filled[row] += 1
    for row in range(rows):
        for one in range(ends[row] + 1, ends[row + 1]):  # few, so by insertion
            crossing, other = crossings[one], one
            while other > ends[row] and crossings[other - 1] > crossing:
                crossings[other] = crossings[other - 1]
                other -= 1
            crossings[other] = crossing
        for pair in range(ends[row], ends[row + 1] - 1, 2):
            begin = max(np.floor(crossings[pair] + 0.5) - left, 0.0)
            end = min(np.floor(crossings[pair + 1] + 0.5) - left, float(columns))
            for column in range(int(begin), int(end)):
                out[row, column] = place


@cache
def _burn() -> Callable[..., None]:
    return routine(burn)


@dataclass(frozen=True)
class Shapes:
    """Shapes on a grid in the order in which they are burned, with the place each stands for.

    `edges` (edges, 4) and `bounds` (shapes, 4: left, top, right, bottom) are in pixels.
    """

    edges: NDArray[np.float64]
    starts: NDArray[np.int64]
    bounds: NDArray[np.float64]
    places: NDArray[np.int32]

    def block(self, top: int, left: int, size: int) -> NDArray[np.int32]:
        """Place of the pixels of a square block; OUTSIDE where no shape is."""
        out = np.full((size, size), OUTSIDE, np.int32)
        west, north, east, south = self.bounds.T
        near = (west < left + size) & (east > left) & (north < top + size) & (south > top)
        for shape in np.flatnonzero(near):
            edges = self.edges[self.starts[shape] : self.starts[shape + 1]]
            _burn()(edges, self.places[shape], top, left, out)
        return out


def shapes(polygons: NDArray[Any], places: NDArray[np.int32], grid: Grid) -> Shapes:
    """Polygons (of one part or several, with holes) in the coordinates of *grid*."""
    t = grid.transform
    parts, shape_of_part = shapely.get_parts(polygons, return_index=True)
    rings, part_of_ring = shapely.get_rings(parts, return_index=True)
    points, ring_of_point = shapely.get_coordinates(rings, return_index=True)
    x, y = (points[:, 0] - t.c) / t.a, (points[:, 1] - t.f) / t.e
    joined = ring_of_point[1:] == ring_of_point[:-1]
    edges = np.column_stack([x[:-1], y[:-1], x[1:], y[1:]])[joined]
    owner = shape_of_part[part_of_ring[ring_of_point[:-1][joined]]]
    starts = np.searchsorted(owner, np.arange(len(polygons) + 1))
    bounds = shapely.bounds(polygons)
    columns, rows = (bounds[:, [0, 2]] - t.c) / t.a, (bounds[:, [3, 1]] - t.f) / t.e
    found = np.column_stack([columns[:, 0], rows[:, 0], columns[:, 1], rows[:, 1]])
    return Shapes(edges, starts.astype(np.int64), found, places)
