"""Write docs/performance.md and its plots from what the benchmarks found.

Run it anywhere: python docs/performance.py. Results: benchmarks/results/*.json, which `make bench`
and `make bench-peers` write; a test holds the page against them.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "docs"))

from bars import Bar, bars, by_size  # noqa: E402
from limits import LIMITS  # noqa: E402
from targets import (  # noqa: E402
    BUSY,
    MEMORY,
    MET,
    MISSED,
    OPEN,
    TARGETS,
    Results,
    Row,
    number,
    sizes,
)

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results"
HEAD = """\
# Speed and memory 速度与内存

Made by `python docs/performance.py` from [the results](../benchmarks/results) of `make bench` and
`make bench-peers`, on the *standard province*: 15 made-up layers as services read them (36 bytes
per pixel), spatially correlated, 75 % of the pixels in the province, tiles of 512, ZSTD with
predictor, 100 counties ([recipe](../benchmarks/province.py)). A ratio is of runs in turn
(A B A B …): its median and quartiles, over pairs during which other processes used less than 12 %
of a processor; where there was no such pair all count, and the ratio of CPU time stands beside.
Absolute times hold for this machine only:

{machine}

标准省为虚构数据：15 层栅格、100 县、75 % 有效像元。比值为交替运行的中位数与四分位数；
只计其他进程占用低于 12 % 的重复，没有时计入全部并附 CPU 时间之比。绝对用时仅适用于本机。

## Targets 目标

| | measure 指标 | target 目标 | measured 实测 | spread 范围 | |
|---|---|---:|---:|---|---|
{targets}

{met} of {all} kept, {missed} missed, {busy} undecided (?: other processes were busy throughout, or
the run was smaller or another than the target asks), {open} not measured.
达到 {met} 项，未达到 {missed} 项，待定 {busy} 项（机器繁忙，或规模、对象与目标不符），
未测 {open} 项。
{limits}"""
LIMITED = """
What limits those that are not kept, and what was tried 未达到者受何限制、试过什么：

"""


def table_of_targets(results: Results) -> tuple[str, dict[str, int]]:
    """The lines of the table, and how many have each sign."""
    lines, counts = [], dict.fromkeys((MET, MISSED, BUSY, OPEN), 0)
    for target in TARGETS:
        found = target.found(results)
        counts[found.sign] += 1
        words = " ".join(filter(None, target.words))
        cells = (target.name, words, target.limit, found.figure, found.spread, found.sign)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines), counts


def limits(results: Results) -> str:
    """What limits every target that is missed or undecided."""
    signs = [(target.name, target.found(results).sign) for target in TARGETS]
    names = dict.fromkeys(name for name, sign in signs if sign in (MISSED, BUSY))
    lines = [f"* **{name}** {' '.join(LIMITS[name])}\n" for name in names]
    return LIMITED + "".join(lines) if lines else ""


def machine(results: Results) -> str:
    """The machine in words."""
    said = results.newest()["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in said["versions"].items())
    code = f" (code {said['code']})" if "code" in said else ""
    return (
        f"{said['processor']}, {said['processors']} processors, {said['gigabytes']:g} GB, "
        f"{said['system']}, Python {said['python']}; {versions}{code}; {said['date']}."
    )


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table whose first column is words."""
    lines = [head, ("---", *["---:"] * (len(head) - 1)), *rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in lines)


COST = ("case", "seconds", "memory, MB", "clean runs", "CPU seconds")
PER_PIXEL = ("ns per pixel", "CPU ns per pixel")
WHOLE = ("start", "reprice")
"""Benchmarks whose time has nothing to do with pixels."""


def costs(name: str, records: dict[str, Row]) -> str:
    """Cases of a benchmark with their time and memory."""
    rows = []
    for case, row in records.items():
        peak = max(row["megabytes"], default=0.0)
        clean = f"{row['clean']} / {len(row['seconds'])}"
        cells = [case, number(row["median"]), f"{peak:,.0f}" if peak else "", clean]
        cells.append(number(min(row["cpu"])))
        if name not in WHOLE:
            keys = ("nanoseconds_per_pixel", "cpu_nanoseconds_per_pixel")
            cells += [number(row[key]) for key in keys]
        rows.append(tuple(cells))
    return table(COST if name in WHOLE else COST + PER_PIXEL, rows)


def section(results: Results, name: str, title: str, words: str) -> str:
    """One benchmark: its title, what it is, its cases."""
    records = results.records(name)
    if not records:
        return ""
    found = results.of(name)
    load, repeats = found["machine"]["load"][0], found["repeats"]
    times = f"{repeats} repetition{'s' * (repeats > 1)}"
    said = f"{found['size']:,}² pixels, {times}, load {load:g} at the end."
    return f"\n## {title}\n\n{words} {said}\n\n{costs(name, records)}"


SECTIONS = (
    ("decode", "Decoding 解码", "rasterio decoding all 15 layers and nothing else: the floor."),
    (
        "decoding",
        "Direct decoding 直接解码",
        (
            "The same tiles by rasterio, by this project into memory of the caller, and lent from "
            "its own, by encoding; two threads."
        ),
    ),
    (
        "whole",
        "Whole account 完整核算",
        (
            "`floor` is decoding the same layers; `tiles` is decoding, staging and summing them; "
            "`all`, `twelve` and `native` are the account through Python, with checks, digests, "
            "prices and identities; `by GDAL` leaves every tile to GDAL, as where imagecodecs is "
            "not there; with threads named it is `gep run` as a process."
        ),
    ),
    (
        "memory",
        "Memory 内存",
        (
            "`gep run` as a process, compiled code on the disk: time of the whole process and the "
            "peak of its resident memory."
        ),
    ),
    (
        "zones",
        "Counties and services 县数与服务数",
        "The same province cut otherwise, and one service alone.",
    ),
    (
        "maps",
        "Maps 栅格图",
        (
            "Twelve maps made, written, read back and held against the tables; rasterio writes the "
            "same arrays in the same form."
        ),
    ),
    (
        "exactness",
        "Exactness 精确",
        (
            "The same loop with integer sums, missing counts and blame, and with float64 sums and "
            "none; decoding included, with and without the ledger; and alone, on staged tiles."
        ),
    ),
    (
        "start",
        "Start 启动",
        (
            "From the start of the process; `first` with nothing compiled, `next` with the code on "
            "disk, both to the first tile of 512²."
        ),
    ),
    ("reprice", "Prices 价格", "Scenarios of prices on a finished account."),
    ("distributed", "Distributed 分布式", "Two workers of dask.distributed."),
    (
        "peers",
        "Other programs 其他程序",
        (
            "The same twelve indicators of the same files. exactextract and rasterstats sum one "
            "layer by county, which is all they are for; pygeoprocessing computes and sums one "
            "indicator after another; InVEST's water yield is one model alone. Ours checks, hashes "
            "its inputs, prices and verifies besides."
        ),
    ),
)

STAGES = {
    "floor": ("decoding 15 layers", "解码 15 层"),
    "tiles": ("tiles alone, 15 layers", "仅分块，15 层"),
    "all": ("account, 15 layers", "核算，15 层"),
    "native": ("account, native resolution", "核算，原分辨率"),
    "floor of twelve": ("decoding 13 layers", "解码 13 层"),
    "twelve": ("account, 12 indicators", "核算，12 项指标"),
}
PLOTS = {
    "stages": ("Time per pixel, two threads", "每像元用时（双线程）"),
    "memory": ("Memory by size", "内存与栅格大小"),
    "kernels": ("What each kernel adds per pixel, one thread", "各指标每像元用时（单线程）"),
    "peers": ("Time of the same twelve indicators, seconds", "相同 12 项指标用时（秒）"),
}
NAMES = {
    "gep": ("gep", "本项目"),
    "numpy": ("numpy, whole arrays", "整幅数组"),
    "blocks": ("numpy in blocks", "分块"),
    "dask": ("xarray + dask + flox", ""),
    "exactextract": ("exactextract, one layer", "仅一层分区求和"),
    "rasterstats": ("rasterstats, one layer", "仅一层分区求和"),
    "pygeoprocessing": ("pygeoprocessing", ""),
    "water_yield": ("InVEST annual water yield", "仅年产水量"),
}


def stage(row: Row, title: tuple[str, str], ours: bool) -> Bar:
    """Time per pixel of one case, with its range."""
    per = 1e9 / row["side"] ** 2
    low, high = min(row["seconds"]) * per, max(row["seconds"]) * per
    value = row["nanoseconds_per_pixel"]
    return Bar(title, value, low, high, f"{number(value)} ns", ours)


def plots(results: Results) -> dict[str, str]:
    """SVG by name, of what was measured."""
    found = {}
    if rows := sizes(results, "all"):
        sides = [row["side"] for row in rows]
        peaks = [max(row["megabytes"]) for row in rows]
        found["memory"] = by_size(PLOTS["memory"], "MB", sides, peaks, MEMORY)
    if records := results.records("whole"):
        lines = [
            stage(records[name], STAGES[name], name in ("tiles", "all", "twelve", "native"))
            for name in STAGES
            if name in records
        ]
        found["stages"] = bars(PLOTS["stages"], lines)
    if records := results.records("kernels"):
        lines = []
        for name, row in records.items():
            added = row["more"]["added_nanoseconds_per_pixel"]
            ours = name == "all fused"
            if name != "nothing":
                lines.append(Bar((name, ""), added, added, added, f"{added:.1f} ns", ours))
        found["kernels"] = bars(PLOTS["kernels"], lines)
    if records := results.records("peers"):
        lines = [
            Bar(NAMES[name], row["median"], min(row["seconds"]), max(row["seconds"]),
                f"{number(row['median'])} s, {max(row['megabytes']):,.0f} MB", name == "gep")
            for name, row in records.items()
        ]  # fmt: skip
        found["peers"] = bars(PLOTS["peers"], lines)
    return found


def agreement(results: Results) -> str:
    """How far the sums of other programs are from ours."""
    rows = []
    for name, row in results.records("peers").items():
        if "differs_by" in (more := row["more"]):
            versions = ", ".join(f"{k} {v}" for k, v in more["versions"].items())
            apart = f"{more['differs_by']:.1e}", f"{more['tolerance']:.0e}"
            rows.append((name, *apart, versions))
    head = ("program", "totals differ by", "allowed", "versions")
    left = results.of("peers").get("left_out") or []
    words = f"\nLeft out, for want of an environment: {', '.join(left)}.\n" if left else ""
    return f"\n{table(head, rows)}{words}" if rows else words


def page(results: Results) -> str:
    """Text of the page."""
    lines, counts = table_of_targets(results)
    head = HEAD.format(
        machine=machine(results),
        targets=lines,
        met=counts[MET],
        missed=counts[MISSED],
        busy=counts[BUSY],
        open=counts[OPEN],
        all=len(TARGETS),
        limits=limits(results),
    )
    parts = [head]
    for name in plots(results):
        title = " ".join(PLOTS[name])
        parts.append(f"\n![{title}](performance-{name}.svg)\n")
    parts += [section(results, *one) for one in SECTIONS]
    return "".join([*parts, agreement(results)])


def made(folder: Path = RESULTS) -> dict[Path, str]:
    """Every file of the page by path."""
    results = Results(folder)
    drawn = {PAGE.with_name(f"performance-{n}.svg"): svg for n, svg in plots(results).items()}
    return {PAGE: page(results), **drawn}


if __name__ == "__main__":
    for path, text in made().items():
        path.write_text(text, "utf8")
