"""A case as anyone would write it in PyTorch: a scalar tensor for every value, gradients kept on all of them.

It costs some 20 µs and 2 kB a node, and does every step that a case can have.
"""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any

from oracle.case import Backward, Case, Observation, Observe, Rebuild, Seed, Set, Step, Zero
from oracle.program import Node, Program
from oracle.torch_reference.module import torch
from oracle.vocabulary import VOCABULARY


def run(case: Case, wanted: Container[int] | None = None) -> tuple[Observation, ...]:
    """One observation for every Observe step.

    wanted  values whose gradients are; None: all. PyTorch then need not keep the others
    """
    under_way = _Run(case.program, wanted=wanted)
    seen = [under_way.do(step) for step in case.steps]
    return tuple(observation for observation in seen if observation is not None)


def values(program: Program) -> list[float]:
    """The data of every value, without gradients."""
    with torch().no_grad():
        return [value.item() for value in _Run(program, leaves_require_grad=False).values]


class _Run:
    """One case under way."""

    def __init__(
        self, program: Program, leaves_require_grad: bool = True, wanted: Container[int] | None = None
    ) -> None:
        t = torch()
        self.program, self.wanted = program, wanted
        self.leaves = [
            t.tensor(x, dtype=t.float64, requires_grad=leaves_require_grad) for x in program.inputs
        ]
        self.rebuild()

    def rebuild(self) -> None:
        self.values = list(self.leaves)
        for k, node in self.program.nodes():
            value = self._apply(node)
            if value.requires_grad and (self.wanted is None or k in self.wanted):
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
            case Seed():
                pass  # its backward begins with 1 by itself
            case Set(value, data):
                with t.no_grad():
                    self.values[value].fill_(data)
            case Rebuild():
                self.rebuild()
            case Observe():
                return Observation(
                    tuple(v.item() for v in self.values),
                    tuple(map(self._grad, count(), self.values)),
                )
        return None

    def _grad(self, k: int, value: Any) -> float | None:
        if self.wanted is not None and k not in self.wanted:
            return None
        return None if value.grad is None else float(value.grad.item())
