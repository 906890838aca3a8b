"""What sentences are made of: their parts, and how ops and operands are called in them."""

from __future__ import annotations

from dataclasses import dataclass

from oracle.judge.fault import Fault
from oracle.vocabulary import VOCABULARY

MISNAMED = "misnamed-dunder"
"""The mistake of a method that Python does not look for under that name."""

SIDES = ("its left operand", "its right operand")


@dataclass(frozen=True)
class Words:
    """What is said of one fault: the mistake's short name, the sentence, and hints in three depths."""

    mistake: str | None
    message: str
    hints: tuple[str, str, str]


def title(op: str | None, form: str | None) -> str:
    """An op as a reader says it: "mul", "number - value", "the engine"."""
    if op is None:
        return "the engine"
    symbol = VOCABULARY[op].symbol
    if form is None or symbol is None:
        return op
    first, *others = (f" {symbol} ".join(one.split("-")) for one in form.split(", "))
    return f"{first} (also {', '.join(others)})" if others else first


def operand(fault: Fault) -> str:
    """The operand concerned, in words."""
    if fault.op is not None and VOCABULARY[fault.op].arity == 1:
        return "its operand"
    return "its operands" if fault.slot is None else SIDES[fault.slot]


def operand_name(op: str, slot: int) -> str:
    """An operand as the formulas call it."""
    return "a" if VOCABULARY[op].arity == 1 else "ab"[slot] if slot < 2 else f"operand {slot}"
