"""Repair by trial: edits are likely, keep every other line in place, and only what makes all right is proposed."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle import suite
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.judge.edits import edits
from oracle.report import Cause
from oracle.subjects import open_subject
from tests.corpus import ENGINES

WALK = """\
def backward(self):
    order, seen = [], set()

    def visit(v):
        if v not in seen:
            seen.add(v)
            for child in v.parents:
                visit(child)
            order.append(v)

    visit(self)
    self.grad = 1.0
    for v in reversed(order):
        v.push()
"""

ENGINE = (ENGINES / "closures.py").read_text(encoding="utf-8")


def cause(path: Path, source: str) -> Cause:
    path.write_text(source, encoding="utf-8")
    with open_subject(str(path)) as subject:
        (found,) = (c for c in check(subject, suite.cases(), Demands()).causes if c.severity == "wrong")
    return found


def test_edits_keep_the_number_of_lines() -> None:
    made = list(edits(WALK, 1, "schedule", (), ("data", "grad")))
    lines = WALK.split("\n")
    assert len(made) > 20
    for edit in made:
        assert 1 <= edit.line <= len(lines)
        assert all(1 <= number <= len(lines) for number, _ in edit.lines)
        changed = dict(edit.lines)
        text = "\n".join(changed.get(n, line) for n, line in enumerate(lines, 1))
        compile(text, "edited", "exec")
        assert text != WALK


@pytest.mark.parametrize(
    ("now", "kind", "meant"),
    [
        (("in reversed(order)", "in order"), "schedule", "for v in reversed(order):"),
        (("not in seen", "in seen"), "schedule", "if v not in seen:"),
        (("grad = 1.0", "grad = 2.0"), "seed", "self.grad = 1.0"),
        (("            seen.add(v)", "            pass"), "schedule", "seen.add(v)"),
        (("    self.grad = 1.0", "    pass"), "seed", "self.grad = 1.0"),
    ],
)
def test_the_right_line_is_among_the_first(now: tuple[str, str], kind: str, meant: str) -> None:
    changed = WALK.replace(*now)
    assert changed != WALK
    tried = list(edits(changed, 1, kind, (), ("data", "grad")))[:64]
    whole = {"\n".join(dict(e.lines).get(n, x) for n, x in enumerate(changed.split("\n"), 1)) for e in tried}
    assert any(edit.after == meant for edit in tried)
    assert any(text.split() == WALK.split() for text in whole)


def test_the_line_and_what_it_should_read(tmp_path: Path) -> None:
    (number,) = (n for n, line in enumerate(ENGINE.split("\n"), 1) if " in reversed(" in line)
    line = ENGINE.split("\n")[number - 1].strip()
    broken = ENGINE.replace(line, line.replace("reversed(", "list("))
    found = cause(tmp_path / "engine.py", broken)
    assert found.line == number
    assert "and should read: " in found.hints[2] and "reversed(" in found.hints[2]


def test_no_line_is_proposed_where_no_single_one_repairs_it() -> None:
    with open_subject(str(ENGINES / "breadth_first.py")) as subject:
        (found,) = (c for c in check(subject, suite.cases(), Demands()).causes if c.severity == "wrong")
    assert "should read" not in found.hints[2] and "belongs" not in found.hints[2]
