"""Lines of a subject's source, in files and in cells of notebooks.

Where a place is comes from the subject, which may name any file of this machine: only its own folder is read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from oracle.subjects.worker.source import cells


def line_at(home: str, place: str, number: int) -> str:
    """Line `number` (from 1) of a place of the subject whose file is `home`; "" where there is none, or where
    it is not one of the files in that file's folder. place: a file, or a notebook's cell as "file.ipynb#2"."""
    texts = text_of(home, place).splitlines()
    return texts[number - 1] if 0 < number <= len(texts) else ""


def text_of(home: str, place: str) -> str:
    """The whole text of a place of the subject whose file is `home`; "" as in `line_at`."""
    file = Path(place.partition("#")[0] if ".ipynb#" in place else place)
    if not file.resolve().is_relative_to(Path(home).resolve().parent):
        return ""
    return "\n".join(dict(pieces(str(file))).get(place, []))


def definition(home: str, name: str) -> tuple[str, int] | None:
    """The place where the subject's file defines a function of that name."""
    for place, texts in pieces(home):
        for number, text in enumerate(texts, 1):
            if text.strip().startswith(f"def {name}("):
                return place, number
    return None


def block(home: str, place: str, first: int) -> range:
    """The line numbers of the definition that begins at line `first` of a place: up to the next line that
    is indented no more."""
    texts = dict(pieces(home)).get(place, [])
    if not 0 < first <= len(texts):
        return range(0)
    depth = _depth(texts[first - 1])
    after = (
        n for n in range(first + 1, len(texts) + 1) if texts[n - 1].strip() and _depth(texts[n - 1]) <= depth
    )
    return range(first, next(after, len(texts) + 1))


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip())


def condition(home: str, place: str, number: int) -> int | None:
    """The line of the innermost `if` whose branches hold line `number` of a place; None where there is none."""
    try:
        tree = ast.parse(text_of(home, place))
    except (SyntaxError, ValueError):
        return None
    ifs = [n for n in ast.walk(tree) if isinstance(n, ast.If) and n.lineno < number <= (n.end_lineno or 0)]
    return max((n.lineno for n in ifs), default=None)


def pieces(file: str) -> Iterator[tuple[str, list[str]]]:
    """The places of a subject's file with their lines: the file itself, or each cell of a notebook; nothing where it
    cannot be read."""
    try:
        found = cells(file)
    except (OSError, ValueError):
        return
    for place, text in found:
        yield place, (text if isinstance(text, str) else text.decode(errors="replace")).splitlines()
