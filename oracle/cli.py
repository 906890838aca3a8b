"""The command line: thin, one function a verb; everything it prints is made elsewhere."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from oracle.version import VERSION

EXIT_FAULT, EXIT_USAGE, EXIT_SUBJECT, EXIT_ORACLE = 1, 2, 3, 4


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="oracle")
def cli() -> None:
    """Find the rule of a scalar autograd engine that is wrong, by the reference of PyTorch."""


@cli.command()
@click.argument("target")
@click.option("--profile", type=click.Choice(["lecture", "torch"]), default="lecture", show_default=True)
@click.option("--require", "required", default="", metavar="LIST", help="ops, forms and policies, by comma")
@click.option("--strict", is_flag=True, help="imprecise rules fail, too")
@click.option(
    "--level", "levels", multiple=True, metavar="L", help="only this level of the suite; repeatable"
)
@click.option("--case", "pattern", default="*", metavar="GLOB", help="only cases whose name matches")
@click.option(
    "--format", "formats", multiple=True, metavar="F", help="text (default), json, …; repeatable, see -o"
)
@click.option("-o", "outputs", multiple=True, type=click.Path(dir_okay=False), help="file for that --format")
@click.option("--pictures", type=click.Path(file_okay=False), metavar="DIR", help="draw each cause into DIR")
@click.option("--timeout", default=5.0, show_default=True, metavar="S", help="seconds for one case")
@click.option("--memory", default=1024, show_default=True, metavar="MB", help="memory of the subject")
@click.option("--allow-import", "allowed", multiple=True, metavar="NAME", help="e.g. numpy; repeatable")
@click.option("--exit-zero", is_flag=True, help="exit 0 whatever was found (4 stays 4)")
@click.option("--verbose", is_flag=True, help="say what was found and how the engine was driven")
def check(
    target: str,
    profile: str,
    required: str,
    strict: bool,
    levels: tuple[str, ...],
    pattern: str,
    formats: tuple[str, ...],
    outputs: tuple[str, ...],
    pictures: str | None,
    timeout: float,
    memory: int,
    allowed: tuple[str, ...],
    exit_zero: bool,
    verbose: bool,
) -> None:
    """Is this engine right, and if not, which line is wrong? TARGET is FILE[:Class]."""
    from oracle import suite
    from oracle.check import check as run
    from oracle.judge.causes import Demands
    from oracle.reports import FORMATS
    from oracle.subjects import LoadError, open_subject

    formats = formats or ("text",)
    for name in formats:
        if name not in FORMATS:
            raise click.UsageError(f"--format {name}: there is no such format; choose {', '.join(FORMATS)}")
    if len(outputs) > len(formats):
        raise click.UsageError(
            "-o: each -o belongs to the --format before it; there are more -o than --format"
        )
    for level in levels:
        if level not in suite.LEVELS:
            raise click.UsageError(f"--level {level}: the levels are {', '.join(suite.LEVELS)}")
    cases = list(suite.select(frozenset(levels), pattern))
    if not cases:
        raise click.UsageError(f"--case {pattern}: no case has a name like that; a name is level/short-name")
    demands = Demands(profile, _requirements(required), strict)
    try:
        with open_subject(target, timeout=timeout, memory_mb=memory, allow_imports=allowed) as subject:
            report = run(subject, cases, demands)
    except LoadError as problem:
        click.echo(f"oracle: {problem}", err=True)
        sys.exit(EXIT_SUBJECT)
    written: list[Path] = []
    notes: list[str] = []
    if pictures is not None:
        from oracle.reports import picture

        written, notes = picture.write(report, Path(pictures))
    for n, name in enumerate(formats):
        out = outputs[n] if n < len(outputs) else None
        plain = name == "text"
        _emit(_text(report, out is None, verbose, written, notes) if plain else FORMATS[name](report), out)
    sys.exit(0 if exit_zero else report.exit_code)


def _requirements(text: str) -> frozenset[str]:
    from oracle.judge import policies
    from oracle.vocabulary import VOCABULARY

    names = frozenset(filter(None, (part.strip() for part in text.split(","))))
    for name in names:
        op, _, form = name.partition(":")
        known = name in VOCABULARY or name in policies.POLICIES or name in policies.FORMS
        if not known and not (op in VOCABULARY and form in policies.FORMS):
            raise click.UsageError(
                f"--require {name}: expected an op ({', '.join(list(VOCABULARY)[:5])}, …), a form "
                f"({', '.join(policies.FORMS)}), op:form, or a policy ({', '.join(policies.POLICIES)})"
            )
    return names


def _text(report: object, terminal: bool, verbose: bool, pictures: list[Path], notes: list[str]) -> str:
    from shutil import get_terminal_size

    from oracle.report import Report
    from oracle.reports import text

    assert isinstance(report, Report)
    color = terminal and sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = get_terminal_size((100, 24)).columns if terminal else 100
    return text.render(report, color=color, width=width, verbose=verbose, pictures=pictures, notes=notes)


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
