"""The vocabulary: everything the oracle knows of an op, one row an op, named as in PyTorch.

To teach the oracle a new op, add a row. The suite, the local check, the references and the tables in the
documentation follow from it.

Bounds are in units of u = 2^-53, relative to the exact result unless they say absolute. Beside each stands
what was measured (against 50 digits) for the worst of the equivalent forms that engines use; the bound is at
least twice that, and it is never widened to silence an engine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oracle.floats import U

Point = tuple[float, ...]


@dataclass(frozen=True)
class Bound:
    """How far a rounded result may be from the exact one, in u: relative, plus absolute.

    conditioning  factor that grows with the operands, in u: the relative part is `relative + conditioning(x)`
    size          what the absolute part is measured in (1 unless given): the natural size of the rule there
    """

    relative: float = 0.0
    absolute: float = 0.0
    conditioning: Callable[..., float] | None = None
    size: Callable[..., float] | None = None

    def at(self, point: Point, result: float, scale: float = 1.0) -> float:
        """The allowed absolute error of `result` at these operands; `scale` is |upstream| for slopes."""
        relative = self.relative
        if self.conditioning is not None:
            relative += self.conditioning(*point)
        error = relative * U * abs(result)
        if self.absolute:
            error += self.absolute * U * scale * (self.size(*point) if self.size else 1.0)
        return error


@dataclass(frozen=True)
class Kink:
    """Where an op has no derivative but a range of them.

    at     whether these operands are at the kink
    point  operands that are
    low, high   ends of the subdifferential (for an op of two operands: of the weight of operand 0; operand 1
           gets the rest)
    torch  PyTorch's choice
    """

    at: Callable[..., bool]
    point: Point
    low: float
    high: float
    torch: float


@dataclass(frozen=True)
class Op:
    """One row.

    name      PyTorch's name
    arity     number of operands
    torch     the op on tensors: torch(t, *operands, **parameters), t being the module
    mpmath    the op at any precision: mpmath(m, *operands, **parameters)
    value     the op by the standard library; may raise where it has no answer
    vjp       PyTorch's formula for each operand: vjp[slot](g, y, *operands), y the result; may raise
    points    ordinary operands at which engines are measured (none 0 or 1, both signs where the domain allows)
    domain    whether operands (all finite) are ordinary: inside the domain, away from kinks and overflow
    edges     operands worth a look because engines differ there
    value_bound, slope_bound
    symbol    infix or prefix operator, for printing
    spellings method names under which engines offer it, the first being the usual one
    functions names of module functions that engines offer it by
    reflected method for a plain number on the left
    kinks     where it has no derivative
    parameters  defaults of PyTorch's parameters
    rewrites  how engines compose it from others; see `judge.compose`
    """

    name: str
    arity: int
    torch: Callable[..., Any]
    mpmath: Callable[..., Any]
    value: Callable[..., float]
    vjp: tuple[Callable[..., float], ...]
    points: tuple[Point, ...]
    domain: Callable[..., bool] = lambda *x: True
    edges: tuple[Point, ...] = ()
    value_bound: Bound = Bound(4)
    slope_bound: Bound = Bound(8)
    symbol: str | None = None
    spellings: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    reflected: str | None = None
    kinks: tuple[Kink, ...] = ()
    parameters: Mapping[str, float] | None = None

    @property
    def operator(self) -> bool:
        """Whether Python has an operator for it, so that a user expects it to exist."""
        return self.symbol is not None

    @property
    def forms(self) -> tuple[str, ...]:
        """Every way in which its operands can be given; "int" and "float" are plain numbers."""
        if self.arity == 1:
            return ("value",)
        numbers = ("value-int", "value-float", "int-value", "float-value")
        return ("value-value", *numbers) if self.operator else ("value-value",)

    def kink(self, point: Point) -> Kink | None:
        """The kink at these operands, if they are at one."""
        return next((kink for kink in self.kinks if kink.at(*point)), None)

    def smooth(self, point: Point, form: str) -> bool:
        """Whether PyTorch's formula gives a finite slope for every operand that this form gives as a value."""
        try:
            y = self.value(*point)
            slots = [slot for slot, kind in enumerate(form.split("-")) if kind == "value"]
            return all(math.isfinite(self.vjp[slot](1.0, y, *point)) for slot in slots)
        except (ValueError, OverflowError, ZeroDivisionError):
            return False

    def ordinary(self, point: Point) -> bool:
        """Whether any engine can be expected to be right at these operands."""
        return (
            all(math.isfinite(x) and (x == 0 or 1e-100 < abs(x) < 1e100) for x in point)
            and self.kink(point) is None
            and self.domain(*point)
        )


INF, NAN = math.inf, math.nan
SPECIAL = (0.0, -0.0, INF, -INF, NAN)
UNARY = ((0.7,), (-1.3,), (2.4,), (-0.35,), (3.6,), (-6.5,), (8.5,))
POSITIVE = ((0.7,), (1.6,), (2.4,), (0.35,), (9.2,), (73.0,), (0.015,))
BINARY = ((1.5, -2.25), (-0.7, 1.3), (3.25, 0.6), (-1.9, -0.8), (0.45, 2.75))


def _each(*xs: float) -> tuple[Point, ...]:
    return tuple((x,) for x in xs)


def _logistic(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-x))
    e = math.exp(x)
    return e / (1.0 + e)


def _pow_slope(g: float, y: float, a: float, b: float) -> float:
    return 0.0 if b == 0 else g * (b * math.pow(a, b - 1.0))


def _pow_exponent_slope(g: float, y: float, a: float, b: float) -> float:
    if a == 0 and b >= 0:
        return 0.0
    return g * (y * math.log(a))


def _pow_domain(a: float, b: float) -> bool:
    whole = b == int(b)
    if a == 0:
        return b >= 1
    if a < 0 and not whole:
        return False
    return abs(b * math.log(abs(a))) < 200


def _log_conditioning(a: float, b: float) -> float:
    return 2.0 * abs(b * math.log(abs(a))) if a and math.isfinite(a) and math.isfinite(b) else 0.0


def _mean_weight(low: float = 0.0, high: float = 1.0) -> tuple[Kink, ...]:
    return (Kink(lambda a, b: a == b, (1.5, 1.5), low, high, 0.5),)


_EXACT = Bound(0)

ROWS = (
    Op(
        "add",
        2,
        torch=lambda t, a, b: a + b,
        mpmath=lambda m, a, b: a + b,
        value=lambda a, b: a + b,
        vjp=(lambda g, y, a, b: g, lambda g, y, a, b: g),
        points=BINARY,
        edges=((INF, -INF), (1e308, 1e308), (0.0, -0.0), (1e16, 1.0)),
        value_bound=_EXACT,
        slope_bound=_EXACT,
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
        value_bound=_EXACT,
        slope_bound=_EXACT,
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
        value_bound=_EXACT,
        slope_bound=Bound(2),  # one rounding: 0.5; g * b in any order
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
        value_bound=Bound(6),  # a * b**-1: 1.87
        slope_bound=Bound(10),  # of a * b**-1: 1.88
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
        # x**k: 0.99, slope 2.5; through exp and log: 11.6 at k = 3, 144 at k = 40
        value_bound=Bound(4, conditioning=_log_conditioning),
        slope_bound=Bound(8, conditioning=_log_conditioning),
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
        edges=_each(0.0, INF),
        value_bound=_EXACT,
        slope_bound=_EXACT,
        symbol="-",
        spellings=("__neg__",),
    ),
    Op(
        "relu",
        1,
        torch=lambda t, a: t.relu(a),
        mpmath=lambda m, a: a if a > 0 else m.mpf(0),
        value=lambda a: a if a > 0 or a != a else 0.0,
        vjp=(lambda g, y, a: g if a > 0 else 0.0,),
        points=UNARY,
        edges=_each(0.0, INF, -INF),
        value_bound=_EXACT,
        slope_bound=_EXACT,
        spellings=("relu",),
        kinks=(Kink(lambda a: a == 0, (0.0,), 0.0, 1.0, 0.0),),
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
        edges=_each(0.0, 1e-9, 20.0, 400.0, -400.0, INF),
        value_bound=Bound(4, absolute=4),  # math.tanh 2.5; through exp ≤ 2.9 absolute
        slope_bound=Bound(0, absolute=16),  # 1 - t²: 3.0; exp forms 6.2, absolute
        spellings=("tanh",),
    ),
    Op(
        "exp",
        1,
        torch=lambda t, a: t.exp(a),
        mpmath=lambda m, a: m.exp(a),
        value=math.exp,
        vjp=(lambda g, y, a: g * y,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=_each(0.0, 710.0, -750.0, INF, -INF),
        spellings=("exp",),
        value_bound=Bound(
            4, conditioning=lambda a: 2 * abs(a)
        ),  # math.exp 1; e**x: the rounding of e times |x|
        slope_bound=Bound(8, conditioning=lambda a: 2 * abs(a)),
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
        edges=_each(0.0, -1.5, 1.0, INF),
        spellings=("log", "ln"),
    ),
    Op(
        "sigmoid",
        1,
        torch=lambda t, a: t.sigmoid(a),
        mpmath=lambda m, a: 1 / (1 + m.exp(-a)),
        value=_logistic,
        vjp=(lambda g, y, a: g * (1.0 - y) * y,),
        points=UNARY,
        domain=lambda a: abs(a) < 300,
        edges=_each(0.0, -40.0, 40.0, 800.0, -800.0),
        value_bound=Bound(4, absolute=0, conditioning=lambda a: 2 * abs(a)),  # 2.5
        slope_bound=Bound(8, absolute=16, size=_logistic, conditioning=lambda a: 2 * abs(a)),  # 1.9 s
        spellings=("sigmoid",),
    ),
    Op(
        "sqrt",
        1,
        torch=lambda t, a: t.sqrt(a),
        mpmath=lambda m, a: m.sqrt(a),
        value=math.sqrt,
        vjp=(lambda g, y, a: g / (2.0 * y),),
        points=POSITIVE,
        domain=lambda a: a > 0,
        edges=_each(0.0, -1.5, INF),
        spellings=("sqrt",),
    ),
    Op(
        "abs",
        1,
        torch=lambda t, a: t.abs(a),
        mpmath=lambda m, a: abs(a),
        value=abs,
        vjp=(lambda g, y, a: g * ((a > 0) - (a < 0)),),
        points=UNARY,
        edges=_each(0.0, -0.0, INF, -INF),
        value_bound=_EXACT,
        slope_bound=_EXACT,
        spellings=("abs", "__abs__"),
        kinks=(Kink(lambda a: a == 0, (0.0,), -1.0, 1.0, 0.0),),
    ),
    Op(
        "sin",
        1,
        torch=lambda t, a: t.sin(a),
        mpmath=lambda m, a: m.sin(a),
        value=math.sin,
        vjp=(lambda g, y, a: g * math.cos(a),),
        points=UNARY,
        domain=lambda a: abs(a) < 1e4,
        edges=_each(0.0, INF, 1e6),
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
        edges=_each(0.0, INF, 1e6),
        spellings=("cos",),
    ),
    Op(
        "maximum",
        2,
        torch=lambda t, a, b: t.maximum(a, b),
        mpmath=lambda m, a, b: max(a, b),
        value=lambda a, b: NAN if a != a or b != b else max(a, b),
        vjp=(
            lambda g, y, a, b: g / 2 if a == b else g if a > b else 0.0,
            lambda g, y, a, b: g / 2 if a == b else g if b > a else 0.0,
        ),
        points=BINARY,
        edges=((1.5, 1.5), (0.0, INF)),
        value_bound=_EXACT,
        slope_bound=_EXACT,
        spellings=("maximum", "max"),
        kinks=_mean_weight(),
    ),
    Op(
        "minimum",
        2,
        torch=lambda t, a, b: t.minimum(a, b),
        mpmath=lambda m, a, b: min(a, b),
        value=lambda a, b: NAN if a != a or b != b else min(a, b),
        vjp=(
            lambda g, y, a, b: g / 2 if a == b else g if a < b else 0.0,
            lambda g, y, a, b: g / 2 if a == b else g if b < a else 0.0,
        ),
        points=BINARY,
        edges=((1.5, 1.5), (0.0, -INF)),
        value_bound=_EXACT,
        slope_bound=_EXACT,
        spellings=("minimum", "min"),
        kinks=_mean_weight(),
    ),
)

VOCABULARY: Mapping[str, Op] = {row.name: row for row in ROWS}
