"""Room for the arrays of a tile: memory asked of the system once, and used tile after tile.

Memory that is asked for and given back with every tile ends up in pieces between what stays: more
of it would be held the longer a run takes, three times what is used.
"""

import math
from mmap import ACCESS_COPY, mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]


def fresh(shape: int | Shape, dtype: Any) -> NDArray[Any]:
    """Array of memory of its own, which the system has back when nothing refers to it any more."""
    wanted = np.dtype(dtype)
    need = math.prod((shape,) if isinstance(shape, int) else shape) * wanted.itemsize
    plain = np.frombuffer(mmap(-1, max(1, need), access=ACCESS_COPY), np.uint8)
    array: NDArray[Any] = plain[:need].view(wanted).reshape(shape)
    return array


class Room:
    """Arrays of one thread by name; each lasts until the next of that name is asked for."""

    def __init__(self) -> None:
        self._there: dict[str, NDArray[np.uint8]] = {}

    def array(self, name: str, shape: int | Shape, dtype: Any) -> NDArray[Any]:
        """Array of that name, with anything in it."""
        wanted = np.dtype(dtype)
        need = math.prod((shape,) if isinstance(shape, int) else shape) * wanted.itemsize
        if name not in self._there or len(self._there[name]) < need:
            self._there.pop(name, None)
            self._there[name] = fresh(need, np.uint8)
        array: NDArray[Any] = self._there[name][:need].view(wanted).reshape(shape)
        return array
