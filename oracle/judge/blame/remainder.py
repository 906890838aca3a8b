"""What is wrong while every rule is right: choices at special points, the traversal, what outlives a backward."""

from __future__ import annotations

from oracle.judge import policies
from oracle.judge.blame.ledger import Ledger
from oracle.judge.equations import Checked
from oracle.judge.fault import NONE_FOR_RESULTS, Fault
from oracle.report import Kind
from oracle.vocabulary import VOCABULARY


def special_points(ledger: Ledger) -> None:
    """Deviations at points that are not ordinary: policies, grouped by policy and op."""
    remaining = []
    groups: dict[tuple[str, str | None], Fault] = {}
    for f in ledger.open:
        if f.ordinary or f.equation not in (2, 4) or f.run.case.policy:
            remaining.append(f)
            continue
        k = f.value if f.equation == 2 else f.feeders[0][0]
        op, point = f.run.rule(k)[0], f.run.point(k)
        policy = policies.of_point(op, point)
        fault = groups.get((policy, op))
        if fault is None:
            kind: Kind = "forward" if f.equation == 2 else "derivative"
            fault = groups[policy, op] = ledger.add(Fault(kind, "policy", op, policy=policy))
        ledger.strike(f, [fault])
    ledger.open = remaining


def constructor(ledger: Ledger) -> None:
    """What the constructor does to the results inside composed ops shows in sums, where no rule tells of it."""
    if ledger.constructor:
        ledger.take(ledger.constructor, lambda f: not f.run.case.policy, lambda f: False)


def mutation(ledger: Ledger) -> None:
    """Equation 1: an op changed its operands' data, or computing forward changed gradients."""
    failing = [f for f in ledger.open if f.equation == 1]
    if not failing:
        return
    for what in ("data", "grad"):
        these = [f for f in failing if f.what == what]
        if not these:
            continue
        known = [f for f in ledger.faults if f.kind == "lifecycle" and f.detail == "mutates"]
        if what == "data" and known:
            for f in these:
                ledger.strike(f, known)
            continue
        smallest = min(these, key=lambda f: len(f.run.program))
        ops = {node.op for _, node in smallest.run.program.nodes()}
        op = next(iter(ops)) if len(ops) == 1 else None
        detail = "mutates" if what == "data" else "forward-touches-gradients"
        fault = ledger.add(Fault("lifecycle", "wrong", op, detail=detail))
        for f in these:
            ledger.strike(f, [fault])
    ledger.open = [f for f in ledger.open if f.equation != 1]


def schedule(ledger: Ledger) -> None:
    """Every rule is right, alone and shared, and yet sums are wrong on a first backward."""
    failing = [f for f in ledger.open if f.equation == 4 and f.run.fresh and f.ordinary]
    if not failing:
        return
    results = all(f.observed == 0.0 and f.run.program.producer(f.value) is not None for f in failing)
    detail = NONE_FOR_RESULTS if results and not any(map(_below_the_root, ledger.checked)) else ""
    ledger.take([ledger.add(Fault("schedule", "wrong", detail=detail))], lambda f: f.equation in (3, 4))


def _below_the_root(c: Checked) -> bool:
    """Whether a value that was computed, and is not the root, has a gradient."""
    run = c.run
    return run.fresh and any(run.grad[k] for k, _ in run.program.nodes() if k != run.root)


def later_steps(ledger: Ledger) -> None:
    """Right on a first backward, wrong later: a policy where the case is about one, else lifecycle."""
    groups: dict[str, Fault] = {}
    remaining = []
    for f in ledger.open:
        policy = f.run.case.policy
        if f.run.fresh and not policy:
            remaining.append(f)
            continue
        if not policy and "graph" in ledger.subject.found and f.run.case.again:
            policy = "second-backward"  # what PyTorch does: the graph is gone
        key = policy or "lifecycle"
        if key not in groups:
            groups[key] = ledger.add(
                Fault("lifecycle", "policy" if policy else "wrong", detail="", policy=policy)
            )
        ledger.strike(f, [groups[key]])
    ledger.open = remaining


def kinks(ledger: Ledger) -> None:
    for kinky in ledger.learned.kinks:
        rule = (kinky.op, VOCABULARY[kinky.op].forms[0])
        if ledger.of_rule.get(rule) or ledger.whole is not None:
            continue
        if kinky.valid:
            continue
        fault = ledger.add(Fault("derivative", "wrong", kinky.op, detail="kink"))
        fault.note(kinky.case, None)
