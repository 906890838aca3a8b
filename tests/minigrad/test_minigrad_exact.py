"""Arithmetic is PyTorch's to the bit: data and gradient of every node, edge values included."""

from __future__ import annotations

import operator
import random

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch_twin import INF, NAN, Twin

import minigrad

SMALL = [0.0, -0.0, 5e-324, -5e-324, 2.2e-308, 1e-200]
LARGE = [1e200, -1.7e308, 1.7e308, INF, -INF, NAN]
EDGES = [*SMALL, 0.5, 1.0, -1.0, 2.0, 3.0, *LARGE]

BINARY = [
    (operator.add, None),
    (operator.sub, None),
    (operator.mul, None),
    (operator.truediv, None),
    (minigrad.maximum, torch.maximum),
    (minigrad.minimum, torch.minimum),
]
UNARY = [
    (operator.neg, None),
    (operator.abs, None),
    (minigrad.relu, torch.relu),
    (minigrad.square, torch.square),
    (minigrad.reciprocal, torch.reciprocal),
    *[(lambda x, k=k: x**k, None) for k in (2, 3, -1, -2)],
]

number = st.one_of(st.sampled_from(EDGES), st.floats(-4, 4), st.floats())


@st.composite
def programs(draw: st.DrawFn) -> Twin:
    """Leaves, then ops on any earlier nodes or on plain numbers at either side."""
    twin = Twin()
    for x in draw(st.lists(number, min_size=1, max_size=5)):
        twin.leaf(x)
    for _ in range(draw(st.integers(1, 40))):
        node = st.integers(0, len(twin.ours) - 1)
        kind = draw(st.integers(0, 9))
        if kind < 3:
            op, theirs = draw(st.sampled_from(UNARY))
            twin.apply(op, draw(node), theirs=theirs)
        elif kind < 8:
            op, theirs = draw(st.sampled_from(BINARY))
            twin.apply(op, draw(node), draw(node), theirs=theirs)
        else:
            op, _ = draw(st.sampled_from(BINARY[:4]))
            operands = [draw(node), float(draw(number))]
            twin.apply(op, *(operands if kind == 8 else reversed(operands)))
    return twin


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(programs(), st.data())
def test_random_programs_and_a_second_root(twin: Twin, data: st.DataObject) -> None:
    twin.backward(len(twin.ours) - 1)
    assert twin.differences() == []
    again = data.draw(st.integers(0, len(twin.ours) - 1), label="second root")
    twin.backward(again, data.draw(number, label="gradient"))
    assert twin.differences() == []


def random_twin(rng: random.Random, size: int, edges: float) -> Twin:
    """A long program; `edges` is the share of leaves and numbers that are edge values."""

    def value() -> float:
        return rng.choice(EDGES) if rng.random() < edges else rng.uniform(-2, 2)

    twin = Twin()
    for _ in range(6):
        twin.leaf(value())
    while len(twin.ours) < size:
        # Mostly recent operands, so that most nodes lead to the last one.
        i, j = (max(0, len(twin.ours) - 1 - int(rng.expovariate(0.2))) for _ in range(2))
        kind = rng.random()
        if kind < 0.3:
            op, theirs = rng.choice(UNARY)
            twin.apply(op, i, theirs=theirs)
        elif kind < 0.8:
            op, theirs = rng.choice(BINARY)
            twin.apply(op, i, j, theirs=theirs)
        else:
            op, _ = rng.choice(BINARY[:4])
            twin.apply(op, *((i, value()) if kind < 0.9 else (value(), i)))
    return twin


NODES = 20_000  # that lead to their root


def test_twenty_thousand_nodes_have_pytorch_bits() -> None:
    rng = random.Random(20_000)
    nodes = reached = finite = 0
    while reached < NODES:
        twin = random_twin(
            rng, size=rng.choice((8, 12, 20, 40, 150)), edges=rng.choice((0.0, 0.0, 0.0, 0.1, 0.5))
        )
        twin.backward(len(twin.ours) - 1)
        assert twin.differences() == []
        nodes += len(twin.ours)
        reached += sum(t.grad is not None for t in twin.theirs)
        finite += sum(abs(x.grad) < INF and x.grad != 0 for x in twin.ours)
    print(
        f"\n{nodes} nodes bit-identical; {reached} lead to the root, {finite} with a gradient finite and not 0"
    )
    assert finite > reached / 5
