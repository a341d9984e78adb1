"""Which rasters are prepared, by what method, from what."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

from gep import store
from gep.coefficients import CALLER, GIVEN, Book, Coefficient, Keys, Value
from gep.config import Definition, PreparationSection, locate, parts
from gep.ecosystems import Legend, ecosystems
from gep.errors import InputError, Problem, gathering
from gep.grains import taken_for_granted, wrong_limits
from gep.preparation import Preparation, Series
from gep.rasters import Grid, Layer
from gep.step import Step, digest_of, in_unit, is_ready, numbers
from gep.text import near
from gep.units import factor

FOLDER = "prepared"
BY = {"constant", "ecosystem", "year"}
"""What a coefficient of a preparation may depend on: a raster knows no counties."""

Registry = Mapping[tuple[str, str], Preparation]


def units(registry: Registry) -> dict[str, str]:
    """Unit of every raster or series some preparation takes."""
    found: dict[str, str] = {}
    for preparation in registry.values():
        found = preparation.rasters | {n: s.unit for n, s in preparation.series.items()} | found
    return found


def series(registry: Registry) -> dict[str, Series]:
    """Every series some preparation takes."""
    return {name: s for p in registry.values() for name, s in p.series.items()}


class Preparing:
    """What can be made of the layers an account gives.

    `layers` are the sound ones, raw ones among them; `faulty` those that are named but not sound:
    what would need them is neither made nor called missing. `raw` are the names of those that no
    service reads: giving one says that what it makes is wanted. What can be made of the layers of
    services alone is made only if gep.toml says so.
    """

    def __init__(
        self,
        definition: Definition,
        folder: Path,
        registry: Registry,
        book: Book,
        grid: Grid,
        legend: Legend,
        layers: Mapping[str, Layer],
        faulty: Iterable[str],
        raw: Iterable[str],
    ) -> None:
        self._definition, self._book, self._grid, self._legend = definition, book, grid, legend
        self._near, self._layers, self._faulty, self._raw = folder, layers, {*faulty}, {*raw}
        self._registry = registry
        self._steps: dict[str, Step] = {}
        self._asked: set[str] = set()
        self.problems = self._wrong_sections()
        output = definition.output
        self.folder = locate(folder, output.prepared or f"{output.folder}/{FOLDER}")

    def can(self, name: str) -> bool:
        """Tell whether a raster is given or can be made."""
        return name in self._layers or name in self._faulty or self._choose(name) is not None

    def lacks(self, name: str) -> dict[str, list[str]]:
        """What each method of making a raster lacks, by method."""
        return {p.method: self._lacking(p) for p in self._methods(name)}

    def layer(self, name: str, unit: str) -> Layer | None:
        """Layer of a raster, given or to be made; None if what it is made of is faulty."""
        if name in self._layers:
            return in_unit(self._layers[name], unit)
        step = None if name in self._faulty else self.step(name)
        return step.layer(unit) if step else None

    def step(self, name: str) -> Step | None:
        """How a raster that can be made is made; None if what it is made of is faulty."""
        if name not in self._steps:
            preparation = self._choose(name)
            assert preparation
            step = self._step(preparation)
            if step is None:
                return None
            self._steps[name] = step
        return self._steps[name]

    def need(self, name: str) -> None:
        """Plan how a raster is made that somebody names.

        Raises
        ------
        InputError
            E800 nothing makes it, E815 what it needs is lacking, E816 it is given.
        """
        if name in self._layers or name in self._faulty:
            raise InputError(Problem("E816", {"name": name}))
        lacks = self.lacks(name)
        if not lacks:
            known = near(name, sorted({raster for raster, _ in self._registry}))
            raise InputError(Problem("E800", {"name": name, "known": known}))
        self._asked.add(name)
        if not self.can(name):
            each = (f"{method}: {', '.join(lacking)}" for method, lacking in lacks.items())
            raise InputError(Problem("E815", {"name": name, "lacking": "; ".join(each)}))
        self.step(name)

    def todo(self, names: Iterable[str]) -> list[Step]:
        """Return what must be made so that *names* are there, in the order it must be made."""
        found: dict[str, Step] = {}
        for name in names:
            step = self._steps.get(name)
            if step and not step.ready:
                found |= {s.name: s for s in self.todo(step.made_from)} | {name: step}
        return list(found.values())

    def used(self, names: Iterable[str]) -> list[Step]:
        """Return how *names* are made, and what they are made of in turn."""
        found: dict[str, Step] = {}
        for name in names:
            if name in self._steps:
                step = self._steps[name]
                found |= {s.name: s for s in self.used(step.made_from)} | {name: step}
        return list(found.values())

    def _section(self, name: str) -> PreparationSection:
        return self._definition.preparations.get(name, PreparationSection())

    def _methods(self, name: str) -> list[Preparation]:
        """Preparations of a raster, best first; the one chosen alone where one is chosen."""
        method = self._section(name).method
        found = [p for (raster, _), p in self._registry.items() if raster == name]
        return [p for p in found if method in (None, p.method)]

    def _choose(self, name: str) -> Preparation | None:
        """The first method that has what it takes; unasked only if one of them is from raw data.

        A raw layer says that the raster is wanted, not that it is wanted by a lesser method: rain
        by months beside that of the year must not change the formula the year alone would have.
        """
        found = [p for p in self._methods(name) if not self._lacking(p)]
        asked = name in self._definition.preparations or name in self._asked
        return found[0] if found and (asked or any(map(self._from_raw, found))) else None

    def _from_raw(self, preparation: Preparation) -> bool:
        """Tell whether a method takes a raw layer, or something that is made."""
        takes = {*preparation.rasters, *preparation.series}
        return bool(preparation.place or takes & self._raw or takes - self._layers.keys())

    def _lacking(self, preparation: Preparation) -> list[str]:
        """Inputs that are not there and cannot be made, and numbers only the user knows."""
        known = {*self._layers, *self._faulty}
        lacking = [name for name in preparation.rasters if not self.can(name)]
        lacking += [name for name in preparation.series if name not in known]
        section = self._section(preparation.name)
        for name in preparation.coefficients:
            found = self._book.coefficient(preparation.name, name, section.sets.get(name, ""))
            if found and not found.values and name not in section.parameters:
                lacking.append(f"preparations.{preparation.name}.parameters.{name}")
        return lacking

    def _wrong_sections(self) -> list[Problem]:
        """Sections that cannot be meant, or that are not used."""
        problems = []
        rasters = sorted({name for name, _ in self._registry})
        for name, section in self._definition.preparations.items():
            methods = [p for p in self._registry.values() if p.name == name]
            known = [p.method for p in methods]
            if not known:
                fields = {"name": name, "known": near(name, rasters)}
                problems.append(Problem("E800", fields))
            elif section.method is not None and section.method not in known:
                fields = {"name": name, "method": section.method}
                fields["known"] = near(section.method, known)
                problems.append(Problem("E801", fields))
            else:
                problems += self._wrong_numbers(section, methods)
                problems += wrong_limits(name, section, methods)
                problems += self._not_used(name, section)
        return problems

    def _not_used(self, name: str, section: PreparationSection) -> list[Problem]:
        """Why a sound section has no effect, if it has none."""
        if name in self._definition.rasters:
            return [Problem("W800", {"name": name})]
        lacking = self.lacks(name)
        if section.method is None or not lacking[section.method]:
            return []
        fields = {"name": name, "method": section.method}
        return [Problem("E802", fields | {"lacking": ", ".join(lacking[section.method])})]

    def _wrong_numbers(
        self, section: PreparationSection, methods: list[Preparation]
    ) -> list[Problem]:
        """Numbers and sets that no chosen method has."""
        chosen = [p for p in methods if section.method in (None, p.method)]
        known = list(dict.fromkeys(name for p in chosen for name in p.coefficients))
        (raster,) = {p.name for p in methods}
        problems = []
        for key in ("parameters", "sets"):
            for name in sorted(getattr(section, key).keys() - {*known}):
                fields = {"at": f"preparations.{raster}.{key}", "name": name}
                problems.append(Problem("E803", fields | {"known": ", ".join(known) or "-"}))
        for name, chosen_set in section.sets.items():
            if name in known and self._book.coefficient(raster, name, chosen_set) is None:
                problems.append(self._no_set(raster, name, chosen_set))
        return problems

    def _no_set(self, raster: str, name: str, chosen: str) -> Problem:
        sets = self._book.services.get(raster, {}).get(name, {})
        fields = {"at": f"preparations.{raster}.sets.{name}", "name": chosen}
        return Problem("E803", fields | {"known": ", ".join(sets) or "-"})

    def _step(self, preparation: Preparation) -> Step | None:
        layers, stacks = {}, {}
        for name, unit in preparation.rasters.items():
            layer = self.layer(name, unit)
            if layer is None:
                return None
            layers[name] = layer
        for name, one in preparation.series.items():
            if name in self._faulty:
                return None
            stacks[name] = in_unit(self._layers[name], one.unit)
        found: dict[str, Coefficient] = {}
        before = len(self.problems)
        years = {n: la.section.year or self._definition.account.year for n, la in stacks.items()}
        if len({*years.values()}) > 1:
            listed = ", ".join(f"{name} {year}" for name, year in years.items())
            fields = {"name": preparation.name, "method": preparation.method, "years": listed}
            self.problems.append(Problem("E817", fields))
        for name, unit in preparation.coefficients.items():
            with gathering(self.problems):
                found[name] = self._coefficient(preparation, name, unit)
        if len(self.problems) == before:
            self.problems += self._falling(preparation, found)
        if len(self.problems) > before:
            return None
        section = self._section(preparation.name)
        self.problems += taken_for_granted(preparation, section, layers)
        year = next(iter(years.values()), self._definition.account.year)
        identity = self._identity(preparation, layers | stacks, found) | {"of": year}
        code = store.digest(store.canonical(identity))[:12]
        path = self.folder / f"{preparation.name}_{code}.tif"
        step = Step(preparation, layers, stacks, found, identity, path, False)
        return replace(step, ready=is_ready(step))

    def _falling(self, preparation: Preparation, found: Mapping[str, Coefficient]) -> list[Problem]:
        """E819 of numbers that must rise from one to the next and do not, in the first class."""
        year, units = self._definition.account.year, preparation.coefficients
        for names in pairwise(preparation.rising):
            both = [found[name].table(units[name], [""], year)[0] for name in names]
            kinds = ecosystems().values()
            if wrong := [one for one in kinds if both[0][one.index] >= both[1][one.index]]:
                low, high = (f"{table[wrong[0].index]:g}" for table in both)
                fields = {"name": preparation.name, "low_name": names[0], "high_name": names[1]}
                fields |= {"low": low, "high": high, "where": "", "where_zh": ""}
                if any("ecosystem" in found[name].by for name in names):
                    title = wrong[0].title
                    fields |= {"where": f" ({title.en})", "where_zh": f"（{title.zh}）"}
                return [Problem("E819", fields)]
        return []

    def _coefficient(self, preparation: Preparation, name: str, unit: str) -> Coefficient:
        """Coefficient as the section wants it, its unit checked against the declared one."""
        section = self._section(preparation.name)
        found = self._book.coefficient(preparation.name, name, section.sets.get(name, ""))
        if found is None:
            raise InputError(self._no_set(preparation.name, name, section.sets.get(name, "-")))
        factor(found.unit, unit, found.at)
        if not {*found.by} <= BY:
            by = ", ".join(sorted({*found.by} - BY))
            raise InputError(Problem("E807", {"at": found.at, "by": by}))
        if name not in section.parameters or found.file == CALLER:
            return found  # the number of a scenario stands in place of that of gep.toml too
        at = f"preparations.{preparation.name}.parameters"
        number = Decimal(str(section.parameters[name]))
        if found.values and found.by != ("constant",):
            raise InputError(Problem("E806", {"at": at, "name": name}))
        low, high = found.range
        if not number.is_finite() or not low <= number <= high:
            fields = {"at": f"{at}.{name}", "value": number, "low": low, "high": high}
            raise InputError(Problem("E522", fields))
        values: dict[Keys, Value] = {("",): Value(number, GIVEN, "", "gep.toml", at, GIVEN)}
        return replace(found, by=("constant",), values=values)

    def _identity(
        self, preparation: Preparation, layers: dict[str, Layer], found: dict[str, Coefficient]
    ) -> dict[str, Any]:
        """Everything the numbers of a raster follow from but the code, as plain data."""
        section, g = self._definition.counties, self._grid
        given = [section.file, *filter(None, [section.outline])]
        files = [part for file in given for part in parts(locate(self._near, file))]
        identity: dict[str, Any] = {
            "raster": preparation.name,
            "method": preparation.method,
            "year": self._definition.account.year,
            "grid": [g.crs.to_wkt(), list(g.transform)[:6], g.height, g.width],
            "counties": [digest_of(file) for file in files] + [section.layer],
            "inputs": {name: self._read_as(layer) for name, layer in layers.items()},
            "coefficients": {name: numbers(c) for name, c in found.items()},
        }
        if any("ecosystem" in c.by for c in found.values()):
            read = self._read_as(self._layers["ecosystem"])
            identity["ecosystem"] = [read, digest_of(self._legend.path)]
        return identity

    def _read_as(self, layer: Layer) -> dict[str, Any]:
        """Content of a layer, given or made, and how it is read."""
        read: dict[str, Any] = {"unit": layer.unit, "scale": layer.scale, "offset": layer.offset}
        if layer.name in self._steps:
            return read | {"prepared": self._steps[layer.name].identity}
        apart = {"file", "unit", "scale", "offset", "year", "sha256"}
        declared = layer.section.model_dump(exclude=apart)
        return read | {"sha256": digest_of(layer.path), "declared": declared}
