"""Pictures of graphs: the DOT text (golden), hostile labels, refusals, and what Graphviz makes of them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as XML
from pathlib import Path

import pytest

from minigrad import Value, draw
from minigrad.nn import MLP
from oracle.reports.palette import ROLES

GOLDEN = Path(__file__).parent / "golden"

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's dot is not installed")


def chain() -> Value:
    """L = (a*b + c) * f, labelled, after backward."""
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    d = a * b + c
    d.label = "d"
    L = d * f
    L.label = "L"
    L.backward()
    return L


def parabola() -> Value:
    """3x² - 4x + 5 over x - 1/3, unlabelled but for x, before backward."""
    x = Value(3.0, "x")
    return (3 * x**2 - 4 * x + 5) / (x - 1 / 3)


def edges(source: str) -> list[tuple[str, str]]:
    return re.findall(r"^\t(\w+) -> (op\d+(?::\w+)?)$", source, re.MULTILINE)


def texts(source: str) -> list[str]:
    """What is written into the boxes and op nodes, in order."""
    return [text.strip("\N{NO-BREAK SPACE}") for text in re.findall(r">([^<>]+)</", source)]


# The text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["chain", "parabola"])
def test_golden(name: str) -> None:
    """The DOT text, to the byte. After a wanted change: delete the file, run again, look at the picture."""
    path = GOLDEN / f"{name}.dot"
    source = (
        chain().draw(title="L = (a*b + c) * f").source if name == "chain" else parabola().draw("TB").source
    )
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
        pytest.fail(f"{path.name} was missing and has been written: look at it, then run again")
    assert source == path.read_text(encoding="utf-8")


def test_same_graph_same_text() -> None:
    """Nothing depends on how many Values the process has made."""
    first = chain().draw().source
    assert chain().draw().source == first


def test_everything_is_there() -> None:
    source = chain().draw().source
    assert texts(source) == [
        "a", "data", "2", "grad", "6", "b", "data", "-3", "grad", "-4", "c", "data", "10", "grad", "-2",
        "f", "data", "-2", "grad", "4", "×", "data", "-6", "grad", "-2", "+", "d", "data", "4", "grad", "-2",
        "×", "L", "data", "-8", "grad", "1",
    ]  # fmt: skip


def test_every_node_has_label_id_class_and_tooltip() -> None:
    source = parabola().draw().source
    nodes = re.findall(r"^\t\t(\w+) \[label=<.+> class=(\w+) (.*)\]$", source, re.MULTILINE)
    assert len(nodes) == 12 + 7  # five leaves, seven results and their ops
    for name, kind, rest in nodes:
        assert kind == ("op" if name.startswith("op") else "value")
        assert f"id={name} " in rest and "tooltip=" in rest


def test_colours_are_the_oracles() -> None:
    """Each is a role of the report's palette, so the same style sheet turns the picture dark."""
    light = {pair[0] for pair in ROLES.values()}
    used = set(re.findall(r"#[0-9A-F]{6}", chain().draw(title="t").source + parabola().draw().source))
    assert len(used) >= 8 and used <= light


def test_directions() -> None:
    assert "rankdir=LR" in chain().draw().source
    assert "rankdir=TB" in chain().draw("TB").source
    with pytest.raises(ValueError, match=r'^rankdir is "LR" \(left to right\) or "TB" .* not \'BT\'$'):
        chain().draw("BT")


def test_order_of_operands_shows_where_it_matters() -> None:
    """`a / b` enters from above and below (left and right); `a * b` anywhere; both in reading order."""
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    assert edges((a / b).draw("TB").source) == [("n0", "op2:nw"), ("n1", "op2:ne")]
    assert edges((a / b).draw("LR").source) == [("n1", "op2:sw"), ("n0", "op2:nw")]
    assert edges((b - a).draw("TB").source) == [("n1", "op2:nw"), ("n0", "op2:ne")]
    assert edges((a * b).draw("TB").source) == [("n0", "op2"), ("n1", "op2")]
    assert edges(a.lerp(b, c).draw("LR").source) == [("n2", "op3:sw"), ("n1", "op3:w"), ("n0", "op3:nw")]
    assert edges(a.exp().draw().source) == [("n0", "op1")]


def test_an_operand_used_twice_has_two_edges_and_one_box() -> None:
    x = Value(3.0, "x")
    source = (x * x).draw().source
    assert edges(source) == [("n0", "op1"), ("n0", "op1")]
    assert texts(source).count("x") == 1


@pytest.mark.parametrize(
    ("value", "sign", "tooltip"),
    [
        (Value(2.0) ** 3, "**3", "pow(exponent=3.0)"),
        (Value(2.0) ** Value(3.0), "pow", "pow"),
        (-Value(2.0), "-", "neg"),
        (Value(2.0).leaky_relu(0.5), "leaky_relu", "leaky_relu(negative_slope=0.5)"),
        (Value(2.0).gelu("tanh"), "gelu", "gelu(approximate=&#x27;tanh&#x27;)"),
    ],
)
def test_op_nodes(value: Value, sign: str, tooltip: str) -> None:
    source = value.draw().source
    assert sign in texts(source)
    assert f'tooltip="{tooltip}"' in source or f"tooltip={tooltip}" in source


def test_gradients_that_backward_has_not_reached_are_muted() -> None:
    before = parabola()
    assert "no backward has reached" in before.draw().source and "<B>0</B>" not in before.draw().source
    x = Value(0.0, "x")
    (x * x).backward()
    after = x.draw().source
    assert "no backward has reached" not in after and "<B>0</B>" in after


def test_drawing_changes_nothing() -> None:
    L = chain()
    before = [(v.data, v.grad, v.label, v.number) for v in draw.reach(L, 100)]
    L.draw()
    assert [(v.data, v.grad, v.label, v.number) for v in draw.reach(L, 100)] == before
    assert L.draw().source == L.draw().source


# Numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        (4.0, "4"), (-0.0, "-0"), (0.1, "0.1"), (-6.5, "-6.5"), (0.9989793986334531, "0.998979…"),
        (0.99999997, "0.999999…"), (0.1 + 0.2, "0.300000…"), (-1 / 3, "-0.333333…"), (12345.678912, "12345.6…"),
        (1234567.8912, "1234567…"), (1e16, "1e+16"), (123456789.0, "123456789"), (2e300 / 3, "6.66666…e+299"),
        (1e-5 / 3, "3.33333…e-06"), (5e-324, "5e-324"), (1.2345e-300, "1.2345e-300"), (float("inf"), "inf"),
        (float("-inf"), "-inf"), (float("nan"), "nan"), (0.00204016110594, "0.002040…"),
    ],
)  # fmt: skip
def test_short(x: float, shown: str) -> None:
    assert draw.short(x) == shown


def test_every_digit_is_in_the_tooltip() -> None:
    x = Value(1.0, "x")
    y = x / 3
    y.backward()
    source = y.draw().source
    assert 'tooltip="x: data 1.0, grad 0.3333333333333333"' in source
    assert 'tooltip="div: data 0.3333333333333333, grad 1.0"' in source


# Hostile labels -------------------------------------------------------------------------------------------------

HOSTILE = [
    "<b>bold</b>", "</TD></TR></TABLE>", "a & b &lt; c", '"]; evil [label="', "\\N\\G\\l", "%n", "<>", "<x>",
    "x\ny\tz", "\x00\x1b[31m\x07", "\ud800", "\u202ereversed", "ü × 中 🙂", " ", "a" * 10_000, "&#0;", "--> {",
]  # fmt: skip


@pytest.mark.parametrize("label", HOSTILE)
@needs_dot
def test_hostile_labels_are_only_text(label: str) -> None:
    """Graphviz takes the picture without a word, and shows the label as text."""
    value = Value(1.0, label) * Value(2.0, "plain")
    value.label = label
    graph = value.draw(title=label)
    done = subprocess.run(["dot", "-Tsvg"], input=graph.source.encode(), capture_output=True, check=False)
    assert done.returncode == 0 and not done.stderr
    svg = XML.fromstring(done.stdout)
    shown = {
        "".join(text.itertext()).strip("\N{NO-BREAK SPACE}")
        for text in svg.iter("{http://www.w3.org/2000/svg}text")
    }
    expected = draw.one_line(label, 40)
    assert not expected or expected in shown
    assert len([g for g in svg.iter() if g.get("class") == "node value"]) == 3
    assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))


def test_control_characters_and_length() -> None:
    assert (
        draw.one_line("x\ny\t z\x00\ud800", 40) == "x y z\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
    )
    assert draw.one_line("a" * 100, 40) == "a" * 39 + "…"
    Value(1.0, "\ud800").draw().source.encode()


# Refusals -------------------------------------------------------------------------------------------------------


def test_limit() -> None:
    """As many values as the limit are drawn, one more is not."""
    root = chain()
    assert root.draw(limit=7).source
    with pytest.raises(
        ValueError, match=r"^the graph has more than 6 values, too many to read: draw a Value"
    ):
        root.draw(limit=6)


def test_a_long_chain_is_refused_at_once() -> None:
    """A million nodes cost no more than the limit, and no recursion."""
    root = Value(1.0)
    for _ in range(1_000_000):
        root = root + 1.0
    began = time.perf_counter()
    with pytest.raises(ValueError, match=r"more than 150 values.*draw\(limit=…\)$") as refused:
        root.draw()
    assert time.perf_counter() - began < 0.1
    assert "\n" not in str(refused.value) and ". " not in str(refused.value)


def test_the_limit_leaves_room_for_the_usual_network() -> None:
    out = MLP(3, [4, 4, 1])([1.0, 2.0, 3.0])
    assert isinstance(out, Value)
    assert texts(out.draw().source).count("data") == 116


def test_unknown_format() -> None:
    with pytest.raises(ValueError, match="format"):
        chain().draw(format="gifv")


# Graphviz -------------------------------------------------------------------------------------------------------


@needs_dot
@pytest.mark.parametrize(("format", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG\r\n")])
@pytest.mark.parametrize("rankdir", ["LR", "TB"])
def test_rendering(tmp_path: Path, format: str, start: bytes, rankdir: str) -> None:
    graph = parabola().draw(rankdir, format=format)
    assert graph.pipe().startswith(start)
    path = Path(graph.render(tmp_path / "picture", cleanup=True))
    assert path.name == f"picture.{format}" and path.read_bytes().startswith(start)


@needs_dot
def test_directions_are_drawn() -> None:
    """Left to right is wider than high, top to bottom is higher than wide."""

    def size(rankdir: str) -> tuple[float, float]:
        box = XML.fromstring(chain().draw(rankdir).pipe()).get("viewBox")
        assert box is not None
        width, height = map(float, box.split()[2:])
        return width, height

    assert size("LR")[0] > size("LR")[1] and size("TB")[0] < size("TB")[1]


@needs_dot
def test_a_notebook_shows_the_picture() -> None:
    bundle = chain().draw()._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml"}
    assert XML.fromstring(bundle["image/svg+xml"].encode()).tag == "{http://www.w3.org/2000/svg}svg"


def test_without_dot(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One sentence that says how to get it; the text is there, in a notebook too."""
    from graphviz import ExecutableNotFound

    monkeypatch.setenv("PATH", str(tmp_path))
    graph = chain().draw()
    for act in (
        graph.pipe,
        lambda: graph.render(tmp_path / "picture"),
        lambda: graph.view(tmp_path / "picture"),
    ):
        with pytest.raises(ExecutableNotFound) as missing:
            act()
        assert str(missing.value) == draw.NO_DOT
    assert (tmp_path / "picture").read_text(encoding="utf-8") == graph.source
    assert graph._repr_mimebundle_() == {"text/plain": f"{draw.NO_DOT}\n\n{graph.source}"}
    assert "apt install graphviz" in draw.NO_DOT


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphviz", None)
    draw.drawing.cache_clear()
    with pytest.raises(
        ImportError, match=r"^pictures need the Python package graphviz: pip install graphviz$"
    ):
        chain().draw()


def test_importing_minigrad_does_not_import_graphviz() -> None:
    """Not even the module that draws does; the first picture does."""
    code = (
        "import sys, minigrad, minigrad.draw; assert 'graphviz' not in sys.modules; "
        "minigrad.Value(1.0).draw(); assert 'graphviz' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
