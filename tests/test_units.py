"""Units: what is accepted, what is refused and in which words, and factors worked out by hand."""

import math
from decimal import Decimal
from pathlib import Path

import pytest

from gep import units
from gep.config import ColumnSection, TableSection
from gep.errors import GepError, InputError, UnitError
from gep.statistics import Table, load
from gep.units import TRAPS, factor, is_money, of_year, parse, price_year, registry

# have, want, and how many of the second make one of the first
CONVERSIONS = [
    ("吨", "kg", 1000.0),
    ("万吨", "t", 1e4),
    ("公斤", "kg", 1.0),
    ("公顷", "m^2", 1e4),
    ("t/年", "t/year", 1.0),
    ("万人", "person", 1e4),
    ("千瓦时", "kWh", 1.0),
    ("立方米", "m^3", 1.0),
    ("1", "1", 1.0),
    ("", "1", 1.0),
    ("percent", "1", 0.01),
    ("%", "1", 0.01),
    ("％", "1", 0.01),
    # length, area, volume
    ("mm", "m", 0.001),
    ("cm", "m", 0.01),
    ("km", "m", 1000.0),
    ("m2", "m^2", 1.0),
    ("m²", "m**2", 1.0),
    ("㎡", "m^2", 1.0),
    ("km2", "km^2", 1.0),
    ("km²", "ha", 100.0),
    ("ha", "m^2", 10_000.0),
    ("hm2", "ha", 1.0),
    ("hm^2", "ha", 1.0),
    ("hm²", "ha", 1.0),
    ("亩", "m^2", 10_000 / 15),
    ("mu_of_land", "亩", 1.0),
    ("m3", "m^3", 1.0),
    ("m³", "m^3", 1.0),
    ("m３", "m^3", 1.0),
    ("mm * m^2", "m^3", 0.001),
    ("mm * ha", "m^3", 10.0),
    # multiples as Chinese tables print them
    ("万m3", "m^3", 1e4),
    ("万m³", "m^3", 1e4),
    ("亿m^3", "m^3", 1e8),
    ("亿 m³".replace(" ", ""), "m^3", 1e8),
    ("万亩", "hm2", 1e4 / 15),
    ("万hm²", "m^2", 1e8),
    ("万t", "kg", 1e7),
    ("亿kWh", "kWh", 1e8),
    ("万人次", "visit", 1e4),
    ("万元", "元", 1e4),
    ("亿元", "万元", 1e4),
    ("元/亩", "元/hm²", 15.0),
    ("万元/万m³", "元/m³", 1.0),
    ("亿元/万hm²", "元/m²", 1.0),
    # mass
    ("kg", "g", 1000.0),
    ("t", "kg", 1000.0),
    ("g/kg", "1", 0.001),
    ("kg/(ha*year)", "t/(km²·year)", 0.1),
    ("kg／（hm²·year）", "t/(ha*year)", 0.001),
    # energy, time
    ("kJ", "J", 1000.0),
    ("MJ", "kJ", 1000.0),
    ("kWh", "MJ", 3.6),
    ("h", "s", 3600.0),
    ("day", "h", 24.0),
    ("minute", "s", 60.0),
    ("day/year", "minute/year", 1440.0),
    ("ion*m/cm^3", "ion/m^2", 1e6),
    ("J", "kg·m²/s²", 1.0),
    ("MJ·mm/(hm²·h·year)", "MJ*mm/(ha*h*year)", 1.0),
    ("t·hm²·h/(hm²·MJ·mm)", "t*ha*h/(ha*MJ*mm)", 1.0),
    # the US unit of erodibility is not known, its factor 0.1317 is: t ha h/(ha MJ mm)
    ("0.1317 * t*ha*h/(ha*MJ*mm)", "t*ha*h/(ha*MJ*mm)", 0.1317),
    ("0.1 * mm/year", "mm/year", 0.1),
    # people
    ("人次", "visit", 1.0),
    ("person", "person", 1.0),
    ("degC", "degC", 1.0),
    # substances
    ("gC", "kgC", 0.001),
    ("tC", "kgC", 1000.0),
    ("kgCO2", "tCO2", 0.001),
    ("tC", "tCO2", 44 / 12),
    ("tCO2", "tC", 12 / 44),
    ("gC/m^2 * ha", "tCO2", 1e4 * 1e-6 * 44 / 12),
    ("gC/(m^2*year) * km^2", "tCO2/year", 1e6 * 1e-6 * 44 / 12),
    ("CNY_2005/tC", "CNY_2005/tCO2", 12 / 44),
    ("tO2", "tO2", 1.0),
    # words of Chinese tables that mean one thing
    ("毫米", "mm", 1.0),
    ("毫米/年", "mm/year", 1.0),
    ("厘米", "mm", 10.0),
    ("米", "m", 1.0),
    ("千米", "km", 1.0),
    ("公里", "m", 1000.0),
    ("平方米", "m^2", 1.0),
    ("平方千米", "平方公里", 1.0),
    ("千公顷", "km^2", 10.0),
    ("千元", "元", 1000.0),
    ("百万元", "万元", 100.0),
    ("千万千瓦时", "万kWh", 1000.0),
    ("千克", "kg", 1.0),
    ("克", "g", 1.0),
    ("℃", "degC", 1.0),
    ("°C", "degC", 1.0),
    ("摄氏度", "℃", 1.0),
    ("度", "kWh", 1.0),
    ("小时", "h", 1.0),
    ("分钟", "s", 60.0),
    ("天", "day", 1.0),
    ("日/年", "day/year", 1.0),
    ("个/cm³", "ion/cm^3", 1.0),
    ("万头", "头", 1e4),
    ("亿株", "万棵", 1e4),
    ("万根", "枝", 1e4),
    ("元/只", "元/万只", 1e4),
    ("兆焦", "MJ", 1.0),
    ("千帕", "kPa", 1.0),
]

REFUSED_PAIRS = [
    ("day/year", "1", "[time] / [accounting_year]", "dimensionless"),
    ("year", "day", "[accounting_year]", "[time]"),
    ("h/year", "percent", "[time] / [accounting_year]", "dimensionless"),
    ("CNY_2015", "CNY_2020", "[money_of_2015]", "[money_of_2020]"),
    ("CNY", "CNY_2020", "[money]", "[money_of_2020]"),
    ("万元", "CNY_2020", "[money]", "[money_of_2020]"),
    ("tC", "t", "[carbon]", "[mass]"),
    ("tO2", "tCO2", "[oxygen]", "[carbon]"),
    ("person", "visit", "[people]", "[visits]"),
    ("ion/cm^3", "1/cm^3", "[ions] / [length] ** 3", "1 / [length] ** 3"),
    ("mm", "m^3", "[length]", "[length] ** 3"),
    ("t/(ha*year)", "t/ha", "[mass] / [length] ** 2 / [accounting_year]", "[mass] / [length] ** 2"),
    ("degC", "1", "[temperature]", "dimensionless"),
]
WORDS = {
    "[time] / [accounting_year]": "时间 / 核算年",
    "[accounting_year]": "核算年",
    "dimensionless": "无量纲",
    "[time]": "时间",
    "[money_of_2015]": "2015 年的金额",
    "[money_of_2020]": "2020 年的金额",
    "[money]": "金额",
    "[carbon]": "碳",
    "[mass]": "质量",
    "[oxygen]": "氧",
    "[people]": "人数",
    "[visits]": "人次",
    "[ions] / [length] ** 3": "个数 / 长度 ** 3",
    "1 / [length] ** 3": "1 / 长度 ** 3",
    "[length]": "长度",
    "[length] ** 3": "长度 ** 3",
    "[mass] / [length] ** 2 / [accounting_year]": "质量 / 长度 ** 2 / 核算年",
    "[mass] / [length] ** 2": "质量 / 长度 ** 2",
    "[temperature]": "温度",
}
"""Dimensions as Chinese messages name them."""

WRITE_INSTEAD = {
    "ton": "t (tonne, 1000 kg)",
    "kt": "1000 * t",
    "Mt": "1e6 * t",
    "mu": "亩 (= ha / 15)",
    "a": "year",
    "yr": "year",
    "CO2": "tCO2 or kgCO2 (carbon dioxide is a substance)",
    "Mg": "t",
    "斤": "0.5 * kg",
    "RMB": "CNY_<year>, for example CNY_2020",
    "yuan": "CNY_<year>, for example CNY_2020",
}

UNKNOWN = [
    *("furlong", "KM", "Ha", "hour2", "ms", "mmm", "CNY_1989", "CNY_2061", "CNY_2020元"),
    *("万", "亿", "担", "千", "百万", "m^", "t/(ha*year", "t//ha", "kg·m-2x", "?", "meter meter)"),
    *("nan", "0", "-1", "-t", "inf", "1e400 * t"),
    # arithmetic is no unit, nor is what one would have to guess at
    *(
        "t;kg",
        "t*0.5 + t",
        "t - kg",
        "元/t 2",
        "mm/year;",
        "t*0.5",
        "t/2",
        "2t",
        "t 2",
        "元/1000m3",
    ),
    *(
        "mm year",
        "t(ha)",
        "9**9",
        "10^4*t",
        "m^10",
        "m^99",
        "m^2.25",
        "m^^2",
        "m^",
        "*t",
        "()",
        "m②",
    ),
    *("9**9**9**9 mm/year", "m**9**9**9", "__import__(1)", "t.kg", "t,kg", "t'", "m*" * 100 + "m"),
]


@pytest.mark.parametrize(("have", "want", "times"), CONVERSIONS)
def test_spelling_is_accepted_and_worth_what_it_says(have: str, want: str, times: float) -> None:
    assert factor(have, want, "test") == pytest.approx(times, rel=1e-14)
    assert factor(want, have, "test") == pytest.approx(1 / times, rel=1e-14)


@pytest.mark.parametrize("year", [1990, 2005, 2021, 2060])
def test_money_of_every_year_is_known(year: int) -> None:
    assert factor(f"万CNY_{year}", f"CNY_{year}", "test") == 1e4


@pytest.mark.parametrize(("name", "write"), TRAPS.items(), ids=list(TRAPS))
def test_trap_is_refused_with_what_to_write(name: str, write: str) -> None:
    text = f"m * {name} / ha"
    with pytest.raises(UnitError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    assert problem.code == "E602"
    assert problem.text() == f"unit '{text}': '{name}' is not used here; write {write}"
    assert problem.text("zh") == f"单位“{text}”：此处不用“{name}”；请写 {write}"


@pytest.mark.parametrize(("name", "write"), WRITE_INSTEAD.items(), ids=list(WRITE_INSTEAD))
def test_traps_that_fooled_somebody_stay_traps(name: str, write: str) -> None:
    assert TRAPS[name] == write


@pytest.mark.parametrize("name", TRAPS)
def test_what_to_write_instead_is_accepted(name: str) -> None:
    write = TRAPS[name].replace("CNY_<year>", "CNY_2020").partition(" (")[0].partition(",")[0]
    for unit in write.partition(" for ")[0].split(" or "):
        assert parse(unit)


@pytest.mark.parametrize("text", UNKNOWN)
def test_unknown_unit_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text)
    (problem,) = caught.value.problems
    known = "mm, m^2, ha, 亩, m^3, kg, t, tCO2, CNY_2020, year"
    assert problem.code == "E601"
    assert problem.text() == f"unit '{text}' is not known; write, for example: {known}"
    assert problem.text("zh") == f"不认识的单位“{text}”；可以这样写：{known}"
    assert problem.fix() == "combine known units with *, / and ^, as in t/(ha*year)"
    assert problem.fix("zh") == "用 *、/、^ 组合已知单位，如 t/(ha*year)"


@pytest.mark.parametrize(("have", "want", "have_is", "want_is"), REFUSED_PAIRS)
def test_what_does_not_convert_says_why(have: str, want: str, have_is: str, want_is: str) -> None:
    with pytest.raises(UnitError) as caught:
        factor(have, want, "rain")
    (problem,) = caught.value.problems
    assert problem.code == "E603"
    assert problem.text() == f"rain: '{have}' is {have_is}, but '{want}' ({want_is}) is needed"
    said = f"rain：“{have}”是{WORDS[have_is]}，需要“{want}”（{WORDS[want_is]}）"
    assert problem.text("zh") == said
    assert str(caught.value) == problem.text()


def test_the_examples_of_the_message_are_units() -> None:
    for unit in ("mm", "m^2", "ha", "亩", "m^3", "kg", "t", "tCO2", "CNY_2020", "year"):
        assert parse(unit)


def test_unit_error_is_an_error_of_input() -> None:
    assert issubclass(UnitError, GepError)
    assert issubclass(UnitError, ValueError)
    assert UnitError.exit_code == 3


def test_money_of_one_year_is_money_of_that_year_only() -> None:
    years = range(units.FIRST_YEAR, units.LAST_YEAR + 1)
    dimensions = {str(registry()(f"CNY_{year}").dimensionality) for year in years}
    assert len(dimensions) == len(years)


@pytest.mark.parametrize(
    ("text", "year"),
    [
        *(("CNY_2015/m^3", 2015), ("万CNY_2005", 2005), ("CNY/m^3", None), ("元", None)),
        *(("t/year", None), ("CNY_20155", None)),
    ],
)
def test_price_year(text: str, year: int | None) -> None:
    assert price_year(text) == year


@pytest.mark.parametrize(
    ("text", "money"),
    [("元", True), ("亿元/km2", True), ("万CNY", True), ("CNY_2020/t", True), ("t", False)],
)
def test_is_money(text: str, money: bool) -> None:
    assert is_money(text) is money


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("CNY/m^3", "CNY_2021/m^3"),
        ("CNY_2005/m^3", "CNY_2021/m^3"),
        ("万元/亩", "万CNY_2021/亩"),
        ("t", "t"),
    ],
)
def test_of_year(text: str, moved: str) -> None:
    assert of_year(text, 2021) == moved


@pytest.mark.parametrize("power", range(-12, 13))
def test_factors_of_powers_of_ten_are_clean(power: int) -> None:
    """The factor goes into exact decimals by its shortest text, so it must have no noise."""
    exact = float(f"1e{power}")
    assert factor(f"1e{power} * t/year", "t/year", "test") == exact
    assert factor("mm/year * m^2", "m^3/year", "test") == 0.001
    assert factor("kg/(ha*year) * m^2", "t/year", "test") == 1e-7
    assert factor("t/(ha*year) * m^2", "t/year", "test") == 1e-4


def test_carbon_to_carbon_dioxide_by_hand() -> None:
    """One mole of carbon, 12 g, is one mole of carbon dioxide, 44 g."""
    assert factor("gC/(m^2*year) * m^2", "tCO2/year", "test") == pytest.approx(
        44e-6 / 12, rel=1e-15
    )
    assert math.isclose(220 * factor("gC/m^2 * km^2", "tCO2", "test"), 806.6666666666667)


# ---- statistics tables: amounts are those of the table's year


def table(tmp_path: Path, header: str, cell: str, **columns: ColumnSection) -> Table:
    (tmp_path / "t.csv").write_text(f"county_code,{header}\n360101,{cell}\n", "utf8")
    return load("energy", TableSection(file="t.csv", columns=columns), tmp_path, 2021)


@pytest.mark.parametrize(
    ("header", "cell", "want", "number"),
    [
        ("x(t)", "12.5", "t/year", "12.5"),
        ("x（万t）", "1.25", "t/year", "12500"),
        ("x[kg]", "7", "t/year", "0.007"),
        ("x (t/year)", "3", "t/year", "3"),
        ("x（万m³）", "2", "m^3/year", "20000"),
        ("x（亿kWh）", "0.5", "kWh/year", "50000000"),
        ("x（万元）", "1.5", "CNY_2021", "15000"),
        ("x(1)", "12%", "1", "0.12"),
        ("x(%)", "12", "1", "0.12"),
        ("x（人次）", "1,234", "visit/year", "1234"),
    ],
)
def test_number_of_a_table(tmp_path: Path, header: str, cell: str, want: str, number: str) -> None:
    quoted = f'"{cell}"'
    found = table(tmp_path, header, quoted)
    value = found.number(found.rows[0], "x", want)
    assert value == pytest.approx(Decimal(number), rel=Decimal("1e-15"))


def test_unit_of_the_configuration_wins_over_the_header(tmp_path: Path) -> None:
    found = table(tmp_path, "x(t)", "2", x=ColumnSection(unit="kg"))
    assert found.number(found.rows[0], "x", "t/year") == Decimal("0.002")


def test_column_under_another_name(tmp_path: Path) -> None:
    renamed = ColumnSection(column="二氧化硫排放量")
    found = table(tmp_path, "二氧化硫排放量（吨）".replace("吨", "t"), "2", so2=renamed)
    assert found.number(found.rows[0], "so2", "t/year") == 2


def test_column_without_a_unit_is_refused(tmp_path: Path) -> None:
    found = table(tmp_path, "x", "2")
    with pytest.raises(InputError) as caught:
        found.number(found.rows[0], "x", "t/year")
    (problem,) = caught.value.problems
    assert problem.code == "E503"
    assert problem.text() == "t.csv: x: column x states no unit; possible: t, 万t, kg"
    assert problem.text("zh") == "t.csv: x：列 x 没有单位；可能是：t、万t、kg"
    assert problem.fix() == (
        "write the unit the numbers are in into the header, as in x(t) or x(万t) or x(kg), "
        "or in gep.toml: columns.x.unit"
    )
    assert problem.fix("zh") == (
        "在表头写明数字实际所用的单位，如 x(t) 或 x(万t) 或 x(kg)；或在 gep.toml 写 columns.x.unit"
    )


@pytest.mark.parametrize(
    ("unit", "known"),
    [
        ("CNY", "元、万元、亿元"),
        ("CNY_2021", "元、万元、亿元"),
        ("person", "人、万人"),
        ("visit/year", "人次、万人次"),
        ("m^3/year", "m3、万m3、亿m3"),
        ("km^2", "km2、ha、亩"),
        ("kWh/year", "kWh、万kWh、亿kWh"),
        ("CNY/visit", "元/人次"),
        ("day/visit", "day/visit"),
    ],
)
def test_units_the_numbers_of_a_column_may_be_in(unit: str, known: str) -> None:
    assert "、".join(units.candidates(unit)) == known


def test_an_unknown_unit_of_a_layer_names_the_layer(tmp_path: Path) -> None:
    with pytest.raises(UnitError) as caught:
        factor("mm/week", "mm/year", "rasters.precipitation.unit")
    known = "mm, m^2, ha, 亩, m^3, kg, t, tCO2, CNY_2020, year"
    said = caught.value.problems[0]
    assert said.text() == (
        f"rasters.precipitation.unit: unit 'mm/week' is not known; write, for example: {known}"
    )
    assert said.text("zh") == (
        f"rasters.precipitation.unit：不认识的单位“mm/week”；可以这样写：{known}"
    )


def test_an_unknown_unit_of_a_header_is_quoted_as_it_stands(tmp_path: Path) -> None:
    found = table(tmp_path, "x(万担)", "2")
    with pytest.raises(UnitError) as caught:
        found.number(found.rows[0], "x", "t/year")
    (problem,) = caught.value.problems
    assert problem.text().startswith("t.csv:1 x: unit '万担' is not known; write, for example: ")


@pytest.mark.parametrize("header", ["x(%)", "x(t)"])
def test_per_cent_in_a_cell_is_refused_where_the_column_has_a_unit(
    tmp_path: Path, header: str
) -> None:
    """12 % in a column of per cent could be 0.12 or 0.0012; 12 % of a tonne is nothing."""
    found = table(tmp_path, header, "12%")
    with pytest.raises(InputError) as caught:
        found.number(found.rows[0], "x", "1")
    assert str(caught.value) == "t.csv:2 x: not a number: 12%"


def test_yearly_amount_is_not_a_stock(tmp_path: Path) -> None:
    """`t` serves where `t/year` is needed; `t/year` does not serve where `t` is."""
    found = table(tmp_path, "x(t/year)", "2")
    with pytest.raises(UnitError, match="t/year"):
        found.number(found.rows[0], "x", "t")


def test_unit_of_another_quantity_is_refused_with_the_place(tmp_path: Path) -> None:
    found = table(tmp_path, "x(m3)", "2")
    with pytest.raises(UnitError) as caught:
        found.number(found.rows[0], "x", "t/year")
    assert caught.value.problems[0].text() == (
        "t.csv:1 x: 'm3' is [length] ** 3, but 't' ([mass]) is needed"
    )
    said = "t.csv:1 x：“m3”是长度 ** 3，需要“t”（质量）"
    assert caught.value.problems[0].text("zh") == said


def test_a_unit_of_gep_toml_is_refused_there(tmp_path: Path) -> None:
    found = table(tmp_path, "x(t)", "2", x=ColumnSection(unit="m3"))
    with pytest.raises(UnitError) as caught:
        found.number(found.rows[0], "x", "t/year")
    said = caught.value.problems[0].text()
    assert said == "statistics.energy.columns.x: 'm3' is [length] ** 3, but 't' ([mass]) is needed"
