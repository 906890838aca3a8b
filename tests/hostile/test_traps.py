"""The traps of isolation, one by one: what a sandbox that looks right lets through."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oracle.case import Case
from oracle.checking import check
from oracle.judge.causes import Demands
from oracle.program import Program
from oracle.reports import FORMATS, text
from oracle.subjects import LoadError, open_subject
from tests.machine import WORKING
from tests.reports.examples import commands
from tests.subjects.conftest import changed

from .submissions import SUBMISSIONS
from .traces import files, processes

CASE = Case("trap/mul", Program.build([2.0, -3.0], [("mul", [0, 1])]))

STRONG = [tier for tier in WORKING if tier != "weak"]

SPEAKER = """
import json, sys
print(json.dumps({"protocol": 1, "name": "speaker", "language": "any", "ops": ["mul"], "grads": "all"}), flush=True)
for line in sys.stdin:
    message = json.loads(line)
    if message["cmd"] == "run":
        DEED
        row = {"data": ["0x1p+1"] * 3, "grad": [None] * 3}
        print(json.dumps({"id": message["id"], "observations": [row]}), flush=True)
"""
"""A program that speaks the protocol, with something to do in every case."""


def printed(deed: str, tier: str, folder: Path) -> str:
    """What an engine prints that does something when it is loaded."""
    lines = "\n".join(f"    {line}" for line in deed.strip().splitlines())
    path = folder / "engine.py"
    path.write_text(f"def deed():\n{lines}\n\n\nclass Deed:\n    deed()\n\n" + changed())
    with open_subject(str(path), tier=tier) as subject:
        assert subject.run([CASE])[0].ok
        return subject.output


@pytest.mark.parametrize("tier", WORKING)
def test_the_environment_of_the_launcher(tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "hunter2")
    told = printed(
        """
import glob, os
print(dict(os.environ))
for path in ["/proc/self/environ", "/proc/1/environ", *glob.glob("/proc/[0-9]*/environ")]:
    try: print(open(path, errors="replace").read())
    except OSError: pass
""",
        tier,
        tmp_path,
    )
    assert "LC_ALL" in told and "hunter2" not in told


@pytest.mark.parametrize("tier", WORKING)
def test_no_place_to_write(tier: str, tmp_path: Path) -> None:
    told = printed(
        """
import os
for folder in ("/", "/dev", "/dev/shm", "/tmp", "/var/tmp", "/run", os.path.dirname(__file__), os.__file__[:-5]):
    try: open(folder + "/hostile-5d1c", "w")
    except OSError as problem: print("refused", folder)
    else: print("written", folder)
for device in ("zero", "full", "tty", "shm", "mem"):
    try: open("/dev/" + device, "rb")
    except OSError: continue
    print("opened", device)
""",
        tier,
        tmp_path,
    )
    assert told.count("refused") == 8 and "written" not in told and "opened" not in told


@pytest.mark.parametrize("tier", WORKING)
def test_no_processes_even_for_root(tier: str, tmp_path: Path) -> None:
    """RLIMIT_NPROC would do nothing for uid 0."""
    told = printed("import os\ntry: os.fork()\nexcept OSError as problem: print('refused')", tier, tmp_path)
    assert told == "| refused\n"


@pytest.mark.parametrize("tier", WORKING)
def test_output_is_no_timeout(tier: str, tmp_path: Path) -> None:
    """An undrained pipe would hold 64 KiB; this prints 8 MiB in one case, less than the limit, and goes on."""
    path = tmp_path / "engine.py"
    mul = "    def __mul__(self, other):\n"
    path.write_text(changed((mul, mul + "        print('x' * (1 << 23))\n")))
    with open_subject(str(path), tier=tier) as subject:
        assert [answer.ok for answer in subject.run([CASE] * 3)] == [True] * 3
        assert len(subject.output) < 20_000


@pytest.mark.parametrize("tier", WORKING)
def test_grandchildren_end_with_the_subject(tier: str, tmp_path: Path) -> None:
    """They would go on where only the child is killed: a program may start processes in the tier "weak" only."""
    deed = f"""
        import os, time
        try:
            for leave in (lambda: None, os.setsid):
                if os.fork() == 0:
                    leave()
                    if os.fork() == 0: os.execl({sys.executable!r}, "python", "-c", "while True: '{tmp_path}'")
                    os._exit(0)
        except OSError: print("refused", file=sys.stderr)
        time.sleep(60)
"""
    script = tmp_path / "speaker.py"
    script.write_text(SPEAKER.replace("        DEED\n", deed))
    command = f"{sys.executable} -S {script}"
    with open_subject(command=command, tier=tier, timeout=1.0) as subject:
        assert subject.run([CASE])[0].lost == "timeout"
        assert ("refused" in subject.output) == (tier != "weak")
    assert processes(str(tmp_path)) == []


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("tier", WORKING)
def test_a_limit_of_memory_that_node_can_live_with(tier: str, tmp_path: Path) -> None:
    """It reserves gigabytes of addresses: a limit on address space kills it before its first line."""
    script = tmp_path / "speaker.js"
    script.write_text(
        """
console.log('{"protocol":1,"name":"speaker","language":"js","ops":["mul"],"grads":"all"}');
require("readline").createInterface({input: process.stdin}).on("line", (line) => {
  const message = JSON.parse(line), held = [];
  if (message.cmd !== "run") return;
  if (message.id === 2) while (true) held.push(new Float64Array(1 << 20).fill(1));
  console.log(`{"id":${message.id},"observations":[{"data":["0x1p+1","0x1p+1","0x1p+1"],"grad":[null,null,null]}]}`);
});
"""
    )
    with open_subject(command=f"node {script}", tier=tier, memory_mb=512, timeout=10) as subject:
        answers = subject.run([CASE] * 3)
    assert [answer.ok for answer in answers] == [True, False, True]
    assert answers[1].lost in ("memory", "died"), answers[1]


@pytest.mark.parametrize("tier", STRONG)
def test_clone3_is_absent_and_threads_work(tier: str, tmp_path: Path) -> None:
    """Its flags are in memory, where no filter sees them. The C library falls back to clone."""
    told = printed(
        """
import ctypes, errno, threading
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(435, None, 0), errno.errorcode[ctypes.get_errno()])
thread = threading.Thread(target=print, args=("a thread",))
thread.start()
thread.join()
""",
        tier,
        tmp_path,
    )
    assert told == "| -1 ENOSYS\n| a thread\n"


NOT_JSON = {
    "deep": ("'[' * 200_000", "the answer is longer than"),
    "rather deep": ("'[' * 7_000", "it is nested too deeply"),
    "a long integer": ("""'{"id": ' + '9' * 5_000 + '}'""", "the answer is not JSON"),
    "no UTF-8": ("""'\\udcff'.encode('utf-8', 'surrogateescape')""", "the answer is not JSON"),
    "not a number": ("""'{"id":1,"observations":[{"data":[NaN,1,1],"grad":[null,null,null]}]}'""", "data[0]"),
    "an infinite float": ("""'{"id":1e999}'""", "id: expected 1"),
    "absurd digits": ("""'{"id":1,"observations":[{"data":["0x1.' + 'f' * 6000 + 'p+0",1,1],"grad":[]}]}'""", "data"),
    "absurd exponent": ("""'{"id":1,"observations":[{"data":["0x1p+99999999",1,1],"grad":[]}]}'""", "data[0]"),
    "too many": ("""'{"id":1,"observations":[' + '{"data":[],"grad":[]},' * 99 + '{}]}'""", "a list of 1"),
    "a key twice": ("""'{"id":1,"id":7}'""", "id: expected 1"),
    "a lone surrogate": ("""'{"id":1,"error":{"type":"\\\\ud800","message":7}}'""", "error.message"),
    "an empty line": ("''", "the answer is not JSON"),
    "a drip": ("drip()", "no answer after"),
    "the end": ("sys.exit(0)", "ended by itself, with exit code 0"),
    "a closed door": ("os.close(1) or time.sleep(9)", ""),
}  # fmt: skip
"""Name → (what a program answers in place of a case, what is said of it)."""

SAYS = """
        def drip():
            while True:
                os.write(1, b" ")
                time.sleep(0.02)
        import os, time
        if message["id"] == 1:
            reply = REPLY
            os.write(1, (reply if isinstance(reply, bytes) else reply.encode()) + b"\\n")
            continue
"""


@pytest.mark.parametrize("name", NOT_JSON)
def test_whatever_is_answered(name: str, tmp_path: Path) -> None:
    """`json.loads` of 200,000 brackets raises RecursionError, of an integer of 5,000 digits ValueError."""
    reply, said = NOT_JSON[name]
    script = tmp_path / "speaker.py"
    script.write_text(SPEAKER.replace("        DEED\n", SAYS.replace("REPLY", reply)))
    command = f"{sys.executable} -S {script}"
    began = time.monotonic()
    with open_subject(command=command, tier=WORKING[0], timeout=1.0) as subject:
        first, second = subject.run([CASE] * 2)
    assert first.lost in ("protocol", "died", "timeout") and said in first.detail, first
    assert second.ok and len(first.detail) < 500 and first.detail.isprintable()
    assert time.monotonic() - began < 20


def test_one_exit_does_not_break_the_class(tmp_path: Path) -> None:
    """It would break a whole process pool."""
    for name in ("exits at import", "exits in mul", "writes result files"):
        (tmp_path / f"{name.replace(' ', '_')}.py").write_text(SUBMISSIONS[name].source)
    (tmp_path / "right.py").write_text(changed())
    words = [
        "grade",
        str(tmp_path),
        "--level",
        "forward",
        "--case",
        "*/mul-*",
        "--format",
        "json",
        "--jobs",
        "2",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "oracle", *words], capture_output=True, text=True, timeout=300, check=False
    )
    reports = {r["subject"]["target"]: r["exit_code"] for r in json.loads(done.stdout)["reports"]}
    assert done.returncode == 3
    codes = {Path(target).stem: code for target, code in reports.items()}
    assert codes == {
        "exits_at_import": 3, "exits_in_mul": 0, "writes_result_files": 0, "right": 0,
    }  # fmt: skip


def test_no_line_of_the_log_is_a_command(tmp_path: Path) -> None:
    """Runners obey lines that begin with "::", and "##[" anywhere; text that wraps makes new beginnings."""
    mul = "    def __mul__(self, other):\n"
    said = "'\\n::error::a\\r##[error]b\\x1b[2J ' + 'words ' * 9 + '::stop-commands::x'"
    path = tmp_path / "engine.py"
    path.write_text(
        "print('::error::printed')\n" + changed((mul, f"{mul}        raise RuntimeError({said})\n"))
    )
    with open_subject(str(path), tier=WORKING[0]) as subject:
        report = check(subject, [CASE], Demands())
    assert report.exit_code == 1 and any("RuntimeError" in cause.message for cause in report.causes)
    for width in range(40, 111):
        assert not commands(text.render(report, width=width, verbose=True))
    obeyed = commands(FORMATS["github"](report))
    assert obeyed and all(line.startswith(("::error ", "::warning ", "::notice ")) for line in obeyed)


def test_no_complaint_is_a_command(tmp_path: Path) -> None:
    path = tmp_path / "engine.py"
    path.write_text(
        changed(("class Value:", "class Value:\n    raise OSError('\\n::error::a ##[error]b')\n"))
    )
    words = [sys.executable, "-m", "oracle", "check", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and "OSError" in done.stderr
    assert not commands(done.stdout + done.stderr)


@pytest.mark.parametrize("verb", ["check", "grade"])
def test_nothing_is_imported_from_the_folder_of_the_submission(verb: str, tmp_path: Path) -> None:
    """`python -m` without -P would look there first, for torch, too; the command `oracle` does not."""
    shadows = SUBMISSIONS["shadows modules"]
    for name, source in shadows.beside.items():
        (tmp_path / name).write_text(source)
    (tmp_path / "engine.py").write_text(shadows.source)
    words = [sys.executable, "-P", "-m", "oracle", verb, "engine.py", "--case", "*/mul-*"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == (1 if verb == "check" else 0), done.stderr
    assert files() == []


@pytest.mark.parametrize("tier", WORKING)
def test_no_subject_weakens_its_tier(tier: str, tmp_path: Path) -> None:
    """The first line of a process is believed: nothing of the submission's has run by then."""
    (tmp_path / "ctypes.py").write_text("raise ImportError\n")
    (tmp_path / "resource.py").write_text("raise ImportError\n")
    path = tmp_path / "engine.py"
    path.write_text(changed())
    try:
        with open_subject(str(path), tier=tier) as subject:
            assert subject.isolation == tier and subject.run([CASE])[0].ok
    except LoadError as refusal:
        pytest.fail(f"a file beside the engine keeps it from being isolated: {refusal}")
