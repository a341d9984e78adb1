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
BLOCK = 8
"""Pixels of a run written at a time, with what the next run overwrites."""
SIGN, MANTISSA = np.int32(31), np.int32(0x7FFFFFFF)
INFINITE, LEAST = np.int32(0x7F800000), np.int32(-0x7F800001)
"""Infinity as an integer, and minus infinity in the order of integers; NaN is greater than both."""


def runs(places, codes, width, starts, heads, firsts, seen):  # type: ignore[no-untyped-def]
    """Number of runs: neighbours in a row (of *width* pixels) of one place and one code.

    *places* and *codes* are flat. *starts* gets the first pixel of each run, then their end: it is
    longer by one than there are pixels. *heads* and *firsts* get the place and code of each run,
    *seen* which places occur; -1 is outside.
    """
    one, wide, size = np.uint64(1), np.uint64(width), np.uint64(places.size)
    fresh = np.ones(width, np.bool_)
    count = np.uint64(0)
    for begin in range(np.uint64(0), size, wide):
        place, code = places[begin : begin + wide], codes[begin : begin + wide]
        for n in range(one, wide):
            fresh[n] = (place[n] != place[n - one]) | (code[n] != code[n - one])
        for n in range(wide):  # no branch: every other pixel would be guessed wrongly
            starts[count] = begin + n
            count += np.uint64(fresh[n])
    starts[count] = size
    for run in range(count):
        heads[run], firsts[run] = places[starts[run]], codes[starts[run]]
    last = -1
    for run in range(count):
        if heads[run] != last:
            last = heads[run]
            if last >= 0:
                seen[np.uint64(last)] = True
    return count


def group(starts, places, kinds, local, classes, row_areas, widths, ends, order, areas):  # type: ignore[no-untyped-def]
    """Sort the pixels of a tile into cells: local place × *classes* + class index.

    *places* and *kinds* are those of the runs that begin at *starts*, *local* gives the local
    number of a place. Fills *order* with the pixels of one cell after another, *areas* with their
    areas [m^2], and *ends* with where each cell ends (its last entry is for what is outside);
    returns the pixels inside. *widths*, *order* and *areas* are longer by BLOCK than they need be.
    """
    outside = np.int32(ends.size - 1)
    cells, chain = np.empty(kinds.size, np.int32), np.empty(kinds.size, np.uint32)
    ends[:] = 0
    for run in range(np.uint64(kinds.size)):
        place = places[run]
        inside = place >= 0
        cell = local[np.uint64(place if inside else 0)] * np.int32(classes) + np.int32(kinds[run])
        cells[run] = cell if inside else outside
        ends[np.uint64(cells[run])] += np.uint64(1)
    total = np.uint64(0)
    for cell in range(np.uint64(ends.size)):
        total, ends[cell] = total + ends[cell], total
    for run in range(np.uint64(kinds.size)):
        cell = np.uint64(cells[run])
        chain[ends[cell]] = run
        ends[cell] += np.uint64(1)
    return unroll(starts, chain, row_areas, widths, ends, order, areas)  # type: ignore[no-untyped-call]


def unroll(starts, chain, row_areas, widths, ends, order, areas):  # type: ignore[no-untyped-def]
    """Write the pixels of the runs of *chain* and their areas; *ends* counts runs, then pixels."""
    one, wide, block = np.uint64(1), np.uint64(widths.size - BLOCK), np.uint64(BLOCK)
    at = run = np.uint64(0)
    for cell in range(np.uint64(ends.size - 1)):
        row = begin = np.uint64(0)
        while run < ends[cell]:
            number = np.uint64(chain[run])
            first, end = np.uint64(starts[number]), np.uint64(starts[number + one])
            while first >= begin + wide:
                row, begin = row + one, begin + wide
            many, left, high = end - first, first - begin, row_areas[row]
            for done in range(np.uint64(0), many, block):
                for n in range(done, done + block):  # what is too much the next run overwrites
                    order[at + n] = first + n
                    areas[at + n] = high * widths[left + n]
            at, run = at + many, run + one
        ends[cell] = at
    ends[ends.size - 1] = at
    return at


def gather(stored, order, fills, out, bits, taken, ends):  # type: ignore[no-untyped-def]
    """Numbers as stored of the pixels of *order* into *out* (float32), NaN where there is none.

    Nothing is what is one of the *fills* (at most two count, of the type of *stored*), or is not
    finite. *ends* gets the least and the greatest that is there; inf and -inf if none is. They are
    found among integers in the order of the numbers: of floats a compiler may not change the order.
    *bits* and *ends* are float32 seen as int32; *taken* has room for a chunk of *stored*.
    """
    some = fills.size > 0
    one, other = (fills[0], fills[-1]) if some else (stored[0], stored[0])
    least, most = INFINITE, LEAST
    for begin in range(0, order.size, CHUNK):
        pixels, values = order[begin : begin + CHUNK], out[begin : begin + CHUNK]
        keys = bits[begin : begin + CHUNK]
        for n in range(np.uint64(pixels.size)):
            taken[n] = stored[pixels[n]]
        for n in range(np.uint64(pixels.size)):
            value = np.float32(taken[n])
            nothing = some & ((taken[n] == one) | (taken[n] == other))
            values[n] = np.float32(np.nan) if nothing | ~np.isfinite(value) else value
        for n in range(np.uint64(pixels.size)):
            key = keys[n] ^ ((keys[n] >> SIGN) & MANTISSA)
            least = min(least, key)
            most = max(most, key if key <= INFINITE else LEAST)
    ends[0], ends[1] = least, most ^ ((most >> SIGN) & MANTISSA)
    ends[0] ^= (ends[0] >> SIGN) & MANTISSA


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
