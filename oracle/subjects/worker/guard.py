"""The guard: what Python itself can refuse, where the system gives no isolation (tier "weak").

An audit hook, which cannot be removed: files outside the subject's own, writing, processes, sockets, signals and
foreign code raise instead of happening. It stops what people write, not what an attacker of the interpreter finds;
that is why this tier is called weak.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

REFUSED = frozenset(
    {
        "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "pty.spawn",
        "subprocess.Popen", "os.killpg", "signal.pthread_kill", "resource.setrlimit", "resource.prlimit",
        "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod",
        "os.chown", "os.chflags", "os.lockf", "os.utime", "os.setxattr", "os.removexattr", "os.chdir",
        "gc.get_objects", "gc.get_referrers", "gc.get_referents", "sys.addaudithook",
    }
)  # fmt: skip

FOREIGN = ("_posixsubprocess", "_ctypes", "_testcapi", "_xxsubinterpreters")
"""Modules that start processes or call foreign code without a word to the hook."""


def install(readable: Iterable[str], hidden: Iterable[str]) -> None:
    """Refuse from here on. The folders are those of `landlock.restrict`, spelled without links."""
    # The hook is out of reach, and uses nothing that a subject could replace.
    within = tuple(path.rstrip("/") for path in (*readable, "/dev/null", "/dev/urandom"))
    without = tuple(hidden)
    own, cwd, writing = os.getpid(), os.getcwd(), os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
    kinds, find, split, decode, begins = (type, str.find, str.split, os.fsdecode, str.startswith)
    length, denied, missing, refused, foreign = len, PermissionError, ImportError, REFUSED, FOREIGN
    readlink, failed = os.readlink, OSError

    def real(path: str) -> str:
        """Where a path leads, links followed. Raises PermissionError where it leads nowhere."""
        rest, at = split(path, "/")[::-1], "" if begins(path, "/") else cwd
        for _ in (None,) * 400:
            if not rest:
                return at
            part = rest.pop()
            if part in ("", "."):
                continue
            if part == "..":
                at = "/".join(split(at, "/")[:-1])
                continue
            at += "/" + part
            try:
                link = decode(readlink(at))
            except failed:  # it is no link
                continue
            at = "" if begins(link, "/") else "/".join(split(at, "/")[:-1])
            rest += split(link, "/")[::-1]
        raise denied(40, "too many links", path)

    def readable_(path: str) -> bool:
        path = real(path)
        best = -1
        for root in within:
            if (path == root or begins(path, root + "/")) and length(root) > best:
                best = length(root)
        for root in without:
            if (path == root or begins(path, root + "/")) and length(root) > best:
                return False
        return best >= 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, flags = arguments[0], arguments[2]
            if kinds(path) is int:
                return
            if flags & writing or kinds(path) not in (str, bytes) or not readable_(decode(path)):
                raise denied(13, "the engine may not open this file", decode(path))
        elif event == "import":
            name, file = arguments[0], arguments[1]
            if name in foreign or (kinds(file) is str and not readable_(file)):
                raise missing(f"No module named {name!r}: an engine may not use it")
        elif event == "os.truncate" and kinds(arguments[0]) is int:
            return  # of a file that is open, and none but its own output is open for writing
        elif event in refused or begins(event, "socket.") or (event == "os.kill" and arguments[0] != own):
            raise denied(1, "an engine may not do this", event)
        elif begins(event, "ctypes."):
            raise missing(f"{event}: an engine may not use it")
        elif event == "object.__setattr__" and find(arguments[1], "__code__") == 0:
            raise denied(1, "an engine may not do this", event)

    sys.addaudithook(hook)
