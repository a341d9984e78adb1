"""The account cube: quantities and money of every place, ecosystem and indicator, as integers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache

from gep.coefficients import Price
from gep.ecosystems import Title
from gep.errors import Problem

UNALLOCATED = "unallocated"
"""Place of the pixels that belong to no county."""
UNATTRIBUTED = "unattributed"
"""Ecosystem of an amount that nothing says how to spread."""

AREA_QUANTUM = 0.01
"""Areas are counted in integers of this many square metres."""

Leaf = tuple[str, str]
"""Place and ecosystem."""
Amounts = dict[Leaf, int | None]
"""Integers by leaf; None is missing, which is not zero."""
Ways = dict[str, dict[str, tuple[int, int | None]]]
"""By place and way (`measured`, `formula`): rows that had their amount so, and it in quanta."""


@dataclass(frozen=True)
class Stated:
    """Money and prices as a table of the user states them, in money of its year, before any index.

    A leaf has a price, or money, not both.
    """

    table: str
    year: int
    index: str
    cents: Amounts = field(default_factory=dict)
    prices: dict[Leaf, Price] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One indicator as accounted: its amounts in quanta and its money in cents, leaf by leaf."""

    group: str
    service: str
    indicator: str
    title: Title
    unit: str
    quantum: Decimal
    amounts: Amounts
    cents: Amounts = field(default_factory=dict)
    prices: dict[Leaf, Price] = field(default_factory=dict)
    states: dict[Leaf, str] = field(default_factory=dict)
    coverage: dict[str, Decimal] = field(default_factory=dict)
    capped: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    negative: dict[str, int] = field(default_factory=dict)
    ways: Ways = field(default_factory=dict)
    stated: Stated | None = None
    counted: bool = True
    priced: bool = True
    unpriced: Problem | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Service and indicator."""
        return self.service, self.indicator

    def leaves(self) -> list[Leaf]:
        """Every leaf that has an amount, money, or neither but should."""
        return list(self.amounts | self.cents)

    @cached_property
    def by_place(self) -> dict[str, list[Leaf]]:
        """Leaves of every place."""
        found: dict[str, list[Leaf]] = {}
        for leaf in self.leaves():
            found.setdefault(leaf[0], []).append(leaf)
        return found

    @cached_property
    def _cents_of(self) -> dict[str, int]:
        """Cents of every place that has money."""
        return _by_place(self.cents)

    @cached_property
    def lacking(self) -> frozenset[str]:
        """Places where something is missing that a complete account has."""
        amounts = self.cents if self.priced else self.amounts
        return frozenset(leaf[0] for leaf, amount in amounts.items() if amount is None)

    def quantity(self, places: Iterable[str]) -> Decimal | None:
        """Quantity of some places together in `unit`; None if no leaf has one."""
        leaves = [leaf for place in places for leaf in self.by_place.get(place, ())]
        known = [a for a in map(self.amounts.get, leaves) if a is not None]
        return sum(known) * self.quantum if known else None

    def money(self, places: Iterable[str]) -> int | None:
        """Cents of some places together; None if no leaf has money."""
        known = [cents for cents in map(self._cents_of.get, places) if cents is not None]
        return sum(known) if known else None

    def lacks(self, place: str) -> bool:
        """Tell whether something is missing at *place* that a complete account has."""
        return place in self.lacking


def _by_place(amounts: Amounts) -> dict[str, int]:
    """Sum of every place that has an amount."""
    found: dict[str, int] = {}
    for (place, _), amount in amounts.items():
        if amount is not None:
            found[place] = found.get(place, 0) + amount
    return found


@dataclass
class Cube:
    """Every line of an account, the places it speaks of, and the extent it rests on."""

    year: int
    price_year: int
    lines: list[Line]
    places: tuple[str, ...]
    names: dict[str, str] = field(default_factory=dict)
    cities: dict[str, tuple[str, str]] = field(default_factory=dict)
    extent: dict[Leaf, int] = field(default_factory=dict)
    raster_coverage: dict[str, Decimal] = field(default_factory=dict)
    population: dict[str, Decimal] = field(default_factory=dict)
    gdp: dict[str, Decimal] = field(default_factory=dict)
    gdp_year: int | None = None
    partial: bool = False
    problems: list[Problem] = field(default_factory=list)
    constant: "Cube | None" = None

    @cached_property
    def areas(self) -> dict[str, int]:
        """Area of every place in quanta."""
        found: dict[str, int] = {}
        for (place, _), area in self.extent.items():
            found[place] = found.get(place, 0) + area
        return found

    def counted(self) -> Iterator[Line]:
        """Yield the lines whose money belongs to the account."""
        return (line for line in self.lines if line.counted and line.priced)

    def cents(self, places: Iterable[str], group: str = "", service: str = "") -> int | None:
        """Cents of some places, of a group, of a service, or of everything counted."""
        kept = tuple(places)
        lines = [
            line
            for line in self.lines
            if line.counted and line.priced
            if group in ("", line.group) and service in ("", line.service)
        ]
        known = [m for m in [line.money(kept) for line in lines] if m is not None]
        return sum(known) if known else None

    def constant_cents(self, places: Iterable[str]) -> int | None:
        """Cents of some places at the prices of the base year.

        None if something there had no price then: less than all of it is not the account at
        constant prices.
        """
        if self.constant is None:
            return None
        kept = tuple(places)
        pairs = zip(self.counted(), self.constant.counted(), strict=True)
        if any(lacks_then(now, then, kept) for now, then in pairs):
            return None
        return self.constant.cents(kept)


def lacks_then(now: Line, then: Line, places: tuple[str, ...] | None = None) -> bool:
    """Tell whether a leaf has no money then, for want of a price, or where it has some now."""
    own = now.by_place
    chosen = own if places is None else places
    for leaf in [leaf for place in chosen for leaf in own.get(place, ())]:
        if then.cents.get(leaf) is None:
            amount = now.amounts.get(leaf) is not None and then.unpriced is not None
            if amount or now.cents.get(leaf) is not None:
                return True
    return False


def quanta(amount: Decimal | Fraction, quantum: Decimal) -> int:
    """Nearest whole number of quanta in *amount*; of two, the even one.

    >>> [quanta(Decimal(n), Decimal(2)) for n in (1, 3, -1, -3, 5)]
    [0, 2, 0, -2, 2]
    """
    return half_even(*_divided(*amount.as_integer_ratio(), quantum))


def value(amount: int, quantum: Decimal, price: Decimal) -> int:
    """Money of *amount* quanta in 0.01 CNY, rounded half-even from the exact product.

    >>> value(1_000, Decimal("0.001"), Decimal("7.06"))
    706
    """
    cents = cents_of_one(quantum, price)
    return half_even(amount * cents.numerator, cents.denominator)


@lru_cache(1 << 16)
def cents_of_one(quantum: Decimal, price: Decimal) -> Fraction:
    """Money of one quantum in 0.01 CNY; an account asks for the same few again and again."""
    return Fraction(quantum) * Fraction(price) * 100


def _divided(numerator: int, denominator: int, by: Decimal) -> tuple[int, int]:
    """Fraction divided by a positive number."""
    times, per = by.as_integer_ratio()
    return numerator * per, denominator * times


def half_even(numerator: int, denominator: int) -> int:
    """Whole number nearest to a fraction of positive denominator; of two, the even one.

    >>> [half_even(n, 2) for n in (1, 3, -1, -3, 5, 4)]
    [0, 2, 0, -2, 2, 2]
    """
    whole, rest = divmod(numerator, denominator)
    over = 2 * rest - denominator
    return whole + (over > 0 or (over == 0 and whole & 1))


def shares(total: int, weights: list[int]) -> list[int]:
    """Integers in proportion to *weights* that add up to *total* exactly.

    >>> shares(10, [1, 1, 1]), shares(7, [0, 5]), shares(-3, [2, 1])
    ([3, 4, 3], [0, 7], [-2, -1])
    """
    whole, done, running, out = sum(weights), 0, 0, []
    for weight in weights:
        running += weight
        upto = half_even(total * running, whole)
        out.append(upto - done)
        done = upto
    return out


def money(cents: int | None) -> Decimal | None:
    """Money in CNY from integer cents.

    >>> money(706), money(None)
    (Decimal('7.06'), None)
    """
    return None if cents is None else Decimal(cents).scaleb(-2)
