"""The report: what was found about one subject, as frozen data. Renderers draw it, none decides anything.

Numbers of the subject and of the references stay floats here; JSON spells them as C99 hex strings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

from oracle.program import Program

SCHEMA = "oracle/report/1"

Kind = Literal[
    "forward",
    "derivative",
    "accumulation",
    "schedule",
    "seed",
    "lifecycle",
    "missing",
    "raises",
    "resource",
    "network",
]
Severity = Literal["wrong", "imprecise", "missing", "policy"]
Verdict = Literal["match", "convention", "imprecise", "inherited", "wrong", "unobserved"]

OUTCOMES = (
    "pass",
    "imprecise",
    "policy",
    "fail",
    "explained",
    "error",
    "timeout",
    "unsupported",
    "nondeterministic",
    "not run",
)


@dataclass(frozen=True)
class Row:
    """One value of an example, as the subject has it and as PyTorch gets it.

    node        name of the value; `value` is its index in the program
    expression  how it is made, e.g. "a * b"; "" for a leaf
    data, grad             the subject's numbers; grad None when it cannot be read
    local_data, local_grad what the subject's own inputs call for
    global_data, global_grad what PyTorch gets for the whole program; grad None when unreachable
    data_verdict, grad_verdict   design, section 4
    cause       whether a wrong rule is applied at this value (drawn as root cause)
    """

    value: int
    node: str
    expression: str
    data: float
    grad: float | None
    local_data: float
    local_grad: float | None
    global_data: float
    global_grad: float | None
    data_verdict: Verdict
    grad_verdict: Verdict
    cause: bool = False


@dataclass(frozen=True)
class Push:
    """What a faulty rule pushed along one edge: from the value `consumer` to its operand number `slot`."""

    consumer: int
    slot: int
    yours: float
    correct: float


@dataclass(frozen=True)
class Example:
    """The smallest case that shows a cause.

    node, what  the value and the number ("data" or "grad") that is wrong
    yours, local, global_   the subject's number; what its own inputs call for; PyTorch's for the whole program
    code        lines to paste that show it with the subject's own class
    table       every value of the program (empty when the subject raised)
    pushes      the edges along which a wrong gradient went
    """

    case: str
    program: Program
    node: str
    what: str
    yours: float | None
    local: float | None
    global_: float | None
    code: str
    table: tuple[Row, ...] = ()
    pushes: tuple[Push, ...] = ()


@dataclass(frozen=True)
class Cause:
    """One defect of the subject (design, section 3).

    wrong_numbers  how many numbers it accounts for
    unproven       how many of these the rules, replaced by what was measured of them, do not reproduce
    """

    kind: Kind
    severity: Severity
    demanded: bool
    op: str | None
    operand: int | None
    form: str | None
    mistake: str | None
    message: str
    file: str | None
    line: int | None
    cases: tuple[str, ...]
    wrong_numbers: int
    example: Example | None
    hints: tuple[str, str, str]
    policy: str | None = None
    unproven: int = 0

    @property
    def fingerprint(self) -> tuple[str, str | None, int | None, str | None, str | None]:
        """What makes two causes the same one, whatever the line."""
        return (self.kind, self.op, self.operand, self.form, self.mistake)


@dataclass(frozen=True)
class CaseResult:
    """What became of one case; `causes` are indices into the report's causes."""

    name: str
    level: str
    outcome: str
    causes: tuple[int, ...] = ()
    detail: str = ""
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class OpResult:
    """What was learned of one vocabulary op. Errors are the largest seen at ordinary points, in ulp."""

    offered: bool
    exercised: bool = False
    data_ulp: float = 0.0
    grad_ulp: float = 0.0


@dataclass(frozen=True)
class Points:
    """Points for one thing of a rubric.

    what, name  e.g. "level" and "accumulate", "op" and "tanh", "policy" and "second-backward"
    earned, of  exact, in points
    because     how many of what was right, in words
    """

    what: Literal["level", "op", "policy"]
    name: str
    earned: Fraction
    of: Fraction
    because: str = ""


@dataclass(frozen=True)
class Score:
    """Points by a rubric. Every number is a multiple of `step` points, so that sums are exact in decimals."""

    items: tuple[Points, ...]
    step: Fraction = Fraction(1)

    @property
    def earned(self) -> Fraction:
        return sum((item.earned for item in self.items), Fraction(0))

    @property
    def of(self) -> Fraction:
        return sum((item.of for item in self.items), Fraction(0))


Detail = Literal["full", "actual-only", "none"]


@dataclass(frozen=True)
class Withheld:
    """What the reader of a report is not shown (see `oracle.redact`).

    detail  "full": nothing is withheld; "actual-only": only the subject's own numbers; "none": no numbers at all
    hints   how many hints are shown, 0 to 3
    cases   how many cases are not shown
    """

    detail: Detail = "full"
    hints: int = 3
    cases: int = 0


Trend = Literal["worse", "better", "other"]


@dataclass(frozen=True)
class Change:
    """One difference between a report and what was there before.

    trend   "other" is neither worse nor better
    fails   whether a gate fails by it
    text    the sentence
    advice  what to do about it when a baseline was there before; "" when nothing is to be done
    cause   index of the cause that it is about, when that is in the report
    """

    trend: Trend
    fails: bool
    text: str
    advice: str = ""
    cause: int | None = None


@dataclass(frozen=True)
class Comparison:
    """A report beside its baseline: the file's name, the changes, those that fail first, and what is accepted and
    still there, each in a sentence with its date and reason."""

    name: str
    changes: tuple[Change, ...]
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubjectInfo:
    """Which engine was tested: sha256 of its source, and how its parts were found (for --verbose)."""

    name: str
    target: str
    language: str
    sha256: str
    file: str | None = None
    found: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_command(self) -> bool:
        """Whether the target is a command that was started (`--exec`): there is no file then."""
        return self.file is None and bool(self.sha256)


@dataclass(frozen=True)
class Report:
    """Everything that was found about one subject in one run; `ok` is true exactly when exit_code is 0."""

    subject: SubjectInfo
    oracle: str
    suite: str
    reference: str
    isolation: str
    profile: str
    seed: str
    seconds: float
    exit_code: int
    causes: tuple[Cause, ...]
    cases: tuple[CaseResult, ...]
    ops: Mapping[str, OpResult]
    unexplained: int
    conventions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    error: str | None = None
    score: Score | None = None
    withheld: Withheld | None = None
    options: tuple[str, ...] = ()
    """Words of the command line, besides the target, that this report depends on."""
    baseline: Comparison | None = None

    @property
    def ok(self) -> bool:
        return self.exit_code == 0

    @property
    def counts(self) -> dict[str, int]:
        """How many cases had each outcome."""
        return count(self.cases)

    @cached_property
    def levels(self) -> Mapping[str, Mapping[str, int]]:
        """`counts` for every level, in the order of the suite."""
        found: dict[str, list[CaseResult]] = {}
        for case in self.cases:
            found.setdefault(case.level, []).append(case)
        return {name: count(cases) for name, cases in found.items()}


def count(cases: Sequence[CaseResult]) -> dict[str, int]:
    """Cases by outcome, every outcome named."""
    out = dict.fromkeys(OUTCOMES, 0)
    for case in cases:
        out[case.outcome] += 1
    return out
