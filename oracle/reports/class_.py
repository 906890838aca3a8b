"""Many reports as one: the class in JSON, as a table of values, on one screen."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from oracle.floats import decimal
from oracle.report import Cause, Report
from oracle.reports import words
from oracle.reports.clean import inert, no_command, one_line

SCHEMA = "oracle/grade/1"

Defect = tuple[str, ...]
"""What makes causes of two submissions the same one."""


@dataclass(frozen=True)
class Entry:
    """One submission: its name, where it is, the file that its page is in without the ending, and its report."""

    name: str
    path: str
    file: str
    report: Report


@dataclass(frozen=True)
class Group:
    """A defect and those who have it: for each the number of the cause in its report's page, 0 for none."""

    sentence: str
    kind: str
    members: tuple[tuple[Entry, int], ...]


def verdict(report: Report) -> tuple[str, str]:
    """The mark and the words for one submission in a table."""
    if report.exit_code == 0:
        return "ok", "conforms"
    if report.exit_code == 1:
        return "bad", "fails"
    return "note", {3: "not loaded", 5: "nothing checked"}.get(report.exit_code, "not graded")


_LOST = {3: "could not be loaded, or has no backward to test", 5: "has nothing that could be checked"}


def headline(entries: Sequence[Entry]) -> str:
    """ "23 submissions: 9 conform, 12 do not, 2 could not be loaded." """
    codes = [entry.report.exit_code for entry in entries]
    said = [f"{codes.count(0)} {'conforms' if codes.count(0) == 1 else 'conform'}"]
    said += [f"{codes.count(1)} {'does' if codes.count(1) == 1 else 'do'} not"] * (1 in codes)
    said += [f"{codes.count(3)} could not be loaded"] * (3 in codes)
    other = sum(code not in (0, 1, 3) for code in codes)
    said += [f"{other} could not be graded"] * (other > 0)
    return f"{words.count(len(entries), 'submission')}: {', '.join(said)}."


def groups(entries: Sequence[Entry]) -> list[Group]:
    """The defects of a class, the most frequent first; what could not be graded comes last."""
    found: dict[Defect, list[tuple[Entry, int]]] = {}
    said: dict[Defect, tuple[str, str]] = {}

    def add(key: Defect, sentence: str, kind: str, entry: Entry, number: int) -> None:
        said.setdefault(key, (sentence, kind))
        if all(member is not entry for member, _ in found.setdefault(key, [])):
            found[key].append((entry, number))

    for entry in entries:
        report = entry.report
        if report.exit_code not in (0, 1):
            sentence = _LOST.get(report.exit_code, "could not be graded")
            add(("lost", sentence), sentence, "lost", entry, 0)
            continue
        for number, cause in enumerate(words.demanded(report), 1):
            add(("cause", *map(str, cause.fingerprint)), general(cause), cause.kind, entry, number)
        if report.unexplained:
            add(("unexplained",), "wrong numbers without an explanation", "unexplained", entry, 0)
        if report.exit_code == 1 and not words.demanded(report) and not report.unexplained:
            add(("unseen",), "no defect that is shown, but it does not conform", "unexplained", entry, 0)
    order = sorted(found, key=lambda key: (key[0] == "lost", -len(found[key]), said[key]))
    return [Group(*said[key], tuple(found[key])) for key in order]


def general(cause: Cause) -> str:
    """A cause's sentence without the numbers of one engine."""
    sentence = words.sentence(cause)
    for mark in (": at ", " at (", " (AttributeError", " (TypeError"):
        sentence = sentence.partition(mark)[0]
    return sentence


def to_json(
    entries: Sequence[Entry], *, complete: bool = True, shard: tuple[int, int] | None = None, seed: str = ""
) -> dict[str, object]:
    """The class as plain JSON data.

    complete  whether every submission (of the shard) is in it; shard (i, n): the i-th of n parts, i from 1
    """
    from oracle.reports.json_ import to_json as report_json

    return {
        "schema": SCHEMA,
        "complete": complete,
        "shard": None if shard is None else list(shard),
        "seed": seed,
        "submissions": [
            {
                "name": one_line(e.name),
                "path": one_line(e.path),
                "file": e.file,
                "exit_code": e.report.exit_code,
            }
            for e in entries
        ],
        "reports": [report_json(entry.report) for entry in entries],
    }


def to_csv(entries: Sequence[Entry]) -> str:
    """A line for each submission; for each level the cases that passed and those that count against them."""
    levels = list(dict.fromkeys(level for entry in entries for level in entry.report.levels))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    header = ["name", "path", "verdict", "exit_code", "score", "of"]
    header += [f"{level} {what}" for level in levels for what in ("passed", "of")]
    writer.writerow([*header, "causes", "unexplained", "error", "seed", "sha256", "seconds"])
    for entry in entries:
        report = inert(entry.report)
        score = report.score
        row: list[object] = [one_line(entry.name), one_line(entry.path), verdict(report)[1], report.exit_code]
        row += ["", ""] if score is None else [decimal(score.earned), decimal(score.of)]
        row += [n for level in levels for n in passed(report.levels.get(level, {}))]
        causes = "; ".join(words.sentence(cause) for cause in words.demanded(report))
        row += [causes, report.unexplained, one_line(report.error or ""), report.seed, report.subject.sha256]
        writer.writerow([_cell(x) for x in [*row, f"{report.seconds:.1f}"]])
    return text.getvalue()


def _cell(x: object) -> object:
    """Text that a spreadsheet would take for a formula stays text."""
    return f"'{x}" if isinstance(x, str) and x.startswith(("=", "+", "-", "@", "\t")) else x


def passed(counts: Mapping[str, int]) -> tuple[int, int]:
    """Cases that passed, of those that ran."""
    ran = sum(counts.values()) - counts.get("unsupported", 0) - counts.get("not run", 0)
    return counts.get("pass", 0), ran


def screen(entries: Sequence[Entry], notes: Sequence[str] = ()) -> str:
    """The class on a terminal: the verdict, the defects by frequency, where to read on."""
    bad = any(entry.report.exit_code for entry in entries)
    lines = [f"{words.MARKS['bad' if bad else 'ok']} {headline(entries)}", ""]
    found = groups(entries)
    for group in found[:20]:
        who = words.listing((one_line(entry.name, 30) for entry, _ in group.members), 4)
        lines.append(f"{len(group.members):5}  {one_line(group.sentence, 90)}")
        lines.append(f"       {who}")
    lines += [f"       and {len(found) - 20} more kinds of defects"] * (len(found) > 20)
    lines += [""] * bool(found)
    return no_command("\n".join([*lines, *notes]).rstrip("\n")) + "\n"
