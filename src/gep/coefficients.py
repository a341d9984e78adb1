"""Coefficient files: numbers with a unit, a range, a source and a state of verification."""

import math
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.ecosystems import ecosystems, groups
from gep.errors import Problem, UnitError
from gep.overrides import Place, override
from gep.shipped import folder, read_toml
from gep.units import exact, factor, is_money, of_unit, of_year, parse, price_year

REQUIRED = ("title", "description", "unit", "range", "by", "source", "status")
ALLOWED = {*REQUIRED, "symbol", "confidence", "verified_by", "note"} | {
    *("index", "holds", "default", "value", "values", "sets")
}
TAG = ("source", "status", "confidence", "verified_by", "note")
DIMENSIONS = ("constant", "ecosystem", "county", "province", "year", "product")
STATUSES = ("seen", "derived", "recalled", "design")
"""From the strongest to the weakest; a stand-in by design may rest on a remembered number."""
GIVEN = "given"
"""State of a number the user's own tables state."""
CALLER = "caller"
"""File of a number that a call puts in place of one on file."""
NOT_SERVICES = (
    *("prices", "sources", "price_index", "ecosystems", "catalogue", "layers", "quality"),
    "inputs",
    "sensitivity",
)
INDEX = {"unit": "1", "range": [50, 200], "by": "year"}
"""What every price index is: the level of a year, the year before being 100."""
FORMS: dict[str, tuple[type, str]] = {
    "title": (dict, '{ en = "…", zh = "…" }'),
    **dict.fromkeys(("description", "unit", "index", "symbol"), (str, '"…"')),
    "holds": (bool, "true / false"),
}
EXACT = Context(prec=40, rounding=ROUND_HALF_EVEN)
PRINTED = Context(prec=12, rounding=ROUND_HALF_EVEN)

Keys = tuple[str, ...]


@dataclass(frozen=True)
class Value:
    """One number as its source prints it, and where it is from."""

    number: Decimal
    status: str
    confidence: str
    source: str
    where: str
    verified_by: str = ""
    note: str = ""

    @property
    def verified(self) -> str:
        """`yes` if somebody checked it against the printed source, else its status."""
        if self.verified_by == GIVEN:
            return GIVEN
        return "yes" if self.verified_by else self.status


def same_for(found: Iterable["Coefficient"]) -> Callable[[tuple[str, str]], tuple[str, str]]:
    """What of a place and an ecosystem some coefficients depend on: equal for equal numbers."""
    by = {dimension for c in found for dimension in c.by}
    by_place, by_class = bool(by & {"county", "province"}), "ecosystem" in by

    def key(leaf: tuple[str, str]) -> tuple[str, str]:
        return leaf[0] if by_place else "", leaf[1] if by_class else ""

    return key


def weakest(states: Iterable[str]) -> str:
    """Return the weakest of several states of verification; `yes` only if all are."""
    return max(states, key=_ORDER.index, default="yes")


_ORDER = ("yes", GIVEN, *STATUSES)


@lru_cache(1 << 10)
def weaker(state: str, others: tuple[str, ...]) -> str:
    """Return the weakest of a state and others; the leaves of an account have the same few."""
    return weakest((state, *others))


@dataclass(frozen=True)
class Coefficient:
    """One coefficient (one set of it), as it stands in its file."""

    file: str
    name: str
    title: dict[str, str]
    unit: str
    range: tuple[Decimal, Decimal]
    by: tuple[str, ...]
    values: dict[Keys, Value] = field(repr=False)
    set: str = ""
    index: str = ""
    holds: bool = False
    symbol: str = ""
    description: str = ""

    @property
    def at(self) -> str:
        """Place to name in a message: file, name and set."""
        return f"{self.file}: {self.name}" + (f".sets.{self.set}" if self.set else "")

    def find(self, **place: object) -> Value | None:
        """Value for a place given as ecosystem, county, year or product; None if there is none.

        A class beats its group; a year that `holds` serves until the next entry.
        """
        choices: list[list[str]] = [[]]
        for dimension in self.by:
            keys = self._candidates(dimension, place.get(dimension), place.get("county"))
            choices = [[*head, key] for head in choices for key in keys]
        return next((self.values[tuple(c)] for c in choices if tuple(c) in self.values), None)

    def _candidates(self, dimension: str, key: object, county: object) -> list[str]:
        if dimension == "constant":
            return [""]
        if dimension == "province":
            return [str(county)[:2] + "0000", str(county)[:2]]
        if dimension == "year":
            position = self.by.index("year")
            years = sorted({int(keys[position]) for keys in self.values}, reverse=True)
            asked = int(str(key))
            return [str(y) for y in years if (y <= asked if self.holds else y == asked)]
        if dimension == "ecosystem" and key in ecosystems():
            return [str(key), ecosystems()[str(key)].group]
        return [str(key)]

    def table(self, unit: str, counties: list[str], year: int) -> NDArray[np.float64]:
        """Values in *unit*, shape (counties, 256) by class index; NaN where there is none.

        A uint8 class index cannot point outside 256 entries, so the loop needs no bounds check.
        """
        scale = factor(self.unit, unit, self.at)
        rows = counties if {"county", "province"} & {*self.by} else [""]
        table = np.full((len(rows), 256), np.nan)
        for row, county in enumerate(rows):
            for key, ecosystem in ecosystems().items():
                value = self.find(ecosystem=key, county=county, year=year)
                if value is not None:
                    table[row, ecosystem.index] = float(value.number) * scale
        if len(rows) != len(counties):
            table = np.broadcast_to(table, (len(counties), 256))
        return table

    def number(self, unit: str, **place: object) -> tuple[Decimal, Value] | None:
        """Value in *unit* for one place, with its provenance."""
        value = self.find(**place)
        if value is None:
            return None
        scale = exact(factor(self.unit, unit, self.at))
        return EXACT.multiply(value.number, scale), value


@dataclass(frozen=True)
class Price:
    """A price in the money of one year, and how it was had."""

    number: Decimal
    unit: str
    coefficient: str
    value: Value
    value_unit: str
    index: str = ""
    ratio: Decimal = Decimal(1)
    states: tuple[str, ...] = ()


def printed(number: Decimal, ratio: Decimal, scale: Decimal) -> Decimal:
    """Price moved to another year and unit, in the digits that are printed.

    >>> printed(Decimal("6.1107"), Decimal(1) / 3, Decimal(1))
    Decimal('2.03690000000')
    """
    return PRINTED.plus(EXACT.multiply(EXACT.multiply(number, ratio), scale))


@dataclass(frozen=True)
class Book:
    """All coefficients and price indices of a run."""

    services: dict[str, dict[str, dict[str, Coefficient]]]
    defaults: dict[tuple[str, str], str]
    indices: dict[str, Coefficient]
    sources: dict[str, Any]
    files: tuple[Path, ...]
    overridden: tuple[Place, ...] = ()
    on_file: "Book | None" = field(default=None, repr=False, compare=False)
    """The book before a call replaced numbers of it."""

    def coefficient(self, service: str, name: str, chosen: str = "") -> Coefficient | None:
        """Coefficient *name* of *service*, else among the shared prices; a set if it has sets."""
        for file in (service, "prices"):
            sets = self.services.get(file, {}).get(name)
            if sets is not None:
                return sets.get(chosen or self.defaults.get((file, name), ""))
        return None

    def price(
        self, coefficient: Coefficient, unit: str, year: int, **place: object
    ) -> Price | Problem:
        """Price in *unit* in the money of *year*; a W-problem that says why if there is none."""
        where: dict[str, object] = {"at": coefficient.at, "year": year}
        value = coefficient.find(year=year, **place)
        if value is None:
            return Problem("W521", where)
        have = price_year(coefficient.unit) or year
        ratio, states = Decimal(1), [value.verified]
        if have != year:
            if coefficient.index not in self.indices:
                return Problem("W522", where | {"have": have})
            moved = self._ratio(coefficient.index, have, year)
            if isinstance(moved, int):
                return Problem("W523", where | {"index": coefficient.index, "missing": moved})
            ratio, states = moved[0], [value.verified, *sorted(moved[1])]
        want = of_year(unit, year)
        scale = exact(factor(of_year(coefficient.unit, year), want, coefficient.at))
        number = printed(value.number, ratio, scale)
        index = coefficient.index if have != year else ""
        return Price(
            number, want, coefficient.at, value, coefficient.unit, index, ratio, tuple(states)
        )

    def moved(self, index: str, have: int, want: int) -> tuple[Decimal, frozenset[str]] | str:
        """Ratio of an index between two years, with its states; else why there is none."""
        if have == want:
            return Decimal(1), frozenset()
        if index not in self.indices:
            return index or "-"
        found = self._ratio(index, have, want)
        return f"{index} {found}" if isinstance(found, int) else (found[0], frozenset(found[1]))

    def _ratio(self, name: str, have: int, want: int) -> tuple[Decimal, set[str]] | int:
        """Ratio of an index between two years with its states, or the first year it lacks."""
        first, last = sorted((have, want))
        ratio, states = Decimal(1), set()
        for year in range(first + 1, last + 1):
            value = self.indices[name].values.get((str(year),))
            if value is None:
                return year
            ratio = EXACT.multiply(ratio, value.number / 100)
            states.add(value.verified)
        return (ratio if want > have else EXACT.divide(Decimal(1), ratio)), states

    def values(self) -> list[tuple[Coefficient, Keys, Value]]:
        """Every number of the book, one entry each."""
        kept = [
            c for file in self.services.values() for sets in file.values() for c in sets.values()
        ]
        return [(c, k, v) for c in [*kept, *self.indices.values()] for k, v in c.values.items()]


def load(overrides: Path | None = None, shipped: Path | None = None) -> tuple[Book, list[Problem]]:
    """Book of every coefficient file, and everything that is wrong in it."""
    root = shipped or folder("coefficients")
    raw = {path.stem: read_toml(path) for path in sorted(root.glob("*.toml"))}
    files = [*sorted(root.rglob("*.toml"))]
    problems: list[Problem] = []
    overridden: tuple[Place, ...] = ()
    if overrides is not None:
        read, overridden = override(raw, overrides, problems)
        files += read
    reader = _Reader(raw["sources"], problems)
    kept = {f: raw[f] for f in raw if f == "prices" or f not in NOT_SERVICES}
    book: dict[str, dict[str, dict[str, Coefficient]]] = {}
    defaults = {}
    for file, entries in kept.items():
        book[file] = {name: reader.sets(f"{file}.toml", name, e) for name, e in entries.items()}
        for name, entry in entries.items():
            defaults[file, name] = entry.get("default", "")
    indices = {
        name: reader.one("price_index.toml", name, INDEX | entry)
        for name, entry in raw["price_index"].items()
    }
    found = {name: index for name, index in indices.items() if index is not None}
    return Book(book, defaults, found, raw["sources"], tuple(files), overridden), problems


def _range(said: Any) -> tuple[Decimal, Decimal] | None:
    """Lowest and highest possible value; None if that is not what was said."""
    try:
        low, high = (Decimal(number) for number in said)
        return (low, high) if low <= high else None
    except (ArithmeticError, TypeError, ValueError):
        return None


@dataclass
class _Reader:
    """Turns raw entries into coefficients and collects what is wrong with them."""

    sources: dict[str, Any]
    problems: list[Problem]

    def sets(self, file: str, name: str, entry: dict[str, Any]) -> dict[str, Coefficient]:
        """Return the sets of one coefficient by name; a coefficient without sets is the set ''."""
        variants = entry.get("sets")
        if variants is None:
            one = self.one(file, name, entry)
            return {"": one} if one else {}
        if entry.get("default") not in variants:
            self._wrong("E520", at=f"{file}: {name}", missing="default")
        if beside := sorted(entry.keys() & {"value", "values"}):
            key = f"{beside[0]} (there are the sets {', '.join(variants)})"
            self._wrong("E528", at=f"{file}: {name}", key=key)
        shared = {k: v for k, v in entry.items() if k not in ("sets", "default")}
        found = {}
        for key, variant in variants.items():
            one = self.one(file, name, shared | variant, key)
            if one:
                found[key] = one
        return found

    def one(
        self, file: str, name: str, entry: dict[str, Any], chosen: str = ""
    ) -> Coefficient | None:
        """One coefficient, or None after its problems have been noted."""
        at = f"{file}: {name}" + (f".sets.{chosen}" if chosen else "")
        said = entry.get("by", "constant")
        by: Keys = tuple(str(word) for word in (said if isinstance(said, list) else [said]))
        if wrong := [word for word in by if word not in DIMENSIONS]:
            self._wrong("E529", at=at, word=", ".join(wrong), known=", ".join(DIMENSIONS))
            return None
        wanted, other = ("values", "value") if by != ("constant",) else ("value", "values")
        missing = [key for key in (*REQUIRED, wanted) if key not in entry]
        if missing:
            self._wrong("E520", at=at, missing=", ".join(missing))
            return None
        unknown = sorted(entry.keys() - ALLOWED - {"kind"})
        if unknown:
            allowed = ", ".join(sorted(ALLOWED))
            self._wrong("E521", at=at, unknown=", ".join(unknown), allowed=allowed)
        if (bounds := _range(entry["range"])) is None:
            self._wrong("E520", at=at, missing="range = [lowest, highest]")
            return None
        if other in entry:
            self._wrong("E528", at=at, key=f"{other} (by = {', '.join(by)}: {wanted})")
        if malformed := [
            f"{key} = {form}"
            for key, (kind, form) in FORMS.items()
            if key in entry and not isinstance(entry[key], kind)
        ]:
            self._wrong("E520", at=at, missing=", ".join(malformed))
            return None
        if is_money(entry["unit"]) and bounds[0] < 0:
            fields = {"at": at, "unit": entry["unit"], "low": bounds[0], "high": bounds[1]}
            self._wrong("E536", **fields)
        coefficient = Coefficient(
            file=file,
            name=name,
            title=entry["title"],
            unit=entry["unit"],
            range=bounds,
            by=by,
            values={},
            set=chosen,
            index=entry.get("index", ""),
            holds=entry.get("holds", False),
            symbol=entry.get("symbol", ""),
            description=entry["description"],
        )
        if not self._unit(coefficient):
            return None
        tree = {"": entry["value"]} if wanted == "value" else entry["values"]
        tag = {key: entry[key] for key in TAG if key in entry}
        values = {k: v for k, v in self._leaves(coefficient, tree, by, tag, ()) if v is not None}
        return replace(coefficient, values=values)

    def _unit(self, coefficient: Coefficient) -> bool:
        """Check that the unit is known and that money is dated; False leaves nothing to use."""
        if is_money(coefficient.unit):
            dated = price_year(coefficient.unit) is not None or "year" in coefficient.by
            if not dated:
                self._wrong("E525", at=coefficient.at, unit=coefficient.unit)
        try:
            parse(coefficient.unit)
        except UnitError as error:
            self.problems.append(of_unit(error, coefficient.at))
            return False
        return True

    def _leaves(
        self, c: Coefficient, tree: dict[str, Any], by: Keys, tag: dict[str, Any], head: Keys
    ) -> Iterable[tuple[Keys, Value | None]]:
        if not isinstance(tree, dict):
            at = f"{c.at}.{'.'.join(head)}".rstrip(".")
            self._wrong("E520", at=at, missing=f"values by {by[0]}")
            return
        for key, entry in tree.items():
            keys = (*head, key)
            if len(by) > 1:
                yield from self._leaves(c, entry, by[1:], tag, keys)
            else:
                at = f"{c.at}.{'.'.join(keys)}".rstrip(".")
                if "ecosystem" in c.by:
                    word = keys[c.by.index("ecosystem")]
                    if word not in ecosystems() and word not in groups():
                        self._wrong("E526", at=at, word=word)
                if "year" in c.by and not keys[c.by.index("year")].isdecimal():
                    self._wrong("E530", at=at, word=keys[c.by.index("year")])
                    continue
                yield keys, self._value(c, at, entry, tag)

    def _value(self, c: Coefficient, at: str, entry: Any, tag: dict[str, Any]) -> Value | None:
        own = dict(entry) if isinstance(entry, dict) else {"value": entry}
        if "status" in own:
            tag = {k: v for k, v in tag.items() if k not in ("confidence", "verified_by", "note")}
        merged = tag | own
        said = merged.get("value")
        number = Decimal("NaN")
        if isinstance(said, int | str | Decimal) and not isinstance(said, bool):
            with suppress(ArithmeticError):
                number = Decimal(said)
        if not math.isfinite(number):
            self._wrong("E523", at=at, value=str(said))
            return None
        low, high = c.range
        if not low <= number <= high:
            self._wrong("E522", at=at, value=number, low=low, high=high)
        for key in ("confidence", "verified_by", "note"):
            if not isinstance(merged.get(key, ""), str):
                self._wrong("E520", at=at, missing=f'{key} = "…"')
        source, status = merged["source"], merged["status"]
        if not isinstance(source, dict):
            source = {"key": source}
        if source.get("key") not in self.sources:
            self._wrong("E524", at=at, key=source.get("key"))
        if status not in STATUSES:
            self._wrong("E527", at=at, status=status, known=", ".join(STATUSES))
            status = STATUSES[-1]
        return Value(
            number,
            status,
            merged.get("confidence", ""),
            source.get("key", ""),
            source.get("where", ""),
            merged.get("verified_by", ""),
            merged.get("note", ""),
        )

    def _wrong(self, code: str, **fields: object) -> None:
        self.problems.append(Problem(code, fields))
