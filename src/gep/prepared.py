"""Prepared rasters: made window by window, verified, put in place whole with what they rest on."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gep import store
from gep.acceptance import accept
from gep.coefficients import Coefficient
from gep.ecosystems import ecosystems
from gep.errors import IdentityError, Problem, stop_on
from gep.fuse import pixelwise
from gep.outputs import geotiff
from gep.plan import Plan
from gep.preparation import almanac
from gep.rasters import Reader, Window, cells, latitudes
from gep.run import Progress
from gep.stacks import Stacks, windows
from gep.staging import Findings, Stager, Tile
from gep.step import Step, changed, code, inputs_of, is_ready
from gep.units import factor

TEXTURE = ("sand", "silt", "clay")
WHOLE_SOIL = 1.0
SLACK = 0.02
"""By how much the three parts of a soil may miss the whole."""

Made = Iterator[tuple[Window, NDArray[np.float32]]]


def make(plan: Plan, steps: Sequence[Step], progress: Progress | None = None) -> list[Path]:
    """Make the rasters of *steps* in this order; each is there whole, or not at all.

    Raises
    ------
    InputError
        Whatever is wrong with the pixels of the raw layers: E307, E308, E808 to E810, E812.
    IdentityError
        E713 a file reads back differently, E714 an input changed meanwhile.
    ResourceError, BusyError
        E701, E705, E720, E710 if the folder of prepared rasters cannot be written, or not now.
    """
    if not steps:
        return []
    folder = steps[0].path.parent
    store.ready(folder, geotiff.need(plan.grid))
    with store.locked(folder):
        for left in folder.glob(f"{store.STAGING}*"):  # of a writer that was killed
            shutil.rmtree(left, ignore_errors=True)
        for number, step in enumerate(steps):
            if is_ready(step):  # another process has made it meanwhile
                continue
            _make(plan, step, _share(progress, number, len(steps)))
    return [step.path for step in steps]


def _share(progress: Progress | None, number: int, count: int) -> Progress:
    """Progress of one step among several."""

    def show(done: int, total: int) -> None:
        if progress:
            progress(number * total + done, count * total)

    return show


def _make(plan: Plan, step: Step, progress: Progress) -> None:
    """Make one raster in a staging folder, and move it and its description in place."""
    folder = step.path.parent
    looked = replace(plan, layers=[plan.layers[0], *step.layers.values()])
    windows_of = _whole if step.preparation.whole else _pixelwise
    stage = None
    try:
        stage = Path(tempfile.mkdtemp(prefix=store.STAGING, dir=folder))
        file = stage / step.path.name
        title = step.preparation.title
        geotiff.write(
            file,
            plan.layers[0].path,
            plan.grid,
            step.preparation.gives,
            f"{title.en} / {title.zh}",
            tags(step),
            windows_of(looked, step, progress),
        )
        if files := changed(step):
            raise IdentityError(Problem("E714", {"files": ", ".join(map(str, files))}))
        said = {"identity": step.identity, "code": code(), "sha256": store.digest_file(file)}
        store.write(stage / step.sidecar.name, store.canonical(said))
        store.sync_folder(stage)
        step.sidecar.unlink(missing_ok=True)
        file.replace(step.path)
        (stage / step.sidecar.name).replace(step.sidecar)
        store.sync_folder(folder)
    except OSError as error:
        raise store.unwritten(folder, error) from None
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


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


def _pixelwise(plan: Plan, step: Step, progress: Progress) -> Made:
    """Windows of a raster whose pixels are made one by one; NaN outside the counties.

    Raises
    ------
    InputError
        Everything wrong with the pixels it read, once all are read.
    """
    one = step.preparation
    stager, stacks, findings = Stager(plan), Stacks(step), Findings()
    layers = [*step.layers.values(), *step.stacks.values()]
    scales = np.array([layer.scale for layer in layers] + [1.0])
    offsets = np.array([layer.offset for layer in layers] + [0.0])
    tables, dates = _tables(plan, step), [almanac(word, step.year) for word in one.calendar]
    counts = len(step.layers), len(step.stacks), len(dates), len(one.coefficients)
    fused = pixelwise(one.kernel, *counts)
    unsound: dict[str, Problem] = {}
    todo = windows(plan.grid, step)
    with Reader(plan.layers, plan.grid) as reader, Reader(stacks.layers, plan.grid) as stacked:
        for number, window in enumerate(todo):
            tile = stager.tile(reader, window)
            inside = tile.places >= 0
            out = np.full(inside.shape, np.nan, np.float32)
            if inside.any():
                findings.add(tile.findings)
                for problem in _texture(step, tile, stager, window):
                    unsound.setdefault(problem.code, problem)
                read = stacks.read(stacked, window, inside)
                kinds = tile.kinds.astype(np.uint8)
                fused(kinds, tile.layers, scales, offsets, tables, *read, *dates, out)
                out[~inside] = np.nan  # so that no window and no size of it changes the file
            yield window, out
            progress(number + 1, len(todo))
    problems = [*findings.problems(plan), *unsound.values(), *stacks.found()]
    stop_on(accept(problems, plan.definition))


def _texture(step: Step, tile: Tile, stager: Stager, window: Window) -> list[Problem]:
    """Where sand, silt and clay do not add up to the whole soil: E809."""
    if not {*step.layers} >= {*TEXTURE}:
        return []
    names = list(step.layers)
    total = np.zeros(tile.places.shape)
    for name in TEXTURE:
        n = names.index(name)
        times = factor(step.layers[name].unit, "1", name)
        total += (tile.layers[n] * stager.scales[n] + stager.offsets[n]) * times
    wrong = (np.abs(total - WHOLE_SOIL) > SLACK) & (tile.places >= 0)
    if not wrong.any():
        return []
    row, column = np.argwhere(wrong)[0]
    fields = {"files": ", ".join(step.layers[name].path.name for name in TEXTURE)}
    fields |= {"total": f"{total[row, column]:.1%}", "count": f"{wrong.sum()}"}
    at = {"row": int(row) + window.row_off + 1, "column": int(column) + window.col_off + 1}
    return [Problem("E809", fields | at)]


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
    holes: dict[str, Problem] = {}
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
                for row, column in np.argwhere(np.isnan(staged) & inside)[:1]:
                    fields = {"name": layer.name, "file": layer.path, "raster": step.name}
                    fields |= {"row": int(row) + window.row_off + 1}
                    fields |= {"column": int(column) + window.col_off + 1}
                    holes.setdefault(layer.name, Problem("E810", fields))
            progress(number + 1, 2 * len(todo))
    stop_on(accept([*findings.problems(plan), *holes.values()], plan.definition))
    return arrays, kinds


def _whole(plan: Plan, step: Step, progress: Progress) -> Made:
    """Windows of a raster whose pixels need their neighbours; everything is in memory."""
    todo = windows(plan.grid, step)
    arrays, kinds = _read(plan, step, todo, progress)
    numbers = [
        table[kinds] if "ecosystem" in found.by else float(table[0])
        for table, found in zip(_tables(plan, step), step.coefficients.values(), strict=False)
    ]
    place = {"latitude": latitudes(plan.grid)} if step.preparation.place else {}
    made = step.preparation.kernel(*arrays, *numbers, cell=cells(plan.grid), **place)
    found = np.asarray(made).astype(np.float32)
    found[~np.isfinite(found)] = np.nan
    for number, window in enumerate(todo):
        yield window, np.ascontiguousarray(found[_slices(window)])
        progress(len(todo) + number + 1, 2 * len(todo))


def _slices(window: Window) -> tuple[slice, slice]:
    top, left = window.row_off, window.col_off
    return slice(top, top + window.height), slice(left, left + window.width)
