"""The reserve of Gaotianyan, Jiangxi, 2014: soil, products, total.

缪建群, 孙松, 王志强, 黄国勤. 江西高天岩自然保护区生态系统服务功能价值评估. 生态学报 2017, 37(19):
6422-6430, doi:10.5846/stxb201607091410 (S17 of coefficients/sources.toml).

Ours: silt as a share of the soil, nutrients by content, land as soil by density and depth,
products, sums, shares. Not ours: the price of a nutrient by that of its fertiliser, climate at the
price of water vapour. What is not ours is worked out here as the paper does, so that the sums and
shares are held.
"""

from typing import Any

import pandas as pd

import gep
from published.case import Said

PLACE = {"county_code": "360899", "county_name": "高天岩"}
"""The reserve; it has no code of its own."""
PRINTED_NITROGEN = 4573.81
"""Kilograms of a hectare, where 1.52 kg/t give 4537.81: two digits changed places."""


def soil_and_total(said: Said) -> dict[str, float]:
    """Tables 1, 3 and 4."""
    inputs = said["inputs"]
    soil = _soil(inputs) | _land(inputs) | _nitrogen(inputs)
    return soil | _whole(inputs, said["expected"]["total_1e4"])


def _land(inputs: Any) -> dict[str, float]:
    """Land one hectare saves, Q / (rho h), at the income of forest: our land kept from sand.

    A density of 0.37 t/m3 is refused, for no soil has it: the depth is as much smaller at 1 t/m3.
    """
    depth = inputs["rho"] * inputs["h_m"]
    row = {"service": "sandstorm_prevention", "indicator": "sand_fixed"}
    row |= {"quantity": inputs["soil_retention_t_hm2"], "quantity_unit": "t"}
    result = gep.from_quantities(
        pd.DataFrame([PLACE | row]),
        price_year=2014,
        prices={"sand_control_cost": f"{inputs['forest_income_yuan_hm2']!r} CNY_2014/hm2"},
        coefficients={
            "sand_density": "1 t/m^3",
            "sand_cover_depth": f"{depth!r} m",
        },
    )
    found = result.rows.set_index("indicator").loc["sand_free_area"]
    return {"land_m2_hm2": float(found["quantity"]), "land_value": float(found["value"])}


def _nitrogen(inputs: Any) -> dict[str, float]:
    """Value of the printed kilograms at the price of the nitrogen in urea, worked out here."""
    row = {"service": "soil_retention", "indicator": "nitrogen"}
    row |= {"quantity": PRINTED_NITROGEN, "quantity_unit": "kg"}
    row |= {"price": inputs["urea_yuan_t"] / inputs["urea_N"], "price_unit": "CNY_2014/t"}
    found = gep.from_quantities(pd.DataFrame([PLACE | row]), price_year=2014).rows
    return {"TN_value_from_printed_4573.81kg": float(found["value"].iloc[0])}


def _soil(inputs: Any) -> dict[str, float]:
    """Silt and nutrients of one hectare; each content takes a turn in the formula Q times N.

    The paper takes a tonne of silt for a cubic metre: its bulk density is 1 here.
    """
    content = inputs["content_kg_t"]
    first = _hectare(inputs, content["OM"], content["TP"])
    second = _hectare(inputs, content["OM"], content["TK"])
    quantity, value = first["quantity"].astype(float), first["value"].astype(float)
    return {
        "silt_kg_hm2": quantity["sediment"] * 1000,
        "silt_value": value["sediment"],
        "OM_kg_hm2": quantity["nitrogen"] * 1000,
        "TP_kg_hm2": quantity["phosphorus"] * 1000,
        "TK_kg_hm2": float(second.loc["phosphorus", "quantity"]) * 1000,
    }


def _hectare(inputs: Any, first: float, second: float) -> pd.DataFrame:
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    row |= {"quantity": inputs["soil_retention_t_hm2"], "quantity_unit": "t"}
    result = gep.from_quantities(
        pd.DataFrame([PLACE | row]),
        price_year=2014,
        prices={"dredging_cost": f"{inputs['reservoir_yuan_m3']!r} CNY_2014/m^3"},
        coefficients={
            "deposition_share": "0.24 1",
            "bulk_density": "1 t/m^3",
            "nitrogen_content": f"{first!r} kg/t",
            "phosphorus_content": f"{second!r} kg/t",
        },
    )
    return result.rows.set_index("indicator")


def money_of_soil(inputs: Any) -> dict[str, float]:
    """Money of one hectare in CNY, by what the paper adds up."""
    tonnes = inputs["soil_retention_t_hm2"]
    land = tonnes / (inputs["rho"] * inputs["h_m"]) / 1e4 * inputs["forest_income_yuan_hm2"]
    nitrogen = PRINTED_NITROGEN / 1000 / inputs["urea_N"] * inputs["urea_yuan_t"]
    silt = 0.24 * tonnes * inputs["reservoir_yuan_m3"]
    return {"land": land, "silt": silt, "TN": nitrogen, **inputs["nutrient_value_yuan_hm2"]}


def money_of_climate(inputs: Any) -> float:
    """Water vapour of leaves and land at a price, in 10^4 CNY: no formula of ours."""
    tree, shrub = inputs["transpiration_coef"]
    transpiration = (inputs["NPP_tree_t"] * tree + inputs["NPP_shrub_t"] * shrub) / 1e4
    rain = inputs["precip_mm"] * inputs["evap_ratio"] * inputs["area_hm2"] * 10 / 1e4
    return float((transpiration + rain) * inputs["vapour_price"])


def _whole(inputs: Any, total: float) -> dict[str, float]:
    """Sums and shares; what the case does not say closes the printed total as one row."""
    rows = [
        {
            "service": "soil_retention",
            "indicator": f"{name}_value",
            "value": value * inputs["area_hm2"],
            "value_unit": "元",
        }
        for name, value in money_of_soil(inputs).items()
    ]
    climate = {"value": money_of_climate(inputs), "value_unit": "万元"}
    rows.append({"service": "climate_regulation", "indicator": "vapour"} | climate)
    rows += _products(inputs)
    known = gep.from_quantities(pd.DataFrame([PLACE | row for row in rows]), price_year=2014)
    services = known.services.set_index("service")["value"]
    rest = {"value": total * 1e4 - float(known.counties["gep"].iloc[-1]), "value_unit": "元"}
    rows.append({"service": "species_conservation", "indicator": "rest"} | rest)
    whole = gep.from_quantities(pd.DataFrame([PLACE | row for row in rows]), price_year=2014)
    share = whole.services.set_index("service")["share"] * 100
    soil = float(services["soil_retention"])
    return {
        "value_per_hm2": soil / inputs["area_hm2"],
        "soil_total_1e4": soil / 1e4,
        "products_1e4": float(services["forestry_products"]) / 1e4,
        "share_pct.soil": float(share["soil_retention"]),
        "share_pct.products": float(share["forestry_products"]),
        "share_pct.climate": float(share["climate_regulation"]),
    }


def _products(inputs: Any) -> list[dict[str, Any]]:
    """Timber and bamboo by quantity and price, flowers as money."""
    timber = {"quantity": inputs["standing_timber_1e4m3"], "quantity_unit": "万m3"}
    timber |= {"price": inputs["timber_price"], "price_unit": "CNY_2014/m^3"}
    bamboo = {"quantity": inputs["bamboo_1e4"] * 1e4, "quantity_unit": "1"}
    bamboo |= {"price": inputs["bamboo_price"], "price_unit": "CNY_2014"}
    flowers = {"value": inputs["flowers_1e4yuan"], "value_unit": "万元"}
    named = {"立木": timber, "毛竹": bamboo, "花卉": flowers}
    head = {"service": "forestry_products"}
    return [head | {"indicator": name} | row for name, row in named.items()]
