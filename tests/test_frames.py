"""What from_quantities refuses, and what it does not leave out silently."""

import math
from typing import Any

import pandas as pd
import pytest

import gep
from gep.errors import GepError, InputError, UnitError

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
