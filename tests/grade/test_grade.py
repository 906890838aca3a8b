"""A class from the command line and from Python: done, interrupted, taken up again, in parts, by name and seed."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from oracle.grade.executor import Judge, Local
from oracle.grade.job import Graded, Job, Options, failed, grade
from oracle.grade.merge import MergeError, merge
from oracle.grade.progress import meter
from oracle.grade.run import Class, dumps, grade_all
from oracle.grade.store import STATE, Store
from oracle.grade.submissions import Submission
from oracle.options import Reader
from oracle.reports.json_ import from_json

ENGINES = Path(__file__).parents[1] / "engines"
GOOD, BAD = ((ENGINES / f"{name}.py").read_bytes() for name in ("closures", "no_radd"))
FEW = "coerce/add*"
ENDLESS = b"class Value:\n    while True: pass\n"
DIES = b"import os\nos._exit(0)\n"


def oracle(*words: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oracle", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=120, check=False, **more)


def submission(name: str, source: bytes = GOOD) -> Submission:
    return Submission(name, f"class/{name}.py", ((f"{name}.py", source),))


def job(name: str = "ada", source: bytes = GOOD, **options: Any) -> Job:
    return Job(submission(name, source), Options(**({"pattern": FEW} | options)))


class Here:
    """An executor that does jobs in this process, and counts them."""

    def __init__(self, stop_after: int = 1000) -> None:
        self.done: list[str] = []
        self.stop_after = stop_after

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Graded]]:
        for one in jobs:
            if len(self.done) == self.stop_after:
                raise KeyboardInterrupt
            self.done.append(one.submission.name)
            yield one, grade(one)


@pytest.fixture
def classroom(tmp_path: Path) -> Path:
    """A class of six: two right, two wrong, one that dies on import, one with two files."""
    folder = tmp_path / "class"
    (folder / "fay").mkdir(parents=True)
    for name, source in {"ada": GOOD, "bo": BAD, "cy": GOOD, "di": BAD, "ed": DIES}.items():
        (folder / f"{name}.py").write_bytes(source)
    (folder / "fay" / "engine.py").write_bytes(b"from .helper import *\n" + GOOD)
    (folder / "fay" / "helper.py").write_bytes(b"x = 1\n")
    return folder


def test_the_command(classroom: Path, tmp_path: Path) -> None:
    """Everything at once: exit code, the screen, the files, the table; then again, where nothing is left to do."""
    words = ["grade", "class", "--case", FEW, "--jobs", "2", "-o", "out", "--csv", "t.csv", "--seed", "s"]
    first = oracle(*words, cwd=tmp_path)
    assert first.returncode == 3, first.stderr
    assert "6 submissions: 3 conform, 2 do not, 1 could not be loaded." in first.stdout
    assert "    2  number + value is missing\n" in first.stdout and "bo and di" in first.stdout
    assert first.stderr.count("\n") <= 4 and "grade: 6 of 6" in first.stderr and "\r" not in first.stderr
    data = json.loads((tmp_path / "out" / "grade.json").read_text())
    assert (data["schema"], data["complete"], data["shard"], data["seed"]) == (
        "oracle/grade/1",
        True,
        None,
        "s",
    )
    assert [s["name"] for s in data["submissions"]] == ["ada", "bo", "cy", "di", "ed", "fay"]
    reports = [from_json(report) for report in data["reports"]]
    assert [r.exit_code for r in reports] == [0, 1, 0, 1, 3, 0]
    assert [r.subject.target for r in reports][-2:] == ["class/ed.py", "class/fay"]
    assert "/oracle-" not in json.dumps(data)
    assert len({r.seed for r in reports}) == 6 and all(r.seed for r in reports)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert [row["verdict"] for row in rows] == [
        "conforms",
        "fails",
        "conforms",
        "fails",
        "not loaded",
        "conforms",
    ]
    piped = oracle(*words, "--format", "csv", cwd=tmp_path)
    assert piped.stdout == (tmp_path / "t.csv").read_text()
    again = oracle(*words, cwd=tmp_path)
    assert (
        "6 of them unchanged" in again.stderr
        and json.loads((tmp_path / "out" / "grade.json").read_text()) == data
    )


def test_a_rerun_takes_up_only_what_changed(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    jobs = [job("ada"), job("bo"), job("cy")]

    def done(jobs: list[Job]) -> list[str]:
        here = Here()
        found = grade_all(jobs, here, store)
        assert found.complete and len(found.entries) == len(jobs)
        return here.done

    assert done(jobs) == ["ada", "bo", "cy"]
    assert done(jobs) == []
    changed = [job("ada"), job("bo", GOOD + b"\nx = 1\n"), job("cy")]
    assert done(changed) == ["bo"]
    assert done([*changed, job("di")]) == ["di"]
    assert done([job("ada", timeout=4.0)]) == ["ada"]
    (tmp_path / "out" / STATE / "cy.json.gz").write_bytes(b"cut off")
    assert done(changed[2:]) == ["cy"]


def test_another_reader_needs_a_new_page_and_no_new_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "out")
    grade_all([job("bo", BAD)], Here(), store)
    monkeypatch.setattr("oracle.grade.job._report", lambda job: pytest.fail("checked again"))
    assert "__radd__" in (tmp_path / "out" / "bo.html").read_text()
    here = Here()
    other = dataclasses.replace(job("bo", BAD), reader=Reader("none", 0))
    found = grade_all([other], here, store)
    assert here.done == ["bo"] and found.reused == 1
    assert "__radd__" not in (tmp_path / "out" / "bo.html").read_text()
    assert "__radd__" not in (tmp_path / "out" / "bo.json").read_text()
    assert not found.entries[0].report.causes[0].hints[0]


def test_what_is_kept_for_the_grader_is_not_for_others(tmp_path: Path) -> None:
    Store(tmp_path / "out")
    state = tmp_path / "out" / STATE
    assert state.stat().st_mode & 0o077 == 0 and (state / ".gitignore").read_text() == "*\n"


def test_a_stopped_run_has_complete_results_for_what_is_done(tmp_path: Path) -> None:
    store = Store(tmp_path / "out")
    jobs = [job("ada"), job("bo"), job("cy")]
    found = grade_all(jobs, Here(stop_after=2), store)
    assert not found.complete and [e.name for e in found.entries] == ["ada", "bo"]
    assert json.loads(dumps(found))["complete"] is False
    here = Here()
    assert grade_all(jobs, here, store).complete and here.done == ["cy"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
def test_ctrl_c(tmp_path: Path) -> None:
    """While a submission hangs: exit code 130 at once, what is done is written, and nothing goes on running."""
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / "ada.py").write_bytes(GOOD)
    (tmp_path / "class" / "zoe.py").write_bytes(ENDLESS)
    words = ["grade", "class", "--case", FEW, "--jobs", "1", "-o", "out"]
    process = subprocess.Popen([sys.executable, "-m", "oracle", *words], cwd=tmp_path, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    for _ in range(600):
        if (tmp_path / "out" / STATE / "ada.json.gz").exists():
            break
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130 and "1 submissions are left" in said, said
    data = json.loads((tmp_path / "out" / "grade.json").read_text())
    assert not data["complete"] and [s["name"] for s in data["submissions"]] == ["ada"]
    assert "Not complete" in (tmp_path / "out" / "index.html").read_text()


def test_a_judge_that_dies_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it grades: the submission is graded by the next one."""
    judge = Judge()
    try:
        assert judge.grade(job("ada")).report.exit_code == 0
        assert judge._process is not None
        first = judge._process.pid
        os.kill(first, signal.SIGKILL)
        assert judge.grade(job("bo")).report.exit_code == 0
        assert judge._process.pid != first
    finally:
        judge.close()
    process = judge._process
    assert process is None


def test_a_judge_that_always_dies_is_the_oracles_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    ((_, graded),) = Local(1).run([job("ada")])
    assert graded.report.exit_code == 4 and "died 2 times" in (graded.report.error or "")


def test_the_oracles_own_fault_costs_one_submission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("oracle.grade.job.check", lambda *a: 1 / 0)
    store = Store(tmp_path)
    found = grade_all([job("ada")], Here(), store)
    assert found.entries[0].report.exit_code == 4 and "ZeroDivisionError" in (
        found.entries[0].report.error or ""
    )
    monkeypatch.undo()
    assert grade_all([job("ada")], Here(), store).entries[0].report.exit_code == 0, "it is not kept"


def test_a_cause_is_placed_in_the_submissions_own_file() -> None:
    """It was checked in another folder, of which nothing is left in the report."""
    source = (ENGINES / "tanh_overwrites.py").read_bytes()
    report = grade(job("bo", source, pattern="accumulate/tanh*")).report
    assert (report.causes[0].file, report.subject.file) == ("class/bo.py", "class/bo.py")
    assert source.decode().splitlines()[(report.causes[0].line or 0) - 1].endswith("# BUG")
    assert "/oracle-" not in repr(report)


def test_submissions_do_not_see_each_other(tmp_path: Path) -> None:
    """Each is alone in its folder: what lies beside it in the class cannot be imported."""
    folder = tmp_path / "class"
    folder.mkdir()
    (folder / "answers.py").write_bytes(GOOD)
    (folder / "eve.py").write_bytes(b"from answers import Value\n")
    done = oracle("grade", "class", "--case", FEW, "--format", "json", cwd=tmp_path)
    reports = json.loads(done.stdout)["reports"]
    assert [r["exit_code"] for r in reports] == [0, 3]


def test_no_isolation_is_refused(monkeypatch: pytest.MonkeyPatch, classroom: Path) -> None:
    from click.testing import CliRunner

    from oracle.cli import cli
    from oracle.subjects import NoIsolation

    def none(*_: Any, **__: Any) -> str:
        raise NoIsolation("no isolation works here; install bubblewrap, or --allow-weak-sandbox")

    monkeypatch.setattr("oracle.subjects.require_tier", none)
    done = CliRunner().invoke(cli, ["grade", str(classroom)])
    assert done.exit_code == 2 and "--allow-weak-sandbox" in done.output


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere"], ["class", "--shard", "3/2"], ["class", "--shard", "half"], ["class", "--level", "nirvana"],
        ["class", "--case", "no/such"], ["class", "--require", "levitation"], ["class", "--hide", "no/such"],
        ["class", "--rubric", "none.toml"], ["class", "--cluster", "tcp://127.0.0.1:9"],
    ],
)  # fmt: skip
def test_usage(words: list[str], classroom: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from oracle.cli import cli

    monkeypatch.chdir(classroom.parent)
    monkeypatch.setattr("oracle.grade.cluster.PATIENCE", 0.5)
    done = CliRunner().invoke(cli, ["grade", *words])
    assert done.exit_code == 2 and "Traceback" not in done.output, done.output


# Shards -----------------------------------------------------------------------------------------------------------


def still(path: Path) -> Any:
    """A class's JSON without times."""

    def walk(x: Any) -> Any:
        if isinstance(x, dict):
            return {k: walk(v) for k, v in x.items() if k != "seconds"}
        return [walk(y) for y in x] if isinstance(x, list) else x

    return walk(json.loads(path.read_text()))


def test_shards_put_together_are_the_whole(classroom: Path, tmp_path: Path) -> None:
    words = ["grade", "class", "--case", FEW, "--seed", "s"]
    oracle(*words, "-o", "whole", cwd=tmp_path)
    for n in (1, 2):
        oracle(*words, "--shard", f"{n}/2", "-o", f"part{n}", cwd=tmp_path)
    parts = ["part2/grade.json", "part1/grade.json"]
    done = oracle("merge", *parts, "-o", "merged", "--csv", "m.csv", cwd=tmp_path)
    assert done.returncode == 3 and "6 submissions: 3 conform" in done.stdout, done.stderr
    assert still(tmp_path / "merged" / "grade.json") == still(tmp_path / "whole" / "grade.json")
    assert {p.name for p in (tmp_path / "merged").iterdir()} == {
        p.name for p in (tmp_path / "whole").iterdir() if p.name != STATE
    }
    half = oracle("merge", parts[0], cwd=tmp_path)
    assert half.returncode == 3 and "not complete" in half.stderr


def written(path: Path, jobs: list[Job], **fields: Any) -> Path:
    found = grade_all(jobs, Here())
    path.write_text(dumps(dataclasses.replace(found, **fields)))
    return path


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    one = written(tmp_path / "1.json", [job("ada")], shard=(1, 2), seed="s")
    other = written(tmp_path / "2.json", [job("ada", BAD)], shard=(2, 2), seed="s")
    thirds = written(tmp_path / "3.json", [job("bo")], shard=(2, 3), seed="s")
    seeded = written(tmp_path / "4.json", [job("cy")], shard=(2, 2), seed="t")
    cut = tmp_path / "5.json"
    cut.write_text(one.read_text()[:-50])
    for parts, word in (
        ([one, other], "another result"),
        ([one, thirds], "do not belong together"),
        ([one, seeded], "different seeds"),
        ([one, cut], "cut off"),
        ([tmp_path / "none.json"], "cannot be read"),
    ):
        with pytest.raises(MergeError, match=word):
            merge(parts)
    assert merge([one, one]).entries == merge([one]).entries


# Progress ---------------------------------------------------------------------------------------------------------


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def test_lines_in_a_log_are_few(tmp_path: Path) -> None:
    now = [0.0]
    stream = Screen(False)
    report = failed(job("ada"), "")
    with meter(stream, lambda: now[0]) as tell:
        tell(20, 500, None)
        for done in range(21, 501):
            now[0] += 0.5
            tell(done, 500, report)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "grade: 500 submissions, 20 of them unchanged since the last run"
    assert lines[1] == "grade: 60 of 500, 2.0 a second, about 4 min left"
    assert lines[-1] == "grade: 500 of 500, 2.0 a second in 4 min"
    assert len(lines) == 1 + 480 * 0.5 // 20


def test_a_bar_on_a_terminal() -> None:
    stream = Screen(True)
    with meter(stream) as tell:
        tell(0, 2, None)
        tell(1, 2, failed(job("ada"), ""))
    assert "1/2" in stream.getvalue() and "1 with defects" in stream.getvalue()


def test_seeds_differ_by_name_and_come_back() -> None:
    options = Options(seed="s")
    assert options.token("ada") == Options(seed="s").token("ada") != options.token("bo")
    assert Options().token("ada") == "" != Options(seed="t").token("ada") != options.token("ada")


def test_keys_depend_on_everything() -> None:
    base = job("ada")
    others = [
        job("bo"), job("ada", BAD), job("ada", strict=True), job("ada", profile="torch"), job("ada", memory=7),
        job("ada", fuzz=3), job("ada", seed="x"), job("ada", required=("tanh",)), job("ada", pattern="*"),
    ]  # fmt: skip
    assert base.key == job("ada").key and len({base.key, *(one.key for one in others)}) == 10


def test_an_empty_class_is_whole() -> None:
    assert grade_all([], Here()) == Class((), True)
