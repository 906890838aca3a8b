"""The update rule of a whole run in one sentence: what most updates were, and from which step size to which."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from oracle.floats import short
from oracle.trajectory.measure import WORDS, Rule

SHARP = 1e-4
"""A measured step size is used when it is known this well (relative): small updates drown in rounding."""

STEADY = 2e-5
"""Step sizes that are nearer than this, relative, are one."""

WITH_MEMORY = ("momentum", "nesterov", "late momentum", "shared velocity")
"""Rules whose first update is plain gradient descent: there is nothing to remember yet."""


def in_words(rules: Sequence[Rule]) -> list[str]:
    """A sentence on the rules of a run's updates in order; none when there were none."""
    if not rules:
        return []
    kinds: defaultdict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        kinds[rule.kind].append(rule)
    kind, most = max(kinds.items(), key=lambda item: len(item[1]))
    first = rules[0].kind == "sgd" and kind in WITH_MEMORY
    n = len(rules)
    others = "" if len(most) + first == n else f", {len(most)} of them"
    if kind == "momentum":
        most = _outside(most)
    best = min(most, key=lambda r: r.error / abs(r.rate) if r.rate else math.inf)
    words, ends = best.words, _span(most)
    if kind == "sgd" and min(r.rate for r in most) < 0 < max(r.rate for r in most):
        words = WORDS["unknown"]  # one parameter, whose changes are some multiple of its gradient anyway
    elif ends is not None and kind != "groups":
        both = f"step size {short(ends[0])} to {short(ends[1])}"
        words = words.replace(f"step size {short(best.rate)}", both)
    return [f"{n} update{'s' if n > 1 else ''}{others}: {words}"]


def sharp(rule: Rule) -> bool:
    """Whether a rule's step size is known well enough to be compared."""
    return rule.error <= SHARP * abs(rule.rate)


def _outside(rules: list[Rule]) -> list[Rule]:
    """Momentum as PyTorch has it, v = mu*v + g and change = -rate*v, where that makes mu one number.

    A change is mu*(last change) - rate*g only while the step size stays; else mu is measured times the step size by
    the one before. Where the step size is within v, as v = mu*v - rate*g, it is not.
    """
    if _one(rules):
        return rules
    out = [replace(r, second=r.second * old.rate / r.rate) for old, r in pairwise(rules) if r.rate]
    return [replace(r, second=float(f"{r.second:.6g}")) for r in out] if out and _one(out) else rules


def _one(rules: Sequence[Rule]) -> bool:
    return max(r.second for r in rules) - min(r.second for r in rules) <= 1e-6


def _span(rules: Sequence[Rule]) -> tuple[float, float] | None:
    """First and last step size, where they differ by more than rounding leaves open; the vague ones left out."""
    rates = [rule.rate for rule in rules if sharp(rule)]
    if not rates or math.isclose(min(rates), max(rates), rel_tol=STEADY):
        return None
    return rates[0], rates[-1]
