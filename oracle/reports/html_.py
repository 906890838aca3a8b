"""The report as one self-contained HTML page: no script, no request, light and dark, narrow and wide."""

from __future__ import annotations

from functools import cache
from typing import Any

from oracle.floats import short
from oracle.report import CaseResult, Cause, Example, Report, Row
from oracle.reports import changes, facts, layout, picture, words
from oracle.reports.clean import inert, no_command, one_line
from oracle.reports.palette import dark_css
from oracle.reports.results import STATUS
from oracle.reports.scene import compose, culprits, wrong, wrong_data, wrong_grad

ROWS = 14
"""Rows of a node table that are open; the wrong ones come first where there are more."""

PICTURES = 6
"""Causes that get a picture on the page."""

_STATES = {
    "culprit": ("✗", "root cause"),
    "inherited": ("△", "inherited"),
    "match": ("✓", "match"),
}
_CASE_MARKS = {"passed": "✓", "failed": "✗", "error": "✗", "skipped": "–"}


def render(report: Report) -> str:
    """The page as HTML text. Pictures are drawn where a layout engine is at hand."""
    report = inert(report)
    wanted = words.demanded(report)
    tone, headline = facts.verdict(report)
    rows = facts.tested(report) if report.cases else []
    rows += [("score", one_line(facts.score(report)))] * (report.score is not None)
    rows += [("note", one_line(note)) for note in report.notes]
    if report.baseline is not None:
        told = [changes.verdict(report.baseline), *changes.rows(report.baseline)]
        rows += [("baseline", f"{words.MARKS.get(mark, '')} {text}".strip()) for mark, text in told]
    rows += [("run", facts.run_facts(report)), ("sha256", one_line(report.subject.sha256)),
             ("again", facts.rerun(report))]  # fmt: skip
    return no_command(
        _template().render(
            css=_css(),
            name=one_line(report.subject.name, 120),
            tone=tone,
            mark=words.MARKS[tone],
            headline=headline,
            lead=_lead(wanted),
            tally=facts.tally(report) if report.cases else "",
            causes=[_cause(cause, report, n) for n, cause in enumerate(wanted, 1)],
            others=[_brief(cause) for cause in words.others(report)],
            balance=facts.balance(report),
            facts=[row for row in rows if row[1]],
            count=words.count(len(report.cases), "case"),
            cases=[_case(report, case, wanted) for case in report.cases if case.outcome != "unsupported"],
            absent=words.count(report.counts["unsupported"], "case") if report.counts["unsupported"] else "",
        )
    )


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("oracle", "reports/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    return environment.get_template("report.html")


def _css() -> Any:
    from importlib.resources import files

    from markupsafe import Markup

    css = files("oracle").joinpath("reports/templates/page.css").read_text(encoding="utf-8")
    return Markup(css + dark_css(".picture"))


def _lead(causes: list[Cause]) -> str:
    """The first cause in one sentence, with its two numbers."""
    if not causes:
        return ""
    example = causes[0].example
    text = f"{words.sentence(causes[0])}."
    if example is None or example.yours is None:
        return text
    yours, torch = words.pair(example.yours, words.correct(example))
    should = "" if words.untold(example) else f" and should be {torch}"
    return f"{text} {one_line(example.node, 40)}.{example.what} is {yours}{should}."


def _cause(cause: Cause, report: Report, number: int) -> dict[str, Any]:
    example = cause.example
    seen: dict[str, Any] = {
        "code": [],
        "comment": "",
        "yours": "",
        "torch": "",
        "svg": "",
        "facts": [],
        "rows": [],
        "more": [],
    }
    if example is not None and example.code.strip():
        seen["code"], seen["comment"] = words.code(example)
        seen["yours"], torch = words.pair(example.yours, words.correct(example))
        seen["torch"] = "" if words.untold(example) else torch
    if example is not None and example.table:
        sites = culprits(example)
        rows = [_row(row, row.value in sites) for row in example.table]
        if len(rows) > ROWS:
            rows.sort(key=lambda row: list(_STATES).index(row["state"]))
        seen["rows"], seen["more"] = rows[:ROWS], rows[ROWS:]
        if number <= PICTURES:
            seen |= _picture(cause, example, number)
        seen["facts"] = picture.subtitle(example, cause, facts.reference(report))[1:]
    labels = ("Hint", "Why", "Repair")
    return seen | {
        "sentence": words.sentence(cause),
        "rule": words.rule(cause),
        "place": words.place(cause),
        "explains": words.explains(cause),
        "hints": [
            (label, one_line(hint)) for label, hint in zip(labels, cause.hints, strict=True) if hint.strip()
        ],
    }


def _picture(cause: Cause, example: Example, number: int) -> dict[str, Any]:
    from markupsafe import Markup

    source = picture.dot_source(example, cause, prefix=f"c{number}n", bare=True)
    svg, _ = layout.svg(source)
    if svg is None:
        return {}
    drawn, width = layout.inline(svg, picture.title(example, cause))
    return {"svg": Markup(drawn), "width": width, "legend": picture.legend(compose(example))}


def _row(row: Row, site: bool) -> dict[str, Any]:
    state = "culprit" if site else "inherited" if wrong(row) else "match"
    mark, said = _STATES[state]
    data = _number(row.data, row.local_data, row.global_data, wrong_data(row))
    grad = _number(row.grad, row.local_grad, row.global_grad, wrong_grad(row))
    if row.grad_verdict == "unobserved":
        grad = {"yours": "not read", "torch": "", "differs": False, "read": False}
    return {
        "state": state,
        "mark": mark,
        "words": said,
        "name": one_line(row.node, 60) + (f" = {one_line(row.expression, 80)}" if row.expression else ""),
        "data": data,
        "grad": grad,
        "off": _off(row.grad, row.local_grad, row.global_grad) if grad["differs"]
        else _off(row.data, row.local_data, row.global_data) if data["differs"] else "",
    }  # fmt: skip


def _number(yours: float | None, local: float | None, global_: float | None, differs: bool) -> dict[str, Any]:
    right = words.expected(yours, local, global_)
    mine, theirs = words.pair(yours, right if differs else None)
    return {"yours": mine, "torch": theirs, "differs": differs, "read": True}


def _off(yours: float | None, local: float | None, global_: float | None) -> str:
    """The relative error, for a column that is read down."""
    right = words.expected(yours, local, global_)
    if yours is None or right is None or not abs(right) > 0:
        return ""
    error = abs(yours - right) / abs(right)
    return f"{error:.1e}" if error < 1e-3 or error >= 1e4 else short(round(error, 4))


def _brief(cause: Cause) -> dict[str, str]:
    said = words.sentence(cause)
    if cause.severity == "missing" and words.rule(cause) not in said:
        said = f"{words.rule(cause)}: {said}"
    return {"severity": cause.severity, "sentence": said, "place": words.place(cause)}


def _case(report: Report, case: CaseResult, wanted: list[Cause]) -> dict[str, Any]:
    why = []
    for i in case.causes:
        cause = report.causes[i]
        number = next((n for n, other in enumerate(wanted, 1) if other is cause), 0)
        why.append((number, words.sentence(cause, 120)))
    if not why and case.detail:
        why = [(0, one_line(case.detail, 300))]
    return {
        "name": one_line(case.name, 120),
        "outcome": case.outcome,
        "mark": _CASE_MARKS[STATUS[case.outcome]],
        "why": why,
    }
