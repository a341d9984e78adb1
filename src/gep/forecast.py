"""What a run would do, without doing it: tiles and why, layers, memory, disk, time."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gep import ledger, manifest, origin
from gep.ecosystems import Title
from gep.ledger import Ledger
from gep.lock import free
from gep.outputs import maps
from gep.plan import Plan
from gep.rasters import Layer, open_file, tiles
from gep.resume import place_of

PACE = 60.0
"""Time a pixel takes where no run has shown it [ns]: a province on two cores, nothing spare."""
TILE_BYTES = 30_000
"""Bytes of a kept tile where there is none yet: some thirty classes of places, thirty columns."""
TABLES = 2_000
"""Bytes of the tables of a run per county and indicator, at most."""
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
    run into the folder showed it.
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

    @property
    def todo(self) -> int:
        """Tiles that would be computed."""
        return self.tiles - self.done


def forecast(
    plan: Plan, folder: Path, threads: int, size: int, drawn: int, fresh: bool = False
) -> Forecast:
    """What a run of *plan* into *folder* would do, with tiles of *size* and so many maps *drawn*.

    Nothing is written.

    Raises
    ------
    BusyError
        E710, E725 if a run into *folder* is under way, or may be.
    ResourceError
        E727 if what was done already cannot be read; E701, E705 if there is no place for a copy.
    """
    free(folder)
    places = {place_of(window) for window in tiles(plan.grid, size)}
    done: set[ledger.Place] = set()
    reasons: Sequence[Title] = [Title("asked for with --fresh", "按 --fresh 的要求")]
    pace, tile_bytes = None, 0.0
    with ledger.looked_at(folder) as book:
        if not fresh:
            done, reasons = _done(plan, book, threads)
        if book:
            tile_bytes = book.size()
            pace = next((past.pace for past in book.past() if past.pace), None)
    done &= places
    if done and len(done) < len(places):
        reasons = [Title("not reached before the run was stopped", "先前运行中断，尚未算到")]
    todo = [window for window in tiles(plan.grid, size) if place_of(window) not in done]
    pixels = sum(window.width * window.height for window in todo)
    rows = len(plan.counties.places) * len(plan.items)
    return Forecast(
        folder,
        len(places),
        len(done),
        tuple(reasons) if todo else (),
        tuple(_read(layer) for layer in plan.layers),
        drawn,
        threads,
        LOADED + threads * size * size * (PER_PIXEL[0] + PER_PIXEL[1] * len(plan.layers)),
        maps.need(plan, drawn) + TABLES * rows + int(len(todo) * (tile_bytes or TILE_BYTES)),
        _free(folder),
        pixels * (pace or PACE) / 1e9,
        pace or PACE,
        pace is not None,
    )


def _done(
    plan: Plan, book: Ledger | None, threads: int
) -> tuple[set[ledger.Place], Sequence[Title]]:
    """Where tiles of this very account are, and why not everywhere."""
    if plan.todo:
        return set(), [
            Title(f"{step.name}: will be prepared first", f"{step.name}：将先推算")
            for step in plan.todo
        ]
    past = book.past() if book else []
    if book is None or not past:
        return set(), origin.reasons({}, [])
    known = book.known(ledger.stamps(manifest.input_files(plan).values()))
    parts = origin.parts(plan, manifest.digests(plan, threads, known))
    key = ledger.key_of(parts)
    if key not in [each.key for each in past]:
        return set(), origin.reasons(parts, [each.parts for each in past])
    found = book.places(book.identity(parts, ""))
    return found, [Title("tiles of this size are not there", "没有这一大小的分块")]


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
