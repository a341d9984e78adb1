"""Accounts at the prices of a base year: indices and prices by hand."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import small

import gep
from gep.cube import Line
from gep.identities import of_tables
from gep.outputs.csv import accounts, encode
from gep.tables import ACCOUNT_COLUMNS, account_rows

EAST, WEST, SOUTH = small.CODES
DECEMBER = {"account.base_year": 2020}


def account(folder: Path, change: dict[str, Any] = DECEMBER, **more: Any) -> gep.Result:
    return gep.open(small.write(folder, change=change, **more)).run(threads=1)


def pair(result: gep.Result, service: str, indicator: str) -> tuple[Line, Line]:
    """Line at the prices of the price year, and at those of the base year."""
    assert result.account.constant
    now = next(x for x in result.account.lines if x.key == (service, indicator))
    then = next(x for x in result.account.constant.lines if x.key == (service, indicator))
    return now, then


def rows(result: gep.Result, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.files()[name].decode("utf-8-sig"))))


def test_an_indexed_price_is_that_of_the_base_year(tmp_path: Path) -> None:
    """From 2020 to 2021 the index of fixed assets rose by 8.1 %: water costs 1 / 1.081 of it."""
    now, then = pair(account(tmp_path), "water_retention", "water_retention")
    assert now.amounts == then.amounts
    ratio = Decimal(now.money([EAST]) or 0) / Decimal(then.money([EAST]) or 1)
    assert abs(ratio - Decimal("1.081")) < Decimal("1e-9")


def test_products_at_the_prices_of_the_base_year(tmp_path: Path) -> None:
    """Farm producer prices fell by 2.2 %: 2800 CNY of 2021 were 2800 / 0.978 of 2020."""
    now, then = pair(account(tmp_path), "agricultural_products", "稻谷")
    assert now.money([EAST]) == 12000 * 2800_00
    assert then.money([EAST]) == pytest.approx(12000 * 2800_00 / 0.978, rel=1e-9)
    money, before = pair(account(tmp_path / "b"), "agricultural_products", "蔬菜")
    assert before.money([SOUTH]) == pytest.approx((money.money([SOUTH]) or 0) / 0.978, rel=1e-7)


def test_a_price_of_its_own_year_is_that_of_the_base_year(tmp_path: Path) -> None:
    """The tax has been the same since 2018, and was not there before."""
    now, then = pair(account(tmp_path), "air_purification", "sulfur_dioxide")
    assert now.cents == then.cents
    _, before = pair(account(tmp_path / "b", {"account.base_year": 2017}), *now.key)
    assert set(before.cents.values()) == {None}


def test_without_a_price_of_the_base_year_there_is_no_total(tmp_path: Path) -> None:
    """The carbon market opened in 2021: in 2020 it had no price, and no total is claimed."""
    result = account(tmp_path)
    (said,) = [p for p in result.problems if p.code == "W526"]
    assert said.fields == {"year": 2020, "indicators": "carbon_sequestration.carbon_dioxide"}
    assert all(row["gep_constant"] == "" for row in rows(result, "county_gep.csv"))
    leaves = rows(result, "accounts.csv")
    assert {r["value_constant_unit"] for r in leaves if r["value"]} == {"CNY_2020"}
    carbon = [r for r in leaves if r["service"] == "carbon_sequestration"]
    assert {r["value_constant"] for r in carbon} == {""}


def test_totals_of_the_base_year_are_those_of_its_leaves(tmp_path: Path) -> None:
    """Prices of 2022 in an account of 2021: county = its leaves, province = its counties."""
    result = account(tmp_path, {"account.base_year": 2022}, hole=True)
    counties = {row["code"]: row for row in rows(result, "county_gep.csv")}
    sums: dict[str, Decimal] = {}
    for row in rows(result, "accounts.csv"):
        if row["value_constant"]:
            code = row["county_code"]
            sums[code] = sums.get(code, Decimal(0)) + Decimal(row["value_constant"])
    for code, total in sums.items():
        assert Decimal(counties[code]["gep_constant"]) == total
    assert Decimal(counties["360000"]["gep_constant"]) == sum(sums.values())
    assert counties["360000"]["gep_constant"] != counties["360000"]["gep"]
    assert "constant" in {identity.name for identity in result.identities}


def test_the_base_year_itself_is_the_current_account(tmp_path: Path) -> None:
    result = account(tmp_path, {"account.base_year": 2021})
    for row in rows(result, "county_gep.csv"):
        assert row["gep_constant"] == row["gep"]


def test_without_a_base_year_there_is_nothing_constant(tmp_path: Path) -> None:
    result = account(tmp_path, {})
    assert result.account.constant is None
    assert {row["gep_constant"] for row in rows(result, "county_gep.csv")} == {""}
    assert {row["value_constant_unit"] for row in rows(result, "accounts.csv")} == {""}


def test_a_changed_constant_value_breaks_the_identity(tmp_path: Path) -> None:
    result = account(tmp_path, {"account.base_year": 2021})
    names = ("accounts.csv", "county_gep.csv", "extent.csv")
    tables = [rows(result, name) for name in names]
    assert all(identity.holds for identity in of_tables(*tables))
    leaf = next(row for row in tables[0] if row["value_constant"])
    leaf["value_constant"] = str(Decimal(leaf["value_constant"]) + Decimal("0.01"))
    assert [i.name for i in of_tables(*tables) if not i.holds] == ["constant"]


def test_share_of_regulating_services(tmp_path: Path) -> None:
    for row in rows(account(tmp_path, {}), "county_gep.csv"):
        if row["regulating"]:
            share = Decimal(row["regulating"]) / Decimal(row["gep"])
            assert abs(Decimal(row["regulating_share"]) - share) <= Decimal("5e-7")


def test_a_price_lacking_now_and_then_is_no_total_either(tmp_path: Path) -> None:
    """No carbon price in 2025 nor in 2020: the total of 2020 would be without carbon."""
    change = {"account.year": 2025, "account.base_year": 2020, "account.price_year": 2025}
    result = account(tmp_path, change)
    (said,) = [p for p in result.problems if p.code == "W526"]
    assert "carbon_sequestration.carbon_dioxide" in str(said.fields["indicators"])
    assert {row["gep_constant"] for row in rows(result, "county_gep.csv")} == {""}


def test_money_of_two_years_has_no_ratio(tmp_path: Path) -> None:
    table = "county_code,value(亿元)\n360101,1\n360102,0.5\n360103,2\n"
    change = {"account.price_year": 2020, "statistics.gdp.file": "gdp.csv"}
    result = account(tmp_path, change, files={"gdp.csv": table})
    (said,) = [p for p in result.problems if p.code == "W527"]
    assert said.fields == {"year": 2021, "want": 2020}
    province = next(r for r in rows(result, "county_gep.csv") if r["level"] == "province")
    assert Decimal(province["gdp"]) == 350_000_000
    assert province["gep_to_gdp"] == ""


def test_a_service_left_out_makes_the_account_partial(tmp_path: Path) -> None:
    change = {"account.without": ["water_retention"]}
    result = account(tmp_path, change)
    assert "water_retention" not in {line.service for line in result.account.lines}
    assert result.account.partial
    assert [u.reason.code for u in result.plan.uncovered if u.service == "water_retention"] == [
        "W106"
    ]
    with pytest.raises(gep.GepError) as caught:
        account(tmp_path / "b", {"account.without": ["water_retentoin"]})
    assert "account.without: water_retentoin" in str(caught.value)


@pytest.mark.parametrize("year", [None, 2021, 2020, 2017])
def test_the_account_is_written_as_its_rows(year: int | None, tmp_path: Path) -> None:
    cube = account(tmp_path, {"account.base_year": year} if year else {}).account
    assert accounts(cube) == encode(ACCOUNT_COLUMNS, account_rows(cube))
