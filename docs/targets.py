"""The targets of speed and memory, and how each is read from what the benchmarks found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

MEMORY, FLAT = 450.0, 0.05
SMALL = "≤ 450 MB, ± 5 %"
MET, MISSED, BUSY, OPEN = "✓", "✗", "?", "—"
"""Kept, missed, undecided, not measured."""
LARGE = 16384
"""Side of the province that targets of size ask for."""

Row = dict[str, Any]


class Measured(NamedTuple):
    """A figure, its spread, and whether it keeps the target; None where nothing was measured.

    It decides nothing unless *clean*: other processes were busy in every repetition, or what was
    measured is not quite what the target asks.
    """

    figure: str
    spread: str
    kept: bool | None
    clean: bool = True

    @property
    def sign(self) -> str:
        """One of MET, MISSED, BUSY, OPEN."""
        if self.kept is None:
            return OPEN
        if not self.clean:
            return BUSY
        return MET if self.kept else MISSED


class Target(NamedTuple):
    """One line of the table of targets."""

    name: str
    words: tuple[str, str]
    limit: str
    found: Callable[["Results"], Measured]


class Results:
    """What the benchmarks found, by name; of several sizes the largest."""

    def __init__(self, folder: Path) -> None:
        self._all: dict[str, list[Row]] = {}
        self.kills: Row = {}
        for path in sorted(folder.glob("*.json")):
            stored = json.loads(path.read_text("utf8"))
            if isinstance(stored, list) and stored and "records" in stored[0]:
                self._all[path.stem] = stored
            elif path.stem == "kills":
                self.kills = stored

    @property
    def names(self) -> list[str]:
        """Benchmarks that have run."""
        return list(self._all)

    def of(self, name: str) -> Row:
        """The result of one benchmark, of the largest size; empty if there is none."""
        found: Row = self._all[name][-1] if name in self._all else {}
        return found

    def records(self, name: str) -> dict[str, Row]:
        """Cases of a benchmark by name."""
        rows = self.of(name).get("records", [])
        return {row["case"]: row for row in rows if "median" in row}

    def ratio(self, name: str, target: str, case: str | None = None) -> Row | None:
        """A ratio of a benchmark, of the largest size that has it."""
        found = [row for row in self.ratios(name, target) if case in (None, row["case"])]
        return found[-1] if found else None

    def ratios(self, name: str, target: str) -> list[Row]:
        """A ratio of a benchmark by size, the smallest first."""
        rows = [row for run in self._all.get(name, []) for row in run["records"]]
        return [row for row in rows if row.get("target") == target]

    def newest(self) -> Row:
        """The result made last."""
        return max((self.of(name) for name in self._all), key=lambda one: one["machine"]["date"])


def nothing() -> Measured:
    """What was not measured."""
    return Measured("not measured 未测", "", None)


def number(value: float) -> str:
    """Three digits that count.

    >>> number(0.034567), number(12.345), number(1234.5)
    ('0.0346', '12.3', '1,234')
    """
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def at_most(name: str, target: str, limit: float) -> Callable[[Results], Measured]:
    """A ratio that should not exceed a limit; of several sizes the largest, the others beside."""

    def found(results: Results) -> Measured:
        if not (rows := results.ratios(name, target)):
            return nothing()
        row = rows[-1]
        return Measured(number(row["ratio"]), by_size(rows), row["ratio"] <= limit, row["clean"])

    return found


def by_size(rows: list[Row]) -> str:
    """Spread of the ratio of the largest size, the others beside it."""
    *smaller, row = rows
    said = spread(row) + "".join(f"; {sized(one)}" for one in reversed(smaller))
    return said + (f" (at {row['side']:,}²)" if smaller else "")


def sized(row: Row) -> str:
    """A ratio at another size than the largest."""
    return f"at {row['side']:,}² {number(row['ratio'])} ({spread(row)})"


def spread(row: Row) -> str:
    """Range of a ratio, and how it came about."""
    pairs = f"{row['pairs']} pair{'s' * (row['pairs'] > 1)}"
    text = f"{number(row['low'])} – {number(row['high'])}, {pairs}"
    if not row["clean"]:
        by_cpu = f", by CPU time {number(row['by_cpu'])}" if row["by_cpu"] else ""
        text += f" (others were busy{by_cpu})"
    return text


def faster(case: str, limit: float) -> Callable[[Results], Measured]:
    """How many times longer another program takes; of several sizes the largest."""

    def found(results: Results) -> Measured:
        rows = [row for row in results.ratios("peers", "P4") if row["case"] == case]
        if not rows:
            return nothing()
        row = rows[-1]
        kept = row["ratio"] >= limit
        return Measured(f"{number(row['ratio'])} ×", by_size(rows), kept, row["clean"])

    return found


def seconds(case: str, limit: float, less: str | None = None) -> Callable[[Results], Measured]:
    """A start-up time, that of another case taken off."""

    def found(results: Results) -> Measured:
        records = results.records("start")
        if case not in records:
            return nothing()
        rows = records[case]["seconds"]
        value = records[case]["median"] - (records[less]["median"] if less else 0.0)
        said = f"{number(min(rows))} – {number(max(rows))} s" if not less else ""
        clean = all(records[one]["clean"] for one in filter(None, (case, less)))
        return Measured(f"{number(value)} s", said, value <= limit, clean)

    return found


def memory(account: str) -> Callable[[Results], Measured]:
    """Peak memory of the largest province, its growth from a quarter of its side, the forecast."""

    def found(results: Results) -> Measured:
        rows = sizes(results, account)
        if not rows:
            return nothing()
        peaks = [max(row["megabytes"]) for row in rows]
        growth = peaks[-1] / peaks[0] - 1
        kept = max(peaks) <= MEMORY and abs(growth) <= FLAT
        ends = ", ".join(f"{row['side']:,}²" for row in rows)
        said = f"{ends}; forecast {rows[-1]['more']['forecast']:,.0f} MB"
        return Measured(f"{peaks[-1]:,.0f} MB, {growth:+.0%}", said, kept, _large(rows[-1]))

    return found


def sizes(results: Results, account: str) -> list[Row]:
    """Records of memory by size, of one account."""
    rows = [row for row in results.records("memory").values() if row["megabytes"]]
    rows = [row for row in rows if row["more"]["account"] == account]
    return sorted(rows, key=lambda row: row["side"])


def _large(row: Row) -> bool:
    """Tell whether a record is of the size that targets ask for."""
    return bool(row["side"] >= LARGE)


def services(what: str = "") -> Callable[[Results], Measured]:
    """All services over the floor of all layers, ÷ one service over the floor of its own."""

    def found(results: Results) -> Measured:
        every = results.ratio("zones", f"P7 all{what}")
        single = results.ratio("zones", f"P7 one{what}")
        if every is None or single is None:
            return nothing()
        value = every["ratio"] / single["ratio"]
        said = f"{number(every['ratio'])} and {number(single['ratio'])} × the floor of their layers"
        return Measured(number(value), said, value <= 1.3, every["clean"] and single["clean"])

    return found


def exactness(results: Results) -> Measured:
    """Exact sums and ledger ÷ plain sums, decoding included; beside it what the loop alone adds."""
    alone, bare = (
        results.ratio("exactness", "P5 loop"),
        results.ratio("exactness", "P5 without ledger"),
    )
    if alone is None or bare is None:
        return nothing()
    found = at_most("exactness", "P5", 1.05)(results)
    said = f"; without the ledger {number(bare['ratio'])}; the loop alone {number(alone['ratio'])}"
    return found._replace(spread=found.spread + said)


def kills(results: Results) -> Measured:
    """Tiles computed again after a kill, per thread; the account is the same afterwards."""
    found = results.kills
    if not found:
        return nothing()
    value = found["lost_at_most"] / found["threads"]
    same = "same result" if found["same_root"] else "another result"
    said = f"{found['kills']} kills, {same}, {found['lost_on_average']} tiles on average"
    return Measured(number(value), said, value <= 1 and found["same_root"])


def thousand(results: Results) -> Measured:
    """Seconds of a thousand prices."""
    records = results.records("reprice")
    if not records:
        return nothing()
    row = next(iter(records.values()))
    value = row["more"]["seconds_of_thousand"]
    said = f"{row['more']['measured']} measured"
    return Measured(f"{number(value)} s", said, value <= 1.0, row["clean"] > 0)


def jiangxi(results: Results) -> Measured:
    """Seconds of 340 million pixels by `gep run`, scaled from the largest province run."""
    rows = sizes(results, "all")
    if not rows:
        return nothing()
    row = rows[-1]
    value = row["more"]["seconds_of_jiangxi"]
    said = f"scaled from {row['side']:,}²: {number(min(row['seconds']))} s, "
    said += f"{number(min(row['seconds']) / row['side'] ** 2 * 1e9)} ns per pixel, "
    said += f"{max(row['megabytes']):,.0f} MB"
    return Measured(f"{number(value)} s", said, value < 60, row["clean"] > 0 and _large(row))


def over_floor() -> list[Target]:
    """P1 and P2: the tiles alone, and the whole account, over decoding the inputs."""
    ways = (
        ("P1a", "decoding by GDAL", "由 GDAL 解码", 1.10),
        ("P1b", "direct decoding", "直接解码", 0.65),
        ("P2", "inputs at native resolution", "原分辨率输入", 0.45),
    )
    parts = (("tiles", "tiles alone", "仅分块"), ("whole", "whole account", "完整核算"))
    return [
        Target(
            name,
            (f"{part} ÷ decoding its inputs, {way}", f"{part_zh} ÷ 解码输入，{way_zh}"),
            f"≤ {limit:.2f}",
            at_most("whole", f"{name} {kind}", limit),
        )
        for name, way, way_zh, limit in ways
        for kind, part, part_zh in parts
    ]


def more_of_it() -> list[Target]:
    """P7: more counties and more services, the tiles alone and the whole account."""
    parts = ((" tiles", "tiles alone", "仅分块"), ("", "whole account", "完整核算"))
    counties = [
        Target(
            "P7",
            (f"3000 counties ÷ 100, {part}", f"3000 县 ÷ 100 县，{zh}"),
            "≤ 1.05",
            at_most("zones", f"P7 counties{kind}", 1.05),
        )
        for kind, part, zh in parts
    ]
    return counties + [
        Target(
            "P7",
            (
                f"all services ÷ one, each over decoding its layers, {part}",
                f"全部服务 ÷ 一项（均除以各自解码用时），{zh}",
            ),
            "≤ 1.3",
            services(kind),
        )
        for kind, part, zh in parts
    ]


TARGETS = (
    *over_floor(),
    Target("P3", ("peak memory, and its growth", "内存峰值及增幅"), SMALL, memory("all")),
    Target("P3", ("the same, native resolution", "同上，原分辨率"), SMALL, memory("native")),
    Target("P4", ("numpy in blocks", "numpy 分块"), "≥ 5 ×", faster("blocks", 5)),
    Target("P4", ("xarray + dask + flox", ""), "≥ 8 ×", faster("dask", 8)),
    Target("P4", ("pygeoprocessing", ""), "≥ 40 ×", faster("pygeoprocessing", 40)),
    Target(
        "P4",
        ("InVEST annual water yield alone", "仅 InVEST 年产水量"),
        "≥ 30 ×",
        faster("water_yield", 30),
    ),
    Target(
        "P5",
        ("exact sums, counts and ledger ÷ plain sums", "精确求和、计数与台账 ÷ 普通求和"),
        "≤ 1.05",
        exactness,
    ),
    Target(
        "P6",
        ("12 maps ÷ rasterio writing them", "12 幅图 ÷ rasterio 直接写出"),
        "≤ 1.10",
        at_most("maps", "P6", 1.10),
    ),
    *more_of_it(),
    Target(
        "P8",
        ("dask.distributed ÷ threads", "分布式 ÷ 线程"),
        "≤ 1.2",
        at_most("distributed", "P8", 1.2),
    ),
    Target(
        "P9",
        ("tiles repeated after kill -9, per thread", "强制终止后每线程重算的块数"),
        "≤ 1",
        kills,
    ),
    Target("P10", ("`gep --help`", ""), "≤ 150 ms", seconds("gep --help", 0.150)),
    Target("P10", ("`import gep`", ""), "≤ 100 ms", seconds("import gep", 0.100)),
    Target(
        "P10",
        ("first compilation, twelve indicators", "首次编译，12 项指标"),
        "≤ 3 s",
        seconds("first, twelve", 3.0, "next, twelve"),
    ),
    Target(
        "P10",
        ("first compilation, all", "首次编译，全部"),
        "≤ 6 s",
        seconds("first, all", 6.0, "next, all"),
    ),
    Target(
        "P10",
        ("next start to the first tile", "再次启动至首块"),
        "≤ 0.8 s",
        seconds("next, twelve", 0.8),
    ),
    Target("P11", ("1000 prices, 100 counties", "1000 组价格，100 县"), "≤ 1 s", thousand),
    Target(
        "P12",
        ("340 million pixels, 15 layers, scaled", "3.4 亿像元，15 层，折算"),
        "< 60 s",
        jiangxi,
    ),
)
