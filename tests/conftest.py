"""What all tests share: PyTorch's kernels as the reference uses them, and the corpus' table at the end."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

os.environ.setdefault("ATEN_CPU_CAPABILITY", "default")
sys.path.insert(0, str(Path(__file__).parent.parent))

pytest_plugins = ["pytester"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often the judge was right."""
    from tests.table import PRINTED

    text = terminalreporter.config.stash.get(PRINTED, None)
    if text is not None:
        terminalreporter.section("the judge on the corpus of engines")
        terminalreporter.line(text)
