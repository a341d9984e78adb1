"""What `gep help CODE` says of a message: holes as words, why it happens, the fix, an example."""

import string
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from gep.errors import messages

TEXTS = Path(__file__).with_name("help.toml")
LABELS = {
    "en": {"why": "why: ", "fix": "fix: ", "example": "example: "},
    "zh": {"why": "原因：", "fix": "怎么改：", "example": "例如："},
}


@cache
def texts() -> dict[str, dict[str, Any]]:
    """Words and examples of the holes, reasons by code and by family, examples by code."""
    with TEXTS.open("rb") as file:
        return tomllib.load(file)


def holes(text: str) -> set[str]:
    """Names of the holes of a text.

    >>> sorted(holes("{at}: {value} of {at}"))
    ['at', 'value']
    """
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def general(text: str, language: str) -> str:
    """Message with words in place of values.

    >>> general("{file}: no rows", "en"), general("{file}：没有数据行", "zh")
    ('‹file›: no rows', '‹文件›：没有数据行')
    """
    return text.format(**{name: f"‹{_word(name, language)}›" for name in holes(text)})


def _word(name: str, language: str) -> str:
    entry = texts()["holes"].get(name.removesuffix("_zh"))
    return str(entry[language]) if entry else name.replace("_", " ")


def example(code: str, language: str) -> str:
    """Message as it may appear, with made-up values."""
    text = messages()[code][language]
    own = texts()["examples"].get(code, {})
    return text.format(**{name: _example(name, own, language) for name in holes(text)})


def _example(name: str, own: dict[str, str], language: str) -> str:
    """Value of a hole: the message's own, of its language if it has that, else the usual one."""
    bare = name.removesuffix("_zh")
    usual = texts()["holes"].get(bare, {"example": f"‹{bare}›"})
    found = own.get(name, own.get(bare, usual["example"]))
    if language == "zh" and bare not in own and name not in own:
        found = usual.get("example_zh", found)
    return str(found)


def why(code: str, language: str) -> str:
    """Why a message is met: of itself, or of its family."""
    found = texts()["whys"].get(code) or texts()["families"][code[:2]]
    return str(found[language])


def explain(code: str, language: str) -> list[str]:
    """Lines on one message."""
    labels, entry = LABELS[language], messages()[code]
    return [
        f"{code}  {general(entry[language], language)}",
        labels["why"] + why(code, language),
        labels["fix"] + general(entry[f"fix_{language}"], language),
        labels["example"] + example(code, language),
    ]
