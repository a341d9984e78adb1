"""What preparations cost: the page is fresh, and the benchmark can be run."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from gep.preparation import preparations

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "preparations.json"
TINY = 24
"""Pixels to a side."""


def script(folder: str) -> ModuleType:
    """The script `preparations` of a folder."""
    path = ROOT / folder / "preparations.py"
    spec = importlib.util.spec_from_file_location(f"{folder}_preparations", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_preparations_is_fresh() -> None:
    made = script("docs")
    assert made.made() == made.PAGE.read_text("utf8"), "run: python docs/preparations.py"


def test_the_page_lists_every_method_and_its_cost() -> None:
    text = script("docs").PAGE.read_text("utf8")
    for raster, method in preparations():
        own = text[text.index(f"## `{raster}`") :]
        line = next(line for line in own.splitlines() if line.startswith(f"| `{method}`"))
        assert "—" not in line, "run: python benchmarks/preparations.py"


def test_costs_name_no_machine_and_are_all_above_nothing() -> None:
    text = RESULTS.read_text("utf8")
    assert not re.search(r'"/|://|[A-Z]:\\\\', text)
    for row in json.loads(text)["rows"]:
        assert row["nanoseconds_per_pixel"] > 0
        assert row["bytes_per_pixel"] >= 0
        assert row["pixels"] >= 1_000_000


@pytest.mark.parametrize(
    "key",
    [("cover_factor", "cai2000"), ("slope_factor", "segmented"), ("precipitation", "monthly")],
    ids="-".join,
)
def test_the_benchmark_measures_a_method(key: tuple[str, str], tmp_path: Path) -> None:
    """Pixel by pixel, whole, and of a series; in this process, tiny."""
    bench = script("benchmarks")
    one = preparations()[key]
    warm = bench.account(tmp_path / "warm", one, TINY)
    cost = bench.measure(warm, bench.account(tmp_path, one, TINY), one.name)
    row = bench.row(one, TINY, [cost])
    assert (row["raster"], row["method"]) == key
    assert row["pixels"] == TINY * TINY
    assert row["nanoseconds_per_pixel"] > 0
    assert cost.peak >= cost.before > 0
    assert not list(tmp_path.rglob(f"{one.name}_*.tif")), "what was made is gone"


@pytest.mark.parametrize("key", preparations(), ids="-".join)
def test_the_benchmark_can_make_up_every_input(key: tuple[str, str]) -> None:
    bench = script("benchmarks")
    one = preparations()[key]
    for name in one.rasters:
        assert bench.made_up(name, TINY).shape == (TINY, TINY)
    for name in one.series:
        assert bench.step_of(name, 0, 12, TINY).shape == (TINY, TINY)


def test_every_number_only_the_user_knows_is_given_to_the_benchmark() -> None:
    known = script("benchmarks").GIVEN.keys()
    asked = {name for one in preparations().values() for name in script("docs").asked(one)}
    assert asked == known
