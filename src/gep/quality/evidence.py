"""Quality rules that hold the account against what others know: surveys, bulletins, its legend."""

from decimal import Decimal

from gep.ecosystems import Title, members
from gep.errors import Problem
from gep.quality.case import Case, Finding, judged, shown
from gep.quality.limits import rules

RETAINED = "water_retention.water_retention"
RESOURCES = "water_resources.total_water_resources"


def class_totals(case: Case) -> Finding:
    """Area of cropland and forest of every county against the table `land`: W571."""
    problems, compared = [], 0
    for limit in rules()["class_totals"].limits.values():
        kinds = [ecosystem.key for ecosystem in members(limit.ecosystems)]
        stated = case.stated(limit.line)
        off = {county: case.land(county, kinds) - area for county, area in stated.items()}
        wrong = {
            county: abs(off[county]) / area if area else abs(off[county])
            for county, area in stated.items()
            if not limit.low * area <= off[county] <= limit.high * area
        }
        compared += len(stated)
        if wrong:
            worst = max(wrong, key=lambda county: wrong[county])
            fields = {"column": limit.name, "count": len(wrong), "limit": f"{limit.high:.0%}"}
            fields |= {"worst": case.named(worst), "stated": f"{stated[worst]:,.2f}"}
            fields["found"] = f"{case.land(worst, kinds):,.2f}"
            problems.append(Problem("W571", fields))
    return judged("class_totals", compared, problems, Title("no table land", "没有统计表 land"))


def water(case: Case) -> Finding:
    """Water retained in every county against its water resources: E570, W572."""
    most, near = (rules()["water"].limits[name].high for name in ("most", "near"))
    line, resources = case.line(RETAINED), case.stated(RESOURCES)
    sums = {county: line.quantity([county]) if line else None for county in resources}
    known = {county: amount for county, amount in sums.items() if amount is not None}
    over = [county for county, amount in known.items() if amount > most * resources[county]]
    close = [c for c in known if c not in over and known[c] > near * resources[c]]
    problems = []
    if over:
        worst = max(over, key=lambda county: known[county] - most * resources[county])
        fields = {"count": len(over), "worst": case.named(worst)}
        fields |= {"found": shown(known[worst]), "stated": shown(resources[worst])}
        problems.append(Problem("E570", fields))
    if close:
        worst = max(close, key=lambda county: known[county] / resources[county])
        fields = {"count": len(close), "worst": case.named(worst), "limit": f"{near:.0%}"}
        fields["found"] = f"{known[worst] / resources[worst]:.1%}"
        problems.append(Problem("W572", fields))
    lacking = Title(
        "no table water_resources, or no water retention in its counties",
        "没有统计表 water_resources，或其中县区没有水源涵养量",
    )
    return judged("water", len(known), problems, lacking)


def soil(case: Case) -> Finding:
    """No soil retained below zero anywhere: E571."""
    (limit,) = rules()["soil"].limits.values()
    line = case.line(limit.line)
    if line is None:
        return judged("soil", 0, [], Title("no soil retention", "没有土壤保持"))
    least = dict(line.negative)
    for (place, _), amount in line.amounts.items():
        if amount is not None and amount < 0:
            least[place] = min(least.get(place, 0), amount)
    wrong = {place: n for place, n in least.items() if n * line.quantum < limit.low}
    problems = []
    if wrong:
        worst = min(wrong, key=lambda place: wrong[place])
        fields = {"count": len(wrong), "worst": case.named(worst)}
        fields["found"] = shown(wrong[worst] * line.quantum)
        problems.append(Problem("E571", fields))
    known = sum(amount is not None for amount in line.amounts.values())
    return judged("soil", known, problems, Title("no amount", "没有实物量"))


def coverage(case: Case) -> Finding:
    """What the account found of its coverage; its findings are told already, not here again."""
    told = [p for p in case.cube.problems if p.code in rules()["coverage"].codes]
    counted = len(case.cube.raster_coverage)
    found = judged("coverage", counted, told, Title("no pixels", "没有像元"))
    return Finding(found.rule, found.held, found.why)


def legend_flags(case: Case) -> Finding:
    """Classes whose codes the legend flags, inside the counties: W585.

    Pixels are known by class, not by code: flagged codes that share a class with others cannot be
    told from them, unless the class does not occur.
    """
    legend, problems, unknown = case.plan.legend, [], []
    for kind in dict.fromkeys(legend.codes[code].key for code in legend.flags):
        own = [code for code, ecosystem in legend.codes.items() if ecosystem.key == kind]
        flagged = [code for code in own if code in legend.flags]
        area = sum((case.land(place, [kind]) for place in case.cube.names), Decimal(0))
        if not area:
            continue
        if flagged != own:
            unknown += flagged
            continue
        flag = legend.flags[flagged[0]]
        fields = {"legend": legend.name, "codes": _listed(flagged), "area": shown(area)}
        problems.append(Problem("W585", fields | {"flag": flag.en, "flag_zh": flag.zh}))
    lacking = Title("the legend flags no code", "图例没有标记代码")
    if unknown and not problems:
        codes = _listed(unknown)
        en = f"codes {codes} share a class with others and cannot be told from them"
        lacking = Title(en, f"代码 {codes} 与其他代码同属一类，无法区分")
    return judged("legend_flags", 0 if unknown else len(legend.flags), problems, lacking)


def _listed(codes: list[int]) -> str:
    return ", ".join(map(str, codes))
