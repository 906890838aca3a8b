"""Level lifecycle: what one backward leaves behind for the next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from oracle.case import Backward, Case, Observe, Rebuild, Step, Zero
from oracle.program import Program
from oracle.recording import Recorder, record

# Chains, not diamonds: what a second pass over a diamond does may depend on the order of a set.


def _chain(a: Any, b: Any) -> Any:
    m = (a * b).named("m")
    n = (m * 3.0).named("n")
    return (n + b * 0.5).named("r")


def _two_roots() -> tuple[Program, int]:
    r = Recorder()
    a, b = r.input(2.0, "a"), r.input(-3.0, "b")
    m = (a * b).named("m")
    first = (m * 3.0).named("first")
    second = (m * 5.0).named("second")
    return r.program(second), first._index


def cases() -> Iterator[Case]:
    program = record(_chain, 2.0, -3.0)
    everything = tuple(range(len(program)))
    leaves = tuple(range(len(program.inputs)))
    root = program.root
    once: tuple[Step, ...] = (Backward(root), Observe())

    def case(
        name: str, reason: str, steps: tuple[Step, ...], policy: str | None = None, of: Program = program
    ) -> Case:
        return Case(name, of, reason, steps, policy)

    yield case(
        "lifecycle/new-graph-after-zeroing",
        "a new graph over old leaves, the way every training loop does it",
        (*once, Zero(leaves), Rebuild(), *once),
    )
    yield case(
        "lifecycle/new-graph-without-zeroing",
        "gradients of two graphs add up on their common leaves",
        (*once, Rebuild(), *once),
    )
    yield case(
        "lifecycle/zero-everything-and-again",
        "nothing but gradients is left of the first call",
        (*once, Zero(everything), *once),
    )
    yield case(
        "lifecycle/forward-after-backward",
        "computing anew changes neither data nor gradients of the leaves",
        (*once, Rebuild(), Observe(), Backward(root), Observe()),
    )
    yield case(
        "lifecycle/twice",
        "a second backward of the same graph adds the same gradients again",
        (*once, *once),
        "second-backward",
    )
    yield case(
        "lifecycle/twice-after-zeroing-leaves",
        "a second backward of the same graph after the leaves were reset",
        (*once, Zero(leaves), *once),
        "second-backward",
    )
    middle = program.producer(root)
    assert middle is not None
    yield case(
        "lifecycle/middle-then-root",
        "backward from a value in the middle, then from the root",
        (Backward(middle.operands[0]), Observe(), *once),
        "two-roots",
    )
    shared, first = _two_roots()
    yield case(
        "lifecycle/two-roots",
        "two roots over a shared value",
        (Backward(first), Observe(), Backward(shared.root), Observe()),
        "two-roots",
        shared,
    )
