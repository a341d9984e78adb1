"""What a run would do, without doing it: tiles and why, layers, memory, disk, time."""

import hashlib
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gep import ledger, manifest, origin, store
from gep.ecosystems import Title
from gep.ledger import KEEP, DamagedError, Ledger
from gep.lock import LOCK, free, openable
from gep.outputs import maps
from gep.plan import Plan
from gep.rasters import Layer, open_file, tiles
from gep.resume import place_of
from gep.run import to_compile

PACE = 60.0
"""Time a pixel takes where no run has shown it [ns]: a province on two cores, nothing spare."""
TILE_BYTES = 30_000
"""Bytes of a kept tile where there is none yet: some thirty classes of places, thirty columns."""
TABLES = 2_000
"""Bytes of the tables of a run per county and indicator, at most."""
STARTING = 0.8
"""Seconds until the program and its libraries are read, measured."""
COMPILING = 1.2, 0.07
"""Seconds to compile a loop, and more for each kernel in it, measured."""
COUNTING = 0.08, 0.00005
"""Seconds to sum, check and write, and more for each county and indicator, measured."""
SAMPLE = 4 * 10**6
"""Bytes of a file that are hashed to see how fast that is."""
LOADED = 320 * 10**6
"""Memory of the program itself with a loop that is compiled already [bytes], measured."""
PER_PIXEL = 24, 16
"""Bytes per pixel of a tile and thread: classes, places and their order; for each layer."""


@dataclass(frozen=True)
class Read:
    """One layer as a run reads it: file, bytes, rows and columns of its own, how it is resampled.

    A layer that is still to be prepared has no bytes.
    """

    name: str
    file: str
    bytes: int
    rows: int
    columns: int
    resampling: str


@dataclass(frozen=True)
class Forecast:
    """Tiles in all and done already, why the rest is computed, and what that takes.

    `memory`, `disk` and `free` are bytes, `pace` is in ns per pixel; it is `measured` if an earlier
    run into the folder showed it. `seconds` are those of the tiles; `checked`, `hashed`, `compiled`
    and `tabled` those of start and check, of digests, of the loop, of sums and tables.
    """

    folder: Path
    tiles: int
    done: int
    reasons: tuple[Title, ...]
    layers: tuple[Read, ...]
    maps: int
    threads: int
    memory: int
    disk: int
    free: int
    seconds: float
    pace: float
    measured: bool
    checked: float
    hashed: float
    compiled: float
    tabled: float

    @property
    def todo(self) -> int:
        """Tiles that would be computed."""
        return self.tiles - self.done

    @property
    def total(self) -> float:
        """Seconds of the whole run, without maps and what is prepared."""
        return self.checked + self.hashed + self.compiled + self.seconds + self.tabled


@dataclass
class Before:
    """What earlier runs into a folder have left: where tiles are, and why not everywhere.

    `pace` [ns per pixel] and `size` of a tile [bytes] are 0 where no run has shown them; `known`
    are the files that are as they were when they were hashed.
    """

    done: set[ledger.Place] = field(default_factory=set)
    reasons: Sequence[Title] = ()
    pace: float = 0.0
    size: float = 0.0
    known: set[Path] = field(default_factory=set)


def forecast(
    plan: Plan,
    folder: Path,
    threads: int,
    size: int,
    drawn: int,
    fresh: bool = False,
    checked: float = 0.0,
) -> Forecast:
    """What a run of *plan* into *folder* would do, with tiles of *size* and so many maps *drawn*.

    The check of the plan took so many seconds, *checked*. Nothing is written.

    Raises
    ------
    BusyError
        E710, E725 if a run into *folder* is under way, or may be.
    ResourceError
        E727 if what was done already cannot be read; E701, E705 if there is no place for a copy.
    """
    free(folder)
    places = {place_of(window) for window in tiles(plan.grid, size)}
    before = _before(plan, folder, threads, fresh)
    done, reasons, pace = before.done & places, before.reasons, before.pace
    if done and len(done) < len(places):
        reasons = [Title("not reached before the run was stopped", "先前运行中断，尚未算到")]
    todo = [window for window in tiles(plan.grid, size) if place_of(window) not in done]
    pixels = sum(window.width * window.height for window in todo)
    rows = len(plan.counties.places) * len(plan.items)
    kernels = to_compile(plan)
    return Forecast(
        folder,
        len(places),
        len(done),
        tuple(reasons) if todo else (),
        tuple(_read(layer) for layer in plan.layers),
        drawn,
        threads,
        LOADED + threads * size * size * (PER_PIXEL[0] + PER_PIXEL[1] * len(plan.layers)),
        maps.need(plan, drawn) + TABLES * rows + int(len(todo) * (before.size or TILE_BYTES)),
        _free(folder),
        pixels * (pace or PACE) / 1e9,
        pace or PACE,
        bool(pace),
        STARTING + checked,
        _hashing({*manifest.input_files(plan).values()} - before.known, threads),
        COMPILING[0] + COMPILING[1] * kernels if kernels else 0.0,
        COUNTING[0] + COUNTING[1] * rows,
    )


def tried(plan: Plan, folder: Path, drawn: int) -> None:
    """Try what a run tries before its first tile, and leave no trace.

    Raises
    ------
    ResourceError
        E701, E705 if *folder* cannot be written, E720 if so many maps *drawn* have no room there.
    """
    store.tried(folder, maps.need(plan, drawn))
    openable([folder / LOCK, folder / ledger.NAME])


def _before(plan: Plan, folder: Path, threads: int, fresh: bool) -> Before:
    """What earlier runs into *folder* have left for one of *plan*."""
    found = Before(reasons=[Title("asked for with --fresh", "按 --fresh 的要求")])
    try:
        with ledger.looked_at(folder) as book:
            if not fresh:
                _look(found, plan, book, threads)
            if book:
                found.size = book.size()
                found.pace = next((past.pace for past in book.past() if past.pace), 0.0)
    except DamagedError as error:
        why = error.problems[0].fields["why"]
        en = f"the ledger of earlier runs is damaged ({why}): everything is computed anew"
        said = Title(en, f"先前运行的分块记录已损坏（{why}）：全部重新计算")
        return Before(reasons=[*(found.reasons if fresh else ()), said])
    return found


def _look(found: Before, plan: Plan, book: Ledger | None, threads: int) -> None:
    """Find where tiles of this very account are, and why not everywhere."""
    past = book.past() if book else []
    stamps = ledger.stamps(manifest.input_files(plan).values())
    known = book.known(stamps) if book else {}
    found.known = {*known}
    if plan.todo:
        found.reasons = [
            Title(f"{step.name}: will be prepared first", f"{step.name}：将先推算")
            for step in plan.todo
        ]
        return
    if book is None or not past:
        found.reasons = origin.reasons({}, [])
        return
    parts = origin.parts(plan, manifest.digests(plan, threads, known))
    same = next((each for each in past if each.key == ledger.key_of(parts)), None)
    if same is None:
        near = [each.parts for each in past if not each.dropped] or [each.parts for each in past]
        found.reasons = origin.reasons(parts, near)
        return
    found.done = book.places(book.identity(parts, ""))
    found.reasons = [_absent(bool(found.done), same.dropped)]


def _absent(some: bool, dropped: bool) -> Title:
    """Why tiles of an account that an earlier run began are not there; *some* others are."""
    if some:
        return Title("tiles of this size are not there", "没有这一大小的分块")
    if dropped:
        en = f"tiles of this account were dropped: only those of the last {KEEP} runs are kept"
        return Title(en, f"该账户的分块已删去：只保留最近 {KEEP} 次运行的分块")
    en = "none was computed yet: an earlier run was stopped before its first tile"
    return Title(en, "尚未算完任何分块：先前的运行在第一个分块之前中断")


def _hashing(files: Iterable[Path], threads: int) -> float:
    """Seconds to hash some files, at the speed of the beginning of the largest one now."""
    sizes = {path: path.stat().st_size for path in files if path.is_file()}
    if not sum(sizes.values()):
        return 0.0
    largest = max(sizes, key=sizes.__getitem__)
    began = time.perf_counter()
    with largest.open("rb") as file:
        content = file.read(SAMPLE)
        hashlib.sha256(content).digest()
    pace = (time.perf_counter() - began) / len(content)
    return pace * max(sizes[largest], sum(sizes.values()) / threads)


def _read(layer: Layer) -> Read:
    about = layer.name, layer.path.name
    resampling = layer.section.resampling or ""
    if not layer.path.is_file():
        return Read(*about, 0, 0, 0, resampling)
    with open_file(layer.path, layer.name) as file:
        return Read(*about, layer.path.stat().st_size, file.height, file.width, resampling)


def _free(folder: Path) -> int:
    """Bytes that are free where *folder* is or will be."""
    place = folder.absolute()
    while not place.is_dir() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free
