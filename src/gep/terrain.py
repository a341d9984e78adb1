"""Terrain of an elevation grid: slopes by Horn, filled depressions, D8 flow, area and length above.

Arrays are (rows, columns), NaN where there is nothing; a pixel is numbered row by row. `cell` is
the heights and the widths [m] of the pixels, by row or of each, so every grid has true distances.
What is made pixel by pixel in an order of its own (`flood`, `gathered`) is plain Python that `fuse`
compiles.
"""

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gep.fuse import routine

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Cell = tuple[Array, Array]
"""Heights and widths of the pixels [m], each by row or of shape (rows, columns)."""

AROUND = ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, -1), (-1, 1))
"""Neighbours in the order in which the first of equally steep ones is taken."""
NOWHERE = -1
"""Receiver of a pixel that does not exist."""


@dataclass(frozen=True)
class Flow:
    """Where every pixel drains to, D8: one pixel to one of its neighbours.

    `receiver` is the number of that neighbour, the pixel's own where the water leaves the grid,
    NOWHERE where there is no pixel; `reach` the distance to it [m], the side of a pixel at an
    outlet; `filled` the elevation without depressions.
    """

    receiver: Numbers
    reach: Array
    filled: Array


def gradient(elevation: Array, cell: Cell) -> tuple[Array, Array]:
    """Rise towards east and towards south [m/m], Horn 1981, on the 3 x 3 pixels around each.

    Where a neighbour is missing the plane is continued from the opposite side, 2 z - z_opposite;
    where that is missing too, a corner is continued from its two sides and a side has the pixel's
    own height. Exact on a plane.
    """
    height, width = spread(cell)
    around = np.pad(elevation, 1, constant_values=np.nan)

    def continued(y: int, x: int, otherwise: Array) -> Array:
        near, opposite = _shifted(around, y, x), _shifted(around, -y, -x)
        instead = np.where(np.isnan(opposite), otherwise, 2 * elevation - opposite)
        return np.where(np.isnan(near), instead, near)

    ring = {(y, x): continued(y, x, elevation) for y, x in AROUND if y == 0 or x == 0}
    for y, x in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        ring[y, x] = continued(y, x, ring[y, 0] + ring[0, x] - elevation)
    east = ring[-1, 1] + 2 * ring[0, 1] + ring[1, 1] - ring[-1, -1] - 2 * ring[0, -1] - ring[1, -1]
    south = ring[1, -1] + 2 * ring[1, 0] + ring[1, 1] - ring[-1, -1] - 2 * ring[-1, 0] - ring[-1, 1]
    there = np.where(np.isnan(elevation), np.nan, 1.0)
    return there * east / (8 * width), there * south / (8 * height)


def flood(elevation):  # type: ignore[no-untyped-def]
    """Elevation with its depressions filled, and where a pixel of a flat drains to.

    From the border of what there is (outlets all) inwards, the lowest pixel first, first come
    first served among equals: priority flood, Barnes, Lehman and Mulla 2014. A pixel below the
    one that reaches it is raised to it. The second array numbers the pixel that reached it, -1 on
    the border.
    """
    rows, columns = elevation.shape
    filled = elevation.copy()
    reached = np.full(elevation.size, -1, np.int64)
    seen = np.isnan(elevation)
    heap = [(0.0, 0, 0)]
    heap.pop()
    count = 0
    for row in range(rows):
        for column in range(columns):
            if np.isnan(elevation[row, column]):
                continue
            border = row == 0 or column == 0 or row == rows - 1 or column == columns - 1
            if not border:
                for y in range(row - 1, row + 2):
                    for x in range(column - 1, column + 2):
                        border = border or np.isnan(elevation[y, x])
            if border:
                heapq.heappush(heap, (elevation[row, column], count, row * columns + column))
                seen[row, column] = True
                count += 1
    while len(heap) > 0:
        level, _, here = heapq.heappop(heap)
        row, column = here // columns, here % columns
        for y in range(max(row - 1, 0), min(row + 2, rows)):
            for x in range(max(column - 1, 0), min(column + 2, columns)):
                if not seen[y, x]:
                    seen[y, x] = True
                    filled[y, x] = max(level, elevation[y, x])
                    reached[y * columns + x] = here
                    heapq.heappush(heap, (filled[y, x], count, y * columns + x))
                    count += 1
    return filled, reached


def gathered(receiver, amounts):  # type: ignore[no-untyped-def]
    """What every pixel and all that drain through it have, added up; both arrays are flat.

    A pixel is passed on once all that drain into it have been.
    """
    waiting = np.zeros(receiver.size, np.int8)
    for pixel in range(receiver.size):
        if receiver[pixel] >= 0 and receiver[pixel] != pixel:
            waiting[receiver[pixel]] += 1
    total = amounts.copy()
    for start in range(receiver.size):
        pixel = start
        while waiting[pixel] == 0:
            waiting[pixel] = -1
            into = receiver[pixel]
            if into < 0 or into == pixel:
                break
            total[into] += total[pixel]
            waiting[into] -= 1
            pixel = into
    return total


def flow(elevation: Array, cell: Cell) -> Flow:
    """Drainage by steepest descent on the filled elevation; flats drain as the flood reached them.

    Of equally steep neighbours the first in the order of AROUND is taken. A border pixel without a
    lower neighbour is an outlet. Works on the whole grid in memory, some 150 bytes a pixel.
    """
    filled, reached = routine(flood)(np.ascontiguousarray(elevation))
    rows, columns = elevation.shape
    height, width = spread(cell)
    numbers = np.arange(elevation.size).reshape(rows, columns)
    reached = reached.reshape(rows, columns)
    receiver = np.where(reached < 0, numbers, reached)
    reach = _distance(cell, reached // columns - numbers // columns, reached % columns, numbers)
    reach = np.where(reached < 0, np.sqrt(height * width), reach)
    steepest = np.zeros(elevation.shape)
    around = np.pad(filled, 1, constant_values=np.nan)
    for y, x in AROUND:
        length = np.hypot(y * height, x * width)
        fall = (filled - _shifted(around, y, x)) / length
        steeper = fall > steepest
        steepest[steeper] = fall[steeper]
        receiver[steeper] = numbers[steeper] + y * columns + x
        reach = np.where(steeper, length, reach)
    nothing = np.isnan(elevation)
    receiver[nothing] = NOWHERE
    return Flow(receiver, np.where(nothing, np.nan, reach), filled)


def area_above(drained: Flow, cell: Cell) -> Array:
    """Area that drains into a pixel from above, without its own [m^2]."""
    height, width = spread(cell)
    own = np.where(drained.receiver == NOWHERE, np.nan, height * width)
    total: Array = routine(gathered)(drained.receiver.ravel(), own.ravel())
    return total.reshape(own.shape) - own


def length_above(drained: Flow, slope: Array, ends: Flags, keeps: float, longest: float) -> Array:
    """Horizontal length of the slope from where its flow begins to the middle of a pixel [m].

    It begins with half of `reach`; each pixel hands on its own length and `reach`, and of several
    the longest counts. It begins anew where `ends` (a channel) is true of the pixel or the one
    above, and where the slope [degree] falls below `keeps` times the slope above. Never more than
    `longest`.
    """
    above = np.flatnonzero(drained.receiver != NOWHERE)
    below = drained.receiver.ravel()[above]
    degrees, ended = slope.ravel(), ends.ravel()
    goes_on = (below != above) & ~ended[above] & ~ended[below]
    goes_on &= degrees[below] >= keeps * degrees[above]
    above, below = above[goes_on], below[goes_on]
    reach = drained.reach.ravel()
    begun = np.minimum(0.5 * reach, longest)
    length = begun
    while True:
        longer = begun.copy()
        np.maximum.at(longer, below, np.minimum(length[above] + reach[above], longest))
        if np.array_equal(longer, length, equal_nan=True):
            return length.reshape(slope.shape)
        length = longer


def spread(cell: Cell) -> Cell:
    """Heights and widths of two dimensions; those by row are columns that numpy spreads.

    >>> spread((np.full(2, 30.0), np.full((2, 3), 25.0)))[0].shape
    (2, 1)
    """
    height, width = (np.asarray(side, dtype=np.float64) for side in cell)
    return height.reshape(len(height), -1), width.reshape(len(width), -1)


def _shifted(around: Array, y: int, x: int) -> Array:
    """Values y rows down and x columns right of every pixel, of an array padded by one."""
    return around[1 + y : around.shape[0] - 1 + y, 1 + x : around.shape[1] - 1 + x]


def _distance(cell: Cell, down: Numbers, column: Numbers, numbers: Numbers) -> Array:
    """Distance of every pixel to the neighbour so many rows down and in that column [m]."""
    height, width = spread(cell)
    right = column - numbers % numbers.shape[1]
    distance: Array = np.hypot(down * height, right * width)
    return distance
