"""Other programs and this one on the same twelve indicators of the same files, in turn.

    python benchmarks/side_by_side.py [--size 4k] [--repeats 3] [--peers ENV] [--invest ENV]

ENV are the folders that make_peers.sh and make_invest.sh made; without one its programs are left
out and said. Every program runs in a process of its own; its time is from the first file to the
sums, imports and compilation aside; its memory is the process's. No time counts of a program whose
sums are not ours, within the tolerance stated for it.
"""

import argparse
import csv
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from peers.formulas import INDICATORS
from peers.prepare import prepared
from province import SIZES, side
from run import RESULTS, keep
from timing import THREADS, Child, Record, child, machine, once, ratio

PLACE = Path(__file__).parent / "peers"
OURS = "gep"
ZONAL = ("exactextract", "rasterstats")
CENTRES, COVERED, PLAIN_AREA = 1e-5, 1e-3, 5e-4
"""Tolerances of the total: the same pixels, in float32; shares of pixels; areas undistorted."""
PEERS = {
    "numpy": ("peer.py", CENTRES),
    "blocks": ("peer.py", CENTRES),
    "dask": ("peer.py", CENTRES),
    "exactextract": ("peer.py", COVERED),
    "rasterstats": ("peer.py", COVERED),
    "pygeoprocessing": ("geoprocessing.py", PLAIN_AREA),
    "water_yield": ("geoprocessing.py", None),
}
"""Script, and by how much its totals may differ from ours, relative; one has nothing to compare."""
PROBE = """
import json, resource, sys, time
import gep
path, output, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
gep.open(path).run(threads=threads)
own = resource.getrusage(resource.RUSAGE_SELF)
start, before = time.perf_counter(), own.ru_utime + own.ru_stime
result = gep.open(path).run(threads=threads)
own = resource.getrusage(resource.RUSAGE_SELF)
took = time.perf_counter() - start, own.ru_utime + own.ru_stime - before
folder = result.write(output)
print(json.dumps({"seconds": took[0], "cpu": took[1], "folder": str(folder), "versions": {}}))
"""
"""Ours, with everything: check, digests, sums, prices, identities. Once before it counts."""


def said_of(found: Child) -> dict[str, Any]:
    """What a program says in its last line."""
    said: dict[str, Any] = json.loads(found.output.strip().splitlines()[-1])
    return said


def ours(folder: Path, output: Path) -> tuple[Child, dict[str, Any]]:
    """One run of the account of twelve indicators; its sums by county."""
    words = (sys.executable, "-c", PROBE, folder / "twelve.toml", output, str(THREADS))
    found = child(words)
    said = said_of(found)
    said["sums"] = table(Path(said["folder"]) / "accounts.csv")
    return replace(found, seconds=said["seconds"], cpu=said["cpu"]), said


def table(path: Path) -> dict[str, list[float]]:
    """Quantity by indicator and county, in the order of codes."""
    found: dict[str, dict[str, float]] = {name: {} for name in INDICATORS}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            name, code = f"{row['service']}.{row['indicator']}", row["county_code"]
            if name in found and code and row["quantity"]:
                found[name][code] = found[name].get(code, 0.0) + float(row["quantity"])
    codes = sorted({code for rows in found.values() for code in rows})
    return {name: [rows.get(code, 0.0) for code in codes] for name, rows in found.items()}


def peer(name: str, environment: Path, folder: Path) -> tuple[Child, dict[str, Any]]:
    """One run of another program."""
    python, (script, _) = environment / "bin" / "python", PEERS[name]
    found = child((python, PLACE / script, name, folder), {"PYTHONPATH": ""})
    said = said_of(found)
    return replace(found, seconds=said["seconds"], cpu=said["cpu"]), said


def apart(name: str, sums: dict[str, list[float]], own: dict[str, list[float]]) -> float:
    """Largest relative difference of a total."""
    pairs = [(sum(sums[key]), sum(own[key])) for key in sums if key in own]
    if not pairs:
        raise ValueError(f"{name} has nothing to compare")
    return max(abs(a / b - 1) for a, b in pairs)


def measure(
    size: int, repeats: int, environments: dict[str, Path], folder: Path | None = None
) -> list[dict[str, Any]]:
    """Every program that has an environment, in turn with ours."""
    folder = folder or prepared(size)
    names = [name for name in PEERS if PEERS[name][0] in environments]
    records = {name: Record("peers", name, size) for name in (OURS, *names)}
    said: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as output:

        def once_of(name: str) -> Callable[[], Child]:
            def case() -> Child:
                if name == OURS:
                    found, said[name] = ours(folder, Path(output))
                else:
                    found, said[name] = peer(name, environments[PEERS[name][0]], folder)
                return found

            return case

        for _ in range(repeats):
            for name in records:
                once(records[name], once_of(name))
    _compare(records, said, json.loads((folder / "peers" / "sums.json").read_text("utf8")))
    lines = [
        {"benchmark": "peers", "side": size, "target": "P4", "case": name, "over": OURS}
        | ratio(records[name], records[OURS])
        for name in names
        if name not in ZONAL
    ]
    return [*(record.summary() for record in records.values()), *lines]


def _compare(
    records: dict[str, Record], said: dict[str, Any], layer: dict[str, list[float]]
) -> None:
    """Note how far every program's sums are from ours, of one layer from those of numpy.

    Raises
    ------
    ValueError
        Further than its tolerance.
    """
    for name, record in records.items():
        record.more["versions"] = said[name]["versions"]
        tolerance = None if name == OURS else PEERS[name][1]
        if tolerance is None:
            continue
        against = layer if name in ZONAL else said[OURS]["sums"]
        difference = apart(name, said[name]["sums"], against)
        record.more |= {"differs_by": difference, "tolerance": tolerance}
        if not difference <= tolerance:
            raise ValueError(f"{name} gives other sums: {difference:.2e}, not {tolerance:g}")


def main(words: list[str]) -> None:
    """Run all and keep what came out."""
    parser = argparse.ArgumentParser(prog="side_by_side.py")
    parser.add_argument("--size", type=side, default=SIZES["4k"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", type=Path, help="environment that make_peers.sh made")
    parser.add_argument("--invest", type=Path, help="environment that make_invest.sh made")
    parser.add_argument("--results", type=Path, default=RESULTS)
    said = parser.parse_args(words)
    given = {"peer.py": said.peers, "geoprocessing.py": said.invest}
    environments = {script: path.absolute() for script, path in given.items() if path}
    start, before = time.monotonic(), machine()
    records = measure(said.size, said.repeats, environments)
    left = [name for name, (script, _) in PEERS.items() if script not in environments]
    found = {
        "benchmark": "peers",
        "what": "other programs on the same twelve indicators; P4",
        "size": said.size,
        "repeats": said.repeats,
        "machine": machine() | {"load_before": before["load"]},
        "took": round(time.monotonic() - start, 1),
        "left_out": left,
        "records": records,
    }
    keep(said.results, "peers", found)
    sys.stdout.write(json.dumps([r for r in records if "ratio" in r], indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
