"""The command line: thin, one function a verb; everything it prints is made elsewhere."""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oracle.grade.command import grade, merge
from oracle.options import (
    FUZZ,
    Reader,
    complain,
    one_subject,
    reader_options,
    sandbox_options,
    say_if_weak,
    words_of,
)
from oracle.report import Detail
from oracle.verbs import compare, doctor, explain, replay, suite_
from oracle.version import VERSION

if TYPE_CHECKING:
    from oracle.report import Report

EXIT_FAULT, EXIT_USAGE, EXIT_SUBJECT, EXIT_ORACLE, EXIT_INTERRUPTED = 1, 2, 3, 4, 130


CODES = """\b
Exit codes:
  0  conforms; grade: every submission was graded; doctor: check and grade can be run here
  1  a demanded cause, unexplained wrong numbers, or a case that ended in error or timeout
  2  usage, or no isolation where it is demanded
  3  the engine could not be run; grade: some could not be loaded
  4  the oracle's own fault
  5  nothing was checked
  130  interrupted"""


class Interruptible(click.Group):
    """A command whose interruption has an exit code of its own: 1 says that something was found."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("oracle: interrupted; nothing is known of what had not ended", err=True)
            sys.exit(EXIT_INTERRUPTED)


@click.group(
    cls=Interruptible,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=CODES,
)
@click.version_option(VERSION, prog_name="oracle")
def cli() -> None:
    """Find the rule of a scalar autograd engine that is wrong, by the reference of PyTorch."""


for verb in (grade, merge, suite_, replay, explain, compare, doctor):
    cli.add_command(verb)


class Paired(click.Command):
    """A command whose every `-o` belongs to the `--format` before it; what click keeps is two lists."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options, _, order = self.make_parser(ctx).parse_args(args=list(args))
        names, files = iter(options.get("formats") or ()), iter(options.get("outputs") or ())
        pairs: list[tuple[str, str | None]] = []
        for option in order:
            if option.name == "formats":
                pairs.append((next(names), None))
            elif option.name == "outputs":
                if not pairs:
                    pairs.append(("text", None))
                if pairs[-1][1] is not None:
                    raise click.UsageError(
                        f"-o: two files for one --format {pairs[-1][0]}; name a format for each"
                    )
                pairs[-1] = (pairs[-1][0], next(files))
        ctx.meta["oracle.formats"] = pairs or [("text", None)]
        return super().parse_args(ctx, args)


@cli.command(cls=Paired)
@click.pass_context
@click.argument("target", required=False)
@click.option("--exec", "command", metavar="CMD", help='an engine in any language, e.g. "node engine.js"')
@click.option("--profile", type=click.Choice(["lecture", "torch"]), default="lecture", show_default=True)
@click.option(
    "--require", "required", default="", metavar="LIST", help="ops, forms, policies and mlp, by comma"
)
@click.option("--strict", is_flag=True, help="imprecise rules fail, too")
@click.option(
    "--level", "levels", multiple=True, metavar="L", help="only this level of the suite; repeatable"
)
@click.option("--case", "pattern", default="*", metavar="GLOB", help="only cases whose name matches")
@click.option(
    "--format",
    "formats",
    multiple=True,
    expose_value=False,
    metavar="F",
    help="text (default), json, …; repeatable, see -o",
)
@click.option(
    "-o",
    "outputs",
    multiple=True,
    expose_value=False,
    type=click.Path(dir_okay=False),
    help="file for the --format before it",
)
@click.option("--pictures", type=click.Path(file_okay=False), metavar="DIR", help="draw each cause into DIR")
@click.option("--full", is_flag=True, help="with --pictures: all of a large graph, not what matters most")
@sandbox_options
@click.option(
    "--baseline", type=click.Path(dir_okay=False), metavar="FILE", help="fail by what changed since"
)
@click.option("--update-baseline", is_flag=True, help="write that FILE: accept what is found now")
@click.option("--fuzz", "programs", type=click.IntRange(0), metavar="N", help="judge N random programs, too")
@click.option("--seed", "token", default="", metavar="TOKEN", help="which random programs (50, or --fuzz N)")
@click.option("--benchmark", is_flag=True, help="time forward and backward as a multiple of minigrad's")
@reader_options
@click.option("--exit-zero", is_flag=True, help="exit 0 whatever was found (4 stays 4)")
@click.option("--verbose", is_flag=True, help="say what was found and how the engine was driven")
def check(
    ctx: click.Context,
    target: str | None,
    command: str | None,
    profile: str,
    required: str,
    strict: bool,
    levels: tuple[str, ...],
    pattern: str,
    pictures: str | None,
    full: bool,
    timeout: float,
    memory: int,
    allowed: tuple[str, ...],
    tier: str | None,
    weak: bool,
    baseline: str | None,
    update_baseline: bool,
    programs: int | None,
    token: str,
    benchmark: bool,
    rubric: str | None,
    detail: Detail,
    hints: int,
    hidden: tuple[str, ...],
    exit_zero: bool,
    verbose: bool,
) -> None:
    """Is this engine right, and if not, which line is wrong? TARGET is FILE[:Class]; or --exec."""
    from datetime import date

    from oracle import suite
    from oracle.baseline import BaselineError
    from oracle.benchmark import measure
    from oracle.checking import check as run
    from oracle.checking import requirements
    from oracle.gate import Gate
    from oracle.judge.causes import Demands
    from oracle.progress import meter
    from oracle.reports import FORMATS
    from oracle.subjects import LoadError, NoIsolation, open_subject
    from oracle.unfinished import not_run

    one_subject(target, command)
    named = target or command or ""
    wanted: list[tuple[str, str | None]] = ctx.meta["oracle.formats"]
    for name, _ in wanted:
        if name not in FORMATS:
            raise click.UsageError(f"--format {name}: there is no such format; choose {', '.join(FORMATS)}")
    for level in levels:
        if level not in suite.LEVELS:
            raise click.UsageError(f"--level {level}: the levels are {', '.join(suite.LEVELS)}")
    demanded = profile == "torch" or "recursion-depth" in required
    cases = list(suite.select(frozenset(levels), pattern, with_deep=demanded))
    if not cases:
        raise click.UsageError(f"--case {pattern}: no case has a name like that; a name is level/short-name")
    try:
        demands = Demands(profile, requirements(required), strict)
        gate = Gate.open(baseline, update_baseline, os.environ)
    except BaselineError as problem:
        raise click.UsageError(str(problem)) from None
    except ValueError as problem:
        raise click.UsageError(f"--require {problem}") from None
    reader = Reader.of(detail, hints, hidden, rubric)
    if not reader.sees_all and baseline is not None:
        raise click.UsageError(
            "--baseline: its comparison shows everything; leave out --detail, --hints, --hide"
        )
    machine = [(name, out) for name, out in wanted if name != "text"]
    for name, out in machine:  # a run that is killed leaves a report that says so
        if out is not None:
            _emit(FORMATS[name](reader.show(not_run(named, cases, profile))), out)
    try:
        with open_subject(
            target, command=command, timeout=timeout, memory_mb=memory, allow_imports=allowed, tier=tier
        ) as subject:
            say_if_weak(subject.isolation, tier, weak)
            programs = FUZZ * bool(token) if programs is None else programs
            if programs:
                from oracle.fuzz import check_too

                with meter("random programs", programs) as tick:
                    report = check_too(subject, cases, demands, token, programs, progress=tick)
            else:
                report = run(subject, cases, demands)
            timings = measure(subject, gate.decides) if benchmark else []
        report = replace(report, options=words_of(profile=profile, required=demands.required, strict=strict,
                         levels=levels, pattern=pattern, fuzz=programs, seed=report.seed))  # fmt: skip
    except LoadError as problem:
        complain(f"oracle: {problem}")
        failed = reader.show(not_run(named, cases, profile, EXIT_SUBJECT, str(problem)))
        for name, out in machine:
            _write(name, failed, out)
        sys.exit(0 if exit_zero else EXIT_SUBJECT)
    except NoIsolation as problem:
        raise click.UsageError(str(problem)) from None
    report = reader.show(report)
    screen = report.notes
    try:
        report, after = gate.settle(report, timings, date.today())
    except BaselineError as problem:
        raise click.UsageError(str(problem)) from None
    written: list[Path] = []
    notes: list[str] = []
    if pictures is not None:
        from oracle.reports import picture

        written, notes = picture.write(report, Path(pictures), full=full)
    for name, out in wanted:
        if name == "text":  # its reader gets the timings as a table after the screen, not among the notes
            shown = replace(report, notes=screen)
            _emit("\n".join((_text(shown, out is None, verbose, written, notes), *after)), out)
        else:
            _write(name, report, out)
    sys.exit(0 if exit_zero else report.exit_code)


@cli.command()
@click.argument("target", required=False)
@click.option("--exec", "command", metavar="CMD", help='an engine in any language, e.g. "node engine.js"')
@click.option(
    "--time", "seconds", type=click.FloatRange(0), metavar="S", help="stop after S seconds (default 10)"
)
@click.option("--count", type=click.IntRange(1), metavar="N", help="stop after N programs")
@click.option("--seed", "token", default="", metavar="TOKEN", help="the same programs again")
@click.option("--profile", type=click.Choice(["lecture", "torch"]), default="lecture", show_default=True)
@sandbox_options
def fuzz(
    target: str | None,
    command: str | None,
    seconds: float | None,
    count: int | None,
    token: str,
    profile: str,
    timeout: float,
    memory: int,
    allowed: tuple[str, ...],
    tier: str | None,
    weak: bool,
) -> None:
    """Random programs over the ops that an engine has; those that fail are made small, and judged by cause."""
    from oracle import suite
    from oracle.fuzz import check_too
    from oracle.judge.causes import Demands
    from oracle.progress import meter
    from oracle.subjects import LoadError, NoIsolation, open_subject

    one_subject(target, command)
    if seconds is None and count is None:
        seconds = 10.0
    try:
        with (
            open_subject(
                target, command=command, timeout=timeout, memory_mb=memory, allow_imports=allowed, tier=tier
            ) as subject,
            meter("random programs", count) as tick,
        ):
            say_if_weak(subject.isolation, tier, weak)
            report = check_too(subject, suite.cases(), Demands(profile), token, count, seconds, tick)
    except LoadError as problem:
        complain(f"oracle: {problem}")
        sys.exit(EXIT_SUBJECT)
    except NoIsolation as problem:
        raise click.UsageError(str(problem)) from None
    _emit(_text(report, True, False, [], []), None)
    sys.exit(report.exit_code)


@cli.command("diff", cls=Paired)
@click.pass_context
@click.argument("script", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("argv", nargs=-1, type=click.UNPROCESSED, metavar="[-- ARGUMENTS]")
@click.option("--profile", type=click.Choice(["lecture", "torch"]), default="lecture", show_default=True)
@click.option("--strict", is_flag=True, help="imprecise rules fail, too")
@click.option(
    "--format",
    "formats",
    multiple=True,
    expose_value=False,
    metavar="F",
    help="text (default), json, …; repeatable, see -o",
)
@click.option(
    "-o",
    "outputs",
    multiple=True,
    expose_value=False,
    type=click.Path(dir_okay=False),
    help="file for the --format before it",
)
@click.option("--pictures", type=click.Path(file_okay=False), metavar="DIR", help="draw each cause into DIR")
@click.option("--full", is_flag=True, help="with --pictures: all of a large graph, not what matters most")
@click.option("--timeout", default=120.0, show_default=True, metavar="S", help="seconds for the whole script")
@click.option("--steps", type=click.IntRange(1), metavar="N", help="end the script after N backward calls")
@click.option("--exit-zero", is_flag=True, help="exit 0 whatever was found (4 stays 4)")
@click.option("--verbose", is_flag=True, help="a line for every backward call, and what the script printed")
def diff_(
    ctx: click.Context,
    script: Path,
    argv: tuple[str, ...],
    profile: str,
    strict: bool,
    pictures: str | None,
    full: bool,
    timeout: float,
    steps: int | None,
    exit_zero: bool,
    verbose: bool,
) -> None:
    """Where does my own SCRIPT (or notebook) leave PyTorch: every backward call and every update of its run."""
    from oracle.judge.causes import Demands
    from oracle.reports import FORMATS, picture
    from oracle.subjects import LoadError
    from oracle.trajectory import diff_script
    from oracle.trajectory.rows import Table

    wanted: list[tuple[str, str | None]] = ctx.meta["oracle.formats"]
    for name, _ in wanted:
        if name not in FORMATS:
            raise click.UsageError(f"--format {name}: there is no such format; choose {', '.join(FORMATS)}")
    table: list[str] = []
    live = ("text", None) in wanted and not any(o is None for n, o in wanted if n != "text")
    tell = Table(click.echo if live else table.append, verbose)
    demands = Demands(profile, frozenset(), strict)
    try:
        done = diff_script(script, argv, demands, timeout=timeout, steps=steps, on_step=tell)
    except LoadError as problem:
        complain(f"oracle: {problem}")
        sys.exit(0 if exit_zero else EXIT_SUBJECT)
    drawn: tuple[list[Path], list[str]] = ([], [])
    if pictures is not None:
        drawn = picture.write(done.drawn, Path(pictures), full=full)
    if done.printed and (verbose or done.report.exit_code == EXIT_SUBJECT):
        complain(f"{script.name} printed:\n{done.printed.rstrip()}")
    for name, out in wanted:
        if name == "text":
            screen = _text(done.report, out is None, verbose, *drawn)
            _emit(screen if live and out is None else "\n".join([*table, screen]), out)
        else:
            _write(name, done.report, out)
    sys.exit(0 if exit_zero else done.report.exit_code)


def _text(report: object, terminal: bool, verbose: bool, pictures: list[Path], notes: list[str]) -> str:
    from shutil import get_terminal_size

    from oracle.report import Report
    from oracle.reports import text

    assert isinstance(report, Report)
    color = terminal and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = get_terminal_size((100, 24)).columns if terminal else 100
    return text.render(report, color=color, width=width, verbose=verbose, pictures=pictures, notes=notes)


def _write(name: str, report: Report, out: str | None) -> None:
    """A report in the format of that name; for GitHub also as the summary of the step that runs this."""
    from oracle.reports import FORMATS

    _emit(FORMATS[name](report), out)
    if name == "github" and (page := os.environ.get("GITHUB_STEP_SUMMARY")):
        from oracle.reports import github

        try:
            with Path(page).open("a", encoding="utf-8") as file:
                file.write(github.summary(report))
        except OSError as problem:
            raise click.UsageError(
                f"GITHUB_STEP_SUMMARY {page}: cannot be written ({problem.strerror})"
            ) from None


def _emit(text: str, out: str | None) -> None:
    text = text if text.endswith("\n") else text + "\n"
    if out is None:
        click.echo(text, nl=False)
        return
    path = Path(out)
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as problem:
        raise click.UsageError(f"-o {out}: cannot be written ({problem.strerror})") from None


def main() -> None:
    """The entry point. Whatever goes wrong in the oracle itself ends in one sentence and exit code 4."""
    # This process is the oracle's alone, and what it makes has no cycles: 7 % of `check`.
    gc.set_threshold(50_000)
    try:
        cli()
    except (SystemExit, KeyboardInterrupt):
        raise
    except Exception as problem:
        if os.environ.get("ORACLE_TRACEBACK"):
            raise
        click.echo(
            f"oracle: its own fault, not the engine's: {type(problem).__name__}: {problem}. "
            "Set ORACLE_TRACEBACK=1 for the traceback and report it.",
            err=True,
        )
        sys.exit(EXIT_ORACLE)


if __name__ == "__main__":
    main()
