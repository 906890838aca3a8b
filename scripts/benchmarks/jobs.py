"""One measurement in a process of its own: `python jobs.py '["step", ["micrograd", true]]'` prints it as JSON.

Runs in environments that have nothing but an engine: the standard library only, until a job imports more.
"""

from __future__ import annotations

import gc
import io
import json
import random
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout, suppress
from itertools import cycle, repeat
from pathlib import Path
from statistics import median
from typing import Any

from engines import ENGINES, Work

Found = dict[str, Any]
"""seconds of CPU; bytes of memory at the peak, beyond what was there before; error: why there are none."""


def timed(work: Work, least: int = 3, enough: float = 0.5) -> float:
    """CPU seconds: the median of at least `least` calls and of `enough` seconds' worth."""
    times: list[float] = []
    while len(times) < least or sum(times) < enough:
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return median(times)


def step(engine: str, collector: bool) -> Found:
    """micrograd's demo step, after one to warm up."""
    if not collector:
        gc.disable()
    random.seed(1)
    work = ENGINES[engine].step()
    before = _memory()
    work()
    grown = _memory() - before
    seconds = timed(work)
    return {"seconds": seconds, "bytes": grown if grown > 16e6 else _traced(work)}


def _traced(work: Work) -> int:
    """Bytes at the peak that Python's own allocator hands out. A small step fits into what importing has left free,
    and the process does not grow."""
    tracemalloc.start()
    work()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def graph(engine: str, shape: str, nodes: int, collector: bool) -> Found:
    """Forward, backward and freeing of a graph, a node."""
    if not collector:
        gc.disable()
    make = ENGINES[engine].value
    assert make is not None
    plan = SHAPES[shape](nodes)
    before = _memory()

    def work() -> None:
        build(make, plan).backward()

    try:
        work()
        peak = _memory() - before
        return {"seconds": timed(work, 1, 0.3) / nodes, "bytes": peak / nodes}
    except RecursionError as problem:
        return {"error": type(problem).__name__}


def size(engine: str) -> Found:
    """Bytes a node of a chain of 100,000, as `tracemalloc` sees them, its number included."""
    make = ENGINES[engine].value
    assert make is not None
    x = make(1.5)
    out = x + x
    count = 100_000
    tracemalloc.start()
    for _ in range(count):
        out = out + x
    return {"bytes": tracemalloc.get_traced_memory()[0] / count}


def check(target: str) -> Found:
    """CPU seconds of `oracle check`, its sandboxed workers included; its modules are compiled in the first round, as
    they are when it is installed.

    Workers are killed, and who kills a sandbox is never told what those inside have used: it is read before.
    """
    sys.dont_write_bytecode = False
    from oracle import cli
    from oracle.subjects.child import Child

    kill, workers = Child.kill, 0.0

    def counted(child: Any) -> None:
        nonlocal workers
        workers += spent(child._process.pid)
        kill(child)

    setattr(Child, "kill", counted)  # noqa: B010 (a method)
    sys.argv = ["oracle", "check", target]
    with redirect_stdout(io.StringIO()), suppress(SystemExit):
        cli.main()
    return {"seconds": time.process_time() + workers}


def spent(process: int) -> float:
    """CPU seconds of a process and of those that it has started; 0 when it has ended."""
    try:
        nanoseconds = Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[0]
        inner = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    return int(nanoseconds) / 1e9 + sum(spent(int(child)) for child in inner)


Rows = Iterable[tuple[str, int, int]]
Plan = tuple[int, Callable[[], Rows]]
"""How many leaves, and the nodes: op and operands, the root last."""


def chain(nodes: int) -> Plan:
    """Products with one leaf and sums with it, in turn. The plan takes no memory: caches are for the graph."""
    return 1, lambda: zip(cycle(("mul", "add")), range(nodes), repeat(0), strict=False)


def wide(nodes: int) -> Plan:
    """Random operands among 1,000 leaves and all that was made; whatever is not used is added up to the root."""
    draw = random.Random(0)
    leaves = 1000
    rows: list[tuple[str, int, int]] = []
    unused = dict.fromkeys(range(leaves))
    while len(rows) + len(unused) - 1 < nodes:
        size = leaves + len(rows)
        op = draw.choice(("add", "mul", "sub", "relu"))
        a, b = draw.randrange(size), draw.randrange(size)
        rows.append((op, a, b))
        unused.pop(a, None)
        if op != "relu":
            unused.pop(b, None)
        unused[size] = None
    row = list(unused)
    while len(row) > 1:
        first = leaves + len(rows)
        rows += [("add", a, b) for a, b in zip(row[::2], row[1::2], strict=False)]
        row = [*range(first, leaves + len(rows)), *row[len(row) & ~1 :]]
    return leaves, lambda: rows


SHAPES: dict[str, Callable[[int], Plan]] = {"random graph": wide, "chain": chain}


def leaf(k: int) -> float:
    """The data of leaf k: 1.0000001 of a chain, so that it neither grows nor vanishes."""
    return 1.0000001 if k == 0 else random.Random(k).uniform(-1, 1)


def build(make: Callable[[float], Any], plan: Plan) -> Any:
    """The graph of a plan in an engine; its root."""
    leaves, rows = plan
    values = [make(leaf(k)) for k in range(leaves)]
    for op, a, b in rows():
        x = values[a]
        if op == "add":
            values.append(x + values[b])
        elif op == "mul":
            values.append(x * values[b])
        elif op == "sub":
            values.append(x - values[b])
        else:
            values.append(x.relu())
    return values[-1]


def _memory() -> int:
    """Bytes of memory at the peak so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(text: str) -> None:
    kind, arguments = json.loads(text)
    kinds: dict[str, Callable[..., Found]] = {"step": step, "graph": graph, "size": size, "check": check}
    if kind not in kinds:
        import oracle_jobs

        kinds = oracle_jobs.KINDS
    print(json.dumps(kinds[kind](*arguments)))


if __name__ == "__main__":
    main(sys.argv[1])
