"""Series of an area in memory as their files have them, staged part by part."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.rasters import Layer, Reader, Window, method, unpack


@dataclass
class Held:
    """Series of one area as stored, in pieces; those on a grid of their own as staged."""

    stored: dict[str, list[tuple[Window, NDArray[Any]]]]

    def stage(self, layer: Layer, window: Window, out: NDArray[np.float32]) -> None:
        """Write a series in a window of the area into *out* (steps, rows, columns), NaN for none.

        What lies in no piece is 0.
        """
        met = [(piece, stored, _both(piece, window)) for piece, stored in self.stored[layer.name]]
        met = [one for one in met if one[2].height > 0 and one[2].width > 0]
        if sum(one[2].height * one[2].width for one in met) < window.height * window.width:
            out[...] = 0
        for piece, stored, both in met:
            numbers(layer, stored[_slices(both, piece)], out[_slices(both, window)])


def _both(one: Window, other: Window) -> Window:
    """Window where two windows meet; its height or width is not above 0 where they do not."""
    top, left = max(one.row_off, other.row_off), max(one.col_off, other.col_off)
    bottom = min(one.row_off + one.height, other.row_off + other.height)
    right = min(one.col_off + one.width, other.col_off + other.width)
    return Window(left, top, max(0, right - left), max(0, bottom - top))


def _slices(part: Window, whole: Window) -> tuple[slice, slice, slice]:
    """Where a part of a window stands in an array (steps, rows, columns) of it."""
    top, left = part.row_off - whole.row_off, part.col_off - whole.col_off
    return slice(None), slice(top, top + part.height), slice(left, left + part.width)


def numbers(layer: Layer, stored: NDArray[Any], out: NDArray[np.float32]) -> None:
    """Write stored numbers into *out*, NaN where they mean nothing; staged ones as they are."""
    if method(layer):
        out[...] = stored
    else:
        unpack(layer, stored, out)


def fetch(reader: Reader, number: int, layer: Layer, steps: int, window: Window) -> NDArray[Any]:
    """Numbers of a series in a window as they are held, shape (steps, rows, columns)."""
    if not method(layer):
        return reader.stored(number, window, steps)
    out = np.empty((steps, window.height, window.width), np.float32)
    reader.stage(number, window, out)
    return out
