"""The first wrong update as a small graph: parameter, gradient, state and new number, the script's beside PyTorch's.

What PyTorch does with the script's own numbers of that step; of what the script keeps to itself, such as a velocity,
what its change says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from oracle import standard_reference
from oracle.floats import short
from oracle.listing import expression
from oracle.program import Program
from oracle.recording import Recorder, Traced
from oracle.report import Example, Row, Verdict
from oracle.trajectory.findings import Finding
from oracle.trajectory.measure import Rule, Update, Updates

KEPT = 8
"""Steps from the first whose updates are kept: those that show a wrong rule first are among them."""

CLEAR = 1e-9
"""Relative: a new number that is nearer to PyTorch's shows nothing."""

EPS = 1e-8
"""Adam's, in PyTorch unless given."""


@dataclass(frozen=True)
class Kept:
    """What is known of a run's updates.

    updates  by step, of the first KEPT; rules: as measured, by step
    names    of parameters, by serial; betas: of Adam, if it is that
    """

    updates: Mapping[int, Updates]
    rules: Mapping[int, Rule]
    names: Mapping[int, str]
    betas: tuple[float, float] = (0.9, 0.999)


@dataclass(frozen=True)
class Drawn:
    """An update as a program whose root is the new number.

    culprit, yours  the value at which the script's update goes wrong, and its number there
    expressions     of values that are made in another way than the program says
    """

    program: Program
    culprit: int
    yours: float
    expressions: Mapping[int, str]


@dataclass(frozen=True)
class At:
    """One parameter in one step: what changed, by which rule, in how many times the same change, and the updates of it
    before, first one first."""

    name: str
    update: Update
    rule: Rule
    before: tuple[Update, ...]
    betas: tuple[float, float]
    times: int = 1

    @property
    def rate(self) -> float:
        return abs(self.rule.rate)


def update_example(finding: Finding, kept: Kept, path: Path) -> Example | None:
    """The example of a wrong update rule: the parameter that shows it most; None where it is no such mistake."""
    draw, updates, rule = (
        DRAWN.get(finding.slug),
        kept.updates.get(finding.step),
        kept.rules.get(finding.step),
    )
    if draw is None or updates is None or rule is None or not math.isfinite(rule.rate) or not rule.rate:
        return None
    shown: list[tuple[float, Drawn, At]] = []
    for serial, update in updates.items():
        earlier = [kept.updates.get(n, {}) for n in range(1, finding.step)]
        before = tuple(u[serial] for u in earlier if serial in u)
        if len(before) < finding.step - 1 and finding.slug in REMEMBER:
            continue  # what it had in mind is not known
        times = int(finding.what) if finding.slug == "updated-twice" else 1
        at = At(kept.names.get(serial, "p"), update, rule, before, kept.betas, times)
        if update.grad:
            drawn = draw(at)
            torch = standard_reference.run(drawn.program).data[drawn.program.root]
            shown.append((abs(torch - update.new) / (abs(torch) + abs(update.new) + 1e-300), drawn, at))
    if not shown:
        return None
    off, drawn, at = max(shown, key=lambda row: row[0])
    if off < CLEAR:
        return None
    table = _table(drawn, at.update.new)
    root = table[-1]
    return Example(
        f"diff/step-{finding.step}",
        drawn.program,
        root.node,
        "data",
        root.data,
        root.local_data,
        root.global_data,
        f"# {path.name}, after the update of step {finding.step}\n{at.name}.data",
        table,
    )


def _table(drawn: Drawn, new: float) -> tuple[Row, ...]:
    """PyTorch's numbers, and the script's: the same up to the culprit, by the same ops after it, at the end its own."""
    program = drawn.program
    torch = standard_reference.run(program).data
    yours, touched, rows = list(program.inputs), {drawn.culprit}, []
    for i in range(len(program)):
        node = program.producer(i)
        if node is not None:
            value = standard_reference.value(node, program.operand_data(node, yours))
            yours.append(drawn.yours if i == drawn.culprit else new if i == program.root else value or 0.0)
            touched |= {i} if touched & set(node.operands) else set()
        verdict: Verdict = "wrong" if i == drawn.culprit else "inherited" if i in touched else "match"
        made = drawn.expressions.get(i) or ("" if node is None else expression(program, node))
        rows.append(
            Row(
                i, program.name(i), made, yours[i], None, torch[i], None, torch[i], None, verdict, "unobserved",
                i == drawn.culprit,
            )
        )  # fmt: skip
    return tuple(rows)


# What PyTorch does, and where the script leaves it ----------------------------------------------------------------


class _Update:
    """An update under construction: the parameter and its gradient are there."""

    def __init__(self, at: At, *state: tuple[str, float]) -> None:
        self.at, self.recorder = at, Recorder()
        self.old = self.recorder.input(at.update.old, at.name)
        self.grad = self.recorder.input(at.update.grad, f"{at.name}.grad")
        self.state = [self.recorder.input(x, name) for name, x in state]

    def down(self, direction: Traced, rate: float) -> tuple[Traced, Traced]:
        """The step along a direction, and the new number."""
        step = (direction * float(short(rate))).named("step")
        return step, (self.old - step).named(f"new {self.at.name}")

    def wrong(self, at: Traced, yours: float, expressions: Mapping[int, str] | None = None) -> Drawn:
        """Done: the script goes wrong at this value, where it has that number."""
        return Drawn(self.recorder.finish(), at._index, yours, expressions or {})


def _at_the_end(at: At) -> Drawn:
    """The step is right, and is not subtracted once."""
    update = _Update(at)
    _, new = update.down(update.grad, at.rate / at.times)
    return update.wrong(new, at.update.new)


def _squared(at: At) -> Drawn:
    """The step size is in the step twice."""
    update = _Update(at)
    step, _ = update.down(update.grad, math.sqrt(at.rate))
    return update.wrong(step, -at.update.change)


def _decay(at: At) -> Drawn:
    """The decay has the wrong sign."""
    update = _Update(at)
    decay = (update.old * abs(at.rule.second)).named("decay")
    update.down((update.grad + decay).named("slope"), at.rate)
    return update.wrong(decay, -abs(at.rule.second) * at.update.old)


def _velocity(at: At) -> Drawn:
    """The velocity that is used is not the parameter's own, or not that of this step."""
    mu, held = at.rule.second, 0.0
    for earlier in at.before:
        held = mu * held + earlier.grad
    update = _Update(at, ("velocity", held))
    velocity = ((update.state[0] * mu).named("kept") + update.grad).named("new velocity")
    update.down(velocity, at.rate)
    return update.wrong(velocity, -at.update.change / at.rate)


def _adam(at: At) -> Drawn:
    """The step is not Adam's."""
    first, second = sorted(at.betas)
    mean = square = 0.0
    grads = [u.grad for u in (*at.before, at.update)]
    for g in grads:
        mean, square = first * mean + (1 - first) * g, second * square + (1 - second) * g * g
    t = len(grads)
    root = math.sqrt(square / (1 - second**t)) + EPS
    step_factor = mean / (1 - first**t) / root / at.update.grad
    update = _Update(at)
    step = (update.grad * (at.rate * step_factor)).named("step")
    (update.old - step).named(f"new {at.name}")
    made = f"{short(at.rate)} * m_hat / (sqrt(v_hat) + eps), t = {t}"
    return update.wrong(step, -at.update.change, {step._index: made})


DRAWN: Mapping[str, Callable[[At], Drawn]] = {
    "update-sign": _at_the_end,
    "data-replaced": _at_the_end,
    "data-multiplied": _at_the_end,
    "updated-twice": _at_the_end,
    "rate-squared": _squared,
    "decay-sign": _decay,
    "momentum-late": _velocity,
    "velocity-shared": _velocity,
    "adam-uncorrected": _adam,
    "adam-half-corrected": _adam,
    "adam-no-root": _adam,
    "adam-step-count": _adam,
    "adam-betas": _adam,
}
"""By the mistake's name: those that are in the rule itself, whatever the gradient."""

REMEMBER = frozenset(slug for slug, draw in DRAWN.items() if draw in (_velocity, _adam))
"""Mistakes in rules with a state: every earlier gradient of the parameter is needed for it."""
