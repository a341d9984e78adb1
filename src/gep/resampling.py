"""Layers on a grid of their own, brought to the pixels of the account: docs/methods.md#own-grid.

Everything here is a function of the pixel alone, never of the window it is asked for in: the same
numbers come out for any tile size.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pyproj
from numpy.typing import NDArray

from gep.fuse import routine
from gep.interpolation import (
    EDGE,
    bilinear,
    bilinear_at,
    combine,
    mend,
    mend_at,
    nearest,
    nearest_at,
    positions,
)

if TYPE_CHECKING:
    from affine import Affine

Method = Literal["nearest", "bilinear", "average", "conserved"]
Box = tuple[int, int, int, int]
"""Top, left, height and width of a part of a grid."""
FINER = 2 * (1 - EDGE)
"""Own pixels to the side of an account pixel from which on bilinear weights leave some out."""
HALF, WHOLE = 0.5 - EDGE, 1 - 1e-9
"""Share of the area of a pixel that must be known for a mean, and for an amount."""
STEPS = (64, 32, 16, 8, 4)
"""Distances of the nodes between which positions in another system are taken [pixels]."""
POSITION = 1e-4
"""Largest error of a position halfway between nodes that are looked at [pixels of the layer]."""
COMPILING = threading.Lock()
HALFWAY = (-1 / 16, 9 / 16, 9 / 16, -1 / 16)
"""Weights of four nodes halfway between the inner two."""
SAMPLES = 33
"""Nodes looked at to a side of the grid."""
HELD = 1 << 18
"""Numbers of a layer a reader holds beyond those of the tile; of whole tiles of the layer more."""
MORE = 4
"""How many times as many that are: a tile that is decoded once is not asked for again."""
ALIGNED = 64
STRIP = 64
"""Rows whose positions are worked out at a time, so that they stay in the cache."""
MOST = 1 << 22
"""Numbers of a layer read at a time."""


class Account(Protocol):
    """The account grid."""

    @property
    def crs(self) -> pyproj.CRS: ...  # noqa: D102
    @property
    def transform(self) -> "Affine": ...  # noqa: D102
    @property
    def height(self) -> int: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def row_areas(self) -> NDArray[np.float64]: ...  # noqa: D102
    @property
    def column_factors(self) -> NDArray[np.float64]: ...  # noqa: D102


@dataclass(frozen=True)
class Own:
    """The own grid of a layer."""

    crs: pyproj.CRS
    transform: "Affine"
    height: int
    width: int


@dataclass(frozen=True)
class Line:
    """Where the pixels of the account lie among those of a layer, in one direction.

    `own` is the pixel that holds the centre, -1 beyond the layer; `first` the nearest centre before
    it and `share` how far it is on the way to the next, NaN beyond the layer.
    """

    own: NDArray[np.int64]
    first: NDArray[np.int64]
    share: NDArray[np.float32]

    @classmethod
    def at(cls, centres: NDArray[np.float64], size: int) -> "Line":
        """Line of centres counted in the *size* pixels of a layer, whose first begins at 0."""
        own = np.floor(centres + EDGE)
        own = np.where((own >= 0) & (own < size), own, -1).astype(np.int64)
        between = np.clip(centres - 0.5, 0, size - 1)
        whole = np.round(between)  # pixels that coincide give their very number
        between = np.where(np.abs(between - whole) < EDGE, whole, between)
        first = np.floor(between)
        share = np.where(own < 0, np.nan, between - first)
        return cls(own, first.astype(np.int64), share.astype(np.float32))


@dataclass(frozen=True)
class Taps:
    """What pixels of the account take of those of a layer, in one direction.

    `weights` (pixels, taps) of the layer's pixels from `start` on, 0 for none; `total` is what they
    would add up to, were the whole pixel covered by the layer.
    """

    start: NDArray[np.int64]
    weights: NDArray[np.float64]
    total: NDArray[np.float64]


def centres(start: float, ratio: float, count: int) -> NDArray[np.float64]:
    """Centres of *count* pixels, of *ratio* pixels of a layer each, from *start* on."""
    found: NDArray[np.float64] = (np.arange(count, dtype=np.float64) + 0.5) * ratio + start
    return found


def overlaps(start: float, ratio: float, count: int, size: int) -> Taps:
    """Share of every pixel of the account that lies in each of the *size* pixels of a layer."""
    middle, half = centres(start, ratio, count), abs(ratio) / 2
    low, high = middle - half, middle + half
    first = np.floor(low + EDGE).astype(np.int64)
    most = int((np.ceil(high - EDGE).astype(np.int64) - first).max())
    found = first[:, None] + np.arange(max(1, most))
    shared = np.minimum(high[:, None], found + 1) - np.maximum(low[:, None], found)
    weights = np.where((shared > EDGE) & (found >= 0) & (found < size), shared, 0) / (2 * half)
    return Taps(first, weights, np.ones(count))


def shares(start: float, ratio: float, areas: NDArray[np.float64], size: int) -> Taps:
    """Per area, what pixels of the account get of the amounts in those of a layer.

    An amount goes to the account pixels whose centre its pixel holds, alike per area; where the
    pixels of the layer are the smaller ones, to the one that holds its centre. Sums over `areas`
    times `weights` are 1 for every pixel of the layer that lies within the account.
    """
    count = len(areas)
    if abs(ratio) > 1:
        return _gathered(start, ratio, areas, size)
    beyond = math.ceil(1 / abs(ratio)) + 1
    wide = extended(areas, -beyond, count + beyond)
    own = np.floor(centres(start - beyond * ratio, ratio, len(wide)) + EDGE).astype(np.int64)
    sums = np.bincount(own - own.min(), wide)
    own, weights = own[beyond:-beyond], 1 / sums[own - own.min()][beyond:-beyond]
    known = (own >= 0) & (own < size)
    return Taps(own, np.where(known, weights, 0.0)[:, None], weights)


def _gathered(start: float, ratio: float, areas: NDArray[np.float64], size: int) -> Taps:
    """`shares` of a layer whose pixels are smaller than those of the account."""
    count, low = len(areas), min(start, start + len(areas) * ratio)
    own = np.arange(math.floor(low) - 1, math.ceil(low + count * abs(ratio)) + 2)
    holder = np.floor((own + 0.5 - start) / ratio + EDGE).astype(np.int64)
    within = (holder >= 0) & (holder < count)
    own, holder = own[within], holder[within]
    number = np.bincount(holder, minlength=count)
    first = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(first, holder, own)
    found = first[:, None] + np.arange(int(number.max()))
    given = np.arange(int(number.max())) < number[:, None]
    known = given & (found >= 0) & (found < size)
    return Taps(first, known / areas[:, None], number / areas)


def extended(areas: NDArray[np.float64], start: int, stop: int) -> NDArray[np.float64]:
    """Areas of the pixels from *start* to *stop*, in a straight line beyond the first and last."""
    at = np.arange(start, stop)
    inside = np.clip(at, 0, len(areas) - 1)
    slope = np.gradient(areas).astype(np.float64) if len(areas) > 1 else np.zeros(1)
    found: NDArray[np.float64] = areas[inside] + (at - inside) * slope[inside]
    return found


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Loop of `gep.interpolation`, compiled when it is first needed, by one thread."""
    with COMPILING:
        return _routine(function)


_routine = cache(routine)


@cache
def cubic(step: int) -> NDArray[np.float64]:
    """Weights (4, step) of four nodes at every pixel between the inner two: Lagrange's."""
    t = np.arange(step) / step
    outer, inner = t * (1 - t), (t + 1) * (2 - t)
    return np.stack(
        [-outer * (2 - t) / 6, inner * (1 - t) / 2, inner * t / 2, -outer * (t + 1) / 6]
    )


def straight(own: Own, account: Account) -> bool:
    """Tell whether rows and columns of both grids run alike."""
    t = own.transform
    return not (t.b or t.d) and own.crs.equals(account.crs, ignore_axis_order=True)


def way(own: Own, account: Account, method: Method) -> "Straight | Bent":
    """How a layer of the grid *own* comes to the pixels of the account."""
    return (Straight if straight(own, account) else Bent)(own, account, method)


class Straight:
    """The way of a layer in the coordinate system of the account: rows and columns apart."""

    def __init__(self, own: Own, account: Account, method: Method) -> None:
        t, g = own.transform, account.transform
        self.own, self.method = own, method
        start = (g.f - t.f) / t.e, (g.c - t.c) / t.a
        ratio = g.e / t.e, g.a / t.a
        self.density = max(map(abs, ratio)), min(map(abs, ratio))
        counts, sizes = (account.height, account.width), (own.height, own.width)
        self._lines: list[Line] = []
        self._taps: list[Taps] = []
        areas = account.row_areas, account.column_factors
        for n in range(2):
            if method == "average":
                self._taps.append(overlaps(start[n], ratio[n], counts[n], sizes[n]))
            elif method == "conserved":
                self._taps.append(shares(start[n], ratio[n], areas[n], sizes[n]))
            else:
                self._lines.append(Line.at(centres(start[n], ratio[n], counts[n]), sizes[n]))

    def needs(self, box: Box) -> Box | None:
        """Part of the layer that a part of the account rests on; None if there is none."""
        ends = []
        for n, size in enumerate((self.own.height, self.own.width)):
            part = slice(box[n], box[n] + box[n + 2])
            if self._taps:
                taps = self._taps[n]
                there = taps.weights[part] > 0
                if not there.any():
                    return None
                found = (taps.start[part, None] + np.arange(there.shape[1]))[there]
                ends.append((int(found.min()), int(found.max())))
            else:
                line = self._lines[n]
                if line.own[part].max() < 0:
                    return None
                last = min(int(line.first[part].max()) + 1, size - 1)
                ends.append((int(line.first[part].min()), last))
        (top, bottom), (left, right) = ends
        return top, left, bottom - top + 1, right - left + 1

    def bring(
        self, source: NDArray[np.float32], corner: tuple[int, int], box: Box, out: NDArray[Any]
    ) -> None:
        """Write a part of the account into *out*, of what it needs of the layer, from *corner*."""
        if self._taps:
            self._combined(source, corner, box, out)
            return
        firsts, way_on, owns = [], [], []
        for n, line in enumerate(self._lines):
            part = slice(box[n], box[n] + box[n + 2])
            firsts.append(line.first[part] - corner[n])
            way_on.append(line.share[part])
            owns.append(np.where(line.own[part] < 0, -1, line.own[part] - corner[n]))
        if self.method == "nearest":
            compiled(nearest)(source, owns[0], owns[1], out)
            return
        buffers = np.empty((2, box[3]), np.float32)
        compiled(bilinear)(source, firsts[0], way_on[0], firsts[1], way_on[1], buffers, out)
        if np.isnan(source).any():
            both = [(firsts[n], way_on[n], owns[n]) for n in range(2)]
            compiled(mend)(source, *both[0], *both[1], out)

    def _combined(
        self, source: NDArray[np.float32], corner: tuple[int, int], box: Box, out: NDArray[Any]
    ) -> None:
        said: list[Any] = []
        for n, taps in enumerate(self._taps):
            part = slice(box[n], box[n] + box[n + 2])
            said += [taps.start[part] - corner[n], taps.weights[part], taps.total[part]]
        mean = self.method == "average"
        compiled(combine)(source, *said, HALF if mean else WHOLE, mean, out)


class Bent:
    """The way of a layer in another coordinate system, or rotated.

    Where a pixel of the account lies is known exactly at nodes counted from the first pixel of the
    account, so near each other that between them it is right to POSITION.
    """

    def __init__(self, own: Own, account: Account, method: Method) -> None:
        self.own, self.method, self._account = own, method, account
        self._known: tuple[Box, NDArray[np.float64]] | None = None
        self._to = pyproj.Transformer.from_crs(account.crs, own.crs, always_xy=True)
        self.density = self._density()
        self.step = next((step for step in STEPS if self._error(step) < POSITION), 1)

    def nodes(self, rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float64]:
        """Where pixels of the account lie in those of the layer, shape (2, rows, columns)."""
        g = self._account.transform
        x, y = np.meshgrid(g.c + g.a * (columns + 0.5), g.f + g.e * (rows + 0.5))
        east, north = self._to.transform(x, y)
        found = ~self.own.transform * (np.asarray(east), np.asarray(north))
        return np.stack([np.asarray(one, np.float64) for one in found])

    def _sampled(self, step: int) -> list[NDArray[np.int64]]:
        """Rows and columns of some nodes of the whole grid."""
        sizes = self._account.height, self._account.width
        return [
            np.unique(np.linspace(0, (size - 1) // step, SAMPLES).astype(np.int64)) * step
            for size in sizes
        ]

    def _density(self) -> tuple[float, float]:
        """Most and fewest pixels of the layer to the side of an account pixel."""
        rows, columns = self._sampled(1)
        here = self.nodes(rows, columns)
        by_column = self.nodes(rows, columns + 1) - here
        by_row = self.nodes(rows + 1, columns) - here
        bend = np.moveaxis(np.stack([by_column, by_row]), (0, 1), (-1, -2)).reshape(-1, 2, 2)
        bend = bend[np.isfinite(bend).all(axis=(1, 2))]
        if not len(bend):
            return math.nan, math.nan
        values = np.linalg.svd(bend, compute_uv=False)
        return float(values.max()), float(values.min())

    def _error(self, step: int) -> float:
        """Largest error of a position halfway between nodes [pixels of the layer]."""
        rows, columns = self._sampled(step)
        worst = 0.0
        for down, across in ((0, 1), (1, 0)):
            taken = np.zeros((2, len(rows), len(columns)))
            for n, weight in enumerate(HALFWAY, -1):
                taken += weight * self.nodes(rows + n * step * down, columns + n * step * across)
            half = step / 2
            error = np.abs(self.nodes(rows + half * down, columns + half * across) - taken)
            worst = max(worst, float(np.max(error, initial=0.0, where=np.isfinite(error))))
        return worst

    def _around(self, box: Box) -> NDArray[np.float64]:
        """Where the nodes lie that a part of the account rests on; the last ones are kept."""
        if self._known is None or self._known[0] != box:
            self._known = box, self.nodes(*self._lattice(box))
        return self._known[1]

    def _lattice(self, box: Box) -> list[NDArray[np.int64]]:
        """Rows and columns of the nodes a part of the account rests on."""
        step, ring = self.step, int(self.step > 1)
        return [
            np.arange(box[n] // step - ring, -(-(box[n] + box[n + 2]) // step) + 2 * ring) * step
            for n in range(2)
        ]

    def places(self, box: Box, whole: Box | None = None) -> NDArray[np.float64]:
        """Column and row of the layer every pixel of a part lies at, (2, rows, columns).

        The nodes are those of the *whole* the part belongs to.
        """
        whole = whole or box
        lattice, nodes = self._lattice(whole), self._around(whole)
        if self.step == 1:
            top, left = box[0] - whole[0], box[1] - whole[1]
            return nodes[:, top : top + box[2], left : left + box[3]]
        first = [box[n] - int(lattice[n][1]) for n in range(2)]
        out = np.empty((2, box[2], box[3]))
        compiled(positions)(nodes, self.step, *first, cubic(self.step), out)
        return out

    def needs(self, box: Box) -> Box | None:
        """Part of the layer that a part of the account rests on; None if there is none."""
        nodes, ends = self._around(box), []
        for one, size in zip(nodes[::-1], (self.own.height, self.own.width), strict=True):
            there = one[np.isfinite(one)]
            if not there.size or there.max() < -1 or there.min() > size + 1:
                return None
            low, high = int(np.floor(there.min())) - 1, int(np.floor(there.max())) + 1
            ends.append((min(max(low, 0), size - 1), max(min(high, size - 1), 0)))
        (top, bottom), (left, right) = ends
        return top, left, bottom - top + 1, right - left + 1

    def bring(
        self, source: NDArray[np.float32], corner: tuple[int, int], box: Box, out: NDArray[Any]
    ) -> None:
        """Write a part of the account into *out*, of what it needs of the layer, from *corner*."""
        if self.method == "conserved":
            source = self._per_area(source, corner, box, out.dtype)
        size, limits = (self.own.height, self.own.width), self._limits(source, corner)
        twice = np.pad(source, ((0, 1), (0, 1)), "edge") if self.method == "bilinear" else source
        room = np.empty(box[3], np.int32), np.empty((2, box[3]), np.float32)
        holes = bool(np.isnan(source).any())
        for top in range(0, box[2], STRIP):
            part = out[top : top + STRIP]
            strip = self.places((box[0] + top, box[1], len(part), box[3]), box)
            if self.method != "bilinear":
                compiled(nearest_at)(source, strip, corner, limits, part)
                continue
            compiled(bilinear_at)(twice, strip, corner, limits, *room, part)
            if holes:
                compiled(mend_at)(source, strip, corner, limits, size, part)

    def _limits(
        self, source: NDArray[np.float32], corner: tuple[int, int]
    ) -> tuple[float, float, float, float]:
        """West, east, north and south end of what was read, to half a pixel where more follows."""
        ends = []
        for n, size in ((1, self.own.width), (0, self.own.height)):
            last = corner[n] + source.shape[n]
            ends += [corner[n] + 0.5 if corner[n] else 0.0, last - 0.5 if last < size else last]
        return ends[0] - EDGE, ends[1] - EDGE, ends[2] - EDGE, ends[3] - EDGE

    def _per_area(
        self, source: NDArray[np.float32], corner: tuple[int, int], box: Box, dtype: Any
    ) -> NDArray[Any]:
        """Amounts per area of the account pixels whose centre each pixel of the layer holds."""
        beyond = math.ceil(2**0.5 / self.density[1]) + 2
        top, left = box[0] - beyond, box[1] - beyond
        high, wide = box[2] + 2 * beyond, box[3] + 2 * beyond
        column, row = np.floor(self.places((top, left, high, wide)) + EDGE)
        row, column = row - corner[0], column - corner[1]
        held = (row >= 0) & (row < source.shape[0]) & (column >= 0) & (column < source.shape[1])
        number = (row * source.shape[1] + column)[held].astype(np.int64)
        down = extended(self._account.row_areas, top, top + high)
        across = extended(self._account.column_factors, left, left + wide)
        areas = np.bincount(number, np.outer(down, across)[held], source.size)
        with np.errstate(divide="ignore", invalid="ignore"):  # pixels no centre lies in
            found = source / areas.reshape(source.shape)
        return np.where(areas.reshape(source.shape) > 0, found, np.nan).astype(dtype)


@dataclass(frozen=True)
class Part:
    """Numbers of a part of a layer, shape (1, rows, columns), and the suspects among them."""

    box: Box
    numbers: NDArray[np.float32]
    suspected: tuple[float, ...]


@dataclass
class Lately:
    """The part of a layer that was read last, by any of the threads that read it."""

    part: Part | None = None
    reading: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class Native:
    """A layer read at its own pixels by one thread; the last part is held for all threads.

    `read` gives a part of the layer, shape (bands, rows, columns), NaN where there is no number.
    The tiles of its file have `block` rows.
    Numbers among `suspects` look like a fill: what would be made of one of them, with whatever
    else, is that number itself, so that it is seen and not hidden in a mean.
    """

    way: Straight | Bent
    read: Callable[[Box, int | None], NDArray[np.float32]]
    suspects: tuple[float, ...] = ()
    block: int = 1
    lately: Lately = field(default_factory=Lately, repr=False)

    def fill(self, box: Box, bands: int | None, out: NDArray[np.float32]) -> None:
        """Write a part of the account into *out* (bands, rows, columns); *bands* None: of one."""
        needed = self.way.needs(box)
        if needed is None:
            out[...] = np.nan
            return
        if needed[2] * needed[3] * len(out) > MOST and box[2] > 1:
            half = box[2] // 2
            self.fill((box[0], box[1], half, box[3]), bands, out[:, :half])
            self.fill((box[0] + half, box[1], box[2] - half, box[3]), bands, out[:, half:])
            return
        source = self._part(needed) if bands is None else Part(needed, self.read(needed, bands), ())
        for one, target in zip(source.numbers, out, strict=True):
            self.way.bring(np.ascontiguousarray(one), needed[:2], box, target)
            for value in source.suspected:
                self._show(value, one == value, needed, box, target)

    def _show(
        self,
        value: float,
        where: NDArray[np.bool_],
        needed: Box,
        box: Box,
        out: NDArray[np.float32],
    ) -> None:
        """Put a number into all pixels of *out* that something was made of it for."""
        if where.any():
            made = np.empty_like(out)
            self.way.bring(where.astype(np.float32), needed[:2], box, made)
            out[(made > 0) & ~np.isnan(out)] = value

    def _part(self, needed: Box) -> Part:
        """Part of the layer that is *needed*, of the one that was read last if that has it."""
        with self.lately.reading:
            found = self.lately.part
            if found is None or not within(needed, found.box):
                self.lately.part = found = None  # its memory first
                around = self._around(needed)
                numbers = self.read(around, None)
                suspected = tuple(n for n in self.suspects if (numbers == n).any())
                self.lately.part = found = Part(around, numbers, suspected)
        top, left = needed[0] - found.box[0], needed[1] - found.box[1]
        cut = found.numbers[:, top : top + needed[2], left : left + needed[3]]
        return Part(needed, cut, found.suspected)

    def _around(self, needed: Box) -> Box:
        """What is read for what is needed: also what the next tiles will need, if it is little."""
        height, width = self.way.own.height, self.way.own.width
        top, high = _outward(needed[0], needed[2], -(-ALIGNED // self.block) * self.block, height)
        if high * width <= MORE * HELD:
            return top, 0, high, width
        top, high = _outward(needed[0], needed[2], ALIGNED, height)
        if high * width <= HELD:
            return top, 0, high, width
        left, wide = _outward(needed[1], needed[3], ALIGNED, width)
        return (top, left, high, wide) if high * wide <= HELD else needed


def _outward(start: int, count: int, step: int, size: int) -> tuple[int, int]:
    """Start and number of the pixels, of *size*, in whole steps that hold *count* from *start*."""
    low = start // step * step
    return low, min(size, -(-(start + count) // step) * step) - low


def within(one: Box, other: Box) -> bool:
    """Tell whether a part lies in another."""
    low = all(one[n] >= other[n] for n in (0, 1))
    return low and all(one[n] + one[n + 2] <= other[n] + other[n + 2] for n in (0, 1))
