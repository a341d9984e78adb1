"""Prepared rasters: made window by window, verified, put in place whole with what they rest on."""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep import store
from gep.acceptance import accept
from gep.areas import slow
from gep.coefficients import Coefficient
from gep.ecosystems import ecosystems
from gep.errors import IdentityError, Problem, ResourceError, stop_on
from gep.making import Made, Pixelwise
from gep.memory import available
from gep.outputs import geotiff
from gep.plan import Plan
from gep.rasters import Reader, Window, cells, latitudes, tiles
from gep.raw import ELEVATION, Holes, Pits, coarse
from gep.run import TILE, Progress
from gep.staging import Findings, Stager
from gep.step import Step, changed, code, inputs_of, is_ready, losses, plain

NO_ROOM = "E720"
"""What the store says of a disk without room, in words for maps."""
MADE, PARTS = 4, 5
"""Shares of the progress of a raster: its pixels, the rest is packing and reading back."""


def make(
    plan: Plan, steps: Sequence[Step], progress: Progress | None = None, threads: int = 1
) -> list[Path]:
    """Make the rasters of *steps* in this order; each is there whole, or not at all.

    The files are the same bytes for any number of threads.

    Raises
    ------
    InputError
        Whatever is wrong with the pixels of the raw layers: E307, E308, E808 to E810, E812.
    IdentityError
        E713 a file reads back differently, E714 an input changed meanwhile.
    ResourceError, BusyError
        E701, E705, E824, E710 if the folder of prepared rasters cannot be written, or not now;
        E823 if a raster does not fit in memory.
    """
    if not steps:
        return []
    too_large = accept([Problem("E823", fields) for fields in short(plan, steps)], plan.definition)
    if wrong := [problem for problem in too_large if problem.is_error]:
        raise ResourceError(*wrong)
    folder = steps[0].path.parent
    _room(folder, geotiff.need(plan.grid) * (len(steps) + 1) // 2)
    with store.locked(folder):
        for left in folder.glob(f"{store.STAGING}*"):  # of a writer that was killed
            shutil.rmtree(left, ignore_errors=True)
        for number, step in enumerate(steps):
            if is_ready(step):  # another process has made it meanwhile
                continue
            _make(plan, step, _share(progress, number, len(steps)), threads)
    return [step.path for step in steps]


def _room(folder: Path, need: int) -> None:
    """Raise ResourceError E705 or E824 if *need* bytes cannot be written into *folder*."""
    try:
        store.ready(folder, need)
    except ResourceError as error:
        (problem,) = error.problems
        if problem.code != NO_ROOM:
            raise
        have = shutil.disk_usage(next(at for at in (folder, *folder.parents) if at.is_dir())).free
        fields = {"folder": folder, "need": f"{need / 1e6:.1f}", "have": f"{have / 1e6:.1f}"}
        raise ResourceError(Problem("E824", fields)) from None


def _share(progress: Progress | None, number: int, count: int) -> Progress:
    """Progress of one step among several: making its pixels is MADE of PARTS parts of it."""

    def show(done: int, total: int) -> None:
        if progress:
            progress(PARTS * number * total + MADE * done, PARTS * count * total)

    return show


def short(plan: Plan, steps: Iterable[Step]) -> Iterator[dict[str, object]]:
    """What a message says of every step that needs more memory than there is."""
    have = available()
    for step in steps:
        if have is not None and step.memory > have:
            fields: dict[str, object] = {"raster": step.name, "method": step.preparation.method}
            fields |= {"rows": plan.grid.height, "columns": plan.grid.width}
            fields |= {"need": f"{step.memory / 1e9:.1f}", "have": f"{have / 1e9:.1f}"}
            yield fields


def warnings(plan: Plan) -> list[Problem]:
    """What deserves a look before and after rasters are made: W805 to W812."""
    todo = [step for step in plan.steps if not step.ready]
    found: list[Problem] = []
    for step in plan.steps:  # a series may be in several
        said = losses(step) if step.ready else coarse(step, plan.grid)
        found += [problem for problem in said if problem not in found]
    found += [problem for step in todo for problem in slow(step, plan.grid)]
    found += [Problem("W807", fields) for fields in short(plan, todo)]
    return accept(found, plan.definition)


def _make(plan: Plan, step: Step, progress: Progress, threads: int) -> None:
    """Make one raster in a staging folder, and move it and its description in place."""
    folder = step.path.parent
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=store.STAGING, dir=folder))
        _fill(stage, plan, step, progress, threads)
        step.sidecar.unlink(missing_ok=True)
        (stage / step.path.name).replace(step.path)
        (stage / step.sidecar.name).replace(step.sidecar)
        store.sync_folder(folder)
        progress(PARTS, MADE)
    except OSError as error:
        raise store.unwritten(folder, error) from None
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def _fill(stage: Path, plan: Plan, step: Step, progress: Progress, threads: int) -> None:
    """Write the file of one raster and its description into a folder."""
    file, title = stage / step.path.name, step.preparation.title
    looked = replace(plan, layers=[plan.layers[0], *step.layers.values()])
    whole = step.preparation.whole
    one = None if whole else Pixelwise(looked, step, _tables(plan, step))
    doubts = coarse(step, plan.grid)
    done = one.windows(threads, progress) if one else _whole(looked, step, progress, doubts)
    with closing(done) as made:
        geotiff.write(
            file,
            plan.layers[0].path,
            plan.grid,
            step.preparation.gives,
            f"{title.en} / {title.zh}",
            tags(step),
            made,
        )
    if files := changed(step):
        raise IdentityError(Problem("E714", {"files": ", ".join(map(str, files))}))
    said: dict[str, Any] = {
        "identity": step.identity,
        "code": code(),
        "sha256": store.digest_file(file),
    }
    said["lost"] = one.stacks.losses() if one else {}
    said["doubts"] = [plain(found) for found in doubts + (one.doubts() if one else [])]
    store.write(stage / step.sidecar.name, store.canonical(said))
    store.sync_folder(stage)


def tags(step: Step) -> dict[str, str]:
    """What a prepared file says of itself."""
    one = step.preparation
    numbers = {name: numbers_of(c) for name, c in step.coefficients.items()}
    return {
        "raster": one.name,
        "method": one.method,
        "title_en": one.title.en,
        "title_zh": one.title.zh,
        "source": one.source,
        "unit": one.gives,
        "year": str(step.year),
        "inputs": json.dumps(inputs_of(step.identity), sort_keys=True),
        "coefficients": json.dumps(numbers, sort_keys=True, ensure_ascii=False),
    }


def numbers_of(c: Coefficient) -> dict[str, Any]:
    """Coefficient with its provenance, as plain data."""
    values = {
        " ".join(keys) or "constant": {"value": f"{v.number}", "source": v.source, "where": v.where}
        | {"status": v.status, "verified_by": v.verified_by}
        for keys, v in c.values.items()
    }
    return {"unit": c.unit, "values": values}


def _tables(plan: Plan, step: Step) -> NDArray[np.float64]:
    """Coefficients by class index, shape (coefficients, 256); a constant holds for every index."""
    year = plan.definition.account.year
    tables = np.full((max(1, len(step.coefficients)), 256), np.nan)
    for number, (name, unit) in enumerate(step.preparation.coefficients.items()):
        found = step.coefficients[name]
        if "ecosystem" in found.by:
            tables[number] = found.table(unit, [""], year)[0]
        elif (one := found.number(unit, year=year)) is not None:
            tables[number] = float(one[0])
    return tables


def _pits(
    plan: Plan, step: Step, arrays: Sequence[NDArray[np.float64]], todo: Sequence[Window]
) -> list[Problem]:
    """W810 of the elevation a step takes, if it does."""
    found = Pits()
    for layer, heights in zip(step.layers.values(), arrays, strict=True):
        for window in todo if layer.name == ELEVATION else ():
            top, left = max(window.row_off - 1, 0), max(window.col_off - 1, 0)
            bottom, right = window.row_off + window.height + 1, window.col_off + window.width + 1
            part = heights[top:bottom, left:right]
            inside, (y, x) = (
                np.zeros(part.shape, np.bool_),
                (window.row_off - top, window.col_off - left),
            )
            inside[y : y + window.height, x : x + window.width] = (
                plan.counties.places_in(window) >= 0
            )
            found.add(layer, part, inside, Window(left, top, part.shape[1], part.shape[0]))
    return found.doubts


def _read(
    plan: Plan, step: Step, todo: Sequence[Window], progress: Progress
) -> tuple[list[NDArray[np.float64]], NDArray[np.uint8]]:
    """Layers of a step whole, NaN where there is nothing, and the class index of every pixel.

    Raises
    ------
    InputError
        E307, E308, E810 where a layer has a hole inside the counties.
    """
    stager, findings = Stager(plan), Findings()
    shape = (plan.grid.height, plan.grid.width)
    arrays = [np.empty(shape) for _ in step.layers]
    kinds = np.full(shape, len(ecosystems()), np.uint8)
    holes = Holes(step.name)
    with Reader(plan.layers, plan.grid) as reader:
        for number, window in enumerate(todo):
            tile, at = stager.tile(reader, window), _slices(window)
            inside = tile.places >= 0
            findings.add(tile.findings)
            if inside.any():
                kinds[at] = tile.kinds
            for n, layer in enumerate(step.layers.values()):
                staged = np.empty(inside.shape, np.float32)
                reader.stage(n + 1, window, staged)
                beyond = Findings()  # what is wrong outside the counties reaches into them
                stager.examine(n, staged, np.ones_like(inside), window, beyond)
                findings.add(beyond)
                arrays[n][at] = staged * layer.scale + layer.offset
                holes.add(layer, staged, inside, window)
            progress(number + 1, 3 * len(todo))
    stop_on(accept([*findings.problems(plan), *holes.problems], plan.definition))
    return arrays, kinds


def _whole(plan: Plan, step: Step, progress: Progress, doubts: list[Problem]) -> Made:
    """Windows of a raster whose pixels need their neighbours; everything is in memory.

    What deserves a look of the layers is added to *doubts*.
    """
    todo = tiles(plan.grid, TILE)
    arrays, kinds = _read(plan, step, todo, progress)
    doubts += _pits(plan, step, arrays, todo)
    numbers = [
        table[kinds] if "ecosystem" in found.by else float(table[0])
        for table, found in zip(_tables(plan, step), step.coefficients.values(), strict=False)
    ]
    place = {"latitude": latitudes(plan.grid)} if step.preparation.place else {}
    made = step.preparation.kernel(*arrays, *numbers, cell=cells(plan.grid), **place)
    found = np.asarray(made).astype(np.float32)
    found[~np.isfinite(found)] = np.nan
    for number, window in enumerate(todo):
        progress(2 * len(todo) + number, 3 * len(todo))
        yield window, np.ascontiguousarray(found[_slices(window)])
    progress(3 * len(todo), 3 * len(todo))


def _slices(window: Window) -> tuple[slice, slice]:
    top, left = window.row_off, window.col_off
    return slice(top, top + window.height), slice(left, left + window.width)
