"""The mathematics of a cause, with the numbers of its example put in."""

from __future__ import annotations

from oracle.floats import short
from oracle.formulas import FORMULAS
from oracle.program import Node, Program
from oracle.report import Cause, Example, Row
from oracle.vocabulary import VOCABULARY

CHAIN = "Each operand is owed the gradient of y times the slope, added up over all its users."


def explain(cause: Cause) -> str:
    """Several lines: what the rule should be, what was computed instead, and what that gives."""
    lines = [cause.message[:1].upper() + cause.message[1:] + "."]
    if cause.file:
        lines.append(f"at {cause.file}:{cause.line}")
    lines.append("")
    if cause.op is not None:
        lines += _rule(cause)
    example = cause.example
    if example is not None and (example.table or cause.kind == "network"):
        lines += ["", f"The smallest case that shows it is {example.case}:", ""]
        lines += ["    " + line for line in example.code.splitlines()]
        lines += ["", *(_numbers(cause, example) if example.table else _number(example))]
    lines += ["", *(hint for hint in dict.fromkeys(cause.hints) if hint)]
    return "\n".join(lines).rstrip()


def _rule(cause: Cause) -> list[str]:
    formulas = FORMULAS.get(cause.op or "", ())
    out = [f"    {formula}" for formula in formulas]
    if cause.kind in ("derivative", "accumulation", "schedule"):
        out.append(f"    {CHAIN}")
    return out


def _number(example: Example) -> list[str]:
    """The number that is wrong, where the values around it are not known."""
    if example.yours is None or example.global_ is None:
        return []
    yours, right = short(example.yours, example.global_), short(example.global_, example.yours)
    return [f"    {example.node}.{example.what} is {yours}; PyTorch gets {right}."]


def _numbers(cause: Cause, example: Example) -> list[str]:
    """The equation that fails, with its numbers."""
    rows = {row.node: row for row in example.table}
    row = rows.get(example.node)
    if row is None or example.yours is None or example.local is None:
        return []
    program = example.program
    if example.what == "data":
        yours, right = short(example.yours, example.local), short(example.local, example.yours)
        node = program.producer(row.value)
        operands = "" if node is None else f" at {_operands(program, node, example)}"
        return [f"    {row.node} = {row.expression}{operands} is {right}; the engine has {yours}."]
    mine, owed = row.grad or 0.0, row.local_grad or 0.0  # of this backward alone
    yours, right = short(mine, owed), short(owed, mine)
    out = [f"    {row.node} is owed:"]
    for k, node in program.nodes():
        for slot, i in enumerate(node.operands):
            if i == row.value:
                out.append("        " + _share(program, example, k, node, slot))
    out.append(f"    in all {right}; the engine has {yours}.")
    if row.global_grad is not None and row.global_grad != owed:
        out.append(
            f"    (PyTorch gets {short(row.global_grad)} for the whole program: it has other operands there.)"
        )
    return out


def _share(program: Program, example: Example, k: int, node: Node, slot: int) -> str:
    """What one user owes: its gradient times the slope, in numbers."""
    user: Row = example.table[k]
    g = user.grad if user.grad is not None else user.local_grad
    point = program.operand_data(node, [row.data for row in example.table])
    try:
        owed = VOCABULARY[node.op].vjp[slot](g, user.data, *point, **node.parameters)
    except (ArithmeticError, ValueError, TypeError):
        return f"by {user.node} = {user.expression}, whose gradient is {short(g or 0.0)}"
    formulas = FORMULAS.get(node.op, ())
    slope = f", {formulas[slot + 1]}" if slot + 1 < len(formulas) else ""
    return f"by {user.node} = {user.expression}: {short(owed)} (its gradient {short(g or 0.0)}{slope})"


def _operands(program: Program, node: Node, example: Example) -> str:
    names = [program.name(i) if i >= 0 else "the number" for i in node.operands]
    data = program.operand_data(node, [row.data for row in example.table])
    return ", ".join(f"{name} = {short(x)}" for name, x in zip(names, data, strict=True))
