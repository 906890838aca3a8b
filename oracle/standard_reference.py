"""The reference by Python's standard library: quick, and without an opinion where it is not sure."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from oracle.case import Observation
from oracle.program import Node, Program
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


def run(program: Program, inputs: Sequence[float] | None = None) -> Observation:
    """A whole program after backward from its root, in 3 µs a value: by PyTorch's formulas, in its order.

    To the bit (but for the sign of a zero) what PyTorch gets where only + − × ÷ and their like occur, which Python's
    floats round alike; exp and the like may differ in the last digit. nan where a formula has no answer.

    inputs  other ones than the program's own
    """
    rows = [VOCABULARY[name] for name in program.names]
    given = {k: dict(items) for k, items in program.parameters}
    first, numbers = len(program.inputs), program.numbers
    data = array("d", program.inputs if inputs is None else inputs)
    for k, code in enumerate(program.codes):
        operands = program.operands[program.starts[k] : program.starts[k + 1]]
        point = [data[i] if i >= 0 else float(numbers[~i]) for i in operands]
        try:
            data.append(rows[code].value(*point, **given.get(k, {})))
        except UNSURE:
            data.append(math.nan)
    grad: list[float | None] = [None] * len(data)
    grad[program.root] = 1.0
    for k in range(len(program.codes) - 1, -1, -1):
        g = grad[first + k]
        if g is None:
            continue
        row, parameters = rows[program.codes[k]], given.get(k, {})
        operands = program.operands[program.starts[k] : program.starts[k + 1]]
        point = [data[i] if i >= 0 else float(numbers[~i]) for i in operands]
        for slot, i in enumerate(operands):
            if i >= 0:
                try:
                    share = row.vjp[slot](g, data[first + k], *point, **parameters)
                except UNSURE:
                    share = math.nan
                earlier = grad[i]
                grad[i] = share if earlier is None else earlier + share
    return Observation(data, grad)


def observe(program: Program) -> Observation | None:
    """The same, or None where a number is not finite or a formula has no answer."""
    seen = run(program)
    finite = all(map(math.isfinite, seen.data)) and all(g is None or math.isfinite(g) for g in seen.grad)
    return seen if finite else None
