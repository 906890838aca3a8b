"""What changed, for readers: against a baseline, with what to do about it, or between two reports."""

from __future__ import annotations

from collections.abc import Sequence

from oracle.report import Change, Comparison, Report
from oracle.reports import words
from oracle.reports.clean import no_command, one_line

_TRENDS = {"worse": "bad", "better": "ok", "other": "note"}


def verdict(comparison: Comparison) -> tuple[str, str]:
    """The mark and the sentence that comes first."""
    failing = sum(change.fails for change in comparison.changes)
    said = f"{words.count(failing, 'change')} that the gate does not accept" if failing else "no change"
    if n := len(comparison.accepted):
        said += f"; {words.count(n, 'cause')} {'is' if n == 1 else 'are'} accepted"
    return "bad" if failing else "ok", f"Against {one_line(comparison.name, 120)}: {said}."


def sentence(change: Change) -> str:
    """A change since a baseline, and what to do about it."""
    return one_line(f"{change.text} {change.advice}")


def rows(comparison: Comparison) -> list[tuple[str, str]]:
    """Every change, and everything that is accepted: mark and sentence."""
    found = [("bad" if change.fails else "note", sentence(change)) for change in comparison.changes]
    return found + [("", f"accepted: {one_line(text)}") for text in comparison.accepted]


def failing(report: Report) -> list[Change]:
    """The changes by which the gate fails although no cause in the report stands for them."""
    changes = report.baseline.changes if report.baseline is not None else ()
    return [change for change in changes if change.fails and change.cause is None]


def render(comparison: Comparison) -> str:
    """The comparison with a baseline as text: the verdict, every change, and what is accepted."""
    mark, said = verdict(comparison)
    lines = [f"{words.MARKS[mark]} {said}"]
    lines += [f"  {words.MARKS[mark]} {text}" if mark else f"  {text}" for mark, text in rows(comparison)]
    return no_command("\n".join(lines)) + "\n"


def render_between(old: str, new: str, changes: Sequence[Change]) -> str:
    """The difference of two reports as text; `old` and `new` are their names."""
    counts = {trend: sum(change.trend == trend for change in changes) for trend in _TRENDS}
    said = [
        f"{words.count(counts[trend], 'thing')} got {trend}" for trend in ("worse", "better") if counts[trend]
    ]
    mark = "bad" if counts["worse"] else "ok"
    known = words.listing(said) or ("nothing got worse or better" if changes else "no difference")
    lines = [f"{words.MARKS[mark]} {one_line(old)} → {one_line(new)}: {known}."]
    lines += [f"  {words.MARKS[_TRENDS[change.trend]]} {one_line(change.text)}" for change in changes]
    return no_command("\n".join(lines)) + "\n"
