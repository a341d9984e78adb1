"""Write docs/cases.md: which published numbers the engine gives again, and how closely.

Run it with the package installed, ../shared/cases beside the project: python docs/cases.py. The
numbers come from the functions the tests run (tests/published); a test holds the page against it.
"""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cases.md"
HEAD = """\
# Published cases 已发表算例的复算

Accounts and tables that others published, computed again by this engine with the coefficients and
prices they state, each number within the tolerance of its case (as a rule half a unit of the last
printed digit). Nothing is tuned. Made by `python docs/cases.py` from the functions that
`tests/test_published.py` runs; citations, and what of each is ours, stand in `tests/published`.

*held*: numbers that are computed and agree, of all that the case expects. *farthest*: the largest
relative difference from the print, where, the print and ours. *1 %*: of the numbers held, how many
would fail if ours were 1 % off; the others are printed to too few digits, or are 0.

"""
HELD_HEAD = ("case", "what is computed, and how", "held", "farthest", "1 %")
SMALLEST = 1e-8
"""What the floats of another machine may move is no difference."""

Row = tuple[str, ...]


def page() -> str:
    """The whole page."""
    sys.path.insert(0, str(ROOT / "tests"))
    from published import case, register

    rows, left, differing = [], [], []
    for held in register.HELD:
        said, name = case.read(held.name), f"`{held.name}`"
        found = held.compute(said)
        if wrong := case.apart(said, found):
            raise SystemExit(f"{held.name}: {', '.join(wrong)}")
        number = f"{len(found)} of {said['n_checked']}"
        shows = f"{len(case.apart(said, found, 1.01))} of {len(found)}"
        away = _away(said, found)
        weak = f" (weak: {said['strength_reason']})" if said["strength"] == "weak" else ""
        rows.append((f"{name}: {said['title']}{weak}", held.way, number, away, shows))
        counts = Counter(why for _, why in held.unheld(said, found))
        left += [(name, str(count), why) for why, count in counts.items()]
        differing += [(name, held.differs)] if held.differs else []
        differing += [(name, _said(entry)) for entry in said["disagreements"]]
    whole = [(f"`{n}`: {case.read(n)['title']}", why) for n, why in register.ELSEWHERE.items()]
    parts = (
        _table(HELD_HEAD, rows),
        "## Where a print cannot be met 与原文不符之处",
        _table(("case", "what, and why"), differing),
        "## Expected numbers that are not held 未复算的数",
        _table(("case", "numbers", "why"), left),
        "## Cases of which nothing is held 未复算的算例",
        _table(("case", "why"), whole),
    )
    return HEAD + "\n\n".join(parts) + "\n"


def _away(said: dict[str, Any], found: dict[str, float]) -> str:
    """Largest relative difference, where it is, the print and ours."""
    from published import case

    size, where = case.farthest(said, found)
    printed = case.leaves(said["expected"])[where]
    shown = f"{size * 100:.2g} %: `{where}` {printed:.6g}, ours {found[where]:.6g}"
    return shown if size > SMALLEST else "none"


def _said(entry: dict[str, Any]) -> str:
    """What a case says of a number its source has wrong."""
    both = [f"{name} {entry[name]}" for name in ("published", "recomputed") if name in entry]
    return f"{entry['item']} ({', '.join(both)}): {entry['why']}"


def _table(head: Row, rows: list[Row]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
