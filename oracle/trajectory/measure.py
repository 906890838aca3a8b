"""The update rule of a training loop, measured: from data before, gradient and data after, for every parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    last = earlier[-1] if earlier else None
    pairs: list[tuple[str, list[tuple[float, float, float, float]]]] = []
    if last is not None and len(earlier) > 0:
        both = [(u, last[s]) for s, u in updates.items() if s in last]
        pairs.append(("momentum", [(u.change, v.change, -u.grad, u.noise + v.noise) for u, v in both]))
        pairs.append(("late momentum", [(u.change, v.change, -v.grad, u.noise + v.noise) for u, v in both]))
    pairs.append(("decay", [(u.change, -u.old, -u.grad, u.noise) for u in updates.values()]))
    for kind, rows in pairs:
        found = _two(rows)
        if found is not None and (kind != "late momentum" or abs(found[1]) > 0):
            first, rate = found
            if kind == "decay":
                if rate and abs(first) > 1e-15:
                    return Rule("decay", rate, first / rate)
                continue
            return Rule(kind, rate, first)
    rate = _adam([*earlier, updates])
    return Rule("unknown") if rate is None else Rule("adam", rate)


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


def _two(rows: Sequence[tuple[float, float, float, float]]) -> tuple[float, float] | None:
    """p and q with y = p·a + q·b in every row (y, a, b, noise), where three rows at least agree."""
    rows = [row for row in rows if all(map(math.isfinite, row))]
    if len(rows) < 3:
        return None
    best, index = 0.0, (0, 0)
    first = max(range(len(rows)), key=lambda n: abs(rows[n][1]) + abs(rows[n][2]))
    for n, (_, a, b, _) in enumerate(rows):
        cross = abs(rows[first][1] * b - a * rows[first][2])
        if cross > best:
            best, index = cross, (first, n)
    if not best:
        return None
    (y0, a0, b0, e0), (y1, a1, b1, e1) = rows[index[0]], rows[index[1]]
    det = a0 * b1 - a1 * b0
    p, q = (y0 * b1 - y1 * b0) / det, (a0 * y1 - a1 * y0) / det
    ep = (e0 * abs(b1) + e1 * abs(b0)) / abs(det)
    eq = (abs(a0) * e1 + abs(a1) * e0) / abs(det)
    for y, a, b, e in rows:
        allowed = 2 * (e + ep * abs(a) + eq * abs(b)) + SLACK * (abs(p * a) + abs(q * b))
        if abs(y - p * a - q * b) > allowed:
            return None
    return _rounded(p, ep), _rounded(q, eq)


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
