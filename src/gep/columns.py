"""Columns of the department tables: which somebody reads, and which of them a header meant."""

import difflib
from collections.abc import Iterable

from gep.config import TableSection
from gep.errors import Problem
from gep.service import Derived, Indicator, Products, Service
from gep.statistics import ITEM, KEY, Table

COMPARED = {"population": "person", "gdp": "CNY"}
"""Tables of one value per county that the account is compared with, and their units."""
JUDGED = {
    "land": {"cropland": "km^2", "forest": "km^2"},
    "water_resources": {"total_water_resources": "m^3/year"},
}
"""Tables only the quality rules read, with their columns; of `land` one of the two will do."""
OF_PRODUCTS = ("group", "product", "quantity", "unit", "price", "price_unit", "value", "ecosystem")
PLAIN = (KEY, ITEM, "county_name", "city_code", "city_name", "year", "note", "remark")
"""Columns any table may have, read or not."""
ALIKE = 0.75
"""How alike two names are, of 1, where one is taken for a slip of the other."""


def readable(registry: Iterable[Service]) -> dict[str, tuple[str, ...]]:
    """Columns somebody reads of every table, by whatever method; the county code is of all."""
    return read_by(indicator for service in registry for indicator in service.indicators)


def read_by(indicators: Iterable[Indicator | Derived | Products]) -> dict[str, tuple[str, ...]]:
    """Columns of every table that these indicators, comparisons and quality rules read."""
    found: dict[str, dict[str, None]] = {}
    for i in indicators:
        if isinstance(i, Products):
            found.setdefault(i.table, {}).update(dict.fromkeys(OF_PRODUCTS))
        elif isinstance(i, Indicator) and i.table:
            own = [*([ITEM] if i.items else []), *i.columns]
            own += [i.measured[0]] if i.measured else []
            found.setdefault(i.table, {}).update(dict.fromkeys(own))
        elif isinstance(i, Indicator) and i.cap:
            table, column = i.cap[0].split(".")
            found.setdefault(table, {})[column] = None
    found |= {table: {"value": None} for table in COMPARED}
    found |= {table: dict.fromkeys(columns) for table, columns in JUDGED.items()}
    return {table: tuple(columns) for table, columns in found.items()}


def unknown(name: str, tables: Iterable[str]) -> Problem:
    """W518 of a table nobody reads."""
    close = difflib.get_close_matches(name, sorted(tables), 1)
    known = close or sorted(tables)
    return Problem("W518", {"name": name, "known": ", ".join(known)})


def check(table: Table, section: TableSection, own: tuple[str, ...]) -> list[Problem]:
    """E516 a mapping to a column nobody reads, E557 a header that is likely a slip of one.

    A column of any other name may stay; nobody reads it.
    """
    known = ", ".join((KEY, *own))
    problems = [
        Problem("E516", {"at": f"statistics.{table.name}.columns.{name}", "known": known})
        for name in section.columns
        if name not in own and name not in PLAIN
    ]
    here = table.rows[0].cells
    absent = {_letters(name): name for name in own if name not in here}
    for name in here:
        close = difflib.get_close_matches(_letters(name), absent, 1, ALIKE)
        if name and name not in (*own, *PLAIN) and close:
            fields = {"file": table.file, "column": name, "known": absent[close[0]]}
            problems.append(Problem("E557", fields))
    return problems


def _letters(name: str) -> str:
    """Name without what people vary: case, blanks, hyphens.

    >>> _letters("Flood Storage"), _letters("flood-storage")
    ('flood_storage', 'flood_storage')
    """
    return name.lower().replace(" ", "_").replace("-", "_")
