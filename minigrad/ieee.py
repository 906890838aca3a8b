"""Functions of floats that always answer: inf and nan, as in C and PyTorch, where Python's `math` raises."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from math import copysign, fabs, inf, nan

Unary = Callable[[float], float]


def _answering(function: Unary) -> Unary:
    """`function` with nan outside its domain and inf beyond the largest float."""

    def answer(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return nan
        except OverflowError:
            return inf

    return answer


exp = _answering(math.exp)
exp2 = _answering(math.exp2)
expm1 = _answering(math.expm1)
cosh = _answering(math.cosh)
sqrt = _answering(math.sqrt)
sin = _answering(math.sin)
cos = _answering(math.cos)
tan = _answering(math.tan)
asin = _answering(math.asin)
acos = _answering(math.acos)
acosh = _answering(math.acosh)


def _logarithm(function: Unary, zero: float) -> Unary:
    """`function` with -inf at `zero`, where the logarithm has its pole, and nan below."""

    def answer(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return -inf if x == zero else nan

    return answer


log = _logarithm(math.log, 0.0)
log2 = _logarithm(math.log2, 0.0)
log10 = _logarithm(math.log10, 0.0)
log1p = _logarithm(math.log1p, -1.0)


def divide(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return a * copysign(inf, b)  # nan for 0/0


def rsqrt(x: float) -> float:
    return divide(1.0, sqrt(x))


def sinh(x: float) -> float:
    try:
        return math.sinh(x)
    except OverflowError:
        return copysign(inf, x)


def atanh(x: float) -> float:
    try:
        return math.atanh(x)
    except ValueError:
        return copysign(inf, x) if fabs(x) == 1.0 else nan


def lgamma(x: float) -> float:
    try:
        return math.lgamma(x)
    except (ValueError, OverflowError):
        return inf  # a pole, or beyond the largest float


def power(a: float, b: float) -> float:
    """C's pow: 0 to a negative power is inf, a negative base with a broken exponent nan."""
    try:
        return math.pow(a, b)
    except (ValueError, OverflowError):
        if a < 0 and b != trunc(b):
            return nan
        return copysign(inf, a) if fabs(fmod(b, 2.0)) == 1.0 else inf


def fmod(a: float, b: float) -> float:
    """C's fmod: the remainder with the sign of `a`."""
    try:
        return math.fmod(a, b)
    except ValueError:
        return nan


def _rounding(function: Callable[[float], int]) -> Unary:
    """`function` from floats to floats: inf and nan as they are, -0.0 where a negative number rounds to 0."""

    def answer(x: float) -> float:
        return copysign(float(function(x)), x) if math.isfinite(x) else x

    return answer


floor = _rounding(math.floor)
ceil = _rounding(math.ceil)
trunc = _rounding(math.trunc)
round_half_even = _rounding(round)


def sign(x: float) -> float:
    """-1, 0 or 1; 0 at nan, as in PyTorch."""
    return float((x > 0) - (x < 0))


def maximum(a: float, b: float) -> float:
    """The larger, the first when equal (so 0.0 and -0.0 stay apart), nan when either is nan."""
    return a if a != a or a >= b else b


def minimum(a: float, b: float) -> float:
    """The smaller, the first when equal, nan when either is nan."""
    return a if a != a or a <= b else b


def digamma(x: float) -> float:
    """The derivative of lgamma, to a few ulp away from its zeros.

    Reflection to the positive side, recurrence up to 10, then the asymptotic series in Bernoulli numbers
    (Abramowitz & Stegun 6.3.7, 6.3.5, 6.3.18), the route of PyTorch's calc_digamma (ATen/native/Math.h).
    """
    if x == 0.0:
        return -copysign(inf, x)
    if x < 0.0:
        if x == trunc(x):  # a pole, or -inf
            return nan
        return digamma(1.0 - x) - math.pi / math.tan(math.pi * math.fmod(x, 1.0))
    below = 0.0
    while x < 10.0:
        below -= 1.0 / x
        x += 1.0
    if x == 10.0:
        return below + 2.25175258906672110764
    series = 0.0
    if x < 1e17:
        z = 1.0 / (x * x)
        for coefficient in (1 / 12, -691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12):
            series = series * z + coefficient
        series *= z
    return below + log(x) - 0.5 / x - series


def float32(x: float) -> float:
    """The float32 nearest to x."""
    try:
        return float(struct.unpack("f", struct.pack("f", x))[0])
    except OverflowError:
        return copysign(inf, x)
