"""Networks in two worlds: a minigrad network as a torch.nn.Sequential in float64, and back, and their comparison."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from oracle.torch_reference import torch

if TYPE_CHECKING:
    from minigrad.nn import MLP

# minigrad's activations and the modules of torch.nn that they are, with its default parameters.
MODULES = {
    "linear": "Identity", "relu": "ReLU", "relu6": "ReLU6", "leaky_relu": "LeakyReLU", "elu": "ELU", "selu": "SELU",
    "celu": "CELU", "silu": "SiLU", "gelu": "GELU", "mish": "Mish", "tanh": "Tanh", "sigmoid": "Sigmoid",
    "logsigmoid": "LogSigmoid", "softplus": "Softplus", "softsign": "Softsign", "softshrink": "Softshrink",
    "hardshrink": "Hardshrink", "tanhshrink": "Tanhshrink", "hardtanh": "Hardtanh", "hardsigmoid": "Hardsigmoid",
    "hardswish": "Hardswish",
}  # fmt: skip
ACTIVATIONS = {module: activation for activation, module in MODULES.items()}


def is_model(x: object) -> bool:
    """Whether x is a minigrad network, as opposed to a function."""
    return all(hasattr(x, name) for name in ("linears", "named_parameters", "state_dict"))


def to_torch(model: Any) -> Any:
    """The torch.nn.Sequential, in float64, that a minigrad MLP, Layer or Neuron is, with the same weights.

    An MLP's layer i is module 2i, so `state_dict` has the same names on both sides. Raises TypeError for
    something else, ValueError when the neurons of a layer have different activations.
    """
    if not is_model(model):
        raise TypeError(f"to_torch takes a network of minigrad.nn, got {type(model).__name__}")
    t = torch()
    modules: list[Any] = []
    for _, neurons in model.linears():
        kinds = {neuron.activation for neuron in neurons}
        if len(kinds) != 1:
            raise ValueError(f"the neurons of a layer have different activations: {', '.join(sorted(kinds))}")
        linear = t.nn.Linear(len(neurons[0].w), len(neurons), dtype=t.float64)
        with t.no_grad():
            linear.weight.copy_(t.tensor([[w.data for w in neuron.w] for neuron in neurons], dtype=t.float64))
            linear.bias.copy_(t.tensor([neuron.b.data for neuron in neurons], dtype=t.float64))
        modules += [linear, getattr(t.nn, MODULES[kinds.pop()])()]
    if isinstance(modules[-1], t.nn.Identity):
        del modules[-1]
    return t.nn.Sequential(*modules)


def from_torch(sequential: Any, fused: bool = False) -> MLP:
    """The minigrad MLP that a torch.nn.Sequential of Linears with activations between them is.

    Weights of any float type are taken over as float64, which changes none. Raises TypeError for another module,
    ValueError naming the place for one that an MLP cannot be: a module of another kind or with parameters of its
    own choice, a Linear without bias, hidden activations that differ.
    """
    from minigrad.nn import MLP

    t = torch()
    if not isinstance(sequential, t.nn.Sequential):
        raise TypeError(f"from_torch takes a torch.nn.Sequential, got {type(sequential).__name__}")
    linears: list[Any] = []
    after: list[str] = []  # the activation that follows each
    for i, module in enumerate(sequential):
        if isinstance(module, t.nn.Linear):
            if module.bias is None:
                raise ValueError(f"module {i} is a Linear without bias, and a neuron has one")
            linears.append(module)
            after.append("")
        elif not linears or after[-1]:
            raise ValueError(f"module {i}, {module!r}, does not follow a Linear")
        else:
            after[-1] = _activation(i, module)
    if not linears:
        raise ValueError("the Sequential has no Linear")
    *hidden, last = [name or "linear" for name in after]
    if len(set(hidden)) > 1:
        raise ValueError(f"an MLP has one activation in its hidden layers, not {', '.join(hidden)}")
    sizes = [linear.out_features for linear in linears]
    model = MLP(linears[0].in_features, sizes, hidden[0] if hidden else "relu", last, fused=fused)
    names = [name for name, _ in model.linears()]
    model.load_state_dict(
        {
            f"{name}{part}": getattr(linear, part).detach().double()
            for name, linear in zip(names, linears, strict=True)
            for part in ("weight", "bias")
        }
    )
    return model


def _activation(i: int, module: Any) -> str:
    """minigrad's word for a module of torch.nn. Raises ValueError."""
    kind = type(module).__name__
    if kind not in ACTIVATIONS:
        raise ValueError(f"module {i} is a {kind}; an MLP has Linear and {', '.join(ACTIVATIONS)}")
    default = getattr(torch().nn, kind)()
    own = {name: x for name, x in vars(module).items() if not name.startswith("_") and name != "training"}
    for name, x in own.items():
        if name != "inplace" and x != getattr(default, name):
            raise ValueError(
                f"module {i}, {module!r}: minigrad's networks have {name}={getattr(default, name)!r}"
            )
    return ACTIVATIONS[kind]


# Comparison ---------------------------------------------------------------------------------------------------

WIRING = 1e-9
"""How far an output or gradient may be from the Sequential's, relative to the largest number of its tensor. It tells
another function from the same one; roundings are judged node by node, on each node's own operands."""


def backpropagated(model: Any, inputs: Sequence[float]) -> tuple[Any, list[float], dict[str, float]]:
    """A model's outputs at given inputs, weighted 1, 1/2, 1/3, … and added, after backward from that root.

    Returns the root, the outputs and the gradient of every parameter by name. Gradients that the parameters had
    before are not part of it; they are overwritten.
    """
    for _, parameter in model.named_parameters():
        parameter.grad = 0.0
    out = model(list(inputs))
    outputs = list(out) if isinstance(out, (list, tuple)) else [out]
    root = outputs[0] * 1.0
    for k, output in enumerate(outputs[1:], 2):
        root = root + output * (1.0 / k)
    root.backward()
    return root, [output.data for output in outputs], {name: p.grad for name, p in model.named_parameters()}


def wiring(
    model: Any, inputs: Sequence[float], outputs: Sequence[float], grads: dict[str, float]
) -> list[str]:
    """A line for each output and parameter's gradient that is not the equivalent Sequential's."""
    t = torch()
    sequential = to_torch(model)
    there = _in_order(sequential, t.tensor(inputs, dtype=t.float64))
    sum(output * (1.0 / k) for k, output in enumerate(there, 1)).backward()
    lines = _far("output", {f"[{k}]": x for k, x in enumerate(outputs)}, there)
    # A Layer or Neuron alone has no module number in its names.
    for (prefix, _), module in zip(
        model.linears(), [m for m in sequential if isinstance(m, t.nn.Linear)], strict=True
    ):
        for part in ("weight", "bias"):
            name = prefix + part
            mine = {key[len(name) :]: g for key, g in grads.items() if key.startswith(f"{name}[")}
            lines += _far(f"gradient of {name}", mine, getattr(module, part).grad)
    return lines


def _in_order(sequential: Any, x: Any) -> Any:
    """sequential(x), every Linear as b + w0*x0 + w1*x1 + …: a kink is then met by the same number on both sides."""
    t = torch()
    for module in sequential:
        if isinstance(module, t.nn.Linear):
            total = module.bias
            for i in range(module.in_features):
                total = total + module.weight[:, i] * x[i]
            x = total
        else:
            x = module(x)
    return x


def _far(what: str, mine: dict[str, float], tensor: Any) -> list[str]:
    size = max(tensor.abs().max().item(), *map(abs, mine.values()))
    lines = []
    for place, x in mine.items():
        want = tensor[tuple(int(i) for i in re.findall(r"\d+", place))].item()
        same = x == want or (x != x and want != want)
        if not same and not abs(x - want) <= WIRING * size:
            lines.append(f"{what}{place} is {x!r}, that of the equivalent Sequential {want!r}")
    return lines
