"""Rows of department tables → amounts per county, spread over ecosystems."""

from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from numpy.typing import NDArray

from gep.coefficients import GIVEN
from gep.cube import UNATTRIBUTED, Amounts, Line, quanta, shares, value
from gep.ecosystems import Title, members
from gep.plan import Item, Plan
from gep.products import read
from gep.service import Indicator, Products
from gep.statistics import Row, Table
from gep.units import exact


@dataclass(frozen=True)
class Weights:
    """What spreads a county's amount over its ecosystems: areas, and sums of weight rasters."""

    places: tuple[str, ...]
    areas: NDArray[Any]
    sums: NDArray[Any]

    def spread(self, item: Item, place: str, total: int | None) -> Amounts:
        """Amount of a county by ecosystem; to `unattributed` where there are no weights."""
        assert isinstance(item.indicator, Indicator | Products)
        found = members(item.indicator.ecosystems)
        p = self.places.index(place)
        column = item.accumulator
        by_class = self.areas[p] if column is None else self.sums[p, :, column]
        kept = [(e.key, int(by_class[e.index])) for e in found if by_class[e.index] > 0]
        if not item.indicator.spread or not kept:
            return {(place, UNATTRIBUTED): total}
        keys = [(place, key) for key, _ in kept]
        if total is None:
            return dict.fromkeys(keys)
        return dict(zip(keys, shares(total, [w for _, w in kept]), strict=True))


def row_amounts(plan: Plan, item: Item, i: Indicator, weights: Weights) -> Amounts:
    """Amounts of a kernel over the rows of its table, summed per county and spread.

    A county with a row that lacks a number is missing as a whole: a sum without it is too small.
    """
    table = plan.tables[i.table]
    totals: dict[str, int | None] = {}
    for row in table.rows:
        before = totals.get(row.county, 0)
        amount = _row_amount(table, row, item, i, plan.definition.account.year)
        totals[row.county] = None if before is None or amount is None else before + amount
    amounts: Amounts = {}
    for place, total in totals.items():
        amounts |= weights.spread(item, place, total)
    return amounts


def _row_amount(table: Table, row: Row, item: Item, i: Indicator, year: int) -> int | None:
    cells = [table.number(row, name, unit) for name, unit in i.columns.items()]
    pairs = zip(item.coefficients.values(), i.coefficients.values(), strict=True)
    numbers = [c.number(unit, county=row.county, year=year) for c, unit in pairs]
    cells += [None if number is None else number[0] for number in numbers]
    known = [float(cell) for cell in cells if cell is not None]
    if len(known) < len(cells):
        return None
    return quanta(exact(i.kernel(*known) * i.unit_factor), exact(i.quantum))


def products(plan: Plan, item: Item, weights: Weights) -> list[Line]:
    """Every product of a group as a line of its own, at the prices the table states."""
    assert isinstance(item.indicator, Products)
    table = plan.tables[item.indicator.table]
    by_product: dict[str, list[Row]] = defaultdict(list)
    for row in table.rows:
        if row.cells.get("group") == item.indicator.group:
            by_product[row.cells["product"]].append(row)
    return [_product(plan, item, table, *found, weights) for found in by_product.items()]


def _product(
    plan: Plan, item: Item, table: Table, product: str, rows: list[Row], weights: Weights
) -> Line:
    assert isinstance(item.indicator, Products)
    quantum = exact(item.indicator.quantum)
    unit = next((row.cells["unit"] for row in rows if row.cells.get("unit")), "")
    dated = table.year == plan.definition.price_year
    amounts: Amounts = {}
    cents: Amounts = {}
    prices = {}
    for row in rows:
        quantity, price, stated = read(table, row, unit)
        total = None if quantity is None else quanta(quantity, quantum)
        if stated is not None and price is None:
            in_cents = round(Fraction(stated) * 100) if dated else None
            cents |= weights.spread(item, row.county, in_cents)
            if total is not None:
                amounts |= weights.spread(item, row.county, total)
            continue
        split = weights.spread(item, row.county, total)
        amounts |= split
        for leaf, amount in split.items():
            known = price is not None and amount is not None and dated
            cents[leaf] = value(amount, quantum, price.number) if known else None  # type: ignore[union-attr, arg-type]
            if known:
                prices[leaf] = price
    return Line(
        item.service.group,
        item.service.name,
        product,
        Title(product, product),
        f"{unit}/year" if unit else "",
        quantum,
        amounts,
        cents,
        prices,  # type: ignore[arg-type]
        dict.fromkeys(cents | amounts, GIVEN),
        counted=item.counted,
    )
