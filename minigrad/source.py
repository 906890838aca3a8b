"""From a recording to straight-line Python: a line for every value, then a line for every gradient that it owes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from minigrad.engine import FORWARD, VJPS
from minigrad.inline import INLINE
from minigrad.recording import Recording, Step
from minigrad.rules import PARAMETRISED

TERMS = 100
"""Terms in one line: Python's parser is recursive."""

INDENT = "    "


class Dot(NamedTuple):
    """A dot's gradient, by name; the gradients of parameters to which it alone owes something; their lines."""

    gradient: str
    targets: list[str]
    lines: list[str]


def any_negative_zero(*numbers: float) -> bool:
    """Whether one of them is -0.0."""
    return any(x == 0.0 and math.copysign(1.0, x) < 0.0 for x in numbers)


class Source:
    """The lines of a recording, and what they refer to.

    forward     lines for the data of every step
    backward    lines for the gradients, given that of the first result in `seed`
    targets     places of the parameters that get a gradient, whose names are in `gradients`
    parameters  the names of all parameters' data
    pattern     of the inputs, to assign to
    names       what the lines mention besides
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.steps = recording.steps
        self.names: dict[str, Any] = {
            "inf": math.inf,
            "nan": math.nan,
            "tanh": math.tanh,
            "any_negative_zero": any_negative_zero,
        }
        self.data = [self._name(i, step) for i, step in enumerate(self.steps)]
        self.parameters = [self.data[i] for i, step in enumerate(self.steps) if step.op == "parameter"]
        self.needed = self._needed()
        self.targets = [i for i, step in enumerate(self.steps) if step.op == "parameter" and self.needed[i]]
        self.gradients = [f"g{i}" for i in self.targets]
        self.forward = [line for i, step in enumerate(self.steps) for line in self._forward(i, step)]
        self.backward, _ = self._backward()
        inputs = count()
        self.pattern = _pattern(recording.shape, inputs)
        self.conversions = [f"i{k} = float(i{k})" for k in range(next(inputs))]

    def replay(self) -> str:
        """A generator of one row: it yields the results, and then, for each seed sent, the gradients."""
        return "\n".join(
            [
                "def replay(parameters, inputs):",
                *self._indented(
                    1, [*self._unpacked(), f"{self.pattern} = inputs", *self.conversions, *self.forward]
                ),
                *self._indented(1, [f"answer = {self._results()}", "while True:"]),
                *self._indented(2, ["seed = yield answer", *self._zeros(), *self.backward]),
                *self._indented(2, [f"answer = {_tuple(self.gradients)}"]),
            ]
        )

    def loop(self) -> str:
        """A function of many rows: the results of each, and the gradients of their sum. The last row comes first,
        as it does in the graph of a sum.

        Of many a row a relu passes nothing on, and all that a dot adds to its parameters are zeros. These are left
        out where they change nothing, which is where all operands are finite (else the dot is not), and no gradient
        is -0.0 any more: the zero that the other one turns into itself.
        """
        backward, dots = self._backward(apart=True)
        for i, dot in dots.items():
            backward.append(f"if {dot.gradient} or fresh{i} or {self.data[i]} - {self.data[i]}:")
            backward += self._indented(1, dot.lines)
            backward.append(f"{INDENT}fresh{i} = fresh{i} and any_negative_zero({', '.join(dot.targets)})")
        return "\n".join(
            [
                "def loop(parameters, rows, seed):",
                *self._indented(1, [*self._unpacked(), *self._zeros()]),
                *self._indented(1, [*(f"fresh{i} = True" for i in dots), "results = []"]),
                *self._indented(1, [f"for {self.pattern} in reversed(rows):"]),
                *self._indented(2, [*self.conversions, *self.forward, *backward]),
                *self._indented(2, [f"results.append({self._results()})"]),
                *self._indented(1, ["results.reverse()", f"return results, {_tuple(self.gradients)}"]),
            ]
        )

    def _name(self, i: int, step: Step) -> str:
        match step.op:
            case "input":
                return f"i{step.plain[0]}"
            case "parameter":
                return f"p{i}"
            case "constant":
                x = float.fromhex(step.plain[0])
                return repr(x) if math.copysign(1.0, x) > 0 else f"({x!r})"
        return f"v{i}"

    def _needed(self) -> list[bool]:
        """For every step, whether it leads from a parameter to the first result."""
        from_parameter: list[bool] = []
        for step in self.steps:
            from_parameter.append(step.op == "parameter" or any(from_parameter[i] for i in step.operands))
        to_result = [False] * len(self.steps)
        to_result[self.recording.results[0]] = True
        for i in reversed(range(len(self.steps))):
            if to_result[i]:
                for operand in self.steps[i].operands:
                    to_result[operand] = True
        return [x and y for x, y in zip(from_parameter, to_result, strict=True)]

    def _forward(self, i: int, step: Step) -> Iterator[str]:
        """The lines that compute one value."""
        y, x = self.data[i], [self.data[operand] for operand in step.operands]
        if step.op in ("dot", "sum"):
            terms = x if step.op == "sum" else _products(x, step.plain[0])
            yield from _sum(y, terms)
        elif (key := _key(step)) in INLINE:
            yield f"{y} = {INLINE[key][0].format(*x)}"
        elif step.op not in ("input", "parameter", "constant"):
            rule = PARAMETRISED[step.op].forward if _is_parametrised(step) else FORWARD[step.op]
            yield f"{y} = {self._call(f'{step.op}_{len(x)}', rule, [*x, *map(repr, step.plain)])}"

    def _backward(self, apart: bool = False) -> tuple[list[str], dict[int, Dot]]:
        """The lines of all gradients, newest step first: each is complete when its step is reached. With `apart`,
        those of parameters to which one dot, and nothing else, owes something are not among them, but by that dot's
        place."""
        lines: list[str] = []
        dots: dict[int, Dot] = {}
        owed: list[list[str]] = [[] for _ in self.steps]  # what each step gets
        owing: list[list[int]] = [[] for _ in self.steps]  # from which steps
        for i in self.targets:
            owed[i].append(f"g{i}")  # added to
        owed[self.recording.results[0]].append("seed")
        for i in reversed(range(len(self.steps))):
            if not self.needed[i]:
                continue
            g, terms = f"g{i}", owed[i]
            if len(terms) == 1 and terms[0].isidentifier():
                (g,) = terms  # handed on as it is: no line at all
            elif self.steps[i].op == "relu" and len(terms) <= TERMS and not any(" if " in x for x in terms):
                g = f"({' + '.join(terms)})"  # read once or, where relu is flat, never: half of a network's sums
            elif (
                apart and self.steps[i].op == "parameter" and [self.steps[k].op for k in owing[i]] == ["dot"]
            ):
                dot = dots[owing[i][0]]
                dot.targets.append(g)
                dot.lines.extend(_sum(g, terms))
            else:
                lines.extend(_sum(g, terms))
            if self.steps[i].op == "dot":
                dots[i] = Dot(g, [], [])
            for operand, expression in self._contributions(i, g):
                owed[operand].append(expression)
                owing[operand].append(i)
        return lines, {i: dot for i, dot in dots.items() if dot.targets}

    def _contributions(self, i: int, g: str) -> Iterator[tuple[int, str]]:
        """What step i owes each operand, in the engine's order."""
        step = self.steps[i]
        x = [self.data[operand] for operand in step.operands]
        if step.op == "sum":
            yield from ((operand, g) for operand in step.operands)
        elif step.op == "dot":
            left = step.plain[0]
            size = len(x) - left
            if left > size:
                yield step.operands[0], g
            for k in reversed(range(size)):
                a, b = left - size + k, left + k
                yield step.operands[a], f"{g} * {x[b]}"
                yield step.operands[b], f"{g} * {x[a]}"
        elif (key := _key(step)) in INLINE:
            for operand, template in zip(step.operands, INLINE[key][1:], strict=True):
                yield operand, template.format(*x, g=g, y=self.data[i])
        elif step.operands:
            vjps = PARAMETRISED[step.op].vjps if _is_parametrised(step) else VJPS[step.op]
            for slot, (operand, vjp) in enumerate(zip(step.operands, vjps, strict=True)):
                arguments = [g, self.data[i], *x, *map(repr, step.plain)]
                yield operand, self._call(f"{step.op}_{len(x)}_{slot}", vjp, arguments)

    def _call(self, name: str, function: Any, arguments: list[str]) -> str:
        self.names[name] = function
        return f"{name}({', '.join(arguments)})"

    def _results(self) -> str:
        names = [self.data[i] for i in self.recording.results]
        return _tuple(names) if self.recording.several else names[0]

    def _unpacked(self) -> list[str]:
        return [f"{_tuple(self.parameters)} = parameters"]

    def _zeros(self) -> list[str]:
        return [f"{g} = -0.0" for g in self.gradients]  # the zero that leaves every number as it is

    def _indented(self, depth: int, lines: list[str]) -> list[str]:
        return [INDENT * depth + line for line in lines]


def _pattern(shape: Any, places: Iterator[int]) -> str:
    """Nested names to assign the inputs to, numbered in order."""
    if shape is None:
        return f"i{next(places)}"
    return _tuple([_pattern(item, places) for item in shape])


def _tuple(names: list[str]) -> str:
    return f"({', '.join(names)}{',' * (len(names) == 1)})"


def _sum(name: str, terms: list[str]) -> Iterator[str]:
    """The lines that add terms up, from the left."""
    yield f"{name} = {' + '.join(terms[:TERMS])}"
    for k in range(TERMS, len(terms), TERMS):
        yield f"{name} = {name} + {' + '.join(terms[k : k + TERMS])}"


def _products(x: list[str], left: int) -> list[str]:
    """The terms of a dot whose first row has `left` operands, among them the start when it is the longer one."""
    start = x[: 2 * left - len(x)]
    return start + [f"{a} * {b}" for a, b in zip(x[len(start) : left], x[left:], strict=True)]


def _key(step: Step) -> str:
    """The op's name in INLINE."""
    return f"{step.op}({step.plain[0]!r})" if step.op == "pow" and step.plain else step.op


def _is_parametrised(step: Step) -> bool:
    """Whether the op's rule is in the table of those with plain numbers."""
    return bool(step.plain) or step.op not in FORWARD
