"""What is told of a script: programs with operand order, duplicates and plain numbers, whatever the engine keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.program import Num, Program
from oracle.trajectory.events import BackwardCall, Ended, Garbled, read
from oracle.trajectory.steps import judge_call
from oracle.trajectory.stream import Script

ENGINES = Path(__file__).parents[1] / "engines"

SLOTTED = """
class Value:
    __slots__ = ("data", "grad", "_children", "_slopes")
    def __init__(self, data, children=(), slopes=()):
        self.data, self.grad, self._children, self._slopes = data, 0.0, children, slopes
    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))
    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))
    def __radd__(self, other): return self + other
    def __rmul__(self, other): return self * other
    def __neg__(self): return self * -1
    def __sub__(self, other): return self + (-other)
    def __rsub__(self, other): return other + (-self)
    def backward(self, g=1.0):
        self.grad += g
        for child, slope in zip(self._children, self._slopes):
            child.backward(g * slope)
"""

PATCHED = (
    SLOTTED
    + """
import math
def square(v):
    return Value(v.data ** 2, (v,), (2 * v.data,))
def cube(v):
    return Value(v.data ** 3, (v,), (3 * v.data ** 2,))
Value.cos = lambda self: Value(math.cos(self.data), (self,), (-math.sin(self.data),))
"""
)

DATACLASS = """
from dataclasses import dataclass, field
@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0
    slopes: list = field(default_factory=list)
    def __add__(self, other): return Value(self.data + other.data, 0.0, [(self, 1.0), (other, 1.0)])
    def __mul__(self, other): return Value(self.data * other.data, 0.0, [(self, other.data), (other, self.data)])
    def backward(self, g=1.0):
        self.grad += g
        for child, slope in self.slopes: child.backward(g * slope)
"""


def told(tmp_path: Path, source: str, **options: object) -> list[BackwardCall | Ended]:
    path = tmp_path / "script.py"
    path.write_text(source)
    return list(Script(path, **options).events())  # type: ignore[arg-type]


def only_program(tmp_path: Path, source: str) -> Program:
    call, end = told(tmp_path, source)
    assert isinstance(call, BackwardCall)
    assert isinstance(end, Ended) and not end.problems, end
    assert call.program is not None
    return call.program


def nodes(program: Program) -> list[tuple[str, tuple[object, ...]]]:
    return [
        (node.op, tuple(i if i >= 0 else Num(program.numbers[~i]) for i in node.operands))
        for _, node in program.nodes()
    ]


def test_order_and_duplicates(tmp_path: Path) -> None:
    program = only_program(tmp_path, SLOTTED + "a, b = Value(2.0), Value(3.0)\nc = b * a\n(c + c).backward()")
    assert list(program.inputs) == [2.0, 3.0]
    assert nodes(program) == [("mul", (1, 0)), ("add", (2, 2))]
    assert dict(program.labels) == {0: "a", 1: "b", 2: "c"}


def test_a_dataclass_gets_its_constructor_late(tmp_path: Path) -> None:
    """Leaves made before its first op are known from then on."""
    program = only_program(
        tmp_path, DATACLASS + "a, b = Value(2.0), Value(3.0)\nc = b * a\n(c + c).backward()"
    )
    assert list(program.inputs) == [3.0, 2.0]
    assert nodes(program) == [("mul", (0, 1)), ("add", (2, 2))]


def test_a_dataclass_with_slots_is_another_class_than_the_one_written(tmp_path: Path) -> None:
    source = DATACLASS.replace("eq=False", "eq=False, slots=True")
    program = only_program(tmp_path, source + "a, b = Value(2.0), Value(3.0)\nc = b * a\n(c + c).backward()")
    assert nodes(program) == [("mul", (0, 1)), ("add", (2, 2))]


def test_plain_numbers_and_reflected_operators(tmp_path: Path) -> None:
    source = "a = Value(2.0)\no = 1 - sum([a, 2.5 * a])\no.backward()"
    assert nodes(only_program(tmp_path, SLOTTED + source)) == [
        ("mul", (Num(2.5), 0)),
        ("add", (Num(0), 0)),
        ("add", (2, 1)),
        ("sub", (Num(1), 3)),
    ]


def test_functions_and_late_methods(tmp_path: Path) -> None:
    source = "a = Value(0.5)\nfor _ in range(2):\n    o = square(a).cos()\no.backward()"
    assert nodes(only_program(tmp_path, PATCHED + source)) == [("square", (0,)), ("cos", (1,))]


def test_an_op_that_nobody_knows_clouds_what_is_below_it(tmp_path: Path) -> None:
    call, _ = told(tmp_path, PATCHED + "a, b = Value(0.5), Value(2.0)\no = cube(a * b) + a\no.backward()")
    assert isinstance(call, BackwardCall) and call.program is not None
    assert call.unknown == ("Value",)
    assert call.clouded == {call.serials.index(0)}, "a has a share by cube; b is no part of what is judged"
    assert call.program.ops == ("add",)


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("module_functions", "backprop(tanh(mul(Tensor(1.5), Tensor(-0.5))))"),
        ("unary_classes", "back_prop(Tanh(Var(1.5) * Var(-0.5)))"),
        ("backprop_seed", "(Scalar(1.5) * Scalar(-0.5)).tanh().backprop(1.0)"),
        ("tape", "(Var(1.5) * Var(-0.5)).tanh().backward()"),
    ],
)
def test_other_shapes_of_engines(tmp_path: Path, module: str, line: str) -> None:
    if module == "tape":
        source = (ENGINES / "tape.py").read_text()
        name = next(x for x in ("Var", "Value", "Scalar", "Node") if f"class {x}" in source)
        line = line.replace("Var", name)
    path = f"import sys\nsys.path.insert(0, {str(ENGINES)!r})\nfrom {module} import *\n"
    assert nodes(only_program(tmp_path, path + line)) == [("mul", (0, 1)), ("tanh", (2,))]


def test_many_steps_leave_nothing_behind(tmp_path: Path) -> None:
    source = """
import gc, sys
w = Value(0.5)
for step in range(300):
    (w * 2.0 + 1.0).backward()
gc.collect()
sys.stderr.write(str(sum(isinstance(x, Value) for x in gc.get_objects())))
"""
    engine = SLOTTED.replace('    __slots__ = ("data", "grad", "_children", "_slopes")\n', "")
    path = tmp_path / "script.py"
    path.write_text(engine + source)
    script = Script(path)
    assert sum(isinstance(event, BackwardCall) for event in script.events()) == 300
    assert int(script.output) <= 4, "the leaf, and the graph of the last step"


def test_a_line_that_is_no_event_is_refused() -> None:
    for line in (b"", b"[]", b"{}", b'{"event":"backward"}', b"[" * 100_000):
        with pytest.raises(Garbled):
            read(line, "script.py")


LOOP = "\nw, b = {cls}(2.0), {cls}(3.0)\nmiddle = w * b\nroot = middle + b\n{backward}\n"
GRADIENTS = (3.0, 3.0, 1.0, 1.0)
"""Of w, b, middle and root."""


@pytest.mark.parametrize(
    ("engine", "cls", "backward", "unkept"),
    [
        ("gradient_method", "Value", "root.backward()", ()),
        ("boxed_gradient", "Value", "root.backward()", ()),
        ("gradients_returned", "Variable", "get_gradients(root)", (3,)),
        ("inner_gradients_zeroed", "Value", "root.backward()", (2, 3)),
        ("root_not_kept", "Scalar", "root.backward()", (3,)),
    ],
)
def test_gradients_wherever_they_are(
    tmp_path: Path, engine: str, cls: str, backward: str, unkept: tuple[int, ...]
) -> None:
    """What an engine does not keep is not told as 0."""
    source = (ENGINES / f"{engine}.py").read_text() + LOOP.format(cls=cls, backward=backward)
    call, end = told(tmp_path, source)
    assert isinstance(call, BackwardCall) and isinstance(end, Ended) and not end.problems, end
    assert call.grad == tuple(None if i in unkept else g for i, g in enumerate(GRADIENTS))


def test_a_name_of_one_that_returns_gradients_may_keep_them(tmp_path: Path) -> None:
    source = SLOTTED.replace("backward(", "get_gradients(")
    call, _ = told(tmp_path, source + LOOP.format(cls="Value", backward="root.get_gradients()"))
    assert isinstance(call, BackwardCall) and call.grad == GRADIENTS


def test_gradients_returned_are_those_of_each_call(tmp_path: Path) -> None:
    source = (ENGINES / "gradients_returned.py").read_text() + LOOP.format(
        cls="Variable", backward="g = get_gradients(root)\nw.value -= g[w]\nget_gradients(w * b)"
    )
    first, second, _ = told(tmp_path, source)
    assert isinstance(first, BackwardCall) and isinstance(second, BackwardCall)
    assert first.grad[:2] == (3.0, 3.0) and second.grad[:2] == (3.0, -1.0)
    assert second.before == (None,) * 3


def test_a_gradient_of_an_unusual_name_is_found_by_its_change(tmp_path: Path) -> None:
    source = (ENGINES / "closures.py").read_text().replace(".grad", ".sensitivity")
    source += LOOP.format(cls="Value", backward="root.backward()\n(w * b).backward()")
    first, second, _ = told(tmp_path, source)
    assert isinstance(first, BackwardCall) and isinstance(second, BackwardCall)
    assert first.before == (0.0, 0.0, 0.0, 0.0) and first.grad == GRADIENTS
    assert second.before[:2] == (3.0, 3.0) and second.grad[:2] == (6.0, 5.0)


def test_a_backward_that_leaves_no_gradient_is_no_agreement(tmp_path: Path) -> None:
    source = (ENGINES / "gradient_method.py").read_text().replace("def grad(self)", "def hidden(self)")
    call, _ = told(tmp_path, source + LOOP.format(cls="Value", backward="root.backward()"))
    assert isinstance(call, BackwardCall) and set(call.grad) == {None}
    judged = judge_call(call)
    assert judged.checked is None and judged.why == "no value has a gradient afterwards"


def test_numbers_that_are_computed_late(tmp_path: Path) -> None:
    source = (ENGINES / "lazy.py").read_text()
    source += LOOP.format(cls="Const", backward="root.forward()\nroot.backward()")
    call, _ = told(tmp_path, source)
    assert isinstance(call, BackwardCall) and call.grad == GRADIENTS
    assert call.made == call.data == (2.0, 3.0, 6.0, 9.0) and call.loss == 9.0
