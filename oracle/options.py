"""Options that more than one verb takes: what the readers of a report may see, and what it is worth."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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


FUZZ = 50
"""Random programs where a token is given and no number of them."""


def words_of(
    *,
    profile: str = "lecture",
    required: Iterable[str] = (),
    strict: bool = False,
    levels: Iterable[str] = (),
    pattern: str = "*",
    fuzz: int = 0,
    seed: str = "",
) -> tuple[str, ...]:
    """The options of `oracle check` that a report depends on, as words for its `options`."""
    words = ["--profile", profile] if profile != "lecture" else []
    words += ["--require", ",".join(sorted(required))] if required else []
    words += ["--strict"] if strict else []
    words += [word for level in levels for word in ("--level", level)]
    words += ["--case", pattern] if pattern != "*" else []
    words += ["--fuzz", str(fuzz), "--seed", seed] if fuzz else []
    return tuple(words)


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
