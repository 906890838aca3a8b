"""What CI reads: JUnit XML, and GitHub's annotations and summary."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as XML
from pathlib import Path

import pytest

from oracle.report import CaseResult
from oracle.reports import github, junit
from oracle.reports.results import results, tally

from . import examples

LOST = examples.report(
    exit_code=1,
    cases=(CaseResult("graphs/deep", "graphs", "timeout", detail="no answer after 10 s", seconds=10.0),),
)
DEMANDED_POLICY = examples.report(
    dataclasses.replace(examples.correct().causes[0], demanded=True),
    cases=(CaseResult("edges/log", "edges", "policy", (0,)),),
)
DEMANDED_FORM = examples.report(dataclasses.replace(examples.faulty().causes[3], demanded=True))

REPORTS = {
    "faulty": examples.faulty(),
    "correct": examples.correct(),
    "unusable": examples.unusable(),
    "lost": LOST,
    "policy": DEMANDED_POLICY,
    "form": DEMANDED_FORM,
    "unexplained": examples.report(exit_code=1, unexplained=3),
    "exit zero": examples.report(examples.overwrite(), exit_code=0),
    "nothing": examples.report(exit_code=5, cases=(), error="no case matches"),
    "oracle's fault": examples.report(exit_code=4, error="torch is missing"),
    "unfinished": examples.report(exit_code=4, cases=(CaseResult("scalar/add", "scalar", "not run"),)),
}


@pytest.mark.parametrize("name", REPORTS)
def test_something_fails_exactly_when_the_run_does(name: str) -> None:
    report = REPORTS[name]
    counts = tally(results(report))
    assert (counts["failed"] + counts["error"] > 0) == (report.exit_code != 0)


def test_statuses() -> None:
    found = {f"{r.level}/{r.name}": r for r in results(examples.faulty())}
    assert found["accumulate/square"].status == "failed"
    assert (found["accumulate/square"].file, found["accumulate/square"].line) == ("engine.py", 31)
    assert "a.grad   # yours 3   PyTorch 6" in found["accumulate/square"].text
    assert found["accumulate/cube"].status == "skipped"
    assert found["unary/sigmoid"].status == "skipped"
    assert found["steps/twice"].status == "passed"
    assert found["causes/unexplained"].status == "failed"
    assert results(LOST)[0].status == "error"
    policy = {f"{r.level}/{r.name}": r.status for r in results(DEMANDED_POLICY)}
    assert policy["edges/log"] == "failed" and not any(name.startswith("causes/") for name in policy)
    assert [r.status for r in results(DEMANDED_FORM) if r.name == "number - value"] == ["failed"]


# JUnit ---------------------------------------------------------------------------------------------------------


def valid_junit(text: str) -> XML.Element:
    """Check the text against the JUnit format as its readers agree on it (the Jenkins schema); return the root."""
    root = XML.fromstring(text)
    assert root.tag == "testsuites"
    numbers = ("tests", "failures", "errors", "skipped")
    for suite in root:
        assert suite.tag == "testsuite" and suite.get("name")
        cases = suite.findall("testcase")
        assert [child.tag for child in suite][:1] == ["properties"]
        assert {child.tag for child in suite} <= {"properties", "testcase", "system-out", "system-err"}
        for case in cases:
            assert set(case.attrib) <= {"classname", "name", "time", "file", "line"}
            assert case.get("classname") and case.get("name") and float(case.get("time", "")) >= 0
            assert "line" not in case.attrib or int(case.get("line", "")) >= 1
            tags = [child.tag for child in case]
            assert set(tags) <= {"failure", "error", "skipped", "system-out"} and len(tags) <= 1
            assert all(child.get("message") for child in case if child.tag != "system-out")
        seen = [
            len(cases),
            *(len(suite.findall(f"testcase/{tag}")) for tag in ("failure", "error", "skipped")),
        ]
        assert [int(suite.get(n, "")) for n in numbers] == seen
    for n in numbers:
        assert int(root.get(n, "")) == sum(int(suite.get(n, "")) for suite in root)
    return root


@pytest.mark.parametrize("name", REPORTS)
def test_junit_is_valid(name: str) -> None:
    root = valid_junit(junit.render(REPORTS[name]))
    found = tally(results(REPORTS[name]))
    assert int(root.get("failures", "")) == found["failed"]
    assert sum(1 for _ in root.iter("testcase")) == sum(found.values())


def test_the_check_of_junit_can_fail() -> None:
    with pytest.raises(AssertionError):
        valid_junit(junit.render(examples.faulty()).replace('failures="1"', 'failures="2"', 1))


def test_junit_attachments() -> None:
    text = junit.render(examples.faulty(), pictures=[Path("pictures/1-mul.svg")])
    assert re.findall(r"\[\[ATTACHMENT\|(.*?)\]\]", text) == ["pictures/1-mul.svg"]


@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_junit(hostile: str) -> None:
    text = junit.render(examples.hostile(hostile))
    root = valid_junit(text)
    assert [c.tag for c in root.iter()] == [
        c.tag for c in valid_junit(junit.render(examples.hostile(""))).iter()
    ]
    assert not examples.commands(text)
    assert "[[ATTACHMENT" not in text
    text.encode("utf-8")


# GitHub --------------------------------------------------------------------------------------------------------


def parse(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Annotations as GitHub's runner reads them."""
    out = []
    for line in text.split("\n")[:-1]:
        match = re.fullmatch(r"::(\w+) ([^:]*)::(.*)", line)
        assert match, line
        given = dict(part.split("=", 1) for part in match[2].split(","))
        for escaped, plain in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
            given = {name: x.replace(escaped, plain) for name, x in given.items()}
        out.append((match[1], given, match[3].replace("%0A", "\n").replace("%25", "%")))
    return out


def test_annotations_at_the_line() -> None:
    found = parse(github.render(examples.faulty()))
    level, given, message = found[0]
    assert level == "error"
    assert given == {"file": "engine.py", "line": "31", "title": examples.overwrite().message.rstrip(".")}
    assert "L = a * a\nL.backward()\na.grad   # yours 3   PyTorch 6" in message
    assert [level for level, _, _ in found] == ["error"] * 4 + ["warning"] + ["notice"] * 2


@pytest.mark.parametrize("name", REPORTS)
def test_an_error_is_annotated_exactly_when_the_run_fails(name: str) -> None:
    report = REPORTS[name]
    if report.exit_code == 5:
        return  # nothing checked: the note is for the log
    assert any(level == "error" for level, _, _ in parse(github.render(report))) == (report.exit_code != 0)


def test_ten_annotations_and_a_count() -> None:
    causes = [dataclasses.replace(examples.overwrite(), line=n, wrong_numbers=100 - n) for n in range(1, 15)]
    found = parse(github.render(examples.report(*causes)))
    assert [given.get("line") for _, given, _ in found] == [str(n) for n in range(1, 10)] + [None]
    assert found[-1][2].startswith("5 more findings")


def test_windows_paths_and_percent_signs() -> None:
    cause = dataclasses.replace(examples.overwrite(), file="C:\\a,b\\engine.py", message="100%, or so: half")
    text = github.render(examples.report(cause))
    assert (
        "file=C%3A\\a%2Cb\\engine.py" in text and "title=100%25%2C or so%3A half::100%25, or so: half" in text
    )


@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_annotations(hostile: str) -> None:
    text = github.render(examples.hostile(hostile))
    found = parse(text)
    assert [level for level, _, _ in found] == [
        level for level, _, _ in parse(github.render(examples.faulty()))
    ]
    assert {name for _, given, _ in found for name in given} <= {"file", "line", "title"}
    assert not re.search(r"##\w*\[", text)


def test_summary() -> None:
    text = github.summary(examples.faulty())
    assert text.startswith("## ✗ engine.py\\:Value")
    assert "```python\na = Value(3.0)\nL = a * a" in text
    assert "| again | oracle check engine.py --seed 7 |" in text


@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_summary(hostile: str) -> None:
    """Outside of code, all that a subject writes is escaped; code cannot close its fence."""
    text = github.summary(examples.hostile(hostile))
    assert not examples.commands(text)
    outside = re.sub(r"^(`{3,})python\n.*?\n\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert not re.search(r"<\w|(?<!\\)@|(?<!\\)\]\(|^# ", outside, re.MULTILINE)
    assert "~~~" not in outside and "</" not in outside
    assert outside.count("\n## ") == 0 and outside.count("\n### ") == 3


def test_the_summary_fits() -> None:
    causes = [dataclasses.replace(examples.overwrite(), message="x" * 200) for _ in range(1000)]
    example = dataclasses.replace(causes[0].example, code="y = 1\n" * 200)
    text = github.summary(examples.report(*(dataclasses.replace(cause, example=example) for cause in causes)))
    assert len(text.encode()) < 1_048_576
    assert text.rstrip().endswith("more was found than fits here.")
