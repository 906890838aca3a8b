"""Tiers of isolation: what each is made of, how its command begins, and which of them work on this machine.

A tier works when a process inside it has tried what it must not be able to do, and could not. That is found out
by the first worker that is started in it, before anything of a subject's runs, and kept for this process.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle.subjects.places import ORACLE, Places


class NoIsolation(Exception):
    """No tier that was asked for works here: a sentence that says why, and how to get one."""


class Unavailable(Exception):
    """One tier does not work here; the message is the reason, without the tier's name."""


@dataclass(frozen=True)
class Tier:
    """One way to confine a process.

    name    as reports print it
    layers  what the process does to itself before it goes on, see `worker.confine`; "landlock?": if it is there
    wrap    the command that runs a command inside; raises Unavailable
    made_of in words
    """

    name: str
    layers: tuple[str, ...]
    wrap: Callable[[Sequence[str], Places], tuple[str, ...]]
    made_of: str

    def confinement(self, places: Places, limits: Mapping[str, int], may_exec: bool) -> dict[str, Any]:
        """What the process is told of it: the configuration of `worker.confine.enter`."""
        inside = self.wrap is bubble  # where links are made, and what is hidden is covered, by the bubble
        readable = places.readable if inside else [str(Path(path).resolve()) for path in places.readable]
        return {
            "layers": list(self.layers),
            "readable": list(dict.fromkeys(readable)),
            "listed": list(places.listed),
            "hidden": [] if inside else list(places.hidden),
            "limits": dict(limits),
            "exec": may_exec,
            "forbidden": str(ORACLE / "__init__.py"),
        }


def plain(command: Sequence[str], _: Places) -> tuple[str, ...]:
    """No program around it."""
    return tuple(command)


def bubble(command: Sequence[str], places: Places) -> tuple[str, ...]:
    """Bubblewrap: namespaces of its own, and a file system with nothing in it but what may be read.

    There is no /proc, which would show the environment of the launcher, and no /dev but two devices; what is
    not bound is an empty file system that is read-only in the end.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise Unavailable("bubblewrap is not installed")
    words = [program, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--die-with-parent", "--cap-drop", "ALL"]
    covered = [path for path in places.hidden if any(_in(path, root) for root in places.readable)]
    beneath = [path for path in places.readable if any(_in(path, cover) for cover in places.hidden)]
    for path in places.readable:
        if any(root != path and _in(path, root) for root in places.readable) and path not in beneath:
            continue  # it comes with the folder that it is in
        if Path(path).is_symlink():
            words += ["--symlink", str(Path(path).readlink()), path]
        elif path not in beneath:
            words += ["--ro-bind", path, path]
    for path in covered:
        words += ["--size", "65536", "--tmpfs", path]
    for path in beneath:
        words += ["--ro-bind", path, path]
    for path in covered:
        words += ["--remount-ro", path]
    for device in ("/dev/null", "/dev/urandom"):
        words += ["--dev-bind", device, device]
    return (*words, "--remount-ro", "/", "--chdir", places.readable[0], "--", *command)


def _in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier("strict", ("landlock?", "seccomp"), bubble, "bubblewrap, seccomp, Landlock and limits"),
        Tier("landlock", ("landlock", "seccomp"), plain, "Landlock, seccomp and limits"),
        Tier("weak", (), plain, "a process of its own with limits, and numbers as all that it can say"),
    )
}
"""From the strongest to the weakest."""

STRONG = tuple(name for name in TIERS if name != "weak")

_not_working: dict[str, str] = {}
"""Tiers that were tried in this process and did not work, with the reason."""


def tried(name: str, reason: str) -> None:
    """Remember that a tier does not work."""
    _not_working[name] = reason


def candidates(wanted: str | None, allow_weak: bool) -> list[Tier]:
    """The tiers to try, in order. Raises NoIsolation when none is left.

    wanted      the name of one, or None for the best
    allow_weak  whether "weak" may be taken when nothing better works
    """
    names = [wanted] if wanted else [*STRONG, *(["weak"] if allow_weak else [])]
    left = [TIERS[name] for name in names if name not in _not_working]
    if not left:
        why = "; ".join(f"{name}: {_not_working[name]}" for name in names)
        raise NoIsolation(
            f"{wanted or 'no'} isolation {'does not work' if wanted else 'works'} on this machine ({why}); "
            "`oracle doctor` says how to get it"
            + ("" if wanted else ", and --allow-weak-sandbox goes on without")
        )
    return left
