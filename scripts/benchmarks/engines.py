"""The engines that are timed: the demo step of micrograd in each one's own words, and how to make a value.

Imported in environments that have nothing but the engine: the standard library only.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

SAMPLES, RATE, DECAY = 100, 0.1, 1e-4
SIZES = [16, 16, 1]

Work = Callable[[], Any]


class Engine(NamedTuple):
    """step: makes the demo step; value: makes a value of a float, None where there is none of its own to time."""

    step: Callable[[], Work]
    value: Callable[[float], Any] | None = None
    environment: str = ""
    """Name of the extra environment that has it; empty for ours."""


def samples() -> tuple[list[list[float]], list[float]]:
    """Points in a square, and sides drawn at random: what is learned does not matter here."""
    rng = random.Random(1)
    return [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(SAMPLES)], [
        rng.choice((-1.0, 1.0)) for _ in range(SAMPLES)
    ]


def demo(model: Any, parameters: list[Any], inputs: Callable[[list[float]], Any] = list) -> Work:
    """Forward, max-margin loss, weight decay, backward, zeroed gradients and SGD, with operators.

    Plain numbers stand on the right and sums begin with a value, which every engine here can do.
    """
    points, sides = samples()

    def step() -> None:
        scores = [model(inputs(point)) for point in points]
        losses = [(score * -side + 1.0).relu() for side, score in zip(sides, scores, strict=True)]
        total = sum(losses[1:], losses[0]) * (1.0 / len(losses))
        total = total + sum((p * p for p in parameters[1:]), parameters[0] * parameters[0]) * DECAY
        for p in parameters:
            p.grad = 0.0
        total.backward()
        for p in parameters:
            p.data = p.data - p.grad * RATE

    return step


def network(value: Callable[[float], Any]) -> tuple[Callable[[Any], Any], list[Any]]:
    """micrograd's MLP, for engines that come without one, and its parameters."""
    rng = random.Random(1)
    layers = [
        [([value(rng.uniform(-1, 1)) for _ in range(n)], value(0.0)) for _ in range(m)]
        for n, m in zip([2, *SIZES[:-1]], SIZES, strict=True)
    ]

    def model(x: Any) -> Any:
        for layer in layers:
            out = [
                sum((w * v for w, v in zip(weights[1:], x[1:], strict=True)), bias + weights[0] * x[0])
                for weights, bias in layer
            ]
            x = [value.relu() for value in out] if len(out) > 1 else out
        return x[0]

    return model, [p for layer in layers for weights, bias in layer for p in (*weights, bias)]


def _mlp(module: str) -> Work:
    model = import_module(module).MLP(2, SIZES)
    return demo(model, model.parameters())


def _scalargrad() -> Work:
    from scalargrad import MLP, Scalar

    model = MLP(2, SIZES)
    return demo(model, model.parameters(), lambda x: [Scalar(number) for number in x])


def _smallgrad() -> Work:
    from smallgrad.neural_network import MLP

    model = MLP(2, SIZES)
    neurons = [neuron for layer in model.layers for neuron in layer.neurons]
    return demo(model, [p for neuron in neurons for p in (*neuron.weights, neuron.bias)])


def _extension() -> Work:
    from minigrad import Value

    return demo(*network(Value))


def _torch() -> Work:
    model, parameters = network(_tensor)
    points, sides = samples()

    def step() -> None:
        losses = [(model(point) * -side + 1.0).relu() for side, point in zip(sides, points, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + sum(p * p for p in parameters) * DECAY
        for p in parameters:
            p.grad = None
        total.backward()
        for p in parameters:
            p.data -= p.grad * RATE

    return step


def _tensor(x: float) -> Any:
    import torch

    torch.set_num_threads(1)
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def _fused() -> Work:
    from minigrad import dot, losses
    from minigrad.nn import MLP
    from minigrad.optim import SGD

    model = MLP(2, SIZES, fused=True)
    parameters = model.parameters()
    optimizer = SGD(parameters, RATE)
    points, sides = samples()

    def step() -> None:
        total = losses.hinge([model(point) for point in points], sides) + DECAY * dot(parameters, parameters)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    return step


def _compiled() -> Work:
    import minigrad
    from minigrad.nn import MLP
    from minigrad.optim import SGD

    model = MLP(2, SIZES, fused=True)
    parameters = model.parameters()
    optimizer = SGD(parameters, RATE)
    margin = minigrad.compile(lambda point, side: (1 - model(point) * side).relu())
    decay = minigrad.compile(lambda: DECAY * minigrad.dot(parameters, parameters))
    rows = list(zip(*samples(), strict=True))

    def step() -> None:
        optimizer.zero_grad()
        decay().backward()
        margin.backward_sum(rows, 1 / len(rows))
        optimizer.step()

    return step


def _class(module: str, name: str = "Value") -> Callable[[float], Any]:
    return lambda x: getattr(import_module(module), name)(x)


ENGINES: dict[str, Engine] = {
    "micrograd": Engine(lambda: _mlp("micrograd.nn"), _class("micrograd.engine")),
    "scalargrad": Engine(_scalargrad, _class("scalargrad", "Scalar")),
    "smallgrad": Engine(_smallgrad, _class("smallgrad.backpropagation")),
    "PyTorch, scalar tensors": Engine(_torch, _tensor),
    "C extension": Engine(_extension, _class("minigrad"), "minigrad==0.0.6"),
    "minigrad": Engine(lambda: _mlp("minigrad.nn"), _class("minigrad")),
    "minigrad, fused": Engine(_fused),
    "minigrad, compiled": Engine(_compiled),
}
