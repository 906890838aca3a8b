"""Namespaces become an Engine: the usual names first, then trial and measurement.

Here: which class, how it is made, and which attribute holds its number (the one that holds 2.5 after C(2.5)).
"""

from __future__ import annotations

import functools
import operator
import re
import sys
from operator import attrgetter

from .engine import Engine
from .find_backward import find_backward
from .find_ops import find_ops
from .load import Refusal
from .look import ONE, OTHER, arguments, attributes, boxed, patience, readable, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .load import Loaded
    from .order import Numbered

CLASSES = ("Value", "Scalar", "Var", "Variable", "Val", "Tensor", "Node", "Number")

DATA = ("data", "value", "val", "v", "_data", "_value", "_val", "of", "x", "item")

COMPUTE = ("forward", "compute", "evaluate", "eval")
"""Methods that give a node its number, where an op only notes what is to be computed."""

CONSTRUCTORS: tuple[tuple[str, Callable[[Any], Callable[[float], Any]]], ...] = (
    ("{}(x)", lambda cls: cls),
    ("{}(data=x)", lambda cls: lambda x: cls(data=x)),
    ("{}(value=x)", lambda cls: lambda x: cls(value=x)),
    ("{}(x, '')", lambda cls: lambda x: cls(x, "")),
    ("{}(x, ())", lambda cls: lambda x: cls(x, ())),
    ("{}(x, (), '')", lambda cls: lambda x: cls(x, (), "")),
    ("{}('', x)", lambda cls: lambda x: cls("", x)),
    ("{}([x])", lambda cls: lambda x: cls([x])),
)
"""How a number may become a leaf; before these, with the flag that asks for its gradient, where there is one.

The first way that puts it where numbers usually are is taken; else the first that gives a leaf.
"""


FLAG = re.compile(
    r"^(has|wants?|needs?|tracks?)?_?grad(ient)?$|requires?_?grad|track|param|trainable|learnable",
    re.IGNORECASE,
)
"""Names of arguments without which a leaf is a constant."""


def _constructors(cls: type, loaded: Loaded) -> Iterator[tuple[str, Callable[[float], Any]]]:
    """How a number may become a leaf of a class: as it is written, and a callable; plain numbers first."""
    ways = list(_of_plain_numbers(cls))
    yield from ways
    for spelled, make in ways:
        yield from _of_numpys_numbers(spelled, make, loaded)
    for name, f in vars(cls).items():
        if isinstance(f, classmethod) and arguments(f.__func__) == 2:
            yield f"{cls.__name__}.{name}(x)", getattr(cls, name)


def _of_numpys_numbers(
    spelled: str, make: Callable[[float], Any], loaded: Loaded
) -> Iterator[tuple[str, Callable[[float], Any]]]:
    """The same with a number of numpy's, which has the shape that an array has, where the subject's file uses numpy."""
    numpy = sys.modules.get("numpy")
    name = next((name for name, x in vars(loaded.main).items() if x is numpy and x is not None), None)
    if numpy is not None and name is not None:
        yield re.sub(r"\bx\b", f"{name}.float64(x)", spelled), lambda x: make(numpy.float64(x))


def _of_plain_numbers(cls: type) -> Iterator[tuple[str, Callable[[float], Any]]]:
    title = cls.__name__
    for name, default in _defaults(attributes(cls).get("__init__")):
        if default is False and FLAG.search(name):
            yield f"{title}(x, {name}=True)", functools.partial(cls, **{name: True})
    for shape, constructor in CONSTRUCTORS:
        yield shape.format(title), constructor(cls)


def _defaults(init: Any) -> list[tuple[str, Any]]:
    """Names and defaults of a constructor's arguments behind the number, False where one has to be given."""
    code, values = getattr(init, "__code__", None), getattr(init, "__defaults__", None) or ()
    named = getattr(init, "__kwdefaults__", None) or {}
    if code is None:
        return []
    names = code.co_varnames[: code.co_argcount]
    given = dict.fromkeys(names[2:], False) | dict(
        zip(names[len(names) - len(values) :], values, strict=True)
    )
    return [*given.items(), *named.items()]


def find(loaded: Loaded, words: list[Any], wanted: str | None, numbered: Numbered) -> Engine:
    """The engine in what was loaded. Raises Refusal with what was looked for.

    words    the vocabulary: see `find_ops`
    wanted   the class's name, or None for the first one with a backward that does something
    numbered gives nodes their hashes
    """
    classes = _candidates(loaded)
    if wanted is not None:
        classes = [cls for cls in classes if cls.__name__ == wanted] or _no_such_class(wanted, classes)
    tried: list[str] = []
    usable: list[Engine] = []
    for cls in classes:
        engine = _leaf(cls, loaded, tried)
        if engine is None:
            continue
        numbered.adopt(engine.make(ONE))
        _find_node_types(engine, loaded, numbered)
        find_ops(engine, loaded, words)
        works = find_backward(engine, loaded) or _of_numpys(engine, loaded)
        if works or engine.offered or engine.backward is not None or len(classes) == 1:
            usable.append(engine)
        else:
            tried.append(f"{cls.__name__} has neither operators nor a backward method")
        if works:
            break
    loaded.refuse_missing_modules()
    if not usable:
        raise Refusal(_no_engine(classes, tried, loaded), attributes(classes[0]) if classes else ())
    return usable[-1] if works else usable[0]


def _of_numpys(engine: Engine, loaded: Loaded) -> bool:
    """Whether an engine back-propagates from numpy's numbers: if so, its leaves are made of these."""
    plain = engine.make
    for written, make in _of_numpys_numbers(engine.found["constructor"], plain, loaded):
        engine.make = make
        if find_backward(engine, loaded):
            engine.found["constructor"] = written
            return True
    engine.make = plain
    return False


def _candidates(loaded: Loaded) -> list[type]:
    """The subject's classes: those with arithmetic first, then by the usual names, then as they are defined."""

    def rank(cls: type) -> tuple[bool, int]:
        own = attributes(cls)
        arithmetic = any(name in own for name in ("__add__", "__mul__", "add", "mul"))
        usual = CLASSES.index(cls.__name__) if cls.__name__ in CLASSES else len(CLASSES)
        return not arithmetic, usual

    return sorted(loaded.classes(), key=rank)


def _leaf(cls: type, loaded: Loaded, tried: list[str]) -> Engine | None:
    """An Engine for a class that can hold a number, or None with the reason added to `tried`."""
    raised: list[str] = []
    numberless: list[str] = []
    arrays: list[str] = []
    unusual: Engine | None = None
    for spelled, make in _constructors(cls, loaded):
        try:
            one, other = make(ONE), make(OTHER)
        except BaseException as problem:  # another shape may be what the constructor takes
            raised.append(f"{spelled} raises {type(problem).__name__}: {problem}".removesuffix(": "))
            continue
        names = [n for n in readable(one, DATA) if reading(one, n) == ONE and reading(other, n) == OTHER]
        names = names or [
            n for n in boxed(one, DATA, (cls,)) if reading(one, n) == ONE and reading(other, n) == OTHER
        ]
        usual = bool(names) and names[0].partition(".")[0] in DATA
        array = _longer(one, names[0]) if usual else _array(one)
        if spelled.endswith("([x])"):  # a list that stays one is a tensor
            array = array or _array(one)
        if array is not None:
            arrays.append(array)
            continue
        if not names:
            numberless.append(f"{spelled.replace('(x', f'({ONE}')} has no attribute that holds {ONE}")
            continue
        engine = Engine(cls, make, names[0], loaded.modules.files)
        engine.found.update({"class": cls.__name__, "constructor": spelled, "data": names[0]})
        if usual:
            return engine
        unusual = unusual or engine
    if unusual is None:
        tried.append((arrays or numberless or raised)[0])
    return unusual


def _find_node_types(engine: Engine, loaded: Loaded, numbered: Numbered) -> None:
    """Add what ops return to the engine's types, where that is no leaf; by the class that both have in common.

    Where such a node has no number yet, the method that computes it is to be called for each.
    """
    for op in (operator.add, operator.mul):
        try:
            with patience():
                out = op(engine.make(ONE), engine.make(OTHER))
                lazy = next((name for name in COMPUTE if _computed_by(name, out, engine.data)), None)
        except BaseException:  # a missing or faulty op is judged later, as a case
            continue
        if isinstance(out, engine.types) or not loaded.owns(type(out)) or reading(out, engine.data) is None:
            continue
        shared = (cls for cls in type(out).__mro__ if issubclass(engine.cls, cls) and loaded.owns(cls))
        common = next(shared, type(out))
        engine.types += (common,)
        numbered.adopt(out, common)
        if lazy is not None:
            engine.compute = lazy
            engine.found["computing"] = f"y.{lazy}(), for each result"


def _computed_by(method: str, node: Any, data: str) -> bool:
    """Whether a node without a number has one after a call of this method."""
    if reading(node, data) is not None or not callable(getattr(node, method, None)):
        return False
    getattr(node, method)()
    return reading(node, data) is not None


# Sentences ----------------------------------------------------------------------------------------------------


def _array(node: Any) -> str | None:
    """A sentence, where a node keeps an array in place of its number."""
    for name in readable(node, DATA):
        x = getattr(node, name, None)
        if name in DATA and (isinstance(x, (list, tuple)) or hasattr(x, "shape")):
            return f"{type(node).__name__} keeps arrays in {name!r}: a tensor engine without scalars"
    return None


def _longer(node: Any, name: str) -> str | None:
    """A sentence, where a node's number has more digits than the reference's."""
    kind = getattr(attrgetter(name)(node), "dtype", None)
    if getattr(kind, "itemsize", 0) <= 8:
        return None
    return f"{type(node).__name__} computes in {kind}, with more digits than the reference's float64"


def _no_such_class(wanted: str, classes: list[type]) -> list[type]:
    names = ", ".join(cls.__name__ for cls in classes) or "none"
    raise Refusal(f"there is no class {wanted} here; the classes found: {names}")


def _no_engine(classes: list[type], tried: list[str], loaded: Loaded) -> str:
    if not classes:
        absent = {name: loaded.absent(name) for name in CLASSES}
        for name, module in absent.items():
            if module is not None:
                return f"no class is defined here: {name} comes from {module}, which is not among its Python files"
        said = "no class is defined here; an engine is a class such as Value that holds a number"
        names = [name for name, _ in loaded.functions()][:3]
        if names:
            some = ", ".join(names)
            said += f": have the operators of such a class call {some} and the others, or write a harness (--exec)"
        return said
    return "no engine class found; tried " + "; ".join(tried[:4])
