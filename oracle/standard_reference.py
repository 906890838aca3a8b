"""The reference by Python's standard library: quick, and without an opinion where it is not sure."""

from __future__ import annotations

import math

from oracle.program import Node
from oracle.vocabulary import VOCABULARY, Point

UNSURE = (ValueError, OverflowError, ZeroDivisionError, TypeError)


def value(node: Node, point: Point) -> float | None:
    """An op at these operands."""
    try:
        return float(VOCABULARY[node.op].value(*point, **node.parameters))
    except UNSURE:
        return None


def vjp(node: Node, point: Point, slot: int, g: float, result: float | None = None) -> float | None:
    """What the op owes operand `slot` for an upstream gradient g, by PyTorch's formula.

    result  the op's result, where the formula is to be in terms of that (the subject's own, say)
    """
    if not math.isfinite(g) or not all(map(math.isfinite, point)):
        return None
    row = VOCABULARY[node.op]
    try:
        y = row.value(*point, **node.parameters) if result is None else result
        return float(row.vjp[slot](g, y, *point, **node.parameters))
    except UNSURE:
        return None
