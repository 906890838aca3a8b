"""Finite differences in the place of backpropagation: recognised by their errors, and reported as that."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle import suite
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.judge.quotients import NAME
from oracle.report import Report
from oracle.subjects import open_subject
from tests.corpus import ENGINES

ENGINE = Path(__file__).with_name("measures_gradients.py").read_text()

STEP, QUOTIENT, EVERY = (
    "h = 1e-6",
    "(root(v, h) - root(v, -h)) / (2 * h)",
    "for v in order:\n            v.grad",
)

LEAVES = "for v in [v for v in order if not v.parents]:\n            v.grad"

FORWARD = "(root(v, h) - self.data) / h"

WAYS: dict[str, tuple[dict[str, str], str]] = {
    "central": ({}, "central differences with step 1e-06"),
    "central, long": ({STEP: "h = 1e-3"}, "central differences with step 0.001"),
    "forward": ({QUOTIENT: FORWARD}, "forward differences with step 1e-06"),
    "forward, short": ({QUOTIENT: FORWARD, STEP: "h = 2 ** -26"}, "forward differences with step 1.49012e-08"),
    "backward": ({QUOTIENT: "(self.data - root(v, -h)) / h"}, "backward differences with step 1e-06"),
    "leaves only": ({EVERY: LEAVES}, "central differences with step 1e-06"),
    "with a seed": ({QUOTIENT: f"1.0 if v is self else {QUOTIENT}"}, "central differences with step 1e-06"),
}  # fmt: skip
"""Name → what is different in the engine, and what has to be said of it."""

CASES = [
    case
    for case in suite.select(frozenset({"gradient", "accumulate", "graph"}))
    if not case.policy
    and len(case.program) < 100  # measuring takes time with the square of that
    and {node.op for _, node in case.program.nodes()} <= {"add", "mul", "tanh", "neg"}
]


def judged(text: str, folder: Path) -> Report:
    path = folder / "engine.py"
    path.write_text(text)
    with open_subject(str(path)) as subject:
        return check(subject, CASES, Demands())


@pytest.mark.parametrize("way", WAYS)
def test_the_engine_measures(way: str, tmp_path: Path) -> None:
    changes, said = WAYS[way]
    text = ENGINE
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    report = judged(text, tmp_path)
    (cause,) = [cause for cause in report.causes if cause.severity in ("wrong", "imprecise")]
    assert (cause.kind, cause.op, cause.mistake, cause.severity, cause.demanded) == (
        "derivative", None, NAME, "wrong", True,
    )  # fmt: skip
    assert said in cause.message and "instead of deriving" in cause.message
    assert report.exit_code == 1 and report.unexplained == 0
    assert cause.line == 1 + text[: text.index("v.grad +=")].count("\n")


def test_one_rule_measures() -> None:
    with open_subject(str(ENGINES / "sin_finite_difference.py")) as subject:
        report = check(subject, list(suite.select(pattern="gradient/sin-*")), Demands())
    (cause,) = [cause for cause in report.causes if cause.op == "sin" and cause.severity == "imprecise"]
    assert (
        cause.mistake == NAME
        and "sin measures its slope by central differences with step 0.0001" in cause.message
    )


FACTORS = {"a little too large": "(1 + 1e-6)", "noise": "(1 + 1e-7 * math.sin(1e5 * v.data))"}


@pytest.mark.parametrize("name", FACTORS)
def test_other_small_errors_are_not_called_that(name: str, tmp_path: Path) -> None:
    """Every gradient is off by as much as a quotient would be, and no quotient gives these numbers."""
    text = (ENGINES / "local_gradients.py").read_text()
    push = "child.grad += local * v.grad"
    assert push in text
    report = judged(text.replace(push, f"{push} * {FACTORS[name]}"), tmp_path)
    causes = [cause for cause in report.causes if cause.severity in ("wrong", "imprecise")]
    assert causes and all(cause.mistake != NAME for cause in causes)
