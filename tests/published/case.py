"""A published case: its file, its expected numbers by name, and what it allows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"
"""Folder of the cases beside the project; their own `expected` and `tolerance` are held."""

SHORT = 3
"""Lists up to this long say different things: a whole and its part, a value and its area."""

Said = dict[str, Any]
"""A case as its file says it, under `inputs`, `expected`, `tolerance`, `detects` and others."""


def read(name: str) -> Said:
    """Return the case of that name."""
    found: Said = json.loads((CASES / f"{name}.json").read_text("utf-8"))
    return found


def leaves(tree: Any, head: str = "") -> dict[str, float]:
    """Numbers of nested dictionaries and lists by dotted name.

    >>> leaves({"a": {"b": 1}, "c": [2, 3]})
    {'a.b': 1.0, 'c.0': 2.0, 'c.1': 3.0}
    """
    entries = dict(enumerate(tree)) if isinstance(tree, list) else tree
    if not isinstance(entries, dict):
        return {head: float("nan") if entries is None else float(entries)}
    found: dict[str, float] = {}
    for key, entry in entries.items():
        found |= leaves(entry, f"{head}.{key}" if head else str(key))
    return found


def allowed(said: Said, name: str, wanted: float) -> float:
    """Largest difference a case allows: the first rule whose `match` is found in the name."""
    rules = said["tolerance"]
    rules = rules if isinstance(rules, list) else [rules]
    rule = next(r for r in rules if re.search(r.get("match", "."), name))
    return max(rule.get("abs", 0.0), rule.get("rel", 0.0) * abs(wanted))


def apart(said: Said, found: dict[str, float], times: float = 1.0) -> list[str]:
    """Names of the numbers that, taken so many times, are not those the case expects."""
    wanted = leaves(said["expected"])
    return [
        name
        for name, ours in found.items()
        if not abs(ours * times - wanted[name]) <= allowed(said, name, wanted[name])
    ]


def farthest(said: Said, found: dict[str, float]) -> tuple[float, str]:
    """Largest relative difference from the printed numbers, and where it is; not at a 0."""
    wanted = {name: number for name, number in leaves(said["expected"]).items() if number}
    return max((abs(n / wanted[name] - 1), name) for name, n in found.items() if name in wanted)


def raised(tree: Any, head: str = "", times: float = 1.01) -> Iterator[tuple[str, Any]]:
    """Yield the inputs with one number, or one long list of numbers, 1 % higher, and its name."""
    entries = dict(enumerate(tree)) if isinstance(tree, list) else tree
    for key, entry in entries.items():
        name = f"{head}.{key}" if head else str(key)
        copy = list(tree) if isinstance(tree, list) else dict(tree)
        if _is_number(entry):
            copy[key] = entry * times
            yield name, copy
        elif isinstance(entry, list) and len(entry) > SHORT and all(map(_is_number, entry)):
            copy[key] = [number * times for number in entry]
            yield name, copy
        elif isinstance(entry, list | dict):
            for inner, changed in raised(entry, name, times):
                copy = list(tree) if isinstance(tree, list) else dict(tree)
                copy[key] = changed
                yield inner, copy


def _is_number(entry: Any) -> bool:
    return isinstance(entry, int | float) and not isinstance(entry, bool)
