"""The ops as functions: `tanh(x)` is `x.tanh()`, and x may be a plain number. dot and sum take rows of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec

from minigrad.engine import Value, as_value, new_node
from minigrad.rows import ROWS

# Without abs, pow, round and sum, which are Python's own names too.
# fmt: off
__all__ = [  # noqa: RUF022 (in the order of rules)
    "add", "sub", "mul", "div", "neg", "sign", "relu", "square", "reciprocal", "deg2rad", "rad2deg", "floor",
    "ceil", "trunc", "frac", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "rsqrt", "sin",
    "cos", "tan", "asin", "acos", "atan", "sinc", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf",
    "erfc", "lgamma", "sigmoid", "logit", "logsigmoid", "softsign", "tanhshrink", "silu", "mish", "selu", "relu6",
    "hardsigmoid", "hardswish", "maximum", "minimum", "fmax", "fmin", "copysign", "fmod", "remainder",
    "atan2", "hypot", "logaddexp", "logaddexp2", "xlogy", "clamp", "hardtanh", "leaky_relu", "elu", "celu",
    "gelu", "softplus", "softshrink", "hardshrink", "threshold", "lerp", "addcmul", "addcdiv", "dot",
]
# fmt: on

P = ParamSpec("P")


def _function(
    method: Callable[Concatenate[Value, P], Value],
) -> Callable[Concatenate[Value | float, P], Value]:
    """A method of Value as a function whose first operand may be a number."""

    @wraps(method)
    def function(x: Value | float, /, *args: P.args, **kwargs: P.kwargs) -> Value:
        return method(as_value(x, method.__name__), *args, **kwargs)

    return function


add = _function(Value.add)
sub = _function(Value.sub)
mul = _function(Value.mul)
div = _function(Value.div)
pow = _function(Value.pow)
abs = _function(Value.abs)
neg = _function(Value.neg)
sign = _function(Value.sign)
relu = _function(Value.relu)
square = _function(Value.square)
reciprocal = _function(Value.reciprocal)
deg2rad = _function(Value.deg2rad)
rad2deg = _function(Value.rad2deg)
floor = _function(Value.floor)
ceil = _function(Value.ceil)
round = _function(Value.round)
trunc = _function(Value.trunc)
frac = _function(Value.frac)
exp = _function(Value.exp)
exp2 = _function(Value.exp2)
expm1 = _function(Value.expm1)
log = _function(Value.log)
log2 = _function(Value.log2)
log10 = _function(Value.log10)
log1p = _function(Value.log1p)
sqrt = _function(Value.sqrt)
rsqrt = _function(Value.rsqrt)
sin = _function(Value.sin)
cos = _function(Value.cos)
tan = _function(Value.tan)
asin = _function(Value.asin)
acos = _function(Value.acos)
atan = _function(Value.atan)
sinc = _function(Value.sinc)
sinh = _function(Value.sinh)
cosh = _function(Value.cosh)
tanh = _function(Value.tanh)
asinh = _function(Value.asinh)
acosh = _function(Value.acosh)
atanh = _function(Value.atanh)
erf = _function(Value.erf)
erfc = _function(Value.erfc)
lgamma = _function(Value.lgamma)
sigmoid = _function(Value.sigmoid)
logit = _function(Value.logit)
logsigmoid = _function(Value.logsigmoid)
softsign = _function(Value.softsign)
tanhshrink = _function(Value.tanhshrink)
silu = _function(Value.silu)
mish = _function(Value.mish)
selu = _function(Value.selu)
relu6 = _function(Value.relu6)
hardsigmoid = _function(Value.hardsigmoid)
hardswish = _function(Value.hardswish)
maximum = _function(Value.maximum)
minimum = _function(Value.minimum)
fmax = _function(Value.fmax)
fmin = _function(Value.fmin)
copysign = _function(Value.copysign)
fmod = _function(Value.fmod)
remainder = _function(Value.remainder)
atan2 = _function(Value.atan2)
hypot = _function(Value.hypot)
logaddexp = _function(Value.logaddexp)
logaddexp2 = _function(Value.logaddexp2)
xlogy = _function(Value.xlogy)
clamp = _function(Value.clamp)
hardtanh = _function(Value.hardtanh)
leaky_relu = _function(Value.leaky_relu)
elu = _function(Value.elu)
celu = _function(Value.celu)
gelu = _function(Value.gelu)
softplus = _function(Value.softplus)
softshrink = _function(Value.softshrink)
hardshrink = _function(Value.hardshrink)
threshold = _function(Value.threshold)
lerp = _function(Value.lerp)
addcmul = _function(Value.addcmul)
addcdiv = _function(Value.addcdiv)


# Rows


def sum(terms: Sequence[Value | float]) -> Value:
    """t0 + t1 + …, from the left, as one node. Raises ValueError without a term."""
    a = tuple(as_value(x, "sum") for x in terms)
    if not a:
        raise ValueError("sum needs at least one term")
    return new_node(ROWS["sum"][len(a)].forward(a, ()), "sum", a, ())


def dot(x: Sequence[Value | float], y: Sequence[Value | float], start: Value | float | None = None) -> Value:
    """start + x0*y0 + x1*y1 + …, from the left, as one node. Raises ValueError for other than two equal lengths."""
    a, b = (tuple(as_value(item, "dot") for item in row) for row in (x, y))
    if len(a) != len(b) or not a:
        raise ValueError(f"dot takes two rows of one length, above 0; got {len(a)} and {len(b)} values")
    if start is not None:
        a = (as_value(start, "dot"), *a)
    return new_node(ROWS["dot"][len(a) + len(b)].forward(a, b), "dot", a, b)
