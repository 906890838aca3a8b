"""From faults to causes: the name of the mistake, the sentence, the hints, the line, the example."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from oracle.judge import policies
from oracle.judge.example import again, example, pick
from oracle.judge.fault import Fault, Judgement, broken
from oracle.judge.network import NetworkFault
from oracle.judge.place import MUTABLE_DEFAULT, Located, place
from oracle.judge.repair import Repair, repair
from oracle.judge.sentences import words
from oracle.judge.sentences.base import MISNAMED, Words
from oracle.listing import stored
from oracle.report import Cause
from oracle.subjects import Subject
from oracle.subjects.lines import definition, line_at
from oracle.vocabulary import VOCABULARY

TRAVERSAL = ("schedule", "seed", "derivative", "accumulation", "lifecycle")
"""Kinds of cause whose line is looked for by trial where only the function is known."""


@dataclass(frozen=True)
class Demands:
    """What makes a cause fail a run: the profile, single demands by name, and --strict."""

    profile: str = "lecture"
    required: frozenset[str] = frozenset()
    strict: bool = False

    def demanded(self, fault: Fault, form: str | None) -> bool:
        """Whether a fault is demanded to be absent (design, section 3)."""
        if fault.severity == "wrong" or self.profile == "torch":
            return True
        if fault.severity == "imprecise":
            return self.strict
        if fault.severity == "policy":
            return fault.policy in self.required
        if fault.kind == "network":
            return policies.NETWORK in self.required
        if broken(fault):
            return True
        forms = {policies.general(f) for _, f in fault.rules}
        names = {fault.op} | forms | {f"{fault.op}:{f}" for f in forms}
        return bool(names & self.required) or any((fault.op, f) in policies.LECTURE for f in forms)


def causes(subject: Subject, judgement: Judgement, demands: Demands) -> tuple[list[Cause], list[Fault]]:
    """All causes, the demanded and wrong ones first, and the faults they were made of, in the same order."""
    rank = {"wrong": 0, "imprecise": 1, "missing": 2, "policy": 3}
    out: list[tuple[Cause, Fault]] = []
    for fault in (*judgement.faults, *_absent(judgement, demands)):
        if isinstance(fault, NetworkFault):
            out.append((_network(subject, fault, demands), fault))
            continue
        form = form_of(fault, judgement)
        out.append((_cause(subject, judgement, fault, form, demands), fault))
    out.sort(key=lambda pair: (not pair[0].demanded, rank[pair[0].severity]))
    return [cause for cause, _ in out], [fault for _, fault in out]


def _absent(judgement: Judgement, demands: Demands) -> list[Fault]:
    """Required ops that the subject does not have at all."""
    out = []
    for op in sorted({name.partition(":")[0] for name in demands.required} & VOCABULARY.keys()):
        cases = [o.case for o in judgement.outcomes if o.answer.unsupported == op]
        if cases:
            rules = [(op, form) for form in VOCABULARY[op].forms]
            out.append(
                Fault("missing", "missing", op, rules=rules, evidence=[(case, None) for case in cases])
            )
    return out


def form_of(fault: Fault, judgement: Judgement) -> str | None:
    """The forms at fault in one word: None for all that exist, else e.g. "number-value", "value-int"."""
    if fault.op is None or not fault.rules:
        return None
    row = VOCABULARY[fault.op]
    if row.arity == 1:
        return None
    faulty = {form for _, form in fault.rules}
    explained = {
        rule[1] for rule, known in judgement.explained.items() if rule[0] == fault.op and known is fault
    }
    faulty |= explained
    if fault.kind == "missing":
        offered = set(row.forms)
    else:
        offered = {f for (op, f), m in judgement.measured.items() if op == fault.op and m.missing is None}
    if fault.kind == "missing" and faulty != offered and not faulty >= {f for f in offered if f[0] == "v"}:
        return _general(faulty)
    return None if "value-value" in faulty or faulty == offered else _general(faulty)


def _general(forms: Iterable[str]) -> str:
    forms = set(forms)
    general = {policies.general(f) for f in forms}
    if len(forms) == 1:
        return forms.pop()
    if len(general) == 1:
        return general.pop()
    return ", ".join(sorted(general))


def _cause(subject: Subject, judgement: Judgement, fault: Fault, form: str | None, demands: Demands) -> Cause:
    said = words(fault, form, subject.near_misses)
    where = place(subject, fault, judgement.explained)
    if said.mistake == MISNAMED and subject.file is not None:
        defined = definition(subject.file, said.message.split("called ")[1].partition(",")[0])
        where = defined and Located(*defined)
    mended = None
    if where is not None and where.within is not None and fault.kind in TRAVERSAL:
        mended = repair(subject, judgement, fault, where.within)
        where = where if mended is None else Located(mended.file, mended.edit.line)
    line = "" if where is None else line_at(subject.file or "", where.file, where.line)
    detail = _shown_by_line(subject, fault, line, mended)
    if detail is not None:
        said = words(replace(fault, detail=detail), form, subject.near_misses)
    shown = pick(fault)
    drawn = None
    if shown is not None and fault.severity in ("wrong", "imprecise"):
        case, failure = shown
        checked = next(
            c
            for o in judgement.outcomes
            if o.case.name == case.name
            for c in o.checked
            if failure in c.failures
        )
        drawn = example(fault, checked, failure, subject.found, judgement.learned.traits.unit)
    demanded = demands.demanded(fault, form)
    if drawn is None and (demanded or fault.severity in ("wrong", "imprecise")):
        drawn = again(fault, subject)
    hints = _with_line(said, line, mended)
    return Cause(
        fault.kind,
        fault.severity,
        demanded,
        fault.op,
        fault.slot,
        form,
        said.mistake,
        said.message,
        None if where is None else where.file,
        None if where is None else where.line,
        tuple(dict.fromkeys(case.name for case, _ in fault.evidence)),
        fault.numbers,
        drawn,
        hints,
        fault.policy,
        fault.numbers - fault.proven if fault.severity in ("wrong", "imprecise") else 0,
    )


def _shown_by_line(subject: Subject, fault: Fault, line: str, mended: Repair | None) -> str | None:
    """A fault's detail, where its line, and what was done to it, say more than its numbers."""
    how = None if mended is None else mended.edit.how
    if how == "reordered" and fault.detail == "operands lost":
        return "not passed on"
    if fault.kind == "lifecycle" and fault.op is None and MUTABLE_DEFAULT.match(line):
        return "survives"
    if how == "removed" and f".{stored('gradient', subject.found)} = " in line:
        return "resets"
    return None


def _network(subject: Subject, fault: NetworkFault, demands: Demands) -> Cause:
    """The cause of a defect of the network beside the engine."""
    said = Words(fault.detail, fault.message, fault.hints)
    file, line = fault.where or (None, None)
    return Cause(
        fault.kind,
        fault.severity,
        demands.demanded(fault, None),
        None,
        None,
        None,
        fault.detail,
        fault.message,
        file,
        line,
        tuple(dict.fromkeys(case.name for case, _ in fault.evidence)),
        fault.numbers,
        fault.shown,
        _with_line(said, "" if fault.where is None else line_at(subject.file or "", *fault.where)),
    )


def _with_line(said: Words, line: str, mended: Repair | None = None) -> tuple[str, str, str]:
    """The hints, the last one with the line as it stands and, where that is certain, as it should be."""
    line = line.strip()
    return (*said.hints[:2], f"{said.hints[2]} {_about(line, mended, said)}") if line else said.hints


ASSIGNED = re.compile(r"(?P<target>[\w.\[\]]+) = (?P<share>[^=].*)")
"""A plain assignment, alone on its line."""


def _about(line: str, mended: Repair | None, said: Words) -> str:
    """The subject's own line, and what it should be where that is certain."""
    if mended is None:
        better = _corrected(said.mistake, line, said.message)
        return f"The line now reads: {line}" + ("" if better is None else f", and should read: {better}")
    edit = mended.edit
    which, it, ended = f"The line {line} belongs", "it", "it ends"
    if len(edit.lines) > 1:
        which, it, ended = f"The {len(edit.lines)} lines from {line} on belong", "them", "they end"
    so = {
        "added": f"Next to the line {line} belongs: {edit.after}",
        "removed": f"The line {line} should go",
        "inside": f"{which} inside the block above {it}",
        "outside": f"{which} behind the block that {ended}",
        "reordered": f"The line {line} belongs behind its neighbour",
        "otherwise": f"The line now reads: {line}, and should read: {edit.after}",
    }[edit.how if not (edit.how == "reordered" and edit.after) else "otherwise"]
    return f"{so} (tried: then every program comes out right)"


def _corrected(mistake: str | None, line: str, message: str) -> str | None:
    """The line without its mistake, where there is only one way to write it; else None."""
    if mistake == "overwrite":
        assigned = ASSIGNED.fullmatch(line)
        return assigned and f"{assigned['target']} += {assigned['share']}"
    if mistake == MISNAMED:
        wrong, _, right = message.partition("called ")[2].partition(", Python looks for ")
        return line.replace(wrong, right) if wrong and wrong in line else None
    return None
