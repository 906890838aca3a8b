"""The reference by Python's standard library: quick, and without an opinion where it is not sure."""

from __future__ import annotations

import math
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


def run(program: Program, inputs: Sequence[float] | None = None) -> tuple[list[float], list[float]]:
    """Data of every value, and the gradient of the root by each, in PyTorch's formulas and order.

    inputs  other ones than the program's own; nan where the standard library has no answer
    """
    data = list(program.inputs if inputs is None else inputs)
    nodes = list(program.nodes())
    for _, node in nodes:
        data.append(_or_nan(value(node, program.operand_data(node, data))))
    grad = [0.0] * len(program)
    grad[program.root] = 1.0
    for k, node in reversed(nodes):
        point = program.operand_data(node, data)
        for slot, i in enumerate(node.operands):
            if i >= 0:
                grad[i] += _or_nan(vjp(node, point, slot, grad[k]))
    return data, grad


def _or_nan(x: float | None) -> float:
    return math.nan if x is None else x


def observe(program: Program) -> Observation | None:
    """A whole program after backward from its root, in 3 µs a value: by PyTorch's formulas, in its order.

    To the bit (but for the sign of a zero) what PyTorch gets where only + − × ÷ and their like occur, which Python's
    floats round alike; exp and the like may differ in the last digit. None where a number is not finite or a formula
    has no answer.
    """
    rows = [VOCABULARY[name] for name in program.names]
    given = {k: dict(items) for k, items in program.parameters}
    first, numbers = len(program.inputs), program.numbers
    data = program.inputs[:]
    try:
        for k, code in enumerate(program.codes):
            operands = program.operands[program.starts[k] : program.starts[k + 1]]
            point = [data[i] if i >= 0 else float(numbers[~i]) for i in operands]
            data.append(rows[code].value(*point, **given.get(k, {})))
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
                    share = row.vjp[slot](g, data[first + k], *point, **parameters)
                    earlier = grad[i]
                    grad[i] = share if earlier is None else earlier + share
    except UNSURE:
        return None
    finite = all(map(math.isfinite, data)) and all(g is None or math.isfinite(g) for g in grad)
    return Observation(data, grad) if finite else None
