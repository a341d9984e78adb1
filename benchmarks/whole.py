"""The whole account against the floor: P1, P2, P12; and how its memory grows: P3.

Through the Python interface in one warm process, in turn with the floor; and as `gep run` in
processes of their own, for memory and for what a user waits.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from decode import floor, layers
from landscape import LAYERS
from province import TWELVE, Recipe, province
from timing import THREADS, Child, Record, child, once, paired, ratio

import gep

COMMAND = (sys.executable, "-m", "gep.cli", "run")
JIANGXI = 340e6
"""Pixels of Jiangxi at 30 m within its bounds."""


def account(path: Path, threads: int = THREADS) -> Any:
    """The account of a gep.toml, opened, checked and run."""
    return gep.open(path).run(threads=threads)


def as_command(path: Path, threads: int = THREADS) -> Child:
    """The same, as a user runs it."""
    with tempfile.TemporaryDirectory() as output:
        words = (*COMMAND, path, "--threads", str(threads), "--progress", "none", "--json")
        return child([*words, "--output", output])


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Whole account ÷ floor, on one grid and at native resolution."""
    folder = province(Recipe(size))
    twelve = [name for name in LAYERS if name in TWELVE or name == "ecosystem"]
    cases = {
        "floor": lambda: floor(layers(folder)),
        "floor of twelve": lambda: floor(layers(folder, twelve)),
        "all": lambda: account(folder / "all.toml"),
        "twelve": lambda: account(folder / "twelve.toml"),
        "native": lambda: account(folder / "native.toml"),
    }
    found = paired("whole", size, cases, repeats)
    over = {"all": "floor", "twelve": "floor of twelve", "native": "floor"}
    target = {"all": "P1", "twelve": "P1 twelve", "native": "P2"}
    ratios = [
        {"benchmark": "whole", "side": size, "target": target[name], "case": name, "over": base}
        | ratio(found[name], found[base])
        for name, base in over.items()
    ]
    commands = [command(folder, name, size, repeats) for name in ("all", "native")]
    commands.append(command(folder, "all", size, 1, threads=1))
    records = [*found.values(), *commands]
    return [*(record.summary() for record in records), *ratios]


def command(folder: Path, name: str, size: int, repeats: int, threads: int = THREADS) -> Record:
    """`gep run` of one gep.toml, once before it counts: the code is compiled then."""
    record = Record("command", f"{name}, {threads} thread{'s' * (threads > 1)}", size)
    as_command(folder / f"{name}.toml", threads)
    for _ in range(repeats):
        once(record, lambda: as_command(folder / f"{name}.toml", threads))
    record.more["seconds_of_jiangxi"] = min(record.seconds) / size**2 * JIANGXI
    return record
