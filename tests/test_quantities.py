"""gep.from_quantities: what it refuses, what it converts, people, identities, round trips."""

import math
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gep
from gep import quantities
from gep.errors import IdentityError, InputError, UnitError
from gep.quantities import COLUMNS
from gep.service import services

WATER = {"service": "water_retention", "indicator": "water_retention"}
SOIL = {"service": "soil_retention", "indicator": "soil_retention"}
CARBON = {"service": "carbon_sequestration", "indicator": "carbon_dioxide"}
VISITS = {"service": "noise_reduction", "indicator": "visits"}  # a service not built
CUBIC = {"quantity": 1000, "quantity_unit": "m^3"}
TONNE = {"quantity": 1, "quantity_unit": "t"}
PRICE = {"price": 7, "price_unit": "CNY_2010/m^3"}
ROW = "row 0, water_retention.water_retention: "


def account(*rows: dict[str, Any], year: Any = 2010, **options: Any) -> gep.quantities.Quantities:
    return gep.from_quantities(pd.DataFrame(list(rows)), price_year=year, **options)


def refused(text: str, *rows: dict[str, Any], year: Any = 2010, **options: Any) -> None:
    with pytest.raises(InputError) as caught:
        account(*rows, year=year, **options)
    (problem,) = caught.value.problems
    assert problem.code == "E019"
    assert problem.text() == f"gep.from_quantities: {text}"
    said = problem.text("zh")
    assert said.startswith("gep.from_quantities：")
    assert re.search("[\u4e00-\u9fff]", said)
    assert sorted(re.findall(r"\d+", said)) == sorted(re.findall(r"\d+", problem.text()))


def total(result: Any) -> float:
    return float(result.counties.set_index("level").loc["province", "gep"])


# ---- money of a year


@pytest.mark.parametrize(
    "unit", ["CNY", "元", "CNY_2010", "CNY_2010/year", "元/年", "CNY/year", "1e-4*万元"]
)
def test_money_without_a_year_is_of_the_price_year(unit: str) -> None:
    result = account(WATER | {"value": 12.5, "value_unit": unit})
    assert total(result) == 12.5
    assert result.rows.loc[0, "value_unit"] == "CNY_2010"


def test_money_of_another_year_is_refused_not_relabelled() -> None:
    text = ROW + "value is in money of 2015, the account in money of 2010"
    refused(text, WATER | {"value": 12.5, "value_unit": "CNY_2015"})
    refused(text, WATER | CUBIC | {"value": 12.5, "value_unit": "万CNY_2015"})


def test_value_without_unit_is_refused() -> None:
    text = ROW + "value 12.5 states no value_unit, such as CNY_2010"
    refused(text, WATER | {"value": 12.5})
    refused(text, WATER | {"value": 12.5, "value_unit": math.nan})
    account(WATER | CUBIC | {"value": math.nan, "value_unit": None})  # nothing to state it of


def test_value_that_is_no_money_is_refused() -> None:
    with pytest.raises(UnitError, match=r"^row 0, water_retention.water_retention: value: "):
        account(WATER | {"value": 12.5, "value_unit": "t"})


def test_price_without_a_year_is_of_the_price_year_too() -> None:
    result = account(WATER | CUBIC | {"price": 7, "price_unit": "元/m3"})
    assert total(result) == 7000
    assert result.rows.loc[0, "price_unit"] == "CNY_2010/(m^3)"


# ---- replacements

IN_RANGE = "nitrogen_content = 1520 g/kg is outside 0 to 100 g/kg"


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("deposition_share", "24", "deposition_share = 24 is outside 0 to 1"),
        ("deposition_share", "-0.1", "deposition_share = -0.1 is outside 0 to 1"),
        ("deposition_share", "nan", "deposition_share: not a number: nan"),
        ("deposition_share", "inf", "deposition_share: not a number: inf"),
        ("deposition_share", "", "deposition_share: not a number: "),
        ("deposition_share", "1_0", "deposition_share: not a number: 1_0"),
        (
            "nitrogen_content",
            "1.52",
            "nitrogen_content = 1.52 states no unit, such as g/kg",
        ),
        ("nitrogen_content", "1520 g/kg", IN_RANGE),
        (
            "nitrogen_content",
            "1.52 1",
            "nitrogen_content = 1.52 1 is outside 0 to 100 g/kg",
        ),
        ("bulk_density", "1250 t/m^3", "bulk_density = 1250 t/m^3 is outside 0.05 to 2.65 t/m^3"),
        (
            "reservoir_cost",
            "7.06",
            "reservoir_cost = 7.06 states no unit, such as CNY_2010/m^3",
        ),
        (
            "reservoir_cost",
            "7.06 CNY/m^3",
            "reservoir_cost = 7.06 CNY/m^3 states no year of its money; write CNY_2010/m^3",
        ),
        (
            "reservoir_cost",
            "7.06 元/m3",
            "reservoir_cost = 7.06 元/m3 states no year of its money; write CNY_2010/m3",
        ),
        (
            "reservoir_cost",
            "-7.06 CNY_2010/m^3",
            "reservoir_cost = -7.06 CNY_2010/m^3 is negative",
        ),
        ("reservoir_cost", "NaN CNY_2010/m^3", "reservoir_cost: not a number: NaN"),
        (
            "reservoir_cost",
            "7.06 CNY_2030/m^3",
            "reservoir_cost = 7.06 CNY_2030/m^3 is money of 2030, which no index moves to 2010",
        ),
        (
            "carbon_market",
            "60 CNY_2015/tCO2",
            "carbon_market = 60 CNY_2015/tCO2 is money of 2015, which no index moves to 2010",
        ),
        (
            "carbon_market",
            "20000 CNY_2010/tCO2",
            "carbon_market = 20000 CNY_2010/tCO2 is outside 0 to 10000 CNY/tCO2",
        ),
        (
            "reservoir_csot",
            "7.06 CNY_2010/m^3",
            "unknown coefficient reservoir_csot; did you mean reservoir_cost?",
        ),
    ],
)
def test_replacement_is_held_against_what_is_shipped(name: str, text: str, why: str) -> None:
    """Whether or not a row needs it, and by either argument."""
    with pytest.raises(InputError) as caught:
        account(WATER | CUBIC, coefficients={name: text})
    assert str(caught.value) == f"gep.from_quantities: {why}"
    assert caught.value.problems[0].code == "E019"
    with pytest.raises(InputError) as again:
        account(SOIL | TONNE, prices={name: text})
    assert str(again.value) == str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("reservoir_cost", "7.06 CNY_2010/t", "reservoir_cost: 'CNY_2010/t' is [money_of_2010] / "),
        ("reservoir_cost", "7.06 m^3", "reservoir_cost: 'm^3' is [length] ** 3, but 'CNY_2010/m^3"),
        ("nitrogen_content", "1.52 CNY_2010/t", "nitrogen_content: 'CNY_2010/t' is [money_of_2010"),
        ("deposition_share", "0.2 t", "deposition_share: 't' is [mass], but '1' (dimensionless"),
        ("reservoir_cost", "7.06 RMB/m^3", "reservoir_cost: unit 'RMB/m^3': 'RMB' is not used"),
        ("bulk_density", "1.25 g/ccm", "bulk_density: unit 'g/ccm'"),
    ],
)
def test_replacement_of_another_quantity_is_refused(name: str, text: str, why: str) -> None:
    with pytest.raises(UnitError) as caught:
        account(WATER | CUBIC, prices={name: text})
    assert str(caught.value).startswith(why)


def test_replacement_that_would_do_nothing_is_refused() -> None:
    """A coefficient of a kernel on rasters: the quantities are given, it is not asked."""
    text = "runoff_coefficient makes quantities of rasters or tables; these are given"
    refused(text, WATER | CUBIC, coefficients={"runoff_coefficient": "0.1"})


def test_replacement_in_both_arguments_is_refused() -> None:
    both = {"deposition_share": "0.2"}
    text = "deposition_share stands in prices and in coefficients"
    refused(text, SOIL | TONNE, prices=both, coefficients=both)


@pytest.mark.parametrize("text", ["0.3", "0.3 1", "30 percent", "30 %", "300 g/kg"])
def test_replacement_is_converted(text: str) -> None:
    rows = account(SOIL | TONNE, coefficients={"deposition_share": text, "bulk_density": "1 t/m3"})
    sediment = rows.rows.set_index("indicator").loc["sediment", "quantity"]
    assert float(sediment) == pytest.approx(0.3, abs=1e-6)


def test_price_of_any_year_is_moved_by_the_shipped_index() -> None:
    """Fixed asset investment 2010 = 103.6: 10 of 2009 are 10.36 of 2010, and back."""
    result = account(WATER | CUBIC, prices={"reservoir_cost": "10 CNY_2009/m^3"})
    assert total(result) == 10360.0
    back = account(WATER | CUBIC, year=2009, prices={"reservoir_cost": "10.36 CNY_2010/m^3"})
    assert total(back) == 10000.0
    (price,) = result.rows["price"]
    assert (price, result.rows.loc[0, "price_unit"]) == (Decimal("10.36"), "CNY_2010/m^3")


def test_range_of_a_price_is_in_the_money_of_its_own_year() -> None:
    """1000 of 2005 are more in the money of 2010: inside; 1000 of 2005 and a little: outside."""
    indexed = 1000 * 1.015 * 1.039 * 1.089 * 0.976 * 1.036
    account(WATER | CUBIC, prices={"reservoir_cost": f"{indexed - 1:.3f} CNY_2010/m^3"})
    with pytest.raises(InputError, match="CNY_2010/m.3 is outside 0 to 1000 CNY_2005/m"):
        account(WATER | CUBIC, prices={"reservoir_cost": f"{indexed + 1:.3f} CNY_2010/m^3"})


# ---- signs and contradictions


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (WATER | CUBIC | PRICE | {"price": -7}, "price -7 is negative"),
        (WATER | CUBIC | PRICE | {"price": -7, "quantity": -1000}, "price -7 is negative"),
        (WATER | {"value": -7, "value_unit": "CNY"}, "value -7 is negative"),
        (WATER | CUBIC | {"value": -7, "value_unit": "CNY"}, "value -7 is negative"),
        (
            WATER | CUBIC | {"quantity": -1, "value": 7, "value_unit": "CNY"},
            "value 7 of a quantity of -1",
        ),
        (
            WATER | CUBIC | PRICE | {"value": 7008, "value_unit": "CNY"},
            "quantity times price is 7000.00, the value stated is 7008.00",
        ),
        (
            WATER | CUBIC | PRICE | {"value": 0.7, "value_unit": "亿元"},
            "quantity times price is 7000.00, the value stated is 70000000.00",
        ),
        (WATER | CUBIC | {"quantity": "1_000"}, "quantity: not a number: 1_000"),
        (WATER | CUBIC | {"quantity": True}, "quantity: not a number: True"),
        (WATER | CUBIC | {"quantity": "100①"}, "quantity: not a number: 100①"),
        (WATER | CUBIC | {"quantity": "10 00"}, "quantity: not a number: 10 00"),
        (WATER | CUBIC | {"quantity": "10%"}, "quantity: not a number: 10%"),
        (WATER | CUBIC | {"quantity": "1E400"}, "quantity: 1E400 is above 1e+30"),
        (WATER | CUBIC | {"quantity": "1E4000000"}, "quantity: not a number: 1E4000000"),
    ],
)
def test_what_contradicts_itself_is_refused(row: dict[str, Any], why: str) -> None:
    refused(ROW + why, row)


@pytest.mark.parametrize("said", ["1,000", "１０００", "1 000", "1e3", 1000, 1000.0])
def test_a_number_is_what_it_is_in_a_table(said: object) -> None:
    result = account(WATER | CUBIC | PRICE | {"quantity": said})
    assert float(result.rows["quantity"][0]) == 1000


def test_negative_quantity_is_refused_but_of_a_balance() -> None:
    only = "only these may be: water_retention.water_retention, carbon_sequestration.carbon_dioxide"
    text = f"quantity -1 is negative; {only}"
    refused(f"row 0, soil_retention.soil_retention: {text}", SOIL | TONNE | {"quantity": -1})
    row = VISITS | {"quantity": -1, "quantity_unit": "人次"}
    refused(f"row 0, noise_reduction.visits: {text}", row)
    result = account(
        WATER | CUBIC | PRICE | {"quantity": -10},
        CARBON | {"quantity": -3, "quantity_unit": "tCO2", "price": 2, "price_unit": "CNY/tCO2"},
    )
    values = result.rows.set_index("indicator")["value"].astype(float)
    assert (values["water_retention"], values["carbon_dioxide"]) == (-70, -6)
    assert float(values["oxygen"]) < 0, "what follows keeps the sign"


@pytest.mark.parametrize("value", [6993.1, 7000, 7006.9])
def test_value_beside_a_price_may_differ_by_a_thousandth(value: float) -> None:
    """Quantity times price is then the value, to the cent."""
    assert total(account(WATER | CUBIC | PRICE | {"value": value, "value_unit": "CNY"})) == 7000


def test_stated_value_is_not_given_the_price_of_the_profile() -> None:
    """One county states its money, the other is priced: no price stands beside the first."""
    result = account(
        WATER | CUBIC | {"county_code": "360101", "value": 5, "value_unit": "CNY"},
        WATER | CUBIC | {"county_code": "360102"},
        prices={"reservoir_cost": "7 CNY_2010/m^3"},
    )
    rows = result.rows.set_index("county_code")
    assert rows["value"].to_dict() == {"360101": Decimal("5.00"), "360102": Decimal("7000.00")}
    assert rows.loc["360101", "price"] is None
    assert rows.loc["360102", "price"] == 7


def test_money_of_a_quantity_that_has_none_is_refused() -> None:
    """Soil is worth what its sediment and nutrients are: money of it would be left out."""
    text = "row 0, soil_retention.soil_retention: a quantity that has no money; "
    text += "it cannot have a price or a value"
    refused(text, SOIL | {"value": 5, "value_unit": "CNY"})
    refused(text, SOIL | TONNE | {"price": 5, "price_unit": "CNY/t"})


# ---- units of indicators nobody declared


def visits(county: str, quantity: float | None, unit: str = "", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"county_code": county, "quantity": quantity, "quantity_unit": unit}
    return VISITS | found | more


def test_unknown_indicator_in_two_units_is_in_the_first() -> None:
    result = account(
        visits("1", 100, "人次", price=2, price_unit="CNY/人次"),
        visits("2", 1, "万人次", price=2, price_unit="CNY/人次"),
        visits("3", 5, "万人次/年", price=3, price_unit="万元/万人次"),
    )
    rows = result.rows.set_index("county_code")
    assert rows["quantity"].astype(float).to_dict() == {"1": 100, "2": 10_000, "3": 50_000}
    assert set(rows["quantity_unit"]) == {"人次"}
    assert rows["value"].astype(float).to_dict() == {"1": 200, "2": 20_000, "3": 150_000}


def test_first_row_of_money_only_leaves_the_unit_to_the_next() -> None:
    result = account(
        visits("1", None, value=5, value_unit="CNY"),
        visits("2", 1, "万人次/year", price=2, price_unit="CNY/人次"),
        visits("3", 100, "人次"),
    )
    rows = result.rows.set_index("county_code")
    assert set(rows["quantity_unit"]) == {"万人次/year"}
    assert float(rows.loc["3", "quantity"]) == 0.01
    assert rows["value"].astype(float).to_list()[:2] == [5, 20_000]


def test_unknown_indicator_in_units_of_two_kinds_is_refused() -> None:
    with pytest.raises(UnitError) as caught:
        account(visits("1", 100, "人次"), visits("2", 1, "t"))
    assert str(caught.value) == (
        "row 1, noise_reduction.visits: 't' is [mass], but '人次' ([visits]) is needed"
    )


def test_unit_nobody_knows_is_refused_with_its_row() -> None:
    with pytest.raises(UnitError) as caught:
        account(WATER | CUBIC, WATER | CUBIC | {"quantity_unit": "cbm", "ecosystem": "forest"})
    (problem,) = caught.value.problems
    assert problem.code == "E531"
    assert problem.text().startswith("row 1, water_retention.water_retention: unit '(cbm) / year'")


# ---- places and words


@pytest.mark.parametrize(
    "code", ["360732", " 360732 ", 360732, 360732.0, "360732.0", np.int64(360732)]
)
def test_county_codes_are_text_whatever_a_spreadsheet_made_of_them(code: Any) -> None:
    result = account(WATER | CUBIC | PRICE | {"county_code": code, "county_name": "A"})
    assert result.rows["county_code"].to_list() == ["360732"]
    assert result.counties["code"].to_list() == ["360732", "360000"]
    assert result.counties["name"].to_list() == ["A", "total"]


def test_half_a_county_code_is_refused() -> None:
    text = ROW + "county_code 360732.5 is no code"
    refused(text, WATER | CUBIC | {"county_code": 360732.5})


@pytest.mark.parametrize("missing", [None, math.nan, "", "total"])
def test_row_without_code_beside_rows_with_one_is_refused(missing: Any) -> None:
    rows = [WATER | CUBIC | {"county_code": code} for code in (360732, missing)]
    text = "row 1, water_retention.water_retention: county_code is missing; other rows have one"
    refused(text, *rows)


def test_unallocated_is_one_row() -> None:
    rows = [WATER | CUBIC | PRICE | {"county_code": c} for c in ("360732", "unallocated")]
    found = account(*rows, population={"360732": 70}).counties
    assert found[["level", "code", "gep"]].to_numpy().tolist() == [
        ["county", "360732", 7000.0],
        ["unallocated", "unallocated", 7000.0],
        ["province", "360000", 14000.0],
    ]
    assert found["gep_per_capita"].to_list()[::2] == [100.0, 200.0]
    assert math.isnan(found["population"][1])


def test_county_of_two_names_is_refused() -> None:
    rows = [
        WATER | CUBIC | {"county_code": 1, "county_name": name, "ecosystem": ecosystem}
        for name, ecosystem in (("A", "forest"), ("", "wetland"), ("B", "grassland"))
    ]
    text = "row 2, water_retention.water_retention: county 1 is called B, before it was A"
    refused(text, *rows)
    assert account(*rows[:2]).counties["name"].to_list() == ["A", "total"]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"ecosystem": "forrest"}, "unknown ecosystem forrest; did you mean forest?"),
        ({"ecosystem": "nodata"}, "unknown ecosystem nodata; known: evergreen_broadleaf_forest, "),
        ({"service": "water_retentoin"}, "unknown service water_retentoin; did you mean water_re"),
        ({"service": None}, "unknown service ; known: agricultural_products, "),
        ({"indicator": "retention"}, "unknown indicator retention; did you mean water_retention?"),
        ({"indicator": "xyz"}, "unknown indicator xyz; known: water_retention"),
        ({"indicator": math.nan}, "indicator is empty"),
    ],
)
def test_words_nobody_knows_are_refused(row: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError) as caught:
        account(WATER | CUBIC | row)
    assert why in str(caught.value)
    assert str(caught.value).startswith("gep.from_quantities: row 0, ")
    assert caught.value.problems[0].code == "E019"


def test_indicator_of_ones_own_needs_money_only_where_a_service_is_built() -> None:
    own = WATER | CUBIC | {"indicator": "ponds"}
    refused(
        "row 0, water_retention.ponds: unknown indicator ponds; known: water_retention",
        own,
    )
    assert total(account(own | PRICE)) == 7000
    assert total(account(own | {"value": 5, "value_unit": "CNY"})) == 5
    open_rows = {"service": "agricultural_products", "indicator": "稻谷"} | TONNE
    assert account(open_rows, VISITS | {"quantity": 5, "quantity_unit": "人次"}).rows[
        "value"
    ].to_list() == [None, None]


@pytest.mark.parametrize("word", ["forest", "mixed_forest", "unattributed", "", None])
def test_classes_groups_and_nothing_are_ecosystems(word: Any) -> None:
    found = account(WATER | CUBIC | {"ecosystem": word}).rows.loc[0, "ecosystem"]
    assert found == (word or "unattributed")


@pytest.mark.parametrize(
    ("column", "hint"),
    [
        ("quantiy", "did you mean quantity?"),
        ("unit", "did you mean quantity_unit?"),
        ("county", "did you mean county_code?"),
        ("xyz", f"known: {', '.join(COLUMNS)}"),
    ],
)
def test_column_nobody_knows_is_refused(column: str, hint: str) -> None:
    with pytest.raises(InputError) as caught:
        account(WATER | CUBIC | {column: 1})
    (problem,) = caught.value.problems
    text = f"gep.from_quantities: unknown column {column}; "
    assert problem.text().startswith(text)
    assert problem.text() == text + hint or column in ("unit", "county")


def test_column_that_stands_twice_is_refused() -> None:
    frame = pd.DataFrame([[*WATER.values(), 1, 2]], columns=[*WATER, "quantity", "quantity"])
    with pytest.raises(InputError, match="column quantity stands twice"):
        gep.from_quantities(frame)


def test_row_is_named_by_its_label() -> None:
    frame = pd.DataFrame([WATER | CUBIC, WATER | CUBIC | {"quantity": "x"}], index=["a", "b"])
    with pytest.raises(InputError, match=r"row b, water_retention\.water_retention: quantity: not"):
        gep.from_quantities(frame)


@pytest.mark.parametrize("year", [2010.5, 2010.0, "2010", True, 1989, 2061, None])
def test_price_year_is_a_year(year: Any) -> None:
    refused(f"price_year = {year!r} is not a year from 1990 to 2060", WATER | CUBIC, year=year)


@pytest.mark.parametrize("year", [1990, 2060, np.int64(2010)])
def test_price_year_may_be_any_whole_number_of_them(year: Any) -> None:
    assert account(WATER | {"value": 1, "value_unit": "CNY"}, year=year).account.price_year == year


# ---- people


TWO = [
    WATER | CUBIC | PRICE | {"county_code": code, "quantity": quantity}
    for code, quantity in (("360101", 1000), ("360102", 3000))
]


def per_head(*rows: dict[str, Any], population: Any) -> list[list[float]]:
    found = account(*rows, population=population).counties
    return [found[name].tolist() for name in ("population", "gep_per_capita")]


def test_people_by_county() -> None:
    people, head = per_head(*TWO, population={"360101": 70, 360102: 700.0})
    assert people == [70, 700, 770]
    assert head == [100, 30, 36.36]


def test_people_of_a_county_that_is_lacking_leave_the_whole_unknown() -> None:
    people, head = per_head(*TWO, population={"360101": 70})
    assert people[0] == 70
    assert head[0] == 100
    assert np.isnan([*people[1:], *head[1:]]).all()


def test_people_in_all() -> None:
    people, head = per_head(*TWO, population=700)
    assert people[2] == 700
    assert head[2] == 40
    assert np.isnan([*people[:2], *head[:2]]).all()
    assert per_head(TWO[0], population=70) == [[70, 70], [100, 100]]
    assert per_head(WATER | CUBIC | PRICE, population=70) == [[70], [100]]
    assert per_head(WATER | CUBIC | PRICE, population={"total": 70}) == [[70], [100]]


def test_nobody_said_how_many() -> None:
    assert np.isnan(per_head(*TWO, population=None)).all()


@pytest.mark.parametrize("said", [0, -5, math.nan, math.inf, "70", [70]])
def test_people_are_a_number_above_nothing(said: Any) -> None:
    refused(f"population = {said} is not a number above 0", *TWO, population=said)
    text = f"population of 360101 = {said} is not a number above 0"
    refused(text, *TWO, population={"360101": said})


def test_people_of_a_place_that_is_not_there_are_refused() -> None:
    text = "population of 360111, which the frame has not; did you mean 360101?"
    refused(text, *TWO, population={"360111": 70})
    refused(
        "population of total, which the frame has not; known: 360101, 360102",
        *TWO,
        population={"total": 70},
    )


# ---- identities

NAMES = ["counties", "ecosystems", "groups", "value", "extent"]


@pytest.mark.parametrize("rows", [[WATER | CUBIC | PRICE], TWO, [SOIL | TONNE], []])
def test_identities_are_checked(rows: list[dict[str, Any]]) -> None:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    found = gep.from_quantities(frame, price_year=2010).identities
    assert [i.name for i in found] == NAMES
    assert all(i.holds for i in found)


def test_identities_compare_the_money() -> None:
    (counties, ecosystems, *_, value, _) = account(*TWO).identities
    assert (counties.compared, counties.left, counties.right) == (2, "2800000", "2800000")
    assert (ecosystems.compared, ecosystems.left) == (2, "2800000")
    assert (value.compared, value.left) == (2, "2800000")


def test_a_cent_too_many_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = quantities.value
    monkeypatch.setattr(quantities, "value", lambda *number: right(*number) + 1)
    with pytest.raises(IdentityError) as caught:
        account(WATER | CUBIC | PRICE)
    (problem,) = caught.value.problems
    assert problem.code == "E711"
    assert problem.fields["name"] == "value"


def test_a_place_that_is_lost_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = quantities.Cube
    monkeypatch.setattr(
        quantities, "Cube", lambda **said: replace(right(**said), names={"360101": ""})
    )
    with pytest.raises(IdentityError) as caught:
        account(*TWO)
    assert {p.fields["name"] for p in caught.value.problems} == {"counties", "ecosystems"}


# ---- everything at once


def test_rows_of_an_account_give_it_again() -> None:
    """What comes out may be put in, oxygen of a negative balance aside."""
    result = account(
        *TWO,
        SOIL | TONNE | {"county_code": "360101", "ecosystem": "forest"},
        CARBON | {"county_code": "360102", "quantity": 3, "quantity_unit": "tCO2"},
        WATER | {"county_code": "unallocated", "value": 3, "value_unit": "CNY"},
        visits("360101", 3, "万人次", price=3, price_unit="CNY/人次"),
        population={"360101": 70, "360102": 700},
    )
    frame = result.rows[list(COLUMNS)]
    again = gep.from_quantities(frame, price_year=2010, population={"360101": 70, "360102": 700})
    pd.testing.assert_frame_equal(again.counties, result.counties)
    told = ["county_code", "indicator", "ecosystem", "quantity", "value"]
    left, right = (r.rows.sort_values(told[:3]).reset_index()[told] for r in (again, result))
    pd.testing.assert_frame_equal(left, right)


def test_every_indicator_of_the_registry_is_taken() -> None:
    """Each by its own unit, at the price of the profile or at none; the tables add up."""
    rows = []
    for service in services().values():
        if service.name == "water_supply":  # excludes water retention
            continue
        for i in service.indicators:
            key = {"service": service.name, "indicator": i.name}
            if hasattr(i, "quantity") and key not in [{k: r[k] for k in key} for r in rows]:
                rows.append(key | {"quantity": 12.5, "quantity_unit": i.quantity})
    result = account(*rows, year=2021)
    assert len(result.rows) == len(rows)
    assert result.rows["value"].notna().sum() > 15
    assert all(i.holds for i in result.identities)


def test_two_services_of_one_flow_are_said() -> None:
    supply = {"service": "water_supply", "indicator": "domestic"} | CUBIC
    found = account(WATER | CUBIC, supply | PRICE).account.problems
    assert [p.code for p in found if p.code == "W528"] == ["W528"]
    alone = account(WATER | CUBIC).account.problems
    assert not [p for p in alone if p.code == "W528"]
