"""One backward call, judged: the local equations at the script's own numbers, and PyTorch's loss beside its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from oracle import torch_reference
from oracle.case import Backward, Case, Observe
from oracle.floats import U
from oracle.judge.equations import Checked, Failure, Run, Traits
from oracle.judge.fault import Fault
from oracle.judge.locals import judge
from oracle.judge.static import blame
from oracle.trajectory.events import BackwardCall

Word = Literal["ok", "wrong", "imprecise", "differs by choice", "training", "not judged"]

PLAIN = Traits({})
"""Nothing is known of the engine: PyTorch's conventions, float64."""


@dataclass(frozen=True)
class Step:
    """One backward call, for a reader.

    number     from 1
    line       of the script, where backward was called; "8", in a notebook with its cell, "2:8"
    loss       the root's number; torch: PyTorch's from the same leaves, None when it was not asked
    size       values of the program
    word       the verdict; "training": the numbers are what they should be, but not of the program meant
    detail     a few words on it
    update     the rule by which the script updated its parameters then, "" when it did not
    odd        that rule goes uphill, or is a known mistake: the end of the run decides
    """

    number: int
    line: str
    loss: float
    torch: float | None
    size: int
    word: Word
    detail: str = ""
    update: str = ""
    odd: bool = False


@dataclass(frozen=True)
class Judged:
    """What the equations said of one call.

    checked   None where they were not asked, for the reason in `why`
    faults, unexplained   what a finished run alone can tell
    resets    the engine sets old gradients to 0 in backward, instead of adding to them
    torch     PyTorch's loss
    """

    checked: Checked | None
    faults: tuple[Fault, ...] = ()
    unexplained: tuple[Failure, ...] = ()
    resets: bool = False
    torch: float | None = None
    why: str = ""


def judge_call(call: BackwardCall, traits: Traits = PLAIN) -> Judged:
    """Ask the equations of one backward call."""
    if call.program is None:
        return Judged(None, why=f"{call.size:,} values: loss and parameters only")
    torch = torch_reference.values(call.program)[call.program.root]
    if call.moved:
        return Judged(None, torch=torch, why="a leaf changed between forward and backward")
    if call.raised is not None:
        return Judged(None, torch=torch, why=f"backward raised {call.raised}")
    if call.hidden > call.size:
        behind = f"{call.hidden:,} values behind ops that are not in the vocabulary"
        return Judged(None, torch=torch, why=behind)
    if reused(call):
        return Judged(None, torch=torch, why="goes through values of an earlier backward")
    if all(g is None for g in call.grad):
        return Judged(None, torch=torch, why="no value has a gradient afterwards")
    run = _run(call)
    (checked,) = judge([run], traits)
    resets = False
    if checked.failures and any(call.before):
        raw = replace(run, grad=_visible(call, call.grad), slack=[0.0] * len(run.slack))
        (again,) = judge([raw], traits)
        if not again.failures:
            checked, resets = again, True
    faults, unexplained = blame(checked)
    return Judged(checked, tuple(faults), tuple(unexplained), resets, torch)


def case_name(call: BackwardCall) -> str:
    return f"diff/step-{call.step + 1}"


def reused(call: BackwardCall) -> list[int]:
    """Values made by ops before the previous backward: an old graph, or a part of one."""
    return [i for i in range(call.leaves, len(call.serials)) if call.serials[i] < call.since]


def _run(call: BackwardCall) -> Run:
    assert call.program is not None
    grad: list[float | None] = []
    slack: list[float] = []
    for after, before in zip(call.grad, call.before, strict=True):
        if after is None or not before:
            grad.append(after)
            slack.append(0.0)
        else:
            grad.append(after - before)
            slack.append(2 * U * (abs(after) + abs(before)))
    case = Case(case_name(call), call.program, "", (Backward(call.program.root), Observe()))
    return Run(
        case,
        call.program,
        call.program.root,
        call.data,
        call.made,
        _visible(call, grad),
        slack,
    )


def _visible(call: BackwardCall, grad: Sequence[float | None]) -> list[float | None]:
    """Gradients without those that an unknown op has a part in."""
    if not call.clouded:
        return list(grad)
    return [None if i in call.clouded else g for i, g in enumerate(grad)]
