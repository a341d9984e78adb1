"""The sample county against totals worked out by a script that shares no code with the engine.

`independent/sample_totals.py` writes `rasters/sample/expected.csv`: exact sums of doubles,
nothing rounded. The engine adds whole quanta, one per pixel or per row of a table, so it may differ
by half a quantum for each; the areas of pixel rows by `AREAS`; doubles of another order of
operations by 1e-12. And by no more.
"""

import csv
import itertools
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import gep
from gep.profile import load
from gep.service import Derived, Indicator
from gep.service import services as registry

HERE = Path(__file__).parent
INDEPENDENT = HERE / "independent"
SAMPLE = HERE.parent / "rasters" / "sample" / "gep.toml"
RELATIVE = 1e-6
DOUBLES = 1e-12
AREAS = 1e-9
"""The area of a pixel row is a difference of two zones of the ellipsoid, and those cancel.

The zone holds ln((1 + e s) / (1 - e s)) / 2 e: three roundings of 2^-53 in the argument, which is
near 1, divided by 2 e = 0.164, are 2.0e-15 in each zone, 4.1e-15 in the difference. That is
8.7e-6 (2 cos 26.3 degrees times one arc-second), so an area is known to 4.7e-10 of itself, and
two ways to work it out may differ by twice as much.
"""
PRICE = 1e-11
"""Prices moved by an index are kept to twelve digits."""
CLASSES = 34
"""Derived amounts are rounded once per ecosystem class."""

Key = tuple[str, str, str]
Row = dict[str, str]


def expected() -> dict[Key, Row]:
    with (SAMPLE.parent / "expected.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["place"], row["service"], row["indicator"]): row for row in csv.DictReader(file)
        }


EXPECTED = expected()
KEYS = sorted(EXPECTED)
METHODS = {name: choice.method for name, choice in load("jiangxi-2021").choices.items()}
INDICATORS = {
    (service.name, i.name): i
    for service in registry().values()
    for i in service.indicators
    if isinstance(i, Indicator | Derived) and METHODS[service.name] == service.method
}


@pytest.fixture(scope="module")
def result() -> gep.Result:
    return gep.open(SAMPLE).run(threads=2)


@pytest.fixture(scope="module")
def rows(result: gep.Result) -> dict[Key, list[Row]]:
    """Leaves of accounts.csv by place, service and indicator."""
    text = result.files()["accounts.csv"].decode("utf-8-sig")
    found: dict[Key, list[Row]] = defaultdict(list)
    for row in csv.DictReader(text.splitlines()):
        found[row["county_code"], row["service"], row["indicator"]].append(row)
    return found


def total(leaves: list[Row], column: str) -> float | None:
    """Sum of a column; None where no leaf has a number."""
    known = [float(leaf[column]) for leaf in leaves if leaf[column]]
    return sum(known) if known else None


def table_rows(key: Key) -> int:
    """How many rows of a department table an amount is the sum of; 0 for one of pixels."""
    i = INDICATORS.get(key[1:])
    if not isinstance(i, Indicator) or not i.table:
        return 0
    path = SAMPLE.parent / "statistics" / f"{i.table}.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sum(row["county_code"] == key[0] for row in csv.DictReader(file))


def bound(key: Key) -> float:
    """Largest difference that rounding explains.

    Half a quantum per pixel or per row of a table, then half a quantum per class.
    """
    place, service, name = key
    i = INDICATORS.get((service, name))
    if i is None:  # products: their quantities are multiples of the quantum
        return 0.0
    if isinstance(i, Derived):
        owner, _, base = i.of.rpartition(".")
        source = place, owner or service, base
        ratio = float(EXPECTED[key]["quantity"]) / float(EXPECTED[source]["quantity"])
        return bound(source) * ratio + 0.5 * i.quantum * CLASSES
    return 0.5 * i.quantum * (table_rows(key) or int(EXPECTED[key]["pixels"]))


def allowance(key: Key) -> float:
    """The smaller of what rounding explains and one in a million."""
    quantity = abs(float(EXPECTED[key]["quantity"]))
    relative = AREAS if EXPECTED[key]["pixels"] else DOUBLES
    return min(bound(key) + relative * quantity, RELATIVE * quantity)


@pytest.mark.parametrize("key", KEYS, ids=[" ".join(key) for key in KEYS])
def test_quantity(key: Key, rows: dict[Key, list[Row]]) -> None:
    wanted, found = EXPECTED[key]["quantity"], total(rows[key], "quantity")
    if not wanted:
        assert found is None
        return
    assert found == pytest.approx(float(wanted), rel=0, abs=allowance(key))
    assert {leaf["quantity_unit"] for leaf in rows[key]} == {EXPECTED[key]["unit"]}


@pytest.mark.parametrize("key", KEYS, ids=[" ".join(key) for key in KEYS])
def test_value(key: Key, rows: dict[Key, list[Row]]) -> None:
    wanted, found = EXPECTED[key]["value_cny"], total(rows[key], "value")
    if not wanted:
        assert found is None
        return
    worth = float(wanted)
    # money is rounded to 0.01 where it is made: in every leaf, or in every row that has its own
    tolerance = 0.005 * max(len(rows[key]), table_rows(key)) + PRICE * worth
    if EXPECTED[key]["quantity"]:
        tolerance += allowance(key) * worth / float(EXPECTED[key]["quantity"])
    assert found == pytest.approx(worth, rel=0, abs=tolerance)
    assert {leaf["value_unit"] for leaf in rows[key]} == {"CNY_2021"}


@pytest.mark.parametrize("key", KEYS, ids=[" ".join(key) for key in KEYS])
def test_coverage(key: Key, rows: dict[Key, list[Row]]) -> None:
    wanted = EXPECTED[key]["coverage"]
    if wanted and rows[key]:
        # printed to six digits; areas are counted in hundredths of a square metre
        assert float(rows[key][0]["coverage"]) == pytest.approx(float(wanted), rel=0, abs=1.1e-6)


def test_nothing_else_is_accounted(rows: dict[Key, list[Row]]) -> None:
    unallocated = {
        key for key in EXPECTED if key[0] == "unallocated" and not EXPECTED[key]["quantity"]
    }
    assert set(rows) - set(EXPECTED) == set()
    # a load is a county's: what is in none has no capped amount, and no row
    assert set(EXPECTED) - set(rows) <= unallocated
    assert {key[1] for key in unallocated} == {"air_purification"}


def test_the_missing_load_is_missing(rows: dict[Key, list[Row]]) -> None:
    leaves = rows["999904", "air_purification", "nitrogen_oxides"]
    assert leaves
    assert {(leaf["quantity"], leaf["value"]) for leaf in leaves} == {("", "")}


def test_capacity_is_kept_beside_the_load(result: gep.Result) -> None:
    for line in result.account.lines:
        for place, (capacity, _) in line.capped.items():
            wanted = float(EXPECTED[place, line.service, line.indicator]["capacity"])
            assert float(capacity * line.quantum) == pytest.approx(wanted, rel=RELATIVE)


def test_province_is_the_sum_of_the_expected_values(result: gep.Result) -> None:
    worth = [float(row["value_cny"]) for row in EXPECTED.values() if row["value_cny"]]
    province = result.counties.set_index("level").loc["province"]
    assert province["gep"] == pytest.approx(sum(worth), rel=1e-9)


def test_expected_is_what_the_independent_script_gives(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import sample_totals as s; "
        "s.EXPECTED = Path(sys.argv[1]); s.main(); "
        "assert 'gep' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script, tmp_path / "again.csv"],
        cwd=INDEPENDENT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    again = (tmp_path / "again.csv").read_bytes()
    assert again == (SAMPLE.parent / "expected.csv").read_bytes()


def test_the_independent_script_imports_nothing_of_gep() -> None:
    text = (INDEPENDENT / "sample_totals.py").read_text("utf8")
    assert "import gep" not in text
    assert "from gep" not in text


TILINGS = [*itertools.product((64, 100, 512), (1, 2, 3))]


@pytest.mark.parametrize(("tile", "threads"), TILINGS)
def test_same_bytes_for_every_tiling(tile: int, threads: int, result: gep.Result) -> None:
    other = gep.open(SAMPLE).run(tile=tile, threads=threads)
    mine, theirs = result.files(), other.files()
    assert mine.keys() == theirs.keys()
    for name in mine.keys() - {"run.json"}:
        assert mine[name] == theirs[name], name
    assert other.manifest["core"] == result.manifest["core"]
    assert other.manifest["root"] == result.manifest["root"]
    assert other.name == result.name


def test_same_digest_without_the_compiler(result: gep.Result) -> None:
    script = (
        "import sys, json, gep; "
        "found = gep.open(sys.argv[1]).run(threads=2); "
        "print(json.dumps([found.name, found.manifest['root']]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, SAMPLE],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == [result.name, result.manifest["root"]]
