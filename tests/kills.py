"""What each case of the suite is worth: the mutants that it kills, and those that no other case kills.

    python -m tests.kills [COUNT [TOKEN]]      so many mutants of all, chosen by the token

A case that kills none of them is there for what it documents: its reason is printed beside it.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from oracle import suite
from oracle.case import Case
from oracle.judge.equations import Traits
from oracle.judge.probe import Outcome, ask
from oracle.progress import meter
from oracle.subjects import LoadError, open_subject
from tests.corpus import ENGINES
from tests.mutants import BASES, Mutant, everything, sample


def _failing(outcomes: Sequence[Outcome]) -> frozenset[str]:
    return frozenset(
        o.case.name
        for o in outcomes
        if o.answer.crash is not None or o.answer.lost or any(c.failures for c in o.checked)
    )


def _asked(path: Path) -> list[Outcome]:
    with open_subject(str(path), timeout=2.0) as subject:
        cases = [case for case in suite.cases() if set(case.program.ops) <= subject.ops]
        return ask(subject, cases, Traits({}))


@cache
def _of_base(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """The cases that a right engine is asked, and those of them that it fails, by choice."""
    outcomes = _asked(ENGINES / f"{name}.py")
    return frozenset(o.case.name for o in outcomes), _failing(outcomes)


def killed_by(mutant: Mutant) -> frozenset[str]:
    """Names of the cases on which a mutant goes wrong and its base does not; none if it cannot be loaded."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{mutant.base}.py"
        path.write_text(mutant.source, encoding="utf-8")
        try:
            outcomes = _asked(path)
        except LoadError:
            return frozenset()
    asked, by_choice = _of_base(mutant.base)
    lost = asked - {o.case.name for o in outcomes}  # an op that is no longer offered
    return (_failing(outcomes) | lost) - by_choice


@dataclass(frozen=True)
class Worth:
    """How many mutants a case kills, and how many of them no other case kills."""

    case: Case
    kills: int
    alone: int


def worth(kills: Mapping[Mutant, frozenset[str]]) -> list[Worth]:
    """Every case that some base is asked, in the order of the suite."""
    asked = frozenset().union(*(_of_base(name)[0] for name in BASES))
    killing = Counter(name for names in kills.values() for name in names)
    alone = Counter(next(iter(names)) for names in kills.values() if len(names) == 1)
    return [Worth(c, killing[c.name], alone[c.name]) for c in suite.cases() if c.name in asked]


def render(found: Sequence[Worth], mutants: int) -> str:
    """A line a level, then the cases that kill a mutant alone, then those that kill none, with their reasons."""
    out = [f"{mutants} mutants, {len(found)} cases that a mutant's base is asked", ""]
    out.append(f"{'level':<12} {'cases':>6} {'killing':>8} {'alone':>6}")
    for level in suite.LEVELS:
        rows = [w for w in found if w.case.level == level]
        killing, alone = sum(w.kills > 0 for w in rows), sum(w.alone > 0 for w in rows)
        out.append(f"{level:<12} {len(rows):>6} {killing:>8} {alone:>6}")
    out += ["", "kill mutants that no other case kills:"]
    out += [f"  {w.case.name:<44} {w.alone:>3} of {w.kills}" for w in found if w.alone]
    out += ["", "kill none, and document:"]
    out += [f"  {w.case.name:<44} {w.case.reason}" for w in found if not w.kills]
    return "\n".join(out)


def main(arguments: Sequence[str]) -> None:
    """Print the table."""
    chosen = sample(int(arguments[0]) if arguments else 400, arguments[1] if len(arguments) > 1 else "kills")
    kills: dict[Mutant, frozenset[str]] = {}
    with ProcessPoolExecutor(2) as pool, meter(f"mutants of {len(everything())}", len(chosen)) as tick:
        for mutant, names in zip(chosen, pool.map(killed_by, chosen, chunksize=4), strict=True):
            kills[mutant] = names
            tick(len(kills), sum(not names for names in kills.values()))
    print(render(worth(kills), len(chosen)))


if __name__ == "__main__":
    main(sys.argv[1:])
