"""Text that came from a subject, made harmless: no control characters, no escape sequences, no lone surrogates.

Every writer starts from `inert(report)`, so that what is left to a writer is its own format's escaping.
"""

from __future__ import annotations

import dataclasses
import posixpath
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from oracle.program import Program
from oracle.report import CaseResult, Example, Report, SubjectInfo

SHOWN = 2_000
"""Characters of one text from a subject that a report keeps."""

LOGGED = 100_000
"""Characters kept of text that is useless when cut: code to paste."""

_DONE = "_inert"
"""Mark of a report that is clean."""

T = TypeVar("T")

_ESCAPE_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movement
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, …: titles, links, images
    r"|\x1b[@-Z\\-_]"
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
# C0 and C1 controls but tab and newline; separators that some readers take for newlines; surrogates;
# marks that reverse the direction of text; byte order marks and noncharacters, which XML forbids.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufdd0-\ufdef\ufffe\uffff]"
    "|["
    + "".join(chr(plane * 0x10000 + 0xFFFE) + chr(plane * 0x10000 + 0xFFFF) for plane in range(1, 17))
    + "]"
)
# A runner reads `::command::` at the start of a line (after spaces), and `##[command]` anywhere.
_COMMAND_AT_START = re.compile(r"^(\s*):(?=:)", re.MULTILINE)
_COMMAND_ANYWHERE = re.compile(r"#(?=#\w*\[)")


def clean(text: str, limit: int = SHOWN) -> str:
    """The text without what can act on its reader, at most `limit` characters; `clean(clean(x)) == clean(x)`.

    Newlines become "\\n" and stay, as do tabs. What is cut off is counted in the last words.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text  # nearly every text of a report; a class has a million of them
    text = _ESCAPE_SEQUENCE.sub("", text[: 8 * limit]) if "\x1b" in text or "\x9b" in text else text
    text = _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if len(text) <= limit:
        return text
    note = f"… ({len(text) - limit:,} characters more)"
    return text[: limit - len(note)] + note


def one_line(text: str, limit: int = SHOWN) -> str:
    """`clean`, with every run of white space as one space, cut at `limit` characters by "…"."""
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def no_command(text: str) -> str:
    """Text for a log that a CI runner reads: none of its lines is a command to that runner."""
    return _COMMAND_ANYWHERE.sub("# ", _COMMAND_AT_START.sub(r"\1: ", text))


def inert(report: Report) -> Report:
    """The report as readers get it: every text cleaned, and files spelled as the user spelled the target.

    One that this function returned is returned as it is: a class is written in four formats from the same reports.
    """
    if _DONE in vars(report):
        return report
    report = _walk(report)
    causes = tuple(dataclasses.replace(c, file=_as_typed(c.file, report.subject)) for c in report.causes)
    report = dataclasses.replace(report, causes=causes)
    object.__setattr__(
        report, _DONE, True
    )  # no field: whatever is made from this report has to be cleaned again
    return report


def _as_typed(file: str | None, subject: SubjectInfo) -> str | None:
    """`/home/me/work/engine.py` as `engine.py`, when `engine.py` is what was asked for in `/home/me/work`."""
    target = posixpath.normpath(subject.target.partition(":")[0])
    found = subject.file or ""
    base = found.removesuffix(target)
    if file is None or not base.endswith("/") or base == found:
        return file
    return file.removeprefix(base)


def _walk(x: T) -> T:
    changed: Any = x
    if isinstance(x, str):
        changed = clean(x)
    elif isinstance(x, CaseResult):  # 2,000 a report, hardly ever with anything to clean
        texts = clean(x.name), clean(x.level), clean(x.outcome), clean(x.detail)
        if texts != (x.name, x.level, x.outcome, x.detail):
            changed = CaseResult(*texts[:3], x.causes, texts[3], x.seconds)
    elif isinstance(x, Program):
        labels = tuple((value, clean(name)) for value, name in x.labels)
        changed = dataclasses.replace(x, names=tuple(map(clean, x.names)), labels=labels)
    elif isinstance(x, Example):
        rest = {f.name: _walk(getattr(x, f.name)) for f in dataclasses.fields(x) if f.name != "code"}
        changed = Example(code=clean(x.code, LOGGED), **rest)
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        changed = type(x)(**{f.name: _walk(getattr(x, f.name)) for f in dataclasses.fields(x)})
    elif isinstance(x, tuple):
        changed = tuple(map(_walk, x))
    elif isinstance(x, Mapping):
        changed = {_walk(key): _walk(value) for key, value in x.items()}
    return changed  # type: ignore[no-any-return]
