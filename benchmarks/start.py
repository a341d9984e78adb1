"""Start-up: help, import, the first compilation, and the next start to the first pixel. P10."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from province import Recipe, province
from timing import Child, Record, child, once

SMALL = 512
"""Side of the province whose first tile is waited for: the rest of it is not."""
COMPILED = 2
"""First starts, at most: each compiles everything."""
GEP = ("-m", "gep.cli")
PROBE = """
import sys, time
class Seen(BaseException): pass
def progress(done, tiles):
    sys.stdout.write(repr(time.time())); sys.stdout.flush()
    raise Seen
import gep
try:
    gep.open(sys.argv[1]).run(threads=1, progress=progress)
except Seen:
    pass
"""
"""Says when the first tile was done, and ends."""


def first_pixel(path: Path, cache: Path) -> Child:
    """From the start of Python to the first tile, compiled code in *cache*."""
    start = time.time()
    found = child((sys.executable, "-c", PROBE, path), {"GEP_CACHE": str(cache)})
    return Child(float(found.output) - start, 0.0, found.megabytes, "")


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Seconds of every kind of start."""
    del size
    folder = province(Recipe(SMALL))
    plain = {
        "python": ("-c", "pass"),
        "gep --help": (*GEP, "--help"),
        "import gep": ("-c", "import gep"),
        "import gep, numba, rasterio": ("-c", "import gep, numba, rasterio"),
    }
    records = []
    for name, words in plain.items():
        record = Record("start", name, SMALL)
        child((sys.executable, *words))
        for _ in range(max(repeats, 5)):
            once(record, lambda words=words: child((sys.executable, *words)))
        records.append(record)
    for name in ("twelve", "all"):
        records += _compiled(folder / f"{name}.toml", name, repeats)
    return [record.summary() for record in records]


def _compiled(path: Path, name: str, repeats: int) -> list[Record]:
    """First start, with nothing compiled, and the next ones."""
    first, following = (
        Record("start", f"first, {name}", SMALL),
        Record("start", f"next, {name}", SMALL),
    )
    for _ in range(min(repeats, COMPILED)):
        with tempfile.TemporaryDirectory() as cache:
            once(first, lambda: first_pixel(path, Path(cache)))
            once(following, lambda: first_pixel(path, Path(cache)))
    return [first, following]
