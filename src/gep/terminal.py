"""What the command line shows of a run: tables and lines of text in either language."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gep.cube import Cube
from gep.phrases import titled
from gep.profile import catalogue
from gep.tables import areas, say_quantity, status, summary, ten_thousands

if TYPE_CHECKING:
    from gep.errors import Problem
    from gep.result import Result
    from gep.step import Step

WORDS = {
    "en": {
        ":": ": ",
        ",": ", ",
        "·": ", ",
        "(": " (",
        ")": ")",
        "service": "service",
        "indicator": "indicator",
        "quantity": "quantity",
        "value": "value, 万元",
        "share": "share",
        "total": "total",
        "gep": "GEP",
        "missing_total": "GEP without what is missing (*)",
        "partial_total": "total (partial account, not GEP)",
        "subject": "what the total hangs on",
        "variant": "other choice",
        "total_then": "total, 万元",
        "change": "change",
        "place": "county",
        "area": "km²",
        "provisioning": "provisioning",
        "regulating": "regulating",
        "cultural": "cultural",
        "unallocated": "unallocated",
        "provisional": "a provisional profile, the printed standard was not read in full",
        "transcribed": "transcribed from the printed standard",
        "verified": "verified against the printed standard",
        "complete": "complete",
        "partial": "partial",
        "missing": "some amounts are missing",
        "uncovered": "not in this account",
        "not_built": "not built yet",
        "identities": "identities hold",
        "independent": "quantities equal those a script without any of this code worked out",
        "understood": "layers as understood, inside the counties",
        "layer": "layer",
        "own_pixels": "pixels of its own",
        "nearest": "the one a centre lies in",
        "bilinear": "bilinear between their centres",
        "average": "mean by area",
        "conserved": "amounts shared out by area, totals kept",
        "counties": "counties",
        "table": "table",
        "rows": "rows",
        "ecosystems": "ecosystems",
        "nodata": "no data",
        "file": "file",
        "unit": "unit",
        "low": "lowest",
        "median": "median",
        "high": "highest",
        "lost": "missing",
        "results": "results in",
        "next": "next",
        "unverified": "of the numbers used have been checked against the printed source",
        "decided": "provisional: unverified numbers decide services above 5 % of the total",
        "warnings": "warnings:",
        "errors": "errors:",
        "left_out": "not covered:",
        "to_prepare": "will be prepared",
        "holding": "holding {size} GB in memory",
        "seen_when_made": "some faults of what they are made of are seen when they are made only",
        "is_prepared": "prepared",
        "made_now": "made now",
        "nothing_to_prepare": "nothing needs to be prepared",
        "made_before": "there already",
        "no_numbers": "{name} has no numbers on file: nothing but its inputs decides it",
        "from": "from",
        "none": "no problems",
        "maps": "maps",
        "before": "before",
        "after": "after",
        "difference": "difference",
        "percent": "%",
        "by_area": "area",
        "by_quantity": "quantity per area",
        "by_price": "price",
        "by_other": "other",
        "by_ecosystem": "ecosystem",
        "unattributed": "no ecosystem stated",
        "prices_of": "prices of {year}",
        "two_prices": "{before} against {after}: the effect of price holds the change of money",
        "ten_thousands": "in 万元",
        "rounding": "rounding",
        "boundary": "county in one account only",
        "one_side": "counted in one account only",
        "missing_side": "missing in one account only",
        "unpriced": "money without quantity and price",
        "of_leaves": "{money} CNY (leaves: {count})",
        "same": "no difference",
        ";": "; ",
        "list": ", ",
        "column": "column",
        "filled": "numbers",
        "sum": "sum, or range",
        "mend": "mend what is listed",
        "product": "product",
        "group": "group",
        "prices": "price",
        "tables": "tables as understood",
        "to_get": "how to get what is lacking",
        "header": "header",
        "whom": "ask",
        "or_prepare": "or prepare it from",
    },
    "zh": {
        ":": "：",
        ",": "，",
        "·": "·",
        "(": "（",
        ")": "）",
        "service": "服务",
        "indicator": "指标",
        "quantity": "实物量",
        "value": "价值量（万元）",
        "share": "占比",
        "total": "合计",
        "gep": "GEP",
        "missing_total": "GEP（不含缺失部分 *）",
        "partial_total": "合计（部分核算，不是 GEP）",
        "subject": "总值取决于",
        "variant": "另一种取法",
        "total_then": "总值（万元）",
        "change": "变化",
        "place": "县区",
        "area": "面积 km²",
        "provisioning": "物质产品",
        "regulating": "调节服务",
        "cultural": "文化服务",
        "unallocated": "未分配",
        "provisional": "暂行参数方案，印刷标准全文未能读到",
        "transcribed": "按印刷标准录入",
        "verified": "已与印刷标准核对",
        "complete": "完整",
        "partial": "部分",
        "missing": "有缺失",
        "uncovered": "本核算不含",
        "not_built": "尚未实现",
        "identities": "条恒等式成立",
        "independent": "个实物量与独立脚本的计算结果一致",
        "understood": "图层解读（县区范围内）",
        "layer": "图层",
        "own_pixels": "自有像元",
        "nearest": "取核算像元中心所在的像元",
        "bilinear": "在像元中心之间双线性内插",
        "average": "按面积取均值",
        "conserved": "总量按面积分摊，合计不变",
        "counties": "县区",
        "table": "统计表",
        "rows": "行",
        "ecosystems": "生态系统",
        "nodata": "无数据",
        "file": "文件",
        "unit": "单位",
        "low": "最小",
        "median": "中位数",
        "high": "最大",
        "lost": "缺失",
        "results": "结果在",
        "next": "下一步",
        "unverified": "个所用数值已与印刷原文核对",
        "decided": "暂行结果：占总值 5 % 以上的服务使用了未核实的数值",
        "warnings": "提醒",
        "errors": "错误",
        "left_out": "未核算",
        "to_prepare": "将推算",
        "holding": "占用内存 {size} GB",
        "seen_when_made": "所用数据的部分问题要到推算时才能发现",
        "is_prepared": "已推算",
        "made_now": "刚生成",
        "nothing_to_prepare": "没有需要推算的栅格",
        "made_before": "原已存在",
        "no_numbers": "{name} 没有系数，只由其输入决定",
        "from": "来自",
        "none": "没有问题",
        "maps": "地图",
        "before": "前期",
        "after": "后期",
        "difference": "变化",
        "percent": "变化率",
        "by_area": "面积",
        "by_quantity": "单位面积实物量",
        "by_price": "价格",
        "by_other": "其他",
        "by_ecosystem": "生态系统",
        "unattributed": "未归入生态系统",
        "prices_of": "{year} 年价",
        "two_prices": "{before}对{after}：价格影响中含币值变化",
        "ten_thousands": "单位：万元",
        "rounding": "舍入",
        "boundary": "县区只在一方",
        "one_side": "只有一方核算",
        "missing_side": "只有一方缺失",
        "unpriced": "只有金额，没有实物量和价格",
        "of_leaves": "{money} 元（{count} 个最细单元）",
        "same": "没有变化",
        ";": "；",
        "list": "、",
        "column": "列",
        "filled": "有数",
        "sum": "合计或范围",
        "mend": "改正所列问题",
        "product": "产品",
        "group": "类别",
        "prices": "单价",
        "tables": "统计表解读",
        "to_get": "缺少的输入与获取办法",
        "header": "表头",
        "whom": "来源",
        "or_prepare": "或由其推算",
    },
}


def width(text: str) -> int:
    """Columns a text takes on a terminal; Chinese characters take two.

    >>> width("水 P"), width("km²")
    (4, 3)
    """
    return sum(1 + (unicodedata.east_asian_width(sign) in "WF") for sign in text)


def aligned(rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> str:
    """Rows as text with aligned columns; those numbered in *right* end flush.

    >>> print(aligned([("a", "10"), ("水", "5")], frozenset({1})))
    a   10
    水   5
    """
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for number, (cell, wide) in enumerate(zip(row, widths, strict=True)):
            gap = " " * (wide - width(cell))
            cells.append(gap + cell if number in right else cell + gap)
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def ruled(rows: Sequence[Sequence[str]], right: frozenset[int], last: bool = True) -> str:
    """Aligned rows with a line below the header and, with *last*, above the total."""
    lines = aligned(rows, right).split("\n")
    rule = "─" * max(map(width, lines))
    body = [*lines[1:-1], rule, lines[-1]] if last else lines[1:]
    return "\n".join([lines[0], rule, *body])


def service_table(cube: Cube, language: str) -> str:
    """Every indicator with its quantity, its money in 万元, and its share."""
    words = WORDS[language]
    head = [words[name] for name in ("service", "indicator", "quantity", "value", "share")]
    rows = [head]
    previous = ""
    for row in summary(cube):
        title = catalogue()[row.service].title.say(language) if row.service != previous else ""
        mark = " *" if row.partial else ""
        money = ten_thousands(row.cents) if row.priced else ""
        share = "" if row.share is None else f"{row.share:.1%}"
        amount = say_quantity(row.quantity, row.unit, language)
        rows.append([title, row.title.say(language) + mark, amount, money, share])
        previous = row.service
    whole = status(cube, cube.places) == "complete"
    total = words["gep" if whole else "partial_total" if cube.partial else "missing_total"]
    cents = cube.cents(cube.places)
    rows.append([total, "", "", ten_thousands(cents), "100.0%" if cents else ""])
    return ruled(rows, frozenset({2, 3, 4}))


def county_table(cube: Cube, name: str, language: str) -> str:
    """Every place with its area, its groups and its total in 万元."""
    from gep.service import GROUPS

    words = WORDS[language]
    rows = [[words["place"], "", words["area"], *(words[g] for g in GROUPS), words["total"], ""]]
    for area in areas(cube, name):
        own = sum(a for (place, _), a in cube.extent.items() if place in area.places)
        money = [ten_thousands(cube.cents(area.places, group)) for group in GROUPS]
        whole = ten_thousands(cube.cents(area.places))
        said = words[status(cube, area.places)]
        label = area.name or words.get(area.code, area.code)
        code = "" if area.level in ("unallocated", "province") else area.code
        rows.append([label, code, f"{own / 1e8:,.2f}", *money, whole, said])
    return ruled(rows, frozenset({2, 3, 4, 5, 6}))


def sensitivity_table(result: "Result", language: str) -> str:
    """What the total would be with other choices; empty if nothing changes it."""
    words = WORDS[language]
    rows = [[words[name] for name in ("subject", "variant", "total_then", "change")]]
    previous = ""
    for row in result.sensitivity:
        subject = row.subject.say(language)
        then = None if row.after is None else row.total + row.after - row.before
        change = "—" if row.share is None else f"{row.share:+.1%}"
        shown = subject if subject != previous else ""
        rows.append([shown, row.title.say(language), ten_thousands(then), change])
        previous = subject
    return ruled(rows, frozenset({2, 3}), last=False) if rows[1:] else ""


def notes(result: "Result", language: str) -> list[str]:
    """Return what a reader must know beside the tables."""
    words = WORDS[language]
    used = result.plan.profile
    lines = [f"{used.name} {used.version}{words[':']}{words[used.status]}"]
    if any(row.partial for row in summary(result.account)):
        lines.append(f"* {words['missing']}")
    lines += left_out([u.reason for u in result.plan.uncovered], language)
    checked, all_numbers = result.verified
    lines.append(f"{checked} / {all_numbers} {words['unverified']}")
    if shares := result.provisional:
        large = [f"{catalogue()[s].title.say(language)} {n:.1%}" for s, n in shares.items()]
        lines.append(f"{words['decided']}{words[':']}{words[','].join(large)}")
    return lines


def left_out(reasons: Sequence["Problem"], language: str, coded: bool = False) -> list[str]:
    """Return what the account leaves out: all that is not built in one line, the rest one each.

    With *coded* each line begins with the code of its message.
    """
    words = WORDS[language]
    unbuilt = [str(r.fields["service"]) for r in reasons if r.code == "W101"]
    named = [catalogue()[name].title.say(language) for name in unbuilt]
    unbuilt_ones = f"{words['uncovered']}{words['(']}{words['not_built']}{words[')']}".rstrip()
    code = "W101  " if coded else ""
    lines = [f"{code}{unbuilt_ones}{words[':']}{words[','].join(named)}"] if named else []
    rest = [r for r in reasons if r.code != "W101"]
    return lines + [f"{r.code}  " * coded + _lacking(r, language) for r in rest]


def _lacking(reason: "Problem", language: str) -> str:
    """Why an indicator is not covered, under its titles; any other reason behind its heading."""
    words, text = WORDS[language], _in_words(reason, language).text(language)
    name, indicator = (str(reason.fields.get(key, "")) for key in ("service", "indicator"))
    key = f"{name}.{indicator}".rstrip(".")
    if not name or not text.startswith(key):
        return f"{words['uncovered']}{words[':']}{text}"
    return indicator_called(key, language) + text.removeprefix(key)


def indicator_called(key: str, language: str) -> str:
    """Titles of a service and its indicator, `service.indicator`; one where they are the same."""
    from gep.service import services

    name, _, indicator = key.partition(".")
    own = [i for (owner, _), s in services().items() if owner == name for i in s.indicators]
    title = next((i.title.say(language) for i in own if i.name == indicator), indicator)
    titles = filter(None, (catalogue()[name].title.say(language), title))
    return WORDS[language]["·"].join(dict.fromkeys(titles))


def _in_words(reason: "Problem", language: str) -> "Problem":
    """Reason whose rasters and table are named by their titles too."""
    fields = dict(reason.fields)
    for key in {"rasters", "table"} & fields.keys():
        names = str(fields[key]).split(", ")
        fields[key] = WORDS[language]["list"].join(titled(name, language) for name in names)
    if "of" in fields:
        fields["of"] = indicator_called(str(fields["of"]), language)
    return replace(reason, fields=fields)


def prepared(steps: Sequence["Step"], language: str) -> list[str]:
    """Return one line per raster that is not given but made: how, from what, in what memory."""
    words, lines = WORDS[language], []
    for step in steps:
        made = words["is_prepared" if step.ready else "to_prepare"]
        listed = words["list"].join(titled(name, language) for name in step.made_from)
        line = f"{made}{words[':']}{called(step, language)}{words[',']}{words['from']} {listed}"
        if step.memory and not step.ready:
            line += words[","] + words["holding"].format(size=f"{step.memory / 1e9:.1f}")
        lines.append(line)
    return lines if all(step.ready for step in steps) else [*lines, words["seen_when_made"]]


def called(step: "Step", language: str) -> str:
    """Name of a raster that is made, with its title and the method."""
    words = WORDS[language]
    method = f"{step.preparation.title.say(language)}{words[',']}{step.preparation.method}"
    return f"{titled(step.name, language)}{words['(']}{method}{words[')']}"
