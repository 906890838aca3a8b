"""A subject's own MLP: what is expected of it is PyTorch's, what its engine does wrong is not its fault, and how it
is said."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from oracle import suite
from oracle.checking import check, requirements
from oracle.judge.causes import Demands
from oracle.judge.network.asked import Asked, at
from oracle.judge.network.expected import expect
from oracle.judge.network.mistakes import LINEAR, MISTAKES, USUAL, Activation
from oracle.replay import replay
from oracle.report import Cause, Report
from oracle.reports import json_
from oracle.subjects import open_subject
from oracle.subjects.network import Network, NetworkAnswer
from oracle.suite.networks import NETWORKS
from tests.corpus import ENGINES

RIGHT = (ENGINES / "network_inside.py").read_text()
NN = tuple(suite.select(frozenset({"nn"})))


def changed(*changes: tuple[str, str]) -> str:
    text = RIGHT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def judged(path: Path, text: str, cases: Any = NN, demands: Demands | None = None) -> Report:
    path.write_text(text)
    with open_subject(str(path)) as subject:
        return check(subject, cases, demands or Demands())


def of_network(report: Report) -> list[Cause]:
    return [cause for cause in report.causes if cause.kind == "network"]


# What is expected is what PyTorch gets ---------------------------------------------------------------------------

MODULES = {"": torch.nn.Identity, "relu": torch.nn.ReLU, "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid}


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.sampled_from(USUAL),
    st.sampled_from(USUAL),
    st.sampled_from(["sum", "squares"]),
    st.randoms(use_true_random=False),
)
def test_expected_is_pytorch(
    sizes: list[int], hidden: Activation, last: Activation, loss: Any, random: Any
) -> None:
    if loss == "sum":
        sizes = [*sizes[:-1], 1]
    count = len(sizes) - 1
    modules: list[torch.nn.Module] = []
    for k, (n, m) in enumerate(pairwise(sizes)):
        modules += [
            torch.nn.Linear(n, m, dtype=torch.float64),
            MODULES[(hidden if k < count - 1 else last).op](),
        ]
    net = torch.nn.Sequential(*modules)
    linear = [module for module in net if isinstance(module, torch.nn.Linear)]
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.tensor([random.uniform(-1, 1) for _ in range(p.numel())]).reshape(p.shape))
    inputs = [random.uniform(-2, 2) for _ in range(sizes[0])]
    y = net(torch.tensor(inputs, dtype=torch.float64))
    (y.sum() if loss == "sum" else (y * y).sum()).backward()
    rows = tuple(
        tuple((*w, b) for w, b in zip(m.weight.tolist(), m.bias.tolist(), strict=True)) for m in linear
    )
    network = Network(tuple(sizes), rows, tuple(inputs), loss)
    grads = tuple(
        tuple((*w, b) for w, b in zip(m.weight.grad.tolist(), m.bias.grad.tolist(), strict=True))  # type: ignore[union-attr]
        for m in linear
    )
    asked = Asked(NN[0], network, NetworkAnswer(tuple(y.tolist()), grads))
    expected = expect(asked, (*[hidden] * (count - 1), last), 2.0**-53)
    assert not expected.wrong_outputs(asked)
    assert not expected.wrong_gradients(asked)


def test_a_wrong_gradient_is_beyond_the_bound() -> None:
    """By one part in 10^10, of any parameter."""
    network = NETWORKS["nn/mlp-3-4-2-tanh"]
    right = expect(
        Asked(NN[0], network, NetworkAnswer(gradients=network.parameters)), (USUAL[2],) * 2, 2.0**-53
    )
    for slot in Asked(NN[0], network, NetworkAnswer(gradients=network.parameters)).parameters:
        k, n, i = slot
        rows = [[list(row) for row in rows] for rows in right.grad]
        rows[k][n][i] = (rows[k][n][i] or 0.0) * (1 + 1e-10)
        wrong = tuple(tuple(tuple(row) for row in layer) for layer in rows)
        asked = Asked(NN[0], network, NetworkAnswer(right.outputs, wrong))
        assert right.wrong_gradients(asked) == [slot] and at(right.grad, slot)


def test_mistakes_are_told_apart() -> None:
    """No two of the catalogue give the same outputs, nor does one those of a right network."""
    from oracle.judge.network.expected import near, of_layers, outputs

    asked = [Asked(NN[0], n, NetworkAnswer(gradients=n.parameters)) for n in NETWORKS.values()]
    seen = [
        [outputs(a, of_layers(a, (USUAL[2], LINEAR)), neuron) for a in asked]
        for neuron in [
            *(mistake.neuron for mistake in MISTAKES),
            LINEAR and (lambda n: n.activate(n.dot() + n.bias)),
        ]
    ]
    for first in range(len(seen)):
        for second in range(first):
            assert not all(map(near, seen[first], seen[second])), (first, second)


# Engine and network ----------------------------------------------------------------------------------------------

MUL = ("            self.grad += out.grad * other.data\n", "            self.grad = out.grad * other.data\n")
TANH = ("            self.grad += (1 - t * t) * out.grad", "            self.grad += (1 - t) * out.grad")
VALUE = ("t = math.tanh(self.data)", "t = math.tanh(self.data) * 0.5")
UNLISTED = ("        return self.w + [self.b]", "        return self.w")


@pytest.mark.parametrize("change", [MUL, TANH, VALUE], ids=["accumulation", "derivative", "forward"])
def test_the_engines_fault_is_not_the_networks(change: tuple[str, str], tmp_path: Path) -> None:
    report = judged(tmp_path / "engine.py", changed(change), suite.cases())
    assert [cause.kind for cause in report.causes if cause.severity == "wrong"] == [
        {MUL: "accumulation", TANH: "derivative", VALUE: "forward"}[change]
    ]
    assert not of_network(report)
    said = report.subject.found["network"]
    assert ("as its engine in 5 cases" in said) is (change is not MUL), said


def test_both_at_fault(tmp_path: Path) -> None:
    report = judged(tmp_path / "engine.py", changed(TANH, UNLISTED), suite.cases())
    assert [(c.kind, c.mistake) for c in report.causes if c.severity == "wrong"] == [
        ("derivative", report.causes[0].mistake),
        ("network", "parameters-missing"),
    ]


def test_what_is_said_of_a_right_one(tmp_path: Path) -> None:
    report = judged(tmp_path / "engine.py", RIGHT)
    assert report.exit_code == 0
    assert report.subject.found["network"] == "MLP(inputs, [sizes]): tanh everywhere; right in 5 of 5 cases"


def test_a_case_that_the_engine_cannot_do_passes_by_its_network(tmp_path: Path) -> None:
    """relu is not offered, and the network has no need of it."""
    outcomes = {case.name: case for case in judged(tmp_path / "engine.py", RIGHT).cases}
    assert outcomes["nn/mlp-2-3-1-relu"].outcome == "pass" and "relu" in outcomes["nn/mlp-2-3-1-relu"].detail
    assert outcomes["nn/neuron-relu"].outcome == "unsupported"


def test_a_cause_has_numbers_code_and_a_place(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    report = judged(path, changed(("self.b).tanh()", "self.b * 2).tanh()")))
    (cause,) = of_network(report)
    assert (cause.mistake, cause.op, cause.severity, cause.demanded) == ("bias-twice", None, "wrong", True)
    assert cause.file == str(path) and "self.b * 2" in path.read_text().splitlines()[(cause.line or 0) - 1]
    assert cause.example is not None and cause.example.yours is not None
    again = json_.loads(json_.dumps(report))
    assert again.causes == report.causes and report.exit_code == 1
    assert json.loads(json_.dumps(report))["causes"][0]["kind"] == "network"
    names: dict[str, Any] = {}
    exec(path.read_text(), names)
    exec(cause.example.code, names)
    assert names["out"][0].data == cause.example.yours


def test_the_code_of_a_gradient_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    report = judged(path, changed(("wi * xi for", "Value(wi.data) * xi for")))
    (cause,) = of_network(report)
    assert cause.mistake == "detached" and cause.example is not None
    names: dict[str, Any] = {}
    exec(path.read_text(), names)
    exec(cause.example.code, names)
    assert eval(f"{cause.example.node}.grad", names) == cause.example.yours == 0
    assert cause.example.global_


LISTED = "        return [p for layer in self.layers for p in layer.parameters()]"


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ([(LISTED, LISTED.replace("self.layers", "self.layer"))], "AttributeError"),
        ([("self.b).tanh()", "self.b).Tanh()")], "AttributeError"),
        ([("self.b).tanh()", "bias).tanh()")], "NameError"),
        (
            [(LISTED, f"{LISTED}\n\n    def zero_grad(self):\n        for p in params: p.grad = 0")],
            "NameError",
        ),
        ([(LISTED, LISTED.replace("[p for", "[('w', p) for"))], None),
        ([(LISTED, f"{LISTED}\n\n    def zero_grad(self, really):\n        pass")], None),
        ([(LISTED, f"{LISTED}\n\n    def zero_grad(self):\n        pass")], "zero-grad"),
    ],
)
def test_what_raises_and_what_may(
    changes: list[tuple[str, str]], mistake: str | None, tmp_path: Path
) -> None:
    """A name that does not exist is the network's; what may come of how it is called is not held against it."""
    found = of_network(judged(tmp_path / "engine.py", changed(*changes)))
    assert [cause.mistake for cause in found] == ([] if mistake is None else [mistake])
    assert all(cause.line for cause in found)


# What is not judged ----------------------------------------------------------------------------------------------

NONE = ("class MLP:", "class Perceptrons:")
RAISES = (
    "        sizes = [nin] + nouts\n",
    "        sizes = [nin] + list(nouts)\n        self.shape = nin.shape\n",
)
BATCH = (
    "        for layer in self.layers:\n            x =",
    "        x = x[0][0]\n        for layer in self.layers:\n            x =",
)


@pytest.mark.parametrize("change", [NONE, RAISES, BATCH], ids=["none", "not made", "called otherwise"])
def test_what_cannot_be_driven_is_an_error_only_on_demand(change: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    report = judged(path, changed(change))
    assert report.exit_code == 0 and not of_network(report)
    required = judged(path, changed(change), demands=Demands(required=requirements("mlp")))
    (cause,) = of_network(required)
    assert required.exit_code == 1 and cause.mistake == "not-judged" and cause.demanded
    assert cause.message.startswith("no network was judged: ")


def test_requirements_name_it() -> None:
    with pytest.raises(ValueError, match="or mlp"):
        requirements("network")


def test_replay_shows_its_numbers() -> None:
    """Every parameter's gradient, the wrong ones marked; or why there are none."""
    (case,) = suite.select(pattern="nn/mlp-2-3-1-relu")
    with open_subject(str(ENGINES / "mlp_weights_detached.py")) as subject:
        text = replay(subject, case)
    marks = [line.split()[-1] for line in text.splitlines() if line.startswith("  gradient of")]
    assert marks.count("✗") == 9 and marks.count("✓") == 4
    assert "with tanh in hidden layers, tanh in the last" in text
    with open_subject(str(ENGINES / "mlp_biases_among_weights.py")) as subject:
        assert "no numbers; a network that keeps its biases among its weights" in replay(subject, case)
    with open_subject(str(ENGINES / "mul_overwrites.py")) as subject:
        assert "its own" not in replay(subject, case)
