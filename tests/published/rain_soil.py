"""Runoff by curve number and erodibility by EPIC, by the kernels and the numbers on file."""

from collections.abc import Callable
from typing import Any

from gep import coefficients
from gep.preparation import preparations
from published.case import Said

INCH = 25.4
"""Millimetres; the tables of TR-55 are in inches."""


def _kernel(name: str, method: str, **inputs: Any) -> float:
    """What a method gives, with the numbers on file where *inputs* has none."""
    preparation = preparations()[name, method]
    kernel: Callable[..., float] = preparation.kernel  # type: ignore[assignment]
    book, _ = coefficients.load()
    for key, unit in preparation.coefficients.items():
        coefficient = book.coefficient(name, key)
        assert coefficient
        number = coefficient.number(unit, ecosystem="mixed_forest", year=2021)
        assert number
        inputs.setdefault(key, float(number[0]))
    return kernel(**inputs)


def curve_number_runoff(said: Said) -> dict[str, float]:
    """TR-55, table 2-1: storms of one day, any rain being one."""
    found = {}
    for number, (rain, curve) in enumerate(said["inputs"]["P_in,CN"]):
        runoff = _kernel(
            "storm_runoff",
            "curve_number",
            soil_group=2.0,
            daily_precipitation=[rain * INCH],
            storm_threshold=0.0,
            curve_number_b=curve,
        )
        found[f"Q_in.{number}"] = runoff / INCH
    return found


def epic_erodibility(said: Said) -> dict[str, float]:
    """Williams 1990: a loam, and four textures within the range of the InVEST guide."""
    names = ("sand", "silt", "clay", "organic_carbon")
    factors = [
        _kernel("erodibility", "epic", **dict(zip(names, soil, strict=True)))
        for soil in said["inputs"]["sand,silt,clay,OC_pct"]
    ]
    within = all(0.009 <= factor <= 0.092 for factor in factors)
    return {"K_loam": factors[0], "all_in_range_0.009_0.092": float(within)}
