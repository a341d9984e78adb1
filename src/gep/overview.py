"""What `gep check` shows: layers, counties, tables and products as understood, what is lacking."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from gep import advice, amounts
from gep.advice import Lacking
from gep.amounts import Priced, Seen
from gep.ecosystems import ecosystems
from gep.layers import UNKNOWN
from gep.phrases import titled
from gep.statistics import groups
from gep.tables import say_quantity, say_unit, ten_thousands
from gep.terminal import left_out, prepared, ruled
from gep.words import WORDS

if TYPE_CHECKING:
    from gep.engine import Report
    from gep.plan import Plan

FIRST = 4
"""Counties that are named."""


def lines(report: "Report", path: Path, language: str) -> list[str]:
    """What was understood, what is wrong, what is lacking, and what to do next."""
    words, made = WORDS[language], report.plan
    uncovered = advice.uncovered(made) if made else []
    return [
        *_understood(report, language),
        *prepared(report.prepared, language),
        *(problem.render(language) for problem in report.problems),
        *left_out(uncovered, language, coded=True),
        *_to_get(made, language),
        _counts(report, len(uncovered), language),
        _next(report, path, words),
    ]


def _understood(report: "Report", language: str) -> list[str]:
    """Layers, tables, products, counties and ecosystems, as far as there are any."""
    words, made, found = WORDS[language], report.plan, []
    if report.layers:
        found.append(f"{words['understood']}\n{layers(report, language)}\n")
    if listed := own_pixels(report, language):
        found.append(f"{listed}\n")
    if made and (listed := tables(made, language)):
        found.append(f"{words['tables']}\n{listed}\n")
    if made and (listed := products(made, language)):
        found.append(f"{listed}\n")
    if about := places(report, language):
        found.append(f"{about}\n")
    return found


def _to_get(made: "Plan | None", language: str) -> list[str]:
    words = WORDS[language]
    found = lacking(made, language) if made else []
    return [f"{words['to_get']}{words[':']}".rstrip(), *found] if found else []


def _counts(report: "Report", uncovered: int, language: str) -> str:
    words = WORDS[language]
    errors = sum(problem.is_error for problem in report.problems)
    counts = [f"{words['errors']} {errors}", f"{words['warnings']} {len(report.problems) - errors}"]
    if uncovered:
        counts.append(f"{words['left_out']} {uncovered}")
    return words[","].join(counts)


def _next(report: "Report", path: Path, words: dict[str, str]) -> str:
    verb = "run" if report.ok else "check"
    first = "" if report.ok else words["mend"] + words[","]
    return f"{words['next']}{words[':']}{first}gep {verb} {path}"


def layers(report: "Report", language: str) -> str:
    """Return what was understood of every layer."""
    words = WORDS[language]
    names = ("layer", "file", "unit", "low", "median", "high", "lost")
    rows = [[words[name] for name in names]]
    for row in report.layers:
        numbers = [f"{value:.6g}" for value in (row.low, row.median, row.high)]
        name = titled(row.name, language)
        rows.append([name, row.file, row.unit, *numbers, f"{row.missing:.2%}"])
    return ruled(rows, frozenset({3, 4, 5, 6}), last=False)


def own_pixels(report: "Report", language: str) -> str:
    """How layers on a grid of their own come to the account grid, a line each."""
    words = WORDS[language]
    return "\n".join(
        f"{titled(row.name, language)}{words[':']}{words['own_pixels']} {row.pixel}"
        f"{words[';']}{words[row.resampling]}"
        for row in report.layers
        if row.resampling
    )


def places(report: "Report", language: str) -> str:
    """Counties and ecosystems as they were understood, a line each."""
    if report.plan is None:
        return ""
    words = WORDS[language]
    counties = report.plan.counties
    area = sum(counties.areas) / 1e6
    first = zip(counties.codes[:FIRST], counties.names[:FIRST], strict=True)
    listed = words[","].join(f"{code} {name}" for code, name in first)
    more = " …" if len(counties.codes) > FIRST else ""
    count = f"{words['counties']}{words[':']}{len(counties.codes)}{words[',']}{area:,.2f} km²"
    largest = sorted(report.ecosystems.items(), key=lambda entry: -entry[1])
    shares = words[","].join(f"{_kind(key, language)} {share:.1%}" for key, share in largest)
    own = f"{count}{words['(']}{listed}{more}{words[')']}"
    return f"{own}\n{words['ecosystems']}{words[':']}{shares}"


def _kind(key: str, language: str) -> str:
    known = ecosystems().get(key)
    return known.title.say(language) if known else WORDS[language]["nodata"]


def tables(plan: "Plan", language: str) -> str:
    """Every table with its columns: unit, cells with a number, their sum or range."""
    words = WORDS[language]
    names = ("table", "file", "rows", "column", "unit", "filled", "sum")
    rows = [[words[name] for name in names]]
    for seen in amounts.tables(plan):
        rows += _table(seen, language)
    return ruled(rows, frozenset({2, 5, 6}), last=False) if rows[1:] else ""


def _table(seen: Seen, language: str) -> list[list[str]]:
    head = [titled(seen.name, language), seen.file, str(seen.rows)]
    lines = []
    for column in seen.columns:
        said = f"{_number(column.low)} … {_number(column.high)}"
        if column.total is not None:
            said = _number(column.total)
        name = column.column
        if not column.used:
            name += f"{WORDS[language]['(']}{WORDS[language]['unused']}{WORDS[language][')']}"
        lines.append([*head, name, column.unit, str(column.filled), said])
        head = [""] * len(head)
    return lines or [[*head, *[""] * 4]]


def products(plan: "Plan", language: str) -> str:
    """Every product with its quantity, its lowest and highest price, and its money."""
    words = WORDS[language]
    names = ("product", "group", "rows", "quantity", "prices", "value")
    rows = [[words[name] for name in names]]
    rows += [_product(own, language) for own in amounts.products(plan)]
    return ruled(rows, frozenset({2, 3, 4, 5}), last=False) if rows[1:] else ""


def _product(own: Priced, language: str) -> list[str]:
    price = "—"
    if own.low is not None and own.high is not None:
        ends = dict.fromkeys((_number(own.low), _number(own.high)))
        price = f"{'–'.join(ends)} 元/{say_unit(own.unit)}"
    money = None if own.value is None else round(own.value * 100)
    quantity = say_quantity(own.quantity, own.unit, language)
    titles = {key: title for title, key in reversed(groups().items())}
    group = own.group if language == "en" else titles.get(own.group, own.group)
    return [own.product, group, str(own.rows), quantity, price, ten_thousands(money)]


def _number(number: Decimal) -> str:
    """Number with separators and at most four decimals, none of them an idle 0.

    >>> _number(Decimal("11460000")), _number(Decimal("0.118")), _number(Decimal("5.1E+3"))
    ('11,460,000', '0.118', '5,100')
    """
    said = f"{number:,.4f}"
    return said.rstrip("0").rstrip(".")


def lacking(plan: "Plan", language: str) -> list[str]:
    """How to get what is lacking: per input its section, its unit or header, who has it."""
    found = advice.lacking(plan)
    return [line for one in found for line in _lacking(one, language)]


def _lacking(one: Lacking, language: str) -> list[str]:
    words = WORDS[language]
    needs = words["header" if one.section.startswith("[statistics") else "unit"]
    office = one.office.say(language)
    said = [f"{needs} {one.needs}"] if one.needs else []
    said += [f"{words['whom']}{words[':']}{office}"] if office != UNKNOWN.zh else []
    lines = [f"  {_section(one.section, language)}{words[':']}{words[';'].join(said)}"]
    for names, methods in one.ways:
        inputs = words["list"].join(_section(_wanted(name), language) for name in names)
        inputs = inputs or words["from_what_is_there"]
        by = f"{words['(']}{words['list'].join(methods)}{words[')']}"
        lines.append(f"    {words['or_prepare']}{words[':']}{inputs}{by}")
    return lines


def _wanted(name: str) -> str:
    """Section of a raster a preparation lacks; a key of gep.toml as it is.

    >>> _wanted("slope"), _wanted("preparations.slope.sets")
    ('[rasters.slope]', 'preparations.slope.sets')
    """
    return name if "." in name else f"[rasters.{name}]"


def _section(section: str, language: str) -> str:
    """Section of gep.toml, in Chinese with the title of its input."""
    name = section.strip("[]").partition(".")[2]
    title = titled(name, language).removesuffix(f"（{name}）")
    return section if title == name or not section.startswith("[") else f"{section} {title}"
