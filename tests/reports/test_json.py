"""JSON: the published schema, design section 10, and the way back."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any

import jsonschema
import pytest

from oracle.report import CaseResult, OpResult, Report
from oracle.reports.clean import inert
from oracle.reports.json_ import ReportError, dumps, loads, schema

from . import examples

REPORTS = {
    "faulty": examples.faulty(),
    "correct": examples.correct(),
    "unusable": examples.unusable(),
    "large": examples.report(examples.large()),
}


def closed(node: Any) -> Any:
    """The schema without room for fields that it does not list."""
    if isinstance(node, dict):
        node = {key: closed(value) for key, value in node.items()}
        if "properties" in node and "type" in node:
            node["additionalProperties"] = False
        return node
    return [closed(x) for x in node] if isinstance(node, list) else node


@pytest.mark.parametrize("name", REPORTS)
def test_every_field_is_in_the_published_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    jsonschema.Draft202012Validator(closed(schema())).validate(json.loads(dumps(REPORTS[name])))


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (("exit_code",), "1"),
        (("causes", 0, "kind"), "typo"),
        (("causes", 0, "line"), 0),
        (("causes", 0, "hints"), ["one"]),
        (("causes", 0, "example", "yours"), "3.0"),
        (("cases", 0, "outcome"), "passed"),
        (("ops", "mul"), {"offered": True}),
    ],
)
def test_the_schema_and_the_reader_refuse_the_same(path: tuple[Any, ...], bad: Any) -> None:
    data = json.loads(dumps(examples.faulty()))
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = bad
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema())
    if path == ("causes", 0, "line"):
        return  # a line 0 is harmless to read
    with pytest.raises(ReportError) as caught:
        loads(json.dumps(data))
    assert str(caught.value).startswith(".".join(str(key) for key in path).replace(".0", "[0]"))


@pytest.mark.parametrize("name", REPORTS)
def test_there_and_back(name: str) -> None:
    report = REPORTS[name]
    assert loads(dumps(report)) == report
    assert dumps(loads(dumps(report))) == dumps(report)


@pytest.mark.parametrize("text", examples.HOSTILE)
def test_hostile_text_comes_back_clean(text: str) -> None:
    report = examples.hostile(text)
    written = dumps(report)
    assert written.isascii()
    assert not examples.commands(written)
    assert loads(written) == inert(report)


def test_design_section_10() -> None:
    data = json.loads(dumps(examples.report(examples.overwrite())))
    assert data["schema"] == "oracle/report/1"
    assert data["reference"] == {"name": "torch", "version": "2.13.0"}
    assert (data["ok"], data["exit_code"]) == (False, 1)
    assert data["counts"]["pass"] == 3 and data["counts"]["not run"] == 0
    assert data["levels"][0] == {"name": "scalar", "counts": {**dict.fromkeys(data["counts"], 0), "pass": 3}}
    assert data["ops"]["sigmoid"] == {"offered": False}
    assert data["ops"]["tanh"] == {"offered": True, "exercised": True, "max_ulp": {"data": 1.0, "grad": 2.0}}
    example = data["causes"][0]["example"]
    assert (example["yours"], example["local"], example["global"]) == ("0x1.8000000000000p+1",) + (
        "0x1.8000000000000p+2",
    ) * 2
    assert example["decimal"] == {"yours": "3.0", "local": "6.0", "global": "6.0"}
    assert [row["node"] for row in example["table"]] == ["a", "L"]


def test_floats_without_decimals() -> None:
    """What JSON has no numbers for is spelled as in the protocol, and every nan, inf and -0 survives."""
    cause = examples.overwrite()
    assert cause.example is not None
    row = dataclasses.replace(
        cause.example.table[0], data=-0.0, grad=math.inf, local_grad=None, global_grad=-math.inf
    )
    example = dataclasses.replace(cause.example, yours=math.nan, table=(row, cause.example.table[1]))
    report = examples.report(
        dataclasses.replace(cause, example=example), ops={"mul": OpResult(True, True, math.inf, 3.5)}
    )
    back = loads(dumps(report))
    assert back.ops["mul"].data_ulp == math.inf
    seen = back.causes[0].example
    assert seen is not None and seen.yours is not None and math.isnan(seen.yours)
    assert (seen.table[0].grad, seen.table[0].local_grad, seen.table[0].global_grad) == (
        math.inf,
        None,
        -math.inf,
    )
    assert math.copysign(1, seen.table[0].data) == -1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.pop("suite"), "suite: missing"),
        (lambda d: d.update(schema="oracle/report/2"), "schema: expected 'oracle/report/1'"),
        (
            lambda d: d["causes"][0]["example"].update(program={"inputs": []}),
            "causes[0].example.program.nodes: missing",
        ),
        (
            lambda d: d["causes"][0]["example"]["table"][0].update(value=9),
            "causes[0].example.table[0].value: expected",
        ),
        (lambda d: d["cases"][0].update(causes=[99]), "cases[0].causes: expected indices"),
        (lambda d: d.update(cases={}), "cases: expected a list, found dict"),
        (lambda d: d.update(ops=3), "ops: expected an object, found int '3'"),
    ],
)
def test_a_bad_report_is_refused_by_path(change: Any, words: str) -> None:
    data = json.loads(dumps(examples.faulty()))
    change(data)
    with pytest.raises(ReportError, match="^" + re.escape(words)):
        loads(json.dumps(data))


def test_not_json() -> None:
    with pytest.raises(ReportError, match=r"^report: not JSON"):
        loads("{")
    with pytest.raises(ReportError, match=r"^report: expected an object"):
        loads("[]")


def test_the_same_but_for_seconds() -> None:
    """Two runs give the same text up to the seconds they took."""

    def timed(seconds: float) -> Report:
        report = examples.faulty()
        cases = tuple(CaseResult(**{**vars(case), "seconds": seconds}) for case in report.cases)
        return dataclasses.replace(report, seconds=seconds, cases=cases)

    assert dumps(timed(0.125)).replace('"seconds": 0.125', '"seconds": 0.5') == dumps(timed(0.5))
