"""A multilayer perceptron beside the engine: found by its name and shape, given parameters, run and differentiated.

A neuron is an object with a list of nodes (weights) and perhaps one node more (bias); a layer has a list of
neurons; a network has a list of layers. Names inside do not matter.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import importlib
import operator
import os
import re

from .find_ops import _plain
from .look import fields, patience
from .run import describe, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .engine import Engine
    from .load import Loaded

    Neuron = tuple[list[Any], Any]
    Make = Callable[[list[int]], Any]

NAMES = ("mlp", "multilayerperceptron", "neuralnetwork", "neuralnet", "network", "net")

MOST = 60
"""Files beside the engine's that are looked into, when no file that it imports has a network."""

CONSTRUCTORS: tuple[tuple[str, Callable[[Any, list[int]], Any]], ...] = (
    ("{}(inputs, [sizes])", lambda cls, sizes: cls(sizes[0], sizes[1:])),
    ("{}([sizes])", lambda cls, sizes: cls(sizes)),
    ("{}(*sizes)", lambda cls, sizes: cls(*sizes)),
)

TRIAL = [2, 3, 1]


def find_network(loaded: Loaded, engine: Engine) -> Make | None:
    """A callable from layer sizes to a network, or None. Files beside the engine's are looked into."""
    make = _in_classes(loaded, engine)
    if make is None:
        for name in _siblings(loaded):
            with contextlib.suppress(Exception):  # a sibling that cannot be imported is no part of the engine
                importlib.import_module(name)
        make = _in_classes(loaded, engine)
    return make


def run_network(engine: Engine, make: Make, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to a "network" message, without its id: outputs, and the gradients of their sum."""
    during = "forward"
    try:
        network = make(message["sizes"])
        layers = layers_of(network, engine.types)
        for neurons, rows in zip(layers, message["parameters"], strict=True):
            for (weights, bias), row in zip(neurons, rows, strict=True):
                nodes = [*weights, bias] if bias is not None else weights
                for node, x in zip(nodes, row, strict=False):
                    engine.write_data(node, float.fromhex(x))
        outputs = network([engine.make(float.fromhex(x)) for x in message["inputs"]])
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        during = "backward"
        engine.back_propagate(functools.reduce(operator.add, outputs))
        return {
            "outputs": [text(engine.read_data(node)) for node in outputs],
            "gradients": [
                [[_gradient(engine, n) for n in (*w, b)] for w, b in neurons] for neurons in layers
            ],
        }
    except BaseException as problem:  # whatever the subject raises is an answer
        return {"error": describe(problem, engine.files, during)}


def _gradient(engine: Engine, node: Any) -> str | None:
    g = None if node is None else engine.read_grad(node)
    return None if g is None else text(g)


def layers_of(network: Any, types: tuple[type, ...]) -> list[list[Neuron]]:
    """The (weights, bias) of every neuron of every layer; an empty list for what is no network."""
    return _first_list(network, lambda layer: _first_list(layer, lambda x: _neuron(x, types)))


def _neuron(x: Any, types: tuple[type, ...]) -> Neuron | None:
    held = fields(x).values() if not isinstance(x, types) else ()
    weights = [y for y in held if isinstance(y, list) and y and all(isinstance(z, types) for z in y)]
    bias = [y for y in held if isinstance(y, types)]
    return (weights[0], bias[0] if bias else None) if weights else None


def _first_list(x: Any, part: Callable[[Any], Any]) -> list[Any]:
    """The parts of the first list among an object's attributes all of whose elements are such parts."""
    for held in fields(x).values():
        if isinstance(held, (list, tuple)) and held:
            parts = [part(y) for y in held]
            if all(parts):
                return parts
    return []


def _in_classes(loaded: Loaded, engine: Engine) -> Make | None:
    classes = [cls for cls in loaded.classes() if _means_network(cls.__name__)]
    for cls in sorted(classes, key=lambda cls: _plain(cls.__name__) not in NAMES):
        for shape, constructor in CONSTRUCTORS:
            try:
                with patience():
                    layers = layers_of(constructor(cls, TRIAL), engine.types)
            except BaseException:  # another shape may be what the constructor takes
                continue
            if [[len(w) for w, _ in neurons] for neurons in layers] == [[2, 2, 2], [3]]:
                engine.found["network"] = shape.format(cls.__name__)
                return functools.partial(constructor, cls)
    return None


def _means_network(name: str) -> bool:
    plain = _plain(name)
    return plain in NAMES or "mlp" in plain


def _siblings(loaded: Loaded) -> Iterator[str]:
    """Dotted names of the modules beside the engine's, or in packages there, that define a network."""
    root, package = loaded.modules.roots[0], loaded.main.__name__.rpartition(".")[0]
    files = glob.glob(os.path.join(root, "*.py"))
    for init in glob.glob(os.path.join(root, "*", "__init__.py")):
        files += glob.glob(os.path.join(os.path.dirname(init), "*.py"))
    for path in sorted(files, key=lambda path: (path.count(os.sep), path))[:MOST]:
        if os.path.realpath(path) in loaded.modules.files:
            continue
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                defined = re.findall(r"^class (\w+)", file.read(), re.MULTILINE)
        except OSError:  # a folder, or a link to what is not there or must not be read
            continue
        if any(map(_means_network, defined)):
            parts = os.path.relpath(path, root).removesuffix(".py").split(os.sep)
            yield ".".join([package, *parts] if package else parts)
