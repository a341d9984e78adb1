"""A folder held by one process: a lock of the system, and a heartbeat where that does not reach."""

import contextlib
import errno
import os
import socket
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gep.errors import BusyError, Problem, ResourceError

LOCK = ".lock"
PATIENCE = 5.0
"""Seconds to wait for another run to end."""
BEAT = 5.0
"""Seconds between two beats of the heart: the lock's time of change."""
DEAD = 60.0
"""Seconds without a beat after which a holder that only its heart could show is given up."""
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""What a file system says that knows no locks, such as some network shares."""
APART = 1 << 30
"""The byte that Windows locks: beyond the text, so that others can read who holds it."""
ENDED = "ended"


@dataclass(frozen=True)
class Holder:
    """Who holds a folder, as the lock says: process, machine, since when."""

    process: str = "?"
    host: str = "?"
    since: str = "?"
    ended: bool = True

    def __str__(self) -> str:
        """The line of the lock."""
        words = [self.process, self.host, self.since, *([ENDED] if self.ended else [])]
        return " ".join(words) + "\n"


def unwritten(folder: Path, error: OSError | ValueError) -> ResourceError:
    """Why *folder* cannot be written: E701 the disk is full, else E705."""
    fields = {"folder": folder, "why": getattr(error, "strerror", None) or str(error)}
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return ResourceError(Problem("E701" if full else "E705", fields))


def holder(folder: Path) -> Holder:
    """Who holds *folder*, or held it last; question marks where the lock does not say."""
    try:
        words = (folder / LOCK).read_text("utf8", "replace").split()
    except OSError:
        return Holder()
    if len(words) == 3 or words[3:] == [ENDED]:
        return Holder(words[0], words[1], words[2], len(words) > 3)
    return Holder()


@contextlib.contextmanager
def locked(folder: Path) -> Generator[None, None, None]:
    """Hold the output folder for this process.

    Raises
    ------
    BusyError
        E710 if another living process holds it.
    ResourceError
        E705 if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf8")
    except (OSError, ValueError) as error:
        raise unwritten(folder, error) from None
    with file:
        _hold(file, folder)
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        us = Holder(str(os.getpid()), socket.gethostname() or "?", now, ended=False)
        try:
            _say(file, us)
        except OSError as error:
            raise unwritten(folder, error) from None
        try:
            with _beating(folder / LOCK):
                yield
        finally:
            with contextlib.suppress(OSError):  # a full disk; the system's lock goes all the same
                _say(file, Holder(us.process, us.host, us.since))


def free(folder: Path) -> None:
    """Raise BusyError E710 if somebody holds *folder* now; nothing is written."""
    try:
        file = (folder / LOCK).open("r+", encoding="utf8")
    except (OSError, ValueError):
        return
    with file:
        if not _takes(file, folder):
            raise _busy(folder)


def _say(file: IO[str], who: Holder) -> None:
    file.seek(0)
    file.truncate()
    file.write(str(who))
    file.flush()


def _hold(file: IO[str], folder: Path) -> None:
    """Wait a little for the lock."""
    until = time.monotonic() + PATIENCE
    while not _takes(file, folder):
        if time.monotonic() >= until:
            raise _busy(folder)
        time.sleep(0.05)


def _busy(folder: Path) -> BusyError:
    who = holder(folder)
    fields = {"process": who.process, "host": who.host, "since": who.since}
    return BusyError(Problem("E710", {"folder": folder, **fields}))


def _takes(file: IO[str], folder: Path) -> bool:
    """Whether the lock can be taken, and by the signs nobody who still lives has it."""
    try:
        _lock(file)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            return False
        who = holder(folder)  # no lock at all: only what it says, and the heart
        own = who.host == (socket.gethostname() or "?")
        alive = not own or (who.process != str(os.getpid()) and _lives(who.process))
        return who.ended or not alive or _silent(folder)
    who = holder(folder)
    here = who.ended or who.host == (socket.gethostname() or "?")
    return here or _silent(folder)  # another machine's lock may not reach us: its heart does


def _lives(process: str) -> bool:
    """Tell whether a process of this machine is alive; if in doubt, yes."""
    if os.name == "nt" or not process.isdecimal():
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _silent(folder: Path) -> bool:
    """Tell whether the heart has stopped, by the clock of the file system itself."""
    try:
        beat = (folder / LOCK).stat().st_mtime
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime - beat > DEAD
    except OSError as error:
        raise unwritten(folder, error) from None


@contextlib.contextmanager
def _beating(path: Path) -> Generator[None, None, None]:
    """Touch the lock every few seconds, from a thread of its own."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT):
            with contextlib.suppress(OSError):
                os.utime(path)

    heart = threading.Thread(target=beat, name="heartbeat", daemon=True)
    heart.start()
    try:
        yield
    finally:
        stop.set()
        heart.join()


def _lock(file: IO[str]) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(APART)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
