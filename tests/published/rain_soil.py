"""Runoff by curve number and erodibility by EPIC, through `gep.preparations`."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gep
from published.case import Said

Array = NDArray[np.float64]

INCH = 25.4
"""Millimetres; the tables of TR-55 are in inches."""
CURVES = ("curve_number_a", "curve_number_b", "curve_number_c", "curve_number_d")


def curve_number_runoff(said: Said) -> dict[str, float]:
    """TR-55, table 2-1: years with one day of rain, any rain being a storm."""
    method = gep.preparations["storm_runoff", "curve_number"]
    found = {}
    for number, (rain, curve) in enumerate(said["inputs"]["P_in,CN"]):
        runoff = method(
            soil_group=2.0,
            daily_precipitation=_days(rain * INCH),
            storm_threshold=0.0,
            **dict.fromkeys(CURVES, curve),
        )
        found[f"Q_in.{number}"] = runoff / INCH
    return found


def curve_numbers(said: Said) -> dict[str, float]:
    """natcap/invest tests/test_seasonal_water_yield_regression.py: by class and soil group.

    The numbers of the class lie on the pixels, the group is chosen by storm runoff; read out of
    its retention, to nine digits. A curve number of 0 is none here: NaN, and left out.
    """
    inputs = said["inputs"]
    table = {int(code): row for code, row in inputs["CN(A,B,C,D)"].items()}
    rows = np.array([[table[round(code)] for code in row] for row in inputs["lulc"]], float)
    retention = _retention(np.array(inputs["soil_group"], float), np.moveaxis(rows, -1, 0))
    return {
        f"CN.{row}.{column}": round(25400 / (float(kept) + 254), 9)
        for (row, column), kept in np.ndenumerate(retention)
        if rows[row, column, round(inputs["soil_group"][row][column]) - 1] > 0
    }


def potential_retention(said: Said) -> dict[str, float]:
    """natcap/invest tests/test_ufrm.py, test_ufrm_smax: S [mm] of a curve number above 0."""
    numbers = np.array(said["inputs"]["CN"], float)
    retention = _retention(np.full(numbers.shape, 2.0), np.array([numbers] * 4))
    found = zip(numbers, retention.tolist(), strict=True)
    return {f"S_mm.{n}": kept for n, (number, kept) in enumerate(found) if number > 0}


def _retention(group: Array, curves: Array) -> Array:
    """Potential retention S [mm]: of a storm P that wets nothing first P^2 / (P + S) runs off."""
    rain, dims = 100.0, ("x", "y")[: group.ndim]
    storm = xr.DataArray(np.zeros((365, *group.shape)), dims=("time", *dims))
    storm[0] = rain
    runoff = gep.preparations["storm_runoff", "curve_number"](
        soil_group=xr.DataArray(group, dims=dims, attrs={"units": "1"}),
        daily_precipitation=storm.assign_attrs(units="mm/day"),
        storm_threshold=0.0,
        initial_share=0.0,
        **{n: xr.DataArray(c, dims=dims) for n, c in zip(CURVES, curves, strict=True)},
    )
    kept: Array = rain * rain / runoff.values - rain
    return kept


def _days(rain: float) -> xr.DataArray:
    """A year whose first day has so much rain [mm/day], the others none."""
    return xr.DataArray([rain, *[0.0] * 364], dims=("time",), attrs={"units": "mm/day"})


def _percent(share: float) -> xr.DataArray:
    return xr.DataArray(share, attrs={"units": "percent"})


def epic_erodibility(said: Said) -> dict[str, float]:
    """Williams 1990: a loam, and four textures within the range of the InVEST guide."""
    method = gep.preparations["erodibility", "epic"]
    names = ("sand", "silt", "clay", "organic_carbon")
    factors = [
        method(soil=1.0, **{n: _percent(v) for n, v in zip(names, soil, strict=True)})
        for soil in said["inputs"]["sand,silt,clay,OC_pct"]
    ]
    within = all(0.009 <= factor <= 0.092 for factor in factors)
    return {"K_loam": factors[0], "all_in_range_0.009_0.092": float(within)}
