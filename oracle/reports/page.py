"""Lines of styled text in the making: laid out once, then joined as plain text or painted for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from oracle.reports.clean import no_command

# What a style looks like; each also has a mark or a word, so that colour is never alone.
STYLES = {
    "": "",
    "strong": "bold",
    "bad": "bold red",
    "note": "yellow",
    "ok": "bold green",
    "want": "bold cyan",
    "muted": "dim",
}

Piece = tuple[str, str]
Line = Sequence[Piece]


class Page:
    """A screen, filled from the top."""

    LABEL = 15

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[Line] = []

    def line(self, *pieces: Piece) -> None:
        """A line of its own, not wrapped."""
        self.lines.append(pieces)

    def gap(self) -> None:
        """An empty line, unless there is one already."""
        if self.lines and self.lines[-1]:
            self.lines.append(())

    def say(
        self,
        text: str,
        *,
        mark: str = "",
        style: str = "",
        indent: str = "",
        gap: bool = True,
        heavy: bool = True,
    ) -> None:
        """A wrapped paragraph, behind a mark in the given style; `heavy` sets the text itself in bold."""
        if gap:
            self.gap()
        indent = f"{indent}{' ' * (len(mark) + 1) if mark else ''}"
        for i, row in enumerate(_wrap(text, self.width - len(indent))):
            first = (f"{mark} ", style) if mark and not i else (indent, "")
            self.line(first, (row, "strong" if heavy and mark else ""))

    def row(self, label: str, text: str) -> None:
        """A label and its text, wrapped beside it."""
        for i, part in enumerate(_wrap(_tied(text), self.width - self.LABEL)):
            self.line((f"{'' if i else label:<{self.LABEL}}", "muted"), (part, ""))

    def paint(self, color: bool) -> str:
        """The page as text."""
        safe = [_safe(line) for line in self.lines]
        lines = _colored(safe) if color else ["".join(text for text, _ in line).rstrip() for line in safe]
        return "\n".join(lines) + "\n"


def _tied(text: str) -> str:
    """A list with dots between its pieces: lines break after a dot, not within a short piece."""
    pieces = text.split(" · ")
    if len(pieces) == 1:
        return text
    return "\u00a0· ".join(piece.replace(" ", "\u00a0") if len(piece) < 40 else piece for piece in pieces)


def _wrap(text: str, width: int) -> list[str]:
    """Lines of a paragraph; what a no-break space joins stays together."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines] or [""]


def _safe(line: Line) -> Line:
    """The line, unless a CI runner would take it for a command."""
    joined = "".join(text for text, _ in line)
    harmless = no_command(joined)
    return line if harmless == joined else ((harmless, ""),)


def _colored(lines: Iterable[Line]) -> list[str]:
    from io import StringIO

    from rich.console import Console
    from rich.text import Text

    out = StringIO()
    console = Console(
        file=out, force_terminal=True, color_system="standard", highlight=False, legacy_windows=False
    )
    for line in lines:
        console.print(Text.assemble(*((text, STYLES[style]) for text, style in line)), soft_wrap=True)
    return out.getvalue().split("\n")[:-1]
