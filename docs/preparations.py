"""Write docs/preparations.md: every preparation, what it takes, its formula, what it costs.

Run it with the package installed: python docs/preparations.py. The costs are those of
benchmarks/results/preparations.json, which benchmarks/preparations.py measures; a test holds the
page against both.
"""

import json
from pathlib import Path
from typing import Any

from gep import coefficients
from gep.layers import variables
from gep.preparation import Preparation, preparations
from gep.run import TILE

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "preparations.md"
RESULTS = ROOT / "benchmarks" / "results" / "preparations.json"

HEAD = """\
# Preparations 因子推算

Every way of making a raster from raw data, {rasters} rasters and {methods} methods; of a raster the
first method whose inputs are given is taken, another where [gep.toml](gep-toml.md) names it.
Formulas, limits and what of the sources was read: [methods](methods.md#factors). Numbers in
*italics* no file can know; gep.toml states them. Made by `python docs/preparations.py`.

全部因子推算方法。同一栅格中，输入齐备且排在前面者优先采用，也可在 gep.toml 中指定；
斜体为须由用户给出的数。公式、限制与来源见 [methods](methods.md#factors)。

*time*: CPU time per pixel, from files to a file, code compiled before. *memory*: by how much the
process grew at its peak, in bytes per pixel, which is MB per million pixels. Measured by
`benchmarks/preparations.py`, one method after another, on {size} million made-up pixels with
{machine}, {versions}. The machine had other work: of {repeats} runs
the least time counts, of fewer (†) where a minute of CPU time had been spent. Files are part of it:
a series is 365 days or 12 months of int16, deflated, in strips; other layers are float32.

Pixel by pixel, a method holds a window of at most {tile} × {tile} pixels for each thread and, of
series, an area of whole blocks of their files, some 200 MB as stored, up to 800 MB where blocks are
large: its memory does not grow with the grid, but for at most 64 MB that GDAL keeps of files. A
*whole* one needs the neighbours of a pixel and holds the grid; it is not begun where the machine
has less (E823).

用时为每像元 CPU 时间（含读写，不含编译），内存为进程峰值增量（字节/像元，即每百万像元 MB）。
测时机器另有任务，取多次中的最小值。逐像元方法只占若干窗口的内存，序列按存储块读取，约 200 MB，
块较大时至多 800 MB；标 *whole* 者需要邻域，整幅在内存中，内存不足时不开始（E823）。
"""


def page(stored: dict[str, Any]) -> str:
    """Text of the page with these results."""
    found = preparations()
    measured = {(row["raster"], row["method"]): row for row in stored["rows"]}
    machine = stored["machine"]
    head = HEAD.format(
        rasters=len({name for name, _ in found}),
        methods=len(found),
        size=f"{stored['rows'][0]['pixels'] / 1e6:g}",
        machine=f"{machine['processors']} processors, {machine['model'] or 'model not known'}",
        versions=", ".join(f"{name} {machine[name]}" for name in ("numpy", "numba", "rasterio")),
        repeats=stored["repeats"],
        tile=TILE,
    )
    parts = [head]
    for name in dict.fromkeys(name for name, _ in found):
        own = [one for one in found.values() if one.name == name]
        title = variables()[name].title
        parts.append(f"## `{name}` {title.en} {title.zh}\n\n{table(own, measured, stored)}")
    return "\n".join(parts)


def table(
    own: list[Preparation], measured: dict[tuple[str, str], Any], stored: dict[str, Any]
) -> str:
    """Methods of one raster, the best first."""
    rows = [("method 方法", "from 输入", "formula, source 公式与出处", "time, ns", "memory, bytes")]
    rows.append(("---", "---", "---", "---:", "---:"))
    for one in own:
        kind = " *whole*" if one.whole else ""
        said = f"`{one.method}`{kind}: {one.title.en} {one.title.zh}"
        takes = [f"`{name}`" for name in one.rasters]
        takes += [f"`{name}` ({series.step}s)" for name, series in one.series.items()]
        takes += [f"*{name}*" for name in asked(one)]
        cost = measured.get(one.key)
        once = "†" if cost and cost["runs"] < stored["repeats"] else ""
        time = f"{cost['nanoseconds_per_pixel']:,.0f}{once}" if cost else "—"
        memory = f"{cost['bytes_per_pixel']:,.0f}" if cost else "—"
        source = one.source.replace("|", "\\|")
        rows.append((said, ", ".join(takes) or "the grid", linked(source), time, memory))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def asked(one: Preparation) -> list[str]:
    """Numbers of a preparation that only the user knows."""
    found = {name: BOOK.coefficient(one.name, name) for name in one.coefficients}
    return [name for name, coefficient in found.items() if coefficient and not coefficient.values]


def linked(source: str) -> str:
    """Source with the place in the methods as a link."""
    text, _, anchor = source.partition("docs/methods.md#")
    return f"{text}[methods](methods.md#{anchor})" if anchor else source


def made() -> str:
    """Text of the page."""
    return page(json.loads(RESULTS.read_text("utf8")))


BOOK, _ = coefficients.load()

if __name__ == "__main__":
    PAGE.write_text(made(), "utf8")
