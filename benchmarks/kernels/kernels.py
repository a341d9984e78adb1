"""Nanoseconds per pixel of every kernel by itself, and of all fused, on one thread.

The loop of the engine runs over an uncompressed province, whole tiles, with one column, with all,
and with none, which still reads and stages every layer: what a column adds to none is its cost.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from province import Recipe, province
from timing import paired

import gep
from gep.plan import Plan
from gep.run import accumulate

SIDE = 2048
NONE, ALL = "nothing", "all fused"


def plan(size: int) -> Plan:
    """What the account of an uncompressed province is going to do."""
    folder = province(Recipe(min(size, SIDE), "NONE", 0, predictor=False))
    report = gep.open(folder / "all.toml").check()
    if report.plan is None:
        raise ValueError(str(report))
    return report.plan


def cases(made: Plan) -> dict[str, Callable[[], Any]]:
    """By name the loop over some of the columns of a plan; every other column computes nothing."""
    found: dict[str, Callable[[], Any]] = {NONE: _loop(_only(made, set()))}
    names: dict[str, set[int]] = {}
    for number, one in enumerate(made.accumulators):
        kernel = one.column.kernel
        name = f"{kernel.__module__.split('.')[-1]}.{kernel.__name__}"
        names.setdefault(name, set()).add(number)
    for name, numbers in names.items():
        found[name] = _loop(_only(made, {min(numbers)}))
    found[ALL] = _loop(made)
    return found


def _only(made: Plan, kept: set[int]) -> Plan:
    """The plan with some of its columns."""
    chosen = [one for number, one in enumerate(made.accumulators) if number in kept]
    return replace(made, accumulators=chosen)


def _loop(made: Plan) -> Callable[[], Any]:
    return lambda: accumulate(made, 1)


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Every case, and what it adds to nothing."""
    made = plan(size)
    found = paired("kernels", made.grid.height, cases(made), repeats)
    nothing = min(found[NONE].cpu)
    records = []
    for record in found.values():
        added = (min(record.cpu) - nothing) / record.pixels * 1e9
        record.more["added_nanoseconds_per_pixel"] = round(added, 3)
        records.append(record.summary())
    return records
