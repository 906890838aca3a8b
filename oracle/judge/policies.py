"""Policies: where respectable engines differ from PyTorch by choice. Stated always, demanded by profile."""

from __future__ import annotations

import math
from collections.abc import Mapping

from oracle.judge.locals import KeptLocals
from oracle.program import Node
from oracle.torch_reference import local
from oracle.vocabulary import VOCABULARY, Point

POLICIES: Mapping[str, str] = {
    "second-backward": "a second backward of one graph adds the same gradients again",
    "two-roots": "gradients of two roots over a shared value add up",
    "leaf-root": "backward on a leaf gives it the gradient 1",
    "recursion-depth": "a graph may be deeper than Python's recursion limit",
    "exponential-paths": "time grows with the number of nodes, not of paths",
    "domain-errors": "an op outside its domain gives nan or inf",
    "overflow": "an op at the ends of the range gives inf or 0",
    "zero-pow-zero": "0**0 is 1, and its gradient 0",
    "masked-product": "a gradient that a kink masks is 0, also where the product would be nan",
    "special-values": "inf, nan and the ends of a domain have values and gradients of their own",
}
"""name → what PyTorch does. The names are what `--require` takes."""


def of_point(op: str, point: Point) -> str:
    """The policy that a deviation at these (not ordinary) operands belongs to."""
    expected = _value(op, point)
    if op == "pow" and point == (0.0, 0.0):
        return "zero-pow-zero"
    if not math.isfinite(expected) and all(map(math.isfinite, point)):
        return "overflow" if max(map(abs, point)) > 100 else "domain-errors"
    if all(map(math.isfinite, point)) and max(map(abs, point)) > 100:
        return "overflow"
    if op in ("relu", "abs", "maximum", "minimum") and not all(map(math.isfinite, point)):
        return "masked-product"
    return "special-values"


def _value(op: str, point: Point) -> float:
    """PyTorch's value at special operands."""
    given = dict(VOCABULARY[op].settings[0])
    kept = KeptLocals().value(0, Node(op, (), given), point)
    return local(op, given, [[x] for x in point], [1.0]).values[0] if kept is None else kept


NETWORK = "mlp"
"""What `--require` takes for a network beside the engine that can be judged."""

FORMS = ("value-value", "value-number", "number-value")

LECTURE: frozenset[tuple[str, str]] = frozenset(
    {(op, "value-value") for op in ("add", "sub", "mul", "div")}
    | {(op, "value-number") for op in ("add", "sub", "mul", "div", "pow")}
    | {(op, "number-value") for op in ("add", "mul")}
    | {("neg", "value")}
)
"""Op and form pairs whose absence profile `lecture` does not accept."""


def general(form: str) -> str:
    """A rule's form with its kind of number left open: "value-int" → "value-number"."""
    return form.replace("int", "number").replace("float", "number")
