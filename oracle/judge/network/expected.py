"""What a right network gives: its outputs for any activations, and PyTorch's gradients with a rounding bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from oracle import standard_reference
from oracle.judge.network.asked import Asked, Slot, at, slots
from oracle.judge.network.mistakes import ACTIVATIONS, Activation, Inputs, right
from oracle.judge.yardstick import yardstick
from oracle.program import Program
from oracle.recording import Traced
from oracle.subjects.network import Network, Table
from oracle.suite.networks import unrolled

SUMMED = 16
"""By how many u a neuron's operands count as off, since its sum may be in any order: enough for 32 terms."""

NEAR = 1e-6
"""Relative: two choices of activations are further apart than this, and no right network is off by as much."""

Layers = tuple[Activation, ...]
"""The activation of each layer."""

Choice = tuple[Activation, Activation]
"""That of the hidden layers, and that of the last one."""


def of_layers(a: Asked, choice: Choice) -> Layers:
    """The activation of each layer of a network."""
    return (*[choice[0]] * (a.layers - 1), choice[1])


def outputs(a: Asked, activations: Layers, neuron: Callable[[Inputs], float] = right) -> list[float]:
    """The outputs of a network of such neurons, in plain floats."""
    values: Sequence[float] = a.network.inputs
    for k, (rows, activate) in enumerate(zip(a.network.parameters, activations, strict=True), 1):
        values = [
            neuron(Inputs(ws, b if a.biased else 0.0, values, a.network.inputs, activate, k, a.layers))
            for *ws, b in rows
        ]
    return list(values)


def near(observed: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether outputs are so close that they can be by the same formula."""
    return len(observed) == len(expected) and all(
        abs(x - y) <= NEAR * max(1.0, abs(y)) for x, y in zip(observed, expected, strict=True)
    )


def choose(asked: Sequence[Asked]) -> Choice | None:
    """The activations that reproduce the outputs of all networks; the usual ones are tried first."""
    order = {a: n for n, a in enumerate(map(id, ACTIVATIONS))}
    pairs = product(ACTIVATIONS, ACTIVATIONS)
    for pair in sorted(pairs, key=lambda pair: max(order[id(x)] for x in pair)):
        if all(near(a.answer.outputs, outputs(a, of_layers(a, pair))) for a in asked):
            return pair
    return None


@dataclass(frozen=True)
class Expected:
    """PyTorch's numbers for a network, and how far those of a right one may be from them."""

    program: Program
    outputs: tuple[float, ...]
    output_bounds: tuple[float, ...]
    grad: Table
    grad_bounds: Table

    def wrong_outputs(self, a: Asked) -> list[int]:
        numbers = zip(a.answer.outputs, self.outputs, self.output_bounds, strict=True)
        return [n for n, numbers in enumerate(numbers) if not within(*numbers)]

    def wrong_gradients(self, a: Asked) -> list[Slot]:
        return [
            s
            for s in a.parameters
            if not within(
                at(a.answer.gradients, s) or 0.0, at(self.grad, s) or 0.0, at(self.grad_bounds, s) or 0.0
            )
        ]


def within(observed: float, expected: float, bound: float) -> bool:
    return abs(observed - expected) <= bound


def expect(a: Asked, activations: Layers, unit: float) -> Expected:
    """By the standard library, with a running error bound (see `yardstick`) in which sums may have any order.

    unit  the engine's unit of rounding
    """
    network = a.network
    if not a.biased:
        bare = tuple(tuple((*row[:-1], 0.0) for row in rows) for rows in network.parameters)
        network = replace(network, parameters=bare)
    program = unrolled(network, [x.of for x in activations])
    seen = standard_reference.run(program)
    bound = yardstick(program, seen.data, seen.grad, program.root, SUMMED * unit)
    found = output_values(program, network)
    return Expected(
        program,
        tuple(seen.data[i] for i in found),
        tuple(bound.data[i] for i in found),
        shaped(network, seen.grad),
        shaped(network, bound.grad),
    )


def output_values(program: Program, network: Network) -> list[int]:
    """The values of an unrolled program that are the network's outputs: each is squared, or part of the sum."""
    if network.loss == "squares":
        return [
            node.operands[0] for _, node in program.nodes() if node.op == "mul" and len({*node.operands}) == 1
        ]
    return [program.root]  # of one output


def shaped(network: Network, column: Sequence[float | None]) -> Table:
    """The beginning of a column of an unrolled program, its parameters, in their shape."""
    numbers = iter(column)
    return tuple(tuple(tuple(next(numbers) for _ in row) for row in rows) for rows in network.parameters)


def follows(a: Asked, program: Program, data: Sequence[float], grad: Sequence[float | None]) -> bool:
    """Whether a network has the outputs and gradients that its own engine has for the program."""
    if not near(a.answer.outputs, [data[i] for i in output_values(program, a.network)]):
        return False
    own = shaped(a.network, grad)
    return all(
        near([at(a.answer.gradients, s) or 0.0], [at(own, s) or 0.0])
        for s in slots(own)
        if s in set(a.parameters)
    )


# In which order a neuron may add up, and multiply: it matters where the engine is wrong. ------------------------------


def _bias_first(weights: Sequence[Traced], inputs: Sequence[Traced], bias: Traced) -> Traced:
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), bias)


def _bias_last(weights: Sequence[Traced], inputs: Sequence[Traced], bias: Traced) -> Traced:
    return sum((w * x for w, x in zip(weights[1:], inputs[1:], strict=True)), weights[0] * inputs[0]) + bias


def _from_zero(weights: Sequence[Traced], inputs: Sequence[Traced], bias: Traced) -> Traced:
    return sum((w * x for w, x in zip(weights, inputs, strict=True)), 0) + bias


def _turned(order: Callable[..., Traced]) -> Callable[..., Traced]:
    return lambda weights, inputs, bias: order(inputs, weights, bias)


ORDERS = tuple(f for order in (_bias_first, _bias_last, _from_zero) for f in (order, _turned(order)))
