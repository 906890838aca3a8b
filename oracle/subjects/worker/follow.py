"""One op's forward, line by line: which statement computed which number, and which constructed which node.

A statement is the origin of a number when some local holds it afterwards and none did before.
"""

from __future__ import annotations

import sys

from .engine import number
from .look import fields
from .walk import parents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType
    from typing import Any

    from .engine import Engine
    from .statements import Place, Statements

MANY = 8
"""Elements of a local list or tuple that are looked at."""


GENERATOR = 0x20
"""Of a code object, see `inspect.CO_GENERATOR`."""

COMMON = {float.hex(x) for x in (0.0, -0.0, 1.0)}
"""Numbers as text that are there for many reasons."""


class Follow:
    """What was seen while one op ran.

    log       (place, number as text, whether it is a node's construction), in order of time
    creators  id of a node → the statement that constructed it
    outer     id of a node → the statement of the outermost function of the subject's that was running then
    returned  the statement of the return that came last: the outermost function's
    returns   (statement, number as text) of every return of a number, in order of time
    linked    id of an operand → the statements that made one of its lists or dictionaries longer: in an engine whose
              gradients are asked for, they tell it of its users, and of the slopes
    """

    def __init__(self, engine: Engine, statements: Statements) -> None:
        self.engine, self.statements = engine, statements
        self.log: list[tuple[Place, str | None, bool]] = []
        self.creators: dict[int, Place] = {}
        self.outer: dict[int, Place] = {}
        self.returned: Place | None = None
        self.returns: list[tuple[Place, str | None]] = []
        self.linked: dict[int, list[Place]] = {}
        self._growing: list[tuple[int, Any, int]] = []
        self._kept: list[Any] = []  # nodes, so that no id is used twice
        self._held: dict[FrameType, set[str | None]] = {}
        self._line: dict[FrameType, int | None] = {}

    def call(self, op: Callable[..., Any], operands: tuple[Any, ...]) -> Any:
        """What op returns, having been watched."""
        nodes = {id(x): x for x in operands if isinstance(x, self.engine.types)}
        if self.engine.asking is not None:
            held = ((key, y) for key, x in nodes.items() for y in fields(x).values())
            self._growing = [(key, y, len(y)) for key, y in held if isinstance(y, (list, dict, set))]
        sys.settrace(self._enter)
        try:
            return op(*operands)
        finally:
            sys.settrace(None)

    def origin(self, spelling: str | None, held: Iterable[str | None] = ()) -> Place | None:
        """The first statement after which a number was there; of one that was there before (`held`, the operands'
        numbers, or one of those that constructors write), the first return of it. None where there is no number."""
        if spelling is None:
            return None
        if spelling in held or spelling in COMMON:
            found = next((place for place, hexed in self.returns if hexed == spelling), None)
            if found is not None or spelling in held:
                return found
        return next((place for place, hexed, _ in self.log if hexed == spelling), None)

    def local_rule(self, node: Any) -> Place | None:
        """The last statement that computed a number which a node carries in a list or tuple, if it carries any.

        For a node that refers to no other, so that nothing can be pushed from it, the one that made it.
        """
        origin = self.creators.get(id(node))
        held = [x for x in fields(node).values() if isinstance(x, (list, tuple))]
        carried = {spelled(x) for x in nested(held)}
        if origin is None or not parents(node, self.engine.types):
            return self.origin(spelled(quiet(self.engine.read_data, node))) or origin
        if not carried:
            return None
        carried.discard(spelled(quiet(self.engine.read_data, node)))
        for place, hexed, constructing in self.log:
            if hexed in carried and not constructing and place[3] == origin[3]:
                origin = place
        return origin

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if code.co_filename not in self.engine.files:  # a dataclass's __init__ has no file
            return self._construction if code.co_name == "__init__" else None
        now, caller = self._numbers(frame), frame.f_back
        if caller is not None and caller.f_code.co_filename in self.engine.files:
            place = self.statements.place(caller)  # an argument that nobody held was computed by the call
            self.log.extend((place, hexed, False) for hexed in now - self._held.get(caller, now))
        self._held[frame], self._line[frame] = now, None
        return self._step

    def _step(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Before every line and at the return: what has the line before it computed?"""
        if event == "exception":
            return self._step
        now, line = self._numbers(frame), self._line[frame]
        if event == "return":
            now.update(spelled(x) for x in nested(argument))
            self.returned = self.statements.place(frame)
            if isinstance(argument, (int, float)) and not frame.f_code.co_flags & GENERATOR:  # it yields
                self.returns.append((self.returned, spelled(quiet(number, argument, ""))))
        if line is not None:
            place = self.statements.place(frame, line)
            self._grown(frame, place)
            self.log.extend((place, hexed, False) for hexed in now - self._held[frame])
        self._held[frame] |= now
        self._line[frame] = frame.f_lineno
        if event == "return" and frame.f_code.co_name == "__init__":
            self._construction(frame, event, argument)
        return self._step

    def _grown(self, frame: FrameType, place: Place) -> None:
        """Note a statement after which an operand holds more: where the slope that it holds now was computed, if that
        was in the same function; in a helper of the ops, the statement of the op that called it."""
        for n, (key, held, size) in enumerate(self._growing):
            if len(held) == size:
                continue
            self._growing[n] = key, held, len(held)
            ops = [where for _, where in self.engine.names.values()]
            if (place[0], place[3]) not in ops:
                callers = (f for f in _outwards(frame.f_back) if f.f_code.co_filename in self.engine.files)
                outer = (self.statements.place(f) for f in callers)
                place = next((p for p in outer if (p[0], p[3]) in ops), place)
            new = {spelled(x) for x in nested(list(held)[size:])} - COMMON
            computed = [p for p, hexed, made in self.log if hexed in new and not made and p[3] == place[3]]
            self.linked.setdefault(key, []).append(computed[-1] if computed else place)

    def _construction(self, frame: FrameType, event: str, argument: Any) -> Any:
        """At the end of a node's __init__: the statement that called it made the node, and its number."""
        code = frame.f_code
        node = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        callers = [f for f in _outwards(frame.f_back) if f.f_code.co_filename in self.engine.files]
        if (
            event == "return"
            and isinstance(node, self.engine.types)
            and id(node) not in self.creators
            and callers
        ):
            self._kept.append(node)
            self.creators[id(node)] = place = self.statements.place(callers[0])
            self.outer[id(node)] = self.statements.place(callers[-1])
            self.log.append((place, spelled(quiet(self.engine.read_data, node)), True))
        return self._construction

    def _numbers(self, frame: FrameType) -> set[str | None]:
        """Every number that a frame's locals hold, by themselves or as a node's data."""
        found: set[str | None] = set()
        for x in list(frame.f_locals.values()):
            if isinstance(x, self.engine.types):
                found.add(spelled(quiet(self.engine.read_data, x)))
            else:
                found.update(spelled(y) for y in nested(x))
        return found


def spelled(x: float | None) -> str | None:
    """A number as text that tells nan and the zeros apart; None stays None."""
    return x if x is None else float.hex(x)


def nested(x: Any, depth: int = 3) -> Iterator[float]:
    """The numbers in a value: itself, or the elements of short tuples and lists."""
    if isinstance(x, (list, tuple)) and depth:
        for y in x[:MANY]:
            yield from nested(y, depth - 1)
    elif isinstance(x, (int, float)) or hasattr(x, "dtype"):
        y = quiet(number, x, "")
        if y is not None:
            yield y


def quiet(function: Callable[..., Any], *arguments: Any) -> Any:
    """What a reading gives, or None: a subject's property may raise whatever it likes."""
    try:
        return function(*arguments)
    except BaseException:
        return None


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back
