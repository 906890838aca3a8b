"""Level nn: a neuron, a layer and a small network, unrolled into scalar ops; sums that begin with 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from oracle.case import Case
from oracle.program import Program
from oracle.recording import Recorder, Traced, record


def _sum(terms: list[Any]) -> Any:
    return sum(terms)


def _neuron(x1: Any, x2: Any, w1: Any, w2: Any, b: Any) -> Any:
    return (x1 * w1 + x2 * w2 + b).tanh()


def _relu_neuron(x1: Any, x2: Any, w1: Any, w2: Any, b: Any) -> Any:
    return (x1 * w1 + x2 * w2 + b).relu()


def _network(sizes: tuple[int, ...], activate: Callable[[Traced], Traced]) -> Program:
    """A multi-layer perceptron with fixed weights and one output, squared error against 1."""
    r = Recorder()
    inputs = [r.input(x, f"x{i}") for i, x in enumerate((2.0, 3.0, -1.0)[: sizes[0]])]
    weights = []
    n = 0
    for layer, (fan_in, fan_out) in enumerate(pairwise(sizes)):
        rows = []
        for j in range(fan_out):
            row = []
            for i in range(fan_in + 1):
                n += 1
                name = f"w{layer}{j}{i}" if i < fan_in else f"b{layer}{j}"
                row.append(r.input(((n * 37) % 19 - 9) / 10.0 or 0.05, name))
            rows.append(row)
        weights.append(rows)
    for layer, rows in enumerate(weights):
        outputs = []
        for *ws, b in rows:
            act = b
            for w, x in zip(ws, inputs, strict=True):
                act = act + w * x
            outputs.append(activate(act) if layer < len(weights) - 1 else act)
        inputs = outputs
    loss = (inputs[0] - 1.0) ** 2
    return r.program(loss.named("loss"))


def cases() -> Iterator[Case]:
    weights = (2.0, 0.0, -3.0, 1.0, 6.881373587019543)
    yield Case("nn/neuron-tanh", record(_neuron, *weights), "the lecture's neuron")
    yield Case("nn/neuron-relu", record(_relu_neuron, 2.0, 0.5, 1.5, -1.0, 0.25), "a neuron with relu")
    yield Case("nn/mlp-3-4-4-1-tanh", _network((3, 4, 4, 1), lambda x: x.tanh()), "a small network, unrolled")
    yield Case("nn/mlp-2-3-1-relu", _network((2, 3, 1), lambda x: x.relu()), "a small network with relu")
    yield Case(
        "coerce/sum-of-list",
        record(lambda a, b, c: _sum([a, b * 2.0, c]), 1.5, -2.5, 0.75),
        "sum() starts with the int 0 on the left",
    )
