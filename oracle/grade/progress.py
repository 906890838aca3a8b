"""Progress of a class: a bar with rate and remaining time on a terminal, a line now and then in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from oracle.grade.run import Tell
from oracle.report import Report

EVERY = 20.0
"""Seconds between two lines in a log."""


@contextmanager
def meter(stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> Iterator[Tell]:
    """What `grade_all` tells, shown on stderr."""
    stream = stream or sys.stderr
    if stream.isatty():
        with _bar(stream) as tell:
            yield tell
    else:
        yield _Log(stream, clock)


class _Log:
    """Lines for a log: the first, one every 20 seconds, the last."""

    def __init__(self, stream: TextIO, clock: Callable[[], float]) -> None:
        self._stream, self._clock = stream, clock
        self._began = self._last = clock()
        self._before = 0

    def __call__(self, done: int, of: int, last: Report | None) -> None:
        now = self._clock()
        if last is None:
            self._before = done
            there = f", {done} of them unchanged since the last run" if done else ""
            print(f"grade: {of} submissions{there}", file=self._stream, flush=True)
        elif done == of or now - self._last >= EVERY:
            self._last = now
            rate = (done - self._before) / max(now - self._began, 1e-9)
            left = (
                f", about {_span((of - done) / rate)} left"
                if done < of
                else f" in {_span(now - self._began)}"
            )
            print(f"grade: {done} of {of}, {rate:.1f} a second{left}", file=self._stream, flush=True)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


@contextmanager
def _bar(stream: TextIO) -> Iterator[Tell]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("grading"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("[dim]left  {task.fields[wrong]}", markup=True),
    )
    with Progress(
        *columns, console=Console(file=stream), transient=True, speed_estimate_period=120
    ) as progress:
        task = progress.add_task("grading", total=None, rate="", wrong="")
        wrong = before = 0

        def tell(done: int, of: int, last: Report | None) -> None:
            nonlocal wrong, before
            if last is None:
                before = done
            elif last.exit_code:
                wrong += 1
            elapsed = progress.tasks[0].elapsed or 0.0
            rate = f"{(done - before) / elapsed:.1f} a second" if elapsed and done > before else ""
            said = f"{wrong} with defects" if wrong else ""
            progress.update(task, total=of, completed=done, rate=rate, wrong=said)

        yield tell
