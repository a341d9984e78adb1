"""The ledger of tiles: bound to what they follow from, proof to damage, kills and full disks."""

import errno
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gep import ledger, lock, store
from gep.errors import BusyError, GepError, IdentityError, ResourceError
from gep.ledger import KEEP, NAME, Ledger

PARTS = {"layers": {"rain": "ab"}, "code": 1}
PLACE = (0, 512, 512, 256)


def code(raised: pytest.ExceptionInfo[GepError]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    found = Ledger(tmp_path / NAME)
    yield found
    found.close()


def again(book: Ledger) -> Ledger:
    """The same ledger in the next run."""
    book.close()
    return Ledger(book.file)


def test_a_tile_comes_back_as_it_was_put(book: Ledger) -> None:
    number = book.identity(PARTS, "a 2021")
    book.insert(number, PLACE, b"one")
    book.insert(number, (512, 0, 100, 100), b"")
    both = [PLACE, (512, 0, 100, 100)]
    for run in (1, 2):
        now = book if run == 1 else again(book)
        number = now.identity(PARTS, "a 2021")
        assert dict(now.tiles(number, both)) == {PLACE: b"one", (512, 0, 100, 100): b""}
        assert dict(now.tiles(number, [PLACE, (0, 0, 1, 1)])) == {PLACE: b"one"}
        assert now.places(number) == set(both)
        assert now.damaged == 0
        assert now.size() == 1.5
    now.close()


def test_tiles_of_another_identity_are_others(book: Ledger) -> None:
    first = book.identity(PARTS, "a")
    second = book.identity(PARTS | {"code": 2}, "a")
    assert first != second
    book.insert(first, PLACE, b"one")
    assert not dict(book.tiles(second, [PLACE]))
    book.insert(second, PLACE, b"two")
    assert dict(book.tiles(first, [PLACE])) == {PLACE: b"one"}
    assert [each.parts["code"] for each in book.past()] == [2, 1]


def test_the_key_does_not_depend_on_order_but_on_every_part() -> None:
    assert ledger.key_of({"a": 1, "b": [2]}) == ledger.key_of({"b": [2], "a": 1})
    assert len({ledger.key_of(p) for p in (PARTS, {}, PARTS | {"code": "1"}, {"code": 1})}) == 4


def test_the_same_tile_again_changes_nothing_and_another_is_an_error(book: Ledger) -> None:
    number = book.identity(PARTS, "a")
    book.insert(number, PLACE, b"one")
    book.insert(number, PLACE, b"one")
    with pytest.raises(IdentityError) as raised:
        book.insert(number, PLACE, b"two")
    assert code(raised) == ["E723"]
    assert raised.value.exit_code == 5
    assert "the tile at row 1, column 513 is there with other content" in str(raised.value)
    assert dict(book.tiles(number, [PLACE])) == {PLACE: b"one"}


@pytest.mark.parametrize("what", ["content = x'6f6e66'", "sha256 = x'00'", "content = 'one'"])
def test_a_tile_that_is_not_as_it_was_written_is_replaced(what: str, book: Ledger) -> None:
    """Also by who did not look at it before, as with --fresh."""
    number = book.identity(PARTS, "a")
    book.insert(number, PLACE, b"one")
    book._base.execute(f"UPDATE tiles SET {what}")
    sound = what == "content = 'one'"  # a text of these bytes is these bytes
    assert book.insert(number, PLACE, b"one") == sound
    assert book.damaged == (not sound)
    assert dict(book.tiles(number, [PLACE])) == {PLACE: b"one"}
    with pytest.raises(IdentityError):
        book.insert(number, PLACE, b"two")


CHANGES = {
    "content": "UPDATE tiles SET content = x'6f6e66'",
    "digest": "UPDATE tiles SET sha256 = x'00'",
    "place": "UPDATE tiles SET left = 0",
    "identity": "UPDATE identities SET key = 'x', parts = '{}'",
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_not_as_it_was_written_is_dropped(what: str, book: Ledger) -> None:
    number = book.identity(PARTS, "a")
    book.insert(number, PLACE, b"one")
    book.close()
    with sqlite3.connect(book.file) as base:
        base.execute(CHANGES[what])
    base.close()
    now = Ledger(book.file)
    number = now.identity({} if what == "identity" else PARTS, "a")
    if what == "identity":  # the tile of one under the name of another
        now._base.execute("UPDATE tiles SET identity = ?", (number,))
    assert not dict(now.tiles(number, [PLACE, (0, 0, 512, 256)]))
    assert now.damaged == 1
    assert now.places(number) == set(), "and it can be put there again"
    now.insert(number, PLACE, b"one")
    now.close()


def test_what_eight_runs_did_not_use_is_dropped(book: Ledger, tmp_path: Path) -> None:
    kept, lost = book.identity(PARTS, "a"), book.identity({"code": 2}, "b")
    file = tmp_path / "rain.tif"
    file.write_bytes(b"x")
    old = time.time_ns() + 10**10
    book.remember({file: "ab"}, ledger.stamps([file]), old)
    for number in (kept, lost):
        book.insert(number, PLACE, bytes(200_000))
    size = []
    for run in range(2, KEEP + 2):
        book = again(book)
        book.identity(PARTS, "a")
        assert book.places(lost) == {PLACE}, "as long as this run may use it"
        assert book.drop() == (run == KEEP + 1), run
        assert book.places(kept) == {PLACE}
        assert [past.dropped for past in book.past()] == [False, run == KEEP + 1]
        book.close()
        size.append(book.file.stat().st_size)
    assert size[-1] < size[0] - 150_000, "and its space given back"
    book = again(book)
    assert book.known(ledger.stamps([file])) == {}
    book.close()


@pytest.mark.parametrize("text", ["{", "7", '{"code": 3}', b"\xff", None])
def test_a_past_that_is_not_as_it_was_written_is_none(text: object, book: Ledger) -> None:
    book.identity(PARTS, "a")
    book.identity({"code": 2}, "b")
    if text is not None:
        book._base.execute("UPDATE identities SET parts = ? WHERE about = 'b'", (text,))
        book._base.execute("UPDATE identities SET parts = CAST(parts AS TEXT) WHERE about = 'b'")
    assert [past.about for past in book.past()] == (["a"] if text is not None else ["b", "a"])


def test_what_is_used_again_just_in_time_is_kept(book: Ledger) -> None:
    number = book.identity(PARTS, "a")
    book.insert(number, PLACE, b"x")
    for run in range(2, 3 * KEEP):
        book = again(book)
        book.identity(PARTS if run % KEEP == 1 else {"run": run}, "a")
        assert not book.drop()
        book.close()
    book = again(book)
    assert book.places(number) == {PLACE}
    book.close()


def test_what_dropped_tiles_followed_from_is_known_for_some_time(book: Ledger) -> None:
    book.identity({"run": 1}, "a")
    for run in range(2, ledger.KNOWN + 3):
        book = again(book)
        book.identity({"run": run}, "a")
        book.drop()
        there = [past.parts["run"] for past in book.past()]
        assert there == list(range(run, max(0, run - ledger.KNOWN), -1))
        assert [past.dropped for past in book.past()] == [n <= run - KEEP for n in there]
        book.close()


# --- files --------------------------------------------------------------------------------------


def hashed(book: Ledger, file: Path, began: int) -> bool:
    """Whether a file hashed since *began* is known afterwards."""
    before = ledger.stamps([file])
    book.remember({file: hashlib.sha256(file.read_bytes()).hexdigest()}, before, began)
    return file in book.known(ledger.stamps([file]))


@pytest.mark.skipif(os.name == "nt", reason="no time of change")
def test_a_hash_is_kept_only_of_a_file_that_has_settled(book: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "rain.tif"
    file.write_bytes(b"rain")
    changed = max(file.stat().st_mtime_ns, file.stat().st_ctime_ns)
    assert not hashed(book, file, changed + 10**9)
    assert not hashed(book, file, changed + 2 * 10**9 - 1)
    assert hashed(book, file, changed + 2 * 10**9)


@pytest.mark.skipif(os.name == "nt", reason="no time of change")
def test_a_changed_file_is_not_known_whatever_its_times_say(book: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "rain.tif"
    file.write_bytes(b"rain")
    assert hashed(book, file, time.time_ns() + 10**10)
    times = file.stat()
    time.sleep(0.02)
    file.write_bytes(b"snow")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (4, times.st_mtime_ns)
    assert file not in book.known(ledger.stamps([file]))


def test_no_hash_is_kept_where_change_has_no_time(
    book: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rain.tif"
    file.write_bytes(b"rain")
    monkeypatch.setattr(ledger, "HAS_CHANGE_TIME", False)
    assert not hashed(book, file, time.time_ns() + 10**10)


def test_a_file_that_changed_while_it_was_hashed_is_not_kept(book: Ledger, tmp_path: Path) -> None:
    file = tmp_path / "rain.tif"
    file.write_bytes(b"rain")
    before = ledger.stamps([file, tmp_path / "nowhere"])
    assert list(before) == [file]
    file.write_bytes(b"rains")
    book.remember({file: "ab"}, before, time.time_ns() + 10**10)
    assert book.known(ledger.stamps([file])) == {}
    file.unlink()
    book.remember({file: "ab"}, before, time.time_ns() + 10**10)
    assert book.known(before) == {}


# --- what can go wrong --------------------------------------------------------------------------

DAMAGE = {
    "no database": b"hello" * 1000,
    "cut": None,
    "a page of noise": None,
    "another form": None,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_ledger_is_moved_aside_and_said(damage: str, tmp_path: Path) -> None:
    file = tmp_path / NAME
    book = Ledger(file)
    number = book.identity(PARTS, "a")
    for top in range(100):
        book.insert(number, (top, 0, 1, 1), bytes([top]) * 300)
    book.close()
    content = bytearray(file.read_bytes())
    if damage == "no database":
        content = bytearray(b"hello" * 1000)
    elif damage == "cut":
        del content[len(content) // 2 :]
    elif damage == "a page of noise":
        content[4096:] = hashlib.sha512(b"x").digest() * ((len(content) - 4096) // 64)
    file.write_bytes(content)
    if damage == "another form":
        with sqlite3.connect(file) as base:
            base.execute("PRAGMA user_version = 99")
        base.close()
        content = bytearray(file.read_bytes())
    now, problems = ledger.open_in(tmp_path)
    assert [p.code for p in problems] == ["W590"]
    assert str(file) in problems[0].text("en")
    assert (tmp_path / f"{NAME}.aside").read_bytes() == bytes(content), "nothing is thrown away"
    assert not list(now.tiles(now.identity(PARTS, "a"), [(0, 0, 1, 1)]))
    now.close()
    with ledger.looked_at(tmp_path) as found:
        assert found


def test_an_empty_file_is_an_empty_ledger(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    book, problems = ledger.open_in(tmp_path)
    assert not problems
    assert book.past() == []
    book.close()


def test_a_full_disk_is_e701_and_what_was_put_before_is_there(book: Ledger) -> None:
    number = book.identity(PARTS, "a")
    pages = book._base.execute("PRAGMA page_count").fetchone()[0]
    book._base.execute(f"PRAGMA max_page_count = {pages + 10}")
    put = []

    def fill() -> None:
        for top in range(100):
            book.insert(number, (top, 0, 1, 1), bytes(3000))
            put.append((top, 0, 1, 1))

    with pytest.raises(ResourceError) as raised:
        fill()
    assert code(raised) == ["E701"]
    assert raised.value.exit_code == 6
    assert 1 < len(put) < 20
    book._base.execute("PRAGMA max_page_count = 100000")
    book = again(book)
    assert book.places(book.identity(PARTS, "a")) == set(put)
    book.insert(number, (99, 0, 1, 1), bytes(3000))
    book.close()


FULL = """
import os, subprocess, sys
from pathlib import Path
folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
print("mounted", flush=True)
from gep import ledger
from gep.errors import ResourceError
book, _ = ledger.open_in(folder)
number, put = book.identity({"a": 1}, "a"), 0
try:
    while True:
        book.insert(number, (put, 0, 1, 1), os.urandom(10_000))
        put += 1
except ResourceError as error:
    print(error.problems[0].code, error.exit_code)
try:
    book.close()
except ResourceError as error:
    print(error.problems[0].code)
rest = folder / "rest"
try:
    rest.write_bytes(bytes(2_000_000))
except OSError:
    pass
try:
    book, _ = ledger.open_in(folder)
    print("opened")
    book.close()
except ResourceError as error:
    print(error.problems[0].code)
rest.unlink()
subprocess.run(["mount", "-o", "remount,size=4m", folder], check=True)
book, problems = ledger.open_in(folder)
print(len(book.places(number)) - put, problems)
"""


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    command = ["unshare", "-rm", sys.executable, "-c", FULL, str(tmp_path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except FileNotFoundError:
        pytest.skip("no unshare on this system")
    if "mounted" not in done.stdout:
        pytest.skip("no mounts for this user")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")
    assert lines[1] == "E701 6"
    assert {*lines[2:-2]} <= {"E701", "E705", "opened"}
    assert lines[-2] == "0 []", "every tile that was put is there"


READ_ONLY = """
import os, sys
from pathlib import Path
from gep import ledger
from gep.errors import GepError
if os.geteuid() == 0:  # the superuser writes everywhere
    os.setgid(65534)
    os.setuid(65534)
try:
    ledger.open_in(Path(sys.argv[1]))
except GepError as error:
    print(error.problems[0].code, error.exit_code)
"""


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o666)])
def test_a_ledger_nobody_may_write(folder_mode: int, file_mode: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / NAME
        Ledger(file).close()
        file.chmod(file_mode)
        Path(place).chmod(folder_mode)
        command = [sys.executable, "-c", READ_ONLY, place]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout == "E705 6\n", done.stderr
        Path(place).chmod(0o700)


@pytest.mark.parametrize(
    ("number", "said", "exit_code"),
    [
        (sqlite3.SQLITE_FULL, "E701", 6),
        (sqlite3.SQLITE_READONLY, "E705", 6),
        (sqlite3.SQLITE_CANTOPEN, "E705", 6),
        (sqlite3.SQLITE_IOERR | 3 << 8, "E705", 6),  # SQLITE_IOERR_WRITE
        (sqlite3.SQLITE_BUSY, "E710", 7),
        (sqlite3.SQLITE_CORRUPT, "E724", 6),
        (sqlite3.SQLITE_NOTADB, "E724", 6),
    ],
)
def test_what_sqlite_says_is_said_in_our_words(
    number: int, said: str, exit_code: int, tmp_path: Path
) -> None:
    error = sqlite3.DatabaseError("so it is")
    error.sqlite_errorcode = number
    with pytest.raises(GepError) as raised, ledger.failing(tmp_path / NAME):
        raise error
    assert (code(raised), raised.value.exit_code) == ([said], exit_code)
    assert str(tmp_path) in str(raised.value)


def test_a_mistake_of_ours_stays_one(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError), ledger.failing(tmp_path / NAME):
        sqlite3.connect(":memory:").execute("SELEC")


def test_a_ledger_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ResourceError) as raised:
        ledger.open_in(tmp_path)
    assert code(raised) == ["E705"]


HOLD = """
import sys
from pathlib import Path
from gep import lock, ledger
with lock.locked(Path(sys.argv[1])):
    book, _ = ledger.open_in(Path(sys.argv[1]))
    number = book.identity({"a": 1}, "a")
    book.insert(number, (0, 0, 1, 1), b"one")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the folder and its ledger."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as child:
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_ledger_of_another_process_is_e710(
    tmp_path: Path, held: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "WAIT", 0.1)
    with pytest.raises(BusyError) as raised:
        ledger.open_in(tmp_path)
    assert code(raised) == ["E710"]
    assert raised.value.exit_code == 7
    assert f"(process {held.pid} on " in str(raised.value)


def test_who_only_looks_sees_what_a_living_run_has_put(
    tmp_path: Path, held: subprocess.Popen[str]
) -> None:
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()}
    with ledger.looked_at(tmp_path) as copy:
        assert copy
        assert copy.places(copy.identity({"a": 1}, "a")) == {(0, 0, 1, 1)}
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.iterdir()} == before
    with pytest.raises(BusyError):
        lock.free(tmp_path)


def test_a_killed_process_loses_no_tile_it_was_told_of(
    tmp_path: Path, held: subprocess.Popen[str]
) -> None:
    held.kill()
    held.wait()
    with store.locked(tmp_path):
        book, problems = ledger.open_in(tmp_path)
        assert not problems
        assert dict(book.tiles(book.identity({"a": 1}, "a"), [(0, 0, 1, 1)])) == {
            (0, 0, 1, 1): b"one"
        }
        book.close()


def test_who_only_looks_where_nothing_is(tmp_path: Path) -> None:
    with ledger.looked_at(tmp_path / "nowhere") as found:
        assert found is None
    (tmp_path / NAME).write_bytes(b"")
    with ledger.looked_at(tmp_path) as found:
        assert found is None
    assert [p.name for p in tmp_path.iterdir()] == [NAME]
    lock.free(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize("form", [True, False])
def test_who_only_looks_at_what_a_run_moves_aside_is_told_so(form: bool, tmp_path: Path) -> None:
    Ledger(tmp_path / NAME).close()
    if form:
        with sqlite3.connect(tmp_path / NAME) as base:
            base.execute("PRAGMA user_version = 99")
        base.close()
    else:
        (tmp_path / NAME).write_bytes(b"hello" * 1000)
    with pytest.raises(ledger.DamagedError) as raised, ledger.looked_at(tmp_path):
        pass
    assert code(raised) == ["E724"]
    assert raised.value.problems[0].fields["why"] == (
        "form 99" if form else "file is not a database"
    )
    assert [p.name for p in tmp_path.iterdir()] == [NAME]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in folders")
def test_who_only_looks_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)
    with pytest.raises(ResourceError) as raised, ledger.looked_at(tmp_path):
        pass
    assert str(raised.value).endswith(
        f"{NAME}: cannot be read: not a file; so it is not known what is done already"
    )


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A temporary folder that is full."""

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(ledger.shutil, "copyfile", full)


@pytest.mark.usefixtures("no_room")
def test_who_only_looks_copies_nothing_and_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20?#"  # what means something in an address
    folder.mkdir()
    book, _ = ledger.open_in(folder)
    number = book.identity(PARTS, "a")
    book.insert(number, PLACE, b"one")
    book.paced(number, 7.0)
    rain = tmp_path / "rain.tif"
    rain.write_bytes(b"rain")
    book.remember({rain: "ab"}, ledger.stamps([rain]), time.time_ns() + 10**10)
    book.close()
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}
    with ledger.looked_at(folder) as found:
        assert found
        assert found.places(found.identity(PARTS, "")) == {PLACE}
        assert found.places(found.identity({"code": 2}, "")) == set()
        assert dict(found.tiles(number, [PLACE])) == {PLACE: b"one"}
        assert [(p.parts, p.about, p.pace) for p in found.past()] == [(PARTS, "a", 7.0)]
        assert found.known(ledger.stamps([rain])) == ({rain: "ab"} if os.name != "nt" else {})
        assert found.size() == 3
    assert {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()} == before


@pytest.mark.usefixtures("no_room")
def test_a_copy_there_is_no_room_for_is_said(tmp_path: Path, held: subprocess.Popen[str]) -> None:
    """What a killed run has left in its log, only a copy can show."""
    held.kill()
    held.wait()
    assert (tmp_path / f"{NAME}-wal").stat().st_size
    with pytest.raises(ResourceError) as raised, ledger.looked_at(tmp_path):
        pass
    assert (code(raised), raised.value.exit_code) == (["E701"], 6)
    assert str(raised.value).startswith(f"{tempfile.gettempdir()}: the disk is full")


def test_a_ledger_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(ResourceError) as raised, ledger.looked_at(tmp_path):
        pass
    assert (code(raised), raised.value.exit_code) == (["E727"], 6)
    assert str(tmp_path / NAME) in str(raised.value)


GONE = {
    "the folder": lambda folder: shutil.rmtree(folder),
    "the ledger": lambda folder: (folder / NAME).unlink(),
    "the lock": lambda folder: (folder / lock.LOCK).unlink(),
    "another lock": lambda folder: (
        (folder / "other").write_text("x"),
        (folder / "other").replace(folder / lock.LOCK),
    ),
    "another ledger": lambda folder: (
        shutil.copyfile(folder / NAME, folder / "other"),
        (folder / "other").replace(folder / NAME),
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="files in use cannot be removed there")
@pytest.mark.parametrize("what", GONE)
def test_a_ledger_that_is_taken_away_is_noticed(what: str, tmp_path: Path) -> None:
    folder = tmp_path / "output"
    with lock.locked(folder):
        book, _ = ledger.open_in(folder)
        number = book.identity(PARTS, "a")
        book.insert(number, PLACE, b"one")
        book.stands()
        GONE[what](folder)
        with pytest.raises(ResourceError) as raised:
            book.insert(number, (0, 0, 1, 1), b"two")
        book.close()
    assert (code(raised), raised.value.exit_code) == (["E726"], 6)
    name = lock.LOCK if "lock" in what else NAME
    said = f"{folder}: {name} was removed or replaced while the run wrote to it"
    assert str(raised.value) == said


def test_tiles_are_forced_to_the_disk_once_a_second_and_at_the_end(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [100.0]
    monkeypatch.setattr(ledger.time, "monotonic", lambda: clock[0])
    book._synced = clock[0]
    said: list[str] = []
    book._base.set_trace_callback(said.append)
    number = book.identity(PARTS, "a")

    def how(seconds: float) -> str:
        clock[0] += seconds
        said.clear()
        book.insert(number, (len(how_often), 0, 1, 1), b"x")
        how_often.append(0)
        return next(line for line in said if line.startswith("PRAGMA")).split()[-1]

    how_often: list[int] = []
    assert [how(s) for s in (0.1, 0.5, 0.5, 0.1, 2)] == [
        *("NORMAL", "NORMAL", "FULL", "NORMAL", "FULL")
    ]
    assert [how(0) for _ in range(66)].index("FULL") == 64
    said.clear()
    book.sync()
    assert said[0] == "PRAGMA synchronous = FULL"
    assert said[1].startswith("UPDATE")
