"""Youwuzhen, 5.4 km² of red-soil hills with a gauge: factors, soil loss and water yield by year.

    python tests/real/youwuzhen.py [folder]

Reads ../shared/data/youwuzhen_seims, makes every factor by `gep.preparations` and writes
``<folder>/youwuzhen/years.csv`` and ``soil_loss.tif`` (default ``build/real``, outside version
control). docs/youwuzhen.md explains the numbers. Nothing is fitted to what was observed.
"""

from __future__ import annotations

import csv
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import xarray
from catchment import (
    CLASSES,
    ROOT,
    SEEN,
    SIDE,
    YEARS,
    Row,
    grid,
    looked_up,
    mean,
    of_year,
    place,
    rain,
    said,
    series,
    table,
)
from observed import seen

import gep
from gep import coefficients
from gep.preparation import preparations

BUILD = ROOT / "build" / "real"
LATITUDE, HEIGHT = 25.75, 265.0
"""Weather station Changting [degree, m]."""
CARBON = 1.724
"""Organic matter per organic carbon (van Bemmelen)."""
COVERS = (0.4, 0.6, 0.8)
"""Vegetation cover, which the data do not have: assumed, one number for every pixel [1]."""


def erosivity(year: int) -> Row:
    """R by every method the rain allows [MJ mm/(ha h year)]."""
    days = said(of_year(rain(), year), "mm/day")
    year_long = said(sum(of_year(rain(), year)), "mm/year")
    months = [
        sum(v for day, v in rain().items() if (day.year, day.month) == (year, m))
        for m in range(1, 13)
    ]
    erosive = [v for v in rain().values() if v >= 12.0]  # erosive_threshold of the set zhang
    long = {
        "mean_erosive_day_precipitation": said(sum(erosive) / len(erosive), "mm/day"),
        "mean_erosive_year_precipitation": said(sum(erosive) / len(YEARS), "mm/year"),
    }
    inputs: dict[str, dict[str, Any]] = {
        "season_daily": {"daily_precipitation": days},
        "half_month_daily": {"daily_precipitation": days},
        "half_month_daily_means": {"daily_precipitation": days} | long,
        "zhang_annual": {"precipitation": year_long},
        "renard_freimund": {"precipitation": year_long},
        "wischmeier_monthly": {"monthly_precipitation": said(months, "mm/month")},
        "fournier": {"monthly_precipitation": said(months, "mm/month")},
    }
    daily = {name for name, given in inputs.items() if "daily_precipitation" in given}
    return {
        name: gep.preparations["erosivity", name](
            **given, **({"year": year} if name in daily else {})
        )
        for name, given in inputs.items()
    }


def weather(year: int) -> Row:
    """Mean temperature [degC] and reference evapotranspiration by two methods [mm/year]."""
    names = ("mean", "maximum", "minimum", "humidity", "wind", "sun")
    days = {name: of_year(series("meteo_daily.csv", 2 + i), year) for i, name in enumerate(names)}
    heat = {
        "latitude": said(LATITUDE, "degree"),
        "daily_maximum_temperature": said(days["maximum"], "degC"),
        "daily_minimum_temperature": said(days["minimum"], "degC"),
        "year": year,
    }
    reference = {
        m: gep.preparations["reference_evapotranspiration", m]
        for m in ("penman_monteith_sunshine", "hargreaves")
    }
    penman = reference["penman_monteith_sunshine"](
        elevation=said(HEIGHT, "m"),
        daily_relative_humidity=said(days["humidity"], "percent"),
        daily_wind_speed=said(days["wind"], "m/s"),
        daily_sunshine=said(days["sun"], "h/day"),
        **heat,
    )
    return {
        "temperature": sum(days["mean"]) / len(days["mean"]),
        "penman_monteith": penman,
        "hargreaves": reference["hargreaves"](**heat),
    }


def texture(fine_earth: bool = True) -> dict[str, xarray.DataArray]:
    """Sand, silt, clay and organic carbon of the top layer [percent].

    The table's shares add up to 100 together with the stones; `fine_earth` leaves the stones out.
    """
    lookup = table("soil_properties_lookup.csv")
    here = place()
    top = {
        soil: {
            name: float(row[name].split("-")[0])
            for name in ("SOL_SAND", "SOL_SILT", "SOL_CLAY", "SOL_OM")
        }
        for soil, row in lookup.items()
    }
    found = {}
    for name in ("sand", "silt", "clay"):
        shares = {}
        for soil, row in top.items():
            earth = row["SOL_SAND"] + row["SOL_SILT"] + row["SOL_CLAY"] if fine_earth else 100.0
            shares[soil] = 100.0 * row[f"SOL_{name.upper()}"] / earth
        found[name] = grid(looked_up(shares, here.soil), "percent")
    carbon = {soil: row["SOL_OM"] / CARBON for soil, row in top.items()}
    return found | {"organic_carbon": grid(looked_up(carbon, here.soil), "percent")}


def erodibility(
    method: str = "epic_china", ecosystem: xarray.DataArray | None = None
) -> xarray.DataArray:
    """K [t ha h/(ha MJ mm)]."""
    kind = place().ecosystem if ecosystem is None else ecosystem
    given = texture()
    if method == "mean_diameter":
        given.pop("organic_carbon")
    made = gep.preparations["erodibility", method](ecosystem=kind, **given)
    return xarray.DataArray(made)


def stony_erodibility() -> xarray.DataArray:
    """K by `epic_china` of shares that leave the stones in [t ha h/(ha MJ mm)].

    By the kernel: `gep.preparations` refuses a texture that does not add up to 100 %.
    """
    one, (book, _) = preparations()["erodibility", "epic_china"], coefficients.load()
    numbers = []
    for name, unit in one.coefficients.items():
        found = book.coefficient("erodibility", name)
        assert found
        number = found.number(unit, ecosystem="mixed_forest")
        assert number
        numbers.append(float(number[0]))
    with np.errstate(invalid="ignore"):  # comparing NaN is no accident here
        made = np.vectorize(one.kernel, otypes=[float])(*texture(False).values(), *numbers)
    return grid(made, one.gives).where(erodibility() != 0, 0.0)  # no soil under water and houses


@cache
def slope_factor(method: str = "segmented") -> xarray.DataArray:
    """LS, routed over the whole elevation [1]."""
    here = place()
    prepared = gep.preparations["slope_factor", method]
    given = {"elevation": here.elevation, "slope": here.slope, "cell": SIDE}
    return xarray.DataArray(prepared(ecosystem=here.ecosystem, **given))


def cover_factor(
    cover: float | None, ecosystem: xarray.DataArray | None = None
) -> xarray.DataArray:
    """C by the table under an assumed cover, or that of the land-use lookup if None [1]."""
    here = place()
    if cover is None:
        lookup = {code: float(row["USLE_C"]) for code, row in lookups().items()}
        return grid(looked_up(lookup, here.land_use), "1")
    kind = here.ecosystem if ecosystem is None else ecosystem
    covered = grid(np.full(here.inside.shape, cover), "1")
    prepared = gep.preparations["cover_factor", "table"]
    return xarray.DataArray(prepared(ecosystem=kind, vegetation_cover=covered))


def support_factor(lookup: bool = False) -> xarray.DataArray:
    """P by land use and slope, or that of the land-cover table of the data [1]."""
    here = place()
    if lookup:
        rows = table("landcover_initial_parameters.csv")
        given = {code: float(row["USLE_P"]) for code, row in rows.items()}
        return grid(looked_up(given, here.land_use), "1")
    prepared = gep.preparations["support_factor", "table"]
    return xarray.DataArray(prepared(ecosystem=here.ecosystem, slope=here.slope))


def lookups() -> dict[int, dict[str, str]]:
    """Rows of the land-use lookup that occur on the map."""
    return {code: row for code, row in table("LanduseLookup_SEIMS.csv").items() if code in CLASSES}


def per_erosivity(
    k: xarray.DataArray, ls: xarray.DataArray, c: xarray.DataArray, p: xarray.DataArray
) -> float:
    """Mean of K LS C P over the catchment [t h/(MJ mm)]; times R it is soil loss [t/ha]."""
    return mean(k * ls * c * p)


def available_water() -> xarray.DataArray:
    """Water the soil holds for plants, summed over its layers [mm]."""
    held = {}
    for soil, row in table("soil_properties_lookup.csv").items():
        bottoms = [0.0, *map(float, row["SOL_Z"].split("-"))]
        shares = map(float, row["SOL_AWC"].split("-"))
        layers = (lower - upper for upper, lower in pairwise(bottoms))
        held[soil] = sum(layer * share for layer, share in zip(layers, shares, strict=True))
    return grid(looked_up(held, place().soil), "mm")


@cache
def seasonality() -> tuple[float, float]:
    """Z as a fifth of the rain events of a year: spells of days with rain, or such days [1/year].

    Means of YEARS. Nobody says which of the two an event is.
    """
    wet = [v > 0.0 for year in YEARS for v in of_year(rain(), year)]
    spells = sum(here and not before for before, here in pairwise([False, *wet]))
    return spells / 5 / len(YEARS), sum(wet) / 5 / len(YEARS)


def evapotranspiration(year: int) -> Row:
    """Actual evapotranspiration by every curve [mm/year], and the share that has a Zhang [1].

    Fu with Kc = 1, as the lookup has it for every land use of the map (PET_FR).
    """
    here, climate = place(), weather(year)
    fallen = grid(np.full(here.inside.shape, sum(of_year(rain(), year))), "mm/year")
    demand = {
        m: grid(np.full(here.inside.shape, climate[m]), "mm/year")
        for m in ("penman_monteith", "hargreaves")
    }
    prepared = {
        m: gep.preparations["evapotranspiration", m] for m in ("budyko_fu", "zhang", "turc")
    }
    kc = grid(looked_up({c: float(r["PET_FR"]) for c, r in lookups().items()}, here.land_use), "1")

    def fu(reference: str, z: float) -> float:
        return mean(
            prepared["budyko_fu"](
                ecosystem=here.ecosystem,
                precipitation=fallen,
                reference_evapotranspiration=demand[reference],
                available_water=available_water(),
                crop_coefficient=kc,
                seasonality=z,
            )
        )

    zhang = prepared["zhang"](
        ecosystem=here.ecosystem,
        precipitation=fallen,
        reference_evapotranspiration=demand["penman_monteith"],
    ).values[here.inside]
    spells, days = seasonality()
    turc = prepared["turc"](
        precipitation=said(sum(of_year(rain(), year)), "mm/year"),
        temperature=said(climate["temperature"], "degC"),
    )
    return {
        "turc": turc,
        "budyko_fu": fu("penman_monteith", spells),
        "budyko_fu_days": fu("penman_monteith", days),
        "budyko_fu_hargreaves": fu("hargreaves", spells),
        "zhang": float(np.nanmean(zhang)),
        "zhang_share": float(np.isfinite(zhang).mean()),
    }


def with_bare_land() -> float:
    """K LS C P at the middle cover, if the land coded industrial were bare [t h/(MJ mm)].

    What if, not a choice: the map has it on slopes as steep as the forest's.
    """
    here = place()
    kind = here.ecosystem.where(here.ecosystem != "industrial_land", "bare_land")
    k, c = erodibility(ecosystem=kind), cover_factor(COVERS[1], kind)
    return per_erosivity(k, slope_factor(), c, support_factor())


@cache
def largest(name: str) -> float:
    """K LS C P with the largest K and LS there are, C and P by `name` [t h/(MJ mm)]."""
    c = cover_factor(None if name == "lookup" else float(name.removeprefix("cover ")[:-1]) / 100)
    p = support_factor(lookup=name == "lookup")
    return per_erosivity(erodibility("epic"), slope_factor("desmet_govers"), c, p)


SOILS = ("epic_china", "epic", "mean_diameter")
SLOPES = ("segmented", "desmet_govers", "invest_sdr")


@cache
def factors() -> dict[str, Row]:
    """Means of the factors over the catchment, and of K LS C P, by choice.

    `loss` is per unit of R under each C and P, `kept` the share of R K LS that stays; `choices`
    is as the middle cover with one other choice.
    """
    k, ls, p = erodibility(), slope_factor(), support_factor()
    stones = stony_erodibility()
    covers = {f"cover {cover:.0%}": cover_factor(cover) for cover in COVERS}
    middle = covers[f"cover {COVERS[1]:.0%}"]
    table_c, table_p = cover_factor(None), support_factor(lookup=True)
    loss = {name: per_erosivity(k, ls, c, p) for name, c in covers.items()}
    loss["lookup"] = per_erosivity(k, ls, table_c, table_p)
    choices = {m: per_erosivity(erodibility(m), ls, middle, p) for m in SOILS}
    choices |= {m: per_erosivity(k, slope_factor(m), middle, p) for m in SLOPES}
    choices["stones"] = per_erosivity(stones, ls, middle, p)
    return {
        "K": {m: mean(erodibility(m)) for m in SOILS} | {"stones": mean(stones)},
        "LS": {m: mean(slope_factor(m)) for m in SLOPES},
        "C": {name: mean(c) for name, c in covers.items()} | {"lookup": mean(table_c)},
        "P": {"table": mean(p), "lookup": mean(table_p)},
        "loss": loss,
        "kept": {name: 1.0 - value / mean(k * ls) for name, value in loss.items()},
        "choices": choices | {"bare": with_bare_land()},
    }


@cache
def years() -> dict[int, Row]:
    """Everything by year."""
    found = {}
    for year in YEARS:
        fallen = sum(of_year(rain(), year))
        r = erosivity(year)
        row = {"precipitation": fallen} | weather(year)
        row |= {f"erosivity {name}": value for name, value in r.items()}
        evaporated = evapotranspiration(year)
        row |= {f"evapotranspiration {name}": value for name, value in evaporated.items()}
        for name, per in factors()["loss"].items():
            row[f"soil loss {name}"] = r["season_daily"] * per
        found[year] = row | (seen(year) if year in SEEN else {})
    return found


def main(folder: Path = BUILD) -> Path:
    """Write the years as a table and the mean soil loss as a map; return the folder."""
    target = folder / "youwuzhen"
    target.mkdir(parents=True, exist_ok=True)
    rows = years()
    columns = list(rows[SEEN[0]])
    with (target / "years.csv").open("w", newline="", encoding="utf8") as file:
        writer = csv.writer(file)
        writer.writerow(["year", *columns])
        for year, row in rows.items():
            writer.writerow([year, *(row.get(name, "") for name in columns)])
    r = sum(row["erosivity season_daily"] for row in rows.values()) / len(rows)
    factor = erodibility() * slope_factor() * cover_factor(COVERS[1]) * support_factor()
    loss = np.where(place().inside, r * factor.values, np.nan).astype(np.float32)
    profile = {"driver": "GTiff", "height": loss.shape[0], "width": loss.shape[1], "count": 1}
    profile |= {"dtype": "float32", "nodata": np.nan}
    profile |= {"crs": place().crs, "transform": place().transform}
    with rasterio.open(target / "soil_loss.tif", "w", **profile) as file:
        file.write(loss, 1)
    return target


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
