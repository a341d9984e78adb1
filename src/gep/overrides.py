"""Numbers a user puts in place of those shipped: one TOML, one CSV, or a folder of both."""

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from gep.errors import InputError, Problem, UnitError
from gep.shipped import read_toml
from gep.text import decode
from gep.units import FIRST_YEAR, exact, factor, of_unit, of_year, price_year

FIXED = ("ecosystems", "layers", "catalogue", "quality", "inputs")
"""Files that are not numbers of the account: nothing of them can be overridden."""
OPEN = ("sources", "price_index")
"""Files an override may add entries to."""
TAG = ("source", "status", "confidence", "verified_by", "note")
MEANING = ("unit", "index", "by", "holds")
"""What a number means: it changes together with the number or not at all."""
COLUMNS = ("file", "name", "set", "key", "value", "unit", "source", "where", "status")
MORE = ("confidence", "verified_by", "note")
"""Columns a CSV may have beside those it must have; they are tags of the number too."""
IGNORED = ("description",)
"""Column that `gep show --csv` prints for people."""
TABLES = (".csv", ".xlsx", ".xls")
"""Endings read as a table in a folder; a workbook is refused there, not passed over."""

Raw = dict[str, Any]
Place = tuple[str, str, str]
"""File without its ending, coefficient, set."""
Number = tuple[str, ...]
"""A place and the key of one number."""


def override(raw: Raw, path: Path, problems: list[Problem]) -> tuple[list[Path], tuple[Place, ...]]:
    """Merge the overrides at *path* into the raw entries by file.

    Return the files read, and the coefficients and sets whose numbers they replace. An overriding
    number brings its own source and status: it never inherits those of the number it replaces.
    """
    files = _files(path)
    touched: list[Place] = []
    taken: dict[Number, tuple[str, int]] = {}
    said = 0
    for file in files:
        if file.suffix == ".toml":
            for stem, name, entry in _entries(file, whole=file == path):
                said += 1
                touched += _entry(raw, stem, name, entry, file, problems)
                taken |= dict.fromkeys(_numbers(stem, name, entry), (file.name, 0))
            continue
        for line, row in _rows(file):
            said += 1
            number = (row["file"], row["name"], row["set"], row["key"])
            before = taken.setdefault(number, (file.name, line))
            if before != (file.name, line):
                problems.append(_twice(f"{file.name}:{line}", number, before))
            _row(raw, row, f"{file.name}:{line}", problems)
            touched.append(number[:3])
    if not said:
        problems.append(Problem("E535", {"file": path.name}))
    return files, tuple(dict.fromkeys(touched))


def _files(path: Path) -> list[Path]:
    """Files of an override: the one named, or those of a folder, tables last."""
    if not path.is_dir():
        return [path]
    tables = [file for file in path.iterdir() if file.suffix.lower() in TABLES]
    return [*sorted(path.glob("*.toml")), *sorted(tables)]


def _entries(file: Path, whole: bool) -> Iterator[tuple[str, str, Raw]]:
    """Entries of a TOML by file and name; one that is the *whole* override names the files."""
    raw = read_toml(file)
    for stem, inner in (raw if whole else {file.stem: raw}).items():
        for name, entry in _table(file.name, stem, inner).items():
            yield stem, name, _table(file.name, name, entry)


def _numbers(file: str, name: str, entry: Raw) -> Iterator[Number]:
    """Every number an entry of a TOML states, as a line of a CSV would call it."""
    for chosen, said in {"": entry, **entry.get("sets", {})}.items():
        keys = said.get("values")
        for key in [*([""] if "value" in said else []), *(keys if isinstance(keys, dict) else [])]:
            yield file, name, chosen, key


def _twice(at: str, number: Number, before: tuple[str, int]) -> Problem:
    """Problem of a number that two lines, or two files, replace."""
    fields: dict[str, object] = {"at": at, "key": " / ".join(filter(None, number))}
    if at.startswith(f"{before[0]}:"):
        return Problem("E505", fields | {"line": before[1]})
    return Problem("E551", fields | {"other": before[0]})


def _table(file: str, name: str, entry: Any) -> Raw:
    """Return what stands under *name*, which must be a table."""
    if isinstance(entry, dict):
        return entry
    why = f"[{name}] value = {entry}"
    fields = {"file": file, "key": name, "value": entry, "why": why, "why_zh": why}
    raise InputError(Problem("E003", fields))


def _entry(
    raw: Raw, file: str, name: str, entry: Raw, path: Path, problems: list[Problem]
) -> Iterator[Place]:
    """Merge one entry; only sources and price indices may be new."""
    known = raw.get(file, {})
    at = f"{path.name}: {name}" if file == path.stem else f"{path.name}: {file}.{name}"
    if file in FIXED or (name not in known and file not in OPEN):
        problems.append(Problem("E528", {"at": path.name, "key": f"{file}.{name}"}))
    elif file == "sources":
        known[name] = _merge(known.get(name, {}), entry)
    elif name not in known:
        known[name] = _unranged(entry, at, problems)
    else:
        known[name] = _merge(known[name], _tagged(entry, known[name], at, problems))
        if "default" in entry:
            yield file, name, str(entry["default"])
        for key, said in {"": entry, **entry.get("sets", {})}.items():
            if said.keys() & {"value", "values"}:
                yield file, name, key


def _unranged(entry: Raw, at: str, problems: list[Problem]) -> Raw:
    """Entry without a range, which only the shipped files set."""
    if "range" in entry:
        problems.append(Problem("E533", {"at": at}))
    return {key: said for key, said in entry.items() if key != "range"}


def _tagged(entry: Raw, old: Raw, at: str, problems: list[Problem]) -> Raw:
    """Entry whose numbers carry the tags that stand beside them, and no others."""
    entry = _unranged(entry, at, problems)
    tag = {key: entry[key] for key in TAG if key in entry}
    numbers = entry.keys() & {"value", "values"}
    unsaid = [key for key in MEANING if key in entry and numbers != {"value"}]
    unsaid += [key for key in tag if not numbers]  # of no number of the user's own
    if old and unsaid:
        problems.append(Problem("E534", {"at": at, "keys": ", ".join(unsaid)}))
        entry = {key: said for key, said in entry.items() if key not in unsaid}
    found = {key: said for key, said in entry.items() if not (numbers and key in TAG)}
    if isinstance(entry.get("unit"), str) and {"range", "unit"} <= old.keys():
        found["range"] = _range(old, entry["unit"], at)
    if "value" in entry:
        found["value"] = _leaf(entry["value"], tag, at, problems)
    if isinstance(entry.get("values"), dict):
        found["values"] = _leaves(entry["values"], tag, at, problems)
    if "sets" in entry:
        shared = {key: said for key, said in old.items() if key != "sets"}
        olds = old.get("sets", {})
        found["sets"] = {
            key: _tagged(
                _table(at, f"sets.{key}", said),
                shared | olds[key] if key in olds else {},
                f"{at}.sets.{key}",
                problems,
            )
            for key, said in _table(at, "sets", entry["sets"]).items()
        }
    return found


def _range(old: Raw, unit: str, at: str) -> list[Decimal]:
    """Range of the shipped number in the unit of the number that replaces it."""
    try:
        scale = factor(of_year(old["unit"], FIRST_YEAR), of_year(unit, FIRST_YEAR), at)
    except UnitError:  # said where the unit is used
        scale = 1.0
    return [exact(float(bound) * scale) for bound in old["range"]]


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


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Lines of a CSV that are not empty, by number, their cells without blanks around them."""
    try:
        lines = list(csv.reader(io.StringIO(decode(path)), strict=True))
    except csv.Error as error:
        raise InputError(Problem("E511", {"file": path.name, "why": error})) from None
    header = [cell.strip() for cell in lines[0]] if lines else []
    wrong = [
        Problem("E502", {"file": path.name, "column": column, "known": ", ".join(header)})
        for column in COLUMNS
        if any(header) and column not in header
    ]
    known = (*COLUMNS, *MORE, *IGNORED)
    if twice := [column for column in known if header.count(column) > 1]:
        wrong.append(Problem("E508", {"file": path.name, "columns": ", ".join(twice)}))
    if strange := sorted({*header} - {*known, ""}):
        allowed = {"unknown": ", ".join(strange), "allowed": ", ".join(known)}
        wrong.append(Problem("E521", {"at": path.name} | allowed))
    if wrong:
        raise InputError(*wrong)
    for number, line in enumerate(lines[1:], 2):
        cells = [cell.strip() for cell in line]
        if any(cells[len(header) :]):
            fields = {"at": f"{path.name}:{number}", "found": len(line), "want": len(header)}
            raise InputError(Problem("E512", fields))
        if any(cells):
            row = dict.fromkeys((*COLUMNS, *MORE), "") | dict(zip(header, cells, strict=False))
            row["file"] = row["file"].removesuffix(".toml")
            yield number, row


def _row(raw: Raw, row: Mapping[str, str], at: str, problems: list[Problem]) -> None:
    """Merge one line of a CSV; its number is brought to the unit of the entry."""
    try:
        if row["file"] in (*FIXED, "sources"):
            raise KeyError(row["file"])
        entry = raw[row["file"]][row["name"]]
        into = entry["sets"][row["set"]] if row["set"] else entry
    except KeyError as error:
        problems.append(Problem("E528", {"at": at, "key": error.args[0]}))
        return
    said = {"unit": "1", "by": "year"} | entry | into
    constant, unit = said["by"] == "constant", said["unit"]
    if constant == bool(row["key"]):
        problems.append(Problem("E528", {"at": at, "key": f"key {row['key'] or '-'}"}))
        return
    if not row["unit"]:
        problems.append(Problem("E532", {"at": at, "missing": "unit"}))
        return
    year = price_year(row["unit"])
    if constant and year not in (None, price_year(unit)):
        unit = into["unit"] = of_year(unit, year)  # of another year: no index stands between
    try:
        number = Decimal(row["value"]) * exact(factor(row["unit"], unit, at))
    except ArithmeticError:
        problems.append(Problem("E523", {"at": at, "value": row["value"]}))
        return
    except UnitError as error:
        problems.append(of_unit(error, at))
        return
    tagged: Raw = {"value": number, "status": row["status"]}
    tagged |= {key: row[key] for key in MORE if row[key]}
    tagged["source"] = {"key": row["source"], "where": row["where"]}
    if constant:
        into["value"] = tagged
    else:
        into.setdefault("values", {})[row["key"]] = tagged


def _merge(old: Raw, new: Raw, numbers: bool = False) -> Raw:
    """Merge tables key by key; a number with its tags replaces what was there, whole."""
    found = old | new
    if "by" in new and "value" in new:
        found.pop("values", None)
    for key in old.keys() & new.keys():
        tables = isinstance(old[key], dict) and isinstance(new[key], dict)
        number = key == "value" or (numbers and "value" in new[key]) if tables else True
        if tables and not number and key != "source":
            found[key] = _merge(old[key], new[key], numbers or key == "values")
    return found
