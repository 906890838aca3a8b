"""Sentences for a rule: a wrong value, a wrong derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oracle.floats import short
from oracle.formulas import FORMULAS
from oracle.judge import quotients
from oracle.judge.fault import SHADOWED, Fault
from oracle.judge.mistakes import CHAIN_RULE, misdirected, name_derivative, name_value, one_sided, scale
from oracle.judge.probe import UNREADABLE
from oracle.judge.sentences.base import SIDES, Words, operand, operand_name
from oracle.judge.symptoms import telling_pushes


def forward(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """A wrong value, or numbers that are not kept as they are."""
    if fault.storage is not None:
        way = fault.storage
        return Words(
            fault.detail,
            f"the engine {way.words}" + ("" if way.precision else f": {fault.seen}"),
            (
                "What type do the numbers have?"
                if way.precision
                else "What does the constructor do to a number?",
                "Python floats and PyTorch float64 have 53 bits; "
                + (
                    "these have fewer."
                    if way.precision
                    else "each has to be kept as it is, and every result, too."
                ),
                "Keep plain Python floats, or numpy.float64.",
            ),
        )
    if fault.detail == UNREADABLE:
        return unreadable(fault, op)
    assert fault.measured is not None and fault.op is not None
    wrong = next(v for v in fault.measured.values if not v.ok)
    numbers = f"at {_at(wrong.point)} it gives {short(wrong.observed, wrong.expected)}, right is " + short(
        wrong.expected, wrong.observed
    )
    if fault.detail:
        return _naive(fault, op, numbers)
    named = name_value(fault.op, fault.measured.values)
    if named is None:
        return Words(
            None,
            f"{op} computes a wrong value: {numbers}",
            ("Compute this value by hand.", f"The value itself is wrong: {numbers}.", "Repair the formula."),
        )
    slug, says, nudge = named
    return Words(slug, f"{op} {says}: {numbers}", (nudge, f"{op} {says}.", f"{numbers.capitalize()}."))


def _at(point: Sequence[float]) -> str:
    return (
        ", ".join(short(x) for x in point) if len(point) == 1 else f"({', '.join(short(x) for x in point)})"
    )


def derivative(fault: Fault, op: str, near: Mapping[str, str]) -> Words:
    """A wrong push to an operand, or gradients that were not back-propagated."""
    if fault.detail == "kink":
        return Words(
            "kink",
            f"{op} pushes at its kink what lies outside its subdifferential",
            (
                "What is the slope at the kink?",
                "At a kink any slope between both sides is valid.",
                "Choose one.",
            ),
        )
    if fault.detail == UNREADABLE:
        return unreadable(fault, op)
    if fault.detail == SHADOWED:
        return Words(
            "shadowed-backward",
            f"{op} pushes nothing, and backward on its result does not even begin there",
            (
                "Under which name does this op keep what it pushes, and under which does backward look for it?",
                "An attribute of the name of a method takes its place at that node: calling it pushes a gradient of 0, "
                "and within a graph nobody asks for it.",
                "Keep it under the name that the other ops use.",
            ),
        )
    if fault.detail.startswith(quotients.NAME):
        by = fault.detail.partition(": ")[2]
        return _measured(f"the engine measures its gradients by {by} instead of deriving them")
    if fault.storage is not None:
        return Words(
            fault.detail,
            f"the engine keeps its gradients in {fault.storage.name}, its numbers in float64",
            (
                "What type does a gradient have?",
                "Python floats and PyTorch float64 have 53 bits; these gradients have fewer.",
                "Keep plain Python floats, or numpy.float64.",
            ),
        )
    if fault.detail and fault.detail != "every rule":
        return _naive(fault, op, "its slope loses them")
    m = fault.measured
    assert m is not None
    slots = [fault.slot] if fault.slot is not None else sorted({p.slot for p in m.pushes})
    named = [name_derivative(m.rule[0], telling_pushes(m, s)) for s in slots]
    if fault.slot is None and fault.op is not None and misdirected(fault.op, m.pushes) and named[0] is None:
        return Words(
            "misdirected",
            f"{op} pushes to one operand what belongs to the other",
            ("Which operand gets which gradient?", CHAIN_RULE, "Push each operand its own share."),
        )
    if fault.slot is None and fault.op is not None and (twice := one_sided(m.pushes)) is not None:
        return Words(
            "one-sided",
            f"{op} pushes twice to {SIDES[twice]}, and nothing to {SIDES[1 - twice]}",
            (
                "Which operand does each push go to?",
                CHAIN_RULE
                + " A function that is made in a loop sees the loop's variables as they are in the end: "
                "for both operands, those of the last round.",
                "Give each function its own operand and slope as default arguments, or push to both in one.",
            ),
        )
    row = next((n for n in named if n is not None), None)
    if row is not None and (fault.op is None or all(n is row for n in named)):
        says = row.words.format(operand=operand(fault))
        return Words(row.slug, f"{op} {says}", (row.nudge, row.why, _formula(fault, slots)))
    if fault.op is not None and (step := quotients.rule(fault.op, telling_pushes(m, slots[0]))) is not None:
        return _measured(f"{op} measures its slope by {step} instead of computing its derivative")
    wrong = [p for s in slots for p in telling_pushes(m, s) if not p.ok]
    p = wrong[0] if wrong else m.pushes[0]
    numbers = (
        f"at {_at(p.point)} with upstream gradient {short(p.upstream)} it pushes "
        f"{short(p.observed, p.expected)}, right is {short(p.expected, p.observed)}"
    )
    factor = scale(telling_pushes(m, slots[0]))
    if factor is not None and fault.severity == "wrong":
        mistake, says = "scaled", f"pushes {short(factor)} times the gradient of {operand(fault)}"
    elif fault.severity == "imprecise":
        mistake, says = None, f"pushes an imprecise gradient to {operand(fault)}"
    elif any(q.ok for q in telling_pushes(m, slots[0])):
        mistake, says = None, f"pushes a wrong gradient to {operand(fault)} at some points"
    else:
        mistake, says = None, f"pushes a wrong gradient to {operand(fault)}"
    return Words(
        mistake,
        f"{op} {says}: {numbers}",
        ("Differentiate this op by hand.", CHAIN_RULE, f"{numbers[0].upper()}{numbers[1:]}."),
    )


def unreadable(fault: Fault, op: str) -> Words:
    """A value or a gradient that is no number."""
    assert fault.crash is not None
    node, _, held = fault.crash.message.partition(" holds ")
    what, _, where = held.rpartition(" as its ")
    if fault.crash.during == "forward":
        whose, nudge = f"the {where} of its result", "What do the numbers that go in make?"
    elif fault.op is None:
        whose, nudge = "the gradient of a value", "What is added to this gradient?"
    else:
        whose, nudge = (
            "the gradient of an operand",
            "What is pushed: a number, or a node, a list or an array?",
        )
    if what == "NotImplemented":
        nudge = "What does float.__add__ give for something that is no number?"
    return Words(
        "no-number",
        f"{op} makes {whose} {what}, which is no number",
        (
            nudge,
            f"Data and gradient of a scalar are plain numbers; here {node.replace('value 0', 'a value')} holds {held}.",
            "Compute with the numbers that the nodes hold, and keep the number that comes out.",
        ),
    )


def _naive(fault: Fault, op: str, numbers: str) -> Words:
    """A formula that is right on paper."""
    return Words(
        "naive-formula",
        f"{op} is computed as {fault.detail}, which loses digits: {numbers}",
        (
            "What happens to the digits when the terms differ much in size?",
            f"{fault.detail} is right on paper; in floating point it cancels or drops what is small.",
            "Use the function that the standard library has for it, or a form without the cancellation.",
        ),
    )


def _measured(message: str) -> Words:
    """A difference quotient."""
    return Words(
        quotients.NAME,
        message,
        (
            "Is this gradient derived, or measured?",
            "A difference quotient is off by its step and by cancellation: about 8 digits are right at best, and every "
            "value costs a computation of the whole graph. It is a test of gradients, not a way to get them.",
            "Write down the derivative of each op, and apply the chain rule from the root.",
        ),
    )


def _formula(fault: Fault, slots: Sequence[int]) -> str:
    """What each operand is owed, to write down as it stands."""
    if fault.op is None:
        return "Multiply each local derivative by the gradient of the node."
    formulas = FORMULAS.get(fault.op, ())
    known = [_share(formulas[s + 1].partition(" = ")[2]) for s in slots if s + 1 < len(formulas)]
    names = [operand_name(fault.op, s) for s in slots]
    if not known:
        return CHAIN_RULE
    return (
        "; ".join(f"push {owed} to {name}" for owed, name in zip(known, names, strict=True)).capitalize()
        + "."
    )


def _share(slope: str) -> str:
    """The upstream gradient times a slope."""
    if slope == "1" or slope.startswith("1 where"):
        return "out.grad" + slope[1:]
    return f"out.grad · ({slope})" if slope.startswith("-") or " - " in slope[:4] else f"out.grad · {slope}"
