"""Fused nodes taken apart: a live graph without `dot` and `sum`, so that it can be judged op by op.

What operators would have made instead is computed from the operands as they stand; of these nodes the last has the
data of the fused one, and all have the gradient that it passes on, by PyTorch's formula where an activation is part of
it. A fused node that is wrong is then a last op, or a product, whose equation fails.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from oracle.recording import reachable
from oracle.vocabulary import VOCABULARY

FUSED = {"dot": "", "sum": "", "dot_relu": "relu", "dot_tanh": "tanh"}
"""minigrad's fused ops, and the activation that ends them."""


@dataclass(eq=False)
class Node:
    """What `record.from_graph` reads of a value."""

    op: str
    parents: tuple[Any, ...]
    data: float
    grad: float
    label: str
    number: int
    parameters: dict[str, Any] = field(default_factory=dict)


def unrolled(root: Any) -> Any:
    """The graph that ends in `root` with every fused node taken apart; the graph itself when it has none.

    Reads `op`, `parents`, `data`, `grad`, `number`; for dots also `a` and `b`, their rows. Changes nothing.
    """
    if not all(hasattr(root, name) for name in ("op", "parents", "number")):
        return root  # from_graph says what is wrong with it
    order = reachable(root)
    if not any(node.op in FUSED for node in order):
        return root
    made: list[Node] = []
    twin: dict[int, Node] = {}

    def add(op: str, parents: tuple[Node, ...], data: float, like: Any) -> Node:
        made.append(Node(op, parents, data, like.grad, "", len(made)))
        return made[-1]

    for node in order:
        activation, first = FUSED.get(node.op, ""), len(made)
        if node.op in FUSED and node.op != "sum":
            left, right = ([twin[id(x)] for x in row] for row in (node.a, node.b))
            start, factors = left[: len(left) - len(right)], left[len(left) - len(right) :]
            terms = start + [
                add("mul", (x, z), x.data * z.data, node) for x, z in zip(factors, right, strict=True)
            ]
        elif node.op == "sum":
            terms = [twin[id(x)] for x in node.parents]
        else:
            terms = []
        if len(terms) > 1:
            total = terms[0]
            for term in terms[1:]:
                total = add("add", (total, term), total.data + term.data, node)
        elif terms:  # nothing to add: once the term
            one = add("", (), 1.0, node)
            one.grad = node.grad * terms[0].data
            total = add("mul", (terms[0], one), terms[0].data, node)
        else:
            total = add(node.op, tuple(twin[id(x)] for x in node.parents), node.data, node)
            total.parameters = dict(getattr(node, "parameters", None) or {})
        if activation:
            (vjp,) = VOCABULARY[activation].vjp
            for part in made[first:]:
                part.grad = vjp(node.grad, node.data, total.data)
            total = add(activation, (total,), node.data, node)
        total.data, total.label = node.data, getattr(node, "label", "")
        twin[id(node)] = total
    return twin[id(root)]
