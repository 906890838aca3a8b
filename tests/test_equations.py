"""The local equations: what must pass, and what must fail, number by number."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from oracle import suite, torch_reference
from oracle.case import Case, Observation
from oracle.judge.equations import Checked, Traits, runs
from oracle.judge.locals import judge
from oracle.recording import record

CASE = Case("test/L", record(lambda a, b, c: (a * b + c) * a.tanh(), 2.0, -3.0, 10.0))


def checked(observation: Observation, traits: Traits | None = None, case: Case = CASE) -> Checked:
    (run,) = runs(case, [observation])
    return judge([run], traits or Traits({}))[0]


def changed(observation: Observation, what: str, i: int, x: float) -> Observation:
    column = list(getattr(observation, what))
    column[i] = x
    return replace(observation, **{what: tuple(column)})


def test_pytorch_passes() -> None:
    assert not checked(torch_reference.run(CASE)[0]).failures


@pytest.mark.parametrize("i", range(7))
def test_every_wrong_gradient_fails_where_it_is_pushed(i: int) -> None:
    observation = torch_reference.run(CASE)[0]
    g = observation.grad[i]
    assert g is not None
    failures = checked(changed(observation, "grad", i, g * (1 + 1e-12))).failures
    assert (failures[0].value, failures[0].what) in {(f.value, "grad") for f in failures}
    assert any(f.value == i for f in failures)


@pytest.mark.parametrize("i", range(3, 7))
def test_every_wrong_value_fails(i: int) -> None:
    observation = torch_reference.run(CASE)[0]
    failures = checked(changed(observation, "data", i, observation.data[i] * (1 + 1e-12))).failures
    assert any(f.equation == 2 and f.value == i for f in failures)


def test_a_wrong_number_is_judged_on_its_own_inputs() -> None:
    """One wrong push upstream makes every number below it differ, and only its own equation fail."""
    observation = torch_reference.run(CASE)[0]
    grad = list(observation.grad)
    root, m, s, t = 6, 3, 4, 5
    grad[s] = 2 * observation.data[t]  # pushed twice too much by the root
    grad[m] = grad[s]
    grad[2] = grad[s]
    grad[1] = grad[m] * 2.0
    grad[0] = grad[m] * -3.0 + (1 - observation.data[t] ** 2) * observation.grad[t]  # type: ignore[operator]
    failures = checked(replace(observation, grad=tuple(grad))).failures
    assert [(f.equation, f.value) for f in failures] == [(4, s)]
    assert failures[0].feeders == ((root, 0),)


def test_seed_and_inputs() -> None:
    observation = torch_reference.run(CASE)[0]
    assert checked(changed(observation, "grad", 6, 2.0)).failures[0].equation == 3
    assert [f.equation for f in checked(changed(observation, "data", 0, 2.5)).failures] == [1]


def test_an_op_that_changes_its_operand() -> None:
    observation = torch_reference.run(CASE)[0]
    later = changed(observation, "data", 3, 0.5)
    assert [f.equation for f in checked(replace(later, made=observation.data)).failures] == [1]


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf])
def test_nan_never_slips_through(x: float) -> None:
    observation = torch_reference.run(CASE)[0]
    for what in ("data", "grad"):
        for i in range(7):
            assert checked(changed(observation, what, i, x)).failures, (what, i)


def test_unobserved_gradients_are_propagated() -> None:
    observation = torch_reference.run(CASE)[0]
    leaves = tuple(g if i < 3 else None for i, g in enumerate(observation.grad))
    only = replace(observation, grad=leaves)
    assert not checked(only).failures
    assert checked(changed(only, "grad", 1, -3.0)).failures


def test_a_convention_at_a_kink() -> None:
    case = Case("test/kink", record(lambda a: a.relu() * 1.7, 0.0))
    observation = torch_reference.run(case)[0]
    other = changed(observation, "grad", 0, 1.7)
    assert checked(other, case=case).failures
    accepted = checked(other, Traits({("relu", 0): 1.0}), case)
    assert not accepted.failures and accepted.conventions == {0}


def test_pytorch_passes_its_own_suite() -> None:
    """Every case of the suite, run by PyTorch, satisfies the equations: the oracle does not contradict itself."""
    found = []
    for case in suite.cases():
        if len(case.program) < 3000 and case.name != "graph/fibonacci-42":
            found += list(runs(case, torch_reference.run(case)))
    wrong = [(c.run.case.name, f.equation, f.value) for c in judge(found, Traits({})) for f in c.failures]
    assert not wrong
