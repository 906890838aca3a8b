"""Rows of arithmetic: the operators, and what is exact or almost: powers, roundings, larger and smaller."""

from __future__ import annotations

import math
from collections.abc import Callable

from oracle.vocabulary.op import (
    BINARY,
    EXACT,
    INF,
    NAN,
    UNARY,
    Bound,
    Measure,
    Op,
    Point,
    divide,
    each,
    kink_at,
    sign,
    tie,
)

SCATTERED: tuple[Point, ...] = ((0.7,), (-1.3,), (2.4,), (-0.35,), (8.6,))
PAIRS: tuple[Point, ...] = ((1.5, -2.25), (-0.7, 1.3), (7.25, 0.6), (-1.9, -0.8), (0.45, 2.75))


def _factors(b: float) -> float:
    """How many equal factors a whole power has; 0 for any other.

    A product of n factors is off by at most (n - 1)·u, in whatever order it is multiplied (by squaring, too: what is
    used twice counts twice), and a quotient by two more for each. Its derivative by back-propagation is a sum of n
    such products, all of one sign: off by another n·u.
    """
    return abs(b) if b == int(b) else 0.0


POWER = Measure(
    "4·|b·log a| + 2·|b| (whole b)",
    lambda a, b: 4 * abs(b * math.log(abs(a))) + 2 * _factors(b) if a else 0.0,
)
POWER_SLOPE = Measure(
    "4·(1 + |b|)·|log a| + 4·|b| (whole b)",
    lambda a, b: 4 * (1 + abs(b)) * abs(math.log(abs(a))) + 4 * _factors(b) if a else 0.0,
)
DIVIDEND = Measure("|a|", lambda a, b: abs(a))
LARGER = Measure("max(|a|, |b|)", lambda a, b: max(abs(a), abs(b)))
"""What (a + b + |a - b|)/2 rounds: a + b and a - b, which are twice that together, and their sum: 2·u at most."""


def _pow_slope(g: float, y: float, a: float, b: float) -> float:
    return 0.0 if b == 0 else g * (b * math.pow(a, b - 1.0))


def _pow_exponent_slope(g: float, y: float, a: float, b: float) -> float:
    if a == 0 and b >= 0:
        return 0.0
    return g * (y * math.log(a))


def _pow_domain(a: float, b: float) -> bool:
    whole = b == int(b)
    if a == 0:  # an end of the domain of fractional powers, which are taken by the logarithm
        return whole and b >= 1
    if a < 0 and not whole:
        return False
    return abs(b * math.log(abs(a))) < 200


def _remainder(a: float, b: float) -> float:
    r = math.fmod(a, b)
    return r + b if r and (r < 0) != (b < 0) else r


def _floored(a: float, b: float) -> float:
    """The whole number of times that b goes into a, as PyTorch's remainder counts them."""
    r = math.fmod(a, b)
    times = (a - r) / b
    if r and (r < 0) != (b < 0):
        times -= 1.0
    return float(round(times)) if math.isfinite(times) else NAN


def _broken(a: float, b: float) -> bool:
    """Whether a / b is away from whole numbers, where fmod and remainder jump."""
    return b != 0 and 1e-6 < math.fmod(abs(a / b), 1.0) < 1 - 1e-6 and abs(a / b) < 1e6


def _larger(a: float, b: float) -> float:
    return NAN if a != a or b != b else max(a, b)


def _smaller(a: float, b: float) -> float:
    return NAN if a != a or b != b else min(a, b)


def _rounding(name: str, whole: Callable[[float], int], edges: tuple[Point, ...]) -> Op:
    """A row for an op from numbers to whole numbers: flat, with jumps, inf and nan as they are."""

    def value(a: float) -> float:
        return math.copysign(float(whole(a)), a) if math.isfinite(a) else a

    return Op(
        name,
        1,
        torch=lambda t, a: getattr(t, name)(a),
        mpmath=lambda m, a: m.mpf(whole(float(a))),
        value=value,
        vjp=(lambda g, y, a: 0.0,),
        points=SCATTERED,
        domain=lambda a: 2 * a != math.floor(2 * a),
        edges=(*edges, *each(0.0, INF)),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=(name,),
    )


def _scaling(name: str, factor: float, exact: Callable[..., object]) -> Op:
    """A row for a change of units."""
    return Op(
        name,
        1,
        torch=lambda t, a: getattr(t, name)(a),
        mpmath=exact,
        value=lambda a: a * factor,
        vjp=(lambda g, y, a: g * factor,),
        points=SCATTERED,
        edges=each(0.0, INF),
        value_bound=Bound(6),  # 2.1: x·180/π
        slope_bound=Bound(4),  # 1.2: g·(π/180)
        spellings=(name,),
        functions=({"deg2rad": "radians", "rad2deg": "degrees"}[name],),
    )


ARITHMETIC = (
    Op(
        "add",
        2,
        torch=lambda t, a, b: a + b,
        mpmath=lambda m, a, b: a + b,
        value=lambda a, b: a + b,
        vjp=(lambda g, y, a, b: g, lambda g, y, a, b: g),
        points=BINARY,
        edges=((INF, -INF), (1e308, 1e308), (0.0, -0.0), (1e16, 1.0)),
        value_bound=EXACT,
        slope_bound=EXACT,
        symbol="+",
        spellings=("__add__",),
        reflected="__radd__",
    ),
    Op(
        "sub",
        2,
        torch=lambda t, a, b: a - b,
        mpmath=lambda m, a, b: a - b,
        value=lambda a, b: a - b,
        vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g),
        points=BINARY,
        edges=((INF, INF), (1e308, -1e308), (1e16, 1.0)),
        value_bound=EXACT,
        slope_bound=Bound(4),  # 1.8: of a + b·(-1), by g·y/x
        symbol="-",
        spellings=("__sub__",),
        reflected="__rsub__",
    ),
    Op(
        "mul",
        2,
        torch=lambda t, a, b: a * b,
        mpmath=lambda m, a, b: a * b,
        value=lambda a, b: a * b,
        vjp=(lambda g, y, a, b: g * b, lambda g, y, a, b: g * a),
        points=BINARY,
        edges=((0.0, INF), (1e200, 1e200), (1e-200, 1e-200), (0.0, 2.5)),
        value_bound=EXACT,
        slope_bound=Bound(6),  # 2.13: g·y/a, three roundings
        symbol="*",
        spellings=("__mul__",),
        reflected="__rmul__",
    ),
    Op(
        "div",
        2,
        torch=lambda t, a, b: a / b,
        mpmath=lambda m, a, b: a / b,
        value=lambda a, b: a / b,
        vjp=(lambda g, y, a, b: g / b, lambda g, y, a, b: -g * ((a / b) / b)),
        points=BINARY,
        domain=lambda a, b: b != 0,
        edges=((1.0, 0.0), (-1.0, 0.0), (0.0, 0.0), (1.0, INF)),
        value_bound=Bound(4),  # 1.93: a·b**-1
        slope_bound=Bound(8),  # 2.41: PyTorch's
        symbol="/",
        spellings=("__truediv__",),
        reflected="__rtruediv__",
    ),
    Op(
        "pow",
        2,
        torch=lambda t, a, b: a**b,
        mpmath=lambda m, a, b: m.power(a, b),
        value=math.pow,
        vjp=(_pow_slope, _pow_exponent_slope),
        points=((1.5, 2.25), (0.7, -1.3), (3.25, 0.6), (1.9, 3.0), (0.45, -2.0)),
        domain=_pow_domain,
        edges=((0.0, 0.0), (0.0, -1.0), (-2.0, 0.5), (0.0, 2.0), (-2.0, 3.0), (2.5, 0.0), (-1.5, 1.0)),
        value_bound=Bound(4, conditioning=POWER),  # 35 % of it: exp(b·log a)
        slope_bound=Bound(8, conditioning=POWER_SLOPE),  # 30 % of it: by exp and log
        symbol="**",
        spellings=("__pow__",),
        reflected="__rpow__",
    ),
    Op(
        "neg",
        1,
        torch=lambda t, a: -a,
        mpmath=lambda m, a: -a,
        value=lambda a: -a,
        vjp=(lambda g, y, a: -g,),
        points=UNARY,
        edges=each(0.0, INF),
        value_bound=EXACT,
        slope_bound=Bound(4),  # 1.8: of x·(-1), by g·y/x: two roundings
        symbol="-",
        spellings=("__neg__",),
    ),
    Op(
        "abs",
        1,
        torch=lambda t, a: t.abs(a),
        mpmath=lambda m, a: abs(a),
        value=abs,
        vjp=(lambda g, y, a: g * ((a > 0) - (a < 0)),),
        points=UNARY,
        edges=each(INF, -INF),
        value_bound=EXACT,
        slope_bound=Bound(4),  # 1.46: of (x²)**0.5
        spellings=("abs", "__abs__"),
        kinks=(kink_at(0.0, -1.0, 1.0, 0.0),),
    ),
    Op(
        "sign",
        1,
        torch=lambda t, a: t.sign(a),
        mpmath=lambda m, a: m.sign(a),
        value=sign,
        vjp=(lambda g, y, a: 0.0,),
        points=UNARY,
        domain=lambda a: a != 0,
        edges=each(0.0, -0.0, INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("sign", "sgn"),
    ),
    Op(
        "square",
        1,
        torch=lambda t, a: t.square(a),
        mpmath=lambda m, a: a * a,
        value=lambda a: a * a,
        vjp=(lambda g, y, a: g * (2.0 * a),),
        points=UNARY,
        edges=each(0.0, 1e200, 1e-200, INF),
        value_bound=Bound(2),  # 0.995: PyTorch's
        slope_bound=Bound(2),  # 0.976: PyTorch's
        spellings=("square", "sqr"),
    ),
    Op(
        "reciprocal",
        1,
        torch=lambda t, a: t.reciprocal(a),
        mpmath=lambda m, a: 1 / a,
        value=lambda a: divide(1.0, a),
        vjp=(lambda g, y, a: -g * (y * y),),
        points=UNARY,
        domain=lambda a: a != 0,
        edges=each(0.0, -0.0, 1e200, INF),
        value_bound=Bound(4),  # 0.982: PyTorch's
        slope_bound=Bound(8),  # 3.13: PyTorch's
        spellings=("reciprocal", "inverse", "inv", "recip"),
    ),
    _scaling("deg2rad", 0.017453292519943295, lambda m, a: a * m.pi / 180),
    _scaling("rad2deg", 57.29577951308232, lambda m, a: a * 180 / m.pi),
    _rounding("floor", math.floor, each(-2.0, -0.5)),
    _rounding("ceil", math.ceil, each(2.0, -0.5)),
    _rounding("round", round, each(0.5, 1.5, 2.5, -0.5, -1.5)),
    _rounding("trunc", math.trunc, each(-2.0, -0.5)),
    Op(
        "frac",
        1,
        torch=lambda t, a: t.frac(a),
        mpmath=lambda m, a: a - int(a),
        value=lambda a: a - math.trunc(a) if math.isfinite(a) else NAN,
        vjp=(lambda g, y, a: g,),
        points=SCATTERED,
        domain=lambda a: a != math.trunc(a),
        edges=each(0.0, -2.0, 1e16, INF),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("frac",),
    ),
    Op(
        "maximum",
        2,
        torch=lambda t, a, b: t.maximum(a, b),
        mpmath=lambda m, a, b: max(a, b),
        value=_larger,
        vjp=(
            lambda g, y, a, b: g / 2 if a == b else 0.0 if a < b else g,
            lambda g, y, a, b: g / 2 if a == b else 0.0 if b < a else g,
        ),
        points=BINARY,
        edges=((0.0, INF), (NAN, 2.5), (2.5, NAN), (2.5, 0.0), (0.0, 1.3)),
        value_bound=Bound(absolute=4, size=LARGER),  # 50 % of it: by |a - b|
        slope_bound=Bound(absolute=4),  # 0.73: of (a + b ± ((a - b)²)**0.5)/2
        spellings=("maximum", "max"),
        kinks=tie(0.0, 1.0, 0.5),
    ),
    Op(
        "minimum",
        2,
        torch=lambda t, a, b: t.minimum(a, b),
        mpmath=lambda m, a, b: min(a, b),
        value=_smaller,
        vjp=(
            lambda g, y, a, b: g / 2 if a == b else 0.0 if a > b else g,
            lambda g, y, a, b: g / 2 if a == b else 0.0 if b > a else g,
        ),
        points=BINARY,
        edges=((0.0, -INF), (NAN, 2.5), (2.5, NAN), (-2.5, 0.0), (0.0, -1.3)),
        value_bound=Bound(absolute=4, size=LARGER),  # 50 % of it: by |a - b|
        slope_bound=Bound(absolute=4),  # 0.73: of (a + b ± ((a - b)²)**0.5)/2
        spellings=("minimum", "min"),
        kinks=tie(0.0, 1.0, 0.5),
    ),
    Op(
        "fmax",
        2,
        torch=lambda t, a, b: t.fmax(a, b),
        mpmath=lambda m, a, b: max(a, b),
        value=lambda a, b: a if a >= b or b != b else b,
        vjp=(
            lambda g, y, a, b: g if a >= b or b != b else 0.0,
            lambda g, y, a, b: 0.0 if a >= b or b != b else g,
        ),
        points=BINARY,
        edges=((NAN, 2.5), (2.5, NAN), (NAN, NAN), (0.0, INF)),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("fmax",),
        kinks=tie(0.0, 1.0, 1.0),
    ),
    Op(
        "fmin",
        2,
        torch=lambda t, a, b: t.fmin(a, b),
        mpmath=lambda m, a, b: min(a, b),
        value=lambda a, b: a if a <= b or b != b else b,
        vjp=(
            lambda g, y, a, b: g if a <= b or b != b else 0.0,
            lambda g, y, a, b: 0.0 if a <= b or b != b else g,
        ),
        points=BINARY,
        edges=((NAN, 2.5), (2.5, NAN), (NAN, NAN), (0.0, -INF)),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("fmin",),
        kinks=tie(0.0, 1.0, 1.0),
    ),
    Op(
        "copysign",
        2,
        torch=lambda t, a, b: t.copysign(a, b),
        mpmath=lambda m, a, b: abs(a) if b > 0 else -abs(a),
        value=math.copysign,
        vjp=(lambda g, y, a, b: g * (y / a if a else 0.0), lambda g, y, a, b: 0.0),
        points=PAIRS,
        domain=lambda a, b: a != 0 and b != 0,
        edges=((0.0, -2.5), (2.5, -0.0), (2.5, -INF)),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("copysign",),
    ),
    Op(
        "fmod",
        2,
        torch=lambda t, a, b: t.fmod(a, b),
        mpmath=lambda m, a, b: a - b * int(a / b),
        value=math.fmod,
        vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g * math.trunc(a / b)),
        points=PAIRS,
        domain=_broken,
        edges=((4.0, 2.0), (-4.5, 2.0), (2.5, INF), (2.5, 0.0), (INF, 2.0)),
        value_bound=Bound(2, absolute=4, size=DIVIDEND),  # 25 % of it: a - b·trunc(a/b)
        slope_bound=Bound(2),  # 0.851: PyTorch's
        spellings=("fmod",),
    ),
    Op(
        "remainder",
        2,
        torch=lambda t, a, b: t.remainder(a, b),
        mpmath=lambda m, a, b: a - b * m.floor(a / b),
        value=_remainder,
        vjp=(lambda g, y, a, b: g, lambda g, y, a, b: -g * _floored(a, b)),
        points=PAIRS,
        domain=_broken,
        edges=((4.0, 2.0), (-4.5, 2.0), (2.5, INF), (-2.5, INF), (2.5, 0.0), (INF, 2.0)),
        value_bound=Bound(2, absolute=4, size=DIVIDEND),  # 40 % of it: PyTorch's
        slope_bound=Bound(2),  # 0.923: PyTorch's
        spellings=("remainder", "__mod__", "mod"),
    ),
)
