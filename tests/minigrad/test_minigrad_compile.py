"""compile: a replay has the bits of the object graph, for all ops and shapes of graphs; and what it refuses."""

from __future__ import annotations

import functools
import math
import operator
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_twin import INF, NAN, bits

import minigrad
from minigrad import Value, nn
from minigrad.engine import FORWARD, NO_GRAD, VJPS
from minigrad.recording import RecordingError
from minigrad.rules import PARAMETRISED, RULES
from minigrad.source import INLINE

EDGES = [0.0, -0.0, 5e-324, 1.0, -1.0, 2.0, 1e200, -1.7e308, INF, -INF, NAN]
number = st.one_of(st.sampled_from(EDGES), st.floats(-4, 4), st.floats())
SETTINGS: dict[str, tuple[Any, ...]] = {
    "clamp": (-0.5, None), "hardtanh": (-0.5, 2.0), "leaky_relu": (0.1,), "elu": (0.7,), "celu": (1.3,),
    "gelu": ("tanh",), "softplus": (2.0, 5.0), "softshrink": (0.3,), "hardshrink": (0.3,), "threshold": (0.2, -3.0),
    "pow": (3.0,),
}  # fmt: skip
BINARY = {name for name, rule in RULES.items() if len(rule.vjps) == 2}

Function = Callable[..., Value]


@st.composite
def functions(draw: st.DrawFn) -> Function:
    """A function of two inputs and of the parameters p, with every op there is, rows, constants and reuse."""
    lines: list[tuple[Any, ...]] = []
    for size in range(6, 6 + draw(st.integers(1, 25))):
        node = st.integers(0, size - 1)
        kind = draw(st.integers(0, 6))
        if kind < 2:
            lines.append((draw(st.sampled_from(["add", "mul", "sub", "mul"])), draw(node), draw(node)))
        elif kind == 2:
            name = draw(st.sampled_from(sorted(RULES)))
            lines.append((name, *[draw(node) for _ in range(1 + (name in BINARY))]))
        elif kind == 3:
            name = draw(st.sampled_from(sorted(PARAMETRISED)))
            operands = [draw(node) for _ in PARAMETRISED[name].vjps]
            lines.append((name, *operands, *SETTINGS.get(name, ())))
        elif kind == 4:
            row = draw(st.lists(st.tuples(node, node), min_size=1, max_size=4))
            lines.append(("dot", *zip(*row, strict=True), draw(st.none() | node)))
        elif kind == 5:
            lines.append(("sum", draw(st.lists(node, min_size=1, max_size=4))))
        else:
            lines.append(("number", draw(node), draw(number)))
    extra = draw(st.booleans())

    def function(p: list[Value], x: Any, pair: list[Any]) -> Any:
        values = [*p, x, *pair]
        for name, *operands in lines:
            values.append(apply(values, name, operands))
        return (values[-1], values[-2]) if extra else values[-1]

    return function


def apply(values: list[Value], name: str, operands: list[Any]) -> Value:
    if name == "number":
        return values[operands[0]] * operands[1]
    if name == "sum":
        return minigrad.sum([values[i] for i in operands[0]])
    if name == "dot":
        a, b, start = operands
        return minigrad.dot(
            [values[i] for i in a], [values[i] for i in b], None if start is None else values[start]
        )
    count = len(PARAMETRISED[name].vjps) if name in PARAMETRISED and name != "pow" else 1 + (name in BINARY)
    plain = operands[count:]
    if name == "pow" and len(operands) == 2 and isinstance(operands[1], float):
        return values[operands[0]] ** operands[1]
    result: Value = getattr(minigrad, name)(*[values[i] for i in operands[:count]], *plain)
    return result


def fresh(data: list[float]) -> list[Value]:
    return [Value(x) for x in data]


def equal(ours: Any, theirs: Any) -> bool:
    """Numbers, or tuples of numbers, to the bit."""
    ours, theirs = (x if isinstance(x, tuple) else (x,) for x in (ours, theirs))
    return [bits(x) for x in ours] == [bits(x) for x in theirs]


def data_of(result: Any) -> Any:
    return tuple(x.data for x in result) if isinstance(result, tuple) else result.data


def first(result: Any) -> Value:
    return result[0] if isinstance(result, tuple) else result  # type: ignore[no-any-return]


Row = tuple[float, list[float]]
row = st.tuples(number, st.lists(number, min_size=2, max_size=2))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(functions(), st.lists(number, min_size=3, max_size=3), st.lists(row, min_size=2, max_size=3), number)
def test_a_replay_has_the_bits_of_the_object_graph(
    function: Function, data: list[float], rows: list[Row], gradient: float
) -> None:
    """The call that records, later ones, backward twice, changed parameters, and a loop over rows."""
    p, q = fresh(data), fresh(data)
    compiled = minigrad.compile(functools.partial(function, p))
    for x, pair in rows:
        replayed, made = compiled(x, pair), function(q, Value(x), fresh(pair))
        assert equal(replayed.data, data_of(made))
        for g in (gradient, 1.0):
            replayed.backward(g)
            first(made).backward(g)
        assert [bits(v.grad) for v in p] == [bits(v.grad) for v in q]
        for v in (*p, *q):
            v.data += 0.25

    p, q = fresh(data), fresh(data)
    results = minigrad.compile(functools.partial(function, p)).backward_sum(rows, gradient)
    made_rows = [function(q, Value(x), fresh(pair)) for x, pair in rows]
    functools.reduce(operator.add, map(first, made_rows)).backward(gradient)
    assert len(results) == len(rows)
    assert all(equal(mine, data_of(made)) for mine, made in zip(results, made_rows, strict=True))
    assert [bits(v.grad) for v in p] == [bits(v.grad) for v in q]


def test_contributions_are_added_in_the_engines_order() -> None:
    """Numbers with all their digits, and values used again and again: any other order shows in the last bit."""
    rng = random.Random(77)
    for _ in range(60):
        data = [rng.uniform(-1.5, 1.5) for _ in range(4)]
        lines = [
            (rng.choice(("add", "sub", "mul", "dot", "sum", "tanh")), [rng.randrange(k) for _ in range(6)])
            for k in range(4, 30)
        ]

        def function(p: list[Value], lines: list[tuple[str, list[int]]] = lines) -> Value:
            values = [*p]
            for name, i in lines:
                x = [values[k] for k in i]
                if name == "dot":
                    values.append(minigrad.dot(x[:2], x[2:4], x[4]))
                elif name == "sum":
                    values.append(minigrad.sum(x[:3]))
                else:
                    values.append(getattr(minigrad, name)(*x[: 1 if name == "tanh" else 2]))
            return minigrad.sum([v.tanh() for v in values])

        p, q = fresh(data), fresh(data)
        minigrad.compile(functools.partial(function, p))().backward(0.3)
        function(q).backward(0.3)
        assert [v.grad for v in p] == [v.grad for v in q]


def test_a_gradient_handed_on_to_two_is_not_added_to() -> None:
    """u + v hands its gradient on to both; what u gets besides must not reach v."""

    def function(p: Value) -> Value:
        u, v = p * 1.1, p * 1.3
        return u * 0.7 + (u + v)

    p, q = Value(0.6), Value(0.6)
    minigrad.compile(lambda: function(p))().backward()
    function(q).backward()
    assert p.grad == q.grad == pytest.approx(1.1 * 1.7 + 1.3)


@pytest.mark.parametrize("key", INLINE)
def test_formulas_written_out_are_the_rows_of_the_table(key: str) -> None:
    name, _, exponent = key.rstrip(")").partition("(")
    rule = PARAMETRISED[name] if exponent else RULES[name]
    plain = [float(exponent)] if exponent else []
    forward, *vjps = INLINE[key]
    assert len(vjps) == len(rule.vjps)
    for a in (*EDGES, 0.7, -1.3):
        for b in (*EDGES, -0.4)[: None if len(vjps) == 2 else 1]:
            operands = [a, b][: len(vjps)]
            y = rule.forward(*operands, *plain)
            scope = {"tanh": math.tanh, "a": a, "b": b, "y": y}
            assert bits(eval(forward.format("a", "b"), scope)) == bits(y)
            for g in (1.0, -0.75, -0.0, INF, NAN):
                for written, vjp in zip(vjps, rule.vjps, strict=True):
                    line = written.format("a", "b", g="g", y="y")
                    assert bits(eval(line, {**scope, "g": g})) == bits(vjp(g, y, *operands, *plain)), (
                        line,
                        a,
                        b,
                        g,
                    )


def test_a_training_step_has_the_bits_of_the_object_graph() -> None:
    rng = random.Random(3)
    rows = [([rng.uniform(-1, 1), rng.uniform(-1, 1)], rng.choice((-1.0, 1.0))) for _ in range(9)]
    for fused in (False, True):
        nets = [nn.MLP(2, [4, 4, 1], rng=random.Random(1), fused=fused) for _ in range(2)]

        def margin(net: nn.MLP, x: Any, side: Any) -> Value:
            return (1 - net(x) * side).relu()

        compiled = minigrad.compile(functools.partial(margin, nets[0]))
        for _ in range(3):
            losses = compiled.backward_sum(rows, 1 / len(rows))
            made = [margin(nets[1], x, side) for x, side in rows]
            (functools.reduce(operator.add, made) * (1 / len(rows))).backward()
            assert losses == [loss.data for loss in made]
            for p, q in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
                assert bits(p.grad) == bits(q.grad)
                p.data -= 0.1 * p.grad
                q.data -= 0.1 * q.grad
            assert any(p.grad for p in nets[0].parameters())


few = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0, -1.0])


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.one_of(few, few, number), min_size=17, max_size=17),
    st.lists(st.tuples(st.lists(few | number, min_size=2, max_size=2), few), min_size=1, max_size=6),
    st.sampled_from([1.0, -0.25, 0.0, -0.0]),
)
def test_zeros_are_left_out_only_where_they_change_nothing(
    data: list[float], rows: list[tuple[list[float], float]], gradient: float
) -> None:
    """Neurons that are dead in some rows or in all; every kind of zero; operands that are not finite."""
    nets = [nn.MLP(2, [4, 1], fused=fused) for fused in (True, False)]
    for net in nets:
        for parameter, x in zip(net.parameters(), data, strict=True):
            parameter.data = x

    def margin(net: nn.MLP, x: Any, side: Any) -> Value:
        return (0.5 - net(x) * side).relu()

    minigrad.compile(functools.partial(margin, nets[0])).backward_sum(rows, gradient)
    made = [margin(nets[1], x, side) for x, side in rows]
    functools.reduce(operator.add, made).backward(gradient)
    for p, q in zip(*(net.parameters() for net in nets), strict=True):
        assert bits(p.grad) == bits(q.grad)


def test_a_row_too_long_for_one_line() -> None:
    """Python's parser is recursive."""
    w = fresh([0.1 * k for k in range(1000)])
    long = minigrad.compile(lambda x: minigrad.dot(w, [x] * 1000) + minigrad.sum(w))
    replayed, made = long(0.3), minigrad.dot(w, [0.3] * 1000) + minigrad.sum(w)
    assert replayed.data == made.data
    replayed.backward()
    assert {v.grad for v in w} == {1.3}


def test_a_value_read_a_thousand_times_and_a_long_chain_of_kinks() -> None:
    """Neither is one expression as deep, or as long, as the graph."""

    def function(p: Value) -> Value:
        out = minigrad.dot([p] * 500, [p * (0.1 * k) for k in range(500)])
        for _ in range(2000):
            out = out.relu()
        return out + p

    p, q = Value(0.7), Value(0.7)
    minigrad.compile(lambda: function(p))().backward(0.3)
    function(q).backward(0.3)
    assert bits(p.grad) == bits(q.grad)


def test_gradients_add_to_those_that_are_there() -> None:
    w, unused = Value(2.0), Value(1.0)
    f = minigrad.compile(lambda x: (w * x, unused * x))
    f(3.0).backward()
    f(3.0).backward(0.5)
    assert (w.grad, unused.grad) == (4.5, 0.0)
    assert unused.grad is NO_GRAD
    w.grad = None  # type: ignore[assignment]
    f(5).backward()
    assert w.grad == 5.0


def test_whole_numbers_are_floats_as_in_a_graph() -> None:
    f = minigrad.compile(lambda x, y: x * x + y)
    big = 2**53 + 1
    assert f(big, 1).data == f(big, 1).data == float(big) * float(big) + 1.0
    assert isinstance(f(2, 3).data, float)


def test_the_result_may_be_an_input_a_parameter_or_a_constant() -> None:
    w = Value(4.0)
    assert minigrad.compile(lambda x: x)(3.0).data == 3.0
    minigrad.compile(lambda x: w)(3.0).backward(0.5)
    assert w.grad == 0.5
    minigrad.compile(lambda x: Value(7.0))(1.0).backward()
    assert minigrad.compile(lambda: w * 2)().data == 8.0
    assert minigrad.compile(lambda: w * 2).backward_sum([(), ()]) == [8.0, 8.0]
    assert w.grad == 4.5
    assert minigrad.compile(lambda: w * 2).backward_sum([]) == []


# What it refuses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "later", [(1.0,), (1.0, [2.0]), (1.0, [2.0, 3.0, 4.0]), (1.0, 2.0), ([1.0], [2.0, 3.0])]
)
def test_inputs_of_another_shape(later: tuple[Any, ...]) -> None:
    w = Value(1.0)
    f = minigrad.compile(lambda x, pair: x * pair[0] * pair[1] * w)
    f(1.0, [2.0, 3.0])
    with pytest.raises(RecordingError, match=r"but \(number, \(number, number\)\) was recorded"):
        f(*later)
    with pytest.raises(RecordingError, match=r"row 1: inputs of shape"):
        f.backward_sum([(1.0, [2.0, 3.0]), later])
    assert w.grad is NO_GRAD
    assert f(1.0, [2.0, 4.0]).data == 8.0


def test_control_flow_that_differs_is_found_by_checking() -> None:
    def branching(x: Value) -> Value:
        return x * 2 if x.data > 0 else x * 3

    quiet, strict = minigrad.compile(branching), minigrad.compile(branching, check=True)
    assert [f(1.0).data for f in (quiet, strict)] == [2.0, 2.0]
    assert quiet(-1.0).data == -2.0  # as its docstring says
    assert strict(4.0).data == 8.0
    for act in (
        lambda: strict(-1.0),
        lambda: quiet.check(-1.0),
        lambda: strict.backward_sum([(1.0,), (-1.0,)]),
    ):
        with pytest.raises(
            RecordingError, match=r"value 1 was constant .* is constant .* branches on its data"
        ):
            act()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.relu() if x.data > 0 else x.tanh(),
        lambda x: minigrad.sum([x] * (1 + (x.data > 0))),
        lambda x: x * x if x.data > 0 else x * x * x,
        lambda x: x * float(x.data),
        lambda x: (x, x * 2)[:: 1 if x.data > 0 else -1],
    ],
)
def test_every_kind_of_difference_is_found(function: Function) -> None:
    f = minigrad.compile(function, check=True)
    f(2.0)
    f(2.0)
    with pytest.raises(RecordingError, match=r"when recorded"):
        f(-3.0)


def test_new_parameters_are_found_by_checking() -> None:
    net = nn.Neuron(1, "linear", random.Random(1))
    f = minigrad.compile(lambda x: net([x]), check=True)
    f(1.0)
    net.w[0] = Value(3.0)  # type: ignore[index]
    with pytest.raises(RecordingError, match="brings in new numbers or Values"):
        f(1.0)


def test_values_that_were_computed_before() -> None:
    w = Value(2.0) * 3
    with pytest.raises(RecordingError, match="was computed before the function"):
        minigrad.compile(lambda x: x * w)(1.0)


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: minigrad.compile(lambda x: 3.0)(1.0), r"must return a Value or a tuple of Values, not 3\.0"),
        (lambda: minigrad.compile(lambda x: ())(1.0), "empty tuple"),
        (lambda: minigrad.compile(lambda x: x)("a"), "inputs are numbers and lists of numbers, got str"),
        (lambda: minigrad.compile(lambda x: x)(Value(1.0)), "got Value: a Value that the function uses"),
        (lambda: minigrad.compile(chain)(40_000), r"40,\d\d\d values .*at most 30,000.* backward_sum"),
    ],
)
def test_mistakes_get_a_sentence(act: Callable[[], object], message: str) -> None:
    with pytest.raises(RecordingError, match=message):
        act()


def chain(length: Value) -> Value:
    out = Value(1.0)
    for _ in range(int(length.data)):
        out = -out
    return out


def test_every_op_is_in_the_tables_that_the_property_draws_from() -> None:
    assert set(FORWARD) == set(VJPS) == set(RULES)
    assert set(SETTINGS) == {name for name, rule in PARAMETRISED.items() if rule.parameters} - {
        "addcmul",
        "addcdiv",
    }
