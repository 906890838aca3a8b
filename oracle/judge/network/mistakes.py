"""Networks of another kind: what the usual mistakes in a neuron, a layer or an MLP make of the outputs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from oracle import standard_reference
from oracle.judge.network.where import Look
from oracle.program import Node
from oracle.recording import Traced
from oracle.vocabulary import ROWS


@dataclass(frozen=True)
class Activation:
    """An op of the vocabulary with its parameters, or nothing at all."""

    op: str = ""
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        given = ", ".join(f"{name}={x:g}" for name, x in self.parameters.items())
        return (self.op or "linear") + (f"({given})" if given else "")

    def __call__(self, z: float) -> float:
        """Its value by the standard library; nan where that has no answer."""
        if not self.op:
            return z
        found = standard_reference.value(Node(self.op, (0,), dict(self.parameters)), (z,))
        return math.nan if found is None else found

    def of(self, z: Traced) -> Traced:
        """The same in a program."""
        return getattr(z, self.op)(**self.parameters) if self.op else z


LINEAR = Activation()
USUAL = (LINEAR, *map(Activation, ("relu", "tanh", "sigmoid")))
LEAKS = (0.1, 0.2, 0.3, 0.001)
ACTIVATIONS = (
    *USUAL,
    *(Activation(row.name) for row in ROWS if row.arity == 1 and row.name not in {a.op for a in USUAL}),
    *(Activation("leaky_relu", {"negative_slope": x}) for x in LEAKS),
)
"""What a layer may apply: the usual ones first, then every op of one operand."""


@dataclass(frozen=True)
class Inputs:
    """What a neuron has.

    values  its inputs; first: those of the network
    layer   which one it is in, from 1, of `layers`
    """

    weights: Sequence[float]
    bias: float
    values: Sequence[float]
    first: Sequence[float]
    activate: Activation
    layer: int
    layers: int

    def dot(self, weights: Sequence[float] | None = None, values: Sequence[float] | None = None) -> float:
        """Sum of products, of its own weights and inputs unless given, as long as the shorter."""
        ws, xs = weights or self.weights, self.values if values is None else values
        return sum(w * x for w, x in zip(ws, xs, strict=False))


def right(n: Inputs) -> float:
    """What a neuron computes."""
    return n.activate(n.dot() + n.bias)


@dataclass(frozen=True)
class Mistake:
    """A network of another kind.

    slug, words, hints   its name, what the network does, and hints in three depths
    neuron               what its neurons compute
    looks                where to look for it
    """

    slug: str
    words: str
    hints: tuple[str, str, str]
    neuron: Callable[[Inputs], float] = right
    looks: tuple[Look, ...] = (("neuron", "call", r"zip\(|sum\(|range\(|enumerate\(|\*"),)


_BIAS = (
    "Which numbers does a neuron add up?",
    "A neuron is w1*x1 + w2*x2 + … + b: without its bias it can only give 0 where its inputs are 0.",
    "Add the bias, once, before the activation.",
)
_PAIRS = (
    "Does every input meet its weight?",
    "zip() ends quietly with the shorter of its lists, and a slice or a range may leave out an end.",
    "Pair all inputs with all weights, in the same order.",
)
_ONCE = (
    "How often, and to what, is the activation applied?",
    "The activation is applied to the whole sum of a neuron, bias included, once.",
    "Apply it to w1*x1 + w2*x2 + … + b, in one place.",
)
_RETURN: tuple[Look, ...] = (("neuron", "call", r"\breturn\b"),)

MISTAKES: tuple[Mistake, ...] = (
    Mistake("bias-left-out", "leaves out the biases", _BIAS, lambda n: n.activate(n.dot())),
    Mistake(
        "bias-left-out",
        "leaves out the biases of its last layer",
        _BIAS,
        lambda n: n.activate(n.dot() + n.bias * (n.layer < n.layers)),
    ),
    Mistake(
        "bias-left-out",
        "leaves out the biases of its hidden layers",
        _BIAS,
        lambda n: n.activate(n.dot() + n.bias * (n.layer == n.layers)),
    ),
    Mistake("bias-twice", "adds each bias twice", _BIAS, lambda n: n.activate(n.dot() + 2 * n.bias)),
    Mistake("bias-subtracted", "subtracts the biases", _BIAS, lambda n: n.activate(n.dot() - n.bias)),
    Mistake(
        "bias-per-term",
        "adds the bias to every product of weight and input",
        _BIAS,
        lambda n: n.activate(n.dot() + len(n.values) * n.bias),
    ),
    Mistake(
        "bias-after-activation",
        "adds the bias after the activation",
        _ONCE,
        lambda n: n.activate(n.dot()) + n.bias,
        _RETURN,
    ),
    Mistake(
        "activation-per-term",
        "applies the activation to each product instead of to their sum",
        _ONCE,
        lambda n: sum(n.activate(w * x) for w, x in zip(n.weights, n.values, strict=True)) + n.bias,
    ),
    Mistake(
        "activation-twice",
        "applies its activation twice",
        _ONCE,
        lambda n: n.activate(right(n)),
        (
            ("layer", "call", r"tanh|sigmoid|relu|activ"),
            ("network", "call", r"tanh|sigmoid|relu|activ"),
            *_RETURN,
        ),
    ),
    Mistake(
        "input-left-out",
        "leaves out the last input of each neuron",
        _PAIRS,
        lambda n: n.activate(n.dot(values=n.values[:-1]) + n.bias),
    ),
    Mistake(
        "input-left-out",
        "leaves out the first input of each neuron",
        _PAIRS,
        lambda n: n.activate(n.dot(values=[0.0, *n.values[1:]]) + n.bias),
    ),
    Mistake(
        "weights-shifted",
        "pairs each weight with the input after its own",
        _PAIRS,
        lambda n: n.activate(n.dot(values=n.values[1:]) + n.bias),
    ),
    Mistake(
        "weights-reversed",
        "pairs its weights with its inputs in the opposite order",
        _PAIRS,
        lambda n: n.activate(n.dot(values=n.values[::-1]) + n.bias),
    ),
    Mistake(
        "first-weight-only",
        "multiplies every input by a neuron's first weight",
        _PAIRS,
        lambda n: n.activate(n.weights[0] * sum(n.values) + n.bias),
    ),
    Mistake(
        "layers-not-chained",
        "gives every layer the network's inputs instead of the outputs of the layer before",
        (
            "What does each layer get?",
            "The outputs of a layer are the inputs of the next one.",
            "Assign what a layer returns to the variable that the next one is given.",
        ),
        lambda n: n.activate(n.dot(values=n.first) + n.bias),
        (("network", "call", r"^(?!.*\bfor\b).*\w\("), ("network", "call", r"\w\(")),
    ),
)
"""Each reproduces the outputs of a network that makes it."""

UNEVEN = Mistake(
    "activations-differ",
    "does not apply the same activation in all its hidden layers",
    (
        "Which layers are to be without an activation?",
        "Only the last layer may be linear: two linear layers in a row are no more than one.",
        "Look at how the index of the last layer is told from the others.",
    ),
    looks=(("network", "init", r"[!=]=|<|>|nonlin|activ"), ("network", "call", r"[!=]=|<|>|relu|tanh")),
)
"""Found from the networks that have several hidden layers."""
