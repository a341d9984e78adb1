"""InVEST beside this engine on the same inputs: benchmarks/results/invest*.

    python benchmarks/peers/invest.py FOLDER PYTHON

FOLDER, new or empty, takes inputs and InVEST's results (some 250 MB); PYTHON is that of the
environment make_invest.sh makes. The data lie in ../shared/data; docs/invest.py makes the page.
"""

import datetime
import json
import platform
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from ground import directions, terrain
from landscapes import (
    CONNECTED,
    DELIVERED,
    LANDSCAPES,
    LONGEST,
    MIDDLE,
    SEASONALITY,
    STREAMS,
    Landscape,
    prepare,
)
from ours import Row, Side, carbon, sediment, water

import gep

RESULTS = Path(__file__).parents[1] / "results" / "invest.json"
ROUTINGS = ("D8", "MFD")
SETTINGS = {
    "seasonality": SEASONALITY,
    "routings": ROUTINGS,
    "sediment": {
        "threshold_flow_accumulation": STREAMS,
        "k_param": CONNECTED,
        "sdr_max": DELIVERED,
        "ic_0_param": MIDDLE,
        "l_max": LONGEST,
    },
}


def run(landscape: Landscape, folder: Path, python: str) -> dict[str, str]:
    """Prepare the inputs, run InVEST on them, and give its versions."""
    prepare(landscape, folder)
    (folder / "settings.json").write_text(json.dumps(SETTINGS), "utf8")
    script = Path(__file__).with_name("run_invest.py")
    call = [python, script, folder, RESULTS.parent]
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    versions: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return versions


def rows(side: Side) -> Iterator[Row]:
    """Every comparison of one landscape."""
    yield from water(side)
    for routing in ROUTINGS:
        yield from sediment(side, routing)
    if side.landscape.pools:
        yield from carbon(side)
    yield from terrain(side)


def as_data(row: Row) -> dict[str, Any]:
    """One comparison as it is stored."""
    named = {n: v for n, v in vars(row).items() if n != "apart"}
    return named | row.apart.numbers()


def described(landscape: Landscape) -> dict[str, Any]:
    """What the page says of a landscape."""
    made = {name: asdict(plane) for name, plane in landscape.made.items()}
    return {"name": landscape.name, "place": landscape.place, "said": landscape.said, "made": made}


def main(folder: Path, python: str) -> None:
    """Both landscapes, one after the other."""
    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty")
    RESULTS.parent.mkdir(exist_ok=True)
    found: list[dict[str, Any]] = []
    routing: dict[str, dict[str, int]] = {}
    theirs: dict[str, str] = {}
    for landscape in LANDSCAPES:
        place = folder / landscape.name
        theirs = run(landscape, place, python)
        side = Side(landscape, place, landscape.table())
        found += [as_data(row) for row in rows(side)]
        routing[landscape.name] = directions(side)
    ours = {"gep": gep.__version__, "numpy": np.__version__, "Python": platform.python_version()}
    whole = {
        "date": datetime.date.today().isoformat(),
        "ours": ours,
        "theirs": theirs,
        "settings": SETTINGS,
        "landscapes": [described(landscape) for landscape in LANDSCAPES],
        "rows": found,
        "directions": routing,
    }
    RESULTS.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", "utf8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
