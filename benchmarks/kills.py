"""Kill -9 at random moments: a run of the standard province that goes on gives the same digest.

    python benchmarks/kills.py [4k | 8k | 16k | PIXELS TO A SIDE] [--kills 20] [--threads 2]

Accounts the province once without interruption, then again and again into one folder, killing each
run at a random moment, and lets the last one end. Every tile that is computed is counted, so that
it is known how many were lost. The result goes to benchmarks/results/kills.json.
"""

import argparse
import json
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gep import ledger, run, scenario
from gep.engine import Account

HERE = Path(__file__).parent
RESULT = HERE / "results" / "kills.json"
SEED = 9


def count_tiles(log: Path) -> None:
    """Write a byte for every tile of an account that is computed, but not for those of a check."""
    tile, accumulate = run.Loop.tile, run.accumulate
    counted: set[int] = set()

    def logged(self: run.Loop, *given: Any) -> Any:
        found = tile(self, *given)
        if id(self) in counted:
            with log.open("ab") as file:
                file.write(b".")
        return found

    def accumulated(*given: Any, loop: run.Loop, **named: Any) -> Any:
        counted.add(id(loop))
        try:
            return accumulate(*given, loop=loop, **named)
        finally:
            counted.discard(id(loop))

    run.Loop.tile = logged  # type: ignore[method-assign]
    scenario.accumulate = accumulated  # type: ignore[assignment]


def there(output: Path) -> int:
    """Tiles in the ledger."""
    with ledger.looked_at(output) as book:
        past = book.past() if book else []
        return max((len(book.places(book.identity(p.parts, ""))) for p in past), default=0)


def killed(work: Callable[[int], None], seconds: float, chance: random.Random, wait: bool) -> bool:
    """Whether a child that does *work* was killed before it had ended."""
    heard, started = os.pipe()
    child = os.fork()
    if not child:
        os.close(heard)
        work(started)
        os._exit(0)
    os.close(started)
    if wait:  # until the first tile is done
        os.read(heard, 1)
    time.sleep(chance.uniform(0, seconds))
    os.close(heard)
    os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def measure(toml: Path, kills: int, threads: int, folder: Path) -> dict[str, Any]:
    """Roots, tiles lost and repeated, of so many kills."""
    output, log = folder / "output", folder / "computed"

    def account(started: int | None = None, into: Path | None = output) -> Any:
        def progress(done: int, total: int) -> None:
            if started is not None:
                os.write(started, b"x")

        result = Account(toml).run(output=into, threads=threads, progress=progress)
        if into:
            result.write(into)
        return result

    account(into=None)  # compiled
    count_tiles(log)
    began = time.monotonic()
    whole = account(into=None)
    seconds = time.monotonic() - began
    every, chance, rows = whole.envelope["tiles"]["all"], random.Random(SEED), []
    while len(rows) < kills:
        if (before := there(output)) == every:  # nothing is left to interrupt: begin again
            for file in [f for f in output.iterdir() if f.name.startswith(ledger.NAME)]:
                file.unlink()
            before = 0
        log.write_bytes(b"")
        in_loop = len(rows) % 4 > 0
        dead = killed(account, seconds * (0.3 if in_loop else 1), chance, in_loop)
        row = {"killed": dead, "before": before, "after": there(output)}
        rows.append(row | {"computed": log.stat().st_size})
        rows[-1]["lost"] = rows[-1]["computed"] - (rows[-1]["after"] - before)
        sys.stderr.write(f"{rows[-1]}\n")
    after = account()
    return {
        "province": toml.parent.name,
        "tiles": every,
        "threads": threads,
        "seconds_uninterrupted": round(seconds, 2),
        "kills": sum(row["killed"] for row in rows),
        "same_root": after.manifest["root"] == whole.manifest["root"],
        "root": whole.manifest["root"],
        "lost_at_most": max(row["lost"] for row in rows),
        "lost_on_average": round(statistics.mean(row["lost"] for row in rows), 2),
        "rows": rows,
        "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
    }


def main() -> None:
    """Measure and write the result."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("size", nargs="?", default="4k")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--result", type=Path, default=RESULT)
    asked = parser.parse_args()
    command = [sys.executable, str(HERE / "province.py"), asked.size]
    made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    with tempfile.TemporaryDirectory(prefix="gep-kills-") as folder:
        toml = Path(made.split()[-1]) / "all.toml"
        found = measure(toml, asked.kills, asked.threads, Path(folder))
    asked.result.write_text(json.dumps(found, indent=1) + "\n", "utf8")
    told = {name: found[name] for name in ("kills", "same_root", "lost_at_most")}
    sys.stdout.write(f"{told}\n")
    sys.exit(not found["same_root"] or found["lost_at_most"] > asked.threads)


if __name__ == "__main__":
    main()
