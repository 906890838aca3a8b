"""The finder that answers every import of the subject.

A file of the subject's own is one module however its name is spelled (`engine`, `micrograd.engine`, `.engine`), so
that there is one Value class. The standard library is itself. A module that is not available is a stand-in, which
complains only when the engine uses it: plotting beside an engine costs nothing.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from importlib.machinery import ModuleSpec

from . import source
from .standin import StandIn, thing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

Module = type(sys)

HERE = __name__.partition(".")[0]
"""The worker's own package, which is imported as ever."""


class Modules:
    """A finder and loader.

    roots, allowed  folders of the subject's own files; other packages that it may import
    top             the subject's outermost package: all that is its own in a folder of installed packages
    own             the subject's modules, by path
    files           names of all code that is the subject's, notebook cells included
    begun           paths of the modules that have been run, or are running
    guarded         modules that the subject imports inside `try`: their absence is an ImportError
    edit            a piece of source and its lines that read otherwise, to see what that changes: [name, [[1, text]]]
    ready, used     whether loading has ended; names of the stand-ins that were used after that
    """

    def __init__(self, roots: list[str], allowed: set[str], top: str, edit: list[Any] | None = None) -> None:
        self.roots, self.allowed, self.top = roots, allowed, top
        self.own: dict[str, ModuleType] = {}
        self.files: set[str] = set()
        self.begun: set[str] = set()
        self.guarded: set[str] = set()
        self.ready = False
        self.used: list[str] = []
        self.edit = edit

    def load(self, path: str, name: str) -> ModuleType:
        """Run the target's file as the module of this dotted name."""
        self._package(name.rpartition(".")[0], os.path.dirname(path))
        spec = self._spec(name, path)
        module = self.create_module(spec)
        module.__spec__, module.__package__ = spec, spec.parent
        sys.modules[name] = module
        self.exec_module(module)
        return module

    def siblings(self) -> set[str]:
        """Names that the files in the subject's folders have as modules."""
        found = {(root, name.partition(".")[0]) for root in self.roots for name in os.listdir(root)}
        return {name for root, name in found if self._may_own(root, name)}

    # What importlib asks for: a spec for a name, a module for a spec, and the module run. --------------------

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        top = name.partition(".")[0]
        standard = top in sys.stdlib_module_names
        if top in sys.builtin_module_names or top == HERE:
            return None
        parts = name.split(".")
        for k in range(1 if standard else len(parts)):
            found = self._locate(parts[k:])
            if found:
                return self._spec(name, found)
        if standard or top in self.allowed:
            return None
        if name in self.guarded:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return ModuleSpec(name, StandInLoader(self), is_package=True)  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        assert spec.origin is not None
        known = self.own.get(spec.origin)
        if known is None:
            known = self.own[spec.origin] = Module(spec.name)
            known.__file__ = spec.origin
            if spec.submodule_search_locations:
                known.__path__ = spec.submodule_search_locations
        return known

    def exec_module(self, module: ModuleType) -> None:
        path = module.__file__
        if path is None or path in self.begun:
            return
        self.begun.add(path)
        try:
            self._run(module, path)
        except BaseException:  # the package may fail to import what is asked for next, and then says why
            self.begun.discard(path)
            raise

    def _run(self, module: ModuleType, path: str) -> None:
        self.files.add(path)
        pieces = source.cells(path)
        if self.edit is not None:
            pieces = source.edited(pieces, *self.edit)
        found = source.definitions(pieces, exported=len(self.own) > 1)
        self.files.update(name for name, _ in found.codes)
        self.guarded |= found.guarded
        if found.dropped:  # data, a trained model: importing it does no harm
            dropped = found.dropped
            vars(module)["__getattr__"] = lambda name: self._not_run(module, name, name in dropped)
        for _, code in found.codes:
            if not isinstance(code, SyntaxError):
                exec(code, vars(module))
            elif len(found.codes) == 1:  # in a notebook a broken cell is one among many
                raise code

    # -----------------------------------------------------------------------------------------------------------

    def _locate(self, parts: list[str]) -> str | None:
        """The subject's own file for a dotted name, or None."""
        for root in self.roots:
            if not self._may_own(root, parts[0]):
                continue
            base = os.path.join(root, *parts)
            for path in (base + ".py", os.path.join(base, "__init__.py")):
                if os.path.isfile(path):
                    return os.path.realpath(path)
        return None

    def _may_own(self, root: str, top: str) -> bool:
        return top == self.top or not root.endswith("-packages")

    def _spec(self, name: str, path: str) -> ModuleSpec:
        package = os.path.basename(path) == "__init__.py"
        spec = ModuleSpec(name, self, origin=path, is_package=package)  # type: ignore[arg-type]
        if package:
            spec.submodule_search_locations = [os.path.dirname(path)]
        return spec

    def _not_run(self, module: ModuleType, name: str, dropped: bool) -> Any:
        """What stands for a name that only a statement left out would have bound."""
        if dropped:
            return thing(f"{module.__name__}.{name}", self)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

    def _package(self, name: str, folder: str) -> None:
        """Import the package that a folder is; one without code, or with code that fails, is still a package."""
        if not name or name in sys.modules:
            return
        self._package(name.rpartition(".")[0], os.path.dirname(folder))
        if os.path.isfile(os.path.join(folder, "__init__.py")):
            with contextlib.suppress(Exception):
                importlib.import_module(name)
                return
        package = sys.modules[name] = Module(name)
        package.__path__ = [folder]


class StandInLoader:
    """Makes the module that stands in for one that is not available."""

    def __init__(self, modules: Modules) -> None:
        self.modules = modules

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandIn(spec.name, self.modules)

    def exec_module(self, module: ModuleType) -> None:
        module.__path__ = []
