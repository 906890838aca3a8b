"""Landlock: from here on this process reads the files that it was given, and writes none.

Needs no privilege and no program, only a kernel with Landlock (Linux 5.13). It has no say over sockets of every
kind, modes and owners of files, or other processes: `seccomp` has.
"""

from __future__ import annotations

import ctypes
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CREATE, ADD, RESTRICT = 444, 445, 446
"""System calls, by the same numbers on every machine."""

EXECUTE, WRITE, READ, LIST = 1, 2, 4, 8
"""Rights over files: to run, write and read one, to list a folder."""

EVERY_RIGHT = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
"""Version of Landlock → all rights over files that it knows of; later versions know the same."""

TCP, SCOPES = 3, 3
"""From version 4: bind and connect; from version 6: abstract sockets and signals outside."""


def version() -> int:
    """The kernel's version of Landlock. Raises OSError where there is none, or it is switched off."""
    return _call(_libc(), CREATE, None, ctypes.c_size_t(0), 1)


def restrict(
    readable: Iterable[str],
    hidden: Iterable[str],
    listed: Iterable[str],
    devices: Iterable[str],
    may_exec: bool,
) -> None:
    """Take every right away but these. Raises OSError.

    readable  files and folders that may be read, with all that is in them
    hidden    folders among them that may not; one that is itself in `readable` may
    listed    folders in which names may be read, and nothing else
    devices   may be read and written, e.g. /dev/null
    may_exec  whether what may be read may be run
    """
    libc = _libc()
    found = version()
    rights = EVERY_RIGHT[min(found, max(EVERY_RIGHT))]
    attributes = struct.pack("QQQ", rights, TCP if found >= 4 else 0, SCOPES if found >= 6 else 0)
    size = 8 if found < 4 else 16 if found < 6 else 24
    rules = _call(libc, CREATE, attributes, ctypes.c_size_t(size), 0)
    whole = READ | (EXECUTE if may_exec else 0)
    concealed = tuple(hidden)
    for root in readable:
        for path, names_only in below(root, concealed):
            _allow(libc, rules, path, LIST if names_only else whole | LIST)
    for path in listed:
        _allow(libc, rules, path, LIST)
    for path in devices:
        _allow(libc, rules, path, READ | WRITE)
    if libc.prctl(38, 1, 0, 0, 0):  # no new privileges: what Landlock demands of those without any
        raise OSError(ctypes.get_errno(), "no_new_privs cannot be set")
    _call(libc, RESTRICT, rules, 0)
    os.close(rules)


def below(path: str, hidden: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """What to allow for a folder but not the hidden ones in it: (path, whether only its names may be listed)."""
    if not any(h.startswith(path.rstrip("/") + "/") for h in hidden):
        yield path, False
        return
    yield path, True
    try:
        children = os.listdir(path)
    except OSError:  # what we cannot list ourselves is nothing to be shared
        return
    for name in children:
        child = os.path.join(path, name)
        if child not in hidden and not os.path.islink(child):
            yield from below(child, hidden)


def _allow(libc: ctypes.CDLL, rules: int, path: str, rights: int) -> None:
    try:
        there = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # it is not there, so that nobody can read it either
        return
    try:
        if not os.path.isdir(path):
            rights &= ~LIST
        _call(libc, ADD, rules, 1, struct.pack("=Qi", rights, there), 0)
    finally:
        os.close(there)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    result: int = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
