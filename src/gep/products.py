"""The products table: quantity, unit, price and money of every product, read and checked."""

from decimal import Decimal

from gep.coefficients import GIVEN, Price, Value
from gep.errors import InputError, Problem
from gep.statistics import Row, Table
from gep.text import is_share, parse_number
from gep.units import exact, of_year

AGREES = Decimal("0.001")
"""Quantity times price may differ from a stated value by this share."""


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
    units: dict[str, str] = {}
    for row in table.rows:
        if row.cells.get("group") != group:
            continue
        at = f"{table.file.name}:{row.line}"
        if row.county not in codes:
            problems.append(Problem("E509", {"at": at, "code": row.county}))
        key = (row.county, row.cells["product"])
        if key in seen:
            fields = {"at": at, "key": " / ".join(key), "line": seen[key]}
            problems.append(Problem("E505", fields))
        seen.setdefault(key, row.line)
        unit = units.setdefault(key[1], row.cells["unit"]) or row.cells["unit"]
        try:
            read(table, row, unit)
        except ValueError as error:
            problems += getattr(error, "problems", ())
    return problems


def read(table: Table, row: Row, unit: str) -> tuple[Decimal | None, Price | None, Decimal | None]:
    """Quantity in *unit*, price per *unit* and money of one row; a contradiction is an error."""
    at = f"{table.file.name}:{row.line}"
    money = f"CNY_{table.year}"
    cells = {name: _cell(row, name, at) for name in ("quantity", "price", "value")}
    quantity, number, stated = cells["quantity"], cells["price"], cells["value"]
    own = row.cells.get("unit") or unit
    if quantity is not None or number is not None:
        if not own:
            raise InputError(Problem("E503", {"at": at, "column": "unit", "unit": "t"}))
        times = exact(table.scale(own, unit, f"{at} unit"))
        quantity = None if quantity is None else quantity * times
    if stated is not None:
        stated *= exact(table.scale(table.units.get("value", money), money, f"{at} value"))
    price = None
    if number is not None:
        per = of_year(table.units.get("price", f"{money}/({own})"), table.year)
        number *= exact(table.scale(per, f"{money}/({unit})", f"{at} price"))
        source = Value(number, "seen", "", table.name, at, verified_by=GIVEN)
        price = Price(number, f"{money}/{unit}", at, source, f"{money}/{unit}", states=(GIVEN,))
    if None not in (quantity, number, stated):
        assert quantity is not None
        assert number is not None
        assert stated is not None
        made = quantity * number
        if abs(made - stated) > AGREES * max(made, stated):
            fields = {"at": at, "made": f"{made:.2f}", "value": f"{stated:.2f}"}
            raise InputError(Problem("E510", fields))
    return quantity, price, stated


def _cell(row: Row, name: str, at: str) -> Decimal | None:
    cell = row.cells.get(name, "")
    found = cell if is_share(cell) else parse_number(cell)
    if isinstance(found, str):
        raise InputError(Problem("E504", {"at": f"{at} {name}", "text": found}))
    if found is not None and found < 0:
        raise InputError(Problem("E507", {"at": f"{at} {name}", "value": found}))
    return found
