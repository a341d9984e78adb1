"""Many scenarios of prices at once: the money of a finished account anew, exact to the cent.

A price multiplies the amount of a leaf, and no amount depends on it. So the lines of a price that
is named are multiplied anew, leaf × scenario, and all else stays as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gep.cents import WHOLE, Rates, in_cents
from gep.coefficients import CALLER, EXACT, Book, Coefficient, Price, printed
from gep.cube import Cube, Line
from gep.ecosystems import Title
from gep.errors import IdentityError, InputError, Problem
from gep.identities import Identity
from gep.plan import Item, Plan
from gep.price_series import CALL, Series, read
from gep.pricing import priced
from gep.replacements import replaced, wrong
from gep.service import Products
from gep.units import exact, factor, of_year

if TYPE_CHECKING:
    import xarray

BLOCK = 1 << 15
"""Products in hand at a time: they stay in the cache of a processor."""
LARGEST = 2.0**62
"""Cents of an account that fit into 64 bits, with room for the error of floats."""
AGREES = Title("prices anew = the account at these prices", "重新计价 = 按该价格核算")


@dataclass(frozen=True)
class Touched:
    """A line whose price is named, and what its quanta are worth in every scenario."""

    line: Line
    item: Item
    series: Series
    rates: Rates


def reprice(plan: Plan, cube: Cube, prices: Any) -> "xarray.Dataset":
    """Money of an account in every scenario of its prices: see `Result.reprice`."""
    named, scenarios = read(prices)
    table = _Table(plan, cube, len(scenarios))
    book, year = plan.book.on_file or plan.book, cube.price_year
    by_line: dict[tuple[str, str], Touched] = {}
    for series in named:
        for touched in _touched(plan, cube, book, series):
            other = by_line.setdefault(touched.line.key, touched)
            if other is not touched:
                both = other.series.name, series.name
                zh = f"{both[0]} 与 {both[1]} 是同一价格"
                raise wrong(CALL, f"{both[0]} and {both[1]} are the same price", zh)
    table.fill(by_line)
    for touched in by_line.values():
        _check(touched, book, year, table)
    return table.dataset(scenarios)


def _touched(plan: Plan, cube: Cube, book: Book, series: Series) -> list[Touched]:
    """Lines of one price.

    Names, units, years and ranges are checked by the door of `Account.scenario`, for the lowest and
    the highest number of every unit: what lies between passes where both do.
    """
    doors = {}
    for n in series.ends():
        said = {series.name: series.texts[n]}
        doors[series.units[n]] = replaced(book, said, cube.price_year, CALL)
    any_book = next(iter(doors.values()))
    _check_used(plan, any_book, series.name)
    lines = {line.key: line for line in cube.lines}
    found = []
    for item in plan.items:
        if _price(item, any_book) is not None and lines[item.key].stated is None:
            rates = _rates(item, doors, series, lines[item.key], cube.price_year)
            found.append(Touched(lines[item.key], item, series, rates))
    return found


def _price(item: Item, book: Book) -> Coefficient | None:
    """Price of an indicator, if it is one that a call has put in place."""
    if isinstance(item.indicator, Products) or not item.indicator.price:
        return None
    name = item.choice.prices.get(item.indicator.name, item.indicator.price[0])
    found = book.coefficient(item.choice.service, name, item.choice.sets.get(name, ""))
    return found if found is not None and found.file == CALLER else None


def _check_used(plan: Plan, book: Book, name: str) -> None:
    """Refuse what is no price (E736), and what nothing here uses (E019)."""
    makers = [(i.service.name, i.coefficients) for i in plan.items]
    makers += [(step.name, step.coefficients) for step in plan.steps]
    for maker, coefficients in makers:
        for one in coefficients.values():
            sets = book.services.get(maker, {}).get(one.name) or {}
            sets = sets or book.services["prices"].get(one.name, {})
            if any(made.file == CALLER for made in sets.values()):
                raise InputError(Problem("E736", {"call": CALL, "name": name, "maker": maker}))
    if not any(_price(item, book) for item in plan.items):
        why, why_zh = f"{name}: nothing in this account uses it", f"{name}：本核算没有用到它"
        raise wrong(CALL, why, why_zh)


def _rates(item: Item, doors: dict[str, Book], series: Series, line: Line, year: int) -> Rates:
    """Money of one quantum of a line in every scenario, by the rule of `Book.price`."""
    assert not isinstance(item.indicator, Products)
    assert item.indicator.price
    moves = {}
    for unit, book in doors.items():
        made = _price(item, book)
        assert made is not None
        found = book.price(made, item.indicator.price[1], year)
        assert isinstance(found, Price)  # the door has moved it to this year
        moves[unit] = found.ratio, exact(factor(of_year(made.unit, year), found.unit, made.at))
    hundred = EXACT.multiply(line.quantum, Decimal(100))  # a power of ten: nothing is rounded
    ratios = [
        EXACT.multiply(printed(n, *moves[unit]), hundred).as_integer_ratio()
        for n, unit in zip(series.numbers, series.units, strict=True)
    ]
    return Rates([times for times, _ in ratios], [per for _, per in ratios])


class _Table:
    """Cents of every service and place in every scenario: shape (services, places, scenarios).

    They are int64 where all of them together fit into it, else Python's integers.
    """

    def __init__(self, plan: Plan, cube: Cube, scenarios: int) -> None:
        self.cube, self.scenarios = cube, scenarios
        self.lines = list(cube.counted())
        self.services = list(dict.fromkeys(line.service for line in self.lines))
        self.groups = {line.service: line.group for line in self.lines}
        self.place_of = {place: n for n, place in enumerate(cube.places)}
        self.found: NDArray[Any] = np.zeros(0)
        self.known = np.zeros((len(self.services), len(cube.places)), np.bool_)
        self.of_line: dict[tuple[str, str], NDArray[Any]] = {}

    def fill(self, by_line: Mapping[tuple[str, str], Touched]) -> None:
        """Add every line: as it is, or anew where its price is named."""
        most = 0.0
        for line in self.lines:
            new = by_line.get(line.key)
            amounts = line.amounts if new else line.cents
            size = float(sum(abs(a) for a in amounts.values() if a is not None))
            most += size * (float(new.rates.floats.max()) if new else 1.0)
        kind = np.int64 if most < LARGEST else object
        shape = (len(self.services), len(self.cube.places), self.scenarios)
        self.found = np.zeros(shape, kind)
        for line in self.lines:
            new = by_line.get(line.key)
            service = self.services.index(line.service)
            for place, leaves in line.by_place.items():
                source = line.amounts if new else line.cents
                if any(source.get(leaf) is not None for leaf in leaves):
                    self.known[service, self.place_of[place]] = True
            if new:
                self._anew(new, service)
            else:
                self._as_it_is(line, service)

    def _as_it_is(self, line: Line, service: int) -> None:
        for place in line.by_place:
            self.found[service, self.place_of[place]] += line.money([place]) or 0

    def _anew(self, new: Touched, service: int) -> None:
        """Add the money of a line anew, and keep that of the last scenario by place."""
        pairs = [
            (self.place_of[place], new.line.amounts[leaf])
            for place, leaves in new.line.by_place.items()
            for leaf in leaves
            if leaf in new.line.amounts
        ]
        kept = sorted((place, amount) for place, amount in pairs if amount is not None)
        own = self.of_line[new.line.key] = np.zeros(len(self.cube.places), self.found.dtype)
        step = max(1, BLOCK // self.scenarios)
        for begin in range(0, len(kept), step):
            part = kept[begin : begin + step]
            places = np.array([place for place, _ in part])
            starts = np.flatnonzero(np.diff(places, prepend=-1))
            amounts = [amount for _, amount in part]
            cents = in_cents(amounts, new.rates)
            sums = np.add.reduceat(cents, starts, axis=0).astype(self.found.dtype)
            self.found[service, places[starts]] += sums
            own[places[starts]] += sums[:, -1]

    def dataset(self, scenarios: list[Any]) -> "xarray.Dataset":
        """Money in CNY of services, of counties and in all; NaN where there is none."""
        import xarray

        cents = np.moveaxis(self.found, 2, 0)
        anywhere = self.known.any(axis=0)
        parts = {
            "value": (("service", "county"), cents, self.known),
            "gep": (("county",), cents.sum(axis=1), anywhere),
            "total": ((), cents.sum(axis=(1, 2)), anywhere.any()),
        }
        attrs = {"units": f"CNY_{self.cube.price_year}/year"}
        values = {
            name: (("scenario", *dims), np.where(known, _money(sums), np.nan))
            for name, (dims, sums, known) in parts.items()
        }
        names = [self.cube.names.get(place, "") for place in self.cube.places]
        made = xarray.Dataset(
            {name: (dims, array, attrs) for name, (dims, array) in values.items()},
            coords={
                "scenario": scenarios,
                "county": list(self.cube.places),
                "service": self.services,
                "county_name": ("county", names),
                "group": ("service", [self.groups[service] for service in self.services]),
            },
            attrs={"year": self.cube.year, "price_year": self.cube.price_year},
        )
        return made.transpose("scenario", "county", "service")


def _money(cents: NDArray[Any]) -> NDArray[np.float64]:
    """Money in CNY: the float64 nearest to every whole number of cents / 100."""
    found = cents.astype(object) if np.abs(cents).max(initial=0) >= WHOLE else cents
    made: NDArray[np.float64] = np.asarray(found / 100).astype(np.float64)
    return made


def _check(new: Touched, book: Book, year: int, table: _Table) -> None:
    """Hold the last scenario of a line against the account's own pricing: E711."""
    if new.line.key not in table.of_line:
        return
    made = _price(new.item, replaced(book, {new.series.name: new.series.texts[-1]}, year, CALL))
    assert made is not None
    assert not isinstance(new.item.indicator, Products)
    assert new.item.indicator.price
    own = priced(new.line, book, made, new.item.indicator.price[1], year)
    left = [int(cents) for cents in table.of_line[new.line.key]]
    right = [own.money([place]) or 0 for place in table.cube.places]
    sums = str(sum(left)), str(sum(right))
    found = Identity("reprice", AGREES, left == right, len(left), *sums)
    if not found.holds:
        raise IdentityError(found.problem())
