"""Cases and what a subject answers: steps, observations, and every way not to answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from oracle.floats import from_hex, to_hex
from oracle.program import Program, ProgramError

ENCODE = json.JSONEncoder(separators=(",", ":")).encode
"""JSON as the protocol has it; `json.dumps` would make an encoder for every case."""

# Steps: each knows its JSON. A case is a program and the steps done with it. ---------------------------------


@dataclass(frozen=True)
class Backward:
    """Call backward on a value."""

    value: int

    def to_json(self) -> list[Any]:
        return ["backward", self.value]


@dataclass(frozen=True)
class Zero:
    """Set the gradients of these values to 0."""

    values: tuple[int, ...]

    def to_json(self) -> list[Any]:
        return ["zero", list(self.values)]


@dataclass(frozen=True)
class Seed:
    """Set the gradient of a value to 1, for an engine whose backward leaves that to its caller."""

    value: int

    def to_json(self) -> list[Any]:
        return ["seed", self.value]


@dataclass(frozen=True)
class Set:
    """Change the data of a leaf."""

    value: int
    data: float

    def to_json(self) -> list[Any]:
        return ["set", self.value, to_hex(self.data)]


@dataclass(frozen=True)
class Rebuild:
    """Compute the program again, on the same leaves."""

    def to_json(self) -> list[Any]:
        return ["rebuild"]


@dataclass(frozen=True)
class Observe:
    """Read data and gradient of every value."""

    def to_json(self) -> list[Any]:
        return ["observe"]


Step = Backward | Zero | Seed | Set | Rebuild | Observe


@dataclass(frozen=True)
class Case:
    """A program, the steps done with it, and why the suite has it.

    name     "level/short-name"
    policy   the policy that this case is about (design, section 3): deviating here is a choice, not a bug
    """

    name: str
    program: Program
    reason: str = ""
    steps: tuple[Step, ...] = ()
    policy: str | None = None

    def __post_init__(self) -> None:
        if not self.steps:
            object.__setattr__(self, "steps", (Backward(self.program.root), Observe()))

    def seeded(self) -> Case:
        """The same with the root's gradient set to 1 before every backward."""
        steps: list[Step] = []
        for step in self.steps:
            if isinstance(step, Backward) and steps[-1:] != [Seed(step.value)]:
                steps.append(Seed(step.value))
            steps.append(step)
        return replace(self, steps=tuple(steps))

    @property
    def level(self) -> str:
        return self.name.partition("/")[0]

    @property
    def again(self) -> bool:
        """Whether it back-propagates twice through one graph, from the same root."""
        roots: set[int] = set()
        for step in self.steps:
            if isinstance(step, Rebuild):
                roots.clear()
            elif isinstance(step, Backward):
                if step.value in roots:
                    return True
                roots.add(step.value)
        return False

    @cached_property
    def body(self) -> str:
        """`to_json` as text, without its braces: the suite is sent to every submission of a class, twice."""
        return ENCODE(self.to_json())[1:-1]

    def to_json(self) -> dict[str, Any]:
        """The body of the protocol's "run" message."""
        return {"program": self.program.to_json(), "steps": [step.to_json() for step in self.steps]}


# Answers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Observation:
    """What one "observe" showed.

    data   data of every value, read at that moment
    grad   gradient of every value; None where it cannot be read
    made   data of every value as read when it was made, where that differs from `data`; else None
    """

    data: Sequence[float]
    grad: Sequence[float | None]
    made: Sequence[float] | None = None

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {
            "data": [to_hex(x) for x in self.data],
            "grad": [None if g is None else to_hex(g) for g in self.grad],
        }
        if self.made is not None:
            out["made"] = [to_hex(x) for x in self.made]
        return out

    @classmethod
    def from_json(cls, data: Any, size: int) -> Observation:
        """Read a subject's observation of `size` values. Raises ProgramError with the path of the bad field."""
        if not isinstance(data, dict):
            raise ProgramError("expected an object with data and grad")
        columns: dict[str, Any] = {}
        for name in ("data", "grad", "made"):
            column = data.get(name)
            if column is None and name == "made":
                columns[name] = None
                continue
            if not isinstance(column, list) or len(column) != size:
                found = f"{len(column)}" if isinstance(column, list) else type(column).__name__
                raise ProgramError(
                    f"{name}: expected a list of {size} entries, one for each value; found {found}"
                )
            out: list[float | None] = []
            try:
                for text in column:
                    out.append(None if text is None and name == "grad" else from_hex(text))
            except ValueError as problem:
                raise ProgramError(f"{name}[{len(out)}]: {problem}") from None
            columns[name] = tuple(out)
        return cls(**columns)


@dataclass(frozen=True)
class Crash:
    """An exception in the subject. node: the value being made, or None; line: in the subject's source, or None.

    file     the file (or a notebook's cell) that the line is in, where that is not the subject's file itself
    inside   whether the exception came from within the subject's own code (False: the operator or the method
             does not exist at all)
    """

    type: str
    message: str
    node: int | None = None
    during: str = "forward"
    line: int | None = None
    inside: bool = True
    file: str | None = None

    @property
    def site(self) -> tuple[str, str, str | None, int | None]:
        """Which exception it is, and where it was raised."""
        return self.type, self.message, self.file, self.line

    @property
    def said(self) -> str:
        """The exception as Python prints it."""
        return f"{self.type}: {self.message}" if self.message else self.type


@dataclass(frozen=True)
class Answer:
    """What became of one case on one subject: exactly one of the fields is meaningful.

    observations   one for every Observe step (all of them, when nothing else is set)
    crash          the subject raised
    unsupported    the op (or capability) that the subject does not offer
    lost           why there is no answer: "timeout", "memory", "output limit", "died", "protocol"
    detail         a sentence for `lost`
    seconds, cpu   by the clock, until the answer was there; of processor time for the steps, where the subject tells
    """

    observations: tuple[Observation, ...] = ()
    crash: Crash | None = None
    unsupported: str | None = None
    lost: str | None = None
    detail: str = ""
    seconds: float = field(default=0.0, compare=False)
    cpu: float | None = field(default=None, compare=False)

    @property
    def ok(self) -> bool:
        return self.crash is None and self.unsupported is None and self.lost is None
