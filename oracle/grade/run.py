"""A class from beginning to end: what is done already is kept, the rest is graded, and what is done is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from oracle.grade.executor import Executor
from oracle.grade.job import Graded, Job
from oracle.grade.store import Store, file_name
from oracle.report import Report
from oracle.reports import class_page
from oracle.reports.class_ import Entry, to_csv, to_json
from oracle.reports.clean import inert
from oracle.reports.json_ import encode
from oracle.reports.writing import write_text

Tell = Callable[[int, int, Report | None], None]
"""Told how many of how many are done, and the report of the last one (None: it was there already)."""


@dataclass(frozen=True)
class Class:
    """What was graded, sorted by name; each report as its reader may see it.

    complete  whether that is all that was to be graded
    reused    how many reports are an earlier run's
    """

    entries: tuple[Entry, ...]
    complete: bool
    reused: int = 0
    shard: tuple[int, int] | None = None
    seed: str = ""


def grade_all(
    jobs: Sequence[Job],
    executor: Executor,
    store: Store | None = None,
    tell: Tell = lambda done, of, last: None,
) -> Class:
    """Grade every submission that an earlier run in the same folder has not. Ctrl-C ends it early, in order:
    the class is then not complete, and everything that was done is there."""
    done: dict[str, Entry] = {}
    left: list[Job] = []
    reused = 0
    for job in jobs:
        report, page = store.earlier(job) if store is not None else (None, False)
        reused += report is not None
        if report is not None and page:
            done[job.submission.name] = _entry(job, report)
        else:
            left.append(replace(job, report=report, pages=store is not None))
    tell(len(done), len(jobs), None)
    complete = True
    results = executor.run(left)
    try:
        for job, graded in results:
            if store is not None:
                store.keep(job, graded)
            done[job.submission.name] = _entry(job, graded.report)
            tell(len(done), len(jobs), graded.report)
    except KeyboardInterrupt:
        complete = False
    finally:
        _close(results)
    entries = tuple(done[name] for name in sorted(done))
    return Class(entries, complete and len(entries) == len(jobs), reused)


def write(found: Class, folder: Path | None, table: Path | None) -> None:
    """The class's own files: index.html and grade.json in the folder, and the table. Raises OSError."""
    if folder is not None:
        notes = [] if found.complete else ["Not complete: grading was stopped, or parts of it are missing."]
        write_text(folder / "index.html", class_page.render(found.entries, notes))
        write_text(folder / "grade.json", dumps(found))
    if table is not None:
        write_text(table, to_csv(found.entries))


def dumps(found: Class) -> str:
    """The class as JSON text."""
    data = to_json(found.entries, complete=found.complete, shard=found.shard, seed=found.seed)
    return encode(data, compact=True)


def shard_of(jobs: Iterable[Job], shard: tuple[int, int] | None) -> list[Job]:
    """Every n-th job from the i-th, i from 1: shards are of one size, and the same on every machine."""
    found = list(jobs)
    return found if shard is None else found[shard[0] - 1 :: shard[1]]


def _entry(job: Job, report: Report) -> Entry:
    name = job.submission.name
    return Entry(name, job.submission.path, file_name(name), inert(job.reader.show(report)))


def _close(results: Iterator[tuple[Job, Graded]]) -> None:
    close = getattr(results, "close", None)
    if close is not None:
        close()
