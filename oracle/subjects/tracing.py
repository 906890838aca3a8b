"""Where in the subject's source the numbers of a case were made: the answer to a "trace" message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Place:
    """A statement: file, 1-based line of its beginning, name of its function and the line of that one's def."""

    file: str
    line: int
    function: str
    first: int


@dataclass(frozen=True)
class Trace:
    """For every value of a program, where the subject made it and pushed its gradient.

    methods   the op's method, the outermost frame of the subject's that made the value, and its statement that did
    values    the statement that computed its data, in the innermost frame: for a composed op, inside another op
    pushes    the statements during backward that pushed to it, in order: in the op's own closure or function where
              there is one, else the statement that stores for every op
    own       of those, the ones that belong to one op
    stores    the statements that stored its gradient, whosever they are
    locals_of for engines whose nodes carry numbers (local gradients): the statement that computed them
    touched   statements outside backward that stored to its data or gradient after it had been made
    backward  the def of backward
    seeds     statements that stored the root's gradient
    """

    methods: tuple[Place | None, ...]
    values: tuple[Place | None, ...]
    pushes: tuple[tuple[Place, ...], ...]
    own: tuple[tuple[Place, ...], ...]
    stores: tuple[tuple[Place, ...], ...]
    locals_of: tuple[Place | None, ...]
    touched: tuple[tuple[Place, ...], ...]
    backward: Place | None
    seeds: tuple[Place, ...]

    @classmethod
    def from_json(cls, data: dict[str, Any], size: int) -> Trace:
        """Read a worker's trace. Raises KeyError, TypeError or ValueError where it is malformed."""
        columns: dict[str, Any] = {}
        for name in ("methods", "values", "locals_of"):
            columns[name] = tuple(_place(p) for p in data[name])
        for name in ("pushes", "own", "stores", "touched"):
            columns[name] = tuple(_places(ps) for ps in data[name])
        for name, column in columns.items():
            if len(column) != size:
                raise ValueError(f"{name}: expected {size} entries, one for each value; found {len(column)}")
        return cls(backward=_place(data["backward"]), seeds=_places(data["seeds"]), **columns)

    def rule(self, node: int, operand: int, first: bool = False) -> Place | None:
        """The statement most likely to hold the derivative of the op at `node` for its operand value `operand`.

        The op's own closure or function, where it pushes to that operand: its last store, or the `first` one
        (where an engine that overwrites goes wrong). Else where the local gradients were computed; else the
        statement that stored the gradient; else the def of the function that computed the value, which lacks
        the push.
        """
        for places in (self.own[operand], self.locals_of[node : node + 1], self.stores[operand]):
            if places and places[0] is not None:
                return places[0] if first else places[-1]
        method = self.values[node] or self.methods[node]
        return method and replace(method, line=method.first)


def _place(data: Any) -> Place | None:
    if data is None:
        return None
    file, line, function, first = data
    if not (
        isinstance(file, str)
        and isinstance(line, int)
        and isinstance(function, str)
        and isinstance(first, int)
    ):
        raise TypeError("a place is [file, line, function, first line]")
    return Place(file, line, function, first)


def _places(data: Any) -> tuple[Place, ...]:
    return tuple(place for place in map(_place, data) if place is not None)
