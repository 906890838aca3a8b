"""Lines that a report quotes are the subject's own: a place that it names may lead anywhere."""

from __future__ import annotations

import json
from pathlib import Path

from oracle.subjects import open_subject
from oracle.subjects.lines import definition, line_at
from oracle.suite import cases

NOTEBOOK = {
    "cells": [
        {"cell_type": "code", "source": text} for text in ("import math", "x = 1\ndef f(y):\n    return y")
    ]
}


def test_only_the_subjects_folder_is_read(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    folder.mkdir()
    home = folder / "engine.py"
    home.write_text("first\nsecond\n")
    (tmp_path / "secret").write_text("answers\n")
    (folder / "link.py").symlink_to(tmp_path / "secret")
    assert line_at(str(home), str(home), 2) == "second"
    for place in (tmp_path / "secret", folder / ".." / "secret", folder / "link.py", folder / "none.py"):
        assert line_at(str(home), str(place), 1) == ""
    assert line_at(str(home), str(home), 3) == line_at(str(home), str(home), 0) == ""


def test_cells(tmp_path: Path) -> None:
    home = tmp_path / "lesson.ipynb"
    home.write_text(json.dumps(NOTEBOOK))
    assert line_at(str(home), f"{home}#2", 3) == "    return y"
    assert line_at(str(home), f"{home}#3", 1) == line_at(str(home), str(home), 1) == ""
    assert definition(str(home), "f") == (f"{home}#2", 2) and definition(str(home), "g") is None


def test_an_exception_in_another_file_says_which(tmp_path: Path) -> None:
    engine = (Path(__file__).parents[1] / "engines" / "closures.py").read_text()
    (tmp_path / "helper.py").write_text("\n\ndef check(x):\n    raise ValueError('no')\n")
    method = "    def __add__(self, other):\n"
    assert method in engine
    source = "from helper import check\n" + engine.replace(method, method + "        check(self)\n", 1)
    (tmp_path / "engine.py").write_text(source)
    case = next(case for case in cases() if case.name == "forward/add-1")
    with open_subject(str(tmp_path / "engine.py")) as subject:
        (answer,) = subject.run([case])
    assert answer.crash is not None
    assert (answer.crash.file, answer.crash.line) == (str(tmp_path / "helper.py"), 4)
