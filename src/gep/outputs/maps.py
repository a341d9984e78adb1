"""Maps as cloud-optimised GeoTIFFs: written, read back, and held against the tables."""

import contextlib
import errno
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from gep.decoding import tiles_of
from gep.densities import SQUARE_KILOMETRE, Map
from gep.errors import IdentityError, InputError, Problem, ResourceError
from gep.identities import Identity, make
from gep.outputs.cog import BLOCK, Tag, assemble, tags_of
from gep.outputs.pyramid import Pyramid, Statistics, nearby, survey
from gep.plan import Plan
from gep.rasters import SAFE, Grid, Window, open_file, tiles
from gep.spreading import Spreader, stream
from gep.store import sync_file, sync_folder
from gep.tables import TOTAL
from gep.unpacking import loop

FOLDER = "maps"
BATCH = 16
"""Maps made in one pass over the rasters; more would take more memory."""
TOLERANCE = 1e-6
"""By how much of the pixels' absolute sum a map may differ from its table: they are float32."""
OVERVIEWS = 4 / 3
FLOAT = 4
NEARLY_FULL = 1 << 20
"""With fewer bytes than this left, what a disk lost it lost for want of space."""
LONGEST = 80
"""Characters of a name that may stand in a file name."""
Progress = Callable[[int, int], None]
Step = Callable[[], None]
Digests = dict[tuple[int, int, int], int]
"""Checksum of what was written, by map, row and column."""
Drawn = tuple[Window, list[tuple[int, tuple[int, float, float, float, float]]]]
"""Checksum and survey of a window in every map."""
Sums = NDArray[np.float64]
"""Sum of map times area by place, and of its absolute value; shape (2, places)."""


def need(plan: Plan, count: int) -> int:
    """Bytes *count* maps may take at most, while they are made."""
    pixels = plan.grid.height * plan.grid.width if count else 0
    return int(FLOAT * pixels * (count * OVERVIEWS + min(count, BATCH) + OVERVIEWS))


def write(
    folder: Path,
    plan: Plan,
    maps: Sequence[Map],
    about: dict[str, str],
    threads: int,
    progress: Progress | None = None,
) -> Identity:
    """Write every map into *folder* and verify it; *about* stands in every file.

    Returns
    -------
    Identity
        Maps times the true area of the pixels against the tables, by place and in all.

    Raises
    ------
    IdentityError
        E713 a file reads back differently.
    ResourceError
        E701 the disk is full, E705 it cannot be written.
    """
    folder.mkdir()
    spreader, names = Spreader(plan), file_names(maps)
    starts = range(0, len(maps), BATCH)
    step = _counting(progress, 2 * len(tiles(plan.grid, BLOCK)) * len(starts))
    sums: list[Sums] = []
    for start in starts:
        chosen = maps[start : start + BATCH]
        files = [folder / name for name in names[start : start + BATCH]]
        with _failing(folder):
            digests = _make(files, chosen, spreader, about, threads, step)
            sums += _read_back(files, plan, digests, threads, step)
    sync_folder(folder)
    return closure(maps, plan.counties.places, sums)


def _counting(progress: Progress | None, whole: int) -> Step:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, whole)

    return step


@contextlib.contextmanager
def _failing(folder: Path) -> Generator[None, None, None]:
    """Turn what the disk or GDAL says into one of ours; what a full disk lost, too."""
    runs = folder.parent.parent  # the staging folder is soon gone
    try:
        yield
    except (RasterioError, CPLE_BaseError, IdentityError) as error:
        if shutil.disk_usage(folder).free < NEARLY_FULL:
            why = os.strerror(errno.ENOSPC)
            raise ResourceError(Problem("E701", {"folder": runs, "why": why})) from None
        if isinstance(error, IdentityError):
            raise
        raise ResourceError(Problem("E705", {"folder": runs, "why": error})) from None


def _make(
    files: Sequence[Path],
    maps: Sequence[Map],
    spreader: Spreader,
    about: dict[str, str],
    threads: int,
    step: Step,
) -> Digests:
    """Make the files of some maps, and return a digest of each window."""
    plan = spreader.plan
    shape = plan.grid.height, plan.grid.width
    with contextlib.ExitStack() as stack:
        pyramids = [stack.enter_context(closing(Pyramid(_part(f), shape))) for f in files]
        known, digests = _draw(pyramids, spreader, maps, threads, step)
        said = [_tags(plan, each, about, own) for each, own in zip(maps, known, strict=True)]
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        list(pool.map(_finish, files, pyramids, said))
    return digests


def _draw(
    pyramids: Sequence[Pyramid], spreader: Spreader, maps: Sequence[Map], threads: int, step: Step
) -> tuple[list[Statistics], Digests]:
    """Make and pack every window; return what is known of the pixels, and a digest of each."""

    def use(window: Window, arrays: NDArray[np.float32]) -> Drawn:
        key = 0, window.row_off // BLOCK, window.col_off // BLOCK
        for pyramid, array in zip(pyramids, arrays, strict=True):
            pyramid.grow(key, array)
        return window, [(zlib.crc32(array), loop(survey)(array)) for array in arrays]

    digests: Digests = {}
    known = [Statistics() for _ in maps]
    windows = sorted(tiles(spreader.plan.grid, BLOCK), key=nearby)
    with closing(stream(spreader, maps, windows, threads, use)) as drawn:
        for window, found in drawn:
            for number, (digest, surveyed) in enumerate(found):
                digests[number, window.row_off, window.col_off] = digest
                known[number].add(*surveyed)
            step()
    return known, digests


def _part(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


def _tags(plan: Plan, each: Map, about: dict[str, str], known: Statistics) -> dict[int, Tag]:
    """Tags that say where a map lies and what it is, as GDAL writes them."""
    with open_file(plan.layers[0].path) as ecosystem:
        place = {"crs": ecosystem.crs, "transform": ecosystem.transform}
    form = {"driver": "GTiff", "dtype": "float32", "count": 1, "nodata": np.nan, **place}
    with rasterio.Env(**SAFE), rasterio.MemoryFile() as memory:
        with memory.open(height=1, width=1, **form) as file:
            file.set_band_description(1, f"{each.title.en} / {each.title.zh}")
            file.units = (each.unit,)
            titles = {"title_en": each.title.en, "title_zh": each.title.zh, "unit": each.unit}
            file.update_tags(**titles, **each.about, **about)
            file.update_tags(1, **known.tags(plan.grid.height * plan.grid.width))
        return tags_of(memory.read())


def _finish(file: Path, pyramid: Pyramid, about: dict[int, Tag]) -> None:
    """Make the cloud-optimised file of packed tiles, and force it to the disk."""
    assemble(file, pyramid.spool, pyramid.shape, about)
    pyramid.close()
    _part(file).unlink()
    sync_file(file)


class Written:
    """A file that is finished, as others will read it."""

    def __init__(self, file: Path) -> None:
        self._lost = IdentityError(Problem("E713", {"file": f"{FOLDER}/{file.name}"}))
        self._file = rasterio.open(file)
        with self._damaged():
            self._tiles = tiles_of(self._file, 1)

    def close(self) -> None:
        """Close the file."""
        for file in filter(None, (self._file, self._tiles)):
            file.close()

    def read(self, window: Window, digest: int) -> NDArray[np.float32]:
        """Numbers of a window, in memory that this thread may use again for what it reads next.

        Raises
        ------
        IdentityError
            E713 if they are not what was written.
        """
        with self._damaged():
            found = self._tiles.lend(window) if self._tiles else None
            if found is None:
                found = self._file.read(1, window=window)
            array: NDArray[np.float32] = np.ascontiguousarray(found)
            if zlib.crc32(array.data) != digest:
                raise self._lost
        return array

    @contextlib.contextmanager
    def _damaged(self) -> Generator[None, None, None]:
        """Say of a damaged tile that it is not what was written."""
        try:
            yield
        except InputError:
            raise self._lost from None


def _read_back(
    files: Sequence[Path], plan: Plan, digests: Digests, threads: int, step: Step
) -> list[Sums]:
    """Sum of every map times area by place, and of its absolute value, read from the file.

    Raises
    ------
    IdentityError
        E713 if a window is not what was written.
    """
    grid, count = plan.grid, len(plan.counties.places)
    sums = [np.zeros((2, count)) for _ in files]
    with contextlib.ExitStack() as stack:
        stack.enter_context(rasterio.Env(**SAFE))
        opened = [stack.enter_context(closing(Written(file))) for file in files]
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        for window in tiles(grid, BLOCK):
            places = plan.counties.places_in(window).ravel()
            areas = _areas(grid, window)

            def check(number: int) -> None:
                digest = digests[number, window.row_off, window.col_off]  # noqa: B023
                array = opened[number].read(window, digest)  # noqa: B023
                found = np.zeros((2, count))
                loop(weigh)(array.ravel(), places, areas, found)  # noqa: B023
                sums[number] += found

            list(pool.map(check, range(len(files))))
            step()
    return sums


def weigh(values, places, areas, found):  # type: ignore[no-untyped-def]
    """Add values times areas by place to the first row of *found*, absolute ones to the second."""
    for n in range(np.uint64(values.size)):
        place, value = places[n], np.float64(values[n])
        if place >= 0 and value == value:
            found[0, place] += value * areas[n]
            found[1, place] += abs(value * areas[n])


def _areas(grid: Grid, window: Window) -> NDArray[np.float64]:
    """Area of every pixel of a window in km^2, flat."""
    rows = grid.row_areas[window.row_off : window.row_off + window.height]
    columns = grid.column_factors[window.col_off : window.col_off + window.width]
    areas: NDArray[np.float64] = np.outer(rows, columns).ravel() / SQUARE_KILOMETRE
    return areas


def closure(maps: Sequence[Map], places: Sequence[str], sums: Sequence[Sums]) -> Identity:
    """Maps times area against the tables: every place, and all of them together."""
    worst, where, compared = 0.0, "", 0
    for each, (found, gross) in zip(maps, sums, strict=True):
        table = np.array([each.table[place] for place in places])
        slack = np.array([each.slack[place] for place in places])
        rows = [*zip(places, found, gross, table, slack, strict=True)]
        rows.append((TOTAL, found.sum(), gross.sum(), table.sum(), slack.sum()))
        for place, amount, size, stated, most in rows:
            off = max(0.0, abs(amount - stated) - most)
            share = off / max(size, abs(stated)) if off else 0.0
            compared += 1
            if not share <= worst:
                worst, where = share, f"{each.name} {place}: {amount:.9g} / {stated:.9g}"
    holds = bool(worst <= TOLERANCE)
    return make("maps", compared, f"{worst:.1e}" if holds else where, f"{TOLERANCE:.0e}", holds)


def file_names(maps: Sequence[Map]) -> list[str]:
    """Name of the file of every map: its own, made safe where a product is called oddly."""
    names = [safe(each.name) for each in maps]
    folded = [name.casefold() for name in names]
    return [
        f"{name}.tif" if folded.count(name.casefold()) == 1 else f"{name}-{_short(each.name)}.tif"
        for name, each in zip(names, maps, strict=True)
    ]


def safe(name: str) -> str:
    """Name that every file system takes, different for different names.

    >>> safe("agricultural_products.稻谷.value"), safe("other_products.菌/菇.value")[:-8]
    ('agricultural_products.稻谷.value', 'other_products.菌_菇.value-')
    """
    plain = "".join(c if c.isalnum() or c in "._-()" else "_" for c in name)[:LONGEST]
    return plain if plain == name else f"{plain}-{_short(name)}"


def _short(name: str) -> str:
    return hashlib.sha256(name.encode("utf8")).hexdigest()[:8]
