"""Bars and lines as SVG: one number by name, and numbers by size."""

from typing import NamedTuple

from chart import COLOURS, FAINT, FONT, INK, line, mark, text

WIDE, LEFT, RIGHT, TOP, BOTTOM = 900, 330, 130, 66, 40
ROW, THICK = 30, 18
HIGH, SIDE = 400, 230
GREY = "#555"


class Bar(NamedTuple):
    """A number, its name in both languages, its range, and what is written behind it."""

    title: tuple[str, str]
    value: float
    low: float
    high: float
    said: str
    ours: bool = False


def head(title: tuple[str, str], high: float) -> list[str]:
    """Beginning of a drawing."""
    view = f'viewBox="0 0 {WIDE} {high:g}"'
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} fill="{INK}" {FONT}>',
        f'<rect width="{WIDE}" height="{high:g}" fill="#fff"/>',
        text(18, 26, title[0], 16, 'font-weight="bold"'),
        text(18, 46, title[1], 13),
    ]


def bars(title: tuple[str, str], rows: list[Bar]) -> str:
    """Bars one above another, the range of each as a line."""
    high = TOP + ROW * len(rows) + 18
    scale = (WIDE - LEFT - RIGHT) / (max(max(row.high, row.value) for row in rows) or 1.0)
    lines = head(title, high)
    for number, row in enumerate(rows):
        y = TOP + ROW * number
        colour = COLOURS[0] if row.ours else COLOURS[5]
        lines.append(text(LEFT - 10, y + 11, row.title[0], 13, 'text-anchor="end"'))
        if row.title[1]:
            more = f'text-anchor="end" fill="{GREY}"'
            lines.append(text(LEFT - 10, y + 23, row.title[1], 10, more))
        wide = max(row.value, 0.0) * scale
        box = f'x="{LEFT}" y="{y}" width="{wide:.1f}" height="{THICK}"'
        lines.append(f'<rect {box} fill="{colour}"/>')
        ends = LEFT + max(row.low, 0.0) * scale, LEFT + max(row.high, 0.0) * scale
        if ends[1] - ends[0] > 1:
            lines.append(line(ends[0], y + THICK / 2, ends[1], y + THICK / 2, INK, 2))
        lines.append(text(max(ends[1], LEFT + wide) + 6, y + 14, row.said, 12))
    return "\n".join([*lines, "</svg>"]) + "\n"


def by_size(
    title: tuple[str, str], unit: str, sides: list[int], values: list[float], limit: float
) -> str:
    """A number by the side of the province, from 0, and the limit it should keep."""
    lines, bottom = head(title, HIGH), HIGH - BOTTOM
    top = max(limit, *values) * 1.15
    width = (WIDE - SIDE - 78) / max(len(sides), 1)

    def place(number: int, value: float) -> tuple[float, float]:
        return 78 + (number + 0.5) * width, bottom - value / top * (bottom - TOP - 14)

    lines.append(text(18, TOP + 4, unit, 12))
    ticks = [round(top / 1.15 / 5 * n, -1) for n in range(6)]
    for tick in ticks:
        y = place(0, tick)[1]
        lines.append(line(78, y, WIDE - SIDE, y, FAINT))
        lines.append(text(70, y + 4, f"{tick:,g}", 12, 'text-anchor="end"'))
    y = place(0, limit)[1]
    lines.append(line(78, y, WIDE - SIDE, y, COLOURS[1], 2))
    lines.append(text(WIDE - SIDE + 8, y, f"target {limit:g}", 12))
    lines.append(text(WIDE - SIDE + 8, y + 15, "目标上限", 12, f'fill="{GREY}"'))
    points = [place(number, value) for number, value in enumerate(values)]
    for (x, y), (to_x, to_y) in zip(points, points[1:], strict=False):
        lines.append(line(x, y, to_x, to_y, COLOURS[0], 2))
    for (x, y), side, value in zip(points, sides, values, strict=True):
        lines.append(mark("circle", x, y, COLOURS[0]))
        lines.append(text(x, y - 10, f"{value:,.0f}", 12, 'text-anchor="middle"'))
        lines.append(text(x, HIGH - 20, f"{side:,}²", 13, 'text-anchor="middle"'))
    return "\n".join([*lines, "</svg>"]) + "\n"
