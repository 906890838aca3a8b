"""The update rule of a training loop, measured: from data before, gradient and data after, for every parameter."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from oracle.floats import U, short
from oracle.trajectory.fit import Row, agreed, fit, rounded

NOISE = 16 * U
"""Rounding of an update, relative to the numbers that are added in it: a product, a sum, and their like."""

POOLED = 6
"""Intervals that are looked at together where one has fewer parameters than a rule has unknowns."""

CLEAR = 1e4
"""A change that is this many times what rounding may do to it says something of its rule."""

GROUPS = 4
"""Step sizes that a rule may have side by side, each for two parameters at least."""


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
"""By the serial of the parameter, in the order in which they were set."""


WORDS = {
    "sgd": "gradient descent, step size {rate}",
    "groups": "gradient descent, step sizes {rate} and others, by parameter",
    "decay": "gradient descent, step size {rate}, weight decay {second}",
    "momentum": "momentum {second}, step size {rate}",
    "nesterov": "Nesterov momentum {second}, step size {rate}",
    "late momentum": "momentum {second} of gradients one step old",
    "shared velocity": "momentum {second} of one velocity for all parameters",
    "replaced": "data set to -{rate} * gradient",
    "multiplied": "data multiplied by 1 - {rate} * gradient",
    "unknown": "an update rule that is not recognised",
}
"""What is said of each kind of rule; one that is not here is the name of an adaptive rule."""


@dataclass(frozen=True)
class Rule:
    """A rule that gives every change of an interval up to rounding.

    kind    of g, the gradient, x, the number, and the change before:
            "sgd": change = -rate*g · "groups": the same, with a few rates · "decay": -rate*(g + decay*x) ·
            "momentum": mu*(last change) - rate*g · "nesterov": its look-ahead · "late momentum": mu*(last change)
            - rate*(last g) · "shared velocity": mu*(change of the parameter before) - rate*g · "replaced":
            x = -rate*g · "multiplied": -rate*g*x · "unknown" · or the name of an adaptive rule
    rate    the step size, below 0 where data moves along the gradient
    second  decay, or mu; 0 where there is none
    error   what rounding leaves open of the rate
    """

    kind: str
    rate: float = math.nan
    second: float = 0.0
    error: float = field(default=0.0, compare=False)

    @property
    def words(self) -> str:
        said = WORDS.get(self.kind, f"{self.kind}, step size {{rate}}")
        return said.format(rate=short(self.rate), second=short(self.second))

    @property
    def brief(self) -> str:
        """A few characters for a table."""
        match self.kind:
            case "unknown":
                return "update not recognised"
            case "sgd" | "groups":
                return f"{'down' if self.rate >= 0 else 'up'} {short(abs(self.rate))}"
            case "momentum" | "nesterov":
                return f"{self.kind} {short(self.second)}, {short(self.rate)}"
            case "decay":
                return f"down {short(self.rate)}, decay {short(self.second)}"
        return f"{self.kind} {short(self.rate)}"


def rule(updates: Updates, earlier: Sequence[Updates] = ()) -> Rule:
    """The simplest rule that gives these changes; `earlier` are the intervals before, first one first."""
    history = [*earlier, updates]
    rate = _rate(updates.values())
    if rate is not None and not _lonely(history, rate[0]):
        return Rule("sgd", rate[0], error=rate[1])
    for kind, rows, read in LINEAR if rate is None else LINEAR[:1]:
        found = fit(rows(history))
        numbers = None if found is None else read(found.numbers)
        if found is not None and numbers is not None:
            return Rule(kind, *numbers, error=found.errors[0])
    if rate is not None:
        return Rule("sgd", rate[0], error=rate[1])  # no momentum, then: a schedule
    several = _groups(list(updates.values()))
    return Rule("unknown") if several is None else Rule("groups", several)


def _lonely(history: Sequence[Updates], rate: float) -> bool:
    """Whether the last interval says no more than one parameter can, and that is another rate than the one before.

    Any change of one parameter is some rate times its gradient; several intervals together tell more.
    """
    if len(history) < 3 or len({u.grad for u in history[-1].values() if u.grad}) > 1:
        return False
    before = _rate(history[-2].values())
    return before is not None and not math.isclose(before[0], rate, rel_tol=1e-6)


def drowned(updates: Updates) -> bool:
    """Whether changes are so small that rounding hides by which rule they were made."""
    clear = sum(abs(u.change) > CLEAR * u.noise for u in updates.values())
    return clear < min(2, len(updates))


def uphill(updates: Updates) -> bool:
    """Whether the parameters as a whole moved along their gradients."""
    return sum(u.change * u.grad for u in updates.values()) > 0


def all_uphill(updates: Updates) -> bool:
    """Whether each of three parameters or more moved along its own gradient."""
    signs = [u.change * u.grad for u in updates.values()]
    return len(signs) >= 3 and all(sign >= 0 for sign in signs) and any(signs)


def proportional(updates: Updates) -> bool:
    """Whether every change is the same multiple of its gradient."""
    return _rate(updates.values()) is not None


def exchanged(updates: Updates) -> list[int]:
    """The parameters that changed by the gradient of another one, by serial; empty when nothing says so.

    Every change must be one rate times some gradient of the interval, and two at least must tell that rate.
    """
    if not 3 <= len(updates) <= 500:
        return []
    serials, values = list(updates), list(updates.values())
    grads = [u.grad for u in values if u.grad]
    moved = [u for u in values if u.change and _finite(u)]
    if len(moved) < 3:
        return []
    own = Counter(float(f"{-u.change / u.grad:.9g}") for u in moved if u.grad)
    first = [-moved[0].change / g for g in grads]
    candidates = [rate for rate, n in own.most_common(1) if n >= 2] or [r for r in first if math.isfinite(r)]
    for rate in candidates:
        odd = [s for s, u in zip(serials, values, strict=True) if not _is(u.change, -rate * u.grad)]
        used = {
            next((k for k, g in enumerate(grads) if _is(updates[s].change, -rate * g)), None) for s in odd
        }
        if odd and None not in used and len(used) > len(odd) / 2:
            return odd
    return []


def _is(x: float, y: float) -> bool:
    return abs(x - y) <= 1e-8 * abs(x)


def _rate(updates: Iterable[Update]) -> tuple[float, float] | None:
    """The one rate with change = -rate*g for every parameter, at the precision of the best, and its error."""
    values = list(updates)
    rows = [(-u.change / u.grad, u.noise / abs(u.grad)) for u in values if u.grad and _finite(u)]
    if any(not u.grad and u.change and _finite(u) for u in values):
        return None
    return agreed(rows)


def _groups(values: Sequence[Update]) -> float | None:
    """The commonest of a few rates with change = -rate*g, where two parameters or more have each."""
    rows = [(-u.change / u.grad, u.noise / abs(u.grad)) for u in values if u.grad and _finite(u)]
    if len(rows) < 4 or any(not u.grad and u.change for u in values):
        return None
    clusters: list[list[tuple[float, float]]] = []
    for row in sorted(rows, key=lambda r: r[1]):
        near = next((c for c in clusters if agreed([c[0], row]) is not None), None)
        if near is None:
            clusters.append([row])
        else:
            near.append(row)
        if len(clusters) > GROUPS:
            return None
    if min(map(len, clusters)) < 2:
        return None
    return rounded(*max(clusters, key=len)[0])


# Rules that are linear in what they use, the simplest first: of each, its equations, and what its coefficients say.


def _momentum(history: Sequence[Updates]) -> list[Row]:
    return [Row(u.change, (-u.grad, v.change), u.noise + v.noise) for u, v in _pairs(history, 2)]


def _late(history: Sequence[Updates]) -> list[Row]:
    return [Row(u.change, (-v.grad, v.change), u.noise + v.noise) for u, v in _pairs(history, 2)]


def _replaced(history: Sequence[Updates]) -> list[Row]:
    return [Row(u.new, (-u.grad,), u.noise) for u in history[-1].values() if u.old]


def _decay(history: Sequence[Updates]) -> list[Row]:
    return [Row(u.change, (-u.grad, -u.old), u.noise) for u in _singles(history, 2)]


def _nesterov(history: Sequence[Updates]) -> list[Row]:
    """change = mu*(last change)*s - rate*(1 + mu)*g + rate*mu*(last g), where s is the step size by the one before:
    PyTorch's v = mu*v + g, change = -rate*(g + mu*v), without v."""
    return [Row(u.change, (-u.grad, v.change, v.grad), u.noise + 2 * v.noise) for u, v in _pairs(history, 3)]


def _heavy(history: Sequence[Updates]) -> list[Row]:
    """Momentum and decay."""
    return [Row(u.change, (-u.grad, v.change, -u.old), u.noise + v.noise) for u, v in _pairs(history, 3)]


def _multiplied(history: Sequence[Updates]) -> list[Row]:
    return [Row(u.change, (-u.grad * u.old,), u.noise) for u in history[-1].values()]


def _shared(history: Sequence[Updates]) -> list[Row]:
    chain = pairwise(history[-1].values())
    return [Row(u.change, (-u.grad, v.change), u.noise + v.noise) for v, u in chain]


Numbers = tuple[float, ...]


def _as_they_are(numbers: Numbers) -> tuple[float, float]:
    return numbers[0], numbers[1] if len(numbers) > 1 else 0.0


def _by_rate(numbers: Numbers) -> tuple[float, float]:
    rate, product = numbers
    return rate, rounded(product / rate, 1e-9 * abs(product / rate))


def _look_ahead(numbers: Numbers) -> tuple[float, float] | None:
    now, _, last = numbers
    rate = now - last
    if not rate or not 0 < last / rate < 1:
        return None
    return rounded(rate, 1e-7 * abs(rate)), rounded(last / rate, 1e-7)


Equations = Callable[[Sequence[Updates]], list[Row]]
Reader = Callable[[Numbers], tuple[float, float] | None]

LINEAR: tuple[tuple[str, Equations, Reader], ...] = (
    ("momentum", _momentum, _as_they_are),
    ("late momentum", _late, _as_they_are),
    ("replaced", _replaced, _as_they_are),
    ("decay", _decay, _by_rate),
    ("nesterov", _nesterov, _look_ahead),
    ("momentum", _heavy, _as_they_are),
    ("multiplied", _multiplied, _as_they_are),
    ("shared velocity", _shared, _as_they_are),
)


def _pairs(history: Sequence[Updates], unknowns: int) -> list[tuple[Update, Update]]:
    """Updates of the last interval with those before them of the same parameter, and of earlier ones as needed."""
    out: list[tuple[Update, Update]] = []
    for k in range(len(history) - 1, max(0, len(history) - POOLED), -1):
        out += [(u, history[k - 1][s]) for s, u in history[k].items() if s in history[k - 1]]
        if len({(u.grad, u.change) for u, _ in out}) > unknowns:
            break
    return out


def _singles(history: Sequence[Updates], unknowns: int) -> list[Update]:
    """Updates of the last interval, and of earlier ones as needed."""
    out: list[Update] = []
    for updates in list(reversed(history))[:POOLED]:
        out += updates.values()
        if len({(u.grad, u.change) for u in out}) > unknowns:
            break
    return out


def _finite(u: Update) -> bool:
    return math.isfinite(u.old) and math.isfinite(u.new) and math.isfinite(u.grad)
