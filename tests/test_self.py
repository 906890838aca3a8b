"""PyTorch passes its own oracle: every case of the suite, run in PyTorch, satisfies its local equations."""

from __future__ import annotations

import pytest

from oracle import suite, torch_reference
from oracle.case import Case
from oracle.judge.equations import Checked, Traits, runs
from oracle.judge.locals import judge

LEVELS = list(suite.LEVELS)


def checked(case: Case) -> list[Checked]:
    return judge(list(runs(case, torch_reference.run(case))), Traits({}))


@pytest.mark.parametrize("level", LEVELS)
def test_pytorch_passes(level: str) -> None:
    cases = [case for case in suite.cases() if case.level == level and len(case.program) <= 10_000]
    assert cases
    failed = [
        f"{case.name}: equation {f.equation} of value {f.value}: {f.observed!r}, owed {f.expected!r} ± {f.bound:.2g}"
        for case in cases
        for c in checked(case)
        for f in c.failures
    ]
    assert failed == []
