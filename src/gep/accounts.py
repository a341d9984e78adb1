"""Partials, caps, rows, derived indicators and prices of a year → the account cube."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from gep.coefficients import GIVEN, Book, Coefficient, same_for, weaker, weakest
from gep.columns import COMPARED
from gep.cube import (
    AREA_QUANTUM,
    UNALLOCATED,
    Amounts,
    Cube,
    Leaf,
    Line,
    Stated,
    half_even,
    lacks_then,
    quanta,
    shares,
)
from gep.ecosystems import ecosystems
from gep.errors import Problem
from gep.plan import Item, Plan
from gep.pricing import priced, stated
from gep.rows import Weights, products, row_amounts
from gep.run import Partials, culprits
from gep.service import Derived, Indicator, Products, source_of
from gep.units import exact, of_year

LOW_COVERAGE, FULL_COVERAGE = Decimal("0.90"), Decimal("0.98")
RASTER_COVERAGE = Decimal("0.99")


def account(plan: Plan, partials: Partials) -> Cube:
    """Cube of a plan whose rasters have been summed, priced in the money of its price year.

    With a base year, `constant` is the same account in the money of that year. What is wrong with
    coverage and prices is among its problems: E305, E306, W305, W306, W521 to W524, W526.
    """
    weights = Weights(plan.counties.places, partials)
    problems: list[Problem] = []
    lines = quantities(plan, plan.items, partials, weights, problems)
    counties = plan.counties
    cube = Cube(
        year=plan.definition.account.year,
        price_year=plan.definition.price_year,
        lines=lines,
        places=counties.places,
        names=dict(zip(counties.codes, counties.names, strict=True)),
        cities=dict(zip(counties.codes, counties.cities, strict=True)),
        extent=_extent(plan, partials),
        raster_coverage=_raster_coverage(plan, partials, problems),
        population=_compared(plan, "population"),
        gdp=_compared(plan, "gdp"),
        gdp_year=plan.tables["gdp"].year if "gdp" in plan.tables else None,
        partial=bool(plan.uncovered),
        problems=problems,
    )
    if cube.gdp_year not in (None, cube.price_year):
        fields = {"year": cube.gdp_year, "want": cube.price_year}
        problems.append(Problem("W527", fields))
    return _with_constant(plan, at_prices_of(plan, cube, cube.price_year))


def quantities(
    plan: Plan,
    items: list[Item],
    partials: Partials,
    weights: Weights,
    problems: list[Problem],
    known: Iterable[Line] = (),
) -> list[Line]:
    """Lines of some items without their money, in the profile's order of services.

    Those that are *known* are among them as they are.
    """
    lines = {line.key: line for line in known}
    for item in sorted(items, key=lambda item: isinstance(item.indicator, Derived)):
        i = item.indicator
        if item.key in lines:
            continue
        if isinstance(i, Products):
            lines |= {line.key: line for line in products(plan, item, weights)}
        elif isinstance(i, Derived):
            lines[item.key] = _derived(plan, item, i, lines[source_of(item.service, i)])
        elif i.table:
            lines[item.key] = _rows(plan, item, i, weights, problems)
        else:
            lines[item.key] = _pixels(plan, item, i, partials, problems)
    order = {name: number for number, name in enumerate(plan.profile.choices)}
    return sorted(lines.values(), key=lambda line: order.get(line.service, len(order)))


def at_prices_of(plan: Plan, cube: Cube, year: int, items: list[Item] | None = None) -> Cube:
    """Cube with every line in the money of *year*; quantity × price, so no raster is needed."""
    by_key = {item.key: item for item in (plan.items if items is None else items)}
    lines = [_valued(plan.book, by_key.get(line.key), line, year) for line in cube.lines]
    unpriced = [line.unpriced for line in lines if line.unpriced]
    problems = [p for n, p in enumerate(unpriced) if p not in (*cube.problems, *unpriced[:n])]
    return replace(cube, price_year=year, lines=lines, problems=[*cube.problems, *problems])


def _valued(book: Book, item: Item | None, line: Line, year: int) -> Line:
    """Line with its money: by the profile's price, or as its table states it."""
    if line.stated is not None:
        return stated(line, book, line.stated, year)
    if item is None or item.price is None or isinstance(item.indicator, Products):
        return line
    assert item.indicator.price
    return priced(line, book, item.price, item.indicator.price[1], year)


def _with_constant(plan: Plan, cube: Cube) -> Cube:
    """Cube with the same account at the prices of the base year, if there is one.

    W526 names what has money now and had no price then: the total of the base year lacks it.
    """
    year = plan.definition.account.base_year
    if year is None:
        return cube
    constant = at_prices_of(plan, replace(cube, problems=[]), year)
    pairs = zip(cube.lines, constant.lines, strict=True)
    lacking = [now.key for now, then in pairs if now.counted and lacks_then(now, then)]
    problems = list(cube.problems)
    if lacking:
        fields = {"year": year, "indicators": ", ".join(map(".".join, lacking))}
        problems.append(Problem("W526", fields))
    return replace(cube, constant=constant, problems=problems)


def _compared(plan: Plan, name: str) -> dict[str, Decimal]:
    """Value of every county in a table that only compares: people, gross domestic product."""
    if name not in plan.tables:
        return {}
    table = plan.tables[name]
    unit = of_year(COMPARED[name], table.year)
    pairs = [(row.county, table.number(row, "value", unit)) for row in table.rows]
    return {county: number for county, number in pairs if number is not None}


def _extent(plan: Plan, partials: Partials) -> dict[Leaf, int]:
    """Area of every ecosystem of every place, in area quanta; `nodata` where it is unknown."""
    keys = [*ecosystems(), "nodata"]
    return {
        (place, key): area
        for place, areas in zip(plan.counties.places, partials.areas.tolist(), strict=True)
        for key, area in zip(keys, areas, strict=True)
        if area
    }


def _line(plan: Plan, item: Item, i: Indicator | Derived, amounts: Amounts) -> Line:
    """Line with its amounts, and the weakest state of the coefficients behind each leaf."""
    year = plan.definition.account.year
    behind = plan.behind(item.choice.reads(getattr(i, "rasters", {})))
    found = item.coefficients | behind
    same, known = same_for(found.values()), dict[Leaf, str]()
    states = {}
    for leaf in amounts:
        key = same(leaf)
        if key not in known:
            known[key] = _state(found, leaf, year)
        states[leaf] = known[key]
    return Line(
        item.service.group,
        item.service.name,
        i.name,
        i.title,
        i.quantity,
        exact(i.quantum),
        amounts,
        states=states,
        counted=item.counted,
        priced=i.priced,
    )


def _rows(plan: Plan, item: Item, i: Indicator, weights: Weights, problems: list[Problem]) -> Line:
    """Line of an indicator summed over the rows of a table, with the money the rows have."""
    found = row_amounts(plan, item, i, weights)
    problems += found.problems
    line = _line(plan, item, i, found.amounts)
    measured = found.measured
    given = {leaf: GIVEN for leaf in found.amounts if leaf[0] in measured}
    table = plan.tables[i.table]
    said = Stated(table.name, table.year, i.index, found.cents) if i.worth else None
    return replace(line, stated=said, states=line.states | given, ways=found.ways)


def _state(found: dict[str, Coefficient], leaf: Leaf, year: int) -> str:
    values = [c.find(county=leaf[0], ecosystem=leaf[1], year=year) for c in found.values()]
    known = [value.verified for value in values if value is not None]
    return weakest(known) if known else GIVEN


def _pixels(
    plan: Plan, item: Item, i: Indicator, partials: Partials, problems: list[Problem]
) -> Line:
    """Line of an indicator summed over pixels; a class that is missing whole is missing, not 0."""
    assert item.accumulator is not None
    column, places = item.accumulator, plan.counties.places
    amounts = _of_column(plan, partials, column)
    eligible = list(plan.accumulators[column].eligible)
    whole = partials.areas[:, eligible].sum(axis=1).tolist()
    missing = partials.missing_area[:, eligible, column].sum(axis=1).tolist()
    coverage = {
        place: Decimal(area - gone) / Decimal(area)
        for place, area, gone in zip(places, whole, missing, strict=True)
        if area
    }
    _check_coverage(plan, item, coverage, partials.blame[column], problems)
    capped = _cap(plan, i, amounts) if i.cap else {}
    negative = partials.total(partials.negative[:, :, column]).sum(axis=1)
    below = {place: int(total) for place, total in zip(places, negative, strict=True) if total}
    line = _line(plan, item, i, amounts)
    return replace(line, coverage=coverage, capped=capped, negative=below)


def _of_column(plan: Plan, partials: Partials, column: int) -> Amounts:
    """Sums of a column by place and eligible class; missing where every pixel of it is."""
    eligible, keys = list(plan.accumulators[column].eligible), list(ecosystems())
    kinds = [keys[k] for k in eligible]
    sums = partials.total(partials.sums[:, eligible, column]).tolist()
    pixels = partials.pixels[:, eligible]
    gone = (partials.missing[:, eligible, column] == pixels).tolist()
    amounts: Amounts = {}
    for place, *row in zip(plan.counties.places, sums, pixels.tolist(), gone, strict=True):
        for kind, total, count, lost in zip(kinds, *row, strict=True):
            if count:
                amounts[place, kind] = None if lost else total
    return amounts


def _check_coverage(
    plan: Plan,
    item: Item,
    coverage: dict[str, Decimal],
    blame: NDArray[np.int64],
    problems: list[Problem],
) -> None:
    """Coverage below 0.90 is an error unless accepted, below 0.98 a warning."""
    names = culprits(plan)
    for limit, code in ((LOW_COVERAGE, "E305"), (FULL_COVERAGE, "W305")):
        low = {p: c for p, c in coverage.items() if c < limit and p != UNALLOCATED}
        if low:
            worst = min(low, key=lambda place: low[place])
            fields: dict[str, object] = {"service": item.service.name, "count": len(low)}
            fields |= {"indicator": item.indicator.name, "worst": worst}
            fields |= {"coverage": f"{low[worst]:.2%}", "culprit": names[int(np.argmax(blame))]}
            problems.append(Problem(code, fields))
            return


def _cap(plan: Plan, i: Indicator, amounts: Amounts) -> dict[str, tuple[int, int | None]]:
    """Hold the amounts of every county down to its load, and return capacity and load.

    Without a load the amounts are missing, never the capacity. Loads are a county's: the
    unallocated pixels have none, and no amount.
    """
    assert i.cap
    name, unit = i.cap
    table_name, column = name.split(".")
    table = plan.tables[table_name]
    loads = {row.county: table.number(row, column, unit) for row in table.rows}
    found: dict[str, tuple[int, int | None]] = {}
    of_place: dict[str, list[Leaf]] = {}
    for leaf in amounts:
        of_place.setdefault(leaf[0], []).append(leaf)
    for place in plan.counties.places:
        leaves = of_place.get(place, [])
        if place == UNALLOCATED:
            for leaf in leaves:
                del amounts[leaf]
            continue
        capacities = [amounts[leaf] or 0 for leaf in leaves]
        load = loads.get(place)
        limit = None if load is None else quanta(load, exact(i.quantum))
        found[place] = sum(capacities), limit
        if limit is None:
            amounts.update(dict.fromkeys(leaves))
        elif limit < sum(capacities):
            split = zip(leaves, shares(limit, capacities), strict=True)
            amounts.update((leaf, part) for leaf, part in split if amounts[leaf] is not None)
    return found


def _derived(plan: Plan, item: Item, d: Derived, base: Line) -> Line:
    """Line linear in another, leaf by leaf from its integers."""
    year = plan.definition.account.year
    amounts = derived_amounts(d, item.coefficients, base, year)
    line = _line(plan, item, d, amounts)
    states = {leaf: weaker(state, (base.states[leaf],)) for leaf, state in line.states.items()}
    return replace(line, states=states, coverage=base.coverage)


def derived_amounts(d: Derived, found: dict[str, Coefficient], base: Line, year: int) -> Amounts:
    """Quanta of a derived indicator from those of its base, rounded half-even per leaf."""
    amounts: Amounts = {}
    known: dict[Leaf, Fraction | None] = {}
    same = same_for(found.values())
    for leaf, amount in base.amounts.items():
        key = same(leaf)
        if key not in known:
            known[key] = _quanta_of_one(d, found, base, leaf, year)
        times = known[key]
        numbers = amount is not None and times is not None
        amounts[leaf] = half_even(amount * times.numerator, times.denominator) if numbers else None  # type: ignore[operator, union-attr]
    return amounts


def _quanta_of_one(
    d: Derived, found: dict[str, Coefficient], base: Line, leaf: Leaf, year: int
) -> Fraction | None:
    """Quanta of a derived indicator that one quantum of its base makes; None if a number lacks."""
    ratio = Fraction(base.quantum) / Fraction(exact(d.quantum))
    for units, power in ((d.times, 1), (d.per, -1)):
        for name, unit in units.items():
            number = found[name].number(unit, county=leaf[0], ecosystem=leaf[1], year=year)
            if number is None:
                return None
            ratio *= Fraction(number[0]) ** power
    return ratio


def _raster_coverage(plan: Plan, partials: Partials, problems: list[Problem]) -> dict[str, Decimal]:
    """Share of every place whose ecosystem is known; below 0.99 is an error unless accepted.

    A county without a single pixel centre has none. Where pixels are so coarse that their area is
    not the polygon's (W306), the share is one of pixels.
    """
    found = {}
    off: dict[str, float] = {}
    for p, place in enumerate(plan.counties.places):
        known, whole = int(partials.areas[p, :-1].sum()), int(partials.areas[p].sum())
        if place != UNALLOCATED:
            polygon = round(plan.counties.areas[p] / AREA_QUANTUM)
            if abs(whole / polygon - 1) > 1 - RASTER_COVERAGE:
                off[place] = whole / polygon - 1
            whole = whole or polygon
        if not whole:
            continue
        found[place] = Decimal(known) / Decimal(whole)
        if place != UNALLOCATED and found[place] < RASTER_COVERAGE:
            fields = {"code": place, "name": plan.counties.names[p]}
            fields |= {"file": str(plan.layers[0].path), "share": f"{found[place]:.2%}"}
            problems.append(Problem("E306", fields))
    if off:
        worst = max(off, key=lambda place: abs(off[place]))
        name = plan.counties.names[plan.counties.codes.index(worst)]
        problems.append(
            Problem(
                "W306",
                {
                    "file": str(plan.layers[0].path),
                    "size": f"{plan.grid.pixel:.0f}",
                    "count": len(off),
                    "worst": f"{worst} {name}",
                    "share": f"{off[worst]:+.1%}",
                },
            )
        )
    return found
