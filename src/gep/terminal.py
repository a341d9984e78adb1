"""What the command line shows of a run: tables and lines of text in either language."""

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from gep.cube import Cube
from gep.phrases import titled
from gep.profile import catalogue
from gep.tables import areas, say_quantity, status, summary, ten_thousands
from gep.words import WORDS

if TYPE_CHECKING:
    from gep.errors import Problem
    from gep.result import Result
    from gep.step import Step

MUCH = 5e7
"""Memory [bytes] below which what a preparation holds is not worth a word."""


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
        if area.level == "province":
            label += f"{words['(']}{words['whole']}{words[')']}"
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
    tiles = result.envelope.get("tiles", {})
    if tiles.get("resumed") and not tiles.get("computed"):
        lines.append(words["resumed"].format(count=tiles["resumed"]))
    if tiles.get("dropped"):
        lines.append(words["dropped"].format(count=tiles["dropped"]))
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
        line = f"{made}{words[':']}{called(step, language)}"
        if listed:  # latitudes are made of the grid alone
            line += f"{words[',']}{words['from']} {listed}"
        if step.memory >= MUCH and not step.ready:
            line += words[","] + words["holding"].format(size=f"{step.memory / 1e9:.1f}")
        lines.append(line)
    return lines if all(step.ready for step in steps) else [*lines, words["seen_when_made"]]


def called(step: "Step", language: str) -> str:
    """Name of a raster that is made, with its title and the method."""
    words = WORDS[language]
    method = f"{step.preparation.title.say(language)}{words[',']}{step.preparation.method}"
    return f"{titled(step.name, language)}{words['(']}{method}{words[')']}"
