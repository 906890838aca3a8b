"""Difference quotients: gradients that were measured, (f(x+h) - f(x)) / h, instead of derived.

Their errors have a pattern that nothing else has: of truncation, h·f''/2 or h²·f'''/6, and of cancellation, u·f/h.
A scheme and a step are the explanation where they reproduce the errors themselves, to a tenth.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from oracle import standard_reference
from oracle.judge.equations import Failure, Run
from oracle.judge.probe import Pushed
from oracle.program import Node
from oracle.vocabulary import VOCABULARY

NAME = "finite-difference"
"""The mistake's short name."""

SCHEMES: dict[str, Callable[[Callable[[float], float], float], float]] = {
    "forward": lambda f, h: (f(h) - f(0.0)) / h,
    "backward": lambda f, h: (f(0.0) - f(-h)) / h,
    "central": lambda f, h: (f(h) - f(-h)) / (2 * h),
    "five-point": lambda f, h: (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h),
}
"""Name → the slope at 0 of a function of the distance."""

STEPS = (
    *(float(f"{m}e-{k}") for k in range(1, 13) for m in (1, 2, 5)),
    *(2.0**-k for k in range(4, 40)),
    6.055454452393343e-06,
)
"""Steps that people take: short decimals, powers of two (2^-26 is the root of the float's spacing), its cube root."""

ENOUGH, MOST = 6, 2 / 3
"""Errors that have to be reproduced before a step is believed: how many, and which share of all."""

POINTS = 3
"""Operands of one op at which its error has to be reproduced."""

LITTLE = 0.1
"""What a quotient is off by at most, in parts of the slope and 1."""

LONGEST, LOOKED_AT = 60, 30
"""Values of the largest program that is computed again, and failures that are looked at."""

PUSHES = 100
"""Wrong pushes of one rule that are looked at, some 1 ms each: of more, as many, spread over all."""


@dataclass(frozen=True)
class Quotient:
    """A scheme and its step."""

    scheme: str
    step: float

    def __str__(self) -> str:
        return f"{self.scheme} differences with step {self.step:g}"


def whole(failures: Iterable[Failure]) -> Quotient | None:
    """The quotient by which an engine has moved every value of a program and looked at the root, or None.

    failures  of a first backward's sums (equation 4). They have to be those of several ops, linear ones among them,
              whose rules nobody would measure one by one.
    """
    looked_at = [f for f in failures if f.equation == 4 and f.ordinary and len(f.run.program) <= LONGEST]
    looked_at = [f for f in looked_at if f.run.fresh and f.run.root is not None][:LOOKED_AT]
    ops = {f.run.node(f.feeders[0][0]).op for f in looked_at if len(f.feeders) == 1}
    if len(ops) < 3 or not ops & {"add", "sub", "mul", "neg"}:
        return None
    slopes = {id(f.run): _slopes(f.run) for f in looked_at}
    right = [slopes[id(f.run)][f.value] for f in looked_at]
    little = sum(
        abs(f.observed - x) <= LITTLE * (1.0 + abs(x)) for f, x in zip(looked_at, right, strict=True)
    )
    if little < MOST * len(looked_at):  # most mistakes are larger: no need to look closer
        return None
    return _best([(_moved(f.run, f.value), f.observed, x) for f, x in zip(looked_at, right, strict=True)])


def rule(op: str, pushes: Sequence[Pushed]) -> Quotient | None:
    """The quotient by which the rule of one op gets its slope, or None. It has to show at several operands: with the
    schemes and steps that there are, some reproduce any single error."""
    parameters = VOCABULARY[op].settings[0]
    at = {p.point: p for p in pushes if not p.ok and p.upstream and math.isfinite(p.observed)}
    wrong = list(at.values())
    wrong = wrong[:: -(-len(wrong) // PUSHES) or 1]
    return _best(
        [(_along(op, parameters, p), p.observed / p.upstream, p.expected / p.upstream) for p in wrong],
        enough=POINTS,
    )


def _best(
    errors: Sequence[tuple[Callable[[float], float], float, float]], enough: int = ENOUGH
) -> Quotient | None:
    """The scheme and step that reproduce most errors, if that is enough. Each:
    (function of the distance, observed, right)."""
    found: Counter[Quotient] = Counter()
    for f, observed, right in errors:
        for scheme, quotient in SCHEMES.items():
            for step in STEPS:
                try:
                    off = abs(quotient(f, step) - observed)
                except standard_reference.UNSURE:
                    continue
                found[Quotient(scheme, step)] += off <= 0.1 * abs(observed - right)
    for best, count in found.most_common(1):
        if count >= max(enough, MOST * len(errors)):
            return best
    return None


def _moved(run: Run, value: int) -> Callable[[float], float]:
    """The root as a function of how far one value is moved. It raises one of UNSURE outside a domain."""
    program, root = run.program, run.root
    assert root is not None
    after: list[tuple[int, Node]] = []
    touched = {value}
    for k, node in program.nodes():
        if k != value and touched & set(node.operands):
            touched.add(k)
            after.append((k, node))

    def f(distance: float) -> float:
        data = list(run.made)
        data[value] += distance
        for k, node in after:
            found = standard_reference.value(node, program.operand_data(node, data))
            if found is None:
                raise ValueError
            data[k] = found
        return data[root]

    return f


def _slopes(run: Run) -> list[float]:
    """The derivative of the root by every value, at the engine's own data; nan where it is not certain."""
    assert run.root is not None
    slopes = [0.0] * len(run.program)
    slopes[run.root] = 1.0
    for k, node in reversed(list(run.program.nodes())):
        point = run.program.operand_data(node, run.made)
        for slot, i in enumerate(node.operands):
            if i >= 0 and slopes[k] != 0.0:
                owed = standard_reference.vjp(node, point, slot, slopes[k])
                slopes[i] += math.nan if owed is None else owed
    return slopes


def _along(op: str, parameters: Mapping[str, float], p: Pushed) -> Callable[[float], float]:
    """An op as a function of how far one operand is moved."""
    point = list(p.point)

    def f(distance: float) -> float:
        at = (*point[: p.slot], point[p.slot] + distance, *point[p.slot + 1 :])
        return float(VOCABULARY[op].value(*at, **parameters))

    return f
