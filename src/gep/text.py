"""Text people write: encodings of files, numbers in cells."""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from gep.errors import InputError, Problem

EMPTY = ("", "-", "—", "–", "...", "/", "NA", "N/A", "null")
TOTALS = ("合计", "总计", "小计", "共计", "总产值", "总值")
"""Words that begin or end the name of a row that adds up others."""
ALIKE = 0.7
"""How alike two names are, of 1, where one may be meant by the other."""
SUMS = {"total", "totals", "subtotal"}
_HINTS = (*sorted({word[-1] for word in TOTALS}), "total", "sum")
"""What the name of such a row has in it, whatever else."""
_FULL_WIDTH = str.maketrans("０１２３４５６７８９．，＋－％", "0123456789.,+-%")
"""All that is folded: ① and ² are no digits of the number they stand behind."""
_GROUPED = re.compile(
    r"[+-]?[0-9]{1,3}(?:(,[0-9]{3})+|([ \u00a0\u2009\u202f][0-9]{3})+)(\.[0-9]*)?"
)
"""Thousands set apart by commas, or by blanks."""
_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")


def near(word: str, known: Iterable[str]) -> str:
    """Names *word* is likely meant for, at most three; all that are known where it is like none.

    >>> near("ecosystm", ["ecosystem", "slope"]), near("x", ["ecosystem", "slope"])
    ('ecosystem', 'ecosystem, slope')
    """
    names = list(known)
    return ", ".join(difflib.get_close_matches(word, names, cutoff=ALIKE) or names)


def is_total(word: str) -> bool:
    """Tell whether a name is that of a row that adds up others.

    >>> [is_total(word) for word in ("粮食 小计", "农业总产值（万元）", "Grain, total", "茶叶")]
    [True, True, True, False]
    """
    said_low = word.lower()
    if not any(hint in said_low for hint in _HINTS):  # as nearly every name
        return False
    bare = re.sub(r"[(（\[][^(（\[]*[)）\]]\s*$", "", word)
    for said in (word, bare):
        words = re.findall(r"[^\W_]+", said.lower())
        joined = "".join(words)
        if joined.startswith(TOTALS) or joined.endswith(TOTALS):
            return True
        if words and {words[0], words[-1]} & SUMS:
            return True
    return word.strip().lower() in ("sum", "sub total")


def is_share(cell: str) -> bool:
    """Tell whether a cell states per cent, which only a column of plain numbers may.

    >>> is_share("12％"), is_share("12")
    (True, False)
    """
    return cell.rstrip().endswith(("%", "％"))


def parse_number(text: str) -> Decimal | str | None:
    """Return the number in a cell, None for an empty cell, the text itself if it is neither.

    >>> parse_number("１,234.5"), parse_number("—"), parse_number("12%"), parse_number("12①")
    (Decimal('1234.5'), None, Decimal('0.12'), '12①')
    """
    if _PLAIN.fullmatch(text):  # as nearly every cell; what follows would change nothing in it
        return Decimal(text) * 1
    if unicodedata.normalize("NFKC", text).strip().lstrip("'") in EMPTY:
        return None
    plain = text.translate(_FULL_WIDTH).strip().lstrip("'").strip()
    times = Decimal(1)
    if plain.endswith("%"):
        plain, times = plain[:-1].rstrip(), Decimal("0.01")
    if _GROUPED.fullmatch(plain):
        plain = re.sub(r"[^0-9.+-]", "", plain)
    return Decimal(plain) * times if _PLAIN.fullmatch(plain) else text


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
