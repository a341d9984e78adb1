"""Definition → what an account reads: profile, numbers, grid, counties, layers, tables."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gep import coefficients, columns, counties, preparing, profile, rasters, statistics
from gep.acceptance import acceptable
from gep.coefficients import Book, Coefficient
from gep.config import Definition, RasterSection, locate
from gep.counties import Counties
from gep.ecosystems import Legend, legend
from gep.errors import InputError, Problem, gathering
from gep.layers import variables
from gep.preparation import preparations, steps_of
from gep.preparing import Preparing
from gep.profile import Profile
from gep.rasters import Grid, Layer
from gep.replacements import Said, replaced
from gep.service import Derived, Products, Service
from gep.statistics import Table
from gep.step import Step
from gep.variants import variants

ECOSYSTEM = "ecosystem"


@dataclass
class Inputs:
    """Everything an account reads, opened and checked; `faulty` layers are not among `layers`.

    `raw` are the layers only preparations read; `steps` says how the layers that are not given
    are made, and what they are made of in turn.
    """

    definition: Definition
    folder: Path
    profile: Profile
    book: Book
    grid: Grid
    counties: Counties
    legend: Legend
    layers: list[Layer]
    tables: dict[str, Table]
    faulty: set[str] = field(default_factory=set)
    raw: dict[str, Layer] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    preparing: Preparing | None = field(default=None, repr=False)

    @property
    def output(self) -> Path:
        """Folder of runs, as the definition says."""
        return self.folder / self.definition.output.folder

    @property
    def todo(self) -> list[Step]:
        """What is still to be made before `layers` can be read."""
        names = [layer.name for layer in self.layers]
        return self.preparing.todo(names) if self.preparing else []

    @property
    def raw_used(self) -> list[Layer]:
        """Layers and series only preparations read, those that are needed."""
        used = {name for step in self.steps for name in step.made_from}
        return [layer for name, layer in self.raw.items() if name in used]

    def behind(self, rasters: Iterable[str]) -> dict[str, Coefficient]:
        """Coefficients that prepared rasters among *rasters* rest on, by raster and name."""
        steps = self.preparing.used(rasters) if self.preparing else []
        return {f"{s.name}.{name}": c for s in steps for name, c in s.coefficients.items()}


def load(
    definition: Definition,
    folder: Path,
    registry: Mapping[tuple[str, str], Service],
    known: Inputs | None = None,
    said: Mapping[str, Said] | None = None,
) -> tuple[Inputs | None, list[Problem]]:
    """Inputs of a definition, and every problem that headers, tables and polygons show.

    What *known* has read of the same files in the same way is taken from there, unopened; the
    numbers *said* stand in place of those on file. The inputs are None where what is wrong leaves
    nothing to plan with.
    """
    problems: list[Problem] = []
    chosen_profile = chosen_book = chosen_legend = None
    with gathering(problems):
        chosen_profile = profile.load(definition.account.profile)
    with gathering(problems):
        chosen_book, wrong = _book(definition, folder)
        chosen_book = replaced(chosen_book, said or {}, definition.price_year, "Account.scenario")
        problems += wrong
    with gathering(problems):
        chosen_legend = _legend(definition, folder)
    grid = _grid(definition, folder, known, problems)
    units = _units(registry, chosen_profile)
    raw_units = preparing.units(preparations())
    layers, faulty = _layers(definition, folder, raw_units | units, grid, problems, known)
    raw = {la.name: la for la in layers if la.name in raw_units and la.name not in units}
    found = _counties(definition, folder, grid, problems, known)
    tables = _tables(definition, folder, registry.values(), problems, known)
    for code in sorted(definition.accept.keys() - acceptable()):
        problems.append(Problem("E010", {"code": code, "known": ", ".join(sorted(acceptable()))}))
    if None in (chosen_profile, chosen_book, chosen_legend, grid, found) or ECOSYSTEM in faulty:
        return None, problems
    assert chosen_profile
    assert chosen_book
    assert chosen_legend
    assert grid
    assert found
    made = Preparing(
        definition,
        folder,
        preparations(),
        chosen_book,
        grid,
        chosen_legend,
        {layer.name: layer for layer in layers},
        faulty,
        (raw_units.keys() - units.keys()),
    )
    layers = [layer for layer in layers if layer.name not in raw]
    names = _needed(definition, chosen_profile, registry, made)
    for name in names:
        layer = made.layer(name, units[name])
        if layer is None:
            faulty.add(name)
        else:
            layers.append(layer)
    problems += made.problems
    return Inputs(
        definition,
        folder,
        chosen_profile,
        chosen_book,
        grid,
        found,
        chosen_legend,
        layers,
        tables,
        faulty,
        raw,
        made.used(names),
        made,
    ), problems


def _needed(
    definition: Definition,
    chosen: Profile,
    registry: Mapping[tuple[str, str], Service],
    made: Preparing,
) -> Sequence[str]:
    """Rasters that are not given and that make an indicator of the account possible."""
    names: dict[str, None] = {}
    for choice in chosen.choices.values():
        service = registry.get((choice.service, choice.method))
        wanted = choice.counted is True or choice.service in definition.account.optional
        if service is None or choice.counted is False or not wanted:
            continue
        for i in service.indicators:
            if isinstance(i, Derived | Products) or (i.optional and i.name not in choice.include):
                continue
            rasters = choice.reads(i.rasters)
            if all(made.can(name) for name in rasters):
                rasters += _instead(choice.service, rasters, made)
                names |= dict.fromkeys(n for n in rasters if n not in definition.rasters)
    return list(names)


def _instead(service: str, rasters: Iterable[str], made: Preparing) -> list[str]:
    """Rasters variants of a service read in place of others, those that are there or can be."""
    said = [v.choices.get(service, {}).get("rasters", {}) for v in variants()]
    return [r[name] for r in said for name in rasters if name in r and made.can(r[name])]


def _grid(
    definition: Definition, folder: Path, known: Inputs | None, problems: list[Problem]
) -> Grid | None:
    """Account grid: that of the ecosystem raster; the known one itself where it is the same."""
    with gathering(problems):
        if ECOSYSTEM not in definition.rasters:
            raise InputError(Problem("E005", {"file": "gep.toml", "key": f"rasters.{ECOSYSTEM}"}))
        section = definition.rasters[ECOSYSTEM]
        if known and section.file == known.definition.rasters[ECOSYSTEM].file:
            return known.grid
        grid, wrong = rasters.grid(locate(folder, section.file))
        problems += wrong
        return known.grid if known and rasters.same(grid, known.grid) else grid
    return None


def _counties(
    definition: Definition,
    folder: Path,
    grid: Grid | None,
    problems: list[Problem],
    known: Inputs | None,
) -> Counties | None:
    if known and grid is known.grid and definition.counties == known.definition.counties:
        return known.counties
    if grid is not None:
        with gathering(problems):
            found, wrong = counties.load(definition.counties, folder, grid)
            problems += wrong
            return found
    elif not locate(folder, definition.counties.file).is_file():
        missing = {"at": "counties", "file": locate(folder, definition.counties.file)}
        problems.append(Problem("E004", missing))
    return None


def _tables(
    definition: Definition,
    folder: Path,
    registry: Iterable[Service],
    problems: list[Problem],
    known: Inputs | None,
) -> dict[str, Table]:
    year, tables = definition.account.year, {}
    read = columns.readable(registry)
    for name, section in definition.statistics.items():
        if name not in read:
            problems.append(columns.unknown(name, read))
        with gathering(problems):
            if known and _same_table(name, definition, known.definition):
                tables[name] = known.tables[name]
            else:
                tables[name] = statistics.load(name, section, folder, year)
            if name in read:
                problems += columns.check(tables[name], section, read[name])
            if tables[name].year != year:
                fields = {"name": name, "year": section.year, "want": year}
                problems.append(Problem("W013", fields))
    return tables


def _same_table(name: str, one: Definition, other: Definition) -> bool:
    same_year = one.account.year == other.account.year
    return same_year and one.statistics[name] == other.statistics.get(name)


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
    if name in preparing.series(preparations()) and "band" in section.model_fields_set:
        said.append(f"band = {section.band}")
    return [Problem("E020", {"name": name, "keys": ", ".join(said)})] if said else []


def _legend(definition: Definition, folder: Path) -> Legend:
    section = definition.rasters.get(ECOSYSTEM)
    if section is None or section.legend is None:
        raise InputError(Problem("E005", {"file": "gep.toml", "key": "rasters.ecosystem.legend"}))
    return legend(section.legend, folder)


def _known_layer(
    name: str, section: RasterSection, grid: Grid | None, known: Inputs | None
) -> Layer | None:
    """Layer that is known already, read the same way on the same grid."""
    if known is None or grid is not known.grid:
        return None
    layers = (*known.layers, *known.raw.values())
    return next((la for la in layers if la.name == name and la.section == section), None)


def _layers(
    definition: Definition,
    folder: Path,
    units: Mapping[str, str],
    grid: Grid | None,
    problems: list[Problem],
    known: Inputs | None,
) -> tuple[list[Layer], set[str]]:
    """Sound layers somebody can use, ecosystem first, and the names of the faulty ones."""
    layers: list[Layer] = []
    faulty = set()
    for name in sorted(definition.rasters, key=lambda name: name != ECOSYSTEM):
        if name != ECOSYSTEM and name not in units:
            if close := difflib.get_close_matches(name, sorted(units), 1):
                said = {"file": "gep.toml", "key": f"rasters.{name}", "known": close[0]}
                problems.append(Problem("E002", said))
                faulty.add(close[0])
            else:
                problems.append(Problem("W011", {"name": name, "known": ", ".join(sorted(units))}))
            continue
        layer = _known_layer(name, definition.rasters[name], grid, known)
        wrong: list[Problem] = []
        if layer is None:
            layer, wrong = _layer(name, definition, folder, units.get(name, ""), grid)
        if layer is None or any(problem.is_error for problem in wrong):
            faulty.add(name)
        else:
            layers.append(layer)
        problems += wrong
    return layers, faulty


def _units(registry: Mapping[tuple[str, str], Service], chosen: Profile | None) -> dict[str, str]:
    """Unit of every raster some service can use: to compute with, or only to spread by.

    A raster that may stand in another's place has the unit of that other.
    """
    weights = [name for service in registry.values() for name in service.weights()]
    units = {name: variables()[name].unit for name in weights if name in variables()}
    for service in registry.values():
        units |= service.rasters()
    said = [choice.rasters for choice in chosen.choices.values()] if chosen else []
    instead = {other: name for rasters in said for name, other in rasters.items()}
    for variant in variants():
        instead |= variant.rasters()
    return {other: units[name] for other, name in instead.items() if name in units} | units


def _layer(
    name: str, definition: Definition, folder: Path, unit: str, grid: Grid | None
) -> tuple[Layer | None, list[Problem]]:
    """Layer in the file a section names, held against the account grid, and what is wrong."""
    section = definition.rasters[name]
    problems = _senseless(name, section)
    layer = None
    with gathering(problems):
        path = locate(folder, section.file)
        if name in (stacks := preparing.series(preparations())):
            steps = steps_of(stacks[name], section.year or definition.account.year)
            layer, wrong = rasters.inspect_series(name, section, path, unit, steps)
        else:
            layer, wrong = rasters.inspect(name, section, path, unit)
        problems += wrong
        if grid is not None and name != ECOSYSTEM:
            problems += rasters.compare(layer, grid)
        if section.year is not None and section.year != definition.account.year:
            fields = {"name": name, "year": section.year, "want": definition.account.year}
            problems.append(Problem("W012", fields))
    return layer, problems
