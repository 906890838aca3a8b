"""Every faulty trainer is named with its line, and no right one is accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.trajectory import diff_script
from tests.diff.table import RULES, TRAINERS

HERE = Path(__file__).parent / "trainers"


def test_every_trainer_has_a_row() -> None:
    assert {path.stem for path in HERE.glob("*.py")} - {"engine"} == {*TRAINERS, *RULES}
    assert len(TRAINERS) >= 12


@pytest.mark.parametrize("name", TRAINERS)
def test_a_faulty_trainer_is_named(name: str) -> None:
    expected = TRAINERS[name]
    path = HERE / f"{name}.py"
    report = diff_script(path).report
    assert report.exit_code == 1
    assert report.unexplained == 0
    assert [(c.kind, c.mistake) for c in report.causes] == [("lifecycle", expected.mistake)]
    (cause,) = report.causes
    assert cause.file == str(path)
    assert cause.line is not None
    assert expected.source in path.read_text().splitlines()[cause.line - 1]
    assert cause.cases[0] == f"diff/step-{expected.step}"


@pytest.mark.parametrize("name", RULES)
def test_a_right_trainer_is_not_accused(name: str) -> None:
    report = diff_script(HERE / f"{name}.py").report
    assert report.causes == ()
    assert report.exit_code == 0
    assert report.counts["pass"] == len(report.cases)
    assert any(RULES[name] in note for note in report.notes)


def test_an_old_gradient_is_drawn() -> None:
    (cause,) = diff_script(HERE / "zero_grad_of_weights.py").drawn.causes
    assert cause.example is not None
    old = [row for row in cause.example.table if row.cause]
    assert [row.grad_verdict for row in old] == ["wrong"] * 3, "one for each bias"
    assert all(row.grad != row.global_grad for row in old)
