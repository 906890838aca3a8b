"""What changed: a report beside a baseline, or beside an earlier report, in sentences; and whether that fails a gate.

A gate fails by what got worse, and by what got better as long as the baseline does not say so: a baseline that
accepts more than there is would let it come back. What only a newer suite can see is announced.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from oracle.baseline import SEVERITIES, Accepted, Baseline, Fingerprint
from oracle.report import Cause, Change, Comparison, Report
from oracle.reports import words
from oracle.reports.clean import inert

SLACK_ULP = 1.0
"""An error may grow by this much, in ulp: the last bit of exp and its like differs between C libraries."""

SLACK_RATIO = 1.25
"""… or by this factor: a large error is the size of a cancellation, and moves with the last bit."""

SLOWER = 1.5
"""A ratio to minigrad's time may grow by this factor before it counts: about what two runs of one engine on one
busy machine can differ by (measured, see `oracle.benchmark`)."""

NAMED = 4
"""Cases that a sentence names before it counts the rest."""

# How far an outcome is from a pass; a case gets worse when this grows.
_DISTANCE = {"pass": 0, "policy": 1, "imprecise": 1, "unsupported": 2, "not run": 4}
_FAILED = 3

_HOLD = "Update the baseline, so that it stays so (--update-baseline)."
_TAKE_IN = "The gate does not count that yet; --update-baseline takes it in."


def compare(
    report: Report,
    baseline: Baseline,
    today: date,
    speed: Mapping[str, float] | None = None,
) -> tuple[Change, ...]:
    """How a report differs from a baseline, in the order in which a reader wants to know.

    `speed`: what was timed → time as a multiple of minigrad's, when it was measured.
    """
    report = inert(report)  # files as their user spelled the target
    now = Baseline.of(report, speed)
    news = [*_causes(report, baseline, now, today)]
    consequences = [*_gone(baseline, now), *_drift(baseline, now)]
    if consequences and any(change.fails and _wrong(report, now, change) for change in news):
        # A wrong rule hides choices of the engine, and leaves other rules untested: no news of their own.
        more = words.count(len(consequences), "more difference")
        text = f"{more} may follow from that; see again when it is repaired."
        consequences = [Change("other", False, text)]
    found = [
        *news,
        *consequences,
        *_cases(report, baseline, now),
        *_unexplained(baseline, now),
        *_offers(baseline, now),
        *_speed(baseline, now),
        *_versions(baseline, now),
    ]
    return tuple(sorted(found, key=lambda change: not change.fails))


def _wrong(report: Report, now: Baseline, change: Change) -> bool:
    return (
        change.cause is not None and now.accepted[report.causes[change.cause].fingerprint].severity == "wrong"
    )


def between(old: Report, new: Report) -> tuple[Change, ...]:
    """How one report differs from an earlier one of the same engine: what got worse, what got better, the rest."""
    order = ("worse", "better", "other")
    found = compare(new, Baseline.of(old), date.min)
    return tuple(sorted(found, key=lambda change: order.index(change.trend)))


def judged(report: Report, baseline: Baseline, name: str, changes: Sequence[Change]) -> Report:
    """The report as the gate sees it: a cause is demanded when a change that fails is about it, and the exit code
    is 1 when anything fails. A report that judged nothing (exit codes 3, 4, 5) stays as it is."""
    if report.exit_code not in (0, 1):
        return report
    failing = {
        report.causes[change.cause].fingerprint
        for change in changes
        if change.fails and change.cause is not None
    }
    there = {cause.fingerprint for cause in report.causes}
    accepted = (said(row) for key, row in baseline.accepted.items() if key in there - failing)
    return dataclasses.replace(
        report,
        exit_code=int(any(change.fails for change in changes)),
        causes=tuple(
            dataclasses.replace(cause, demanded=cause.fingerprint in failing) for cause in report.causes
        ),
        baseline=Comparison(name, tuple(changes), tuple(accepted)),
    )


def said(row: Accepted) -> str:
    """An accepted cause in a sentence, with its date and its reason."""
    until = f" until {row.expires}" if row.expires else ""
    return _full(row) + until + (f": {row.reason}" if row.reason else "")


def _full(row: Accepted) -> str:
    return row.message.rstrip(". ")


# The kinds of change -----------------------------------------------------------------------------------------


def _causes(report: Report, baseline: Baseline, now: Baseline, today: date) -> Iterator[Change]:
    unknown = _new_cases(baseline, now)
    repaired = any(
        row.severity == "wrong" for key, row in baseline.accepted.items() if key not in now.accepted
    )
    seen: set[Fingerprint] = set()
    for i, cause in enumerate(report.causes):
        key = cause.fingerprint
        if key in seen:
            continue
        seen.add(key)
        known, severity = baseline.accepted.get(key), now.accepted[key].severity
        if known is None and unknown and cause.cases and unknown.issuperset(cause.cases):
            yield Change("other", False, f"only new cases of the suite show it: {_sentence(cause)}.")
        elif known is None:
            hidden = repaired and severity != "wrong"
            why = " A wrong rule may have hidden it, which is fixed now." if hidden else ""
            yield Change("worse", True, f"new: {_sentence(cause)}.{why}", cause=i)
        elif SEVERITIES.index(severity) > SEVERITIES.index(known.severity):
            text = f"worse, {known.severity} became {severity}: {_sentence(cause)}."
            yield Change("worse", True, text, cause=i)
        elif known.expires is not None and known.expires < today:
            text = f"accepted until {known.expires}, which is over: {_sentence(cause)}."
            yield Change("other", True, text, "Repair it, or give it another date.", cause=i)


def _gone(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    for key, known in baseline.accepted.items():
        if key not in now.accepted:
            advice = "Update the baseline, so that it cannot come back (--update-baseline)."
            yield Change("better", True, f"fixed: {_full(known)}.", advice)


def _sentence(cause: Cause) -> str:
    where = words.place(cause)
    return words.sentence(cause) + (f" ({where})" if where else "")


def _cases(report: Report, baseline: Baseline, now: Baseline) -> Iterator[Change]:
    """Cases that got worse or better although no cause came or went with them."""
    told = {
        case.name
        for case in report.cases
        if any(report.causes[i].fingerprint not in baseline.accepted for i in case.causes)
    }
    withdrawn = {op for op, result in baseline.ops.items() if result.offered and not _offers_op(now, op)}
    told |= {c.name for c in report.cases if c.outcome == "unsupported" and c.detail in withdrawn}
    both = [(name, before, now.cases[name]) for name, before in baseline.cases.items() if name in now.cases]
    worse = [
        f"{name} ({before} → {after})"
        for name, before, after in both
        if _distance(after) > _distance(before) and name not in told
    ]
    if worse:
        text = f"{words.count(len(worse), 'case')} got worse: {words.listing(worse, NAMED)}."
        yield Change("worse", True, text)
    gone = any(key not in now.accepted for key in baseline.accepted)
    better = [
        f"{name} ({before} → {after})" for name, before, after in both if _distance(after) < _distance(before)
    ]
    if better and not gone:
        text = f"{words.count(len(better), 'case')} got better: {words.listing(better, NAMED)}."
        yield Change("better", False, text)
    lost = [name for name in baseline.cases if name not in now.cases]
    if lost and now.suite == baseline.suite:
        text = f"{words.count(len(lost), 'case')} did not run, but did before: {words.listing(lost, NAMED)}."
        advice = "Leave out --level and --case, or give that selection a baseline of its own."
        yield Change("worse", True, text, advice)
    elif lost:
        text = f"suite {now.suite} no longer has {words.count(len(lost), 'case')} that there were before."
        yield Change("other", False, text)


def _distance(outcome: str) -> int:
    return _DISTANCE.get(outcome, _FAILED)


def _unexplained(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    if now.unexplained != baseline.unexplained:
        grew = now.unexplained > baseline.unexplained
        numbers = words.count(now.unexplained, "wrong number")
        text = f"{numbers} without an explanation, {baseline.unexplained:,} before."
        yield Change("worse" if grew else "better", grew and now.suite == baseline.suite, text)


def _offers(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    """Ops that came or went."""
    for op, before in baseline.ops.items():
        if op not in now.ops:
            yield Change("other", False, f"{op}: this version of the oracle does not know it any more.")
        elif before.offered and not now.ops[op].offered:
            yield Change("worse", True, f"{op} is no longer offered.")
        elif now.ops[op].offered and not before.offered:
            yield Change("better", True, f"{op} is offered now.", _HOLD)


def _offers_op(now: Baseline, op: str) -> bool:
    return op in now.ops and now.ops[op].offered


def _drift(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    """Ops that are offered as before, but tested less, or less exact."""
    same_suite = now.suite == baseline.suite
    for op, before in baseline.ops.items():
        if not (before.offered and _offers_op(now, op)):
            continue
        after = now.ops[op]
        if before.exercised and not after.exercised:
            text = f"{op} is no longer exercised: no case tests its rules."
            yield Change("worse", same_suite, text)
            continue
        errors = {
            "value": (before.data_ulp, after.data_ulp),
            "gradient": (before.grad_ulp, after.grad_ulp),
        }
        for what, (old, new) in errors.items():
            if new > old:
                far = new > max(old + SLACK_ULP, old * SLACK_RATIO)
                text = f"{op}: the largest error of its {what} grew from {old:,.4g} to {new:,.4g} ulp."
                yield Change("worse" if far else "other", far and same_suite, text)


def _speed(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    for name, ratio in now.speed.items():
        before = baseline.speed.get(name)
        if before is None:
            advice = "--update-baseline --benchmark adds it."
            yield Change("other", False, f"speed: {name} was not timed before.", advice)
        elif slower(before, ratio):
            text = (
                f"slower: {name} takes {ratio:.2f} times as long as minigrad, {before:.2f} times before "
                f"({SLOWER:g}-fold is tolerated)."
            )
            yield Change("worse", True, text)
    if now.speed and (lost := [name for name in baseline.speed if name not in now.speed]):
        text = f"speed: no time for {words.listing(lost)}: the programs did not run."
        yield Change("worse", True, text)


def slower(before: float, now: float) -> bool:
    """Whether a ratio to minigrad's time grew by more than chance."""
    return now > before * SLOWER


def _versions(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    for what, before, after in (
        ("suite", baseline.suite, now.suite),
        ("PyTorch", baseline.reference, now.reference),
        ("engine", baseline.subject, now.subject),
    ):
        if after != before:
            yield Change("other", False, f"{what} {before} before, {after} now.")
    if unknown := sorted(_new_cases(baseline, now)):
        bad = sum(_distance(now.cases[name]) == _FAILED for name in unknown)
        text = (
            f"{words.count(len(unknown), 'new case')} of suite {now.suite}, {bad} of them not passed: "
            f"{words.listing(unknown, NAMED)}."
        )
        yield Change("other", False, text, _TAKE_IN)
    if unknown := [op for op in now.ops if op not in baseline.ops]:
        yield Change("other", False, f"new in the oracle: {words.listing(unknown)}.", _TAKE_IN)


def _new_cases(baseline: Baseline, now: Baseline) -> frozenset[str]:
    """The cases that a newer suite brought. With the same suite there are none: then options differ."""
    if now.suite == baseline.suite:
        return frozenset()
    return frozenset(now.cases) - frozenset(baseline.cases)
