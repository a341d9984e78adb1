"""Tables as CSV: UTF-8 with a mark for Excel, codes quoted as text, nothing that runs."""

import csv
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import lru_cache

from gep.cube import Cube, Leaf, Line
from gep.tables import ACCOUNT_COLUMNS, Cell, Row

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a text that begins with one of these."""


def encode(columns: Iterable[str], rows: Iterable[Row]) -> bytes:
    """Bytes of a CSV file: text quoted, numbers exact and bare, what is missing empty."""
    names = tuple(columns)
    text = io.StringIO()
    text.write(",".join(names) + "\r\n")
    for row in rows:
        text.write(",".join([_cell(row[name]) for name in names]) + "\r\n")
    return text.getvalue().encode("utf-8-sig")


def accounts(cube: Cube) -> bytes:
    """Bytes of `account_rows`: as `encode` writes them, what leaves have in common once."""
    constant = cube.constant.lines if cube.constant else cube.lines
    lines = [_Leaves(cube, *pair) for pair in zip(cube.lines, constant, strict=True)]
    file = io.BytesIO()
    file.write(f"\ufeff{','.join(ACCOUNT_COLUMNS)}\r\n".encode())
    for place in cube.places:
        head = f"{_text(place)},{_text(cube.names.get(place, ''))},{cube.year}"
        file.write("".join([row for line in lines for row in line.rows(place, head)]).encode())
    return file.getvalue()


class _Leaves:
    """One line of an account as text, leaf by leaf; *then* is the line at constant prices."""

    def __init__(self, cube: Cube, line: Line, then: Line) -> None:
        self.line, self.then, self._prices = line, then, dict[int, str]()
        money, year = line.priced and line.counted, cube.constant and cube.constant.price_year
        self.constant = money and year is not None
        self.head = ",".join(map(_text, (line.group, line.service, line.indicator)))
        self.unit, self.year = _text(line.unit), _text(f"CNY_{cube.price_year}") if money else ""
        self.year_constant = _text(f"CNY_{year}") if self.constant else ""

    def rows(self, place: str, head: str) -> Iterator[str]:
        """Yield the rows of a place, which begin with *head*."""
        line, coverage = self.line, self.line.coverage.get(place)
        covered = "" if coverage is None else f"{round(coverage, 6):f}"
        for leaf in line.by_place.get(place, ()):
            amount = line.amounts.get(leaf)
            quantity = "" if amount is None else f"{amount * line.quantum:f}"
            yield (
                f"{head},{self.head},{_text(leaf[1])},{quantity},{self.unit},"
                f"{self._price(leaf)},{_money(line.cents.get(leaf))},{self.year},{covered},"
                f"{_text(line.states.get(leaf, ''))},{self._constant(leaf)}\r\n"
            )

    def _price(self, leaf: Leaf) -> str:
        """Price of a leaf and its unit; most leaves share one."""
        price = self.line.prices.get(leaf)
        if price is None:
            return ","
        if id(price) not in self._prices:
            self._prices[id(price)] = f"{price.number:f},{_text(price.unit)}"
        return self._prices[id(price)]

    def _constant(self, leaf: Leaf) -> str:
        """Price and value of a leaf at the prices of the base year."""
        if not self.constant:
            return ",,"
        price = self.then.prices.get(leaf)
        number = "" if price is None else f"{price.number:f}"
        return f"{number},{_money(self.then.cents.get(leaf))},{self.year_constant}"


def _money(cents: int | None) -> str:
    """Money in CNY as `tables.money` prints it.

    >>> _money(706), _money(-5), _money(None)
    ('7.06', '-0.05', '')
    """
    if cents is None:
        return ""
    return f"{'-' * (cents < 0)}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return _text(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


@lru_cache(1 << 12)
def _text(cell: str) -> str:
    """Text in quotes; a table says the same few again and again."""
    guarded = f"'{cell}" if cell.startswith(DANGEROUS) else cell
    return '"' + guarded.replace('"', '""') + '"' if cell else ""


def decode(content: bytes) -> list[dict[str, str]]:
    """Rows of a CSV file as text by column."""
    return list(read(content))


def read(content: bytes) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as text by column, one at a time."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(content), "utf-8-sig", newline=""))
    names = next(lines, [])
    for line in filter(None, lines):
        yield dict(zip(names, line, strict=True))
