"""Shards of a class put together again: equal to the class graded in one go, up to times."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oracle.grade.run import Class
from oracle.grade.store import file_name
from oracle.report import Report, SubjectInfo
from oracle.reports.class_ import SCHEMA, Entry
from oracle.reports.json_ import ReportError, from_json, to_json


class MergeError(ValueError):
    """Reports that cannot be put together: a sentence."""


def merge(paths: Sequence[Path]) -> Class:
    """The class of several `oracle/grade/1` files (or single reports). Raises MergeError.

    It is complete when each part is, and when all shards of the class are there.
    """
    entries: dict[str, Entry] = {}
    shards: dict[int, set[int]] = {}
    seeds: set[str] = set()
    complete = True
    for path in paths:
        data = _read(path)
        complete &= data["complete"]
        seeds.add(data["seed"])
        if data["shard"] is not None:
            part, of = data["shard"]
            shards.setdefault(of, set()).add(part)
        for entry in data["entries"]:
            known = entries.setdefault(entry.name, entry)
            if _still(known.report) != _still(entry.report):
                raise MergeError(
                    f"{path}: {entry.name} was graded before with another result; keep one of the two"
                )
    if len(shards) > 1:
        raise MergeError(
            f"shards of {' and of '.join(map(str, sorted(shards)))} parts do not belong together"
        )
    missing = [n for of, there in shards.items() for n in range(1, of + 1) if n not in there]
    if len(seeds) > 1:
        raise MergeError("the parts were graded with different seeds; grade them with the same --seed")
    return Class(
        tuple(entries[name] for name in sorted(entries)), complete and not missing, seed=next(iter(seeds), "")
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise MergeError(f"{path}: cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError):
        raise MergeError(f"{path}: not JSON, or cut off") from None
    if not isinstance(data, dict):
        raise MergeError(f"{path}: not a report of oracle grade")
    try:
        if data.get("schema") != SCHEMA:
            report = from_json(data)
            name = Path(report.subject.target).stem
            entries = [Entry(name, report.subject.target, file_name(name), report)]
            return {"complete": True, "shard": None, "seed": "", "entries": entries}
        shard = data["shard"]
        if len(data["submissions"]) != len(data["reports"]):
            raise MergeError(
                f"{path}: {len(data['submissions'])} submissions and {len(data['reports'])} reports"
            )
        entries = [
            Entry(str(named["name"]), str(named["path"]), file_name(str(named["name"])), from_json(report))
            for named, report in zip(data["submissions"], data["reports"], strict=True)
        ]
        return {
            "complete": data["complete"] is True,
            "shard": None if shard is None else (int(shard[0]), int(shard[1])),
            "seed": str(data["seed"]),
            "entries": entries,
        }
    except ReportError as problem:
        raise MergeError(f"{path}: {problem}") from None
    except (KeyError, TypeError, ValueError, IndexError) as problem:
        if isinstance(problem, MergeError):
            raise
        raise MergeError(f"{path}: not a whole report of oracle grade ({problem!r})") from None


def _still(report: Report) -> Any:
    """A report without what differs from run to run."""
    subject: SubjectInfo = report.subject
    cases = tuple(dataclasses.replace(case, seconds=0.0) for case in report.cases)
    return to_json(dataclasses.replace(report, subject=subject, seconds=0.0, cases=cases))
