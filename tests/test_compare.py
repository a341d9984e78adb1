"""Two accounts compared: every leaf split by hand, laws of the split, real accounts, the verb."""

import itertools
import json
import shutil
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

import gep
from gep import differences, store
from gep.cli import main
from gep.compare import LEVELS, Comparison, compare
from gep.compare.changes import EFFECTS, Change, split
from gep.compare.sides import Side, of_folder
from gep.errors import IdentityError, InputError

EAST, WEST, SOUTH = small.CODES
CARBON = ("carbon_sequestration", "carbon_dioxide")
BAMBOO, FOREST, PADDY = 16, 13, 51


# ---- accounts by hand


ITEMS = {
    ("water_retention", "water_retention"): {},
    ("oxygen_release", "oxygen"): {"derived_from": "carbon_sequestration.carbon_dioxide"},
    CARBON: {},
    ("air_purification", "sulfur_dioxide"): {"cap": "emissions.so2"},
    ("soil_retention", "phosphorus"): {"derived_from": "soil_retention"},
    ("soil_retention", "soil_retention"): {"cap": "loads.phosphorus"},
    ("flood_mitigation", "lakes"): {"rows": {"table": "lakes"}},
    ("tourism", "visits"): {"rows": {"table": "tourism"}},
    ("agricultural_products", "agricultural_products"): {"table": "products"},
}
BY_AREA = {("water_retention", "water_retention"), CARBON, ("oxygen_release", "oxygen")}
LEAVES = [key for key in ITEMS if key != ("agricultural_products", "agricultural_products")]
LEAVES.remove(("soil_retention", "soil_retention"))
LEAVES.append(("agricultural_products", "稻谷"))
Amounts = tuple[str | None, str | None, str | None]
"""Quantity, price and value of a leaf as written; None is an empty cell."""
Account = dict[tuple[str, str, str, str], Amounts]


def cents(text: str | None) -> int:
    return int(Decimal(text) * 100) if text else 0


def worth(quantity: str, price: str) -> str:
    """Value of a leaf: the product, rounded half-even to 0.01."""
    return f"{Decimal(round(Fraction(quantity) * Fraction(price) * 100)).scaleb(-2):f}"


def core(year: int = 2021, **more: Any) -> dict[str, Any]:
    """What a comparison reads of run.json."""
    plain = {"method": "m", "counted": True, "cap": "", "derived_from": ""}
    items = [
        {"service": service, "indicator": indicator, "title": {"en": indicator, "zh": indicator}}
        | plain
        | said
        for (service, indicator), said in ITEMS.items()
    ]
    return {
        "account": {
            "account": {"name": "某县", "year": year},
            "rasters": {"ecosystem": {"legend": "gep"}},
        },
        "profile": {"name": "jiangxi-2021", "version": "0.1.0"},
        "inputs": {"counties": {"file": "counties.gpkg", "sha256": "c" * 64}},
        "items": items,
    } | more


def side(
    leaves: Mapping[tuple[str, str, str, str], Amounts],
    areas: Mapping[tuple[str, str], str],
    name: str = "2021_a",
    /,
    **more: Any,
) -> Side:
    """Account of leaves and areas, as its tables would be written."""
    rows = [
        dict(zip(("county_code", "service", "indicator", "ecosystem"), key, strict=True))
        | {"quantity": quantity or "", "quantity_unit": "t/year" if quantity else ""}
        | {"price": price or "", "price_unit": "CNY_2021/t" if price else ""}
        | {"value": value or "", "value_unit": "CNY_2021"}
        for key, (quantity, price, value) in leaves.items()
    ]
    extent = [
        {"county_code": place, "ecosystem": kind, "area_km2": area}
        for (place, kind), area in areas.items()
    ]
    places = dict.fromkeys(row["county_code"] for row in (*rows, *extent))
    sums = {
        place: sum(cents(v) for key, (_, _, v) in leaves.items() if key[0] == place)
        for place in places
    }
    found = [
        {"level": "county", "code": p, "name": f"{p}县", "gep": str(Decimal(c).scaleb(-2))}
        for p, c in sums.items()
    ]
    total = str(Decimal(sum(sums.values())).scaleb(-2))
    found.append({"level": "city", "code": "x", "name": "市", "gep": "-1"})
    found.append({"level": "province", "code": "y", "name": "省", "gep": total})
    return Side(name, rows, extent, found, core(**more))


def one(
    key: tuple[str, str],
    before: Amounts | None,
    after: Amounts | None,
    areas: tuple[str | None, str | None] = ("1", "1"),
) -> Change:
    """Change of a single leaf."""
    sides = []
    for amounts, area in zip((before, after), areas, strict=True):
        leaves = {} if amounts is None else {("1", *key, "bamboo_forest"): amounts}
        kinds = {("1", "open_water"): "5"} | ({("1", "bamboo_forest"): area} if area else {})
        sides.append(side(leaves, kinds))
    (found,) = compare(*sides).changes.values()
    return found


def parts(change: Change) -> tuple[int, ...]:
    return tuple(getattr(change, name) for name in EFFECTS)


def orders(
    before: Iterable[Fraction], after: Iterable[Fraction]
) -> tuple[Fraction, Fraction, Fraction]:
    """Effect of three factors on their product: the mean over the orders in which they change."""
    first, last = list(before), list(after)
    effects = [Fraction(0)] * 3
    for order in itertools.permutations(range(3)):
        now = list(first)
        for number in order:
            held = now[0] * now[1] * now[2]
            now[number] = last[number]
            effects[number] += (now[0] * now[1] * now[2] - held) / 6
    return effects[0], effects[1], effects[2]


# ---- one leaf


def test_three_factors_by_hand() -> None:
    """10 km² of 3 t at 2 CNY become 12 of 4 at 5: 60 CNY become 240.

    Area gives 2·((3·2 + 4·5)/3 + (3·5 + 4·2)/6) = 25, quantity 1·((10·2 + 12·5)/3 + (10·5 +
    12·2)/6) = 39, price 3·((10·3 + 12·4)/3 + (10·4 + 12·3)/6) = 116: together 180.
    """
    found = one(CARBON, ("30", "2", "60.00"), ("48", "5", "240.00"), ("10", "12"))
    assert found == Change(6000, 24000, 2500, 3900, 11600, 0)
    assert found.difference == found.effects == 18000


def test_two_factors_by_hand() -> None:
    """Capped: 30 t at 2 CNY become 48 t at 5: 18·(2+5)/2 = 63 and 3·(30+48)/2 = 117; no area."""
    capped = ("air_purification", "sulfur_dioxide")
    found = one(capped, ("30", "2", "60.00"), ("48", "5", "240.00"), ("10", "12"))
    assert found == Change(6000, 24000, 0, 6300, 11700, 0)


@pytest.mark.parametrize("key", LEAVES, ids=[".".join(key) for key in LEAVES])
def test_area_is_a_factor_of_sums_over_pixels_alone(key: tuple[str, str]) -> None:
    found = one(key, ("30", "2", "60.00"), ("48", "5", "240.00"), ("10", "12"))
    assert bool(found.area) == (key in BY_AREA)
    assert found.other == 0


def test_where_the_accounts_disagree_on_the_kind_of_a_sum_area_is_no_factor() -> None:
    key = ("1", *CARBON, "bamboo_forest")
    first = side({key: ("30", "2", "60.00")}, {("1", "bamboo_forest"): "10"})
    last = side({key: ("48", "5", "240.00")}, {("1", "bamboo_forest"): "12"})
    next(i for i in last.core["items"] if i["indicator"] == "carbon_dioxide")["cap"] = "loads.x"
    for pair in ((first, last), (last, first)):
        assert compare(*pair).changes[key].area == 0


def test_rounding_stands_under_other() -> None:
    """1 t at 0.005 is 0.00 (half to even), 1 t at 0.015 is 0.02; the price gives 0.01."""
    found = one(CARBON, ("1", "0.005", "0.00"), ("1", "0.015", "0.02"))
    assert found == Change(0, 2, 0, 0, 1, 1)


@pytest.mark.parametrize(
    ("areas", "sign"), [((None, "12"), 1), (("12", None), -1)], ids=["new", "gone"]
)
def test_an_ecosystem_new_or_gone_is_all_area(
    areas: tuple[str | None, str | None], sign: int
) -> None:
    there: Amounts = ("48", "5", "240.00")
    pair = (None, there) if areas[0] is None else (there, None)
    found = one(CARBON, *pair, areas)
    assert (found.difference, found.reason) == (sign * 24000, "")
    assert parts(found) == (sign * 24000, 0, 0, 0)


@pytest.mark.parametrize("key", LEAVES, ids=[".".join(key) for key in LEAVES])
def test_a_leaf_one_account_lacks(key: tuple[str, str]) -> None:
    """Its ecosystem is there: pixels were not counted (other), of a table there was none (0 t)."""
    found = one(key, None, ("48", "5", "240.00"), ("10", "12"))
    if key in BY_AREA:
        assert found == Change(None, 24000, other=24000, reason="one_side")
    else:
        assert found == Change(None, 24000, quantity=24000)


@pytest.mark.parametrize("missing", [("30", "2", None), (None, "2", None), (None, None, None)])
@pytest.mark.parametrize("key", [CARBON, ("tourism", "visits")])
def test_a_missing_amount_is_not_zero(key: tuple[str, str], missing: Amounts) -> None:
    there: Amounts = ("48", "5", "240.00")
    assert one(key, missing, there) == Change(None, 24000, other=24000, reason="missing")
    assert one(key, there, missing) == Change(24000, None, other=-24000, reason="missing")
    assert one(key, missing, missing) == Change(None, None, reason="missing")
    assert one(key, None, missing, (None, "1")) == Change(None, None, reason="missing")


@pytest.mark.parametrize("money", [(None, None, "60.00"), ("0", None, "60.00")])
def test_money_alone_is_not_split(money: Amounts) -> None:
    visits = ("tourism", "visits")
    there: Amounts = ("48", "5", "240.00")
    assert one(visits, money, there) == Change(6000, 24000, other=18000, reason="unpriced")
    assert one(visits, there, money) == Change(24000, 6000, other=-18000, reason="unpriced")
    assert one(visits, None, money) == Change(None, 6000, other=6000, reason="unpriced")


def test_money_of_a_quantity_without_a_price_is_split_by_its_worth_a_unit() -> None:
    """30 visits of 60 CNY in all (2 each), then 48 of 240 (5 each): 18 x 3.5 and 3 x 39."""
    visits = ("tourism", "visits")
    found = one(visits, ("30", None, "60.00"), ("48", None, "240.00"))
    assert found == Change(6000, 24000, quantity=6300, price=11700)
    assert one(visits, ("30", "2", "60.00"), ("48", None, "240.00")) == found


# ---- laws


FACTOR = st.fractions(-1000, 1000, max_denominator=1000)
FACTORS = st.tuples(FACTOR, FACTOR, FACTOR)
AMOUNT = st.decimals("-9999", "9999", places=3).map(str)
PRICE = st.decimals("0", "999", places=4).map(str)
AREA = st.decimals("0.01", "999", places=2).map(str)
KINDS = ("bamboo_forest", "tussock", "unattributed")


@given(FACTORS, FACTORS)
def test_the_split_is_the_mean_over_the_orders(
    before: tuple[Fraction, Fraction, Fraction], after: tuple[Fraction, Fraction, Fraction]
) -> None:
    found = split(before, after)
    assert found == orders(before, after)
    a, b = (f[0] * f[1] * f[2] for f in (before, after))
    assert sum(found) == b - a
    assert split(after, before) == tuple(-effect for effect in found)


@st.composite
def accounts(draw: st.DrawFn) -> Side:
    """Account of any leaves: priced, money alone, missing, absent; ecosystems there or not."""
    leaves: Account = {}
    places = draw(st.lists(st.sampled_from("123"), min_size=1, unique=True))
    areas = {(place, "open_water"): "5" for place in places}
    for place, kind in itertools.product(places, KINDS):
        if draw(st.booleans()):
            areas[place, kind] = draw(AREA)
        for key in LEAVES:
            if key in BY_AREA and (place, kind) not in areas:
                continue
            quantity, price = draw(AMOUNT), draw(PRICE)
            shapes: list[Amounts | None] = [None, (quantity, price, None), (None, None, None)]
            shapes += [(None, None, worth(price, "3"))] + [
                (quantity, price, worth(quantity, price))
            ] * 4
            shape = draw(st.sampled_from(shapes))
            if shape is not None:
                leaves[place, *key, kind] = shape
    return side(leaves, areas)


@settings(deadline=None, max_examples=40)
@given(accounts(), accounts())
def test_what_changed_adds_up_at_every_level(before: Side, after: Side) -> None:
    found = compare(before, after)
    totals = [sum(cents(row["value"]) for row in account.rows) for account in (before, after)]
    assert found.total.difference == totals[1] - totals[0]
    for number in range(1, len(LEVELS) + 1):
        for levels in itertools.combinations(LEVELS, number):
            sums = found.sums(*levels).values()
            assert sum(change.difference for change in sums) == totals[1] - totals[0]
            assert all(change.effects == change.difference for change in sums)
    for change in found.changes.values():
        assert change.effects == change.difference
        assert change.reason or abs(change.other) <= 2
        assert not change.reason or parts(change)[:3] == (0, 0, 0)


@settings(deadline=None, max_examples=40)
@given(accounts(), accounts())
def test_the_other_way_round_every_effect_changes_sign(before: Side, after: Side) -> None:
    there, back = compare(before, after), compare(after, before)
    assert there.changes.keys() == back.changes.keys()
    for key, change in there.changes.items():
        other = back.changes[key]
        assert (other.before, other.after) == (change.after, change.before)
        assert parts(other) == tuple(-part for part in parts(change))
        assert other.reason == change.reason


@settings(deadline=None, max_examples=40)
@given(accounts())
def test_nothing_changes_between_an_account_and_itself(account: Side) -> None:
    found = compare(account, account)
    assert found.same
    assert found.problems == ()
    assert found.others == {}
    assert {parts(change) for change in found.changes.values()} <= {(0, 0, 0, 0)}


@settings(deadline=None, max_examples=40)
@given(accounts(), st.fractions(0, 9, max_denominator=100))
def test_dearer_and_nothing_else_is_all_price(account: Side, times: Fraction) -> None:
    dearer: Account = {}
    for row in account.rows:
        key = (row["county_code"], row["service"], row["indicator"], row["ecosystem"])
        quantity, price, value = (row[name] or None for name in ("quantity", "price", "value"))
        if price and quantity and value:
            price = str(Decimal(price) * round(Decimal(float(times)), 2))
            value = worth(quantity, price)
        dearer[key] = quantity, price, value
    areas = {(r["county_code"], r["ecosystem"]): r["area_km2"] for r in account.extent}
    for change in compare(account, side(dearer, areas)).changes.values():
        assert (change.area, change.quantity) == (0, 0)
        assert abs(change.other) <= 1


@settings(deadline=None, max_examples=40)
@given(AMOUNT, PRICE, st.integers(1, 500), st.integers(0, 500))
def test_more_land_of_the_same_kind_is_all_area(
    density: str, price: str, before: int, after: int
) -> None:
    """The quantity grows with the area: nothing is left for quantity per area, or for price."""
    amounts: list[Amounts | None] = []
    for area in (before, after):
        quantity = str(Decimal(density) * area)
        amounts.append((quantity, price, worth(quantity, price)) if area else None)
    found = one(CARBON, amounts[0], amounts[1], (str(before), str(after) if after else None))
    assert (found.quantity, found.price) == (0, 0)
    assert abs(found.other) <= 1
    exact = 100 * Fraction(density) * Fraction(price) * (after - before)
    assert found.area == round(exact)


# ---- sums, names, what cannot be compared


def both(**more: Any) -> tuple[Side, Side]:
    """Two accounts of two counties; *more* changes the core of the later one."""
    kinds = {("1", "bamboo_forest"): "10", ("2", "tussock"): "4", ("2", "bamboo_forest"): "1"}
    before: Account = {
        ("1", *CARBON, "bamboo_forest"): ("30", "2", "60.00"),
        ("1", "agricultural_products", "稻谷", "unattributed"): ("7", "10", "70.00"),
        ("2", "tourism", "visits", "unattributed"): (None, None, "500.00"),
    }
    after: Account = {
        ("1", *CARBON, "bamboo_forest"): ("48", "5", "240.00"),
        ("1", "agricultural_products", "稻谷", "unattributed"): ("7", "12", "84.00"),
        ("2", "tourism", "visits", "unattributed"): (None, None, "450.00"),
        ("2", *CARBON, "tussock"): ("2", "5", None),
    }
    grown = kinds | {("1", "bamboo_forest"): "12"}
    return side(before, kinds, "2020_a", year=2020), side(after, grown, "2021_b", **more)


def test_tables_by_hand() -> None:
    found = compare(*both())
    rows = found.rows.set_index(["county_code", "service", "ecosystem"])
    carbon = rows.loc["1", "carbon_sequestration", "bamboo_forest"]
    assert list(found.rows.columns) == [
        *("county_code", "county_name", "service", "indicator", "ecosystem"),
        *("before", "after", "difference", "area", "quantity", "price", "other", "reason"),
    ]
    assert carbon["county_name"] == "1县"
    assert carbon["before"] == Decimal("60.00")
    assert isinstance(carbon["area"], Decimal)
    assert [carbon[name] for name in EFFECTS] == [25, 39, 116, 0]
    counties = found.counties.set_index("county_code")
    assert list(counties.loc["1", list(EFFECTS)]) == [25, 39, 130, 0]
    assert list(counties.loc["2", list(EFFECTS)]) == [0, 0, 0, -50]
    services = found.services.set_index("service")
    assert services.loc["agricultural_products", "price"] == 14
    assert list(found.ecosystems["ecosystem"]) == ["bamboo_forest", "unattributed", "tussock"]
    assert found.ecosystems.set_index("ecosystem").loc["tussock", "before"] is None
    assert found.total == Change(63000, 77400, 2500, 3900, 13000, -5000)
    pairs = found.by("indicator", "county")
    assert list(pairs.columns[:4]) == ["service", "indicator", "county_code", "county_name"]
    assert len(pairs) == 4
    assert sum(pairs["difference"]) == 144
    assert found.others == {"unpriced": (1, -5000)}
    assert not found.same
    assert repr(found).startswith("Comparison 2020_a → 2021_b\n")


def test_quantities_by_hand() -> None:
    found = compare(*both()).quantities.set_index("indicator")
    rice = found.loc["稻谷"]
    assert (rice["before"], rice["after"], rice["difference"]) == (7, 7, 0)
    assert rice["unit"] == "t/year"
    carbon = found.loc["carbon_dioxide"]
    assert (carbon["before"], carbon["after"], carbon["difference"]) == (30, 50, 20)
    first = side({("1", *CARBON, "tussock"): ("3", "2", "6.00")}, {("1", "tussock"): "1"})
    last = side({("1", *CARBON, "tussock"): ("3", "2", "6.00")}, {("1", "tussock"): "1"})
    last.rows[0]["quantity"] = last.rows[0]["value"] = ""
    last.counties[0]["gep"] = last.counties[-1]["gep"] = ""
    (row,) = compare(first, last).quantity_table()
    assert (row["before"], row["after"], row["difference"]) == (3, None, None)
    assert (row["missing_before"], row["missing_after"]) == (0, 1)


@pytest.mark.parametrize("levels", [(), ("group",), ("county", "county")])
def test_levels_nobody_knows(levels: tuple[str, ...]) -> None:
    found = compare(*both())
    with pytest.raises(InputError, match="known: county, service, indicator, ecosystem") as raised:
        found.by(*levels)
    assert raised.value.problems[0].code == "E561"


OTHER_FILE = {"counties": {"file": "new.gpkg", "sha256": "d" * 64}}
RENAMED = {"counties": {"file": "new.gpkg", "sha256": "c" * 64}}
OUTLINE = core()["inputs"] | {"counties.outline": {"file": "o.gpkg", "sha256": "e" * 64}}
CLCD = core()["account"] | {"rasters": {"ecosystem": {"legend": "clcd"}}}
PROFILE = {"name": "jiangxi-2021", "version": "0.2.0"}


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"profile": PROFILE}, "W560", "2020_a uses profile jiangxi-2021 0.1.0, 2021_b uses "),
        ({"inputs": OTHER_FILE}, "W561", "counties.gpkg cccccccccccc in 2020_a, new.gpkg dddd"),
        ({"inputs": OUTLINE}, "W561", "o.gpkg eeeeeeeeeeee in 2021_b"),
        ({"account": CLCD}, "W562", "gep in 2020_a, clcd in 2021_b"),
    ],
)
def test_another_series_is_said(more: dict[str, Any], code: str, words: str) -> None:
    found = compare(*both(**more))
    assert [problem.code for problem in found.problems] == [code]
    assert words in found.problems[0].text()


def test_a_file_of_another_name_with_the_same_bytes_is_the_same_file() -> None:
    assert compare(*both(inputs=RENAMED)).problems == ()


def test_another_method_is_said() -> None:
    before, after = both()
    next(i for i in after.core["items"] if i["service"] == "tourism")["method"] = "income"
    (problem,) = compare(before, after).problems
    assert problem.code == "W563"
    assert problem.text().startswith("tourism: method m in 2020_a, income in 2021_b;")


def test_a_service_of_one_account_is_other_and_said() -> None:
    before, after = both()
    kept = [i for i in after.core["items"] if i["service"] != "carbon_sequestration"]
    after.core["items"][:] = kept  # type: ignore[index]
    after.rows[:] = [row for row in after.rows if row["service"] != "carbon_sequestration"]
    after.counties[0]["gep"], after.counties[-1]["gep"] = "84.00", "534.00"
    found = compare(before, after)
    (problem,) = found.problems
    assert problem.code == "W564"
    assert problem.text().endswith(
        "carbon_sequestration carbon_dioxide; -60.00 CNY of the difference (other)"
    )
    change = found.changes["1", *CARBON, "bamboo_forest"]
    assert change == Change(6000, None, other=-6000, reason="one_side")


def test_a_service_that_is_not_counted_in_one_account_is_other() -> None:
    """Its rows stand there without money."""
    before, after = both()
    for row in before.rows[:1]:
        row["value"] = row["value_unit"] = ""
    before.counties[0]["gep"], before.counties[-1]["gep"] = "70.00", "570.00"
    found = compare(before, after)
    change = found.changes["1", *CARBON, "bamboo_forest"]
    assert change == Change(None, 24000, other=24000, reason="one_side")
    assert [problem.code for problem in found.problems] == ["W564"]


@pytest.mark.parametrize("how", ["its rows have no money", "run.json says so"])
def test_a_table_that_is_not_counted_in_one_account_is_other(how: str) -> None:
    """Not a quantity of zero, as where it is counted and has no row."""
    rice = ("1", "agricultural_products", "稻谷", "unattributed")
    lakes = ("1", "flood_mitigation", "lakes", "unattributed")
    key = lakes if how == "its rows have no money" else rice
    before, after = (
        side({key: ("7", "10", "70.00")}, {("1", "open_water"): "5"}, name) for name in "ab"
    )
    before.rows[0]["value"] = before.rows[0]["value_unit"] = ""
    before.counties[0]["gep"] = before.counties[-1]["gep"] = ""
    if key == rice:
        before.core["items"][-1]["counted"] = False
    assert compare(before, after).changes[key] == Change(None, 7000, other=7000, reason="one_side")


def test_a_quantity_without_money_is_a_difference() -> None:
    """Soil retained has no price; 1 t and 1.0 t are the same."""
    soil = ("1", "soil_retention", "soil_retention", "bamboo_forest")
    sides = []
    for quantity in ("1", "1.0", "2"):
        found = side({soil: (quantity, None, None)}, {("1", "bamboo_forest"): "5"})
        found.rows[0]["value_unit"] = ""
        sides.append(found)
    assert compare(sides[0], sides[1]).same
    assert not compare(sides[0], sides[2]).same
    assert compare(sides[0], sides[2]).total == Change(None, None)


def test_a_county_of_one_account_is_other_and_said() -> None:
    before, after = both()
    before.rows[:] = before.rows[:2]
    before.extent[:] = before.extent[:1]
    del before.counties[1]
    before.counties[-1]["gep"] = "130.00"
    found = compare(before, after)
    assert found.sums("county")["2",] == Change(None, 45000, other=45000)
    (problem,) = found.problems
    assert problem.code == "W566"
    assert problem.text() == (
        "in only one of 2020_a and 2021_b: 2; 450.00 CNY of the difference (other)"
    )


@pytest.mark.parametrize(
    ("kind", "unit"), [("quantity_unit", "kg/year"), ("price_unit", "CNY_2021/kg")]
)
def test_two_units_of_one_indicator_are_refused(kind: str, unit: str) -> None:
    before, after = both()
    after.rows[1][kind] = unit
    with pytest.raises(InputError) as raised:
        compare(before, after)
    (problem,) = raised.value.problems
    assert problem.code == "E560"
    plain = {"kg/year": "t/year in 2020_a, in kg/year", "CNY_2021/kg": "CNY/t in 2020_a, in CNY/kg"}
    assert problem.text() == f"agricultural_products 稻谷: in {plain[unit]} in 2021_b"


def test_the_year_of_the_money_is_no_other_unit() -> None:
    before, after = both()
    for row in after.rows:
        row["price_unit"] = row["price_unit"].replace("2021", "2022")
    compare(before, after)


@pytest.mark.parametrize(
    ("level", "name", "left"), [("county", "2021_b 1", 32400), ("province", "2021_b y", 77400)]
)
def test_sums_that_are_not_those_of_the_accounts_are_refused(
    level: str, name: str, left: int
) -> None:
    before, after = both()
    next(row for row in after.counties if row["level"] == level)["gep"] = "0.07"
    with pytest.raises(IdentityError) as raised:
        compare(before, after)
    (problem,) = raised.value.problems
    assert problem.code == "E565"
    assert problem.text() == f"{name}: the differences do not add up: {left} against 7 (0.01 CNY)"


def test_a_value_that_is_not_quantity_times_price_is_refused() -> None:
    before, after = both()
    after.rows[0]["price"] = "4"
    with pytest.raises(IdentityError) as raised:
        compare(before, after)
    assert [problem.code for problem in raised.value.problems] == ["E565"]


# ---- real accounts


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """gep.toml of the small account."""
    return small.write(tmp_path_factory.mktemp("base") / "account")


@pytest.fixture(scope="module")
def before(base: Path) -> gep.Result:
    return gep.open(base).run(threads=1, output=None)


def changed(base: Path, folder: Path, **more: Any) -> gep.Result:
    """Result of the account with *more* changed, on the same polygons."""
    path = small.write(folder / "account", **more)
    if "polygons" not in more:
        shutil.copy(base.parent / "counties.gpkg", path.parent / "counties.gpkg")
    return gep.open(path).run(threads=1)


def inside(code: str) -> np.ndarray:
    top, bottom, left, right = small.BOXES[code]
    mask = np.zeros((small.ROWS, small.COLUMNS), bool)
    mask[top:bottom, left:right] = True
    return mask


def fixed(codes: np.ndarray, kind: int, place: np.ndarray) -> tuple[Fraction, Fraction]:
    """Area [km^2] and carbon dioxide [t] of a class of a county, by plain arithmetic."""
    mask = place & (codes == kind)
    grams = small.arrays()["net_ecosystem_production"].astype(float)[mask].sum()
    hectares = int(mask.sum())
    return Fraction(hectares, 100), Fraction(grams * 44 / 12 * 1e4 / 1e6)


def test_afforestation(base: Path, before: gep.Result, tmp_path: Path) -> None:
    """Paddy in the north of the east county becomes needleleaf forest: area and quantity of it.

    Forest stands elsewhere in the county with another productivity, so its mean changes too.
    """
    codes = small.classes()
    grown = codes.copy()
    north = inside(EAST)
    north[20:] = False
    grown[north & (codes == PADDY)] = FOREST
    found = changed(base, tmp_path, ecosystem=grown).compare(before)
    assert isinstance(found, Comparison)
    assert found.problems == ()
    key = (EAST, *CARBON, "evergreen_needleleaf_forest")
    change = found.changes[key]
    price = Fraction(found.before.leaves[key]["price"])
    (a0, q0), (a1, q1) = (fixed(c, FOREST, inside(EAST)) for c in (codes, grown))
    assert a1 > a0
    wanted = orders((a0, q0 / a0, price), (a1, q1 / a1, price))
    assert change.area == pytest.approx(float(100 * wanted[0]), abs=2)
    assert change.quantity == pytest.approx(float(100 * wanted[1]), abs=2)
    assert (change.price, change.reason) == (0, "")
    for key, other in found.changes.items():
        if key[0] != EAST:
            assert parts(other) == (0, 0, 0, 0), key
        if not other.reason:
            assert other.price == 0
            assert abs(other.other) <= 2
    area = found.ecosystems.set_index("ecosystem")["area"]
    assert area["paddy"] < 0 < area["evergreen_needleleaf_forest"]


def test_an_ecosystem_new_to_a_county(base: Path, tmp_path: Path) -> None:
    codes = small.classes()
    bare = codes.copy()
    bare[inside(EAST) & (codes == BAMBOO)] = PADDY
    first = changed(base, tmp_path / "1", ecosystem=bare)
    last = changed(base, tmp_path / "2")
    found = last.compare(first)
    change = found.changes[EAST, *CARBON, "bamboo_forest"]
    assert change.before is None
    assert change.area == change.difference != 0
    assert first.compare(last).changes[EAST, *CARBON, "bamboo_forest"].area == -change.area
    assert found.problems == ()


def test_a_higher_price(base: Path, before: gep.Result, tmp_path: Path) -> None:
    """17.5 CNY for every m³ of water: the effect is that of the price, in one service."""
    text = (
        "file,name,set,key,value,unit,source,where,status\n"
        "prices,reservoir_cost,lyt1721,,17.5,CNY_2021/m^3,LYT1721,our survey,seen\n"
    )
    change = {"coefficients.overrides": "own.csv"}
    after = changed(base, tmp_path, files={"own.csv": text}, change=change)
    found = after.compare(before)
    for key, leaf in found.changes.items():
        assert (leaf.area, leaf.quantity) == (0, 0), key
        assert abs(leaf.other) <= 1
        if key[1] not in ("water_retention", "flood_mitigation"):
            assert parts(leaf) == (0, 0, 0, 0)
    water = [row for row in found.before.rows if row["service"] == "water_retention"]
    volume = sum(Decimal(row["quantity"]) for row in water)
    (old,) = {Decimal(row["price"]) for row in water}
    dearer = found.sums("service")["water_retention",].price
    assert dearer == pytest.approx(float(100 * volume * (Decimal("17.5") - old)), abs=len(water))
    assert dearer > 0
    assert all(row["difference"] == 0 for row in found.quantity_table())


def test_a_county_that_reports_no_emissions(base: Path, before: gep.Result, tmp_path: Path) -> None:
    rows = small.EMISSIONS.splitlines(keepends=True)
    after = changed(base, tmp_path, tables={"emissions": "".join(rows[:3])})
    found = after.compare(before)
    lost = {key: c for key, c in found.changes.items() if c.reason == "missing"}
    assert {key[0] for key in lost} == {SOUTH}
    assert {key[1] for key in lost} == {"air_purification"}
    assert all(c.other == c.difference for c in lost.values())
    (problem,) = found.problems
    assert problem.code == "W565"
    known = [c for c in lost.values() if c.before is not None]
    assert problem.fields["count"] == len(known) > 0
    assert found.others["missing"] == (len(known), sum(c.difference for c in known))


def test_a_product_a_county_no_longer_has(base: Path, before: gep.Result, tmp_path: Path) -> None:
    """Nothing listed is nothing harvested: 500 t at 2900 CNY less, all of it quantity."""
    text = small.PRODUCTS.replace("360103,agriculture,稻谷,500,t,2900,\n", "")
    found = changed(base, tmp_path, tables={"products": text}).compare(before)
    gone = found.sums("county", "indicator")[SOUTH, "agricultural_products", "稻谷"]
    assert gone == Change(145_000_000, None, quantity=-145_000_000)
    assert found.problems == ()


def test_money_without_a_quantity(base: Path, before: gep.Result, tmp_path: Path) -> None:
    text = small.PRODUCTS.replace("1234567.89", "1234667.89")
    found = changed(base, tmp_path, tables={"products": text}).compare(before)
    assert found.total.difference == found.total.other == 10_000
    assert found.others["unpriced"][1] == 10_000
    assert found.problems == ()


def test_a_county_more(base: Path, before: gep.Result, tmp_path: Path) -> None:
    shapes = small.counties()
    found = before.compare(
        changed(
            base,
            tmp_path,
            polygons=shapes[shapes["code"] != SOUTH],
            tables={name: _without(SOUTH, text) for name, text in small.TABLES.items()},
        )
    )
    assert [problem.code for problem in found.problems] == ["W561", "W566"]
    south = found.sums("county")[SOUTH,]
    assert south.before is None
    assert south.other == south.difference == south.after
    rest = [change for key, change in found.changes.items() if key[0] != SOUTH]
    assert {parts(change) for change in rest} == {(0, 0, 0, 0)}


def _without(code: str, text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(code))


# ---- the verb


def run_gep(*words: object, language: str = "en") -> click.testing.Result:
    runner = click.testing.CliRunner(env={"GEP_LANG": language})
    return runner.invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folders(
    base: Path, before: gep.Result, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """Folders of two runs: the small account, and one with more tea and forest for paddy."""
    place = tmp_path_factory.mktemp("folders")
    codes = small.classes()
    codes[inside(EAST) & (codes == PADDY)] = FOREST
    text = small.PRODUCTS.replace("40,t,60000", "44,t,60000")
    after = changed(base, place, ecosystem=codes, tables={"products": text})
    before.write(place / "before")
    after.write(place / "after")
    return place / "before", place / "after"


def test_folders_and_results_say_the_same(folders: tuple[Path, Path], before: gep.Result) -> None:
    by_folder = compare(*map(of_folder, folders))
    by_run = compare(*(of_folder(store.find(folder)) for folder in folders))
    assert by_folder.changes == by_run.changes
    assert by_folder.before.name == before.name
    assert by_folder.before.rows == before.side.rows
    by_result = compare(before.side, by_folder.after)
    assert by_result.changes == by_folder.changes
    assert by_result.problems == by_folder.problems


@pytest.mark.parametrize("flags", [(), ("--exit-code",)])
def test_exit_codes(flags: tuple[str, ...], folders: tuple[Path, Path], tmp_path: Path) -> None:
    one, two = folders
    assert run_gep("compare", one, one, *flags).exit_code == 0
    assert run_gep("compare", one, two, *flags).exit_code == (8 if flags else 0)
    assert run_gep("compare", one, two, "--json", *flags).exit_code == (8 if flags else 0)
    none = run_gep("compare", one, tmp_path / "nowhere", *flags)
    assert none.exit_code == 3
    assert "error E790" in none.stderr
    assert none.stdout == ""


def test_a_run_that_was_changed_is_not_compared(folders: tuple[Path, Path], tmp_path: Path) -> None:
    copy = shutil.copytree(folders[0], tmp_path / "copy")
    table = store.find(copy) / "accounts.csv"
    table.write_bytes(table.read_bytes().replace(b"CNY_2021", b"CNY_2022", 1))
    done = run_gep("compare", copy, folders[1])
    assert done.exit_code == 5
    assert "error E715" in done.stderr
    assert done.stdout == ""


def test_the_table_for_people(folders: tuple[Path, Path]) -> None:
    done = run_gep("compare", *folders, "--lang", "en")
    assert done.exit_code == 0, done.output
    head, _, rows = done.stdout.partition("\n\n")
    assert [line.split()[0] for line in head.splitlines()] == ["before", "after", "in"]
    assert "prices of 2021  jiangxi-2021" in head
    words = " ".join(rows.splitlines()[0].split())
    assert words == "service before after difference % area quantity per area price other"
    assert rows.splitlines()[-1].startswith("total ")
    assert "-0.00" not in rows
    assert done.stderr.startswith("other: rounding: ")
    found = compare(*map(of_folder, folders))
    crops = next(line for line in rows.splitlines() if line.startswith("Agricultural products"))
    assert found.sums("service")["agricultural_products",].quantity == 4 * 60000 * 100
    assert " 24.00 " in crops


def test_the_table_in_chinese(folders: tuple[Path, Path]) -> None:
    done = run_gep("compare", *folders, "--lang", "zh", "--by", "county", "--by", "indicator")
    assert done.exit_code == 0, done.output
    head, _, rows = done.stdout.partition("\n\n")
    assert head.splitlines()[0].startswith("前期")
    assert "2021 年价" in head
    words = " ".join(rows.splitlines()[0].split())
    assert words == "县区 服务 指标 前期 后期 变化 变化率 面积 单位面积实物量 价格 其他"
    assert f"{EAST} 东县" in rows
    assert "固定二氧化碳量" in rows
    assert "稻谷" in rows


def test_years_of_money_are_said() -> None:
    first, last = both()
    found = compare(first, last)
    assert (found.before.price_year, found.after.price_year) == (2020, 2021)
    said = {"name": "某县", "year": 2022, "price_year": 2021}
    moved = core()["account"] | {"account": said}
    assert "against" not in differences.heading(compare(last, both(account=moved)[1]), "en")
    for language, words in (
        ("en", "prices of 2020 against prices of 2021: the effect of price holds"),
        ("zh", "2020 年价对2021 年价：价格影响中含币值变化"),
    ):
        assert words in differences.heading(found, language)
    assert differences.notes(found, "en") == [
        "other: money without a quantity: -50.00 CNY (leaves: 1)"
    ]
    assert differences.notes(found, "zh") == [
        "其他：只有金额，没有实物量：-50.00 元（1 个最细单元）"
    ]


def test_sums_that_lack_an_amount_are_marked() -> None:
    before, after = both()
    before.rows[0]["value"] = ""
    before.counties[0]["gep"], before.counties[-1]["gep"] = "70.00", "570.00"
    found = compare(before, after)
    assert [problem.code for problem in found.problems] == ["W565"]
    assert found.lacking("service") == {("carbon_sequestration",)}
    assert found.lacking("county", "ecosystem") == {("1", "bamboo_forest")}
    lines = differences.table(found, ("service",), "en").splitlines()
    marked = [line.split(" *")[0] for line in lines if " * " in line]
    assert marked == ["Carbon sequestration", "total"]
    carbon = next(line for line in lines if line.startswith("Carbon"))
    assert carbon.split()[3:] == ["—", "0.02", "0.02", "—", "0.00", "0.00", "0.00", "0.02"]
    assert differences.notes(found, "en")[0] == (
        "* other: missing in one account only: 240.00 CNY (leaves: 1)"
    )


@pytest.mark.parametrize("by", [(), ("county",), ("ecosystem",), ("county", "service")])
def test_data_and_csv_add_up(by: tuple[str, ...], folders: tuple[Path, Path]) -> None:
    flags = [word for level in by for word in ("--by", level)]
    found = json.loads(run_gep("compare", *folders, *flags, "--json").stdout)
    assert found["by"] == list(by or ("service",))
    assert found["same"] is False
    assert found["problems"] == []
    assert found["before"]["year"] == found["after"]["price_year"] == 2021
    total = found["total"]
    for name in ("before", "after", "difference", *EFFECTS):
        assert sum(row[name] or 0 for row in found["rows"]) == pytest.approx(total[name], abs=0.01)
    assert total["difference"] == pytest.approx(sum(total[name] for name in EFFECTS), abs=0.01)
    assert {row["indicator"] for row in found["quantities"]} >= {"稻谷", "carbon_dioxide"}
    lines = run_gep("compare", *folders, *flags, "--csv").stdout.splitlines()
    assert lines[0].endswith("before,after,difference,area,quantity,price,other")
    assert len(lines) == len(found["rows"]) + 1
    exact = [line.rsplit(",", 5) for line in lines[1:]]
    for cells in exact:
        assert Decimal(cells[1]) == sum(map(Decimal, cells[2:])), "to the cent"


def test_warnings_go_to_people(folders: tuple[Path, Path], base: Path, tmp_path: Path) -> None:
    shapes = small.counties()
    tables = {name: _without(SOUTH, text) for name, text in small.TABLES.items()}
    shapes = shapes[shapes["code"] != SOUTH]
    changed(base, tmp_path, polygons=shapes, tables=tables).write(tmp_path / "two")
    for language, words in (("en", "warning W566  in only one of"), ("zh", "提醒 W566  只在")):
        done = run_gep("compare", tmp_path / "two", folders[0], "--lang", language)
        assert done.exit_code == 0
        assert words in done.stderr
        assert "W566" not in done.stdout
    listed = json.loads(run_gep("compare", tmp_path / "two", folders[0], "--json").stdout)
    assert [problem["code"] for problem in listed["problems"]] == ["W561", "W566"]
