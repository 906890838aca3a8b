"""Cases in the words of test reporters: passed, failed, error or skipped, with what to say about each.

Something fails or ends in an error exactly when the report's exit code is not 0: demanded causes and wrong
numbers that no case stands for get a result of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from oracle.report import CaseResult, Cause, Points, Report, Score
from oracle.reports import changes, facts, words

Status = Literal["passed", "failed", "error", "skipped"]

# What an outcome is when no demanded cause stands behind the case.
STATUS: dict[str, Status] = {
    "pass": "passed",
    "imprecise": "passed",
    "policy": "passed",
    "fail": "failed",
    "explained": "skipped",
    "error": "error",
    "timeout": "error",
    "nondeterministic": "error",
    "unsupported": "skipped",
    "not run": "skipped",
}


@dataclass(frozen=True)
class Result:
    """One line of a test report; `message` is a sentence, `text` what there is to say at length."""

    level: str
    name: str
    status: Status
    message: str = ""
    text: str = ""
    file: str | None = None
    line: int | None = None
    seconds: float = 0.0
    outcome: str = ""


def results(report: Report) -> list[Result]:
    """Every case in order, then what no case stands for."""
    found = [_case(report, case) for case in report.cases]
    blamed = {
        i
        for case, result in zip(report.cases, found, strict=True)
        if result.status == "failed"
        for i in case.causes[:1]
    }
    for i, cause in enumerate(report.causes):
        if cause.demanded and i not in blamed and not _accepted(report):
            found.append(_blame("causes", words.rule(cause), cause))
    if report.unexplained and not _accepted(report):
        message = f"{words.count(report.unexplained, 'wrong number')} without an explanation"
        found.append(Result("causes", "unexplained", "failed", message, facts.balance(report)))
    for n, change in enumerate(changes.failing(report), 1):
        found.append(Result("baseline", f"change {n}", "failed", changes.sentence(change)))
    if report.exit_code not in (0, 1) or (
        report.exit_code == 1 and all(r.status in ("passed", "skipped") for r in found)
    ):
        unseen = report.exit_code == 1 and report.withheld is not None and report.withheld.cases > 0
        found.append(Result("run", "oracle check", "failed" if unseen else "error", facts.verdict(report)[1]))
    return found


def tally(found: list[Result]) -> dict[Status, int]:
    """How many results there are of each status."""
    counts: dict[Status, int] = {"passed": 0, "failed": 0, "error": 0, "skipped": 0}
    for result in found:
        counts[result.status] += 1
    return counts


def points(found: list[Result]) -> tuple[int, int]:
    """How many results count, and how many of them are right: (earned, of). What follows from a cause is lost
    with it; what was not run, or is not offered and not asked for, does not count."""
    counting = [r for r in found if r.status != "skipped" or r.outcome == "explained"]
    return sum(r.status == "passed" for r in counting), len(counting)


def by_level(report: Report) -> Score:
    """What a report is worth without a rubric: for every level a point for every case that counts."""
    found = results(report)
    return Score(tuple(_by_case([r for r in found if r.level == level]) for level in _levels(found)))


def scored(report: Report, found: list[Result]) -> list[tuple[Points, list[Result]]]:
    """Everything that there are points for, with its results; levels that fail and give none come last."""
    score = report.score or by_level(report)
    named = {item.name for item in score.items if item.what == "level"}
    failing = dict.fromkeys(r.level for r in found if r.status in ("failed", "error"))
    none = Fraction(0)
    items = [*score.items, *(Points("level", level, none, none) for level in failing if level not in named)]
    return [
        (item, [r for r in found if r.level == item.name] if item.what == "level" else []) for item in items
    ]


def right(item: Points, found: list[Result]) -> bool:
    """Whether nothing is lost, and nothing that is shown fails."""
    return item.earned == item.of and all(r.status not in ("failed", "error") for r in found)


def _by_case(found: list[Result]) -> Points:
    earned, of = points(found)
    because = f"{earned} of {of} cases passed."
    return Points("level", found[0].level, Fraction(earned), Fraction(of), because)


def _levels(found: list[Result]) -> list[str]:
    return list(dict.fromkeys(result.level for result in found))


def explanation(cause: Cause) -> str:
    """A cause at length, in plain text: its place, the example, the first hint."""
    parts = [f"{words.sentence(cause)}."]
    if where := words.place(cause):
        parts.append(f"At {where}.")
    if cause.example is not None and cause.example.code.strip():
        lines, comment = words.code(cause.example)
        parts.append("\n".join(["", *lines]) + (f"   {comment}" if comment else "") + "\n")
    if reach := words.explains(cause):
        parts.append(f"{reach[0].upper()}{reach[1:]}.")
    if cause.hints[0]:
        parts.append(f"Hint: {cause.hints[0]}")
    return "\n".join(parts)


def _accepted(report: Report) -> bool:
    """Whether the run as a whole was asked not to fail."""
    return report.exit_code == 0


def _case(report: Report, case: CaseResult) -> Result:
    causes = [report.causes[i] for i in case.causes]
    wanted = [cause for cause in causes if cause.demanded]
    status = STATUS[case.outcome]
    if wanted and case.outcome in ("imprecise", "policy", "unsupported"):
        status = "failed"
    if status in ("failed", "error") and (_accepted(report) or (causes and not wanted)):
        status = "skipped"
    level, _, short = case.name.partition("/")
    name = short if short and level == case.level else case.name
    if status == "failed" and wanted:
        blame = _blame(case.level, name, wanted[0])
        return Result(**{**vars(blame), "seconds": case.seconds, "outcome": case.outcome})
    said = "; ".join(words.sentence(cause) for cause in causes)
    message = ": ".join(part for part in (facts.OUTCOME_WORDS[case.outcome], said or case.detail) if part)
    message = "" if case.outcome == "pass" else message
    return Result(case.level, name, status, message, case.detail, None, None, case.seconds, case.outcome)


def _blame(level: str, name: str, cause: Cause) -> Result:
    message = words.sentence(cause) + (f" ({words.place(cause)})" if cause.file else "")
    return Result(level, name, "failed", message, explanation(cause), *words.anchor(cause))
