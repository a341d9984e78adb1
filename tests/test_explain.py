"""The audit answer: what was measured and what a formula gave, and only the numbers used."""

import json
from decimal import Decimal
from typing import Any

import pytest
import small

import gep
from gep.errors import InputError
from gep.explain import explain
from gep.outputs import csv
from gep.result import Result

EAST, WEST, SOUTH, CITY = "360101", "360102", "360103", "360100"
RESERVOIRS = """\
county_code,name,total_storage(m3),flood_storage(m3)
360101,甲,1000000,
360101,乙,,200000
360102,丙,5000000,1500000
360103,丁,2000000,
360103,戊,,
"""
"""The formula is 0.35 of the total storage: 350 000 in the first row, 700 000 in the fourth."""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("explain")
    return gep.open(small.write(folder, tables={"reservoirs": RESERVOIRS})).run(threads=1)


def reservoirs(result: Result, place: str, language: str = "en") -> str:
    """What is said of reservoirs: from their heading to the last line of them."""
    text = result.explain(place, "flood_mitigation", language)
    title = {"en": "- Flood water held back by reservoirs", "zh": "- 水库洪水调蓄量"}[language]
    lines = text.split(title + "\n")[1].splitlines()
    kept = [line for line in lines if not line.startswith(" ")]
    return "\n".join(lines[: lines.index(kept[0])])


def test_what_was_measured_stands_in_the_run(result: Result) -> None:
    items = result.manifest["core"]["items"]
    (item,) = [i for i in items if i["indicator"] == "reservoirs"]
    found = {
        place: {way: (rows, said and Decimal(said)) for way, (rows, said) in ways.items()}
        for place, ways in item["measured"].items()
    }
    assert found == {
        EAST: {"measured": (1, 200_000), "formula": (1, 350_000)},
        WEST: {"measured": (1, 1_500_000)},
        SOUTH: {"formula": (2, "")},
    }
    others = [i for i in items if i["indicator"] != "reservoirs"]
    assert not [i for i in others if "measured" in i]


def test_a_place_that_was_only_measured_names_no_formula_and_no_coefficient(
    result: Result,
) -> None:
    text = reservoirs(result, WEST)
    assert "    measured: 1 row, 1.500 million m³\n" in text
    assert "    table: reservoirs: flood_storage [m^3/year]  reservoirs.csv  sha256" in text
    for word in ("formula", "flood_share", "total_storage", "coefficients"):
        assert word not in text
    assert "price: " in text, "the price is used all the same"


def test_a_place_with_both_says_how_much_of_each(result: Result) -> None:
    text = reservoirs(result, EAST)
    assert "    measured: 1 row, 200,000 m³; by formula: 1 row, 350,000 m³\n" in text
    assert "    formula: C = 0.35 of the total storage" in text
    assert "flood_share" in text
    assert "total_storage [m^3/year], flood_storage [m^3/year]" in text
    assert "    实测：1 行，20.00 万 m³；按公式：1 行，35.00 万 m³\n" in reservoirs(
        result, EAST, "zh"
    )


def test_a_place_by_formula_alone_and_with_a_number_missing(result: Result) -> None:
    text = reservoirs(result, SOUTH)
    assert "    by formula: 2 rows, missing\n" in text
    assert "measured" not in text
    assert "flood_share" in text
    assert "flood_storage" not in text


def test_a_city_adds_its_counties_up(result: Result) -> None:
    text = reservoirs(result, CITY)
    assert "    measured: 2 rows, 1.700 million m³; by formula: 3 rows, missing\n" in text


def test_a_run_that_does_not_say_it_is_explained_as_before(result: Result) -> None:
    manifest: dict[str, Any] = json.loads(json.dumps(result.manifest))
    for item in manifest["core"]["items"]:
        item.pop("measured", None)
    rows = csv.decode(result.files()["accounts.csv"])
    text = explain(manifest, rows, WEST, "flood_mitigation", "en")
    assert "measured" not in text
    assert "flood_share" in text


def test_states_and_signs_in_chinese(result: Result) -> None:
    text = result.explain(WEST, "水源涵养", "zh")
    assert "；见过原文；未核实]" in text
    assert "；凭记忆，把握中等；未核实]" in text
    assert not [word for word in ("seen", "recalled", "medium", "not verified") if word in text]
    assert "（待核实的参数方案；部分核算：jiangxi-2021 " in text
    assert "生态系统：未归属 100.0%" in result.explain(WEST, "林业产品", "zh") + result.explain(
        EAST, "洪水调蓄", "zh"
    )


@pytest.mark.parametrize("word", ["", "[", "(", ".*", "{0}", "\\", "360101 "])
def test_a_word_that_is_no_place_and_no_service(word: str, result: Result) -> None:
    with pytest.raises(InputError) as raised:
        result.explain(word, "water_retention")
    assert [p.code for p in raised.value.problems] == ["E016"]
    with pytest.raises(InputError) as raised:
        result.explain(EAST, word)
    assert [p.code for p in raised.value.problems] == ["E015"]
    assert "现有：农业产品（agricultural_products）、" in raised.value.problems[0].text("zh")


# ---- the total


@pytest.mark.parametrize("word", ["total", "合计", "GEP", "总值"])
def test_the_total_of_a_place_is_the_sum_of_its_services(word: str, result: Result) -> None:
    rows = csv.decode(result.files()["accounts.csv"])
    values = [Decimal(r["value"]) for r in rows if r["county_code"] == WEST and r["value"]]
    text = result.explain(WEST, word)
    total = f"{round(sum(values) / 10000, 2):,.2f} 万元"
    assert text.splitlines()[0].endswith(f"    value {total}")
    assert text.startswith("西县 360102 · total (something is left out or missing: not GEP) · 2021")
    own = {r["service"] for r in rows if r["county_code"] == WEST and r["value"]}
    for service in own:
        money = sum(
            Decimal(r["value"])
            for r in rows
            if (r["county_code"], r["service"]) == (WEST, service) and r["value"]
        )
        assert f" {service}: {round(money / 10000, 2):,.2f} 万元" in text
    assert "not in this account: " in text


def test_the_total_of_all_places_is_that_of_the_county_table(result: Result) -> None:
    whole = result.counties.set_index("level").loc["province", "gep"]
    for word in ("total", "合计", "小账户"):
        text = result.explain(word, "合计", "zh")
        head = text.splitlines()[0]
        assert head.startswith("小账户 ")
        assert "合计（有未核算或缺失部分，不是 GEP）" in head
        assert head.endswith(f"价值量 {whole / 10000:,.2f} 万元")


def test_a_county_that_lacks_an_amount_says_which_service(result: Result) -> None:
    text = result.explain(SOUTH, "total", "zh")
    assert "有缺失的服务：洪水调蓄" in text
    assert "有缺失的服务" not in result.explain(WEST, "total", "zh")


def test_the_unallocated_rest_is_explained(tmp_path: Any) -> None:
    result = gep.open(small.write(tmp_path, hole=True)).run(threads=1)
    rows = csv.decode(result.files()["accounts.csv"])
    own = [r for r in rows if r["county_code"] == "unallocated" and r["value"]]
    money = sum(Decimal(r["value"]) for r in own)
    for word in ("unallocated", "未分配"):
        text = result.explain(word, "total", "zh")
        assert text.startswith("未分配 · ")
        assert f"价值量 {round(money / 10000, 2):,.2f} 万元" in text
        assert result.explain(word, "水源涵养", "zh").startswith("未分配 · 水源涵养 · 2021")


def test_words_of_formulas_and_names_of_inputs_in_chinese(result: Result) -> None:
    text = reservoirs(result, EAST, "zh")
    assert "公式：C = 0.35 × 总库容；白玛卓嘎 2017" in text
    assert "统计表：水库（reservoirs）：total_storage [m^3/year]" in text
    text = result.explain(EAST, "土壤保持", "zh")
    assert "由此推算：土壤保持量（soil_retention.soil_retention） × 泥沙淤积系数（" in text
    assert "公式：Q = Σ R K LS (1 - C P) A；" in text
