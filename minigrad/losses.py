"""Losses: how far predictions are from their targets, as one Value.

Each takes a list of predictions (Values) and a list of targets of the same length (numbers, or Values) and returns
the mean of the terms of its formula; reduction="sum" gives their sum, "none" the list of them. A single pair need
not be put into lists. Formulas are those of torch.nn.functional. No term branches on its data in Python, so a loss
can be recorded and replayed. All raise ValueError for lists of different or no length and an unknown reduction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from minigrad.engine import Value, as_value
from minigrad.functions import logaddexp

Numbers = Value | float | Sequence[Value | float]
Loss = Any  # a Value; with reduction="none" a list of Values


def mse(predictions: Numbers, targets: Numbers, reduction: str = "mean") -> Loss:
    """(p - t)², the squared error; torch's mse_loss."""
    return _reduce(((p - t) ** 2 for p, t in _pairs(predictions, targets)), reduction)


def l1(predictions: Numbers, targets: Numbers, reduction: str = "mean") -> Loss:
    """|p - t|, the absolute error; torch's l1_loss."""
    return _reduce((abs(p - t) for p, t in _pairs(predictions, targets)), reduction)


def huber(predictions: Numbers, targets: Numbers, delta: float = 1.0, reduction: str = "mean") -> Loss:
    """d²/2 for an error d = |p - t| up to delta, and delta*(d - delta/2) beyond; torch's huber_loss.

    With c the smaller of d and delta, both are c*(d - c/2). Raises ValueError when delta is not above 0.
    """
    if not delta > 0:
        raise ValueError(f"huber: delta must be above 0, got {delta}")

    def term(d: Value) -> Value:
        c = d.clamp(max=delta)
        return c * (d - c * 0.5)

    return _reduce((term(abs(p - t)) for p, t in _pairs(predictions, targets)), reduction)


def hinge(scores: Numbers, targets: Numbers, reduction: str = "mean") -> Loss:
    """max(0, 1 - t*p) for targets -1 and 1: the max-margin loss of a support vector machine."""
    return _reduce(((1 - p * t).relu() for p, t in _pairs(scores, targets)), reduction)


def bce_with_logits(logits: Numbers, targets: Numbers, reduction: str = "mean") -> Loss:
    """-t*log(s) - (1 - t)*log(1 - s) with s = sigmoid(p), for targets in [0, 1]: binary cross-entropy.

    Since log(1 - s) = log(s) - p, this is (1 - t)*p - log(s), which does not overflow;
    torch's binary_cross_entropy_with_logits.
    """
    return _reduce(((1 - t) * p - p.logsigmoid() for p, t in _pairs(logits, targets)), reduction)


def cross_entropy(
    rows: Sequence[Sequence[Value | float]], targets: Sequence[int], reduction: str = "mean"
) -> Loss:
    """log Σ exp(row) - row[t]: minus the logarithm of the probability that a row of logits gives to its class t.

    torch's cross_entropy with class indices. Raises ValueError when there is no such class.
    """
    terms = []
    for row, target in _zipped(rows, targets):
        if not 0 <= target < len(row):
            raise ValueError(
                f"cross_entropy: class {target} of a row of {len(row)} logits; classes count from 0"
            )
        terms.append(logsumexp(row) - row[target])
    return _reduce(terms, reduction)


def logsumexp(row: Sequence[Value | float]) -> Value:
    """log Σ exp(x), without overflow, as a chain of logaddexp: log(exp(x) + exp(y)) is one op with its own rule.

    Subtracting the largest number first, the usual way, would need to know which one it is.
    """
    return reduce(logaddexp, row[1:], as_value(row[0], "logsumexp"))


def _pairs(predictions: Numbers, targets: Numbers) -> Iterable[tuple[Value, Value | float]]:
    """Each prediction with its target."""
    ps, ts = ([x] if isinstance(x, (Value, float, int)) else x for x in (predictions, targets))
    return ((as_value(p, "a loss"), t) for p, t in _zipped(ps, ts))


def _zipped(predictions: Sequence[Any], targets: Sequence[Any]) -> Iterable[tuple[Any, Any]]:
    if len(predictions) != len(targets) or not len(predictions):
        raise ValueError(
            f"{len(predictions)} predictions and {len(targets)} targets: give a target for each, and at least one"
        )
    return zip(predictions, targets, strict=True)


def _reduce(terms: Iterable[Value], reduction: str) -> Loss:
    terms = list(terms)
    if reduction == "none":
        return terms
    if reduction not in ("mean", "sum"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', got {reduction!r}")
    total = reduce(Value.__add__, terms)
    return total / len(terms) if reduction == "mean" else total
