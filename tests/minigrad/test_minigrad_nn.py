"""Networks: the same numbers as torch.nn.Sequential, its names, and one clear sentence for each mistake."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn as tnn

from minigrad import Value, nn

ACTIVATION = {
    "relu": tnn.ReLU, "tanh": tnn.Tanh, "sigmoid": tnn.Sigmoid, "leaky_relu": tnn.LeakyReLU, "gelu": tnn.GELU,
    "silu": tnn.SiLU, "linear": tnn.Identity,
}  # fmt: skip


def sequential(nin: int, nouts: list[int], activation: str, last: str) -> Any:
    modules: list[Any] = []
    for i, nout in enumerate(nouts):
        end = ACTIVATION[last if i == len(nouts) - 1 else activation]
        modules += [tnn.Linear(nin, nout, dtype=torch.float64), end()]
        nin = nout
    return tnn.Sequential(*modules)


@pytest.mark.parametrize(
    ("activation", "last"), [(name, "linear") for name in ACTIVATION] + [("relu", "tanh")]
)
def test_forward_and_every_gradient_are_sequentials(activation: str, last: str) -> None:
    ours = nn.MLP(3, [5, 4, 2], activation=activation, last=last, rng=random.Random(1))
    theirs = sequential(3, [5, 4, 2], activation, last)
    theirs.load_state_dict({k: torch.tensor(v, dtype=torch.float64) for k, v in ours.state_dict().items()})
    for x in ([0.5, -1.0, 2.0], [3.0, 0.0, -0.25]):
        outs = ours(x)
        assert isinstance(outs, list)
        t = theirs(torch.tensor(x, dtype=torch.float64))
        assert [o.data for o in outs] == pytest.approx(t.tolist(), rel=1e-13, abs=1e-15)
        (outs[0] * 2 - outs[1]).backward()
        (t[0] * 2 - t[1]).backward()
    wanted = {name: p.grad.tolist() for name, p in theirs.named_parameters()}
    places = dict(ours.named_parameters())
    assert any(p.grad for p in places.values())
    for place, parameter in places.items():
        name, *indices = re.findall(r"[^\[\]]+", place)
        want: Any = wanted[name]
        for index in indices:
            want = want[int(index)]
        assert parameter.grad == pytest.approx(want, rel=1e-12, abs=1e-14), place


def test_names_are_sequentials_without_the_last_activation() -> None:
    ours = nn.MLP(3, [5, 1], rng=random.Random(1))
    theirs = tnn.Sequential(tnn.Linear(3, 5), tnn.ReLU(), tnn.Linear(5, 1))
    assert (
        list(ours.state_dict()) == list(theirs.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    )
    assert sum(p.numel() for p in theirs.parameters()) == len(ours.parameters())


def test_state_comes_from_torch_and_goes_round() -> None:
    torch.manual_seed(0)
    theirs = tnn.Sequential(tnn.Linear(2, 3), tnn.ReLU(), tnn.Linear(3, 1)).double()
    ours = nn.MLP(2, [3, 1], rng=random.Random(1))
    ours.load_state_dict(theirs.state_dict())
    assert ours.state_dict() == {k: v.tolist() for k, v in theirs.state_dict().items()}
    again = nn.MLP(2, [3, 1], rng=random.Random(2))
    assert again.state_dict() != ours.state_dict()
    again.load_state_dict(ours.state_dict())
    assert again.state_dict() == ours.state_dict()


def test_parameters_neuron_by_neuron_weights_then_bias() -> None:
    layer = nn.Layer(2, 2, rng=random.Random(1))
    first, second = layer.neurons
    assert layer.parameters() == [*first.w, first.b, *second.w, second.b]
    names = ["weight[0][0]", "weight[0][1]", "bias[0]", "weight[1][0]", "weight[1][1]", "bias[1]"]
    assert [name for name, _ in layer.named_parameters()] == names
    mlp = nn.MLP(2, [2, 1], rng=random.Random(1))
    assert mlp.parameters() == [p for layer in mlp.layers for p in layer.parameters()]


def test_initialisation_is_uniform_in_one_over_root_nin() -> None:
    neurons = nn.Layer(16, 200, rng=random.Random(3)).neurons
    weights = [w.data for n in neurons for w in n.w]
    biases = [n.b.data for n in neurons]
    for numbers in (weights, biases):
        assert 0.24 < max(numbers) <= 0.25
        assert -0.25 <= min(numbers) < -0.24
    assert abs(sum(weights) / len(weights)) < 0.01


def test_rng_decides_and_random_seed_is_the_default() -> None:
    def state(rng: random.Random | None = None) -> dict[str, Any]:
        return nn.MLP(2, [2, 1], rng=rng).state_dict()

    assert state(random.Random(5)) == state(random.Random(5)) != state(random.Random(6))
    random.seed(7)
    first = state()
    random.seed(7)
    assert state() == first != state()


def test_network_with_one_output_returns_a_value() -> None:
    out = nn.MLP(2, [3, 1])([1, Value(2.0)])
    assert isinstance(out, Value)
    assert isinstance(nn.Neuron(2)([1.0, 2.0]), Value)
    assert len(nn.Layer(2, 3)([1.0, 2.0])) == 3  # type: ignore[arg-type]


def test_zero_grad() -> None:
    net = nn.MLP(2, [3, 1], activation="tanh", rng=random.Random(1))
    net([1.0, 2.0]).backward()  # type: ignore[union-attr]
    grads = [p.grad for p in net.parameters()]
    assert any(grads)
    net.zero_grad()
    assert not any(p.grad for p in net.parameters())
    net([1.0, 2.0]).backward()  # type: ignore[union-attr]
    assert [p.grad for p in net.parameters()] == grads


def test_fused_looking_forward_makes_the_nodes_of_the_formula() -> None:
    neuron = nn.Neuron(2, rng=random.Random(1))
    x = [Value(1.5), Value(-0.5)]
    written = (neuron.b + neuron.w[0] * x[0] + neuron.w[1] * x[1]).relu()
    made = neuron(x)
    todo = [(made, written)]
    while todo:
        ours, theirs = todo.pop()
        assert (ours.op, ours.data, len(ours.parents)) == (theirs.op, theirs.data, len(theirs.parents))
        todo += zip(ours.parents, theirs.parents, strict=True)


def loading(change: Callable[[dict[str, Any]], object]) -> Callable[[], None]:
    def load() -> None:
        net = nn.MLP(2, [3, 1], rng=random.Random(1))
        state = net.state_dict()
        change(state)
        before = net.state_dict()
        try:
            net.load_state_dict(state)
        finally:
            assert net.state_dict() == before

    return load


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: nn.MLP(0, [1]), "nin, the size of a layer, must be a whole number above 0; got 0"),
        (lambda: nn.MLP(2, [3, -1]), "must be a whole number above 0; got -1"),
        (lambda: nn.MLP(2, [2.0, 1]), "must be a whole number above 0; got 2.0"),  # type: ignore[list-item]
        (lambda: nn.MLP(2, []), "nouts must be a list with the size of every layer"),
        (lambda: nn.MLP(2, 3), "nouts must be a list"),  # type: ignore[arg-type]
        (lambda: nn.MLP(2, [1], activation="rleu"), "unknown activation 'rleu'"),
        (lambda: nn.MLP(2, [1], last="softmax"), "unknown activation 'softmax'"),
        (lambda: nn.MLP(2, [1])([1.0, 2.0, 3.0]), "a neuron with 2 weights got 3 inputs: pass 2"),
        (
            loading(lambda s: s.pop("2.bias")),
            "misses 2.bias; this network has 0.weight, 0.bias, 2.weight, 2.bias",
        ),
        (loading(lambda s: s.update({"4.bias": [0.0]})), "has unknown 4.bias"),
        (
            loading(lambda s: s.update({"0.weight": [[1.0, 2.0]]})),
            "0.weight in the state dict has shape (1, 2)",
        ),
        (loading(lambda s: s.update({"2.bias": 1.0})), "2.bias in the state dict has shape ()"),
        (loading(lambda s: s.update({"0.weight": [[1.0], [1.0, 2.0], [1.0, 2.0]]})), "has shape None"),
        (loading(lambda s: s.update({"2.weight": [[1.0, "2", 3.0]]})), "holds '2', which is not a number"),
    ],
)
def test_mistakes_get_a_sentence(act: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        act()


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda: nn.MLP(2, [1], rng=3), "rng is a generator such as random.Random(1), got 3"),  # type: ignore[arg-type]
        (lambda: nn.MLP(2, [1]).load_state_dict([1.0]), "maps names to numbers, got a list"),  # type: ignore[arg-type]
    ],
)
def test_other_types_get_a_sentence(act: Callable[[], object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        act()


def test_a_number_is_not_a_sequence_of_inputs() -> None:
    with pytest.raises(TypeError, match=r"inputs must be a sequence, got 3\.0: write"):
        nn.MLP(1, [1])(3.0)  # type: ignore[arg-type]
