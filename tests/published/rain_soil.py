"""Runoff by curve number and erodibility by EPIC, through `gep.preparations`."""

import gep
from published.case import Said

INCH = 25.4
"""Millimetres; the tables of TR-55 are in inches."""
DRY = [0.0] * 364
"""The other days of the year."""
CURVES = ("curve_number_a", "curve_number_b", "curve_number_c", "curve_number_d")


def curve_number_runoff(said: Said) -> dict[str, float]:
    """TR-55, table 2-1: years with one day of rain, any rain being a storm."""
    method = gep.preparations["storm_runoff", "curve_number"]
    found = {}
    for number, (rain, curve) in enumerate(said["inputs"]["P_in,CN"]):
        runoff = method(
            soil_group=2.0,
            daily_precipitation=[rain * INCH, *DRY],
            storm_threshold=0.0,
            **dict.fromkeys(CURVES, curve),
        )
        found[f"Q_in.{number}"] = runoff / INCH
    return found


def epic_erodibility(said: Said) -> dict[str, float]:
    """Williams 1990: a loam, and four textures within the range of the InVEST guide."""
    method = gep.preparations["erodibility", "epic"]
    names = ("sand", "silt", "clay", "organic_carbon")
    factors = [
        method(soil=1.0, **dict(zip(names, soil, strict=True)))
        for soil in said["inputs"]["sand,silt,clay,OC_pct"]
    ]
    within = all(0.009 <= factor <= 0.092 for factor in factors)
    return {"K_loam": factors[0], "all_in_range_0.009_0.092": float(within)}
