"""The sample county that ships, and whether an account of it equals totals worked out elsewhere."""

import csv
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from gep.shipped import folder

if TYPE_CHECKING:
    from gep.cube import Cube

AGREES = Decimal("1e-6")
"""Largest relative difference: pixels are counted in whole quanta, the totals are exact doubles."""


def definition() -> Path:
    """Where the gep.toml of the sample county is."""
    return folder("rasters") / "sample" / "gep.toml"


def agreement(cube: "Cube") -> tuple[int, int]:
    """How many of the quantities worked out independently the account equals, of how many.

    The script that worked them out shares no code with the engine.
    """
    lines = {line.key: line for line in cube.lines}
    with (definition().parent / "expected.csv").open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    equal = 0
    for row in rows:
        line = lines.get((row["service"], row["indicator"]))
        found = line.quantity([row["place"]]) if line else None
        if found is None or not row["quantity"]:
            equal += found is None and not row["quantity"]
        else:
            wanted = Decimal(row["quantity"])
            equal += abs(found - wanted) <= AGREES * abs(wanted)
    return equal, len(rows)
