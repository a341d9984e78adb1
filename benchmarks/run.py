"""Run benchmarks and keep what came out: make bench, or

    python benchmarks/run.py [NAME...] [--size 4k] [--repeats 5] [--results FOLDER]

Names: see BENCHMARKS, and `kernels`. Each writes results/NAME.json: the machine, its versions and
load, the records of every case with every repetition, and ratios of neighbours. docs/performance.py
makes the page of them. `python benchmarks/side_by_side.py` runs other programs.
"""

import argparse
import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from province import SIZES, side
from timing import machine

RESULTS = Path(__file__).parent / "results"
BENCHMARKS = {
    "decode": "the floor: rasterio decoding the inputs",
    "decoding": "direct decoding against rasterio, by encoding",
    "whole": "tiles alone and the whole account against the floor; P1, P2",
    "memory": "memory by size, and what a user waits; P3, P12",
    "exactness": "exact sums against plain ones; P5",
    "maps": "maps against rasterio writing them; P6",
    "zones": "counties and services; P7",
    "start": "start-up and compilation; P10",
    "reprice": "a thousand prices; P11",
    "kernels.kernels": "every kernel, and all of them fused",
    "clusters.distributed": "dask.distributed against threads; P8",
    # what kill -9 costs, P9: kills.py, by itself
}
"""Modules with `measure(size, repeats)`, in the order they are run. Add one, and it is run, tested
and shown."""


def bench(name: str, size: int, repeats: int) -> dict[str, Any]:
    """What one benchmark found, with the machine before and after."""
    module = importlib.import_module(name)
    start, before = time.monotonic(), machine()
    records = module.measure(size, repeats)
    after = machine()
    return {
        "benchmark": name,
        "what": BENCHMARKS[name],
        "size": size,
        "repeats": repeats,
        "machine": after | {"load_before": before["load"]},
        "took": round(time.monotonic() - start, 1),
        "records": records,
    }


def keep(folder: Path, name: str, found: dict[str, Any]) -> None:
    """Write one result; those of another size stay beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.split('.')[-1]}.json"
    kept = json.loads(path.read_text("utf8")) if path.is_file() else []
    kept = [one for one in kept if one["size"] != found["size"]]
    kept = sorted([*kept, found], key=lambda one: one["size"])
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf8")


def main(words: list[str]) -> None:
    """Run what is asked for, all if nothing is."""
    parser = argparse.ArgumentParser(prog="run.py")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--size", type=side, default=SIZES["4k"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--results", type=Path, default=RESULTS)
    said = parser.parse_args(words)
    short = {name.split(".")[-1]: name for name in BENCHMARKS}
    if strange := [name for name in said.names if name not in short]:
        parser.error(f"{strange[0]}: one of {', '.join(short)}")
    for name in said.names or short:
        sys.stdout.write(f"{name}: {BENCHMARKS[short[name]]}\n")
        sys.stdout.flush()
        found = bench(short[name], said.size, said.repeats)
        keep(said.results, name, found)
        for record in found["records"]:
            sys.stdout.write(f"  {line(record)}\n")


def line(record: dict[str, Any]) -> str:
    """One record, for the terminal."""
    if "ratio" in record:
        text = f"{record['target']}: {record['case']} ÷ {record['over']} = {record['ratio']:.3f}"
        by_cpu = "" if record["by_cpu"] is None else f", by CPU time {record['by_cpu']:.3f}"
        return f"{text} ({record['low']:.3f} to {record['high']:.3f}{by_cpu})"
    text = (
        f"{record['case']}: {record['median']:.3f} s, {record['nanoseconds_per_pixel']:.1f} ns/px"
    )
    memory = f", {max(record['megabytes']):.0f} MB" if record["megabytes"] else ""
    return f"{text}, clean {record['clean']}/{len(record['seconds'])}{memory}"


if __name__ == "__main__":
    main(sys.argv[1:])
