"""One case on an engine: build the program, do its steps, read every value; or say what went wrong."""

from __future__ import annotations

import errno
from time import thread_time

from .engine import Engine, NotANumber
from .find_ops import in_order
from .keeping import ReadOnly
from .look import methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .engine import Place

HEX = float.hex


class Broken(Exception):
    """The engine returned what no engine may return. kind: a word for the report; place: file and 1-based line."""

    def __init__(self, kind: str, message: str, place: Place = (None, None), inside: bool = True) -> None:
        super().__init__(message)
        self.kind, self.place, self.inside = kind, place, inside


def text(x: float) -> str:
    """A float as a C99 hex string, or "nan", "inf", "-inf"."""
    return HEX(x) if x - x == 0 else str(x)


def run(engine: Engine, message: dict[str, Any]) -> dict[str, Any]:
    """The answer to one "run" message, without its id."""
    nodes = message["program"]["nodes"]
    for node in nodes:
        if node[0] not in engine.calls:
            return {"unsupported": node[0]}
    build = Build(engine, message["program"])
    try:
        build.leaves()
        build.nodes()
        began = thread_time()  # a limit on the process's time makes process_time coarse
        for step in message["steps"]:
            STEPS[step[0]](build, *step[1:])
        cpu = thread_time() - began
    except ReadOnly as step:
        return {"unsupported": str(step)}
    except BaseException as problem:  # whatever the subject raises, exit() included, is an answer
        return {"error": describe(problem, engine.files, build.during, build.at)}
    return {"observations": build.seen, "cpu": cpu}


class Build:
    """A program being computed by an engine.

    values   the engine's nodes, by the program's index
    made     data of each, read at the moment it was made
    seen     observations so far
    at       index of the value being made or read, or None; during: "forward" or "backward"
    roots    indices of the values that backward was called on
    """

    def __init__(self, engine: Engine, program: dict[str, Any]) -> None:
        self.engine = engine
        self.inputs = [float.fromhex(x) for x in program["inputs"]]
        self.rows: list[tuple[str, list[Any], list[float | None]]] = [
            (
                node[0],
                [x if type(x) is int else plain(x) for x in node[1]],
                in_order(parameters(node), engine.parameters.get(node[0], [])) if len(node) > 2 else [],
            )
            for node in program["nodes"]
        ]
        self.values: list[Any] = []
        self.made: list[float] = []
        self.seen: list[dict[str, Any]] = []
        self.at: int | None = None
        self.during = "forward"
        self.roots: set[int] = set()
        engine.begin()

    def leaves(self) -> None:
        engine = self.engine
        for k, x in enumerate(self.inputs):
            self.at = k
            leaf = engine.make(x)
            self.values.append(leaf)
            self.made.append(engine.read_data(leaf))

    def nodes(self) -> None:
        self.during = "forward"
        engine, values, made, calls = self.engine, self.values, self.made, self.engine.calls
        self.at = len(self.inputs)
        for op, operands, extra in self.rows:
            out = calls[op](*[x.x if type(x) is plain else values[x] for x in operands], *extra)
            if not isinstance(out, engine.types):
                raise not_a_node(engine, op, out, reflected=type(operands[0]) is plain)
            values.append(out)
            made.append(engine.read_data(out))
            self.at += 1
        self.at = None

    def backward(self, k: int) -> None:
        self.during, self.at = "backward", None
        self.roots.add(k)
        if self.engine.backward is None:
            raise Broken("NoBackward", f"{self.engine.cls.__name__} has no backward method", inside=False)
        self.engine.back_propagate(self.values[k], self.values)

    def zero(self, ks: list[int]) -> None:
        for k in ks:
            self.engine.write_grad(self.values[k], 0.0)

    def seed(self, k: int) -> None:
        self.engine.write_grad(self.values[k], 1.0)

    def set(self, k: int, x: str) -> None:
        self.engine.write_data(self.values[k], float.fromhex(x))
        self.made[k] = self.engine.read_data(self.values[k])

    def rebuild(self) -> None:
        first = len(self.inputs)
        del self.values[first:], self.made[first:]
        self.nodes()

    def observe(self) -> None:
        engine, data, grad = self.engine, [], []
        read: set[int] = set()
        for k, node in enumerate(self.values):
            self.at = k
            data.append(engine.read_data(node))
            g = engine.read_grad(node)
            # an op may hand its operand on: what comes in there is the operand's, and no gradient of the result's own
            grad.append(None if id(node) in read or (not g and self.unkept(k)) else g)
            read.add(id(node))
        self.at = None
        hexes = [text(x) for x in data]
        seen = {"data": hexes, "grad": [None if g is None else text(g) for g in grad]}
        if self.made != data:
            made = [text(x) for x in self.made]
            if made != hexes:
                seen["made"] = made
        self.seen.append(seen)

    def unkept(self, k: int) -> bool:
        """Whether this engine keeps no gradient at a value: the 0 found there is what it began with, or was left at."""
        return (self.engine.unkept == "inner" and k >= len(self.inputs)) or (
            self.engine.unkept == "root" and k in self.roots
        )


STEPS: dict[str, Callable[..., None]] = {
    "backward": Build.backward,
    "zero": Build.zero,
    "seed": Build.seed,
    "set": Build.set,
    "rebuild": Build.rebuild,
    "observe": Build.observe,
}


class plain:
    """A plain number as an operand, told apart from the index of a value."""

    __slots__ = ("x",)

    def __init__(self, message: dict[str, Any]) -> None:
        self.x = message["int"] if "int" in message else float.fromhex(message["num"])


def parameters(node: list[Any]) -> dict[str, float]:
    """An op's parameters by name."""
    return {name: float.fromhex(x) for name, x in node[2].items()} if len(node) > 2 else {}


def not_a_node(engine: Engine, op: str, out: Any, reflected: bool = False) -> Broken:
    """reflected: a plain number was on the left, so that Python asked the other method"""
    name, where = engine.names.get(op, (op, (None, None)))
    if reflected and name.startswith("__"):
        name = f"__r{name[2:]}"
        code = getattr(methods(engine.cls).get(name), "__code__", None)
        where = (None, None) if code is None else (code.co_filename, code.co_firstlineno)
    if out is None or out is NotImplemented:
        return Broken("NoResult", f"{name} returned {out}", where)
    return Broken("NotANode", f"{name} returned a {type(out).__name__}, not a {engine.cls.__name__}", where)


def describe(problem: BaseException, files: set[str], during: str, node: int | None = None) -> dict[str, Any]:
    """An exception as the protocol's error: what, at which value, in which line of the subject."""
    file, line = place(problem, files)
    inside = line is not None
    kind, message = type(problem).__name__, _message(problem)
    if isinstance(problem, OSError) and problem.errno == errno.EFBIG:
        kind, message = "OutputLimit", "the subject printed more in one case than the limit allows"
    elif isinstance(problem, Broken):
        kind, (file, line), inside = problem.kind, problem.place, problem.inside
    elif isinstance(problem, NotANumber):
        kind, inside = "NotANumber", True
        message = f"value {node} holds {message}" if node is not None else f"a node holds {message}"
    return {
        "type": kind,
        "message": message[:500],
        "node": node,
        "during": during,
        "line": line,
        "file": file,
        "inside": inside,
    }


CONSTRUCTORS = ("__new__", "__init__", "__post_init__")


def place(problem: BaseException, files: set[str]) -> Place:
    """The place in the subject's own files where it went wrong: the file, or a notebook's cell, and the line from 1.

    The innermost one; but who gave a constructor what it cannot take is to blame rather than the constructor; and
    of a recursion without end, the place that is met most often.
    """
    places, at = [], problem.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if code.co_filename in files:
            places.append(((code.co_filename, at.tb_lineno), code.co_name in CONSTRUCTORS))
        at = at.tb_next
    if not places:
        return None, None
    if isinstance(problem, RecursionError):
        met = [place for place, _ in places]
        return max(met, key=met.count)
    return next((place for place, constructs in reversed(places) if not constructs), places[-1][0])


def _message(problem: BaseException) -> str:
    try:
        return str(problem)
    except BaseException:  # an exception class of the subject's own may fail to print itself
        return "(an exception that cannot be printed)"
