"""Two landscapes for the comparison with InVEST: what there is of them, and what is made up.

The data lie in ../shared/data beside the project and are not shipped with it. What they lack is
made by a rule (`made` of each) that is the same for both sides and describes no place: planes from
edge to edge, so that the formulas meet many combinations. The results compare two programs; nothing
in them is a result about Gura or Willamette.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from rasterio.warp import Resampling, reproject

DATA = Path(__file__).parents[3] / "shared" / "data"
NODATA = -9999.0

Array = NDArray[np.float64]

SEASONALITY = 20.0
"""Z [1/year]: made up; so high that w reaches its limit of 5 on the one landscape."""
STREAMS, LONGEST, CONNECTED, MIDDLE, DELIVERED = 1000, 122.0, 2.0, 0.5, 0.8
"""InVEST's own suggestions for SDR: pixels above a stream, limit of L, k, IC0, largest SDR."""


@dataclass(frozen=True)
class Plane:
    """A made-up raster: from `first` at the western (or northern) edge to `last` at the other."""

    first: float
    last: float
    along: str

    def over(self, shape: tuple[int, int]) -> Array:
        """Values at the pixel centres."""
        rows, columns = shape
        count = columns if self.along == "west to east" else rows
        line = self.first + (self.last - self.first) * (np.arange(count) + 0.5) / count
        across = line[None, :] if self.along == "west to east" else line[:, None]
        return np.broadcast_to(across, shape)


@dataclass(frozen=True)
class Landscape:
    """One landscape: its files below DATA, its tables, and the planes for what it lacks."""

    name: str
    place: str
    elevation: str
    landuse: str
    rain: str
    watersheds: str
    table: Callable[[], pd.DataFrame]
    given: dict[str, str]
    made: dict[str, Plane]
    said: tuple[str, ...] = ()
    pools: str = ""
    change: dict[int, int] | None = None
    """Land use of the invented second map of carbon, by that of the first."""


def gura_table() -> pd.DataFrame:
    """Coefficients by land use, as they come with the sample data."""
    table = pd.read_csv(DATA / "gura_invest" / "biophysical_table_gura_AWY_NDR.csv")
    table.columns = table.columns.str.lower()
    return table[["lucode", "kc", "root_depth", "lulc_veg", "usle_c", "usle_p"]]


def willamette_table() -> pd.DataFrame:
    """The same of InVEST 2: Kc, C and P stand times 1000 there, and vegetation is not marked."""
    old = pd.read_csv(DATA / "willamette_invest" / "Biophysical_Models.csv")
    vegetated = old["lucode"].between(49, 101).astype(int)
    factors = {name: old[name] / 1000 for name in ("usle_c", "usle_p")}
    new = {"kc": old["etk"] / 1000, "root_depth": old["root_depth"], "lulc_veg": vegetated}
    return pd.DataFrame({"lucode": old["lucode"], **new, **factors})


PLANES = {
    "available_water_share": Plane(0.05, 0.30, "west to east"),
    "erosivity": Plane(1000.0, 9000.0, "north to south"),
    "erodibility": Plane(0.005, 0.060, "west to east"),
}
LANDSCAPES = (
    Landscape(
        name="gura",
        place="Gura, Kenya (InVEST freshwater sample), 15 m",
        elevation="gura_invest/DEM_gura.tif",
        landuse="gura_invest/land_use_gura.tif",
        rain="gura_invest/derived/precip_annual_gura.tif",
        watersheds="gura_invest/watershed_gura.shp",
        table=gura_table,
        given={
            "reference_evapotranspiration": "gura_invest/derived/ET0_annual_gura.tif",
            "soil_depth": "gura_invest/depth_to_root_restricting_layer_gura.tif",
        },
        made=PLANES,
        said=("rain and ET0 are sums of the monthly maps, 1 km, by the nearest cell",),
    ),
    Landscape(
        name="willamette",
        place="Willamette, Oregon (InVEST 2 sample), 30 m",
        elevation="willamette_invest/dem_30m.tif",
        landuse="willamette_invest/landuse_90_30m.tif",
        rain="willamette_invest/precip_mm_60m.tif",
        watersheds="willamette_invest/watersheds.shp",
        table=willamette_table,
        given={},
        made=PLANES
        | {
            "reference_evapotranspiration": Plane(1400.0, 600.0, "north to south"),
            "soil_depth": Plane(300.0, 2000.0, "north to south"),
        },
        said=(
            "rain by the nearest cell",
            "land use 49 to 101 counts as vegetated",
            "Kc, C and P are the printed numbers over 1000",
            "second map of carbon: pasture (85) becomes forest (54), conifers (59) grass seed (67)",
        ),
        pools="willamette_invest/carbon_pools_willamette.csv",
        change={85: 54, 59: 67},
    ),
)


@dataclass(frozen=True)
class Grid:
    """A raster and where it lies."""

    pixels: Array
    transform: Affine
    crs: rasterio.crs.CRS


def read(path: Path) -> Grid:
    """First band as float64, NaN where there is nothing."""
    with rasterio.open(path) as file:
        stored = file.read(1)
        values = stored.astype(np.float64)
        if file.nodata is not None:
            values[stored == stored.dtype.type(file.nodata)] = np.nan
        return Grid(values, file.transform, file.crs)


def laid(raster: Grid, on: Grid) -> Array:
    """Values of the nearest cell at the pixels of another grid."""
    out = np.full(on.pixels.shape, np.nan)
    reproject(
        raster.pixels,
        out,
        src_transform=raster.transform,
        src_crs=raster.crs,
        dst_transform=on.transform,
        dst_crs=on.crs,
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=Resampling.nearest,
    )
    return out


def write(path: Path, values: Array, on: Grid, dtype: str = "float32") -> None:
    """One raster on that grid; what is not a number becomes the file's nodata."""
    nodata = 255 if dtype == "uint8" else NODATA
    stored = np.where(np.isnan(values), nodata, values).astype(dtype)
    profile = {"driver": "GTiff", "count": 1, "dtype": dtype, "nodata": nodata, "tiled": True}
    profile |= {"height": stored.shape[0], "width": stored.shape[1], "compress": "deflate"}
    with rasterio.open(path, "w", transform=on.transform, crs=on.crs, **profile) as file:
        file.write(stored, 1)


def prepare(landscape: Landscape, folder: Path) -> None:
    """Write every input of one landscape, all on the grid of its elevation, and its tables."""
    folder.mkdir(parents=True, exist_ok=True)
    elevation = read(DATA / landscape.elevation)
    landuse = laid(read(DATA / landscape.landuse), elevation)
    write(folder / "elevation.tif", elevation.pixels, elevation)
    write(folder / "landuse.tif", landuse, elevation, "uint8")
    for name, path in {"precipitation": landscape.rain, **landscape.given}.items():
        write(folder / f"{name}.tif", laid(read(DATA / path), elevation), elevation)
    for name, plane in landscape.made.items():
        write(folder / f"{name}.tif", plane.over(elevation.pixels.shape), elevation)
    landscape.table().to_csv(folder / "biophysical.csv", index=False)
    watersheds = gpd.read_file(DATA / landscape.watersheds)
    watersheds[["ws_id", "geometry"]].to_file(folder / "watersheds.shp")
    if landscape.change:
        changed = landuse.copy()
        for before, after in landscape.change.items():
            changed[landuse == before] = after
        write(folder / "landuse_changed.tif", changed, elevation, "uint8")
        pools = pd.read_csv(DATA / landscape.pools)
        pools.columns = pools.columns.str.lower()
        kept = ["lucode", "c_above", "c_below", "c_soil", "c_dead"]
        pools[kept].to_csv(folder / "carbon_pools.csv", index=False)
