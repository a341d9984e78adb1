"""What the department tables add up to, as understood, and whether that can be."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from gep.columns import PLAIN, read_by, readable
from gep.errors import GepError, Problem
from gep.phrases import titled
from gep.plan import Plan
from gep.products import read
from gep.service import services
from gep.statistics import GROUP, Table
from gep.text import parse_number
from gep.units import parse

PRODUCTS = "products"
LEAST_PER_HEAD = Decimal(10)
"""Products a head and year [CNY] below which money was meant in 万元: the price of one meal."""
LEAST_GDP, MOST_GDP = Decimal(100), Decimal(10) ** 7
"""GDP a head [CNY] outside which it is in another unit: no country comes near the one or other."""
MOST_OF_GDP = Decimal(10)
"""Products against GDP: what they add is part of it, and is not below a tenth of their worth."""
MOST_APART = Decimal(100)
"""Highest price of a product by its lowest: a slip of kg for t, or of 元 for 万元, is above it."""


@dataclass(frozen=True)
class Summed:
    """One column of a table: how many cells have a number, their sum, lowest and highest.

    The numbers are in the unit as stated; the sum is None where the unit is per something.
    `used` tells whether the account reads it: not where its indicator is not counted.
    """

    column: str
    unit: str
    filled: int
    total: Decimal | None
    low: Decimal
    high: Decimal
    used: bool = True


@dataclass(frozen=True)
class Seen:
    """A table as it was understood."""

    name: str
    file: str
    rows: int
    columns: tuple[Summed, ...]


@dataclass(frozen=True)
class Priced:
    """One product over all its rows: quantity in its unit, money in CNY, lowest, highest price.

    A price is that of the row, else its value by its quantity.
    """

    product: str
    group: str
    rows: int
    unit: str
    quantity: Decimal | None
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None


def tables(plan: Plan) -> list[Seen]:
    """Every table that is read, its columns of numbers summed; `products` line by line instead."""
    known = readable(services().values())
    used = read_by(item.indicator for item in plan.items)
    found = []
    for name, table in plan.tables.items():
        wanted = () if name == PRODUCTS else known.get(name, ())
        columns = tuple(_columns(table, wanted, used.get(name, ())))
        found.append(Seen(name, table.file.name, len(table.rows), columns))
    return found


def _columns(table: Table, wanted: tuple[str, ...], used: tuple[str, ...]) -> Iterator[Summed]:
    for column in wanted:
        unit = table.units.get(column, "")
        cells = (parse_number(row.cells.get(column, "")) for row in table.rows)
        numbers = [number for number in cells if isinstance(number, Decimal)]
        if column not in PLAIN and numbers:
            total = sum(numbers, Decimal(0)) if _adds_up(unit) else None
            ends = min(numbers), max(numbers)
            yield Summed(column, unit, len(numbers), total, *ends, column in used)


def _adds_up(unit: str) -> bool:
    """Whether amounts in a unit can be added: none that is per something but the year, no share.

    >>> _adds_up("万元"), _adds_up("t/year"), _adds_up("元/人次"), _adds_up("%")
    (True, True, False, False)
    """
    bare = unit.removesuffix("/year").removesuffix("/年")
    try:
        return "/" not in bare and not parse(bare).dimensionless
    except GepError:
        return False


def products(plan: Plan) -> list[Priced]:
    """Every product of the table of products, in the order of the table."""
    if PRODUCTS not in plan.tables:
        return []
    table = plan.tables[PRODUCTS]
    rows: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(table.rows):
        key = row.cells.get(GROUP, ""), row.cells.get("product", "")
        rows.setdefault(key, []).append(number)
    return [_product(table, *key, own) for key, own in rows.items()]


def _product(table: Table, group: str, product: str, numbers: list[int]) -> Priced:
    """Sum of the rows of a product that can be read; what is wrong with others is known."""
    rows = [table.rows[number] for number in numbers]
    unit = next((row.cells["unit"] for row in rows if row.cells.get("unit")), "")
    amounts, money, prices = [], [], []
    for row in rows:
        try:
            quantity, price, stated = read(table, row, unit)
        except (GepError, KeyError):
            continue
        if quantity is not None:
            amounts.append(quantity)
        worth = stated
        if quantity is not None and price is not None:
            worth = quantity * price.number
        if worth is not None:
            money.append(worth)
        if price is not None:
            prices.append(price.number)
        elif quantity and stated is not None:
            prices.append(stated / quantity)
    return Priced(
        product,
        group,
        len(rows),
        unit,
        sum(amounts, Decimal(0)) if amounts else None,
        sum(money, Decimal(0)) if money else None,
        min(prices, default=None),
        max(prices, default=None),
    )


def doubts(plan: Plan) -> list[Problem]:
    """W586 to W588: money of tables that is likely in another unit than its header says."""
    own = products(plan)
    worth = sum((p.value for p in own if p.value is not None), Decimal(0))
    people, gdp = _whole(plan, "population", "person"), _whole(plan, "gdp", "CNY")
    problems = []
    if worth and people and worth / people < LEAST_PER_HEAD:
        problems.append(_per_head(PRODUCTS, worth / people))
    if gdp and people and not LEAST_GDP <= gdp / people <= MOST_GDP:
        problems.append(_per_head("gdp", gdp / people))
    elif worth and gdp and worth > MOST_OF_GDP * gdp:
        problems.append(Problem("W587", {"times": f"{worth / gdp:,.0f}"}))
    return problems + [_apart(p) for p in own if p.low and p.high and p.high > MOST_APART * p.low]


def _per_head(table: str, found: Decimal) -> Problem:
    """W586 of a table whose money a head is none a county can have."""
    fields = {"table": table, "table_zh": titled(table, "zh"), "found": f"{found:,.4g}"}
    return Problem("W586", fields)


def _apart(product: Priced) -> Problem:
    """W588 of a product some rows of which have another unit."""
    fields: dict[str, object] = {"product": product.product, "unit": f"元/{product.unit}"}
    return Problem("W588", fields | {"low": f"{product.low:,.6g}", "high": f"{product.high:,.6g}"})


def _whole(plan: Plan, name: str, unit: str) -> Decimal | None:
    """Sum of what a table of one value per county states; None where it is not there, or faulty."""
    table = plan.tables.get(name)
    if table is None:
        return None
    wanted = f"CNY_{table.year}" if unit == "CNY" else unit
    try:
        numbers = [table.number(row, "value", wanted) for row in table.rows]
    except GepError:
        return None
    return sum((number for number in numbers if number is not None), Decimal(0))
