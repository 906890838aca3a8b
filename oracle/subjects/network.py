"""Networks beside an engine (capability "mlp"): what is asked of one, and what it answered.

→ {"cmd":"network","id":8,"sizes":[2,3,1],"parameters":[[["0x1p+0",…],…],…],"inputs":["0x1.8p+0",…]}
← {"id":8,"outputs":["0x1p-1"],"gradients":[[["0x1p+0",…,null],…],…]}      or "error", as for a program

`parameters` has a row for every neuron of every layer: its weights, then its bias. `gradients` has the same shape:
the gradients of the sum of the outputs, null where a neuron has no bias. Activations are the network's own: the
caller finds them from the outputs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from oracle.case import Crash
from oracle.floats import to_hex

Rows = tuple[tuple[tuple[float, ...], ...], ...]


@dataclass(frozen=True)
class Network:
    """A perceptron to be built and run once.

    sizes       number of inputs, then of the neurons of every layer
    parameters  for every neuron of every layer its weights, then its bias
    inputs      one sample
    """

    sizes: tuple[int, ...]
    parameters: Rows
    inputs: tuple[float, ...]

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
        }


@dataclass(frozen=True)
class NetworkAnswer:
    """What became of it: outputs and gradients, or a crash, or the reason why there is no answer."""

    outputs: tuple[float, ...] = ()
    gradients: tuple[tuple[tuple[float | None, ...], ...], ...] = ()
    crash: Crash | None = None
    lost: str | None = None
    detail: str = ""
