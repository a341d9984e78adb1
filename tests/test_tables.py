"""The county table: what it compares the account with, by hand."""

from decimal import Decimal
from pathlib import Path

import pytest
import small

import gep

PEOPLE = "county_code,value(万人)\n360101,1.5\n360102,0.25\n360103,2\n"
MONEY = "county_code,value(亿元)\n360101,1\n360102,0.5\n360103,2\n"


def account(folder: Path, people: str = PEOPLE, product: str = MONEY) -> gep.Result:
    tables = {"population": people, "gdp": product}
    return gep.open(small.write(folder, tables=tables)).run(threads=1)


def rows(result: gep.Result) -> dict[str, dict[str, object]]:
    found = result.counties.set_index("code").to_dict("index")
    return {str(code): row for code, row in found.items()}


def test_people_and_gdp_stand_beside_the_account(tmp_path: Path) -> None:
    found = rows(account(tmp_path))
    assert found["360101"]["population"] == 15_000
    assert found["360101"]["gdp"] == 100_000_000
    gep_of_it = Decimal(str(found["360101"]["gep"]))
    assert found["360101"]["gep_per_capita"] == float(round(gep_of_it / 15_000, 2))
    assert found["360101"]["gep_to_gdp"] == float(round(gep_of_it / 100_000_000, 6))


def test_the_province_has_the_people_of_its_counties(tmp_path: Path) -> None:
    province = rows(account(tmp_path))["360000"]
    assert province["population"] == 37_500
    assert province["gdp"] == 350_000_000


def test_one_county_without_people_leaves_the_sum_unknown(tmp_path: Path) -> None:
    found = rows(account(tmp_path, people=PEOPLE.replace("0.25", "")))
    assert found["360101"]["population"] == 15_000
    assert found["360102"]["population"] != found["360102"]["population"]
    assert found["360000"]["population"] != found["360000"]["population"]
    assert found["360000"]["gep_per_capita"] != found["360000"]["gep_per_capita"]
    assert found["360000"]["gdp"] == 350_000_000


@pytest.mark.parametrize(
    ("people", "code"),
    [
        (PEOPLE.replace("(万人)", ""), "E503"),
        (PEOPLE.replace("万人", "元"), "E603"),
        (PEOPLE.replace("360103", "360199"), "E509"),
        (PEOPLE.replace("1.5", "-1"), "E507"),
    ],
)
def test_a_wrong_table_of_people_stops_the_run(tmp_path: Path, people: str, code: str) -> None:
    with pytest.raises(gep.GepError) as error:
        account(tmp_path, people=people)
    assert code in {problem.code for problem in error.value.problems}
