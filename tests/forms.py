"""The equivalent formulas by which engines compute an op and its slopes: what bounds are measured with.

`values` and `slopes` are right: a bound holds every one of them, with a factor of two to spare. `beyond` are not
PyTorch's op: like a row's own `naive` formulas, each must leave the bound somewhere among ordinary operands. A
slope takes the operands and stands for an upstream gradient of 1. A row's own formulas are measured without
being named here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import (
    atan,
    cos,
    cosh,
    erf,
    exp,
    floor,
    log,
    log1p,
    log2,
    pi,
    sin,
    sqrt,
    tan,
    tanh,
)

Formulas = Mapping[str, Callable[..., float]]


@dataclass(frozen=True)
class Forms:
    """values; slopes, per operand; and formulas that must not pass, per operand, None being the value."""

    values: Formulas = field(default_factory=dict)
    slopes: tuple[Formulas, ...] = ()
    beyond: Mapping[int | None, Formulas] = field(default_factory=dict)


E, LN2, ROOT2 = math.e, log(2.0), sqrt(2.0)
BETA = sqrt(2.0 / pi)


def logistic(x: float) -> float:
    return 1.0 / (1.0 + exp(-x))


def stable_softplus(x: float) -> float:
    return max(x, 0.0) + log1p(exp(-abs(x)))


def gelu_tanh(x: float) -> float:
    return 0.5 * x * (1.0 + tanh(BETA * (x + 0.044715 * x**3)))


def by_log(x: float, k: float) -> float:
    return exp(k * log(x)) if x > 0 else math.pow(x, k)


def by_product(x: float, k: float) -> tuple[float, float]:
    """A whole power as a product, or a quotient, of its factors, and the derivative that back-propagation gives."""
    if k != int(k) or x == 0:
        return math.pow(x, k), k * math.pow(x, k - 1.0)
    products, slope, g = [1.0], 0.0, 1.0
    for _ in range(abs(int(k))):
        products.append(products[-1] * x)
    if k < 0:
        g = -((1.0 / products[-1]) ** 2)
    for before in reversed(products[:-1]):
        slope, g = slope + before * g, g * x
    return (products[-1] if k >= 0 else 1.0 / products[-1]), slope


LOGISTIC: Formulas = {
    "1/(1 + exp(-x))": logistic,
    "1/(1 + e**-x)": lambda x: 1.0 / (1.0 + E**-x),
    "exp(x)/(1 + exp(x))": lambda x: exp(x) / (1.0 + exp(x)),
    "two branches": lambda x: logistic(x) if x >= 0 else exp(x) / (1.0 + exp(x)),
}
LOGISTIC_OF_MINUS: Formulas = {
    "1/(1 + exp(x))": lambda x: 1.0 / (1.0 + exp(x)),
    "exp(-x)/(1 + exp(-x))": lambda x: exp(-x) / (1.0 + exp(-x)),
    "1/(1 + e**x)": lambda x: 1.0 / (1.0 + E**x),
}
TANH: Formulas = {
    "(e²ˣ - 1)/(e²ˣ + 1)": lambda x: (exp(2.0 * x) - 1.0) / (exp(2.0 * x) + 1.0),
    "by e**x": lambda x: (E ** (2.0 * x) - 1.0) / (E ** (2.0 * x) + 1.0),
    "two exps": lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
    "1 - 2/(e²ˣ + 1)": lambda x: 1.0 - 2.0 / (exp(2.0 * x) + 1.0),
    "2·logistic(2x) - 1": lambda x: 2.0 * logistic(2.0 * x) - 1.0,
}
NORMAL: Formulas = {
    "2/√π·exp(-x²)": lambda x: 2.0 / sqrt(pi) * exp(-(x**2)),
    "by e**x": lambda x: 2.0 * E ** (-(x**2)) / sqrt(pi),
}

FORMS: Mapping[str, Forms] = {
    # Arithmetic
    "add": Forms(),
    "sub": Forms({"a + (-b)": lambda a, b: a + (-b), "a + b·(-1)": lambda a, b: a + b * -1}),
    "mul": Forms(
        slopes=(
            {"y/a": lambda a, b: a * b / a if a else b},
            {"y/b": lambda a, b: a * b / b if b else a},
        )
    ),
    "div": Forms(
        {"a·b**-1": lambda a, b: a * b**-1.0, "a·(1/b)": lambda a, b: a * (1.0 / b)},
        (
            {"1/b": lambda a, b: 1.0 / b, "b**-1": lambda a, b: b**-1.0},
            {
                "-a/b²": lambda a, b: -a / (b * b),
                "-a/b**2": lambda a, b: -a / b**2.0,
                "-a·b**-2": lambda a, b: -a * b**-2.0,
                "-(a/b)/b": lambda a, b: -(a / b) / b,
            },
        ),
    ),
    "pow": Forms(
        {
            "a**b": lambda a, b: a**b,
            "exp(b·log a)": lambda a, b: by_log(a, b),
            "a·a·a…": lambda a, b: by_product(a, b)[0],
        },
        (
            {
                "b·a**(b - 1)": lambda a, b: b * a ** (b - 1.0),
                "b·y/a": lambda a, b: b * a**b / a if a else b * a ** (b - 1.0),
                "by exp and log": lambda a, b: by_log(a, b) * b / a if a else b * a ** (b - 1.0),
                "of a·a·a…": lambda a, b: by_product(a, b)[1],
            },
            {
                "y·log a": lambda a, b: a**b * log(a),
                "by exp and log": lambda a, b: log(a) * by_log(a, b),
            },
        ),
    ),
    "neg": Forms(
        {"x·(-1)": lambda x: x * -1, "0 - x": lambda x: 0.0 - x},
        ({"y/x": lambda x: -x / x if x else -1.0},),
    ),
    "abs": Forms(
        {"max(x, -x)": lambda x: max(x, -x), "(x²)**0.5": lambda x: (x**2.0) ** 0.5},
        ({"of (x²)**0.5": lambda x: 0.5 * (x * x) ** -0.5 * (2.0 * x), "x/|x|": lambda x: x / abs(x)},),
    ),
    "sign": Forms({"x/|x|": lambda x: x / abs(x)}),
    "square": Forms({"x**2": lambda x: x**2.0}, ({"2·x": lambda x: 2.0 * x, "x + x": lambda x: x + x},)),
    "reciprocal": Forms(
        {"x**-1": lambda x: x**-1.0},
        (
            {
                "-1/x²": lambda x: -1.0 / (x * x),
                "-x**-2": lambda x: -(x**-2.0),
                "-(1/x)/x": lambda x: -(1.0 / x) / x,
            },
        ),
    ),
    "deg2rad": Forms(
        {"x·π/180": lambda x: x * pi / 180.0, "radians": math.radians}, ({"π/180": lambda x: pi / 180.0},)
    ),
    "rad2deg": Forms(
        {"x·180/π": lambda x: x * 180.0 / pi, "degrees": math.degrees}, ({"180/π": lambda x: 180.0 / pi},)
    ),
    "floor": Forms(),
    "ceil": Forms({"-floor(-x)": lambda x: -floor(-x)}),
    "round": Forms(),
    "trunc": Forms(),
    "frac": Forms({"fmod(x, 1)": lambda x: math.fmod(x, 1.0)}),
    "maximum": Forms(
        {
            "a if a > b else b": lambda a, b: a if a > b else b,
            "(a + b + |a - b|)/2": lambda a, b: (a + b + abs(a - b)) / 2.0,
            "relu(a - b) + b": lambda a, b: max(a - b, 0.0) + b,
        }
    ),
    "minimum": Forms(
        {
            "a if a < b else b": lambda a, b: a if a < b else b,
            "(a + b - |a - b|)/2": lambda a, b: (a + b - abs(a - b)) / 2.0,
            "a - relu(a - b)": lambda a, b: a - max(a - b, 0.0),
        }
    ),
    "fmax": Forms({"a if a > b else b": lambda a, b: a if a > b else b}),
    "fmin": Forms({"a if a < b else b": lambda a, b: a if a < b else b}),
    "copysign": Forms({"|a|·sign b": lambda a, b: abs(a) * (1.0 if b > 0 else -1.0)}),
    "fmod": Forms(
        {"a - b·trunc(a/b)": lambda a, b: a - b * math.trunc(a / b)},
        ({}, {"-trunc(a/b)": lambda a, b: -math.trunc(a / b)}),
    ),
    "remainder": Forms(
        {"a % b": lambda a, b: a % b, "a - b·floor(a/b)": lambda a, b: a - b * floor(a / b)},
        ({}, {"-floor(a/b)": lambda a, b: -floor(a / b), "-(a // b)": lambda a, b: -(a // b)}),
    ),
    # Exponentials, logarithms, roots
    "exp": Forms({"e**x": lambda x: E**x}, ({"e**x": lambda x: E**x},)),
    "exp2": Forms(
        {"2**x": lambda x: 2.0**x, "exp(x·log 2)": lambda x: exp(x * LN2)},
        ({"2**x·log 2": lambda x: 2.0**x * LN2, "by exp": lambda x: LN2 * exp(x * LN2)},),
    ),
    "expm1": Forms({}, ({"exp(x)": exp},)),
    "log": Forms({"log(x, e)": lambda x: log(x, E)}, ({"x**-1": lambda x: x**-1.0},)),
    "log2": Forms(
        {"log x/log 2": lambda x: log(x) / LN2, "log(x, 2)": lambda x: log(x, 2.0)},
        ({"1/(x·log 2)": lambda x: 1.0 / (x * LN2), "(1/x)/log 2": lambda x: (1.0 / x) / LN2},),
    ),
    "log10": Forms(
        {"log x/log 10": lambda x: log(x) / log(10.0), "log(x, 10)": lambda x: log(x, 10.0)},
        ({"1/(x·log 10)": lambda x: 1.0 / (x * log(10.0)), "(1/x)/log 10": lambda x: (1.0 / x) / log(10.0)},),
    ),
    "log1p": Forms({}, ({"1/(1 + x)": lambda x: 1.0 / (1.0 + x)},)),
    "sqrt": Forms(
        {"x**0.5": lambda x: x**0.5},
        (
            {
                "0.5·x**-0.5": lambda x: 0.5 * x**-0.5,
                "0.5/y": lambda x: 0.5 / sqrt(x),
                "1/(2·x**0.5)": lambda x: 1.0 / (2.0 * x**0.5),
            },
        ),
    ),
    "rsqrt": Forms(
        {"x**-0.5": lambda x: x**-0.5, "sqrt(1/x)": lambda x: sqrt(1.0 / x)},
        (
            {
                "-0.5·x**-1.5": lambda x: -0.5 * x**-1.5,
                "-0.5·y/x": lambda x: -0.5 * (1.0 / sqrt(x)) / x,
                "-0.5/(x·sqrt x)": lambda x: -0.5 / (x * sqrt(x)),
            },
        ),
    ),
    "logaddexp": Forms(
        {"log(exp a + exp b)": lambda a, b: log(exp(a) + exp(b))},
        (
            {
                "exp a/(exp a + exp b)": lambda a, b: exp(a) / (exp(a) + exp(b)),
            },
            {"exp b/(exp a + exp b)": lambda a, b: exp(b) / (exp(a) + exp(b))},
        ),
    ),
    "logaddexp2": Forms(
        {"log2(2**a + 2**b)": lambda a, b: log2(2.0**a + 2.0**b)},
        (
            {"2**a/(2**a + 2**b)": lambda a, b: 2.0**a / (2.0**a + 2.0**b)},
            {"2**b/(2**a + 2**b)": lambda a, b: 2.0**b / (2.0**a + 2.0**b)},
        ),
    ),
    "xlogy": Forms({}, ({"log b": lambda a, b: log(b)}, {"a·(1/b)": lambda a, b: a * (1.0 / b)})),
    # Trigonometry
    "sin": Forms({}, ({"cos x": cos},)),
    "cos": Forms({}, ({"-sin x": lambda x: -sin(x)},)),
    "tan": Forms(
        {"sin/cos": lambda x: sin(x) / cos(x)},
        (
            {
                "1/cos²": lambda x: 1.0 / cos(x) ** 2.0,
                "(1/cos)²": lambda x: (1.0 / cos(x)) ** 2.0,
                "1 + tan²": lambda x: 1.0 + tan(x) ** 2.0,
            },
        ),
    ),
    "asin": Forms(
        {"atan(x/√(1 - x²))": lambda x: atan(x / sqrt((1.0 - x) * (1.0 + x)))},
        (
            {
                "1/√(1 - x²)": lambda x: 1.0 / sqrt(1.0 - x * x),
                "(1 - x**2)**-0.5": lambda x: (1.0 - x**2.0) ** -0.5,
            },
        ),
    ),
    "acos": Forms(
        {"π/2 - asin x": lambda x: pi / 2 - math.asin(x)},
        (
            {
                "-1/√(1 - x²)": lambda x: -1.0 / sqrt(1.0 - x * x),
                "-(1 - x**2)**-0.5": lambda x: -((1.0 - x**2.0) ** -0.5),
            },
        ),
    ),
    "atan": Forms(
        {}, ({"1/(1 + x²)": lambda x: 1.0 / (1.0 + x**2.0), "(1 + x²)**-1": lambda x: (1.0 + x * x) ** -1.0},)
    ),
    "atan2": Forms(
        {
            "atan(a/b) moved": lambda a, b: atan(a / b) + (math.copysign(pi, a) if b < 0 else 0.0)
            if b
            else math.copysign(pi / 2, a)
        },
        (
            {"b/(a² + b²)": lambda a, b: b / (a**2.0 + b**2.0)},
            {"-a/(a² + b²)": lambda a, b: -a / (a**2.0 + b**2.0)},
        ),
    ),
    "hypot": Forms(
        {
            "√(a² + b²)": lambda a, b: sqrt(a * a + b * b),
            "(a**2 + b**2)**0.5": lambda a, b: (a**2.0 + b**2.0) ** 0.5,
        },
        (
            {
                "a/√(a² + b²)": lambda a, b: a / sqrt(a * a + b * b),
                "a·(…)**-0.5": lambda a, b: a * (a * a + b * b) ** -0.5,
            },
            {
                "b/√(a² + b²)": lambda a, b: b / sqrt(a * a + b * b),
                "b·(…)**-0.5": lambda a, b: b * (a * a + b * b) ** -0.5,
            },
        ),
    ),
    "sinc": Forms(
        {},
        ({"cos(πx)/x - sin(πx)/(πx²)": lambda x: cos(pi * x) / x - sin(pi * x) / (pi * x * x)},),
    ),
    # Hyperbolic
    "sinh": Forms(
        {"(eˣ - e⁻ˣ)/2": lambda x: (exp(x) - exp(-x)) / 2.0, "by e**x": lambda x: (E**x - E**-x) / 2.0},
        ({"(eˣ + e⁻ˣ)/2": lambda x: (exp(x) + exp(-x)) / 2.0, "by e**x": lambda x: (E**x + E**-x) / 2.0},),
    ),
    "cosh": Forms(
        {"(eˣ + e⁻ˣ)/2": lambda x: (exp(x) + exp(-x)) / 2.0, "by e**x": lambda x: (E**x + E**-x) / 2.0},
        ({"(eˣ - e⁻ˣ)/2": lambda x: (exp(x) - exp(-x)) / 2.0, "by e**x": lambda x: (E**x - E**-x) / 2.0},),
    ),
    "tanh": Forms(
        TANH,
        (
            {
                **{f"1 - t², t = {name}": (lambda x, t=t: 1.0 - t(x) ** 2.0) for name, t in TANH.items()},
                "1/cosh²": lambda x: 1.0 / cosh(x) ** 2.0,
                "(1 - t)(1 + t)": lambda x: (1.0 - tanh(x)) * (1.0 + tanh(x)),
            },
        ),
    ),
    "asinh": Forms(
        {"sign·log(|x| + √(x² + 1))": lambda x: math.copysign(log(abs(x) + sqrt(x * x + 1.0)), x)},
        (
            {
                "1/√(x² + 1)": lambda x: 1.0 / sqrt(x * x + 1.0),
                "(x² + 1)**-0.5": lambda x: (x**2.0 + 1.0) ** -0.5,
            },
        ),
    ),
    "acosh": Forms(
        {
            "log(x + √(x² - 1))": lambda x: log(x + sqrt(x * x - 1.0)),
            "log(x + √(x - 1)√(x + 1))": lambda x: log(x + sqrt(x - 1.0) * sqrt(x + 1.0)),
        },
        (
            {
                "1/√(x² - 1)": lambda x: 1.0 / sqrt(x**2.0 - 1.0),
                "(x² - 1)**-0.5": lambda x: (x * x - 1.0) ** -0.5,
                "1/(√(x - 1)√(x + 1))": lambda x: 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0)),
            },
        ),
    ),
    "atanh": Forms(
        {
            "log((1 + x)/(1 - x))/2": lambda x: 0.5 * log((1.0 + x) / (1.0 - x)),
            "(log1p(x) - log1p(-x))/2": lambda x: 0.5 * (log1p(x) - log1p(-x)),
        },
        (
            {
                "1/(1 - x²)": lambda x: 1.0 / (1.0 - x**2.0),
                "1/((1 - x)(1 + x))": lambda x: 1.0 / ((1.0 - x) * (1.0 + x)),
            },
        ),
    ),
    # Error and gamma functions
    "erf": Forms({}, (NORMAL,)),
    "erfc": Forms({}, ({name: (lambda x, f=f: -f(x)) for name, f in NORMAL.items()},)),
    "lgamma": Forms(),
    # Activations
    "sigmoid": Forms(
        LOGISTIC,
        (
            {
                **{
                    f"s(1 - s), s = {name}": (lambda x, s=s: s(x) * (1.0 - s(x)))
                    for name, s in LOGISTIC.items()
                },
                "e⁻ˣ/(1 + e⁻ˣ)²": lambda x: exp(-x) / (1.0 + exp(-x)) ** 2.0,
            },
        ),
    ),
    "logit": Forms(
        {
            "log x - log(1 - x)": lambda x: log(x) - log(1.0 - x),
            "log x - log1p(-x)": lambda x: log(x) - log1p(-x),
        },
        ({"1/x + 1/(1 - x)": lambda x: 1.0 / x + 1.0 / (1.0 - x)},),
    ),
    "logsigmoid": Forms(
        {
            "min(x, 0) - log1p(exp(-|x|))": lambda x: min(x, 0.0) - log1p(exp(-abs(x))),
            "-log1p(exp(-x))": lambda x: -log1p(exp(-x)),
            "-log1p(e**-x)": lambda x: -log1p(E**-x),
        },
        (LOGISTIC_OF_MINUS,),
    ),
    "softplus": Forms(
        {
            "log1p(exp(x))": lambda x: log1p(exp(x)),
            "max(x, 0) + log1p(exp(-|x|))": stable_softplus,
            "log1p(e**x)": lambda x: log1p(E**x),
        },
        (LOGISTIC,),
    ),
    "silu": Forms(
        {name: (lambda x, s=s: x * s(x)) for name, s in LOGISTIC.items()},
        (
            {
                "s·(1 + x·(1 - s))": lambda x: logistic(x) * (1.0 + x * (1.0 - logistic(x))),
                "s + x·s·(1 - s)": lambda x: logistic(x) + x * logistic(x) * (1.0 - logistic(x)),
                "y + s·(1 - y)": lambda x: x * logistic(x) + logistic(x) * (1.0 - x * logistic(x)),
            },
        ),
    ),
    "gelu": Forms(
        {"0.5·x·(1 + erf(x/√2))": lambda x: 0.5 * x * (1.0 + erf(x / ROOT2))},
        (
            {
                "Φ + x·φ": lambda x: 0.5 * (1.0 + erf(x / ROOT2)) + x * exp(-0.5 * x**2.0) / sqrt(2.0 * pi),
            },
        ),
        {None: {"by tanh": gelu_tanh}},
    ),
    "mish": Forms(
        {
            "x·tanh(log(1 + exp(x)))": lambda x: x * tanh(log(1.0 + exp(x))),
            "x·tanh(softplus)": lambda x: x * tanh(stable_softplus(x)),
        },
        (
            {
                "t + x·s·(1 - t²)": lambda x: tanh(stable_softplus(x))
                + x * logistic(x) * (1.0 - tanh(stable_softplus(x)) ** 2.0),
                "with log(1 + exp(x))": lambda x: tanh(log(1.0 + exp(x)))
                + x * logistic(x) * (1.0 - tanh(log(1.0 + exp(x))) ** 2.0),
            },
        ),
    ),
    "softsign": Forms({}, ({"1/(1 + |x|)²": lambda x: 1.0 / (1.0 + abs(x)) ** 2.0},)),
    "tanhshrink": Forms(
        {f"x - t, t = {name}": (lambda x, t=t: x - t(x)) for name, t in TANH.items()},
        ({f"t², t = {name}": (lambda x, t=t: t(x) ** 2.0) for name, t in TANH.items()},),
    ),
    "elu": Forms(
        {"exp(x) - 1": lambda x: x if x > 0 else exp(x) - 1.0},
        (
            {
                "exp(x)": lambda x: 1.0 if x > 0 else exp(x),
                "y + 1": lambda x: 1.0 if x > 0 else exp(x) - 1.0 + 1.0,
            },
        ),
    ),
    "selu": Forms(
        {
            "λ·(α·exp(x) - α)": lambda x: 1.0507009873554805
            * (x if x > 0 else 1.6732632423543772 * exp(x) - 1.6732632423543772),
            "λ·α·(exp(x) - 1)": lambda x: 1.0507009873554805
            * (x if x > 0 else 1.6732632423543772 * (exp(x) - 1.0)),
        },
        ({"λ·α·exp(x)": lambda x: 1.0507009873554805 * (1.0 if x > 0 else 1.6732632423543772 * exp(x))},),
    ),
    "celu": Forms(
        {"exp(x) - 1": lambda x: max(x, 0.0) + min(0.0, exp(x) - 1.0)},
        ({"exp(x)": lambda x: 1.0 if x > 0 else exp(x)},),
    ),
    "relu": Forms(
        {
            "max(0, x)": lambda x: max(0.0, x),
            "x·(x > 0)": lambda x: x * (x > 0),
            "(x + |x|)/2": lambda x: (x + abs(x)) / 2.0,
        },
        ({"of (x + (x²)**0.5)/2": lambda x: 0.5 + 0.5 * (0.5 * (x * x) ** -0.5) * (2.0 * x)},),
    ),
    "relu6": Forms({"min(max(0, x), 6)": lambda x: min(max(0.0, x), 6.0)}),
    "leaky_relu": Forms(
        {"max(0, x) + slope·min(0, x)": lambda x: max(0.0, x) + 0.01 * min(0.0, x)},
        ({"1 or slope": lambda x: 1.0 if x > 0 else 0.01},),
    ),
    "hardtanh": Forms({"max(-1, min(1, x))": lambda x: max(-1.0, min(1.0, x))}),
    "hardsigmoid": Forms(
        {
            "clip(x/6 + 0.5)": lambda x: max(0.0, min(1.0, x / 6.0 + 0.5)),
            "clip((x + 3)/6)": lambda x: max(0.0, min(1.0, (x + 3.0) / 6.0)),
        },
        ({"1/6": lambda x: 1.0 / 6.0 if -3 < x < 3 else 0.0},),
    ),
    "hardswish": Forms(
        {
            "x·clip(x/6 + 0.5)": lambda x: x * max(0.0, min(1.0, x / 6.0 + 0.5)),
            "x·clip((x + 3)/6)": lambda x: x * max(0.0, min(1.0, (x + 3.0) / 6.0)),
        },
        ({"(2x + 3)/6": lambda x: 0.0 if x < -3 else 1.0 if x > 3 else (2.0 * x + 3.0) / 6.0},),
    ),
    "softshrink": Forms({"sign·max(|x| - λ, 0)": lambda x: math.copysign(max(abs(x) - 0.5, 0.0), x)}),
    "hardshrink": Forms(),
    "clamp": Forms({"max(low, min(high, x))": lambda x: max(-2.5, min(3.0, x))}),
    "threshold": Forms(),
}
