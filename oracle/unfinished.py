"""The report of a check that has not run: what is in a file until there is something better."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oracle import suite, torch_reference
from oracle.case import Case
from oracle.report import CaseResult, Report, SubjectInfo
from oracle.version import VERSION

EXIT_ORACLE = 4

KILLED = "it was stopped before its end, or is still running"
"""Why a report that was written before the first case is all there is."""


def not_run(
    target: str, cases: Sequence[Case], profile: str, exit_code: int = EXIT_ORACLE, error: str = KILLED
) -> Report:
    """A valid report in which every case is `not run`, for a subject that is known by its target alone.

    exit_code  3 when the subject cannot be loaded, 4 (not finished) else
    error      why, without the full stop
    """
    place, _, name = target.rpartition(":")
    named = f"{Path(place).name}:{name}" if place and name.isidentifier() else Path(target).name
    return Report(
        subject=SubjectInfo(named or target, target, "", ""),
        oracle=VERSION,
        suite=suite.VERSION,
        reference=torch_reference.version(),
        isolation="",
        profile=profile,
        seed="",
        seconds=0.0,
        exit_code=exit_code,
        causes=(),
        cases=tuple(CaseResult(case.name, case.level, "not run") for case in cases),
        ops={},
        unexplained=0,
        error=error,
    )
