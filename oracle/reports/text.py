"""The terminal's screen: the verdict, what to repair and where, what else is known. Plain text, or in colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from oracle.report import Cause, Example, Report
from oracle.reports import facts, words
from oracle.reports.clean import inert, one_line
from oracle.reports.page import Page

IN_FULL = 3
"""Demanded causes that are told in full; the others get a line each."""

CODE_LINES = 14
"""Lines of an example shown before it is cut."""

BRIEF = 8
"""Lines for causes that are only stated."""


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
    page = Page(max(40, min(width, 110)))
    mark, headline = facts.verdict(report)
    page.say(headline, mark=words.MARKS[mark], style=mark, gap=False)
    wrong = words.demanded(report)
    for number, cause in enumerate(wrong, 1):
        if verbose or number <= IN_FULL:
            _cause(page, cause, number if len(wrong) > 1 else None, words.unit(report), verbose)
    if not verbose and len(wrong) > IN_FULL:
        _brief(page, report, wrong[IN_FULL:], "bad", verbose)
    if balance := facts.balance(report):
        page.say(balance)
    _brief(page, report, words.others(report), "note", verbose)
    if report.cases:
        page.gap()
        if report.exit_code == 0 or verbose:
            for label, text in facts.tested(report):
                page.row(label, text)
        page.row(f"{words.unit(report)}s", facts.tally(report))
        if said := facts.score(report):
            page.row("score", one_line(said))
        _troubles(page, report, verbose)
    if verbose:
        for part, how in report.subject.found.items():
            page.row("found", f"{part}: {how}")
    for note in (*report.notes, *notes):
        page.row("note", one_line(note, 600))
    for path in pictures:
        page.row("picture", one_line(str(path)))
    page.row("run", facts.run_facts(report))
    if again := facts.rerun(report):
        page.row("again", again)
    return page.paint(color)


def wants_color(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether a stream is a terminal whose user has not asked for plain text (https://no-color.org)."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def _cause(page: Page, cause: Cause, number: int | None, unit: str, verbose: bool) -> None:
    """One cause in full: the rule, its place, the example, its reach, a hint."""
    page.gap()
    title = f"{number}. {words.sentence(cause)}" if number else words.sentence(cause)
    page.say(title, mark=words.MARKS["bad"], style="bad", gap=False)
    where = words.place(cause)
    if where or cause.kind != "missing":
        page.line(
            ("  ", ""), (f"at {where}" if where else "the line is not known", "strong" if where else "muted")
        )
    if cause.example is not None and cause.example.code.strip():
        _example(page, cause.example, verbose)
    reach = words.explains(cause, unit)
    if reach:
        page.say(reach[0].upper() + reach[1:] + ".", indent="  ", gap=False)
    hints = [hint for hint in cause.hints if hint.strip()]
    for label, hint in zip(("Hint", "Why", "Repair"), hints if verbose else hints[:1], strict=False):
        page.say(f"{label}: {one_line(hint)}", indent="  ", gap=False)


def _example(page: Page, example: Example, verbose: bool) -> None:
    """The lines to paste, with both numbers behind the last of them."""
    lines, comment = words.code(example)
    hidden = 0 if verbose else max(0, len(lines) - CODE_LINES)
    page.gap()
    for line in lines[: len(lines) - 1 - hidden]:
        page.line((f"      {line}", ""))
    if hidden:
        page.line((f"      # … {words.count(hidden, 'line')} not shown (--verbose)", "muted"))
    yours, theirs = words.pair(example.yours, words.correct(example))
    numbers = [("   # yours ", "muted"), (yours, "bad")]
    numbers += [] if words.untold(example) else [("   PyTorch ", "muted"), (theirs, "want")]
    page.line((f"      {lines[-1]}", ""), *(numbers if comment else ()))
    page.gap()


def _brief(page: Page, report: Report, causes: Sequence[Cause], style: str, verbose: bool) -> None:
    """Causes in a line each; missing operations of one kind share a line."""
    if not causes:
        return
    page.gap()
    mark = words.MARKS[style]
    missing = [cause for cause in causes if cause.severity == "missing" and cause.mistake is None]
    rest = [cause for cause in causes if cause not in missing]
    rest.sort(key=lambda cause: cause.severity != "missing")  # a misnamed method is there, under another name
    shown = len(rest) if verbose else BRIEF
    for cause in rest[:shown]:
        own = (
            style == "note" and cause.line and cause.file and (report.subject.file or "").endswith(cause.file)
        )
        where = f"line {cause.line}" if own else words.place(cause)
        text = f"{cause.severity}: {words.sentence(cause)}" + (f" ({where})" if where else "")
        page.say(text, mark=mark, style=style, gap=False, heavy=False)
    if len(rest) > shown:
        page.say(f"and {len(rest) - shown} more (--verbose)", indent="  ", gap=False)
    if missing:
        names = dict.fromkeys(words.rule(c) for c in missing)
        listed = words.listing(names, None if verbose else 12)
        page.say(f"missing: {listed}", mark=mark, style=style, gap=False, heavy=False)


def _troubles(page: Page, report: Report, verbose: bool) -> None:
    """Cases without an answer, which no cause covers; with `verbose` all that did not pass."""
    seen = ("fail", "explained", "error", "timeout", "nondeterministic", "imprecise", "policy")
    wanted = seen if verbose else ("error", "timeout", "nondeterministic")
    cases = [case for case in report.cases if case.outcome in wanted and (verbose or not case.causes)]
    for case in cases if verbose else cases[:4]:
        detail = one_line(case.detail, 300)
        page.row(case.outcome, one_line(case.name) + (f": {detail}" if detail else ""))
    if not verbose and len(cases) > 4:
        page.row("", f"and {len(cases) - 4} more (--verbose)")
