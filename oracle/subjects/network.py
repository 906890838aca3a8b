"""Networks beside an engine (capability "mlp"): what is asked of one, and what it answered.

→ {"cmd":"network","id":8,"sizes":[2,3,1],"parameters":[[["0x1p+0",…],…],…],"inputs":["0x1.8p+0",…],"loss":"sum"}
← {"id":8,"outputs":["0x1p-1"],"gradients":[[["0x1p+0",…,null],…],…]}      or "error", as for a program

`parameters` has a row for every neuron of every layer: its weights, then its bias. `gradients` has the same shape:
those of the sum of the outputs, or of their squares; null where a neuron has no bias. Activations are the network's
own: the caller finds them from the outputs. An answer may also have, in the same shape, `listed` (how often a parameter
is among those that the network lists; `lister`: how to get that list, such as "parameters()", where it has them all and
in this order), `same` (equal numbers for one and the same node) and `zeroed` (the gradients
after the network has reset them); `kept`, whether the list of inputs is as it was; `places`, where methods begin.
A network whose neurons have not as many weights as they have inputs answers with `weights`, their numbers, alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from oracle.case import Crash
from oracle.floats import to_hex

Rows = tuple[tuple[tuple[float, ...], ...], ...]
Table = tuple[tuple[tuple[float | None, ...], ...], ...]
"""A number for every parameter, in the shape of `Rows`; None where there is none."""


@dataclass(frozen=True)
class Network:
    """A perceptron to be built and run once.

    sizes       number of inputs, then of the neurons of every layer
    parameters  for every neuron of every layer its weights, then its bias
    inputs      one sample
    loss        what is differentiated: the sum of the outputs, or of their squares
    """

    sizes: tuple[int, ...]
    parameters: Rows
    inputs: tuple[float, ...]
    loss: Literal["sum", "squares"] = "sum"

    def __post_init__(self) -> None:
        """Raises ValueError when the shapes do not agree."""
        shape = [[len(row) for row in rows] for rows in self.parameters]
        wanted = [[a + 1] * b for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        if shape != wanted or len(self.inputs) != self.sizes[0]:
            raise ValueError(
                f"parameters: expected rows of lengths {wanted} for sizes {self.sizes}, found {shape}"
            )

    @property
    def body(self) -> str:
        """`to_json` as text, without its braces."""
        return json.dumps(self.to_json(), separators=(",", ":"))[1:-1]

    def to_json(self) -> dict[str, Any]:
        """The body of the "network" message."""
        return {
            "sizes": list(self.sizes),
            "parameters": [[[to_hex(x) for x in row] for row in rows] for rows in self.parameters],
            "inputs": [to_hex(x) for x in self.inputs],
            "loss": self.loss,
        }


Role = Literal["network", "layer", "neuron"]


@dataclass(frozen=True)
class Part:
    """The class of a network, of its layers or its neurons. methods: "init", "call", "parameters", "zero_grad" →
    the file and the line at which the method begins."""

    name: str
    methods: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkAnswer:
    """What became of it: outputs and gradients; or a crash, or the reason why there is no answer.

    listed, lister, same, zeroed, kept, parts   see above; empty or None where nothing is known
    weights   of a network of another shape: the number of weights of every neuron of every layer
    """

    outputs: tuple[float, ...] = ()
    gradients: Table = ()
    crash: Crash | None = None
    lost: str | None = None
    detail: str = ""
    listed: Table | None = None
    same: Table | None = None
    zeroed: Table | None = None
    lister: str = ""
    kept: bool = True
    weights: tuple[tuple[int, ...], ...] | None = None
    parts: Mapping[Role, Part] = field(default_factory=dict)
