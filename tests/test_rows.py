"""Services made of department tables, on a small account: every amount worked out by hand."""

import csv
import io
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas
import pytest
import small

import gep
from gep import plan
from gep.accounts import account
from gep.cube import UNATTRIBUTED, Amounts, Line
from gep.ecosystems import Title, ecosystems, groups
from gep.errors import GepError
from gep.result import Result
from gep.run import accumulate
from gep.service import AREA, Example, Indicator, services

RESERVOIR, RIVER, POND = 44, 43, 45
EAST, WEST, SOUTH = small.CODES
TOURISM = """\
county_code,name,visitors(visit),cost(CNY/visit),days(day/visit),wage(CNY/day)
360101,本省,1000,600,1.5,200
360101,外省,200.5,1500,3,310
360102,本省,4000,120,0.5,180
360103,本省,700,,1,200
"""
INCOME = """\
county_code,visitors(万人次),income(万元),nature_share(%)
360101,12,20000,25
360102,,1000,100
360103,3,,40
"""
ENERGY = """\
county_code,name,generation(万kWh)
360101,一级站,100
360101,二级站,25.5
360102,,7
360103,坝后站,
"""
ASKED = {"account.optional": ["water_supply"]}
WATER = """\
county_code,domestic(万m^3),industrial(m^3),agricultural(亿m³)
360101,100,2500000,0.5
360102,,0,0.2
"""
LAKES = """\
county_code,name,area(km2),storage(m3)
360101,月湖,1,
360101,星湖,2,123456.5
360102,日湖,,1000
"""


def nights_of(beds: float, time_value_share: float) -> float:
    return beds * time_value_share


def run(tmp_path: Path, how: dict[str, Any] | None = None, **tables: str | None) -> Result:
    """Account of the small counties with some tables; nothing but tables where `how` says so."""
    return gep.open(small.write(tmp_path, tables=tables, **how or {})).run(threads=1)


def line(result: Result, service: str, indicator: str) -> Line:
    (found,) = [n for n in result.account.lines if n.key == (service, indicator)]
    return found


def by_county(amounts: Amounts) -> dict[str, int | None]:
    """Amount per county, None where a leaf has none."""
    found: dict[str, int | None] = {}
    for (place, _), amount in amounts.items():
        before = found.get(place, 0)
        found[place] = None if before is None or amount is None else before + amount
    return found


def problems(tmp_path: Path, **tables: str) -> list[str]:
    """What `gep check` says of the tables, in English, without its fixes."""
    report = gep.open(small.write(tmp_path, tables=tables, change=ASKED)).check()
    names = {f"{name}.csv" for name in tables}
    return [p.text() for p in report.problems if any(name in p.text() for name in names)]


def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> str:
    """Name of a profile that extends jiangxi-2021 by *text*, kept beside the shipped ones."""
    from gep import profile as rooms
    from gep.shipped import read_toml

    path = tmp_path / "own.toml"
    path.write_text(text, "utf8")
    kept = rooms._inherited

    def inherited(name: str) -> tuple[dict[str, Any], tuple[Path, ...]]:
        if name != "own":
            return kept(name)
        base, files = kept("jiangxi-2021")
        raw = read_toml(path)
        merged = base["services"] | {
            service: base["services"].get(service, {}) | said
            for service, said in raw["services"].items()
        }
        return base | {"services": merged} | {"exclusive": raw.get("exclusive", [])}, (*files, path)

    monkeypatch.setattr(rooms, "_inherited", inherited)
    return "own"


# ---- money without a price


def test_travel_cost_by_hand(tmp_path: Path) -> None:
    result = run(tmp_path, tourism=TOURISM)
    visits = line(result, "tourism", "visits")
    assert visits.unit == "visit/year"
    assert visits.amounts == {
        (EAST, UNATTRIBUTED): 1_200_500,  # 1000 + 200.5 visits, in thousandths
        (WEST, UNATTRIBUTED): 4_000_000,
        (SOUTH, UNATTRIBUTED): 700_000,
    }
    east = 1000 * (600 + 1.5 * 200) + 200.5 * (1500 + 3 * 310)  # 900 000 + 487 215
    assert by_county(visits.cents) == {
        EAST: round(east * 100),
        WEST: 4000 * (120 + 90) * 100,
        SOUTH: None,  # no cost: the visits are known, their money is not
    }
    assert visits.cents[EAST, UNATTRIBUTED] == 138_721_500
    assert visits.prices == {}
    assert set(visits.states.values()) == {"recalled"}, "the share of the wage"
    assert visits in list(result.account.counted())
    assert visits.lacks(SOUTH)
    assert not visits.lacks(WEST)


def test_travel_cost_is_in_the_tables_without_a_price(tmp_path: Path) -> None:
    result = run(tmp_path, tourism=TOURISM)
    rows = list(csv.DictReader(io.StringIO(result.files()["accounts.csv"].decode("utf-8-sig"))))
    (east,) = [r for r in rows if (r["county_code"], r["service"]) == (EAST, "tourism")]
    assert (east["quantity"], east["quantity_unit"]) == ("1200.500", "visit/year")
    assert (east["value"], east["value_unit"]) == ("1387215.00", "CNY_2021")
    assert (east["price"], east["price_unit"]) == ("", "")
    counties = result.counties.set_index("code")
    assert counties.loc[WEST, "cultural"] == pytest.approx(840_000)


def test_share_of_the_wage_is_a_parameter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = profile(tmp_path, monkeypatch, "[services.tourism.parameters]\ntime_value_share = 0.4\n")
    result = run(tmp_path / "a", {"change": {"account.profile": own}}, tourism=TOURISM)
    visits = line(result, "tourism", "visits")
    assert by_county(visits.cents)[WEST] == 4000 * (120 + 36) * 100
    assert set(visits.states.values()) == {"design"}


def test_money_of_rows_is_moved_by_the_consumer_price(tmp_path: Path) -> None:
    """840 000 CNY of 2021 are 840 000 / 1.009 of 2020."""
    result = run(tmp_path, {"change": {"account.price_year": 2020}}, tourism=TOURISM)
    visits = line(result, "tourism", "visits")
    assert by_county(visits.cents)[WEST] == round(84_000_000 / 1.009)
    assert set(visits.states.values()) == {"recalled"}


def test_money_no_index_moves_is_left_out_and_said_once(tmp_path: Path) -> None:
    change = {"account.price_year": 1999}
    result = run(tmp_path, {"change": change}, tourism=TOURISM)
    visits = line(result, "tourism", "visits")
    assert set(visits.cents.values()) == {None}
    assert visits.amounts[WEST, UNATTRIBUTED] == 4_000_000
    said = [p.fields["table"] for p in result.account.problems if p.code == "W524"]
    assert sorted(said) == ["products", "tourism"]


def test_income_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = profile(tmp_path, monkeypatch, '[services.tourism]\nmethod = "income"\n')
    result = run(tmp_path / "a", {"change": {"account.profile": own}}, tourism=INCOME)
    visits = line(result, "tourism", "visits")
    assert by_county(visits.cents) == {
        EAST: 50_000_000_00,  # 20 000 x 10^4 CNY, a quarter of it
        WEST: 10_000_000_00,
        SOUTH: None,
    }
    assert by_county(visits.amounts) == {EAST: 120_000_000, WEST: None, SOUTH: 30_000_000}
    assert not visits.lacks(WEST), "money is what counts"
    assert set(visits.states.values()) == {"design"}, "the factor 1 is a decision"


def test_income_needs_no_visitors_and_takes_the_published_factor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '[services.tourism]\nmethod = "income"\nsets = { income_factor = "garze2010" }\n'
    own = profile(tmp_path, monkeypatch, text)
    table = "county_code,income(亿元),nature_share(1)\n360101,23.5556,1\n"
    change = {"account.profile": own, "account.year": 2010}
    result = run(tmp_path / "a", {"change": change}, tourism=table)
    visits = line(result, "tourism", "visits")
    assert by_county(visits.amounts) == {EAST: None}
    assert by_county(visits.cents) == {EAST: 706_668_000_000}  # 70.67 x 10^8 CNY, as published
    assert set(visits.states.values()) == {"seen"}


# ---- price times quantity, several rows of a county


def with_water(*, river: bool = True) -> dict[str, Any]:
    """Four pixels of reservoir and twelve of river in the east, a pond in the west."""
    classes = small.classes()
    classes[0, 0:4] = RESERVOIR
    if river:
        classes[1, 0:12] = RIVER
    classes[0, 20:30] = POND
    return {"ecosystem": classes}


def test_hydropower_by_hand(tmp_path: Path) -> None:
    result = run(tmp_path, with_water(), energy=ENERGY)
    power = line(result, "ecological_energy", "hydropower")
    assert power.unit == "kWh/year"
    assert power.amounts == {
        (EAST, "reservoir"): 313_750_000,  # 1 255 000 kWh, a quarter of the water
        (EAST, "river"): 941_250_000,
        (WEST, UNATTRIBUTED): 70_000_000,
        (SOUTH, UNATTRIBUTED): None,
    }
    assert by_county(power.cents) == {
        EAST: 66_515_000,  # 1 255 000 kWh at 0.53 CNY
        WEST: 3_710_000,
        SOUTH: None,
    }
    assert power.states[WEST, UNATTRIBUTED] == "design", "no tariff of 2021 was seen"


def test_hydropower_of_the_year_of_the_tariff_is_as_seen(tmp_path: Path) -> None:
    result = run(tmp_path, {"change": {"account.year": 2010}}, energy=ENERGY)
    power = line(result, "ecological_energy", "hydropower")
    assert power.cents[WEST, UNATTRIBUTED] == 3_710_000
    assert power.states[WEST, UNATTRIBUTED] == "seen"


def test_water_supply_by_hand(tmp_path: Path) -> None:
    """Without rain: water retention is then not covered, and the two do not exclude each other."""
    how = {"rasters": {"precipitation": None}, "change": {"account.year": 2010} | ASKED}
    result = run(tmp_path, how, water=WATER)
    cents = {
        name: by_county(line(result, "water_supply", name).cents)
        for name in ("domestic", "industrial", "agricultural")
    }
    assert cents == {
        "domestic": {EAST: 260_000_000, WEST: None},  # 10^6 m^3 at 2.6
        "industrial": {EAST: 900_000_000, WEST: 0},  # 2.5 x 10^6 m^3 at 3.6
        "agricultural": {EAST: 350_000_000, WEST: 140_000_000},  # 5 x 10^7 m^3 at 0.07
    }
    assert line(result, "water_supply", "domestic").states[EAST, UNATTRIBUTED] == "seen"


def test_water_prices_move_by_the_producer_price(tmp_path: Path) -> None:
    how = {"rasters": {"precipitation": None}, "change": {"account.year": 2011} | ASKED}
    water = line(run(tmp_path, how, water=WATER), "water_supply", "agricultural")
    assert by_county(water.cents)[EAST] == 371_000_000  # x 106.0 / 100


def test_water_is_not_counted_twice(tmp_path: Path) -> None:
    report = gep.open(small.write(tmp_path, tables={"water": WATER}, change=ASKED)).check()
    (problem,) = [p for p in report.problems if p.code == "E011"]
    assert problem.fields["services"] == "water_retention, water_supply"


PRODUCTS = """\
county_code,group,product,quantity,unit,price(元),value(元)
360101,forestry,木材,1000,m^3,900,
360101,forestry,毛竹,,,,500000.55
360101,animal_husbandry,生猪,300,t,21000,
360101,fishery,鱼,16,t,18000,
360102,fishery,鱼,5,t,17000,
360103,fishery,鱼,2,t,17500,
360102,other,苗木,,,,1234
"""


def test_products_of_every_group_by_hand(tmp_path: Path) -> None:
    result = run(tmp_path, with_water(), products=PRODUCTS)
    values = {
        (n.service, n.indicator): by_county(n.cents)
        for n in result.account.lines
        if n.group == "provisioning"
    }
    assert values == {
        ("forestry_products", "木材"): {EAST: pytest.approx(90_000_000, abs=2)},  # per ecosystem
        ("forestry_products", "毛竹"): {EAST: 50_000_055},
        ("animal_husbandry_products", "生猪"): {EAST: 630_000_000},
        ("fishery_products", "鱼"): {EAST: 28_800_000, WEST: 8_500_000, SOUTH: 3_500_000},
        ("other_products", "苗木"): {WEST: 123_400},
    }
    fish = line(result, "fishery_products", "鱼")
    assert {leaf[1] for leaf in fish.amounts if leaf[0] == WEST} == {"open_water", "pond"}
    assert fish.amounts[WEST, "pond"] is not None
    pigs = line(result, "animal_husbandry_products", "生猪")
    assert set(pigs.amounts) == {(EAST, UNATTRIBUTED)}
    wood = line(result, "forestry_products", "木材")
    forest = {"evergreen_broadleaf_forest", "evergreen_needleleaf_forest", "bamboo_forest"}
    assert {leaf[1] for leaf in wood.amounts} == forest
    assert set(wood.states.values()) == {"given"}


def test_fish_go_to_water_by_its_area(tmp_path: Path) -> None:
    """In the east the reservoir has 4 pixels, the river 12, and open water what is left of it."""
    classes = small.classes()
    classes[classes == 47] = 61
    classes[0, 0:4], classes[1, 0:12] = RESERVOIR, RIVER
    fish = line(run(tmp_path, {"ecosystem": classes}, products=PRODUCTS), "fishery_products", "鱼")
    assert fish.amounts[EAST, "reservoir"] == 4_000_000  # of 16 t, in grams
    assert fish.amounts[EAST, "river"] == 12_000_000
    assert fish.amounts[WEST, UNATTRIBUTED] == 5_000_000


# ---- measured amounts


def test_a_measured_amount_wins_over_the_formula(tmp_path: Path) -> None:
    found = line(run(tmp_path, lakes=LAKES), "flood_mitigation", "lakes")
    amounts = by_county(found.amounts)
    formula = math.exp(4.924) * 1e4  # m^3 of a lake of 1 km^2 that is exchanged once a year
    assert amounts[EAST] == pytest.approx((formula + 123456.5) / float(found.quantum), abs=2)
    assert amounts[WEST] == 1000 / found.quantum


def test_what_is_measured_is_given_and_what_is_not_is_as_sure_as_the_formula(
    tmp_path: Path,
) -> None:
    """A service of its own: beds times a remembered share, unless the nights are counted."""
    nights = Indicator(
        name="nights",
        title=Title("Nights", "过夜"),
        kernel=nights_of,
        table="beds",
        columns={"beds": "visit/year"},
        coefficients={"time_value_share": "1"},
        measured=("nights", "visit/year"),
        items=True,
        ecosystems=("lake",),
        gives="visit/year",
        quantity="visit/year",
        quantum=1e-3,
        spread=(AREA,),
        example=Example(inputs={"beds": 2.0, "time_value_share": 0.5}, gives=1.0),
        source="test",
    )
    service = replace(services()["tourism", "travel_cost"], indicators=(nights,))
    table = (
        "county_code,beds(visit),nights(万人次)\n"
        "360101,7,\n360101,,0.0005\n360102,,2\n360102,9,3\n360103,,\n"
    )
    none = dict.fromkeys(small.UNITS)
    path = small.write(tmp_path, tables={"beds": table}, rasters=none)
    made, found = plan.make(
        gep.open(path).definition, tmp_path, {("tourism", "travel_cost"): service}
    )
    assert made
    assert not [p for p in found if p.is_error]
    (line,) = account(made, accumulate(made, 1)).lines
    assert line.amounts == {
        (EAST, UNATTRIBUTED): 12_000,
        (WEST, UNATTRIBUTED): 50_000_000,
        (SOUTH, UNATTRIBUTED): None,
    }
    assert {leaf[0]: state for leaf, state in line.states.items()} == {
        EAST: "recalled",
        WEST: "given",
        SOUTH: "recalled",
    }
    assert not line.priced


def test_a_lake_with_neither_area_nor_storage_makes_its_county_missing(tmp_path: Path) -> None:
    table = LAKES + "360102,无名湖,,\n"
    found = line(run(tmp_path, lakes=table), "flood_mitigation", "lakes")
    amounts = by_county(found.amounts)
    assert amounts[WEST] is None
    assert amounts[EAST] is not None
    assert found.lacks(WEST)


def test_a_table_of_measured_amounts_needs_no_other_column(tmp_path: Path) -> None:
    table = "county_code,name,storage(万m3)\n360101,月湖,2\n360101,星湖,3\n"
    found = line(run(tmp_path, lakes=table), "flood_mitigation", "lakes")
    assert by_county(found.amounts) == {EAST: 50_000 / found.quantum}


def test_a_lake_that_is_not_measured_needs_the_column(tmp_path: Path) -> None:
    said, others = problems(
        tmp_path, lakes="county_code,name,storage(m3)\n360101,月湖,2\n360101,星湖,\n"
    )
    assert others.startswith("lakes.csv: no row for 2 of 3 counties")
    assert "no column area; there are: county_code, name, storage" in said


# ---- keys and cells


WRONG = {
    "one name twice": (
        {"tourism": TOURISM.replace("外省", "本省")},
        ["tourism.csv:3: 360101 / 本省 stands in line 2 already"],
    ),
    "one county twice where rows are counties": (
        {"water": WATER + "360101,1,1,1\n"},
        ["water.csv:4: 360101 stands in line 2 already"],
    ),
    "a county that is not there": (
        {"energy": ENERGY.replace("360102", "360199")},
        ["energy.csv:4: county code 360199 is not among the polygons"],
    ),
    "no number": (
        {"energy": ENERGY.replace("25.5", "约25")},
        ["energy.csv:3 generation: not a number: 约25"],
    ),
    "below nothing": (
        {"tourism": TOURISM.replace("1500", "-1500")},
        ["tourism.csv:3 cost: -1500 is negative"],
    ),
    "no unit": (
        {"energy": ENERGY.replace("(万kWh)", "")},
        [("energy.csv: generation: column generation states no unit; possible: kWh, 万kWh, 亿kWh")],
    ),
    "an amount of something else": (
        {"energy": ENERGY.replace("万kWh", "万元")},
        ["energy.csv:1 generation: '万元' is [money_of_2021], but 'kWh'"],
    ),
    "money of another year": (
        {"tourism": TOURISM.replace("cost(CNY/visit)", "cost(CNY_2015/visit)")},
        [
            (
                "tourism.csv:1 cost: 'CNY_2015/visit' is [money_of_2015] / [visits], "
                "but 'CNY_2021/visit' ([money_of_2021] / [visits]) is needed"
            )
        ],
    ),
    "measured, but no number": (
        {"lakes": LAKES.replace("123456.5", "n/k")},
        ["lakes.csv:3 storage: not a number: n/k"],
    ),
}


@pytest.mark.parametrize("fault", WRONG)
def test_what_is_wrong_with_rows_is_said_with_its_place(fault: str, tmp_path: Path) -> None:
    tables, said = WRONG[fault]
    found = problems(tmp_path, **tables)
    assert all(any(text.startswith(start) for text in found) for start in said), found


def test_rows_without_names_may_repeat_only_where_rows_are_items(tmp_path: Path) -> None:
    table = "county_code,generation(kWh)\n360101,100\n360101,200\n"
    power = line(run(tmp_path, energy=table), "ecological_energy", "hydropower")
    assert by_county(power.amounts) == {EAST: 300_000}


def test_a_share_above_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = profile(tmp_path, monkeypatch, '[services.tourism]\nmethod = "income"\n')
    table = INCOME.replace("nature_share(%)", "nature_share(1)")
    path = small.write(tmp_path / "a", tables={"tourism": table}, change={"account.profile": own})
    texts = [p.text() for p in gep.open(path).check().problems]
    assert "tourism.csv:2 nature_share = 25 is outside [0, 1]" in texts
    with pytest.raises(GepError, match=r"outside \[0, 1\]"):
        gep.open(path).run(threads=1)


def test_prices_of_products_in_money_of_another_year_are_refused(tmp_path: Path) -> None:
    table = PRODUCTS.replace("price(元)", "price(CNY_2015)")
    assert any("money_of_2015" in text for text in problems(tmp_path, products=table))


# ---- what the run and the templates say of rows


def test_run_and_explain_name_the_table_and_its_columns(tmp_path: Path) -> None:
    result = run(tmp_path, tourism=TOURISM, lakes=LAKES)
    text = result.explain(EAST, "tourism", language="en")
    assert "table: tourism: visitors [visit/year], cost [CNY/visit]" in text
    assert "sha256" in text
    text = result.explain(EAST, "flood_mitigation", language="en")
    assert "table: lakes: area [km^2], storage [m^3/year]" in text


def test_init_writes_the_tables_with_their_units(tmp_path: Path) -> None:
    from gep.template import write

    write(tmp_path / "a", "jiangxi-2021")
    headers = {
        path.stem: path.read_text("utf-8-sig").strip() for path in (tmp_path / "a").glob("*.csv")
    }
    assert headers["energy"] == "county_code,name,generation(kWh)"
    assert headers["water"] == "county_code,domestic(m^3),industrial(m^3),agricultural(m^3)"
    assert headers["lakes"] == "county_code,name,area(km^2),storage(m^3)"
    assert headers["reservoirs"] == "county_code,name,total_storage(m^3),flood_storage(m^3)"
    assert headers["tourism"] == (
        "county_code,name,visitors(visit),cost(CNY/visit),days(day/visit),wage(CNY/day)"
    )
    assert headers["leisure"] == (
        "county_code,name,residents(person),visits_per_head(visit/person),hours(h/visit),"
        "hourly_wage(CNY/h),cost(CNY/visit)"
    )
    assert headers["housing"] == "county_code,name,area(m^2),price_difference(CNY/m^2)"
    assert headers["hotels"] == (
        "county_code,name,rooms(room),nights(night),price_difference(CNY/(room*night))"
    )
    said = (tmp_path / "a" / "gep.toml").read_text("utf8")
    optional = '"water_supply", "sandstorm_prevention", "negative_oxygen_ions", "leisure"'
    assert f'# optional = [{optional}, "landscape_premium"]' in said
    assert "# 水资源供给（可选）\n# [statistics.water]" in said
    assert "only one of them counts: 水源涵养、水资源供给 (water_retention, water_supply)" in said
    listed = (tmp_path / "a" / "数据清单.md").read_text("utf8")
    for group in ("agriculture", "forestry", "animal_husbandry", "fishery", "other"):
        assert f"- {group}，或 " in listed


# ---- the published account, at our own prices


PUBLISHED = {
    # 白玛卓嘎 2017, table 3: quantity, what it is worth in 10^8 CNY, half of the last digit given
    ("water_supply", "domestic"): ("亿m3", 1.36, 3.54, 0.013),
    ("water_supply", "industrial"): ("亿m3", 150.17, 540.6113, 0.018),
    ("water_supply", "agricultural"): ("亿m3", 17.31, 1.2117, 0.0004),
    ("ecological_energy", "hydropower"): ("亿kWh", 95.30, 50.509, 0.00265),
}


@pytest.mark.parametrize("key", PUBLISHED, ids=".".join)
def test_published_values_at_the_prices_on_file(key: tuple[str, str]) -> None:
    unit, quantity, worth, half = PUBLISHED[key]
    row = dict(zip(("service", "indicator"), key, strict=True))
    row |= {"quantity": quantity, "quantity_unit": unit}
    account = gep.from_quantities(pandas.DataFrame([row]), "seea-ea-2021", 2010)
    assert account.services["value"].sum() == pytest.approx(worth * 1e8, abs=half * 1e8)


def test_visits_without_their_money_are_missing_and_with_it_count() -> None:
    visits = {"service": "tourism", "indicator": "visits", "county_code": EAST}
    visits |= {"quantity": 358.68, "quantity_unit": "万人次"}
    account = gep.from_quantities(pandas.DataFrame([visits]), "jiangxi-2021", 2010)
    (line,) = account.account.lines
    assert line.quantity([EAST]) == 3_586_800
    assert line.lacks(EAST)
    paid = visits | {"value": 70.6669, "value_unit": "亿元"}
    account = gep.from_quantities(pandas.DataFrame([paid]), "jiangxi-2021", 2010)
    assert account.counties["cultural"].iloc[0] == 7_066_690_000


# ---- leisure and landscape


LEISURE = """\
county_code,name,residents(万人),visits_per_head(visit/person),hours(h/visit),hourly_wage(元/h),cost(元/人次)
360101,城镇,2,12,1.5,20,5
360101,乡村,0.5,4,2,12.5,0
360102,全部,1,,1,20,5
360103,全部,1,10,1,,5
"""
HOUSING = """\
county_code,name,area(万m2),price_difference(元/m2)
360101,滨江,12,350
360101,森林公园,3.5,-
360102,滨江,7,100
"""
HOTELS = """\
county_code,name,rooms(间),nights(夜),price_difference(元/间夜)
360101,山居,80,200,40
360101,湖畔,20,150.5,100
360102,山居,80,16000,40
"""


def asking(*names: str, **more: Any) -> dict[str, Any]:
    return {"change": {"account.optional": list(names)} | more}


def test_leisure_by_hand(tmp_path: Path) -> None:
    visits = line(run(tmp_path, asking("leisure"), leisure=LEISURE), "leisure", "visits")
    assert visits.unit == "visit/year"
    assert by_county(visits.amounts) == {
        EAST: 260_000_000,  # 20 000 x 12 + 5 000 x 4 visits, in thousandths
        WEST: None,  # no survey
        SOUTH: 100_000_000,
    }
    assert by_county(visits.cents) == {
        EAST: 240_000 * (5 + 30) * 100 + 20_000 * 25 * 100,
        WEST: None,
        SOUTH: None,
    }
    assert {leaf[1] for leaf in visits.amounts} == {UNATTRIBUTED}
    assert set(visits.states.values()) == {"design"}, "the share of the wage"


def test_leisure_is_null_without_a_survey_and_absent_unless_asked_for(tmp_path: Path) -> None:
    result = run(tmp_path / "a", leisure=LEISURE)
    assert not [n for n in result.account.lines if n.service == "leisure"]
    path = small.write(tmp_path / "b", **asking("leisure"))
    made, _ = plan.make(gep.open(path).definition, path.parent)
    assert made
    (lacking,) = [u for u in made.uncovered if u.service == "leisure"]
    assert (lacking.indicator, lacking.reason.code) == ("visits", "W103")


def test_time_of_leisure_is_paid_by_the_hour(tmp_path: Path) -> None:
    """90 minutes at 20 CNY an hour are 30 CNY, whatever unit the time is in."""
    table = LEISURE.replace("hours(h/visit)", "hours(minute/visit)")
    table = table.replace(",1.5,20,5", ",90,20,5").replace(",4,2,12.5,0", ",4,120,12.5,0")
    found = line(run(tmp_path, asking("leisure"), leisure=table), "leisure", "visits")
    assert by_county(found.cents)[EAST] == 890_000_000


def test_a_premium_on_homes_is_shared_by_its_years(tmp_path: Path) -> None:
    tables = {"housing": HOUSING, "hotels": HOTELS}
    result = run(tmp_path, asking("landscape_premium"), **tables)
    homes = line(result, "landscape_premium", "housing")
    assert homes.unit == "m^2"
    assert by_county(homes.amounts) == {EAST: 155_000_000, WEST: 70_000_000}
    assert by_county(homes.cents) == {
        EAST: None,  # no difference was found for the second row
        WEST: 100_000_00,  # 70 000 m² x 100 CNY / 70 years
    }
    assert set(homes.states.values()) == {"recalled"}, "the 70 years"


def test_rooms_by_hand(tmp_path: Path) -> None:
    """80 x 200 and 20 x 150.5 room nights; 16 000 nights of one room are those of all rooms."""
    tables = {"housing": HOUSING, "hotels": HOTELS}
    result = run(tmp_path, asking("landscape_premium"), **tables)
    rooms = line(result, "landscape_premium", "hotels")
    assert rooms.unit == "room*night/year"
    assert by_county(rooms.amounts) == {EAST: 19_010_000, WEST: None}
    assert by_county(rooms.cents) == {EAST: (16_000 * 40 + 3_010 * 100) * 100, WEST: None}
    assert rooms.lacks(WEST)


def test_homes_keep_their_money_to_its_year_and_rooms_move(tmp_path: Path) -> None:
    """No index of house prices is on file; rooms move with consumer prices, 100.9 in 2021."""
    tables = {"housing": HOUSING, "hotels": HOTELS}
    how = asking("landscape_premium", **{"account.price_year": 2020})
    result = run(tmp_path, how, **tables)
    assert set(line(result, "landscape_premium", "housing").cents.values()) == {None}
    rooms = by_county(line(result, "landscape_premium", "hotels").cents)
    assert rooms[EAST] == round(94_100_000 / 1.009)


@pytest.mark.parametrize(
    ("service", "tables", "said"),
    [
        (
            "leisure",
            {"leisure": LEISURE.replace("residents(万人)", "residents(户)")},
            "leisure.csv:1 residents: unit '户'",
        ),
        (
            "leisure",
            {"leisure": LEISURE.replace("hourly_wage(元/h)", "hourly_wage(元)")},
            "leisure.csv:1 hourly_wage: '元' is [money_of_2021], but 'CNY_2021/h'",
        ),
        (
            "landscape_premium",
            {"hotels": HOTELS.replace("(元/间夜)", "(元)"), "housing": HOUSING},
            "hotels.csv:1 price_difference: '元' is [money_of_2021]",
        ),
        (
            "landscape_premium",
            {"hotels": HOTELS, "housing": HOUSING.replace("(元/m2)", "(元/间)")},
            "housing.csv:1 price_difference: '元/间' is [money_of_2021] / [rooms]",
        ),
    ],
)
def test_units_of_leisure_and_landscape_must_multiply(
    tmp_path: Path, service: str, tables: dict[str, str], said: str
) -> None:
    report = gep.open(small.write(tmp_path, tables=tables, **asking(service))).check()
    assert not report.ok
    assert any(said in p.text() for p in report.problems), report


# ---- where a product grows


GROWN = """\
county_code,group,product,quantity,unit,price(元),value(元),ecosystem
360101,agriculture,稻谷,1000,t,2700,,paddy
360101,agriculture,蔬菜,300,t,3000,,
360102,agriculture,稻谷,10,t,2700,,水田
360101,forestry,油茶籽,,,,5000.07,农田
360101,animal_husbandry,牛肉,90,t,70000,,grassland
360102,fishery,鱼,5,t,17000,,reservoir
"""


def of_leaves(found: Amounts, place: str) -> dict[str, int | None]:
    return {leaf[1]: amount for leaf, amount in found.items() if leaf[0] == place}


def test_a_product_is_spread_over_the_ecosystem_it_grows_on(tmp_path: Path) -> None:
    plain = ",".join(GROWN.splitlines()[0].split(",")[:-1])
    without = "\n".join([plain, *[row.rpartition(",")[0] for row in GROWN.splitlines()[1:]]])
    before = run(tmp_path / "a", products=without + "\n")
    after = run(tmp_path / "b", products=GROWN)
    rice = line(after, "agricultural_products", "稻谷")
    assert rice.amounts == {(EAST, "paddy"): 1_000_000_000, (WEST, "paddy"): 10_000_000}
    assert rice.cents == {(EAST, "paddy"): 270_000_000, (WEST, "paddy"): 2_700_000}
    old = line(before, "agricultural_products", "稻谷")
    assert set(of_leaves(old.amounts, EAST)) == {"paddy", "upland"}
    vegetables = ("agricultural_products", "蔬菜")
    assert line(after, *vegetables).amounts == line(before, *vegetables).amounts
    for county in (EAST, WEST):
        assert after.account.cents((county,)) == pytest.approx(
            before.account.cents((county,)), abs=9
        )


def test_a_product_may_grow_where_its_service_does_not_look(tmp_path: Path) -> None:
    """Tea oil on cropland, cattle on grass: by area, since no weight is summed there."""
    result = run(tmp_path, products=GROWN)
    oil = of_leaves(line(result, "forestry_products", "油茶籽").cents, EAST)
    assert set(oil) == {"paddy", "upland"}
    areas = {
        key: int(((small.classes() == code) & (small.places() == 0)).sum())
        for key, code in (("paddy", 51), ("upland", 52))
    }
    assert sum(oil.values()) == 500_007  # type: ignore[arg-type]
    assert oil["paddy"] == pytest.approx(500_007 * areas["paddy"] / sum(areas.values()), abs=2)
    cattle = line(result, "animal_husbandry_products", "牛肉")
    assert cattle.amounts == {(EAST, "tussock"): 90_000_000}


def test_a_product_stays_unattributed_where_its_ecosystem_is_not(tmp_path: Path) -> None:
    """No reservoir in the west: the amount is kept, and not put on ponds and lakes instead."""
    fish = line(run(tmp_path, products=GROWN), "fishery_products", "鱼")
    assert fish.amounts == {(WEST, UNATTRIBUTED): 5_000_000}


def test_weights_hold_within_the_ecosystem_stated(tmp_path: Path) -> None:
    """Net primary production still says how much of the cropland's product each class has."""
    table = GROWN.replace("稻谷,1000,t,2700,,paddy", "稻谷,1000,t,2700,,cropland")
    plain = table.replace("稻谷,1000,t,2700,,cropland", "稻谷,1000,t,2700,,")
    rice = ("agricultural_products", "稻谷")
    stated = line(run(tmp_path / "a", products=table), *rice)
    silent = line(run(tmp_path / "b", products=plain), *rice)
    assert of_leaves(stated.amounts, EAST) == of_leaves(silent.amounts, EAST)


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("padddy", "paddy (水田)"),
        ("水", "reservoir (水库), paddy (水田)"),
        ("oak", "forest (森林), shrubland (灌丛), grassland (草地), wetland (湿地), cropland"),
    ],
)
def test_an_ecosystem_nobody_knows_is_refused(tmp_path: Path, word: str, known: str) -> None:
    table = GROWN.replace(",paddy", f",{word}")
    path = small.write(tmp_path, tables={"products": table})
    (problem,) = [p for p in gep.open(path).check().problems if p.code == "E550"]
    start = f"products.csv:2 ecosystem: {word} is neither an ecosystem class nor a group: {known}"
    assert problem.text().startswith(start)
    assert problem.text("zh").startswith(
        f"products.csv:2 ecosystem：{word} 既不是生态系统类型，也不是类别：{known}"
    )
    with pytest.raises(GepError, match="neither an ecosystem class"):
        gep.open(path).run(threads=1)


def test_ecosystem_titles_are_unambiguous() -> None:
    titles = [e.title.zh for e in ecosystems().values()] + [t.zh for t in groups().values()]
    words = [*titles, *ecosystems(), *groups()]
    assert len(set(words)) == len(words)
