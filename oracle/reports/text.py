"""The terminal's screen: the verdict, what to repair and where, what else is known. Plain text, or in colour.

The layout is made once, as lines of styled pieces; plain text joins the pieces and colour paints them.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from oracle.report import Cause, Report
from oracle.reports import words
from oracle.reports.clean import inert, no_command, one_line

IN_FULL = 3
"""Demanded causes that are told in full; the others get a line each."""

CODE_LINES = 14
"""Lines of an example shown before it is cut."""

BRIEF = 8
"""Lines for causes that are only stated."""

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


def render(
    report: Report,
    *,
    color: bool = False,
    width: int = 80,
    verbose: bool = False,
    pictures: Sequence[object] = (),
    notes: Sequence[str] = (),
) -> str:
    """The screen for one report, `width` characters wide.

    color      paint it for a terminal (see `wants_color`)
    verbose    every cause in full, all hints, all cases that did not pass, how the engine was found
    pictures   paths of pictures that were written
    notes      sentences to add, e.g. why there is no picture
    """
    report = inert(report)
    page = _Page(max(40, min(width, 110)))
    mark, headline = words.verdict(report)
    page.say(headline, mark=words.MARKS[mark], style=mark, gap=False)
    wrong = words.demanded(report)
    for number, cause in enumerate(wrong, 1):
        if verbose or number <= IN_FULL:
            _cause(page, cause, number if len(wrong) > 1 else None, verbose)
    if not verbose and len(wrong) > IN_FULL:
        _brief(page, report, wrong[IN_FULL:], "bad", verbose)
    if balance := words.balance(report):
        page.say(balance)
    _brief(page, report, words.others(report), "note", verbose)
    if report.cases:
        page.gap()
        if report.exit_code == 0 or verbose:
            for label, text in words.facts(report):
                page.row(label, text)
        page.row("cases", words.tally(report))
        _troubles(page, report, verbose)
    if verbose:
        for part, how in report.subject.found.items():
            page.row("found", f"{part}: {how}")
    for note in (*report.notes, *notes):
        page.row("note", one_line(note, 600))
    for path in pictures:
        page.row("picture", one_line(str(path)))
    page.row("run", words.run_facts(report))
    page.row("again", words.rerun(report))
    return page.paint(color)


def wants_color(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal whose user has not asked for plain text (https://no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def _cause(page: _Page, cause: Cause, number: int | None, verbose: bool) -> None:
    """One cause in full: the rule, its place, the example, its reach, a hint."""
    page.gap()
    title = f"{number}. {words.sentence(cause)}" if number else words.sentence(cause)
    page.say(title, mark=words.MARKS["bad"], style="bad", gap=False)
    where = words.place(cause)
    page.line(
        ("  ", ""), (f"at {where}" if where else "the line is not known", "strong" if where else "muted")
    )
    if cause.example is not None and cause.example.code.strip():
        lines, comment = words.code(cause.example)
        hidden = 0 if verbose else max(0, len(lines) - CODE_LINES)
        page.gap()
        for line in lines[: len(lines) - 1 - hidden]:
            page.line(("      " + line, ""))
        if hidden:
            page.line((f"      # … {words.count(hidden, 'line')} not shown (--verbose)", "muted"))
        yours, theirs = words.pair(cause.example.yours, words.correct(cause.example))
        last: list[Piece] = [("      " + lines[-1], "")]
        if comment:
            last += [
                ("   # yours ", "muted"),
                (f"{yours}", "bad"),
                ("   PyTorch ", "muted"),
                (theirs, "want"),
            ]
        page.line(*last)
        page.gap()
    reach = words.explains(cause)
    if reach:
        page.say(reach[0].upper() + reach[1:] + ".", indent="  ", gap=False)
    hints = [hint for hint in cause.hints if hint.strip()]
    for label, hint in zip(("Hint", "Why", "Repair"), hints if verbose else hints[:1], strict=False):
        page.say(f"{label}: {one_line(hint)}", indent="  ", gap=False)


def _brief(page: _Page, report: Report, causes: Sequence[Cause], style: str, verbose: bool) -> None:
    """Causes in a line each; missing operations of one kind share a line."""
    if not causes:
        return
    page.gap()
    mark = words.MARKS[style]
    missing = [cause for cause in causes if cause.severity == "missing"]
    rest = [cause for cause in causes if cause.severity != "missing"]
    shown = len(rest) if verbose else BRIEF
    for cause in rest[:shown]:
        own = (
            style == "note" and cause.line and cause.file and (report.subject.file or "").endswith(cause.file)
        )
        where = f"line {cause.line}" if own else words.place(cause)
        text = f"{cause.severity}: {words.sentence(cause)}" + (f" ({where})" if where else "")
        page.say(text, mark=mark, style=style, gap=False, wash=False)
    if len(rest) > shown:
        page.say(f"and {len(rest) - shown} more (--verbose)", indent="  ", gap=False)
    if missing:
        names = dict.fromkeys(words.rule(c) for c in missing)
        listed = words.listing(names, None if verbose else 12)
        page.say(f"missing: {listed}", mark=mark, style=style, gap=False, wash=False)


def _troubles(page: _Page, report: Report, verbose: bool) -> None:
    """Cases without an answer, which no cause covers; with `verbose` all that did not pass."""
    seen = ("fail", "explained", "error", "timeout", "nondeterministic", "imprecise", "policy")
    wanted = seen if verbose else ("error", "timeout", "nondeterministic")
    cases = [case for case in report.cases if case.outcome in wanted and (verbose or not case.causes)]
    for case in cases if verbose else cases[:4]:
        detail = one_line(case.detail, 300)
        page.row(case.outcome, one_line(case.name) + (f": {detail}" if detail else ""))
    if not verbose and len(cases) > 4:
        page.row("", f"and {len(cases) - 4} more (--verbose)")


class _Page:
    """Lines in the making."""

    LABEL = 15

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[Line] = []

    def line(self, *pieces: Piece) -> None:
        self.lines.append(pieces)

    def gap(self) -> None:
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
        wash: bool = True,
    ) -> None:
        """A wrapped paragraph, behind a mark in the given style; `wash` gives the text weight as well."""
        if gap:
            self.gap()
        indent = f"{indent}{' ' * (len(mark) + 1) if mark else ''}"
        for i, row in enumerate(_wrap(text, self.width - len(indent))):
            first = (f"{mark} ", style) if mark and not i else (indent, "")
            self.line(first, (row, "strong" if wash and mark else ""))

    def row(self, label: str, text: str) -> None:
        """A label and its text, wrapped beside it."""
        for i, part in enumerate(_wrap(_tied(text), self.width - self.LABEL)):
            self.line((f"{'' if i else label:<{self.LABEL}}", "muted"), (part, ""))

    def paint(self, color: bool) -> str:
        """The page as text."""
        safe = [_safe(line) for line in self.lines]
        plain = ["".join(text for text, _ in line).rstrip() for line in safe]
        return "\n".join(_colored(safe) if color else plain) + "\n"


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
