"""The change of one leaf between two accounts, and what made it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from gep.compare.sides import Key, Side, Text
from gep.cube import money
from gep.identities import cents

Factors = tuple[Fraction, Fraction, Fraction]
"""Area, quantity per area, price; the area is 1 where it is no factor."""
REMAINDER = 2
"""Cents that rounding may leave of a leaf: half of one for each effect and for each side."""
EFFECTS = ("area", "quantity", "price", "other")
AMOUNTS = ("before", "after", "difference", *EFFECTS)
BOUNDARY, ONE_SIDE, MISSING, UNPRICED = "boundary", "one_side", "missing", "unpriced"
"""Why the change of a leaf is `other` as a whole."""


@dataclass(frozen=True)
class Change:
    """Change of one leaf, or of several summed, in integer cents.

    `before` and `after` are None where there is no amount; `reason` says why all of it is `other`.
    """

    before: int | None
    after: int | None
    area: int = 0
    quantity: int = 0
    price: int = 0
    other: int = 0
    reason: str = ""

    @property
    def difference(self) -> int:
        """Money after less money before; what is not there counts for nothing."""
        return (self.after or 0) - (self.before or 0)

    @property
    def one_missing(self) -> bool:
        """Tell whether one account lacks the amount the other has."""
        return self.reason == MISSING and (self.before is None) != (self.after is None)

    @property
    def effects(self) -> int:
        """Sum of what made the difference."""
        return self.area + self.quantity + self.price + self.other

    def amounts(self) -> dict[str, Decimal | None]:
        """Money before, after, their difference and its parts, in CNY."""
        return {name: money(getattr(self, name)) for name in AMOUNTS}


def added(changes: Iterable[Change]) -> Change:
    """Sum of changes; an amount nobody has stays None."""
    kept = list(changes)
    before = [c.before for c in kept if c.before is not None]
    after = [c.after for c in kept if c.after is not None]
    return Change(
        sum(before) if before else None,
        sum(after) if after else None,
        *(sum(getattr(change, name) for change in kept) for name in EFFECTS),
    )


def split(before: Factors, after: Factors) -> Factors:
    """Effects of three factors on their product: symmetric, exact, nothing left over.

    Each is the mean, over the six orders in which the factors can change, of what the product
    changes with it: Shapley 1953; Sun 1998; docs/methods.md#comparing-two-accounts.

    >>> before, after = (Fraction(10), Fraction(3), Fraction(2)), (Fraction(12), Fraction(4))
    >>> [str(effect) for effect in split(before, (*after, Fraction(5)))]
    ['25', '39', '116']
    """
    (a0, q0, p0), (a1, q1, p1) = before, after
    return (
        _effect(a1 - a0, (q0, p0), (q1, p1)),
        _effect(q1 - q0, (a0, p0), (a1, p1)),
        _effect(p1 - p0, (a0, q0), (a1, q1)),
    )


def _effect(
    change: Fraction, before: tuple[Fraction, Fraction], after: tuple[Fraction, Fraction]
) -> Fraction:
    if not change:
        return change
    (x0, y0), (x1, y1) = before, after
    return change * (2 * (x0 * y0 + x1 * y1) + x0 * y1 + x1 * y0) / 6


def leaf_change(key: Key, before: Side, after: Side) -> Change:
    """Change of one leaf from *before* to *after*: split if it can be, else `other` as a whole."""
    place, service, indicator, ecosystem = key
    rows = before.leaves.get(key), after.leaves.get(key)
    one, two = (None if row is None else cents(row["value"]) for row in rows)
    if place not in before.places or place not in after.places:
        return _whole(one, two, BOUNDARY)
    if not (before.counts(service, indicator) and after.counts(service, indicator)):
        return _whole(one, two, ONE_SIDE)
    if any(row is not None and not row["value"] for row in rows):
        return _whole(one, two, MISSING)
    by_area = before.by_area(service, indicator) and after.by_area(service, indicator)
    areas = [side.areas.get((place, ecosystem), Decimal(0)) for side in (before, after)]
    if by_area and any(row is None and area for row, area in zip(rows, areas, strict=True)):
        return _whole(one, two, ONE_SIDE)
    sizes = areas if by_area else [Decimal(1)] * 2
    known = [_factors(row, size) for row, size in zip(rows, sizes, strict=True)]
    if any(row is not None and found is None for row, found in zip(rows, known, strict=True)):
        return _whole(one, two, UNPRICED)
    return _parts(one, two, known, by_area)


def _whole(before: int | None, after: int | None, reason: str) -> Change:
    return Change(before, after, other=(after or 0) - (before or 0), reason=reason)


def _factors(row: Text | None, area: Decimal) -> Factors | None:
    """Factors of a leaf; None if it is not there, or is money alone.

    Where the money is not of one price, as that of visits, the price is the money per quantity.
    """
    if row is None or not (row["quantity"] and area):
        return None
    quantity, size = Fraction(row["quantity"]), Fraction(area)
    if not (row["price"] or quantity):
        return None
    price = Fraction(row["price"]) if row["price"] else Fraction(row["value"]) / quantity
    return size, quantity / size, price


def _parts(one: int | None, two: int | None, known: list[Factors | None], by_area: bool) -> Change:
    """Change of a leaf in its parts.

    Where it is not there at all it has the factors of the other side, and an area of zero;
    without an area as factor, a quantity of zero.
    """
    area, quantity, price = known[0] or known[1] or (Fraction(0),) * 3
    zero = Fraction(0)
    none = (zero, quantity, price) if by_area else (area, zero, price)
    effects = split(known[0] or none, known[1] or none)
    grown, by_quantity, by_price = (round(100 * effect) for effect in effects)
    rest = (two or 0) - (one or 0) - grown - by_quantity - by_price
    return Change(one, two, grown, by_quantity, by_price, rest)
