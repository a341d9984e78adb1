"""Fixtures of all tests: an own cache of compiled loops, and the small account."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import small

import gep


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled loops out of the user's cache; share them within one run of the tests."""
    before = os.environ.get("GEP_CACHE")
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own  # by all workers
    os.environ["GEP_CACHE"] = str(shared / "compiled")
    yield
    if before is None:
        del os.environ["GEP_CACHE"]
    else:
        os.environ["GEP_CACHE"] = before


@pytest.fixture
def small_account(tmp_path: Path) -> Path:
    """gep.toml of a small account of this test's own (see small.py)."""
    return small.write(tmp_path / "account")


@pytest.fixture(scope="session")
def small_result(tmp_path_factory: pytest.TempPathFactory) -> gep.Result:
    """Result of the small account with its unallocated hole, run once; do not change it."""
    path = small.write(tmp_path_factory.mktemp("small"), hole=True)
    return gep.open(path).run(threads=2)
