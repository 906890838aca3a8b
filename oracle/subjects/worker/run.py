"""One case on an engine: build the program, do its steps, read every value; or say what went wrong."""

import errno

from .engine import NotANumber

HEX = float.hex


class Broken(Exception):
    """The engine returned what no engine may return. kind: a word for the report; line: 1-based or None."""

    def __init__(self, kind, message, line=None, inside=True):
        super().__init__(message)
        self.kind, self.line, self.inside = kind, line, inside


def text(x):
    """A float as a C99 hex string, or "nan", "inf", "-inf"."""
    return HEX(x) if x - x == 0 else str(x)


def run(engine, message):
    """The answer to one "run" message, without its id."""
    nodes = message["program"]["nodes"]
    for node in nodes:
        if node[0] not in engine.calls:
            return {"unsupported": node[0]}
    build = Build(engine, message["program"])
    try:
        build.leaves()
        build.nodes()
        for step in message["steps"]:
            STEPS[step[0]](build, *step[1:])
    except BaseException as problem:  # whatever the subject raises, exit() included, is an answer
        return {"error": describe(problem, build)}
    return {"observations": build.seen}


class Build:
    """A program being computed by an engine.

    values   the engine's nodes, by the program's index
    made     data of each, read at the moment it was made
    seen     observations so far
    at       index of the value being made or read, or None; during: "forward" or "backward"
    """

    def __init__(self, engine, program):
        self.engine = engine
        self.inputs = [float.fromhex(x) for x in program["inputs"]]
        self.rows = [
            (node[0], [x if type(x) is int else plain(x) for x in node[1]], parameters(node))
            for node in program["nodes"]
        ]
        self.values = []
        self.made = []
        self.seen = []
        self.at = None
        self.during = "forward"

    def leaves(self):
        engine = self.engine
        for k, x in enumerate(self.inputs):
            self.at = k
            leaf = engine.make(x)
            self.values.append(leaf)
            self.made.append(engine.read_data(leaf))

    def nodes(self):
        self.during = "forward"
        engine, values, made, calls = self.engine, self.values, self.made, self.engine.calls
        self.at = len(self.inputs)
        for op, operands, extra in self.rows:
            out = calls[op](*[values[x] if type(x) is int else x.x for x in operands], *extra)
            if not isinstance(out, engine.types):
                raise not_a_node(engine, op, out)
            values.append(out)
            made.append(engine.read_data(out))
            self.at += 1
        self.at = None

    def backward(self, k):
        self.during, self.at = "backward", None
        if self.engine.backward is None:
            raise Broken("NoBackward", f"{self.engine.cls.__name__} has no backward method", inside=False)
        self.engine.backward(self.values[k])

    def zero(self, ks):
        for k in ks:
            self.engine.write_grad(self.values[k], 0.0)

    def set(self, k, x):
        self.engine.write_data(self.values[k], float.fromhex(x))
        self.made[k] = self.engine.read_data(self.values[k])

    def rebuild(self):
        first = len(self.inputs)
        del self.values[first:], self.made[first:]
        self.nodes()

    def observe(self):
        engine, data, grad = self.engine, [], []
        for k, node in enumerate(self.values):
            self.at = k
            data.append(engine.read_data(node))
            grad.append(engine.read_grad(node))
        self.at = None
        hexes = [text(x) for x in data]
        seen = {"data": hexes, "grad": [None if g is None else text(g) for g in grad]}
        if self.made != data:
            made = [text(x) for x in self.made]
            if made != hexes:
                seen["made"] = made
        self.seen.append(seen)


STEPS = {
    "backward": Build.backward,
    "zero": Build.zero,
    "set": Build.set,
    "rebuild": Build.rebuild,
    "observe": Build.observe,
}


class plain:
    """A plain number as an operand, told apart from the index of a value."""

    __slots__ = ("x",)

    def __init__(self, message):
        self.x = message["int"] if "int" in message else float.fromhex(message["num"])


def parameters(node):
    """An op's parameters as further positional arguments: their names differ from engine to engine."""
    return [float.fromhex(x) for x in node[2].values()] if len(node) > 2 else ()


def not_a_node(engine, op, out):
    name, line = engine.names.get(op, (op, None))
    if out is None or out is NotImplemented:
        return Broken("NoResult", f"{name} returned {out}", line)
    return Broken("NotANode", f"{name} returned a {type(out).__name__}, not a {engine.cls.__name__}", line)


def describe(problem, build):
    """An exception as the protocol's error: what, at which value, in which line of the subject."""
    line, inside = place(problem, build.engine.files)
    kind, message = type(problem).__name__, _message(problem)
    if isinstance(problem, OSError) and problem.errno == errno.EFBIG:
        kind, message = "OutputLimit", "the subject printed more in one case than the limit allows"
    if isinstance(problem, Broken):
        kind, line, inside = problem.kind, problem.line, problem.inside
    elif isinstance(problem, NotANumber):
        kind = "NotANumber"
        message = f"value {build.at} holds {message}"
        inside = True
    return {
        "type": kind,
        "message": message[:500],
        "node": build.at,
        "during": build.during,
        "line": line,
        "inside": inside,
    }


def place(problem, files):
    """The innermost line in the subject's own files (1-based or None), and whether there is one."""
    line, at = None, problem.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename in files:
            line = at.tb_lineno
        at = at.tb_next
    return line, line is not None


def _message(problem):
    try:
        return str(problem)
    except BaseException:  # an exception class of the subject's own may fail to print itself
        return "(an exception that cannot be printed)"
