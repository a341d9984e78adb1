"""Several accounts in one pass: the same results, and what they share is decoded once."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest
import rasterio
import small
from rasterio.transform import from_origin

import gep
from gep import ledger, lock
from gep.errors import BusyError, InputError, Interrupted, Problem
from gep.rasters import Reader, Window, tiles
from gep.run import Loop, Partials, Summed
from gep.together import Pass


def years(folder: Path) -> list[gep.Account]:
    """Two years of one place, beside each other: other rain, all else shared."""
    first, second = folder / "gep.toml", folder / "next.toml"
    if first.is_file():
        return [gep.open(first), gep.open(second)]
    small.write(folder)
    wetter = small.arrays()["precipitation"] + 100
    small.write_raster(folder / "wetter.tif", wetter, nodata=small.NODATA)
    text = first.read_text("utf8").replace("precipitation.tif", "wetter.tif")
    second.write_text(text.replace("year = 2021", "year = 2022"), "utf8")
    return [gep.open(first), gep.open(second)]


def core(result: gep.Result) -> dict[str, Any]:
    return result.manifest["core"]


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, Any]]:
    """How often every window of every file was decoded."""
    counts: Counter[tuple[str, Any]] = Counter()
    read = Reader._read

    def counted(self: Reader, number: int, chosen: Any, window: Any) -> Any:
        counts[self._layers[number].path.name, window] += 1
        return read(self, number, chosen, window)

    monkeypatch.setattr(Reader, "_read", counted)
    return counts


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_results_are_those_of_each_alone(tmp_path: Path, threads: int) -> None:
    together = gep.run_together(years(tmp_path), threads=threads, tile=16)
    alone = [account.run(tile=16) for account in years(tmp_path)]
    assert [core(result) for result in together] == [core(result) for result in alone]
    volumes = [result.counties["regulating"] for result in together]
    assert (volumes[1] > volumes[0]).sum() == 5, "three counties, city and province; no hole"


def test_a_shared_layer_is_decoded_once(tmp_path: Path, decoded: Counter[tuple[str, Any]]) -> None:
    plans = [account.check().plan for account in years(tmp_path)]
    decoded.clear()
    windows = tiles(plans[0].grid, 16)
    Pass([Summed(Loop(plan), windows) for plan in plans], [Path()] * 2).compute(windows, 2)
    assert {name for name, _ in decoded} > {"ecosystem.tif", "precipitation.tif", "wetter.tif"}
    assert set(decoded.values()) == {1}


def test_another_grid_runs_by_itself(tmp_path: Path) -> None:
    """The same place in pixels of half the side."""
    accounts = years(tmp_path / "one")
    other = small.write(tmp_path / "two")
    for path in other.parent.glob("*.tif"):
        with rasterio.open(path) as file:
            array, nodata = file.read(1), file.nodata
        finer = np.repeat(np.repeat(array, 2, 0), 2, 1)
        half = small.PIXEL / 2
        transform = from_origin(small.WEST, small.NORTH, half, half)
        small.write_raster(path, finer, nodata=nodata, transform=transform)
    found = gep.run_together([*accounts, gep.open(other)])
    assert core(found[2]) == core(gep.open(other).run())


def test_all_are_checked_before_any_is_computed(
    tmp_path: Path, decoded: Counter[tuple[str, Any]]
) -> None:
    good = years(tmp_path / "good")[0]
    bad = gep.open(small.write(tmp_path / "bad", change={"rasters.precipitation.unit": "kg"}))
    with pytest.raises(InputError, match="kg") as raised:
        gep.run_together([good, bad], tile=16)
    assert raised.value.__notes__ == [str(bad.path)]
    assert {window.width for _, window in decoded} == {small.COLUMNS}, "what a check looks at"


def test_tiles_that_are_done_are_kept_for_each(tmp_path: Path) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    first = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    for one, two in zip(first, again, strict=True):
        assert one.envelope["tiles"]["resumed"] == 0
        assert two.envelope["tiles"]["resumed"] == two.envelope["tiles"]["all"] > 1
        assert core(one) == core(two)


def test_progress_counts_the_tiles_of_all(tmp_path: Path) -> None:
    """Twelve tiles each; both years pass at once, so the count never stands still or goes back."""
    shown: list[tuple[int, int]] = []
    gep.run_together(years(tmp_path), tile=16, threads=2, progress=lambda *said: shown.append(said))
    assert shown == [(count, 24) for count in range(1, 25)]


def test_a_year_that_is_done_is_not_computed_with_the_next(
    tmp_path: Path, decoded: Counter[tuple[str, Any]]
) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    years(tmp_path / "in")[0].run(tile=16, output=outputs[0])
    decoded.clear()
    shown: list[tuple[int, int]] = []
    found = gep.run_together(
        years(tmp_path / "in"),
        tile=16,
        outputs=outputs,
        progress=lambda *said: shown.append(said),
    )
    assert [each.envelope["tiles"]["resumed"] for each in found] == [12, 0]
    whole = {name for name, window in decoded if (window.width, window.height) == (16, 16)}
    assert "wetter.tif" in whole
    assert "precipitation.tif" not in whole
    assert shown == [(count, 24) for count in range(12, 25)]


def test_an_interruption_keeps_the_tiles_of_every_account(tmp_path: Path) -> None:
    outputs, shown = [tmp_path / "a", tmp_path / "b"], list[int]()

    def stop(done: int, total: int) -> None:
        shown.append(done)
        if len(shown) == 9:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as raised:
        gep.run_together(years(tmp_path / "in"), tile=16, threads=1, outputs=outputs, progress=stop)
    counts = [problem.fields["count"] for problem in raised.value.problems]
    assert [problem.code for problem in raised.value.problems] == ["W593", "W593"]
    assert all(4 <= count < 12 for count in counts)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    assert [each.envelope["tiles"]["resumed"] for each in again] == counts
    alone = [account.run(tile=16) for account in years(tmp_path / "in")]
    assert [core(result) for result in again] == [core(result) for result in alone]


def kept(folder: Path) -> int:
    """Tiles in the ledger of a folder."""
    with closing(sqlite3.connect(folder / ledger.NAME)) as base:
        (found,) = base.execute("SELECT count(*) FROM tiles").fetchone()
        return int(found)


KILLED = """
import os, pathlib, signal, sys
import gep
def progress(done, total):
    if done >= 13:
        os.kill(os.getpid(), signal.SIGKILL)
first, second, *outputs = sys.argv[1:]
accounts = [gep.open(first), gep.open(second)]
gep.run_together(accounts, threads=2, tile=16, progress=progress, outputs=outputs)
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_kill_loses_no_tile_of_any_account(tmp_path: Path) -> None:
    """Of 24 tiles 13 are done, so that six at least are each account's; two may be in hand."""
    files = [account.path for account in years(tmp_path / "in")]
    outputs = [tmp_path / "a", tmp_path / "b"]
    done = subprocess.run([sys.executable, "-c", KILLED, *files, *outputs], check=False)
    assert done.returncode == -signal.SIGKILL
    there = [kept(output) for output in outputs]
    assert sum(there) >= 13
    assert all(6 <= count < 12 for count in there)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    assert [each.envelope["tiles"]["resumed"] for each in again] == there
    alone = [account.run(tile=16) for account in years(tmp_path / "in")]
    assert [core(result) for result in again] == [core(result) for result in alone]


def test_what_is_wrong_with_one_keeps_the_tiles_of_the_other(tmp_path: Path) -> None:
    """A hole in the rain of the first year, which its sums show: too little of two counties."""
    accounts, outputs = years(tmp_path / "in"), [tmp_path / "a", tmp_path / "b"]
    rain = small.arrays()["precipitation"].copy()
    rain[:20] = np.nan
    small.write_raster(tmp_path / "in" / "precipitation.tif", rain, nodata=small.NODATA)
    with pytest.raises(InputError, match="2 counties") as raised:
        gep.run_together(accounts, tile=16, outputs=outputs)
    assert raised.value.problems[0].code == "E305"
    assert raised.value.__notes__ == [str(accounts[0].path)]
    assert [kept(output) for output in outputs] == [12, 12]
    assert accounts[1].run(tile=16, output=outputs[1]).envelope["tiles"]["computed"] == 0


def test_a_tile_that_fails_for_one_keeps_those_before_it_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts, outputs = years(tmp_path / "in"), [tmp_path / "a", tmp_path / "b"]
    real = Loop.tile

    def tile(self: Loop, reader: Reader, window: Window) -> Any:
        if self.plan.definition.account.year == 2022 and window.row_off == 32:
            raise InputError(Problem("E101", {"file": "wetter.tif", "why": "broken"}))
        return real(self, reader, window)

    monkeypatch.setattr(Loop, "tile", tile)
    with pytest.raises(InputError) as raised:
        gep.run_together(accounts, tile=16, threads=1, outputs=outputs)
    assert raised.value.__notes__ == [str(accounts[1].path)]
    assert kept(outputs[0]) >= 9
    assert kept(outputs[1]) == 8, "two rows of tiles"


def test_no_tile_waits_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten years would not hold more than one: with one thread, the tile that is computed."""
    alive, most, real = WeakSet[Partials](), [0], Loop.tile

    def tile(self: Loop, reader: Reader, window: Window) -> Any:
        part, places = real(self, reader, window)
        alive.add(part)
        most[0] = max(most[0], len(alive))
        return part, places

    monkeypatch.setattr(Loop, "tile", tile)
    monkeypatch.setattr(Partials, "__hash__", object.__hash__)
    gep.run_together(years(tmp_path) * 2, tile=4, threads=1)
    assert 1 <= most[0] <= 2, "that of the plan before may not be let go yet"


def test_folders_are_held_during_the_pass(tmp_path: Path) -> None:
    outputs, busy = [tmp_path / "a", tmp_path / "b"], list[str]()

    def progress(*_: int) -> None:
        for folder in outputs if not busy else ():
            with pytest.raises(BusyError) as raised:
                lock.free(folder)
            busy.append(raised.value.problems[0].code)

    gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs, progress=progress)
    assert busy == ["E710", "E710"]
    for folder in outputs:
        lock.free(folder)


def test_accounts_may_share_a_folder(tmp_path: Path) -> None:
    outputs = [tmp_path / "out", tmp_path / "in" / ".." / "out"]
    first = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    again = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    assert [each.envelope["tiles"]["resumed"] for each in again] == [12, 12]
    assert [core(result) for result in again] == [core(result) for result in first]


def test_a_later_year_that_is_done_is_not_computed_with_the_first(
    tmp_path: Path, decoded: Counter[tuple[str, Any]]
) -> None:
    outputs = [tmp_path / "a", tmp_path / "b"]
    years(tmp_path / "in")[1].run(tile=16, output=outputs[1])
    decoded.clear()
    found = gep.run_together(years(tmp_path / "in"), tile=16, outputs=outputs)
    assert [each.envelope["tiles"]["resumed"] for each in found] == [0, 12]
    whole = {name for name, window in decoded if (window.width, window.height) == (16, 16)}
    assert "precipitation.tif" in whole
    assert "wetter.tif" not in whole


def test_grids_that_are_almost_one_do_not_share(tmp_path: Path) -> None:
    """Half a millionth of a pixel apart: taken for one by checks, not by what is resampled."""
    rain = np.random.default_rng(3).random((30, 30)) * 1500 + 300
    transform = from_origin(small.WEST - 37, small.NORTH + 41, 230, 230)
    accounts = []
    for number, off in enumerate((0.0, 5e-5)):
        path = small.write(
            tmp_path / str(number),
            change={"rasters.precipitation.resampling": "bilinear", "account.year": 2021 + number},
        )
        with rasterio.open(path.parent / "ecosystem.tif", "r+") as file:
            file.transform = from_origin(small.WEST + off, small.NORTH, small.PIXEL, small.PIXEL)
        file = path.parent / "precipitation.tif"
        small.write_raster(file, rain.astype(np.float32), transform=transform)
        accounts.append(gep.open(path))
    found = gep.run_together(accounts)
    assert [core(result) for result in found] == [core(gep.open(a.path).run()) for a in accounts]


@pytest.mark.parametrize("again", [False, True])
def test_a_scenario_goes_on_from_its_base(tmp_path: Path, again: bool) -> None:
    """More rain in one tile of twelve; also where its base runs again beside it."""
    base, other = years(tmp_path)
    rain = small.arrays()["precipitation"].copy()
    rain[:10, :10] += 100
    small.write_raster(tmp_path / "rain.tif", rain, nodata=small.NODATA)
    base.run(tile=16)
    wet = base.scenario("wet", rasters={"precipitation": "rain.tif"})
    found = gep.run_together([base if again else other, wet], tile=16)
    assert [each.envelope["tiles"]["computed"] for each in found] == [12, 1]
    fresh = gep.open(base.path).scenario("wet", rasters={"precipitation": "rain.tif"})
    assert core(found[1]) == core(fresh.run(tile=16))


def test_a_scenario_shares_the_pass_of_its_base(
    tmp_path: Path,
) -> None:
    base, _ = years(tmp_path)
    wet = base.scenario("wet", rasters={"precipitation": "wetter.tif"})
    found = gep.run_together([wet, base], tile=16)
    assert [each.envelope["tiles"]["computed"] for each in found] == [12, 12]
    assert core(found[1]) == core(gep.open(base.path).run(tile=16))
    alone = gep.open(base.path).scenario("wet", rasters={"precipitation": "wetter.tif"})
    assert core(found[0]) == core(alone.run(tile=16))


def test_maps_are_those_asked_for(tmp_path: Path) -> None:
    found = gep.run_together(years(tmp_path), maps=["total"])
    assert [result.maps for result in found] == [("total.value",)] * 2
