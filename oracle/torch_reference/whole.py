"""Whole cases: one node after the other, or batched, whichever is quicker for their shape; the bits are the same."""

from __future__ import annotations

from collections.abc import Container, Sequence

from oracle.case import Backward, Case, Observation, Observe
from oracle.program import Program
from oracle.torch_reference import batched, scalar
from oracle.torch_reference.columns import columns

SMALL = 300
"""Nodes below which sorting them is not worth it."""

A_CALL = 6
"""What a batched call costs, in nodes done one by one: about 120 µs against 20."""


def run(case: Case, wanted: Container[int] | None = None) -> tuple[Observation, ...]:
    """What PyTorch gets for the whole case: one observation for every Observe step.

    A gradient is None where PyTorch has none: the value does not lead to any root of the case.
    wanted: the values whose gradients will be looked at; None: all.
    """
    (seen,) = run_all([case], wanted)
    return seen


def run_all(cases: Sequence[Case], wanted: Container[int] | None = None) -> list[tuple[Observation, ...]]:
    """`run` of many cases; those that are backpropagated once are packed into one."""
    plain = [n for n, case in enumerate(cases) if case.steps == (Backward(case.program.root), Observe())]
    plan = _worth([cases[n].program for n in plain])
    if plan is not None and (inexact := batched.inexact(plan)):
        plain = [n for k, n in enumerate(plain) if k not in inexact]
        plan = _worth([cases[n].program for n in plain])
    if plan is None:
        return [scalar.run(case, wanted) for case in cases]
    found = {n: (seen,) for n, seen in zip(plain, batched.observe(plan), strict=True)}
    return [found[n] if n in found else scalar.run(case, wanted) for n, case in enumerate(cases)]


def values(program: Program) -> list[float]:
    """What PyTorch gets for every value of a program, without gradients."""
    plan = _worth([program])
    return scalar.values(program) if plan is None else [*batched.values(plan)[0]]


def wide(program: Program) -> bool:
    """Whether it is done in batches: quickly, and in little memory however large it is."""
    return _worth([program]) is not None


def _worth(programs: Sequence[Program]) -> batched.Plan | None:
    """A plan for these programs together, if they are wide enough for it to be quicker."""
    nodes = sum(len(program.codes) for program in programs)
    if nodes < SMALL:
        return None
    laid = columns(programs)
    levels = batched.levels(laid)
    if A_CALL * int(levels.max()) >= nodes:
        return None
    plan = batched.sort(laid, levels)
    return plan if A_CALL * len(plan.groups) < nodes else None
