"""Placing a fault: the file and line of the rule that is wrong, from a trace of the smallest program that shows it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from oracle.case import Case
from oracle.judge.fault import NONE_FOR_RESULTS, ONE_FOR_ALL, SHADOWED, Fault
from oracle.judge.mistakes import one_sided
from oracle.judge.probe import Rule
from oracle.judge.symptoms import DETACHED, HUNG, wrong_pushes
from oracle.listing import stored
from oracle.recording import Recorder, Traced
from oracle.subjects import Place, Subject, Trace
from oracle.subjects.lines import block, condition, line_at, pieces, text_of
from oracle.vocabulary import VOCABULARY, Point

MUTABLE_DEFAULT = re.compile(r"\s*def .*=\s*(\[\]|\{\}|(set|dict|list)\(\))")
"""A def with a default argument that is made once, and outlives every call."""

GATHERS = r".*\b(set|frozenset|dict)\([^)]"
"""Where the operands of a node are made a set, or the keys of a dict."""


@dataclass(frozen=True)
class Located:
    """The place of a fault. within: the def line of backward where that may be at fault as a whole."""

    file: str
    line: int
    within: Place | None = None


def place(subject: Subject, fault: Fault, bad: Collection[Rule]) -> Located | None:
    """Where a fault is, or None where the subject has no lines to show or nothing is there to point at.

    bad: every rule that goes wrong, by this fault or by another
    """
    if fault.crash is not None and fault.kind in ("raises", "missing", "resource"):
        file, line = fault.crash.file or subject.file, fault.crash.line
        return None if line is None or file is None else Located(file, line)
    if fault.policy is not None:
        return None
    for attribute, at_fault in (
        ("data", fault.storage is not None and fault.kind == "forward"),
        ("gradient", fault.detail.startswith("start: ") or fault.detail == ONE_FOR_ALL),
    ):
        if at_fault:
            return _constructed(subject, attribute)
    rule, point = _shown_by(fault, subject.ops)
    slots = (
        [fault.slot]
        if fault.slot is not None
        else [s for s, k in enumerate(rule[1].split("-")) if k == "value"]
    )
    if (
        fault.slot is None
        and fault.measured is not None
        and (twice := one_sided(fault.measured.pushes)) is not None
    ):
        slots = [twice]
    case, o, leaves = _one_op(rule, point, under=fault.kind in ("derivative", "schedule"))
    trace = subject.trace(case)
    if trace is None:
        return None
    if fault.kind == "derivative" and fault.op is not None:
        pushed = [trace.own[leaf] for leaf in leaves.values()]
        several = next((places for places in pushed if len(places) > 1), None)
        if several is not None and () in pushed:  # what belongs to one operand goes to another
            where = several[0 if pushed[0] == () else -1]
            return Located(where.file, where.line)
    found = _in(subject, trace, fault, bad, o, [leaves[s] for s in slots if s in leaves])
    if found is None:
        return None
    if fault.kind == "derivative" and fault.op is not None and _masked(fault):
        by = condition(subject.file or "", found.file, found.line)
        if by is not None:
            return Located(found.file, by)
    if fault.kind == "forward" and (assigned := _assigned(subject, rule, found)) is not None:
        return assigned
    opening = _opening(trace.backward)
    unsure = fault.op is None and (fault.kind != "seed" or found == opening)
    if found.line == found.first:  # nothing in it was seen to do it
        return Located(found.file, found.line, found)
    return Located(found.file, found.line, opening if unsure else None)


def _masked(fault: Fault) -> bool:
    """Whether what goes wrong is only where something is pushed, and nothing elsewhere: by a condition, then."""
    pushes = fault.measured.pushes if fault.measured is not None else ()
    wrong = [p for p in pushes if not p.ok and fault.slot in (None, p.slot)]
    return (
        bool(wrong)
        and all(not p.observed or not p.expected for p in wrong)
        and any(p.observed for p in wrong)
    )


def _shown_by(fault: Fault, ops: Collection[str]) -> tuple[Rule, Point]:
    """A rule of the fault and operands at which it goes wrong."""
    measured = fault.measured
    if measured is None or not fault.rules:
        row = VOCABULARY[fault.op or next((op for op in ("mul", *VOCABULARY) if op in ops), "mul")]
        return (row.name, row.forms[0]), row.kinks[0].point if fault.detail == "kink" else row.points[0]
    rule = measured.rule
    wrong = [p for p in measured.pushes if not p.ok and fault.slot in (None, p.slot)]
    if fault.kind == "derivative" and wrong:
        sure = [p for p in wrong if p in wrong_pushes(measured, p.slot)]
        told = sure or wrong
        return rule, next((p for p in told if p.observed), told[0]).point  # nothing pushed leaves no trace
    for v in measured.values:
        if not v.ok or fault.kind != "forward":
            return rule, v.point
    return rule, VOCABULARY[rule[0]].points[0]


def _one_op(rule: Rule, point: Point, under: bool) -> tuple[Case, int, dict[int, int]]:
    """The op alone, or as an operand of the root; with the index of its result and of its leaves by slot."""
    r = Recorder()
    operands: list[Traced | int | float] = []
    leaves: dict[int, int] = {}
    for slot, (kind, x) in enumerate(zip(rule[1].split("-"), point, strict=True)):
        if kind == "value":
            value = r.input(x)
            leaves[slot] = value._index
            operands.append(value)
        else:
            operands.append(int(x) if kind == "int" else x)
    other = r.input(-1.4)
    o = r.node(rule[0], *operands)
    if under:
        _ = o * other
    return Case("probe/trace", r.finish()), o._index, leaves


def _in(
    subject: Subject, trace: Trace, fault: Fault, bad: Collection[Rule], o: int, leaves: list[int]
) -> Place | None:
    if fault.kind == "seed" and fault.op is None:
        return trace.seeds[0] if trace.seeds else _opening(trace.backward)
    if fault.kind == "lifecycle":
        touched = [place for leaf in leaves for place in trace.touched[leaf]]
        if touched:
            return touched[0]
    if fault.kind == "lifecycle" and fault.op is None:
        if (kept := _mutable_default(subject, trace.backward)) is not None:
            return kept
        # A leaf with one user is stored to once; an engine that resets stores twice, first the reset.
        resets = [trace.stores[leaf][0] for leaf in leaves if len(trace.stores[leaf]) > 1]
        return resets[0] if resets else _opening(trace.backward)
    if fault.detail == NONE_FOR_RESULTS:
        return trace.values[o]
    if fault.op is None:
        stored = next((places[-1] for leaf in reversed(leaves) if (places := trace.stores[leaf])), None)
        if fault.detail == "same-operand" and (gathered := _statement(subject, stored, GATHERS)) is not None:
            return gathered
        return (fault.kind in ("derivative", "accumulation") and stored) or _opening(trace.backward)
    if fault.kind == "seed" or fault.detail == SHADOWED:
        return _shadowing(subject, trace.methods[o]) or trace.values[o]
    if fault.kind in ("forward", "lifecycle"):
        return _own_frame(subject, trace, fault, bad, o)
    if fault.detail == HUNG:
        return _hanging(subject, trace.methods[o]) or trace.values[o]
    if fault.detail == DETACHED:
        return trace.values[o]
    for leaf in leaves:
        # A rule that resets before it adds goes wrong at the reset.
        pushed = trace.rule(o, leaf, first=fault.kind == "accumulation")
        if pushed == _opening(
            trace.values[o]
        ):  # nothing pushes: an op made of others lacks it in its own statement
            own = _own_frame(subject, trace, fault, bad, o)
            return pushed if own in (None, trace.values[o]) else own
        return pushed
    return None


def _mutable_default(subject: Subject, backward: Place | None) -> Place | None:
    """The def, of backward or in it, with a default argument that is made once and kept."""
    if backward is None or subject.file is None:
        return None
    texts = text_of(subject.file, backward.file).splitlines()
    for line in block(subject.file, backward.file, backward.first):
        if MUTABLE_DEFAULT.match(texts[line - 1]):
            return Place(backward.file, line, backward.function, line)
    return None


def _shadowing(subject: Subject, method: Place | None) -> Place | None:
    """Where an op gives its node an attribute of the name that backward has, so that it is called in its place."""
    spelled = re.match(r"root\.(\w+)", subject.found.get("backward", ""))
    return spelled and _statement(subject, method, rf"\w+\.{spelled[1]} = ")


def _hanging(subject: Subject, method: Place | None) -> Place | None:
    """Where an op gives an operand an attribute: the statement of its method that stores to one of its parameters."""
    opening = "" if method is None else line_at(subject.file or "", method.file, method.first)
    inside = re.match(r"\s*def \w+\(([^)]*)", opening)
    names = re.findall(r"(?:^|,)\s*(\w+)", inside[1]) if inside else []
    return _statement(subject, method, rf"(?:{'|'.join(names)})\.\w+ = ") if names else None


def _statement(subject: Subject, function: Place | None, pattern: str) -> Place | None:
    """The first line of a function's own that begins so; what is defined in it is not its own."""
    if function is None or subject.file is None:
        return None
    texts = text_of(subject.file, function.file).splitlines()
    body = block(subject.file, function.file, function.first)
    inner = [
        block(subject.file, function.file, n) for n in body[1:] if re.match(r"\s*(def|class) ", texts[n - 1])
    ]
    for line in body[1:]:
        if re.match(pattern, texts[line - 1].strip()) and not any(line in other for other in inner):
            return Place(function.file, line, function.function, function.first)
    return None


def _assigned(subject: Subject, rule: Rule, found: Place) -> Located | None:
    """Where a class takes the operator's method for the reflected one, `__rsub__ = __sub__`, if that was called."""
    row = VOCABULARY[rule[0]]
    if row.reflected is None or rule[1].startswith("value") or found.function == row.reflected:
        return None
    assigns = re.compile(rf"\s+{row.reflected} = \w+\b")
    for file, texts in pieces(subject.file or ""):
        for line, text in enumerate(texts, 1):
            if assigns.match(text):
                return Located(file, line)
    return None


def _constructed(subject: Subject, attribute: str) -> Located | None:
    """The statement of the constructor that gives a value this attribute, by its name, else its def; or the line of
    the class body, where there is no constructor."""
    if subject.file is None:
        return None
    name = re.escape(stored(attribute, subject.found).strip("_"))
    stores = re.compile(rf"([\w, .]*\bself\._*{name}\b[^=]*|_*{name}\b\s*(:[^=]*)?)=[^=]")
    opening = re.compile(rf"\s*class {subject.found.get('class', '')}\b")
    for file, texts in pieces(subject.file):
        for first in (n for n, text in enumerate(texts, 1) if opening.match(text)):
            body = block(subject.file, file, first)
            begin = next((n for n in body if texts[n - 1].strip().startswith("def __init__(")), None)
            inside = block(subject.file, file, begin) if begin is not None else body
            for line in inside:
                if stores.match(texts[line - 1].strip()):
                    return Located(file, line)
            if begin is not None:
                return Located(file, begin)
    return None


def _opening(place: Place | None) -> Place | None:
    """The def line of a function."""
    return None if place is None else Place(place.file, place.first, place.function, place.first)


def _own_frame(subject: Subject, trace: Trace, fault: Fault, bad: Collection[Rule], o: int) -> Place | None:
    """Where the op computed its value: the innermost statement, unless that is in a function that another rule
    computes with, and is right; then the statement that called it."""
    inner, outer = trace.values[o], trace.methods[o]
    if inner is None or outer is None or inner.first == outer.first:
        return inner or outer
    sound = [
        (op, form)
        for op in dict.fromkeys((fault.op, *VOCABULARY))
        if op in subject.ops
        for form in VOCABULARY[op].forms
    ]
    computed: set[str] = set()
    for rule in sound:
        if rule in bad or (rule[0] in computed and rule[0] != fault.op):
            continue
        case, other, _ = _one_op(rule, VOCABULARY[rule[0]].points[0], under=False)
        elsewhere = subject.trace(case)
        if elsewhere is None or elsewhere.values[other] is None:
            continue
        computed.add(rule[0])
        for place in (elsewhere.methods[other], elsewhere.values[other]):
            if place is not None and (place.file, place.first) == (inner.file, inner.first):
                return outer
    return inner
