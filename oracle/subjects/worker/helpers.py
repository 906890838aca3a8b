"""Objects that an engine computes by, beside its nodes: a tape or a graph, whose methods are ops, leaves or backward.

Each is a class that is made without arguments; every case has a new one.
"""

from __future__ import annotations

from .look import arguments, attributes, bare, methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .load import Loaded


class Helpers:
    """made: the object of each class in this case. used: how the one is made whose methods are ops of the engine."""

    used = ""

    def __init__(self, loaded: Loaded) -> None:
        self.classes = [cls for cls in loaded.classes() if arguments(attributes(cls).get("__init__")) <= 1]
        self.made: dict[type, Any] = {}

    def note(self, written: str) -> None:
        """An op is offered by such a method: lines to paste begin by making the object."""
        name = written.partition(".")[0]
        cls = next(cls for cls in self.classes if _variable(cls) == name)
        self.used = f"{name} = {cls.__name__}()"

    def begin(self) -> None:
        """Forget the objects of earlier cases."""
        self.made.clear()

    def ways(
        self, wanted: Callable[[str], bool], node: type, arity: int
    ) -> Iterator[tuple[str, Any, Callable[..., Any]]]:
        """(as it is written, function, callable) for every method of such an object whose plain name is wanted: on so
        many operands, or on a list of them."""
        for cls in self.classes:
            for name, f in methods(cls).items():
                if cls is node or name.startswith("__") or not wanted(bare(name)):
                    continue
                called = f"{_variable(cls)}.{name}"
                if arguments(f) == arity + 1:
                    yield f"{called}(…)", f, self._call(cls, name)
                if arguments(f) == 2:
                    yield f"{called}([…])", f, self._call_list(cls, name)

    def _of(self, cls: type, name: str) -> Any:
        if cls not in self.made:
            self.made[cls] = cls()
        return getattr(self.made[cls], name)

    def _call(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *x: self._of(cls, name)(*x)

    def _call_list(self, cls: type, name: str) -> Callable[..., Any]:
        return lambda *x: self._of(cls, name)([*x])


def _variable(cls: type) -> str:
    """What such an object is called in lines to paste."""
    return cls.__name__.lower()
