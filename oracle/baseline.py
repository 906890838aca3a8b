"""The baseline: what is accepted of one engine today, as a file beside its tests.

It holds a *position*, everything of a report that a later report is compared with, and for each accepted
cause what people have to say about it. Causes are told apart by kind, op, operand, form and mistake, never by
their lines, so that moving code about changes nothing.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, get_args

from oracle.fields import Field, FieldError
from oracle.report import OUTCOMES, CaseResult, Cause, Kind, OpResult, Report, Severity, count
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.writing import write_text

SCHEMA = "oracle/baseline/1"

SEVERITIES: tuple[Severity, ...] = ("policy", "missing", "imprecise", "wrong")
"""From what matters least."""

Fingerprint = tuple[str, str | None, int | None, str | None, str | None]


class BaselineError(ValueError):
    """A baseline that cannot be used: one sentence that names the file and the field."""


@dataclass(frozen=True)
class Accepted:
    """A cause that does not fail the gate.

    message   the cause's sentence when it was accepted, for readers of the file
    reason    why it was accepted, in somebody's words
    expires   the last day on which it is accepted
    """

    kind: Kind
    op: str | None
    operand: int | None
    form: str | None
    mistake: str | None
    severity: Severity
    message: str
    reason: str | None = None
    expires: date | None = None

    @property
    def fingerprint(self) -> Fingerprint:
        return (self.kind, self.op, self.operand, self.form, self.mistake)

    @classmethod
    def of(cls, cause: Cause) -> Accepted:
        return cls(*cause.fingerprint, cause.severity, cause.message)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Baseline:
    """What a report is compared with.

    subject, suite, reference   name of the engine, version of the suite, version of PyTorch
    accepted     causes that are there, by fingerprint
    unexplained  wrong numbers that no cause explains
    ops          what is offered and exercised, and the largest error in ulp
    cases        name of every case → its outcome
    speed        what was timed → time as a multiple of minigrad's
    """

    subject: str
    suite: str
    reference: str
    accepted: Mapping[Fingerprint, Accepted]
    unexplained: int
    ops: Mapping[str, OpResult]
    cases: Mapping[str, str]
    speed: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, report: Report, speed: Mapping[str, float] | None = None) -> Baseline:
        """The baseline that accepts a report as it is."""
        report = inert(report)
        accepted: dict[Fingerprint, Accepted] = {}
        for cause in report.causes:
            known, new = accepted.get(cause.fingerprint), Accepted.of(cause)
            if known is None or SEVERITIES.index(known.severity) < SEVERITIES.index(new.severity):
                accepted[cause.fingerprint] = new
        return cls(
            report.subject.name,
            report.suite,
            report.reference,
            accepted,
            report.unexplained,
            dict(report.ops),
            {case.name: case.outcome for case in report.cases},
            dict(speed or {}),
        )

    def keeping(self, old: Baseline) -> Baseline:
        """This baseline with the reasons, dates and speeds of an older one, where they still apply."""
        kept = {
            key: dataclasses.replace(new, reason=old.accepted[key].reason, expires=old.accepted[key].expires)
            for key, new in self.accepted.items()
            if key in old.accepted
        }
        return dataclasses.replace(
            self, accepted={**self.accepted, **kept}, speed=self.speed or dict(old.speed)
        )


# Writing -----------------------------------------------------------------------------------------------------


def write(path: Path, baseline: Baseline) -> None:
    """Write a baseline, whole or not at all. Raises OSError."""
    write_text(path, encode(to_json(baseline)))


def to_json(baseline: Baseline) -> dict[str, Any]:
    """The baseline as plain JSON data; what changes together stands together, in an order that stays."""
    accepted = sorted(baseline.accepted.items(), key=lambda item: tuple(map(str, item[0])))
    return {
        "schema": SCHEMA,
        "subject": baseline.subject,
        "suite": baseline.suite,
        "reference": baseline.reference,
        "accepted": [_accepted_json(row) for _, row in accepted],
        "unexplained": baseline.unexplained,
        "ops": {op: _op_json(result) for op, result in baseline.ops.items()},
        "speed": {name: round(ratio, 3) for name, ratio in baseline.speed.items()},
        "levels": _levels(baseline.cases),
        "cases": dict(baseline.cases),
    }


def _accepted_json(row: Accepted) -> dict[str, Any]:
    out = {f.name: getattr(row, f.name) for f in dataclasses.fields(row)}
    if row.expires is not None:
        out["expires"] = row.expires.isoformat()
    return {name: x for name, x in out.items() if name not in ("reason", "expires") or x is not None}


def _op_json(result: OpResult) -> dict[str, Any]:
    if not result.offered:
        return {"offered": False}
    errors = {"data": result.data_ulp, "grad": result.grad_ulp}
    ulp = {what: x if math.isfinite(x) else "inf" for what, x in errors.items()}
    return {"offered": True, "exercised": result.exercised, "max_ulp": ulp}


def _levels(cases: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Cases by outcome for every level, without the outcomes that no case had."""
    results = [CaseResult(name, name.partition("/")[0], outcome) for name, outcome in cases.items()]
    out = {}
    for level in dict.fromkeys(result.level for result in results):
        counts = count(tuple(result for result in results if result.level == level))
        out[level] = {outcome: n for outcome, n in counts.items() if n}
    return out


# Reading -----------------------------------------------------------------------------------------------------


def read(path: Path) -> Baseline:
    """Read a baseline. Raises BaselineError."""
    try:
        return from_json(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise BaselineError(f"{path}: no such baseline; --update-baseline makes one") from None
    except OSError as problem:
        raise BaselineError(f"{path}: cannot be read ({problem.strerror})") from None
    except FieldError as problem:
        raise BaselineError(f"{path}: {problem}") from None
    except (ValueError, RecursionError) as problem:
        raise BaselineError(f"{path}: not JSON ({problem})") from None


def from_json(data: Any) -> Baseline:
    """Read `to_json`'s data. Raises FieldError with the path of the bad field."""
    top = Field(data)
    top["schema"].one_of((SCHEMA,))
    top.only("schema", "subject", "suite", "reference", "accepted", "unexplained", "ops", "speed", "levels",
             "cases")  # fmt: skip
    accepted: dict[Fingerprint, Accepted] = {}
    for i, row in enumerate(top["accepted"].each(_accepted)):
        if row.fingerprint in accepted:
            raise FieldError(f"accepted[{i}]: the same cause stands above it; leave one of them out")
        accepted[row.fingerprint] = row
    cases = {name: outcome.one_of(OUTCOMES) for name, outcome in top["cases"].items()}
    levels = _levels(cases)
    if top["levels"].data != levels:
        raise FieldError('levels: these counts are not those of "cases"; --update-baseline writes both')
    return Baseline(
        subject=top["subject"].text(),
        suite=top["suite"].text(),
        reference=top["reference"].text(),
        accepted=accepted,
        unexplained=top["unexplained"].count(),
        ops={op: _op(result) for op, result in top["ops"].items()},
        cases=cases,
        speed={name: ratio.size() for name, ratio in top["speed"].items()},
    )


def _accepted(row: Field) -> Accepted:
    row.only(*(f.name for f in dataclasses.fields(Accepted)))
    reason, expires = row.get("reason"), row.get("expires")
    return Accepted(
        kind=row["kind"].one_of(get_args(Kind)),
        op=row["op"].optional(Field.text),
        operand=row["operand"].optional(Field.count),
        form=row["form"].optional(Field.text),
        mistake=row["mistake"].optional(Field.text),
        severity=row["severity"].one_of(SEVERITIES),
        message=row["message"].text(),
        reason=None if reason is None else reason.optional(Field.text),
        expires=None if expires is None else expires.optional(Field.day),
    )


def _op(result: Field) -> OpResult:
    if not result["offered"].yes_no():
        return OpResult(offered=False)
    ulp = result["max_ulp"]
    return OpResult(True, result["exercised"].yes_no(), ulp["data"].size(), ulp["grad"].size())
