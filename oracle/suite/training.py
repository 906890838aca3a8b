"""Level training: steps of gradient descent, each with a new graph over the leaves of the one before.

The new data of every step are what the right gradients call for, computed here by the standard library. A case is
therefore fixed: an engine that goes wrong in one step is judged in the next from the right numbers again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from oracle import standard_reference
from oracle.case import Backward, Case, Observe, Rebuild, Set, Step, Zero
from oracle.program import Program
from oracle.recording import record
from oracle.suite.networks import LINEAR_LAST, perceptron, unrolled

Zeroed = Callable[[int], bool]
"""Whether the gradients are zeroed before step n, from 1."""


def descent(
    name: str,
    reason: str,
    program: Program,
    learned: int,
    rate: float,
    steps: int,
    *,
    zeroed: Zeroed = lambda n: True,
    momentum: float = 0.0,
    samples: Sequence[Sequence[float]] = (),
) -> Case:
    """So many steps that change the first `learned` inputs.

    zeroed    before which steps gradients are reset; they add up before the others
    momentum  of the velocity by which parameters move
    samples   the other inputs of each step, in turn; always the program's own unless given
    """
    inputs, velocity = list(program.inputs), [0.0] * learned
    held = [0.0] * learned
    done: list[Step] = []
    for n in range(steps):
        if n:
            changed = range(len(inputs)) if samples else range(learned)
            if zeroed(n):
                done.append(Zero(tuple(range(len(inputs)))))
                held = [0.0] * learned
            done += [*(Set(i, inputs[i]) for i in changed), Rebuild()]
        done += [Backward(program.root), Observe()]
        grad = standard_reference.run(program, inputs).grad
        held = [g + (new or 0.0) for g, new in zip(held, grad, strict=False)]
        velocity = [momentum * v + g for v, g in zip(velocity, held, strict=True)]
        inputs[:learned] = [x - rate * v for x, v in zip(inputs, velocity, strict=False)]
        if samples:
            inputs[learned:] = samples[(n + 1) % len(samples)]
    return Case(name, program, reason, tuple(done))


def _line(w: Any, b: Any, x: Any, y: Any) -> Any:
    e = w * x + b - y
    return (e * e).named("loss")


def _ridge(w: Any, b: Any, x: Any, y: Any) -> Any:
    e = w * x + b - y
    return (e * e + (w * w + b * b) * 0.01).named("loss")


def _tied(w: Any, b: Any, x: Any, y: Any) -> Any:
    hidden = (w * x + b).tanh()
    e = w * hidden + b - y
    return (e * e).named("loss")


def _frozen(w: Any, b: Any, c: Any, x: Any, y: Any) -> Any:
    e = w * x + b + (c * 0.0) - y
    return (e * e).named("loss")


def _batch(w: Any, b: Any) -> Any:
    points = ((1.5, 2.0), (-0.5, 0.25), (0.75, -1.0))
    return reduce(add, ((w * x + b - y) ** 2 for x, y in points)) / len(points)


def _margin(w1: Any, w2: Any, b: Any) -> Any:
    points = ((0.5, -1.25, 1.0), (-1.5, 0.75, -1.0), (2.0, 1.0, -1.0))
    terms = ((1 - (w1 * x1 + w2 * x2 + b) * y).relu() for x1, x2, y in points)
    return reduce(add, terms) * (1 / len(points))


POINT = (0.5, -0.25, 1.5, 2.0)
"""w, b, x and y."""


def cases() -> Iterator[Case]:
    line = record(_line, *POINT)
    yield descent("training/line-4-steps", "four steps of gradient descent on one point", line, 2, 0.125, 4)
    yield descent(
        "training/line-30-steps",
        "thirty graphs over the same leaves: nothing of the earlier ones may come back",
        line,
        2,
        0.0625,
        30,
    )
    yield descent(
        "training/without-zeroing",
        "gradients that are not reset add up from step to step",
        line,
        2,
        0.0625,
        4,
        zeroed=lambda n: False,
    )
    yield descent(
        "training/zeroing-every-other-step",
        "two backwards to a step: gradients add up over the two, and not over more",
        line,
        2,
        0.0625,
        6,
        zeroed=lambda n: n % 2 == 0,
    )
    yield descent(
        "training/one-point-after-another",
        "the sample changes with every step: inputs are leaves, too, and get new data",
        line,
        2,
        0.125,
        6,
        samples=((1.5, 2.0), (-0.5, 0.25), (0.75, -1.0)),
    )
    yield descent(
        "training/momentum",
        "parameters move by a velocity, away from where their gradients alone would have them",
        line,
        2,
        0.0625,
        5,
        momentum=0.9,
    )
    yield descent(
        "training/l2-term",
        "a penalty on the parameters: each is used by the model, and by the penalty twice",
        record(_ridge, *POINT),
        2,
        0.125,
        4,
    )
    yield descent(
        "training/weights-shared-by-layers",
        "one weight in two layers: its gradient is the sum of what both owe it, in every step",
        record(_tied, *POINT),
        2,
        0.125,
        5,
    )
    yield descent(
        "training/a-parameter-without-effect",
        "a parameter whose gradient is 0 stays where it is",
        record(_frozen, 0.5, -0.25, 3.0, 1.5, 2.0),
        3,
        0.125,
        3,
    )
    yield descent(
        "training/batch-of-3",
        "the mean over a batch, of points that are plain numbers",
        record(_batch, *POINT[:2]),
        2,
        0.25,
        5,
    )
    yield descent(
        "training/margin-loss",
        "max(0, 1 - margin): points that are right have no part in a step, and change with it",
        record(_margin, 0.1, -0.2, 0.05),
        3,
        0.5,
        6,
    )
    for activation, steps in (("tanh", 4), ("relu", 4)):
        network = perceptron(2, 3, 1, begin=11)
        yield descent(
            f"training/mlp-2-3-1-{activation}",
            f"{steps} steps of a small network with {activation}",
            unrolled(network, LINEAR_LAST[activation]),
            13,
            0.125,
            steps,
        )
