"""What the gate found, told in every format, and by `oracle compare`."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest

from oracle.baseline import Baseline, write
from oracle.compare import compare, judged
from oracle.report import Report
from oracle.reports import FORMATS, github
from oracle.reports.json_ import dumps, loads, schema, to_json
from tests.gate.conftest import Oracle
from tests.gate.reports import cause, report

FIXED = "fixed: mul pushes the negative of the gradient. Update the baseline"


def stale(**fields: object) -> Report:
    """A report in which nothing is wrong any more, and its baseline does not know that yet."""
    old, new = (
        Baseline.of(report(cause(), cause(op="exp", message="exp is odd", severity="policy"))),
        report(
            cause(op="exp", message="exp is odd", severity="policy", demanded=False),
            **fields,  # type: ignore[arg-type]
        ),
    )
    return judged(new, old, "oracle.json", compare(new, old, date(2026, 6, 1)))


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"text", "json", "sarif", "classroom50"}))
def test_every_format_names_what_has_no_cause(name: str) -> None:
    """SARIF has causes alone, Classroom 50 points alone; the terminal's text is the gate's own block."""
    assert FIXED in FORMATS[name](stale())


def test_json_keeps_all_of_it() -> None:
    data = to_json(stale())
    jsonschema.validate(data, schema())
    assert [(c["trend"], c["fails"], c["cause"]) for c in data["baseline"]["changes"]] == [
        ("better", True, None)
    ]
    assert data["baseline"]["accepted"] == ["exp is odd"]
    assert loads(dumps(stale())).baseline == stale().baseline
    assert to_json(report())["baseline"] is None


def test_junit_counts_a_change_as_one_failure() -> None:
    root = ElementTree.fromstring(FORMATS["junit"](stale()).partition("?>")[2])
    assert (root.get("failures"), root.get("errors")) == ("1", "0")


def test_github_annotates_what_fails_and_announces_what_does_not() -> None:
    lines = FORMATS["github"](stale(suite="2")).splitlines()
    assert lines[0].startswith(f"::error title=baseline::{FIXED}")
    assert "::notice title=baseline::suite 1 before, 2 now." in lines
    assert not any("does not accept" in line for line in lines)  # said by its own line already
    page = github.summary(stale())
    assert "Against oracle.json\\: 1 change that the gate does not accept; 1 cause is accepted." in page
    assert "\n- ✗ fixed" in page and "\n- accepted\\: exp is odd" in page


def test_the_verdict_and_the_command_name_the_baseline() -> None:
    text = FORMATS["text"](stale())
    assert text.startswith("✗ engine.py:Value: 1 change that oracle.json does not accept.")
    assert "oracle check engine.py --baseline oracle.json" in text


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "old.json").write_text(dumps(report(cause())))
    (tmp_path / "new.json").write_text(dumps(report()))
    (tmp_path / "none.json").write_text(dumps(report(exit_code=3, error="no engine")))
    write(tmp_path / "base.json", Baseline.of(report(cause())))
    (tmp_path / "broken.json").write_text('{"schema": "oracle/baseline/1"}')
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("old.json", "new.json", 0, "✓ old.json → new.json: 1 thing got better.\n  ✓ fixed: mul"),
        ("new.json", "old.json", 1, "✗ new.json → old.json: 1 thing got worse.\n  ✗ new: mul"),
        ("old.json", "old.json", 0, "✓ old.json → old.json: no difference.\n"),
        ("base.json", "old.json", 0, "✓ Against base.json: no change; 1 cause is accepted."),
        (
            "base.json",
            "new.json",
            1,
            f"✗ Against base.json: 1 change that the gate does not accept.\n  ✗ {FIXED}",
        ),
        ("old.json", "none.json", 2, "NEW none.json: its check is not complete (no engine)"),
        ("base.json", "none.json", 2, "NEW none.json: its check is not complete (no engine)"),
        ("new.json", "base.json", 2, "REPORT base.json: not a report of this oracle"),
        ("broken.json", "new.json", 2, "OLD broken.json: accepted: missing"),
    ],
)
def test_the_difference_of_two_files(
    files: Path, oracle: Oracle, old: str, new: str, code: int, says: str
) -> None:
    found = oracle("compare", old, new)
    assert found.returncode == code, found.stderr
    assert says in found.stdout + found.stderr and "Traceback" not in found.stderr


def test_a_subject_that_cannot_be_loaded_has_a_step_summary(files: Path, oracle: Oracle) -> None:
    (files / "engine.py").write_text("def broken(:\n")
    found = oracle("check", "engine.py", "--format", "github", GITHUB_STEP_SUMMARY="page.md")
    assert found.returncode == 3 and found.stdout.startswith("::error ")
    assert "could not be tested" in (files / "page.md").read_text()
