"""A report with its paths spelled another way: its subject was checked in a place that is nobody's business."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from oracle.report import Report


def spelled(report: Report, said: Callable[[str], str], target: str) -> Report:
    """The report with every text of the subject's own places put through `said`, under another target."""
    subject = dataclasses.replace(
        report.subject,
        name=said(report.subject.name),
        target=target,
        file=said(report.subject.file or "") or None,
        found={part: said(how) for part, how in report.subject.found.items()},
    )
    causes = tuple(
        dataclasses.replace(
            cause,
            message=said(cause.message),
            file=None if cause.file is None else said(cause.file),
            hints=(said(cause.hints[0]), said(cause.hints[1]), said(cause.hints[2])),
        )
        for cause in report.causes
    )
    cases = tuple(dataclasses.replace(case, detail=said(case.detail)) for case in report.cases)
    return dataclasses.replace(
        report,
        subject=subject,
        causes=causes,
        cases=cases,
        notes=tuple(map(said, report.notes)),
        error=None if report.error is None else said(report.error),
    )
