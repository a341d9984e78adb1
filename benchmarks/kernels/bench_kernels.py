"""The same under pytest-benchmark, which compares with what it kept before:

python -m pytest benchmarks/kernels/bench_kernels.py --benchmark-autosave --benchmark-compare
"""

import os
from collections.abc import Callable
from typing import Any

import pytest

from kernels.kernels import SIDE, cases, plan

CASES = cases(plan(int(os.environ.get("GEP_BENCH_SIDE", SIDE))))


@pytest.mark.parametrize("name", CASES)
def test_kernel(benchmark: Callable[..., Any], name: str) -> None:
    CASES[name]()
    benchmark(CASES[name])
