"""Air and sun of a day: the examples of FAO 56; kernels that call them, compiled and plain.

Numbers and results of the examples are those printed in FAO Irrigation and Drainage Paper 56.
"""

import inspect
import math
from typing import Any

import pytest

from gep import fuse, weather
from gep.fuse import compiled, pixelwise
from gep.preparation import preparations

STEAM = (17.27, 237.3)
ORBIT = (365.0, 0.033, 0.409, 1.39, 118.08)
SHARED = [f for _, f in inspect.getmembers(weather, inspect.isfunction)]


def tripled(x: float) -> float:
    return 3.0 * x


def added(x: float, y: float) -> float:
    return tripled(x) + y


def calling(x: float) -> float:
    return added(x, 0.5) if x > 0.0 else math.nan


def test_saturation_as_in_example_3() -> None:
    """24.5 and 15 degrees: 3.075 and 1.705, mean 2.39 kPa; not 2.30 of the mean temperature."""
    assert 0.6108 * weather.saturation(24.5, *STEAM) == pytest.approx(3.075, abs=5e-4)
    assert 0.6108 * weather.saturation(15.0, *STEAM) == pytest.approx(1.705, abs=5e-4)
    found = weather.saturation_of_day(24.5, 15.0, 0.6108, *STEAM)
    assert found == pytest.approx(2.39, abs=5e-3)


def test_psychrometric_as_in_example_2() -> None:
    """1800 m: 81.8 kPa, 0.054 kPa a degree."""
    numbers = (101.3, 293.0, 0.0065, 5.26)
    assert weather.psychrometric(1800.0, *numbers, 1.0) == pytest.approx(81.8, abs=0.05)
    assert weather.psychrometric(1800.0, *numbers, 0.000665) == pytest.approx(0.054, abs=5e-4)
    assert weather.psychrometric(50_000.0, *numbers, 0.000665) == 0.0, "no air, no NaN"


def test_slope_is_the_derivative() -> None:
    for mean in (-5.0, 16.9, 30.2):
        step = 1e-4
        around = (0.6108 * weather.saturation(mean + s, *STEAM) for s in (step, -step))
        above, below = around
        found = weather.saturation_rise(mean, 0.6108, *STEAM)
        assert found == pytest.approx((above - below) / (2 * step), rel=1e-6)


def test_sun_as_in_examples_8_and_9() -> None:
    """3 September at 20 degrees south: 32.2 MJ/m2, 11.7 hours."""
    outside, sunset = weather.sun(245, -20.0, *ORBIT)
    assert outside == pytest.approx(32.2, abs=0.05)
    assert 24 / math.pi * sunset == pytest.approx(11.7, abs=0.05)
    assert weather.sun(354, 80.0, *ORBIT) == (pytest.approx(0.0, abs=1e-12), 0.0), "polar night"


def test_radiation_as_in_examples_10_to_12() -> None:
    """Rio de Janeiro in May: 14.45 MJ/m2 of 25.1 with 7.1 of 10.9 hours of sun; 7.6 stay."""
    found = weather.through_clouds(25.1, 10.9 / 24 * math.pi, 7.1 / 24, 0.25, 0.5)
    assert found == pytest.approx(14.45, abs=5e-3)
    state = (14.5, 25.1, 0.0, 25.1, 19.1, 2.1)
    numbers = (0.75, 2e-5, 0.3, 0.23, 4.903e-9, 273.16, 0.34, 0.14, 1.35, 0.35)
    assert weather.net_radiation(*state, *numbers) == pytest.approx(7.6, abs=0.05)


@pytest.mark.parametrize("function", SHARED, ids=lambda f: f.__name__)
def test_missing_in_missing_out(function: Any) -> None:
    count = len(inspect.signature(function).parameters)
    for place in range(count):
        arguments = [0.5] * count
        arguments[place] = math.nan
        found = function(*arguments)
        for value in found[:1] if isinstance(found, tuple) else [found]:
            assert math.isnan(value), place


@pytest.mark.parametrize("function", SHARED, ids=lambda f: f.__name__)
def test_they_call_nothing_but_math_and_one_another(function: Any) -> None:
    beside = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    assert all(v is math or v in SHARED for v in beside.values() if v is not None)


def test_a_kernel_is_compiled_with_what_it_calls() -> None:
    quick = compiled(calling)
    assert quick(2.0) == calling(2.0) == 6.5
    assert math.isnan(quick(-1.0))


def test_what_a_kernel_calls_decides_which_compiled_code_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A changed line two calls away is another file in the cache, outside of the package too."""
    texts = []
    real = inspect.getsource
    for line in ("", "# changed\n"):
        with monkeypatch.context() as patch:
            patch.setattr(
                fuse.inspect,
                "getsource",
                lambda f, line=line: real(f) + (line if f is tripled else ""),
            )
            texts.append(pixelwise(calling, 1, 0, 0, 0).__module__)
    assert texts[0] != texts[1]


def test_kernels_of_preparations_call_shared_functions_or_none() -> None:
    """What is compiled with a kernel stands in its own room or in that of the weather."""
    for one in preparations().values():
        if one.whole:
            continue
        for function in fuse._called(one.kernel).values():
            assert function.__module__ in (one.kernel.__module__, "gep.weather"), one.key
