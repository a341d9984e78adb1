"""The two accounts a comparison stands on, as their tables are written, and what parts them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from gep import store
from gep import verify as verification
from gep.errors import Problem
from gep.outputs import csv

Text = dict[str, str]
Key = tuple[str, str, str, str]
"""Code of the county, service, indicator, ecosystem."""
TABLES = ("accounts.csv", "extent.csv", "county_gep.csv")
DIGITS = 12
"""Leading digits of a SHA-256 that a message shows."""


@dataclass(frozen=True, repr=False)
class Side:
    """An account as written: rows of its three tables as text, and the core of its run.json."""

    name: str
    rows: list[Text]
    extent: list[Text]
    counties: list[Text]
    core: Mapping[str, Any]

    def __repr__(self) -> str:
        """Name of the run."""
        return f"Side({self.name!r})"

    @property
    def account(self) -> str:
        """Name of the account."""
        return str(self.core["account"]["account"]["name"])

    @property
    def year(self) -> int:
        """Accounting year."""
        return int(self.core["account"]["account"]["year"])

    @property
    def price_year(self) -> int:
        """Year whose money the values are in."""
        return int(self.core["account"]["account"].get("price_year") or self.year)

    @property
    def profile(self) -> str:
        """Name and version of the profile."""
        return f"{self.core['profile']['name']} {self.core['profile']['version']}"

    @cached_property
    def leaves(self) -> dict[Key, Text]:
        """Rows that are counted and priced, by leaf."""
        return {leaf(row): row for row in self.rows if row["value_unit"]}

    @cached_property
    def areas(self) -> dict[tuple[str, str], Decimal]:
        """Area by county and ecosystem [km^2]."""
        return {(r["county_code"], r["ecosystem"]): Decimal(r["area_km2"]) for r in self.extent}

    @cached_property
    def places(self) -> frozenset[str]:
        """Codes of the counties, and `unallocated` if there is such land."""
        return frozenset(row["county_code"] for row in (*self.extent, *self.rows))

    @cached_property
    def items(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What run.json says of every indicator."""
        return {(item["service"], item["indicator"]): item for item in self.core["items"]}

    @cached_property
    def _open(self) -> frozenset[str]:
        items = self.items.values()
        return frozenset(i["service"] for i in items if "table" in i and i["counted"])

    @cached_property
    def _unpriced(self) -> frozenset[tuple[str, str]]:
        plain = (row for row in self.rows if not row["value_unit"])
        return frozenset((row["service"], row["indicator"]) for row in plain)

    def counts(self, service: str, indicator: str) -> bool:
        """Tell whether an indicator has money in this account, or would have if it occurred."""
        item = self.items.get((service, indicator))
        if item is None:
            return service in self._open
        return bool(item["counted"]) and (service, indicator) not in self._unpriced

    def by_area(self, service: str, indicator: str) -> bool:
        """Tell whether an indicator is summed over pixels: not of a table's rows, nor capped."""
        item = self.items.get((service, indicator))
        while item is not None and item["derived_from"]:
            base = (item["service"], *item["derived_from"].split("."))[-2:]
            item = self.items.get(base)
        return item is not None and not (item["cap"] or "rows" in item or "table" in item)


def leaf(row: Text) -> Key:
    """Leaf a row of accounts.csv belongs to."""
    return row["county_code"], row["service"], row["indicator"], row["ecosystem"]


def of_files(name: str, files: Mapping[str, bytes], core: Mapping[str, Any]) -> Side:
    """Side of an account from the bytes of its tables by name."""
    rows, extent, counties = (csv.decode(files[file]) for file in TABLES)
    return Side(name, rows, extent, counties, core)


def of_folder(folder: Path) -> Side:
    """Side of a run folder, or of the latest one below it, verified first.

    Raises
    ------
    InputError
        E790 there is no run, E717 its run.json has another form.
    IdentityError
        E711, E715, E716 it is not what was written.
    """
    found = store.find(folder)
    verification.verify(found)
    manifest, _ = verification.read(found)
    files = {name: (found / name).read_bytes() for name in TABLES}
    return of_files(found.name, files, manifest["core"])


def parted(before: Side, after: Side) -> list[Problem]:
    """W560 to W563: what makes two accounts no series, in the order of its weight."""
    found = []
    fields: dict[str, object] = {"before": before.name, "after": after.name}
    if before.profile != after.profile:
        profiles = {"profile": before.profile, "other": after.profile}
        found.append(Problem("W560", fields | profiles))
    (file, digests), (other, others) = _polygons(before), _polygons(after)
    if digests != others:
        found.append(Problem("W561", fields | {"file": file, "other": other}))
    if (one := _legend(before)) != (two := _legend(after)):
        found.append(Problem("W562", fields | {"legend": one, "other": two}))
    for service, method, other in _methods(before, after):
        methods = {"service": service, "method": method, "other": other}
        found.append(Problem("W563", fields | methods))
    return found


def _polygons(side: Side) -> tuple[str, list[str]]:
    """Files of the county polygons in words, and their digests."""
    inputs = side.core["inputs"]
    known = [entry for role, entry in inputs.items() if role.startswith("counties")]
    digests = [str(entry["sha256"]) for entry in known]
    named = zip(known, digests, strict=True)
    return ", ".join(f"{entry['file']} {sha256[:DIGITS]}" for entry, sha256 in named), digests


def _legend(side: Side) -> str:
    """Legend of the ecosystem raster, with the digest of one that is the user's own."""
    name = side.core["account"]["rasters"]["ecosystem"].get("legend") or "-"
    own = side.core["inputs"].get("legend")
    return f"{name} {own['sha256'][:DIGITS]}" if own else str(name)


def _methods(before: Side, after: Side) -> Iterator[tuple[str, str, str]]:
    """Yield the services both accounts have with different methods."""
    one, two = ({i["service"]: i["method"] for i in s.items.values()} for s in (before, after))
    for service, method in one.items():
        if two.get(service, method) != method:
            yield service, method, two[service]
