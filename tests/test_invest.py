"""InVEST side by side: the page is fresh, the stored comparison holds, our formulas still meet it.

InVEST itself is never installed here; benchmarks/peers runs it.
"""

import csv
import importlib
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from gep.preparation import preparations

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "benchmarks" / "peers"
RESULTS = ROOT / "benchmarks" / "results"
STORED = json.loads((RESULTS / "invest.json").read_text("utf8"))
ROWS = STORED["rows"]


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The scripts of the comparison can be imported, for this test only."""
    there = set(sys.modules)
    monkeypatch.syspath_prepend(PEERS)
    yield
    for name in {path.stem for path in PEERS.glob("*.py")} - there:
        sys.modules.pop(name, None)


def points(name: str) -> dict[str, np.ndarray]:
    """Made-up numbers and what InVEST's own function gave for them, all in double precision."""
    with (RESULTS / name).open(encoding="utf8", newline="") as file:
        head, *rows = csv.reader(file)
    return dict(zip(head, np.array(rows, dtype=float).T, strict=True))


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("invest_page", ROOT / "docs" / "invest.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_invest_is_fresh() -> None:
    made = script()
    assert made.made() == made.PAGE.read_text("utf8"), "run: python docs/invest.py"


def test_results_name_no_machine() -> None:
    for path in RESULTS.glob("invest*"):
        assert not re.search(r'"/|://|[A-Z]:\\\\', path.read_text("utf8")), path.name


def test_equal_formulas_differ_by_single_precision_only() -> None:
    """Totals of a million pixels to 10^-7; InVEST's code in double precision to 10^-14."""
    same = [row for row in ROWS if row["kind"] == "same"]
    assert {row["model"] for row in same} == {"annual water yield", "SDR, D8", "SDR, MFD", "carbon"}
    assert {row["landscape"] for row in same} == {"gura", "willamette"}
    for row in same:
        assert abs(row["total"]) < 1e-7, row["what"]
        assert row["only_theirs"] == 0, row["what"]
        assert row["pixels"] > 100_000, row["what"]
    double = [row for row in ROWS if row["kind"] == "double"]
    assert len(double) == 6
    assert max(row["largest"] for row in double) < 1e-14


def test_directions_differ_where_the_rule_leaves_them_open() -> None:
    for found in STORED["directions"].values():
        assert found["filled_otherwise"] == found["other"] == 0
        assert found["flat"] + found["tie"] == found["elsewhere"] < 0.05 * found["pixels"]


def test_water_meets_invest_in_double_precision(peers: None) -> None:
    on_file = importlib.import_module("ours").on_file
    given = points("invest_water_points.csv")
    (named,) = (name for name in given if name.startswith("share_at_seasonality_"))
    fu, roots = preparations()["evapotranspiration", "budyko_fu"], preparations()
    constants = on_file(
        fu.name,
        {name: unit for name, unit in fu.coefficients.items() if name != "vegetated"},
        seasonality=float(named.rpartition("_")[2]),
    )
    shares = []
    for kc, demand, rain, root, soil, held, vegetated in zip(
        *(given[name] for name in given if name != named), strict=True
    ):
        water = roots["available_water", "root_zone"].kernel(root, soil, held)
        loss = fu.kernel(rain, demand, water, kc, vegetated, *constants.values())
        shares.append(loss / rain)
    assert len(shares) == 96
    assert shares == pytest.approx(given[named].tolist(), rel=1e-12)


def test_slope_factor_meets_invest_in_double_precision(peers: None) -> None:
    """On both sides of every limit of the slope; L free and cut."""
    slope_factor = importlib.import_module("ours").slope_factor
    given = points("invest_slope_points.csv")
    slope, count, factor = given.values()
    side, largest = map(float, re.findall(r"\d+", list(given)[2]))
    degrees = np.degrees(np.arctan(slope / 100))[None, :]
    above = (count - 1)[None, :] * side**2
    found = slope_factor(degrees, above, side**2, largest_length_factor=largest)
    assert found.shape == (1, 56)
    assert found[0] == pytest.approx(factor, rel=1e-12)


def test_difference_of_two_rasters_by_hand(peers: None) -> None:
    nan = np.nan
    ours = np.array([[1.0, 2.0, 0.0], [nan, 4.0, 8.0]])
    theirs = np.array([[1.0, 2.5, 0.0], [1.0, 4.0, nan]])
    found = importlib.import_module("apart").apart(ours, theirs, 2.0)
    assert (found.pixels, found.only_ours, found.only_theirs) == (4, 1, 1)
    assert found.largest == pytest.approx(0.2)
    assert (found.median, found.different, found.largest_absolute) == (0.0, 0.25, 0.5)
    assert (found.total_ours, found.total_theirs) == (14.0, 15.0)
    assert found.total == pytest.approx(-1 / 15)


def test_made_up_planes_by_hand(peers: None) -> None:
    plane = importlib.import_module("landscapes").Plane
    assert plane(0.0, 4.0, "west to east").over((2, 4)).tolist() == [[0.5, 1.5, 2.5, 3.5]] * 2
    assert plane(4.0, 0.0, "north to south").over((2, 2)).tolist() == [[3.0, 3.0], [1.0, 1.0]]
