"""Prices anew: scenarios of prices on a finished account, without reading a raster. P11."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from province import Recipe, province
from timing import THREADS, Record, once, ratio

import gep

SCENARIOS = 1000
SIDE = 1024
"""Side of the province: prices do not know how large it was."""
ENOUGH = 30.0
"""Time [s] after which no further scenario is run by itself."""
ALONE = 3
"""Scenarios run by themselves, at most."""
WIDTH = 0.2
"""Share of a price by which it varies."""

Prices = dict[str, tuple[NDArray[np.float64], str]]


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Seconds of a thousand scenarios of every price with 100 counties: all at once, and alone.

    Beside them the bare products of floats, leaf by scenario, rounded and added up.
    """
    side = min(size, SIDE)
    base = gep.open(province(Recipe(side)) / "all.toml")
    result = base.run(threads=THREADS)
    prices = every_price(result)
    amounts = quantities(result)
    whole = Record("reprice", "a thousand scenarios at once", side)
    bare = Record("reprice", "bare products of floats", side)
    found = result.reprice(prices)
    for _ in range(repeats):
        once(whole, lambda: result.reprice(prices))
        once(bare, lambda: products(amounts))
    record = Record("reprice", "one scenario by itself", side)
    end, count = time.monotonic() + ENOUGH, 0
    while count == 0 or (count < min(ALONE, repeats) and time.monotonic() < end):
        said = {name: f"{numbers[count]} {unit}" for name, (numbers, unit) in prices.items()}
        scenario = base.scenario(f"scenario {count}", prices=said)
        cube = once(record, lambda one=scenario: one.run(threads=THREADS)).account
        if cube.cents(cube.places) / 100 != float(found.total[count]):
            raise RuntimeError(f"scenario {count}: not the account at these prices")
        count += 1
    rows = [one.summary() for one in (whole, record, bare)]
    rows[0]["more"] = {"measured": SCENARIOS, "seconds_of_thousand": rows[0]["median"]}
    rows[0]["more"] |= {"leaves": len(amounts), "prices": len(prices)}
    rows[1]["more"] = {"measured": count, "seconds_of_thousand": rows[1]["median"] * SCENARIOS}
    over = {"benchmark": "reprice", "target": "P11 bare", "case": whole.case, "over": bare.case}
    return [*rows, over | ratio(whole, bare)]


def every_price(result: gep.Result) -> Prices:
    """A thousand numbers of every price of an account, around its own."""
    generator, found = np.random.default_rng(11), Prices()
    lines = {line.key: line for line in result.account.lines}
    for item in result.plan.items:
        if item.price is not None and (own := next(iter(lines[item.key].prices.values()), None)):
            low, high = (float(own.number) * (1 + sign * WIDTH / 2) for sign in (-1, 1))
            numbers = [float(f"{n:.6g}") for n in generator.uniform(low, high, SCENARIOS)]
            found.setdefault(item.price.name, (np.array(numbers), own.unit))
    return found


def quantities(result: gep.Result) -> NDArray[np.float64]:
    """Amounts of every leaf that a price multiplies."""
    lines = {line.key: line for line in result.account.lines}
    kept = [lines[item.key] for item in result.plan.items if item.price is not None]
    return np.array([float(a) for line in kept for a in line.amounts.values() if a is not None])


def products(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every amount at a thousand prices, rounded, added up by scenario."""
    total, prices = np.zeros(SCENARIOS), np.linspace(1.0, 2.0, SCENARIOS)
    for begin in range(0, len(amounts), 32):
        total += np.rint(amounts[begin : begin + 32, None] * prices).sum(axis=0)
    return total
