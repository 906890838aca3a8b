"""Programs as lines to read and to paste: expressions, and Python in an engine's own spelling."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

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
    lines = [found["beside"]] if "beside" in found else []
    lines += [
        f"{_variable(program, i)} = " + re.sub(r"\bx\b", _literal(x), make)
        for i, x in enumerate(program.inputs)
        if only[i] or len(program.inputs) < 6
    ]
    computing = [
        f"{_variable(program, k)} = {_call(program, node, found)}" for k, node in program.nodes() if only[k]
    ]
    lines += computing
    totals = _Totals(found, shown if not computed else None, roots)
    needed, at = case.steps, program.root
    if computed and not any(isinstance(s, Rebuild) for s in case.steps):
        needed = ()
    for step in needed:
        match step:
            case Backward(value):
                at = value
                lines += backward(found, _variable(program, value))
                lines += totals.add(program, value)
            case Zero(values):
                lines += totals.zero(program, [i for i in values if only[i]])
            case Seed(value):
                lines.append(f"{_variable(program, value)}.{found.get('gradient', 'grad')} = 1.0")
            case Set(value, x):
                lines.append(f"{_variable(program, value)}.{found.get('data', 'data')} = {_literal(x)}")
            case Rebuild():
                lines += computing
                totals.rebuild(program)
            case Observe():
                continue
    if shown is not None:
        names = _variable(program, shown[0]), _variable(program, at)
        lines.append(TOTAL if totals.kept else read(shown[1], found, *names))
    return "\n".join(lines)


TOTAL = "total"
"""The variable that a listing sums gradients up in, where an engine does not."""


class _Totals:
    """Gradients over several backwards. Most engines add them up, and are told to begin at 0 again; where a gradient is
    what a call gives, the lines add up the one that is shown."""

    def __init__(self, found: Mapping[str, str], shown: tuple[int, str] | None, roots: Sequence[int]) -> None:
        self.found, self.left = found, len(roots)
        self.given = "sums" in found
        self.value = shown[0] if shown is not None else -1
        self.kept = self.given and self.value >= 0 and len(roots) > 1
        self.begun = False

    def add(self, program: Program, root: int) -> list[str]:
        """After a backward."""
        if not self.kept:
            return []
        name = _variable(program, self.value)
        asked = read("grad", self.found, name, _variable(program, root))
        lines = [f"{TOTAL} {'+=' if self.begun else '='} {asked}"]
        self.begun, self.left = True, self.left - 1
        if self.left and "reset" in self.found:
            lines.append(_about(self.found["reset"], name, ""))
        return lines

    def zero(self, program: Program, values: Sequence[int]) -> list[str]:
        if self.given:
            return [f"{TOTAL} = 0.0"] if self.kept and self.value in values else []
        return [f"{_variable(program, i)}.{self.found.get('gradient', 'grad')} = 0.0" for i in values]

    def rebuild(self, program: Program) -> None:
        """What is computed anew has had no gradient yet."""
        if self.value >= len(program.inputs):
            self.begun = False


def backward(found: Mapping[str, str], root: str) -> list[str]:
    """The line that back-propagates from a root of this name; none in an engine where each value is only asked."""
    spelled = found.get("backward", "root.backward()")
    return [re.sub(r"\broot\b", root, spelled)] if "root" in spelled else []


def read(what: str, found: Mapping[str, str], value: str, root: str) -> str:
    """How "data" or "grad" of a value of this name is read, after backward from the root."""
    spelled = found.get("data", "data") if what == "data" else found.get("gradient", "grad")
    return _about(spelled, value, root)


def stored(what: str, found: Mapping[str, str]) -> str:
    """The last name by which "data" or "gradient" is stored or asked for: "grad" of `grad`, `a.grad()`, `box.grad`."""
    return found.get(what, what if what == "data" else "grad").removesuffix("()").rpartition(".")[2]


def _about(spelled: str, value: str, root: str) -> str:
    """An attribute of a value, or of a box that it keeps; or an expression in `a` and `root`, with these for them."""
    if re.fullmatch(r"[\w.]+", spelled):
        return f"{value}.{spelled}"
    return re.sub(r"\b(?:a|root)\b", lambda found: value if found[0] == "a" else root, spelled)


def _variable(program: Program, i: int) -> str:
    return re.sub(r"\W", "_", program.name(i))


def _literal(x: float) -> str:
    return repr(x) if math.isfinite(x) else f"float({str(x)!r})"


def _call(program: Program, node: Node, found: Mapping[str, str]) -> str:
    names = [_variable(program, i) if i >= 0 else repr(program.numbers[~i]) for i in node.operands]
    row = VOCABULARY[node.op]
    last = max((list(row.parameters).index(name) for name in node.parameters), default=-1)
    names += [repr(node.parameters.get(name)) for name in list(row.parameters)[: last + 1]]
    spelling = found.get(node.op, f"a.{node.op}()" if row.symbol is None else "")
    if row.symbol is not None and not spelling.endswith(")"):
        return f"{row.symbol}{names[0]}" if row.arity == 1 else f"{names[0]} {row.symbol} {names[1]}"
    if spelling.startswith("__"):  # called by a function of Python's: abs(a)
        return f"{spelling.strip('_')}({', '.join(names)})"
    if spelling.startswith("a."):
        return f"{names[0]}.{spelling[2:].partition('(')[0]}({', '.join(names[1:])})"
    listed = "[" in spelling
    return f"{spelling.partition('(')[0]}({'[' * listed}{', '.join(names)}{']' * listed})"
