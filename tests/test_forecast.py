"""What a run would do: nothing is written, and what it says is what the run then does."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import small

import gep
from gep import engine, forecast, ledger, lock, preview, run, terminal
from gep.cli import main
from gep.forecast import Forecast

TILE = 10
TILES = 20


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def foretold(path: Path, **more: Any) -> Forecast:
    """Forecast, and that nothing was written for it."""
    before = files(path.parent)
    found = gep.open(path).forecast(tile=TILE, threads=2, **more)
    assert files(path.parent) == before
    return found


def ran(path: Path, **more: Any) -> gep.Result:
    return gep.open(path).run(tile=TILE, output=path.parent / "output", **more)


def why(found: Forecast) -> list[str]:
    return [reason.en for reason in found.reasons]


def test_before_the_first_run_everything_is_to_do(small_account: Path) -> None:
    found = foretold(small_account)
    assert (found.tiles, found.done, found.todo) == (TILES, 0, TILES)
    assert why(found) == ["nothing was computed into this folder yet"]
    assert found.folder == small_account.parent / "output"
    assert not found.folder.exists()
    assert (found.measured, found.pace) == (False, forecast.PACE)
    assert found.seconds == pytest.approx(small.ROWS * small.COLUMNS * forecast.PACE / 1e9)
    assert found.maps == 0
    assert [layer.name for layer in found.layers] == ["ecosystem", *small.UNITS]
    for layer in found.layers:
        assert (layer.rows, layer.columns) == (small.ROWS, small.COLUMNS)
        assert layer.bytes == (small_account.parent / layer.file).stat().st_size
    assert 10**8 < found.memory < 10**9
    assert found.memory < foretold(small_account, maps=True).disk + 10**9
    assert 0 < found.disk < found.free


def test_after_a_run_nothing_is_to_do_and_its_pace_is_known(small_account: Path) -> None:
    ran(small_account)
    found = foretold(small_account)
    assert (found.done, found.todo, why(found)) == (TILES, 0, [])
    assert found.measured
    assert found.pace > 0
    assert found.seconds == 0
    fresh = foretold(small_account, fresh=True)
    assert (fresh.todo, why(fresh)) == (TILES, ["asked for with --fresh"])
    assert fresh.seconds == pytest.approx(small.ROWS * small.COLUMNS * found.pace / 1e9)
    assert ran(small_account).envelope["tiles"]["resumed"] == TILES


def test_after_an_interruption_it_says_how_far_it_was(small_account: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ran(small_account, progress=stop, threads=1)
    found = foretold(small_account)
    assert 7 <= found.done <= 9
    assert why(found) == ["not reached before the run was stopped"]
    after = ran(small_account)
    assert after.envelope["tiles"]["resumed"] == found.done
    assert after.envelope["tiles"]["computed"] == found.todo


RAIN = small.arrays()["precipitation"]
SWAPPED = np.where(small.classes() == 11, 13, small.classes()).astype(np.uint8)
CHANGES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a file": (
        {"rasters": {"precipitation": RAIN + np.float32(1)}},
        ["precipitation: the file changed"],
    ),
    "two files": (
        {"rasters": {"precipitation": RAIN + np.float32(1)}, "ecosystem": SWAPPED},
        ["ecosystem: the file changed", "precipitation: the file changed"],
    ),
    "how it is read": (
        {"change": {"rasters.precipitation.fill": [1600]}},
        ["precipitation: it is read otherwise"],
    ),
    "polygons": (
        {"hole": True, "change": {"accept.W402": "of this test"}},
        ["the counties changed"],
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_it_says_what_changed(what: str, small_account: Path) -> None:
    more, said = CHANGES[what]
    ran(small_account)
    small.write(small_account.parent, **more)
    found = foretold(small_account)
    assert (found.done, found.todo) == (0, TILES)
    assert why(found) == said
    assert ran(small_account).envelope["tiles"]["computed"] == TILES
    assert foretold(small_account).todo == 0


def test_it_says_that_a_number_or_an_indicator_changed(small_account: Path) -> None:
    output = small_account.parent / "output"
    base = gep.open(small_account)
    base.run(tile=TILE, output=output)
    paddy = {"runoff_coefficient": {"paddy": "0.3"}}
    sealed = base.scenario("sealed", coefficients=paddy)
    found = sealed.forecast(tile=TILE, threads=1)
    assert "water_retention.water_retention: coefficients changed" in why(found)
    assert all("water_retention" in reason for reason in why(found))
    small.write(small_account.parent, rasters={"precipitation": None})
    said = why(foretold(small_account))
    assert "precipitation: no longer there" in said
    assert "water_retention.water_retention: no longer there" in said


def test_it_says_that_the_code_changed(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(small_account)
    monkeypatch.setattr("gep.origin.package_digest", lambda: "another")
    assert why(foretold(small_account)) == ["the code or a library changed"]


def test_it_takes_the_nearest_of_several_pasts(small_account: Path) -> None:
    ran(small_account)
    small.write(small_account.parent, rasters={"precipitation": RAIN + np.float32(1)})
    ran(small_account)
    small.write(small_account.parent, ecosystem=SWAPPED)
    assert why(foretold(small_account)) == ["ecosystem: the file changed"]


def test_tiles_of_another_size_are_said(small_account: Path) -> None:
    ran(small_account)
    found = gep.open(small_account).forecast(tile=512)
    assert (found.tiles, found.done) == (1, 0)
    assert why(found) == ["tiles of this size are not there"]


def test_a_run_that_was_stopped_before_its_first_tile_is_said(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(run.Loop, "tile", stop)
        with pytest.raises(KeyboardInterrupt):
            ran(small_account)
    en = "none was computed yet: an earlier run was stopped before its first tile"
    zh = "尚未算完任何分块：先前的运行在第一个分块之前中断"
    assert foretold(small_account).reasons == ((en, zh),)


def test_tiles_that_were_dropped_are_said(small_account: Path) -> None:
    """Eight other accounts into the same folder: only the tiles of the last eight are kept."""
    first = ran(small_account)
    for run_number in range(1, ledger.KEEP + 1):
        small.write(small_account.parent, change={"rasters.precipitation.fill": [run_number]})
        last = ran(small_account)
        dropped = {"dropped": TILES} if run_number == ledger.KEEP else {}
        effort = {"computed": TILES, "all": TILES, "resumed": 0} | dropped
        assert last.envelope["tiles"] == effort
        assert not [p for p in last.problems if p not in first.problems]
    assert f"{TILES} kept tiles were dropped: the last 8 runs here did not use them" in (
        terminal.notes(last, "en")
    )
    assert f"已删去 {TILES} 个保存的分块：该文件夹最近 8 次运行都未用到" in terminal.notes(
        last, "zh"
    )
    small.write(small_account.parent)
    en = "tiles of this account were dropped: only those of the last 8 runs are kept"
    zh = "该账户的分块已删去：只保留最近 8 次运行的分块"
    found = foretold(small_account)
    assert (found.reasons, found.todo) == (((en, zh),), TILES)
    small.write(small_account.parent, change={"rasters.precipitation.fill": [1]})
    assert foretold(small_account).todo == 0, "the oldest that is kept"
    assert ran(small_account).envelope["tiles"]["resumed"] == TILES, "is there for the run too"


def test_the_order_of_indicators_is_said_only_where_nothing_else_is(small_account: Path) -> None:
    ran(small_account)
    small.write(small_account.parent, rasters={"precipitation": None})
    assert "the order of the indicators changed" not in why(foretold(small_account))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system nobody can write, not even root."""
    place = tmp_path / "mounted"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "ro,size=100k", "tmpfs", str(place)]
    if (
        sys.platform != "linux"
        or subprocess.run(words, capture_output=True, check=False).returncode
    ):
        pytest.skip("this machine mounts nothing")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def ended(path: Path, *words: str) -> tuple[int, str]:
    """Exit code of a run, and its first line on stderr after the heading."""
    done = click.testing.CliRunner().invoke(main, ["run", str(path), "--lang", "en", *words])
    (said,) = [line for line in done.stderr.splitlines() if line.startswith("error")]
    return done.exit_code, said


def alike(path: Path, output: Path) -> tuple[int, str]:
    """How a run into *output* ends, and its forecast: with the same, and nothing left there."""
    before = files(path.parent)
    foretells = ended(path, "-n", "-o", str(output))
    assert files(path.parent) == before
    assert ended(path, "-o", str(output), "--progress", "none") == foretells
    return foretells


def test_an_output_that_cannot_be_written_stops_the_forecast_as_the_run(
    small_account: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("a file")
    exit_code, said = alike(small_account, tmp_path / "file")
    assert exit_code == 6
    assert said.startswith(f"error E705  {tmp_path / 'file'}: cannot be written")
    assert alike(small_account, tmp_path / "file" / "below")[0] == 6
    if sys.platform == "linux":
        assert alike(small_account, Path("/proc/x"))[0] == 6


def test_a_read_only_disk_stops_the_forecast_as_the_run(
    small_account: Path, read_only: Path
) -> None:
    exit_code, said = alike(small_account, read_only / "runs")
    assert exit_code == 6
    assert said.startswith(f"error E705  {read_only / 'runs'}: cannot be written: Read-only")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
@pytest.mark.parametrize("name", [ledger.NAME, lock.LOCK])
@pytest.mark.parametrize("kind", ["a pipe", "a folder"])
def test_a_ledger_or_lock_that_is_no_file_stops_the_forecast_as_the_run(
    kind: str, name: str, small_account: Path, tmp_path: Path
) -> None:
    output = tmp_path / "runs"
    output.mkdir()
    if kind == "a pipe":
        os.mkfifo(output / name)
    else:
        (output / name).mkdir()
    for words in (["-n"], ["--progress", "none"]):
        exit_code, said = ended(small_account, "-o", str(output), *words)
        assert exit_code == 6
        assert said.startswith(f"error E705  {output}: cannot be written: ")


def test_maps_without_room_stop_the_forecast_as_the_run(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gep.outputs.maps.need", lambda plan, count: 10**18 * bool(count))
    for words in (["-n"], ["--progress", "none"]):
        exit_code, said = ended(small_account, "--maps", *words)
        assert exit_code == 6
        assert "E720" in said


def test_time_holds_what_is_before_and_after_the_tiles(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gep.run.uncompiled", lambda *of: True)
    cold = foretold(small_account)
    assert cold.compiled > forecast.COMPILING[0]
    assert cold.checked > forecast.STARTING
    assert cold.hashed > 0
    assert cold.tabled > forecast.COUNTING[0]
    parts = cold.checked + cold.hashed + cold.compiled + cold.seconds + cold.tabled
    assert cold.total == pytest.approx(parts)
    monkeypatch.setattr("gep.run.uncompiled", lambda *of: False)
    assert foretold(small_account).compiled == 0


def test_files_are_hashed_at_the_speed_of_the_largest(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 * 10**6))
    (tmp_path / "small").write_bytes(b"x")
    (tmp_path / "empty").write_bytes(b"")
    everything = [*tmp_path.iterdir(), tmp_path / "gone"]
    assert 0 < forecast._hashing(everything, 2) < 1
    assert forecast._hashing([tmp_path / "empty", tmp_path / "gone"], 2) == 0


def test_a_folder_in_use_is_said(small_account: Path) -> None:
    with lock.locked(small_account.parent / "output"), pytest.raises(gep.GepError) as raised:
        gep.open(small_account).forecast()
    assert raised.value.exit_code == 7


def test_what_stops_a_run_stops_its_forecast(tmp_path: Path) -> None:
    path = small.write(tmp_path, change={"rasters.precipitation.unit": None})
    with pytest.raises(gep.GepError) as raised:
        gep.open(path).forecast()
    assert [p.code for p in raised.value.problems] == ["E302"]


def test_a_damaged_ledger_is_said(small_account: Path) -> None:
    ran(small_account)
    (small_account.parent / "output" / ".ledger.sqlite").write_bytes(b"hello" * 1000)
    en = "the ledger of earlier runs is damaged (file is not a database): "
    en += "everything is computed anew"
    zh = "先前运行的分块记录已损坏（file is not a database）：全部重新计算"
    assert foretold(small_account).reasons == ((en, zh),)
    assert foretold(small_account).todo == TILES
    asked = foretold(small_account, fresh=True)
    assert why(asked) == ["asked for with --fresh", en]
    assert [p.code for p in ran(small_account).problems if p.code == "W590"] == ["W590"]


# --- on the command line ------------------------------------------------------------------------


def told(path: Path, *words: str) -> click.testing.Result:
    before = files(path.parent)
    done = click.testing.CliRunner().invoke(main, ["run", str(path), *words])
    assert done.exit_code == 0, done.output
    assert files(path.parent) == before
    return done


EN = """\
tiles: 1 in all, 0 done, 1 to do
why: nothing was computed into this folder yet
memory: about {memory} MB with 2 threads
disk: {disk} MB at most in {folder}, {free} GB are free
time: about 4.1 s without maps: start and check 1.8, digests 0.3, compiling 1.9, \
tiles 0.0 at 60 ns per pixel (assumed; no run into this folder has shown it), tables 0.1
nothing was computed and nothing written"""
ZH = """\
分块：共 1，已完成 0，待计算 1
原因：该文件夹中尚无计算结果
内存：约 {memory} MB（2 个线程）
磁盘：{folder} 最多需要 {disk} MB，可用 {free} GB
时间：约 4.1 秒（不含地图）：启动与检查 1.8，文件校验 0.3，编译 1.9，\
分块 0.0（每像元 60 纳秒，假定值；该文件夹尚无运行可依据），表格 0.1
没有计算，也没有写入任何内容"""


@pytest.mark.parametrize(("language", "text"), [("en", EN), ("zh", ZH)])
@pytest.mark.parametrize("flag", ["-n", "--dry-run"])
def test_the_command_line_says_it(
    flag: str, language: str, text: str, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast, "_free", lambda folder: 12_345_678_901)
    monkeypatch.setattr(forecast, "_hashing", lambda files, threads: 0.3)
    monkeypatch.setattr(forecast, "to_compile", lambda plan: 10)
    inner = forecast.forecast
    monkeypatch.setattr(engine, "forecast", lambda *said: inner(*said[:-1], 1.0))
    found = gep.open(small_account).forecast(threads=2)
    fields = {"memory": round(found.memory / 1e6), "disk": f"{found.disk / 1e6:,.1f}"}
    fields |= {"folder": small_account.parent / "output", "free": "12.3"}
    done = told(small_account, flag, "--threads", "2", "--lang", language)
    table, said = done.stdout.rstrip("\n").split("\n\n")
    assert said == text.format(**fields)
    lines = table.splitlines()
    assert len(lines) == 2 + 1 + len(small.UNITS)
    assert lines[2].split()[:2] == ["ecosystem", "ecosystem.tif"]
    assert "40 × 50" in lines[2]
    assert lines[2].split()[-1] == {"en": "none", "zh": "无"}[language]


def test_too_little_room_is_said(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast, "_free", lambda folder: 1000)
    assert "but only 0.0 GB are free" in told(small_account, "-n", "--lang", "en").stdout
    assert "但只有 0.0 GB 可用" in told(small_account, "-n", "--lang", "zh").stdout


def test_as_data(small_account: Path) -> None:
    data = json.loads(told(small_account, "-n", "--json", "--maps").stdout)
    assert data["tiles"] == data["todo"] == 1
    assert data["reasons"] == [
        {"en": "nothing was computed into this folder yet", "zh": "该文件夹中尚无计算结果"}
    ]
    assert data["layers"][0]["file"] == "ecosystem.tif"
    assert data["maps"] > 10
    assert data["measured"] is False
    assert data["folder"] == str(small_account.parent / "output")


def test_a_layer_still_to_be_prepared() -> None:
    layer = forecast.Read("evapotranspiration", "evapotranspiration-1.tif", 0, 0, 0, "")
    numbers: dict[str, Any] = dict.fromkeys(("tiles", "done", "maps", "threads", "memory"), 1)
    numbers |= {"disk": 1, "free": 2, "seconds": 200.4, "pace": 1.0, "measured": True}
    numbers |= dict.fromkeys(("checked", "hashed", "compiled", "tabled"), 1.0)
    found = Forecast(Path("o"), reasons=(), layers=(layer,), **numbers)
    assert "to be prepared" in preview.layers(found, "en")
    assert "待推算" in preview.layers(found, "zh")
    assert "every tile is done: they are only summed" in preview.lines(found, "en")
    assert "maps: 1 at most" in preview.lines(found, "en")
    assert "time: about 204 s without maps and what is prepared: " in preview.lines(found, "en")[-2]
    assert "时间：约 204 秒（不含地图和推算）：" in preview.lines(found, "zh")[-2]


def test_fresh_on_the_command_line(small_account: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    inner = gep.Account.run

    def run(self: gep.Account, **named: Any) -> gep.Result:
        seen.append(named["fresh"])
        return inner(self, **named)

    monkeypatch.setattr(gep.Account, "run", run)
    for words in ([], ["--fresh"]):
        command = ["run", str(small_account), "--progress", "none", *words]
        assert click.testing.CliRunner().invoke(main, command).exit_code == 0
    assert seen == [False, True]
