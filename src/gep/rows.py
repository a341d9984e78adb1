"""Rows of department tables → amounts per county, spread over ecosystems."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from gep.coefficients import GIVEN, same_for
from gep.cube import UNATTRIBUTED, Amounts, Line, Stated, Ways, quanta, shares
from gep.ecosystems import Ecosystem, Title, members
from gep.errors import Problem
from gep.plan import Item, Plan
from gep.products import grown_on, read
from gep.run import Partials
from gep.service import Indicator, Products, arguments
from gep.statistics import LARGEST, Row, Table
from gep.units import exact

CENT = Decimal("0.01")
Numbers = dict[str, Decimal | None]
"""Inputs of a kernel by name; None is missing."""
MEASURED, FORMULA = "measured", "formula"
"""How a row of a table comes to its amount."""


@dataclass(frozen=True)
class Weights:
    """What spreads a county's amount over its ecosystems: areas, and sums of weight rasters."""

    places: tuple[str, ...]
    partials: Partials
    _known: dict[int | None, dict[str, list[int]]] = field(default_factory=dict, repr=False)

    def spread(
        self, item: Item, place: str, total: int | None, grown_on: tuple[Ecosystem, ...] = ()
    ) -> Amounts:
        """Amount of a county by ecosystem; to `unattributed` where there are no weights.

        Where *grown_on* says the ecosystems, it is spread over them and no others. A weight raster
        is summed over those of the service only: if one of them is not among these, by area.
        """
        assert isinstance(item.indicator, Indicator | Products)
        own = members(item.indicator.ecosystems)
        column = item.accumulator if {*grown_on} <= {*own} else None
        by_class = self._of(column)[place]
        kept = [(e.key, by_class[e.index]) for e in grown_on or own if by_class[e.index] > 0]
        if not (item.indicator.spread or grown_on) or not kept:
            return {(place, UNATTRIBUTED): total}
        keys = [(place, key) for key, _ in kept]
        if total is None:
            return dict.fromkeys(keys)
        return dict(zip(keys, shares(total, [w for _, w in kept]), strict=True))

    def _of(self, column: int | None) -> dict[str, list[int]]:
        """Weights of every class by place: sums of a column, or areas."""
        if column not in self._known:
            p = self.partials
            rows = p.areas if column is None else p.total(p.sums[:, :, column])
            self._known[column] = dict(zip(self.places, rows.tolist(), strict=True))
        return self._known[column]


@dataclass(frozen=True)
class Summed:
    """Rows of a table by county and ecosystem: amounts, money if the rows have it, what is given.

    `ways` says of a table with a measured column what was measured, and what the formula gave.
    """

    amounts: Amounts
    cents: Amounts
    ways: Ways
    problems: tuple[Problem, ...] = ()

    @property
    def measured(self) -> frozenset[str]:
        """Counties no row of which went through the formula."""
        return frozenset(place for place, ways in self.ways.items() if FORMULA not in ways)


def row_amounts(plan: Plan, item: Item, i: Indicator, weights: Weights) -> Summed:
    """Amounts of a kernel over the rows of its table, summed per county and spread.

    A measured amount wins over the kernel's. A county with a row that lacks a number is missing
    as a whole: a sum without it is too small; so is one with a row whose kernel gives no possible
    number (W519). Money the rows have is money of the table's year.
    """
    table = plan.tables[i.table]
    year = plan.definition.account.year
    totals: dict[str, int | None] = {}
    money: dict[str, int | None] = {}
    by_way: dict[str, dict[str, int | None]] = {MEASURED: {}, FORMULA: {}}
    rows: Counter[tuple[str, str]] = Counter()
    problems: list[Problem] = []
    numbers = _numbers(item, i, year)
    for row in table.rows:
        at = f"{table.file.name}:{row.line}"
        inputs = {name: table.number(row, name, unit) for name, unit in i.columns.items()}
        inputs |= numbers(row.county)
        amount = table.number(row, i.measured[0], i.quantity) if i.measured else None
        way = FORMULA if amount is None else MEASURED
        if amount is None:
            amount = _result(i.kernel, inputs, i.unit_factor)
            amount = _possible(amount, at, f"{'.'.join(item.key)} [{i.quantity}]", problems)
        _add(totals, row.county, amount, exact(i.quantum))
        _add(by_way[way], row.county, amount, exact(i.quantum))
        rows[row.county, way] += 1
        if i.worth is not None:
            worth = _result(i.worth, inputs, 1.0)
            worth = _possible(worth, at, f"{'.'.join(item.key)} [CNY/year]", problems)
            _add(money, row.county, worth, CENT)
    return Summed(
        _spread(weights, item, totals),
        _spread(weights, item, money),
        _ways(by_way, rows) if i.measured else {},
        tuple(problems),
    )


def _ways(by_way: dict[str, dict[str, int | None]], rows: Counter[tuple[str, str]]) -> Ways:
    found: Ways = {}
    for (place, way), count in sorted(rows.items()):
        found.setdefault(place, {})[way] = count, by_way[way][place]
    return found


def _spread(weights: Weights, item: Item, totals: dict[str, int | None]) -> Amounts:
    amounts: Amounts = {}
    for place, total in totals.items():
        amounts |= weights.spread(item, place, total)
    return amounts


def _add(
    totals: dict[str, int | None], place: str, amount: Decimal | None, quantum: Decimal
) -> None:
    """Add the amount of a row to its county's; missing and anything is missing."""
    before = totals.get(place, 0)
    totals[place] = None
    if before is not None and amount is not None:
        totals[place] = before + quanta(amount, quantum)


def _numbers(item: Item, i: Indicator, year: int) -> Callable[[str], Numbers]:
    """Coefficients of a county by name, in their declared units."""
    found = item.coefficients
    same, known = same_for(found[name] for name in i.coefficients), dict[str, Numbers]()

    def of(county: str) -> Numbers:
        key = same((county, ""))[0]
        if key not in known:
            pairs = [
                (name, found[name].number(unit, county=county, year=year))
                for name, unit in i.coefficients.items()
            ]
            known[key] = {name: number and number[0] for name, number in pairs}
        return known[key]

    return of


def _result(
    kernel: Callable[..., float], inputs: dict[str, Decimal | None], times: float
) -> Decimal | None:
    """What a kernel makes of the inputs it takes; None if one of them, or the result, is none.

    Infinite where it fails, or gives more than a float can hold.
    """
    known = [inputs[name] for name in arguments(kernel)]
    if any(number is None for number in known):
        return None
    try:
        amount = kernel(*(float(number) for number in known if number is not None)) * times
    except (ArithmeticError, ValueError):
        return Decimal("Infinity")
    return None if math.isnan(amount) else exact(amount)


def _possible(
    amount: Decimal | None, at: str, what: str, problems: list[Problem]
) -> Decimal | None:
    """Amount of a row, or None and W519 where no county can have so much."""
    if amount is None or abs(amount) <= LARGEST:
        return amount
    problems.append(Problem("W519", {"at": at, "what": what, "most": f"{LARGEST:.0e}"}))
    return None


def products(plan: Plan, item: Item, weights: Weights) -> list[Line]:
    """Every product of a group as a line of its own, with the prices and money the table states."""
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
    amounts: Amounts = {}
    said = Stated(table.name, table.year, item.indicator.index)
    for row in rows:
        quantity, price, stated = read(table, row, unit)
        where = grown_on(table, row)
        total = None if quantity is None else quanta(quantity, quantum)
        if stated is not None and price is None:
            cents = round(Fraction(stated) * 100)
            said.cents.update(weights.spread(item, row.county, cents, where))
            if total is not None:
                amounts |= weights.spread(item, row.county, total, where)
            continue
        split = weights.spread(item, row.county, total, where)
        amounts |= split
        for leaf, amount in split.items():
            if price is None or amount is None:
                said.cents[leaf] = None
            else:
                said.prices[leaf] = price
    return Line(
        item.service.group,
        item.service.name,
        product,
        Title(product, product),
        f"{unit}/year" if unit else "",
        quantum,
        amounts,
        states=dict.fromkeys(said.cents | said.prices | amounts, GIVEN),
        stated=said,
        counted=item.counted,
    )
