"""One submission, graded: written to a folder of its own, checked, reported under its own name."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath

from oracle import suite, torch_reference
from oracle.checking import check
from oracle.fuzz import check_too
from oracle.grade.submissions import Submission
from oracle.judge.causes import Demands
from oracle.options import Reader, words_of
from oracle.report import Report
from oracle.spelling import spelled
from oracle.subjects import LoadError, NoIsolation, open_subject
from oracle.unfinished import not_run
from oracle.version import VERSION

LOADED, ORACLE = 3, 4
"""Exit codes in a report: the submission cannot be loaded; the oracle itself failed."""


@dataclass(frozen=True)
class Options:
    """How every submission is checked; the fields are `oracle check`'s options. timeout in seconds, memory in MiB.

    seed  of the whole class: each submission's own token is made from it (`token`)
    """

    profile: str = "lecture"
    required: tuple[str, ...] = ()
    strict: bool = False
    levels: tuple[str, ...] = ()
    pattern: str = "*"
    timeout: float = 5.0
    memory: int = 1024
    allowed: tuple[str, ...] = ()
    weak: bool = False
    fuzz: int = 0
    seed: str = ""
    tier: str | None = None

    def words(self, token: str) -> tuple[str, ...]:
        """Of `oracle check`, to do one submission again."""
        return words_of(profile=self.profile, required=self.required, strict=self.strict, levels=self.levels,
                        pattern=self.pattern, fuzz=self.fuzz, seed=token)  # fmt: skip

    def token(self, name: str) -> str:
        """A submission's own seed: two students need not get the same inputs, and each can get them again."""
        return (
            hashlib.sha256(f"{self.seed}\0{name}".encode("utf-8", "replace")).hexdigest()[:12]
            if self.seed
            else ""
        )


@dataclass(frozen=True)
class Job:
    """What to do: check a submission, unless its `report` is there from an earlier run; then draw its page."""

    submission: Submission
    options: Options
    reader: Reader = field(default_factory=Reader)
    pages: bool = True
    report: Report | None = None

    @property
    def key(self) -> str:
        """What the report depends on: the submission, the suite, versions, options. Equal keys, equal reports."""
        parts = [
            self.submission.name,
            self.submission.sha256,
            *judged_by(),
            json.dumps(dataclasses.asdict(self.options), sort_keys=True),
        ]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def page_key(self) -> str:
        """What the page depends on beside the report."""
        return hashlib.sha256(repr((self.reader, VERSION)).encode()).hexdigest()


@dataclass(frozen=True)
class Graded:
    """What came of a job: the whole report, and its files, made here so that the one who collects them only writes.

    page, text  as its reader gets it, in HTML and in JSON
    whole       all of it in JSON, for the grader
    Each is "" when no files were asked for.
    """

    report: Report
    page: str = ""
    text: str = ""
    whole: str = ""


@cache
def judged_by() -> tuple[str, ...]:
    """A fingerprint of every case, so that a changed suite is noticed even if nobody changed its version; and the
    versions of what judges."""
    said = json.dumps([[case.name, case.to_json()] for case in suite.cases()])
    return hashlib.sha256(said.encode()).hexdigest(), VERSION, torch_reference.version()


def grade(job: Job) -> Graded:
    """Do a job. Whatever goes wrong is in the report: this raises nothing but what ends the process."""
    report = job.report
    if report is None:
        try:
            report = _report(job)
        except NoIsolation as problem:
            report = failed(job, str(problem))
        except Exception as problem:
            report = failed(
                job, f"the oracle's own fault, not the engine's: {type(problem).__name__}: {problem}"
            )
    if not job.pages:
        return Graded(report)
    from oracle.reports import html_, json_
    from oracle.reports.clean import inert

    report = inert(report)
    shown = job.reader.show(report)
    whole = json_.dumps(report, compact=True)
    text = whole if shown is report else json_.dumps(shown, compact=True)
    return Graded(report, html_.render(shown), text, whole)


def failed(job: Job, why: str, exit_code: int = ORACLE) -> Report:
    """The report of a submission that was not checked."""
    options, submission = job.options, job.submission
    cases = list(suite.select(frozenset(options.levels), options.pattern))
    report = not_run(submission.path, cases, options.profile, exit_code, why)
    return dataclasses.replace(report, seed=options.token(submission.name))


def _report(job: Job) -> Report:
    options, submission = job.options, job.submission
    if submission.problem:
        return failed(job, f"{submission.path}: {submission.problem}", LOADED)
    cases = list(suite.select(frozenset(options.levels), options.pattern))
    demands = Demands(options.profile, frozenset(options.required), options.strict)
    token = options.token(submission.name)
    with tempfile.TemporaryDirectory(prefix="oracle-") as stage:
        target = _write(submission, Path(stage).resolve())
        said = _renamed(f"{target.parent}/", submission)
        try:
            with open_subject(
                str(target),
                timeout=options.timeout,
                memory_mb=options.memory,
                allow_imports=options.allowed,
                tier=options.tier,
                allow_weak=options.weak,
            ) as subject:
                if options.fuzz:
                    report = check_too(subject, cases, demands, token, options.fuzz)
                else:
                    report = check(subject, cases, demands, token)
        except LoadError as problem:
            return failed(job, said(str(problem)), LOADED)
    report = dataclasses.replace(report, options=options.words(token))
    return spelled(report, said, submission.path)


def _write(submission: Submission, stage: Path) -> Path:
    """The submission's files in a folder of their own; where the engine is, or is to be looked for."""
    name = PurePosixPath(submission.path).name
    base = stage / name if submission.folder else stage
    for path, data in submission.files:
        file = base / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return base if submission.folder else stage / submission.files[0][0]


def _renamed(stage: str, submission: Submission) -> Callable[[str], str]:
    """Paths in the folder that a submission was written to → paths as the grader knows them."""
    parent = str(PurePosixPath(submission.path).parent)
    known = "" if parent == "." else f"{parent.rstrip('/')}/"
    return lambda text: text.replace(stage, known)
