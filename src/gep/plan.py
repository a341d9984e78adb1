"""Definition + profile + headers → what will be read, computed and left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gep import inputs, products, statistics
from gep.acceptance import accept
from gep.coefficients import CALLER, Coefficient, Value
from gep.columns import COMPARED
from gep.config import Definition
from gep.ecosystems import ecosystems, members
from gep.errors import InputError, Problem, gathering
from gep.fuse import Column
from gep.inputs import Inputs
from gep.profile import Choice
from gep.replacements import Said
from gep.service import AREA, Derived, Indicator, Products, Service, positive, services, source_of
from gep.statistics import Table
from gep.text import near
from gep.units import exact, factor, of_year
from gep.variants import Variant, variants


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
class Plan(Inputs):
    """Everything a run needs, and what it will not give."""

    items: list[Item] = field(default_factory=list)
    accumulators: list[Accumulator] = field(default_factory=list)
    lookups: list[NDArray[np.float64]] = field(default_factory=list)
    uncovered: list[Uncovered] = field(default_factory=list)
    variants: list[tuple[Variant, "Plan"]] = field(default_factory=list)


def make(
    definition: Definition,
    folder: Path,
    registry: dict[tuple[str, str], Service] | None = None,
    known: Inputs | None = None,
    said: Mapping[str, Said] | None = None,
) -> tuple[Plan | None, list[Problem]]:
    """Plan of an account, and every problem that headers, tables and polygons show.

    *known* and *said* are as `inputs.load` takes them. The plan is None where what is wrong leaves
    nothing to plan with.
    """
    registry = services() if registry is None else registry
    read, problems = inputs.load(definition, folder, registry, known, said)
    if read is None:
        return None, accept(_once(problems), definition)
    plan = Plan(**vars(read))
    _add_services(plan, registry, problems)
    problems += [*_check_tables(plan, registry), *_check_choices(plan), *_idle(plan)]
    problems += [*_unused(plan, said or {}), *_without_rows(plan)]
    for variant in variants():
        _add_variant(plan, variant, registry)
    return plan, accept(_once(problems), definition)


def _once(problems: list[Problem]) -> list[Problem]:
    """Return *problems* without those that were found twice."""
    return [problem for n, problem in enumerate(problems) if problem not in problems[:n]]


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


def _unused(plan: Plan, said: Mapping[str, Said]) -> list[Problem]:
    """Numbers of a scenario that nothing in the account reads: E019."""
    used = {f"{s.name}.{c.name}" for s in plan.steps for c in s.coefficients.values()}
    for i in plan.items:
        own = plan.book.services.get(i.service.name, {})
        for c in (*i.coefficients.values(), *filter(None, [i.price])):
            used.add(f"{i.service.name if c.name in own else 'prices'}.{c.name}")
    used |= {name.rpartition(".")[2] for name in used}
    call, why = "Account.scenario", "nothing in this account uses it"
    return [
        Problem("E019", {"call": call, "why": f"{n}: {why}", "why_zh": f"{n}：本核算没有用到它"})
        for n in said
        if n not in used
    ]


def _add_services(
    plan: Plan,
    registry: Mapping[tuple[str, str], Service],
    problems: list[Problem],
    only: tuple[str, ...] = (),
    known: Sequence[Item] = (),
) -> None:
    """Items, accumulators and what is not covered, service by service in the profile's order.

    Items that are *known* are taken where the choice is the same: they have been checked.
    """
    there = {item.key: item for item in known}
    for choice in plan.profile.choices.values():
        service = registry.get((choice.service, choice.method))
        wanted = choice.counted is True or choice.service in plan.definition.account.optional
        if choice.counted is False or not wanted or (only and choice.service not in only):
            continue
        if choice.service in plan.definition.account.without:
            reason = Problem("W106", {"service": choice.service})
            plan.uncovered.append(Uncovered(choice.service, "", reason))
            continue
        if service is None:
            fields = {"service": choice.service, "method": choice.method or "-"}
            plan.uncovered.append(Uncovered(choice.service, "", Problem("W101", fields)))
            continue
        with gathering(problems):
            _add_service(plan, choice, service, problems, there)
    for item in [i for i in plan.items if isinstance(i.indicator, Derived)]:
        with gathering(problems):
            _add_base(plan, item, registry)


def _add_variant(plan: Plan, variant: Variant, registry: Mapping[tuple[str, str], Service]) -> None:
    """Plan the services a variant changes, their columns among those of *plan*.

    A variant that changes nothing, or that the inputs do not allow, is left out.
    """
    used = variant.profile(plan.profile)
    keys = {item.key for item in plan.items}
    named = {(s, i) for s, i in (k.split(".") for k in (*variant.times, *variant.without))}
    if not keys & named and used == plan.profile:
        return
    problems: list[Problem] = []
    varied = replace(plan, profile=used, items=[], uncovered=[], variants=[])
    _add_services(varied, registry, problems, variant.services, plan.items)
    before = {i.key for i in plan.items if i.service.name in variant.services}
    if not any(p.is_error for p in problems) and before <= {item.key for item in varied.items}:
        plan.variants.append((variant, varied))


def _check_tables(plan: Plan, registry: Mapping[tuple[str, str], Service]) -> list[Problem]:
    """What is wrong with tables that several services read, or none."""
    problems: list[Problem] = []
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
    return problems


def _without_rows(plan: Plan) -> list[Problem]:
    """Counties that tables of rows do not name: nothing of them is in the account, nor missing."""
    names = dict(zip(plan.counties.codes, plan.counties.names, strict=True))
    problems: list[Problem] = []
    for item in plan.items:
        i = item.indicator
        if isinstance(i, Products):
            problems += statistics.without_rows(plan.tables[i.table], names, i.group)
        elif isinstance(i, Indicator) and i.table:
            problems += statistics.without_rows(plan.tables[i.table], names)
    return problems


def _check_choices(plan: Plan) -> list[Problem]:
    """Optional services the profile does not know, and services of which only one may count."""
    problems = []
    account = plan.definition.account
    choices = [c for c in plan.profile.choices.values() if c.counted is not False]
    optional = [c.service for c in choices if c.counted == "optional"]
    every = [c.service for c in choices]
    lists = (("optional", account.optional, optional), ("without", account.without, every))
    for key, named, allowed in lists:
        for name in named:
            if name not in allowed:
                said = {"file": "gep.toml", "key": f"account.{key}: {name}"}
                problems.append(Problem("E002", said | {"known": near(name, allowed)}))
    for pair in plan.profile.exclusive:
        both = [name for name in pair if any(i.service.name == name for i in plan.items)]
        if len(both) > 1:
            problems.append(Problem("E011", {"services": ", ".join(both)}))
    return problems


def _add_service(
    plan: Plan,
    choice: Choice,
    service: Service,
    problems: list[Problem],
    known: Mapping[tuple[str, str], Item],
) -> None:
    for indicator in service.indicators:
        if getattr(indicator, "optional", False) and indicator.name not in choice.include:
            continue
        if plan.faulty & {*choice.reads(getattr(indicator, "rasters", {}))}:
            continue
        reason = _lacking(plan, choice, service, indicator)
        if reason is not None:
            plan.uncovered.append(Uncovered(service.name, indicator.name, reason))
            continue
        item = known.get((service.name, indicator.name))
        if item and item.service is service and item.choice == choice and item.counted:
            plan.items.append(item)
            continue
        with gathering(problems):
            plan.items.append(_item(plan, choice, service, indicator, problems))


def _lacking(
    plan: Plan, choice: Choice, service: Service, indicator: Indicator | Derived | Products
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
    absent = [name for name in choice.reads(indicator.rasters) if name not in given]
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
    return replace(item, accumulator=_accumulate(plan, choice, indicator, found))


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
    if name in choice.parameters and found.file != CALLER:  # a scenario's number goes before it
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


def _accumulate(plan: Plan, choice: Choice, i: Indicator, found: dict[str, Coefficient]) -> int:
    """Return the number of the column that sums *i*; indicators alike in all share one."""
    numbers = {layer.name: n for n, layer in enumerate(plan.layers[1:])}
    year = plan.definition.account.year
    lookups = []
    for name, unit in i.coefficients.items():
        table = found[name].table(unit, list(plan.counties.places), year)
        lookups.append(_position(plan.lookups, table))
    column = Column(
        i.kernel, tuple(numbers[name] for name in choice.reads(i.rasters)), tuple(lookups)
    )
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


def _add_base(plan: Plan, item: Item, registry: Mapping[tuple[str, str], Service]) -> None:
    """Add the indicator a derived one is made of, uncounted, where the profile leaves it out."""
    assert isinstance(item.indicator, Derived)
    key = source_of(item.service, item.indicator)
    if any(other.key == key for other in plan.items):
        return
    choice = plan.profile.choices.get(key[0], Choice(key[0], False))
    for (name, method), service in registry.items():
        if name == key[0] and choice.method in ("", method):
            base = next(i for i in service.indicators if i.name == key[1])
            if plan.faulty & {*choice.reads(getattr(base, "rasters", {}))}:
                plan.items.remove(item)
                return
            reason = _lacking(plan, choice, service, base)
            if reason is not None:
                plan.items.remove(item)
                plan.uncovered.append(Uncovered(*item.key, reason))
                return
            added = _item(plan, replace(choice, method=method), service, base, [])
            plan.items.append(replace(added, counted=False))
            return
