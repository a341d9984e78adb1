"""DEFLATE blocks that GDAL reads, unpacked once more: it does not look at their checksums.

Strips, large tiles, whole numbers of 64 bits, small windows, several bands at once are GDAL's. Each
of their blocks is unpacked once in a run, before GDAL's numbers are used, and thrown away.
"""

import math
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np

from gep.decoding import LARGEST, Window, fetched, place, refused_by_gdal, unreadable
from gep.unpacking import SCRATCH, Bytes, deflate_damaged, unpacked

WORDS = ("OFFSET", "SIZE")
NOTHING = np.empty(0, np.uint8)
PIECE = 1 << 20
"""Bytes of a large block that are unpacked at a time."""


@dataclass(frozen=True)
class Checksums:
    """Which blocks of one file hold what their checksum says; threads may ask at once."""

    name: str
    shape: tuple[int, int]
    block: tuple[int, int]
    pixel: int
    """Bytes of a pixel in a block, 0 if they are not whole ones."""
    together: bool
    """Whether a block has all bands."""
    _sound: dict[int, bytearray] = field(default_factory=dict, repr=False)

    def hold(self, file: Any, bands: Iterable[int], window: Window) -> None:
        """Look at the blocks of *window* that nobody looked at yet; *file* is rasterio's, open.

        Raises
        ------
        InputError
            E101 one is damaged; GDAL might read it, and wrongly.
        """
        high, wide = (-(-side // own) for side, own in zip(self.shape, self.block, strict=True))
        for band in {1} if self.together else set(bands):
            sound = self._sound.setdefault(band, bytearray(high * wide))
            todo = [(x, y) for x, y in self._touched(window) if not sound[y * wide + x]]
            if not todo:
                continue
            try:
                with FileIO(self.name) as raw:
                    for x, y in todo:
                        self._look(raw, file, band, (x, y))
                        sound[y * wide + x] = 1
            except OSError as error:
                raise refused_by_gdal(self.name, error, self.block) from None

    def _touched(self, window: Window) -> Iterator[tuple[int, int]]:
        high, wide = self.block
        top, left = int(window.row_off), int(window.col_off)
        for y in range(top // high, -(-(top + int(window.height)) // high)):
            for x in range(left // wide, -(-(left + int(window.width)) // wide)):
                yield x, y

    def _look(self, raw: FileIO, file: Any, band: int, at: tuple[int, int]) -> None:
        said = (file.get_tag_item(f"BLOCK_{w}_{at[0]}_{at[1]}", "TIFF", bidx=band) for w in WORDS)
        start, size = (int(number or 0) for number in said)
        if not size:
            return  # never written
        room = math.prod(self.block) * self.pixel
        small = 0 < room <= LARGEST and size <= LARGEST
        packed, plain = SCRATCH.take(size, room) if small else (np.empty(size, np.uint8), NOTHING)
        if not fetched(raw, packed, start):
            return  # cut short: GDAL says it
        if small and unpacked("DEFLATE", packed, plain):
            return
        last = self.shape[0] - at[1] * self.block[0]  # rows of a strip that may be short
        if why := wrong(packed, {room, room // self.block[0] * last}):
            number = at[1] * -(-self.shape[1] // self.block[1]) + at[0]
            raise unreadable(self.name, *why, place(self.shape, self.block, number))


def wrong(packed: Bytes, sizes: set[int]) -> tuple[str, str] | None:
    """What is wrong with a block, None if nothing is; without a checksum it has one of *sizes*."""
    stream, size, rest = zlib.decompressobj(), 0, bytes(packed)
    try:
        while found := stream.decompress(rest, PIECE):
            size, rest = size + len(found), stream.unconsumed_tail
    except zlib.error as error:
        return deflate_damaged(error)
    return None if stream.eof or size in sizes else deflate_damaged("too many or too few bytes")


def checksums(file: Any) -> Checksums | None:
    """Those of an open file of rasterio's; None if it has none, or GDAL does not read blocks."""
    told = file.tags(ns="IMAGE_STRUCTURE")
    odd = [file.driver != "GTiff", told.get("COMPRESSION") != "DEFLATE"]
    if any(odd) or not Path(file.name).is_file():
        return None
    together = told.get("INTERLEAVE") == "PIXEL"
    try:
        size = np.dtype(file.dtypes[0]).itemsize
    except TypeError:  # whole complex numbers
        size = 0
    if "NBITS" in file.tags(1, ns="IMAGE_STRUCTURE"):
        size = 0
    pixel = size * (file.count if together else 1)
    return Checksums(file.name, file.shape, file.block_shapes[0], pixel, together)
