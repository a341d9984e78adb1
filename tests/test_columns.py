"""What tables say without meaning it: slips of names, rows pasted twice, totals, gaps, giants."""

from pathlib import Path
from typing import Any

import pytest
import small

import gep
from gep import columns
from gep.errors import Problem
from gep.service import services
from gep.template import _tables
from gep.text import is_total

LAKES = """\
county_code,name,area(km2),storage(m3)
360101,月湖,1,5000
360102,星湖,2,
360103,无,0,
"""


def found(tmp_path: Path, code: str, change: dict[str, Any] | None = None, **tables: str) -> Any:
    """Problems of one code that `gep check` finds."""
    path = small.write(tmp_path, tables=tables, change=change)
    return [p for p in gep.open(path).check().problems if p.code == code]


def texts(problem: Problem, tmp_path: Path) -> tuple[str, str]:
    return tuple(problem.text(z).replace(f"{tmp_path}/", "") for z in ("en", "zh"))  # type: ignore[return-value]


def line(result: gep.Result, service: str, indicator: str) -> Any:
    (one,) = [n for n in result.account.lines if n.key == (service, indicator)]
    return one


# ---- names


def test_readable_columns_are_those_of_the_templates() -> None:
    """What `gep init` writes as headers is what may be read, and nothing else."""
    headers = {
        name: {cell.partition("(")[0] for cell in header.strip().split(",")} - {"county_code"}
        for name, (header, _) in _tables(list(services().values())).items()
    }
    read = columns.readable(services().values())
    assert {name: set(own) for name, own in read.items()} == headers


@pytest.mark.parametrize(
    ("column", "meant"),
    [
        *(("storge(m3)", "storage"), ("Storage(m3)", "storage"), ("STORAGE (m3)", "storage")),
        *(("storage m3", "storage"), ("storages(m3)", "storage")),
    ],
)
def test_a_slip_of_a_column_is_said(column: str, meant: str, tmp_path: Path) -> None:
    table = LAKES.replace("storage(m3)", column)
    (said,) = found(tmp_path, "E557", lakes=table)
    name = column.partition("(")[0].strip()
    assert texts(said, tmp_path) == (
        (
            f"lakes.csv: nobody reads column {name}; did you mean {meant}? "
            "Without it what it holds would not count"
        ),
        f"lakes.csv：没有服务使用列 {name}；是否指 {meant}？否则该列内容不计入",
    )


@pytest.mark.parametrize("column", ["depth(m)", "remark", "county_name", "编号", "owner", "store"])
def test_columns_of_other_names_may_stay(column: str, tmp_path: Path) -> None:
    table = LAKES.replace("storage(m3)", f"storage(m3),{column}")
    assert found(tmp_path, "E557", lakes=table.replace("\n36", ",\n36")) == []


def test_a_column_beside_the_one_it_resembles_may_stay(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("value(元)", "value(元),prices,products")
    assert found(tmp_path, "E557", products=table) == []


def test_a_slip_of_the_ecosystem_column_is_said(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("value(元)", "value(元),ecosytem")
    (said,) = found(tmp_path, "E557", products=table)
    assert said.fields["known"] == "ecosystem"


COLUMNS = "statistics.lakes.columns"


def test_a_mapping_to_a_column_nobody_reads_is_refused(tmp_path: Path) -> None:
    change = {f"{COLUMNS}.storge": {"column": "库容"}}
    table = LAKES.replace("storage(m3)", "库容(m3)")
    (said,) = found(tmp_path, "E516", change, lakes=table)
    known = "county_code, name, area, storage"
    assert texts(said, tmp_path) == (
        f"{COLUMNS}.storge: nobody reads this column of the table; those read: {known}",
        f"{COLUMNS}.storge：没有服务使用该表的这一列；可用：{known}",
    )


@pytest.mark.parametrize(
    ("mapping", "column", "known"),
    [
        ({"column": "库容量"}, "库容量", "库容"),
        ({"column": "蓄水"}, "蓄水", "county_code, name, area, 库容"),
        ({"unit": "m3"}, "storage", "county_code, name, area, 库容"),
    ],
)
def test_a_mapping_to_a_column_that_is_not_there_is_refused(
    mapping: dict[str, str], column: str, known: str, tmp_path: Path
) -> None:
    change = {f"{COLUMNS}.storage": mapping}
    (said,) = found(tmp_path, "E517", change, lakes=LAKES.replace("storage(m3)", "库容(m3)"))
    assert texts(said, tmp_path) == (
        f"{COLUMNS}.storage: lakes.csv has no column {column}; there are: {known}",
        f"{COLUMNS}.storage：lakes.csv 没有列 {column}；现有：{known}",
    )


def test_a_mapping_of_one_column_twice_is_refused(tmp_path: Path) -> None:
    change = {f"{COLUMNS}.storage": {"column": "x"}, f"{COLUMNS}.area": {"column": "x"}}
    table = LAKES.replace("storage(m3)", "x(m3)")
    (said,) = found(tmp_path, "E519", change, lakes=table)
    assert texts(said, tmp_path) == (
        f"{COLUMNS}.area: column x stands for storage already",
        f"{COLUMNS}.area：列 x 已对应 storage",
    )


@pytest.mark.parametrize("column", ["库容", "库容(m3)"])
def test_a_mapping_names_the_header_with_or_without_its_unit(column: str, tmp_path: Path) -> None:
    change = {f"{COLUMNS}.storage": {"column": column}}
    table = LAKES.replace("storage(m3)", "库容(m3)")
    unit = {f"{COLUMNS}.storage.unit": "m3"} if "(" in column else {}
    result = gep.open(small.write(tmp_path, tables={"lakes": table}, change=change | unit)).run()
    lakes = line(result, "flood_mitigation", "lakes")
    assert lakes.quantity([small.CODES[0]]) == 5000, "measured, not by the formula"


def test_a_table_nobody_reads_is_said(tmp_path: Path) -> None:
    (said,) = found(tmp_path, "W518", emisions=small.EMISSIONS)
    assert texts(said, tmp_path) == (
        "statistics.emisions: nobody reads this table; those read: emissions",
        "statistics.emisions：没有服务使用这张表；可用的有：emissions",
    )


def test_a_table_of_a_wholly_other_name_is_told_all_there_are(tmp_path: Path) -> None:
    (said,) = found(tmp_path, "W518", industry=small.EMISSIONS)
    assert said.fields["known"] == (
        "emissions, energy, gdp, hotels, housing, lakes, land, leisure, loads, population, "
        "products, reservoirs, tourism, water, water_resources"
    )


# ---- counties that are not named


def test_a_county_without_rows_is_said_once_a_table(tmp_path: Path) -> None:
    table = LAKES.replace("360103,无,0,\n", "").replace("360102,星湖,2,\n", "")
    (said,) = found(tmp_path, "W517", lakes=table)
    absent = "no row for 2 of 3 counties: 360102 西县, 360103 南县"
    assert texts(said, tmp_path) == (
        f"lakes.csv: {absent}; they count as having none",
        "lakes.csv：3 个县区中有 2 个没有任何一行：360102 西县、360103 南县；按没有计",
    )


def test_a_county_without_products_of_a_group_is_said(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("360103,forestry,木材,0,m^3,900,\n", "")
    (said,) = found(tmp_path, "W517", products=table)
    absent = "no row for 1 of 3 counties:"
    assert texts(said, tmp_path) == (
        f"products.csv, forestry: {absent} 360103 南县; they count as having none",
        "products.csv，forestry：3 个县区中有 1 个没有任何一行：360103 南县；按没有计",
    )


def test_a_table_several_indicators_read_is_said_once(tmp_path: Path) -> None:
    change = {"account.optional": ["water_supply"]}
    table = "county_code,domestic(m3),industrial(m3),agricultural(m3)\n360101,1,1,1\n"
    assert len(found(tmp_path, "W517", change, water=table)) == 1


def test_rows_with_zero_or_a_reason_settle_it(tmp_path: Path) -> None:
    assert found(tmp_path / "a", "W517", lakes=LAKES) == []
    table = LAKES.replace("360103,无,0,\n", "")
    reason = {"accept.W517": "no lakes in the south"}
    assert found(tmp_path / "b", "W517", reason, lakes=table) == []
    (said,) = found(tmp_path / "c", "W010", reason, lakes=table)
    assert "no lakes in the south" in said.text()


# ---- rows that count twice


def test_a_row_pasted_twice_is_refused(tmp_path: Path) -> None:
    table = "county_code,generation(kWh)\n360101,100\n360101,200\n360101,100\n"
    (said,) = found(tmp_path, "E555", energy=table)
    assert texts(said, tmp_path) == (
        "energy.csv:4: the same row as line 2",
        "energy.csv:4：与第 2 行完全相同",
    )


def test_rows_alike_that_something_tells_apart_may_stay(tmp_path: Path) -> None:
    table = "county_code,site,generation(kWh)\n360101,a,100\n360101,b,100\n360102,a,100\n"
    assert found(tmp_path, "E555", energy=table) == []


@pytest.mark.parametrize(
    "word",
    [
        *(
            "合计",
            "总计",
            "农业合计",
            "粮食 小计",
            "农业总产值",
            "总产值",
            "合计（万元）",
            "粮食（合计）",
        ),
        *(
            "农林牧渔业总产值（现价）",
            "Total",
            "sub total",
            "Total grain",
            "grain, total",
            "共计：",
            "SUM",
        ),
    ],
)
def test_names_of_totals(word: str, tmp_path: Path) -> None:
    assert is_total(word)
    table = small.PRODUCTS.replace("茶叶", f'"{word}"')
    (said,) = found(tmp_path, "E514", products=table)
    assert (
        texts(said, tmp_path)[0] == f"products.csv:5: {word} is a sum of other rows, not a product"
    )


@pytest.mark.parametrize(
    "word",
    ["茶叶", "统计用材", "计", "总黄酮", "Totara wood", "sumac", "@SUM(A1)", "小麦（统计）", "值"],
)
def test_innocent_names(word: str) -> None:
    assert not is_total(word)


def test_a_total_among_the_named_rows_of_a_county_is_refused(tmp_path: Path) -> None:
    table = LAKES + "360101,湖泊合计,3,\n"
    (said,) = found(tmp_path, "E556", lakes=table)
    assert texts(said, tmp_path) == (
        "lakes.csv:5: 湖泊合计 is a sum of other rows",
        "lakes.csv:5：湖泊合计 是其他行的合计",
    )


# ---- contradictions and giants


def test_price_and_value_without_the_quantity(tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("12000,t,2800,", ",t,2800,33600000")
    (said,) = found(tmp_path, "E518", products=table)
    assert texts(said, tmp_path) == (
        "products.csv:2: a price and a value without the quantity",
        "products.csv:2：有单价和价值，却没有数量",
    )


@pytest.mark.parametrize(
    ("cell", "code", "said"),
    [
        ("1E400", "E522", "products.csv:2 quantity = 1e+400 is outside [0, 1e+15]"),
        ("2000000000000000", "E522", "products.csv:2 quantity = 2e+15 is outside [0, 1e+15]"),
        ("1E4000000", "E504", "products.csv:2 quantity: not a number: 1E4000000"),
        ("1e13", "E522", "products.csv:2 quantity × price = 2.8e+16 is outside [0, 1e+15]"),
    ],
)
def test_quantities_no_county_can_have(cell: str, code: str, said: str, tmp_path: Path) -> None:
    table = small.PRODUCTS.replace("12000,t,2800", f"{cell},t,2800")
    (problem,) = found(tmp_path, code, products=table)
    assert problem.text() == said


def test_a_unit_counts_in_what_is_too_large(tmp_path: Path) -> None:
    table = LAKES.replace("5000", "1e8").replace("storage(m3)", "storage(亿m3)")
    (problem,) = found(tmp_path, "E522", lakes=table)
    assert problem.text() == "lakes.csv:2 storage = 1e+16 is outside [0, 1e+15]"


def test_the_largest_amount_is_still_an_amount(tmp_path: Path) -> None:
    path = small.write(tmp_path, tables={"lakes": LAKES.replace("5000", "1e15")})
    lakes = line(gep.open(path).run(), "flood_mitigation", "lakes")
    assert lakes.quantity([small.CODES[0]]) == 10**15


def test_a_row_whose_formula_gives_no_possible_number_is_missing(tmp_path: Path) -> None:
    """e^4.924 (10^14)^1.128 10^4 m^3 is some 10^21 m^3: no sea is so large."""
    path = small.write(tmp_path, tables={"lakes": LAKES.replace("星湖,2", "星湖,1e14")})
    result = gep.open(path).run()
    east, west, south = small.CODES
    lakes = line(result, "flood_mitigation", "lakes")
    assert [lakes.quantity([code]) for code in (east, west, south)] == [5000, None, 0]
    assert lakes.lacks(west)
    (said,) = [p for p in result.problems if p.code == "W519"]
    what = "flood_mitigation.lakes [m^3/year]"
    left = "it is left out, and its county lacks it"
    assert texts(said, tmp_path) == (
        f"lakes.csv:3: {what} of this row is no number up to 1e+15; {left}",
        f"lakes.csv:3：该行的 {what} 不是 1e+15 以内的数字；不计入，所在县区视为缺失",
    )


def test_money_of_a_row_no_county_can_have_is_missing(tmp_path: Path) -> None:
    table = (
        "county_code,name,visitors(visit),cost(元/visit),days(day/visit),wage(元/day)\n"
        "360101,a,1e12,1e9,0,0\n360102,b,1000,600,1.5,200\n360103,无,0,0,0,0\n"
    )
    result = gep.open(small.write(tmp_path, tables={"tourism": table})).run()
    visits = line(result, "tourism", "visits")
    assert [visits.money([code]) for code in small.CODES] == [None, 90_000_000, 0]
    assert visits.quantity([small.CODES[0]]) == 10**12
    (said,) = [p for p in result.problems if p.code == "W519"]
    assert (said.fields["at"], said.fields["what"]) == (
        *("tourism.csv:2", "tourism.visits [CNY/year]"),
    )
