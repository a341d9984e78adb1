"""Laws that hold whatever the numbers are: bounds, monotonicity, additivity, order, scaling."""

import itertools
import math
from collections import defaultdict
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import small
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import gep
from gep import coefficients
from gep.coefficients import Price
from gep.cube import money, quanta, shares, value
from gep.ecosystems import ecosystems
from gep.layers import possible
from gep.outputs import csv
from gep.run import accumulate
from gep.service import services
from gep.services.carbon_sequestration import carbon_dioxide
from gep.services.soil_retention import soil_retention
from gep.services.water_retention import water_retention
from gep.text import parse_number
from gep.units import exact

settings.register_profile("laws", deadline=None, derandomize=True)
settings.load_profile("laws")

SHARE = st.floats(0, 1)
DEPTH = st.floats(0, 20_000)


# ---- kernels


@given(p=DEPTH, et=DEPTH, alpha=SHARE)
def test_clamped_water_lies_between_nothing_and_the_rain(p: float, et: float, alpha: float) -> None:
    assert 0 <= water_retention(p, et, alpha, 1.0) <= p


@given(p=DEPTH, et=DEPTH, alpha=SHARE)
def test_clamping_only_takes_the_negative_away(p: float, et: float, alpha: float) -> None:
    signed = water_retention(p, et, alpha, 0.0)
    assert water_retention(p, et, alpha, 1.0) == max(signed, 0.0)
    assert signed <= p


@given(p=DEPTH, more=DEPTH, et=DEPTH, alpha=SHARE, clamp=st.sampled_from([0.0, 1.0]))
def test_more_rain_is_more_water(
    p: float, more: float, et: float, alpha: float, clamp: float
) -> None:
    before, after = (water_retention(rain, et, alpha, clamp) for rain in (p, p + more))
    assert after >= before - 1e-9


@given(p=DEPTH, et=DEPTH, more=DEPTH, alpha=SHARE, clamp=st.sampled_from([0.0, 1.0]))
def test_more_evaporation_is_less_water(
    p: float, et: float, more: float, alpha: float, clamp: float
) -> None:
    assert water_retention(p, et + more, alpha, clamp) <= water_retention(p, et, alpha, clamp)


@given(p=DEPTH, et=DEPTH, pair=st.tuples(SHARE, SHARE), clamp=st.sampled_from([0.0, 1.0]))
def test_more_runoff_is_less_water(
    p: float, et: float, pair: tuple[float, float], clamp: float
) -> None:
    less, more = sorted(pair)
    assert water_retention(p, et, more, clamp) <= water_retention(p, et, less, clamp)


POSITIVE = st.floats(0, 1e5)
FACTORS = st.tuples(POSITIVE, st.floats(0, 0.15), st.floats(0, 1000), SHARE, SHARE)


@given(FACTORS)
def test_soil_kept_lies_between_nothing_and_the_loss_of_bare_soil(f: tuple[float, ...]) -> None:
    r, k, ls, _, _ = f
    assert 0 <= soil_retention(*f) <= r * k * ls
    assert soil_retention(r, k, ls, 0.0, f[4]) == r * k * ls
    assert soil_retention(r, k, ls, 1.0, 1.0) == 0


@given(FACTORS, st.integers(0, 2), st.floats(1, 10))
def test_soil_kept_grows_with_the_forces_of_erosion(
    f: tuple[float, ...], which: int, times: float
) -> None:
    more = [x * times if n == which else x for n, x in enumerate(f)]
    assert soil_retention(*more) >= soil_retention(*f) * (1 - 1e-12)
    assert soil_retention(*more) == pytest.approx(soil_retention(*f) * times, rel=1e-12)


@given(FACTORS, st.integers(3, 4), SHARE)
def test_soil_kept_shrinks_with_cover_and_practice_factors(
    f: tuple[float, ...], which: int, other: float
) -> None:
    low, high = sorted((f[which], other))
    kept = [soil_retention(*(x if n == which else y for n, y in enumerate(f))) for x in (low, high)]
    assert kept[1] <= kept[0]


@given(st.floats(-3000, 3000))
def test_a_source_of_carbon_is_negative_or_nothing(nep: float) -> None:
    assert carbon_dioxide(nep, 0.0) == nep
    assert carbon_dioxide(nep, 1.0) == max(nep, 0.0)


@cache
def shipped() -> coefficients.Book:
    return coefficients.load()[0]


KERNELS = [
    pytest.param(i, id=f"{s.name}.{i.name}")
    for s in services().values()
    for i in s.indicators
    if hasattr(i, "kernel") and not i.table
]


@pytest.mark.parametrize("i", KERNELS)
@given(st.data())
def test_every_kernel_gives_a_finite_number_for_finite_input(i: Any, data: Any) -> None:
    """Within the possible range of every layer and coefficient nothing divides by zero.

    Layers that contradict each other are another matter: more storm runoff than storm rain.
    """
    service = next(s for s in services().values() if i in s.indicators)
    arguments: list[float] = []
    for name, unit in i.rasters.items():
        low, high = possible(name, unit) or (0.0, 1e6)
        if name == "storm_runoff":
            high = arguments[list(i.rasters).index("storm_precipitation")]
        arguments.append(data.draw(st.floats(low, high), label=name))
    for name in i.coefficients:
        found = shipped().coefficient(service.name, name)
        assert found
        low, high = (float(bound) for bound in found.range)
        arguments.append(data.draw(st.floats(low, high), label=name))
    assert math.isfinite(i.kernel(*arguments))


# ---- integers


@given(st.integers(-(10**30), 10**30), st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_shares_add_up_and_are_within_one_of_proportion(total: int, weights: list[int]) -> None:
    whole = sum(weights)
    assume(whole > 0)
    parts = shares(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, whole)) <= 1
        assert weight or not part, "nothing goes where no weight is"
        assert part * total >= 0, "no part has the other sign"


@given(st.integers(0, 10**9), st.lists(st.integers(0, 1000), min_size=1, max_size=9), st.data())
def test_shares_of_equal_weights_do_not_depend_on_their_scale(
    total: int, weights: list[int], data: Any
) -> None:
    assume(sum(weights) > 0)
    times = data.draw(st.integers(1, 10**9))
    assert shares(total, [w * times for w in weights]) == shares(total, weights)


@given(st.integers(-(10**25), 10**25), st.integers(0, 9))
def test_quanta_round_half_even(number: int, places: int) -> None:
    amount, quantum = Decimal(number).scaleb(-places - 1), Decimal(1).scaleb(-places)
    wanted = amount.scaleb(places).to_integral_value(ROUND_HALF_EVEN)
    assert quanta(amount, quantum) == int(wanted)
    assert abs(quanta(amount, quantum) * quantum - amount) <= quantum / 2


@pytest.mark.parametrize(
    ("amount", "wanted"),
    [("0.5", 0), ("1.5", 2), ("2.5", 2), ("3.5", 4), ("-0.5", 0), ("-1.5", -2), ("0.51", 1)],
)
def test_ties_go_to_the_even_number(amount: str, wanted: int) -> None:
    assert quanta(Decimal(amount), Decimal(1)) == wanted
    assert value(int(Decimal(amount).scaleb(2)), Decimal("0.0001"), Decimal(1)) == wanted


PRICE = st.decimals(0, 10**6, places=8)


@given(st.integers(-(10**20), 10**20), st.integers(0, 9), PRICE)
def test_value_is_the_exact_product_to_half_a_cent(
    amount: int, places: int, price: Decimal
) -> None:
    quantum = Decimal(1).scaleb(-places)
    cents = value(amount, quantum, price)
    product = amount * Fraction(quantum) * Fraction(price) * 100
    assert abs(cents - product) <= Fraction(1, 2)
    assert cents == round(product)
    assert value(-amount, quantum, price) == -cents


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), PRICE), min_size=1, max_size=30))
def test_doubled_prices_double_the_value_to_a_cent_per_leaf(
    leaves: list[tuple[int, Decimal]],
) -> None:
    """Each leaf is rounded, so the law holds to one cent for every leaf, not exactly."""
    quantum = Decimal("1e-6")
    once = [value(amount, quantum, price) for amount, price in leaves]
    twice = [value(amount, quantum, 2 * price) for amount, price in leaves]
    assert all(abs(2 * a - b) <= 1 for a, b in zip(once, twice, strict=True))
    assert abs(2 * sum(once) - sum(twice)) <= len(leaves)


@given(st.integers(-(10**18), 10**18))
def test_money_of_cents(cents: int) -> None:
    printed = money(cents)
    assert printed is not None
    assert printed * 100 == cents
    assert -printed.as_tuple().exponent == 2  # type: ignore[operator]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_exact_decimal_is_the_float_as_printed(number: float) -> None:
    assert float(exact(number)) == number


# ---- numbers of tables


@given(st.decimals(-(10**12), 10**12, places=4))
def test_number_written_in_any_of_the_usual_ways(number: Decimal) -> None:
    wide = str.maketrans("0123456789.,-+%", "０１２３４５６７８９．，－＋％")
    plain, grouped = f"{number:f}", f"{number:,f}"
    for text in (plain, grouped, f" {plain} ", f"'{plain}", plain.translate(wide)):
        assert parse_number(text) == number
    assert parse_number(grouped.translate(wide)) == number
    assert parse_number(f"{plain}%") == number / 100
    if number >= 0:
        assert parse_number(f"+{plain}") == number


@pytest.mark.parametrize("text", ["", " ", "-", "—", "–", "…", "/", "NA", "N/A", "null", "　"])
def test_empty_cells(text: str) -> None:
    assert parse_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1,23",
        "1,2345",
        "12.3.4",
        "1e",
        "nan",
        "inf",
        "-inf",
        "1/2",
        "1_000",
        "~5",
        "<5",
        "5t",
    ],
)
def test_text_that_is_no_number_comes_back_as_it_is(text: str) -> None:
    assert parse_number(text) == text


@pytest.mark.parametrize(("text", "number"), [("1e3", "1000"), ("1.5E-2", "0.015"), ("-0", "0")])
def test_scientific_numbers(text: str, number: str) -> None:
    assert parse_number(text) == Decimal(number)


# ---- whole accounts

PIXEL_SERVICES = ["water_retention", "soil_retention", "carbon_sequestration"]
Leaf = tuple[str, str, str]
"""County, indicator and ecosystem."""


def run(path: Path, **how: Any) -> gep.Result:
    return gep.open(path).run(**{"threads": 2} | how)


def tables(result: gep.Result) -> dict[str, bytes]:
    return {name: text for name, text in result.files().items() if name.endswith(".csv")}


def rows(result: gep.Result) -> list[dict[str, str]]:
    return csv.decode(result.files()["accounts.csv"])


def quantities(result: gep.Result) -> dict[Leaf, Decimal | None]:
    return {
        (row["county_code"], f"{row['service']}.{row['indicator']}", row["ecosystem"]): (
            Decimal(row["quantity"]) if row["quantity"] else None
        )
        for row in rows(result)
    }


def values(result: gep.Result) -> dict[Leaf, Decimal | None]:
    return {
        (row["county_code"], f"{row['service']}.{row['indicator']}", row["ecosystem"]): (
            Decimal(row["value"]) if row["value"] else None
        )
        for row in rows(result)
    }


def by_numpy() -> dict[Leaf, tuple[float, int]]:
    """Quantity and number of pixels of every leaf, from the arrays as stored, without gep."""
    layers = {name: array.astype(np.float64) for name, array in small.arrays().items()}
    top, bottom, left, right = small.HOLE
    places, codes = small.places(), small.classes()
    places[top:bottom, left:right] = len(small.CODES)
    runoff = {11: 0.0267, 13: 0.0302, 16: 0.0267, 21: 0.0426, 33: 0.0937, 51: 0.3470, 52: 0.4696}
    balance = layers["precipitation"] - layers["evapotranspiration"]
    soil = np.prod([layers[n] for n in ("erosivity", "erodibility", "slope_factor")], axis=0)
    soil *= 1 - layers["cover_factor"] * layers["support_factor"]
    found: dict[Leaf, tuple[float, int]] = {}
    for number, place in enumerate([*small.CODES, "unallocated"]):
        for ecosystem in ecosystems().values():
            here = (places == number) & (codes == ecosystem.code)
            count = int(here.sum())
            if not count:
                continue
            key = ecosystem.key
            if ecosystem.code in runoff:
                alpha = runoff[ecosystem.code]
                amount = balance[here] - layers["precipitation"][here] * alpha
                found[place, "water_retention.water_retention", key] = 10 * amount.sum(), count
            if ecosystem.code in (11, 13, 16, 21, 33, 41, 51, 52):
                found[place, "soil_retention.soil_retention", key] = soil[here].sum(), count
            if ecosystem.code in (11, 13, 16, 21, 33, 41):
                carbon = layers["net_ecosystem_production"][here].sum() * 1e4 * 1e-6 * 44 / 12
                found[place, "carbon_sequestration.carbon_dioxide", key] = carbon, count
    return found


def test_account_is_what_numpy_gives(small_result: gep.Result) -> None:
    """Every leaf of three services, to half a quantum (1e-6) per pixel."""
    ours, wanted = quantities(small_result), by_numpy()
    pixel = {k: v for k, v in ours.items() if k[1].split(".")[0] in PIXEL_SERVICES}
    first = {k for k in pixel if not k[1].endswith(("sediment", "nitrogen", "phosphorus"))}
    assert first == wanted.keys()
    for key, (amount, pixels) in wanted.items():
        assert ours[key] is not None
        assert abs(float(ours[key] or 0) - amount) <= pixels * 0.5e-6 + 1e-9 * abs(amount), key


def test_derived_indicators_follow_from_their_base(small_result: gep.Result) -> None:
    """Sediment is 0.24 / 1.25 m3 per t, nitrogen 1.52 and phosphorus 0.48 kg per t, O2 32/44."""
    found = quantities(small_result)
    ratios = {
        "soil_retention.sediment": ("soil_retention.soil_retention", 0.24 / 1.25, 1e-6),
        "soil_retention.nitrogen": ("soil_retention.soil_retention", 0.00152, 1e-9),
        "soil_retention.phosphorus": ("soil_retention.soil_retention", 0.00048, 1e-9),
        "oxygen_release.oxygen": ("carbon_sequestration.carbon_dioxide", 32 / 44, 1e-6),
    }
    for indicator, (base, ratio, quantum) in ratios.items():
        derived = [key for key in found if key[1] == indicator]
        assert len(derived) > 15
        for key in derived:
            amount = float(found[key[0], base, key[2]] or 0) * ratio
            assert float(found[key] or 0) == pytest.approx(amount, abs=0.51 * quantum, rel=1e-12)


def test_capped_amounts_are_the_smaller_of_load_and_capacity(small_result: gep.Result) -> None:
    capacity = {"sulfur_dioxide": {11: 88.65, 13: 215.60, 16: 98, 21: 92.10}}
    capacity["nitrogen_oxides"] = dict.fromkeys((11, 13, 16, 21), 6.0)
    loads = {"sulfur_dioxide": (5, 1000, 12.5), "nitrogen_oxides": (100, 0.25, 1000)}
    places, codes = small.places(), small.classes()
    top, bottom, left, right = small.HOLE
    places[top:bottom, left:right] = -1
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (place, indicator, _), amount in quantities(small_result).items():
        if indicator.startswith("air_purification."):
            found[place, indicator.split(".")[1]] += amount or 0
    bound = set()
    for indicator, limits in loads.items():
        for number, (code, load) in enumerate(zip(small.CODES, limits, strict=True)):
            by_class = capacity[indicator].items()
            hectares = {c: int(((places == number) & (codes == c)).sum()) for c, _ in by_class}
            whole = sum(hectares[c] * kilograms for c, kilograms in by_class) / 1000
            assert float(found[code, indicator]) == pytest.approx(min(load, whole), abs=1e-7)
            bound.add(load < whole)
    assert bound == {True, False}, "both cases occur"
    assert ("unallocated", "sulfur_dioxide") not in found, "no county, no load, no amount"


def test_products_are_the_table(small_result: gep.Result) -> None:
    """12000 t at 2800, 8000.5 t at 2750, 500 t at 2900; 40 t at 60000; 1234567.89 CNY as money."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (place, indicator, ecosystem), amount in values(small_result).items():
        if indicator.startswith("agricultural_products."):
            totals[place, indicator.split(".")[1]] += amount or 0
            assert ecosystem in ("paddy", "upland")
    assert totals == {
        ("360101", "稻谷"): Decimal(33_600_000),
        ("360102", "稻谷"): Decimal("22001375.00"),
        ("360103", "稻谷"): Decimal(1_450_000),
        ("360101", "茶叶"): Decimal(2_400_000),
        ("360103", "蔬菜"): Decimal("1234567.89"),
    }


def test_every_row_is_as_weak_as_the_weakest_number_behind_it(small_result: gep.Result) -> None:
    """State of the class coefficient, of the price, of every index year, of the base."""
    wanted = {
        # capacity recalled, derived; price worked out from a recalled equivalent
        ("air_purification", "sulfur_dioxide", "evergreen_needleleaf_forest"): "recalled",
        ("air_purification", "sulfur_dioxide", "bamboo_forest"): "recalled",
        # the indices of 2020 and 2021 are stand-ins by design
        ("soil_retention", "sediment", "bamboo_forest"): "design",
        ("water_retention", "water_retention", "tussock"): "design",
        # content seen; tax of ammonia nitrogen as a stand-in, of phosphorus derived
        ("soil_retention", "nitrogen", "bamboo_forest"): "design",
        ("soil_retention", "phosphorus", "bamboo_forest"): "derived",
        ("agricultural_products", "茶叶", "paddy"): "given",
    }
    found = {
        (row["service"], row["indicator"], row["ecosystem"]): row["verified"]
        for row in rows(small_result)
        if row["county_code"] == "360101"
    }
    assert {key: found[key] for key in wanted} == wanted


def test_places_add_up_to_everything(small_result: gep.Result) -> None:
    frame = small_result.counties.set_index("level")
    parts = frame.loc[["county", "unallocated"]]
    for column in ("area_km2", "provisioning", "regulating", "gep"):
        cents = [round(x * 100) for x in parts[column] if not math.isnan(x)]
        assert sum(cents) == round(frame.loc["province", column] * 100)
    assert frame.loc["city", "gep"] == pytest.approx(sum(frame.loc["county", "gep"]), abs=0.001)
    assert frame.loc["province", "area_km2"] == 18
    assert frame.loc["unallocated", "area_km2"] == 0.2
    assert all(identity.holds for identity in small_result.identities)


# ---- order and partition


@pytest.mark.parametrize(
    ("threads", "tile"), [(1, 512), (1, 7), (2, 13), (4, 3), (4, 16), (8, 33), (2, 50)]
)
def test_tiles_and_threads_change_nothing(
    small_result: gep.Result, threads: int, tile: int
) -> None:
    """The same bytes in every table and the same digest of everything that counts."""
    path = small_result.plan.folder / "gep.toml"
    again = run(path, threads=threads, tile=tile)
    assert tables(again) == tables(small_result)
    assert again.manifest["core"] == small_result.manifest["core"]
    assert again.manifest["root"] == small_result.manifest["root"]
    assert again.name == small_result.name, "the run is called after what it was computed from"


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32 - 1), tile=st.integers(3, 45), threads=st.integers(1, 4))
def test_any_partition_of_any_map_gives_the_same_integers(
    tmp_path_factory: pytest.TempPathFactory, seed: int, tile: int, threads: int
) -> None:
    """Random classes, holes in every layer, classes without data."""
    random = np.random.default_rng(seed)
    layers: dict[str, np.ndarray | None] = {}
    for name, array in small.arrays().items():
        holes = random.random(array.shape) < 0.01
        layers[name] = np.where(holes, np.nan, array)
    codes = np.array([*small.CLASSES, small.NODATA_CLASS], np.uint8)
    chosen = random.choice(codes, (small.ROWS, small.COLUMNS), p=[*[0.0995] * 10, 0.005])
    accepted = {"accept.E305": "made up", "accept.E306": "made up"}
    folder = tmp_path_factory.mktemp("random")
    path = small.write(folder, ecosystem=chosen, rasters=layers, hole=True, change=accepted)
    plan = gep.open(path).check().plan
    assert plan is not None
    whole, parts = accumulate(plan, 1, size=512), accumulate(plan, threads, size=tile)
    assert whole.missing.sum() > 0
    for name in ("sums", "negative", "missing", "missing_area", "blame", "pixels", "areas"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name), err_msg=name)
    assert whole.outside == parts.outside


@pytest.mark.parametrize("order", list(itertools.permutations(range(3)))[1:])
def test_the_order_of_counties_changes_nothing(
    small_result: gep.Result, tmp_path: Path, order: tuple[int, ...]
) -> None:
    polygons = small.counties(hole=True).iloc[list(order)].reset_index(drop=True)
    assert tables(run(small.write(tmp_path, polygons=polygons))) == tables(small_result)


def test_the_order_of_rows_changes_no_total(small_result: gep.Result, tmp_path: Path) -> None:
    shuffled = {}
    for name, text in small.TABLES.items():
        head, *lines = text.splitlines()
        shuffled[name] = "\n".join([head, *reversed(lines)]) + "\n"
    again = run(small.write(tmp_path, hole=True, tables=shuffled))
    assert quantities(again) == quantities(small_result)
    assert values(again) == values(small_result)
    pd.testing.assert_frame_equal(again.counties, small_result.counties)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> gep.Result:
    """Result of the small account without its hole."""
    return run(small.write(tmp_path_factory.mktemp("plain")))


def test_two_counties_are_one_county(plain: gep.Result, tmp_path: Path) -> None:
    """Merged, counties 2 and 3 have the sum of their pixels, to the last quantum."""
    polygons = small.counties()
    merged = polygons.iloc[:2].copy()
    union = polygons.geometry.iloc[1].union(polygons.geometry.iloc[2])
    merged = merged.set_geometry([polygons.geometry.iloc[0], union], crs=polygons.crs)
    no_tables = {"emissions": None, "products": None}
    one = quantities(run(small.write(tmp_path, polygons=merged, tables=no_tables)))
    two: dict[Leaf, Decimal] = defaultdict(Decimal)
    kept = {"water_retention", "soil_retention", "carbon_dioxide"}
    for (place, indicator, ecosystem), amount in quantities(plain).items():
        if indicator.split(".")[1] in kept:
            code = "360102" if place == "360103" else place
            two[code, indicator, ecosystem] += amount or 0
    assert {k: v for k, v in one.items() if k[1].split(".")[1] in kept} == two


@pytest.mark.parametrize("number", range(3))
def test_a_county_alone_is_the_same_county(plain: gep.Result, tmp_path: Path, number: int) -> None:
    code = small.CODES[number]
    polygons = small.counties().iloc[[number]]
    cut = {
        name: "\n".join(
            line for line in text.splitlines() if line.startswith(("county_code", code))
        )
        for name, text in small.TABLES.items()
    }
    alone = run(small.write(tmp_path, polygons=polygons, tables=cut))
    of_county = {k: v for k, v in quantities(plain).items() if k[0] == code}
    assert {k: v for k, v in quantities(alone).items() if k[0] == code} == of_county
    money_of_county = {k: v for k, v in values(plain).items() if k[0] == code}
    assert {k: v for k, v in values(alone).items() if k[0] == code} == money_of_county


def test_a_grid_that_is_larger_changes_no_county(plain: gep.Result, tmp_path: Path) -> None:
    """Pixels outside are only counted; here all outside ones hold other classes and numbers."""
    codes, layers = small.classes(), small.arrays()
    codes[:, 45:] = 61
    for array in layers.values():
        array[:, 45:] = np.nan
    changed = run(small.write(tmp_path, ecosystem=codes, rasters=layers))
    assert tables(changed) == tables(plain)


# ---- more in, more out


def total(result: gep.Result, indicator: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for (place, name, _), amount in quantities(result).items():
        if name == indicator:
            found[place] += amount or 0
    return found


@pytest.mark.parametrize(
    ("layer", "times", "indicator", "grows"),
    [
        ("precipitation", 1.1, "water_retention.water_retention", True),
        ("evapotranspiration", 1.1, "water_retention.water_retention", False),
        ("erosivity", 1.5, "soil_retention.soil_retention", True),
        ("cover_factor", 2.0, "soil_retention.soil_retention", False),
        ("net_ecosystem_production", 2.0, "carbon_sequestration.carbon_dioxide", True),
        ("net_ecosystem_production", 2.0, "oxygen_release.oxygen", True),
    ],
)
def test_account_is_monotone(
    plain: gep.Result, tmp_path: Path, layer: str, times: float, indicator: str, grows: bool
) -> None:
    changed = {layer: small.arrays()[layer] * np.float32(times)}
    after, before = (
        total(run(small.write(tmp_path, rasters=changed)), indicator),
        total(plain, indicator),
    )
    assert after.keys() == before.keys()
    for place, amount in after.items():
        assert (amount > before[place]) is grows


def test_doubled_layer_doubles_a_linear_quantity(plain: gep.Result, tmp_path: Path) -> None:
    """R enters soil retention once: twice R is twice the soil to one quantum per pixel."""
    changed = {"erosivity": small.arrays()["erosivity"] * np.float32(2)}
    after = run(small.write(tmp_path, rasters=changed))
    before, doubled = (total(r, "soil_retention.soil_retention") for r in (plain, after))
    for place, amount in doubled.items():
        assert abs(amount - 2 * before[place]) <= 2000 * Decimal("1e-6")


def test_holes_take_away_and_add_nothing(plain: gep.Result, tmp_path: Path) -> None:
    """Missing pixels lower the sum and the coverage, and are counted; they are never 0."""
    rain = small.arrays()["precipitation"]
    rain[::5, ::7] = np.nan
    result = run(small.write(tmp_path, rasters={"precipitation": rain}))
    indicator = "water_retention.water_retention"
    before, after = total(plain, indicator), total(result, indicator)
    cubic: dict[str, float] = defaultdict(float)
    for (place, name, _), (amount, _) in by_numpy_with(rain).items():
        assert name == indicator
        cubic[place] += amount
    for place, amount in after.items():
        assert 0 < amount < before[place]
        assert float(amount) == pytest.approx(cubic[place], rel=1e-9)
    coverage = {
        row["county_code"]: Decimal(row["coverage"])
        for row in rows(result)
        if row["service"] == "water_retention"
    }
    assert all(Decimal("0.9") < share < 1 for share in coverage.values())
    lost = sum(result.manifest["core"]["missing"][indicator].values())
    eligible = np.isin(small.classes(), [11, 13, 16, 21, 33, 51, 52]) & (small.places() >= 0)
    assert lost == int((np.isnan(rain) & eligible).sum())
    assert result.manifest["core"]["missing"][indicator] == {"precipitation": lost}


def by_numpy_with(rain: np.ndarray) -> dict[Leaf, tuple[float, int]]:
    """Water of the counties without the hole, from another rain layer."""
    runoff = {11: 0.0267, 13: 0.0302, 16: 0.0267, 21: 0.0426, 33: 0.0937, 51: 0.3470, 52: 0.4696}
    et = small.arrays()["evapotranspiration"].astype(np.float64)
    places, codes = small.places(), small.classes()
    found: dict[Leaf, tuple[float, int]] = {}
    for number, place in enumerate(small.CODES):
        for code, alpha in runoff.items():
            here = (places == number) & (codes == code)
            depth = rain.astype(np.float64)[here] * (1 - alpha) - et[here]
            key = place, "water_retention.water_retention", str(code)
            found[key] = 10 * float(np.nansum(depth)), int(here.sum())
    return found


# ---- prices


def doubled_prices() -> str:
    """Overrides as CSV: every shipped price twice as high, in its own unit and set."""
    book, _ = coefficients.load()
    lines = ["file,name,set,key,value,unit,source,where,status"]
    for c, keys, number in book.values():
        if c.file == "prices.toml":
            key = " ".join(keys)
            cells = (c.name, c.set, key, f"{2 * number.number:f}", c.unit, number.source)
            lines.append(f"prices,{','.join(cells)},doubled,design")
    return "\n".join(lines) + "\n"


def test_doubled_prices_double_the_account_to_a_cent_per_leaf(
    plain: gep.Result, tmp_path: Path
) -> None:
    head, *lines = small.PRODUCTS.splitlines()
    products = [head]
    for line in lines:
        *cells, price, stated = line.split(",")
        twice = [f"{2 * Decimal(text):f}" if text else "" for text in (price, stated)]
        products.append(",".join([*cells, *twice]))
    path = small.write(
        tmp_path,
        tables={"products": "\n".join(products) + "\n"},
        files={"prices.csv": doubled_prices()},
        change={"coefficients.overrides": "prices.csv"},
    )
    dear = run(path)
    assert quantities(dear) == quantities(plain), "prices change no quantity"
    once, twice = values(plain), values(dear)
    assert once.keys() == twice.keys()
    known = {leaf for leaf, amount in once.items() if amount is not None}
    assert known == {leaf for leaf, amount in twice.items() if amount is not None}
    cents = [(int((once[k] or 0) * 100), int((twice[k] or 0) * 100)) for k in known]
    assert len(cents) > 100
    assert all(abs(2 * a - b) <= 1 for a, b in cents)
    assert abs(sum(2 * a - b for a, b in cents)) <= len(cents)
    gep_once, gep_twice = (
        r.counties.set_index("level").loc["province", "gep"] for r in (plain, dear)
    )
    assert abs(2 * gep_once - gep_twice) <= len(cents) / 100


def test_doubled_coefficient_doubles_what_is_linear_in_it(
    plain: gep.Result, tmp_path: Path
) -> None:
    """Deposition share 0.48 for 0.24: twice the sediment, the same nitrogen, the same soil."""
    text = "file,name,set,key,value,unit,source,where,status\n"
    text += "soil_retention,deposition_share,,,48,percent,S16,doubled,design\n"
    change = {"coefficients.overrides": "own.csv"}
    path = small.write(tmp_path, files={"own.csv": text}, change=change)
    before, after = quantities(plain), quantities(run(path))
    for key, amount in after.items():
        if key[1] == "soil_retention.sediment":
            assert abs((amount or 0) - 2 * (before[key] or 0)) <= Decimal("1e-6")
        else:
            assert amount == before[key]


@pytest.mark.parametrize("year", [2021, 2022, 2024])
def test_another_price_year_moves_every_price_by_its_index_only(
    plain: gep.Result, tmp_path: Path, year: int
) -> None:
    """Quantities stay; the reservoir cost moves by the product of its chain."""
    result = run(small.write(tmp_path, change={"account.price_year": year}))
    assert quantities(result) == quantities(plain)
    chain = {2022: "1.041", 2023: "0.97", 2024: "0.978"}
    ratio = math.prod(float(chain[y]) for y in range(2022, year + 1))
    key = "water_retention"
    paid = {
        name: sum(float(row["value"]) for row in rows(r) if row["service"] == key)
        for name, r in (("then", result), ("now", plain))
    }
    assert paid["then"] == pytest.approx(paid["now"] * ratio, rel=1e-9)


def test_prices_by_index_commute() -> None:
    """From 2005 to 2021 at once, or by way of any year between: the same ratio."""
    book, _ = coefficients.load()
    cost = book.coefficient("water_retention", "reservoir_cost")
    assert cost
    made = {year: book.price(cost, "CNY/m^3", year) for year in range(2005, 2025)}
    for index in book.indices.values():
        if index.name == cost.index:
            for year in range(2006, 2025):
                then, before = made[year], made[year - 1]
                assert isinstance(then, Price)
                assert isinstance(before, Price)
                step = index.find(year=year).number / 100  # type: ignore[union-attr]
                assert float(then.ratio / before.ratio) == pytest.approx(float(step), rel=1e-14)
