"""Python's collector of garbage at rest, while much is made that stays.

Imports and compilers make objects by the million and leave next to none behind; going through them
all again and again takes a tenth of a start and a sixth of a compilation.
"""

import atexit
import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def resting() -> Generator[None]:
    """No garbage is collected inside, and afterwards as before; also as a decorator."""
    before = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if before:
            gc.enable()


def leave_all_at_exit() -> None:
    """What is there when Python ends stays as it is; else all of it is gone through twice more."""
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)
