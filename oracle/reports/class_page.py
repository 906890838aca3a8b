"""A class as one HTML page: what is wrong and how often, and every submission by level. No script, no request."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import quote

from oracle.floats import decimal
from oracle.report import Report
from oracle.reports import class_, facts, words
from oracle.reports.class_ import Entry, Group
from oracle.reports.clean import inert, no_command, one_line

BARS = 16
"""Defects with a bar of their own."""


def render(entries: Sequence[Entry], notes: Sequence[str] = ()) -> str:
    """The page as HTML text; every submission links to `FILE.html` beside it."""
    import dataclasses

    entries = [dataclasses.replace(entry, report=inert(entry.report)) for entry in entries]
    levels = list(dict.fromkeys(level for entry in entries for level in entry.report.levels))
    found = class_.groups(entries)
    codes = [entry.report.exit_code for entry in entries]
    return no_command(
        _template().render(
            css=_css(),
            headline=class_.headline(entries),
            tone="bad" if any(codes) else "ok",
            mark=words.MARKS["bad" if any(codes) else "ok"],
            share=_share(codes),
            bars=_bars(found, len(entries)),
            groups=[_group(group) for group in found],
            levels=levels,
            scores=any(entry.report.score is not None for entry in entries),
            rows=[_row(entry, levels) for entry in entries],
            facts=_facts(entries),
            notes=[one_line(note) for note in notes],
        )
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("oracle", "reports/templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined).get_template("class.html")


def _css() -> Any:
    from importlib.resources import files

    from markupsafe import Markup

    folder = files("oracle").joinpath("reports/templates")
    return Markup("".join(folder.joinpath(f).read_text(encoding="utf-8") for f in ("page.css", "class.css")))


def _share(codes: Sequence[int]) -> list[dict[str, Any]]:
    """The parts of the bar that shows how many conform, in per cent of the class."""
    kinds = (
        ("ok", "✓ conform", codes.count(0)),
        ("bad", "✗ do not conform", codes.count(1)),
        ("note", "△ not graded", sum(code not in (0, 1) for code in codes)),
    )
    at, parts = 0.0, []
    for tone, said, n in kinds:
        width = 100 * n / max(1, len(codes))
        if n:
            parts.append({"tone": tone, "said": said, "n": n, "x": round(at, 3), "width": round(width, 3)})
        at += width
    return parts


def _bars(found: Sequence[Group], size: int) -> list[dict[str, Any]]:
    most = max((len(group.members) for group in found), default=1)
    return [
        {
            "n": len(group.members),
            "width": round(100 * len(group.members) / most, 2),
            "percent": f"{100 * len(group.members) / max(1, size):.0f} %",
            "sentence": one_line(group.sentence, 160),
            "tone": "note" if group.kind == "lost" else "bad",
            "number": number,
        }
        for number, group in enumerate(found[:BARS], 1)
    ]


def _group(group: Group) -> dict[str, Any]:
    return {
        "count": words.count(len(group.members), "submission"),
        "sentence": one_line(group.sentence, 200),
        "tone": "note" if group.kind == "lost" else "bad",
        "members": [
            {
                "name": one_line(e.name, 60),
                "link": _link(e, f"#cause-{n}" if n else ""),
                "why": _why(e.report),
            }
            for e, n in group.members
        ],
    }


def _why(report: Report) -> str:
    return "" if report.exit_code in (0, 1) else one_line(report.error or "", 200)


def _link(entry: Entry, anchor: str = "") -> str:
    """To a submission's page: a relative address, so that no name can lead elsewhere."""
    return f"./{quote(entry.file)}.html{anchor}"


def _row(entry: Entry, levels: Sequence[str]) -> dict[str, Any]:
    report = entry.report
    tone, said = class_.verdict(report)
    score = report.score
    return {
        "name": one_line(entry.name, 48),
        "link": _link(entry),
        "tone": tone,
        "mark": words.MARKS[tone],
        "said": said,
        "score": "" if score is None else decimal(score.earned),
        "of": "" if score is None else decimal(score.of),
        "cells": [_cell(entry, level) for level in levels],
    }


def _cell(entry: Entry, level: str) -> dict[str, str]:
    """One level of one submission: how much of it is right, linked to the cause that it fails by."""
    report = entry.report
    right, ran = class_.passed(report.levels.get(level, {}))
    cases = [case for case in report.cases if case.level == level]
    wanted = words.demanded(report)
    first = next(
        (
            n
            for n, cause in enumerate(wanted, 1)
            if any(report.causes[i] is cause for case in cases for i in case.causes)
        ),
        0,
    )
    failing = first or any(c.outcome in ("fail", "error", "timeout", "nondeterministic") for c in cases)
    tone = "none" if not ran else "bad" if failing and report.exit_code else "ok"
    return {
        "tone": tone,
        "mark": {"none": "–", "bad": "✗", "ok": "✓"}[tone],
        "text": f"{right}/{ran}" if ran else "",
        "link": _link(entry, f"#cause-{first}" if first else "#cases"),
        "label": f"{level}: {right} of {ran} cases passed" if ran else f"{level}: nothing ran",
    }


def _facts(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """How the class was graded: what all reports have in common, and what differs among them."""
    reports = [entry.report for entry in entries]
    rows = [
        ("profile", [report.profile for report in reports]),
        ("reference", [facts.reference(report) for report in reports]),
        ("suite", [report.suite for report in reports]),
        ("isolation", [report.isolation for report in reports if report.isolation]),
    ]
    said = [(label, words.listing(dict.fromkeys(values))) for label, values in rows if values]
    checking = sum(report.seconds for report in reports)
    return [
        *said,
        ("checking", f"{checking:,.1f} s in all, {checking / max(1, len(reports)):.2f} s a submission"),
    ]
