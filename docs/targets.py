"""The targets of speed and memory, and how each is read from what the benchmarks found."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

MEMORY, FLAT = 450.0, 0.05
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
        """A ratio of a benchmark."""
        for row in self.of(name).get("records", []):
            if row.get("target") == target and case in (None, row["case"]):
                found: Row = row
                return found
        return None

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
    """A ratio that should not exceed a limit."""

    def found(results: Results) -> Measured:
        row = results.ratio(name, target)
        if row is None:
            return nothing()
        return Measured(number(row["ratio"]), spread(row), row["ratio"] <= limit, row["clean"])

    return found


def spread(row: Row) -> str:
    """Range of a ratio, and how it came about."""
    pairs = f"{row['pairs']} pair{'s' * (row['pairs'] > 1)}"
    text = f"{number(row['low'])} – {number(row['high'])}, {pairs}"
    if not row["clean"]:
        by_cpu = f", by CPU time {number(row['by_cpu'])}" if row["by_cpu"] else ""
        text += f" (others were busy{by_cpu})"
    return text


def faster(case: str, limit: float) -> Callable[[Results], Measured]:
    """How many times longer another program takes."""

    def found(results: Results) -> Measured:
        row = results.ratio("peers", "P4", case)
        if row is None:
            return nothing()
        kept = row["ratio"] >= limit
        return Measured(f"{number(row['ratio'])} ×", spread(row), kept, row["clean"])

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


def memory(results: Results) -> Measured:
    """Peak memory of the largest province, and its growth from a quarter of its side."""
    rows = sizes(results)
    if not rows:
        return nothing()
    peaks = [max(row["megabytes"]) for row in rows]
    first = next(p for p, r in zip(peaks, rows, strict=True) if r["side"] * 4 >= rows[-1]["side"])
    growth = peaks[-1] / first - 1
    kept = max(peaks) <= MEMORY and abs(growth) <= FLAT
    ends = f"{rows[0]['side']:,}² – {rows[-1]['side']:,}²"
    large = rows[-1]["side"] >= LARGE
    return Measured(f"{peaks[-1]:,.0f} MB, {growth:+.0%}", ends, kept, large)


def sizes(results: Results) -> list[Row]:
    """Records of memory by size."""
    rows = [row for row in results.of("memory").get("records", []) if row.get("megabytes")]
    return sorted(rows, key=lambda row: row["side"])


def services(results: Results) -> Measured:
    """All services over the floor of all layers, ÷ one service over the floor of its own."""
    every, single = results.ratio("zones", "P7 all"), results.ratio("zones", "P7 one")
    if every is None or single is None:
        return nothing()
    value = every["ratio"] / single["ratio"]
    said = f"{number(every['ratio'])} and {number(single['ratio'])} × the floor of their layers"
    return Measured(number(value), said, value <= 1.3, every["clean"] and single["clean"])


def exactness(results: Results) -> Measured:
    """The engine's loop over a plain one of the same kernels, which visits pixels otherwise."""
    found = at_most("exactness", "P5", 1.05)(results)
    if found.kept is None:
        return found
    return found._replace(spread=f"{found.spread}; another loop, not the same", clean=False)


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
    """Seconds of 340 million pixels by `gep run`, reckoned from the largest province run."""
    row = results.records("whole").get("all, 2 threads")
    if row is None:
        return nothing()
    value = row["more"]["seconds_of_jiangxi"]
    said = f"from {row['side']:,}², {number(row['nanoseconds_per_pixel'])} ns per pixel"
    said += f", {max(row['megabytes']):,.0f} MB" if row["megabytes"] else ""
    return Measured(
        f"{number(value)} s", said, value < 60, row["clean"] > 0 and row["side"] >= LARGE
    )


TARGETS = (
    Target(
        "P1",
        ("account ÷ decoding its inputs", "核算 ÷ 解码输入"),
        "≤ 1.10",
        at_most("whole", "P1", 1.10),
    ),
    Target(
        "P2",
        ("the same, inputs at native resolution", "原分辨率输入"),
        "≤ 0.45",
        at_most("whole", "P2", 0.45),
    ),
    Target("P3", ("peak memory, and its growth", "内存峰值及增幅"), "≤ 450 MB, ± 5 %", memory),
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
        ("exact sums and counts ÷ plain sums", "精确求和 ÷ 普通求和"),
        "≤ 1.05",
        exactness,
    ),
    Target(
        "P6",
        ("12 maps ÷ rasterio writing them", "12 幅图 ÷ rasterio 直接写出"),
        "≤ 1.10",
        at_most("maps", "P6", 1.10),
    ),
    Target(
        "P7",
        ("3000 counties ÷ 100", "3000 县 ÷ 100 县"),
        "≤ 1.05",
        at_most("zones", "P7 counties", 1.05),
    ),
    Target(
        "P7",
        (
            "all services ÷ one, each over decoding its layers",
            "全部服务 ÷ 一项（均除以各自解码用时）",
        ),
        "≤ 1.3",
        services,
    ),
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
    Target("P12", ("340 million pixels, 15 layers", "3.4 亿像元，15 层"), "< 60 s", jiangxi),
)
