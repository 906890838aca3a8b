"""What a script calls its nodes: "w1", "model.layers[0].neurons[2].b", and which object holds them."""

from __future__ import annotations

from .look import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType
    from typing import Any

LOOKED_AT = 50_000
"""Objects looked at in one search."""

DEPTH = 9


def variables(frame: FrameType, types: tuple[type, ...]) -> dict[int, str]:
    """id → name, for the nodes that a variable of the caller refers to; of two names the older one."""
    names: dict[int, str] = {}
    for space in (frame.f_locals, frame.f_globals):
        for name, x in list(space.items()):
            if isinstance(x, types):
                names.setdefault(id(x), name)
    return names


def named_leaves(
    frame: FrameType, wanted: Mapping[int, int], types: tuple[type, ...]
) -> Iterator[tuple[int, str, int]]:
    """(id, path, holder) of the wanted nodes, found breadth first from each variable of the callers, oldest first.

    `holder` numbers the object that has the node in one of its attributes, 0 when that is no object of a class:
    a path through an object is preferred to a list that happens to hold the node, too.
    """
    left, plain = set(wanted), dict[int, str]()
    seen: set[int] = set()
    at: FrameType | None = frame
    while at is not None and left and len(seen) < LOOKED_AT:
        for name, x in list(at.f_locals.items()):
            if name.startswith("__"):
                continue
            for key, path, holder in _found(x, name, seen, types):
                if key in left and holder:
                    left.discard(key)
                    yield key, path, holder
                elif key in left:
                    plain.setdefault(key, path)
        at = at.f_back
    for key in left & set(plain):
        yield key, plain[key], 0


def _found(thing: Any, name: str, seen: set[int], types: tuple[type, ...]) -> Iterator[tuple[int, str, int]]:
    """Every node within a thing, with its path and holder; things seen before are passed by."""
    queue = [(thing, name, 0, 0)]
    for x, path, holder, depth in queue:
        if isinstance(x, types):
            yield id(x), path, holder
            continue
        if id(x) in seen or depth > DEPTH or len(seen) > LOOKED_AT or isinstance(x, (str, int, float)):
            continue
        seen.add(id(x))
        if isinstance(x, (list, tuple)):
            queue.extend((y, f"{path}[{k}]", holder, depth + 1) for k, y in enumerate(x[:2000]))
        elif isinstance(x, dict):
            queue.extend((y, f"{path}[{k!r}]", holder, depth + 1) for k, y in list(x.items())[:2000])
        elif type(x).__module__ != "builtins" and not isinstance(x, type):
            queue.extend((y, f"{path}.{n}", id(x), depth + 1) for n, y in fields(x).items())
