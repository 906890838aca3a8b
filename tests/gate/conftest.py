"""The gate's tests drive the command line as CI does: another process, an exit code, files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ENGINES = Path(__file__).parents[1] / "engines"

Oracle = Callable[..., subprocess.CompletedProcess[str]]


def environment(**more: str) -> dict[str, str]:
    """This process's environment, outside of CI unless `more` says otherwise."""
    kept = {name: x for name, x in os.environ.items() if name not in ("CI", "GITHUB_STEP_SUMMARY")}
    return {**kept, "COLUMNS": "200", **more}


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A copy of a correct engine, in an empty folder."""
    return Path(shutil.copy(ENGINES / "closures.py", tmp_path / "engine.py"))


@pytest.fixture
def oracle(tmp_path: Path) -> Oracle:
    """Run `oracle ARGS…` in the engine's folder; keywords are environment variables."""

    def run(*args: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "oracle", *args]
        return subprocess.run(
            command, cwd=tmp_path, env=environment(**more), capture_output=True, text=True, timeout=120
        )

    return run
