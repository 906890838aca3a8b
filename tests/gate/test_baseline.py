"""The baseline's file: what is written is read back, and a bad field is named by its path."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from oracle.baseline import Baseline, BaselineError, read, to_json, write
from oracle.gate import Gate
from oracle.report import OpResult
from tests.gate.reports import cause, report


def filled() -> Baseline:
    ops = {"mul": OpResult(True, True, 0.5, float("inf")), "log": OpResult(False)}
    made = Baseline.of(report(cause(), cause(op=None, operand=None), ops=ops), {"fan forward": 1.25})
    (first, *rest) = made.accepted.values()
    first = dataclasses.replace(first, reason="upstream", expires=date(2027, 1, 31))
    return dataclasses.replace(made, accepted={row.fingerprint: row for row in (first, *rest)})


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "oracle.json"
    write(path, filled())
    assert read(path) == filled()
    first = path.read_bytes()
    write(path, read(path))
    assert path.read_bytes() == first


def test_no_line_is_kept() -> None:
    assert "31" not in json.dumps(to_json(filled())).replace("2027-01-31", "")


def test_of_two_causes_with_one_fingerprint_the_graver_counts() -> None:
    made = Baseline.of(report(cause(severity="wrong"), cause(severity="imprecise")))
    assert [row.severity for row in made.accepted.values()] == ["wrong"]


def test_an_update_keeps_reasons_dates_and_speed() -> None:
    fresh = Baseline.of(report(cause()))
    kept = fresh.keeping(filled())
    assert [(row.reason, row.expires) for row in kept.accepted.values()] == [("upstream", date(2027, 1, 31))]
    assert kept.speed == {"fan forward": 1.25}


def damaged(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data: Any = to_json(filled())
    at = data
    for key in path[:-1]:
        at = at[key]
    if value is KeyError:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("schema",), "oracle/baseline/2", "schema: expected one of oracle/baseline/1"),
        (("schema",), KeyError, "schema: missing"),
        (("accepted", 0, "kind"), "sin", "accepted[0].kind: expected one of forward"),
        (("accepted", 0, "operand"), "left", "accepted[0].operand: expected a whole number"),
        (("accepted", 0, "expires"), "soon", "accepted[0].expires: expected a date such as 2027-01-31"),
        (("accepted", 0, "expirse"), "2027-01-31", "accepted[0].expirse: unknown"),
        (("accepted", 1), 3, "accepted[1]: expected an object, found int '3'"),
        (("accepted",), None, "accepted: expected a list, found null"),
        (("unexplained",), -1, "unexplained: expected a whole number, 0 or more"),
        (("ops", "mul", "max_ulp", "data"), "0x1p+3", "ops.mul.max_ulp.data: expected a number"),
        (("ops", "mul", "exercised"), KeyError, "ops.mul.exercised: missing"),
        (("cases", "graph/square"), "passed", "cases.graph/square: expected one of pass"),
        (("levels", "graph", "fail"), 2, 'levels: these counts are not those of "cases"'),
        (("speed", "fan forward"), True, "speed.fan forward: expected a number"),
        (("suites",), "1", "suites: unknown"),
    ],
)
def test_a_bad_field_is_named(tmp_path: Path, path: tuple[Any, ...], value: Any, says: str) -> None:
    file = tmp_path / "oracle.json"
    file.write_text(json.dumps(damaged(path, value)))
    with pytest.raises(BaselineError) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}: {says}")
    assert "\n" not in str(caught.value)


def test_the_same_cause_twice(tmp_path: Path) -> None:
    data = to_json(filled())
    data["accepted"].append(data["accepted"][0])
    (tmp_path / "b.json").write_text(json.dumps(data))
    with pytest.raises(BaselineError, match=r"accepted\[2\]: the same cause stands above it"):
        read(tmp_path / "b.json")


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "3", '{"schema": NaN}'])
def test_no_baseline_at_all(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(BaselineError, match=r"b\.json"):
        read(tmp_path / "b.json")


@pytest.mark.parametrize("word", ["true", "1", "True"])
def test_ci_never_writes_one(tmp_path: Path, word: str) -> None:
    with pytest.raises(BaselineError, match="not in CI"):
        Gate.open(str(tmp_path / "b.json"), True, {"CI": word})
    assert Gate.open(str(tmp_path / "b.json"), True, {"CI": "false"}).update


def test_an_update_needs_a_file_to_write() -> None:
    with pytest.raises(BaselineError, match="name it with --baseline FILE"):
        Gate.open(None, True, {})


@pytest.mark.parametrize("code", [3, 5])
def test_a_check_that_judged_nothing_writes_nothing(tmp_path: Path, code: int) -> None:
    gate = Gate.open(str(tmp_path / "b.json"), True, {})
    found, blocks = gate.settle(report(exit_code=code), [], date(2026, 1, 1))
    assert found.exit_code == code and "not complete" in blocks[0]
    assert not (tmp_path / "b.json").exists()
