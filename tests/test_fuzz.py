"""Random programs: right engines and PyTorch survive them; what fails is made small, placed, and reproducible."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from oracle import suite, torch_reference
from oracle.case import Answer, Case
from oracle.cli import cli
from oracle.fuzz import case, check_too, fuzz, offered
from oracle.judge.causes import Demands
from oracle.subjects import Subject, open_subject
from oracle.vocabulary import VOCABULARY
from tests.corpus import ENGINES


class PyTorch:
    """PyTorch as a subject: what the judge says of it is the judge's own fault."""

    has_backward = True

    ops = frozenset(VOCABULARY)

    def run(self, cases: Sequence[Case]) -> list[Answer]:
        return [Answer(torch_reference.run(case)) for case in cases]


def test_pytorch_survives() -> None:
    assert not fuzz(cast(Subject, PyTorch()), "test", 600).cases


@pytest.mark.parametrize("name", ["closures", "pairs", "per_path", "leaf_gradients", "numpy_scalar"])
def test_right_engines_survive(name: str) -> None:
    with open_subject(str(ENGINES / f"{name}.py"), allow_imports=("numpy",)) as subject:
        assert not fuzz(subject, "t", 1500).cases


def test_a_token_makes_the_same_programs() -> None:
    with open_subject(str(ENGINES / "mul_overwrites.py")) as subject:
        rules = offered(subject)
        assert [case(rules, "x", n) for n in range(50)] == [case(rules, "x", n) for n in range(50)]
        assert case(rules, "x", 0) != case(rules, "y", 0)
        one, other = fuzz(subject, "x", 200), fuzz(subject, "x", 200)
    assert one.cases == other.cases and one.failing == other.failing > 0


def test_failing_programs_are_made_small() -> None:
    with open_subject(str(ENGINES / "preorder.py")) as subject:
        found = fuzz(subject, "t", 400).cases
    assert found and min(len(c.program.ops) for c in found) <= 4


def test_what_the_suite_has_no_point_for(tmp_path: Path) -> None:
    source = (ENGINES / "closures.py").read_text()
    right = "self.grad += k * self.data ** (k - 1) * out.grad"
    assert right in source
    engine = tmp_path / "fourth_power.py"
    engine.write_text(source.replace(right, right + " * (1.5 if k == 4 else 1)"))
    with open_subject(str(engine)) as subject:
        report = check_too(subject, suite.cases(), Demands(), "t", 1500)
    (cause,) = [c for c in report.causes if c.severity == "wrong"]
    line = next(n for n, text in enumerate(engine.read_text().splitlines(), 1) if "1.5" in text)
    assert (cause.kind, cause.op, cause.line) == ("derivative", "pow", line)
    assert not report.unexplained and report.exit_code == 1
    assert any("1,500 random programs" in note for note in report.notes)


def test_verb() -> None:
    done = CliRunner().invoke(
        cli, ["fuzz", str(ENGINES / "neg_sign.py"), "--count", "300", "--seed", "abc"], catch_exceptions=False
    )
    assert done.exit_code == 1
    assert "neg" in done.output and "--count 300 --seed abc" in " ".join(done.output.split())


def test_verb_without_an_engine() -> None:
    done = CliRunner().invoke(cli, ["fuzz", "nowhere.py", "--count", "10"])
    assert done.exit_code == 3
