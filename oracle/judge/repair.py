"""Repair by trial: the line of a traversal whose change makes right every program that goes wrong by it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import islice

from oracle.case import Backward, Case
from oracle.judge.edits import Edit, edits
from oracle.judge.equations import Traits
from oracle.judge.fault import Fault, Judgement
from oracle.judge.probe import Outcome, ask
from oracle.listing import stored
from oracle.subjects import LoadError, Place, Subject
from oracle.subjects.lines import text_of

TRIED = 64
"""Edits that are tried at most."""

AT_ONCE = 2
"""Workers that try edits side by side."""

TIMEOUT = 0.5
"""Seconds for a case of a few values: an edit may well loop for ever."""

PROGRAMS = 12
"""Programs that must come out right first, of those that fail and of those that do not; then all must."""

SMALL = 60
"""Values of the largest of them."""

LARGE = 2_000
"""Values of the largest program that is tried at all."""

WALKS = ("accumulate", "graph", "lifecycle", "nn", "training")
"""Levels of the cases that show how a graph is walked."""


@dataclass(frozen=True)
class Repair:
    """The edit that makes everything right, and the file (or notebook's cell) that it is of."""

    file: str
    edit: Edit


def repair(subject: Subject, judgement: Judgement, fault: Fault, within: Place) -> Repair | None:
    """The first of the likely edits of the function `within` that repairs it, or None.

    Proven by running: all programs that fail by this fault alone come out right, and of the others none is lost.
    """
    if subject.file is None:
        return None
    if subject.seeds:  # wrong by the missing seed as well is as good as by this alone
        blamed = {
            name: [f for f in faults if f is fault or f.kind != "seed"]
            for name, faults in judgement.blamed.items()
        }
        judgement = replace(judgement, blamed=blamed)
    failing, sound = _programs(judgement, fault)
    text = text_of(subject.file, within.file)
    if not failing or not text:
        return None
    found = subject.found
    leave = {found[op].removeprefix("a.").partition("(")[0] for op in subject.ops if op in found}
    names = [stored("data", found), stored("gradient", found)]
    kind = fault.kind if fault.kind in ("seed", "lifecycle") else "schedule"
    try:
        tried = list(islice(edits(text, within.first, kind, leave, names), TRIED))
    except (SyntaxError, ValueError, RecursionError):
        return None
    seeds = subject.seeds and fault.kind != "seed"
    first = [failing[:1], failing[1:] + sound]
    whole = [o.case for o in judgement.outcomes if o.case.level in WALKS and _told(o, fault, judgement)]
    whole.sort(key=lambda case: len(case.program))
    rest = [whole[n : n + PROGRAMS] for n in range(0, len(whole), PROGRAMS)]
    traits = judgement.learned.traits
    with ExitStack() as stack, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            benches = [stack.enter_context(subject.edited(within.file, (), TIMEOUT)) for _ in range(AT_ONCE)]
        except LoadError:  # it has loaded before: the machine is too busy for trials
            return None
        for bench in benches:
            bench.seeds = seeds
        for some in (tried[n : n + AT_ONCE] for n in range(0, len(tried), AT_ONCE)):
            ok = pool.map(
                lambda bench, edit: _promising(bench, within.file, edit, first, traits), benches, some
            )
            for edit in (edit for edit, promising in zip(some, list(ok), strict=True) if promising):
                if _right(subject, within.file, edit, first + rest, traits, seeds):
                    return Repair(within.file, edit)
    return None


def _told(o: Outcome, fault: Fault, judgement: Judgement) -> bool:
    """Whether a case is right, or wrong by this fault alone: a repair has to make it so."""
    if o.case.policy or o.answer.unsupported or len(o.case.program) > LARGE:
        return False
    return judgement.blamed.get(o.case.name, [fault]) == [fault]


def _programs(judgement: Judgement, fault: Fault) -> tuple[list[Case], list[Case]]:
    """Small programs that fail by this fault alone, and some that are right with it, smallest first."""
    named = {case.name for case, _ in fault.evidence}
    failing, sound = [], []
    for o in judgement.outcomes:
        walked = any(isinstance(step, Backward) for step in o.case.steps)
        if (
            o.case.level == "edge"
            or not walked
            or len(o.case.program) > SMALL
            or not _told(o, fault, judgement)
        ):
            continue
        if o.case.name in named:
            failing.append(o.case)
        elif o.answer.ok and not any(c.failures for c in o.checked) and len(o.case.program.ops) > 1:
            sound.append(o.case)
    by_size = sorted(failing, key=lambda case: (len(case.program), case.name))
    spread = sound[:: max(1, len(sound) // PROGRAMS)]
    return by_size[:: max(1, len(by_size) // PROGRAMS)][:PROGRAMS], spread[:PROGRAMS]


def _promising(bench: Subject, file: str, edit: Edit, several: Sequence[list[Case]], traits: Traits) -> bool:
    """Whether an edited engine is right in some cases, then in more, in a worker that others have used before."""
    try:
        bench.edit(file, edit.lines)
    except LoadError:
        return False
    return _all_right(bench, several, traits)


def _right(
    subject: Subject, file: str, edit: Edit, several: Sequence[list[Case]], traits: Traits, seeds: bool
) -> bool:
    """The same in a worker of its own, with more patience: this proves it."""
    try:
        with subject.edited(file, edit.lines, 4 * TIMEOUT) as other:
            other.seeds = seeds
            return _all_right(other, several, traits)
    except LoadError:
        return False


def _all_right(subject: Subject, several: Sequence[list[Case]], traits: Traits) -> bool:
    """Whether every case comes out right; an edit after which nothing back-propagates leaves none that could not."""
    return subject.has_backward and all(
        o.answer.ok and not any(c.failures for c in o.checked)
        for cases in several
        for o in ask(subject, cases, traits)
    )
