"""What more than one verb has: options (what readers of a report may see, what it is worth), and complaints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import click

from oracle.report import Detail, Report

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Reader:
    """Who reads the reports: by which rubric they are scored, and what is withheld. See `oracle.redact`."""

    detail: Detail = "full"
    hints: int = 3
    hidden: tuple[str, ...] = ()
    rubric: Any = None

    @classmethod
    def of(cls, detail: Detail, hints: int, hidden: tuple[str, ...], rubric: str | None) -> Reader:
        """From the options of a verb. Raises click.UsageError with a sentence."""
        from oracle import suite
        from oracle.rubric import RubricError, read

        for glob in hidden:
            if not any(suite.select(pattern=glob)):
                raise click.UsageError(
                    f"--hide {glob}: no case has a name like that; a name is level/short-name"
                )
        try:
            return cls(detail, hints, hidden, None if rubric is None else read(Path(rubric)))
        except RubricError as problem:
            raise click.UsageError(f"--rubric {problem}") from None

    @property
    def sees_all(self) -> bool:
        return self.detail == "full" and self.hints == 3 and not self.hidden

    def show(self, report: Report) -> Report:
        """The report as this reader gets it: scored as a whole, then redacted."""
        from oracle.redact import redact

        scored = report if self.rubric is None else self.rubric.scored(report)
        return redact(scored, self.detail, self.hints, self.hidden)


def complain(sentence: str) -> None:
    """Say on stderr what went wrong. What a subject put into the sentence is no command to a CI runner."""
    from oracle.reports.clean import no_command

    click.echo(no_command(sentence), err=True)


def reader_options(verb: F) -> F:
    """`--rubric`, `--detail`, `--hints` and `--hide`, for `Reader.of`."""
    for option in (
        click.option("--hide", "hidden", multiple=True, metavar="GLOB", help="cases that are run, not shown"),
        click.option(
            "--hints", type=click.IntRange(0, 3), default=3, show_default=True, help="depth of hints"
        ),
        click.option(
            "--detail",
            type=click.Choice(get_args(Detail)),
            default="full",
            show_default=True,
            help="numbers shown",
        ),
        click.option("--rubric", type=click.Path(dir_okay=False), metavar="FILE", help="points, in TOML"),
    ):
        verb = option(verb)
    return verb
