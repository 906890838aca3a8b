"""Rows of ops that cannot be called with operands alone: some parameter has no default."""

from __future__ import annotations

from typing import Any

from oracle.vocabulary.op import EXACT, INF, NAN, Kink, Op, each, kink_at


def _clamp(a: float, min: float | None, max: float | None) -> float:
    if min is not None and a < min:
        a = min
    return max if max is not None and a > max else a


def _clamp_slope(g: float, y: float, a: float, min: float | None, max: float | None) -> float:
    return g if (min is None or a >= min) and (max is None or a <= max) else 0.0


def _exact_clamp(m: Any, a: Any, min: float | None, max: float | None) -> Any:
    if min is not None and a < min:
        a = m.mpf(min)
    return m.mpf(max) if max is not None and a > max else a


def _clamp_ends(min: float | None, max: float | None) -> tuple[Kink, ...]:
    """PyTorch takes 1 at both ends, 0 at an end that the other one cuts off."""
    return tuple(kink_at(x, 0.0, 1.0, _clamp_slope(1.0, x, x, min, max)) for x in (min, max) if x is not None)


PARAMETRISED = (
    Op(
        "clamp",
        1,
        torch=lambda t, a, min, max: t.clamp(a, min=min, max=max),
        mpmath=_exact_clamp,
        value=_clamp,
        vjp=(_clamp_slope,),
        points=each(0.7, -1.3, -0.35, 3.6, -6.5, 8.5),
        edges=each(0.0, INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("clamp", "clip"),
        parameters={"min": None, "max": None},
        settings=({"min": -2.5, "max": 3.0}, {"min": -1.0}, {"max": 2.0}, {"min": 2.0, "max": -2.5}),
        bends=_clamp_ends,
    ),
    Op(
        "threshold",
        1,
        torch=lambda t, a, threshold, value: t.nn.functional.threshold(a, threshold, value),
        mpmath=lambda m, a, threshold, value: a if a > threshold else m.mpf(value),
        value=lambda a, threshold, value: value if a <= threshold else a,
        vjp=(lambda g, y, a, threshold, value: 0.0 if a <= threshold else g,),
        points=each(0.7, -1.3, 2.4, -0.35, 8.5),
        edges=each(0.0, INF, -INF, NAN),
        value_bound=EXACT,
        slope_bound=EXACT,
        spellings=("threshold",),
        parameters={"threshold": None, "value": None},
        settings=({"threshold": 0.5, "value": -7.0},),
        bends=lambda threshold, value: (kink_at(threshold, 0.0, 1.0, 0.0),),
    ),
)
