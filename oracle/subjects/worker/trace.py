"""One case again, watched: which statement computed each value, and which pushed its gradient.

Forward is followed line by line: a statement is the origin of a number when some local holds the number after it
and none did before. Backward is followed by its stores: every assignment of a gradient on the way from the root,
with the frames that led to it.
"""

import ast
import copy
import sys

from .engine import number
from .run import STEPS, Build
from .source import cells

MANY = 8
"""Elements of a local list or tuple that are looked at."""


def trace(engine, message):
    """The answer to a "trace" message, without its id. A case that raises is traced as far as it came."""
    watch = Watch(engine)
    build = Build(watch.engine, message["program"])
    watch.build = build
    with watch.stores():
        try:
            build.leaves()
            build.nodes()
            for step in message["steps"]:
                STEPS[step[0]](build, *step[1:])
        except BaseException:  # "run" reports the exception; here what led to it is asked for
            watch.crashed = True
        finally:
            sys.settrace(None)
    return {"trace": watch.summary()}


class Watch:
    """What is seen while a case runs.

    engine   a copy of the engine whose ops and backward are watched
    origins  per value: [(place, number)] in order of time, and where the node was constructed
    pushed   per value, a row for every store of its gradient: the rule's place, the store's place, whether the
             store serves every op, whether it tells anything (a shared store of an unchanged number does not)
    """

    def __init__(self, engine):
        self.engine = copy.copy(engine)
        self.engine.calls = {op: self.forward(call) for op, call in engine.calls.items()}
        if engine.backward is not None:
            self.engine.backward = self.backward(engine.backward)
        self.statements = Statements(engine.files)
        self.build = None
        self.crashed = False
        self.origins, self.methods, self.constructed, self.locals_of = {}, {}, {}, {}
        self.pushed, self.touched, self.root, self.driver = {}, {}, None, None
        self.gradients = {engine.grad, f"_{engine.grad}", f"_{engine.cls.__name__}__{engine.grad}"}

    # Forward ---------------------------------------------------------------------------------------------

    def forward(self, call):
        def watched(*operands):
            k = self.build.at
            follow = Follow(self)
            sys.settrace(follow.enter)
            try:
                out = call(*operands)
            finally:
                sys.settrace(None)
            if k not in self.origins:
                self.origins[k] = follow.log
                self.constructed[k] = follow.creators.get(id(out))
                self.methods[k] = follow.outermost(id(out))
                self.locals_of[k] = self.local_rule(follow, out)
            return out

        return watched

    def local_rule(self, follow, node):
        """The last statement that computed a number which the node carries in a list or tuple."""
        carried = set()
        for name in [*getattr(node, "__dict__", ()), *(s for t in type(node).__mro__ for s in _slots(t))]:
            held = getattr(node, name, None)
            if isinstance(held, (list, tuple)):
                carried.update(spelled(x) for x in nested(held))
        if not carried:
            return None
        carried.discard(spelled(_quiet(self.engine.read_data, node)))
        origin = follow.creators.get(id(node))
        for place, hexed, constructing in follow.log:
            if hexed in carried and not constructing and origin and place[3] == origin[3]:
                origin = place
        return origin

    # Backward --------------------------------------------------------------------------------------------

    def backward(self, call):
        def watched(root):
            self.index = {id(node): k for k, node in enumerate(self.build.values)}
            self.root, self.last_rule = self.index.get(id(root)), None
            sys.settrace(self.enter_backward)
            try:
                return call(root)
            finally:
                sys.settrace(None)
                self.index = {}

        return watched

    def enter_backward(self, frame, event, argument):
        code = frame.f_code
        if code.co_filename not in self.engine.files:
            return None
        if self.driver is None:
            self.driver = code
        return self.leave_backward if self.is_rule(code) else None

    def leave_backward(self, frame, event, argument):
        """Note the last rule that came back to the driver: engines whose rules return what is to be pushed."""
        if event == "return" and argument is not None and not self.is_rule(frame.f_back.f_code):
            self.last_rule = self.statements.place(frame)
        return self.leave_backward

    def in_driver(self, code):
        driver = self.driver
        return code is driver or (driver is not None and code.co_qualname.startswith(driver.co_qualname + ".<locals>"))

    def is_rule(self, code):
        """Whether code belongs to one op: a closure, or a method of a class other than the engine's."""
        if code.co_filename not in self.engine.files or self.in_driver(code) or code is self.driver:
            return False
        name = code.co_qualname
        return "<locals>" in name or not name.startswith(tuple(f"{t.__name__}." for t in self.engine.types))

    def stored(self, node, before, after, frame):
        """A gradient was assigned by `frame`, or by something that it called."""
        if self.driver is None:
            self.touch(node, frame)
            return
        k = self.index.get(id(node))
        if k is None:
            return
        inner = None
        rule = None
        while frame is not None and frame.f_code is not Watch.backward.__code__:
            code = frame.f_code
            if code.co_filename in self.engine.files:
                inner = inner or frame
                if rule is None and self.is_rule(code):
                    rule = frame
            frame = frame.f_back
        if inner is None:
            return
        store = self.statements.place(inner)
        shared = rule is None
        place = self.statements.place(rule) if rule else store
        if shared and self.last_rule is not None:
            place = self.last_rule
        telling = place is not store or not shared or spelled(before) != spelled(after)
        self.pushed.setdefault(k, []).append((place, store, shared, telling))

    def touch(self, node, frame):
        """A number of some node was assigned outside backward: of interest if it is not the one being made."""
        k = next((k for k, value in enumerate(self.build.values) if value is node), None)
        while frame is not None and frame.f_code.co_filename not in self.engine.files:
            frame = frame.f_back
        if k is not None and frame is not None:
            self.touched.setdefault(k, []).append(self.statements.place(frame))

    def stores(self):
        return Stores(self)

    # Summary ---------------------------------------------------------------------------------------------

    def summary(self):
        build = self.build
        size = len(build.inputs) + len(build.rows)
        made = [spelled(x) for x in build.made] + [None] * (size - len(build.made))
        values = []
        for k in range(size):
            at = next((place for place, hexed, _ in self.origins.get(k, ()) if hexed == made[k]), None)
            values.append(at or self.constructed.get(k) or self.methods.get(k))
        pushes, stores = [], []
        for k in range(size):
            rows = self.pushed.get(k, [])
            mine = [r for r in rows if r[3] and not (k == self.root and r[2])]
            pushes.append(_distinct(r[0] for r in mine if r[0] is not r[1] or not r[2]))
            stores.append(_distinct(r[1] for r in mine))
        at_root = [r for r in self.pushed.get(self.root, []) if r[2]] or self.pushed.get(self.root, [])
        driver = self.driver
        return {
            "methods": [self.methods.get(k) for k in range(size)],
            "values": values,
            "pushes": pushes,
            "stores": stores,
            "locals_of": [self.locals_of.get(k) for k in range(size)],
            "touched": [_distinct(self.touched.get(k, ())) for k in range(size)],
            "backward": driver and self.statements.definition(driver),
            "seeds": _distinct(r[1] for r in ([r for r in at_root if r[3]] or at_root)),
        }


class Stores:
    """While it is entered, the engine's classes tell the watch of every gradient that is assigned."""

    def __init__(self, watch):
        self.watch, self.patched = watch, []

    def __enter__(self):
        watch, engine = self.watch, self.watch.engine
        for cls in dict.fromkeys(engine.types):
            own = vars(cls).get("__setattr__")
            original = cls.__setattr__

            def hook(node, name, x, original=original):
                if name not in watch.gradients:
                    if name == engine.data:
                        watch.touch(node, sys._getframe(1))
                    return original(node, name, x)
                before = _quiet(engine.read_grad, node)
                original(node, name, x)
                watch.stored(node, before, _quiet(engine.read_grad, node), sys._getframe(1))
                return None

            try:
                cls.__setattr__ = hook
            except TypeError:  # a metaclass may forbid it: then nothing is seen of its gradients
                continue
            self.patched.append((cls, own))
        watch.index = {}
        return self

    def __exit__(self, *_):
        for cls, own in self.patched:
            if own is None:
                del cls.__setattr__
            else:
                cls.__setattr__ = own


class Follow:
    """The lines of one op's forward.

    log       (place, number as text, whether it was a node's construction), in order of time
    creators  id of a node → the statement that constructed it; the node is kept, so that ids stay true
    """

    def __init__(self, watch):
        self.watch, self.files, self.statements = watch, watch.engine.files, watch.statements
        self.log, self.creators, self.outer, self.kept = [], {}, {}, []
        self.held, self.line, self.stack = {}, {}, []

    def enter(self, frame, event, argument):
        code = frame.f_code
        if code.co_filename not in self.files:
            return self.construction if code.co_name == "__init__" else None
        if not self.stack or all(f is not frame.f_back for f in self.stack):
            self.stack = [f for f in self.stack if _calls(f, frame)]
        self.stack.append(frame)
        self.held[frame] = self.numbers(frame)
        self.line[frame] = None
        return self.step

    def step(self, frame, event, argument):
        if event in ("line", "return"):
            now = self.numbers(frame)
            if event == "return":
                now.update(spelled(x) for x in nested(argument))
            before, line = self.held.get(frame, set()), self.line.get(frame)
            if line is not None:
                place = self.statements.place(frame, line)
                self.log.extend((place, hexed, False) for hexed in sorted(now - before))
            self.held[frame], self.line[frame] = before | now, frame.f_lineno
        if event == "return":
            if frame.f_code.co_name == "__init__":
                self.construction(frame, event, argument)
            self.held.pop(frame, None)
            self.line.pop(frame, None)
            if frame in self.stack:
                del self.stack[self.stack.index(frame) :]
        return self.step

    def construction(self, frame, event, argument):
        """At the end of a node's __init__: the statement that called it made the node, and its number."""
        code = frame.f_code
        if event != "return" or not code.co_argcount:
            return self.construction
        node = frame.f_locals.get(code.co_varnames[0])
        if not isinstance(node, self.watch.engine.types) or id(node) in self.creators:
            return self.construction
        caller = frame.f_back
        while caller is not None and caller.f_code.co_filename not in self.files:
            caller = caller.f_back
        if caller is None:
            return self.construction
        self.kept.append(node)
        self.creators[id(node)] = self.statements.place(caller)
        outer = self.stack[0] if self.stack else caller
        self.outer[id(node)] = self.statements.place(outer)
        x = _quiet(self.watch.engine.read_data, node)
        if x is not None:
            self.log.append((self.creators[id(node)], spelled(x), True))
        return self.construction

    def outermost(self, identity):
        return self.outer.get(identity)

    def numbers(self, frame):
        """Every number that a frame's locals hold, by themselves or as a node's data."""
        found = set()
        for x in list(frame.f_locals.values()):
            if isinstance(x, self.watch.engine.types):
                found.add(spelled(_quiet(self.watch.engine.read_data, x)))
            else:
                found.update(spelled(y) for y in nested(x))
        return found


class Statements:
    """Lines of source to the first lines of their statements; code to the line of its def."""

    def __init__(self, files):
        self.files, self.first, self.defs = files, {}, {}

    def place(self, frame, line=None):
        """[file, line of the statement, function, line of its def] for where a frame stands."""
        code = frame.f_code
        line = frame.f_lineno if line is None else line
        self._read(code.co_filename)
        if code.co_name != "<lambda>":
            line = self.first.get((code.co_filename, line), line)
        return [code.co_filename, line, code.co_name, self._definition(code)]

    def definition(self, code):
        self._read(code.co_filename)
        line = self._definition(code)
        return [code.co_filename, line, code.co_name, line]

    def _definition(self, code):
        return self.defs.get((code.co_filename, code.co_firstlineno), code.co_firstlineno)

    def _read(self, name):
        if (name, 0) in self.first:
            return
        self.first[name, 0] = 0
        path = name.partition("#")[0]
        for piece, text in cells(path):
            if piece == name:
                self._index(name, ast.parse(text))

    def _index(self, name, tree):
        """Inner statements come later in a walk from the outside, and win."""
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                self.defs[name, start] = node.lineno
            if isinstance(node, ast.stmt):
                body = getattr(node, "body", None)
                last = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno
                for line in range(node.lineno, max(last, node.lineno) + 1):
                    self.first[name, line] = node.lineno


def spelled(x):
    """A number as text that tells nan and the zeros apart; None stays None."""
    return x if x is None else float.hex(x)


def nested(x, depth=2):
    """The numbers in a value: itself, or the elements of short tuples and lists."""
    if isinstance(x, (list, tuple)) and depth:
        for y in x[:MANY]:
            yield from nested(y, depth - 1)
    elif isinstance(x, (int, float)) or hasattr(x, "dtype"):
        y = _quiet(number, x, "")
        if y is not None:
            yield y


def _calls(outer, frame):
    while frame is not None and frame is not outer:
        frame = frame.f_back
    return frame is outer


def _slots(cls):
    slots = vars(cls).get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def _quiet(function, *arguments):
    """What a reading gives, or None: a subject's property may raise whatever it likes."""
    try:
        return function(*arguments)
    except BaseException:
        return None


def _distinct(places):
    return list({tuple(place): place for place in places}.values())
