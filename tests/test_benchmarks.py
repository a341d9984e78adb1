"""The benchmarks can be run, and their page is fresh. What they measure is no test's business."""

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import rasterio

import gep
from gep import rasters

ROOT = Path(__file__).parents[1]
BENCHMARKS = ROOT / "benchmarks"
RESULTS = BENCHMARKS / "results"
SIDE = 256
TINY = 128
"""Side of the province that benchmarks run on: its accounts are of water alone, soon compiled."""
NAMES = (
    *("decode", "decoding", "whole", "memory", "exactness", "maps", "zones", "start", "reprice"),
    *("kernels.kernels", "clusters.distributed"),
)


@pytest.fixture(scope="module", autouse=True)
def _benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Benchmarks can be imported, provinces have a folder of their own, nobody is waited for."""
    kept, patch = list(sys.modules), pytest.MonkeyPatch()
    patch.syspath_prepend(str(BENCHMARKS))
    patch.setenv("GEP_BENCHMARKS", str(tmp_path_factory.mktemp("provinces")))
    patch.setenv("GEP_BENCH_QUIET", "0")
    yield
    patch.undo()
    for name in set(sys.modules) - set(kept):
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(BENCHMARKS)):
            del sys.modules[name]


def room(name: str) -> Any:
    """A module of the benchmarks."""
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def folder(_benchmarks: None) -> Path:
    """A small province."""
    made: Path = room("province").province(room("province").Recipe(SIDE))
    return made


def script(name: str) -> ModuleType:
    """A script of docs/."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_province_has_what_its_recipe_says(folder: Path) -> None:
    land = room("landscape")
    taken = 0
    for name, kind in land.LAYERS.items():
        with rasterio.open(folder / "aligned" / f"{name}.tif") as file:
            assert file.shape == (SIDE, SIDE)
            assert file.dtypes == (kind.dtype,)
            assert file.block_shapes == [(256, 256)]
            assert file.units == (kind.unit or None,)
            inside = file.read(1) != kind.nodata
            taken += np.dtype(kind.dtype).itemsize
        assert inside.mean() == pytest.approx(land.VALID, abs=0.03)
        assert (folder / "native" / f"{name}.tif").exists() == (kind.own_pixel > land.PIXEL)
    assert (len(land.LAYERS), taken) == (15, 36)


def test_two_provinces_of_one_recipe_are_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = room("province").province(room("province").Recipe(SIDE), tmp_path)
    assert again.name == folder.name
    for path in sorted((folder / "aligned").iterdir()):
        assert path.read_bytes() == (again / "aligned" / path.name).read_bytes()


def test_a_province_that_was_changed_is_made_again(tmp_path: Path) -> None:
    province = room("province")
    recipe = province.Recipe(64)
    folder = province.province(recipe, tmp_path)
    path = folder / "aligned" / "ecosystem.tif"
    before = path.read_bytes()
    path.write_bytes(before[:-1])
    assert not province.whole(folder)
    assert province.province(recipe, tmp_path) == folder
    assert path.read_bytes() == before


def test_another_recipe_has_another_name() -> None:
    recipe = room("province").Recipe
    ways = [recipe(64), recipe(128), recipe(64, "DEFLATE"), recipe(64, extra=True)]
    assert len({way.digest for way in ways}) == len(ways)


@pytest.mark.parametrize("name", ["all", "zones", "twelve", "one", "native", "native_twelve"])
def test_every_account_of_a_province_is_without_problems(folder: Path, name: str) -> None:
    report = gep.open(folder / f"{name}.toml").check()
    assert report.problems == ()
    assert report.plan


def test_a_window_is_the_same_whatever_was_asked_before() -> None:
    """Field by field, so that provinces can be made in any order and by any number of threads."""
    landscape = room("landscape")
    land = landscape.Landscape(512)
    wanted = landscape.Landscape(512).window((256, 0, 256, 256))
    land.window((0, 0, 256, 256))
    found = land.window((256, 0, 256, 256))
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)


def test_textures_of_a_large_province_do_not_repeat() -> None:
    landscape = room("landscape")
    land = landscape.Landscape(4 * 64)
    land.__dict__["_textures"] = {"slope": np.arange(64.0 * 64).reshape(64, 64)}
    blocks = [land.texture("slope", (64 * i, 64 * j, 64, 64)) for i in range(4) for j in range(4)]
    assert len({block.tobytes() for block in blocks}) > 4
    assert {float(block.sum()) for block in blocks} == {64 * 64 * (64 * 64 - 1) / 2}


@pytest.mark.parametrize("name", NAMES)
def test_a_benchmark_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, small, in this process."""
    once_only(monkeypatch)
    assert_sound(room(name).measure(TINY, 1))


@pytest.fixture(scope="module")
def water(_benchmarks: None) -> Path:
    """The gep.toml of a tiny province whose account is of water alone."""
    province = room("province")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(province, "definitions", of_water)
        folder: Path = province.province(province.Recipe(TINY))
    return folder / "one.toml"


def test_the_processes_of_the_whole_account_are_really_run(water: Path) -> None:
    found = room("whole").as_command(water, 1)
    said = json.loads(found.output)
    assert said["root"]
    assert said["counties"]
    if Path("/proc/self/status").exists():
        assert found.megabytes > 50


def test_the_processes_of_the_start_are_really_run(water: Path, tmp_path: Path) -> None:
    """With the compiled code of the tests: that of an empty cache is the benchmark's business."""
    start, cache = room("start"), os.environ.get("GEP_CACHE", str(tmp_path))
    found = start.first_pixel(water, Path(cache))
    assert 0.1 < found.seconds < 120


KILLS = """
import json, sys
from pathlib import Path
import kills
toml, folder = map(Path, sys.argv[1:])
print(json.dumps(kills.measure(toml, 2, 1, folder)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills by POSIX")
def test_kills_are_really_made(water: Path, tmp_path: Path) -> None:
    """In a process of its own: it forks, and counts tiles by replacing what computes them."""
    environment = os.environ | {"PYTHONPATH": str(BENCHMARKS)}
    command = [sys.executable, "-c", KILLS, str(water), str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["same_root"]
    assert len(found["rows"]) == 2
    assert found["tiles"] == 1
    assert found["lost_at_most"] <= 1


def of_water(counts: tuple[int, int]) -> dict[str, str]:
    """The gep.toml files of a province by name, all of them of water alone."""
    water = {"precipitation", "evapotranspiration"}
    kept = {"native": {"native": True}, "zones": {"count": counts[1]}}
    return {
        name: room("province").definition(water, (), **{"count": counts[0], **kept.get(name, {})})
        for name in ("all", "twelve", "one", "native", "zones")
    }


def once_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no benchmark start a process, compile more than it must, or go on for long."""
    timing, province = room("timing"), room("province")

    def child(words: Any, environment: Any = None) -> Any:
        return timing.Child(0.01, 0.01, 100.0, "1e12")

    for name in ("whole", "start", "timing"):  # the last, lest others import it replaced
        monkeypatch.setattr(room(name), "child", child)
    monkeypatch.setattr(province, "definitions", of_water)
    for name in ("decode", "decoding"):
        monkeypatch.setattr(room(name), "ENCODINGS", {"zstd": ("ZSTD", 3, False)})
    monkeypatch.setattr(room("decoding"), "UNPREDICTED", {})
    monkeypatch.setattr(room("whole"), "SMALL", TINY)
    monkeypatch.setattr(room("start"), "COMPILED", 1)
    monkeypatch.setattr(room("reprice"), "ENOUGH", 0.0)
    monkeypatch.setattr(room("maps"), "ASKED", room("maps").ASKED[:1])
    monkeypatch.setattr(room("start"), "SMALL", TINY)
    here = {"n_workers": 1, "processes": False, "protocol": "tcp"}
    local = room("clusters.distributed").LOCAL
    monkeypatch.setattr(room("clusters.distributed"), "LOCAL", local | here)


def assert_sound(records: list[dict[str, Any]]) -> None:
    """Records are plain data, with a time or a ratio each."""
    assert json.loads(json.dumps(records)) == records
    assert records
    for record in records:
        assert record["benchmark"]
        assert record["case"]
        if "ratio" in record:
            assert record["low"] <= record["ratio"] <= record["high"]
        else:
            assert record["median"] > 0
            assert len(record["seconds"]) == len(record["cpu"]) == len(record["other"]) >= 1


def test_every_benchmark_is_run_here() -> None:
    assert set(NAMES) == set(room("run").BENCHMARKS)


def test_a_process_is_timed_and_its_memory_seen() -> None:
    timing = room("timing")
    words = "import time; held = bytearray(60_000_000); time.sleep(0.2); print(len(held))"
    found = timing.child((sys.executable, "-c", words))
    assert found.output == "60000000\n"
    if Path("/proc/self/status").exists():
        assert 60 < found.megabytes < 200
    with pytest.raises(RuntimeError, match="no such word"):
        timing.child((sys.executable, "-c", "raise SystemExit('no such word')"))


def test_a_ratio_is_the_median_of_neighbours() -> None:
    """By hand: 2/1, 6/2, 4/4 → 1, 2, 3; the third pair was disturbed, so 2 and 3 are left."""
    timing = room("timing")
    one = timing.Record("x", "a", 10, [2.0, 6.0, 4.0], [2.0, 6.0, 4.0], [0.0, 0.0, 0.9])
    other = timing.Record("x", "b", 10, [1.0, 2.0, 4.0], [1.0, 3.0, 4.0], [0.0, 0.1, 0.0])
    found = timing.ratio(one, other)
    assert (found["ratio"], found["low"], found["high"]) == (2.5, 2.0, 3.0)
    assert (found["pairs"], found["clean"], found["by_cpu"]) == (2, True, 2.0)
    busy = timing.Record("x", "a", 10, [2.0], [2.0], [0.9])
    assert not timing.ratio(busy, timing.Record("x", "b", 10, [1.0], [1.0], [0.9]))["clean"]


def test_results_of_several_sizes_stand_side_by_side(tmp_path: Path) -> None:
    run = room("run")
    for size, number in ((512, 1), (256, 2), (512, 3)):
        run.keep(tmp_path, "kernels.kernels", {"size": size, "records": [number]})
    kept = json.loads((tmp_path / "kernels.json").read_text("utf8"))
    assert [(one["size"], one["records"]) for one in kept] == [(256, [2]), (512, [3])]


def test_formulas_of_other_programs_give_our_sums(folder: Path) -> None:
    """numpy on whole arrays, without a line of the engine, against the account of the province."""
    formulas, prepare = room("peers.formulas"), room("peers.prepare")
    place = folder / "peers"
    place.mkdir()
    prepare.zones(folder, place)
    prepare.numbers(folder, place)
    tables = formulas.coefficients(place)

    def read(path: Path) -> Any:
        with rasterio.open(path) as file:
            return file.read(1).astype(float)

    with np.load(place / "areas.npz") as areas:
        area = areas["rows"][:, None] * areas["columns"]
    code = read(folder / "aligned" / "ecosystem.tif").astype(int)
    inside = read(place / "zones.tif") > 0
    values = {n: read(folder / "aligned" / f"{n}.tif") * s for n, s in formulas.LAYERS.items()}
    result = gep.open(folder / "twelve.toml").run()
    lines = {f"{line.service}.{line.indicator}": line for line in result.account.lines}
    for name in formulas.INDICATORS:
        own = [table[code] for table in tables[name]]
        amount = formulas.quantity(name, values.__getitem__, own) * area
        found = float(np.nansum(amount[inside]))
        wanted = float(lines[name].quantity(result.plan.counties.codes))
        assert found == pytest.approx(wanted, rel=1e-5), name


def test_the_page_of_performance_is_fresh() -> None:
    for path, text in script("performance").made().items():
        assert path.read_text("utf8") == text, "run: python docs/performance.py"


def test_the_page_of_performance_says_what_is_not_measured(tmp_path: Path) -> None:
    page = script("performance")
    run = {"size": 4, "repeats": 1, "benchmark": "whole", "took": 1.0}
    said = {"processor": "p", "processors": 2, "gigabytes": 4.0, "system": "s", "python": "3"}
    run["machine"] = said | {"versions": {"gep": "0"}, "load": [0.1], "date": "2026-01-01"}
    ratio = {"target": "P1b whole", "case": "all", "low": 1.1, "high": 1.3, "pairs": 5, "side": 4}
    ratio |= {"clean": True, "by_cpu": 1.2}
    small = run | {"size": 2, "records": [ratio | {"ratio": 2.0, "side": 2}]}
    runs = [small, run | {"records": [ratio | {"ratio": 1.2}]}]
    (tmp_path / "whole.json").write_text(json.dumps(runs), "utf8")
    text = page.made(tmp_path)[page.PAGE]
    words = "whole account ÷ decoding its inputs, direct decoding 完整核算 ÷ 解码输入，直接解码"
    said = "1.1 – 1.3, 5 pairs; at 2² 2 (1.1 – 1.3, 5 pairs) (at 4²)"
    assert f"| P1b | {words} | ≤ 0.65 | 1.2 | {said} | ✗ |" in text
    assert "0 of 27 kept, 1 missed, 0 undecided" in text
    assert "26 not measured." in text
    assert "* **P1b** " in text
    assert "* **P2** " not in text


def test_what_limits_a_target_is_said_of_every_target() -> None:
    """In both languages, so that none can be missed without a word; pages it names are there."""
    limits = script("limits").LIMITS
    assert set(limits) == {target.name for target in script("targets").TARGETS}
    for said in limits.values():
        assert [word[-1] for word in said] == [".", "。"]
        for link in re.findall(r"\]\(([^)]+)\)", "".join(said)):
            assert (ROOT / "docs" / link).is_file()


def test_a_process_that_was_forked_a_moment_ago_is_not_counted_twice() -> None:
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc")
    words = "import os, time; held = b'x' * 60_000_000; n = os.fork(); time.sleep(0.3)"
    found = room("timing").child((sys.executable, "-c", f"{words}; n and os.wait()"))
    assert 60 < found.megabytes < 110


def test_every_tile_is_left_to_gdal_where_that_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one is asked for here; afterwards they are again, and the sums are the same."""
    whole, seen = room("whole"), []
    one, plain = whole.tiles_alone(folder / "one.toml"), rasters.tiles_of
    monkeypatch.setattr(rasters, "tiles_of", lambda *a: seen.append(a) or plain(*a))
    exact = whole.left(one)()
    assert not seen
    again = one()
    assert seen
    np.testing.assert_array_equal(exact.sums, again.sums)


def test_what_was_measured_on_a_busy_machine_decides_nothing() -> None:
    measured = script("targets").Measured
    signs = [measured("1", "", kept, clean).sign for kept in (True, False) for clean in (1, 0)]
    assert signs == ["✓", "?", "✗", "?"]
    assert measured("", "", None).sign == "—"


def test_results_name_no_machine_by_its_paths() -> None:
    for path in RESULTS.glob("*.json"):
        assert not re.search(r'"/|://|[A-Z]:\\\\', path.read_text("utf8")), path.name
