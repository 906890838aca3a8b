"""Points: exact sums, and bad rubrics refused with the line that is wrong."""

from __future__ import annotations

import dataclasses
import json
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oracle import suite
from oracle.report import CaseResult, OpResult, Report
from oracle.reports import FORMATS, facts
from oracle.rubric import RubricError, parse
from tests.reports import examples

RUBRIC = """\
step = 0.5
total = 20

[levels]
accumulate = 10
[ops]
tanh = 7.5
[policies]
second-backward = 2.5
"""


def report(passed: int = 2, failed: int = 1, **fields: object) -> Report:
    """A report of an engine without causes, but with failing cases of a level."""
    cases = [CaseResult(f"accumulate/{n}", "accumulate", "pass") for n in range(passed)]
    cases += [CaseResult(f"accumulate/x{n}", "accumulate", "fail") for n in range(failed)]
    cases += [CaseResult(c.name, c.level, "pass") for c in suite.cases() if c.policy == "second-backward"]
    return examples.report(cases=tuple(cases), exit_code=int(failed > 0), **fields)


def test_points_are_rounded_down_to_the_step_and_add_up() -> None:
    score = parse(RUBRIC).score(report())
    assert [(i.name, i.earned, i.of) for i in score.items] == [
        ("accumulate", Fraction("6.5"), 10),
        ("tanh", Fraction("7.5"), Fraction("7.5")),
        ("second-backward", Fraction("2.5"), Fraction("2.5")),
    ]
    assert (score.earned, score.of) == (Fraction("16.5"), 20)
    assert facts.score(dataclasses.replace(report(), score=score)) == (
        "16.5 of 20: accumulate 6.5/10 · tanh 7.5/7.5 · second-backward 2.5/2.5"
    )


def earned(name: str, found: Report) -> Fraction:
    return next(i.earned for i in parse(RUBRIC).score(found).items if i.name == name)


def test_an_op_is_worth_its_points_only_when_it_is_right() -> None:
    assert earned("tanh", report()) > 0
    assert not earned("tanh", report(ops={"tanh": OpResult(False)}))
    assert not earned("tanh", report(ops={"tanh": OpResult(True, False)}))
    wrong = dataclasses.replace(report(), causes=(examples.leaky(),))
    assert not earned("tanh", wrong)


def test_a_policy_is_worth_its_points_only_when_it_was_seen_to_hold() -> None:
    assert earned("second-backward", report())
    differs = examples.cause(severity="policy", demanded=False, policy="second-backward", op=None)
    assert not earned("second-backward", dataclasses.replace(report(), causes=(differs,)))
    assert not earned("second-backward", dataclasses.replace(report(), cases=report().cases[:3]))


def test_what_was_not_judged_earns_nothing() -> None:
    unusable = dataclasses.replace(report(), exit_code=3)
    assert parse(RUBRIC).score(unusable).earned == 0 and parse(RUBRIC).score(unusable).of == 20


BAD = {
    "levels]\n": (1, "TOML"),
    "[levels]\ngraph = 1\ngradiant = 2\n": (3, "did you mean gradient"),
    "[ops]\ntanhh = 1\n": (2, "did you mean tanh"),
    "[policies]\n\nlevitation = 1\n": (3, "no such policy"),
    "[levels]\ngraph = -1\n": (2, "0 to"),
    "[levels]\ngraph = nan\n": (2, "number"),
    "[levels]\ngraph = inf\n": (2, "number"),
    "[levels]\ngraph = true\n": (2, "number"),
    '[levels]\ngraph = "5"\n': (2, "number"),
    "[levels]\ngraph = 1e-9\n": (2, "six digits"),
    "[levels]\ngraph = 1e99\n": (2, "0 to"),
    "[levels]\ngraph = 0.255\n": (2, "multiple of the step"),
    "[level]\ngraph = 1\n": (1, "expected step, total, [levels]"),
    "levels = 3\n": (1, "a table"),
    "levels.graph = 1\nlevels.grpah = 1\n": (2, "did you mean graph"),
    "total = 10\n[levels]\ngraph = 9.99\n": (1, "9.99 in all"),
    "step = 0\n[levels]\ngraph = 1\n": (1, "more than 0"),
    "# nothing\n": (1, "no points"),
    "[levels]\ngraph = 1\ngraph = 2\n": (3, "TOML"),
}


@pytest.mark.parametrize("text", BAD)
def test_bad_rubrics_name_their_line(text: str) -> None:
    line, word = BAD[text]
    with pytest.raises(RubricError) as refused:
        parse(text)
    said = str(refused.value)
    sentence, _, below = said.partition("\n")
    assert sentence.startswith(f"rubric.toml:{line}: ") and word in sentence
    assert below == f"    {line} | {text.splitlines()[line - 1]}"


POINTS = st.decimals(0, 1000, places=2)


@given(st.lists(POINTS, min_size=3, max_size=3).filter(any), st.integers(0, 40), st.integers(0, 40))
def test_sums_are_exact(points: list[Decimal], passed: int, failed: int) -> None:
    text = f"[levels]\naccumulate = {points[0]}\n[ops]\ntanh = {points[1]}\nadd = {points[2]}\n"
    found = report(passed, failed)
    scored = parse(text).scored(found)
    assert scored.score is not None and scored.score.of == sum(map(Fraction, points))
    data = json.loads(FORMATS["gradescope"](scored), parse_float=Decimal)
    assert sum(Decimal(t["score"]) for t in data["tests"]) == Decimal(data["score"])
    assert sum(Decimal(t["max_score"]) for t in data["tests"]) == sum(points)
    result = json.loads(FORMATS["classroom50"](scored))
    assert (result["score"], result["max-score"]) == (scored.score.earned * 100, scored.score.of * 100)


def test_graders_get_an_item_for_every_line_of_the_rubric() -> None:
    scored = parse(RUBRIC).scored(report())
    tests = json.loads(FORMATS["prairielearn"](scored))
    assert [(t["name"], t["points"], t["max_points"]) for t in tests["tests"]] == [
        ("accumulate", 6.5, 10), ("tanh", 7.5, 7.5), ("second-backward", 2.5, 2.5)
    ]  # fmt: skip
    assert tests["score"] == 16.5 / 20
    assert "score" in FORMATS["text"](scored) and "16.5 of 20" in FORMATS["html"](scored)
