"""Measurements of the oracle: what it costs to judge a graph, and what one would pick instead."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from jobs import SHAPES, Found, _memory, build, timed

from minigrad import Value, engine
from oracle import torch_reference
from oracle.api import diff
from oracle.case import Case
from oracle.judge import bulk
from oracle.judge.equations import Run, Traits, runs
from oracle.judge.locals import torch_locals
from oracle.program import Program
from oracle.recording import from_graph
from oracle.torch_reference import batched, scalar


def _warm() -> None:
    """PyTorch's import and its first backward are not what is measured."""
    small = Program.build([0.5], [("mul", (0, 0)), ("tanh", (1,))])
    batched.observe(batched.plan([small]))
    scalar.run(Case("warm/up", small))


def _run(shape: str, nodes: int) -> tuple[Value, Run]:
    root = build(Value, SHAPES[shape](nodes))
    root.backward()
    program, seen = from_graph(root)
    (run,) = runs(Case("a/graph", program), [seen])
    return root, run


def judged(what: str, shape: str, nodes: int) -> Found:
    """Seconds a node of one way to get PyTorch's numbers for every node of a graph, or to judge it."""
    _warm()
    root, run = _run(shape, nodes)
    works: dict[str, Callable[[], Any]] = {
        "scalar": lambda: scalar.run(run.case),
        "batched": lambda: batched.observe(batched.plan([run.program])),
        "local": lambda: bulk.ask(run),
        "judge": lambda: bulk.in_bulk(run, Traits({})),
        "diff": lambda: diff(root),
    }
    before = _memory()
    works[what]()
    peak = _memory() - before
    return {"seconds": timed(works[what], 1, 0.5) / nodes, "bytes": peak / nodes}


def packed(what: str, together: bool, programs: int = 1000) -> Found:
    """Seconds for 1,000 random programs of 20 nodes, packed or one by one: PyTorch's numbers, or the judgement."""
    _warm()
    draw = random.Random(5)
    made = [_program(draw) for _ in range(programs)]
    cases = [Case(f"random/{n}", program) for n, program in enumerate(made)]
    if what == "global":

        def work() -> None:
            if together:
                batched.observe(batched.plan(made))
            else:
                for case in cases:
                    scalar.run(case)

    else:
        seen = torch_reference.run_all(cases)
        all_runs = [run for case, s in zip(cases, seen, strict=True) for run in runs(case, s)]

        def work() -> None:
            if together:
                torch_locals(all_runs)
            else:
                for run in all_runs:
                    torch_locals([run])

    work()
    return {"seconds": timed(work, 1, 0.3)}


def _program(draw: random.Random) -> Program:
    rows: list[tuple[str, tuple[int, ...]]] = []
    for k in range(20):
        op = draw.choice(("add", "mul", "sub", "relu", "tanh", "exp"))
        a, b = draw.randrange(max(0, k - 3), k + 4), draw.randrange(k + 4)
        rows.append((op, (a, b) if op in ("add", "mul", "sub") else (a,)))
    return Program.build([draw.uniform(-1, 1) for _ in range(4)], rows)


# What a user would pick instead, on one job --------------------------------------------------------------------

INPUTS, NODES = 100, 1400


def found(way: str, error: float) -> Found:
    """Whether a way of testing finds that tanh's slope is wrong by `error`, and seconds of it."""
    _warm()
    t = torch_reference.torch()
    rule = engine.VJPS["tanh"]
    engine.VJPS["tanh"] = (lambda g, y, x: rule[0](g, y, x) * (1.0 + error),)
    rows = _job()
    draw = random.Random(2)
    inputs = [draw.uniform(-1, 1) for _ in range(INPUTS)]
    began = time.process_time()
    root, _, nodes = _compute(inputs, rows)
    root.backward()
    if way == "oracle.diff":
        report = diff(root)
        says = "; ".join(cause.message for cause in report.causes)
    elif way == "gradcheck":
        says = _gradcheck(t, rows, inputs)
    else:
        says = _retain_grad(t, rows, inputs, nodes)
    return {"seconds": time.process_time() - began, "found": bool(says), "says": says}


def _job() -> list[tuple[str, int, int]]:
    """Random products, sums and tanhs of all inputs."""
    draw = random.Random(7)
    rows = []
    unused = dict.fromkeys(range(INPUTS))
    while len(rows) + len(unused) - 1 < NODES:
        size = INPUTS + len(rows)
        op = draw.choice(("add", "mul", "sub", "tanh"))
        first = next(iter(unused)) if draw.random() < 0.5 else draw.randrange(size)
        second = draw.randrange(size)
        rows.append((op, first, second))
        unused.pop(first, None)
        if op != "tanh":
            unused.pop(second, None)
        unused[size] = None
    row = list(unused)
    while len(row) > 1:
        rows.append(("add", row[0], row[1]))
        row = [*row[2:], INPUTS + len(rows) - 1]
    return rows


def _apply(rows: list[tuple[str, int, int]], values: list[Any]) -> list[Any]:
    for op, a, b in rows:
        x, y = values[a], values[b]
        values.append(x + y if op == "add" else x * y if op == "mul" else x - y if op == "sub" else x.tanh())
    return values


def _compute(inputs: list[float], rows: list[tuple[str, int, int]]) -> tuple[Value, list[Value], list[Value]]:
    leaves = [Value(x) for x in inputs]
    nodes = _apply(rows, list(leaves))
    return nodes[-1], leaves, nodes


def _gradcheck(t: Any, rows: list[tuple[str, int, int]], inputs: list[float]) -> str:
    """The engine as a function of PyTorch, its gradient against difference quotients."""

    class Engine(t.autograd.Function):  # type: ignore[misc, name-defined]
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            root, ctx.leaves, _ = _compute(x.tolist(), rows)
            ctx.root = root
            return t.tensor(root.data, dtype=t.float64)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            for leaf in ctx.leaves:
                leaf.grad = engine.NO_GRAD
            ctx.root.backward()
            return g * t.tensor([leaf.grad for leaf in ctx.leaves], dtype=t.float64)

    x = t.tensor(inputs, dtype=t.float64, requires_grad=True)
    try:
        t.autograd.gradcheck(Engine.apply, x)
    except RuntimeError as problem:  # a GradcheckError
        return str(problem).splitlines()[0]
    return ""


def _retain_grad(t: Any, rows: list[tuple[str, int, int]], inputs: list[float], nodes: list[Value]) -> str:
    """The same program in PyTorch, every gradient kept, and every number compared by its defaults for float64."""
    values = _apply(rows, [t.tensor(x, dtype=t.float64, requires_grad=True) for x in inputs])
    for value in values[INPUTS:]:
        value.retain_grad()
    values[-1].backward()
    wrong = [
        k
        for k, (mine, theirs) in enumerate(zip(nodes, values, strict=True))
        if not (_near(t, mine.data, theirs.detach()) and _near(t, mine.grad, theirs.grad))
    ]
    return f"{len(wrong):,} of {len(nodes):,} numbers differ" if wrong else ""


def _near(t: Any, mine: float, theirs: Any) -> bool:
    try:
        t.testing.assert_close(
            t.tensor(mine, dtype=t.float64), t.tensor(0.0, dtype=t.float64) if theirs is None else theirs
        )
    except AssertionError:
        return False
    return True


KINDS: dict[str, Callable[..., Found]] = {"judged": judged, "packed": packed, "found": found}
