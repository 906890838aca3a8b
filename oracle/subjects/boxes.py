"""What a process can be put into, and how its command begins: nothing around it, or bubblewrap."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from oracle.subjects.places import Places


class Unavailable(Exception):
    """One tier does not work here; the message is the reason, without the tier's name."""


@dataclass(frozen=True)
class Box:
    """What is known of a process before it is started.

    places       what it may read; the first folder is the one in which it runs
    memory_mb    its memory, MiB
    environment  all of its variables
    token        a name that no other process has
    """

    places: Places
    memory_mb: int
    environment: Mapping[str, str]
    token: str


@dataclass(frozen=True)
class Wrapped:
    """How it is started.

    command, environment  of the process that is started here
    farewell              a command that ends what this process leaves behind when it is killed; () for none
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    farewell: tuple[str, ...] = ()


def plain(command: Sequence[str], box: Box) -> Wrapped:
    """No program around it."""
    return Wrapped(tuple(command), box.environment)


def bubble(command: Sequence[str], box: Box) -> Wrapped:
    """Bubblewrap: namespaces of its own, and a file system with nothing in it but what may be read.

    There is no /proc, which would show the environment of the launcher, and no /dev but two devices; what is
    not bound is an empty file system that is read-only in the end. Raises Unavailable.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise Unavailable("bubblewrap is not installed")
    places = box.places
    words = [program, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL"]
    hidden, beneath = covered(places.readable, places.hidden)
    for path in places.readable:
        if path in beneath or any(root != path and within(path, root) for root in places.readable):
            continue  # below, or it comes with the folder that it is in
        if Path(path).is_symlink():
            words += ["--symlink", str(Path(path).readlink()), path]
        else:
            words += ["--ro-bind", path, path]
    for path in hidden:
        words += ["--size", "65536", "--tmpfs", path]
    for path in beneath:
        words += ["--ro-bind", path, path]
    for path in hidden:
        words += ["--remount-ro", path]
    for device in ("/dev/null", "/dev/urandom"):
        words += ["--dev-bind", device, device]
    words += ["--remount-ro", "/", "--chdir", places.readable[0], "--"]
    return Wrapped((*words, *command), box.environment)


def covered(readable: Sequence[str], hidden: Sequence[str]) -> tuple[list[str], list[str]]:
    """The hidden folders that lie in readable ones, and what is readable below them again."""
    covers = [path for path in hidden if any(within(path, root) for root in readable)]
    return covers, [path for path in readable if any(within(path, cover) for cover in hidden)]


def within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
