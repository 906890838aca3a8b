"""The report as JSON and back (published schema: `oracle/schema/report-1.json`).

Floats are C99 hex strings, with decimals beside them for human readers. Reading goes by the hex strings alone.
"""

from __future__ import annotations

import json
import math
from typing import Any

from oracle.floats import decimal, to_hex
from oracle.report import SCHEMA, Cause, Comparison, Example, OpResult, Report, Row, Score
from oracle.reports.clean import inert
from oracle.reports.json_reader import ReportError, from_json

__all__ = ["ReportError", "dumps", "encode", "from_json", "loads", "schema", "to_json"]


def dumps(report: Report, *, compact: bool = False) -> str:
    """The report as JSON text; the same report gives the same text."""
    return encode(to_json(report), compact=compact)


def encode(data: Any, *, compact: bool = False) -> str:
    """Strict JSON in ASCII, of data whose texts are clean. Raises ValueError for nan and infinity.

    compact  on one line: a third of the size and a tenth of the time, for what programs read
    """
    layout: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 1}
    text = json.dumps(data, allow_nan=False, **layout) + "\n"
    # In a log, "##[" anywhere in a line is a command to some CI runners; only strings can hold it.
    return text.replace("##", "#\\u0023")


def loads(text: str) -> Report:
    """Read what `dumps` wrote. Raises ReportError."""
    try:
        data = json.loads(text)
    except ValueError as problem:
        raise ReportError(f"report: not JSON ({problem})") from None
    return from_json(data)


def schema() -> dict[str, Any]:
    """The published JSON Schema of a report."""
    from importlib.resources import files

    text = files("oracle").joinpath("schema/report-1.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain JSON data, in the fields of design section 10 and a few more."""
    report = inert(report)
    name, _, version = report.reference.rpartition(" ")
    return {
        "schema": SCHEMA,
        "subject": {
            "name": report.subject.name,
            "target": report.subject.target,
            "language": report.subject.language,
            "sha256": report.subject.sha256,
            "file": report.subject.file,
            "found": dict(report.subject.found),
        },
        "oracle": report.oracle,
        "suite": report.suite,
        "reference": {"name": name or "torch", "version": version},
        "isolation": report.isolation,
        "profile": report.profile,
        "seed": report.seed,
        "options": list(report.options),
        "seconds": report.seconds,
        "ok": report.ok,
        "exit_code": report.exit_code,
        "error": report.error,
        "counts": report.counts,
        "levels": [{"name": level, "counts": counts} for level, counts in report.levels.items()],
        "ops": {op: _op_json(result) for op, result in report.ops.items()},
        "causes": [_cause_json(cause) for cause in report.causes],
        "unexplained": report.unexplained,
        "conventions": dict(report.conventions),
        "notes": list(report.notes),
        "cases": [
            {
                "name": case.name,
                "level": case.level,
                "outcome": case.outcome,
                "causes": list(case.causes),
                "detail": case.detail,
                "seconds": round(case.seconds, 6),
            }
            for case in report.cases
        ],
        "score": None if report.score is None else _score_json(report.score),
        "withheld": None if report.withheld is None else vars(report.withheld).copy(),
        "baseline": None if report.baseline is None else _comparison_json(report.baseline),
    }


def _comparison_json(comparison: Comparison) -> dict[str, Any]:
    return {
        "name": comparison.name,
        "changes": [vars(change).copy() for change in comparison.changes],
        "accepted": list(comparison.accepted),
    }


def _score_json(score: Score) -> dict[str, Any]:
    """Points as decimals in strings, which are exact."""
    return {
        "earned": decimal(score.earned),
        "of": decimal(score.of),
        "step": decimal(score.step),
        "items": [
            {
                "what": item.what,
                "name": item.name,
                "earned": decimal(item.earned),
                "of": decimal(item.of),
                "because": item.because,
            }
            for item in score.items
        ],
    }


def _op_json(result: OpResult) -> dict[str, Any]:
    if not result.offered:
        return {"offered": False}
    return {
        "offered": True,
        "exercised": result.exercised,
        "max_ulp": {"data": _count_json(result.data_ulp), "grad": _count_json(result.grad_ulp)},
    }


def _count_json(x: float) -> float | str:
    """A plain JSON number where it is one; "inf" and "nan" else."""
    return x if math.isfinite(x) else to_hex(x)


def _cause_json(cause: Cause) -> dict[str, Any]:
    return {
        "kind": cause.kind,
        "severity": cause.severity,
        "demanded": cause.demanded,
        "op": cause.op,
        "operand": cause.operand,
        "form": cause.form,
        "mistake": cause.mistake,
        "policy": cause.policy,
        "message": cause.message,
        "file": cause.file,
        "line": cause.line,
        "cases": list(cause.cases),
        "wrong_numbers": cause.wrong_numbers,
        "unproven": cause.unproven,
        "example": _example_json(cause.example) if cause.example else None,
        "hints": list(cause.hints),
    }


def _example_json(example: Example) -> dict[str, Any]:
    return {
        "case": example.case,
        "node": example.node,
        "what": example.what,
        **_numbers_json(yours=example.yours, local=example.local, **{"global": example.global_}),
        "code": example.code,
        "program": example.program.to_json(),
        "table": [_row_json(row) for row in example.table],
        "pushes": [
            {"consumer": p.consumer, "slot": p.slot, **_numbers_json(yours=p.yours, correct=p.correct)}
            for p in example.pushes
        ],
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "value": row.value,
        "node": row.node,
        "expression": row.expression,
        "cause": row.cause,
        "data": {
            "verdict": row.data_verdict,
            **_numbers_json(yours=row.data, local=row.local_data, **{"global": row.global_data}),
        },
        "grad": {
            "verdict": row.grad_verdict,
            **_numbers_json(yours=row.grad, local=row.local_grad, **{"global": row.global_grad}),
        },
    }


def _numbers_json(**numbers: float | None) -> dict[str, Any]:
    """Each number as a hex string, and all of them once more in decimal."""
    return {
        **{name: None if x is None else to_hex(x) for name, x in numbers.items()},
        "decimal": {name: None if x is None else repr(x) for name, x in numbers.items()},
    }
