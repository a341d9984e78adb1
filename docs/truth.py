"""Fill docs/truth.md: how far this engine's numbers are from the world's, on one page.

Run it with the package installed, ../shared beside the project: python docs/truth.py. Everything
is taken from what the tests hold: published cases, InVEST, the observed catchment, Jiangxi, the
states of the coefficients, and what the total of the sample county hangs on.
"""

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import gep
from gep import coefficients, terminal
from gep.coefficients import GIVEN, STATUSES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "truth.md"


def script(name: str) -> ModuleType:
    """Script of this folder."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Rows as a table of the page."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def cases() -> str:
    """Published cases: numbers held, of those a case expects, and the farthest from the print."""
    sys.path.insert(0, str(ROOT / "tests"))
    from published import case, register

    rows, held_in_all, expected_in_all = [], 0, 0
    for held in register.HELD:
        said = case.read(held.name)
        found = held.compute(said)
        size, _ = case.farthest(said, found)
        held_in_all += len(found)
        expected_in_all += int(said["n_checked"])
        away = f"{size * 100:.2g} %" if size > 1e-8 else "none"
        rows.append((f"`{held.name}`", f"{len(found)} of {said['n_checked']}", away))
    whole = f"{len(register.HELD)} of {len(register.HELD) + len(register.ELSEWHERE)} cases"
    rows.append((f"**{whole}**", f"**{held_in_all} of {expected_in_all}**", ""))
    return table(("case 算例", "numbers held 复算一致", "farthest from the print 最大偏差"), rows)


def invest() -> str:
    """What the comparison with InVEST found, as its own page says it."""
    made = script("invest")
    said = made.page(made.json.loads(made.RESULTS.read_text("utf8")))
    start = said.index("* **Where the formulas")
    return said[start : said.index("中文摘要")].strip() + "\n"


def numbers() -> str:
    """Share of the numbers on file by state of verification."""
    book, _ = coefficients.load()
    counts = Counter(value.verified for _, _, value in book.values())
    whole = counts.total()
    states = ("yes", *(state for state in STATUSES if state != GIVEN))
    rows = [(state, str(counts[state]), f"{counts[state] / whole:.0%}") for state in states]
    return table(("state 状态", "numbers 个数", "share 占比"), [*rows, ("all", str(whole), "")])


def hangs() -> str:
    """What the total of the sample county would be with other choices."""
    result = gep.open(ROOT / "rasters" / "sample" / "gep.toml").run()
    return f"```\n{terminal.sensitivity_table(result, 'en')}\n```\n"


def part(page: Path, name: str) -> str:
    """Generated part of another page."""
    text = page.read_text("utf8")
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    return text[text.index(start) + len(start) : text.index(end)]


def jiangxi() -> str:
    """Jiangxi beside published accounts, as tests/real holds it."""
    text = part(ROOT / "tests" / "real" / "README.md", "published")
    return text.replace("see above", "see [there](../tests/real/README.md)")


def youwuzhen() -> str:
    """The observed catchment, as its page states it."""
    return part(ROOT / "docs" / "youwuzhen.md", "findings")


PARTS = {
    "cases": cases,
    "invest": invest,
    "youwuzhen": youwuzhen,
    "jiangxi": jiangxi,
    "numbers": numbers,
    "hangs": hangs,
}


def page() -> str:
    """Text of the page, its generated parts made anew."""
    text = PAGE.read_text("utf8")
    for name, make in PARTS.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = text.partition(start)
        text = f"{head}{start}{make()}{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
