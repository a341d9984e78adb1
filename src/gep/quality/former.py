"""The run of the year before, as far as growth is measured against it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gep import store, verify
from gep.config import locate
from gep.cube import UNALLOCATED
from gep.ecosystems import Title
from gep.identities import cents
from gep.plan import Plan
from gep.units import price_year

BASES = {
    "legend": Title("land-cover legend", "土地覆被图例"),
    "profile": Title("profile", "参数方案"),
    "runoff": Title("runoff coefficients", "径流系数"),
    "services": Title("services", "服务"),
    "counties": Title("counties", "县区"),
}
"""What two years must share to be of one series."""


@dataclass(frozen=True)
class Former:
    """A former run: its year, what its series rests on, its money at constant prices.

    `services` are cents of every service at prices of `base_year`; None where a price of that year
    is lacking. `base_year` is None where the run has no constant prices at all.
    """

    folder: Path
    year: int
    base_year: int | None
    services: dict[str, int | None]
    basis: dict[str, str]


def find(plan: Plan) -> Path | None:
    """Folder of the run `[account] previous` names; None if none is named.

    Raises
    ------
    InputError
        E790 if it is not there.
    """
    named = plan.definition.account.previous
    return None if named is None else store.find(locate(plan.folder, named))


def read(plan: Plan) -> Former | None:
    """Run that `[account] previous` names, verified; None if none is named.

    Raises
    ------
    InputError
        E790 if it is not there, E717 if another gep wrote it.
    IdentityError
        E711, E715, E716 if it is not what it was when it was written.
    """
    folder = find(plan)
    if folder is None:
        return None
    verify.verify(folder)
    manifest, rows = verify.read(folder)
    core = manifest["core"]
    base, services = constant([row for row in rows if row["value_unit"]])
    used = {name: c["at"] for i in core["items"] for name, c in i["coefficients"].items()}
    basis = {
        "legend": core["account"]["rasters"]["ecosystem"]["legend"],
        "profile": f"{core['profile']['name']} {core['profile']['version']}",
        "runoff": _set(used.get("runoff_coefficient", "")),
        "services": _listed(r["service"] for r in rows if r["value_unit"]),
        "counties": _listed(core["pixels"].keys() - {"outside", UNALLOCATED}),
    }
    return Former(folder, core["account"]["account"]["year"], base, services, basis)


def constant(rows: Sequence[Mapping[str, str]]) -> tuple[int | None, dict[str, int | None]]:
    """Base year of the rows and their money at its prices in cents, by service.

    A row that has an amount or money, and none at constant prices, leaves its service without.
    """
    bases, sums, lacking = set(), dict[str, int](), set()
    for row in rows:
        service, money = row["service"], cents(row.get("value_constant", ""))
        bases |= {price_year(row.get("value_constant_unit", ""))} - {None}
        if money is not None:
            sums[service] = sums.get(service, 0) + money
        elif row["quantity"] or row["value"]:
            lacking.add(service)
    names = dict.fromkeys(row["service"] for row in rows)
    services = {name: None if name in lacking else sums.get(name) for name in names}
    return (bases.pop() if len(bases) == 1 else None), services


def basis(plan: Plan, services: Iterable[str], counties: Iterable[str]) -> dict[str, str]:
    """Return what the series of this account rests on, in the words of `Former.basis`."""
    used = {name: c.at for item in plan.items for name, c in item.coefficients.items()}
    return {
        "legend": plan.definition.rasters["ecosystem"].legend or "",
        "profile": f"{plan.profile.name} {plan.profile.version}",
        "runoff": _set(used.get("runoff_coefficient", "")),
        "services": _listed(services),
        "counties": _listed(counties),
    }


def _set(at: str) -> str:
    """Name of the set in the place of a coefficient.

    >>> _set("water_retention.toml: runoff_coefficient.sets.hj1173")
    'hj1173'
    """
    return at.rpartition(".sets.")[2]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(set(words)))
