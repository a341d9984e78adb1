"""What a run gave: tables, the cube, identities, the manifest, and the run folder with its maps."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gep import densities, explain, identities, manifest, repricing, store, tables
from gep.cube import Cube
from gep.errors import IdentityError, Problem
from gep.identities import Identity
from gep.map_names import Wanted
from gep.outputs import csv
from gep.plan import Plan
from gep.run import Partials, Progress
from gep.sensitivity import Sensitivity

if TYPE_CHECKING:
    import pandas
    import xarray

    from gep.compare import Comparison
    from gep.compare.sides import Side


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

    def reprice(self, prices: "Mapping[str, Any] | pandas.DataFrame") -> "xarray.Dataset":
        """Money of this account in many scenarios of its prices; no raster or table is read.

        Every scenario is to the cent what ``account.scenario(name, prices=…).run()`` gives; the
        prices a table of the user states, and all that are not named, stay as they are.

        Parameters
        ----------
        prices : mapping or DataFrame
            By name one number with its unit for every scenario: texts such as
            ``["6.1 CNY_2020/m^3", "7 CNY_2021/m^3"]``, or numbers and the unit of them all, as
            ``([6.1, 7.0], "CNY_2020/m^3")``. Of a frame each row is a scenario, each column a
            price; units stand in ``attrs["units"]`` by column, or columns are (name, unit).

        Returns
        -------
        xarray.Dataset
            `value` (scenario, county, service), `gep` (scenario, county) and `total` (scenario) in
            CNY of the price year; NaN where the account has none.

        Raises
        ------
        InputError, UnitError
            E019, E603 as `Account.scenario`; E734 as many numbers of each price, E735 no series,
            E736 no price.
        IdentityError
            E711 the last scenario is not what the account's own pricing gives.
        """
        return repricing.reprice(self.plan, self.account, prices)

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
        "accounts.csv": csv.accounts(cube),
        "county_gep.csv": csv.encode(tables.COUNTY_COLUMNS, tables.county_rows(cube, name)),
        "extent.csv": csv.encode(tables.EXTENT_COLUMNS, tables.extent_rows(cube)),
    }


def table_identities(files: dict[str, bytes]) -> list[Identity]:
    """Identities of the tables as they are written."""
    names = ("accounts.csv", "county_gep.csv", "extent.csv")
    return identities.of_tables(*(csv.read(files[name]) for name in names))
