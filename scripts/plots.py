"""Plots of the gallery, in the look of the graphs: matplotlib to SVG that turns dark where its reader prefers it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from typing import Any

from oracle.reports.palette import ROLES, colours

INK = colours("light")


def parabola(f: Callable[[float], float], points: Sequence[tuple[float, float]]) -> str:
    """The curve of f = 3x² - 4x + 5, with its tangents: points are (x, slope)."""
    figure, axes = canvas("f(x) = 3x² - 4x + 5, and its slopes by backward", "x")
    xs = [-1.5 + 0.05 * i for i in range(115)]
    axes.plot(xs, [f(x) for x in xs], color=INK["torch"], linewidth=2.4)
    for x, slope in points:
        reach = 1.2 / (1 + abs(slope) / 30)  # steep tangents are long enough
        ends = [x - reach, x + reach]
        axes.plot(ends, [f(x) + slope * (end - x) for end in ends], color=INK["yours"], linewidth=1.8)
        axes.plot([x], [f(x)], "o", color=INK["yours"], markersize=7)
        where = "2/3" if x == 2 / 3 else f"{x:g}"
        axes.annotate(
            f"slope {slope:g} at {where}", (x, f(x)), (14, -16), textcoords="offset points", color=INK["yours"],
            fontsize=12, weight="bold",
        )  # fmt: skip
    axes.set_ylim(bottom=0)
    return svg(figure)


def losses(numbers: Sequence[float]) -> str:
    """The loss after every step."""
    figure, axes = canvas("the loss of an MLP(3, [4, 4, 1]) on four points", "step")
    axes.plot(
        range(len(numbers)), numbers, "o-", color=INK["torch"], linewidth=2.4, markersize=5, clip_on=False
    )
    axes.set_ylim(bottom=0)
    axes.set_xticks(range(0, len(numbers), 2))
    return svg(figure)


def canvas(title: str, below: str) -> tuple[Any, Any]:
    """An empty figure and its axes."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "minigrad"  # the same plot is the same file
    figure = Figure(figsize=(6.4, 3.8), layout="constrained", facecolor=INK["ground"])
    axes = figure.add_subplot(facecolor=INK["ground"])
    axes.set_title(title, color=INK["text"], loc="left", weight="bold", fontsize=12, pad=12)
    axes.set_xlabel(below, color=INK["muted"])
    axes.grid(color=INK["match.header"])
    axes.set_axisbelow(True)
    axes.tick_params(colors=INK["muted"], length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(INK["match.line"])
    return figure, axes


def svg(figure: Any) -> str:
    """The figure as text. Matplotlib writes colours into `style`, so the dark theme is mapped there."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    rules = "".join(
        f'[style*="{what}: {light.lower()}"]{{{what}:{dark}!important}}'
        for light, dark in ROLES.values()
        for what in ("fill", "stroke")
    )
    style = f"<style>@media (prefers-color-scheme:dark){{{rules}}}</style>"
    return re.sub(r"(<svg[^>]*>)", rf"\1{style}", out.getvalue(), count=1)
