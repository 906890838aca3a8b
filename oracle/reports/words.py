"""What a report says about its causes, in words: the sentences and numbers that all formats share."""

from __future__ import annotations

import re
from collections.abc import Iterable

from oracle.floats import same, short
from oracle.report import Cause, Example, Report
from oracle.reports.clean import one_line
from oracle.vocabulary import VOCABULARY

MARKS = {"ok": "✓", "bad": "✗", "note": "△"}

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
    "network": ("the network", "the network"),
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
    """ "engine.py:31", "engine.py", "lesson.ipynb, cell 2, line 31", "In[2], line 31" of a notebook that runs, or ""
    when the source is not known."""
    if cause.file is None:
        return ""
    file, cell = cell_of(one_line(cause.file))
    if cell is None:
        return file + (f":{cause.line}" if cause.line else "")
    where = f"{file}, cell {cell}" if file else f"In[{cell}]"
    return where + (f", line {cause.line}" if cause.line else "")


def anchor(cause: Cause) -> tuple[str | None, int | None]:
    """The file and line for programs that open files. A line of a cell is no line of its notebook's file."""
    file, cell = cell_of(cause.file or "")
    return file or None, cause.line if cell is None and file else None


def cell_of(file: str) -> tuple[str, int | None]:
    """The file itself, and which cell of it is meant when it is a notebook: ("lesson.ipynb", 2); ("", 2) is a cell
    of a notebook that runs and need not have a file."""
    found = re.fullmatch(r"(.*\.ipynb|)#(\d+)", file)
    return (found[1], int(found[2])) if found else (file, None)


def rule(cause: Cause) -> str:
    """The rule that is wrong: "mul backward, left operand"; what is missing: "number ** value"."""
    row = VOCABULARY.get(cause.op or "")
    if cause.kind == "missing":
        if cause.form and row is not None and row.symbol:
            return one_line(f" {row.symbol} ".join(part.strip() for part in cause.form.split("-")))
        return one_line(" as ".join(part for part in (cause.op, cause.form) if part)) or _RULES["missing"][1]
    with_op, without = _RULES[cause.kind]
    if cause.kind == "lifecycle" and cause.op is None and cause.example and cause.example.what == "data":
        return "the update"  # the number that a training loop's mistake makes wrong is a parameter's own
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
    """Two numbers in as many digits as tell them apart, the same on both sides; "raises" for none of yours."""
    if yours is None or theirs is None:
        return ("raises" if yours is None else short(yours), "None" if theirs is None else short(theirs))
    return short(yours, theirs), short(theirs, yours)


def code(example: Example) -> tuple[list[str], str]:
    """The lines to paste, and the comment with both numbers that belongs behind the last of them."""
    lines = example.code.rstrip().split("\n")
    if example.yours is None and correct(example) is None:
        return lines, ""
    last = lines[-1].partition("#")[0].strip()
    if last:
        lines[-1] = last
    else:  # of a large program nothing is shown but this number
        lines.append(f"{example.node}.{example.what}")
    yours, theirs = pair(example.yours, correct(example))
    return lines, f"# yours {yours}" + ("" if untold(example) else f"   PyTorch {theirs}")


def untold(example: Example) -> bool:
    """Whether there is no right number beside the subject's: the reader may not see it."""
    return example.yours is not None and example.local is None and example.global_ is None


def demanded(report: Report) -> list[Cause]:
    """The causes that make the subject fail, those that explain most first; of what is missing, what is there under
    another name."""
    order = list(_DEFECTS)
    found = [cause for cause in report.causes if cause.demanded]
    return sorted(
        found,
        key=lambda cause: (order.index(cause.severity), -cause.wrong_numbers, cause.mistake is None),
    )


def others(report: Report) -> list[Cause]:
    """The causes that are only stated."""
    return [cause for cause in report.causes if not cause.demanded]


def unit(report: Report) -> str:
    """What a case is called: of a script's run it is a step."""
    return "step" if report.suite == "diff" else "case"


def defects(causes: Iterable[Cause], of_script: bool = False) -> str:
    """ "1 rule is wrong and 2 operations are missing"; of a script's run "1 mistake in its training", too."""
    causes = list(causes)
    training = [cause for cause in causes if of_script and cause.kind == "lifecycle" and cause.op is None]
    network = [cause for cause in causes if cause.kind == "network" and cause.severity == "wrong"]
    unjudged = [cause for cause in causes if cause.kind == "network" and cause not in network]
    apart = [*training, *network, *unjudged]
    severities = [cause.severity for cause in causes if cause not in apart]
    found = ((severities.count(severity), words) for severity, words in _DEFECTS.items())  # type: ignore[arg-type]
    said = [one if n == 1 else many.format(n=n) for n, (one, many) in found if n]
    if training:
        said.append(f"{count(len(training), 'mistake')} in its training")
    if network:
        said.append(f"{count(len(network), 'mistake')} in its network")
    if unjudged:
        said.append("no network was judged")
    return listing(said)


def explains(cause: Cause, unit: str = "case") -> str:
    """How much follows from the cause: "explains 37 wrong numbers in 13 cases"; "" when nothing is known."""
    cases = count(len(cause.cases), unit)
    if cause.wrong_numbers:
        proven = cause.wrong_numbers - cause.unproven
        rest = f", {f'{proven:,}' if proven else 'none'} of them to the digit" if cause.unproven else ""
        return f"explains {count(cause.wrong_numbers, 'wrong number')} in {cases}{rest}"
    return f"concerns {cases}" if cause.cases else ""
