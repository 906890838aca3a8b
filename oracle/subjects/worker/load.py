"""A target becomes namespaces: its own modules, found beside it; stand-ins for what is not installed.

The finder below answers every import of the subject. A file of the subject's own is one module however its name
is spelled (`engine`, `micrograd.engine`, `.engine`), so that there is one Value class. The standard library is
itself. A module that is not available is an object that only complains when the engine really uses it: plotting
beside an engine costs nothing.
"""

import importlib.machinery
import os
import sys

from . import source
from .standin import StandIn


class Refusal(Exception):
    """The subject cannot be run; the message is one sentence for its author.

    methods   names of the methods of the class that was meant, where there is one
    """

    def __init__(self, message, methods=()):
        super().__init__(message)
        self.methods = list(methods)


class Loaded:
    """What loading gave: the main module, all of the subject's own modules, and the finder."""

    def __init__(self, main, modules):
        self.main, self.modules = main, modules

    def namespaces(self):
        """The main module's namespace first, then those of its siblings, in the order of import."""
        others = [m for m in self.modules.own.values() if m is not self.main]
        return [vars(self.main)] + [vars(m) for m in others]


def load(config):
    """Import the target's file. Raises Refusal."""
    modules = Modules(config["roots"], set(config["allow"]))
    sys.path[:] = [p for p in sys.path if p] + config["site"]
    sys.meta_path.insert(0, modules)
    for name in modules.siblings():  # a file `json.py` of the subject's is its `json`, though we have another
        if name not in sys.builtin_module_names:
            sys.modules.pop(name, None)
    path = config["file"]
    try:
        return Loaded(modules.load(path, config["module"]), modules)
    except RecursionError:
        raise Refusal(f"{os.path.basename(path)} is nested too deeply to be read") from None
    except BaseException as problem:  # the subject may raise anything, exit() included
        raise Refusal(_sentence(problem, modules, path)) from None


class Modules:
    """The finder: `own` holds the subject's modules by path, `files` the names of all its code."""

    def __init__(self, roots, allowed):
        self.roots, self.allowed = roots, allowed
        self.own, self.files, self.guarded = {}, set(), set()
        self.ready = False
        self.used = []

    def load(self, path, name):
        """The module of one of the subject's files, run on first use."""
        spec = self.spec(name, path)
        package = name.rpartition(".")[0]
        if package and package not in sys.modules:
            self.namespace(package, [os.path.dirname(path)])
        module = self.create_module(spec)
        module.__spec__, module.__file__, module.__package__ = spec, path, spec.parent
        sys.modules[name] = module
        self.exec_module(module)
        return module

    def namespace(self, name, paths):
        for k in range(1, name.count(".") + 2):
            part = ".".join(name.split(".")[:k])
            if part not in sys.modules:
                module = type(sys)(part)
                module.__path__ = paths
                sys.modules[part] = module

    def siblings(self):
        """Names that the files in the subject's folders have as modules."""
        return {name.partition(".")[0] for root in self.roots for name in os.listdir(root)}

    # importlib's protocol

    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in sys.builtin_module_names or (name in sys.modules and not path):
            return None
        standard = top in sys.stdlib_module_names
        parts = name.split(".")
        for k in range(1 if standard else len(parts)):
            found = self.locate(parts[k:])
            if found:
                return self.spec(name, found)
        if standard or top in self.allowed or (path and top not in self.stand_ins()):
            return None
        if name in self.guarded:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return importlib.machinery.ModuleSpec(name, StandInLoader(self), is_package=True)

    def stand_ins(self):
        return {name for name, module in sys.modules.items() if isinstance(module, StandIn)}

    def locate(self, parts):
        """The subject's own file for a dotted name, or None."""
        for root in self.roots:
            base = os.path.join(root, *parts)
            for path in (base + ".py", os.path.join(base, "__init__.py")):
                if os.path.isfile(path):
                    return os.path.realpath(path)
        return None

    def spec(self, name, path):
        package = os.path.basename(path) == "__init__.py"
        spec = importlib.machinery.ModuleSpec(name, self, origin=path, is_package=package)
        if package:
            spec.submodule_search_locations = [os.path.dirname(path)]
        return spec

    def create_module(self, spec):
        known = self.own.get(spec.origin)
        if known is None:
            known = self.own[spec.origin] = type(sys)(spec.name)
            if spec.submodule_search_locations:
                known.__path__ = spec.submodule_search_locations
        return known

    def exec_module(self, module):
        path = module.__spec__.origin
        if path in self.files:
            return
        self.files.add(path)
        codes, guarded = source.definitions(source.cells(path))
        self.files.update(name for name, _ in codes)
        self.guarded |= guarded
        module.__file__ = path
        for _, code in codes:
            if not isinstance(code, SyntaxError):
                exec(code, vars(module))
            elif len(codes) == 1:  # in a notebook a broken cell is one among many
                raise code


class StandInLoader:
    """Makes the module that stands in for one that is not installed."""

    def __init__(self, modules):
        self.modules = modules

    def create_module(self, spec):
        return StandIn(spec.name, self.modules)

    def exec_module(self, module):
        module.__path__ = []


def _sentence(problem, modules, path):
    """Why a subject's file could not be imported, in one sentence."""
    where, line = os.path.basename(path), None
    at = problem.__traceback__
    while at is not None:
        name = at.tb_frame.f_code.co_filename
        if name in modules.files:
            where, line = _where(name), at.tb_lineno
        at = at.tb_next
    if isinstance(problem, SyntaxError) and problem.filename in modules.files | {path}:
        at = f", line {problem.lineno}" if problem.lineno else ""
        return f"{_where(problem.filename)}{at}: this is not Python: {problem.msg}"
    place = f"{where}, line {line}" if line else where
    if isinstance(problem, (OSError, UnicodeDecodeError, ValueError)) and line is None:
        return f"{where} cannot be read: {problem}"
    if isinstance(problem, ImportError):
        return f"{place}: the import failed: {str(problem).partition(' (')[0]}"
    if isinstance(problem, MemoryError):
        return f"{place}: importing it needs more memory than allowed; --memory raises the limit"
    if isinstance(problem, SystemExit):
        return f"{place}: importing it ends the process ({type(problem).__name__}); remove the call of exit"
    return f"{place}: importing it raises {type(problem).__name__}: {problem}"


def _where(name):
    path, _, cell = name.partition("#")
    return os.path.basename(path) + (f", cell {cell}" if cell else "")
