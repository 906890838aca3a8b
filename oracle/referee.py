"""The referee: what an op's value and slopes really are, by mpmath, where subject and PyTorch disagree.

PyTorch is the reference, but not the truth: its float64 sqrt is off by one ulp on about 1.2 % of inputs, and its
hardsigmoid has a slope of 0.16666667163, the float32 next to 1/6.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from oracle.vocabulary import VOCABULARY, Op, Point

DIGITS = (50, 100, 200, 400, 800, 1600)
"""Tried in turn, until two in a row agree to AGREED."""

AGREED = 30
"""Decimal digits, relative: twice what float64 holds."""

STEP = 10.0**-30
"""Of a central difference, relative to the operand: its error, about 1e-60, is out of sight."""


class Undecidable(ValueError):
    """There is no truth to find: no finite operands, a kink, outside the domain, or too few digits."""


@dataclass(frozen=True)
class Ruling:
    """Who is right at the same operands (and the same upstream gradient).

    truth    the exact number, rounded to float64 (nan when there is none)
    subject, torch  how far each of them is from the exact number, in ulp of it; inf for one that is not finite
    further  the one that is further away; None when they are equally far, or nobody can tell
    """

    truth: float
    subject: float
    torch: float
    further: Literal["subject", "torch"] | None


@cache
def mpmath() -> Any:
    """The module, imported when first needed."""
    import mpmath as module

    return module


def arbitrate(
    op: str,
    point: Point,
    slot: int | None,
    subject: float,
    torch: float,
    upstream: float = 1.0,
    parameters: Mapping[str, Any] | None = None,
) -> Ruling:
    """Rule between the subject's and PyTorch's number for one op at given operands.

    slot      None for the op's value, else the operand whose contribution `upstream · slope` is asked for
    upstream  the gradient of the op's result, where slot is given
    """
    row, m = VOCABULARY[op], mpmath()
    try:
        if slot is None:
            exact = value(row, point, parameters)
        elif not math.isfinite(upstream):
            raise Undecidable("the upstream gradient is not finite")
        else:
            derivative = slope(row, point, slot, parameters)
            with m.workdps(DIGITS[0]):
                exact = derivative * m.mpf(upstream)
    except Undecidable:
        return Ruling(math.nan, math.nan, math.nan, None)
    off = [_ulps(x, exact) for x in (subject, torch)]
    further: Literal["subject", "torch"] | None = None
    if off[0] != off[1]:
        further = "subject" if off[0] > off[1] else "torch"
    return Ruling(float(exact), off[0], off[1], further)


def value(row: Op, point: Point, parameters: Mapping[str, Any] | None = None) -> Any:
    """The op's value, as an mpmath number good to 30 digits at least. Raises Undecidable."""
    _decidable(row, point, None)
    return _settled(lambda: _exact(row, point, parameters or row.settings[0]))


def slope(row: Op, point: Point, slot: int, parameters: Mapping[str, Any] | None = None) -> Any:
    """The op's derivative by one operand, by central difference in very many digits. Raises Undecidable."""
    _decidable(row, point, parameters)
    given = parameters or row.settings[0]

    def difference() -> Any:
        m = mpmath()
        h = m.mpf(STEP) * (abs(point[slot]) or 1.0)
        ends = []
        for side in (h, -h):
            moved = [m.mpf(x) for x in point]
            moved[slot] += side
            ends.append(_exact(row, moved, given))
        return (ends[0] - ends[1]) / (2 * h)

    return _settled(difference)


def _decidable(row: Op, point: Point, parameters: Mapping[str, Any] | None) -> None:
    if not all(map(math.isfinite, point)):
        raise Undecidable("an operand is not finite")
    if row.kink(point, parameters) is not None:
        raise Undecidable("the op has no derivative here, but a range of them")


def _exact(row: Op, operands: Any, parameters: Mapping[str, Any]) -> Any:
    m = mpmath()
    try:
        x = row.mpmath(m, *map(m.mpf, operands), **parameters)
    except (ValueError, ZeroDivisionError, OverflowError) as problem:
        raise Undecidable(str(problem)) from None
    if not isinstance(x, m.mpf) or not m.isfinite(x):
        raise Undecidable("outside the domain")
    return x


def _settled(compute: Callable[[], Any]) -> Any:
    """The number that `compute` gives in more and more digits, once it no longer changes."""
    m = mpmath()
    now = before = None
    for digits in DIGITS:
        with m.workdps(digits):
            now = compute()
            if before and abs(now - before) <= abs(now) * m.mpf(10) ** -AGREED:
                return now
            before = now
    if now == 0:  # in ever so many digits; in few, it may be what cancellation left
        return now
    raise Undecidable(f"{DIGITS[-1]} digits are too few")


def _ulps(x: float, exact: Any) -> float:
    if not math.isfinite(x):
        return math.inf
    m = mpmath()
    with m.workdps(DIGITS[-1]):
        return float(abs(m.mpf(x) - exact) / m.mpf(math.ulp(float(exact))))
