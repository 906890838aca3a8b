"""Small reports, made by hand."""

from __future__ import annotations

from typing import Any

from oracle.report import CaseResult, Cause, OpResult, Report, SubjectInfo


def cause(**fields: Any) -> Cause:
    ordinary: dict[str, Any] = {
        "kind": "derivative", "severity": "wrong", "demanded": True, "op": "mul", "operand": 0, "form": None,
        "mistake": "sign", "message": "mul pushes the negative of the gradient", "file": "engine.py", "line": 31,
        "cases": ("graph/square",), "wrong_numbers": 5, "example": None, "hints": ("", "", ""),
    }  # fmt: skip
    return Cause(**(ordinary | fields))


def report(*causes: Cause, cases: dict[str, str] | None = None, **fields: Any) -> Report:
    """A report of these causes. `cases`: name → outcome; where causes blame a case, it carries their indices."""
    outcomes = cases or {"forward/mul": "pass", "graph/square": "fail" if causes else "pass"}
    results = tuple(
        CaseResult(
            name,
            name.partition("/")[0],
            outcome,
            tuple(i for i, c in enumerate(causes) if name in c.cases),
        )
        for name, outcome in outcomes.items()
    )
    ordinary: dict[str, Any] = {
        "subject": SubjectInfo("engine.py:Value", "engine.py", "python", "3f2a", "engine.py"),
        "oracle": "0.1.0", "suite": "1", "reference": "2.13.0", "isolation": "weak", "profile": "lecture",
        "seed": "", "seconds": 0.8, "exit_code": int(any(c.demanded for c in causes)), "causes": causes,
        "cases": results, "unexplained": 0,
        "ops": {"mul": OpResult(True, True, 0.0, 0.0), "exp": OpResult(True, True, 1.0, 2.0), "log": OpResult(False)},
    }  # fmt: skip
    return Report(**(ordinary | fields))
