"""Every faulty trainer is named with its line, and no right one is accused."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.judge.causes import Demands
from oracle.trajectory import diff_script
from tests.diff.table import CHOICES, RULES, TRAINERS

HERE = Path(__file__).parent / "trainers"


def test_every_trainer_has_a_row() -> None:
    assert {path.stem for path in HERE.glob("*.py")} - {"engine"} == {*TRAINERS, *RULES, *CHOICES}
    assert len(TRAINERS) >= 12
    said = f"{len(TRAINERS)} trainers with one defect each and {len(RULES)} right ones"
    assert said in (HERE.parents[2] / "README.md").read_text(encoding="utf-8")


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


@pytest.mark.parametrize("name", CHOICES)
def test_a_choice_is_told_and_demanded_by_profile(name: str) -> None:
    slug, words = CHOICES[name]
    for profile, code in (("lecture", 0), ("torch", 1)):
        report = diff_script(HERE / f"{name}.py", demands=Demands(profile)).report
        assert report.exit_code == code
        assert [(c.mistake, c.severity, c.demanded) for c in report.causes] == [(slug, "policy", bool(code))]
        assert any(words in note for note in report.notes)


def test_what_is_frozen_is_a_note() -> None:
    notes = diff_script(HERE / "right_last_layer.py").report.notes
    assert any(note.startswith("frozen, or forgotten? model.layers[0][0].w[0]") for note in notes)


def test_an_old_gradient_is_drawn() -> None:
    (cause,) = diff_script(HERE / "zero_grad_of_weights.py").drawn.causes
    assert cause.example is not None
    old = [row for row in cause.example.table if row.cause]
    assert [row.grad_verdict for row in old] == ["wrong"] * 3, "one for each bias"
    assert all(row.grad != row.global_grad for row in old)


def last_loss(name: str) -> float:
    detail = diff_script(HERE / f"{name}.py").report.cases[-1].detail
    return float(detail.removeprefix("loss ").partition(",")[0])


@pytest.mark.parametrize(
    ("names", "right"),
    [
        (
            ("uphill", "only_weights", "zero_grad_of_weights", "data_replaced", "rate_squared"),
            "right_zero_last",
        ),
        (("adam_without_root", "adam_betas_swapped"), "right_adam"),
    ],
)
def test_pytorch_trained_beside_comes_where_a_right_trainer_does(names: tuple[str, ...], right: str) -> None:
    """Same first weights, same data, the rule that was meant."""
    want = last_loss(right)
    for name in names:
        (note,) = [
            n for n in diff_script(HERE / f"{name}.py").report.notes if n.startswith("trained by PyTorch")
        ]
        found = float(note.partition("the loss is ")[2].split()[0])
        assert found == pytest.approx(want, rel=1e-3), name
        yours = float(note.rpartition(" ")[2])
        assert yours != found, name
