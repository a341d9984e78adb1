"""Maps as cloud-optimised GeoTIFFs: written, read back, and held against the tables."""

import contextlib
import errno
import hashlib
import os
import shutil
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from gep.densities import SQUARE_KILOMETRE, Map
from gep.errors import IdentityError, Problem, ResourceError
from gep.identities import Identity, make
from gep.plan import Plan
from gep.rasters import SAFE, Grid, Window, open_file, tiles
from gep.spreading import Spreader, stream
from gep.store import sync_file, sync_folder
from gep.tables import TOTAL

FOLDER = "maps"
BLOCK = 512
"""Side of a tile of the files, and of the windows they are written by."""
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
COG = {
    "driver": "COG",
    "compress": "DEFLATE",
    "predictor": "FLOATING_POINT",
    "blocksize": BLOCK,
    "overview_resampling": "AVERAGE",
    "bigtiff": "IF_SAFER",
    "statistics": "YES",
}

Progress = Callable[[int, int], None]
Digests = dict[tuple[int, int, int], int]
"""Checksum of what was written, by map, row and column."""
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
    windows = tiles(plan.grid, BLOCK)
    starts = range(0, len(maps), BATCH)
    step = _counting(progress, 2 * len(windows) * len(starts))
    sums: list[Sums] = []
    for start in starts:
        chosen = maps[start : start + BATCH]
        files = [folder / name for name in names[start : start + BATCH]]
        with _failing(folder), closing(stream(spreader, chosen, windows, threads)) as drawn:
            digests = _draw(files, chosen, plan, about, drawn, step)
            for file in files:
                _finish(file, threads)
            sums += _read_back(files, plan, digests, threads, step)
    sync_folder(folder)
    return closure(maps, plan.counties.places, sums)


def _counting(progress: Progress | None, whole: int) -> Callable[[], None]:
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


def _draw(
    files: Sequence[Path],
    maps: Sequence[Map],
    plan: Plan,
    about: dict[str, str],
    drawn: Iterator[tuple[Window, NDArray[np.float32]]],
    step: Callable[[], None],
) -> Digests:
    """Write the windows as they come into plain files, and return a digest of each."""
    digests: Digests = {}
    with rasterio.Env(**SAFE), contextlib.ExitStack() as stack:
        opened = [stack.enter_context(_opened(_part(file), plan)) for file in files]
        for file, each in zip(opened, maps, strict=True):
            file.set_band_description(1, f"{each.title.en} / {each.title.zh}")
            file.units = (each.unit,)
            titles = {"title_en": each.title.en, "title_zh": each.title.zh, "unit": each.unit}
            file.update_tags(**titles, **each.about, **about)
        for window, arrays in drawn:
            for number, (file, array) in enumerate(zip(opened, arrays, strict=True)):
                file.write(array, 1, window=window)
                digests[number, window.row_off, window.col_off] = zlib.crc32(array)
            step()
    return digests


def _part(file: Path) -> Path:
    return file.with_name(f"{file.name}.part")


def _opened(path: Path, plan: Plan) -> Any:
    """Plain tiled file on the account grid; a tile without a number takes no space."""
    with open_file(plan.layers[0].path) as ecosystem:
        crs, transform = ecosystem.crs, ecosystem.transform
    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=plan.grid.height,
        width=plan.grid.width,
        count=1,
        dtype="float32",
        nodata=np.nan,
        crs=crs,
        transform=transform,
        tiled=True,
        blockxsize=BLOCK,
        blockysize=BLOCK,
        bigtiff="IF_SAFER",
        sparse_ok=True,
    )


def _finish(file: Path, threads: int) -> None:
    """Make the cloud-optimised file of the plain one, and force it to the disk."""
    with rasterio.Env(**SAFE):
        rasterio.shutil.copy(_part(file), file, **COG, num_threads=threads)
    _part(file).unlink()
    sync_file(file)


def _read_back(
    files: Sequence[Path], plan: Plan, digests: Digests, threads: int, step: Callable[[], None]
) -> list[Sums]:
    """Sum of every map times area by place, and of its absolute value, read from the file.

    Raises
    ------
    IdentityError
        E713 if a window is not what was written.
    """
    grid, count = plan.grid, len(plan.counties.places)
    sums = [np.zeros((2, count)) for _ in files]
    with (
        rasterio.Env(**SAFE),
        contextlib.ExitStack() as stack,
        ThreadPoolExecutor(threads) as pool,
    ):
        opened = [stack.enter_context(rasterio.open(file)) for file in files]
        for window in tiles(grid, BLOCK):
            places = plan.counties.places_in(window).ravel() + 1
            areas = _areas(grid, window)

            def check(number: int) -> None:
                array = opened[number].read(1, window=window)  # noqa: B023
                if zlib.crc32(array) != digests[number, window.row_off, window.col_off]:  # noqa: B023
                    raise IdentityError(Problem("E713", {"file": f"{FOLDER}/{files[number].name}"}))
                amounts = np.nan_to_num(array.astype(np.float64)).ravel() * areas  # noqa: B023
                for row, weights in enumerate((amounts, np.abs(amounts))):
                    found = np.bincount(places, weights, count + 1)  # noqa: B023
                    sums[number][row] += found[1:]

            list(pool.map(check, range(len(files))))
            step()
    return sums


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
