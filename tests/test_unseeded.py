"""A backward that never sets the root's gradient hides every other mistake: they are found with it set by hand."""

from __future__ import annotations

from pathlib import Path

from oracle import suite
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.report import Report
from oracle.subjects import open_subject
from tests.corpus import ENGINES


def report(path: Path) -> Report:
    with open_subject(str(path)) as subject:
        return check(subject, suite.cases(), Demands())


def test_a_mistake_behind_it_is_found_too(tmp_path: Path) -> None:
    source = (ENGINES / "seed_missing.py").read_text(encoding="utf-8")
    right = "self.grad += out.grad * other.data"
    assert source.count(right) == 1
    engine = tmp_path / "engine.py"
    engine.write_text(source.replace(right, "self.grad += out.grad * self.data"), encoding="utf-8")
    found = report(engine)
    wrong = [(c.kind, c.op, c.operand) for c in found.causes if c.severity == "wrong"]
    assert wrong == [("seed", None, None), ("derivative", "mul", 0)]
    assert found.causes[0].example is not None and "grad = 1" not in found.causes[0].example.code
    assert found.causes[1].example is not None and ".grad = 1.0\n" in found.causes[1].example.code
    assert found.unexplained == 0
    assert found.exit_code == 1 and found.ops["mul"].exercised


def test_alone_it_is_the_only_cause_and_no_case_with_a_gradient_passes() -> None:
    found = report(ENGINES / "seed_missing.py")
    assert [c.kind for c in found.causes if c.severity == "wrong"] == ["seed"]
    assert all(case.outcome != "pass" for case in found.cases if case.level in ("gradient", "accumulate"))


def test_a_root_that_backward_itself_sets_to_zero_is_not_helped() -> None:
    found = report(ENGINES / "seed_zero.py")
    assert [c.kind for c in found.causes if c.severity == "wrong"] == ["seed"]
