"""What is said of a cause: the corrected line where there is one, and what its rules do not reproduce."""

from __future__ import annotations

import pytest

from oracle.report import Cause
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


def test_numbers_that_depend_on_state_are_counted() -> None:
    state, plain = causes("tanh_reads_own_gradient.py")[0], causes("mul_upstream_dropped.py")[0]
    assert 0 < state.unproven < state.wrong_numbers
    assert plain.unproven == 0 < plain.wrong_numbers


def test_an_operand_that_the_graph_is_not_told_of() -> None:
    (cause,) = (c for c in causes("mul_left_untold.py") if c.severity == "wrong")
    assert (cause.kind, cause.op, cause.operand, cause.mistake) == ("schedule", "mul", 0, "detached")
    assert cause.message.startswith("mul does not tell the graph of its left operand")


def test_a_seed_that_cannot_be_read() -> None:
    (cause,) = (c for c in causes("leaf_seed_two.py") if c.severity == "wrong")
    assert cause.message == "the gradient of the root starts at 2 instead of 1"
