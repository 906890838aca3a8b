"""Blaming rules: probe each of them, and name those that no other explains, from primitive to composite."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence

from oracle import standard_reference
from oracle.judge import policies
from oracle.judge.blame.crashes import raised_in_backward
from oracle.judge.blame.ledger import Ledger
from oracle.judge.compose import leaves_alone, rewrites, walk
from oracle.judge.fault import SHADOWED, Fault
from oracle.judge.mistakes import ARITHMETIC, misdirected, name_derivative, name_value, one_sided, undefined
from oracle.judge.predict import alike
from oracle.judge.probe import UNREADABLE, Measured, Outcome, Rule, measure, one_op
from oracle.judge.symptoms import (
    Symptom,
    symptoms,
    telling_pushes,
    without_lost_wraps,
    wrong_alone,
    wrong_pushes,
)
from oracle.report import Severity
from oracle.subjects import Place
from oracle.vocabulary import VOCABULARY, Point

CRASH_AT_MOST = 40
"""Values of the largest program that raised and is searched for the operands at which one of its rules does."""


def anything_wrong(ledger: Ledger) -> bool:
    """Whether an equation fails at an ordinary point, or a backward raises: reason to probe every rule."""
    if any(f.ordinary and not f.run.case.policy for f in ledger.open):
        return True
    return any(raised_in_backward(o) for o in ledger.outcomes)


def probe(ledger: Ledger, rules: Sequence[Rule] | None = None) -> None:
    """Measure rules (all that the suite uses, if none are given), also at the operands where they failed."""
    if rules is None:
        absent = {o.answer.unsupported for o in ledger.outcomes}
        rules = list(
            dict.fromkeys(
                (node.op, o.case.program.form(node))
                for o in ledger.outcomes
                for _, node in o.case.program.nodes()
                if node.op not in absent
            )
        )
    extra: dict[Rule, tuple[Point, ...]] = {}
    for f in ledger.open:
        ks = [f.value] if f.equation == 2 else [k for k, _ in f.feeders]
        for k in ks:
            rule, point = f.run.rule(k), f.run.point(k)
            known = extra.get(rule, ())
            if len(known) < 3 and point not in known:
                extra[rule] = (*known, point)
    for o in sorted(ledger.outcomes, key=lambda o: len(o.case.program)):
        for rule, point in _crash_points(o):
            known = extra.get(rule, ())
            if len(known) < 6 and point not in known:
                extra[rule] = (*known, point)
    ledger.measured = measure(ledger.subject, walk(rules), ledger.traits, extra)
    found = {rule: symptoms(m) for rule, m in ledger.measured.items()}
    ledger.symptoms = without_lost_wraps(ledger.measured, found)
    _confirm(ledger)


def _confirm(ledger: Ledger) -> None:
    """A rule that is wrong at few points must be wrong beside them, too, or they were coincidences (of a
    traversal that skips nodes with equal numbers, say)."""
    beside: dict[Rule, tuple[Point, ...]] = {}
    for rule, found in ledger.symptoms.items():
        m = ledger.measured[rule]
        at = {p.point for s in found if s.kind == "derivative" for p in wrong_pushes(m, s.slot or 0)}
        if at and len(at) <= 3 and any(s.kind == "derivative" for s in found):
            beside[rule] = tuple(_nudged(rule, point, n) for point in at for n in (1, 2))
    for rule, m in measure(ledger.subject, list(beside), ledger.traits, beside).items():
        wrong = {p.point for s in symptoms(m) if s.kind == "derivative" for p in wrong_pushes(m, s.slot or 0)}
        if not wrong & set(beside[rule]):
            ledger.symptoms[rule] = tuple(s for s in ledger.symptoms[rule] if s.kind != "derivative")


def blame(ledger: Ledger, kinds: frozenset[str] | None = None, own: Collection[Rule] = ()) -> None:
    """Blame rules from primitive to composite.

    kinds  the only kinds of fault that are a rule's own, where the engine as a whole is at fault; but not for the
           rules `own`: what they push at the root
    """
    for rule in _inside_first(ledger, walk([r for r in ledger.measured if ledger.symptoms[r]])):
        found = tuple(
            s
            for s in ledger.symptoms[rule]
            if kinds is None
            or s.kind in kinds
            or (rule in own and s.kind == "derivative" and wrong_alone(ledger.measured[rule], s.slot or 0))
        )
        if any(s.kind in ("forward", "derivative") for s in found) and _ends(ledger.measured[rule]):
            found = tuple(s for s in found if s.kind != "raises")  # it raises where the wrong formula ends
        if not found or any(f.detail == SHADOWED for f in ledger.of_rule.get(rule, ())):
            continue
        seeds = [f for f in ledger.faults if f.kind == "seed" and f.op == rule[0]]
        below = seeds or _explained(ledger, rule)
        if below:
            ledger.of_rule[rule].extend(below)
            continue
        for symptom in found:
            _add(ledger, rule, symptom)


def _ends(m: Measured) -> bool:
    """Whether a wrong rule raises at none of its own points but those where its wrong formula has no value."""
    if not m.usual_crash:
        return True
    points = [case.program.operand_data(case.program.node(0), case.program.inputs) for case, _ in m.crashes]
    forward = all(crash.during == "forward" for _, crash in m.crashes)
    if any(not v.ok for v in m.values) and name_value(m.rule[0], m.values) is None:
        # Of a wrong formula that is not known, what arithmetic raises is taken for its ends.
        return forward and all(crash.type in ARITHMETIC for _, crash in m.crashes)
    return forward and all(undefined(m.rule[0], m.values, point) for point in points)


def _inside_first(ledger: Ledger, order: list[Rule]) -> list[Rule]:
    """Rules whose value is computed inside another failing rule's method come after that one.

    A trace only proposes an order; what explains what is decided by numbers.
    """
    traces: dict[Rule, tuple[Place, Place]] = {}
    for rule in order:
        case, o = one_op(rule)
        trace = ledger.subject.trace(case) if ledger.measured[rule].missing is None else None
        outer = None if trace is None else trace.methods[o]
        if trace is not None and outer is not None:
            traces[rule] = (outer, trace.values[o] or outer)
    out: dict[Rule, None] = {}
    for rule in order:
        outer, inner = traces.get(rule, (None, None))
        if outer is not None and inner is not None and outer.first != inner.first:
            ops = {r[0] for r, (method, _) in traces.items() if method.first == inner.first} - {rule[0]}
            out |= dict.fromkeys(r for r in order if r[0] in ops)
        out[rule] = None
    return list(out)


def _explained(ledger: Ledger, rule: Rule) -> list[Fault]:
    """The faults that explain a failing rule, if some rewrite of it behaves the same to the bit."""
    if not ledger.of_rule and not ledger.constructor:
        return []
    mine = ledger.measured[rule]
    if mine.missing is not None and not mine.missing.inside:
        return []
    wrong = {p.point for p in mine.pushes if not p.ok} | {v.point for v in mine.values if not v.ok}
    for make, used in rewrites(rule):
        if used == {rule} or not leaves_alone(make, rule, wrong):
            continue
        # Each form that is absent is an absence, unless another op's explains it.
        if mine.missing is not None:
            used = frozenset(r for r in used if r[0] != rule[0])
        faults = [f for r in used if r != rule for f in ledger.of_rule.get(r, ())]
        faults += ledger.constructor  # it makes the results within, too
        if not faults:
            continue
        extra = {rule: tuple(mine.points)}
        theirs = measure(ledger.subject, [rule], ledger.traits, extra, make)[rule]
        if alike(mine, theirs) and _one_origin(ledger, rule, used):
            return list({id(f): f for f in faults}.values())
    return []


def _one_origin(ledger: Ledger, rule: Rule, used: frozenset[Rule]) -> bool:
    """Whether a result without a number is made by the statement that makes another rule's: where there are no numbers
    to compare, two methods that make the same thing are two."""
    if ledger.measured[rule].numbers or not any(
        c.type == UNREADABLE for _, c in ledger.measured[rule].crashes
    ):
        return True
    made: list[Place | None] = []
    for one in (rule, *(used - {rule})):
        case, o = one_op(one)
        trace = ledger.subject.trace(case)
        made.append(None if trace is None else trace.values[o])
    return made[0] in made[1:]


def _add(ledger: Ledger, rule: Rule, symptom: Symptom) -> None:
    """A cause of its own; forms of one op that fail alike are one cause."""
    op, _ = rule
    measured = ledger.measured[rule]
    if symptom.detail == "same-operand":
        for fault in ledger.faults:
            if fault.detail == "same-operand":
                fault.op = op if fault.op == op else None
                fault.rules.append(rule)
                ledger.of_rule[rule].append(fault)
                return
    for fault in ledger.of_op(op):
        if (fault.kind, fault.detail) == (symptom.kind, symptom.detail):
            if symptom.kind == "missing" and policies.general(rule[1]) != policies.general(fault.rules[0][1]):
                continue
            if fault.slot != symptom.slot and not _one_mistake(ledger, fault, measured, symptom):
                continue
            if rule not in fault.rules:
                fault.rules.append(rule)
                ledger.of_rule[rule].append(fault)
            elif fault.slot != symptom.slot:
                fault.slot = None
            if not symptom.imprecise and fault.severity == "imprecise":
                fault.severity = "wrong"
            return
    severity: Severity = (
        "missing" if symptom.kind == "missing" else "imprecise" if symptom.imprecise else "wrong"
    )
    fault = ledger.add(Fault(symptom.kind, severity, op, symptom.slot, [rule], measured, symptom.detail))
    if symptom.kind == "missing":
        fault.crash = measured.missing
    elif symptom.kind == "raises" or symptom.detail == UNREADABLE:
        crashes = [c for _, c in measured.crashes if (c.type == UNREADABLE) == (symptom.kind != "raises")]
        fault.crash = crashes[0] if crashes else measured.clashes[0][2]
        if fault.crash.type == "RecursionError":
            fault.detail = "recursion"
    ledger.of_rule[rule].append(fault)


def _one_mistake(ledger: Ledger, fault: Fault, measured: Measured, symptom: Symptom) -> bool:
    """Whether another slot's fault is the same mistake, so that it is one cause of both operands."""
    if symptom.kind != "derivative":
        return True
    assert fault.measured is not None
    if misdirected(measured.rule[0], measured.pushes) or one_sided(measured.pushes) is not None:
        return True
    names = [
        name_derivative(m.rule[0], telling_pushes(m, slot))
        for m, slot in ((fault.measured, fault.slot or 0), (measured, symptom.slot or 0))
    ]
    return names[0] is names[1]


def unite_missing(ledger: Ledger) -> None:
    """Where every form that starts with a value is missing, that is one absence; so is every form at all."""
    for op in {f.op for f in ledger.faults if f.kind == "missing"}:
        forms = set(VOCABULARY[op].forms) if op is not None else set()
        for wanted in ({form for form in forms if form.startswith("value")}, forms):
            parts = [
                f
                for f in ledger.faults
                if f.kind == "missing" and f.op == op and {form for _, form in f.rules} <= wanted
            ]
            if len(parts) > 1 and {form for f in parts for _, form in f.rules} == wanted:
                ledger.unite(parts)


def _nudged(rule: Rule, point: Point, n: int) -> Point:
    """Operands close by, equal ones made unequal; ints stay ints."""
    kinds = enumerate(zip(rule[1].split("-"), point, strict=True))
    return tuple(x if kind == "int" else x * (1 + (n + 3 * slot) / 977) for slot, (kind, x) in kinds)


def _crash_points(o: Outcome) -> Iterator[tuple[Rule, Point]]:
    """Where the rules of a small program whose backward raised were applied, by its right values, in every form that
    they have: one of them raises there."""
    program = o.case.program
    if not raised_in_backward(o) or len(program) > CRASH_AT_MOST:
        return
    data = standard_reference.run(program).data
    for _, node in program.nodes():
        point = program.operand_data(node, data)
        for form in VOCABULARY[node.op].forms:
            ints = [
                float(math.ceil(x)) if kind == "int" else x
                for kind, x in zip(form.split("-"), point, strict=True)
            ]
            yield (node.op, form), tuple(ints)
