"""How an engine spells every op of the vocabulary: operator, method, function or class, in any capitals.

An op is offered when a trial call returns a node. One that is spelled and never returns one is still called, so
that its failure is seen; one whose body is still to be written is none.
"""

from __future__ import annotations

import operator

from .helpers import Helpers
from .look import attributes, bare, methods, patience

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .engine import Engine
    from .load import Loaded

    Call = Callable[..., Any]
    Way = tuple[str, Any, Call]

OPERATORS: dict[str, Call] = {
    "__add__": operator.add,
    "__sub__": operator.sub,
    "__mul__": operator.mul,
    "__truediv__": operator.truediv,
    "__pow__": operator.pow,
    "__neg__": operator.neg,
    "__abs__": operator.abs,
}

WORDS: dict[str, tuple[str, ...]] = {
    "add": ("plus",),
    "sub": ("subtract", "minus"),
    "mul": ("multiply", "times"),
    "div": ("divide",),
    "neg": ("negate",),
}
"""What engines that overload no operators call them, beside the names that the vocabulary has."""

TRIALS = ((0.5, 2.5), (2.5, 0.5), (1, 2))
"""Operands that are inside the domain of one op or another."""


def find_ops(engine: Engine, loaded: Loaded, words: list[Any]) -> None:
    """Fill `calls`, `offered`, `names` and `found`.

    words   for every op of the vocabulary: name, arity, names of methods, names of functions, and whether
            Python has an operator for it: then that is what counts in an engine that overloads operators,
            and it is tried though no method of that name is there; names of its parameters, in order, and
            those that a trial needs
    """
    overloads = {"__add__", "__mul__"} & set(methods(engine.cls))
    defined, helpers = _Defined(loaded), Helpers(loaded)
    engine.helpers = helpers
    for op, arity, spellings, functions, expected, parameters, given in words:
        ways, beside = list(_operators(engine, spellings)), []
        if not expected or not overloads:
            names = (*spellings, op, *WORDS.get(op, ()))
            plain = {bare(name) for name in (*names, *functions)}
            ways += _methods(engine, arity, names)
            ways += defined.ways(plain)
            beside = list(helpers.ways(plain.__contains__, engine.cls, arity))
        if expected:
            ways.append((spellings[0], None, OPERATORS[spellings[0]]))
        extra = in_order(given, parameters)
        offered = next((way for way in [*ways, *beside] if _offers(engine, way[2], arity, extra)), None)
        if offered is None:
            ways = [way for way in ways if not empty(way[1])]
        if not ways:
            continue
        written, function, call = offered or ways[0]
        if offered in beside:
            helpers.note(written)
            engine.found["beside"] = helpers.used
        engine.parameters[op] = parameters
        engine.calls[op] = engine.computing(call)
        code = getattr(function, "__code__", None)
        place = (None, None) if code is None else (code.co_filename, code.co_firstlineno)
        engine.names[op] = (getattr(function, "__name__", op), place)
        if offered:
            engine.offered.append(op)
            engine.found[op] = written


def empty(function: Any) -> bool:
    """Whether a function is still to be written: `pass`, a docstring, or NotImplementedError is its whole body."""
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    bare = (
        not code.co_names and not code.co_cellvars and not code.co_freevars and len(set(code.co_consts)) <= 2
    )
    return bare or "NotImplementedError" in code.co_names


def _operators(engine: Engine, spellings: list[str]) -> Iterator[Way]:
    """Each way: as it is written, the function behind it, and a callable on operands."""
    known = methods(engine.cls)
    for name in spellings:
        if name in OPERATORS and name in known:
            yield name, known[name], OPERATORS[name]


def _methods(engine: Engine, arity: int, spellings: tuple[str, ...]) -> Iterator[Way]:
    known = methods(engine.cls)
    alike = {bare(name): name for name in reversed(list(known)) if not name.startswith("__")}
    for spelling in dict.fromkeys(spellings):
        name = spelling if spelling in known and spelling not in OPERATORS else alike.get(bare(spelling))
        if name is not None:
            yield f"a.{name}(b)" if arity == 2 else f"a.{name}()", known[name], _calling(name)


class _Defined:
    """Functions of the subject's modules, classes that stand for an op, and classes' static functions."""

    def __init__(self, loaded: Loaded) -> None:
        self.functions = [(bare(name), name, f) for name, f in loaded.functions()]
        self.static = [
            (bare(name), name, cls, f)
            for cls in loaded.classes()
            for name, f in vars(cls).items()
            if isinstance(f, (staticmethod, classmethod))
        ]

    def ways(self, wanted: set[str]) -> Iterator[Way]:
        """Those of a plain name that is wanted."""
        for plain, name, f in self.functions:
            if plain in wanted:
                yield f"{name}(…)", f, f
                if isinstance(f, type):
                    yield from _op_class(name, f)
        for plain, name, cls, f in self.static:
            if plain in wanted:
                yield f"{cls.__name__}.{name}(…)", f.__func__, getattr(cls, name)


def _op_class(name: str, cls: Any) -> Iterator[Way]:
    known = attributes(cls)
    if "apply" in known:
        yield f"{name}.apply(…)", cls.apply, cls.apply
    for method in ("__call__", "forward"):
        if method in known:
            yield f"{name}().{method}(…)", known[method], lambda *x, m=method: getattr(cls(), m)(*x)


def _calling(name: str) -> Call:
    return lambda *x: getattr(x[0], name)(*x[1:])


def in_order(given: dict[str, float], names: list[str]) -> list[float | None]:
    """An op's parameters as further positional arguments, since their names differ from engine to engine: up to the
    last that is given, with None for one that is not."""
    last = max((names.index(name) for name in given), default=-1)
    return [given.get(name) for name in names[: last + 1]]


def _offers(engine: Engine, call: Call, arity: int, extra: list[float | None]) -> bool:
    """Whether some ordinary trial call returns a node. extra: the parameters it cannot be without."""
    for point in TRIALS:
        for form in ("v",) if arity == 1 else ("vv", "vn", "nv"):
            try:
                operands = [
                    engine.make(x) if kind == "v" else x for kind, x in zip(form, point, strict=False)
                ]
                with patience():
                    if isinstance(call(*operands, *extra), engine.types):
                        return True
            except BaseException:  # an op that raises here is judged as a case, with its exception
                continue
    return False
