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
PRICES = ["0.3877 CNY_2005/m^3", "6.1107 CNY_2005/m^3", "7.06 CNY_2010/m^3"]
"""The three sets of the price of reservoirs in coefficients/prices.toml."""
SERVICES = ["water_retention", "flood_mitigation"]
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


def compared(
    account: gep.Account, before: gep.Result
) -> tuple[Comparison, dict[str, int], Comparison, dict[str, int]]:
    """Comparison and effort of the two scenarios: planted, and the reservoir annualised."""
    with tempfile.TemporaryDirectory() as folder:
        forest = account.scenario("planted", rasters=planted(Path(folder)))
        after = forest.run(tile=64)
    annual = account.scenario("annualised", prices={"reservoir_cost": "0.3877 CNY_2005/m^3"})
    priced = annual.run(tile=64)
    efforts = [result.envelope["tiles"] for result in (after, priced)]
    return after.compare(before), efforts[0], priced.compare(before), efforts[1]


def parts() -> dict[str, str]:
    """Generated parts of the page by name."""
    account = gep.open(SAMPLE / "gep.toml")
    before = account.run(tile=64)
    forest, computed, annual, none = compared(account, before)
    return {
        "computed": f"Tiles of 64 × 64: {computed['computed']} of {computed['all']} computed.\n",
        "planted": block(forest, "en") + "\n" + block(forest, "zh"),
        "none": f"Tiles: {none['computed']} of {none['all']} computed; no raster is opened.\n",
        "annualised": block(annual, "en"),
        "repriced": repriced(before),
    }


def repriced(before: gep.Result) -> str:
    """Table of the scenarios of the price of reservoirs, in 10 000 CNY."""
    money = before.reprice({"reservoir_cost": PRICES})
    rows = [
        (text, *(f"{float(cell) / 1e4:,.2f}" for cell in (*services, total)))
        for text, services, total in zip(
            PRICES, money.value.sum("county").sel(service=SERVICES), money.total, strict=True
        )
    ]
    head = ("reservoir_cost", *SERVICES, "total")
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


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
