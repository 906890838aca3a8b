"""Confinement: a process gives up what an engine does not need, tries whether it is gone, and says so.

The first line that every launched process writes is the answer: {"leaks":[…]}, what it could still do, or
{"failed":"…"}, why a layer is not available here. Nothing of the subject's has run by then, so that the line can be
believed; what comes after it cannot.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

LIMITS = {
    "address space": resource.RLIMIT_AS,
    "data": resource.RLIMIT_DATA,
    "file": resource.RLIMIT_FSIZE,
    "processor": resource.RLIMIT_CPU,
    "core": resource.RLIMIT_CORE,
    "descriptors": resource.RLIMIT_NOFILE,
}
"""Names of the limits in `config["limits"]`: bytes, seconds, or a number."""

DEVICES = ("/dev/null", "/dev/urandom")

PR_SET_PDEATHSIG, CAPSET = 1, {"x86_64": 126, "aarch64": 91}


def enter(config: dict[str, Any]) -> bool:
    """Confine this process and report on descriptor 1. Whether it may go on.

    layers     "landlock", "seccomp" when the tier demands them; "landlock?" if it is there
    readable, hidden, listed  as in `landlock.restrict`
    limits     see LIMITS
    exec       whether the process is going to become another program
    forbidden  a file that it must not be able to read
    """
    try:
        _limit(config["limits"])
        if config["layers"]:
            _confine(config)
            report: dict[str, Any] = {"leaks": leaks(config["forbidden"])}
        else:
            report = {"leaks": []}
    except OSError as problem:
        report = {"failed": problem.strerror or str(problem)}
    os.write(1, json.dumps(report).encode() + b"\n")
    return report.get("leaks") == []


def _limit(limits: dict[str, int]) -> None:
    for name, limit in limits.items():
        _, hard = resource.getrlimit(LIMITS[name])
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        with contextlib.suppress(ValueError):  # macOS has no limit on address space
            resource.setrlimit(LIMITS[name], (limit, limit))


def _confine(config: dict[str, Any]) -> None:
    import ctypes

    from . import landlock, seccomp

    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # ends with the thread that started it
    layers = config["layers"]
    with contextlib.suppress(OSError) if "landlock?" in layers else contextlib.nullcontext():
        if "landlock" in layers or "landlock?" in layers:
            landlock.restrict(
                config["readable"], config["hidden"], config["listed"], DEVICES, may_exec=config["exec"]
            )
    # root keeps its name and loses its powers: no capability is left, so that limits cannot be raised again
    libc.syscall(CAPSET.get(os.uname().machine, -1), b"\x22\x05\x08\x20" + bytes(4), bytes(24))
    seccomp.install(config["exec"])


# Trying it ----------------------------------------------------------------------------------------------------


def leaks(forbidden: str) -> list[str]:
    """What this process can still do of what it must not, in words. forbidden: a file that it must not read."""
    return [deed for deed, attempt in ATTEMPTS.items() if _succeeds(attempt, forbidden)]


def _succeeds(attempt: Callable[[str], object], forbidden: str) -> bool:
    try:
        attempt(forbidden)
    except OSError:
        return False
    except ValueError:  # how `resource` says "not permitted"
        return False
    return True


def _start_a_process(_: str) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _open_a_socket(_: str) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    for family in (1, 2, 10):  # local, IPv4, IPv6
        opened = libc.socket(family, 1, 0)
        if opened >= 0:
            os.close(opened)
            return
    raise OSError


def _write_a_file(_: str) -> None:
    name = f".oracle-probe-{os.getpid()}"
    for folder in ("/tmp", "/var/tmp", "/dev/shm", "/", os.getcwd()):
        path = os.path.join(folder, name)
        try:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
        except OSError:
            continue
        os.unlink(path)
        return
    raise OSError


ATTEMPTS: dict[str, Callable[[str], object]] = {
    "start a process": _start_a_process,
    "open a socket": _open_a_socket,
    "write a file": _write_a_file,
    "read a file that it was not given": lambda forbidden: os.close(os.open(forbidden, os.O_RDONLY)),
    "signal its parent": lambda _: os.kill(os.getppid(), 0),
    "raise its own limits": lambda _: resource.setrlimit(
        resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    ),
    "change the mode of a file": lambda _: os.chmod(__file__, os.stat(__file__).st_mode),
}
