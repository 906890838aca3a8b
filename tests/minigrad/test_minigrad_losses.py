"""Losses against torch.nn.functional: values and gradients, kinks and far tails included, and mistakes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minigrad import Value, losses


def margin(p: Tensor, t: Tensor, reduction: str = "mean") -> Tensor:
    terms = torch.relu(1 - p * t)
    return {"mean": terms.mean, "sum": terms.sum, "none": lambda: terms}[reduction]()


def binary(p: Tensor, t: Tensor, reduction: str = "mean") -> Tensor:
    return F.binary_cross_entropy_with_logits(p, t, reduction=reduction)


ROWS: list[tuple[Callable[..., Any], Callable[..., Tensor], dict[str, Any], str]] = [
    (losses.mse, F.mse_loss, {}, "reals"),
    (losses.l1, F.l1_loss, {}, "reals"),
    (losses.huber, F.huber_loss, {}, "reals"),
    (losses.huber, F.huber_loss, {"delta": 0.3}, "reals"),
    (losses.hinge, margin, {}, "signs"),
    (losses.bce_with_logits, binary, {}, "probabilities"),
]
TARGETS: dict[str, Callable[[random.Random], float]] = {
    "reals": lambda rng: rng.uniform(-3, 3),
    "signs": lambda rng: rng.choice((-1.0, 1.0)),
    "probabilities": lambda rng: rng.choice((0.0, 1.0, rng.random())),
}
# Equal to the target, at the kinks of huber and hinge, and far out.
EDGES = {
    "reals": [(1.5, 1.5), (2.5, 1.5), (1.8, 1.5), (-1e9, 3.0), (0.0, 1e-9)],
    "signs": [(1.0, 1.0), (-1.0, -1.0), (0.0, 1.0), (1e300, -1.0)],
    "probabilities": [(0.0, 0.5), (800.0, 0.0), (-800.0, 1.0), (40.0, 1.0), (-40.0, 0.0)],
}


@pytest.mark.parametrize(("ours", "theirs", "settings", "kind"), ROWS)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_values_and_gradients_are_torchs(
    ours: Callable[..., Any],
    theirs: Callable[..., Tensor],
    settings: dict[str, Any],
    kind: str,
    reduction: str,
) -> None:
    rng = random.Random(8)
    pairs = [(rng.uniform(-3, 3), TARGETS[kind](rng)) for _ in range(30)]
    for points in (pairs, *[[pair] for pair in EDGES[kind]]):
        predictions = [Value(p) for p, _ in points]
        p = torch.tensor([p for p, _ in points], dtype=torch.float64, requires_grad=True)
        t = torch.tensor([t for _, t in points], dtype=torch.float64)
        loss = ours(predictions, [t for _, t in points], reduction=reduction, **settings)
        want = theirs(p, t, reduction=reduction, **settings)
        if reduction == "none":
            assert [x.data for x in loss] == pytest.approx(want.tolist(), rel=4e-16, abs=1e-300)
            loss, want = sum(loss, Value(0.0)), want.sum()
        assert loss.data == pytest.approx(want.item(), rel=4e-15)
        loss.backward()
        want.backward()
        assert [x.grad for x in predictions] == pytest.approx(p.grad.tolist(), rel=4e-15, abs=1e-17)  # type: ignore[union-attr]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
def test_cross_entropy_is_torchs(size: int) -> None:
    rng = random.Random(size)
    rows = [[rng.uniform(-5, 5) for _ in range(size)] for _ in range(6)]
    rows += [[800.0 * (-1) ** k for k in range(size)], [-800.0] * size, [1e5 * k for k in range(size)]]
    targets = [rng.randrange(size) for _ in rows]
    ours = [[Value(x) for x in row] for row in rows]
    theirs = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    loss = losses.cross_entropy(ours, targets)
    want = F.cross_entropy(theirs, torch.tensor(targets))
    assert loss.data == pytest.approx(want.item(), rel=1e-14, abs=1e-15)
    loss.backward()
    want.backward()
    for row, grads in zip(ours, theirs.grad.tolist(), strict=True):  # type: ignore[union-attr]
        assert [x.grad for x in row] == pytest.approx(grads, rel=1e-13, abs=1e-16)
    if size > 1:
        assert any(x.grad for x in ours[0])


def test_a_single_pair_needs_no_lists() -> None:
    assert losses.mse(Value(3.0), 1.0).data == 4.0
    assert losses.hinge(Value(-0.5), -1).data == 0.5


def test_targets_may_be_values() -> None:
    p, t = Value(3.0), Value(1.0)
    losses.mse([p], [t]).backward()
    assert (p.grad, t.grad) == (4.0, -4.0)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: losses.mse([Value(1.0)], [1.0, 2.0]), "1 predictions and 2 targets"),
        (lambda: losses.l1([], []), "and at least one"),
        (lambda: losses.mse([Value(1.0)], [1.0], reduction="avg"), "'mean', 'sum' or 'none', got 'avg'"),
        (lambda: losses.huber([Value(1.0)], [1.0], delta=0.0), "delta must be above 0"),
        (lambda: losses.cross_entropy([[Value(1.0), 2.0]], [2]), "class 2 of a row of 2"),
        (lambda: losses.cross_entropy([[Value(1.0), 2.0]], [-1]), "class -1"),
    ],
)
def test_mistakes_get_a_sentence(act: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        act()
