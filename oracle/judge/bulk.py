"""The local equations of a large run: asked by tensors first, one call for each kind of op, then closely where needed.

What holds within the relative part of its bound, which is the least that `check` allows, holds. Everything else
(kinks, special values, results near to their bound, and what is wrong) is asked by `check`, which alone decides.
A node costs some 0.3 µs instead of 40.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from oracle.floats import TINY, U, same
from oracle.judge.equations import IMPRECISE, Checked, Failure, Part, Run, Traits, check, close
from oracle.judge.excerpt import FEEDERS
from oracle.judge.locals import KeptLocals, doubtful, judge, refereed
from oracle.program import Node
from oracle.progress import Tick
from oracle.torch_reference import torch
from oracle.torch_reference.columns import NONE, Tensor, columns, numbers
from oracle.vocabulary import VOCABULARY, Point
from oracle.vocabulary.op import HUGE_OPERAND, TINY_OPERAND

CROWD = 1_000
"""Consumers of a value beyond which a wrong gradient is not asked about push by push."""

MANY, FEW = 2_000, 200
"""Suspects that are many, and as many of them as are asked about first."""

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
    close = Checked(run, (), (), (), {}, frozenset(), False)
    if suspects := answers.suspects:
        # In the order in which `judge` asks. The equations are independent, so what makes a part of them doubtful makes
        # all of them: where many are wrong, a few say so.
        close = check(run, KeptLocals(), traits, answers.some or suspects)
        if answers.some and not (close.undecided or doubtful(close)):
            close = check(run, KeptLocals(), traits, suspects)
        if close.undecided or doubtful(close):
            close = check(run, answers, traits, suspects)
            if any(f.ordinary and f.imprecise for f in close.failures):
                close = refereed(close, answers, traits)
    failures = sorted((*close.failures, *answers.sums), key=_place)
    tell(len(run.program), len(failures))
    grad: list[float | None] = list(answers.grad)
    for i in suspects.values if suspects else ():
        grad[i] = close.grad[i]
    return replace(close, failures=tuple(failures), data=answers.data, grad=grad)


def _place(failure: Failure) -> tuple[int, int]:
    """Where `check` has a failure: values as they are computed, then gradients, from the root down."""
    backward = failure.what == "grad"
    return backward, -failure.value if backward else failure.value


@dataclass(frozen=True)
class Answers:
    """What PyTorch says of every value of a run, by the subject's own numbers.

    data, grad  what these call for
    pushed      per slot: what each value owes that operand of it
    sums        gradients with many consumers that are wrong for certain
    suspects    the values whose equations are not certain to hold, without these; None when all others are
    some        the first of many of them
    """

    data: Sequence[float]
    grad: Sequence[float]
    pushed: Sequence[Sequence[float]] = ()
    sums: Sequence[Failure] = ()
    suspects: Part | None = None
    some: Part | None = None

    def value(self, k: int, node: Node, point: Point) -> float:
        return self.data[k]

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float:
        return self.pushed[slot][k]


def ask(run: Run, tell: Tick = lambda done, wrong: None) -> Answers:
    asked = _Asked(run, tell)
    wrong = asked.values & ~_close(asked.made, asked.data, asked.data_bound)
    unpaid = asked.live & ~_close(asked.grad, asked.owed, asked.bound)
    sums = []
    for place in (unpaid & (asked.consumers > CROWD)).nonzero().flatten().tolist():
        failure = asked.crowded(place, wrong)
        if failure is not None:
            sums.append(failure)
            unpaid[place] = False
    open_ = wrong | unpaid
    suspects, some = asked.part(open_), None
    if suspects and len(suspects.values) > MANY:
        open_[open_.nonzero()[FEW:]] = False
        some = asked.part(open_)
    columns = [asked.data, asked.owed, *(asked.pushed if suspects else ())]
    told = [held for column in columns for held in asked.laid.split(numbers(column))]
    return Answers(told[0], told[1], told[2:], sums, suspects, some)


class _Asked:
    """One run in columns, with PyTorch's answers. Numbers of values are by place, pushes by edge.

    values, live  whether there is a value at a place, and whether it leads to the root
    made, grad    the subject's numbers; data, owed: what these call for, each with its bound
    edges     from newest to oldest consumer, two to each: `to` which place; the consumer is `maker[edge >> 1]`
    pushed    per slot: what each value owes that operand of it
    """

    def __init__(self, run: Run, tell: Tick) -> None:
        t = torch()
        self.run = run
        self.laid, self.groups = columns([run.program], formulas=False).sorted_by()
        laid = self.laid
        self.made, self.grad = laid.fill(laid.data(), [run.made]), self._column(run.grad)
        self.values = self.live = t.ones(laid.size, dtype=t.bool)
        self.values[NONE] = self.values[1 + len(run.program.inputs) : laid.first] = False  # plain numbers
        if not laid.all_live():
            self.live = self._column(run.program.reaches(run.root)) > 0
        self.data, self.data_bound = self.made.clone(), self._column()
        self.pushed, self.push_bound = ((self._column(), self._column()) for _ in range(2))
        self._forward_and_back(tell)

        self.newest_first = laid.newest_first()
        self.maker = laid.made.index_select(0, self.newest_first)
        self.to = t.stack([slot.index_select(0, self.newest_first) for slot in laid.operands], 1).flatten()
        if self.live is not self.values:  # what does not lead to the root owes nothing
            self.to[~self.live.index_select(0, self.maker).repeat_interleave(2)] = NONE
        self.consumers = t.bincount(self.to, minlength=laid.size)
        several = self.consumers * (self.consumers > 1)
        self.owed = self._summed(self.pushed)
        total = self._summed([slot.abs() for slot in self.pushed])
        self.bound = self._summed(self.push_bound) + 2 * U * several * total
        self.owed[laid.roots] = 1.0
        self.bound[laid.roots] = 0.0

    def _column(self, values: Sequence[Any] = ()) -> Tensor:
        """A number for every place: these for the program's values, 0 elsewhere."""
        zeros = torch().zeros(self.laid.size, dtype=torch().float64)
        return self.laid.fill(zeros, [values]) if values else zeros

    def _forward_and_back(self, tell: Tick) -> None:
        t = torch()
        done = 0
        for group in self.groups:
            row = VOCABULARY[group.kind.op]
            nodes = self.laid.made[group.nodes]
            operands = self.laid.gather(group, self.made)
            result = group.kind.apply(operands)
            upstream = self.grad.index_select(0, nodes)
            vjps = t.autograd.grad(result, operands, upstream, allow_unused=True, materialize_grads=True)
            result = result.detach()
            self.data.scatter_(0, nodes, result)
            self.data_bound.scatter_(0, nodes, row.value_bound.relative * U * result.abs())
            for slot, vjp in zip(group.kind.slots, vjps, strict=True):
                self.pushed[slot].scatter_(0, nodes, vjp)
                self.push_bound[slot].scatter_(0, nodes, row.slope_bound.relative * U * vjp.abs())
            done += len(nodes)
            tell(done, 0)

    def _by_edge(self, slots: Sequence[Tensor]) -> Tensor:
        """Of columns per slot, by consumer, one by edge."""
        return torch().stack([slot.index_select(0, self.maker) for slot in slots], 1).flatten()

    def _summed(self, slots: Sequence[Tensor]) -> Tensor:
        """What the consumers of each value have in such columns, added in the order in which PyTorch does it."""
        t = torch()
        start = t.full((self.laid.size,), -0.0, dtype=t.float64)
        return start.index_add_(0, self.to, self._by_edge(slots))

    def part(self, places: Tensor) -> Part | None:
        """The values at these places (a mask), with the nodes around them; None when there are none."""
        t = torch()
        if not bool(places.any()):
            return None
        near = places.clone()
        near[: self.laid.first] = False  # not made by a node
        edges = places.index_select(0, self.to).nonzero().flatten()
        near[self.maker[edges >> 1]] = True
        ((inputs, nodes),) = self.laid.spans
        chosen, around, live = (t.cat([mask[inputs], mask[nodes]]) for mask in (places, near, self.live))
        found, nearby = (mask.nonzero().flatten().tolist() for mask in (chosen, around))
        return Part(frozenset(found), nearby, live.tolist())

    def crowded(self, place: int, wrong: Tensor) -> Failure | None:
        """The failure of a sum of very many pushes, where each has a relative bound only; None where `check` is needed.

        `check` finds the same, in 50 µs a push, and names all who feed it.
        """
        t = torch()
        laid, run = self.laid, self.run
        edges = (self.to == place).nonzero().flatten()
        at = self.newest_first.index_select(0, edges >> 1)
        makers = laid.made.index_select(0, at)
        kinds = laid.kind.index_select(0, at)
        sizes = self.made[t.cat([column.index_select(0, at) for column in laid.operands])].abs()
        ordinary = (sizes == 0) | ((sizes > TINY_OPERAND) & (sizes < HUGE_OPERAND))
        plain = t.tensor([VOCABULARY[kind.op].plain for kind in laid.kinds])
        shares = self._by_edge(self.pushed).index_select(0, edges)
        total = float(shares.abs().sum())
        observed, expected = float(self.grad[place]), float(self.owed[place])
        if not (
            bool(plain.index_select(0, kinds).all())
            and bool(ordinary.all())
            and not bool(wrong.index_select(0, makers).any())
            and all(map(math.isfinite, (observed, expected, total)))
        ):
            return None
        bound = float(self._by_edge(self.push_bound).index_select(0, edges).sum())
        bound += len(edges) * TINY + 2 * len(edges) * U * total
        if close(observed, expected, bound):
            return None
        first: dict[int, int] = {}  # of each kind and operand
        for n, key in enumerate((2 * kinds + (edges & 1)).tolist()):
            first.setdefault(key, n)
        told = sorted({*range(min(FEEDERS, len(edges))), *first.values()})
        inputs = len(run.program.inputs)
        return Failure(
            run,
            4,
            place - 1 if place <= inputs else place - laid.first + inputs,
            observed,
            expected,
            bound,
            True,
            abs(observed - expected) <= IMPRECISE * total,
            tuple((int(makers[n]) - laid.first + inputs, int(edges[n]) & 1) for n in told),
            tuple(shares[told].tolist()),
            "grad",
        )


def _close(observed: Tensor, expected: Tensor, bound: Tensor) -> Tensor:
    """Whether numbers are the expected ones; False wherever one of them is nan or inf, which `check` looks at."""
    return (observed == expected) & observed.isfinite() | (
        (observed - expected).abs() <= bound
    ) & bound.isfinite()
