"""The collector of garbage rests while a start makes what stays, and only then."""

import gc

import pytest

from gep.collector import resting


@pytest.mark.parametrize("before", [True, False])
def test_it_is_afterwards_as_it_was_before(before: bool) -> None:
    was = gc.isenabled()
    try:
        (gc.enable if before else gc.disable)()
        with resting():
            assert not gc.isenabled()
        assert gc.isenabled() == before
        with pytest.raises(ValueError, match="inside"), resting():
            raise ValueError("inside")
        assert gc.isenabled() == before
    finally:
        (gc.enable if was else gc.disable)()


def test_a_function_may_ask_for_it_every_time() -> None:
    @resting()
    def asked() -> bool:
        return gc.isenabled()

    assert not asked()
    assert not asked()
    assert gc.isenabled()
