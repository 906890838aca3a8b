"""PrairieLearn's results.json: a submission that cannot be loaded is not gradable, so that no attempt is lost."""

from __future__ import annotations

import base64
from typing import Any

from oracle.report import Points, Report
from oracle.reports import facts, layout, picture, words
from oracle.reports.clean import inert, one_line
from oracle.reports.gradescope import number_of
from oracle.reports.json_ import encode
from oracle.reports.results import Result, by_level, results, scored

LIMIT = 1_000_000
"""Bytes of a result that PrairieLearn takes; beyond it the pictures go first, then the output of tests."""

OUTPUT = 4_000
"""Characters of output shown for a test."""


def render(report: Report) -> str:
    """The report as `results.json`: a test for everything that the rubric gives points for, or for every level."""
    report = inert(report)
    headline = facts.verdict(report)[1]
    if report.exit_code not in (0, 1):
        return encode(
            {"gradable": False, "succeeded": report.exit_code != 4, "score": 0, "message": headline,
             "format_errors": [one_line(report.error or headline)]}
        )  # fmt: skip
    score = report.score or by_level(report)
    data: dict[str, Any] = {
        "gradable": True,
        "succeeded": True,
        "score": float(score.earned / score.of) if score.of else 0,
        "message": headline,
        "output": f"{facts.tally(report)}\n{facts.run_facts(report)}",
        "images": _images(report),
        "tests": [_test(item, found) for item, found in scored(report, results(report))],
    }
    if len(encode(data)) > LIMIT:
        data["images"] = []
    if len(encode(data)) > LIMIT:
        data["tests"] = [{**test, "output": ""} for test in data["tests"]]
    return encode(data)


def _test(item: Points, found: list[Result]) -> dict[str, Any]:
    failed = [result for result in found if result.status in ("failed", "error")]
    return {
        "name": item.name,
        "points": number_of(item.earned),
        "max_points": number_of(item.of),
        "message": failed[0].message if failed else item.because,
        "output": "\n\n".join(f"{r.name}: {r.text or r.message}" for r in failed)[:OUTPUT],
    }


def _images(report: Report) -> list[dict[str, str]]:
    """The picture of the first cause, where it can be drawn."""
    for _, cause in picture.drawable(report)[:1]:
        assert cause.example is not None
        svg, _ = layout.svg(picture.dot_source(cause.example, cause, facts.reference(report)))
        if svg:
            data = base64.b64encode(svg.encode()).decode()
            return [{"label": words.sentence(cause), "url": f"data:image/svg+xml;base64,{data}"}]
    return []
