"""The bars of speed and memory, and pytest-benchmark's table of the demo step."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts" / "benchmarks"))

import run as speed
from engines import ENGINES

ROUNDS = 5
OURS = ["micrograd", "minigrad", "minigrad, fused", "minigrad, compiled"]


@pytest.mark.parametrize("bar", speed.BARS, ids=lambda bar: bar.words)
def test_bar(bar: speed.Bar) -> None:
    rounds = speed.measure([[bar.slow, bar.fast]] * ROUNDS)
    print(f"\n{bar.words}: {bar.measured(rounds):.3g} {bar.unit} (bar {bar.sign} {bar.bar:g})")
    assert bar.reached(rounds), bar.limit


@pytest.mark.parametrize("engine", OURS)
def test_demo_step(benchmark: Any, engine: str) -> None:
    benchmark.group = "demo step, in one process"
    benchmark.pedantic(ENGINES[engine].step(), rounds=3, warmup_rounds=1)
