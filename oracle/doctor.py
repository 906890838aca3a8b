"""What works on this machine: tiers of isolation and optional parts, why the rest does not, and how to get it."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from textwrap import wrap

from oracle import torch_reference
from oracle.subjects import TIERS, remedies
from oracle.subjects.boxes import Unavailable
from oracle.subjects.remedies import Machine
from oracle.subjects.subject import probe
from oracle.subjects.tiers import STRONG, Tier, reason_elsewhere
from oracle.version import VERSION

ON_REQUEST = {"container": "--isolation container", "weak": "--allow-weak-sandbox"}
"""Tiers that have to be asked for, with the option that does."""


@dataclass(frozen=True)
class Finding:
    """One thing that works, or does not.

    what    what it is, or why it does not work
    remedy  the command that would enable it, "" where it works or nothing helps
    """

    name: str
    works: bool
    what: str
    remedy: str = ""


def tiers(on: Machine) -> list[Finding]:
    """Every tier, tried."""
    return [_tier(name, on) for name in TIERS]


def _tier(name: str, on: Machine) -> Finding:
    reason = reason_elsewhere(name)
    if reason is None:
        try:
            seconds = min(_timed(TIERS[name]) for _ in range(3))
        except Unavailable as problem:
            reason = str(problem)
        except OSError as problem:
            reason = f"it cannot be started: {problem.strerror}"
        else:
            said = f"{TIERS[name].made_of} · {1000 * seconds:.0f} ms to start"
            return Finding(name, True, said + (f" · {ON_REQUEST[name]}" if name in ON_REQUEST else ""))
    return Finding(name, False, reason, remedies.remedy(reason, on))


def _timed(tier: Tier) -> float:
    """Seconds from the start of an empty worker in a tier to its end. Raises Unavailable, OSError."""
    began = time.perf_counter()
    probe(tier)
    return time.perf_counter() - began


def parts(on: Machine) -> list[Finding]:
    """What the oracle uses beside isolation; only PyTorch is always needed."""
    return [
        _torch(),
        _program("Graphviz", "dot", "pictures (--pictures, notebooks)", "graphviz", on),
        _package("matplotlib", "plots of scripts/train_moons and scripts/gallery", "plot"),
        _package("distributed", "oracle grade --cluster", "cluster"),
        _package("numpy", "engines that use it (--allow-import numpy)", None),
    ]


def _torch() -> Finding:
    try:
        version = torch_reference.version()
        answer = torch_reference.local("mul", {}, [[3.0], [-2.0]], [1.5])
    except Exception as problem:  # whatever a broken installation raises
        said = f"the reference cannot be used: {type(problem).__name__}: {problem}"
        return Finding("PyTorch", False, said, "pip install torch")
    if (answer.values, answer.vjps) != ([-6.0], [[-3.0], [4.5]]):
        return Finding(
            "PyTorch", False, f"{version} computes 3 · -2 wrongly", "pip install --force-reinstall torch"
        )
    return Finding("PyTorch", True, f"{version}, the reference")


def _program(name: str, program: str, use: str, package: str, on: Machine) -> Finding:
    if shutil.which(program):
        return Finding(name, True, use)
    return Finding(
        name, False, f"no {program} on the PATH, which is needed for {use}", remedies.install(package, on)
    )


def _package(name: str, use: str, extra: str | None) -> Finding:
    try:
        return Finding(name, True, f"{metadata.version(name)}, for {use}")
    except metadata.PackageNotFoundError:
        command = f"pip install {name}" if extra is None else f"pip install 'minigrad-oracle[{extra}]'"
        return Finding(name, False, f"not installed; only for {use}", command)


def ready(isolation: Iterable[Finding], others: Iterable[Finding]) -> bool:
    """Whether `check` and `grade` can be run here as they are: a tier that isolates, and the reference."""
    return any(f.works for f in isolation if f.name in STRONG) and all(
        f.works for f in others if f.name == "PyTorch"
    )


def page(on: Machine, isolation: list[Finding], others: list[Finding], width: int = 100) -> str:
    """What a user reads."""
    lines = [f"oracle {VERSION} · Python {platform.python_version()} · {on.system} {on.kernel} "
             f"{platform.machine()} · {'root' if on.root else 'an ordinary user'}"]  # fmt: skip
    for title, findings in (("isolation of engines, from the strongest", isolation), ("parts", others)):
        lines += ["", title]
        for finding in findings:
            lines += _row(finding, width)
    best = next((f.name for f in isolation if f.works and f.name in STRONG), None)
    lines.append("")
    if best is not None:
        lines.append(f"`oracle check` and `oracle grade` take {best}.")
    elif any(f.name == "weak" and f.works for f in isolation):
        lines.append(
            "`oracle check` goes on in weak, and says so; `oracle grade` refuses, unless --allow-weak-sandbox is given."
        )
    else:
        lines.append(
            "Nothing runs an engine here; `oracle.diff` and `oracle.assert_matches_torch` do without."
        )
    return "\n".join(lines)


def _row(finding: Finding, width: int) -> list[str]:
    head = f"  {'✓' if finding.works else '✗'} {finding.name:<12}"
    body = wrap(finding.what, max(30, width - len(head)), break_on_hyphens=False)
    lines = [head + body[0], *(" " * len(head) + line for line in body[1:])]
    if finding.remedy:
        lines.append(" " * len(head) + f"to get it: {finding.remedy}")
    return lines
