"""GitHub Actions: annotations at the engine's own lines, and a Markdown summary of the run."""

from __future__ import annotations

import re

from oracle.report import Cause, Report
from oracle.reports import changes, facts, words
from oracle.reports.clean import inert, no_command, one_line
from oracle.reports.results import explanation

SHOWN = 10
"""Annotations of one type that GitHub shows for a step; the last of them counts the rest."""

SUMMARY_BYTES = 1_000_000
"""GitHub refuses a step summary above 1 MiB."""

LEVELS = ("error", "warning", "notice")

# The level of a cause that is only stated; a demanded one is an error.
_STATED = {"wrong": "warning", "imprecise": "warning", "missing": "notice", "policy": "notice"}


def render(report: Report) -> str:
    """Workflow commands, one a line: `::error file=…,line=…,title=…::message`."""
    report = inert(report)
    found: dict[str, list[str]] = {level: [] for level in LEVELS}
    mark, headline = facts.verdict(report)
    failing = "error" if report.exit_code else "warning"
    for cause in words.demanded(report):
        found[failing].append(_annotation(failing, cause))
    for change in report.baseline.changes if report.baseline else ():
        if change.cause is None:
            level = "error" if change.fails else "notice"
            found[level].append(_command(level, changes.sentence(change), title="baseline"))
    if mark == "bad" and (report.unexplained or not found["error"]):
        found["error"].append(_command("error", headline, title="oracle"))
    for cause in words.others(report):
        level = _STATED[cause.severity]
        found[level].append(_annotation(level, cause))
    return "".join(line for level in LEVELS for line in _limited(level, found[level]))


def summary(report: Report) -> str:
    """Markdown for `$GITHUB_STEP_SUMMARY`."""
    report = inert(report)
    mark, headline = facts.verdict(report)
    parts = [f"## {words.MARKS[mark]} {_inline(headline)}"]
    for cause in words.demanded(report):
        where = words.place(cause)
        parts.append(f"### {_inline(words.sentence(cause))}" + (f"\n\nat {_inline(where)}" if where else ""))
        if cause.example is not None and cause.example.code.strip():
            lines, comment = words.code(cause.example)
            parts.append(_fenced("\n".join(lines) + (f"   {comment}" if comment else "")))
        after = [f"{words.explains(cause).capitalize()}."] if words.explains(cause) else []
        after += [f"Hint: {cause.hints[0]}"] if cause.hints[0] else []
        if after:
            parts.append(_inline(" ".join(after)))
    if balance := facts.balance(report):
        parts.append(_inline(balance))
    if report.baseline is not None:
        told = [changes.verdict(report.baseline), *changes.rows(report.baseline)]
        marked = [_inline(f"{words.MARKS.get(mark, '')} {text}") for mark, text in told]
        parts.append("\n- ".join([f"**{marked[0]}**\n", *marked[1:]]))
    stated = [
        f"- {words.MARKS['note']} {cause.severity}: {_inline(words.sentence(cause))}"
        for cause in words.others(report)
    ]
    rows = [*facts.tested(report), ("cases", facts.tally(report)), ("run", facts.run_facts(report)),
            ("again", facts.rerun(report))]  # fmt: skip
    said = (f"| {_inline(label)} | {_inline(text)} |" for label, text in rows if text)
    table = ["| | |", "|---|---|", *said]
    parts += ["\n".join(stated)] * bool(stated) + ["\n".join(table)]
    kept, size = [], 0
    for part in parts:
        size += len(part.encode()) + 2
        if size > SUMMARY_BYTES:
            kept.append("… more was found than fits here.")
            break
        kept.append(part)
    return "\n\n".join(kept) + "\n"


def _annotation(level: str, cause: Cause) -> str:
    file, line = words.anchor(cause)
    return _command(level, explanation(cause), file=file, line=line, title=words.sentence(cause, 120))


def _limited(level: str, lines: list[str]) -> list[str]:
    if len(lines) <= SHOWN:
        return lines
    rest = words.count(len(lines) - SHOWN + 1, "more finding")
    return [*lines[: SHOWN - 1], _command(level, f"{rest}, not shown here: see the report.", title="oracle")]


def _command(level: str, message: str, **properties: str | int | None) -> str:
    """One workflow command. Only this function writes "::" at the start of a line."""
    given = ",".join(f"{name}={_property(str(x))}" for name, x in properties.items() if x is not None)
    return f"::{level} {given}::{_data(message)}\n"


def _data(text: str) -> str:
    return no_command(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def _inline(text: str) -> str:
    """Text between Markdown: punctuation is escaped, so that it links, mentions and marks up nothing."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#+!|~@$:])", r"\\\1", text)


def _fenced(code: str) -> str:
    """A code block whose fence is longer than any in the code."""
    longest = max(map(len, re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}python\n{no_command(code)}\n{fence}"
