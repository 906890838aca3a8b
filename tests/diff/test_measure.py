"""Update rules are measured from numbers alone, to the last digit that rounding leaves."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle.trajectory.adaptive import Adaptive
from oracle.trajectory.measure import Rule, Update, drowned, exchanged, proportional, rule, uphill

POINTS = [(random.Random(k).uniform(-2, 2), random.Random(k + 50).uniform(-3, 3)) for k in range(7)]


def updates(step: object) -> dict[int, Update]:
    assert callable(step)
    return {k: Update(x, step(k, x, g), g) for k, (x, g) in enumerate(POINTS)}


@pytest.mark.parametrize("rate", [0.05, 1.0, -0.1, 1e-7, 0.973])
def test_gradient_descent(rate: float) -> None:
    assert rule(updates(lambda k, x, g: x - rate * g)) == Rule("sgd", rate)


def test_weight_decay() -> None:
    found = rule(updates(lambda k, x, g: x - 0.1 * (g + 0.01 * x)))
    assert (found.kind, found.rate) == ("decay", 0.1)
    assert found.second == pytest.approx(0.01, rel=1e-9)


def history(late: bool) -> list[dict[int, Update]]:
    """Three steps with momentum 0.9 and step size 0.05; gradients differ from step to step."""
    out = []
    data = {k: x for k, (x, _) in enumerate(POINTS)}
    velocity = dict.fromkeys(data, 0.0)
    for step in range(3):
        grads = {k: random.Random(10 * k + step).uniform(-3, 3) for k in data}
        now = {}
        for k, g in grads.items():
            new = 0.9 * velocity[k] + g
            moved = data[k] - 0.05 * (velocity[k] if late else new)
            now[k] = Update(data[k], moved, g)
            velocity[k], data[k] = new, moved
        out.append(now)
    return out


def test_momentum() -> None:
    *earlier, last = history(late=False)
    found = rule(last, earlier)
    assert (found.kind, found.rate, found.second) == ("momentum", 0.05, 0.9)


def test_late_momentum() -> None:
    *earlier, last = history(late=True)
    assert rule(last, earlier).kind == "late momentum"


def test_what_is_no_rule_is_said_to_be_unknown() -> None:
    assert rule(updates(lambda k, x, g: x + (-1) ** k * 0.1)).kind == "unknown"


ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(st.dictionaries(st.integers(1, 4), st.builds(Update, ANY, ANY, ANY), min_size=1), max_size=4))
def test_no_numbers_stop_the_measuring(history: list[dict[int, Update]]) -> None:
    adaptive = Adaptive()
    for step, step_updates in enumerate(history, 1):
        found = rule(step_updates, history[: step - 1])
        adapted = adaptive.feed(step, step_updates, {"lr": 0.1})
        for one in (found, adapted):
            assert one is None or (one.words and one.brief)
        uphill(step_updates), drowned(step_updates), exchanged(step_updates)
    adaptive.verdict()


def test_direction() -> None:
    assert uphill(updates(lambda k, x, g: x + 0.1 * g))
    assert not uphill(updates(lambda k, x, g: x - 0.1 * g))
    assert proportional(updates(lambda k, x, g: x + 0.1 * g))
    assert not proportional(updates(lambda k, x, g: 0.5))


def test_one_parameter_with_momentum_is_told_from_a_schedule() -> None:
    """Any change is some rate times the gradient; three intervals together say more."""

    def run(momentum: float, fall: float) -> str:
        x, velocity, rate = 3.0, 0.0, 0.05
        kept: list[dict[int, Update]] = []
        for _ in range(6):
            g = 2.0 * (x - 1.0)
            velocity = momentum * velocity + g
            kept.append({1: Update(x, x - rate * velocity, g)})
            x, rate = x - rate * velocity, rate * fall
        return rule(kept[-1], kept[:-1]).kind

    assert run(0.9, 1.0) == "momentum"
    assert run(0.0, 0.9) == run(0.0, 1.0) == "sgd"
