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
from oracle.report import Cause, Report
from oracle.subjects import open_subject
from tests import corpus, table


def causes(file: str) -> list[Cause]:
    (row,) = (row for row in corpus.FAULTY if row.file == file)
    return [cause for cause in table.report(row).causes if cause.severity != "policy"]


def report(path: Path) -> Report:
    with open_subject(str(path)) as subject:
        return check(subject, suite.cases(), Demands())


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
    seen = report(tmp_path / "engine.py")
    (cause,) = (c for c in seen.causes if c.severity == "wrong")
    assert cause.message == "the gradient of the root starts at 2 instead of 1"
    assert not seen.unexplained


HIDDEN = """
class Value:
    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.push = data, 0.0, parents, lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def push():
            self.grad += out.grad
            other.grad += out.grad

        out.push = push
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def push():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.push = push
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other if isinstance(other, Value) else Value(-other))

    def relu(self):
        out = Value(max(0.0, self.data), (self,))

        def push():
            self.grad += (self.data > 0) * out.grad

        out.push = push
        return out

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v.push()
"""
"""A right engine, in which one mistake is put behind another."""


def found(folder: Path, *edits: tuple[str, str]) -> set[tuple[str, str | None, str | None, str | None]]:
    """Kind, op, form and mistake of what is wrong with HIDDEN after these edits."""
    source = HIDDEN
    for before, after in edits:
        assert before in source
        source = source.replace(before, after, 1)
    (folder / "engine.py").write_text(source, encoding="utf-8")
    seen = report(folder / "engine.py")
    assert not seen.unexplained
    return {(c.kind, c.op, c.form, c.mistake) for c in seen.causes if c.severity == "wrong"}


def test_a_missing_seed_hides_nothing(tmp_path: Path) -> None:
    """With the seed set from outside, what it hid is judged as ever."""
    unseeded = ("        self.grad = 1.0\n", "")
    per_child = ("visit(p)\n                order.append(v)", "visit(p)\n                    order.append(v)")
    swapped = ("self.grad += (self.data > 0) * out.grad", "self.grad += (self.data > 0) * out.data")
    assert found(tmp_path) == set()
    assert found(tmp_path, unseeded, per_child, swapped) == {
        ("seed", None, None, "seed"),
        ("schedule", None, None, "repeated"),
        ("derivative", "relu", None, "output-as-upstream"),
    }


def test_a_backward_that_raises_does_not_hide_a_wrong_value(tmp_path: Path) -> None:
    """2 - a is a - 2, and its plain number stands among the parents, where backward stops."""
    reflected = (
        "    def relu(",
        "    def __rsub__(self, other):\n        return Value(self.data - other, (self, other))\n\n    def relu(",
    )
    causes = found(tmp_path, reflected)
    assert ("forward", "sub", "number-value", "operands-swapped") in causes
    assert {(kind, op) for kind, op, _, _ in causes} == {("forward", "sub"), ("raises", "sub")}


MEASURED = """
import math

class Node:
    def __init__(self, x, made_of=()):
        self.x, self.made_of, self.g = x, made_of, 0.0

    def __add__(self, other):
        return Node(self.x + other.x, ((self, lambda t: t + other.x), (other, lambda t: self.x + t)))

    def __sub__(self, other):
        return Node(self.x - other.x, ((self, lambda t: t - other.x), (other, lambda t: self.x - t)))

    def __mul__(self, other):
        return Node(self.x * other.x, ((self, lambda t: t * other.x), (other, lambda t: self.x * t)))

    def __truediv__(self, other):
        return Node(self.x / other.x, ((self, lambda t: t / other.x), (other, lambda t: self.x / t)))

    def __pow__(self, k):
        return Node(self.x ** k, ((self, lambda t: t ** k),))

    def __neg__(self):
        return Node(-self.x, ((self, lambda t: -t),))

    def tanh(self):
        return Node(math.tanh(self.x), ((self, math.tanh),))

    def backward(self, share=1.0):
        self.g += share
        for node, f in self.made_of:
            node.backward((f(node.x + 1e-4) - f(node.x)) / 1e-4 * self.g)
"""


def test_a_traversal_beside_slopes_that_are_measured(tmp_path: Path) -> None:
    """Local slopes by differences, and at each arrival the sum so far is passed on."""
    (tmp_path / "engine.py").write_text(MEASURED, encoding="utf-8")
    seen = report(tmp_path / "engine.py")
    wrong = {(c.kind, c.op, c.mistake) for c in seen.causes if c.severity == "wrong"}
    assert wrong == {("derivative", None, "finite-difference"), ("schedule", None, None)}
    assert not seen.unexplained


def test_a_mistake_behind_a_missing_seed_is_found_too(tmp_path: Path) -> None:
    source = (corpus.ENGINES / "seed_missing.py").read_text(encoding="utf-8")
    right = "self.grad += out.grad * other.data"
    assert source.count(right) == 1
    engine = tmp_path / "engine.py"
    engine.write_text(source.replace(right, "self.grad += out.grad * self.data"), encoding="utf-8")
    seen = report(engine)
    wrong = [(c.kind, c.op, c.operand) for c in seen.causes if c.severity == "wrong"]
    assert wrong == [("seed", None, None), ("derivative", "mul", 0)]
    assert seen.causes[0].example is not None and "grad = 1" not in seen.causes[0].example.code
    assert seen.causes[1].example is not None and ".grad = 1.0\n" in seen.causes[1].example.code
    assert seen.unexplained == 0
    assert seen.exit_code == 1 and seen.ops["mul"].exercised


def test_a_missing_seed_alone_is_the_only_cause_and_no_case_with_a_gradient_passes() -> None:
    seen = report(corpus.ENGINES / "seed_missing.py")
    assert [c.kind for c in seen.causes if c.severity == "wrong"] == ["seed"]
    assert all(case.outcome != "pass" for case in seen.cases if case.level in ("gradient", "accumulate"))


def test_a_root_that_backward_itself_sets_to_zero_is_not_helped() -> None:
    seen = report(corpus.ENGINES / "seed_zero.py")
    assert [c.kind for c in seen.causes if c.severity == "wrong"] == ["seed"]
