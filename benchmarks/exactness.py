"""What exactness costs, in a pair of loops that differ in nothing else: P5.

Both are written by `gep.fuse`, from the same kernels, over the same sorted pixels. The plain one
has `plain` in place of `segments.count`: float64 sums that may be added in any order, the quickest
there are; no quanta, no missing counts, nobody to blame. `accumulate` runs both, decoding included,
the exact one with the ledger of tiles and without; and both run alone over tiles staged in memory.
"""

import inspect
import tempfile
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from kernels.kernels import plan as uncompressed
from landscape import TILE
from numpy.typing import NDArray
from province import Recipe, province
from timing import THREADS, paired, ratio

import gep
from gep import fuse, manifest, resume
from gep.plan import Plan
from gep.rasters import Reader, Window, tiles
from gep.run import Loop, Partials, accumulate

LARGEST = 1024
"""Side of the province whose staged tiles are held in memory."""
AGREE = 1e-6
"""Quanta are rounded pixel by pixel, plain sums are not."""
COUNT = "count = part(segments.count)"
IN_ANY_ORDER = """\
from exactness import plain
count = numba.njit(error_model="numpy", fastmath={{"reassoc", "nsz"}})(plain)
# {source}
"""


def plain(  # type: ignore[no-untyped-def]
    amounts,
    area,
    area_quantum,
    place,
    kind,
    eligible,
    values,
    begin,
    readers,
    lookups,
    tables,
    sums,
    negative,
    missing,
    missing_area,
    blame,
    pixels,
    areas,
):
    """As `segments.count`, with sums and areas of floats, and nothing of what is missing."""
    pixels[place, kind] += area.size
    whole = 0.0
    for n in range(np.uint64(area.size)):
        whole += area[n]
    areas[place, kind] += whole
    if kind == pixels.shape[1] - 1:
        return
    for column in range(eligible.shape[0]):
        if not eligible[column, kind]:
            continue
        own = amounts[column, : area.size]
        total = 0.0
        for n in range(np.uint64(own.size)):
            total += own[n] if abs(own[n]) < np.inf else 0.0
        sums[place, kind, column] += total


def plain_source(*words: Any) -> str:
    """Source of the engine's loop, but for how it sums."""
    text = fuse.source(*words)
    if text.count(COUNT) != 1:
        raise ValueError("the loop of gep.fuse counts otherwise than this benchmark knows")
    said = inspect.getsource(plain).replace("\n", "\n# ")
    return text.replace(COUNT, IN_ANY_ORDER.format(source=said))


class PlainLoop(Loop):
    """The engine's loop with plain sums; what `accumulate` is given of a tile is empty."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        columns = [accumulator.column for accumulator in plan.accumulators]
        self._fused = fuse.fuse(columns, len(self.stager.layers), self.kinds, plain_source)
        self._adding = threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.sums, self.areas, self.pixels = self._zeros(len(self.plan.counties.places))

    def _zeros(self, places: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        shape = (places, self.kinds + 1)
        return np.zeros((*shape, self.columns)), np.zeros(shape), np.zeros(shape, np.int64)

    def tile(self, reader: Reader, window: Window) -> tuple[Partials, NDArray[np.int64]]:
        """Add a window to the sums."""
        tile = self.stager.sorted(reader, window)
        part = Partials.zeros(0, self.kinds, self.columns, self.culprits)
        part.findings, part.outside = tile.findings, tile.outside
        if len(tile.present):
            own = self._zeros(len(tile.present))
            unused = part.negative, part.missing, part.missing_area, part.blame
            stager, looks = self.stager, (self._readers, self._lookups)
            self._fused(
                *(tile.values, tile.ends, tile.areas, stager.scales, stager.offsets),
                *(self._tables_of(tile.present), self._eligible, self._factors, 1.0),
                *(*looks, own[0], *unused, own[2], own[1]),
            )
            with self._adding:
                for whole, found in zip((self.sums, self.areas, self.pixels), own, strict=True):
                    whole[tile.present] += found
        return part, np.zeros(0, np.int64)


class Staged:
    """Tiles of a plan in memory, staged once, in place of what stages them."""

    def __init__(self, loop: Loop) -> None:
        self.layers, stager = loop.stager.layers, loop.stager
        self.scales, self.offsets = stager.scales, stager.offsets
        self.windows = tiles(loop.plan.grid, TILE)
        with Reader(loop.plan.layers, loop.plan.grid) as reader:
            self._tiles = {place(each): stager.sorted(reader, each) for each in self.windows}

    def sorted(self, reader: Any, window: Window) -> Any:
        """One window, as it was staged."""
        return self._tiles[place(window)]


def place(window: Window) -> tuple[int, int]:
    """Where a window is."""
    return int(window.row_off), int(window.col_off)


def planned(folder: Path) -> Plan:
    """What the account of all services is going to do."""
    report = gep.open(folder / "all.toml").check()
    if report.plan is None:
        raise ValueError(str(report))
    return report.plan


@contextmanager
def keeping(made: Plan, hashes: dict[str, str]) -> Generator[Any, None, None]:
    """A new ledger of tiles, as a run into a folder has one."""
    with tempfile.TemporaryDirectory() as folder, resume.keeping(Path(folder), False) as held:
        held.known(manifest.input_files(made).values())
        yield held.of(made, hashes)


def with_ledger(made: Plan, loop: Loop, hashes: dict[str, str]) -> None:
    """Every tile computed, and kept."""
    with keeping(made, hashes) as kept:
        accumulate(made, THREADS, loop=loop, kept=kept)


def decoded(size: int, repeats: int) -> list[dict[str, Any]]:
    """Exact sums and their ledger ÷ plain sums, decoding included."""
    made = planned(province(Recipe(size)))
    exact, other = Loop(made), PlainLoop(made)
    hashes = manifest.digests(made, THREADS)
    agreement(accumulate(made, THREADS, loop=exact), other, made)
    cases: dict[str, Callable[[], Any]] = {
        "plain sums, no ledger": lambda: accumulate(made, THREADS, loop=other),
        "exact sums": lambda: accumulate(made, THREADS, loop=exact),
        "exact sums, ledger": lambda: with_ledger(made, exact, hashes),
    }
    found = paired("exactness", size, cases, repeats)
    return lines(size, found, {"exact sums, ledger": "P5", "exact sums": "P5 without ledger"})


def alone(size: int, repeats: int) -> list[dict[str, Any]]:
    """Exact loop ÷ plain loop over tiles in memory, one thread."""
    made = uncompressed(size)
    exact, other = Loop(made), PlainLoop(made)
    exact.stager = other.stager = staged = Staged(exact)  # type: ignore[assignment]

    def every(loop: Loop) -> Callable[[], None]:
        return lambda: [loop.tile(None, each) for each in staged.windows] and None  # type: ignore[arg-type]

    cases = {"plain loop alone": every(other), "exact loop alone": every(exact)}
    found = paired("exactness", made.grid.height, cases, repeats)
    return lines(made.grid.height, found, {"exact loop alone": "P5 loop"})


def lines(side: int, found: dict[str, Any], targets: dict[str, str]) -> list[dict[str, Any]]:
    """Records, and their ratios to the first of them."""
    base, place = next(iter(found)), {"benchmark": "exactness", "side": side}
    ratios = [
        place | {"target": target, "case": case, "over": base} | ratio(found[case], found[base])
        for case, target in targets.items()
    ]
    return [*(record.summary() for record in found.values()), *ratios]


def agreement(exact: Partials, loop: PlainLoop, made: Plan) -> None:
    """Hold the sums of the plain loop against the exact ones, column by column."""
    loop.clear()
    accumulate(made, THREADS, loop=loop)
    wanted = np.asarray(exact.total(exact.sums).sum(axis=(0, 1)), float)
    found = loop.sums.sum(axis=(0, 1))
    if not np.allclose(found, wanted, rtol=AGREE, atol=0.0):
        raise ValueError(f"the plain loop gives other sums: {found} and {wanted}")
    if not np.array_equal(loop.pixels, exact.pixels):
        raise ValueError("the plain loop counts other pixels")


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Exact ÷ plain, with decoding and alone; their sums agree."""
    return [*decoded(size, repeats), *alone(min(size, LARGEST), repeats)]
