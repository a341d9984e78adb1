"""What a raster variable is called and what it may hold."""

from dataclasses import dataclass
from functools import cache

from gep.ecosystems import Title
from gep.shipped import folder, read_toml
from gep.units import factor


@dataclass(frozen=True)
class Variable:
    """One raster variable: its name in both languages and its ranges in `unit`."""

    title: Title
    unit: str
    possible: tuple[float, float]
    usual: tuple[float, float]
    never_zero: bool = False


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
        )
        for name, entry in entries.items()
    }


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
