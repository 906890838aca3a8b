"""The command line as a user meets it: exit codes, one sentence for bad input, never a traceback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ENGINES = Path(__file__).parent / "engines"

GOOD = (ENGINES / "closures.py").read_text()


def oracle(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "oracle", *words],
        capture_output=True,
        text=True,
        cwd=cwd or Path(__file__).parent.parent,
        timeout=120,
        check=False,
    )


BAD = {
    "no such file": (None, 3, "nowhere.py"),
    "syntax error": ("class Value:\n    def (self):\n", 3, "line 2"),
    "no class": ("x = 1\n", 3, "class"),
    "constructor raises": (
        "class Value:\n    def __init__(self, x): raise RuntimeError('boom')\n",
        3,
        "boom",
    ),
    "dies at import": ("import os\nos._exit(0)\nclass Value: pass\n", 3, ""),
    "import error": (
        "import no_such_module_anywhere as m\nclass Value:\n    def __init__(self, x): self.data = m.f(x)\n",
        3,
        "no_such_module",
    ),
    "endless loop": ("class Value:\n    while True: pass\n", 3, "loop"),
    "tensor engine": ((ENGINES / "tensor_engine.py").read_text(), 3, "Tensor"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_run_is_one_sentence(name: str, tmp_path: Path) -> None:
    source, code, word = BAD[name]
    path = tmp_path / "nowhere.py"
    if source is not None:
        path.write_text(source)
    done = oracle("check", str(path))
    assert done.returncode == code, done.stderr + done.stdout
    assert word in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr + done.stdout


def test_a_directory_without_an_engine(tmp_path: Path) -> None:
    done = oracle("check", str(tmp_path))
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "papyrus"],
        ["--level", "nirvana"],
        ["--case", "no/such*"],
        ["--require", "levitation"],
        ["-o", "a", "-o", "b"],
        ["--profile", "kindergarten"],
    ],
)
def test_usage_errors(words: list[str]) -> None:
    done = oracle("check", str(ENGINES / "closures.py"), *words)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_faulty_engine_names_rule_and_line(tmp_path: Path) -> None:
    done = oracle("check", str(ENGINES / "mul_overwrites.py"), "--pictures", str(tmp_path / "pictures"))
    assert done.returncode == 1
    assert "mul overwrites" in done.stdout
    assert "mul_overwrites.py:31" in done.stdout
    assert list((tmp_path / "pictures").glob("*.dot"))


def test_exit_zero_hides_the_verdict_only_from_the_shell() -> None:
    done = oracle("check", str(ENGINES / "mul_overwrites.py"), "--exit-zero", "--format", "json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["exit_code"] == 1 and report["ok"] is False


def test_a_correct_engine_conforms_and_lists_its_policies() -> None:
    done = oracle("check", str(ENGINES / "closures.py"), "--format", "json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert {cause["severity"] for cause in report["causes"]} == {"policy", "missing"}
    assert not any(cause["demanded"] for cause in report["causes"])


def test_profile_torch_demands_what_lecture_only_states() -> None:
    assert oracle("check", str(ENGINES / "closures.py"), "--profile", "torch").returncode == 1


def test_a_required_form_that_is_missing_fails() -> None:
    done = oracle("check", str(ENGINES / "closures.py"), "--require", "pow:number-value", "--level", "coerce")
    assert done.returncode == 1
    assert "pow" in done.stdout


def test_two_runs_give_the_same_report() -> None:
    runs = [oracle("check", str(ENGINES / "tanh_overwrites.py"), "--format", "json").stdout for _ in range(2)]
    first, second = map(json.loads, runs)
    for report in (first, second):
        report["seconds"] = 0
        for case in report["cases"]:
            case.pop("seconds", None)
    assert first == second


def test_nothing_was_checked(tmp_path: Path) -> None:
    done = oracle("check", str(ENGINES / "closures.py"), "--case", "forward/cos-*")
    assert done.returncode == 5


def test_micrograd_conforms() -> None:
    done = oracle("check", "micrograd.engine:Value", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, [c["message"] for c in report["causes"]]
    assert any(cause["severity"] == "policy" for cause in report["causes"])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A JSON report of a faulty engine."""
    path = tmp_path_factory.mktemp("report") / "report.json"
    oracle("check", str(ENGINES / "div_not_squared.py"), "--format", "json", "-o", str(path))
    return path


def test_explain_puts_the_numbers_into_the_formula(written: Path) -> None:
    done = oracle("explain", str(written))
    assert done.returncode == 0
    assert "dy/db = -a/b²" in done.stdout and "the engine has" in done.stdout


def test_replay_shows_every_number(written: Path) -> None:
    done = oracle("replay", str(written), "gradient/div-times-number")
    assert done.returncode == 0
    assert "✗" in done.stdout and "by its own inputs" in done.stdout


def test_suite_verbs() -> None:
    assert "graph/diamond" in oracle("suite", "list").stdout
    assert "PyTorch, look 1" in oracle("suite", "show", "graph/diamond").stdout
    done = oracle("suite", "show", "graph/diamant")
    assert done.returncode == 2 and "graph/diamond" in done.stderr


def test_not_a_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text('{"schema": "something/else"}')
    for verb in (["explain", str(path)], ["replay", str(path), "graph/diamond"]):
        done = oracle(*verb)
        assert done.returncode == 2 and "Traceback" not in done.stderr


def test_a_required_op_that_is_absent_fails() -> None:
    done = oracle("check", str(ENGINES / "closures.py"), "--require", "sigmoid")
    assert done.returncode == 1
    assert "sigmoid is missing" in done.stdout
