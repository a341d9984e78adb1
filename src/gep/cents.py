"""Amounts × rates → whole cents, many rates at once, rounded half-even from the exact product."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gep.cube import half_even

WHOLE = 2.0**53
"""Below this every whole number is a float64."""
DOUBT = 2.0**-50
"""Share of a product of floats by which it may be wrong, and as much again: see `in_cents`."""
LARGEST_PER = 2**60
"""Largest denominator whose remainders fit into 64 bits."""


@dataclass(frozen=True)
class Rates:
    """Money of one quantum in 0.01 CNY, scenario by scenario, as fractions."""

    times: list[int]
    per: list[int]

    @cached_property
    def floats(self) -> NDArray[np.float64]:
        """The nearest floats, shape (scenarios,)."""
        return np.array([n / d for n, d in zip(self.times, self.per, strict=True)])

    @cached_property
    def words(self) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
        """Numerators modulo 2**64, and denominators; 0 where one is too large for remainders."""
        per = [d if d <= LARGEST_PER else 0 for d in self.per]
        return _modulo(self.times), np.array(per, np.int64)


def in_cents(amounts: list[int], rates: Rates) -> NDArray[np.int64] | NDArray[np.object_]:
    """Amounts × rates, shape (amounts, rates), rounded half-even from the exact product.

    The amount and the rate as floats, and their product, are each off by a share of 2**-53 at most,
    together by less than 2**-51 of the product. A product that is further from a tie than that is
    rounded right; any other is settled in integers. Near WHOLE all are Python's integers.
    """
    floats = np.array([float(amount) for amount in amounts])
    made = floats[:, None] * rates.floats
    most = max(float(made.max()), -float(made.min()))
    if not most < WHOLE / 2:
        return _plainly(amounts, rates)
    whole = np.rint(made)
    np.subtract(made, whole, out=made)
    np.abs(made, out=made)
    found = whole.astype(np.int64)
    doubtful = np.flatnonzero(made >= 0.5 - DOUBT * most)
    if doubtful.size:
        _settle(found.reshape(-1), doubtful, amounts, rates)
    return found


def _settle(
    whole: NDArray[np.int64], doubtful: NDArray[np.intp], amounts: list[int], rates: Rates
) -> None:
    """Round some products in integers, in place: amount × times − whole × per says which way.

    *whole* is off by less than 3 and `per` at most 2**60, so this remainder fits into 64 bits, and
    arithmetic modulo 2**64 gives it, however long the product is.
    """
    leaf, scenario = np.divmod(doubtful, len(rates.per))
    times, per = rates.words
    fits = per[scenario] > 0
    for n in np.flatnonzero(~fits):
        amount, at = amounts[leaf[n]], scenario[n]
        whole[doubtful[n]] = half_even(amount * rates.times[at], rates.per[at])
    doubtful, leaf, scenario = doubtful[fits], leaf[fits], scenario[fits]
    near, below = whole[doubtful], per[scenario]
    product = _modulo(amounts)[leaf] * times[scenario]
    rest = (product - near.view(np.uint64) * below.view(np.uint64)).view(np.int64)
    more, rest = np.divmod(rest, below)
    over = 2 * rest - below
    near += more
    whole[doubtful] = near + ((over > 0) | ((over == 0) & (near & 1 == 1)))


def _plainly(amounts: list[int], rates: Rates) -> NDArray[np.object_]:
    """As `in_cents`, in Python's integers: for money that no float64 counts."""
    pairs = list(zip(rates.times, rates.per, strict=True))
    rows = [[half_even(amount * times, per) for times, per in pairs] for amount in amounts]
    return np.array(rows, object)


def _modulo(numbers: Iterable[int]) -> NDArray[np.uint64]:
    """Integers of any length modulo 2**64."""
    return np.array([n & (2**64 - 1) for n in numbers], np.uint64)
