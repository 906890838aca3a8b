"""Which files a subject may read: this Python without its packages, its own folder, and nothing of the oracle's."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

WORKER = Path(__file__).resolve().parent / "worker"

ORACLE = Path(__file__).resolve().parent.parent

LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64")
"""Where a program's shared libraries are."""

PROGRAMS = ("/bin", "/sbin", "/usr", "/opt", "/nix/store", "/etc/alternatives", "/etc/java", "/etc/ssl")
"""What a program of any language may need of its system."""

LINKER = "/etc/ld.so.cache"


@dataclass(frozen=True)
class Places:
    """What a process may read.

    readable  files, and folders with all that is in them; the first is the folder in which it runs
    hidden    folders in those that it must not read; one that is itself in `readable` is read
    listed    folders in which it may see what there is, but read nothing
    own       those of `readable` that are not its system's: the subject's, the worker's
    """

    readable: tuple[str, ...]
    hidden: tuple[str, ...]
    listed: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def site_packages() -> list[str]:
    """The folders of installed packages."""
    return [_real(path) for path in sys.path if "-packages" in path]


@cache
def interpreter() -> str:
    """The Python that runs workers: this one, but not a virtual environment's link to it, which starts slower."""
    return _real(sys.executable) if sys.platform == "linux" else sys.executable


@cache
def _python() -> tuple[str, ...]:
    """The interpreter, its standard library, and the libraries that these are linked with."""
    standard = [_real(os.__file__).rpartition("/")[0]]
    standard += [_real(path) for path in sys.path if path.endswith("lib-dynload")]
    shared = map(str, Path(sys.base_prefix, "lib").glob("libpython*"))
    return _existing((interpreter(), *standard, *shared, *LIBRARIES, LINKER))


@cache
def _concealed() -> tuple[str, ...]:
    """Installed packages, the oracle with its golden answers, and minigrad."""
    bases = (Path(sys.base_prefix, "lib"), Path(sys.prefix, "lib"), *map(Path, LIBRARIES))
    packages = [str(path) for base in bases for path in base.glob("python*/*-packages")]
    packages += site_packages()
    return _existing(map(_real, (*packages, str(ORACLE), str(ORACLE.parent / "minigrad"))))


def for_python(roots: Sequence[str], packages: Iterable[str]) -> Places:
    """What the Python worker reads for a target whose own files are in these folders.

    packages  names of installed packages that it may import
    """
    hidden = _concealed()
    own = [root for k, root in enumerate(roots) if k == 0 or root not in hidden]
    own = [*own, str(WORKER), *_installed(packages)]
    listed = (*roots, *(site_packages() if packages else ()))
    return Places(_existing((*own, *_python())), hidden, _existing(listed), _existing(own))


def for_command(folder: str, command: Sequence[str]) -> Places:
    """What any other program reads: its system, the folder that it runs in, and those of its arguments."""
    mentioned = [Path(_real(str(Path(folder, word)))) for word in command if "\0" not in word]
    named = [str(path if path.is_dir() else path.parent) for path in mentioned if path.exists()]
    programs = [Path(command[0]), Path(_real(command[0]))]  # a virtual environment's Python is a link
    homes = [str(path.parent.parent) for path in programs if path.parent.name == "bin"]  # …/bin with …/lib
    own = [path for path in (folder, *named, str(WORKER)) if path != "/"]
    read = (*own, *(path for path in homes if path != "/"), *_python(), *PROGRAMS)
    return Places(_existing(read), _concealed(), own=_existing(own))


def _installed(packages: Iterable[str]) -> list[str]:
    """The files of installed packages: the package, the shared libraries beside it, and what describes it."""
    out: list[Path] = []
    for site in map(Path, site_packages()):
        for name in packages:
            for pattern in (name, name + ".py", name + ".libs", name + "-*.dist-info", name + ".*.so"):
                out += site.glob(pattern)
    return list(map(str, out))


def _real(path: str) -> str:
    return str(Path(path).resolve())


def _existing(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(path for path in paths if Path(path).exists()))
