"""The picture of the README: the sample county's ecosystems, and the map of what they give.

Run it with the package installed: python docs/picture.py. It writes docs/sample.svg and uses the
public API for the numbers, so that the picture cannot say anything the account does not.
"""

import base64
import tempfile
from itertools import pairwise
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from rasterio.io import MemoryFile

import gep
from gep.ecosystems import groups, legend

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "rasters" / "sample"
COLOURS = {
    "forest": (56, 118, 76),
    "shrubland": (140, 176, 96),
    "grassland": (200, 212, 130),
    "wetland": (86, 148, 196),
    "cropland": (238, 214, 138),
    "urban": (196, 110, 96),
    "desert": (226, 210, 190),
    "other": (190, 186, 180),
}
STEPS = (0, 250, 500, 1000, 2000, 3000, 5000)
"""Lower bounds of the classes of value [10^4 CNY/(km^2 year)]; below 0 is the first colour."""
RAMP = (
    *((178, 102, 128), (247, 252, 240), (217, 240, 211), (166, 219, 160), (90, 174, 97)),
    *((27, 120, 55), (0, 90, 90), (8, 48, 107)),
)
SCALE = 1.15
LEFT = 20
TOP = 92
GAP = 26
FONT = 'font-family="sans-serif"'


def png(pixels: np.ndarray) -> str:
    """Picture of colours (rows, columns, 3) in base64."""
    height, width, _ = pixels.shape
    with MemoryFile() as memory:
        with memory.open(driver="PNG", width=width, height=height, count=3, dtype="uint8") as file:
            file.write(pixels.transpose(2, 0, 1))
        return base64.b64encode(memory.read()).decode()


def ecosystem_colours() -> tuple[np.ndarray, rasterio.Affine, list[str]]:
    """Colours of the ecosystem groups, the transform, and the groups shown."""
    with rasterio.open(SAMPLE / "ecosystem.tif") as file:
        codes, transform = file.read(1), file.transform
    table = np.full((256, 3), 245, np.uint8)
    shown = set()
    for code, kind in legend("glc_fcs30").codes.items():
        table[code] = COLOURS[kind.group]
        if (codes == code).any():
            shown.add(kind.group)
    return table[codes], transform, [name for name in groups() if name in shown]


def value_colours(result: gep.Result) -> np.ndarray:
    """Colours of the map of total value the engine writes."""
    with tempfile.TemporaryDirectory() as folder:
        run = result.write(folder)
        with rasterio.open(run / "maps" / "total.value.tif") as file:
            value = file.read(1) / 1e4
    colours = np.array(RAMP, np.uint8)[np.digitize(np.nan_to_num(value), STEPS)]
    colours[np.isnan(value)] = 255
    return colours


def outline(polygon: object, inverse: rasterio.Affine, left: float) -> str:
    """Path of a polygon in picture coordinates."""
    parts = getattr(polygon, "geoms", [polygon])
    paths = []
    for part in parts:
        for ring in (part.exterior, *part.interiors):
            points = [inverse * point[:2] for point in ring.coords]
            steps = " L".join(f"{left + x * SCALE:.1f} {TOP + y * SCALE:.1f}" for x, y in points)
            paths.append(f"M{steps}Z")
    return " ".join(paths)


def text(x: float, y: float, words: str, size: int, more: str = "") -> str:
    """One line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" {more}>{words}</text>'


def box(x: float, y: float, colour: tuple[int, int, int]) -> str:
    """One coloured box of a key."""
    red, green, blue = colour
    return (
        f'<rect x="{x:.0f}" y="{y - 13:.0f}" width="22" height="15"'
        f' fill="rgb({red},{green},{blue})" stroke="#888"/>'
    )


def panel(
    colours: np.ndarray, left: float, title: str, inverse: rasterio.Affine, labels: dict[str, str]
) -> list[str]:
    """One map with its title and the townships."""
    height, width, _ = colours.shape
    place = f'x="{left}" y="{TOP}" width="{width * SCALE:.0f}" height="{height * SCALE:.0f}"'
    image = f'preserveAspectRatio="none" href="data:image/png;base64,{png(colours)}"'
    lines = [text(left, TOP - 14, title, 14, 'font-weight="bold"'), f"<image {place} {image}/>"]
    halo = 'text-anchor="middle" paint-order="stroke" stroke="#fff" stroke-width="4"'
    for _, row in geopandas.read_file(SAMPLE / "counties.gpkg").iterrows():
        path = outline(row.geometry, inverse, left)
        lines.append(f'<path d="{path}" fill="none" stroke="#111" stroke-width="1.4"/>')
        x, y = inverse * row.geometry.representative_point().coords[0]
        x, y = left + x * SCALE, TOP + y * SCALE
        lines.append(text(x, y, row["name"], 16, halo + ' font-weight="bold"'))
        if row["code"] in labels:
            lines.append(text(x, y + 18, labels[row["code"]], 14, halo))
    return lines


def keys(shown: list[str], x: float) -> list[str]:
    """The two keys, one below the other."""
    y = TOP + 6.0
    lines = [text(x, y, "ecosystem 生态系统", 14, 'font-weight="bold"')]
    for name in shown:
        y += 24
        lines.append(box(x, y, COLOURS[name]))
        lines.append(text(x + 32, y, f"{groups()[name].en} {groups()[name].zh}", 14))
    y += 42
    lines.append(text(x, y, "value 价值量, 万元/km²", 14, 'font-weight="bold"'))
    bounds = [f"{low:,} – {high:,}" for low, high in pairwise(STEPS)]
    for colour, words in zip(RAMP, ("&lt; 0", *bounds, f"&gt; {STEPS[-1]:,}"), strict=True):
        y += 24
        lines.append(box(x, y, colour))
        lines.append(text(x + 32, y, words, 14))
    return lines


def main() -> None:
    """Write docs/sample.svg."""
    colours, transform, shown = ecosystem_colours()
    result = gep.open(SAMPLE / "gep.toml").run(maps=["total"])
    table = result.counties.set_index("code")
    labels = {code: f"{value / 1e4:,.0f} 万元" for code, value in table["gep"].items()}
    height, width, _ = colours.shape
    wide, high = width * SCALE, height * SCALE
    full, tall = LEFT + 2 * wide + 2 * GAP + 200, high + TOP + 20
    view = f'viewBox="0 0 {full:.0f} {tall:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {view} fill="#222" {FONT}>',
        f'<rect width="{full:.0f}" height="{tall:.0f}" fill="#fff"/>',
        text(LEFT, 30, "样例县 Sample County 2021 (synthetic 虚构)", 19, 'font-weight="bold"'),
        text(LEFT, 52, "partial account: one township states no nitrogen oxides", 13),
        *panel(colours, LEFT, "ecosystems 生态系统", ~transform, {}),
        *panel(
            value_colours(result), LEFT + wide + GAP, "value a year 年价值量", ~transform, labels
        ),
        *keys(shown, LEFT + 2 * wide + 2 * GAP),
        "</svg>",
    ]
    (ROOT / "docs" / "sample.svg").write_text("\n".join(lines) + "\n", "utf8")


if __name__ == "__main__":
    main()
