"""What a quality rule looks at, and what comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from gep.check import Understood
from gep.columns import JUDGED
from gep.cube import AREA_QUANTUM, Cube, Line
from gep.ecosystems import Title
from gep.errors import Problem
from gep.plan import Plan
from gep.quality.former import Former
from gep.units import exact

SQUARE_KILOMETRE = Decimal(10**6) / exact(AREA_QUANTUM)
"""Area quanta of one square kilometre."""


@dataclass(frozen=True)
class Finding:
    """What came of one rule: whether it held (None: not checked), why, and what to tell people."""

    rule: str
    held: bool | None
    why: Title
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Case:
    """What the rules look at: the account, its layers as understood, the run of the year before."""

    plan: Plan
    cube: Cube
    layers: tuple[Understood, ...] = ()
    former: Former | None = None

    def line(self, name: str) -> Line | None:
        """Line named service.indicator, if the account has it."""
        return next((n for n in self.cube.lines if ".".join(n.key) == name), None)

    def land(self, place: str, kinds: Iterable[str]) -> Decimal:
        """Area of some ecosystems of a place [km^2]."""
        quanta = sum(self.cube.extent.get((place, kind), 0) for kind in kinds)
        return Decimal(quanta) / SQUARE_KILOMETRE

    def stated(self, name: str) -> dict[str, Decimal]:
        """Number of every county that has one in a table.column only the rules read."""
        title, _, column = name.partition(".")
        table = self.plan.tables.get(title)
        if table is None:
            return {}
        unit = JUDGED[title][column]
        pairs = [(row.county, table.number(row, column, unit)) for row in table.rows]
        return {county: number for county, number in pairs if number is not None}

    def named(self, place: str) -> str:
        """Code and name of a county."""
        return f"{place} {self.cube.names.get(place, '')}".rstrip()


def shown(number: Decimal) -> str:
    """Number for a message: whole above a thousand, else four digits.

    >>> shown(Decimal("300000.4")), shown(Decimal("12.34567")), shown(Decimal(-9))
    ('300,000', '12.35', '-9')
    """
    return f"{number:,.0f}" if abs(number) >= 1000 else f"{float(number):.4g}"


def judged(rule: str, compared: int, problems: Iterable[Problem], lacking: Title) -> Finding:
    """Finding of a rule: broken if there are problems, held if anything was compared."""
    found = tuple(problems)
    if found:
        return Finding(rule, False, said(found), found)
    if not compared:
        return Finding(rule, None, lacking)
    return Finding(rule, True, Title(f"{compared} compared", f"比较了 {compared} 项"))


def said(problems: Iterable[Problem]) -> Title:
    """Texts of several problems in one."""
    found = list(problems)
    return Title("; ".join(p.text("en") for p in found), "；".join(p.text("zh") for p in found))
