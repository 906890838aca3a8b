"""The update rule of a training loop, measured: from data before, gradient and data after, for every parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from oracle.floats import U, short

NOISE = 16 * U
"""Rounding of an update, relative to the numbers that are added in it: a product, a sum, and their like."""

SLACK = 1e-12
"""Agreement of a rate between parameters, relative, beyond the rounding of each."""


@dataclass(frozen=True)
class Update:
    """How one parameter changed between two backward calls: from, to, and the gradient at the first change."""

    old: float
    new: float
    grad: float

    @property
    def change(self) -> float:
        return self.new - self.old

    @property
    def noise(self) -> float:
        """What rounding may have changed, absolute."""
        return NOISE * (abs(self.old) + abs(self.new) + abs(self.change))


Updates = Mapping[int, Update]
"""By the serial of the parameter."""


@dataclass(frozen=True)
class Rule:
    """A rule that gives every change of an interval up to rounding.

    kind    "sgd": change = −rate·g · "decay": −rate·(g + decay·data) · "momentum": μ·(last change) − rate·g
            "late momentum": μ·(last change) − rate·(last g) · "adam" · "unknown"
    rate    the step size, below 0 where data moves along the gradient
    second  decay, or μ; 0 where there is none
    """

    kind: str
    rate: float = math.nan
    second: float = 0.0

    @property
    def words(self) -> str:
        match self.kind:
            case "sgd":
                return f"gradient descent, step size {short(self.rate)}"
            case "decay":
                return f"gradient descent, step size {short(self.rate)}, weight decay {short(self.second)}"
            case "momentum":
                return f"momentum {short(self.second)}, step size {short(self.rate)}"
            case "late momentum":
                return f"momentum {short(self.second)} of gradients one step old"
            case "adam":
                return f"Adam, step size {short(self.rate)}"
        return "an update rule that is not recognised"


def rule(updates: Updates, earlier: Sequence[Updates] = ()) -> Rule:
    """The simplest rule that gives these changes; `earlier` are the intervals before, first one first."""
    rate = _rate(updates)
    if rate is not None:
        return Rule("sgd", rate)
    last = earlier[-1] if earlier else {}
    both = [(u, last[s]) for s, u in updates.items() if s in last]
    mu = _fit([Row(u.change, (-u.grad, v.change), u.noise + v.noise) for u, v in both])
    if mu is not None:
        return Rule("momentum", *mu)
    late = _fit([Row(u.change, (-v.grad, v.change), u.noise + v.noise) for u, v in both])
    if late is not None and late[1]:
        return Rule("late momentum", *late)
    decay = _fit([Row(u.change, (-u.grad, -u.old), u.noise) for u in updates.values()])
    if decay is not None and decay[0]:
        return Rule("decay", decay[0], _rounded(decay[1] / decay[0], 1e-9 * abs(decay[1] / decay[0])))
    heavy = _fit([Row(u.change, (-u.grad, v.change, -u.old), u.noise + v.noise) for u, v in both])
    if heavy is not None:
        return Rule("momentum", heavy[0], heavy[1])
    adam = _adam([*earlier, updates])
    return Rule("unknown") if adam is None else Rule("adam", adam)


def uphill(updates: Updates) -> bool:
    """Whether the parameters as a whole moved along their gradients."""
    return math.fsum(u.change * u.grad for u in updates.values()) > 0


def proportional(updates: Updates) -> bool:
    """Whether every change is the same multiple of its gradient."""
    return _rate(updates) is not None


def _rate(updates: Updates) -> float | None:
    """The one rate with change = −rate·g for every parameter, at the precision of the best; None if none is."""
    rows = [(-u.change / u.grad, u.noise / abs(u.grad)) for u in updates.values() if u.grad and _finite(u)]
    if any(not u.grad and u.change and _finite(u) for u in updates.values()) or not rows:
        return None
    rate, error = min(rows, key=lambda row: row[1])
    if all(abs(r - rate) <= e + error + SLACK * abs(rate) for r, e in rows):
        return _rounded(rate, error)
    return None


class Row(NamedTuple):
    """One equation: y = Σ coefficient · x, up to noise (absolute)."""

    y: float
    xs: tuple[float, ...]
    noise: float


def _fit(rows: Sequence[Row]) -> tuple[float, ...] | None:
    """The coefficients with which every row holds, where there is a row more at least than there are of them."""
    rows = [row for row in rows if all(map(math.isfinite, (row.y, *row.xs, row.noise)))]
    size = len(rows[0].xs) if rows else 0
    sizes = [max((abs(row.xs[k]) for row in rows), default=0.0) for k in range(size)]
    if len(rows) <= size or not all(sizes):
        return None
    scaled = [Row(row.y, tuple(x / s for x, s in zip(row.xs, sizes, strict=True)), row.noise) for row in rows]
    inverse = _inverse(chosen := _independent(scaled, size))
    if inverse is None:
        return None
    found = [sum(a * row.y for a, row in zip(line, chosen, strict=True)) for line in inverse]
    error = [sum(abs(a) * row.noise for a, row in zip(line, chosen, strict=True)) for line in inverse]
    for row in scaled:
        parts = [c * x for c, x in zip(found, row.xs, strict=True)]
        allowed = 2 * (row.noise + sum(e * abs(x) for e, x in zip(error, row.xs, strict=True)))
        if abs(row.y - sum(parts)) > allowed + SLACK * sum(map(abs, parts)):
            return None
    return tuple(_rounded(c / s, e / s) for c, e, s in zip(found, error, sizes, strict=True))


def _independent(rows: Sequence[Row], size: int) -> list[Row]:
    """As many rows as there are unknowns, as far from each other's span as greedy choice gets them."""
    rest = [(row, list(row.xs)) for row in rows]
    chosen = []
    for _ in range(size):
        row, residue = max(rest, key=lambda pair: sum(x * x for x in pair[1]))
        chosen.append(row)
        norm = sum(x * x for x in residue)
        if norm:
            for _, xs in rest:
                part = sum(a * b for a, b in zip(xs, residue, strict=True)) / norm
                xs[:] = [a - part * b for a, b in zip(xs, residue, strict=True)]
    return chosen


def _inverse(rows: Sequence[Row]) -> list[list[float]] | None:
    """The inverse of a small matrix by elimination; None where it is singular, or nearly so."""
    size = len(rows)
    lines = [[*row.xs, *(float(k == n) for n in range(size))] for k, row in enumerate(rows)]
    for k in range(size):
        pivot = max(range(k, size), key=lambda n: abs(lines[n][k]))
        lines[k], lines[pivot] = lines[pivot], lines[k]
        if abs(lines[k][k]) < 1e-12:
            return None
        lines[k] = [x / lines[k][k] for x in lines[k]]
        for n in range(size):
            if n != k:
                lines[n] = [a - lines[n][k] * b for a, b in zip(lines[n], lines[k], strict=True)]
    return [line[size:] for line in lines]


def _adam(history: Sequence[Updates]) -> float | None:
    """The rate of Adam with PyTorch's defaults from the first update on, None where the changes are not its."""
    beta1, beta2, eps = 0.9, 0.999, 1e-8
    rates = []
    for serial in history[-1]:
        m = v = 0.0
        t = len(history)
        for updates in history:
            if serial not in updates:
                return None
            g = updates[serial].grad
            m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        direction = (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps)
        if direction:
            rates.append(
                (-history[-1][serial].change / direction, history[-1][serial].noise / abs(direction))
            )
    if not rates:
        return None
    rate, error = min(rates, key=lambda row: row[1])
    good = all(abs(r - rate) <= e + error + 1e-9 * abs(rate) for r, e in rates)
    return _rounded(rate, error + 1e-12 * abs(rate)) if good else None


def _finite(u: Update) -> bool:
    return math.isfinite(u.old) and math.isfinite(u.new) and math.isfinite(u.grad)


def _rounded(x: float, error: float) -> float:
    """The shortest decimal within the error of a measured number."""
    for digits in range(1, 17):
        candidate = float(f"{x:.{digits}g}")
        if abs(candidate - x) <= 2 * error + SLACK * abs(x):
            return candidate
    return x
