"""The conformance suite: every case, in the order in which people build an engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from oracle.case import Case
from oracle.suite import edges, graphs, networks, rules, steps, training

VERSION = "1"

LEVELS = {
    "forward": "every op and form computes the right value",
    "gradient": "every op and form pushes the right gradient, also when the upstream gradient is not 1",
    "accumulate": "a value that is used twice gets the sum of what its users owe it",
    "coerce": "plain numbers, ints and floats, on either side",
    "graph": "shared sub-expressions of every shape, depth and width",
    "lifecycle": "what one backward leaves behind for the next",
    "edge": "kinks, ends of domains, infinities: where engines choose",
    "numerics": "where a naive formula loses its digits",
    "nn": "neurons, layers and small networks",
    "training": "steps of gradient descent: new data, a new graph on old leaves, zeroed gradients or not",
}

ROOMS = (rules, graphs, steps, edges, networks, training)


@cache
def cases() -> tuple[Case, ...]:
    """All cases, level by level. Names are unique."""
    order = list(LEVELS)
    found = [case for room in ROOMS for case in room.cases()]
    return tuple(sorted(found, key=lambda case: order.index(case.level)))


@cache
def deep() -> tuple[Case, ...]:
    """Cases that are run where they are demanded or named, since they take longer than all others together."""
    return tuple(graphs.deep())


OF_VALUES = "-of-values"
"""What the name of a case ends in whose numbers have been made values."""


def of_values(case: Case) -> Case:
    """A case of one backward with its plain numbers made values, for an engine that takes none beside a value."""
    reason = f"{case.reason}; its numbers are values, since this engine takes no plain ones"
    return Case(f"{case.name}{OF_VALUES}", case.program.without_numbers(), reason)


def select(
    levels: frozenset[str] = frozenset(), pattern: str = "*", with_deep: bool = False
) -> Iterator[Case]:
    """The cases of these levels (all if none) whose name matches a shell pattern; the deep ones if they are
    wanted, or named by the pattern."""
    from fnmatch import fnmatchcase

    for case in (*cases(), *(deep() if with_deep or pattern != "*" else ())):
        if not levels or case.level in levels:
            if fnmatchcase(case.name, pattern):
                yield case
            elif pattern == case.name + OF_VALUES:
                yield of_values(case)
