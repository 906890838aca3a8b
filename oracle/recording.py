"""Obtaining programs: from a function of values (`record`) and from a live graph (`from_graph`)."""

from __future__ import annotations

import inspect
from array import array
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from oracle.case import Observation
from oracle.program import Num, Number, Program
from oracle.vocabulary import VOCABULARY


class Traced:
    """A value that notes what is done with it. Has the operators and the vocabulary's ops as methods."""

    __slots__ = ("_index", "_recorder")

    def __init__(self, recorder: Recorder, index: int) -> None:
        self._recorder, self._index = recorder, index

    def named(self, label: str) -> Traced:
        """Give this value a name in the program."""
        self._recorder.labels[self._index] = label
        return self

    def __add__(self, other: Operand) -> Traced:
        return self._recorder.node("add", self, other)

    def __radd__(self, other: Number) -> Traced:
        return self._recorder.node("add", other, self)

    def __sub__(self, other: Operand) -> Traced:
        return self._recorder.node("sub", self, other)

    def __rsub__(self, other: Number) -> Traced:
        return self._recorder.node("sub", other, self)

    def __mul__(self, other: Operand) -> Traced:
        return self._recorder.node("mul", self, other)

    def __rmul__(self, other: Number) -> Traced:
        return self._recorder.node("mul", other, self)

    def __truediv__(self, other: Operand) -> Traced:
        return self._recorder.node("div", self, other)

    def __rtruediv__(self, other: Number) -> Traced:
        return self._recorder.node("div", other, self)

    def __pow__(self, other: Operand) -> Traced:
        return self._recorder.node("pow", self, other)

    def __rpow__(self, other: Number) -> Traced:
        return self._recorder.node("pow", other, self)

    def __neg__(self) -> Traced:
        return self._recorder.node("neg", self)

    def __abs__(self) -> Traced:
        return self._recorder.node("abs", self)

    def __getattr__(self, name: str) -> Callable[..., Traced]:
        if name not in VOCABULARY:
            raise AttributeError(f"{name!r} is not in the vocabulary")
        return lambda *others, **parameters: self._recorder.node(name, self, *others, **parameters)


Operand = Traced | Number


class Recorder:
    """A program under construction."""

    def __init__(self) -> None:
        self.inputs: list[float] = []
        self.nodes: list[tuple[str, list[int | Num], dict[str, float]]] = []
        self.labels: dict[int, str] = {}

    def input(self, x: float, label: str = "") -> Traced:
        """A new leaf; all leaves come before the first node."""
        if self.nodes:
            raise ValueError("inputs come before the first op of a program")
        self.inputs.append(float(x))
        value = Traced(self, len(self.inputs) - 1)
        return value.named(label) if label else value

    def node(self, op: str, *operands: Operand, **parameters: float) -> Traced:
        """Apply an op of the vocabulary to values and plain numbers."""
        row = VOCABULARY[op]
        if len(operands) != row.arity:
            raise TypeError(f"{op} takes {row.arity} operands, {len(operands)} were given")
        codes: list[int | Num] = []
        for x in operands:
            if isinstance(x, Traced):
                if x._recorder is not self:
                    raise ValueError("two programs cannot share a value")
                codes.append(x._index)
            elif isinstance(x, (int, float)) and not isinstance(x, bool):
                codes.append(Num(x))
            else:
                raise TypeError(f"{op}: expected a value or a number, found {type(x).__name__}")
        self.nodes.append((op, codes, {**row.settings[0], **parameters}))
        return Traced(self, len(self.inputs) + len(self.nodes) - 1)

    def program(self, root: Traced) -> Program:
        """Everything noted so far, with this root."""
        return Program.build(self.inputs, self.nodes, root._index, self.labels)

    def finish(self) -> Program:
        """Everything noted so far; the value made last is the root."""
        return Program.build(self.inputs, self.nodes, None, self.labels)


def record(function: Callable[..., Any], *inputs: float) -> Program:
    """The program that `function` computes from `inputs` (floats). Inputs are named after its parameters.

    The function may use operators with values, ints and floats, `abs`, `sum`, and the vocabulary as methods.
    Its control flow is recorded as it ran. Raises TypeError if it does not return a value of the program.
    """
    recorder = Recorder()
    names = _parameter_names(function, len(inputs))
    root = function(*[recorder.input(x, name) for x, name in zip(inputs, names, strict=True)])
    if not isinstance(root, Traced):
        raise TypeError(f"the function returned {type(root).__name__}, not a value computed from its inputs")
    return recorder.program(root)


def _parameter_names(function: Callable[..., Any], count: int) -> Sequence[str]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return [""] * count
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return names if len(names) == count else [""] * count


def from_graph(root: Any) -> tuple[Program, Observation]:
    """The program that made a live minigrad graph, with the data and gradients that it holds now.

    Expects nodes with `op` (a vocabulary name, empty for a leaf), `parents` (in operand order, duplicates
    kept), `data`, `grad`, `label` and `number` (order of creation).
    Nothing is called on the graph and nothing is changed. Raises TypeError for an object without these,
    ValueError for an op that is not in the vocabulary.
    """
    for name in ("op", "parents", "data", "grad", "number"):
        if not hasattr(root, name):
            raise TypeError(
                f"expected the root of a minigrad graph; {type(root).__name__} has no attribute {name!r}"
            )
    order = reachable(root)
    leaves = [node for node in order if not node.op]
    inner = [node for node in order if node.op]
    nodes = leaves + inner
    index = {id(node): i for i, node in enumerate(nodes)}
    names = {op: code for code, op in enumerate(dict.fromkeys(node.op for node in inner))}
    for op in names:
        if op not in VOCABULARY:
            raise ValueError(f"the op {op!r} is not in the vocabulary")
    operands, starts = array("q"), array("q", [0])
    numbers: list[Number] = []
    parameters: list[tuple[int, tuple[tuple[str, float], ...]]] = []
    for k, node in enumerate(inner):
        operands.extend([index[id(parent)] for parent in node.parents])
        if node.op in _WITH_PARAMETERS:
            given = _parameters(node)
            if "exponent" in given:  # a plain exponent is pow's second operand here
                operands.append(~len(numbers))
                numbers.append(given.pop("exponent"))
            if given:
                parameters.append((k, tuple(sorted(given.items()))))
        starts.append(len(operands))
    program = Program(
        array("d", [node.data for node in leaves]),
        tuple(names),
        array("H", [names[node.op] for node in inner]),
        operands,
        starts,
        tuple(numbers),
        index[id(root)],
        tuple(parameters),
        tuple((i, node.label) for i, node in enumerate(nodes) if getattr(node, "label", "")),
    )
    data, grad = (array("d", map(attrgetter(name), nodes)) for name in ("data", "grad"))
    return program, Observation(data, grad)


_WITH_PARAMETERS = frozenset(row.name for row in VOCABULARY.values() if row.parameters) | {"pow"}


def _parameters(node: Any) -> dict[str, float]:
    """An op's plain numbers; those that are absent are left to the vocabulary's defaults."""
    given = dict(getattr(node, "parameters", None) or {})
    for name, x in given.items():
        if isinstance(x, str) and x != "none":
            raise ValueError(f"{node.op} with {name}={x!r} is not in the vocabulary")
    return {name: float(x) for name, x in given.items() if isinstance(x, (int, float))}


def reachable(root: Any) -> list[Any]:
    """Every node that leads to the root, once, oldest first; without recursion."""
    found = {id(root): root}
    stack = [root]
    while stack:
        for parent in stack.pop().parents:
            if id(parent) not in found:
                found[id(parent)] = parent
                stack.append(parent)
    return sorted(found.values(), key=attrgetter("number"))
