"""Traits: what is learned of a whole subject before its rules are judged: precision, kinks, traversal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from oracle.case import Case, Observation, Observe
from oracle.floats import same
from oracle.judge import storage
from oracle.judge.equations import Traits
from oracle.recording import Recorder
from oracle.subjects import Subject
from oracle.vocabulary import ROWS

WITNESSES = ((0.1, 2.5, 0.9), (0.8, 3.0, 1.5), (0.5, 1.9, 2.6), (1.9, 1.0, 1.6))
"""(p, q, c) with (p + q)·c ≠ p·c + q·c in float64: they tell a sum per node from a sum per path."""

SHORT_WITNESSES = ((0.4, 2.8, 0.8), (0.6, 2.1, 3.3), (0.5, 1.9, 2.6), (1.9, 1.0, 1.6))
"""The same in float32, for an engine that keeps its gradients so."""


@dataclass(frozen=True)
class Kinky:
    """An op's choice at a kink that is not even in its subdifferential, or is but is not PyTorch's."""

    op: str
    index: int
    case: Case
    weight: float
    valid: bool


@dataclass
class Learned:
    """The traits, and what was seen on the way that is worth reporting.

    untouched  the program of which nothing but the values were asked, that showed the storage and the start
    stored     the storage by an example, in words
    """

    traits: Traits
    kinks: list[Kinky] = field(default_factory=list)
    untouched: Case | None = None
    stored: str = ""


def learn(subject: Subject) -> Learned:
    """Run a few small programs to find the subject's unit of rounding, its kinks and its traversal."""
    untouched = _untouched(subject)
    kinks = [(row, i) for row in ROWS if row.name in subject.ops for i in range(len(row.kinks))]
    witnesses = [_witness(*w) for w in WITNESSES]
    at_kinks = [_at_kink(row.name, i, w) for row, i in kinks for w in (1.7, -0.6)]
    cases = [untouched, *witnesses, *at_kinks, products()]
    answers = subject.run(cases)
    observed = [answer.observations[-1] if answer.ok and answer.observations else None for answer in answers]
    learned = Learned(Traits({}), untouched=untouched)
    kept, start = None, (0.0, 0.0)
    if observed[0] is not None:
        given = untouched.program.inputs
        kept = storage.recognise(observed[0].data[: len(given)], given)
        learned.stored = "" if kept is None else storage.example(kept, observed[0].data[: len(given)], given)
        start = _start(observed[0], len(given))
    conventions: dict[tuple[str, int], float] = {}
    for n, (row, i) in enumerate(kinks):
        kink = row.kinks[i]
        weights = []
        for k in (0, 1):
            seen = observed[1 + len(WITNESSES) + 2 * n + k]
            if seen is not None:
                o = len(cases[1 + len(WITNESSES) + 2 * n + k].program.inputs)
                g, (own, other) = seen.grad[o], (None if x is None else x - start[0] for x in seen.grad[:2])
                if g and own is not None and math.isfinite(g):
                    weights.append((own / g, other / g if row.arity == 2 and other is not None else None))
        if len(weights) < 2 or not math.isclose(weights[0][0], weights[1][0], rel_tol=1e-12, abs_tol=1e-300):
            continue  # the wrap's own rule is at fault, or the op's: its ordinary points will tell
        weight, rest = weights[0]
        case = cases[1 + len(WITNESSES) + 2 * n]
        valid = kink.low <= weight <= kink.high and (rest is None or abs(weight + rest - 1.0) < 1e-12)
        if not same(weight, kink.torch) or not valid:
            learned.kinks.append(Kinky(row.name, i, case, weight, valid))
        if valid and weight != kink.torch:
            conventions[row.name, i] = weight
    per_path = all(
        seen is not None and _summed_per_path(seen.grad, w)
        for seen, w in zip(observed[1 : 1 + len(WITNESSES)], WITNESSES, strict=True)
    )
    shorter = None if kept is not None else _shorter_gradients(observed[-1])
    if shorter is storage.FLOAT32:
        found = subject.run([_witness(*w) for w in SHORT_WITNESSES])
        per_path = all(
            answer.ok and _summed_per_path(answer.observations[-1].grad, w, _float32)
            for answer, w in zip(found, SHORT_WITNESSES, strict=True)
        )
    learned.traits = Traits(conventions, kept, per_path, start, shorter)
    return learned


def _untouched(subject: Subject) -> Case:
    """Leaves, and a result of the first op that the subject has, without a backward."""
    r = Recorder()
    leaves = [r.input(x) for x in storage.TELLING]
    row = next((row for row in ROWS if row.name in subject.ops and not row.parameters), None)
    if row is not None:
        r.node(row.name, *leaves[: row.arity])
    return Case("probe/untouched", r.finish(), steps=(Observe(),))


def _start(seen: Observation, leaves: int) -> tuple[float, float]:
    """What gradients are before anything has come to them; 0 where that cannot be read, or is not one number."""
    found = []
    for grads in (seen.grad[:leaves], seen.grad[leaves:]):
        numbers = {g for g in grads if g is not None and math.isfinite(g)}
        found.append(numbers.pop() if len(numbers) == 1 else 0.0)
    return found[0], found[1]


def products() -> Case:
    """Two products, added: the gradient of each leaf is another leaf."""
    r = Recorder()
    a, b, c, d = (r.input(x) for x in storage.TELLING)
    _ = a * b + c * d
    return Case("probe/products", r.finish())


def _shorter_gradients(seen: Observation | None) -> storage.Storage | None:
    """The shorter float in which gradients are kept, where numbers are not."""
    a, b, c, d = storage.TELLING
    grads = [] if seen is None else [g for g in seen.grad[:4] if g is not None]
    way = storage.recognise(grads, (b, a, d, c)) if len(grads) == 4 else None
    return way if way is not None and way.precision else None


def _witness(p: float, q: float, c: float) -> Case:
    """a → m = a·c → m·p + m·q: the gradient of a is (p + q)·c by nodes, p·c + q·c by paths."""
    r = Recorder()
    a, c_, p_, q_ = (r.input(x) for x in (1.0, c, p, q))
    m = a * c_
    _ = m * p_ + m * q_
    return Case("probe/paths", r.finish())


def _summed_per_path(
    grad: Sequence[float | None], witness: tuple[float, float, float], keep: Callable[[float], float] = float
) -> bool:
    """keep: a gradient as the engine keeps it"""
    p, q, c = map(keep, witness)
    one, other = keep(p * c), keep(q * c)
    return grad[0] == keep(one + other) != keep(keep(p + q) * c)


def _float32(x: float) -> float:
    assert storage.FLOAT32.keep is not None
    return storage.FLOAT32.keep(x)


def _at_kink(op: str, index: int, factor: float) -> Case:
    row = next(row for row in ROWS if row.name == op)
    r = Recorder()
    leaves = [r.input(x) for x in row.kinks[index].point]
    _ = r.node(op, *leaves) * factor
    return Case(f"probe/kink-{op}-{index}", r.finish())
