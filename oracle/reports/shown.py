"""A report that shows itself: as its page where a notebook is run, as the terminal's screen where it is printed."""

from __future__ import annotations

import dataclasses
from html import escape
from typing import Any

from oracle.report import Report
from oracle.reports import facts, html_, text, words

SHORT, LINE, LONG = 300, 28, 780
"""Pixels of the page in a notebook, before its reader makes it larger: of one that says little, more for every
line, and the most."""


class Shown(Report):
    """A report for whoever works in Python."""

    @classmethod
    def of(cls, report: Report) -> Shown:
        return cls(**{field.name: getattr(report, field.name) for field in dataclasses.fields(report)})

    def __repr__(self) -> str:
        return f"<{facts.verdict(self)[1].rstrip('.')}>"

    def __str__(self) -> str:
        return text.render(self).rstrip("\n")

    def _repr_html_(self) -> str:
        """The page in a frame of its own, so that no style of the notebook's changes it, nor its own the notebook."""
        page = escape(html_.render(self))
        height = LONG if self.exit_code == 1 else min(LONG, SHORT + LINE * len(words.others(self)))
        return (
            f'<div style="height:{height}px;resize:vertical;overflow:hidden">'
            f'<iframe title="{escape(facts.verdict(self)[1])}" sandbox srcdoc="{page}" '
            'style="width:100%;height:100%;border:0;display:block"></iframe></div>'
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))
