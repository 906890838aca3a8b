"""Running somebody's script or notebook as it is, with its engine watched; one line of JSON for every backward."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback

from . import blank
from .engine import number
from .instrument import PASSED, Shadow, Watch
from .main import _private_descriptors, _write
from .naming import named_leaves, variables
from .run import text
from .source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

Module = type(sys)

HERE = os.path.dirname(__file__)

FRAMES = 8
"""Calls of a traceback that are shown, the last ones."""

WRITES = 200_000
"""Writes of one interval that are told; a training step has one or two for each parameter."""


def run(config: dict[str, Any]) -> None:
    """Run the script that `config` names, telling what it does on descriptor 1 as it was at the start.

    file, argv   the script, and what it is to find in sys.argv
    words        the vocabulary: see `Watch`
    steps        stop after that many backward calls; None for no limit
    largest      nodes of the largest program that is told in full
    budget       nodes told in full altogether; then every tenth program is
    """
    requests, events = _private_descriptors()
    os.close(requests)
    path = config["file"]
    sys.argv[:] = [path, *config["argv"]]
    sys.path[:] = [os.path.dirname(path), *[p for p in sys.path if p]]
    os.chdir(os.path.dirname(path))
    sys.meta_path.insert(0, blank.Finder())
    teller = Teller(events, config)
    teller.watch.install()
    module = sys.modules["__main__"] = Module("__main__")
    vars(module).update(__file__=path, __builtins__=__builtins__, display=blank.BLANK)
    vars(module)["get_ipython"] = blank.BLANK
    problems, code = [], 0
    try:
        pieces = cells(path)
    except (ValueError, OSError) as problem:
        problems.append({"type": "", "message": str(problem)[:300], "line": None, "cell": ""})
        pieces = []
    for name, source in pieces:
        try:
            exec(compile(source, name, "exec", dont_inherit=True), vars(module))
        except BaseException as problem:  # whatever a script ends with is told
            if isinstance(problem, SystemExit):
                code = _exit_code(problem)
                break
            problems.append(_told(problem, name))
            sys.stderr.write(_traceback(problem))
            if not path.endswith(".ipynb"):
                break
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and not thread.daemon:
            thread.join()
    teller.end(problems, code=code)
    sys.stderr.flush()
    os._exit(0)  # daemons and exit handlers of the script's are none of ours


def _exit_code(end: SystemExit) -> int:
    """The code that Python would end with; a message instead of a code is printed, as Python prints it."""
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    sys.stderr.write(f"{end.code}\n")
    return 1


def _traceback(problem: BaseException) -> str:
    """The traceback as the script's author knows it: without the frames of those who watch."""
    told = traceback.TracebackException.from_exception(problem)
    stack = [told]
    for one in stack:
        own = [f for f in one.stack if os.path.dirname(f.filename) != HERE]
        one.stack = traceback.StackSummary.from_list(own[-FRAMES:])
        stack += [x for x in (one.__cause__, one.__context__) if x is not None]
    return "".join(told.format())


def _told(problem: BaseException, name: str) -> dict[str, Any]:
    line, at = None, problem.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == name:
            line = at.tb_lineno
        at = at.tb_next
    if isinstance(problem, SyntaxError) and problem.filename == name:
        line = problem.lineno
    _, _, cell = name.partition("#")
    try:
        message = str(problem)[:300]
    except BaseException:  # an exception class of the script's own may fail to print itself
        message = ""
    return {"type": type(problem).__name__, "message": message, "line": line, "cell": cell}


class Teller:
    """Turns what the watch sees into events, one line each."""

    def __init__(self, events: int, config: dict[str, Any]) -> None:
        self.events, self.config = events, config
        self.watch = Watch(config["words"], self.backward)
        self.step = 0
        self.told = 0
        self.since = 0
        self.lasting: set[int] = set()
        self.named: set[int] = set()
        self.process = os.getpid()

    def backward(self, root: Any, call: Callable[[], Any]) -> Any:
        """Let the script's backward run, and tell the program, and the numbers before and after."""
        watch = self.watch
        frame = sys._getframe(2)
        program = _Program(watch, watch.shadow(root))
        before = program.grads()
        looked = watch.look(program.nodes)
        # what moved between forward and backward is compared before any gradient is pushed
        event = {"event": "backward", "step": self.step, "line": frame.f_lineno, "since": self.since}
        event["file"] = frame.f_code.co_filename
        event.update(self._interval(program, frame))
        program.label(variables(frame, watch.types))
        moved = program.moved()
        watch.depth = 1
        problem = None
        try:
            return call()
        except BaseException as raised:
            problem = raised
            raise
        finally:
            watch.depth = 0
            if watch.sought:
                watch.settle(program.nodes, looked)
                before = [found.get(watch.engine.grad) for found in looked] if watch.engine else before
            if problem is not None:
                event["raised"] = {"type": type(problem).__name__, "message": str(problem)[:300]}
            event.update(self._numbers(program, before))
            event["moved"] = moved
            self._tell(event)
            self.since, self.step = watch.next + 1, self.step + 1
            if self.step == self.config["steps"]:
                self.end([], "steps")
                sys.stderr.flush()
                os._exit(0)

    def end(self, problems: list[dict[str, Any]], how: str = "end", code: int = 0) -> None:
        """Tell how the script ended, and what it set since the last backward."""
        classes = [cls.__name__ for cls in self.watch.types]
        made = {"code": code, "classes": classes, "made": self.watch.engine is not None}
        self._tell({"event": how, "problems": problems, **made, **self._interval(None, None)})

    def _numbers(self, program: _Program, before: list[float | None]) -> dict[str, Any]:
        """The program with its numbers, or where it is too large, those of its leaves."""
        watch, size = self.watch, len(program.order)
        full = size <= self.config["largest"]
        if full and self.told > self.config["budget"]:
            full = self.step % 10 == 0
        count = size if full else program.leaves
        self.told += size if full else 0
        data = [
            shadow.data if node is None else watch.data(node)
            for node, shadow in zip(program.nodes[:count], program.order, strict=False)
        ]
        grad = program.grads()[:count]
        engine = watch.engine
        assert engine is not None
        cls = type(program.nodes[program.root]) if program.nodes[program.root] is not None else engine.cls
        return {
            "size": size,
            "class": cls.__name__,
            "source": next(iter(engine.files), None),
            "data_name": engine.data,
            "program": program.to_json() if full else None,
            "loss": text(program.order[program.root].data),
            "serials": [s.serial for s in program.order[:count]],
            "roots": program.order[program.root].serial,
            "made": [text(s.data) for s in program.order[:count]],
            "data": [text(x) for x in data],
            "before": [_optional(g) for g in before[:count]],
            "grad": [_optional(g) for g in _kept(grad, before, program)],
            "clouded": program.clouded(),
            "unknown": program.unknown(),
            "hidden": program.hidden(),
        }

    def _interval(self, program: _Program | None, frame: Any) -> dict[str, Any]:
        """What the script set since the last backward, and names of leaves that last."""
        watch = self.watch
        writes, elsewhere = watch.writes[:WRITES], watch.elsewhere
        rates = {name: text(x) for name, x in watch.rates.items()}
        watch.writes, watch.elsewhere, watch.rates = [], [], {}
        wanted = {w.serial for w in writes}
        if program is not None:
            leaves = {s.serial for s in program.order[: program.leaves]}
            wanted |= leaves & self.lasting
            self.lasting |= leaves if len(self.lasting) < WRITES else set()
        wanted -= self.named
        names = []
        if wanted and frame is not None:
            self.named |= wanted
            ids = {key: s.serial for key, s in watch.shadows.items() if s.serial in wanted}
            names = [[ids[key], path, owner] for key, path, owner in named_leaves(frame, ids, watch.types)]
        return {
            "writes": [
                [w.serial, w.what, _optional(w.old), _optional(w.new), _optional(w.grad), w.file, w.line]
                for w in writes
            ],
            "elsewhere": [[w.serial, w.what, w.file, w.line] for w in elsewhere[:100]],
            "rates": rates,
            "names": names,
        }

    def _tell(self, event: dict[str, Any]) -> None:
        if os.getpid() != self.process:
            return  # a copy that the script made of its process; what it does is its own
        _write(self.events, json.dumps(event, separators=(",", ":")).encode() + b"\n")


def _kept(grad: list[float | None], before: list[float | None], program: _Program) -> list[float | None]:
    """Gradients without the zeros of what keeps none: the root, or all that ops made, though leaves have got theirs."""
    leaves, root = program.leaves, program.root
    if len(grad) <= root or grad[root] or grad[:leaves] == before[:leaves]:
        return grad
    inner = any(grad[leaves:])
    return [None if i == root or (i >= leaves and not inner) else g for i, g in enumerate(grad)]


def _optional(x: float | None) -> str | None:
    return None if x is None else text(x)


class _Program:
    """What leads to a root: its shadows, leaves first, then ops in order of creation."""

    def __init__(self, watch: Watch, root: Shadow) -> None:
        found = list(_reachable(root))
        found.sort(key=lambda s: s.serial)
        leaves = [s for s in found if not s.op]
        self.order = leaves + [s for s in found if s.op]
        self.leaves = len(leaves)
        self.index = {id(s): i for i, s in enumerate(self.order)}
        self.root = self.index[id(root)]
        self.nodes = [s.node() for s in self.order]
        self.watch = watch
        for node, shadow in zip(self.nodes, self.order, strict=True):
            if shadow.data != shadow.data and node is not None:  # computed late, after its op had returned
                shadow.data = watch.data(node)
        self.names: dict[int, str] = {}

    def to_json(self) -> dict[str, Any]:
        rows: list[list[Any]] = []
        for s in self.order[self.leaves :]:
            rows.append([s.op, [self._operand(x) for x in s.operands]])
            if s.parameters:
                rows[-1].append({name: text(number(x, name)) for name, x in s.parameters.items()})
        inputs = [text(s.data) for s in self.order[: self.leaves]]
        out: dict[str, Any] = {"inputs": inputs, "nodes": rows, "root": self.root}
        out["labels"] = {str(i): name for i, name in self.names.items()}
        return out

    def _operand(self, x: Any) -> Any:
        if isinstance(x, Shadow):
            return self.index[id(x)]
        return {"int": x} if type(x) is int else {"num": text(number(x, "operand"))}

    def label(self, spelled: dict[int, str]) -> None:
        """Name the values by their labels, else by the script's variables."""
        used: set[str] = set()
        for i, node in enumerate(self.nodes):
            if node is None:
                continue
            own = next((x for n in ("label", "_label", "name") if (x := getattr(node, n, None))), None)
            name = own if isinstance(own, str) and 0 < len(own) <= 20 else spelled.get(id(node))
            if name and name not in used:
                used.add(name)
                self.names[i] = name

    def moved(self) -> list[list[Any]]:
        """Leaves whose number is no longer the one that an op of this program saw: [index, seen, now]."""
        now = {
            i: self.watch.data(node) for i, node in enumerate(self.nodes[: self.leaves]) if node is not None
        }
        out: dict[int, list[Any]] = {}
        for shadow in self.order[self.leaves :]:
            for x, seen in zip(shadow.operands, shadow.seen, strict=True):
                if isinstance(x, Shadow) and x.op is None:
                    i = self.index[id(x)]
                    if i in now and now[i] != seen and now[i] == now[i] and i not in out:
                        out[i] = [i, text(seen), text(now[i])]
        return list(out.values())

    def grads(self) -> list[float | None]:
        """The gradient of every value; of a part of a fused node, what that passes on."""
        out = []
        for node, shadow in zip(self.nodes, self.order, strict=True):
            whole = shadow.part_of
            bearer = node if whole is None else whole.node()
            g = None if bearer is None else self.watch.grad(bearer)
            if g is not None and whole is not None and whole.op in PASSED:
                g = PASSED[whole.op](g, whole.data)
            out.append(g)
        return out

    def hidden(self) -> int:
        """How many values lead to the root through ops alone that are not in the vocabulary."""
        stack = [s for s in self.order if s.op == ""]
        if not stack:
            return 0
        seen = {id(s) for s in self.order}
        found = len(seen)
        while stack:
            for x in stack.pop().operands:
                if isinstance(x, Shadow) and id(x) not in seen:
                    seen.add(id(x))
                    stack.append(x)
        return len(seen) - found

    def unknown(self) -> list[str]:
        """Classes of the nodes that an op made which is not in the vocabulary."""
        return sorted({type(n).__name__ for n, s in zip(self.nodes, self.order, strict=True) if s.op == ""})

    def clouded(self) -> list[int]:
        """Values below such a node: their gradients have a part that nobody can tell."""
        stack = [x for s in self.order if s.op == "" for x in s.operands]
        found: set[int] = set()
        while stack:
            shadow = stack.pop()
            if isinstance(shadow, Shadow) and shadow.serial not in found:
                found.add(shadow.serial)
                stack.extend(shadow.operands)
        return [i for i, s in enumerate(self.order) if s.serial in found]


def _reachable(root: Shadow) -> Iterator[Shadow]:
    """Every shadow that leads to the root by known ops, once, without recursion."""
    seen, stack = {id(root)}, [root]
    while stack:
        shadow = stack.pop()
        yield shadow
        if shadow.op:
            for x in shadow.operands:
                if isinstance(x, Shadow) and id(x) not in seen:
                    seen.add(id(x))
                    stack.append(x)
