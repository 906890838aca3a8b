"""Engines in other languages, by the harnesses of scripts/: right, or wrong by one rule that has to be found."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oracle import suite
from oracle.case import Case, Observe
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.program import Program
from oracle.subjects import open_subject
from oracle.subjects.child import Lost
from oracle.subjects.messages import read_answer
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


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

SAID = re.findall(r"^([→←]) (\{.*\})$", README.partition("## A harness in an evening")[2], re.MULTILINE)
"""The conversation in the README."""


@pytest.mark.parametrize("engine", ["engine.js", "engine.c"])
def test_the_conversation_in_the_readme(engine: str, tmp_path: Path) -> None:
    asked = [line for arrow, line in SAID if arrow == "→"]
    answered = [json.loads(line) for arrow, line in SAID if arrow == "←"]
    words = command(engine, tmp_path).split()
    done = subprocess.run(words, input="\n".join(asked), capture_output=True, text=True, check=True)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(asked) == 5 and replies[1:] == answered[1:]
    assert engine != "engine.js" or replies == answered


COMPLAINTS = {
    '{"id":1,"observations":[{"data":["0x1p+0","3.5"],"grad":[null,null]},{}]}': "observations[0].data[1]",
    '{"id":1,"observations":[{"data":[],"grad":[]}]}': "observations: expected",
    '{"id":1,"observations":[{"data":["0x1p+0"],"grad":[null,null]},{}]}': "observations[0].data:",
    '{"id":2,"observations":[]}': "id: expected",
}


@pytest.mark.parametrize("reply", COMPLAINTS)
def test_the_complaints_in_the_readme(reply: str) -> None:
    """What stands there is what is said, word by word."""
    shown = [line.strip() for line in README.splitlines() if line.startswith(f"    {COMPLAINTS[reply]}")]
    case = Case("a/neg", Program.build([2.0], [("neg", [0])]), steps=(Observe(), Observe()))
    with pytest.raises(Lost) as caught:
        read_answer(reply.encode(), 1, case, 0.0)
    assert [str(caught.value)] == shown


def test_the_table_of_exit_codes_is_in_the_help() -> None:
    done = subprocess.run([sys.executable, "-m", "oracle", "-h"], capture_output=True, text=True, check=True)
    rows = README.partition("## Exit codes")[2].partition("##")[0]
    codes = re.findall(r"^\| (\d) \|", rows, re.MULTILINE)
    assert codes == ["0", "1", "2", "3", "4", "5"]
    assert all(re.search(rf"^ +{code}  \w", done.stdout, re.MULTILINE) for code in codes)
