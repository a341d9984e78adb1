"""Prices of many scenarios as a call says them: texts, numbers with a unit, or a data frame."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gep.errors import InputError, Problem
from gep.replacements import number, wrong

CALL = "Result.reprice"


@dataclass(frozen=True)
class Series:
    """One price: its number and unit in every scenario, and the texts they were said as."""

    name: str
    numbers: list[Decimal]
    units: list[str]
    texts: list[str]

    def ends(self) -> Iterator[int]:
        """Scenarios of the lowest and of the highest number of every unit."""
        by_unit: dict[str, list[int]] = {}
        for n, unit in enumerate(self.units):
            by_unit.setdefault(unit, []).append(n)
        for kept in by_unit.values():
            yield min(kept, key=self.numbers.__getitem__)
            yield max(kept, key=self.numbers.__getitem__)


def read(prices: Any) -> tuple[list[Series], list[Any]]:
    """Prices by name, and the labels of the scenarios.

    Raises
    ------
    InputError
        E019 no number, or no scenario; E734 as many numbers of each price, E735 no series.
    """
    named = [_said(str(name), column) for name, column in _columns(prices)]
    if not named or not named[0].texts:
        raise wrong(CALL, "prices: no scenario", "prices：没有情景")
    count = len(named[0].texts)
    for series in named:
        if len(series.texts) != count:
            fields = {"call": CALL, "name": series.name, "count": len(series.texts)}
            fields |= {"other": named[0].name, "others": count}
            raise InputError(Problem("E734", fields))
    index = getattr(prices, "index", None)
    plain = getattr(index, "nlevels", 0) == 1
    return named, list(index) if index is not None and plain else list(range(count))


def _columns(prices: Any) -> Iterable[tuple[Any, Any]]:
    """Series by name; those of a frame with the units in its attrs or its columns."""
    if isinstance(prices, Mapping):
        return prices.items()
    if not hasattr(prices, "columns"):
        raise _no_series("prices", prices)
    said = prices.attrs.get("units", "")
    units = said if isinstance(said, Mapping) else dict.fromkeys(prices.columns, said)
    keys = [key if isinstance(key, tuple) else (key, units.get(key, "")) for key in prices.columns]
    if any(len(key) != 2 for key in keys):
        raise _no_series("prices", prices)
    columns = (column.to_numpy() for _, column in prices.items())
    return [(key[0], (column, key[1])) for key, column in zip(keys, columns, strict=True)]


def _said(name: str, said: Any) -> Series:
    """One price as it is said: texts, or numbers with one unit beside them or in their attrs."""
    unit = getattr(said, "attrs", {}).get("units", "")
    pair = isinstance(said, tuple) and len(said) == 2 and not isinstance(said[0], str)
    if pair and isinstance(said[1], str):
        said, unit = said
    if isinstance(said, str | bytes | Mapping) or not isinstance(unit, str):
        raise _no_series(name, said)
    try:
        plain = said.to_numpy() if hasattr(said, "to_numpy") else said
        cells = plain.tolist() if hasattr(plain, "tolist") else list(plain)
    except TypeError:
        raise _no_series(name, said) from None
    if not isinstance(cells, list) or any(isinstance(cell, list | tuple) for cell in cells):
        raise _no_series(name, said)
    texts = [f"{cell} {unit}".strip() for cell in cells]
    parts = [text.partition(" ") for text in texts]
    numbers = [number(digits, name, CALL) for digits, _, _ in parts]
    for found, text in zip(numbers, texts, strict=True):
        if found is None:
            raise wrong(CALL, f"{name}: not a number: {text}", f"{name}：不是数字：{text}")
    known = [found for found in numbers if found is not None]
    return Series(name, known, [part[2].strip() for part in parts], texts)


def _no_series(name: str, said: Any) -> InputError:
    return InputError(Problem("E735", {"call": CALL, "name": name, "kind": type(said).__name__}))
