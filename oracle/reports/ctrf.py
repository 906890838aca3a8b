"""Common Test Report Format (https://ctrf.io): a test for every case, what is ours under `extra`."""

from __future__ import annotations

from typing import Any

from oracle.report import Report
from oracle.reports import facts
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.results import Result, results, tally

_STATUS = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}


def render(report: Report) -> str:
    """The report as CTRF; times are milliseconds since the run began."""
    report = inert(report)
    found = results(report)
    counts = tally(found)
    return encode(
        {
            "reportFormat": "CTRF",
            "specVersion": "0.0.0",
            "results": {
                "tool": {"name": "oracle", "version": report.oracle},
                "summary": {
                    "tests": len(found),
                    "passed": counts["passed"],
                    "failed": counts["failed"] + counts["error"],
                    "skipped": counts["skipped"],
                    "pending": 0,
                    "other": 0,
                    "start": 0,
                    "stop": round(report.seconds * 1000),
                },
                "tests": [_test(result) for result in found],
                "extra": {
                    "verdict": facts.verdict(report)[1],
                    "subject": report.subject.name,
                    "suite": report.suite,
                    "reference": report.reference,
                    "profile": report.profile,
                    "seed": report.seed,
                },
            },
        }
    )


def _test(result: Result) -> dict[str, Any]:
    optional = {"message": result.message, "trace": result.text, "filePath": result.file, "line": result.line}
    return {
        "name": f"{result.level}/{result.name}",
        "status": _STATUS[result.status],
        "duration": round(result.seconds * 1000),
        **{key: value for key, value in optional.items() if value},
        "extra": {"level": result.level, "outcome": result.outcome or result.status},
    }
