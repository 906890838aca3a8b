"""What is said of a cause: the corrected line where there is one, and what its rules do not reproduce."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from oracle import suite
from oracle.checking import check
from oracle.judge import quotients
from oracle.judge.causes import Demands
from oracle.judge.probe import Pushed
from oracle.report import Cause
from oracle.subjects import open_subject
from tests import corpus, table


def causes(file: str) -> list[Cause]:
    (row,) = (row for row in corpus.FAULTY if row.file == file)
    return [cause for cause in table.report(row).causes if cause.severity != "policy"]


@pytest.mark.parametrize(
    ("file", "reads"),
    [
        ("mul_overwrites.py", "should read: node.grad += slope * out.grad"),
        ("misnamed_sub.py", "should read: def __sub__(self, other):"),
    ],
)
def test_a_line_is_corrected_where_that_is_certain(file: str, reads: str) -> None:
    assert reads in causes(file)[0].hints[2]


@pytest.mark.parametrize("file", ["mul_upstream_dropped.py", "preorder.py"])
def test_no_other_line_is(file: str) -> None:
    hint = causes(file)[0].hints[2]
    assert "now reads" in hint and "should read" not in hint


def test_a_slope_that_is_wrong_where_it_is_0_is_not_a_factor() -> None:
    (cause,) = (c for c in causes("relu_leaky_slope.py") if c.severity == "wrong")
    assert cause.mistake is None
    assert "at some points" in cause.message and " times" not in cause.message


def test_numbers_that_depend_on_state_are_counted() -> None:
    state, plain = causes("tanh_reads_own_gradient.py")[0], causes("mul_upstream_dropped.py")[0]
    assert 0 < state.unproven < state.wrong_numbers
    assert plain.unproven == 0 < plain.wrong_numbers


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("sigmoid_slope_at_input.py", "Push out.grad · y · (1 - y) to a."),
        ("tanh_slope_at_input.py", "Push out.grad · (1 - y²) to a."),
    ],
)
def test_the_formula_stands_as_it_is_to_be_written(file: str, says: str) -> None:
    (cause,) = (c for c in causes(file) if c.severity == "wrong")
    assert cause.hints[2].startswith(says)
    assert cause.example is not None
    shown = [(row.grad, row.local_grad) for row in cause.example.table if row.grad_verdict == "wrong"]
    assert all(g is not None and h is not None and abs(g - h) > 1e-3 for g, h in shown), "the numbers show it"


def test_an_op_that_is_there_and_never_works_fails_the_run(tmp_path: Path) -> None:
    """As a method that returns nothing does; one that is still to be written is no op at all."""
    (broken,) = (c for c in causes("math_not_imported.py") if c.op == "exp")
    assert (broken.kind, broken.demanded) == ("missing", True)
    source = (corpus.ENGINES / "math_not_imported.py").read_text(encoding="utf-8")
    before, _, after = source.partition("        out = Value(math.exp(self.data)")
    written = before + "        pass\n\n    def backward" + after.partition("    def backward")[2]
    (tmp_path / "engine.py").write_text(written, encoding="utf-8")
    with open_subject(str(tmp_path / "engine.py")) as subject:
        assert "exp" not in subject.ops and "relu" in subject.ops


def test_one_error_is_no_difference_quotient() -> None:
    """Of so many schemes and steps, some reproduce any error of one operand; at three it takes the real one."""

    def pushed(x: float, slope: float) -> Pushed:
        return Pushed((x,), 0, "alone", 1.0, math.sin(x), slope, math.cos(x), False, True)

    measured = [pushed(x, (math.sin(x + 1e-5) - math.sin(x)) / 1e-5) for x in (0.4, 1.1, 2.3)]
    assert str(quotients.rule("sin", measured)) == "forward differences with step 1e-05"
    assert quotients.rule("sin", measured[:1]) is None
    assert quotients.rule("sin", [pushed(0.4, math.cos(0.4) + 1e-9)] * 4) is None


def test_an_operand_that_the_graph_is_not_told_of() -> None:
    (cause,) = (c for c in causes("mul_left_untold.py") if c.severity == "wrong")
    assert (cause.kind, cause.op, cause.operand, cause.mistake) == ("schedule", "mul", 0, "detached")
    assert cause.message.startswith("mul does not tell the graph of its left operand")


def test_a_seed_that_cannot_be_read(tmp_path: Path) -> None:
    """Only leaves keep gradients: all of them are twice what they should be."""
    source = (corpus.ENGINES / "leaf_gradients.py").read_text(encoding="utf-8")
    (tmp_path / "engine.py").write_text(
        source.replace("{id(self): 1.0}", "{id(self): 2.0}"), encoding="utf-8"
    )
    with open_subject(str(tmp_path / "engine.py")) as subject:
        report = check(subject, suite.cases(), Demands())
    (cause,) = (c for c in report.causes if c.severity == "wrong")
    assert cause.message == "the gradient of the root starts at 2 instead of 1"
    assert not report.unexplained
