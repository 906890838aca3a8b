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
OURS = ["micrograd", *speed.BARS]


def rounds(*jobs: speed.Job) -> list[speed.Round]:
    return speed.measure(jobs, ROUNDS)


@pytest.mark.parametrize("collector", [True, False], ids=["collector on", "collector off"])
@pytest.mark.parametrize("engine", speed.BARS)
def test_times_faster_than_micrograd(engine: str, collector: bool) -> None:
    bar = speed.BARS[engine][0 if collector else 1]
    theirs, ours = speed.step("micrograd", collector), speed.step(engine, collector)
    found = speed.ratio(rounds(theirs, ours), theirs, ours)
    print(f"\n{engine}: {found:.3g} times (bar {bar:g})")
    assert found >= bar


def test_a_long_chain_costs_as_much_a_node_as_a_short_one() -> None:
    short, long = (speed.graph("minigrad", "chain", nodes) for nodes in (10_000, 1_000_000))
    growth = 1 / speed.ratio(rounds(short, long), short, long)
    print(f"\nchain of 1,000,000: {growth:.2f} times the time a node of 10,000 (bar 1.3)")
    assert growth <= 1.3


def test_bytes_a_node() -> None:
    """As `tracemalloc` sees them; the process's peak, with the lists of backward, is in the script's table."""
    job = speed.Job("size", ("minigrad",))
    used = speed.run(job)["bytes"]
    print(f"\n{used:.0f} bytes a node (bar 165)")
    assert used <= 165


def test_batched_pytorch() -> None:
    slow, fast = speed.judged("scalar"), speed.judged("batched")
    found = speed.ratio(rounds(slow, fast), slow, fast)
    print(f"\nbatched: {found:.3g} times the scalar graph (bar 50)")
    assert found >= 50


@pytest.mark.parametrize("shape", ["random graph", "chain"])
def test_local_answers(shape: str) -> None:
    slow, fast = speed.judged("scalar", shape), speed.judged("local", shape)
    found = speed.ratio(rounds(slow, fast), slow, fast)
    print(f"\nlocal, {shape}: {found:.3g} times the scalar graph (bar 100)")
    assert found >= 100


def test_a_diff_costs_less_than_the_engine_it_tests() -> None:
    theirs, ours = speed.graph("micrograd", "random graph", 100_000), speed.judged("diff")
    found = speed.ratio(rounds(theirs, ours), theirs, ours)
    print(f"\ndiff: {found:.3g} times as fast as micrograd's forward and backward (bar 1)")
    assert found >= 1


def test_packed_programs() -> None:
    slow, fast = speed.packed("global", False), speed.packed("global", True)
    found = speed.ratio(rounds(slow, fast), slow, fast)
    print(f"\n1,000 programs packed: {found:.3g} times (bar 10)")
    assert found >= 10


@pytest.mark.parametrize("engine", OURS)
def test_demo_step(benchmark: Any, engine: str) -> None:
    benchmark.group = "demo step, in one process"
    benchmark.pedantic(ENGINES[engine].step(), rounds=3, warmup_rounds=1)
