"""Pixels of a tile sorted by place and ecosystem, so that all else runs over long plain arrays.

Plain Python on arrays that `fuse` compiles. Indices are unsigned: a signed one may be negative,
and looking whether it is keeps a loop from being vectorised.
"""

import numpy as np

MASK = 0xFFFFFFFF
LIMIT = 4.0e18
"""Amounts of a pixel [quanta] from here on are no amounts."""
CHUNK = 1024
"""Pixels summed at a time: their numbers stay in the nearest cache."""
EASY = 2.0**50
"""Amounts below fit a double with one bit to spare, and a chunk of them fits 64 bits."""
MAGIC = 1.5 * 2.0**52
"""Added to an easy amount it rounds it half-even and leaves the integer in the last bits."""
BITS = 0x4338000000000000
"""MAGIC as an integer."""


def mark(places, seen):  # type: ignore[no-untyped-def]
    """Note in *seen* which places occur in *places* (flat); -1 is outside."""
    last = -1
    for n in range(np.uint64(places.size)):
        if places[n] != last:
            last = places[n]
            if last >= 0:
                seen[np.uint64(last)] = True


def group(kinds, places, local, classes, row_areas, widths, ends, order, areas):  # type: ignore[no-untyped-def]
    """Sort the pixels of a tile into cells: local place × *classes* + class index.

    *kinds* and *places* are flat, *local* gives the local number of a place. Fills *order* with the
    pixels of one cell after another, *areas* with their areas [m^2], and *ends* with where each
    cell ends (its last entry is for what is outside); returns the pixels inside.
    """
    size, wide = np.uint64(kinds.size), np.uint64(widths.size)
    outside = np.int32(ends.size - 1)
    cells = np.empty(kinds.size, np.int32)
    for n in range(size):
        place = places[n]
        inside = place >= 0
        cell = local[np.uint64(place if inside else 0)] * np.int32(classes) + np.int32(kinds[n])
        cells[n] = cell if inside else outside
    ends[:] = 0
    before, run = cells[0], np.uint64(0)
    for n in range(size):  # neighbours are mostly alike: run by run
        if cells[n] != before:
            ends[np.uint64(before)] += run
            before, run = cells[n], np.uint64(0)
        run += np.uint64(1)
    ends[np.uint64(before)] += run
    total = np.uint64(0)
    for cell in range(np.uint64(outside)):
        count = ends[cell]
        ends[cell] = total
        total += count
    before, at = outside, np.uint64(0)
    for row in range(np.uint64(row_areas.size)):
        begin, high = row * wide, row_areas[row]
        for column in range(wide):
            cell = cells[begin + column]
            if cell != before:
                ends[np.uint64(before)] = at
                before, at = cell, ends[np.uint64(cell)]
            if cell != outside:
                order[at] = begin + column
                areas[at] = high * widths[column]
                at += np.uint64(1)
    ends[np.uint64(before)] = at
    ends[np.uint64(outside)] = total
    return total


def gather(stored, order, fills, out):  # type: ignore[no-untyped-def]
    """Numbers as stored of the pixels of *order* into *out* (float32), NaN where there is none.

    Nothing is what is one of the *fills* (at most two count, of the type of *stored*), or is not
    finite. Returns the least and the greatest that is there; inf and -inf if none is.
    """
    some = fills.size > 0
    one, other = (fills[0], fills[-1]) if some else (stored[0], stored[0])
    least, most = np.float32(np.inf), np.float32(-np.inf)
    for n in range(np.uint64(order.size)):
        number = stored[order[n]]
        value = np.float32(number)
        nothing = some & ((number == one) | (number == other))
        value = np.float32(np.nan) if nothing | ~np.isfinite(value) else value
        out[n] = value
        least = value if value < least else least
        most = value if value > most else most
    return least, most


def alike(density, area, factor, out):  # type: ignore[no-untyped-def]
    """Amounts of pixels that all have one *density*."""
    for n in range(area.size):
        out[n] = density * (area[n] * factor)


def collect(amounts, rounded, bits):  # type: ignore[no-untyped-def]
    """Sum of the easy ones of some amounts [quanta], that of the negative ones, and the rest.

    *rounded* and *bits* are one buffer, as numbers and as integers.
    """
    hard = 0
    for n in range(np.uint64(amounts.size)):
        easy = abs(amounts[n]) < EASY
        rounded[n] = (amounts[n] if easy else 0.0) + MAGIC
        hard += 0 if easy else 1
    total, negative = np.int64(0), np.int64(0)
    for n in range(np.uint64(amounts.size)):
        quanta = bits[n] - BITS
        total += quanta
        negative += min(quanta, 0)
    return total, negative, hard


def count(  # type: ignore[no-untyped-def]
    amounts,
    area,
    area_quantum,
    place,
    kind,
    eligible,
    values,
    begin,
    readers,
    lookups,
    tables,
    sums,
    negative,
    missing,
    missing_area,
    blame,
    pixels,
    areas,
):
    """Add the amounts of a chunk of one cell to the partials, column by column.

    *amounts* has one row more than there are columns, for the areas in quanta; a class index past
    the last one is "no data" and has amounts of no column.
    """
    rounded = np.empty(area.size)
    bits = rounded.view(np.int64)
    here = amounts[-1, : area.size]
    for n in range(area.size):
        here[n] = area[n] / area_quantum
    pixels[place, kind] += area.size
    whole, _, _ = collect(here, rounded, bits)  # type: ignore[no-untyped-call]
    areas[place, kind] += whole
    if kind == pixels.shape[1] - 1:
        return
    for column in range(eligible.shape[0]):
        if not eligible[column, kind]:
            continue
        own = amounts[column, : area.size]
        total, less, hard = collect(own, rounded, bits)  # type: ignore[no-untyped-call]
        sums[place, kind, column, 0] += total >> 32
        sums[place, kind, column, 1] += total & MASK
        negative[place, kind, column, 0] += less >> 32
        negative[place, kind, column, 1] += less & MASK
        for n in range(area.size if hard else 0):
            amount = own[n]
            if abs(amount) < EASY:
                continue
            if -LIMIT < amount < LIMIT:
                quanta = np.int64(np.rint(amount))
                sums[place, kind, column, 0] += quanta >> 32
                sums[place, kind, column, 1] += quanta & MASK
                if quanta < 0:
                    negative[place, kind, column, 0] += quanta >> 32
                    negative[place, kind, column, 1] += quanta & MASK
                continue
            missing[place, kind, column] += 1
            missing_area[place, kind, column] += np.int64(np.rint(here[n]))
            culprit = blame.shape[1] - 1
            for table in lookups[column]:
                if table >= 0 and np.isnan(tables[place, table, kind]):
                    culprit = blame.shape[1] - 2
            for layer in readers[column][::-1]:
                if layer >= 0 and np.isnan(values[layer, begin + n]):
                    culprit = layer
            blame[column, culprit] += 1
