"""Memory by size: P3, and P12. `gep run` in processes of their own, compiled code on the disk.

Provinces of a quarter, half and all of *size* to a side, with every layer on one grid and at native
resolution; beside what was needed stands what `gep run --dry-run` says it will be.
"""

from pathlib import Path
from typing import Any

from province import Recipe, province
from timing import THREADS
from whole import command

import gep

MOST = 2
"""Repetitions, at most: memory hardly varies."""
ACCOUNTS = ("all", "native")


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Peak memory [MB] of provinces up to that size, and the forecast."""
    records = []
    for side in (size // 4, size // 2, size):
        folder = province(Recipe(side))
        for name in ACCOUNTS:
            record = command(folder, name, side, min(repeats, MOST))
            record.benchmark, record.case = "memory", f"{name}, {side:,}²"
            record.more |= {"account": name, "forecast": forecast(folder / f"{name}.toml")}
            records.append(record.summary())
    return records


def forecast(path: Path) -> float:
    """Memory that a run is said to need [MB, of 2^20 bytes, as measured]."""
    return round(gep.open(path).forecast(threads=THREADS).memory / 2**20, 1)
