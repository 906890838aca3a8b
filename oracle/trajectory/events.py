"""What a watched script tells, line by line: its backward calls, what it set between them, how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from oracle.floats import from_hex
from oracle.program import Program, ProgramError


class Place(NamedTuple):
    """A line of a file; 1-based."""

    file: str
    line: int


@dataclass(frozen=True)
class Write:
    """The script itself set a number of a leaf.

    serial    the leaf
    what      "data" or "grad"
    old, new  its number before and after; None where it held none
    grad      its gradient at that moment
    """

    serial: int
    what: Literal["data", "grad"]
    old: float | None
    new: float | None
    grad: float | None
    place: Place


@dataclass(frozen=True)
class Interval:
    """What happened between two backward calls (or after the last).

    writes     what the script set on leaves, in order
    elsewhere  where it set numbers of inner nodes: (what, place)
    rates      variables near the lines that set data, whose names say "step size"
    names      leaf → its path in the script, such as "model.layers[0].b"
    owners     leaf → number of the object that holds it, 0 for none
    """

    writes: tuple[Write, ...] = ()
    elsewhere: tuple[tuple[str, Place], ...] = ()
    rates: Mapping[str, float] | None = None
    names: Mapping[int, str] | None = None
    owners: Mapping[int, int] | None = None


@dataclass(frozen=True)
class BackwardCall:
    """One backward call of the script.

    step      number of the call, from 0
    place     the line that called
    size      values of the program
    program   None where it was too large to be told; then the columns below hold the leaves only
    root      serial of the value that was called on; loss: its data
    serials   identity of every value: leaves keep theirs from call to call
    made      data of every value when it was made; data: the same after backward
    before, grad  gradients before and after; None where one cannot be read
    clouded   values whose gradient has a part by an op that is not in the vocabulary; unknown: such nodes' classes;
              hidden: how many values lie behind such nodes alone
    moved     leaf index → (data that the ops saw, data at backward), where these differ
    since     values with a smaller serial were there at the backward before this one
    interval  what happened since that
    raised    the exception that backward ended with
    engine    the class, its file, and the name of its number
    """

    step: int
    place: Place
    size: int
    program: Program | None
    root: int
    loss: float
    serials: tuple[int, ...]
    made: tuple[float, ...]
    data: tuple[float, ...]
    before: tuple[float | None, ...]
    grad: tuple[float | None, ...]
    clouded: frozenset[int]
    unknown: tuple[str, ...]
    hidden: int
    moved: Mapping[int, tuple[float, float]]
    since: int
    interval: Interval
    raised: str | None
    engine: tuple[str, str | None, str]
    leaves: int


@dataclass(frozen=True)
class Ended:
    """The script ended.

    how       "end", "steps" (as many as asked for), "timeout", "stopped" (by the user), "died"
    problems  sentences on what went wrong
    code      the exit code that it chose
    classes   classes that were taken for an engine's; made: whether they made any value
    """

    how: str
    problems: tuple[str, ...] = ()
    interval: Interval = Interval()
    code: int = 0
    classes: tuple[str, ...] = ()
    made: bool = False


class Garbled(Exception):
    """A line that is no event; the message says what was wrong with it."""


def read(line: bytes, name: str) -> BackwardCall | Ended:
    """Read one line about the script `name`. Raises Garbled."""
    try:
        data = json.loads(line)
        if data["event"] == "backward":
            return _backward(data)
        problems = tuple(_problem(problem, name) for problem in data["problems"])
        classes = tuple(map(str, data["classes"]))
        end, code, made = str(data["event"]), int(data["code"]), bool(data["made"])
        return Ended(end, problems, _interval(data), code, classes, made)
    except (ProgramError, KeyError, TypeError, ValueError, RecursionError, IndexError) as problem:
        raise Garbled(f"{type(problem).__name__}: {problem}") from None


def _backward(data: dict[str, Any]) -> BackwardCall:
    program = None if data["program"] is None else Program.from_json(data["program"])
    columns = [_column(data[name]) for name in ("made", "data", "before", "grad")]
    serials = tuple(map(int, data["serials"]))
    if any(len(column) != len(serials) for column in columns):
        raise ValueError("columns of different lengths")
    if program is not None and len(program) != len(serials):
        raise ValueError(f"{len(serials)} numbers for a program of {len(program)} values")
    raised = data.get("raised")
    return BackwardCall(
        int(data["step"]),
        Place(str(data["file"]), int(data["line"])),
        int(data["size"]),
        program,
        int(data["roots"]),
        from_hex(data["loss"]),
        serials,
        _known(columns[0]),
        _known(columns[1]),
        columns[2],
        columns[3],
        frozenset(map(int, data["clouded"])),
        tuple(map(str, data["unknown"])),
        int(data["hidden"]),
        {int(i): (from_hex(seen), from_hex(now)) for i, seen, now in data["moved"]},
        int(data["since"]),
        _interval(data),
        None if raised is None else f"{raised['type']}: {raised['message']}",
        (str(data["class"]), data["source"], str(data["data_name"])),
        len(program.inputs) if program is not None else len(serials),
    )


def _interval(data: dict[str, Any]) -> Interval:
    return Interval(
        tuple(
            Write(
                int(serial),
                "data" if what == "data" else "grad",
                _float(old),
                _float(new),
                _float(grad),
                Place(str(file), int(line)),
            )
            for serial, what, old, new, grad, file, line in data["writes"]
        ),
        tuple((str(what), Place(str(file), int(line))) for _, what, file, line in data["elsewhere"]),
        {str(name): from_hex(x) for name, x in data["rates"].items()},
        {int(serial): str(path) for serial, path, _ in data["names"]},
        {int(serial): int(owner) for serial, _, owner in data["names"]},
    )


def _problem(data: dict[str, Any], name: str) -> str:
    where = f"{name}, cell {data['cell']}" if data["cell"] else name
    line = f", line {data['line']}" if data["line"] else ""
    hint = "; it gets no input here: give it arguments, after --" if data["type"] == "EOFError" else ""
    said = ": ".join(part for part in (data["type"], data["message"]) if part)
    return f"{where}{line}: {said}{hint}"


def _float(text: Any) -> float | None:
    return None if text is None else from_hex(text)


def _column(texts: Sequence[Any]) -> tuple[float | None, ...]:
    return tuple(map(_float, texts))


def _known(column: tuple[float | None, ...]) -> tuple[float, ...]:
    if any(x is None for x in column):
        raise ValueError("a value without data")
    return tuple(x for x in column if x is not None)
