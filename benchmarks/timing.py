"""Time, memory and the machine: what every benchmark measures with.

Cases of one benchmark are run in turn (A B A B …), since a shared machine drifts: what counts is
the ratio of neighbours, its median and quartiles. Beside every repetition stands how busy other
processes were; one is clean if they used less than CLEAN of a processor.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CLEAN = 0.12
QUIET = 10.0
"""Longest time [s] to wait before a repetition until others are quiet."""
POLL = 0.02
THREADS = 2
LIBRARIES = ("gep", "numpy", "numba", "rasterio", "tifffile", "imagecodecs", "distributed")


@dataclass
class Record:
    """One case: wall time and CPU time [s] of its repetitions, and how busy others were.

    `other` is in processors; `megabytes` the largest resident memory of a process of its own.
    """

    benchmark: str
    case: str
    side: int
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    other: list[float] = field(default_factory=list)
    megabytes: list[float] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Pixels of the raster, those outside the province too."""
        return self.side**2

    def clean(self, numbers: list[float]) -> list[float]:
        """Numbers of the clean repetitions; of the least disturbed if none is."""
        kept = [n for n, o in zip(numbers, self.other, strict=True) if o < CLEAN]
        return kept or [min(zip(self.other, numbers, strict=True))[1]]

    def summary(self) -> dict[str, Any]:
        """The record, with its median over clean repetitions."""
        wall = statistics.median(self.clean(self.seconds))
        cpu = statistics.median(self.clean(self.cpu))
        found = asdict(self) | {
            "median": wall,
            "least": min(self.seconds),
            "clean": sum(o < CLEAN for o in self.other),
            "nanoseconds_per_pixel": wall / self.pixels * 1e9,
            "cpu_nanoseconds_per_pixel": cpu / self.pixels * 1e9,
        }
        for key in ("seconds", "cpu", "other", "megabytes"):
            found[key] = [round(number, 4) for number in found[key]]
        return found


def ratio(record: Record, over: Record) -> dict[str, Any]:
    """Wall time of one case over another's, repetition by repetition: median and quartiles.

    Pairs in which either was disturbed are left out, unless all were; `by_cpu` is that of CPU time,
    which other processes hardly touch.
    """
    rows = list(zip(record.seconds, over.seconds, record.other, over.other, strict=True))
    clean = [a / b for a, b, x, y in rows if x < CLEAN and y < CLEAN]
    used = sorted(clean or [a / b for a, b, _, _ in rows])
    by_cpu = [a / b for a, b in zip(record.cpu, over.cpu, strict=True) if b]
    low, high = (used[0], used[-1]) if len(used) < 4 else _quartiles(used)
    return {
        "ratio": statistics.median(used),
        "low": low,
        "high": high,
        "pairs": len(used),
        "clean": bool(clean),
        "by_cpu": statistics.median(by_cpu) if by_cpu else None,
    }


def _quartiles(numbers: list[float]) -> tuple[float, float]:
    cut = statistics.quantiles(numbers, n=4)
    return cut[0], cut[2]


def paired(
    benchmark: str, side: int, cases: dict[str, Callable[[], Any]], repeats: int, warm: int = 1
) -> dict[str, Record]:
    """Run every case *repeats* times in turn, after *warm* runs that do not count.

    A case that returns a `Child` has that one's time and memory.
    """
    records = {name: Record(benchmark, name, side) for name in cases}
    for _ in range(warm):
        for case in cases.values():
            case()
    for number in range(repeats):
        order = list(cases) if number % 2 == 0 else list(reversed(cases))
        for name in order:
            once(records[name], cases[name])
    return records


def once(record: Record, case: Callable[[], Any]) -> Any:
    """Add one repetition to a record."""
    wait_quiet()
    busy, own, start = machine_busy(), own_cpu(), time.perf_counter()
    found = case()
    wall, used = time.perf_counter() - start, own_cpu() - own
    record.other.append(max(0.0, (machine_busy() - busy - used) / wall) if busy else 0.0)
    if isinstance(found, Child):
        record.megabytes.append(found.megabytes)
        wall, used = found.seconds or wall, found.cpu or used
    record.seconds.append(wall)
    record.cpu.append(used)
    return found


def own_cpu() -> float:
    """CPU time [s] of this process and of its children that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def machine_busy() -> float:
    """CPU time [s] of all processes since the machine began; 0 where the system does not say."""
    try:
        with open("/proc/stat", encoding="ascii") as file:  # noqa: PTH123
            ticks = [int(word) for word in file.readline().split()[1:9]]
    except OSError:
        return 0.0
    return float((sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK"))


def wait_quiet(longest: float | None = None) -> None:
    """Wait until others use little, or for *longest* seconds, default $GEP_BENCH_QUIET or QUIET."""
    said = float(os.environ.get("GEP_BENCH_QUIET", QUIET)) if longest is None else longest
    end = time.monotonic() + said
    while time.monotonic() < end:
        before = machine_busy()
        time.sleep(0.3)
        if machine_busy() - before < 0.3 * 2 * CLEAN:
            return


@dataclass(frozen=True)
class Child:
    """A process that has ended: time [s] it says it took, or 0; its memory [MB]; what it wrote."""

    seconds: float
    cpu: float
    megabytes: float
    output: str


def child(words: Iterable[str | Path], environment: dict[str, str] | None = None) -> Child:
    """Run a program; its memory is the largest sum over it and its children.

    Raises
    ------
    RuntimeError
        It ended with another code than 0.
    """
    full = dict(os.environ) | (environment or {})
    full.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode on the disk
    process = subprocess.Popen(
        [str(word) for word in words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=full,
    )
    peak, ended = [0.0], threading.Event()

    def watch() -> None:
        while not ended.wait(POLL):
            peak[0] = max(peak[0], tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    output, errors = process.communicate()
    ended.set()
    watcher.join()
    if process.returncode:
        raise RuntimeError(f"{list(words)}: {process.returncode}\n{errors[-2000:]}")
    return Child(0.0, 0.0, peak[0], output)


def memory(pid: int | str = "self") -> float:
    """Largest resident memory [MB] a process has had since it began; 0 where nobody knows."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return 0.0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def tree_memory(pid: int) -> float:
    """`memory` of a process and of all its children, as they are now.

    A child that still has its parent's words was forked a moment ago, to become another program:
    the pages it has are its parent's.
    """
    total, todo = 0.0, [(pid, b"")]
    while todo:
        one, parent = todo.pop()
        try:
            words = Path(f"/proc/{one}/cmdline").read_bytes()
        except OSError:
            continue
        if words == parent:
            continue
        total += memory(one)
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [(int(word), words) for word in task.read_text("ascii").split()]
            except OSError:
                continue
    return total


def machine() -> dict[str, Any]:
    """What the numbers were measured on, and how busy it has been."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    rasterio = sys.modules.get("rasterio")
    if rasterio is not None:
        versions["GDAL"] = rasterio.__gdal_version__
    load = os.getloadavg() if hasattr(os, "getloadavg") else (0.0, 0.0, 0.0)
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "processors": os.cpu_count(),
        "gigabytes": round(int((_first("/proc/meminfo", "MemTotal") or "0").split()[0]) / 2**20, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "versions": versions,
        "code": code(),
        "load": [round(number, 2) for number in load],
        "date": time.strftime("%Y-%m-%d"),
    }


def code() -> str:
    """Twelve digits that stand for every line of the package as it was measured."""
    found = importlib.util.find_spec("gep")
    digest = hashlib.sha256()
    if found and found.origin:
        for path in sorted(Path(found.origin).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text("utf8").splitlines()
    except OSError:
        return ""
    found = [line.split(":", 1)[1].strip() for line in lines if line.startswith(key)]
    return found[0] if found else ""
