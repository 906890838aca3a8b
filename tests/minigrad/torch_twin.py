"""The same computation in minigrad and in PyTorch, node by node."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

# Before torch is imported, also when the table of ulp is printed without pytest: vectorised kernels differ.
os.environ["ATEN_CPU_CAPABILITY"] = "default"

import torch

import minigrad
from minigrad import Value

INF, NAN = math.inf, math.nan


def in_torch(op: str) -> Callable[..., Any]:
    """PyTorch's function for a minigrad op."""
    return getattr(torch, op, None) or getattr(torch.nn.functional, op)


def tensor(x: float) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64, requires_grad=True)


def bits(x: float) -> int:
    """The bit pattern; every nan has the same, because Python cannot keep their signs and payloads apart."""
    return -1 if math.isnan(x) else int(struct.unpack("<Q", struct.pack("<d", x))[0])


def ulps(x: float, y: float) -> float:
    """How many float64 lie between two numbers; 0 for two nan, inf when only one is nan or inf."""
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
        return 0.0 if x == y or (math.isnan(x) and math.isnan(y)) else INF

    def place(z: float) -> int:
        n = int(struct.unpack("<q", struct.pack("<d", z))[0])
        return n if n >= 0 else -(n & 0x7FFF_FFFF_FFFF_FFFF)

    return float(abs(place(x) - place(y)))


@dataclass
class Twin:
    """A computation made step by step in both. Gradients of every node are kept on both sides."""

    ours: list[Value] = field(default_factory=list)
    theirs: list[torch.Tensor] = field(default_factory=list)

    def leaf(self, x: float) -> int:
        self.ours.append(Value(x))
        self.theirs.append(tensor(x))
        return len(self.ours) - 1

    def apply(
        self, op: Callable[..., Any], *operands: int | float, theirs: Callable[..., Any] | None = None
    ) -> int:
        """Add op(*operands) on both sides. An int operand is a node, a float a plain number."""
        self.ours.append(op(*[self.ours[i] if isinstance(i, int) else i for i in operands]))
        result = (theirs or op)(*[self.theirs[i] if isinstance(i, int) else i for i in operands])
        if result.requires_grad:
            result.retain_grad()
        self.theirs.append(result)
        return len(self.ours) - 1

    def backward(self, root: int, gradient: float = 1.0) -> None:
        self.ours[root].backward(gradient)
        self.theirs[root].backward(torch.tensor(gradient, dtype=torch.float64), retain_graph=True)

    def differences(self) -> list[str]:
        """A line for every data or gradient that is not PyTorch's to the bit."""
        lines = []
        for i, (x, t) in enumerate(zip(self.ours, self.theirs, strict=True)):
            grad = 0.0 if t.grad is None else t.grad.item()
            for what, got, want in (("data", x.data, t.item()), ("grad", x.grad, grad)):
                if bits(got) != bits(want):
                    lines.append(f"node {i} ({x.op or 'leaf'}) {what}: {got!r}, PyTorch has {want!r}")
        return lines


def alone(
    op: str, point: Sequence[float], parameters: dict[str, Any], upstream: float
) -> tuple[tuple[float, list[float]], tuple[float, list[float]]]:
    """One op at one point: (value, gradients) in minigrad and in PyTorch."""
    xs = [Value(x) for x in point]
    y = getattr(minigrad, op)(*xs, **parameters)
    y.backward(upstream)
    ts = [tensor(x) for x in point]
    r = in_torch(op)(*ts, **parameters)
    seed = torch.tensor(upstream, dtype=torch.float64)
    grads = torch.autograd.grad(r, ts, seed, materialize_grads=True, allow_unused=True)
    return (y.data, [x.grad for x in xs]), (r.item(), [g.item() for g in grads])
