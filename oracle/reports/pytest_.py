"""A pytest file that reproduces the causes: one test each, by the smallest program; passing once the rule is right."""

from __future__ import annotations

import ast
import builtins
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Literal

from oracle.report import Cause, Report
from oracle.reports import changes, facts, words
from oracle.reports.clean import inert, no_command, one_line

RIGHT = 1e-9
"""A number this near to PyTorch's (relative) passes; nearer where the cause's own error is smaller than that."""


def render(report: Report) -> str:
    """The file's text. What cannot be reproduced by a few lines of the engine's code is named in a comment."""
    report = inert(report)
    serious = [c for c in report.causes if _serious(c)]
    tests: list[str] = []
    names: set[str] = set()
    left: list[Cause] = []
    for cause in serious:
        lines = _test(cause, names) if _near(cause, report) else []
        if lines:
            tests.append("\n".join(lines))
        else:
            left.append(cause)
    head = [f'"""{_about(report)}"""', ""]
    if tests:
        head += ["import pytest", "", *_imports(report, tests)]
    else:
        head += ["import pytest", "", f"pytest.skip({_nothing(report)!r}, allow_module_level=True)"]
    said = [f"# Without a test: {one_line(words.sentence(cause))}" for cause in left]
    said += [f"# {one_line(changes.sentence(change))}" for change in changes.failing(report)]
    blocks = ["\n".join(head), *tests]
    return no_command("\n\n\n".join([*blocks, *(["\n".join(said)] if said else [])]) + "\n")


def _about(report: Report) -> str:
    """What was found, as text for a docstring."""
    said = (
        f"{facts.verdict(report)[1]} By oracle {report.oracle}; its reference is PyTorch {report.reference}."
    )
    return one_line(said, 600).replace("\\", "/").replace('"', "'")


def _nothing(report: Report) -> str:
    wrong = any(map(_serious, report.causes))
    return "no cause can be shown in a few lines" if wrong else "no cause was found"


def _serious(cause: Cause) -> bool:
    return cause.demanded or cause.severity in ("wrong", "imprecise")


def _near(cause: Cause, report: Report) -> bool:
    """Whether all names of the cause's lines are the engine's file's; a network may be in another."""
    return (
        cause.kind != "network" or PurePath(cause.file or "").name == PurePath(report.subject.file or "").name
    )


def _test(cause: Cause, names: set[str]) -> list[str]:
    """The lines of one test; none where the cause has no lines that show it."""
    example = cause.example
    if example is None or words.untold(example) or example.code.lstrip().startswith("#"):
        return []
    right = words.correct(example)
    lines, _ = words.code(example)
    if right is None or not _python(lines[-1], "eval") or not _python("\n".join(lines)):
        return []
    name = _name(cause, names)
    where = words.place(cause)
    out = [f"def {name}():", f"    # {one_line(words.sentence(cause))}" + (f" ({where})" if where else "")]
    out += ["    " + line for line in lines[:-1]]
    return [*out, f"    assert float({lines[-1]}) == {_approx(example.yours, right)}"]


def _python(text: str, mode: Literal["exec", "eval"] = "exec") -> bool:
    """Whether a text is statements, or one expression."""
    try:
        compile(text, "", mode, ast.PyCF_ONLY_AST)
    except SyntaxError:
        return False
    return True


def _approx(yours: float | None, right: float) -> str:
    """What the engine's number is compared with: closer than half its own error."""
    if not math.isfinite(right):
        return f"pytest.approx(float({str(right)!r}), nan_ok=True)"
    bound = RIGHT * abs(right) or 5e-324
    if yours is not None and math.isfinite(yours) and yours != right:
        bound = min(bound, abs(yours - right) / 2)
    said = "" if yours is None else f"  # the engine's was {yours!r}"
    return f"pytest.approx({right!r}, rel=0, abs={bound:.2g}){said}"


def _name(cause: Cause, names: set[str]) -> str:
    """A name of its own among `names`, to which it is added: test_mul_derivative_right."""
    parts = ["test", cause.op or "engine", cause.form or "", cause.kind]
    if cause.operand:
        parts.append(f"operand_{cause.operand + 1}")
    plain = re.sub(r"\W+", "_", "_".join(filter(None, parts)))
    name = next(n for n in (plain, *(f"{plain}_{k}" for k in range(2, len(names) + 3))) if n not in names)
    names.add(name)
    return name


def _imports(report: Report, tests: Sequence[str]) -> list[str]:
    """How the engine's names come in: from its file, or from its module."""
    wanted = sorted(set(_free("\n".join(tests))))
    subject = report.subject
    named = re.fullmatch(r"([A-Za-z_][\w.]*):\w+", subject.target)
    if named:
        return [f"from {named[1]} import {', '.join(wanted)}"]
    path = PurePath(subject.file or "")
    if path.suffix != ".py" or not path.stem.isidentifier():
        where = subject.file or subject.target
        why = f"make {', '.join(wanted)} of {where} importable, and import it here instead of this line"
        return [f"pytest.skip({why!r}, allow_module_level=True)"]
    return [
        "import sys",
        f"sys.path.insert(0, {str(path.parent)!r})",
        f"from {path.stem} import {', '.join(wanted)}",
    ]


def _free(source: str) -> Iterator[str]:
    """Names that lines use and do not make."""
    names = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in names:
        if node.id not in made and node.id != "pytest" and not hasattr(builtins, node.id):
            yield node.id
