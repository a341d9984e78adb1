"""The named quality rules: all of them on one account, and what run.json says of each."""

from collections.abc import Callable, Iterable
from typing import Any

from gep import statistics
from gep.amounts import doubts
from gep.check import Understood
from gep.columns import JUDGED
from gep.ecosystems import Title
from gep.errors import Problem, gathering
from gep.plan import Plan
from gep.profile import catalogue
from gep.quality import evidence, former, plausible
from gep.quality.case import Case, Finding
from gep.quality.growth import growth
from gep.quality.limits import Rule, rules
from gep.quality.provenance import decisive, unverified

CHECKS: dict[str, Callable[[Case], Finding]] = {
    "class_totals": evidence.class_totals,
    "coverage": evidence.coverage,
    "magnitude": plausible.magnitude,
    "water": evidence.water,
    "soil": evidence.soil,
    "carbon": plausible.carbon,
    "shares": plausible.shares,
    "county_range": plausible.county_range,
    "growth": growth,
    "legend_flags": evidence.legend_flags,
}
"""What checks each rule on the account; the others are identities or only reports."""
INAPPLICABLE = {
    "area": Title("pixels of 250 m or more are too coarse", "像元不小于 250 米，过粗"),
    "cap": Title("no quantity is capped", "没有设上限的实物量"),
}
"""Why an identity was not checked; all others always are."""
OF_TABLES = ("counties", "ecosystems", "groups")
"""Identities that are checked on the tables of every run, after its core is made."""


def early(plan: Plan, layers: Iterable[Understood]) -> list[Problem]:
    """Return what can be said before the pixels are summed: of tables, layers, the former run."""
    problems: list[Problem] = []
    with gathering(problems):
        former.find(plan)
    for name, columns in JUDGED.items():
        if name in plan.tables:
            table = plan.tables[name]
            known = {c: unit for c, unit in columns.items() if c in table.rows[0].cells}
            problems += statistics.check(table, known or columns, plan.counties.codes)
    return problems + doubts(plan) + plausible.carbon_problems(plan, layers)[1]


def findings(case: Case) -> list[Finding]:
    """Return what came of every rule that is checked on the account itself."""
    return [check(case) for check in CHECKS.values()]


def record(
    case: Case, found: list[Finding], identities: Iterable[str], variants: int
) -> dict[str, Any]:
    """Everything run.json says of quality: every rule, and what makes the account provisional.

    `identities` are the names of those checked on the rasters, `variants` how many the
    sensitivity of the account lists.
    """
    shares = decisive(case.plan, case.cube)
    told = [*found, _provenance(shares), _sensitivity(variants)]
    by_rule = {finding.rule: finding for finding in told}
    checked = {*identities, *OF_TABLES}
    return {
        "provisional": bool(shares),
        "decisive": {service: f"{share:.6f}" for service, share in shares.items()},
        "unverified": unverified(case.plan, case.cube),
        "rules": [
            _entry(rule, by_rule.get(name) or _elsewhere(rule, checked))
            for name, rule in rules().items()
        ],
    }


def _entry(rule: Rule, finding: Finding) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "action": rule.action,
        "held": "not checked" if finding.held is None else finding.held,
        "why": finding.why._asdict(),
        "en": rule.title.en,
        "zh": rule.title.zh,
    }


def _provenance(shares: Iterable[str]) -> Finding:
    """Whether every number behind a service that matters has been verified."""
    titles = [catalogue()[service].title for service in shares]
    en, zh = ", ".join(title.en for title in titles), "、".join(title.zh for title in titles)
    if not titles:
        return Finding("provenance", True, Title("none decides", "没有未核实的数值起决定作用"))
    why = Title(f"unverified numbers behind {en}", f"{zh}使用了未核实的数值")
    return Finding("provenance", False, why)


def _sensitivity(variants: int) -> Finding:
    """Whether the run lists how its total moves with the choices behind it."""
    if not variants:
        why = Title("no variant moves the total", "没有改变总值的变体")
        return Finding("sensitivity", None, why)
    return Finding("sensitivity", True, Title(f"{variants} variants", f"{variants} 个变体"))


def _elsewhere(rule: Rule, checked: set[str]) -> Finding:
    """Finding of a rule that identities hold: one that failed would leave no run to say so."""
    names = ", ".join(name for name in rule.identities if name in checked)
    if names:
        return Finding(rule.name, True, Title(f"identity {names}", f"恒等式 {names}"))
    (name,) = rule.identities
    return Finding(rule.name, None, INAPPLICABLE[name])
