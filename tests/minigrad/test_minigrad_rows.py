"""dot, sum and fused networks: the numbers of the nodes that they stand for, PyTorch's gradients, and mistakes."""

from __future__ import annotations

import copy
import functools
import math
import operator
import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_twin import INF, NAN, Twin, bits

import minigrad
from minigrad import Value, nn
from minigrad.rows import LONGEST, NEURONS, ROWS, Rules

number = st.one_of(
    st.sampled_from([0.0, -0.0, 5e-324, 1.0, -1.7e308, INF, NAN]), st.floats(-4, 4), st.floats()
)
Picks = list[tuple[int, int]]


def added(terms: list[Any]) -> Any:
    """What sum stands for."""
    return functools.reduce(operator.add, terms)


def products(x: list[Any], y: list[Any], start: Any) -> Any:
    """What dot stands for, in operators."""
    terms = [a * b for a, b in zip(x, y, strict=True)]
    return added(terms if start is None else [start, *terms])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(number, min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=6),
    st.sampled_from([None, 0, 1]),
    number,
)
def test_dot_and_sum_are_the_operators_in_torch(
    leaves: list[float], picks: Picks, start: int | None, upstream: float
) -> None:
    """Operands repeat within a row, across rows, and after them. Data and gradients to the bit."""
    twin = Twin()
    nodes = [twin.leaf(x) for x in leaves]
    x, y = ([pick[side] % len(nodes) for pick in picks] for side in (0, 1))
    begin = None if start is None else start % len(nodes)

    def made(values: list[Any], dot: Callable[..., Any], total: Callable[..., Any]) -> Any:
        first = None if begin is None else values[begin]
        return total([values[i] for i in x] + [dot([values[i] for i in x], [values[i] for i in y], first)])

    root = made(twin.ours, minigrad.dot, minigrad.sum), made(twin.theirs, products, added)
    twin.ours.append(root[0])
    twin.theirs.append(root[1])
    twin.backward(len(nodes), upstream)
    twin.theirs[-1] = root[1].detach()
    twin.theirs[-1].grad = torch.tensor(upstream, dtype=torch.float64)
    assert twin.differences() == []


def test_a_row_is_one_node_with_its_operands() -> None:
    x, y, s = [Value(2.0), Value(3.0)], [Value(5.0), Value(7.0)], Value(1.0)
    out = minigrad.dot(x, y, s)
    assert (out.data, out.op, out.parents, out.parameters) == (32.0, "dot", (s, *x, *y), {})
    out.backward()
    assert [v.grad for v in (*x, *y, s)] == [5.0, 7.0, 2.0, 3.0, 1.0]
    assert minigrad.dot(x, y).data == 31.0
    total = minigrad.sum([*x, 4])
    assert (total.data, total.op, len(total.parents), total.parameters) == (9.0, "sum", 3, {})


@pytest.mark.parametrize("size", [1, 2, 16, LONGEST // 2, LONGEST // 2 + 1, LONGEST, LONGEST + 1])
@pytest.mark.parametrize("started", [False, True])
def test_short_rows_are_written_out_and_long_ones_looped_over(size: int, started: bool) -> None:
    """The same bits, with operands that repeat."""
    rng = random.Random(size)
    numbers = [rng.uniform(-1.5, 1.5) for _ in range(max(2, size // 2))]
    picks = [(rng.randrange(len(numbers)), rng.randrange(len(numbers))) for _ in range(size)]

    def grads(dot: Callable[..., Any], total: Callable[..., Any]) -> list[int]:
        values = [Value(x) for x in numbers]
        a, b = ([values[pick[side]] for pick in picks] for side in (0, 1))
        root = dot(a, b, values[0] if started else None) * total(a)
        root.backward(0.3)
        return [bits(x) for x in (root.data, *(v.grad for v in values))]

    assert grads(minigrad.dot, minigrad.sum) == grads(products, added)


def test_a_row_is_added_from_the_left() -> None:
    assert minigrad.sum([0.1] * 10).data == functools.reduce(operator.add, [0.1] * 10) != 1.0


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda: minigrad.sum([]), ValueError, "at least one term"),
        (lambda: minigrad.dot([], []), ValueError, "got 0 and 0"),
        (lambda: minigrad.dot([1.0], [1.0, 2.0]), ValueError, "got 1 and 2"),
        (lambda: minigrad.sum(["1"]), TypeError, "sum takes Values and numbers"),
        (lambda: minigrad.dot([1.0], [None]), TypeError, "dot takes Values and numbers"),
    ],
)
def test_mistakes_get_a_sentence(act: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        act()


# Networks -----------------------------------------------------------------------------------------------------


def loss(net: nn.MLP, points: list[list[float]]) -> Value:
    """Max-margin of two outputs with weight decay: weights are shared by samples, and by the decay."""
    terms = []
    for k, point in enumerate(points):
        out: Any = net(point)
        terms.append((1 - out[0] * (-1.0) ** k).relu() + out[1] * out[1])
    decay = functools.reduce(operator.add, [p * p for p in net.parameters()])
    return functools.reduce(operator.add, terms) * 0.1 + decay * 1e-3


few = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, -1.0])


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["relu", "tanh", "sigmoid"]),
    st.lists(few | number, min_size=15, max_size=15),
    st.lists(st.lists(few | number, min_size=2, max_size=2), min_size=1, max_size=4),
    few,
    st.sampled_from([LONGEST, 0]),
)
def test_zeros_are_left_out_only_where_they_change_nothing(
    activation: str, data: list[float], points: list[list[float]], upstream: float, longest: int
) -> None:
    """Neurons that pass nothing on, every kind of zero, operands that are not finite; written out or as a loop.
    Gradients of parameters, inputs and hidden values to the bit."""
    shown = []
    with pytest.MonkeyPatch.context() as patch:
        for op in NEURONS:
            patch.setitem(ROWS, op, Rules(ROWS[op].loop, ROWS[op].written, longest))
        for fused in (False, True):
            net = nn.MLP(2, [2, 2, 1], activation, fused=fused)
            for parameter, x in zip(net.parameters(), data, strict=True):
                parameter.data = x
            inputs = [[Value(x) for x in point] for point in points]
            hidden = [net.layers[0](point) for point in inputs]
            outs: list[Any] = [net.layers[2](net.layers[1](row)) for row in hidden]
            root = added([(0.5 - out).relu() for out in outs])
            root.backward(upstream)
            values = [root, *outs, *net.parameters(), *(v for row in (*inputs, *hidden) for v in row)]
            shown.append([(bits(v.data), bits(v.grad)) for v in values])
    assert shown[0] == shown[1]


@pytest.mark.parametrize("longest", [LONGEST, 0])
def test_no_gradient_times_infinity_is_nan(monkeypatch: pytest.MonkeyPatch, longest: int) -> None:
    """Also where a number has been added up before: the weight's, by the second point, which is passed first."""
    monkeypatch.setitem(ROWS, "dot", Rules(ROWS["dot"].loop, ROWS["dot"].written, longest))
    neuron = nn.Neuron(1, "linear", random.Random(1), fused=True)
    (neuron([INF]) * 0.0 + neuron([2.0])).backward()
    assert math.isnan(neuron.w[0].grad) and neuron.b.grad == 1.0


@pytest.mark.parametrize(
    ("activation", "op"), [("relu", "dot_relu"), ("tanh", "dot_tanh"), ("linear", "dot")]
)
def test_a_fused_neuron_is_one_node(activation: str, op: str) -> None:
    neuron = nn.Neuron(2, activation, random.Random(1), fused=True)
    x = [Value(0.5), Value(-0.25)]
    out = neuron(x)
    assert (out.op, out.parents, out.parameters) == (op, (neuron.b, *neuron.w, *x), {})
    x[0].data = INF
    assert size(neuron(x)) == (
        7 if activation != "linear" else 6
    )  # what hides an infinity is a node of its own


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_a_fused_network_can_be_copied(copied: Callable[[nn.MLP], nn.MLP]) -> None:
    net = nn.MLP(2, [3, 1], "tanh", rng=random.Random(2), fused=True)
    other = copied(net)
    out: Any = other([0.3, -0.7])
    assert out.data == net([0.3, -0.7]).data  # type: ignore[union-attr]
    out.backward()
    assert any(p.grad for p in other.parameters()) and not any(p.grad for p in net.parameters())


@pytest.mark.parametrize("activation", ["relu", "tanh", "linear", "gelu"])
def test_fused_network_has_the_bits_of_the_plain_one(activation: str) -> None:
    """Samples, and neurons that read one input, are passed newest first either way; measured: not a bit differs."""
    rng = random.Random(5)
    points = [[rng.uniform(-2, 2) for _ in range(3)] for _ in range(7)]
    plain, fused = (
        nn.MLP(3, [5, 4, 2], activation, "tanh", random.Random(1), fused=f) for f in (False, True)
    )
    one, other = loss(plain, points), loss(fused, points)
    one.backward()
    other.backward()
    assert bits(one.data) == bits(other.data)
    for p, q in zip(plain.parameters(), fused.parameters(), strict=True):
        assert bits(p.grad) == bits(q.grad)
    assert any(p.grad for p in plain.parameters())
    assert size(other) < size(one) / 2
    assert plain.state_dict() == fused.state_dict()


def size(root: Value) -> int:
    found, todo = {root}, [root]
    while todo:
        new = [p for p in todo.pop().parents if p not in found]
        found.update(new)
        todo += new
    return len(found)


def test_a_fused_neuron_sees_new_weights_and_a_new_bias() -> None:
    neuron = nn.Neuron(2, "linear", random.Random(1), fused=True)
    neuron([1.0, 1.0])
    neuron.w, neuron.b = (Value(2.0), Value(3.0)), Value(5.0)
    out: Any = neuron([1.0, 10.0])
    out.backward()
    assert (out.data, [w.grad for w in neuron.w], neuron.b.grad) == (37.0, [1.0, 10.0], 1.0)
    neuron.b = Value(7.0)
    assert neuron([1.0, 10.0]).data == 39.0


def test_fused_backward_twice_adds() -> None:
    net = nn.MLP(2, [3, 1], "tanh", rng=random.Random(2), fused=True)
    out: Any = net([0.3, -0.7])
    out.backward()
    once = [p.grad for p in net.parameters()]
    out.backward()
    assert [p.grad for p in net.parameters()] == [2 * g for g in once]
    assert any(once)


def test_unfused_is_the_default_because_people_look_at_its_graph() -> None:
    net = nn.MLP(2, [2, 1], rng=random.Random(1))
    assert {type(n.w) for layer in net.layers for n in layer.neurons} == {list}
    out: Any = net([1.0, 2.0])
    assert out.op == "add"
