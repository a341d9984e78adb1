"""A preparation: how one factor raster is made from raw data; the registry finds them."""

import calendar
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gep.ecosystems import Title
from gep.errors import Problem, ServiceError
from gep.service import Example
from gep.units import parse

Step = Literal["day", "month"]
CALENDAR = {"day": ("month", "half_month"), "month": ("days",)}
"""What a kernel of a series may also ask for, one number per step: the month (1 to 12) and the
half-month (1 to 24) of every day; the days of every month."""


@dataclass(frozen=True, kw_only=True)
class Series:
    """A stack of layers through one year: its unit per step, a day or a month."""

    unit: str
    step: Step


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """One way of making one raster.

    `name` is the raster it makes, as in coefficients/layers.toml. The kernel is a plain Python
    function of floats that calls nothing but `math`, plain functions of its own module and those
    of gep.weather, which are compiled with it; it takes the rasters, then the series, then
    what it asks of the calendar, then the coefficients, in the order declared here, and gives the
    value of one pixel. A series arrives as a sequence of floats, one per step. A `whole`
    preparation needs the neighbours of a pixel: its kernel takes float64 arrays (rows, columns)
    with NaN where there is nothing, `cell` [m] as the heights and the widths of the pixels (two
    arrays, by row or of each), and gives such an array.

    A whole preparation with a `place` takes `latitude` [degree] of every pixel after `cell`.

    `memory` is what a whole preparation holds at its peak in bytes per pixel of the grid, as
    benchmarks/preparations.py measures it; where the machine has less, it is not begun.

    Each of the coefficients named in `rising` must be below the next; of each two series in
    `ordered` the first is never above the second.

    Coefficients stand in coefficients/<name>.toml; by ecosystem they are those of the pixel: a
    whole kernel gets them as arrays (rows, columns), NaN where a class has none.
    """

    name: str
    method: str
    title: Title
    kernel: Callable[..., object]
    rasters: dict[str, str] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    calendar: tuple[str, ...] = ()
    coefficients: dict[str, str] = field(default_factory=dict)
    rising: tuple[str, ...] = ()
    ordered: tuple[tuple[str, str], ...] = ()
    gives: str
    whole: bool = False
    place: bool = False
    memory: int = 0
    example: Example | None = None
    source: str

    def __post_init__(self) -> None:
        takes = list(inspect.signature(self.kernel).parameters)
        declared = [*self.rasters, *self.series, *self.calendar, *self.coefficients]
        if self.whole:
            declared += ["cell", "latitude"] if self.place else ["cell"]
        if takes != declared:
            fields = {"name": f"{self.name} ({self.method})", "takes": takes, "declared": declared}
            raise ServiceError(Problem("E901", fields))
        known = [word for one in self.series.values() for word in CALENDAR[one.step]]
        if strange := [word for word in self.calendar if word not in known]:
            fields = {"name": f"{self.name} ({self.method})", "takes": strange, "declared": known}
            raise ServiceError(Problem("E901", fields))
        units = [*self.rasters.values(), *self.coefficients.values(), self.gives]
        for unit in (*units, *(series.unit for series in self.series.values())):
            parse(unit)

    @property
    def key(self) -> tuple[str, str]:
        """Raster and method."""
        return self.name, self.method


def dates(step: str, year: int) -> list[str]:
    """Name of every step of a year.

    >>> dates("day", 2020)[59], dates("month", 2020)[11]
    ('2020-02-29', '2020-12')
    """
    if step == "month":
        return [f"{year}-{month:02}" for month in range(1, 13)]
    return [
        f"{year}-{month:02}-{day:02}"
        for month in range(1, 13)
        for day in range(1, calendar.monthrange(year, month)[1] + 1)
    ]


def almanac(word: str, year: int) -> NDArray[np.float64]:
    """Return what a kernel asks of the calendar, one number per step.

    >>> almanac("days", 2021)[:3], almanac("half_month", 2021)[[14, 15, 364]]
    (array([31., 28., 31.]), array([ 1.,  2., 24.]))
    """
    lengths = [calendar.monthrange(year, month)[1] for month in range(1, 13)]
    if word == "days":
        return np.array(lengths, float)
    month = np.repeat(np.arange(1, 13), lengths)
    if word == "month":
        return month.astype(float)
    day = np.concatenate([np.arange(1, length + 1) for length in lengths])
    return (2 * month - (day <= 15)).astype(float)


def steps_of(series: Series, year: int) -> int:
    """Return how many steps a series has in a year."""
    return 12 if series.step == "month" else 365 + calendar.isleap(year)


@cache
def preparations() -> dict[tuple[str, str], Preparation]:
    """Every preparation by (raster, method), the best method of a raster first.

    One module of gep.preparations per raster holds PREPARATIONS, a tuple in that order.
    """
    package = importlib.import_module("gep.preparations")
    modules = [m.name for m in pkgutil.iter_modules(package.__path__, "gep.preparations.")]
    found: dict[tuple[str, str], Preparation] = {}
    for module in sorted(modules):
        for preparation in importlib.import_module(module).PREPARATIONS:
            if preparation.key in found:
                name, method = preparation.key
                raise ServiceError(Problem("E905", {"name": name, "method": method}))
            found[preparation.key] = preparation
    check_order(found.values())
    return found


def check_order(found: Iterable[Preparation]) -> None:
    """Raise ServiceError E813 if a raster is, in the end, made of itself."""
    graph: dict[str, set[str]] = {}
    for preparation in found:
        graph.setdefault(preparation.name, set()).update(preparation.rasters, preparation.series)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " → ".join(reversed(error.args[1]))
        raise ServiceError(Problem("E813", {"circle": circle})) from None
