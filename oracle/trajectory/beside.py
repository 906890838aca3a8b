"""PyTorch trained beside a script that went wrong: from the same first weights, on the same data, by the rule meant.

It is told for comparison only. Two trainings go apart by rounding alone; no verdict comes from here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from oracle import torch_reference
from oracle.case import Backward, Case, Observe
from oracle.floats import short
from oracle.program import Program
from oracle.trajectory.events import BackwardCall
from oracle.trajectory.measure import Rule

VALUES = 300_000
"""Values of all programs that are kept for it; of a longer run it is not told."""

APART = 1e-9
"""Losses that are nearer than this, relative, are one: then there is nothing to tell."""

UNCLEAR = frozenset({"loss-accumulated", "graph-carried-on", "data-changed"})
"""Mistakes after which the program of a step, or its numbers, are no longer those that were meant."""


class Taken(NamedTuple):
    """One step: its program, the leaves' serials, the parameters that were updated, and how."""

    program: Program
    leaves: Sequence[int]
    updated: Collection[int]
    rule: Rule | None


class Meant(NamedTuple):
    """The optimiser of torch.optim that was meant: its name, its settings, and the step size of each update.

    rates   by step; `usual` where one is not known
    """

    name: str
    settings: Mapping[str, Any]
    rates: Mapping[int, float]
    usual: float


class Beside:
    """Keeps a run's steps; `losses` trains PyTorch on them."""

    def __init__(self) -> None:
        self.steps: list[Taken] = []
        self.values = 0

    @property
    def whole(self) -> bool:
        """Whether every step is there."""
        return bool(self.steps) and self.values <= VALUES

    def take(self, call: BackwardCall, updated: Collection[int], rule: Rule | None) -> None:
        """One more step. A call without its program ends the keeping."""
        if self.values > VALUES:
            return
        self.values += len(call.program) if call.program is not None else VALUES + 1
        if call.program is None or call.unknown or self.values > VALUES:
            self.values = VALUES + 1
            self.steps.clear()
            return
        self.steps.append(Taken(call.program, call.serials[: call.leaves], frozenset(updated), rule))

    def losses(self, meant: Meant, parameters: Collection[int]) -> list[float]:
        """PyTorch's loss at every step. parameters: serials of those that should be updated."""
        t = torch_reference.torch()
        tensors: dict[int, Any] = {}
        optimizer: Any = None
        out = []
        for number, (program, leaves, updated, _) in enumerate(self.steps, 1):
            mine = [k for k, s in enumerate(leaves) if s in parameters]
            fresh = [k for k in mine if leaves[k] not in tensors]
            for k in fresh:
                tensors[leaves[k]] = t.tensor(program.inputs[k], dtype=t.float64, requires_grad=True)
            if fresh:
                group = {"params": [tensors[leaves[k]] for k in fresh]}
                if optimizer is None:
                    optimizer = getattr(t.optim, meant.name)([group], lr=meant.usual, **meant.settings)
                else:
                    optimizer.add_param_group(group)
            inputs = program.inputs[:]
            for k in mine:
                inputs[k] = tensors[leaves[k]].item()
            case = Case("beside", replace(program, inputs=inputs), "", (Backward(program.root), Observe()))
            (seen,) = torch_reference.run(case)
            out.append(seen.data[program.root])
            for k in mine:
                tensor, grad = tensors[leaves[k]], t.tensor(seen.grad[k] or 0.0, dtype=t.float64)
                tensor.grad = grad if tensor.grad is None else tensor.grad + grad
            if updated and optimizer is not None:
                for group in optimizer.param_groups:
                    group["lr"] = meant.rates.get(number, meant.usual)
                # Parameters of another model, which is trained in turn, wait for their own update.
                resting = {s: p.grad for s, p in tensors.items() if not self._due(s, updated, parameters)}
                for s in resting:
                    tensors[s].grad = None
                optimizer.step()
                optimizer.zero_grad()
                for s, grad in resting.items():
                    tensors[s].grad = grad
        return out

    def _due(self, serial: int, updated: Collection[int], parameters: Collection[int]) -> bool:
        """Whether a parameter is updated with these: it is among them, or the script never updates it."""
        return serial in updated or not any(serial in step.updated for step in self.steps)


OPTIMISERS: Mapping[str, tuple[str, str]] = {
    "sgd": ("SGD", ""),
    "replaced": ("SGD", ""),
    "multiplied": ("SGD", ""),
    "decay": ("SGD", "weight_decay"),
    "momentum": ("SGD", "momentum"),
    "late momentum": ("SGD", "momentum"),
    "shared velocity": ("SGD", "momentum"),
    "nesterov": ("SGD", "momentum"),
}
"""kind of a measured rule → the optimiser that was meant, and the setting that its second number is."""


def meant(rules: Mapping[int, Rule], betas: tuple[float, float], mistakes: Collection[str]) -> Meant | None:
    """The optimiser behind the measured rules, by step; None where that cannot be told.

    betas   of the adaptive rule, if it is one
    """
    known = {n: r for n, r in rules.items() if r.kind != "unknown" and math.isfinite(r.rate) and r.rate}
    if not known or UNCLEAR & set(mistakes) or len(known) < len(rules) / 2:
        return None
    kinds = [r.kind for r in known.values()]
    kind = max(dict.fromkeys(kinds), key=kinds.count)
    rates = {n: abs(r.rate) for n, r in known.items() if r.kind in (kind, "sgd")}
    if "rate-squared" in mistakes:
        rates = {n: math.sqrt(rate) for n, rate in rates.items()}
    usual = sorted(rates.values())[len(rates) // 2]
    if kind in OPTIMISERS:
        name, setting = OPTIMISERS[kind]
        settings = {setting: min(abs(r.second) for r in known.values() if r.kind == kind)} if setting else {}
        return Meant(name, settings | ({"nesterov": True} if kind == "nesterov" else {}), rates, usual)
    if kind.startswith("Adam") and kind not in ("Adagrad", "AdamW"):
        return Meant("Adam", {"betas": tuple(sorted(betas))}, rates, usual)
    return None


def told(yours: Sequence[float], torchs: Sequence[float]) -> str:
    """Both losses in a sentence, "" where they stay together."""
    if len(yours) < 2 or all(math.isclose(x, y, rel_tol=APART) for x, y in zip(yours, torchs, strict=True)):
        return ""
    mine, theirs = short(yours[-1], torchs[-1]), short(torchs[-1], yours[-1])
    return f"trained by PyTorch from the same weights, the loss is {theirs} after {len(yours)} steps; yours is {mine}"
