"""What more than one verb has: options (what readers of a report may see, what it is worth), and complaints."""

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

        for glob in hidden:
            if not any(suite.select(pattern=glob)):
                raise click.UsageError(
                    f"--hide {glob}: no case has a name like that; a name is level/short-name"
                )
        if rubric is None:
            return cls(detail, hints, hidden)
        from oracle.rubric import RubricError, read

        try:
            return cls(detail, hints, hidden, read(Path(rubric)))
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


def one_subject(target: str | None, command: str | None) -> None:
    """Either a target or a command is to be given. Raises click.UsageError."""
    if (target is None) == (command is None):
        raise click.UsageError("give a TARGET, or a command with --exec: one of the two")


def say_if_weak(isolation: str, tier: str | None, weak: bool) -> None:
    """A user who has not asked for it is told that an engine is hardly isolated."""
    if isolation == "weak" and tier is None and not weak:
        complain("oracle: no isolation works here but a process of its own; see oracle doctor")


def _tier(context: click.Context, option: click.Parameter, name: str | None) -> str | None:
    from oracle.subjects import TIERS

    if name not in (None, *TIERS):
        raise click.UsageError(f"--isolation {name}: the tiers are {', '.join(TIERS)}")
    return name


def sandbox_options(verb: F) -> F:
    """`--timeout`, `--memory`, `--allow-import`, `--isolation` and `--allow-weak-sandbox`."""
    for option in (
        click.option("--allow-weak-sandbox", "weak", is_flag=True, help="go on where nothing isolates engines"),
        click.option(
            "--isolation", "tier", metavar="TIER", callback=_tier,
            help="strict, landlock, container or weak; default: the best that works without asking",
        ),
        click.option("--allow-import", "allowed", multiple=True, metavar="NAME", help="e.g. numpy; repeatable"),
        click.option("--memory", default=1024, show_default=True, metavar="MB", help="memory of one engine"),
        click.option("--timeout", default=5.0, show_default=True, metavar="S", help="seconds for one case"),
    ):  # fmt: skip
        verb = option(verb)
    return verb


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
