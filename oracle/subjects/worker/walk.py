"""Backward for engines that leave it to the reader: nodes carry closures, and nobody calls them.

Parents are found by identity, wherever a node keeps them: in an attribute, in a container, or only in the cells of
its closure.
"""

from __future__ import annotations

from .look import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


def closure_names(node: Any, types: tuple[type, ...]) -> Iterator[str]:
    """The attributes that may hold a node's backward closure."""
    for name, x in fields(node).items():
        if getattr(x, "__code__", None) is None or x.__code__.co_argcount > 1:
            continue
        if "back" in name.lower() or any(isinstance(cell, types) for cell in _cells(x)):
            yield name


def walk(root: Any, closure: str, gradient: str, types: tuple[type, ...]) -> None:
    """Set the root's gradient to 1, then call every node's closure, consumers before operands."""
    setattr(root, gradient, 1.0)
    for node in reversed(order(root, types)):
        push = getattr(node, closure, None)
        if push is not None:
            push(*[getattr(node, gradient)] * push.__code__.co_argcount)


def order(root: Any, types: tuple[type, ...]) -> list[Any]:
    """Every node that the root was computed from, operands first, without recursion."""
    out: list[Any] = []
    seen: set[int] = set()
    stack = [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            out.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in parents(node, types))
    return out


def parents(node: Any, types: tuple[type, ...]) -> Iterable[Any]:
    """The nodes that a node refers to, except itself."""
    found = {}
    for x in fields(node).values():
        inside = (
            x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple, set, frozenset)) else (x,)
        )
        for y in inside:
            for z in (y, *_cells(y)) if not isinstance(y, tuple) else y:
                if isinstance(z, types) and z is not node:
                    found[id(z)] = z
    return found.values()


def _cells(x: Any) -> list[Any]:
    """What a function's closure refers to; nothing for other things and for cells not filled yet."""
    out = []
    for cell in getattr(x, "__closure__", None) or ():
        try:
            out.append(cell.cell_contents)
        except ValueError:
            continue
    return out
