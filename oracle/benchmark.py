"""How long forward and backward take, as a multiple of what minigrad takes in the same run.

Both engines are driven through the same protocol, turn by turn, so that what slows the machine down slows both.
A request repeats one pass over a program, and what counts is the processor time of its steps, which the worker
tells: beside seven other jobs on two cores, eight measurements of one engine as a multiple of minigrad's time went
from 3.8 to 8.8 by the clock, from 3.8 to 4.2 by processor time. An engine in another language that tells none is
timed by the clock, without what it costs to send and build the program. The worker's own share, about 0.3 µs for
each value of a forward, stays in both times: ratios are a little nearer to 1 than the engines are.

What decides something, a ratio that would fail or that a baseline keeps, is measured `AGAIN` times, and the median
counts. Six such measurements beside seven other jobs differed by 1.08 to 1.25, one program's by 1.47.

Why pytest-benchmark does not do the gate: it times one function after the other, so that a machine that gets
busy in between shifts the ratio, and it would be a dependency of the command line. Its tables and its history
of runs are there under `pytest --oracle-benchmark`, over the same programs (`oracle.pytest_plugin`).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from oracle.case import Answer, Backward, Case, Rebuild, Step, Zero
from oracle.program import Num, Program
from oracle.subjects import LoadError, Subject, open_subject

ROUNDS = 15
"""Measurements of which the median is taken; an odd number."""

REPEATS = 10
"""Passes in one request: with programs of a few hundred values, some 5 ms."""

SHORTEST = 1e-6
"""Seconds that a pass takes at least, so that there is a ratio."""

AGAIN = 3
"""How often a program is measured when its time decides something; an odd number."""

PASSES = ("forward", "backward")


@dataclass(frozen=True)
class Timing:
    """One pass over one program. seconds: for one pass, the subject's median; ratio: to minigrad's time, the median
    of the rounds' ratios. `problem` says why there are none."""

    program: str
    passed: str
    values: int
    seconds: float = 0.0
    ratio: float = 0.0
    problem: str = ""

    @property
    def name(self) -> str:
        return f"{self.program} {self.passed}"


# The programs ------------------------------------------------------------------------------------------------


def _chain() -> Program:
    """400 values in a row: depth without width."""
    nodes: list[tuple[str, tuple[object, ...]]] = []
    for k in range(400):
        step = ("mul", (k, Num(1.001))) if k % 2 else ("add", (k, Num(0.01)))
        nodes.append(step)
    return Program.build([0.9], nodes)


def _network() -> Program:
    """A linear network 8-12-8-1, unrolled: sums of products of values, as training computes them."""
    inputs = [0.1 * k - 0.35 for k in range(8)]
    sizes = (8, 12, 8, 1)
    weights = list(pairwise(sizes))
    first = [len(inputs) + sum(m * n for m, n in weights[:k]) for k in range(len(weights))]
    inputs += [((7 * k) % 13 - 6.5) / 20 for k in range(sum(m * n for m, n in weights))]
    nodes: list[tuple[str, tuple[object, ...]]] = []

    def node(op: str, a: int, b: int) -> int:
        nodes.append((op, (a, b)))
        return len(inputs) + len(nodes) - 1

    here = list(range(8))
    for (m, n), start in zip(weights, first, strict=True):
        out = []
        for j in range(n):
            total = node("mul", here[0], start + j * m)
            for i in range(1, m):
                total = node("add", total, node("mul", here[i], start + j * m + i))
            out.append(total)
        here = out
    return Program.build(inputs, nodes)


def _fan() -> Program:
    """One value with 150 users, added up pairwise: gradients that accumulate."""
    nodes: list[tuple[str, tuple[object, ...]]] = [("mul", (0, 1))]
    nodes += [("mul", (2, Num(0.1 * k + 0.3))) for k in range(150)]
    row = list(range(3, 153))
    while len(row) > 1:
        pairs = list(zip(row[::2], row[1::2], strict=False))
        rest = row[2 * len(pairs) :]
        row = [len(nodes) + 2 + k for k in range(len(pairs))]
        nodes += [("add", pair) for pair in pairs]
        row += rest
    return Program.build([0.7, -1.9], nodes)


PROGRAMS: dict[str, Callable[[], Program]] = {"chain": _chain, "network": _network, "fan": _fan}
"""What is timed. Every op in it is one that each engine has: add and mul, of values and with numbers."""

NOTHING = Zero(())
"""A step that does nothing: a case has at least one."""


def cases(name: str, repeats: int = REPEATS) -> dict[str, Case]:
    """The requests of a program: build it and no more; also rebuild it `repeats` times; or go backward as often.

    The backwards are over one graph, and gradients add up: an engine that marks its nodes as visited for good is
    timed as faster than it is.
    """
    program = PROGRAMS[name]()
    steps: dict[str, tuple[Step, ...]] = {
        "empty": (NOTHING,),
        "forward": (Rebuild(),) * repeats,
        "backward": (Backward(program.root),) * repeats,
    }
    return {what: Case(f"benchmark/{name}-{what}", program, steps=done) for what, done in steps.items()}


# Measuring ---------------------------------------------------------------------------------------------------


class BenchmarkError(RuntimeError):
    """There is nothing to compare a subject's speed with; a fault of the installation, not of the subject."""


def minigrad() -> Subject:
    """minigrad as a subject; found without importing it. Raises BenchmarkError."""
    spec = importlib.util.find_spec("minigrad")
    if spec is None or spec.origin is None:
        raise BenchmarkError("minigrad is not installed, and --benchmark needs it to compare with")
    try:
        return open_subject(f"{Path(spec.origin).parent / 'engine.py'}:Value")
    except LoadError as problem:
        raise BenchmarkError(f"--benchmark needs minigrad to compare with, but {problem}") from None


def measure(
    subject: Subject,
    decides: Callable[[Timing], bool] = lambda timing: False,
    rounds: int = ROUNDS,
    repeats: int = REPEATS,
) -> list[Timing]:
    """Time a subject's passes over every program beside minigrad's. Raises BenchmarkError.

    `decides` says of a timing whether something depends on it, so that it should be measured again.
    """
    with minigrad() as reference:

        def once(name: str) -> list[Timing]:
            return _program(name, subject, reference, rounds, repeats)

        found = []
        for name in PROGRAMS:
            tries = [once(name)]
            if any(decides(timing) for timing in tries[0]):
                tries += [once(name) for _ in range(AGAIN - 1)]
            found += [_middle(timings) for timings in zip(*tries, strict=True)]
        return found


def _middle(timings: Sequence[Timing]) -> Timing:
    """The timing with the median ratio; one without a time, where there is one."""
    lost = [timing for timing in timings if timing.problem]
    return lost[0] if lost else sorted(timings, key=lambda timing: timing.ratio)[len(timings) // 2]


class _NoTime(Exception):
    """A subject did not do what was to be timed."""


def _program(name: str, subject: Subject, reference: Subject, rounds: int, repeats: int) -> list[Timing]:
    requests = cases(name, repeats)
    values = len(requests["empty"].program)
    both: tuple[Times, Times] = ({}, {})
    try:
        for turn in range(rounds + 1):
            for what, case in requests.items():
                for engine, times in zip((subject, reference), both, strict=True):
                    answer = _answer(engine, case)
                    if turn:  # the first turn warms up
                        times.setdefault(what, []).append(answer)
    except _NoTime as problem:
        return [Timing(name, passed, values, problem=str(problem)) for passed in PASSES]
    spent = (
        _cpu if all(x.cpu is not None for times in both for row in times.values() for x in row) else _clock
    )
    found = []
    for passed in PASSES:
        mine, theirs = (spent(times, passed) for times in both)
        ratio = median(x / y for x, y in zip(mine, theirs, strict=True))
        found.append(Timing(name, passed, values, median(mine) / repeats, ratio))
    return found


Times = dict[str, list[Answer]]
"""What was asked → the answers, one a round."""


def _cpu(times: Times, passed: str) -> list[float]:
    """Seconds of processor time of all repeats of a pass, in every round."""
    return [max(answer.cpu or 0.0, SHORTEST) for answer in times[passed]]


def _clock(times: Times, passed: str) -> list[float]:
    """Seconds by the clock, without what it costs to send and build the program."""
    empty = min(answer.seconds for answer in times["empty"])
    return [max(answer.seconds - empty, SHORTEST) for answer in times[passed]]


def _answer(engine: Subject, case: Case) -> Answer:
    (answer,) = engine.run([case])
    if not answer.ok:
        crash = answer.crash and answer.crash.said
        raise _NoTime(crash or answer.detail or f"{answer.unsupported} is not offered")
    return answer


def ratios(timings: Iterable[Timing]) -> dict[str, float]:
    """What a baseline keeps: name → ratio, of what could be timed."""
    return {timing.name: timing.ratio for timing in timings if not timing.problem}


def sentence(t: Timing) -> str:
    """One timing for a report's notes."""
    if t.problem:
        return f"speed: {t.name}: {t.problem}"
    return f"speed: {t.name} takes {1e6 * t.seconds / t.values:.2f} µs a value, {t.ratio:.2f} times minigrad's time"


def render(timings: Sequence[Timing]) -> str:
    """A small table."""
    lines = [f"{'speed':<15}{'values':>7}{'µs a value':>12}{'× minigrad':>12}"]
    for t in timings:
        if t.problem:
            lines.append(f"{t.name:<17}{t.values:>5}  {t.problem}")
        else:
            lines.append(f"{t.name:<17}{t.values:>5}{1e6 * t.seconds / t.values:>12.2f}{t.ratio:>12.2f}")
    return "\n".join(lines) + "\n"
