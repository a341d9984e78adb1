"""One account opened from its gep.toml: check it, prepare what it lacks, run it, vary it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gep import (
    check,
    cluster,
    config,
    frozen,
    identities,
    manifest,
    plan,
    prepared,
    quality,
    resume,
    stacks,
    store,
)
from gep.acceptance import accept
from gep.accounts import account
from gep.check import Understood
from gep.collector import resting
from gep.config import Definition
from gep.errors import IdentityError, InputError, Problem, stop_on
from gep.forecast import Forecast, forecast, tried
from gep.map_names import Wanted, count, unknown
from gep.plan import Plan
from gep.quality import former
from gep.quality.case import Case
from gep.rasters import threads as default_threads
from gep.replacements import Said, counted, wrong
from gep.result import Result
from gep.run import TILE, By, Progress, compile_ahead
from gep.scenario import CALL, Known, Replaced, Scenario, Sums, alike, sums
from gep.sensitivity import sensitivities
from gep.step import Step

if TYPE_CHECKING:
    from distributed import Client


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


@dataclass(frozen=True)
class How:
    """How an account is run: what changes the effort, never a number.

    `by`, of a plan and the digests of its inputs, says who computes tiles, if not threads here.
    """

    threads: int
    tile: int
    progress: Progress | None
    output: Path | None
    maps: Wanted
    fresh: bool
    by: Callable[[Plan, Mapping[str, str]], By] | None = None


@dataclass(frozen=True)
class Begun:
    """What an account knows before its first tile, beside the plan; `held` has its ledger."""

    report: Report
    plan: Plan
    past: former.Former | None
    stamps: dict[str, manifest.Stamp]
    known: Known | None
    hashes: dict[str, str]
    held: resume.Keeping


def look(made: Plan, workers: int) -> tuple[list[Understood], dict[str, float], list[Problem]]:
    """What the pixels of layers say that are there: those of the loop, and raw ones."""
    series = {name for step in made.steps for name in step.stacks}
    todo = {step.name for step in made.todo}
    layers = [layer for layer in made.layers if layer.name not in todo]
    layers += [layer for layer in made.raw_used if layer.name not in series]
    rows, shares, problems = check.pixels(replace(made, layers=layers), workers)
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
            zh = f"{both[0]} 在 prices 和 coefficients 中都有"
            raise wrong(CALL, f"{both[0]} stands in prices and in coefficients", zh)
        numbers = {**(coefficients or {}), **(prices or {})}
        said = Scenario(name, rasters or {}, statistics or {}, numbers)
        return Account(self.path, self, said.beside(self.replaced))

    def _base(self) -> Known | None:
        """What the base of a scenario knows, if it has run and its files are as they were."""
        known = self._of._known if self._of else None
        return known if known and manifest.stamps(known.plan) == known.stamps else None

    def little(self, made: Plan) -> bool:
        """Tell whether the base of this scenario has run, so that few tiles of *made* are left."""
        known = self._base()
        return known is not None and alike(known.plan, made)

    def check(self) -> Report:
        """List every problem that headers, tables, polygons and a sample of the pixels show."""
        return self._check(None)

    @resting()
    def _check(self, before: Plan | None, workers: int | None = None, soon: bool = False) -> Report:
        """Check; what the plan *before* has read is not read again.

        A loop that is needed *soon* is compiled meanwhile.
        """
        known = self._base()
        said = self.replaced.coefficients if self.replaced else None
        base = before or (known.plan if known else None)
        made, problems = plan.make(self.definition, self.path.parent, known=base, said=said)
        problems += frozen.differing(self.definition, self.path.parent)
        layers: list[Understood] = []
        shares: dict[str, float] = {}
        found: list[Problem] = []
        if made is not None:
            if soon and not any(problem.is_error for problem in problems):
                compile_ahead(made)
            looked = known.looked if known and known.same_pixels(made) else None
            looked = looked or look(made, default_threads(workers))
            layers, shares, found = looked
            problems += found + unknown(made, self.definition.output.maps)
            problems += accept(quality.early(made, layers), self.definition)
            problems += prepared.warnings(made)
        return Report(tuple(problems), tuple(layers), shares, made, tuple(found))

    def prepare(
        self, *names: str, threads: int | None = None, progress: Progress | None = None
    ) -> list[Step]:
        """Make the rasters that are not given and can be made of what is; `run` does so, too.

        Parameters
        ----------
        *names : str
            Which; those the services of the account need if nothing is said.
        threads : int, optional
            As `run`; the files are the same bytes for any number.
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
        threads, _ = counted("Account.prepare", threads)
        report = self.check()
        stop_on(report.problems)
        made = report.plan
        assert made is not None
        assert made.preparing
        chosen = names or tuple(layer.name for layer in made.layers)
        for name in names:
            made.preparing.need(name)
        stop_on(made.preparing.problems)
        todo, workers = made.preparing.todo(chosen), default_threads(threads)
        prepared.make(made, todo, progress, workers)
        return made.preparing.used(chosen)

    def run(
        self,
        *,
        threads: int | None = None,
        tile: int = TILE,
        progress: Progress | None = None,
        output: str | Path | None = None,
        maps: Wanted | None = None,
        fresh: bool = False,
        client: "Client | str | None" = None,
    ) -> Result:
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
            Folder `Result.write` will be given: tried before the work begins. Every tile that is
            done is kept in its ledger, so that a run that was stopped can go on; without a folder
            none is.
        maps : bool or sequence of str, optional
            Maps `Result.write` shall make: all, none, or names of services, of indicators
            (service.indicator), of groups, or `total`; as gep.toml says if nothing is said.
        fresh : bool
            Compute every tile, whatever is in the ledger; files are hashed again.
        client : distributed.Client or str, optional
            Has the tiles computed by the workers of its dask cluster, or of that of the scheduler
            at this address, instead of threads here; they read the same files under the same paths.
            The integers are the same.

        Raises
        ------
        InputError
            E019 no number of threads or no side of a tile; whatever `check` lists, and what only
            all the pixels can show; no result is written.
        IdentityError
            E711 an identity does not hold, E714 an input changed during the run, E723 a tile was
            there with other content.
        ResourceError, BusyError
            E701, E705, E710, E724 if *output* cannot be written, or not now; E720 if the maps have
            no room; E730, E731 the cluster is lost, or its workers die (IdentityError E732: they
            would compute something else).
        Interrupted
            A KeyboardInterrupt: tiles in hand were ended, and the next run goes on from them.
        """
        threads, tile = counted("Account.run", threads, tile)
        started, workers = time.monotonic(), default_threads(threads)
        wanted = self.definition.output.maps if maps is None else maps
        with cluster.opened(client) as reached:
            report = self.ready(output, wanted, progress, workers)
            by = partial(self._elsewhere, reached) if reached else None
            how = How(workers, tile, progress, Path(output) if output else None, wanted, fresh, by)
            return self.account(report, how, started)

    def account(self, report: Report, how: How, started: float) -> Result:
        """Account what a report without errors has planned: the second half of `run`."""
        with resume.keeping(how.output, how.fresh) as held:
            begun = self.begin(report, how, held)
            made, kept = begun.plan, begun.held.kept
            by = how.by(made, begun.hashes) if how.by else None
            summed = sums(begun.known, made, how.threads, how.progress, how.tile, kept, by)
        return self.finish(begun, summed, how, started)

    def begin(self, report: Report, how: How, held: resume.Keeping) -> Begun:
        """What must be known before the first tile: digests of the inputs, and tiles there are."""
        made = report.plan
        assert made is not None
        past, before, known = former.read(made), manifest.stamps(made), self._base()
        hashes = _digests(made, how.threads, known, held)
        manifest.as_prepared(made, hashes)
        held.of(made, hashes)
        return Begun(report, made, past, before, known, hashes, held)

    def finish(self, begun: "Begun", summed: Sums, how: How, started: float) -> Result:
        """Account the sums of all tiles, and check every identity."""
        report, made, hashes, before = begun.report, begun.plan, begun.hashes, begun.stamps
        cube = account(made, summed.partials)
        case = Case(made, cube, report.layers, begun.past)
        judged = quality.findings(case)
        cube.problems += [problem for finding in judged for problem in finding.problems]
        cube.problems = accept(cube.problems, self.definition)
        stop_on(cube.problems)
        found = identities.of_run(made, summed.partials, cube, summed.tiling)
        manifest.unchanged(made, before)
        hangs = sensitivities(made, summed.partials, cube)
        body = manifest.core(made, summed.partials, cube, hashes)
        body["sensitivity"] = manifest.sensitivity_entries(hangs)
        body["quality"] = quality.record(case, judged, [i.name for i in found], len(hangs))
        if self.replaced:
            body["scenario"] = self.replaced.entry()
        looked = list(report.layers), report.ecosystems, list(report.looked)
        self._known = Known(made, summed.partials, hashes, before, looked, summed.tiling)
        warnings = [p for p in report.problems if p not in cube.problems]
        envelope = manifest.envelope(started, how.threads) | {"tiles": summed.effort}
        problems = [*warnings, *begun.held.problems, *cube.problems]
        sides = summed.partials, before, how.maps, hangs
        return Result(made, cube, found, body, problems, envelope, *sides)

    def _elsewhere(self, client: "Client", made: Plan, hashes: Mapping[str, str]) -> By:
        """How the workers of a cluster compute the tiles of this account."""
        said = self.replaced.coefficients if self.replaced else {}
        return cluster.workers(client, made, hashes, said)

    def forecast(
        self,
        *,
        threads: int | None = None,
        tile: int = TILE,
        output: str | Path | None = None,
        maps: Wanted | None = None,
        fresh: bool = False,
    ) -> Forecast:
        """Say what `run` with the same words would do, and why; nothing is computed or written.

        Raises
        ------
        InputError
            Whatever `check` lists.
        BusyError
            E710 if a run into the folder is under way.
        ResourceError
            E701, E705, E720 if *output* cannot be written, as `run`; nothing is left there.
        """
        threads, tile = counted("Account.forecast", threads, tile)
        began = time.monotonic()
        report = self.check()
        checked = time.monotonic() - began
        wanted = self.definition.output.maps if maps is None else maps
        made = self._sound(report, wanted)
        folder, drawn = Path(output) if output else made.output, count(made, wanted)
        if output:
            tried(made, folder, drawn)
        workers = default_threads(threads)
        return forecast(made, folder, workers, tile, drawn, fresh, checked)

    def ready(
        self, output: str | Path | None, maps: Wanted, progress: Progress | None, threads: int
    ) -> Report:
        """Check, try the output, and prepare what is lacking: after this the loop can run."""
        report = self._check(None, threads, soon=True)
        made = self._sound(report, maps)
        if output is not None:
            from gep.outputs.maps import need

            store.ready(Path(output), need(made, count(made, maps)))
        if not made.todo:
            return report
        prepared.make(made, made.todo, progress, threads)
        again = self._check(made, threads)
        stop_on(again.problems)
        assert again.plan is not None
        if lost := [step.path.name for step in again.plan.todo]:
            raise IdentityError(Problem("E713", {"file": ", ".join(lost)}))
        # layers that are known are not opened again: what was said of them before still stands
        said = [problem for problem in report.problems if problem not in again.problems]
        return replace(again, problems=(*said, *again.problems))

    def _sound(self, report: Report, maps: Wanted) -> Plan:
        """Plan of a report in which nothing stops a run with these *maps*."""
        stop_on(report.problems)
        made = report.plan
        assert made is not None
        if not made.items:
            raise InputError(Problem("E014", {"profile": made.profile.name}))
        stop_on(unknown(made, maps))
        return made


def _digests(made: Plan, workers: int, known: Known | None, held: resume.Keeping) -> dict[str, str]:
    """SHA-256 of every input; those of files that are as they were are not computed again."""
    files = manifest.input_files(made)
    there = held.known(files.values()) | (known.digests() if known else {})
    hashes = manifest.digests(made, workers, there)
    found = {path: hashes[role] for role, path in files.items()}
    stop_on(frozen.differing(made.definition, made.folder, found))  # changed since it was checked
    held.remember({path: hashes[role] for role, path in files.items() if path not in there})
    return hashes
