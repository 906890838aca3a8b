"""The README is true: its Python blocks run, its console block is what the command prints, its links exist."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
CONSOLE = re.findall(r"```\n\$ scripts/oracle (.*?)\n(.*?)```", TEXT, re.S)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_python_block_runs(number: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("number", range(len(CONSOLE)))
def test_console_block_is_what_is_printed(number: int, tmp_path: Path) -> None:
    words, shown = CONSOLE[number]
    arguments = [tmp_path / "pictures" if w == "pictures" else w for w in words.split()]
    done = subprocess.run(
        [sys.executable, "-m", "oracle", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100"},
    )
    printed = [line.rstrip() for line in done.stdout.splitlines()]
    for line in shown.splitlines():
        if line.strip():
            assert line.rstrip() in printed, line


def test_links_exist() -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)]+)\)", TEXT):
        assert (ROOT / target).exists(), target


def test_the_top_level_is_kept_clean() -> None:
    allowed = {"minigrad", "oracle", "tests", "scripts", "pyproject.toml", "README.md", "LICENSE"}
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    if not any(tracked):
        pytest.skip("not a git checkout")
    assert {name.split("/")[0] for name in tracked if name and not name.startswith(".")} <= allowed
