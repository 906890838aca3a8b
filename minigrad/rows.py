"""sum, dot and neurons: one node for a whole row of terms, or of products, where operators would make one for each.

They compute and push what those nodes would, in the same order, so that no bit differs. `a` and `b` are the node's
operands: `sum` keeps its terms in `a` and nothing in `b`; `dot` keeps one factor of each product in either, and the
number that it starts from, where there is one, at the head of `a`. `dot_relu` and `dot_tanh` are relu and tanh of a
dot that is finite. Nodes may share a tuple.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import tanh
from typing import Any, Final

from minigrad.inline import INLINE

Row = tuple[Any, ...]

LONGEST: Final = 128
"""Operands of a row that is written out. A loop would cost short rows twice their time; Python needs some 20 µs to
compile a product, once for each length."""


class Rule:
    """forward: (a, b) to the result, a float, or None, see `NEURONS`; push: (g, y, a, b), hands the gradient g of the
    result y on to the operands."""

    __slots__ = ("forward", "push")  # read for every node: twice as fast as a NamedTuple's

    def __init__(
        self,
        forward: Callable[[Row, Row], Any],
        push: Callable[[float, float, Row, Row], None],
    ) -> None:
        self.forward, self.push = forward, push


NEURONS: Final = {
    "dot": ("s", "g"),
    **{
        f"dot_{op}": (INLINE[op][0].format("s"), INLINE[op][1].format(g="g", y="y"))
        for op in ("relu", "tanh")
    },
}
"""Of a dot s, the result y; of the gradient g of y, that of s. relu and tanh hide whether s was finite.
These have no result, None, where it was not: of a dot that is finite all operands are, which `push` has to know."""


def sum_forward(a: Row, b: Row) -> float:
    """a0 + a1 + …, from the left: Python's own sum rounds differently from version 3.12 on."""
    total: float = a[0].data
    for x in a[1:]:
        total += x.data
    return total


def sum_push(g: float, y: float, a: Row, b: Row) -> None:
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


def dot_push(g: float, y: float, a: Row, b: Row) -> None:
    """g to the start; then, times the other factor, to every factor, the last first."""
    if len(a) > len(b):
        a[0].grad += g
    for x, z in zip(a[: -len(b) - 1 : -1], b[::-1], strict=True):
        x.grad += g * z.data
        z.grad += g * x.data


def neuron(op: str) -> Rule:
    """The rule of one of `NEURONS`, for rows of any length."""
    names: dict[str, Any] = {"tanh": tanh}
    value, slope = (
        eval(f"lambda {x}: {text}", names) for x, text in zip(("s", "g, y"), NEURONS[op], strict=True)
    )

    def forward(a: Row, b: Row) -> Any:
        s = dot_forward(a, b)
        return None if s - s and op != "dot" else value(s)

    return Rule(forward, lambda g, y, a, b: dot_push(slope(g, y), y, a, b))


# The same, written out ----------------------------------------------------------------------------------------


def sum_written(size: int) -> str:
    """Of two terms:

    def forward(a, b):
        x0, x1, = a
        return x0.data + x1.data
    def push(g, y, a, b):
        x0, x1, = a
        x0.grad += g
        x1.grad += g
    """
    x = [f"x{i}" for i in range(size)]
    unpack = f"{', '.join(x)}, = a"
    return _functions(
        [unpack, f"return {' + '.join(f'{term}.data' for term in x)}"],
        [unpack, *(f"{term}.grad += g" for term in x)],
    )


def neuron_written(size: int, op: str) -> str:
    """Of dot_relu and five operands, an odd number, so that there is a start:

    def forward(a, b):
        start, x0, x1, = a; z0, z1, = b
        s = start.data + x0.data * z0.data + x1.data * z1.data
        return None if s - s else 0.0 if s < 0.0 else s
    def push(g, y, a, b):
        start, x0, x1, = a; z0, z1, = b
        g = 0.0 if y <= 0.0 else g
        if g or y - y:
            start.grad += g
            x1.grad += g * z1.data
            z1.grad += g * x1.data
            …
        else:
            if not start.grad: start.grad += g
            if not x1.grad: x1.grad += g * z1.data
            if not z1.grad: z1.grad += g * x1.data
            …

    Much of what networks pass back is 0. Where all operands are finite only zeros are then added, which leave every
    number as it is but -0.0, which may become 0.0.
    """
    value, slope = NEURONS[op]
    start = ["start"] * (size % 2)
    pairs = [(f"x{i}", f"z{i}") for i in range(size // 2)]
    unpack = f"{', '.join([*start, *(x for x, _ in pairs)])}, = a; {', '.join(z for _, z in pairs)}, = b"
    terms = [f"{x}.data" for x in start] + [f"{x}.data * {z}.data" for x, z in pairs]
    pushes = [f"{x}.grad += g" for x in start]
    for x, z in reversed(pairs):
        pushes += [f"{x}.grad += g * {z}.data", f"{z}.grad += g * {x}.data"]
    return _functions(
        [unpack, f"s = {' + '.join(terms)}", f"return {'' if op == 'dot' else 'None if s - s else '}{value}"],
        [
            *(unpack, f"g = {slope}", "if g or y - y:"),
            *(f"    {push}" for push in pushes),
            "else:",
            *(f"    if not {push.partition(' ')[0]}: {push}" for push in pushes),
        ],
    )


def _functions(forward: list[str], push: list[str]) -> str:
    return "\n".join(
        ["\n    ".join(["def forward(a, b):", *forward]), "\n    ".join(["def push(g, y, a, b):", *push])]
    )


class Rules(dict[int, Rule]):
    """The rule of an op, by the number of its operands in both rows; written out when it is first asked for."""

    def __init__(self, loop: Rule, written: Callable[[int], str], longest: int = LONGEST) -> None:
        self.loop, self.written, self.longest = loop, written, longest

    def __missing__(self, size: int) -> Rule:
        if size > self.longest:
            return self.loop
        names: dict[str, Any] = {"tanh": tanh}
        exec(self.written(size), names)
        return self.setdefault(size, Rule(names["forward"], names["push"]))


ROWS: Final = {
    "sum": Rules(Rule(sum_forward, sum_push), sum_written),
    **{op: Rules(neuron(op), partial(neuron_written, op=op)) for op in NEURONS},
}
