"""Published numbers through the public interface, each with its citation.

The cases lie beside the project (../shared/cases) and are read when the tests run; a case's own
`expected` and `tolerance` are what is held against ours. The vectors at the end are arithmetic
of docs/methods.md and need no file.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest
import small
import xarray as xr
from rasterio.transform import from_origin

import gep
from gep import coefficients
from gep.errors import GepError, InputError, UnitError
from gep.rasters import grid
from gep.units import factor

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
GARZE = "513300"
NAME = "甘孜藏族自治州"


def case(name: str) -> dict[str, Any]:
    """Published case *name*; the test is skipped where the folder is not there."""
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not beside the project")
    found: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return found


def leaves(tree: Any, head: str = "") -> dict[str, float]:
    """Numbers of a nested dictionary by dotted name."""
    if not isinstance(tree, dict):
        return {head: float(tree)}
    found: dict[str, float] = {}
    for key, entry in tree.items():
        found |= leaves(entry, f"{head}.{key}" if head else key)
    return found


def allowed(said: dict[str, Any], name: str, wanted: float) -> float:
    """Largest difference a case allows: the first rule whose `match` is found in the name."""
    rule = next(r for r in said["tolerance"] if re.search(r["match"], name))
    return max(rule.get("abs", 0.0), rule.get("rel", 0.0) * abs(wanted))


def assert_agrees(said: dict[str, Any], found: dict[str, float]) -> None:
    """Compare every number of ours with the case's own expectation."""
    expected = leaves(said["expected"])
    for name, ours in found.items():
        wanted = expected[name]
        assert abs(ours - wanted) <= allowed(said, name, wanted), (name, ours, wanted)


# ---- Garzé 2010, table 3

# row of the paper → service, indicator, unit of the quantity, unit of the price
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
SAND = ("sandstorm_prevention", "sand_fixed")
PLACE = {"county_code": GARZE, "county_name": NAME}


def quantity_rows(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of table 3 as quantity and price."""
    rows: list[dict[str, Any]] = []
    for row, (service, indicator, unit, price_unit) in ROWS.items():
        said = {"quantity": inputs["quantity"][row], "price": inputs["unit_price_yuan"][row]}
        units = {"quantity_unit": unit, "price_unit": price_unit}
        rows.append(PLACE | {"service": service, "indicator": indicator} | said | units)
    tonnes = inputs["sand_fixed_1e4t"] * 1e4
    area = tonnes / inputs["sand_bulk_density_t_m3"] / inputs["sand_depth_m"]
    said = {"quantity": area, "price": inputs["sand_price_yuan_m2"]}
    units = {"quantity_unit": "m^2", "price_unit": "CNY_2010/m^2"}
    rows.append(PLACE | {"service": SAND[0], "indicator": SAND[1]} | said | units)
    return rows


def test_garze_2010_every_row_of_quantity_times_price() -> None:
    """白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017,
    37(19): 6302-6312, doi:10.5846/stxb201607011362, table 3: 23 rows.
    """
    said = case("ganzi2010-quantity-price-value")
    result = gep.from_quantities(pd.DataFrame(quantity_rows(said["inputs"])), price_year=2010)
    rows = result.rows.set_index(["service", "indicator"])
    found = {
        f"value_1e8yuan.{row}": float(rows.loc[(service, indicator), "value"]) / 1e8
        for row, (service, indicator, *_) in ROWS.items()
    }
    found["value_1e8yuan.sand_fixation"] = float(rows.loc[SAND, "value"]) / 1e8
    assert len(found) == said["n_checked"] == 23
    assert found.keys() == leaves(said["expected"]).keys()
    assert_agrees(said, found)
    assert set(result.rows["value_unit"]) == {"CNY_2010"}
    assert set(result.rows["county_code"]) == {GARZE}
    assert set(result.rows["verified"]) == {"given"}, "numbers of the paper, not of ours"


def test_garze_2010_golden_numbers() -> None:
    """The same paper (S16 of coefficients/sources.toml), worked out by hand to 0.5 %."""
    said = case("ganzi2010-quantity-price-value")
    result = gep.from_quantities(pd.DataFrame(quantity_rows(said["inputs"])), price_year=2010)
    value = result.rows.set_index("indicator")["value"].astype(float) / 1e8
    by_hand = {
        "water_retention": 2269.71,
        "sediment": 156.26,
        "nitrogen": 125.82,
        "phosphorus": 117.52,
        "sand_fixed": 2.28,
        "hydropower": 50.5,
    }
    for indicator, wanted in by_hand.items():
        assert value[indicator] == pytest.approx(wanted, rel=0.005)
    area = float(result.rows.set_index("indicator").loc["sand_fixed", "quantity"])
    assert area / 1e6 == pytest.approx(60.89, abs=0.005), "km2 of sand"


def test_garze_2010_total_from_rounded_quantities() -> None:
    """The same paper: from the rounded quantities GEP is 7548.95e8, 0.045 % off the printed one."""
    said = case("ganzi2010-quantity-price-value")
    rows = quantity_rows(said["inputs"])
    for row, (service, indicator) in MONEY_ONLY.items():
        money = {"value": said["inputs"]["value_only_1e8yuan"][row], "value_unit": "亿元"}
        rows.append(PLACE | {"service": service, "indicator": indicator} | money)
    result = gep.from_quantities(pd.DataFrame(rows), price_year=2010)
    total = float(result.counties.set_index("level").loc["county", "gep"])
    assert total / 1e8 == pytest.approx(7548.95, abs=0.005)
    assert total / 1e8 == pytest.approx(7545.59, rel=0.0005)


# what the paper calls a service → ours
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


def value_rows(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows of table 3 as money only."""
    names = {row: pair[:2] for row, pair in ROWS.items()} | MONEY_ONLY | {"sand_fixation": SAND}
    values = inputs["row_values_1e8yuan"]
    assert values.keys() == names.keys()
    return [
        PLACE | dict(zip(("service", "indicator"), names[row], strict=True))
        | {"value": values[row], "value_unit": "亿元"}
        for row in values
    ]  # fmt: skip


@pytest.mark.parametrize("level", ["county", "province"])
def test_garze_2010_services_categories_total_shares_and_per_head(level: str) -> None:
    """白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017,
    37(19): 6302-6312, doi:10.5846/stxb201607011362, table 3 and abstract.
    """
    said = case("ganzi2010-totals-shares")
    people = said["inputs"]["population_1e4"] * 10_000
    frame = pd.DataFrame(value_rows(said["inputs"]))
    result = gep.from_quantities(frame, price_year=2010, population=people)
    money = result.services.set_index("service")["value"] / 1e8
    share = result.services.set_index("service")["share"] * 100
    county = result.counties.set_index("level").loc[level]
    total = county["gep"]
    found = {
        f"service_1e8yuan.{theirs}": sum(money[name] for name in ours)
        for theirs, ours in SERVICES.items()
    }
    found |= {
        "service_1e8yuan.provisioning": county["provisioning"] / 1e8,
        "service_1e8yuan.culture": county["cultural"] / 1e8,
        "regulating": county["regulating"] / 1e8,
        "GEP": total / 1e8,
        "share_pct.provisioning": county["provisioning"] / total * 100,
        "share_pct.regulating": county["regulating"] / total * 100,
        "share_pct.culture": county["cultural"] / total * 100,
        "gep_per_capita_1e4yuan": county["gep_per_capita"] / 1e4,
    }
    for theirs in ("water_retention", "climate_regulation", "carbon_oxygen"):
        found[f"share_pct.{theirs}"] = sum(share[name] for name in SERVICES[theirs])
    assert found.keys() == leaves(said["expected"]).keys()
    assert len(found) == said["n_checked"] == 20
    assert_agrees(said, found)
    assert (county["code"], county["name"]) == (
        (GARZE, NAME) if level == "county" else ("510000", "total")
    )


def test_garze_2010_totals_are_exact_sums() -> None:
    """The same table: the sum of its 28 printed values is 7545.5980, to the yuan."""
    said = case("ganzi2010-totals-shares")
    result = gep.from_quantities(pd.DataFrame(value_rows(said["inputs"])), price_year=2010)
    in_yuan = sum(round(v * 1e4) for v in said["inputs"]["row_values_1e8yuan"].values()) * 10_000
    assert in_yuan == 754_559_800_000
    province = result.counties.set_index("level").loc["province"]
    assert province["gep"] == in_yuan
    assert province["provisioning"] + province["regulating"] + province["cultural"] == in_yuan
    assert float(result.services["share"].sum()) == pytest.approx(1.0, abs=1e-12)


GARZE_SOIL = {
    "deposition_share": "lambda",
    "bulk_density": "bulk_density_t_m3",
    "nitrogen_content": "C_N",
    "phosphorus_content": "C_P",
    "dredging_cost": "silt_price_yuan_m3",
    "nitrogen_price": "P_N_yuan_t",
    "phosphorus_price": "P_P_yuan_t",
}
SOIL_UNITS = {
    "deposition_share": "1",
    "bulk_density": "t/m^3",
    "nitrogen_content": "1",
    "phosphorus_content": "1",
    "dredging_cost": "CNY_2010/m^3",
    "nitrogen_price": "CNY_2010/t",
    "phosphorus_price": "CNY_2010/t",
}


def test_garze_2010_soil_chain() -> None:
    """白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017,
    37(19): 6302-6312, doi:10.5846/stxb201607011362, sections 2.4 and 3.2.2: from the soil retained
    to sediment, nitrogen and phosphorus, and their money.
    """
    said = case("ganzi2010-soil-sand-flood-chain")
    inputs = said["inputs"]
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    row |= {"quantity": inputs["soil_retention_t"], "quantity_unit": "t"}
    texts = {n: f"{inputs[key]!r} {SOIL_UNITS[n]}" for n, key in GARZE_SOIL.items()}
    result = gep.from_quantities(
        pd.DataFrame([PLACE | row]),
        price_year=2010,
        prices={n: t for n, t in texts.items() if "CNY" in t},
        coefficients={n: t for n, t in texts.items() if "CNY" not in t},
    )
    rows = result.rows.set_index("indicator")
    quantity, value = rows["quantity"].astype(float), rows["value"].astype(float)
    found = {
        "silt_1e8m3": quantity["sediment"] / 1e8,
        "silt_value_1e8": value["sediment"] / 1e8,
        "N_1e4t": quantity["nitrogen"] / 1e4,
        "P_1e4t": quantity["phosphorus"] / 1e4,
        "nonpoint_value_1e8": (value["nitrogen"] + value["phosphorus"]) / 1e8,
        "soil_value_1e8": float(result.services.set_index("service")["value"].iloc[0]) / 1e8,
    }
    assert_agrees(said, found)
    assert math.isnan(value["soil_retention"]), "the soil itself is no money"


def test_garze_2010_soil_numbers_are_on_file() -> None:
    """The sets that reproduce the paper carry its numbers, sections 2.4, 3.2.2 and table 3."""
    said = case("ganzi2010-soil-sand-flood-chain")["inputs"]
    prices = case("ganzi2010-quantity-price-value")["inputs"]["unit_price_yuan"]
    book, _ = coefficients.load()
    on_file = {
        ("soil_retention", "bulk_density", "garze2010", "t/m^3"): said["bulk_density_t_m3"],
        ("soil_retention", "nitrogen_content", "garze2010", "1"): said["C_N"],
        ("soil_retention", "phosphorus_content", "garze2010", "1"): said["C_P"],
        ("soil_retention", "deposition_share", "", "1"): said["lambda"],
        ("prices", "reservoir_cost", "garze2010", "CNY_2010/m^3"): prices["water_retention"],
        ("prices", "dredging_cost", "garze2010", "CNY_2010/m^3"): prices["soil_sediment"],
        ("prices", "oxygen_price", "garze2010", "CNY_2010/tO2"): prices["oxygen"],
        ("prices", "nitrogen_price", "charge2003", "CNY/t"): prices["soil_N"],
        ("prices", "phosphorus_price", "charge2003", "CNY/t"): prices["soil_P"],
        ("prices", "sulfur_dioxide_price", "charge2003", "CNY/t"): prices["air_SO2"],
        ("prices", "nitrogen_oxides_price", "charge2003", "CNY/t"): prices["air_NOx"],
        ("prices", "dust_price", "charge2003", "CNY/t"): prices["air_dust"],
    }
    for (file, name, chosen, unit), wanted in on_file.items():
        found = book.coefficient(file, name, chosen)
        assert found, name
        number = found.number(unit, year=2010)
        assert number, name
        assert float(number[0]) == pytest.approx(wanted, rel=1e-12), name


# ---- arithmetic of docs/methods.md


def test_sediment_of_one_tonne() -> None:
    """1 t, lambda 0.24, rho 1.25, 15.58 CNY/m3 → 0.192 m3 → 2.99 CNY.

    docs/methods.md#soil-retention
    """
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    frame = pd.DataFrame([row | {"quantity": 1, "quantity_unit": "t"}])
    result = gep.from_quantities(
        frame, price_year=2010, prices={"dredging_cost": "15.58 CNY_2010/m^3"}
    )
    sediment = result.rows.set_index("indicator").loc["sediment"]
    assert str(sediment["quantity"]) == "0.192000"
    assert str(sediment["value"]) == "2.99"
    assert sediment["quantity_unit"] == "m^3/year"
    nutrients = result.rows.set_index("indicator")["quantity"].astype(float)
    assert nutrients["nitrogen"] == pytest.approx(0.00152, abs=1e-12)
    assert nutrients["phosphorus"] == pytest.approx(0.00048, abs=1e-12)


def test_carbon_of_a_square_kilometre() -> None:
    """NPP 600 less respiration 380 gC/m2 → 807 t CO2 and 587 t O2 per km2.

    docs/methods.md#carbon-sequestration
    """
    nep = xr.DataArray(600.0 - 380.0, attrs={"units": "gC/(m^2*year)"})
    density = gep.services["carbon_sequestration"](net_ecosystem_production=nep)["carbon_dioxide"]
    tonnes = float(density) * factor(f"{density.units} * km^2", "tCO2/year", "test")
    assert tonnes == pytest.approx(807, abs=0.5)
    row = {"service": "carbon_sequestration", "indicator": "carbon_dioxide"}
    frame = pd.DataFrame([row | {"quantity": tonnes, "quantity_unit": "tCO2/year"}])
    rows = gep.from_quantities(frame, price_year=2021).rows.set_index("indicator")
    assert float(rows.loc["oxygen", "quantity"]) == pytest.approx(587, abs=0.5)


def test_carbon_of_a_square_kilometre_on_the_map(tmp_path: Path) -> None:
    """The same vector from rasters: 100 pixels of one hectare, NEP 220, all forest."""
    polygons = small.counties().iloc[:1]
    polygons = polygons.set_geometry([small.box(10, 20, 5, 15)], crs=small.CRS)
    layers: dict[str, np.ndarray | None] = dict.fromkeys(small.UNITS)
    shape = (small.ROWS, small.COLUMNS)
    layers["net_ecosystem_production"] = np.full(shape, 220.0)
    path = small.write(
        tmp_path,
        ecosystem=np.full(shape, 15, np.uint8),
        rasters=layers,
        polygons=polygons,
        tables={"emissions": None, "products": None},
    )
    cube = gep.open(path).run(threads=1).cube
    quantity = cube["quantity"].sel(county="360101", ecosystem="mixed_forest")
    carbon = float(quantity.sel(indicator="carbon_sequestration.carbon_dioxide"))
    oxygen = float(quantity.sel(indicator="oxygen_release.oxygen"))
    half_quanta = 100 * 0.5e-6  # of a hundred pixels
    assert carbon == pytest.approx(220 * 44 / 12, abs=half_quanta)
    assert oxygen == pytest.approx(220 * 44 / 12 * 32 / 44, abs=half_quanta)
    assert (round(carbon), round(oxygen)) == (807, 587)


@pytest.mark.parametrize("crs", ["EPSG:4490", "EPSG:4326"])
def test_area_of_an_arc_second_at_28_degrees(tmp_path: Path, crs: str) -> None:
    """docs/methods.md#pixel-area: a pixel of 1″ at 28° N is 841.08 m2 on the ellipsoid."""
    second = 1 / 3600
    top = 28 + 1.5 * second
    path = small.write_raster(
        tmp_path / "a.tif",
        np.ones((3, 4), np.uint8),
        crs=crs,
        transform=from_origin(115.0, top, second, second),
    )
    found, problems = grid(path)
    assert problems == []
    assert found.row_areas[1] == pytest.approx(841.08, abs=0.005)
    assert found.row_areas[0] < found.row_areas[1] < found.row_areas[2], "smaller to the north"
    np.testing.assert_array_equal(found.column_factors, 1.0)


def test_areas_of_a_degree_add_up_to_the_polygon(tmp_path: Path) -> None:
    """One degree at 27° to 28° N: the pixels together are the polygon on the ellipsoid."""
    step = 1 / 40
    path = small.write_raster(
        tmp_path / "a.tif",
        np.ones((40, 40), np.uint8),
        crs="EPSG:4490",
        transform=from_origin(115.0, 28.0, step, step),
    )
    found, _ = grid(path)
    edge = np.linspace(0, 1, 2001)
    longitude = np.concatenate([115 + edge, np.full(2001, 116.0), 116 - edge, np.full(2001, 115.0)])
    latitude = np.concatenate([np.full(2001, 27.0), 27 + edge, np.full(2001, 28.0), 28 - edge])
    geod = pyproj.CRS("EPSG:4490").get_geod()
    assert geod
    polygon = abs(geod.polygon_area_perimeter(longitude, latitude)[0])
    assert float(found.row_areas.sum()) * 40 == pytest.approx(polygon, rel=1e-6)


# ---- what from_quantities refuses, and what it does not leave out silently

WATER = {"service": "water_retention", "indicator": "water_retention"}
CUBIC = {"quantity": 1000, "quantity_unit": "m^3"}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([{"service": "x"}], "column indicator is missing; there are: service"),
        (
            [WATER | {"quantity": 5}],
            "row 0, water_retention.water_retention: quantity_unit is missing",
        ),
        (
            [WATER | CUBIC, WATER | CUBIC],
            "row 1, water_retention.water_retention: stands twice for total unattributed",
        ),
        (
            [WATER | CUBIC | {"price": 7}],
            (
                "row 0, water_retention.water_retention: "
                "price 7 states no price_unit, such as CNY_2010/m^3"
            ),
        ),
        (
            [WATER | CUBIC | {"quantity": "many"}],
            "row 0, water_retention.water_retention: quantity: not a number: many",
        ),
        (
            [WATER | CUBIC | {"quantity": math.inf}],
            "row 0, water_retention.water_retention: quantity: not a number: inf",
        ),
    ],
)
def test_frame_that_contradicts_itself(rows: list[dict[str, Any]], text: str) -> None:
    with pytest.raises(InputError) as caught:
        gep.from_quantities(pd.DataFrame(rows), price_year=2010)
    assert str(caught.value) == f"gep.from_quantities: {text}"
    assert caught.value.problems[0].code == "E019"


def test_service_nobody_knows_is_refused() -> None:
    with pytest.raises(InputError, match="unknown service bees; known: agricultural_products, "):
        gep.from_quantities(pd.DataFrame([WATER | CUBIC | {"service": "bees"}]), price_year=2010)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (
            {"quantity_unit": "t"},
            (
                "row 0, water_retention.water_retention: '(t) / year' is [mass] / "
                "[accounting_year], but 'm^3/year' ([length] ** 3 / [accounting_year]) is needed"
            ),
        ),
        (
            {"price": 7, "price_unit": "CNY_2005/m^3"},
            (
                "row 0, water_retention.water_retention: price: "
                "'CNY_2005/m^3' is [money_of_2005] / [length] ** 3, but "
                "'CNY_2010/(m^3)' ([money_of_2010] / [length] ** 3) is needed"
            ),
        ),
    ],
)
def test_units_that_do_not_fit_are_refused(row: dict[str, Any], text: str) -> None:
    with pytest.raises(UnitError) as caught:
        gep.from_quantities(pd.DataFrame([WATER | CUBIC | row]), price_year=2010)
    assert str(caught.value) == text


def test_replacement_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="unknown coefficient reservoir_cots; did you mean res"):
        gep.from_quantities(
            pd.DataFrame([WATER | CUBIC]), prices={"reservoir_cots": "7 CNY_2010/m^3"}
        )
    with pytest.raises(GepError, match="reservoir_cost: not a number: seven"):
        gep.from_quantities(pd.DataFrame([WATER | CUBIC]), prices={"reservoir_cost": "seven"})


def test_a_row_without_a_price_beside_one_with_a_price() -> None:
    """The second is priced by the profile, not left out."""
    first = {"county_code": "360101", "price": 2, "price_unit": "CNY_2005/m^3"}
    rows = [WATER | CUBIC | first, WATER | CUBIC | {"county_code": "360102"}]
    result = gep.from_quantities(pd.DataFrame(rows), price_year=2005)
    value = result.rows.set_index("county_code")["value"].astype(float)
    assert value.to_dict() == {"360101": 2000.0, "360102": 6110.7}


def test_what_follows_from_given_numbers_is_as_weak_as_what_it_follows_by() -> None:
    """Soil is given; its nitrogen content was seen, the density behind the sediment remembered."""
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    frame = pd.DataFrame([row | {"quantity": 1, "quantity_unit": "t"}])
    prices = {"dredging_cost": "15.58 CNY_2010/m^3", "nitrogen_price": "875 CNY_2010/t"}
    rows = gep.from_quantities(frame, price_year=2010, prices=prices).rows
    states = rows.set_index("indicator")["verified"]
    assert states[["soil_retention", "sediment", "nitrogen"]].to_list() == [
        *("given", "recalled", "seen")
    ]


def test_a_row_nothing_prices_is_missing_not_zero() -> None:
    rows = [{"service": "leisure", "indicator": "visits", "quantity": 5, "quantity_unit": "万人次"}]
    result = gep.from_quantities(pd.DataFrame(rows), price_year=2010)
    assert result.rows.loc[0, "value"] is None
    province = result.counties.set_index("level").loc["province"]
    assert math.isnan(province["gep"])
    assert province["status"] == "partial"
