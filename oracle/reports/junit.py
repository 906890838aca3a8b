"""JUnit XML: a suite for every level, a test case for every case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as XML

from oracle.report import Report
from oracle.reports import facts
from oracle.reports.clean import inert, no_command
from oracle.reports.results import Result, Status, results, tally

_ELEMENTS: dict[Status, str] = {"failed": "failure", "error": "error", "skipped": "skipped"}


def render(report: Report, *, pictures: Sequence[Path] = ()) -> str:
    """The report as JUnit XML; `pictures` are attached to the whole run, as Jenkins and GitLab read it."""
    report = inert(report)
    found = results(report)
    root = XML.Element("testsuites", _attributes(report.subject.name, found))
    for level in dict.fromkeys(result.level for result in found):
        members = [result for result in found if result.level == level]
        suite = XML.SubElement(root, "testsuite", _attributes(level, members))
        _properties(suite, report)
        for result in members:
            _testcase(suite, result)
    if not found:
        _properties(XML.SubElement(root, "testsuite", _attributes("run", [])), report)
    last = root[-1]
    lines = [f"[[ATTACHMENT|{path}]]" for path in pictures]
    XML.SubElement(last, "system-out").text = "\n".join([_text(facts.verdict(report)[1]), *lines])
    XML.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + XML.tostring(root, encoding="unicode") + "\n"


def _attributes(name: str, found: list[Result]) -> dict[str, str]:
    counts = tally(found)
    return {
        "name": _text(name),
        "tests": str(len(found)),
        "failures": str(counts["failed"]),
        "errors": str(counts["error"]),
        "skipped": str(counts["skipped"]),
        "time": f"{sum(result.seconds for result in found):.3f}",
    }


def _properties(suite: XML.Element, report: Report) -> None:
    properties = XML.SubElement(suite, "properties")
    for name in ("oracle", "suite", "reference", "isolation", "profile", "seed"):
        XML.SubElement(properties, "property", name=name, value=_text(getattr(report, name)))


def _testcase(suite: XML.Element, result: Result) -> None:
    given = {
        "classname": result.level,
        "name": result.name,
        "time": f"{result.seconds:.3f}",
        "file": result.file or "",
        "line": str(result.line or "") if result.file else "",
    }
    case = XML.SubElement(suite, "testcase", {name: _text(x) for name, x in given.items() if x})
    if result.status in _ELEMENTS:
        element = XML.SubElement(case, _ELEMENTS[result.status], message=_text(result.message))
        if result.status != "skipped":
            element.set("type", result.outcome or result.status)
            element.text = _text(result.text or result.message)
    elif result.message:
        XML.SubElement(case, "system-out").text = _text(result.message)


def _text(text: str) -> str:
    """Text that attaches no file and commands no runner."""
    return no_command(text).replace("[[", "[ [")
