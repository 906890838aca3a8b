"""A multilayer perceptron beside the engine: found by its name and shape, given parameters, run and differentiated.

A neuron is an object with a list of nodes (weights) and perhaps one node more (bias); a layer has a list of
neurons; a network has a list of layers. Names inside do not matter.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import operator
import os

from .look import fields, patience
from .run import describe, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .engine import Engine
    from .load import Loaded

    Neuron = tuple[list[Any], Any]
    Make = Callable[[list[int]], Any]

NAMES = ("mlp", "multilayerperceptron", "neuralnetwork", "neuralnet", "network", "net")

FILES = ("nn", "mlp", "network", "networks", "neural_network", "neural_net", "neuralnet", "layers", "model")
"""Where it stands, when not in the engine's file or one that it imports."""

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
        for name in _siblings(loaded, engine):
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
    classes = {cls.__name__.replace("_", "").lower(): cls for cls in loaded.classes()}
    for cls in (classes[name] for name in NAMES if name in classes):
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


def _siblings(loaded: Loaded, engine: Engine) -> list[str]:
    """Names of the modules beside the engine's, not imported yet, that speak of its class and define others."""
    found = []
    for name in FILES:
        path = os.path.realpath(os.path.join(loaded.modules.roots[0], name + ".py"))
        if path not in loaded.modules.files and os.path.isfile(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                source = file.read()
            if "class " in source and engine.cls.__name__ in source:
                found.append(name)
    return found
