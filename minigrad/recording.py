"""Recordings: what a function of numbers computes, as a flat list of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.engine import NUMBER, Value, creation
from minigrad.rows import NEURONS


class RecordingError(ValueError):
    """Something that a recording cannot replay; the message says what."""


class Step(NamedTuple):
    """One value: `op` of earlier steps, given by their places, and of plain things.

    A leaf has one of three ops of its own: "input", with its place among the inputs; "parameter", with the Value;
    "constant", with the number in hexadecimal (two nan are then the same, 0.0 and -0.0 are not). A dot has how many
    of its operands are its first row.
    """

    op: str
    operands: tuple[int, ...]
    plain: tuple[Any, ...]

    def __str__(self) -> str:
        operands = [f"value {i}" for i in self.operands]
        return f"{self.op} of {', '.join(operands + [str(x) for x in self.plain])}"


class Recording(NamedTuple):
    """steps, oldest first; results: places of what was returned, the one to differentiate first; several: whether
    it was a tuple; shape: of the inputs, a tuple for a list and None for a number."""

    steps: list[Step]
    results: list[int]
    several: bool
    shape: Any


def record(function: Callable[..., Any], inputs: tuple[Any, ...]) -> Recording:
    """Run the function once. Raises RecordingError for inputs and results of other kinds than `compile` says, and for
    Values that were computed before the function was called."""
    shape = shape_of(inputs)
    leaves: list[Value] = []
    began = Value(0.0).number
    result = function(*as_values(inputs, leaves))
    several = isinstance(result, tuple)
    results: tuple[Any, ...] = result if several else (result,)
    for x in results:
        if not isinstance(x, Value):
            raise RecordingError(f"the function must return a Value or a tuple of Values, not {x!r}")
    if not results:
        raise RecordingError(
            "the function returned an empty tuple; its first Value is the one to differentiate"
        )
    place = {leaf: k for k, leaf in enumerate(leaves)}
    nodes = sorted(reach(results, leaves), key=creation)
    index: dict[Value, int] = {}
    steps: list[Step] = []
    for node in nodes:
        if node.op:
            if node.number < began:
                raise RecordingError(
                    f"{node!r} was computed before the function that uses it: compute it inside, or make it a leaf"
                )
            op, _, activation = node.op.partition("_") if node.op in NEURONS else (node.op, "", "")
            plain = (len(node.a),) if op == "dot" else tuple(node.parameters.values())
            steps.append(Step(op, tuple([index[parent] for parent in node.parents]), plain))
            if activation:  # a fused neuron is recorded as the two ops that it is
                steps.append(Step(activation, (len(steps) - 1,), ()))
        elif node in place:
            steps.append(Step("input", (), (place[node],)))
        elif node.number < began:
            steps.append(Step("parameter", (), (node,)))
        else:
            steps.append(Step("constant", (), (node.data.hex(),)))
        index[node] = len(steps) - 1
    return Recording(steps, [index[x] for x in results], several, shape)


def shape_of(x: Any) -> Any:
    """None for a number, a tuple of shapes for a list or tuple. Raises RecordingError for anything else."""
    if isinstance(x, (list, tuple)):
        return tuple([shape_of(item) for item in x])
    if isinstance(x, NUMBER):
        return None
    raise RecordingError(
        f"inputs are numbers and lists of numbers, got {type(x).__name__}: a Value that the function uses from outside "
        "is a parameter and need not be an input"
    )


def as_values(x: Any, leaves: list[Value]) -> Any:
    """The inputs, a list for a list and a new leaf for a number; the leaves are appended in order."""
    if isinstance(x, (list, tuple)):
        return [as_values(item, leaves) for item in x]
    leaves.append(Value(x))
    return leaves[-1]


def reach(results: tuple[Value, ...], leaves: list[Value]) -> set[Value]:
    """Everything that leads to the results; and all inputs, so that places do not depend on which are used."""
    found = {*results, *leaves}
    todo = list(results)
    while todo:
        new = set(todo.pop().parents) - found
        found |= new
        todo += new
    return found
