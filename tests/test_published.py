"""Published numbers through the public interface, each with its citation.

The cases lie beside the project (../shared/cases) and are read when the tests run; a case's own
`expected` and `tolerance` are what is held against ours. How each is computed stands in
tests/published, one module per source; docs/cases.md shows the outcome.
"""

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest
from published import case, garze
from published.case import Said
from published.register import ELSEWHERE, HELD, Held

import gep
from gep import coefficients
from gep.errors import InputError

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(
    not case.CASES.is_dir(), reason="../shared/cases is not beside the project"
)
held = pytest.mark.parametrize("held", HELD, ids=lambda held: held.name)


def test_every_case_is_held_or_said_not_to_be_ours() -> None:
    there = {path.stem for path in case.CASES.glob("*.json")}
    names = [held.name for held in HELD] + list(ELSEWHERE)
    assert sorted(names) == sorted(there)


@held
def test_the_numbers_are_those_published(held: Held) -> None:
    """Each within the tolerance of its case; what is not computed has a reason, and only that."""
    said = case.read(held.name)
    found = held.compute(said)
    assert case.apart(said, found) == []
    unheld = dict(held.unheld(said, found))
    assert "" not in unheld.values(), unheld
    assert set(unheld.values()) == set(held.apart.values()), "a reason nothing needs"
    assert len(found) + len(unheld) == said["n_checked"]
    assert found.keys() <= case.leaves(said["expected"]).keys()


@held
@pytest.mark.parametrize("percent", [1, 5])
def test_a_wrong_result_shows_where_the_case_says_so(held: Held, percent: int) -> None:
    """As many as the case says, but for those that are not held; 0 times anything is 0."""
    said = case.read(held.name)
    found = held.compute(said)
    shows = set(case.apart(said, found, 1 + percent / 100))
    printed = case.leaves(said["expected"])
    shows |= {name for name, ours in found.items() if 0 in (ours, printed[name])}
    wanted = round(said["detects"][f"+{percent}%"] * said["n_checked"])
    assert len(shows) >= wanted - (said["n_checked"] - len(found))


@held
def test_an_input_wrong_by_one_percent_shows(held: Held) -> None:
    """In one number at least; the inputs of which it does not are known, with the reason."""
    said = case.read(held.name)
    hidden = [
        name
        for name, inputs in case.raised(said["inputs"])
        if not re.search(held.unused, name)
        and not case.apart(said, held.compute(said | {"inputs": inputs}))
    ]
    strange = [name for name in hidden if not any(re.search(p, name) for p in held.blind)]
    assert strange == []
    assert all(any(re.search(p, name) for name in hidden) for p in held.blind)


def test_the_page_of_cases_is_fresh() -> None:
    spec = importlib.util.spec_from_file_location("cases", ROOT / "docs" / "cases.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.page() == module.PAGE.read_text("utf8"), "run: python docs/cases.py"


# ---- Garzé 2010


def garze_case(name: str) -> Said:
    return case.read(f"ganzi2010-{name}")


def test_garze_2010_every_row_of_quantity_times_price() -> None:
    """白玛卓嘎, 肖燚, 欧阳志云, 王莉雁. 甘孜藏族自治州生态系统生产总值核算研究. 生态学报 2017,
    37(19): 6302-6312, doi:10.5846/stxb201607011362, table 3: whose numbers the rows are.
    """
    inputs = garze_case("quantity-price-value")["inputs"]
    result = garze.priced(garze.quantity_rows(inputs), inputs, garze.SAND_COVER)
    money = result.rows[result.rows["indicator"] != "sand_fixed"]
    assert set(money["value_unit"]) == {"CNY_2010"}
    assert set(money["county_code"]) == {garze.PLACE["county_code"]}
    assert set(money["verified"]) == {"given"}, "numbers of the paper, not of ours"


def test_garze_2010_golden_numbers() -> None:
    """The same paper (S16 of coefficients/sources.toml), worked out by hand to 0.5 %."""
    inputs = garze_case("quantity-price-value")["inputs"]
    result = garze.priced(garze.quantity_rows(inputs), inputs, garze.SAND_COVER)
    value = result.rows.set_index(["service", "indicator"])["value"].astype(float) / 1e8
    by_hand = {
        ("water_retention", "water_retention"): 2269.71,
        ("soil_retention", "sediment"): 156.26,
        ("soil_retention", "nitrogen"): 125.82,
        ("soil_retention", "phosphorus"): 117.52,
        ("sandstorm_prevention", "sand_free_area"): 2.28,
        ("ecological_energy", "hydropower"): 50.5,
        ("climate_regulation", "vegetation"): 1483.52,
    }
    for key, wanted in by_hand.items():
        assert value[key] == pytest.approx(wanted, rel=0.005)
    climate = result.rows[result.rows["service"] == "climate_regulation"]
    assert climate["quantity"].astype(float).sum() / 1e8 == pytest.approx(4071.45, abs=0.005)
    assert climate["value"].astype(float).sum() / 1e8 == pytest.approx(2157.86, rel=1e-4)
    area = float(result.rows.set_index("indicator").loc["sand_free_area", "quantity"])
    assert area / 1e6 == pytest.approx(60.89, abs=0.005), "km2 of sand"


def test_garze_2010_total_from_rounded_quantities() -> None:
    """The same paper: from the rounded quantities GEP is 7548.95e8, 0.045 % off the printed one."""
    inputs = garze_case("quantity-price-value")["inputs"]
    rows = garze.quantity_rows(inputs)
    for row, (service, indicator) in garze.MONEY_ONLY.items():
        money = {"value": inputs["value_only_1e8yuan"][row], "value_unit": "亿元"}
        rows.append(garze.PLACE | {"service": service, "indicator": indicator} | money)
    result = garze.priced(rows, inputs, garze.SAND_COVER)
    total = float(result.counties.set_index("level").loc["county", "gep"])
    assert total / 1e8 == pytest.approx(7548.95, abs=0.005)
    assert total / 1e8 == pytest.approx(7545.59, rel=0.0005)


def test_garze_2010_province_is_its_only_county() -> None:
    """Table 3 and abstract again, read in the row of the whole; its code and name."""
    said = garze_case("totals-shares")
    assert garze.totals_shares(said, "province") == garze.totals_shares(said)
    result = gep.from_quantities(pd.DataFrame(garze.value_rows(said["inputs"])), price_year=2010)
    rows = result.counties.set_index("level")[["code", "name"]].apply(tuple, axis=1)
    assert rows.to_dict() == {
        "county": (garze.PLACE["county_code"], garze.PLACE["county_name"]),
        "province": ("510000", "total"),
    }


def test_garze_2010_totals_are_exact_sums() -> None:
    """The same table: the sum of its 28 printed values is 7545.5980, to the yuan."""
    inputs = garze_case("totals-shares")["inputs"]
    result = gep.from_quantities(pd.DataFrame(garze.value_rows(inputs)), price_year=2010)
    in_yuan = sum(round(v * 1e4) for v in inputs["row_values_1e8yuan"].values()) * 10_000
    assert in_yuan == 754_559_800_000
    province = result.counties.set_index("level").loc["province"]
    assert province["gep"] == in_yuan
    assert province["provisioning"] + province["regulating"] + province["cultural"] == in_yuan
    assert float(result.services["share"].sum()) == pytest.approx(1.0, abs=1e-12)


def test_garze_2010_margins_of_the_matrix_are_the_same_total() -> None:
    """Table 4: 88 cells by service and by class, each to the cent of the printed cells."""
    said = garze_case("class-by-service-matrix")
    found = garze.class_by_service(said)
    cells = sum(round(c * 1e3) for row in said["inputs"]["matrix_1e8yuan"].values() for c in row)
    for head in ("service_total.", "class_total."):
        margin = sum(number for name, number in found.items() if name.startswith(head))
        assert margin == pytest.approx(cells / 1e3, abs=1e-9)
    assert found["GEP"] == pytest.approx(cells / 1e3, abs=1e-9)


def test_garze_2010_soil_itself_is_no_money() -> None:
    inputs = garze_case("soil-sand-flood-chain")["inputs"]
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    row |= {"quantity": inputs["soil_retention_t"], "quantity_unit": "t"}
    rows = garze.priced([row], inputs, garze.SOIL).rows.set_index("indicator")
    assert rows["value"].isna().to_dict() == {
        "soil_retention": True,
        "sediment": False,
        "nitrogen": False,
        "phosphorus": False,
    }


def test_garze_2010_numbers_are_on_file() -> None:
    """The sets that reproduce the paper carry its numbers, sections 2.4, 3.2.2 and table 3."""
    said = garze_case("soil-sand-flood-chain")["inputs"]
    prices = garze_case("quantity-price-value")["inputs"]["unit_price_yuan"]
    book, _ = coefficients.load()
    on_file = {
        ("soil_retention", "bulk_density", "garze2010", "t/m^3"): said["bulk_density_t_m3"],
        ("soil_retention", "nitrogen_content", "garze2010", "1"): said["C_N"],
        ("soil_retention", "phosphorus_content", "garze2010", "1"): said["C_P"],
        ("soil_retention", "deposition_share", "", "1"): said["lambda"],
        ("sandstorm_prevention", "sand_density", "", "t/m^3"): said["sand_bulk_density"],
        ("sandstorm_prevention", "sand_cover_depth", "", "m"): said["cover_depth_m"],
        ("prices", "reservoir_cost", "garze2010", "CNY_2010/m^3"): prices["water_retention"],
        ("prices", "dredging_cost", "garze2010", "CNY_2010/m^3"): prices["soil_sediment"],
        ("prices", "oxygen_price", "garze2010", "CNY_2010/tO2"): prices["oxygen"],
        ("prices", "nitrogen_price", "charge2003", "CNY/t"): prices["soil_N"],
        ("prices", "phosphorus_price", "charge2003", "CNY/t"): prices["soil_P"],
        ("prices", "sulfur_dioxide_price", "charge2003", "CNY/t"): prices["air_SO2"],
        ("prices", "nitrogen_oxides_price", "charge2003", "CNY/t"): prices["air_NOx"],
        ("prices", "dust_price", "charge2003", "CNY/t"): prices["air_dust"],
    }
    for (file, name, chosen, unit), wanted in on_file.items():
        found = book.coefficient(file, name, chosen)
        assert found, name
        number = found.number(unit, year=2010)
        assert number, name
        assert float(number[0]) == pytest.approx(wanted, rel=1e-12), name


# ---- others


def test_jingdian_annuity_gives_the_annualised_price_on_file() -> None:
    """赵建林, 董志洋, 常兆丰. 基于生态服务价值机会成本的沙漠电灌工程生态补偿研究, equation 2 and
    table 5: A = P i (1 + i)^n / ((1 + i)^n - 1) at 10 %. The price of reservoir capacity per year
    (prices.toml) was worked out by it at 6 % and 50 years from 6.1107 CNY of 2005.
    """
    said = case.read("jingdian-annualised-cost")

    def annuity(amount: float, rate: float, years: float) -> float:
        grown = (1 + rate) ** years
        return amount * rate * grown / (grown - 1)

    rate = said["inputs"]["rate"]
    each = {
        name: annuity(amount, rate, years)
        for name, (amount, years) in said["inputs"]["investment_1e8_and_years"].items()
    }
    found = {f"annual_1e8.{name}": each[name] for name in said["expected"]["annual_1e8"]}
    found["total_1e8(text)"] = sum(each.values())
    assert case.apart(said, found) == []
    book, _ = coefficients.load()
    on_file = book.coefficient("prices", "reservoir_cost", "annualised")
    assert on_file
    number = on_file.number("CNY_2005/m^3", year=2005)
    assert number
    assert float(number[0]) == pytest.approx(annuity(6.1107, 0.06, 50), abs=5e-5)


def test_what_a_country_loses_is_refused_not_clipped() -> None:
    """NatCap TEEMs, nitrogen of KWT: -16.1e6 kg are kept back. 0 (IRL) is 0 and not missing."""
    said = case.read("natcap-global-gep-water-quality")
    rows = {row["iso3"]: row for row in said["inputs"]["rows"]}
    row = {"service": "water_purification", "indicator": "nitrogen", "quantity_unit": "kg"}
    row |= {"price": 1, "price_unit": "CNY_2019/kg"}
    with pytest.raises(InputError, match="is negative; only these may be: water_retention"):
        gep.from_quantities(
            pd.DataFrame([row | {"quantity": rows["KWT"]["n_total_kg"]}]), price_year=2019
        )
    zero = gep.from_quantities(
        pd.DataFrame([row | {"quantity": rows["IRL"]["n_total_kg"]}]), price_year=2019
    )
    assert str(zero.rows.loc[0, "value"]) == "0.00"
    assert zero.counties.iloc[-1]["gep"] == 0


def test_gaotianyan_digits_that_changed_places() -> None:
    """缪建群 et al. 2017 (S17): 1.52 kg of nitrogen per tonne are 4537.81 kg, printed 4573.81."""
    inputs = case.read("gaotianyan2014-soil-and-total")["inputs"]
    row = {"service": "soil_retention", "indicator": "soil_retention"}
    row |= {"quantity": inputs["soil_retention_t_hm2"], "quantity_unit": "t"}
    found = gep.from_quantities(
        pd.DataFrame([row]), price_year=2014, coefficients={"nitrogen_content": "1.52 kg/t"}
    )
    nitrogen = float(found.rows.set_index("indicator").loc["nitrogen", "quantity"]) * 1000
    assert nitrogen == pytest.approx(4537.81, abs=0.005)
