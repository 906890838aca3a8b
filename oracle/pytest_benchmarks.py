"""Benchmarks for pytest-benchmark: the programs of `oracle.benchmark`, on the engine and on minigrad.

Both are in one group of its table, which shows their ratio; runs are saved and compared with its own options
(`--benchmark-autosave`, `--benchmark-compare`). The gate on the ratio is `oracle check --baseline --benchmark`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from oracle import benchmark as programs
from oracle.subjects import LoadError, Subject, open_subject


def items(parent: pytest.Collector, target: str) -> Iterator[pytest.Item]:
    """One test for every program, pass and engine: `benchmark/network-forward[engine]`."""
    if not parent.config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError(
            "--oracle-benchmark needs pytest-benchmark; install it, or use oracle check --benchmark"
        )
    engines: dict[str, Callable[[], Subject]] = {
        "engine": lambda: open_subject(target),
        "minigrad": programs.minigrad,
    }
    for name in programs.PROGRAMS:
        for passed in programs.PASSES:
            for engine, start in engines.items():
                test = _test(name, passed, start)
                item = pytest.Function.from_parent(
                    parent, name=f"benchmark/{name}-{passed}[{engine}]", callobj=test
                )
                item.add_marker("oracle")
                item.add_marker(pytest.mark.benchmark(group=f"{name} {passed}"))
                yield item


def _test(name: str, passed: str, start: Callable[[], Subject]) -> Callable[..., None]:
    """A test function that times one pass: `REPEATS` of them, and the program sent once, are one round."""

    def test(benchmark: Any) -> None:
        case = programs.cases(name)[passed]
        try:
            engine = start()
        except (LoadError, programs.BenchmarkError) as problem:
            pytest.fail(str(problem), pytrace=False)
        with engine as subject:
            (answer,) = subject.run([case])
            if not answer.ok:
                pytest.fail(
                    f"{case.name}: {answer.crash or answer.detail or answer.unsupported}", pytrace=False
                )
            benchmark.extra_info.update(values=len(case.program), passes=programs.REPEATS)
            benchmark.pedantic(subject.run, args=([case],), rounds=programs.ROUNDS, warmup_rounds=1)

    return test
