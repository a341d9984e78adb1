"""One layer as a tiled, compressed GeoTIFF: written window by window, read back, described."""

import errno
import shutil
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from gep.errors import IdentityError, Problem, ResourceError
from gep.rasters import SAFE, Grid, Window, open_file
from gep.store import sync_file, unwritten

BLOCK = 512
FORM = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "bigtiff": "IF_SAFER"}
PACKED = {"compress": "DEFLATE", "predictor": 3}
FLOAT = 4
NEARLY_FULL = 1 << 20
"""With fewer bytes than this left, what a disk lost it lost for want of space."""

Windows = Iterable[tuple[Window, NDArray[np.float32]]]


def need(grid: Grid) -> int:
    """Bytes one layer may take at most, while it is made."""
    return 2 * FLOAT * grid.height * grid.width


def write(
    path: Path,
    like: Path,
    grid: Grid,
    unit: str,
    title: str,
    tags: Mapping[str, str],
    made: Windows,
) -> None:
    """Write the windows *made* as float32 with NaN where there is nothing; the same bytes again.

    *like* is a file of the same grid.

    Raises
    ------
    IdentityError
        E713 if the file reads back differently.
    ResourceError
        E701 the disk is full, E705 the folder cannot be written.
    """
    with open_file(like) as file:
        place = {"crs": file.crs, "transform": file.transform}
    part = path.with_name(f"{path.name}.part")
    shape = {"height": grid.height, "width": grid.width, "count": 1, "dtype": "float32"}
    form = {"driver": "GTiff", "nodata": np.nan, **shape, **place, **FORM}
    try:
        with rasterio.Env(**SAFE):
            with rasterio.open(part, "w", **form) as file:
                file.set_band_description(1, title)
                file.units = (unit,)
                file.update_tags(**tags)
                sums = [_put(file, window, array) for window, array in made]
            rasterio.shutil.copy(part, path, driver="GTiff", **FORM, **PACKED)
            part.unlink()
            sync_file(path)
            _read_back(path, sums)
    except (RasterioError, CPLE_BaseError) as error:
        raise _failed(path.parent.parent, error) from None


def _put(file: Any, window: Window, array: NDArray[np.float32]) -> tuple[Window, int]:
    """Write one window, and return its checksum."""
    file.write(array, 1, window=window)
    return window, zlib.crc32(array.tobytes())


def _read_back(path: Path, sums: list[tuple[Window, int]]) -> None:
    with rasterio.open(path) as file:
        for window, digest in sums:
            if zlib.crc32(file.read(1, window=window)) != digest:
                raise IdentityError(Problem("E713", {"file": path.name}))


def _failed(folder: Path, error: Exception) -> ResourceError:
    """What the disk or GDAL says, as one of ours."""
    full = shutil.disk_usage(folder).free < NEARLY_FULL
    return unwritten(folder, OSError(errno.ENOSPC if full else errno.EIO, str(error)))
