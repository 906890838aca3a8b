"""What a report says, in words: the sentences that all formats share, each a pure function of the report."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from oracle.floats import same, short
from oracle.report import Cause, Example, Report
from oracle.reports.clean import one_line
from oracle.vocabulary import VOCABULARY

MARKS = {"ok": "✓", "bad": "✗", "note": "△"}

# How many cases had an outcome, for readers.
OUTCOME_WORDS = {
    "pass": "passed",
    "fail": "failed",
    "explained": "explained by a cause",
    "error": "ended in an error",
    "timeout": "ran out of time",
    "imprecise": "imprecise",
    "policy": "different by choice",
    "nondeterministic": "not deterministic",
    "unsupported": "not offered by the engine",
    "not run": "not run",
}

# The part of the engine that is wrong, for a cause with an op and for one without.
_RULES = {
    "forward": ("{op} forward", "the forward pass"),
    "derivative": ("{op} backward", "every backward rule"),
    "accumulation": ("{op} backward", "every backward rule"),
    "schedule": ("the order of backward at {op}", "the order of backward"),
    "seed": ("the seed of backward", "the seed of backward"),
    "lifecycle": ("{op}, in a later step", "what is kept between steps"),
    "missing": ("{op}, missing", "something missing"),
    "raises": ("{op}, raising", "an exception"),
    "resource": ("the cost of {op}", "the cost of backward"),
}

_DEFECTS = {
    "wrong": ("1 rule is wrong", "{n} rules are wrong"),
    "imprecise": ("1 rule is imprecise", "{n} rules are imprecise"),
    "missing": ("1 operation is missing", "{n} operations are missing"),
    "policy": ("1 demanded policy differs", "{n} demanded policies differ"),
}


def count(n: int, one: str, many: str | None = None) -> str:
    """ "1 case", "3 cases", "1,204 cases"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listing(words: Iterable[str], limit: int | None = None) -> str:
    """ "a, b and c"; beyond the limit "a, b and 7 more"."""
    items = list(words)
    if limit is not None and len(items) > limit:
        items = [*items[:limit], f"{len(items) - limit} more"]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


def sentence(cause: Cause, limit: int = 300) -> str:
    """The cause in one sentence on one line, without its full stop."""
    return one_line(cause.message, limit).rstrip(". ")


def place(cause: Cause) -> str:
    """ "engine.py:31", "engine.py", or "" when the source is not known."""
    if cause.file is None:
        return ""
    return one_line(cause.file) + (f":{cause.line}" if cause.line else "")


def rule(cause: Cause) -> str:
    """The rule that is wrong: "mul backward, left operand"; what is missing: "number ** value"."""
    row = VOCABULARY.get(cause.op or "")
    if cause.kind == "missing":
        if cause.form and row is not None and row.symbol:
            return one_line(f" {row.symbol} ".join(part.strip() for part in cause.form.split("-")))
        return one_line(" as ".join(part for part in (cause.op, cause.form) if part)) or _RULES["missing"][1]
    with_op, without = _RULES[cause.kind]
    words = with_op.format(op=one_line(cause.op)) if cause.op else without
    if cause.operand is not None and row is not None and row.arity > 1:
        words += (
            f", {('left', 'right')[cause.operand] if row.arity == 2 else f'{cause.operand + 1}th'} operand"
        )
    return words + (f", as {one_line(cause.form)}" if cause.form else "")


def correct(example: Example) -> float | None:
    """The number that the example's should be: PyTorch's, or what the engine's own inputs call for where the
    engine meets PyTorch's by chance."""
    return expected(example.yours, example.local, example.global_)


def expected(yours: float | None, local: float | None, global_: float | None) -> float | None:
    """PyTorch's number; the local one where the subject has PyTorch's although it is wrong."""
    chance = yours is not None and global_ is not None and local is not None and same(yours, global_)
    return local if chance else global_


def pair(yours: float | None, theirs: float | None) -> tuple[str, str]:
    """Two numbers in as many digits as tell them apart, the same on both sides."""
    if yours is None or theirs is None:
        return ("None" if yours is None else short(yours), "None" if theirs is None else short(theirs))
    return short(yours, theirs), short(theirs, yours)


def code(example: Example) -> tuple[list[str], str]:
    """The lines to paste, and the comment with both numbers that belongs behind the last of them."""
    lines = example.code.rstrip().split("\n")
    if example.yours is None and correct(example) is None:
        return lines, ""
    last = lines[-1].partition("#")[0].strip()
    if re.fullmatch(r"\w+\.\w+", last):
        lines[-1] = last
    else:
        lines.append(f"{example.node}.{example.what}")
    yours, theirs = pair(example.yours, correct(example))
    return lines, f"# yours {yours}   PyTorch {theirs}"


def demanded(report: Report) -> list[Cause]:
    """The causes that make the subject fail, those that explain most first."""
    order = list(_DEFECTS)
    found = [cause for cause in report.causes if cause.demanded]
    return sorted(found, key=lambda cause: (order.index(cause.severity), -cause.wrong_numbers))


def others(report: Report) -> list[Cause]:
    """The causes that are only stated."""
    return [cause for cause in report.causes if not cause.demanded]


def defects(causes: Iterable[Cause]) -> str:
    """ "1 rule is wrong and 2 operations are missing"."""
    severities = [cause.severity for cause in causes]
    found = ((severities.count(severity), words) for severity, words in _DEFECTS.items())  # type: ignore[arg-type]
    return listing(one if n == 1 else many.format(n=n) for n, (one, many) in found if n)


def verdict(report: Report) -> tuple[str, str]:
    """The mark ("ok", "bad", "note") and the sentence that a reader sees first."""
    name = one_line(report.subject.name or report.subject.target, 120)
    counts = report.counts
    ran = sum(counts.values()) - counts["unsupported"] - counts["not run"]
    if report.exit_code == 0:
        if demanded(report) or report.unexplained:
            return "note", f"{name} differs from PyTorch, which was asked not to count as a failure."
        agrees = f"{name} agrees with PyTorch in"
        if counts["pass"] == ran:
            return "ok", f"{agrees} all {count(ran, 'case')}."
        differs = {"policy": "differs by choice", "imprecise": "is imprecise"}
        rest = [f"in {counts[o]:,} it {how}" for o, how in differs.items() if counts[o]]
        if counts["pass"] + counts["policy"] + counts["imprecise"] < ran:
            rest.append("the others are not demanded")
        return "ok", f"{agrees} {counts['pass']:,} of {count(ran, 'case')}; {listing(rest)}."
    if report.exit_code == 1:
        said = [defects(demanded(report))] if demanded(report) else []
        if report.unexplained:
            stays = "stays" if report.unexplained == 1 else "stay"
            said.append(f"{count(report.unexplained, 'wrong number')} {stays} unexplained")
        if not said:
            lost = [o for o in ("error", "timeout", "nondeterministic", "fail") if counts[o]]
            said = [f"{count(counts[o], 'case')} {OUTCOME_WORDS[o]}" for o in lost]
        return "bad", f"{name}: {'; '.join(said) or 'it does not conform'}."
    why = one_line(report.error or "", 600).rstrip(". ")
    if report.exit_code == 3:
        return "bad", f"{name} could not be tested" + (f": {why}." if why else ".")
    if report.exit_code == 5:
        return "note", f"Nothing of {name} was checked" + (f": {why}." if why else ".")
    return "bad", f"The check of {name} did not finish" + (f": {why}." if why else ".")


def explains(cause: Cause) -> str:
    """How much follows from the cause: "explains 37 wrong numbers in 13 cases"; "" when nothing is known."""
    cases = count(len(cause.cases), "case")
    if cause.wrong_numbers:
        return f"explains {count(cause.wrong_numbers, 'wrong number')} in {cases}"
    return f"concerns {cases}" if cause.cases else ""


def balance(report: Report) -> str:
    """Whether the causes account for everything that is wrong."""
    causes = [cause for cause in report.causes if cause.severity in ("wrong", "imprecise")]
    total = sum(cause.wrong_numbers for cause in causes)
    if report.unexplained:
        said = f"; {count(total, 'other')} {'is' if total == 1 else 'are'} explained" if total else ""
        stays = (
            f"{count(report.unexplained, 'wrong number')} {'stays' if report.unexplained == 1 else 'stay'}"
        )
        after = " There is more to find once the causes above are repaired." if total else ""
        return f"{stays} unexplained{said}.{after}"
    if not total or len(causes) < 2:
        return ""
    return f"These {len(causes)} causes explain all {total:,} wrong numbers."


def tally(report: Report) -> str:
    """How many cases had each outcome, those that none had left out."""
    counts = report.counts
    words = [f"{counts[o]:,} {word}" for o, word in OUTCOME_WORDS.items() if counts[o]]
    return " · ".join(words) or "no cases"


def facts(report: Report) -> list[tuple[str, str]]:
    """What was tested, what was not, and what the engine chooses differently: label and text."""
    offered = [op for op, result in report.ops.items() if result.offered]
    tested = [op for op in offered if report.ops[op].exercised]
    either = [op for op in tested if op in VOCABULARY and "int-value" in VOCABULARY[op].forms]
    missing = [c for c in report.causes if c.severity == "missing" and c.form]
    forms = f"; with plain numbers on either side: {', '.join(either)}" if either else ""
    if missing:
        forms += f" (but not {listing(sorted({rule(c) for c in missing}), 8)})"
    rows = [
        ("tested", f"{count(len(tested), 'op')}: {', '.join(tested)}{forms}" if tested else "no op"),
        ("levels", " · ".join(_level(name, counts) for name, counts in report.levels.items())),
        ("not offered", ", ".join(op for op, result in report.ops.items() if not result.offered)),
        ("not exercised", ", ".join(op for op in offered if op not in tested)),
        ("largest error", _largest_error(report)),
        ("conventions", "; ".join(f"{what}: {choice}" for what, choice in report.conventions.items())),
    ]
    return [(label, one_line(text)) for label, text in rows if text]


def _level(name: str, counts: dict[str, int]) -> str:
    ran = sum(counts.values()) - counts["unsupported"] - counts["not run"]
    chosen = f" ({counts['policy']} by choice)" if counts["policy"] else ""
    return f"{name} {counts['pass']}/{ran}{chosen}" if ran else f"{name} –"


def _largest_error(report: Report) -> str:
    tested = {op: result for op, result in report.ops.items() if result.exercised}
    if not tested:
        return ""
    words = []
    for what, key in (("data", "data_ulp"), ("grad", "grad_ulp")):
        op = max(tested, key=lambda name: getattr(tested[name], key))
        ulp = getattr(tested[op], key)
        words.append(f"{what} {ulp:,.4g} ulp" + (f" ({op})" if ulp else ""))
    return ", ".join(words)


def reference(report: Report) -> str:
    """The reference by name and version: "torch 2.13.0"."""
    return one_line(report.reference if " " in report.reference else f"torch {report.reference}", 40)


def run_facts(report: Report) -> str:
    """How the run was made."""
    words = (
        f"profile {report.profile}",
        f"reference {reference(report)}",
        f"suite {report.suite}",
        f"isolation {report.isolation}",
        *([f"seed {report.seed}"] if report.seed else []),
        f"{report.seconds:.1f} s",
    )
    return " · ".join(one_line(word, 120) for word in words)


def rerun(report: Report, case: str | None = None) -> str:
    """The command that does it again, for the whole suite or for one case."""
    words = ["oracle", "check", one_line(report.subject.target)]
    words += ["--profile", one_line(report.profile)] if report.profile != "lecture" else []
    words += ["--seed", one_line(report.seed)] if report.seed else []
    words += ["--case", one_line(case)] if case else []
    return shlex.join(words)
