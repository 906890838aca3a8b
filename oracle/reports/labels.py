"""HTML-like labels of DOT, in the subset that every layout engine draws alike.

Single font families only: a list, or a generic name, overflows its box in other engines. Marks stand in cells of
their own. Text is escaped here and nowhere else.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from oracle.reports.clean import one_line

SANS, MONO = "Arial", "Courier New"

NBSP = "&#160;"


def font(
    text: str,
    colour: str,
    size: int,
    *,
    bold: bool = False,
    italic: bool = False,
    mono: bool = False,
    raw: bool = False,
) -> str:
    """A piece of text; `raw` when it is escaped already."""
    inner = text if raw else escape(text)
    inner = f"<B>{inner}</B>" if bold else f"<I>{inner}</I>" if italic else inner
    face = f' FACE="{MONO}"' if mono else ""
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}"{face}>{inner}</FONT>'


def cell(content: str, align: str = "", *, span: int = 1) -> str:
    """A cell around labels, over `span` columns."""
    attributes = (f' COLSPAN="{span}"' if span > 1 else "") + (f' ALIGN="{align}"' if align else "")
    return f"<TD{attributes}>{content}</TD>"


def table(
    rows: Iterable[Sequence[str]], *, spacing: int = 0, padding: int = 0, extra: str = "", border: bool = True
) -> str:
    """Rows of cells; `extra` holds more attributes, which name the border themselves when `border` is false."""
    look = f'CELLBORDER="0" CELLSPACING="{spacing}" CELLPADDING="{padding}"'
    look = ('BORDER="0" ' if border else "") + look + (f" {extra}" if extra else "")
    body = "".join(f"<TR>{''.join(row)}</TR>" for row in rows)
    return f"<TABLE {look}>{body}</TABLE>"


def escape(text: str) -> str:
    """Text inside a label. Never empty, which layout engines refuse; no backslash, which they interpret."""
    return html.escape(one_line(text)).replace("\\", "&#92;") or NBSP


def quoted(text: str) -> str:
    """Text of an attribute. It is neither markup nor an escape, and never a label in angle brackets."""
    from graphviz import escape as literal

    return str(literal(html.escape(text)))
