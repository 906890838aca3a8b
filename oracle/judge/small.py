"""Gradients that backward does not pass on because they are small: a threshold where there should be none.

What no single rule could do: whatever the op, a node whose own gradient is below one size pushes nothing, and every
other node pushes what it owes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from oracle.floats import short
from oracle.judge.equations import Checked, Failure, close
from oracle.judge.predict import owed, replay
from oracle.subjects import Subject
from oracle.vocabulary import VOCABULARY

NAME = "small-dropped"
"""The mistake's short name."""

ENOUGH, MOST = 2, 1 / 2
"""Failing sums that lack the shares of small gradients only, before it is asked whether that is so; and their share of
all failing sums: inside composed ops there are gradients that cannot be seen."""

ASKED = (("mul", "value-value"), ("add", "value-value"), ("sub", "value-value"))
"""Rules that are asked to push a gradient of either size."""


@dataclass(frozen=True)
class Threshold:
    """dropped: the largest size of gradient seen not to be passed on; passed: the smallest above it that was."""

    dropped: float
    passed: float

    def __str__(self) -> str:
        return f"{short(self.dropped, self.passed)} and below"

    def explains(self, f: Failure) -> bool:
        """Whether a failing sum lacks the shares of all its consumers that are this small, and of no other."""
        kept = [s for g, s in _shares(f) if g > self.dropped]
        return len(kept) < len(f.shares) and close(f.observed, math.fsum(kept), f.bound)


def whole(subject: Subject, failures: Sequence[Failure], checked: Sequence[Checked]) -> Threshold | None:
    """The threshold that the sums show at ordinary points, if no number contradicts it, and if
    whatever op is asked to push a gradient of either size does so."""
    sums = [f for f in failures if f.equation == 4 and f.ordinary and not f.run.case.policy]
    sizes = [size for f in sums if (size := _lacking(f)) is not None]
    passed = min((g for g in _passed(checked) if g > 0.0), default=math.inf)
    dropped = max((size for size in sizes if size < passed), default=None)
    if dropped is None:
        return None
    threshold = Threshold(dropped, passed)
    explained = sum(threshold.explains(f) for f in sums)
    shown = explained >= max(ENOUGH, MOST * len(sums)) and _asked(subject, threshold)
    return threshold if shown else None


def _asked(subject: Subject, threshold: Threshold) -> bool:
    """Whether one-op programs show it: nothing is pushed below the threshold, and everything above."""
    little, enough = threshold.dropped, min(threshold.passed, 4 * threshold.dropped)
    rules = [(rule, VOCABULARY[rule[0]].points[0]) for rule in ASKED if rule[0] in subject.ops]
    pushed = replay(subject, [(rule, point, g) for rule, point in rules for g in (little, enough)])
    return len(pushed) == 2 * len(rules) > 2 and all(
        close(own, 0.0 if g == little else owed(rule, point, slot, g), 1e-12 * abs(own))
        for (rule, point, g), slots in pushed.items()
        for slot, own in slots.items()
    )


def _shares(f: Failure) -> list[tuple[float, float]]:
    """(size of the consumer's gradient, what it owes), smallest first; none where one cannot be read."""
    sizes = [f.run.grad[k] for k, _ in f.feeders]
    if len(sizes) != len(f.shares) or any(g is None or not math.isfinite(g) for g in sizes):
        return []
    return sorted((abs(g or 0.0), s) for g, s in zip(sizes, f.shares, strict=True))


def _lacking(f: Failure) -> float | None:
    """The size of the largest gradient whose share a sum lacks, if it lacks those of the smallest ones only."""
    shares = _shares(f)
    for n in range(1, len(shares) + 1):
        if n < len(shares) and shares[n][0] == shares[n - 1][0]:
            continue
        if close(f.observed, math.fsum(s for _, s in shares[n:]), f.bound):
            return shares[n - 1][0]
    return None


def _passed(checked: Sequence[Checked]) -> Iterator[float]:
    """Sizes of gradients that were passed on, to values that nobody else uses, in programs that came out right."""
    for c in checked:
        run = c.run
        if not c.sound:
            continue
        live, uses = run.program.reaches(run.root), run.uses()
        for k, node in run.program.nodes():
            if live[k] and any(i >= 0 and uses[i] == 1 and run.grad[i] for i in node.operands):
                yield abs(run.grad[k] or 0.0)
