"""A fault: a cause under construction; and everything that the judge found about one subject."""

from __future__ import annotations

from dataclasses import dataclass, field

from oracle.case import Case, Crash
from oracle.judge.equations import Exercise, Failure
from oracle.judge.probe import Measured, Outcome, Rule
from oracle.judge.storage import Storage
from oracle.judge.traits import Learned
from oracle.report import Kind, Severity
from oracle.vocabulary import VOCABULARY

NONE_FOR_RESULTS = "no gradient for results"
"""The detail of an engine that adds no gradient to a value that was computed."""

ONE_FOR_ALL = "one for all"
"""The detail of an engine whose values share one gradient."""

SHADOWED = "shadowed"
"""The detail of an op that stores what it pushes under the name of backward."""


@dataclass
class Fault:
    """A cause under construction.

    rules      the rules that show it (empty: the whole engine)
    measured   what the probes of its first rule showed
    cases      suite cases that fail because of it, with one failing number each where there is one
    numbers    how many numbers are wrong because of it
    detail     the symptom's detail, or a policy's name
    storage    how the engine keeps its numbers, where that is the fault; seen: an example, in words
    """

    kind: Kind
    severity: Severity
    op: str | None = None
    slot: int | None = None
    rules: list[Rule] = field(default_factory=list)
    measured: Measured | None = None
    detail: str = ""
    storage: Storage | None = None
    seen: str = ""
    policy: str | None = None
    crash: Crash | None = None
    evidence: list[tuple[Case, Failure | None]] = field(default_factory=list)
    numbers: int = 0
    proven: int = 0

    def note(self, case: Case, failure: Failure | None, explained: bool = True) -> None:
        self.evidence.append((case, failure))
        self.numbers += failure is not None
        self.proven += failure is not None and explained


@dataclass
class Judgement:
    """Everything the judge found about one subject."""

    learned: Learned
    outcomes: list[Outcome]
    faults: list[Fault]
    explained: dict[Rule, Fault]
    blamed: dict[str, list[Fault]]
    unexplained: list[Failure]
    measured: dict[Rule, Measured]
    exercised: dict[Exercise, float]
    flips: frozenset[str] = frozenset()


def broken(fault: Fault) -> bool:
    """Whether an op that never gives a node is there, and broken: it returns nothing, or stops at a name that nothing
    has, whatever its operands are. (A method of the same name for something else may raise anything else.)"""
    crash = fault.crash
    if crash is None or not crash.inside or fault.op is None:
        return False
    if {form for _, form in fault.rules} < set(VOCABULARY[fault.op].forms):
        return False
    nameless = crash.type == "AttributeError" and crash.message.startswith("module ")
    return crash.type in ("NameError", "UnboundLocalError", "NoResult") or nameless
