"""Garzé 2010: quantities and prices, totals and shares, ecosystem classes, chains of quantities.

白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017, 37(19):
6302-6312, doi:10.5846/stxb201607011362 (S16 of coefficients/sources.toml).
"""

from typing import Any

import pandas as pd
import xarray as xr

import gep
from gep.quantities import Quantities
from gep.units import factor
from published.case import Said

PLACE = {"county_code": "513300", "county_name": "甘孜藏族自治州"}

# row of table 3 → service, indicator, unit of the quantity, unit of the price
ROWS = {
    "water_domestic": ("water_supply", "domestic", "亿m3", "CNY_2010/m^3"),
    "water_industrial": ("water_supply", "industrial", "亿m3", "CNY_2010/m^3"),
    "water_agricultural": ("water_supply", "agricultural", "亿m3", "CNY_2010/m^3"),
    "hydropower": ("ecological_energy", "hydropower", "亿kWh", "CNY_2010/kWh"),
    "water_retention": ("water_retention", "water_retention", "亿m3", "CNY_2010/m^3"),
    "soil_sediment": ("soil_retention", "sediment", "亿m3", "CNY_2010/m^3"),
    "soil_N": ("soil_retention", "nitrogen", "万t", "CNY_2010/t"),
    "soil_P": ("soil_retention", "phosphorus", "万t", "CNY_2010/t"),
    "flood_lake": ("flood_mitigation", "lakes", "亿m3", "CNY_2010/m^3"),
    "flood_reservoir": ("flood_mitigation", "reservoirs", "亿m3", "CNY_2010/m^3"),
    "flood_marsh": ("flood_mitigation", "swamps", "亿m3", "CNY_2010/m^3"),
    "air_SO2": ("air_purification", "sulfur_dioxide", "t", "CNY_2010/t"),
    "air_NOx": ("air_purification", "nitrogen_oxides", "t", "CNY_2010/t"),
    "air_dust": ("air_purification", "dust", "t", "CNY_2010/t"),
    "water_COD": ("water_purification", "chemical_oxygen_demand", "t", "CNY_2010/t"),
    "water_NH3N": ("water_purification", "ammonia_nitrogen", "t", "CNY_2010/t"),
    "carbon": ("carbon_sequestration", "carbon_dioxide", "亿tCO2", "CNY_2010/tCO2"),
    "oxygen": ("oxygen_release", "oxygen", "亿tO2", "CNY_2010/tO2"),
    "climate_vegetation": ("climate_regulation", "vegetation", "亿kWh", "CNY_2010/kWh"),
    "climate_water": ("climate_regulation", "water", "亿kWh", "CNY_2010/kWh"),
    "pest_forest": ("pest_control", "forest", "万hm²", "CNY_2010/hm2"),
    "pest_grassland": ("pest_control", "grassland", "万hm²", "CNY_2010/hm2"),
}
MONEY_ONLY = {
    "crops": ("agricultural_products", "crops"),
    "forestry": ("forestry_products", "forestry"),
    "livestock": ("animal_husbandry_products", "livestock"),
    "fishery": ("fishery_products", "fishery"),
    "tourism": ("tourism", "tourism"),
}
SAND = ("sandstorm_prevention", "sand_free_area")
SAND_COVER = {
    "sand_density": ("sand_bulk_density_t_m3", "t/m^3"),
    "sand_cover_depth": ("sand_depth_m", "m"),
    "sand_control_cost": ("sand_price_yuan_m2", "CNY_2010/m^2"),
}
SERVICES = {
    "water_retention": ["water_retention"],
    "soil_retention": ["soil_retention"],
    "sand_fixation": ["sandstorm_prevention"],
    "flood_regulation": ["flood_mitigation"],
    "air_purification": ["air_purification"],
    "water_purification": ["water_purification"],
    "carbon_oxygen": ["carbon_sequestration", "oxygen_release"],
    "climate_regulation": ["climate_regulation"],
    "pest_control": ["pest_control"],
}
"""What the paper calls a service → ours."""


# ---- table 3: quantity times price


def quantity_rows(inputs: Any) -> list[dict[str, Any]]:
    """Rows of table 3 as quantity and price."""
    rows: list[dict[str, Any]] = []
    for row, (service, indicator, unit, price_unit) in ROWS.items():
        said = {"quantity": inputs["quantity"][row], "price": inputs["unit_price_yuan"][row]}
        units = {"quantity_unit": unit, "price_unit": price_unit}
        rows.append(PLACE | {"service": service, "indicator": indicator} | said | units)
    return [*rows, sand_row(inputs["sand_fixed_1e4t"] * 1e4)]


def sand_row(tonnes: float) -> dict[str, Any]:
    """Sand held back; the area it would cover and its money follow."""
    row = {"service": "sandstorm_prevention", "indicator": "sand_fixed"}
    return PLACE | row | {"quantity": tonnes, "quantity_unit": "t"}


def quantity_price_value(said: Said) -> dict[str, float]:
    """Table 3: 23 rows of quantity times price."""
    inputs = said["inputs"]
    result = priced(quantity_rows(inputs), inputs, SAND_COVER)
    value = result.rows.set_index(["service", "indicator"])["value"].astype(float) / 1e8
    found = {f"value_1e8yuan.{row}": value[key[:2]] for row, key in ROWS.items()}
    return found | {"value_1e8yuan.sand_fixation": value[SAND]}


# ---- table 3 and abstract: totals, shares, per head


def value_rows(inputs: Any) -> list[dict[str, Any]]:
    """Rows of table 3 as money only."""
    names = {row: pair[:2] for row, pair in ROWS.items()} | MONEY_ONLY | {"sand_fixation": SAND}
    values = inputs["row_values_1e8yuan"]
    assert values.keys() == names.keys()
    return [_money(*names[row], values[row]) for row in values]


def totals_shares(said: Said, level: str = "county") -> dict[str, float]:
    """Table 3 and abstract: services, categories, total, shares, per head."""
    people = said["inputs"]["population_1e4"] * 10_000
    frame = pd.DataFrame(value_rows(said["inputs"]))
    result = gep.from_quantities(frame, price_year=2010, population=people)
    services = result.services.set_index("service")
    money, share = services["value"] / 1e8, services["share"] * 100
    county = result.counties.set_index("level").loc[level]
    total = county["gep"]
    found = {
        f"service_1e8yuan.{theirs}": float(money[ours].sum()) for theirs, ours in SERVICES.items()
    }
    groups = {"provisioning": "provisioning", "regulating": "regulating", "culture": "cultural"}
    found |= {f"share_pct.{name}": county[group] / total * 100 for name, group in groups.items()}
    for theirs in ("water_retention", "climate_regulation", "carbon_oxygen"):
        found[f"share_pct.{theirs}"] = float(share[SERVICES[theirs]].sum())
    return found | {
        "service_1e8yuan.provisioning": county["provisioning"] / 1e8,
        "service_1e8yuan.culture": county["cultural"] / 1e8,
        "regulating": county["regulating"] / 1e8,
        "GEP": total / 1e8,
        "gep_per_capita_1e4yuan": county["gep_per_capita"] / 1e4,
    }


# ---- table 4: classes by services

CLASSES = {
    "forest": "forest",
    "shrub": "shrubland",
    "grass": "grassland",
    "wetland": "wetland",
    "farmland": "cropland",
    "town": "urban",
    "glacier": "snow_ice",
    "bare": "bare_land",
}
"""Class of the paper → class or group of the account."""
MATRIX = {
    "provisioning": ("other_products", "products"),
    "water_retention": ("water_retention", "money"),
    "soil_retention": ("soil_retention", "money"),
    "sand_fixation": SAND,
    "flood": ("flood_mitigation", "money"),
    "air": ("air_purification", "money"),
    "water_quality": ("water_purification", "money"),
    "carbon_oxygen": ("carbon_sequestration", "carbon_oxygen"),
    "climate": ("climate_regulation", "money"),
    "pest": ("pest_control", "money"),
    "tourism": ("tourism", "money"),
}
PER_AREA = {
    "water_retention": ("water_retention", ("all", "forest", "shrub", "grass")),
    "soil": ("soil_retention", ("all", "forest")),
    "carbon": ("carbon_oxygen", ("forest", "all")),
    "climate": ("climate", ("wetland",)),
}


def class_by_service(said: Said) -> dict[str, float]:
    """Table 4: 88 cells as money only; their margins, and value per area of the class."""
    inputs = said["inputs"]
    rows = [
        _money(*MATRIX[service], amount) | {"ecosystem": CLASSES[kind]}
        for service, cells in inputs["matrix_1e8yuan"].items()
        for kind, amount in zip(inputs["classes"], cells, strict=True)
    ]
    result = gep.from_quantities(pd.DataFrame(rows), price_year=2010)
    cells = result.rows.assign(value=result.rows["value"].astype(float))
    cells = cells.pivot_table(index="service", columns="ecosystem", values="value")
    services = result.services.set_index("service")["value"]
    total = float(result.counties["gep"].iloc[-1])
    classes = {theirs: float(cells[ours].sum()) for theirs, ours in CLASSES.items()}
    found = {f"service_total.{k}": services[ours] / 1e8 for k, (ours, _) in MATRIX.items()}
    found |= {f"class_total.{kind}": value / 1e8 for kind, value in classes.items()}
    found["GEP"] = total / 1e8
    found["share_top4_pct"] = sum(sorted(classes.values())[-4:]) / total * 100
    areas = inputs["area_km2"] | {"all": sum(inputs["area_km2"].values())}
    for name, (service, kinds) in PER_AREA.items():
        ours = MATRIX[service][0]
        for kind in kinds:
            value = services[ours] if kind == "all" else cells.loc[ours, CLASSES[kind]]
            found[f"yuan_per_km2.{name}.{kind}"] = float(value) / areas[kind]
    return found


def _money(service: str, indicator: str, amount: float) -> dict[str, Any]:
    money = {"value": amount, "value_unit": "亿元"}
    return PLACE | {"service": service, "indicator": indicator} | money


# ---- 2.4 and 3.2: from soil, sand and swamps to what has a price

SOIL = {
    "deposition_share": ("lambda", "1"),
    "bulk_density": ("bulk_density_t_m3", "t/m^3"),
    "nitrogen_content": ("C_N", "1"),
    "phosphorus_content": ("C_P", "1"),
    "dredging_cost": ("silt_price_yuan_m3", "CNY_2010/m^3"),
    "nitrogen_price": ("P_N_yuan_t", "CNY_2010/t"),
    "phosphorus_price": ("P_P_yuan_t", "CNY_2010/t"),
}


def soil_sand_flood(said: Said) -> dict[str, float]:
    """Sections 2.4 and 3.2.2 to 3.2.4: quantities that follow from others, and their money."""
    inputs = said["inputs"]
    return _soil(inputs) | _sand(inputs) | _flood(inputs, said["expected"]["marsh_1e8m3"])


def priced(
    rows: list[dict[str, Any]], inputs: Any, names: dict[str, tuple[str, str]]
) -> Quantities:
    """Account of quantities, with prices and coefficients replaced by those of the inputs."""
    texts = {name: f"{inputs[key]!r} {unit}" for name, (key, unit) in names.items()}
    return gep.from_quantities(
        pd.DataFrame([PLACE | row for row in rows]),
        price_year=2010,
        prices={n: t for n, t in texts.items() if "CNY" in t},
        coefficients={n: t for n, t in texts.items() if "CNY" not in t},
    )


def _soil(inputs: Any) -> dict[str, float]:
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    row |= {"quantity": inputs["soil_retention_t"], "quantity_unit": "t"}
    result = priced([row], inputs, SOIL)
    rows = result.rows.set_index("indicator")
    quantity, value = rows["quantity"].astype(float), rows["value"].astype(float)
    return {
        "silt_1e8m3": quantity["sediment"] / 1e8,
        "silt_value_1e8": value["sediment"] / 1e8,
        "N_1e4t": quantity["nitrogen"] / 1e4,
        "P_1e4t": quantity["phosphorus"] / 1e4,
        "nonpoint_value_1e8": (value["nitrogen"] + value["phosphorus"]) / 1e8,
        "soil_value_1e8": float(result.services["value"].sum()) / 1e8,
    }


def _sand(inputs: Any) -> dict[str, float]:
    names = SAND_COVER | {"sand_density": ("sand_bulk_density", "t/m^3")}
    names |= {"sand_cover_depth": ("cover_depth_m", "m")}
    result = priced([sand_row(inputs["sand_fixed_t"])], inputs, names)
    row = result.rows.set_index("indicator").loc["sand_free_area"]
    return {
        "sand_area_km2": float(row["quantity"]) / 1e6,
        "sand_value_1e8": float(row["value"]) / 1e8,
    }


def _flood(inputs: Any, printed: float) -> dict[str, float]:
    """Swamps by the kernel, 0.3 m on their area; the sum and its money from what is printed.

    The share of swamps is "about 70 %": unrounded they are 6.01 where the paper adds up 6.00.
    """
    nothing = xr.DataArray([float("nan")], dims="x", attrs={"units": "mm/year"})
    density = gep.services["flood_mitigation"](
        storm_precipitation=nothing,
        storm_runoff=nothing,
        ecosystem=xr.DataArray(["swamp"], dims="x"),
    )["swamps"]
    area = inputs["wetland_km2"] * inputs["marsh_fraction"]
    swamps = float(density[0]) * area * factor(f"({density.units}) * km^2", "亿m3/year", "swamps")
    amounts = {
        "swamps": printed,
        "lakes": inputs["lake_1e8m3"],
        "reservoirs": inputs["reservoir_1e8m3"],
    }
    rows = [
        {"service": "flood_mitigation", "indicator": name, "quantity": q, "quantity_unit": "亿m3"}
        for name, q in amounts.items()
    ]
    result = priced(rows, inputs, {"reservoir_cost": ("P_w", "CNY_2010/m^3")})
    return {
        "marsh_1e8m3": swamps,
        "flood_1e8m3": float(result.rows["quantity"].astype(float).sum()) / 1e8,
        "flood_value_1e8": float(result.services["value"].sum()) / 1e8,
    }
