"""Backward, by its stores: every assignment of a gradient, with the op's own code that led to it.

While it is watched, the engine's classes have a `__setattr__` that tells; an assignment that changes nothing is
seen too.
"""

from __future__ import annotations

import sys

from .follow import quiet, spelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

    from .engine import Engine
    from .statements import Place, Statements


class Push:
    """One assignment of a gradient during backward.

    store    the statement that did it
    rule     the statement of one op's own that led to it: in the op's closure; or, where one statement stores
             for every op, in the function that the op gave for it; None where there is none
    changed  whether the number is another one afterwards
    """

    __slots__ = ("changed", "rule", "store")

    def __init__(self, store: Place, rule: Place | None, changed: bool) -> None:
        self.store, self.rule, self.changed = store, rule, changed


class Stores:
    """What was stored while it was entered.

    pushed   per value, its pushes in order of time
    touched  per value, statements outside backward that stored to its data or gradient after it had been made
    driver   the code of the engine's backward; root: the value that it was called on last
    """

    def __init__(self, engine: Engine, statements: Statements, values: Callable[[], list[Any]]) -> None:
        self.engine, self.statements, self.values = engine, statements, values
        self.pushed: dict[int, list[Push]] = {}
        self.touched: dict[int, list[Place]] = {}
        self.driver: CodeType | None = None
        self.root: int | None = None
        self._index: dict[int, int] | None = None
        self._returned: Place | None = None
        self._patched: list[tuple[type, Any]] = []
        name, self._data = engine.grad.partition(".")[0], engine.data.partition(".")[0]
        self._names = {name, f"_{name}", f"_{engine.cls.__name__}__{name}"}

    def __enter__(self) -> Stores:
        for cls in dict.fromkeys(self.engine.types):
            self._patched.append((cls, vars(cls).get("__setattr__")))
            type.__setattr__(cls, "__setattr__", self._hook(cls.__setattr__))
        return self

    def __exit__(self, *_: object) -> None:
        for cls, own in self._patched:
            if own is None:
                type.__delattr__(cls, "__setattr__")
            else:
                type.__setattr__(cls, "__setattr__", own)

    def back_propagate(self, backward: Callable[[Any], Any], root: Any) -> Any:
        """What backward returns, having been watched."""
        self._index = {id(node): k for k, node in enumerate(self.values())}
        self.root, self._returned = self._index.get(id(root)), None
        sys.settrace(self._enter)
        try:
            return backward(root)
        finally:
            sys.settrace(None)
            self._index = None

    def _hook(self, original: Any) -> Callable[[Any, str, Any], None]:
        def store(node: Any, name: str, x: Any) -> None:
            gradient = name in self._names
            before = spelled(quiet(self.engine.read_grad, node)) if gradient else None
            original(node, name, x)
            if self._index is None and (gradient or name == self._data):
                self._touch(node, sys._getframe(1))
            elif gradient:
                self._push(node, sys._getframe(1), spelled(quiet(self.engine.read_grad, node)) != before)

        return store

    def _touch(self, node: Any, frame: FrameType) -> None:
        inner = next((f for f in _outwards(frame) if self._own(f.f_code)), None)
        k = next((k for k, value in enumerate(self.values()) if value is node), None)
        if k is not None and inner is not None:
            self.touched.setdefault(k, []).append(self.statements.place(inner))

    def _push(self, node: Any, frame: FrameType, changed: bool) -> None:
        k = (self._index or {}).get(id(node))
        frames = [f for f in _outwards(frame) if self._own(f.f_code)]
        if k is None or not frames:
            return
        rule = next((self.statements.place(f) for f in frames if self._is_rule(f.f_code)), self._returned)
        self.pushed.setdefault(k, []).append(Push(self.statements.place(frames[0]), rule, changed))

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        if not self._own(frame.f_code):
            return None
        if self.driver is None:
            self.driver = frame.f_code
        return self._leave if self._is_rule(frame.f_code) else None

    def _leave(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Note the rule that came back last: in some engines rules return what is then stored for them."""
        caller = frame.f_back
        if event == "return" and argument is not None and caller and not self._is_rule(caller.f_code):
            self._returned = self.statements.place(frame)
        return self._leave

    def _own(self, code: CodeType) -> bool:
        return code.co_filename in self.engine.files

    def _is_rule(self, code: CodeType) -> bool:
        """Whether code belongs to one op: a closure, or a function outside the engine's class; not backward's."""
        name = code.co_qualname
        driver = self.driver.co_qualname if self.driver else ""
        if not self._own(code) or code is self.driver or name.startswith(driver + ".<locals>"):
            return False
        return "<locals>" in name or not name.startswith(tuple(f"{t.__name__}." for t in self.engine.types))


def _outwards(frame: FrameType | None) -> list[FrameType]:
    """The frames from one up to where backward, or the op, was called."""
    out = []
    while frame is not None and frame.f_code is not Stores.back_propagate.__code__:
        out.append(frame)
        frame = frame.f_back
    return out
