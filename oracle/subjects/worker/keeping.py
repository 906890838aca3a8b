"""Where an engine keeps its gradients: in an attribute, behind a method, or in what its backward returns.

`name` is that of the attribute or method; `written`, as it is read: an attribute's name, or an expression in `a`.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


class ReadOnly(Exception):
    """A step that this engine does not allow from outside: "set" of data, or "zero" of gradients."""


class Attribute:
    """In an attribute of each node, by itself or as the only thing in a list or dictionary; or in one of a box that the
    node keeps: then its name is dotted."""

    def __init__(self, name: str) -> None:
        self.name = self.written = name
        self._path, _, self._last = name.rpartition(".")

    def _holder(self, node: Any) -> Any:
        """The box that has the attribute."""
        return attrgetter(self._path)(node)

    def read(self, node: Any) -> Any:
        """What is kept for a node: a number, a node, or None."""
        g = getattr(self._holder(node) if self._path else node, self._last, None)
        if type(g) is float:
            return g
        if hasattr(g, "__func__"):  # a method called grad is no gradient
            return None
        if isinstance(g, (list, tuple, dict)):
            inside = list(g.values()) if isinstance(g, dict) else g
            return g if len(inside) > 1 else inside[0] if inside else None
        return g

    def write(self, node: Any, x: Any) -> None:
        """Set it, as a training loop does before its next backward. Raises ReadOnly."""
        holder = self._holder(node) if self._path else node
        box = getattr(holder, self._last)
        if isinstance(box, (list, dict)):
            for key in box if isinstance(box, dict) else range(len(box)):
                box[key] = x
            return
        try:
            setattr(holder, self._last, x)
        except AttributeError:  # a property to be read only: its store has a name like it
            for name in ("_" + self.name, f"_{type(node).__name__}__{self.name}"):
                if hasattr(node, name):
                    setattr(node, name, x)
                    return
            raise ReadOnly("zero") from None


class Method:
    """Given by a method without arguments."""

    def __init__(self, name: str) -> None:
        self.name, self.written = name, f"a.{name}()"

    def read(self, node: Any) -> Any:
        return getattr(node, self.name)()

    def write(self, node: Any, x: Any) -> None:
        raise ReadOnly("zero")


class Returned:
    """In the mapping from nodes to gradients that backward returns; several calls add up, as everywhere.

    by_id   id of a node → its gradient so far
    last    what the last call returned: where the next one returns the same mapping, it has added up by itself
    alive   the nodes of all calls, so that no id is used twice
    """

    name = "what backward returns"
    sums = "none: each call gives one root's gradients, which are added up here"

    def __init__(self, written: str = "given[a]") -> None:
        self.written = written
        self.by_id: dict[int, Any] = {}
        self.last: Mapping[Any, Any] | None = None
        self.alive: list[Any] = []

    def begin(self) -> None:
        """Forget the nodes of earlier cases."""
        self.by_id.clear()
        self.alive.clear()

    def add(self, gradients: Mapping[Any, Any], nodes: Sequence[Any] = ()) -> None:
        """Take in what one call returned. Keys may be nodes, or their ids."""
        self.alive += nodes
        again, self.last = gradients is self.last, gradients
        for node, g in gradients.items():
            key = node if type(node) is int else id(node)
            self.by_id[key] = g if again or key not in self.by_id else self.by_id[key] + g

    def read(self, node: Any) -> Any:
        return self.by_id.get(id(node))

    def write(self, node: Any, x: Any) -> None:
        self.by_id[id(node)] = x


Keeping = Attribute | Method | Returned
