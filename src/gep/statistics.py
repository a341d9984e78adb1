"""Department tables → checked columns: numbers with units, one row per county and item."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gep.config import TableSection, locate
from gep.errors import InputError, Problem, UnitError, stop_on
from gep.service import Products, services
from gep.sheets import Sheet, read
from gep.text import is_share, is_total, parse_number
from gep.units import candidates, exact, factor, is_money, of_unit, of_year, price_year

KEY = "county_code"
GROUP = "group"
ITEM = "name"
"""Column that tells several rows of one county apart."""
REPEATS = "*"
HEADER_BY = 10
"""Line by which the header must have come."""
NOTES = (
    *("注", "备注", "附注", "说明", "来源", "数据来源", "资料来源"),
    *("note", "source:", "sources:", "data source"),
)
"""Words that begin the notes below a table."""
LARGEST = Decimal(10) ** 15
"""No amount of a county is above this in any unit that is asked for."""
LISTED = 20
"""Counties that are named where many are concerned."""
_HEADER = re.compile(r"^(?P<name>[^()\[\]（）]+?)\s*[(\[（](?P<unit>.+)[)\]）]$")


@dataclass(frozen=True)
class Row:
    """One line of a table: its place on file, the county, and its cells as text."""

    line: int
    county: str
    cells: dict[str, str]


@dataclass(frozen=True)
class Table:
    """A table as read: its rows, and the unit each column states, and where it does."""

    name: str
    file: Path
    year: int
    units: dict[str, str]
    rows: tuple[Row, ...]
    places: dict[str, str] = field(default_factory=dict)
    understood: dict[tuple[int, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What a row was found to say, by its line and the unit it was read in."""

    def number(self, row: Row, column: str, unit: str) -> Decimal | None:
        """Cell in *unit*; None where it is empty.

        The amounts of a table are those of its year: `t` serves where `t/year` is needed.

        Raises
        ------
        InputError
            E503 the column states no unit, E504 the cell is no number, E507 it is negative,
            E522 it is beyond what an amount can be.
        """
        cell = row.cells.get(column, "")
        value = parse_number(cell)
        if value is None:
            return None
        if is_share(cell) and self.units.get(column) != "1":
            value = cell
        if not isinstance(value, Decimal):
            raise InputError(Problem("E504", {"at": self._at(row, column), "text": value}))
        if value < 0:
            raise InputError(Problem("E507", {"at": self._at(row, column), "value": value}))
        if column not in self.units:
            raise InputError(no_unit(f"{self.file.name}: {column}", column, candidates(unit)))
        where = self.places.get(column) or self._at(row, column)
        found = value * exact(self.scale(self.units[column], unit, where))
        return found if found <= LARGEST else bounded(found, self._at(row, column))

    def _at(self, row: Row, column: str) -> str:
        """Place of a cell."""
        return f"{self.file.name}:{row.line} {column}"

    def has_all(self, column: str) -> bool:
        """Whether every row says something in a column."""
        return all(parse_number(row.cells.get(column, "")) is not None for row in self.rows)

    def scale(self, have: str, want: str, at: str) -> float:
        """Factor from a stated unit to the one needed, both amounts of one year.

        Money is money of the table's year; a column that states another year is refused.
        """
        asked = have, want, self.year
        if asked in _scales:
            return _scales[asked]
        stated = have
        if is_money(have):
            want = of_year(want, self.year)
            have = have if price_year(have) else of_year(have, self.year)
        yearly = "year" in want and "year" not in have
        try:
            found = factor(f"({have}) / year" if yearly else have, want, at)
        except UnitError as error:
            raise UnitError(of_unit(_as_stated(error, stated, have, want), at)) from None
        return _scales.setdefault(asked, found)


_scales: dict[tuple[str, str, int], float] = {}
"""Factors by stated unit, unit needed and year: a table asks for the same few for every row."""


def _as_stated(error: UnitError, stated: str, have: str, want: str) -> UnitError:
    """Error in the words of the table: its unit as it stands there, both without the year."""
    (problem,) = error.problems
    fields = dict(problem.fields)
    if "unit" in fields:
        return UnitError(Problem(problem.code, fields | {"unit": stated}))
    try:
        factor(have, want.removesuffix("/year"), str(fields["what"]))
    except UnitError as bare:
        fields = dict(bare.problems[0].fields)
    return UnitError(Problem(problem.code, fields | {"have": stated}))


def no_unit(at: str, column: str, units: Iterable[str]) -> Problem:
    """E503 of a column whose numbers may be in one of *units*: nobody but its author knows."""
    names = tuple(units)
    headers = [f"{column}({name})" for name in names]
    fields = {"at": at, "column": column}
    fields |= {"units": ", ".join(names), "units_zh": "、".join(names)}
    fields |= {"headers": " or ".join(headers), "headers_zh": " 或 ".join(headers)}
    return Problem("E503", fields)


def load(name: str, section: TableSection, folder: Path, year: int) -> Table:
    """Table *name* of a gep.toml, from a CSV or a sheet of a workbook.

    Raises
    ------
    InputError
        E004, E501 unknown encoding, E502 no column of county codes, E506 no rows, E508 a column
        twice, E511 to E512 no clean CSV, E540 to E549 no simple workbook.
    """
    path = locate(folder, section.file)
    if not path.is_file():
        raise InputError(Problem("E004", {"at": f"statistics.{name}", "file": path}))
    sheet = read(path, section.sheet)
    top, names, units = _header(sheet, section)
    _check_mappings(name, section, names, path)
    places = {column: f"{path.name}:{top} {column}" for column in units}
    for column, declared in section.columns.items():
        if declared.unit:
            units[column] = declared.unit
            places[column] = f"statistics.{name}.columns.{column}"
    twice = sorted({n for n in names if n and names.count(n) > 1})
    if twice:
        raise InputError(Problem("E508", {"file": path, "columns": ", ".join(twice)}))
    lines = _above_notes(sheet, top, names)
    stop_on(sheet.problems(top, lines[-1][0] if lines else top))
    rows = [_row(path, number, line, names) for number, line in lines]
    if not rows:
        raise InputError(Problem("E506", {"file": path}))
    return Table(name, path, section.year or year, units, tuple(rows), places)


def _header(sheet: Sheet, section: TableSection) -> tuple[int, list[str], dict[str, str]]:
    """Line of the header, its columns and their units; titles may stand above it."""
    above = [(number, line) for number, line in sheet.lines if number <= HEADER_BY]
    for number, line in above:
        names, units = _columns(line, section)
        if KEY in names:
            return number, names, units
    likely = max((line for _, line in above), key=lambda line: sum(map(bool, line)), default=[])
    known = ", ".join(cell.strip() for cell in likely)
    raise InputError(Problem("E502", {"file": sheet.file, "column": KEY, "known": known}))


def _columns(line: list[str], section: TableSection) -> tuple[list[str], dict[str, str]]:
    """Names of columns as we call them, and the units in their headers."""
    renamed = {c.column: ours for ours, c in section.columns.items() if c.column}
    names, units = [], {}
    for cell in map(str.strip, line):
        found = _HEADER.match(cell)
        column, unit = (found["name"].strip(), found["unit"]) if found else (cell, "")
        column = renamed.get(cell, renamed.get(column, column))
        names.append(column)
        if unit:
            units[column] = unit
    return names, units


def _check_mappings(name: str, section: TableSection, names: list[str], path: Path) -> None:
    """Raise InputError if a column of gep.toml is not in the file, or stands for two."""
    problems, taken = [], dict[str, str]()
    known = ", ".join(filter(None, names))
    for ours, declared in section.columns.items():
        at = f"statistics.{name}.columns.{ours}"
        meant = declared.column or ours
        other = taken.setdefault(meant, ours)
        if other != ours:
            problems.append(Problem("E519", {"at": at, "column": meant, "other": other}))
        elif ours not in names:
            close = difflib.get_close_matches(meant, names, 1)
            fields = {"at": at, "file": path, "column": meant}
            problems.append(Problem("E517", fields | {"known": close[0] if close else known}))
    stop_on(problems)


def _above_notes(sheet: Sheet, top: int, names: list[str]) -> list[tuple[int, list[str]]]:
    """Filled lines below the header, to the notes; a number among the notes is a row gone astray.

    Raises
    ------
    InputError
        E549 a number below the first note.
    """
    key = names.index(KEY)
    filled = [(n, line) for n, line in sheet.lines if n > top and any(map(str.strip, line))]
    end = next((n for n, (_, line) in enumerate(filled) if _is_note(line, key)), len(filled))
    for number, line in filled[end:]:
        astray = next((c for c in line if isinstance(parse_number(c), Decimal)), None)
        if astray is not None:
            fields = {"at": f"{sheet.file.name}:{number}", "text": astray.strip()}
            raise InputError(Problem("E549", fields))
    return filled[:end]


def _is_note(line: list[str], key: int) -> bool:
    """Whether a line begins with a note, and its county code is empty or that note."""
    first = next(n for n, cell in enumerate(line) if cell.strip())
    code = line[key].strip() if key < len(line) else ""
    noted = line[first].strip().lower().replace("：", ":").startswith(NOTES)
    return noted and (not code or first == key)


def _row(path: Path, number: int, line: list[str], names: list[str]) -> Row:
    if len(line) > len(names) and any(map(str.strip, line[len(names) :])):
        fields = {"at": f"{path.name}:{number}", "found": len(line), "want": len(names)}
        raise InputError(Problem("E512", fields))
    padded = [*line, *[""] * (len(names) - len(line))]
    cells = dict(zip(names, map(str.strip, padded), strict=False))
    if GROUP in cells:
        cells[GROUP] = groups().get(cells[GROUP], cells[GROUP])
    return Row(number, cells[KEY].lstrip("'"), cells)


@cache
def groups() -> dict[str, str]:
    """Groups of products by what a table may call them in Chinese: 农业产品, or 农业."""
    found: dict[str, str] = {}
    for service in services().values():
        for i in service.indicators:
            if isinstance(i, Products):
                found |= dict.fromkeys((service.title.zh, i.title.zh), i.group)
    return found | {title.removesuffix("产品"): group for title, group in found.items()}


def check(
    table: Table, columns: dict[str, str], codes: tuple[str, ...], item: str = ""
) -> list[Problem]:
    """Everything wrong with *columns* (name → unit) of a table, and with its keys.

    A key is the county code, or the county code and the column *item*; with `REPEATS` rows
    may repeat. A column in `1` holds shares.
    """
    problems: list[Problem] = []
    known = table.rows[0].cells
    for column in [*columns, *([item] if item not in ("", REPEATS) else [])]:
        if column not in known:
            listed = ", ".join(known)
            fields = {"file": table.file, "column": column, "known": listed}
            problems.append(Problem("E502", fields))
    if problems:
        return problems
    seen: dict[tuple[str, ...], int] = {}
    there = frozenset(codes)
    if item == REPEATS:
        problems += _copies(table)
    for row in table.rows:
        at = f"{table.file.name}:{row.line}"
        key: tuple[str, ...] = (row.county,)
        if item:
            key = (*key, str(row.line) if item == REPEATS else row.cells[item])
        if row.county not in there:
            problems.append(Problem("E509", {"at": at, "code": row.county}))
        if item == ITEM and is_total(row.cells[ITEM]):
            problems.append(Problem("E556", {"at": at, "word": row.cells[ITEM]}))
        if key in seen:
            fields = {"at": at, "key": " / ".join(key), "line": seen[key]}
            problems.append(Problem("E505", fields))
        seen.setdefault(key, row.line)
        for column, unit in columns.items():
            try:
                number = table.number(row, column, unit)
                if unit == "1" and number is not None and number > 1:
                    fields = {"at": f"{at} {column}", "value": number, "low": 0, "high": 1}
                    problems.append(Problem("E522", fields))
            except ValueError as error:
                problems += [p for p in getattr(error, "problems", ()) if p not in problems]
    return problems


def _copies(table: Table) -> list[Problem]:
    """Rows of one county that say the same in every cell: a line pasted twice."""
    problems: list[Problem] = []
    seen: dict[tuple[str, ...], int] = {}
    for row in table.rows:
        first = seen.setdefault(tuple(row.cells.values()), row.line)
        if first != row.line:
            fields = {"at": f"{table.file.name}:{row.line}", "line": first}
            problems.append(Problem("E555", fields))
    return problems


def without_rows(table: Table, names: Mapping[str, str], group: str = "") -> list[Problem]:
    """W517 if counties, *names* by code, have no row in a table, or none of a group of it."""
    rows = [row for row in table.rows if not group or row.cells.get("group") == group]
    there = {row.county for row in rows}
    absent = [code for code in names if code not in there]
    if not absent:
        return []
    listed = [f"{code} {names[code]}".rstrip() for code in absent[:LISTED]]
    more = " …" if len(absent) > LISTED else ""
    at = f"{table.file.name}, {group}" if group else table.file.name
    at_zh = f"{table.file.name}，{group}" if group else table.file.name
    fields: dict[str, object] = {"at": at, "at_zh": at_zh, "count": len(absent)}
    fields |= {"total": len(names), "counties": ", ".join(listed) + more}
    fields["counties_zh"] = "、".join(listed) + more
    return [Problem("W517", fields)]


def bounded(number: Decimal, at: str) -> Decimal:
    """Return *number* if an amount can be so large.

    Raises
    ------
    InputError
        E522 it is above `LARGEST`.
    """
    if number > LARGEST:
        fields = {
            "at": at,
            "value": f"{number.normalize():.6g}",
            "low": 0,
            "high": f"{LARGEST:.0e}",
        }
        raise InputError(Problem("E522", fields))
    return number
