"""One raster to be made: what its numbers follow from, its file, and whether that is there."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from gep import store
from gep.coefficients import Coefficient
from gep.config import RasterSection
from gep.errors import Problem
from gep.fuse import package_digest
from gep.preparation import Preparation, dates
from gep.rasters import Layer
from gep.units import factor

LIBRARIES = ("numpy", "numba", "rasterio", "pyproj")


@dataclass(frozen=True)
class Step:
    """One raster to be made: layers and stacks by name, in the units of the preparation.

    `identity` is everything its numbers follow from but the code, and names the file.
    """

    preparation: Preparation
    layers: dict[str, Layer]
    stacks: dict[str, Layer]
    coefficients: dict[str, Coefficient]
    identity: dict[str, Any] = field(repr=False)
    path: Path
    ready: bool

    @property
    def name(self) -> str:
        """Raster it makes."""
        return self.preparation.name

    @property
    def year(self) -> int:
        """Year of its series; that of the account where it takes none."""
        return int(self.identity["of"])

    @property
    def made_from(self) -> tuple[str, ...]:
        """Rasters and series it takes."""
        return (*self.layers, *self.stacks)

    @property
    def memory(self) -> int:
        """Bytes the making holds that grow with the grid; 0 of what is made pixel by pixel."""
        _, _, height, width = self.identity["grid"]
        return int(self.preparation.memory * height * width)

    @property
    def sidecar(self) -> Path:
        """File that says what the raster was made of, and its digest."""
        return self.path.with_suffix(".json")

    def layer(self, unit: str) -> Layer:
        """Layer of the file, there or not yet, in *unit*."""
        times = factor(self.preparation.gives, unit, self.name)
        section = RasterSection(file=self.path.name, unit=self.preparation.gives)
        return Layer(self.name, self.path, section, "float32", math.nan, times, 0.0, unit)


def in_unit(layer: Layer, unit: str) -> Layer:
    """Layer with its numbers in another unit."""
    if layer.unit == unit:
        return layer
    times = factor(layer.unit, unit, f"rasters.{layer.name}")
    return replace(layer, scale=layer.scale * times, offset=layer.offset * times, unit=unit)


def numbers(c: Coefficient) -> dict[str, Any]:
    """What of a coefficient a raster follows from: its numbers, not where they are from."""
    values = {" ".join(keys): f"{value.number}" for keys, value in c.values.items()}
    return {"unit": c.unit, "by": list(c.by), "holds": c.holds, "values": values}


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hashed again only if its size or times have changed."""
    stat = path.stat()
    return _hashed(path, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@cache
def _hashed(path: Path, *stamp: int) -> str:
    return store.digest_file(path)


def inputs_of(identity: Mapping[str, Any]) -> dict[str, str]:
    """SHA-256 of every file a prepared raster follows from in the end, by layer."""
    found: dict[str, str] = {}
    for name, read in identity["inputs"].items():
        found |= inputs_of(read["prepared"]) if "prepared" in read else {name: read["sha256"]}
    if "ecosystem" in identity:
        found["ecosystem"] = identity["ecosystem"][0]["sha256"]
    return found


def changed(step: Step) -> list[Path]:
    """Return the files a raster is made of that are no longer what they were."""
    given = {**step.layers, **step.stacks}
    read = step.identity["inputs"]
    return [
        layer.path
        for name, layer in given.items()
        if "sha256" in read[name] and digest_of(layer.path) != read[name]["sha256"]
    ]


def losses(step: Step) -> list[Problem]:
    """Return where a raster was not made though most of a series is there, W805; other doubts.

    As found when it was made.
    """
    try:
        known = json.loads(step.sidecar.read_text("utf8"))
        found, doubts = known.get("lost", {}), known.get("doubts", [])
    except (OSError, ValueError, AttributeError):
        return []
    files = {name: layer.path for name, layer in {**step.layers, **step.stacks}.items()}
    problems = [
        Problem(code, fields | ({"file": files[fields["name"]]} if "name" in fields else {}))
        for code, fields in doubts
    ]
    for name in [name for name in step.stacks if name in found]:
        lost, counts = found[name], found[name]["steps"]
        names = dates(step.preparation.series[name].step, step.year)
        most = sorted(counts, key=lambda n: (-counts[n], int(n)))
        said = listed([f"{names[int(n)]} ({counts[n]})" for n in most])
        fields = {"name": name, "file": step.stacks[name].path, "raster": step.name, "dates": said}
        share = f"{lost['pixels'] / max(1, lost['inside']):.2%}"
        problems.append(Problem("W805", fields | {"count": lost["pixels"], "share": share}))
    return problems


def plain(problem: Problem) -> tuple[str, dict[str, str]]:
    """Code and fields of a problem; without the path, so that it is the same in every folder."""
    said = {name: f"{value}" for name, value in problem.fields.items() if name != "file"}
    return problem.code, said


def listed(names: Sequence[str]) -> str:
    """Return the first few of some names, and how many more there are."""
    return ", ".join(names[:6]) + (f" + {len(names) - 6}" if len(names) > 6 else "")


def code() -> str:
    """Digest of the code that makes rasters: the package, its libraries, Python."""
    libraries = {name: version(name) for name in LIBRARIES}
    return store.digest(store.canonical([package_digest(), libraries]))


def is_ready(step: Step) -> bool:
    """Tell whether the raster is there, made by this very code, and as it was written."""
    try:
        said = json.loads(step.sidecar.read_text("utf8"))
        same = said["identity"] == json.loads(store.canonical(step.identity))
        return bool(
            same and said["code"] == code() and said["sha256"] == store.digest_file(step.path)
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False
