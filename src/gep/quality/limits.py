"""Limits of the quality rules, as they stand in coefficients/quality.toml."""

from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from gep.ecosystems import Title
from gep.shipped import folder, read_toml

ENDLESS = Decimal("Infinity")


@dataclass(frozen=True)
class Limit:
    """What passes, from `low` to `high` in `unit`, and where that is from.

    `line` is what is held against it (service.indicator, table.column or layer), `ecosystems` the
    classes or groups it is per, `of` another figure of the line than its quantity.
    """

    name: str
    low: Decimal
    high: Decimal
    unit: str
    source: str
    where: str
    status: str
    note: str = ""
    line: str = ""
    ecosystems: tuple[str, ...] = ()
    of: str = ""

    def passes(self, number: Decimal) -> bool:
        """Whether a number lies within the limit, ends included."""
        return self.low <= number <= self.high

    def beyond(self, number: Decimal) -> Decimal:
        """How many times past the nearer end a positive number lies; 1 is on it.

        >>> Limit("", Decimal(4), Decimal(8), "1", "", "", "").beyond(Decimal(2))
        Decimal('2')
        """
        if number <= 0:
            return ENDLESS
        return max(number / self.high, self.low / number)


@dataclass(frozen=True)
class Rule:
    """One quality rule: its title, what breaking it does, and its limits by name.

    `identities` and `codes` name what already checks it: accounting identities, findings.
    """

    name: str
    title: Title
    action: str
    description: str
    limits: dict[str, Limit]
    identities: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()


@cache
def rules() -> dict[str, Rule]:
    """Every rule by name, in the order of the file."""
    entries = read_toml(folder("coefficients") / "quality.toml")
    return {
        name: Rule(
            name,
            Title(**entry["title"]),
            entry["action"],
            entry["description"],
            {key: _limit(key, said) for key, said in entry.get("limits", {}).items()},
            tuple(entry.get("identities", ())),
            tuple(entry.get("codes", ())),
        )
        for name, entry in entries.items()
    }


def _limit(name: str, said: dict[str, Any]) -> Limit:
    return Limit(
        name,
        Decimal(said.get("low", -ENDLESS)),
        Decimal(said.get("high", ENDLESS)),
        said["unit"],
        said["source"]["key"],
        said["source"]["where"],
        said["status"],
        said.get("note", ""),
        said.get("line", ""),
        tuple(said.get("ecosystems", ())),
        said.get("of", ""),
    )
