"""The local equations of a large run: asked by tensors first, one call for each kind of op, then closely where needed.

What holds within the relative part of its bound, which is the least that `check` allows, holds. Everything else
(kinks, special values, results near to their bound, and what is wrong) is asked by `check`, which alone decides.
A node costs some 0.3 µs instead of 40.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from oracle.floats import U, same
from oracle.judge.equations import Checked, Run, Traits, check
from oracle.judge.locals import KeptLocals, doubtful, judge, refereed
from oracle.program import Node
from oracle.progress import Tick
from oracle.torch_reference import torch
from oracle.torch_reference.columns import NONE, Tensor, columns, numbers
from oracle.vocabulary import VOCABULARY, Point

LARGE = 20_000
"""Values from which on importing PyTorch costs less than it saves."""


def judge_one(run: Run, traits: Traits, tell: Tick = lambda done, wrong: None) -> Checked:
    """`judge` of one run, in bulk when it is large. tell: called with the values done, and the wrong among them."""
    if len(run.program) < LARGE or not _plain(run, traits):
        (checked,) = judge([run], traits)
        return checked
    return in_bulk(run, traits, tell)


def _plain(run: Run, traits: Traits) -> bool:
    """Whether the equations are independent of each other: one backward, of which every gradient was observed.

    And equation 1 holds, without which none of the others is asked.
    """
    return (
        run.root is not None
        and traits == Traits({})
        and not any(run.slack)
        and None not in run.grad
        and all(map(same, run.made, run.program.inputs))
        and (run.made is run.data or all(map(same, run.made, run.data)))
    )


def in_bulk(run: Run, traits: Traits, tell: Tick = lambda done, wrong: None) -> Checked:
    """`judge` of one plain run."""
    answers = ask(run, tell)
    if not answers.suspects:
        return Checked(run, (), answers.data, answers.grad, {}, frozenset(), False)
    close = check(run, KeptLocals(), traits, answers.suspects)  # in the order in which `judge` asks
    if close.undecided or doubtful(close):
        close = check(run, answers, traits, answers.suspects)
        if any(f.ordinary and f.imprecise for f in close.failures):
            close = refereed(close, answers, traits)
    tell(len(run.program), len(close.failures))
    grad: list[float | None] = list(answers.grad)
    for i in answers.suspects:
        grad[i] = close.grad[i]
    return replace(close, data=answers.data, grad=tuple(grad))


@dataclass(frozen=True)
class Answers:
    """What PyTorch says of every value of a run, by the subject's own numbers.

    data, grad  what these call for
    pushed      per slot: what each value owes that operand of it
    suspects    the values whose equations are not certain to hold
    """

    data: Sequence[float]
    grad: Sequence[float]
    pushed: Sequence[Sequence[float]]
    suspects: frozenset[int]

    def value(self, k: int, node: Node, point: Point) -> float:
        return self.data[k]

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float:
        return self.pushed[slot][k]


def ask(run: Run, tell: Tick = lambda done, wrong: None) -> Answers:
    t = torch()
    program = run.program
    laid, groups = columns([program]).sorted_by()

    def column(values: Sequence[Any] = ()) -> Tensor:
        """A number for every place: these for the program's values, 0 elsewhere."""
        zeros = t.zeros(laid.size, dtype=t.float64)
        return laid.fill(zeros, [values]) if values else zeros

    made, grad = laid.fill(laid.data(), [run.made]), column(run.grad)
    live = t.arange(laid.size) != NONE if laid.all_live() else column(program.reaches(run.root)) > 0
    data, data_bound = made.clone(), column()
    pushed, push_bound = (column(), column()), (column(), column())
    done = 0
    for group in groups:
        row = VOCABULARY[group.kind.op]
        nodes = laid.made[group.nodes]
        operands = laid.gather(group, made)
        result = group.kind.apply(operands)
        upstream = grad.index_select(0, nodes)
        vjps = t.autograd.grad(result, operands, upstream, allow_unused=True, materialize_grads=True)
        result = result.detach()
        data.scatter_(0, nodes, result)
        data_bound.scatter_(0, nodes, row.value_bound.relative * U * result.abs())
        for slot, vjp in zip(group.kind.slots, vjps, strict=True):
            pushed[slot].scatter_(0, nodes, vjp)
            push_bound[slot].scatter_(0, nodes, row.slope_bound.relative * U * vjp.abs())
        done += len(nodes)
        tell(done, 0)

    newest_first = laid.newest_first()
    maker = laid.made.index_select(0, newest_first)
    to = t.stack([operands.index_select(0, newest_first) for operands in laid.operands], 1)
    to = t.where(live.index_select(0, maker)[:, None], to, NONE).flatten()

    def summed(slots: Sequence[Tensor]) -> Tensor:
        """What the consumers of each value have in such columns, added in the order in which PyTorch does it."""
        pushes = t.stack([slot.index_select(0, maker) for slot in slots], 1).flatten()
        return t.full((laid.size,), -0.0, dtype=t.float64).index_add_(0, to, pushes)

    owed = summed(pushed)
    several = t.bincount(to, minlength=laid.size)
    several[several < 2] = 0
    bound = summed(push_bound) + 2 * U * several * summed([slot.abs() for slot in pushed])
    owed[laid.roots] = 1.0
    bound[laid.roots] = 0.0
    bad = ~_close(made, data, data_bound) | (live & ~_close(grad, owed, bound))
    ((inputs, nodes),) = laid.spans
    suspects = frozenset(t.cat([bad[inputs], bad[nodes]]).nonzero().flatten().tolist())
    answers = [data, owed, *pushed] if suspects else [data, owed]
    told = [held for column in answers for held in laid.split(numbers(column))]
    return Answers(told[0], told[1], tuple(told[2:]), suspects)


def _close(observed: Tensor, expected: Tensor, bound: Tensor) -> Tensor:
    """Whether numbers are the expected ones; False wherever one of them is nan or inf, which `check` looks at."""
    return (observed == expected) & observed.isfinite() | (
        (observed - expected).abs() <= bound
    ) & bound.isfinite()
