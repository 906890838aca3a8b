"""The table of a training run: a line for every backward call, the many good ones thinned out."""

from __future__ import annotations

import math
from collections.abc import Callable

from oracle.floats import short
from oracle.trajectory.steps import Step

MARKS = {"ok": "✓", "wrong": "✗", "training": "✗"}

ALL = 10
"""Good steps that are shown one by one; then every tenth, from 100 every hundredth, and so on."""

VISIBLE = 1e-12
"""Losses that are nearer (relative) are shown in ten digits; what a loss loses in rounding is no news."""

BAD = 10
"""Bad steps that are shown one by one."""

HEADER = f"{'step':>6}  {'line':>5}  {'values':>8}  {'loss':<16}  {'PyTorch':<16}  what was updated"


class Table:
    """Give it steps; it tells lines. verbose: every step has one."""

    def __init__(self, tell: Callable[[str], None], verbose: bool = False) -> None:
        self.tell, self.verbose = tell, verbose
        self.shown = self.bad = 0

    def __call__(self, step: Step) -> None:
        bad = step.word in ("wrong", "training")
        self.bad += bad
        if self.verbose or (bad and self.bad <= BAD) or thinned(step.number):
            if not self.shown:
                self.tell(HEADER)
            self.shown += 1
            self.tell(line(step))


def thinned(number: int) -> bool:
    """Whether a step is one of those that are shown: 1 to 10, 20 … 100, 200 … 1000, and so on."""
    every = 1
    while number > ALL * every:
        every *= 10
    return number % every == 0


def line(step: Step) -> str:
    """One step on a line: loss, PyTorch's for the same leaves, the verdict, and how parameters were updated."""
    mine, torch = f"{step.loss:.10g}", "" if step.torch is None else f"{step.torch:.10g}"
    if step.torch is not None and not math.isclose(step.loss, step.torch, rel_tol=VISIBLE):
        mine, torch = short(step.loss, step.torch), short(step.torch, step.loss)
    said = [step.detail if step.word in ("wrong", "training") else step.detail or step.word]
    if step.word == "ok":
        said = [part for part in (step.update, step.detail) if part]
    elif step.update and step.word == "training":
        said = [step.detail, step.update]
    mark = "△" if step.word == "ok" and step.odd else MARKS.get(step.word, "△")
    text = f"{step.number:>6}  {step.line:>5}  {step.size:>8,}  {mine:<16}  {torch:<16}  {mark} {', '.join(said)}"
    return text.rstrip()
