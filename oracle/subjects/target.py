"""A target in words becomes a file, a class and the folders that its imports are looked for in."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path


class LoadError(Exception):
    """The subject could not be run: one sentence saying what was wrong, where, and what to do (exit code 3)."""


@dataclass(frozen=True)
class Target:
    """What to load.

    text     as the user wrote it
    file     the file to run
    module   its dotted name
    class_name  the class to test, or None to look for it
    roots    folders in which its own imports are looked for
    """

    text: str
    file: Path
    module: str
    class_name: str | None
    roots: tuple[Path, ...]

    @property
    def name(self) -> str:
        """The file's name, that of a package's own with its folder's, and the class's if it was given."""
        package = f"{self.file.parent.name}/" if self.file.name == "__init__.py" else ""
        return package + self.file.name + (f":{self.class_name}" if self.class_name else "")

    def sha256(self) -> str:
        """Fingerprint of the file and of the Python files beside it that are files indeed, and can be read."""
        digest = hashlib.sha256(self.file.read_bytes())
        for sibling in sorted(self.file.parent.glob("*.py")):
            if sibling != self.file and sibling.is_file() and os.access(sibling, os.R_OK):
                digest.update(sibling.name.encode() + b"\0" + sibling.read_bytes())
        return digest.hexdigest()


def resolve(text: str) -> Target:
    """Find what a target names, without importing anything. Raises LoadError."""
    head, colon, tail = text.rpartition(":")
    place, class_name = (head, tail) if colon and tail.isidentifier() else (text, None)
    path = Path(place)
    if path.is_dir():
        return _at(text, _engine_in(path), class_name)
    if path.is_file():
        if path.suffix not in (".py", ".ipynb"):
            raise LoadError(f"{place}: expected a .py file, a notebook or a folder")
        return _at(text, path, class_name)
    if path.suffix in (".py", ".ipynb") or os.sep in place:
        raise LoadError(f"{place}: no such file; check the path (the current folder is {Path.cwd().name})")
    found = _module(place)
    if found is None:
        raise LoadError(f"{place}: neither a file here nor a module that this Python can find")
    return _at(text, _engine_in(found.parent) if found.name == "__init__.py" else found, class_name)


def _at(text: str, path: Path, class_name: str | None) -> Target:
    path = path.resolve()
    root, names = path.parent, [path.stem]
    if path.name == "__init__.py":
        root, names = root.parent, [path.parent.name]
    while (root / "__init__.py").is_file() and root.parent != root:
        names.insert(0, root.name)
        root = root.parent
    if len(names) == 1 and path.name != "__init__.py":  # relative imports work in a plain folder too
        names.insert(0, root.name.replace(".", "_") or "folder")
    return Target(text, path, ".".join(names), class_name, tuple(dict.fromkeys((path.parent, root))))


LIKELY = ("engine", "value", "autograd", "micrograd", "scalar", "tensor", "main", "__init__")


def _engine_in(folder: Path) -> Path:
    """The file of a folder that most likely holds the engine: by its name, then by what it defines."""

    def hidden(path: Path) -> bool:
        parts = path.relative_to(folder).parts
        return any(part.startswith(".") or part in ("tests", "test") for part in parts[:-1]) or parts[
            -1
        ].startswith(("test_", "conftest"))

    files = [path for kind in ("*.py", "*.ipynb") for path in sorted(folder.rglob(kind)) if not hidden(path)]

    def score(path: Path) -> tuple[int, int, int]:
        source = path.read_text(encoding="utf-8", errors="replace")
        arithmetic = sum(word in source for word in ("__add__", "__mul__", "backward", "class "))
        stem = path.stem.lower()
        return (-arithmetic, LIKELY.index(stem) if stem in LIKELY else len(LIKELY), len(path.parts))

    files.sort(key=score)
    if not files or score(files[0])[0] > -2:
        raise LoadError(f"{folder}: a folder without an engine; {_instead(folder, len(files))}")
    return files[0]


def _instead(folder: Path, files: int) -> str:
    """What to do about a folder in which no file looks like an engine's."""
    compiled = next((path.name for kind in ("*.so", "*.pyd") for path in folder.rglob(kind)), None)
    if compiled is not None:
        return (
            f"{compiled} is compiled, and only Python can be looked into: drive it by --exec, with a command"
        )
    if not files:
        return "it has no Python file and no notebook; check the path"
    its = "its only file does not have" if files == 1 else f"none of its {files} files has"
    return f"{its} a class with arithmetic and a backward; name the file that is meant"


def _module(dotted: str) -> Path | None:
    """The file of a module, looked for along this Python's path."""
    parts = dotted.split(".")
    if not all(part.isidentifier() for part in parts):
        return None
    for entry in [str(Path.cwd()), *sys.path]:
        base = Path(entry or ".").joinpath(*parts)
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file():
                return path
    return None
