"""Tiles that runs into one folder have computed: an SQLite file beside them, proof to any kill."""

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gep.errors import BusyError, GepError, IdentityError, Problem, ResourceError
from gep.lock import LOCK, holder, unwritten

NAME = ".ledger.sqlite"
FORM = 1
"""Form of the tables; a ledger of another one is moved aside."""
LOGS = ("-wal", "-journal")
"""Ends of the names of what SQLite has still to put into a ledger that was not closed."""
KEEP, KNOWN = 8, 64
"""Runs after which tiles that none of them used are dropped, and what they followed from."""
SYNC, BATCH = 1.0, 64
"""Seconds and tiles after which what was inserted is forced to the disk."""
HAS_CHANGE_TIME = os.name != "nt"
"""There st_ctime is the time of creation."""
WAIT = 5.0
"""Seconds to wait for another process to let the file go."""
SETTLED = 2 * 10**9
"""A file changed less than this before it was hashed [ns] may change again at the same time."""
TABLES = """
CREATE TABLE identities (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, parts TEXT NOT NULL,
    about TEXT NOT NULL, used INTEGER NOT NULL, pace REAL);
CREATE TABLE tiles (identity INTEGER NOT NULL, top INTEGER NOT NULL, left INTEGER NOT NULL,
    height INTEGER NOT NULL, width INTEGER NOT NULL, content BLOB NOT NULL, sha256 BLOB NOT NULL,
    PRIMARY KEY (identity, top, left, height, width)) WITHOUT ROWID;
CREATE TABLE files (path TEXT PRIMARY KEY, stamp TEXT NOT NULL, sha256 TEXT NOT NULL,
    used INTEGER NOT NULL);
CREATE TABLE runs (number INTEGER PRIMARY KEY);
"""
CONTENTS = """SELECT top, left, height, width, CAST(content AS BLOB), CAST(sha256 AS BLOB)
    FROM tiles WHERE identity = ?"""
INSERT = "INSERT INTO tiles VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
AT = "identity = ? AND top = ? AND left = ? AND height = ? AND width = ?"
REPLACE = f"UPDATE tiles SET content = ?, sha256 = ? WHERE {AT}"

Place = tuple[int, int, int, int]
"""First row, first column, rows and columns of a tile."""


class DamagedError(ResourceError):
    """The file is no ledger, a broken one, or one of another form."""


@dataclass(frozen=True)
class Past:
    """What earlier tiles followed from: parts of their identity, and how long a pixel took [ns].

    The tiles of those that the last runs did not use are `dropped`.
    """

    key: str
    parts: dict[str, Any]
    about: str
    pace: float | None
    dropped: bool


def key_of(parts: Mapping[str, Any]) -> str:
    """Short name of what tiles follow from."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def stamps(paths: Iterable[Path]) -> dict[Path, str]:
    """What files show of themselves without being read; those that are not there are left out."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            s = path.stat()
            found[path] = f"{s.st_size} {s.st_mtime_ns} {s.st_ctime_ns} {s.st_ino} {s.st_dev}"
    return found


def settled(path: Path, began: int) -> bool:
    """Tell whether a later change of a file hashed since *began* [ns] will show in its stamp."""
    if not HAS_CHANGE_TIME:
        return False
    try:
        s = path.stat()
    except OSError:
        return False
    return max(s.st_mtime_ns, s.st_ctime_ns) + SETTLED <= began


class Ledger:
    """The ledger of one folder, open: for one process, which holds the folder.

    Every tile is a transaction of its own: a killed process loses none it was given. They are
    forced to the disk once a second and at the end: a power failure loses one second. Who only
    *looks* writes nothing, and nobody else may write meanwhile.
    """

    def __init__(self, file: Path, looks: bool = False) -> None:
        self.file, self._looks = file, looks
        self.damaged = 0
        self._keys: dict[int, str] = {}
        self._waiting, self._synced = 0, time.monotonic()
        self._mine = threading.Lock()
        name = f"{file.absolute().as_uri()}?mode=ro&immutable=1" if looks else file
        with failing(file):
            self._base = sqlite3.connect(
                name, timeout=WAIT, isolation_level=None, check_same_thread=False, uri=looks
            )
            try:
                self._run = self._looked() if looks else self._begin()
            except BaseException:
                self._base.close()
                raise
        self._marks = {path: mark for path in (file, file.parent / LOCK) if (mark := _mark(path))}

    def _looked(self) -> int:
        """No run, for a ledger whose pages are what they should be."""
        form = self._base.execute("PRAGMA user_version").fetchone()[0]
        if form != FORM:
            raise damaged(self.file, f"form {form}")
        if (said := self._base.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise damaged(self.file, said)
        return 0

    def _begin(self) -> int:
        """Number of this run; the tables are made where there are none."""
        # nobody else has the file, so no memory is shared, which network shares could not
        self._base.execute("PRAGMA locking_mode = EXCLUSIVE")
        form = self._base.execute("PRAGMA user_version").fetchone()[0]
        empty = not self._base.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if not empty and form != FORM:
            raise damaged(self.file, f"form {form}")
        if empty:
            self._base.execute("PRAGMA auto_vacuum = INCREMENTAL")
        self._base.execute("PRAGMA journal_mode = WAL")
        self._base.execute("PRAGMA synchronous = FULL")
        if empty:
            self._base.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {FORM}; COMMIT;")
        elif (said := self._base.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise damaged(self.file, said)
        run = self._base.execute("INSERT INTO runs VALUES (NULL)").lastrowid
        assert run is not None
        return run

    def drop(self) -> int:
        """Drop what the last runs did not use, this one among them; number of tiles dropped."""
        with self._mine, failing(self.file):
            old = (self._run - KEEP,)
            self._base.execute("DELETE FROM runs WHERE number <= ?", old)
            self._base.execute("DELETE FROM files WHERE used <= ?", old)
            unused = "SELECT number FROM identities WHERE used <= ?"
            drop = f"DELETE FROM tiles WHERE identity IN ({unused})"
            count = self._base.execute(drop, old).rowcount
            self._base.execute("DELETE FROM identities WHERE used <= ?", (self._run - KNOWN,))
            if count:
                self._base.executescript("PRAGMA incremental_vacuum;")
        return count

    def close(self) -> None:
        """Force everything to the disk and let the file go."""
        try:
            with failing(self.file):
                self.sync()
        finally:
            with contextlib.suppress(sqlite3.Error):
                self._base.close()

    def sync(self) -> None:
        """Force what was inserted to the disk."""
        if self._waiting:
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute("UPDATE runs SET number = number WHERE number = ?", (self._run,))
        self._waiting, self._synced = 0, time.monotonic()

    def stands(self) -> None:
        """Make sure that what was opened is what stands in the folder: it could be removed.

        Raises
        ------
        ResourceError
            E726 if the ledger or the lock beside it is gone, or another file.
        """
        for path, mark in self._marks.items():
            if _mark(path) != mark:
                fields = {"folder": self.file.parent, "file": path.name}
                raise ResourceError(Problem("E726", fields))

    # --- tiles --------------------------------------------------------------------------------

    def identity(self, parts: Mapping[str, Any], about: str) -> int:
        """Number of what tiles follow from, noted as used by this run; 0 where one only looks."""
        with failing(self.file):
            key, text = key_of(parts), json.dumps(parts, ensure_ascii=False)
            if not self._looks:
                self._base.execute(
                    "INSERT INTO identities VALUES (NULL, ?, ?, ?, ?, NULL)"
                    " ON CONFLICT (key) DO UPDATE SET used = excluded.used, about = excluded.about",
                    (key, text, about, self._run),
                )
            row = self._base.execute("SELECT number FROM identities WHERE key = ?", (key,))
            number = int((row.fetchone() or (0,))[0])
        self._keys[number] = key
        return number

    def tiles(self, identity: int, wanted: Collection[Place]) -> Iterator[tuple[Place, bytes]]:
        """Tiles that are there, of those *wanted*; damaged ones are dropped and counted."""
        with failing(self.file):
            rows = self._base.execute(CONTENTS, (identity,))
            bad = []
            for top, left, height, width, content, sha256 in rows:
                place = (top, left, height, width)
                if place not in wanted:
                    continue
                if _seal(self._keys[identity], place, content) == sha256:
                    yield place, content
                else:
                    bad.append(place)
            for place in bad:
                self._base.execute(f"DELETE FROM tiles WHERE {AT}", (identity, *place))
            self.damaged += len(bad)

    def places(self, identity: int) -> set[Place]:
        """Where tiles are there; their content is not looked at."""
        with failing(self.file):
            rows = self._base.execute(
                "SELECT top, left, height, width FROM tiles WHERE identity = ?", (identity,)
            )
            return {(top, left, height, width) for top, left, height, width in rows}

    def insert(self, identity: int, place: Place, content: bytes) -> bool:
        """Add one tile, from any thread; the same one again changes nothing.

        One that is there but is not what was written is replaced and counted: then False.

        Raises
        ------
        IdentityError
            E723 if the tile is there with other content, as it was written.
        ResourceError, BusyError
            E701, E705, E710, E724 if it cannot be written, E726 if the ledger was taken away.
        """
        self.stands()
        sha256 = _seal(self._keys[identity], place, content)
        with self._mine, failing(self.file):
            due = self._waiting >= BATCH or time.monotonic() - self._synced >= SYNC
            self._base.execute(f"PRAGMA synchronous = {'FULL' if due else 'NORMAL'}")
            row = (identity, *place, content, sha256)
            added = self._base.execute(INSERT, row).rowcount > 0
            sound = added or self._same(identity, place, sha256)
            if not sound:
                self._base.execute(REPLACE, (content, sha256, identity, *place))
                self.damaged += 1
            self._waiting += added or not sound
            if due:
                self._waiting, self._synced = 0, time.monotonic()
        return sound

    def _same(self, identity: int, place: Place, sha256: bytes) -> bool:
        """Whether the tile that is there is this one; False if it is not what was written."""
        stored = "CAST(content AS BLOB), CAST(sha256 AS BLOB)"
        rows = self._base.execute(f"SELECT {stored} FROM tiles WHERE {AT}", (identity, *place))
        content, found = rows.fetchone()
        if _seal(self._keys[identity], place, content) != found:
            return False
        if found != sha256:
            at = {"row": place[0] + 1, "column": place[1] + 1}
            raise IdentityError(Problem("E723", {"file": self.file, **at}))
        return True

    def paced(self, identity: int, pace: float) -> None:
        """Note how long a pixel took in this run [ns]."""
        with failing(self.file):
            row = (pace, identity)
            self._base.execute("UPDATE identities SET pace = ? WHERE number = ?", row)

    def size(self) -> float:
        """Mean size of a tile in bytes, without any 0."""
        with failing(self.file):
            row = self._base.execute("SELECT avg(length(content)) FROM tiles").fetchone()
            return float(row[0] or 0)

    def past(self) -> list[Past]:
        """What tiles follow from that are there, or were, the latest first."""
        with failing(self.file):
            last = f"(SELECT max(number) FROM runs) - {KEEP}"
            rows = self._base.execute(
                f"SELECT key, CAST(parts AS BLOB), about, pace, used <= {last} FROM identities"
                " ORDER BY used DESC, number DESC"
            )
            return [
                Past(key, parts, about, pace, bool(dropped))
                for key, text, about, pace, dropped in rows
                if (parts := _parts(key, text)) is not None
            ]

    # --- files --------------------------------------------------------------------------------

    def known(self, now: Mapping[Path, str]) -> dict[Path, str]:
        """SHA-256 of those files that are, by their stamps of *now*, what they were when hashed."""
        found = {}
        with failing(self.file):
            for path, seen in now.items():
                row = self._base.execute("SELECT * FROM files WHERE path = ?", (str(path),))
                entry = row.fetchone()
                if entry and entry[1] == seen:
                    found[path] = str(entry[2])
                    used = (self._run, str(path))
                    if not self._looks:
                        self._base.execute("UPDATE files SET used = ? WHERE path = ?", used)
        return found

    def remember(self, hashes: Mapping[Path, str], before: Mapping[Path, str], began: int) -> None:
        """Note the SHA-256 of files hashed since *began* [ns], whose stamps *before* still hold."""
        now = stamps(hashes)
        with failing(self.file):
            for path, sha256 in hashes.items():
                if path in now and now[path] == before.get(path) and settled(path, began):
                    row = (str(path), now[path], sha256, self._run)
                    self._base.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?)", row)


def _parts(key: str, text: bytes) -> dict[str, Any] | None:
    """What tiles follow from, as it was written; None of what is damaged."""
    try:
        parts: dict[str, Any] = json.loads(text)
        return parts if key_of(parts) == key else None
    except (ValueError, TypeError):
        return None


def _seal(key: str, place: Place, content: bytes) -> bytes:
    """Digest that binds a tile to its place and to what it follows from."""
    return hashlib.sha256(f"{key} {place} ".encode() + content).digest()


def _mark(path: Path) -> tuple[int, int] | None:
    """What tells a file from any other that is there at the same time."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def damaged(file: Path, why: object) -> DamagedError:
    """Say that a ledger cannot be read: E724."""
    return DamagedError(Problem("E724", {"file": file, "why": why}))


@contextlib.contextmanager
def failing(file: Path) -> Generator[None, None, None]:
    """Turn what SQLite says into what a user can act on.

    Raises
    ------
    ResourceError, BusyError
        E701 no space, E705 not to be written, E710 held by another process, E724 damaged.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _meant(file, error) from None


def _meant(file: Path, error: sqlite3.DatabaseError) -> GepError | sqlite3.DatabaseError:
    folder, why, code = file.parent, str(error), getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return ResourceError(Problem("E701", {"folder": folder, "why": why}))
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        who = holder(folder)
        fields = {"process": who.process, "host": who.host, "since": who.since}
        return BusyError(Problem("E710", {"folder": folder, **fields}))
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return damaged(file, why)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return ResourceError(Problem("E705", {"folder": folder, "why": why}))
    return error


def open_in(folder: Path) -> tuple[Ledger, list[Problem]]:
    """Ledger of a folder that is held; one that cannot be read is moved aside, and that is said.

    Raises
    ------
    ResourceError, BusyError
        E701, E705, E710 if it cannot be written, or not now.
    """
    file = folder / NAME
    try:
        return Ledger(file), []
    except DamagedError as error:
        aside = folder / f"{NAME}.aside"
        with contextlib.suppress(OSError):
            for left in (f"{file}-wal", f"{file}-shm", f"{file}-journal"):
                Path(left).unlink(missing_ok=True)
            file.replace(aside)
        said = {"file": file, "aside": aside.name, "why": error.problems[0].fields["why"]}
        return Ledger(file), [Problem("W590", said)]


@contextlib.contextmanager
def looked_at(folder: Path) -> Generator[Ledger | None, None, None]:
    """Ledger of a folder that no run holds, for those who only look; None where there is none.

    Nothing is written there. What a killed run has left in its log, only SQLite can put together:
    then a copy elsewhere is looked at.

    Raises
    ------
    DamagedError
        E724 of a ledger that a run would move aside.
    ResourceError
        E727 if it cannot be read; E701, E705 if there is no place for a copy.
    """
    file = folder / NAME
    logs = [file.with_name(f"{NAME}{end}") for end in LOGS]
    with contextlib.ExitStack() as stack:
        ledger = None
        if _size(file):
            if left := [log for log in logs if _size(log)]:
                ledger = Ledger(_copied([file, *left], stack))
            else:
                ledger = Ledger(file, looks=True)
            stack.callback(ledger.close)
        yield ledger


def _size(file: Path) -> int:
    """Bytes of a file that can be read; 0 where there is none."""
    why = "not a file"
    try:
        if stat.S_ISREG(file.stat().st_mode):  # to open a pipe is to wait for its other end
            with file.open("rb") as opened:
                return os.fstat(opened.fileno()).st_size
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return 0
    except OSError as error:
        why = error.strerror or str(error)
    raise ResourceError(Problem("E727", {"file": file, "why": why}))


def _copied(files: Iterable[Path], stack: contextlib.ExitStack) -> Path:
    """Copy of a ledger and its log, until the end of *stack*."""
    place = Path(tempfile.gettempdir())
    try:
        elsewhere = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gep-")))
        for file in files:
            shutil.copyfile(file, elsewhere / file.name)
    except OSError as error:
        raise unwritten(place, error) from None
    return elsewhere / NAME
