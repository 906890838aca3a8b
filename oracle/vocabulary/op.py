"""The type of a row: what there is to know of an op, and the questions that are asked of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from oracle.floats import U

Point = tuple[float, ...]

Parameters = Mapping[str, Any]
"""An op's plain numbers by PyTorch's names; a few are None or a word, e.g. gelu's `approximate`."""

TINY_OPERAND, HUGE_OPERAND = 1e-100, 1e100
"""Between these an operand is of ordinary size: products of a few do not leave the range of floats."""

NO_ANSWER = (ValueError, OverflowError, ZeroDivisionError)
"""What the standard library raises where it has no number to give."""

F = TypeVar("F", bound=Callable[..., Any])


class Measure(NamedTuple):
    """A quantity that a bound grows with: its formula in words, and as a function of the operands."""

    words: str
    of: Callable[..., float]


@dataclass(frozen=True)
class Bound:
    """How far a rounded result may be from the exact one, in u: relative, plus absolute.

    conditioning  grows with the operands, in u: the relative part is `relative + conditioning(x)`
    size          what the absolute part is measured in (1 unless given): the natural size of the rule there
    """

    relative: float = 0.0
    absolute: float = 0.0
    conditioning: Measure | None = None
    size: Measure | None = None

    def at(
        self, point: Point, result: float, scale: float = 1.0, parameters: Parameters | None = None
    ) -> float:
        """The allowed absolute error of `result` at these operands; `scale` is |upstream| for slopes."""
        given = parameters or {}
        relative = self.relative
        if self.conditioning is not None:
            relative += _finite(self.conditioning, point, given)
        error = relative * U * abs(result) if relative else 0.0
        if self.absolute:
            size = _finite(self.size, point, given) if self.size else 1.0
            error += self.absolute * U * scale * size
        return error

    def __str__(self) -> str:
        parts = [f"{self.relative:g}"] if self.relative or not (self.absolute or self.conditioning) else []
        if self.conditioning:
            parts.append(self.conditioning.words)
        if self.absolute:
            size = f" × {self.size.words}" if self.size else ""
            parts.append(f"{self.absolute:g}{size} absolute")
        return " + ".join(parts)


def _finite(measure: Measure, point: Point, parameters: Parameters) -> float:
    """A measure at these operands; 0 where it has no finite value: there the result itself is inf or nan."""
    try:
        x = measure.of(*point, **parameters)
    except NO_ANSWER:
        return 0.0
    return x if math.isfinite(x) else 0.0


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


def kink_at(x: float, low: float, high: float, torch: float) -> Kink:
    """The kink of an op of one operand at x."""
    return Kink(lambda a: a == x, (x,), min(low, high), max(low, high), torch)


def tie(low: float, high: float, torch: float, point: Point = (1.5, 1.5)) -> tuple[Kink, ...]:
    """The kink of an op of two operands where they are equal."""
    return (Kink(lambda a, b: a == b, point, low, high, torch),)


def everywhere(*point: float, **parameters: Any) -> bool:
    """The domain of most ops."""
    return True


@dataclass(frozen=True, eq=False)
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
    kinks     where it has no derivative, at the first of `settings`
    parameters  PyTorch's parameters with their defaults. A row's functions take them as keyword arguments;
              the defaults are filled in here, once
    settings  parameters worth testing with, the first one always; without a default there, it must be given
    bends     the kinks that given parameters make, where they depend on parameters
    naive     formulas that are right on paper and lose digits beyond the bound: for the value (None) or the
              slope by an operand, each by its name
    """

    name: str
    arity: int
    torch: Callable[..., Any]
    mpmath: Callable[..., Any]
    value: Callable[..., float]
    vjp: tuple[Callable[..., float], ...]
    points: tuple[Point, ...]
    domain: Callable[..., bool] = everywhere
    edges: tuple[Point, ...] = ()
    value_bound: Bound = Bound(4)
    slope_bound: Bound = Bound(8)
    symbol: str | None = None
    spellings: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    reflected: str | None = None
    kinks: tuple[Kink, ...] = ()
    parameters: Parameters = field(default_factory=dict)
    settings: tuple[Parameters, ...] = ({},)
    bends: Callable[..., tuple[Kink, ...]] | None = None
    naive: Mapping[int | None, Mapping[str, Callable[..., float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill the defaults of the parameters into the row's functions."""
        if not self.parameters:
            return
        fill = partial(object.__setattr__, self)
        for name in ("torch", "mpmath", "value", "domain"):
            fill(name, self._given(getattr(self, name)))
        fill("vjp", tuple(map(self._given, self.vjp)))
        fill("value_bound", self._given_bound(self.value_bound))
        fill("slope_bound", self._given_bound(self.slope_bound))
        if self.bends is not None:
            fill("bends", self._given(self.bends))
            assert self.bends is not None
            fill("kinks", self.bends(**self.settings[0]))

    def _given(self, function: F) -> F:
        return partial(function, **self.parameters)  # type: ignore[return-value]

    def _given_bound(self, bound: Bound) -> Bound:
        size, conditioning = (
            measure and Measure(measure.words, self._given(measure.of))
            for measure in (bound.size, bound.conditioning)
        )
        return replace(bound, size=size, conditioning=conditioning)

    @property
    def operator(self) -> bool:
        """Whether Python has an operator for it, so that a user expects it to exist."""
        return self.symbol is not None

    @property
    def plain(self) -> bool:
        """Whether a slope's bound is relative alone, and all operands of ordinary size are ordinary."""
        bound = self.slope_bound
        return (
            not (bound.absolute or bound.conditioning or self.kinks or self.bends)
            and self.domain is everywhere
        )

    @property
    def forms(self) -> tuple[str, ...]:
        """Every way in which its operands can be given; "int" and "float" are plain numbers."""
        if self.arity == 1:
            return ("value",)
        values = "-".join(["value"] * self.arity)
        numbers = ("value-int", "value-float", "int-value", "float-value")
        return (values, *numbers) if self.operator else (values,)

    def kink(self, point: Point, parameters: Parameters | None = None) -> Kink | None:
        """The kink at these operands, if they are at one."""
        kinks = self.bends(**parameters) if self.bends and parameters else self.kinks
        return next((kink for kink in kinks if kink.at(*point)), None) if kinks else None

    def smooth(self, point: Point, form: str, parameters: Parameters | None = None) -> bool:
        """Whether PyTorch's formula gives a finite slope for every operand that this form gives as a value."""
        given = parameters or self.settings[0]
        try:
            y = self.value(*point, **given)
            slots = [slot for slot, kind in enumerate(form.split("-")) if kind == "value"]
            return all(math.isfinite(self.vjp[slot](1.0, y, *point, **given)) for slot in slots)
        except NO_ANSWER:
            return False

    def flat(self, slot: int) -> bool:
        """Whether the slope by this operand is 0 at every point: no gradient can exercise it (sign, floor)."""
        given = self.settings[0]
        return all(self.vjp[slot](1.0, self.value(*p, **given), *p, **given) == 0 for p in self.points)

    def ordinary(self, point: Point, parameters: Parameters | None = None) -> bool:
        """Whether any engine can be expected to be right at these operands."""
        for x in point:
            if x != 0 and not TINY_OPERAND < abs(x) < HUGE_OPERAND:
                return False
        given = parameters or self.settings[0]
        return self.kink(point, parameters) is None and self.domain(*point, **given)


INF, NAN = math.inf, math.nan
EXACT = Bound(0)
UNARY: tuple[Point, ...] = ((0.7,), (-1.3,), (2.4,), (-0.35,), (3.6,), (-6.5,), (8.5,))
POSITIVE: tuple[Point, ...] = ((0.7,), (1.6,), (2.4,), (0.35,), (9.2,), (73.0,), (0.015,))
BINARY: tuple[Point, ...] = ((1.5, -2.25), (-0.7, 1.3), (3.25, 0.6), (-1.9, -0.8), (0.45, 2.75))


def each(*xs: float) -> tuple[Point, ...]:
    """Points of one operand."""
    return tuple((x,) for x in xs)


def exp(x: float) -> float:
    """e to the x, inf beyond the largest float."""
    try:
        return math.exp(x)
    except OverflowError:
        return INF


def sign(x: float) -> float:
    """-1, 0 or 1; 0 at nan, as in PyTorch."""
    return float((x > 0) - (x < 0))


def divide(a: float, b: float) -> float:
    """a / b with IEEE's answers where b is 0."""
    try:
        return a / b
    except ZeroDivisionError:
        return NAN if a == 0 or a != a else math.copysign(INF, a) * math.copysign(1.0, b)
