"""Charts of numbers by year as SVG: what was observed in black, the rest in colour."""

import math
from typing import NamedTuple

FONT = 'font-family="sans-serif"'
WIDE, HIGH = 900, 430
LEFT, RIGHT, TOP, BOTTOM = 78, 270, 74, 44
INK, FAINT = "#222", "#ddd"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#777")
SHAPES = ("circle", "square", "diamond", "triangle")


class Marks(NamedTuple):
    """One kind of number by year."""

    title: tuple[str, str]
    values: dict[int, float]


class Plot(NamedTuple):
    """A chart of years: lines of marks, and what was observed as ranges (low, middle, high)."""

    title: tuple[str, str]
    unit: str
    years: range
    marks: list[Marks]
    ticks: tuple[float, ...]
    logarithmic: bool = False
    ranges: dict[int, tuple[float, float, float]] = {}
    least: dict[int, float] = {}
    fallen: dict[int, float] = {}


def text(x: float, y: float, words: str, size: int = 13, more: str = "") -> str:
    """One line of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" {more}>{words}</text>'


def line(x: float, y: float, to_x: float, to_y: float, colour: str, width: float = 1) -> str:
    """One straight line."""
    ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def mark(shape: str, x: float, y: float, colour: str) -> str:
    """One mark of a series."""
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    corners = {
        "square": ((-4.5, -4.5), (4.5, -4.5), (4.5, 4.5), (-4.5, 4.5)),
        "diamond": ((0, -6.5), (6.5, 0), (0, 6.5), (-6.5, 0)),
        "triangle": ((0, -6), (6, 5), (-6, 5)),
    }[shape]
    points = " ".join(f"{x + right:.1f},{y + down:.1f}" for right, down in corners)
    return f'<polygon points="{points}" fill="{colour}"/>'


def height(plot: Plot, value: float) -> float:
    """Place of a value on the axis."""
    low, high = plot.ticks[0], plot.ticks[-1]
    if plot.logarithmic:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return HIGH - BOTTOM - (value - low) / (high - low) * (HIGH - BOTTOM - TOP)


def frame(plot: Plot) -> list[str]:
    """Titles and axes."""
    bold = 'font-weight="bold"'
    lines = [text(18, 26, plot.title[0], 16, bold), text(18, 46, plot.title[1], 13)]
    lines.append(text(18, TOP - 10, plot.unit, 12))
    for tick in plot.ticks:
        y = height(plot, tick)
        lines.append(line(LEFT, y, WIDE - RIGHT, y, FAINT))
        lines.append(text(LEFT - 8, y + 4, f"{tick:,g}", 12, 'text-anchor="end"'))
    for year in plot.years:
        lines.append(text(middle(plot, year), HIGH - 18, str(year), 13, 'text-anchor="middle"'))
    return lines


def step(plot: Plot) -> float:
    """Width of a year."""
    return (WIDE - RIGHT - LEFT) / len(plot.years)


def middle(plot: Plot, year: int) -> float:
    """Middle of a year."""
    return LEFT + (year - plot.years[0] + 0.5) * step(plot)


def series(plot: Plot) -> list[str]:
    """The marks of every year side by side, and their key."""
    lines = []
    for index, marks in enumerate(plot.marks):
        colour, shape = COLOURS[index % len(COLOURS)], SHAPES[index % len(SHAPES)]
        apart = (index + 1) / (len(plot.marks) + 1) - 0.5
        for year, value in marks.values.items():
            x = middle(plot, year) + (apart * 0.66 + 0.08) * step(plot)
            lines.append(mark(shape, x, height(plot, value), colour))
        y = TOP + 12 + 40 * index
        lines.append(mark(shape, WIDE - RIGHT + 22, y - 4, colour))
        lines += key(y, marks.title)
    return lines


def key(y: float, title: tuple[str, str]) -> list[str]:
    """Words of the key, English above Chinese."""
    x = WIDE - RIGHT + 38
    return [text(x, y, title[0], 12), text(x, y + 15, title[1], 12, 'fill="#555"')]


def observed(plot: Plot) -> list[str]:
    """Observed ranges and what is certain (a heavy line), left of the marks; rain in grey."""
    lines = []
    for year, value in plot.fallen.items():
        x, y = middle(plot, year), height(plot, value)
        lines.append(line(x - 0.44 * step(plot), y, x + 0.44 * step(plot), y, "#888", 2))
    for year, (low, value, high) in plot.ranges.items():
        x = middle(plot, year) - 0.34 * step(plot)
        low = max(low, plot.least[year])
        lines.append(line(x, height(plot, low), x, height(plot, high), INK, 2))
        lines.append(mark("circle", x, height(plot, value), INK))
    for year, value in plot.least.items():
        x, y = middle(plot, year), height(plot, value)
        lines.append(line(x - 0.44 * step(plot), y, x - 0.24 * step(plot), y, INK, 5))
    y = TOP + 12.0 + 40 * len(plot.marks)
    x = WIDE - RIGHT + 22
    if plot.ranges:
        lines += [mark("circle", x, y - 4, INK), line(x, y - 14, x, y + 6, INK, 2)]
        lines += key(y, ("whole year by ratio, ± 2 s.e.", "全年推算，±2 倍标准误"))
        lines += [line(x - 9, y + 36, x + 9, y + 36, INK, 5)]
        lines += key(y + 40, ("on the observed days alone", "仅观测日合计"))
    if plot.fallen:
        lines += [line(x - 9, y + 76, x + 9, y + 76, "#888", 2)]
        lines += key(y + 80, ("rain", "降水量"))
    return lines


def drawn(plot: Plot) -> str:
    """The chart as SVG."""
    view = f'viewBox="0 0 {WIDE} {HIGH}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} fill="{INK}" {FONT}>',
        f'<rect width="{WIDE}" height="{HIGH}" fill="#fff"/>',
        *frame(plot),
        *series(plot),
        *observed(plot),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
