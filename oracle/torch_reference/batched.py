"""Whole programs, many nodes by one call of PyTorch, to the bit as `scalar` has them.

Forward goes up level by level (the longest way from an input), one call for the nodes of a kind. Backward comes
down again, with a small autograd of its own for each of those calls. What a value's consumers owe it is added up in
PyTorch's order, the consumer made last first: `index_add_` takes its rows one after the other. The sum starts at
-0.0, which leaves a first contribution of -0.0 as it is.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any

from oracle.case import Observation
from oracle.program import Program
from oracle.torch_reference.columns import (
    NONE,
    Columns,
    Group,
    Kind,
    Tensor,
    columns,
    numbers,
    stable_order,
    tensor,
)
from oracle.torch_reference.module import torch


@dataclass(frozen=True)
class Plan:
    """In which groups the nodes of some programs are to be done.

    columns  sorted by level and kind
    levels   level of the value at every place
    live     whether that value leads to a root
    """

    columns: Columns
    groups: list[Group]
    levels: Tensor
    live: Tensor


def plan(programs: Sequence[Program]) -> Plan:
    """Sort the nodes of these programs into groups."""
    laid = columns(programs)
    return sort(laid, levels(laid))


def levels(laid: Columns) -> Tensor:
    """The level of the value at every place, by columns that are not sorted yet."""
    level = [0] * laid.first
    append = level.append
    for a, b in zip(*(column.tolist() for column in laid.operands), strict=True):
        x, y = level[a], level[b]
        append((x if x > y else y) + 1)
    return tensor("q", level)


def sort(laid: Columns, levels: Tensor) -> Plan:
    """The nodes of such columns in groups."""
    by_level, groups = laid.sorted_by(levels[laid.first :])
    return Plan(by_level, groups, levels, _live(by_level, groups))


def _live(laid: Columns, groups: list[Group]) -> Tensor:
    """Whether the value at each place leads to a root."""
    t = torch()
    if laid.all_live():
        return t.arange(laid.size) != NONE
    live = t.zeros(laid.size, dtype=t.bool)
    live[laid.roots] = True
    for group in reversed(groups):
        consumers = live[laid.made[group.nodes]]
        for slot in group.kind.slots:
            live[laid.operands[slot][group.nodes][consumers]] = True
    live[NONE] = False
    return live


def inexact(plan: Plan) -> set[int]:
    """The programs whose gradients may differ from those of `scalar` in the last bit.

    An op that PyTorch makes of several, such as softsign, pushes to its operand more than once. Where that operand
    has other consumers, these pushes would be added to each other before they are added to theirs.
    """
    t = torch()
    laid = plan.columns
    several = [k for k, kind in enumerate(laid.kinds) if uses(kind) > 1]
    if not several:
        return set()
    consumers = t.bincount(
        t.cat([column[plan.live[laid.made]] for column in laid.operands]), minlength=laid.size
    )
    concerned = t.isin(laid.kind, t.tensor(several)) & (consumers[laid.operands[0]] > 1)
    ends = t.tensor([nodes.stop for _, nodes in laid.spans])
    return set(t.bucketize(laid.made[concerned], ends, right=True).tolist())


def values(plan: Plan) -> list[array[float]]:
    """The data of every value, for each program."""
    with torch().no_grad():
        data, _ = _forward(plan)
    return plan.columns.split(numbers(data))


def observe(plan: Plan) -> list[Observation]:
    """Data, and gradients after one backward from the root; None for what does not lead to it. For each program."""
    data, calls = _forward(plan)
    grad = _backward(plan, calls)
    split = plan.columns.split
    known = split(numbers(data))
    dead = (~plan.live).nonzero().flatten().tolist()
    if dead == [NONE]:
        return [Observation(*both) for both in zip(known, split(numbers(grad)), strict=True)]
    told: list[float | None] = grad.tolist()
    for place in dead:
        told[place] = None
    return [Observation(*both) for both in zip(known, split(told), strict=True)]


Call = tuple[list[Tensor], Tensor]
"""Operands and result of a group, with autograd's graph between them."""


def _forward(plan: Plan) -> tuple[Tensor, list[Call]]:
    laid = plan.columns
    data = laid.data()
    calls = []
    for group in plan.groups:
        operands = laid.gather(group, data)
        result = group.kind.apply(operands)
        data.scatter_(0, laid.made[group.nodes], result.detach())
        if result.requires_grad:
            calls.append((operands, result))
    return data, calls


def _backward(plan: Plan, calls: list[Call]) -> Tensor:
    t = torch()
    laid = plan.columns
    to, places, ends = pushes(laid, plan.levels, plan.live)
    owed = t.zeros(len(to) + 1, dtype=t.float64)  # the last one takes what nobody is owed
    grad = t.full((laid.size,), -0.0, dtype=t.float64)
    grad[laid.roots] = 1.0
    level = len(ends) - 1

    def complete(down_to: int) -> None:
        """Add up what is owed to the values of every level from here down to that one."""
        nonlocal level
        while level > down_to:
            level -= 1
            rows = slice(ends[level], ends[level + 1])
            grad.index_add_(0, to[rows], owed[rows])

    for group, (operands, result) in zip(reversed(plan.groups), reversed(calls), strict=True):
        complete(group.rank)
        upstream = grad.index_select(0, laid.made[group.nodes])
        pushed = t.autograd.grad(result, operands, upstream, allow_unused=True, materialize_grads=True)
        for slot, column in zip(group.kind.slots, pushed, strict=True):
            owed.scatter_(0, places[slot][group.nodes], column)
    complete(0)
    return grad


def pushes(laid: Columns, levels: Tensor, live: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor], list[int]]:
    """Every push of a live node to an operand, in the order in which they are to be added up, level by level.

    Returns to which place; for every node and slot, where in this order its push belongs (one place more for those
    that do not count); and where each level begins.
    """
    t = torch()
    n = len(laid.made)
    newest_first = laid.newest_first()
    operands = t.stack([column.index_select(0, newest_first) for column in laid.operands], 1).flatten()
    owes = operands != NONE
    if not bool(live[1:].all()):
        owes &= live[laid.made][newest_first].repeat_interleave(2)
    owes = owes.nonzero().flatten()
    level = levels.index_select(0, operands.index_select(0, owes))
    lengths = t.bincount(level, minlength=int(levels.max()) + 1)
    if len(lengths) > 1:
        owes = owes.index_select(0, stable_order(level, len(lengths)))
    places = t.full((2, n), len(owes))
    edge = (owes & 1) * n + newest_first.index_select(0, owes >> 1)
    places.view(-1).scatter_(0, edge, t.arange(len(owes)))
    to = operands.index_select(0, owes)
    return to, (places[0], places[1]), [*accumulate(lengths.tolist(), initial=0)]


@cache
def uses(kind: Kind) -> int:
    """How many times an op pushes to one operand at most: more than once when PyTorch makes it of several."""
    t = torch()
    operands = [t.ones(1, dtype=t.float64, requires_grad=True) for _ in kind.slots]
    found: dict[Any, int] = {}
    seen: set[Any] = set()
    todo = [kind.apply(operands).grad_fn]
    while todo:
        node = todo.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        for before, _ in node.next_functions:
            if hasattr(before, "variable"):
                found[before] = found.get(before, 0) + 1
            else:
                todo.append(before)
    return max(found.values(), default=0)
