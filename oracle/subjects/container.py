"""The tier "container": the command line of docker or podman, and how what it started is ended.

The image has to have a `python3` (3.11 or newer for engines in Python), and the program for `--exec`. Nothing of it
is written to, nothing of this machine is in it but the subject's own folders and the worker, both read-only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from oracle.subjects.boxes import Box, Unavailable, Wrapped, covered

ENGINES = ("docker", "podman")
"""Tried in this order."""

IMAGE = "ORACLE_IMAGE"
"""The variable that names another image than `image()`."""

PIDS = 256
"""Processes and threads; node starts a dozen, the JVM some dozens."""

CLIENT = (
    "PATH", "HOME", "XDG_RUNTIME_DIR", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
    "DOCKER_TLS_VERIFY", "CONTAINER_HOST", "CONTAINERS_CONF",
)  # fmt: skip
"""Variables that the client gets of this process; the container gets none of them."""


def image() -> str:
    """The image: by default that of the Python that runs this, so that packages compiled for it can be imported."""
    return os.environ.get(IMAGE) or f"python:{sys.version_info.major}.{sys.version_info.minor}-slim"


@cache
def engine() -> str:
    """The program: the first that answers. Raises Unavailable."""
    reasons = []
    for name in ENGINES:
        program = shutil.which(name)
        if program is None:
            reasons.append(f"{name} is not installed")
            continue
        try:
            done = subprocess.run(
                [program, "version"], capture_output=True, text=True, timeout=10, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            reasons.append(f"{name} does not answer")
            continue
        if done.returncode == 0:
            return program
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reasons.append(f"{name} says: {said[-1].rstrip('.') if said else 'nothing'}")
    raise Unavailable("; ".join(reasons))


def contain(command: Sequence[str], box: Box) -> Wrapped:
    """The command in a container of its own, which ends with the command. Raises Unavailable."""
    program = engine()
    name = f"oracle-{box.token}"
    return Wrapped(
        (program, *arguments(command, box, name, Path(program).name)),
        {key: os.environ[key] for key in CLIENT if key in os.environ},
        (program, "rm", "--force", name),
    )


def arguments(command: Sequence[str], box: Box, name: str, kind: str) -> tuple[str, ...]:
    """What docker or podman (`kind`) is told."""
    words = ["run", "--rm", "--interactive", "--pull", "never", "--name", name, "--log-driver", "none"]
    words += ["--network", "none", "--read-only", "--cap-drop", "ALL"]
    words += ["--security-opt", "no-new-privileges", "--ipc", "private", "--pids-limit", str(PIDS)]
    words += ["--memory", f"{box.memory_mb}m", "--memory-swap", f"{box.memory_mb}m"]
    if kind == "podman" and os.getuid() != 0:
        words += ["--userns", "keep-id"]
    else:
        words += ["--user", f"{os.getuid()}:{os.getgid()}"]  # who may read what is mounted
    hidden, beneath = covered(box.places.own, box.places.hidden)
    for path in (path for path in box.places.own if path not in beneath):
        words += ["--mount", _fields("type=bind", f"source={path}", f"target={path}", "readonly")]
    for path in hidden:
        words += ["--mount", _fields("type=tmpfs", f"target={path}", "tmpfs-size=65536", "tmpfs-mode=0555")]
    for path in beneath:
        words += ["--mount", _fields("type=bind", f"source={path}", f"target={path}", "readonly")]
    for key, value in box.environment.items():
        if key != "PATH":  # the image's programs are the image's
            words += ["--env", f"{key}={value}"]
    return (*words, "--workdir", box.places.readable[0], image(), "python3", *command[1:])


def _fields(*fields: str) -> str:
    """As a line of CSV, which is how --mount is read."""
    quoted = ('"' + field.replace('"', '""') + '"' if set(field) & set(',"') else field for field in fields)
    return ",".join(quoted)
