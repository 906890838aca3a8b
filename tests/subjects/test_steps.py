"""Steps on a correct engine: what a second backward, a zeroed gradient and a changed leaf show."""

from __future__ import annotations

import pytest

from oracle.case import Backward, Case, Observe, Rebuild, Set, Zero
from oracle.program import Num, Program
from oracle.subjects import open_subject

from .conftest import ENGINE, Write, changed

SQUARE = Program.build([3.0], [("mul", [0, 0])])


def observe(
    write: Write, text: str, program: Program, *steps: object
) -> list[tuple[tuple, tuple, tuple | None]]:  # type: ignore[type-arg]
    with open_subject(write(text)) as subject:
        answer = subject.run([Case("steps/case", program, steps=steps)])[0]  # type: ignore[arg-type]
    assert answer.ok, answer
    return [(o.data, o.grad, o.made) for o in answer.observations]


def test_before_backward(write: Write) -> None:
    assert observe(write, ENGINE, SQUARE, Observe()) == [((3.0, 9.0), (0.0, 0.0), None)]


def test_a_second_backward_accumulates(write: Write) -> None:
    seen = observe(write, ENGINE, SQUARE, Backward(1), Observe(), Backward(1), Observe())
    assert [grad for _, grad, _ in seen] == [(6.0, 1.0), (12.0, 1.0)]


def test_zero_between(write: Write) -> None:
    seen = observe(write, ENGINE, SQUARE, Backward(1), Zero((0, 1)), Observe(), Backward(1), Observe())
    assert [grad for _, grad, _ in seen] == [(0.0, 0.0), (6.0, 1.0)]


def test_zero_where_the_gradient_is_only_to_be_read(write: Write) -> None:
    reader = "    @property\n    def grad(self):\n        return self._grad\n\n    def __neg__"
    text = changed((".grad", "._grad"), ("    def __neg__", reader))
    seen = observe(write, text, SQUARE, Backward(1), Zero((0,)), Observe())
    assert seen[0][1] == (0.0, 1.0)


def test_set_and_rebuild(write: Write) -> None:
    steps = (Set(0, 5.0), Observe(), Rebuild(), Backward(1), Observe())
    seen = observe(write, ENGINE, SQUARE, *steps)
    assert seen == [((5.0, 9.0), (0.0, 0.0), None), ((5.0, 25.0), (10.0, 1.0), None)]


def test_backward_from_another_value(write: Write) -> None:
    program = Program.build([3.0], [("mul", [0, 0]), ("add", [1, Num(1)])])
    assert observe(write, ENGINE, program, Backward(1), Observe())[0][1] == (6.0, 1.0, 0.0)


def test_a_changed_operand_shows(write: Write) -> None:
    text = changed(
        (
            "    def __mul__(self, other):\n",
            "    def __mul__(self, other):\n        self.data = self.data + 1\n",
        )
    )
    data, _, made = observe(write, text, Program.build([3.0, 2.0], [("mul", [0, 1])]), Observe())[0]
    assert data == (4.0, 2.0, 8.0) and made == (3.0, 2.0, 8.0)


def test_special_numbers_arrive(write: Write) -> None:
    inf, huge = float("inf"), 1e308
    program = Program.build(
        [inf, -0.0, huge, 5e-324], [("mul", [0, 1]), ("mul", [2, 2]), ("add", [2, Num(10**300)])]
    )
    data = observe(write, ENGINE, program, Observe())[0][0]
    assert (
        data[0] == inf
        and str(data[1]) == "-0.0"
        and data[3] == 5e-324
        and data[4] != data[4]
        and data[5] == inf
    )
    assert data[6] == huge + 10**300


def test_numpy_numbers_stay_numpys(write: Write) -> None:
    pytest.importorskip("numpy")
    text = changed(
        ("import math", "import math\nimport numpy as np"),
        ("self.data = data", "self.data = np.float32(data)"),
        ("self.grad = 0.0", "self.grad = np.float32(0)"),
        (
            "out = Value(self.data * other.data",
            "assert self.data.dtype == np.float32\n        out = Value(self.data * other.data",
        ),
    )
    case = Case("steps/numpy", SQUARE, steps=(Set(0, 0.1), Zero((0,)), Rebuild(), Backward(1), Observe()))
    with open_subject(write(text), allow_imports=("numpy",)) as subject:
        answer = subject.run([case])[0]
    assert answer.ok, answer
    assert answer.observations[0].data[0] == 0.10000000149011612, "0.1 as float32"
