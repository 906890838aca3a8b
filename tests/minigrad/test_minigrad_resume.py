"""Training saved and taken up again, from minigrad's state or PyTorch's: the numbers are those without a break."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_twin import tensor

from minigrad import Value, optim

OPTIMISERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", {"lr": 0.05, "amsgrad": True}),
    ("AdamW", {"lr": 0.05, "betas": (0.5, 0.9)}),
]
SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 1.0 / (1.0 + epoch)}),
    ("CosineAnnealingLR", {"T_max": 4, "eta_min": 0.01}),
]
gradients = st.lists(st.tuples(*[st.floats(-3, 3)] * 2), min_size=2, max_size=12)


def groups(leaf: Callable[[float], Any]) -> list[dict[str, Any]]:
    return [{"params": [leaf(1.0)]}, {"params": [leaf(-2.0)], "lr": 0.02}]


def walk(optimiser: Any, schedule: Any, steps: list[tuple[float, ...]], mine: bool) -> None:
    for gs in steps:
        for group, g in zip(optimiser.param_groups, gs, strict=True):
            group["params"][0].grad = g if mine else torch.tensor(g, dtype=torch.float64)
        optimiser.step()
        schedule.step()


def numbers(optimiser: Any) -> list[tuple[float, float]]:
    values = [(group["params"][0], group["lr"]) for group in optimiser.param_groups]
    return [(p.data if isinstance(p, Value) else p.item(), lr) for p, lr in values]


@settings(deadline=None)
@given(st.sampled_from(OPTIMISERS), st.sampled_from(SCHEDULES), gradients, st.data())
def test_a_state_goes_on_where_it_was_saved(
    optimiser: tuple[str, dict[str, Any]],
    schedule: tuple[str, dict[str, Any]],
    steps: list[tuple[float, ...]],
    data: st.DataObject,
) -> None:
    name, given_ = optimiser
    kind, of = schedule
    at = data.draw(st.integers(0, len(steps)))

    def made(module: Any, schedules: Any, leaf: Callable[[float], Any]) -> tuple[Any, Any]:
        one = getattr(module, name)(groups(leaf), **given_)
        return one, getattr(schedules, kind)(one, **of)

    torchs = made(torch.optim, torch.optim.lr_scheduler, tensor)
    walk(*torchs, steps[:at], mine=False)
    saved = copy.deepcopy([x.state_dict() for x in torchs])
    ours = made(optim, optim, Value)
    walk(*ours, steps[:at], mine=True)
    own = [x.state_dict() for x in ours]
    assert own[0]["state"].keys() == {
        n for n, held in saved[0]["state"].items() if any(x is not None for x in held.values())
    }
    assert own[0]["state"] == {
        n: pytest.approx({k: float(x) for k, x in held.items() if x is not None}, rel=1e-13, abs=1e-13)
        for n, held in saved[0]["state"].items()
        if n in own[0]["state"]
    }
    assert (
        own[1].items() <= {**saved[1], "lr_lambdas": saved[1].get("lr_lambdas")}.items() or kind == "LambdaLR"
    )
    reached = numbers(torchs[0])
    walk(*torchs, steps[at:], mine=False)
    for states in (own, saved):
        later = made(optim, optim, Value)
        for group, (x, _) in zip(later[0].param_groups, reached, strict=True):
            group["params"][0].data = x
        for what, state in zip(later, states, strict=True):
            what.load_state_dict(state)
        assert later[1].get_last_lr() == saved[1]["_last_lr"] and later[1].last_epoch == at
        walk(*later, steps[at:], mine=True)
        assert numbers(later[0]) == [pytest.approx(pair, rel=1e-12, abs=1e-12) for pair in numbers(torchs[0])]


@pytest.mark.parametrize(("kind", "of"), SCHEDULES)
@pytest.mark.parametrize("last_epoch", [0, 3, 4])
def test_a_schedule_is_taken_up_at_an_epoch(kind: str, of: dict[str, Any], last_epoch: int) -> None:
    """A new one over the optimiser's loaded state, as PyTorch's documentation has it."""

    def rates(module: Any, schedules: Any, leaf: Callable[[float], Any]) -> list[list[float]]:
        one = module.SGD([leaf(1.0)], lr=0.1)
        first = getattr(schedules, kind)(one, **of)
        for _ in range(last_epoch):
            one.step()
            first.step()
        again = module.SGD([leaf(1.0)], lr=0.7)
        again.load_state_dict(one.state_dict())
        second = getattr(schedules, kind)(again, **of, last_epoch=last_epoch)
        seen = [second.get_last_lr()]
        for _ in range(6):
            again.step()
            second.step()
            seen.append(second.get_last_lr())
        assert second.last_epoch == last_epoch + 7
        return seen

    assert rates(optim, optim, Value) == rates(torch.optim, torch.optim.lr_scheduler, tensor)


def test_a_state_is_a_copy() -> None:
    x = Value(1.0)
    one = optim.SGD([x], lr=0.1, momentum=0.9)
    x.grad = 1.0
    one.step()
    state = one.state_dict()
    one.step()
    assert state["state"] == {0: {"momentum_buffer": 1.0}} and state["param_groups"][0]["params"] == [0]


class Falling:
    def __init__(self, by: float) -> None:
        self.by = by

    def __call__(self, epoch: int) -> float:
        return self.by**epoch


def test_functions_are_kept_when_they_are_objects() -> None:
    one = optim.LambdaLR(optim.SGD([Value(1.0)], lr=0.1), Falling(0.5))
    other = optim.LambdaLR(optim.SGD([Value(1.0)], lr=0.1), Falling(0.9))
    other.load_state_dict(one.state_dict())
    assert one.state_dict()["lr_lambdas"] == [{"by": 0.5}]
    assert [f.by for f in other.lr_lambdas] == [0.5]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ([{"params": [Value(1.0)]}, {"params": [Value(2.0)]}], "1 groups of parameters, this optimiser 2"),
        ([Value(1.0), Value(2.0)], "group 0 has 1 parameters in the state, 2 in this optimiser"),
    ],
)
def test_a_state_of_another_shape_is_refused(params: Any, words: str) -> None:
    one, other = optim.SGD([Value(1.0)], lr=0.1), optim.SGD(params, lr=0.2)
    with pytest.raises(ValueError, match=words):
        other.load_state_dict(one.state_dict())
    assert other.param_groups[0]["lr"] == 0.2


def test_a_state_with_settings_that_make_no_sense_changes_nothing() -> None:
    one, other = optim.SGD([Value(1.0)], lr=0.1), optim.SGD([Value(1.0)], lr=0.2)
    state = one.state_dict()
    state["param_groups"][0]["momentum"] = -1.0
    with pytest.raises(ValueError, match="momentum must be 0 or more"):
        other.load_state_dict(state)
    assert other.param_groups[0]["lr"] == 0.2


def test_a_schedule_cannot_go_on_with_what_never_began() -> None:
    with pytest.raises(KeyError, match="initial_lr is not in param_groups"):
        optim.StepLR(optim.SGD([Value(1.0)]), 2, last_epoch=3)
    with pytest.raises(KeyError, match="state of a StepLR has no step_size"):
        optim.StepLR(optim.SGD([Value(1.0)]), 2).load_state_dict(
            {"gamma": 1, "base_lrs": [], "last_epoch": 1, "_last_lr": []}
        )
