"""From failing equations to causes: probe every rule, collapse, compose, and account for every wrong number.

The procedure, in order: learn the subject's traits; ask the equations of the whole suite; where anything
fails, probe every rule; see whether all rules fail alike; otherwise blame rules from primitive to composite,
leaving out those that a rewrite explains; what remains wrong while every rule is right is a fault of the
traversal, or of what outlives a backward. See design, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from oracle import suite
from oracle.case import Case
from oracle.judge.blame import account, crashes, remainder, rules, whole
from oracle.judge.blame.ledger import Ledger
from oracle.judge.equations import Traits
from oracle.judge.fault import Judgement
from oracle.judge.probe import Outcome, ask, ask_again
from oracle.judge.traits import learn
from oracle.subjects import Subject


def judge_subject(subject: Subject, cases: Sequence[Case]) -> Judgement:
    """Run the cases on a subject and find the causes of whatever is wrong."""
    learned = learn(subject)
    outcomes = ask(subject, cases, learned.traits)
    outcomes += _of_values(subject, outcomes, learned.traits)
    outcomes, flips = _twice(subject, outcomes, learned.traits)
    return replace(_blame(Ledger(subject, learned, outcomes)), flips=flips)


SET_ORDER = ("accumulate", "graph", "lifecycle", "nn", "training")
"""Levels in which the order of a set of nodes may matter."""


def _of_values(subject: Subject, outcomes: list[Outcome], traits: Traits) -> list[Outcome]:
    """The graphs that stopped at a plain number, with values in the place of numbers: an engine that takes none beside
    a value is still asked how it walks a graph."""
    stopped = [
        o.case
        for o in outcomes
        if o.case.level in ("graph", "nn")
        and not o.case.policy
        and crashes.at_a_number(o)
        and len(o.case.program) <= TWICE_AT_MOST
    ]
    return [o for o in ask(subject, [suite.of_values(case) for case in stopped], traits) if o.answer.ok]


TWICE_AT_MOST = 2000
"""Values of the largest program that is run again: what a set's order changes, small ones show."""


def _twice(subject: Subject, first: list[Outcome], traits: Traits) -> tuple[list[Outcome], frozenset[str]]:
    """Run the cases where set order could matter again, in a fresh process with the reverse order. Of two
    different verdicts on a case the worse one counts, and the case is named."""
    again = [
        n
        for n, o in enumerate(first)
        if o.case.level in SET_ORDER and not o.case.policy and len(o.case.program) <= TWICE_AT_MOST
    ]
    subject.reverse_sets()
    second = ask_again(subject, [first[n] for n in again], traits)
    merged, flips = list(first), set()
    for n, other in zip(again, second, strict=True):
        if _signature(first[n]) != _signature(other):
            flips.add(other.case.name)
            if _signature(first[n]) == ((), None):
                merged[n] = other
    return merged, frozenset(flips)


def _signature(o: Outcome) -> tuple[tuple[tuple[int, int], ...], str | None]:
    """What went wrong in a case, without the numbers."""
    crash, lost = o.answer.crash, o.answer.lost
    failed = tuple((f.equation, f.value) for c in o.checked for f in c.failures)
    return failed, crash.type if crash is not None else lost


def _blame(ledger: Ledger) -> Judgement:
    """The procedure: each step adds faults to the ledger and strikes out the failures that they account for."""
    whole.storage(ledger)
    crashes.at_special_points(ledger)
    whole.differences(ledger)
    whole.altered_alike(ledger)
    whole.small_dropped(ledger)
    whole.one_for_all(ledger)
    whole.seed(ledger)
    if rules.anything_wrong(ledger):
        whole.leaks(ledger)
        rules.probe(ledger)
        whole.shadowed(ledger)
        if not whole.everywhere_alike(ledger):
            rules.blame(ledger)
    else:
        rules.probe(ledger, crashes.crashed(ledger))
        rules.blame(ledger)
    rules.unite_missing(ledger)
    crashes.absent_at_special_points(ledger)
    account.account(ledger)
    for step in WHAT_NO_RULE_EXPLAINS:
        step(ledger)
    crashes.lost(ledger)
    crashes.unite_raising(ledger)
    return ledger.judgement()


WHAT_NO_RULE_EXPLAINS = (
    remainder.special_points,
    remainder.constructor,
    remainder.mutation,
    remainder.schedule,
    remainder.later_steps,
    remainder.kinks,
)
"""In this order: each takes what the ones before left."""
