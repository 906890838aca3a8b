"""`oracle doctor`: what it finds here is what works here, and every reason that is known has its command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from oracle import doctor
from oracle.subjects import TIERS, NoIsolation, open_subject, tiers
from oracle.subjects.remedies import INSTALL, Machine, remedy, this_machine
from tests.machine import WORKING
from tests.subjects.conftest import changed

DEBIAN = Machine(
    "Linux", "6.1.0-18-amd64", installer="apt-get", boot="grub", modules="lockdown,yama,apparmor"
)

BWRAP = "it could not be entered: bwrap: "

REMEDIES: tuple[tuple[str, Machine | str, str], ...] = (
    ("bubblewrap is not installed", DEBIAN, "sudo apt-get install -y bubblewrap"),
    ("bubblewrap is not installed", Machine(root=True, installer="dnf"), "dnf install -y bubblewrap"),
    ("bubblewrap is not installed", Machine(installer=None), "install bubblewrap with this system's"),
    (BWRAP + "No permissions to create new namespace, likely because …", "kernel/unprivileged_userns_clone=0",
        "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    ),
    (BWRAP + "setting up uid map: Permission denied", "kernel/apparmor_restrict_unprivileged_userns=1",
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    ),
    (BWRAP + "Creating new namespace failed: No space left on device", "user/max_user_namespaces=0",
        "sudo sysctl -w user.max_user_namespaces=15000"
    ),
    (BWRAP + "Creating new namespace failed: Operation not permitted", Machine(boxed=True),
        "docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    ),
    ("Landlock: Function not implemented", Machine(kernel="5.10.0-28-amd64"), "a kernel from Linux 5.13 on"),
    ("Landlock: Function not implemented", Machine(kernel="6.1.0", boxed=True), "a newer container engine"),
    ("Landlock: Function not implemented", DEBIAN, "a kernel that was built with CONFIG_SECURITY_LANDLOCK"),
    ("Landlock: Operation not supported", DEBIAN,
        """echo 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX lsm=landlock,lockdown,yama,apparmor"' | """
        "sudo tee /etc/default/grub.d/landlock.cfg && sudo update-grub, then a restart"
    ),
    ("Landlock: Operation not supported", Machine(root=True, boot="grubby", modules="yama,selinux"),
        'grubby --update-kernel=ALL --args="lsm=landlock,yama,selinux", then a restart'
    ),
    ("docker is not installed; podman is not installed", DEBIAN, "sudo apt-get install -y podman"),
    ("docker is not installed; podman is not installed", Machine("Darwin", installer="brew"), "brew install podman"),
    ("docker says: Cannot connect to the Docker daemon at unix:…; podman is not installed", DEBIAN,
        "sudo systemctl start docker"
    ),
    ("docker says: Cannot connect to the Docker daemon at unix:…", Machine("Darwin"), "start Docker Desktop"),
    ("docker says: permission denied while trying to connect to the Docker daemon socket", DEBIAN,
        "sudo usermod -aG docker $USER"
    ),
    ("it could not be entered: docker: Error response from daemon: No such image: python:3.12-slim.", DEBIAN,
        "docker pull python:"
    ),
    ("something that nobody has seen", DEBIAN, ""),
)  # fmt: skip
"""Reason, machine or the switch that is set on it, how the remedy begins."""


@pytest.mark.parametrize(("reason", "on", "expected"), REMEDIES)
def test_every_reason_has_its_command(reason: str, on: Machine | str, expected: str) -> None:
    if isinstance(on, str):
        name, _, value = on.partition("=")
        on = Machine(switches={"kernel/unprivileged_userns_clone": "1", name: value})
    found = remedy(reason, on)
    assert found.startswith(expected), found
    assert bool(found) == bool(expected)


def test_the_page_of_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oracle", "doctor"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == ""
    ready = any(tier in WORKING for tier in tiers.STRONG)
    assert done.returncode == (0 if ready else 2)
    rows = dict(
        reversed(line.split()[:2]) for line in done.stdout.splitlines() if line.lstrip()[:1] in ("✓", "✗")
    )
    assert {name for name in TIERS if rows[name] == "✓"} == set(WORKING)
    assert rows["PyTorch"] == "✓"
    if ready:
        assert f"take {WORKING[0]}." in done.stdout


def test_a_machine_without_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page names each reason and its command, in lines that fit; `ready` says no."""
    on = this_machine()
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(tiers, "_not_working", {})
    monkeypatch.setattr(doctor, "_timed", lambda tier: (_ for _ in ()).throw(OSError(2, "No such file")))
    isolation, parts = doctor.tiers(on), doctor.parts(on)
    assert not any(finding.works for finding in isolation) and not doctor.ready(isolation, parts)
    text = doctor.page(on, isolation, parts, 80)
    assert "no dot on the PATH" in text and "to get it: " in text
    assert "`oracle.diff` and `oracle.assert_matches_torch` do without" in text
    assert max(len(line) for line in text.splitlines() if "to get it" not in line) <= 100


def test_elsewhere_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "WSL 2" in (tiers.reason_elsewhere("weak", "win32") or "")
    assert "only Linux" in (tiers.reason_elsewhere("strict", "darwin") or "")
    assert tiers.reason_elsewhere("weak", "darwin") is tiers.reason_elsewhere("strict", "linux") is None
    (tmp_path / "engine.py").write_text(changed())
    monkeypatch.setattr(tiers, "_not_working", {})
    monkeypatch.setattr(tiers, "reason_elsewhere", lambda tier: "engines are run on Linux and macOS only")
    with pytest.raises(
        NoIsolation, match=r"^no isolation works on this machine \(engines are run on Linux and"
    ):
        open_subject(str(tmp_path / "engine.py"))


def test_live_graphs_need_nothing_of_posix() -> None:
    """Where `fcntl` and `resource` do not exist, `oracle.diff` works."""
    code = (
        "import sys; sys.modules.update(fcntl=None, resource=None)\n"
        "import oracle\nfrom minigrad import Value\n"
        "a = Value(2.0); b = a * a; b.backward(); assert oracle.diff(b).ok\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_installers_are_commands() -> None:
    assert all(line.count("{}") == 1 and line.startswith(name) for name, line in INSTALL.items())
