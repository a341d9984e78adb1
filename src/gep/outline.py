"""What the XML of a workbook says and openpyxl does not tell, read with expat alone."""

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import IO
from xml.parsers import expat

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
Place = tuple[int, int]
"""Row and column of a cell, from 1."""


class _Enough(Exception):  # noqa: N818, it is no error
    """What was looked for is found, or cannot come any more."""


def has_doctype(stream: IO[bytes]) -> bool:
    """Whether a part declares a document type, and with it perhaps entities.

    What is no XML has none: a picture, or a broken part, which whoever reads it will refuse.
    """
    found = False

    def doctype(*_: object) -> None:
        nonlocal found
        found = True
        raise _Enough

    def root(*_: object) -> None:
        raise _Enough

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.StartElementHandler = root
    with suppress(_Enough, expat.ExpatError):
        parser.ParseFile(stream)
    return found


def recalculates(stream: IO[bytes]) -> bool:
    """Whether a workbook part asks for every formula to be calculated when it is opened.

    Libraries that write formulas say so, with an invented value or none; Excel and WPS do not.
    """
    found = False

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal found
        if name.rpartition(" ")[2] == "calcPr":
            found = attributes.get("fullCalcOnLoad") in ("1", "true")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.ParseFile(stream)
    return found


class Outline:
    """Extent, merged ranges and formulas of a sheet.

    The dimension a sheet states may be wrong, rows out of order would be dropped, and a formula
    without a value looks like an empty cell.

    Raises
    ------
    ValueError
        Rows or cells out of order; a sheet in a namespace openpyxl would not see.
    """

    def __init__(self, stream: IO[bytes], stale: bool) -> None:
        self.rows = self.columns = 0
        """Last row and last column that hold anything."""
        self.merged: list[str] = []
        self.raised: dict[Place, str] = {}
        """Texts within the sheet of which a part is raised or lowered, with its marks."""
        self.uncalculated: set[Place] = set()
        """Formulas without a value; all, if those of the workbook are *stale*."""
        self._stale = stale
        self._row = self._column = 0
        self._begun = self._formula = self._filled = False
        self._inside = ""
        self._runs: list[tuple[str, str | None]] = []
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.ParseFile(stream)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, self._inside = name.rpartition(" ")
        if space != MAIN:
            if not self._begun:
                raise ValueError(f"not in the namespace {MAIN}")
            self._inside = ""
        self._begun = True
        if self._inside == "row":
            row = int(attributes.get("r", self._row + 1))
            if row <= self._row:
                raise ValueError(f"row {row} after row {self._row}")
            self._row, self._column = row, 0
        elif self._inside == "c":
            cell = attributes.get("r") or f"{letters(self._column + 1)}{self._row}"
            row, column = place(cell)
            if row != self._row or column <= self._column:
                raise ValueError(f"cell {cell} after {letters(self._column)}{self._row}")
            self._column = column
            # a formula may give an empty text
            self._formula, self._filled = False, attributes.get("t") == "str"
            self._runs = []
        elif self._inside == "r":
            self._runs.append(("", None))
        elif self._inside == "vertAlign" and self._runs:
            self._runs[-1] = "", attributes.get("val")
        elif self._inside == "f":
            self._formula = True
        elif self._inside == "mergeCell":
            self.merged.append(attributes["ref"])

    def _text(self, text: str) -> None:
        if self._inside == "t" and self._runs:
            before, raised = self._runs[-1]
            self._runs[-1] = before + text, raised
        if self._inside in ("v", "t") and text.strip():
            self._filled = True
            self._reach()

    def _end(self, name: str) -> None:
        self._inside = ""
        if name == f"{MAIN} c" and any(raised for _, raised in self._runs):
            self.raised[self._row, self._column] = marked(self._runs)
        if name == f"{MAIN} c" and self._formula and (self._stale or not self._filled):
            self.uncalculated.add((self._row, self._column))
            self._reach()

    def _reach(self) -> None:
        self.rows = self._row
        self.columns = max(self.columns, self._column)


def place(cell: str) -> Place:
    """Row and column of an address.

    >>> place("B7"), place("$AA$10")
    ((7, 2), (10, 27))
    """
    found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d{1,7})", cell)
    if not found:
        raise ValueError(f"{cell} is no cell")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(found[2]), column


def marked(runs: Iterable[tuple[str, str | None]]) -> str:
    """Text of several runs: `^` before what is raised, `_` before what is lowered behind a digit.

    >>> marked([("km", None), ("2", "superscript")]), marked([("SO", None), ("2", "subscript")])
    ('km^2', 'SO2')
    >>> marked([("1234", None), ("1", "superscript")]), marked([("1234", None), ("1", "subscript")])
    ('1234^1', '1234_1')
    """
    found = ""
    for text, raised in runs:
        digit = found[-1:].isdigit() or text[:1].isdigit()
        if raised == "superscript" and text.strip() and digit:
            found += "^"
        elif raised == "subscript" and found[-1:].isdigit():
            found += "_"
        found += text
    return found


def letters(column: int) -> str:
    """Name of a column.

    >>> letters(2), letters(27)
    ('B', 'AA')
    """
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(ord("A") + rest) + found
    return found
