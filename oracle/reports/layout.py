"""DOT to SVG: by `dot` on PATH, else by pygraphviz in a process of its own, else not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

from oracle.reports.palette import dark_css

SECONDS = 20
"""A layout that takes longer is given up."""

NO_ENGINE = (
    "There is no layout engine, so the pictures are .dot files only: install Graphviz (`dot`), "
    'or pip install "minigrad-oracle[render]".'
)

# Graphviz's own libraries, called in a child: a crash there, or a layout without end, stays there.
_CHILD = """
import sys
import pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
sys.stdout.buffer.write(graph.draw(format="svg", prog="dot"))
"""


def svg(source: str) -> tuple[str | None, str | None]:
    """The picture as SVG, or None and a sentence that says why there is none."""
    if dot := shutil.which("dot"):
        return _run([dot, "-Tsvg"], source, "dot")
    from importlib.util import find_spec

    if find_spec("pygraphviz") is not None:
        return _run([sys.executable, "-c", _CHILD], source, "pygraphviz")
    return None, NO_ENGINE


def _run(command: list[str], source: str, name: str) -> tuple[str | None, str | None]:
    try:
        done = subprocess.run(
            command, input=source.encode(), capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"{name} had not laid out the picture after {SECONDS} s; the .dot file is there."
    except OSError as problem:
        return None, f"{name} could not be started ({problem}); the .dot file is there."
    if done.returncode or not done.stdout:
        why = done.stderr.decode(errors="replace").strip().split("\n")[0][:200] or f"exit {done.returncode}"
        return None, f"{name} could not lay out the picture ({why}); the .dot file is there."
    return done.stdout.decode(errors="replace"), None


def inline(svg: str, label: str) -> tuple[str, int]:
    """The SVG for a page, and its natural width in pixels: without prolog and size, with a label for those
    who cannot see it."""
    from html import escape

    head, _, body = svg[svg.index("<svg") :].partition(">")
    found = re.search(r'viewBox="([^"]*)"', head)
    box = found.group(1) if found else "0 0 1000 400"
    opening = (
        f'<svg role="img" aria-label="{escape(label)}" viewBox="{box}" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return opening + _titled(body), round(float(box.split()[2]))


def adaptive(svg: str) -> str:
    """The SVG as a file that turns dark where its reader prefers it."""
    head, group, body = svg.partition("<g id=")
    return f"{head}<style>{dark_css('svg')}</style>\n{group}{_titled(body)}"


def _titled(body: str) -> str:
    """Tooltips that browsers show: Graphviz titles a box by its id and leaves our text to `xlink:title`."""
    body = re.sub(r'<title>[^<]*</title>(\s*<g[^>]*><a xlink:title="([^"]*)">)', r"<title>\2</title>\1", body)
    return re.sub(r'(<g id="(?:graph|clust|edge)\d+"[^>]*>\s*)<title>[^<]*</title>', r"\1", body)
