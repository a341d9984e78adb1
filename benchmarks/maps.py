"""Maps: making, writing and verifying them against rasterio writing the same arrays. P6."""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from province import Recipe, province
from timing import THREADS, paired, ratio

import gep
from gep.unpacking import LEVEL

LARGEST = 4096
"""Side above which the arrays of all maps would not fit in memory."""
ASKED = (
    "water_retention.water_retention",
    "soil_retention.sediment",
    "flood_mitigation.vegetation",
    "carbon_sequestration.carbon_dioxide",
    "oxygen_release.oxygen",
    "climate_regulation.vegetation",
)
"""Indicators with a value: each gives a map of its quantity and one of its value, twelve in all."""

Made = tuple[NDArray[np.float32], dict[str, Any]]


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Time of `Result.write` with twelve maps, ÷ rasterio writing those arrays the same way."""
    side = min(size, LARGEST)
    path = province(Recipe(side)) / "all.toml"
    lines = []
    for threads, target in ((THREADS, "P6"), (1, "P6 on one thread")):
        result = gep.open(path).run(threads=threads, maps=ASKED)
        lines += compared(result, threads, side, repeats, target)
    return lines


def compared(
    result: Any, threads: int, side: int, repeats: int, target: str
) -> list[dict[str, Any]]:
    """Both sides on so many threads, and their ratio."""
    own, other = f"maps, {words(threads)}", f"rasterio, {words(threads)}"
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        files = sorted((result.write(place / "kept") / "maps").glob("*.tif"))
        arrays = [read(path, threads) for path in files]
        numbers = iter(range(1_000_000))
        cases = {
            own: lambda: result.write(place / f"run{next(numbers)}"),
            other: lambda: [write(place / f"{n}.tif", *made) for n, made in enumerate(arrays)],
        }
        found = paired("maps", side, cases, repeats)
        stored = {own: size_of(files), other: size_of(place.glob("*.tif"))}
    for name, record in found.items():
        record.more |= {"maps": len(arrays), "megabytes_written": round(stored[name] / 1e6, 1)}
    over = {"benchmark": "maps", "side": side, "target": target, "case": own, "over": other}
    line = over | ratio(found[own], found[other])
    return [*(record.summary() for record in found.values()), line]


def words(threads: int) -> str:
    """So many threads, in words."""
    return f"{threads} thread{'s' if threads > 1 else ''}"


def size_of(files: Iterable[Path]) -> int:
    """Bytes of some files."""
    return sum(path.stat().st_size for path in files)


def read(path: Path, threads: int) -> Made:
    """A map, and how to write it in the same form, overviews too, if without its statistics."""
    with rasterio.open(path) as file:
        kept = ("height", "width", "count", "dtype", "nodata", "crs", "transform")
        form = {key: file.profile[key] for key in kept}
        said = file.tags(ns="IMAGE_STRUCTURE")
        form |= {"compress": said.get("COMPRESSION", "NONE"), "num_threads": threads}
        form |= {"level" if said.get("LAYOUT") == "COG" else "zlevel": LEVEL}
        if said.get("LAYOUT") == "COG":
            predictor = "YES" if said.get("PREDICTOR", "1") != "1" else "NO"
            form |= {"driver": "COG", "blocksize": file.block_shapes[0][0], "predictor": predictor}
            form |= {"overview_resampling": "AVERAGE"}
        else:
            form |= {"driver": "GTiff", "tiled": True, "blockxsize": 512, "blockysize": 512}
            form |= {"predictor": said.get("PREDICTOR", "1")}
        return file.read(1), form


def write(path: Path, array: NDArray[np.float32], form: dict[str, Any]) -> None:
    """One map by rasterio."""
    with rasterio.open(path, "w", **form) as file:
        file.write(array, 1)
