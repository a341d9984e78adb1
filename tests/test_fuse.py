"""The fused loop: the kernels and nothing else, exact to the last integer, never stale."""

import importlib
import inspect
import itertools
import math
import re
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from gep import fuse as room
from gep import segments
from gep.cached import cache_folder
from gep.fuse import Column, fuse, source
from gep.run import Partials, padded
from gep.service import Indicator, services

KINDS = 6
"""Ecosystem classes of the made-up data; class 6 is "no data"."""
PLACES = 4
LIMIT = 4.0e18
QUANTUM = 0.01
JIT = not numba.config.DISABLE_JIT


def double(x: float) -> float:
    return x * 2.0


def boundless(x: float) -> float:
    return x * math.inf


def difference(x: float, y: float, share: float) -> float:
    return x - y * share


def constant() -> float:
    return 1.0


@dataclass
class Data:
    """Arguments of the loop, with random content."""

    columns: list[Column]
    arguments: list[np.ndarray]
    partials: Partials

    def run(self, loop: Callable[..., None]) -> Partials:
        p = self.partials
        kinds, places, layers, scales, offsets, tables, eligible, factors, heights, widths = (
            self.arguments
        )
        order, ends, areas = in_cells(kinds, places, heights, widths)
        values = layers.reshape(len(layers), kinds.size)[:, order].copy()
        readers = padded([column.layers for column in self.columns])
        lookups = padded([column.tables for column in self.columns])
        loop(
            *(values, ends, areas, scales, offsets, tables, eligible, factors, QUANTUM),
            *(readers, lookups, p.sums, p.negative, p.missing, p.missing_area, p.blame),
            *(p.pixels, p.areas),
        )
        return p


runs, group = room.routine(segments.runs), room.routine(segments.group)


def in_cells(
    kinds: np.ndarray, places: np.ndarray, heights: np.ndarray, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pixels inside in the order of their cells, where each cell ends, and their areas."""
    starts, seen = np.empty(kinds.size + 1, np.uint32), np.zeros(PLACES, bool)
    heads, firsts = np.empty_like(places.ravel()), np.empty_like(kinds.ravel())
    flat = places.ravel(), kinds.ravel()
    many = int(runs(*flat, len(widths), starts, heads, firsts, seen))
    ends = np.zeros(PLACES * (KINDS + 1) + 1, np.uint64)
    size = kinds.size + segments.BLOCK
    order, areas = np.empty(size, np.uint32), np.empty(size)
    wide = np.append(widths, np.zeros(segments.BLOCK))
    of_runs = starts, heads[:many], firsts[:many]
    local = np.arange(PLACES, dtype=np.int32)
    count = int(group(*of_runs, local, KINDS + 1, heights, wide, ends, order, areas))
    return order[:count], ends, areas[:count]


def registry_columns() -> tuple[list[Column], list[str], int]:
    """One column per kernel of the registry, the layers in order, and the number of tables."""
    kernels = [i for s in services().values() for i in s.indicators if isinstance(i, Indicator)]
    layers = list(dict.fromkeys(name for i in kernels for name in i.rasters))
    tables = itertools.count()
    columns = [
        Column(
            i.kernel,
            tuple(layers.index(name) for name in i.rasters),
            tuple(next(tables) for _ in i.coefficients),
        )
        for i in kernels
        if not i.table
    ]
    return columns, layers, next(tables)


def made_up(
    seed: int,
    columns: list[Column],
    layers: int,
    tables: int,
    size: float,
    shape: tuple[int, int] = (17, 23),
) -> Data:
    """Random rasters and tables with holes; amounts of about *size* quanta per pixel."""
    random = np.random.default_rng(seed)
    staged = random.normal(0.4, 1.0, (layers, *shape)).astype(np.float32)
    staged[random.random(staged.shape) < 0.1] = np.nan
    looked_up = random.normal(0.5, 0.5, (PLACES, max(tables, 1), 256))
    looked_up[random.random(looked_up.shape) < 0.1] = np.nan
    arguments = [
        random.integers(0, KINDS + 1, shape).astype(np.uint8),
        random.integers(-1, PLACES, shape).astype(np.int32),
        staged,
        random.uniform(0.5, 2.0, layers),
        random.normal(0.0, 0.1, layers),
        looked_up,
        random.random((len(columns), 256)) < 0.7,
        random.uniform(0.5, 1.0, len(columns)) * size / 850.0,
        random.uniform(800.0, 900.0, shape[0]),
        random.uniform(0.9, 1.1, shape[1]),
    ]
    return Data(columns, arguments, Partials.zeros(PLACES, KINDS, len(columns), layers + 2))


def expected(data: Data) -> dict[str, np.ndarray]:
    """What the loop must give: pixel by pixel, in plain Python, with integers of any size."""
    kinds, places, layers, scales, offsets, tables, eligible, factors, heights, widths = (
        data.arguments
    )
    like = data.partials
    out: dict[str, np.ndarray] = {
        "sums": np.zeros(like.missing.shape, object),
        "negative": np.zeros(like.missing.shape, object),
        **{
            name: np.zeros_like(getattr(like, name))
            for name in ("missing", "missing_area", "blame", "pixels", "areas")
        },
    }
    for y, x in np.ndindex(kinds.shape):
        place, kind = int(places[y, x]), int(kinds[y, x])
        if place < 0:
            continue
        area = float(heights[y]) * float(widths[x])
        here = round(area / QUANTUM)
        out["pixels"][place, kind] += 1
        out["areas"][place, kind] += here
        if kind == KINDS:
            continue
        for number, column in enumerate(data.columns):
            if not eligible[number, kind]:
                continue
            values = [
                float(layers[n, y, x]) * float(scales[n]) + float(offsets[n]) for n in column.layers
            ]
            values += [float(tables[place, n, kind]) for n in column.tables]
            density = column.kernel(*values)
            amount = density * (area * float(factors[number]))
            if math.isfinite(amount) and abs(amount) < LIMIT:
                out["sums"][place, kind, number] += round(amount)
                out["negative"][place, kind, number] += min(round(amount), 0)
                continue
            out["missing"][place, kind, number] += 1
            out["missing_area"][place, kind, number] += here
            blamed = [*column.layers, *[len(layers)] * len(column.tables), len(layers) + 1]
            holes = [*map(math.isnan, values), True]
            out["blame"][number, blamed[holes.index(True)]] += 1
    return out


def assert_same(found: Partials, wanted: dict[str, np.ndarray]) -> None:
    for name, array in wanted.items():
        have = getattr(found, name)
        if name in ("sums", "negative"):
            have = found.total(have)
        np.testing.assert_array_equal(have, array, err_msg=name)


@pytest.fixture(scope="module")
def registry_loop() -> Callable[..., None]:
    columns, layers, _ = registry_columns()
    return fuse(columns, len(layers), KINDS)


# ---- the same as the kernels


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [1e3, 1e15, 1e18])
def test_fused_loop_equals_the_kernels(
    registry_loop: Callable[..., None], seed: int, size: float
) -> None:
    columns, layers, tables = registry_columns()
    data = made_up(seed, columns, len(layers), tables, size)
    wanted = expected(data)
    assert wanted["missing"].sum() > 0
    assert (wanted["negative"] < 0).any()
    assert_same(data.run(registry_loop), wanted)


@pytest.mark.parametrize("size", [1e3, 1e15])
def test_cells_longer_than_a_chunk(size: float) -> None:
    """All pixels of one place and class: 3 000 of them, summed 1 024 at a time."""
    columns = [Column(difference, (0, 1), (0,)), Column(double, (1,), ())]
    data = made_up(20, columns, 2, 1, size, (50, 60))
    data.arguments[0][:] = 2
    data.arguments[1][:] = np.where(data.arguments[1] < 0, -1, 1)
    data.arguments[6][:, 2] = True
    assert (data.arguments[1] == 1).sum() > 2 * segments.CHUNK
    assert_same(data.run(fuse(columns, 2, KINDS)), expected(data))


@pytest.fixture(scope="module")
def odd_columns() -> list[Column]:
    """Columns that share a kernel, read nothing, give no finite number, or look up twice."""
    return [
        Column(difference, (0, 1), (0,)),
        Column(difference, (1, 0), (1,)),
        Column(constant, (), ()),
        Column(boundless, (2,), ()),
        Column(double, (1,), ()),
    ]


@pytest.fixture(scope="module")
def odd_loop(odd_columns: list[Column]) -> Callable[..., None]:
    return fuse(odd_columns, 3, KINDS)


@pytest.mark.parametrize("seed", range(6, 12))
def test_fused_loop_equals_odd_kernels(
    odd_loop: Callable[..., None], odd_columns: list[Column], seed: int
) -> None:
    data = made_up(seed, odd_columns, 3, 2, 1e6)
    data.arguments[2][2] = np.abs(data.arguments[2][2]) + 1.0  # no 0 × inf
    assert_same(data.run(odd_loop), expected(data))


def one_pixel(columns: list[Column], values: list[float], table: list[float]) -> Data:
    """A single pixel of class 0 in place 0 that every column takes; one quantum per unit."""
    data = made_up(0, columns, len(values), len(table), 1.0)
    arguments = [
        np.zeros((1, 1), np.uint8),
        np.zeros((1, 1), np.int32),
        np.array(values, np.float32).reshape(-1, 1, 1),
        np.ones(len(values)),
        np.zeros(len(values)),
        np.broadcast_to(np.array(table)[None, :, None], (PLACES, len(table), 256)).copy(),
        np.ones((len(columns), 256), bool),
        np.ones(len(columns)),
        np.ones(1),
        np.ones(1),
    ]
    return Data(columns, arguments, data.partials)


NAN = math.nan


@pytest.mark.parametrize(
    ("values", "table", "blamed"),
    [
        ([NAN, 1.0, 1.0], [1.0, 1.0], 0),
        ([1.0, NAN, 1.0], [1.0, 1.0], 1),
        ([NAN, NAN, 1.0], [NAN, 1.0], 0),  # the first layer in declared order
        ([1.0, 1.0, 1.0], [NAN, 1.0], 3),  # 3 stands for "no coefficient"
        ([1.0, NAN, 1.0], [NAN, 1.0], 1),  # a layer before a coefficient
    ],
)
def test_blame(
    odd_loop: Callable[..., None],
    odd_columns: list[Column],
    values: list[float],
    table: list[float],
    blamed: int,
) -> None:
    found = one_pixel(odd_columns, values, table).run(odd_loop)
    assert found.blame[0].tolist() == [int(n == blamed) for n in range(5)]
    assert found.missing[0, 0, 0] == 1
    assert found.missing_area[0, 0, 0] == 100
    assert found.sums[0, 0, 0].tolist() == [0, 0]


def test_blame_of_the_second_order_of_layers(
    odd_loop: Callable[..., None], odd_columns: list[Column]
) -> None:
    """Column 1 reads layer 1 before layer 0."""
    found = one_pixel(odd_columns, [NAN, NAN, 1.0], [1.0, 1.0]).run(odd_loop)
    assert found.blame[1].tolist() == [0, 1, 0, 0, 0]


def test_no_finite_result_is_blamed_on_the_kernel(
    odd_loop: Callable[..., None], odd_columns: list[Column]
) -> None:
    found = one_pixel(odd_columns, [1.0, 1.0, 1.0], [1.0, 1.0]).run(odd_loop)
    assert found.blame[3].tolist() == [0, 0, 0, 0, 1]  # 4 stands for "no finite result"
    assert found.missing[0, 0].tolist() == [0, 0, 0, 1, 0]


@pytest.mark.parametrize(
    ("amount", "quanta"),
    [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2), (-2.5, -2), (2.51, 3), (-7.0, -7)],
)
def test_quanta_are_rounded_half_even(
    odd_loop: Callable[..., None], odd_columns: list[Column], amount: float, quanta: int
) -> None:
    data = one_pixel(odd_columns, [0.0, amount / 2, 1.0], [0.0, 0.0])
    data.arguments[3][1] = amount / float(np.float32(amount / 2)) / 2 if amount else 1.0
    found = data.run(odd_loop)
    assert found.total(found.sums)[0, 0, 4] == quanta
    assert found.total(found.negative)[0, 0, 4] == min(quanta, 0)


def test_sums_beyond_64_bits_are_exact(
    odd_loop: Callable[..., None], odd_columns: list[Column]
) -> None:
    """100 pixels of 3.5e18 quanta are 3.5e20, far above 2^63 = 9.2e18."""
    data = one_pixel(odd_columns, [1.0, 1.0, 1.0], [1.0, 1.0])
    kinds, places, layers, *rest = data.arguments
    shape = (10, 10)
    data.arguments[:3] = [
        np.broadcast_to(kinds, shape).copy(),
        np.broadcast_to(places, shape).copy(),
        np.broadcast_to(layers, (3, *shape)).copy(),
    ]
    data.arguments[7] = np.full(5, 3.5e18)
    data.arguments[8] = np.ones(10)
    data.arguments[9] = np.ones(10)
    found = data.run(odd_loop)
    assert found.total(found.sums)[0, 0, 2] == 100 * int(3.5e18)
    assert found.missing[0, 0, 4] == 100, "2 × 3.5e18 is above the limit: missing, not wrapped"


@pytest.mark.parametrize("amount", [3.9e18, -3.9e18, 4.0e18, -4.0e18, 1e300, -1e300])
def test_amounts_a_pixel_cannot_have_are_missing(
    odd_loop: Callable[..., None], odd_columns: list[Column], amount: float
) -> None:
    data = one_pixel(odd_columns, [0.0, 0.5, 1.0], [0.0, 0.0])
    data.arguments[7][4] = amount
    found = data.run(odd_loop)
    inside = abs(amount) < LIMIT
    assert found.missing[0, 0, 4] == (not inside)
    assert found.total(found.sums)[0, 0, 4] == (int(amount) if inside else 0)


def test_no_data_and_outside_and_excluded_are_three_things(
    odd_loop: Callable[..., None], odd_columns: list[Column]
) -> None:
    data = one_pixel(odd_columns, [1.0, 1.0, 1.0], [1.0, 1.0])
    data.arguments[0][0, 0] = KINDS
    found = data.run(odd_loop)
    assert found.pixels[0].tolist() == [0] * KINDS + [1], "no data is counted as such"
    assert found.areas[0].tolist() == [0] * KINDS + [100]
    assert not found.sums.any()
    assert not found.missing.any()

    data = one_pixel(odd_columns, [1.0, 1.0, 1.0], [1.0, 1.0])
    data.arguments[1][0, 0] = -1
    found = data.run(odd_loop)
    assert not found.pixels.any(), "outside is nothing"

    data = one_pixel(odd_columns, [NAN, NAN, NAN], [NAN, NAN])
    data.arguments[6][:, 0] = False
    found = data.run(odd_loop)
    assert found.pixels[0, 0] == 1
    assert not found.missing.any(), "excluded is not missing"
    assert not found.blame.any()


def test_float32_is_widened_before_the_formula(
    odd_loop: Callable[..., None], odd_columns: list[Column]
) -> None:
    """float32 0.01 is 0.009999999776…; its double must not be rounded to 24 bits again."""
    data = one_pixel(odd_columns, [0.0, 0.01, 1.0], [0.0, 0.0])
    data.arguments[7][4] = 1e15
    found = data.run(odd_loop)
    assert found.total(found.sums)[0, 0, 4] == round(2e15 * float(np.float32(0.01)))


# ---- partials add up


def test_partials_add_up_in_any_order() -> None:
    columns = [Column(double, (0,), ())]
    loop = fuse(columns, 1, KINDS)
    parts = [made_up(seed, columns, 1, 0, 3e18).run(loop) for seed in range(4)]
    places = np.arange(PLACES)
    totals = []
    for order in itertools.permutations(parts):
        whole = Partials.zeros(PLACES, KINDS, 1, 3)
        for part in order:
            whole.add(part, places)
        totals.append(whole)
    for other in totals[1:]:
        np.testing.assert_array_equal(totals[0].sums, other.sums)
        np.testing.assert_array_equal(totals[0].negative, other.negative)
    wanted = sum(part.total(part.sums) for part in parts)
    np.testing.assert_array_equal(totals[0].total(totals[0].sums), wanted)
    assert (totals[0].sums[..., 1] >= 0).all()
    assert (totals[0].sums[..., 1] <= 0xFFFFFFFF).all(), "the low limb is carried"


def test_partials_of_a_tile_go_to_their_places() -> None:
    part = Partials.zeros(2, KINDS, 1, 3)
    part.sums[1, 2, 0] = (1, 5)
    part.pixels[0, 3] = 7
    part.findings.unknown = {99: (4, 10, 3)}
    part.findings.impossible = {0: (-1.0, 5, 5)}
    whole = Partials.zeros(PLACES, KINDS, 1, 3)
    whole.findings.unknown = {99: (2, 10, 4), 7: (1, 0, 0)}
    whole.findings.impossible = {0: (-2.0, 6, 0)}
    whole.add(part, np.array([0, 3]))
    assert whole.total(whole.sums)[3, 2, 0] == 2**32 + 5
    assert whole.pixels[0, 3] == 7
    assert whole.findings.unknown == {99: (6, 10, 3), 7: (1, 0, 0)}, (
        "counts add up, the first place stays"
    )
    assert whole.findings.impossible == {0: (-1.0, 5, 5)}, (
        "the first in the file, whichever tile came first"
    )


# ---- the source


def test_source_imports_every_kernel_once() -> None:
    text = source([Column(double, (0,), ()), Column(double, (1,), ())], 2, KINDS)
    assert text.count(f"from {__name__} import double as kernel0") == 1
    assert "kernel1" not in text
    assert "fastmath" not in text
    assert 'error_model="numpy"' in text
    compile(text, "fused", "exec")


def test_source_has_one_loop_for_each_kernel_that_reads_layers() -> None:
    columns = [Column(difference, (0, 1), (0,)), Column(constant, (), ())]
    text = source([*columns, Column(difference, (1, 0), (1,)), Column(constant, (), ())], 2, KINDS)
    assert re.findall(r"def (amounts\d)", text) == ["amounts0"]
    assert text.count("alike(kernel1(), area, factor, own)") == 1
    assert "KERNELS = (0, 1, 0, 1)" in text


def test_source_of_nothing_still_counts_pixels() -> None:
    loop = fuse([], 0, KINDS)
    data = one_pixel([], [], [1.0])
    data.partials = Partials.zeros(PLACES, KINDS, 0, 2)
    assert data.run(loop).pixels[0, 0] == 1


@pytest.mark.skipif(not JIT, reason="interpreted run")
def test_loop_is_compiled_without_the_lock_of_python(odd_loop: Any) -> None:
    assert odd_loop.targetoptions["nogil"] is True
    assert odd_loop.targetoptions["error_model"] == "numpy"
    assert "fastmath" not in odd_loop.targetoptions


# ---- never stale


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("GEP_CACHE", str(folder))
    return folder


@pytest.fixture
def kernel_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Module `made_up_kernel` of this test's own."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "made_up_kernel.py"
    sys.modules.pop("made_up_kernel", None)


def kernel_of(path: Path, formula: str) -> Callable[..., float]:
    """Kernel that a module holds after its formula has been written anew."""
    path.write_text(f"def grow(x):\n    return {formula}\n", "utf8")
    sys.modules.pop(path.stem, None)
    importlib.invalidate_caches()
    grow: Callable[..., float] = importlib.import_module(path.stem).grow
    return grow


def result_of(kernel: Callable[..., float]) -> int:
    columns = [Column(kernel, (0,), ())]
    data = one_pixel(columns, [7.0], [0.0])
    data.partials = Partials.zeros(PLACES, KINDS, 1, 3)
    found = data.run(fuse(columns, 1, KINDS))
    return int(found.total(found.sums)[0, 0, 0])


def files(cache: Path) -> set[str]:
    return {path.name for path in cache.glob("fused_*.py")}


def test_a_changed_kernel_is_a_new_file(cache: Path, kernel_file: Path) -> None:
    assert result_of(kernel_of(kernel_file, "x + 1.0")) == 8
    first = files(cache)
    assert result_of(kernel_of(kernel_file, "x + 2.00")) == 9, "numba alone would return 8"
    assert len(files(cache)) == 2
    assert first < files(cache)
    assert result_of(kernel_of(kernel_file, "x + 1.0")) == 8
    assert len(files(cache)) == 2, "the first formula again: its file is found again"


def test_the_same_columns_are_the_same_file(cache: Path) -> None:
    for _ in range(2):
        fuse([Column(double, (0,), ())], 1, KINDS)
    (name,) = files(cache)
    assert re.fullmatch(r"fused_[0-9a-f]{16}\.py", name)
    assert (cache / name).read_text("utf8") == source([Column(double, (0,), ())], 1, KINDS)


@pytest.mark.skipif(not JIT, reason="interpreted run")
def test_the_same_columns_are_compiled_once(cache: Path) -> None:
    columns = [Column(double, (0,), ())]
    hits = []
    for _ in range(2):
        loop: Any = fuse(columns, 1, KINDS)
        made_up(0, columns, 1, 0, 1.0).run(loop)
        hits.append(sum(loop.stats.cache_hits.values()))
    assert hits == [0, 1]
    assert len(list(cache.rglob("*.nbi"))) == 1


def test_a_changed_line_of_the_package_is_a_new_file(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "gep"
    shutil.copytree(Path(room.__file__).parent, copy)
    fuse([Column(double, (0,), ())], 1, KINDS)
    monkeypatch.setattr(room, "__file__", str(copy / "fuse.py"))
    room.package_digest.cache_clear()
    fuse([Column(double, (0,), ())], 1, KINDS)
    assert len(files(cache)) == 1, "a copy of the package is the same package"
    with (copy / "services" / "water_retention.py").open("a", encoding="utf8") as file:
        file.write("# changed\n")
    room.package_digest.cache_clear()
    fuse([Column(double, (0,), ())], 1, KINDS)
    assert len(files(cache)) == 2


def test_another_numba_is_a_new_file(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse([Column(double, (0,), ())], 1, KINDS)
    monkeypatch.setattr(room, "version", lambda name: "99.0")
    room.package_digest.cache_clear()
    fuse([Column(double, (0,), ())], 1, KINDS)
    assert len(files(cache)) == 2


def test_a_damaged_file_in_the_cache_is_written_anew(cache: Path) -> None:
    fuse([Column(double, (0,), ())], 1, KINDS)
    (name,) = files(cache)
    whole = (cache / name).read_text("utf8")
    (cache / name).write_text(whole.replace("    low = 0", "    low = 1"), "utf8")
    assert (cache / name).read_text("utf8") != whole
    data = one_pixel([Column(double, (0,), ())], [7.0], [0.0])
    data.partials = Partials.zeros(PLACES, KINDS, 1, 3)
    found = data.run(fuse(data.columns, 1, KINDS))
    assert found.pixels[0, 0] == 1
    assert (cache / name).read_text("utf8") == whole


# ---- the cache folder


@pytest.fixture(autouse=True)
def _own_digest() -> Iterator[None]:
    """What a test says of the package is forgotten after it."""
    yield
    room.package_digest.cache_clear()


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A path nothing can be made below, not even by root: its parent is a file."""
    (tmp_path / "file").write_text("")
    return tmp_path / "file" / "below"


@pytest.fixture
def homes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Own folders for every choice: GEP_CACHE, XDG_CACHE_HOME, HOME, the temporary folder."""
    names = {"GEP_CACHE": "own", "XDG_CACHE_HOME": "xdg", "HOME": "home"}
    for variable, name in names.items():
        monkeypatch.setenv(variable, str(tmp_path / name))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    return {variable: tmp_path / name for variable, name in names.items()}


def test_cache_folder_is_the_first_that_can_be_written(
    homes: dict[str, Path], blocked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache_folder() == homes["GEP_CACHE"]
    monkeypatch.setenv("GEP_CACHE", str(blocked))
    assert cache_folder() == homes["XDG_CACHE_HOME"] / "gep"
    monkeypatch.delenv("GEP_CACHE")
    assert cache_folder() == homes["XDG_CACHE_HOME"] / "gep"
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert cache_folder() == homes["HOME"] / ".cache" / "gep"
    monkeypatch.setenv("HOME", str(blocked))
    found = cache_folder()
    assert found is not None
    assert found.parent == tmp_path / "temporary"
    assert found.name.startswith("gep-")
    assert stat.S_IMODE(found.stat().st_mode) == 0o700, "private"


def test_a_cache_folder_of_somebody_else_is_not_used(
    homes: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code is run from there, so a folder another user has prepared is refused."""
    assert cache_folder() == homes["GEP_CACHE"]
    monkeypatch.setattr("os.getuid", lambda: 123_456)
    assert cache_folder() is None


@pytest.fixture
def nowhere(homes: dict[str, Path], blocked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in homes:
        monkeypatch.setenv(variable, str(blocked))
    monkeypatch.setattr(tempfile, "tempdir", str(blocked))


@pytest.mark.usefixtures("nowhere")
def test_without_a_writable_folder_the_loop_is_compiled_uncached(tmp_path: Path) -> None:
    assert cache_folder() is None
    before = set(tmp_path.rglob("*"))
    columns = [Column(double, (0,), ())]
    data = made_up(3, columns, 1, 0, 1e6)
    assert_same(data.run(fuse(columns, 1, KINDS)), expected(data))
    assert set(tmp_path.rglob("*")) == before, "nothing is written"


def test_loop_lands_in_the_folder_asked_for(cache: Path) -> None:
    loop = fuse([Column(double, (0,), ())], 1, KINDS)
    data = made_up(0, [Column(double, (0,), ())], 1, 0, 1.0)
    data.run(loop)
    (name,) = files(cache)
    assert inspect.unwrap(loop).__code__.co_filename == str(cache / name)
    if JIT:
        assert list(cache.rglob("*.nbi")), "compiled code is kept beside it"
    assert not list(cache.glob("*.part*"))


@pytest.mark.parametrize("high", [0, -1, 2**30 - 1, 2**30, -(2**30), -(2**30) - 1, 2**40, -(2**40)])
def test_two_limbs_of_any_size_make_one_integer(high: int) -> None:
    found = Partials.zeros(1, 1, 1, 1).total(np.array([[high, 2**32 - 1], [0, 7]], np.int64))
    assert found.tolist() == [high * 2**32 + 2**32 - 1, 7]
    assert found.dtype == object
