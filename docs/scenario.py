"""The worked scenario of docs/scenarios.md, on the sample county, by the public API.

Run it with the package installed: python docs/scenario.py. A test holds the page against it.
"""

import tempfile
from pathlib import Path

import rasterio

import gep
from gep import differences
from gep.compare import Comparison

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "rasters" / "sample"
PAGE = ROOT / "docs" / "scenarios.md"
UPLAND, MIXED_FOREST = 10, 91
"""Codes of the sample's legend, glc_fcs30."""
STEEP = 3.0
"""Slope factor LS above which upland is planted."""


def planted(folder: Path) -> dict[str, str]:
    """Write the rasters of the scenario into *folder*; return them by name, and the pixels planted.

    Upland where LS is above STEEP becomes mixed forest, with the mean cover factor that mixed
    forest has in the sample.
    """
    with rasterio.open(SAMPLE / "ecosystem.tif") as file:
        codes, profile = file.read(1), file.profile
    with rasterio.open(SAMPLE / "slope_factor.tif") as file:
        slope = file.read(1) * file.scales[0]
    with rasterio.open(SAMPLE / "cover_factor.tif") as file:
        cover, about, scales = file.read(1), file.profile, file.scales
    steep = (codes == UPLAND) & (slope > STEEP)
    cover[steep] = round(float(cover[codes == MIXED_FOREST].mean()))
    codes[steep] = MIXED_FOREST
    with rasterio.open(folder / "ecosystem.tif", "w", **profile) as file:
        file.write(codes, 1)
    with rasterio.open(folder / "cover_factor.tif", "w", **about) as file:
        file.write(cover, 1)
        file.scales = scales
    return {name: str(folder / f"{name}.tif") for name in ("ecosystem", "cover_factor")}


def compared() -> tuple[Comparison, dict[str, int], Comparison, dict[str, int]]:
    """Comparison and effort of the two scenarios: planted, and the reservoir annualised."""
    account = gep.open(SAMPLE / "gep.toml")
    before = account.run(tile=64)
    with tempfile.TemporaryDirectory() as folder:
        forest = account.scenario("planted", rasters=planted(Path(folder)))
        after = forest.run(tile=64)
    annual = account.scenario("annualised", prices={"reservoir_cost": "0.3877 CNY_2005/m^3"})
    priced = annual.run(tile=64)
    efforts = [result.envelope["tiles"] for result in (after, priced)]
    return after.compare(before), efforts[0], priced.compare(before), efforts[1]


def parts() -> dict[str, str]:
    """Generated parts of the page by name."""
    forest, computed, annual, none = compared()
    return {
        "computed": f"Tiles of 64 × 64: {computed['computed']} of {computed['all']} computed.\n",
        "planted": block(forest, "en") + "\n" + block(forest, "zh"),
        "none": f"Tiles: {none['computed']} of {none['all']} computed; no raster is opened.\n",
        "annualised": block(annual, "en"),
    }


def page() -> str:
    """Text of the page, its generated parts made anew."""
    text = PAGE.read_text("utf8")
    for name, made in parts().items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, _, rest = text.partition(start)
        text = f"{head}{start}{made}{end}{rest.partition(end)[2]}"
    return text


def block(found: Comparison, language: str) -> str:
    """Table of a comparison as the command line prints it."""
    return f"```\n{differences.table(found, ('service',), language)}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf8")
