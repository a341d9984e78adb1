"""Published tables of quantities and money from elsewhere: sums, shares, quantity times price."""

import io
import json
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

import gep
from gep.units import factor
from published.case import Said
from published.maps import Patch, run

MONEY = "亿元"


def headlines(said: Said) -> dict[str, float]:
    """Published totals and their parts: 宁海 2018, 内蒙古 2019, 密云 2020, 桐庐 2021, 江西 2019 …

    A part that is not printed is what the printed total leaves. What is only a difference or a
    quotient of two printed numbers is left out: the engine would have no part in it.
    """
    inputs = said["inputs"]
    ninghai = inputs["ninghai_1e8"]
    rest = ninghai["GEP"] - ninghai["regulating"]
    parts, total = _groups(provisioning=rest, regulating=ninghai["regulating"])
    found = {"ninghai.share_reg": parts["regulating"] / total * 100}
    three = dict(zip(GROUPS, inputs["inner_mongolia_1e8"], strict=True))
    parts, total = _groups(**three)
    found["inner_mongolia.total_1e12"] = total / 1e4
    found |= {
        f"inner_mongolia.share.{n}": parts[group] / total * 100 for n, group in enumerate(three)
    }
    for name, key in (("miyun_pct", "miyun_bn"), ("tonglu_pct", "tonglu_bn")):
        whole, part = inputs[key]
        parts, total = _groups(provisioning=whole - part, regulating=part)
        found[name] = parts["regulating"] / total * 100
    found["jiangxi_sum"] = _groups(**dict(zip(GROUPS, inputs["jiangxi_share"], strict=True)))[1]
    return found


GROUPS = {
    "provisioning": ("other_products", "all"),
    "regulating": ("species_conservation", "all"),
    "cultural": ("tourism", "all"),
}


def _groups(**values: float) -> tuple[dict[str, float], float]:
    """Groups and total of an account of money by group."""
    names = ("service", "indicator", "value", "value_unit")
    rows = [(*GROUPS[group], value, MONEY) for group, value in values.items()]
    result = gep.from_quantities(pd.DataFrame(rows, columns=list(names)), price_year=2020)
    county = result.counties.iloc[-1]
    return {group: county[group] / 1e8 for group in values}, float(county["gep"]) / 1e8


def water_quality_of_countries(said: Said) -> dict[str, float]:
    """NatCap TEEMs: nitrogen and phosphorus kept back in 14 countries, times a price.

    The dollars of 2019 stand as money of 2019. What is kept below zero (nitrogen of KWT) is
    refused as a quantity (E019) and left out here; it is never clipped.
    """
    rows = []
    for country in said["inputs"]["rows"]:
        for sign, name in (("n", "nitrogen"), ("p", "phosphorus")):
            quantity = country[f"{sign}_total_kg"] * country["fraction"]
            if quantity < 0:
                continue
            rows.append(
                {
                    "county_code": country["iso3"],
                    "service": "water_purification",
                    "indicator": name,
                    "quantity": quantity,
                    "quantity_unit": "kg",
                    "price": country[f"{sign}_price"],
                    "price_unit": "CNY_2019/kg",
                }
            )
    result = gep.from_quantities(pd.DataFrame(rows), price_year=2019)
    value = result.rows.set_index(["county_code", "indicator"])["value"].astype(float)
    found = {}
    for number, country in enumerate(said["inputs"]["rows"]):
        for sign, name in (("n", "nitrogen"), ("p", "phosphorus")):
            if (country["iso3"], name) in value.index:
                found[f"{sign}_value_usd.{number}"] = value[country["iso3"], name]
    return found


ESV = {"water_supply": ("water_retention", "water_retention")}
"""The supply of water is below zero: it enters as the balance of water at a price of 1."""
ECOSYSTEMS = {
    "farmland": "cropland",
    "forest": "forest",
    "grass": "grassland",
    "water": "open_water",
    "wetland": "swamp",
    "bare": "bare_land",
}


def values_over_time(said: Said) -> dict[str, float]:
    """淮河上游 1990-2013: 11 services, one of them below zero, and 6 classes, in 6 years."""
    inputs = said["inputs"]
    found: dict[str, float] = {}
    for number, year in enumerate(inputs["years"]):
        by_service = [
            _esv(name, values[number]) for name, values in inputs["by_service_1e8"].items()
        ]
        by_class = [
            {"service": "species_conservation", "indicator": "esv", "ecosystem": ECOSYSTEMS[name]}
            | {"value": values[number], "value_unit": MONEY}
            for name, values in inputs["by_ecosystem_1e8"].items()
        ]
        for kind, rows in (("service", by_service), ("ecosystem", by_class)):
            found[f"total_by_{kind}.{number}"] = _total(json.dumps(rows), int(year))
    ends = [found[f"total_by_ecosystem.{n}"] for n in (0, len(inputs["years"]) - 1)]
    found |= {"esv_change": ends[1] - ends[0]}
    return found | _margins(inputs) | _areas(json.dumps(inputs[TRANSFER]))


GAIN = "gain_loss_1e8(columns farmland,forest,grass,water,built)"
TRANSFER = "transfer_km2(columns farmland,forest,grass,water,built,unused)"


def _margins(inputs: Any) -> dict[str, float]:
    """Gains and losses of value by change of class: both margins of the matrix, and its total.

    The class of one year is a county, that of the other an ecosystem; what is below zero enters
    as the balance of water at a price of 1, as above.
    """
    matrix = np.array(list(inputs[GAIN].values()))
    rows, total = _by_county(matrix)
    columns, _ = _by_county(matrix.T)
    found = {f"gain_loss_row.{n}": value for n, value in enumerate(rows)}
    found |= {f"gain_loss_col.{n}": value for n, value in enumerate(columns)}
    return found | {"gain_loss_total": total}


def _by_county(matrix: np.ndarray) -> tuple[list[float], float]:
    kinds = ["cropland", "forest", "grassland", "open_water", "built_up"]
    rows = [
        _esv("water_supply", value) | {"county_code": f"41010{row}", "ecosystem": kinds[column]}
        for (row, column), value in np.ndenumerate(matrix)
    ]
    counties = gep.from_quantities(pd.DataFrame(rows), price_year=2013).counties
    by_code = counties.set_index("code")["gep"].astype(float) / 1e8
    codes = [f"41010{row}" for row in range(len(matrix))]
    return [by_code[code] for code in codes], float(counties["gep"].iloc[-1]) / 1e8


@lru_cache(16)
def _areas(text: str) -> dict[str, float]:
    """Areas by class of two years: a map in pixels of 1 ha, the county the class of 1990."""
    kinds = ["upland", "mixed_forest", "tussock", "lake", "built_up", "bare_land"]
    codes = [f"41010{row}" for row in range(len(kinds))]
    value = {"net_ecosystem_production": 1.0}
    patches = [
        Patch(code, kind, round(area * 100), value)
        for code, row in zip(codes, json.loads(text).values(), strict=True)
        for kind, area in zip(kinds, row, strict=True)
        if area
    ]
    result = run(patches)
    counties = result.counties.set_index("code")["area_km2"].astype(float)
    rows = pd.read_csv(io.BytesIO(result.files()["extent.csv"]))
    by_kind = rows.groupby("ecosystem")["area_km2"].sum()
    found = {f"area_1990_km2.{n}": counties[code] for n, code in enumerate(codes)}
    found |= {f"area_2013_km2.{n}": by_kind[kind] for n, kind in enumerate(kinds)}
    found["total_area"] = counties.iloc[-1]
    return {name: float(area) for name, area in found.items()}


@lru_cache(64)
def _total(rows: str, year: int) -> float:
    result = gep.from_quantities(pd.DataFrame(json.loads(rows)), price_year=year)
    return float(result.counties["gep"].iloc[-1]) / 1e8


def _esv(name: str, value: float) -> dict[str, Any]:
    if name not in ESV:
        money = {"value": value, "value_unit": MONEY}
        return {"service": "species_conservation", "indicator": name} | money
    service, indicator = ESV[name]
    price = {"price": 1, "price_unit": "CNY/m^3"}
    row = {"service": service, "indicator": indicator} | price
    return row | {"quantity": value, "quantity_unit": "亿m3"}


def volume_of_yield(said: Said) -> dict[str, float]:
    """InVEST Annual Water Yield: a depth on an area is a volume, by our kernel."""
    inputs = said["inputs"]
    depth = xr.DataArray(np.array(inputs["wyield_mm"], float), dims="basin")
    density = gep.services["water_retention"](
        precipitation=depth.assign_attrs(units="mm/year"),
        evapotranspiration=(depth * 0).assign_attrs(units="mm/year"),
        runoff_coefficient=0.0,
        clamp=0.0,
    )["water_retention"]
    scale = factor(f"({density.units}) * m^2", "m^3/year", "volume")
    volumes = density.to_numpy() * np.array(inputs["area_m2"]) * scale
    return {f"volume_m3.{n}": float(volume) for n, volume in enumerate(volumes)}
