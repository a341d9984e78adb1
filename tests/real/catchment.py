"""The catchment Youwuzhen: its data as they lie in ../shared/data, on one grid, by day."""

from __future__ import annotations

import csv
import datetime
import math
import struct
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import rasterio
import xarray
from numpy.typing import NDArray

import gep
from gep.terrain import flow

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "youwuzhen_seims"

Array = NDArray[np.float64]
Codes = NDArray[np.uint8]
Series = dict[datetime.date, float]
Row = dict[str, float]

YEARS = range(2012, 2018)
"""Years with rain of every day."""
SEEN = range(2012, 2016)
"""Years of these with observed discharge and sediment."""
SIDE = 30.0
"""Side of a pixel [m]."""
CLASSES = {
    4: "orchard",
    6: "mixed_forest",
    8: "unspecified_forest",
    18: "open_water",
    33: "paddy",
    104: "built_up",
    106: "industrial_land",
}
"""Ecosystem by the code of the land-use map; 8 is evergreen forest of unnamed leaves."""
ONE = datetime.timedelta(days=1)


class Place(NamedTuple):
    """The catchment on the grid of the elevation (rows, columns)."""

    inside: NDArray[np.bool_]
    land_use: Codes
    soil: Codes
    ecosystem: xarray.DataArray
    elevation: xarray.DataArray
    slope: xarray.DataArray
    transform: Any
    crs: Any

    @property
    def area(self) -> float:
        """Area of the catchment [m^2]."""
        return float(self.inside.sum()) * SIDE**2


def series(name: str, column: int) -> Series:
    """A number by day; dates are those on file, whatever the hour and the time zone beside them."""
    found: Series = {}
    for line in (DATA / name).read_text("utf8").splitlines():
        cells = line.split(",")
        stamp = cells[1] if len(cells) > 2 else cells[0]
        if stamp[:2] == "20":
            year, month, day = stamp.split()[0].split("-")
            found[datetime.date(int(year), int(month), int(day))] = float(cells[column])
    return found


def table(name: str) -> dict[int, dict[str, str]]:
    """Rows of a lookup table by their first column; lines of # are skipped."""
    lines = [line for line in (DATA / name).read_text("utf8").splitlines() if line[:1] != "#"]
    return {int(next(iter(row.values()))): row for row in csv.DictReader(lines)}


@cache
def place() -> Place:
    """The catchment: everything that drains through the pixel of the outlet, D8."""
    with rasterio.open(DATA / "ywzdem30m.tif") as file:
        height, transform, crs = file.read(1).astype(float), file.transform, file.crs
    land_use, soil = (
        on_grid(f"{name}.tif", height.shape, transform)
        for name in ("ywzlanduse30m_upd", "ywzsoil30m")
    )
    sides = np.full(height.shape[0], SIDE)
    receiver = flow(height, (sides, sides)).receiver
    x, y = struct.unpack("<dd", (DATA / "outlet_beijing1954.shp").read_bytes()[112:128])
    column, row = (int(number) for number in ~transform * (x, y))
    keys = np.vectorize(lambda code: CLASSES.get(int(code), ""), otypes=[object])(land_use)
    elevation = grid(height, "m")
    slope = gep.preparations["slope"](elevation=elevation, cell=SIDE)
    inside = above(receiver, row * height.shape[1] + column)
    ecosystem = xarray.DataArray(keys, dims=("y", "x"))
    return Place(inside, land_use, soil, ecosystem, elevation, slope, transform, crs)


def on_grid(name: str, shape: tuple[int, ...], transform: Any) -> Codes:
    """A class map laid on the grid of the elevation, whose lattice it shares; 255 outside."""
    with rasterio.open(DATA / name) as file:
        codes = file.read(1)
        column, row = (
            round(number) for number in ~transform * (file.transform.c, file.transform.f)
        )
    whole = np.full(shape, 255, np.uint8)
    whole[row : row + codes.shape[0], column : column + codes.shape[1]] = codes
    return whole


def above(receiver: NDArray[np.int64], outlet: int) -> NDArray[np.bool_]:
    """Pixels that drain through *outlet*, and itself."""
    into = np.where(
        receiver < 0, np.arange(receiver.size).reshape(receiver.shape), receiver
    ).ravel()
    drains = np.zeros(into.size, bool)
    drains[outlet] = True
    while True:
        more = drains | drains[into]
        if np.array_equal(more, drains):
            return drains.reshape(receiver.shape)
        drains = more


def grid(values: Array, unit: str) -> xarray.DataArray:
    """An array with its unit."""
    return xarray.DataArray(values, dims=("y", "x"), attrs={"units": unit})


def said(values: float | list[float], unit: str) -> xarray.DataArray:
    """A number, or one for every step of a year, with its unit."""
    dims = ("time",) if isinstance(values, list) else ()
    return xarray.DataArray(values, dims=dims, attrs={"units": unit})


def of_year(values: Series, year: int) -> list[float]:
    """Every day of a year in order; KeyError if one is missing."""
    start, end = datetime.date(year, 1, 1), datetime.date(year + 1, 1, 1)
    return [values[start + ONE * day] for day in range((end - start).days)]


def looked_up(numbers: dict[int, float], codes: Codes) -> Array:
    """A number at every pixel by its code, NaN where there is none."""
    by_code = np.full(256, np.nan)
    by_code[list(numbers)] = list(numbers.values())
    return by_code[codes]


def mean(values: xarray.DataArray) -> float:
    """Mean over the catchment; NaN if a pixel of it has none."""
    return math.fsum(values.values[place().inside].tolist()) / int(place().inside.sum())


@cache
def rain() -> Series:
    """Rain of every day at Hetian, beside the outlet [mm/day]."""
    return series("pcp_daily.csv", 1)
