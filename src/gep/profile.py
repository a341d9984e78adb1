"""Profiles: which services an account counts, with which method, coefficient sets and prices."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gep.ecosystems import Title
from gep.errors import InputError, Problem
from gep.service import Service
from gep.shipped import folder, read_toml

KEYS = {"counted", "method", "sets", "prices", "parameters", "rasters", "include", "basis", "note"}


@dataclass(frozen=True)
class Choice:
    """What a profile says of one service."""

    service: str
    counted: bool | str = True
    method: str = ""
    sets: dict[str, str] = field(default_factory=dict)
    prices: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Decimal] = field(default_factory=dict)
    rasters: dict[str, str] = field(default_factory=dict)
    include: tuple[str, ...] = ()

    def reads(self, rasters: Iterable[str]) -> list[str]:
        """Rasters that are read where a kernel names *rasters*: the profile may put others in."""
        return [self.rasters.get(name, name) for name in rasters]


@dataclass(frozen=True)
class Profile:
    """One way of accounting: a transcription of a standard, with its version and its state."""

    name: str
    version: str
    title: Title
    status: str
    standard: str
    choices: dict[str, Choice]
    exclusive: tuple[tuple[str, ...], ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Entry:
    """A service as the vocabulary knows it, built or not."""

    name: str
    group: str
    title: Title
    seea: str


@cache
def catalogue() -> dict[str, Entry]:
    """Every service of the vocabulary by name."""
    entries = read_toml(folder("coefficients") / "catalogue.toml")
    return {
        name: Entry(name, entry["group"], Title(**entry["title"]), entry.get("seea", ""))
        for name, entry in entries.items()
    }


def names() -> list[str]:
    """Return the names of the profiles that are shipped."""
    return sorted(path.stem for path in (folder("coefficients") / "profiles").glob("*.toml"))


def load(name: str) -> Profile:
    """Profile shipped under *name*.

    Raises
    ------
    InputError
        E006 if there is none, E007 if it says something unknown of a service.
    """
    raw, files = _inherited(name)
    problems = []
    choices = {}
    for service, said in raw["services"].items():
        if service not in catalogue():
            close = difflib.get_close_matches(service, catalogue(), 1)
            fields = {"profile": name, "word": service, "known": ", ".join(close or catalogue())}
            problems.append(Problem("E007", fields))
        unknown = said.keys() - KEYS
        if unknown:
            fields = {"profile": name, "known": ", ".join(sorted(KEYS))}
            fields["word"] = f"services.{service}.{sorted(unknown)[0]}"
            problems.append(Problem("E007", fields))
            continue
        kept = {key: value for key, value in said.items() if key not in ("basis", "note")}
        if "parameters" in kept:
            kept["parameters"] = {key: Decimal(n) for key, n in kept["parameters"].items()}
        if "include" in kept:
            kept["include"] = tuple(kept["include"])
        choices[service] = Choice(service, **kept)
    if problems:
        raise InputError(*problems)
    return Profile(
        name=name,
        version=raw["version"],
        title=Title(**raw["title"]),
        status=raw["status"],
        standard=raw["standard"]["id"],
        choices=choices,
        exclusive=tuple(tuple(pair) for pair in raw.get("exclusive", ())),
        files=files,
    )


def _inherited(name: str) -> tuple[dict[str, Any], tuple[Path, ...]]:
    """Return the raw profile with what it extends merged in, and the files it came from."""
    path = folder("coefficients") / "profiles" / f"{name}.toml"
    if not path.is_file():
        raise InputError(Problem("E006", {"name": name, "known": ", ".join(names())}))
    raw = read_toml(path)
    if "extends" not in raw:
        return raw, (path,)
    base, files = _inherited(raw["extends"])
    services = dict(base["services"])
    for service, said in raw.get("services", {}).items():
        services[service] = services.get(service, {}) | said
    return base | raw | {"services": services}, (*files, path)


def chosen(
    profile: Profile, registry: dict[tuple[str, str], Service]
) -> list[tuple[Choice, Service]]:
    """Return what the profile counts or allows and what is built, in the profile's order."""
    found = []
    for choice in profile.choices.values():
        service = registry.get((choice.service, choice.method))
        if choice.counted is not False and service is not None:
            found.append((choice, service))
    return found
