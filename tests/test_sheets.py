"""Department tables as workbooks: what a simple xlsx gives, and what every other file is told.

Workbooks are written with openpyxl; what no program writes is patched into their XML by hand.
"""

import csv
import datetime
import io
import re
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click.testing
import openpyxl
import openpyxl.cell.rich_text
import openpyxl.cell.text
import openpyxl.chart
import pytest
import small
from hypothesis import given
from hypothesis import strategies as st

from gep import sheets, statistics
from gep.cli import main
from gep.config import TableSection
from gep.errors import InputError
from gep.layers import UNKNOWN, records, variables
from gep.service import Indicator, Products, services
from gep.template import COMPARISONS, write
from gep.text import parse_number

HEADER = ["county_code", "so2(t)", "nox(t)"]
ROWS = [HEADER, [360101, 5, 100], [360102, 1000, 0.25], [360103, 12.5, 1000]]
SHEET1 = "xl/worksheets/sheet1.xml"


def workbook(folder: Path, rows: list[list[Any]], change: Any = None, name: str = "t.xlsx") -> Path:
    """Workbook of one sheet `2021`; *change* may alter the sheet before it is saved."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "2021"
    for row in rows:
        sheet.append(row)
    if change:
        change(sheet)
    path = folder / name
    book.save(path)
    return path


def patched(path: Path, part: str, change: Callable[[str], str]) -> Path:
    """Rewrite one part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    text = parts[part].decode("utf8")
    made = change(text)
    assert made != text
    parts[part] = made.encode("utf8")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def load(path: Path, sheet: str | None = None, **columns: Any) -> statistics.Table:
    section = TableSection.model_validate({"file": path.name, "sheet": sheet, "columns": columns})
    return statistics.load("emissions", section, path.parent, 2021)


def cells(table: statistics.Table) -> list[tuple[Any, ...]]:
    return [(row.line, row.county, *list(row.cells.values())[1:]) for row in table.rows]


def refused(path: Path, sheet: str | None = None) -> list[tuple[str, str, str]]:
    """Code, English and Chinese of every problem, the folder left out."""
    with pytest.raises(InputError) as raised:
        load(path, sheet)
    texts = [(p.code, p.text("en"), p.text("zh")) for p in raised.value.problems]
    return [(code, *(t.replace(f"{path.parent}/", "") for t in said)) for code, *said in texts]


PLAIN = [(2, "360101", "5", "100"), (3, "360102", "1000", "0.25"), (4, "360103", "12.5", "1000")]


# ---- the same table in every form


def as_workbook(text: str, path: Path, number: bool) -> None:
    """Write a CSV as a workbook, its numbers as numbers or everything as text."""
    rows = [
        [float(c) if number and re.fullmatch(r"\d+(\.\d+)?", c) else c for c in row]
        for row in csv.reader(io.StringIO(text))
    ]
    workbook(path.parent, rows, name=path.name)


POPULATION = "county_code,value(万人)\n360101,41.5\n360102,0.1\n360103,7\n"


def outputs(path: Path) -> dict[str, bytes]:
    done = click.testing.CliRunner().invoke(main, ["run", str(path), "--progress", "none"])
    assert done.exit_code == 0, done.output
    (folder,) = (f for f in (path.parent / "output").iterdir() if f.is_dir())
    return {f.name: f.read_bytes() for f in folder.glob("*.csv")}


def test_same_table_as_csv_and_as_workbook_gives_the_same_accounts(tmp_path: Path) -> None:
    tables = small.TABLES | {"population": POPULATION}
    plain = outputs(small.write(tmp_path / "csv", tables=tables))
    assert {"accounts.csv", "county_gep.csv"} <= plain.keys()
    for form, number in (("numbers", True), ("texts", False)):
        files = {f"statistics.{name}.file": f"{name}.xlsx" for name in tables}
        path = small.write(tmp_path / form, tables=tables, change=files)
        for name, text in tables.items():
            as_workbook(text, path.parent / f"{name}.xlsx", number)
            (path.parent / f"{name}.csv").unlink()
        assert outputs(path) == plain
    path = small.write(tmp_path / "gb", tables=tables)
    for name, text in tables.items():
        (path.parent / f"{name}.csv").write_bytes(text.encode("gb18030"))
    assert outputs(path) == plain


def test_the_manifest_says_which_sheet_of_which_bytes(tmp_path: Path) -> None:
    import hashlib
    import json

    change = {"statistics.emissions.file": "t.xlsx", "statistics.emissions.sheet": "2021"}
    path = small.write(tmp_path, change=change)
    as_workbook(small.EMISSIONS, tmp_path / "t.xlsx", True)
    outputs(path)
    (run,) = (tmp_path / "output").glob("*/run.json")
    core = json.loads(run.read_text("utf8"))["core"]
    assert core["account"]["statistics"]["emissions"]["sheet"] == "2021"
    digest = hashlib.sha256((tmp_path / "t.xlsx").read_bytes()).hexdigest()
    assert core["inputs"]["statistics.emissions"]["sha256"] == digest
    assert core["software"]["openpyxl"] == openpyxl.__version__


# ---- cells


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (0.1, "0.1"),
        (1234.56, "1234.56"),
        (1e-7, "1e-07"),
        (2**53, "9007199254740992"),
        (-3, "-3"),
        ("1,234.5", "1,234.5"),
        ("１２", "１２"),
        (" 12 ", "12"),
        ("12%", "12%"),
        ("—", "—"),
        (None, ""),
    ],
)
def test_what_a_cell_holds_as_text(value: object, text: str, tmp_path: Path) -> None:
    (row,) = load(workbook(tmp_path, [HEADER, [360101, value, 1]])).rows
    assert row.cells["so2"] == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_text_of_a_number_reads_back_as_the_same(number: float) -> None:
    read = parse_number(sheets.plain(number))
    assert isinstance(read, Decimal)
    assert float(read) == number


@pytest.mark.parametrize("code", [360732, 360732.0, "360732", " 360732", "'360732"])
def test_a_code_is_a_code_as_number_and_as_text(code: object, tmp_path: Path) -> None:
    (row,) = load(workbook(tmp_path, [HEADER, [code, 1, 1]])).rows
    assert row.county == "360732"


def formatted(number_format: str) -> Callable[[Any], None]:
    def change(sheet: Any) -> None:
        sheet["B2"].number_format = number_format

    return change


@pytest.mark.parametrize(
    ("number_format", "value", "text"),
    [
        ("0%", 0.12, "12%"),
        ("0.00%", 0.123456789, "12.3456789%"),
        ("0%;-0%", 1, "100%"),
        ("0.0_%", 12, "12"),
        ('0.0"元"', 12, "12"),
        ('0.0"千瓦时"', 12, "12"),
        ('0.00" 千克"', 12, "12"),
        ("#,##0.00", 1234.5, "1234.5"),
        ('_ * #,##0.00_ ;_ * -#,##0.00_ ;_ * "-"??_ ;_ @_ ', 1234.5, "1234.5"),
        ("0.00_);[Red](0.00)", 1234.5, "1234.5"),
        ("[$¥-804]#,##0.00", 1234.5, "1234.5"),
        ("0.00E+00", 1234.5, "1234.5"),
        ('0.0"吨, 年"', 1234.5, "1234.5"),
        ("@", 360101, "360101"),
    ],
)
def test_formats_that_do_not_change_the_number(
    number_format: str, value: float, text: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path, [HEADER, [360101, value, 1]], formatted(number_format))
    (row,) = load(path).rows
    assert row.cells["so2"] == text


def test_per_cent_is_a_share_where_shares_belong_and_refused_elsewhere(tmp_path: Path) -> None:
    """Shown as 12%: 0.12 in a column of plain numbers, and no number of t or of %."""
    for unit, found in (("1", Decimal("0.12")), ("t", "E504"), ("%", "E504")):
        rows = [["county_code", f"so2({unit})"], ["360101", 0.12]]
        table = load(workbook(tmp_path, rows, formatted("0%")))
        if isinstance(found, Decimal):
            assert table.number(table.rows[0], "so2", "1") == found
            continue
        with pytest.raises(InputError) as raised:
            table.number(table.rows[0], "so2", "t/year")
        assert [p.text() for p in raised.value.problems] == ["t.xlsx:2 so2: not a number: 12%"]
        assert raised.value.problems[0].code == found


DATE = datetime.datetime(2021, 5, 3)
SCALED = ("a number that its format {} shows scaled", "按格式 {} 缩放显示的数字")
NO_TEXT: dict[str, tuple[object, str, tuple[str, str], str]] = {
    "a date": (DATE, "yyyy-mm-dd", ("a date or a time", "日期或时间"), "2021-05-03 00:00:00"),
    "a time": (datetime.time(8), "h:mm", ("a date or a time", "日期或时间"), "08:00:00"),
    "a duration": (
        datetime.timedelta(hours=30),
        "[h]:mm",
        ("a date or a time", "日期或时间"),
        "1 day, 6:00:00",
    ),
    "a year shown as a date": (
        44319,
        'yyyy"年"m"月"',
        ("a date or a time", "日期或时间"),
        "2021-05-03 00:00:00",
    ),
    "no date at all": (1e9, "yyyy-mm-dd", ("an error of the spreadsheet", "表格错误值"), "#VALUE!"),
    "true": (True, "General", ("a logical value", "逻辑值"), "TRUE"),
    "an error": ("#REF!", "General", ("an error of the spreadsheet", "表格错误值"), "#REF!"),
    "nothing found": ("#N/A", "General", ("an error of the spreadsheet", "表格错误值"), "#N/A"),
    "divided by 0": (
        "#DIV/0!",
        "General",
        ("an error of the spreadsheet", "表格错误值"),
        "#DIV/0!",
    ),
    "thousands": (12345, "#,##0,", SCALED, "12345"),
    "ten thousands": (12345, '0!.0,"万"', SCALED, "12345"),
    "ten thousands as saved": (12345, r"0\.0,", SCALED, "12345"),
    "sometimes scaled": (12345, '[>=10000]0!.0,"万";0', SCALED, "12345"),
    "sometimes per cent": (0.5, "0%;-0.0", SCALED, "0.5"),
    "per cent twice": (0.5, "0%%", SCALED, "0.5"),
    "per cent as a word": (12, '0"%"', SCALED, "12"),
    "per cent as a sign": (12, r"0\%", SCALED, "12"),
    "ten thousands as a word": (1.2, '0.0"万"', SCALED, "1.2"),
    "ten thousands of a unit": (1.2, '0.0"万元"', SCALED, "1.2"),
    "ten thousands as a sign": (1.2, r"0.0\万", SCALED, "1.2"),
    "hundred millions in brackets": (1.2, "0.0[$亿]", SCALED, "1.2"),
    "thousands as a word": (1.2, '0.0"千"', SCALED, "1.2"),
    "millions as a word": (1.2, '0.0"百万"', SCALED, "1.2"),
    "thousands in English": (1.2, '0.0"k"', SCALED, "1.2"),
    "a point between digits": (12000, "0!.0000", SCALED, "12000"),
    "a word for some numbers": (12000, '[>=10000]0!.0000"万";0', SCALED, "12000"),
}


@pytest.mark.parametrize("case", NO_TEXT)
def test_cells_that_are_neither_number_nor_text(case: str, tmp_path: Path) -> None:
    value, number_format, (en, zh), found = NO_TEXT[case]

    def change(sheet: Any) -> None:
        sheet["B3"].value = value
        sheet["B3"].number_format = number_format

    path = workbook(tmp_path, ROWS, change)
    en, zh = en.format(number_format), zh.format(number_format)
    expected = (f"t.xlsx 2021!B3 holds {en}: {found}", f"t.xlsx 2021!B3 是{zh}：{found}")
    assert refused(path) == [("E547", *expected)]


def test_all_faults_of_a_table_come_at_once_up_to_twenty(tmp_path: Path) -> None:
    rows = [HEADER, *([360101 + n, DATE, True] for n in range(3))]
    said = refused(workbook(tmp_path, rows))
    assert [text.split()[1] for _, text, _ in said] == [
        *("2021!B2", "2021!C2", "2021!B3", "2021!C3", "2021!B4", "2021!C4")
    ]
    rows = [HEADER, *([360101 + n, DATE, True] for n in range(300))]
    assert len(refused(workbook(tmp_path, rows))) == 20


def rich(text: str, raised: str, how: str = "superscript") -> Any:
    font = openpyxl.cell.text.InlineFont(vertAlign=how)
    return openpyxl.cell.rich_text.CellRichText(
        text, openpyxl.cell.rich_text.TextBlock(font, raised)
    )


def shared(path: Path, text: str, raised: str) -> Path:
    """Put a text with a raised part into B2 as Excel does: in a table of shared strings."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            f'<sst xmlns="{space}"><si><r><t>{text}</t></r>'
            f'<r><rPr><vertAlign val="superscript"/></rPr><t>{raised}</t></r></si></sst>',
        )
    part = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    patched(path, "[Content_Types].xml", lambda found: found.replace("</Types>", part))
    cell = '<c r="B2" t="s"><v>0</v></c>'
    return patched(path, SHEET1, lambda found: re.sub(r'<c r="B2".*?</c>', cell, found))


@pytest.mark.parametrize("how", ["superscript", "subscript"])
def test_the_mark_of_a_note_is_no_digit(how: str, tmp_path: Path) -> None:
    table = load(workbook(tmp_path, [HEADER, [360101, rich("1234", "1", how), 1]]))
    with pytest.raises(InputError) as raised:
        table.number(table.rows[0], "so2", "t/year")
    mark = "^" if how == "superscript" else "_"
    assert [p.text() for p in raised.value.problems] == [f"t.xlsx:2 so2: not a number: 1234{mark}1"]


def test_the_mark_of_a_note_is_no_digit_among_shared_texts(tmp_path: Path) -> None:
    path = workbook(tmp_path, [HEADER, [360101, "SHARED", 1]])
    table = load(shared(path, "1234", "1"))
    assert table.rows[0].cells["so2"] == "1234^1"


def test_a_raised_two_of_a_unit_is_its_power(tmp_path: Path) -> None:
    """km² typed with a raised 2, SO2 with a lowered one: as they are meant."""
    rows = [["county_code", rich("cropland(km", "2")], [360101, 3]]
    sheet = workbook(tmp_path, rows, lambda sheet: None)
    assert load(sheet).rows[0].cells.keys() == {"county_code", "cropland(km^2"}
    rows = [["county_code", rich("so", "2", "subscript")], [360101, 3]]
    assert load(workbook(tmp_path, rows)).rows[0].cells["so2"] == "3"


def test_rich_text_without_raised_parts_is_text(tmp_path: Path) -> None:
    bold = openpyxl.cell.text.InlineFont(b=True)
    text = openpyxl.cell.rich_text.CellRichText("12", openpyxl.cell.rich_text.TextBlock(bold, "34"))
    (row,) = load(workbook(tmp_path, [HEADER, [360101, text, 1]])).rows
    assert row.cells["so2"] == "1234"


# ---- formulas


def calculated(path: Path, value: str) -> Path:
    """Store *value* for every formula, as Excel does when it saves."""
    patched(path, SHEET1, lambda text: re.sub(r"</f><v ?/?>(</v>)?", f"</f>{value}", text))
    return patched(path, "xl/workbook.xml", lambda t: t.replace(' fullCalcOnLoad="1"', ""))


def formula(sheet: Any) -> None:
    sheet["B3"] = "=B2*200"


UNCALCULATED = [
    (
        "E548",
        "t.xlsx 2021!B3 is a formula whose value was never calculated",
        "t.xlsx 2021!B3 是尚未计算出数值的公式",
    )
]


def test_formula_with_its_value_is_the_value(tmp_path: Path) -> None:
    path = calculated(workbook(tmp_path, ROWS, formula), "<v>1000</v>")
    assert cells(load(path)) == PLAIN


def test_formula_that_gives_no_text_is_an_empty_cell(tmp_path: Path) -> None:
    path = calculated(workbook(tmp_path, ROWS, formula), "<v></v>")
    patched(path, SHEET1, lambda text: text.replace('<c r="B3"', '<c r="B3" t="str"'))
    assert load(path).rows[1].cells["so2"] == ""


def test_formula_that_gives_an_error(tmp_path: Path) -> None:
    path = calculated(workbook(tmp_path, ROWS, formula), "<v>#REF!</v>")
    patched(path, SHEET1, lambda text: text.replace('<c r="B3"', '<c r="B3" t="e"'))
    ((code, en, _),) = refused(path)
    assert (code, en) == ("E547", "t.xlsx 2021!B3 holds an error of the spreadsheet: #REF!")


def test_formula_without_a_value_is_never_an_empty_cell(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS, formula)
    assert refused(path) == UNCALCULATED
    assert refused(calculated(path, "")) == UNCALCULATED


def test_formula_in_the_last_row_alone_is_not_lost(tmp_path: Path) -> None:
    """A row with nothing but a formula is a row; its county is not known, its value neither."""
    path = workbook(tmp_path, [*ROWS, [None, "=SUM(B2:B4)"]])
    assert [code for code, *_ in refused(path)] == ["E548"]


def test_invented_values_of_a_library_are_no_values(tmp_path: Path) -> None:
    """Writers that cannot calculate store 0 and ask for a calculation when the file is opened."""
    path = workbook(tmp_path, ROWS, formula)
    patched(path, SHEET1, lambda text: re.sub(r"</f><v ?/?>(</v>)?", "</f><v>0</v>", text))
    assert refused(path) == UNCALCULATED


# ---- what stands around a table

TITLE = ["2021年大气污染物排放统计表", None, None]
ABOVE: dict[str, list[list[Any]]] = {
    "a title": [TITLE],
    "a title and a date": [TITLE, ["填表日期", DATE, True]],
    "blank rows": [[], TITLE, [None, " ", None]],
    "nine lines": [["…"]] * 9,
}


@pytest.mark.parametrize("above", ABOVE)
def test_titles_above_the_header(above: str, tmp_path: Path) -> None:
    rows = [*ABOVE[above], *ROWS]
    shift = len(ABOVE[above])
    expected = [(line + shift, *rest) for line, *rest in PLAIN]
    assert cells(load(workbook(tmp_path, rows))) == expected
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (tmp_path / "t.csv").write_text(text.getvalue(), "gb18030")
    assert cells(load(tmp_path / "t.csv")) == expected


def test_header_must_come_in_the_first_ten_lines(tmp_path: Path) -> None:
    said = ("t.xlsx: no column county_code; there are: …", "t.xlsx：没有列 county_code；现有：…")
    assert refused(workbook(tmp_path, [["…"]] * 10 + ROWS)) == [("E502", *said)]


def test_header_under_another_name_below_a_title(tmp_path: Path) -> None:
    rows = [TITLE, ["县区代码", "二氧化硫\n（万吨）"], [360101, 1.5]]
    code, so2 = {"column": "县区代码"}, {"column": "二氧化硫"}
    table = load(workbook(tmp_path, rows), county_code=code, so2=so2)
    assert cells(table) == [(3, "360101", "1.5")]
    assert table.number(table.rows[0], "so2", "t/year") == 15_000


NOTES: dict[str, list[list[Any]]] = {
    "one": [["注：数据来自统计年鉴", None, None]],
    "several, and a signature": [
        ["备注", "数据来自年鉴"],
        ["2. 不含农垦", None],
        [],
        ["填表人", "张三", DATE],
    ],
    "behind blank rows": [[], [], ["说明：—"]],
    "in a later column": [[None, "注：初步统计"]],
    "English": [["Notes: preliminary"]],
    "a source": [["数据来源：省统计局", None], ["审核人", "李四"]],
    "a source in short": [["来源：统计年鉴"]],
    "a source in English": [["Source: yearbook"]],
}


@pytest.mark.parametrize("notes", NOTES)
def test_notes_end_a_table(notes: str, tmp_path: Path) -> None:
    rows = [*ROWS, *NOTES[notes]]
    assert cells(load(workbook(tmp_path, rows))) == PLAIN
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (tmp_path / "t.csv").write_text(text.getvalue(), "utf8")
    assert cells(load(tmp_path / "t.csv")) == PLAIN


@pytest.mark.parametrize("astray", [["360104", 7, 1], [360104], [None, "1,000"], ["", "", "5%"]])
def test_rows_below_the_notes_are_not_lost(astray: list[Any], tmp_path: Path) -> None:
    found = next(str(cell) for cell in astray if cell)
    said = f"t.xlsx:6: {found} stands below the notes, where the table has ended"
    said_zh = f"t.xlsx:6：{found} 位于注释行或其下方，表格到注释行已结束"
    rows = [*ROWS, ["注：初步统计"], astray]
    assert refused(workbook(tmp_path, rows)) == [("E549", said, said_zh)]


def test_a_row_of_numbers_is_no_note(tmp_path: Path) -> None:
    said = refused(workbook(tmp_path, [*ROWS, ["注", 7, 1]]))
    assert [code for code, *_ in said] == ["E549"]
    rows = [[*HEADER, "remark"], [360101, 1, 1, "注：估算"]]
    assert cells(load(workbook(tmp_path, rows))) == [(2, "360101", "1", "1", "注：估算")]


@pytest.mark.parametrize("word", ["合计", "总计", "全市"])
def test_totals_are_an_unknown_county(word: str, tmp_path: Path) -> None:
    table = load(workbook(tmp_path, [*ROWS, [word, 1017.5, 1100.25]]))
    found = statistics.check(table, {"so2": "t/year"}, small.CODES)
    said = f"t.xlsx:5: county code {word} is not among the polygons"
    assert [(p.code, p.text()) for p in found] == [("E509", said)]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    rows = [HEADER, [], [360101, 1, 1], [None, None, " "], [360102, 2, 2]]
    assert [row.line for row in load(workbook(tmp_path, rows)).rows] == [3, 5]
    (tmp_path / "t.csv").write_text('county_code,so2(t)\n\n360101,"1\n"\n360102,2\n')
    assert [row.line for row in load(tmp_path / "t.csv").rows] == [3, 5]


def test_a_number_without_a_column(tmp_path: Path) -> None:
    said = refused(workbook(tmp_path, [*ROWS[:2], [360102, 1, 2, None, 3]]))
    assert said[0][:2] == ("E512", "t.xlsx:3: 5 cells, the header has 3")


def test_no_rows_and_nothing_at_all(tmp_path: Path) -> None:
    assert [code for code, *_ in refused(workbook(tmp_path, [TITLE, HEADER]))] == ["E506"]
    assert [code for code, *_ in refused(workbook(tmp_path, []))] == ["E502"]


# ---- merged cells


@pytest.mark.parametrize("ranges", [["A2:A3"], ["B1:C1"], ["A4:A5", "B2:C3"]])
def test_merged_cells_in_the_table(ranges: list[str], tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        for name in ranges:
            sheet.merge_cells(name)

    ((code, *said),) = refused(workbook(tmp_path, ROWS, change))
    listed = ", ".join(ranges)
    assert code == "E546"
    assert said == [
        f"t.xlsx 2021: merged cells in the table: {listed}",
        f"t.xlsx 2021：表内有合并单元格：{listed}",
    ]


def test_merged_cells_outside_the_table(tmp_path: Path) -> None:
    def change(sheet: Any) -> None:
        sheet.merge_cells("A1:C1")
        sheet.merge_cells("A6:C7")

    path = workbook(tmp_path, [TITLE, *ROWS, ["注：初步统计"]], change)
    assert [row.line for row in load(path).rows] == [3, 4, 5]


# ---- sheets


def with_sheets(folder: Path, hidden: str = "") -> Path:
    book = openpyxl.load_workbook(workbook(folder, ROWS))
    book.create_sheet("2020").append(HEADER)
    book["2020"].append([360101, 7, 7])
    if hidden:
        book[hidden].sheet_state = "hidden"
        book.active = [name != hidden for name in book.sheetnames].index(True)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def test_one_of_several_sheets_must_be_named(tmp_path: Path) -> None:
    path = with_sheets(tmp_path)
    said = (
        "t.xlsx: several sheets and none is named: 2021, 2020",
        "t.xlsx：有多个工作表，未指明用哪一个：2021, 2020",
    )
    assert refused(path) == [("E544", *said)]
    assert cells(load(path, "2021")) == PLAIN
    assert cells(load(path, "2020")) == [(2, "360101", "7", "7")]
    said = (
        "t.xlsx: no sheet 2019; there are: 2021, 2020",
        "t.xlsx：没有工作表 2019；现有：2021, 2020",
    )
    assert refused(path, "2019") == [("E545", *said)]


def test_hidden_sheets_are_read_only_by_name(tmp_path: Path) -> None:
    path = with_sheets(tmp_path, hidden="2021")
    assert cells(load(path)) == [(2, "360101", "7", "7")]
    assert cells(load(path, "2021")) == PLAIN


def test_a_csv_has_no_sheets(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("county_code,so2(t)\n360101,1\n")
    said = (
        "t.csv: no sheet 2021; there are: none, it is a CSV",
        "t.csv：没有工作表 2021；现有：没有，这是 CSV",
    )
    assert refused(tmp_path / "t.csv", "2021") == [("E545", *said)]


# ---- other files

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
ENCRYPTED = OLE + "EncryptedPackage".encode("utf-16-le")
HTML = b"<html><table><tr><td>county_code"
KINDS: dict[str, tuple[str, bytes | None, tuple[str, str]]] = {
    "xls": ("t.xls", OLE, sheets.XLS),
    "a page named xls": ("t.xls", HTML, sheets.XLS),
    "et": ("t.ET", OLE, sheets.XLS),
    "xls named xlsx": ("t.xlsx", OLE, sheets.XLS),
    "xls named csv": ("t.csv", OLE, sheets.XLS),
    "encrypted": ("t.xlsx", ENCRYPTED, sheets.LOCKED),
    "macros": ("t.xlsm", None, sheets.XLSM),
    "binary": ("t.xlsb", None, sheets.XLSB),
    "OpenDocument": ("t.ods", None, sheets.ODS),
    "a page named xlsx": ("t.xlsx", HTML, sheets.NONE),
    "empty": ("t.xlsx", b"", sheets.NONE),
    "xlsx named csv": ("t.csv", None, sheets.DISGUISED),
    "xlsx without an ending": ("t", None, sheets.DISGUISED),
}


@pytest.mark.parametrize("case", KINDS)
def test_other_kinds_of_files_are_called_by_their_name(case: str, tmp_path: Path) -> None:
    name, content, (en, zh) = KINDS[case]
    if content is None:
        workbook(tmp_path, ROWS).rename(tmp_path / name)
    else:
        (tmp_path / name).write_bytes(content)
    said = (f"{name} is {en}, not a table that is read here", f"{name} 是{zh}，不是可读的表")
    assert refused(tmp_path / name) == [("E540", *said)]


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("xl/vbaProject.bin", sheets.XLSM),
        ("xl/workbook.bin", sheets.XLSB),
        ("content.xml", sheets.ODS),
        ("a.txt", sheets.NONE),
    ],
)
def test_archives_that_are_other_than_their_name(
    part: str, what: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "t.xlsx" if part == "a.txt" else workbook(tmp_path, ROWS)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(part, b"x")
    ((code, en, _),) = refused(path)
    assert (code, en) == ("E540", f"t.xlsx is {what[0]}, not a table that is read here")


# ---- broken and hostile workbooks


def codes(path: Path) -> set[str]:
    return {code for code, *_ in refused(path)}


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.6, 0.9, 0.99, 0.999])
def test_a_truncated_workbook(kept: float, tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * kept)])
    assert codes(path) == {"E541"}


def test_a_damaged_workbook_never_gives_other_numbers(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    raw = path.read_bytes()
    said, read = set(), 0
    for place in range(40, len(raw), len(raw) // 150):
        path.write_bytes(raw[:place] + bytes([raw[place] ^ 0x55]) + raw[place + 1 :])
        try:
            found = cells(load(path))
        except InputError as error:
            said |= {p.code for p in error.problems}
        else:  # what no reader needs: a time, a comment, a part that is not read
            assert found == PLAIN
            read += 1
    assert {"E541"} <= said <= {"E540", "E541", "E542"}
    assert read


@pytest.mark.parametrize(
    ("part", "old", "new", "why"),
    [
        (SHEET1, '<row r="3"', '<row r="2"', "row 2 after row 2"),
        (SHEET1, '<row r="4"', '<row r="1"', "row 1 after row 3"),
        (SHEET1, 'r="C2"', 'r="A2"', "cell A2 after B2"),
        (SHEET1, 'r="C2"', 'r="C9"', "cell C9 after B2"),
        (SHEET1, 'r="C2"', 'r="2C"', "2C is no cell"),
        (SHEET1, "<v>1000</v>", "<v>1 000</v>", None),
        (SHEET1, "</sheetData>", "", None),
        (SHEET1, 'worksheet xmlns="http', 'worksheet xmlns="ftp', None),
        ("xl/styles.xml", "</styleSheet>", "", None),
        ("[Content_Types].xml", "sheet.main+xml", "other", None),
        ("xl/workbook.xml", "<sheets>", "<nosheets>", None),
    ],
)
def test_xml_that_no_program_writes(
    part: str, old: str, new: str, why: str | None, tmp_path: Path
) -> None:
    path = patched(workbook(tmp_path, ROWS), part, lambda text: text.replace(old, new, 1))
    ((code, en, zh),) = refused(path)
    assert code == "E541"
    if why:
        assert en == f"t.xlsx: the workbook cannot be read: {why}"
        assert zh == f"t.xlsx：无法读取工作簿：{why}"


def test_a_style_that_is_not_there(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    patched(path, SHEET1, lambda text: text.replace('<c r="B2"', '<c r="B2" s="77"'))
    assert codes(path) == {"E541"}


def test_strict_open_xml_is_refused_not_read_as_empty(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    for part in ("xl/workbook.xml", SHEET1, "xl/styles.xml"):
        patched(path, part, lambda text: text.replace(main, strict))
    assert codes(path) == {"E541"}


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
BY_HAND = {
    "[Content_Types].xml": f"""\
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{TYPES}.worksheet+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{TYPES}.sharedStrings+xml"/>
</Types>""",
    "_rels/.rels": f"""\
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>
</Relationships>""",
    "xl/_rels/workbook.xml.rels": f"""\
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="r2" Type="{RELATIONS}/sharedStrings" Target="sharedStrings.xml"/>
</Relationships>""",
    "xl/workbook.xml": f"""\
<x:workbook xmlns:x="{MAIN}" xmlns:r="{RELATIONS}">
<x:sheets><x:sheet name="排放" sheetId="1" r:id="r1"/></x:sheets></x:workbook>""",
    "xl/sharedStrings.xml": f"""\
<sst xmlns="{MAIN}"><si><t>county_code</t></si>
<si><r><t>so2</t></r><r><rPr><b/></rPr><t>(t)</t></r><rPh sb="0" eb="1"><t>er</t></rPh></si>
<si><t xml:space="preserve"> 赣 </t></si></sst>""",
    SHEET1: f"""\
<worksheet xmlns="{MAIN}"><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>
<c r="C1" t="s"><v>2</v></c></row>
<row r="2"><c r="A2"><v>360101</v></c><c r="B2"><v>0.30000000000000004</v></c></row>
<row r="3"><c r="A3"><v>360102</v></c><c r="B3"><v>1234.5599999999999</v></c></row>
<row r="7"><c r="A7"><v>3.60103E5</v></c><c r="B7"><f>B2</f><v>1E-3</v></c>
<c r="C7" t="s"><v>2</v></c></row>
</sheetData><extLst><ext xmlns:m="urn:m"><m:f>A1</m:f><m:row r="1"/></ext></extLst></worksheet>""",
}


def by_hand(folder: Path, **change: tuple[str, str]) -> Path:
    """Workbook with shared texts, as Excel writes it; openpyxl writes every text into its cell."""
    path = folder / "t.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in BY_HAND.items():
            old, new = change.get(Path(name).stem, ("", ""))
            assert old in text
            archive.writestr(name, text.replace(old, new) if old else text)
    return path


def test_a_workbook_written_by_hand(tmp_path: Path) -> None:
    """Texts shared and in runs, phonetic hints, prefixes, 17 digits, gaps, no styles at all."""
    table = load(by_hand(tmp_path))
    assert cells(table) == [
        (2, "360101", "0.30000000000000004", ""),
        (3, "360102", "1234.56", ""),
        (7, "360103", "0.001", "赣"),
    ]
    assert table.units == {"so2": "t"}


def test_a_shared_text_that_is_not_there(tmp_path: Path) -> None:
    assert codes(by_hand(tmp_path, sheet1=('t="s"><v>2<', 't="s"><v>9<'))) == {"E541"}


def test_a_sheet_in_another_namespace_is_refused_not_read_as_empty(tmp_path: Path) -> None:
    path = by_hand(tmp_path, sheet1=("spreadsheetml/2006", "spreadsheetml/2099"))
    ((code, en, _),) = refused(path)
    assert (code, en) == (
        "E541",
        f"t.xlsx: the workbook cannot be read: not in the namespace {MAIN}",
    )


@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", SHEET1, "docProps/core.xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_anything_is_expanded(
    part: str, encoding: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path, ROWS)
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<?xml version="1.0" encoding="{encoding}"?><!-- x --><!DOCTYPE x [<!ENTITY l0 "ha">'
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = f"{bomb}{laughs}]><x>&l11;</x>".encode(encoding)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    said = (
        f"t.xlsx: {part} holds a DOCTYPE, which no spreadsheet program writes",
        f"t.xlsx：{part} 含有 DOCTYPE，表格软件不会写出这种内容",
    )
    assert refused(path) == [("E543", *said)]


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", bytes(200_000_000))
    assert path.stat().st_size < 300_000
    total = 200_000_000 + size
    said = (
        f"t.xlsx: too large: bytes unpacked {total}; at most 200000000",
        f"t.xlsx：过大：解压后字节数 {total}；最多 200000000",
    )
    assert refused(path) == [("E542", *said)]


@pytest.mark.parametrize("said", ["A1", "A1:C2", "A1:XFD1048576", "B2:C3"])
def test_the_dimension_a_sheet_states_does_not_count(said: str, tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    patched(path, SHEET1, lambda text: text.replace('ref="A1:C4"', f'ref="{said}"'))
    assert cells(load(path)) == PLAIN


def test_blank_formatted_rows_to_the_end_of_the_sheet(tmp_path: Path) -> None:
    blank = '<row r="1048576"><c r="A1048576" s="0"/><c r="XFD1048576"/></row></sheetData>'
    path = workbook(tmp_path, ROWS)
    patched(path, SHEET1, lambda text: text.replace("</sheetData>", blank))
    assert cells(load(path)) == PLAIN


@pytest.mark.parametrize(
    ("row", "cell", "en", "zh"),
    [
        (200_001, "A200001", "rows 200001; at most 200000", "行数 200001；最多 200000"),
        (5, "IW5", "columns 257; at most 256", "列数 257；最多 256"),
    ],
)
def test_more_than_a_county_table_holds(
    row: int, cell: str, en: str, zh: str, tmp_path: Path
) -> None:
    path = workbook(tmp_path, ROWS)
    more = f'<row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData>'
    patched(path, SHEET1, lambda text: text.replace("</sheetData>", more))
    said = (f"t.xlsx: too large: {en}", f"t.xlsx：过大：{zh}")
    assert refused(path) == [("E542", *said)]


def test_rows_and_cells_without_addresses_count_up(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROWS)
    patched(path, SHEET1, lambda text: re.sub(r' r="[A-Z]*\d+"', "", text))
    assert cells(load(path)) == PLAIN


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_run_says_of_a_workbook(language: str, tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"statistics.emissions.file": "排放.xlsx"})
    rows = [["county_code", "so2(t)", "nox(t)", "dust(t)"], [360101, DATE, 1, 1]]
    workbook(tmp_path, rows, name="排放.xlsx")
    words = ["run", str(path), "--progress", "none", "--lang", language]
    done = click.testing.CliRunner().invoke(main, words)
    assert done.exit_code == 3
    assert not (tmp_path / "output").exists()
    said = {
        "en": "error E547  排放.xlsx 2021!B2 holds a date or a time: 2021-05-03 00:00:00\n"
        "  fix: write a plain number or a text, and format the cell as General or Text",
        "zh": "错误 E547  排放.xlsx 2021!B2 是日期或时间：2021-05-03 00:00:00\n"
        "  怎么改：填写普通数字或文字，单元格格式设为“常规”或“文本”",
    }
    assert said[language] in done.stderr


# ---- what to obtain, and from whom


def tables_read() -> set[str]:
    """Every table a service reads, and those an account is compared with."""
    found = set(COMPARISONS)
    for service in services().values():
        for i in service.indicators:
            if isinstance(i, Indicator | Products) and i.table:
                found.add(i.table)
            if isinstance(i, Indicator) and i.cap:
                found.add(i.cap[0].partition(".")[0])
    return found


def test_every_table_has_a_title_and_an_office() -> None:
    assert records().keys() == tables_read() | {"counties", "ecosystem"}
    page = (Path(__file__).parents[1] / "docs" / "gep-toml.md").read_text("utf8")
    for name in tables_read():
        assert f"| `{name}` | {records()[name].title.zh} | {records()[name].office.zh} |" in page


def test_every_raster_has_an_office() -> None:
    rasters = {r for s in services().values() for r in (*s.rasters(), *s.weights())}
    assert {name for name in rasters if variables()[name].office == UNKNOWN} == set()


def test_init_gives_the_tables_an_account_is_compared_with(tmp_path: Path) -> None:
    write(tmp_path / "a", "jiangxi-2021")
    for name, header in (
        ("population", "county_code,value(person)"),
        ("gdp", "county_code,value(元)"),
    ):
        path = tmp_path / "a" / f"{name}.csv"
        assert path.read_text("utf-8-sig").strip() == header
        assert f"# [statistics.{name}]\n" in (tmp_path / "a" / "gep.toml").read_text("utf8")
        path.write_text(f"{header}\n360101,5\n", "utf8")
        table = load(path)
        unit = {"population": "person", "gdp": "CNY_2021"}[name]
        assert table.number(table.rows[0], "value", unit) == 5


def test_the_list_says_whom_to_ask(tmp_path: Path) -> None:
    write(tmp_path / "a", "jiangxi-2021")
    lines = (tmp_path / "a" / "数据清单.md").read_text("utf8").splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ")][1:]
    assert {len(row) for row in rows} == {4}
    asked = {re.search(r"`([\w.]+)`", row[0])[1]: row[3].rstrip(" |") for row in rows}
    assert asked["precipitation"] == "气象局 / meteorological bureau"
    assert asked["emissions.csv"] == "生态环境局 / ecology and environment bureau"
    assert asked["gdp.csv"] == "统计局 / statistics bureau"
    assert all(" / " in office for office in asked.values())
    for written in (tmp_path / "a").glob("*.csv"):
        assert written.name in asked


# ---- sheets that hold a chart and nothing else


@pytest.mark.parametrize("drawn", [False, True])
def test_a_sheet_that_is_a_chart_is_no_table(drawn: bool, tmp_path: Path) -> None:
    def add(sheet: Any) -> None:
        chart = sheet.parent.create_chartsheet("图")
        if drawn:
            bars = openpyxl.chart.BarChart()
            bars.add_data(openpyxl.chart.Reference(sheet, min_col=2, min_row=1, max_row=4))
            chart.add_chart(bars)

    path = workbook(tmp_path, ROWS, add)
    assert cells(load(path)) == PLAIN
    assert [code for code, *_ in refused(path, "图")] == ["E545"]
