"""Small networks of Values: micrograd's classes with PyTorch's initialisation and parameter names."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from minigrad.engine import FORWARD, NO_GRAD, NUMBER, Value, as_value, new_node
from minigrad.rows import ROWS

# torch.nn's activations that have default parameters, by the names of their ops; "linear" is none.
# fmt: off
ACTIVATIONS = (
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "silu", "gelu", "mish", "tanh", "sigmoid",
    "logsigmoid", "softplus", "softsign", "softshrink", "hardshrink", "tanhshrink", "hardtanh", "hardsigmoid",
    "hardswish",
)
# fmt: on

Inputs = Sequence[Value | float]


class Module:
    """Something with parameters. A subclass of its own kind overrides `parameters`."""

    def linears(self) -> list[tuple[str, list[Neuron]]]:
        """The neurons, grouped as PyTorch's Linear modules would hold them, each group with its name."""
        return []

    def parameters(self) -> list[Value]:
        """Every parameter, neuron by neuron: its weights, then its bias."""
        return [parameter for _, parameter in self.named_parameters()]

    def named_parameters(self) -> Iterator[tuple[str, Value]]:
        """The parameters in the same order, each with its place in the state dict, as `0.weight[3][1]`."""
        for name, neurons in self.linears():
            for row, neuron in enumerate(neurons):
                for column, weight in enumerate(neuron.w):
                    yield f"{name}weight[{row}][{column}]", weight
                yield f"{name}bias[{row}]", neuron.b

    def zero_grad(self) -> None:
        """Forget every gradient, so that the next backward starts anew."""
        for parameter in self.parameters():
            parameter.grad = NO_GRAD

    def state_dict(self) -> dict[str, list[Any]]:
        """The parameters' numbers under PyTorch's names for the equivalent Sequential.

        A weight is a list of rows, one for each neuron; a bias is a list.
        """
        state: dict[str, list[Any]] = {}
        for name, neurons in self.linears():
            state[f"{name}weight"] = [[weight.data for weight in neuron.w] for neuron in neurons]
            state[f"{name}bias"] = [neuron.b.data for neuron in neurons]
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over numbers from `state_dict()` of a network of the same shape, here or in PyTorch.

        Values are nested lists, or anything with `tolist()`, such as tensors and arrays. Raises ValueError,
        and changes nothing, when a key is missing or unknown, has another shape or something that is no number.
        """
        if not isinstance(state, Mapping):
            raise TypeError(f"a state dict maps names to numbers, got a {type(state).__name__}")
        mine = self.state_dict()
        for problem, keys in (
            ("misses", mine.keys() - state.keys()),
            ("has unknown", state.keys() - mine.keys()),
        ):
            if keys:
                raise ValueError(
                    f"the state dict {problem} {', '.join(sorted(keys))}; this network has {', '.join(mine)}"
                )
        given = {key: x.tolist() if hasattr(x, "tolist") else x for key, x in state.items()}
        for key, numbers in mine.items():
            if _shape(given[key]) != _shape(numbers):
                raise ValueError(
                    f"{key} in the state dict has shape {_shape(given[key])}, this network needs "
                    f"{_shape(numbers)}: load it into a network of the same sizes"
                )
            for x in _flat(given[key]):
                if not isinstance(x, NUMBER):
                    raise ValueError(f"{key} in the state dict holds {x!r}, which is not a number")
        for name, neurons in self.linears():
            for neuron, row, bias in zip(neurons, given[f"{name}weight"], given[f"{name}bias"], strict=True):
                for weight, number in zip(neuron.w, row, strict=True):
                    weight.data = float(number)
                neuron.b.data = float(bias)


class Neuron(Module):
    """`activation(w · x + b)` of `nin` inputs.

    Weights and bias start uniform in ±1/sqrt(nin), as in PyTorch's Linear, drawn from `rng` (by default the
    generator that `random.seed` sets). A fused neuron makes one node (two, for activations other than relu and
    tanh) instead of a node for each product and sum: the same numbers, sooner, in a graph that shows less; its
    `w` is a tuple. Raises ValueError for a bad size or an unknown activation.
    """

    def __init__(
        self, nin: int, activation: str = "relu", rng: random.Random | None = None, fused: bool = False
    ) -> None:
        _check_size("nin", nin)
        _check_activation(activation)
        _check_rng(rng)
        uniform = (rng or random).uniform
        bound = 1.0 / math.sqrt(nin)
        weights = [Value(uniform(-bound, bound)) for _ in range(nin)]
        self.w: Sequence[Value] = tuple(weights) if fused else weights
        self.b = Value(uniform(-bound, bound))
        self.activation = activation
        self.fused = fused
        self._row: _Row | None = None

    def __call__(self, x: Inputs) -> Value:
        """The output. Raises ValueError when x has another length than the weights."""
        return self.forward(_inputs(x))

    def forward(self, x: tuple[Value, ...]) -> Value:
        """`activation(b + w0*x0 + w1*x1 + …)`, node by node as written, or fused.

        The nodes are made directly: Python's operators would cost as much time again, and most nodes of a
        network are made here.
        """
        w, act, activation = self.w, self.b, self.activation
        if len(x) != len(w):
            raise ValueError(f"a neuron with {len(w)} weights got {len(x)} inputs: pass {len(w)}")
        if self.fused:
            row = self._row
            if row is None or row.w is not w or row.b is not act or row.activation is not activation:
                self._row = row = _Row(w, act, activation)
            if row.op and (y := row.forward(row.operands, x)) is not None:
                return new_node(y, row.op, row.operands, x)
            act = new_node(row.dot(row.operands, x), "dot", row.operands, x)
        else:
            for wi, xi in zip(w, x, strict=True):
                product = new_node(wi.data * xi.data, "mul", wi, xi)
                act = new_node(act.data + product.data, "add", act, product)
        if activation == "linear":
            return act
        forward = FORWARD.get(activation)
        if forward is None:  # it has parameters
            return getattr(act, activation)()  # type: ignore[no-any-return]
        return new_node(forward(act.data), activation, act, None)

    def linears(self) -> list[tuple[str, list[Neuron]]]:
        return [("", [self])]

    def __repr__(self) -> str:
        return f"{self.activation} neuron of {len(self.w)} inputs"


class _Row:
    """What a fused neuron of these weights, this bias and this activation makes of its inputs.

    operands  made once: the nodes of all samples share this row, and backward looks through it once
    op        of the node that is the whole neuron; "" where there is none for its activation
    forward   (operands, inputs) to that node's data, or None where that is not finite
    dot       (operands, inputs) to the sum alone
    """

    __slots__ = ("activation", "b", "dot", "forward", "op", "operands", "w")

    def __init__(self, w: Sequence[Value], b: Value, activation: str) -> None:
        self.w, self.b, self.activation = w, b, activation
        self.operands = b, *w
        size = len(w) + len(self.operands)
        op = "dot" if activation == "linear" else f"dot_{activation}"
        self.op = op if op in ROWS else ""
        self.forward = ROWS[self.op or "dot"][size].forward
        self.dot = ROWS["dot"][size].forward

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled by what it is made of: functions that were written out have no home."""
        return _Row, (self.w, self.b, self.activation)


class Layer(Module):
    """`nout` neurons that read the same `nin` inputs. Initialisation, `fused` and errors are Neuron's."""

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: str = "relu",
        rng: random.Random | None = None,
        fused: bool = False,
    ) -> None:
        _check_size("nout", nout)
        self.neurons = [Neuron(nin, activation, rng, fused) for _ in range(nout)]

    def __call__(self, x: Inputs) -> Value | list[Value]:
        """One Value for each neuron; of a single neuron the Value itself."""
        out = self.forward(_inputs(x))
        return out[0] if len(out) == 1 else list(out)

    def forward(self, x: tuple[Value, ...]) -> tuple[Value, ...]:
        """One Value for each neuron, also of a single one."""
        return tuple([neuron.forward(x) for neuron in self.neurons])

    def linears(self) -> list[tuple[str, list[Neuron]]]:
        return [("", self.neurons)]

    def __repr__(self) -> str:
        return f"Layer of {len(self.neurons)} × {self.neurons[0]}"


class MLP(Module):
    """Layers of sizes `nouts`, one after the other: MLP(2, [16, 16, 1]) maps 2 numbers to 1.

    Hidden layers end in `activation`, the last one in `last`. It computes what `nn.Sequential(Linear,
    activation, Linear, …, Linear)` does, and its parameters have the names that they have there: layer i is
    module 2i. Initialisation, `fused` and errors are Neuron's.
    """

    def __init__(
        self,
        nin: int,
        nouts: Sequence[int],
        activation: str = "relu",
        last: str = "linear",
        rng: random.Random | None = None,
        fused: bool = False,
    ) -> None:
        if not isinstance(nouts, Sequence) or not nouts:
            raise ValueError(
                f"nouts must be a list with the size of every layer, as in [16, 16, 1]; got {nouts!r}"
            )
        _check_activation(activation)
        activations = [activation] * (len(nouts) - 1) + [last]
        sizes = zip([nin, *nouts], nouts, activations, strict=False)
        self.layers = [Layer(size, nout, activation, rng, fused) for size, nout, activation in sizes]

    def __call__(self, x: Inputs) -> Value | list[Value]:
        """The last layer's outputs; of a network with one output the Value itself."""
        out = _inputs(x)
        for layer in self.layers:
            out = layer.forward(out)
        return out[0] if len(out) == 1 else list(out)

    def linears(self) -> list[tuple[str, list[Neuron]]]:
        return [(f"{2 * i}.", layer.neurons) for i, layer in enumerate(self.layers)]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _inputs(x: Inputs) -> tuple[Value, ...]:
    """A network's inputs as Values, made once for all neurons that read them."""
    if isinstance(x, (Value, float, int)):
        raise TypeError(f"inputs must be a sequence, got {x!r}: write [{x!r}] for a single one")
    return tuple([as_value(item, "a layer") for item in x])


def _check_activation(name: str) -> None:
    if name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}: use one of {', '.join(ACTIVATIONS)}")


def _check_rng(rng: random.Random | None) -> None:
    if rng is not None and not isinstance(rng, random.Random):
        raise TypeError(f"rng is a generator such as random.Random(1), got {rng!r}")


def _check_size(name: str, size: int) -> None:
    if not isinstance(size, int) or size < 1:
        raise ValueError(f"{name}, the size of a layer, must be a whole number above 0; got {size!r}")


def _flat(x: Any) -> Iterator[Any]:
    """The items of nested lists."""
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from _flat(item)
    else:
        yield x


def _shape(x: Any) -> tuple[int, ...] | None:
    """Lengths of a number (), of a list of numbers (n,), or of n equal rows (n, m); None when uneven."""
    if not isinstance(x, (list, tuple)):
        return ()
    rows = {_shape(item) for item in x}
    row = rows.pop() if len(rows) == 1 else None
    return None if row is None else (len(x), *row)
