"""The speed gate: what is timed is what it says, a slow engine has a large ratio, and the gate fails by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from oracle import benchmark, torch_reference
from oracle.baseline import Baseline
from oracle.benchmark import Timing, cases, measure, ratios, render
from oracle.case import Answer, Backward, Case, Observe
from oracle.compare import compare
from oracle.gate import Gate
from oracle.subjects import Subject, open_subject
from tests.gate.conftest import ENGINES
from tests.gate.reports import report

FAST = str(ENGINES / "closures.py")


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain engine in the place of minigrad."""
    monkeypatch.setattr(benchmark, "minigrad", lambda: open_subject(FAST))


def test_a_time_that_decides_is_measured_again_and_the_median_counts(
    reference: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One disturbed measurement of three does not fail a build."""
    seen = iter([3.1, 2.0, 2.1, 1.0, 1.0])

    def once(name: str, *_: object) -> list[Timing]:
        return [Timing(name, "forward", 300, 1.0, next(seen))]

    monkeypatch.setattr(benchmark, "_program", once)
    old = Baseline.of(report(), {f"{name} forward": 2.0 for name in benchmark.PROGRAMS})
    with open_subject(FAST) as subject:
        found = measure(subject, Gate(Path("b.json"), old).decides)
    assert [timing.ratio for timing in found] == [2.1, 1.0, 1.0]
    assert next(seen, None) is None
    assert Gate(Path("b.json"), None, update=True).decides(found[0]) and not Gate().decides(found[0])


@pytest.mark.parametrize("name", benchmark.PROGRAMS)
def test_the_programs_are_computed_right(name: str) -> None:
    program = benchmark.PROGRAMS[name]()
    assert 300 < len(program) < 700 and set(program.ops) == {"add", "mul"}
    case = Case(f"benchmark/{name}", program, steps=(Backward(program.root), Observe()))
    with open_subject(FAST) as subject:
        (answer,) = subject.run([case])
    (mine,), (theirs,) = answer.observations, torch_reference.run(case)
    assert mine.data == pytest.approx(theirs.data, rel=1e-12)
    assert all(mine.grad)  # every value leads to the root, and no gradient underflows


def test_what_is_asked() -> None:
    asked = cases("fan", repeats=3)
    assert [[type(step).__name__ for step in case.steps] for case in asked.values()] == [
        ["Zero"],
        ["Rebuild"] * 3,
        ["Backward"] * 3,
    ]


def slowed(tmp_path: Path, where: str) -> Subject:
    """The plain engine, with 20 µs of work in the method named `where`."""
    text = Path(FAST).read_text()
    at = text.index(f"def {where}")
    at = text.index("\n", at) + 1
    (tmp_path / "slow.py").write_text(text[:at] + "        sum(range(2000))\n" + text[at:])
    return open_subject(str(tmp_path / "slow.py"))


@pytest.mark.usefixtures("reference")
def test_a_slow_forward_fails_the_gate_and_a_backward_as_ever_does_not(tmp_path: Path) -> None:
    with open_subject(FAST) as subject:
        before = Baseline.of(report(), ratios(measure(subject, rounds=5, repeats=4)))
    assert set(before.speed) == {f"{name} {p}" for name in benchmark.PROGRAMS for p in benchmark.PASSES}
    with slowed(tmp_path, "__add__") as subject:
        timings = measure(subject, rounds=5, repeats=4)
    failing = [c.text for c in compare(report(), before, date.min, ratios(timings)) if c.fails]
    assert any(text.startswith("slower: chain forward takes") for text in failing)
    found, blocks = Gate(tmp_path / "b.json", before).settle(report(), timings, date.min)
    assert found.exit_code == 1
    assert "× minigrad" in blocks[0] and "slower: chain forward" in blocks[1]
    assert any(note.startswith("speed: chain forward takes") for note in found.notes)


@pytest.mark.usefixtures("reference")
def test_an_engine_that_cannot_do_it_is_said_so(tmp_path: Path) -> None:
    text = (
        Path(FAST)
        .read_text()
        .replace("def backward(self):", "def backward(self):\n        raise KeyError(3)")
    )
    (tmp_path / "broken.py").write_text(text)
    with open_subject(str(tmp_path / "broken.py")) as subject:
        timings = measure(subject, rounds=1, repeats=1)
    assert ratios(timings) == {}
    assert "KeyError: 3" in render(timings)


def test_the_table() -> None:
    rows = [Timing("fan", "forward", 302, 302e-6, 1.5), Timing("fan", "backward", 302, problem="no backward")]
    assert render(rows).splitlines() == [
        "speed           values  µs a value  × minigrad",
        "fan forward        302        1.00        1.50",
        "fan backward       302  no backward",
    ]


def test_minigrad_can_be_timed() -> None:
    with benchmark.minigrad() as subject:
        assert len(ratios(measure(subject, rounds=1, repeats=1))) == 6


def test_the_processors_time_counts_where_both_tell_it(
    reference: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause is not the engine's; a subject that tells no time of its own is timed by the clock."""
    real = benchmark._answer

    def paused(engine: Subject, case: Case) -> Answer:
        answer = real(engine, case)
        slow = engine is subject and not case.name.endswith("empty")
        return replace(answer, seconds=answer.seconds + 9 * slow, cpu=answer.cpu if told else None)

    monkeypatch.setattr(benchmark, "_answer", paused)
    with open_subject(FAST) as subject:
        (answer,) = subject.run([cases("fan")["forward"]])
        assert answer.cpu is not None and 0 < answer.cpu < answer.seconds
        told = True
        assert all(ratio < 5 for ratio in ratios(measure(subject, rounds=3, repeats=4)).values())
        told = False
        assert all(ratio > 100 for ratio in ratios(measure(subject, rounds=3, repeats=4)).values())
