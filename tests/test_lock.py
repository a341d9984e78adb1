"""A folder held by one process: what the system's lock cannot show, the heartbeat does."""

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gep import lock
from gep.errors import BusyError, GepError, ResourceError

HOST = socket.gethostname()
SINCE = "2026-07-01T09:00:00"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "PATIENCE", 0.0)
    monkeypatch.setattr(lock, "PAUSE", 0.01)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A file system that other machines may have too."""
    mounted(monkeypatch, tmp_path, "1 0 0:1 / / rw - nfs4 server:/ rw")


def mounted(monkeypatch: pytest.MonkeyPatch, place: Path, *lines: str) -> None:
    """Mounts as Linux lists them."""
    monkeypatch.setattr(lock, "MOUNTS", place / "mountinfo")
    (place / "mountinfo").write_text("\n".join([*lines, ""]))


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


@pytest.mark.usefixtures("shared")
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


def test_the_systems_lock_decides_where_only_this_machine_has_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A killed container has another name than the next one, and its heart beat just now."""
    mounted(monkeypatch, tmp_path, "1 0 8:1 / / rw shared:1 - ext4 /dev/vda rw")
    left(tmp_path, 1, "container-1", 0)
    lock.free(tmp_path)
    assert taken(tmp_path)


MOUNTS: dict[str, tuple[tuple[str, ...], bool]] = {
    "nothing is known": ((), False),
    "of this machine": (("/ - ext4",), True),
    "of another one": (("/ - nfs4",), False),
    "a share below": (("/ - ext4", "{up} - cifs"), False),
    "a share elsewhere": (("/ - ext4", "{up}/elsewhere - cifs"), True),
    "a disk below a share": (("/ - 9p", "{up} - xfs"), True),
    "one on top of another": (("{up} - xfs", "{up} - fuse.sshfs"), False),
    "a kind nobody has heard of": (("/ - newfs",), False),
}


@pytest.mark.parametrize("case", MOUNTS)
def test_whether_only_this_machine_has_a_folder(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, local = MOUNTS[case]
    folder = tmp_path / "with space" / "output"
    folder.mkdir(parents=True)
    up = str(folder.parent).replace(" ", "\\040")
    words = [line.format(up=up).split(" - ") for line in lines]
    listed = [f"1 0 0:1 / {mount} rw shared:2 - {kind} source rw" for mount, kind in words]
    mounted(monkeypatch, tmp_path, *listed)
    assert lock._local(folder) == local


def test_where_no_mounts_are_listed_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "MOUNTS", tmp_path / "nowhere")
    assert not lock._local(tmp_path)


@pytest.mark.usefixtures("shared")
def test_who_must_wait_for_a_heart_is_told_until_when(tmp_path: Path) -> None:
    left(tmp_path, 7, "other", 20)
    for hold in (lambda: lock.free(tmp_path), lambda: lock.locked(tmp_path).__enter__()):
        with pytest.raises(BusyError) as raised:
            hold()
        (problem,) = raised.value.problems
        assert (problem.code, raised.value.exit_code) == ("E725", 7)
        until = str(problem.fields["until"])
        allowed = [
            time.strftime("%H:%M:%S", time.localtime(time.time() + s)) for s in range(36, 46)
        ]
        assert until in allowed, "60 s after the last beat, 20 s ago"
        assert problem.text() == (
            f"{tmp_path} may be in use by a run on another computer (process 7 on other, "
            f"since {SINCE}); if it has died, the folder is free at {until}"
        )
        assert problem.text("zh") == (
            f"{tmp_path} 可能正被另一台计算机上的运行占用（other 上的进程 7，自 {SINCE} 起）；"
            f"若其已终止，该文件夹在 {until} 可用"
        )


@pytest.mark.parametrize("number", [errno.EIO, errno.EPERM, errno.EBADF])
def test_a_lock_that_is_refused_for_another_reason_is_no_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path, 1, HOST, 0)

    def refuse(file: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock, "_lock", refuse)
    with pytest.raises(ResourceError) as raised, lock.locked(tmp_path):
        pass
    assert [p.code for p in raised.value.problems] == ["E705"]
    assert str(raised.value) == f"{tmp_path}: cannot be written: {os.strerror(number)}"
    with pytest.raises(ResourceError):
        lock.free(tmp_path)


@pytest.mark.parametrize("number", [errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES])
def test_a_lock_somebody_has_is_a_run(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path, 1, HOST, 0)

    def refuse(file: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock, "_lock", refuse)
    with pytest.raises(GepError) as raised, lock.locked(tmp_path):
        pass
    assert [p.code for p in raised.value.problems] == ["E710"]


@pytest.mark.usefixtures("unlockable")
def test_who_was_overwritten_where_the_system_has_no_locks_does_not_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both found the folder free; the other one wrote last."""
    said = lock._say
    other = lock.Holder("7", "other", SINCE, ended=False)

    def both(file: Any, who: lock.Holder) -> None:
        said(file, who)
        said(file, other)

    monkeypatch.setattr(lock, "_say", both)
    with pytest.raises(BusyError) as raised, lock.locked(tmp_path):
        pass
    assert "(process 7 on other, since" in str(raised.value)
    assert lock.holder(tmp_path) == other, "and it is left its lock"


RACE = """
import errno, sys, time
from pathlib import Path
from gep import lock
from gep.errors import BusyError
def refuse(file):
    raise OSError(errno.ENOLCK, "no locks")
lock._lock, lock.PATIENCE = refuse, 0.0
print("ready", flush=True)
sys.stdin.readline()
try:
    with lock.locked(Path(sys.argv[1])):
        print("held", flush=True)
        sys.stdin.readline()
except BusyError:
    print("busy", flush=True)
"""


def test_of_two_that_come_at_once_where_there_are_no_locks_one_holds(tmp_path: Path) -> None:
    command = [sys.executable, "-c", RACE, str(tmp_path)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as one, subprocess.Popen(command, **pipes) as other:
        both = (one, other)
        assert [child.stdout.readline() for child in both] == ["ready\n"] * 2
        for child in both:
            child.stdin.write("\n")
            child.stdin.flush()
        said = [child.stdout.readline().strip() for child in both]
        for child in both:
            child.stdin.close()
    assert said.count("held") <= 1, said
