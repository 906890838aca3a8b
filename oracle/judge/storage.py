"""How an engine keeps the numbers that it is given: as they are, in another precision, rounded, or otherwise."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from oracle.floats import U, same, short


@dataclass(frozen=True)
class Storage:
    """One way to keep numbers.

    name   what it is called: a cause's mistake is this and "-storage"
    words  what the engine does, to follow "the engine"
    keep   the number that it has where it was given one; None: no way that is known here
    unit   its relative error, where it has one
    """

    name: str
    words: str
    keep: Callable[[float], float] | None
    unit: float = U

    @property
    def precision(self) -> bool:
        """Whether it is a shorter float, with which an engine can be right to fewer digits."""
        return self.unit > U


def _packed(code: str) -> Callable[[float], float]:
    def keep(x: float) -> float:
        try:
            return float(struct.unpack(code, struct.pack(code, x))[0])
        except OverflowError:
            return math.copysign(math.inf, x)

    return keep


def _rounded(places: int) -> Callable[[float], float]:
    return lambda x: round(x, places) if math.isfinite(x) else x


FLOAT32 = Storage(
    "float32", "stores its numbers in float32, with 7 digits instead of 16", _packed("f"), 2.0**-24
)
WAYS = (
    FLOAT32,
    Storage("float16", "stores its numbers in float16, with 3 digits instead of 16", _packed("e"), 2.0**-11),
    Storage("whole", "cuts its numbers off at the point", lambda x: float(int(x)) if math.isfinite(x) else x),
    *(Storage("rounded", f"rounds its numbers to {n} decimals", _rounded(n)) for n in range(13)),
)
OTHER = Storage("altered", "does not store the numbers that it is given", None)

TELLING = (0.1, 0.7, -2.3456789123456789, 12.345678912345678)
"""Numbers that tell the ways apart."""


def recognise(seen: Sequence[float], given: Sequence[float]) -> Storage | None:
    """The way in which these numbers were kept; None where they are what was given."""
    if all(map(same, seen, given)):
        return None
    for way in WAYS:
        assert way.keep is not None
        if all(same(x, way.keep(y)) for x, y in zip(seen, given, strict=True)):
            return way
    return OTHER


def example(way: Storage, seen: Sequence[float], given: Sequence[float]) -> str:
    """The difference, on the first number that shows it."""
    x, y = next((x, y) for x, y in zip(seen, given, strict=True) if not same(x, y))
    return f"{short(y, x)} becomes {short(x, y)}"
