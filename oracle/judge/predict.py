"""Prediction: what a failing sum would be, were the blamed rules what was measured of them and all others right.

Equations take the subject's own upstream gradients, so that a sum is predicted from the pushes into it alone.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from oracle import standard_reference
from oracle.case import Case, Crash
from oracle.floats import same
from oracle.judge.equations import close
from oracle.judge.probe import UNREADABLE, Measured, Rule
from oracle.program import Node
from oracle.recording import Recorder
from oracle.subjects import Subject
from oracle.vocabulary import VOCABULARY, Point


def replay(
    subject: Subject, wanted: list[tuple[Rule, Point, float]]
) -> dict[tuple[Rule, Point, float], dict[int, float]]:
    """The subject's own pushes at given operands and upstream gradient, on operands nobody else uses."""
    cases, index = [], []
    for key in wanted:
        rule, point, g = key
        if not math.isfinite(g):
            continue
        for way in ("alone",) if g == 1.0 else ("value-float", "float-value", "leaf", "leaf right"):
            case, o, slots = upstream(rule, point, g, way)
            cases.append(case)
            index.append((key, o, slots))
    found: dict[tuple[Rule, Point, float], dict[int, float]] = {}
    for answer, (key, o, slots) in zip(subject.run(cases), index, strict=True):
        if key in found or not answer.ok:
            continue
        grad = answer.observations[-1].grad
        if grad[o] == key[2]:
            found[key] = {slot: own for slot, leaf in slots if (own := grad[leaf]) is not None}
    return found


def owed(rule: Rule, point: Point, slot: int, g: float) -> float:
    """What a rule owes an operand by PyTorch's formula; nan where that has no answer."""
    node = Node(rule[0], (), VOCABULARY[rule[0]].settings[0])
    share = standard_reference.vjp(node, point, slot, g)
    return math.nan if share is None else share


def fits(observed: float, shares: list[float], overwriting: bool) -> bool:
    """Whether the sum of the measured pushes (for overwriting rules: of some of them) is the observed number."""
    allowed = 1e-12 * sum(map(abs, shares)) + 1e-300
    if close(observed, math.fsum(shares), allowed):
        return True
    if not overwriting or len(shares) > 12:
        return overwriting
    return any(
        close(observed, math.fsum(some), allowed)
        for n in range(len(shares) + 1)
        for some in itertools.combinations(shares, n)
    )


def _said(crash: Crash) -> str:
    """An exception's message; what is held in place of a number, whichever value holds it."""
    return crash.message.partition(" holds ")[2] if crash.type == UNREADABLE else crash.message


def alike(mine: Measured, theirs: Measured) -> bool:
    """Whether two ways to compute a rule behave the same: numbers to the bit, sharing in kind, exceptions in words.

    A rule that never gives a node is like another only where one statement stops both: two methods that lack one
    import are two.

    Shared probes are compared in kind only: the order of a set may change their last bits.
    """
    a, b = mine.missing, theirs.missing
    joins = {s.join for s in mine.shared}  # of those that tell
    if a is not None or b is not None:
        return (
            a is not None
            and b is not None
            and (a.type, a.message, a.file, a.line) == (b.type, b.message, b.file, b.line)
        )
    return (
        len(mine.numbers) == len(theirs.numbers)
        and all(map(_identical, mine.numbers, theirs.numbers))
        and _identical([v.observed for v in mine.values], [v.observed for v in theirs.values])
        and [(s.ok, s.lost_other) for s in mine.shared]
        == [(s.ok, s.lost_other) for s in theirs.shared if s.join in joins]
        and [s.ok for s in mine.same] == [s.ok for s in theirs.same]
        and (not mine.fed or not theirs.fed or [f.passed for f in mine.fed] == [f.passed for f in theirs.fed])
        and (
            not mine.idle
            or not theirs.idle
            or [i.beside for i in mine.idle] == [i.beside for i in theirs.idle]
        )
        and [_said(c) for _, c in mine.crashes] == [_said(c) for _, c in theirs.crashes]
    )


def _identical(a: Sequence[float | None], b: Sequence[float | None]) -> bool:
    return len(a) == len(b) and all(
        x == y or (x is not None and y is not None and same(x, y)) for x, y in zip(a, b, strict=True)
    )


def upstream(rule: Rule, point: Point, g: float, way: str) -> tuple[Case, int, list[tuple[int, int]]]:
    """The rule on fresh leaves under an upstream gradient of exactly g, made in one of several ways."""
    op, form = rule
    r = Recorder()
    operands, slots = [], []
    for slot, (kind, x) in enumerate(zip(form.split("-"), point, strict=True)):
        if kind == "value":
            value = r.input(x)
            slots.append((slot, value._index))
            operands.append(value)
        else:
            operands.append(int(x) if kind == "int" else x)  # type: ignore[arg-type]
    leaf = r.input(g) if way.startswith("leaf") else None
    o = r.node(op, *operands)
    if way == "value-float":
        _ = o * g
    elif way == "float-value":
        _ = g * o
    elif leaf is not None:
        _ = leaf * o if way == "leaf" else o * leaf
    return Case(f"probe/replay {op}", r.finish()), o._index, slots
