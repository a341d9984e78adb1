"""Quality rules: each held and broken, their limits, and what a run says of them.

Expected numbers are worked out by hand from what the test itself puts into the account.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import small

import gep
from gep import accounts, config, identities, plan, quality, statistics
from gep.check import Understood
from gep.cli import main
from gep.coefficients import STATUSES
from gep.cube import Cube, Line
from gep.ecosystems import Title, legend, members
from gep.errors import IdentityError, InputError, Problem, messages
from gep.plan import Plan
from gep.quality import former
from gep.quality.case import Case, Finding
from gep.quality.former import Former
from gep.quality.growth import at_constant
from gep.quality.limits import rules
from gep.quality.provenance import decisive, unverified
from gep.shipped import folder, read_toml
from gep.units import parse

EAST, WEST, SOUTH = small.CODES
NAMES = dict(zip(small.CODES, small.NAMES, strict=True))
KM2 = 10**8
"""Area quanta of 0.01 m^2 in one square kilometre."""
FOREST, PADDY, SWAMP = "evergreen_broadleaf_forest", "paddy", "swamp"
METHODS = Path(__file__).parents[1] / "docs" / "methods.md"
NEW = ("hot_days", "storm_precipitation", "storm_runoff")
NEW_UNITS = {"hot_days": "day/year", "storm_precipitation": "mm/year", "storm_runoff": "mm/year"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Plan of the small account with storms and hot days; nothing is run."""
    shape = (small.ROWS, small.COLUMNS)
    change: dict[str, object] = {}
    for name in NEW:
        change |= {f"rasters.{name}.file": f"{name}.tif", f"rasters.{name}.unit": NEW_UNITS[name]}
    path = small.write(
        tmp_path_factory.mktemp("plan"),
        rasters={name: np.full(shape, 100, np.float32) for name in NEW},
        change=change,
    )
    found, problems = plan.make(config.read(path), path.parent)
    assert found, problems
    return found


def line(name: str, amounts: Mapping[tuple[str, str], int | None], **more: Any) -> Line:
    """Line of a pixel service in whole units of its quantity; its money is given in *cents*."""
    service, _, indicator = name.partition(".")
    units = {"soil_retention": "t/year", "carbon_sequestration": "tCO2/year"}
    units |= {"air_purification": "t/year", "climate_regulation": "kWh/year"}
    unit = units.get(service, "m^3/year")
    plain = Title(indicator, indicator)
    group = more.pop("group", "regulating")
    return Line(group, service, indicator, plain, unit, Decimal(1), dict(amounts), **more)


def cube(*lines: Line, extent: Mapping[tuple[str, str], int] | None = None, **more: Any) -> Cube:
    """Account of 2021 of the three counties, one square kilometre of forest each."""
    area = {(county, FOREST): KM2 for county in small.CODES} if extent is None else extent
    said: dict[str, Any] = {"year": 2021, "price_year": 2021, "lines": list(lines)}
    said |= {"places": (*small.CODES, "unallocated"), "names": NAMES, "extent": dict(area)}
    return Cube(**said | more)


def check(rule: str, case: Case) -> Finding:
    return quality.CHECKS[rule](case)


def texts(finding: Finding) -> list[tuple[str, str]]:
    return [(problem.code, problem.text()) for problem in finding.problems]


def with_tables(made: Plan, tmp_path: Path, **tables: str) -> Plan:
    """Plan with further statistics tables."""
    found = dict(made.tables)
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, "utf8")
        section = config.TableSection(file=f"{name}.csv")
        found[name] = statistics.load(name, section, tmp_path, 2021)
    return replace(made, tables=found)


# ---- the limits


LIMITS = [(rule.name, limit) for rule in rules().values() for limit in rule.limits.values()]


def test_every_limit_says_its_unit_and_where_it_is_from() -> None:
    sources = read_toml(folder("coefficients") / "sources.toml")
    for rule, limit in LIMITS:
        at = (rule, limit.name)
        assert parse(limit.unit), at
        assert limit.low < limit.high, at
        assert limit.source in sources, at
        assert limit.where, at
        assert limit.status in STATUSES, at
        assert members(limit.ecosystems) or not limit.ecosystems, at
        for key in re.findall(r"\bS\d\d\b", limit.note):
            assert sources[key]["seen"] is True, at
        if limit.status == "derived":
            assert sources[limit.source]["seen"] is True, at


def test_every_rule_has_a_name_in_both_languages_and_an_action() -> None:
    for rule in rules().values():
        assert rule.title.en, rule.name
        assert re.search("[\u4e00-\u9fff]", rule.title.zh), rule.name
        assert rule.action in ("error", "warning", "report")
        assert rule.description
        assert set(rule.identities) <= identities.TITLES.keys()
        assert set(rule.codes) <= messages().keys()


def test_every_rule_is_checked_somewhere_and_only_once() -> None:
    own, elsewhere = set(quality.CHECKS), {r.name for r in rules().values() if r.identities}
    assert own & elsewhere == set()
    assert own | elsewhere | {"provenance", "sensitivity"} == rules().keys()


def test_limits_that_others_hold_are_theirs() -> None:
    covered = {name: limit.low for name, limit in rules()["coverage"].limits.items()}
    assert covered == {
        "error": accounts.LOW_COVERAGE,
        "warning": accounts.FULL_COVERAGE,
        "ecosystem": accounts.RASTER_COVERAGE,
    }
    assert float(rules()["area_closure"].limits["county"].high) == identities.AREA_TOLERANCE


# The limits of the rules, written out again: rule, limit, lowest, highest. None is endless.
BOUNDS = [
    ("class_totals", "cropland", "-0.1", "0.1"),
    ("class_totals", "forest", "-0.1", "0.1"),
    ("magnitude", "water", "300000", "900000"),
    ("magnitude", "soil", "5000", "100000"),
    ("magnitude", "flood", "250000", "450000"),
    ("magnitude", "carbon", "400", "1500"),
    ("magnitude", "sulfur_dioxide", "9", "22"),
    ("magnitude", "dust", "1000", "3300"),
    ("magnitude", "cooling", "8700000", "41000000"),
    ("water", "most", "0", "1"),
    ("water", "near", "0", "0.9"),
    ("soil", "least", "0", None),
    ("carbon", "production", "200", "1200"),
    ("carbon", "exchange", "-100", None),
    ("carbon", "oxygen", "0.7265", "0.7275"),
    ("shares", "provisioning", "0.05", "0.40"),
    ("shares", "regulating", "0.40", "0.85"),
    ("shares", "cultural", "0.05", "0.40"),
    ("county_range", "total", "1000", "7000"),
    ("county_range", "regulating", "1000", "4000"),
    ("growth", "total", "-0.15", "0.15"),
    ("growth", "service", "-0.30", "0.30"),
    ("provenance", "share", None, "0.05"),
]


def test_limits_are_these() -> None:
    other = ("area_closure", "coverage")
    found = [(r, x.name, x.low, x.high) for r, x in LIMITS if r not in other]
    assert found == [
        (rule, name, Decimal(low or "-Infinity"), Decimal(high or "Infinity"))
        for rule, name, low, high in BOUNDS
    ]


def test_heat_of_the_cooling_range_by_hand() -> None:
    """2837.27 kJ a day / 3600 / 3 = 0.26271 kWh/m^2; times 33 and 156 days, per km^2."""
    limit = rules()["magnitude"].limits["cooling"]
    daily = 2837.27 / 3600 / 3 * 1e6
    assert float(limit.low) == pytest.approx(33 * daily, rel=0.01)
    assert float(limit.high) == pytest.approx(156 * daily, rel=0.01)


# ---- magnitude


WATER = "water_retention.water_retention"


@pytest.mark.parametrize("amount", [300_000, 600_000, 900_000])
def test_magnitude_holds(made: Plan, amount: int) -> None:
    found = check("magnitude", Case(made, cube(line(WATER, {(EAST, FOREST): amount}))))
    assert (found.held, found.why.en) == (True, "1 compared")
    assert found.problems == ()


@pytest.mark.parametrize("amount", [299_999, 900_001])
def test_magnitude_past_an_end(made: Plan, amount: int) -> None:
    found = check("magnitude", Case(made, cube(line(WATER, {(EAST, FOREST): amount}))))
    assert found.held is False
    assert [problem.code for problem in found.problems] == ["W570"]
    assert found.problems[0].fields["count"] == 1


def test_magnitude_names_the_farthest_county(made: Plan) -> None:
    """One km² each: 100 000 is three times below the range, 1 800 000 twice above it."""
    amounts = {(EAST, FOREST): 100_000, (WEST, FOREST): 1_800_000, (SOUTH, FOREST): 500_000}
    found = check("magnitude", Case(made, cube(line(WATER, amounts))))
    assert texts(found) == [
        (
            "W570",
            (
                "water_retention.water_retention: 2 counties lie outside 300,000 to 900,000 "
                "m^3/(km^2*year); farthest 360101 东县 with 100,000"
            ),
        )
    ]
    assert found.problems[0].text("zh") == (
        "water_retention.water_retention：2 个县区不在 300,000 至 900,000 m^3/(km^2*year) 之内；"
        "偏离最大 360101 东县，为 100,000"
    )
    assert found.why == Title(found.problems[0].text("en"), found.problems[0].text("zh"))


def test_magnitude_leaves_a_class_without_amount_out_of_the_area(made: Plan) -> None:
    """600 000 m³ on one km² of forest; the km² of paddy beside it is missing, not dry."""
    extent = {(EAST, FOREST): KM2, (EAST, PADDY): 3 * KM2}
    amounts: dict[tuple[str, str], int | None] = {(EAST, FOREST): 600_000, (EAST, PADDY): None}
    held = check("magnitude", Case(made, cube(line(WATER, amounts), extent=extent)))
    assert held.held is True
    amounts[EAST, PADDY] = 0
    broken = check("magnitude", Case(made, cube(line(WATER, amounts), extent=extent)))
    assert broken.problems[0].fields["found"] == "150,000"


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("soil_retention.soil_retention", 5_000, 4_999),
        ("flood_mitigation.vegetation", 450_000, 450_001),
        ("carbon_sequestration.carbon_dioxide", 1_500, 1_501),
        ("climate_regulation.vegetation", 8_700_000, 8_699_999),
    ],
)
def test_magnitude_of_each_service(made: Plan, name: str, inside: int, outside: int) -> None:
    for amount, held in ((inside, True), (outside, False)):
        found = check("magnitude", Case(made, cube(line(name, {(EAST, FOREST): amount}))))
        assert found.held is held


def test_magnitude_of_forest_only_takes_forest(made: Plan) -> None:
    """Grassland cools a third as much and is no forest."""
    extent = {(EAST, FOREST): KM2, (EAST, "tussock"): 9 * KM2}
    amounts = {(EAST, FOREST): 30_000_000, (EAST, "tussock"): 9_000_000}
    case = Case(made, cube(line("climate_regulation.vegetation", amounts), extent=extent))
    assert check("magnitude", case).held is True


def test_magnitude_of_a_capacity_is_not_the_capped_amount(made: Plan) -> None:
    """15 t/km² could be taken up, 1 t was emitted."""
    amounts = {(EAST, FOREST): 1}
    name = "air_purification.sulfur_dioxide"
    for capacity, held in ((15, True), (1, False), (23, False)):
        capped = line(name, amounts, capped={EAST: (capacity, 1)})
        assert check("magnitude", Case(made, cube(capped))).held is held


def test_magnitude_of_nothing(made: Plan) -> None:
    found = check("magnitude", Case(made, cube()))
    assert (found.held, found.why.en) == (None, "no indicator that has a range")
    nothing = line(WATER, {(EAST, FOREST): None})
    assert check("magnitude", Case(made, cube(nothing))).held is None


def test_magnitude_of_a_negative_amount_is_the_farthest(made: Plan) -> None:
    amounts = {(EAST, FOREST): 1, (WEST, FOREST): -5}
    (problem,) = check("magnitude", Case(made, cube(line(WATER, amounts)))).problems
    assert (problem.fields["worst"], problem.fields["found"]) == ("360102 西县", "-5")


# ---- class totals


def test_class_totals(made: Plan, tmp_path: Path) -> None:
    """Forest 1 km² on the map; 0.9 in the table is 11.1 % off, 1/1.1 just within."""
    text = f"county_code,cropland(ha),forest(km^2)\n{EAST},,0.9\n{WEST},,1.1\n{SOUTH},,1.2\n"
    case = Case(with_tables(made, tmp_path, land=text), cube())
    found = check("class_totals", case)
    assert texts(found) == [
        (
            "W571",
            (
                "land.forest: 2 counties differ by more than 10% from the table; "
                "most 360103 南县: 1.00 km² on the map, 1.20 km² in the table"
            ),
        )
    ]
    assert found.problems[0].text("zh") == (
        "land.forest：2 个县区与统计表相差超过 10%；最大 360103 南县：图上 1.00 km²，表中 1.20 km²"
    )


def test_class_totals_hold_and_convert_units(made: Plan, tmp_path: Path) -> None:
    """Paddy, dry field and cropland of unknown kind are cropland; an orchard is not."""
    kinds = ("paddy", "upland", "unspecified_cropland", "orchard")
    extent = {(EAST, kind): KM2 for kind in kinds}
    text = f"county_code,cropland(亩)\n{EAST},4500\n"  # 4500 亩 are 300 ha
    case = Case(with_tables(made, tmp_path, land=text), cube(extent=extent))
    found = check("class_totals", case)
    assert (found.held, found.why.en) == (True, "1 compared")


def test_class_totals_count_shrubland_as_forest_land(made: Plan, tmp_path: Path) -> None:
    extent = {(EAST, FOREST): KM2, (EAST, "broadleaf_shrubland"): KM2}
    text = f"county_code,forest(km^2)\n{EAST},2\n"
    case = Case(with_tables(made, tmp_path, land=text), cube(extent=extent))
    assert check("class_totals", case).held is True


def test_class_totals_of_nothing(made: Plan, tmp_path: Path) -> None:
    assert check("class_totals", Case(made, cube())).held is None
    empty = with_tables(made, tmp_path, land=f"county_code,forest(km^2)\n{EAST},\n")
    assert check("class_totals", Case(empty, cube())).held is None
    none = with_tables(made, tmp_path, land=f"county_code,forest(km^2)\n{EAST},0\n")
    assert check("class_totals", Case(none, cube())).held is False
    assert check("class_totals", Case(none, cube(extent={}))).held is True


# ---- water


def resources(made: Plan, tmp_path: Path, *numbers: float) -> Plan:
    rows = "".join(f"{c},{n}\n" for c, n in zip(small.CODES, numbers, strict=False))
    text = f"county_code,total_water_resources(m^3)\n{rows}"
    return with_tables(made, tmp_path, water_resources=text)


def test_water_above_its_resources_is_an_error(made: Plan, tmp_path: Path) -> None:
    amounts = dict.fromkeys([(c, FOREST) for c in small.CODES], 1000)
    found = check(
        "water", Case(resources(made, tmp_path, 999, 950, 2000), cube(line(WATER, amounts)))
    )
    assert texts(found) == [
        (
            "E570",
            (
                "2 counties retain more water than their total water resources; "
                "worst 360102 西县: 1,000 of 950 m³"
            ),
        )
    ]
    assert found.problems[0].text("zh") == (
        "2 个县区的水源涵养量超过水资源总量；最大 360102 西县：1,000，水资源总量 950 m³"
    )
    assert found.held is False


def test_water_near_its_resources_is_a_warning(made: Plan, tmp_path: Path) -> None:
    """1000 of 1000 and of 1100 (90.9 %) are close, of 1200 (83 %) not."""
    amounts = dict.fromkeys([(c, FOREST) for c in small.CODES], 1000)
    case = Case(resources(made, tmp_path, 1000, 1100, 1200), cube(line(WATER, amounts)))
    assert texts(check("water", case)) == [
        (
            "W572",
            (
                "2 counties retain more than 90% of their total water resources; "
                "most 360101 东县: 100.0%"
            ),
        )
    ]


def test_water_at_nine_tenths_holds(made: Plan, tmp_path: Path) -> None:
    full = cube(line(WATER, {(EAST, FOREST): 900}))
    assert check("water", Case(resources(made, tmp_path, 1000), full)).held is True


def test_water_of_nothing(made: Plan, tmp_path: Path) -> None:
    full = cube(line(WATER, {(EAST, FOREST): 1000}))
    assert check("water", Case(made, full)).held is None
    assert check("water", Case(resources(made, tmp_path, 1), cube())).held is None
    found = check("water", Case(resources(made, tmp_path, 5000, 1), full))
    assert (found.held, found.why.en) == (True, "1 compared"), "the second has no amount"


# ---- soil


SOIL = "soil_retention.soil_retention"


def test_soil_is_never_negative(made: Plan) -> None:
    held = check("soil", Case(made, cube(line(SOIL, {(EAST, FOREST): 0}))))
    assert held.held is True
    amounts = {(EAST, FOREST): -7, (WEST, FOREST): 3}
    found = check("soil", Case(made, cube(line(SOIL, amounts, negative={WEST: -9}))))
    assert texts(found) == [
        ("E571", "soil retained is negative in 2 counties; worst 360102 西县: -9 t")
    ]
    assert found.problems[0].text("zh") == "2 个县区的土壤保持量为负；最低 360102 西县：-9 t"
    assert check("soil", Case(made, cube())).held is None


# ---- carbon


def layer(name: str, low: float, median: float, unit: str = "gC/(m^2*year)") -> Understood:
    return Understood(name, f"{name}.tif", unit, low, median, 2000, 0.0)


NPP, NEP = "net_primary_production", "net_ecosystem_production"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (layer(NPP, 0, 200), None),
        (layer(NPP, 0, 1200), None),
        (layer(NPP, 0, 0.6, "kgC/(m^2*year)"), None),
        (
            layer(NPP, 0, 1300),
            (
                "rasters.net_primary_production: the median is 1300 gC/(m^2*year); "
                "plausible is 200 to 1200"
            ),
        ),
        (layer(NEP, -100, 0), None),
        (
            layer(NEP, -101, 220),
            (
                "rasters.net_ecosystem_production: the lowest value is -101 gC/(m^2*year); "
                "below -100 is no standing vegetation"
            ),
        ),
        (layer("precipitation", -5, -5, "mm/year"), None),
    ],
)
def test_carbon_layers(made: Plan, row: Understood, said: str | None) -> None:
    found = check("carbon", Case(made, cube(), (row,)))
    code = {NPP: "W573", NEP: "W574"}.get(row.name, "")
    assert texts(found) == ([(code, said)] if said else [])
    assert found.held is (said is None)


def test_a_carbon_layer_without_a_value_is_not_compared(made: Plan) -> None:
    nothing = Understood(NPP, "x.tif", "gC/(m^2*year)", *(float("nan"),) * 3, 1.0)
    bare = replace(made, items=[])
    assert check("carbon", Case(bare, cube(), (nothing,))).held is None


@pytest.mark.parametrize(
    ("number", "held"), [("0.7272727", True), ("0.7275", True), ("0.73", False)]
)
def test_ratio_of_oxygen(made: Plan, number: str, held: bool) -> None:
    (item,) = [item for item in made.items if item.service.name == "oxygen_release"]
    ((name, c),) = item.coefficients.items()
    values = {keys: replace(value, number=Decimal(number)) for keys, value in c.values.items()}
    other = replace(item, coefficients={name: replace(c, values=values)})
    found = check("carbon", Case(replace(made, items=[other]), cube()))
    assert found.held is held
    if not held:
        assert texts(found) == [
            (
                "W575",
                (
                    "oxygen_release.toml: oxygen_per_carbon_dioxide: 0.73 tO2/tCO2; oxygen and "
                    "carbon dioxide on one basis make 0.7265 to 0.7275"
                ),
            )
        ]


# ---- shares and value per area


def money(group: str, cents: Mapping[str, int | None]) -> Line:
    amounts = {(place, FOREST): 1 for place in cents}
    leaves = {(place, FOREST): n for place, n in cents.items()}
    return line(f"{group}.x", amounts, cents=leaves, group=group)


def grouped(*cents: int | None, **more: Any) -> Cube:
    """Account whose three groups have this money in one county, on one km² each."""
    groups = ("provisioning", "regulating", "cultural")
    lines = [money(g, {EAST: n}) for g, n in zip(groups, cents, strict=True)]
    return cube(*lines, **more)


@pytest.mark.parametrize("cents", [(5, 85, 10), (40, 40, 20), (20, 40, 40), (10, 85, 5)])
def test_shares_hold(made: Plan, cents: tuple[int, int, int]) -> None:
    assert check("shares", Case(made, grouped(*cents))).held is True


def test_shares_broken(made: Plan) -> None:
    found = check("shares", Case(made, grouped(45, 51, 4)))
    assert texts(found) == [
        ("W576", "provisioning services are 45.0% of the total; plausible is 5% to 40%"),
        ("W576", "cultural services are 4.0% of the total; plausible is 5% to 40%"),
    ]
    assert found.problems[0].text("zh") == "物质产品占 45.0%；合理范围 5% 至 40%"


def test_a_partial_account_has_no_shares(made: Plan) -> None:
    for partial in (grouped(90, 5, 5, partial=True), grouped(90, None, 5), grouped(0, 0, 0)):
        found = check("shares", Case(made, partial))
        assert (found.held, found.why.en) == (None, "the account is not complete")


def per_area(east: int, **more: Any) -> Cube:
    """Account with this much regulating value per km² in 万元, and 500 of products."""
    cents = {EAST: east * 10**6, WEST: 2000 * 10**6}
    lines = [money("regulating", cents), money("provisioning", dict.fromkeys(cents, 5 * 10**8))]
    return cube(*lines, **more)


@pytest.mark.parametrize("value", [1000, 4000])
def test_value_per_area_holds(made: Plan, value: int) -> None:
    assert check("county_range", Case(made, per_area(value))).held is True


def test_value_per_area_broken(made: Plan) -> None:
    """6600 of regulating services and 500 of products are 7100 together."""
    found = check("county_range", Case(made, per_area(6600)))
    assert texts(found) == [
        (
            "W577",
            (
                "total value per area: 1 counties lie outside 1000 to 7000 × 10⁴ CNY/km²; "
                "farthest 360101 东县 with 7,100"
            ),
        ),
        (
            "W577",
            (
                "value of regulating services per area: 1 counties lie outside 1000 to 4000 × 10⁴ "
                "CNY/km²; farthest 360101 东县 with 6,600"
            ),
        ),
    ]
    assert found.problems[1].text("zh") == (
        "单位面积调节服务价值：1 个县区不在 1000 至 4000 万元/km² 之内；"
        "偏离最大 360101 东县，为 6,600"
    )


def test_value_per_area_of_an_account_that_is_not_complete(made: Plan) -> None:
    found = check("county_range", Case(made, per_area(9000, partial=True)))
    assert (found.held, found.why.en) == (None, "no county is complete")


def test_a_county_without_money_is_not_one_worth_nothing(made: Plan) -> None:
    """The third county has land and no money: unknown, not 0."""
    found = check("county_range", Case(made, per_area(1500)))
    assert (found.held, found.why.en) == (True, "4 compared")


# ---- flags of the legend


def flagged(made: Plan, name: str) -> Plan:
    return replace(made, legend=legend(name))


def test_flags_are_read_in_both_languages() -> None:
    flags = legend("clcd").flags
    assert flags == {
        6: Title("glaciers and permanent snow do not occur in Jiangxi", "江西无冰川与永久积雪")
    }
    assert legend("gep").flags == {}


def test_a_flag_in_one_language_and_a_flag_of_no_code(tmp_path: Path) -> None:
    text = '[codes]\n1 = "paddy"\n2 = "upland"\n[flags]\n2 = "no such thing"\n'
    (tmp_path / "own.toml").write_text(text, "utf8")
    assert legend("own.toml", tmp_path).flags == {2: Title("no such thing", "no such thing")}
    (tmp_path / "bad.toml").write_text(text + '3 = "x"\nice = "x"\n', "utf8")
    with pytest.raises(InputError) as raised:
        legend("bad.toml", tmp_path)
    assert str(raised.value) == "bad.toml: not ecosystem classes: flags.3, flags.ice"


def test_a_flagged_class_that_occurs(made: Plan) -> None:
    extent = {(EAST, "snow_ice"): KM2, (WEST, "snow_ice"): KM2 // 2}
    found = check("legend_flags", Case(flagged(made, "clcd"), cube(extent=extent)))
    assert texts(found) == [
        (
            "W585",
            (
                "legend clcd: 6 on 1.5 km² inside the counties: "
                "glaciers and permanent snow do not occur in Jiangxi"
            ),
        )
    ]
    assert found.problems[0].text("zh") == ("图例 clcd：6 在县区内有 1.5 km²：江西无冰川与永久积雪")


def test_a_flagged_class_that_does_not_occur_inside_the_counties(made: Plan) -> None:
    outside = {("unallocated", "snow_ice"): KM2}
    found = check("legend_flags", Case(flagged(made, "clcd"), cube(extent=outside)))
    assert found.held is True
    assert check("legend_flags", Case(made, cube())).held is None, "the legend gep has no flags"


def test_a_flagged_code_that_shares_its_class_cannot_be_told(made: Plan) -> None:
    """Mangrove (185, 186) and marsh (182) are both swamp; ice has a class of its own."""
    case = Case(flagged(made, "glc_fcs30"), cube(extent={(EAST, SWAMP): KM2}))
    found = check("legend_flags", case)
    assert (found.held, found.problems) == (None, ())
    assert found.why == Title(
        "codes 185, 186 share a class with others and cannot be told from them",
        "代码 185, 186 与其他代码同属一类，无法区分",
    )
    both = {(EAST, SWAMP): KM2, (EAST, "snow_ice"): KM2}
    assert check("legend_flags", Case(case.plan, cube(extent=both))).held is False


# ---- growth


def constant(then: Mapping[str, int | None], now: Mapping[str, int | None] | None = None) -> Cube:
    """Account of 2021 with cents by service at prices of 2020, and now at its own."""
    at_base = cube(*(one(name, cents) for name, cents in then.items()), price_year=2020)
    return replace_lines(at_base, now or then)


def one(service: str, cents: int | None) -> Line:
    return line(f"{service}.x", {(EAST, FOREST): 1}, cents={(EAST, FOREST): cents})


def replace_lines(base: Cube, now: Mapping[str, int | None]) -> Cube:
    return cube(*(one(name, cents) for name, cents in now.items()), constant=base)


def before(made: Plan, account: Cube, **more: Any) -> Former:
    """Run of 2020 of the same series."""
    basis = former.basis(made, (n.service for n in account.counted()), account.names)
    said: dict[str, Any] = {"folder": Path("old"), "year": 2020, "base_year": 2020}
    return Former(**said | {"services": {}, "basis": basis} | more)


TWO = {"water_retention": 1000, "carbon_sequestration": 100}


def grown(made: Plan, account: Cube, **more: Any) -> Finding:
    return check("growth", Case(made, account, (), before(made, account, **more)))


@pytest.mark.parametrize("now", [(1150, 115), (850, 85), (1000, 130), (1000, 70)])
def test_growth_within_its_limits(made: Plan, now: tuple[int, int]) -> None:
    account = constant(dict(zip(TWO, now, strict=True)))
    found = grown(made, account, services=TWO)
    assert (found.held, found.why.en) == (True, "2 compared")


def test_growth_of_the_total_and_of_a_service(made: Plan) -> None:
    """1100 became 1300 + 60 = 1360, +23.6 %; carbon lost 40 %, water won 30 %."""
    account = constant({"water_retention": 1300, "carbon_sequestration": 60})
    found = grown(made, account, services=TWO)
    assert found.held is False
    assert texts(found) == [
        (
            "W582",
            (
                "since 2020, at prices of 2020, more than 15% of the total or 30% of a service: "
                "total +23.6%, Carbon sequestration -40.0%"
            ),
        )
    ]
    assert found.problems[0].text("zh") == (
        "自 2020 年以来，按 2020 年价，变化超过总值 15% 或单项 30%：总值 +23.6%、固碳 -40.0%"
    )


def test_growth_from_nothing_has_no_end(made: Plan) -> None:
    found = grown(made, constant(TWO), services=TWO | {"carbon_sequestration": 0})
    assert found.problems[0].fields["changes"] == "Carbon sequestration +∞"
    assert grown(made, constant(dict.fromkeys(TWO, 0)), services=dict.fromkeys(TWO, 0)).held


def test_growth_is_not_asked_for(made: Plan) -> None:
    found = check("growth", Case(made, constant(TWO)))
    assert (found.held, found.problems) == (None, ())
    assert found.why.en == "no former run is named ([account] previous)"


@pytest.mark.parametrize(
    ("more", "said", "said_zh"),
    [
        ({"base_year": None}, "it has no constant prices", "该结果没有不变价"),
        ({"base_year": 2015}, "the base years differ: 2015, 2020", "基年不同：2015, 2020"),
        ({"year": 2019}, "the year before is 2020", "上一年是 2020 年"),
    ],
)
def test_growth_that_cannot_be_checked(
    made: Plan, more: dict[str, Any], said: str, said_zh: str
) -> None:
    found = grown(made, constant(TWO), services=TWO, **more)
    year = more.get("year", 2020)
    assert found.held is None
    assert texts(found) == [
        ("W580", f"growth against the run of {year} could not be checked: {said}")
    ]
    assert found.problems[0].text("zh") == f"无法检查相对 {year} 年运行结果的增长：{said_zh}"


def test_growth_without_a_base_year(made: Plan) -> None:
    account = cube(*(one(name, cents) for name, cents in TWO.items()))
    found = grown(made, account, services=TWO)
    assert [problem.fields["why"] for problem in found.problems] == [
        "this account has no base_year"
    ]


def test_growth_of_a_service_without_a_price_of_the_base_year(made: Plan) -> None:
    """The carbon market opened in 2021: nothing of 2020 to compare, the rest is."""
    account = constant({"water_retention": 1100, "carbon_sequestration": None}, TWO)
    assert at_constant(account) == {"water_retention": 1100, "carbon_sequestration": None}
    said = [
        (
            "W580",
            (
                "growth against the run of 2020 could not be checked: "
                "no prices of 2020 for Carbon sequestration"
            ),
        )
    ]
    held = grown(made, account, services=TWO | {"carbon_sequestration": None})
    assert (held.held, texts(held)) == (None, said)
    broken = grown(made, account, services={"water_retention": 500, "carbon_sequestration": 1})
    assert broken.held is False
    assert [code for code, _ in texts(broken)] == ["W580", "W582"]


def test_an_amount_without_money_leaves_its_service_without() -> None:
    """Two counties have carbon, one of them a price: less than all of it is not compared."""
    amounts = {(EAST, FOREST): 1, (WEST, FOREST): 1}
    carbon = line(
        "carbon_sequestration.x", amounts, cents={(EAST, FOREST): 7, (WEST, FOREST): None}
    )
    account = cube(carbon, constant=cube(carbon, price_year=2020))
    assert at_constant(account) == {"carbon_sequestration": None}
    missing = replace(carbon, amounts=amounts | {(WEST, FOREST): None})
    account = cube(missing, constant=cube(missing, price_year=2020))
    assert at_constant(account) == {"carbon_sequestration": 7}, "what is missing is missing twice"


def test_a_former_amount_without_money_leaves_its_service_without() -> None:
    priced = {"service": "a", "quantity": "1", "value": "2", "value_constant": "0.07"}
    priced |= {"value_constant_unit": "CNY_2020"}
    bare = priced | {"value": "", "value_constant": ""}
    missing = bare | {"quantity": ""}
    unpriced = bare | {"value": "3", "quantity": ""}
    assert former.constant([priced, missing, priced]) == (2020, {"a": 14})
    assert former.constant([priced, bare]) == (2020, {"a": None})
    assert former.constant([priced, unpriced]) == (2020, {"a": None})
    assert former.constant([missing]) == (2020, {"a": None}), "the unit states the year"
    other = priced | {"service": "b", "value_constant_unit": "CNY_2015"}
    assert former.constant([priced, other])[0] is None, "two base years are none"
    old = {key: priced[key] for key in ("service", "quantity", "value")}
    assert former.constant([old]) == (None, {"a": None}), "written before there were columns"


@pytest.mark.parametrize(
    ("name", "said", "said_zh"),
    [
        ("legend", "land-cover legend", "土地覆被图例"),
        ("profile", "profile", "参数方案"),
        ("runoff", "runoff coefficients", "径流系数"),
        ("services", "services", "服务"),
        ("counties", "counties", "县区"),
    ],
)
def test_another_basis_begins_a_new_series(made: Plan, name: str, said: str, said_zh: str) -> None:
    account = constant(TWO)
    basis = before(made, account).basis | {name: "another"}
    found = grown(made, account, services=TWO, basis=basis)
    assert found.held is None
    assert texts(found) == [("W581", f"a new series begins: {said} differ from the run of 2020")]
    assert found.problems[0].text("zh") == f"新的时间序列开始：{said_zh}与 2020 年运行结果不同"


def test_basis_of_the_small_account(made: Plan) -> None:
    basis = former.basis(made, ["b", "a", "b"], ["2", "1"])
    assert basis == {
        "legend": "gep",
        "profile": f"jiangxi-2021 {made.profile.version}",
        "runoff": "hj1173",
        "services": "a, b",
        "counties": "1, 2",
    }


# ---- whole accounts


def run(path: Path) -> gep.Result:
    return gep.open(path).run(threads=1)


def ruled(result: gep.Result) -> dict[str, object]:
    return {entry["rule"]: entry["held"] for entry in result.manifest["core"]["quality"]["rules"]}


def test_what_the_small_account_says_of_every_rule(small_result: gep.Result) -> None:
    """Partial, without land survey, bulletin and former run; what can be checked holds."""
    held = ruled(small_result)
    assert list(held) == list(rules())
    unchecked = ["class_totals", "water", "shares", "county_range", "growth", "legend_flags"]
    assert [rule for rule, found in held.items() if found == "not checked"] == unchecked
    assert [rule for rule, found in held.items() if found is False] == ["provenance"]
    for entry in small_result.manifest["core"]["quality"]["rules"]:
        assert set(entry) == {"rule", "action", "held", "why", "en", "zh"}
        assert set(entry["why"]) == {"en", "zh"}


def test_an_account_of_unverified_numbers_is_provisional(small_result: gep.Result) -> None:
    """Products are the user's own; every coefficient of the rest is unverified."""
    made, account = small_result.plan, small_result.account
    quality_of = small_result.manifest["core"]["quality"]
    total = account.cents(account.places)
    water = account.cents(account.places, service="water_retention")
    assert total
    assert water
    assert quality_of["provisional"] is True
    share = Decimal(water) / Decimal(total)
    assert share > Decimal("0.05")
    assert quality_of["decisive"]["water_retention"] == f"{share:.6f}"
    assert "agricultural_products" not in quality_of["decisive"]
    air = account.cents(account.places, service="air_purification")
    assert air
    assert Decimal(air) / Decimal(total) < Decimal("0.05")
    assert "air_purification" not in quality_of["decisive"], "unverified, and too small to matter"
    assert small_result.provisional.keys() == decisive(made, account).keys()
    runoff = next(e for e in quality_of["unverified"] if "runoff_coefficient" in e["at"])
    (coefficient,) = {
        i.coefficients["runoff_coefficient"].at: i.coefficients["runoff_coefficient"]
        for i in made.items
        if "runoff_coefficient" in i.coefficients
    }.values()
    assert runoff["numbers"] == len(coefficient.values)
    assert (runoff["status"], runoff["services"]) == ("design", ["water_retention"])
    index = next(e for e in quality_of["unverified"] if "fixed_asset" in e["at"])
    assert "water_retention" in index["services"], "the index moved the price"


def test_verified_numbers_make_no_account_provisional(small_result: gep.Result) -> None:
    made = small_result.plan
    items = []
    for item in made.items:
        found = {n: checked(c) for n, c in item.coefficients.items()}
        price = None if item.price is None else checked(item.price)
        items.append(replace(item, coefficients=found, price=price))
    book = replace(made.book, indices={n: checked(c) for n, c in made.book.indices.items()})
    other = replace(made, items=items, book=book)
    assert unverified(other, small_result.account) == []
    assert decisive(other, small_result.account) == {}
    case = Case(other, small_result.account)
    found = quality.record(case, quality.findings(case), ["tiling"], 0)
    assert (found["provisional"], found["decisive"]) == (False, {})
    (entry,) = [entry for entry in found["rules"] if entry["rule"] == "provenance"]
    assert entry["held"] is True


def checked(c: Any) -> Any:
    return replace(c, values={k: replace(v, verified_by="me") for k, v in c.values.items()})


def test_without_a_total_every_unverified_service_decides(small_result: gep.Result) -> None:
    nothing = replace(small_result.account, lines=[])
    services = {item.service.name for item in small_result.plan.items if item.coefficients}
    assert set(decisive(small_result.plan, nothing)) == services


def test_the_terminal_says_that_it_is_provisional(small_result: gep.Result) -> None:
    from gep import terminal

    english, chinese = (terminal.notes(small_result, x)[-1] for x in ("en", "zh"))
    assert english.startswith(
        "provisional: unverified numbers decide services above 5 % of the total: Water retention "
    )
    assert chinese.startswith("待核实的结果：占总值 5 % 以上的服务使用了未核实的数值：水源涵养 ")


@pytest.mark.parametrize("name", ["pixels", "area", "cap", "sums"])
def test_a_rule_whose_identity_does_not_apply_is_not_checked(
    name: str, small_result: gep.Result
) -> None:
    case = Case(small_result.plan, small_result.account)
    names = [n for n in ("pixels", "area", "cap", "sums", "tiling") if n != name]
    found = quality.findings(case)
    held = {e["rule"]: e["held"] for e in quality.record(case, found, names, 2)["rules"]}
    assert held["area_closure"] == ("not checked" if name == "area" else True)
    assert held["purification"] == ("not checked" if name == "cap" else True)
    assert (held["additivity"], held["sensitivity"]) == (True, True)


LAND = f"county_code,cropland(ha),forest(ha)\n{EAST},1000,320\n"


def codes(path: Path) -> list[str]:
    return [problem.code for problem in gep.open(path).check().problems]


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        ({"land": "county_code,area(ha)\n360101,1\n"}, "E502"),
        ({"land": "county_code,forest\n360101,1\n"}, "E503"),
        ({"land": "county_code,forest(ha)\n360101,x\n"}, "E504"),
        ({"land": "county_code,forest(ha)\n360101,1\n360101,1\n"}, "E505"),
        ({"land": "county_code,forest(ha)\n360101,-1\n"}, "E507"),
        ({"land": "county_code,forest(ha)\n999999,1\n"}, "E509"),
        ({"land": "county_code,forest(t)\n360101,1\n"}, "E603"),
        ({"water_resources": "county_code,total(m^3)\n360101,1\n"}, "E502"),
        ({"water_resources": "county_code,total_water_resources(mm)\n360101,1\n"}, "E603"),
    ],
)
def test_tables_of_the_rules_are_checked_like_any_other(
    tables: dict[str, str], code: str, tmp_path: Path
) -> None:
    path = small.write(tmp_path, tables=tables)
    assert code in codes(path)
    with pytest.raises(InputError):
        run(path)


def test_a_run_against_survey_and_bulletin(tmp_path: Path) -> None:
    """East has 800 pixels of one hectare; its classes are counted here again."""
    kinds, inside = small.classes(), small.places() == 0
    forest = int((inside & np.isin(kinds, (11, 13, 16, 21))).sum())  # with shrubland
    cropland = int((inside & np.isin(kinds, (51, 52))).sum())
    land = f"county_code,cropland(ha),forest(ha)\n{EAST},{cropland},{forest * 2}\n"
    water = f"county_code,total_water_resources(亿m^3)\n{EAST},1000\n"
    tables = {"land": land, "water_resources": water}
    result = run(small.write(tmp_path, tables=tables))
    assert [p.code for p in result.problems] == ["W571"]
    (problem,) = result.problems
    assert problem.fields["column"] == "forest"
    assert problem.fields["found"] == f"{forest / 100:,.2f}"
    assert problem.fields["stated"] == f"{forest / 50:,.2f}"
    held = ruled(result)
    assert (held["class_totals"], held["water"]) == (False, True)


def test_more_water_than_there_is_stops_the_run(tmp_path: Path) -> None:
    water = f"county_code,total_water_resources(m^3)\n{EAST},1\n"
    path = small.write(tmp_path, tables={"water_resources": water})
    done = click.testing.CliRunner().invoke(
        main, ["run", str(path), "--lang", "en", "--progress", "none"]
    )
    assert done.exit_code == 3
    assert "error E570  1 counties retain more water than their total" in done.stderr
    assert not list((tmp_path / "output").glob("2021_*"))


def test_a_warning_of_a_rule_is_told_once_and_can_be_accepted(tmp_path: Path) -> None:
    """Net ecosystem production with a pixel at -150 inside the counties."""
    nep = small.arrays()["net_ecosystem_production"]
    nep[3, 3] = -150
    path = small.write(tmp_path / "a", rasters={"net_ecosystem_production": nep})
    assert codes(path) == ["W574"]
    result = run(path)
    assert [p.code for p in result.problems] == ["W574"]
    assert ruled(result)["carbon"] is False
    change = {"accept.W574": "a bog that was drained"}
    other = small.write(tmp_path / "b", rasters={"net_ecosystem_production": nep}, change=change)
    (said,) = run(other).problems
    assert said.code == "W010"
    assert "a bog that was drained" in said.text()
    assert ruled(run(other))["carbon"] is False, "accepted, and still not held"


def test_an_account_against_the_run_of_the_year_before(tmp_path: Path) -> None:
    """Rain 1000 mm more the year after: more water than 30 %; the former run is an input."""
    base = {"account.base_year": 2020, "account.price_year": 2020}
    first = small.write(tmp_path / "old", change=base | {"account.year": 2020})
    folder_of = run(first).write(tmp_path / "runs")
    rain = small.arrays()["precipitation"] + 1000
    change = base | {"account.previous": f"../runs/{folder_of.name}"}
    second = small.write(tmp_path / "new", rasters={"precipitation": rain}, change=change)
    result = run(second)
    (growth,) = [p for p in result.problems if p.code == "W582"]
    assert "Water retention +" in str(growth.fields["changes"])
    assert ruled(result)["growth"] is False
    entry = result.manifest["core"]["inputs"]["previous"]
    assert entry["file"] == "run.json"
    assert run(second).manifest["root"] == result.manifest["root"], "the same bytes again"
    assert [p.fields["why"] for p in result.problems if p.code == "W580"] == [
        "no prices of 2020 for Carbon sequestration"
    ]
    same = run(small.write(tmp_path / "same", change=change))
    assert not [p for p in same.problems if p.code == "W582"]
    assert ruled(same)["growth"] == "not checked", "not of carbon, which had no market in 2020"
    read = former.read(same.plan)
    assert read
    assert read == before(same.plan, same.account, folder=folder_of, services=read.services)
    now = at_constant(same.account)
    assert read.services.keys() == now.keys()
    moved = {name for name in now if now[name] != read.services[name]}
    assert moved == {"agricultural_products", "forestry_products"}, "prices of another year"


def test_a_former_run_that_is_not_there(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"account.previous": "nowhere"})
    assert codes(path) == ["E790"]


def test_a_former_run_that_was_changed(tmp_path: Path) -> None:
    first = small.write(tmp_path / "old", change={"account.year": 2020})
    folder_of = run(first).write(tmp_path / "runs")
    table = folder_of / "accounts.csv"
    table.write_bytes(table.read_bytes().replace(b"360101", b"360109", 1))
    path = small.write(tmp_path / "new", change={"account.previous": str(folder_of)})
    with pytest.raises(IdentityError) as raised:
        run(path)
    assert [problem.code for problem in raised.value.problems] == ["E715"]


def test_a_former_run_without_constant_prices(tmp_path: Path) -> None:
    first = small.write(tmp_path / "old", change={"account.year": 2020})
    folder_of = run(first).write(tmp_path / "runs")
    path = small.write(tmp_path / "new", change={"account.previous": str(folder_of)})
    (said,) = [p for p in run(path).problems if p.code == "W580"]
    assert said.fields["why"] == "this account has no base_year"


@pytest.mark.parametrize(
    ("code", "fields", "chinese"),
    [
        (
            "W572",
            {"count": 2, "limit": "90%", "worst": "360101 东县", "found": "97.0%"},
            "2 个县区的水源涵养量超过水资源总量的 90%；最大 360101 东县：97.0%",
        ),
        (
            "W573",
            {"name": NPP, "found": "1300", "unit": "gC/(m^2*year)", "low": 200, "high": 1200},
            ("rasters.net_primary_production：中位数为 1300 gC/(m^2*year)；合理范围 200 至 1200"),
        ),
        (
            "W574",
            {"name": NEP, "found": "-101", "unit": "gC/(m^2*year)", "low": -100},
            (
                "rasters.net_ecosystem_production：最小值为 -101 gC/(m^2*year)；"
                "低于 -100 不是正常植被"
            ),
        ),
        (
            "W575",
            {"at": "oxygen_release.toml: x", "found": "0.73", "low": 0.7265, "high": 0.7275},
            ("oxygen_release.toml: x：0.73 tO2/tCO2；释氧与固碳同一基础时为 0.7265 至 0.7275"),
        ),
    ],
)
def test_chinese_words(code: str, fields: dict[str, object], chinese: str) -> None:
    assert Problem(code, fields).text("zh") == chinese


def test_every_code_of_quality_has_a_test() -> None:
    text = Path(__file__).read_text("utf8")
    own = {c for c in messages() if re.fullmatch(r"E57\d|W57\d|W58[0-5]", c)}
    assert own == {c for c in own if f'"{c}"' in text}
    assert {f"E{n}" for n in (570, 571)} <= own


# ---- the page


def test_the_page_lists_every_rule_with_its_limits() -> None:
    page = METHODS.read_text("utf8")
    section = page.partition('<a id="quality-rules"></a>')[2].partition('<a id="')[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
    assert listed == [(rule.name, rule.action) for rule in rules().values()]
    for rule in rules().values():
        (row,) = re.findall(rf"^\| `{rule.name}` .*$", section, re.MULTILINE)
        for number in shown_limits(rule.name):
            assert number in row, (rule.name, number)


def shown_limits(name: str) -> list[str]:
    """Ends of the limits of a rule as the page writes them, per cent where they are shares."""
    found = []
    for limit in rules()[name].limits.values():
        for number in (limit.low, limit.high):
            if number.is_finite() and number not in (0, 1):
                share = limit.unit == "1"  # signs stand as − or ±
                text = f"{abs(number) * 100:f}" if share else f"{abs(number):,f}".replace(",", " ")
                found.append(text.rstrip("0").rstrip(".") if "." in text else text)
    return found
