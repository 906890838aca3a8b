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


class TorchLocals:
    """PyTorch's answers at one run's own numbers, looked up where computed in bulk, asked for one by one else.

    By node: its value, the upstream gradient, and what it owes each operand for that. Numbers alone, of which
    Python's collector need not know: a collection goes over all of PyTorch too, in 0.1 s.
    """

    def __init__(self) -> None:
        self.values: dict[int, float] = {}
        self.upstream: dict[int, float] = {}
        self.vjps: defaultdict[int, dict[int, float]] = defaultdict(dict)

    def value(self, k: int, node: Node, point: Point) -> float | None:
        return self.values[k]

    def vjp(self, k: int, slot: int, g: float, node: Node, point: Point) -> float | None:
        if self.upstream[k] == g:
            return self.vjps[slot][k]
        answer = torch_reference.local(node.op, dict(node.parameters), [[x] for x in point], [g])
        return answer.vjps[slot][0]


class _Group:
    """Nodes of one op with the same parameters, in columns: whose they are, and what PyTorch is asked."""

    def __init__(self, op: str) -> None:
        self.answers: list[TorchLocals] = []
        self.values: list[int] = []
        self.columns: list[list[float]] = [[] for _ in range(VOCABULARY[op].arity)]
        self.upstream: list[float] = []


def torch_locals(runs: Sequence[Run]) -> list[Locals]:
    """Ask PyTorch about every node of these runs, with one call for each kind of op.

    The upstream gradients are the observed ones (1 at a root, so that equation 3 alone judges the seed).
    """
    answers = [TorchLocals() for _ in runs]
    groups: dict[tuple[str, tuple[tuple[str, float], ...]], _Group] = {}
    for answer, run in zip(answers, runs, strict=True):
        program, made = run.program, run.made
        operands, starts, numbers = program.operands, program.starts, program.numbers
        given = dict(program.parameters)
        for k, op in enumerate(program.ops):
            key = op, given.get(k, ())
            group = groups.get(key)
            if group is None:
                group = groups[key] = _Group(op)
            for column, i in zip(group.columns, operands[starts[k] : starts[k + 1]], strict=True):
                column.append(made[i] if i >= 0 else float(numbers[~i]))
            value = len(program.inputs) + k
            g = run.grad[value]
            group.answers.append(answer)
            group.values.append(value)
            group.upstream.append(math.nan if g is None else g)
    for (op, parameters), group in groups.items():
        found = torch_reference.local(op, dict(parameters), group.columns, group.upstream)
        told = zip(group.answers, group.values, found.values, group.upstream, strict=True)
        for answer, value, y, g in told:
            answer.values[value], answer.upstream[value] = y, g
        for slot, vjps in enumerate(found.vjps):
            for answer, value, vjp in zip(group.answers, group.values, vjps, strict=True):
                answer.vjps[slot][value] = vjp
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
