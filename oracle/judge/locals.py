"""The local reference in three strengths: the standard library, PyTorch's answers as kept, PyTorch itself.

And a referee, where subject and PyTorch differ by little.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from oracle import referee, torch_reference
from oracle.judge.equations import Checked, Locals, Run, StandardLocals, Traits, check
from oracle.program import Node
from oracle.suite import golden
from oracle.vocabulary import VOCABULARY, Point

Key = tuple[str, tuple[tuple[str, float], ...]]


class TorchLocals:
    """PyTorch's answers at one run's own numbers, looked up where computed in bulk, asked for one by one else."""

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.vjps: dict[tuple[int, int, float], float] = {}

    def value(self, k: int, node: Node, point: Point) -> float | None:
        return self.values[k]

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        found = self.vjps.get((k, slot, g))
        if found is None:
            answer = torch_reference.local(node.op, dict(node.parameters), [[x] for x in point], [g])
            found = answer.vjps[slot][0]
        return found


def torch_locals(runs: Sequence[Run]) -> list[Locals]:
    """Ask PyTorch about every node of these runs, with one call for each kind of op.

    The upstream gradients are the observed ones (1 at a root, so that equation 3 alone judges the seed).
    """
    answers = [TorchLocals() for _ in runs]
    groups: defaultdict[Key, list[tuple[int, int, Point, float]]] = defaultdict(list)
    for r, run in enumerate(runs):
        for k, node in run.program.nodes():
            g = run.grad[k]
            groups[node.op, tuple(sorted(node.parameters.items()))].append(
                (r, k, run.program.operand_data(node, run.made), math.nan if g is None else g)
            )
    for (op, parameters), rows in groups.items():
        columns = [[point[slot] for _, _, point, _ in rows] for slot in range(VOCABULARY[op].arity)]
        result = torch_reference.local(op, dict(parameters), columns, [g for *_, g in rows])
        for n, (r, k, _, g) in enumerate(rows):
            answers[r].values[k] = result.values[n]
            if g == g:
                for slot, vjps in enumerate(result.vjps):
                    answers[r].vjps[k, slot, g] = vjps[n]
    return list(answers)


REFEREED = 200
"""Values of the largest program that the referee is asked about: it takes milliseconds for each."""


class RefereeLocals:
    """Exact numbers, rounded once; PyTorch's where there is no exact one (kinks, ends of domains)."""

    def __init__(self, otherwise: Locals) -> None:
        self.otherwise = otherwise

    def value(self, k: int, node: Node, point: Point) -> float | None:
        try:
            return float(referee.value(VOCABULARY[node.op], point, node.parameters))
        except referee.Undecidable:
            return self.otherwise.value(k, node, point)

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        try:
            return float(referee.slope(VOCABULARY[node.op], point, slot, node.parameters) * g)
        except referee.Undecidable:
            return self.otherwise.vjp(k, slot, g, node, point)


class KeptLocals(StandardLocals):
    """The standard library, and PyTorch's kept answers where that has no opinion."""

    def value(self, k: int, node: Node, point: Point) -> float | None:
        found = super().value(k, node, point)
        return golden.value(node, point) if found is None else found

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        found = super().vjp(k, slot, g, node, point)
        return golden.vjp(node, point, slot, g) if found is None else found


def judge(runs: Sequence[Run], traits: Traits) -> list[Checked]:
    """Check every run, and again by PyTorch where that failed at an ordinary point or had no opinion.

    PyTorch is imported only when a run needs it.
    """
    kept = KeptLocals()
    checked = [check(run, kept, traits) for run in runs]
    open_ = [n for n, c in enumerate(checked) if c.undecided or doubtful(c)]
    if open_:
        for n, locals_ in zip(open_, torch_locals([runs[n] for n in open_]), strict=True):
            checked[n] = check(runs[n], locals_, traits)
            if any(f.ordinary and f.imprecise for f in checked[n].failures):
                checked[n] = refereed(checked[n], locals_, traits)
    return checked


def refereed(checked: Checked, torch: Locals, traits: Traits) -> Checked:
    """Where subject and PyTorch differ by little, the exact number decides: PyTorch may be the one that is off."""
    if len(checked.run.program) > REFEREED:
        return checked
    exact = check(checked.run, RefereeLocals(torch), traits)
    return exact if len(exact.failures) < len(checked.failures) else checked


def doubtful(checked: Checked) -> bool:
    """Whether a verdict of "wrong" hangs on it: a deviation at a special point is a policy at most."""
    return any(f.ordinary for f in checked.failures) and checked.run.case.policy is None
