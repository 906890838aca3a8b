"""Rows of activation functions: smooth ones, and ones made of straight pieces."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from oracle.vocabulary.op import (
    EXACT,
    INF,
    NAN,
    UNARY,
    Bound,
    Kink,
    Measure,
    Op,
    Point,
    divide,
    each,
    exp,
    kink_at,
    sign,
)

SQRT_HALF = math.sqrt(0.5)
GELU_PDF = (2.0 / math.sqrt(math.pi)) * SQRT_HALF * 0.5
GELU_BETA, GELU_KAPPA = math.sqrt(2.0) * (2.0 / math.sqrt(math.pi)) * 0.5, 0.044715
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
SIXTH = 0.16666667163372040  # PyTorch's slope of hardsigmoid, at float64 too: the float32 next to 1/6

PIECES: tuple[Point, ...] = ((0.7,), (-1.3,), (2.4,), (-0.35,), (-6.5,), (8.5,))

EXPONENT = Measure("|x|", lambda a, **_: abs(a))
OPERAND = Measure("|x|", lambda a, **_: abs(a))


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


TAIL = Measure("sigmoid(x)", _logistic)
RAMP = Measure("(sigmoid(x)·(1 + |x|))", lambda a: _logistic(a) * (1 + abs(a)))
FLAT = Measure("1/(1 + |x|)", lambda a: 1 / (1 + abs(a)))


def _logsigmoid_slope(g: float, y: float, a: float) -> float:
    z = exp(-abs(a))
    limit, side = (1.0, 1.0) if a < 0 else (0.0, -1.0)
    return (limit - side * (z / (1.0 + z))) * g


def _silu_slope(g: float, y: float, a: float) -> float:
    s = _logistic(a)
    return g * s * (1.0 + a * (1.0 - s))


def _mish_slope(g: float, y: float, a: float) -> float:
    t = math.tanh(math.log1p(exp(a)))
    return g * (t + a * _logistic(a) * (1.0 - t * t))


def _gelu(a: float, approximate: str) -> float:
    if approximate == "tanh":
        return 0.5 * a * (1.0 + math.tanh(GELU_BETA * (a + GELU_KAPPA * (a * a * a))))
    return a * 0.5 * (1.0 + math.erf(a * SQRT_HALF))


def _gelu_slope(g: float, y: float, a: float, approximate: str) -> float:
    if approximate == "tanh":
        t = math.tanh(GELU_BETA * (a + GELU_KAPPA * (a * a * a)))
        inner = GELU_BETA * (1.0 + 3.0 * GELU_KAPPA * (a * a))
        return g * (0.5 * (1.0 + t) + 0.5 * a * (1.0 - t * t) * inner)
    return g * (0.5 * (1.0 + math.erf(a * SQRT_HALF)) + a * (GELU_PDF * exp(a * a * -0.5)))


def _exact_gelu(m: Any, a: Any, approximate: str) -> Any:
    if approximate == "tanh":
        return a / 2 * (1 + m.tanh(m.sqrt(2 / m.pi) * (a + m.mpf("0.044715") * a**3)))
    return a / 2 * m.erfc(-a / m.sqrt(2))


def _elu(a: float, alpha: float, scale: float = 1.0, steepness: float = 1.0) -> float:
    return math.expm1(a * steepness) * (alpha * scale) if a < 0 else a * scale


def _elu_slope(g: float, a: float, alpha: float, scale: float = 1.0, steepness: float = 1.0) -> float:
    return g * steepness * (alpha * scale) * exp(a * steepness) if a <= 0 else g * scale


def _float32(x: float) -> float:
    """The float32 next to x, for ordinary x: Dekker's splitting."""
    high = x * 536870913.0
    return high - (high - x)


def _softplus(a: float, beta: float, threshold: float) -> float:
    return a if a * beta > threshold else divide(math.log1p(exp(a * beta)), beta)


def _softplus_slope(g: float, y: float, a: float, beta: float, threshold: float) -> float:
    if a * beta > threshold:
        return g
    z = exp(a * beta)
    return g * z / (z + 1.0)


def _softsign_slope(g: float, y: float, a: float) -> float:
    d = abs(a) + 1.0
    return g / d + -g * ((a / d) / d) * sign(a)


def _between(a: float, low: float, high: float) -> float:
    return NAN if a != a else min(max(a, low), high)


def _steps(a: float) -> float:
    """relu6(x + 3), the ramp of hardsigmoid and hardswish."""
    return _between(a + 3.0, 0.0, 6.0)


def _hardswish_slope(g: float, y: float, a: float) -> float:
    if a <= -3.0:
        return 0.0
    return g * (a / 3.0 + 0.5) if a < 3.0 else g


def _inside(g: float, y: float, a: float, low: float, high: float) -> float:
    """PyTorch's slope between two ends, where it is 0 at both."""
    return 0.0 if a <= low or a >= high else g


def _shrink_slope(g: float, y: float, a: float, lambd: float) -> float:
    return 0.0 if -lambd <= a <= lambd else g


def _softshrink(a: float, lambd: float) -> float:
    if a > lambd:
        return a - lambd
    return a + lambd if a < -lambd else a * 0.0


def _ends(low: float, high: float) -> tuple[Kink, ...]:
    """The kinks of a ramp that is flat below `low` and above `high`; PyTorch takes 0 at both."""
    return kink_at(low, 0.0, 1.0, 0.0), kink_at(high, 0.0, 1.0, 0.0)


SMOOTH = (
    Op(
        "sigmoid",
        1,
        torch=lambda t, a: t.sigmoid(a),
        mpmath=lambda m, a: 1 / (1 + m.exp(-a)),
        value=_logistic,
        vjp=(lambda g, y, a: g * (1.0 - y) * y,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, -40.0, 40.0, 800.0, -800.0),
        value_bound=Bound(6, conditioning=EXPONENT),  # 46 % of it: 1/(1 + e**-x)
        # 42 % of it: s(1 - s), s = 1/(1 + e**-x)
        slope_bound=Bound(8, absolute=16, size=TAIL, conditioning=EXPONENT),
        spellings=("sigmoid",),
        naive={None: {"(1 + tanh(x/2))/2": lambda a: 0.5 * (1.0 + math.tanh(0.5 * a))}},
    ),
    Op(
        "logit",
        1,
        torch=lambda t, a: t.logit(a),
        mpmath=lambda m, a: m.log(a / (1 - a)),
        value=lambda a: math.log(a / (1.0 - a)),
        vjp=(lambda g, y, a: divide(g, abs(a) * (1.0 - a)) if 0 <= a <= 1 else NAN,),
        points=each(0.7, 0.25, 0.45, 0.93, 0.06),
        domain=lambda a: 0 < a < 1,
        edges=each(0.5, 0.0, 1.0, -0.5, 1.5, 1e-9),
        value_bound=Bound(4, absolute=4),  # 27 % of it: log(x) - log(1 - x)
        slope_bound=Bound(8),  # 25 % of it: 1/x + 1/(1 - x)
        spellings=("logit",),
        naive={
            None: {"-log(1/x - 1)": lambda a: -math.log(1.0 / a - 1.0)},
            0: {"1/(x - x²)": lambda a: 1.0 / (a - a * a)},
        },
    ),
    Op(
        "logsigmoid",
        1,
        torch=lambda t, a: t.nn.functional.logsigmoid(a),
        mpmath=lambda m, a: -m.log1p(m.exp(-a)),
        value=lambda a: NAN if a != a else min(a, 0.0) - math.log1p(exp(-abs(a))),
        vjp=(_logsigmoid_slope,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 40.0, -40.0, 800.0, -800.0, INF),
        value_bound=Bound(6, conditioning=EXPONENT),  # 47 % of it: -log1p(e**-x)
        slope_bound=Bound(8, conditioning=EXPONENT),  # 46 % of it: 1/(1 + e**x)
        spellings=("logsigmoid",),
        naive={
            None: {
                "log(1/(1 + exp(-x)))": lambda a: math.log(1.0 / (1.0 + math.exp(-a))),
                "-log(1 + exp(-x))": lambda a: -math.log(1.0 + math.exp(-a)),
            },
            0: {"1 - 1/(1 + exp(-x))": lambda a: 1.0 - 1.0 / (1.0 + math.exp(-a))},
        },
    ),
    Op(
        "softplus",
        1,
        torch=lambda t, a, beta, threshold: t.nn.functional.softplus(a, beta, threshold),
        mpmath=lambda m, a, beta, threshold: m.log1p(m.exp(beta * a)) / beta,
        value=_softplus,
        vjp=(_softplus_slope,),
        points=UNARY,
        # Above its threshold PyTorch returns x, off by up to 2e-9; from 37 on that is right in float64.
        domain=lambda a, beta, threshold: abs(a * beta) < 300 and not threshold < a * beta < 37,
        edges=each(0.0, -40.0, 20.0, 20.5, 40.0, 800.0, -800.0, INF),
        value_bound=Bound(6, conditioning=EXPONENT),  # 47 % of it: log1p(e**x)
        slope_bound=Bound(8, conditioning=EXPONENT),  # 46 % of it: 1/(1 + e**-x)
        spellings=("softplus",),
        naive={None: {"log(1 + exp(x))": lambda a: math.log(1.0 + math.exp(a))}},
        parameters={"beta": 1.0, "threshold": 20.0},
    ),
    Op(
        "silu",
        1,
        torch=lambda t, a: t.nn.functional.silu(a),
        mpmath=lambda m, a: a / (1 + m.exp(-a)),
        value=lambda a: divide(a, 1.0 + exp(-a)),
        vjp=(_silu_slope,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 40.0, -40.0, 800.0, -800.0, INF, -INF),
        value_bound=Bound(6, conditioning=EXPONENT),  # 47 % of it: 1/(1 + e**-x)
        slope_bound=Bound(8, absolute=8, size=RAMP, conditioning=EXPONENT),  # 20 % of it: y + s·(1 - y)
        spellings=("silu", "swish"),
    ),
    Op(
        "gelu",
        1,
        torch=lambda t, a, approximate: t.nn.functional.gelu(a, approximate=approximate),
        mpmath=_exact_gelu,
        value=_gelu,
        vjp=(_gelu_slope,),
        points=UNARY,
        domain=lambda a, approximate: abs(a) < 300,
        edges=each(0.0, 40.0, -40.0, INF, -INF),
        value_bound=Bound(4, absolute=4, size=OPERAND),  # 21 % of it: PyTorch's
        slope_bound=Bound(4, absolute=8),  # 20 % of it: PyTorch's
        spellings=("gelu",),
        parameters={"approximate": "none"},
    ),
    Op(
        "mish",
        1,
        torch=lambda t, a: t.nn.functional.mish(a),
        mpmath=lambda m, a: a * m.tanh(m.log1p(m.exp(a))),
        value=lambda a: a * math.tanh(math.log1p(exp(a))),
        vjp=(_mish_slope,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 40.0, -40.0, 800.0, -800.0, INF),
        value_bound=Bound(4, absolute=4, size=OPERAND),  # 35 % of it: x·tanh(log(1 + exp(x)))
        # 21 % of it: PyTorch's
        slope_bound=Bound(4, absolute=8, size=Measure("(1 + |x|)", lambda a: 1 + abs(a))),
        spellings=("mish",),
    ),
    Op(
        "softsign",
        1,
        torch=lambda t, a: t.nn.functional.softsign(a),
        mpmath=lambda m, a: a / (1 + abs(a)),
        value=lambda a: a / (abs(a) + 1.0),
        vjp=(_softsign_slope,),
        points=UNARY,
        edges=each(0.0, 1e200, INF, -INF),
        value_bound=Bound(4),  # 1.96: PyTorch's
        slope_bound=Bound(8, absolute=8, size=FLAT),  # 24 % of it: PyTorch's
        spellings=("softsign",),
    ),
    Op(
        "tanhshrink",
        1,
        torch=lambda t, a: t.nn.functional.tanhshrink(a),
        mpmath=lambda m, a: a - m.tanh(a),
        value=lambda a: a - math.tanh(a),
        vjp=(lambda g, y, a: g + -g * (1.0 - math.tanh(a) * math.tanh(a)),),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(0.0, 1e-9, 20.0, 400.0, INF, -INF),
        value_bound=Bound(4, absolute=8),  # 28 % of it: x - t, t = 1 - 2/(e²ˣ + 1)
        slope_bound=Bound(4, absolute=16),  # 33 % of it: t², t = 2·logistic(2x) - 1
        spellings=("tanhshrink",),
    ),
    Op(
        "elu",
        1,
        torch=lambda t, a, alpha: t.nn.functional.elu(a, alpha),
        mpmath=lambda m, a, alpha: a if a > 0 else alpha * m.expm1(a),
        value=_elu,
        vjp=(lambda g, y, a, alpha: _elu_slope(g, a, alpha),),
        points=UNARY,
        domain=lambda a, alpha: abs(a) < 300 and a != 0,
        edges=each(0.0, 1e-12, -1e-12, -40.0, -800.0, INF, -INF),
        value_bound=Bound(4, absolute=4),  # 12 % of it: exp(x) - 1
        slope_bound=Bound(8, absolute=4, conditioning=EXPONENT),  # 14 % of it: y + 1
        spellings=("elu",),
        parameters={"alpha": 1.0},
        settings=({}, {"alpha": 0.25}),
        bends=lambda alpha: () if alpha == 1.0 else (kink_at(0.0, alpha, 1.0, alpha),),
    ),
    Op(
        "selu",
        1,
        torch=lambda t, a: t.selu(a),
        mpmath=lambda m, a: SELU_SCALE * (a if a > 0 else SELU_ALPHA * m.expm1(a)),
        value=partial(_elu, alpha=SELU_ALPHA, scale=SELU_SCALE),
        vjp=(lambda g, y, a: _elu_slope(g, a, SELU_ALPHA, SELU_SCALE),),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=each(1e-12, -1e-12, -40.0, -800.0, INF, -INF),
        value_bound=Bound(6, absolute=8),  # 21 % of it: λ·(α·exp(x) - α)
        slope_bound=Bound(8, conditioning=EXPONENT),  # 27 % of it: λ·α·exp(x)
        spellings=("selu",),
        kinks=(kink_at(0.0, SELU_SCALE, SELU_ALPHA * SELU_SCALE, SELU_ALPHA * SELU_SCALE),),
    ),
    Op(
        "celu",
        1,
        torch=lambda t, a, alpha: t.celu(a, alpha),
        mpmath=lambda m, a, alpha: a if a > 0 else alpha * m.expm1(a / alpha),
        value=lambda a, alpha: _elu(a, alpha, 1.0, 1.0 / alpha),
        # PyTorch's backward rounds alpha to float32 first (`alpha.toFloat()`), at float64 too.
        vjp=(lambda g, y, a, alpha: _elu_slope(g, a, alpha, 1.0, 1.0 / _float32(alpha)),),
        points=UNARY,
        domain=lambda a, alpha: abs(a / alpha) < 300 and a != 0,
        edges=each(0.0, 1e-12, -1e-12, -40.0, -800.0, INF, -INF),
        value_bound=Bound(4, absolute=4),  # 12 % of it: exp(x) - 1
        slope_bound=Bound(8, absolute=4, conditioning=EXPONENT),  # 9 % of it: PyTorch's
        spellings=("celu",),
        parameters={"alpha": 1.0},
        settings=({}, {"alpha": 0.25}),
    ),
)

STRAIGHT = (
    Op(
        "relu",
        1,
        torch=lambda t, a: t.relu(a),
        mpmath=lambda m, a: a if a > 0 else m.mpf(0),
        value=lambda a: a if a > 0 or a != a else 0.0,
        vjp=(lambda g, y, a: 0.0 if a <= 0 else g,),
        points=UNARY,
        edges=each(INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=Bound(absolute=4),  # 0.73: of (x + (x²)**0.5)/2
        spellings=("relu",),
        kinks=(kink_at(0.0, 0.0, 1.0, 0.0),),
    ),
    Op(
        "relu6",
        1,
        torch=lambda t, a: t.nn.functional.relu6(a),
        mpmath=lambda m, a: min(max(a, m.mpf(0)), m.mpf(6)),
        value=lambda a: _between(a, 0.0, 6.0),
        vjp=(lambda g, y, a: _inside(g, y, a, 0.0, 6.0),),
        points=PIECES,
        edges=each(INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("relu6",),
        kinks=_ends(0.0, 6.0),
    ),
    Op(
        "leaky_relu",
        1,
        torch=lambda t, a, negative_slope: t.nn.functional.leaky_relu(a, negative_slope),
        mpmath=lambda m, a, negative_slope: a if a > 0 else a * negative_slope,
        value=lambda a, negative_slope: a if a > 0 else a * negative_slope,
        vjp=(lambda g, y, a, negative_slope: g if a > 0 else g * negative_slope,),
        points=PIECES,
        edges=each(INF, -INF, NAN),
        value_bound=Bound(2),  # 0.917: PyTorch's
        slope_bound=Bound(2),  # 0.497: PyTorch's
        spellings=("leaky_relu", "lrelu"),
        parameters={"negative_slope": 0.01},
        settings=({}, {"negative_slope": 0.25}),
        bends=lambda negative_slope: (kink_at(0.0, negative_slope, 1.0, negative_slope),),
    ),
    Op(
        "hardtanh",
        1,
        torch=lambda t, a, min_val, max_val: t.nn.functional.hardtanh(a, min_val, max_val),
        mpmath=lambda m, a, min_val, max_val: min(max(a, m.mpf(min_val)), m.mpf(max_val)),
        value=lambda a, min_val, max_val: _between(a, min_val, max_val),
        vjp=(lambda g, y, a, min_val, max_val: _inside(g, y, a, min_val, max_val),),
        points=PIECES,
        edges=each(INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("hardtanh",),
        parameters={"min_val": -1.0, "max_val": 1.0},
        settings=({}, {"min_val": -2.0, "max_val": 0.5}),
        bends=lambda min_val, max_val: _ends(min_val, max_val),
    ),
    Op(
        "hardsigmoid",
        1,
        torch=lambda t, a: t.nn.functional.hardsigmoid(a),
        mpmath=lambda m, a: min(max(a + 3, m.mpf(0)), m.mpf(6)) / 6,
        value=lambda a: _steps(a) / 6.0,
        vjp=(lambda g, y, a: g * SIXTH if -3.0 < a < 3.0 else 0.0,),
        points=(*PIECES, (1.3,)),
        edges=each(0.0, INF, -INF, NAN),
        value_bound=Bound(2, absolute=2),  # 30 % of it: PyTorch's
        slope_bound=Bound(6e8),  # 2.68e8: PyTorch's own SIXTH; 1/6 is right
        spellings=("hardsigmoid",),
        kinks=(kink_at(-3.0, 0.0, 1 / 6, 0.0), kink_at(3.0, 0.0, 1 / 6, 0.0)),
    ),
    Op(
        "hardswish",
        1,
        torch=lambda t, a: t.nn.functional.hardswish(a),
        mpmath=lambda m, a: a * min(max(a + 3, m.mpf(0)), m.mpf(6)) / 6,
        value=lambda a: a * _steps(a) / 6.0,
        vjp=(_hardswish_slope,),
        points=(*PIECES, (1.3,)),
        edges=each(0.0, INF, NAN),
        value_bound=Bound(4, absolute=2, size=OPERAND),  # 31 % of it: PyTorch's
        slope_bound=Bound(6, absolute=4),  # 20 % of it: PyTorch's
        spellings=("hardswish",),
        kinks=(kink_at(-3.0, -0.5, 0.0, 0.0), kink_at(3.0, 1.0, 1.5, 1.0)),
    ),
    Op(
        "softshrink",
        1,
        torch=lambda t, a, lambd: t.nn.functional.softshrink(a, lambd),
        mpmath=lambda m, a, lambd: m.sign(a) * max(abs(a) - lambd, m.mpf(0)),
        value=_softshrink,
        vjp=(_shrink_slope,),
        points=PIECES,
        edges=each(0.0, INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("softshrink",),
        parameters={"lambd": 0.5},
        settings=({}, {"lambd": 1.5}),
        bends=lambda lambd: _ends(-lambd, lambd),
    ),
    Op(
        "hardshrink",
        1,
        torch=lambda t, a, lambd: t.nn.functional.hardshrink(a, lambd),
        mpmath=lambda m, a, lambd: a if abs(a) > lambd else m.mpf(0),
        value=lambda a, lambd: 0.0 if -lambd <= a <= lambd else a,
        vjp=(_shrink_slope,),
        points=PIECES,
        edges=each(0.0, INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("hardshrink",),
        parameters={"lambd": 0.5},
        settings=({}, {"lambd": 1.5}),
        bends=lambda lambd: _ends(-lambd, lambd),
    ),
)

ACTIVATIONS = (*SMOOTH, *STRAIGHT)
