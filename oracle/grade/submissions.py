"""Submissions: folders, files, notebooks and archives become names and bytes. Nothing of theirs is run here."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

SOURCES = (".py", ".ipynb")
KEPT = (*SOURCES, ".json", ".txt", ".csv", ".toml")
"""Endings of the files that an engine may need."""

FILE_BYTES, ALL_BYTES, FILES = 4 << 20, 16 << 20, 500
"""The most that one file, one submission, and the number of its files may be."""

IGNORED = {"__pycache__", "__MACOSX", "node_modules", "venv", "site-packages"}

Files = tuple[tuple[str, bytes], ...]


class SubmissionError(ValueError):
    """What was named cannot be graded at all: a sentence."""


@dataclass(frozen=True)
class Submission:
    """What one person handed in.

    name     unique among the submissions: the file's or folder's, without the ending
    path     where it is, for readers
    files    relative path → bytes, sorted; of a single file just that
    folder   whether the engine has to be looked for among several files
    problem  why it cannot be read, a sentence; "" when it can
    """

    name: str
    path: str
    files: Files = ()
    folder: bool = False
    problem: str = ""

    @property
    def sha256(self) -> str:
        digest = hashlib.sha256(f"{self.folder} {self.problem}\0".encode())
        for path, data in self.files:
            digest.update(f"{path}\0{len(data)}\0".encode("utf-8", "surrogatepass") + data)
        return digest.hexdigest()


def find(paths: Sequence[str]) -> tuple[list[Submission], list[str]]:
    """The submissions, sorted by name, and the names of the files that are none.

    A single folder or archive holds submissions: every file, notebook, folder and archive in it is one. Where
    several paths are given, or a pattern, each of them is one. Raises SubmissionError.
    """
    named = [found for path in paths for found in _expand(path)]
    if len(named) == 1 and (named[0].is_dir() or named[0].suffix.lower() == ".zip"):
        found, ignored = _inside(named[0])
    else:
        found, ignored = [], []
        for path in named:
            one = _one(path)
            (ignored.append(str(path)) if one is None else found.append(one))
    if not found:
        raise SubmissionError(
            f"{' '.join(paths)}: no submission; one is a .py file, a notebook, or a folder or .zip with one in it"
        )
    return _unique(found), ignored


def _expand(path: str) -> list[Path]:
    if Path(path).exists():
        return [Path(path)]
    anchor = Path(path).anchor
    pattern = path[len(anchor) :]
    matches = sorted(Path(anchor or ".").glob(pattern)) if any(c in pattern for c in "*?[") else []
    if not matches:
        raise SubmissionError(f"{path}: no such file or folder")
    return matches


def _inside(path: Path) -> tuple[list[Submission], list[str]]:
    """The submissions in a folder, or in an archive."""
    found: list[Submission] = []
    ignored: list[str] = []
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            if entry.name.startswith(".") or entry.name in IGNORED:
                continue
            one = _one(entry)
            (ignored.append(entry.name) if one is None else found.append(one))
        return found, ignored
    try:
        files = list(_unpacked(path.read_bytes(), FILES * 1000, ALL_BYTES * 100))
    except (OSError, SubmissionError) as problem:
        raise SubmissionError(f"{path}: {problem}") from None
    tops = {PurePosixPath(name).parts[0] for name, _ in files}
    if len(tops) == 1 and all(len(PurePosixPath(name).parts) > 1 for name, _ in files):
        files = [(str(PurePosixPath(*PurePosixPath(name).parts[1:])), data) for name, data in files]
    members: dict[str, list[tuple[str, bytes]]] = {}
    for name, data in files:
        top, _, rest = name.partition("/")
        members.setdefault(top, []).append((rest, data))
    for top, held in sorted(members.items()):
        shown = f"{path}/{top}"
        if held[0][0] == "":
            one = _file(top, shown, held[0][1])
        else:
            one = _checked(Submission(top, shown, _kept(held), folder=True))
        (ignored.append(top) if one is None else found.append(one))
    return found, ignored


def _one(path: Path) -> Submission | None:
    """The submission at a path, or None where there is none."""
    try:
        if path.is_symlink():
            return None  # it could lead to anything
        if path.is_dir():
            files = list(_walk(path))
            return _checked(Submission(path.name, str(path), _kept(files), folder=True))
        if path.suffix.lower() not in (*SOURCES, ".zip"):
            return None
        if path.stat().st_size > ALL_BYTES:
            return Submission(path.stem, str(path), problem=f"it is larger than {ALL_BYTES >> 20} MiB")
        return _file(path.name, str(path), path.read_bytes())
    except (OSError, SubmissionError) as problem:
        said = problem.strerror if isinstance(problem, OSError) else str(problem)
        return Submission(path.stem, str(path), problem=f"it cannot be read: {said}")


def _file(name: str, shown: str, data: bytes) -> Submission | None:
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix.lower()
    if suffix in SOURCES:
        return _checked(Submission(stem, shown, ((name, data),)))
    if suffix != ".zip":
        return None
    try:
        return _checked(Submission(stem, shown, _kept(_unpacked(data, FILES, ALL_BYTES)), folder=True))
    except SubmissionError as problem:
        return Submission(stem, shown, problem=str(problem))


def _walk(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a folder. Links are not followed. Raises SubmissionError."""
    total = 0
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in IGNORED and not f.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            info = path.lstat()
            if not stat.S_ISREG(info.st_mode) or not _wanted(name):
                continue
            total += info.st_size
            if total > ALL_BYTES:
                raise SubmissionError(f"it is larger than {ALL_BYTES >> 20} MiB")
            yield path.relative_to(folder).as_posix(), path.read_bytes()


def _unpacked(data: bytes, files: int, size: int) -> Iterator[tuple[str, bytes]]:
    """The files of an archive, read with care: what it says of its own size is not believed."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir()]
            if len(entries) > files:
                raise SubmissionError(f"the archive holds more than {files:,} files")
            left = size
            for entry in entries:
                path = PurePosixPath(_name(entry).replace("\\", "/"))
                if path.is_absolute() or ".." in path.parts:
                    raise SubmissionError("the archive holds a file that would be written outside of it")
                if any(p in IGNORED or p.startswith(".") for p in path.parts) or not (
                    _wanted(path.name) or path.suffix.lower() == ".zip"
                ):
                    continue
                with archive.open(entry) as file:
                    content = file.read(min(left, ALL_BYTES) + 1)
                left -= len(content)
                if left < 0 or len(content) > ALL_BYTES:
                    raise SubmissionError(f"the archive unpacks to more than {size >> 20} MiB")
                yield str(path), content
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as problem:
        if isinstance(problem, SubmissionError):
            raise
        raise SubmissionError("it is not an archive that can be unpacked here") from None


def _name(entry: zipfile.ZipInfo) -> str:
    """A file's name in an archive. Many that are UTF-8 are not marked so, and come as code page 437."""
    try:
        return entry.filename if entry.flag_bits & 0x800 else entry.filename.encode("cp437").decode()
    except UnicodeError:
        return entry.filename


def _wanted(name: str) -> bool:
    return name.lower().endswith(KEPT) and not name.startswith(".")


def _kept(files: Iterable[tuple[str, bytes]]) -> Files:
    """Sorted; where a folder holds nothing but one other folder, that one's files."""
    found = sorted((name, data) for name, data in files if _wanted(name.rpartition("/")[2]))
    while found and len({name.partition("/")[0] for name, _ in found}) == 1 and "/" in found[0][0]:
        found = [(name.partition("/")[2], data) for name, data in found]
    return tuple(found)


def _checked(submission: Submission) -> Submission | None:
    """None where there is no source at all; a problem where there is too much."""
    if not any(name.lower().endswith(SOURCES) for name, _ in submission.files):
        return (
            None
            if not submission.folder
            else _refused(submission, "there is no .py file and no notebook in it")
        )
    if len(submission.files) > FILES:
        return _refused(submission, f"it has more than {FILES} files")
    if any(len(data) > FILE_BYTES for _, data in submission.files):
        return _refused(submission, f"a file in it is larger than {FILE_BYTES >> 20} MiB")
    if any("\0" in name or len(name.encode("utf-8", "surrogatepass")) > 200 for name, _ in submission.files):
        return _refused(submission, "the name of a file in it is too long or not a name")
    return submission


def _refused(submission: Submission, why: str) -> Submission:
    return Submission(submission.name, submission.path, folder=submission.folder, problem=why)


def _unique(found: list[Submission]) -> list[Submission]:
    """Sorted by name; names that occur twice become the paths."""
    often = Counter(one.name for one in found)
    named = [
        one if often[one.name] == 1 else Submission(one.path, one.path, one.files, one.folder, one.problem)
        for one in found
    ]
    if len({one.name for one in named}) < len(named):
        raise SubmissionError("the same submission is named twice; name each path once")
    return sorted(named, key=lambda one: one.name)
