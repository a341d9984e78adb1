"""Loops that bring numbers of one grid to the pixels of another; `gep.fuse` compiles them.

Plain Python on arrays: `source` (rows, columns) is a part of a layer, `out` a part of the account,
both float32, NaN where there is nothing. docs/methods.md#own-grid.
"""

from typing import Any

import numpy as np

EDGE = 1e-6
"""Centres closer than this to the edge of two pixels [pixels] belong to the later of them."""


def nearest(source: Any, rows: Any, columns: Any, out: Any) -> None:
    """Write into *out* the numbers of the pixels that hold the centres; NaN for -1."""
    held = -2
    for y in range(out.shape[0]):
        row = rows[y]
        if row == held:
            for x in range(out.shape[1]):
                out[y, x] = out[y - 1, x]
        else:
            for x in range(out.shape[1]):
                column = columns[x]
                out[y, x] = source[row, column] if row >= 0 and column >= 0 else np.nan
        held = row


def bilinear(
    source: Any, rows: Any, down: Any, columns: Any, across: Any, buffers: Any, out: Any
) -> None:
    """Write into *out* the numbers between four centres; NaN where one of them is.

    The rows of *source* are stretched once each, into *buffers* (2, columns), and the rows of *out*
    lie between two of them.
    """
    last_row, last_column = source.shape[0] - 1, source.shape[1] - 1
    upper, lower = buffers[0], buffers[1]
    held = -2
    for y in range(out.shape[0]):
        row = rows[y]
        if row == held + 1:
            upper, lower = lower, upper
        elif row != held:
            for x in range(np.uint64(out.shape[1])):
                k = columns[x]
                one = source[row, k]
                upper[x] = one + (source[row, min(k + 1, last_column)] - one) * across[x]
        if row != held:
            below = min(row + 1, last_row)
            for x in range(np.uint64(out.shape[1])):
                k = columns[x]
                one = source[below, k]
                lower[x] = one + (source[below, min(k + 1, last_column)] - one) * across[x]
        held, share = row, down[y]
        line = out[y]
        for x in range(np.uint64(out.shape[1])):
            line[x] = upper[x] + (lower[x] - upper[x]) * share


def mend(
    source: Any,
    rows: Any,
    down: Any,
    own_rows: Any,
    columns: Any,
    across: Any,
    own_columns: Any,
    out: Any,
) -> None:
    """Put the mean of the neighbours that are there where `bilinear` met one that is not.

    Where the pixel of the layer that holds the centre is itself without a number, there is none.
    """
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            row, column = own_rows[y], own_columns[x]
            if out[y, x] == out[y, x] or row < 0 or column < 0:
                continue
            if source[row, column] != source[row, column]:
                continue
            south, east = np.float64(down[y]), np.float64(across[x])
            total = weight = 0.0
            for i in range(2):
                for j in range(2):
                    share = (south if i else 1 - south) * (east if j else 1 - east)
                    one = source[
                        min(rows[y] + i, source.shape[0] - 1),
                        min(columns[x] + j, source.shape[1] - 1),
                    ]
                    if one == one:
                        total += share * one
                        weight += share
            out[y, x] = total / weight


def combine(
    source: Any,
    tops: Any,
    down: Any,
    row_totals: Any,
    lefts: Any,
    across: Any,
    column_totals: Any,
    least: Any,
    mean: Any,
    out: Any,
) -> None:
    """Write weighted sums into *out*, or means, NaN where less than *least* of it is known."""
    total, weight = np.empty(source.shape[1]), np.empty(source.shape[1])
    for y in range(out.shape[0]):
        total[:] = 0.0
        weight[:] = 0.0
        for i in range(down.shape[1]):
            share = down[y, i]
            if share > 0.0:
                line = source[tops[y] + i]
                for x in range(np.uint64(source.shape[1])):
                    one = np.float64(line[x])
                    total[x] += share * one if one == one else 0.0
                    weight[x] += share if one == one else 0.0
        for x in range(out.shape[1]):
            amount = known = 0.0
            for j in range(across.shape[1]):
                if across[x, j] > 0.0:
                    amount += across[x, j] * total[lefts[x] + j]
                    known += across[x, j] * weight[lefts[x] + j]
            enough = known > 0.0 and known >= least * row_totals[y] * column_totals[x]
            out[y, x] = (amount / known if mean else amount) if enough else np.nan


def positions(nodes: Any, step: Any, top: Any, left: Any, weights: Any, out: Any) -> None:
    """Write into *out* (2, rows, columns) where pixels lie, from *nodes* every *step* pixels.

    Cubic, with *weights* (4, step). *top* and *left* are counted from the second node.
    """
    line = np.empty(nodes.shape[2])
    one, two, three, four = weights[0], weights[1], weights[2], weights[3]
    for n in range(2):
        for y in range(out.shape[1]):
            k, rest = (top + y) // step, (top + y) % step
            for m in range(line.size):
                value = one[rest] * nodes[n, k, m] + two[rest] * nodes[n, k + 1, m]
                value += three[rest] * nodes[n, k + 2, m] + four[rest] * nodes[n, k + 3, m]
                line[m] = value
            x = 0
            while x < out.shape[2]:
                k, rest = (left + x) // step, (left + x) % step
                many = min(step - rest, out.shape[2] - x)
                part = out[n, y, x : x + many]
                a, b, c, d = line[k], line[k + 1], line[k + 2], line[k + 3]
                e, f, g, h = one[rest:], two[rest:], three[rest:], four[rest:]
                for m in range(np.uint64(many)):
                    part[m] = (e[m] * a + f[m] * b) + (g[m] * c + h[m] * d)
                x += many


def nearest_at(source: Any, places: Any, corner: Any, limits: Any, out: Any) -> None:
    """Write into *out* the numbers of the pixels that hold *places* (2, rows, columns).

    *source* begins at *corner* of the layer; beyond *limits* (west, east, north, south) is nothing.
    """
    top, left = corner
    west, east, north, south = limits
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            across, down = places[0, y, x], places[1, y, x]
            out[y, x] = np.nan
            if west <= across < east and north <= down < south:
                out[y, x] = source[np.int64(down + EDGE) - top, np.int64(across + EDGE) - left]


def bilinear_at(
    source: Any, places: Any, corner: Any, limits: Any, index: Any, shares: Any, out: Any
) -> None:
    """Write into *out* the numbers between the four centres around *places*; NaN if one is.

    The last row and column of *source* are there twice. `index` (columns) and `shares` (2, columns)
    are room for a row of pixels: where in *source*, and how far on the way to the next.
    """
    west, east, north, south = limits
    wide, flat = np.int32(source.shape[1]), source.ravel()
    last_row, last_column = source.shape[0] - 2.0, source.shape[1] - 2.0
    before_row, before_column = corner[0] + 0.5, corner[1] + 0.5
    east_shares, south_shares = shares[0], shares[1]
    for y in range(out.shape[0]):
        line, xs, ys = out[y], places[0, y], places[1, y]
        for x in range(np.uint64(line.size)):
            here = (xs[x] >= west) & (xs[x] < east) & (ys[x] >= north) & (ys[x] < south)
            across = min(max(xs[x] - before_column, 0.0), last_column)
            down = min(max(ys[x] - before_row, 0.0), last_row)
            across, down = across if here else 0.0, down if here else 0.0
            column, row = np.int32(across), np.int32(down)
            east_shares[x] = np.float32(across - column) if here else np.float32(np.nan)
            south_shares[x] = np.float32(down - row)
            index[x] = row * wide + column
        for x in range(np.uint64(line.size)):
            k = np.uint64(index[x])
            a, b = flat[k], flat[k + np.uint64(1)]
            c, d = flat[k + np.uint64(wide)], flat[k + np.uint64(wide + 1)]
            upper, lower = a + (b - a) * east_shares[x], c + (d - c) * east_shares[x]
            line[x] = upper + (lower - upper) * south_shares[x]


def mend_at(source: Any, places: Any, corner: Any, limits: Any, size: Any, out: Any) -> None:
    """Do for `bilinear_at` what `mend` does for `bilinear`."""
    top, left = corner
    west, east, north, south = limits
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            across, down = places[0, y, x], places[1, y, x]
            here = west <= across < east and north <= down < south
            if out[y, x] == out[y, x] or not here:
                continue
            own = source[np.int64(down + EDGE) - top, np.int64(across + EDGE) - left]
            if own != own:
                continue
            across = min(max(across - 0.5, 0.0), size[1] - 1.0)
            down = min(max(down - 0.5, 0.0), size[0] - 1.0)
            column, row = np.int64(across), np.int64(down)
            total = weight = 0.0
            for i in range(2):
                for j in range(2):
                    share = down - row if i else 1 - (down - row)
                    share *= across - column if j else 1 - (across - column)
                    k = min(row + i - top, source.shape[0] - 1)
                    one = source[k, min(column + j - left, source.shape[1] - 1)]
                    if one == one:
                        total += share * one
                        weight += share
            out[y, x] = total / weight
