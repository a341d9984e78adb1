"""A dask cluster computes the same integers, whatever happens to it."""

import asyncio
import collections
import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import click.testing
import numpy as np
import pytest
import rasterio
import small
from distributed import Client, LocalCluster, WorkerPlugin

import gep
from gep import cluster, engine, ledger, manifest, plan, resume, run, sample, worker
from gep.cli import main
from gep.errors import GepError, IdentityError, InputError, Interrupted, ResourceError
from gep.plan import Plan
from gep.rasters import Reader, Window, tiles
from gep.run import Loop, Partials
from gep.worker import Place, Task, Work

TILE, TILES = 10, 20
"""The small grid of 40 x 50 pixels in tiles of 10 x 10."""
LOCAL: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    """Two workers, processes of their own, of one thread each."""
    with LocalCluster(n_workers=2, threads_per_worker=1, **LOCAL) as two, Client(two) as made:
        yield made


@pytest.fixture(autouse=True)
def _nothing_planned() -> Iterator[None]:
    """Nothing is left here of what this process does as a worker."""
    yield
    for of in [*worker._works]:
        worker._works.pop(of).close()


@pytest.fixture
def alone() -> Iterator[Client]:
    """A scheduler in this process, and no workers yet."""
    local = {**LOCAL, "protocol": "tcp", "processes": False, "threads_per_worker": 3}
    with LocalCluster(n_workers=0, **local) as none, Client(none) as made:
        yield made


class Watched(WorkerPlugin):
    """Makes workers slow, and has them note each tile they compute; new ones, too."""

    name = "watched"

    def __init__(self, log: Path, seconds: float) -> None:
        self.log, self.seconds = log, seconds

    def setup(self, worker: Any) -> None:
        self.inner = inner = run.Loop.tile

        def tile(loop: Loop, reader: Reader, window: Window) -> Any:
            found = inner(loop, reader, window)
            with self.log.open("a") as file:
                file.write(f"{os.getpid()} {window.row_off} {window.col_off}\n")
            time.sleep(self.seconds)
            return found

        run.Loop.tile = tile  # type: ignore[method-assign]

    def teardown(self, worker: Any) -> None:
        run.Loop.tile = self.inner  # type: ignore[method-assign]


@contextlib.contextmanager
def watched(client: Client, log: Path, seconds: float = 0.0) -> Generator[None, None, None]:
    client.register_plugin(Watched(log, seconds))
    try:
        yield
    finally:
        client.unregister_worker_plugin("watched")


def after(count: int, act: Callable[[], None]) -> Callable[[int, int], None]:
    """Progress that does something once, after so many tiles."""
    left = [act]

    def progress(done: int, total: int) -> None:
        if done >= count and left:
            left.pop()()

    return progress


def problem_of(error: pytest.ExceptionInfo[GepError]) -> tuple[str, str]:
    (problem,) = error.value.problems
    return problem.code, problem.text()


def left_open() -> int:
    """Number of readers this worker has not closed."""
    return sum(len(work._idle) for work in worker._works.values())


def planned(path: Path) -> tuple[Plan, dict[str, str]]:
    """Plan of an account nobody has checked, and the digests of its inputs."""
    made, _ = plan.make(gep.open(path).definition, path.parent)
    assert made
    return made, manifest.digests(made, 1)


def packed(path: Path, **other: Any) -> bytes:
    """Task of an account."""
    made, hashes = planned(path)
    of = worker.task(made, hashes, {})
    return Task(**{**vars(of), **other}).packed()


def places(path: Path, size: int = TILE) -> list[Place]:
    return next(cluster._batches(tiles(planned(path)[0].grid, size), cluster.BATCH))


# --- the same integers --------------------------------------------------------------------------


def test_a_cluster_gives_what_threads_give(client: Client) -> None:
    path = sample.definition()
    seen: list[tuple[int, int]] = []
    here = gep.open(path).run(threads=2, tile=60)
    there = gep.open(path).run(client=client, tile=60, progress=lambda *done: seen.append(done))
    assert there.manifest["core"] == here.manifest["core"]
    assert there.manifest["root"] == here.manifest["root"]
    count = here.envelope["tiles"]["all"]
    assert count > 2 * cluster.BATCH
    assert seen == [(done, count) for done in range(1, count + 1)]
    assert set(client.run(left_open).values()) == {0}


def test_workers_of_several_threads_that_join_late(
    alone: Client, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They share this process, so tiles are computed by threads that share one account."""
    monkeypatch.setattr(cluster, "BATCH", 2)
    monkeypatch.setattr(cluster, "GLANCE", 0.05)
    here = gep.open(small_account).run(tile=TILE)
    alone.loop.call_later(0.5, lambda: alone.cluster.scale(1))
    join = after(2, lambda: alone.cluster.scale(2))
    there = gep.open(small_account).run(client=alone, tile=TILE, progress=join)
    assert there.manifest["root"] == here.manifest["root"]
    assert left_open() == 0


def test_a_scenario_takes_its_numbers_along(client: Client, small_account: Path) -> None:
    numbers = {"runoff_coefficient": {"paddy": "0.3"}}
    one = gep.open(small_account).scenario("sealed", coefficients=numbers)
    there, here = one.run(client=client, tile=TILE), one.run(tile=TILE)
    base = gep.open(small_account).run(tile=TILE)
    assert there.manifest["root"] == here.manifest["root"] != base.manifest["root"]


# --- what dies ----------------------------------------------------------------------------------


def test_a_killed_worker_costs_at_most_its_tiles(
    client: Client, small_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "BATCH", 2)
    here = gep.open(small_account).run(tile=TILE)
    victim = next(iter(client.run(os.getpid).values()))
    log = tmp_path / "log"
    with watched(client, log, 0.1):
        there = gep.open(small_account).run(
            **{"client": client, "tile": TILE, "output": tmp_path / "output"},
            progress=after(4, lambda: os.kill(victim, signal.SIGKILL)),
        )
    assert there.manifest["root"] == here.manifest["root"]
    assert there.envelope["tiles"] == {"computed": TILES, "all": TILES, "resumed": 0}
    by = collections.defaultdict(list)
    for line in log.read_text().splitlines():
        process, row, column = map(int, line.split())
        by[row, column].append(process)
    assert len(by) == TILES
    twice = [processes for processes in by.values() if len(processes) > 1]
    assert all(processes[0] == victim for processes in twice), "only its own are repeated"
    assert all(len(processes) == 2 for processes in twice), "and once"
    assert victim not in client.run(os.getpid).values()


SCHEDULER = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    local = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0", "processes": False}
    with LocalCluster(n_workers=1, threads_per_worker=1, protocol="tcp", **local) as one:
        print(one.scheduler_address, flush=True)
        time.sleep(600)
"""


@pytest.fixture
def doomed() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A cluster in a process of its own, and its address."""
    words = (sys.executable, "-c", SCHEDULER)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_lost_scheduler_is_said_and_threads_go_on(
    doomed: tuple[subprocess.Popen[str], str],
    small_account: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    process, address = doomed
    assert address.startswith("tcp://")
    monkeypatch.setattr(cluster, "BATCH", 2)
    monkeypatch.setattr(cluster, "PATIENCE", 2)
    output = tmp_path / "output"
    with pytest.raises(ResourceError) as error:
        gep.open(small_account).run(
            client=address, tile=TILE, output=output, progress=after(4, process.kill)
        )
    code, text = problem_of(error)
    assert (code, error.value.exit_code) == ("E730", 6)
    assert text == f"the dask cluster at {address} does not answer: the connection is lost"
    resumed = gep.open(small_account).run(tile=TILE, output=output)
    assert "ERROR" not in {record.levelname for record in caplog.records}
    assert 4 <= resumed.envelope["tiles"]["resumed"] < TILES
    assert resumed.manifest["root"] == gep.open(small_account).run(tile=TILE).manifest["root"]


def test_workers_that_die_of_a_task_are_said(
    client: Client, small_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    pids = client.run(os.getpid)

    def die() -> None:
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)

    monkeypatch.setattr(cluster, "BATCH", 2)
    with pytest.raises(ResourceError) as error, watched(client, tmp_path / "log", 0.2):
        gep.open(small_account).run(client=client, tile=TILE, progress=after(1, die))
    address = client.scheduler.addr
    assert problem_of(error) == (
        "E731",
        f"workers of the dask cluster at {address} died again and again of the same tiles",
    )
    client.wait_for_workers(2, timeout=30)


def test_an_interrupted_run_takes_its_tasks_back(
    client: Client, small_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "BATCH", 1)

    def stop() -> None:
        raise KeyboardInterrupt

    output, log = tmp_path / "output", tmp_path / "log"
    with watched(client, log, 0.1):
        with pytest.raises(Interrupted):
            gep.open(small_account).run(
                client=client, tile=TILE, output=output, progress=after(3, stop)
            )
        end = time.monotonic() + 10
        while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)):
            assert time.monotonic() < end
            time.sleep(0.05)
        assert len(log.read_text().splitlines()) < TILES
    again = gep.open(small_account).run(tile=TILE, output=output)
    assert again.envelope["tiles"]["resumed"] == 3


def test_a_cluster_without_workers_is_said(
    alone: Client, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "GLANCE", 0.05)
    monkeypatch.setattr(cluster, "ALONE", 0.2)
    with pytest.raises(ResourceError) as error:
        gep.open(small_account).run(client=alone, tile=TILE)
    address = alone.scheduler.addr
    assert problem_of(error) == (
        "E730",
        f"the dask cluster at {address} does not answer: it has no workers",
    )
    assert error.value.problems[0].text("zh") == f"dask 集群 {address} 没有应答：没有工作进程"


# --- who is asked -------------------------------------------------------------------------------


def nobody() -> str:
    """Address at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"tcp://127.0.0.1:{found.getsockname()[1]}"


@pytest.mark.parametrize("address", ["nobody", "nonsense://here", "", "tcp://127.0.0.1:notaport"])
def test_a_wrong_address_is_said_before_anything_is_read(
    address: str, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = nobody() if address == "nobody" else address
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    monkeypatch.setattr(engine.Account, "check", None)
    with pytest.raises(ResourceError) as error:
        gep.open(small_account).run(client=address)
    code, text = problem_of(error)
    assert code == "E730"
    assert text.startswith(f"the dask cluster at {address} does not answer: ")


@pytest.mark.parametrize("said", ["tcp://127.0.0.1:8786", object()])
def test_without_distributed_a_user_hears_how_to_get_it(
    said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError) as error, cluster.opened(said):
        pass
    assert problem_of(error) == ("E733", "dask.distributed is not installed")


def test_what_is_no_client_is_refused(client: Client) -> None:
    with pytest.raises(InputError) as error, cluster.opened(client.cluster):
        pass
    assert problem_of(error) == (
        "E019",
        "Account.run: client is LocalCluster; give a distributed.Client, or an address",
    )


def test_an_asynchronous_client_is_refused(client: Client) -> None:
    async def ask() -> None:
        async with Client(client.scheduler.addr, asynchronous=True, set_as_default=False) as other:
            with cluster.opened(other):
                pass

    with pytest.raises(InputError) as error:
        asyncio.run(ask())
    assert problem_of(error) == (
        "E019",
        "Account.run: client is asynchronous; use Client(address)",
    )


# --- on a worker --------------------------------------------------------------------------------


def test_a_worker_computes_what_the_loop_does(small_account: Path) -> None:
    made, _ = planned(small_account)
    loop, of = Loop(made), packed(small_account)
    once = worker.compute(of, places(small_account))
    assert worker.compute(of, places(small_account)) == once, "and again the same bytes"
    with Reader(made.layers, made.grid) as reader:
        for place, content in once:
            assert content == resume.encode(*loop.tile(reader, Window(*place)))
    worker.rest(of)
    assert left_open() == 0
    assert worker.compute(of, places(small_account)) == once


def test_a_tile_that_comes_twice_is_kept_once(small_account: Path, tmp_path: Path) -> None:
    of = packed(small_account)
    (place, content), *_ = worker.compute(of, places(small_account))
    left, top, width, height = place
    with contextlib.closing(ledger.Ledger(tmp_path / "book")) as book:
        number = book.identity({}, "")
        for _ in range(2):
            book.insert(number, (top, left, height, width), content)
        assert len(book.places(number)) == 1


def refused(of: bytes, asked: list[Place]) -> str:
    """What a worker says that will not compute."""
    with pytest.raises(IdentityError) as error:
        worker.compute(of, asked)
    code, text = problem_of(error)
    head = f"a worker of the dask cluster would compute something else: {socket.gethostname()}: "
    assert code == "E732"
    assert text.startswith(head)
    return text.removeprefix(head)


def changed(path: Path) -> None:
    """Another file in its place: one byte differs, size and time of change do not."""
    content, stat = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    other = path.with_suffix(".other")
    other.write_bytes(content)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.rename(path)


def test_a_worker_with_other_files_refuses(small_account: Path) -> None:
    of, asked = packed(small_account), places(small_account)
    rain = small_account.parent / "precipitation.tif"
    worker.compute(of, asked)
    changed(rain)
    said = f"{rain}: other content"
    assert refused(of, asked) == said, "also if it changed after the account was planned"
    worker._works.clear()
    assert refused(of, asked) == said, "although size and time are the same"
    rain.write_bytes(rain.read_bytes() + b" ")
    assert refused(of, asked) == f"{rain}: other size"
    rain.unlink()
    assert refused(of, asked) == f"{rain}: not there"


def test_a_worker_with_a_copy_hashes_it_once(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of, asked = packed(small_account), places(small_account)
    wanted, hashed = worker.compute(of, asked), []
    inner = worker.store.digest_file
    monkeypatch.setattr(worker.store, "digest_file", lambda p: hashed.append(p) or inner(p))
    worker._works.clear()
    assert worker.compute(of, asked) == wanted
    assert hashed == [], "what everybody sees alike is one file"
    rain = small_account.parent / "precipitation.tif"
    (copy := rain.with_suffix(".copy")).write_bytes(rain.read_bytes())
    os.utime(copy, (1, 1))
    copy.rename(rain)
    for _ in range(2):
        worker._works.clear()
        assert worker.compute(of, asked) == wanted
    assert hashed == [rain]


def test_a_file_that_changes_under_a_worker_is_noticed(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its content is the right one again: nobody knows what was read in between."""
    of, asked = packed(small_account), places(small_account)
    rain, inner = small_account.parent / "precipitation.tif", Work.tile

    def tile(work: Work, window: Window) -> bytes:
        os.utime(rain, (2, 2))
        return inner(work, window)

    wanted = worker.compute(of, asked)
    monkeypatch.setattr(Work, "tile", tile)
    assert refused(of, asked) == "a raster changed while it was read"
    monkeypatch.undo()
    assert worker.compute(of, asked) == wanted


def test_a_worker_with_another_version_refuses(small_account: Path) -> None:
    made, hashes = planned(small_account)
    parts: dict[str, Any] = dict(worker.task(made, hashes, {}).parts)
    code = parts["code"]
    asked = places(small_account)
    newer = packed(small_account, parts={**parts, "code": {**code, "package": "other"}})
    assert refused(newer, asked) == "the code or a library changed"
    newer = packed(small_account, parts={**parts, "legend": {}})
    assert refused(newer, asked) == "the legend changed"
    layers = {k: v for k, v in parts["layers"].items() if k != "erosivity"}
    newer = packed(small_account, parts={**parts, "layers": layers})
    assert refused(newer, asked) == "other layers: erosivity"
    assert refused(b"something else", asked) == "another version of gep"
    strange = worker.zlib.compress(json.dumps({"form": 2}).encode())
    assert refused(strange, asked) == "another version of gep"


def test_a_worker_that_lacks_a_table_says_which(small_account: Path) -> None:
    of, asked = packed(small_account), places(small_account)
    (small_account.parent / "emissions.csv").unlink()
    assert "emissions.csv" in refused(of, asked)


def test_a_task_finds_its_files_from_any_folder(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_account.parent)
    of = packed(Path("gep.toml"))
    monkeypatch.chdir("/")
    assert len(worker.compute(of, places(small_account))) == cluster.BATCH


def test_a_worker_closes_its_files(small_account: Path) -> None:
    of = packed(small_account)
    work = Work(Task.unpacked(of))
    window = Window(0, 0, TILE, TILE)
    work.tile(window)
    (reader,) = work._idle
    work.close()
    assert all(file.closed for file in reader._files.values())
    opened: list[Reader] = []
    inner = work._opened
    work._opened = lambda: opened.append(inner()) or opened[-1]  # type: ignore[method-assign,func-returns-value]
    work.tile(window)
    assert [file.closed for reader in opened for file in reader._files.values()] == [True] * 10
    assert work._idle == [], "a tile in hand when the account was closed closes its own"


def test_a_worker_keeps_few_accounts(tmp_path: Path) -> None:
    accounts = [small.write(tmp_path / str(number)) for number in range(worker.HELD + 1)]
    tasks = [packed(path) for path in accounts]
    works = [worker._work(of) for of in tasks]
    assert worker._work(tasks[1]) is works[1]
    assert [*worker._works] == [tasks[2], tasks[1]]
    assert works[0]._closed


# --- errors of the data -------------------------------------------------------------------------


def summed(client: Client | None, path: Path) -> Partials:
    """Sums of an account nobody has checked."""
    made, hashes = planned(path)
    by = cluster.workers(client, made, hashes, {}) if client else None
    return run.accumulate(made, 1, size=TILE, by=by)


def test_a_code_nobody_knows_arrives_with_its_place(client: Client, tmp_path: Path) -> None:
    codes = small.classes()
    codes[33, 21] = 99
    path = small.write(tmp_path / "account", ecosystem=codes)
    said = []
    for by in (client, None):
        with pytest.raises(InputError) as error:
            summed(by, path)
        said.append(problem_of(error))
    assert said[0] == said[1]
    assert said[0][0] == "E031"
    assert "99 (1 px, first at row 34, column 22)" in said[0][1]


def test_a_file_a_worker_cannot_decode_is_named(client: Client, small_account: Path) -> None:
    rain = small_account.parent / "precipitation.tif"
    with rasterio.open(rain) as file:
        profile = {**file.profile, "compress": "deflate"}
        array = file.read(1)
    array += np.random.default_rng(1).random(array.shape, np.float32)
    with rasterio.open(rain, "w", **profile) as file:
        file.write(array, 1)
    with rasterio.open(rain) as file:
        begin = int(file.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=1))
    content = bytearray(rain.read_bytes())
    content[begin : begin + 64] = b"\xff" * 64
    rain.write_bytes(content)
    with pytest.raises(InputError) as error:
        summed(client, small_account)
    code, text = problem_of(error)
    assert code == "E101"
    assert str(rain) in text


def test_a_bug_on_a_worker_is_a_bug_here(client: Client, small_account: Path) -> None:
    made, hashes = planned(small_account)
    by = cluster.workers(client, made, hashes, {})
    with pytest.raises(ValueError, match="must be non-negative"):
        by([Window(0, 0, -1, TILE)], lambda *done: None)


# --- the command line ---------------------------------------------------------------------------


def command(*words: str | Path) -> click.testing.Result:
    return click.testing.CliRunner().invoke(main, ["run", *map(str, words)])


def test_the_command_line_sends_tiles_to_a_cluster(client: Client, small_account: Path) -> None:
    with watched(client, small_account.parent / "log"):
        done = command(small_account, "--scheduler", client.scheduler.addr, "--lang", "en")
    assert done.exit_code == 0, done.output
    assert "100 %" in done.stderr
    assert (small_account.parent / "log").read_text().count("\n") == 1
    (folder,) = (small_account.parent / "output").glob("*/run.json")
    assert (
        json.loads(folder.read_text("utf8"))["root"]
        == (gep.open(small_account).run().manifest["root"])
    )


def test_the_command_line_says_a_cluster_that_is_not_there(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.5)
    done = command(small_account, "--scheduler", nobody(), "--lang", "zh")
    assert done.exit_code == 6
    assert "错误 E730  dask 集群 tcp://127.0.0.1:" in done.stderr
    monkeypatch.setitem(sys.modules, "distributed", None)
    done = command(small_account, "--scheduler", nobody(), "--lang", "en")
    assert done.exit_code == 3
    assert done.stderr == (
        "gep 0.1.0  小账户 2021  jiangxi-2021\n"
        "error E733  dask.distributed is not installed\n"
        "  fix: pip install 'gep[distributed]'\n"
    )


def test_the_command_line_can_be_stopped(
    client: Client, small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = cluster.Errand._answer

    def answer(errand: cluster.Errand, future: Any) -> Any:
        inner(errand, future)
        raise KeyboardInterrupt

    monkeypatch.setattr(cluster.Errand, "_answer", answer)
    done = command(small_account, "--scheduler", client.scheduler.addr, "--lang", "en")
    assert done.exit_code == 130
    assert "interrupted" in done.stderr


def test_the_command_line_helps_in_both_languages() -> None:
    done = command("--help")
    assert "--scheduler tcp://HOST:PORT" in done.stdout
    assert "由 dask 集群计算分块" in " ".join(done.stdout.split())


# --- the page -----------------------------------------------------------------------------------

ROOT = Path(__file__).parents[1]


def script() -> Any:
    """The script that makes docs/cluster.md."""
    spec = importlib.util.spec_from_file_location("docs_cluster", ROOT / "docs" / "cluster.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_cluster_is_fresh() -> None:
    page = script()
    assert page.PAGE.read_text("utf8") == page.made(), "run: python docs/cluster.py"
    assert page.TILE == run.TILE


def test_the_plan_is_what_the_measurements_come_to(tmp_path: Path) -> None:
    """By hand: 100 ns for each of 1e10 pixels are 1000 s of a thread, 62.5 s of 16 threads; 10
    bytes each are 100 GB, 100 s at 1 GB/s for digests and again for tiles; 38147 tiles at 2 ms are
    76 s; so reading bounds even one node, and all take 200 s; counties take 100 s less 40, one
    minute: 4.3 minutes.
    """
    page = script()
    more = {"bytes_of_rasters": 10_000_000, "layers": 15, "columns": 18, "tiles_per_task": 16}
    more |= {"seconds_of_taking_a_tile": 0.002, "seconds_of_digests": 0.01, "bytes_per_tile": 20000}
    more |= {"seconds_of_planning": 1.0, "megabytes_per_worker": 400.0, "bytes_per_task": 5000}
    record = {"case": page.CASE, "side": 1000, "cpu_nanoseconds_per_pixel": 100.0}
    record["more"] = more | {"ledger_bytes_per_tile": 25000}
    machine = {"date": "2026-01-01", "processor": "p", "load": [0.5]}
    results = tmp_path / "distributed.json"
    results.write_text(json.dumps([{"machine": machine, "records": [record]}]), "utf8")
    zones = tmp_path / "zones.json"
    rows = [{"side": 900, "case": page.WHOLE, "median": 100.0}, {"target": "P7", "ratio": 2.0}]
    rows.append({"side": 900, "case": page.TILES, "median": 40.0})
    zones.write_text(json.dumps([{"records": rows}]), "utf8")
    text = page.made(results, zones)
    assert "| digests 摘要, min | 1.7 | 1.7 | 1.7 | 1.7 |" in text
    assert "| computing 计算, min | 1.0 | 0.5 | 0.3 | 0.1 |" in text
    assert "| taking tiles 接收分块, min | 1.3 | 1.3 | 1.3 | 1.3 |" in text
    assert "| **together 合计**, min | 4.3 | 4.3 | 4.3 | 4.3 |" in text
    assert "| counties 县区, min | 1.0 | 1.0 | 1.0 | 1.0 |" in text
    assert "0.8 GB of sums and 0.01 GB of tasks" in text
    assert "**Bytes read**: 100 GB stored, twice (200 GB)" in text
    assert "**The bound** is reading 读取" in text
    assert "That is 0.28 hours of one thread" in text


def test_the_page_says_what_is_not_measured(tmp_path: Path) -> None:
    assert "Not measured yet" in script().made(tmp_path / "nothing")
