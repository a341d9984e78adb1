"""An account from quantities somebody else has: prices, derived indicators, totals, shares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gep import coefficients, tables
from gep.accounts import derived_amounts, priced
from gep.coefficients import GIVEN, Book, Coefficient, Price, Value, weakest
from gep.cube import UNATTRIBUTED, Amounts, Cube, Leaf, Line, money, quanta, value
from gep.ecosystems import Title
from gep.errors import InputError, Problem, stop_on
from gep.profile import Choice, Profile, catalogue, load
from gep.service import Derived, Indicator, Service, services, source_of
from gep.units import exact, factor, is_money, of_year

if TYPE_CHECKING:
    import pandas
    import xarray

QUANTUM = Decimal("1e-9")
TOTAL = "total"


@dataclass(frozen=True)
class Quantities:
    """What `from_quantities` gives: the cube, and its tables as data frames."""

    account: Cube

    @cached_property
    def counties(self) -> "pandas.DataFrame":
        """One row per place, then all of them: groups and total in CNY, as county_gep.csv."""
        return tables.frame(tables.county_rows(self.account, TOTAL))

    @cached_property
    def cube(self) -> "xarray.Dataset":
        """Quantity and value by county, ecosystem and indicator."""
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
) -> Quantities:
    """Account given quantities: price them, derive what follows, add up.

    Parameters
    ----------
    frame : DataFrame
        Columns `service`, `indicator`, `quantity`, `quantity_unit`; optional `county_code`,
        `county_name`, `ecosystem`, `price` with `price_unit`, and `value` with `value_unit` for
        what is known as money only. A service need not be built, but must be in the vocabulary.
    profile : str
        Chooses sets and prices of what the registry knows.
    price_year : int
        Year whose money the values are in.
    prices, coefficients : mapping, optional
        Replacements by name, such as ``{"reservoir_cost": "7.06 CNY_2010/m^3"}``.

    Returns
    -------
    Quantities
        With `.counties`, `.services`, `.rows` and `.cube`.

    Raises
    ------
    InputError
        E019 a column is missing or a cell contradicts itself.
    UnitError
        E603 a quantity has the unit of another, a price does not fit its quantity.
    """
    return _Pricer(profile, price_year, {**(prices or {}), **(coefficients or {})}).make(frame)


class _Pricer:
    def __init__(self, profile: str, year: int, replaced: dict[str, str]) -> None:
        self.profile: Profile = load(profile)
        self.year = year
        self.book: Book = _book()
        known = sorted({name for file in self.book.services.values() for name in file})
        if unknown := sorted(replaced.keys() - set(known)):
            raise _wrong(f"unknown coefficient {unknown[0]}; known: {', '.join(known)}")
        self.replaced = {name: _replacement(name, text) for name, text in replaced.items()}

    def make(self, frame: "pandas.DataFrame") -> Quantities:
        """Return the account of a frame."""
        for column in ("service", "indicator"):
            if column not in frame:
                raise _wrong(f"column {column} is missing; there are: {', '.join(frame.columns)}")
        lines: dict[tuple[str, str], Line] = {}
        for row in frame.to_dict("records"):
            line = self._row({str(k): v for k, v in row.items()}, lines)
            lines[line.key] = line
        lines |= self._derived(lines)
        done = [self._priced(line) for line in lines.values()]
        places = tuple(dict.fromkeys(leaf[0] for line in done for leaf in line.leaves()))
        names = {}
        if "county_code" in frame:
            titles = frame["county_name"] if "county_name" in frame else frame["county_code"]
            pairs = zip(frame["county_code"], titles, strict=True)
            names = {str(code): str(title) for code, title in pairs}
        order = {name: number for number, name in enumerate(catalogue())}
        done.sort(key=lambda line: order[line.service])
        return Quantities(Cube(self.year, self.year, done, places, names, partial=True))

    def _row(self, row: dict[str, Any], lines: dict[tuple[str, str], Line]) -> Line:
        """Line of a row, added to what the same indicator has already."""
        service, indicator = str(row["service"]), str(row["indicator"])
        if service not in catalogue():
            raise _wrong(f"unknown service {service}; known: {', '.join(catalogue())}")
        known = _indicator(service, indicator)
        amount, unit = _cell(row, "quantity"), _text(row, "quantity_unit")
        if amount is not None and not unit:
            raise _wrong(f"{service}.{indicator}: quantity_unit is missing")
        quantum = exact(known.quantum) if known else QUANTUM
        want = known.quantity if known else unit
        leaf = _text(row, "county_code") or TOTAL, _text(row, "ecosystem") or UNATTRIBUTED
        line = lines.get((service, indicator)) or Line(
            catalogue()[service].group,
            service,
            indicator,
            known.title if known else Title(indicator, indicator),
            want,
            quantum,
            {},
            priced=known is None or known.price is not None,
        )
        if leaf in line.amounts or leaf in line.cents:
            raise _wrong(f"{service}.{indicator} stands twice for {' '.join(leaf)}")
        states = line.states | {leaf: GIVEN}
        if amount is None:
            return replace(line, cents=line.cents | {leaf: self._value(row)}, states=states)
        scale = exact(_yearly(unit, want, f"{service}.{indicator}"))
        whole = quanta(amount * scale, quantum)
        cents: Amounts = dict(line.cents)
        prices = dict(line.prices)
        given = self._price(row, want)
        if given is not None:
            prices[leaf] = given
            cents[leaf] = value(whole, quantum, given.number)
        elif _cell(row, "value") is not None:
            cents[leaf] = self._value(row)
        amounts = line.amounts | {leaf: whole}
        return replace(line, amounts=amounts, cents=cents, prices=prices, states=states)

    def _value(self, row: dict[str, Any]) -> int | None:
        """Cents of a row known as money only."""
        number = _cell(row, "value")
        if number is None:
            return None
        unit = of_year(_text(row, "value_unit") or "CNY", self.year)
        return quanta(number * exact(_yearly(unit, f"CNY_{self.year}", "value")), Decimal("0.01"))

    def _price(self, row: dict[str, Any], unit: str) -> Price | None:
        """Price a row states, per unit of its quantity."""
        number = _cell(row, "price")
        if number is None:
            return None
        stated = _text(row, "price_unit")
        if not stated or not is_money(stated):
            raise _wrong(f"price {number} states no price_unit, such as CNY_{self.year}/m^3")
        per = f"CNY_{self.year}/({unit.removesuffix('/year')})"
        scaled = number * exact(factor(stated, per, f"price of {row['indicator']}"))
        source = Value(number, "seen", "", "frame", str(row["indicator"]), verified_by=GIVEN)
        return Price(scaled, per, "frame", source, stated, states=(GIVEN,))

    def _derived(self, lines: dict[tuple[str, str], Line]) -> dict[tuple[str, str], Line]:
        """Lines that follow from those given and are not given themselves."""
        made: dict[tuple[str, str], Line] = {}
        for service in services().values():
            for d in service.indicators:
                key = service.name, d.name
                if not isinstance(d, Derived) or key in lines or source_of(service, d) not in lines:
                    continue
                if self._choice(service).counted is False:
                    continue
                base = lines[source_of(service, d)]
                found = {n: self._coefficient(service, n) for n in d.times | d.per}
                amounts = derived_amounts(d, found, base, self.year)
                made[key] = Line(
                    *(service.group, service.name, d.name, d.title, d.quantity, exact(d.quantum)),
                    amounts,
                    states={leaf: self._state(found, leaf) for leaf in amounts},
                    priced=d.price is not None,
                )
        return made

    def _state(self, found: dict[str, Coefficient], leaf: Leaf) -> str:
        """Weakest state of the coefficients that turn a given quantity into another."""
        place, ecosystem = leaf
        known = [c.find(county=place, ecosystem=ecosystem, year=self.year) for c in found.values()]
        return weakest((GIVEN, *(value.verified for value in known if value is not None)))

    def _choice(self, service: Service) -> Choice:
        return self.profile.choices.get(service.name, Choice(service.name, False))

    def _coefficient(self, service: Service, name: str) -> Coefficient:
        chosen = self._choice(service).sets.get(name, "")
        found = self.replaced.get(name) or self.book.coefficient(service.name, name, chosen)
        assert found
        return found

    def _priced(self, line: Line) -> Line:
        """Line at the profile's price, where the frame stated neither price nor money."""
        known = _indicator(line.service, line.indicator)
        bare: Amounts = {leaf: None for leaf in line.amounts if leaf not in line.cents}
        if known is None:
            return replace(line, cents=bare | line.cents)
        if known.price is None or not bare:
            return line
        service = next(s for (name, _), s in services().items() if name == line.service)
        key = self._choice(service).prices.get(line.indicator, known.price[0])
        price = self._coefficient(service, key)
        made = priced(line, self.book, price, known.price[1], self.year)
        cents, prices = made.cents | line.cents, made.prices | line.prices
        states = made.states | {leaf: line.states[leaf] for leaf in line.cents}
        return replace(made, cents=cents, prices=prices, states=states)


def _wrong(why: str) -> InputError:
    return InputError(Problem("E019", {"call": "gep.from_quantities", "why": why}))


def _book() -> Book:
    book, problems = coefficients.load()
    stop_on(problems)
    return book


def _indicator(service: str, name: str) -> Indicator | Derived | None:
    """Indicator of the registry under these names, by any method; None if there is none."""
    for (owner, _), found in services().items():
        for i in found.indicators:
            if (owner, i.name) == (service, name) and isinstance(i, Indicator | Derived):
                return i
    return None


def _replacement(name: str, text: str) -> Coefficient:
    """Coefficient made of a text such as `7.06 CNY_2010/m^3`."""
    number, _, unit = text.strip().partition(" ")
    amount = _cell({name: number}, name)
    if amount is None:
        raise _wrong(f"{name}: not a number: {text}")
    parsed = Value(amount, "seen", "", "caller", text, verified_by=GIVEN)
    low, high = Decimal("-Infinity"), Decimal("Infinity")
    title = {"en": name, "zh": name}
    return Coefficient(
        "caller", name, title, unit or "1", (low, high), ("constant",), {("",): parsed}
    )


def _cell(row: Mapping[str, Any], name: str) -> Decimal | None:
    found = row.get(name)
    if found is None or found != found or found == "":
        return None
    try:
        number = Decimal(str(found))
    except InvalidOperation:
        raise _wrong(f"{name}: not a number: {found}") from None
    if not number.is_finite():
        raise _wrong(f"{name}: not a number: {found}")
    return number


def _text(row: Mapping[str, Any], name: str) -> str:
    found = row.get(name)
    return "" if found is None or found != found else str(found)


def _yearly(have: str, want: str, what: str) -> float:
    """Factor between two amounts of one year, whether or not the first says so."""
    yearly = "year" in want and "year" not in have
    return factor(f"({have}) / year" if yearly else have, want, what)
