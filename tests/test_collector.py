"""The collector of garbage rests while a start makes what stays, and only then."""

import gc
import subprocess
import sys

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


def test_a_process_that_ends_leaves_all_as_it_is() -> None:
    """What was registered before is called after it, and finds everything put aside."""
    code = """if True:
        import atexit, gc
        atexit.register(lambda: print(gc.get_freeze_count() > 1000))
        from gep.collector import leave_all_at_exit
        leave_all_at_exit()
        leave_all_at_exit()
        print(gc.get_freeze_count())
    """
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["0", "True"]
