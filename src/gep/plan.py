"""Definition + profile + headers → what will be read, computed and left out."""

import difflib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gep import coefficients, counties, products, profile, rasters, statistics
from gep.coefficients import Book, Coefficient, Value
from gep.config import Definition, RasterSection, locate
from gep.ecosystems import Legend, ecosystems, legend, members
from gep.errors import GepError, InputError, Problem, messages
from gep.fuse import Column
from gep.layers import variables
from gep.profile import Choice, Profile
from gep.rasters import Grid, Layer
from gep.service import AREA, Derived, Indicator, Products, Service, positive, services, source_of
from gep.statistics import Table
from gep.units import exact, factor, of_year

ECOSYSTEM = "ecosystem"
COMPARED = {"population": "person", "gdp": "CNY"}
"""Tables of one value per county that the account is compared with, and their units."""


@dataclass(frozen=True)
class Accumulator:
    """One column of the loop, the classes it takes, and quanta per unit of density and m^2."""

    column: Column
    eligible: tuple[int, ...]
    weight: float


@dataclass(frozen=True)
class Item:
    """One indicator of the account: where its amounts come from and what prices them."""

    service: Service
    choice: Choice
    indicator: Indicator | Derived | Products
    accumulator: int | None = None
    coefficients: dict[str, Coefficient] = field(default_factory=dict)
    price: Coefficient | None = None
    counted: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """Service and indicator."""
        return self.service.name, self.indicator.name


@dataclass(frozen=True)
class Uncovered:
    """A counted service, or an indicator of one, that this account cannot give, and why."""

    service: str
    indicator: str
    reason: Problem


@dataclass
class Plan:
    """Everything a run needs, and what it will not give."""

    definition: Definition
    folder: Path
    profile: Profile
    book: Book
    grid: Grid
    counties: counties.Counties
    legend: Legend
    layers: list[Layer]
    tables: dict[str, Table]
    items: list[Item] = field(default_factory=list)
    accumulators: list[Accumulator] = field(default_factory=list)
    lookups: list[NDArray[np.float64]] = field(default_factory=list)
    uncovered: list[Uncovered] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    @property
    def output(self) -> Path:
        """Folder of runs, as the definition says."""
        return self.folder / self.definition.output.folder


@contextmanager
def gathering(problems: list[Problem]) -> Generator[None, None, None]:
    """Note the problems of an error instead of stopping at it."""
    try:
        yield
    except GepError as error:
        problems += error.problems


def make(
    definition: Definition,
    folder: Path,
    registry: dict[tuple[str, str], Service] | None = None,
) -> tuple[Plan | None, list[Problem]]:
    """Plan of an account, and every problem that headers, tables and polygons show.

    The plan is None where what is wrong leaves nothing to plan with.
    """
    problems: list[Problem] = []
    known = services() if registry is None else registry
    chosen_profile = chosen_book = chosen_legend = grid = found = None
    with gathering(problems):
        chosen_profile = profile.load(definition.account.profile)
    with gathering(problems):
        chosen_book, wrong = _book(definition, folder)
        problems += wrong
    with gathering(problems):
        chosen_legend = _legend(definition, folder)
    with gathering(problems):
        if ECOSYSTEM not in definition.rasters:
            raise InputError(Problem("E005", {"file": "gep.toml", "key": f"rasters.{ECOSYSTEM}"}))
        grid, wrong = rasters.grid(locate(folder, definition.rasters[ECOSYSTEM].file))
        problems += wrong
    layers, faulty = _layers(definition, folder, known, grid, problems)
    if grid is not None:
        with gathering(problems):
            found, wrong = counties.load(definition.counties, folder, grid)
            problems += wrong
    elif not locate(folder, definition.counties.file).is_file():
        missing = {"at": "counties", "file": locate(folder, definition.counties.file)}
        problems.append(Problem("E004", missing))
    tables = {}
    for name, section in definition.statistics.items():
        with gathering(problems):
            tables[name] = statistics.load(name, section, folder, definition.account.year)
            if tables[name].year != definition.account.year:
                fields = {"name": name, "year": section.year, "want": definition.account.year}
                problems.append(Problem("W013", fields))
    for code in sorted(definition.accept.keys() - _acceptable()):
        problems.append(Problem("E010", {"code": code, "known": ", ".join(sorted(_acceptable()))}))
    if None in (chosen_profile, chosen_book, chosen_legend, grid, found) or ECOSYSTEM in faulty:
        return None, _once(problems)
    assert chosen_profile
    assert chosen_book
    assert chosen_legend
    assert grid
    assert found
    plan = Plan(
        definition, folder, chosen_profile, chosen_book, grid, found, chosen_legend, layers, tables
    )
    plan.faulty = faulty
    _fill(plan, known, problems)
    problems += _idle(plan)
    return plan, [_accepted(problem, definition) for problem in _once(problems)]


def _once(problems: list[Problem]) -> list[Problem]:
    """Return *problems* without those that were found twice."""
    return [problem for n, problem in enumerate(problems) if problem not in problems[:n]]


def _acceptable() -> set[str]:
    """Codes of findings a user may accept with a written reason."""
    warnings = {code for code in messages() if code.startswith("W") and code != "W010"}
    return {"E103", "E304", "E305", "E306", "E401", "E403"} | warnings


def _accepted(problem: Problem, definition: Definition) -> Problem:
    """Turn an accepted error into a warning that carries the reason."""
    reason = definition.accept.get(problem.code)
    if reason is None:
        return problem
    fields = {"code": problem.code, "reason": reason, "text": problem.text("en")}
    return Problem("W010", fields | {"text_zh": problem.text("zh")})


def accept(problems: list[Problem], definition: Definition) -> list[Problem]:
    """Return *problems* with those the definition accepts turned into warnings."""
    return [_accepted(problem, definition) for problem in problems]


def _book(definition: Definition, folder: Path) -> tuple[Book, list[Problem]]:
    if definition.coefficients is None:
        return coefficients.load()
    path = locate(folder, definition.coefficients.overrides)
    if not path.exists():
        raise InputError(Problem("E004", {"at": "coefficients", "file": path}))
    return coefficients.load(path)


def _senseless(name: str, section: RasterSection) -> list[Problem]:
    """Keys of a raster section that cannot be meant for what it holds."""
    codes = name == ECOSYSTEM
    keys = {"scale", "offset", "valid", "unit"} if codes else {"legend"}
    said = sorted(keys & section.model_fields_set)
    if codes and section.resampling == "bilinear":
        said.append('resampling = "bilinear"')
    if not codes and section.kind == "class":
        said.append('kind = "class"')
    return [Problem("E020", {"name": name, "keys": ", ".join(said)})] if said else []


def _idle(plan: Plan) -> list[Problem]:
    """Overrides that change nothing: the profile uses another set, or a number of its own."""
    live: set[tuple[str, str, str]] = set()
    used: dict[tuple[str, str], set[str]] = {}
    for item in plan.items:
        for c in (*item.coefficients.values(), *filter(None, [item.price])):
            key, value = (c.file.removesuffix(".toml"), c.name), c.values.get(("",))
            own = value is not None and value.source == "profile"
            if not own:
                live.add((*key, c.set))
            used.setdefault(key, set()).add(f"{c.name} = {value.number}" if value and own else c.at)
    idle = [place for place in plan.book.overridden if place not in live and place[:2] in used]
    return [
        Problem(
            "W525",
            {
                "at": f"{file}.toml: {name}" + (f".sets.{chosen}" if chosen else ""),
                "profile": plan.profile.name,
                "used": ", ".join(sorted(used[file, name])),
            },
        )
        for file, name, chosen in idle
    ]


def _legend(definition: Definition, folder: Path) -> Legend:
    section = definition.rasters.get(ECOSYSTEM)
    if section is None or section.legend is None:
        raise InputError(Problem("E005", {"file": "gep.toml", "key": "rasters.ecosystem.legend"}))
    return legend(section.legend, folder)


def _layers(
    definition: Definition,
    folder: Path,
    registry: dict[tuple[str, str], Service],
    grid: Grid | None,
    problems: list[Problem],
) -> tuple[list[Layer], set[str]]:
    """Sound layers some service can use, ecosystem first, and the names of the faulty ones."""
    weights = [name for service in registry.values() for name in service.weights()]
    units = {name: variables()[name].unit for name in weights if name in variables()}
    for service in registry.values():
        units |= service.rasters()
    layers: list[Layer] = []
    faulty = set()
    for name in sorted(definition.rasters, key=lambda name: name != ECOSYSTEM):
        section = definition.rasters[name]
        if name != ECOSYSTEM and name not in units:
            close = difflib.get_close_matches(name, sorted(units), 1)
            if close:
                said = {"file": "gep.toml", "key": f"rasters.{name}", "known": close[0]}
                problems.append(Problem("E002", said))
                faulty.add(close[0])
                continue
            known = ", ".join(sorted(units))
            problems.append(Problem("W011", {"name": name, "known": known}))
            continue
        wrong = _senseless(name, section)
        with gathering(wrong):
            layer, found = rasters.inspect(
                name, section, locate(folder, section.file), units.get(name, "")
            )
            wrong += found
            if grid is not None and name != ECOSYSTEM:
                wrong += rasters.compare(layer, grid)
            if section.year is not None and section.year != definition.account.year:
                fields = {"name": name, "year": section.year, "want": definition.account.year}
                wrong.append(Problem("W012", fields))
        if any(problem.is_error for problem in wrong):
            faulty.add(name)
        else:
            layers.append(layer)
        problems += wrong
    return layers, faulty


def _fill(plan: Plan, registry: dict[tuple[str, str], Service], problems: list[Problem]) -> None:
    """Items, accumulators and what is not covered, service by service in the profile's order."""
    for choice in plan.profile.choices.values():
        service = registry.get((choice.service, choice.method))
        wanted = choice.counted is True or choice.service in plan.definition.account.optional
        if choice.counted is False or not wanted:
            continue
        if service is None:
            fields = {"service": choice.service, "method": choice.method or "-"}
            plan.uncovered.append(Uncovered(choice.service, "", Problem("W101", fields)))
            continue
        with gathering(problems):
            _add_service(plan, choice, service, problems)
    groups: dict[str, dict[str, str]] = {}
    for service in registry.values():
        for i in service.indicators:
            if isinstance(i, Products):
                groups.setdefault(i.table, {})[i.group] = service.title.zh
    for name, known in groups.items():
        if name in plan.tables:
            problems += products.check_groups(plan.tables[name], known)
    for name, unit in COMPARED.items():
        if name in plan.tables:
            table = plan.tables[name]
            needed = {"value": of_year(unit, table.year)}
            problems += statistics.check(table, needed, plan.counties.codes)
    allowed = [c.service for c in plan.profile.choices.values() if c.counted == "optional"]
    for name in plan.definition.account.optional:
        if name not in allowed:
            said = {"file": "gep.toml", "key": f"account.optional: {name}"}
            problems.append(Problem("E002", said | {"known": ", ".join(allowed)}))
    for pair in plan.profile.exclusive:
        both = [name for name in pair if any(i.service.name == name for i in plan.items)]
        if len(both) > 1:
            problems.append(Problem("E011", {"services": ", ".join(both)}))
    for item in [i for i in plan.items if isinstance(i.indicator, Derived)]:
        with gathering(problems):
            _add_base(plan, item, registry)


def _add_service(plan: Plan, choice: Choice, service: Service, problems: list[Problem]) -> None:
    for indicator in service.indicators:
        if getattr(indicator, "optional", False) and indicator.name not in choice.include:
            continue
        if plan.faulty & {*getattr(indicator, "rasters", {})}:
            continue
        reason = _lacking(plan, service, indicator)
        if reason is not None:
            plan.uncovered.append(Uncovered(service.name, indicator.name, reason))
            continue
        with gathering(problems):
            plan.items.append(_item(plan, choice, service, indicator, problems))


def _lacking(
    plan: Plan, service: Service, indicator: Indicator | Derived | Products
) -> Problem | None:
    """What an indicator needs and the definition does not name; None if nothing."""
    fields: dict[str, object] = {"service": service.name, "indicator": indicator.name}
    if isinstance(indicator, Products):
        table = plan.tables.get(indicator.table)
        if table is None:
            return Problem("W103", fields | {"table": indicator.table})
        if all(row.cells.get("group") != indicator.group for row in table.rows):
            return Problem("W104", fields | {"table": indicator.table, "group": indicator.group})
        return None
    if isinstance(indicator, Derived):
        owner, name = source_of(service, indicator)
        base = next((u for u in plan.uncovered if (u.service, u.indicator) == (owner, name)), None)
        return Problem("W105", fields | {"of": f"{owner}.{name}"}) if base else None
    given = {layer.name for layer in plan.layers}
    absent = [name for name in indicator.rasters if name not in given]
    if absent:
        return Problem("W102", fields | {"rasters": ", ".join(absent)})
    table_name = indicator.table or (indicator.cap[0].split(".")[0] if indicator.cap else "")
    if table_name and table_name not in plan.tables:
        return Problem("W103", fields | {"table": table_name})
    return None


def _item(
    plan: Plan,
    choice: Choice,
    service: Service,
    indicator: Indicator | Derived | Products,
    problems: list[Problem],
) -> Item:
    codes = plan.counties.codes
    if isinstance(indicator, Products):
        problems += products.check(plan.tables[indicator.table], indicator.group, codes)
        item = Item(service, choice, indicator)
        return replace(item, accumulator=_spread(plan, indicator))
    needed = (
        indicator.coefficients
        if isinstance(indicator, Indicator)
        else indicator.times | indicator.per
    )
    found = {name: _coefficient(plan, choice, name, unit) for name, unit in needed.items()}
    price = None
    if indicator.price:
        key = choice.prices.get(indicator.name, indicator.price[0])
        price = _coefficient(plan, choice, key, "")
        problems += _unpriced(plan, price, indicator.price[1])
    item = Item(service, choice, indicator, None, found, price)
    if isinstance(indicator, Derived):
        return item
    if indicator.table:
        problems += _check_rows(plan.tables[indicator.table], indicator, codes)
        return replace(item, accumulator=_spread(plan, indicator))
    if indicator.cap:
        table, column = indicator.cap[0].split(".")
        problems += [
            problem
            for problem in statistics.check(plan.tables[table], {column: indicator.cap[1]}, codes)
            if problem not in problems
        ]
    return replace(item, accumulator=_accumulate(plan, indicator, found))


def _check_rows(table: Table, i: Indicator, codes: tuple[str, ...]) -> list[Problem]:
    """Everything wrong with the rows an indicator is made of.

    A column only the formula needs may be absent where every row is measured.
    """
    known = table.rows[0].cells
    columns = dict(i.needed)
    if i.measured and table.has_all(i.measured[0]):
        columns = {}
    columns |= {name: unit for name, unit in i.columns.items() if name in known}
    if i.measured and i.measured[0] in known:
        columns |= dict([i.measured])
    item = statistics.ITEM if statistics.ITEM in known else statistics.REPEATS if i.items else ""
    return statistics.check(table, columns, codes, item)


def _unpriced(plan: Plan, price: Coefficient, unit: str) -> list[Problem]:
    """Why a price cannot be had in the money of the price year, if it cannot anywhere."""
    county, year = plan.counties.codes[0], plan.definition.price_year
    found = [plan.book.price(price, unit, year, county=county, ecosystem=e) for e in ecosystems()]
    lacking = [problem for problem in found if isinstance(problem, Problem)]
    return lacking[:1] if len(lacking) == len(found) else []


def _coefficient(plan: Plan, choice: Choice, name: str, unit: str) -> Coefficient:
    """Coefficient as the profile wants it, its unit checked against the declared one."""
    fields = {"profile": plan.profile.name, "service": choice.service, "name": name}
    found = plan.book.coefficient(choice.service, name, choice.sets.get(name, ""))
    if found is None:
        raise InputError(Problem("E012", fields | {"set": choice.sets.get(name, "-")}))
    if unit:
        factor(found.unit, unit, found.at)
    if name in choice.parameters:
        number = choice.parameters[name]
        if found.by != ("constant",):
            raise InputError(Problem("E013", fields))
        low, high = found.range
        if not low <= number <= high:
            fields_range = {"at": found.at, "value": number, "low": low, "high": high}
            raise InputError(Problem("E522", fields_range))
        value = Value(number, "design", "", "profile", plan.profile.name)
        found = replace(found, values={("",): value})
    return found


def _eligible(indicator: Indicator | Products) -> tuple[int, ...]:
    return tuple(ecosystem.index for ecosystem in members(indicator.ecosystems))


def _accumulate(plan: Plan, i: Indicator, found: dict[str, Coefficient]) -> int:
    """Return the number of the column that sums *i*; indicators alike in all share one."""
    numbers = {layer.name: n for n, layer in enumerate(plan.layers[1:])}
    year = plan.definition.account.year
    lookups = []
    for name, unit in i.coefficients.items():
        table = found[name].table(unit, list(plan.counties.places), year)
        lookups.append(_position(plan.lookups, table))
    column = Column(i.kernel, tuple(numbers[name] for name in i.rasters), tuple(lookups))
    weight = float(exact(i.unit_factor) / exact(i.quantum))  # 1000, not 1000 + 1e-13
    return _column(plan, Accumulator(column, _eligible(i), weight))


def _spread(plan: Plan, i: Indicator | Products) -> int | None:
    """Return the column of the first weight raster there is; None means weights by area."""
    numbers = {layer.name: n for n, layer in enumerate(plan.layers[1:])}
    for name in i.spread:
        if name == AREA:
            return None
        if name in numbers:
            column = Column(positive, (numbers[name],), ())
            return _column(plan, Accumulator(column, _eligible(i), 1.0))
    return None


def _column(plan: Plan, wanted: Accumulator) -> int:
    if wanted not in plan.accumulators:
        plan.accumulators.append(wanted)
    return plan.accumulators.index(wanted)


def _position(kept: list[NDArray[np.float64]], table: NDArray[np.float64]) -> int:
    for number, other in enumerate(kept):
        if np.array_equal(other, table, equal_nan=True):
            return number
    kept.append(table)
    return len(kept) - 1


def _add_base(plan: Plan, item: Item, registry: dict[tuple[str, str], Service]) -> None:
    """Add the indicator a derived one is made of, uncounted, where the profile leaves it out."""
    assert isinstance(item.indicator, Derived)
    key = source_of(item.service, item.indicator)
    if any(other.key == key for other in plan.items):
        return
    choice = plan.profile.choices.get(key[0], Choice(key[0], False))
    for (name, method), service in registry.items():
        if name == key[0] and choice.method in ("", method):
            base = next(i for i in service.indicators if i.name == key[1])
            if plan.faulty & {*getattr(base, "rasters", {})}:
                plan.items.remove(item)
                return
            reason = _lacking(plan, service, base)
            if reason is not None:
                plan.items.remove(item)
                plan.uncovered.append(Uncovered(*item.key, reason))
                return
            added = _item(plan, replace(choice, method=method), service, base, [])
            plan.items.append(replace(added, counted=False))
            return
