"""What a picture shows: which values of an example, in which state, along which edges, and what is folded away.

Everything here is about meaning; how it looks is `picture`'s business.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from oracle.program import Program
from oracle.report import Example, Push, Row

State = Literal["match", "inherited", "culprit"]
Side = Literal["operands", "users"]

READABLE = 60
"""Values that a reader can take in; larger programs are folded."""

FOCUS = 14
"""Values drawn of a program that is folded (its stubs come on top)."""

DRAWABLE = 1500
"""Values that are drawn at most, even when everything is asked for."""


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
class Stub:
    """Hidden values at the boundary of what is drawn: they feed, or use, the boxes `at`.

    values   the hidden values, the nearest first
    differ   how many of them have a wrong number
    counted  False when another stub counts them already
    """

    side: Side
    at: tuple[int, ...]
    values: tuple[int, ...]
    differ: int
    counted: bool = True


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
    graph = _Graph(example.program)
    limit = DRAWABLE if full else READABLE
    drawn = set(rows if len(rows) <= limit else _focus(example, rows, graph))
    sites = culprits(example)
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
    return Scene(boxes, edges, _stubs(graph, drawn, hidden, rows), hidden)


def culprits(example: Example) -> set[int]:
    """The values at which something wrong begins: a wrong rule is applied, or a wrong gradient pushed."""
    return {row.value for row in example.table if row.cause} | {push.consumer for push in example.pushes}


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
    example: Example, rows: Mapping[int, Row], graph: _Graph, drawn: set[int], began: set[tuple[int, int]]
) -> tuple[Edge, ...]:
    pushes = {(push.consumer, push.slot): push for push in example.pushes}
    operand_of = {(user, slot): i for user in rows for slot, i in graph.slots[user]}
    out, told = [], {operand_of[push.consumer, push.slot] for push in example.pushes}
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


def _began(example: Example, rows: Mapping[int, Row], graph: _Graph, sites: set[int]) -> set[tuple[int, int]]:
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


class _Graph:
    """Who is made of whom, plain numbers left out: operands and users of every value, and by which slot."""

    def __init__(self, program: Program) -> None:
        self.operands: list[list[int]] = [[] for _ in range(len(program))]
        self.users: list[list[int]] = [[] for _ in range(len(program))]
        self.slots: list[list[tuple[int, int]]] = [[] for _ in range(len(program))]
        self.user_slots: list[list[tuple[int, int]]] = [[] for _ in range(len(program))]
        for value, node in program.nodes():
            for slot, operand in enumerate(node.operands):
                if operand >= 0:
                    self.operands[value].append(operand)
                    self.slots[value].append((slot, operand))
                    self.user_slots[operand].append((value, slot))
                    if value not in self.users[operand]:
                        self.users[operand].append(value)

    def around(self, value: int) -> Iterable[int]:
        return (*self.operands[value], *self.users[value])


def _because(
    began: set[tuple[int, int]], rows: Mapping[int, Row], graph: _Graph, sites: set[int]
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


# Folding -------------------------------------------------------------------------------------------------------


def _focus(example: Example, rows: Mapping[int, Row], graph: _Graph) -> list[int]:
    """The values worth drawing: root causes with what they touch, the way to the root, then wrong values
    near them."""
    shown = next((row.value for row in example.table if row.node == example.node), example.program.root)
    near = {shown, *graph.users[shown]}
    sites = sorted(culprits(example), key=lambda value: (value not in near, -value)) or [shown]
    first = sites[0]
    groups: list[Iterable[int]] = [[first, shown], graph.operands[first], graph.users[first]]
    groups.append(_path(first, example.program.root, graph))
    for other in sites[1:]:
        groups.append([other, *graph.operands[other], *graph.users[other]])
    chosen: list[int] = [example.program.root]
    _take(chosen, (value for group in groups for value in group if value in rows))
    _take(chosen, _ripple(chosen, graph, {v for v, row in rows.items() if wrong(row)}))
    return chosen


def _take(chosen: list[int], more: Iterable[int]) -> None:
    for value in list(more):
        if len(chosen) >= FOCUS:
            return
        if value not in chosen:
            chosen.append(value)


def _path(start: int, root: int, graph: _Graph) -> list[int]:
    """A shortest way from a value to the root, through users."""
    before: dict[int, int] = {start: start}
    queue = deque([start])
    while queue:
        value = queue.popleft()
        if value == root:
            break
        for user in graph.users[value]:
            if user not in before:
                before[user] = value
                queue.append(user)
    if root not in before:
        return []
    way = [root]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]


def _ripple(start: Sequence[int], graph: _Graph, among: Collection[int]) -> Iterable[int]:
    """Values of `among` in order of their distance from `start`, along edges within `among`."""
    queue, seen = deque(start), set(start)
    while queue:
        for value in graph.around(queue.popleft()):
            if value in among and value not in seen:
                seen.add(value)
                queue.append(value)
                yield value


def _stubs(
    graph: _Graph, drawn: set[int], hidden: Sequence[int], rows: Mapping[int, Row]
) -> tuple[Stub, ...]:
    """What is hidden, as stubs at the boundary: each hidden value is counted in the stub nearest to it.

    A stub either feeds boxes or uses them, never both, so that no cycle can arise.
    """
    members: dict[tuple[Side, int], list[int]] = {}
    home: dict[int, tuple[Side, int]] = {}
    queue: deque[int] = deque()
    boundary: list[tuple[int, Side, int]] = []
    for box in sorted(drawn):
        for side, neighbours in (("operands", graph.operands[box]), ("users", graph.users[box])):
            for value in dict.fromkeys(neighbours):
                if value in drawn or value not in rows:
                    continue
                key: tuple[Side, int] = (side, box)  # type: ignore[assignment]
                boundary.append((value, key[0], box))
                if value not in home:
                    home[value] = key
                    queue.append(value)
    while queue:
        value = queue.popleft()
        members.setdefault(home[value], []).append(value)
        for other in graph.around(value):
            if other in rows and other not in drawn and other not in home:
                home[other] = home[value]
                queue.append(other)
    at: dict[tuple[Side, int], list[int]] = {key: [] for key in members}
    elsewhere: dict[tuple[Side, int], list[int]] = {}
    for value, side, box in boundary:
        if home[value][0] == side:
            if box not in at[home[value]]:
                at[home[value]].append(box)
        else:
            elsewhere.setdefault((side, box), []).append(value)

    def stub(key: tuple[Side, int], values: list[int], boxes: list[int], counted: bool) -> Stub:
        return Stub(key[0], tuple(boxes), tuple(values), sum(wrong(rows[v]) for v in values), counted)

    stubs = [stub(key, values, at[key], True) for key, values in members.items()]
    stubs += [stub(key, values, [key[1]], False) for key, values in elsewhere.items()]
    return tuple(stubs)
