"""Numbers a user puts in place of those shipped: a folder of TOML, one TOML, or one CSV."""

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from gep.errors import InputError, Problem, UnitError
from gep.shipped import read_toml
from gep.text import decode
from gep.units import exact, factor

FIXED = ("ecosystems", "layers", "catalogue")
"""Files that are not numbers: nothing of them can be overridden."""
OPEN = ("sources", "price_index")
"""Files an override may add entries to."""
TAG = ("source", "status", "confidence", "verified_by", "note")

Raw = dict[str, Any]


def override(raw: Raw, path: Path, problems: list[Problem]) -> list[Path]:
    """Merge the overrides at *path* into the raw entries by file, and return the files read.

    An overriding number brings its own source and status: it never inherits those of the number
    it replaces.
    """
    if path.is_dir():
        used = sorted(path.glob("*.toml"))
        for file in used:
            for name, entry in read_toml(file).items():
                _entry(raw, file.stem, name, _table(file, name, entry), file, problems)
        return used
    if path.suffix == ".toml":
        for file_name, entries in read_toml(path).items():
            for name, entry in _table(path, file_name, entries).items():
                _entry(raw, file_name, name, _table(path, name, entry), path, problems)
        return [path]
    seen: dict[tuple[str, ...], int] = {}
    rows = csv.DictReader(io.StringIO(decode(path)), restval="")
    for number, row in enumerate(rows, 2):
        at = f"{path.name}:{number}"
        keys = tuple(row.get(name, "") for name in ("file", "name", "set", "key"))
        if keys in seen:
            fields = {"at": at, "key": " / ".join(filter(None, keys)), "line": seen[keys]}
            problems.append(Problem("E505", fields))
        seen.setdefault(keys, number)
        _row(raw, row, at, problems)
    return [path]


def _table(path: Path, name: str, entry: Any) -> Raw:
    """Return what stands under *name*, which must be a table."""
    if isinstance(entry, dict):
        return entry
    why = f"[{name}] value = {entry}"
    raise InputError(Problem("E003", {"file": path.name, "key": name, "value": entry, "why": why}))


def _entry(raw: Raw, file: str, name: str, entry: Raw, path: Path, problems: list[Problem]) -> None:
    """Merge one entry; only sources and price indices may be new."""
    known = raw.get(file, {})
    if file in FIXED or (name not in known and file not in OPEN):
        problems.append(Problem("E528", {"at": path.name, "key": f"{file}.{name}"}))
    elif name not in known or file == "sources":
        known[name] = _merge(known.get(name, {}), entry)
    else:
        at = f"{path.name}: {name}" if file == path.stem else f"{path.name}: {file}.{name}"
        known[name] = _merge(known[name], _tagged(entry, at, problems))


def _tagged(entry: Raw, at: str, problems: list[Problem]) -> Raw:
    """Entry whose numbers carry the tags that stand beside them, and no others."""
    tag = {key: entry[key] for key in TAG if key in entry}
    numbers = entry.keys() & {"value", "values"}
    found = {key: said for key, said in entry.items() if not (numbers and key in TAG)}
    if "value" in entry:
        found["value"] = _leaf(entry["value"], tag, at, problems)
    if isinstance(entry.get("values"), dict):
        found["values"] = _leaves(entry["values"], tag, at, problems)
    if isinstance(entry.get("sets"), dict):
        found["sets"] = {
            key: _tagged(said, f"{at}.sets.{key}", problems) if isinstance(said, dict) else said
            for key, said in entry["sets"].items()
        }
    return found


def _leaves(tree: Raw, tag: Raw, at: str, problems: list[Problem]) -> Raw:
    found: Raw = {}
    for key, said in tree.items():
        nested = isinstance(said, dict) and "value" not in said
        make = _leaves if nested else _leaf
        found[key] = make(said, tag, f"{at}.{key}", problems)
    return found


def _leaf(said: Any, tag: Raw, at: str, problems: list[Problem]) -> Raw:
    """Return one number with its tags; a number without source and status is refused."""
    own = said if isinstance(said, dict) else {"value": said}
    tagged: Raw = tag | own
    if lacking := [key for key in ("source", "status") if key not in tagged]:
        problems.append(Problem("E532", {"at": at, "missing": ", ".join(lacking)}))
    return tagged


def _row(raw: Raw, row: Mapping[str, str], at: str, problems: list[Problem]) -> None:
    """Merge one line of a CSV; its number is brought to the unit of the entry."""
    try:
        entry = raw[row["file"].removesuffix(".toml")][row["name"]]
        into = entry["sets"][row["set"]] if row["set"] else entry
        unit = into.get("unit", entry["unit"])
    except KeyError as error:
        problems.append(Problem("E528", {"at": at, "key": error.args[0]}))
        return
    try:
        number = Decimal(row["value"]) * exact(factor(row["unit"], unit, at))
    except ArithmeticError:
        problems.append(Problem("E523", {"at": at, "value": row["value"]}))
        return
    except UnitError as error:
        problems.append(of_unit(error, at))
        return
    tagged = {"value": number, "status": row["status"]}
    tagged["source"] = {"key": row["source"], "where": row["where"]}
    if entry["by"] == "constant":
        into["value"] = tagged
    else:
        into.setdefault("values", {})[row["key"]] = tagged


def of_unit(error: UnitError, at: str) -> Problem:
    """Problem with a unit, with its place."""
    (problem,) = error.problems
    if problem.code == "E603":
        return problem
    return Problem("E531", {"at": at, "why": problem.text("en"), "why_zh": problem.text("zh")})


def _merge(old: Raw, new: Raw, numbers: bool = False) -> Raw:
    """Merge tables key by key; a number with its tags replaces what was there, whole."""
    found = old | new
    for key in old.keys() & new.keys():
        tables = isinstance(old[key], dict) and isinstance(new[key], dict)
        number = key == "value" or (numbers and "value" in new[key]) if tables else True
        if tables and not number and key != "source":
            found[key] = _merge(old[key], new[key], numbers or key == "values")
    return found
