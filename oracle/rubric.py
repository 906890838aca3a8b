"""Points for a report: a TOML file says how many there are for a level, an op or a policy; sums are exact.

step = 0.5           # what is earned is rounded down to a multiple of this; default 0.01
total = 20           # optional, checked against the sum

[levels]
accumulate = 10      # in proportion to the cases that pass, of those that count
[ops]
tanh = 7.5           # all or nothing: offered, exercised, and no cause is about it
[policies]
second-backward = 2.5  # all or nothing: the engine does what PyTorch does
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from oracle import suite
from oracle.floats import decimal
from oracle.judge.policies import POLICIES
from oracle.report import Points, Report, Score
from oracle.reports.results import Result, points, results
from oracle.vocabulary import VOCABULARY

What = Literal["level", "op", "policy"]

TABLES: Mapping[str, tuple[What, Collection[str]]] = {
    "levels": ("level", suite.LEVELS),
    "ops": ("op", VOCABULARY),
    "policies": ("policy", POLICIES),
}
"""Table of the file → what its keys name, and the names there are."""

STEP = Fraction(1, 100)
LARGEST = 10**9


class RubricError(ValueError):
    """A rubric that cannot be used: a sentence that begins with the file and its line; below it, that line."""


@dataclass(frozen=True)
class Item:
    """Points for one thing."""

    what: What
    name: str
    points: Fraction


@dataclass(frozen=True)
class Rubric:
    """What there are points for, in the order of the file; see the module."""

    items: tuple[Item, ...]
    step: Fraction = STEP

    def score(self, report: Report) -> Score:
        """The points of a whole report (score first, redact then). Nothing is earned where nothing was judged."""
        found = results(report)
        judged = report.exit_code in (0, 1)
        return Score(tuple(self._points(report, found, item, judged) for item in self.items), self.step)

    def scored(self, report: Report) -> Report:
        """The report with its score."""
        return dataclasses.replace(report, score=self.score(report))

    def _points(self, report: Report, found: list[Result], item: Item, judged: bool) -> Points:
        share, because = (
            _SHARES[item.what](report, found, item.name) if judged else (Fraction(0), "not checked")
        )
        earned = item.points if share == 1 else item.points * share // self.step * self.step
        return Points(item.what, item.name, earned, item.points, because)


# How much of each kind of thing is right: a share of 0 to 1, and why ----------------------------------------------


def _level(report: Report, found: list[Result], level: str) -> tuple[Fraction, str]:
    earned, of = points([r for r in found if r.level == level])
    if not of:
        return Fraction(0), "nothing of this level ran"
    return Fraction(earned, of), f"{earned} of {of} cases passed"


def _op(report: Report, found: list[Result], op: str) -> tuple[Fraction, str]:
    result = report.ops.get(op)
    if result is None or not result.offered:
        return Fraction(0), "not offered"
    if any(c.op == op and (c.severity == "wrong" or c.demanded) for c in report.causes):
        return Fraction(0), "one of its rules is wrong"
    return (Fraction(1), "every rule is right") if result.exercised else (Fraction(0), "not exercised")


def _policy(report: Report, found: list[Result], policy: str) -> tuple[Fraction, str]:
    if any(c.policy == policy for c in report.causes):
        return Fraction(0), "differs from PyTorch"
    about = {case.name for case in suite.cases() if case.policy == policy}
    ran = [case.outcome for case in report.cases if case.name in about]
    right = any(outcome == "pass" for outcome in ran)
    lost = any(outcome not in ("pass", "unsupported", "policy", "imprecise") for outcome in ran)
    return (Fraction(1), "as PyTorch") if right and not lost else (Fraction(0), "not shown to hold")


_SHARES = {"level": _level, "op": _op, "policy": _policy}


# Reading ---------------------------------------------------------------------------------------------------------


def read(path: Path) -> Rubric:
    """A rubric from its file. Raises RubricError."""
    try:
        return parse(path.read_text(encoding="utf-8"), path.name)
    except OSError as problem:
        raise RubricError(f"{path}: cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise RubricError(f"{path}: not text in UTF-8") from None


def parse(text: str, name: str = "rubric.toml") -> Rubric:
    """A rubric from the text of a file called `name`. Raises RubricError."""
    try:
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as problem:
        said = re.fullmatch(r"(.*?) \(at (?:line (\d+), column \d+|end of document)\)", str(problem))
        why, at = (said[1], said[2]) if said else (str(problem), None)
        line = int(at) if at else len(text.rstrip().split("\n"))
        raise _refused(name, text, line, f"not TOML: {why[:1].lower()}{why[1:]}") from None
    lines = _lines(text)

    def bad(table: str, key: str, problem: str) -> RubricError:
        line = lines.get((table, key)) or lines.get((table, "")) or lines.get(("", table), 1)
        return _refused(name, text, line, f"{'.'.join(filter(None, (table, key)))}: {problem}")

    items: list[Item] = []
    for table, entries in data.items():
        if table in ("step", "total"):
            continue
        if table not in TABLES:
            raise bad("", table, f"expected step, total, {', '.join(f'[{t}]' for t in TABLES)}")
        what, names = TABLES[table]
        if not isinstance(entries, dict):
            raise bad("", table, f"expected a table: [{table}], with lines like  name = points")
        for key, value in entries.items():
            if key not in names:
                near = difflib.get_close_matches(key, names, 1)
                known = f"did you mean {near[0]}?" if near else f"there are {', '.join(list(names)[:12])}"
                raise bad(table, key, f"there is no such {what}; {known}")
            items.append(Item(what, key, _number(value, lambda p, t=table, k=key: bad(t, k, p))))
    step = _number(data.get("step", Decimal("0.01")), lambda p: bad("", "step", p))
    if not step:
        raise bad("", "step", "expected more than 0")
    for item in items:
        if item.points % step:
            table = next(t for t, (what, _) in TABLES.items() if what == item.what)
            raise bad(
                table,
                item.name,
                f"{decimal(item.points)} points are not a multiple of the step, {decimal(step)}",
            )
    total = sum((item.points for item in items), Fraction(0))
    if not total:
        raise _refused(name, text, 1, "no points; write lines like  accumulate = 10  below [levels]")
    if "total" in data and (said_total := _number(data["total"], lambda p: bad("", "total", p))) != total:
        raise bad("", "total", f"{decimal(said_total)}, but the points below are {decimal(total)} in all")
    return Rubric(tuple(items), step)


def _refused(name: str, text: str, line: int, problem: str) -> RubricError:
    shown = text.split("\n")[line - 1].strip()[:80]
    return RubricError(f"{name}:{line}: {problem}" + (f"\n    {line} | {shown}" if shown else ""))


def _number(value: Any, bad: Any) -> Fraction:
    """Points: a number that is finite, not negative, and no larger than `LARGEST`."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise bad(f"expected a number of points, found {value!r}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise bad(f"expected a number of points, found {value}")
    if not 0 <= value <= LARGEST:
        raise bad(f"expected 0 to {LARGEST:,} points, found {value}")
    if Fraction(value) * 10**6 % 1:
        raise bad(f"expected at most six digits after the point, found {value}")
    return Fraction(value)


_HEADER = re.compile(r"\s*\[\s*[\"']?([\w-]+)[\"']?\s*\]")
_KEY = re.compile(r"\s*[\"']?([\w-]+)[\"']?\s*(?:\.\s*[\"']?([\w-]+)[\"']?\s*)?=")


def _lines(text: str) -> dict[tuple[str, str], int]:
    """The line of every key, by (table, key); of a table's header by (table, "")."""
    found: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            table = header[1]
            found.setdefault((table, ""), number)
        elif key := _KEY.match(line):
            first, second = key[1], key[2]
            found.setdefault((table, first) if second is None else (first, second), number)
    return found
