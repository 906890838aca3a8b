"""The catalogue of known mistakes: a row reproduces the measured numbers, or it is not named.

A row for a derivative is a formula in the terms of one push; it is the mistake when it gives every number
that was measured, right ones included.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from oracle.judge.probe import Pushed, Valued
from oracle.vocabulary import VOCABULARY, Point


@dataclass(frozen=True)
class Term:
    """The quantities of one push: upstream g, operands a and b, own operand x, result y, right push."""

    g: float
    a: float
    b: float
    x: float
    y: float
    right: float
    other_slot: float


@dataclass(frozen=True)
class Mistake:
    """One row.

    slug     short name, stable: part of a cause's fingerprint
    ops      the ops it can happen in; () for any
    formula  what a push is under this mistake
    words    what the rule does, to follow "mul" in a sentence
    nudge, why  hints: where to look, what the mathematics says
    """

    slug: str
    ops: tuple[str, ...]
    formula: Callable[[Term], float]
    words: str
    nudge: str
    why: str
    slot: int | None = None


CHAIN_RULE = (
    "By the chain rule each operand gets the upstream gradient (out.grad) times the local derivative."
)

DERIVATIVES: tuple[Mistake, ...] = (
    Mistake(
        "not-pushed",
        (),
        lambda t: 0.0,
        "pushes nothing to {operand}",
        "Does every operand get its share?",
        "Every operand that the result depends on must receive a gradient; here one stays at 0.",
    ),
    Mistake(
        "upstream-dropped",
        (),
        lambda t: t.right / t.g,
        "forgets the upstream gradient when it pushes to {operand}",
        "What happens when this op is not the last one?",
        CHAIN_RULE + " Here the factor out.grad is missing.",
    ),
    Mistake(
        "sign",
        (),
        lambda t: -t.right,
        "pushes the gradient of {operand} with the wrong sign",
        "Look at the sign of the derivative.",
        "The local derivative has the opposite sign.",
    ),
    Mistake(
        "exponent-not-reduced",
        ("pow",),
        lambda t: t.g * t.b * t.a**t.b,
        "does not lower the exponent in its power rule",
        "Write down the power rule.",
        "The derivative of a**n is n * a**(n-1); here the exponent stays n.",
        slot=0,
    ),
    Mistake(
        "factor-dropped",
        ("pow",),
        lambda t: t.g * t.a ** (t.b - 1),
        "drops the factor n in its power rule",
        "Write down the power rule.",
        "The derivative of a**n is n * a**(n-1); here the factor n is missing.",
        slot=0,
    ),
    Mistake(
        "input-for-output",
        ("tanh",),
        lambda t: t.g * (1 - t.x * t.x),
        "uses its input where its output belongs",
        "1 - t²: what is t?",
        "The derivative of tanh(x) is 1 - tanh(x)²; here it is 1 - x².",
    ),
    Mistake(
        "not-squared",
        ("tanh",),
        lambda t: t.g * (1 - t.y),
        "does not square its output",
        "1 - t²: is t squared?",
        "The derivative of tanh(x) is 1 - tanh(x)²; here it is 1 - tanh(x).",
    ),
    Mistake(
        "input-for-output",
        ("sigmoid",),
        lambda t: t.g * t.x * (1 - t.x),
        "uses its input where its output belongs",
        "s(1 - s): what is s?",
        "The derivative of sigmoid(x) is s(1 - s) with s = sigmoid(x); here x stands in for s.",
    ),
    Mistake(
        "factor-dropped",
        ("sigmoid",),
        lambda t: t.g * t.y,
        "drops the factor 1 - s",
        "s(1 - s): are both factors there?",
        "The derivative of sigmoid is s(1 - s); here it is s.",
    ),
    Mistake(
        "factor-dropped",
        ("sigmoid",),
        lambda t: t.g * (1 - t.y),
        "drops the factor s",
        "s(1 - s): are both factors there?",
        "The derivative of sigmoid is s(1 - s); here it is 1 - s.",
    ),
    Mistake(
        "input-for-output",
        ("exp",),
        lambda t: t.g * t.x,
        "uses its input where its output belongs",
        "What is the derivative of eˣ?",
        "The derivative of exp(x) is exp(x), the output; here it is x.",
    ),
    Mistake(
        "output-for-input",
        ("log",),
        lambda t: t.g / t.y,
        "uses its output where its input belongs",
        "What is the derivative of log x?",
        "The derivative of log(x) is 1/x; here it is 1/log(x).",
    ),
    Mistake(
        "not-squared",
        ("div",),
        lambda t: -t.g * t.a / t.b,
        "does not square the denominator in the gradient of {operand}",
        "Differentiate a/b by b.",
        "The derivative of a/b by b is -a/b²; here it is -a/b.",
        slot=1,
    ),
    Mistake(
        "numerator-dropped",
        ("div",),
        lambda t: -t.g / (t.b * t.b),
        "drops the numerator in the gradient of {operand}",
        "Differentiate a/b by b.",
        "The derivative of a/b by b is -a/b²; here it is -1/b².",
        slot=1,
    ),
    Mistake(
        "input-for-output",
        ("sqrt",),
        lambda t: t.g / (2 * t.x),
        "uses its input where its output belongs",
        "What is the derivative of √x?",
        "The derivative of √x is 1/(2√x); here it is 1/(2x).",
    ),
    Mistake(
        "factor-dropped",
        ("sqrt",),
        lambda t: t.g / t.y,
        "drops the factor 1/2",
        "What is the derivative of √x?",
        "The derivative of √x is 1/(2√x); here it is 1/√x.",
    ),
    Mistake(
        "factor-inverted",
        ("sqrt",),
        lambda t: t.g * 2 * t.y,
        "multiplies by 2√x instead of dividing",
        "What is the derivative of √x?",
        "The derivative of √x is 1/(2√x).",
    ),
    Mistake(
        "forward-for-derivative",
        ("sin", "cos"),
        lambda t: t.g * t.y,
        "multiplies by its own value instead of its derivative",
        "Which function is the derivative of this one?",
        "The derivative of sin is cos, that of cos is -sin.",
    ),
    Mistake(
        "operands-swapped",
        (),
        lambda t: t.other_slot,
        "pushes to {operand} what belongs to the other operand",
        "Which operand gets which gradient?",
        "Each operand's gradient uses the derivative by that operand; here they are exchanged.",
    ),
    Mistake(
        "always-one",
        ("relu", "abs"),
        lambda t: t.g,
        "lets the gradient through everywhere",
        "What is the slope left of 0?",
        "The derivative depends on the sign of the input; here it is always 1.",
    ),
    Mistake(
        "slope-dropped",
        (),
        lambda t: t.g,
        "passes the upstream gradient on to {operand} unchanged",
        "What is the local derivative of this op?",
        CHAIN_RULE + " Here the local derivative is missing.",
    ),
    Mistake(
        "forward-for-derivative",
        (),
        lambda t: t.g * t.y,
        "multiplies by its own value instead of its derivative",
        "What is the local derivative of this op?",
        CHAIN_RULE + " Here the value of the op stands in for its derivative.",
    ),
    Mistake(
        "own-operand",
        (),
        lambda t: t.g * t.x,
        "multiplies by {operand} itself",
        "What is the local derivative of this op?",
        CHAIN_RULE + " Here the operand itself stands in for the derivative.",
    ),
    Mistake(
        "output-as-upstream",
        (),
        lambda t: t.right / t.g * t.y,
        "multiplies by its value where the upstream gradient belongs",
        "out.data or out.grad?",
        CHAIN_RULE + " Here out.data stands in for out.grad.",
    ),
    Mistake(
        "upstream-squared",
        (),
        lambda t: t.right * t.g,
        "multiplies by the upstream gradient twice when it pushes to {operand}",
        "How often does out.grad occur?",
        CHAIN_RULE + " Here the upstream gradient is there twice.",
    ),
    Mistake(
        "doubled",
        (),
        lambda t: 2 * t.right,
        "pushes the gradient of {operand} twice",
        "How often is this gradient added?",
        "Each use of an operand adds its share once.",
    ),
)

ValueRow = tuple[str, tuple[str, ...], Callable[..., float], str, str]
"""Short name, ops that it can happen in, the wrong formula by PyTorch's own and the operands, words, nudge."""

VALUES: tuple[ValueRow, ...] = (
    (
        "operands-swapped",
        ("sub", "div", "pow"),
        lambda f, a, b: f(b, a),
        "computes with its operands swapped",
        "Which operand is on the left when Python calls the reflected method?",
    ),
    ("sign", (), lambda f, *x: -f(*x), "computes its value with the wrong sign", "Look at the sign."),
    (
        "sign-of-operand",
        ("add", "sub"),
        lambda f, a, b: a + b if f(1.0, 2.0) < 0 else a - b,
        "has the wrong sign before its second operand",
        "Plus or minus?",
    ),
    (
        "operand-returned",
        (),
        lambda f, *x: x[0],
        "returns its operand unchanged",
        "Is the function applied at all?",
    ),
    (
        "floor-division",
        ("div",),
        lambda f, a, b: a // b,
        "divides without remainder",
        "/ or //?",
    ),
    (
        "not-reciprocal",
        ("div",),
        lambda f, a, b: a * b,
        "multiplies instead of dividing",
        "Is the exponent -1?",
    ),
    (
        "operand-unused",
        ("div",),
        lambda f, a, b: 1 / a,
        "gives 1/a and never uses its right operand",
        "What becomes of the right operand?",
    ),
    (
        "operand-unused",
        ("div",),
        lambda f, a, b: 1 / b,
        "gives 1/b and never uses its left operand",
        "What is multiplied by the reciprocal?",
    ),
    (
        "exp-of-2x",
        ("tanh",),
        lambda f, a: (math.exp(a) - 1) / (math.exp(a) + 1),
        "forgets the factor 2 in exp(2x)",
        "Write tanh in terms of exp(2x).",
    ),
    (
        "power-for-product",
        ("tanh",),
        lambda f, a: (math.exp(2**a) - 1) / (math.exp(2**a) + 1),
        "has 2**x where 2*x belongs",
        "exp(2x), or exp of a power?",
    ),
    (
        "sign-of-exponent",
        ("sigmoid",),
        lambda f, a: 1 / (1 + math.exp(a)),
        "has the wrong sign in exp(-x)",
        "exp(x) or exp(-x)?",
    ),
)


TELLING = 1e-3
"""A mistake's formula must be this much nearer to what was pushed than the right rule is."""


def name_derivative(op: str, pushes: Iterable[Pushed], near: float = 1e-9) -> Mistake | None:
    """The first row that gives every measured push of one slot (relative error `near`), or None."""
    measured = [p for p in pushes if math.isfinite(p.observed)]
    if not measured or all(p.ok for p in measured):
        return None
    for row in DERIVATIVES:
        if row.ops and op not in row.ops:
            continue
        if row.slot is not None and any(p.slot != row.slot for p in measured):
            continue
        if all(_fits(row, op, p, near) for p in measured):
            return row
    return None


def _fits(row: Mistake, op: str, p: Pushed, near: float) -> bool:
    """Whether a row's formula gives what was pushed, and not just what is right to within as little."""
    try:
        predicted = row.formula(_term(op, p))
    except (ZeroDivisionError, OverflowError, ValueError, TypeError):
        return False
    if not isinstance(predicted, float) or not math.isclose(
        predicted, p.observed, rel_tol=near, abs_tol=1e-300
    ):
        return False
    return p.ok or not abs(predicted - p.observed) > TELLING * abs(p.observed - p.expected)


def _term(op: str, p: Pushed) -> Term:
    row = VOCABULARY[op]
    a, b = (*p.point, math.nan)[:2]
    try:
        other = row.vjp[1 - p.slot](p.upstream, p.result, *p.point) if row.arity == 2 else math.nan
    except (ZeroDivisionError, OverflowError, ValueError):
        other = math.nan
    return Term(p.upstream, a, b, p.point[p.slot], p.result, p.expected, other)


def misdirected(op: str, pushes: Iterable[Pushed]) -> bool:
    """Whether one operand gets what belongs to the other: each is wrong, and their sum is right."""
    both = _pairs(pushes)
    return bool(both) and all(
        not a.ok
        and not b.ok
        and math.isclose(a.observed + b.observed, a.expected + b.expected, rel_tol=1e-9, abs_tol=1e-300)
        for a, b in both
    )


def one_sided(pushes: Iterable[Pushed]) -> int | None:
    """The operand that gets its own share twice while the other gets nothing (closures that were made in a loop, and
    all see its last round); None where that is not so at every point."""
    found = set()
    for a, b in _pairs(pushes):
        for empty, twice in ((a, b), (b, a)):
            if (
                not empty.observed
                and empty.expected
                and math.isclose(twice.observed, 2 * twice.expected, rel_tol=1e-9)
            ):
                found.add(twice.slot)
                break
        else:
            return None
    return found.pop() if len(found) == 1 else None


def _pairs(pushes: Iterable[Pushed]) -> list[tuple[Pushed, Pushed]]:
    """What both operands got, for each point and upstream."""
    pairs: dict[tuple[object, str], list[Pushed]] = {}
    for p in pushes:
        pairs.setdefault((p.point, p.wrap), []).append(p)
    return [(a, b) for a, b in (pair for pair in pairs.values() if len(pair) == 2)]


def scale(pushes: Iterable[Pushed]) -> float | None:
    """The constant factor by which all pushes of a slot are off, if it is one; that is 0 still where it is to be."""
    pushes = [p for p in pushes if math.isfinite(p.observed)]
    if any(p.observed for p in pushes if not p.expected):
        return None
    ratios = [p.observed / p.expected for p in pushes if p.expected]
    if len(ratios) > 1 and all(math.isclose(r, ratios[0], rel_tol=1e-12) for r in ratios):
        return ratios[0]
    return None


def name_value(op: str, values: Iterable[Valued]) -> tuple[str, str, str] | None:
    """(slug, words, nudge) of the row that gives every measured value, or None."""
    row = _value_row(op, list(values))
    return None if row is None else (row[0], row[3], row[4])


def undefined(op: str, values: Iterable[Valued], point: Point) -> bool:
    """Whether the row that gives every measured value gives no number at other operands."""
    row = _value_row(op, list(values))
    if row is None:
        return False
    try:
        x = row[2](VOCABULARY[op].value, *point)
    except UNDEFINED:
        return True
    return isinstance(x, complex) or not math.isfinite(x)


UNDEFINED = (ZeroDivisionError, OverflowError, ValueError, TypeError)
"""What a formula raises outside its domain."""

ARITHMETIC = ("ZeroDivisionError", "OverflowError", "ValueError")
"""What Python's arithmetic on plain numbers raises there."""


def _value_row(op: str, measured: list[Valued]) -> ValueRow | None:
    value = VOCABULARY[op].value
    for row in VALUES:
        _, ops, formula, *_ = row
        if ops and op not in ops:
            continue
        try:
            if all(
                math.isclose(formula(value, *v.point), v.observed, rel_tol=1e-9, abs_tol=1e-12)
                for v in measured
            ):
                return row
        except UNDEFINED:
            continue
    return None


def naive_value(op: str, values: Iterable[Valued]) -> str | None:
    """The formula, right on paper, that gives every measured value though it loses digits; or None."""
    return _naive(op, None, [(v.point, v.observed, 1.0) for v in values])


def naive_slope(op: str, slot: int, pushes: Iterable[Pushed]) -> str | None:
    """The same for what is pushed to an operand."""
    return _naive(op, slot, [(p.point, p.observed, p.upstream) for p in pushes])


def _naive(op: str, slot: int | None, measured: list[tuple[Point, float, float]]) -> str | None:
    for name, formula in VOCABULARY[op].naive.get(slot, {}).items():
        try:
            if all(math.isclose(g * formula(*x), y, rel_tol=1e-14, abs_tol=1e-300) for x, y, g in measured):
                return name
        except (ZeroDivisionError, OverflowError, ValueError):
            continue
    return None
