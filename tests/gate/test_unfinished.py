"""A report exists before the first case runs: valid, not ok, and replaced when there is a better one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from oracle import suite
from oracle.reports import FORMATS
from oracle.reports.json_ import schema
from oracle.unfinished import not_run
from tests.gate.conftest import Oracle, environment


def test_interrupted(engine: Path) -> None:
    """Ctrl-C does not end in the exit code that says "something was found"."""
    text = engine.read_text()
    engine.write_text(
        text.replace("self.data = data", "self.data = data\n        import time; time.sleep(60)", 1)
    )
    command = [sys.executable, "-m", "oracle", "check", "engine.py", "--timeout", "60"]
    command += ["--format", "json", "-o", "report.json"]
    process = subprocess.Popen(
        command,
        cwd=engine.parent,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 30
    while not (engine.parent / "report.json").exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)  # into the run
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "oracle: interrupted" in said and "Traceback" not in said
    assert json.loads((engine.parent / "report.json").read_text())["exit_code"] == 4


def test_killed_midway(engine: Path) -> None:
    text = engine.read_text()
    engine.write_text(
        text.replace("self.data = data", "self.data = data\n        import time; time.sleep(60)", 1)
    )
    assert engine.read_text() != text
    out = engine.parent / "report.json"
    out.write_text("from yesterday")
    command = [sys.executable, "-m", "oracle", "check", "engine.py", "--format", "json", "-o", "report.json"]
    command += ["--format", "junit", "-o", "report.xml", "--timeout", "60"]
    process = subprocess.Popen(command, cwd=engine.parent, env=environment(), stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not (engine.parent / "report.xml").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(0.5)  # into the run
        assert process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    report = json.loads(out.read_text())
    jsonschema.validate(report, schema())
    assert (report["ok"], report["exit_code"]) == (False, 4)
    assert report["counts"]["not run"] == len(report["cases"]) == len(suite.cases())
    assert "stopped before its end" in report["error"]
    assert "did not finish" in (engine.parent / "report.xml").read_text()
    left = [path.name for path in engine.parent.iterdir() if path.name.startswith(".")]
    assert left == []


def test_replaced_at_the_end(engine: Path, oracle: Oracle) -> None:
    done = oracle("check", "engine.py", "--level", "coerce", "--format", "json", "-o", "report.json")
    report = json.loads((engine.parent / "report.json").read_text())
    assert done.returncode == report["exit_code"] == 0 and report["counts"]["not run"] == 0
    assert report["error"] is None


def test_an_engine_that_cannot_be_loaded_has_a_report_too(engine: Path, oracle: Oracle) -> None:
    engine.write_text("def broken(:\n")
    done = oracle(
        "check", "engine.py", "--format", "json", "-o", "report.json", "--format", "junit", "-o", "r.xml"
    )
    assert done.returncode == 3 and "this is not Python" in done.stderr
    report = json.loads((engine.parent / "report.json").read_text())
    jsonschema.validate(report, schema())
    assert report["exit_code"] == 3 and "line 1: this is not Python" in report["error"]
    assert ElementTree.parse(engine.parent / "r.xml").find(".//error") is not None


SAYS = {"json": "stopped before its end", "sarif": '"executionSuccessful": false'}


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_can_say_it(name: str) -> None:
    text = FORMATS[name](not_run("lab/engine.py:Value", suite.cases(), "lecture"))
    assert SAYS.get(name, "did not finish") in " ".join(text.split())
    assert "agrees" not in text


def test_files_belong_to_the_format_before_them(engine: Path, oracle: Oracle) -> None:
    some = ("check", "engine.py", "--level", "nn")
    assert oracle(*some, "--format", "text", "--format=json", "-oa.json").returncode == 0
    json.loads((engine.parent / "a.json").read_text())
    assert oracle(*some, "-o", "plain.txt").stdout == ""
    assert "agrees" in (engine.parent / "plain.txt").read_text()
    two = oracle(*some, "--format", "json", "-o", "a", "-o", "b")
    assert two.returncode == 2 and "two files for one --format json" in two.stderr
