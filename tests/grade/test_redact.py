"""What a reader may not see is in no format: hidden cases, their numbers and lines, expected numbers."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from oracle.floats import short, to_hex
from oracle.redact import DETAILS, redact
from oracle.report import CaseResult, Report
from oracle.reports import FORMATS, facts, github, json_, text
from tests.reports import examples

SECRETS = (41.0625, 17.5390625)
"""The engine's number and the right one in a hidden case; neither is anywhere else."""


def with_a_secret() -> Report:
    """Two causes: one that only the hidden case shows, one that it shows as well."""
    yours, right = SECRETS
    shown = examples.overwrite()
    sentence = f"pow computes a wrong value: at 3.28125 it gives {yours!r}, right is {right!r}"
    both = dataclasses.replace(
        shown,
        cases=(*shown.cases, "edge/secret"),
        message=f"mul is wrong: at 3.28125 it pushes {yours!r}, right is {right!r}",
        hints=("What happens to a value that is used twice?", f"It is {right!r}.", f"Write {right!r}."),
    )
    example = examples.example("edge/secret", examples.SQUARE, node="a", overwrites="mul")
    example = dataclasses.replace(example, yours=yours, local=right, global_=right)
    only = examples.cause(
        kind="forward", op="pow", message=sentence, line=9187, cases=("edge/secret",), example=example,
        hints=(sentence, sentence, sentence),
    )  # fmt: skip
    report = examples.report(both, only)
    cases = {c.name: c for c in report.cases}
    cases["edge/secret"] = dataclasses.replace(cases["edge/secret"], causes=(0, 1))
    return dataclasses.replace(report, cases=tuple(cases.values()), notes=(f"baseline: new: {sentence}.",))


def everything(report: Report) -> dict[str, str]:
    """The report in every format, and on every screen."""
    said = {name: writer(report) for name, writer in FORMATS.items()}
    said["verbose"] = text.render(report, verbose=True)
    said["summary"] = github.summary(report)
    return said


def spelled(x: float) -> set[str]:
    return {to_hex(x), repr(x), short(x), f"{x:.4g}"}


@pytest.mark.parametrize("name", [*FORMATS, "verbose", "summary"])
def test_nothing_of_a_hidden_case_is_left(name: str) -> None:
    secrets = {"edge/secret", "secret", "9187", "3.28125", *spelled(SECRETS[0]), *spelled(SECRETS[1])}
    report = with_a_secret()
    before = everything(report)[name]
    assert sum(secret in before for secret in secrets) >= 2, "the test must be able to fail"
    for detail in DETAILS:
        after = everything(redact(report, detail, 3, ("edge/*",)))[name]
        assert not [secret for secret in secrets if secret in after]


@pytest.mark.parametrize("name", [*FORMATS, "verbose", "summary"])
@pytest.mark.parametrize("detail", ["actual-only", "none"])
def test_no_expected_number_is_left(name: str, detail: str) -> None:
    yours, right = 5.8134765625, 88.265625
    cause = examples.overwrite()
    assert cause.example is not None
    rows = tuple(
        dataclasses.replace(row, local_grad=right, global_grad=right, local_data=right, global_data=right)
        for row in cause.example.table
    )
    example = dataclasses.replace(
        cause.example, yours=yours, local=right, global_=right, table=rows,
        code=cause.example.code.partition("#")[0] + f"# {yours!r}, where {right!r} is right",
    )  # fmt: skip
    said = f"mul is wrong: it gives {yours!r}, right is {right!r}"
    report = examples.report(
        dataclasses.replace(cause, example=example, message=said, hints=("Think.", said, said)),
        conventions={"relu": f"slope 0, where PyTorch takes {right!r}"},
    )
    before = everything(report)[name]
    assert any(number in before for number in spelled(right))
    after = everything(redact(report, detail))[name]  # type: ignore[arg-type]
    assert not [number for number in spelled(right) if number in after]
    if detail == "none":
        assert not [x for x in (*spelled(yours), "engine.py:31", "overwrite") if x in after]
    elif name in ("text", "html"):
        assert short(yours) in after and "engine.py:31" in after


def test_what_stays() -> None:
    report = with_a_secret()
    seen = redact(report, hidden=("edge/*",))
    assert (seen.exit_code, seen.unexplained) == (report.exit_code, report.unexplained)
    assert len(seen.cases) == len(report.cases) - 1 and len(seen.causes) == 1
    assert all(i == 0 for case in seen.cases for i in case.causes)
    assert "3 shown and passed" in facts.tally(seen) and "1 not shown" in facts.tally(seen)
    assert redact(report) is report


def test_the_score_is_that_of_the_whole_report() -> None:
    report = with_a_secret()
    whole = json.loads(FORMATS["gradescope"](report))["tests"]
    seen = json.loads(FORMATS["gradescope"](redact(report, hidden=("edge/*",))))["tests"]
    assert sum(t["max_score"] for t in seen) == sum(t["max_score"] for t in whole)
    assert sum(t["score"] for t in seen) == sum(t["score"] for t in whole)


def test_failing_only_where_nobody_looks() -> None:
    report = with_a_secret()
    cases = tuple(
        dataclasses.replace(c, causes=(0,))
        if c.name == "edge/secret"
        else CaseResult(c.name, c.level, "pass")
        for c in report.cases
    )
    report = dataclasses.replace(report, causes=report.causes[1:], cases=cases)
    seen = redact(report, hidden=("*secret",))
    assert facts.verdict(seen)[1].endswith("it fails in cases that are not shown.")
    assert seen.exit_code == 1 and not seen.causes


@pytest.mark.parametrize("hints", range(4))
def test_hints_by_depth(hints: int) -> None:
    seen = redact(examples.report(examples.overwrite()), hints=hints)
    assert [bool(h) for h in seen.causes[0].hints] == [n < hints for n in range(3)]


def test_json_keeps_what_is_withheld_and_stays_valid() -> None:
    seen = redact(with_a_secret(), "actual-only", 2, ("edge/*",))
    data = json_.to_json(seen)
    jsonschema.validate(data, json_.schema())
    assert data["withheld"] == {"detail": "actual-only", "hints": 2, "cases": 1}
    back = json_.from_json(data)
    assert (back.withheld, back.score) == (seen.withheld, seen.score)


def test_withholding_twice_adds_up() -> None:
    once = redact(with_a_secret(), "none", 1, ("edge/*",))
    twice = redact(once, "full", 3, ("scalar/add",))
    assert twice.withheld is not None
    assert (twice.withheld.detail, twice.withheld.hints, twice.withheld.cases) == ("none", 1, 2)


def test_on_the_command_line(tmp_path: Path) -> None:
    engine = Path(__file__).parents[1] / "engines" / "no_radd.py"
    command = [
        sys.executable,
        "-m",
        "oracle",
        "check",
        str(engine),
        "--case",
        "*add*",
        "--hide",
        "accumulate/*",
    ]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert json.loads(done.stdout)["withheld"]["cases"] > 0 and "accumulate/" not in done.stdout
    refused = subprocess.run([*command, "--hide", "no/such"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2 and "--hide no/such: no case" in refused.stderr
    refused = subprocess.run([*command, "--baseline", "b.json"], capture_output=True, text=True, check=False,
                             cwd=tmp_path)  # fmt: skip
    assert refused.returncode == 2
