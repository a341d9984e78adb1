"""Compiled code in files: damaged or not to be written, it costs time and nothing else."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from test_fuse import KINDS, assert_same, double, expected, made_up

from gep import cached, fuse
from gep.cached import cache_folder
from gep.fuse import Column

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="interpreted run")
COLUMNS = [Column(double, (0,), ())]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty cache; the next choice is another folder of the test."""
    monkeypatch.setenv("GEP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "next"))
    return tmp_path / "cache"


def doubled(values: Any, out: Any) -> None:
    for n in range(values.size):
        out[n] = 2.0 * values[n]


def loop() -> int:
    """Times the loop was found compiled; its integers are right."""
    fused: Any = fuse.fuse(COLUMNS, 1, KINDS)
    data = made_up(3, COLUMNS, 1, 0, 1e6)
    assert_same(data.run(fused), expected(data))
    return sum(fused.stats.cache_hits.values())


def routine() -> int:
    """Times a routine was found compiled; its numbers are right."""
    made: Any = fuse.routine(doubled)
    out = np.empty(3)
    made(np.array([1.0, 2.5, -3.0]), out)
    assert out.tolist() == [2.0, 5.0, -6.0]
    return sum(made.stats.cache_hits.values())


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other(path: Path) -> None:
    path.write_bytes(os.urandom(2000))


def one_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def none(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, empty, other, one_bit, none])
@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
@pytest.mark.parametrize("kind", [loop, routine])
def test_what_is_damaged_is_compiled_once_more(
    cache: Path, kind: Callable[[], int], suffix: str, damage: Callable[[Path], None]
) -> None:
    assert kind() == 0
    assert kind() == 1
    (file,) = (cache / "__pycache__").glob(f"*.{suffix}")
    damage(file)
    assert kind() == 0, "compiled anew"
    assert kind() == 1, "and kept"


@pytest.mark.parametrize("damage", [empty, other])
def test_a_source_that_is_damaged_is_written_anew(
    cache: Path, damage: Callable[[Path], None]
) -> None:
    loop()
    (file,) = cache.glob("*.py")
    right = file.read_bytes()
    damage(file)
    loop()
    assert file.read_bytes() == right


@pytest.mark.parametrize("damage", [cut, empty])
def test_the_other_process_compiles_what_is_damaged(
    cache: Path, damage: Callable[[Path], None]
) -> None:
    """As `ahead` does it, also where the index alone is left of an earlier compilation."""
    name = fuse.lacking(COLUMNS, 1, KINDS)
    loop()
    for file in (cache / "__pycache__").iterdir():
        damage(file)
    code = f"""
import sys
sys.path[:] = {sys.path!r}
import test_fuse
from gep import fuse
fuse.fuse([fuse.Column(test_fuse.double, (0,), ())], 1, {KINDS})
fuse.lacking = lambda *of: {name!r}
fuse.compile_named([fuse.Column(test_fuse.double, (0,), ())], 1, {KINDS}, {name!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert loop() == 1


def test_a_folder_that_becomes_full_or_read_only_keeps_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the moment on at which numba writes what it has compiled."""
    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES):

        def fails(self: Any, *_: object, number: int = number) -> None:
            raise OSError(number, os.strerror(number))

        with monkeypatch.context() as full:
            full.setattr("numba.core.caching.IndexDataCacheFile._save_data", fails)
            full.setattr("numba.core.caching.IndexDataCacheFile._save_index", fails)
            assert loop() == routine() == 0
            assert loop() == routine() == 0
    assert loop() == routine() == 0
    assert loop() == routine() == 1


def test_a_source_that_cannot_be_written_is_compiled_unkept(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert loop() == routine() == 0
    assert not fuse.lacking(COLUMNS, 1, KINDS), "no process is begun for it"
    assert [path.name for path in cache.rglob("*")] == ["__pycache__"]


def test_a_full_folder_is_passed_over(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cache_folder() == cache
    usage = shutil.disk_usage(tmp_path)

    def free(folder: Path) -> Any:
        return usage._replace(free=cached.ROOM - 1) if folder == cache else usage

    monkeypatch.setattr(shutil, "disk_usage", free)
    assert cache_folder() == tmp_path / "next" / "gep"


def test_a_folder_whose_compiled_code_cannot_be_written_is_passed_over(
    cache: Path, tmp_path: Path
) -> None:
    cache.mkdir()
    (cache / "__pycache__").write_text("a file")
    assert cache_folder() == tmp_path / "next" / "gep"
    assert loop() == 0
    assert loop() == 1


@pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0 or sys.platform != "linux",
    reason="only root may mount",
)
def test_a_disk_that_is_really_full(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(cache)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        monkeypatch.setattr(cached, "ROOM", 0)
        (cache / "ballast").write_bytes(bytes(20_000))
        assert loop() == routine() == 0
        assert loop() == routine() == 0
    finally:
        subprocess.run(["umount", str(cache)], check=True)
