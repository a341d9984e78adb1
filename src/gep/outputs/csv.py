"""Tables as CSV: UTF-8 with a mark for Excel, codes quoted as text, nothing that runs."""

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache

from gep.tables import Cell, Row

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet would run a text that begins with one of these."""


def encode(columns: Iterable[str], rows: Iterable[Row]) -> bytes:
    """Bytes of a CSV file: text quoted, numbers exact and bare, what is missing empty."""
    names = tuple(columns)
    text = io.StringIO()
    text.write(",".join(names) + "\r\n")
    for row in rows:
        text.write(",".join(_cell(row[name]) for name in names) + "\r\n")
    return text.getvalue().encode("utf-8-sig")


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
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
