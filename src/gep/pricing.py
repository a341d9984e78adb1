"""Quantities × prices → money of one year; money that tables state is moved there by an index."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from gep.coefficients import EXACT, PRINTED, Book, Coefficient, Price, same_for, weaker
from gep.cube import Amounts, Leaf, Line, Stated, cents_of_one, half_even, value
from gep.errors import Problem
from gep.units import of_year


def priced(line: Line, book: Book, price: Coefficient, unit: str, year: int) -> Line:
    """Line with its money, leaf by leaf: quantity × price in the money of *year*."""
    cents: Amounts = {}
    prices: dict[Leaf, Price] = {}
    states = dict(line.states)
    unpriced = None
    known: dict[Leaf, tuple[Price | Problem, int, int]] = {}
    same = same_for([price])
    for leaf, amount in line.amounts.items():
        key = same(leaf)
        if key not in known:
            made = book.price(price, unit, year, county=leaf[0], ecosystem=leaf[1])
            known[key] = made, *_rate(made, line.quantum)
        found, times, per = known[key]
        if isinstance(found, Problem):
            unpriced, cents[leaf] = found, None
            continue
        prices[leaf] = found
        cents[leaf] = None if amount is None else half_even(amount * times, per)
        states[leaf] = weaker(states[leaf], found.states)
    return replace(line, cents=cents, prices=prices, states=states, unpriced=unpriced)


def _rate(price: Price | Problem, quantum: Decimal) -> tuple[int, int]:
    """Money of one quantum in 0.01 CNY, as a fraction."""
    if isinstance(price, Problem):
        return 0, 1
    return cents_of_one(quantum, price.number).as_integer_ratio()


def stated(line: Line, book: Book, said: Stated, year: int) -> Line:
    """Line with the money and the prices its table states, moved to the money of *year*.

    Without an index that reaches, the money is missing (W524), never unmoved.
    """
    moved = book.moved(said.index, said.year, year)
    if isinstance(moved, str):
        fields = {"table": said.table, "year": said.year, "want": year, "why": moved}
        cents: Amounts = dict.fromkeys(said.cents | said.prices)
        return replace(line, cents=cents, prices={}, unpriced=Problem("W524", fields))
    ratio, states = moved
    others = tuple(sorted(states))
    prices = {leaf: _moved(price, ratio, states, said, year) for leaf, price in said.prices.items()}
    cents = {
        leaf: None if money is None else round(Fraction(money) * Fraction(ratio))
        for leaf, money in said.cents.items()
    }
    for leaf, price in prices.items():
        amount = line.amounts.get(leaf)
        cents[leaf] = None if amount is None else value(amount, line.quantum, price.number)
    weakened = {leaf: weaker(state, others) for leaf, state in line.states.items()}
    return replace(line, cents=cents, prices=prices, states=weakened)


def _moved(price: Price, ratio: Decimal, states: frozenset[str], said: Stated, year: int) -> Price:
    if year == said.year:
        return price
    number = PRINTED.plus(EXACT.multiply(price.number, ratio))
    return replace(
        price,
        number=number,
        unit=of_year(price.unit, year),
        index=said.index,
        ratio=ratio,
        states=(*price.states, *sorted(states)),
    )
