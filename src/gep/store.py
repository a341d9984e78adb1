"""The run folder: staged beside its place, reopened, compared, synced, and moved there whole."""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gep.errors import IdentityError, InputError, Problem, ResourceError
from gep.lock import LOCK as LOCK
from gep.lock import locked as locked
from gep.lock import unwritten as unwritten

SCHEMA = 1
"""Form of run.json; another one is not read."""
LATEST = "latest"
MANIFEST = "run.json"
STAGING = ".staging-"
CHUNK = 1 << 20
Make = Callable[[Path], dict[str, bytes]]


def digest_file(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            found.update(piece)
    return found.hexdigest()


def digest(content: bytes) -> str:
    """SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def canonical(core: object) -> bytes:
    """Bytes of plain data that are the same for the same data."""
    text = json.dumps(core, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode("utf8")


def ready(folder: Path, need: int = 0) -> None:
    """Try whether *folder* can be written, has room for *need* bytes, and is held by nobody.

    Raises
    ------
    BusyError, ResourceError
        E710 if another process holds it; E701, E705, E720 as `tried`.
    """
    tried(folder, need)
    if (folder / LOCK).exists():
        with locked(folder):
            pass


def tried(folder: Path, need: int = 0) -> None:
    """Try whether *folder* can be written and has room for *need* bytes, and leave no trace.

    Raises
    ------
    ResourceError
        E701, E705 if it cannot be written, E720 if there is no room.
    """
    place = folder
    try:
        while not _is_there(place):
            place = place.parent
        with tempfile.TemporaryDirectory(prefix=STAGING, dir=place):
            free = shutil.disk_usage(place).free
    except (OSError, ValueError) as error:
        raise unwritten(folder, error) from None
    if need > free:
        fields = {"need": f"{need / 1e9:.1f}", "free": f"{free / 1e9:.1f}"}
        raise ResourceError(Problem("E720", {"folder": folder, **fields}))


def _is_there(place: Path) -> bool:
    """Tell whether a file is there; a name no file can have is an error, not an absence."""
    try:
        place.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def publish(folder: Path, name: str, files: dict[str, bytes], make: Make | None = None) -> Path:
    """Put *files* into *folder*/*name* all at once, or not at all.

    *make* is given the staging folder, makes further files in it (on the disk, verified), and
    returns the content of what is still to be written. A folder that is there already must hold
    the same bytes; a finished run is never overwritten.

    Raises
    ------
    IdentityError
        E712 the folder exists with other content, E713 a file read back differs.
    ResourceError
        E701 the disk is full, E705 the folder cannot be written.
    """
    final = folder / name
    for left in folder.glob(f"{STAGING}*"):  # of a writer that was killed: the lock is ours
        shutil.rmtree(left, ignore_errors=True)
    if final.exists() and make is None:
        _compare(final, files)
        _point(folder, name)
        return final
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=STAGING, dir=folder))
        made = {} if make is None else make(stage)
        if final.exists():
            _compare(final, files | made, stage)
        else:
            for file, content in (files | made).items():
                write(stage / file, content)
            sync_folder(stage)
            stage.chmod(0o755)
            stage.rename(final)
            sync_folder(folder)
    except OSError as error:
        raise unwritten(folder, error) from None
    finally:
        if stage is not None and stage.exists():
            shutil.rmtree(stage, ignore_errors=True)
    _point(folder, name)
    return final


def write(path: Path, content: bytes) -> None:
    """Write a file, force it to the disk, and read it back.

    Raises
    ------
    IdentityError
        E713 if what is read back differs.
    """
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if digest_file(path) != digest(content):
        raise IdentityError(Problem("E713", {"file": path.name}))


def sync_file(path: Path) -> None:
    """Force a file that somebody else wrote to the disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _compare(final: Path, files: dict[str, bytes], stage: Path | None = None) -> None:
    """Raise IdentityError E712 unless *final* has the content of *files* and of *stage*."""
    if stage is not None:
        for path in (path for path in sorted(stage.rglob("*")) if path.is_file()):
            own = path.relative_to(stage).as_posix()
            other = final / own
            if not other.is_file() or digest_file(other) != digest_file(path):
                raise IdentityError(Problem("E712", {"folder": final, "file": own}))
    for file, content in files.items():
        path = final / file
        if file == MANIFEST:
            same = path.is_file() and _root(path.read_bytes()) == _root(content)
        else:
            same = path.is_file() and digest_file(path) == digest(content)
        if not same:
            raise IdentityError(Problem("E712", {"folder": final, "file": file}))


def _root(manifest: bytes) -> Any:
    return json.loads(manifest)["root"]


def _point(folder: Path, name: str) -> None:
    """Name the newest run in a file (not a link: Windows)."""
    part = folder / f".{LATEST}-{os.getpid()}"
    try:
        part.write_text(name + "\n", "utf8")
        part.replace(folder / LATEST)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise unwritten(folder, error) from None


def _is_file(path: Path) -> bool:
    """Tell whether a file is there; under a name no file can have there is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def find(path: Path) -> Path:
    """Run folder at *path*, or the latest one below it.

    Raises
    ------
    InputError
        E790 if there is none, or the file `latest` names none.
    """
    if _is_file(path / MANIFEST):
        return path
    if _is_file(path / LATEST):
        latest = path / (path / LATEST).read_bytes().decode("utf8", "replace").strip()
        if _is_file(latest / MANIFEST):
            return latest
    raise InputError(Problem("E790", {"folder": path}))
