"""Ecosystem types: the classes and groups of the accounts, and crosswalks from map legends."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NamedTuple

from gep.errors import InputError, Problem
from gep.shipped import folder, read_toml


class Title(NamedTuple):
    """A name in both languages."""

    en: str
    zh: str

    def say(self, language: str) -> str:
        """Name in one language."""
        return self.zh if language == "zh" else self.en


@dataclass(frozen=True)
class Ecosystem:
    """One ecosystem class: its code on file, its place in the loop, its group."""

    key: str
    index: int
    code: int
    group: str
    title: Title


@cache
def ecosystems() -> dict[str, Ecosystem]:
    """Every class by key, in the order of the loop's class index."""
    classes = read_toml(folder("coefficients") / "ecosystems.toml")["classes"]
    return {
        key: Ecosystem(key, index, entry["code"], entry["group"], Title(**entry["title"]))
        for index, (key, entry) in enumerate(classes.items())
    }


@cache
def groups() -> dict[str, Title]:
    """Every group of classes by key."""
    entries = read_toml(folder("coefficients") / "ecosystems.toml")["groups"]
    return {key: Title(**entry["title"]) for key, entry in entries.items()}


@cache
def members(words: tuple[str, ...]) -> tuple[Ecosystem, ...]:
    """Return the classes named by *words*, each a class or a group; KeyError on anything else."""
    for word in words:
        if word not in groups() and word not in ecosystems():
            raise KeyError(word)
    return tuple(e for e in ecosystems().values() if e.key in words or e.group in words)


@dataclass(frozen=True)
class Legend:
    """Crosswalk from the codes of one map product to ecosystem classes."""

    name: str
    codes: dict[int, Ecosystem]
    nodata: frozenset[int]
    path: Path
    flags: dict[int, Title] = field(default_factory=dict)
    """Codes that should not occur in the region, and why; from "English / 中文" on file."""


def legend(name: str, near: Path = Path()) -> Legend:
    """Legend shipped under *name*, or the file of that name beside the configuration.

    Raises
    ------
    InputError
        E008 if there is neither, E009 if the file names a class that does not exist.
    """
    shipped = folder("coefficients") / "legends"
    path = shipped / f"{name}.toml"
    if not path.is_file():
        path = near / name
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in shipped.glob("*.toml")))
        raise InputError(Problem("E008", {"name": name, "known": known}))
    entry = read_toml(path)
    if not entry.get("codes"):
        raise InputError(Problem("E005", {"file": path.name, "key": "[codes]"}))
    pairs = entry["codes"].items()
    wrong = [f"{code} = {key!r}" for code, key in pairs if not re.fullmatch(r"-?\d+", code)]
    wrong += sorted({str(key) for _, key in pairs if key not in ecosystems()})
    wrong += [f"flags.{code}" for code in entry.get("flags", {}) if code not in entry["codes"]]
    if wrong:
        raise InputError(Problem("E009", {"file": path.name, "classes": ", ".join(wrong)}))
    codes = {int(code): ecosystems()[key] for code, key in entry["codes"].items()}
    flags = {int(code): _title(str(text)) for code, text in entry.get("flags", {}).items()}
    return Legend(name, codes, frozenset(entry.get("nodata", ())), path, flags)


def _title(text: str) -> Title:
    """Text in both languages, from "English / 中文"; one without Chinese serves for both."""
    english, _, chinese = text.partition(" / ")
    return Title(english, chinese or english)
