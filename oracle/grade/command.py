"""The verbs `oracle grade` and `oracle merge`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from oracle.options import FUZZ, Reader, complain, reader_options, sandbox_options
from oracle.report import Detail

if TYPE_CHECKING:
    from oracle.grade.executor import Executor
    from oracle.grade.run import Class

F = TypeVar("F", bound=Callable[..., Any])


def class_options(verb: F) -> F:
    """Where the class goes: `--csv`, `-o` and `--format`."""
    formats = click.Choice(["text", "json", "csv"])
    for option in (
        click.option("--format", "shown", type=formats, default="text", show_default=True, help="on stdout"),
        click.option(
            "-o", "folder", type=click.Path(file_okay=False), metavar="DIR", help="a page each, and an index"
        ),
        click.option(
            "--csv", "table", type=click.Path(dir_okay=False), metavar="FILE", help="a line a submission"
        ),
    ):
        verb = option(verb)
    return verb


EXIT_LOADED, EXIT_ORACLE, EXIT_INTERRUPTED = 3, 4, 130


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATHS…")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="processes; default: the cores there are")
@click.option("--shard", metavar="I/N", help="only the I-th of N parts; see oracle merge")
@click.option("--cluster", metavar="ADDRESS", help="a Dask scheduler, e.g. tcp://host:8786")
@class_options
@click.option("--profile", type=click.Choice(["lecture", "torch"]), default="lecture", show_default=True)
@click.option(
    "--require", "required", default="", metavar="LIST", help="ops, forms, policies and mlp, by comma"
)
@click.option("--strict", is_flag=True, help="imprecise rules fail, too")
@click.option("--level", "levels", multiple=True, metavar="L", help="only this level; repeatable")
@click.option("--case", "pattern", default="*", metavar="GLOB", help="only cases whose name matches")
@click.option(
    "--seed", default="", metavar="TOKEN", help="of the class: random programs, others for each submission"
)
@click.option("--fuzz", type=click.IntRange(0), metavar="N", help="how many; with --seed 50 each")
@reader_options
@sandbox_options
@click.option("--exit-zero", is_flag=True, help="exit 0 whatever could not be loaded (4 stays 4)")
def grade(
    paths: tuple[str, ...],
    jobs: int | None,
    shard: str | None,
    cluster: str | None,
    table: str | None,
    folder: str | None,
    shown: str,
    profile: str,
    required: str,
    strict: bool,
    levels: tuple[str, ...],
    pattern: str,
    seed: str,
    fuzz: int | None,
    rubric: str | None,
    detail: Detail,
    hints: int,
    hidden: tuple[str, ...],
    timeout: float,
    memory: int,
    allowed: tuple[str, ...],
    tier: str | None,
    weak: bool,
    exit_zero: bool,
) -> None:
    """Grade a class. PATHS is one folder or .zip of submissions; or several files, notebooks and folders, each
    of which is one."""
    from secrets import token_hex

    from oracle import suite
    from oracle.checking import requirements
    from oracle.grade.job import Job, Options
    from oracle.grade.progress import meter
    from oracle.grade.run import grade_all, shard_of
    from oracle.grade.store import Store
    from oracle.grade.submissions import SubmissionError, find

    part = _shard(shard)
    for level in levels:
        if level not in suite.LEVELS:
            raise click.UsageError(f"--level {level}: the levels are {', '.join(suite.LEVELS)}")
    if not any(suite.select(frozenset(levels), pattern)):
        raise click.UsageError(f"--case {pattern}: no case has a name like that; a name is level/short-name")
    try:
        names = tuple(sorted(requirements(required)))
        found, ignored = find(paths)
    except SubmissionError as problem:
        raise click.UsageError(str(problem)) from None
    except ValueError as problem:
        raise click.UsageError(f"--require {problem}") from None
    reader = Reader.of(detail, hints, hidden, rubric)
    fuzz = FUZZ * bool(seed) if fuzz is None else fuzz
    if fuzz and part is not None and not seed:
        raise click.UsageError("--shard: random programs need a --seed TOKEN, the same one for every part")
    executor = _executor(cluster, jobs, weak, tier)
    try:
        store = None if folder is None else Store(Path(folder))
        if fuzz and not seed:
            seed = token_hex(4) if store is None else store.seed()
        options = Options(
            profile, names, strict, levels, pattern, timeout, memory, allowed, weak, fuzz, seed, tier
        )
        for name in ignored:
            complain(f"grade: {name!r} is no submission")
        todo = shard_of((Job(one, options, reader) for one in found), part)
        with meter() as tell:
            done = grade_all(todo, executor, store, tell)
        _finish(replace(done, shard=part, seed=seed), folder, table, shown)
    except OSError as problem:
        raise click.UsageError(
            f"{problem.filename or folder}: cannot be written ({problem.strerror})"
        ) from None
    if not done.complete:
        left = len(todo) - len(done.entries)
        click.echo(f"grade: stopped; {left} submissions are left, which the same command takes up", err=True)
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(_exit_code(done, exit_zero))


@click.command()
@click.argument("reports", nargs=-1, required=True, type=click.Path(dir_okay=False), metavar="REPORTS…")
@class_options
def merge(reports: tuple[str, ...], table: str | None, folder: str | None, shown: str) -> None:
    """Put the parts of a class together: the grade.json of every `oracle grade --shard I/N`."""
    from oracle.grade.merge import MergeError
    from oracle.grade.merge import merge as together
    from oracle.reports import html_, json_
    from oracle.reports.writing import write_text

    try:
        done = together([Path(report) for report in reports])
        for entry in done.entries if folder is not None else ():
            write_text(Path(folder or "", f"{entry.file}.html"), html_.render(entry.report))
            write_text(Path(folder or "", f"{entry.file}.json"), json_.dumps(entry.report, compact=True))
        _finish(done, folder, table, shown)
    except MergeError as problem:
        raise click.UsageError(str(problem)) from None
    except OSError as problem:
        raise click.UsageError(
            f"{problem.filename or folder}: cannot be written ({problem.strerror})"
        ) from None
    if not done.complete:
        click.echo("merge: not complete; a shard is missing, or was stopped", err=True)
    sys.exit(_exit_code(done, False) if done.complete else EXIT_LOADED)


def _finish(done: Class, folder: str | None, table: str | None, shown: str) -> None:
    """Write the class's files and show it."""
    from oracle.grade.run import dumps, write
    from oracle.reports.class_ import screen, to_csv

    write(done, None if folder is None else Path(folder), None if table is None else Path(table))
    if shown != "text":
        click.echo(dumps(done) if shown == "json" else to_csv(done.entries), nl=False)
        return
    notes = [f"{done.reused} of them are unchanged since the last run."] if done.reused else []
    notes += [f"seed {done.seed}"] if done.seed else []
    notes += [str(Path(folder, "index.html"))] if folder is not None else []
    click.echo(screen(done.entries, notes), nl=False)


def _shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    said = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if said is None or not 1 <= int(said[1]) <= int(said[2]):
        raise click.UsageError(f"--shard {text}: expected I/N, the I-th of N parts, e.g. 2/4")
    return int(said[1]), int(said[2])


def _executor(cluster: str | None, jobs: int | None, weak: bool, tier: str | None) -> Executor:
    """Who does it; no submission is begun where nothing isolates it. Raises click.UsageError."""
    import os

    from oracle.grade.executor import Local
    from oracle.subjects import NoIsolation, require_tier

    if cluster is not None:
        from oracle.grade.cluster import Cluster, ClusterError

        try:
            return Cluster(cluster)
        except ClusterError as problem:
            raise click.UsageError(f"--cluster {problem}") from None
    try:
        require_tier(weak, tier)
    except NoIsolation as problem:
        raise click.UsageError(str(problem)) from None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Local(jobs or cores)


def _exit_code(done: Class, exit_zero: bool) -> int:
    codes: Sequence[int] = [entry.report.exit_code for entry in done.entries]
    if EXIT_ORACLE in codes:
        return EXIT_ORACLE
    return EXIT_LOADED if EXIT_LOADED in codes and not exit_zero else 0
