"""Cloud-optimised GeoTIFFs of one float32 band, put together of tiles that come in any order.

What stands where is as GDAL's own driver has it (gdal.org: COG driver, file structure; TIFF 6.0;
Adobe Photoshop TIFF Technical Note 3): a header, what is promised of the structure, the directories
of the raster and of its overviews, then the tiles, those of the smallest overview first, each
between its size and its last four bytes once more.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from gep.unpacking import deflated

BLOCK = 512
"""Side of a tile."""
STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
PROMISE = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(STRUCTURE) + STRUCTURE
SHORT, LONG, LONG8 = 3, 4, 16
WIDTHS = {1: 1, 2: 1, SHORT: 2, LONG: 4, 5: 8, 11: 4, 12: 8, LONG8: 8}
"""Bytes of a number of each type."""
NOTHING = 42113
"""Tag that says which number stands for nothing."""
ABOUT = {33550, 33922, 34264, 34735, 34736, 34737, 42112, NOTHING}
"""Tags that say where a raster lies and what it is."""
CLASSIC = 0xFFFFFFFF
"""Bytes from which on a file needs offsets of eight bytes."""
PIECE = 1 << 24

Shape = tuple[int, int]
Key = tuple[int, int, int]
"""Level (0 is the raster, 1 its first overview), and row and column among the tiles of that."""
Tag = tuple[int, int, bytes]
"""Type, number of numbers, and these."""


def levels(height: int, width: int) -> list[Shape]:
    """Rows and columns of the raster and of its overviews, down to one tile.

    >>> levels(1080, 1350)
    [(1080, 1350), (540, 675), (270, 338)]
    """
    found = [(height, width)]
    while max(found[-1]) > BLOCK:
        high, wide = found[-1]
        found.append((-(-high // 2), -(-wide // 2)))
    return found


def across(shape: Shape) -> Shape:
    """How many tiles there are, downwards and across."""
    return -(-shape[0] // BLOCK), -(-shape[1] // BLOCK)


def pack(array: NDArray[np.float32]) -> bytes:
    """Bytes of one tile: the highest bytes of a row first, their differences, DEFLATE."""
    bits = np.full((BLOCK, BLOCK), np.nan, np.float32).view(np.uint32)
    bits[: array.shape[0], : array.shape[1]] = array.view(np.uint32)
    planes = np.empty((BLOCK, 4 * BLOCK), np.uint8)
    for number, shift in enumerate((24, 16, 8, 0)):
        planes[:, number * BLOCK : (number + 1) * BLOCK] = bits >> np.uint32(shift)
    planes[:, 1:] -= planes[:, :-1].copy()
    return deflated(planes.ravel())


class Spool:
    """Packed tiles of one raster in a file, as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.places: dict[Key, tuple[int, int]] = {}
        self._end = 0
        self._file = path.open("w+b")

    def put(self, key: Key, content: bytes) -> None:
        """Add a tile."""
        self.places[key] = self._end, len(content)
        self._end += self._file.write(content)

    def take(self, key: Key) -> bytes:
        """Tile that was added."""
        start, size = self.places[key]
        self._file.seek(start)
        return self._file.read(size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def tags_of(content: bytes) -> dict[int, Tag]:
    """Tags of the first directory of a small GeoTIFF, little end first."""
    at = int.from_bytes(content[4:8], "little")
    found = {}
    for number in range(int.from_bytes(content[at : at + 2], "little")):
        tag, kind, count = struct.unpack_from("<HHI", content, at + 2 + 12 * number)
        start, size = at + 10 + 12 * number, WIDTHS.get(kind, 1) * count
        if size > 4:
            start = int.from_bytes(content[start : start + 4], "little")
        found[tag] = kind, count, content[start : start + size]
    return found


def assemble(path: Path, spool: Spool, shape: Shape, about: Mapping[int, Tag]) -> None:
    """Write the file of the tiles in *spool*; *about* are tags of a file GDAL has made."""
    shapes = levels(*shape)
    room = sum(size + 8 for _, size in spool.places.values())
    big = room + len(_directories(shapes, spool, about, True, 0)) + 1024 > CLASSIC
    head = b"II\x2b\0\x08\0\0\0" if big else b"II\x2a\0"
    first = len(head) + (8 if big else 4) + len(PROMISE)
    first += first % 2
    head += first.to_bytes(8 if big else 4, "little") + PROMISE
    with path.open("wb") as file:
        file.write(head.ljust(first, b"\0"))
        file.write(_directories(shapes, spool, about, big, first))
        _tiles(file, shapes, spool)


def _tiles(file: IO[bytes], shapes: list[Shape], spool: Spool) -> None:
    for key in _order(shapes):
        content = spool.take(key)
        file.write(len(content).to_bytes(4, "little") + content + content[-4:])


def _order(shapes: list[Shape]) -> Iterator[Key]:
    """Tiles as they stand in the file."""
    for level in reversed(range(len(shapes))):
        yield from _of_level(shapes, level)


def _of_level(shapes: list[Shape], level: int) -> Iterator[Key]:
    down, wide = across(shapes[level])
    return ((level, row, column) for row in range(down) for column in range(wide))


def _directories(
    shapes: list[Shape], spool: Spool, about: Mapping[int, Tag], big: bool, first: int
) -> bytes:
    """All directories, one after another, for a file in which they begin at *first*."""
    nowhere = dict.fromkeys(spool.places, 0)
    length = sum(
        len(_directory(shapes, n, spool, about, big, 0, nowhere)) for n in range(len(shapes))
    )
    at, starts = first + length, dict[Key, int]()
    for key in _order(shapes):
        starts[key] = at + 4
        at += spool.places[key][1] + 8
    found = b""
    for level in range(len(shapes)):
        found += _directory(shapes, level, spool, about, big, first + len(found), starts)
    return found


def _directory(
    shapes: list[Shape],
    level: int,
    spool: Spool,
    about: Mapping[int, Tag],
    big: bool,
    at: int,
    starts: Mapping[Key, int],
) -> bytes:
    """One directory and the numbers it points to; *at* is where it stands."""
    keys = list(_of_level(shapes, level))
    tags = {
        tag: said for tag, said in about.items() if tag in ABOUT and (not level or tag == NOTHING)
    }
    tags |= {tag: _numbers(SHORT, [number]) for tag, number in _form(level).items()}
    tags[256], tags[257] = _numbers(LONG, [shapes[level][1]]), _numbers(LONG, [shapes[level][0]])
    tags[324] = _numbers(LONG8 if big else LONG, [starts[key] for key in keys])
    tags[325] = _numbers(LONG, [spool.places[key][1] for key in keys])
    return _written(tags, at, big, level == len(shapes) - 1)


def _form(level: int) -> dict[int, int]:
    """Tags that are the same in every file: 32 bits, DEFLATE, predictor 3, floats, tiles."""
    same = {258: 32, 259: 8, 262: 1, 277: 1, 284: 1, 317: 3, 322: BLOCK, 323: BLOCK, 339: 3}
    return same | ({254: 1} if level else {})


def _numbers(kind: int, numbers: list[int]) -> Tag:
    return kind, len(numbers), np.array(numbers, f"<u{WIDTHS[kind]}").tobytes()


def _written(tags: Mapping[int, Tag], at: int, big: bool, last: bool) -> bytes:
    """Bytes of a directory that stands *at*; the next one, if any, comes right behind."""
    size = 8 if big else 4
    entry, count = (20, 8) if big else (12, 2)
    beside, table = b"", len(tags).to_bytes(count, "little")
    behind = at + count + entry * len(tags) + size
    for tag, (kind, number, content) in sorted(tags.items()):
        where = content.ljust(size, b"\0")
        if len(content) > size:
            where = (behind + len(beside)).to_bytes(size, "little")
            beside += content + b"\0" * (-len(content) % 8)
        table += struct.pack("<HH", tag, kind) + number.to_bytes(size, "little") + where
    end = behind + len(beside)
    return table + (0 if last else end).to_bytes(size, "little") + beside
