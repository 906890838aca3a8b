"""How fast minigrad and the oracle are, beside engines from PyPI and what one would pick instead: the README's tables.

Every measurement is a process of its own, and a round runs all of them in turn, so that what slows the machine down
slows all. Times are CPU times, medians of the rounds; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from importlib.metadata import version
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from engines import ENGINES  # noqa: E402


class Job(NamedTuple):
    """A measurement: the function that makes it, and its arguments."""

    kind: str
    arguments: tuple[Any, ...]


Round = dict[Job, dict[str, Any]]
"""What was found in one turn."""


def step(engine: str, collector: bool) -> Job:
    return Job("step", (engine, collector))


def graph(engine: str, shape: str, nodes: int, collector: bool = True) -> Job:
    return Job("graph", (engine, shape, nodes, collector))


def judged(what: str, shape: str = "random graph") -> Job:
    return Job("judged", (what, shape, 100_000))


def packed(what: str, together: bool) -> Job:
    return Job("packed", (what, together))


def found(way: str, error: float) -> Job:
    return Job("found", (way, error))


SIZE = Job("size", ("minigrad",))
CHECK = Job("check", ("minigrad/engine.py:Value",))

WITH_VALUES = [name for name, engine in ENGINES.items() if engine.value is not None]
GRAPHS = [("random graph", 100_000), ("chain", 100_000), ("chain", 1_000_000)]
GROWTH = [1_000, 10_000, 100_000, 1_000_000]
WAYS = ["gradcheck", "retain_grad", "oracle.diff"]
ERRORS = [1e-3, 1e-9, 1e-12]
JUDGED = [("scalar", "chain"), ("local", "chain"), ("diff", "chain")] + [
    (what, "random graph") for what in ("scalar", "batched", "local", "diff")
]

PARTS: dict[str, list[Job]] = {
    "step": [step(engine, on) for engine in ENGINES for on in (True, False)],
    "graph": [graph(e, *where, on) for where in GRAPHS for e in WITH_VALUES for on in (True, False)],
    "growth": [graph("minigrad", shape, nodes) for shape in ("random graph", "chain") for nodes in GROWTH],
    "oracle": [
        *[judged(*arguments) for arguments in JUDGED],
        *[packed(what, together) for what in ("global", "local") for together in (True, False)],
    ],
    "found": [found(way, error) for way in WAYS for error in (0.0, *ERRORS)],
}

ROUNDS = {"step": 3, "graph": 1, "growth": 2, "oracle": 3, "found": 2}
"""Rounds at most of what no bar depends on; what the bars need has as many as are asked for."""

# What is to be reached --------------------------------------------------------------------------------------------


class Bar(NamedTuple):
    """A figure to reach, from measurements. unit: "×" for how many times `fast` is faster than `slow`, else of `fast`.

    limit  what is in the way, where a measurement misses the bar
    """

    words: str
    sign: str
    bar: float
    unit: str
    slow: Job
    fast: Job
    limit: str = ""

    def measured(self, rounds: Sequence[Round]) -> float:
        match self.unit:
            case "×":
                return ratio(rounds, self.slow, self.fast)
            case "B":
                return middle(rounds, self.fast, "bytes")
        return middle(rounds, self.fast)

    def reached(self, rounds: Sequence[Round]) -> bool:
        found = self.measured(rounds)
        return found >= self.bar if self.sign == "≥" else found <= self.bar


_OBJECTS = (
    "of 7 ms a step, computing 34,000 products and passing them on takes 2.5, making, reaching, sorting and visiting "
    "4,400 nodes 3.8; the collector, nine tenths of micrograd's time, is 0.4 of ours"
)


def _steps() -> Iterator[Bar]:
    for engine, on, off, limit in (
        ("minigrad", 15.0, 2.8, ""),
        ("minigrad, fused", 200.0, 12.0, _OBJECTS),
        ("minigrad, compiled", 400.0, 60.0, "Python's arithmetic: 10 ns for each of 180,000 operations"),
    ):
        for collector, bar in ((True, on), (False, off)):
            words = f"{engine}: demo step, beside micrograd{'' if collector else ', collector off'}"
            yield Bar(words, "≥", bar, "×", step("micrograd", collector), step(engine, collector), limit)


BARS: list[Bar] = [
    *_steps(),
    Bar("a node with its number, by `tracemalloc`", "≤", 165, "B", SIZE, SIZE),
    *(
        Bar(
            f"a node of a chain of 1,000,000, beside one of 10,000{'' if on else ', collector off'}",
            *(
                "≤",
                1.3,
                "×",
                graph("minigrad", "chain", 1_000_000, on),
                graph("minigrad", "chain", 10_000, on),
            ),
            "Python's collector goes over all of a graph whenever that has grown by a quarter: 0.45 µs of 1.2 a node"
            if on
            else "memory, beyond all caches",
        )
        for on in (True, False)
    ),
    Bar("PyTorch batched, beside scalar: random graph", "≥", 50, "×", judged("scalar"), judged("batched")),
    *(
        Bar(
            *(f"local answers, beside scalar: {s}", "≥", 100, "×", judged("scalar", s), judged("local", s)),
            "most of it is Python's numbers made into tensors, and back",
        )
        for s in ("random graph", "chain")
    ),
    Bar(
        *("`oracle.diff`, beside micrograd's own forward and backward", "≥", 1, "×"),
        *(graph("micrograd", "random graph", 100_000), judged("diff")),
    ),
    *(
        Bar(
            f"1,000 programs packed, beside one by one: {words}",
            "≥",
            10,
            "×",
            packed(w, False),
            packed(w, True),
        )
        for w, words in (("global", "PyTorch's numbers"), ("local", "local answers"))
    ),
    Bar(
        *("`oracle check` of an engine that offers all, whole suite", "≤", 1, "s", CHECK, CHECK),
        "three processes and their modules 0.3 s, 2,800 cases answered, and in JSON, 0.35 s, judged in Python 0.3 s",
    ),
]

PARTS["bars"] = [*dict.fromkeys(job for bar in BARS for job in (bar.slow, bar.fast))]


# Measuring ----------------------------------------------------------------------------------------------------


def interpreter(job: Job) -> str:
    """The Python that has what a job needs. An engine whose import name is taken gets an environment of its own."""
    engine = ENGINES.get(str(job.arguments[0]))
    if engine is None or not engine.environment:
        return sys.executable
    home = HERE.parent.parent / ".venv" / f"peer-{engine.environment}"
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", engine.environment]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
    return str(python)


def run(job: Job) -> dict[str, Any]:
    """One job in a fresh process. Raises RuntimeError with its words when it fails."""
    path = {} if interpreter(job) != sys.executable else {"PYTHONPATH": str(HERE.parent.parent)}
    done = subprocess.run(
        [interpreter(job), str(HERE / "jobs.py"), json.dumps(job)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **path},
    )
    if done.returncode < 0:  # a chain can be too much for an engine written in C
        return {"error": f"dies of {signal.Signals(-done.returncode).name}"}
    if done.returncode:
        raise RuntimeError(f"{job.kind} {job.arguments} failed:\n{done.stderr}")
    out: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return out


def measure(plan: Sequence[Sequence[Job]], tell: Callable[[Job], Any] = lambda job: None) -> list[Round]:
    """The jobs of every round in turn. `tell` is called before each."""
    done: list[Round] = []
    for jobs in plan:
        done.append({})
        for job in dict.fromkeys(jobs):
            tell(job)
            done[-1][job] = _hopeless(job, done[-1]) or run(job)
    return done


def _hopeless(job: Job, found: Round) -> dict[str, Any] | None:
    """What became of a shorter chain, where that failed: a longer one is not tried."""
    if job.kind != "graph" or job.arguments[1] != "chain":
        return None
    engine, shape, nodes, collector = job.arguments
    shorter = found.get(graph(engine, shape, nodes // 10, collector), {})
    return shorter if "error" in shorter else None


def rounds_of(parts: Sequence[str], rounds: int) -> list[list[Job]]:
    """The jobs of each round."""
    return [
        [job for part in parts if n < ROUNDS.get(part, rounds) for job in PARTS[part]] for n in range(rounds)
    ]


def _with(rounds: Sequence[Round], *jobs: Job) -> list[Round]:
    """The rounds in which all of these were done."""
    return [found for found in rounds if all(job in found for job in jobs)]


def ratio(rounds: Sequence[Round], slow: Job, fast: Job, what: str = "seconds") -> float:
    """How many times faster (or smaller): the median of the rounds' ratios."""
    return median(found[slow][what] / found[fast][what] for found in _with(rounds, slow, fast))


# The tables ---------------------------------------------------------------------------------------------------


def middle(rounds: Sequence[Round], job: Job, what: str = "seconds") -> float:
    return median(found[job][what] for found in _with(rounds, job))


def _failed(rounds: Sequence[Round], job: Job) -> str:
    """What became of a job that failed in some round; "" for one that never did."""
    return next((str(found[job]["error"]) for found in _with(rounds, job) if "error" in found[job]), "")


def times(rounds: Sequence[Round], slow: Job, fast: Job) -> str:
    """A ratio in three digits, or a dash where one of them failed."""
    if _failed(rounds, slow) or _failed(rounds, fast):
        return "–"
    return f"{ratio(rounds, slow, fast):,.3g}"


def step_table(rounds: Sequence[Round]) -> Iterator[str]:
    yield "| demo step | time | × micrograd | collector off | × micrograd | peak memory |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for engine in ENGINES:
        cells = []
        for on in (True, False):
            taken = step(engine, on)
            cells.append(_failed(rounds, taken) or f"{1e3 * middle(rounds, taken):.3g} ms")
            cells.append(times(rounds, step("micrograd", on), taken))
        memory = step(engine, True)
        cells.append("–" if _failed(rounds, memory) else f"{middle(rounds, memory, 'bytes') / 1e6:.3g} MB")
        yield f"| {engine} | {' | '.join(cells)} |"


def graph_table(rounds: Sequence[Round]) -> Iterator[str]:
    heads = [f"{shape} of {nodes:,}" for shape, nodes in GRAPHS]
    yield f"| a node, forward and backward | {' | '.join(heads)} |"
    yield f"| --- |{' ---: |' * len(heads)}"
    for engine in WITH_VALUES:
        yield f"| {engine} | {' | '.join(_graph_cell(rounds, engine, *where) for where in GRAPHS)} |"


def _graph_cell(rounds: Sequence[Round], engine: str, shape: str, nodes: int) -> str:
    on, off = (graph(engine, shape, nodes, collector) for collector in (True, False))
    if failed := _failed(rounds, on) or _failed(rounds, off):
        return failed
    fast, slow = (f"{1e6 * middle(rounds, job):.2g}" for job in (off, on))
    return f"{slow} µs ({fast}), {middle(rounds, on, 'bytes'):,.0f} B"


def growth_table(rounds: Sequence[Round]) -> Iterator[str]:
    yield f"| minigrad, µs a node | {' | '.join(f'{nodes:,}' for nodes in GROWTH)} |"
    yield f"| --- |{' ---: |' * len(GROWTH)}"
    for shape in ("random graph", "chain"):
        cells = [f"{1e6 * middle(rounds, graph('minigrad', shape, nodes)):.2f}" for nodes in GROWTH]
        yield f"| {shape} | {' | '.join(cells)} |"


def oracle_table(rounds: Sequence[Round]) -> Iterator[str]:
    yield "| 100,000 nodes, a node | random graph | × | chain | × |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for what, words in (
        ("scalar", "PyTorch, a scalar tensor a value with `retain_grad`"),
        ("batched", "the same bits, batched"),
        ("local", "every node on its own operands"),
        ("diff", "`oracle.diff`, from graph to report"),
    ):
        cells = []
        for shape in ("random graph", "chain"):
            if (what, shape) not in JUDGED:
                cells += ["chosen by shape: scalar", ""]
                continue
            job = judged(what, shape)
            cells += [f"{1e6 * middle(rounds, job):.2g} µs", times(rounds, judged("scalar", shape), job)]
        yield f"| {words} | {' | '.join(cells)} |"
    yield ""
    both = [
        f"{times(rounds, packed(what, False), packed(what, True))} times as fast for {words}"
        for what, words in (("global", "PyTorch's numbers"), ("local", "the local answers"))
    ]
    yield f"1,000 random programs of 20 nodes, packed instead of one by one: {', '.join(both)}."


def found_table(rounds: Sequence[Round]) -> Iterator[str]:
    heads = [f"wrong by {error:g}" for error in ERRORS]
    yield f"| tanh's slope, in 1,400 nodes with 100 inputs | time | {' | '.join(heads)} | says |"
    yield f"| --- | ---: |{' --- |' * (len(heads) + 1)}"
    for way in WAYS:
        cells = ["found" if rounds[0][found(way, error)]["found"] else "missed" for error in ERRORS]
        says = rounds[0][found(way, ERRORS[0])]["says"].partition(":")[0]
        seconds = median(middle(rounds, found(way, error)) for error in ERRORS)
        yield f"| {way} | {seconds:.2f} s | {' | '.join(cells)} | {says} |"
    wrong = [way for way in WAYS if rounds[0][found(way, 0.0)]["found"]]
    yield ""
    yield f"Of a right rule {'none of them complains' if not wrong else ', '.join(wrong) + ' complain'}."


def bars_table(rounds: Sequence[Round]) -> Iterator[str]:
    yield "| bar | | reached | what is in the way |"
    yield "| --- | ---: | ---: | --- |"
    for bar in BARS:
        reached = bar.reached(rounds)
        found = f"{bar.measured(rounds):,.3g} {bar.unit}"
        found = found if reached else f"**{found}**"
        yield f"| {bar.words} | {bar.sign} {bar.bar:g} {bar.unit} | {found} | {'' if reached else bar.limit} |"


TABLES: dict[str, Callable[[Sequence[Round]], Iterator[str]]] = {
    "bars": bars_table,
    "step": step_table,
    "graph": graph_table,
    "growth": growth_table,
    "oracle": oracle_table,
    "found": found_table,
}


def machine(rounds: Sequence[Round], parts: Sequence[str]) -> str:
    done = {part: len(_with(rounds, *PARTS[part])) for part in parts}
    most = max(done.values())
    fewer = [f"{part}: {number}" for part, number in done.items() if number < most]
    return (
        f"*Python {platform.python_version()}, torch {version('torch')}, {_processor()}, {os.cpu_count()} cores, "
        f"{date.today()}. Medians of {most} {'round' if most == 1 else 'rounds'}"
        f"{' (' + ', '.join(fewer) + ')' if fewer else ''} of fresh processes, CPU time.*"
    )


def _processor() -> str:
    """The processor's name where Linux tells it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.machine()


def into_readme(text: str, readme: Path = HERE.parent.parent / "README.md") -> None:
    """Put the tables between the README's two marks. Raises ValueError when these are not there."""
    whole = readme.read_text(encoding="utf-8")
    before, begin, rest = whole.partition("<!-- performance -->\n")
    _, end, after = rest.partition("<!-- /performance -->")
    if not begin or not end:
        raise ValueError(f"{readme} has no <!-- performance --> … <!-- /performance -->")
    readme.write_text(f"{before}{begin}{text}\n{end}{after}", encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/benchmark", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="default 5; tables without a bar have fewer")
    parser.add_argument("--only", choices=TABLES, action="append", help="one table; repeatable")
    parser.add_argument("--readme", action="store_true", help="also put all tables into the README")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds: at least 1")
    if options.readme and options.only:
        parser.error("--readme replaces all of the README's tables: leave out --only")
    parts = [part for part in TABLES if part in (options.only or TABLES)]
    plan = [list(dict.fromkeys(jobs)) for jobs in rounds_of(parts, options.rounds)]
    with _progress(sum(map(len, plan))) as tell:
        rounds = measure(plan, tell)
    text = "\n\n".join(["\n".join(TABLES[part](rounds)) for part in parts] + [machine(rounds, parts)])
    print(text)
    if options.readme:
        into_readme(text)
    return 0


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Job], None]]:
    """Tell of each job: by a bar on a terminal, by a line elsewhere."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    if not console.is_terminal:
        numbers = count(1)
        yield lambda job: print(f"{next(numbers)} of {total}: {_words(job)}", file=sys.stderr, flush=True)
        return
    with Progress(console=console) as progress:
        task = progress.add_task("measuring", total=total)
        yield lambda job: progress.update(task, advance=1, description=_words(job))


def _words(job: Job) -> str:
    return " ".join([job.kind, *map(str, job.arguments)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
