"""Many scenarios of prices at once: to the cent what each gives as an account of its own."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
import small
import xarray
from hypothesis import given, settings
from hypothesis import strategies as st

import gep
from gep import cents, rasters, repricing
from gep.cube import Cube
from gep.errors import IdentityError, InputError, UnitError

SAMPLE = Path(__file__).parents[1] / "rasters" / "sample" / "gep.toml"
RESERVOIR = "reservoir_cost"
RANGES = {
    RESERVOIR: {
        "CNY_2005/m^3": (1, 12),
        "CNY_2015/m^3": (1, 15),
        "CNY_2021/m^3": (1, 15),
        "0.1 * CNY_2021/m^3": (10, 150),
    },
    "dredging_cost": {"CNY_2005/m^3": (5, 20), "CNY_2021/m^3": (5, 20)},
    "nitrogen_price": {"CNY_{year}/t": (1000, 2000), "CNY_{year}/kg": (1, 2)},
    "carbon_market": {"CNY_{year}/tCO2": (20, 80)},
    "oxygen_price": {"CNY_2005/tO2": (400, 900), "CNY_2018/tO2": (800, 1500)},
    "sulfur_dioxide_price": {"CNY_{year}/t": (1000, 2000)},
}
"""Lowest and highest price by name and unit; with {year} where no index moves the money."""


def random_prices(seed: int, scenarios: int, year: int = 2021) -> dict[str, list[str]]:
    """Texts of prices with few digits or many, in units and years that change."""
    generator = np.random.default_rng(seed)
    found: dict[str, list[str]] = {name: [] for name in RANGES}
    for name, by_unit in RANGES.items():
        for _ in range(scenarios):
            unit, (low, high) = list(by_unit.items())[generator.integers(len(by_unit))]
            digits = generator.integers(0, 9)
            found[name].append(f"{generator.uniform(low, high):.{digits}f} {unit}")
    return {name: [text.format(year=year) for text in texts] for name, texts in found.items()}


def assert_same(found: xarray.Dataset, number: int, cube: Cube) -> None:
    """One scenario of *found* is that account, place by place, to the cent."""
    services = list(dict.fromkeys(line.service for line in cube.counted()))
    assert list(found.service.values) == services
    assert list(found.county.values) == list(cube.places)
    row = found.isel(scenario=number)
    for c, place in enumerate(cube.places):
        assert_money(float(row.gep[c]), cube.cents([place]))
        for s, service in enumerate(services):
            assert_money(float(row.value[c, s]), cube.cents([place], service=service))
    assert_money(float(row.total), cube.cents(cube.places))


def assert_money(money: float, owed: int | None) -> None:
    if owed is None:
        assert np.isnan(money)
    else:
        assert money == owed / 100


def assert_each(account: gep.Account, base: gep.Result, prices: Mapping[str, list[str]]) -> None:
    """Every scenario at once is that scenario by itself."""
    found = base.reprice(prices)
    for n in range(found.sizes["scenario"]):
        said = {name: texts[n] for name, texts in prices.items()}
        assert_same(found, n, account.scenario(f"{n}", prices=said).run(threads=1).account)


@pytest.mark.parametrize("change", [{}, {"account.price_year": 2018, "account.base_year": 2015}])
def test_every_scenario_is_the_account_at_these_prices(
    tmp_path: Path, change: dict[str, Any]
) -> None:
    """Money of several years and units, capped rows, derived indicators, a hole, missing leaves."""
    rain = small.arrays()["precipitation"]
    rain[(small.classes() == 11) & (small.places() == 0)] = np.nan
    accepted = {"accept": {"E305": "a test"}}
    path = small.write(
        tmp_path, hole=True, rasters={"precipitation": rain}, change=change | accepted
    )
    account = gep.open(path)
    base = account.run(threads=1)
    lines = list(base.account.counted())
    assert any(line.capped for line in lines)
    assert any(cents is None for line in lines for cents in line.cents.values())
    prices = random_prices(1, 12, change.get("account.price_year", 2021))
    assert_each(account, base, prices)


def test_prices_of_the_sample(tmp_path: Path) -> None:
    account = gep.open(SAMPLE)
    base = account.run(threads=2)
    prices = random_prices(2, 3)
    prices["electricity_price"] = ["0.5 CNY_2021/kWh", "0.6123 CNY_2021/kWh", "0.47 CNY_2021/kWh"]
    assert_each(account, base, prices)


def test_what_is_not_named_and_what_tables_price_stays(small_result: gep.Result) -> None:
    found = small_result.reprice({RESERVOIR: ["1 CNY_2021/m^3", "2 CNY_2021/m^3"]})
    before = small_result.account
    assert found.sizes == {"scenario": 2, "county": 4, "service": found.sizes["service"]}
    for service in found.service.to_numpy():
        row = found.value.sel(service=service)
        for place in before.places:
            one, two = row.sel(county=place).to_numpy()
            if service in ("water_retention", "flood_mitigation"):
                quantity = [
                    line.quantity([place]) for line in before.counted() if line.service == service
                ]
                known = [q for q in quantity if q is not None]
                amount = float(sum(known)) if known else np.nan
                half_cents = 0.005 * 20
                assert one == pytest.approx(amount, abs=half_cents, nan_ok=True)
                assert two == pytest.approx(2 * amount, abs=half_cents, nan_ok=True)
            else:
                assert_money(one, before.cents([place], service=service))
                assert np.array_equal(one, two, equal_nan=True)


def test_counties_and_services_add_up(small_result: gep.Result) -> None:
    found = small_result.reprice(random_prices(3, 50))
    cents_of = {name: (found[name] * 100).round() for name in ("value", "gep", "total")}
    assert (cents_of["value"].sum("service") == cents_of["gep"].fillna(0)).all()
    assert (cents_of["gep"].sum("county") == cents_of["total"]).all()


def test_no_raster_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = gep.open(small.write(tmp_path)).run(threads=1)
    for path in tmp_path.iterdir():
        path.unlink()

    def opened(path: Path, *_: object) -> None:
        raise AssertionError(f"opened {path}")

    monkeypatch.setattr(rasters, "open_file", opened)
    assert base.reprice({RESERVOIR: ["7 CNY_2020/m^3"]}).sizes["scenario"] == 1


def test_a_scenario_is_priced_anew_as_its_own_scenarios_are(tmp_path: Path) -> None:
    """A price the scenario itself has replaced is held against the one on file, in its unit."""
    account = gep.open(small.write(tmp_path))
    said = {RESERVOIR: "20 CNY_2021/m^3", "oxygen_price": "1000 CNY_2018/tO2"}
    dear = account.scenario("dear", prices=said)
    prices = {RESERVOIR: ["9.5 CNY_2005/m^3", "12.25 CNY_2015/m^3"]}
    assert_each(dear, dear.run(threads=1), prices)


@settings(max_examples=200, deadline=None)
@given(
    amounts=st.lists(
        st.one_of(st.integers(-(10**13), 10**13), st.integers(-50, 50), st.integers(2**62, 2**66)),
        min_size=1,
        max_size=40,
    ),
    rates=st.lists(
        st.fractions(0, 100, max_denominator=10**4)
        | st.integers(0, 10**12).map(lambda n: Fraction(n, 10**16))
        | st.integers(0, 10**12).map(lambda n: Fraction(n, 10**21))
        | st.sampled_from([Fraction(1, 2), Fraction(5, 100), Fraction(61, 100), Fraction(0)]),
        min_size=1,
        max_size=8,
    ),
)
def test_cents_are_rounded_half_even_from_the_exact_product(
    amounts: list[int], rates: list[Fraction]
) -> None:
    """By Python's own rounding of fractions; ties, negative balances, more than 64 bits."""
    many = cents.Rates([r.numerator for r in rates], [r.denominator for r in rates])
    want = [[round(amount * rate) for rate in rates] for amount in amounts]
    assert [[int(n) for n in row] for row in cents.in_cents(amounts, many)] == want


def test_neighbours_of_ties_of_large_products() -> None:
    """One part in 10**12 beside a half cent, where floats cannot tell."""
    per = 10**12
    amounts = [2**51 + n for n in range(-3, 4)]
    times = [per // 2, per // 2 + 1, per // 2 - 1]
    want = [[round(Fraction(a * t, per)) for t in times] for a in amounts]
    found = cents.in_cents(amounts, cents.Rates(times, [per] * 3))
    assert [[int(n) for n in row] for row in found] == want


@pytest.mark.parametrize("times", [10**7, 10**8, 10**12])
def test_money_that_no_float_counts_is_added_in_integers(
    small_result: gep.Result, times: int
) -> None:
    """The small account so many times over: 64 bits suffice, or not; by fractions."""
    cube = small_result.account
    lines = [
        replace(
            line,
            amounts={leaf: a and a * times + 1 for leaf, a in line.amounts.items()},
            cents={leaf: c and c * times for leaf, c in line.cents.items()},
        )
        for line in cube.lines
    ]
    grown = replace(cube, lines=lines)
    found = repricing.reprice(small_result.plan, grown, {RESERVOIR: ["7.3 CNY_2021/m^3"]})
    total = 0
    for line in grown.counted():
        anew = line.service in ("water_retention", "flood_mitigation")
        rate = Fraction(line.quantum) * Fraction("7.3") * 100
        for leaf in line.leaves():
            amount = line.amounts.get(leaf)
            own = None if amount is None else round(amount * rate)
            total += (own if anew else line.cents.get(leaf)) or 0
    assert total > 2**53
    assert float(found.total[0]) == total / 100


def test_frames_and_arrays_say_the_same(small_result: gep.Result) -> None:
    numbers = [6.25, 7.5, 1e1]
    texts = small_result.reprice({RESERVOIR: [f"{n} CNY_2015/m^3" for n in numbers]})
    unit = "CNY_2015/m^3"
    array = np.array(numbers)
    columns = pandas.DataFrame({(RESERVOIR, unit): numbers})
    named = pandas.DataFrame({RESERVOIR: numbers}, index=["low", "middle", "high"])
    named.attrs["units"] = {RESERVOIR: unit}
    written = pandas.DataFrame({RESERVOIR: [f"{n} {unit}" for n in numbers]})
    dated = xarray.DataArray(array, attrs={"units": unit})
    for prices in ({RESERVOIR: (array, unit)}, {RESERVOIR: dated}, columns, named, written):
        found = small_result.reprice(prices)
        assert np.array_equal(found.total, texts.total)
    assert list(small_result.reprice(named).scenario.values) == ["low", "middle", "high"]
    named.attrs["units"] = unit
    named.index = pandas.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])
    assert np.array_equal(small_result.reprice(named).total, texts.total)
    assert texts.value.attrs == {"units": "CNY_2021/year"}


@pytest.mark.parametrize(
    ("prices", "code", "said"),
    [
        (
            {RESERVOIR: ["7 CNY_2020/m^3"] * 2, "oxygen_price": ["900 CNY_2020/tO2"] * 3},
            "E734",
            "oxygen_price has 3 prices, reservoir_cost has 2",
        ),
        ({RESERVOIR: "7 CNY_2020/m^3"}, "E735", "reservoir_cost is str, not a series of prices"),
        ({RESERVOIR: {"paddy": "7"}}, "E735", "reservoir_cost is dict, not a series of prices"),
        ({RESERVOIR: 7.0}, "E735", "reservoir_cost is float, not a series of prices"),
        ({RESERVOIR: np.ones((2, 2))}, "E735", "reservoir_cost is ndarray, not a series of prices"),
        (["7"], "E735", "prices is list, not a series of prices"),
        (
            pandas.DataFrame({(RESERVOIR, "CNY_2020/m^3", "low"): [7.0]}),
            "E735",
            "prices is DataFrame, not a series of prices",
        ),
        (pandas.DataFrame({RESERVOIR: [7.0]}), "E019", "states no unit, such as CNY_2021/m^3"),
        (
            {"runoff_coefficient": ["0.1"]},
            "E019",
            "runoff_coefficient is given by ecosystem; say which, such as",
        ),
        (
            {"retention_factor": ["7"]},
            "E019",
            "unknown coefficient retention_factor; ",
        ),
        (
            {"deposition_share": ["0.1", "0.2"]},
            "E736",
            "deposition_share is not only a price: soil_retention computes amounts with it",
        ),
        ({}, "E019", "prices: no scenario"),
        ({RESERVOIR: []}, "E019", "prices: no scenario"),
        ({RESERVOIR: (6.1, 7.2)}, "E019", "reservoir_cost = 6.1 states no unit, such as"),
        (
            {RESERVOIR: ["7 CNY_2020/m^3"], f"prices.{RESERVOIR}": ["7 CNY_2020/m^3"]},
            "E019",
            "reservoir_cost and prices.reservoir_cost are the same price",
        ),
        (
            {"carbon_afforestation": ["900 CNY_2021/tC"]},
            "E019",
            "carbon_afforestation: nothing in this account uses it",
        ),
        ({"reservoir_costs": ["7 CNY_2020/m^3"]}, "E019", "did you mean reservoir_cost?"),
        ({RESERVOIR: ["7 CNY/m^3"]}, "E019", "states no year of its money; write CNY_2021/m^3"),
        ({RESERVOIR: (["7", "x", "9"], "CNY_2020/m^3")}, "E019", "not a number: x"),
        ({RESERVOIR: ([7.0, np.nan], "CNY_2020/m^3")}, "E019", "not a number: nan"),
        ({RESERVOIR: ["7 CNY_2020/m^3", None]}, "E019", "not a number: None"),
        ({RESERVOIR: ([7.0, -1.0, 9.0], "CNY_2020/m^3")}, "E019", "is negative"),
        ({RESERVOIR: ([7.0, 1e6, 9.0], "CNY_2020/m^3")}, "E019", "is outside"),
        (
            {RESERVOIR: ["7 CNY_2020/m^3", "7 CNY_1999/m^3"]},
            "E019",
            "is money of 1999, which no index moves to 2021",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    small_result: gep.Result, prices: Any, code: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        small_result.reprice(prices)
    (problem,) = caught.value.problems
    assert problem.code == code
    assert problem.text().startswith("Result.reprice: ")
    assert said in problem.text()


def test_another_quantity_is_refused(small_result: gep.Result) -> None:
    with pytest.raises(UnitError) as caught:
        small_result.reprice({RESERVOIR: ["7 CNY_2020/t"]})
    assert [problem.code for problem in caught.value.problems] == ["E603"]


@pytest.mark.parametrize(
    ("prices", "zh"),
    [
        (
            {RESERVOIR: ["7 CNY_2020/m^3"] * 2, "oxygen_price": ["900 CNY_2020/tO2"]},
            "Result.reprice：oxygen_price 有 1 个价格，reservoir_cost 有 2 个",
        ),
        ({RESERVOIR: 7}, "Result.reprice：reservoir_cost 是 int，不是一列价格"),
        (
            {"deposition_share": ["0.1"]},
            "Result.reprice：deposition_share 不只是价格：soil_retention 用它计算实物量",
        ),
        ({}, "Result.reprice：prices：没有情景"),
    ],
)
def test_in_chinese_too(small_result: gep.Result, prices: Any, zh: str) -> None:
    with pytest.raises(InputError) as caught:
        small_result.reprice(prices)
    assert caught.value.problems[0].text("zh") == zh


def test_another_rule_of_prices_is_found_out(
    small_result: gep.Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last scenario is priced a second time, by the account's own pricing."""

    def off(number: Decimal, ratio: Decimal, scale: Decimal) -> Decimal:
        return number * ratio * scale * Decimal("1.0000001")

    monkeypatch.setattr(repricing, "printed", off)
    with pytest.raises(IdentityError) as caught:
        small_result.reprice({RESERVOIR: ["7 CNY_2005/m^3"]})
    assert [problem.code for problem in caught.value.problems] == ["E711"]
    assert "prices anew = the account at these prices" in caught.value.problems[0].text()
