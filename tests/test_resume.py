"""A run that goes on where it was stopped: the same integers, whatever stopped it."""

import dataclasses
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import small
from hypothesis import given, settings
from hypothesis import strategies as st

import gep
from gep import ledger, lock, resume, run, store
from gep.errors import GepError, IdentityError, Interrupted, ResourceError
from gep.plan import Plan
from gep.rasters import Reader, tiles
from gep.run import Loop, Partials
from gep.staging import Findings

BIG = st.integers(-(2**63), 2**63 - 1)


def same(one: Partials, other: Partials) -> bool:
    for field in dataclasses.fields(Partials):
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if isinstance(ours, np.ndarray):
            if ours.dtype != theirs.dtype or not np.array_equal(ours, theirs):
                return False
        elif ours != theirs:
            return False
    return True


def test_every_field_of_partials_is_among_the_bytes() -> None:
    named = {*resume.LEAVES, "blame", "outside", "findings"}
    assert {field.name for field in dataclasses.fields(Partials)} == named
    assert {f.name for f in dataclasses.fields(Findings)} == {"unknown", "impossible", "fills"}


@st.composite
def partials(draw: st.DrawFn) -> tuple[Partials, np.ndarray]:
    """Partials of any shape: what no pixel of a class in a place gives is 0."""
    shape = [draw(st.integers(low, 4)) for low in (0, 1, 1, 1)]
    part = Partials.zeros(*shape)
    for place, kind in np.ndindex(*part.pixels.shape):
        if draw(st.booleans()):
            part.pixels[place, kind] = draw(st.integers(1, 2**40))
            for name in resume.LEAVES[1:]:
                leaf = getattr(part, name)
                size = int(np.prod(leaf.shape[2:]))
                numbers = draw(st.lists(BIG, min_size=size, max_size=size))
                leaf[place, kind] = np.array(numbers, np.int64).reshape(leaf.shape[2:])
    for at in np.ndindex(*part.blame.shape):
        part.blame[at] = draw(st.sampled_from([0, 0, 1, 2**62]))
    part.outside = draw(st.integers(0, 2**40))
    at = st.tuples(st.floats(allow_nan=False), st.integers(0, 2**31), st.integers(0, 2**31))
    layers = st.dictionaries(st.integers(0, 20), at, max_size=3)
    codes = st.one_of(st.integers(-(2**31), 2**31), st.floats(allow_nan=False))
    found = st.dictionaries(codes, st.tuples(*[st.integers(0, 2**31)] * 3), max_size=3)
    part.findings = Findings(draw(found), draw(layers), draw(layers))
    places = draw(st.lists(BIG, min_size=shape[0], max_size=shape[0]))
    return part, np.array(places, np.int64)


@given(partials())
@settings(max_examples=150, deadline=None)
def test_a_tile_is_the_same_after_bytes(drawn: tuple[Partials, np.ndarray]) -> None:
    part, places = drawn
    content = resume.encode(part, places)
    found, at = resume.decode(content)
    assert same(found, part)
    assert np.array_equal(at, places)
    assert resume.encode(found, at) == content, "and they are the same bytes"


def plan_of(path: Path) -> Plan:
    made = gep.open(path).check().plan
    assert made is not None
    return made


def test_the_bytes_of_a_tile_hold_nothing_but_what_occurs(small_account: Path) -> None:
    plan = plan_of(small_account)
    loop = Loop(plan)
    (window,) = tiles(plan.grid, 512)
    with Reader(plan.layers, plan.grid) as reader:
        part, places = loop.tile(reader, window)
    content = resume.encode(part, places)
    assert same(resume.decode(content)[0], part)
    pairs = np.count_nonzero(part.pixels)
    for name in resume.LEAVES:
        leaf = getattr(part, name)
        assert not leaf[part.pixels == 0].any(), "nothing is where no pixel is"
    whole = sum(getattr(part, name).nbytes for name in resume.LEAVES)
    dense = pairs * (2 + 6 * loop.columns) * 8
    assert len(content) < dense + dense // 64 + 8 * part.blame.size + 1000 < whole


@pytest.mark.parametrize("content", [b"", b"gep tile 2\n{}", b"\x80\x04pickle"])
def test_bytes_of_another_form_are_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no tile of this form"):
        resume.decode(content)


# --- runs ---------------------------------------------------------------------------------------

TILE = 10
TILES = 20
"""The small grid of 40 x 50 pixels in tiles of 10 x 10; those of the last columns are outside."""


def ran(path: Path, **more: Any) -> gep.Result:
    """Run of an account into its folder, in small tiles."""
    words: dict[str, Any] = {"output": path.parent / "output", "tile": TILE, "threads": 2}
    return gep.open(path).run(**words | more)


def effort(result: gep.Result) -> tuple[int, int]:
    """Tiles computed and resumed."""
    tiles = result.envelope["tiles"]
    assert tiles["all"] == TILES
    return tiles["computed"], tiles["resumed"]


def stopped_after(count: int) -> Callable[[int, int], None]:
    """Progress that interrupts after so many tiles."""

    def progress(done: int, total: int) -> None:
        if done == count:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("count", [1, 7, 19, 20])
def test_an_interrupted_run_goes_on_and_gives_the_same(count: int, small_account: Path) -> None:
    whole = ran(small_account, output=None)
    assert effort(whole) == (TILES, 0)
    with pytest.raises(Interrupted) as raised:
        ran(small_account, progress=stopped_after(count))
    (problem,) = raised.value.problems
    kept = problem.fields["count"]
    assert isinstance(kept, int)
    assert count <= kept <= min(TILES, count + 4), "and no more than were in hand, or waited"
    assert problem.text("zh") == f"已中断；{kept} 个分块保存在 {small_account.parent / 'output'}"
    seen: list[int] = []
    after = ran(small_account, progress=lambda done, total: seen.append(done))
    assert effort(after) == (TILES - kept, kept)
    assert seen == list(range(kept, TILES + 1)), "progress begins where it stopped"
    assert after.manifest["root"] == whole.manifest["root"]
    assert after.name == whole.name
    assert after.manifest["core"] == whole.manifest["core"], "what was resumed is not of the core"
    assert effort(ran(small_account)) == (0, TILES)


def test_fresh_computes_everything_and_gives_the_same(small_account: Path) -> None:
    first = ran(small_account)
    again = ran(small_account, fresh=True)
    assert effort(again) == (TILES, 0)
    assert again.manifest["root"] == first.manifest["root"]
    assert effort(ran(small_account)) == (0, TILES)


def test_without_a_folder_nothing_is_kept(small_account: Path) -> None:
    for _ in range(2):
        assert effort(ran(small_account, output=None)) == (TILES, 0)
    assert not (small_account.parent / "output").exists()


def test_tiles_of_another_size_are_others(small_account: Path) -> None:
    first = ran(small_account, tile=512)
    assert first.envelope["tiles"] == {"computed": 1, "all": 1, "resumed": 0}
    assert effort(ran(small_account)) == (TILES, 0)
    assert effort(ran(small_account)) == (0, TILES)


def rewritten(path: Path, **more: Any) -> None:
    small.write(path.parent, **more)


OTHER = {
    "a raster": {"rasters": {"precipitation": small.arrays()["precipitation"] + np.float32(1)}},
    "a scale": {"change": {"rasters.precipitation.scale": 0.9}},
    "a fill": {"change": {"rasters.precipitation.fill": [1600]}},
    "polygons": {"hole": True, "change": {"accept.W402": "of this test"}},
    "classes": {"ecosystem": np.where(small.classes() == 11, 13, small.classes()).astype(np.uint8)},
}
ALIKE = {
    "a name": {"change": {"account.name": "另一账户"}},
    "another table": {"tables": {"emissions": small.EMISSIONS.replace("1000,0.25", "900,0.25")}},
    "prices of another year": {"change": {"account.price_year": 2020}},
    "nothing": {},
}


@pytest.mark.parametrize("what", OTHER)
def test_what_changes_a_tile_computes_all_of_them(what: str, small_account: Path) -> None:
    before = ran(small_account)
    rewritten(small_account, **OTHER[what])
    after = ran(small_account)
    assert effort(after) == (TILES, 0)
    assert after.files()["accounts.csv"] != before.files()["accounts.csv"]
    rewritten(small_account)
    again = ran(small_account)
    assert effort(again) == (0, TILES), "and the tiles of before are still there"
    assert again.files()["accounts.csv"] == before.files()["accounts.csv"]


@pytest.mark.parametrize("what", ALIKE)
def test_what_changes_no_tile_computes_none(what: str, small_account: Path) -> None:
    ran(small_account)
    rewritten(small_account, **ALIKE[what])
    after = ran(small_account)
    assert effort(after) == (0, TILES)
    fresh = ran(small_account, output=None)
    assert after.manifest["root"] == fresh.manifest["root"]


def test_a_coefficient_of_a_kernel_computes_all_and_a_price_none(small_account: Path) -> None:
    output = small_account.parent / "output"
    base = gep.open(small_account)
    numbers = {"runoff_coefficient": {"paddy": "0.3"}}
    for wanted, name, more in (
        ((TILES, 0), "base", {}),
        ((TILES, 0), "sealed", {"coefficients": numbers}),
        ((0, TILES), "dear", {"prices": {"reservoir_cost": "7.2 CNY_2020/m^3"}}),
        ((0, TILES), "sealed", {"coefficients": numbers}),
    ):
        one = gep.open(small_account).scenario(name, **more) if more else base
        assert effort(one.run(output=output, tile=TILE)) == wanted, name


def test_a_scenario_keeps_its_tiles_too(small_account: Path) -> None:
    output = small_account.parent / "output"
    dry = {"precipitation": "dry.tif"}
    array = small.arrays()["precipitation"]
    array[:10, :10] -= 100
    small.write_raster(small_account.parent / "dry.tif", array, nodata=small.NODATA)
    roots = set()
    for resumed in (0, 1):
        base = gep.open(small_account)
        base.run(output=output, tile=TILE)
        found = base.scenario("dry", rasters=dry).run(output=output, tile=TILE)
        assert effort(found) == (1 - resumed, resumed)
        roots.add(found.manifest["root"])
    alone = gep.open(small_account).scenario("dry", rasters=dry).run(tile=TILE)
    assert roots == {alone.manifest["root"]}


# --- what is not as it was ----------------------------------------------------------------------


def tamper(path: Path, statement: str) -> None:
    with sqlite3.connect(path.parent / "output" / ledger.NAME) as base:
        base.execute(statement)
    base.close()


def said(result: gep.Result) -> list[str]:
    return [problem.code for problem in result.problems if problem.code.startswith("W59")]


def test_a_damaged_tile_is_computed_again_and_said(small_account: Path) -> None:
    before = ran(small_account)
    tamper(small_account, "UPDATE tiles SET content = content || x'00' WHERE top = 10")
    after = ran(small_account)
    assert effort(after) == (5, 15)
    assert said(after) == ["W592"]
    assert "5 tiles kept by an earlier run" in next(
        p.text("en") for p in after.problems if p.code == "W592"
    )
    assert after.manifest["root"] == before.manifest["root"], "it is no part of the account"
    assert said(ran(small_account)) == []


def test_a_damaged_tile_does_not_stop_a_fresh_run(small_account: Path) -> None:
    before = ran(small_account)
    tamper(small_account, "UPDATE tiles SET content = content || x'00' WHERE top = 10")
    after = ran(small_account, fresh=True)
    assert effort(after) == (TILES, 0)
    assert said(after) == ["W592"]
    assert after.manifest["root"] == before.manifest["root"]
    again = ran(small_account)
    assert (effort(again), said(again)) == ((0, TILES), []), "what was damaged is replaced"


@pytest.mark.skipif(os.name == "nt", reason="files in use cannot be removed there")
@pytest.mark.parametrize("after", [5, TILES])
def test_a_folder_removed_during_a_run_is_noticed(after: int, small_account: Path) -> None:
    output = small_account.parent / "output"

    def remove(done: int, total: int) -> None:
        if done == after:
            shutil.rmtree(output)

    with pytest.raises(ResourceError) as raised:
        ran(small_account, progress=remove, threads=1)
    assert [(p.code, p.fields["folder"]) for p in raised.value.problems] == [("E726", output)]
    assert not output.exists()


def test_a_damaged_ledger_costs_its_tiles_and_nothing_else(small_account: Path) -> None:
    before = ran(small_account)
    (small_account.parent / "output" / ledger.NAME).write_bytes(b"no database" * 1000)
    after = ran(small_account)
    assert effort(after) == (TILES, 0)
    assert said(after) == ["W590"]
    assert after.manifest["root"] == before.manifest["root"]
    assert effort(ran(small_account)) == (0, TILES)


def test_a_tile_that_comes_out_differently_is_an_error(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran(small_account)
    inner = run.Loop.tile

    def erring(self: Loop, reader: Reader, window: Any) -> Any:
        part, places = inner(self, reader, window)
        if window.row_off == window.col_off == 10:
            place, kind = np.argwhere(part.pixels)[0]
            part.sums[place, kind, 0, 1] ^= 1
        return part, places

    monkeypatch.setattr(run.Loop, "tile", erring)
    with pytest.raises(IdentityError) as raised:
        ran(small_account, fresh=True)
    (problem,) = raised.value.problems
    assert problem.code == "E723"
    assert (problem.fields["row"], problem.fields["column"]) == (11, 11)


def test_a_tile_of_changed_input_is_not_kept(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is rewritten after it was hashed: tiles of it would carry the wrong digest."""
    rain = small_account.parent / "precipitation.tif"
    inner = run.Loop.tile

    def tile(self: Loop, reader: Reader, window: Any) -> Any:
        found = inner(self, reader, window)
        if window.row_off == 20:
            rain.write_bytes(rain.read_bytes())
        return found

    monkeypatch.setattr(run.Loop, "tile", tile)
    with pytest.raises(IdentityError) as raised:
        ran(small_account, threads=1)
    assert [p.code for p in raised.value.problems] == ["E714"]
    with ledger.looked_at(small_account.parent / "output") as book:
        assert book
        (past,) = book.past()
        there = book.places(book.identity(past.parts, ""))
        assert {top for top, *_ in there} == {0, 10}


def test_hashes_are_taken_from_the_run_before(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[Path] = []
    inner = store.digest_file

    def digest_file(path: Path) -> str:
        hashed.append(path)
        return inner(path)

    monkeypatch.setattr(store, "digest_file", digest_file)
    monkeypatch.setattr(ledger, "SETTLED", 0)
    first, rain = ran(small_account), small_account.parent / "precipitation.tif"
    assert rain in hashed
    hashed.clear()
    again = ran(small_account)
    assert rain not in hashed
    assert again.manifest["root"] == first.manifest["root"]
    rain.touch()
    ran(small_account)
    assert hashed.count(rain) == 1
    hashed.clear()
    ran(small_account, fresh=True)
    assert rain in hashed


def test_a_second_run_into_the_same_folder_is_busy(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    raised: list[GepError] = []

    def second(done: int, total: int) -> None:
        if done == 1:
            with pytest.raises(GepError) as error:
                ran(small_account)
            raised.append(error.value)

    ran(small_account, progress=second)
    assert [(p.code, e.exit_code) for e in raised for p in e.problems] == [("E710", 7)]


# --- kill -9 ------------------------------------------------------------------------------------

KILLS = """
import json, os, random, signal, sys, time
from pathlib import Path
import gep
from gep import ledger, run

path, kills, threads = Path(sys.argv[1]), int(sys.argv[2]), 2
output, log = path.parent / "output", path.parent / "computed"
inner = run.Loop.tile

def tile(self, reader, window):
    found = inner(self, reader, window)
    if self.logged:
        with open(log, "ab") as file:
            file.write(b".")
    return found

accumulated = run.accumulate
def accumulate(*given, loop, kept=None, **named):
    loop.logged = kept is not None
    found = accumulated(*given, loop=loop, kept=kept, **named)
    loop.logged = False
    return found
run.Loop.tile, run.Loop.logged = tile, False
from gep import scenario
scenario.accumulate = accumulate

def one(output, started=None):
    def progress(done, total):
        if started is not None and done == 1:
            os.write(started, b"x")
    result = gep.open(path).run(output=output, tile=3, threads=threads, progress=progress)
    if output:
        result.write(output)
    return result

def there():
    # tiles in the ledger
    with ledger.looked_at(output) as book:
        found = [book.places(book.identity(past.parts, "")) for past in book.past()] if book else []
        return max(map(len, found), default=0)

one(None)  # what is compiled once does not count
began = time.monotonic()
whole = one(None)
seconds = time.monotonic() - began
chance, report, every = random.Random(4), [], whole.envelope["tiles"]["all"]
while len(report) < kills:
    before = there()
    if before == every:  # nothing is left to interrupt: begin again
        for file in [f for f in output.iterdir() if f.name.startswith(ledger.NAME)]:
            file.unlink()
        before = 0
    log.write_bytes(b"")
    heard, started = os.pipe()
    child = os.fork()
    if not child:
        os.close(heard)
        one(output, started)
        os._exit(0)
    os.close(started)
    if len(report) % 4:  # three of four in the loop
        os.read(heard, 1)
        time.sleep(chance.uniform(0, 0.2 * seconds))
    else:
        time.sleep(chance.uniform(0, seconds))
    os.close(heard)
    os.kill(child, signal.SIGKILL)
    killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) < 0
    report.append([killed, before, there(), log.stat().st_size])
after = one(output)
print(json.dumps({"whole": whole.manifest["root"], "after": after.manifest["root"],
    "report": report, "tiles": after.envelope["tiles"]}))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills by POSIX")
def test_twenty_kills_change_nothing(small_account: Path) -> None:
    kills, threads = 20, 2
    command = [sys.executable, "-c", KILLS, str(small_account), str(kills)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["after"] == found["whole"]
    report, every = found["report"], found["tiles"]["all"]
    assert sum(killed for killed, *_ in report) >= kills // 2, report
    assert sum(0 < there < every for *_, there, _ in report) >= 5, report
    for _, before, there, computed in report:
        assert 0 <= computed - (there - before) <= threads, "at most one tile per thread is lost"
    assert found["tiles"]["resumed"] == report[-1][2]
