"""Every hostile submission, in every tier that works here: no attack succeeds, and nothing of it is left."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle.case import Answer, Case
from oracle.program import Program
from oracle.subjects import LoadError, open_subject
from tests.machine import WORKING

from .submissions import SUBMISSIONS, TRIGGER, Hostile
from .traces import PACKAGE, files, processes

PROGRAM = Program.build([2.0, -3.0, 5.0], [("mul", [0, 1]), ("mul", [3, 2]), ("tanh", [2])], root=4)
NUMBERS = (-15.0, 2.0, -6.0, 5.0, 1.0, 0.0)
"""What the engine gives: right is 10 for the second, since 2 has to be multiplied by the upstream gradient 5."""

HONEST = Case("hostile/honest", PROGRAM)
ATTACK = Case("hostile/attack", Program.build([TRIGGER, -3.0], [("mul", [0, 1])]))
CASES = [HONEST, ATTACK, HONEST, HONEST]

GOLDEN = PACKAGE / "suite" / "golden.json"
TORCH = PACKAGE / "torch_reference" / "module.py"


@pytest.fixture(autouse=True)
def no_traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """After the run: no process of it, no file of it, and the submission as it was handed in."""
    monkeypatch.setenv("SECRET_OF_THE_LAUNCHER", "SECRET")
    yield
    assert not processes(str(tmp_path)), "a process of the submission is still there"
    assert not files(), "the submission has written files"


def hand_in(submission: Hostile, folder: Path) -> str:
    """Write the submission's files, and a neighbour's; the path of its engine."""
    packages = sorted({sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]})
    own = folder / "submission"
    own.mkdir()
    (folder / "neighbour").mkdir()
    (folder / "neighbour" / "engine.py").write_text("# the neighbour's engine")
    for name, text in submission.beside.items():
        if text.startswith("-> "):
            (own / name).symlink_to(GOLDEN if text == "-> golden" else TORCH)
        else:
            (own / name).write_text(text)
    source = submission.source.replace("PACKAGES", repr(packages))
    (own / "engine.py").write_text(source.replace("GOLDEN", repr([str(GOLDEN), str(TORCH)])))
    return str(own / "engine.py")


@pytest.mark.parametrize("tier", WORKING)
@pytest.mark.parametrize("name", SUBMISSIONS)
def test_no_attack_succeeds(name: str, tier: str, tmp_path: Path) -> None:
    submission = SUBMISSIONS[name]
    engine = hand_in(submission, tmp_path)
    before = {path: path.lstat() for path in sorted(Path(engine).parent.iterdir())}
    fate = submission.fate
    patience = 0.7 if fate == "timeout" else 10.0
    loading = 2.0 if "hangs" in name else 10.0
    try:
        with open_subject(
            engine, tier=tier, timeout=patience, start_timeout=loading, memory_mb=256
        ) as subject:
            assert subject.isolation == tier
            answers = subject.run(CASES)
    except LoadError as refusal:
        assert fate == "refused", str(refusal)
        assert submission.says in str(refusal) and "\n" not in str(refusal) and len(str(refusal)) < 600
    else:
        told(answers, fate, submission.says)
    after = {path: path.lstat() for path in sorted(Path(engine).parent.iterdir())}
    assert {p: (s.st_mode, s.st_size, s.st_mtime_ns) for p, s in after.items()} == {
        p: (s.st_mode, s.st_size, s.st_mtime_ns) for p, s in before.items()
    }, "the submission has changed its own folder"


def told(answers: list[Answer], fate: str, says: str) -> None:
    """Whether the answers are what the engine without the attack gives, but for the case of the attack."""
    attack = answers[1]
    for answer in (answers[0], *answers[2:]):
        assert [(o.data[3:], o.grad) for o in answer.observations] == [
            ((-6.0, -30.0, answer.observations[0].data[5]), NUMBERS)
        ], answer
    if fate == "harmless":
        assert attack.observations[0].grad == (-3.0, 13.0, 1.0), attack
    elif fate == "crash":
        assert attack.crash is not None and says in f"{attack.crash.type}: {attack.crash.message}", attack
        assert "\n" not in attack.crash.message and len(attack.crash.message) < 600
    else:
        assert attack.lost == fate and says in attack.detail, attack


def test_every_threat_has_a_submission() -> None:
    """The list of the specification, as it stands there."""
    threats = {
        "os._exit(0) at import", "atexit that exits 0", "printing a fake pass",
        "patching unittest, math.isclose, pytest", "a float subclass that lies in comparisons",
        "walking stack frames or gc for expected values",
        "importing torch/jax/autograd (or this oracle) and delegating",
        "writing result files, conftest.py, sitecustomize.py", "shadowing math.py/torch.py",
        "killing the parent", "a loop that swallows BaseException or ignores SIGALRM", "memory bomb", "fork bomb",
        "thread bomb", "disk bomb", "output bomb", "recursion bomb", "daemons that outlive the run",
        "oversized or deeply nested answers", "hex digits of absurd length",
    }  # fmt: skip
    assert threats <= {submission.threat for submission in SUBMISSIONS.values()}
