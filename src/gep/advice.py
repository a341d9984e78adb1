"""What an account lacks, and how to get it: one entry per raster or table."""

from dataclasses import dataclass

from gep.ecosystems import Title
from gep.errors import Problem
from gep.layers import UNKNOWN, records, variables
from gep.plan import Plan
from gep.preparing import Preparing
from gep.profile import chosen
from gep.service import services
from gep.template import headers

MOST_LACKING = 3
"""A method that lacks more inputs than this is no way out."""


@dataclass(frozen=True)
class Lacking:
    """One input that is lacking: its section in gep.toml, what belongs in it, who has it.

    `ways` are the inputs each way of preparing it lacks, with the methods that lack just these.
    """

    section: str
    name: str
    needs: str
    office: Title
    services: tuple[str, ...]
    ways: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()


def uncovered(plan: Plan) -> list[Problem]:
    """Why indicators are not covered; not of a table that is named and could not be read."""
    named = plan.definition.statistics
    reasons = [found.reason for found in plan.uncovered]
    return [r for r in reasons if r.code != "W103" or r.fields["table"] not in named]


def lacking(plan: Plan) -> list[Lacking]:
    """Every input for want of which something is not covered, each once, in the order met."""
    wanted: dict[tuple[str, str], dict[str, None]] = {}
    there = uncovered(plan)
    for found in plan.uncovered:
        code, fields = found.reason.code, found.reason.fields
        if found.reason not in there:
            continue
        if code == "W102":
            for name in str(fields["rasters"]).split(", "):
                wanted.setdefault(("rasters", name), {})[found.service] = None
        elif code == "W103":
            wanted.setdefault(("statistics", str(fields["table"])), {})[found.service] = None
    header = headers([service for _, service in chosen(plan.profile, services())])
    return [
        _raster(name, tuple(users), plan.preparing)
        if kind == "rasters"
        else _table(name, header.get(name, ""), tuple(users))
        for (kind, name), users in wanted.items()
    ]


def _raster(name: str, users: tuple[str, ...], preparing: Preparing | None) -> Lacking:
    known = variables().get(name)
    units = (service.rasters().get(name) for service in services().values())
    unit = next(filter(None, units), known.unit if known else "")
    methods = preparing.lacks(name) if preparing else {}
    ways: dict[tuple[str, ...], list[str]] = {}
    for method, names in methods.items():
        if len(names) <= MOST_LACKING:
            ways.setdefault(tuple(names), []).append(method)
    office = known.office if known else UNKNOWN
    found = tuple((names, tuple(own)) for names, own in ways.items())
    return Lacking(f"[rasters.{name}]", name, unit, office, users, found)


def _table(name: str, header: str, users: tuple[str, ...]) -> Lacking:
    office = records()[name].office if name in records() else UNKNOWN
    return Lacking(f"[statistics.{name}]", name, header, office, users)
