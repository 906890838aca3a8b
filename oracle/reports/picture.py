"""The picture of a cause: its smallest example as a graph, in DOT, and as SVG where a layout engine is at hand.

Marks, words, borders and weights say everything that colours say. The DOT keeps to what every layout engine
draws alike: single font families, ASCII digits, an explicit label on each node, marks in cells of their own.
"""

from __future__ import annotations

import re
from pathlib import Path

from oracle.report import Cause, Example, Report, Row
from oracle.reports import facts, layout, words
from oracle.reports.clean import inert, one_line
from oracle.reports.fold import DRAWABLE, Stub
from oracle.reports.labels import NBSP, SANS, cell, escape, font, quoted, table
from oracle.reports.palette import Theme, colours
from oracle.reports.scene import (
    Box,
    Edge,
    Scene,
    compose,
    culprits,
    wrong,
    wrong_data,
    wrong_grad,
)
from oracle.reports.writing import write_text

MARKS = {"match": "✓", "inherited": "△", "culprit": "✗"}

# Attributes of a box and of an edge, by state; colours are looked up by "state.role".
_BOXES = {
    "match": {"style": "rounded,filled", "penwidth": "1"},
    "inherited": {"style": "rounded,filled,dashed", "penwidth": "1.5"},
    "culprit": {"style": "filled", "penwidth": "2.4", "peripheries": "2"},
}
# The legend: key, mark, words; a border for the keys that are boxes.
_LEGEND = (
    ("culprit", "✗", "root cause: it goes wrong here"),
    ("inherited", "△", "wrong only because of a root cause"),
    ("match", "✓", "same as PyTorch"),
    ("began", "◀━━", "wrong gradient, pushed backwards"),
    ("forward", "╌╌▷", "wrong value, passed on"),
    ("folded", "▤", "folded nodes (dashed: some differ)"),
)
_BORDERS = {
    "culprit": 'BORDER="3" STYLE="SOLID"',
    "inherited": 'BORDER="1" STYLE="ROUNDED,DASHED"',
    "match": 'BORDER="1" STYLE="ROUNDED"',
    "folded": 'BORDER="1"',
}


def write(report: Report, directory: Path | str, *, full: bool = False) -> tuple[list[Path], list[str]]:
    """Draw every cause that has a table of values: a .dot file each, and a .svg where it can be laid out.

    Returns the paths to show (SVG where there is one, else DOT) and notes in whole sentences.
    `full` draws programs of up to 1,500 values without folding. Raises OSError when it cannot write.
    """
    report = inert(report)
    directory = Path(directory)
    paths: list[Path] = []
    notes: list[str] = []
    for number, cause in drawable(report):
        assert cause.example is not None
        source = dot_source(cause.example, cause, facts.reference(report), full=full)
        of_training = report.suite == "diff" and cause.op is None and cause.mistake
        what = of_training or f"{cause.op or 'engine'}-{cause.kind}"
        name = directory / f"{number}-{_slug(what)}"
        path = write_text(name.with_suffix(".dot"), source)
        svg, note = layout.svg(source)
        if svg is not None:
            path = write_text(name.with_suffix(".svg"), layout.adaptive(svg))
        elif note and note not in notes:
            notes.append(note)
        if full and len(cause.example.table) > DRAWABLE:
            notes.append(f"{path.name} is folded: more than {DRAWABLE:,} values cannot be laid out.")
        paths.append(path)
    return paths, notes


def drawable(report: Report) -> list[tuple[int, Cause]]:
    """The causes that can be drawn, with numbers from 1: demanded ones first."""
    causes = [*words.demanded(report), *(c for c in words.others(report) if c.severity != "policy")]
    return [(n, c) for n, c in enumerate(causes, 1) if c.example is not None and c.example.table]


def dot_source(
    example: Example,
    cause: Cause,
    reference: str = "torch",
    *,
    theme: Theme = "light",
    full: bool = False,
    prefix: str = "n",
    bare: bool = False,
) -> str:
    """The picture of an example as DOT text; the same example gives the same text.

    prefix   of every id, for pages with more than one picture
    bare     leave out title and legend, for pages that have their own
    """
    from graphviz import Digraph

    ink = colours(theme)
    scene = compose(example, full=full)
    graph = Digraph(
        "oracle",
        graph_attr={
            "bgcolor": ink["ground"], "fontname": SANS, "rankdir": "LR", "nodesep": "0.3", "ranksep": "0.7",
            "splines": "true", "outputorder": "edgesfirst",
            "pad": "0.05" if bare else "0.2", "labelloc": "b", "labeljust": "l",
            "label": "" if bare else _legend_label(scene, ink),
        },
        node_attr={"fontname": SANS, "fontsize": "11", "margin": "0.03,0.03"},
        edge_attr={"fontname": SANS, "fontsize": "10", "color": ink["edge"], "arrowsize": "0.7"},
    )  # fmt: skip
    with graph.subgraph(name="cluster_all") as body:
        body.attr(
            label="" if bare else _heading(example, cause, reference, ink, full),
            labelloc="t", labeljust="l", peripheries="0", margin="0" if bare else "8",
        )  # fmt: skip
        for box in scene.boxes:
            _draw_box(body, f"{prefix}{box.row.value}", box, example, cause, ink)
        for i, stub in enumerate(scene.stubs):
            _draw_stub(body, f"{prefix}stub{i}", stub, example, ink)
    names = {box.row.value: box.row.node for box in scene.boxes}
    for edge in scene.edges:
        attributes = _edge_attributes(edge, names[edge.operand], ink)
        graph.edge(f"{prefix}{edge.operand}", f"{prefix}{edge.user}", **attributes)
    bad = {box.row.value for box in scene.boxes if wrong_grad(box.row)}
    for i, stub in enumerate(scene.stubs):
        for at in stub.at:
            ends = (f"{prefix}stub{i}", f"{prefix}{at}")
            attributes = _flow(back=bool(stub.differ) and at in bad, forward=False, ink=ink)
            graph.edge(*(ends if stub.side == "operands" else ends[::-1]), **attributes)
    return str(graph.source)


# Boxes ---------------------------------------------------------------------------------------------------------


def _draw_box(
    graph: object, name: str, box: Box, example: Example, cause: Cause, ink: dict[str, str]
) -> None:
    state = box.state
    lines = [_header(box, ink)]
    if state == "culprit":
        part = words.rule(cause).partition(",")[0]
        reason = font(f"ROOT CAUSE{NBSP}", ink["culprit.line"], 10, bold=True, raw=True)
        lines.append([cell(reason + font(f"in {part}", ink["culprit.line"], 10), "LEFT", span=4)])
    elif state == "inherited":
        names = ", ".join(box.because[:3]) + (" …" if len(box.because) > 3 else "")
        text = f"because of {names}" if names else "not by a rule of its own"
        lines.append([cell(font(text, ink["inherited.text"], 10, italic=True), "LEFT", span=4)])
    if wrong(box.row):
        titles = (font(title, ink["muted"], 9) for title in ("yours", "torch"))
        lines.append(["<TD></TD>", "<TD></TD>", *(cell(title, "RIGHT") for title in titles)])
    row = box.row
    grads = any(r.grad_verdict != "unobserved" for r in example.table)
    data = words.expected(row.data, row.local_data, row.global_data)
    grad = words.expected(row.grad, row.local_grad, row.global_grad)
    lines.append(_numbers("data", row.data, data, wrong_data(row), state, ink))
    if not grads:
        pass  # an update: its values have no gradients
    elif row.grad_verdict == "unobserved" or (row.grad is None and not wrong_grad(row)):
        lines.append([cell(font("grad", ink["muted"], 11), "LEFT"), "<TD></TD>",
                      cell(font("not read", ink["muted"], 10, italic=True), "RIGHT", span=2)])  # fmt: skip
    else:
        lines.append(_numbers("grad", row.grad, grad, wrong_grad(row), state, ink))
    graph.node(  # type: ignore[attr-defined]
        name, label=f"<{table(lines, spacing=2, padding=2)}>", id=name, **{"class": state}, shape="box",
        color=ink[f"{state}.line"], fillcolor=ink[f"{state}.fill"], tooltip=_tooltip(row), **_BOXES[state],
    )  # fmt: skip


def _header(box: Box, ink: dict[str, str]) -> list[str]:
    """The coloured bar: mark, name, and how the value is made. An inset table keeps it off round corners."""
    state, colour = box.state, ink[f"{box.state}.title"]
    text = font(f"{MARKS[state]}{NBSP}", colour, 12, bold=True, raw=True)
    text += font(one_line(box.row.node, 32), colour, 13, bold=True, mono=True)
    if box.row.expression:
        text += font(f"{NBSP}={NBSP}", colour, 11, mono=True, raw=True)
        text += font(one_line(box.row.expression, 48), colour, 11, mono=True)
    style = "SOLID" if state == "culprit" else "ROUNDED"
    bar = table(
        [[cell(text, "LEFT")]], padding=4, extra=f'BGCOLOR="{ink[f"{state}.header"]}" STYLE="{style}"'
    )
    return [cell(bar, span=4)]


def _numbers(
    name: str, yours: float | None, torch: float | None, differs: bool, state: str, ink: dict[str, str]
) -> list[str]:
    """One line of a box: name, mark, the engine's number, PyTorch's number or a tick."""
    mine, theirs = words.pair(yours, torch if differs else None)
    label = cell(font(name, ink["muted"], 11), "LEFT")
    if not differs:
        number = font(mine, ink[f"{state}.text"], 12, mono=True)
        return [label, "<TD></TD>", cell(number, "RIGHT"), cell(font("✓", ink["tick"], 11), "RIGHT")]
    return [
        label,
        cell(font("✗", ink["yours"], 10), "RIGHT"),
        cell(font(mine, ink["yours"], 12, bold=True, mono=True), "RIGHT"),
        cell(font(theirs, ink["torch"], 12, bold=True, mono=True), "RIGHT"),
    ]


def _tooltip(row: Row) -> str:
    """Every digit, for those who point at the box."""
    made = f" = {one_line(row.expression, 120)}" if row.expression else ""
    return quoted(
        f"{one_line(row.node, 60)}{made}: data yours {row.data!r}, torch {row.global_data!r}; "
        f"grad yours {row.grad!r}, torch {row.global_grad!r}"
    )


# Stubs ---------------------------------------------------------------------------------------------------------


def _draw_stub(graph: object, name: str, stub: Stub, example: Example, ink: dict[str, str]) -> None:
    state = "inherited" if stub.differ else "folded"
    colour = ink[f"{state}.text"]
    total = len(stub.values)
    called = ", ".join(one_line(example.program.name(v), 14) for v in stub.values[:2])
    lines = [font(called + (" …" if total > 2 else ""), colour, 10, mono=True)]
    if stub.counted:
        head = font(f"▤{NBSP}", colour, 12, raw=True) + font(
            words.count(total, "node"), colour, 12, bold=True
        )
        lines = [head, *lines, font(_agreement(total, stub.differ), colour, 10)]
    label = table([[cell(line, "LEFT")] for line in lines], padding=1)
    graph.node(  # type: ignore[attr-defined]
        name, label=f"<{label}>", id=name, shape="folder", color=ink[f"{state}.line"], margin="0.1,0.05",
        fillcolor=ink[f"{state}.fill"], style="filled,dashed" if stub.differ else "filled",
        tooltip=quoted(f"not drawn: {_agreement(total, stub.differ)}"), **{"class": "folded"},
    )  # fmt: skip


def _agreement(total: int, differ: int) -> str:
    if differ in (0, total):
        word = "differ" if differ else "match"
        return f"all {word}" if total > 1 else f"{word}s" if differ else "matches"
    return f"{differ} differ{'s' if differ == 1 else ''}, {total - differ} match{'es' if total - differ == 1 else ''}"


# Edges ---------------------------------------------------------------------------------------------------------


def _edge_attributes(edge: Edge, to: str, ink: dict[str, str]) -> dict[str, str]:
    if not edge.began:
        return _flow(edge.back, edge.forward, ink)
    look = {
        "class": "culprit", "dir": "back", "arrowtail": "normal", "arrowsize": "0.9", "color": ink["yours"],
        "penwidth": "3",
    }  # fmt: skip
    if edge.push is not None:
        return look | {
            "label": _pushed(f"pushed to {one_line(to, 24)}", edge.push.yours, edge.push.correct, ink)
        }
    if edge.total is not None:
        return look | {"label": _pushed(f"all that {one_line(to, 24)} got", *edge.total, ink)}
    return look


def _pushed(heading: str, yours: float, correct: float, ink: dict[str, str]) -> str:
    """The label of an edge: what came along it, and what should have."""
    mine, theirs = words.pair(yours, correct)
    muted = ink["muted"]
    lines = [
        [cell(font(heading, muted, 9), span=3)],
        [cell(font("yours", muted, 9), "RIGHT"), cell(font("✗", ink["yours"], 10), "RIGHT"),
         cell(font(mine, ink["yours"], 12, bold=True, mono=True), "RIGHT")],
        [cell(font("correct", muted, 9), "RIGHT"), "<TD></TD>",
         cell(font(theirs, ink["torch"], 12, bold=True, mono=True), "RIGHT")],
    ]  # fmt: skip
    return f"<{table(lines, padding=1)}>"


def _flow(back: bool, forward: bool, ink: dict[str, str]) -> dict[str, str]:
    """An edge along which wrong numbers travel (dashed, hollow arrow in their direction), or plain."""
    if not back and not forward:
        return {"class": "match"}
    return {
        "class": "inherited", "dir": "both" if back and forward else "back" if back else "forward",
        "arrowtail": "onormal", "arrowhead": "onormal", "color": ink["inherited.line"], "penwidth": "1.5",
        "style": "dashed",
    }  # fmt: skip


# Heading and legend --------------------------------------------------------------------------------------------


def title(example: Example, cause: Cause) -> str:
    """ "mul overwrites its operand's gradient: 2 of 3 gradients differ"."""
    total = len(example.table)
    data, grad = sum(map(wrong_data, example.table)), sum(map(wrong_grad, example.table))
    parts = [f"{n} of {total} {what}" for n, what in ((data, "values"), (grad, "gradients")) if n]
    found = words.listing(parts) + (" differs" if data + grad == 1 else " differ")
    return words.sentence(cause, 90) + (f": {found}" if parts else "")


def subtitle(example: Example, cause: Cause, reference: str, *, full: bool = False) -> list[str]:
    """What stands below the title: the rule and its sites, what is folded, how much is right."""
    total = len(example.table)
    rows = {row.value: row for row in example.table}
    hidden = compose(example, full=full).hidden
    begins = culprits(example)
    sites = [one_line(row.node, 16) for row in example.table if row.value in begins]
    where = words.place(cause)
    out = [words.rule(cause) + (f" ({where})" if where else "")]
    if sites:
        more = " …" if len(sites) > 4 else ""
        out.append(f"{'site' if len(sites) == 1 else 'sites'}: {', '.join(sites[:4])}{more}")
    if hidden:
        agreement = _agreement(len(hidden), sum(wrong(rows[value]) for value in hidden))
        out.append(f"{total - len(hidden)} of {total} nodes drawn, {len(hidden)} folded: {agreement}")
    observed = any(row.grad_verdict != "unobserved" for row in example.table)
    for what, differs in (("data", wrong_data), ("grad", wrong_grad))[: 1 + observed]:
        out.append(f"{what} {total - sum(map(differs, example.table))}/{total} ✓")
    return [*out, f"float64, {one_line(reference, 40)}"]


def _heading(example: Example, cause: Cause, reference: str, ink: dict[str, str], full: bool) -> str:
    gap = f"{NBSP}{NBSP} · {NBSP}{NBSP}"
    below = gap.join(map(escape, subtitle(example, cause, reference, full=full)))
    lines = (
        cell(font(title(example, cause), ink["text"], 17, bold=True), "LEFT"),
        cell(font(below, ink["muted"], 11, raw=True), "LEFT"),
        '<TD HEIGHT="6"></TD>',
    )
    return f"<{table([[line] for line in lines], padding=2)}>"


def legend(scene: Scene) -> list[tuple[str, str, str]]:
    """What the marks mean, as key, mark and words; only those that occur."""
    occur: set[str] = {box.state for box in scene.boxes}
    occur |= {"began"} if any(edge.began for edge in scene.edges) else set()
    occur |= {"forward"} if any(edge.forward and not edge.began for edge in scene.edges) else set()
    occur |= {"folded"} if scene.stubs else set()
    return [entry for entry in _LEGEND if entry[0] in occur]


def _legend_label(scene: Scene, ink: dict[str, str]) -> str:
    cells: list[str] = []
    for key, mark, text in legend(scene):
        if key in _BORDERS:
            colour = ink["culprit.line" if key == "culprit" else f"{key}.text"]
            look = f'{_BORDERS[key]} COLOR="{ink[f"{key}.line"]}" BGCOLOR="{ink[f"{key}.fill"]}"'
            box = f'<TD WIDTH="22">{font(mark, colour, 11, bold=True)}</TD>'
            sample = table([[box]], padding=2, extra=look, border=False)
        else:
            sample = font(mark, ink["yours" if key == "began" else "inherited.line"], 11)
        cells.append(f"<TD>{sample}</TD>")
        cells.append(cell(font(escape(text) + NBSP * 4, ink["text"], 10, raw=True), "LEFT"))
    return f"<{table([cells], spacing=2, padding=2)}>"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "x"
