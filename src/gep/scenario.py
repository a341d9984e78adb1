"""What if: an account with some inputs replaced, computed from what its base already knows."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep.check import Understood
from gep.config import Definition, define
from gep.errors import Problem
from gep.identities import Identity, tiling
from gep.inputs import ECOSYSTEM
from gep.layers import variables
from gep.manifest import Stamp, input_files
from gep.plan import Plan
from gep.rasters import Layer, Reader, Window, tiles
from gep.replacements import Said, suggest, wrong
from gep.resume import Kept
from gep.run import By, Loop, Partials, Progress, Readers, accumulate

CALL = "Account.scenario"
Replaced = str | PathLike[str] | Mapping[str, Any]
"""A file, or the keys of a section of gep.toml that change."""


@dataclass(frozen=True)
class Scenario:
    """What a scenario replaces, by name."""

    name: str
    rasters: Mapping[str, Replaced] = field(default_factory=dict)
    statistics: Mapping[str, Replaced] = field(default_factory=dict)
    coefficients: Mapping[str, Said] = field(default_factory=dict)

    def definition(self, base: Definition) -> Definition:
        """Definition with the rasters and tables replaced.

        Raises
        ------
        InputError
            E019 a name the base does not have, E002, E003 a key or value a section cannot have.
        """
        raw = base.model_dump(exclude_unset=True)
        for kind in ("rasters", "statistics"):
            sections = raw.setdefault(kind, {})
            for name, said in getattr(self, kind).items():
                new = _section(said, f"{kind}.{name}")
                strange = kind == "rasters" and name not in (*sections, *variables())
                if strange or (name not in sections and "file" not in new):
                    known = [*sections, *variables()] if strange else list(sections)
                    zh = f"{kind}.{name}：没有；{suggest(name, known, 'zh')}"
                    raise wrong(CALL, f"{kind}.{name}: unknown; {suggest(name, known)}", zh)
                old = dict(sections.get(name, {}))
                if "file" in new:
                    old.pop("sha256", None)  # of the other file
                sections[name] = old | new
        return define(raw, f"scenario {self.name}")

    def beside(self, parent: "Scenario | None") -> "Scenario":
        """Scenario with what its parent replaces, where it does not replace it itself."""
        if parent is None:
            return self
        numbers: dict[str, Said] = dict(parent.coefficients)
        for name, said in self.coefficients.items():
            before = numbers.get(name)
            both = isinstance(said, Mapping) and isinstance(before, Mapping)
            numbers[name] = {**before, **said} if both else said  # type: ignore[dict-item]
        return Scenario(
            self.name,
            {**parent.rasters, **self.rasters},
            {**parent.statistics, **self.statistics},
            numbers,
        )

    def entry(self) -> dict[str, Any]:
        """What it replaces, as plain data."""
        found: dict[str, Any] = {"name": self.name}
        for kind in ("rasters", "statistics", "coefficients"):
            said = getattr(self, kind)
            plain = {k: dict(v) if isinstance(v, Mapping) else str(v) for k, v in said.items()}
            found[kind] = plain
        return found


def _section(said: Replaced, what: str) -> dict[str, Any]:
    """Keys of a section that change."""
    if isinstance(said, Mapping):
        return dict(said)
    if isinstance(said, str | PathLike):
        return {"file": str(said)}
    kind = type(said).__name__
    zh = f"{what} 是 {kind}；请给出文件，或该节的键"
    raise wrong(CALL, f"{what} is {kind}; give a file, or keys of its section", zh)


@dataclass(frozen=True)
class Known:
    """What a finished run knows: its plan and sums, and the files they rest on as they were."""

    plan: Plan
    partials: Partials
    hashes: dict[str, str]
    stamps: dict[str, Stamp]
    looked: tuple[list[Understood], dict[str, float], list[Problem]]
    tiling: Identity

    def digests(self) -> dict[Path, str]:
        """SHA-256 of every file it read, by path."""
        return {path: self.hashes[role] for role, path in input_files(self.plan).items()}

    def same_pixels(self, made: Plan) -> bool:
        """Tell whether a plan reads the same layers, legend and counties."""
        same = made.layers == self.plan.layers and made.legend == self.plan.legend
        return same and made.counties is self.plan.counties


@dataclass(frozen=True)
class Sums:
    """Partials of a run, the identity of tiling, how many tiles were computed, of how many.

    `resumed` are those an interrupted run, or one before it, had left, `dropped` those of accounts
    that the last runs into the folder did not compute.
    """

    partials: Partials
    tiling: Identity
    computed: int
    tiles: int
    resumed: int = 0
    dropped: int = 0

    @property
    def effort(self) -> dict[str, int]:
        """Tiles computed, tiles in all, tiles that were there; those dropped, if any."""
        effort = {"computed": self.computed, "all": self.tiles, "resumed": self.resumed}
        return effort | ({"dropped": self.dropped} if self.dropped else {})


def alike(known: Plan, made: Plan) -> bool:
    """Tell whether two plans sum the same columns over the same pixels of the same counties."""
    if made.grid is not known.grid or made.counties is not known.counties:
        return False
    if [la.name for la in made.layers] != [la.name for la in known.layers]:
        return False
    if made.accumulators != known.accumulators or len(made.lookups) != len(known.lookups):
        return False
    pairs = zip(made.lookups, known.lookups, strict=True)
    return all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def sums(
    known: Known | None,
    made: Plan,
    threads: int,
    progress: Progress | None,
    size: int,
    kept: Kept | None = None,
    by: By | None = None,
) -> Sums:
    """Partials of *made*, out of those known where they have enough in common.

    Then only tiles in which a layer differs are computed, under both plans: what they gave before
    is taken off the known sums, what they give now is added. Integers make that exact. Tiles that
    are *kept* are not computed again.
    """
    if known is None or not alike(known.plan, made):
        loop = Loop(made)
        with Readers(made, threads) as readers:
            total = accumulate(
                made, threads, progress, size, loop=loop, kept=kept, by=by, readers=readers
            )
            if kept:
                kept.ended()
            return of_all(total, loop, readers, size, kept)
    windows = tiles(made.grid, size)
    changed = differing(known.plan, made, windows, threads)
    if not changed:
        return Sums(known.partials, known.tiling, 0, len(windows))
    total, loop = known.partials.copy(), Loop(made)
    total.subtract(accumulate(known.plan, threads, None, windows=changed))
    with Readers(made, threads) as readers:
        now = accumulate(
            made, threads, progress, windows=changed, loop=loop, kept=kept, readers=readers
        )
        total.merge(now)
        if kept:
            kept.ended()
        return _sums(total, tiling(loop, readers), len(changed), len(windows), kept)


def of_all(total: Partials, loop: Loop, readers: Readers, size: int, kept: Kept | None) -> Sums:
    """Sums of a plan of which every tile is added up."""
    count = len(tiles(loop.plan.grid, size))
    return _sums(total, tiling(loop, readers), count, count, kept)


def _sums(total: Partials, tiling: Identity, needed: int, tiles: int, kept: Kept | None) -> Sums:
    """Sums of tiles *needed* of all *tiles*, some of them *kept* before."""
    resumed, dropped = (kept.resumed, kept.dropped) if kept else (0, 0)
    return Sums(total, tiling, needed - resumed, tiles, resumed, dropped)


def differing(known: Plan, made: Plan, windows: list[Window], threads: int) -> list[Window]:
    """Windows in which a layer of one plan differs from that of the other inside the counties."""
    numbers = [n for n, (a, b) in enumerate(zip(known.layers, made.layers, strict=True)) if a != b]
    if known.legend != made.legend or any(
        _read_otherwise(known.layers[n], made.layers[n]) for n in numbers
    ):
        return windows
    if not numbers:
        return []

    both = [layers[n] for n in numbers for layers in (known.layers, made.layers)]
    readers: SimpleQueue[Reader] = SimpleQueue()

    def differs(window: Window) -> bool:
        inside = made.counties.places_in(window) >= 0
        if not inside.any():
            return False
        reader = readers.get()
        try:
            return any(_differs(reader, both, n, window, inside) for n in range(len(numbers)))
        finally:
            readers.put(reader)

    with ExitStack() as opened, ThreadPoolExecutor(threads) as pool:
        for _ in range(threads):  # files are opened here: warnings are silenced per process
            readers.put(opened.enter_context(Reader(both, made.grid)))
        found = list(pool.map(differs, windows))
    return [window for window, changed in zip(windows, found, strict=True) if changed]


def _read_otherwise(one: Layer, other: Layer) -> bool:
    """Tell whether the same stored number means another value."""
    return (one.scale, one.offset, one.unit) != (other.scale, other.offset, other.unit)


def _differs(
    reader: Reader, both: list[Layer], number: int, window: Window, inside: NDArray[np.bool_]
) -> bool:
    """Tell whether a layer differs in one window; *both* are before and after, pair by pair."""
    before, after = 2 * number, 2 * number + 1
    if both[before].name == ECOSYSTEM:
        codes = [reader.stored(n, window) for n in (before, after)]
        fills = [[both[n].nodata, *both[n].section.fill] for n in (before, after)]
        return fills[0] != fills[1] or bool((codes[0] != codes[1])[inside].any())
    values = [np.empty(inside.shape, np.float32) for _ in (before, after)]
    for n, out in zip((before, after), values, strict=True):
        reader.stage(n, window, out)
    return not np.array_equal(values[0][inside], values[1][inside], equal_nan=True)
