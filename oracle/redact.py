"""What a reader may see: the same report with less in it. Writers get the result, so that none can leak.

detail       what is left
full         everything
actual-only  which rule and line is wrong, with the subject's own numbers; no expected number, table or picture
none         which rules are wrong; no number, code, line or name of a mistake
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from oracle.report import Cause, Detail, Example, OpResult, Report, Withheld
from oracle.reports.results import by_level
from oracle.vocabulary import VOCABULARY

DETAILS: tuple[Detail, ...] = ("full", "actual-only", "none")

# What a cause says where its own sentence could hold numbers; by kind, after the name of the rule.
_SAID = {
    "forward": "computes a wrong value",
    "derivative": "pushes a wrong gradient",
    "accumulation": "does not add to the gradient that is there",
    "schedule": "is passed by in a wrong order of backward",
    "seed": "starts backward with a wrong gradient",
    "lifecycle": "goes wrong in a later step",
    "missing": "is missing",
    "raises": "raises where PyTorch returns a number",
    "resource": "takes too much time or memory",
    "network": "does not do what PyTorch's does",
}
_SAID_OF_SEVERITY = {"imprecise": "is imprecise", "policy": "differs from PyTorch by choice"}

_NUMBER = re.compile(r"\d|\b(?:inf|nan)\b", re.IGNORECASE)
_OWN_LINE = " The line now reads: "


def redact(report: Report, detail: Detail = "full", hints: int = 3, hidden: Sequence[str] = ()) -> Report:
    """The report without what its reader may not see; the report itself when that is nothing.

    hints    how many hints of each cause are left, 0 to 3
    hidden   patterns (`*`, `?`, `[…]`) of the names of cases that are left out, with all that only they show

    The exit code, the number of unexplained numbers and the score stay those of the whole report.
    """
    if report.withheld is None and detail == "full" and hints >= 3 and not hidden:
        return report
    secret = frozenset(c.name for c in report.cases if any(fnmatchcase(c.name, glob) for glob in hidden))
    shown = [case for case in report.cases if case.name not in secret]
    seen = {i for case in shown for i in case.causes}
    kept = [
        i
        for i, cause in enumerate(report.causes)
        if i in seen or not cause.cases or not secret.issuperset(cause.cases)
    ]
    touched = {i for case in report.cases if case.name in secret for i in case.causes}
    place = {old: new for new, old in enumerate(kept)}
    cases = (
        dataclasses.replace(
            case,
            causes=tuple(place[i] for i in case.causes),
            detail="" if detail == "none" and case.outcome != "unsupported" else case.detail,
        )
        for case in shown
    )
    earlier = report.withheld or Withheld()
    return dataclasses.replace(
        report,
        causes=tuple(_cause(report.causes[i], detail, hints, secret, i in touched) for i in kept),
        cases=tuple(cases),
        ops=report.ops if detail == "full" else {op: _op(result) for op, result in report.ops.items()},
        conventions=report.conventions if detail == "full" and not secret else {},
        notes=(),
        baseline=None,
        score=report.score or by_level(report),
        withheld=Withheld(
            max(detail, earlier.detail, key=DETAILS.index),
            min(hints, earlier.hints),
            earlier.cases + len(secret),
        ),
    )


def _cause(cause: Cause, detail: Detail, hints: int, secret: frozenset[str], touched: bool) -> Cause:
    """`touched`: whether a hidden case fails by it, so that its sentences may hold that case's numbers."""
    touched = touched or not secret.isdisjoint(cause.cases)
    bare = touched or detail != "full"
    example = cause.example
    if example is not None and (detail == "none" or example.case in secret):
        example = None
    elif example is not None and detail == "actual-only":
        example = _own_numbers(example)
    first, second, third = (
        _hint(text, bare, detail) if n < hints else "" for n, text in enumerate(cause.hints)
    )
    return dataclasses.replace(
        cause,
        message=_sentence(cause) if bare else cause.message,
        mistake=None if detail == "none" else cause.mistake,
        file=None if detail == "none" else cause.file,
        line=None if detail == "none" else cause.line,
        cases=tuple(name for name in cause.cases if name not in secret),
        wrong_numbers=0 if touched else cause.wrong_numbers,
        unproven=0 if touched else cause.unproven,
        example=example,
        hints=(first, second, third),
    )


def _sentence(cause: Cause) -> str:
    """The cause from its fields alone: "mul (left operand) pushes a wrong gradient"."""
    name = cause.op or "the engine"
    row = VOCABULARY.get(cause.op or "")
    if cause.form:
        name += f" ({cause.form})"
    elif cause.operand is not None and row is not None and row.arity > 1:
        name += f" ({('left', 'right')[cause.operand] if cause.operand < 2 else 'another'} operand)"
    chosen = f" ({cause.policy})" if cause.policy else ""
    return f"{name} {_SAID_OF_SEVERITY.get(cause.severity, _SAID[cause.kind])}{chosen}"


def _hint(text: str, bare: bool, detail: Detail) -> str:
    """A hint without numbers where those may not be seen: it is left out as a whole."""
    if not bare:
        return text
    said, _, line = text.partition(_OWN_LINE)
    if _NUMBER.search(said):
        said = ""
    return said + (_OWN_LINE + line if line and detail != "none" else "") if said else ""


def _own_numbers(example: Example) -> Example:
    """The example with the subject's number alone: comments go, in which the other one stands."""
    code = "\n".join(line.partition("#")[0].rstrip() for line in example.code.split("\n"))
    return dataclasses.replace(example, local=None, global_=None, code=code, table=(), pushes=())


def _op(result: OpResult) -> OpResult:
    """How far off an op is would tell what is right."""
    return dataclasses.replace(result, data_ulp=math.nan, grad_ulp=math.nan) if result.offered else result
