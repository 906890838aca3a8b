"""Update rules that divide by the size of earlier gradients: Adam, RMSprop, Adagrad, and mistakes in them.

Every direction runs along from the first update on and drops out when it fails to give a change; the step size is
measured anew each time, so that a schedule makes no difference. Adam's bias corrections are one factor for all
parameters: which of them a script makes is told by the step sizes they leave, at the end.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

from oracle.trajectory.fit import Row, agreed, fit
from oracle.trajectory.measure import Rule, Updates

SAMPLE = 64
"""Parameters that are followed: the first ones with a gradient."""

EPS = 1e-8
OTHER_EPS = 1.1e-7
"""Directions have PyTorch's eps; users' may be anything up to this, or stand within the square root."""

STRUCTURE = 1e-9
"""How well a direction is known beyond that, relative."""

SHARP = 1e-4
"""Changes that tell the step size this well (relative) are evidence; two of them at least."""

CONSTANT = 1e-5
"""How far step sizes that are meant to be one may be apart, relative."""

TINY = 1e-150
"""Roots below this are 0: a gradient that has not come yet."""

UNSURE = (math.nan, math.inf)
"""What an update says that rounding hides: nothing for or against any direction."""


class Seen(NamedTuple):
    """What a rule may use of one parameter in an update: the gradient, its running mean m and that of its square v,
    both corrected for their start at 0, v as it is, the sum of all squares, and the largest v so far, corrected."""

    g: float
    m: float
    v: float
    plain: float
    squares: float
    top: float


@dataclass(frozen=True)
class Direction:
    """Where a rule sends a parameter: above / (root + eps), times a step size that all parameters share.

    mistake   the finding that this direction is, "" for one that PyTorch has
    betas     of the running means of the gradient and of its square
    decays    beside the step the parameter shrinks, by a share that is measured, too
    """

    name: str
    mistake: str
    betas: tuple[float, float]
    parts: Callable[[Seen], tuple[float, float]]
    decays: bool = False


class Correction(NamedTuple):
    """A factor at update t that a script has, relative to Adam's own: name, mistake, factor(t, beta1, beta2)."""

    name: str
    mistake: str
    factor: Callable[[int, float, float], float]


def _first(t: int, b1: float) -> float:
    return 1 / (1 - b1**t)


def _second(t: int, b2: float) -> float:
    return math.sqrt(1 - b2**t)


CORRECTIONS = (
    Correction("Adam", "", lambda t, b1, b2: _first(t, b1) * _second(t, b2)),
    Correction("Adam without bias correction", "adam-uncorrected", lambda t, b1, b2: 1.0),
    Correction(
        "Adam with one of its two corrections", "adam-half-corrected", lambda t, b1, b2: _first(t, b1)
    ),
    Correction(
        "Adam with one of its two corrections", "adam-half-corrected", lambda t, b1, b2: _second(t, b2)
    ),
    Correction(
        "Adam whose step count is one ahead",
        "adam-step-count",
        lambda t, b1, b2: _first(t + 1, b1) * _second(t + 1, b2),
    ),
    Correction(
        "Adam whose step count stays at 1",
        "adam-step-count",
        lambda t, b1, b2: _first(1, b1) * _second(1, b2),
    ),
)


def _directions() -> list[Direction]:
    """Those that PyTorch has come first: of two that give the same numbers the first is meant."""

    def adam(s: Seen) -> tuple[float, float]:
        return s.m, math.sqrt(s.v)

    usual = [
        pair
        for pair in product((0.9, 0.8, 0.85, 0.95, 0.5), (0.999, 0.99, 0.98, 0.95, 0.9))
        if pair[0] <= pair[1]
    ]
    return [
        *(Direction("Adam", "", pair, adam) for pair in usual),
        *(Direction("Adam with amsgrad", "", pair, lambda s: (s.m, math.sqrt(s.top))) for pair in usual),
        *(Direction("AdamW", "", pair, adam, True) for pair in usual),
        *(
            Direction("RMSprop", "", (0.0, b), lambda s: (s.g, math.sqrt(s.plain)))
            for b in (0.99, 0.9, 0.999, 0.95)
        ),
        Direction("Adagrad", "", (0.0, 0.0), lambda s: (s.g, math.sqrt(s.squares))),
        Direction("the gradient's sign alone", "", (0.0, 0.0), lambda s: (s.g, abs(s.g))),
        *(
            Direction("Adam without the square root", "adam-no-root", pair, lambda s: (s.m, s.v))
            for pair in usual
        ),
        *(
            Direction("Adam with its betas swapped", "adam-betas", (b2, b1), adam)
            for b1, b2 in usual
            if b1 < b2
        ),
    ]


DIRECTIONS = _directions()

MISTAKEN = frozenset([d.name for d in DIRECTIONS if d.mistake] + [c.name for c in CORRECTIONS if c.mistake])
"""Names of rules that are a mistake."""


class _State:
    """What is remembered of one parameter: how often it was updated, means by beta, the sum of squares."""

    def __init__(self) -> None:
        self.t = 0
        self.means: defaultdict[tuple[bool, float], float] = defaultdict(float)
        self.tops: defaultdict[float, float] = defaultdict(float)
        self.squares = 0.0

    def advance(self, g: float, betas: set[tuple[bool, float]]) -> None:
        """betas: (whether of the square, beta) for each mean that is wanted."""
        self.t += 1
        self.squares += g * g
        for square, beta in betas:
            x = g * g if square else g
            self.means[square, beta] = beta * self.means[square, beta] + (1 - beta) * x
            self.tops[beta] = max(self.tops[beta], self.means[square, beta]) if square else self.tops[beta]

    def seen(self, g: float, betas: tuple[float, float]) -> Seen:
        b1, b2 = betas
        m = self.means[False, b1] / (1 - b1**self.t)
        v = self.means[True, b2] / (1 - b2**self.t)
        return Seen(g, m, v, self.means[True, b2], self.squares, self.tops[b2] / (1 - b2**self.t))


class Verdict(NamedTuple):
    """The adaptive rule of a run: what it was at each step, and the mistake that it is from one step on."""

    rules: Mapping[int, Rule]
    name: str = ""
    mistake: str = ""
    since: int = 0
    betas: tuple[float, float] = (0.9, 0.999)


class Adaptive:
    """Feed it every update; at the end ask for the `verdict`."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.alive: dict[Direction, dict[int, Rule]] = {d: {} for d in DIRECTIONS}
        self.states: dict[int, _State] = {}
        self.times: dict[int, int] = {}
        self.named: dict[int, Mapping[str, float]] = {}
        self.since = 0

    def feed(self, step: int, updates: Updates, rates: Mapping[str, float]) -> Rule | None:
        """The rule by which these parameters moved, None where it is none of these. rates: step sizes by name."""
        if self.states and not any(s in updates for s in self.states):
            self._begin()  # another model
        if not self.states:
            self.states = {s: _State() for s in [s for s, u in updates.items() if u.grad][:SAMPLE]}
        if not self.alive:
            return None
        seen = [s for s in self.states if s in updates]
        betas = {(square, d.betas[square]) for d in self.alive for square in (False, True)}
        for s in seen:
            self.states[s].advance(updates[s].grad, betas)
        self.times[step] = max((self.states[s].t for s in seen), default=0)
        self.named[step] = rates
        for direction in list(self.alive):
            found = self._fit(direction, seen, updates)
            if found is None:
                del self.alive[direction]
            elif found is not UNSURE:
                self.alive[direction][step] = Rule(direction.name, found[0], error=found[1])
        best = next(iter(self.alive), None)
        if best is None:
            return None
        if best.mistake and not self.since:
            self.since = step
        return self.alive[best].get(step)

    def _fit(self, direction: Direction, seen: list[int], updates: Updates) -> tuple[float, float] | None:
        """The step size with which every change goes this way, and its error; None when they do not."""
        rows: list[tuple[float, float]] = []
        equations, sharp = [], 0
        for s in seen:
            u, state = updates[s], self.states[s]
            if not all(map(math.isfinite, (u.old, u.new, u.grad))):
                continue
            above, root = direction.parts(state.seen(u.grad, direction.betas))
            way = above / (root + EPS)
            if not TINY < root < math.inf or not abs(way) > TINY:
                continue
            rate = -u.change / way
            started = root * _second(
                state.t, direction.betas[1]
            )  # a script that does not correct has this root
            unsure = STRUCTURE + OTHER_EPS / root + 2 * EPS / started + EPS / root / root
            rows.append((rate, u.noise / abs(way) + unsure * abs(rate)))
            equations.append(Row(u.change, (-way, -u.old), u.noise + unsure * abs(u.change)))
            sharp += rows[-1][1] < SHARP * abs(rate)
        if sharp < 2 + direction.decays:
            return UNSURE
        if not direction.decays:
            return agreed(rows)
        both = fit(equations)
        return None if both is None else (both.numbers[0], both.errors[0])

    def verdict(self) -> Verdict:
        """What is left after the last update."""
        best = next(iter(self.alive), None)
        if best is None:
            return Verdict({})
        rules = self.alive[best]
        if best.betas[0] and best.name == "Adam" and len(rules) >= 3:
            for correction in CORRECTIONS:
                scaled = self._corrected(rules, best.betas, correction)
                if self._settled(scaled):
                    first = min((n for n in rules if self.times[n] > 1), default=0)
                    return Verdict(scaled, correction.name, correction.mistake, first, best.betas)
        return Verdict(rules, best.name, best.mistake, self.since, best.betas)

    def _corrected(
        self, rules: Mapping[int, Rule], betas: tuple[float, float], correction: Correction
    ) -> dict[int, Rule]:
        """The step sizes that a script with this correction has."""
        out = {}
        for n, found in rules.items():
            t = self.times[n]
            factor = CORRECTIONS[0].factor(t, *betas) / correction.factor(t, *betas)
            rate = float(f"{found.rate * factor:.6g}")
            out[n] = replace(found, kind=correction.name, rate=rate, error=found.error * factor)
        return out

    def _settled(self, rules: Mapping[int, Rule]) -> bool:
        """Whether the step sizes are one, or what a variable of the script says, in every update."""

        def near(x: float, y: float) -> bool:
            return math.isclose(x, y, rel_tol=CONSTANT)

        rates = {n: found.rate for n, found in rules.items()}
        names = set.intersection(*(set(self.named[n]) for n in rates))
        if any(all(near(abs(rate), self.named[n][name]) for n, rate in rates.items()) for name in names):
            return True
        first = next(iter(rates.values()))
        return all(near(rate, first) for rate in rates.values())
