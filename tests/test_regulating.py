"""Floods, water, climate and ions: numbers worked out by hand, published ones, and laws."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import gep
from gep import coefficients, profile
from gep.coefficients import Book, Price
from gep.errors import InputError, UnitError
from gep.outputs import csv
from gep.service import Indicator, services
from gep.services.climate_regulation import evaporation, transpiration
from gep.services.flood_mitigation import lake_water, reservoir_water, storm_water, swamp_water
from gep.services.negative_oxygen_ions import ions, ions_above_floor
from gep.services.sandstorm_prevention import sand_fixed
from gep.services.sandstorm_prevention_rweq_simplified import sand_fixed as sand_fixed_simplified
from gep.units import factor

settings.register_profile("regulating", deadline=None, derandomize=True)
settings.load_profile("regulating")

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases"
SHAPE = (small.ROWS, small.COLUMNS)
HERE = "360101"
"""County of the small account: 80 ha of each of its ten classes."""
EAST_PLAIN = {"lake_intercept": 4.924, "lake_exponent": 1.128, "lake_exchange": 1.0}


@pytest.fixture(scope="module")
def book() -> Book:
    found, problems = coefficients.load()
    assert not problems
    return found


def case(name: str) -> dict[str, Any]:
    """Published case *name*; the test is skipped where the folder is not there."""
    if not CASES.is_dir():
        pytest.skip("../shared/cases is not beside the project")
    found: dict[str, Any] = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return found


def indicator(service: str, name: str) -> Indicator:
    (found,) = [
        i for s in services().values() if s.name == service for i in s.indicators if i.name == name
    ]
    assert isinstance(found, Indicator)
    return found


def layer(value: float, unit: str) -> xr.DataArray:
    return xr.DataArray([value], dims="x", attrs={"units": unit})


def classes(*keys: str) -> xr.DataArray:
    return xr.DataArray(list(keys), dims="x")


# ---- kernels, by hand


def test_poyang_at_high_water() -> None:
    """e^4.924 · 3500^1.128 · 10^4 m³ = 136.83e8 m³ (eastern plain, one exchange)."""
    amount = lake_water(3500.0, 4.924, 1.128, 1.0)
    cubic = amount * indicator("flood_mitigation", "lakes").unit_factor
    assert cubic == pytest.approx(136.83e8, rel=1e-3)
    assert cubic == pytest.approx(math.exp(4.924) * 3500**1.128 * 1e4, rel=1e-12)


def test_lakes_of_the_eastern_plain_fit_their_total_with_one_exchange() -> None:
    """44.46 % of 1500.02e8 m³ is 666.9e8: Poyang is a fifth of it, and with 3.19 would be 65 %."""
    poyang = lake_water(3500.0, *EAST_PLAIN.values()) * 1e4
    assert poyang / (0.4446 * 1500.02e8) == pytest.approx(0.205, abs=0.001)


def test_no_lake_no_water() -> None:
    assert lake_water(0.0, 4.924, 1.128, 1.0) == 0.0
    for position in range(4):
        for area in (0.0, 1.0, 5.0):
            numbers = [area, 4.924, 1.128, 1.0]
            numbers[position] = math.nan
            assert math.isnan(lake_water(*numbers))


@pytest.mark.parametrize(
    ("storm", "runoff", "wanted"),
    [(300.0, 50.0, 250.0), (300.0, 0.0, 300.0), (0.0, 0.0, 0.0), (80.0, 80.0, 0.0)],
)
def test_storm_water(storm: float, runoff: float, wanted: float) -> None:
    assert storm_water(storm, runoff) == wanted


@pytest.mark.parametrize("runoff", [80.001, 90.0, 1e4, math.inf])
def test_more_runoff_than_storm_is_missing_not_negative(runoff: float) -> None:
    assert math.isnan(storm_water(80.0, runoff))


@pytest.mark.parametrize(
    ("ecosystem", "wanted"),
    [("mixed_forest", 0.2627), ("broadleaf_shrubland", 0.1205), ("meadow", 0.0898)],
)
def test_electricity_of_a_square_metre_and_day(ecosystem: str, wanted: float) -> None:
    """2837.27, 1300.95 and 969.83 kJ/(m² day) / 3600 / 3."""
    found = gep.services["climate_regulation"](
        hot_days=layer(1.0, "day/year"),
        water_evaporation=layer(0.0, "mm/year"),
        ecosystem=classes(ecosystem),
    )
    density = found["vegetation"]
    assert float(density[0]) * factor(
        f"({density.units}) * m^2", "kWh/year", "test"
    ) == pytest.approx(wanted, abs=5e-5)
    assert math.isnan(found["water"][0]), "no water surface"


def test_electricity_of_a_litre_evaporated() -> None:
    """1 mm on 1 m² is 1 kg: 2450 kJ / 3600 / 3 = 0.22685 kWh."""
    found = gep.services["climate_regulation"](
        hot_days=layer(100.0, "day/year"),
        water_evaporation=layer(1.0, "mm/year"),
        ecosystem=classes("lake"),
    )
    density = found["water"]
    energy = float(density[0]) * factor(f"({density.units}) * m^2", "kWh/year", "test")
    assert energy == pytest.approx(2450 / 3600 / 3, rel=1e-12)
    assert energy == pytest.approx(0.22685, abs=5e-6)
    assert math.isnan(found["vegetation"][0])


def test_ions_of_a_hectare() -> None:
    """Q 2000, H 10, 1 ha: 5.256e15 · 2000 · 10 / 10 = 1.0512e19 ions, 42.8 CNY of 2005."""
    arrays = {"ion_concentration": layer(2000.0, "ion/cm^3"), "stand_height": layer(10.0, "m")}
    found = gep.services["negative_oxygen_ions"](**arrays, ecosystem=classes("bamboo_forest"))
    per_hectare = {
        name: float(density[0]) * factor(f"({density.units}) * ha", "ion/year", "test")
        for name, density in found.items()
    }
    assert per_hectare["ions"] == pytest.approx(1.0512e19, rel=1e-12)
    assert per_hectare["ions_above_floor"] == pytest.approx(5.256e15 * 10 * 1400 / 10, rel=1e-12)
    row = {"service": "negative_oxygen_ions", "indicator": "ions_above_floor"}
    row |= {"quantity": per_hectare["ions_above_floor"], "quantity_unit": "ion"}
    value = gep.from_quantities(pd.DataFrame([row]), price_year=2005).rows["value"][0]
    assert float(value) == pytest.approx(42.8, abs=0.05)
    assert str(value) == "42.81"


@pytest.mark.parametrize("concentration", [0.0, 599.0, 600.0])
def test_ions_below_the_floor_are_worth_nothing(concentration: float) -> None:
    numbers = (concentration, 10.0, 600.0, 10.0, 525600.0, 1.0)
    assert ions_above_floor(*numbers) == 0.0
    assert ions(concentration, 10.0, 10.0, 525600.0, 1.0) == concentration * 525600


UNIT_FACTORS = {
    ("flood_mitigation", "vegetation"): 1e-3,  # 1 mm on 1 m² is a litre
    ("flood_mitigation", "swamps"): 1e-3,
    ("flood_mitigation", "lakes"): 1e4,  # the formula gives 10⁴ m³
    ("flood_mitigation", "reservoirs"): 1.0,
    ("water_purification", "chemical_oxygen_demand"): 1e-6,  # 1 t/km² is 1 g/m²
    ("water_purification", "ammonia_nitrogen"): 1e-6,
    ("water_purification", "total_phosphorus"): 1e-6,
    ("water_purification", "total_nitrogen"): 1e-6,
    ("climate_regulation", "vegetation"): 1 / 3600,
    ("climate_regulation", "water"): 1 / 3.6e6,
    ("negative_oxygen_ions", "ions"): 1e6,  # 1 m over 1 m² is 10⁶ cm³
    ("negative_oxygen_ions", "ions_above_floor"): 1e6,
}


@pytest.mark.parametrize(
    ("key", "times"), UNIT_FACTORS.items(), ids=[".".join(k) for k in UNIT_FACTORS]
)
def test_quantity_of_one_unit(key: tuple[str, str], times: float) -> None:
    assert indicator(*key).unit_factor == pytest.approx(times, rel=1e-14)


# ---- numbers on file


NUMBERS = [
    ("flood_mitigation", "water_level_difference", "", "mm/year", "swamp", 300),
    ("flood_mitigation", "lake_intercept", "", "1", "", 4.924),
    ("flood_mitigation", "lake_exponent", "", "1", "", 1.128),
    ("flood_mitigation", "lake_intercept", "tibetan_plateau", "1", "", 6.636),
    ("flood_mitigation", "lake_exponent", "tibetan_plateau", "1", "", 0.678),
    ("flood_mitigation", "lake_exchange", "", "1/year", "", 1),
    ("flood_mitigation", "flood_share", "", "1", "", 0.35),
    ("water_purification", "chemical_oxygen_demand_capacity", "", "t/(km^2*year)", "lake", 110.4),
    ("water_purification", "ammonia_nitrogen_capacity", "", "t/(km^2*year)", "swamp", 8.56),
    ("water_purification", "total_phosphorus_capacity", "", "t/(km^2*year)", "floodplain", 8.56),
    ("climate_regulation", "heat_absorbed", "", "kJ/(m^2*day)", "bamboo_forest", 2837.27),
    ("climate_regulation", "heat_absorbed", "", "kJ/(m^2*day)", "sparse_shrubland", 1300.95),
    ("climate_regulation", "heat_absorbed", "", "kJ/(m^2*day)", "tussock", 969.83),
    ("climate_regulation", "cooling_efficiency", "", "1", "", 3),
    ("climate_regulation", "water_cooling_efficiency", "", "1", "", 3),
    ("climate_regulation", "latent_heat", "", "kJ/kg", "", 2450),
    ("climate_regulation", "water_density", "", "kg/m^3", "", 1000),
    ("negative_oxygen_ions", "concentration_floor", "", "ion/cm^3", "", 600),
    ("negative_oxygen_ions", "ion_lifetime", "", "minute", "", 10),
    ("negative_oxygen_ions", "year_length", "", "minute/year", "", 525600),
    ("negative_oxygen_ions", "forest_correction", "", "1", "", 1),
]


@pytest.mark.parametrize(("service", "name", "chosen", "unit", "ecosystem", "wanted"), NUMBERS)
def test_number_on_file(
    book: Book, service: str, name: str, chosen: str, unit: str, ecosystem: str, wanted: float
) -> None:
    found = book.coefficient(service, name, chosen)
    assert found
    number = found.number(unit, ecosystem=ecosystem)
    assert number
    assert float(number[0]) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("name", ["heat_absorbed"])
@pytest.mark.parametrize("ecosystem", ["paddy", "swamp", "lake", "urban_green", "bare_land"])
def test_what_the_sources_leave_out_has_no_number(book: Book, name: str, ecosystem: str) -> None:
    found = book.coefficient("climate_regulation", name)
    assert found
    assert found.find(ecosystem=ecosystem) is None


PRICES = [
    ("water_purification", "chemical_oxygen_demand_price", "tax2018", "CNY/t", 2021, 1400),
    ("water_purification", "chemical_oxygen_demand_price", "charge2003", "CNY/t", 2010, 700),
    ("water_purification", "ammonia_nitrogen_price", "tax2018", "CNY/t", 2024, 1750),
    ("water_purification", "ammonia_nitrogen_price", "charge2003", "CNY/t", 2010, 875),
    ("water_purification", "phosphorus_price", "tax2018", "CNY/t", 2021, 5600),
    ("climate_regulation", "electricity_price", "jiangxi", "CNY/kWh", 2021, 0.60),
    ("climate_regulation", "electricity_price", "jiangxi", "CNY/kWh", 2012, 0.60),
    ("climate_regulation", "electricity_price", "garze2010", "CNY/kWh", 2010, 0.53),
    ("negative_oxygen_ions", "ion_price", "", "CNY/ion", 2005, 5.8185e-18),
    ("flood_mitigation", "reservoir_cost", "lyt1721", "CNY/m^3", 2005, 6.1107),
]


@pytest.mark.parametrize(("service", "name", "chosen", "unit", "year", "wanted"), PRICES)
def test_price_on_file(
    book: Book, service: str, name: str, chosen: str, unit: str, year: int, wanted: float
) -> None:
    found = book.coefficient(service, name, chosen)
    assert found
    price = book.price(found, unit, year)
    assert isinstance(price, Price)
    assert float(price.number) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize(
    ("service", "name", "chosen", "year"),
    [
        ("climate_regulation", "electricity_price", "jiangxi", 2011),
        ("climate_regulation", "electricity_price", "garze2010", 2009),
        ("water_purification", "chemical_oxygen_demand_price", "tax2018", 2017),
    ],
)
def test_no_tariff_before_its_first_year(
    book: Book, service: str, name: str, chosen: str, year: int
) -> None:
    found = book.coefficient(service, name, chosen)
    assert found
    assert not isinstance(book.price(found, "CNY/kWh", year), Price)


def test_lake_models_come_in_pairs(book: Book) -> None:
    sets = {n: book.services["flood_mitigation"][n] for n in ("lake_intercept", "lake_exponent")}
    assert sets["lake_intercept"].keys() == sets["lake_exponent"].keys()
    for name in profile.names():
        chosen = profile.load(name).choices["flood_mitigation"].sets
        assert chosen["lake_intercept"] == chosen["lake_exponent"] == "east_plain"


@pytest.mark.parametrize("name", profile.names())
def test_profiles_count_what_they_say(name: str) -> None:
    choices = profile.load(name).choices
    methods = {
        "flood_mitigation": "storage",
        "water_purification": "capacity",
        "climate_regulation": "transpiration",
    }
    for service, method in methods.items():
        assert choices[service].counted is True
        assert choices[service].method == method
    reservoir = "annualised" if name == "seea-ea-2021" else "lyt1721"
    assert choices["flood_mitigation"].sets["reservoir_cost"] == reservoir
    ions_counted = choices["negative_oxygen_ions"].counted
    assert ions_counted == ("optional" if name in ("jiangxi-2021", "gbt-46869-2025") else False)


# ---- Garzé 2010


GARZE_PRICES = {
    "reservoir_cost": "7.06 CNY_2010/m^3",
    "electricity_price": "0.53 CNY_2010/kWh",
    "chemical_oxygen_demand_price": "700 CNY_2010/t",
    "ammonia_nitrogen_price": "875 CNY_2010/t",
}
GARZE = [
    # service, indicator, quantity, its unit, value in 1e8 CNY as printed, absolute tolerance
    ("climate_regulation", "vegetation", 2799.10, "亿kWh", 1483.52, 0.005),
    ("climate_regulation", "water", 1272.35, "亿kWh", 674.34, 0.006),
    ("flood_mitigation", "lakes", 2.43, "亿m3", 17.15, 0.01),
    ("flood_mitigation", "reservoirs", 0.01, "亿m3", 0.07, 0.005),
    ("flood_mitigation", "swamps", 6.0, "亿m3", 42.34, 0.03),
    ("water_purification", "chemical_oxygen_demand", 5424, "t", 0.0380, 5e-5),
    ("water_purification", "ammonia_nitrogen", 625, "t", 0.0055, 5e-5),
]


def test_garze_2010_rows() -> None:
    """白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017,
    37(19): 6302-6312, table 3: floods, water, climate; total climate 2157.86e8 CNY.
    """
    names = ("service", "indicator", "quantity", "quantity_unit")
    frame = pd.DataFrame([dict(zip(names, row[:4], strict=True)) for row in GARZE])
    result = gep.from_quantities(frame, price_year=2010, prices=GARZE_PRICES)
    value = result.rows.set_index(["service", "indicator"])["value"].astype(float)
    for service, name, _, _, wanted, tolerance in GARZE:
        assert value[service, name] / 1e8 == pytest.approx(wanted, abs=tolerance), name
    assert value["water_purification", "chemical_oxygen_demand"] == 5424 * 700
    assert value["water_purification", "ammonia_nitrogen"] == 625 * 875
    of_service = result.services.set_index("service")["value"] / 1e8
    assert of_service["climate_regulation"] == pytest.approx(2157.86, abs=0.01)
    assert of_service["flood_mitigation"] == pytest.approx(59.56, abs=0.03)


def test_garze_2010_swamps_from_their_area() -> None:
    """The same paper, 2.4.4: 0.3 m on 70 % of 2864.27 km² (2005 km²) is 6.0e8 m³."""
    said = case("ganzi2010-soil-sand-flood-chain")["inputs"]
    area = said["wetland_km2"] * said["marsh_fraction"]
    assert area == pytest.approx(2005, abs=0.1)
    found = gep.services["flood_mitigation"](
        storm_precipitation=layer(100.0, "mm/year"),
        storm_runoff=layer(10.0, "mm/year"),
        ecosystem=classes("swamp"),
    )
    density = found["swamps"]
    cubic = float(density[0]) * area * factor(f"({density.units}) * km^2", "m^3/year", "test")
    assert cubic == pytest.approx(6.0e8, rel=3e-3)
    assert cubic == pytest.approx(0.3 * area * 1e6, rel=1e-12)
    assert math.isnan(found["vegetation"][0]), "a swamp is no vegetation of this service"


def test_garze_2010_climate_by_ecosystem() -> None:
    """The same paper, table 4: forest, shrubland, grassland from their areas, 15 days and r 3."""
    said = case("ganzi2010-class-by-service-matrix")["inputs"]
    printed = dict(zip(said["classes"], said["matrix_1e8yuan"]["climate"], strict=True))
    ours = {"forest": "mixed_forest", "shrub": "broadleaf_shrubland", "grass": "meadow"}
    found = gep.services["climate_regulation"](
        hot_days=xr.DataArray([15.0] * 3, dims="x", attrs={"units": "day/year"}),
        water_evaporation=xr.DataArray([0.0] * 3, dims="x", attrs={"units": "mm/year"}),
        ecosystem=classes(*ours.values()),
    )["vegetation"]
    per_area = found.to_numpy() * factor(f"({found.units}) * m^2", "kWh/year", "test")
    assert per_area == pytest.approx([3.9407, 1.8069, 1.3470], abs=5e-5)
    for name, electricity in zip(ours, per_area, strict=True):
        value = electricity * said["area_km2"][name] * 1e6 * 0.53 / 1e8
        assert value == pytest.approx(printed[name], rel=5e-5), name


def test_garze_2010_water_without_an_efficiency() -> None:
    """The paper does not divide the heat of evaporation by r: with r = 1 it is three times ours."""
    inputs = {
        "hot_days": layer(0.0, "day/year"),
        "water_evaporation": layer(400.0, "mm/year"),
        "ecosystem": classes("river"),
    }
    service = gep.services["climate_regulation"]
    ours, theirs = (
        float(service(**inputs, **replaced)["water"][0])
        for replaced in ({}, {"water_cooling_efficiency": 1.0})
    )
    assert theirs == pytest.approx(3 * ours, rel=1e-12)


def test_garze_2010_lake_model(book: Book) -> None:
    """e^6.636 A^0.678: the 2.43e8 m³ of the paper are those of some 165 km² of lakes taken as one.

    It is given the total area of the lakes, so its own result is no sum over lakes.
    """
    a, b = (
        float(found.number("1")[0])  # type: ignore[index]
        for name in ("lake_intercept", "lake_exponent")
        if (found := book.coefficient("flood_mitigation", name, "tibetan_plateau"))
    )
    area = math.exp((math.log(2.43e4) - a) / b)
    assert area == pytest.approx(165, abs=1)
    assert lake_water(area, a, b, 1.0) * 1e4 == pytest.approx(2.43e8, rel=1e-12)


# ---- a small account

LAYERS = {
    "storm_precipitation": (300.0, "mm/year"),
    "storm_runoff": (50.0, "mm/year"),
    "hot_days": (120.0, "day/year"),
    "water_evaporation": (300.0, "mm/year"),
    "ion_concentration": (2000.0, "ion/cm^3"),
    "stand_height": (10.0, "m"),
}
TABLES = {
    "loads": (
        "county_code,cod(t),ammonia_nitrogen(t),total_phosphorus(t)\n"
        "360101,100,20,1\n360102,,5,1\n360103,0,5,1\n"
    ),
    "lakes": "county_code,name,area(km2),storage(m3)\n360101,东湖,1,\n360101,西湖,7,500000\n",
    "reservoirs": (
        "county_code,name,total_storage(万m3),flood_storage(万m3)\n"
        "360101,甲水库,100,\n360101,乙水库,80,20\n"
    ),
}
Found = dict[tuple[str, str], dict[str, str]]


def account(
    folder: Path,
    layers: Mapping[str, np.ndarray] | None = None,
    tables: Mapping[str, str] | None = None,
    ecosystem: np.ndarray | None = None,
    **change: Any,
) -> Path:
    """Small account with the layers and tables of these services, or some of them replaced."""
    arrays = {name: np.full(SHAPE, value) for name, (value, _) in LAYERS.items()}
    kept = arrays | dict(layers or {})
    said: dict[str, Any] = {"account.optional": ["negative_oxygen_ions"]}
    said |= {f"rasters.{n}": {"file": f"{n}.tif", "unit": LAYERS[n][1]} for n in kept}
    return small.write(
        folder,
        ecosystem=ecosystem,
        rasters=kept,
        tables=TABLES | dict(tables or {}),
        change=said | change,
    )


def run(path: Path) -> gep.Result:
    return gep.open(path).run(threads=1)


def leaves(result: gep.Result, service: str, place: str = HERE) -> Found:
    """Rows of accounts.csv of one service and county by indicator and ecosystem."""
    return {
        (row["indicator"], row["ecosystem"]): row
        for row in csv.decode(result.files()["accounts.csv"])
        if row["service"] == service and row["county_code"] == place
    }


def total(found: Found, name: str, column: str = "quantity") -> float:
    """Sum over the ecosystems of one indicator."""
    return float(sum(Decimal(row[column]) for (i, _), row in found.items() if i == name))


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> gep.Result:
    return run(account(tmp_path_factory.mktemp("regulating")))


def test_the_small_account_lacks_nothing_of_these_services(tmp_path: Path) -> None:
    report = gep.open(account(tmp_path)).check()
    assert report.ok
    names = ("flood", "water_purification", "climate", "ions", *LAYERS, *TABLES)
    lacking = [line for line in str(report).splitlines() if "W517" not in line]
    assert not [name for name in names if name in "\n".join(lacking)]
    absent = [p.fields["at"] for p in report.problems if p.code == "W517"]
    assert absent == ["lakes.csv", "reservoirs.csv"], "of two counties, which have none"


def test_floods_of_the_small_account(result: gep.Result) -> None:
    """400 ha hold 250 mm, 80 ha of swamp 300 mm; lakes and reservoirs as their rows say."""
    found = leaves(result, "flood_mitigation")
    assert total(found, "vegetation") == 400 * 1e4 * 0.25
    assert {ecosystem for name, ecosystem in found if name == "vegetation"} == {
        "evergreen_broadleaf_forest",
        "evergreen_needleleaf_forest",
        "bamboo_forest",
        "broadleaf_shrubland",
        "tussock",
    }
    assert float(found["swamps", "swamp"]["quantity"]) == 80 * 1e4 * 0.3
    lakes = math.exp(4.924) * 1e4 + 500_000  # the second is measured
    assert float(found["lakes", "open_water"]["quantity"]) == pytest.approx(lakes, abs=1e-6)
    reservoirs = 0.35 * 1e6 + 200_000
    assert float(found["reservoirs", "unattributed"]["quantity"]) == reservoirs
    chain = [1.015, 1.039, 1.089, 0.976, 1.036, 1.066, 1.011, 1.003, 1.005, 0.982, 0.994, 1.058]
    price = 6.1107 * math.prod([*chain, 1.054, 1.026, 0.982, 1.081])
    for name in ("vegetation", "swamps", "lakes", "reservoirs"):
        value = total(found, name, "value")
        assert value == pytest.approx(price * total(found, name), rel=1e-7), name


def test_water_of_the_small_account(result: gep.Result) -> None:
    """1.6 km² of wetland: 176.64 t of oxygen demand against a load of 100; 13.696 t of nitrogen."""
    found = leaves(result, "water_purification")
    assert {ecosystem for _, ecosystem in found} == {"swamp", "open_water"}
    assert total(found, "chemical_oxygen_demand") == 100, "the load: capacity is 176.64"
    assert total(found, "ammonia_nitrogen") == pytest.approx(1.6 * 8.56, abs=1e-8), "the capacity"
    assert total(found, "total_phosphorus") == 1
    assert total(found, "chemical_oxygen_demand", "value") == 140_000
    assert total(found, "ammonia_nitrogen", "value") == pytest.approx(13.696 * 1750, abs=0.01)
    assert total(found, "total_phosphorus", "value") == 5600
    assert {row["verified"] for (name, _), row in found.items() if name == "ammonia_nitrogen"} == {
        "design"
    }


def test_load_of_nothing_and_no_load(result: gep.Result) -> None:
    """Without a load the quantity is missing, never the capacity; a load of 0 is 0."""
    missing = leaves(result, "water_purification", "360102")
    zero = leaves(result, "water_purification", "360103")
    assert {row["quantity"] for (name, _), row in missing.items() if "chem" in name} == {""}
    assert total(zero, "chemical_oxygen_demand") == 0
    assert total(missing, "ammonia_nitrogen") == 5


def test_climate_of_the_small_account(result: gep.Result) -> None:
    """240 ha of forest, 80 of shrubland, 80 of grassland at 120 days; 80 ha of water, 300 mm."""
    found = leaves(result, "climate_regulation")
    electricity = {
        "forest": 2837.27 * 120 / 3 / 3600 * 240e4,
        "broadleaf_shrubland": 1300.95 * 120 / 3 / 3600 * 80e4,
        "tussock": 969.83 * 120 / 3 / 3600 * 80e4,
    }
    assert total(found, "vegetation") == pytest.approx(sum(electricity.values()), abs=1e-3)
    for key in ("broadleaf_shrubland", "tussock"):
        quantity = float(found["vegetation", key]["quantity"])
        assert quantity == pytest.approx(electricity[key], abs=1e-3)
    water = 300 * 2450 / 3 / 3600 * 80e4
    assert float(found["water", "open_water"]["quantity"]) == pytest.approx(water, abs=1e-3)
    assert ("water", "swamp") not in found
    for name in ("vegetation", "water"):
        value = total(found, name, "value")
        assert value == pytest.approx(0.6 * total(found, name), abs=0.05), name
    assert found["vegetation", "tussock"]["verified"] == "recalled"
    assert found["water", "open_water"]["verified"] == "design"


def test_ions_of_the_small_account(result: gep.Result) -> None:
    """240 ha of forest; money only of what is above the floor, moved from 2005 to 2021."""
    found = leaves(result, "negative_oxygen_ions")
    assert total(found, "ions") == pytest.approx(240 * 1.0512e19, rel=1e-12)
    assert total(found, "ions_above_floor") == pytest.approx(240 * 7.3584e18, rel=1e-12)
    assert {row["value"] for (name, _), row in found.items() if name == "ions"} == {""}
    chain = [1.03, 1.031, 1.069, 0.946, 1.055, 1.06, 0.983, 0.981, 0.981, 0.948, 0.986, 1.063]
    chain += [1.035, 0.997, 0.982, 1.081]
    value = 240 * 7.3584e18 * 5.8185e-18 * math.prod(chain)
    assert total(found, "ions_above_floor", "value") == pytest.approx(value, abs=0.02)


def test_ions_are_counted_only_where_the_account_asks_for_them(tmp_path: Path) -> None:
    found = run(account(tmp_path, **{"account.optional": []}))
    assert not leaves(found, "negative_oxygen_ions")
    assert leaves(found, "climate_regulation")


def test_explanation_names_formula_numbers_and_tables(result: gep.Result) -> None:
    text = result.explain(HERE, "flood_mitigation")
    for words in ("C = e^a A^b T per lake", "lakes.csv", "4.924", "RAO2014", "reservoirs.csv"):
        assert words in text
    assert "2837.27" in result.explain(HERE, "climate_regulation")


def test_runoff_above_the_storm_is_missing_and_blamed(tmp_path: Path) -> None:
    """A row of pixels with more runoff than rain: missing, counted, below 98 % warned about."""
    runoff = np.full(SHAPE, 50.0)
    runoff[:2] = 300.5
    found = run(account(tmp_path, {"storm_runoff": runoff}))
    core = found.manifest["core"]
    (blame,) = core["missing"]["flood_mitigation.vegetation"].items()
    assert blame[0] == "no finite result / 结果不是有限数"
    eligible = np.isin(small.classes(), [11, 13, 16, 21, 33]) & (small.places() >= 0)
    assert blame[1] == int(eligible[:2].sum())
    rows = leaves(found, "flood_mitigation")
    lost = int((eligible & (small.places() == 0))[:2].sum())
    assert total(rows, "vegetation") == (400 - lost) * 1e4 * 0.25
    coverage = Decimal(rows["vegetation", "tussock"]["coverage"])
    assert float(coverage) == pytest.approx(1 - lost / 400, abs=1e-6)


def test_runoff_above_the_storm_everywhere_stops_the_account(tmp_path: Path) -> None:
    """The two rasters swapped: every pixel is missing, which is an error."""
    swapped = {"storm_precipitation": np.full(SHAPE, 50.0), "storm_runoff": np.full(SHAPE, 300.0)}
    with pytest.raises(InputError) as caught:
        run(account(tmp_path, swapped))
    (problem,) = [p for p in caught.value.problems if p.code == "E305"]
    assert problem.fields["indicator"] == "vegetation"
    assert problem.fields["culprit"] == "no finite result / 结果不是有限数"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hot_days", 367.0),
        ("hot_days", -1.0),
        ("storm_precipitation", -5.0),
        ("water_evaporation", 3001.0),
        ("ion_concentration", -50.0),
        ("stand_height", 121.0),
    ],
)
def test_impossible_layer_is_refused(tmp_path: Path, name: str, value: float) -> None:
    array = np.full(SHAPE, LAYERS[name][0])
    array[5, 5] = value
    with pytest.raises(InputError) as caught:
        run(account(tmp_path, {name: array}))
    assert "E307" in {problem.code for problem in caught.value.problems}


def test_hot_days_of_another_unit_are_refused(tmp_path: Path) -> None:
    unit = {"rasters.hot_days": {"file": "hot_days.tif", "unit": "mm/year"}}
    report = gep.open(account(tmp_path, **unit)).check()
    assert not report.ok


def test_reservoirs_and_lakes_go_to_their_ecosystems(tmp_path: Path) -> None:
    """With typed water, lakes go to lakes and open water, reservoirs to reservoirs."""
    codes = small.classes()
    codes[codes == 41] = 42
    codes[codes == 61] = 44
    found = leaves(run(account(tmp_path, ecosystem=codes)), "flood_mitigation")
    assert {e for name, e in found if name == "lakes"} == {"lake", "open_water"}
    assert {e for name, e in found if name == "reservoirs"} == {"reservoir"}
    halves = [float(found["lakes", e]["quantity"]) for e in ("lake", "open_water")]
    assert halves[0] == pytest.approx(halves[1], abs=1e-5)
    assert not [name for name, _ in found if name == "swamps"]


def test_without_layers_and_tables_the_account_is_partial_and_says_so(tmp_path: Path) -> None:
    said = str(gep.open(small.write(tmp_path)).check())
    for words in ("storm_precipitation", "loads", "lakes", "reservoirs", "hot_days"):
        assert words in said
    assert "ion_concentration" not in said, "optional: nobody asked for it"


# ---- laws

DEPTH = st.floats(0, 10_000)
DAYS = st.floats(0, 366)
POSITIVE = st.floats(0.01, 1e4)


@given(days=DAYS, more=DAYS, heat=st.floats(0, 30_000), efficiency=st.floats(1, 20))
def test_more_hot_days_are_never_less(
    days: float, more: float, heat: float, efficiency: float
) -> None:
    before = transpiration(days, heat, efficiency)
    assert transpiration(days + more, heat, efficiency) >= before >= 0


@given(depth=DEPTH, more=DEPTH, efficiency=st.floats(1, 20))
def test_more_evaporation_is_never_less(depth: float, more: float, efficiency: float) -> None:
    before = evaporation(depth, 2450.0, 1000.0, efficiency)
    assert evaporation(depth + more, 2450.0, 1000.0, efficiency) >= before >= 0


@given(days=DAYS, heat=st.floats(0, 30_000), efficiency=st.floats(1, 19))
def test_better_air_conditioners_make_shade_cheaper(
    days: float, heat: float, efficiency: float
) -> None:
    better = transpiration(days, heat, efficiency + 1)
    assert better <= transpiration(days, heat, efficiency)


@given(storm=DEPTH, runoff=DEPTH)
def test_vegetation_holds_between_nothing_and_the_storm(storm: float, runoff: float) -> None:
    held = storm_water(storm, runoff)
    if runoff > storm:
        assert math.isnan(held)
    else:
        assert 0 <= held <= storm


@given(area=POSITIVE, more=POSITIVE)
def test_a_larger_lake_regulates_more(area: float, more: float) -> None:
    assert lake_water(area + more, **EAST_PLAIN) > lake_water(area, **EAST_PLAIN) > 0


@given(area=POSITIVE, other=POSITIVE)
def test_the_parts_of_a_lake_are_less_than_the_lake(area: float, other: float) -> None:
    """The exponent is above 1: a lake cut at county borders must be entered by its storage."""
    parts = lake_water(area, **EAST_PLAIN) + lake_water(other, **EAST_PLAIN)
    assert parts < lake_water(area + other, **EAST_PLAIN)


@given(storage=st.floats(0, 1e11), share=st.floats(0, 1))
def test_a_reservoir_holds_no_more_than_it_can(storage: float, share: float) -> None:
    assert 0 <= reservoir_water(storage, share) <= storage


@given(depth=st.floats(0, 10_000))
def test_a_swamp_takes_what_its_class_says(depth: float) -> None:
    assert swamp_water(depth) == depth


@given(q=st.floats(0, 1e6), more=st.floats(0, 1e6), height=st.floats(0, 120))
def test_ions_above_the_floor_are_some_of_all_ions(q: float, more: float, height: float) -> None:
    rest = (10.0, 525600.0, 1.0)
    above = ions_above_floor(q, height, 600.0, *rest)
    assert 0 <= above <= ions(q, height, *rest)
    assert ions_above_floor(q + more, height, 600.0, *rest) >= above


def test_more_hot_days_are_never_less_in_an_account(result: gep.Result, tmp_path: Path) -> None:
    warmer = np.full(SHAPE, LAYERS["hot_days"][0])
    warmer[:, ::3] += 10
    found = leaves(run(account(tmp_path, {"hot_days": warmer})), "climate_regulation")
    before = leaves(result, "climate_regulation")
    assert found.keys() == before.keys()
    for key, row in found.items():
        assert Decimal(row["quantity"]) >= Decimal(before[key]["quantity"])
    assert total(found, "vegetation") > total(before, "vegetation")
    assert total(found, "water") == total(before, "water")


@pytest.mark.parametrize("load", [0, 1, 176, 177, 1e6])
def test_capacity_is_capped_by_the_load(tmp_path: Path, load: float) -> None:
    """min(load, 176.64 t), whatever the load; the parts add up exactly."""
    text = f"county_code,cod(t),ammonia_nitrogen(t),total_phosphorus(t)\n{HERE},{load},0,0\n"
    found = leaves(run(account(tmp_path, tables={"loads": text})), "water_purification")
    wanted = min(Decimal(load), Decimal("176.64"))
    parts = [
        Decimal(row["quantity"]) for (n, _), row in found.items() if n == "chemical_oxygen_demand"
    ]
    assert abs(sum(parts) - wanted) < Decimal("1e-8")
    assert sum(parts) <= Decimal(load)


def test_services_refuse_wrong_units() -> None:
    with pytest.raises(UnitError):
        gep.services["climate_regulation"](
            hot_days=layer(1.0, "mm/year"),
            water_evaporation=layer(1.0, "mm/year"),
            ecosystem=classes("lake"),
        )


def test_water_purification_by_class() -> None:
    """Capacities of a service without rasters; total nitrogen only on request."""
    found = gep.services["water_purification"](ecosystem=classes("lake", "paddy"))
    assert set(found) == {"chemical_oxygen_demand", "ammonia_nitrogen", "total_phosphorus"}
    assert float(found["chemical_oxygen_demand"][0]) == 110.4
    assert math.isnan(found["chemical_oxygen_demand"][1])
    assert found["chemical_oxygen_demand"].units == "t/(km^2*year)"


# ---- sandstorm prevention

FRYREAR = {
    "transport_constant": 109.8,
    "field_length_constant": 150.71,
    "field_length_exponent": 0.3711,
    "downwind_distance": 50.0,
}
WIND = {
    "weather_factor": (3.0, "kg/m"),
    "erodible_fraction": (0.5, "1"),
    "crust_factor": (0.6, "1"),
    "roughness_factor": (0.3, "1"),
    "wind_vegetation_factor": (0.25, "1"),
}
"""Factors whose product is 0.27 kg/m on bare ground."""


def wind_erosion(product: float, constant: float = 150.71) -> float:
    """Soil lost to the wind [kg/m²] as the paper writes it, through the critical field length."""
    length: float = constant * product**-0.3711
    return 2 * 50 / length**2 * 109.8 * product * math.exp(-((50 / length) ** 2))


def fixed(vegetation: float, product: float = 0.27, **other: float) -> float:
    found: float = sand_fixed(product, 1.0, 1.0, 1.0, vegetation, **FRYREAR | other)
    return found


@pytest.mark.parametrize(
    ("constant", "length", "loss"), [(150.71, 245.0, 0.0474), (105.71, 171.85, 0.0922)]
)
def test_wind_erosion_of_a_bare_field(constant: float, length: float, loss: float) -> None:
    """Product 0.27 kg/m, z 50 m: s = 245.0 m, Qmax = 29.65 kg/m; 171.85 m with 105.71."""
    assert constant * 0.27**-0.3711 == pytest.approx(length, rel=1e-3)
    assert 0.27 * FRYREAR["transport_constant"] == pytest.approx(29.65, rel=1e-3)
    found = fixed(0.0, field_length_constant=constant)
    assert found == pytest.approx(loss, rel=1e-3)
    assert found == pytest.approx(wind_erosion(0.27, constant), rel=1e-12)


def test_short_form_of_wind_erosion_is_another() -> None:
    """0.1699 · 0.27^1.3711 = 0.02822, against 0.0474 of the full form: no identity."""
    found = sand_fixed_simplified(0.27, 1.0, 1.0, 1.0, 0.0, 0.1699, 1.3711)
    assert found == pytest.approx(0.02822, rel=1e-3)
    half = sand_fixed_simplified(3.0, 0.5, 0.6, 0.3, 0.5, 0.1699, 1.3711)
    assert half == pytest.approx(0.1699 * 0.27**1.3711 * (1 - 0.5**1.3711), rel=1e-12)


@given(product=st.floats(0, 60), vegetation=st.floats(0, 1), more=st.floats(0, 1))
def test_more_vegetation_never_fixes_less_sand(
    product: float, vegetation: float, more: float
) -> None:
    """Below the peak of the formula, a product of some 61.7 kg/m."""
    low, high = sorted((vegetation, more))
    assert fixed(low, product) >= fixed(high, product) >= 0
    assert fixed(1.0, product) == 0
    if product > 1e-3:
        assert fixed(0.0, product) == pytest.approx(wind_erosion(product), rel=1e-9)
    numbers = (product, 1.0, 1.0, 1.0)
    short = [sand_fixed_simplified(*numbers, c, 0.1699, 1.3711) for c in (low, high)]
    assert short[0] >= short[1] >= 0


def test_beyond_its_peak_the_formula_says_that_vegetation_brings_sand() -> None:
    """The loss at 50 m falls again above x = (1.7422/0.7422)^(1/0.7422) · (150.71/50)^(2/0.7422).

    There the difference is negative for some covers: set to 0, as the sources do.
    """
    peak = (1.7422 / 0.7422 * (150.71 / 50) ** 2) ** (1 / 0.7422)
    assert peak == pytest.approx(61.73, abs=0.01)
    assert wind_erosion(2 * peak) < wind_erosion(peak) > wind_erosion(peak / 2)
    assert wind_erosion(4 * peak) < wind_erosion(peak)
    assert fixed(0.25, 4 * peak) == 0.0


def test_no_wind_no_sand_and_no_number_no_number() -> None:
    zero = sand_fixed(0.0, 0.5, 0.6, 0.3, 0.25, **FRYREAR)
    assert zero == 0.0
    assert sand_fixed(0.0, 0.5, 0.6, 0.3, 0.0, **FRYREAR) == 0.0
    assert sand_fixed_simplified(0.0, 0.5, 0.6, 0.3, 0.0, 0.1699, 1.3711) == 0.0
    factors = [value for value, _ in WIND.values()]
    for wrong in (math.nan, -0.1):
        for position in range(5):
            numbers = [*factors[:position], wrong, *factors[position + 1 :]]
            assert math.isnan(sand_fixed(*numbers, **FRYREAR)), (wrong, position)
            assert math.isnan(sand_fixed_simplified(*numbers, 0.1699, 1.3711))
    assert math.isnan(sand_fixed(0.0, 0.5, math.nan, 0.3, 0.25, **FRYREAR)), "0 hides no hole"


SAND_NUMBERS = [
    ("transport_constant", "", "1", 109.8),
    ("field_length_constant", "", "m", 150.71),
    ("field_length_constant", "rcees", "m", 105.71),
    ("field_length_exponent", "", "1", 0.3711),
    ("downwind_distance", "", "m", 50),
    ("simplified_constant", "", "kg/(m^2*year)", 0.1699),
    ("simplified_exponent", "", "1", 1.3711),
    ("sand_density", "", "t/m^3", 1.28),
    ("sand_cover_depth", "", "m", 0.1),
]


@pytest.mark.parametrize(("name", "chosen", "unit", "wanted"), SAND_NUMBERS)
def test_number_of_sand_on_file(
    book: Book, name: str, chosen: str, unit: str, wanted: float
) -> None:
    found = book.coefficient("sandstorm_prevention", name, chosen)
    assert found
    number = found.number(unit)
    assert number
    assert float(number[0]) == wanted


def test_sand_control_moves_with_the_cost_of_construction(book: Book) -> None:
    found = book.coefficient("sandstorm_prevention", "sand_control_cost")
    assert found
    prices = [book.price(found, "CNY/m^2", year) for year in (2010, 2011)]
    assert [float(p.number) for p in prices if isinstance(p, Price)] == [
        3.75,
        pytest.approx(3.75 * 1.066, rel=1e-12),
    ]


@pytest.mark.parametrize(
    ("name", "method"),
    [(n, "rweq_simplified" if n == "mee-2020" else "rweq") for n in profile.names()],
)
def test_profiles_reckon_sand_as_they_say(name: str, method: str) -> None:
    choice = profile.load(name).choices["sandstorm_prevention"]
    assert (choice.method, choice.counted) == (method, True if name == "mee-2020" else "optional")


@pytest.mark.parametrize("name", ["jiangxi-2021", "mee-2020"])
def test_garze_2010_sand(name: str) -> None:
    """The same paper, 3.2.3: 779.42e4 t over 1.28 t/m³ and 0.1 m, 60.89 km² at 3.75 CNY/m²."""
    row = {"service": "sandstorm_prevention", "indicator": "sand_fixed"}
    row |= {"quantity": 779.42, "quantity_unit": "万t"}  # type: ignore[dict-item]
    rows = gep.from_quantities(pd.DataFrame([row]), name, price_year=2010).rows
    found = rows.set_index("indicator").loc["sand_free_area"]
    assert float(found["quantity"]) / 1e6 == pytest.approx(60.89, abs=0.005)
    assert float(found["quantity"]) == pytest.approx(779.42e4 / 1.28 / 0.1, rel=1e-12)
    assert float(found["value"]) / 1e8 == pytest.approx(2.2835, abs=5e-5)
    assert rows["value"].isna().to_list() == [True, False], "the soil itself has no money"


def windy(
    folder: Path,
    profile_name: str = "jiangxi-2021",
    factors: Mapping[str, np.ndarray] | None = None,
) -> Path:
    """Small account of the factors of wind erosion, three of its pixels sandy, one bare."""
    ecosystem = small.classes()
    ecosystem[0, 0:3], ecosystem[0, 3] = 71, 82
    arrays = {name: np.full(SHAPE, value) for name, (value, _) in WIND.items()}
    arrays |= factors or {}
    said: dict[str, Any] = {"account.profile": profile_name, "account.price_year": 2010}
    if profile_name == "jiangxi-2021":
        said["account.optional"] = ["sandstorm_prevention"]
    said |= {f"rasters.{n}": {"file": f"{n}.tif", "unit": u} for n, (_, u) in WIND.items()}
    return small.write(folder, ecosystem=ecosystem, rasters=arrays, change=said)


@pytest.mark.parametrize("name", ["jiangxi-2021", "mee-2020"])
def test_sand_of_the_small_account(tmp_path: Path, name: str) -> None:
    """Every eligible hectare keeps the same soil: SL(0.27) - SL(0.25 · 0.27), or the short form."""
    density = wind_erosion(0.27) - wind_erosion(0.27 * 0.25)
    if name == "mee-2020":
        density = 0.1699 * 0.27**1.3711 * (1 - 0.25**1.3711)
    found = leaves(run(windy(tmp_path, name)), "sandstorm_prevention")
    codes = np.where(small.places() == 0, small.classes(), 0)
    codes[0, 0:3], codes[0, 3] = 71, 82
    eligible = {
        "evergreen_broadleaf_forest": 11,
        "evergreen_needleleaf_forest": 13,
        "bamboo_forest": 16,
        "broadleaf_shrubland": 21,
        "tussock": 33,
        "paddy": 51,
        "upland": 52,
        "sand": 71,
        "bare_land": 82,
    }
    kept = {key for indicator, key in found if indicator == "sand_fixed"}
    assert kept == {key for key, code in eligible.items() if (codes == code).any()}
    assert {"sand", "bare_land"} <= kept
    assert not kept & {"swamp", "open_water", "built_up"}
    for key in kept:
        square_metres = int((codes == eligible[key]).sum()) * 1e4
        tonnes = density * square_metres / 1000
        assert float(found["sand_fixed", key]["quantity"]) == pytest.approx(tonnes, rel=1e-6)
        area = float(found["sand_free_area", key]["quantity"])
        assert area == pytest.approx(tonnes / 1.28 / 0.1, rel=1e-6)
        value = float(found["sand_free_area", key]["value"])
        assert value == pytest.approx(3.75 * area, abs=0.01)
        assert found["sand_fixed", key]["value"] == ""


def test_sand_is_counted_only_where_the_account_asks_for_it(tmp_path: Path) -> None:
    path = windy(tmp_path)
    path.write_text(path.read_text("utf8").replace('["sandstorm_prevention"]', "[]"), "utf8")
    assert not leaves(run(path), "sandstorm_prevention")


def test_a_hole_in_a_factor_of_wind_is_missing_and_blamed(tmp_path: Path) -> None:
    crust = np.full(SHAPE, 0.6)
    crust[0, 5] = math.nan
    core = run(windy(tmp_path, factors={"crust_factor": crust})).manifest["core"]
    assert core["missing"]["sandstorm_prevention.sand_fixed"] == {"crust_factor": 1}


@pytest.mark.parametrize(
    ("name", "value"),
    [("erodible_fraction", 50.0), ("roughness_factor", 1.2), ("weather_factor", -1.0)],
)
def test_impossible_factor_of_wind_is_refused(tmp_path: Path, name: str, value: float) -> None:
    """Per cent for a share; the roughness of mountains; a negative wind."""
    array = np.full(SHAPE, WIND[name][0])
    array[5, 5] = value
    with pytest.raises(InputError) as caught:
        run(windy(tmp_path, factors={name: array}))
    assert "E307" in {problem.code for problem in caught.value.problems}


def test_explanation_of_what_is_only_divided(tmp_path: Path) -> None:
    text = run(windy(tmp_path)).explain(HERE, "sandstorm_prevention")
    assert "sand_fixed / sand_density / sand_cover_depth" in text
    assert "S29" in text
