"""Gradients that backward alters once it has summed them: cut off at a bound, or rounded.

What no single rule could do: every sum of the engine, whatever made it, is off in one way that gives each wrong number
to the bit, and no right number contradicts it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from oracle.floats import same, short
from oracle.judge.equations import Checked, Failure

NAME = "altered"
"""The mistake's short name."""

ENOUGH, OPS, MOST = 6, 3, 2 / 3
"""Failing sums that have to be reproduced before a way is believed, the ops that must have made them, and their share
of all: inside composed ops there are sums that cannot be seen."""


Alter = Callable[[float, int], float]
"""A sum, and how many contributions it has → what becomes of it."""


def whole(failures: Sequence[Failure], checked: Sequence[Checked]) -> tuple[str, Alter] | None:
    """The way in which all gradients are altered, in words that precede "the gradients", by sums that fail at
    ordinary points (and all others); None if there is none."""
    sums = [f for f in failures if f.equation == 4 and f.run.fresh and f.ordinary and not f.run.case.policy]
    for words, alter in _ways(sums):
        found = [f for f in sums if altered(f, alter)]
        if not any(f.observed for f in found):
            continue  # nothing arrived at all
        if (
            len(found) < max(ENOUGH, MOST * len(sums))
            or len({f.run.node(f.feeders[0][0]).op for f in found}) < OPS
        ):
            continue
        if _kept(checked, alter):
            return words, alter
    return None


def _ways(sums: Sequence[Failure]) -> Iterator[tuple[str, Alter]]:
    largest = max((abs(f.observed) for f in sums), default=math.inf)
    if all(f.observed in (0.0, 1.0) for f in sums):
        yield "begins anew with 1 in the place of", lambda x, uses: 1.0
    yield f"cuts off at ±{short(largest)}", lambda x, uses: math.copysign(min(abs(x), largest), x)
    yield "divides by the number of their contributions", lambda x, uses: x / uses
    for places in range(2, 13):
        yield f"rounds to {places} decimals", lambda x, uses, n=places: round(x, n)  # type: ignore[misc]


def altered(f: Failure, alter: Alter) -> bool:
    """Whether the altered sum is the observed number, wherever within its bound the sum was."""
    if not (math.isfinite(f.observed) and math.isfinite(f.expected)):
        return False
    uses = len(f.feeders)
    after = alter(f.expected, uses)
    off = abs(f.observed - f.expected)  # a number that was right but for little is reproduced by anything
    near = math.isclose(after, f.observed, rel_tol=1e-12) and abs(after - f.observed) <= 0.1 * off
    return near or any(same(alter(f.expected + by, uses), f.observed) for by in (f.bound, -f.bound))


def _kept(checked: Sequence[Checked], alter: Alter) -> bool:
    """Whether no gradient of a first backward is one that would have been altered."""
    for c in checked:
        if not c.sound:
            continue
        live, uses = c.run.program.reaches(c.run.root), c.run.uses()
        for i, g in enumerate(c.run.grad):
            if g is None or not live[i] or not math.isfinite(g) or i == c.run.root:
                continue
            if not math.isclose(alter(g, uses[i]), g, rel_tol=1e-12, abs_tol=1e-12):
                return False
    return True
