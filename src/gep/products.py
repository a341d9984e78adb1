"""The products table: quantity, unit, price and money of every product, read and checked."""

import difflib
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

from gep.coefficients import GIVEN, Price, Value
from gep.ecosystems import Ecosystem, ecosystems, groups, members
from gep.errors import InputError, Problem, UnitError, gathering
from gep.statistics import Row, Table, bounded, no_unit
from gep.text import is_share, is_total, parse_number
from gep.units import candidates, exact, is_money, parse, without_multiple

AGREES = Decimal("0.001")
"""Quantity times price may differ from a stated value by this share."""


def check_groups(table: Table, groups: Mapping[str, str]) -> list[Problem]:
    """Rows whose group no service reads: they would be lost. *groups* are names by key."""
    known = ", ".join(f"{key} ({title})" for key, title in groups.items())
    return [
        Problem(
            "E513",
            {
                "at": f"{table.file.name}:{row.line}",
                "group": row.cells.get("group", ""),
                "known": known,
            },
        )
        for row in table.rows
        if row.cells.get("group", "") not in groups
    ]


def check(table: Table, group: str, codes: tuple[str, ...]) -> list[Problem]:
    """Everything wrong with the rows of one group of a products table."""
    known = table.rows[0].cells
    wanted = ("product", "unit", "quantity")
    absent = [column for column in wanted if column not in known]
    listed = ", ".join(known)
    problems = [
        Problem("E502", {"file": table.file, "column": column, "known": listed})
        for column in absent
    ]
    if problems:
        return problems
    seen: dict[tuple[str, str], int] = {}
    there = frozenset(codes)
    mine = [row for row in table.rows if row.cells.get("group") == group]
    usual = _units(mine)
    for row in mine:
        at = f"{table.file.name}:{row.line}"
        if is_total(row.cells["product"]):  # it would count twice
            problems.append(Problem("E514", {"at": at, "word": row.cells["product"]}))
        if row.county not in there:
            problems.append(Problem("E509", {"at": at, "code": row.county}))
        key = (row.county, row.cells["product"])
        if key in seen:
            fields = {"at": at, "key": " / ".join(key), "line": seen[key]}
            problems.append(Problem("E505", fields))
        seen.setdefault(key, row.line)
        unit, clash = _unit(row, usual.get(key[1]), at)
        problems += clash
        with gathering(problems):
            read(table, row, unit)
        with gathering(problems):
            grown_on(table, row)
    return problems


@lru_cache(1 << 10)
def _kind(unit: str) -> str:
    """What a unit measures; nothing where it is none: `read` says so."""
    try:
        return str(parse(unit).dimensionality) if unit else ""
    except UnitError:
        return ""


def _units(rows: list[Row]) -> dict[str, Row]:
    """First row of each product whose unit measures what most rows of the product do."""
    kinds: dict[str, list[tuple[str, Row]]] = {}
    for row in rows:
        if kind := _kind(row.cells["unit"]):
            kinds.setdefault(row.cells["product"], []).append((kind, row))
    found = {}
    for product, own in kinds.items():
        counts = Counter(kind for kind, _ in own)
        found[product] = next(row for kind, row in own if counts[kind] == max(counts.values()))
    return found


def _unit(row: Row, usual: Row | None, at: str) -> tuple[str, list[Problem]]:
    """Unit a row is read in, and E552 if it measures something else than the other rows."""
    own = row.cells["unit"]
    if usual is None:
        return own, []
    other = usual.cells["unit"]
    if _kind(own) in ("", _kind(other)):
        return other, []
    fields = {"at": at, "product": row.cells["product"], "unit": own}
    return own, [Problem("E552", fields | {"line": usual.line, "other": other})]


def grown_on(table: Table, row: Row) -> tuple[Ecosystem, ...]:
    """Ecosystems a row says its product grows on: a class or a group; () where it does not say.

    Raises
    ------
    InputError
        E550 the word is the key or the Chinese title of neither.
    """
    word = row.cells.get("ecosystem", "")
    if not word:
        return ()
    titles = {group: title.zh for group, title in groups().items()}
    titles |= {e.key: e.title.zh for e in ecosystems().values()}
    keys = [key for key, title in titles.items() if word in (key, title)]
    if not keys:
        close = difflib.get_close_matches(word, [*titles, *titles.values()], 3)
        listed = {key: title for key, title in titles.items() if {key, title} & {*close}} or titles
        known = ", ".join(f"{key} ({title})" for key, title in listed.items())
        at = f"{table.file.name}:{row.line} ecosystem"
        raise InputError(Problem("E550", {"at": at, "word": word, "known": known}))
    return members(tuple(keys))


Read = tuple[Decimal | None, Price | None, Decimal | None]
"""Quantity, price and money of a row."""


def read(table: Table, row: Row, unit: str) -> Read:
    """Quantity in *unit*, price per *unit* and money of one row; a contradiction is an error."""
    key = row.line, unit
    if key not in table.understood:
        table.understood[key] = _read(table, row, unit)
    found: Read = table.understood[key]
    return found


def _read(table: Table, row: Row, unit: str) -> Read:
    at = f"{table.file.name}:{row.line}"
    money = f"CNY_{table.year}"
    cells = {name: _cell(row, name, at) for name in ("quantity", "price", "value")}
    quantity, number, stated = cells["quantity"], cells["price"], cells["value"]
    own = row.cells.get("unit") or unit
    if quantity is not None or number is not None:
        if not own:
            raise InputError(Problem("E554", {"at": at, "quantity": row.cells["quantity"]}))
        times = exact(table.scale(own, unit, f"{at} unit"))
        quantity = None if quantity is None else bounded(quantity * times, f"{at} quantity")
    if stated is not None:
        where = table.places.get("value", f"{at} value")
        stated *= exact(table.scale(_value_unit(table, f"{at} value"), money, where))
        bounded(stated, f"{at} value")
    price = None
    if number is not None:
        per = _price_unit(table, row, own, f"{at} price")
        number *= exact(table.scale(per, f"{money}/({unit})", f"{at} price"))
        bounded(number, f"{at} price")
        source = Value(number, "seen", "", table.name, at, verified_by=GIVEN)
        price = Price(number, f"{money}/{unit}", at, source, f"{money}/{unit}", states=(GIVEN,))
    if quantity is None and None not in (number, stated):
        raise InputError(Problem("E518", {"at": at}))
    if quantity is not None and number is not None:
        bounded(quantity * number, f"{at} quantity × price")
    if None not in (quantity, number, stated):
        assert quantity is not None
        assert number is not None
        assert stated is not None
        made = quantity * number
        if abs(made - stated) > AGREES * max(made, stated):
            fields = {"at": at, "made": f"{made:.2f}", "value": f"{stated:.2f}"}
            raise InputError(Problem("E510", fields))
    return quantity, price, stated


def _price_unit(table: Table, row: Row, own: str, at: str) -> str:
    """Unit of a price: of its row or its column; money alone is money per unit of the quantity.

    A quantity in 万t says nothing of whether the price is per t or per 万t: that is an error.
    """
    stated = row.cells.get("price_unit") or table.units.get("price")
    if not stated:
        raise InputError(no_unit(at, "price", (f"元/{own}", f"万元/{own}")))
    if not is_money(stated) or "/" in stated:
        return stated
    if own != (plain := without_multiple(own)):
        raise InputError(Problem("E515", {"at": at, "unit": own, "plain": plain}))
    return f"{stated}/({own})"


def _value_unit(table: Table, at: str) -> str:
    if "value" not in table.units:
        raise InputError(no_unit(at, "value", candidates("CNY")))
    return table.units["value"]


def _cell(row: Row, name: str, at: str) -> Decimal | None:
    cell = row.cells.get(name, "")
    found = cell if is_share(cell) else parse_number(cell)
    if isinstance(found, str):
        raise InputError(Problem("E504", {"at": f"{at} {name}", "text": found}))
    if found is not None and found < 0:
        raise InputError(Problem("E507", {"at": f"{at} {name}", "value": found}))
    return found
