"""Reports made by hand, and hostile text for every field of one.

The numbers of an example come from a calculator of twenty lines with one rule replaced, not from the judge.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from oracle.floats import same
from oracle.program import Num, Program
from oracle.report import CaseResult, Cause, Example, OpResult, Push, Report, Row, SubjectInfo

# A rule: the value of an op, and the slope towards each operand.
Rule = tuple[Callable[..., float], tuple[Callable[..., float], ...]]

RULES: Mapping[str, Rule] = {
    "add": (lambda a, b: a + b, (lambda a, b: 1.0, lambda a, b: 1.0)),
    "mul": (lambda a, b: a * b, (lambda a, b: b, lambda a, b: a)),
    "tanh": (math.tanh, (lambda a: 1 - math.tanh(a) ** 2,)),
}

SYMBOLS = {"add": "+", "mul": "*"}


def compute(
    program: Program, rules: Mapping[str, Rule], overwrites: str = ""
) -> tuple[list[float], list[float], list[float]]:
    """Data, gradients, and the gradients that the right rules owe at these very numbers; `overwrites` names
    an op that assigns gradients instead of adding to them."""
    data = list(program.inputs)
    for _, node in program.nodes():
        data.append(rules[node.op][0](*program.operand_data(node, data)))
    grad, owed = ([float(i == program.root) for i in range(len(program))] for _ in range(2))
    for value, node in reversed(list(program.nodes())):
        point = program.operand_data(node, data)
        for slot, i in enumerate(node.operands):
            if i >= 0:
                owed[i] += RULES[node.op][1][slot](*point) * grad[value]
                push = rules[node.op][1][slot](*point) * grad[value]
                grad[i] = push if node.op == overwrites else grad[i] + push
    return data, grad, owed


def example(
    case: str,
    program: Program,
    rules: Mapping[str, Rule] = RULES,
    *,
    node: str,
    what: str = "grad",
    overwrites: str = "",
) -> Example:
    """What a judge would say about the program on an engine with these rules."""
    data, grad, owed = compute(program, rules, overwrites)
    good, slope, _ = compute(program, RULES)
    faulty = {op for op in RULES if rules[op] is not RULES[op]} | {overwrites}
    own = list(program.inputs)
    own += [RULES[op.op][0](*program.operand_data(op, data)) for _, op in program.nodes()]
    wrong = {i for i in range(len(program)) if not same(grad[i], owed[i])}
    edges = [
        (user, slot, i)
        for user, op in program.nodes()
        for slot, i in enumerate(op.operands)
        if op.op in faulty and i in wrong
    ]
    culprits = {user for user, _, _ in edges} | {i for i, x in enumerate(data) if not same(x, own[i])}
    rows = []
    for i in range(len(program)):
        values = (data[i], grad[i], own[i], owed[i], good[i], slope[i])
        verdicts = (
            "match" if same(data[i], good[i]) else "inherited" if same(data[i], own[i]) else "wrong",
            "wrong" if i in wrong else "match" if same(grad[i], slope[i]) else "inherited",
        )
        rows.append(Row(i, program.name(i), expression(program, i), *values, *verdicts, i in culprits))
    row = next(row for row in rows if row.node == node)
    numbers = [getattr(row, f"{side}{what}") for side in ("", "local_", "global_")]
    pushes = [Push(user, slot, grad[i], owed[i]) for user, slot, i in edges if program.operands.count(i) == 1]
    return Example(
        case, program, node, what, *numbers, paste(program, node, what), tuple(rows), tuple(pushes)
    )


def expression(program: Program, value: int) -> str:
    op = program.producer(value)
    if op is None:
        return ""
    names = [operand(program, i) for i in op.operands]
    return f" {SYMBOLS[op.op]} ".join(names) if op.op in SYMBOLS else f"{op.op}({names[0]})"


def operand(program: Program, code: int) -> str:
    return program.name(code) if code >= 0 else repr(program.numbers[~code])


def paste(program: Program, node: str, what: str) -> str:
    lines = [f"{program.name(i)} = Value({x!r})" for i, x in enumerate(program.inputs)]
    for value, op in program.nodes():
        names = [operand(program, i) for i in op.operands]
        right = expression(program, value) if op.op in SYMBOLS else f"{names[0]}.{op.op}()"
        lines.append(f"{program.name(value)} = {right}")
    return "\n".join(
        [*lines, f"{program.name(program.root)}.backward()", f"{node}.{what}  # 0, where 1 is right"]
    )


def cause(**fields: Any) -> Cause:
    """A cause with these fields and ordinary ones for the rest."""
    ordinary: dict[str, Any] = {
        "kind": "derivative", "severity": "wrong", "demanded": True, "op": "mul", "operand": None, "form": None,
        "mistake": None, "message": "mul pushes a wrong gradient", "file": "engine.py", "line": 31,
        "cases": ("scalar/mul",), "wrong_numbers": 5, "example": None, "hints": ("", "", ""),
    }  # fmt: skip
    return Cause(**(ordinary | fields))


# The examples that are drawn -----------------------------------------------------------------------------------

SQUARE = Program.build([3.0], [("mul", (0, 0))], labels={0: "a", 1: "L"})
EXPRESSION = Program.build(
    [2.0, -3.0, 10.0, -2.0],
    [("mul", (0, 1)), ("add", (4, 2)), ("mul", (5, 3))],
    labels={0: "a", 1: "b", 2: "c", 3: "f", 4: "e", 5: "d", 6: "L"},
)
AFFINE = Program.build(
    [1.5, 0.25], [("mul", (0, Num(2))), ("add", (2, 1)), ("tanh", (3,))],
    labels={0: "a", 1: "b", 2: "c", 3: "d", 4: "L"},
)  # fmt: skip


def network(layers: Sequence[int], squares: bool = False) -> Program:
    """A tanh network of these widths, unrolled; every weight and bias is a leaf. With `squares` the hidden
    layers square instead, so that tanh occurs once."""
    inputs: list[float] = []
    names: dict[int, str] = {}

    def leaf(name: str, x: float) -> tuple[str, int]:
        names[len(inputs)] = name
        inputs.append(x)
        return ("leaf", len(inputs) - 1)

    nodes: list[tuple[str, tuple[Any, ...], str]] = []
    here: list[tuple[str, int]] = [leaf(f"x{i}", 0.5 - 0.3 * i) for i in range(layers[0])]

    def node(op: str, args: tuple[Any, ...], name: str) -> tuple[str, int]:
        nodes.append((op, args, name))
        return ("node", len(nodes) - 1)

    for k, width in enumerate(layers[1:], 1):
        outs = []
        for j in range(width):
            total = leaf(f"h{k}.{j}.b", 0.1 * j)
            for i, x in enumerate(here):
                weight = leaf(f"h{k}.{j}.w{i}", math.cos(1.0 + k + 2 * j + 3 * i))
                term = node("mul", (weight, x), f"h{k}.{j}.m{i}")
                total = node("add", (total, term), f"h{k}.{j}.s{i}")
            square = squares and k < len(layers) - 1
            outs.append(
                node("mul", (total, total), f"h{k}.{j}") if square else node("tanh", (total,), f"h{k}.{j}")
            )
        here = outs
    first = len(inputs)
    at = {"leaf": 0, "node": first}
    rows = [(op, tuple(at[kind] + i for kind, i in args)) for op, args, _ in nodes]
    labels = names | {first + k: name for k, (_, _, name) in enumerate(nodes)}
    return Program.build(inputs, rows, labels=labels)


def overwrite() -> Cause:
    """`=` for `+=` in mul, on a*a."""
    return cause(
        kind="accumulation", op="mul", mistake="overwrite",
        message="mul overwrites its operand's gradient instead of adding to it.",
        cases=("accumulate/square", "accumulate/cube", "network/neuron"), wrong_numbers=37,
        example=example("accumulate/square", SQUARE, node="a", overwrites="mul"),
        hints=(
            "What happens to a.grad when a is used twice?",
            "A value used twice gets a gradient from each use, and they add up.",
            "Write += where mul assigns to .grad.",
        ),
    )  # fmt: skip


def dropped() -> Cause:
    """mul's left rule without its upstream gradient, on (a*b + c) * f."""
    rules = {**RULES, "mul": (RULES["mul"][0], (lambda a, b: 1.0, RULES["mul"][1][1]))}
    return cause(
        operand=0, mistake="operand dropped", message="mul pushes the upstream gradient alone to its left operand.",
        example=example("graphs/expression", EXPRESSION, rules, node="d"), wrong_numbers=5,
        hints=("What is the derivative of a*b by a?", "It is b, times the upstream gradient.", "other.data * out.grad"),
    )  # fmt: skip


def leaky() -> Cause:
    """tanh computes a wrong value, under a constant operand."""
    rules = {**RULES, "tanh": (lambda a: math.tanh(a) * (1 + 1e-9), RULES["tanh"][1])}
    return cause(
        kind="forward", op="tanh", message="tanh(x) is wrong by a factor of 1.000000001.", line=52,
        example=example("unary/tanh", AFFINE, rules, node="L", what="data"), wrong_numbers=1,
    )  # fmt: skip


def large(layers: Sequence[int] = (4, 6, 5, 1), squares: bool = False) -> Cause:
    """A wrong tanh derivative in a network of a few hundred values."""
    program = network(layers, squares)
    blamed = f"h{len(layers) - 1}.{layers[-1] - 1}" if squares else "h2.1"
    wrong = next(value for value, name in program.labels if name == blamed)
    found = example("network/mlp", program, {**RULES, "tanh": (math.tanh, (lambda a: 1 + math.tanh(a) ** 2,))},
                    node=program.name(wrong - 1))  # fmt: skip
    return cause(
        op="tanh", operand=0, mistake="sign", message="tanh pushes 1 + t² where the derivative is 1 − t².",
        line=44, example=found, wrong_numbers=sum(r.grad_verdict != "match" for r in found.table),
        cases=("network/mlp", "network/neuron", "unary/tanh"),
    )  # fmt: skip


# Reports -------------------------------------------------------------------------------------------------------


def report(*causes: Cause, **fields: Any) -> Report:
    """A report of these causes: a case that fails for each, a few that pass, some that are not offered."""
    cases = [CaseResult(f"scalar/{op}", "scalar", "pass") for op in ("add", "sub", "neg")]
    cases += [
        CaseResult(c.cases[0], c.cases[0].partition("/")[0], "fail" if c.demanded else "policy", (i,))
        for i, c in enumerate(causes)
        if c.severity != "missing"
    ]
    cases += [
        CaseResult(name, name.partition("/")[0], "explained", (i,))
        for i, c in enumerate(causes)
        for name in c.cases[1:]
    ]
    cases.append(CaseResult("unary/sigmoid", "unary", "unsupported", detail="sigmoid"))
    ordinary: dict[str, Any] = {
        "subject": SubjectInfo("engine.py:Value", "engine.py", "python", "3f2a" * 16, "engine.py", {"data": "data"}),
        "oracle": "0.1.0", "suite": "1", "reference": "2.13.0", "isolation": "strict", "profile": "lecture",
        "seed": "7", "options": ("--seed", "7"), "seconds": 0.8, "causes": causes,
        "exit_code": int(any(c.demanded for c in causes)), "cases": tuple(cases),
        "ops": {
            "add": OpResult(True, True), "sub": OpResult(True, True), "mul": OpResult(True, True),
            "tanh": OpResult(True, True, 1.0, 2.0), "relu": OpResult(True, False), "sigmoid": OpResult(False),
        },
        "unexplained": 0, "conventions": {"relu at 0": "0, as PyTorch"}, "notes": (), "error": None,
    }  # fmt: skip
    return Report(**(ordinary | fields))


def faulty() -> Report:
    """Every kind of finding at once."""
    return report(
        overwrite(),
        dropped(),
        leaky(),
        cause(kind="missing", severity="missing", demanded=False, op="sub", form="number-value",
              message="no __rsub__", line=None, wrong_numbers=0, cases=("scalar/rsub",)),
        cause(kind="lifecycle", severity="policy", demanded=False, op=None, policy="second-backward", wrong_numbers=0,
              message="A second backward adds stale gradients.", cases=("steps/twice",)),
        cause(kind="forward", severity="imprecise", demanded=False, op="tanh", message="tanh near 0 loses 9 digits",
              line=51, cases=("edges/tanh",), wrong_numbers=2),
        unexplained=2,
        notes=("The engine printed 14 lines; they are not shown.",),
    )  # fmt: skip


def correct() -> Report:
    """An engine that conforms, with a policy."""
    return report(
        cause(kind="raises", severity="policy", demanded=False, op="log", policy="domain", wrong_numbers=0,
              message="log(-1) raises ValueError where PyTorch returns nan", cases=("edges/log",), line=60)
    )  # fmt: skip


def unusable() -> Report:
    """A subject that could not be tested at all."""
    return report(exit_code=3, cases=(), ops={}, error="engine.py, line 3: SyntaxError: '(' was never closed")


# Hostile text --------------------------------------------------------------------------------------------------

HOSTILE = (
    "]]></failure>",
    "</script><script>alert(1)</script>",
    "\n::error file=x::owned",
    "\r\n  ::add-mask::x\n##[error]owned\n##vso[task.setvariable variable=x]y",
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x9b1m",
    "\x00\x08\x7f",
    "\ud800 lone \udfff",
    "<b onmouseover=alert(1)>&amp;\"'</b>",
    "\u202egpj.exe\u2066",
    "[[ATTACHMENT|/etc/passwd]]",
    "```\n# heading\n| a | b |\n<img src=x onerror=alert(1)> [x](javascript:alert(1)) @everyone",
    "\n```\n~~~\n</pre>\n-->\n",
    "{{ 7*7 }} {% raw %} [bold]x[/bold] %0A \\N \\G \\L -> ; } label=<b>",
    "\ufffe\uffff\U0001ffff\u2028\u2029",
)


def hostile(text: str) -> Report:
    """The faulty report with the text in every field that a subject can write."""
    return poison(faulty(), text)  # type: ignore[no-any-return]


# What the oracle itself writes, from fixed lists.
_OURS = {
    "kind", "severity", "outcome", "what", "data_verdict", "grad_verdict", "ops", "level", "oracle", "suite",
    "reference", "isolation", "profile", "seed", "language", "sha256", "score", "withheld",
}  # fmt: skip


def poison(x: Any, text: str) -> Any:
    if isinstance(x, str):
        return x + text
    if isinstance(x, Program):
        return dataclasses.replace(x, labels=tuple((i, name + text) for i, name in x.labels))
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        fields = {f.name: getattr(x, f.name) for f in dataclasses.fields(x)}
        fresh = {name: old if name in _OURS else poison(old, text) for name, old in fields.items()}
        return dataclasses.replace(x, **fresh)
    if isinstance(x, tuple):
        return tuple(poison(y, text) for y in x)
    if isinstance(x, dict):
        return {key: poison(value, text) for key, value in x.items()}
    return x


def commands(text: str) -> list[str]:
    """The lines that a CI runner would obey: GitHub's `::command::` and `##[command]`, Azure's `##vso[…]`."""
    lines = text.replace("\r", "\n").split("\n")
    return [line for line in lines if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)]
