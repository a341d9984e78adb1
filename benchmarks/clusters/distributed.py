"""dask.distributed against threads: P8; what travels, what is kept, and a worker that is killed.

Two workers of one thread each on this machine against two threads, the account as it is without
maps. Code is compiled and the account planned once before it counts, here and there; what planning
takes is measured by itself. docs/cluster.py reckons from it what a national account would take.
"""

import os
import resource
import signal
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import timing
from distributed import Client, LocalCluster, WorkerPlugin
from province import Recipe, province
from timing import THREADS, Record, once, paired, ratio

import gep
from gep import cluster, ledger, manifest, run, worker
from gep.plan import Plan
from gep.rasters import Window, tiles
from gep.resume import encode, place_of

LOCAL: dict[str, Any] = {
    "n_workers": THREADS,
    "threads_per_worker": 1,
    "host": "127.0.0.1",
    "dashboard_address": "127.0.0.1:0",
}
WORKERS = "2 workers"


class Counted(WorkerPlugin):
    """Has workers note every tile they compute, with their process."""

    name = "counted"

    def __init__(self, log: Path) -> None:
        self.log = log

    def setup(self, worker: Any) -> None:
        self.inner = inner = run.Loop.tile

        def tile(loop: Any, reader: Any, window: Any) -> Any:
            found = inner(loop, reader, window)
            with self.log.open("a") as file:
                file.write(f"{os.getpid()} {window.row_off} {window.col_off}\n")
            return found

        run.Loop.tile = tile  # type: ignore[method-assign]

    def teardown(self, worker: Any) -> None:
        run.Loop.tile = self.inner  # type: ignore[method-assign]


def measure(size: int, repeats: int) -> list[dict[str, Any]]:
    """Workers ÷ threads; what of it is tiles; what travels and is kept; a worker killed."""
    path = province(Recipe(size)) / "all.toml"
    roots: set[str] = set()

    def account(client: Client | None) -> None:
        roots.add(gep.open(path).run(threads=THREADS, client=client).manifest["root"])

    with LocalCluster(**LOCAL) as local, Client(local) as client, counting(client):
        cases = {"2 threads": lambda: account(None), WORKERS: lambda: account(client)}
        found = paired("distributed", size, cases, repeats)
        facts = {"megabytes_per_worker": max(client.run(peak).values())}
        tiled = _tiles(path, client, size, repeats)
        records = [*found.values(), tiled, *killed(path, client, size, roots)]
    if len(roots) != 1:
        raise ValueError(f"{path}: not the same integers")
    tiled.more |= facts | _kept(path) | _alone(path)
    place = {"benchmark": "distributed", "side": size}
    over = {"target": "P8", "case": WORKERS, "over": "2 threads"}
    ratios = [place | over | ratio(found[WORKERS], found["2 threads"])]
    return [*(record.summary() for record in records), *ratios]


@contextmanager
def counting(client: Client) -> Generator[None, None, None]:
    """Count what the workers compute as our own, not as that of others."""
    workers = [psutil.Process(pid) for pid in client.run(os.getpid).values()]
    inner, last = timing.own_cpu, [0.0] * len(workers)

    def own_cpu() -> float:
        for number, process in enumerate(workers):
            with suppress(psutil.Error):
                times = process.cpu_times()
                last[number] = times.user + times.system
            if not process.is_running():
                last[number] = 0.0  # it has ended, and is counted among our children
        return inner() + sum(last)

    timing.own_cpu = own_cpu
    try:
        yield
    finally:
        timing.own_cpu = inner


def peak() -> float:
    """Largest memory of this process so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def planned(path: Path) -> tuple[Plan, dict[str, str]]:
    """Plan of an account and the digests of its inputs."""
    made = gep.open(path).check().plan
    assert made
    return made, manifest.digests(made, THREADS)


def _tiles(path: Path, client: Client, size: int, repeats: int) -> Record:
    """The tiles alone, without checks and digests; what of them travels."""
    made, hashes = planned(path)
    by, sizes = cluster.workers(client, made, hashes, {}), list[int]()
    loop, inner = run.Loop(made), cluster.decode

    def decode(content: bytes) -> Any:
        sizes.append(len(content))
        return inner(content)

    record = Record("distributed", "2 workers, tiles alone", size)
    cluster.decode = decode
    try:
        for _ in range(repeats):
            sizes.clear()
            once(record, lambda: run.accumulate(made, 1, loop=loop, by=by))
    finally:
        cluster.decode = inner
    record.more = {
        "tiles": len(sizes),
        "bytes_per_tile": sum(sizes) / len(sizes),
        "bytes_per_task": len(worker.task(made, hashes, {}).packed()),
        "tiles_per_task": cluster.BATCH,  # at most, and as a large account has it
        "threads": THREADS,
    }
    return record


def _kept(path: Path) -> dict[str, float]:
    """Size of the ledger by tile."""
    with tempfile.TemporaryDirectory() as output:
        count = gep.open(path).run(threads=THREADS, output=output).envelope["tiles"]["all"]
        return {"ledger_bytes_per_tile": (Path(output) / ledger.NAME).stat().st_size / count}


def _alone(path: Path) -> dict[str, float]:
    """What one thread of the one who asks does with a tile, what hashing and planning take [s]."""
    start = time.perf_counter()
    made, hashes = planned(path)
    checked = time.perf_counter()
    manifest.digests(made, 1)
    hashed = time.perf_counter()
    of = worker.task(made, hashes, {}).packed()
    work = worker.Work(worker.Task.unpacked(of))
    ready = time.perf_counter()
    work.close()
    return {
        "seconds_of_check": checked - start,
        "seconds_of_digests": hashed - checked,
        "seconds_of_planning": ready - hashed,
        "seconds_of_taking_a_tile": _taking(made, hashes),
        "bytes_of_rasters": sum(layer.path.stat().st_size for layer in made.layers),
        "layers": len(made.layers),
        "columns": len(made.accumulators),
        "counties": len(made.counties.codes),
    }


def _taking(made: Plan, hashes: dict[str, str]) -> float:
    """Decode a tile, add it, keep it: seconds of each."""
    of, taken = worker.task(made, hashes, {}).packed(), 0.0
    windows = tiles(made.grid, run.TILE)
    batches = [*cluster._batches(windows, cluster.BATCH)]
    answers = [worker.compute(of, batch) for batch in batches]
    worker.rest(of)
    with tempfile.TemporaryDirectory() as folder:
        book = ledger.Ledger(Path(folder) / ledger.NAME)
        kept = _Book(book)

        def by(todo: Any, take: Any) -> None:
            nonlocal taken
            start = time.perf_counter()
            for answer in answers:
                for place, content in answer:
                    take(Window(*place), *cluster.decode(content))
            taken = time.perf_counter() - start

        run.accumulate(made, 1, kept=kept, by=by)
        book.close()
    return taken / len(windows)


class _Book:
    """A ledger that has nothing yet, and is given tiles."""

    def __init__(self, book: ledger.Ledger) -> None:
        self._book, self._number = book, book.identity({}, "")

    def found(self, windows: Any) -> Any:
        return iter(())

    def keep(self, window: Any, part: Any, places: Any) -> None:
        content = encode(part, places)
        self._book.insert(self._number, place_of(window), content)


def killed(path: Path, client: Client, size: int, roots: set[str]) -> list[Record]:
    """One run in which a worker is killed with a third of the tiles done: what was repeated."""
    record = Record("distributed", "2 workers, one killed", size)
    victim = next(iter(client.run(os.getpid).values()))
    if victim == os.getpid():  # workers of this very process, as in the tests
        return []
    alive = [victim]

    def kill(done: int, count: int) -> None:
        if alive and 3 * done >= count:
            os.kill(alive.pop(), signal.SIGKILL)

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        client.register_plugin(Counted(log))
        try:
            done = once(record, lambda: gep.open(path).run(client=client, progress=kill))
        finally:
            client.unregister_worker_plugin("counted")
        lines = [tuple(map(int, line.split())) for line in log.read_text().splitlines()]
    roots.add(done.manifest["root"])
    count = done.envelope["tiles"]["all"]
    mine = [line for line in lines if line[0] == victim]
    record.more = {"tiles": count, "repeated": len(lines) - count, "of_the_killed": len(mine)}
    return [record]
