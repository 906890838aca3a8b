"""The gate's life, through the command line: green, a bug, red, repaired, green, stale, updated."""

from __future__ import annotations

import json
from pathlib import Path

from tests.gate.conftest import Oracle

RIGHT = "self.grad += out.grad * other.data"
WRONG = "self.grad += out.grad * self.data"
GATE = ("check", "engine.py", "--case", "*/[mt]*", "--level", "gradient", "--level", "lifecycle")
GATE += ("--baseline", "oracle.json")
"""A part of the suite, with mul, tanh and what an engine chooses: the life has a dozen checks."""


def test_life(engine: Path, oracle: Oracle) -> None:
    baseline, right = engine.parent / "oracle.json", engine.read_text()
    assert right.count(RIGHT) == 1

    # No baseline: the gate says so, and CI cannot make one.
    none = oracle(*GATE)
    assert none.returncode == 2 and "oracle.json: no such baseline" in none.stderr
    refused = oracle(*GATE, "--update-baseline", CI="true")
    assert refused.returncode == 2 and "not in CI" in refused.stderr and not baseline.exists()

    # Green.
    made = oracle(*GATE, "--update-baseline")
    assert made.returncode == 0, made.stdout + made.stderr
    assert "oracle.json is new" in made.stdout
    accepted = baseline.read_bytes()
    engine.write_text("# moved down\n\n" + right)
    green = oracle(*GATE, CI="true")
    assert green.returncode == 0 and "Against oracle.json: no change" in green.stdout

    # A bug is injected: red, with the cause at its line, in every format.
    wrong = right.replace(RIGHT, WRONG)
    line = wrong.splitlines().index("            " + WRONG) + 1
    engine.write_text(wrong)
    red = oracle(
        *GATE, "--format", "text", "--format", "json", "-o", "red.json", "--format", "github", CI="true"
    )
    assert red.returncode == 1
    after = red.stdout.partition("Against oracle.json")[2]
    assert "new: " in after and f"engine.py:{line})" in after
    report = json.loads((engine.parent / "red.json").read_text())
    assert (report["ok"], report["exit_code"]) == (False, 1)
    (cause,) = [c for c in report["causes"] if c["demanded"]]
    assert (cause["kind"], cause["op"], cause["operand"]) == ("derivative", "mul", 0)
    assert (Path(cause["file"]).name, cause["line"]) == ("engine.py", line)
    errors = [text for text in red.stdout.splitlines() if text.startswith("::error ")]
    assert len(errors) == 1 and f"line={line}," in errors[0]

    # Repaired: green again, and nothing has touched the baseline.
    engine.write_text(right)
    assert oracle(*GATE).returncode == 0
    assert baseline.read_bytes() == accepted

    # Somebody accepts the bug, with a reason; it is repaired later, and the baseline is stale.
    engine.write_text(wrong)
    worse = oracle(*GATE, "--update-baseline")
    assert worse.returncode == 0 and "oracle.json is updated. What changed:\n  new: " in worse.stdout
    data = json.loads(baseline.read_text())
    (row,) = [row for row in data["accepted"] if row["kind"] == "derivative"]
    row["reason"] = "repaired in the next release"
    baseline.write_text(json.dumps(data))
    known = oracle(*GATE)
    assert known.returncode == 0 and "repaired in the next release" in known.stdout
    engine.write_text(right)
    stale = oracle(*GATE)
    assert stale.returncode == 1 and "fixed: " in stale.stdout and "--update-baseline" in stale.stdout

    # Updated: as it was in the beginning.
    assert oracle(*GATE, "--update-baseline").returncode == 0
    assert oracle(*GATE).returncode == 0
    assert baseline.read_bytes() == accepted


def test_an_acceptance_that_is_over(engine: Path, oracle: Oracle) -> None:
    assert oracle(*GATE, "--update-baseline").returncode == 0
    baseline = engine.parent / "oracle.json"
    data = json.loads(baseline.read_text())
    data["accepted"][0]["expires"] = "2020-02-29"
    baseline.write_text(json.dumps(data))
    over = oracle(*GATE)
    assert over.returncode == 1 and "accepted until 2020-02-29, which is over" in over.stdout


def test_a_bad_field_is_a_sentence_and_exit_code_2(engine: Path, oracle: Oracle) -> None:
    (engine.parent / "oracle.json").write_text('{"schema": "oracle/baseline/1", "subject": "x", "more": 1}')
    bad = oracle(*GATE)
    assert bad.returncode == 2 and "oracle.json: more: unknown" in bad.stderr
    assert "Traceback" not in bad.stderr
