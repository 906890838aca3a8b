"""The table of formats: every writer is pure, deterministic and imported only when it is used."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import pytest

from oracle.reports import FORMATS
from oracle.reports.writing import write_text

from . import examples

REPORTS = {
    "faulty": examples.faulty(),
    "correct": examples.correct(),
    "unusable": examples.unusable(),
    "empty": examples.report(cases=(), ops={}, exit_code=5),
}


@pytest.fixture(autouse=True)
def still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Classroom 50 wants the time of grading."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_every_report(name: str) -> None:
    for report in REPORTS.values():
        before = copy.deepcopy(report)
        text = FORMATS[name](report)
        assert isinstance(text, str)
        assert FORMATS[name](report) == text
        assert report == before
        text.encode("utf-8")


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("hostile", examples.HOSTILE)
def test_hostile_text_is_no_command(name: str, hostile: str) -> None:
    text = FORMATS[name](examples.hostile(hostile))
    text.encode("utf-8")
    lines = examples.commands(text)
    if name == "github":
        lines = [line for line in lines if not line.startswith(("::error ", "::warning ", "::notice "))]
    assert not lines
    assert not any(ord(c) < 32 and c not in "\t\n" for c in text)


def test_nothing_heavy_is_imported_before_it_is_used() -> None:
    """Start-up: the table, the words and the plain screen need none of the big libraries."""
    heavy = ("rich", "jinja2", "graphviz", "torch", "pygraphviz", "pygments", "xml.etree")
    script = (
        "import sys; from oracle.reports import FORMATS, json_, text, picture\n"
        "sys.path.insert(0, 'tests'); from reports import examples\n"
        "text.render(examples.faulty()); json_.dumps(examples.faulty())\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout == "[]\n"


def test_files_are_written_whole(tmp_path: Path) -> None:
    path = write_text(tmp_path / "a" / "report.json", "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "\ud800")
    assert path.read_bytes() == "ü\n".encode(), "the old file stays when the new one cannot be written"
    assert [p.name for p in path.parent.iterdir()] == ["report.json"], "no temporary file is left"
