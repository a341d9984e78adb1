"""Factors of soil loss from raw data: C of 蔡崇法 2000, LS of InVEST, accumulation of flow."""

import math

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import gep
from published.case import Said

LITTLE = 1e-6
STEPS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""Row and column by the code of a direction, 0 = east and on against the clock."""


def cover_by_cai(said: Said) -> dict[str, float]:
    """蔡崇法 2000 as quoted in ChinaXiv-201711.00309V1 (黄骅), the ends of its curve.

    The numbers are those on file, the cover in per cent.
    """
    method = gep.preparations["cover_factor", "cai2000"]
    covers = said["inputs"]["coverage_pct"]
    found = [
        method(vegetation_cover=xr.DataArray(cover, attrs={"units": "percent"})) for cover in covers
    ]
    return {f"C.{n}": factor for n, factor in enumerate(found)}


def ls_of_invest(said: Said) -> dict[str, float]:
    """natcap/invest tests/test_sdr.py, test_ls_factor: from the area that drains into a pixel.

    The numbers are those on file but for l_max, which the test sets. What drains into a pixel is
    one long pixel above it, of as many times its area.
    """
    inputs = said["inputs"]
    side, largest = float(inputs["cell_m"]), float(inputs["l_max"])
    found = {}
    pairs = zip(inputs["pct_slope"], inputs["flow_accumulation_pixels"], strict=True)
    for n, (percent, pixels) in enumerate(pairs):
        degrees = math.degrees(math.atan(percent / 100))
        heights = np.array([(pixels - 1) * side, side])
        factor = gep.preparations["slope_factor", "invest_sdr"](
            elevation=_column([1.0, 0.0], "m"),
            slope=_column([degrees, degrees], "degree"),
            land=1.0,
            largest_length_factor=largest,
            cell=(heights, side),
        )
        found[f"LS.{n}"] = float(factor[1, 0])
    return found


def _column(values: list[float], unit: str) -> xr.DataArray:
    return xr.DataArray([[v] for v in values], dims=("y", "x"), attrs={"units": unit})


def accumulation(said: Said) -> dict[str, float]:
    """natcap/pygeoprocessing tests/test_routing.py, test_flow_accum_d8: pixels above, and itself.

    Over ground that falls along their directions of flow, for our routing starts from elevation;
    then with pixels of the area that is their weight, of which the case has the sum.
    """
    inputs = said["inputs"]
    ground = _falling(np.array(inputs["flow_dir"]))
    found = {
        f"accumulation.{row}.{column}": float(count)
        for (row, column), count in np.ndenumerate(_with_itself(ground, 1.0))
    }
    weighted = _with_itself(ground, float(inputs["weight_constant"]))
    return found | {"weighted_corner_sum": float(weighted.sum())}


ONE = {"gentle_factor": 0.0, "gentle_constant": 1.0, "plot_length": 1.0, "land": 1.0}
ONE |= dict.fromkeys((f"{word}_exponent" for word in ("first", "second", "third", "fourth")), 1.0)
"""With S = 1, m = 1 and a plot of 1 m, LS on level ground is (2 sqrt A + D^2) / D in metres."""


def _with_itself(ground: NDArray[np.float64], area: float) -> NDArray[np.float64]:
    """Area of the pixels that drain through a pixel, its own among them, read out of LS.

    Where two neighbours are equally far down, on the diagonals, the directions of the case lead
    north in the upper half and across in the lower: there pixels are so much lower than wide, and
    here higher, that this way is the steeper one.
    """
    rows = len(ground)
    elevation = xr.DataArray(ground, dims=("y", "x"), attrs={"units": "m"})
    side = math.sqrt(area)
    heights = np.where(np.arange(rows) <= rows // 2, side * (1 - LITTLE), side * (1 + LITTLE))
    factor = gep.preparations["slope_factor", "invest_sdr"](
        elevation=elevation,
        slope=(elevation * 0).assign_attrs(units="degree"),
        largest_length_factor=1e9,
        cell=(heights, area / heights),
        **ONE,
    )
    root: NDArray[np.float64] = (factor.values * side - area) / 2
    return root**2 + area


def _falling(codes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ground on which the steepest way down is that of the directions, one metre a step.

    Pixels that more drain into lie a little lower, which settles the summit, but for the border,
    whose pixels all lead out.
    """
    steps, into = np.zeros(codes.shape), np.zeros(codes.shape)
    for start in np.ndindex(codes.shape):
        row, column = start
        while 0 <= row < codes.shape[0] and 0 <= column < codes.shape[1]:
            steps[start] += 1.0
            into[row, column] += steps[start] == 2.0
            down, right = STEPS[codes[row, column]]
            row, column = row + down, column + right
    return np.where(steps > 1.0, steps - LITTLE * into, steps)
