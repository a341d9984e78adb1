"""How rasters are made: files decoded once, on any number of threads, in the memory there is.

And what is said of it: by check before, by prepare and run after.
"""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
import small
from hypothesis import given
from hypothesis import strategies as st
from test_preparing import (
    COLUMN,
    DAYS,
    INSIDE,
    ROW,
    assert_made,
    cli,
    daily_rain,
    dem,
    made,
    problems,
    rain_account,
    soil,
    turc_account,
)

import gep
from gep import areas, making, memory, prepared, terminal
from gep.areas import Form
from gep.errors import InputError, Problem, ResourceError
from gep.held import Held
from gep.plan import Plan
from gep.preparation import preparations
from gep.rasters import Layer, Reader, Window, unpack
from gep.step import Step

Asked = list[tuple[Window, int]]
TILED: dict[str, dict[str, Any]] = {
    "tiles of all bands": {
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "interleave": "pixel",
    },
    "tiles of a band": {"tiled": True, "blockxsize": 32, "blockysize": 16, "interleave": "band"},
    "one tile": {"tiled": True, "blockxsize": 64, "blockysize": 64, "interleave": "band"},
    "strips": {"interleave": "band", "compress": "deflate"},
    "strips of all bands": {"interleave": "pixel", "compress": "deflate", "blockysize": 3},
}
SMALL = 365 * 4 * 300
"""Bytes of 300 pixels of a year of float32."""


def planned(path: Path) -> tuple[Plan, Step]:
    """Plan of an account, and the one step of it."""
    plan = gep.open(path).check().plan
    assert plan
    (step,) = plan.steps
    return plan, step


def asked(monkeypatch: pytest.MonkeyPatch, name: str) -> Asked:
    """Windows of a series that are read from now on, and of how many bands."""
    found: Asked = []
    stored = Reader.stored

    def noted(self: Reader, number: int, window: Window, bands: int | None = None) -> Any:
        if self._layers[number].name == name and bands:
            found.append((window, bands))
        return stored(self, number, window, bands)

    monkeypatch.setattr(Reader, "stored", noted)
    return found


# ---- once


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("memory_", [SMALL, 10 * SMALL])
@pytest.mark.parametrize("form", TILED)
def test_no_block_is_read_twice_and_the_bytes_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, memory_: int, threads: int
) -> None:
    rain = daily_rain()
    path = rain_account(tmp_path, rain, **TILED[form])
    plan, step = planned(path)
    prepared.make(plan, [step])
    whole = step.path.read_bytes()
    step.path.unlink()
    monkeypatch.setattr(areas, "MEMORY", memory_)
    monkeypatch.setattr(areas, "STAGED", 6 * DAYS * 50)
    found = asked(monkeypatch, "daily_precipitation")
    prepared.make(plan, [step], threads=threads)
    assert step.path.read_bytes() == whole
    assert {bands for _, bands in found} == {DAYS}
    with rasterio.open(tmp_path / "rain.tif") as file:
        high, wide = file.block_shapes[0]
    blocks = [
        (y, x)
        for window, _ in found
        for y in range(window.row_off // high, -(-(window.row_off + window.height) // high))
        for x in range(window.col_off // wide, -(-(window.col_off + window.width) // wide))
    ]
    assert len(blocks) == len(set(blocks))
    seen = np.zeros(INSIDE.shape, int)
    for window, _ in found:
        seen[window.toslices()] += 1
    assert (seen[INSIDE] == 1).all()
    assert seen.max() == 1


def test_nothing_is_read_where_no_county_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Columns 45 to 49 lie outside; blocks of 16 columns begin at 48."""
    path = rain_account(tmp_path, daily_rain(), **TILED["tiles of all bands"])
    plan, step = planned(path)
    monkeypatch.setattr(areas, "MEMORY", SMALL)
    found = asked(monkeypatch, "daily_precipitation")
    prepared.make(plan, [step])
    assert max(window.col_off + window.width for window, _ in found) == 48


def test_two_series_in_blocks_of_two_sizes_are_each_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks of 16 x 32 and strips of 3: an area has 48 rows, or all 40, and every column."""
    plan, step = planned(rain_account(tmp_path, daily_rain()))
    both = [Form("a", DAYS, 2, 16, 32, False), Form("b", DAYS, 2, 3, small.COLUMNS, False)]
    monkeypatch.setattr(areas, "forms", lambda *_: both)
    assert len(areas.areas(plan.grid, step)) == 1
    monkeypatch.setattr(areas, "MOST", 4 * DAYS * 1000)
    monkeypatch.setattr(areas, "MEMORY", 4 * DAYS * 1000)
    windows = areas.areas(plan.grid, step)
    assert max(w.height * w.width for w in windows) <= 1000
    assert areas.decoded(step, plan.grid)["b"] > 1


@given(st.integers(1, 200), st.integers(1, 200), st.integers(1, 70), st.integers(1, 70), st.data())
def test_pieces_cover_an_area_and_no_block_is_in_two(
    height: int, width: int, high: int, wide: int, data: st.DataObject
) -> None:
    top, left = data.draw(st.integers(0, 3)) * high, data.draw(st.integers(0, 3)) * wide
    threads, resampled = data.draw(st.integers(1, 8)), data.draw(st.booleans())
    form = Form("a", 12, 4, high, wide, resampled)
    found = areas.pieces(Window(left, top, width, height), form, threads)
    seen = np.zeros((height, width), int)
    blocks = []
    for piece in found:
        rows = slice(piece.row_off - top, piece.row_off - top + piece.height)
        seen[rows, piece.col_off - left : piece.col_off - left + piece.width] += 1
        assert piece.height > 0
        assert piece.width > 0
        blocks += [
            (y, x)
            for y in range(piece.row_off // high, -(-(piece.row_off + piece.height) // high))
            for x in range(piece.col_off // wide, -(-(piece.col_off + piece.width) // wide))
        ]
    assert (seen == 1).all()
    assert len(blocks) == len(set(blocks))


def test_areas_stay_within_memory_and_give_every_thread_a_block() -> None:
    """A day in int16 takes 2 bytes: a block of 512 x 512 and a year 191 MB."""
    form = Form("a", DAYS, 2, 512, 512, False)
    grid = SimpleNamespace(height=5000, width=5000)
    step = SimpleNamespace(stacks={"a": None}, layers={})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(areas, "forms", lambda *_: [form])
        for threads, blocks in ((1, 1), (2, 2), (4, 4), (64, 4)):
            largest = areas.areas(grid, step, threads)[0]  # type: ignore[arg-type]
            assert largest.height * largest.width == blocks * 512 * 512
    assert 366 * 4 * 512 * 512 < areas.MOST <= 800e6


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "float64"])
@pytest.mark.parametrize("valid", [None, (3, 90)])
def test_what_is_held_is_staged_as_what_is_read(
    tmp_path: Path, dtype: str, valid: tuple[int, int] | None
) -> None:
    stored = np.random.default_rng(3).integers(0, 100, (DAYS, *INSIDE.shape)).astype(dtype)
    if dtype.startswith("float"):
        stored[0, 1, 1], stored[0, 2, 2] = np.nan, np.inf
    path = rain_account(tmp_path, stored, nodata=7)
    plan, step = planned(path)
    section = step.stacks["daily_precipitation"].section
    section = section.model_copy(update={"fill": [9], "valid": valid})
    layer = Layer("a", tmp_path / "rain.tif", section, dtype, 7, 1, 0, "mm/day")
    window, part = Window(3, 4, 30, 20), Window(5, 6, 11, 7)
    direct, held = np.empty((2, DAYS, part.height, part.width), np.float32)
    with Reader([layer], plan.grid) as reader:
        reader.stage(0, part, direct)
        pieces = [Window(3, 4, 9, 20), Window(12, 4, 21, 5), Window(12, 9, 21, 15)]
        read = [(piece, reader.stored(0, piece, DAYS)) for piece in pieces]
    assert window.width * window.height == sum(p.width * p.height for p in pieces)
    Held({"a": read}).stage(layer, part, held)
    np.testing.assert_array_equal(held, direct)
    Held({"a": read[:1]}).stage(layer, part, held)
    np.testing.assert_array_equal(held[:, :, :7], direct[:, :, :7])
    assert (held[:, :, 7:] == 0).all()
    out = np.empty((1, 1, 3), np.float32)
    unpack(layer, np.array([[[7, 9, 8]]], dtype), out)
    np.testing.assert_array_equal(out, [[[np.nan, np.nan, 8]]])


# ---- threads


def test_threads_change_no_byte_of_a_raster_made_of_layers(tmp_path: Path) -> None:
    found = []
    for threads in (1, 2, 3):
        path = turc_account(tmp_path / str(threads))
        (step,) = gep.open(path).prepare(threads=threads)
        found.append(step.path.read_bytes())
    assert found[0] == found[1] == found[2]


def test_results_come_in_order_and_are_few_at_once(tmp_path: Path) -> None:
    plan, step = planned(turc_account(tmp_path))
    begun: list[int] = []
    with making.Crew(replace(plan, layers=plan.layers[:1]), step, 2) as crew:
        for number, done in enumerate(crew.each(lambda _, n: begun.append(n) or n, range(50))):
            assert done == number
            assert len(begun) <= number + 2 * 2 + 1
    assert sorted(begun) == list(range(50))


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fault_on_a_thread_stops_all_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    path = rain_account(tmp_path, daily_rain(), **TILED["tiles of all bands"])
    plan, step = planned(path)
    monkeypatch.setattr(areas, "MEMORY", SMALL)
    read = making.fetch

    def broken(*words: Any) -> Any:
        if words[-1].row_off >= 16:
            raise InputError(Problem("E101", {"file": "rain.tif", "why": "broken"}))
        return read(*words)

    monkeypatch.setattr(making, "fetch", broken)
    with pytest.raises(InputError, match=r"rain\.tif.*broken"):
        prepared.make(plan, [step], threads=threads)
    assert [file.name for file in step.path.parent.iterdir()] == [".lock"]


def test_the_first_impossible_day_is_the_same_for_any_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By day, then by row, then by column, in whatever order parts are seen."""
    rain = daily_rain()
    rain[60, 0, 0] = rain[59, 30, 4] = rain[59, 29, 40] = -77
    path = rain_account(tmp_path, rain, **TILED["tiles of a band"])
    for size in (areas.MEMORY, SMALL):
        monkeypatch.setattr(areas, "MEMORY", size)
        assert "on 2021-03-01 (band 60) at row 30, column 41" in problems(path)["E808"]


def test_progress_never_falls_and_ends_when_the_file_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dem(tmp_path, 100 + ROW + COLUMN)
    seen: list[float] = []
    there: list[int] = []

    def shown(done: int, total: int) -> None:
        seen.append(done / total)
        there.append(len(list((tmp_path / "output/prepared").glob("slope*.tif"))))

    gep.open(path).prepare("slope_factor", progress=shown)
    assert seen == sorted(seen)
    assert seen[-1] == 1
    assert there[-1] == 2
    assert seen.count(1) == 1


# ---- what is lost


LOST = """\
rasters.daily_precipitation: rain.tif: at 5 pixels inside the counties (0.28%) some steps lack, \
though not all: precipitation is missing there; most often 2021-04-11 (4), 2021-01-06 (2)"""
LOST_ZH = """\
rasters.daily_precipitation：rain.tif：县区内有 5 个像元（0.28%）缺部分时段的数据，precipitation \
在这些像元上缺值；最常缺的时段：2021-04-11 (4), 2021-01-06 (2)"""


def with_gaps(folder: Path) -> Path:
    """Account with rain that lacks days 101 and 6 at some pixels, and all days at one."""
    rain = daily_rain()
    rain[100, 2:4, 3:5] = small.NODATA
    rain[5, [3, 20], [4, 20]] = small.NODATA
    rain[:, 30, 30] = small.NODATA
    rain[7, 5, 47] = small.NODATA  # outside
    return rain_account(folder, rain)


def test_pixels_that_lack_some_steps_are_counted_whoever_makes_them(tmp_path: Path) -> None:
    """Four pixels lack day 101, one of them day 6 too, and so does a fifth: 5 of 1800."""
    assert INSIDE.sum() == 1800
    path = with_gaps(tmp_path)
    assert "W805" not in {problem.code for problem in gep.open(path).check().problems}
    done = cli("prepare", path, "--progress", "none")
    assert done.exit_code == 0
    said = done.stderr.replace(f"{tmp_path}/", "")
    assert said.startswith(f"warning W805  {LOST}\n")
    assert np.isnan(rasterio.open(made(path, "precipitation")).read(1)[INSIDE]).sum() == 6
    for found in (gep.open(path).check().problems, gep.open(path).run().problems):
        (lost,) = [problem for problem in found if problem.code == "W805"]
        assert lost.text().replace(f"{tmp_path}/", "") == LOST
        assert lost.text("zh").replace(f"{tmp_path}/", "") == LOST_ZH
    again = json.loads(cli("prepare", path, "--json").stdout)
    assert [problem["code"] for problem in again[0]["problems"]] == ["W805"]


def test_a_run_that_makes_them_says_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(areas, "MEMORY", SMALL)
    monkeypatch.setattr(areas, "STAGED", 6 * DAYS * 50)
    found = gep.open(with_gaps(tmp_path)).run(threads=2).problems
    assert [p.text().replace(f"{tmp_path}/", "") for p in found if p.code == "W805"] == [LOST]


def test_nothing_is_said_of_what_lacks_nothing(tmp_path: Path) -> None:
    path = rain_account(tmp_path, daily_rain())
    gep.open(path).prepare()
    report = gep.open(path).check()
    assert report.prepared[0].ready
    assert not {"W805", "W806", "W807"} & {problem.code for problem in report.problems}


# ---- what check sees


def test_check_sees_a_texture_that_does_not_add_up(tmp_path: Path) -> None:
    found = gep.open(soil(tmp_path, "percent", (40.0, 40.0, 20.0))).check().problems
    (wrong,) = [problem for problem in found if problem.code == "E809"]
    assert wrong.text() == (
        "sand, silt and clay (sand.tif, silt.tif, clay.tif) do not add up to 100 %: 105.0% at row "
        "7, column 8, the first of 1 such pixels seen"
    )


def test_check_sees_a_hole_in_an_elevation(tmp_path: Path) -> None:
    elevation = 100 + ROW + COLUMN
    elevation[8:10, 12] = elevation[3, 48] = np.nan
    path = dem(tmp_path, elevation)
    (hole,) = [problem for problem in gep.open(path).check().problems if problem.code == "E810"]
    assert hole.text().replace(f"{tmp_path}/", "") == (
        "rasters.elevation: dem.tif has a hole inside the counties, first at row 9, column 13; "
        "slope needs the neighbours of every pixel"
    )
    path = dem(tmp_path, elevation, E810="the sea")
    assert gep.open(path).check().ok
    path = dem(tmp_path, np.where(np.isnan(elevation), 0, elevation))
    assert gep.open(path).check().ok


def test_check_is_sure_of_days_without_any_value(tmp_path: Path) -> None:
    """Day 101 has one value, in the last row of the counties; days 201 and 301 have none."""
    rain = daily_rain()
    rain[[100, 200, 300]] = small.NODATA
    rain[100, 39, 44] = 1
    found = gep.open(rain_account(tmp_path, rain)).check().problems
    said = {p.code: p.text().replace(f"{tmp_path}/", "") for p in found}
    assert said["E812"] == (
        "rasters.daily_precipitation: rain.tif has no value inside the counties on 2021-07-20, "
        "2021-10-28"
    )
    assert said["W801"].endswith("(0.0%): 2021-04-11 (99.9%)")


def test_check_says_that_the_rest_is_seen_later(tmp_path: Path) -> None:
    path = turc_account(tmp_path)
    for language, said in (
        ("en", "some faults of what they are made of are seen when they are made only"),
        ("zh", "所用数据的部分问题要到推算时才能发现"),
    ):
        assert said in cli("check", path, "--lang", language).stdout.splitlines()
    gep.open(path).prepare()
    assert "seen when they are made" not in cli("check", path).stdout


# ---- memory and time


def test_what_needs_more_memory_than_there_is_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = dem(tmp_path, 100 + ROW + COLUMN)
    slope = preparations()["slope", "horn"].memory * small.ROWS * small.COLUMNS
    monkeypatch.setattr(prepared, "available", lambda: slope - 1)
    report = gep.open(path).check()
    assert report.ok
    warned = [problem for problem in report.problems if problem.code == "W807"]
    assert [problem.fields["raster"] for problem in warned] == ["slope", "slope_factor"]
    with pytest.raises(ResourceError) as caught:
        gep.open(path).prepare("slope")
    assert [problem.code for problem in caught.value.problems] == ["E823"]
    done = cli("run", path, "--progress", "none")
    assert done.exit_code == 6
    assert "error E823" in done.stderr
    assert not list((tmp_path / "output/prepared").glob("*.tif"))
    monkeypatch.setattr(prepared, "available", lambda: slope)
    gep.open(path).prepare("slope")


def test_an_unknown_memory_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "available", lambda: None)
    path = dem(tmp_path, 100 + ROW + COLUMN)
    assert "W807" not in {problem.code for problem in gep.open(path).check().problems}
    gep.open(path).prepare("slope")


def test_too_little_memory_can_be_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "available", lambda: 0)
    path = dem(tmp_path, 100 + ROW + COLUMN, E823="there is a swap file", W807="as E823")
    assert "W807" not in {problem.code for problem in gep.open(path).check().problems}
    gep.open(path).prepare("slope")


FIELDS = {"raster": "slope_factor", "method": "segmented", "rows": 18000, "columns": 16000}
FIELDS |= {"need": "51.8", "have": "23.1"}


def test_messages_of_memory() -> None:
    assert Problem("E823", FIELDS).text() == (
        "slope_factor (segmented) is not begun: it holds all 18000 x 16000 pixels in memory and "
        "needs 51.8 GB; 23.1 GB are free"
    )
    assert Problem("E823", FIELDS).text("zh") == (
        "未开始推算 slope_factor（segmented）：须把全部 18000 x 16000 像元放入内存，"
        "需要 51.8 GB；现有空闲 23.1 GB"
    )
    assert Problem("W807", FIELDS).text() == (
        "making slope_factor (segmented) holds all 18000 x 16000 pixels in memory: it needs "
        "51.8 GB, 23.1 GB are free now"
    )


def test_check_shows_what_memory_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 x 50 pixels are nothing, which is not spoken of; nor is what nothing is made of."""
    path = dem(tmp_path, 100 + ROW + COLUMN)
    said = cli("check", path).stdout, cli("check", path, "--lang", "zh").stdout
    for text, words in zip(said, ("in memory", "占用内存"), strict=True):
        assert words not in text
    assert "from ," not in said[0]
    (slope, *_) = json.loads(cli("check", path, "--json").stdout)["prepared"]
    assert slope["memory"] == preparations()[slope["raster"], slope["method"]].memory * 2000
    monkeypatch.setattr("gep.step.Step.memory", 1_460_000_000)
    assert ", holding 1.5 GB in memory" in cli("check", path).stdout
    assert "，占用内存 1.5 GB" in cli("check", path, "--lang", "zh").stdout


def test_what_is_made_of_the_grid_alone_is_from_nothing() -> None:
    preparation = preparations()["latitude", "grid"]
    of = {"name": "latitude", "preparation": preparation, "made_from": (), "memory": 0}
    step: Any = SimpleNamespace(**of, ready=True)
    said = "prepared: latitude (Latitude of the grid, grid)"
    assert terminal.prepared([step], "en") == [said]
    assert terminal.prepared([step], "zh") == ["已推算：纬度（latitude）（格网纬度，grid）"]


def test_every_raster_that_holds_the_grid_says_so() -> None:
    """At least what benchmarks/preparations.py measured, at most twice that."""
    results = Path(__file__).parents[1] / "benchmarks/results/preparations.json"
    rows = json.loads(results.read_text("utf8"))["rows"]
    measured = {(row["raster"], row["method"]): row["bytes_per_pixel"] for row in rows}
    for key, one in preparations().items():
        assert bool(one.memory) == one.whole, key
        if one.whole:
            assert measured[key] <= one.memory <= 3 * measured[key] + 20, key


def test_memory_is_that_of_the_machine_or_of_the_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = memory.available()
    assert known is None or known > 1e6
    monkeypatch.setattr(memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    5000 kB\n", "ascii")
    assert memory.available() == 5_120_000
    for name, text in (("max", "4000000\n"), ("current", "1500000\n"), ("stat", "anon 5\n")):
        (tmp_path / f"memory.{name}").write_text(text, "ascii")
    assert memory.available() == 2_500_000
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 300000\n", "ascii")
    assert memory.available() == 2_800_000
    (tmp_path / "memory.max").write_text("max\n", "ascii")
    assert memory.available() == 5_120_000


def test_blocks_too_large_for_memory_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One block of 64 x 64 covers the 40 x 50 pixels; areas of at most 300 cut it in eight."""
    rain = daily_rain()
    path = rain_account(tmp_path, rain, **TILED["one tile"])
    monkeypatch.setattr(areas, "MEMORY", SMALL)
    monkeypatch.setattr(areas, "MOST", SMALL)
    report = gep.open(path).check()
    (slow,) = [problem for problem in report.problems if problem.code == "W806"]
    assert slow.text().replace(f"{tmp_path}/", "") == (
        "rasters.daily_precipitation: rain.tif is stored in blocks of 40 x 50 pixels, too large to "
        "be held for all its steps: to make precipitation each is decoded some 8 times"
    )
    gep.open(path).prepare()
    assert_made(made(path, "precipitation"), rain.astype(float).sum(axis=0))


def test_a_disk_without_room_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Packed and unpacked, 4 bytes a pixel each: 16 kB of 2000 pixels."""
    path = turc_account(tmp_path)
    usage = SimpleNamespace(total=20_000, used=5_000, free=15_000)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ResourceError) as caught:
        gep.open(path).prepare()
    (problem,) = caught.value.problems
    assert problem.text().replace(f"{tmp_path}/", "") == (
        "output/prepared: the rasters to be prepared may take 0.0 MB, 0.0 MB are free"
    )
    assert problem.text("zh").replace(f"{tmp_path}/", "") == (
        "output/prepared：推算的栅格最多需要 0.0 MB，可用空间为 0.0 MB"
    )
    assert not list(tmp_path.rglob("output/prepared/*.tif"))
