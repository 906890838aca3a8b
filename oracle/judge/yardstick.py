"""The yardstick of global differences: how far a right engine may be from PyTorch at the end of a whole program.

A running error bound. Two right engines differ at a value by the rounding of its op and by what their
operands differ, times its slopes; at a gradient by the same of every contribution, whose slopes move with the
operands. Where a difference stays within it, no rule needs to be wrong for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from oracle import standard_reference
from oracle.floats import U, smallest_normal
from oracle.program import Node, Program
from oracle.vocabulary import VOCABULARY, Point


@dataclass(frozen=True)
class Yardstick:
    """How far data and gradient of each value may be from PyTorch's; inf where nothing can be said."""

    data: tuple[float, ...]
    grad: tuple[float, ...]


def yardstick(
    program: Program, data: Sequence[float], grad: Sequence[float | None], root: int | None, unit: float = U
) -> Yardstick:
    """The bound at PyTorch's own numbers for the whole program, for engines whose unit of rounding is `unit`.

    Twice the bound of each rule, since either side may use it up.
    """
    scale = 1.0 + unit / U
    errors = [0.0 if unit == U else unit * abs(x) for x in program.inputs]
    nodes = list(program.nodes())
    for k, node in nodes:
        point = program.operand_data(node, data)
        moved = [errors[i] if i >= 0 else 0.0 for i in node.operands]
        error = scale * VOCABULARY[node.op].value_bound.at(point, data[k], parameters=node.parameters)
        if any(moved) or unit > U:
            error += scale * U * abs(data[k]) + smallest_normal(unit)
        error += max((abs(_value(node, at) - data[k]) for at in _around(point, moved)), default=0.0)
        errors.append(_sure(error))
    spread = [0.0] * len(program)
    if root is None:
        return Yardstick(tuple(errors), tuple(spread))
    live = program.reaches(root)
    fan_in = [0] * len(program)
    sizes = [0.0] * len(program)
    for k, node in reversed(nodes):
        if not live[k]:
            continue
        if fan_in[k] > 1:
            spread[k] += 2 * fan_in[k] * unit * sizes[k]
        g = grad[k]
        if g is None:
            continue
        point = program.operand_data(node, data)
        for slot, i in enumerate(node.operands):
            if i >= 0:
                share, error = _contribution(node, point, slot, g, spread[k], errors, unit)
                fan_in[i] += 1
                sizes[i] += abs(share)
                spread[i] = _sure(spread[i] + error)
    for i in range(len(program.inputs)):
        if fan_in[i] > 1:
            spread[i] = _sure(spread[i] + 2 * fan_in[i] * unit * sizes[i])
    return Yardstick(tuple(errors), tuple(spread))


def _contribution(
    node: Node, point: Point, slot: int, g: float, spread: float, errors: Sequence[float], unit: float
) -> tuple[float, float]:
    """What a consumer owes an operand, and how far two right engines may differ in that."""
    share = _vjp(node, point, slot, g)
    error = (1.0 + unit / U) * VOCABULARY[node.op].slope_bound.at(
        point, share, abs(g) + spread, node.parameters
    )
    error += smallest_normal(unit)
    slope = _vjp(node, point, slot, 1.0) if spread else 0.0
    error += abs(slope) * spread
    around = list(_around(point, [errors[i] if i >= 0 else 0.0 for i in node.operands]))
    if around:
        error += 2 * max(abs(_vjp(node, at, slot, g) - share) for at in around)
    if around and spread:  # of second order: all that there is where slope and gradient are 0
        error += max(abs(_vjp(node, at, slot, 1.0) - slope) for at in around) * spread
    return share, error


def _around(point: Point, by: Sequence[float]) -> Iterator[Point]:
    """The corners of what operands may be: those that differ, each by as much as it may, all at once."""
    if any(by):
        yield from product(*((x - d, x + d) if d else (x,) for x, d in zip(point, by, strict=True)))


def _value(node: Node, point: Point) -> float:
    found = standard_reference.value(node, point)
    return math.nan if found is None else found


def _vjp(node: Node, point: Point, slot: int, g: float) -> float:
    found = standard_reference.vjp(node, point, slot, g)
    return math.nan if found is None else found


def _sure(error: float) -> float:
    return math.inf if error != error else error
