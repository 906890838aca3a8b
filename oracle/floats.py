"""Floats as text and as integers: C99 hex strings, distances in ulp, the shortest telling decimals."""

from __future__ import annotations

import math
import re
import struct
from decimal import Decimal
from fractions import Fraction
from typing import Any

U = 2.0**-53
"""Half an ulp of 1: the relative error of one correctly rounded operation in float64."""

TINY = 2.0**-1022
"""The smallest normal float64."""


def smallest_normal(unit: float) -> float:
    """The smallest normal number of the format whose unit of rounding is `unit`: float64's, float16's, else float32's.

    Below it numbers have fewer digits.
    """
    return {U: TINY, 2.0**-11: 2.0**-14}.get(unit, 2.0**-126)


_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_HEX = re.compile(r"-?0x[0-9a-f](?:\.[0-9a-f]{1,13})?p[+-]?\d{1,4}").fullmatch


def to_hex(x: float) -> str:
    """A float as a C99 hex string, or "nan", "inf", "-inf"."""
    if math.isfinite(x):
        return x.hex()
    return "nan" if x != x else "inf" if x > 0 else "-inf"


def from_hex(text: Any) -> float:
    """Read `to_hex`'s strings and nothing else. Raises ValueError with what was expected."""
    if isinstance(text, str):
        if len(text) <= 40 and _HEX(text):
            try:
                return float.fromhex(text)
            except OverflowError:
                pass  # an exponent beyond float64 is as malformed as any other text: refused below
        elif text in _SPECIAL:
            return _SPECIAL[text]
    shown = f"{type(text).__name__} {str(text)[:40]!r}"
    raise ValueError(
        f'expected a float as a C99 hex string such as "0x1.8p+1", or "nan", "inf", "-inf"; found {shown}'
    )


def _ordinal(x: float) -> int:
    n: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return n if n >= 0 else -(n & 0x7FFF_FFFF_FFFF_FFFF)


def ulps(x: float, y: float) -> float:
    """How many float64 lie between x and y (0 when equal, −0 equals +0; inf when only one is nan).

    Infinity counts as the float after the largest finite one.
    """
    if x == y:
        return 0.0
    if x != x or y != y:
        return 0.0 if x != x and y != y else math.inf
    return float(abs(_ordinal(x) - _ordinal(y)))


def same(x: float, y: float) -> bool:
    """Equal as verdicts see it: by value, nan like nan, −0 like +0."""
    return x == y or (x != x and y != y)


def short(x: float, other: float | None = None) -> str:
    """x in as few digits as show it, and as many as tell it from `other` (four at least, `repr` at most)."""
    if x != x or math.isinf(x):
        return to_hex(x)
    if x == int(x) and abs(x) < 1e15 and (other is None or other != other or f"{x:.0f}" != f"{other:.0f}"):
        return f"{x:.0f}"
    for digits in range(4, 18):
        text = f"{x:.{digits}g}"
        if other is None or same(x, other) or text != f"{other:.{digits}g}":
            return text
    return repr(x)


def decimal(x: Fraction) -> str:
    """A fraction that a finite decimal can spell, spelled so: "7.5", "20". Raises ValueError for any other."""
    ten = x.denominator
    for prime in (2, 5):
        while ten % prime == 0:
            ten //= prime
    if ten != 1:
        raise ValueError(f"{x} has no finite decimal")
    places = x.denominator.bit_length()
    text = f"{Decimal(int(x * 10**places)).scaleb(-places):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
