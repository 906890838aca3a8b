"""The gallery: its numbers to the last digit, its pictures up to date, and what the oracle says in it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from oracle.reports import layout

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import gallery  # noqa: E402


def test_expression() -> None:
    assert gallery.expression().numbers == {
        "d": 4.0, "its first parent": -6.0, "its second parent": 10.0,
        "dd/da": -3.0, "dd/db": 2.0, "dd/dc": 1.0, "dd/de": 1.0,
    }  # fmt: skip


def test_three_inputs() -> None:
    numbers = gallery.three_inputs().numbers
    o = numbers["o"]
    assert o == 0.9989793986334531
    g = 1.0 - o * o
    assert numbers == {
        "o": o, "do/dx1": g * 1.3, "do/dx2": g * 1.2, "do/dx3": g * 1.1,
        "do/dw1": g * 1.6, "do/dw2": g * 0.8, "do/dw3": g * 0.5, "do/db": g,
    }  # fmt: skip


def test_slopes() -> None:
    """Backward is exact; a quotient over a step of 1e-6 is right to eight digits."""
    numbers = gallery.slopes().numbers
    exact = {"f'(3)": 14.0, "f'(2/3)": 0.0, "dd/da": -3.0, "dd/db": 2.0, "dd/dc": 1.0}
    assert numbers.pop("f(3)") == 20.0
    assert len(numbers) == 2 * len(exact)
    for name, slope in exact.items():
        assert numbers[f"{name}, by backward"] == slope
        assert numbers[f"{name}, by quotient"] == pytest.approx(slope, abs=2e-8)


def test_chain() -> None:
    assert gallery.chain().numbers == {
        "L": -8.0, "dL/da": 6.0, "dL/db": -4.0, "dL/dc": -2.0, "dL/dd": -2.0, "dL/de": -2.0, "dL/df": 4.0,
    }  # fmt: skip


def test_the_oracle_settles_it() -> None:
    example = gallery.settle()
    assert example.numbers == {"dL/db, PyTorch": -4.0, "equations that fail": 1}
    assert example.said == ["The equation of b fails: e owes it -4, the text has 4."]


def test_the_oracle_agrees_with_what_is_right() -> None:
    """The judge of the last test does not fail everything; and a wrong dL/de it places at e and below."""
    assert gallery.settle("b", -4.0).said == []
    failed = {sentence.partition(" fails")[0] for sentence in gallery.settle("e", 2.0).said}
    assert failed == {"The equation of e", "The equation of a", "The equation of b"}


@pytest.mark.parametrize(
    ("example", "n", "x", "w"),
    [("two_inputs", 2.0, (1.0, 2.0), (3.0, -1.0)), ("saturated", -3.5, (2.0, 0.0), (-3.0, 1.0))],
)
def test_neurons(example: str, n: float, x: tuple[float, float], w: tuple[float, float]) -> None:
    """Against PyTorch: its tanh and ours may differ in the last digits, and the gradient 1 - o² shows that."""
    import torch

    numbers = getattr(gallery, example)().numbers
    assert numbers["n"] == n
    assert numbers["o"] == pytest.approx(torch.tanh(torch.tensor(n, dtype=torch.float64)).item(), rel=1e-15)
    g = 1.0 - numbers["o"] ** 2
    assert numbers["do/db"] == pytest.approx(g, rel=1e-15)
    for name, factors in (("w", x), ("x", w)):
        for i, factor in enumerate(factors, 1):
            assert numbers[f"do/d{name}{i}"] == pytest.approx(g * factor, rel=1e-15)


def test_step_by_step() -> None:
    """By hand and by backward: the same bits."""
    numbers = gallery.step_by_step().numbers
    assert (numbers["x"], numbers["y"], numbers["s"]) == (2.0, 3.0, 5.0)
    assert numbers["t"] == pytest.approx(0.9999092042625951, rel=1e-15)
    assert numbers["b"] == 2.0 * numbers["t"]
    for name in "xystb":
        assert numbers[f"db/d{name}, by hand"] == numbers[f"db/d{name}, by backward"]
    assert numbers["db/dt, by hand"] == 2.0
    assert numbers["db/dy, by hand"] == pytest.approx(3.6316646188772e-4, rel=1e-12)
    assert numbers["db/dx, by hand"] == numbers["t"] + numbers["db/dy, by hand"]


def test_training() -> None:
    numbers = gallery.training().numbers
    assert numbers.pop("parameters") == 41
    losses = list(numbers.values())
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 4.0 and losses[-1] < 0.05


# The forward-only engine ------------------------------------------------------------------------------------------


def check(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oracle", "check", str(gallery.FORWARD_ONLY), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


def test_an_engine_without_backward_is_told_so() -> None:
    done = check("--level", "forward")
    assert done.returncode == 3
    assert "has no working backward" in " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def diagnosis() -> Any:
    return json.loads(check("--format", "json").stdout)


MISNAMED = [("sub", "__subtract__", "__sub__"), ("div", "__divide__", "__truediv__")]


def missing(diagnosis: Any, op: str) -> Any:
    (cause,) = [c for c in diagnosis["causes"] if c["op"] == op and c["severity"] == "missing"]
    return cause


@pytest.mark.parametrize(("op", "theirs", "python"), MISNAMED)
def test_misnamed_methods_are_named(diagnosis: Any, op: str, theirs: str, python: str) -> None:
    """What the method is called, and what Python calls instead."""
    cause = missing(diagnosis, op)
    assert theirs in cause["message"] and python in cause["message"]
    assert cause["mistake"].startswith("misnamed-dunder")


@pytest.mark.parametrize(("op", "theirs", "python"), MISNAMED)
def test_misnamed_methods_are_placed(diagnosis: Any, op: str, theirs: str, python: str) -> None:
    line = missing(diagnosis, op)["line"]
    assert f"def {theirs}(" in gallery.FORWARD_ONLY.read_text(encoding="utf-8").splitlines()[line - 1]


def test_misnamed_methods_are_told_in_the_text() -> None:
    text = " ".join(check().stdout.split())
    assert "__subtract__" in text and "__divide__" in text


def test_no_backward_is_one_finding(diagnosis: Any) -> None:
    """It is said once, and not again for each op as an exception that the engine never raised."""
    assert not [c["message"] for c in diagnosis["causes"] if c["mistake"] == "NoBackward"]
    assert not [c["message"] for c in diagnosis["causes"] if c["severity"] == "wrong"]


# The pictures -----------------------------------------------------------------------------------------------------

EXAMPLES = [make for group in gallery.GALLERY for make in group if make is not gallery.forward_only]


def test_pictures_are_up_to_date() -> None:
    """Those in the repository show what the examples draw today: each word and number, none more."""
    drawn: dict[str, Any] = {}
    for make in EXAMPLES:
        drawn |= make().pictures
    assert {path.stem for path in gallery.PICTURES.glob("*.svg")} == set(drawn)
    for name, picture in drawn.items():
        if isinstance(picture, str):  # a plot
            continue
        file = (gallery.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        shown = re.findall(r"<text[^>]*>([^<]*)</text>", file)
        meant = re.findall(r">([^<>]+)</", picture.source)
        assert sorted(map(clean, shown)) == sorted(map(clean, meant)), f"scripts/gallery is to be run: {name}"


def clean(text: str) -> str:
    return unescape(text).replace("\N{NO-BREAK SPACE}", " ").strip()


def test_pictures_are_small_and_tell_nothing_of_the_machine() -> None:
    for path in gallery.PICTURES.glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        assert len(text) < 150_000 and "prefers-color-scheme:dark" in text
        assert not re.search(r"/home/|/work/|/tmp/|/Users/|<script", text)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")
def test_the_script_prints_numbers_and_writes_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gallery, "GALLERY", ((gallery.expression,), (gallery.slopes,)))
    assert gallery.main([str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "1. d = a*b + c\n   d                        4.0\n" in out and "2. f(x) = 3x² - 4x + 5" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "1-expression-after.svg", "1-expression-before.svg", "3-parabola-after.svg", "3-tangents.svg",
    ]  # fmt: skip


def test_without_a_layout_engine_the_numbers_are_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gallery, "GALLERY", ((gallery.expression,),))
    monkeypatch.setattr(layout, "svg", lambda source: (None, "There is no layout engine."))
    assert gallery.main([str(tmp_path)]) == 0
    assert "pictures: There is no layout engine.\n" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())
