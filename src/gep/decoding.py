"""Tiles of plain GeoTIFF files decoded here rather than by GDAL: the same numbers, sooner.

GDAL says what a file is and where its tiles stand; here they are read and unpacked and their
predictor is undone, on as many threads as ask. Whatever is not plain, and whatever does not unpack
to exactly one tile, is left to GDAL, which reads it or says why it cannot: a fault is as loud as
without this room. DEFLATE carries a checksum, which GDAL does not look at: here it has to hold. In
tiles without one (plain, LZW, most ZSTD) a changed byte can go unnoticed here as there.
"""

import math
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.errors import InputError, Problem
from gep.unpacking import (
    SCRATCH,
    compressions,
    damage,
    loop,
    undo_differences,
    undo_floating,
    unpacked,
)

Bytes = NDArray[np.uint8]
NUMBERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
INTERLEAVES = {"BAND", "PIXEL"}
SIDE = 16
"""Sides of tiles are multiples of this (TIFF 6.0, section 15)."""
BLOATED = 2
"""A packed tile more than so many times as long as the plain one is none."""
LARGEST = 1 << 24
"""Bytes of the largest tile that is decoded here: every thread has memory for one."""
PROBES = 8
"""Tiles that are tried where the richest one is no LZW."""
SEEKING = threading.Lock()
BLOCK = re.compile(r"IReadBlock failed at X offset (\d+), Y offset (\d+)")
"""Where GDAL could not read on: column and row of the block."""


@dataclass(frozen=True)
class Window:
    """Part of a raster; rasterio's own do as well."""

    col_off: int
    row_off: int
    width: int
    height: int


@dataclass(frozen=True)
class Part:
    """What a window has of one tile: its number, its upper left pixel, and where that goes."""

    tile: int
    row: int
    column: int
    to_row: int
    to_column: int
    height: int
    width: int


def place(shape: tuple[int, int], block: tuple[int, int], number: int) -> tuple[int, int]:
    """First row and column of a tile by its number."""
    y, x = divmod(number, -(-shape[1] // block[1]))
    return y * block[0], x * block[1]


def unreadable(file: object, en: str, zh: str, at: tuple[int, int] | None = None) -> InputError:
    """E101: why a file, or its block whose first row and column are *at*, cannot be read."""
    if at is not None:
        en = f"the block that begins at row {at[0] + 1}, column {at[1] + 1}: {en}"
        zh = f"从第 {at[0] + 1} 行第 {at[1] + 1} 列开始的分块：{zh}"
    return InputError(Problem("E101", {"file": file, "why": en, "why_zh": zh}))


def refused_by_gdal(file: object, error: BaseException, block: tuple[int, int]) -> InputError:
    """E101 with what GDAL says, down to the first cause, and the place of the *block* it names.

    What rasterio itself says is only that there is more.
    """
    said = [str(error)]
    while error.__cause__:
        error = error.__cause__
        said.append(str(error))
    found = BLOCK.search(" ".join(said))
    at = (int(found[2]) * block[0], int(found[1]) * block[1]) if found else None
    return unreadable(file, said[-1], f"GDAL 报告：{said[-1]}", at)


@dataclass(frozen=True)
class Tiles:
    """Tiles of one band of a file; several threads may read them at once.

    `shape` and `block` are the rows and columns of the raster and of a tile, `samples` the bands in
    a tile and `sample` the one wanted; `offsets` and `sizes` say where each tile stands in the
    file, 0 for one that was never written.
    """

    file: FileIO
    shape: tuple[int, int]
    block: tuple[int, int]
    dtype: np.dtype[Any]
    samples: int
    sample: int
    compression: str
    predictor: int
    swapped: bool
    offsets: NDArray[np.int64] = field(repr=False)
    sizes: NDArray[np.int64] = field(repr=False)

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def suits(self, window: Window, least: float = 0.5) -> bool:
        """Tell whether *window* has at least that share of the pixels of the tiles it touches.

        Of a tile at an edge only those within the raster count. Nothing is kept here from one
        window to the next: of a smaller part GDAL, which keeps tiles, had better read it.
        """
        (height, width), (high, wide) = self.shape, self.block
        taken = whole = 0
        for part in self._parts(window):
            y, x = divmod(part.tile, -(-width // wide))
            taken += part.height * part.width
            whole += min(high, height - y * high) * min(wide, width - x * wide)
        return taken >= least * whole

    def read(self, window: Window, out: NDArray[Any] | None = None) -> NDArray[Any] | None:
        """Numbers in *window* as stored, shape (rows, columns); written into *out* if given.

        None where they are left to GDAL: *out* then holds nothing of use.

        Raises
        ------
        InputError
            E101 a DEFLATE or LZW tile is damaged; GDAL might read it, and wrongly.
        """
        found = np.empty((window.height, window.width), self.dtype) if out is None else out
        for part in self._parts(window):
            stored = self._stored(part)
            if stored is None:
                return None
            rows = slice(part.to_row, part.to_row + part.height)
            columns = slice(part.to_column, part.to_column + part.width)
            taken = stored[part.row : part.row + part.height]
            found[rows, columns] = taken[:, part.column : part.column + part.width]
        return found

    def lend(self, window: Window) -> NDArray[Any] | None:
        """As `read`, but in memory that whatever this thread decodes next may overwrite.

        Of a window within one tile nothing is copied and no memory is asked for.
        """
        parts = list(self._parts(window))
        if len(parts) != 1:
            return self.read(window)
        part = parts[0]
        stored = self._stored(part)
        if stored is None:
            return None
        taken = stored[part.row : part.row + part.height]
        found: NDArray[Any] = taken[:, part.column : part.column + part.width]
        return found.astype(self.dtype, copy=False)

    def _parts(self, window: Window) -> Iterator[Part]:
        """Yield what *window* has of each of its tiles."""
        high, wide = self.block
        across = -(-self.shape[1] // wide)
        top, left = int(window.row_off), int(window.col_off)
        bottom, right = top + int(window.height), left + int(window.width)
        if min(top, left) < 0 or bottom > self.shape[0] or right > self.shape[1]:
            raise ValueError(f"{window} is not within {self.shape}")
        for y in range(top // high, -(-bottom // high)):
            first, last = max(top, y * high), min(bottom, (y + 1) * high)
            for x in range(left // wide, -(-right // wide)):
                start, end = max(left, x * wide), min(right, (x + 1) * wide)
                here, there = (first - y * high, start - x * wide), (first - top, start - left)
                yield Part(y * across + x, *here, *there, last - first, end - start)

    def _stored(self, part: Part) -> NDArray[Any] | None:
        """Whole tile as stored, in the memory of this thread; only what *part* has of it is right.

        None if it is no tile.
        """
        plain = self._plain(part.tile)
        if plain is None:
            return None
        high, wide = self.block
        rows = slice(part.row, part.row + part.height)
        lines = plain.reshape(high, -1)
        if self.predictor == 3:
            return self._floating(lines, rows)
        bits = lines.view(f"i{self.dtype.itemsize}")
        if self.swapped:
            bits[rows].byteswap(inplace=True)
        if self.predictor == 2:
            end = (part.column + part.width) * self.samples
            columns = (self.sample, end, self.samples)
            loop(undo_differences)(bits, rows.start, rows.stop, *columns)
        return bits.view(self.dtype).reshape(high, wide, self.samples)[:, :, self.sample]

    def _floating(self, lines: Bytes, rows: slice) -> NDArray[Any]:
        """Tile with predictor 3 undone in some rows; its numbers have one byte order everywhere."""
        size = self.dtype.itemsize
        if self.samples == 1:
            bits, room = lines.view(f"u{size}"), np.empty(lines.shape[1], np.uint64)
            loop(undo_floating)(lines, bits, room, rows.start, rows.stop)
            return bits.view(self.dtype)
        columns = (self.sample, lines.shape[1], self.samples)
        loop(undo_differences)(lines.view(np.int8), rows.start, rows.stop, *columns)
        planes = lines.reshape(len(lines), size, -1, self.samples)[..., self.sample]
        highest_first = np.ascontiguousarray(planes.transpose(0, 2, 1))
        return highest_first.view(self.dtype.newbyteorder(">"))[..., 0]

    def _plain(self, tile: int) -> Bytes | None:
        """Bytes of a tile before compression, None if there are not just as many as it has."""
        start, size = int(self.offsets[tile]), int(self.sizes[tile])
        room = math.prod(self.block) * self.samples * self.dtype.itemsize
        if not 0 < size <= BLOATED * room or start <= 0 or room > LARGEST:
            return None
        packed, plain = SCRATCH.take(size, room)
        if self.compression == "NONE":
            return plain if size == room and fetched(self.file, plain, start) else None
        if not fetched(self.file, packed, start):
            return None
        if unpacked(self.compression, packed, plain):
            return plain
        if why := damage(self.compression, packed, room):
            raise unreadable(self.file.name, *why, place(self.shape, self.block, tile))
        return None


def fetched(file: FileIO, into: Bytes, start: int) -> bool:
    """Tell whether a file has as many bytes as *into* from *start*, and read them."""
    try:
        if hasattr(os, "preadv"):
            return os.preadv(file.fileno(), [into.data], start) == len(into)
        with SEEKING:  # Windows: one position for all threads
            file.seek(start)
            return file.readinto(into.data) == len(into)
    except OSError:  # GDAL will meet it too, and say so
        return False


def tiles_of(file: Any, band: int) -> Tiles | None:
    """Tiles of a band of an open GeoTIFF; None if it is not plain and GDAL had better read it.

    *file* is rasterio's; what is returned does not need it any more, and is to be closed. Its
    richest tile is read both ways, and must be the same; E101 if that is damaged.
    """
    try:
        tiles = _described(file, band)
    except OSError:  # GDAL can open it, and it cannot be opened a second time
        return None
    if tiles is None:
        return None
    stat = os.fstat(tiles.file.fileno())
    same = file.name, band, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
    try:
        agreed = same in _AGREED or _agreed(tiles, file, band)
    except BaseException:
        tiles.close()
        raise
    if not agreed:
        tiles.close()
        return None
    if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) > AT_REST:
        _AGREED.add(same)
    return tiles


AT_REST = 10**9
"""Nanoseconds after which a file that changes again also gets another time."""
_AGREED: set[tuple[str, int, int, int, int, int]] = set()
"""Bands of files as they are that were read both ways: a run opens each three times."""


def _described(file: Any, band: int) -> Tiles | None:
    """Tiles as GDAL describes them, None if they are none this room can decode."""
    if sys.byteorder != "little" or os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        return None  # the loops are not written for that, or are not loops
    told = file.tags(ns="IMAGE_STRUCTURE")
    compression, name = told.get("COMPRESSION", "NONE"), file.dtypes[band - 1]
    block = file.block_shapes[band - 1]
    odd = [
        file.driver != "GTiff" or not Path(file.name).is_file(),
        compression not in compressions(),
        name not in NUMBERS,
        "NBITS" in file.tags(band, ns="IMAGE_STRUCTURE"),
        told.get("INTERLEAVE", "BAND") not in INTERLEAVES,
        any(side % SIDE for side in block),
        block[1] == file.width and file.height % block[0] != 0,  # strips, the last one short
    ]
    predictor = 1 if compression == "NONE" else int(told.get("PREDICTOR", "1"))
    if any(odd) or predictor > 3 or (predictor == 3 and name[0] != "f"):
        return None
    together = told.get("INTERLEAVE") == "PIXEL"
    handle = FileIO(file.name)
    return Tiles(
        file=handle,
        shape=file.shape,
        block=block,
        dtype=np.dtype(name),
        samples=file.count if together else 1,
        sample=band - 1 if together else 0,
        compression=compression,
        predictor=predictor,
        swapped=handle.read(2) == b"MM",
        offsets=_listed(file, band, "OFFSET"),
        sizes=_listed(file, band, "SIZE"),
    )


def _listed(file: Any, band: int, what: str) -> NDArray[np.int64]:
    """Offset or size of every tile of a band, 0 for those that were never written."""
    high, wide = file.block_shapes[band - 1]
    found = [
        file.get_tag_item(f"BLOCK_{what}_{x}_{y}", "TIFF", bidx=band)
        for y in range(-(-file.height // high))
        for x in range(-(-file.width // wide))
    ]
    return np.array([int(number or 0) for number in found], np.int64)


def _agreed(tiles: Tiles, file: Any, band: int) -> bool:
    """Tell whether the richest tile, the longest one packed, is the same here and for GDAL.

    One that is no LZW is damaged if others are the same; else it is a dialect only GDAL knows.
    """
    order = np.argsort(tiles.sizes, kind="stable")[::-1]
    richest = order[int((tiles.sizes == tiles.sizes.max()).sum()) // 2]
    try:
        return _same(tiles, file, band, int(richest))
    except InputError:
        if tiles.compression == "DEFLATE":
            raise
        others = order[:: max(1, len(order) // PROBES)][:PROBES]
        if any(_sound(tiles, file, band, int(n)) for n in others if n != richest):
            raise
        return False


def _sound(tiles: Tiles, file: Any, band: int, number: int) -> bool:
    """Tell whether a tile is the same here and for GDAL, and not damaged."""
    try:
        return _same(tiles, file, band, number)
    except InputError:
        return False


def _same(tiles: Tiles, file: Any, band: int, number: int) -> bool:
    """Tell whether a tile is the same here and for GDAL."""
    (height, width), (high, wide) = tiles.shape, tiles.block
    y, x = place(tiles.shape, tiles.block, number)
    rows, columns = (y, min(height, y + high)), (x, min(width, x + wide))
    window = Window(x, y, columns[1] - x, rows[1] - y)
    ours = tiles.read(window)
    if ours is None:
        return False
    try:
        theirs = file.read(band, window=(rows, columns))
    except OSError:  # rasterio's is one: whoever reads that tile with it is told
        return False
    return bool(ours.tobytes() == theirs.tobytes())
