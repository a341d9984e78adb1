"""Memory of tiles: asked for once, large enough, and given back."""

import numpy as np

from gep.room import Room, fresh


def test_an_array_is_as_asked_and_its_memory_that_of_the_one_before() -> None:
    room = Room()
    first = room.array("one", (3, 4), np.float64)
    first[...] = 7.0
    again = room.array("one", 5, np.uint8)
    other = room.array("other", (3, 4), np.float64)
    assert first.shape == (3, 4)
    assert again.shape == (5,)
    assert again.dtype == np.uint8
    assert np.shares_memory(first, again)
    assert not np.shares_memory(first, other)


def test_a_larger_array_is_other_memory_and_leaves_the_smaller_as_it_is() -> None:
    room = Room()
    small = room.array("one", 4, np.int32)
    small[...] = 5
    large = room.array("one", (300, 400), np.int32)
    large[...] = 6
    assert small.tolist() == [5, 5, 5, 5]
    assert large.sum() == 6 * 300 * 400


def test_nothing_is_an_array_too() -> None:
    assert fresh((0, 5), np.float32).shape == (0, 5)
    assert Room().array("none", 0, np.uint8).size == 0
