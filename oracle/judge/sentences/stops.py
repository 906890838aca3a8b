"""Sentences for an op that gives nothing: it is missing, or raises."""

from __future__ import annotations

from collections.abc import Mapping

from oracle.judge.fault import Fault, broken
from oracle.judge.probe import UNREADABLE
from oracle.judge.sentences.base import MISNAMED, Words
from oracle.judge.sentences.rules import unreadable
from oracle.vocabulary import VOCABULARY


def missing(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """An op, or a form of it, that gives a value nowhere."""
    assert fault.op is not None
    row = VOCABULARY[fault.op]
    reflected = all(f.startswith(("int", "float")) for _, f in fault.rules) and row.arity == 2
    name = row.reflected if reflected and row.reflected else row.spellings[0]
    misnamed = near.get(name)
    crash = fault.crash
    because = f" ({crash.said})" if crash is not None else ""
    if misnamed:
        return Words(
            MISNAMED,
            f"{op} is missing: the method is called {misnamed}, Python looks for {name}",
            (f"How is {name} spelled?", f"Python calls {name}, never {misnamed}.", f"Rename it to {name}."),
        )
    if crash is not None and crash.type == UNREADABLE:
        return unreadable(fault, op)
    if crash is not None and crash.type == "NoResult" and crash.inside:
        return Words(
            None,
            f"{op} gives no value: {crash.message}",
            (
                "What does this method hand back, on every way through it?",
                f"A method that ends without a return gives None: {crash.message}.",
                "Return the node that it makes, whatever the other operand is.",
            ),
        )
    if crash is not None and broken(fault):
        return Words(
            None,
            f"{op} never gives a value{because}",
            (
                "Where does this method stop?",
                crash.said,
                "Define or import what it names.",
            ),
        )
    if crash is not None and crash.inside and all("int" in f or "float" in f for _, f in fault.rules):
        return Words(
            None,
            f"{op} is missing{because}",
            (
                "What is the other operand here: a value, or a plain number?",
                f"Python calls {name} with a plain number as well, which has nothing that a value has.",
                f"Make a value of a plain number first thing in {name}.",
            ),
        )
    return Words(
        None,
        f"{op} is missing{because}",
        (f"What does Python call for {op}?", f"Python looks for {name}.", f"Define {name}, or repair it."),
    )


def raises(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """An exception where every engine can be expected to work."""
    crash = fault.crash
    assert crash is not None
    if crash.type == UNREADABLE:
        return unreadable(fault, op)
    when = "in backward" if crash.during == "backward" else "at ordinary operands"
    if crash.during == "backward" and _twice(fault):
        return Words(
            "operand-once",
            f"{op} raises {crash.type} {when} where both operands are one value: {crash.message}",
            (
                "What does a value know of its operands that is computed from one value twice?",
                f"{crash.type}: {crash.message}. A set of operands has a value once, however often it is used.",
                "Keep the operands in a tuple, each as often as it is used.",
            ),
        )
    if fault.op is None and fault.rules:  # several ops, at one line
        forms = {form for _, form in fault.rules}
        if all(form.startswith(("int", "float")) for form in forms):
            when += " where a plain number is the left operand"
        elif not forms & {"value", "value-value"}:
            when += " where a plain number is an operand"
    return Words(
        crash.type,
        f"{op} raises {crash.type} {when}" + (f": {crash.message}" if crash.message else ""),
        ("Read the exception.", crash.said, "Repair what raises."),
    )


def _twice(fault: Fault) -> bool:
    """Whether an op is given one value twice in every case of a fault."""
    return bool(fault.evidence) and all(
        any(
            node.op == fault.op and len(set(node.operands)) < len(node.operands)
            for _, node in case.program.nodes()
        )
        for case, _ in fault.evidence
    )
