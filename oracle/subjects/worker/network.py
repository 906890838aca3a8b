"""A multilayer perceptron beside the engine: found by its name and shape, given parameters, run and differentiated.

A neuron is an object with a list of nodes (weights) and perhaps one node more (bias); a layer has a list of
neurons, or lists of nodes (the weights of each) and perhaps a list of nodes (biases); a network has a list of layers,
or layers as attributes. Names inside do not matter.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import importlib
import itertools
import operator
import os
import re

from .look import bare, fields, patience
from .run import describe, place, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .engine import Engine
    from .load import Loaded

    Neuron = tuple[list[Any], Any]
    Make = Callable[[list[int]], Any]
    Table = list[list[list[Any]]]

NAMES = ("mlp", "multilayerperceptron", "neuralnetwork", "neuralnet", "network", "net")

MOST = 60
"""Files beside the engine's that are looked into, when no file that it imports has a network."""

CONSTRUCTORS: tuple[tuple[str, Callable[[Any, list[int]], Any]], ...] = (
    ("{}(inputs, [sizes])", lambda cls, sizes: cls(sizes[0], sizes[1:])),
    ("{}([sizes])", lambda cls, sizes: cls(sizes)),
    ("{}(*sizes)", lambda cls, sizes: cls(*sizes)),
)

TRIAL = [2, 3, 1]

CALLS = ("__call__", "forward", "predict")
LISTS = ("parameters", "params", "get_parameters", "get_params")
ZEROS = (
    "zero_grad",
    "zero_grads",
    "zerograd",
    "zero_gradients",
    "zero_gradient",
    "reset_grad",
    "reset_grads",
)
"""Names that a network's methods have: to compute, to list its parameters, to reset their gradients."""


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
    """The answer to a "network" message, without its id."""
    during = "forward"
    engine.begin()
    try:
        try:
            network = make(message["sizes"])
        except TypeError as problem:
            if place(problem, engine.files) == (None, None):  # not even entered: it takes other arguments
                return {"unsupported": f"{engine.found['network']} takes no {len(message['sizes'])} sizes"}
            raise
        layers = layers_of(network, engine.types)
        places = {"places": _places(network, engine.types)}
        if [len(neurons) for neurons in layers] != message["sizes"][1:]:
            return {"unsupported": f"a network with layers of {[len(neurons) for neurons in layers]} neurons"}
        weights = [[len(w) for w, _ in neurons] for neurons in layers]
        wanted = [[n] * m for n, m in itertools.pairwise(message["sizes"])]
        if weights == [[n + 1 for n in row] for row in wanted]:
            return {"unsupported": "a network that keeps its biases among its weights"}
        if weights != wanted:
            return {"weights": weights, **places}
        nodes = [[[*w, b] for w, b in neurons] for neurons in layers]
        for neurons, rows in zip(nodes, message["parameters"], strict=True):
            for neuron, row in zip(neurons, rows, strict=True):
                for node, x in zip(neuron, row, strict=True):
                    if node is not None:
                        engine.write_data(node, float.fromhex(x))
        numbers = [float.fromhex(x) for x in message["inputs"]]
        inputs: list[Any] = [engine.make(x) for x in numbers]
        given = list(inputs)
        try:
            outputs = _outputs(engine, network, given)
        except Exception as problem:  # it may make nodes of its inputs itself
            outputs = _plainly(engine, network, numbers, problem)
            given = list(inputs)
        data = [text(engine.read_data(node)) for node in outputs]
        losses = [y * y for y in outputs] if message.get("loss") == "squares" else outputs
        during = "backward"
        asked = [n for neurons in nodes for neuron in neurons for n in neuron if n is not None]
        engine.back_propagate(functools.reduce(operator.add, losses), asked)
        return {
            "outputs": data,
            "gradients": _table(nodes, lambda node: _gradient(engine, node)),
            **_listed(network, nodes, engine.types),
            "same": _same(nodes),
            "kept": [*map(id, given)] == [*map(id, inputs)],
            "zeroed": _zeroed(engine, network, nodes),
            **places,
        }
    except BaseException as problem:  # whatever the subject raises is an answer
        return {"error": describe(problem, engine.files, during)}


def _outputs(engine: Engine, network: Any, inputs: list[Any]) -> list[Any]:
    """The network's outputs, which are nodes that hold numbers. Raises what it raises, or NotANumber."""
    out = _call(network)(inputs)
    outputs = list(out) if isinstance(out, (list, tuple)) else [out]
    for node in outputs:
        engine.read_data(node)
    return outputs


def _plainly(engine: Engine, network: Any, numbers: list[float], problem: Exception) -> list[Any]:
    """The outputs for plain numbers; raises the problem that there was with nodes, if there is one with these, too."""
    with contextlib.suppress(Exception):
        return _outputs(engine, network, list(numbers))
    raise problem


def _table(nodes: Table, of: Callable[[Any], Any]) -> Table:
    """Something of every parameter, None where there is none."""
    return [[[None if n is None else of(n) for n in neuron] for neuron in neurons] for neurons in nodes]


def _gradient(engine: Engine, node: Any) -> str | None:
    g = engine.read_grad(node)
    return None if g is None else text(g)


def _call(network: Any) -> Any:
    if callable(network):
        return network
    return getattr(network, next((name for name in CALLS if hasattr(network, name)), CALLS[0]))


def _listed(network: Any, nodes: Table, types: tuple[type, ...]) -> dict[str, Any]:
    """How often each parameter is among those that the network lists; and how to get the list, if it is all of them in
    order. Nothing where it lists none."""
    name = next((name for name in LISTS if hasattr(network, name)), None)
    if name is None:
        return {}
    held = getattr(network, name)
    found = [id(node) for node in _flat(held() if callable(held) else held, types)]
    own = [id(node) for neurons in nodes for neuron in neurons for node in neuron if node is not None]
    lister = f"{name}()" if callable(held) else name
    return {"listed": _table(nodes, lambda node: found.count(id(node)))} | (
        {"lister": lister} if found == own else {}
    )


def _flat(x: Any, types: tuple[type, ...]) -> Iterator[Any]:
    """The nodes in lists, of lists or dictionaries or not."""
    if isinstance(x, types):
        yield x
    elif hasattr(x, "__iter__") and not isinstance(x, (str, bytes)):
        for y in x.values() if isinstance(x, dict) else x:
            yield from _flat(y, types)


def _same(nodes: Table) -> Table:
    """A number for every parameter, equal for parameters that are one and the same node."""
    numbers: dict[int, int] = {}
    return _table(nodes, lambda node: numbers.setdefault(id(node), len(numbers)))


def _zeroed(engine: Engine, network: Any, nodes: Table) -> Table | None:
    """The gradients after the network has reset them; None where it has no method for that."""
    reset = next((getattr(network, name) for name in ZEROS if callable(getattr(network, name, None))), None)
    if reset is None:
        return None
    try:
        reset()
    except NameError:
        raise
    except Exception:  # it takes arguments, or is not for calling now
        return None
    return _table(nodes, lambda node: _gradient(engine, node))


def _places(network: Any, types: tuple[type, ...]) -> dict[str, dict[str, Any]]:
    """Of the network, its layers and its neurons: the class, and where its methods begin."""
    layer = _first(network, lambda x: bool(_neurons(x, types)))
    neuron = _first(layer, lambda x: _neuron(x, types) is not None)
    found = {"network": network, "layer": layer, "neuron": neuron}
    return {
        role: {"class": type(x).__name__, "methods": dict(_methods(type(x)))}
        for role, x in found.items()
        if x is not None and not isinstance(x, (list, tuple))
    }


def _methods(cls: type) -> Iterator[tuple[str, tuple[str, int]]]:
    for role, names in (
        ("init", ("__init__",)),
        ("call", CALLS),
        ("parameters", LISTS),
        ("zero_grad", ZEROS),
    ):
        for name in names:
            code = getattr(getattr(cls, name, None), "__code__", None)
            if code is not None:
                yield role, (code.co_filename, code.co_firstlineno)
                break


def layers_of(network: Any, types: tuple[type, ...]) -> list[list[Neuron]]:
    """The (weights, bias) of every neuron of every layer; an empty list for what is no network."""
    stacked = _first_list(network, lambda layer: _neurons(layer, types))
    return stacked or [neurons for x in fields(network).values() if (neurons := _neurons(x, types))]


def _neurons(layer: Any, types: tuple[type, ...]) -> list[Neuron]:
    """The neurons of a layer; an empty list for what is none."""
    if isinstance(layer, types):
        return []
    if isinstance(layer, (list, tuple)):
        found = [_neuron(x, types) for x in layer]
        return [x for x in found if x is not None] if layer and all(found) else []
    objects = _first_list(layer, lambda x: _neuron(x, types))
    if objects:
        return objects
    rows = _first_list(layer, lambda x: x if _nodes(x, types) else None)
    biases = [x for x in fields(layer).values() if _nodes(x, types) and len(x) == len(rows)]
    return [(list(row), b) for row, b in zip(rows, biases[0] if biases else [None] * len(rows), strict=True)]


def _neuron(x: Any, types: tuple[type, ...]) -> Neuron | None:
    held = fields(x).values() if not isinstance(x, types) else ()
    weights = [y for y in held if isinstance(y, list) and _nodes(y, types)]
    bias = [y for y in held if isinstance(y, types)]
    return (weights[0], bias[0] if bias else None) if weights else None


def _nodes(x: Any, types: tuple[type, ...]) -> bool:
    return isinstance(x, (list, tuple)) and bool(x) and all(isinstance(y, types) for y in x)


def _lists(x: Any) -> Iterator[Any]:
    """An object itself, if it is a list, else the lists among its attributes."""
    for held in [x] if isinstance(x, (list, tuple)) else fields(x).values():
        if isinstance(held, (list, tuple)) and held:
            yield held


def _first_list(x: Any, part: Callable[[Any], Any]) -> list[Any]:
    """The parts of the first list among an object's attributes all of whose elements are such parts."""
    for held in _lists(x):
        parts = [part(y) for y in held]
        if all(parts):
            return parts
    return []


def _first(x: Any, is_part: Callable[[Any], bool]) -> Any:
    """The first element of the first such list, or the first such attribute; None where there is neither."""
    if x is None:
        return None
    for held in _lists(x):
        if all(map(is_part, held)):
            return held[0]
    return next((held for held in fields(x).values() if is_part(held)), None)


def _in_classes(loaded: Loaded, engine: Engine) -> Make | None:
    """The constructor that makes a network of the shape of the trial; else one whose neurons are as many, but do not
    have as many weights as they should."""
    classes = [cls for cls in loaded.classes() if _means_network(cls.__name__)]
    misshapen: tuple[str, Make] | None = None
    for cls in sorted(classes, key=lambda cls: bare(cls.__name__) not in NAMES):
        for shape, constructor in CONSTRUCTORS:
            try:
                with patience():
                    layers = layers_of(constructor(cls, TRIAL), engine.types)
            except BaseException:  # another shape may be what the constructor takes
                continue
            found = shape.format(cls.__name__), functools.partial(constructor, cls)
            if [[len(w) for w, _ in neurons] for neurons in layers] == [[2, 2, 2], [3]]:
                engine.found["network"] = found[0]
                return found[1]
            if misshapen is None and [*map(len, layers)] == TRIAL[1:]:
                misshapen = found
    if misshapen is not None:
        engine.found["network"] = misshapen[0]
        return misshapen[1]
    return None


def _means_network(name: str) -> bool:
    plain = bare(name)
    return plain in NAMES or "mlp" in plain


IMPORTS = re.compile(r"^[ \t]*((?:from|import)[ \t].*)", re.MULTILINE)
"""Where a module says what it imports."""


def _module_names(path: str) -> tuple[str, ...]:
    """What a file may be imported as: its stem; its folder's name, where it is the package's own."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    return (os.path.basename(folder),) if stem == "__init__" else (stem,)


def _siblings(loaded: Loaded) -> Iterator[str]:
    """Dotted names of the modules beside the engine's, or in packages there, that import it and define a network."""
    root, package = loaded.modules.roots[0], loaded.main.__name__.rpartition(".")[0]
    files = glob.glob(os.path.join(root, "*.py"))
    for init in glob.glob(os.path.join(root, "*", "__init__.py")):
        files += glob.glob(os.path.join(os.path.dirname(init), "*.py"))
    stem = os.path.splitext(os.path.basename(str(loaded.main.__file__)))[0]
    own = {part for file in loaded.modules.files for part in _module_names(file)}
    near = re.compile(rf"nn|mlp|net|layer|model|module|{re.escape(stem)}", re.IGNORECASE)

    def order(path: str) -> tuple[int, bool, str]:
        return path.count(os.sep), near.search(os.path.basename(path)) is None, path

    for path in sorted(files, key=order)[:MOST]:
        if os.path.realpath(path) in loaded.modules.files:
            continue
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:  # a folder, or a link to what is not there or must not be read
            continue
        if any(map(_means_network, re.findall(r"^class (\w+)", text, re.MULTILINE))) and any(
            own.intersection(re.findall(r"\w+", line)) for line in re.findall(IMPORTS, text)
        ):
            parts = os.path.relpath(path, root).removesuffix(".py").split(os.sep)
            yield ".".join([package, *parts] if package else parts)
