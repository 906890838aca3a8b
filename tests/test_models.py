"""Networks to PyTorch and back, and assert_matches_torch of a network: what it accepts, finds and leaves alone."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn as tnn

import oracle
from minigrad import Value, engine, nn, rows
from minigrad.engine import NO_GRAD
from minigrad.nn import MLP
from oracle.models import MODULES
from oracle.unroll import unrolled

X = (0.7, -1.3, 0.4)


def net(activation: str = "relu", last: str = "linear", fused: bool = False, seed: int = 1) -> MLP:
    return MLP(3, [5, 4, 2], activation, last, random.Random(seed), fused)


# To PyTorch and back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", nn.ACTIVATIONS)
def test_a_network_is_its_sequential(activation: str) -> None:
    """The same names, the same weights to the bit, the same function; and back again."""
    model = net(activation, "tanh")
    theirs = oracle.to_torch(model)
    assert {k: v.tolist() for k, v in theirs.state_dict().items()} == model.state_dict()
    assert {p.dtype for p in theirs.parameters()} == {torch.float64}
    out: Any = model(X)
    assert theirs(torch.tensor(X, dtype=torch.float64)).tolist() == pytest.approx(
        [o.data for o in out], rel=1e-12
    )
    back = oracle.from_torch(theirs)
    assert back.state_dict() == model.state_dict()
    assert [layer.neurons[0].activation for layer in back.layers] == [activation, activation, "tanh"]


def test_every_activation_of_networks_has_its_module() -> None:
    assert set(MODULES) == set(nn.ACTIVATIONS)


def test_a_linear_end_has_no_module() -> None:
    assert [type(m).__name__ for m in oracle.to_torch(net())] == [
        "Linear",
        "ReLU",
        "Linear",
        "ReLU",
        "Linear",
    ]


def test_layers_and_neurons_alone() -> None:
    for model in (nn.Layer(3, 2, "tanh", random.Random(1)), nn.Neuron(3, "tanh", random.Random(1))):
        linear, end = oracle.to_torch(model)
        assert linear.weight.tolist() == model.state_dict()["weight"]
        assert isinstance(end, tnn.Tanh)
        oracle.assert_matches_torch(model, *X)


def test_float32_weights_become_the_same_numbers() -> None:
    torch.manual_seed(0)
    theirs = tnn.Sequential(tnn.Linear(2, 3), tnn.GELU(), tnn.Linear(3, 1), tnn.Sigmoid())
    model = oracle.from_torch(theirs, fused=True)
    assert model.state_dict() == {k: v.tolist() for k, v in theirs.state_dict().items()}
    assert (model.layers[0].neurons[0].activation, model.layers[1].neurons[0].activation) == (
        "gelu",
        "sigmoid",
    )
    assert model.layers[0].neurons[0].fused


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([], "has no Linear"),
        ([tnn.ReLU()], r"module 0, ReLU\(\), does not follow a Linear"),
        ([tnn.Linear(2, 2), tnn.ReLU(), tnn.ReLU()], "module 2, ReLU"),
        ([tnn.Linear(2, 2, bias=False)], "module 0 is a Linear without bias"),
        ([tnn.Linear(2, 2), tnn.Dropout()], "module 1 is a Dropout"),
        ([tnn.Linear(2, 2), tnn.LeakyReLU(0.2)], "networks have negative_slope=0.01"),
        ([tnn.Linear(2, 2), tnn.GELU("tanh")], "networks have approximate='none'"),
        (
            [tnn.Linear(2, 2), tnn.ReLU(), tnn.Linear(2, 2), tnn.Tanh(), tnn.Linear(2, 2)],
            "one activation in its hidden layers, not relu, tanh",
        ),
        ([tnn.Linear(2, 3), tnn.ReLU(), tnn.Linear(2, 1)], "0.weight|2.weight"),
    ],
)
def test_a_sequential_that_is_no_mlp(modules: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        oracle.from_torch(tnn.Sequential(*modules))


def test_other_things_are_no_networks() -> None:
    with pytest.raises(TypeError, match=r"to_torch takes a network of minigrad\.nn, got float"):
        oracle.to_torch(1.0)
    with pytest.raises(TypeError, match=r"from_torch takes a torch\.nn\.Sequential, got Linear"):
        oracle.from_torch(tnn.Linear(1, 1))
    model = net()
    model.layers[0].neurons[2].activation = "tanh"
    with pytest.raises(ValueError, match="different activations: relu, tanh"):
        oracle.to_torch(model)


# assert_matches_torch -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu", "softplus", "linear"])
def test_networks_match(activation: str, fused: bool) -> None:
    oracle.assert_matches_torch(net(activation, fused=fused), *X)


@pytest.mark.parametrize("fused", [False, True])
def test_a_wrong_rule_is_named(monkeypatch: pytest.MonkeyPatch, fused: bool) -> None:
    monkeypatch.setitem(engine.VJPS, "sigmoid", (lambda g, y, x: g * (1.0 - y),))
    with pytest.raises(AssertionError, match="sigmoid"):
        oracle.assert_matches_torch(net("sigmoid", fused=fused), *X)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_a_fused_rule_that_is_wrong_is_found(monkeypatch: pytest.MonkeyPatch, activation: str) -> None:
    def push(g: float, y: float, a: tuple[Value, ...], b: tuple[Value, ...]) -> None:
        a[0].grad += g
        for x, z in zip(a[1:], b, strict=True):
            x.grad += g * z.data
            z.grad += g

    wrong = rows.Rule(rows.dot_forward, push)
    op = "dot_tanh" if activation == "tanh" else "dot"
    monkeypatch.setitem(engine.ROWS, op, rows.Rules(wrong, rows.ROWS[op].written, longest=0))
    with pytest.raises(AssertionError, match="does not match PyTorch"):
        oracle.assert_matches_torch(net(activation, fused=True), *X)


@pytest.mark.parametrize(
    ("activation", "value", "slope"),
    [
        ("relu", "0.0 if s < 0.0 else s", "g"),
        ("relu", "s", "0.0 if y <= 0.0 else g"),
        ("tanh", "tanh(s)", "g * (1.0 - y)"),
        ("tanh", "tanh(s) + 1e-9", "g * (1.0 - y * y)"),
    ],
)
def test_a_fused_activation_that_is_wrong_is_found(
    monkeypatch: pytest.MonkeyPatch, activation: str, value: str, slope: str
) -> None:
    op = f"dot_{activation}"
    monkeypatch.setitem(rows.NEURONS, op, (value, slope))
    monkeypatch.setitem(engine.ROWS, op, rows.Rules(rows.neuron(op), rows.ROWS[op].written))
    with pytest.raises(AssertionError, match="does not match PyTorch"):
        oracle.assert_matches_torch(net(activation, fused=True), *X)


def test_wiring_that_is_wrong_is_found_though_every_rule_is_right() -> None:
    class NoBias(MLP):
        """Leaves out the first layer's biases."""

        def __call__(self, x: Any) -> Any:
            neurons = self.layers[0].neurons
            biases = [neuron.b for neuron in neurons]
            for neuron in neurons:
                neuron.b = Value(0.0)
            out = super().__call__(x)
            for neuron, bias in zip(neurons, biases, strict=True):
                neuron.b = bias
            return out

    with pytest.raises(AssertionError, match=r"output\[0\] is .* that of the equivalent Sequential"):
        oracle.assert_matches_torch(NoBias(3, [5, 2], "tanh", rng=random.Random(1)), *X)


def test_weights_that_take_no_part_are_found() -> None:
    class Detached(MLP):
        """The value is right; the last layer's weights are copies."""

        def __call__(self, x: Any) -> Any:
            copy = MLP(3, [5, 2], "tanh", rng=random.Random(1))
            copy.layers[0] = self.layers[0]
            return copy(x)

    with pytest.raises(AssertionError, match=r"gradient of 2\.weight\[0\]\[0\] is 0\.0"):
        oracle.assert_matches_torch(Detached(3, [5, 2], "tanh", rng=random.Random(1)), *X)


def test_a_networks_gradients_are_left_alone() -> None:
    model = net()
    first, *rest = model.parameters()
    first.grad = 3.5
    oracle.assert_matches_torch(model, *X)
    assert first.grad == 3.5
    assert all(p.grad is NO_GRAD for p in rest)


def test_a_function_needs_an_engine() -> None:
    with pytest.raises(TypeError, match="engine=Value"):
        oracle.assert_matches_torch(lambda x: x * x, 1.0)


# Fused graphs -------------------------------------------------------------------------------------------------


def test_a_fused_graph_is_judged_as_the_plain_one() -> None:
    from minigrad import dot, sum

    x, y = [Value(1.5), Value(-0.5)], [Value(2.0), Value(3.0)]
    root = sum([dot(x, y, x[0]), dot(y, y), sum([x[1]])]) * x[1]
    root.backward()
    plain = unrolled(root)
    assert (plain.data, plain.op) == (root.data, "mul")
    assert oracle.diff(root).ok
    y[1].grad += 1e-3
    assert not oracle.diff(root).ok


def test_a_graph_without_fused_nodes_stays_itself() -> None:
    root = Value(2.0) * 3
    assert unrolled(root) is root
