"""Tiers of isolation: what each is made of, and which of them work on this machine.

A tier works when a process inside it has tried what it must not be able to do, and could not. That is found out
by the first worker that is started in it, before anything of a subject's runs, and kept for this process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oracle.subjects.boxes import Box, Wrapped, bubble, plain
from oracle.subjects.container import contain
from oracle.subjects.places import ORACLE, Places


class NoIsolation(Exception):
    """No tier that was asked for works here: a sentence that says why, and how to get one."""


@dataclass(frozen=True)
class Tier:
    """One way to confine a process.

    name     as reports print it
    layers   what the process does to itself before it goes on, see `worker.confine`; "landlock?": if it is there
    wrap     the command that runs a command inside; raises Unavailable
    made_of  in words
    bare     whether it has the file system of this machine, so that folders have to be hidden from it
    """

    name: str
    layers: tuple[str, ...]
    wrap: Callable[[Sequence[str], Box], Wrapped]
    made_of: str
    bare: bool = True

    def confinement(self, places: Places, limits: Mapping[str, int], may_exec: bool) -> dict[str, Any]:
        """What the process is told of it: the configuration of `worker.confine.enter`."""
        readable = [str(Path(path).resolve()) for path in places.readable] if self.bare else places.readable
        return {
            "layers": list(self.layers),
            "readable": list(dict.fromkeys(readable)),
            "listed": list(places.listed),
            "hidden": list(places.hidden) if self.bare else [],
            "limits": dict(limits),
            "exec": may_exec,
            "forbidden": str(ORACLE / "__init__.py"),
        }


TIERS: Mapping[str, Tier] = {
    tier.name: tier
    for tier in (
        Tier(
            "strict", ("landlock?", "seccomp"), bubble, "bubblewrap, seccomp, Landlock and limits", bare=False
        ),
        Tier("landlock", ("landlock", "seccomp"), plain, "Landlock, seccomp and limits"),
        Tier("container", ("seccomp",), contain, "docker or podman, seccomp and limits", bare=False),
        Tier("weak", (), plain, "a process of its own, limits, and for Python an audit hook"),
    )
}
"""From the strongest to the weakest."""

STRONG = ("strict", "landlock")
"""Those that are taken without being asked for; a container has to be."""


def reason_elsewhere(tier: str, system: str = sys.platform) -> str | None:
    """Why a tier cannot be had where the system is not Linux; None where it is worth a trial."""
    if system == "win32":
        return "engines are run on Linux and macOS only; in WSL 2 this is Linux"
    if system != "linux" and tier in ("strict", "landlock"):
        return "only Linux has what it is made of"
    return None


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
    for name in names:
        if reason := reason_elsewhere(name):
            tried(name, reason)
    left = [TIERS[name] for name in names if name not in _not_working]
    if not left:
        reasons = [_not_working[name] for name in names]
        told = (f"{name}: {reason}" for name, reason in zip(names, reasons, strict=True))
        why = reasons[0] if len(set(reasons)) == 1 else "; ".join(told)
        raise NoIsolation(
            f"{'isolation ' + wanted + ' does not work' if wanted else 'no isolation works'} on this machine ({why}); "
            "`oracle doctor` says how to get it"
            + ("" if wanted else ", and --allow-weak-sandbox goes on without")
        )
    return left
