"""What changed: a report beside a baseline, or beside an earlier report, in sentences; and whether that fails a gate.

A gate fails by what got worse, and by what got better as long as the baseline does not say so: a baseline that
accepts more than there is would let it come back. What only a newer suite can see is announced.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from oracle.baseline import SEVERITIES, Accepted, Baseline, Fingerprint
from oracle.report import Cause, Report
from oracle.reports import words
from oracle.reports.clean import no_command

SLACK_ULP = 1.0
"""An error may grow by this much, in ulp: the last bit of exp and its like differs between C libraries."""

SLACK_RATIO = 1.25
"""… or by this factor: a large error is the size of a cancellation, and moves with the last bit."""

SLOWER = 1.5
"""A ratio to minigrad's time may grow by this factor before it counts. Ratios of two runs on one busy machine
differ by up to 1.25 (measured, see `oracle.benchmark`)."""

NAMED = 4
"""Cases that a sentence names before it counts the rest."""

# How far an outcome is from a pass; a case gets worse when this grows.
_DISTANCE = {"pass": 0, "policy": 1, "imprecise": 1, "unsupported": 2, "not run": 4}
_FAILED = 3


@dataclass(frozen=True)
class Change:
    """One difference.

    fails    whether a gate fails by it
    text     the sentence
    cause    the cause that it is about, when that is there now
    follows  whether a rule that has become wrong could be the reason
    """

    fails: bool
    text: str
    cause: Fingerprint | None = None
    follows: bool = False


def compare(
    report: Report,
    baseline: Baseline,
    today: date,
    speed: Mapping[str, float] | None = None,
) -> tuple[Change, ...]:
    """How a report differs from a baseline, in the order in which a reader wants to know.

    `speed`: what was timed → time as a multiple of minigrad's, when it was measured.
    """
    now = Baseline.of(report, speed)
    found = [
        *_causes(report, baseline, now, today),
        *_cases(report, baseline, now),
        *_unexplained(baseline, now),
        *_ops(baseline, now),
        *_speed(baseline, now),
        *_versions(baseline, now),
    ]
    if any(
        change.fails and now.accepted[change.cause].severity == "wrong" for change in found if change.cause
    ):
        found = _without_what_follows(found)
    return tuple(sorted(found, key=lambda change: not change.fails))


def _without_what_follows(found: list[Change]) -> list[Change]:
    """A wrong rule hides choices of the engine, and leaves other rules untested: no news of their own."""
    kept = [change for change in found if not change.follows]
    if hidden := len(found) - len(kept):
        more = (
            f"{words.count(hidden, 'more difference')} may follow from that; see again when it is repaired."
        )
        kept.append(Change(False, more))
    return kept


def between(old: Report, new: Report) -> tuple[Change, ...]:
    """How one report differs from an earlier one of the same engine."""
    return compare(new, Baseline.of(old), date.min)


def judged(report: Report, changes: Iterable[Change]) -> Report:
    """The report as a gate sees it: a cause is demanded when a change that fails is about it, and the exit code
    is 1 when anything fails. A report that judged nothing (exit codes 3, 4, 5) stays as it is."""
    if report.exit_code not in (0, 1):
        return report
    changes = tuple(changes)
    failing = {change.cause for change in changes if change.fails}
    return dataclasses.replace(
        report,
        exit_code=int(any(change.fails for change in changes)),
        causes=tuple(
            dataclasses.replace(cause, demanded=cause.fingerprint in failing) for cause in report.causes
        ),
        notes=(*report.notes, *map(_note, changes)),
    )


FAILS, STATED = "baseline, fails: ", "baseline: "
"""How a report's notes on the baseline begin."""


def _note(change: Change) -> str:
    return (FAILS if change.fails else STATED) + change.text


def render(changes: Iterable[Change], baseline: Baseline, name: str) -> str:
    """The comparison as the terminal shows it: the verdict, every change, and what is accepted."""
    changes = tuple(changes)
    failing = sum(change.fails for change in changes)
    verdict = f"{words.count(failing, 'change')} that the gate does not accept" if failing else "no change"
    if baseline.accepted:
        n = len(baseline.accepted)
        verdict += f"; {words.count(n, 'cause')} {'is' if n == 1 else 'are'} accepted"
    lines = [f"{words.MARKS['bad' if failing else 'ok']} Against {name}: {verdict}."]
    lines += [f"  {words.MARKS['bad' if change.fails else 'note']} {change.text}" for change in changes]
    lines += [f"  accepted: {said}" for said in map(_accepted, baseline.accepted.values())]
    return no_command("\n".join(lines)) + "\n"


def _accepted(row: Accepted) -> str:
    said = row.message.rstrip(". ")
    until = f" until {row.expires}" if row.expires else ""
    return f"{said}{until}" + (f": {row.reason}" if row.reason else "")


# The kinds of change -----------------------------------------------------------------------------------------


def _causes(report: Report, baseline: Baseline, now: Baseline, today: date) -> Iterator[Change]:
    unknown = _new_cases(baseline, now)
    seen: set[Fingerprint] = set()
    for cause in report.causes:
        key = cause.fingerprint
        if key in seen:
            continue
        seen.add(key)
        known = baseline.accepted.get(key)
        if known is None:
            if unknown and cause.cases and unknown.issuperset(cause.cases):
                yield Change(False, f"only new cases of the suite show it: {_sentence(cause)}.")
            else:
                yield Change(True, f"new: {_sentence(cause)}.", key)
        elif _rank(now.accepted[key]) > _rank(known):
            worse = f"{known.severity} became {now.accepted[key].severity}"
            yield Change(True, f"worse, {worse}: {_sentence(cause)}.", key)
        elif known.expires is not None and known.expires < today:
            over = f"accepted until {known.expires}, which is over"
            yield Change(True, f"{over}: {_sentence(cause)}. Repair it, or give it another date.", key)
    for key, known in baseline.accepted.items():
        if key not in now.accepted:
            yield Change(True, f"fixed: {known.message.rstrip('. ')}. {_UPDATE}", follows=True)


_UPDATE = "Update the baseline, so that it cannot come back (--update-baseline)."


def _rank(row: Accepted) -> int:
    return SEVERITIES.index(row.severity)


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
    withdrawn = {op for op, result in baseline.ops.items() if result.offered and not _offers(now, op)}
    told |= {c.name for c in report.cases if c.outcome == "unsupported" and c.detail in withdrawn}
    both = [(name, before, now.cases[name]) for name, before in baseline.cases.items() if name in now.cases]
    worse = [
        f"{name} ({before} → {after})"
        for name, before, after in both
        if _distance(after) > _distance(before) and name not in told
    ]
    if worse:
        yield Change(True, f"{words.count(len(worse), 'case')} got worse: {words.listing(worse, NAMED)}.")
    gone = any(key not in now.accepted for key in baseline.accepted)
    better = [
        f"{name} ({before} → {after})" for name, before, after in both if _distance(after) < _distance(before)
    ]
    if better and not gone:
        yield Change(False, f"{words.count(len(better), 'case')} got better: {words.listing(better, NAMED)}.")
    lost = [name for name in baseline.cases if name not in now.cases]
    if lost and now.suite == baseline.suite:
        yield Change(
            True,
            f"{words.count(len(lost), 'case')} of the baseline did not run: {words.listing(lost, NAMED)}. Leave out "
            "--level and --case, or give that selection a baseline of its own.",
        )
    elif lost:
        yield Change(
            False, f"suite {now.suite} no longer has {words.count(len(lost), 'case')} of the baseline."
        )


def _distance(outcome: str) -> int:
    return _DISTANCE.get(outcome, _FAILED)


def _unexplained(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    if now.unexplained == baseline.unexplained:
        return
    grew = now.unexplained > baseline.unexplained
    yield Change(
        grew and now.suite == baseline.suite,
        f"{words.count(now.unexplained, 'wrong number')} without an explanation, {baseline.unexplained:,} before.",
    )


def _ops(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    same_suite = now.suite == baseline.suite
    for op, before in baseline.ops.items():
        after = now.ops.get(op)
        if after is None:
            yield Change(False, f"{op}: this version of the oracle does not know it any more.")
        elif before.offered and not after.offered:
            yield Change(True, f"{op} is no longer offered.")
        elif after.offered and not before.offered:
            yield Change(
                True, f"{op} is offered now. Update the baseline, so that it stays (--update-baseline)."
            )
        elif before.exercised and not after.exercised:
            yield Change(same_suite, f"{op} is no longer exercised: no case tests its rules.", follows=True)
        elif before.offered:
            for what, old, new in (
                ("value", before.data_ulp, after.data_ulp),
                ("gradient", before.grad_ulp, after.grad_ulp),
            ):
                if new > old:
                    far = new > max(old + SLACK_ULP, old * SLACK_RATIO)
                    text = f"{op}: the largest error of its {what} grew from {old:,.4g} to {new:,.4g} ulp."
                    yield Change(far and same_suite, text, follows=True)


def _offers(now: Baseline, op: str) -> bool:
    return op in now.ops and now.ops[op].offered


def _speed(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    for name, ratio in now.speed.items():
        before = baseline.speed.get(name)
        if before is None:
            yield Change(
                False, f"speed: {name} is not in the baseline; --update-baseline --benchmark adds it."
            )
        elif ratio > before * SLOWER:
            yield Change(
                True,
                f"slower: {name} takes {ratio:.2f} times as long as minigrad, {before:.2f} times in the baseline "
                f"({SLOWER:g}-fold is tolerated).",
            )
    if now.speed and (lost := [name for name in baseline.speed if name not in now.speed]):
        yield Change(True, f"speed: no time for {words.listing(lost)}: the programs did not run.")


def _versions(baseline: Baseline, now: Baseline) -> Iterator[Change]:
    if now.suite != baseline.suite:
        yield Change(False, f"the baseline was made with suite {baseline.suite}, this run with {now.suite}.")
    if now.reference != baseline.reference:
        yield Change(
            False, f"the baseline was made with PyTorch {baseline.reference}, this run with {now.reference}."
        )
    if now.subject != baseline.subject:
        yield Change(False, f"the baseline was made for {baseline.subject}, this run is of {now.subject}.")
    if unknown := sorted(_new_cases(baseline, now)):
        bad = sum(_distance(now.cases[name]) == _FAILED for name in unknown)
        yield Change(
            False,
            f"{words.count(len(unknown), 'new case')} of suite {now.suite}, {bad} of them not passed, which the gate "
            f"does not count yet: {words.listing(unknown, NAMED)}. --update-baseline takes them in.",
        )
    if unknown := [op for op in now.ops if op not in baseline.ops]:
        yield Change(
            False, f"not in the baseline: {words.listing(unknown)}. --update-baseline takes them in."
        )


def _new_cases(baseline: Baseline, now: Baseline) -> frozenset[str]:
    """The cases that a newer suite brought. With the same suite there are none: then options differ."""
    if now.suite == baseline.suite:
        return frozenset()
    return frozenset(now.cases) - frozenset(baseline.cases)
