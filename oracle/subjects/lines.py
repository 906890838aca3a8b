"""Lines of a subject's source, in files and in cells of notebooks.

Where a place is comes from the subject, which may name any file of this machine: only its own folder is read.
"""

from __future__ import annotations

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
    return "\n".join(dict(_pieces(str(file))).get(place, []))


def definition(home: str, name: str) -> tuple[str, int] | None:
    """The place where the subject's file defines a function of that name."""
    for place, texts in _pieces(home):
        for number, text in enumerate(texts, 1):
            if text.strip().startswith(f"def {name}("):
                return place, number
    return None


def _pieces(file: str) -> Iterator[tuple[str, list[str]]]:
    """The lines of a file, or of each cell of a notebook; nothing where it cannot be read."""
    try:
        found = cells(file)
    except (OSError, ValueError):
        return
    for place, text in found:
        yield place, (text if isinstance(text, str) else text.decode(errors="replace")).splitlines()
