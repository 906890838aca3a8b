"""Exceptions and lost workers: at special points a choice; else of a rule, of a method, or of the engine."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from oracle.case import Crash
from oracle.judge import policies
from oracle.judge.blame.ledger import Ledger
from oracle.judge.compose import COMPOSITES, walk
from oracle.judge.fault import Fault
from oracle.judge.probe import Outcome, Rule, one_op
from oracle.report import Kind, Severity
from oracle.subjects import Subject
from oracle.subjects.lines import block
from oracle.vocabulary import VOCABULARY

Raised = tuple[str, str | None, int]
"""An exception's type, file and line."""

SEVERAL = 3
"""Ops whose backward raises on one line, at least, for it to be the engine's."""


def crashed(ledger: Ledger) -> list[Rule]:
    """The rules at which computing forward raised: absent ones, mostly."""
    rules = (crashing_rule(o) for o in ledger.outcomes if not o.case.policy and not special_crash(o))
    return list(dict.fromkeys(rule for rule in rules if rule is not None))


def at_special_points(ledger: Ledger) -> None:
    """An exception where PyTorch has inf or nan, or a policy case: a choice, not a bug."""
    groups: dict[tuple[str, str | None], Fault] = {}
    for o in ledger.outcomes:
        crash = o.answer.crash
        if crash is None or not (o.case.policy or special_crash(o)):
            continue
        policy, op = o.case.policy, None
        if policy is None:
            node = next(node for _, node in o.case.program.nodes())
            point = o.case.program.operand_data(node, o.case.program.inputs)
            op = node.op
            policy = policies.of_point(op, point)
        fault = groups.get((policy, op))
        if fault is None:
            kind: Kind = "resource" if policy == "recursion-depth" else "raises"
            fault = groups[policy, op] = ledger.add(Fault(kind, "policy", op, policy=policy, crash=crash))
        ledger.charge(fault, o.case)


def absent_at_special_points(ledger: Ledger) -> None:
    """An op that, in some form, gives a value nowhere gives none at special points or in a policy's case either: that
    is no choice, and said already."""
    stopped = {o.case.name: o for o in ledger.outcomes if o.answer.crash is not None}
    for fault in [f for f in ledger.faults if f.policy is not None and f.crash is not None]:
        for case, _ in list(fault.evidence):
            rule = crashing_rule(stopped[case.name]) if case.name in stopped else None
            if rule is None or rule not in ledger.measured or ledger.measured[rule].missing is None:
                continue
            absent = [f for f in ledger.of_rule.get(rule, ()) if f.kind == "missing"]
            if not absent:
                continue
            fault.evidence[:] = [e for e in fault.evidence if e[0] is not case]
            ledger.blamed[case.name].remove(fault)
            for known in absent:
                ledger.charge(known, case)
        if not fault.evidence:
            ledger.faults.remove(fault)


def lost(ledger: Ledger) -> None:
    """Crashes of the traversal, timeouts and deaths on cases that nothing explains."""
    groups: dict[tuple[object, ...], Fault] = {}
    methods = cache(lambda: _methods(ledger.subject))
    order = {op: n for n, (op, _) in enumerate(walk([(op, VOCABULARY[op].forms[0]) for op in VOCABULARY]))}
    found = [
        o for o in ledger.outcomes if (o.answer.crash or o.answer.lost) and not ledger.blamed.get(o.case.name)
    ]
    alone = _alone(found)
    for o in sorted(found, key=lambda o: order.get((crashing_rule(o) or ("", ""))[0], len(order))):
        crash, lost = o.answer.crash, o.answer.lost
        if crash is not None:
            deep = crash.type in ("RecursionError", "MemoryError")
            rule = crashing_rule(o)
            shown = alone.get(_raised(crash))
            own = shown if shown in o.case.program.ops else rule[0] if rule else None
            op = None if deep else _raising(ledger.subject, crash, methods) or own
            kind: Kind = "resource" if deep else "raises"
            detail = crash.type
        else:
            op, kind, detail = None, "resource", lost or ""
        policy = o.case.policy
        if policy is None and crash is not None and crash.during == "backward" and o.case.again:
            policy = "second-backward"  # so does PyTorch, unless it is told to keep the graph
        severity: Severity = "policy" if policy else "wrong"
        key: tuple[object, ...] = (detail, op)
        if op in COMPOSITES and crash is not None and crash.line is not None:
            # A composed op raises where an op inside it does, which came before it.
            key = next((k for k, f in groups.items() if _one_statement(f, crash)), key)
        fault = groups.get(key)
        if fault is None:
            fault = groups[key] = ledger.add(
                Fault(kind, severity, op, detail=detail, crash=crash, policy=policy)
            )
        ledger.charge(fault, o.case)


def _alone(found: list[Outcome]) -> dict[Raised | None, str]:
    """Exception and line of a backward → the op that raises it in programs which have no other op, if it is one op."""
    out: dict[Raised | None, set[str]] = {}
    for o in found:
        ops = set(o.case.program.ops)
        if len(ops) == 1 and _raised(o.answer.crash) is not None:
            out.setdefault(_raised(o.answer.crash), set()).update(ops)
    return {raised: next(iter(ops)) for raised, ops in out.items() if len(ops) == 1}


def _methods(subject: Subject) -> dict[tuple[str, int], list[str]]:
    """File and first line of each op's own method → the ops that it computes."""
    out: dict[tuple[str, int], list[str]] = {}
    for rule in walk([(op, VOCABULARY[op].forms[0]) for op in subject.ops]):
        case, o = one_op(rule)
        trace = subject.trace(case)
        if trace is not None and (method := trace.methods[o]) is not None:
            out.setdefault((method.file, method.first), []).append(rule[0])
    return out


def _raising(
    subject: Subject, crash: Crash, methods: Callable[[], dict[tuple[str, int], list[str]]]
) -> str | None:
    """The op in whose own method the statement is that raised in backward: in its closure, say."""
    main = subject.file
    if crash.during != "backward" or crash.line is None or main is None:
        return None
    file = crash.file or main
    for (place, first), ops in methods().items():
        if place == file and len(ops) == 1 and crash.line in block(main, file, first):
            return ops[0]
    return None


def unite_raising(ledger: Ledger) -> None:
    """Where the backward of several ops raises on one and the same line, that is the engine's, not theirs."""
    raising = [f for f in ledger.faults if f.kind == "raises" and f.severity == "wrong"]
    for at in {_raised(f.crash) for f in raising}:
        parts = [f for f in raising if _raised(f.crash) == at]
        if at is not None and len({f.op for f in parts}) >= SEVERAL:
            ledger.unite(parts)
            parts[0].op, parts[0].slot, parts[0].measured = None, None, None


def _raised(crash: Crash | None) -> Raised | None:
    """Which exception a backward raised, and where; None for one that is not known."""
    if crash is None or crash.during != "backward" or crash.line is None:
        return None
    return crash.type, crash.file, crash.line


def _one_statement(fault: Fault, crash: Crash) -> bool:
    """Whether an op's fault is the same exception at the same statement."""
    other = fault.crash
    return (
        fault.op is not None
        and other is not None
        and (other.site, other.during) == (crash.site, crash.during)
    )


def raised_in_backward(o: Outcome) -> bool:
    """Whether backward raised where every engine can be expected to work."""
    crash = o.answer.crash
    return crash is not None and crash.during == "backward" and not o.case.policy and not special_crash(o)


def special_crash(o: Outcome) -> bool:
    """Whether a case that raised applies an op at a point where not every engine can be expected to work."""
    program = o.case.program
    if o.case.level not in ("edge", "numerics"):
        return False
    node = program.node(0)
    point = program.operand_data(node, program.inputs)
    row = VOCABULARY[node.op]
    return not row.ordinary(point) and row.kink(point) is None


def at_a_number(o: Outcome) -> bool:
    """Whether computing a case stopped where an op was given a plain number beside a value."""
    crash, program = o.answer.crash, o.case.program
    node = (
        None
        if crash is None or crash.node is None or crash.during != "forward"
        else program.producer(crash.node)
    )
    return node is not None and program.form(node).replace("-value", "") != "value"


def crashing_rule(o: Outcome) -> Rule | None:
    """The rule at which a case raised; in backward, the case's first op where it is about one op."""
    crash, program = o.answer.crash, o.case.program
    if crash is None:
        return None
    node = None if crash.node is None else program.producer(crash.node)
    if node is None and o.case.level in ("edge", "numerics", "gradient", "coerce") and program.ops:
        node = program.node(0)
    return None if node is None else (node.op, program.form(node))
