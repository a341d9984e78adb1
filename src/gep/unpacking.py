"""From the bytes of a TIFF tile to numbers: compressions, predictors, float32 with NaN.

The loops are plain Python on arrays that `fuse` compiles: uncompiled they are slow, and do not wrap
around as the file format wants. Sources: TIFF 6.0 (1992), sections 13 (LZW) and 14 (differencing);
Adobe Photoshop TIFF Technical Note 3 (2005), floating point predictor.
"""

import threading
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.fuse import routine

Bytes = NDArray[np.uint8]
HEAD, SLACK = 256, 64
"""Bytes kept free before and behind a plain tile: `lzw` wants them."""
CLEAR, FINISH = np.uint64(256), np.uint64(257)
"""Codes of LZW that are no strings: empty the table, and end."""
NARROWEST, WIDEST = np.uint64(9), np.uint64(12)
"""Bits of a code."""
ZERO, ONE, FOUR, EIGHT, HALF = (np.uint64(n) for n in (0, 1, 4, 8, 32))
LOWER = np.uint64(0xFFFFFFFF)
LEVEL = 1
"""How hard `deflated` tries."""
COMPILING = threading.Lock()


class Scratch(threading.local):
    """Memory of one thread for a packed and a plain tile, whatever file they are of."""

    def __init__(self) -> None:
        self.packed = self.plain = np.empty(0, np.uint8)
        self.table = np.empty(4096, np.uint64)

    def take(self, packed: int, plain: int) -> tuple[Bytes, Bytes]:
        """Memory for so many bytes each."""
        if len(self.packed) < packed + SLACK:
            self.packed = np.zeros(packed + SLACK, np.uint8)
        if len(self.plain) < HEAD + plain + SLACK:
            self.plain = np.zeros(HEAD + plain + SLACK, np.uint8)
        return self.packed[:packed], self.plain[HEAD : HEAD + plain]


SCRATCH = Scratch()


def compressions() -> set[str]:
    """Compressions that `unpacked` knows, as GDAL names them; ZSTD needs imagecodecs."""
    return {"NONE", "LZW", "DEFLATE"} | ({"ZSTD"} if _imagecodecs() else set())


def unpacked(compression: str, packed: Bytes, plain: Bytes) -> bool:
    """Tell whether *packed* fills *plain* exactly, and do it; both are of `SCRATCH`."""
    if compression == "LZW":
        memory = SCRATCH.plain[: HEAD + len(plain) + SLACK]
        size: int = loop(lzw)(SCRATCH.packed, len(packed), memory, SCRATCH.table)
        return size == len(plain)
    library = _imagecodecs()
    if library is None:
        return _inflated(packed, plain)
    unpack = library.zstd_decode if compression == "ZSTD" else library.deflate_decode
    try:
        return len(unpack(packed, out=plain)) == len(plain)
    except (RuntimeError, ValueError, ImportError):
        return False


def _inflated(packed: Bytes, plain: Bytes) -> bool:
    """`unpacked` of DEFLATE by Python's own zlib, which takes twice as long."""
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(packed.data, len(plain) + 1)
    except zlib.error:
        return False
    if len(found) != len(plain) or not stream.eof:
        return False
    plain[:] = np.frombuffer(found, np.uint8)
    return True


def deflated(plain: Bytes) -> bytes:
    """*plain* as DEFLATE, with its checksum."""
    library = _imagecodecs()
    if library is None:
        return zlib.compress(plain.data, LEVEL)
    return bytes(library.deflate_encode(plain, LEVEL))


def damage(compression: str, packed: Bytes, size: int) -> tuple[str, str] | None:
    """What is wrong with a tile that did not unpack to *size* bytes, None if GDAL will say it.

    GDAL looks neither at the checksum of DEFLATE nor at what stands behind the last byte it wants,
    and goes on at a code of LZW that does not exist: it gives wrong numbers for such tiles. A
    DEFLATE tile with all its bytes and no checksum is not wrong.
    """
    if compression == "LZW":
        return "an LZW tile is damaged", "LZW 分块已损坏"
    if compression != "DEFLATE":
        return None
    try:
        found = zlib.decompressobj().decompress(packed.data, size + 1)
    except zlib.error as error:
        return deflate_damaged(error)
    return None if len(found) == size else deflate_damaged("too many or too few bytes")


def deflate_damaged(why: object) -> tuple[str, str]:
    """What is said of a damaged block, in both languages."""
    return f"DEFLATE data are damaged ({why})", f"DEFLATE 数据已损坏（{why}）"


@cache
def _imagecodecs() -> Any:
    """The library, None if it is not installed."""
    try:
        import imagecodecs
    except ImportError:
        return None
    return imagecodecs


def loop(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled *function*; one thread at a time may ask `fuse` for it."""
    with COMPILING:
        return _compiled(function)


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    return routine(function)


def lzw(packed: Bytes, size: int, plain: Bytes, table: NDArray[np.uint64]) -> int:
    """Number of bytes unpacked from the first *size* of *packed* behind the head of *plain*.

    Less than the room between HEAD and SLACK if these bytes are no LZW, or hold less than that, or
    more. Every string of the code table is a piece of what was unpacked before: *table* (4096)
    keeps where it starts, and how long it is in its upper half. The head holds the 256 strings of
    one byte. Strings are copied by eight bytes: what is too much, the next one overwrites. All is
    unsigned, since a signed index costs a test for its sign: three times as fast.
    """
    for byte in range(256):
        plain[byte] = byte
        table[byte] = ONE << HALF | np.uint64(byte)
    at, room, end = np.uint64(HEAD), np.uint64(plain.shape[0] - SLACK), np.uint64(size)
    width, most, fresh = NARROWEST, ONE << NARROWEST, ONE << WIDEST  # first of all comes a CLEAR
    string, held, bits, taken = ZERO, ZERO, ZERO, ZERO
    while at < room:
        if held < WIDEST:
            if taken > end + EIGHT:
                break
            for step in range(4):
                bits = bits << EIGHT | np.uint64(packed[taken + np.uint64(step)])
            taken += FOUR
            held += HALF
        held -= width
        code = (bits >> held) & (most - ONE)
        if code == CLEAR:
            width, most, fresh = NARROWEST, ONE << NARROWEST, FINISH
            continue
        if code == FINISH or fresh >= ONE << WIDEST:
            break
        table[fresh] = string + (ONE << HALF)  # the last string and one byte more; FINISH: nothing
        if code > fresh:
            break
        fresh += ONE
        start, length = table[code] & LOWER, table[code] >> HALF
        if at + length > room:
            break
        for step in range(8):
            plain[at + np.uint64(step)] = plain[start + np.uint64(step)]
        copied = EIGHT
        while copied < length:
            for step in range(8):
                plain[at + copied + np.uint64(step)] = plain[start + copied + np.uint64(step)]
            copied += EIGHT
        string = length << HALF | at
        at += length
        if fresh == most - ONE and width < WIDEST:
            width, most = width + ONE, most + most
    return int(at) - HEAD if taken * EIGHT - held <= end * EIGHT else 0


def undo_differences(
    stored: NDArray[Any], top: int, bottom: int, first: int, end: int, step: int
) -> None:
    """Undo predictor 2 in place, in rows *top* to *bottom*, in columns first, first + step, ….

    Four rows at a time: a sum waits for the one before, not for those of other rows.
    """
    for y in range(top, bottom - 3, 4):
        a, b, c, d = stored[y], stored[y + 1], stored[y + 2], stored[y + 3]
        sum_a, sum_b, sum_c, sum_d = 0, 0, 0, 0
        for x in range(first, end, step):
            sum_a, sum_b, sum_c, sum_d = sum_a + a[x], sum_b + b[x], sum_c + c[x], sum_d + d[x]
            a[x], b[x], c[x], d[x] = sum_a, sum_b, sum_c, sum_d
    for y in range(bottom - (bottom - top) % 4, bottom):
        total, line = 0, stored[y]
        for x in range(first, end, step):
            total += line[x]
            line[x] = total


def undo_floating(
    planes: Bytes, bits: NDArray[Any], room: NDArray[np.uint64], top: int, bottom: int
) -> None:
    """Undo predictor 3 in place, in rows *top* to *bottom* of a tile of one band.

    *planes* and *bits* are the tile, seen as bytes, the highest of all numbers of a row first, and
    as unsigned integers of the size of its numbers; *room* is memory for a row of *planes*, eight
    times as wide. Four bytes of a number stand in one word, 16 bits each, so that their running
    sums are one addition a number, and none flows into the next if it is cut in time.
    """
    mask, lowest, pairs = np.uint64(0x00FF00FF00FF00FF), np.uint64(255), np.uint64(0xFFFF)
    count, often = np.uint64(bits.shape[1]), np.uint64(128)
    one, two, three = np.uint64(16), np.uint64(32), np.uint64(48)
    for y in range(top, bottom):
        row, into, before = planes[y], bits[y], ZERO
        for first in range(ZERO, np.uint64(row.size), FOUR * count):
            line = room[first : first + count]
            a, b = row[first : first + count], row[first + count :]
            c, d = row[first + count + count :], row[first + count + count + count :]
            for x in range(count):
                line[x] = (
                    np.uint64(a[x]) << three
                    | np.uint64(b[x]) << two
                    | np.uint64(c[x]) << one
                    | np.uint64(d[x])
                )
            total = ZERO
            for begin in range(ZERO, count, often):
                total &= mask
                for x in range(begin, min(begin + often, count)):
                    total += line[x]
                    line[x] = total
            after_a = before + (total >> three & lowest)
            after_b = after_a + (total >> two & lowest)
            after_c = after_b + (total >> one & lowest)
            carry = (before << three) + ((after_a & lowest) << two)
            carry += ((after_b & lowest) << one) + (after_c & lowest)
            before = (after_c + total) & lowest
            for x in range(count):
                line[x] = ((line[x] & mask) + carry) & mask
        for first in range(ZERO, np.uint64(row.size), FOUR * count):
            line = room[first : first + count]
            for x in range(count):  # what was there is shifted out once the last four bytes are in
                both = line[x] | line[x] >> EIGHT
                both = (both & pairs) | (both >> one & (pairs << one))
                into[x] = (np.uint64(into[x]) << two) | both
