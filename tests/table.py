"""The table of the corpus: every engine judged, and how often the judge was right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import pytest

from oracle import suite
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.report import Cause, Report
from oracle.subjects import open_subject
from tests import corpus

Row = corpus.Faulty | corpus.Correct

PRINTED = pytest.StashKey[str]()
"""Where the table waits to be printed at the end of a test run."""


@dataclass(frozen=True)
class Verdict:
    """How one engine was judged. `extra`: causes that are not the expected one, in words."""

    row: Row
    detected: bool
    exact: bool
    line: bool | None
    extra: tuple[str, ...]
    report: Report

    @property
    def unexplained(self) -> int:
        """Wrong numbers that no cause explains."""
        return self.report.unexplained


def judge(row: Row) -> Verdict:
    """Judge one engine of the corpus with the whole suite."""
    return compare(row, report(row))


def report(row: Row | corpus.Unusable) -> Report:
    """Check one engine of the corpus against the whole suite."""
    path = corpus.path(row)
    allow = ("numpy",) if "import numpy" in path.read_text() else ()
    with open_subject(str(path), allow_imports=allow) as subject:
        return check(subject, suite.cases(), Demands())


def compare(row: Row, report: Report) -> Verdict:
    """Set a report beside what the corpus says of the engine."""
    if isinstance(row, corpus.Correct):
        alarms = [c for c in report.causes if c.severity in ("wrong", "imprecise")]
        return Verdict(row, bool(alarms), False, None, tuple(map(_words, alarms)), report)
    serious = [c for c in report.causes if c.severity in ("wrong", "imprecise") or _is(row, c)]
    hit = next((c for c in serious if _is(row, c)), None)
    extra = tuple(_words(c) for c in serious if c is not hit)
    marked = corpus.line(row)
    line = None if marked is None else hit is not None and hit.line == marked
    return Verdict(row, bool(serious), hit is not None, line, extra, report)


def _is(row: corpus.Faulty, cause: Cause) -> bool:
    """Whether a cause is the engine's defect: kind, op and form, or one of the answers that are right too."""
    if cause.severity == "policy" and row.severity != "policy":
        return False
    answers = {(row.kind, row.op, row.form)}
    for text in row.also:
        kind, _, rest = text.partition(":")
        op, _, form = rest.partition(":")
        answers.add((kind, row.op if not op else None if op == "-" else op, form or row.form))
    if row.kind == "network":
        return (cause.kind, cause.mistake) == (row.kind, row.mistake)
    return any(
        cause.kind == kind and cause.op == op and (form is None or cause.form in (None, form))
        for kind, op, form in answers
    )


def _words(cause: Cause) -> str:
    return f"{cause.kind} {cause.op} {cause.form or ''} {cause.mistake or ''}".strip()


def judge_all(rows: Sequence[Row], jobs: int = 2) -> list[Verdict]:
    """Judge many engines, two at a time."""
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(judge, rows, chunksize=4))


def render(verdicts: Sequence[Verdict]) -> str:
    """The table as text: the rates, then every engine that was not judged exactly."""
    faulty = [v for v in verdicts if isinstance(v.row, corpus.Faulty)]
    correct = [v for v in verdicts if isinstance(v.row, corpus.Correct)]
    lined = [v for v in faulty if v.line is not None]
    rows = [
        ("faulty engines", len(faulty), len(faulty)),
        ("detected", sum(v.detected for v in faulty), len(faulty)),
        ("exact kind, op, form", sum(v.exact for v in faulty), len(faulty)),
        ("and nothing else blamed", sum(v.exact and not v.extra for v in faulty), len(faulty)),
        ("exact line", sum(bool(v.line) for v in lined), len(lined)),
        ("all numbers explained", sum(not v.unexplained for v in faulty), len(faulty)),
        ("false alarms (correct engines)", sum(v.detected for v in correct), len(correct)),
    ]
    out = [f"{name:<32} {n:>4} of {of:>4}" for name, n, of in rows]
    for v in verdicts:
        notes = []
        if isinstance(v.row, corpus.Faulty):
            if not v.exact:
                notes.append("cause" if v.detected else "NOT DETECTED")
            if v.line is False:
                notes.append("line")
        elif v.detected:
            notes.append("FALSE ALARM")
        if v.extra:
            notes.append("also " + "; ".join(v.extra))
        if v.unexplained:
            notes.append(f"{v.unexplained} unexplained")
        if notes:
            out.append(f"  {v.row.file:<34} {', '.join(notes)}")
    return "\n".join(out)


if __name__ == "__main__":
    wanted = sys.argv[1:]
    everything: list[Row] = [*corpus.FAULTY, *corpus.CORRECT]
    chosen = [row for row in everything if not wanted or any(w in row.file for w in wanted)]
    print(render(judge_all(chosen)))
