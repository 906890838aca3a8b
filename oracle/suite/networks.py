"""Level nn: a neuron, a layer and small networks, unrolled into scalar ops; sums that begin with 0.

The same networks are asked of a subject that has an MLP of its own: `NETWORKS`, by the names of their cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, Literal

from oracle.case import Case
from oracle.program import Program
from oracle.recording import Recorder, Traced, record
from oracle.subjects.network import Network

Activation = Callable[[Traced], Traced]


def _sum(terms: list[Any]) -> Any:
    return sum(terms)


def _neuron(x1: Any, x2: Any, w1: Any, w2: Any, b: Any) -> Any:
    return (x1 * w1 + x2 * w2 + b).tanh()


def _relu_neuron(x1: Any, x2: Any, w1: Any, w2: Any, b: Any) -> Any:
    return (x1 * w1 + x2 * w2 + b).relu()


def perceptron(*sizes: int, begin: int = 0, loss: Literal["sum", "squares"] = "squares") -> Network:
    """A network of fixed parameters, none 0 and no two of a neuron's equal, and a sample.

    begin  where in the row of parameters to begin: chosen so that each hidden layer has sums of both signs, and that
           some output's is positive, with relu, tanh and sigmoid
    """
    n = begin
    rows = []
    for fan_in, fan_out in pairwise(sizes):
        layer = []
        for _ in range(fan_out):
            row = []
            for _ in range(fan_in + 1):
                n += 1
                row.append(((n * 37) % 19 - 9) / 10.0 or 0.05)
            layer.append(tuple(row))
        rows.append(tuple(layer))
    return Network(sizes, tuple(rows), (0.8, -0.6, 1.5)[: sizes[0]], loss)


NETWORKS: Mapping[str, Network] = {
    "nn/layer-3-2-tanh": perceptron(3, 2),
    "nn/mlp-2-3-1-relu": perceptron(2, 3, 1, begin=11),
    "nn/mlp-3-4-2-tanh": perceptron(3, 4, 2),
    "nn/mlp-2-4-1-sum": perceptron(2, 4, 1, begin=3, loss="sum"),
    "nn/mlp-3-4-4-1-tanh": perceptron(3, 4, 4, 1, begin=1),
}
"""What is asked of a subject's own MLP, too: its activations are found by trial."""


def unrolled(
    network: Network,
    activations: Sequence[Activation],
    neuron: Callable[[Sequence[Traced], Sequence[Traced], Traced], Traced] | None = None,
    biases: bool = True,
) -> Program:
    """A network as a program: the loss of its sample, leaves in the order of parameters, then of the inputs.

    activations  of each layer
    neuron       how a neuron adds up: of weights, inputs and bias; the bias first unless given
    """
    r = Recorder()
    layers = []
    for n, rows in enumerate(network.parameters, 1):
        layers.append(
            [[r.input(x, _name(n, j, i, row)) for i, x in enumerate(row)] for j, row in enumerate(rows, 1)]
        )
    values = [r.input(x, f"x{i}") for i, x in enumerate(network.inputs, 1)]
    for neurons, activate in zip(layers, activations, strict=True):
        values = [activate((neuron or bias_first)(ws, values, b)) for *ws, b in neurons]
    losses = [y * y for y in values] if network.loss == "squares" else values
    return r.program(reduce(add, losses).named("loss"))


def _name(layer: int, neuron: int, i: int, row: Sequence[float]) -> str:
    """ "w1_23": of layer 1, neuron 2, the weight of input 3; "b1_2" its bias."""
    return f"b{layer}_{neuron}" if i == len(row) - 1 else f"w{layer}_{neuron}{i + 1}"


def bias_first(weights: Sequence[Traced], inputs: Sequence[Traced], bias: Traced) -> Traced:
    for w, x in zip(weights, inputs, strict=True):
        bias = bias + w * x
    return bias


def _linear(x: Traced) -> Traced:
    return x


def _tanh(x: Traced) -> Traced:
    return x.tanh()


def _relu(x: Traced) -> Traced:
    return x.relu()


LINEAR_LAST: Mapping[str, Sequence[Activation]] = {"tanh": (_tanh, _linear), "relu": (_relu, _linear)}
"""Activations of two layers, by that of the first."""


def cases() -> Iterator[Case]:
    weights = (2.0, 0.0, -3.0, 1.0, 6.881373587019543)
    yield Case("nn/neuron-tanh", record(_neuron, *weights), "the lecture's neuron")
    yield Case("nn/neuron-relu", record(_relu_neuron, 2.0, 0.5, 1.5, -1.0, 0.25), "a neuron with relu")
    of: dict[str, tuple[Sequence[Activation], str]] = {
        "nn/layer-3-2-tanh": ([_tanh], "a layer: two neurons share their inputs"),
        "nn/mlp-2-3-1-relu": ([_relu, _linear], "a small network with relu"),
        "nn/mlp-3-4-2-tanh": ([_tanh, _tanh], "two outputs, whose losses meet in every hidden neuron"),
        "nn/mlp-2-4-1-sum": ([_relu, _relu], "relu on the output, too, and an upstream gradient of 1"),
        "nn/mlp-3-4-4-1-tanh": (
            [_tanh, _tanh, _linear],
            "two hidden layers: gradients through a layer of many users",
        ),
    }
    for name, network in NETWORKS.items():
        activations, reason = of[name]
        yield Case(name, unrolled(network, activations), reason)
    yield Case(
        "coerce/sum-of-list",
        record(lambda a, b, c: _sum([a, b * 2.0, c]), 1.5, -2.5, 0.75),
        "sum() starts with the int 0 on the left",
    )
