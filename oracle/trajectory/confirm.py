"""Suspects of a script's run, taken to its engine alone: probed, told apart, and placed, as `check` does it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

from oracle import suite
from oracle.case import Case
from oracle.judge.blame import judge_subject
from oracle.judge.causes import Demands, causes
from oracle.judge.equations import Failure, Traits
from oracle.judge.fault import Fault, Judgement
from oracle.judge.probe import Rule
from oracle.program import Program
from oracle.report import Cause
from oracle.subjects import LoadError, open_subject
from oracle.trajectory.events import BackwardCall

LEVELS = frozenset({"forward", "gradient", "accumulate", "coerce", "graph"})

LARGEST = 40
"""Values of the largest suite program that is asked."""

OWN = 1500
"""Values of the largest program of the script's own that is run again."""

SECONDS = 5.0


@dataclass(frozen=True)
class Confirmed:
    """What the engine shows by itself.

    causes, faults   those that concern the script, side by side
    traits           what was learned of the engine's conventions
    isolation        the tier it ran in
    found            how it is spoken to
    own              a fault to which the judge ascribes the script's own program, where nothing of it stays open
    """

    causes: tuple[Cause, ...]
    faults: tuple[Fault, ...]
    judgement: Judgement
    traits: Traits
    isolation: str
    found: dict[str, str]

    own: Fault | None = None

    def of(self, failure: Failure) -> int | None:
        """The cause, by index, that accounts for a wrong number of the script's run."""
        n = covering(self.faults, self.judgement, failure)
        if n is not None or self.own is None:
            return n
        return next(n for n, fault in enumerate(self.faults) if fault is self.own)


def confirm(call: BackwardCall, used: Set[Rule], demands: Demands) -> Confirmed | str:
    """Judge the engine behind a bad backward call, over what the script uses of it; or a sentence why it cannot be."""
    name, file, _ = call.engine
    if file is None:
        return "the engine's own file is not known, so that its rules could not be probed"
    target = f"{file.partition('#')[0]}:{name}"
    ops = {op for op, _ in used}
    cases = [case for case in suite.cases() if _asked(case, ops)]
    own = f"diff/step-{call.step + 1}"
    if call.program is not None and len(call.program) <= OWN:
        cases.append(Case(own, call.program))
    for allowed in ((), ("numpy",)):
        try:
            with open_subject(target, timeout=SECONDS, allow_imports=allowed) as subject:
                judgement = judge_subject(subject, cases)
                found, faults = causes(subject, judgement, demands)
                kept = [(c, f) for c, f in zip(found, faults, strict=True) if _concerns(f, judgement, used)]
                return Confirmed(
                    tuple(c for c, _ in kept),
                    tuple(f for _, f in kept),
                    judgement,
                    judgement.learned.traits,
                    subject.isolation,
                    dict(subject.found),
                    _blamed(judgement, own, [f for _, f in kept]),
                )
        except LoadError as problem:
            why = str(problem)
    return f"the engine could not be loaded by itself: {why}"


def _asked(case: Case, ops: Set[str]) -> bool:
    return (
        case.level in LEVELS
        and case.policy is None
        and len(case.program) <= LARGEST
        and set(case.program.ops) <= ops
    )


def _blamed(judgement: Judgement, own: str, kept: Sequence[Fault]) -> Fault | None:
    """The fault behind the script's own program as the judge accounts for it, if nothing there is left over."""
    if any(f.run.case.name == own for f in judgement.unexplained):
        return None
    blamed = judgement.blamed.get(own, [])
    return next((fault for fault in kept if any(fault is b for b in blamed)), None)


def _concerns(fault: Fault, judgement: Judgement, used: Set[Rule]) -> bool:
    """Whether a fault is one that the script can have met."""
    if fault.severity not in ("wrong", "imprecise") or fault.kind in ("missing", "resource"):
        return False
    if not fault.rules:
        return True
    return any(judgement.explained.get(rule) is fault or rule in fault.rules for rule in used)


def covering(faults: Sequence[Fault], judgement: Judgement, failure: Failure) -> int | None:
    """The fault, by index, that accounts for a failing number: of one of its rules, or of the whole engine."""
    rules = set(rules_of(failure.run.program, failure))
    for n, fault in enumerate(faults):
        if rules & set(fault.rules) or any(judgement.explained.get(rule) is fault for rule in rules):
            return n
    return next((n for n, fault in enumerate(faults) if not fault.rules), None)


def rules_of(program: Program, failure: Failure) -> list[Rule]:
    """The rules that feed a failing number."""
    ks = [failure.value] if failure.equation < 3 else [k for k, _ in failure.feeders]
    nodes = [program.producer(k) for k in ks]
    return [(node.op, program.form(node)) for node in nodes if node is not None]
