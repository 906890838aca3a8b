"""Folding a graph that is too large to read: which values are drawn, and what stands for the others."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from oracle.program import Program

Side = Literal["operands", "users"]

READABLE = 60
"""Values that a reader can take in; larger programs are folded."""

FOCUS = 14
"""Values drawn of a program that is folded (its stubs come on top)."""

DRAWABLE = 1500
"""Values that are drawn at most, even when everything is asked for."""


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


class Graph:
    """Who is made of whom, among known values: operands and users of each, and by which slot."""

    def __init__(self, program: Program, known: Collection[int]) -> None:
        self.operands: list[list[int]] = [[] for _ in range(len(program))]
        self.users: list[list[int]] = [[] for _ in range(len(program))]
        self.slots: list[list[tuple[int, int]]] = [[] for _ in range(len(program))]
        self.user_slots: list[list[tuple[int, int]]] = [[] for _ in range(len(program))]
        for value, node in program.nodes():
            for slot, operand in enumerate(node.operands):
                if operand in known and value in known:
                    self.operands[value].append(operand)
                    self.slots[value].append((slot, operand))
                    self.user_slots[operand].append((value, slot))
                    if value not in self.users[operand]:
                        self.users[operand].append(value)

    def around(self, value: int) -> Iterable[int]:
        return (*self.operands[value], *self.users[value])


def focus(graph: Graph, sites: Iterable[int], shown: int, root: int, differ: Collection[int]) -> set[int]:
    """The values worth drawing: where it goes wrong, with what they touch, nearest to the value `shown` first;
    the way to the root; then other values that `differ`, the nearest first."""
    near = {shown, *graph.users[shown]}
    order = sorted(sites, key=lambda value: (value not in near, -value)) or [shown]
    groups = [
        [order[0], shown],
        graph.operands[order[0]],
        graph.users[order[0]],
        _path(order[0], root, graph),
    ]
    groups += [[other, *graph.operands[other], *graph.users[other]] for other in order[1:]]
    chosen = [root]
    _take(chosen, (value for group in groups for value in group))
    _take(chosen, _ripple(chosen, graph, differ))
    return set(chosen)


def _take(chosen: list[int], more: Iterable[int]) -> None:
    for value in list(more):
        if len(chosen) >= FOCUS:
            return
        if value not in chosen:
            chosen.append(value)


def _path(start: int, root: int, graph: Graph) -> list[int]:
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


def _ripple(start: Sequence[int], graph: Graph, among: Collection[int]) -> Iterable[int]:
    """Values of `among` in order of their distance from `start`, along edges within `among`."""
    queue, seen = deque(start), set(start)
    while queue:
        for value in graph.around(queue.popleft()):
            if value in among and value not in seen:
                seen.add(value)
                queue.append(value)
                yield value


def stubs(
    graph: Graph, drawn: set[int], hidden: Collection[int], differ: Collection[int]
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
                if value not in hidden:
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
            if other in hidden and other not in home:
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
        return Stub(key[0], tuple(boxes), tuple(values), sum(v in differ for v in values), counted)

    found = [stub(key, values, at[key], True) for key, values in members.items()]
    found += [stub(key, values, [key[1]], False) for key, values in elsewhere.items()]
    return tuple(found)
