"""Rewrites: how engines build one operator from others, run on the engine itself.

An op that fails because it is made of a failing op is not a cause of its own. No model of the engine tells
that: the rewrite is measured on the subject with the same probes, and explains the op when its numbers are
the same to the bit and it uses a rule already known to be bad.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from oracle.judge.probe import Make, Rule
from oracle.recording import Operand, Recorder, Traced
from oracle.suite.rules import points
from oracle.vocabulary import VOCABULARY, Point


class _Maths:
    """Ops on values and plain numbers alike: numbers among themselves are computed at once."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __getattr__(self, op: str) -> Any:
        def apply(*operands: Operand) -> Operand:
            if any(isinstance(x, Traced) for x in operands):
                return self.recorder.node(op, *operands)
            numbers = [x for x in operands if not isinstance(x, Traced)]
            return (
                VOCABULARY[op].value(*numbers, **VOCABULARY[op].settings[0])
                if op != "pow"
                else numbers[0] ** numbers[1]
            )

        return apply


COMPOSITES: dict[str, tuple[Any, ...]] = {
    "neg": (
        lambda m, a: m.mul(a, -1),
        lambda m, a: m.mul(a, -1.0),
        lambda m, a: m.mul(-1, a),
        lambda m, a: m.mul(-1.0, a),
        lambda m, a: m.sub(0, a),
        lambda m, a: m.sub(0.0, a),
    ),
    "sub": (
        lambda m, a, b: m.add(a, m.neg(b)),
        lambda m, a, b: m.add(m.neg(b), a),
        lambda m, a, b: m.add(a, m.mul(b, -1)),
        lambda m, a, b: m.add(a, m.mul(b, -1.0)),
        lambda m, a, b: m.add(a, m.mul(-1, b)),
        lambda m, a, b: m.neg(m.sub(b, a)),
        lambda m, a, b: m.neg(m.add(b, m.neg(a))),
        lambda m, a, b: m.mul(m.sub(b, a), -1),
    ),
    "div": (
        lambda m, a, b: m.mul(a, m.pow(b, -1)),
        lambda m, a, b: m.mul(a, m.pow(b, -1.0)),
        lambda m, a, b: m.mul(m.pow(b, -1), a),
        lambda m, a, b: m.mul(m.pow(b, -1.0), a),
        lambda m, a, b: m.pow(m.div(b, a), -1),
        lambda m, a, b: m.mul(a, m.reciprocal(b)),
        lambda m, a, b: m.mul(m.reciprocal(b), a),
    ),
    "pow": (
        lambda m, a, b: m.square(a) if b == 2 else m.pow(a, b),
        lambda m, a, b: m.mul(a, a) if b == 2 else m.pow(a, b),
        lambda m, a, b: m.exp(m.mul(b, m.log(a))),
        lambda m, a, b: m.exp(m.mul(m.log(a), b)),
    ),
    "tanh": (
        lambda m, a: _ratio(m, m.exp(m.mul(2, a))),
        lambda m, a: _ratio(m, m.exp(m.mul(a, 2))),
        lambda m, a: _ratio(m, m.exp(m.mul(2.0, a))),
        lambda m, a: _ratio(m, m.exp(m.mul(a, 2.0))),
        lambda m, a: _halves(m, m.exp(a), m.exp(m.neg(a))),
        lambda m, a: m.sub(m.mul(m.sigmoid(m.mul(a, 2)), 2), 1),
    ),
    "sigmoid": (
        lambda m, a: m.div(1, m.add(1, m.exp(m.neg(a)))),
        lambda m, a: m.div(1, m.add(m.exp(m.neg(a)), 1)),
        lambda m, a: m.div(1.0, m.add(1.0, m.exp(m.neg(a)))),
        lambda m, a: m.div(1.0, m.add(m.exp(m.neg(a)), 1.0)),
        lambda m, a: m.pow(m.add(m.exp(m.neg(a)), 1), -1),
        lambda m, a: m.pow(m.add(1, m.exp(m.neg(a))), -1),
        lambda m, a: m.pow(m.add(m.exp(m.neg(a)), 1.0), -1),
    ),
    "sqrt": (lambda m, a: m.pow(a, 0.5),),
    "abs": (
        lambda m, a: m.maximum(a, m.neg(a)),
        lambda m, a: m.add(m.relu(a), m.relu(m.neg(a))),
        lambda m, a: m.pow(m.pow(a, 2), 0.5),
        lambda m, a: m.sqrt(m.pow(a, 2)),
        lambda m, a: m.sqrt(m.mul(a, a)),
    ),
    "relu": (
        lambda m, a: m.div(m.add(a, m.abs(a)), 2),
        lambda m, a: m.mul(m.add(a, m.abs(a)), 0.5),
        lambda m, a: m.maximum(a, 0),
        lambda m, a: m.maximum(a, 0.0),
    ),
    "minimum": (
        lambda m, a, b: m.neg(m.maximum(m.neg(a), m.neg(b))),
        lambda m, a, b: m.sub(a, m.relu(m.sub(a, b))),
        lambda m, a, b: m.div(m.sub(m.add(a, b), m.abs(m.sub(a, b))), 2),
        lambda m, a, b: m.mul(m.sub(m.add(a, b), m.abs(m.sub(a, b))), 0.5),
    ),
    "maximum": (
        lambda m, a, b: m.add(m.relu(m.sub(a, b)), b),
        lambda m, a, b: m.div(m.add(m.add(a, b), m.abs(m.sub(a, b))), 2),
        lambda m, a, b: m.mul(m.add(m.add(a, b), m.abs(m.sub(a, b))), 0.5),
        lambda m, a, b: m.neg(m.minimum(m.neg(a), m.neg(b))),
    ),
    "square": (lambda m, a: m.mul(a, a), lambda m, a: m.pow(a, 2)),
    "reciprocal": (lambda m, a: m.pow(a, -1), lambda m, a: m.pow(a, -1.0), lambda m, a: m.div(1, a)),
}
"""op → ways to build it. Each takes the maths and the operands, values or plain numbers."""

ORDER = (
    *("add", "mul", "exp", "log", "pow", "neg", "sub", "div", "sqrt"),
    *("abs", "relu", "maximum", "minimum"),
)
"""From primitive to composite; ops that are not named here come after these, in the vocabulary's order."""

FORMS = ("value", "value-value", "value-int", "value-float", "int-value", "float-value")


def walk(rules: Sequence[Rule]) -> list[Rule]:
    """The order in which rules are blamed, so that a composite is met after what it may be made of."""

    def depth(rule: Rule) -> tuple[int, int]:
        op, form = rule
        return (ORDER.index(op) if op in ORDER else len(ORDER), FORMS.index(form) if form in FORMS else 99)

    return sorted(rules, key=depth)


def _ratio(m: _Maths, e: Operand) -> Operand:
    return m.div(m.sub(e, 1), m.add(e, 1))  # type: ignore[no-any-return]


def _halves(m: _Maths, e: Operand, f: Operand) -> Operand:
    return m.div(m.sub(e, f), m.add(e, f))  # type: ignore[no-any-return]


def rewrites(rule: Rule) -> Iterator[tuple[Make, frozenset[Rule]]]:
    """Every known way to compute a rule from others, with the rules that it uses."""
    op, form = rule
    if form.count("-") and form != "value-value":
        yield _checked(lambda r, xs: r.node(op, *_lifted(r, xs)), rule)
        if op in ("add", "mul"):
            yield _checked(lambda r, xs: r.node(op, xs[1], xs[0]), rule)
    for build in COMPOSITES.get(op, ()):
        yield _checked(partial(_built, build, False), rule)
        if "int" in form or "float" in form:
            yield _checked(partial(_built, build, True), rule)


def _built(build: Any, lift: bool, r: Recorder, operands: Sequence[Operand]) -> Traced:
    result: Traced = build(_Maths(r), *(_lifted(r, operands) if lift else operands))
    return result


def _lifted(r: Recorder, operands: Sequence[Operand]) -> list[Operand]:
    """The operands with plain numbers made leaves."""
    return [x if isinstance(x, Traced) else r.input(float(x)) for x in operands]


def leaves_alone(make: Make, rule: Rule, points: Iterable[Point]) -> bool:
    """Whether a rewrite does without the rule itself at these points (a power by squaring, only of exponent 2)."""
    return not any(rule in _used(make, rule, point) for point in points)


def _checked(make: Make, rule: Rule) -> tuple[Make, frozenset[Rule]]:
    """Find out which rules a rewrite uses by recording it once."""
    return make, _used(make, rule, points(VOCABULARY[rule[0]], rule[1])[0])


def _used(make: Make, rule: Rule, point: Point) -> frozenset[Rule]:
    recorder = Recorder()
    operands: list[Operand] = []
    for kind, x in zip(rule[1].split("-"), point, strict=True):
        operands.append(recorder.input(x) if kind == "value" else math.ceil(x) if kind == "int" else x)
    make(recorder, operands)
    program = recorder.finish()
    return frozenset((node.op, program.form(node)) for _, node in program.nodes())
