"""The picture of the README: the sample county's ecosystems, and what each township gives.

Run it with the package installed: python docs/picture.py. It writes docs/sample.svg and uses the
public API for the numbers, so that the picture cannot say anything the account does not.
"""

import base64
from pathlib import Path

import geopandas
import numpy as np
import rasterio
from rasterio.io import MemoryFile

import gep
from gep.ecosystems import groups, legend
from gep.profile import catalogue

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
SCALE = 1.4
LEFT = 20
TOP = 64
FONT = 'font-family="sans-serif"'


def ecosystem_png() -> tuple[str, rasterio.Affine, int, int, list[str]]:
    """Ecosystem groups as a PNG in base64, with its transform, size, and the groups shown."""
    with rasterio.open(SAMPLE / "ecosystem.tif") as file:
        codes, transform = file.read(1), file.transform
    table = np.full((256, 3), 245, np.uint8)
    shown = set()
    for code, kind in legend("glc_fcs30").codes.items():
        table[code] = COLOURS[kind.group]
        if (codes == code).any():
            shown.add(kind.group)
    pixels = table[codes].transpose(2, 0, 1)
    height, width = codes.shape
    with MemoryFile() as memory:
        with memory.open(driver="PNG", width=width, height=height, count=3, dtype="uint8") as file:
            file.write(pixels)
        picture = base64.b64encode(memory.read()).decode()
    return picture, transform, width, height, [name for name in groups() if name in shown]


def outline(polygon: object, inverse: rasterio.Affine) -> str:
    """Path of a polygon in picture coordinates."""
    parts = getattr(polygon, "geoms", [polygon])
    paths = []
    for part in parts:
        for ring in (part.exterior, *part.interiors):
            points = [inverse * point[:2] for point in ring.coords]
            steps = " L".join(f"{LEFT + x * SCALE:.1f} {TOP + y * SCALE:.1f}" for x, y in points)
            paths.append(f"M{steps}Z")
    return " ".join(paths)


def text(x: float, y: float, words: str, size: int, more: str = "") -> str:
    """One line of text."""
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" {more}>{words}</text>'


def main() -> None:
    """Write docs/sample.svg."""
    png, transform, width, height, shown = ecosystem_png()
    result = gep.open(SAMPLE / "gep.toml").run()
    table = result.counties.set_index("code")
    frame = geopandas.read_file(SAMPLE / "counties.gpkg")
    wide, high = width * SCALE, height * SCALE
    full = wide + LEFT + 300
    box = f"0 0 {full:.0f} {high + TOP + 20:.0f}"
    place = f'x="{LEFT}" y="{TOP}" width="{wide:.0f}" height="{high:.0f}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" fill="#222" {FONT}>',
        f'<rect width="{full:.0f}" height="{high + TOP + 20:.0f}" fill="#fff"/>',
        text(LEFT, 28, "样例县 Sample County 2021 (synthetic 虚构)", 19, 'font-weight="bold"'),
        text(LEFT, 50, "ecosystems, and value by township in 万元 (partial account)", 14),
        f'<image {place} preserveAspectRatio="none" href="data:image/png;base64,{png}"/>',
    ]
    inverse = ~transform
    for _, row in frame.iterrows():
        lines.append(
            f'<path d="{outline(row.geometry, inverse)}" fill="none" stroke="#111"'
            ' stroke-width="1.6" stroke-linejoin="round"/>'
        )
    halo = 'text-anchor="middle" paint-order="stroke" stroke="#fff" stroke-width="4"'
    for _, row in frame.iterrows():
        x, y = inverse * row.geometry.representative_point().coords[0]
        x, y = LEFT + x * SCALE, TOP + y * SCALE
        value = table.loc[row["code"], "gep"] / 1e4
        lines.append(text(x, y, row["name"], 17, halo + ' font-weight="bold"'))
        lines.append(text(x, y + 20, f"{value:,.0f} 万元", 15, halo))
    x, y = LEFT + wide + 24, TOP + 20.0
    lines.append(text(x, y, "ecosystem 生态系统", 15, 'font-weight="bold"'))
    for name in shown:
        y += 28
        red, green, blue = COLOURS[name]
        lines.append(
            f'<rect x="{x:.0f}" y="{y - 14:.0f}" width="22" height="16"'
            f' fill="rgb({red},{green},{blue})" stroke="#888"/>'
        )
        lines.append(text(x + 32, y, f"{groups()[name].en} {groups()[name].zh}", 15))
    y += 48
    lines.append(text(x, y, "value by service 价值量, 万元", 15, 'font-weight="bold"'))
    totals = result.cube["value"].sum(["county", "ecosystem"]).groupby("service").sum()
    largest = float(totals.max())
    for service in dict.fromkeys(line.service for line in result.account.counted()):
        y += 40
        value = float(totals.sel(service=service)) / 1e4
        title = catalogue()[service].title
        bar = max(2.0, 200 * value * 1e4 / largest)
        lines.append(text(x, y - 6, f"{title.en} {title.zh}", 13))
        lines.append(
            f'<rect x="{x:.0f}" y="{y:.0f}" width="{bar:.1f}" height="12" fill="#38764c"/>'
        )
        lines.append(text(x + bar + 6, y + 11, f"{value:,.0f}", 12))
    lines.append("</svg>")
    (ROOT / "docs" / "sample.svg").write_text("\n".join(lines) + "\n", "utf8")


if __name__ == "__main__":
    main()
