"""Levels edge and numerics: the vocabulary's edge points and kinks, and where naive formulas lose digits."""

from __future__ import annotations

import math
from collections.abc import Iterator

from oracle.case import Case
from oracle.recording import Recorder
from oracle.suite.rules import apply
from oracle.vocabulary import ROWS, VOCABULARY, Op, Point

NUMERICS: tuple[tuple[str, Point, str], ...] = (
    ("tanh", (1e-9,), "tanh through exp keeps seven digits of sixteen here"),
    ("tanh", (18.0,), "1 - tanh² has no digits left"),
    ("sigmoid", (-40.0,), "the tail of the logistic function is small, not 0"),
    ("sigmoid", (36.0,), "1 - sigmoid has one digit left"),
    ("exp", (-37.5,), "a small result"),
    ("exp", (60.0,), "a large result, within the range of single precision"),
    ("log1p", (1e-10,), "log(1 + x) has lost x by the time the logarithm is taken"),
    ("expm1", (1e-10,), "exp(x) - 1 keeps six digits here"),
    ("softplus", (-40.0,), "log(1 + exp(x)) is 0 where the value is 4e-18"),
    ("logsigmoid", (40.0,), "log of a sigmoid that has rounded to 1"),
    ("log", (1.0000001,), "a logarithm near 0"),
    ("pow", (1.0001, 300.0), "a power through exp and log"),
)


def _text(point: Point) -> str:
    return "-".join(f"{x:g}".replace("-", "m").replace("+", "") for x in point)


def cases() -> Iterator[Case]:
    for row in ROWS:
        form = row.forms[0]
        for kink in row.kinks:
            r = Recorder()
            apply(r, row, form, kink.point)[1].named("o") * 1.7
            yield Case(
                f"edge/{row.name}-kink-{_text(kink.point)}",
                r.finish(),
                f"{row.name} has no derivative here, but a range of them",
            )
        for point in row.edges:
            if row.kink(point) is None:
                yield _at(row, form, point, "edge", "an end of the domain, or a special number")
    for op, point, reason in NUMERICS:
        yield _at(VOCABULARY[op], VOCABULARY[op].forms[0], point, "numerics", reason)
    r = Recorder()
    a, b = r.input(1e16, "a"), r.input(1.0, "b")
    (a + b) - a
    yield Case("numerics/cancellation", r.finish(), "a sum that loses an operand, the same in every engine")


def _at(row: Op, form: str, point: Point, level: str, reason: str) -> Case:
    if row.name == "pow" and math.isfinite(point[1]) and point[1] == int(point[1]):
        form = "value-int"  # a Value exponent is the rarer form; it is covered at ordinary points
    r = Recorder()
    apply(r, row, form, point)
    return Case(f"{level}/{row.name}-{_text(point)}", r.finish(), reason)
