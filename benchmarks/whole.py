"""The account against the floor: P1, P2, P12.

Through the Python interface in one warm process, in turn with the floor: the tiles alone, which is
decoding, staging and summing, and the whole account with checks, digests, prices and identities.
Each as it is, with tiles decoded directly, and with every tile left to GDAL as where imagecodecs is
not there. And as `gep run` in processes of their own, for what a user waits.
"""

import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from decode import floor, layers
from landscape import LAYERS
from province import TWELVE, Recipe, province
from timing import THREADS, Child, Record, child, once, paired, ratio

import gep
from gep.run import accumulate

COMMAND = (sys.executable, "-m", "gep.cli", "run")
JIANGXI = 340e6
"""Pixels of Jiangxi at 30 m within its bounds."""
LONG = 8192
"""From this side on only what the targets of size ask for is measured, and warmed up on a small
province: every file has been read by then, since its digest was held against the recipe."""
SMALL = 512
TARGETS = {
    "tiles, by GDAL": ("P1a tiles", "floor"),
    "all, by GDAL": ("P1a whole", "floor"),
    "tiles": ("P1b tiles", "floor"),
    "all": ("P1b whole", "floor"),
    "twelve": ("P1 twelve", "floor of twelve"),
    "native tiles": ("P2 tiles", "floor"),
    "native": ("P2 whole", "floor"),
}
BRIEF = ("floor", "tiles, by GDAL", "all, by GDAL", "tiles", "all", "native")


def account(path: Path, threads: int = THREADS) -> Any:
    """The account of a gep.toml, opened, checked and run."""
    return gep.open(path).run(threads=threads)


def tiles_alone(path: Path) -> Callable[[], Any]:
    """Its tiles alone: planned once, before it counts."""
    report = gep.open(path).check()
    if report.plan is None:
        raise ValueError(str(report))
    made = report.plan
    return lambda: accumulate(made, THREADS)


@contextmanager
def by_gdal() -> Generator[None, None, None]:
    """Every tile left to GDAL, as where imagecodecs is not there."""
    named = [m for name, m in sys.modules.items() if name.startswith("gep.")]
    rooms = [m for m in named if "tiles_of" in vars(m) and m.__name__ != "gep.decoding"]
    if not rooms:
        raise ValueError("no room asks gep.decoding for tiles")
    kept = [vars(room)["tiles_of"] for room in rooms]
    try:
        for room in rooms:
            vars(room)["tiles_of"] = lambda file, band: None
        yield
    finally:
        for room, own in zip(rooms, kept, strict=True):
            vars(room)["tiles_of"] = own


def left(case: Callable[[], Any]) -> Callable[[], Any]:
    """The case with every tile left to GDAL."""

    def run() -> Any:
        with by_gdal():
            return case()

    return run


def cases(folder: Path) -> dict[str, Callable[[], Any]]:
    """What is measured of one province."""
    twelve = [name for name in LAYERS if name in TWELVE or name == "ecosystem"]
    tiles = tiles_alone(folder / "all.toml")

    def whole(name: str) -> Callable[[], Any]:
        return lambda: account(folder / f"{name}.toml")

    return {
        "floor": lambda: floor(layers(folder)),
        "tiles, by GDAL": left(tiles),
        "all, by GDAL": left(whole("all")),
        "tiles": tiles,
        "all": whole("all"),
        "floor of twelve": lambda: floor(layers(folder, twelve)),
        "twelve": whole("twelve"),
        "native tiles": tiles_alone(folder / "native.toml"),
        "native": whole("native"),
    }


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Tiles and whole account ÷ floor, on one grid and at native resolution."""
    folder, long = province(Recipe(size)), size >= LONG
    chosen = cases(folder)
    if long:
        chosen = {name: chosen[name] for name in BRIEF}
        small = cases(province(Recipe(SMALL)))
        for name in BRIEF:
            small[name]()
    found = paired("whole", size, chosen, repeats, warm=0 if long else 1)
    ratios = [
        {"benchmark": "whole", "side": size, "target": target, "case": name, "over": base}
        | ratio(found[name], found[base])
        for name, (target, base) in TARGETS.items()
        if name in found
    ]
    records = list(found.values())
    if not long:
        records += [command(folder, name, size, repeats) for name in ("all", "native")]
        records.append(command(folder, "all", size, 1, threads=1))
    return [*(record.summary() for record in records), *ratios]


def as_command(path: Path, threads: int = THREADS) -> Child:
    """The account of a gep.toml, as a user runs it."""
    with tempfile.TemporaryDirectory() as output:
        words = (*COMMAND, path, "--threads", str(threads), "--progress", "none", "--json")
        return child([*words, "--output", output])


def command(folder: Path, name: str, size: int, repeats: int, threads: int = THREADS) -> Record:
    """`gep run` of one gep.toml, after a small one that does not count: code is compiled."""
    record = Record("command", f"{name}, {threads} thread{'s' * (threads > 1)}", size)
    as_command(province(Recipe(min(size, SMALL))) / f"{name}.toml", threads)
    for _ in range(repeats):
        once(record, lambda: as_command(folder / f"{name}.toml", threads))
    record.more["seconds_of_jiangxi"] = min(record.seconds) / size**2 * JIANGXI
    return record
