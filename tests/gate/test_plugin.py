"""The pytest plugin, seen from outside: another pytest runs the suite on an engine."""

from __future__ import annotations

import dataclasses
import shutil
from importlib import import_module
from pathlib import Path
from xml.etree import ElementTree

import pytest

from oracle import suite, torch_reference
from oracle.api import check
from oracle.baseline import Baseline, write
from tests.gate.conftest import ENGINES

pytest_plugins = ["pytester"]

PARTS = ("accumulate/mul", "graph/", "nn/", "forward/sigmoid")
SOME = tuple(case for case in suite.cases() if case.name.startswith(PARTS))
WHOLE = len(suite.cases())
CASES = len(SOME)


@pytest.fixture(scope="module", autouse=True)
def _loaded() -> None:
    """pytester forgets every module that a run in this process imported first: those that take long come before."""
    for name in (
        "oracle.checking",
        "oracle.gate",
        "oracle.reports.results",
        "oracle.unfinished",
        "oracle.api",
    ):
        import_module(name)
    torch_reference.torch()


@pytest.fixture(autouse=True)
def _part_of_the_suite(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part is enough, and faster; another process has the whole suite."""
    monkeypatch.setattr(suite, "cases", lambda: SOME)


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a right and a wrong engine and a test of the user's own, outside of CI."""
    monkeypatch.delenv("CI", raising=False)
    shutil.copy(ENGINES / "closures.py", pytester.path / "engine.py")
    shutil.copy(ENGINES / "mul_overwrites.py", pytester.path / "wrong.py")
    pytester.makepyfile(test_own="def test_own(): pass")
    return pytester


def test_a_right_engine_passes(folder: pytest.Pytester) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "engine.py", "--strict-markers")
    outcomes = result.parseoutcomes()
    assert result.ret == 0 and "failed" not in outcomes
    assert outcomes["passed"] + outcomes["skipped"] == CASES + 2  # one of the user's own, one of the whole


def test_a_wrong_engine_fails_at_its_own_line(folder: pytest.Pytester) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "--junitxml=j.xml", "-rfs")
    assert result.ret == 1
    text = result.stdout.str()
    line = 1 + next(
        n for n, code in enumerate((folder.path / "wrong.py").read_text().split("\n")) if "BUG" in code
    )
    assert "mul overwrites gradients instead of adding" in text
    assert "a.grad   # yours " in text
    assert f"wrong.py:{line}: mul overwrites" in text
    assert "Traceback" not in text and "pytest_plugin.py" not in text
    assert "FAILED wrong.py::accumulate/mul-same-operand" in text
    assert "explained by a cause: mul overwrites" in text and "not offered by the engine" in text
    root = ElementTree.parse(folder.path / "j.xml").getroot()
    failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert len(failed) == result.parseoutcomes()["failed"]
    assert all("/" in case.get("name", "") for case in failed)


@pytest.mark.parametrize(
    ("args", "selected"),
    [
        (["-k", "diamond"], ["graph/diamond", "graph/nested-diamonds"]),
        (["-m", "nn"], [case.name for case in SOME if case.level == "nn"]),
        (["engine.py::graph/square", "engine.py::coerce"], None),
        (["engine.py::graph/square"], ["graph/square"]),
    ],
)
def test_selection(folder: pytest.Pytester, args: list[str], selected: list[str] | None) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "engine.py", "--collect-only", "-q", *args)
    found = [text.partition("::")[2] for text in result.outlines if text.startswith("engine.py::")]
    if selected is None:
        assert result.ret == pytest.ExitCode.USAGE_ERROR  # a level is a marker, not an address
    else:
        assert found == selected


def test_a_subjects_words_are_no_command_to_ci(folder: pytest.Pytester) -> None:
    wrong = (folder.path / "wrong.py").read_text()
    assert "def __mul__(self, other):" in wrong
    command = '        raise ValueError("\\n::error::owned\\n##[error]owned")'
    text = wrong.replace("def __mul__(self, other):", "def __mul__(self, other):\n" + command)
    (folder.path / "wrong.py").write_text(text)
    result = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "-rs", "--junitxml=j.xml")
    said = result.stdout.str() + (folder.path / "j.xml").read_text()
    assert result.ret == 1 and "owned" in said
    assert "##[" not in said and not any(line.lstrip().startswith("::") for line in said.splitlines())


def test_stop_at_the_first(folder: pytest.Pytester) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "-x")
    assert result.parseoutcomes()["failed"] == 1


def test_workers_share_one_run(folder: pytest.Pytester) -> None:
    """Under xdist every case is run once, and all workers have the words of one run."""
    result = folder.runpytest_subprocess("--oracle-subject", "wrong.py", "wrong.py", "-n", "2")
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] > 10 and sum(outcomes.values()) == WHOLE + 1
    assert len({text for text in result.outlines if text.startswith("Explains ")}) == 1


def test_an_engine_that_cannot_be_loaded(folder: pytest.Pytester) -> None:
    (folder.path / "engine.py").write_text("def broken(:\n")
    result = folder.runpytest_inprocess("--oracle-subject", "engine.py")
    outcomes = result.parseoutcomes()
    assert (outcomes["failed"], outcomes["skipped"], outcomes["passed"]) == (1, CASES, 1)
    result.stdout.fnmatch_lines(["FAILED engine.py::whole/conforms - *could not be tested*"])
    assert "line 1: this is not Python" in result.stdout.str()


def test_the_engine_is_not_imported(folder: pytest.Pytester) -> None:
    package = folder.mkpydir("package")
    (package / "__init__.py").write_text("open('mark', 'a').write('x')\n")
    text = (folder.path / "engine.py").read_text()
    (package / "engine.py").write_text("open('mark', 'a').write('x')\n" + text)
    result = folder.runpytest_inprocess("--oracle-subject", "package/engine.py", "-k", "graph/a-minus-a")
    result.assert_outcomes(passed=1, deselected=CASES + 1)
    assert not (folder.path / "mark").exists()


def test_demands(folder: pytest.Pytester) -> None:
    """What is missing fails only where it is demanded."""
    known = ("--oracle-subject", "engine.py", "--oracle-require")
    wanted = folder.runpytest_inprocess(*known, "recursion-depth")
    assert wanted.ret == 1
    wanted.stdout.fnmatch_lines(["FAILED engine.py::graph/chain-5000 - *RecursionError*"])


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--oracle-require", "sigmund", "--oracle-require sigmund: expected an op"),
        ("--oracle-baseline", "c.json", "--oracle-baseline c.json: no such baseline"),
        ("--oracle-subject", "nowhere.py", "--oracle-subject nowhere.py: no such file"),
    ],
)
def test_an_option_that_cannot_be_used_is_a_sentence(
    folder: pytest.Pytester, option: str, value: str, says: str
) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "engine.py", option, value)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {says}*"])


def test_a_baseline_accepts_and_holds(folder: pytest.Pytester) -> None:
    write(folder.path / "b.json", Baseline.of(check("wrong.py")))
    accepted = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "--oracle-baseline", "b.json")
    assert accepted.ret == 0
    (folder.path / "wrong.py").write_text(
        (folder.path / "wrong.py").read_text().replace("node.grad = ", "node.grad += ")
    )
    stale = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "--oracle-baseline", "b.json")
    assert stale.ret == 1
    stale.stdout.fnmatch_lines(
        [
            "✗ wrong.py:Value: 1 change that b.json does not accept.",
        ]
    )
    assert stale.parseoutcomes()["failed"] == 1


def test_the_summary_has_the_verdict_and_announcements(folder: pytest.Pytester) -> None:
    """Also what does not fail: new cases of a newer suite, and what is accepted."""
    accepted = Baseline.of(check("wrong.py"))
    older = dataclasses.replace(
        accepted,
        suite="0",
        cases={name: word for name, word in accepted.cases.items() if not name.startswith("nn/")},
    )
    write(folder.path / "b.json", older)
    result = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "--oracle-baseline", "b.json")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= oracle =*",
            "✓ wrong.py:Value agrees with PyTorch in *",
            "✓ Against *b.json: no change; * accepted.",
            f"  △ suite 0 before, {suite.VERSION} now.",
            "  △ * new cases of suite *--update-baseline takes it in.",
            "  accepted: mul overwrites*",
        ]
    )
    plain = folder.runpytest_inprocess("test_own.py")
    assert "= oracle =" not in plain.stdout.str()


def test_the_test_of_the_whole_fails_with_any_other(folder: pytest.Pytester) -> None:
    result = folder.runpytest_inprocess("--oracle-subject", "wrong.py", "wrong.py::whole/conforms")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["FAILED wrong.py::whole/conforms - wrong.py:Value: 1 rule is wrong."])


def test_fixtures(folder: pytest.Pytester) -> None:
    folder.makepyfile(
        test_mine="""
        from engine import Value

        def test_check(oracle_check):
            report = oracle_check("engine.py", levels=("graph",))
            assert report.ok and len(report.cases) > 10

        def test_function(assert_matches_torch):
            assert_matches_torch(lambda a, b: a * b + a, 2.0, -3.0, engine=Value)

        def test_function_wrong(assert_matches_torch):
            import wrong
            assert_matches_torch(lambda a: a * a, 2.0, engine=wrong.Value)
        """
    )
    folder.syspathinsert()
    result = folder.runpytest_inprocess("test_mine.py")
    result.assert_outcomes(passed=2, failed=1)
    assert "does not match PyTorch: mul" in result.stdout.str()


def test_without_a_subject_nothing_is_imported(folder: pytest.Pytester) -> None:
    folder.makepyfile(
        test_own="""
        import sys

        def test_own():
            ours = {name for name in sys.modules if name.partition(".")[0] == "oracle"}
            assert ours <= {"oracle", "oracle.version", "oracle.pytest_plugin"}, ours
            assert not {"torch", "numpy", "mpmath", "click", "rich"} & set(sys.modules)
        """
    )
    result = folder.runpytest_subprocess("-p", "no:benchmark", "-p", "no:hypothesispytest")
    result.assert_outcomes(passed=1)


def test_benchmarks(folder: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    from oracle import benchmark
    from oracle.subjects import open_subject

    monkeypatch.setattr(benchmark, "minigrad", lambda: open_subject(str(ENGINES / "closures.py")))
    monkeypatch.setattr(benchmark, "ROUNDS", 2)
    result = folder.runpytest_inprocess(
        "--oracle-subject", "engine.py", "--oracle-benchmark", "-k", "benchmark/fan"
    )
    result.assert_outcomes(passed=4, deselected=CASES + 2 + 8)
    result.stdout.fnmatch_lines(["*benchmark 'fan forward': 2 tests*", "benchmark/fan-forward*minigrad*"])


def test_a_folder_or_a_path_elsewhere(
    folder: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = Path(shutil.copy(ENGINES / "closures.py", tmp_path_factory.mktemp("lab") / "engine.py"))
    for target in (str(elsewhere.parent), f"{elsewhere}:Value"):
        result = folder.runpytest_inprocess("--oracle-subject", target, "--collect-only", "-q")
        assert result.ret == 0 and f"{CASES + 2} tests collected" in result.stdout.str()
