"""Classroom 50's result.json (classroom50/result/v1): a test for every case, worth one point each; with a rubric,
a test for everything that it gives points for. Scores are whole numbers there: they count the rubric's steps."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from oracle.report import Points, Report, Score
from oracle.reports.clean import inert, one_line
from oracle.reports.json_ import encode
from oracle.reports.results import Result, results, right, scored

NAME_BYTES = 100
"""Longest name of a test."""

_GIVEN = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "assignment_type": "ASSIGNMENT_TYPE",
    "owner": "OWNER",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def render(report: Report, environment: Mapping[str, str] | None = None) -> str:
    """The report as `result.json`; who, what and when come from the runner's environment.

    SOURCE_DATE_EPOCH (seconds), where it is set, is taken for the time.
    """
    report = inert(report)
    given = os.environ if environment is None else environment
    tag = one_line(given.get("SUBMISSION_TAG", ""))
    found = results(report)
    tests = _tests(found) if report.score is None else _items(report.score, scored(report, found))
    return encode(
        {
            "schema": "classroom50/result/v1",
            **{field: one_line(given.get(variable, "")) for field, variable in _GIVEN.items()},
            "submission": tag if tag.startswith("submit/") else f"submit/{tag or 'local'}",
            "datetime": _now(given).isoformat(timespec="seconds").replace("+00:00", "Z"),
            "score": sum(test["score"] for test in tests),
            "max-score": sum(test["max-score"] for test in tests),
            "tests": tests,
        }
    )


def _now(given: Mapping[str, str]) -> datetime:
    epoch = given.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)


def _tests(found: list[Result]) -> list[dict[str, Any]]:
    """Results that count, under names that are short and occur once."""
    taken: set[str] = set()
    tests = []
    for result in found:
        if result.status == "skipped" and result.outcome != "explained":
            continue
        passed = result.status == "passed"
        tests.append(
            {
                "test-name": _name(f"{result.level}/{result.name}", taken),
                "passed": passed,
                "score": int(passed),
                "max-score": 1,
                "message": result.message,
                "output": result.text,
            }
        )
    return tests


def _items(score: Score, items: list[tuple[Points, list[Result]]]) -> list[dict[str, Any]]:
    taken: set[str] = set()
    return [
        {
            "test-name": _name(item.name, taken),
            "passed": right(item, found),
            "score": int(item.earned / score.step),
            "max-score": int(item.of / score.step),
            "message": item.because,
            "output": "\n\n".join(r.text or r.message for r in found if r.status in ("failed", "error")),
        }
        for item, found in items
    ]


def _name(text: str, taken: set[str]) -> str:
    number, name = 1, _cut(one_line(text), NAME_BYTES)
    while name in taken:
        number += 1
        ending = f" ({number})"
        name = _cut(one_line(text), NAME_BYTES - len(ending)) + ending
    taken.add(name)
    return name


def _cut(text: str, size: int) -> str:
    return text.encode()[:size].decode(errors="ignore").strip()
