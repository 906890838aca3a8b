"""`oracle.check` of a class: from a file, and from the cells of a notebook that is executed by a real kernel."""

from __future__ import annotations

import html
import importlib.util
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

import oracle
from oracle.subjects import LoadError

ENGINES = Path(__file__).parent / "engines"
SOURCE = (ENGINES / "tanh_overwrites.py").read_text(encoding="utf-8")
PREAMBLE, ENGINE = SOURCE[: SOURCE.index("class ")], SOURCE[SOURCE.index("class ") :]
BUG = next(n for n, line in enumerate(ENGINE.splitlines(), 1) if line.endswith("# BUG"))
RIGHT = "\n".join(
    line.replace("self.grad = ", "self.grad += ") if line.endswith("# BUG") else line
    for line in ENGINE.splitlines()
)


def executed(folder: Path, *cells: str) -> list[Any]:
    """The outputs of the last cell, after a kernel has run all of them in a folder."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    outputs: list[Any] = book.cells[-1].outputs
    return outputs


def test_a_class_of_a_live_notebook(tmp_path: Path) -> None:
    """The report is the cell's output, as a page and as text; the place is the cell's, and no other file's."""
    (shown,) = executed(
        tmp_path,
        PREAMBLE + "import oracle",
        ENGINE,
        "raise_nothing = Value(2.0)\nwhile raise_nothing.data > 3: pass",
        "oracle.check(Value, levels=['accumulate'])",
    )
    text, page = shown["data"]["text/plain"], shown["data"]["text/html"]
    assert text.startswith("✗ Value: 1 rule is wrong.")
    assert f"at In[2], line {BUG}\n" in text and "live_cells" not in text and "oracle check" not in text
    frame = re.search(r'<iframe title="([^"]*)" sandbox srcdoc="([^"]*)"', page)
    assert frame is not None and html.unescape(frame[1]) == "Value: 1 rule is wrong."
    inside = html.unescape(frame[2])
    assert inside.startswith("<!doctype html>") and f"In[2], line {BUG}" in inside and "ROOT CAUSE" in inside
    assert "live_cells" not in inside and str(tmp_path) not in inside


def test_the_last_definition_counts(tmp_path: Path) -> None:
    """Repaired in another cell, with a module beside the notebook: what is judged is what is live."""
    (tmp_path / "helper.py").write_text("def tanh(x):\n    import math\n    return math.tanh(x)\n")
    repaired = RIGHT.replace("math.tanh", "helper.tanh")
    (shown,) = executed(
        tmp_path,
        PREAMBLE + "import helper, oracle\n%config InlineBackend.figure_format = 'svg'",
        ENGINE,
        repaired,
        "report = oracle.check(Value, levels=['accumulate'])\nprint(report.ok, len(report.cases) > 50)",
    )
    assert shown["text"] == "True True\n"


def test_a_cell_that_cannot_be_loaded_is_a_sentence(tmp_path: Path) -> None:
    (shown,) = executed(
        tmp_path,
        "import oracle\nfrom oracle.subjects import LoadError",
        "class Node:\n    def __init__(self): pass",
        "try:\n    oracle.check(Node)\nexcept LoadError as problem:\n    print(problem)",
    )
    assert "Node" in shown["text"] and "live_cells" not in shown["text"] and "/tmp" not in shown["text"]


def test_a_class_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the file itself: the same report, whose command can be run again."""
    file = tmp_path / "mine.py"
    file.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("mine", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.chdir(tmp_path)
    report = oracle.check(module.Value, levels=["accumulate"])
    assert repr(report) == "<mine.py:Value: 1 rule is wrong>"
    assert str(report).startswith(
        "✗ mine.py:Value: 1 rule is wrong."
    ) and "oracle check mine.py:Value" in str(report)
    same = oracle.check("mine.py:Value", levels=["accumulate"])
    assert (same.causes, same.cases, same.subject) == (report.causes, report.cases, report.subject)


def test_what_is_no_engine() -> None:
    class Local:
        def method(self) -> None: ...

    with pytest.raises(TypeError, match="inside a function or class"):
        oracle.check(Local)
    with pytest.raises(TypeError, match=r"diff\(root\)"):
        oracle.check(3.0)  # type: ignore[arg-type]
    with pytest.raises(LoadError, match="its source is not kept"):
        oracle.check(int)
    made: dict[str, Any] = {"__name__": __name__}
    exec("class Typed:\n    def __add__(self, other): return self", made)
    with pytest.raises(LoadError, match="Typed: its source is not kept"):
        oracle.check(made["Typed"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"levels": ["nirvana"]}, "the levels are"),
        ({"case": "no/such"}, "no case"),
        ({"require": "levitation"}, "expected an op"),
    ],
)
def test_options_that_mean_nothing(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        oracle.check("engine.py", **options)


def test_diff_shows_itself_too() -> None:
    from minigrad import Value

    root = Value(2.0, "a") * Value(3.0, "b")
    root.backward()
    report = oracle.diff(root)
    assert repr(report) == "<Value agrees with PyTorch in 1 case>" and "again" not in str(report)
    assert "srcdoc=" in report._repr_html_()  # type: ignore[attr-defined]
