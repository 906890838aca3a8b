"""Whole scripts: micrograd's demo and a lecture's, each also with a defect; and the ways in which scripts end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from textwrap import indent

import micrograd
import pytest
from click.testing import CliRunner

from oracle.cli import cli
from oracle.trajectory import Step, diff_script
from oracle.trajectory.rows import thinned

SCRIPTS = Path(__file__).parent / "scripts"

ENGINE = (SCRIPTS / "lecture.py").read_text().partition("x1, x2 =")[0]

TRAIN = """
w = Value(0.5)
while True:
    loss = (w - 2.0) ** 2
    w.grad = 0.0
    loss.backward()
    w.data -= 0.1 * w.grad
"""


def broken(path: Path, before: str, after: str) -> int:
    """Replace a piece of source that is there once; the line it is in."""
    source = path.read_text()
    assert source.count(before) == 1
    path.write_text(source.replace(before, after))
    return source[: source.index(before)].count("\n") + 1


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """micrograd's demo with a copy of the installed package beside it."""
    shutil.copy(SCRIPTS / "micrograd_demo.py", tmp_path)
    shutil.copytree(Path(micrograd.__path__[0]), tmp_path / "micrograd")
    return tmp_path / "micrograd_demo.py"


def test_micrograds_demo_is_right() -> None:
    report = diff_script(SCRIPTS / "micrograd_demo.py").report
    assert (report.exit_code, report.causes) == (0, ())
    assert report.counts["pass"] == 4
    assert report.notes == ("measured: 4 updates: gradient descent, step size 1 to 0.973",)


def test_micrograds_demo_with_an_overwriting_mul(demo: Path) -> None:
    engine = demo.parent / "micrograd" / "engine.py"
    line = broken(engine, "other.grad += self.data * out.grad", "other.grad = self.data * out.grad")
    report = diff_script(demo).report
    assert report.exit_code == 1 and report.unexplained == 0
    (cause,) = report.causes
    assert (cause.kind, cause.op, cause.operand, cause.mistake) == ("accumulation", "mul", 1, "overwrite")
    assert (cause.file, cause.line) == (str(engine), line)
    assert len(cause.cases) == 4


MINIGRAD = """
from minigrad import Value, optim
from minigrad.nn import MLP
import random
model = MLP(2, [2, 1], activation="tanh", rng=random.Random(1))
descent = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for k in range(4):
    descent.zero_grad()
    loss = sum((model([Value(a), 1.0]) - a) ** 2 for a in (0.5, -1.0, 0.2))
    loss.backward()
    descent.step()
"""


@pytest.mark.parametrize("fused", ["False", "True"])
def test_nodes_that_are_made_past_every_operator_name_their_op(tmp_path: Path, fused: str) -> None:
    """minigrad's networks make their nodes directly; slots forbid weak references; a fused node is many."""
    path = tmp_path / "train.py"
    path.write_text(MINIGRAD.replace("[2, 1],", f"[2, 1], fused={fused},"))
    report = diff_script(path).report
    assert (report.exit_code, report.counts["pass"]) == (0, 4)
    assert report.notes == ("measured: 4 updates: momentum 0.9, step size 0.1",)


@pytest.mark.parametrize("op", ["dot", "dot_tanh"])
def test_a_wrong_rule_of_rows_is_seen_in_a_fused_network(tmp_path: Path, op: str) -> None:
    """One that forgets the upstream gradient, put into minigrad from outside."""
    path = tmp_path / "train.py"
    wrong = """
def push(g, y, a, b):
    n = len(a) - len(b)
    for x in a[:n]: x.grad += g
    for x, z in zip(a[n:], b):
        x.grad += z.data
        z.grad += g * x.data
from minigrad import engine, rows
wrong = rows.Rule(rows.dot_forward, push)
engine.ROWS["dot"] = rows.Rules(wrong, engine.ROWS["dot"].written, longest=0)
"""
    path.write_text(wrong.replace('dot"', f'{op}"') + MINIGRAD.replace("[2, 1],", "[2, 1], fused=True,"))
    report = diff_script(path).report
    assert report.exit_code == 1 and report.counts["fail"] == 4


def test_what_lies_behind_unknown_ops_is_not_called_right(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    source = "def lump(v): return Value(v.data * 2.0, (v,))\nx = Value(3.0)\nfor _ in range(9): x = x * 1.5\n"
    path.write_text(ENGINE + source + "(lump(x) + 1.0).backward()")
    report = diff_script(path).report
    assert (report.exit_code, report.counts["not run"]) == (5, 1)
    assert "behind ops that are not in the vocabulary" in report.cases[0].detail


def test_a_class_of_backgrounds_is_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    styles = """
class Style:
    def __init__(self, n=1): self.weight = n
    def __add__(self, other): return Style(self.weight + other.weight)
    def background(self): return self
Style() + Style()
"""
    path.write_text(styles + ENGINE + TRAIN.replace("while True", "for k in range(2)"))
    assert diff_script(path).report.counts["pass"] == 2


def test_a_lectures_script_is_right() -> None:
    report = diff_script(SCRIPTS / "lecture.py").report
    assert (report.exit_code, report.causes, report.counts["pass"]) == (0, (), 5)


def test_a_lectures_script_with_a_wrong_tanh(tmp_path: Path) -> None:
    path = tmp_path / "lecture.py"
    shutil.copy(SCRIPTS / "lecture.py", path)
    line = broken(path, "self.grad += (1 - t**2) * out.grad", "self.grad += (1 - x**2) * out.grad")
    done = diff_script(path)
    assert done.report.exit_code == 1 and done.report.unexplained == 0
    (cause,) = done.report.causes
    assert (cause.kind, cause.op, cause.mistake) == ("derivative", "tanh", "input-for-output")
    assert (cause.file, cause.line) == (str(path), line)
    assert cause.example is not None and cause.example.node == "n", (
        "the script's own first graph, by its names"
    )
    assert {row.node for row in cause.example.table} >= {"x1", "w1", "b", "o"}


def test_a_notebook(tmp_path: Path) -> None:
    train = TRAIN.replace("while True", "for k in range(3)")
    cells = [
        "%matplotlib inline\nimport matplotlib.pyplot as plt",
        ENGINE,
        "!pip list\n1/0",
        train,
        "plt.show()",
    ]
    path = tmp_path / "lecture.ipynb"
    content = [{"cell_type": "code", "source": cell, "metadata": {}, "outputs": []} for cell in cells]
    path.write_text(json.dumps({"cells": content, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    report = diff_script(path).report
    assert report.counts["pass"] == 3
    assert any(note.startswith("lecture.ipynb, cell 3, line 2: ZeroDivisionError") for note in report.notes)


ENDINGS: dict[str, tuple[str | None, int, str]] = {
    "an endless loop": (TRAIN, 0, "did not end within 3 s and was stopped"),
    "an exception midway": (TRAIN.replace("while True", "for k in range(2)") + "1/0", 3, "ZeroDivisionError"),
    "sys.exit": (
        TRAIN.replace("while True", "for k in range(2)") + "import sys; sys.exit(7)",
        0,
        "gradient descent",
    ),
    "os._exit": (
        TRAIN.replace("while True", "for k in range(2)") + "import os; os._exit(7)",
        3,
        "exit code 7",
    ),
    "no backward": ("Value(2.0) * 3.0", 5, "it makes values of Value, and no backward call"),
    "no engine": (None, 5, "no class in it"),
    "an endless loop without backward": ("while True: Value(1.0)", 5, "no backward call in the time"),
    "a wrong argument": ("import sys; sys.exit(2)", 3, "exit code 2 before any backward call; arguments"),
    "a question": ("input('rate? ')", 3, "it gets no input here"),
    "a thread": (
        f"def train():\n{indent(TRAIN.replace('while True', 'for k in range(2)'), '    ')}\n"
        "import threading; threading.Thread(target=train).start()",
        0,
        "gradient descent",
    ),
    "processes of its own": (
        "import os\nif os.fork() == 0:\n    Value(1.0).backward(); os._exit(0)\nos.wait()\n"
        + TRAIN.replace("while True", "for k in range(2)"),
        0,
        "2 updates",
    ),
    "a loss that runs away": (
        TRAIN.replace("while True", "for k in range(99)").replace("0.1", "3.0"),
        0,
        "it diverges, as it would in PyTorch",
    ),
    "not Python": ("def", 3, "SyntaxError"),
    "a module that is not there": ("import nothing_of_this_name", 3, "ModuleNotFoundError"),
    "much printing": (
        TRAIN.replace("while True", "for k in range(2)") + "print('x' * 10**7)",
        0,
        "gradient descent",
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_how_scripts_end(tmp_path: Path, ending: str) -> None:
    source, code, said = ENDINGS[ending]
    path = tmp_path / "train.py"
    path.write_text("print(1)" if source is None else ENGINE + source)
    done = diff_script(path, timeout=3.0 if "endless" in ending else 60.0)
    report = done.report
    assert report.exit_code == code
    assert said in " ".join([*report.notes, report.error or ""])
    assert report.counts["fail"] == 0
    assert len(done.printed) < 100_000


def test_a_traceback_is_the_scripts_own(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(ENGINE + "def f(x):\n    return x * 'three'\nf(Value(2.0))")
    printed = diff_script(path).printed
    assert "in f\n    return x * 'three'" in printed and "in __mul__" in printed
    assert "worker" not in printed


def test_what_was_seen_before_an_interruption_is_told(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(ENGINE + TRAIN)

    def press(step: Step) -> None:
        if step.number == 3:
            raise KeyboardInterrupt

    report = diff_script(path, on_step=press).report
    assert (report.exit_code, len(report.cases)) == (0, 3)
    assert "train.py was interrupted; 3 backward calls were judged" in report.notes


def test_files_beside_and_arguments(tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("3.0")
    path = tmp_path / "train.py"
    path.write_text(
        ENGINE + "import sys\nx = Value(float(open('data.txt').read()))\n"
        "(x * float(sys.argv[2])).backward()\nassert input is not None"
    )
    result = CliRunner().invoke(cli, ["diff", str(path), "--format", "json", "--", "--rate", "2.0"])
    assert result.exit_code == 0, result.output
    (case,) = json.loads(result.output)["cases"]
    assert case["name"] == "diff/step-1" and case["outcome"] == "pass"


def test_the_command_shows_a_line_for_every_step(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(ENGINE + TRAIN.replace("w.data -=", "w.data +="))
    result = CliRunner().invoke(cli, ["diff", str(path), "--steps", "4", "--pictures", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.output.splitlines() if line.endswith("△ up 0.1")] == list(
        "123"
    )
    said = " ".join(result.output.split())
    assert "along the gradient instead of against it (measured step size -0.1)" in said
    assert "train.py was ended, as asked; 4 backward calls were judged" in said


def test_long_runs_are_thinned_out() -> None:
    shown = [n for n in range(1, 5001) if thinned(n)]
    assert shown[:12] == [*range(1, 11), 20, 30]
    assert len(shown) < 40
