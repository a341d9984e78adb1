"""The run folder: all at once or not at all, never overwritten, read back, held by one process."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gep import store
from gep.errors import BusyError, IdentityError, InputError, ResourceError

FILES = {"accounts.csv": b"a,b\r\n1,2\r\n", "extent.csv": b"x\r\n", "run.json": b'{"root": "r1"}\n'}
NAME = "2021_0123abcd"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def code(raised: pytest.ExceptionInfo[Any]) -> list[str]:
    return [problem.code for problem in raised.value.problems]


def test_publish_writes_every_file_and_the_pointer(tmp_path: Path) -> None:
    final = store.publish(tmp_path, NAME, FILES)
    assert final == tmp_path / NAME
    assert {path.name: path.read_bytes() for path in final.iterdir()} == FILES
    assert names(tmp_path) == [NAME, "latest"]
    assert (tmp_path / "latest").read_text() == NAME + "\n"
    assert store.find(tmp_path) == store.find(final) == final


def test_publish_again_changes_nothing(tmp_path: Path) -> None:
    final = store.publish(tmp_path, NAME, FILES)
    before = {path.name: path.stat().st_mtime_ns for path in final.iterdir()}
    # the envelope of run.json (times, machine) may differ; its root may not
    again = FILES | {"run.json": b'{"root": "r1", "envelope": {"seconds": 2}}\n'}
    assert store.publish(tmp_path, NAME, again) == final
    assert {path.name: path.stat().st_mtime_ns for path in final.iterdir()} == before
    assert (final / "run.json").read_bytes() == FILES["run.json"]


@pytest.mark.parametrize("there", [False, True])
def test_what_a_killed_writer_left_is_cleaned(there: bool, tmp_path: Path) -> None:
    """Also where the result it began is there already."""
    if there:
        store.publish(tmp_path, NAME, FILES)
    left = tmp_path / f"{store.STAGING}killed"
    left.mkdir()
    (left / "run.json").write_bytes(b"half")
    store.publish(tmp_path, NAME, FILES)
    assert names(tmp_path) == [NAME, "latest"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["other content", "gone"])
def test_publish_never_overwrites(name: str, how: str, tmp_path: Path) -> None:
    final = store.publish(tmp_path, NAME, FILES)
    (tmp_path / "latest").unlink()
    if how == "gone":
        (final / name).unlink()
    else:
        (final / name).write_bytes(b'{"root": "r2"}')
    before = {path.name: path.read_bytes() for path in final.iterdir()}
    with pytest.raises(IdentityError) as raised:
        store.publish(tmp_path, NAME, FILES)
    assert code(raised) == ["E712"]
    assert {path.name: path.read_bytes() for path in final.iterdir()} == before
    assert names(tmp_path) == [NAME]


def test_the_pointer_names_the_newest(tmp_path: Path) -> None:
    store.publish(tmp_path, NAME, FILES)
    second = store.publish(tmp_path, "2021_ffffffff", FILES)
    assert store.find(tmp_path) == second
    assert names(tmp_path) == [NAME, "2021_ffffffff", "latest"]
    store.publish(tmp_path, NAME, FILES)
    assert store.find(tmp_path) == tmp_path / NAME


def test_find_says_what_is_not_there(tmp_path: Path) -> None:
    for content in (None, "2021_0123abcd\n", ""):
        if content is not None:
            (tmp_path / "latest").write_text(content)
        with pytest.raises(InputError) as raised:
            store.find(tmp_path)
        assert code(raised) == ["E790"]


# --- a disk that fails --------------------------------------------------------------------------


class Failing:
    """Calls of the system, counted; the call numbered *wanted* fails with *number*."""

    def __init__(self, patch: pytest.MonkeyPatch, wanted: int, number: int) -> None:
        self.wanted, self.number, self.seen, self.names = wanted, number, 0, list[str]()
        for owner, name in (
            (tempfile, "mkdtemp"),
            (Path, "open"),
            (os, "fsync"),
            (os, "open"),
            (Path, "chmod"),
            (Path, "rename"),
            (Path, "write_text"),
            (Path, "replace"),
        ):
            patch.setattr(owner, name, self.guarded(name, getattr(owner, name)))

    def guarded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def inner(*given: Any, **named: Any) -> Any:
            self.seen += 1
            self.names.append(name)
            if self.seen == self.wanted:
                raise OSError(self.number, os.strerror(self.number))
            return call(*given, **named)

        return inner


def calls() -> int:
    """How many calls a publication makes."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        counting = Failing(patch, -1, 0)
        store.publish(Path(folder), NAME, FILES)
        patch.undo()
    return counting.seen


CALLS = calls()


def test_every_write_is_among_the_calls_that_fail() -> None:
    # 3 files, each opened, synced and opened to be read; the folders, synced; the pointer
    assert CALLS > 3 * 3 + 6


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "E701"), (errno.EDQUOT, "E701"), (errno.EIO, "E705"), (errno.EROFS, "E705")],
)
@pytest.mark.parametrize("call", range(1, CALLS + 1))
def test_a_failing_call_leaves_all_or_nothing(
    call: int, number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        Failing(patch, call, number)
        with pytest.raises(ResourceError) as raised:
            store.publish(tmp_path, NAME, FILES)
    assert code(raised) == [said]
    assert raised.value.exit_code == 6
    left = names(tmp_path)
    assert left in ([], [NAME], [NAME, "latest"])
    if left:
        assert {path.name: path.read_bytes() for path in (tmp_path / NAME).iterdir()} == FILES
    final = store.publish(tmp_path, NAME, FILES)
    assert {path.name: path.read_bytes() for path in final.iterdir()} == FILES
    assert names(tmp_path) == [NAME, "latest"]


@pytest.mark.parametrize("name", FILES)
def test_a_write_that_runs_out_of_space_half_way(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = Path.open

    class Short:
        """A file that takes half of what it is given."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> "Short":
            return self

        def __exit__(self, *failure: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> None:
            self.file.write(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(self: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        file = inner(self, mode, *given, **named)
        return Short(file) if (self.name, mode) == (name, "xb") else file

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ResourceError) as raised:
        store.publish(tmp_path, NAME, FILES)
    assert code(raised) == ["E701"]
    assert "No space left on device" in str(raised.value)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", FILES)
def test_what_is_written_is_read_back(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def digest_file(path: Path) -> str:
        """A disk that gives back one flipped bit."""
        content = bytearray(path.read_bytes())
        if path.name == name:
            content[0] ^= 1
        return hashlib.sha256(content).hexdigest()

    monkeypatch.setattr(store, "digest_file", digest_file)
    with pytest.raises(IdentityError) as raised:
        store.publish(tmp_path, NAME, FILES)
    assert code(raised) == ["E713"]
    assert raised.value.exit_code == 5
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_device_that_is_really_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = Path.open

    def opened(self: Path, mode: str = "r", *given: Any, **named: Any) -> Any:
        return (
            inner(Path("/dev/full"), "wb") if mode == "xb" else inner(self, mode, *given, **named)
        )

    monkeypatch.setattr(Path, "open", opened)
    with pytest.raises(ResourceError) as raised:
        store.publish(tmp_path, NAME, FILES)
    assert code(raised) == ["E701"]
    assert names(tmp_path) == []


# --- the lock -----------------------------------------------------------------------------------


def test_the_lock_is_held_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gep.lock.PATIENCE", 0.0)
    folder = tmp_path / "new"
    with store.locked(folder):
        with pytest.raises(BusyError) as raised, store.locked(folder):
            pass
        assert code(raised) == ["E710"]
        assert raised.value.exit_code == 7
        assert str(raised.value).startswith(f"{folder} is in use by another run (process ")
        assert f"process {os.getpid()} " in str(raised.value)
    with store.locked(folder):
        pass


def test_the_lock_is_let_go_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), store.locked(tmp_path):
        raise RuntimeError
    with store.locked(tmp_path):
        pass


def test_the_lock_of_a_killed_process_is_no_lock(tmp_path: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from gep import store
with store.locked(Path(sys.argv[1])):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -9
    with store.locked(tmp_path):
        assert (tmp_path / ".lock").read_text().startswith(f"{os.getpid()} ")


def test_the_lock_excludes_other_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gep.lock.PATIENCE", 0.0)
    script = """
import sys
from pathlib import Path
from gep import store
with store.locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as child:  # type: ignore[call-overload]
        assert child.stdout.readline() == "held\n"
        with pytest.raises(BusyError) as raised, store.locked(tmp_path):
            pass
        assert f"(process {child.pid} " in str(raised.value)
        child.communicate("")
    with store.locked(tmp_path):
        pass


def test_a_lock_where_nothing_can_be_written() -> None:
    with pytest.raises(ResourceError) as raised, store.locked(Path("/proc/nonexistent")):
        pass
    assert code(raised) == ["E705"]


# --- digests ------------------------------------------------------------------------------------


def test_digests_are_sha256(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert store.digest_file(path) == store.digest(b"abc") == known


def test_canonical_bytes_do_not_depend_on_order() -> None:
    assert store.canonical({"b": 1, "a": ["水", 1.5]}) == '{"a":["水",1.5],"b":1}'.encode()
    assert store.canonical({"a": 1, "b": 2}) == store.canonical(json.loads('{"b":2,"a":1}'))
