"""The suite as plain JSON, with PyTorch's answers: for any language, and for reading."""

from __future__ import annotations

import json

from oracle import suite, torch_reference
from oracle.case import Case
from oracle.floats import short
from oracle.listing import code
from oracle.suite import golden


def export() -> str:
    """Every case with its program, steps and expected observations; floats as C99 hex strings."""
    return json.dumps(
        {
            "schema": "oracle/suite/1",
            "suite": suite.VERSION,
            "reference": {"name": "torch", "version": torch_reference.version()},
            "levels": suite.LEVELS,
            "cases": [_case(case) for case in suite.cases()],
        },
        indent=1,
        allow_nan=False,
    )


def _case(case: Case) -> dict[str, object]:
    expected = golden.expected(case) or torch_reference.run(case)
    return {
        "name": case.name,
        "level": case.level,
        "reason": case.reason,
        "policy": case.policy,
        **case.to_json(),
        "expected": [seen.to_json() for seen in expected],
    }


def show(case: Case) -> str:
    """One case for a reader: what it is for, its lines, its steps, and what PyTorch gets."""
    lines = [f"{case.name}: {case.reason}", "", code(case, {}), ""]
    for number, seen in enumerate(golden.expected(case) or torch_reference.run(case), 1):
        lines.append(f"PyTorch, look {number}:")
        for i, (data, grad) in enumerate(zip(seen.data, seen.grad, strict=True)):
            g = "none" if grad is None else short(grad)
            lines.append(f"  {case.program.name(i):<8} data {short(data):<22} grad {g}")
    return "\n".join(lines)
