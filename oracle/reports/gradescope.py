"""Gradescope's results.json: a test for everything that the rubric gives points for; without one, for every level."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from oracle.report import Points, Report
from oracle.reports import facts
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.results import Result, results, right, scored

OUTPUT = 20_000
"""Characters of output shown for a level."""


def render(report: Report) -> str:
    """The report as `results.json`; the score is left to be summed from the tests."""
    report = inert(report)
    tests = [_test(n, item, found) for n, (item, found) in enumerate(scored(report, results(report)), 1)]
    data: dict[str, Any] = {
        "execution_time": round(report.seconds, 3),
        "output": f"{facts.verdict(report)[1]}\n{facts.tally(report)}\n{facts.run_facts(report)}",
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"sha256": report.subject.sha256, "seed": report.seed, "suite": report.suite},
    }
    if report.score is not None:
        data["score"] = number_of(report.score.earned)
    elif not sum(test["max_score"] for test in tests):
        data["score"] = 0
    return encode(data)


def number_of(points: Fraction) -> int | float:
    """Points as a JSON number: whole, or the float whose shortest decimal they are."""
    return points.numerator if points.denominator == 1 else float(points)


def _test(number: int, item: Points, found: list[Result]) -> dict[str, Any]:
    failed = [r for r in found if r.status in ("failed", "error")]
    texts = [f"{r.name}: {r.text or r.message}" for r in failed] or [item.because]
    return {
        "name": item.name,
        "number": str(number),
        "score": number_of(item.earned),
        "max_score": number_of(item.of),
        "status": "passed" if right(item, found) else "failed",
        "output": "\n\n".join(texts)[:OUTPUT],
        "output_format": "text",
        "tags": [],
        "visibility": "visible",
    }
