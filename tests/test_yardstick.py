"""The yardstick of global differences: right engines stay within it, a wrong rule does not."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oracle import standard_reference, torch_reference
from oracle.case import Backward, Case, Observe
from oracle.floats import U
from oracle.judge.yardstick import yardstick
from oracle.program import Program
from oracle.recording import record
from oracle.vocabulary import VOCABULARY

OPS = ("add", "sub", "mul", "div", "neg", "tanh", "sigmoid", "exp", "sin", "square", "maximum")


def program(rng: Random) -> Program:
    """A random program of 25 nodes over three leaves."""
    inputs = [rng.uniform(-2, 2) for _ in range(3)]
    nodes: list[tuple[str, list[int]]] = []
    for k in range(25):
        op = rng.choice(OPS)
        nodes.append((op, [rng.randrange(max(0, k - 6), k + 3) for _ in range(VOCABULARY[op].arity)]))
    return Program.build(inputs, nodes, 27)


def rounded_otherwise(of: Program, rng: Random) -> tuple[list[float], list[float]]:
    """Data and gradients as a right engine could have them, which uses up the bound of every rule."""
    data = list(of.inputs)
    nodes = list(of.nodes())
    for _, node in nodes:
        point = of.operand_data(node, data)
        y = standard_reference.value(node, point)
        assert y is not None
        data.append(y + rng.choice((-1, 1)) * VOCABULARY[node.op].value_bound.at(point, y))
    grad = [0.0] * len(data)
    grad[of.root] = 1.0
    live = of.reaches()
    for k, node in reversed(nodes):
        point = of.operand_data(node, data)
        for slot, i in enumerate(node.operands):
            if live[k] and i >= 0:
                share = standard_reference.vjp(node, point, slot, grad[k])
                assert share is not None
                bound = VOCABULARY[node.op].slope_bound.at(point, share, abs(grad[k]))
                grad[i] += share + rng.choice((-1, 1)) * bound
    return data, grad


@example(150)  # second order: the product of two differences is all there is
@example(68)
@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9))
def test_right_engines_stay_within(seed: int) -> None:
    rng = Random(seed)
    of = program(rng)
    (world,) = torch_reference.run(Case("x", of, "", (Backward(of.root), Observe())))
    if not all(map(math.isfinite, world.data)) or max(map(abs, world.data)) > 1e12:
        return
    far = yardstick(of, world.data, world.grad, of.root)
    data, grad = rounded_otherwise(of, rng)
    for i in range(len(of)):
        assert abs(data[i] - world.data[i]) <= far.data[i]
        if world.grad[i] is not None:
            assert abs(grad[i] - world.grad[i]) <= far.grad[i]


def test_arithmetic_without_cancellation_has_a_narrow_one() -> None:
    of = record(lambda a, b: (a * b + 10.0) * b, 2.0, 3.0)
    (world,) = torch_reference.run(Case("x", of, "", (Backward(of.root), Observe())))
    far = yardstick(of, world.data, world.grad, of.root)
    assert far.data[-1] == 0.0, "each op is rounded correctly, at equal operands"
    # two products in a row, each off by its bound (6 u) on either side, and a sum of two
    assert all(e <= 32 * U * abs(g or 0) for e, g in zip(far.grad, world.grad, strict=True))


def test_a_cancellation_widens_it() -> None:
    of = record(lambda a, b: ((a / b) * b - a) * 1e16, 0.3, 0.7)
    (world,) = torch_reference.run(Case("x", of, "", (Backward(of.root), Observe())))
    assert yardstick(of, world.data, world.grad, of.root).data[-1] > 1.0


@pytest.mark.parametrize("op", ["tanh", "exp"])
def test_a_slope_wrong_by_a_millionth_is_beyond_it(op: str) -> None:
    of = record(lambda a: getattr(a, op)() * 1.7, 0.6)
    (world,) = torch_reference.run(Case("x", of, "", (Backward(of.root), Observe())))
    right = world.grad[0]
    assert right is not None
    assert abs(right * 1e-6) > yardstick(of, world.data, world.grad, of.root).grad[0]
