"""Large graphs: judged in bulk as they are one by one, in bounded time and memory, and shown in part."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import oracle
from minigrad import Value
from oracle import fuzz, torch_reference
from oracle.case import Backward, Case, Observation, Observe
from oracle.judge import bulk, excerpt
from oracle.judge.equations import Run, Traits, runs
from oracle.judge.locals import judge
from oracle.program import Node, Program
from oracle.reports import json_
from oracle.torch_reference import scalar
from oracle.vocabulary import ROWS, Point

RULES = tuple((row.name, form) for row in ROWS if not row.settings[0] for form in row.forms)
PLAIN = Traits({})


def plain_run(n: int) -> Run | None:
    """A random program as PyTorch does it, all of it leading to the root."""
    case = fuzz.case(RULES, "bulk", n)
    program = case.program
    if case.steps != (Backward(program.root), Observe()) or not program.ops or not all(program.reaches()):
        return None
    (run,) = runs(case, torch_reference.run(case))
    return run


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 10**6),
    st.sampled_from([0.0, 1e-15, 1e-12, 1e-6, 1.0, float("nan")]),
    st.sampled_from([0, 1, 1000]),
)
def test_the_same_verdicts(n: int, error: float, crowd: int) -> None:
    """Of PyTorch's own numbers, and with one number changed by a little or a lot; sums of more than `crowd` pushes are
    judged by tensors alone."""
    run = plain_run(n)
    if run is None:
        return
    draw = random.Random(n)
    if error:
        made, grad = list(run.made), [g or 0.0 for g in run.grad]
        column = draw.choice((made, grad))
        k = draw.randrange(len(run.program.inputs) if column is made else 0, len(made))
        column[k] += error * (abs(column[k]) or 1.0)
        observed = Observation(tuple(made), tuple(grad))
        (run,) = runs(run.case, [observed])
    (one_by_one,) = judge([run], PLAIN)
    with patch.object(bulk, "CROWD", crowd):
        in_bulk = bulk.in_bulk(run, PLAIN)
    for a, b in zip(in_bulk.failures, one_by_one.failures, strict=True):
        assert (a.equation, a.value, a.what, a.feeders) == (b.equation, b.value, b.what, b.feeders)
        assert (a.ordinary, a.imprecise) == (b.ordinary, b.imprecise)
        assert (a.expected, a.bound) == pytest.approx((b.expected, b.bound), rel=1e-15, nan_ok=True)
    assert len(in_bulk.data) == len(in_bulk.grad) == len(run.program)


def test_unobserved_gradients_are_judged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "LARGE", 0)
    case = Case("some/case", oracle.record(lambda a, b: (a * b).tanh() + a, 0.5, 2.0))
    (run,) = runs(case, torch_reference.run(case))
    leaves = replace(run, grad=[g if i < 2 else None for i, g in enumerate(run.grad)])
    assert not bulk.judge_one(leaves, PLAIN).failures
    assert not bulk.judge_one(run, PLAIN).failures


def large(nodes: int = 30_000) -> tuple[Value, list[Value]]:
    """A chain with a branch at every link, of weights that are used by thousands. And every tanh in it."""
    draw = random.Random(3)
    values = [Value(draw.uniform(0.5, 1.5), f"w{k}") for k in range(10)]
    out = values[0]
    branches = []
    for k in range(nodes // 5):
        branches.append((values[k % 10] * values[(k + 3) % 10]).tanh())
        out = out * 0.9999 + branches[-1]
    out.backward()
    return out, branches


def test_a_large_right_graph() -> None:
    report = oracle.diff(large()[0])
    assert report.ok and not report.causes
    assert "all were judged" in report.notes[0]


def deep(nodes: int = 30_000) -> tuple[Value, list[Value]]:
    """A chain of products and sums with one leaf, which has as many consumers."""
    leaf = Value(1.0001)
    made = [leaf * leaf]
    for k in range(nodes):
        made.append(made[-1] + leaf if k % 3 == 0 else made[-1] * 0.9999 if k % 3 == 1 else made[-1] * leaf)
    made[-1].backward()
    return made[-1], made


def test_a_wrong_number_in_a_deep_graph_with_a_crowded_leaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the leaf's sum is asked push by push, nor PyTorch for the whole graph."""
    root, made = deep()
    expected = made[9_000].grad
    made[9_000].grad *= 1.001
    counted = Counter[str]()

    def point(self: Program, node: Node, data: Sequence[float]) -> Point:
        counted["asked"] += 1
        return asked(self, node, data)

    asked = Program.operand_data
    monkeypatch.setattr(Program, "operand_data", point)
    monkeypatch.setattr(scalar, "run", None)
    report = oracle.diff(root)
    assert counted["asked"] < 100
    assert report.exit_code == 1 and report.unexplained == 0
    example = report.causes[0].example
    assert example is not None
    row = next(row for row in example.table if row.node == example.node)
    assert row.grad_verdict == "wrong" and row.grad == made[9_000].grad
    assert row.local_grad == row.global_grad == expected
    assert report.notes[0].endswith("computed by PyTorch's formulas, not by PyTorch")


def test_a_crowded_sum_that_lacks_pushes_is_wrong_itself() -> None:
    leaf = Value(0.5)
    out = leaf
    for k in range(25_000):
        out = out * 0.5 + leaf * (1.0 + k % 7)
    out.backward()
    leaf.grad -= 0.25
    report = oracle.diff(out)
    assert [(cause.kind, cause.wrong_numbers) for cause in report.causes] == [("schedule", 1)]


@pytest.mark.parametrize("error", [1e-3, 1e-9, 1e-12])
def test_one_wrong_number_of_many(error: float) -> None:
    root, branches = large()
    branches[1_000].parents[0].grad *= 1 + error
    report = oracle.diff(root)
    blamed = {(cause.kind, cause.op, cause.operand) for cause in report.causes}
    assert ("derivative", "tanh", 0) in blamed
    assert report.ok == (error < 1e-6)


def test_the_report_stays_small_and_says_so() -> None:
    root, branches = large()
    for branch in branches:
        branch.parents[0].grad *= 1.001
    report = oracle.diff(root)
    cause = next(c for c in report.causes if (c.kind, c.op) == ("derivative", "tanh"))
    assert cause.wrong_numbers == len(branches)
    assert len(json_.dumps(report)) < 200_000
    assert f"examples show {excerpt.SHOWN} values at most" in report.notes[0]
    example = cause.example
    assert example is not None and len(example.table) == len(example.program) <= excerpt.SHOWN
    row = next(row for row in example.table if row.node == example.node)
    assert row.grad_verdict == "wrong" and row.grad == example.yours != example.local
    assert [row.node for row in example.table] == [example.program.name(k) for k in range(len(example.table))]


def test_the_lines_of_a_large_example_show_the_rule_alone() -> None:
    """They run, and a right engine gets from them what the wrong number should have been."""
    root, branches = large()
    branches[1_000].parents[0].grad *= 1.001
    report = oracle.diff(root)
    example = next(c.example for c in report.causes if c.op == "tanh")
    assert example is not None and example.local is not None
    names: dict[str, Value] = {}
    exec(example.code, {"Value": Value}, names)
    assert names[example.node].grad == pytest.approx(example.local, rel=1e-14)


def test_a_value_of_a_large_graph() -> None:
    root, branches = large()
    branches[1_000].data += 1e-3
    report = oracle.diff(root)
    assert ("forward", "tanh") in {(cause.kind, cause.op) for cause in report.causes}
