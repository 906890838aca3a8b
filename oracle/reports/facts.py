"""What a report says about the whole run, in words: the verdict, what was tested, how to do it again."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence

from oracle.floats import decimal
from oracle.report import Report
from oracle.reports import changes, words
from oracle.reports.clean import one_line
from oracle.vocabulary import VOCABULARY

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


def verdict(report: Report) -> tuple[str, str]:
    """The mark ("ok", "bad", "note") and the sentence that a reader sees first."""
    name = one_line(report.subject.name or report.subject.target, 120)
    counts = report.counts
    ran = sum(counts.values()) - counts["unsupported"] - counts["not run"]
    unseen = report.withheld is not None and report.withheld.cases > 0
    if report.exit_code == 0:
        if words.demanded(report) or report.unexplained:
            return "note", f"{name} differs from PyTorch, which was asked not to count as a failure."
        agrees = f"{name} agrees with PyTorch in"
        if counts["pass"] == ran:
            return (
                "ok",
                f"{agrees} {'all ' * (ran > 1)}{words.count(ran, words.unit(report))}"
                f"{' that are shown' if unseen else ''}.",
            )
        differs = {"policy": "differs by choice", "imprecise": "is imprecise"}
        rest = [f"in {counts[o]:,} it {how}" for o, how in differs.items() if counts[o]]
        if counts["pass"] + counts["policy"] + counts["imprecise"] < ran:
            rest.append("the others are not demanded")
        return (
            "ok",
            f"{agrees} {counts['pass']:,} of {words.count(ran, words.unit(report))}; {words.listing(rest)}.",
        )
    if report.exit_code == 1:
        said = (
            [words.defects(words.demanded(report), report.suite == "diff")] if words.demanded(report) else []
        )
        if report.unexplained:
            stays = "stays" if report.unexplained == 1 else "stay"
            said.append(f"{words.count(report.unexplained, 'wrong number')} {stays} unexplained")
        if since := changes.failing(report):
            assert report.baseline is not None
            name_of = one_line(report.baseline.name, 120)
            said.append(f"{words.count(len(since), 'change')} that {name_of} does not accept")
        if not said:
            lost = [o for o in ("error", "timeout", "nondeterministic", "fail") if counts[o]]
            said = [f"{words.count(counts[o], 'case')} {OUTCOME_WORDS[o]}" for o in lost]
        if not said and unseen:
            said = ["it fails in cases that are not shown"]
        return "bad", f"{name}: {'; '.join(said) or 'it does not conform'}."
    why = one_line(report.error or "", 600).rstrip(". ")
    if report.exit_code == 3 and report.suite == "diff" and report.cases:
        return "bad", f"{name} ended in an error after {words.count(len(report.cases), 'step')}: {why}."
    if report.exit_code == 3:
        return "bad", f"{name} could not be tested" + (f": {why}." if why else ".")
    if report.exit_code == 5:
        return "note", f"Nothing of {name} was checked" + (f": {why}." if why else ".")
    return "bad", f"The check of {name} did not finish" + (f": {why}." if why else ".")


def balance(report: Report) -> str:
    """Whether the causes account for everything that is wrong."""
    causes = [cause for cause in report.causes if cause.severity in ("wrong", "imprecise")]
    total = sum(cause.wrong_numbers for cause in causes)
    if report.unexplained:
        said = f"; {words.count(total, 'other')} {'is' if total == 1 else 'are'} explained" if total else ""
        stays = f"{words.count(report.unexplained, 'wrong number')} {'stays' if report.unexplained == 1 else 'stay'}"
        after = " There is more to find once the causes above are repaired." if total else ""
        return f"{stays} unexplained{said}.{after}"
    if not total or len(causes) < 2:
        return ""
    return f"These {len(causes)} causes explain all {total:,} wrong numbers."


def tally(report: Report) -> str:
    """How many cases had each outcome, those that none had left out."""
    counts = report.counts
    unseen = report.withheld.cases if report.withheld is not None else 0
    said = OUTCOME_WORDS | ({"pass": "shown and passed"} if unseen else {})
    words = [f"{counts[o]:,} {word}" for o, word in said.items() if counts[o]]
    words += [f"{unseen:,} not shown"] if unseen else []
    return " · ".join(words) or "no cases"


def score(report: Report) -> str:
    """Points in all and for each thing: "37.5 of 50: forward 10/10 · tanh 2.5/5"; "" without a score."""
    if report.score is None:
        return ""
    items = (f"{item.name} {decimal(item.earned)}/{decimal(item.of)}" for item in report.score.items)
    return f"{decimal(report.score.earned)} of {decimal(report.score.of)}: {' · '.join(items)}"


def tested(report: Report) -> list[tuple[str, str]]:
    """What was tested, what was not, and what the engine chooses differently: label and text."""
    if report.suite in ("diff", "live"):  # somebody's own programs: nothing was offered, nor asked for
        return []
    offered = [op for op, result in report.ops.items() if result.offered]
    tested = [op for op in offered if report.ops[op].exercised]
    wrong = {c.op for c in report.causes if c.severity in ("wrong", "imprecise")}
    either = [op for op in tested if op in VOCABULARY and "int-value" in VOCABULARY[op].forms]
    missing = [c for c in report.causes if c.severity == "missing" and c.form]
    forms = f"; with plain numbers on either side: {', '.join(either)}" if either else ""
    if missing:
        forms += f" (but not {words.listing(sorted({words.rule(c) for c in missing}), 8)})"
    rows = [
        ("tested", f"{words.count(len(tested), 'op')}: {', '.join(tested)}{forms}" if tested else "no op"),
        ("levels", " · ".join(_level(name, counts) for name, counts in report.levels.items())),
        ("network", _network(report)),
        ("not offered", _absent([op for op, result in report.ops.items() if not result.offered])),
        ("wrong", ", ".join(op for op in offered if op in wrong)),
        ("not exercised", ", ".join(op for op in offered if op not in tested and op not in wrong)),
        ("largest error", _largest_error(report)),
        ("conventions", "; ".join(f"{what}: {choice}" for what, choice in report.conventions.items())),
    ]
    return [(label, one_line(text)) for label, text in rows if text]


def _network(report: Report) -> str:
    """What the MLP beside the engine is, and in how many cases it is right; "" where none was judged."""
    said = report.subject.found.get("network", "")
    return said if ": " in said else ""


def _level(name: str, counts: Mapping[str, int]) -> str:
    ran = sum(counts.values()) - counts["unsupported"] - counts["not run"]
    chosen = f" ({counts['policy']} by choice)" if counts["policy"] else ""
    return f"{name} {counts['pass']}/{ran}{chosen}" if ran else f"{name} –"


def _largest_error(report: Report) -> str:
    tested = {op: result for op, result in report.ops.items() if result.exercised}
    if not tested or any(math.isnan(result.data_ulp) for result in tested.values()):  # not for this reader
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
    """The command that does it again, for the whole suite or for one case; "" for what lives in a process."""
    if not report.subject.target:
        return ""
    words = ["oracle", "diff" if report.suite == "diff" else "check"]
    words += [*(["--exec"] if report.subject.is_command else []), one_line(report.subject.target)]
    words += map(one_line, report.options)
    if not report.options and report.profile != "lecture":
        words += ["--profile", one_line(report.profile)]
    words += ["--case", one_line(case)] if case else []
    words += ["--baseline", one_line(report.baseline.name)] if report.baseline and not case else []
    arguments = one_line(report.subject.found.get("arguments", "")) if report.suite == "diff" else ""
    return shlex.join(words) + (f" -- {arguments}" if arguments else "")


FAMILIAR = ("relu", "tanh", "exp", "log", "sigmoid", "sqrt", "abs", "sin", "cos", "maximum", "minimum")
"""Ops that most engines have beside the operators: their absence is named, that of others counted."""


def _absent(ops: Sequence[str]) -> str:
    named = [op for op in ops if op in FAMILIAR]
    others = len(ops) - len(named)
    more = [f"{others} ops that few engines have"] if others else []
    return words.listing([*named, *more])
