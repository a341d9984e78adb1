"""What changed between two accounts, leaf by leaf: area, quantity per area, price, other."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

from gep.compare.changes import (
    AMOUNTS,
    BOUNDARY,
    MISSING,
    ONE_SIDE,
    REMAINDER,
    Change,
    added,
    leaf_change,
)
from gep.compare.sides import Key, Side, leaf, parted
from gep.cube import money
from gep.errors import IdentityError, InputError, Problem, stop_on
from gep.identities import cents
from gep.tables import Row

if TYPE_CHECKING:
    import pandas

LEVELS = ("county", "service", "indicator", "ecosystem")
"""What changes can be summed by, in the order of a leaf."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Differences between two accounts that add up: every leaf, and its sums.

    Money is in CNY of each account's price year; data frames hold exact decimals, None where
    there is no amount. `problems` are W560 to W566.
    """

    before: Side
    after: Side
    changes: dict[Key, Change]
    problems: tuple[Problem, ...]

    def __repr__(self) -> str:
        """Both names, and the table of services."""
        head = f"Comparison {self.before.name} → {self.after.name}"
        return f"{head}\n{self.services.to_string(index=False)}"

    @cached_property
    def total(self) -> Change:
        """Change of everything together, in cents."""
        return added(self.changes.values())

    @cached_property
    def rows(self) -> "pandas.DataFrame":
        """One row per county, service, indicator and ecosystem, with why all of it is `other`.

        `reason` is empty where the change is split, else `boundary` (the county is in one account
        only), `one_side` (counted in one only), `missing` (no amount in one), `unpriced` (money
        without a quantity and a price).
        """
        import pandas

        reasons = [change.reason for change in self.changes.values()]
        found = pandas.DataFrame(self.table(*LEVELS), columns=[*columns(*LEVELS), *AMOUNTS])
        return found.assign(reason=reasons)

    @cached_property
    def counties(self) -> "pandas.DataFrame":
        """Sums by county."""
        return self.by("county")

    @cached_property
    def services(self) -> "pandas.DataFrame":
        """Sums by service."""
        return self.by("service")

    @cached_property
    def ecosystems(self) -> "pandas.DataFrame":
        """Sums by ecosystem."""
        return self.by("ecosystem")

    def by(self, *levels: str) -> "pandas.DataFrame":
        """Sums by any of `county`, `service`, `indicator`, `ecosystem`.

        Raises
        ------
        InputError
            E561 if one of *levels* is none of these or stands twice, or none is given.
        """
        import pandas

        found = self.table(*levels)
        return pandas.DataFrame(found, columns=[*columns(*levels), *AMOUNTS])

    def table(self, *levels: str) -> list[Row]:
        """Rows of `by` without pandas."""
        found: list[Row] = []
        for key, change in self.sums(*levels).items():
            row: Row = {}
            for level, word in zip(whole(levels), key, strict=True):
                named = {"county_code": word, "county_name": self.county_names.get(word, "")}
                row |= named if level == "county" else {level: word}
            found.append(row | change.amounts())
        return found

    def sums(self, *levels: str) -> dict[tuple[str, ...], Change]:
        """Changes in cents summed by *levels*; an indicator goes with its service."""
        kept = [LEVELS.index(level) for level in whole(levels)]
        groups: dict[tuple[str, ...], list[Change]] = defaultdict(list)
        for key, change in self.changes.items():
            groups[tuple(key[number] for number in kept)].append(change)
        return {key: added(changes) for key, changes in groups.items()}

    def lacking(self, *levels: str) -> set[tuple[str, ...]]:
        """Return the keys of `sums` that hold an amount one account lacks."""
        kept = [LEVELS.index(level) for level in whole(levels)]
        lost = (key for key, change in self.changes.items() if change.one_missing)
        return {tuple(key[number] for number in kept) for key in lost}

    @cached_property
    def county_names(self) -> dict[str, str]:
        """Name of every county by its code; that of the later account where they differ."""
        rows = (*self.before.counties, *self.after.counties)
        return {row["code"]: row["name"] for row in rows if row["level"] == "county"}

    @cached_property
    def quantities(self) -> "pandas.DataFrame":
        """Quantity of every indicator in both accounts, with how many leaves have none."""
        import pandas

        return pandas.DataFrame(self.quantity_table(), columns=list(QUANTITY_COLUMNS))

    def quantity_table(self) -> list[Row]:
        """Rows of `quantities` without pandas."""
        sides = _quantities(self.before), _quantities(self.after)
        found: list[Row] = []
        for key in dict.fromkeys((*sides[1], *sides[0])):
            one, two = (side.get(key, (None, "", 0)) for side in sides)
            difference = None if one[0] is None or two[0] is None else two[0] - one[0]
            row = (*key, one[0], two[0], difference, two[1] or one[1], one[2], two[2])
            found.append(dict(zip(QUANTITY_COLUMNS, row, strict=True)))
        return found

    @cached_property
    def others(self) -> dict[str, tuple[int, int]]:
        """Leaves and cents under `other` by reason; the reason of rounding is empty."""
        leaves: Counter[str] = Counter()
        sums: Counter[str] = Counter()
        for change in self.changes.values():
            if change.other or change.one_missing:
                leaves[change.reason] += 1
                sums[change.reason] += change.other
        return {reason: (leaves[reason], sums[reason]) for reason in leaves}

    @cached_property
    def same(self) -> bool:
        """Tell whether no quantity and no value differs, counted or not."""
        return _written(self.before) == _written(self.after)


SHOWN = 5
"""How many of the leaves on one side only a message names."""
QUANTITY_COLUMNS = (
    *("service", "indicator", "before", "after", "difference", "unit"),
    *("missing_before", "missing_after"),
)


def whole(levels: tuple[str, ...]) -> tuple[str, ...]:
    """Levels in full: an indicator stands behind its service.

    >>> whole(("county", "indicator"))
    ('county', 'service', 'indicator')

    Raises
    ------
    InputError
        E561 if one of *levels* is no level or stands twice, or there is none.
    """
    if not levels or not {*levels} <= {*LEVELS} or len({*levels}) < len(levels):
        said = ", ".join(levels) or "-"
        raise InputError(Problem("E561", {"levels": said, "known": ", ".join(LEVELS)}))
    if "service" in levels or "indicator" not in levels:
        return levels
    at = levels.index("indicator")
    return (*levels[:at], "service", *levels[at:])


def columns(*levels: str) -> list[str]:
    """Names of the columns that tell sums by *levels* apart."""
    names = {"county": ["county_code", "county_name"]}
    return [name for level in whole(levels) for name in names.get(level, [level])]


def _quantities(side: Side) -> dict[tuple[str, str], tuple[Decimal | None, str, int]]:
    """Quantity, unit and leaves without one, of every indicator that has a unit."""
    sums: dict[tuple[str, str], Decimal] = {}
    units: dict[tuple[str, str], str] = {}
    missing: Counter[tuple[str, str]] = Counter()
    for row in side.rows:
        if row["quantity_unit"]:
            key = row["service"], row["indicator"]
            units[key] = row["quantity_unit"]
            if row["quantity"]:
                sums[key] = sums.get(key, Decimal(0)) + Decimal(row["quantity"])
            else:
                missing[key] += 1
    return {key: (sums.get(key), unit, missing[key]) for key, unit in units.items()}


def _written(side: Side) -> dict[Key, tuple[Decimal | str, ...]]:
    """Quantity and value of every leaf, with their units."""
    return {
        leaf(row): (
            *(Decimal(row[name]) if row[name] else "" for name in ("quantity", "value")),
            *(row["quantity_unit"], row["value_unit"]),
        )
        for row in side.rows
    }


def compare(before: Side, after: Side) -> Comparison:
    """Differences from one account to another, split into what made them.

    Raises
    ------
    InputError
        E560 an indicator is in one unit before and in another after.
    IdentityError
        E565 the differences do not add up to those of the accounts.
    """
    stop_on(_units(before, after))
    keys = dict.fromkeys((*after.leaves, *before.leaves))
    changes = {key: leaf_change(key, before, after) for key in keys}
    problems = (*parted(before, after), *_unsplit(before, after, changes))
    found = Comparison(before, after, changes, problems)
    _adds_up(found)
    return found


def _units(before: Side, after: Side) -> Iterator[Problem]:
    """Yield E560 for every indicator whose quantity or price is in two units."""
    one, two = _stated(before), _stated(after)
    for key, unit in one.items():
        if two.get(key, unit) != unit:
            service, indicator, _ = key
            fields = {"service": service, "indicator": indicator, "unit": unit, "other": two[key]}
            yield Problem("E560", fields | {"before": before.name, "after": after.name})


def _stated(side: Side) -> dict[tuple[str, str, str], str]:
    """Unit of the quantity and of the price of every indicator, without the year of the money."""
    return {
        (row["service"], row["indicator"], kind): re.sub(r"^CNY_\d+", "CNY", row[kind])
        for row in side.rows
        for kind in ("quantity_unit", "price_unit")
        if row[kind]
    }


def _unsplit(before: Side, after: Side, changes: dict[Key, Change]) -> Iterator[Problem]:
    """Yield W564 to W566: what is on one side only and stands under `other` as a whole."""
    names: dict[str, object] = {"before": before.name, "after": after.name}
    for code, reason, kept in (
        ("W564", ONE_SIDE, slice(1, 3)),
        ("W565", MISSING, slice(0, 3)),
        ("W566", BOUNDARY, slice(0, 1)),
    ):
        leaves = {
            key: change
            for key, change in changes.items()
            if change.reason == reason and (reason != MISSING or change.one_missing)
        }
        if leaves:
            listed = list(dict.fromkeys(" ".join(key[kept]) for key in leaves))
            shown = [*listed[:SHOWN], *(["…"] if len(listed) > SHOWN else [])]
            fields: dict[str, object] = {"count": len(leaves), "listed": ", ".join(shown)}
            fields |= {"listed_zh": "、".join(shown)}
            fields |= {"money": f"{money(sum(c.other for c in leaves.values())):,.2f}"}
            yield Problem(code, names | fields)


def _adds_up(found: Comparison) -> None:
    """Raise IdentityError E565 unless every sum is that of the accounts, to the cent."""
    wrong = [
        Problem("E565", {"name": " ".join(key), "left": left, "right": right})
        for key, left, right in _compared(found)
        if left != right
    ]
    if wrong:
        raise IdentityError(*wrong)


def _compared(found: Comparison) -> Iterator[tuple[tuple[str, ...], object, object]]:
    """Yield what must be equal: effects and differences, and sums and the tables of counties."""
    levels = [found.sums(level) for level in LEVELS] + [{("total",): found.total}]
    for sums in levels:
        for key, one in sums.items():
            yield key, one.effects, one.difference
    for key, one in found.changes.items():
        if not one.reason:
            yield key, abs(one.other), min(abs(one.other), REMAINDER)
    by_county = {key[0]: one for key, one in found.sums("county").items()}
    for side, name in ((found.before, "before"), (found.after, "after")):
        for row in side.counties:
            if row["level"] == "city":
                continue
            whole = row["level"] == "province"
            own = found.total if whole else by_county.get(row["code"], Change(None, None))
            yield (side.name, row["code"]), getattr(own, name) or 0, cents(row["gep"]) or 0
