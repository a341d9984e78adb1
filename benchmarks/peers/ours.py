"""Our side of the comparison with InVEST: the same quantities by the engine's own kernels."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray
from apart import Apart, Array, apart
from landscapes import SEASONALITY, Grid, Landscape, read

import gep
from gep import coefficients, units
from gep.preparation import preparations
from gep.preparations.slope_factor import sdr_factor

SQUARE_METRES_PER_HECTARE = 1e4
SINGLE = "single precision in InVEST"
DOUBLE = "order of operations on doubles"
SERVICES = {"water_retention": "balance", "soil_retention": "rusle", "carbon_sequestration": "nep"}
BOOK, _ = coefficients.load()


@dataclass(frozen=True)
class Row:
    """One comparison. `kind`: same, double, own or other (formula); see docs/invest.md."""

    landscape: str
    kind: str
    model: str
    what: str
    unit: str
    why: str
    apart: Apart
    total_unit: str


@dataclass(frozen=True)
class Side:
    """One landscape, the folder of its inputs and of InVEST's results, and its coefficients."""

    landscape: Landscape
    folder: Path
    table: pd.DataFrame

    def input(self, name: str, like: Grid) -> Array:
        """An input on the pixels of one of InVEST's results, which lie on the same grid."""
        whole = read(self.folder / f"{name}.tif")
        down = (like.transform.f - whole.transform.f) / whole.transform.e
        right = (like.transform.c - whole.transform.c) / whole.transform.a
        row, column = round(down), round(right)
        if max(abs(down - row), abs(right - column)) > 1e-6:
            raise ValueError(f"{name}: InVEST moved the grid")
        rows, columns = like.pixels.shape
        return whole.pixels[row : row + rows, column : column + columns]

    def by_class(self, column: str, landuse: Array) -> Array:
        """A coefficient of the table at every pixel."""
        table = np.full(256, np.nan)
        table[self.table["lucode"]] = self.table[column]
        return table[np.where(np.isnan(landuse), 255, landuse).astype(np.int64)]

    def row(
        self, kind: str, model: str, what: str, unit: str, why: str, sides: tuple[Array, Array]
    ) -> Row:
        """A comparison of quantities whose sum means nothing; ours first."""
        return Row(self.landscape.name, kind, model, what, unit, why, apart(*sides), "")


def each(kernel: Callable[..., Any], *arguments: Array | float) -> Array:
    """A kernel of floats at every pixel where there is everything."""
    spread = np.broadcast_arrays(*(np.asarray(argument, np.float64) for argument in arguments))
    there = np.isfinite(np.stack(spread)).all(axis=0)
    found = np.full(there.shape, np.nan)
    found[there] = np.vectorize(kernel, otypes=[float])(*(array[there] for array in spread))
    return found


def service(name: str, indicator: str, numbers: dict[str, float], **rasters: Array) -> Array:
    """A service through the public interface, its rasters in its own units."""
    call = gep.services[name, SERVICES[name]]
    known = call.service.rasters()
    arrays = {
        n: xarray.DataArray(a, dims=("y", "x"), attrs={"units": known[n]})
        for n, a in rasters.items()
    }
    found: Array = call(**arrays, **numbers)[indicator].to_numpy()
    return found


def on_file(raster: str, names: dict[str, str], **given: float) -> dict[str, float]:
    """Coefficients of a preparation as shipped, in their order, but for those *given*."""
    found = {}
    for name, unit in names.items():
        coefficient = BOOK.coefficient(raster, name)
        number = coefficient.number(unit) if coefficient and name not in given else None
        found[name] = float(number[0]) if number else given[name]
    return found


def evapotranspiration(side: Side, like: Grid, crop: Array) -> Array:
    """Available water, then the curve of Fu [mm/year]."""
    landuse = side.input("landuse", like)
    soil, held = (side.input(n, like) for n in ("soil_depth", "available_water_share"))
    roots = preparations()["available_water", "root_zone"].kernel
    fu = preparations()["evapotranspiration", "budyko_fu"]
    constants = {n: unit for n, unit in fu.coefficients.items() if n != "vegetated"}
    return each(
        fu.kernel,
        side.input("precipitation", like),
        side.input("reference_evapotranspiration", like),
        each(roots, side.by_class("root_depth", landuse), soil, held),
        crop,
        side.by_class("lulc_veg", landuse),
        *on_file(fu.name, constants, seasonality=SEASONALITY).values(),
    )


def water(side: Side) -> Iterator[Row]:
    """Annual water yield."""
    place = side.folder / "water" / "output" / "per_pixel"
    theirs = read(place / "aet.tif")
    rain = side.input("precipitation", theirs)
    crop = side.by_class("kc", side.input("landuse", theirs))
    loss = evapotranspiration(side, theirs, crop)
    left = service(
        "water_retention",
        "water_retention",
        {"runoff_coefficient": 0.0, "clamp": 0.0},
        precipitation=rain,
        evapotranspiration=loss,
    )
    model, area = "annual water yield", theirs.transform.a**2
    volume, unit = area * units.factor("mm*m^2", "m^3", "depth on a pixel"), "m³/year"
    why = SINGLE
    name = side.landscape.name
    pair = apart(loss, theirs.pixels, volume)
    yield Row(name, "same", model, "actual evapotranspiration", "mm/year", why, pair, unit)
    pair = apart(left, read(place / "wyield.tif").pixels, volume)
    why = f"{SINGLE}; where little is left, a small difference of two large numbers"
    yield Row(name, "same", model, "water yield", "mm/year", why, pair, unit)
    double = read(side.folder / "water" / "share_double.tif").pixels
    single = read(side.folder / "water" / "intermediate" / "kc_raster.tif").pixels
    loss = evapotranspiration(side, theirs, single)
    what, why = "evapotranspiration per rain, on its Kc", DOUBLE
    yield side.row("double", model, what, "1", why, (loss / rain, double))


def sediment(side: Side, routing: str) -> Iterator[Row]:
    """LS, USLE and avoided erosion of SDR on InVEST's own slope, routing and streams."""
    place = side.folder / f"sediment_{routing.lower()}"
    inner = place / "intermediate_outputs"
    theirs = read(inner / "ls.tif")
    grade = read(inner / "slope.tif").pixels / 100
    area = theirs.transform.a**2
    above = (read(inner / "flow_accumulation.tif").pixels - 1) * area
    factor = slope_factor(np.degrees(np.arctan(grade)), above, area)
    model = f"SDR, {routing}"
    why = f"{SINGLE}, of the exponent above all"
    yield side.row("same", model, "LS", "1", why, (factor, theirs.pixels))
    double = read(place / "ls_double.tif").pixels
    yield side.row("double", model, "LS", "1", DOUBLE, (factor, double))
    bare, covered = erosion(side, theirs, theirs.pixels)
    hectares = area / SQUARE_METRES_PER_HECTARE
    name, unit = side.landscape.name, "t/(ha·year)"
    said = read(place / "usle.tif").pixels
    why = f"{SINGLE}; nothing on its streams"
    pair = apart(covered, said, hectares)
    yield Row(name, "same", model, "USLE, on its LS", unit, why, pair, "t/year")
    said = read(place / "avoided_erosion.tif").pixels
    why += "; where C·P is near 1 a small difference of two large numbers"
    pair = apart(bare - covered, said, hectares)
    yield Row(name, "same", model, "avoided erosion, on its LS", unit, why, pair, "t/year")


def erosion(side: Side, like: Grid, factor: Array) -> tuple[Array, Array]:
    """Erosion of the bare field and as it is, both from our soil retention [t/(ha year)]."""
    landuse = side.input("landuse", like)
    rasters = {n: side.input(n, like) for n in ("erosivity", "erodibility")}
    rasters["slope_factor"] = factor
    cover = side.by_class("usle_c", landuse)
    support = side.by_class("usle_p", landuse)

    def kept(cover: Array, support: Array) -> Array:
        both = {"cover_factor": cover, "support_factor": support}
        return service("soil_retention", "soil_retention", {}, **rasters, **both)

    bare = kept(cover * 0.0, support)
    return bare, bare - kept(cover, support)


def slope_factor(slope: Array, above: Array, area: float, **given: float) -> Array:
    """LS of InVEST's formula where *above* [m^2] drains into a pixel, by our function."""
    names = preparations()["slope_factor", "invest_sdr"].coefficients
    n = on_file("slope_factor", names, land=1.0, **given)
    order = ("first", "second", "third", "fourth")
    return sdr_factor(
        slope,
        above,
        np.full((slope.shape[0], 1), area),
        n["plot_length"],
        n["largest_length_factor"],
        (
            (n["gentle_factor"], n["gentle_constant"]),
            (n["middle_factor"], n["middle_constant"]),
        ),
        n["middle_grade"],
        tuple(n[f"{which}_grade"] for which in order),
        tuple(n[f"{which}_exponent"] for which in order),
        (n["rill_sine"], n["rill_factor"], n["rill_power"], n["rill_constant"]),
    )


def carbon(side: Side) -> Iterator[Row]:
    """Change of all carbon pools between two maps, as growth in one year."""
    place = side.folder / "carbon"
    theirs = read(place / "c_change_bas_alt.tif")
    pools = pd.read_csv(side.folder / "carbon_pools.csv")
    table = np.full(256, np.nan)
    table[pools["lucode"]] = pools[["c_above", "c_below", "c_soil", "c_dead"]].sum(axis=1)
    grams = units.factor("t/ha", "g/m^2", "carbon pools")
    former, later = (
        table[np.nan_to_num(side.input(n, theirs), nan=255).astype(np.int64)] * grams
        for n in ("landuse", "landuse_changed")
    )
    growth = preparations()["net_ecosystem_production", "biomass_difference"]
    made = each(growth.kernel, later, former, 1.0, 1.0)
    kept = service(
        "carbon_sequestration", "carbon_dioxide", {"clamp": 0.0}, net_ecosystem_production=made
    )
    hectares = theirs.transform.a**2 / SQUARE_METRES_PER_HECTARE
    pair = apart(kept / grams, theirs.pixels, hectares)
    what = "change of stock, as growth of one year"
    name, why = side.landscape.name, "nothing remains: the pools are whole numbers"
    yield Row(name, "same", "carbon", what, "t/ha", why, pair, "t")
