"""Numbers as they are stored become float32 with NaN: the compiled way against plain numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
from rasterio.errors import NotGeoreferencedWarning

import gep
from gep import check
from gep.config import RasterSection
from gep.rasters import Layer, gathered

DTYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64")
SIZE = 3000


def numbers(dtype: str) -> np.ndarray:
    """Few different numbers, the ends of the type, and what is no finite number."""
    random = np.random.default_rng(3)
    whole = random.integers(0, 7, SIZE).astype(dtype)
    if np.dtype(dtype).kind == "f":
        whole = whole + np.asarray(0.5 * (random.random(SIZE) < 0.3), dtype)
        whole[:5] = [np.nan, np.inf, -np.inf, -9999, 3]
    else:
        whole[:2] = [np.iinfo(dtype).min, np.iinfo(dtype).max]
    return whole.astype(dtype)


def layer(fills: list[float], nodata: float | None, valid: tuple[float, float] | None) -> Layer:
    section = RasterSection(file="x.tif", unit="1", fill=fills, valid=valid and list(valid))
    return Layer("x", Path("x.tif"), section, "float32", nodata, 1.0, 0.0, "1")


def by_numpy(
    stored: np.ndarray, fills: list[float], valid: tuple[float, float] | None
) -> np.ndarray:
    """The definition: none are fills, what is outside valid, and what is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        out = stored.astype(np.float32)
        for fill in fills:
            out[stored == fill] = np.nan
        if valid is not None:
            out[~((stored >= valid[0]) & (stored <= valid[1]))] = np.nan
    out[~np.isfinite(out)] = np.nan
    return out


@pytest.mark.parametrize("fills", [[], [3.0], [-9999.0, 3.5], [3.0, 4.0, 5.0, -9999.0]])
@pytest.mark.parametrize("nodata", [None, 6.0, 1e300, 65535.0, float("nan"), -np.inf])
@pytest.mark.parametrize("valid", [None, (3.0, 4.0), (2.5, 2.9), (1e300, 2e300)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_no_number_is_what_numpy_says(
    dtype: str, valid: tuple[float, float] | None, nodata: float | None, fills: list[float]
) -> None:
    stored = numbers(dtype)
    order = np.random.default_rng(4).permutation(SIZE)[:2500].astype(np.uint32)
    out = np.zeros(len(order), np.float32)
    ends = gathered(layer(fills, nodata, valid), stored.reshape(50, 60), order, out)
    nothing: list[Any] = fills if nodata is None else [*fills, nodata]
    wanted = by_numpy(stored, nothing, valid)[order]
    np.testing.assert_array_equal(out, wanted)
    known = wanted[~np.isnan(wanted)]
    assert ends == (known.min(initial=np.inf), known.max(initial=-np.inf))


def test_a_world_file_beside_a_raster_is_not_read(tmp_path: Path) -> None:
    """No digest has it: a raster lies where it says itself, or nowhere."""
    path = small.write(tmp_path)
    before = gep.open(path).run().manifest["core"]["identities"]
    shift = f"{small.PIXEL}\n0\n0\n{-small.PIXEL}\n{small.WEST + 50}\n{small.NORTH - 50}\n"
    (tmp_path / "precipitation.tfw").write_text(shift)
    assert gep.open(path).run().manifest["core"]["identities"] == before
    array = small.arrays()["precipitation"]
    with pytest.warns(NotGeoreferencedWarning):
        small.write_raster(tmp_path / "precipitation.tif", array, transform=None)
    report = gep.open(path).check()
    assert {problem.code for problem in report.problems if problem.is_error} & {"E203", "E205"}


def test_any_number_of_threads_sees_the_same_of_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = gep.open(small.write(tmp_path)).check().plan
    assert plan is not None
    monkeypatch.setattr(check, "TILE", 2)
    one, three = (check.pixels(plan, workers) for workers in (1, 3))
    assert repr(one) == repr(three)
    assert len(check.sample(check.tiles(plan.grid, check.TILE))) > 3
