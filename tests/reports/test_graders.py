"""What graders and code scanners read, each against a schema written from its documentation."""

from __future__ import annotations

import base64
import dataclasses
import json
import shutil
import xml.etree.ElementTree as XML
from typing import Any

import jsonschema
import pytest

from oracle.report import CaseResult, Report
from oracle.reports import classroom50, ctrf, gradescope, prairielearn, sarif

from . import examples

WHOLE = {"type": "integer", "minimum": 0}
NUMBER = {"type": "number", "minimum": 0}
TEXT = {"type": "string"}
NAME = {"type": "string", "minLength": 1}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}


def strict(properties: dict[str, Any], required: str = "") -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def many(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


SCHEMAS: dict[str, dict[str, Any]] = {
    # https://gradescope-autograders.readthedocs.io/en/latest/specs/
    "gradescope": strict(
        {
            "score": NUMBER, "execution_time": NUMBER, "output": TEXT, "output_format": FORMAT,
            "test_output_format": FORMAT, "test_name_format": FORMAT, "visibility": VISIBILITY,
            "stdout_visibility": VISIBILITY, "extra_data": {"type": "object"},
            "tests": many(strict({
                "score": NUMBER, "max_score": NUMBER, "status": {"enum": ["passed", "failed"]}, "name": TEXT,
                "name_format": FORMAT, "number": TEXT, "output": TEXT, "output_format": FORMAT, "tags": many(TEXT),
                "visibility": VISIBILITY, "extra_data": {"type": "object"},
            })),
            "leaderboard": many(strict({"name": TEXT, "value": {}, "order": {"enum": ["asc", "desc"]}}, "name value")),
        }
    ) | {"anyOf": [{"required": ["score"]}, {"required": ["tests"]}]},
    # https://ctrf.io/docs/specification
    "ctrf": strict(
        {
            "reportFormat": {"const": "CTRF"},
            "specVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
            "results": strict({
                "tool": strict({"name": NAME, "version": TEXT, "extra": {"type": "object"}}, "name"),
                "summary": strict(
                    dict.fromkeys(["tests", "passed", "failed", "skipped", "pending", "other", "start", "stop"], WHOLE),
                    "tests passed failed skipped pending other start stop",
                ),
                "tests": many(strict({
                    "name": NAME, "status": {"enum": ["passed", "failed", "skipped", "pending", "other"]},
                    "duration": WHOLE, "message": TEXT, "trace": TEXT, "line": WHOLE, "filePath": TEXT,
                    "extra": {"type": "object"},
                }, "name status duration")),
                "extra": {"type": "object"},
            }, "tool summary tests"),
        },
        "reportFormat specVersion results",
    ),
    # https://docs.oasis-open.org/sarif/sarif/v2.1.0/
    "sarif": strict(
        {
            "$schema": {"type": "string", "pattern": "sarif-2.1.0"},
            "version": {"const": "2.1.0"},
            "runs": many(strict({
                "tool": strict({"driver": strict({
                    "name": NAME, "version": TEXT,
                    "rules": many(strict({"id": NAME, "shortDescription": strict({"text": NAME}, "text")}, "id")),
                }, "name")}, "driver"),
                "invocations": many(strict({
                    "executionSuccessful": {"type": "boolean"}, "exitCode": {"type": "integer"},
                    "exitCodeDescription": TEXT,
                }, "executionSuccessful")),
                "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                "results": many(strict({
                    "ruleId": NAME, "ruleIndex": WHOLE, "level": {"enum": ["none", "note", "warning", "error"]},
                    "message": strict({"text": NAME}, "text"),
                    "locations": many(strict({"physicalLocation": strict({
                        "artifactLocation": strict({"uri": {"type": "string", "pattern": r"^[\w./~%-]+$"}}, "uri"),
                        "region": strict({"startLine": {"type": "integer", "minimum": 1}}, "startLine"),
                    }, "artifactLocation"), "logicalLocations": many(strict({
                        "fullyQualifiedName": NAME, "kind": NAME}))})),
                    "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
                }, "message")),
            }, "tool")),
        },
        "version runs",
    ),
    # https://prairielearn.readthedocs.io/en/latest/externalGrading/
    "prairielearn": strict(
        {
            "gradable": {"type": "boolean"}, "succeeded": {"type": "boolean"},
            "score": {"type": "number", "minimum": 0, "maximum": 1}, "message": TEXT, "output": TEXT,
            "format_errors": many(TEXT), "images": many(strict({"label": TEXT, "url": TEXT}, "url")),
            "tests": many(strict({
                "name": TEXT, "description": TEXT, "points": NUMBER, "max_points": NUMBER, "message": TEXT,
                "output": TEXT, "images": many({}),
            }, "name points max_points")),
        },
        "gradable",
    ) | {"if": {"properties": {"gradable": {"const": True}}}, "then": {"required": ["score"]}},
    # classroom50/result/v1
    "classroom50": strict(
        {
            "schema": {"const": "classroom50/result/v1"}, "classroom": TEXT, "assignment": TEXT,
            "assignment_type": TEXT, "owner": TEXT, "submission": {"type": "string", "pattern": "^submit/"},
            "commit": TEXT, "release": TEXT, "review": TEXT,
            "datetime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"},
            "score": WHOLE, "max-score": WHOLE,
            "tests": many({
                "type": "object", "required": ["test-name", "passed", "score", "max-score"],
                "properties": {"test-name": NAME, "passed": {"type": "boolean"}, "score": WHOLE, "max-score": WHOLE},
            }),
        },
        "schema classroom assignment assignment_type owner submission commit release review datetime score max-score "
        "tests",
    ),
}  # fmt: skip

WRITERS = {
    "gradescope": gradescope.render,
    "ctrf": ctrf.render,
    "sarif": sarif.render,
    "prairielearn": prairielearn.render,
    "classroom50": classroom50.render,
}

REPORTS = {
    "faulty": examples.faulty(),
    "correct": examples.correct(),
    "unusable": examples.unusable(),
    "unfinished": examples.report(exit_code=4, cases=(CaseResult("scalar/add", "scalar", "not run"),)),
    "nothing": examples.report(exit_code=5, cases=(), ops={}),
    "unexplained": examples.report(exit_code=1, unexplained=3),
    "exit zero": examples.report(examples.overwrite(), exit_code=0),
}


def read(name: str, report: Report) -> Any:
    data = json.loads(WRITERS[name](report), parse_constant=lambda text: pytest.fail(text))
    jsonschema.Draft202012Validator(SCHEMAS[name]).validate(data)
    return data


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("kind", REPORTS)
def test_valid(name: str, kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    read(name, REPORTS[kind])


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile(name: str, hostile: str) -> None:
    text = WRITERS[name](examples.hostile(hostile))
    assert text.isascii()
    read(name, examples.hostile(hostile))


@pytest.mark.parametrize("name", WRITERS)
def test_the_schemas_can_fail(name: str) -> None:
    data = read(name, examples.faulty())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**data, "unknown": 1}, SCHEMAS[name])
    for key in jsonschema.Draft202012Validator(SCHEMAS[name]).schema["required"] or ["tests"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in data.items() if k != key}, SCHEMAS[name])


def test_gradescope_scores() -> None:
    """A point for every case that counts: what follows from a cause is lost, what is not offered is not asked."""
    tests = {test["name"]: test for test in read("gradescope", examples.faulty())["tests"]}
    assert (tests["scalar"]["score"], tests["scalar"]["max_score"], tests["scalar"]["status"]) == (
        3,
        5,
        "failed",
    )
    assert (tests["accumulate"]["score"], tests["accumulate"]["max_score"]) == (0, 2)
    assert tests["unary"]["max_score"] == 0
    assert "a.grad   # yours 3   PyTorch 6" in tests["accumulate"]["output"]
    assert all(test["status"] == "passed" for test in read("gradescope", examples.correct())["tests"])


def test_gradescope_has_a_score_when_nothing_ran() -> None:
    assert read("gradescope", examples.report(exit_code=0, cases=()))["score"] == 0


def test_ctrf_counts() -> None:
    results = read("ctrf", examples.faulty())["results"]
    summary = results["summary"]
    statuses = [test["status"] for test in results["tests"]]
    assert summary["tests"] == len(statuses)
    assert all(summary[status] == statuses.count(status) for status in ("passed", "failed", "skipped"))
    assert (summary["failed"], summary["stop"]) == (4, 800)


def test_sarif_places_causes() -> None:
    run = read("sarif", examples.faulty())["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len(set(rules))
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    assert len(run["results"]) == 5, "the missing form has no line"
    first = run["results"][0]
    where = first["locations"][0]["physicalLocation"]
    assert (where["artifactLocation"]["uri"], where["region"]["startLine"]) == ("engine.py", 31)
    assert [result["level"] for result in run["results"]] == ["error"] * 3 + ["note", "warning"]


def test_sarif_fingerprints_do_not_move_with_lines() -> None:
    def prints(*causes: Any) -> list[str]:
        results = read("sarif", examples.report(*causes))["runs"][0]["results"]
        return [result["partialFingerprints"]["oracleCause/v1"] for result in results]

    moved = dataclasses.replace(examples.overwrite(), line=99, message="said otherwise")
    assert prints(examples.overwrite()) == prints(moved)
    assert prints(examples.overwrite()) != prints(examples.dropped())


def test_sarif_addresses() -> None:
    cause = dataclasses.replace(examples.overwrite(), file="my code\\ü#.py")
    result = read("sarif", examples.report(cause))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20code/%C3%BC%23.py"


def test_a_cell_of_a_notebook_is_no_line_of_its_file() -> None:
    cause = dataclasses.replace(examples.overwrite(), file="lesson.ipynb#2", line=31)
    data = read("sarif", examples.report(cause))
    jsonschema.validate(data, SCHEMAS["sarif"])
    assert data["runs"][0]["results"][0]["locations"] == [
        {
            "physicalLocation": {"artifactLocation": {"uri": "lesson.ipynb"}},
            "logicalLocations": [{"fullyQualifiedName": "lesson.ipynb, cell 2, line 31", "kind": "cell"}],
        }
    ]
    tests = read("ctrf", examples.report(cause))["results"]["tests"]
    assert any(test.get("filePath") == "lesson.ipynb" for test in tests)
    assert not any("line" in test for test in tests)


def test_prairielearn_costs_no_attempt_for_what_cannot_be_loaded() -> None:
    assert read("prairielearn", examples.unusable())["gradable"] is False
    assert "SyntaxError" in read("prairielearn", examples.unusable())["format_errors"][0]
    data = read("prairielearn", examples.faulty())
    assert data["gradable"] is True
    points, of = (sum(test[key] for test in data["tests"]) for key in ("points", "max_points"))
    assert data["score"] == points / of == 5 / 11


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_prairielearn_shows_the_picture() -> None:
    image = read("prairielearn", examples.faulty())["images"][0]
    assert image["label"].startswith("mul overwrites")
    XML.fromstring(base64.b64decode(image["url"].partition("base64,")[2]))


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_prairielearn_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is least needed goes first: the picture, then what the tests say."""
    whole = len(prairielearn.render(examples.faulty()))
    monkeypatch.setattr(prairielearn, "LIMIT", whole - 1)
    data = read("prairielearn", examples.faulty())
    assert not data["images"] and any(test["output"] for test in data["tests"])
    monkeypatch.setattr(prairielearn, "LIMIT", 1500)
    data = read("prairielearn", examples.faulty())
    assert not any(test["output"] for test in data["tests"])
    assert data["score"] == 5 / 11


def test_classroom50_environment() -> None:
    given = {
        "CLASSROOM": "cs50", "ASSIGNMENT": "autograd", "ASSIGNMENT_TYPE": "individual", "OWNER": "ada",
        "SUBMISSION_TAG": "submit/3", "COMMIT_URL": "c", "RELEASE_URL": "r", "REVIEW_URL": "v",
        "SOURCE_DATE_EPOCH": "1700000000",
    }  # fmt: skip
    data = json.loads(classroom50.render(examples.faulty(), given))
    jsonschema.validate(data, SCHEMAS["classroom50"])
    assert (data["owner"], data["submission"], data["datetime"]) == (
        "ada",
        "submit/3",
        "2023-11-14T22:13:20Z",
    )
    assert (data["score"], data["max-score"]) == (5, 11)
    assert json.loads(classroom50.render(examples.faulty(), {}))["submission"] == "submit/local"


def test_classroom50_names_are_short_and_unique() -> None:
    cases = tuple(CaseResult(f"level/{'ü' * 80}{n}", "level", "pass") for n in range(12))
    data = read("classroom50", examples.report(cases=cases))
    names = [test["test-name"] for test in data["tests"]]
    assert len(set(names)) == 12
    assert all(len(name.encode()) <= 100 for name in names)
