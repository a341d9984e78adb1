"""The quality rule of growth: this account against the run of the year before, at fixed prices."""

from decimal import Decimal

from gep.cube import Cube, Line
from gep.ecosystems import Title
from gep.errors import Problem
from gep.profile import catalogue
from gep.quality.case import Case, Finding, judged, said
from gep.quality.former import BASES, Former, basis
from gep.quality.limits import ENDLESS, rules

UNNAMED = Title(
    "no former run is named ([account] previous)", "未指定上一年的运行结果（[account] previous）"
)
TOTAL = Title("total", "总值")


def growth(case: Case) -> Finding:
    """Change of the total and of every service since the year before: W580, W581, W582."""
    before, cube = case.former, case.cube
    if before is None:
        return Finding("growth", None, UNNAMED)
    mine = basis(case.plan, (line.service for line in cube.counted()), cube.names)
    if parted := [title for name, title in BASES.items() if mine[name] != before.basis[name]]:
        fields = {"year": before.year, "parted": ", ".join(title.en for title in parted)}
        fields["parted_zh"] = "、".join(title.zh for title in parted)
        return _unchecked(Problem("W581", fields))
    if obstacle := _obstacle(cube, before):
        return _unchecked(_because(before, obstacle))
    problems, known = [], {}
    services = at_constant(cube)
    for name, now in services.items():
        then = before.services.get(name)
        if then is not None and now is not None:
            known[name] = then, now
    if lacking := services.keys() - known.keys():
        problems.append(_because(before, _unpriced(before, lacking)))
    if told := _beyond(known):
        problems.append(_changed(before, told))
    elif problems:
        return _unchecked(*problems)
    return judged("growth", len(known), problems, Title("no money", "没有价值量"))


def at_constant(cube: Cube) -> dict[str, int | None]:
    """Cents of every service at the prices of the base year; None where such a price lacks."""
    assert cube.constant is not None
    pairs = list(zip(cube.counted(), cube.constant.counted(), strict=True))
    lacking = {now.service for now, then in pairs if _lacks(now, then)}
    names = dict.fromkeys(line.service for line in cube.counted())
    money = {name: cube.constant.cents(cube.places, service=name) for name in names}
    return {name: None if name in lacking else cents for name, cents in money.items()}


def _lacks(now: Line, then: Line) -> bool:
    """Tell whether a leaf has an amount or money, and no money at the prices of the base year."""
    found = {leaf for part in (now.amounts, now.cents) for leaf, n in part.items() if n is not None}
    return any(then.cents.get(leaf) is None for leaf in found)


def change(then: int, now: int) -> Decimal:
    """Relative change; endless from nothing.

    >>> change(200, 150), change(-4, -2), change(0, 0), change(0, 1)
    (Decimal('-0.25'), Decimal('0.5'), Decimal('0'), Decimal('Infinity'))
    """
    if not then:
        return ENDLESS if now else Decimal(0)
    return Decimal(now - then) / abs(then)


def _beyond(known: dict[str, tuple[int, int]]) -> list[tuple[Title, Decimal]]:
    """Return the changes that must be explained: of the total, then of services, largest first."""
    whole, one = (rules()["growth"].limits[name] for name in ("total", "service"))
    total = change(sum(then for then, _ in known.values()), sum(now for _, now in known.values()))
    found = {name: change(then, now) for name, (then, now) in known.items()}
    large = sorted(found, key=lambda name: -abs(found[name]))
    services = [(catalogue()[n].title, found[n]) for n in large if not one.passes(found[n])]
    return [(TOTAL, total)] * (not whole.passes(total)) + services


def _changed(before: Former, told: list[tuple[Title, Decimal]]) -> Problem:
    """W582: what changed by more than may pass without a word."""
    whole, one = (rules()["growth"].limits[name].high for name in ("total", "service"))
    fields: dict[str, object] = {"year": before.year, "base": before.base_year}
    fields |= {"total": f"{whole:.0%}", "service": f"{one:.0%}"}
    shown = [(title, f"{n:+.1%}" if n < ENDLESS else "+∞") for title, n in told]
    fields["changes"] = ", ".join(f"{title.en} {number}" for title, number in shown)
    fields["changes_zh"] = "、".join(f"{title.zh} {number}" for title, number in shown)
    return Problem("W582", fields)


def _obstacle(cube: Cube, before: Former) -> Title | None:
    """Why money of the two runs cannot be compared; None if it can."""
    if cube.constant is None:
        return Title("this account has no base_year", "本核算没有 base_year")
    base = cube.constant.price_year
    if before.base_year is None:
        return Title("it has no constant prices", "该结果没有不变价")
    if before.base_year != base:
        years = f"{before.base_year}, {base}"
        return Title(f"the base years differ: {years}", f"基年不同：{years}")
    if before.year != cube.year - 1:
        return Title(f"the year before is {cube.year - 1}", f"上一年是 {cube.year - 1} 年")
    return None


def _unpriced(before: Former, services: set[str]) -> Title:
    """Why some services cannot be compared."""
    titles = [entry.title for name, entry in catalogue().items() if name in services]
    en, zh = ", ".join(title.en for title in titles), "、".join(title.zh for title in titles)
    year = before.base_year
    return Title(f"no prices of {year} for {en}", f"{zh}没有 {year} 年价格")


def _because(before: Former, why: Title) -> Problem:
    return Problem("W580", {"year": before.year, "why": why.en, "why_zh": why.zh})


def _unchecked(*problems: Problem) -> Finding:
    return Finding("growth", None, said(problems), problems)
