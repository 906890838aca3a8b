"""Remedies: the one command that would make a tier of isolation work on this machine, by the reason why it does not."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oracle.subjects.container import image

INSTALL = {
    "apt-get": "apt-get install -y {}",
    "dnf": "dnf install -y {}",
    "apk": "apk add {}",
    "pacman": "pacman -S --noconfirm {}",
    "zypper": "zypper install -y {}",
    "brew": "brew install {}",
}
"""Package manager → how it installs; the first that is there is named."""

SWITCHES = {
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=15000"),
}
"""File below /proc/sys → the content that forbids namespaces to users, and what allows them, for sysctl -w."""


@dataclass(frozen=True)
class Machine:
    """What a remedy depends on.

    system, kernel  "Linux", "6.1.0"; root: whether this user is
    installer       a key of INSTALL, or None
    boxed           whether this is itself a container
    switches        content of the files in SWITCHES that are there
    modules         the kernel's security modules, by comma; "" where that cannot be read
    boot            how kernel parameters are changed: "grubby", "grub" or ""
    """

    system: str = "Linux"
    kernel: str = ""
    root: bool = False
    installer: str | None = None
    boxed: bool = False
    switches: Mapping[str, str] = field(default_factory=dict)
    modules: str = ""
    boot: str = ""


def this_machine() -> Machine:
    """Look at this one."""
    boot = "grubby" if shutil.which("grubby") else "grub" if shutil.which("update-grub") else ""
    switches = {name: _read(f"/proc/sys/{name}") for name in SWITCHES}
    return Machine(
        platform.system(),
        platform.release(),
        hasattr(os, "getuid") and os.getuid() == 0,
        next((name for name in INSTALL if shutil.which(name)), None),
        any(Path(path).exists() for path in ("/.dockerenv", "/run/.containerenv")),
        {name: value for name, value in switches.items() if value},
        _read("/sys/kernel/security/lsm"),
        boot,
    )


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def remedy(reason: str, on: Machine) -> str:
    """The command, or what would be needed where no command helps; "" where nothing is known."""
    for pattern, answer in REMEDIES:
        if re.search(pattern, reason) and (said := answer(on)):
            return said
    return ""


def install(package: str, on: Machine) -> str:
    """How a package of the system is installed."""
    if on.installer is None:
        return f"install {package} with this system's package manager"
    return _as_root(INSTALL[on.installer].format(package), on, needed=on.installer != "brew")


def _as_root(command: str, on: Machine, needed: bool = True) -> str:
    return command if on.root or not needed else f"sudo {command}"


def _namespaces(on: Machine) -> str:
    """bubblewrap is there, and may not make namespaces: somebody has switched that off."""
    for name, (off, switch) in SWITCHES.items():
        if on.switches.get(name) == off:
            return _as_root(f"sysctl -w {switch}", on)
    if on.boxed:
        free = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        return f"docker run {free} …, to start this container"
    return ""


def _kernel(on: Machine) -> str:
    found = re.match(r"(\d+)\.(\d+)", on.kernel)
    if on.system == "Linux" and found and (int(found[1]), int(found[2])) < (5, 13):
        return f"a kernel from Linux 5.13 on (this is {on.kernel})"
    if on.boxed:
        return "a newer container engine (Docker 23 or later): this one refuses Landlock's system calls"
    return "a kernel that was built with CONFIG_SECURITY_LANDLOCK"


def _boot(on: Machine) -> str:
    """Landlock is built in and not switched on."""
    modules = f"lsm=landlock,{on.modules}" if on.modules else "lsm=landlock,lockdown,yama,integrity,apparmor"
    if on.boot == "grubby":
        return _as_root(f'grubby --update-kernel=ALL --args="{modules}"', on) + ", then a restart"
    if on.boot == "grub":
        file = "/etc/default/grub.d/landlock.cfg"
        line = (
            f"""echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {modules}"' | {_as_root(f"tee {file}", on)}"""
        )
        return f"{line} && {_as_root('update-grub', on)}, then a restart"
    return f"the kernel parameter {modules}, then a restart"


def _daemon(on: Machine) -> str:
    if on.system != "Linux":
        return "start Docker Desktop"
    return "a Docker daemon for this container" if on.boxed else _as_root("systemctl start docker", on)


REMEDIES: tuple[tuple[str, Callable[[Machine], str]], ...] = (
    (r"bubblewrap is not installed", lambda on: install("bubblewrap", on)),
    (r"(?i)bwrap: .*(namespace|uid map|gid map|operation not permitted|permission denied)", _namespaces),
    (r"Landlock: Function not implemented", _kernel),
    (r"Landlock: Operation not supported", _boot),
    (r"(?i)(unable to find image|no such image|image not known)", lambda on: f"docker pull {image()}"),
    (r"(?i)permission denied while trying to connect", lambda on: "sudo usermod -aG docker $USER, then log in again"),
    (r"(?i)cannot connect to the docker daemon", _daemon),
    (r"(?i)cannot connect to podman", lambda on: "podman machine start"),
    (r"docker is not installed", lambda on: install("podman", on)),
)  # fmt: skip
"""Pattern in the reason → the remedy on a machine. The first that has one is given."""
