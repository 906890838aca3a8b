"""What a picture shows: which values of an example, in which state, along which edges, and what is folded away.

Everything here is about meaning; how it looks is `picture`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from oracle.report import Example, Push, Row
from oracle.reports import fold
from oracle.reports.fold import Graph, Stub, focus, stubs

State = Literal["match", "inherited", "culprit"]


@dataclass(frozen=True)
class Box:
    """One value: its row, its state, and the names of the root causes that its wrong numbers come from."""

    row: Row
    state: State
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """From an operand to its user.

    back, forward  whether a wrong gradient came down it, or a wrong value went up
    began   whether that wrong gradient began here, at a wrong rule of the user
    push    what was pushed, where that is known
    total   what the operand received in all, where only that is known: yours, correct
    """

    operand: int
    user: int
    back: bool = False
    forward: bool = False
    began: bool = False
    push: Push | None = None
    total: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scene:
    """All that is drawn of an example; `hidden` holds the values that are not."""

    boxes: tuple[Box, ...]
    edges: tuple[Edge, ...]
    stubs: tuple[Stub, ...]
    hidden: tuple[int, ...]


def compose(example: Example, *, full: bool = False) -> Scene:
    """The scene of an example: all of it when it can be read (or drawn, with `full`), else what matters most."""
    rows = {row.value: row for row in example.table}
    graph = Graph(example.program, rows)
    limit = fold.DRAWABLE if full else fold.READABLE
    sites = culprits(example)
    differ = {value for value, row in rows.items() if wrong(row)}
    drawn = set(rows)
    if len(rows) > limit:
        shown = next((row.value for row in example.table if row.node == example.node), example.program.root)
        drawn &= focus(graph, sites, shown, example.program.root, differ)
    began = _began(example, rows, graph, sites)
    because = _because(began, rows, graph, sites)
    boxes = tuple(
        Box(
            row,
            _state(row, sites),
            () if value in sites else tuple(rows[i].node for i in sorted(because[value])),
        )
        for value, row in sorted(rows.items())
        if value in drawn
    )
    edges = _edges(example, rows, graph, drawn, began)
    hidden = tuple(sorted(set(rows) - drawn))
    return Scene(boxes, edges, stubs(graph, drawn, set(hidden), differ), hidden)


def culprits(example: Example) -> set[int]:
    """The values at which something wrong begins: a wrong rule is applied, or a wrong gradient pushed."""
    known = {row.value for row in example.table}
    return {row.value for row in example.table if row.cause} | {p.consumer for p in example.pushes} & known


def wrong_data(row: Row) -> bool:
    return row.data_verdict in ("wrong", "inherited", "imprecise")


def wrong_grad(row: Row) -> bool:
    return row.grad_verdict in ("wrong", "inherited", "imprecise")


def wrong(row: Row) -> bool:
    """Whether one of the row's numbers is not PyTorch's."""
    return wrong_data(row) or wrong_grad(row)


def _state(row: Row, sites: set[int]) -> State:
    return "culprit" if row.value in sites else "inherited" if wrong(row) else "match"


def _edges(
    example: Example, rows: Mapping[int, Row], graph: Graph, drawn: set[int], began: set[tuple[int, int]]
) -> tuple[Edge, ...]:
    pushes = {(push.consumer, push.slot): push for push in example.pushes}
    out, told = [], {i for user in rows for slot, i in graph.slots[user] if (user, slot) in pushes}
    for user in sorted(drawn):
        for slot, operand in graph.slots[user]:
            if operand not in drawn:
                continue
            row, here = rows[operand], (user, slot) in began
            total = None
            if here and operand not in told and row.grad is not None and row.local_grad is not None:
                told.add(operand)
                total = (row.grad, row.local_grad)
            back = here or (wrong_grad(row) and wrong_grad(rows[user]))
            forward = wrong_data(row) and wrong_data(rows[user])
            out.append(Edge(operand, user, back, forward, here, pushes.get((user, slot)), total))
    return tuple(out)


def _began(example: Example, rows: Mapping[int, Row], graph: Graph, sites: set[int]) -> set[tuple[int, int]]:
    """The (user, slot) on which a wrong gradient began: those whose pushes are known; for a value whose own
    equation fails otherwise, all towards users at which the wrong rule is applied."""
    known = {(push.consumer, push.slot) for push in example.pushes}
    explained = {value for value in rows for edge in graph.user_slots[value] if edge in known}
    return known | {
        (user, slot)
        for value, row in rows.items()
        if row.grad_verdict in ("wrong", "imprecise") and value not in explained
        for user, slot in graph.user_slots[value]
        if user in sites
    }


def _because(
    began: set[tuple[int, int]], rows: Mapping[int, Row], graph: Graph, sites: set[int]
) -> dict[int, set[int]]:
    """For every value the root causes that its wrong numbers come from: wrong data from operands, wrong
    gradients from users and from the wrong data that their slopes are taken at."""
    data: dict[int, set[int]] = {value: set() for value in rows}
    for value, row in sorted(rows.items()):
        if wrong_data(row):
            data[value] = (
                {value} if value in sites else set().union(*(data[i] for i in graph.operands[value]))
            )
    grad: dict[int, set[int]] = {value: set() for value in rows}
    for value, row in sorted(rows.items(), reverse=True):
        if not wrong_grad(row):
            continue
        for user, slot in graph.user_slots[value]:
            if (user, slot) in began:
                grad[value].add(user)
            if wrong_grad(rows[user]):
                grad[value] |= grad[user] or ({user} if user in sites else set())
            for i in (user, *graph.operands[user]):
                grad[value] |= data[i]
    return {value: data[value] | grad[value] for value in rows}
