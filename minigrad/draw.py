"""The graph of a Value as a picture: a box for every number, a small node for every op.

`Value.draw()` shows itself in a notebook. The DOT keeps to what all layout engines draw alike: single font
families, an explicit label on every node, ASCII digits.
"""

from __future__ import annotations

import html
from functools import cache
from typing import TYPE_CHECKING, Any

from minigrad.engine import NO_GRAD, Value

if TYPE_CHECKING:
    from graphviz import Digraph

LIMIT = 150
"""Values in one picture, unless told otherwise: room for an MLP(3, [4, 4, 1]). People read about sixty."""

NO_DOT = (
    "Graphviz's `dot`, which lays out the picture, is not on PATH: install it (apt install graphviz, "
    "brew install graphviz, or graphviz.org/download), or paste the text in `.source` into a Graphviz viewer."
)

SANS, MONO = "Arial", "Courier New"
NBSP = "\N{NO-BREAK SPACE}"

# One role, one colour, even where two look the same: a style sheet that maps colours can turn the SVG dark.
GROUND, TITLE, MUTED, EDGE = "#FFFFFF", "#0F172A", "#5B6B82", "#9AA8BA"
FILL, LINE, NUMBER = "#F8FAFC", "#A3B1C2", "#334155"
HEADER, NAME = "#E8EDF3", "#334156"

SYMBOLS = {"add": "+", "sub": "-", "mul": "×", "div": "/", "neg": "-", "remainder": "%"}
COMMUTATIVE = {"add", "mul", "maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp", "logaddexp2"}


def draw(
    root: Value, rankdir: str = "LR", *, title: str = "", format: str = "svg", limit: int = LIMIT
) -> Digraph:
    """Everything that leads to `root`, from its leaves on the left (or the top) to itself.

    rankdir  "LR", left to right, or "TB", top to bottom
    title    stands above the picture
    format   "svg", "png" or another of Graphviz's: what `render()` writes and `pipe()` returns
    limit    values that the picture may have. Graphviz lays out a thousand in a second, and 20,000 never.

    Numbers are cut after six digits, never rounded, and "…" says so; pointing at a box shows all digits.
    Returns a `graphviz.Digraph`, whose text is in `source`. Raises ValueError for an unknown direction or
    format and for a larger graph. Drawing changes nothing. Where Graphviz's program `dot` is missing the
    result still has its source, and `render()` and `pipe()` say how to get it.
    """
    if rankdir not in ("LR", "TB"):
        raise ValueError(f'rankdir is "LR" (left to right) or "TB" (top to bottom), not {rankdir!r}')
    values = reach(root, limit)
    graph = drawing()(
        "minigrad",
        format=format,
        graph_attr={
            "bgcolor": GROUND, "fontname": SANS, "rankdir": rankdir, "nodesep": "0.25",
            "ranksep": "0.4" if rankdir == "LR" else "0.25", "outputorder": "edgesfirst", "pad": "0.15", "label": "",
        },
        node_attr={"fontname": SANS, "fontsize": "11", "margin": "0.03,0.03"},
        edge_attr={"color": EDGE, "arrowsize": "0.6"},
    )  # fmt: skip
    with graph.subgraph(name="cluster_all") as body:
        heading = f"<{font(one_line(title, 120), TITLE, 15, bold=True)}>" if title else ""
        body.attr(label=heading, labelloc="t", labeljust="l", peripheries="0", margin="4")
        for i, value in enumerate(values):
            if value.op:
                draw_op(body, f"op{i}", value)
            draw_value(body, f"n{i}", value)
    place = {id(value): i for i, value in enumerate(values)}
    for i, value in enumerate(values):
        tails = [f"n{place[id(operand)]}" for operand in value.parents]
        edges = list(zip(tails, heads(f"op{i}", value, rankdir), strict=True))
        # `ordering=in` counts from the left or from the bottom; people read from the left or from the top.
        graph.edges(edges if rankdir == "TB" else edges[::-1])
        if value.op:
            graph.edge(f"op{i}", f"n{i}", weight="8")
    return graph


def reach(root: Value, limit: int) -> list[Value]:
    """What leads to the root, oldest first. Raises ValueError when that is more than `limit` values."""
    found = {id(root): root}
    todo = [root]
    while todo:
        if len(found) > limit:
            raise ValueError(
                f"the graph has more than {limit:,} values, too many to read: draw a Value nearer to the "
                "inputs, or the same computation on a smaller example, or raise the limit with draw(limit=…)"
            )
        for parent in todo.pop().parents:
            if id(parent) not in found:
                found[id(parent)] = parent
                todo.append(parent)
    return sorted(found.values(), key=lambda value: value.number)


# Nodes ------------------------------------------------------------------------------------------------------


def draw_value(graph: Any, name: str, value: Value) -> None:
    """A rounded box: the label in a bar where there is one, then data and grad."""
    label = one_line(value.label, 40)
    reached = value.grad is not NO_GRAD
    rows = []
    if label:
        bar = cell(font(f"{label}{NBSP}", NAME, 13, bold=True, mono=True), "LEFT")
        bar = table([bar], f'CELLPADDING="4" BGCOLOR="{HEADER}" STYLE="ROUNDED"')
        rows.append(cell(bar, "LEFT", 'COLSPAN="2"'))
    grad = font(short(value.grad), NUMBER if reached else MUTED, 12, bold=reached, mono=True)
    for word, number in (("data", font(short(value.data), NUMBER, 12, mono=True)), ("grad", grad)):
        rows.append(cell(font(word, MUTED, 11), "LEFT") + cell(number, "RIGHT", 'WIDTH="36"'))
    box = table(rows, 'CELLSPACING="2" CELLPADDING="2"')
    tooltip = f"{label or value.op or 'leaf'}: data {value.data!r}, grad {value.grad!r}"
    graph.node(
        name, f"<{box}>", id=name, **{"class": "value"},
        shape="box", style="rounded,filled", color=LINE, fillcolor=FILL,
        tooltip=quoted(tooltip if reached else f"{tooltip}, which no backward has reached"),
    )  # fmt: skip


def draw_op(graph: Any, name: str, value: Value) -> None:
    """A circle with the operator's sign, or a pill with the op's name. Its edges come in operand order."""
    plain = value.parameters
    sign = f"**{short(plain['exponent'])}" if "exponent" in plain else SYMBOLS.get(value.op, value.op)
    circle = {"shape": "circle", "fixedsize": "true", "width": "0.34", "style": "filled"}
    pill = {"shape": "box", "style": "rounded,filled", "height": "0.3", "margin": "0.09,0.02"}
    tooltip = f"{value.op}({', '.join(f'{key}={x!r}' for key, x in plain.items())})" if plain else value.op
    graph.node(
        name, f"<{font(sign, NAME, 13, bold=True, mono=True)}>", id=name, **{"class": "op"},
        **(circle if len(sign) == 1 else pill), color=LINE, fillcolor=HEADER, ordering="in",
        tooltip=quoted(tooltip),
    )  # fmt: skip


def heads(name: str, value: Value, rankdir: str) -> list[str]:
    """Where the operands' edges enter an op: where their order matters, each at its place, the first one first."""
    count = len(value.parents)
    if value.op in COMMUTATIVE or count == 1:
        return [name] * count
    places = ("nw", "w", "sw") if rankdir == "LR" else ("nw", "n", "ne")
    return [f"{name}:{place}" for place in (places if count == 3 else places[::2])][:count]


# Text -------------------------------------------------------------------------------------------------------


def short(x: float) -> str:
    """A number cut to six digits, all of them its own: never rounded, and "…" stands for the rest.

    4.0 → "4", -0.0 → "-0", 0.9989793986334531 → "0.998979…", 2e300/3 → "6.66666…e+299"
    """
    whole = repr(float(x)).removesuffix(".0")
    mantissa, e, exponent = whole.partition("e")
    integer, _, fraction = mantissa.partition(".")
    kept = fraction[: max(6 - len(integer.lstrip("-0")), 0)]
    if len(whole) <= 9 or kept == fraction:
        return whole
    return f"{integer}{'.' if kept else ''}{kept}…{e}{exponent}"


def one_line(text: object, limit: int) -> str:
    """Text on one line, without what a layout engine cannot take: control characters, lone surrogates."""
    line = " ".join(str(text).split())
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def font(text: str, colour: str, size: int, *, bold: bool = False, mono: bool = False) -> str:
    """Escaped text in an HTML-like label. Graphviz takes no empty text, and even `&#92;` begins an escape."""
    inner = html.escape(text).replace("\\", "&#92;&#92;") or NBSP
    inner = f"<B>{inner}</B>" if bold else inner
    face = f' FACE="{MONO}"' if mono else ""
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}"{face}>{inner}</FONT>'


def cell(content: str, align: str, look: str = "") -> str:
    return f'<TD ALIGN="{align}"{look and " "}{look}>{content}</TD>'


def table(rows: list[str], look: str) -> str:
    body = "".join(f"<TR>{row}</TR>" for row in rows)
    return f'<TABLE BORDER="0" CELLBORDER="0" {look}>{body}</TABLE>'


def quoted(text: str) -> str:
    """Text of an attribute: neither markup nor an escape, and never a label in angle brackets."""
    from graphviz import escape

    return str(escape(html.escape(text)))


# The picture ------------------------------------------------------------------------------------------------


@cache
def drawing() -> Any:
    """graphviz.Digraph, but where `dot` is missing it says so in one sentence, and notebooks show its text.

    Made when first needed: importing minigrad does not import graphviz.
    """
    try:
        from graphviz import Digraph, ExecutableNotFound
    except ImportError:
        raise ImportError("pictures need the Python package graphviz: pip install graphviz") from None

    class Drawing(Digraph):  # type: ignore[misc]
        def pipe(self, *args: Any, **options: Any) -> Any:
            try:
                return super().pipe(*args, **options)
            except ExecutableNotFound as problem:
                problem.args = (NO_DOT,)
                raise problem from None

        def render(self, *args: Any, **options: Any) -> Any:
            try:
                return super().render(*args, **options)
            except ExecutableNotFound as problem:
                problem.args = (NO_DOT,)
                raise problem from None

        def _repr_mimebundle_(self, *args: Any, **options: Any) -> Any:
            try:
                return super()._repr_mimebundle_(*args, **options)
            except ExecutableNotFound:
                return {"text/plain": f"{NO_DOT}\n\n{self.source}"}

    return Drawing
