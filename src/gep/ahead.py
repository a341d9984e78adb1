"""The loop of an account compiled by a second process, while this one looks at its pixels.

Compiling holds a lock that threads share, so only another process can do it at the same time. It
leaves what it made in the cache, under a name that says all of what it is made of: it can be late,
or die, or never begin, and this process compiles the loop itself.
"""

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

from gep import fuse
from gep.fuse import Column

CODE = """\
import gc, pickle, sys
gc.disable()
sys.path[:] = pickle.load(sys.stdin.buffer)
from gep.fuse import compile_named
compile_named(*pickle.load(sys.stdin.buffer))
"""
PATIENCE = 120.0
"""Seconds after which a process that compiles is ended."""
INTERPRETERS = ("python", "pypy")
"""How the programs begin that take `-c`: inside other programs there is no second process."""


class Ahead:
    """At most one process that compiles; whoever needs its loop waits for it."""

    def __init__(self) -> None:
        self._waiting: threading.Thread | None = None

    def begin(self, columns: list[Column], layers: int, kinds: int) -> bool:
        """Tell whether a process was begun: not for what is there, nor for one processor."""
        if self._waiting is not None and self._waiting.is_alive():
            return False
        name = fuse.lacking(columns, layers, kinds) if _possible() else ""
        if not name:
            return False
        try:
            said = pickle.dumps(sys.path) + pickle.dumps((columns, layers, kinds, name))
        except (pickle.PicklingError, AttributeError, TypeError):  # a kernel without a module
            return False
        self._waiting = threading.Thread(target=_compile, args=(said,), daemon=True)
        self._waiting.start()
        return True

    def wait(self) -> None:
        """Return once no process compiles any more; from any thread."""
        if (waiting := self._waiting) is not None:
            waiting.join()


AHEAD = Ahead()


def _possible() -> bool:
    program = Path(sys.executable or "").stem.lower()
    several = (os.cpu_count() or 1) > 1
    return several and program.startswith(INTERPRETERS) and not getattr(sys, "frozen", False)


def _compile(said: bytes) -> None:
    """Have a process compile what was *said*; whether it did, the cache shows."""
    hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        subprocess.run(
            [sys.executable, "-c", CODE],
            input=said,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            check=False,
            creationflags=hidden,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
