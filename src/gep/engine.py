"""One account opened from its gep.toml: check it, run it, and keep what came of it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gep import (
    check,
    config,
    densities,
    explain,
    identities,
    manifest,
    plan,
    prepared,
    quality,
    stacks,
    store,
    tables,
)
from gep.acceptance import accept
from gep.accounts import account
from gep.check import Understood
from gep.config import Definition
from gep.cube import Cube
from gep.errors import IdentityError, InputError, Problem, stop_on
from gep.identities import Identity
from gep.map_names import Wanted, count, unknown
from gep.outputs import csv
from gep.plan import Plan
from gep.quality import former
from gep.quality.case import Case
from gep.rasters import threads as default_threads
from gep.replacements import Said, wrong
from gep.run import TILE, Partials, Progress
from gep.scenario import CALL, Known, Replaced, Scenario, sums
from gep.sensitivity import Sensitivity, sensitivities
from gep.step import Step

if TYPE_CHECKING:
    import pandas
    import xarray

    from gep.compare import Comparison
    from gep.compare.sides import Side


@dataclass(frozen=True)
class Report:
    """What a check understood and what it found; `ok` if nothing stops a run."""

    problems: tuple[Problem, ...]
    layers: tuple[Understood, ...]
    ecosystems: dict[str, float]
    plan: Plan | None = field(repr=False)
    looked: tuple[Problem, ...] = field(default=(), repr=False)

    @property
    def prepared(self) -> tuple[Step, ...]:
        """How the rasters that are not given are made: `ready` if they are there already."""
        return tuple(self.plan.steps) if self.plan else ()

    @property
    def ok(self) -> bool:
        """Tell whether no problem is an error."""
        return not any(problem.is_error for problem in self.problems)

    def __str__(self) -> str:
        """Every problem with its fix, in English."""
        uncovered = [] if self.plan is None else [u.reason for u in self.plan.uncovered]
        found = [problem.render() for problem in (*self.problems, *uncovered)]
        return "\n".join(found) or "no problems"


def look(made: Plan) -> tuple[list[Understood], dict[str, float], list[Problem]]:
    """What the pixels of layers say that are there: those of the loop, and raw ones."""
    series = {name for step in made.steps for name in step.stacks}
    todo = {step.name for step in made.todo}
    layers = [layer for layer in made.layers if layer.name not in todo]
    layers += [layer for layer in made.raw_used if layer.name not in series]
    rows, shares, problems = check.pixels(replace(made, layers=layers))
    for name in series:
        step = next(step for step in made.steps if name in step.stacks)
        row, wrong = stacks.look(made, step, name)
        rows.append(row)
        problems += wrong
    return rows, shares, problems


class Account:
    """An account as its gep.toml defines it.

    Parameters
    ----------
    path : str or Path
        A gep.toml; files named in it are found from its folder.

    Raises
    ------
    InputError
        E001 to E005 if the file cannot be understood.
    """

    def __init__(
        self, path: str | Path, of: "Account | None" = None, replaced: Scenario | None = None
    ) -> None:
        self.path = Path(path)
        self.replaced = replaced
        self._of = of
        self._known: Known | None = None
        self.definition: Definition = (
            replaced.definition(of.definition) if of and replaced else config.read(self.path)
        )

    def __repr__(self) -> str:
        """Name, year and profile; of a scenario its own name too."""
        section = self.definition.account
        scenario = f", scenario {self.replaced.name!r}" if self.replaced else ""
        return f"Account({section.name!r}, {section.year}, {section.profile!r}{scenario})"

    def scenario(
        self,
        name: str,
        *,
        rasters: Mapping[str, Replaced] | None = None,
        statistics: Mapping[str, Replaced] | None = None,
        coefficients: Mapping[str, Said] | None = None,
        prices: Mapping[str, Said] | None = None,
    ) -> "Account":
        """Account with some inputs replaced by name, all else as here.

        Once this account has run, the scenario computes only what differs: with other prices no
        raster is read, with another raster only the tiles in which it differs.

        Parameters
        ----------
        name : str
            What to call it; it travels into run.json.
        rasters, statistics : mapping, optional
            By name a file (from the folder of gep.toml), or the keys of the section that change,
            such as ``{"file": "with_dam.tif", "legend": "clcd"}``. A raster that replaces the
            ecosystems should lie on the same grid.
        coefficients, prices : mapping, optional
            By name a number with its unit, such as ``"7.2 CNY_2020/m^3"``, or such texts by key,
            as ``{"paddy": "0.3"}``, within the range of the number on file.

        Returns
        -------
        Account
            ``scenario.run().compare(account.run())`` says what it changes, and by what.

        Raises
        ------
        InputError
            E019 a name or number that cannot be meant.
        """
        both = sorted({*(coefficients or {})} & {*(prices or {})})
        if both:
            raise wrong(CALL, f"{both[0]} stands in prices and in coefficients")
        numbers = {**(coefficients or {}), **(prices or {})}
        return Account(self.path, self, Scenario(name, rasters or {}, statistics or {}, numbers))

    def _base(self) -> Known | None:
        """What the base of a scenario knows, if it has run and its files are as they were."""
        known = self._of._known if self._of else None
        return known if known and manifest.stamps(known.plan) == known.stamps else None

    def check(self) -> Report:
        """List every problem that headers, tables, polygons and a sample of the pixels show."""
        return self._check(None)

    def _check(self, before: Plan | None) -> Report:
        """Check; what the plan *before* has read is not read again."""
        known = self._base()
        said = self.replaced.coefficients if self.replaced else None
        base = before or (known.plan if known else None)
        made, problems = plan.make(self.definition, self.path.parent, known=base, said=said)
        layers: list[Understood] = []
        shares: dict[str, float] = {}
        found: list[Problem] = []
        if made is not None:
            looked = known.looked if known and known.same_pixels(made) else look(made)
            layers, shares, found = looked
            problems += found + unknown(made, self.definition.output.maps)
            problems += accept(quality.early(made, layers), self.definition)
        return Report(tuple(problems), tuple(layers), shares, made, tuple(found))

    def prepare(self, *names: str, progress: Progress | None = None) -> list[Step]:
        """Make the rasters that are not given and can be made of what is; `run` does so, too.

        Parameters
        ----------
        *names : str
            Which; those the services of the account need if nothing is said.
        progress : callable, optional
            Called with the steps done and the steps in all.

        Returns
        -------
        list of Step
            How each is made and where it is, `ready` if it had been there before.

        Raises
        ------
        InputError
            Whatever `check` lists, what only all the pixels can show, and E815 where something
            lacks; nothing is written then.
        IdentityError, ResourceError, BusyError
            As `run`.
        """
        report = self.check()
        stop_on(report.problems)
        made = report.plan
        assert made is not None
        assert made.preparing
        chosen = names or tuple(layer.name for layer in made.layers)
        for name in names:
            made.preparing.need(name)
        stop_on(made.preparing.problems)
        prepared.make(made, made.preparing.todo(chosen), progress)
        return made.preparing.used(chosen)

    def run(
        self,
        *,
        threads: int | None = None,
        tile: int = TILE,
        progress: Progress | None = None,
        output: str | Path | None = None,
        maps: Wanted | None = None,
    ) -> "Result":
        """Account everything the definition allows, and check every identity.

        Parameters
        ----------
        threads : int, optional
            How many; one per processor, at most 8, if nothing is said.
        tile : int
            Side of a tile in pixels. It changes the speed, never a number.
        progress : callable, optional
            Called with the tiles done and the tiles in all.
        output : str or Path, optional
            Folder `Result.write` will be given: tried before the work begins.
        maps : bool or sequence of str, optional
            Maps `Result.write` shall make: all, none, or names of services, of indicators
            (service.indicator), of groups, or `total`; as gep.toml says if nothing is said.

        Raises
        ------
        InputError
            Whatever `check` lists, and what only all the pixels can show; nothing is written.
        IdentityError
            E711 an identity does not hold, E714 an input changed during the run.
        ResourceError, BusyError
            E705, E710 if *output* cannot be written, or not now; E720 if the maps have no room.
        """
        started = time.monotonic()
        report = self.check()
        stop_on(report.problems)
        made = report.plan
        assert made is not None
        if not made.items:
            raise InputError(Problem("E014", {"profile": made.profile.name}))
        wanted = self.definition.output.maps if maps is None else maps
        stop_on(unknown(made, wanted))
        if output is not None:
            from gep.outputs.maps import need

            store.ready(Path(output), need(made, count(made, wanted)))
        if made.todo:
            prepared.make(made, made.todo, progress)
            report = self._check(made)
            stop_on(report.problems)
            assert report.plan is not None
            made = report.plan
            lost = [step.path.name for step in made.todo]
            if lost:
                raise IdentityError(Problem("E713", {"file": ", ".join(lost)}))
        past = former.read(made)
        workers = default_threads(threads)
        before = manifest.stamps(made)
        known = self._base()
        hashes = manifest.digests(made, workers, known.digests() if known else None)
        manifest.as_prepared(made, hashes)
        summed = sums(known, made, workers, progress, tile)
        partials = summed.partials
        cube = account(made, partials)
        case = Case(made, cube, report.layers, past)
        judged = quality.findings(case)
        cube.problems += [problem for finding in judged for problem in finding.problems]
        cube.problems = accept(cube.problems, self.definition)
        stop_on(cube.problems)
        found = identities.of_run(made, partials, cube, summed.tiling)
        manifest.unchanged(made, before)
        body = manifest.core(made, partials, cube, hashes)
        hangs = sensitivities(made, partials, cube)
        body["sensitivity"] = manifest.sensitivity_entries(hangs)
        if self.replaced:
            body["scenario"] = self.replaced.entry()
        looked = list(report.layers), report.ecosystems, list(report.looked)
        self._known = Known(made, partials, hashes, before, looked, summed.tiling)
        names = [identity.name for identity in found]
        body["quality"] = quality.record(case, judged, names, len(hangs))
        warnings = [p for p in report.problems if p not in cube.problems]
        return Result(
            made,
            cube,
            found,
            body,
            [*warnings, *cube.problems],
            manifest.envelope(started, workers) | {"tiles": summed.effort},
            partials,
            before,
            wanted,
            hangs,
        )


class Result:
    """What a run gave: tables, the cube, the identities that hold, and the manifest."""

    def __init__(
        self,
        made: Plan,
        account_cube: Cube,
        of_run: list[Identity],
        body: dict[str, Any],
        problems: list[Problem],
        envelope: dict[str, Any],
        partials: Partials,
        before: dict[str, manifest.Stamp],
        maps: Wanted = False,
        hangs: Sequence[Sensitivity] = (),
    ) -> None:
        self.plan = made
        self.account = account_cube
        self.problems = tuple(problems)
        self.envelope = envelope
        self.sensitivity = tuple(hangs)
        self._core, self._partials, self._before = body, partials, before
        self._choose(maps)
        self._files = table_files(account_cube, made.definition.account.name)
        self._checked = (*of_run, *table_identities(self._files))
        self.identities = self._checked
        failed = [i for i in self.identities if not i.holds]
        if failed:
            raise IdentityError(*(identity.problem() for identity in failed))

    def __repr__(self) -> str:
        """Name, and the table of counties in short."""
        columns = ["level", "code", "name", "gep", "status"]
        return f"Result {self.name}\n{self.counties[columns].to_string(index=False)}"

    @cached_property
    def counties(self) -> "pandas.DataFrame":
        """Table of counties, as county_gep.csv."""
        return tables.frame(tables.county_rows(self.account, self.plan.definition.account.name))

    @cached_property
    def cube(self) -> "xarray.Dataset":
        """Quantity and value by county, ecosystem and indicator."""
        return tables.dataset(self.account)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Content of run.json as plain data."""
        import json

        found: dict[str, Any] = json.loads(self.files()[store.MANIFEST])
        return found

    @property
    def verified(self) -> tuple[int, int]:
        """How many of the numbers used somebody checked against the printed source, of how many."""
        book = self.plan.book
        used = [c for item in self.plan.items for c in item.coefficients.values()]
        used += [c for step in self.plan.steps for c in step.coefficients.values()]
        used += [item.price for item in self.plan.items if item.price is not None]
        used += [book.indices[c.index] for c in used if c.index in book.indices]
        once = {c.at: c for c in used}
        numbers = [number for c in once.values() for number in dict(c.values).values()]
        return sum(bool(number.verified_by) for number in numbers), len(numbers)

    @property
    def provisional(self) -> dict[str, Decimal]:
        """Share of every service above 5 % of the total that rests on unverified numbers."""
        shares: dict[str, str] = self._core["quality"]["decisive"]
        return {service: Decimal(share) for service, share in shares.items()}

    def explain(self, place: str, service: str, language: str = "en") -> str:
        """Say how the amount of one service in one place came about.

        Parameters
        ----------
        place : str
            Code or name of a county, or `unallocated`.
        service : str
            Name of a service in either language.
        language : str
            "en" or "zh".
        """
        rows = csv.decode(self._files["accounts.csv"])
        return explain.explain(self.manifest, rows, place, service, language)

    def compare(self, before: "Result") -> "Comparison":
        """Say what changed from *before* to this account: every leaf, its parts, sums that add up.

        Raises
        ------
        InputError
            E560 an indicator is in another unit.
        """
        from gep.compare import compare

        return compare(before.side, self.side)

    @property
    def side(self) -> "Side":
        """Tables of this account as a comparison reads them."""
        from gep.compare.sides import of_files

        return of_files(self.name, self._files, self.manifest["core"])

    def files(self) -> dict[str, bytes]:
        """Content of every file of the run folder by name, but the maps."""
        body = self._core | self._asked
        listed = list(self.identities)
        sealed = manifest.seal(body, listed, self._files, self.envelope, self._drawn)
        return self._files | {store.MANIFEST: sealed}

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps `write` makes."""
        return tuple(each.name for each in self._maps)

    def _choose(self, wanted: Wanted) -> None:
        """Say which maps are written; they are part of what the run is named by."""
        self._maps = densities.make(self.plan, self._partials, self.account, wanted)
        self._asked = {"maps": list(self.maps)} if self._maps else {}
        self._drawn: dict[str, Any] = {}
        self.name = f"{self.account.year}_{manifest.run_id(self._core | self._asked)}"

    def write(
        self,
        folder: str | Path | None = None,
        maps: Wanted | None = None,
        progress: Progress | None = None,
    ) -> Path:
        """Write the run folder below *folder* (default: as gep.toml says), whole or not at all.

        Parameters
        ----------
        folder : str or Path, optional
            Folder of runs.
        maps : bool or sequence of str, optional
            Other maps than the run was asked for; the run folder is named by what it holds.
        progress : callable, optional
            Called with the steps done and the steps in all while maps are made.

        Raises
        ------
        InputError
            E721 a name that is no map, E722 an amount without a pixel.
        IdentityError
            E711 a map is not its table, E712 the folder is there with other content, E713 a file
            reads back differently, E714 an input changed.
        ResourceError, BusyError
            E701, E705, E710 if the folder cannot be written, or not now; E720 if the maps have no
            room.
        """
        target = Path(folder) if folder else self.plan.output
        if maps is not None:
            self._choose(maps)
            self.identities = self._checked
        self.__dict__.pop("manifest", None)
        if self._maps:
            from gep.outputs.maps import need

            store.ready(target, need(self.plan, len(self._maps)))
        with store.locked(target):
            if not self._maps:
                return store.publish(target, self.name, self.files())
            return store.publish(target, self.name, self._files, lambda s: self._draw(s, progress))

    def _draw(self, stage: Path, progress: Progress | None) -> dict[str, bytes]:
        """Make the maps in the staging folder, and the manifest that lists them."""
        from gep.outputs import maps

        folder, about = stage / maps.FOLDER, manifest.about_maps(self._core, self.name)
        threads = self.envelope["threads"]
        closure = maps.write(folder, self.plan, self._maps, about, threads, progress)
        if not closure.holds:
            raise IdentityError(closure.problem())
        manifest.unchanged(self.plan, self._before)
        self.identities = (*self._checked, closure)
        self._drawn = manifest.described(folder)
        return {store.MANIFEST: self.files()[store.MANIFEST]}


def table_files(cube: Cube, name: str) -> dict[str, bytes]:
    """Content of the CSV tables of an account."""
    return {
        "accounts.csv": csv.encode(tables.ACCOUNT_COLUMNS, tables.account_rows(cube)),
        "county_gep.csv": csv.encode(tables.COUNTY_COLUMNS, tables.county_rows(cube, name)),
        "extent.csv": csv.encode(tables.EXTENT_COLUMNS, tables.extent_rows(cube)),
    }


def table_identities(files: dict[str, bytes]) -> list[Identity]:
    """Identities of the tables as they are written."""
    names = ("accounts.csv", "county_gep.csv", "extent.csv")
    return identities.of_tables(*(csv.decode(files[name]) for name in names))
