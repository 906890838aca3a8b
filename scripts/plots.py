"""Plots of gallery and training, in the look of the graphs: matplotlib to SVG that turns dark where its reader
prefers it."""

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


def moons(
    points: Sequence[tuple[float, float]],
    sides: Sequence[float],
    xs: Sequence[float],
    ys: Sequence[float],
    scores: Sequence[Sequence[float]],
) -> str:
    """Points on both sides of the line where a network's score is 0; scores are a grid's, a row for each y."""
    figure, axes = canvas("two moons, and the line that an MLP(2, [16, 16, 1]) draws", "x")
    reach = 1 + max(abs(score) for row in scores for score in row)
    axes.contourf(
        xs, ys, scores, levels=[-reach, 0.0, reach], colors=[INK["inherited.fill"], INK["match.header"]]
    )
    axes.contour(xs, ys, scores, levels=[0.0], colors=[INK["muted"]], linewidths=1.8)
    for side, colour, marker in ((1.0, INK["torch"], "o"), (-1.0, INK["yours"], "s")):
        mine = [point for point, s in zip(points, sides, strict=True) if s == side]
        axes.plot(*zip(*mine, strict=True), marker, color=colour, markersize=5, markeredgecolor=INK["ground"])
    axes.grid(visible=False)
    return svg(figure)


def descent(losses: Sequence[float], accuracies: Sequence[float]) -> str:
    """The loss before every step, and beside it the share of points that are right."""
    figure, axes = canvas("two moons: loss and accuracy", "step")
    axes.plot(losses, color=INK["yours"], linewidth=2.4)
    axes.plot(accuracies, color=INK["torch"], linewidth=2.4)
    axes.set_ylim(0, 1.08)
    for words, numbers, colour in (
        (f"loss {losses[-1]:.3f}", losses, "yours"),
        (f"accuracy {accuracies[-1]:.0%}", accuracies, "torch"),
    ):
        axes.annotate(
            words, (len(numbers) - 1, numbers[-1]), (0, 7), textcoords="offset points",
            color=INK[colour], ha="right", fontsize=12, weight="bold",
        )  # fmt: skip
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
