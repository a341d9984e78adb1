"""One account opened from its gep.toml: check it, run it, and keep what came of it."""

import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gep import check, config, explain, identities, manifest, plan, store, tables
from gep.acceptance import accept
from gep.accounts import account
from gep.check import Understood
from gep.config import Definition
from gep.cube import Cube
from gep.errors import IdentityError, InputError, Problem, stop_on
from gep.identities import Identity
from gep.outputs import csv
from gep.plan import Plan
from gep.rasters import threads as default_threads
from gep.run import TILE, Loop, Progress, accumulate

if TYPE_CHECKING:
    import pandas
    import xarray


@dataclass(frozen=True)
class Report:
    """What a check understood and what it found; `ok` if nothing stops a run."""

    problems: tuple[Problem, ...]
    layers: tuple[Understood, ...]
    ecosystems: dict[str, float]
    plan: Plan | None = field(repr=False)

    @property
    def ok(self) -> bool:
        """Tell whether no problem is an error."""
        return not any(problem.is_error for problem in self.problems)

    def __str__(self) -> str:
        """Every problem with its fix, in English."""
        uncovered = [] if self.plan is None else [u.reason for u in self.plan.uncovered]
        found = [problem.render() for problem in (*self.problems, *uncovered)]
        return "\n".join(found) or "no problems"


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

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.definition: Definition = config.read(self.path)

    def __repr__(self) -> str:
        """Name, year and profile."""
        section = self.definition.account
        return f"Account({section.name!r}, {section.year}, {section.profile!r})"

    def check(self) -> Report:
        """List every problem that headers, tables, polygons and a sample of the pixels show."""
        made, problems = plan.make(self.definition, self.path.parent)
        layers: list[Understood] = []
        shares: dict[str, float] = {}
        if made is not None:
            layers, shares, found = check.pixels(made)
            problems += found
        return Report(tuple(problems), tuple(layers), shares, made)

    def run(
        self,
        *,
        threads: int | None = None,
        tile: int = TILE,
        progress: Progress | None = None,
        output: str | Path | None = None,
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

        Raises
        ------
        InputError
            Whatever `check` lists, and what only all the pixels can show; nothing is written.
        IdentityError
            E711 an identity does not hold, E714 an input changed during the run.
        ResourceError, BusyError
            E705, E710 if *output* cannot be written, or not now.
        """
        started = time.monotonic()
        report = self.check()
        stop_on(report.problems)
        made = report.plan
        assert made is not None
        if not made.items:
            raise InputError(Problem("E014", {"profile": made.profile.name}))
        if output is not None:
            store.ready(Path(output))
        workers = default_threads(threads)
        before = manifest.stamps(made)
        hashes = manifest.digests(made, workers)
        loop = Loop(made)
        partials = accumulate(made, workers, progress, tile, loop=loop)
        cube = account(made, partials)
        cube.problems = accept(cube.problems, self.definition)
        stop_on(cube.problems)
        found = identities.of_run(made, partials, cube, loop)
        manifest.unchanged(made, before)
        body = manifest.core(made, partials, cube, hashes)
        warnings = [p for p in report.problems if p not in cube.problems]
        return Result(
            made,
            cube,
            found,
            body,
            [*warnings, *cube.problems],
            manifest.envelope(started, workers),
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
    ) -> None:
        self.plan = made
        self.account = account_cube
        self.problems = tuple(problems)
        self.envelope = envelope
        self._core = body
        self.name = f"{account_cube.year}_{manifest.run_id(body)}"
        self._files = table_files(account_cube, made.definition.account.name)
        self.identities = (*of_run, *table_identities(self._files))
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
        used += [item.price for item in self.plan.items if item.price is not None]
        used += [book.indices[c.index] for c in used if c.index in book.indices]
        once = {c.at: c for c in used}
        numbers = [number for c in once.values() for number in dict(c.values).values()]
        return sum(bool(number.verified_by) for number in numbers), len(numbers)

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

    def files(self) -> dict[str, bytes]:
        """Content of every file of the run folder by name."""
        sealed = manifest.seal(self._core, list(self.identities), self._files, self.envelope)
        return self._files | {store.MANIFEST: sealed}

    def write(self, folder: str | Path | None = None) -> Path:
        """Write the run folder below *folder* (default: as gep.toml says), whole or not at all."""
        target = Path(folder) if folder else self.plan.output
        with store.locked(target):
            return store.publish(target, self.name, self.files())


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
