"""Text people write: encodings of files, numbers in cells."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from pathlib import Path

from gep.errors import InputError, Problem

EMPTY = ("", "-", "—", "–", "...", "/", "NA", "N/A", "null")


def is_share(cell: str) -> bool:
    """Tell whether a cell states per cent, which only a column of plain numbers may.

    >>> is_share("12％"), is_share("12")
    (True, False)
    """
    return cell.rstrip().endswith(("%", "％"))


def parse_number(text: str) -> Decimal | str | None:
    """Return the number in a cell, None for an empty cell, the text itself if it is neither.

    >>> parse_number("１,234.5"), parse_number("—"), parse_number("12%"), parse_number("abc")
    (Decimal('1234.5'), None, Decimal('0.12'), 'abc')
    """
    plain = unicodedata.normalize("NFKC", text).strip().lstrip("'").replace(" ", "")
    if plain in EMPTY:
        return None
    times = Decimal(1)
    if plain.endswith("%"):
        plain, times = plain[:-1], Decimal("0.01")
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    if "_" in plain:
        return text
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return text
    return number * times if number.is_finite() else text


def decode(path: Path) -> str:
    """Text of a file in UTF-8 (with or without mark), UTF-16 with a mark, or GB18030.

    UTF-8 is tried first and strictly: Chinese in UTF-8 also decodes as GB18030, to nonsense.
    """
    raw = path.read_bytes()
    if raw[:4] == b"PK\x03\x04":  # a workbook
        raise InputError(Problem("E501", {"file": path}))
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InputError(Problem("E501", {"file": path}))
