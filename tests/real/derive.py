"""The factors of Jiangxi and Xingguo in plain numpy, each formula written out once more.

The accounts beside this file have gep prepare them; nothing of gep is imported here, so that
test_real.py can hold what it prepares, cell by cell, against another way to the same number. Each
formula is a function of its own with its source and limits; docs/methods.md#factors collects them,
#provenance there says what seen, recalled and design mean. The 1 km grid is a grid, not the
information content: climate was had at 10 km, soil at 25 km, NDVI at 11 km, land cover at 5.5 km.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyproj
import rasterio
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
BUILD = ROOT / "build" / "real"
INPUTS = {"jiangxi": SHARED / "jiangxi" / "grid_1km", "xingguo": SHARED / "xingguo"}

WATER = (0, 17)
FOREST = (1, 2, 3, 4, 5, 8)
SHRUBLAND = (6, 7)
GRASSLAND = (9, 10)
WETLAND = (11,)
CROPLAND = (12, 14)
URBAN = (13,)
BARE = (15, 16)
"""IGBP codes by the group of the legend "igbp"; MODIS savanna (9) is sparse grassland there."""

SLOPE_LENGTH = 122.0
"""Slope length [m]. At 1 km every cell is longer than any slope, so the upper limit of InVEST SDR
(its guide, seen; 100 to 122 m are in use) stands for all of them."""
STEEPEST = 30.0
"""Slopes are cut here [degree]: the steepness formula covers 9 to 55 % (design)."""

Array = NDArray[np.float64]
Codes = NDArray[np.uint8]


def evapotranspiration(precipitation: Array, temperature: Array) -> Array:
    """Actual evapotranspiration by Turc (1954) [mm/year].

    ET = P / sqrt(0.9 + (P/L)^2), L = 300 + 25 T + 0.05 T^3; P mm/year, T mean of the year in degC.
    The formula gives more than P where P/L < sqrt(0.1) = 0.316; there ET = P. That never happens
    in Jiangxi (P/L is 1.2 to 2.3).

    Source: Turc 1954 (recalled, the paper was not read). Limits: made for the water
    balance of whole basins over many years; knows neither soil nor vegetation nor season. Here
    some 930 mm, where precipitation minus runoff of the water bulletin leaves 712 mm: the water
    retained comes out too low by that much.
    """
    capacity = 300 + 25 * temperature + 0.05 * temperature**3
    return np.minimum(precipitation / np.sqrt(0.9 + (precipitation / capacity) ** 2), precipitation)


def erosivity(precipitation: Array) -> Array:
    """Rainfall erosivity R from annual rain [MJ mm/(ha h year)].

    R = 0.0534 P^1.6548, P mm/year.

    Source: Zhang Wenbo and Fu Jinsheng, annual model (章文波、付金生; recalled,
    high). Limits: annual rain is the poorest of the documented predictors; on the same rain other
    documented regressions give down to half of it (11324, 9814, 5614).
    """
    return 0.0534 * precipitation**1.6548


def erodibility(sand: Array, silt: Array, clay: Array, codes: Codes) -> Array:
    """Soil erodibility K from texture alone [t ha h/(ha MJ mm)]; 0 on water and built-up land.

    K = 0.0034 + 0.0405 exp(-0.5 ((log10(Dg) + 1.659) / 0.7101)^2), Dg = exp(sum f_i ln m_i) mm,
    m = 0.001 (clay), 0.026 (silt), 1.025 (sand); the fractions are first scaled to add up to 1
    (they add up to 1.00 to 1.01).

    Source: Renard et al. 1997, Agriculture Handbook 703, geometric mean particle diameter.
    Confirmed in public code only (some of which takes the natural logarithm and 7.594 x for US
    units); the handbook itself was not read. 0 on water and built-up: design.
    Limits: there is no soil carbon, so EPIC, the usual method, cannot be used. This K is
    2.3 to 3.9 times the EPIC K corrected for China of the same textures with 0.5 to 3 % organic
    carbon, and it hardly varies (0.033 to 0.044): texture alone puts these soils at its peak.
    Retention is linear in K and too high by as much.
    """
    whole = sand + silt + clay
    logs = (clay * math.log(0.001) + silt * math.log(0.026) + sand * math.log(1.025)) / whole
    bell = np.exp(-0.5 * ((logs / math.log(10) + 1.659) / 0.7101) ** 2)
    return np.where(np.isin(codes, WATER + URBAN), 0.0, 0.0034 + 0.0405 * bell)


def slope(elevation: Array, heights: Array, widths: Array) -> Array:
    """Slope by Horn (1981) on the 3 x 3 cells around each [degree]; sides of every cell [m].

    Where a neighbour is missing (the edge of the province or of the grid) the plane is continued
    from the opposite side, 2 z - z_opposite; where that is missing too, a corner is continued from
    its two sides and a side has the cell's own height (design; exact on a plane).

    Source: Horn 1981, as in GDAL (recalled, high). Limits: differences over 2 km. Hills and gullies
    of 100 m are flat to it: 1 km relief is far too gentle for USLE.
    """
    around = np.pad(elevation, 1, constant_values=np.nan)
    height, width = elevation.shape

    def shifted(y: int, x: int) -> Array:
        return around[1 + y : 1 + y + height, 1 + x : 1 + x + width]

    def neighbour(y: int, x: int, otherwise: Array) -> Array:
        near, opposite = shifted(y, x), shifted(-y, -x)
        continued = np.where(np.isnan(opposite), otherwise, 2 * elevation - opposite)
        return np.where(np.isnan(near), continued, near)

    sides = ((0, 1), (0, -1), (1, 0), (-1, 0))
    ring = {(y, x): neighbour(y, x, elevation) for y, x in sides}
    for y, x in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        ring[y, x] = neighbour(y, x, ring[y, 0] + ring[0, x] - elevation)
    east = ring[-1, 1] + 2 * ring[0, 1] + ring[1, 1] - ring[-1, -1] - 2 * ring[0, -1] - ring[1, -1]
    south = ring[1, -1] + 2 * ring[1, 0] + ring[1, 1] - ring[-1, -1] - 2 * ring[-1, 0] - ring[-1, 1]
    rise = np.hypot(east / (8 * widths), south / (8 * heights))
    degrees = np.degrees(np.arctan(rise))
    return np.where(np.isnan(elevation), np.nan, degrees)


def slope_factor(degrees: Array, codes: Codes) -> Array:
    """Slope length and steepness factor LS [1]; 0 on water.

    S = 10.8 sin t + 0.03 below 5 degrees, 16.8 sin t - 0.50 from 5, 21.91 sin t - 0.96 from 10;
    t cut at 30 degrees. L = (122 / 22.13)^m, m = 0.2 up to 1 degree, 0.3 up to 3, 0.4 up to 5,
    else 0.5.

    Source: McCool and Liu Baoyuan (seen in public code; m recalled, high). Limits: no flow routing
    is possible at 1 km, so every slope is as long as SLOPE_LENGTH; with 100 m LS is 4 to 10 %
    lower. LS has a median of 0.50 and a mean of 1.0 here (slope 1.4 and 2.2 degrees); a 30 m DEM
    gives 1 to 8 in these hills (recalled, low).
    """
    sine = np.sin(np.radians(np.minimum(degrees, STEEPEST)))
    gentle, middle = 10.8 * sine + 0.03, 16.8 * sine - 0.50
    steep = 21.91 * sine - 0.96
    steepness = np.where(degrees < 5, gentle, np.where(degrees < 10, middle, steep))
    exponent = np.select([degrees <= 1, degrees <= 3, degrees <= 5], [0.2, 0.3, 0.4], 0.5)
    factor = steepness * (SLOPE_LENGTH / 22.13) ** exponent
    return np.where(np.isin(codes, WATER), 0.0, factor)


def vegetation_limits(ndvi: Array, codes: Codes) -> tuple[float, float]:
    """NDVI of bare soil and of full cover: 5 % and 95 % percentiles of the land cells [1].

    Source: as quoted from GB/T 38582 (seen). They are taken once over the land of the province,
    also for Xingguo, so that a county has one cover whichever account it is in; by land-cover group
    would be better, for which 5.5 km land cover on 11 km NDVI is too coarse.
    """
    land = ndvi[~np.isin(codes, WATER) & ~np.isnan(ndvi)]
    low, high = np.percentile(land, [5, 95])
    return float(low), float(high)


def vegetation_cover(ndvi: Array, limits: tuple[float, float]) -> Array:
    """Fractional vegetation cover (NDVI - soil) / (vegetation - soil), clipped to 0..1 [1].

    Source: dimidiate pixel model, as quoted from GB/T 38582 (seen). Limits: the only NDVI there is
    is of one winter month (January 2018). Winter understates the cover of crops, grass and
    deciduous trees, so C comes out too high and retention too low; that the limits are of the same
    month undoes part of it.
    """
    low, high = limits
    return np.clip((ndvi - low) / (high - low), 0.0, 1.0)


def cover_factor(cover: Array, codes: Codes) -> Array:
    """Cover and management factor C from vegetation cover and class [1].

    Forest, shrubland, grassland: a table by cover below 10, 30, 50, 70, 90 % and above, a boundary
    belonging to the upper class (design). Cropland of unknown kind: the upland formula 0.221 -
    0.595 log10(f), f at least 0.05 (design; C is 0.995 there). Wetland 0, built-up 0.01, bare 0.7.
    Open water 0. Numbers and formula seen in public code.
    """
    table = {
        FOREST: (0.10, 0.08, 0.06, 0.02, 0.004, 0.001),
        SHRUBLAND: (0.40, 0.22, 0.14, 0.085, 0.040, 0.011),
        GRASSLAND: (0.45, 0.24, 0.15, 0.09, 0.043, 0.011),
        WETLAND + WATER: (0.0,) * 6,
        URBAN: (0.01,) * 6,
        BARE: (0.7,) * 6,
    }
    level = np.digitize(cover, [0.1, 0.3, 0.5, 0.7, 0.9])
    factor = np.clip(0.221 - 0.595 * np.log10(np.maximum(cover, 0.05)), 0.0, 1.0)
    for kinds, values in table.items():
        factor = np.where(np.isin(codes, kinds), np.array(values)[level], factor)
    return np.where(np.isnan(cover), np.nan, factor)


def support_factor(degrees: Array, codes: Codes) -> Array:
    """Support practice factor P [1]: 1, and by slope on cropland.

    Cropland below 5, 10, 15, 20, 25 degrees and above: 0.100, 0.221, 0.305, 0.575, 0.705, 0.800.

    Source: Chinese applications of RUSLE (recalled, medium). Limits: 1 km slopes put nearly all
    cropland (99.8 %) into the first class.
    """
    by_slope = np.array([0.100, 0.221, 0.305, 0.575, 0.705, 0.800])
    level = np.digitize(degrees, [5, 10, 15, 20, 25])
    return np.where(np.isin(codes, CROPLAND), by_slope[level], 1.0)


def read(path: Path, band: int = 1) -> Array:
    """One band as float64, NaN where there is no data."""
    with rasterio.open(path) as file:
        values = file.read(band).astype(np.float64)
        if file.nodata is not None:
            values[values == file.nodata] = np.nan
    return values


def read_codes(path: Path) -> Codes:
    """Land cover codes, 255 where there is no data."""
    with rasterio.open(path) as file:
        codes: Codes = file.read(1)
    return codes


def stored(values: Array) -> Array:
    """Values in single precision, as a raster keeps them, also one that others are made of."""
    return values.astype(np.float32).astype(np.float64)


def sides(folder: Path) -> tuple[Array, Array]:
    """Heights and widths of every cell on the ellipsoid [m].

    Geodesics between the middles of opposite sides. The projection keeps areas, not shapes.
    """
    with rasterio.open(folder / "dem_m.tif") as file:
        t, shape, crs = file.transform, file.shape, pyproj.CRS(file.crs.to_wkt())
    ellipsoid = crs.get_geod()
    assert ellipsoid
    degrees = pyproj.Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True)
    east = t.c + t.a * (np.arange(shape[1]) + 0.5)
    north = t.f + t.e * (np.arange(shape[0]) + 0.5)
    east, north = np.meshgrid(east, north)

    def apart(x: float, y: float) -> Array:
        start = degrees.transform(east - x / 2, north - y / 2)
        end = degrees.transform(east + x / 2, north + y / 2)
        return np.asarray(ellipsoid.inv(*start, *end)[2])

    return apart(0.0, t.e), apart(t.a, 0.0)


def derive(
    folder: Path, limits: tuple[float, float], cell: tuple[Array, Array]
) -> dict[str, Array]:
    """Every factor of the grid whose inputs are in *folder*, and what factors are made of.

    *cell* is the heights and the widths of the cells [m].
    """
    rain, temperature = read(folder / "precip_mm_yr.tif"), read(folder / "temp_c.tif")
    codes = read_codes(folder / "lulc_igbp.tif")
    sand, silt, clay = (read(folder / "soil_sand_silt_clay.tif", band) for band in (1, 2, 3))
    degrees = stored(slope(read(folder / "dem_m.tif"), *cell))
    cover = stored(vegetation_cover(read(folder / "ndvi_201801.tif"), limits))
    made = {
        "evapotranspiration": evapotranspiration(rain, temperature),
        "erosivity": erosivity(rain),
        "erodibility": erodibility(sand, silt, clay, codes),
        "slope": degrees,
        "slope_factor": slope_factor(degrees, codes),
        "vegetation_cover": cover,
        "cover_factor": cover_factor(cover, codes),
        "support_factor": support_factor(degrees, codes),
    }
    known = ~np.isnan(rain) & (codes != 255) & ~np.isnan(degrees)
    return {name: stored(np.where(known, values, np.nan)) for name, values in made.items()}


def provincial_limits() -> tuple[float, float]:
    """NDVI of bare soil and of full cover, over the land of the province."""
    folder = INPUTS["jiangxi"]
    return vegetation_limits(read(folder / "ndvi_201801.tif"), read_codes(folder / "lulc_igbp.tif"))
