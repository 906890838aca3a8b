"""Progress on a terminal: a line that moves while something takes long, and nothing where nobody looks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Tick = Callable[[int, int], None]
"""Told now and then: how many are done, and how many of them were found wrong."""


@contextmanager
def meter(what: str, total: int | None = None, shown: bool = True) -> Iterator[Tick]:
    """A line on stderr with number, rate and time, if that is a terminal. total: how many there will be.

    shown  False for something short, which is not worth a line
    """
    if not shown or not sys.stderr.isatty():
        yield lambda done, wrong: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(f"{what} {{task.completed:,.0f}}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[wrong]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=total, rate="", wrong="")

        def tick(done: int, wrong: int) -> None:
            seconds = progress.tasks[0].elapsed or 0.0
            rate = f"{done / seconds:,.0f} a second" if seconds else ""
            progress.update(task, completed=done, rate=rate, wrong=f"{wrong:,} fail" if wrong else "")

        yield tick
