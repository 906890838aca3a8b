"""Benchmarks run only when they are named: `scripts/test tests/benchmarks`. They need an otherwise idle machine."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True, which ignores, unless an argument of pytest is this folder or in it."""
    named = [
        (config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args
    ]
    return None if any(path.is_relative_to(HERE) for path in named) else True
