"""Coefficient files: every rule with the exact words, overrides, price indices, and what ships."""

import json
import math
import tomllib
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small

from gep import config, plan, profile
from gep.coefficients import (
    ALLOWED,
    DIMENSIONS,
    GIVEN,
    STATUSES,
    Book,
    Coefficient,
    Price,
    load,
    weakest,
)
from gep.ecosystems import ecosystems, groups, legend, members
from gep.errors import InputError, Problem, UnitError, messages
from gep.layers import variables
from gep.preparation import preparations
from gep.service import Derived, Indicator, Products, services
from gep.shipped import folder
from gep.units import factor, parse
from gep.variants import variants

SHIPPED = folder("coefficients")
SOURCES = """\
[BOOK]
citation = "A book"
seen = true
"""
INDEX = """\
[construction]
title = { en = "Construction", zh = "建筑" }
description = "Price of construction"
kind = "chain"
source = { key = "BOOK", where = "p. 1" }
status = "seen"
[construction.values]
2006 = 110
2007 = { value = 120, status = "recalled", confidence = "high" }
2009 = 50
"""
SHARE = """\
[share]
symbol = "s"
title = { en = "Share", zh = "比例" }
description = "A share"
unit = "percent"
range = [0, 100]
by = "ecosystem"
source = { key = "BOOK", where = "p. 2", quote = "twelve" }
status = "seen"
[share.values]
forest = 12
bamboo_forest = { value = 7.5, status = "recalled", confidence = "medium", note = "from memory" }
lake = 0
"""
COST = """\
[cost]
title = { en = "Cost", zh = "成本" }
description = "A cost"
unit = "CNY_2005/m^3"
range = [0, 100]
by = "constant"
source = { key = "BOOK", where = "p. 3" }
status = "seen"
index = "construction"
value = 6.1107
"""


def books(tmp_path: Path, text: str, index: str = INDEX) -> Path:
    """Folder of coefficient files with one service `water` that holds *text*."""
    root = tmp_path / "coefficients"
    root.mkdir(exist_ok=True)
    (root / "sources.toml").write_text(SOURCES, "utf8")
    (root / "price_index.toml").write_text(index, "utf8")
    (root / "water.toml").write_text(text, "utf8")
    return root


def read(tmp_path: Path, text: str, overrides: Path | None = None) -> tuple[Book, list[Problem]]:
    return load(overrides, shipped=books(tmp_path, text))


def one(tmp_path: Path, text: str, name: str, chosen: str = "") -> Coefficient:
    book, problems = read(tmp_path, text)
    assert problems == []
    found = book.coefficient("water", name, chosen)
    assert found
    return found


# ---- what a right file gives


def test_value_and_provenance_are_kept_as_printed(tmp_path: Path) -> None:
    share = one(tmp_path, SHARE, "share")
    assert (share.at, share.symbol, share.unit) == ("water.toml: share", "s", "percent")
    assert share.title == {"en": "Share", "zh": "比例"}
    forest, bamboo = share.values["forest",], share.values["bamboo_forest",]
    assert (forest.number, forest.status, forest.source, forest.where) == (
        12,
        "seen",
        "BOOK",
        "p. 2",
    )
    assert (bamboo.number, bamboo.status, bamboo.confidence) == (
        Decimal("7.5"),
        "recalled",
        "medium",
    )
    assert (bamboo.source, bamboo.note) == ("BOOK", "from memory")
    assert forest.verified == "seen"


def test_class_beats_group_and_a_true_zero_is_not_missing(tmp_path: Path) -> None:
    share = one(tmp_path, SHARE, "share")
    expected = {
        "evergreen_broadleaf_forest": 12,  # by its group
        "bamboo_forest": Decimal("7.5"),  # the class itself
        "lake": 0,
        "pond": None,  # nobody said anything of ponds
        "paddy": None,
    }
    for key, number in expected.items():
        value = share.find(ecosystem=key)
        assert (value and value.number) == number
        assert (value is None) == (number is None)


def test_table_converts_the_printed_unit_and_leaves_holes(tmp_path: Path) -> None:
    table = one(tmp_path, SHARE, "share").table("1", ["360101", "360102"], 2021)
    assert table.shape == (2, 256)
    for key, number in {"mixed_forest": 0.12, "bamboo_forest": 0.075, "lake": 0.0}.items():
        np.testing.assert_allclose(table[:, ecosystems()[key].index], number, rtol=1e-15)
    assert np.isnan(table[:, ecosystems()["pond"].index]).all()
    assert np.isnan(table[:, len(ecosystems()) :]).all(), "no class has these indices"


def test_constant_serves_every_class(tmp_path: Path) -> None:
    text = COST.replace("CNY_2005/m^3", "kg").replace('index = "construction"\n', "")
    table = one(tmp_path, text, "cost").table("t", ["360101"], 2021)
    np.testing.assert_allclose(table[0, : len(ecosystems())], 0.0061107, rtol=1e-15)


COUNTY = """\
[depth]
title = { en = "Depth", zh = "深度" }
description = "A depth"
unit = "cm"
range = [0, 100]
by = ["county", "ecosystem"]
source = { key = "BOOK", where = "p. 4" }
status = "seen"
[depth.values.360101]
forest = 10
[depth.values.360102]
forest = 20
paddy = 30
"""


def test_county_and_ecosystem(tmp_path: Path) -> None:
    depth = one(tmp_path, COUNTY, "depth")
    table = depth.table("mm", ["360101", "360102", "360103"], 2021)
    forest, paddy = ecosystems()["mixed_forest"].index, ecosystems()["paddy"].index
    np.testing.assert_array_equal(table[:, forest], [100, 200, np.nan])
    np.testing.assert_array_equal(table[:, paddy], [np.nan, 300, np.nan])


@pytest.mark.parametrize("province", ["360000", "36"])
def test_province_serves_its_counties(tmp_path: Path, province: str) -> None:
    text = COUNTY.replace('["county", "ecosystem"]', '"province"')
    text = text[: text.index("[depth.values.360101]")] + f"[depth.values]\n{province} = 5\n"
    depth = one(tmp_path, text, "depth")
    found = [depth.find(county=code) for code in ("360101", "361181", "350101")]
    assert [value and value.number for value in found] == [5, 5, None]


YEARS = COST.replace('"constant"', '"year"').replace("CNY_2005/m^3", "CNY/m^3")
YEARS = YEARS.replace("value = 6.1107\n", "values = { 2018 = 4, 2021 = 5 }\n")


@pytest.mark.parametrize(
    ("holds", "year", "number"),
    [
        *[("false", 2018, 4), ("false", 2019, None), ("false", 2021, 5), ("false", 2022, None)],
        *[("true", 2017, None), ("true", 2018, 4), ("true", 2020, 4), ("true", 2021, 5)],
        ("true", 2060, 5),
    ],
)
def test_a_year_holds_only_where_it_says_so(
    tmp_path: Path, holds: str, year: int, number: int | None
) -> None:
    cost = one(tmp_path, f"{YEARS}holds = {holds}\n", "cost")
    value = cost.find(year=year)
    assert (value and value.number) == number


SETS = """\
[share]
title = { en = "Share", zh = "比例" }
description = "A share"
unit = "1"
range = [0, 1]
by = "constant"
source = { key = "BOOK", where = "p. 5" }
status = "seen"
default = "a"
[share.sets.a]
value = 0.25
[share.sets.b]
unit = "percent"
range = [0, 100]
status = "recalled"
value = 50
"""


def test_sets_and_their_default(tmp_path: Path) -> None:
    book, problems = read(tmp_path, SETS)
    assert problems == []
    found = {name: book.coefficient("water", "share", name) for name in ("", "a", "b", "c")}
    assert found["c"] is None
    assert found[""] is found["a"]
    assert found["a"]
    assert found["b"]
    assert (found["a"].at, found["b"].at) == (
        "water.toml: share.sets.a",
        "water.toml: share.sets.b",
    )
    numbers = [found[name].number("1")[0] for name in ("a", "b")]  # type: ignore[union-attr, index]
    assert numbers == [Decimal("0.25"), Decimal("0.5")]
    assert found["b"].values["",].status == "recalled"


def test_unknown_coefficient_is_none(tmp_path: Path) -> None:
    book, _ = read(tmp_path, SHARE)
    assert book.coefficient("water", "nothing") is None
    assert book.coefficient("nowhere", "share") is None


def test_weakest_state() -> None:
    assert weakest([]) == "yes"
    assert weakest(["yes", "yes"]) == "yes"
    assert weakest(["yes", "seen"]) == "seen"
    assert weakest(["seen", "derived", "recalled"]) == "recalled"
    assert weakest(["recalled", "design"]) == "design"
    assert weakest(["yes", GIVEN]) == GIVEN
    assert STATUSES == ("seen", "derived", "recalled", "design")


def test_verified_by_makes_it_yes(tmp_path: Path) -> None:
    verified = SHARE.replace(
        'status = "seen"', 'status = "seen"\nverified_by = "A. B., 2026-01-01"'
    )
    share = one(tmp_path, verified, "share")
    assert share.values["forest",].verified == "yes"
    assert share.values["bamboo_forest",].verified == "recalled", "nobody verified that one"


# ---- what a wrong file says

REQUIRED = ("title", "description", "unit", "range", "by", "source", "status")


def without(text: str, key: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.startswith(f"{key} ")) + "\n"


KNOWN = ", ".join(sorted(ALLOWED))
RULES = [
    *[
        (
            without(SHARE, key),
            "E520",
            f"water.toml: share lacks {key}",
            f"water.toml: share 缺少 {key}",
        )
        for key in REQUIRED
        if key != "by"
    ],
    (
        without(without(SHARE, "unit"), "source"),
        "E520",
        "water.toml: share lacks unit, source",
        "water.toml: share 缺少 unit, source",
    ),
    (
        without(COST, "by"),
        "E520",
        "water.toml: cost lacks by",
        "water.toml: cost 缺少 by",
    ),
    (
        SHARE[: SHARE.index("[share.values]")],
        "E520",
        "water.toml: share lacks values",
        "water.toml: share 缺少 values",
    ),
    (
        without(COST, "value"),
        "E520",
        "water.toml: cost lacks value",
        "water.toml: cost 缺少 value",
    ),
    (
        COST.replace("value = 6.1107", "values = { forest = 6.1107 }"),
        "E520",
        "water.toml: cost lacks value",
        "water.toml: cost 缺少 value",
    ),
    (
        SETS.replace('default = "a"', 'default = "z"'),
        "E520",
        "water.toml: share lacks default",
        "water.toml: share 缺少 default",
    ),
    (
        SHARE.replace("range = [0, 100]", 'range = ["low", "high"]'),
        "E520",
        "water.toml: share lacks range = [lowest, highest]",
        "water.toml: share 缺少 range = [lowest, highest]",
    ),
    (
        COUNTY.replace("[depth.values.360101]\nforest = 10", "[depth.values]\n360101 = 10"),
        "E520",
        "water.toml: depth.360101 lacks values by ecosystem",
        "water.toml: depth.360101 缺少 values by ecosystem",
    ),
    (
        SHARE.replace('symbol = "s"', 'symbl = "s"'),
        "E521",
        f"water.toml: share: unknown key symbl; allowed: {KNOWN}",
        f"water.toml: share：不认识的键 symbl；可用：{KNOWN}",
    ),
    (
        SETS.replace("value = 0.25", "value = 0.25\nvalu = 1"),
        "E521",
        f"water.toml: share.sets.a: unknown key valu; allowed: {KNOWN}",
        f"water.toml: share.sets.a：不认识的键 valu；可用：{KNOWN}",
    ),
    (
        SHARE.replace("forest = 12\n", "forest = 120\n", 1),
        "E522",
        "water.toml: share.forest = 120 is outside [0, 100]",
        "water.toml: share.forest = 120 超出范围 [0, 100]",
    ),
    (
        COST.replace("6.1107", "-0.01"),
        "E522",
        "water.toml: cost = -0.01 is outside [0, 100]",
        "water.toml: cost = -0.01 超出范围 [0, 100]",
    ),
    (
        SETS.replace("value = 0.25", "value = 1.000001"),
        "E522",
        "water.toml: share.sets.a = 1.000001 is outside [0, 1]",
        "water.toml: share.sets.a = 1.000001 超出范围 [0, 1]",
    ),
    (
        SHARE.replace("forest = 12\n", "forest = nan\n", 1),
        "E523",
        "water.toml: share.forest = NaN is not a number",
        "water.toml: share.forest = NaN 不是数字",
    ),
    (
        COST.replace("6.1107", "inf"),
        "E523",
        "water.toml: cost = Infinity is not a number",
        "water.toml: cost = Infinity 不是数字",
    ),
    *[
        (
            COST.replace("6.1107", said),
            "E523",
            f"water.toml: cost = {shown} is not a number",
            f"water.toml: cost = {shown} 不是数字",
        )
        for said, shown in (("true", "True"), ("[0, [1, 2], 0]", "[0, [1, 2], 0]"))
    ],
    *[
        (
            COST + f"{key} = true\n",
            "E520",
            f'water.toml: cost lacks {key} = "…"',
            f'water.toml: cost 缺少 {key} = "…"',
        )
        for key in ("verified_by", "confidence", "note", "symbol")
    ],
    (
        COST.replace("value = 6.1107", "value = { value = 6.1107, verified_by = true }"),
        "E520",
        'water.toml: cost lacks verified_by = "…"',
        'water.toml: cost 缺少 verified_by = "…"',
    ),
    (
        COST.replace('"CNY_2005/m^3"', "5") + 'holds = "yes"\n',
        "E520",
        'water.toml: cost lacks unit = "…", holds = true / false',
        'water.toml: cost 缺少 unit = "…", holds = true / false',
    ),
    *[
        (
            SHARE.replace("range = [0, 100]", f"range = {said}"),
            "E520",
            "water.toml: share lacks range = [lowest, highest]",
            "water.toml: share 缺少 range = [lowest, highest]",
        )
        for said in ("[100, 0]", "[nan, 100]")
    ],
    (
        COST.replace("range = [0, 100]", "range = [-0.01, 100]"),
        "E536",
        "water.toml: cost: the range [-0.01, 100] lets the price CNY_2005/m^3 be negative",
        "water.toml: cost：范围 [-0.01, 100] 允许价格 CNY_2005/m^3 为负",
    ),
    (
        YEARS.replace("CNY/m^3", "元/m^3").replace("range = [0, 100]", "range = [-1, 100]"),
        "E536",
        "water.toml: cost: the range [-1, 100] lets the price 元/m^3 be negative",
        "water.toml: cost：范围 [-1, 100] 允许价格 元/m^3 为负",
    ),
    (
        COST + "values = { forest = 1 }\n",
        "E528",
        (
            "water.toml: cost: an override of something that does not exist: "
            "values (by = constant: value)"
        ),
        "water.toml: cost：要覆盖的内容不存在：values (by = constant: value)",
    ),
    (
        COST.replace('by = "constant"', "by = true"),
        "E529",
        f"water.toml: cost: by = True; known: {', '.join(DIMENSIONS)}",
        f"water.toml: cost：by = True；可用：{', '.join(DIMENSIONS)}",
    ),
    (
        COST.replace("6.1107", '"six"'),
        "E523",
        "water.toml: cost = six is not a number",
        "water.toml: cost = six 不是数字",
    ),
    (
        SHARE.replace(
            'source = { key = "BOOK", where = "p. 2"', 'source = { key = "BOOC", where = "p. 2"'
        ),
        "E524",
        "water.toml: share.forest: source BOOC is not in sources.toml",
        "water.toml: share.forest：出处 BOOC 不在 sources.toml 中",
    ),
    (
        COST.replace("CNY_2005/m^3", "CNY/m^3"),
        "E525",
        "water.toml: cost: price CNY/m^3 has no year",
        "water.toml: cost：价格 CNY/m^3 没有年份",
    ),
    (
        COST.replace("CNY_2005/m^3", "元/亩"),
        "E525",
        "water.toml: cost: price 元/亩 has no year",
        "water.toml: cost：价格 元/亩 没有年份",
    ),
    (
        SHARE.replace("lake = 0", "laek = 0"),
        "E526",
        "water.toml: share.laek: laek is neither an ecosystem class nor a group",
        "water.toml: share.laek：laek 不是生态系统类型或大类",
    ),
    (
        COST.replace('status = "seen"', 'status = "checked"'),
        "E527",
        "water.toml: cost: status checked; known: seen, derived, recalled, design",
        "water.toml: cost：状态 checked；可用：seen, derived, recalled, design",
    ),
    (
        SETS.replace("[share.sets.a]", "value = 1\n[share.sets.a]"),
        "E528",
        (
            "water.toml: share: an override of something that does not exist: "
            "value (there are the sets a, b)"
        ),
        "water.toml: share：要覆盖的内容不存在：value (there are the sets a, b)",
    ),
    (
        COST.replace('by = "constant"', 'by = "village"'),
        "E529",
        f"water.toml: cost: by = village; known: {', '.join(DIMENSIONS)}",
        f"water.toml: cost：by = village；可用：{', '.join(DIMENSIONS)}",
    ),
    (
        COUNTY.replace('["county", "ecosystem"]', '["county", "biome"]'),
        "E529",
        f"water.toml: depth: by = biome; known: {', '.join(DIMENSIONS)}",
        f"water.toml: depth：by = biome；可用：{', '.join(DIMENSIONS)}",
    ),
    (
        YEARS.replace("2018 = 4", "before = 4"),
        "E530",
        "water.toml: cost.before: before is not a year",
        "water.toml: cost.before：before 不是年份",
    ),
    (
        SHARE.replace('"percent"', '"per mille"'),
        "E531",
        (
            "water.toml: share: unit 'per mille' is not known; write, for example: "
            "mm, m^2, ha, 亩, m^3, kg, t, tCO2, CNY_2020, year"
        ),
        (
            "water.toml: share：不认识的单位“per mille”；可以这样写："
            "mm, m^2, ha, 亩, m^3, kg, t, tCO2, CNY_2020, year"
        ),
    ),
    (
        COST.replace("CNY_2005/m^3", "CNY_2005/ton"),
        "E531",
        "water.toml: cost: unit 'CNY_2005/ton': 'ton' is not used here; write t (tonne, 1000 kg)",
        "water.toml: cost：单位“CNY_2005/ton”：此处不用“ton”；请写 t (tonne, 1000 kg)",
    ),
]


def wrong_id(rule: tuple[str, ...]) -> str:
    return f"{rule[1]}-{rule[2][12:40]}"


@pytest.mark.parametrize(
    ("text", "code", "english", "chinese"), RULES, ids=[wrong_id(rule) for rule in RULES]
)
def test_rule(tmp_path: Path, text: str, code: str, english: str, chinese: str) -> None:
    _, problems = read(tmp_path, text)
    found = [problem for problem in problems if problem.code == code]
    assert english in [problem.text() for problem in found]
    assert chinese in [problem.text("zh") for problem in found]
    assert {problem.code for problem in problems} == {code}
    assert all(problem.is_error and problem.fix() and problem.fix("zh") for problem in found)


def test_every_code_of_coefficient_files_is_tested() -> None:
    tested = {rule[1] for rule in RULES} | {"E532", "E533", "E534", "E535"}  # of overrides
    assert tested == {c for c in messages() if "E520" <= c <= "E539"}


def test_one_number_in_a_set_may_have_a_wrong_source(tmp_path: Path) -> None:
    text = SHARE.replace('confidence = "medium"', 'confidence = "medium", source = { key = "X" }')
    _, problems = read(tmp_path, text)
    assert [problem.text() for problem in problems] == [
        "water.toml: share.bamboo_forest: source X is not in sources.toml"
    ]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = (
        SHARE.replace("forest = 12\n", "forest = 120\n", 1).replace("lake = 0", "laek = -1")
        + COST.replace("6.1107", "nan").replace("CNY_2005", "CNY")
        + without(SETS.replace("share", "part"), "title")
        + COUNTY.replace('by = ["county", "ecosystem"]', 'by = "village"')
    )
    _, problems = read(tmp_path, text)
    assert [problem.text() for problem in problems] == [
        "water.toml: share.forest = 120 is outside [0, 100]",
        "water.toml: share.laek: laek is neither an ecosystem class nor a group",
        "water.toml: share.laek = -1 is outside [0, 100]",
        "water.toml: cost: price CNY/m^3 has no year",
        "water.toml: cost = NaN is not a number",
        "water.toml: part.sets.a lacks title",
        "water.toml: part.sets.b lacks title",
        f"water.toml: depth: by = village; known: {', '.join(DIMENSIONS)}",
    ]


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, SHARE + "forest = 13\n")
    (problem,) = caught.value.problems
    assert problem.code == "E001"
    assert problem.text().startswith("water.toml: not TOML: Cannot overwrite a value")


def test_unit_of_another_quantity_is_refused_with_the_place(tmp_path: Path) -> None:
    share = one(tmp_path, SHARE, "share")
    with pytest.raises(UnitError) as caught:
        share.table("mm", ["360101"], 2021)
    assert str(caught.value) == (
        "water.toml: share: 'percent' is dimensionless, but 'mm' ([length]) is needed"
    )


# ---- prices and their indices


def price(tmp_path: Path, text: str, unit: str, year: int) -> Price | Problem:
    book, problems = read(tmp_path, text)
    assert problems == []
    cost = book.coefficient("water", "cost")
    assert cost
    return book.price(cost, unit, year)


@pytest.mark.parametrize(
    ("year", "number", "ratio", "states"),
    [
        (2005, "6.1107", "1", ("seen",)),
        (2006, "6.72177", "1.1", ("seen", "seen")),  # 6.1107 × 1.10
        (2007, "8.066124", "1.32", ("seen", "recalled", "seen")),  # × 1.10 × 1.20
    ],
)
def test_price_moves_by_its_index(
    tmp_path: Path, year: int, number: str, ratio: str, states: tuple[str, ...]
) -> None:
    found = price(tmp_path, COST, "CNY/m^3", year)
    assert isinstance(found, Price)
    assert (found.number, found.unit) == (Decimal(number), f"CNY_{year}/m^3")
    assert (found.ratio, found.states) == (Decimal(ratio), states)
    assert (found.value.number, found.value_unit) == (Decimal("6.1107"), "CNY_2005/m^3")
    assert found.index == ("" if year == 2005 else "construction")
    assert found.coefficient == "water.toml: cost"


def test_price_moves_back_by_its_index(tmp_path: Path) -> None:
    """A price of 2007 in the money of 2005: divided by 1.10 × 1.20 = 1.32."""
    text = COST.replace("CNY_2005", "CNY_2007").replace("6.1107", "13.2")
    found = price(tmp_path, text, "CNY/m^3", 2005)
    assert isinstance(found, Price)
    assert found.number == 10


def test_price_is_per_the_unit_asked_for(tmp_path: Path) -> None:
    found = price(tmp_path, COST, "CNY/km^2/mm", 2006)  # 1 km^2 mm is 1000 m^3
    assert isinstance(found, Price)
    assert (found.number, found.unit) == (Decimal("6721.77"), "CNY_2006/km^2/mm")


@pytest.mark.parametrize(
    ("year", "missing"), [(2008, 2008), (2009, 2008), (2004, 2005), (2060, 2008)]
)
def test_a_year_the_index_lacks_gives_no_price(tmp_path: Path, year: int, missing: int) -> None:
    """Missing, never unmoved: also where a later year is there again."""
    found = price(tmp_path, COST, "CNY/m^3", year)
    assert isinstance(found, Problem)
    assert (found.code, found.is_error) == ("W523", False)
    assert found.text() == (
        f"water.toml: cost: price index construction ends before {missing}; "
        f"money of {year} cannot be had"
    )
    assert found.text("zh") == (
        f"water.toml: cost：价格指数 construction 没有 {missing} 年；得不到 {year} 年价"
    )


def test_a_price_without_an_index_gives_no_price_of_another_year(tmp_path: Path) -> None:
    text = without(COST, "index")
    found = price(tmp_path, text, "CNY/m^3", 2006)
    assert isinstance(found, Problem)
    assert found.code == "W522"
    assert found.text() == (
        "water.toml: cost is in money of 2005, 2006 is asked for, and no index is named"
    )
    assert found.text("zh") == "water.toml: cost 为 2005 年价，要求 2006 年价，但未指定价格指数"
    assert isinstance(price(tmp_path, text, "CNY/m^3", 2005), Price)


def test_an_index_nobody_knows_is_no_index(tmp_path: Path) -> None:
    found = price(tmp_path, COST.replace('"construction"', '"nonsense"'), "CNY/m^3", 2006)
    assert isinstance(found, Problem)
    assert found.code == "W522"


def test_a_price_by_year_without_that_year_gives_no_price(tmp_path: Path) -> None:
    found = price(tmp_path, YEARS, "CNY/m^3", 2019)
    assert isinstance(found, Problem)
    assert found.code == "W521"
    assert found.text() == (
        "water.toml: cost: no value for 2019; what it prices has a quantity and no value"
    )
    assert (
        found.text("zh") == "water.toml: cost：没有 2019 年的数值；相应指标只有实物量，没有价值量"
    )


def test_a_price_by_year_is_money_of_that_very_year(tmp_path: Path) -> None:
    found = price(tmp_path, YEARS, "CNY/m^3", 2021)
    assert isinstance(found, Price)
    assert (found.number, found.unit, found.index) == (5, "CNY_2021/m^3", "")


def test_price_of_another_quantity_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnitError, match=r"water\.toml: cost: 'CNY_2006/m\^3'"):
        price(tmp_path, COST, "CNY/t", 2006)


def shipped_price(service: str, name: str, unit: str, year: int) -> Decimal:
    book, problems = load()
    assert problems == []
    found = book.coefficient(service, name)
    assert found
    made = book.price(found, unit, year)
    assert isinstance(made, Price)
    return made.number


def test_reservoir_cost_of_2010_by_hand() -> None:
    """LY/T 1721 prints 6.1107 CNY of 2005; the chain 2006 to 2010 is 101.5 103.9 108.9 97.6 103.6.

    1.015 × 1.039 = 1.054585; × 1.089 = 1.148443065; × 0.976 = 1.12088043144;
    × 1.036 = 1.16123212697184; × 6.1107 = 7.09594115828… The published account of 2010 uses 7.06.
    """
    number = shipped_price("water_retention", "reservoir_cost", "CNY/m^3", 2010)
    assert number == Decimal("7.09594115829")
    assert abs(number / Decimal("7.06") - 1) < Decimal("0.006")


def test_reservoir_cost_of_2011_by_hand() -> None:
    """One year more: × 1.066 = 7.564273274…"""
    number = shipped_price("water_retention", "reservoir_cost", "CNY/m^3", 2011)
    assert number == pytest.approx(
        Decimal("7.095941158287") * Decimal("1.066"), rel=Decimal("1e-11")
    )


def test_afforestation_cost_moved_to_2010_is_what_the_paper_uses() -> None:
    """1200 CNY of 2005 per t C × 12/44 = 327.27 per t CO2; × 1.161232 = 380.04; the paper: 380."""
    book, _ = load()
    found = book.services["prices"]["carbon_afforestation"][""]
    made = book.price(found, "CNY/tCO2", 2010)
    assert isinstance(made, Price)
    assert made.number == pytest.approx(Decimal("380.04"), abs=Decimal("0.005"))


def test_treatment_prices_of_the_tax_by_hand() -> None:
    """1.4 CNY per equivalent of water pollutants: / 0.8 kg and / 0.25 kg, per tonne."""
    assert shipped_price("soil_retention", "nitrogen_price", "CNY/t", 2021) == 1400 / Decimal("0.8")
    assert shipped_price("soil_retention", "phosphorus_price", "CNY/t", 2021) == 5600
    for year in (2018, 2060):
        assert shipped_price("soil_retention", "nitrogen_price", "CNY/kg", year) == Decimal("1.75")


def test_carbon_market_has_no_price_before_it_opened() -> None:
    book, _ = load()
    found = book.services["prices"]["carbon_market"][""]
    assert isinstance(book.price(found, "CNY/tCO2", 2021), Price)
    before = book.price(found, "CNY/tCO2", 2020)
    assert isinstance(before, Problem)
    assert before.code == "W521"


# ---- overrides


TAG = 'source = { key = "BOOK", where = "here" }\nstatus = "seen"\n'
OVERRIDE = """\
[share]
source = { key = "BOOK", where = "p. 7" }
status = "seen"
[share.values]
forest = 15
pond = { value = 1, status = "design", source = { key = "MINE", where = "here" } }
"""
MINE = '[MINE]\ncitation = "Ours"\nseen = true\n'


def overriding(tmp_path: Path, text: str, **files: str) -> tuple[Book, list[Problem]]:
    own = tmp_path / "own"
    own.mkdir()
    for name, content in files.items():
        (own / f"{name}.toml").write_text(content, "utf8")
    return read(tmp_path, text, own)


def test_folder_of_toml_replaces_single_numbers(tmp_path: Path) -> None:
    book, problems = overriding(tmp_path, SHARE, water=OVERRIDE, sources=MINE)
    assert problems == []
    share = book.services["water"]["share"][""]
    numbers = {keys[0]: value.number for keys, value in share.values.items()}
    assert numbers == {"forest": 15, "bamboo_forest": Decimal("7.5"), "lake": 0, "pond": 1}
    pond = share.values["pond",]
    assert (pond.status, pond.source, pond.where) == ("design", "MINE", "here")
    forest = share.values["forest",]
    assert (forest.status, forest.where) == ("seen", "p. 7")
    assert share.values["lake",].where != "p. 7", "what is not overridden keeps its own source"
    assert share.unit == "percent"
    assert {path.name for path in book.files} >= {"water.toml", "sources.toml"}


def test_the_files_of_an_override_are_named_with_the_others(tmp_path: Path) -> None:
    book, _ = overriding(tmp_path, SHARE, water=OVERRIDE, sources=MINE)
    assert tmp_path / "own" / "water.toml" in book.files
    assert tmp_path / "coefficients" / "water.toml" in book.files


def test_one_toml_file_names_the_file_first(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    sources = "[sources.MINE]\ncitation = 'x'\nseen = true\n"
    own.write_text(f"[water.cost]\nvalue = 9\n{TAG}{sources}", "utf8")
    book, problems = read(tmp_path, COST, own)
    assert problems == []
    assert book.services["water"]["cost"][""].values["",].number == 9
    assert "MINE" in book.sources


def test_override_of_one_set_leaves_the_other(tmp_path: Path) -> None:
    book, problems = overriding(tmp_path, SETS, water="[share.sets.b]\nvalue = 40\n" + TAG)
    assert problems == []
    sets = book.services["water"]["share"]
    assert [sets[name].values["",].number for name in ("a", "b")] == [Decimal("0.25"), 40]
    assert sets["b"].unit == "percent"


def test_override_of_an_index(tmp_path: Path) -> None:
    own = f"[construction]\n{TAG}[construction.values]\n2008 = 100\n"
    book, problems = overriding(tmp_path, COST, price_index=own)
    assert problems == []
    found = book.price(book.services["water"]["cost"][""], "CNY/m^3", 2009)
    assert isinstance(found, Price)
    assert found.number == Decimal("4.033062")  # 6.1107 × 1.1 × 1.2 × 1.0 × 0.5


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("watr", OVERRIDE, "watr.share"),
        ("water", "[cots]\nvalue = 1\n", "water.cots"),
        ("ecosystems", "[groups.sea]\ntitle = 1\n", "ecosystems.groups"),
    ],
)
def test_override_of_what_is_not_there(tmp_path: Path, name: str, text: str, said: str) -> None:
    _, problems = overriding(tmp_path, COST, **{name: text})
    assert [problem.text() for problem in problems] == [
        f"{name}.toml: an override of something that does not exist: {said}"
    ]
    assert problems[0].code == "E528"


def test_override_beside_sets_does_not_pass_unnoticed(tmp_path: Path) -> None:
    """`[share] value = 0.3` would be hidden by the sets: say so, do not ignore it."""
    _, problems = overriding(tmp_path, SETS, water="[share]\nvalue = 0.3\n" + TAG)
    assert [problem.text() for problem in problems] == [
        (
            "water.toml: share: an override of something that does not exist: "
            "value (there are the sets a, b)"
        )
    ]


def test_override_is_held_to_the_same_rules(tmp_path: Path) -> None:
    own = f"[share]\n{TAG}[share.values]\nforest = 101\npnod = 1\n"
    _, problems = overriding(tmp_path, SHARE, water=own)
    assert [problem.code for problem in problems] == ["E522", "E526"]


@pytest.mark.parametrize(
    ("own", "at", "missing"),
    [
        ("[share.values]\nforest = 15\n", "share.forest", "source, status"),
        ('[share]\nstatus = "seen"\n[share.values]\nlake = 1\n', "share.lake", "source"),
        (
            '[share.values]\nlake = { value = 1, source = { key = "BOOK", where = "x" } }\n',
            "share.lake",
            "status",
        ),
    ],
)
def test_override_brings_its_own_provenance(
    tmp_path: Path, own: str, at: str, missing: str
) -> None:
    """The new number must not pass for one that somebody found, or checked, for the old one."""
    _, problems = overriding(tmp_path, SHARE, water=own)
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E532", f"water.toml: {at}: an overriding number without {missing}")
    ]
    assert problems[0].text("zh") == f"water.toml: {at}：覆盖的数值没有 {missing}"


def test_override_of_a_constant_drops_the_old_verification(tmp_path: Path) -> None:
    old = COST + 'confidence = "high"\nverified_by = "A. B."\nnote = "old"\n'
    book, problems = overriding(tmp_path, old, water="[cost]\nvalue = 7\n" + TAG)
    assert problems == []
    value = book.services["water"]["cost"][""].values["",]
    assert (value.number, value.verified, value.confidence, value.note) == (7, "seen", "", "")


RANGE = "an override cannot set range", "覆盖不能设置 range"


@pytest.mark.parametrize(
    ("text", "own", "at", "more"),
    [
        (COST, f"[cost]\nrange = [-100, 100]\nvalue = -5\n{TAG}", "cost", ["E522"]),
        (COST, "[cost]\nrange = [0, 100]\n", "cost", []),
        (SETS, f"[share.sets.b]\nrange = [0, 900]\nvalue = 200\n{TAG}", "share.sets.b", ["E522"]),
        (SETS, f"[share.sets.c]\nrange = [0, 9]\nvalue = 2\n{TAG}", "share.sets.c", ["E522"]),
    ],
)
def test_override_may_not_touch_a_range(
    tmp_path: Path, text: str, own: str, at: str, more: list[str]
) -> None:
    _, problems = overriding(tmp_path, text, water=own)
    assert [problem.code for problem in problems] == ["E533", *more]
    assert problems[0].text() == f"water.toml: {at}: {RANGE[0]}"
    assert problems[0].text("zh") == f"water.toml: {at}：{RANGE[1]}"
    assert problems[0].fix()
    assert problems[0].fix("zh")


def test_a_new_index_brings_no_range(tmp_path: Path) -> None:
    own = INDEX.replace("construction", "own") + "2010 = 1.081\n"
    own = own.replace("[own]", "[own]\nrange = [0, 1000]")
    _, problems = overriding(tmp_path, COST, price_index=own)
    assert [problem.text() for problem in problems] == [
        f"price_index.toml: own: {RANGE[0]}",
        "price_index.toml: own.2010 = 1.081 is outside [50, 200]",
    ]


@pytest.mark.parametrize("number", ["1.081", "0", "-8.1", "200.1", "49.9"])
def test_an_index_that_is_no_chain_of_100_is_refused(tmp_path: Path, number: str) -> None:
    own = f"[construction]\n{TAG}[construction.values]\n2008 = {number}\n"
    _, problems = overriding(tmp_path, COST, price_index=own)
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E522", f"price_index.toml: construction.2008 = {number} is outside [50, 200]")
    ]
    assert problems[0].text("zh") == (
        f"price_index.toml: construction.2008 = {number} 超出范围 [50, 200]"
    )


@pytest.mark.parametrize(
    ("text", "own", "at", "keys"),
    [
        (COST, '[cost]\nunit = "CNY_2020/m^3"\n', "cost", "unit"),
        (
            COST,
            f'[cost]\nindex = "producer"\nholds = true\n{TAG}',
            "cost",
            "index, holds, source, status",
        ),
        (SHARE, '[share]\nby = "constant"\n', "share", "by"),
        (
            SHARE,
            f'[share]\nunit = "1"\n{TAG}[share.values]\nforest = 0.15\n',
            "share",
            "unit",
        ),
        (YEARS, f"[cost]\nholds = true\n{TAG}values = {{ 2019 = 5 }}\n", "cost", "holds"),
        (SETS, '[share]\nunit = "percent"\n', "share", "unit"),
        (SETS, '[share.sets.b]\nunit = "1"\n', "share.sets.b", "unit"),
    ],
)
def test_override_of_what_a_shipped_number_means(
    tmp_path: Path, text: str, own: str, at: str, keys: str
) -> None:
    _, problems = overriding(tmp_path, text, water=own)
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E534", f"water.toml: {at}: {keys} would change what the shipped numbers mean")
    ]
    assert problems[0].text("zh") == f"water.toml: {at}：{keys} 会改变原有数值的含义"
    assert problems[0].fix()
    assert problems[0].fix("zh")


def test_a_number_of_its_own_brings_its_meaning(tmp_path: Path) -> None:
    own = f'[cost]\nunit = "CNY_2008/m^3"\nindex = "construction"\nvalue = 8\n{TAG}'
    book, problems = overriding(tmp_path, COST, water=own)
    assert problems == []
    moved = book.price(book.services["water"]["cost"][""], "CNY/m^3", 2009)
    assert isinstance(moved, Price)
    assert moved.number == 4, "8 of 2008, and the index of 2009 is 50"


def test_a_new_set_brings_its_meaning(tmp_path: Path) -> None:
    own = f'[share]\ndefault = "c"\n[share.sets.c]\nunit = "percent"\nvalue = 1\n{TAG}'
    book, problems = overriding(tmp_path, SETS, water=own)
    assert problems == []
    found = book.coefficient("water", "share")
    assert found
    assert found.number("1")[0] == Decimal("0.01")  # type: ignore[index]


def test_one_number_for_all_takes_the_place_of_many(tmp_path: Path) -> None:
    book, problems = overriding(
        tmp_path, SHARE, water=f'[share]\nby = "constant"\nvalue = 3\n{TAG}'
    )
    assert problems == []
    share = book.services["water"]["share"][""]
    assert {keys: value.number for keys, value in share.values.items()} == {("",): 3}


def test_one_number_where_there_are_many_does_not_pass_unnoticed(tmp_path: Path) -> None:
    _, problems = overriding(tmp_path, SHARE, water=f"[share]\nvalue = 3\n{TAG}")
    assert [problem.text() for problem in problems] == [
        (
            "water.toml: share: an override of something that does not exist: "
            "value (by = ecosystem: values)"
        )
    ]


@pytest.mark.parametrize(
    ("unit", "number", "wrong"),
    [
        ("CNY_2010/m^3", "101", "101 is outside [0, 100]"),
        ("CNY_2010/（万m^3）", "1000000", ""),
        ("CNY_2010/（万m^3）", "1000001", "1000001 is outside [0, 1000000]"),
        ("万元/m^3", "0.02", "0.02 is outside [0, 0.01]"),
    ],
)
def test_another_unit_is_no_wider_range(tmp_path: Path, unit: str, number: str, wrong: str) -> None:
    own = f'[cost]\nunit = "{unit}"\nvalue = {number}\n{TAG}'
    _, problems = overriding(tmp_path, COST, water=own)
    said = [problem.text() for problem in problems if problem.code != "E525"]
    assert said == ([f"water.toml: cost = {wrong}"] if wrong else [])


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (f"[share]\n{TAG}sets = 5\n", "sets = 5: [sets] value = 5"),
        ("[share.sets]\na = true\n", "sets.a = True: [sets.a] value = True"),
    ],
)
def test_sets_that_are_no_tables(tmp_path: Path, own: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        overriding(tmp_path, SETS, water=own)
    (problem,) = caught.value.problems
    assert (problem.code, problem.text()) == ("E003", f"water.toml: share: {said}")


@pytest.mark.parametrize(
    ("name", "text"),
    [("own.csv", ""), ("own.csv", "\n\n"), ("own.toml", ""), ("own.toml", "[water]\n")]
    + [("own/notes.txt", "x"), ("own/own.dat", "x"), ("own/water.toml", "# nothing\n")]
    + [("own.csv", "file,name,set,key,value,unit,source,where,status\n,,,,,,,,\n")],
)
def test_overrides_that_say_nothing(tmp_path: Path, name: str, text: str) -> None:
    own = tmp_path / name
    own.parent.mkdir(exist_ok=True)
    own.write_text(text, "utf8")
    top = tmp_path / name.split("/")[0]
    _, problems = read(tmp_path, COST, top)
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E535", f"{top.name}: no overrides in it")
    ]
    assert problems[0].text("zh") == f"{top.name}：其中没有覆盖内容"
    assert problems[0].fix()
    assert problems[0].fix("zh")


def test_book_says_what_was_overridden(tmp_path: Path) -> None:
    own = f"[share.sets.b]\nvalue = 40\n{TAG}[cost]\nvalue = 7\n{TAG}"
    book, problems = overriding(tmp_path, SETS + COST, water=own)
    assert problems == []
    assert book.overridden == (("water", "share", "b"), ("water", "cost", ""))
    rows = "water.toml,share,b,,40,percent,BOOK,p,seen\nwater,cost,,,7,CNY_2005/m^3,BOOK,p,seen\n"
    assert from_csv(tmp_path, SETS + COST, rows)[0].overridden == book.overridden
    assert load()[0].overridden == ()


IDLE = [
    (
        "prices",
        "reservoir_cost",
        "annualised",
        "CNY_2005/m^3",
        "prices.toml: reservoir_cost.sets.lyt1721",
    ),
    ("water_retention", "clamp", "", "1", "clamp = 0"),
    ("prices", "reservoir_cost", "lyt1721", "CNY_2005/m^3", ""),
    ("prices", "oxygen_price", "lyt1721", "CNY_2005/tO2", ""),
]


@pytest.mark.parametrize(("file", "name", "chosen", "unit", "used"), IDLE)
def test_override_of_what_the_profile_does_not_use(
    tmp_path: Path, file: str, name: str, chosen: str, unit: str, used: str
) -> None:
    row = f"{file},{name},{chosen},,1,{unit},GEP,x,design\n"
    path = small.write(
        tmp_path, files={"own.csv": COLUMNS + row}, change={"coefficients.overrides": "own.csv"}
    )
    _, problems = plan.make(config.read(path), path.parent)
    assert [problem for problem in problems if problem.is_error] == []
    found = [problem for problem in problems if problem.code == "W525"]
    at = f"{file}.toml: {name}" + (f".sets.{chosen}" if chosen else "")
    wanted = [f"{at}: this override changes nothing: profile jiangxi-2021 uses {used}"]
    assert [problem.text() for problem in found] == (wanted if used else [])
    wanted = [f"{at}：这一覆盖不起作用：参数方案 jiangxi-2021 使用 {used}"]
    assert [problem.text("zh") for problem in found] == (wanted if used else [])
    assert all(problem.fix() and problem.fix("zh") for problem in found)


COLUMNS = "file,name,set,key,value,unit,source,where,status\n"


def from_csv(tmp_path: Path, text: str, rows: str, **how: Any) -> tuple[Book, list[Problem]]:
    own = tmp_path / "own.csv"
    own.write_text(COLUMNS + rows, **{"encoding": "utf8"} | how)
    return read(tmp_path, text, own)


@pytest.mark.parametrize("encoding", ["utf8", "utf-8-sig", "gb18030"])
def test_csv_replaces_numbers_with_their_provenance(tmp_path: Path, encoding: str) -> None:
    rows = "water,share,,forest,0.15,1,BOOK,第 9 页,design\n"
    rows += "water.toml,share,,pond,3,percent,BOOK,p. 9,seen\n"
    book, problems = from_csv(tmp_path, SHARE, rows, encoding=encoding)
    assert problems == []
    share = book.services["water"]["share"][""]
    assert share.values["forest",].number == 15, "0.15 is 15 percent, the unit of the file"
    assert share.values["forest",].status == "design"
    assert share.values["forest",].where == "第 9 页"
    assert share.values["pond",].number == 3
    assert share.values["lake",].number == 0, "what is not named stays"


def test_csv_converts_units_exactly(tmp_path: Path) -> None:
    rows = "water,cost,,,9000,CNY_2005/km^2/mm,BOOK,p. 9,seen\n"
    book, problems = from_csv(tmp_path, COST, rows)
    assert problems == []
    assert book.services["water"]["cost"][""].values["",].number == 9


def test_csv_price_of_another_year_brings_its_year(tmp_path: Path) -> None:
    book, problems = from_csv(tmp_path, COST, "water,cost,,,8,CNY_2008/m^3,BOOK,p. 9,seen\n")
    assert problems == []
    cost = book.services["water"]["cost"][""]
    assert (cost.unit, cost.values["",].number) == ("CNY_2008/m^3", 8)
    moved = book.price(cost, "CNY/m^3", 2009)
    assert isinstance(moved, Price)
    assert moved.number == 4, "8 of 2008, and the index of 2009 is 50"


def test_csv_replaces_a_set_in_the_unit_of_the_set(tmp_path: Path) -> None:
    book, problems = from_csv(tmp_path, SETS, "water,share,b,,0.4,1,BOOK,p. 9,seen\n")
    assert problems == []
    assert book.services["water"]["share"]["b"].values["",].number == 40
    assert book.services["water"]["share"]["a"].values["",].number == Decimal("0.25")


def test_csv_number_keeps_nothing_of_the_old_provenance(tmp_path: Path) -> None:
    old = COST + 'confidence = "high"\nverified_by = "A. B."\nnote = "old"\n'
    book, problems = from_csv(tmp_path, old, "water,cost,,,7,CNY_2005/m^3,BOOK,p. 9,recalled\n")
    assert problems == []
    value = book.services["water"]["cost"][""].values["",]
    assert (value.status, value.confidence, value.verified_by, value.note) == (
        "recalled",
        "",
        "",
        "",
    )
    assert value.verified == "recalled", "the old number was verified, this one was not"


ABSENT = "own.csv:2: an override of something that does not exist: "
CSV_WRONG = [
    ("watr,share,,forest,1,1,BOOK,p,seen", "E528", ABSENT + "watr"),
    ("water,shar,,forest,1,1,BOOK,p,seen", "E528", ABSENT + "shar"),
    ("water,share,x,forest,1,1,BOOK,p,seen", "E528", ABSENT + "sets"),
    (
        "water,share,,forest,abc,1,BOOK,p,seen",
        "E523",
        "own.csv:2 = abc is not a number",
    ),
    (
        "water,share,,forest,nan,percent,BOOK,p,seen",
        "E523",
        "water.toml: share.forest = NaN is not a number",
    ),
    (
        "water,share,,forest,2,1,BOOK,p,seen",
        "E522",
        "water.toml: share.forest = 200 is outside [0, 100]",
    ),
    (
        "water,share,,forest,1,mm,BOOK,p,seen",
        "E603",
        "own.csv:2: 'mm' is [length], but 'percent' (dimensionless) is needed",
    ),
    (
        "water,share,,forest,1,ton,BOOK,p,seen",
        "E531",
        "own.csv:2: unit 'ton': 'ton' is not used here; write t (tonne, 1000 kg)",
    ),
    (
        "water,share,,forest,1,1,NOBODY,p,seen",
        "E524",
        "water.toml: share.forest: source NOBODY is not in sources.toml",
    ),
    (
        "water,share,,forest,1,1,BOOK,p,",
        "E527",
        "water.toml: share.forest: status ; known: seen, derived, recalled, design",
    ),
    ("water,share,,,1,1,BOOK,p,seen", "E528", ABSENT + "key -"),
    (
        "water,share,,forest,1,,BOOK,p,seen",
        "E532",
        "own.csv:2: an overriding number without unit",
    ),
    ("sources,BOOK,,forest,1,1,BOOK,p,seen", "E528", ABSENT + "sources"),
    (
        "water,share,,forst,1,1,BOOK,p,seen",
        "E526",
        "water.toml: share.forst: forst is neither an ecosystem class nor a group",
    ),
]


@pytest.mark.parametrize(("row", "code", "said"), CSV_WRONG, ids=[w[2][:45] for w in CSV_WRONG])
def test_csv_that_is_wrong(tmp_path: Path, row: str, code: str, said: str) -> None:
    _, problems = from_csv(tmp_path, SHARE, row + "\n")
    assert [(problem.code, problem.text()) for problem in problems] == [(code, said)]


def test_csv_reports_all_rows_at_once(tmp_path: Path) -> None:
    rows = "\n".join(row for row, _, _ in CSV_WRONG if ",forest,1,1,BOOK" not in row)
    _, problems = from_csv(tmp_path, SHARE, rows)
    assert {p.code for p in problems} >= {"E523", "E603", "E531", "E526", "E505"}


def test_csv_row_that_stands_twice(tmp_path: Path) -> None:
    row = "water,share,,forest,1,1,BOOK,p,seen\n"
    _, problems = from_csv(tmp_path, SHARE, row + row)
    assert [problem.text() for problem in problems] == [
        "own.csv:3: water / share / forest stands in line 2 already"
    ]


def test_csv_row_that_stands_twice_under_two_names_of_the_file(tmp_path: Path) -> None:
    row = ",cost,,,7,CNY_2005/m^3,BOOK,p,seen\n"
    _, problems = from_csv(tmp_path, COST, f"water{row}\n water.toml {row}")
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E505", "own.csv:4: water / cost stands in line 2 already")
    ]
    assert problems[0].text("zh") == "own.csv:4：water / cost 在第 2 行已出现"


@pytest.mark.parametrize("column", COLUMNS.strip().split(","))
def test_csv_without_a_column(tmp_path: Path, column: str) -> None:
    names = [name for name in COLUMNS.strip().split(",") if name != column]
    own = tmp_path / "own.csv"
    own.write_text(",".join(names) + "\nwater,cost,,,7,CNY_2005/m^3,BOOK,p\n", "utf8")
    with pytest.raises(InputError) as caught:
        read(tmp_path, COST, own)
    (problem,) = caught.value.problems
    assert problem.code == "E502"
    assert problem.text() == f"own.csv: no column {column}; there are: {', '.join(names)}"
    assert problem.text("zh") == f"own.csv：没有列 {column}；现有：{', '.join(names)}"


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (COLUMNS.replace("where", "value"), "E508", "own.csv: columns that stand twice: value"),
        (COLUMNS + "water,cost,,,7,x,BOOK,p. 1, 2,seen\n", "E512", "own.csv:2: 10 cells"),
        (COLUMNS + 'water,cost,,,7,"x,BOOK,p,seen\n', "E511", "own.csv: not a CSV table"),
    ],
)
def test_csv_that_is_no_table(tmp_path: Path, text: str, code: str, said: str) -> None:
    own = tmp_path / "own.csv"
    own.write_text(text, "utf8")
    with pytest.raises(InputError) as caught:
        read(tmp_path, COST, own)
    problem = caught.value.problems[-1]
    assert (problem.code, problem.text()[: len(said)]) == (code, said)


def test_csv_key_of_a_constant_does_not_pass_unnoticed(tmp_path: Path) -> None:
    _, problems = from_csv(tmp_path, COST, "water,cost,,forest,7,CNY_2005/m^3,BOOK,p,seen\n")
    assert [problem.text() for problem in problems] == [f"{ABSENT}key forest"]


def test_csv_money_of_another_year_is_held_to_the_range(tmp_path: Path) -> None:
    """9e6 CNY per 10⁴ m³ are 900 per m³: the unit stays that of the file, its money moves."""
    row = "water,cost,,,9000000,CNY_2008/(万m^3),BOOK,p,seen\n"
    book, problems = from_csv(tmp_path, COST, row)
    assert [problem.text() for problem in problems] == [
        "water.toml: cost = 900.0000 is outside [0, 100]"
    ]
    assert book.services["water"]["cost"][""].unit == "CNY_2008/m^3"


def test_csv_of_an_index(tmp_path: Path) -> None:
    rows = "price_index,construction,,2008,100,1,BOOK,p,seen\n"
    book, problems = from_csv(tmp_path, COST, rows)
    assert problems == []
    assert book.indices["construction"].values["2008",].number == 100


@pytest.mark.parametrize("more", ["verified_by", "confidence,verified_by,note"])
def test_csv_number_may_say_who_verified_it(tmp_path: Path, more: str) -> None:
    tags = {"confidence": "high", "verified_by": '"A. B., 2026-01-01"', "note": "第 9 页"}
    row = "water,cost,,,7,CNY_2005/m^3,BOOK,p,seen," + ",".join(tags[k] for k in more.split(","))
    own = tmp_path / "own.csv"
    own.write_text(COLUMNS.replace("\n", f",{more}\n") + row + "\n", "utf8")
    book, problems = read(tmp_path, COST, own)
    assert problems == []
    value = book.services["water"]["cost"][""].values["",]
    assert (value.verified, value.verified_by) == ("yes", "A. B., 2026-01-01")
    said = (value.confidence, value.note)
    assert said == (("high", "第 9 页") if "note" in more else ("", ""))


def test_csv_number_nobody_verified_is_not(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    row = "water,cost,,,7,CNY_2005/m^3,BOOK,p,seen,\n"
    own.write_text(COLUMNS.replace("\n", ",verified_by\n") + row, "utf8")
    book, problems = read(tmp_path, COST, own)
    assert problems == []
    assert book.services["water"]["cost"][""].values["",].verified == "seen"


def test_csv_column_nobody_reads_is_refused(tmp_path: Path) -> None:
    """A misspelt verified_by would be dropped without a word."""
    own = tmp_path / "own.csv"
    row = "water,cost,,,7,CNY_2005/m^3,BOOK,p,seen,me,\n"
    own.write_text(COLUMNS.replace("\n", ",verifed_by,\n") + row, "utf8")
    with pytest.raises(InputError) as caught:
        read(tmp_path, COST, own)
    (problem,) = caught.value.problems
    allowed = "file, name, set, key, value, unit, source, where, status, confidence, verified_by"
    assert (problem.code, problem.text()) == (
        "E521",
        f"own.csv: unknown key verifed_by; allowed: {allowed}, note, description",
    )


def test_what_show_prints_can_be_read_back(tmp_path: Path) -> None:
    from gep.listing import NUMBER_COLUMNS

    cells = {"file": "water", "name": "cost", "value": "7", "unit": "CNY_2005/m^3"}
    cells |= {"source": "BOOK", "where": "p", "status": "seen", "description": "Cost"}
    own = tmp_path / "own.csv"
    row = ",".join(cells.get(column, "") for column in NUMBER_COLUMNS)
    own.write_text(",".join(NUMBER_COLUMNS) + "\n" + row + "\n", "utf8")
    book, problems = read(tmp_path, COST, own)
    assert problems == []
    assert book.services["water"]["cost"][""].values["",].number == 7


def in_folder(tmp_path: Path, **files: str) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    for name, text in files.items():
        stem, _, ending = name.partition("_")
        (own / f"{stem}.{ending}").write_text(text, "utf8")
    return own


COST_ROW = "water,cost,,,7,CNY_2005/m^3,BOOK,p,seen\n"
SHARE_ROW = "water,share,,forest,15,percent,BOOK,p,seen\n"


def test_csv_in_a_folder_is_read_beside_toml(tmp_path: Path) -> None:
    share = f"[share]\n{TAG}[share.values]\npond = 1\n"
    own = in_folder(tmp_path, water_toml=share, a_csv=COLUMNS + COST_ROW, b_csv=COLUMNS + SHARE_ROW)
    book, problems = read(tmp_path, SHARE + COST, own)
    assert problems == []
    numbers = book.services["water"]["share"][""].values
    assert (numbers["forest",].number, numbers["pond",].number) == (15, 1)
    assert book.services["water"]["cost"][""].values["",].number == 7
    assert {path.name for path in book.files} >= {"a.csv", "b.csv", "water.toml"}
    assert set(book.overridden) == {("water", "share", ""), ("water", "cost", "")}


@pytest.mark.parametrize(
    ("files", "at", "key", "other"),
    [
        (
            {"a_csv": COLUMNS + COST_ROW, "b_csv": COLUMNS + SHARE_ROW + COST_ROW},
            "b.csv:3",
            "water / cost",
            "a.csv",
        ),
        (
            {"a_csv": COLUMNS + COST_ROW, "water_toml": f"[cost]\nvalue = 8\n{TAG}"},
            "a.csv:2",
            "water / cost",
            "water.toml",
        ),
        (
            {
                "a_csv": COLUMNS + SHARE_ROW,
                "water_toml": f"[share]\n{TAG}[share.values]\nforest = 3\n",
            },
            "a.csv:2",
            "water / share / forest",
            "water.toml",
        ),
    ],
)
def test_two_files_that_replace_one_number_are_refused(
    tmp_path: Path, files: dict[str, str], at: str, key: str, other: str
) -> None:
    _, problems = read(tmp_path, SHARE + COST, in_folder(tmp_path, **files))
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E551", f"{at}: {key} is replaced in {other} already")
    ]
    assert problems[0].text("zh") == f"{at}：{key} 已在 {other} 中替换"


def test_a_workbook_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    own = in_folder(tmp_path, water_toml=f"[cost]\nvalue = 8\n{TAG}")
    (own / "prices.xlsx").write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(InputError) as caught:
        read(tmp_path, COST, own)
    assert all(p.code.startswith("E5") for p in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "own", "at", "keys"),
    [
        (COST, '[cost]\nstatus = "seen"\n', "cost", "status"),
        (COST, '[cost]\nverified_by = "A. B."\nnote = "ours"\n', "cost", "verified_by, note"),
        (SHARE, f"[share]\n{TAG}", "share", "source, status"),
        (SETS, '[share.sets.b]\nverified_by = "A. B."\n', "share.sets.b", "verified_by"),
        (SETS, f'[share]\nstatus = "seen"\n[share.sets.b]\nvalue = 1\n{TAG}', "share", "status"),
    ],
)
def test_nobody_verifies_a_number_without_stating_it(
    tmp_path: Path, text: str, own: str, at: str, keys: str
) -> None:
    """The number checked stands beside the name of who checked it: the shipped one may change."""
    book, problems = overriding(tmp_path, text, water=own)
    assert [(problem.code, problem.text()) for problem in problems] == [
        ("E534", f"water.toml: {at}: {keys} would change what the shipped numbers mean")
    ]
    states = {value.verified for _, _, value in book.values()}
    assert "yes" not in states


# ---- what ships


@pytest.fixture(scope="module")
def book() -> Book:
    found, problems = load()
    assert problems == []
    return found


FILES = sorted(SHIPPED.rglob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=[p.relative_to(SHIPPED).as_posix() for p in FILES])
def test_shipped_file_is_toml(path: Path) -> None:
    assert tomllib.loads(path.read_text("utf-8"))


def test_every_source_exists_and_every_source_is_used(book: Book) -> None:
    used = {value.source for _, _, value in book.values()}
    for path in (SHIPPED / "legends").glob("*.toml"):
        entry = tomllib.loads(path.read_text("utf-8"))
        used.add(entry["source"]["key"])
        assert entry["source"]["where"]
    assert used <= book.sources.keys()
    text = "\n".join(path.read_text("utf-8") for path in FILES if path.name != "sources.toml")
    assert [key for key in book.sources if key not in text] == [], "sources nobody names"
    for key, source in book.sources.items():
        assert source["citation"], key
        assert isinstance(source["seen"], bool), key


def test_every_number_says_how_it_was_had(book: Book) -> None:
    for coefficient, keys, value in book.values():
        at = (coefficient.at, keys)
        assert value.status in STATUSES, at
        assert value.where, at
        assert (value.status == "recalled") == bool(value.confidence), at
        assert value.confidence in ("", "high", "medium", "low"), at
        assert value.verified_by == "", "nobody has verified anything yet"


RETAGGED = [
    ("prices", "reservoir_cost", "annualised", "", "design"),
    ("prices", "nitrogen_price", "tax2018", "2018", "design"),
    ("prices", "ammonia_nitrogen_price", "tax2018", "2018", "derived"),
    ("prices", "phosphorus_price", "tax2018", "2018", "derived"),
    ("prices", "sulfur_dioxide_price", "tax2018", "2018", "recalled"),
    ("prices", "nitrogen_oxides_price", "tax2018", "2018", "recalled"),
    ("prices", "dust_price", "tax2018", "2018", "recalled"),
    ("prices", "dust_price", "tax2018_smoke", "2018", "recalled"),
    ("negative_oxygen_ions", "year_length", "", "", "recalled"),
]


@pytest.mark.parametrize(("file", "name", "chosen", "key", "status"), RETAGGED)
def test_what_is_worked_out_is_no_stronger_than_what_it_is_from(
    book: Book, file: str, name: str, chosen: str, key: str, status: str
) -> None:
    value = book.services[file][name][chosen].values[key,]
    assert value.status == status
    assert value.confidence == ("high" if status == "recalled" else "")


def test_derived_numbers_rest_on_nothing_remembered(book: Book) -> None:
    for coefficient, keys, value in book.values():
        if value.status == "derived":
            at = (coefficient.at, keys)
            assert book.sources[value.source]["seen"] is True, at
            assert not any(w in value.note.lower() for w in ("remember", "recall", "proxy")), at


def test_what_was_only_remembered_is_not_called_seen(book: Book) -> None:
    for coefficient, keys, value in book.values():
        if value.status == "seen":
            assert book.sources[value.source]["seen"] is True, (coefficient.at, keys)


def test_units_of_shipped_coefficients_parse_and_ranges_are_ranges(book: Book) -> None:
    for coefficient, _, _ in book.values():
        assert parse(coefficient.unit)
        low, high = coefficient.range
        assert low < high
        assert coefficient.title["en"]
        assert coefficient.title["zh"]
        assert coefficient.description


def test_indices_named_by_prices_exist(book: Book) -> None:
    named = {c.index for file in book.services.values() for s in file.values() for c in s.values()}
    for service in services().values():
        named |= {getattr(i, "index", "") for i in service.indicators}
    assert named - {""} == book.indices.keys()


def test_indices_are_chains_without_holes(book: Book) -> None:
    for index in book.indices.values():
        years = sorted(int(keys[0]) for keys in index.values)
        assert all(b - a == 1 for a, b in pairwise(years)), index.name
        assert years[0] == 2006, "from the first year after the prices of 2005"
        assert all(85 < value.number < 120 for value in index.values.values()), index.name


@pytest.mark.parametrize(
    ("index", "year", "number"),
    [
        # China statistical yearbook 2012, table 9-1
        ("fixed_asset_investment", "2006", "101.5"),
        ("fixed_asset_investment", "2008", "108.9"),
        ("fixed_asset_investment", "2009", "97.6"),
        ("fixed_asset_investment", "2011", "106.6"),
        ("producer_price", "2009", "94.6"),
        ("producer_price", "2010", "105.5"),
        # producer prices: -1.8, +8.1, +4.1, -3.0, -2.2 %
        ("producer_price", "2020", "98.2"),
        ("producer_price", "2021", "108.1"),
        ("producer_price", "2022", "104.1"),
        ("producer_price", "2023", "97.0"),
        ("producer_price", "2024", "97.8"),
    ],
)
def test_index_values(book: Book, index: str, year: str, number: str) -> None:
    assert book.indices[index].values[year,].number == Decimal(number)


COEFFICIENTS = [
    # HJ 1173-2021, docs/methods.md#water-retention: surface runoff, per cent as printed / 100
    ("water_retention", "runoff_coefficient", "evergreen_broadleaf_forest", "0.0267"),
    ("water_retention", "runoff_coefficient", "evergreen_needleleaf_forest", "0.0302"),
    ("water_retention", "runoff_coefficient", "mixed_forest", "0.0229"),
    ("water_retention", "runoff_coefficient", "tussock", "0.0937"),
    ("water_retention", "runoff_coefficient", "swamp", "0"),
    # 6.2
    ("soil_retention", "deposition_share", "", "0.24"),
    ("soil_retention", "bulk_density", "", "1.25"),
    ("soil_retention", "nitrogen_content", "", "1.52"),
    ("soil_retention", "phosphorus_content", "", "0.48"),
    # 6.8
    ("air_purification", "sulfur_dioxide_capacity", "evergreen_needleleaf_forest", "215.60"),
    ("air_purification", "sulfur_dioxide_capacity", "evergreen_broadleaf_forest", "88.65"),
    ("air_purification", "nitrogen_oxides_capacity", "mixed_forest", "6.0"),
    ("air_purification", "dust_capacity", "evergreen_needleleaf_forest", "33200"),
]


@pytest.mark.parametrize(("service", "name", "key", "number"), COEFFICIENTS)
def test_shipped_number(book: Book, service: str, name: str, key: str, number: str) -> None:
    found = book.coefficient(service, name)
    assert found
    value = found.find(ecosystem=key)
    assert value
    assert value.number == Decimal(number)


def test_unknown_classes_have_no_number(book: Book) -> None:
    runoff = book.coefficient("water_retention", "runoff_coefficient")
    capacity = book.coefficient("air_purification", "sulfur_dioxide_capacity")
    assert runoff
    assert capacity
    for key in ("built_up", "bare_land", "sand", "snow_ice"):
        assert runoff.find(ecosystem=key) is None
    for key in ("tussock", "paddy", "swamp", "sparse_forest"):
        assert capacity.find(ecosystem=key) is None


def test_oxygen_per_carbon_dioxide_is_that_of_the_molar_masses(book: Book) -> None:
    found = book.coefficient("oxygen_release", "oxygen_per_carbon_dioxide")
    assert found
    assert float(found.values["",].number) == pytest.approx(32 / 44, rel=1e-15)


def test_annualised_reservoir_cost_by_hand(book: Book) -> None:
    """Annuity of 6.1107 at 6 % over 50 years: 6.1107 × 0.06 / (1 − 1.06^−50) = 0.3877."""
    found = book.services["prices"]["reservoir_cost"]["annualised"].values["",].number
    assert float(found) == pytest.approx(6.1107 * 0.06 / (1 - 1.06**-50), abs=5e-5)


# ---- profiles


@pytest.mark.parametrize("name", profile.names())
def test_profile_speaks_only_of_what_exists(book: Book, name: str) -> None:
    found = profile.load(name)
    assert found.status == "provisional"
    assert found.title.zh
    assert found.choices.keys() == profile.catalogue().keys(), "says something of every service"
    for choice in found.choices.values():
        assert choice.counted in (True, False, "optional")
        for coefficient, chosen in choice.sets.items():
            assert book.coefficient(choice.service, coefficient, chosen), (
                choice.service,
                coefficient,
            )
        for price_name in choice.prices.values():
            assert price_name in book.services["prices"], price_name
        built = [s for (n, _), s in services().items() if n == choice.service]
        indicators = {i.name for s in built for i in s.indicators}
        if built:
            assert set(choice.prices) <= indicators
            assert set(choice.include) <= indicators
        for parameter, number in choice.parameters.items():
            coefficient_of = book.coefficient(choice.service, parameter)
            assert coefficient_of
            assert coefficient_of.by == ("constant",)
            assert coefficient_of.range[0] <= number <= coefficient_of.range[1]
    for pair in found.exclusive:
        assert set(pair) <= profile.catalogue().keys()


@pytest.mark.parametrize("name", profile.names())
def test_price_of_a_profile_fits_its_indicator(book: Book, name: str) -> None:
    for choice in profile.load(name).choices.values():
        service = services().get((choice.service, choice.method))
        if service is None or choice.counted is False:
            continue
        for i in service.indicators:
            if isinstance(i, Products) or not i.price:
                continue
            key = choice.prices.get(i.name, i.price[0])
            found = book.coefficient(choice.service, key, choice.sets.get(key, ""))
            assert found, key
            eligible = members(getattr(i, "ecosystems", ())) or (ecosystems()["mixed_forest"],)
            made = [book.price(found, i.price[1], 2021, ecosystem=e.key) for e in eligible]
            assert all(isinstance(price, Price) and price.number > 0 for price in made), key


def test_counted_services_of_jiangxi() -> None:
    choices = profile.load("jiangxi-2021").choices
    counted = {name for name, choice in choices.items() if choice.counted is True}
    assert counted >= {
        "water_retention",
        "soil_retention",
        "carbon_sequestration",
        "oxygen_release",
    }
    assert {"air_purification", "agricultural_products", "tourism"} <= counted
    assert choices["water_supply"].counted == "optional"
    assert profile.load("jiangxi-2021").exclusive == (("water_retention", "water_supply"),)


def test_heir_says_only_what_differs() -> None:
    base, heir = profile.load("jiangxi-2021").choices, profile.load("mee-2020").choices
    assert heir["water_retention"].sets["runoff_coefficient"] == "mee2020"
    assert heir["soil_retention"] == base["soil_retention"]
    assert heir["water_retention"].parameters == base["water_retention"].parameters


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        profile.load("hubei")
    known = ", ".join(profile.names())
    (problem,) = caught.value.problems
    assert problem.text() == f"no profile hubei; known: {known}"
    assert problem.text("zh") == f"没有参数方案 hubei；可用：{known}"


# ---- the vocabulary and the services


def test_catalogue_has_every_name_of_the_design() -> None:
    names = """agricultural_products forestry_products animal_husbandry_products fishery_products
        ecological_energy other_products water_supply water_retention soil_retention
        sandstorm_prevention coastal_protection flood_mitigation carbon_sequestration
        oxygen_release air_purification water_purification climate_regulation noise_reduction
        negative_oxygen_ions pest_control species_conservation tourism leisure landscape_premium"""
    assert list(profile.catalogue()) == names.split()
    groups_of = [entry.group for entry in profile.catalogue().values()]
    assert groups_of == ["provisioning"] * 7 + ["regulating"] * 14 + ["cultural"] * 3


def test_files_are_of_services_of_the_vocabulary_or_of_prepared_rasters(book: Book) -> None:
    rasters = {name for name, _ in preparations()}
    assert book.services.keys() - {"prices"} <= profile.catalogue().keys() | rasters
    assert rasters & profile.catalogue().keys() == set()


def test_every_coefficient_is_declared_and_every_declared_one_is_there(book: Book) -> None:
    prices = {
        (s.name, i.price[0])
        for s in services().values()
        for i in s.indicators
        if isinstance(i, Indicator | Derived) and i.price
    }
    declared = {(s.name, name) for s in services().values() for name in s.coefficients()}
    declared |= {(p.name, name) for p in preparations().values() for name in p.coefficients}
    on_file = {(f, name) for f, names in book.services.items() if f != "prices" for name in names}
    own_prices = {pair for pair in prices if pair in on_file}
    assert on_file == declared | own_prices
    assert {name for _, name in prices - own_prices} <= book.services["prices"].keys()


def test_layers_have_an_entry_for_what_is_read_and_no_other() -> None:
    read_by = {name for s in services().values() for name in (*s.rasters(), *s.weights())}
    for p in preparations().values():
        read_by |= {p.name, *p.rasters, *p.series}
    read_by |= {name for variant in variants() for name in variant.rasters()}
    assert read_by == variables().keys()


# ---- ecosystems and crosswalks


def test_classes_and_their_groups() -> None:
    codes = {e.code: e for e in ecosystems().values()}
    assert len(codes) == len(ecosystems()) == 34
    by_group = {11: "forest", 23: "shrubland", 34: "grassland", 47: "wetland", 55: "cropland"}
    by_group |= {62: "urban", 63: "urban", 71: "desert", 73: "desert", 81: "other", 82: "other"}
    for code, group in by_group.items():
        assert codes[code].group == group
    assert list(groups()) == [
        *("forest", "shrubland", "grassland", "wetland", "cropland", "urban", "desert", "other")
    ]
    assert not groups().keys() & ecosystems().keys()
    assert [e.index for e in ecosystems().values()] == list(range(34))
    assert all(math.floor(code / 10) in range(1, 9) for code in codes)


CROSSWALKS = {
    # docs/methods.md#ecosystems: code of the map → code of the class; None is "no data"
    "clcd": {1: 55, 2: 18, 3: 21, 4: 33, 5: 47, 6: 81, 7: 82, 8: 61, 9: 41, 0: None},
    "globeland30": {10: 55, 20: 18, 30: 33, 40: 21, 50: 41, 60: 47, 70: 33, 80: 61, 90: 82, 100: 81}
    | {255: None},
    "worldcover": {10: 18, 20: 21, 30: 33, 40: 55, 50: 61, 60: 82, 70: 81, 80: 47, 90: 41, 95: 41}
    | {100: 34},
    "glc_fcs30": {10: 52, 11: 52, 12: 53, 20: 51, 51: 11, 52: 11, 61: 12, 62: 12, 71: 13, 72: 13}
    | {81: 14, 82: 14, 91: 15, 92: 15, 120: 21, 121: 21, 122: 21, 130: 33, 140: 34, 150: 34}
    | {152: 23, 153: 34, 181: 41, 182: 41, 183: 46, 184: 41, 185: 41, 186: 41, 187: 46, 190: 61}
    | {200: 82, 201: 82, 202: 82, 210: 47, 220: 81, 0: None, 250: None},
    "cnlucd": {11: 51, 111: 51, 114: 51, 12: 52, 124: 52, 21: 18, 22: 21, 23: 17, 24: 53, 31: 33}
    | {32: 33, 33: 34, 41: 43, 42: 42, 43: 44, 44: 81, 45: 46, 46: 46, 51: 61, 52: 61, 53: 63}
    | {61: 71, 62: 71, 63: 73, 64: 41, 65: 82, 66: 82, 67: 82, 99: None, 0: None},
    "third_survey": {101: 51, 102: 52, 103: 52, 201: 53, 202: 54, 203: 53, 204: 54, 301: 18}
    | {302: 16, 303: 41, 304: 41, 305: 21, 306: 41, 307: 17, 401: 33, 402: 41, 403: 33, 404: 33}
    | {603: 46, 810: 62, 1101: 43, 1102: 42, 1103: 44, 1104: 45, 1105: 46, 1106: 46, 1107: 43}
    | {1108: 41, 1109: 63, 1110: 81, 1203: 52, 1204: 73, 1205: 71, 1206: 82, 1207: 82},
    "igbp": {0: 47, 17: 47, 1: 13, 2: 11, 3: 14, 4: 12, 5: 15, 6: 21, 7: 23, 8: 17, 9: 34, 10: 33}
    | {11: 41, 12: 55, 14: 55, 13: 61, 15: 81, 16: 82, 255: None},
    "gep": {11: 11, 16: 16, 34: 34, 46: 46, 55: 55, 62: 62, 73: 73, 82: 82, 255: None},
}


def test_every_legend_has_a_crosswalk_here() -> None:
    assert {path.stem for path in (SHIPPED / "legends").glob("*.toml")} == CROSSWALKS.keys()


@pytest.mark.parametrize(
    ("name", "code", "wanted"),
    [(name, *pair) for name, codes in CROSSWALKS.items() for pair in codes.items()],
)
def test_crosswalk(name: str, code: int, wanted: int | None) -> None:
    found = legend(name)
    if wanted is None:
        assert code in found.nodata
        assert code not in found.codes
    else:
        assert found.codes[code].code == wanted
        assert code not in found.nodata


@pytest.mark.parametrize(
    "code", [*range(701, 703), *range(801, 809), *range(1001, 1010), 1201, 1202]
)
def test_construction_of_the_survey_is_urban(code: int) -> None:
    """TD/T 1055-2019: 05xx to 10xx but 0603 and 0810, 1201, 1202 are construction: 61 or 63."""
    assert legend("third_survey").codes[code].code in (61, 63)


@pytest.mark.parametrize("name", CROSSWALKS)
def test_legend_knows_no_class_that_is_not_there_and_flags_what_is_odd(name: str) -> None:
    raw = tomllib.loads((SHIPPED / "legends" / f"{name}.toml").read_text("utf-8"))
    assert set(raw["codes"].values()) <= ecosystems().keys()
    assert set(raw.get("flags", {})) <= raw["codes"].keys()
    for said in raw["title"].values():
        assert said
    snow = [code for code, key in raw["codes"].items() if key == "snow_ice"]
    if name != "gep":
        assert set(snow) <= raw["flags"].keys(), "snow in Jiangxi is a fault of the map"


def test_gep_legend_is_the_identity() -> None:
    assert {code: e.code for code, e in legend("gep").codes.items()} == {
        e.code: e.code for e in ecosystems().values()
    }


def test_unknown_legend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        legend("corine", tmp_path)
    known = ", ".join(sorted(CROSSWALKS))
    assert str(caught.value) == f"no legend corine; known: {known}"


def test_own_legend_beside_the_configuration(tmp_path: Path) -> None:
    text = '[codes]\n1 = "paddy"\n-5 = "lake"\n'
    (tmp_path / "own.toml").write_text("nodata = [9]\n" + text.replace("-5", '"-5"'), "utf8")
    found = legend("own.toml", tmp_path)
    assert {code: e.key for code, e in found.codes.items()} == {1: "paddy", -5: "lake"}
    assert found.nodata == {9}


def test_own_legend_with_a_class_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[codes]\n1 = "rice"\n2 = "sea"\n3 = "lake"\n', "utf8")
    with pytest.raises(InputError) as caught:
        legend("own.toml", tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == "E009"
    assert problem.text() == "own.toml: not ecosystem classes: rice, sea"
    assert problem.text("zh") == "own.toml：不是生态系统类型：rice, sea"


def test_factor_between_printed_and_declared_units(book: Book) -> None:
    """g/kg, per cent and tonnes per tonne are one quantity; nobody converts by hand."""
    sets = book.services["soil_retention"]["nitrogen_content"]
    numbers = {name: c.number("1")[0] for name, c in sets.items()}  # type: ignore[index]
    assert numbers == {"jiangxi": Decimal("0.00152"), "garze2010": Decimal("0.0037")}
    assert factor("g/kg", "percent", "test") == 0.1


def test_messages_of_coefficients_are_json_safe(tmp_path: Path) -> None:
    """--json prints them: no field may break plain text."""
    for text, *_ in RULES:
        _, problems = read(tmp_path, text)
        assert json.loads(json.dumps([problem.text("zh") for problem in problems]))
