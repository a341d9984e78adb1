"""The loop of an account compiled by a second process, while this one looks at its pixels.

Compiling holds a lock that threads share, so only another process can do it at the same time. It
leaves what it made in the cache, under a name that says all of what it is made of: it can be late,
or die, or never begin, and this process compiles the loop itself.
"""

import atexit
import contextlib
import pickle
import subprocess
import sys
import threading
from pathlib import Path

from gep import fuse
from gep.fuse import Column
from gep.rasters import threads

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
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.stop)

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
        waiting = threading.Thread(target=self._compile, args=(said,), daemon=True)
        try:
            waiting.start()
        except RuntimeError:  # no more threads
            return False
        self._waiting = waiting
        return True

    def stop(self) -> None:
        """End the process, if there is one: nobody needs its loop any more."""
        if (process := self._process) is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def _compile(self, said: bytes) -> None:
        """Have a process compile what was *said*; whether it did, the cache shows."""
        hidden = getattr(subprocess, "CREATE_NO_WINDOW", 0)
        try:
            with subprocess.Popen(
                [sys.executable, "-P", "-c", CODE],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                creationflags=hidden,
            ) as self._process:
                try:
                    self._process.communicate(said, PATIENCE)
                finally:
                    self.stop()
        except (OSError, subprocess.TimeoutExpired):
            return
        finally:
            self._process = None

    def wait(self) -> None:
        """Return once no process compiles any more; from any thread."""
        if (waiting := self._waiting) is not None:
            waiting.join()


AHEAD = Ahead()


def _possible() -> bool:
    program = Path(sys.executable or "").stem.lower()
    several = threads() > 1
    return several and program.startswith(INTERPRETERS) and not getattr(sys, "frozen", False)
