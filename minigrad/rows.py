"""dot and sum: one node for a whole row of products, or of terms, where operators would make one for each.

They compute and push what those nodes would, in the same order, so that no bit differs. `a` and `b` are the node's
operands: `sum` keeps its terms in `a` and nothing in `b`; `dot` keeps one factor of each product in either, and the
number that it starts from, where there is one, at the head of `a`. Nodes may share a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

Row = tuple[Any, ...]


def sum_forward(a: Row, b: Row) -> float:
    """a0 + a1 + …, from the left: Python's own sum rounds differently from version 3.12 on."""
    first, *rest = a
    total: float = first.data
    for x in rest:
        total += x.data
    return total


def sum_push(g: float, a: Row, b: Row) -> None:
    """Hand the gradient g of the result to every term."""
    for x in a:
        x.grad += g


def dot_forward(a: Row, b: Row) -> float:
    """start + a0*b0 + a1*b1 + …, from the left."""
    total, *rest = [x.data * z.data for x, z in zip(a[len(a) - len(b) :], b, strict=True)]
    if len(a) > len(b):
        total = a[0].data + total
    for product in rest:
        total += product
    return float(total)


def dot_push(g: float, a: Row, b: Row) -> None:
    """Hand g to the start; then, times the other factor, to every factor, the last first."""
    if len(a) > len(b):
        a[0].grad += g
    for x, z in zip(a[: -len(b) - 1 : -1], b[::-1], strict=True):
        x.grad += g * z.data
        z.grad += g * x.data


FORWARD: Final[dict[str, Callable[[Row, Row], float]]] = {"sum": sum_forward, "dot": dot_forward}
PUSH: Final[dict[str, Callable[[float, Row, Row], None]]] = {"sum": sum_push, "dot": dot_push}
