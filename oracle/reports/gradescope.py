"""Gradescope's results.json: a test for every level, worth a point for every case that counts."""

from __future__ import annotations

from typing import Any

from oracle.report import Report
from oracle.reports import facts
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.results import Result, points, results

OUTPUT = 20_000
"""Characters of output shown for a level."""


def render(report: Report) -> str:
    """The report as `results.json`; the score is left to be summed from the tests."""
    report = inert(report)
    found = results(report)
    levels = dict.fromkeys(result.level for result in found)
    tests = [_test(n, level, [r for r in found if r.level == level]) for n, level in enumerate(levels, 1)]
    data: dict[str, Any] = {
        "execution_time": round(report.seconds, 3),
        "output": f"{facts.verdict(report)[1]}\n{facts.tally(report)}\n{facts.run_facts(report)}",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"sha256": report.subject.sha256, "seed": report.seed, "suite": report.suite},
    }
    if not sum(test["max_score"] for test in tests):
        data["score"] = 0
    return encode(data)


def _test(number: int, level: str, found: list[Result]) -> dict[str, Any]:
    earned, of = points(found)
    failed = [r for r in found if r.status in ("failed", "error")]
    texts = [f"{r.name}: {r.text or r.message}" for r in failed] or [f"{earned} of {of} cases passed."]
    return {
        "name": level,
        "number": str(number),
        "score": earned,
        "max_score": of,
        "status": "failed" if failed else "passed",
        "output": "\n\n".join(texts)[:OUTPUT],
        "output_format": "text",
        "tags": [],
        "visibility": "visible",
    }
