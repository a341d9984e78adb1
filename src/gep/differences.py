"""A comparison as the command line shows it, in either language, and as plain data."""

from typing import TYPE_CHECKING, Any

from gep.compare import columns, whole
from gep.compare.changes import AMOUNTS, EFFECTS, MISSING, Change
from gep.cube import money
from gep.ecosystems import ecosystems
from gep.outputs import csv
from gep.profile import catalogue
from gep.tables import ten_thousands
from gep.terminal import aligned, ruled
from gep.words import WORDS

if TYPE_CHECKING:
    from gep.compare import Comparison
    from gep.compare.sides import Side

HEADS = {"county": "place", "ecosystem": "by_ecosystem"}
MARK = " *"
"""Behind a sum that holds an amount one account lacks."""
REASONS = {"": "rounding", MISSING: "missing_side"}


def heading(found: "Comparison", language: str) -> str:
    """Names, years, price years and profiles of the two accounts."""
    words = WORDS[language]
    prices = {
        name: words["prices_of"].format(year=side.price_year)
        for name, side in (("before", found.before), ("after", found.after))
    }
    rows = [
        (words[name], side.name, side.account, str(side.year), prices[name], side.profile)
        for name, side in (("before", found.before), ("after", found.after))
    ]
    lines = [aligned(rows)]
    if found.before.price_year != found.after.price_year:
        lines.append(words["two_prices"].format(**prices))
    return "\n".join([*lines, words["ten_thousands"]])


def table(found: "Comparison", levels: tuple[str, ...], language: str) -> str:
    """Money before and after, the difference and its parts in 万元, summed by *levels*."""
    words = WORDS[language]
    labels = whole(levels)
    numbers = ("before", "after", "difference", "percent", *(f"by_{name}" for name in EFFECTS))
    rows = [[*(words[HEADS.get(name, name)] for name in labels), *(words[n] for n in numbers)]]
    lacking = found.lacking(*levels)
    for key, change in found.sums(*levels).items():
        titles = [_title(found, labels, key, n, language) for n in range(len(key))]
        titles[-1] += MARK if key in lacking else ""
        rows.append([*titles, *_cells(change)])
    rows.append(
        [
            words["total"] + (MARK if lacking else ""),
            *[""] * (len(labels) - 1),
            *_cells(found.total),
        ]
    )
    return ruled(rows, frozenset(range(len(labels), len(labels) + len(numbers))))


def _cells(change: Change) -> list[str]:
    before = None if change.after is None else change.before
    share = f"{change.difference / before:+.1%}" if before else "—"
    amounts = (change.before, change.after, change.difference)
    parts = (change.area, change.quantity, change.price, change.other)
    return [*map(_money, amounts), share, *map(_money, parts)]


def _money(cents: int | None) -> str:
    """Money in 万元; a loss too small to show is no loss.

    >>> _money(-4_000_000), _money(-3), _money(None)
    ('-4.00', '0.00', '—')
    """
    said = ten_thousands(cents)
    return said.removeprefix("-") if said == "-0.00" else said


def _title(
    found: "Comparison", labels: tuple[str, ...], key: tuple[str, ...], at: int, language: str
) -> str:
    """What people call one word of a key."""
    words, word = WORDS[language], key[at]
    if labels[at] == "county":
        name = found.county_names.get(word)
        return f"{word} {name}" if name else words.get(word, word)
    if labels[at] == "service":
        return catalogue()[word].title.say(language)
    if labels[at] == "ecosystem":
        known = ecosystems().get(word)
        return known.title.say(language) if known else words.get(word, word)
    sides = (found.after, found.before)
    at_service = key[labels.index("service")], word
    titles = [side.items[at_service]["title"] for side in sides if at_service in side.items]
    return str(titles[0][language]) if titles else word


def notes(found: "Comparison", language: str) -> list[str]:
    """What stands under `other`, a line per reason; and whether nothing differs at all."""
    words = WORDS[language]
    lines = []
    for reason, (count, cents) in found.others.items():
        amount = words["of_leaves"].format(money=f"{money(cents):,.2f}", count=count)
        why = words[REASONS.get(reason, reason)]
        mark = MARK.lstrip() + " " if reason == MISSING else ""
        lines.append(f"{mark}{words['by_other']}{words[':']}{why}{words[':']}{amount}")
    return [*lines, words["same"]] if found.same else lines


def as_data(found: "Comparison", levels: tuple[str, ...]) -> dict[str, Any]:
    """Comparison as plain data: both accounts, sums, total, quantities; money in CNY."""
    return {
        "before": _side(found.before),
        "after": _side(found.after),
        "by": list(whole(levels)),
        "rows": [_plain(row) for row in found.table(*levels)],
        "total": _plain(found.total.amounts()),
        "other": {
            REASONS.get(reason, reason): {"leaves": count, "value": cents / 100}
            for reason, (count, cents) in found.others.items()
        },
        "quantities": [_plain(row) for row in found.quantity_table()],
        "same": found.same,
    }


def as_csv(found: "Comparison", levels: tuple[str, ...]) -> str:
    """Sums as CSV, exact to the cent, in CNY."""
    content = csv.encode((*columns(*levels), *AMOUNTS), found.table(*levels))
    return content.decode("utf-8-sig").rstrip()


def _side(side: "Side") -> dict[str, Any]:
    return {
        "name": side.name,
        "account": side.account,
        "year": side.year,
        "price_year": side.price_year,
        "profile": side.profile,
    }


def _plain(row: Any) -> dict[str, Any]:
    """Row with its decimals as numbers."""
    return {k: v if isinstance(v, str | int | None) else float(v) for k, v in row.items()}
