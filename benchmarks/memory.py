"""Memory by size: P3. `gep run` in a process of its own, on provinces from small to *size*."""

from typing import Any

from province import SIZES, Recipe, province
from whole import command


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Peak memory of provinces up to that size."""
    sides = sorted({size // 4, size // 2, size} | {s for s in SIZES.values() if s < size})
    records = []
    for side in sides:
        record = command(province(Recipe(side)), "all", side, min(repeats, 2))
        record.benchmark = "memory"
        records.append(record.summary())
    return records
