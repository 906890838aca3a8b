"""The example of a network's defect: its first wrong number, and lines to paste that show it."""

from __future__ import annotations

import re
import textwrap

from oracle.judge.network.asked import Asked, at
from oracle.judge.network.expected import Expected
from oracle.listing import backward, read
from oracle.report import Example
from oracle.subjects import Subject

WIDTH = 88
"""Characters in a line of code."""


def example(subject: Subject, a: Asked, expected: Expected) -> Example | None:
    """An output that is wrong, else a gradient; None where nothing is."""
    lines = _forward(subject, a)
    for n in expected.wrong_outputs(a)[:1]:
        right = expected.outputs[n]
        shown = "out" if len(expected.outputs) == 1 else f"out[{n}]"
        lines.append(read("data", subject.found, shown, "loss"))
        return Example(
            a.case.name, expected.program, shown, "data", a.answer.outputs[n], right, right, "\n".join(lines)
        )
    for slot in expected.wrong_gradients(a)[:1]:
        yours, owed = at(a.answer.gradients, slot), at(expected.grad, slot)
        outs = ["out"] if len(expected.outputs) == 1 else [f"out[{n}]" for n in range(len(expected.outputs))]
        terms = [f"{out}*{out}" if a.network.loss == "squares" else out for out in outs]
        lines += [f"loss = {' + '.join(terms)}", *backward(subject.found, "loss")]
        shown = (
            f"net.{a.answer.lister}[{a.parameters.index(slot)}]" if a.answer.lister else f"({a.name(slot)})"
        )
        lines.append(read("grad", subject.found, shown, "loss"))
        return Example(a.case.name, expected.program, shown, "grad", yours, owed, owed, "\n".join(lines))
    return None


def _forward(subject: Subject, a: Asked) -> list[str]:
    """Make the network, give it the parameters of the case, and compute."""
    made = subject.found.get("network", "MLP(inputs, [sizes])")
    name, _, shape = made.partition("(")
    first, *rest = a.network.sizes
    given = {"inputs, [sizes])": f"{first}, {rest}", "[sizes])": f"{[first, *rest]}"}.get(shape)
    lines = [f"net = {name}({given or ', '.join(map(str, a.network.sizes))})"]
    if a.answer.lister:
        values = ", ".join(repr(at(a.network.parameters, s)) for s in a.parameters)
        lines += textwrap.wrap(f"numbers = [{values}]", WIDTH, subsequent_indent="           ")
        lines.append(f"for p, x in zip(net.{a.answer.lister}, numbers):")
        lines.append(f"    p.{subject.found.get('data', 'data')} = x")
    else:
        lines.append(f"# its parameters: the leaves in `oracle suite show {a.case.name}`")
    make = subject.found.get("constructor", "Value(x)")
    inputs = ", ".join(re.sub(r"\bx\b", repr(x), make) for x in a.network.inputs)
    lines.append(f"out = net([{inputs}])")
    return lines
