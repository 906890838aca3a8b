"""How a subject's process is started: its command line, its environment, its limits, and its tier."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from oracle.subjects import places
from oracle.subjects.boxes import Box
from oracle.subjects.child import OUTPUT
from oracle.subjects.places import Places
from oracle.subjects.target import LoadError, Target
from oracle.subjects.tiers import TIERS, Tier
from oracle.vocabulary import VOCABULARY

BOOTSTRAP = """
import sys
package = type(sys)("_oracle_worker")
package.__path__ = [sys.argv[1]]
sys.modules["_oracle_worker"] = package
from _oracle_worker.begin import begin
begin(sys.argv[2])
"""
"""Starts the worker under a name of its own, so that no module of the subject's can take its place."""

PROCESSOR = 600
"""Seconds of processor time that one worker may use in its life; each case has its own timeout besides."""

MARK = "ORACLE_SUBJECT"
"""The variable that marks a subject's processes, so that those that left its group are found."""


@dataclass(frozen=True)
class Launch:
    """How a subject's worker is started.

    target, file, name, sha256  what the user named, the file behind it, what it is called, its fingerprint
    command, environment        the worker's
    timeout, start_timeout      seconds: for one case, for loading
    tier                        how the process is confined
    announced                   whether its first line says that it is, see `worker.confine`
    farewell                    a command that ends what is left when the worker is killed; () for none
    mark                        "NAME=value" in the environment of all that it starts; "" where it can start nothing
    """

    target: str
    file: str | None
    name: str
    sha256: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 5.0
    start_timeout: float = 10.0
    tier: Tier = TIERS["weak"]
    announced: bool = False
    farewell: tuple[str, ...] = ()
    mark: str = ""


def python(
    target: Target,
    tier: Tier,
    memory_mb: int,
    allow_imports: Sequence[str] = (),
    timeout: float = 5.0,
    start_timeout: float = 10.0,
) -> Launch:
    """The Python worker on a target. Raises Unavailable where the tier cannot be had."""
    roots = [str(root) for root in target.roots]
    readable = places.for_python(roots, allow_imports)
    limits = _limits("address space", memory_mb)
    config: dict[str, Any] = {
        "confine": tier.confinement(readable, limits, may_exec=False),
        "folder": roots[0],
        "file": str(target.file),
        "module": target.module,
        "class": target.class_name,
        "roots": roots,
        "allow": list(allow_imports),
        "site": places.site_packages() if allow_imports else [],
        "words": [
            [
                op.name,
                op.arity,
                list(op.spellings),
                list(op.functions),
                op.operator,
                list(op.parameters),
                op.settings[0],
            ]
            for op in VOCABULARY.values()
        ],
    }
    start = Launch(
        target.text, str(target.file), target.name, target.sha256(), (), {}, timeout, start_timeout
    )
    return _inside(start, tier, _worker(config), readable, memory_mb, _environment())


def command(
    text: str, tier: Tier, memory_mb: int, timeout: float = 5.0, start_timeout: float = 10.0
) -> Launch:
    """Any program that speaks the protocol, e.g. "node engine.js". Raises LoadError, or Unavailable."""
    try:
        words = shlex.split(text)
    except ValueError as problem:
        raise LoadError(f"--exec {text!r}: it cannot be split into words: {problem}") from None
    if not words:
        raise LoadError("--exec: an empty command is no program")
    if tier.name != "container":  # there it is the image's
        program = shutil.which(words[0])
        if program is None:
            raise LoadError(f"--exec: {words[0]!r} is no program here; check its spelling and the PATH")
        words[0] = str(Path(program).absolute())
    folder = str(Path.cwd())
    readable = places.for_command(folder, words)
    config = {
        # address space would not do: other runtimes reserve far more of it than they use
        "confine": tier.confinement(readable, _limits("data", memory_mb), may_exec=True),
        "program": words,
        "folder": folder,
    }
    environment = {**_environment(), "PATH": os.environ.get("PATH", os.defpath), "HOME": "/"}
    start = Launch(text, None, text, _fingerprint(words), (), {}, timeout, start_timeout)
    return _inside(start, tier, _worker(config), readable, memory_mb, environment)


def reversed_order(start: Launch) -> Launch:
    """The same, with hashes of strings from another seed, and sets of nodes in the reverse order."""
    seeds = {"PYTHONHASHSEED=0": "PYTHONHASHSEED=1"}  # in the command line of a container's client
    return replace(
        start,
        command=tuple(seeds.get(word, word) for word in start.command),
        environment={**start.environment, "PYTHONHASHSEED": "1"},
    )


def empty(tier: Tier) -> Launch:
    """A worker with no subject, to find out whether a tier works. Raises Unavailable."""
    readable = places.for_python([str(places.WORKER)], ())
    confine = tier.confinement(readable, _limits("address space", 1024), may_exec=False)
    inside = _worker({"confine": confine, "folder": readable.readable[0]})
    return _inside(Launch("", None, tier.name, "", ()), tier, inside, readable, 1024, _environment())


def _inside(
    start: Launch,
    tier: Tier,
    command: tuple[str, ...],
    readable: Places,
    memory_mb: int,
    environment: Mapping[str, str],
) -> Launch:
    """The start of a command in a tier. Raises Unavailable."""
    token = secrets.token_hex(8)
    wrapped = tier.wrap(command, Box(readable, memory_mb, {**environment, MARK: token}, token))
    return replace(
        start,
        command=wrapped.command,
        environment=wrapped.environment,
        tier=tier,
        announced=True,
        farewell=wrapped.farewell,
        mark="" if tier.layers else f"{MARK}={token}",
    )


def _limits(memory: str, memory_mb: int) -> dict[str, int]:
    """Limits of a process, see `worker.confine.LIMITS`. memory: which of them bounds it."""
    return {memory: memory_mb << 20, "file": OUTPUT, "processor": PROCESSOR, "core": 0, "descriptors": 256}


def _worker(config: Mapping[str, Any]) -> tuple[str, ...]:
    _compiled()
    # -I but for PYTHONHASHSEED, the one of Python's variables that `_environment` has
    return (places.interpreter(), "-P", "-s", "-S", "-c", BOOTSTRAP, str(places.WORKER), json.dumps(config))


def _environment() -> dict[str, str]:
    """The worker's whole environment: none of the caller's variables."""
    threads = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {"LC_ALL": "C.UTF-8", **threads, "PYTHONHASHSEED": "0"}


@cache
def _compiled() -> None:
    """Compile the worker's modules where that has not been done: a confined worker cannot keep what it compiles."""
    from importlib.util import cache_from_source

    for source in places.WORKER.glob("*.py"):
        kept = Path(cache_from_source(str(source)))
        if not kept.exists() or kept.stat().st_mtime < source.stat().st_mtime:
            import py_compile

            try:
                py_compile.compile(str(source), doraise=True)
            except OSError:  # an installation that is read-only: every worker compiles for itself
                return


def _fingerprint(words: Sequence[str]) -> str:
    """Of a command: of its words, and of the files among them."""
    digest = sha256()
    for word in words[1:] if len(words) > 1 else words:
        digest.update(word.encode() + b"\0")
        if Path(word).is_file():
            digest.update(Path(word).read_bytes())
    return digest.hexdigest()
