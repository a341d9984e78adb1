"""Totals of the sample county, worked out without the engine.

    python tests/independent/sample_totals.py

Reads the rasters, townships and tables of ``rasters/sample`` and the numbers of ``coefficients``,
and writes ``rasters/sample/expected.csv``. Nothing of gep is imported. Every formula is
written out again; pixels are placed with shapely, areas come from the closed formula of the
ellipsoid, sums are exact sums of doubles (``math.fsum``), nothing is rounded. The engine adds whole
quanta per pixel, so it may differ by half a quantum for each pixel in ``pixels``.

Columns: place (township code or ``unallocated``), service, indicator (for products the product),
quantity, unit, value_cny (money of the account year); coverage = valid / eligible area, pixels =
valid pixels, capacity = what the ecosystems could take up before the cap. Empty = missing.
What comes from the rows of a table has neither coverage nor pixels; a service that has nothing to
work on in a place (no swamp, no lake) has no row there.
"""

from __future__ import annotations

import csv
import itertools
import math
import sys
import tomllib
from pathlib import Path

import geopandas
import numpy as np
import pandas
import rasterio
import shapely

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "rasters" / "sample"
COEFFICIENTS = ROOT / "coefficients"
EXPECTED = Path(__file__).parents[2] / "rasters" / "sample" / "expected.csv"
YEAR = 2021
PROFILE = "jiangxi-2021"

COLUMNS = (
    "place",
    "service",
    "indicator",
    "quantity",
    "unit",
    "value_cny",
    "coverage",
    "pixels",
    "capacity",
)
LAND = ("forest", "shrubland", "grassland", "cropland")
NATURAL = ("forest", "shrubland", "grassland")
OPEN_WATER = ("lake", "river", "reservoir", "pond", "open_water")
WETLAND = (*OPEN_WATER, "swamp", "floodplain")
GROUPS = {
    "agricultural_products": "agriculture",
    "forestry_products": "forestry",
    "animal_husbandry_products": "animal_husbandry",
    "fishery_products": "fishery",
    "other_products": "other",
}
WOODS = (
    "evergreen_broadleaf_forest",
    "deciduous_broadleaf_forest",
    "evergreen_needleleaf_forest",
    "deciduous_needleleaf_forest",
    "mixed_forest",
    "bamboo_forest",
    "unspecified_forest",
    "broadleaf_shrubland",
    "needleleaf_shrubland",
)


# --- numbers on file ---------------------------------------------------------------------------


def toml(name):
    return tomllib.loads((COEFFICIENTS / name).read_text("utf-8"))


def plain(value):
    return value["value"] if isinstance(value, dict) else value


def entry(file, name, sets, unit):
    """The entry of a coefficient, its chosen set laid over it; the unit must be as expected."""
    found = toml(file)[name]
    if "sets" in found:
        found = {**found, **found["sets"][sets.get(name, found.get("default"))]}
    assert found["unit"] == unit, (name, found["unit"], unit)
    return found


def constant(file, name, sets, unit):
    return plain(entry(file, name, sets, unit)["value"])


def parameter(about, file, name, unit):
    """A constant as the profile has it: its own number before the coefficient's."""
    number = constant(file, name, about.get("sets", {}), unit)
    return about.get("parameters", {}).get(name, number)


def by_class(file, name, sets, unit, classes):
    """Class key -> number, a class before its group; NaN where nothing is known."""
    values = entry(file, name, sets, unit)["values"]
    return {
        key: plain(values.get(key, values.get(about["group"], math.nan)))
        for key, about in classes.items()
    }


def price(name, sets, per, file="prices.toml"):
    """CNY of the account year per ``per``; None where there is none."""
    found = toml(file)[name]
    if "sets" in found:
        found = {**found, **found["sets"][sets.get(name, found.get("default"))]}
    money, over = found["unit"].split("/")
    assert over == per, (name, found["unit"], per)
    if money == "CNY":  # money of the year itself
        values = {int(year): plain(value) for year, value in found["values"].items()}
        if found.get("holds"):
            years = [year for year in values if year <= YEAR]
            return values[max(years)] if years else None
        return values.get(YEAR)
    dated = int(money.removeprefix("CNY_"))
    chain = toml("price_index.toml")[found["index"]]
    assert chain["kind"] == "chain"
    moved = plain(found["value"])
    for year in range(dated + 1, YEAR + 1):
        if str(year) not in chain["values"]:
            return None
        moved *= plain(chain["values"][str(year)]) / 100
    return moved


# --- tables of the departments -------------------------------------------------------------------


def table(name):
    """Rows of a department table, everything as text."""
    return pandas.read_csv(
        SAMPLE / "statistics" / f"{name}.csv",
        dtype=str,
        encoding="utf-8-sig",
        keep_default_na=False,
    ).to_dict("records")


def by_place(name, amount):
    """Place -> exact sum of ``amount`` over the rows of a table, in the order of the places."""
    found = {}
    for row in table(name):
        found.setdefault(row["county_code"], []).append(amount(row))
    return {place: math.fsum(found[place]) for place in sorted(found)}


# --- the grid ----------------------------------------------------------------------------------


def layer(name):
    """Values of a raster in its unit, NaN where there is none."""
    with rasterio.open(SAMPLE / f"{name}.tif") as src:
        raw = src.read(1)
        values = raw.astype(float) * src.scales[0] + src.offsets[0]
        values[raw == src.nodata] = np.nan
        return values, src.transform


def pixel_areas(transform, rows):
    """Square metres of one pixel of every row, on the CGCS2000 ellipsoid.

    A = (b^2 / 2) dlon [F(north) - F(south)],
    F(lat) = sin lat / (1 - e^2 sin^2 lat) + (1 / 2e) ln((1 + e sin lat) / (1 - e sin lat))
    """
    a, flattening = 6378137.0, 1 / 298.257222101
    e2 = flattening * (2 - flattening)
    e, b2 = math.sqrt(e2), a * a * (1 - e2)

    def integral(latitude):
        s = math.sin(math.radians(latitude))
        return s / (1 - e2 * s * s) + math.log((1 + e * s) / (1 - e * s)) / (2 * e)

    width = math.radians(transform.a)
    edges = [transform.f + transform.e * row for row in range(rows + 1)]
    return np.array(
        [b2 / 2 * width * (integral(n) - integral(s)) for n, s in itertools.pairwise(edges)]
    )


def places(transform, shape):
    """Place -> mask of the pixels whose centre lies in it."""
    frame = geopandas.read_file(SAMPLE / "counties.gpkg", layer="counties")
    lon = transform.c + (np.arange(shape[1]) + 0.5) * transform.a
    lat = transform.f + (np.arange(shape[0]) + 0.5) * transform.e
    lon, lat = np.meshgrid(lon, lat)
    masks, times = {}, np.zeros(shape, int)
    for code, polygon in zip(frame["code"], frame.geometry, strict=True):
        shapely.prepare(polygon)
        masks[code] = shapely.contains_xy(polygon, lon, lat)
        assert (masks[code] == shapely.intersects_xy(polygon, lon, lat)).all()  # none on an edge
        times += masks[code]
    assert times.max() == 1
    union = shapely.union_all(frame.geometry.values)
    parts = [union] if union.geom_type == "Polygon" else list(union.geoms)
    outline = shapely.union_all([shapely.Polygon(part.exterior) for part in parts])
    shapely.prepare(outline)
    masks["unallocated"] = shapely.contains_xy(outline, lon, lat) & (times == 0)
    return masks


# --- the account -------------------------------------------------------------------------------


def main():
    classes = toml("ecosystems.toml")["classes"]
    legend = toml("legends/glc_fcs30.toml")
    profile = toml(f"profiles/{PROFILE}.toml")["services"]
    cover, transform = layer("ecosystem")
    cover[np.isin(cover, legend["nodata"])] = np.nan
    keys = np.full(cover.shape, "", dtype=object)
    for code in np.unique(cover[~np.isnan(cover)]):
        keys[cover == code] = legend["codes"][str(int(code))]
    groups = {key: about["group"] for key, about in classes.items()}

    def eligible(*words):
        chosen = [key for key in classes if key in words or groups[key] in words]
        return np.isin(keys, chosen)

    def spread(numbers):
        out = np.full(cover.shape, np.nan)
        for key, number in numbers.items():
            out[keys == key] = number
        return out

    names = (
        "precipitation",
        "evapotranspiration",
        "erosivity",
        "erodibility",
        "slope_factor",
        "cover_factor",
        "support_factor",
        "net_ecosystem_production",
        "storm_precipitation",
        "storm_runoff",
        "hot_days",
        "water_evaporation",
    )
    raster = {name: layer(name)[0] for name in names}
    area = np.repeat(pixel_areas(transform, cover.shape[0])[:, None], cover.shape[1], axis=1)
    masks = places(transform, cover.shape)
    rows = []

    def add(place, service, indicator, quantity, unit, cost, coverage="", pixels="", capacity=""):
        value = None if quantity is None or cost is None else quantity * cost
        rows.append((place, service, indicator, quantity, unit, value, coverage, pixels, capacity))

    def sums(density, where):
        """Place -> (sum of density x area, coverage, valid pixels, eligible km2)."""
        out = {}
        for place, mask in masks.items():
            inside = mask & where
            valid = inside & ~np.isnan(density)
            total = math.fsum((density[valid] * area[valid]).tolist())
            whole = math.fsum(area[inside].tolist())
            share = math.fsum(area[valid].tolist()) / whole if whole else math.nan
            out[place] = (total, share, int(valid.sum()), whole / 1e6)
        return out

    # water: P - P alpha - ET, mm -> m3
    about = profile["water_retention"]
    alpha = spread(
        by_class("water_retention.toml", "runoff_coefficient", about["sets"], "1", classes)
    )
    rain = raster["precipitation"]
    depth = rain - rain * alpha - raster["evapotranspiration"]
    if about["parameters"]["clamp"]:
        depth = np.maximum(depth, 0)
    cost = price(about["prices"]["water_retention"], about["sets"], "m^3")
    water = sums(depth * 1e-3, eligible(*LAND))
    for place, (quantity, share, pixels, _) in water.items():
        add(place, "water_retention", "water_retention", quantity, "m^3/year", cost, share, pixels)

    # soil: R K LS (1 - C P), t/ha -> t, and what it would have brought into the water
    about = profile["soil_retention"]
    sets, costs = about["sets"], about["prices"]
    loss = raster["erosivity"] * raster["erodibility"] * raster["slope_factor"]
    kept = loss * (1 - raster["cover_factor"] * raster["support_factor"])
    file = "soil_retention.toml"
    settling = constant(file, "deposition_share", sets, "1")
    density = constant(file, "bulk_density", sets, "t/m^3")
    nitrogen = constant(file, "nitrogen_content", sets, "g/kg") / 1000
    phosphorus = constant(file, "phosphorus_content", sets, "g/kg") / 1000
    soil = sums(kept / 1e4, eligible(*LAND, "swamp", "urban_green"))
    for place, (tonnes, share, pixels, _) in soil.items():
        for indicator, quantity, unit, cost in (
            ("soil_retention", tonnes, "t/year", None),
            ("sediment", tonnes * settling / density, "m^3/year",
             price(costs["sediment"], sets, "m^3")),
            ("nitrogen", tonnes * nitrogen, "t/year", price(costs["nitrogen"], sets, "t")),
            ("phosphorus", tonnes * phosphorus, "t/year", price(costs["phosphorus"], sets, "t")),
        ):  # fmt: skip
            add(place, "soil_retention", indicator, quantity, unit, cost, share, pixels)

    # carbon: NEP 44/12, gC/m2 -> t CO2; oxygen per carbon dioxide
    about = profile["carbon_sequestration"]
    nep = raster["net_ecosystem_production"]
    if about["parameters"]["clamp"]:
        nep = np.maximum(nep, 0)
    cost = price(about["prices"]["carbon_dioxide"], about.get("sets", {}), "tCO2")
    oxygen = profile["oxygen_release"]
    ratio = constant(
        "oxygen_release.toml", "oxygen_per_carbon_dioxide", oxygen.get("sets", {}), "tO2/tCO2"
    )
    oxygen_cost = price(oxygen["prices"]["oxygen"], oxygen.get("sets", {}), "tO2")
    carbon = sums(nep * 44 / 12 * 1e-6, eligible("forest", "shrubland", "grassland", "swamp"))
    for place, (quantity, share, pixels, _) in carbon.items():
        add(place, "carbon_sequestration", "carbon_dioxide", quantity, "tCO2/year", cost, share,
            pixels)  # fmt: skip
        add(place, "oxygen_release", "oxygen", quantity * ratio, "tO2/year", oxygen_cost, share,
            pixels)  # fmt: skip

    # air: the smaller of emission and capacity; no emission known, no quantity
    about = profile["air_purification"]
    emissions = pandas.DataFrame(table("emissions")).set_index("county_code")
    air = {}
    for indicator, column in (("sulfur_dioxide", "so2(t)"), ("nitrogen_oxides", "nox(t)")):
        each = by_class(
            "air_purification.toml", f"{indicator}_capacity", about["sets"], "kg/(ha*year)", classes
        )
        cost = price(about["prices"][indicator], about["sets"], "t")
        air[indicator] = sums(spread(each) / 1e7, eligible(*WOODS))
        for place, (capacity, share, pixels, _) in air[indicator].items():
            load = emissions[column].get(place, "")
            quantity = min(float(load), capacity) if load else None
            add(place, "air_purification", indicator, quantity, "t/year", cost, share, pixels,
                capacity)  # fmt: skip

    # products: quantity x price, or the value alone; a product has the unit of its first row
    products = table("products")
    assert {line["group"] for line in products} == set(GROUPS.values())
    for service, group in GROUPS.items():
        lines = [line for line in products if line["group"] == group]
        units = {}
        for line in lines:
            units[line["product"]] = units.get(line["product"]) or line["unit"]
        for line in lines:
            unit, quantity = units[line["product"]], None
            if line["quantity"]:
                quantity = float(line["quantity"])
                assert line["unit"] == unit
            if line["value(元)"]:
                worth = float(line["value(元)"])
                assert not line["price(元/t)"]
            else:
                worth = quantity / {"t": 1, "kg": 1000}[unit] * float(line["price(元/t)"])
            rows.append(
                (line["county_code"], service, line["product"], quantity,
                 f"{unit}/year" if unit else "", worth, "", "", "")
            )  # fmt: skip

    # flood: storm rain that does not run off, swamps of a class depth, lakes, reservoirs
    about = profile["flood_mitigation"]
    sets, costs, file = about.get("sets", {}), about.get("prices", {}), "flood_mitigation.toml"

    def flood_cost(indicator):
        return price(costs.get(indicator, "reservoir_cost"), sets, "m^3")

    held = raster["storm_precipitation"] - raster["storm_runoff"]
    assert not (held < 0).any()
    rise = by_class(file, "water_level_difference", sets, "m/year", classes)
    flood = {}
    for indicator, depth, words in (
        ("vegetation", held, NATURAL),
        ("swamps", spread(rise) * 1e3, ("swamp",)),
    ):
        flood[indicator] = sums(depth * 1e-3, eligible(*words))
        for place, (quantity, share, pixels, _) in flood[indicator].items():
            if pixels:
                add(place, "flood_mitigation", indicator, quantity, "m^3/year",
                    flood_cost(indicator), share, pixels)  # fmt: skip
    intercept = parameter(about, file, "lake_intercept", "1")
    exponent = parameter(about, file, "lake_exponent", "1")
    exchange = parameter(about, file, "lake_exchange", "1/year")
    part = parameter(about, file, "flood_share", "1")

    def lake(row):
        if row["storage(m3)"]:
            return float(row["storage(m3)"])
        return math.exp(intercept) * float(row["area(km2)"]) ** exponent * exchange * 1e4

    def reservoir(row):
        if row["flood_storage(m3)"]:
            return float(row["flood_storage(m3)"])
        return float(row["total_storage(m3)"]) * part

    for name, amount in (("lakes", lake), ("reservoirs", reservoir)):
        for place, quantity in by_place(name, amount).items():
            add(place, "flood_mitigation", name, quantity, "m^3/year", flood_cost(name))

    # water quality: the smaller of load and capacity, t
    about = profile["water_purification"]
    sets, costs = about.get("sets", {}), about.get("prices", {})
    loads = pandas.DataFrame(table("loads")).set_index("county_code")
    purified = {}
    for indicator, column, priced in (
        ("chemical_oxygen_demand", "cod(t)", "chemical_oxygen_demand_price"),
        ("ammonia_nitrogen", "ammonia_nitrogen(t)", "ammonia_nitrogen_price"),
        ("total_phosphorus", "total_phosphorus(t)", "phosphorus_price"),
    ):
        each = by_class(
            "water_purification.toml", f"{indicator}_capacity", sets, "t/(km^2*year)", classes
        )
        cost = price(costs.get(indicator, priced), sets, "t")
        purified[indicator] = sums(spread(each) / 1e6, eligible(*WETLAND))
        for place, (capacity, share, pixels, _) in purified[indicator].items():
            if pixels:
                quantity = min(float(loads[column][place]), capacity)
                add(place, "water_purification", indicator, quantity, "t/year", cost, share,
                    pixels, capacity)  # fmt: skip

    # climate: heat taken up on the hot days / what an air conditioner moves per electricity
    about = profile["climate_regulation"]
    sets, costs, file = about.get("sets", {}), about.get("prices", {}), "climate_regulation.toml"
    heat = spread(by_class(file, "heat_absorbed", sets, "kJ/(m^2*day)", classes))
    cooling = parameter(about, file, "cooling_efficiency", "1")
    wet_cooling = parameter(about, file, "water_cooling_efficiency", "1")
    latent = parameter(about, file, "latent_heat", "kJ/kg")
    weight = parameter(about, file, "water_density", "kg/m^3")  # of a millimetre: g/m2
    by_plants = raster["hot_days"] * heat / cooling / 3600
    by_water = raster["water_evaporation"] * weight / 1000 * latent / wet_cooling / 3600
    climate = {}
    for indicator, density, words in (
        ("vegetation", by_plants, NATURAL),
        ("water", by_water, OPEN_WATER),
    ):
        cost = price(costs.get(indicator, "electricity_price"), sets, "kWh")
        climate[indicator] = sums(density, eligible(*words))
        for place, (quantity, share, pixels, _) in climate[indicator].items():
            if pixels:
                add(place, "climate_regulation", indicator, quantity, "kWh/year", cost, share,
                    pixels)  # fmt: skip

    # hydropower, kWh
    about = profile["ecological_energy"]
    key = about.get("prices", {}).get("hydropower", "hydropower_price")
    cost = price(key, about.get("sets", {}), "kWh", "ecological_energy.toml")
    for place, quantity in by_place("energy", lambda row: float(row["generation(kWh)"])).items():
        add(place, "ecological_energy", "hydropower", quantity, "kWh/year", cost)

    # travel cost: what visitors spend, and their time at the wage of their place
    about = profile["tourism"]
    share = parameter(about, "tourism.toml", "time_value_share", "1")
    visits = by_place("tourism", lambda row: float(row["visitors(人次)"]))

    def travel(row):
        day = float(row["days(day/人次)"]) * float(row["wage(元/day)"]) * share
        return float(row["visitors(人次)"]) * (float(row["cost(元/人次)"]) + day)

    for place, worth in by_place("tourism", travel).items():
        rows.append((place, "tourism", "visits", visits[place], "visit/year", worth, "", "", ""))

    with EXPECTED.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(
                "" if cell is None else repr(cell) if isinstance(cell, float) else cell
                for cell in row
            )
    eligible_sums = {"water": water, "soil": soil, "carbon": carbon, **air}
    eligible_sums |= {f"flood by {name}": found for name, found in flood.items()}
    eligible_sums |= {f"cooling by {name}": found for name, found in climate.items()}
    report(rows, masks, area, eligible_sums | purified)


def report(rows, masks, area, eligible):
    frame = pandas.DataFrame(rows, columns=COLUMNS)
    frame[["quantity", "value_cny"]] = frame[["quantity", "value_cny"]].astype(float)
    frame["value"] = frame["value_cny"] / 1e4
    pandas.set_option("display.width", 200, "display.max_rows", None)
    for what, column in (("quantity", "quantity"), ("value, 10^4 CNY", "value")):
        table = frame.pivot_table(
            index=["service", "indicator"], columns="place", values=column, sort=False
        )
        table["total"] = table.sum(axis=1)
        sys.stdout.write(f"\n{what}\n{table.round(3).to_string()}\n")
    whole = frame["value"].sum()
    shares = 100 * frame.groupby("service", sort=False)["value"].sum() / whole
    density = 1e6 * whole / sum(float(area[mask].sum()) for mask in masks.values())
    sys.stdout.write(f"\nshare of every service, %\n{shares.round(2).to_string()}\n")
    sys.stdout.write(f"\n{whole:.1f} 10^4 CNY, {density:.0f} 10^4 CNY/km2\n")
    sys.stdout.write("\nkm2 of every place, and per km2 of eligible land\n")
    for place, mask in masks.items():
        parts = [f"{place}  {area[mask].sum() / 1e6:.3f} km2"]
        for name, found in eligible.items():
            total, share, _, land = found[place]
            if land:
                parts.append(f"{name} {total / land:.5g} (coverage {share:.5f})")
        sys.stdout.write("  ".join(parts) + "\n")


if __name__ == "__main__":
    main()
