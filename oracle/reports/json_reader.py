"""A report from its JSON, every field checked; what is wrong is named by its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from typing import Any, TypeVar, get_args

from oracle.floats import from_hex
from oracle.program import Program, ProgramError
from oracle.report import (
    OUTCOMES,
    SCHEMA,
    CaseResult,
    Cause,
    Change,
    Comparison,
    Detail,
    Example,
    Kind,
    OpResult,
    Points,
    Push,
    Report,
    Row,
    Score,
    Severity,
    SubjectInfo,
    Trend,
    Verdict,
    Withheld,
)

T = TypeVar("T")


class ReportError(ValueError):
    """A report that cannot be read; the message starts with the path of the bad field."""


@dataclass(frozen=True)
class _Field:
    """A piece of JSON and where it stands in the report."""

    data: Any
    path: str

    def __getitem__(self, key: str) -> _Field:
        if not isinstance(self.data, dict):
            raise self.error("an object")
        path = f"{self.path}.{key}" if self.path else key
        if key not in self.data:
            raise ReportError(f"{path}: missing")
        return _Field(self.data[key], path)

    def get(self, key: str) -> _Field:
        """A field that a report may lack: null then."""
        return self[key] if isinstance(self.data, dict) and key in self.data else _Field(None, key)

    def error(self, expected: str) -> ReportError:
        found = "null" if self.data is None else f"{type(self.data).__name__} {str(self.data)[:40]!r}"
        return ReportError(f"{self.path or 'report'}: expected {expected}, found {found}")

    def optional(self, read: Callable[[_Field], T]) -> T | None:
        return None if self.data is None else read(self)

    def text(self) -> str:
        if not isinstance(self.data, str):
            raise self.error("a string")
        return self.data

    def one_of(self, words: tuple[str, ...]) -> Any:
        if self.data not in words:
            raise self.error(f"one of {', '.join(words)}")
        return self.data

    def whole(self) -> int:
        if not isinstance(self.data, int) or isinstance(self.data, bool):
            raise self.error("a whole number")
        return self.data

    def yes_no(self) -> bool:
        if not isinstance(self.data, bool):
            raise self.error("true or false")
        return self.data

    def real(self) -> float:
        """A float as a hex string, or as a plain number."""
        if isinstance(self.data, int | float) and not isinstance(self.data, bool):
            return float(self.data)
        try:
            return from_hex(self.data)
        except ValueError as problem:
            raise ReportError(f"{self.path}: {problem}") from None

    def points(self) -> Fraction:
        """Points: a decimal in a string."""
        try:
            return Fraction(Decimal(self.text()))
        except (ArithmeticError, ValueError):
            raise self.error("a decimal number in a string") from None

    def items(self) -> Iterator[tuple[str, _Field]]:
        if not isinstance(self.data, dict):
            raise self.error("an object")
        return ((key, self[key]) for key in self.data)

    def each(self, read: Callable[[_Field], T]) -> tuple[T, ...]:
        if not isinstance(self.data, list):
            raise self.error("a list")
        return tuple(read(_Field(x, f"{self.path}[{i}]")) for i, x in enumerate(self.data))


def from_json(data: Any) -> Report:
    """Read `to_json`'s data; fields that are derived from others, or unknown, are not looked at.

    Raises ReportError, whose message begins with the path of the bad field.
    """
    top = _Field(data, "")
    if top["schema"].data != SCHEMA:
        raise top["schema"].error(f"{SCHEMA!r}")
    causes = top["causes"].each(_cause)
    return Report(
        subject=_subject(top["subject"]),
        oracle=top["oracle"].text(),
        suite=top["suite"].text(),
        reference=_reference(top["reference"]),
        isolation=top["isolation"].text(),
        profile=top["profile"].text(),
        seed=top["seed"].text(),
        seconds=top["seconds"].real(),
        exit_code=top["exit_code"].whole(),
        causes=causes,
        cases=top["cases"].each(lambda field: _case(field, len(causes))),
        ops={op: _op(field) for op, field in top["ops"].items()},
        unexplained=top["unexplained"].whole(),
        conventions={key: field.text() for key, field in top["conventions"].items()},
        notes=top["notes"].each(_Field.text),
        error=top["error"].optional(_Field.text),
        score=top.get("score").optional(_score),
        withheld=top.get("withheld").optional(_withheld),
        options=top.get("options").optional(lambda field: field.each(_Field.text)) or (),
        baseline=top.get("baseline").optional(lambda field: _comparison(field, len(causes))),
    )


def _score(field: _Field) -> Score:
    return Score(field["items"].each(_points), field["step"].points())


def _points(field: _Field) -> Points:
    return Points(
        what=field["what"].one_of(("level", "op", "policy")),
        name=field["name"].text(),
        earned=field["earned"].points(),
        of=field["of"].points(),
        because=field["because"].text(),
    )


def _withheld(field: _Field) -> Withheld:
    return Withheld(field["detail"].one_of(get_args(Detail)), field["hints"].whole(), field["cases"].whole())


def _comparison(field: _Field, causes: int) -> Comparison:
    return Comparison(
        name=field["name"].text(),
        changes=field["changes"].each(lambda change: _change(change, causes)),
        accepted=field["accepted"].each(_Field.text),
    )


def _change(field: _Field, causes: int) -> Change:
    cause = field["cause"].optional(_Field.whole)
    if cause is not None and not 0 <= cause < causes:
        raise field["cause"].error(f"an index into the {causes} causes of the report")
    return Change(
        trend=field["trend"].one_of(get_args(Trend)),
        fails=field["fails"].yes_no(),
        text=field["text"].text(),
        advice=field["advice"].text(),
        cause=cause,
    )


def _reference(field: _Field) -> str:
    """The version of PyTorch; of another reference, its name as well."""
    name, version = field["name"].text(), field["version"].text()
    return version if name == "torch" else f"{name} {version}"


def _subject(field: _Field) -> SubjectInfo:
    return SubjectInfo(
        name=field["name"].text(),
        target=field["target"].text(),
        language=field["language"].text(),
        sha256=field["sha256"].text(),
        file=field["file"].optional(_Field.text),
        found={key: value.text() for key, value in field["found"].items()},
    )


def _op(field: _Field) -> OpResult:
    if not field["offered"].yes_no():
        return OpResult(offered=False)
    ulp = field["max_ulp"]
    return OpResult(True, field["exercised"].yes_no(), ulp["data"].real(), ulp["grad"].real())


_CASE = itemgetter("name", "level", "outcome", "causes", "detail", "seconds")


def _case(field: _Field, causes: int) -> CaseResult:
    try:  # 2,000 a report: what is well-formed, and about no cause, is read at once
        name, level, outcome, indices, detail, seconds = _CASE(field.data)
    except (KeyError, TypeError):
        pass  # told below, with the field that is missing
    else:
        texts = type(name) is type(level) is type(detail) is str
        if texts and outcome in OUTCOMES and indices == [] and type(seconds) is float:
            return CaseResult(name, level, outcome, (), detail, seconds)
    indices = field["causes"].each(_Field.whole)
    if any(not 0 <= i < causes for i in indices):
        raise field["causes"].error(f"indices into the {causes} causes of the report")
    return CaseResult(
        name=field["name"].text(),
        level=field["level"].text(),
        outcome=field["outcome"].one_of(OUTCOMES),
        causes=indices,
        detail=field["detail"].text(),
        seconds=field["seconds"].real(),
    )


def _cause(field: _Field) -> Cause:
    hints = field["hints"].each(_Field.text)
    if len(hints) != 3:
        raise field["hints"].error("three hints")
    return Cause(
        kind=field["kind"].one_of(get_args(Kind)),
        severity=field["severity"].one_of(get_args(Severity)),
        demanded=field["demanded"].yes_no(),
        op=field["op"].optional(_Field.text),
        operand=field["operand"].optional(_Field.whole),
        form=field["form"].optional(_Field.text),
        mistake=field["mistake"].optional(_Field.text),
        message=field["message"].text(),
        file=field["file"].optional(_Field.text),
        line=field["line"].optional(_Field.whole),
        cases=field["cases"].each(_Field.text),
        wrong_numbers=field["wrong_numbers"].whole(),
        example=field["example"].optional(_example),
        hints=(hints[0], hints[1], hints[2]),
        policy=field["policy"].optional(_Field.text),
        unproven=field.get("unproven").optional(_Field.whole) or 0,
    )


def _example(field: _Field) -> Example:
    try:
        program = Program.from_json(field["program"].data)
    except ProgramError as problem:
        raise ReportError(f"{field.path}.program.{problem}") from None
    size = len(program)
    return Example(
        case=field["case"].text(),
        program=program,
        node=field["node"].text(),
        what=field["what"].one_of(("data", "grad")),
        yours=field["yours"].optional(_Field.real),
        local=field["local"].optional(_Field.real),
        global_=field["global"].optional(_Field.real),
        code=field["code"].text(),
        table=field["table"].each(lambda row: _row(row, size)),
        pushes=field["pushes"].each(lambda push: _push(push, size)),
    )


def _value(field: _Field, size: int) -> int:
    if not 0 <= field.whole() < size:
        raise field.error(f"the index of a value, 0 to {size - 1}")
    return field.whole()


def _row(field: _Field, size: int) -> Row:
    data, grad = field["data"], field["grad"]
    return Row(
        value=_value(field["value"], size),
        node=field["node"].text(),
        expression=field["expression"].text(),
        data=data["yours"].real(),
        grad=grad["yours"].optional(_Field.real),
        local_data=data["local"].real(),
        local_grad=grad["local"].optional(_Field.real),
        global_data=data["global"].real(),
        global_grad=grad["global"].optional(_Field.real),
        data_verdict=data["verdict"].one_of(get_args(Verdict)),
        grad_verdict=grad["verdict"].one_of(get_args(Verdict)),
        cause=field["cause"].yes_no(),
    )


def _push(field: _Field, size: int) -> Push:
    return Push(
        consumer=_value(field["consumer"], size),
        slot=field["slot"].whole(),
        yours=field["yours"].real(),
        correct=field["correct"].real(),
    )
