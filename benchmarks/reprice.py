"""Prices anew: scenarios of prices on a finished account, without reading a raster. P11."""

import time
from typing import Any

from province import Recipe, province
from timing import THREADS, Record, once

import gep

SCENARIOS = 1000
SIDE = 1024
"""Side of the province: prices do not know how large it was."""
ENOUGH = 30.0
"""Time [s] after which the rest is reckoned from those done."""
PRICE, LOW, HIGH = "reservoir_cost", 5.0, 9.0
UNIT = "CNY_2015/m^3"


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Seconds of a thousand scenarios with 100 counties."""
    base = gep.open(province(Recipe(min(size, SIDE))) / "all.toml")
    base.run(threads=THREADS)
    record = Record("reprice", "one scenario", min(size, SIDE))
    end, count = time.monotonic() + ENOUGH, 0

    def scenario() -> None:
        price = LOW + (HIGH - LOW) * count / SCENARIOS
        said = {PRICE: f"{price:.4f} {UNIT}"}
        base.scenario(f"scenario {count}", prices=said).run(threads=THREADS)

    while count == 0 or (count < min(SCENARIOS, repeats * 10) and time.monotonic() < end):
        once(record, scenario)
        count += 1
    found = record.summary()
    found["more"] = {"measured": count, "seconds_of_thousand": found["median"] * SCENARIOS}
    return [found]
