"""Rows of elementary and special functions: exponentials, logarithms, roots, trigonometry, erf, lgamma."""

from __future__ import annotations

import math

from oracle.vocabulary.op import (
    INF,
    NAN,
    POSITIVE,
    UNARY,
    Bound,
    Measure,
    Op,
    Point,
    divide,
    each,
    exp,
)

LN2, LN10 = 0.6931471805599453, 2.3025850929940456
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(math.pi)

SMALL: tuple[Point, ...] = ((0.7,), (-0.25,), (0.45,), (-0.9,), (0.06,))
PAIRS: tuple[Point, ...] = ((1.5, -2.25), (-0.7, 1.3), (3.25, 0.6), (-1.9, -0.8), (0.45, 2.75), (-40.0, 9.0))

EXPONENT = Measure("|x|", lambda a: abs(a))
APART = Measure("2·|a − b|", lambda a, b: 2 * abs(a - b))
SQUARED = Measure("3x²", lambda a: 3 * a * a)
NEAR_ONE = Measure("2/(1 − x²)", lambda a: 2 / (1 - a * a))
ABOVE_ONE = Measure("4x²/(x² − 1)", lambda a: 4 * a * a / (a * a - 1))


def _rsqrt(x: float) -> float:
    return 1.0 / math.sqrt(x)


def _sinc_slope(g: float, y: float, a: float) -> float:
    t, square = a * math.pi, a * a * math.pi
    return g * ((t * math.cos(t) - math.sin(t)) / square) if square else 0.0


def _digamma(x: float) -> float:
    """The slope of lgamma: reflected to x > 0, moved above 10, then the asymptotic series (DLMF 5.11.2)."""
    if x <= 0.0:
        if x == math.floor(x):
            raise ValueError("a pole")
        return _digamma(1.0 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1.0))
    moved = 0.0
    while x < 10.0:
        moved += 1.0 / x
        x += 1.0
    z = 1.0 / (x * x)
    tail = 0.0
    for term in (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12):
        tail = (tail + term) * z
    return math.log(x) - 0.5 / x - tail - moved


def _atan2_share(g: float, part: float, a: float, b: float) -> float:
    square = a * a + b * b
    return g * part * (1.0 / square if square else 0.0)


def _logaddexp(a: float, b: float) -> float:
    if a != a or b != b:
        return NAN
    return a if a == b and math.isinf(a) else max(a, b) + math.log1p(exp(-abs(a - b)))


def _logaddexp2(a: float, b: float) -> float:
    if a != a or b != b:
        return NAN
    if a == b and math.isinf(a):
        return a
    return max(a, b) + math.log1p(math.exp2(-abs(a - b))) * (1.0 / LN2)


def _exp2(x: float) -> float:
    return math.exp2(x) if x < 1024.0 or x != x else INF


def _xlogy(a: float, b: float) -> float:
    if b != b:
        return NAN
    if a == 0:
        return 0.0
    return a * (math.log(b) if b else -INF)


EXPONENTIALS = (
    Op(
        "exp",
        1,
        torch=lambda t, a: t.exp(a),
        mpmath=lambda m, a: m.exp(a),
        value=math.exp,
        vjp=(lambda g, y, a: g * y,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 710.0, -750.0, INF, -INF),
        value_bound=Bound(4, conditioning=EXPONENT),  # 47 % of it: e**x
        slope_bound=Bound(8, conditioning=EXPONENT),  # 46 % of it: e**x
        spellings=("exp",),
    ),
    Op(
        "exp2",
        1,
        torch=lambda t, a: t.exp2(a),
        mpmath=lambda m, a: m.power(2, a),
        value=math.exp2,
        vjp=(lambda g, y, a: g * y * LN2,),
        points=UNARY,
        domain=lambda a: abs(a) < 400,
        edges=each(0.0, 1024.0, -1080.0, INF, -INF),
        # 31 % of it: exp(x·log 2)
        value_bound=Bound(4, conditioning=Measure("2·|x|", lambda a: 2 * abs(a))),
        slope_bound=Bound(8, conditioning=Measure("2·|x|", lambda a: 2 * abs(a))),  # 31 % of it: PyTorch's
        spellings=("exp2", "pow2"),
    ),
    Op(
        "expm1",
        1,
        torch=lambda t, a: t.expm1(a),
        mpmath=lambda m, a: m.expm1(a),
        value=math.expm1,
        vjp=(lambda g, y, a: g * (y + 1.0),),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 1e-12, -40.0, 710.0, INF, -INF),
        value_bound=Bound(4),  # 1.17: PyTorch's
        slope_bound=Bound(8, absolute=4),  # 19 % of it: exp(x)
        spellings=("expm1",),
        naive={None: {"exp(x) - 1": lambda a: math.exp(a) - 1.0}},
    ),
    Op(
        "log",
        1,
        torch=lambda t, a: t.log(a),
        mpmath=lambda m, a: m.log(a),
        value=math.log,
        vjp=(lambda g, y, a: g / a,),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=each(0.0, -1.5, 1.0, INF),
        value_bound=Bound(4),  # 0.989: PyTorch's
        slope_bound=Bound(8),  # 1.58: x**-1
        spellings=("log", "ln"),
    ),
    Op(
        "log2",
        1,
        torch=lambda t, a: t.log2(a),
        mpmath=lambda m, a: m.log(a) / m.log(2),
        value=math.log2,
        vjp=(lambda g, y, a: divide(g, a * LN2),),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=each(0.0, -1.5, 1.0, 8.0, INF),
        value_bound=Bound(4),  # 1.8: log x/log 2
        slope_bound=Bound(8),  # 2.3: (1/x)/log 2
        spellings=("log2",),
    ),
    Op(
        "log10",
        1,
        torch=lambda t, a: t.log10(a),
        mpmath=lambda m, a: m.log10(a),
        value=math.log10,
        vjp=(lambda g, y, a: divide(g, a * LN10),),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=each(0.0, -1.5, 1.0, 1000.0, INF),
        value_bound=Bound(6),  # 2.44: log x/log 10
        slope_bound=Bound(8),  # 2.87: (1/x)/log 10
        spellings=("log10",),
    ),
    Op(
        "log1p",
        1,
        torch=lambda t, a: t.log1p(a),
        mpmath=lambda m, a: m.log1p(a),
        value=math.log1p,
        vjp=(lambda g, y, a: divide(g, a + 1.0),),
        points=(*POSITIVE, (-0.45,), (-0.95,)),
        domain=lambda a: a > -1,
        edges=each(0.0, 1e-12, -1.0, -1.5, INF),
        value_bound=Bound(4),  # 1.16: PyTorch's
        slope_bound=Bound(8),  # 2.22: 1/(1 + x)
        spellings=("log1p",),
        naive={None: {"log(1 + x)": lambda a: math.log(1.0 + a)}},
    ),
    Op(
        "sqrt",
        1,
        torch=lambda t, a: t.sqrt(a),
        mpmath=lambda m, a: m.sqrt(a),
        value=math.sqrt,
        vjp=(lambda g, y, a: divide(g, 2.0 * y),),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=each(0.0, -1.5, INF),
        value_bound=Bound(4),  # 0.963: PyTorch's
        slope_bound=Bound(8),  # 2.14: 0.5/y
        spellings=("sqrt",),
    ),
    Op(
        "rsqrt",
        1,
        torch=lambda t, a: t.rsqrt(a),
        mpmath=lambda m, a: 1 / m.sqrt(a),
        value=lambda a: divide(1.0, math.sqrt(a)),
        vjp=(lambda g, y, a: -0.5 * g * (y * y * y),),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=each(0.0, -0.0, -1.5, INF),
        value_bound=Bound(4),  # 1.45: sqrt(1/x)
        slope_bound=Bound(16),  # 5.37: PyTorch's
        spellings=("rsqrt",),
    ),
    Op(
        "logaddexp",
        2,
        torch=lambda t, a, b: t.logaddexp(a, b),
        mpmath=lambda m, a, b: m.log(m.exp(a) + m.exp(b)),
        value=_logaddexp,
        vjp=(lambda g, y, a, b: g / (1.0 + exp(b - a)), lambda g, y, a, b: g / (1.0 + exp(a - b))),
        points=PAIRS,
        domain=lambda a, b: max(abs(a), abs(b)) < 300,
        edges=((0.0, 0.0), (1000.0, 999.0), (-1000.0, -1000.0), (INF, INF), (INF, -INF), (-INF, -INF)),
        value_bound=Bound(4, absolute=4),  # 45 % of it: log(exp a + exp b)
        slope_bound=Bound(8, conditioning=APART),  # 42 % of it: PyTorch's
        spellings=("logaddexp",),
    ),
    Op(
        "logaddexp2",
        2,
        torch=lambda t, a, b: t.logaddexp2(a, b),
        mpmath=lambda m, a, b: m.log(m.power(2, a) + m.power(2, b)) / m.log(2),
        value=_logaddexp2,
        vjp=(lambda g, y, a, b: g / (1.0 + _exp2(b - a)), lambda g, y, a, b: g / (1.0 + _exp2(a - b))),
        points=PAIRS,
        domain=lambda a, b: max(abs(a), abs(b)) < 300,
        edges=((0.0, 0.0), (2000.0, 1999.0), (INF, INF), (-INF, -INF)),
        value_bound=Bound(4, absolute=8),  # 28 % of it: log2(2**a + 2**b)
        slope_bound=Bound(8, conditioning=APART),  # 32 % of it: 2**a/(2**a + 2**b)
        spellings=("logaddexp2",),
    ),
    Op(
        "xlogy",
        2,
        torch=lambda t, a, b: t.xlogy(a, b),
        mpmath=lambda m, a, b: a * m.log(b),
        value=_xlogy,
        vjp=(
            lambda g, y, a, b: 0.0 if a == 0 and b <= 0 else _xlogy(g, b),
            lambda g, y, a, b: divide(g * a, b),
        ),
        points=((1.5, 2.25), (-0.7, 1.3), (3.25, 0.6), (-1.9, 8.5), (40.0, 0.05)),
        domain=lambda a, b: b > 0,
        edges=((0.0, 2.5), (0.0, 0.0), (0.0, -2.5), (2.5, 0.0), (2.5, -2.5), (0.0, INF), (0.0, NAN)),
        value_bound=Bound(4),  # 1.72: PyTorch's
        slope_bound=Bound(8),  # 2.05: a·(1/b)
        spellings=("xlogy",),
    ),
)

TRIGONOMETRY = (
    Op(
        "sin",
        1,
        torch=lambda t, a: t.sin(a),
        mpmath=lambda m, a: m.sin(a),
        value=math.sin,
        vjp=(lambda g, y, a: g * math.cos(a),),
        points=UNARY,
        domain=lambda a: abs(a) < 1e4,
        edges=each(0.0, INF, 1e6),
        value_bound=Bound(4),  # 0.98: PyTorch's
        slope_bound=Bound(8),  # 1.5: PyTorch's
        spellings=("sin",),
    ),
    Op(
        "cos",
        1,
        torch=lambda t, a: t.cos(a),
        mpmath=lambda m, a: m.cos(a),
        value=math.cos,
        vjp=(lambda g, y, a: g * -math.sin(a),),
        points=UNARY,
        domain=lambda a: abs(a) < 1e4,
        edges=each(0.0, INF, 1e6),
        value_bound=Bound(4),  # 0.928: PyTorch's
        slope_bound=Bound(8),  # 1.53: PyTorch's
        spellings=("cos",),
    ),
    Op(
        "tan",
        1,
        torch=lambda t, a: t.tan(a),
        mpmath=lambda m, a: m.tan(a),
        value=math.tan,
        vjp=(lambda g, y, a: g * (1.0 + y * y),),
        points=UNARY,
        domain=lambda a: abs(a) < 1e4,
        edges=each(0.0, 1.5707963267948966, INF),
        value_bound=Bound(6),  # 2.18: sin/cos
        slope_bound=Bound(10),  # 3.76: (1/cos)²
        spellings=("tan",),
    ),
    Op(
        "asin",
        1,
        torch=lambda t, a: t.asin(a),
        mpmath=lambda m, a: m.asin(a),
        value=math.asin,
        vjp=(lambda g, y, a: divide(g, math.sqrt(1.0 - a * a)),),
        points=SMALL,
        domain=lambda a: abs(a) < 1,
        edges=each(0.0, 1.0, -1.0, 1.5, INF),
        value_bound=Bound(6),  # 2.21: atan(x/√(1 - x²))
        slope_bound=Bound(8, conditioning=NEAR_ONE),  # 22 % of it: 1/√(1 - x²)
        spellings=("asin", "arcsin"),
    ),
    Op(
        "acos",
        1,
        torch=lambda t, a: t.acos(a),
        mpmath=lambda m, a: m.acos(a),
        value=math.acos,
        vjp=(lambda g, y, a: -divide(g, math.sqrt(1.0 - a * a)),),
        points=SMALL,
        domain=lambda a: abs(a) < 1,
        edges=each(0.0, 1.0, -1.0, 1.5, INF),
        value_bound=Bound(4, absolute=4),  # 37 % of it: π/2 - asin x
        slope_bound=Bound(8, conditioning=NEAR_ONE),  # 24 % of it: -1/√(1 - x²)
        spellings=("acos", "arccos"),
    ),
    Op(
        "atan",
        1,
        torch=lambda t, a: t.atan(a),
        mpmath=lambda m, a: m.atan(a),
        value=math.atan,
        vjp=(lambda g, y, a: g / (a * a + 1.0),),
        points=UNARY,
        edges=each(0.0, 1e200, INF, -INF),
        value_bound=Bound(4),  # 0.937: PyTorch's
        slope_bound=Bound(8),  # 2.37: 1/(1 + x²)
        spellings=("atan", "arctan"),
    ),
    Op(
        "atan2",
        2,
        torch=lambda t, a, b: t.atan2(a, b),
        mpmath=lambda m, a, b: m.atan2(a, b),
        value=math.atan2,
        vjp=(
            lambda g, y, a, b: _atan2_share(g, b, a, b),
            lambda g, y, a, b: _atan2_share(g, -a, a, b),
        ),
        points=PAIRS,
        domain=lambda a, b: a != 0 or b != 0,
        edges=((0.0, 0.0), (0.0, -2.5), (-0.0, -2.5), (2.5, 0.0), (INF, INF), (2.5, INF), (2.5, -INF)),
        value_bound=Bound(4),  # 1.77: atan(a/b) moved
        slope_bound=Bound(8),  # 3.06: PyTorch's
        spellings=("atan2", "arctan2"),
    ),
    Op(
        "hypot",
        2,
        torch=lambda t, a, b: t.hypot(a, b),
        mpmath=lambda m, a, b: m.sqrt(a * a + b * b),
        value=math.hypot,
        vjp=(lambda g, y, a, b: divide(g * a, y), lambda g, y, a, b: divide(g * b, y)),
        points=PAIRS,
        domain=lambda a, b: a != 0 or b != 0,
        edges=((0.0, 0.0), (0.0, 2.5), (1e200, 1e200), (INF, NAN), (2.5, -INF)),
        value_bound=Bound(4),  # 1.64: √(a² + b²)
        slope_bound=Bound(8),  # 2.58: b·(…)**-0.5
        spellings=("hypot",),
    ),
    Op(
        "sinc",
        1,
        torch=lambda t, a: t.sinc(a),
        mpmath=lambda m, a: m.sincpi(a),
        value=lambda a: divide(math.sin(a * math.pi), a * math.pi) if a else 1.0,
        vjp=(_sinc_slope,),
        points=((0.7,), (-1.3,), (2.4,), (-0.35,), (3.6,)),
        domain=lambda a: abs(a) < 1e4,
        edges=each(0.0, 1e-8, 2.0, INF),
        value_bound=Bound(4, absolute=4),  # 28 % of it: PyTorch's
        # 24 % of it: cos(πx)/x - sin(πx)/(πx²)
        slope_bound=Bound(8, absolute=16, size=Measure("(1 + 1/|x|)", lambda a: 1 + 1 / abs(a))),
        spellings=("sinc",),
    ),
)

HYPERBOLIC = (
    Op(
        "sinh",
        1,
        torch=lambda t, a: t.sinh(a),
        mpmath=lambda m, a: m.sinh(a),
        value=math.sinh,
        vjp=(lambda g, y, a: g * math.cosh(a),),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 1e-9, 711.0, -711.0, INF),
        value_bound=Bound(4, absolute=4, conditioning=EXPONENT),  # 47 % of it: by e**x
        slope_bound=Bound(8, conditioning=EXPONENT),  # 46 % of it: by e**x
        spellings=("sinh",),
    ),
    Op(
        "cosh",
        1,
        torch=lambda t, a: t.cosh(a),
        mpmath=lambda m, a: m.cosh(a),
        value=math.cosh,
        vjp=(lambda g, y, a: g * math.sinh(a),),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 1e-9, 711.0, -711.0, INF),
        value_bound=Bound(4, conditioning=EXPONENT),  # 47 % of it: by e**x
        slope_bound=Bound(8, absolute=4, conditioning=EXPONENT),  # 46 % of it: by e**x
        spellings=("cosh",),
    ),
    Op(
        "tanh",
        1,
        torch=lambda t, a: t.tanh(a),
        mpmath=lambda m, a: m.tanh(a),
        value=math.tanh,
        vjp=(lambda g, y, a: g * (1.0 - y * y),),
        points=(*UNARY, (0.05,)),
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 1e-9, 20.0, 400.0, -400.0, INF),
        value_bound=Bound(4, absolute=4),  # 46 % of it: 2·logistic(2x) - 1
        slope_bound=Bound(0, absolute=16),  # 6.2: 1 - t², t = 1 - 2/(e²ˣ + 1)
        spellings=("tanh",),
    ),
    Op(
        "asinh",
        1,
        torch=lambda t, a: t.asinh(a),
        mpmath=lambda m, a: m.asinh(a),
        value=math.asinh,
        vjp=(lambda g, y, a: g / math.sqrt(a * a + 1.0),),
        points=UNARY,
        edges=each(0.0, 1e-9, 1e200, INF, -INF),
        value_bound=Bound(4, absolute=6),  # 39 % of it: sign·log(|x| + √(x² + 1))
        slope_bound=Bound(8),  # 2.19: 1/√(x² + 1)
        spellings=("asinh", "arcsinh"),
        naive={None: {"log(x + √(x² + 1))": lambda a: math.log(a + math.sqrt(a * a + 1.0))}},
    ),
    Op(
        "acosh",
        1,
        torch=lambda t, a: t.acosh(a),
        mpmath=lambda m, a: m.acosh(a),
        value=math.acosh,
        vjp=(lambda g, y, a: divide(g, math.sqrt(a * a - 1.0)),),
        points=each(1.6, 2.4, 1.05, 9.2, 73.0),
        domain=lambda a: a > 1,
        edges=each(1.0, 0.5, -1.5, INF),
        # 31 % of it: log(x + √(x - 1)√(x + 1))
        value_bound=Bound(4, conditioning=Measure("4/(x − 1)", lambda a: 4 / (a - 1))),
        slope_bound=Bound(8, conditioning=ABOVE_ONE),  # 24 % of it: 1/(√(x - 1)√(x + 1))
        spellings=("acosh", "arccosh"),
    ),
    Op(
        "atanh",
        1,
        torch=lambda t, a: t.atanh(a),
        mpmath=lambda m, a: m.atanh(a),
        value=math.atanh,
        vjp=(lambda g, y, a: divide(g, 1.0 - a * a),),
        points=SMALL,
        domain=lambda a: abs(a) < 1,
        edges=each(0.0, 1e-9, 1.0, -1.0, 1.5),
        value_bound=Bound(4, absolute=4),  # 28 % of it: (log1p(x) - log1p(-x))/2
        slope_bound=Bound(8, conditioning=NEAR_ONE),  # 31 % of it: 1/((1 - x)(1 + x))
        spellings=("atanh", "arctanh"),
    ),
)

SPECIAL = (
    Op(
        "erf",
        1,
        torch=lambda t, a: t.erf(a),
        mpmath=lambda m, a: m.erf(a),
        value=math.erf,
        vjp=(lambda g, y, a: TWO_OVER_SQRT_PI * exp(-(a * a)) * g,),
        points=((0.7,), (-1.3,), (2.4,), (-0.35,), (3.6,)),
        domain=lambda a: abs(a) < 16,
        edges=each(0.0, 1e-9, 6.0, -6.0, INF),
        value_bound=Bound(4),  # 1.11: PyTorch's
        slope_bound=Bound(8, conditioning=SQUARED),  # 43 % of it: by e**x
        spellings=("erf",),
    ),
    Op(
        "erfc",
        1,
        torch=lambda t, a: t.erfc(a),
        mpmath=lambda m, a: m.erfc(a),
        value=math.erfc,
        vjp=(lambda g, y, a: -TWO_OVER_SQRT_PI * exp(-(a * a)) * g,),
        points=((0.7,), (-1.3,), (2.4,), (-0.35,), (3.6,)),
        domain=lambda a: abs(a) < 16,
        edges=each(0.0, 10.0, -6.0, INF, -INF),
        value_bound=Bound(6),  # 2.53: PyTorch's
        slope_bound=Bound(8, conditioning=SQUARED),  # 44 % of it: by e**x
        spellings=("erfc",),
        naive={None: {"1 - erf(x)": lambda a: 1.0 - math.erf(a)}},
    ),
    Op(
        "lgamma",
        1,
        torch=lambda t, a: t.lgamma(a),
        mpmath=lambda m, a: m.log(abs(m.gamma(a))),
        value=math.lgamma,
        vjp=(lambda g, y, a: g * _digamma(a),),
        points=((0.7,), (-1.3,), (2.4,), (-0.35,), (8.5,)),
        domain=lambda a: a > 0 or (a > -10 and abs(a - round(a)) > 0.1),
        edges=each(2.0, 0.0, -2.0, INF),
        value_bound=Bound(16, absolute=24),  # 32 % of it: PyTorch's
        slope_bound=Bound(16, absolute=64),  # 46 % of it: PyTorch's
        spellings=("lgamma",),
    ),
)

ELEMENTARY = (*EXPONENTIALS, *TRIGONOMETRY, *HYPERBOLIC, *SPECIAL)
