"""Write docs/invest.md: InVEST beside this engine, from benchmarks/results/invest.json.

Run it with nothing installed: python docs/invest.py. benchmarks/peers/invest.py makes the numbers
and needs an environment with InVEST; a test holds the page against them.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "invest.md"
RESULTS = ROOT / "benchmarks" / "results" / "invest.json"

Data = dict[str, Any]

SMALL = 1e-4
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

HEAD = """\
# InVEST side by side 与 InVEST 的对照

{date}: gep {gep} beside InVEST {InVEST} (pygeoprocessing {pygeoprocessing}, GDAL {GDAL}), the same
rasters into both, pixel by pixel. Made by `python docs/invest.py` from `benchmarks/results`.

* **Where the formulas are equal, what remains is InVEST's single precision:** at most {same_pixel}
  of a pixel and {same_total} of a total. InVEST's own formulas of water yield and LS with their
  arrays made double agree with ours to {double_pixel}.
* **Routing is not the same.** InVEST's default is MFD, ours D8: soil kept differs by {mfd_low} to
  {mfd_high}. With InVEST's own D8 it differs by {d8_low} to {d8_high}, from flats and ties.
* **LS by another formula is another number.** InVEST takes the root of the area above for a length.
  LS by our default, `segmented`, adds up to {segmented_low} to {segmented_high} times InVEST's; by
  `desmet_govers`, which takes the area itself, to {desmet_low} to {desmet_high} times.

中文摘要：公式与输入相同时，逐像元相对差不超过 {same_pixel}，总量不超过 {same_total}，均出自
InVEST 的单精度；产水量与 LS 两个公式的数组改为双精度后，差不超过 {double_pixel}。InVEST
默认多流向（MFD），本程序为 D8，土壤保持量相差 {mfd_low} 至 {mfd_high}；同用 D8 时相差
{d8_low} 至 {d8_high}，出自平地与等坡处。LS 公式不同则结果不同：本程序默认的 `segmented`
合计为 InVEST 的 {segmented_low} 至 {segmented_high} 倍，`desmet_govers` 为 {desmet_low} 至
{desmet_high} 倍。

*largest*, *median*: difference of a pixel, relative to the larger of the two. *apart*: pixels that
differ by more than 10⁻⁶. *total*: ours over InVEST's, less one, of the sum over the pixels both
have. Nothing is tuned.
"""
KINDS = {
    "same": """\
## Equal formulas, equal inputs 公式与输入相同

InVEST's results as it stores them. Water: our `available_water`, `evapotranspiration` by
`budyko_fu`, water retention without runoff. SDR: its own slope and area drained go into our LS
`invest_sdr`, its own LS into our soil retention. Carbon: `net_ecosystem_production` by
`biomass_difference`, all pools in the place of biomass.
""",
    "double": """\
## InVEST's code in double precision 双精度下的 InVEST

Its own functions (`fractp_op`, `_calculate_ls_factor`) on its own rasters, with the one array each
keeps in single precision made double: the difference goes. What they give for made-up numbers lies
in `benchmarks/results/invest_*_points.csv`, and the tests hold our formulas against it, the limits
of w and of L among them (neither landscape comes to that of L, Willamette not to that of w).
""",
    "own": """\
## Our own slope and routing 自行计算坡度与汇流

The elevation that InVEST masked; everything from there on is ours (`slope` by `horn`,
`slope_factor` by `invest_sdr`, soil retention).
""",
    "other": """\
## Other formulas 公式不同

Our other two ways of LS beside InVEST's, to show what the choice is worth; not an error of either.
""",
}
COLUMNS = ("model", "landscape", "quantity", "pixels", "largest", "median", "apart", "total", "why")
ROUTING = """\
## Where D8 differs 流向不同之处

Pixels that InVEST's D8 drains into another neighbour than ours (*elsewhere*): in a *flat* no
neighbour is lower, in a *tie* several are equally steep; there the order in which a program looks
decides. *raised*: by the filling of depressions, ours; *otherwise*: filled by InVEST to another
height. Where nothing is raised, the filling is not put to the test.
"""
DIRECTIONS = {
    "pixels": "pixels",
    "elsewhere": "elsewhere",
    "flat": "of these flat",
    "tie": "tie",
    "other": "neither",
    "raised": "raised",
    "filled_otherwise": "otherwise",
}
INPUTS = """\
## Inputs 输入

The landscapes are InVEST's samples. What they lack is made up by a rule, the same for both sides,
that describes no place: a plane from edge to edge. Nothing here is a result about Gura or
Willamette.
"""
REST = """\
## Not compared 未对照

* Carbon stocks and their present value: gep accounts the flow of a year. Their change between two
  maps is compared.
* Delivery of sediment (SDR itself), deposition, export: soil retention here is avoided erosion.
* Hydropower and its present value; the water of a published run of Willamette that lies beside the
  data: the rasters that went into it are not there.
* On Gura carbon: there is no table of pools.

## To do it again 重做

    benchmarks/peers/make_invest.sh ENVIRONMENT          # some three minutes; needs GDAL's headers
    .venv/bin/python benchmarks/peers/invest.py FOLDER ENVIRONMENT/bin/python
    .venv/bin/python docs/invest.py
"""


def page(results: Data) -> str:
    """The whole page."""
    parts = [HEAD.format(**results["theirs"], **_facts(results))]
    for kind, said in KINDS.items():
        rows = [_row(row) for row in results["rows"] if row["kind"] == kind]
        parts += [said, _table(COLUMNS, rows)]
    counts = [
        (name, *(f"{found[column]:,}" for column in DIRECTIONS))
        for name, found in results["directions"].items()
    ]
    parts += [ROUTING, _table(("landscape", *DIRECTIONS.values()), counts)]
    parts += [INPUTS, _inputs(results), REST]
    return "\n".join(parts)


def _facts(results: Data) -> dict[str, str]:
    """What the head says, each the worst of its kind."""

    def of(kind: str, what: str = "", model: str = "") -> list[Data]:
        wanted = [row for row in results["rows"] if row["kind"] == kind]
        return [row for row in wanted if what in row["what"] and model in row["model"]]

    def ends(name: str, rows: list[Data], show: Callable[[float], str]) -> dict[str, str]:
        totals = sorted((row["total"] for row in rows), key=abs)
        return {f"{name}_low": show(totals[0]), f"{name}_high": show(totals[-1])}

    def times(total: float) -> str:
        return f"{1 + total:.1f}"

    return {
        "date": results["date"],
        "gep": results["ours"]["gep"],
        "same_pixel": _relative(max(row["largest"] for row in of("same"))),
        "same_total": _relative(max(abs(row["total"]) for row in of("same"))),
        "double_pixel": _relative(max(row["largest"] for row in of("double"))),
        **ends("mfd", of("own", "avoided erosion", "MFD"), _signed),
        **ends("d8", of("own", "avoided erosion", "D8"), _signed),
        **ends("desmet", of("other", "desmet_govers"), times),
        **ends("segmented", of("other", "segmented"), times),
    }


def _row(row: Data) -> tuple[str, ...]:
    """One comparison as a line of a table."""
    pixels = f"{row['pixels']:,}"
    total = _signed(row["total"])
    if row["total_unit"]:
        whole = f"{row['total_theirs']:,.0f}".replace("-", "−")
        total += f" of {whole} {row['total_unit']}"
    numbers = (_relative(row["largest"]), _relative(row["median"]), _relative(row["different"]))
    what = f"{row['what']}, {row['unit']}" if row["unit"] != "1" else row["what"]
    return row["model"], row["landscape"], what, pixels, *numbers, total, row["why"]


def _relative(number: float) -> str:
    """A relative difference, in percent where that is readable."""
    if number == 0:
        return "0"
    if number >= SMALL:
        return f"{number * 100:#.3g} %".replace(". ", " ")
    mantissa, _, exponent = f"{number:.1e}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(RAISED)}"


def _signed(number: float) -> str:
    """The same with its sign."""
    sign = "+" if number > 0 else "−" if number < 0 else ""
    return sign + _relative(abs(number))


def _inputs(results: Data) -> str:
    """Landscapes, made-up planes, settings."""
    lines = []
    for landscape in results["landscapes"]:
        made = "; ".join(
            f"{name} {plane['first']:g} to {plane['last']:g}, {plane['along']}"
            for name, plane in landscape["made"].items()
        )
        said = "; ".join(landscape["said"])
        lines.append(f"* **{landscape['name']}**: {landscape['place']}. {said}. Made up: {made}.")
    settings = results["settings"]
    sediment = "; ".join(f"{name} {value:g}" for name, value in settings["sediment"].items())
    lines.append(f"* Settings: seasonality Z {settings['seasonality']:g} (made up); {sediment}.")
    lines.append("* Units: mm/year, mm, MJ·mm/(ha·h·year), t·ha·h/(ha·MJ·mm); shares are of 1.")
    return "\n".join(lines) + "\n"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def made() -> str:
    """The page from the stored results."""
    return page(json.loads(RESULTS.read_text("utf8")))


if __name__ == "__main__":
    PAGE.write_text(made(), "utf8")
