"""An MLP beside the engine is found, given parameters, run and differentiated."""

from __future__ import annotations

import math

import pytest

from oracle.subjects import Network, open_subject

from .conftest import ENGINE, Write, changed

MLP = """
import random
from engine import Value


class Neuron:
    def __init__(self, n, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(n)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        s = self.b
        for w, y in zip(self.w, x):
            s = s + w * y
        return s.tanh() if self.nonlin else s


class Layer:
    def __init__(self, n, m, nonlin=True):
        self.neurons = [Neuron(n, nonlin) for _ in range(m)]

    def __call__(self, x):
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out


class MLP:
    def __init__(self, n, sizes):
        sizes = [n] + sizes
        self.layers = [Layer(a, b, b is not sizes[-1]) for a, b in zip(sizes, sizes[1:])]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


print('never', MLP(2, [1])(1.0))
"""

SHAPES = {
    "inputs and a list": [],
    "one list": [
        (
            "def __init__(self, n, sizes):\n        sizes = [n] + sizes",
            "def __init__(self, sizes):\n        pass",
        ),
    ],
    "as many arguments as layers": [
        ("self, n, sizes):\n        sizes = [n] + sizes", "self, *sizes):\n        sizes = list(sizes)"),
    ],
    "other names": [
        ("self.w ", "self.weights "),
        ("self.w,", "self.weights,"),
        ("neurons", "units"),
        ("self.layers", "self.stack"),
    ],
    "lists as outputs": [("return out[0] if len(out) == 1 else out", "return out")],
}

ASKED = Network((2, 2, 1), (((0.5, -0.25, 0.1), (0.3, 0.2, -0.1)), ((1.5, -2.0, 0.25),)), (0.7, -1.1))


def expected() -> tuple[float, list[list[list[float]]]]:
    """The output and the gradients, by hand."""
    (first, second), ((v0, v1, c),) = ASKED.parameters
    x, y = ASKED.inputs
    h = [math.tanh(w[0] * x + w[1] * y + w[2]) for w in (first, second)]
    slopes = [v * (1 - a * a) for v, a in zip((v0, v1), h, strict=True)]
    return v0 * h[0] + v1 * h[1] + c, [[[s * x, s * y, s] for s in slopes], [[h[0], h[1], 1.0]]]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("target", ["engine.py", "nn.py"])
def test_network(shape: str, target: str, write: Write) -> None:
    paths = {"engine.py": write(ENGINE), "nn.py": write(changed(*SHAPES[shape], text=MLP), "nn.py")}
    with open_subject(paths[target]) as subject:
        assert subject.capabilities == {"mlp"}
        answer = subject.network(ASKED)
    output, gradients = expected()
    assert answer.outputs == pytest.approx((output,), rel=1e-14)
    for got, want in zip(answer.gradients, gradients, strict=True):
        for row, wanted in zip(got, want, strict=True):
            assert row == pytest.approx(wanted, rel=1e-14)


def test_no_network(write: Write) -> None:
    with open_subject(write(ENGINE)) as subject:
        assert subject.capabilities == frozenset()
        assert subject.network(ASKED).lost == "unsupported"


def test_a_network_of_another_engine_is_not_run(write: Write) -> None:
    """In a folder of submissions, the files beside one are other people's."""
    path = write(ENGINE)
    write(ENGINE, "value.py")
    other = changed(
        ("from engine", "from value"), ("class MLP:", "class MLP:\n    print('bob was run')"), text=MLP
    )
    write(other, "bob.py")
    with open_subject(path) as subject:
        assert subject.capabilities == frozenset()
        assert "bob" not in subject.output


def test_a_network_that_raises(write: Write) -> None:
    path = write(ENGINE)
    write(changed(("s.tanh()", "s.tan()"), text=MLP), "nn.py")
    with open_subject(path) as subject:
        crash = subject.network(ASKED).crash
    assert crash is not None and crash.type == "AttributeError" and crash.inside and crash.during == "forward"


def test_shapes_must_agree() -> None:
    with pytest.raises(ValueError, match=r"expected rows of lengths \[\[3, 3\], \[3\]\]"):
        Network((2, 2, 1), (((1.0, 2.0),),), (0.0, 0.0))


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tiny/layers/perceptron.py", "from ..engine import Value"),
        ("tiny/makemoons.py", "from .engine import Value"),
        ("tiny/nn.py", "from tiny.engine import Value"),
    ],
)
def test_a_network_in_any_file_of_the_package(name: str, source: str, write: Write) -> None:
    """By its class's name; relative imports, and a package that is not imported with it."""
    write("", "tiny/__init__.py")
    write("", "tiny/layers/__init__.py")
    write("import nothing\nraise ValueError\n", "tiny/broken.py")
    mlp = MLP.replace("from engine import Value", source).replace("class MLP", "class TinyMLP")
    write(mlp, name)
    with open_subject(write(ENGINE, "tiny/engine.py")) as subject:
        assert subject.found["network"] == "TinyMLP(inputs, [sizes])" and "mlp" in subject.capabilities
