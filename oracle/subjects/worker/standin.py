"""Stand-ins for modules that are not available: harmless to import, to decorate with and to annotate with.

While the subject loads, everything about a stand-in yields another stand-in. Once it runs, using one raises
ModuleNotFoundError, as the import itself would have done.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from .modules import Modules


def _still_loading(name: str, modules: Modules) -> None:
    top = name.partition(".")[0]
    if modules.ready:
        modules.used.append(top)
        raise ModuleNotFoundError(f"No module named {top!r}", name=top)


if not TYPE_CHECKING:
    ModuleType = type(sys)


class StandIn(ModuleType):
    """A module whose every attribute is a stand-in."""

    def __init__(self, name: str, modules: Modules) -> None:
        super().__init__(name)
        self.__dict__["_stand_in"] = modules

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return thing(f"{self.__name__}.{name}", self.__dict__["_stand_in"])


def thing(name: str, modules: Modules) -> Thing:
    """Something in a missing module: a class, so that annotations, isinstance and subclassing work."""
    return Thing(name.rpartition(".")[2], (), {"_stand_in": (name, modules)})


class Thing(type):
    def origin(cls) -> tuple[str, Modules]:
        """Where it stands in for something: the dotted name, and the finder that knows."""
        where: tuple[str, Modules] = cls._stand_in
        return where

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        where, modules = cls._stand_in
        return thing(f"{where}.{name}", modules)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if "_stand_in" not in vars(cls):
            return super().__call__(*args, **kwargs)
        _still_loading(*cls._stand_in)
        if len(args) == 1 and not kwargs and callable(args[0]) and not isinstance(args[0], Thing):
            return args[0]  # a decorator: the function stays what it is
        return thing(cls._stand_in[0] + "()", cls._stand_in[1])

    def __getitem__(cls, key: Any) -> Any:
        return cls

    def __iter__(cls) -> Iterator[Any]:
        _still_loading(*cls._stand_in)
        return iter(())

    def __or__(cls, other: Any) -> Any:
        return cls

    def __mul__(cls, other: Any = None) -> Any:
        _still_loading(*cls._stand_in)
        return cls

    __ror__ = __or__
    __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = (
        __mul__
    )
    __neg__ = __mul__
