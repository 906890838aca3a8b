"""A target becomes its modules, or one sentence that says why it cannot be imported."""

from __future__ import annotations

import os
import sys

from .modules import Modules
from .standin import Thing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType, TracebackType
    from typing import Any


VERSION = "{}.{}".format(*sys.version_info)
"""Of this Python: what another one reads may be no Python to it."""


class Refusal(Exception):
    """The subject cannot be run; the message is one sentence for its author.

    methods   names of the methods of the class that was meant, where there is one
    """

    def __init__(self, message: str, methods: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.methods = list(methods)


class Loaded:
    """What loading gave: the main module, and the finder that knows the subject's others."""

    def __init__(self, main: ModuleType, modules: Modules) -> None:
        self.main, self.modules = main, modules

    def functions(self) -> list[tuple[str, Any]]:
        """Names and values of the subject's own callables: the main module's first, then its siblings'."""
        modules = [self.main, *(m for m in self.modules.own.values() if m is not self.main)]
        return [(name, f) for m in modules for name, f in list(vars(m).items()) if self.owns(f)]

    def classes(self) -> list[type]:
        """The subject's own classes, in order of definition."""
        found = {id(f): f for _, f in self.functions() if isinstance(f, type)}
        return [cls for cls in found.values() if not issubclass(cls, BaseException)]

    def owns(self, f: Any) -> bool:
        """Whether a function, a class or a callable object was defined by the subject's code."""
        code = getattr(f, "__code__", None) or getattr(getattr(f, "func", None), "__code__", None)
        if code is not None:
            return code.co_filename in self.modules.files
        cls = f if isinstance(f, type) else type(f)
        return callable(f) and cls.__module__ in {m.__name__ for m in self.modules.own.values()}

    def absent(self, name: str) -> str | None:
        """The module that the main module takes a name from, where that module is not available."""
        found = vars(self.main).get(name)
        return found.origin()[0].rpartition(".")[0] if isinstance(found, Thing) else None

    def refuse_missing_modules(self) -> None:
        """Raise Refusal when the engine, while it was tried, used a module that is not available."""
        for name in self.modules.used:
            advice = "an engine has to compute by itself, with the standard library"
            if name in ("numpy", "scipy"):
                advice = f"allow it with --allow-import {name}"
            raise Refusal(f"the engine calls {name}, which is not available to it; {advice}")


class Clean:
    """What imports depend on, as it was before a subject was loaded, so that it can be loaded again."""

    def __init__(self) -> None:
        self.modules, self.path, self.finders = dict(sys.modules), sys.path[:], sys.meta_path[:]

    def restore(self) -> None:
        """Forget every module imported since, and who found it."""
        sys.path[:], sys.meta_path[:] = self.path, self.finders
        for name in sys.modules.keys() - self.modules.keys():
            del sys.modules[name]
        sys.modules.update(self.modules)


def load(config: dict[str, Any], edit: list[Any] | None = None) -> Loaded:
    """Import the target's file. Raises Refusal. edit: see `Modules`."""
    path = config["file"]
    modules = Modules(config["roots"], set(config["allow"]), config["module"].partition(".")[0], edit)
    sys.path[:] = [p for p in sys.path if p] + config["site"]
    sys.meta_path.insert(0, modules)
    for name in modules.siblings():  # a file `json.py` of the subject's is its `json`, though we have another
        if name not in sys.builtin_module_names:
            sys.modules.pop(name, None)
    try:
        main = modules.load(path, config["module"])
    except BaseException as problem:  # the subject may raise anything, exit() included
        raise Refusal(_sentence(problem, modules, path)) from None
    modules.ready = True
    return Loaded(main, modules)


def _sentence(problem: BaseException, modules: Modules, path: str) -> str:
    """Why a subject's file could not be imported, in one sentence that begins with the place."""
    name, line = _innermost(problem.__traceback__, modules.files) or (path, None)
    place = _where(name, line)
    if isinstance(problem, SyntaxError) and problem.filename in modules.files | {path}:
        return f"{_where(problem.filename, problem.lineno)}: this is not Python {VERSION}: {problem.msg}"
    if line is None and isinstance(problem, (OSError, ValueError, RecursionError)):
        return f"{place} cannot be read: {problem}"
    if isinstance(problem, ImportError):
        return f"{place}: the import failed: {str(problem).partition(' (')[0]}"
    if isinstance(problem, MemoryError):
        return f"{place}: importing it needs more memory than allowed; --memory raises the limit"
    if isinstance(problem, SystemExit):
        return f"{place}: importing it ends the process (SystemExit); remove the call of exit"
    return f"{place}: importing it raises {type(problem).__name__}: {problem}"


def _innermost(at: TracebackType | None, files: set[str]) -> tuple[str, int] | None:
    """The innermost place in the subject's own code."""
    found = None
    while at is not None:
        if at.tb_frame.f_code.co_filename in files:
            found = at.tb_frame.f_code.co_filename, at.tb_lineno
        at = at.tb_next
    return found


def _where(name: str | None, line: int | None) -> str:
    path, _, cell = (name or "").partition("#")
    return os.path.basename(path) + (f", cell {cell}" if cell else "") + (f", line {line}" if line else "")
