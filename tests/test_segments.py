"""Pixels sorted by place and ecosystem: what numpy's stable sort gives, for runs of any length."""

import numpy as np
import pytest

from gep import segments
from gep.fuse import routine

runs, group = routine(segments.runs), routine(segments.group)
CLASSES = 5
SHAPES = [(1, 1), (1, 40), (40, 1), (7, 3), (17, 23), (30, 64)]


def patches(seed: int, shape: tuple[int, int], alike: int, least: int, most: int) -> np.ndarray:
    """Numbers from *least* to below *most*, in patches of about *alike* pixels in a row."""
    random = np.random.default_rng(seed)
    fresh = random.random(shape) < 1 / alike
    fresh[0, 0] = True
    numbers = random.integers(least, most, shape)
    last = np.maximum.accumulate(np.where(fresh.ravel(), np.arange(fresh.size), 0))
    return numbers.ravel()[last].reshape(shape)


def starts_of(places: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Where runs begin, and their end; what else is said of them is what is there."""
    starts, seen = np.zeros(places.size + 1, np.uint32), np.zeros(6, bool)
    heads, firsts = np.empty_like(places.ravel()), np.empty_like(codes.ravel())
    flat = places.ravel(), codes.ravel()
    many = int(runs(*flat, places.shape[1], starts, heads, firsts, seen))
    np.testing.assert_array_equal(heads[:many], flat[0][starts[:many]])
    np.testing.assert_array_equal(firsts[:many], flat[1][starts[:many]])
    np.testing.assert_array_equal(np.flatnonzero(seen), np.unique(places[places >= 0]))
    return starts[: many + 1]


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
@pytest.mark.parametrize("alike", [1, 4, 30])
@pytest.mark.parametrize("shape", SHAPES)
def test_runs_end_with_rows_places_and_codes(
    shape: tuple[int, int], alike: int, dtype: str
) -> None:
    places = patches(1, shape, 3 * alike, -1, 3).astype(np.int32)
    codes = patches(2, shape, alike, 0, CLASSES).astype(dtype)
    change = np.ones(shape, bool)
    for one in (places, codes):
        change[:, 1:] &= one[:, 1:] == one[:, :-1]
    change[:, 1:] = ~change[:, 1:]
    np.testing.assert_array_equal(starts_of(places, codes), [*np.flatnonzero(change), places.size])


def test_a_pixel_that_is_no_number_is_like_none() -> None:
    codes = np.array([[np.nan, np.nan, 1, 1]], np.float32)
    assert starts_of(np.zeros((1, 4), np.int32), codes).tolist() == [0, 1, 2, 4]


@pytest.mark.parametrize("least", [-1, 0])
@pytest.mark.parametrize("alike", [1, 4, 30])
@pytest.mark.parametrize("shape", SHAPES)
def test_cells_are_a_stable_sort(shape: tuple[int, int], alike: int, least: int) -> None:
    places = patches(3, shape, 3 * alike, least, 6).astype(np.int32)
    kinds = patches(4, shape, alike, 0, CLASSES).astype(np.uint8)
    random = np.random.default_rng(5)
    heights, widths = random.uniform(800, 900, shape[0]), random.uniform(0.9, 1.1, shape[1])
    present = np.unique(places[places >= 0])
    local = np.full(6, -9, np.int32)
    local[present] = np.arange(len(present))
    starts = starts_of(places, kinds)
    room = places.size + segments.BLOCK
    order, areas = np.zeros(room, np.uint32), np.zeros(room)
    ends = np.full(len(present) * CLASSES + 1, 99, np.uint64)
    flat, first = (places.ravel(), kinds.ravel()), starts[:-1]
    wide = np.append(widths, np.full(segments.BLOCK, np.nan))
    count = group(
        *(starts, flat[0][first], flat[1][first], local, CLASSES),
        *(heights, wide, ends, order, areas),
    )
    cells = np.where(places >= 0, local[places] * CLASSES + kinds, len(ends) - 1).ravel()
    wanted = np.argsort(cells, kind="stable")[: np.count_nonzero(places >= 0)]
    assert count == len(wanted)
    np.testing.assert_array_equal(order[:count], wanted)
    np.testing.assert_array_equal(areas[:count], np.outer(heights, widths).ravel()[wanted])
    inside = np.bincount(cells, minlength=len(ends))[:-1]
    np.testing.assert_array_equal(ends, [*np.cumsum(inside), count])
