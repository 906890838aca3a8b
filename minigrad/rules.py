"""The table of ops: for each, its value and what the gradient of its result owes to each operand.

A row reads `rule(forward, vjp for operand 0, vjp for operand 1, …, source=…)`. `forward` takes the operands'
data, then the op's parameters; a vjp (vector-Jacobian product) takes `g`, the gradient of the result, `y`, the
result, and then what forward takes. All take and return floats, and none raises.

Formulas and their order of operations are PyTorch's, so that results agree to the last bit where arithmetic
allows. `source` names the entry of PyTorch's tools/autograd/derivatives.yaml and, after a colon, the function
that holds the formula where the entry only calls it: `…_backward` is in torch/csrc/autograd/FunctionsManual.cpp,
`…_kernel` in aten/src/ATen/native/cpu. Ops that PyTorch composes from others name its Python function instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from math import erf, fabs, inf, nan, pi, tanh
from typing import NamedTuple

from minigrad import ieee
from minigrad.ieee import cos, cosh, divide, exp, exp2, fmod, log, log1p, power, rsqrt, sign, sin, sinh, sqrt

LN2, LN10 = 0.6931471805599453, 2.3025850929940456
TWO_OVER_SQRT_PI = 2.0 / math.sqrt(pi)
SQRT_HALF = math.sqrt(0.5)
GELU_PDF = TWO_OVER_SQRT_PI * SQRT_HALF * 0.5
GELU_BETA, GELU_KAPPA = math.sqrt(2.0) * TWO_OVER_SQRT_PI * 0.5, 0.044715
SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805
SIXTH = 0.16666667163372040  # PyTorch's slope of hardsigmoid, at float64 too, is the float32 nearest to 1/6


class Rule(NamedTuple):
    """One row. `parameters` are the names of the op's plain numbers, as in torch."""

    forward: Callable[..., float]
    vjps: tuple[Callable[..., float], ...]
    source: str
    parameters: tuple[str, ...] = ()


def rule(
    forward: Callable[..., float], *vjps: Callable[..., float], source: str, parameters: str = ""
) -> Rule:
    """A row; `parameters` is a list of names separated by blanks."""
    return Rule(forward, vjps, source, tuple(parameters.split()))


# Formulas too long for a row ------------------------------------------------------------------------------


def _sigmoid(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


def _logit_vjp(g: float, y: float, x: float) -> float:
    return divide(g, fabs(x) * (1.0 - x)) if 0 <= x <= 1 else nan


def _logsigmoid_vjp(g: float, y: float, x: float) -> float:
    z = exp(-fabs(x))
    limit, side = (1.0, 1.0) if x < 0 else (0.0, -1.0)
    return (limit - side * (z / (1.0 + z))) * g


def _softsign_vjp(g: float, y: float, x: float) -> float:
    d = fabs(x) + 1.0
    return g / d + -g * ((x / d) / d) * sign(x)


def _sinc_vjp(g: float, y: float, x: float) -> float:
    t, square = x * pi, x * x * pi
    return g * ((t * cos(t) - sin(t)) / square) if square else 0.0


def _silu_vjp(g: float, y: float, x: float) -> float:
    s = _sigmoid(x)
    return g * s * (1.0 + x * (1.0 - s))


def _mish_vjp(g: float, y: float, x: float) -> float:
    t = tanh(log1p(exp(x)))
    return g * (t + x * _sigmoid(x) * (1.0 - t * t))


def _six_steps(x: float) -> float:
    """relu6(x + 3), the ramp of hardsigmoid and hardswish."""
    return _clamp(x + 3.0, 0.0, 6.0)


def _hardswish_vjp(g: float, y: float, x: float) -> float:
    if x <= -3.0:
        return 0.0
    return g * (x / 3.0 + 0.5) if x < 3.0 else g


def _gelu(x: float, approximate: str) -> float:
    if approximate == "tanh":
        return 0.5 * x * (1.0 + tanh(GELU_BETA * (x + GELU_KAPPA * (x * x * x))))
    return x * 0.5 * (1.0 + erf(x * SQRT_HALF))


def _gelu_vjp(g: float, y: float, x: float, approximate: str) -> float:
    if approximate == "tanh":
        t = tanh(GELU_BETA * (x + GELU_KAPPA * (x * x * x)))
        inner = GELU_BETA * (1.0 + 3.0 * GELU_KAPPA * (x * x))
        return g * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner)
    return g * (0.5 * (1.0 + erf(x * SQRT_HALF)) + x * (GELU_PDF * exp(x * x * -0.5)))


def _elu(x: float, alpha: float, scale: float = 1.0, steepness: float = 1.0) -> float:
    return ieee.expm1(x * steepness) * (alpha * scale) if x < 0 else x * scale


def _elu_vjp(g: float, x: float, alpha: float, scale: float = 1.0, steepness: float = 1.0) -> float:
    return g * steepness * (alpha * scale) * exp(x * steepness) if x <= 0 else g * scale


def _softplus(x: float, beta: float, threshold: float) -> float:
    return x if x * beta > threshold else divide(log1p(exp(x * beta)), beta)


def _softplus_vjp(g: float, y: float, x: float, beta: float, threshold: float) -> float:
    if x * beta > threshold:
        return g
    z = exp(x * beta)
    return g * z / (z + 1.0)


def _clamp(x: float, low: float | None, high: float | None) -> float:
    if low is not None:
        x = ieee.maximum(x, low)
    return x if high is None else ieee.minimum(x, high)


def _clamp_vjp(g: float, y: float, x: float, low: float | None, high: float | None) -> float:
    return g if (low is None or x >= low) and (high is None or x <= high) else 0.0


def _softshrink(x: float, lambd: float) -> float:
    if x > lambd:
        return x - lambd
    return x + lambd if x < -lambd else x * 0.0


def _shrink_vjp(g: float, y: float, x: float, lambd: float) -> float:
    return 0.0 if -lambd <= x <= lambd else g


_POWERS: dict[float, Callable[[float], float]] = {
    0.5: sqrt,
    2.0: lambda x: x * x,
    3.0: lambda x: x * x * x,
    -0.5: rsqrt,
    -1.0: lambda x: divide(1.0, x),
    -2.0: lambda x: divide(1.0, x * x),
}


def power_number(x: float, k: float) -> float:
    """x to a plain number: PyTorch multiplies, divides and takes roots where it can."""
    shortcut = _POWERS.get(k)
    return shortcut(x) if shortcut else power(x, k)


def _remainder(a: float, b: float) -> float:
    r = fmod(a, b)
    return r + b if r != 0 and (b < 0) != (r < 0) else r


def _floor_divide(a: float, b: float) -> float:
    """PyTorch's div(rounding_mode="floor"), which sees to it that `a == b * floor + remainder`."""
    if b == 0:
        return divide(a, b)
    r = fmod(a, b)
    quotient = (a - r) / b
    if r != 0 and (b < 0) != (r < 0):
        quotient -= 1.0
    if quotient == 0:
        return math.copysign(0.0, a / b)
    whole = ieee.floor(quotient)
    return whole + 1.0 if quotient - whole > 0.5 else whole


def _tie(g: float, wins: bool, ties: bool) -> float:
    """maximum and minimum: half each at a tie, all to both when an operand is nan."""
    return g / 2 if ties else g if wins else 0.0


def _atan2_scale(a: float, b: float) -> float:
    square = a * a + b * b
    return 1.0 / square if square else 0.0


def _logaddexp(a: float, b: float) -> float:
    return a if a == b and fabs(a) == inf else ieee.maximum(a, b) + log1p(exp(-fabs(a - b)))


def _logaddexp2(a: float, b: float) -> float:
    if a == b and fabs(a) == inf:
        return a
    return ieee.maximum(a, b) + log1p(exp2(-fabs(a - b))) * (1.0 / LN2)


def _xlogy(a: float, b: float) -> float:
    return b if b != b else 0.0 if a == 0 else a * log(b)


def _lerp(a: float, b: float, weight: float) -> float:
    return a + weight * (b - a) if fabs(weight) < 0.5 else b - (b - a) * (1.0 - weight)


# Ops of Values only ---------------------------------------------------------------------------------------

RULES: dict[str, Rule] = {
    "add": rule(lambda a, b: a + b, lambda g, y, a, b: g, lambda g, y, a, b: g, source="add.Tensor"),
    "sub": rule(lambda a, b: a - b, lambda g, y, a, b: g, lambda g, y, a, b: -g, source="sub.Tensor"),
    "mul": rule(lambda a, b: a * b, lambda g, y, a, b: g * b, lambda g, y, a, b: g * a, source="mul.Tensor"),
    "div": rule(
        divide,
        lambda g, y, a, b: divide(g, b),
        lambda g, y, a, b: -g * divide(divide(a, b), b),
        source="div.Tensor: div_tensor_self_backward, div_tensor_other_backward",
    ),
    "pow": rule(
        power,
        lambda g, y, a, b: 0.0 if b == 0 else g * (b * power(a, b - 1.0)),
        lambda g, y, a, b: g * (0.0 if a == 0 and b >= 0 else y * log(a)),
        source="pow.Tensor_Tensor: pow_backward_self, pow_backward_exponent",
    ),
    "neg": rule(lambda x: -x, lambda g, y, x: -g, source="neg"),
    # Without a curve: exact
    "abs": rule(fabs, lambda g, y, x: g * sign(x), source="abs"),
    "sign": rule(sign, lambda g, y, x: 0.0, source="sign"),
    "relu": rule(
        lambda x: 0.0 if x < 0.0 else x,
        lambda g, y, x: 0.0 if y <= 0 else g,
        source="relu: threshold_kernel",
    ),
    "square": rule(lambda x: x * x, lambda g, y, x: g * (2.0 * x), source="pow.Tensor_Scalar: pow_backward"),
    "reciprocal": rule(lambda x: divide(1.0, x), lambda g, y, x: -g * (y * y), source="reciprocal"),
    "deg2rad": rule(
        lambda x: x * 0.017453292519943295,
        lambda g, y, x: g * 0.017453292519943295,
        source="deg2rad: deg2rad_backward",
    ),
    "rad2deg": rule(
        lambda x: x * 57.29577951308232,
        lambda g, y, x: g * 57.29577951308232,
        source="rad2deg: rad2deg_backward",
    ),
    "floor": rule(ieee.floor, lambda g, y, x: 0.0, source="floor"),
    "ceil": rule(ieee.ceil, lambda g, y, x: 0.0, source="ceil"),
    "round": rule(ieee.round_half_even, lambda g, y, x: 0.0, source="round"),
    "trunc": rule(ieee.trunc, lambda g, y, x: 0.0, source="trunc"),
    "frac": rule(lambda x: x - ieee.trunc(x), lambda g, y, x: g, source="frac"),
    # Exponentials, logarithms and roots
    "exp": rule(exp, lambda g, y, x: g * y, source="exp"),
    "exp2": rule(exp2, lambda g, y, x: g * y * LN2, source="exp2"),
    "expm1": rule(ieee.expm1, lambda g, y, x: g * (y + 1.0), source="expm1"),
    "log": rule(log, lambda g, y, x: divide(g, x), source="log"),
    "log2": rule(ieee.log2, lambda g, y, x: divide(g, x * LN2), source="log2"),
    "log10": rule(ieee.log10, lambda g, y, x: divide(g, x * LN10), source="log10"),
    "log1p": rule(log1p, lambda g, y, x: divide(g, x + 1.0), source="log1p: log1p_backward"),
    "sqrt": rule(sqrt, lambda g, y, x: divide(g, 2.0 * y), source="sqrt"),
    "rsqrt": rule(rsqrt, lambda g, y, x: -0.5 * g * (y * y * y), source="rsqrt"),
    # Trigonometry
    "sin": rule(sin, lambda g, y, x: g * cos(x), source="sin"),
    "cos": rule(cos, lambda g, y, x: g * -sin(x), source="cos"),
    "tan": rule(ieee.tan, lambda g, y, x: g * (1.0 + y * y), source="tan"),
    "asin": rule(ieee.asin, lambda g, y, x: g * rsqrt(-x * x + 1.0), source="asin"),
    "acos": rule(ieee.acos, lambda g, y, x: g * -rsqrt(-x * x + 1.0), source="acos"),
    "atan": rule(math.atan, lambda g, y, x: g / (x * x + 1.0), source="atan"),
    "sinc": rule(
        lambda x: divide(sin(x * pi), x * pi) if x else 1.0, _sinc_vjp, source="sinc: sinc_backward"
    ),
    "sinh": rule(sinh, lambda g, y, x: g * cosh(x), source="sinh"),
    "cosh": rule(cosh, lambda g, y, x: g * sinh(x), source="cosh"),
    "tanh": rule(tanh, lambda g, y, x: g * (1.0 - y * y), source="tanh: tanh_backward_kernel"),
    "asinh": rule(math.asinh, lambda g, y, x: g * rsqrt(x * x + 1.0), source="asinh"),
    "acosh": rule(ieee.acosh, lambda g, y, x: g * rsqrt(x * x - 1.0), source="acosh"),
    "atanh": rule(ieee.atanh, lambda g, y, x: divide(g, 1.0 - x * x), source="atanh"),
    # Error and gamma functions
    "erf": rule(erf, lambda g, y, x: TWO_OVER_SQRT_PI * exp(-(x * x)) * g, source="erf"),
    "erfc": rule(math.erfc, lambda g, y, x: -TWO_OVER_SQRT_PI * exp(-(x * x)) * g, source="erfc"),
    "lgamma": rule(ieee.lgamma, lambda g, y, x: g * ieee.digamma(x), source="lgamma"),
    # Activations
    "sigmoid": rule(_sigmoid, lambda g, y, x: g * (1.0 - y) * y, source="sigmoid: sigmoid_backward_kernel"),
    "logit": rule(lambda x: log(divide(x, 1.0 - x)), _logit_vjp, source="logit: logit_backward_kernel"),
    "logsigmoid": rule(
        lambda x: ieee.minimum(x, 0.0) - log1p(exp(-fabs(x))),
        _logsigmoid_vjp,
        source="log_sigmoid_forward: log_sigmoid_backward_cpu_kernel",
    ),
    "softsign": rule(
        lambda x: divide(x, fabs(x) + 1.0), _softsign_vjp, source="torch.nn.functional.softsign"
    ),
    "tanhshrink": rule(
        lambda x: x - tanh(x),
        lambda g, y, x: g + -g * (1.0 - tanh(x) * tanh(x)),
        source="torch.nn.functional.tanhshrink",
    ),
    "silu": rule(lambda x: divide(x, 1.0 + exp(-x)), _silu_vjp, source="silu: silu_backward_kernel"),
    "mish": rule(lambda x: x * tanh(log1p(exp(x))), _mish_vjp, source="mish: mish_backward_kernel"),
    "selu": rule(
        lambda x: _elu(x, SELU_ALPHA, SELU_SCALE),
        lambda g, y, x: _elu_vjp(g, x, SELU_ALPHA, SELU_SCALE),
        source="elu: elu_backward_kernel",
    ),
    "relu6": rule(
        lambda x: _clamp(x, 0.0, 6.0),
        lambda g, y, x: 0.0 if x <= 0.0 or x >= 6.0 else g,
        source="hardtanh: hardtanh_backward_kernel",
    ),
    "hardsigmoid": rule(
        lambda x: _six_steps(x) / 6.0,
        lambda g, y, x: g * SIXTH if -3.0 < x < 3.0 else 0.0,
        source="hardsigmoid: hardsigmoid_backward_kernel",
    ),
    "hardswish": rule(
        lambda x: x * _six_steps(x) / 6.0, _hardswish_vjp, source="hardswish: hardswish_backward_kernel"
    ),
    # Two operands
    "maximum": rule(
        ieee.maximum,
        lambda g, y, a, b: _tie(g, not a < b, a == b),
        lambda g, y, a, b: _tie(g, not a > b, a == b),
        source="maximum",
    ),
    "minimum": rule(
        ieee.minimum,
        lambda g, y, a, b: _tie(g, not a > b, a == b),
        lambda g, y, a, b: _tie(g, not a < b, a == b),
        source="minimum",
    ),
    "fmax": rule(
        lambda a, b: a if a >= b or b != b else b,
        lambda g, y, a, b: g if a >= b or b != b else 0.0,
        lambda g, y, a, b: 0.0 if a >= b or b != b else g,
        source="fmax",
    ),
    "fmin": rule(
        lambda a, b: a if a <= b or b != b else b,
        lambda g, y, a, b: g if a <= b or b != b else 0.0,
        lambda g, y, a, b: 0.0 if a <= b or b != b else g,
        source="fmin",
    ),
    "copysign": rule(
        math.copysign,
        lambda g, y, a, b: g * (y / a if a else 0.0),
        lambda g, y, a, b: 0.0,
        source="copysign.Tensor: copysign_tensor_self_backward",
    ),
    "fmod": rule(
        fmod,
        lambda g, y, a, b: g,
        lambda g, y, a, b: -g * ieee.trunc(divide(a, b)),
        source="fmod.Tensor",
    ),
    "remainder": rule(
        _remainder,
        lambda g, y, a, b: g,
        lambda g, y, a, b: -g * _floor_divide(a, b),
        source="remainder.Tensor",
    ),
    "atan2": rule(
        math.atan2,
        lambda g, y, a, b: g * b * _atan2_scale(a, b),
        lambda g, y, a, b: g * -a * _atan2_scale(a, b),
        source="atan2: atan2_backward",
    ),
    "hypot": rule(
        math.hypot,
        lambda g, y, a, b: divide(g * a, y),
        lambda g, y, a, b: divide(g * b, y),
        source="hypot",
    ),
    "logaddexp": rule(
        _logaddexp,
        lambda g, y, a, b: g / (1.0 + exp(b - a)),
        lambda g, y, a, b: g / (1.0 + exp(a - b)),
        source="logaddexp",
    ),
    "logaddexp2": rule(
        _logaddexp2,
        lambda g, y, a, b: g / (1.0 + exp2(b - a)),
        lambda g, y, a, b: g / (1.0 + exp2(a - b)),
        source="logaddexp2",
    ),
    "xlogy": rule(
        _xlogy,
        lambda g, y, a, b: 0.0 if a == 0 and b <= 0 else _xlogy(g, b),
        lambda g, y, a, b: divide(g * a, b),
        source="xlogy.Tensor",
    ),
}

# Ops that also take plain numbers -------------------------------------------------------------------------

PARAMETRISED: dict[str, Rule] = {
    "pow": rule(
        power_number,
        lambda g, y, x, k: 0.0 if k == 0 else g * (k * power_number(x, k - 1.0)),
        source="pow.Tensor_Scalar: pow_backward",
        parameters="exponent",
    ),
    "clamp": rule(_clamp, _clamp_vjp, source="clamp: clamp_backward", parameters="min max"),
    "hardtanh": rule(
        _clamp,
        lambda g, y, x, low, high: 0.0 if x <= low or x >= high else g,
        source="hardtanh: hardtanh_backward_kernel",
        parameters="min_val max_val",
    ),
    "leaky_relu": rule(
        lambda x, slope: x if x > 0 else x * slope,
        lambda g, y, x, slope: g if x > 0 else g * slope,
        source="leaky_relu: leaky_relu_backward_kernel",
        parameters="negative_slope",
    ),
    "elu": rule(
        _elu,
        lambda g, y, x, alpha: _elu_vjp(g, x, alpha),
        source="elu: elu_backward_kernel",
        parameters="alpha",
    ),
    "celu": rule(
        lambda x, alpha: _elu(x, alpha, 1.0, 1.0 / alpha),
        # PyTorch's backward rounds alpha to float32 first (`alpha.toFloat()`), at float64 too.
        lambda g, y, x, alpha: _elu_vjp(g, x, alpha, 1.0, 1.0 / ieee.float32(alpha)),
        source="celu: elu_backward_kernel",
        parameters="alpha",
    ),
    "gelu": rule(_gelu, _gelu_vjp, source="gelu: GeluBackwardKernelImpl", parameters="approximate"),
    "softplus": rule(
        _softplus, _softplus_vjp, source="softplus: softplus_backward_kernel", parameters="beta threshold"
    ),
    "softshrink": rule(
        _softshrink, _shrink_vjp, source="softshrink: shrink_backward_kernel", parameters="lambd"
    ),
    "hardshrink": rule(
        lambda x, lambd: 0.0 if -lambd <= x <= lambd else x,
        _shrink_vjp,
        source="hardshrink: shrink_backward_kernel",
        parameters="lambd",
    ),
    "threshold": rule(
        lambda x, threshold, value: value if x <= threshold else x,
        lambda g, y, x, threshold, value: 0.0 if x <= threshold else g,
        source="threshold: threshold_kernel",
        parameters="threshold value",
    ),
    # Three operands
    "lerp": rule(
        _lerp,
        lambda g, y, a, b, weight: g * (1.0 - weight),
        lambda g, y, a, b, weight: g * weight,
        lambda g, y, a, b, weight: g * (b - a),
        source="lerp.Tensor",
    ),
    "addcmul": rule(
        lambda x, a, b, value: x + value * a * b,
        lambda g, y, x, a, b, value: g,
        lambda g, y, x, a, b, value: g * (b * value),
        lambda g, y, x, a, b, value: g * (a * value),
        source="addcmul",
        parameters="value",
    ),
    "addcdiv": rule(
        lambda x, a, b, value: x + divide(value * a, b),
        lambda g, y, x, a, b, value: g,
        lambda g, y, x, a, b, value: g * divide(value, b),
        lambda g, y, x, a, b, value: -g * divide(value * a, b * b),
        source="addcdiv",
        parameters="value",
    ),
}
