"""The colours of pictures and pages: one role, one colour, in light and in dark.

Two roles never share a colour, so that a block of CSS attribute selectors turns a light picture dark. All pairs
of text and ground have a contrast of at least 4.5; no meaning rests on colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Theme = Literal["light", "dark"]

ROLES: Mapping[str, tuple[str, str]] = {
    # role: (light, dark)
    "ground": ("#FFFFFF", "#0B1220"),
    "text": ("#0F172A", "#E2E8F0"),
    "muted": ("#5B6B82", "#94A3B8"),
    "edge": ("#9AA8BA", "#56657A"),
    "yours": ("#B23A00", "#FF9E69"),
    "torch": ("#00598D", "#6CC4F6"),
    "tick": ("#00598C", "#6CC4F5"),
    "match.fill": ("#F8FAFC", "#111A2B"),
    "match.header": ("#E8EDF3", "#1E293B"),
    "match.line": ("#A3B1C2", "#4B5B71"),
    "match.text": ("#334155", "#CBD5E1"),
    "match.title": ("#334156", "#CBD5E2"),
    "inherited.fill": ("#FFFBEB", "#1F1808"),
    "inherited.header": ("#FBE3A8", "#4A3608"),
    "inherited.line": ("#B07400", "#E6A93C"),
    "inherited.text": ("#5C3D00", "#F5DFB0"),
    "inherited.title": ("#4A3100", "#FBE7BE"),
    "culprit.fill": ("#FFF4EE", "#2A1208"),
    "culprit.header": ("#B03A00", "#FF8A4C"),
    "culprit.line": ("#AE3900", "#FF8A4D"),
    "culprit.text": ("#3B1200", "#FFE3D3"),
    "culprit.title": ("#FFFFFE", "#2B0E00"),
    "folded.fill": ("#F1F5F9", "#0F172B"),
    "folded.line": ("#94A3B9", "#5C6B85"),
    "folded.text": ("#475569", "#94A3B9"),
}


def colours(theme: Theme) -> dict[str, str]:
    """Every role's colour in a theme."""
    return {role: pair[theme == "dark"] for role, pair in ROLES.items()}


def dark_css(within: str) -> str:
    """CSS that shows a light SVG inside the selector `within` in the dark theme, where the reader prefers it."""
    rules = "".join(
        f'{within} [{attribute}="{light}" i]{{{attribute}:{dark}}}'
        for light, dark in ROLES.values()
        for attribute in ("fill", "stroke")
    )
    return f"@media (prefers-color-scheme:dark){{{rules}}}"
