"""SARIF 2.1.0: the causes that have a line in the source, one rule for every kind of cause."""

from __future__ import annotations

import hashlib
import json
from pathlib import PureWindowsPath
from typing import Any
from urllib.parse import quote

from oracle.report import Cause, Report
from oracle.reports import facts, words
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.results import explanation

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

RULES = {
    "forward": "An op computes a wrong value.",
    "derivative": "An op pushes a wrong gradient to an operand.",
    "accumulation": "A gradient is overwritten or reset instead of added to.",
    "schedule": "A node passes its gradient on before it is complete, or more than once.",
    "seed": "The root's gradient does not start at 1.",
    "lifecycle": "Something is wrong only in a later step.",
    "missing": "An op, or a form of its operands, is missing.",
    "raises": "An op raises where PyTorch returns a number.",
    "resource": "Recursion, time or memory runs out.",
    "network": "The network beside the engine is not what PyTorch's is.",
}


def render(report: Report) -> str:
    """The report as a SARIF log of one run."""
    report = inert(report)
    placed = [cause for cause in report.causes if cause.line and words.anchor(cause)[0]]
    kinds = [kind for kind in RULES if any(cause.kind == kind for cause in placed)]
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "oracle",
                "version": report.oracle,
                "rules": [{"id": kind, "shortDescription": {"text": RULES[kind]}} for kind in kinds],
            }
        },
        "invocations": [
            {
                "executionSuccessful": report.exit_code in (0, 1),
                "exitCode": report.exit_code,
                "exitCodeDescription": facts.verdict(report)[1],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(cause, kinds) for cause in placed],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _result(cause: Cause, kinds: list[str]) -> dict[str, Any]:
    fingerprint = hashlib.sha256(json.dumps(cause.fingerprint).encode()).hexdigest()
    stated = "note" if cause.severity in ("policy", "missing") else "warning"
    return {
        "ruleId": cause.kind,
        "ruleIndex": kinds.index(cause.kind),
        "level": "error" if cause.demanded else stated,
        "message": {"text": explanation(cause)},
        "locations": [_location(cause)],
        "partialFingerprints": {"oracleCause/v1": fingerprint},
    }


def _location(cause: Cause) -> dict[str, Any]:
    """The file and the line; of a notebook the file, and the cell in words."""
    file, line = words.anchor(cause)
    uri = quote(PureWindowsPath(file or "").as_posix(), safe="/")
    if line is None:
        logical = [{"fullyQualifiedName": words.place(cause), "kind": "cell"}]
        return {"physicalLocation": {"artifactLocation": {"uri": uri}}, "logicalLocations": logical}
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}
