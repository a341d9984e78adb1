"""A folder held by one process: a lock of the system, and a heartbeat where that does not reach."""

import contextlib
import errno
import os
import random
import re
import socket
import tempfile
import threading
import time
from collections.abc import Generator, Iterable
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
PAUSE = 0.25
"""Seconds after which a lock that only its text shows is read again: did another write too?"""
IN_USE = (errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES)
"""What the system says of a lock somebody else has."""
LOCAL = (
    *("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "ramfs", "overlay", "f2fs", "zfs", "jfs"),
    *("bcachefs", "reiserfs", "vfat", "exfat", "ntfs3"),
)
"""File systems of one machine: whoever can see the folder sees the system's lock on it too."""
MOUNTS = Path("/proc/self/mountinfo")
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
        E710 if another living process holds it; E725 if one of another machine may.
    ResourceError
        E705 if the folder cannot be written, or the system refuses the lock.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+", encoding="utf8")
    except (OSError, ValueError) as error:
        raise unwritten(folder, error) from None
    with file:
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        us = Holder(str(os.getpid()), _host(), now, ended=False)
        _hold(file, folder, us)
        try:
            with _beating(folder / LOCK):
                yield
        finally:
            with contextlib.suppress(OSError):  # a full disk; the system's lock goes all the same
                _say(file, Holder(us.process, us.host, us.since))


def free(folder: Path) -> None:
    """Raise BusyError E710, E725 if somebody holds *folder* now, or may; nothing is written."""
    try:
        file = (folder / LOCK).open("r+", encoding="utf8")
    except (OSError, ValueError):
        return
    with file:
        if against := _against(folder, _locks(file, folder)):
            raise BusyError(against)


def openable(files: Iterable[Path]) -> None:
    """Raise ResourceError E705 if one of the *files* is there and cannot be written."""
    for file in files:
        try:
            if file.exists() and not file.is_file():  # to open a pipe is to wait
                raise OSError(errno.EINVAL, "not a file")
            with file.open("r+b"):
                continue
        except (FileNotFoundError, NotADirectoryError):
            continue
        except (OSError, ValueError) as error:
            raise unwritten(file.parent, error) from None


def _host() -> str:
    """Name of this machine, one word."""
    return "-".join(socket.gethostname().split()) or "?"


def _say(file: IO[str], who: Holder) -> None:
    file.seek(0)
    file.truncate()
    file.write(str(who))
    file.flush()


def _hold(file: IO[str], folder: Path, us: Holder) -> None:
    """Wait a little for the lock, and write down that it is ours."""
    until = time.monotonic() + PATIENCE
    while against := _taken(file, folder, us):
        if time.monotonic() >= until:
            raise BusyError(against)
        time.sleep(random.uniform(0.03, 0.07))  # two that met do not meet again


def _taken(file: IO[str], folder: Path, us: Holder) -> Problem | None:
    """Take the lock, or say what is against it."""
    locks = _locks(file, folder)
    if against := _against(folder, locks):
        return against
    try:
        _say(file, us)
        if locks is None:  # somebody else may have found it free at the same time
            os.fsync(file.fileno())
            time.sleep(PAUSE)
            if holder(folder) != us:
                return _busy(folder)
    except OSError as error:
        raise unwritten(folder, error) from None
    return None


def _busy(folder: Path) -> Problem:
    who = holder(folder)
    fields = {"process": who.process, "host": who.host, "since": who.since}
    return Problem("E710", {"folder": folder, **fields})


def _locks(file: IO[str], folder: Path) -> bool | None:
    """Whether the system gives us the lock; None where it knows no locks.

    Raises
    ------
    ResourceError
        E705 for another reason than that somebody has it.
    """
    try:
        _lock(file)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return None
        if error.errno in IN_USE:
            return False
        raise unwritten(folder, error) from None
    return True


def _against(folder: Path, locks: bool | None) -> Problem | None:
    """What is against taking the folder, where the system gave its lock, did not, or has none."""
    who = holder(folder)
    own = who.host == _host()
    if locks is False:
        return _busy(folder)
    if who.ended:
        return None
    if locks:  # another machine's lock may not reach us: its heart does
        return None if own or _local(folder) else _beats(folder, who)
    if not own:
        return _beats(folder, who)
    alive = who.process != str(os.getpid()) and _lives(who.process)
    return _busy(folder) if alive and _silence(folder) <= DEAD else None


def _beats(folder: Path, who: Holder) -> Problem | None:
    """Until when a holder of another machine must be waited for, by its heart."""
    left = DEAD - _silence(folder)
    if left < 0:
        return None
    until = time.strftime("%H:%M:%S", time.localtime(time.time() + left + 1))
    fields = {"process": who.process, "host": who.host, "since": who.since, "until": until}
    return Problem("E725", {"folder": folder, **fields})


def _local(folder: Path) -> bool:
    """Tell whether a folder is of a file system that only this machine has; if in doubt, no."""
    try:
        place, lines = folder.resolve(), MOUNTS.read_text("utf8", "surrogateescape").splitlines()
    except OSError:
        return False
    found, deepest = "", -1
    for line in lines:
        words, _, more = line.partition(" - ")
        mount = Path(re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), words.split()[4]))
        if place.is_relative_to(mount) and len(mount.parts) >= deepest:  # the last one is on top
            found, deepest = more.split()[0], len(mount.parts)
    return found in LOCAL


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


def _silence(folder: Path) -> float:
    """Seconds since the last beat of the heart, by the clock of the file system itself."""
    try:
        beat = (folder / LOCK).stat().st_mtime
        with tempfile.TemporaryFile(dir=folder) as probe:
            return os.fstat(probe.fileno()).st_mtime - beat
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
