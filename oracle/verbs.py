"""Verbs that only look: at the suite's cases, at reports that were written before, at this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from oracle.options import complain, sandbox_options, say_if_weak
from oracle.reports.writing import write_text

if TYPE_CHECKING:
    from oracle.case import Case
    from oracle.report import Report


@click.group("suite")
def suite_() -> None:
    """The cases: list them, show one, export all of them for any language."""


@suite_.command("list")
@click.option("--level", "levels", multiple=True, metavar="L", help="only this level; repeatable")
def suite_list(levels: tuple[str, ...]) -> None:
    """Every case with the reason it exists."""
    from oracle import suite

    for case in suite.select(frozenset(levels), with_deep=True):
        policy = f" (policy {case.policy})" if case.policy else ""
        click.echo(f"{case.name:<44} {case.reason}{policy}")


@suite_.command("show")
@click.argument("name", metavar="CASE")
def suite_show(name: str) -> None:
    """One case: its lines, and what PyTorch gets."""
    from oracle.suite.export import show

    click.echo(show(_case(name)))


@suite_.command("export")
@click.option("-o", "out", type=click.Path(dir_okay=False), help="write FILE instead of standard output")
def suite_export(out: str | None) -> None:
    """All cases as plain JSON, with the expected values."""
    from oracle.suite.export import export

    if out is None:
        click.echo(export())
    else:
        write_text(Path(out), export() + "\n")


@click.command()
@click.argument("report", type=click.Path(exists=True, dir_okay=False))
@click.argument("name", metavar="CASE")
@sandbox_options
def replay(
    report: str,
    name: str,
    timeout: float,
    memory: int,
    allowed: tuple[str, ...],
    tier: str | None,
    weak: bool,
) -> None:
    """Run one CASE of a JSON REPORT again on its subject, and show every number."""
    from oracle.replay import replay as run
    from oracle.reports.clean import no_command
    from oracle.subjects import LoadError, NoIsolation, open_subject

    known, case = _report(report).subject, _case(name)
    target, command = (None, known.target) if known.is_command else (known.target, None)
    try:
        with open_subject(
            target, command=command, timeout=timeout, memory_mb=memory, allow_imports=allowed, tier=tier
        ) as subject:
            say_if_weak(subject.isolation, tier, weak)
            click.echo(no_command(run(subject, case)))
    except LoadError as problem:
        complain(f"oracle: {problem}")
        sys.exit(3)
    except NoIsolation as problem:
        raise click.UsageError(str(problem)) from None


@click.command()
@click.argument("report", type=click.Path(exists=True, dir_okay=False))
@click.argument("number", metavar="[N]", type=int, default=1)
def explain(report: str, number: int) -> None:
    """The mathematics of cause N (default 1) of a JSON REPORT, with its numbers."""
    from oracle.explain import explain as words

    causes = _report(report).causes
    if not 1 <= number <= len(causes):
        raise click.UsageError(f"N: the report has {len(causes)} causes, there is no number {number}")
    click.echo(words(causes[number - 1]))


@click.command()
def doctor() -> None:
    """What works on this machine, why the rest does not, and the command that would enable it.

    Exit code 0 when `check` and `grade` can be run here, 2 when something that they need is missing.
    """
    from shutil import get_terminal_size

    from oracle import doctor as look
    from oracle.subjects.remedies import this_machine

    on = this_machine()
    isolation, parts = look.tiers(on), look.parts(on)
    click.echo(look.page(on, isolation, parts, min(110, get_terminal_size((100, 24)).columns)))
    sys.exit(0 if look.ready(isolation, parts) else 2)


@click.command()
@click.argument("old", type=click.Path(exists=True, dir_okay=False))
@click.argument("new", type=click.Path(exists=True, dir_okay=False))
def compare(old: str, new: str) -> None:
    """What changed between two JSON reports of one engine, in words. Exit code 1 when something got worse.

    OLD may also be a baseline: then the question is what its gate would say, without running anything.
    """
    from datetime import date

    from oracle.baseline import SCHEMA, BaselineError, read
    from oracle.compare import between, judged
    from oracle.compare import compare as since
    from oracle.reports import changes

    later = _report(new)
    if f'"{SCHEMA}"' in Path(old).read_text(encoding="utf-8", errors="replace")[:200]:
        try:
            baseline = read(Path(old))
        except BaselineError as problem:
            raise click.UsageError(f"OLD {problem}") from None
        report = judged(later, baseline, old, since(later, baseline, date.today()))
        if report.baseline is None:
            raise click.UsageError(f"NEW {new}: its check is not complete ({later.error or 'nothing ran'})")
        click.echo(changes.render(report.baseline), nl=False)
        sys.exit(report.exit_code)
    earlier = _report(old)
    for name, report in ((f"OLD {old}", earlier), (f"NEW {new}", later)):
        if report.exit_code not in (0, 1):
            raise click.UsageError(f"{name}: its check is not complete ({report.error or 'nothing ran'})")
    found = between(earlier, later)
    click.echo(changes.render_between(old, new, found), nl=False)
    sys.exit(any(change.trend == "worse" for change in found))


def _case(name: str) -> Case:
    from oracle import suite

    found = next(suite.select(pattern=name), None)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(name, [case.name for case in suite.cases()], 3)
        hint = f"; did you mean {', '.join(near)}?" if near else "; `oracle suite list` names them"
        raise click.UsageError(f"CASE {name}: there is no such case{hint}")
    return found


def _report(path: str) -> Report:
    from oracle.reports.json_ import loads

    try:
        return loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, KeyError, TypeError, OSError) as problem:
        raise click.UsageError(f"REPORT {path}: not a report of this oracle ({problem})") from None
