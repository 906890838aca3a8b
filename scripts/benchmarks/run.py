"""How fast minigrad is, as ratios to engines from PyPI.

Every measurement is a process of its own, and a round runs all of them in turn, so that what slows the machine down
slows all. Times are CPU times, medians; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import gc
import json
import platform
import random
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import date
from statistics import median
from typing import Any, NamedTuple

SAMPLES, RATE, DECAY = 100, 0.1, 1e-4


def samples() -> tuple[list[list[float]], list[int]]:
    """Points in a square, and sides drawn at random: what is learned does not matter here."""
    rng = random.Random(1)
    return [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(SAMPLES)], [
        rng.choice((-1, 1)) for _ in range(SAMPLES)
    ]


# The demo step of micrograd, in each engine's own words --------------------------------------------------------

Work = Callable[[], Any]


def micrograd() -> Work:
    from micrograd.nn import MLP

    return demo(MLP(2, [16, 16, 1]), lambda x: x)


def scalargrad() -> Work:
    from scalargrad import MLP, Scalar

    return demo(MLP(2, [16, 16, 1]), lambda x: [Scalar(number) for number in x])


def plain() -> Work:
    from minigrad.nn import MLP

    return demo(MLP(2, [16, 16, 1]), lambda x: x)


def demo(model: Any, inputs: Callable[[list[float]], Any]) -> Work:
    """Forward, max-margin loss, weight decay, backward, zero_grad and SGD, with operators."""
    points, sides = samples()

    def step() -> None:
        scores = [model(inputs(point)) for point in points]
        losses = [(1 + -side * score).relu() for side, score in zip(sides, scores, strict=True)]
        total = sum(losses) * (1.0 / len(losses)) + DECAY * sum(p * p for p in model.parameters())
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= RATE * p.grad

    return step


def fused() -> Work:
    from minigrad import dot, losses
    from minigrad.nn import MLP
    from minigrad.optim import SGD

    model = MLP(2, [16, 16, 1], fused=True)
    parameters = model.parameters()
    optimizer = SGD(parameters, RATE)
    points, sides = samples()

    def step() -> None:
        total = losses.hinge([model(point) for point in points], sides) + DECAY * dot(parameters, parameters)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()

    return step


def compiled() -> Work:
    import minigrad
    from minigrad.nn import MLP
    from minigrad.optim import SGD

    model = MLP(2, [16, 16, 1], fused=True)
    parameters = model.parameters()
    optimizer = SGD(parameters, RATE)
    margin = minigrad.compile(lambda point, side: (1 - model(point) * side).relu())
    decay = minigrad.compile(lambda: DECAY * minigrad.dot(parameters, parameters))
    rows = list(zip(*samples(), strict=True))

    def step() -> None:
        optimizer.zero_grad()
        decay().backward()
        margin.backward_sum(rows, 1 / len(rows))
        optimizer.step()

    return step


ENGINES: dict[str, Callable[[], Work]] = {
    "micrograd": micrograd,
    "scalargrad": scalargrad,
    "minigrad": plain,
    "minigrad, fused": fused,
    "minigrad, compiled": compiled,
}
BARS = {"minigrad": (15.0, 2.8), "minigrad, fused": (200.0, 12.0), "minigrad, compiled": (400.0, 60.0)}
"""At least so many times faster than micrograd, with Python's cyclic collector on and off."""


def demo_step(engine: str, collector: bool) -> float:
    """CPU seconds of one step: the median of at least 3 and of half a second's worth, after one to warm up."""
    if not collector:
        gc.disable()
    random.seed(1)
    step = ENGINES[engine]()
    step()
    return timed(step)


def timed(work: Work) -> float:
    times: list[float] = []
    while len(times) < 3 or sum(times) < 0.5:
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def chain(length: int) -> float:
    """Nanoseconds a node of a chain of additions and products: forward, backward, and freeing it."""
    from minigrad import Value

    def work() -> None:
        x = out = Value(1.0)
        for _ in range(length // 2):
            out = out * x
            out = out + x
        out.backward()

    work()
    return timed(work) / length * 1e9


def size(engine: str) -> float:
    """Bytes a node of a chain of 100,000, as `tracemalloc` sees them, its number included."""
    if engine == "micrograd":
        from micrograd.engine import Value
    else:
        from minigrad import Value  # type: ignore[assignment]
    x = out = Value(1.5)
    out = out + x
    count = 100_000
    tracemalloc.start()
    for _ in range(count):
        out = out + x
    used = tracemalloc.get_traced_memory()[0]
    return used / count


class Job(NamedTuple):
    """A measurement: the function that makes it, and its arguments."""

    kind: str
    arguments: tuple[Any, ...]


KINDS: dict[str, Callable[..., float]] = {"step": demo_step, "chain": chain, "bytes": size}
JOBS = [
    *[Job("step", (engine, on)) for engine in ENGINES for on in (True, False)],
    *[Job("chain", (length,)) for length in (10_000, 1_000_000)],
    *[Job("bytes", (engine,)) for engine in ("micrograd", "minigrad")],
]


# Measuring ----------------------------------------------------------------------------------------------------


def run(job: Job) -> float:
    """One job in a fresh process. Raises RuntimeError with its words when it fails."""
    command = [sys.executable, __file__, "--job", json.dumps(job)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job.kind} {job.arguments} failed:\n{done.stderr}")
    return float(done.stdout.split()[-1])


def measure(
    jobs: Sequence[Job], rounds: int, tell: Callable[[Job], Any] = lambda job: None
) -> list[dict[Job, float]]:
    """All jobs in turn, `rounds` times. `tell` is called after each."""
    found: list[dict[Job, float]] = []
    for _ in range(rounds):
        found.append({})
        for job in jobs:
            found[-1][job] = run(job)
            tell(job)
    return found


def ratio(rounds: Sequence[dict[Job, float]], slow: Job, fast: Job) -> float:
    """How many times faster: the median of the rounds' ratios."""
    return median(times[slow] / times[fast] for times in rounds)


def table(rounds: Sequence[dict[Job, float]]) -> str:
    """The README's table."""

    def mid(job: Job) -> float:
        return median(times[job] for times in rounds)

    lines = [
        "| demo step | time | × micrograd | collector off | × micrograd |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for engine in ENGINES:
        cells = []
        for on in (True, False):
            job, peer = Job("step", (engine, on)), Job("step", ("micrograd", on))
            cells += [f"{1e3 * mid(job):.1f} ms", f"{ratio(rounds, peer, job):.3g}"]
        lines.append(f"| {engine} | {' | '.join(cells)} |")
    short, long = (mid(Job("chain", (length,))) for length in (10_000, 1_000_000))
    growth = 1 / ratio(rounds, Job("chain", (10_000,)), Job("chain", (1_000_000,)))
    theirs, ours = (mid(Job("bytes", (engine,))) for engine in ("micrograd", "minigrad"))
    lines += [
        "",
        f"A chain of 10,000 nodes takes {short:.0f} ns a node, forward and backward; one of 1,000,000 {long:.0f} ns, "
        f"{growth:.2f} times as much (micrograd: RecursionError at 1,000). A node takes {ours:.0f} bytes "
        f"(micrograd: {theirs:.0f}).",
        "",
        f"Python {platform.python_version()}, {platform.machine()}, {date.today()}; medians of {len(rounds)} rounds of "
        "fresh processes.",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.job:
        kind, given = json.loads(options.job)
        print(KINDS[kind](*given))
        return 0
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("measuring", total=options.rounds * len(JOBS))
        rounds = measure(
            JOBS,
            options.rounds,
            lambda job: progress.update(task, advance=1, description=f"{job.kind} {job.arguments}"),
        )
    print(table(rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
