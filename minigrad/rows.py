"""dot and sum: one node for a whole row of products, or of terms, where operators would make one for each.

They compute and push what those nodes would, in the same order, so that no bit differs. `a` and `b` are the node's
operands: `sum` keeps its terms in `a` and nothing in `b`; `dot` keeps one factor of each product in either, and the
number that it starts from, where there is one, at the head of `a`. Nodes may share a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

Row = tuple[Any, ...]

LONGEST: Final = 128
"""Operands of a row that is written out. A loop would cost short rows twice their time; Python needs some 20 µs to
compile a product, once for each length."""


class Rule(NamedTuple):
    """forward: (a, b) to the result; push: (g, a, b), hands the result's gradient g on to the operands."""

    forward: Callable[[Row, Row], float]
    push: Callable[[float, Row, Row], None]


def sum_forward(a: Row, b: Row) -> float:
    """a0 + a1 + …, from the left: Python's own sum rounds differently from version 3.12 on."""
    total: float = a[0].data
    for x in a[1:]:
        total += x.data
    return total


def sum_push(g: float, a: Row, b: Row) -> None:
    """g to every term."""
    for x in a:
        x.grad += g


def dot_forward(a: Row, b: Row) -> float:
    """start + a0*b0 + a1*b1 + …, from the left."""
    starts = len(a) - len(b)
    total: float = a[0].data if starts else a[0].data * b[0].data
    for x, z in zip(a[1:], b[1 - starts :], strict=True):
        total += x.data * z.data
    return total


def dot_push(g: float, a: Row, b: Row) -> None:
    """g to the start; then, times the other factor, to every factor, the last first."""
    if len(a) > len(b):
        a[0].grad += g
    for x, z in zip(a[: -len(b) - 1 : -1], b[::-1], strict=True):
        x.grad += g * z.data
        z.grad += g * x.data


# The same, written out ----------------------------------------------------------------------------------------


def sum_written(size: int) -> str:
    """Of two terms:

    def forward(a, b):
        x0, x1 = a
        return x0.data + x1.data
    def push(g, a, b):
        x0, x1 = a
        x0.grad += g
        x1.grad += g
    """
    x = [f"x{i}" for i in range(size)]
    return _module(
        f"{', '.join(x)}, = a", [f"{term}.data" for term in x], [f"{term}.grad += g" for term in x]
    )


def dot_written(size: int) -> str:
    """Of five operands, an odd number, so that there is a start:

    def forward(a, b):
        start, x0, x1 = a; z0, z1 = b
        return start.data + x0.data * z0.data + x1.data * z1.data
    def push(g, a, b):
        start, x0, x1 = a; z0, z1 = b
        start.grad += g
        x1.grad += g * z1.data; z1.grad += g * x1.data
        x0.grad += g * z0.data; z0.grad += g * x0.data
    """
    start = ["start"] * (size % 2)
    pairs = [(f"x{i}", f"z{i}") for i in range(size // 2)]
    a, b = [*start, *(x for x, _ in pairs)], [z for _, z in pairs]
    return _module(
        f"{', '.join(a)}, = a; {', '.join(b)}, = b",
        [f"{x}.data" for x in start] + [f"{x}.data * {z}.data" for x, z in pairs],
        [f"{x}.grad += g" for x in start]
        + [f"{x}.grad += g * {z}.data; {z}.grad += g * {x}.data" for x, z in reversed(pairs)],
    )


def _module(unpack: str, terms: list[str], pushes: list[str]) -> str:
    forward = ["def forward(a, b):", unpack, f"return {' + '.join(terms)}"]
    push = ["def push(g, a, b):", unpack, *pushes]
    return "\n".join(["\n    ".join(forward), "\n    ".join(push)])


class Rules(dict[int, Rule]):
    """The rule of an op, by the number of its operands in both rows; written out when it is first asked for."""

    def __init__(self, loop: Rule, written: Callable[[int], str], longest: int = LONGEST) -> None:
        self.loop, self.written, self.longest = loop, written, longest

    def __missing__(self, size: int) -> Rule:
        if size > self.longest:
            return self.loop
        names: dict[str, Any] = {}
        exec(self.written(size), names)
        return self.setdefault(size, Rule(names["forward"], names["push"]))


ROWS: Final = {
    "sum": Rules(Rule(sum_forward, sum_push), sum_written),
    "dot": Rules(Rule(dot_forward, dot_push), dot_written),
}
