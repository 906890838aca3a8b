"""Programs as lines to read and to paste: expressions, and Python in an engine's own spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from oracle.case import Backward, Case, Observe, Rebuild, Seed, Set, Zero
from oracle.program import Node, Program
from oracle.vocabulary import VOCABULARY


def expression(program: Program, node: Node) -> str:
    """How a node is made, by the names of its operands: "a * b", "tanh(x)", "-a"."""
    parts = [program.name(i) if i >= 0 else _number(program.numbers[~i]) for i in node.operands]
    row = VOCABULARY[node.op]
    if row.symbol is None or node.parameters:
        return f"{node.op}({', '.join(parts + [f'{k}={v:g}' for k, v in node.parameters.items()])})"
    if row.arity == 1:
        return f"{row.symbol}{parts[0]}"
    return f"{parts[0]} {row.symbol} {parts[1]}"


def _number(x: int | float) -> str:
    return repr(x)


def code(
    case: Case, found: Mapping[str, str], shown: tuple[int, str] | None = None, whole: bool = False
) -> str:
    """Python lines that do a case with an engine's own class.

    found  the engine's spellings, as the adapter reports them; micrograd's where they are missing
    shown  (value, "data" or "grad") that the last line reads: what it does not need is left out, unless `whole`
    """
    program = case.program
    roots = [step.value for step in case.steps if isinstance(step, Backward)] or [program.root]
    computed = shown is not None and shown[1] == "data" and not whole
    if shown is not None and computed:
        roots = [shown[0]]
    only = [whole or any(leads) for leads in zip(*map(program.reaches, roots), strict=True)]
    make = found.get("constructor", "Value(x)")
    lines = [
        f"{_variable(program, i)} = " + re.sub(r"\bx\b", _literal(x), make)
        for i, x in enumerate(program.inputs)
        if only[i] or len(program.inputs) < 6
    ]
    computing = [
        f"{_variable(program, k)} = {_call(program, node, found)}" for k, node in program.nodes() if only[k]
    ]
    lines += computing
    grad, data = found.get("gradient", "grad"), found.get("data", "data")
    returned = " " in grad  # kept by no value, but what backward returns
    needed = case.steps
    if computed and not any(isinstance(s, Rebuild) for s in case.steps):
        needed = ()
    for step in needed:
        match step:
            case Backward(value):
                spelled = found.get("backward", "root.backward()")
                call = re.sub(r"\broot\b", _variable(program, value), spelled)
                lines.append(f"grads = {call}" if returned else call)
            case Zero(values):
                if not returned:
                    lines += [f"{_variable(program, i)}.{grad} = 0.0" for i in values if only[i]]
            case Seed(value):
                lines.append(f"{_variable(program, value)}.{grad} = 1.0")
            case Set(value, x):
                lines.append(f"{_variable(program, value)}.{data} = {_literal(x)}")
            case Rebuild():
                lines += computing
            case Observe():
                continue
    if shown is not None:
        name = _variable(program, shown[0])
        if shown[1] == "data":
            lines.append(f"{name}.{data}")
        else:
            lines.append(f"grads[{name}]" if returned else f"{name}.{grad}")
    return "\n".join(lines)


def _variable(program: Program, i: int) -> str:
    return re.sub(r"\W", "_", program.name(i))


def _literal(x: float) -> str:
    return repr(x) if math.isfinite(x) else f"float({str(x)!r})"


def _call(program: Program, node: Node, found: Mapping[str, str]) -> str:
    names = [_variable(program, i) if i >= 0 else repr(program.numbers[~i]) for i in node.operands]
    row = VOCABULARY[node.op]
    last = max((list(row.parameters).index(name) for name in node.parameters), default=-1)
    names += [repr(node.parameters.get(name)) for name in list(row.parameters)[: last + 1]]
    if row.symbol is not None:
        return f"{row.symbol}{names[0]}" if row.arity == 1 else f"{names[0]} {row.symbol} {names[1]}"
    spelling = found.get(node.op, f"a.{node.op}()")
    if spelling.startswith("__"):  # called by a function of Python's: abs(a)
        return f"{spelling.strip('_')}({', '.join(names)})"
    if spelling.startswith("a."):
        return f"{names[0]}.{spelling[2:].partition('(')[0]}({', '.join(names[1:])})"
    return f"{spelling.partition('(')[0]}({', '.join(names)})"
