"""Compiled code in files: where they stand, and what is damaged or cannot be written there.

Neither is a reason to stop: what is lacking is compiled.
"""

import contextlib
import hashlib
import os
import pickle
import shutil
import tempfile
from pathlib import Path
from typing import Any

ROOM = 8 * 10**6
"""Bytes a folder must have free: the code of an account takes less than one million."""


def cache_folder() -> Path | None:
    """First writable folder of: GEP_CACHE, the XDG cache, the user's cache, a private temporary."""
    choices = [os.environ.get("GEP_CACHE")]
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        choices.append(str(Path(xdg) / "gep"))
    if home := os.environ.get("HOME", os.environ.get("USERPROFILE")):
        choices.append(str(Path(home) / ".cache" / "gep"))
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    choices.append(str(Path(tempfile.gettempdir()) / f"gep-{owner}"))
    for choice in filter(None, choices):
        with contextlib.suppress(OSError):
            if _serves(Path(choice), owner):
                return Path(choice)
    return None


def _serves(folder: Path, owner: int | str) -> bool:
    """Tell whether a folder is the *owner*'s, can be written, as numba does, and has room."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if owner not in ("user", folder.stat().st_uid):
        return False
    compiled = folder / "__pycache__"
    compiled.mkdir(exist_ok=True)
    for place in (folder, compiled):
        with tempfile.TemporaryFile(dir=place):
            pass
    return shutil.disk_usage(folder).free >= ROOM


class Sealed:
    """numba's file of one function's code, every content sealed with its key: no bit may change."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def load(self, key: Any) -> Any:
        """Content of *key*, None where there is none."""
        if (found := self._file.load(key)) is None:
            return None
        seal, content = found
        if seal != self._seal(key, content):
            raise ValueError("not what was written")
        return pickle.loads(content)

    def save(self, key: Any, data: Any) -> None:
        """Keep *data* as the content of *key*."""
        content = self._file._dump(data)
        self._file.save(key, (self._seal(key, content), content))

    def flush(self) -> None:
        """Forget every content."""
        self._file.flush()

    def _seal(self, key: Any, content: bytes) -> str:
        return hashlib.sha256(repr(key).encode() + content).hexdigest()


class Lenient:
    """numba's cache of one function, out of which nothing is an error.

    What cannot be read is forgotten and compiled again, what cannot be written is not kept.
    """

    def __init__(self, cache: Any) -> None:
        self._cache = cache
        cache._cache_file = Sealed(cache._cache_file)

    def __getattr__(self, name: str) -> Any:
        """All else is numba's."""
        return getattr(self._cache, name)

    def load_overload(self, sig: Any, context: Any) -> Any:
        """Compiled function of these types, None where none can be read."""
        try:
            return self._cache.load_overload(sig, context)
        except Exception:  # a damaged pickle raises anything
            with contextlib.suppress(OSError):
                self._cache.flush()
            return None

    def save_overload(self, sig: Any, compiled: Any) -> None:
        """Keep a compiled function where that can be."""
        with contextlib.suppress(Exception):  # a full disk, or another numba than this one knows
            self._cache.save_overload(sig, compiled)


def lenient(function: Any) -> Any:
    """Compiled *function* whose cache, if it has one, is lenient."""
    if hasattr(function, "_cache") and hasattr(function._cache, "_cache_file"):
        function._cache = Lenient(function._cache)
    return function
