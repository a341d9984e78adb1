"""A folder held by one process: what the system's lock cannot show, the heartbeat does."""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gep import lock
from gep.errors import BusyError

HOST = socket.gethostname()
SINCE = "2026-07-01T09:00:00"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)


@pytest.fixture
def unlockable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks."""

    def refuse(file: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(lock, "_lock", refuse)


def left(folder: Path, process: object, host: str, age: float, *more: str) -> Path:
    """A lock somebody has left, its heart silent for so many seconds."""
    file = folder / lock.LOCK
    file.write_text(" ".join([str(process), host, SINCE, *more]) + "\n")
    then = time.time() - age
    os.utime(file, (then, then))
    return file


def dead() -> int:
    """Number of a process that is no more."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()
    return child.pid


def taken(folder: Path) -> bool:
    """Whether the folder can be had."""
    try:
        with lock.locked(folder):
            return True
    except BusyError:
        return False


def test_the_lock_says_who_where_and_since_when(tmp_path: Path) -> None:
    with lock.locked(tmp_path):
        found = lock.holder(tmp_path)
        assert (found.process, found.host, found.ended) == (str(os.getpid()), HOST, False)
        assert abs(time.mktime(time.strptime(found.since, "%Y-%m-%dT%H:%M:%S")) - time.time()) < 5
        with pytest.raises(BusyError) as raised, lock.locked(tmp_path):
            pass
        said = f"(process {os.getpid()} on {HOST}, since {found.since})"
        assert said in str(raised.value)
        with pytest.raises(BusyError):
            lock.free(tmp_path)
    assert lock.holder(tmp_path).ended
    lock.free(tmp_path)


def test_the_heart_beats_while_the_lock_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "BEAT", 0.02)
    file = tmp_path / lock.LOCK
    with lock.locked(tmp_path):
        os.utime(file, (1, 1))
        until = time.monotonic() + 10
        while file.stat().st_mtime == 1 and time.monotonic() < until:
            time.sleep(0.01)
        assert time.time() - file.stat().st_mtime < 5
    os.utime(file, (1, 1))
    time.sleep(0.1)
    assert file.stat().st_mtime == 1, "and stops with it"


CASES: dict[str, tuple[Callable[[], object], str, float, tuple[str, ...], bool]] = {
    "killed here just now": (dead, HOST, 0, (), True),
    "a number that lives again": (lambda: 1, HOST, 0, (), True),
    "ended elsewhere": (lambda: 1, "other", 0, ("ended",), True),
    "beating elsewhere": (lambda: 1, "other", 30, (), False),
    "silent elsewhere": (lambda: 1, "other", 61, (), True),
    "of an older gep": (lambda: "", "", 0, (), True),
}


@pytest.mark.parametrize("case", CASES)
def test_a_lock_somebody_left(case: str, tmp_path: Path) -> None:
    process, host, age, more, free = CASES[case]
    file = left(tmp_path, process(), host, age, *more)
    before = file.read_text()
    assert taken(tmp_path) == free
    assert (file.read_text() == before) != free, "a lock that is not taken is not touched"


@pytest.mark.usefixtures("unlockable")
@pytest.mark.parametrize(
    ("process", "host", "age", "free"),
    [
        (dead, HOST, 0, True),
        (os.getppid, HOST, 30, False),
        (os.getppid, HOST, 61, True),
        (lambda: 1, "other", 30, False),
        (lambda: 1, "other", 61, True),
    ],
)
def test_where_the_system_has_no_locks_the_heart_decides(
    process: Callable[[], int], host: str, age: float, free: bool, tmp_path: Path
) -> None:
    left(tmp_path, process(), host, age)
    assert taken(tmp_path) == free


@pytest.mark.usefixtures("unlockable")
def test_a_folder_that_is_free_where_the_system_has_no_locks(tmp_path: Path) -> None:
    assert taken(tmp_path / "new")
    assert taken(tmp_path / "new"), "and free again"


def test_who_looks_whether_a_folder_is_free_writes_nothing(tmp_path: Path) -> None:
    lock.free(tmp_path)
    assert not list(tmp_path.iterdir())
    file = left(tmp_path, dead(), HOST, 100)
    before = file.stat().st_mtime_ns, file.read_bytes()
    lock.free(tmp_path)
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before
