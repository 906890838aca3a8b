"""Pictures: the DOT text (golden), what is folded, and what a layout engine makes of it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as XML
from pathlib import Path
from random import Random

import pytest

from oracle.program import Program
from oracle.report import Cause
from oracle.reports import fold, layout, palette, picture, scene

from . import examples

GOLDEN = Path(__file__).parent / "golden"

PICTURES = {
    "overwrite": examples.overwrite(),
    "dropped": examples.dropped(),
    "leaky": examples.leaky(),
    "folded": examples.large((4, 6, 5, 2, 2), squares=True),
}

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")


def dot(cause: Cause, **options: object) -> str:
    assert cause.example is not None
    return picture.dot_source(cause.example, cause, "torch 2.13.0", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PICTURES)
def test_golden(name: str) -> None:
    """The DOT text, to the byte. After a wanted change: delete the file, run again, look at the picture.

    The last digits of tanh belong to the platform's C library: they only show in tooltips, left out for it.
    """
    path = GOLDEN / f"{name}.dot"
    source = dot(PICTURES[name])
    if "tanh" in source:
        source = re.sub(r'tooltip="[^"]*"', 'tooltip="…"', source)
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
        pytest.fail(f"{path.name} was missing and has been written: look at it, then run again")
    assert source == path.read_text(encoding="utf-8")


def test_state_shows_without_colour() -> None:
    """Mark, words, border and weight: each state differs in all of them."""
    source = dot(examples.dropped())
    boxes = {m[1]: m[2] for m in re.finditer(r"(n\d) \[label=<(.*)> class", source)}
    attributes = dict(re.findall(r"(n\d) \[label=<.*> (class=.*)\]", source))
    assert "ROOT CAUSE" in boxes["n4"] and "in mul backward" in boxes["n4"] and "✗" in boxes["n4"]
    assert "because of e, L" in boxes["n0"] and "because of L" in boxes["n2"] and "△" in boxes["n0"]
    assert "because" not in boxes["n3"] and "ROOT" not in boxes["n3"]
    assert "peripheries=2" in attributes["n4"] and "penwidth=2.4" in attributes["n4"]
    assert "dashed" in attributes["n0"] and "penwidth=1.5" in attributes["n0"]
    assert 'style="rounded,filled"' in attributes["n3"] and "penwidth=1 " in attributes["n3"]


def test_title_and_facts() -> None:
    cause = examples.dropped()
    assert cause.example is not None
    assert picture.title(cause.example, cause).endswith("to its left operand: 5 of 7 gradients differ")
    assert picture.subtitle(cause.example, cause, "torch 2.13.0") == [
        "mul backward, left operand (engine.py:31)", "sites: e, L", "data 7/7 ✓", "grad 2/7 ✓", "float64, torch 2.13.0",
    ]  # fmt: skip


def test_a_push_is_told_on_its_edge() -> None:
    found = {(e.operand, e.user): e for e in compose(examples.dropped()).edges}
    assert found[0, 4].push is not None and (found[0, 4].push.yours, found[0, 4].push.correct) == (1.0, -3.0)
    assert found[1, 4].back and not found[1, 4].began
    assert not found[3, 6].back
    source = dot(examples.dropped())
    assert source.count("pushed to") == 2 and "penwidth=3" in source


def test_where_only_a_sum_is_known_it_is_told_once() -> None:
    edges = compose(examples.overwrite()).edges
    assert [e.began for e in edges] == [True, True]
    assert [e.total for e in edges] == [(3.0, 6.0), None]
    assert dot(examples.overwrite()).count("all that a got") == 1


def test_a_wrong_value_is_passed_forward() -> None:
    """tanh is wrong, then used: what it feeds is wrong because of it, in the direction of the forward pass."""
    program = Program.build([0.5, 2.0], [("tanh", (0,)), ("mul", (2, 1))], labels={2: "t", 3: "L"})
    rules = {**examples.RULES, "tanh": (lambda a: a, examples.RULES["tanh"][1])}
    cause = examples.cause(
        kind="forward", op="tanh", example=examples.example("x", program, rules, node="t", what="data")
    )
    drawn = compose(cause)
    assert [box.state for box in drawn.boxes] == ["match", "inherited", "culprit", "inherited"]
    assert drawn.boxes[3].because == ("t",) and drawn.boxes[1].because == ("t",)
    assert [(e.operand, e.forward) for e in drawn.edges] == [(0, False), (2, True), (1, False)]
    assert "in tanh forward" in dot(cause)


def test_a_table_with_gaps() -> None:
    """A report from elsewhere may tell less than all values; what it tells is drawn."""
    cause = examples.dropped()
    assert cause.example is not None
    for gap in range(7):
        table = tuple(row for row in cause.example.table if row.value != gap)
        part = dataclasses.replace(cause, example=dataclasses.replace(cause.example, table=table))
        assert len(compose(part).boxes) == 6
        assert "pushed to" in dot(part)


def test_where_no_rule_is_wrong_the_pusher_is_the_place() -> None:
    """A schedule fault: backward ran a right rule too early; its value is marked, whatever the table says."""
    cause = examples.dropped()
    assert cause.example is not None
    table = tuple(dataclasses.replace(row, cause=False) for row in cause.example.table)
    cause = dataclasses.replace(
        cause, kind="schedule", op=None, operand=None, example=dataclasses.replace(cause.example, table=table)
    )
    assert [b.row.node for b in compose(cause).boxes if b.state == "culprit"] == ["e", "L"]
    assert "in the order of backward" in dot(cause)


def test_numbers_stand_in_the_expression() -> None:
    source = dot(examples.leaky())
    assert "a * 2" in source
    assert len(re.findall(r"class=match color", source)) == 4  # a, b, c, d: no node for the number


def compose(cause: Cause, **options: bool) -> scene.Scene:
    assert cause.example is not None
    return scene.compose(cause.example, **options)


# Folding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("squares", [False, True])
def test_a_large_graph_is_folded(squares: bool) -> None:
    cause = examples.large((4, 6, 5, 2, 2), squares)
    assert cause.example is not None
    total = len(cause.example.table)
    drawn = compose(cause)
    assert total > 200 and len(drawn.boxes) <= fold.READABLE
    shown = {box.row.value for box in drawn.boxes}
    assert cause.example.program.root in shown
    assert any(box.state == "culprit" for box in drawn.boxes)
    counted = [value for stub in drawn.stubs if stub.counted for value in stub.values]
    assert sorted(counted) == sorted(drawn.hidden), "each hidden node is counted once"
    assert len(shown) + len(drawn.hidden) == total
    source = dot(cause)
    assert f"{len(shown)} of {total} nodes drawn" in source


@pytest.mark.parametrize("seed", range(30))
def test_folding_ties_no_knot(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On random graphs, folded hard: no cycle, each hidden node counted once, each stub tied as it says."""
    random = Random(seed)
    nodes = [("mul", (random.randrange(i), random.randrange(i))) for i in range(3, 40)]
    rules = {**examples.RULES, "mul": (examples.RULES["mul"][0], (lambda a, b: 2 * b, lambda a, b: a))}
    program = Program.build([0.9, -1.1, 1.05], nodes)
    cause = examples.cause(example=examples.example("x", program, rules, node="a"))
    monkeypatch.setattr(fold, "READABLE", 12)
    monkeypatch.setattr(fold, "FOCUS", 4 + seed % 7)
    drawn = compose(cause)
    boxes = {box.row.value for box in drawn.boxes}
    assert len(boxes) <= fold.FOCUS
    assert sorted(v for stub in drawn.stubs if stub.counted for v in stub.values) == sorted(drawn.hidden)
    uses = {(i, user) for user, node in program.nodes() for i in node.operands}
    for stub in drawn.stubs:
        assert set(stub.at) <= boxes and stub.at
        for at in stub.at:
            ends = {(v, at) if stub.side == "operands" else (at, v) for v in stub.values}
            assert ends & uses, "a stub feeds, or uses, what it is tied to"
    edges = re.findall(r"^\t(\w+) -> (\w+)", dot(cause), re.MULTILINE)
    left = {node for edge in edges for node in edge}
    while left:
        free = {node for node in left if not any(b == node and a in left for a, b in edges)}
        assert free, "a cycle"
        left -= free


def test_the_threshold_and_full() -> None:
    small, large = examples.large((3, 3, 2)), examples.large()
    assert small.example is not None and large.example is not None
    assert 40 < len(small.example.table) <= fold.READABLE
    assert not compose(small).hidden
    assert compose(examples.large((3, 4, 2))).hidden, "75 values"
    assert compose(large).hidden and not compose(large, full=True).hidden


def test_beyond_what_can_be_laid_out_full_is_folded() -> None:
    cause = examples.large((12, 24, 20, 2))
    assert cause.example is not None and len(cause.example.table) > fold.DRAWABLE
    assert compose(cause, full=True).hidden


# Text, colour, layout ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", examples.HOSTILE)
def test_hostile_text_stays_text(text: str, tmp_path: Path) -> None:
    """Layout engines accept it, no element is forged, no address appears."""
    paths, notes = picture.write(examples.hostile(text), tmp_path)
    assert not notes
    for path in paths:
        if path.suffix == ".svg":
            tree = XML.parse(path)
            tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
            assert tags <= {
                "svg",
                "style",
                "g",
                "title",
                "polygon",
                "path",
                "text",
                "a",
                "polyline",
                "ellipse",
            }
            names = {name.lower() for element in tree.iter() for name in element.attrib}
            assert not {n for n in names if n.startswith("on") or n.endswith("href")}
        assert not re.search(r"URL|href=", path.with_suffix(".dot").read_text(encoding="utf-8"))


def test_names_are_not_interpreted() -> None:
    """Backslash escapes, entities and brackets of a name are shown, not obeyed."""
    poisoned = examples.poison(examples.overwrite(), "\\N &lt; <b>")
    source = dot(poisoned)
    assert "\\N" not in re.sub(r'tooltip=".*"', "", source)
    assert "&amp;lt;" in source and "<b>" not in source
    svg, _ = layout.svg(source)
    if svg:
        assert "\\N &amp;lt; &lt;b&gt;" in svg.replace("&#45;", "-").replace("&#160;", " ")


def test_themes_are_the_same_picture() -> None:
    light, dark = dot(examples.dropped()), dot(examples.dropped(), theme="dark")
    for role, (day, night) in palette.ROLES.items():
        assert night not in light or night == day, role
        light = light.replace(f'"{day}"', f'"{night}"')
    assert light == dark


def test_every_role_has_a_colour_of_its_own() -> None:
    for theme in (0, 1):
        colours = [pair[theme] for pair in palette.ROLES.values()]
        assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground", "least"),
    [("text", "ground", 7), ("muted", "ground", 4.5), ("yours", "ground", 4.5), ("torch", "ground", 4.5)]
    + [(f"{state}.{part}", f"{state}.{ground}", 4.5) for state in ("match", "inherited", "culprit")
       for part, ground in (("text", "fill"), ("title", "header"))]
    + [("muted", f"{state}.fill", 4.5) for state in ("match", "inherited", "culprit")]
    + [("yours", "inherited.fill", 4.5), ("folded.text", "folded.fill", 4.5), ("culprit.line", "culprit.fill", 4.5)],
)  # fmt: skip
def test_contrast(theme: palette.Theme, text: str, ground: str, least: float) -> None:
    """WCAG contrast of text on its ground."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in parts]
        return sum(w * x for w, x in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    ink = palette.colours(theme)
    low, high = sorted((luminance(ink[text]), luminance(ink[ground])))
    assert (high + 0.05) / (low + 0.05) >= least


@needs_dot
def test_write(tmp_path: Path) -> None:
    """SVG and DOT for every cause that has a table; the SVG knows the dark theme and titles its boxes."""
    paths, notes = picture.write(examples.faulty(), tmp_path / "new" / "folder")
    assert not notes
    assert [p.name for p in paths] == ["1-mul-accumulation.svg", "2-mul-derivative.svg", "3-tanh-forward.svg"]
    assert all(p.with_suffix(".dot").exists() for p in paths)
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 6
    svg = paths[0].read_text(encoding="utf-8")
    assert "prefers-color-scheme:dark" in svg
    assert "<title>a: data yours 3.0, torch 3.0; grad yours 3.0, torch 6.0</title>" in svg
    assert 'id="n0" class="node inherited"' in svg
    XML.fromstring(svg)


def test_no_layout_engine_is_a_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    paths, notes = picture.write(examples.faulty(), tmp_path)
    assert [p.suffix for p in paths] == [".dot"] * 3
    assert notes == [layout.NO_ENGINE]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import time; time.sleep(60)", "had not laid out the picture after"),
        ("import sys; sys.exit('cannot')", "could not lay out the picture (cannot)"),
        ("import os; os.kill(os.getpid(), 9)", "could not lay out the picture (exit -9)"),
    ],
)
def test_a_layout_engine_that_fails(
    body: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endless layout, an error and a crash each become a sentence."""
    fake = tmp_path / "dot"
    fake.write_text(f"#!{sys.executable}\n{body}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(layout, "SECONDS", 0.4)
    paths, notes = picture.write(examples.report(examples.overwrite()), tmp_path / "out")
    assert [p.suffix for p in paths] == [".dot"]
    assert said in notes[0]


def test_the_second_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dot, pygraphviz is called in a child process; here a stand-in that answers as it does."""
    (tmp_path / "pygraphviz.py").write_text(
        "class AGraph:\n"
        "    def __init__(self, string): self.string = string\n"
        "    def draw(self, format, prog): return b'<svg>' + str(len(self.string)).encode() + b'</svg>'\n"
    )
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert layout.svg("digraph {}") == ("<svg>10</svg>", None)


@needs_dot
@pytest.mark.parametrize("name", PICTURES)
def test_layout_engines_have_nothing_to_say(name: str) -> None:
    """No warning on stderr: sizes fit, fonts are found, labels parse."""
    done = subprocess.run(
        ["dot", "-Tsvg"], input=dot(PICTURES[name]).encode(), capture_output=True, check=True
    )
    assert done.stderr == b""
