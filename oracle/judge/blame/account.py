"""Accounting: strike out every wrong number, exception and absence that the blamed rules give, to the digit."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping

from oracle.judge.blame.ledger import Ledger
from oracle.judge.equations import Failure
from oracle.judge.fault import Fault
from oracle.judge.mistakes import ARITHMETIC
from oracle.judge.predict import fits, owed, replay
from oracle.judge.probe import Outcome, Rule
from oracle.judge.symptoms import LOST, REPEATED, losing_operands
from oracle.program import Program
from oracle.vocabulary import Point


def account(ledger: Ledger) -> None:
    """Strike out every failure, crash and absence that the blamed rules account for."""
    remaining = []
    plans: list[tuple[Failure, list[Fault]]] = []
    detaching: dict[int, Mapping[int, list[Fault]]] = {}
    for f in ledger.open:
        ks = [f.value] if f.equation == 2 else _suspects(f)
        if f.equation == 3 and ledger.whole is not None and ledger.whole.kind in ("seed", "derivative"):
            ledger.strike(f, [ledger.whole])  # a root that is a leaf
            continue
        if f.equation not in (2, 4):
            remaining.append(f)
            continue
        faults: dict[int, Fault] = {}
        for k in ks:
            for fault in ledger.of_rule.get(f.run.rule(k), ()):
                if fault.kind not in ("missing", "raises"):
                    faults[id(fault)] = fault
        if f.equation == 4:
            program = f.run.program
            if id(program) not in detaching:
                detaching[id(program)] = _detaching(ledger, program)
            loose = detaching[id(program)]
            faults |= {id(fault): fault for k, _ in f.feeders for fault in loose.get(k, ())}
        if f.equation == 4 and ledger.whole is not None:
            faults = {id(ledger.whole): ledger.whole} | faults
        if not faults:
            remaining.append(f)
        elif f.equation == 2:
            ledger.strike(f, faults.values())
        else:
            plans.append((f, list(faults.values())))
    ledger.open = remaining
    _predict(ledger, plans)
    for o in ledger.outcomes:
        crash = o.answer.crash
        if crash is None or ledger.blamed.get(o.case.name):
            continue
        for fault in _crashing(ledger, o):
            ledger.charge(fault, o.case)


def _detaching(ledger: Ledger, program: Program) -> Mapping[int, list[Fault]]:
    """For values of a program, the faults of the rules that did not tell the graph of them, so that they pushed
    nothing."""
    lost = losing_operands(ledger.symptoms)
    out: dict[int, list[Fault]] = defaultdict(list)
    for _, node in program.nodes() if lost else ():
        rule = node.op, program.form(node)
        for slot, i in enumerate(node.operands):
            if (rule, slot) in lost:
                out[i] += [fault for fault in ledger.of_rule.get(rule, ()) if fault.detail in LOST]
    return out


def _crashing(ledger: Ledger, o: Outcome) -> list[Fault]:
    """The faults that account for an exception: of the op being computed, or of any op in backward."""
    assert o.answer.crash is not None
    node = o.answer.crash.node
    producer = None if node is None else o.case.program.producer(node)
    if producer is not None and o.answer.crash.during == "forward":
        rule = (producer.op, o.case.program.form(producer))
        known = ledger.of_rule.get(rule, [])
        raising = [f for f in known if f.kind in ("missing", "raises")]
        # A wrong formula has ends of its own.
        ends = o.answer.crash.type in ARITHMETIC or (
            rule in ledger.measured and ledger.measured[rule].crashes
        )
        return raising or [f for f in known if f.kind == "forward" and ends]
    rules = [(inner.op, o.case.program.form(inner)) for _, inner in o.case.program.nodes()]
    found = {id(f): f for rule in rules for f in ledger.of_rule.get(rule, ()) if f.kind != "missing"}
    return list(found.values())


def _predict(ledger: Ledger, plans: list[tuple[Failure, list[Fault]]]) -> None:
    """Replay each failing sum with the measured pushes of the blamed rules in it."""
    wanted: dict[tuple[Rule, Point, float], None] = {}
    for f, _ in plans:
        for k, _ in f.feeders:
            rule = f.run.rule(k)
            if ledger.of_rule.get(rule) or ledger.whole:
                wanted[rule, f.run.point(k), _known(f, k)] = None
    pushes = replay(ledger.subject, list(wanted)[:2000])
    for f, faults in plans:
        observed = f.observed
        if any(f.run.grad[k] is None for k, _ in f.feeders) or any(x.detail == REPEATED for x in faults):
            ledger.strike(f, faults)
            continue
        shares = []
        for k, slot in f.feeders:
            rule, point, g = f.run.rule(k), f.run.point(k), _known(f, k)
            known = pushes.get((rule, point, g), {})
            shares.append(known[slot] if slot in known else owed(rule, point, slot, g))
        lossy = any(x.kind == "accumulation" or x.detail in LOST for x in faults)
        explained = fits(observed, shares, lossy)
        if explained or f.run.fresh or not f.run.case.policy:
            ledger.strike(f, faults, explained)
        else:  # the rule, and the engine's choice on top of it
            ledger.open.append(f)


def _suspects(f: Failure) -> list[int]:
    """The consumers that feed a failing sum; where their gradients cannot be read, all users of the value."""
    direct = [k for k, _ in f.feeders]
    if all(f.run.grad[k] is not None for k in direct):
        return direct
    users = {f.value}
    for k, node in f.run.program.nodes():
        if users & set(node.operands):
            users.add(k)
    return sorted(users - {f.value})


def _known(f: Failure, k: int) -> float:
    """The upstream gradient of a consumer, nan where it cannot be read."""
    g = f.run.grad[k]
    return math.nan if g is None else g
