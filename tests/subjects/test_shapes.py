"""Every shape of engine that walks in is driven to the right numbers (subjects: shapes)."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from oracle.case import Backward, Case, Observe, Rebuild, Zero
from oracle.listing import code
from oracle.program import Num, Program
from oracle.subjects import open_subject

from .conftest import ENGINE, Write, changed

CASE = Case(
    "shape/neuron", Program.build([2.0, -3.0, 0.5], [("mul", [0, 1]), ("add", [3, 2]), ("mul", [4, 0])])
)
DATA = (2.0, -3.0, 0.5, -6.0, -5.5, -11.0)
GRAD = (-11.5, 4.0, 2.0, 2.0, 2.0, 1.0)

RENAMED = {
    "class name": [("Value", "Karl")],
    "data: value": [("data", "value")],
    "data: _value": [("self.data = data", "self._value = data"), (".data", "._value")],
    "data: any name": [("data", "payload")],
    "gradient: gradient": [(".grad", ".gradient")],
    "gradient: any name": [(".grad", ".sensitivity")],
    "backward: backwards": [("def backward(", "def backwards(")],
    "backward: backpropagate": [("def backward(", "def backpropagate(")],
    "backward: backward_movement": [("def backward(", "def backward_movement(")],
    "backward: with a seed": [("def backward(self)", "def backprop(self, seed)"), ("= 1.0", "= seed")],
    "backward: a seed with a default": [("def backward(self)", "def backprop(self, seed=1.0)"), ("= 1.0", "= seed")],
    "backward: module function": [
        ("    def backward(self):", "def back_prop(root):\n    def inner(self):"),
        ("            node._backward()", "            node._backward()\n\n    inner(root)"),
    ],
    "backward: closures only": [("    def backward(self):", "def unused(self):\n    def inner(self):")],
    "backward: closures only, under another's name": [
        ("    def backward(self):", "def unused(self):\n    def inner(self):"),
        ("self._prev = set", "self.backward = lambda: None\n        self._prev = set"),
    ],
    "backward: a function of another name": [
        ("    def backward(self):", "def reverse(root):\n    def inner(self):"),
        ("            node._backward()", "            node._backward()\n\n    inner(root)"),
    ],
    "constructor: requires_grad": [
        ("data, parents=()", "data, parents=(), requires_grad=False"),
        ("self.grad += ", "if self.requires_grad or self._prev: self.grad += "),
        ("self._prev = set", "self.requires_grad = requires_grad\n        self._prev = set"),
    ],
    "constructor: another name for that": [
        ("data, parents=()", "data, param=False, parents=()"), (", (self, other))", ", parents=(self, other))"),
        (", (self,))", ", parents=(self,))"),
        ("self.grad += ", "if self.wanted or self._prev: self.grad += "),
        ("self._prev = set", "self.wanted = param\n        self._prev = set"),
    ],
    "constructor: keyword only": [("self, data, parents=()", "self, *, data, parents=()"), ("Value(", "make("), (
        "import math", "import math\n\n\ndef make(data, parents=()):\n    return Value(data=data, parents=parents)",
    )],
    "constructor: a label first": [
        ("self, data, parents=()", "self, label, data, parents=()"),
        ("self.data = data", "self.name = label\n        self.data = data"),
        ("Value(other)", "Value('', other)"),
        ("out = Value(", "out = Value('', "),
    ],
    "constructor: a list": [
        ("self.data = data", "self.data = data[0]"), ("Value(", "make("),
        ("import math", "import math\n\n\ndef make(data, parents=()):\n    return Value([data], parents)"),
    ],
    "constructor: a class method for leaves": [
        ("self, data, parents=()", "self, parents, data, op"), ("Value(other)", "Value.leaf(other)"),
        ("Value(self.data + other.data, (self, other))", "Value((self, other), self.data + other.data, '+')"),
        ("Value(self.data * other.data, (self, other))", "Value((self, other), self.data * other.data, '*')"),
        ("Value(t, (self,))", "Value((self,), t, 'tanh')"),
        ("    def __neg__", "    @classmethod\n    def leaf(cls, x):\n        return cls((), x, '')\n\n"
         "    def __neg__"),
    ],
    "numbers in boxes": [
        ("class Value:", "class Box:\n    def __init__(self, number):\n        self.number = number\n\n\n"
         "class Value:"),
        (".data", ".data.number"), ("self.data.number = data", "self.data = Box(data)"),
        (".grad", ".grad.number"), ("self.grad.number = 0.0", "self.grad = Box(0.0)"),
    ],
    "gradient None until needed": [
        ("self.grad = 0.0", "self.grad = None"),
        ("self.grad += ", "self.grad = (self.grad or 0.0) + "),
        ("other.grad += ", "other.grad = (other.grad or 0.0) + "),
    ],
    "a gradient that is only to be read": [
        (".grad", "._g"),
        ("    def __neg__", "    @property\n    def grad(self):\n        return self._g\n\n    def __neg__"),
    ],
    "no attributes allowed": [
        ("    def __init__", "    __slots__ = ('data', 'grad', '_prev', '_backward')\n\n    def __init__"),
    ],
    "equality by number": [
        ("    def __neg__", "    def __eq__(self, other):\n        return self.data == getattr(other, 'data', other)"
         "\n\n    __hash__ = object.__hash__\n\n    def __neg__"),
    ],
    "equality that is a node": [
        ("    def __neg__", "    def __eq__(self, other):\n        return Value(self.data)"
         "\n\n    def __hash__(self):\n        return id(self)\n\n    def __neg__"),
    ],
    "annotations that name the class itself": [
        ("self, other):", "self, other: Value | float) -> Value:"),
        ("import math", "import math\n\nlimit: Later = 1"),
    ],
    "gradient: in a dictionary by name": [
        ("self.grad = 0.0", "self.grad = {}"),
        ("self.grad += ", "self.grad['y'] = self.grad.get('y', 0.0) + "),
        ("other.grad += ", "other.grad['y'] = other.grad.get('y', 0.0) + "),
        ("out.grad\n", "out.grad['y']\n"),
        ("self.grad = 1.0", "self.grad = {'y': 1.0}"),
    ],
    "gradient: by a method": [
        (".grad", ".flow"),
        ("    def __neg__", "    def get_gradient(self):\n        return self.flow['g']\n\n    def __neg__"),
        ("self.flow = 0.0", "self.flow = {'g': 0.0, 'visits': 0}"),
        ("self.flow += ", "self.flow['g'] += "),
        ("other.flow += ", "other.flow['g'] += "),
        ("out.flow\n", "out.flow['g']\n"),
        ("self.flow = 1.0", "self.flow['g'] = 1.0"),
    ],
    "integers inside": [("self.data = data", "self.data = int(data) if data == int(data) else data")],
    "ops return a subclass": [
        ("out = Value(", "out = Node("), ("isinstance(other, Value)", "isinstance(other, Base)"),
        ("class Value:", "class Base:"),
        ("order, seen = [], set()", "order, seen = [], set()"),
        ("            node._backward()", "            node._backward()\n\n\nclass Value(Base):\n    pass\n\n\n"
         "class Node(Base):\n    pass\n"),
    ],
    "printing": [("self.data = data", "self.data = data\n        print('made', data)")],
    "reads its input": [("self.data = data", "self.data = data\n        import sys\n        sys.stdin.read()")],
}  # fmt: skip


@pytest.mark.parametrize("shape", RENAMED)
def test_shape(shape: str, write: Write) -> None:
    with open_subject(write(changed(*RENAMED[shape]))) as subject:
        answer = subject.run([CASE])[0]
        assert answer.ok, answer
        assert answer.observations[0].data == DATA
        assert answer.observations[0].grad == GRAD
        assert answer.observations[0].made is None
        assert {"add", "mul", "sub", "neg", "tanh"} <= subject.ops
        assert subject.has_backward and subject.grads == "all"


TANH = "    def tanh(self):"
SPELLINGS = {
    "method": [],
    "capitals": [(TANH, "    def TanH(self):")],
    "private method": [(TANH, "    def _tanh(self):")],
    "module function": [
        (TANH, "    def _t(self):"),
        ("import math", "import math\n\n\ndef tanh(x):\n    return x._t()"),
    ],
    "module function in capitals": [
        (TANH, "    def _t(self):"),
        ("import math", "import math\n\n\ndef Tanh(x):\n    return x._t()"),
    ],
    "lambda": [(TANH, "    def _t(self):"), ("import math", "import math\n\ntanh = lambda x: x._t()")],
    "class with apply": [
        (TANH, "    def _t(self):"),
        (
            "import math",
            "import math\n\n\nclass Tanh:\n    @staticmethod\n    def apply(x):\n        return x._t()",
        ),
    ],
    "class to be called": [
        (TANH, "    def _t(self):"),
        ("import math", "import math\n\n\nclass Tanh:\n    def __call__(self, x):\n        return x._t()"),
    ],
    "class with forward": [
        (TANH, "    def _t(self):"),
        ("import math", "import math\n\n\nclass Tanh:\n    def forward(self, x):\n        return x._t()"),
    ],
    "patched in later": [
        (TANH, "    def _t(self):"),
        (
            "            node._backward()",
            "            node._backward()\n\n\nValue.tanh = lambda self: self._t()\ndel Value",
        ),
    ],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spelling_of_a_function(spelling: str, write: Write) -> None:
    with open_subject(write(changed(*SPELLINGS[spelling]))) as subject:
        assert "tanh" in subject.ops
        answer = subject.run([Case("shape/tanh", Program.build([0.5], [("tanh", [0])]))])[0]
        assert answer.observations[0].grad[0] == pytest.approx(0.7864477329659274, rel=1e-15)


def test_a_library_function_is_not_the_engines(write: Write) -> None:
    with open_subject(
        write(changed((TANH, "    def _t(self):"), ("import math", "import math\nfrom math import tanh")))
    ) as s:
        assert "tanh" not in s.ops
        assert s.run([Case("shape/tanh", Program.build([0.5], [("tanh", [0])]))])[0].unsupported == "tanh"


@pytest.mark.parametrize("name", ["maximum", "max"])
def test_two_operands_by_method(name: str, write: Write) -> None:
    method = f"    def {name}(self, other):\n        return self if self.data > other.data else other\n\n"
    with open_subject(write(changed(("    def __neg__", method + "    def __neg__")))) as subject:
        answer = subject.run([Case("shape/max", Program.build([0.5, 2.0], [("maximum", [0, 1])]))])[0]
        assert answer.observations[0].data == (0.5, 2.0, 2.0)


METHODS_ONLY = [("__add__", "add"), ("__mul__", "mul"), ("self * other", "self.mul(other)")]


def test_operators_as_methods(write: Write) -> None:
    text = changed(*METHODS_ONLY, ("self + other", "self.add(other)"), ("self * -1", "self.mul(-1)"))
    with open_subject(write(text)) as subject:
        answer = subject.run([CASE])[0]
        assert answer.observations[0].grad == GRAD
        assert subject.found["add"] == "a.add(b)"


FUNCTIONS = """
    class Node:
        def __init__(self, value, inputs=()):
            self.value, self.inputs, self.adjoint = value, inputs, 0.0


    def add(a, b):
        return Node(a.value + b.value, [(a, 1.0), (b, 1.0)])


    def mul(a, b):
        return Node(a.value * b.value, [(a, b.value), (b, a.value)])


    def order(node, seen):
        for parent, _ in node.inputs:
            order(parent, seen)
        if node not in seen:
            seen.append(node)
        return seen


    def reverse(output, trace=False):
        output.adjoint = 1.0
        for node in reversed(order(output, [])):
            for parent, slope in node.inputs:
                parent.adjoint += slope * node.adjoint
"""


def test_functions_only(write: Write) -> None:
    with open_subject(write(FUNCTIONS)) as subject:
        assert subject.has_backward and subject.found["backward"] == "reverse(root)"
        assert subject.run([CASE])[0].observations[0].grad == GRAD


TAPE = """
    class Node:
        def __init__(self, value):
            self.value, self.adjoint = value, 0.0


    class Tape:
        def __init__(self):
            self.done = []

        def add(self, a, b):
            return self._note(Node(a.value + b.value), (a, 1.0), (b, 1.0))

        def multiply(self, a, b):
            return self._note(Node(a.value * b.value), (a, b.value), (b, a.value))

        def _note(self, out, *slopes):
            self.done.append((out, slopes))
            return out

        def rewind(self, root):
            root.adjoint = 1.0
            for out, slopes in reversed(self.done):
                for node, slope in slopes:
                    node.adjoint += slope * out.adjoint
"""

LISTS = [("add(self, a, b):", "add(self, xs):\n            a, b = xs"),
         ("multiply(self, a, b):", "multiply(self, xs):\n            a, b = xs")]  # fmt: skip


@pytest.mark.parametrize("backward", ["backward", "reverse_grad", "diff"])
@pytest.mark.parametrize("listed", [False, True])
def test_ops_are_methods_of_a_tape(listed: bool, backward: str, write: Write) -> None:
    """Each case has its own, which is why nothing is left over from the case before."""
    text = changed(("rewind", backward), *(LISTS if listed else ()), text=TAPE)
    with open_subject(write(text)) as subject:
        assert subject.found["mul"] == ("tape.multiply([…])" if listed else "tape.multiply(…)")
        assert subject.found["backward"] == f"tape.{backward}(root)"
        shown = code(CASE, subject.found, (0, "grad"))
        for _ in range(2):
            assert subject.run([CASE])[0].observations[0].grad == GRAD
    *lines, last = shown.split("\n")
    names: dict[str, Any] = {}
    exec("\n".join([textwrap.dedent(text), *lines, f"seen = {last}"]), names)
    assert names["seen"] == GRAD[0]


@pytest.mark.parametrize("attached", ["None", "lambda: None"])
def test_without_any_backward(attached: str, write: Write) -> None:
    text = changed(
        ("    def backward(self):", "def unused(self):\n    def inner(self):"),
        ("out._backward = push", f"out._backward = {attached}"),
    )
    with open_subject(write(text)) as subject:
        assert not subject.has_backward and "mul" in subject.ops


def test_a_gradient_of_a_similar_name_that_backward_leaves_at_0(write: Write) -> None:
    with open_subject(write(changed((".grad", ".grade"), ("self.grade = 1.0", "pass")))) as subject:
        assert subject.found["gradient"] == "grade" and subject.has_backward


def test_a_method_is_no_gradient(write: Write) -> None:
    text = changed((".grad", ".g"), ("def backward(self)", "def grad(self)"))
    with open_subject(write(text)) as subject:
        assert subject.run([Case("shape/leaf", Program.build([2.0], [("tanh", [0])]))])[0].crash is None


def test_an_operand_handed_on_has_its_gradient_once(write: Write) -> None:
    """relu(a) is a: what comes in by it, and by another way, is the gradient of a; the result has none of its own."""
    relu = "    def relu(self):\n        return self if self.data > 0 else Value(0.0)\n\n    def __neg__"
    program = Program.build([2.0, -3.0], [("relu", [0]), ("mul", [2, 1]), ("add", [3, 0])])
    with open_subject(write(changed(("    def __neg__", relu)))) as subject:
        answer = subject.run([Case("shape/relu", program)])[0]
        assert answer.observations[0].grad == (-2.0, 2.0, None, 1.0, 1.0)


RETURNED = """
    class Node:
        def __init__(self, value, inputs=()):
            self.value, self.inputs = value, inputs

        def __add__(self, other):
            return Node(self.value + other.value, [(self, 1.0), (other, 1.0)])

        def __mul__(self, other):
            return Node(self.value * other.value, [(self, other.value), (other, self.value)])

        def all_gradients(self):
            found = {self: 1.0}
            waiting = [self]
            while waiting:
                node = waiting.pop()
                for one, slope in node.inputs:
                    found[one] = found.get(one, 0.0) + slope * found[node]
                    waiting.append(one)
            return found
"""


def test_gradients_that_are_returned(write: Write) -> None:
    """Those of two calls add up, as everywhere; those of the case before are none of this one's."""
    steps = (Backward(2), Observe(), Backward(2), Observe(), Zero((0,)), Backward(2), Observe())
    case = Case("shape/returned", Program.build([2.0, -3.0], [("mul", [0, 1])]), steps=steps)
    with open_subject(write(RETURNED)) as subject:
        assert subject.found["backward"] == "given = root.all_gradients()"
        assert subject.found["gradient"] == "given[a]"
        for _ in range(2):
            seen = [o.grad for o in subject.run([case])[0].observations]
            assert seen == [(-3.0, 2.0, 1.0), (-6.0, 4.0, 2.0), (-3.0, 6.0, 3.0)]


ASKED = """
    class Node:
        def __init__(self, value):
            self.value, self.users, self.owed = value, [], None

        def __add__(self, other):
            out = Node(self.value + other.value)
            self.users += [(1.0, out)]
            other.users += [(1.0, out)]
            return out

        def __mul__(self, other):
            out = Node(self.value * other.value)
            self.users += [(other.value, out)]
            other.users += [(self.value, out)]
            return out

        def {asked}(self):
            if self.owed is None:
                self.owed = sum(slope * user.{asked}() for slope, user in self.users)
            return self.owed
"""
"""Nothing goes backwards: a root is told that it is owed 1, and every value finds out what itself is owed."""

RESET = """
        def reset_all(self):
            self.owed = None
            for _, user in self.users:
                user.reset_all()
"""

QUESTIONS = {
    "a.grad()": "",
    "root.derivative(a)": """
        def derivative(self, x):
            self.owed = 1.0
            return x.pull()
""",
    "a.grad_of(root)": """
        def grad_of(self, y):
            y.owed = 1.0
            return self.pull()
""",
    "root.gradients([a])[0]": """
        def gradients(self, xs):
            self.owed = 1.0
            return [x.pull() for x in xs]
""",
    "grad_wrt(root, a)": """
    def grad_wrt(y, x):
        y.owed = 1.0
        return x.pull()
""",
    "diff(a, root)": """
    def diff(x, y):
        y.owed = 1.0
        return x.pull()
""",
    "gradients(root, [a])[0]": """
    def gradients(y, xs):
        y.owed = 1.0
        return [x.pull() for x in xs]
""",
}
"""How a value is asked, and what answers: a method or a function."""

ONCE_MORE = (Backward(5), Observe(), Backward(5), Observe(), Zero((0,)), Rebuild(), Backward(5), Observe())


@pytest.mark.parametrize("question", QUESTIONS)
def test_gradients_that_are_asked_for(question: str, write: Write) -> None:
    """Those of several roots add up, as everywhere."""
    text = ASKED.replace("{asked}", "pull" if QUESTIONS[question] else "grad") + RESET + QUESTIONS[question]
    case = Case("shape/asked", CASE.program, steps=ONCE_MORE)
    with open_subject(write(text)) as subject:
        assert subject.found["gradient"] == question and subject.found["reset"] == "a.reset_all()"
        for _ in range(2):
            once, twice, again = (o.grad for o in subject.run([case])[0].observations)
            assert once == GRAD and twice == tuple(2 * g for g in GRAD)
            assert again == (GRAD[0], *(3 * g for g in GRAD[1:3]), *GRAD[3:])


def test_an_earlier_expression_that_a_leaf_remembers(write: Write) -> None:
    """Without a way to let it forget, a leaf counts what was made of it before."""
    case = Case("shape/asked", CASE.program, steps=(*ONCE_MORE[:2], Rebuild(), *ONCE_MORE[:2]))
    with open_subject(write(ASKED.replace("{asked}", "grad"))) as subject:
        assert subject.found["backward"] == "root.owed = 1.0" and subject.found["reset"] == "a.owed = None"
        once, again = (o.grad for o in subject.run([case])[0].observations)
        assert once == GRAD and again == (*(3 * g for g in GRAD[:3]), *GRAD[3:])


def test_of_many_values_few_are_asked_by_root(write: Write) -> None:
    """Each question may go through the whole graph."""
    program = Program.build([2.0], [("mul", [k, 0]) for k in range(400)])
    text = ASKED.replace("{asked}", "pull") + QUESTIONS["grad_wrt(root, a)"]
    with open_subject(write(text)) as subject:
        grad = subject.run([Case("shape/many", program)])[0].observations[0].grad
        assert grad[0] == 401 * 2.0**400 and grad[-1] == 1.0 and grad[200] is None
    with open_subject(write(ASKED.replace("{asked}", "grad"))) as subject:
        grad = subject.run([Case("shape/many", program)])[0].observations[0].grad
        assert grad[0] == 401 * 2.0**400 and grad[200] == 2.0**200


def test_leaves_only(write: Write) -> None:
    text = changed(
        (
            "            node._backward()",
            "            node._backward()\n            if node._prev:\n                node.grad = None",
        ),
        ("self.grad = 0.0", "self.grad = 0.0"),
    )
    with open_subject(write(text)) as subject:
        assert subject.grads == "leaves"
        assert subject.run([CASE])[0].observations[0].grad == (*GRAD[:3], None, None, None)


def test_an_exponent_stays_an_int(write: Write) -> None:
    power = (
        "    def __pow__(self, k):\n        assert type(k) is int\n"
        "        return Value(self.data ** k, (self,))\n\n    def __neg__"
    )
    case = Case("shape/pow", Program.build([3.0], [("pow", [0, Num(2)])]))
    with open_subject(write(changed(("    def __neg__", power)))) as subject:
        assert subject.run([case])[0].observations[0].data == (3.0, 9.0)


def test_numpy_numbers(write: Write) -> None:
    numpy = pytest.importorskip("numpy")
    assert numpy
    text = changed(
        ("import math", "import math\nimport numpy as np"), ("self.data = data", "self.data = np.array(data)")
    )
    with open_subject(write(text), allow_imports=("numpy",)) as subject:
        assert subject.run([CASE])[0].observations[0].grad == GRAD


def test_what_was_found_is_told(write: Write) -> None:
    with open_subject(write(ENGINE)) as subject:
        assert subject.found["class"] == "Value"
        assert subject.found["data"] == "data" and subject.found["gradient"] == "grad"
        assert subject.found["backward"] == "root.backward()"
        assert subject.found["tanh"] == "a.tanh()" and subject.found["constructor"] == "Value(x)"
        assert subject.name == "engine.py:Value" and subject.language == "python"
        assert len(subject.sha256) == 64


def test_a_backward_that_never_ends_is_driven(write: Write) -> None:
    text = changed(("self.grad = 1.0", "while True:\n            pass"))
    with open_subject(write(text), timeout=0.5) as subject:
        assert subject.has_backward and "mul" in subject.ops
        assert subject.run([CASE])[0].lost == "timeout"


def test_the_class_with_a_working_backward_is_preferred(write: Write) -> None:
    dual = (
        "class Dual:\n    def __init__(self, x):\n        self.x = x\n"
        "    def __add__(self, other):\n        return Dual(self.x)\n"
    )
    with open_subject(write(changed(("import math", f"import math\n{dual}"), ("Value", "Karl")))) as subject:
        assert subject.name == "engine.py:Karl"


def test_static_functions_of_a_class(write: Write) -> None:
    functions = "\n\nclass F:\n    @staticmethod\n    def tanh(x):\n        return x._t()\n"
    with open_subject(write(changed((TANH, "    def _t(self):")) + functions)) as subject:
        assert subject.found["tanh"] == "F.tanh(…)"


def test_a_dataclass(write: Write) -> None:
    text = changed(
        (
            "    def __init__(self, data, parents=()):\n        self.data = data\n        self.grad = 0.0\n"
            "        self._prev = set(parents)\n        self._backward = lambda: None\n",
            "    data: float\n    _prev: tuple = ()\n    grad: float = 0.0\n    _backward: object = print\n",
        ),
        ("class Value", "@dataclass\nclass Value"),
        ("import math", "import math\nfrom dataclasses import dataclass"),
        (
            "if node not in seen:\n                seen.add(node)",
            "if id(node) not in seen:\n                seen.add(id(node))",
        ),
    )
    with open_subject(write(text)) as subject:
        assert subject.run([CASE])[0].observations[0].grad == GRAD
        trace = subject.trace(CASE)
        assert trace is not None and trace.values[3] is not None and trace.values[3].function == "__mul__"
