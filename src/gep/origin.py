"""What the tiles of an account follow from, and what of it changed since earlier ones."""

import contextlib
import hashlib
import importlib.metadata
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import shapely

from gep import store
from gep.ecosystems import Title, ecosystems
from gep.fuse import package_digest, routine, text_of
from gep.layers import possible
from gep.plan import Plan

LIBRARIES = (
    *("numpy", "numba", "llvmlite", "rasterio", "pyproj", "shapely", "geopandas", "pyogrio"),
    *("imagecodecs", "tifffile"),
)
"""What pixels pass through, as far as it is installed."""
FUNCTIONS = 11
"""Rows of `probed`."""
PROBES = 0.013 + 0.37 * np.arange(100.0)
"""Numbers at which functions are tried."""


def parts(plan: Plan, hashes: Mapping[str, str]) -> dict[str, Any]:
    """Everything the integers of a tile follow from, in parts people can be told of.

    *hashes* are SHA-256 by role, as `manifest.digests` gives them. Names of files, statistics and
    prices are no part: they change no tile. What was read before the files were hashed, such as
    polygons and legend, stands here itself.
    """
    grid = plan.grid
    areas = np.concatenate([grid.row_areas, grid.column_factors])
    layers = {layer.name: _layer(plan, layer.name, hashes) for layer in plan.layers}
    shapes = hashlib.sha256(shapely.to_wkb(plan.counties.universe))
    for polygon in plan.counties.polygons:
        shapes.update(shapely.to_wkb(polygon))
    legend = {str(code): kind.key for code, kind in plan.legend.codes.items()}
    libraries = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            libraries[name] = importlib.metadata.version(name)
    return {
        "layers": layers,
        "legend": {"codes": legend, "nodata": sorted(plan.legend.nodata), "all": [*ecosystems()]},
        "counties": {"codes": list(plan.counties.codes), "shapes": shapes.hexdigest()},
        "grid": {
            "crs": plan.grid.crs.to_wkt(),
            "transform": list(grid.transform)[:6],
            "size": [grid.height, grid.width],
            "areas": store.digest(areas.tobytes()),
        },
        "columns": [_column(plan, number) for number in range(len(plan.accumulators))],
        "code": {
            "package": package_digest(),
            "libraries": libraries,
            "machine": [platform.system(), platform.machine()],
            "mathematics": [*platform.libc_ver(), mathematics()],
        },
    }


@cache
def mathematics() -> str:
    """SHA-256 of what functions of kernels give on this machine, compiled as kernels are.

    The last bit of an exponential is not the same in every library of the system, nor in one such
    library on every processor.
    """
    found = np.empty((FUNCTIONS, len(PROBES)))
    routine(probed)(PROBES, found)
    return store.digest(found.astype("<f8").tobytes())


def probed(at: Any, out: Any) -> None:
    """Every function that a kernel may call, *at* some positive numbers: out (functions, numbers).

    A kernel of loops over pixels: compiled, see `mathematics`.
    """
    for n in range(at.size):
        out[0, n] = math.exp(at[n])
        out[1, n] = math.exp(-at[n])
        out[2, n] = math.log(at[n])
        out[3, n] = math.log10(at[n])
        out[4, n] = math.sqrt(at[n])
        out[5, n] = math.sin(at[n])
        out[6, n] = math.cos(at[n])
        out[7, n] = math.tan(at[n])
        out[8, n] = math.atan(at[n])
        out[9, n] = math.pow(at[n], 1.73)
        out[10, n] = at[n] ** -0.27


def _layer(plan: Plan, name: str, hashes: Mapping[str, str]) -> dict[str, Any]:
    layer = next(layer for layer in plan.layers if layer.name == name)
    section = layer.section.model_dump(mode="json", exclude={"file", "legend", "year", "sha256"})
    read = {"unit": layer.unit, "scale": layer.scale, "offset": layer.offset}
    read |= {"nodata": repr(layer.nodata), "section": section}
    return {
        "sha256": hashes[f"rasters.{name}"],
        "read": read | {"range": repr(possible(name, layer.unit))},
    }


def _column(plan: Plan, number: int) -> dict[str, Any]:
    """One accumulator: whose it is, its kernel, layers, tables, classes and weight."""
    accumulator, names = plan.accumulators[number], [layer.name for layer in plan.layers[1:]]
    plans = [plan, *(varied for _, varied in plan.variants)]
    items = {".".join(i.key): i for p in plans for i in p.items if i.accumulator == number}
    column = accumulator.column
    return {
        "of": sorted(items),
        "kernel": store.digest(text_of(column.kernel).encode()),
        "layers": [names[layer] for layer in column.layers],
        "tables": [store.digest(plan.lookups[table].tobytes()) for table in column.tables],
        "classes": list(accumulator.eligible),
        "weight": accumulator.weight.hex(),
    }


def reasons(now: Mapping[str, Any], past: Sequence[Mapping[str, Any]]) -> list[Title]:
    """Why no tile is there: how its parts differ from the nearest of those of the *past*."""
    if not past:
        return [Title("nothing was computed into this folder yet", "该文件夹中尚无计算结果")]
    return min((_changes(now, then) for then in past), key=len)


def _changes(now: Mapping[str, Any], then: Mapping[str, Any]) -> list[Title]:
    found = [
        *_layers_changed(now["layers"], then["layers"]),
        *_columns_changed(now["columns"], then["columns"]),
    ]
    for part, en, zh in (
        ("legend", "the legend changed", "图例已变"),
        ("counties", "the counties changed", "县区边界已变"),
        ("grid", "the grid changed", "格网已变"),
    ):
        if now[part] != then[part]:
            found.append(Title(en, zh))
    if now["code"] != then["code"]:
        found.append(Title("the code or a library changed", "程序或所用的库已变"))
    return found


def _layers_changed(now: Mapping[str, Any], then: Mapping[str, Any]) -> Iterator[Title]:
    for name in sorted({*now, *then}):
        if name not in then:
            yield Title(f"{name}: new", f"{name}：新增")
        elif name not in now:
            yield Title(f"{name}: no longer there", f"{name}：已不在")
        elif now[name]["sha256"] != then[name]["sha256"]:
            yield Title(f"{name}: the file changed", f"{name}：文件已变")
        elif now[name] != then[name]:
            yield Title(f"{name}: it is read otherwise", f"{name}：读取方式已变")


def _columns_changed(
    now: Sequence[Mapping[str, Any]], then: Sequence[Mapping[str, Any]]
) -> list[Title]:
    ours = {name: column for column in now for name in column["of"]}
    theirs = {name: column for column in then for name in column["of"]}
    found = []
    for name in sorted({*ours, *theirs}):
        if name not in theirs:
            found.append(Title(f"{name}: new", f"{name}：新增"))
        elif name not in ours:
            found.append(Title(f"{name}: no longer there", f"{name}：已不在"))
        elif ours[name]["tables"] != theirs[name]["tables"]:
            found.append(Title(f"{name}: coefficients changed", f"{name}：系数已变"))
        elif {**ours[name], "of": 0} != {**theirs[name], "of": 0}:
            found.append(Title(f"{name}: computed otherwise", f"{name}：算法已变"))
    if not found and list(now) != list(then):
        found.append(Title("the order of the indicators changed", "指标的次序已变"))
    return found
