"""Tiles of an account on a worker of a cluster, which plans it itself from the same files.

A task is what the tiles follow from: a worker that comes to another identity computes nothing.
"""

import json
import socket
import threading
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gep import ledger, origin, plan, store
from gep.config import define
from gep.ecosystems import Title
from gep.errors import GepError, IdentityError, Problem, stop_on
from gep.plan import Plan
from gep.rasters import Reader, Window, threads
from gep.replacements import Said
from gep.resume import encode
from gep.run import Loop

HELD = 2
"""Accounts whose plan a worker keeps: two clients may take turns, or one may ask again."""

Stamp = tuple[int, int, int, int]
"""Size, time of change of a file's content and of all about it [ns], its number on its disk."""
GONE: Stamp = (-1, 0, 0, 0)
Place = tuple[int, int, int, int]
"""First column, first row, width and height of a tile."""
Answer = list[tuple[Place, bytes]]
"""Tiles with their partials as bytes."""


@dataclass(frozen=True)
class Task:
    """What tiles follow from, so that a worker can compute them, or sees that it must not.

    `files` are the stamp and the SHA-256 of every raster, by its path.
    """

    name: str
    definition: Mapping[str, Any]
    folder: str
    said: Mapping[str, Said]
    hashes: Mapping[str, str]
    parts: Mapping[str, Any]
    files: Mapping[str, tuple[Sequence[int], str]]

    def packed(self) -> bytes:
        """The task as it travels, with every batch: some 4 kB, and no worker holds it alone."""
        return zlib.compress(json.dumps(asdict(self), ensure_ascii=False).encode())

    @classmethod
    def unpacked(cls, packed: bytes) -> "Task":
        """The task again.

        Raises
        ------
        IdentityError
            E732 of another version of this program.
        """
        try:
            return cls(**json.loads(zlib.decompress(packed)))
        except (ValueError, TypeError, zlib.error):
            raise _other([Title("another version of gep", "gep 的版本不同")]) from None


def task(made: Plan, hashes: Mapping[str, str], said: Mapping[str, Said]) -> Task:
    """What the tiles of a plan follow from; *hashes* are SHA-256 by role."""
    files = {
        str(layer.path.absolute()): (stamp(layer.path), hashes[f"rasters.{layer.name}"])
        for layer in made.layers
    }
    raw = made.definition.model_dump(mode="json", exclude_unset=True)
    folder, parts = str(made.folder.absolute()), origin.parts(made, hashes)
    name = made.definition.account.name
    return Task(name, raw, folder, dict(said), dict(hashes), parts, files)


def stamp(path: Path) -> Stamp:
    """Size, times and number of a file; -1 and zeros if it is not there.

    Machines that share a file system see one file alike. Copies differ in the last two, and the
    number of the file system is each machine's own.
    """
    try:
        stat = path.stat()
    except OSError:
        return GONE
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino


def _digest(path: Path, seen: Stamp) -> str:
    """SHA-256 of a file as it was *seen*: hashed once by a worker; "" if it changes meanwhile."""
    try:
        return _hashed(path, seen)
    except OSError:  # may be read the next time
        return ""


@cache
def _hashed(path: Path, seen: Stamp) -> str:
    found = store.digest_file(path)
    if stamp(path) != seen:
        raise OSError(f"{path} changed meanwhile")
    return found


def _differs(name: str, wanted: Sequence[int], digest: str, seen: Stamp) -> Title | None:
    """How the file *name*, *seen* here, is another than the one that is *wanted*."""
    if seen == GONE:
        return Title(f"{name}: not there", f"{name}：不存在")
    if seen == tuple(wanted):
        return None
    if seen[0] != wanted[0]:
        return Title(f"{name}: other size", f"{name}：大小不同")
    if _digest(Path(name), seen) == digest:
        return None
    return Title(f"{name}: other content", f"{name}：内容不同")


def _other(why: Sequence[Title]) -> IdentityError:
    """E732: what a worker would compute is something else."""
    host = socket.gethostname() or "?"
    fields = {"why": f"{host}: {'; '.join(one.en for one in why)}"}
    fields |= {"why_zh": f"{host}：{'；'.join(one.zh for one in why)}"}
    return IdentityError(Problem("E732", fields))


class Work:
    """One account on one worker: its loop, and open files for as many threads as ask."""

    def __init__(self, of: Task) -> None:
        self._seen = {name: stamp(Path(name)) for name in of.files}
        wanted = [(name, *said, self._seen[name]) for name, said in of.files.items()]
        with ThreadPoolExecutor(threads()) as pool:
            differing = [one for one in pool.map(_differs, *zip(*wanted, strict=True)) if one]
        if differing:
            raise _other(differing)
        self._loop = Loop(_planned(of))
        self._idle: list[Reader] = []
        self._closed, self._mine = False, threading.Lock()

    def same_files(self) -> bool:
        """Tell whether the rasters are still those that were held against the task."""
        return all(stamp(Path(name)) == seen for name, seen in self._seen.items())

    def tile(self, window: Window) -> bytes:
        """Partials of one window as bytes."""
        with self._mine:
            reader = self._idle.pop() if self._idle else None
        reader = reader or self._opened()
        try:
            return encode(*self._loop.tile(reader, window))
        finally:
            with self._mine:
                if not self._closed:
                    self._idle.append(reader)
            if self._closed:
                reader.__exit__(None, None, None)

    def _opened(self) -> Reader:
        reader = Reader(self._loop.plan.layers, self._loop.plan.grid)
        try:
            return reader.__enter__()
        except BaseException:
            reader.__exit__(None, None, None)
            raise

    def rest(self) -> None:
        """Let the files go that no tile in hand reads; the plan stays."""
        with self._mine:
            idle, self._idle = self._idle, []
        for reader in idle:
            reader.__exit__(None, None, None)

    def close(self) -> None:
        """Let all files go, those of tiles in hand when these are done."""
        with self._mine:
            self._closed = True
        self.rest()


def _planned(of: Task) -> Plan:
    """Plan of a task as this machine makes it.

    Raises
    ------
    IdentityError
        E732 it is another one than that of whoever sent the task.
    """
    try:
        made, problems = plan.make(
            define(dict(of.definition), of.name), Path(of.folder), said=of.said
        )
        stop_on(problems)
    except GepError as error:  # there it had no problem, so here something else is read
        raise _other([Title(p.text(), p.text("zh")) for p in error.problems]) from None
    assert made
    lacking = sorted({layer.name for layer in made.layers} ^ {*of.parts["layers"]})
    if lacking:
        raise _other(
            [Title(f"other layers: {', '.join(lacking)}", f"图层不同：{'、'.join(lacking)}")]
        )
    mine = origin.parts(made, of.hashes)
    if ledger.key_of(mine) != ledger.key_of(of.parts):
        raise _other(origin.reasons(mine, [of.parts]))
    return made


_works: dict[bytes, Work] = {}
_lock = threading.Lock()


def _work(packed: bytes) -> Work:
    """Work of a task; the one used longest ago is closed."""
    with _lock:
        work = _works.pop(packed, None)
        if work and not work.same_files():
            work.close()
            work = None
        work = _works[packed] = work or Work(Task.unpacked(packed))
        for old in [*_works][:-HELD]:
            _works.pop(old).close()
    return work


def compute(packed: bytes, places: Sequence[Place]) -> Answer:
    """Tiles of a task: what a worker is asked for. It plans an account once.

    Raises
    ------
    IdentityError
        E732 the worker has other files, another version, or comes to other tables.
    """
    try:
        work = _work(packed)
        found = [(place, work.tile(Window(*place))) for place in places]
        if work.same_files():  # what was read is what was asked for, to the end
            return found
        changed = "a raster changed while it was read", "读取期间有栅格被改动"
        raise _other([Title(*changed)])
    except GepError as error:
        plain = type(error)(*map(_plain, error.problems))
    raise plain  # not from within: what GDAL said stands in its way and cannot travel


def _plain(problem: Problem) -> Problem:
    """Problem whose fields any machine can read: a path of one system is none of another."""
    fields = problem.fields.items()
    return Problem(
        problem.code, {k: v if isinstance(v, int | float) else str(v) for k, v in fields}
    )


def rest(packed: bytes) -> None:
    """Close the files of a task on this worker, until it is asked for more tiles."""
    with _lock:
        work = _works.get(packed)
    if work:
        work.rest()
