"""Engines in other languages, by the harnesses of scripts/: right, or wrong by one rule that has to be found."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from oracle import suite
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.subjects import open_subject
from tests.machine import WORKING

HARNESS = Path(__file__).parents[2] / "scripts" / "harness"

Expected = tuple[str, str, int] | None

ENGINES: dict[str, tuple[str, Expected]] = {
    "engine.js": ("node", None),
    "tanh_slope.js": ("node", ("derivative", "tanh", 0)),
    "mul_overwrites.js": ("node", ("accumulation", "mul", 0)),
    "engine.c": ("cc", None),
    "engine.c FAULT=1": ("cc", ("derivative", "div", 1)),
    "engine.c FAULT=2": ("cc", ("accumulation", "exp", 0)),
}
"""Engine → the program that it needs, and its cause: kind, op, operand."""


def command(engine: str, folder: Path) -> str:
    """The command for --exec. Skips the test where the program is not there."""
    needs = ENGINES[engine][0]
    if shutil.which(needs) is None:
        pytest.skip(f"{needs} is not installed")
    if needs == "node":
        return f"node {HARNESS / 'harness.js'} {engine}"
    program = folder / "engine"
    fault = [f"-D{word}" for word in engine.split()[1:]]
    sources = [HARNESS / "harness.c", HARNESS / "engine.c"]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    subprocess.run(["cc", "-O1", *warnings, *fault, "-o", program, *sources, "-lm"], check=True)
    return str(program)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_cause_in_another_language(engine: str, tmp_path: Path) -> None:
    with open_subject(command=command(engine, tmp_path)) as subject:
        assert subject.isolation == WORKING[0]
        assert subject.language == ("javascript" if "js" in engine else "c")
        report = check(subject, suite.cases(), Demands())
    expected = ENGINES[engine][1]
    causes = [(c.kind, c.op, c.operand) for c in report.causes if c.severity in ("wrong", "imprecise")]
    assert causes == ([expected] if expected else [])
    assert report.exit_code == (1 if expected else 0) and report.unexplained == 0
    assert report.counts["pass"] > 300 and all(c.file is None and c.line is None for c in report.causes)


@pytest.mark.parametrize("tier", WORKING)
@pytest.mark.parametrize("engine", ["engine.js", "engine.c"])
def test_in_every_tier(engine: str, tier: str, tmp_path: Path) -> None:
    with open_subject(command=command(engine, tmp_path), tier=tier) as subject:
        answers = subject.run(list(suite.cases())[:40])
    assert subject.isolation == tier
    assert sum(bool(a.observations) for a in answers) > 30 and not any(a.lost for a in answers)
