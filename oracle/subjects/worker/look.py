"""Looking at a stranger's objects: their attributes as numbers, and trials that end."""

from __future__ import annotations

import signal
from operator import attrgetter

from .engine import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .engine import Engine

    Build = Callable[[Any, Any, Any, Any], Any]

ONE, OTHER = 2.5, -1.25
"""The numbers that trials are made with."""

PATIENCE = 0.5
"""Seconds that one trial may take."""


def attributes(cls: type) -> dict[str, Any]:
    """Every name defined by a class or its bases, with its definition; object's own left out."""
    out: dict[str, Any] = {}
    for base in reversed(cls.__mro__[:-1]):
        out.update(vars(base))
    return out


def methods(cls: type) -> dict[str, Any]:
    """The attributes of a class that can be called."""
    return {name: f for name, f in attributes(cls).items() if callable(f)}


def small_graph(engine: Engine, build: Build) -> tuple[Any, Any, Any]:
    """Both leaves and the root of a small program, made with the engine's own spelling of add and mul."""
    engine.begin()
    a, b = engine.make(ONE), engine.make(OTHER)
    return a, b, build(engine.calls["add"], engine.calls["mul"], a, b)


def bare(name: str) -> str:
    """A name without underscores and capitals."""
    return name.replace("_", "").lower()


def arguments(function: Any) -> int:
    """How many arguments a Python function cannot do without; 0 where it cannot be told."""
    code = getattr(function, "__code__", None)
    return code.co_argcount - len(function.__defaults__ or ()) if code is not None else 0


def means_gradient(name: str) -> bool:
    """Whether a name speaks of gradients."""
    return any(word in name.lower() for word in ("grad", "deriv", "diff", "reverse", "adjoint"))


def fields(node: Any) -> dict[str, Any]:
    """What a node's attributes hold, those in slots too; properties are left alone."""
    out = dict(getattr(node, "__dict__", {}))
    for cls in type(node).__mro__:
        slots = vars(cls).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(node, name):
                out[name] = getattr(node, name)
    return out


def readable(node: Any, usual: Sequence[str]) -> list[str]:
    """Names of a node's attributes that could hold a number: the usual ones first, in their order."""
    names = list(getattr(node, "__dict__", ()))
    for name, what in attributes(type(node)).items():
        if isinstance(what, property) or type(what).__name__ == "member_descriptor":
            names.append(name)
    return [n for n in usual if n in names] + [n for n in names if n not in usual and not n.startswith("__")]


def boxed(node: Any, usual: Sequence[str], types: tuple[type, ...]) -> list[str]:
    """Dotted names of what may hold a number inside another object that a node has: "data.array"."""
    held = fields(node)
    boxes = [
        name
        for name in readable(node, usual)
        if name in held and type(held[name]).__module__ != "builtins" and not isinstance(held[name], types)
    ]
    return [f"{name}.{inner}" for name in boxes for inner in fields(held[name])]


def reading(node: Any, name: str) -> float | None:
    """An attribute as a float, or None where it holds none."""
    try:
        x = attrgetter(name)(node)
        return None if isinstance(x, bool) else number(x, name)
    except BaseException:  # a property may raise whatever it likes
        return None


class Hangs(BaseException):
    """A trial took longer than PATIENCE."""


class patience:
    """Ends a trial that does not end by itself: what hangs is judged later, as a case with a timeout."""

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self.ring)
        signal.setitimer(signal.ITIMER_REAL, PATIENCE)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def ring(self, *_: object) -> None:
        raise Hangs
