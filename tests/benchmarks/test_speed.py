"""The bars of speed and memory, and pytest-benchmark's table of the demo step."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))

import benchmark as speed
from benchmark import Job

ROUNDS = 5


@pytest.fixture(scope="module")
def rounds() -> list[dict[Job, float]]:
    """Everything, once, in interleaved fresh processes."""
    return speed.measure([job for job in speed.JOBS if "scalargrad" not in job.arguments], ROUNDS)


@pytest.mark.parametrize("collector", [True, False], ids=["collector on", "collector off"])
@pytest.mark.parametrize("engine", speed.BARS)
def test_times_faster_than_micrograd(rounds: list[dict[Job, float]], engine: str, collector: bool) -> None:
    bar = speed.BARS[engine][0 if collector else 1]
    found = speed.ratio(rounds, Job("step", ("micrograd", collector)), Job("step", (engine, collector)))
    print(f"\n{engine}: {found:.3g} times (bar {bar:g})")
    assert found >= bar


def test_a_long_chain_costs_as_much_a_node_as_a_short_one(rounds: list[dict[Job, float]]) -> None:
    growth = 1 / speed.ratio(rounds, Job("chain", (10_000,)), Job("chain", (1_000_000,)))
    print(f"\nchain of 1,000,000: {growth:.2f} times the time a node of 10,000 (bar 1.3)")
    assert growth <= 1.3


def test_bytes_a_node(rounds: list[dict[Job, float]]) -> None:
    used = rounds[0][Job("bytes", ("minigrad",))]
    print(f"\n{used:.0f} bytes a node (bar 165)")
    assert used <= 165


@pytest.mark.parametrize("engine", [name for name in speed.ENGINES if name != "scalargrad"])
def test_demo_step(benchmark: Any, engine: str) -> None:
    benchmark.group = "demo step, in one process"
    benchmark.pedantic(speed.ENGINES[engine](), rounds=3, warmup_rounds=1)
