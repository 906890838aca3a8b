"""The protocol's messages, read with distrust: every complaint names the field that was wrong.

Beyond the protocol (design, section 7), the Python worker greets with `has_backward`, `found` (what it drives, in
words), `methods` (names, for near misses) and `absent` (ops that it calls unsupported: it need not be asked), or with
`refused`, a sentence; an error has `inside`; and to {"cmd":"trace","id":…,"program":…,"steps":…} it answers
{"id":…,"trace":{…}}, see `tracing`. Any worker may. What only the Python worker is sent: {"cmd":"start",…,
"edit":[piece,[[line,text]]]}, also after a first start.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from oracle.case import Answer, Case, Crash, Observation, Observe
from oracle.floats import from_hex
from oracle.program import ProgramError
from oracle.subjects.child import Lost
from oracle.subjects.near import near_misses
from oracle.subjects.network import Network, NetworkAnswer, Part, Role, Table
from oracle.subjects.tracing import Trace
from oracle.vocabulary import VOCABULARY

Edited = tuple[str, Sequence[tuple[int, str]]]
"""A piece of an engine's source (a file, a notebook's cell), and lines of it that read otherwise: (from 1, text)."""

LONGEST_HELLO = 1 << 20
"""Bytes that a worker's first message may have."""

HELLO = (
    '{"protocol":1,"name":"engine.js","language":"javascript","ops":["add","mul"],"grads":"all",'
    '"capabilities":[]}'
)
ROW = '{"data":["0x1p+1","0x1p+2"],"grad":["0x1p+2",null]}'
ROWS = f"[{ROW}]"
LAYERS = '[[["0x1p+0","0x1p-1",null]]]'
ANSWER = f'{{"id":7,"observations":{ROWS}}}'
ERROR = '{"type":"RangeError","message":"log of 0","node":2,"during":"forward","line":null}'
"""What would be right, for complaints. The whole protocol: `oracle/schema/protocol-1.json`."""

SHORT = 500
"""Characters kept of a text that a subject sends."""


class Refused(Exception):
    """The worker cannot run the subject; the message is its sentence."""


@dataclass(frozen=True)
class Hello:
    """A worker's first message: what it drives."""

    name: str
    language: str
    ops: frozenset[str]
    grads: Literal["all", "leaves"]
    capabilities: frozenset[str]
    has_backward: bool
    found: dict[str, str]
    methods: tuple[str, ...]
    absent: frozenset[str] = frozenset()


def start(edit: Edited | None = None) -> bytes:
    """The first request as one line; with an edit, also a later one: the engine is to be loaded anew."""
    message: dict[str, Any] = {"cmd": "start", "protocol": 1}
    if edit is not None:
        message["edit"] = edit
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def encode(command: str, number: int, case: Case | Network) -> bytes:
    """A request as one line."""
    return f'{{"cmd":"{command}","id":{number},{case.body}}}\n'.encode()


def longest(case: Case) -> int:
    """The most bytes that an answer to a case can need: three columns of hex floats for each observation."""
    observations = sum(isinstance(step, Observe) for step in case.steps)
    return 8192 + 3 * 32 * len(case.program) * observations


def longest_trace(case: Case) -> int:
    return (1 << 20) + 4096 * len(case.program)


def read_confinement(line: bytes) -> None:
    """Read the first line of a launched process, see `worker.confine`. Raises Refused, or Lost."""
    data = _object(line)
    if isinstance(data.get("failed"), str):
        raise Refused(one_line(data["failed"]))
    if leaks := _strings(data, "leaks"):
        raise Refused("a process inside can still " + ", ".join(leaks))


def read_hello(line: bytes) -> Hello:
    """Read the answer to "start". Raises Refused with the subject's sentence, or Lost."""
    data = _object(line)
    if isinstance(data.get("refused"), str):
        hints = near_misses(_strings(data, "methods"))
        hint = "".join(f"; it defines {name}, but Python calls {dunder}" for dunder, name in hints.items())
        raise Refused(one_line(data["refused"]) + hint)
    if data.get("protocol") != 1:
        raise _complaint("protocol", "1", data.get("protocol"), HELLO)
    grads = data.get("grads")
    if grads not in ("all", "leaves"):
        raise _complaint("grads", '"all" or "leaves"', grads, HELLO)
    ops = _strings(data, "ops")
    for op in ops:
        if op not in VOCABULARY:
            near = difflib.get_close_matches(op, VOCABULARY, 3) or list(VOCABULARY)[:5]
            raise _complaint("ops", "names from the vocabulary", op, f"{', '.join(near)}")
    if not isinstance(data.get("has_backward", True), bool):
        raise _complaint("has_backward", "true or false", data["has_backward"], HELLO)
    found = data.get("found", {})
    if not isinstance(found, dict):
        raise _complaint("found", "an object of strings", found, '{"class":"Value"}')
    return Hello(
        name=one_line(_string(data, "name")),
        language=one_line(_string(data, "language")),
        ops=frozenset(ops),
        grads="all" if grads == "all" else "leaves",
        capabilities=frozenset(_strings(data, "capabilities")),
        has_backward=data.get("has_backward") is not False,
        found={one_line(k): one_line(str(v)) for k, v in found.items()},
        methods=tuple(_strings(data, "methods")),
        absent=frozenset(_strings(data, "absent")),
    )


def read_answer(line: bytes, number: int, case: Case, seconds: float) -> Answer:
    """Read the answer to a "run" request. Raises Lost("protocol") naming the field that was wrong."""
    data = _reply(line, number)
    if "error" in data:
        crash = _crash(data["error"], len(case.program))
        if crash.type == "MemoryError":
            return Answer(lost="memory", detail="the subject ran out of memory", seconds=seconds)
        if crash.type == "OutputLimit":
            return Answer(lost="output limit", detail=crash.message, seconds=seconds)
        return Answer(crash=crash, seconds=seconds)
    if "unsupported" in data:
        return Answer(unsupported=one_line(_string(data, "unsupported")), seconds=seconds)
    rows = data.get("observations")
    wanted = sum(isinstance(step, Observe) for step in case.steps)
    if not isinstance(rows, list) or len(rows) != wanted:
        raise _complaint("observations", f"a list of {wanted}, one for each observe step", rows, ROWS)
    seen = []
    for k, row in enumerate(rows):
        try:
            if not isinstance(row, dict):
                raise _complaint(f"observations[{k}]", "an object with data and grad", row, ROW)
            seen.append(Observation.from_json(row, len(case.program)))
        except ProgramError as problem:
            raise Lost("protocol", f"observations[{k}].{problem}") from None
    cpu: Any = data.get("cpu")
    return Answer(tuple(seen), seconds=seconds, cpu=cpu if type(cpu) in (int, float) else None)


def read_network(line: bytes, number: int, asked: Network) -> NetworkAnswer:
    """Read the answer to a "network" request. Raises Lost("protocol")."""
    data = _reply(line, number)
    if "error" in data:
        return NetworkAnswer(crash=_crash(data["error"], 1))
    if "unsupported" in data:
        return NetworkAnswer(lost="unsupported", detail=one_line(_string(data, "unsupported")))
    parts = _parts(data.get("places"))
    if "weights" in data:
        return NetworkAnswer(weights=_counts(data["weights"], asked), parts=parts)
    gradients = _table(data.get("gradients"), "gradients", asked) or ()
    outputs = data.get("outputs")
    size = len(outputs) if isinstance(outputs, list) and 0 < len(outputs) < 1000 else asked.sizes[-1]
    return NetworkAnswer(
        tuple(x for x in _floats(outputs, "outputs", size) if x is not None),
        gradients,
        kept=data.get("kept") is not False,
        listed=_table(data.get("listed"), "listed", asked),
        same=_table(data.get("same"), "same", asked),
        zeroed=_table(data.get("zeroed"), "zeroed", asked),
        lister=one_line(data["lister"]) if isinstance(data.get("lister"), str) else "",
        parts=parts,
    )


def _table(layers: Any, field: str, asked: Network) -> Table | None:
    """A number, or null, for every parameter; None for a null that stands for all. Raises Lost("protocol")."""
    if layers is None and field != "gradients":
        return None
    _list_for(layers, field, len(asked.parameters), "layer")
    found = []
    for k, (rows, owed) in enumerate(zip(layers, asked.parameters, strict=True)):
        _list_for(rows, f"{field}[{k}]", len(owed), "neuron")
        read = _floats if field in ("gradients", "zeroed") else _integers
        found.append(
            tuple(read(row, f"{field}[{k}][{n}]", len(owed[n]), nulls=True) for n, row in enumerate(rows))
        )
    return tuple(found)


def _list_for(data: Any, field: str, size: int, each: str) -> None:
    """Raises Lost("protocol") for what is no list of that length."""
    if not isinstance(data, list) or len(data) != size:
        raise _complaint(field, f"a list of {size}, one for each {each}", data, LAYERS)


def _counts(layers: Any, asked: Network) -> tuple[tuple[int, ...], ...]:
    """How many weights each neuron has. Raises Lost("protocol")."""
    _list_for(layers, "weights", len(asked.parameters), "layer")
    for k, (row, owed) in enumerate(zip(layers, asked.parameters, strict=True)):
        _list_for(row, f"weights[{k}]", len(owed), "neuron")
        _integers(row, f"weights[{k}]", len(owed))
    return tuple(tuple(row) for row in layers)


def _integers(column: Any, field: str, size: int, nulls: bool = False) -> tuple[float | None, ...]:
    """A list of small integers, of which some may be null. Raises Lost("protocol")."""
    fits = isinstance(column, list) and len(column) == size
    if not fits or not all((type(x) is int and 0 <= x < 10**6) or (x is None and nulls) for x in column):
        raise _complaint(field, f"a list of {size} small integers", column, "[1,1]")
    return tuple(column)


def _parts(places: Any) -> dict[Role, Part]:
    """The classes of a network's parts; what is not as it should be is left out: it is only shown."""
    out: dict[Role, Part] = {}
    roles: tuple[Role, ...] = ("network", "layer", "neuron")
    for role in roles:
        said = places.get(role) if isinstance(places, dict) else None
        if not isinstance(said, dict) or not isinstance(said.get("class"), str):
            continue
        methods = {}
        held = said.get("methods")
        for name, where in held.items() if isinstance(held, dict) else ():
            if isinstance(where, list) and [*map(type, where)] == [str, int] and where[1] > 0:
                methods[name] = (one_line(where[0]), where[1])
        out[role] = Part(one_line(said["class"]), methods)
    return out


def _floats(column: Any, field: str, size: int, nulls: bool = False) -> tuple[float | None, ...]:
    """A list of floats, of which some may be null. Raises Lost("protocol")."""
    if not isinstance(column, list) or len(column) != size:
        raise _complaint(field, f"a list of {size} floats", column, '["0x1.8p+1"]')
    out = []
    for i, text in enumerate(column):
        try:
            out.append(None if text is None and nulls else from_hex(text))
        except ValueError as problem:
            raise Lost("protocol", f"{field}[{i}]: {problem}") from None
    return tuple(out)


def read_trace(line: bytes, number: int, case: Case) -> Trace | None:
    """Read the answer to a "trace" request; None when the case crashed. Raises Lost("protocol")."""
    data = _reply(line, number)
    if "trace" not in data:
        return None
    try:
        return Trace.from_json(data["trace"], len(case.program))
    except (KeyError, TypeError, ValueError) as problem:
        raise Lost("protocol", f"trace: {problem}") from None


def _reply(line: bytes, number: int) -> dict[str, Any]:
    data = _object(line)
    if type(data.get("id")) is not int or data["id"] != number:
        raise _complaint(
            "id", f"{number}, as in the message", data.get("id"), ANSWER.replace("7", str(number), 1)
        )
    return data


def _object(line: bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as problem:  # not JSON, not UTF-8, an endless integer, too deep
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)[:80]
        raise Lost(
            "protocol",
            f"the answer is not JSON: {reason}; it begins with {line[:40]!r} (its lines on stdout are answers, what "
            "is for people goes to stderr)",
        ) from None
    if not isinstance(data, dict):
        raise _complaint("the answer", "an object", data, ANSWER)
    return data


def _complaint(field: str, expected: str, found: Any, example: str = "") -> Lost:
    """What is wrong with a message: the field, what was expected, what was found, and what would be right."""
    return Lost(
        "protocol",
        f"{field}: expected {expected}, found {_shown(found)}"
        + (f"; for example {example}" if example else ""),
    )


ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,16}\b|(?<![\d.])\d{13,16}(?![\d.])")
"""Where an object lies in memory, as `repr` and `id` say it: another number in every run."""


def _crash(data: Any, size: int) -> Crash:
    if not isinstance(data, dict):
        raise _complaint("error", "an object", data, ERROR)
    during = data.get("during", "forward")
    if during not in ("forward", "backward"):
        raise _complaint("error.during", '"forward" or "backward"', during, ERROR)
    node, line = data.get("node"), data.get("line")
    if node is not None and not (type(node) is int and 0 <= node < size):
        raise _complaint("error.node", f"the index of a value, 0 to {size - 1}, or null", node, ERROR)
    if line is not None and not (type(line) is int and 0 < line < 10**7):
        raise _complaint("error.line", "a line number or null", line, ERROR)
    file = data.get("file")
    if file is not None and not isinstance(file, str):
        raise _complaint("error.file", "a string or null", file, ERROR)
    for field in ("type", "message"):
        if not isinstance(data.get(field), str):
            raise _complaint(f"error.{field}", "a string", data.get(field), ERROR)
    return Crash(
        one_line(data["type"]),
        ADDRESS.sub("…", one_line(data["message"])),
        node=node,
        during=during,
        line=line,
        inside=data.get("inside") is not False,
        file=file and one_line(file),
    )


EXAMPLES = {"name": HELLO, "language": HELLO, "unsupported": '{"id":7,"unsupported":"tanh"}'}


def _string(data: dict[str, Any], field: str) -> str:
    if not isinstance(data.get(field), str):
        raise _complaint(field, "a string", data.get(field), EXAMPLES[field])
    return str(data[field])


def _strings(data: dict[str, Any], field: str) -> list[str]:
    value = data.get(field, [])
    if not isinstance(value, list) or not all(isinstance(x, str) for x in value):
        raise _complaint(field, "a list of strings", value, '["add", "mul"]')
    return value


def _shown(value: Any) -> str:
    """A short spelling of any JSON value, for a complaint."""
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object with {', '.join(one_line(key[:20]) for key in list(value)[:3])}" if value else "{}"
    return one_line(json.dumps(value)[:40])


def one_line(text: str) -> str:
    """A subject's text in one bounded line of printable characters."""
    return "".join(c if c.isprintable() else " " for c in text[:SHORT])
