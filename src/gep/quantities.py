"""An account from quantities somebody else has: prices, derived indicators, totals, shares."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from gep import coefficients, tables
from gep.accounts import derived_amounts
from gep.coefficients import GIVEN, Book, Coefficient, Price, Value, weakest
from gep.cube import UNALLOCATED, UNATTRIBUTED, Cube, Leaf, Line, money, quanta, value
from gep.ecosystems import Title, ecosystems, groups
from gep.errors import IdentityError, InputError, Problem, UnitError, stop_on
from gep.identities import Identity, of_tables
from gep.outputs import csv
from gep.pricing import priced
from gep.products import AGREES
from gep.profile import Choice, Profile, catalogue, load
from gep.replacements import Replacer, number, suggest, unknown, wrong
from gep.service import Derived, Indicator, Products, Service, services, source_of
from gep.tables import TOTAL
from gep.units import (
    FIRST_YEAR,
    LAST_YEAR,
    exact,
    factor,
    is_money,
    of_unit,
    of_year,
    price_year,
)

if TYPE_CHECKING:
    import pandas
    import xarray

CALL = "gep.from_quantities"
QUANTUM = Decimal("1e-9")
CENT = Decimal("0.01")
COLUMNS = (
    *("county_code", "county_name", "service", "indicator", "ecosystem"),
    *("quantity", "quantity_unit", "price", "price_unit", "value", "value_unit"),
)
"""Columns a frame may have; `service` and `indicator` it must have."""
SIGNED = (("water_retention", "water_retention"), ("carbon_sequestration", "carbon_dioxide"))
"""Balances, the only quantities that may be negative."""


@dataclass(frozen=True, repr=False)
class Quantities:
    """What `from_quantities` gives: the cube, its tables as data frames, identities that hold."""

    account: Cube
    identities: tuple[Identity, ...] = ()

    def __repr__(self) -> str:
        """Value and share by service."""
        return f"Quantities\n{self.services.to_string(index=False)}"

    @cached_property
    def counties(self) -> "pandas.DataFrame":
        """One row per place, then all of them, as county_gep.csv.

        Groups, total, total per head and gross domestic product in CNY; people as given.
        """
        return tables.frame(tables.county_rows(self.account, TOTAL))

    @cached_property
    def cube(self) -> "xarray.Dataset":
        """Quantity and value by county, ecosystem and indicator; NaN where there is none."""
        return tables.dataset(self.account)

    @cached_property
    def rows(self) -> "pandas.DataFrame":
        """One row per place, indicator and ecosystem, as accounts.csv; exact decimals."""
        import pandas

        found = list(tables.account_rows(self.account))
        return pandas.DataFrame(found, columns=list(tables.ACCOUNT_COLUMNS))

    @cached_property
    def services(self) -> "pandas.DataFrame":
        """Value in CNY and share of the total by service, over all places."""
        import pandas

        places = self.account.places
        whole = self.account.cents(places)
        names = dict.fromkeys(line.service for line in self.account.counted())
        rows = []
        for name in names:
            cents = self.account.cents(places, service=name)
            share = cents / whole if cents is not None and whole else None
            amount = money(cents)
            group = catalogue()[name].group
            plain = None if amount is None else float(amount)
            rows.append({"service": name, "group": group, "value": plain, "share": share})
        return pandas.DataFrame(rows, columns=["service", "group", "value", "share"])


def from_quantities(
    frame: "pandas.DataFrame",
    profile: str = "jiangxi-2021",
    price_year: int = 2020,
    prices: Mapping[str, str] | None = None,
    coefficients: Mapping[str, str] | None = None,  # noqa: A002
    population: float | Mapping[str, float] | None = None,
) -> Quantities:
    """Account given quantities: price them, derive what follows, add up.

    Parameters
    ----------
    frame : DataFrame
        One row per place, indicator and ecosystem, with the columns

        `service`, `indicator`
            A service of the vocabulary, built or not. An indicator the registry does not know
            is taken as it is, in the unit of its first row, if it states a price or a value.
        `county_code`, `county_name` (optional)
            In all rows or in none; `unallocated` is what belongs to no county.
        `ecosystem` (optional)
            A class or a group of classes; empty is `unattributed`.
        `quantity`, `quantity_unit`
            Amount of the year, such as t or t/year; empty is missing, not zero. Negative only of
            `water_retention` and `carbon_dioxide`.
        `price`, `price_unit` (optional)
            Money per unit, such as CNY_2020/t; without it the price is the profile's.
        `value`, `value_unit` (optional)
            Money, such as 亿元 or CNY_2020: instead of a price, or beside it within 0.1 %.
    profile : str
        Chooses sets and prices of what the registry knows.
    price_year : int
        Year whose money the values are in, 1990 to 2060. Money in the frame is of this year,
        whether it says so or not.
    prices, coefficients : mapping of str to str, optional
        Replacements by name, such as ``{"reservoir_cost": "7.06 CNY_2010/m^3"}``, within the range
        of the coefficient shipped. The unit may be left out only where the shipped one is 1. A
        price states its year and is moved to `price_year` by the index of the shipped one.
    population : float or mapping of str to float, optional
        People by county code, or in all places together.

    Returns
    -------
    Quantities
        With `.counties`, `.services`, `.rows`, `.cube` and `.identities`. Values are in CNY of
        `price_year`.

    Raises
    ------
    InputError
        E019 with the label of the row: a column is missing or unknown, a cell is no number,
        negative or contradicts another, money is of another year, a word, code, replacement or
        population is wrong. E006 there is no such profile.
    UnitError
        E603 a quantity has the unit of another, a price does not fit its quantity; E531 a unit
        nobody knows.
    IdentityError
        E711 the tables do not add up.

    Examples
    --------
    >>> import pandas
    >>> row = {"service": "water_retention", "indicator": "water_retention"}
    >>> frame = pandas.DataFrame([row | {"quantity": 2, "quantity_unit": "亿m3"}])
    >>> prices = {"reservoir_cost": "7.06 CNY_2010/m^3"}
    >>> result = from_quantities(frame, price_year=2010, prices=prices, population=1000)
    >>> float(result.counties["gep"][0]), float(result.counties["gep_per_capita"][0])
    (1412000000.0, 1412000.0)
    """
    if twice := sorted({*(prices or {})} & {*(coefficients or {})}):
        why_zh = f"{twice[0]} 在 prices 和 coefficients 中都有"
        raise _wrong(f"{twice[0]} stands in prices and in coefficients", why_zh)
    replaced = {**(prices or {}), **(coefficients or {})}
    return _Pricer(profile, price_year, replaced).make(frame, population)


@dataclass(frozen=True)
class _Row:
    """A row of the frame, its place, and what to call it in a message."""

    at: str
    place: str
    cells: Mapping[str, Any]

    def number(self, name: str) -> Decimal | None:
        """Return the number in a cell; None if it is empty."""
        return number(self.text(name), f"{self.at}: {name}", CALL, f"{_zh(self.at)}：{name}")

    def text(self, name: str) -> str:
        return _text(self.cells.get(name))

    def unit(self, name: str) -> str:
        return self.text(name).replace("/年", "/year")

    def wrong(self, why: str, why_zh: str) -> InputError:
        return _wrong(f"{self.at}: {why}", f"{_zh(self.at)}：{why_zh}")


class _Pricer:
    def __init__(self, profile: str, year: int, replaced: Mapping[str, str]) -> None:
        whole = isinstance(year, Integral) and not isinstance(year, bool)
        if not whole or not FIRST_YEAR <= year <= LAST_YEAR:
            why_zh = f"price_year = {year!r} 不是 {FIRST_YEAR} 至 {LAST_YEAR} 之间的年份"
            why = f"price_year = {year!r} is not a year from {FIRST_YEAR} to {LAST_YEAR}"
            raise _wrong(why, why_zh)
        self.profile: Profile = load(profile)
        self.year = int(year)
        self.book: Book = _book()
        used = _used(self.book)
        for name in replaced:
            if name not in used and any(name in file for file in self.book.services.values()):
                why_zh = f"{name} 用于由栅格或统计表推算实物量；此处实物量已给出"
                why = f"{name} makes quantities of rasters or tables; these are given"
                raise _wrong(why, why_zh)
            if name not in used:
                raise unknown(CALL, name, used)
        self.replaced = dict(replaced)
        for name in replaced:
            for file, entries in self.book.services.items():
                if name in entries:
                    self._coefficient(file, name)

    def make(
        self, frame: "pandas.DataFrame", population: float | Mapping[str, float] | None = None
    ) -> Quantities:
        """Return the account of a frame, with the identities its tables keep."""
        rows = _rows(frame)
        lines: dict[tuple[str, str], Line] = {}
        for row in rows:
            try:
                line = self._row(row, lines)
            except UnitError as error:
                raise UnitError(of_unit(error, row.at)) from None
            lines[line.key] = line
        lines |= self._derived(lines)
        done = [self._priced(line) for line in lines.values()]
        order = {name: number for number, name in enumerate(catalogue())}
        done.sort(key=lambda line: order[line.service])
        names = _names(rows)
        cube = Cube(
            year=self.year,
            price_year=self.year,
            lines=done,
            places=tuple(dict.fromkeys(row.place for row in rows)),
            names=names,
            population=_people(population, names or {TOTAL: ""}),
            partial=True,
            problems=[
                *(line.unpriced for line in done if line.unpriced),
                *self._twice({line.service for line in done}),
            ],
        )
        return Quantities(cube, _identities(cube))

    def _twice(self, given: set[str]) -> list[Problem]:
        """W528 for services of one flow, of which the profile counts one."""
        pairs = [[name for name in pair if name in given] for pair in self.profile.exclusive]
        said = [", ".join(pair) for pair in pairs if len(pair) > 1]
        return [Problem("W528", {"services": names}) for names in said]

    def _row(self, row: _Row, lines: dict[tuple[str, str], Line]) -> Line:
        """Line of a row: that of its indicator, to which the row has been added."""
        service, indicator = row.text("service"), row.text("indicator")
        known = _known(row, service, indicator)
        amount, unit = row.number("quantity"), row.unit("quantity_unit")
        if amount is not None and not unit:
            raise row.wrong("quantity_unit is missing", "缺少 quantity_unit")
        line = lines.get((service, indicator)) or Line(
            catalogue()[service].group,
            service,
            indicator,
            known.title if known else Title(indicator, indicator),
            known.quantity if known else "",
            exact(known.quantum) if known else QUANTUM,
            {},
            priced=known is None or known.priced,
        )
        line = replace(line, unit=line.unit or unit)
        leaf = row.place, _ecosystem(row)
        if leaf in line.amounts or leaf in line.cents:
            raise row.wrong(f"stands twice for {' '.join(leaf)}", f"{' '.join(leaf)} 出现两次")
        _check_signs(row, line.key)
        stated = self._value(row)
        in_cents = None if stated is None else quanta(stated, CENT)
        line.states[leaf] = GIVEN
        if amount is None:
            line.cents[leaf] = in_cents
            return line
        scaled = amount * exact(_yearly(unit, line.unit, row.at))
        line.amounts[leaf] = whole = quanta(scaled, line.quantum)
        given = self._price(row, line.unit)
        if given is not None:
            line.prices[leaf] = given
            line.cents[leaf] = value(whole, line.quantum, given.number)
            _check_agrees(row, scaled * given.number, stated)
        elif stated is not None:
            line.cents[leaf] = in_cents
        return line

    def _value(self, row: _Row) -> Decimal | None:
        """Money a row states, in CNY of the price year."""
        number, unit = row.number("value"), row.unit("value_unit")
        if number is None:
            return None
        if not unit:
            why_zh = f"价值 {number} 没有 value_unit，如 CNY_{self.year}"
            raise row.wrong(f"value {number} states no value_unit, such as CNY_{self.year}", why_zh)
        if (year := price_year(unit)) not in (None, self.year):
            why_zh = f"价值为 {year} 年价，核算为 {self.year} 年价"
            why = f"value is in money of {year}, the account in money of {self.year}"
            raise row.wrong(why, why_zh)
        want = f"CNY_{self.year}/year"
        scale = _yearly(of_year(unit, self.year), want, f"{row.at}: value")
        return number * exact(scale)

    def _price(self, row: _Row, unit: str) -> Price | None:
        """Price a row states, per unit of its quantity."""
        number, stated = row.number("price"), row.unit("price_unit")
        if number is None:
            return None
        if not is_money(stated):
            why = f"price {number} states no price_unit, such as CNY_{self.year}/m^3"
            raise row.wrong(why, f"单价 {number} 没有 price_unit，如 CNY_{self.year}/m^3")
        dated = stated if price_year(stated) else of_year(stated, self.year)
        per = f"CNY_{self.year}/({unit.removesuffix('/year')})"
        scaled = number * exact(factor(dated, per, f"{row.at}: price"))
        source = Value(number, "seen", "", "frame", row.text("indicator"), verified_by=GIVEN)
        return Price(scaled, per, "frame", source, stated, states=(GIVEN,))

    def _derived(self, lines: dict[tuple[str, str], Line]) -> dict[tuple[str, str], Line]:
        """Lines that follow from those given and are not given themselves."""
        made: dict[tuple[str, str], Line] = {}
        for service in services().values():
            for d in service.indicators:
                key = service.name, d.name
                if not isinstance(d, Derived) or key in lines or source_of(service, d) not in lines:
                    continue
                base = lines[source_of(service, d)]
                if self._choice(service.name).counted is False or not base.amounts:
                    continue
                found = {n: self._coefficient(service.name, n) for n in d.times | d.per}
                amounts = derived_amounts(d, found, base, self.year)
                made[key] = Line(
                    *(service.group, service.name, d.name, d.title, d.quantity, exact(d.quantum)),
                    amounts,
                    states={leaf: self._state(found, leaf) for leaf in amounts},
                    priced=d.priced,
                )
        return made

    def _state(self, found: dict[str, Coefficient], leaf: Leaf) -> str:
        """Weakest state of the coefficients that turn a given quantity into another."""
        place, ecosystem = leaf
        known = [c.find(county=place, ecosystem=ecosystem, year=self.year) for c in found.values()]
        return weakest((GIVEN, *(value.verified for value in known if value is not None)))

    def _choice(self, service: str) -> Choice:
        return self.profile.choices.get(service, Choice(service, False))

    def _coefficient(self, service: str, name: str) -> Coefficient:
        found = self.book.coefficient(service, name, self._choice(service).sets.get(name, ""))
        assert found
        if name in self.replaced:
            return Replacer(self.book, self.year, CALL).replacement(found, self.replaced[name])
        return found

    def _priced(self, line: Line) -> Line:
        """Line at the profile's price, where the frame stated neither price nor money."""
        known = _indicator(line.service, line.indicator)
        bare = {leaf: a for leaf, a in line.amounts.items() if leaf not in line.cents}
        if known is None or (known.priced and known.price is None):
            return replace(line, cents=dict.fromkeys(bare) | line.cents)
        if known.price is None or not bare:
            return line
        key = self._choice(line.service).prices.get(line.indicator, known.price[0])
        price = self._coefficient(line.service, key)
        made = priced(replace(line, amounts=bare), self.book, price, known.price[1], self.year)
        cents, prices = made.cents | line.cents, made.prices | line.prices
        return replace(made, amounts=line.amounts, cents=cents, prices=prices)


def _wrong(why: str, why_zh: str) -> InputError:
    return wrong(CALL, why, why_zh)


def _book() -> Book:
    book, problems = coefficients.load()
    stop_on(problems)
    return book


def _used(book: Book) -> list[str]:
    """Coefficients that turn quantities into others or into money, by name.

    Those of kernels on rasters or rows are not among them: to replace one would do nothing.
    """
    found = set(book.services["prices"])
    for service in services().values():
        for i in service.indicators:
            if isinstance(i, Derived):
                found |= i.times.keys() | i.per.keys()
            if isinstance(i, Indicator | Derived) and i.price:
                found.add(i.price[0])
    return sorted(found)


def _methods(name: str) -> list[Service]:
    return [found for (owner, _), found in services().items() if owner == name]


def _indicator(service: str, name: str) -> Indicator | Derived | None:
    """Indicator of the registry under these names, by any method; None if there is none."""
    for method in _methods(service):
        for i in method.indicators:
            if i.name == name and isinstance(i, Indicator | Derived):
                return i
    return None


def _rows(frame: "pandas.DataFrame") -> list[_Row]:
    """Rows of a frame whose columns and county codes are right."""
    columns = [str(column) for column in frame.columns]
    for column in ("service", "indicator"):
        if column not in columns:
            why_zh = f"缺少列 {column}；现有：{'、'.join(columns)}"
            raise _wrong(f"column {column} is missing; there are: {', '.join(columns)}", why_zh)
    for column in columns:
        if column not in COLUMNS:
            why_zh = f"不认识的列 {column}；{suggest(column, COLUMNS, 'zh')}"
            raise _wrong(f"unknown column {column}; {suggest(column, COLUMNS)}", why_zh)
        if columns.count(column) > 1:
            raise _wrong(f"column {column} stands twice", f"列 {column} 出现两次")
    rows = []
    for label, cells in zip(frame.index, frame.to_dict("records"), strict=True):
        at = f"row {label}, {_text(cells['service'])}.{_text(cells['indicator'])}"
        place = _code(cells.get("county_code"), at) or TOTAL
        rows.append(_Row(at, place, {str(name): cell for name, cell in cells.items()}))
    bare = [row for row in rows if row.place == TOTAL]
    if bare and len(bare) < len(rows):
        raise bare[0].wrong(
            "county_code is missing; other rows have one", "缺少 county_code，而其他行有"
        )
    return rows


def _code(found: object, at: str) -> str:
    """County code as text, whatever a spreadsheet made of it; "" if there is none.

    >>> _code(360732.0, ""), _code(360732, ""), _code(" 360732 ", ""), _code(float("nan"), "")
    ('360732', '360732', '360732', '')
    """
    text = re.sub(r"^(\d+)\.0+$", r"\1", _text(found))
    if re.fullmatch(r"[\d.]*\.\d*", text):
        raise _wrong(
            f"{at}: county_code {text} is no code", f"{_zh(at)}：county_code {text} 不是代码"
        )
    return text


def _names(rows: list[_Row]) -> dict[str, str]:
    """Name of every county by code; what has no name is called by its code."""
    names: dict[str, str] = {}
    for row in rows:
        if row.place in (TOTAL, UNALLOCATED):
            continue
        title = row.text("county_name")
        before = names.get(row.place) or title
        if title and title != before:
            why_zh = f"县区 {row.place} 名为 {title}，前面为 {before}"
            raise row.wrong(f"county {row.place} is called {title}, before it was {before}", why_zh)
        names[row.place] = before
    return {code: title or code for code, title in names.items()}


def _people(said: object, names: Mapping[str, str]) -> dict[str, Decimal]:
    """People by county code, or in all under `total`."""
    if said is None:
        return {}
    if not isinstance(said, Mapping):
        return {TOTAL: _positive(said, "population")}
    found = {_code(code, "population"): people for code, people in said.items()}
    for code in found:
        if code not in names:
            why_zh = f"给出了 {code} 的人口，但表中没有该县区；{suggest(code, names, 'zh')}"
            why = f"population of {code}, which the frame has not; {suggest(code, names)}"
            raise _wrong(why, why_zh)
    return {code: _positive(people, f"population of {code}") for code, people in found.items()}


def _positive(said: object, what: str) -> Decimal:
    number = float(said) if isinstance(said, Real | Decimal) else math.nan
    if not 0 < number < math.inf:
        raise _wrong(
            f"{what} = {said} is not a number above 0", f"{_zh(what)} = {said} 不是大于 0 的数"
        )
    return exact(number)


def _known(row: _Row, service: str, indicator: str) -> Indicator | Derived | None:
    """Indicator of the registry a row speaks of, None if it is the row's own."""
    if service not in catalogue():
        why_zh = f"不认识的服务 {service}；{suggest(service, catalogue(), 'zh')}"
        raise row.wrong(f"unknown service {service}; {suggest(service, catalogue())}", why_zh)
    if not indicator:
        raise row.wrong("indicator is empty", "indicator 为空")
    known = _indicator(service, indicator)
    with_money = any(row.number(name) is not None for name in ("price", "value"))
    there = [i for method in _methods(service) for i in method.indicators]
    is_open = not there or any(isinstance(i, Products) for i in there)
    if known is None and not is_open and not with_money:
        names = dict.fromkeys(i.name for i in there)
        why_zh = f"不认识的指标 {indicator}；{suggest(indicator, names, 'zh')}"
        raise row.wrong(f"unknown indicator {indicator}; {suggest(indicator, names)}", why_zh)
    if known is not None and not known.priced and with_money:
        why = "a quantity that has no money; it cannot have a price or a value"
        raise row.wrong(why, "该实物量不计价值，不能有 price 或 value")
    return known


def _ecosystem(row: _Row) -> str:
    word = row.text("ecosystem") or UNATTRIBUTED
    known = [*ecosystems(), *groups(), UNATTRIBUTED]
    if word not in known:
        why_zh = f"不认识的生态系统 {word}；{suggest(word, known, 'zh')}"
        raise row.wrong(f"unknown ecosystem {word}; {suggest(word, known)}", why_zh)
    return word


def _check_signs(row: _Row, key: tuple[str, str]) -> None:
    """Refuse what is negative and should not be."""
    quantity, price, stated = (row.number(name) for name in ("quantity", "price", "value"))
    below = quantity is not None and quantity < 0
    if below and key not in SIGNED:
        allowed = ", ".join(map(".".join, SIGNED))
        why_zh = f"实物量 {quantity} 为负；只有这些可以为负：{allowed}"
        raise row.wrong(f"quantity {quantity} is negative; only these may be: {allowed}", why_zh)
    if price is not None and price < 0:
        raise row.wrong(f"price {price} is negative", f"单价 {price} 为负")
    if stated is not None and stated < 0 and not below:
        raise row.wrong(f"value {stated} is negative", f"价值 {stated} 为负")
    if stated is not None and stated > 0 and below:
        why_zh = f"实物量为 {quantity}，价值却为 {stated}"
        raise row.wrong(f"value {stated} of a quantity of {quantity}", why_zh)


def _check_agrees(row: _Row, made: Decimal, stated: Decimal | None) -> None:
    """Refuse a stated value that is not quantity times price."""
    if stated is not None and abs(made - stated) > AGREES * max(abs(made), abs(stated)):
        why_zh = f"实物量乘以单价为 {made:.2f}，所列价值为 {stated:.2f}"
        why = f"quantity times price is {made:.2f}, the value stated is {stated:.2f}"
        raise row.wrong(why, why_zh)


def _identities(cube: Cube) -> tuple[Identity, ...]:
    """Identities of the tables as they would be written; an account without counties is one."""
    counties = tables.county_rows(cube, TOTAL)
    if TOTAL in cube.places:
        counties.append(counties[-1] | {"level": "county", "code": TOTAL})
    accounts = csv.encode(tables.ACCOUNT_COLUMNS, tables.account_rows(cube))
    areas = csv.encode(tables.COUNTY_COLUMNS, counties)
    found = of_tables(csv.decode(accounts), csv.decode(areas), [])
    if wrong := [i.problem() for i in found if not i.holds]:
        raise IdentityError(*wrong)
    return tuple(found)


def _zh(at: str) -> str:
    """What a row is called in Chinese.

    >>> _zh("row 3, tourism.visits"), _zh("population")
    ('行 3，tourism.visits', '人口')
    """
    if not at.startswith("row "):
        return at.replace("population of ", "人口 ").replace("population", "人口")
    return at.replace("row ", "行 ", 1).replace(", ", "，", 1)


def _text(found: object) -> str:
    """Text of a cell; "" if it is empty, NaN or NA."""
    import pandas

    return "" if pandas.isna(found) else str(found).strip()  # type: ignore[call-overload]


def _yearly(have: str, want: str, what: str) -> float:
    """Factor between two amounts of one year, whether or not they say so."""
    if "year" in want and "year" not in have:
        have = f"({have}) / year"
    elif "year" in have and "year" not in want:
        want = f"({want}) / year"
    return factor(have, want, what)
