"""PyTorch as the reference: one op at given numbers (local), and whole cases (global), all in float64.

The only place of the project that imports torch, and only when a function here is called.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from oracle.case import Backward, Case, Observation, Observe, Rebuild, Set, Step, Zero
from oracle.program import Node, Program
from oracle.vocabulary import VOCABULARY


@cache
def torch() -> Any:
    """The module, with vectorised kernels switched off: those differ from the scalar ones in the last bit."""
    os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")
    with warnings.catch_warnings():  # without NumPy, which nothing here needs, torch warns of that
        warnings.filterwarnings("ignore", "Failed to initialize NumPy")
        import torch as module

    module.set_num_threads(1)
    return module


def version() -> str:
    """PyTorch's version without the build suffix, read from its metadata: does not import it."""
    from importlib import metadata

    return metadata.version("torch").partition("+")[0]


class Local(NamedTuple):
    """One op at many points: its values, and for each operand what it owes that operand."""

    values: list[float]
    vjps: list[list[float]]


def local(
    op: str, parameters: dict[str, float], columns: Sequence[Sequence[float]], upstream: Sequence[float]
) -> Local:
    """Apply one op at n points at once.

    columns[slot] holds n operands, upstream n gradients of the results. Returns n values and, for each slot,
    n vector-Jacobian products, as PyTorch's autograd computes them.
    """
    t = torch()
    operands = [t.tensor(column, dtype=t.float64, requires_grad=True) for column in columns]
    result = VOCABULARY[op].torch(t, *operands, **parameters)
    grads = t.autograd.grad(
        result, operands, t.tensor(upstream, dtype=t.float64), allow_unused=True, materialize_grads=True
    )
    return Local(result.tolist(), [g.tolist() for g in grads])


class _Run:
    """One case under way in PyTorch: a scalar tensor for every value, gradients kept on all of them."""

    def __init__(self, program: Program, leaves_require_grad: bool = True) -> None:
        t = torch()
        self.program = program
        self.leaves = [
            t.tensor(x, dtype=t.float64, requires_grad=leaves_require_grad) for x in program.inputs
        ]
        self.rebuild()

    def rebuild(self) -> None:
        self.values = list(self.leaves)
        for _, node in self.program.nodes():
            value = self._apply(node)
            if value.requires_grad:
                value.retain_grad()
            self.values.append(value)

    def _apply(self, node: Node) -> Any:
        t = torch()
        numbers = self.program.numbers
        operands = [self.values[i] if i >= 0 else numbers[~i] for i in node.operands]
        if not VOCABULARY[
            node.op
        ].operator:  # functions take tensors only; operators take numbers as they are
            operands = [
                x if isinstance(x, t.Tensor) else t.tensor(float(x), dtype=t.float64) for x in operands
            ]
        return VOCABULARY[node.op].torch(t, *operands, **node.parameters)

    def do(self, step: Step) -> Observation | None:
        t = torch()
        match step:
            case Backward(value):
                self.values[value].backward(retain_graph=True)
            case Zero(values):
                for i in values:
                    if self.values[i].grad is not None:
                        self.values[i].grad = t.zeros((), dtype=t.float64)
            case Set(value, data):
                with t.no_grad():
                    self.values[value].fill_(data)
            case Rebuild():
                self.rebuild()
            case Observe():
                return Observation(
                    tuple(v.item() for v in self.values),
                    tuple(None if v.grad is None else v.grad.item() for v in self.values),
                )
        return None


def values(program: Program) -> list[float]:
    """What PyTorch gets for every value of a program, without gradients."""
    with torch().no_grad():
        return [value.item() for value in _Run(program, leaves_require_grad=False).values]


def run(case: Case) -> tuple[Observation, ...]:
    """What PyTorch gets for the whole case: one observation for every Observe step.

    A gradient is None where PyTorch has none: the value does not lead to any root of the case.
    """
    under_way = _Run(case.program)
    seen = [under_way.do(step) for step in case.steps]
    return tuple(observation for observation in seen if observation is not None)
