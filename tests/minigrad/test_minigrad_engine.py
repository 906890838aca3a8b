"""The engine: what backward adds where, operand forms, errors, memory, and what the table of rules cites."""

from __future__ import annotations

import copy
import gc
import inspect
import math
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch_twin import INF, NAN, Twin, bits

import minigrad
from minigrad import Value
from minigrad.rules import PARAMETRISED, RULES


def diamond() -> Twin:
    """a = -1.5, b = 0.7, c = a*b, d = c + a, e = c*d, with c, a and b shared."""
    twin = Twin()
    a, b = twin.leaf(-1.5), twin.leaf(0.7)
    c = twin.apply(lambda x, y: x * y, a, b)
    d = twin.apply(lambda x, y: x + y, c, a)
    twin.apply(lambda x, y: x * y, c, d)
    return twin


# Backward -------------------------------------------------------------------------------------------------


def test_backward_twice_adds_at_leaves_and_between() -> None:
    twin = diamond()
    twin.backward(4)
    once = [x.grad for x in twin.ours]
    twin.backward(4)
    assert twin.differences() == []
    assert [x.grad for x in twin.ours] == [2 * g for g in once]


def test_two_roots_over_shared_nodes() -> None:
    twin = diamond()
    other = twin.apply(lambda x: x**3, 2)
    twin.backward(4)
    twin.backward(other, -0.5)
    twin.backward(3)
    assert twin.differences() == []


def test_nodes_that_do_not_lead_to_the_root_keep_their_gradient() -> None:
    twin = diamond()
    aside = twin.apply(lambda x: x * 5.0, 1)
    twin.backward(aside)
    kept = twin.ours[aside].grad
    twin.backward(2)
    assert twin.differences() == []
    assert twin.ours[aside].grad == kept == 1.0
    assert twin.ours[4].grad == 0.0
    assert twin.theirs[4].grad is None


def test_root_that_is_a_leaf() -> None:
    x = Value(3.0)
    x.backward()
    x.backward(0.25)
    assert x.grad == 1.25


def test_first_negative_zero_is_kept_and_added_to_set_zeros() -> None:
    for preset in (None, 0.0):
        twin = Twin()
        x, y = twin.leaf(2.0), twin.leaf(-0.0)
        product = twin.apply(lambda a, b: a * b, x, y)
        if preset is not None:  # a zero that the user sets is a zero that PyTorch adds to
            twin.ours[x].grad = preset
            twin.theirs[x].grad = torch.tensor(preset, dtype=torch.float64)
        twin.backward(product)
        assert twin.differences() == []
        assert math.copysign(1.0, twin.ours[x].grad) == (-1.0 if preset is None else 1.0)


def test_gradients_of_none_start_anew_as_in_torch() -> None:
    x = Value(2.0)
    (x * x).backward()
    x.grad = None  # type: ignore[assignment]
    (x * x).backward()
    assert x.grad == 4.0


def test_gradients_are_added_in_order_of_creation() -> None:
    """0.1 + 0.2 + 0.3 depends on the order in the last bit; so does the newest-first rule."""
    twin = Twin()
    x = twin.leaf(1.0)
    parts = [twin.apply(lambda v, k=k: v * k, x) for k in (0.1, 0.2, 0.3)]
    s = twin.apply(lambda a, b: a + b, parts[2], parts[0])
    twin.backward(twin.apply(lambda a, b: a + b, parts[1], s))
    assert twin.differences() == []
    assert twin.ours[x].grad == 0.3 + 0.2 + 0.1 != 0.1 + 0.2 + 0.3


@pytest.mark.parametrize("op", ["add", "mul"])
def test_rules_that_backward_writes_out_are_the_rows_of_the_table(op: str) -> None:
    for a in (0.0, -0.0, 1.5, -0.3, INF, NAN):
        for g in (1.0, -0.75, -0.0, INF):
            x, y = Value(a), Value(0.3)
            out = getattr(minigrad, op)(x, y)
            out.backward(g)
            expected = [vjp(g, out.data, a, 0.3) for vjp in RULES[op].vjps]
            assert [bits(x.grad), bits(y.grad)] == [bits(e) for e in expected]


# Building -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [3, 3.0, -0.5, 0, INF])
def test_numbers_on_either_side_of_every_operator(number: float) -> None:
    forms: list[Callable[..., object]] = [
        lambda x: x + number, lambda x: number + x, lambda x: x - number, lambda x: number - x,
        lambda x: x * number, lambda x: number * x, lambda x: x / number, lambda x: number / x,
        lambda x: x**number, lambda x: number**x, lambda x: x % number,
    ]  # fmt: skip
    for form in forms:
        for data in (1.7, -0.6, 0.0):
            twin = Twin()
            twin.leaf(data)
            twin.backward(twin.apply(form, 0))
            assert twin.differences() == []


def test_remainder_of_a_number() -> None:
    """`number % x` has no derivative in PyTorch, which takes no number there; that of a tensor is meant."""
    for number, data in ((7.5, 2.0), (-7.5, 2.0), (7, -2.0), (1, 0.0)):
        twin = Twin()
        twin.leaf(data)
        theirs = torch.tensor(float(number), dtype=torch.float64)
        twin.backward(twin.apply(lambda x, n=number: n % x, 0, theirs=lambda x, n=theirs: n % x))
        assert twin.differences() == []


def test_sum_and_in_place_operators() -> None:
    x, y = Value(2.0), Value(5.0)
    z = sum([x, y, x * y])
    w = z
    z += x
    z *= 2
    z -= y
    z /= 4
    z **= 2
    assert (w.data, z.data) == (17.0, ((19 * 2 - 5) / 4) ** 2)
    assert x.op == y.op == ""


def test_parents_keep_order_and_duplicates() -> None:
    x, y = Value(2.0), Value(5.0)
    assert (y / x).parents == (y, x)
    assert (x * x).parents == (x, x)
    assert x.relu().parents == (x,)
    assert x.lerp(y, x).parents == (x, y, x)
    assert x.parents == ()
    assert [p.data for p in (3 - x).parents] == [3.0, 2.0]
    assert repr((x**3).parameters) == "{'exponent': 3.0}"
    assert x.clamp(max=1).parameters == {"min": None, "max": 1.0}


def test_data_is_always_a_float() -> None:
    for x in (Value(3), Value(True), Value(1) + 2, Value(2) ** 2, Value(5).clamp(0, 1), Value(-1).floor()):
        assert type(x.data) is float


def test_identity_is_equality() -> None:
    x, y = Value(1.0), Value(1.0)
    assert x != y
    assert len({x, y}) == 2


def test_repr() -> None:
    x = Value(2, label="x")
    y = x * x
    y.backward()
    assert repr(x) == "Value(data=2.0, grad=4.0, label='x')"
    assert repr(y) == "Value(data=4.0, grad=1.0, op='mul')"


def test_functions_take_numbers_and_values() -> None:
    x = Value(0.5)
    assert minigrad.tanh(0.5).data == minigrad.tanh(x).data == x.tanh().data
    assert minigrad.maximum(2, x).data == 2.0
    assert minigrad.leaky_relu(-2, negative_slope=0.5).data == -1.0


# Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda x: x + "a", "unsupported operand"),
        (lambda x: "a" - x, "unsupported operand"),
        (lambda x: x**None, "unsupported operand"),
        (lambda x: [1] / x, "unsupported operand"),
        (lambda x: 1j % x, "unsupported operand"),
        (lambda x: x < 1, "not supported between"),
        (lambda x: Value("3"), "Value holds one real number, got '3' of type str"),
        (lambda x: Value(x), "Value holds one real number"),
        (lambda x: x.maximum("3"), "maximum takes Values and numbers, got '3' of type str"),
        (lambda x: minigrad.tanh(None), "tanh takes Values and numbers, got None"),
        (lambda x: x.elu(alpha=x), "elu: alpha is a plain number"),
        (lambda x: x.elu("1"), "elu: alpha is a plain number, got '1' of type str"),
        (lambda x: x.leaky_relu(None), "leaky_relu: negative_slope is a plain number, got None"),
    ],
)
def test_operands_of_another_type(act: Callable[[Value], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        act(Value(2.0))


@pytest.mark.parametrize(
    "act",
    [
        lambda x: x.clamp(),
        lambda x: x.hardtanh(1.0, -1.0),
        lambda x: x.celu(0.0),
        lambda x: x.gelu("tan"),
        lambda x: x.softshrink(-1.0),
    ],
)
def test_parameters_that_torch_refuses(act: Callable[[Value], object]) -> None:
    with pytest.raises(ValueError, match=r"clamp|hardtanh|celu|gelu|softshrink"):
        act(Value(2.0))


def test_another_class_may_take_over() -> None:
    class Other:
        def __radd__(self, x: Value) -> str:
            return "taken"

    assert Value(1.0) + Other() == "taken"


# Size -----------------------------------------------------------------------------------------------------


def chain(length: int) -> tuple[Value, Value]:
    x = Value(1.0)
    y = x
    for _ in range(length // 2):
        y = (y * x).relu()
    return x, y


def test_a_million_nodes_at_the_default_recursion_limit_freed_without_the_collector() -> None:
    assert sys.getrecursionlimit() <= 10_000
    gc.collect()
    gc.disable()
    try:
        before = sys.getallocatedblocks()
        x, y = chain(1_000_000)
        y.backward()
        assert x.grad == 500_001.0
        assert sys.getallocatedblocks() - before > 1_000_000
        del y
        assert sys.getallocatedblocks() - before < 10_000
    finally:
        gc.enable()


def test_a_graph_has_no_reference_cycles() -> None:
    x, y = chain(100)
    (y / 3 + y.lerp(x, y) + y.gelu()).backward()
    gc.collect()
    gc.disable()
    try:
        del y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_bytes_of_a_node() -> None:
    code = (
        "import tracemalloc; from minigrad import Value; x = y = Value(1.5); tracemalloc.start()\n"
        "for _ in range(50_000): y = y * x\n"
        "print(tracemalloc.get_traced_memory()[0] / 50_000)"
    )
    assert float(run(code)) <= 165


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_is_light() -> None:
    loaded = run("import sys, minigrad, minigrad.nn; print(*sys.modules)").split()
    assert "minigrad" in loaded
    assert not {"torch", "numpy", "oracle", "graphviz", "mpmath", "dataclasses", "inspect"} & set(loaded)


def test_copies_and_pickles_of_leaves() -> None:
    x = Value(2.5, label="x")
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert (twin.data, twin.label, twin.op) == (2.5, "x", "")
        (twin * 3).backward()
        assert twin.grad == 3.0
    assert x.grad == 0.0


# The vocabulary -------------------------------------------------------------------------------------------


def test_every_op_is_a_method_and_a_function() -> None:
    for op, rule in (RULES | PARAMETRISED).items():
        assert callable(getattr(Value, op))
        assert callable(getattr(minigrad, op))
        assert getattr(minigrad, op) is not getattr(Value, op)
        assert op in minigrad.__all__ or op in ("abs", "pow", "round")
        assert len(rule.vjps) in (1, 2, 3)


def test_methods_add_no_op_without_a_rule() -> None:
    methods = {name for name in vars(minigrad.methods.Methods) if not name.startswith("_")}
    assert methods == set(RULES) | set(PARAMETRISED)


def test_parameters_have_torchs_names_and_defaults() -> None:
    torch_defaults = {
        "hardtanh": (-1.0, 1.0), "leaky_relu": (0.01,), "elu": (1.0,), "celu": (1.0,), "gelu": ("none",),
        "softplus": (1.0, 20.0), "softshrink": (0.5,), "hardshrink": (0.5,), "addcmul": (1.0,), "addcdiv": (1.0,),
        "clamp": (None, None),
    }  # fmt: skip
    for op, defaults in torch_defaults.items():
        parameters = inspect.signature(getattr(Value, op)).parameters
        names = PARAMETRISED[op].parameters
        assert tuple(parameters[name].default for name in names) == defaults


def test_cited_entries_exist_in_derivatives_yaml() -> None:
    torchgen = pytest.importorskip("torchgen")
    yaml = Path(torchgen.__file__).parent / "packaged/autograd/derivatives.yaml"
    entries = set(re.findall(r"^- name: ([\w.]+)\(", yaml.read_text(), re.MULTILINE))
    assert len(entries) > 300
    for op, rule in [*RULES.items(), *PARAMETRISED.items()]:
        entry = rule.source.partition(":")[0]
        if entry.startswith("torch."):
            assert hasattr(torch.nn.functional, entry.rpartition(".")[2]), op
        else:
            assert entry in entries, op
