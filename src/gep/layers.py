"""What the inputs are called, who has them, and what a raster variable may hold."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from gep.ecosystems import Title
from gep.shipped import folder, read_toml
from gep.units import factor

UNKNOWN = Title("—", "—")
TEXTURE = ("sand", "silt", "clay")
WHOLE_SOIL = 1.0
SOIL_SLACK = 0.02
"""By how much the three parts of a soil may miss the whole."""


@dataclass(frozen=True)
class Published:
    """Lowest and highest value reported of the humid south."""

    low: float
    high: float
    source: str


@dataclass(frozen=True)
class Variable:
    """One raster variable: its name in both languages, its ranges in `unit`, who has it.

    `slips` are factors by which it is often wrong, beside powers of ten and twelve; `published`
    what is reported of the humid south. `classes`: its numbers are names, never to be mixed.
    """

    title: Title
    unit: str
    possible: tuple[float, float]
    usual: tuple[float, float]
    never_zero: bool = False
    slips: tuple[float, ...] = ()
    published: Published | None = None
    office: Title = UNKNOWN
    classes: bool = False


@dataclass(frozen=True)
class Record:
    """Polygons, land cover or a department table: its name, and who usually has it."""

    title: Title
    office: Title


@cache
def variables() -> dict[str, Variable]:
    """Every variable that has an entry, by raster name."""
    entries = read_toml(folder("coefficients") / "layers.toml")
    return {
        name: Variable(
            Title(**entry["title"]),
            entry["unit"],
            (float(entry["possible"][0]), float(entry["possible"][1])),
            (float(entry["usual"][0]), float(entry["usual"][1])),
            entry.get("never_zero", False),
            tuple(map(float, entry.get("slips", ()))),
            _published(entry["published"]) if "published" in entry else None,
            Title(**entry["from"]) if "from" in entry else UNKNOWN,
            entry.get("classes", False),
        )
        for name, entry in entries.items()
    }


def _published(entry: dict[str, Any]) -> Published:
    low, high = map(float, entry["range"])
    return Published(low, high, entry["source"])


@cache
def records() -> dict[str, Record]:
    """Every input that is no raster variable and has an entry, by name."""
    entries = read_toml(folder("coefficients") / "inputs.toml")
    return {
        name: Record(Title(**entry["title"]), Title(**entry["from"]))
        for name, entry in entries.items()
    }


def of_classes(name: str) -> bool:
    """Tell whether the numbers of a layer are classes: nothing lies between two of them."""
    variable = variables().get(name)
    return variable is not None and variable.classes


def possible(name: str, unit: str) -> tuple[float, float] | None:
    """Lowest and highest value physics allows, in *unit*; None where nothing is said."""
    variable = variables().get(name)
    if variable is None:
        return None
    times = factor(variable.unit, unit, f"layers.{name}")
    return variable.possible[0] * times, variable.possible[1] * times


def usual(name: str, unit: str) -> tuple[float, float] | None:
    """Range in which the median of a real layer lies, in *unit*; None where nothing is said."""
    variable = variables().get(name)
    if variable is None:
        return None
    times = factor(variable.unit, unit, f"layers.{name}")
    return variable.usual[0] * times, variable.usual[1] * times
