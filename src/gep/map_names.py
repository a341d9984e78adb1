"""Names by which maps of an account can be asked for, and how many maps they make."""

import difflib
from collections.abc import Sequence

from gep.errors import Problem
from gep.plan import Plan
from gep.service import GROUPS, Products
from gep.tables import TOTAL

ALL = "all"
Wanted = bool | str | Sequence[str]
"""All maps, none, or names: a service, service.indicator, a group, `total`, or `all`."""


def said(wanted: Wanted) -> bool | list[str]:
    """What is wanted: all, none, or names.

    >>> said("all"), said("total"), said(["total", "all"]), said(False)
    (True, ['total'], True, False)
    """
    if isinstance(wanted, bool):
        return wanted
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    return True if ALL in listed else listed


def names(plan: Plan) -> dict[str, int]:
    """Every name a map can be asked for by, and how many maps it makes at most."""
    found: dict[str, int] = {}
    groups = set()
    for item in plan.items:
        i = item.indicator
        priced = item.counted and (isinstance(i, Products) or i.priced)
        for name in _products(plan, i) if isinstance(i, Products) else [i.name]:
            found[f"{item.service.name}.{name}"] = 1 + priced
            found[item.service.name] = found.get(item.service.name, 0) + 1 + priced
        groups |= {item.service.group, TOTAL} if priced else set()
    return found | {name: 1 for name in (*GROUPS, TOTAL) if name in groups}


def _products(plan: Plan, i: Products) -> list[str]:
    rows = plan.tables[i.table].rows
    own = [row.cells["product"] for row in rows if row.cells.get("group") == i.group]
    return list(dict.fromkeys(own))


def unknown(plan: Plan, wanted: Wanted) -> list[Problem]:
    """E721 for every name that is no map of the account."""
    if isinstance(wanted, bool):
        return []
    known = names(plan)
    problems = []
    for name in [wanted] if isinstance(wanted, str) else wanted:
        if name not in (*known, ALL):
            close = difflib.get_close_matches(name, known, 3)
            short = [word for word in known if "." not in word]
            problems.append(Problem("E721", {"name": name, "known": ", ".join(close or short)}))
    return problems


def count(plan: Plan, wanted: Wanted) -> int:
    """How many maps *wanted* makes at most."""
    wanted = said(wanted)
    if wanted is False:
        return 0
    known = names(plan)
    single = [name for name in known if "." in name or name in (*GROUPS, TOTAL)]
    return sum(known[name] for name in (single if wanted is True else dict.fromkeys(wanted)))
