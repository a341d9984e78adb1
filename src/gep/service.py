"""A service: scalar kernels and the units of everything around them; the registry finds them."""

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from gep.ecosystems import Title, members
from gep.errors import Problem, ServiceError
from gep.units import factor, of_year, parse

GROUPS = ("provisioning", "regulating", "cultural")
AREA = "area"
"""Weight that needs no raster: spread by the area of the eligible ecosystems."""


def positive(weight: float) -> float:
    """Weight of a pixel when a county amount is spread; NaN in, NaN out.

    >>> positive(3.0), positive(-1.0)
    (3.0, 0.0)
    """
    return max(weight, 0.0)


@dataclass(frozen=True, kw_only=True)
class Example:
    """Arguments of a kernel by name, in declared units, and what it gives for them."""

    inputs: dict[str, float]
    gives: float


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """A quantity made by a kernel: from the pixels of rasters, or from the rows of a table.

    The kernel is a plain Python function of floats that calls nothing but `math`; it takes the
    rasters, then the columns, then the coefficients, in the order declared here. From pixels it
    gives a density (quantity per area), from a row the amount of that row.

    Of rows only: `measured` is an optional column (and its unit) whose cell, where it is filled,
    is the amount of the row instead of the kernel's. `items` lets a county have several rows.
    `worth` is a second kernel, giving the money of the row [CNY/year] in money of the table's
    year, where no price says it; each of the two kernels then takes what it needs of what is
    declared. `index` names the price index that moves such money to another year.
    """

    name: str
    title: Title
    kernel: Callable[..., float]
    rasters: dict[str, str] = field(default_factory=dict)
    table: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    coefficients: dict[str, str] = field(default_factory=dict)
    measured: tuple[str, str] | None = None
    items: bool = False
    worth: Callable[..., float] | None = None
    worth_example: Example | None = None
    index: str = ""
    ecosystems: tuple[str, ...]
    gives: str
    quantity: str
    quantum: float
    cap: tuple[str, str] | None = None
    price: tuple[str, str] | None = None
    spread: tuple[str, ...] = ()
    optional: bool = False
    example: Example
    source: str
    empirical: str = ""

    def __post_init__(self) -> None:
        self._check_kernels()
        for unit in (*self.rasters.values(), *self.columns.values(), *self.coefficients.values()):
            parse(unit)
        _check_amount(self)
        amount = self.gives if self.table else f"({self.gives}) * m^2"
        factor(amount, self.quantity, f"{self.name}: what the kernel gives")
        if self.cap:
            factor(self.cap[1], self.quantity, f"{self.name}: cap {self.cap[0]}")
        if self.measured:
            factor(self.measured[1], self.quantity, f"{self.name}: measured {self.measured[0]}")

    def _check_kernels(self) -> None:
        """Check what the kernels take, and that measured and worth stand where they can."""
        declared = [*self.rasters, *self.columns, *self.coefficients]
        takes = arguments(self.kernel)
        if self.worth is None and declared != takes:
            raise _wrong("E901", name=self.name, takes=takes, declared=declared)
        if self.worth is not None:
            worth = arguments(self.worth)
            for own in (takes, worth):
                if own != [name for name in declared if name in own]:
                    raise _wrong("E901", name=self.name, takes=own, declared=declared)
            if both := [name for name in declared if name not in (*takes, *worth)]:
                raise _wrong("E901", name=self.name, takes=[*takes, *worth], declared=both)
            if not self.table or self.price or self.worth_example is None:
                needs = "table, worth_example, price = None"
                raise _wrong("E908", name=self.name, what="worth", needs=needs)
        if self.measured and not self.table:
            raise _wrong("E908", name=self.name, what="measured", needs="table")

    @property
    def priced(self) -> bool:
        """Whether the quantity has money: by a price, or of its own."""
        return self.price is not None or self.worth is not None

    @property
    def needed(self) -> dict[str, str]:
        """Columns a table must have: all; with `worth`, those it takes."""
        if self.worth is None:
            return self.columns
        takes = arguments(self.worth)
        return {name: unit for name, unit in self.columns.items() if name in takes}

    @property
    def unit_factor(self) -> float:
        """Quantity, in its unit, of one unit of density on one square metre (or of one row)."""
        amount = self.gives if self.table else f"({self.gives}) * m^2"
        return factor(amount, self.quantity, self.name)


@dataclass(frozen=True, kw_only=True)
class Derived:
    """A quantity linear in another indicator: of × coefficients / coefficients, its own price."""

    name: str
    title: Title
    of: str
    times: dict[str, str] = field(default_factory=dict)
    per: dict[str, str] = field(default_factory=dict)
    quantity: str
    quantum: float
    price: tuple[str, str] | None = None
    optional: bool = False
    source: str

    def __post_init__(self) -> None:
        _check_amount(self)

    @property
    def priced(self) -> bool:
        """Whether the quantity has money."""
        return self.price is not None


@dataclass(frozen=True, kw_only=True)
class Products:
    """Open rows: every product of a group in the products table is an indicator of its own.

    `index` names the price index that moves the table's prices and money to another year.
    """

    name: str
    title: Title
    group: str
    ecosystems: tuple[str, ...]
    spread: tuple[str, ...] = ()
    index: str = "farm_producer_price"
    quantum: float = 1e-6
    table: str = "products"
    source: str

    def __post_init__(self) -> None:
        _check_quantum(self.name, self.quantum)


Any_indicator = Indicator | Derived | Products


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything the engine needs to know about one service by one method."""

    name: str
    method: str
    group: str
    title: Title
    seea: str
    source: str
    indicators: tuple[Any_indicator, ...]

    def __post_init__(self) -> None:
        if self.group not in GROUPS:
            raise _wrong("E902", name=self.name, group=self.group, known=", ".join(GROUPS))
        for indicator in self.indicators:
            if not isinstance(indicator, Derived):
                try:
                    members(indicator.ecosystems)
                except KeyError as error:
                    raise _wrong("E903", name=self.name, word=error.args[0]) from None

    def coefficients(self) -> dict[str, str]:
        """Every coefficient the service reads, with the unit it is needed in; prices not."""
        found: dict[str, str] = {}
        for i in self.indicators:
            if isinstance(i, Indicator):
                found |= i.coefficients
            elif isinstance(i, Derived):
                found |= i.times | i.per
        return found

    def rasters(self) -> dict[str, str]:
        """Every raster the kernels read, with its unit."""
        kernels = [i for i in self.indicators if isinstance(i, Indicator)]
        return {name: unit for i in kernels for name, unit in i.rasters.items()}

    def weights(self) -> tuple[str, ...]:
        """Every raster that only spreads county amounts: its unit cancels out."""
        spread = [i.spread for i in self.indicators if not isinstance(i, Derived)]
        return tuple(name for names in spread for name in names if name != AREA)


@cache
def arguments(kernel: Callable[..., float]) -> list[str]:
    """Names of the arguments of a kernel, in order.

    >>> arguments(positive)
    ['weight']
    """
    return list(inspect.signature(kernel).parameters)


def _wrong(code: str, **fields: object) -> ServiceError:
    return ServiceError(Problem(code, fields))


def _check_quantum(name: str, quantum: float) -> None:
    if quantum <= 0 or not math.isclose(10 ** round(math.log10(quantum)), quantum, rel_tol=1e-12):
        raise _wrong("E904", name=name, quantum=quantum)


def _check_amount(indicator: Indicator | Derived) -> None:
    """Check the quantum, and that quantity times price is money of a year."""
    _check_quantum(indicator.name, indicator.quantum)
    parse(indicator.quantity)
    if indicator.price:
        name, unit = indicator.price
        money = f"({indicator.quantity}) * ({of_year(unit, 2020)})"
        factor(money, "CNY_2020 / year", f"{indicator.name}: quantity times {name}")


@cache
def services() -> dict[tuple[str, str], Service]:
    """Every service by (name, method): one per module of gep.services."""
    package = importlib.import_module("gep.services")
    modules = [m.name for m in pkgutil.iter_modules(package.__path__, "gep.services.")]
    found = [importlib.import_module(module).SERVICE for module in sorted(modules)]
    return register(found)


def register(found: list[Service]) -> dict[tuple[str, str], Service]:
    """Registry of *found* services, after checking what concerns several of them.

    Raises
    ------
    ServiceError
        E905 two services of one name and method, E906 one raster in two units, E907 a derived
        indicator of one that does not exist.
    UnitError
        E603 if a derived quantity does not follow from its parts.
    """
    registry: dict[tuple[str, str], Service] = {}
    units: dict[str, str] = {}
    for service in found:
        key = (service.name, service.method)
        if key in registry:
            raise _wrong("E905", name=service.name, method=service.method)
        registry[key] = service
        for raster, unit in service.rasters().items():
            if units.setdefault(raster, unit) != unit:
                raise _wrong(
                    "E906", name=service.name, raster=raster, unit=unit, other=units[raster]
                )
    for service in found:
        for i in service.indicators:
            if isinstance(i, Derived):
                _check_derived(service, i, registry)
    return registry


def _check_derived(service: Service, d: Derived, registry: dict[tuple[str, str], Service]) -> None:
    owner, name = source_of(service, d)
    names = {i.name: i for key, s in registry.items() if key[0] == owner for i in s.indicators}
    base = names.get(name)
    if not isinstance(base, Indicator):
        raise _wrong("E907", name=f"{service.name}.{d.name}", of=d.of)
    made = f"({base.quantity})"
    made += "".join(f" * ({unit})" for unit in d.times.values())
    made += "".join(f" / ({unit})" for unit in d.per.values())
    factor(made, d.quantity, f"{service.name}.{d.name}")


def source_of(service: Service, derived: Derived) -> tuple[str, str]:
    """Service and indicator a derived indicator is made of.

    `of` is `indicator` within the service, or `service.indicator`.
    """
    owner, _, name = derived.of.rpartition(".")
    return owner or service.name, name
