"""What a tile follows from: the functions of the system's library, too."""

import json
import math
import platform
from pathlib import Path

import numpy as np
import pytest

import gep
from gep import ledger, manifest, origin


def by_hand(at: float) -> list[float]:
    """What `origin.probed` asks for, by Python's own functions."""
    found = [math.exp(at), math.exp(-at), math.log(at), math.log10(at), math.sqrt(at)]
    found += [math.sin(at), math.cos(at), math.tan(at), math.atan(at)]
    return [*found, at**1.73, at**-0.27]


def test_every_function_is_tried_at_every_number() -> None:
    found = np.full((origin.FUNCTIONS, len(origin.PROBES)), np.nan)
    origin.probed(origin.PROBES, found)
    wanted = np.array([by_hand(float(at)) for at in origin.PROBES]).T
    assert found.shape == wanted.shape == (11, 100)
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
    assert np.isfinite(found).all()


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Functions are tried again, and forgotten afterwards."""
    monkeypatch.setattr(origin, "mathematics", origin.mathematics.__wrapped__)
    return monkeypatch


def test_the_last_bit_of_one_function_is_another_mathematics(anew: pytest.MonkeyPatch) -> None:
    before = origin.mathematics()
    assert before == origin.mathematics()
    inner = origin.routine

    def routine(function: object) -> object:
        def off(at: np.ndarray, out: np.ndarray) -> None:
            inner(origin.probed)(at, out)
            out[2, 57] = np.nextafter(out[2, 57], np.inf)

        return off

    anew.setattr(origin, "routine", routine)
    assert origin.mathematics() != before


def test_another_library_of_the_system_is_another_origin(
    small_account: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = gep.open(small_account).check().plan
    assert plan
    hashes = manifest.digests(plan, 1, {})
    before = origin.parts(plan, hashes)
    assert json.loads(json.dumps(before)) == before, "as the ledger gives it back"
    assert origin.parts(plan, hashes) == before
    monkeypatch.setattr(platform, "libc_ver", lambda: ("glibc", "0.1"))
    other = origin.parts(plan, hashes)
    monkeypatch.undo()
    monkeypatch.setattr(origin, "mathematics", lambda: "ab")
    third = origin.parts(plan, hashes)
    assert len({ledger.key_of(parts) for parts in (before, other, third)}) == 3
    for parts in (other, third):
        assert [r.en for r in origin.reasons(parts, [before])] == ["the code or a library changed"]
