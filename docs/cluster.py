"""Write docs/cluster.md: tiles on a dask cluster, and what a national account would take.

Run it anywhere: python docs/cluster.py. The plan is reckoned from
benchmarks/results/distributed.json, which `python benchmarks/run.py distributed` measures; a test
holds the page against it.
"""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "cluster.md"
RESULTS = ROOT / "benchmarks" / "results" / "distributed.json"
ZONES = ROOT / "benchmarks" / "results" / "zones.json"
CASE, KILLED = "2 workers, tiles alone", "2 workers, one killed"
PIXELS = 10e9
"""Pixels of the raster of a country at 30 m."""
TILE = 512
COUNTIES = 2_900
WHOLE, TILES = "3000 counties", "3000 counties, tiles"
"""A whole account of as many counties, and its tiles alone."""
KINDS = 37
"""Ecosystem classes, and "no data"."""
NODES, THREADS = (1, 2, 4, 8), 16
STORAGE = 1e9
"""What shared storage is taken to give all nodes together [bytes/s]."""

TEXT = """\
# Tiles on a dask cluster 用 dask 集群计算

`gep run my.toml --scheduler tcp://10.0.0.5:8786` has the tiles of an account computed by the
workers of a [dask](https://distributed.dask.org) cluster. Digests, checks, sums, prices, identities
and files stay with the machine that asks. Every tile comes back as integers, so the account is the
same, bit for bit, as with threads, whatever workers there are, in any order.

中文摘要：`gep run my.toml --scheduler tcp://主机:8786` 由 dask 集群的工作进程计算各分块，
校验、汇总、计价与输出仍在本机；结果为整数，与单机多线程逐位一致。各机器须以同一路径读到同一批
文件，gep 及各库版本须一致，否则报 E732 而不计算。已完成的分块存入输出文件夹的账本：中断后重复
同一命令即可续算，也可不带 `--scheduler` 在单机上续算。一台机器足够时不需要集群，见下文测算。

## Step by step 步骤

1. On every machine, that of the scheduler included, the same Python and the same versions:
   `pip install 'gep[distributed]'`. Best is one environment on shared storage, or one image.
   Compiled loops are kept per machine; `GEP_CACHE` says where, a local disk is best.
2. gep.toml and its files on storage that every machine sees **under the same path**. Copies will
   do, too: a worker hashes them before its first tile{hashing}.
   副本亦可：首个分块之前先核对其摘要。
3. The scheduler, on a network only you can reach: whoever reaches it can have any code run.

       dask scheduler --host 10.0.0.5 --port 8786

4. On every machine the workers: threads share a plan and compiled code, so one worker of many
   threads takes less memory than many of one. Allow 1 GB per worker and 0.1 GB per thread.

       dask worker tcp://10.0.0.5:8786 --nworkers 1 --nthreads 16 --memory-limit 4GB

5. From any of them:

       gep run my.toml --scheduler tcp://10.0.0.5:8786 --output runs

One account at a time: several gep.toml with `--scheduler` are refused (E024); run them one after
another. 每次只计算一个账户：多个 gep.toml 与 `--scheduler` 同时给出时报 E024，请逐个运行。

In Python a client will do as well, as those of dask-jobqueue or with TLS; it must not be an
asynchronous one:

    from distributed import Client
    gep.open("my.toml").run(client=Client("tcp://10.0.0.5:8786"), output="runs")

Rasters that are prepared are made by the machine that asks, before the first tile is sent. Maps are
written there, after the last. A scenario whose base has run computes the tiles that differ there,
too.

## What travels 传输的内容

A task is {batch} tiles and what they follow from: gep.toml, digests, coefficients as text, packed.
A worker plans the account itself, once, and computes nothing unless it comes to the same digests of
tables, legend, polygons, code and libraries, and to the same rasters: one whose size, times and
number on its disk are what the machine that asks sees is the same file; any other is hashed, once.
A raster that changes while tiles are read of it is E732.
Pixels do not travel: {travels}.

## What happens when things die 中断时

| what 情形 | what happens 结果 |
| --- | --- |
| a worker dies 工作进程中断 | others compute its tiles; the same sums 由其他进程重算，结果不变 |
| workers die of the same tiles 4 times 反复中断 | E731, exit code 6: give more memory |
| no worker for a minute 一分钟内没有工作进程 | E730, exit code 6 |
| workers join or leave 增减工作进程 | more or fewer tasks are sent 自动适应 |
| the scheduler dies 调度器中断 | E730, exit code 6; tiles that came are kept 已收到的分块保留 |
| Ctrl-C | exit code 130; tasks not begun are taken back 未开始的任务撤回 |
| the machine that asks dies 本机中断 | tiles that came are in the ledger 已收到的分块在账本中 |
| a worker with another version or other files 版本或文件不同 | E732, exit code 5 |
| a raster that cannot be decoded 栅格无法解码 | E101 with its name, as with threads 与单机相同 |

After each of them the same command goes on from the tiles that are kept, with a cluster or without.
{killed}
## A national account on paper 全国核算的测算

{plan}"""

PLAN = """\
*Reckoned, not run*: {pixels:.0f} billion pixels ({tiles:,} tiles of {tile}), {layers} layers and
{columns} columns as in the [standard province](performance.md), {counties:,} counties. Measured on
{side:,}² pixels, {date}, {processor}, load {load:g}: CPU time per pixel {cpu:.0f} ns, all processes
together; {stored:.1f} bytes per pixel stored; {taking:.2f} ms for whoever asks to take and keep a
tile; {hashing:.2f} s of one thread per GB hashed; {planning:.1f} s for a worker to plan the
province; a worker of one thread held {memory:.0f} MB at most. Storage is *taken* to give
{storage:g} GB/s to all nodes together; it is read twice, for digests and for tiles.

测算而非实测：{hundreds:.0f} 亿像元，按标准省实测的每像元 CPU 用时等推算；存储速度为假定值。

| nodes of {threads} threads 节点数 | 1 | 2 | 4 | 8 |
| --- | ---: | ---: | ---: | ---: |
{rows}

* **Bytes read**: {read:.0f} GB stored, twice ({read_twice:.0f} GB).
* **Bytes moved**: {answers:.1f} GB of sums and {sent:.2f} GB of tasks, each by way of the
  scheduler; no pixels.
* **Ledger**: {ledger:.1f} GB on the disk of whoever asks.
* **Memory**: about {memory:.0f} MB for a worker's first thread; the sums take {sums:.0f} MB where
  they are added.
* **Counties**: polygons, checks, tables, prices, identities and files of 3,000 counties take
  {counted:.0f} s, measured: a whole account of {zones:,}² pixels less its tiles. Polygons of more
  corners than those made up there take longer. 县区：3,000 个县的面、检查、表格、价格与恒等式用时
  为实测（完整核算减去分块）；边界更细时更久。
* **The bound** is {bound}: more nodes do not help.

That is {hours:.2f} hours of one thread: a single machine of {threads} threads does it. A cluster is
worth its trouble where the machines are small, or for many accounts.
"""
UNMEASURED = "Not measured yet: `python benchmarks/run.py distributed`. 尚未测量。\n"


def facts(stored: list[dict[str, Any]], zones: list[dict[str, Any]]) -> dict[str, Any]:
    """Numbers of the largest province measured; of *zones* what many counties take."""
    found, many = stored[-1], zones[-1]["records"]
    medians = {row["case"]: row["median"] for row in many if "median" in row}
    record = next(row for row in found["records"] if row["case"] == CASE)
    side, tiles, more = record["side"], PIXELS / TILE**2, record["more"]
    share, machine = PIXELS / side**2, found["machine"]
    reading = share * more["bytes_of_rasters"]
    return {
        "side": side,
        "date": machine["date"],
        "processor": machine["processor"],
        "load": machine["load"][0],
        "cpu": record["cpu_nanoseconds_per_pixel"],
        "compute": PIXELS * record["cpu_nanoseconds_per_pixel"] / 1e9,
        "tiles": round(tiles),
        "layers": more["layers"],
        "columns": more["columns"],
        "stored": more["bytes_of_rasters"] / side**2,
        "taking": more["seconds_of_taking_a_tile"] * 1e3,
        "taken": tiles * more["seconds_of_taking_a_tile"],
        "hashing": more["seconds_of_digests"] / more["bytes_of_rasters"] * 1e9,
        "hashed": share * more["seconds_of_digests"],
        "planning": more["seconds_of_planning"],
        "memory": more["megabytes_per_worker"],
        "read": reading / 1e9,
        "read_twice": 2 * reading / 1e9,
        "answers": tiles * more["bytes_per_tile"] / 1e9,
        "sent": tiles / more["tiles_per_task"] * more["bytes_per_task"] / 1e9,
        "ledger": tiles * more["ledger_bytes_per_tile"] / 1e9,
        "sums": COUNTIES * KINDS * more["columns"] * 6 * 8 / 1e6,
        "counted": medians[WHOLE] - medians[TILES],
        "zones": many[0]["side"],
        "hours": PIXELS * record["cpu_nanoseconds_per_pixel"] / 1e9 / 3600,
    }


def rows(found: dict[str, Any]) -> tuple[str, str]:
    """Minutes by number of nodes, and what bounds them in the end."""
    reading = found["read"] * 1e9 / STORAGE
    hashing = max(reading, found["hashed"] / THREADS)
    bounds = {"reading 读取": reading, "taking tiles 接收分块": found["taken"]}
    table: dict[str, list[float]] = {"digests 摘要": [], "computing 计算": []}
    table |= {name: [] for name in (*bounds, "counties 县区", "**together 合计**")}
    for nodes in NODES:
        computing = found["compute"] / (nodes * THREADS)
        table["digests 摘要"].append(hashing)
        table["computing 计算"].append(computing)
        for name, seconds in bounds.items():
            table[name].append(seconds)
        table["counties 县区"].append(found["counted"])
        whole = hashing + max(computing, *bounds.values()) + found["counted"]
        table["**together 合计**"].append(whole)
    lines = [
        f"| {name}, min | {' | '.join(f'{seconds / 60:.1f}' for seconds in row)} |"
        for name, row in table.items()
    ]
    return "\n".join(lines), max(bounds, key=bounds.__getitem__)


def made(results: Path = RESULTS, zones: Path = ZONES) -> str:
    """Text of the page."""
    if not (results.is_file() and zones.is_file()):
        said = {"travels": "a tile is some 30 kB", "plan": UNMEASURED, "hashing": "", "killed": ""}
        return TEXT.format(batch=16, **said)
    stored = json.loads(results.read_text("utf8"))
    found = facts(stored, json.loads(zones.read_text("utf8")))
    more = next(row for row in stored[-1]["records"] if row["case"] == CASE)["more"]
    lines, bound = rows(found)
    fixed = {"tile": TILE, "threads": THREADS, "counties": COUNTIES, "storage": STORAGE / 1e9}
    plan = PLAN.format(
        pixels=PIXELS / 1e9, hundreds=PIXELS / 1e8, rows=lines, bound=bound, **fixed, **found
    )
    travels = f"a task is {more['bytes_per_task'] / 1e3:.1f} kB, and a tile comes back as "
    travels += f"{more['bytes_per_tile'] / 1e3:.1f} kB (measured)"
    hashing = f", {found['hashing']:.1f} s of one thread per GB"
    said = {"travels": travels, "plan": plan, "hashing": hashing, "killed": killed(stored[-1])}
    return TEXT.format(batch=more["tiles_per_task"], **said)


def killed(found: dict[str, Any]) -> str:
    """What the kill of a worker cost, and what a cluster costs against threads."""
    rows = {row["case"]: row for row in found["records"]}
    text = ""
    if (row := rows.get(KILLED)) and "median" in row:
        more = row["more"]
        text += f"""
Measured on {row["side"]:,}² pixels: one of two workers was killed with a third of the tiles done;
of {more["tiles"]} tiles {more["repeated"]} were computed twice, and the account was the same.
实测：两个工作进程之一被强制终止，{more["tiles"]} 块中重算 {more["repeated"]} 块，结果不变。
"""
    ratios = [row for row in found["records"] if row.get("target") == "P8"]
    for row in ratios:
        busy = "" if row["clean"] else "; others were busy"
        text += f"""
On one machine two workers of one thread took {row["ratio"]:.2f} times as long as two threads
({row["low"]:.2f} – {row["high"]:.2f}, {row["pairs"]} pairs{busy}).
"""
    return text


if __name__ == "__main__":
    PAGE.write_text(made(), "utf8")
