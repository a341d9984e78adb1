"""The land of the standard province, made up: fields that look like fields, window by window.

A texture of at most 4096 pixels a side is made once by spectral synthesis; a larger province is
laid with its eight reflections, and varied by fields of 1 km and 250 m over the whole province and
by noise of every tile. So any window costs the same, and nothing grows with the province but
fields of a kilometre. What is made follows from the seed and the size alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import Affine, from_origin

SEED = 20211231
PIXEL, WEST, NORTH, CRS = 30.0, 500_000.0, 3_100_000.0, "EPSG:4548"
TEXTURE = 4096
TILE = 512
VALID = 0.75
"""Share of the pixels that lie in the province."""
STEEP = 0.18
"""Mean fall of the relief from pixel to pixel, over its length."""
KILOMETRE, HALF, QUARTER = 1000.0, 500.0, 250.0

Array = NDArray[np.float32]
Window = tuple[int, int, int, int]
"""First row, first column, rows, columns."""


@dataclass(frozen=True)
class Kind:
    """How a layer is stored: value = stored × scale; and how coarse its source is."""

    unit: str
    dtype: str
    scale: float
    nodata: float
    own_pixel: float = PIXEL


REAL, WHOLE = ("float32", 1.0, -9999.0), ("uint16", 0.1, 65535.0)
LAYERS = {
    "ecosystem": Kind("", "uint8", 1.0, 0.0),
    "precipitation": Kind("mm/year", *REAL, KILOMETRE),
    "evapotranspiration": Kind("mm/year", *WHOLE, HALF),
    "erosivity": Kind("MJ*mm/(ha*h*year)", *REAL, KILOMETRE),
    "erodibility": Kind("t*ha*h/(ha*MJ*mm)", *REAL, QUARTER),
    "slope_factor": Kind("1", *REAL),
    "cover_factor": Kind("1", "uint16", 0.0001, 65535.0),
    "support_factor": Kind("1", "uint8", 0.01, 255.0),
    "net_ecosystem_production": Kind("gC/(m^2*year)", "int16", 0.1, -32768.0, HALF),
    "net_primary_production": Kind("gC/(m^2*year)", *WHOLE, HALF),
    "storm_precipitation": Kind("mm/year", *WHOLE, KILOMETRE),
    "storm_runoff": Kind("mm/year", *WHOLE, KILOMETRE),
    "hot_days": Kind("day/year", "uint16", 1.0, 65535.0, KILOMETRE),
    "air_conditioning_days": Kind("day/year", "uint16", 1.0, 65535.0, KILOMETRE),
    "water_evaporation": Kind("mm/year", *WHOLE, KILOMETRE),
}
"""The fifteen layers of the account: 36 bytes per pixel."""
EXTRA = {
    "reference_evapotranspiration": Kind("mm/year", *REAL, KILOMETRE),
    "available_water_share": Kind("1", *REAL, QUARTER),
    "soil_depth": Kind("mm", *REAL, QUARTER),
}
"""What InVEST's annual water yield takes beside; no service of the account reads them."""

CLASSES = {
    1: "paddy",
    2: "evergreen_broadleaf_forest",
    3: "broadleaf_shrubland",
    4: "tussock",
    5: "open_water",
    6: "swamp",
    7: "bare_land",
    8: "built_up",
    9: "upland",
    10: "orchard",
    11: "evergreen_needleleaf_forest",
    12: "mixed_forest",
}
GREEN = (0.0, 0.45, 0.85, 0.7, 0.5, 0.05, 0.4, 0.1, 0.15, 0.4, 0.6, 0.75, 0.8)
"""Share of a pixel that plants cover, by code."""
COVER = (0.0, 0.18, 0.004, 0.03, 0.05, 0.0, 0.0, 0.8, 0.0, 0.31, 0.12, 0.006, 0.005)
"""Factor of cover, by code."""
FIELD = (1, 9, 10)


def spectral(generator: np.random.Generator, side: int, fall: float, longest: float) -> Array:
    """A periodic surface, (side, side): mean 0, deviation 1, power falling with wave number.

    *longest* is the wave [pixel] above which it does not grow.
    """
    east = np.fft.rfftfreq(side).astype(np.float32)
    north = np.fft.fftfreq(side).astype(np.float32)
    number = np.maximum(east[None, :] ** 2 + north[:, None] ** 2, np.float32(longest**-2.0))
    wave = np.fft.rfft2(generator.standard_normal((side, side), dtype=np.float32))
    wave *= number ** np.float32(-fall / 4)
    wave[0, 0] = 0.0
    surface = np.fft.irfft2(wave, s=(side, side)).astype(np.float32)
    return surface / surface.std()


def slope_factor(degrees: Array) -> Array:
    """LS of a slope as long as a pixel (McCool, Liu): the usual formula, without any flow."""
    sine = np.sin(np.deg2rad(degrees))
    steep = np.where(degrees < 10, 16.8 * sine - 0.5, 21.91 * sine - 0.96)
    by_steepness = np.where(degrees < 5, 10.8 * sine + 0.03, steep)
    bend = np.select([degrees < 1, degrees < 3, degrees < 5], [0.2, 0.3, 0.4], 0.5)
    return (by_steepness * (PIXEL / 22.13) ** bend).astype(np.float32)


class Landscape:
    """The province of *side* × *side* pixels."""

    def __init__(self, side: int, seed: int = SEED) -> None:
        self.side, self.seed = side, seed
        self.transform: Affine = from_origin(WEST, NORTH, PIXEL, PIXEL)

    def _generator(self, *words: str | int) -> np.random.Generator:
        numbers = [w if isinstance(w, int) else int.from_bytes(w.encode(), "big") for w in words]
        return np.random.Generator(np.random.SFC64([self.seed, *numbers]))

    @cached_property
    def outline(self) -> shapely.Polygon:
        """Where the province lies, in the coordinates of the map."""
        turn = np.linspace(0.0, 2 * np.pi, 720, endpoint=False)
        wave = self._generator("outline").uniform(0, 2 * np.pi, 5)
        ripple = sum(np.cos((n + 3) * turn + wave[n]) for n in range(5))
        radius = 1 + 0.004 * np.asarray(ripple)
        radius *= np.sqrt(VALID / np.pi) / np.sqrt(np.mean(radius**2))
        x = WEST + self.side * PIXEL * (0.5 + radius * np.cos(turn))
        y = NORTH - self.side * PIXEL * (0.5 + radius * np.sin(turn))
        return shapely.Polygon(np.round(np.column_stack([x, y]), 3))

    @cached_property
    def _data(self) -> shapely.Polygon:
        """Where the layers have data: two pixels beyond the province."""
        return self.outline.buffer(2 * PIXEL)

    @cached_property
    def _textures(self) -> dict[str, Array]:
        side = min(TEXTURE, self.side)
        relief = spectral(self._generator("relief"), side, 3.9, 800)
        relief += 0.01 * spectral(self._generator("rough"), side, 1.0, 8)
        down, across = np.roll(relief, -1, 0) - relief, np.roll(relief, -1, 1) - relief
        degrees = np.rad2deg(np.arctan(STEEP * np.hypot(down, across) / np.abs(across).mean()))
        return {
            "slope": degrees,
            "slope_factor": slope_factor(degrees),
            "patches": spectral(self._generator("patches"), side, 2.6, side),
            "plants": spectral(self._generator("plants"), side, 1.6, side),
        }

    def texture(self, name: str, window: Window) -> Array:
        """Part of a texture; every repetition lies otherwise."""
        top, left, rows, columns = window
        texture = self._textures[name]
        side = len(texture)
        block = top // side, left // side
        way = int(self._generator("way", *block).integers(8)) if self.side > side else 0
        laid = np.rot90(texture, way % 4)
        laid = laid.T if way >= 4 else laid
        row, column = top - block[0] * side, left - block[1] * side
        part: Array = laid[row : row + rows, column : column + columns]
        if part.shape != (rows, columns):
            raise ValueError("a window lies in one texture")
        return part

    def cells(self, pixel: float) -> int:
        """Cells to a side of a field of that pixel: it covers the province and four more."""
        return int(np.ceil(self.side * PIXEL / pixel)) + 4

    @cached_property
    def _fields(self) -> dict[tuple[str, float], Array]:
        return {}

    def field(self, name: str, pixel: float) -> Array:
        """A smooth field on a grid of its own, (cells, cells); it begins two cells outside."""
        key = name, pixel
        if key not in self._fields:
            count = self.cells(pixel)
            side = 1 << int(np.ceil(np.log2(count)))
            fall = 3.5 if pixel >= KILOMETRE else 2.8
            surface = spectral(self._generator(name), side, fall, side)[:count, :count]
            self._fields[key] = np.clip(surface, -3.0, 3.0)
        return self._fields[key]

    def field_transform(self, pixel: float) -> Affine:
        """Where the cells of such a field lie."""
        return from_origin(WEST - 2 * pixel, NORTH + 2 * pixel, pixel, pixel)

    def interpolated(self, field: Array, pixel: float, window: Window) -> Array:
        """A field in the middle of the pixels of a window, bilinear."""
        (top, left, rows, columns), ratio = window, PIXEL / pixel

        def place(first: int, count: int) -> tuple[NDArray[np.int64], Array]:
            at = (np.arange(first, first + count) + 0.5) * ratio + 1.5
            low = at.astype(np.int64)
            return low, (at - low).astype(np.float32)

        (i, down), (j, across) = place(top, rows), place(left, columns)
        part = field[i[0] : i[-1] + 2, j[0] : j[-1] + 2]
        wide = part[:, j - j[0]] * (1 - across) + part[:, j - j[0] + 1] * across
        low = i - i[0]
        found: Array = wide[low] * (1 - down[:, None]) + wide[low + 1] * down[:, None]
        return found

    def outside(self, window: Window) -> NDArray[np.bool_]:
        """True where the window has no data."""
        top, left, rows, columns = window
        moved = self.transform * Affine.translation(left, top)
        return geometry_mask([self._data], (rows, columns), moved)

    def window(self, window: Window, names: Iterable[str] = LAYERS) -> dict[str, Array]:
        """Values of layers at 30 m, in their units."""
        made = _Values(self, window)
        return {name: getattr(made, name) for name in names}

    def coarse(self, name: str) -> Array:
        """Values of a layer on its own, coarse grid."""
        return _formula(name, lambda field: self.field(field, (LAYERS | EXTRA)[name].own_pixel))


def _formula(name: str, field: Callable[[str], Array]) -> Array:
    """Values of a layer that follow from smooth fields alone."""
    rain = 1650 + 180 * field("rain")
    if name == "precipitation":
        return rain
    if name == "erosivity":
        return np.maximum(rain * 5.1 + 500 * field("erosivity"), 1500)
    if name == "erodibility":
        return np.clip(0.013 + 0.002 * field("erodibility"), 0.004, 0.02)
    if name == "storm_precipitation":
        return rain * (0.25 + 0.02 * field("storms"))
    if name == "storm_runoff":
        return rain * (0.25 + 0.02 * field("storms")) * (0.2 + 0.03 * field("runoff"))
    if name == "hot_days":
        return np.clip(140 + 10 * field("heat"), 0, 200)
    if name == "air_conditioning_days":
        return np.clip(60 + 10 * field("heat"), 0, 200)
    if name == "water_evaporation":
        return 580 + 20 * field("evaporation")
    if name == "reference_evapotranspiration":
        return 1050 + 60 * field("evaporation")
    if name == "available_water_share":
        return np.clip(0.14 + 0.02 * field("texture"), 0.05, 0.3)
    if name == "soil_depth":
        return np.clip(900 + 200 * field("depth"), 150, 2500)
    plants = 0.62 + 0.08 * field("plants")
    if name == "evapotranspiration":
        return 500 + 350 * plants + 0.05 * (rain - 1650)
    if name == "net_primary_production":
        return 900 * plants
    if name == "net_ecosystem_production":
        return 320 * plants - 40
    raise KeyError(name)


class _Values:
    """Values of the layers in one window."""

    def __init__(self, land: Landscape, window: Window) -> None:
        self._land, self._window = land, window
        self._noise = land._generator("noise", *window[:2])
        self._known: dict[str, Array] = {}

    def _field(self, name: str, pixel: float) -> Array:
        key = f"{name} {pixel}"
        if key not in self._known:
            field = self._land.field(name, pixel)
            self._known[key] = self._land.interpolated(field, pixel, self._window)
        return self._known[key]

    def __getattr__(self, name: str) -> Array:
        kind = (LAYERS | EXTRA)[name]
        return _formula(name, lambda field: self._field(field, kind.own_pixel))

    def _texture(self, name: str) -> Array:
        return self._land.texture(name, self._window)

    @cached_property
    def _speckle(self) -> Array:
        """Noise of single pixels within -1 and 1."""
        numbers = self._noise.integers(-128, 128, self._window[2:], np.int8)
        return numbers.astype(np.float32) / np.float32(128)

    @cached_property
    def ecosystem(self) -> Array:
        slope, patches = self._texture("slope"), self._texture("patches")
        patches = patches + 0.2 * self._field("patches", KILOMETRE)
        plants = self._texture("plants")
        code = np.full(slope.shape, 2, np.uint8)
        code[plants > 0.5] = 11
        code[plants > 1.2] = 12
        code[(slope < 6) & (patches > -0.3)] = 1
        code[(slope < 9) & (slope >= 5) & (patches > 0.3)] = 9
        code[(slope < 12) & (slope >= 8) & (patches > 0.8)] = 10
        code[(slope >= 6) & (patches > 1.5)] = 4
        code[(slope >= 6) & (patches < -1.4)] = 3
        code[(slope < 3) & (patches < -1.1)] = 5
        code[(slope < 8) & (patches > 1.9)] = 8
        code[(slope < 2) & (patches < -0.6) & (patches >= -1.1)] = 6
        code[slope > 35] = 7
        return code  # type: ignore[return-value]

    def _by_class(self, table: tuple[float, ...]) -> Array:
        return np.array(table, np.float32)[self.ecosystem]

    @cached_property
    def _green(self) -> Array:
        """Share that plants cover."""
        varied = 0.08 * self._texture("plants") + 0.02 * self._speckle
        return np.clip(self._by_class(GREEN) + varied, 0.0, 1.0)

    @property
    def evapotranspiration(self) -> Array:
        rain = self._field("rain", KILOMETRE)
        return 500 + 350 * self._green + 9 * rain + 10 * self._speckle

    @property
    def slope_factor(self) -> Array:
        return self._texture("slope_factor") * (1 + 0.03 * self._field("relief", QUARTER))

    @property
    def cover_factor(self) -> Array:
        return np.minimum(self._by_class(COVER) * (1.4 - 0.8 * self._green), 1.0)

    @property
    def support_factor(self) -> Array:
        field = np.clip(np.round(0.2 + 0.03 * self._texture("slope"), 1), 0.2, 1.0)
        tilled = np.isin(self.ecosystem, FIELD[1:])
        return np.where(self.ecosystem == FIELD[0], 0.1, np.where(tilled, field, 1.0))

    @property
    def net_primary_production(self) -> Array:
        return 900 * self._green + 30 * np.abs(self._speckle)

    @property
    def net_ecosystem_production(self) -> Array:
        return 320 * self._green - 40 + 10 * self._speckle
