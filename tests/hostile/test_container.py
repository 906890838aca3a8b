"""The tier "container": its command line, its refusals, and its life with an engine that is played by bubblewrap."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oracle.case import Case
from oracle.program import Program
from oracle.subjects import container, launch, open_subject, tiers
from oracle.subjects.boxes import Box, Unavailable
from oracle.subjects.places import WORKER, Places
from tests.machine import WORKING
from tests.subjects.conftest import MUL, UNLUCKY, changed

from .traces import processes

GOOD = Case("loss/good", Program.build([2.0, -3.0], [("mul", [0, 1])]))
BAD = Case("loss/bad", Program.build([13.0, -3.0], [("mul", [0, 1])]))


def test_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container.os, "getuid", lambda: 1000)
    monkeypatch.setattr(container.os, "getgid", lambda: 1001)
    monkeypatch.delenv("ORACLE_IMAGE", raising=False)
    places = Places(
        ("/home/me/work", "/opt/oracle/worker", "/usr/lib"),
        ("/home/me/work/secret", "/elsewhere"),
        own=("/home/me/work", "/opt/oracle/worker", "/home/me/work/secret/but, this"),
    )
    box = Box(places, 512, {"PATH": "/usr/bin", "LC_ALL": "C.UTF-8", "ORACLE_SUBJECT": "f00"}, "f00")
    told = container.arguments(("/usr/bin/python3.11", "-I", "-S", "-c", "…"), box, "oracle-f00", "docker")
    assert " ".join(told) == (
        "run --rm --interactive --pull never --name oracle-f00 --log-driver none"
        " --network none --read-only --cap-drop ALL"
        " --security-opt no-new-privileges --ipc private --pids-limit 256"
        " --memory 512m --memory-swap 512m --user 1000:1001"
        " --mount type=bind,source=/home/me/work,target=/home/me/work,readonly"
        " --mount type=bind,source=/opt/oracle/worker,target=/opt/oracle/worker,readonly"
        " --mount type=tmpfs,target=/home/me/work/secret,tmpfs-size=65536,tmpfs-mode=0555"
        ' --mount type=bind,"source=/home/me/work/secret/but, this",'
        '"target=/home/me/work/secret/but, this",readonly'
        " --env LC_ALL=C.UTF-8 --env ORACLE_SUBJECT=f00"
        f" --workdir /home/me/work python:{sys.version_info.major}.{sys.version_info.minor}-slim"
        " python3 -I -S -c …"
    )
    monkeypatch.setenv("ORACLE_IMAGE", "node:22")
    podman = container.arguments(("python", "-c"), box, "oracle-f00", "podman")
    assert podman[-3:] == ("node:22", "python3", "-c")
    assert "keep-id" in podman and "--user" not in podman


def fake(folder: Path, text: str, name: str = "docker") -> None:
    path = folder / name
    path.write_text(f"#!{sys.executable} -IS\n{text}")
    path.chmod(0o755)


@pytest.fixture
def only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH; what was found out of containers is forgotten before and after."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(tiers, "_not_working", {})
    container.engine.cache_clear()
    return folder


def test_no_engine_is_a_refusal(only: Path) -> None:
    with pytest.raises(Unavailable, match=r"^docker is not installed; podman is not installed$"):
        container.engine()
    fake(only, "import sys\nsys.exit('Cannot connect to the Docker daemon at unix:///var/run/docker.sock.')")
    with pytest.raises(Unavailable, match=r"^docker says: Cannot connect .*docker\.sock; podman is not"):
        container.engine()
    fake(only, "", "podman")
    assert container.engine() == str(only / "podman")


def test_the_refusal_as_a_user_sees_it(only: Path, tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text(changed())
    words = [sys.executable, "-m", "oracle", "check", str(tmp_path / "engine.py"), "--isolation", "container"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    said = done.stderr.strip().splitlines()[-1]
    assert said == (
        "Error: isolation container does not work on this machine (docker is not installed; podman is not "
        "installed); `oracle doctor` says how to get it"
    )


DOCKER = """
import os, signal, subprocess, sys
words, place = sys.argv[1:], os.path.dirname(os.path.abspath(__file__))
if words[0] == "version":
    sys.exit(0)
if words[0] == "rm":
    with open(f"{place}/removed", "a") as file: print(words[-1], file=file)
    try: os.killpg(int(open(f"{place}/{words[-1]}").read()), signal.SIGKILL)
    except ProcessLookupError: pass
    sys.exit(0)
image = words.index(os.environ.get("ORACLE_IMAGE", IMAGE))
bubble = [BWRAP, "--unshare-all", "--clearenv"]
for path in SYSTEM: bubble += ["--ro-bind", path, path]
for option, value in zip(words, words[1:image]):
    fields = dict(field.partition("=")[::2] for field in value.split(","))
    if option == "--mount" and fields["type"] == "bind":
        bubble += ["--ro-bind", fields["source"], fields["target"]]
    elif option == "--mount": bubble += ["--tmpfs", fields["target"], "--remount-ro", fields["target"]]
    elif option == "--env": bubble += ["--setenv", *value.split("=", 1)]
    elif option == "--workdir": bubble += ["--chdir", value]
    elif option == "--name": name = value
bubble += ["--dev-bind", "/dev/null", "/dev/null", "--remount-ro", "/", "--", *words[image + 1 :]]
child = subprocess.Popen(bubble, start_new_session=True)  # as with docker, it outlives this client
with open(f"{place}/{name}", "w") as file: file.write(str(child.pid))
sys.exit(child.wait())
"""
"""A docker whose containers are bubbles, with nothing of this machine in them but its Python and its libraries."""


@pytest.fixture
def docker(only: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    bwrap = shutil.which("bwrap", path="/usr/bin:/bin:/usr/local/bin")
    if bwrap is None or "strict" not in WORKING:
        pytest.skip("bubblewrap, which plays the container engine, does not work here")
    base = str(Path(sys.base_prefix))
    system = [base, *(path for path in ("/usr", "/lib", "/lib64", "/bin") if Path(path).exists())]
    text = DOCKER.replace("IMAGE)", repr(container.image()) + ")").replace("BWRAP", repr(bwrap))
    fake(only, text.replace("SYSTEM", repr(system)))
    (only / "python3").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setenv("PATH", f"{only}:{base}/bin:/usr/bin:/bin")
    return only


def test_a_subject_in_a_container(docker: Path, tmp_path: Path) -> None:
    path = tmp_path / "work" / "engine.py"
    path.parent.mkdir()
    path.write_text(changed((MUL, UNLUCKY.format("while True: pass"))))
    with open_subject(str(path), tier="container", timeout=0.5) as subject:
        assert subject.isolation == "container"
        answers = subject.run([GOOD, BAD, GOOD])
        assert [answer.lost for answer in answers] == [None, "timeout", None]
        assert answers[0].observations[0].grad == answers[2].observations[0].grad == (-3.0, 2.0, 1.0)
        assert processes(str(path))
    assert not processes(str(path)), "the container outlived its client"
    assert len(set((docker / "removed").read_text().split())) == 1


def test_a_container_is_tried_before_it_is_believed(docker: Path, tmp_path: Path) -> None:
    """One that can still read what it was not given is refused."""
    leaky = (
        (docker / "docker").read_text().replace("for path in [", f"for path in [{str(WORKER.parents[2])!r}, ")
    )
    (docker / "docker").write_text(leaky)
    (tmp_path / "engine.py").write_text(changed())
    with pytest.raises(tiers.NoIsolation, match="can still read a file that it was not given"):
        open_subject(str(tmp_path / "engine.py"), tier="container")


def test_a_command_in_a_container(docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "speaker.sh").write_text(
        """read start
echo '{"protocol":1,"name":"sh","language":"sh","ops":["mul"],"grads":"all"}'
read run
echo '{"id":1,"observations":[{"data":["0x1p+1","0x1p+1","0x1p+1"],"grad":[null,null,null]}]}'
cat >/dev/null
"""
    )
    monkeypatch.chdir(tmp_path)
    start = launch.command("sh speaker.sh", tiers.TIERS["container"], 256)
    assert start.command[-1].count('"program": ["sh", "speaker.sh"]') == 1
    with open_subject(command="sh speaker.sh", tier="container", memory_mb=256) as subject:
        assert subject.run([GOOD])[0].ok and subject.language == "sh"
