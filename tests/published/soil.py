"""Factors of soil loss from raw data: C of 蔡崇法 2000, LS of InVEST, accumulation of flow."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

import gep
from gep import coefficients
from gep.preparation import preparations
from gep.preparations.slope_factor import sdr_factor
from gep.terrain import NOWHERE, Flow, area_above
from published.case import Said

STEPS = ((0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1))
"""Row and column by the code of a direction, 0 = east and on against the clock."""


def cover_by_cai(said: Said) -> dict[str, float]:
    """蔡崇法 2000 as quoted in ChinaXiv-201711.00309V1 (黄骅), the ends of its curve.

    The numbers are those on file, the cover in per cent.
    """
    method = gep.preparations["cover_factor", "cai2000"]
    found = [method(vegetation_cover=cover) for cover in said["inputs"]["coverage_pct"]]
    return {f"C.{n}": factor for n, factor in enumerate(found)}


def ls_of_invest(said: Said) -> dict[str, float]:
    """natcap/invest tests/test_sdr.py, test_ls_factor: from the area that drains into a pixel.

    The numbers are those on file but for l_max, which the test sets. `gep.preparations` starts from
    elevation, so this calls what LS is made of.
    """
    inputs = said["inputs"]
    one = preparations()["slope_factor", "invest_sdr"]
    on_file = {
        name: _on_file("slope_factor", name, unit)
        for name, unit in one.coefficients.items()
        if name != "land"
    }
    words = ("first", "second", "third", "fourth")
    rills = ("sine", "factor", "power", "constant")
    lines = [(on_file[f"{w}_factor"], on_file[f"{w}_constant"]) for w in ("gentle", "middle")]
    area = np.array(float(inputs["cell_m"]) ** 2)
    pixels = np.array(inputs["flow_accumulation_pixels"], dtype=np.float64)
    slope = np.degrees(np.arctan(np.array(inputs["pct_slope"], dtype=np.float64) / 100))
    found = sdr_factor(
        slope,
        (pixels - 1) * area,
        area,
        on_file["plot_length"],
        float(inputs["l_max"]),
        tuple(lines),
        on_file["middle_grade"],
        tuple(on_file[f"{word}_grade"] for word in words),
        tuple(on_file[f"{word}_exponent"] for word in words),
        tuple(on_file[f"rill_{word}"] for word in rills),  # type: ignore[arg-type]
    )
    return {f"LS.{n}": float(factor) for n, factor in enumerate(found)}


def accumulation(said: Said) -> dict[str, float]:
    """natcap/pygeoprocessing tests/test_routing.py, test_flow_accum_d8: pixels above, and itself.

    Their directions of flow, our accumulation of areas of 1, then of the weight; of the weighted
    one the case has the sum over all pixels.
    """
    inputs = said["inputs"]
    receiver = _receivers(np.array(inputs["flow_dir"]))
    pixels = _with_itself(receiver, 1.0)
    found = {
        f"accumulation.{row}.{column}": float(count)
        for (row, column), count in np.ndenumerate(pixels)
    }
    weighted = _with_itself(receiver, float(inputs["weight_constant"]))
    return found | {"weighted_corner_sum": float(weighted.sum())}


def _with_itself(receiver: NDArray[np.int64], area: float) -> NDArray[np.float64]:
    """Sum of the areas of the pixels that drain through a pixel, its own among them."""
    side = np.full(len(receiver), np.sqrt(area))
    nothing = np.zeros(receiver.shape)
    return area_above(Flow(receiver, nothing, nothing), (side, side)) + area


def _receivers(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number of the pixel each pixel drains to, its own where that is outside."""
    numbers = np.arange(codes.size).reshape(codes.shape)
    receiver = np.full(codes.shape, NOWHERE)
    for place, code in np.ndenumerate(codes):
        into = tuple(np.add(place, STEPS[code]))
        inside = all(0 <= i < size for i, size in zip(into, codes.shape, strict=True))
        receiver[place] = numbers[into] if inside else numbers[place]
    return receiver


@cache
def _book() -> coefficients.Book:
    """Every coefficient that ships."""
    return coefficients.load()[0]


def _on_file(raster: str, name: str, unit: str) -> float:
    """Coefficient of a preparation that ships, in the unit it is needed in."""
    found = _book().coefficient(raster, name)
    assert found
    number = found.number(unit, year=2021)
    assert number
    return float(number[0])
