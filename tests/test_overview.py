"""What `gep check` shows of tables, what it doubts in them, and how to get what is lacking."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import click.testing
import pytest
import small

import gep
from gep import advice, amounts, check, overview
from gep.cli import main
from gep.engine import Report
from gep.errors import Problem
from gep.service import services
from gep.statistics import groups

POPULATION = "county_code,value(万人)\n360101,2\n360102,1.5\n360103,0.5\n"
GDP = "county_code,value(亿元)\n360101,12\n360102,8\n360103,4\n"
"""40 000 people, 2.4 billion CNY: 60 000 CNY a head."""
PEOPLE = {"population": POPULATION, "gdp": GDP}
MONEY = 12000 * 2800 + Decimal("8000.5") * 2750 + 500 * 2900
MONEY += 40 * 60000 + Decimal("1234567.89") + 1000 * 900
"""Worth of the products of the small account, by hand."""


def report(folder: Path, **options: Any) -> Report:
    return gep.open(small.write(folder, **options)).check()


def said(folder: Path, language: str, **options: Any) -> str:
    path = small.write(folder, **options)
    done = click.testing.CliRunner().invoke(main, ["check", str(path), "--lang", language])
    return done.stdout.replace(str(folder), "")


def doubts(folder: Path, **tables: str) -> list[Problem]:
    found = report(folder, tables=PEOPLE | tables).problems
    return [p for p in found if p.code in ("W586", "W587", "W588")]


# ---- tables as understood


def test_columns_are_summed_in_the_unit_they_state(tmp_path: Path) -> None:
    plan = report(tmp_path, tables=PEOPLE).plan
    assert plan
    seen = {table.name: table for table in amounts.tables(plan)}
    own = [(c.column, c.unit, c.filled, c.total) for c in seen["emissions"].columns]
    assert own == [
        ("so2", "t", 3, Decimal("1017.5")),
        ("nox", "t", 3, Decimal("1100.25")),
        ("dust", "t", 3, Decimal(1020)),
    ]
    unused = [c.column for table in seen.values() for c in table.columns if not c.used]
    assert unused == ["dust"]  # the profile does not count it
    (value,) = seen["gdp"].columns
    assert (value.unit, value.total, value.low, value.high) == ("亿元", 24, 4, 12)
    assert seen["products"].rows == 8


def test_columns_no_indicator_of_the_account_reads_are_said_to_be_unused(tmp_path: Path) -> None:
    plan = report(tmp_path, tables=PEOPLE).plan
    assert plan
    assert "dust (not used)" in overview.tables(plan, "en")
    assert "dust（本核算不用）" in overview.tables(plan, "zh")


def test_what_is_per_something_is_not_summed(tmp_path: Path) -> None:
    tourism = "county_code,visitors(万人次),cost(元/人次),days(天/人次),wage(元/天)\n"
    tourism += "360101,10,200,1,250\n360102,2.5,300,2,240\n"
    plan = report(tmp_path, tables={"tourism": tourism}).plan
    assert plan
    (seen,) = [table for table in amounts.tables(plan) if table.name == "tourism"]
    found = {c.column: (c.total, c.low, c.high) for c in seen.columns}
    assert found["visitors"] == (Decimal("12.5"), Decimal("2.5"), 10)
    assert found["cost"] == (None, 200, 300)
    assert found["days"] == (None, 1, 2)


def test_products_are_summed_with_their_prices(tmp_path: Path) -> None:
    plan = report(tmp_path).plan
    assert plan
    found = {p.product: p for p in amounts.products(plan)}
    rice = found["稻谷"]
    assert (rice.rows, rice.unit, rice.quantity) == (3, "t", Decimal("20500.5"))
    assert (rice.low, rice.high) == (2750, 2900)
    assert rice.value == 12000 * 2800 + Decimal("8000.5") * 2750 + 500 * 2900
    assert (found["蔬菜"].quantity, found["蔬菜"].low) == (None, None)
    assert sum(p.value or 0 for p in found.values()) == MONEY


def test_a_value_by_its_quantity_is_a_price(tmp_path: Path) -> None:
    table = "county_code,group,product,quantity,unit,value(万元)\n"
    table += "360101,农业,茶叶,40,t,240\n360102,农业,茶叶,10,t,70\n"
    plan = report(tmp_path, tables={"products": table}).plan
    assert plan
    (tea,) = amounts.products(plan)
    assert (tea.group, tea.low, tea.high) == ("agriculture", 60000, 70000)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_check_shows_tables_products_and_what_to_do_next(language: str, tmp_path: Path) -> None:
    text = said(tmp_path, language, tables=PEOPLE)
    lines = [" ".join(line.split()) for line in text.splitlines()]
    if language == "en":
        assert "emissions emissions.csv 3 so2 t 3 1,017.5" in lines
        assert "稻谷 agriculture 3 20,500 t 2,750–2,900 元/t 5,705.14" in lines
        assert lines[-1] == "next: gep run /gep.toml"
    else:
        assert "大气污染物排放量（emissions） emissions.csv 3 so2 t 3 1,017.5" in lines
        assert "稻谷 农业产品 3 2.050 万 t 2,750–2,900 元/t 5,705.14" in lines
        assert lines[-1] == "下一步：gep run /gep.toml"


def test_after_errors_the_next_command_is_check_again(tmp_path: Path) -> None:
    text = said(tmp_path, "zh", tables={"emissions": small.EMISSIONS.replace("so2(t)", "so2")})
    assert text.splitlines()[-1] == "下一步：改正所列问题，gep check /gep.toml"


@pytest.mark.parametrize(("number", "shown"), [("0", "0"), ("1000", "1,000"), ("1e3", "1,000")])
def test_a_number_has_no_idle_digits(number: str, shown: str) -> None:
    assert overview._number(Decimal(number)) == shown


# ---- doubts


def test_plausible_tables_are_not_doubted(tmp_path: Path) -> None:
    assert not doubts(tmp_path)


def test_products_in_ten_thousands_under_a_header_of_one(tmp_path: Path) -> None:
    """All prices and values by 10 000 too small: MONEY / 40 000 people / 10 000 = 0.15 CNY."""
    head, *rows = small.PRODUCTS.splitlines()
    slipped = [row.split(",") for row in rows]
    for row in slipped:
        row[5], row[6] = (str(Decimal(cell) / 10000) if cell else "" for cell in row[5:])
    table = "\n".join([head, *map(",".join, slipped)])
    (problem,) = doubts(tmp_path, products=table)
    per_head = MONEY / 10000 / 40000
    assert problem.code == "W586"
    assert problem.text() == (
        f"table products: its money is {per_head:,.4g} CNY a head of the population: "
        "are its numbers in another unit than the header says"
    )
    assert problem.text("zh") == (
        f"表 农林牧渔产品（products）：按人口平均每人 {per_head:,.4g} 元："
        "数字的实际单位是否与表头不同（如万元写成了元）"
    )


@pytest.mark.parametrize("header", ["元", "万元"])
def test_gdp_a_head(header: str, tmp_path: Path) -> None:
    """24 元 or 24 万元 for 40 000 people are not 100 CNY a head."""
    (problem,) = doubts(tmp_path, gdp=GDP.replace("亿元", header))
    assert (problem.code, problem.fields["table"]) == ("W586", "gdp")


def test_gdp_too_large_a_head(tmp_path: Path) -> None:
    """24 亿元 in 元 under a header of 万元: 24 × 10^8 × 10^4 / 40 000."""
    table = "county_code,value(万元)\n360101,1200000000\n360102,800000000\n360103,400000000\n"
    (problem,) = doubts(tmp_path, gdp=table)
    assert problem.code == "W586"
    assert problem.fields["found"] == f"{Decimal(24 * 10**12) / 40000:,.4g}"


def test_products_beyond_the_gdp(tmp_path: Path) -> None:
    """MONEY is 61 million CNY; a GDP of 5 million is a head of 125 and below a tenth of it."""
    table = "county_code,value(万元)\n360101,200\n360102,200\n360103,100\n"
    (problem,) = doubts(tmp_path, gdp=table)
    assert problem.code == "W587"
    assert problem.text() == (
        f"the products are worth {MONEY / 5_000_000:,.0f} times the GDP; what they add is part "
        "of it: is one of the two in another unit than its header says"
    )


def test_one_row_in_another_unit(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("8000.5,t,2750", "8000.5,t,0.275")
    (problem,) = doubts(tmp_path, products=table)
    assert problem.text() == (
        "稻谷: prices from 0.275 to 2,900 元/t in one table: has one of its rows another unit"
    )
    assert problem.text("zh") == (
        "稻谷：同一张表中的单价从 0.275 到 2,900 元/t：是否有一行的单位不同"
    )


def test_a_doubt_can_be_accepted(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("8000.5,t,2750", "8000.5,t,0.275")
    change = {"accept.W588": "给养殖户的内部价"}
    found = report(tmp_path, tables=PEOPLE | {"products": table}, change=change).problems
    assert [p.fields["code"] for p in found if p.code == "W010"] == ["W588"]


# ---- a year to come


def test_an_account_of_a_year_to_come_is_refused_unless_said(tmp_path: Path) -> None:
    (problem,) = check.ahead(2031, 2026)
    assert problem.text() == "the account is of 2031, which has not come: today it is 2026"
    assert problem.text("zh") == "核算年份为 2031 年，尚未到来：现在是 2026 年"
    assert not check.ahead(2026, 2026)
    found = report(tmp_path / "a", change={"account.year": 2060}).problems
    assert "E553" in {p.code for p in found}
    change = {"account.year": 2060, "accept.E553": "情景预测"}
    found = report(tmp_path / "b", change=change).problems
    assert "E553" not in {p.code for p in found}
    assert "E553" in {p.fields["code"] for p in found if p.code == "W010"}


# ---- what is lacking


def test_what_is_lacking_and_how_to_get_it(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "rasters": {"slope_factor": None, "evapotranspiration": None},
        "tables": {"emissions": None},
    }
    made = report(tmp_path, **options)
    assert made.plan
    found = {one.section: one for one in advice.lacking(made.plan)}
    slope = found["[rasters.slope_factor]"]
    assert (slope.needs, slope.services) == ("1", ("soil_retention",))
    assert ("elevation", "slope") in [names for names, _ in slope.ways]
    table = found["[statistics.emissions]"]
    assert table.needs == "county_code,so2(t),nox(t),dust(t)"
    text = said(tmp_path / "zh", "zh", **options)
    assert "W102  水源涵养·水源涵养量：未核算：缺少栅格 实际蒸散发量（evapotranspiration）" in text
    assert "W105  土壤保持·减少泥沙淤积：未核算，因为 土壤保持·土壤保持量 未核算" in text
    assert "  [rasters.evapotranspiration] 实际蒸散发量：单位 mm/year；来源：遥感产品" in text
    assert "  [statistics.emissions] 大气污染物排放量：表头 county_code,so2(t),nox(t)" in text
    assert "    或由其推算：[rasters.elevation] 高程、[rasters.slope] 坡度（" in text
    text = said(tmp_path / "en", "en", **options)
    assert "W102  Soil retention, Soil retained: not covered: no raster slope_factor\n" in text
    assert "  [rasters.slope_factor]: unit 1; ask: natural resources bureau (elevation)\n" in text
    assert "    or prepare it from: [rasters.elevation], [rasters.slope] (" in text


# ---- products: groups, and units of quantity


@pytest.mark.parametrize("word", ["agriculture", "农业", "农业产品"])
def test_a_group_may_be_said_in_chinese(word: str, tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("agriculture", word)
    made = report(tmp_path, tables={"products": table})
    assert not [p for p in made.problems if p.is_error]
    assert made.plan
    found = {p.product: p.group for p in amounts.products(made.plan)}
    assert found["稻谷"] == "agriculture"


def test_every_group_has_chinese_names() -> None:
    own = {i.group for s in services().values() for i in s.indicators if hasattr(i, "group")}
    assert set(groups().values()) == own
    assert groups()["畜牧业"] == groups()["畜牧业产品"] == "animal_husbandry"


def errors(folder: Path, table: str) -> list[str]:
    found = report(folder, tables={"products": table}).problems
    return [p.text() for p in found if p.is_error]


@pytest.mark.parametrize("line", [2, 3, 4])
def test_the_row_with_the_wrong_unit_is_blamed_wherever_it_stands(
    line: int, tmp_path: Path
) -> None:
    """稻谷 stands in lines 2 to 4 in t; one of them says m3."""
    lines = small.PRODUCTS.splitlines()
    lines[line - 1] = lines[line - 1].replace(",t,", ",m3,")
    other = 3 if line == 2 else 2
    (text,) = errors(tmp_path, "\n".join(lines))
    assert text == (
        f"products.csv:{line}: the quantity of 稻谷 is in m3, that of line {other} in t: "
        "two kinds of quantity"
    )


def test_multiples_of_one_unit_are_one_kind(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("8000.5,t,2750", "8000500,kg,2.75")
    assert not errors(tmp_path, table)


def test_a_quantity_without_a_unit_is_said_of_its_row(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("40,t,60000", "40,,60000")
    (said_of,) = errors(tmp_path, table)
    assert said_of == "products.csv:5: a quantity of 40 without a unit in column unit"


@pytest.mark.parametrize("unit", ["千t", "百万t", "亿t"])
def test_money_per_what_is_asked_after_every_multiple(unit: str, tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("40,t,60000", f"40,{unit},60000")
    (text,) = errors(tmp_path, table)
    assert text == (
        f"products.csv:5 price: the quantity is in {unit}, and the price does not say per what"
    )


# ---- gep.toml


def test_a_column_may_be_named_by_its_header_alone(tmp_path: Path) -> None:
    table = small.EMISSIONS.replace("county_code", "县区代码").replace("so2(t)", "二氧化硫(t)")
    change = {"statistics.emissions.columns": {"county_code": "县区代码", "so2": "二氧化硫"}}
    made = report(tmp_path, tables={"emissions": table}, change=change)
    assert not [p for p in made.problems if p.is_error]
    assert made.plan
    (row, *_) = made.plan.tables["emissions"].rows
    assert (row.county, row.cells["so2"]) == ("360101", "5")


def test_a_slip_in_the_name_of_the_ecosystem_raster(tmp_path: Path) -> None:
    path = small.write(tmp_path)
    path.write_text(path.read_text("utf8").replace("rasters.ecosystem", "rasters.ecosystm"), "utf8")
    done = click.testing.CliRunner().invoke(main, ["check", str(path), "--lang", "en"])
    assert done.exit_code == 3
    assert "error E002  gep.toml: unknown key rasters.ecosystm; known: ecosystem\n" in done.stderr


SLIPS = [
    ({"account.optional": ["water_suply"]}, "E002", "known: water_supply"),
    ({"account.without": ["tourisn"]}, "E002", "known: tourism"),
    ({"preparations.erosivty.method": "zhang"}, "E800", "known: erosivity"),
    ({"statistics.emision.file": "emissions.csv"}, "W518", "those read: emissions"),
    ({"rasters.precipitaton.file": "precipitation.tif"}, "E002", "known: precipitation"),
]


@pytest.mark.parametrize(("change", "code", "said_of"), SLIPS, ids=[s[1] + s[2] for s in SLIPS])
def test_a_slip_of_a_name_is_answered_with_the_one_meant(
    change: dict[str, Any], code: str, said_of: str, tmp_path: Path
) -> None:
    found = [p.text() for p in report(tmp_path, change=change).problems if p.code == code]
    assert [text for text in found if said_of in text], found


def test_a_table_that_cannot_be_read_is_said_once(tmp_path: Path) -> None:
    """Its section is there: that it were lacking would be a second, wrong reason."""
    text = said(tmp_path, "en", tables={"tourism": "county_code,visitors(visit)\n"})
    assert "E506" in text
    assert "no statistics table tourism" not in text
    assert "[statistics.tourism]" not in text


def test_a_lacking_table_has_the_header_init_writes(tmp_path: Path) -> None:
    """Of the method the profile takes, not of every method there is."""
    gep_folder = tmp_path / "new"
    click.testing.CliRunner().invoke(main, ["init", str(gep_folder)])
    (header,) = (gep_folder / "tourism.csv").read_text("utf-8-sig").splitlines()
    assert f"[statistics.tourism]: header {header};" in said(tmp_path, "en")
