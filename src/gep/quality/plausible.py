"""Quality rules that hold an account against ranges it should lie in."""

from collections.abc import Iterable
from decimal import Decimal

from gep.check import Understood
from gep.cube import Line
from gep.ecosystems import Title, ecosystems, members
from gep.errors import Problem
from gep.plan import Plan
from gep.quality.case import Case, Finding, judged, shown
from gep.quality.limits import Limit, rules
from gep.tables import status
from gep.units import exact, factor

TITLES = {
    "provisioning": Title("provisioning", "物质产品"),
    "regulating": Title("regulating", "调节服务"),
    "cultural": Title("cultural", "文化服务"),
}
VALUES = {
    "total": Title("total value", "总值"),
    "regulating": Title("value of regulating services", "调节服务价值"),
}


def magnitude(case: Case) -> Finding:
    """Quantity of every county per area of eligible land against its sane range: W570."""
    problems, compared = [], 0
    for limit in rules()["magnitude"].limits.values():
        line = case.line(limit.line)
        if line is None:
            continue
        found = _densities(case, line, limit)
        compared += len(found)
        wrong = {county: n for county, n in found.items() if not limit.passes(n)}
        if wrong:
            worst = max(wrong, key=lambda county: limit.beyond(wrong[county]))
            fields = {"service": line.service, "indicator": line.indicator, "count": len(wrong)}
            fields |= {"low": f"{limit.low:,}", "high": f"{limit.high:,}", "unit": limit.unit}
            fields |= {"worst": case.named(worst), "found": shown(wrong[worst])}
            problems.append(Problem("W570", fields))
    lacking = Title("no indicator that has a range", "没有给定范围的指标")
    return judged("magnitude", compared, problems, lacking)


def _densities(case: Case, line: Line, limit: Limit) -> dict[str, Decimal]:
    """Amount per area of every county that has both; a class without an amount has no area."""
    (item,) = [item for item in case.plan.items if item.key == line.key]
    eligible = limit.ecosystems or getattr(item.indicator, "ecosystems", ())
    kinds = [ecosystem.key for ecosystem in members(eligible)]
    times = exact(factor(f"({line.unit}) / km^2", limit.unit, limit.line)) * line.quantum
    found = {}
    for place in case.cube.names:
        if limit.of == "capacity":
            known = kinds
            amount = line.capped[place][0] if place in line.capped else None
        else:
            amounts = {kind: line.amounts.get((place, kind)) for kind in kinds}
            known = [kind for kind in kinds if amounts[kind] is not None]
            amount = sum(n for n in amounts.values() if n is not None)
        area = case.land(place, known)
        if amount is not None and area:
            found[place] = amount * times / area
    return found


def carbon(case: Case) -> Finding:
    """Layers of carbon, and the ratio of oxygen to carbon dioxide: W573, W574, W575."""
    compared, problems = carbon_problems(case.plan, case.layers)
    return judged("carbon", compared, problems, Title("no carbon in it", "不含固碳释氧"))


def carbon_problems(plan: Plan, layers: Iterable[Understood]) -> tuple[int, list[Problem]]:
    """How many figures of carbon there are, and what is wrong with them.

    Layers are judged by what a check sees of them: a sample of the tiles where there are many.
    """
    production, exchange, oxygen = rules()["carbon"].limits.values()
    compared, problems = 0, []
    for row in layers:
        known = {production.line: (production, "W573", row.median)}
        known[exchange.line] = (exchange, "W574", row.low)
        if row.name not in known or row.missing == 1.0:
            continue
        limit, code, number = known[row.name]
        figure = exact(number * factor(row.unit, limit.unit, row.name))
        compared += 1
        if not limit.passes(figure):
            fields = {"name": row.name, "found": f"{figure:.6g}", "unit": limit.unit}
            problems.append(Problem(code, fields | {"low": limit.low, "high": limit.high}))
    for c in [c for item in plan.items for n, c in item.coefficients.items() if n == oxygen.line]:
        for value in c.values.values():
            ratio = value.number * exact(factor(c.unit, oxygen.unit, c.at))
            compared += 1
            if not oxygen.passes(ratio):
                said = {"at": c.at, "found": f"{ratio:.6g}"}
                problems.append(Problem("W575", said | {"low": oxygen.low, "high": oxygen.high}))
    return compared, problems


def shares(case: Case) -> Finding:
    """Shares of the three groups in a complete account: W576."""
    cube = case.cube
    total = cube.cents(cube.places) or 0
    if status(cube, cube.places) != "complete" or total <= 0:
        why = Title("the account is not complete", "核算不完整")
        return judged("shares", 0, [], why)
    problems = []
    for limit in rules()["shares"].limits.values():
        share = Decimal(cube.cents(cube.places, limit.name) or 0) / total
        if not limit.passes(share):
            title = TITLES[limit.name]
            fields = {"group": title.en, "group_zh": title.zh, "found": f"{share:.1%}"}
            fields |= {"low": f"{limit.low:.0%}", "high": f"{limit.high:.0%}"}
            problems.append(Problem("W576", fields))
    return judged("shares", len(TITLES), problems, Title("", ""))


def county_range(case: Case) -> Finding:
    """Value of every complete county per area, all of it and of regulating services: W577."""
    cube, problems, compared = case.cube, [], 0
    complete = [c for c in cube.names if status(cube, (c,)) == "complete"]
    areas = {county: case.land(county, [*ecosystems(), "nodata"]) for county in complete}
    for limit in rules()["county_range"].limits.values():
        times = exact(factor("CNY/km^2", limit.unit, limit.name)) / 100
        group = limit.name if limit.name in TITLES else ""
        money = {c: cube.cents([c], group) for c in complete if areas[c]}
        found = {c: cents * times / areas[c] for c, cents in money.items() if cents is not None}
        wrong = {county: n for county, n in found.items() if not limit.passes(n)}
        compared += len(found)
        if wrong:
            worst = max(wrong, key=lambda county: limit.beyond(wrong[county]))
            what = VALUES[limit.name]
            fields = {"what": what.en, "what_zh": what.zh, "count": len(wrong)}
            fields |= {"low": f"{limit.low}", "high": f"{limit.high}"}
            fields |= {"worst": case.named(worst), "found": shown(wrong[worst])}
            problems.append(Problem("W577", fields))
    why = Title("no county is complete", "没有完整核算的县区")
    return judged("county_range", compared, problems, why)
