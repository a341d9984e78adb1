"""A second process compiles the loop: the same loop, and nothing depends on it."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numba
import pytest
from test_fuse import KINDS, Data, assert_same, expected, made_up

from gep import ahead, fuse
from gep.ahead import Ahead
from gep.fuse import Column
from gep.service import services

JIT = not numba.config.DISABLE_JIT
compiling = pytest.mark.skipif(not JIT, reason="interpreted run")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty cache, and two processors."""
    monkeypatch.setenv("GEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    return tmp_path / "cache"


def columns() -> list[Column]:
    """One kernel of the registry, which any process can import."""
    (service,) = (s for s in services().values() if s.name == "water_retention")
    kernel: Any = service.indicators[0]
    return [Column(kernel.kernel, (0, 1), (0, 1))]


def data() -> Data:
    return made_up(3, columns(), 2, 2, 1e6)


@compiling
def test_the_loop_is_there_when_it_is_asked_for(cache: Path) -> None:
    two = Ahead()
    assert two.begin(columns(), 2, KINDS)
    two.wait()
    assert list(cache.rglob("*.nbi")), "compiled by the other process"
    loop: Any = fuse.fuse(columns(), 2, KINDS)
    made = data()
    assert_same(made.run(loop), expected(made))
    assert sum(loop.stats.cache_hits.values()) == 1, "and found here, with the types of a call"
    assert not sum(loop.stats.cache_misses.values())
    assert not two.begin(columns(), 2, KINDS), "what is there is not compiled again"


@compiling
def test_a_loop_of_other_files_is_not_compiled(cache: Path) -> None:
    fuse.compile_named(columns(), 2, KINDS, "fused_0123456789abcdef")
    assert not list(cache.rglob("*.nbi"))


@compiling
@pytest.mark.parametrize("fault", [OSError("no such program"), subprocess.TimeoutExpired("it", 1)])
def test_a_process_that_fails_is_no_fault(
    cache: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fails(*words: object, **named: object) -> None:
        raise fault

    monkeypatch.setattr(subprocess, "Popen", fails)
    two = Ahead()
    assert two.begin(columns(), 2, KINDS)
    two.wait()
    made = data()
    assert_same(made.run(fuse.fuse(columns(), 2, KINDS)), expected(made))
    assert list(cache.rglob("*.nbi")), "compiled here"


@pytest.mark.usefixtures("cache")
def test_there_is_one_such_process_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(ahead.Ahead, "_compile", lambda self, said: go.wait(10))
    monkeypatch.setattr(fuse, "lacking", lambda *of: "fused_0")
    two = Ahead()
    assert two.begin(columns(), 2, KINDS)
    assert not two.begin(columns(), 2, KINDS)
    go.set()
    two.wait()
    assert two.begin(columns(), 2, KINDS)
    two.wait()


@pytest.mark.usefixtures("cache")
def test_where_no_process_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead.Ahead, "_compile", lambda self, said: pytest.fail("begun"))
    with monkeypatch.context() as one:
        one.setattr(ahead, "threads", lambda: 1)
        assert not Ahead().begin(columns(), 2, KINDS), "one processor"
    for program in ("/usr/bin/qgis", "", None):
        with monkeypatch.context() as other:
            other.setattr(sys, "executable", program)
            assert not Ahead().begin(columns(), 2, KINDS), "inside another program"
    with monkeypatch.context() as plain:
        plain.setenv("NUMBA_DISABLE_JIT", "1")
        assert not Ahead().begin(columns(), 2, KINDS), "nothing is compiled"
    own = [Column(lambda x: x, (0,), ())]
    with monkeypatch.context() as nameless:
        nameless.setattr(fuse, "lacking", lambda *of: "fused_0")
        assert not Ahead().begin(own, 1, KINDS), "a kernel no other process can import"
    with monkeypatch.context() as nowhere:
        nowhere.setattr(fuse, "cache_folder", lambda: None)
        assert not Ahead().begin(columns(), 2, KINDS), "no cache"


def test_without_a_process_nobody_waits() -> None:
    Ahead().wait()
