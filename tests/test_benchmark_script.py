"""scripts/benchmark: what it prints of measurements, of those that failed, and where it writes; nothing is timed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts" / "benchmarks"))

import run as script
from jobs import SHAPES, build

from minigrad import Value
from oracle.recording import from_graph


def outcome(job: script.Job) -> dict[str, Any]:
    """micrograd takes 40 times as long as anything else, and cannot do chains; the C extension dies in a step."""
    if job.kind == "graph" and job.arguments[:2] == ("micrograd", "chain"):
        return {"error": "RecursionError"}
    if job == script.step("C extension", True):
        return {"error": "dies of SIGSEGV"}
    if job.kind == "found":
        way, error = job.arguments
        return {"seconds": 0.2, "found": way == "oracle.diff" and error > 0, "says": "tanh is wrong: at 1"}
    return {"seconds": 4e-5 if "micrograd" in job.arguments else 1e-6, "bytes": 100.0}


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[script.Round]:
    monkeypatch.setattr(script, "run", outcome)
    return script.measure(script.rounds_of(list(script.PARTS), 3))


def test_every_part_has_a_table(rounds: list[script.Round]) -> None:
    assert script.TABLES.keys() == script.PARTS.keys()
    for part, table in script.TABLES.items():
        rows = [line for line in table(rounds) if line.startswith("|")]
        assert len(rows) >= 4 and len({row.count("|") for row in rows}) == 1, part


def test_ratios_and_failures(rounds: list[script.Round]) -> None:
    steps = "\n".join(script.step_table(rounds))
    assert "| minigrad | 0.001 ms | 40 | 0.001 ms | 40 | 0.0001 MB |" in steps
    assert "| C extension | dies of SIGSEGV | – | 0.001 ms | 40 | – |" in steps
    graphs = "\n".join(script.graph_table(rounds))
    assert "| micrograd | 40 µs (40), 100 B | RecursionError | RecursionError |" in graphs
    found = "\n".join(script.found_table(rounds))
    assert "| oracle.diff | 0.20 s | found | found | found | tanh is wrong |" in found
    assert "none of them complains" in found


def test_bars_say_what_is_reached_and_what_is_in_the_way_of_the_rest(rounds: list[script.Round]) -> None:
    lines = list(script.bars_table(rounds))
    fused = "minigrad, fused: demo step, beside micrograd, collector off"
    assert f"| {fused} | ≥ 12 × | 40 × |  |" in lines
    assert any("| ≥ 200 × | **40 ×** | " in line for line in lines)
    assert "| a node with its number, by `tracemalloc` | ≤ 165 B | 100 B |  |" in lines


def test_rounds_and_what_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars have all rounds, tables without one fewer; a chain that failed short is not tried long."""
    tried: list[script.Job] = []
    monkeypatch.setattr(script, "run", lambda job: tried.append(job) or outcome(job))
    rounds = script.measure(script.rounds_of(list(script.TABLES), 5))
    assert [all(job in found for job in script.PARTS["bars"]) for found in rounds] == [True] * 5
    assert [script.graph("smallgrad", "chain", 100_000) in found for found in rounds] == [True, *[False] * 4]
    long = script.graph("micrograd", "chain", 1_000_000)
    assert long not in tried and rounds[0][long] == {"error": "RecursionError"}
    told = script.machine(rounds, list(script.TABLES))
    assert (
        "Medians of 5 rounds (step: 3, graph: 1, growth: 2, oracle: 3, found: 2) of fresh processes" in told
    )


def test_an_engine_that_dies_is_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    died = subprocess.CompletedProcess([], -signal.SIGSEGV, "", "")
    monkeypatch.setattr(subprocess, "run", lambda *given, **options: died)
    assert script.run(script.graph("minigrad", "chain", 10)) == {"error": "dies of SIGSEGV"}


@pytest.mark.parametrize("words", [["--rounds", "0"], ["--readme", "--only", "step"]])
def test_options_that_mean_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        script.main(words)
    assert stopped.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_into_the_readme(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a\n<!-- performance -->\nold\n<!-- /performance -->\nb\n")
    script.into_readme("new", readme)
    assert readme.read_text() == "a\n<!-- performance -->\nnew\n<!-- /performance -->\nb\n"
    readme.write_text("no marks")
    with pytest.raises(ValueError, match="performance"):
        script.into_readme("new", readme)


@pytest.mark.parametrize("shape", SHAPES)
def test_graphs_have_the_size_they_are_said_to_have(shape: str) -> None:
    root = build(Value, SHAPES[shape](2_000))
    root.backward()
    program, seen = from_graph(root)
    assert abs(len(program.ops) - 2_000) <= 2
    assert all(abs(x) < float("inf") for x in (*seen.data, *seen.grad))
