"""Watching an engine at work in somebody's script: which op made which node, from which operands.

The class's own operators and methods are wrapped from outside, so nothing depends on how it keeps parents. The
outermost call of an op is one node; what it calls is part of it. Beside every node stands a `Shadow`, which refers
to other shadows and never keeps a node alive, where the class allows weak references.
"""

from __future__ import annotations

import builtins
import dis
import functools
import itertools
import sys
import weakref
from collections import Counter

from .engine import Engine, NotANumber, number
from .find import DATA
from .find_backward import BACKWARD, GRADIENT, _means_backward, gradient_places, kept_at
from .keeping import Attribute, Returned
from .look import attributes, bare, fields, readable, reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType
    from typing import Any


Function = type(lambda: None)

REFLECTED = {
    "__radd__": "add",
    "__rsub__": "sub",
    "__rmul__": "mul",
    "__rtruediv__": "div",
    "__rpow__": "pow",
}

ALIASES = {"plus": "add", "minus": "sub", "times": "mul", "multiply": "mul", "divide": "div", "power": "pow"}
"""Names of functions that are nobody's methods."""

CONTAINERS = (tuple, list, set, frozenset)

FOREIGN = {"torch", "tensorflow", "jax", "numpy", "sympy", "mpmath", "fractions", "decimal", "pandas"}
"""Packages whose classes have operators, and maybe a backward, but are no scalar engine."""

STRONG = 200_000
"""Nodes kept alive for the watch's sake, where a class with slots forbids weak references."""

RATES = ("lr", "learning_rate", "learningrate", "step_size", "stepsize", "alpha", "eta", "rate")

FRAMES = 5
"""Callers that are looked at to tell which function made a node."""


class Shadow:
    """What is known of one node.

    serial    order of appearance, from 0
    op        None for a leaf, "" for a node that an unknown op made
    operands  shadows and plain numbers; seen: the operands' data at that moment
    data      the node's number when it was made; for a leaf, when it was last looked at
    parameters  the op's plain numbers besides its operands, by PyTorch's names
    node      a callable that gives the node, or None when it is gone
    part_of   for a part of a fused node, that node's shadow: its gradient is the part's, too, or where the node
              ends in an activation, what that passes on
    """

    __slots__ = ("data", "node", "op", "operands", "parameters", "part_of", "seen", "serial")

    def __init__(
        self, serial: int, op: str | None, operands: tuple[Any, ...], seen: tuple[float, ...], data: float
    ) -> None:
        self.serial, self.op, self.operands, self.seen, self.data = serial, op, operands, seen, data
        self.node: Callable[[], Any] = _gone
        self.parameters: dict[str, Any] = {}
        self.part_of: Shadow | None = None


FUSED = {"dot": "", "sum": "", "dot_relu": "relu", "dot_tanh": "tanh"}
"""minigrad's fused ops, and the activation that ends them."""

PASSED: dict[str, Callable[[float, float], float]] = {
    "relu": lambda g, y: 0.0 if y <= 0.0 else g,
    "tanh": lambda g, y: g * (1.0 - y * y),
}
"""What these pass on of the gradient of their result, and of that: PyTorch's formulas."""


def _gone() -> None:
    return None


def _gives_gradients(name: str) -> bool:
    """Whether a function may be one that returns gradients: get_gradients, gradients, compute_grads."""
    return bare(name).startswith(("getgrad", "computegrad", "gradients"))


def _returns_nothing(f: Any) -> bool:
    """Whether a function has no `return` with a value."""
    before = None
    for step in dis.get_instructions(f):
        constant = step if step.opname == "RETURN_CONST" else before
        if step.opname.startswith("RETURN_") and (constant is None or constant.argval is not None):
            return False
        before = step
    return True


def _files(cls: type) -> set[str]:
    """The file in which a class does its arithmetic."""
    known = attributes(cls)
    for name in ("__add__", "__mul__", "add", "mul", "__init__"):
        f = known.get(name)
        code = getattr(getattr(f, "__wrapped__", f), "__code__", None)
        if code is not None:
            return {code.co_filename}
    return set()


class Write:
    """The script set a leaf's data or gradient: which, what, from, to, the gradient at that moment, and where."""

    __slots__ = ("file", "grad", "line", "new", "old", "serial", "what")

    def __init__(
        self, serial: int, what: str, old: float | None, new: float | None, grad: float | None, at: FrameType
    ) -> None:
        self.serial, self.what, self.old, self.new, self.grad = serial, what, old, new, grad
        self.file, self.line = at.f_code.co_filename, at.f_lineno


class Watch:
    """Instruments classes as they are made, and remembers what their nodes do.

    words       the vocabulary: (op, arity, method names, function names, names of parameters) for each
    around      called as around(root, call) in place of every outermost backward
    types       the classes being watched
    engine      how nodes are read; None before the first node
    writes      what the script itself set since they were last taken; elsewhere: gradients of inner nodes it set
    sought      whether it is still to be seen which attribute holds gradients: none has a usual name
    rates       names and values of step sizes near the lines that set data
    """

    def __init__(self, words: list[Any], around: Callable[[Any, Callable[[], Any]], Any]) -> None:
        self.around = around
        self.arity = {op: arity for op, arity, *_ in words}
        self.parameters = {op: names for op, *_, names in words}
        self.methods = {name: op for op, _, spellings, *_ in words for name in (op, *spellings)}
        self.plain = ALIASES | {bare(name): op for op, _, s, f, *_ in words for name in (op, *s, *f)}
        self.types: tuple[type, ...] = ()
        self.engine: Engine | None = None
        self.depth = 0
        self.shadows: dict[int, Shadow] = {}
        self.strong: dict[int, Any] = {}
        self.serials = itertools.count()
        self.next = 0
        self.wrapped: set[Any] = set()
        self.sought = False
        self.watched: dict[str, str] = {}
        self.writes: list[Write] = []
        self.elsewhere: list[Write] = []
        self.rates: dict[str, float] = {}

    # Classes ---------------------------------------------------------------------------------------------

    def install(self) -> None:
        """Look at every class from now on, at the moment it is made."""
        original = builtins.__build_class__

        def build(*args: Any, **named: Any) -> Any:
            cls = original(*args, **named)
            if isinstance(cls, type):
                self.consider(cls)
            return cls

        builtins.__build_class__ = build
        load = builtins.__import__

        def import_(*args: Any, **named: Any) -> Any:
            module = load(*args, **named)
            if self.types and not self.watched:  # before `from engine import backprop` takes the function
                self.functions()
            return module

        builtins.__import__ = import_

    def consider(self, cls: type) -> None:
        """Instrument a class if it looks like an engine's: arithmetic in Python, and gradients."""
        if cls.__module__.partition(".")[0] in FOREIGN:
            return
        known = attributes(cls)
        if not any(isinstance(known.get(name), Function) for name in ("__add__", "__mul__", "add", "mul")):
            return
        init = getattr(known.get("__init__"), "__code__", None)
        beside = sys._getframe(2).f_code.co_names  # what the class's module defines, among others
        if not (
            any(map(_means_backward, known))
            or set(GRADIENT) & set(init.co_names if init else ())
            or any(map(_gives_gradients, (*known, *beside)))
        ):
            return
        self.watch(cls)

    def watch(self, cls: type) -> None:
        """Instrument a class."""
        if cls not in self.types:
            self.types += (cls,)
            if self.engine is not None:
                self.engine.types = self.types
        self.wrap(cls)

    def watched_type(self, node: Any, wrapper: Any) -> bool:
        """Whether an object is a node: also of a class made anew with the methods of one that is watched, as
        `dataclass(slots=True)` does."""
        if isinstance(node, self.types):
            return True
        if not any(f is wrapper for f in vars(type(node)).values()):
            return False
        self.watch(type(node))
        return True

    def wrap(self, cls: type) -> None:
        """Wrap what the class offers and is not wrapped yet; once more when it may have got new methods."""
        known = attributes(cls)
        public = [n for n in known if n in BACKWARD or (_means_backward(n) and n[0] != "_")]
        for name, what in known.items():
            static = isinstance(what, staticmethod)
            f = what.__func__ if isinstance(what, staticmethod) else what
            if not isinstance(f, Function) or f in self.wrapped:
                continue
            if name in REFLECTED:
                new = self._op(f, REFLECTED[name], True)
            elif name in public:
                new = self._backward(f)
            elif not public and _gives_gradients(name):
                new = self._backward(f) if _returns_nothing(f) else self._giver(f)
            elif name == "__init__":
                new = self._init(f)
            elif op := self._op_of(name):
                new = self._op(f, op, False)
            else:
                continue
            self.wrapped.add(new)
            setattr(cls, name, staticmethod(new) if static else new)
        if known.get("__setattr__") not in self.wrapped:
            new = self._setattr(cls.__setattr__)
            self.wrapped.add(new)
            cls.__setattr__ = new  # type: ignore[method-assign]

    def _op_of(self, name: str) -> str | None:
        """The op that a method's name stands for; a private helper stands for none."""
        if name in self.methods:
            return str(self.methods[name])
        return None if name[0] == "_" else self.plain.get(bare(name))

    def functions(self) -> None:
        """Wrap module functions that back-propagate, for classes that have no method for it."""
        if any(_means_backward(name) and name[0] != "_" for cls in self.types for name in attributes(cls)):
            return
        modules = {cls.__module__ for cls in self.types} | {"__main__"}
        spaces = [vars(sys.modules[name]) for name in modules if name in sys.modules]
        new: dict[Any, Any] = {}
        for space in spaces:
            for name, f in list(space.items()):
                if isinstance(f, Function) and f not in self.wrapped and _means_backward(name):
                    new.setdefault(f, self._backward(f))
                elif isinstance(f, Function) and f not in self.wrapped and _gives_gradients(name):
                    new.setdefault(f, self._backward(f) if _returns_nothing(f) else self._giver(f))
        for space in spaces:
            for name, f in list(space.items()):
                if isinstance(f, Function) and f in new:
                    space[name] = new[f]
        self.wrapped.update(new.values())

    # Wrappers --------------------------------------------------------------------------------------------

    def _op(self, f: Any, op: str, reflected: bool) -> Any:
        arity, names, defaults = self.arity[op], self.parameters[op], f.__defaults__ or ()

        @functools.wraps(f)
        def call(*operands: Any, **named: Any) -> Any:
            if self.depth:
                return f(*operands, **named)
            self.depth = 1
            try:
                out = f(*operands, **named)
            finally:
                self.depth = 0
            if self.watched_type(out, call):
                given = (*operands, *named.values())
                extra = given[arity:]
                if names:  # the engine's own defaults, which need not be PyTorch's, by PyTorch's names
                    missing = len(names) - len(extra)
                    extra = (*extra, *defaults[len(defaults) - missing :]) if missing > 0 else extra
                given = given[:arity]
                parameters = dict(zip(names, extra, strict=False))
                self.made(op, given[::-1] if reflected else given, out, parameters)
            return out

        return call

    def _backward(self, f: Any) -> Any:
        @functools.wraps(f)
        def call(*args: Any, **named: Any) -> Any:
            if self.depth or not args or not self.watched_type(args[0], call):
                return f(*args, **named)
            return self.around(args[0], lambda: f(*args, **named))

        return call

    def _giver(self, f: Any) -> Any:
        """For a function that returns gradients in a mapping from nodes: to have called it is to have gone backward."""

        @functools.wraps(f)
        def call(*args: Any, **named: Any) -> Any:
            if self.depth or not args or not isinstance(args[0], self.types):
                return f(*args, **named)
            self.depth = 1
            try:
                out = f(*args, **named)
            finally:
                self.depth = 0
            self.shadow(args[0])
            if (
                self.engine is None
                or not isinstance(out, dict)
                or not any(isinstance(x, self.types) for x in out)
            ):
                return out
            self.engine.keeping = kept = Returned()

            def give() -> Any:
                kept.add(out)
                return out

            return self.around(args[0], give)

        return call

    def _init(self, f: Any) -> Any:
        @functools.wraps(f)
        def init(node: Any, *args: Any, **named: Any) -> None:
            if self.depth:
                f(node, *args, **named)
                return
            self.depth = 1
            try:
                f(node, *args, **named)
            finally:
                self.depth = 0
            parents = list(self._nodes_in((*args, *named.values())))
            if not parents:
                self._leaf(node)
            elif id(node) not in self.shadows:
                self._unknown(node, parents, sys._getframe(1))

        return init

    def _setattr(self, store: Any) -> Any:
        def set_attribute(node: Any, name: str, value: Any) -> None:
            what = None if self.depth else self.watched.get(name)
            if what is None:
                store(node, name, value)
                return
            old = self._reading(node, name)
            store(node, name, value)
            self._wrote(node, what, old, self._reading(node, name), sys._getframe(1))

        return set_attribute

    # Nodes -----------------------------------------------------------------------------------------------

    def made(
        self, op: str, operands: tuple[Any, ...], out: Any, parameters: dict[str, Any] | None = None
    ) -> None:
        """An op of the vocabulary returned a node."""
        if self.engine is None:
            self._learn(out)
        if any(x is out for x in operands) or len(operands) != self.arity[op]:
            return  # an op that hands its operand on made nothing; one with operands missing cannot be told
        kept: list[Shadow | int | float] = []
        seen: list[float] = []
        for x in operands:
            if isinstance(x, self.types):
                shadow = self.shadow(x)
                data = self.data(x)
                if shadow.op is None:
                    shadow.data = data
                kept.append(shadow)
                seen.append(data)
            elif (plain := self._plain_number(x)) is not None:
                kept.append(plain)
                seen.append(float(plain))
            else:
                return
        shadow = self._add(out, op, tuple(kept), tuple(seen))
        if parameters:
            shadow.parameters = {n: x for n, x in parameters.items() if type(x) in (int, float)}

    def shadow(self, node: Any) -> Shadow:
        """The node's shadow. One that was never seen before is a leaf, unless it holds other nodes: then it says
        itself which op made it, as minigrad's nodes do, or an unknown op did."""
        if id(node) in self.shadows:
            return self.shadows[id(node)]
        if self.engine is None:
            self._learn(node)
        stack, entered = [node], set[int]()
        while stack:
            top = stack[-1]
            parents = list(self._nodes_in(fields(top).values())) if id(top) not in self.shadows else []
            missing = [x for x in parents if id(x) not in self.shadows and id(x) not in entered]
            entered.add(id(top))
            if missing:
                stack += missing
                continue
            stack.pop()
            if id(top) in self.shadows:
                continue
            known = [self.shadows[id(x)] for x in parents if id(x) in self.shadows]
            if self._fused(top):
                continue
            op = self._own_op(top)
            if op is not None:
                operands = tuple(self.shadows[id(x)] for x in top.parents)
                seen = tuple(self.data(x) for x in top.parents)
                for shadow, data in zip(operands, seen, strict=True):
                    if shadow.op is None:
                        shadow.data = data
                self._add(top, op, operands, seen)
            else:
                self._add(top, "" if known else None, tuple(known[:64]), ())
        return self.shadows[id(node)]

    def _fused(self, node: Any) -> bool:
        """Take a fused node of minigrad's apart into the products and sums that it is, in its order."""
        op, a, b = (getattr(node, name, None) for name in ("op", "a", "b"))
        if not (isinstance(op, str) and op in FUSED and isinstance(a, tuple) and isinstance(b, tuple)):
            return False
        if not all(isinstance(x, self.types) and id(x) in self.shadows for x in (*a, *b)):
            return False
        parts: list[Shadow] = []

        def part(op: str, x: Shadow, y: Shadow) -> Shadow:
            serial = self.next = next(self.serials)
            data = x.data * y.data if op == "mul" else x.data + y.data
            parts.append(Shadow(serial, op, (x, y), (x.data, y.data), data))
            return parts[-1]

        rows = [[self.shadows[id(x)] for x in row] for row in (a, b)]
        for shadow, x in zip((*rows[0], *rows[1]), (*a, *b), strict=True):
            if shadow.op is None:
                shadow.data = self.data(x)
        start = len(a) if op == "sum" else len(a) - len(b)
        terms = rows[0][:start] + [part("mul", x, y) for x, y in zip(rows[0][start:], rows[1], strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = part("add", total, term)
        if not parts:
            return False  # the sum of one term: no op of the vocabulary
        if FUSED[op]:
            whole = self._add(node, FUSED[op], (total,), (total.data,))
        else:
            last = parts.pop()
            whole = self._add(node, last.op, last.operands, last.seen)
        for one in parts:
            one.part_of = whole
        return True

    def _own_op(self, node: Any) -> str | None:
        """The op that a node names itself, if it has its operands in order, too."""
        op, parents = getattr(node, "op", None), getattr(node, "parents", None)
        if not isinstance(op, str) or not isinstance(parents, (tuple, list)) or self.parameters.get(op):
            return None
        whole = len(parents) == self.arity.get(op) and all(isinstance(x, self.types) for x in parents)
        return op if whole and all(id(x) in self.shadows for x in parents) else None

    def data(self, node: Any) -> float:
        """The node's number; nan where it holds none."""
        try:
            return self.engine.read_data(node) if self.engine else float("nan")
        except (NotANumber, AttributeError):
            return float("nan")

    def grad(self, node: Any) -> float | None:
        """The node's gradient, None where it has none."""
        try:
            return self.engine.read_grad(node) if self.engine else None
        except (NotANumber, AttributeError):
            return None

    def _leaf(self, node: Any) -> None:
        if isinstance(node, self.types):
            if self.engine is None:
                self._learn(node)
            self._add(node, None, (), ())

    def _unknown(self, node: Any, parents: list[Any], frame: FrameType | None) -> None:
        """A node was made from others outside any op that is wrapped: its maker's name may tell which it is."""
        for cls in self.types:
            self.wrap(cls)
        for _ in range(FRAMES):
            if frame is None or frame.f_code.co_name == "<module>":
                break
            code = frame.f_code
            own = frame.f_locals.get("self")
            maker = "" if isinstance(own, self.types) else type(own).__name__  # an op that is an object
            for name in (*reversed(code.co_qualname.split(".")), maker):
                plain = bare(name).removesuffix("function")
                op = REFLECTED.get(name) or self.methods.get(name) or self.plain.get(plain)
                if op is None:
                    continue
                given = [frame.f_locals.get(n) for n in code.co_varnames[: code.co_argcount]]
                operands = [
                    x for x in given if isinstance(x, self.types) or self._plain_number(x) is not None
                ]
                if len(operands) >= self.arity[op] and not any(x is node for x in operands):
                    chosen = tuple(operands[: self.arity[op]])
                    self.made(op, chosen[::-1] if name in REFLECTED else chosen, node)
                    return
            frame = frame.f_back
        self._add(node, "", tuple(map(self.shadow, parents[:64])), ())

    def _add(self, node: Any, op: str | None, operands: tuple[Any, ...], seen: tuple[float, ...]) -> Shadow:
        serial = self.next = next(self.serials)
        shadow = Shadow(serial, op, operands, seen, self.data(node))
        key = id(node)
        self.shadows[key] = shadow
        try:
            shadow.node = weakref.ref(node, functools.partial(self._died, key, serial))
        except TypeError:  # slots without __weakref__: kept alive, the oldest are let go
            shadow.node = lambda: self.strong.get(key)
            self.strong[key] = node
            if len(self.strong) > STRONG:
                oldest = next(iter(self.strong))
                del self.strong[oldest], self.shadows[oldest]
        return shadow

    def _died(self, key: int, serial: int, _: object) -> None:
        if key in self.shadows and self.shadows[key].serial == serial:
            del self.shadows[key]

    def _nodes_in(self, things: Any) -> Iterator[Any]:
        for x in things:
            if isinstance(x, self.types):
                yield x
            elif isinstance(x, CONTAINERS):
                for y in x:
                    if isinstance(y, self.types):
                        yield y
                    elif isinstance(y, tuple):
                        yield from (z for z in y if isinstance(z, self.types))

    # Attributes ------------------------------------------------------------------------------------------

    def _learn(self, node: Any) -> None:
        """Which attributes hold the number and the gradient: the usual names, of those that are there."""
        names = readable(node, DATA)
        data = next((n for n in names if n in DATA and reading(node, n) is not None), None)
        if data is None:
            data = next((n for n in names if reading(node, n)), None)
        if data is None:
            return
        self.engine = Engine(type(node), type(node), data, _files(type(node)))
        self.engine.types = self.types
        usual = [p for p in gradient_places(node, data) if p.name in GRADIENT or not isinstance(p, Attribute)]
        self.sought = not usual
        self.engine.keeping = usual[0] if usual else Attribute("grad")
        self.watched = {data: "data", self.engine.grad: "grad"}
        for cls in self.types:  # a decorator may have given it methods after it was made
            self.wrap(cls)
        self.functions()

    def look(self, nodes: Sequence[Any]) -> list[dict[str, float | None]]:
        """What may be a gradient, by name, for each node, as long as it is not known which is."""
        assert self.engine is not None
        data = self.engine.data if self.sought else ""
        return [
            {p.name: kept_at(p, x) for p in gradient_places(x, data)} if self.sought else {} for x in nodes
        ]

    def settle(self, nodes: Sequence[Any], before: list[dict[str, float | None]]) -> None:
        """After backward the gradient is known: it is what has changed in most nodes."""
        if not self.sought:
            return
        changed = Counter[str]()
        for old, now in zip(before, self.look(nodes), strict=True):
            changed.update(name for name, x in now.items() if x is not None and x != old.get(name))
        if changed and self.engine is not None:
            (name, _), self.sought = changed.most_common(1)[0], False
            self.engine.keeping = Attribute(name)
            self.watched[name] = "grad"

    def _reading(self, node: Any, name: str) -> float | None:
        try:
            return None if (x := getattr(node, name, None)) is None else number(x, name)
        except NotANumber:
            return None

    def _wrote(self, node: Any, what: str, old: float | None, new: float | None, at: FrameType) -> None:
        shadow = self.shadows.get(id(node))
        if shadow is None:
            return  # it is being made
        if shadow.op is not None:
            self.elsewhere.append(Write(shadow.serial, what, old, new, None, at))
            return
        self.writes.append(Write(shadow.serial, what, old, new, self.grad(node), at))
        if what == "data" and len(self.rates) < 8:
            for space in (at.f_locals, at.f_globals, fields(at.f_locals.get("self"))):
                for name, x in space.items():
                    if name.strip("_").lower() in RATES and type(x) in (int, float):
                        self.rates.setdefault(name, float(x))

    @staticmethod
    def _plain_number(x: Any) -> int | float | None:
        """x as the protocol knows plain numbers, None if it is none."""
        if type(x) is int or type(x) is float:
            return x
        if isinstance(x, bool):
            return int(x)
        if isinstance(x, (str, bytes, complex)) or x is None:
            return None
        try:
            return float(x) if not hasattr(x, "shape") or x.shape == () else None
        except (TypeError, ValueError, OverflowError):
            return None
