"""Rows of a CSV or of a simple xlsx workbook: cells as text, with the line each stands in."""

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from gep.errors import GepError, InputError, Problem
from gep.outline import Outline, has_doctype, letters, marked, place, recalculates
from gep.text import decode

LARGEST = 200_000_000
"""Bytes a workbook may unpack to."""
MOST_ROWS, MOST_COLUMNS = 200_000, 256
LISTED = 20
"""Faults of one table that are named: the hundredth date of a column says nothing new."""
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

Words = tuple[str, str]
"""English and Chinese."""
XLS = ("an old .xls or .et workbook", "旧版 .xls 或 .et 工作簿")
XLSM = ("a workbook with macros (.xlsm)", "含宏的工作簿（.xlsm）")
XLSB = ("a binary workbook (.xlsb)", "二进制工作簿（.xlsb）")
ODS = ("an OpenDocument table (.ods)", "OpenDocument 表（.ods）")
LOCKED = ("an encrypted workbook", "加密的工作簿")
DISGUISED = ("a workbook or archive without the ending .xlsx", "扩展名不是 .xlsx 的工作簿或压缩包")
NONE = ("no workbook, whatever its ending says", "名为 .xlsx 而内容并非工作簿的文件")
OTHERS = {".xls": XLS, ".et": XLS, ".xlsm": XLSM, ".xlsb": XLSB, ".ods": ODS}
INSIDE = {"xl/vbaProject.bin": XLSM, "xl/workbook.bin": XLSB, "content.xml": ODS}
"""Parts that only another kind of file has."""

_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|[\\!_*].')
"""What a number format prints as it stands, or does not print at all."""
_MULTIPLE = re.compile(r"[万亿]|[百千](?![瓦克米])|[%％‰]|\b(?:k|thousand|million|billion)\b", re.I)
"""A literal that says the number is shown in thousands or hundredths: 千 but not 千瓦时."""
_MOVED_POINT = re.compile(r"[0#?][\\!]\.[0#?]|[0#?]\"\.\"[0#?]")
"""A literal point between digits, as in `0!.0000`: shown in ten thousands."""
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
"""Commas behind the last digit: shown in thousands."""


@dataclass(frozen=True)
class Sheet:
    """Lines of a table as text, by true line number, and what in them is no text."""

    file: Path
    lines: tuple[tuple[int, list[str]], ...]
    title: str = ""
    merged: tuple[tuple[int, int, str], ...] = ()
    """First row, last row and name of every merged range."""
    faults: dict[int, list[Problem]] = field(default_factory=dict)
    """Cells that are neither number nor text, by line."""

    def problems(self, first: int, last: int) -> list[Problem]:
        """E546 merged cells, E547 and E548 cells without a text, from a line to a line."""
        ranges = [name for top, bottom, name in self.merged if top <= last and bottom >= first]
        fields = {"at": f"{self.file.name} {self.title}", "ranges": ", ".join(ranges[:LISTED])}
        found = [Problem("E546", fields)] if ranges else []
        found += [p for n, faults in self.faults.items() if first <= n <= last for p in faults]
        return found[:LISTED]


def read(path: Path, sheet: str | None = None) -> Sheet:
    """Lines of the file *path*, of its sheet *sheet* or its only visible one.

    Raises
    ------
    InputError
        E501 unknown encoding, E511 no CSV, E540 another kind of file, E541 to E543 a damaged, too
        large or suspicious workbook, E544, E545 the sheet is not named or not there.
    """
    ending = path.suffix.lower()
    with path.open("rb") as file:
        start = file.read(len(ZIP))
        if ending in OTHERS:
            raise _other(path, OTHERS[ending])
        if start == OLE:
            raise _other(path, LOCKED if ENCRYPTED in file.read(LARGEST) else XLS)
        if ending == ".xlsx" and start != ZIP:
            raise _other(path, NONE)
        if ending == ".xlsx":
            with _guarded(path), zipfile.ZipFile(file) as archive:
                _inspect(path, archive)
                return _workbook(path, file, archive, sheet)
        if start == ZIP:
            raise _other(path, DISGUISED)
    if sheet is not None:
        fields = {"file": path, "sheet": sheet, "sheets": "none, it is a CSV"}
        raise InputError(Problem("E545", fields | {"sheets_zh": "没有，这是 CSV"}))
    return _csv(path)


def _other(path: Path, what: Words) -> InputError:
    return InputError(Problem("E540", {"file": path, "what": what[0], "what_zh": what[1]}))


def _csv(path: Path) -> Sheet:
    """Lines of a CSV; a record of several lines has the number of its first."""
    reader = csv.reader(io.StringIO(decode(path)), strict=True)
    lines, before = [], 0
    try:
        for cells in reader:
            lines.append((before + 1, cells))
            before = reader.line_num
    except csv.Error as error:
        raise InputError(Problem("E511", {"file": path, "why": error})) from None
    return Sheet(path, tuple(lines))


@contextmanager
def _guarded(path: Path) -> Generator[None, None, None]:
    """Say of any failure inside that the workbook cannot be read.

    zipfile, zlib, expat and openpyxl fail on broken files in a dozen ways. What openpyxl warns of
    is what it would lose on saving, and dates beyond the calendar, which it gives as errors.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except GepError:
        raise
    except Exception as error:
        lines = str(error).splitlines() or [type(error).__name__]
        raise InputError(Problem("E541", {"file": path, "why": lines[0]})) from error


def _inspect(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise InputError if an archive is no plain workbook, or not safe to open."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    for part, what in INSIDE.items():
        if part in names:
            raise _other(path, what)
    if "[Content_Types].xml" not in names:
        raise _other(path, NONE)
    _limit(path, ("bytes unpacked", "解压后字节数"), sum(p.file_size for p in parts), LARGEST)
    for info in parts:
        with archive.open(info) as stream:
            if has_doctype(stream):
                raise InputError(Problem("E543", {"file": path, "part": info.filename}))


def _limit(path: Path, what: Words, found: int, most: int) -> None:
    if found > most:
        fields = {"file": path, "what": what[0], "what_zh": what[1], "found": found, "most": most}
        raise InputError(Problem("E542", fields))


def _workbook(path: Path, file: IO[bytes], archive: zipfile.ZipFile, sheet: str | None) -> Sheet:
    """Text of one sheet, streamed to its last filled row whatever dimension it states."""
    book = _book(file)
    try:
        chosen = _chosen(path, book.worksheets, sheet)
        chosen.reset_dimensions()
        with archive.open("xl/workbook.xml") as stream:
            stale = recalculates(stream)
        # the one private name of openpyxl used here: where the sheet is in the archive
        with archive.open(chosen._worksheet_path) as stream:
            outline = Outline(stream, stale)
        _limit(path, ("rows", "行数"), outline.rows, MOST_ROWS)
        _limit(path, ("columns", "列数"), outline.columns, MOST_COLUMNS)
        lines, faults = [], {}
        for number, row in enumerate(islice(chosen.iter_rows(), outline.rows), 1):
            cells, wrong = _texts(f"{path.name} {chosen.title}", number, row, outline)
            if any(cells):
                lines.append((number, cells))
            if wrong:
                faults[number] = wrong
        return Sheet(path, tuple(lines), chosen.title, tuple(map(_range, outline.merged)), faults)
    finally:
        book.close()


def _book(file: IO[bytes]) -> Any:
    """Workbook opened to be streamed; sheets that hold nothing but a chart stay unread."""
    from openpyxl.chartsheet import Chartsheet
    from openpyxl.reader.excel import ExcelReader

    class Reader(ExcelReader):  # type: ignore[misc, unused-ignore]
        def read_chartsheet(self, sheet: Any, _: Any) -> None:
            self.wb._add_sheet(Chartsheet(parent=self.wb, title=sheet.name))

    reader = Reader(file, read_only=True, data_only=True, keep_links=False, rich_text=True)
    reader.read()
    return reader.wb


def _chosen(path: Path, there: list[Any], name: str | None) -> Any:
    """Return the sheet of that name, or the only visible one; hidden ones must be named."""
    titles = [sheet.title for sheet in there]
    visible = [sheet for sheet in there if sheet.sheet_state == "visible"]
    if name is None and len(visible) == 1:
        return visible[0]
    if not there:
        raise ValueError("no sheet in it")
    listed = ", ".join(titles)
    if name is None:
        raise InputError(Problem("E544", {"file": path, "sheets": listed}))
    if name not in titles:
        fields = {"file": path, "sheet": name, "sheets": listed, "sheets_zh": listed}
        raise InputError(Problem("E545", fields))
    return there[titles.index(name)]


def _range(name: str) -> tuple[int, int, str]:
    first, _, last = name.partition(":")
    return place(first)[0], place(last or first)[0], name


def _texts(
    at: str, number: int, row: tuple[Any, ...], outline: Outline
) -> tuple[list[str], list[Problem]]:
    """Cells of a row as text, and those that have none."""
    cells, wrong = [], []
    for column, cell in enumerate(row[: outline.columns], 1):
        fields: dict[str, object] = {"at": f"{at}!{letters(column)}{number}"}
        if (number, column) in outline.uncalculated:
            text = "="
            wrong.append(Problem("E548", fields))
        else:
            text, what = _text(cell)
            text = outline.raised.get((number, column), text)
            if what:
                fields |= {"what": what[0], "what_zh": what[1], "found": text}
                wrong.append(Problem("E547", fields))
        cells.append(text)
    return cells, wrong


def _text(cell: Any) -> tuple[str, Words | None]:
    """Text of a cell, and what the cell is if that is neither number nor text.

    A number shown as per cent is written so: 0.12 as `12%`, which is what a CSV of it holds. What
    is raised in a text is written `^`, so that the mark of a note is no digit.
    """
    value = cell.value
    if value is None:
        return "", None
    if cell.data_type == "e":
        return str(value), ("an error of the spreadsheet", "表格错误值")
    if isinstance(value, bool):
        return str(value).upper(), ("a logical value", "逻辑值")
    if isinstance(value, str):
        return value, None
    if isinstance(value, list):
        runs = [(str(run), getattr(getattr(run, "font", None), "vertAlign", None)) for run in value]
        return marked(runs), None
    if not isinstance(value, int | float):
        return str(value), ("a date or a time", "日期或时间")
    text = plain(value)
    times = _shown_times(cell.number_format)
    if times is None:
        return text, (
            f"a number that its format {cell.number_format} shows scaled",
            f"按格式 {cell.number_format} 缩放显示的数字",
        )
    return (f"{Decimal(text).scaleb(2):f}%" if times == 100 else text), None


@cache
def _shown_times(number_format: str) -> int | None:
    """By how much a format multiplies what it shows: 1, 100 for per cent; None for anything else.

    Every part of it must do the same: those for positive, negative and zero, and the conditions.
    """
    literals = "".join(word for word in _LITERAL.findall(number_format) if word[0] not in "_*")
    if _MULTIPLE.search(literals) or _MOVED_POINT.search(number_format):
        return None
    parts = [part for part in _LITERAL.sub("", number_format).split(";") if part.strip()]
    signs = {part.count("%") for part in parts} or {0}
    if any(_SCALED.search(part) for part in parts) or signs not in ({0}, {1}):
        return None
    return 100 if signs == {1} else 1


def plain(value: float) -> str:
    """Shortest text of a number that reads back as the same; whole numbers without a point.

    >>> plain(360732.0), plain(0.1), plain(1e22)
    ('360732', '0.1', '1e+22')
    """
    whole = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return repr(int(value) if whole else value)
