"""The statement that computed a number, and the one that pushed a gradient."""

from __future__ import annotations

from collections import Counter

import pytest

from oracle.case import Backward, Case, Observe
from oracle.program import Num, Program
from oracle.subjects import Place, Trace, open_subject
from oracle.vocabulary import VOCABULARY
from tests import corpus

from .conftest import ENGINE, Write, changed


def case(op: str, *inputs: float) -> Case:
    """One op under an upstream gradient that is not 1; the op is value len(inputs) + 1."""
    n = len(inputs) + 1
    return Case("trace/case", Program.build([*inputs, 1.7], [(op, list(range(n - 1))), ("mul", [n, n - 1])]))


def traced(write: Write, text: str, what: Case) -> Trace:
    with open_subject(write(text)) as subject:
        trace = subject.trace(what)
    assert trace is not None
    return trace


def at(text: str, piece: str, after: str = "") -> int:
    """The 1-based line of the first occurrence of a piece of source, behind another one."""
    return text[: text.index(piece, text.index(after))].count("\n") + 1


def line(place: Place | None) -> int | None:
    return place and place.line


def test_closures(write: Write) -> None:
    trace = traced(write, ENGINE, case("tanh", 0.5))
    assert line(trace.values[2]) == at(ENGINE, "t = math.tanh")
    assert [p.line for p in trace.pushes[0]] == [at(ENGINE, "self.grad += (1 - t")]
    assert line(trace.rule(2, 0)) == at(ENGINE, "self.grad += (1 - t")
    assert trace.pushes[0][0].function == "push" and trace.pushes[0][0].first == at(
        ENGINE, "def push", "t = math"
    )
    method = trace.methods[2]
    assert method is not None and (method.function, method.first) == ("tanh", at(ENGINE, "def tanh"))
    assert trace.backward is not None and trace.backward.line == at(ENGINE, "def backward")
    assert [p.line for p in trace.seeds] == [at(ENGINE, "self.grad = 1.0")]


def test_each_operand_has_its_own_line(write: Write) -> None:
    trace = traced(write, ENGINE, case("mul", 0.5, 0.25))
    assert line(trace.rule(3, 0)) == at(ENGINE, "self.grad += other.data")
    assert line(trace.rule(3, 1)) == at(ENGINE, "other.grad += self.data")
    assert line(trace.values[3]) == at(ENGINE, "out = Value(self.data * other.data")
    assert trace.values[0] is None and trace.methods[0] is None


def test_a_composite_is_placed_inside(write: Write) -> None:
    trace = traced(write, ENGINE, case("sub", 0.5, 0.25))
    assert line(trace.values[3]) == at(ENGINE, "out = Value(self.data + other.data")
    method = trace.methods[3]
    assert (
        method is not None
        and method.function == "__sub__"
        and method.line == at(ENGINE, "return self + (-other)")
    )
    assert line(trace.rule(3, 1)) == at(ENGINE, "self.grad += other.data")


def test_a_reflected_operator(write: Write) -> None:
    what = Case("trace/r", Program.build([0.5], [("mul", [Num(3), 0])]))
    method = traced(write, ENGINE, what).methods[1]
    assert method is not None and method.function == "__rmul__"


def test_statements_of_several_lines_and_helpers(write: Write) -> None:
    text = (
        changed(
            ("t = math.tanh(self.data)", "t = squash(\n            self\n            .data)"),
            (
                "self.grad += (1 - t * t) * out.grad",
                "self.grad += (\n                (1 - t * t)\n                * out.grad)",
            ),
        )
        + "\n\ndef squash(x):\n    a, b = math.exp(x), math.exp(-x)\n    return (a - b) / (\n        a + b)\n"
    )
    trace = traced(write, text, case("tanh", 0.5))
    assert line(trace.values[2]) == at(text, "return (a - b)")
    assert line(trace.rule(2, 0)) == at(text, "self.grad += (\n")


def test_a_push_through_a_helper(write: Write) -> None:
    text = changed(
        ("self.grad += (1 - t * t) * out.grad", "self.receive((1 - t * t) * out.grad)"),
        ("    def __neg__", "    def receive(self, g):\n        self.grad += g\n\n    def __neg__"),
    )
    trace = traced(write, text, case("tanh", 0.5))
    assert line(trace.rule(2, 0)) == at(text, "self.receive(")
    assert [p.line for p in trace.stores[0]] == [at(text, "self.grad += g")]


LOCAL = """
import math


class Value:
    __slots__ = ('data', 'grad', 'inputs', 'slopes')

    def __init__(self, data, inputs=(), slopes=()):
        self.data, self.grad, self.inputs, self.slopes = data, 0.0, inputs, slopes

    def __mul__(self, other):
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        t = math.tanh(self.data)
        slope = 1 - t * t
        return Value(t, (self,), (slope,))

    def backward(self):
        self.grad = 1
        self.step()

    def step(self):
        for node, slope in zip(self.inputs, self.slopes):
            node.grad += slope * self.grad
            node.step()
"""


def test_local_gradients(write: Write) -> None:
    trace = traced(write, LOCAL, case("tanh", 0.5))
    assert line(trace.values[2]) == at(LOCAL, "t = math.tanh")
    assert line(trace.locals_of[2]) == at(LOCAL, "slope = 1 -") == line(trace.rule(2, 0))
    trace = traced(write, LOCAL, case("mul", 0.5, 0.25))
    assert line(trace.rule(3, 1)) == at(LOCAL, "return Value(self.data * other.data")


RETURNED = """
class Value:
    def __init__(self, data, inputs=(), rule=None):
        self.data, self.grad, self.inputs, self.rule = data, 0.0, inputs, rule

    def __mul__(self, other):
        return Value(self.data * other.data,
                     (self, other),
                     lambda g: (g * other.data, g * self.data))

    def backward(self):
        self.grad = 1
        stack = [self]
        for node in stack:
            if node.rule:
                for one, g in zip(node.inputs, node.rule(node.grad)):
                    one.grad += g
                    stack.append(one)
"""


def test_rules_that_return_gradients(write: Write) -> None:
    trace = traced(write, RETURNED, case("mul", 0.5, 0.25))
    assert line(trace.rule(3, 0)) == at(RETURNED, "lambda g")
    assert [p.line for p in trace.stores[0]] == [at(RETURNED, "one.grad += g")]


def test_no_push_points_at_the_method(write: Write) -> None:
    text = changed(
        ("t = math.tanh(self.data)", "t = math.tanh(self.data)"),
        ("self.grad += (1 - t * t) * out.grad", "pass"),
    )
    trace = traced(write, text, case("tanh", 0.5))
    assert trace.own[0] == trace.pushes[0] == () and line(trace.rule(2, 0)) == at(text, "def tanh")


def test_overwriting_without_a_change_is_seen(write: Write) -> None:
    text = changed(
        ("self.grad += (1 - t * t) * out.grad", "self.grad = 0.0"), ("self.grad = 1.0", "self.grad = 0.0")
    )
    trace = traced(write, text, case("tanh", 0.5))
    assert line(trace.rule(2, 0)) == at(text, "self.grad = 0.0", "t = math")
    assert [p.line for p in trace.seeds] == [at(text, "self.grad = 0.0", "visit(self)\n        self.grad")]


def test_an_operand_that_is_touched(write: Write) -> None:
    text = changed(("t = math.tanh(self.data)", "t = math.tanh(self.data)\n        self.grad = 0.0"))
    assert [p.line for p in traced(write, text, case("tanh", 0.5)).touched[0]] == [
        at(text, "self.grad = 0.0", "t = math")
    ]


def test_a_crash_is_traced_as_far_as_it_came(write: Write) -> None:
    text = changed(("self.grad += (1 - t * t) * out.grad", "self.grad += nonsense"))
    trace = traced(write, text, case("tanh", 0.5))
    assert line(trace.values[2]) == at(text, "t = math.tanh") and trace.pushes[0] == ()


def test_tracing_leaves_nothing_behind(write: Write) -> None:
    what = Case("trace/case", case("tanh", 0.5).program, steps=(Backward(3), Observe()))
    for text in (ENGINE, LOCAL):
        with open_subject(write(text)) as subject:
            before = subject.run([what])
            first, second = subject.trace(what), subject.trace(what)
            assert first == second is not None
            assert subject.run([what]) == before


# The corpus ---------------------------------------------------------------------------------------------------

SHARES = {"derivative": 0.84, "accumulation": 0.8, "seed": 0.8, "forward": 0.8}
"""Least share of marked lines that the trace of a one-op program finds, by kind of fault: what was lost, or bound too
late, leaves none."""


def guess(row: corpus.Faulty) -> Place | None:
    """The place that the trace of one op, at one ordinary point, suggests for a faulty engine."""
    op = VOCABULARY[row.op or "mul"]
    form = row.form or {1: "value", 2: "value-value"}[op.arity]
    if row.op == "pow" and row.form is None and row.operand == 0:
        form = "value-number"
    inputs: list[float] = []
    operands: list[int | Num] = []
    for kind, x in zip(form.split("-"), op.points[1 if row.op == "relu" else 0], strict=True):
        operands.append(len(inputs) if kind == "value" else Num(3))
        if kind == "value":
            inputs.append(x)
    node = len(inputs) + 1
    program = Program.build([*inputs, 1.7], [(op.name, operands), ("mul", [node, node - 1])])
    with open_subject(str(corpus.path(row)), allow_imports=("numpy",)) as subject:
        trace = subject.trace(Case("trace/corpus", program))
    assert trace is not None
    if row.kind == "seed":
        return trace.seeds[0] if trace.seeds else trace.backward
    if row.kind == "forward":
        return trace.methods[node] if row.form else trace.values[node]
    operand = operands[row.operand or 0]
    return trace.rule(node, operand if isinstance(operand, int) else 0, first=row.kind == "accumulation")


@pytest.mark.parametrize("kind", SHARES)
def test_marked_lines_of_the_corpus(kind: str) -> None:
    found = Counter[bool]()
    for row in corpus.FAULTY:
        if row.kind == kind and (row.op is not None or kind == "seed"):
            place = guess(row)
            found[place is not None and place.line == corpus.line(row)] += 1
    assert found[True] >= SHARES[kind] * found.total() > 0, f"{found[True]} of {found.total()}"
