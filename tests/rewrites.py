"""Right engines by other formulas: what a judge must not call wrong.

One template, a table of rules, and rows that each exchange a few of them, or the traversal, or the storage, for
something of the same meaning up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Rule = tuple[str, ...]
"""The value, then what is pushed to each operand: x and y are the operands, k a number, z the value, g the
upstream gradient."""

RULES: Mapping[str, Rule] = {
    "add": ("x + y", "g", "g"),
    "sub": ("x - y", "g", "-g"),
    "mul": ("x * y", "g * y", "g * x"),
    "div": ("x / y", "g / y", "-g * x / (y * y)"),
    "pow": ("x ** k", "g * k * x ** (k - 1)"),
    "neg": ("-x", "-g"),
    "exp": ("math.exp(x)", "g * z"),
    "log": ("math.log(x)", "g / x"),
    "sqrt": ("math.sqrt(x)", "g / (2 * z)"),
    "tanh": ("math.tanh(x)", "g * (1 - z * z)"),
    "sigmoid": ("1 / (1 + math.exp(-x))", "g * z * (1 - z)"),
    "relu": ("x if x > 0 else 0.0", "g if x > 0 else 0.0"),
    "abs": ("abs(x)", "g if x > 0 else -g if x < 0 else 0.0"),
    "sin": ("math.sin(x)", "g * math.cos(x)"),
    "cos": ("math.cos(x)", "-g * math.sin(x)"),
    "maximum": (
        "max(x, y)",
        "g if x > y else 0.5 * g if x == y else 0.0",
        "g if y > x else 0.5 * g if x == y else 0.0",
    ),
    "minimum": (
        "min(x, y)",
        "g if x < y else 0.5 * g if x == y else 0.0",
        "g if y < x else 0.5 * g if x == y else 0.0",
    ),
}

DEPTH_FIRST = """
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)
        self.grad = STORE(1.0)
        for v in reversed(order):
            for p, d in zip(v.parents, v.pull(v.grad)):
                ADD
"""
BY_NUMBER = """
        found, stack = {self.number: self}, [self]
        while stack:
            for p in stack.pop().parents:
                if p.number not in found:
                    found[p.number] = p
                    stack.append(p)
        self.grad = STORE(1.0)
        for n in sorted(found, reverse=True):
            v = found[n]
            for p, d in zip(v.parents, v.pull(v.grad)):
                ADD
"""
COUNTING = """
        users, todo, seen = {}, [self], {id(self)}
        for v in todo:
            for p in v.parents:
                users[id(p)] = users.get(id(p), 0) + 1
                if id(p) not in seen:
                    seen.add(id(p))
                    todo.append(p)
        self.grad = STORE(1.0)
        ready = [self]
        while ready:
            v = ready.pop()
            for p, d in zip(v.parents, v.pull(v.grad)):
                ADD
                users[id(p)] -= 1
                if not users[id(p)]:
                    ready.append(p)
"""
PER_PATH = """
        def push(v, g):
            v.grad = STORE(v.grad + g)
            for p, d in zip(v.parents, v.pull(g)):
                push(p, d)

        push(self, 1.0)
"""
EXACT_SUMS = """
        order, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)
        owed = {id(self): [1.0]}
        for v in reversed(order):
            g = math.fsum(owed[id(v)])
            v.grad += g
            for p, d in zip(v.parents, v.pull(g)):
                owed.setdefault(id(p), []).append(d)
"""
ADJOINTS = """
        order, stack, seen = [], [(self, False)], set()
        while stack:
            v, done = stack.pop()
            if done:
                order.append(v)
            elif id(v) not in seen:
                seen.add(id(v))
                stack.append((v, True))
                stack.extend((p, False) for p in v.parents)
        flow = {id(v): 0.0 for v in order}
        flow[id(self)] = 1.0
        for v in reversed(order):
            for p, d in reversed(list(zip(v.parents, v.pull(flow[id(v)])))):
                flow[id(p)] = d + flow[id(p)]
        for v in order:
            v.grad = v.grad + flow[id(v)]
"""

HEAD = '''"""{name}"""

import itertools
import math
import struct

count = itertools.count()


def float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


def wrap(x):
    return x if isinstance(x, Value) else Value(x)


class Value:
    def __init__(self, data, parents=(), pull=lambda g: ()):
        self.data = STORE(data)
        self.grad = 0.0
        self.parents = parents
        self.pull = pull
        self.number = next(count)
'''
UNARY = """
    def {method}(self):
        x = self.data
        z = STORE({value})
        return Value(z, (self,), lambda g: ({pushes},))
"""
BINARY = """
    def {method}(self, other):
        other = wrap(other)
        x, y = self.data, other.data
        z = STORE({value})
        return Value(z, (self, other), lambda g: ({pushes}))
"""
POWER = """
    def {method}(self, k):
        x = self.data
        z = STORE({value})
        return Value(z, (self,), lambda g: ({pushes},))
"""
REFLECTED = """
    def __r{name}__(self, other):
        return wrap(other) {sign} self
"""
METHODS = {
    "add": "__add__",
    "sub": "__sub__",
    "mul": "__mul__",
    "div": "__truediv__",
    "pow": "__pow__",
    "neg": "__neg__",
}
SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}


@dataclass(frozen=True)
class Rewrite:
    """One right engine.

    rules      rules that differ from RULES; a text instead of a tuple is the method's body, made of other ops
    traversal  the body of backward
    add        the statement that adds d to p.grad
    stored     what every number goes through on its way into a node; "" for nothing
    imprecise  the mistake that is rightly said of it, as imprecise, and nothing else; "" for none
    """

    name: str
    rules: Mapping[str, Rule | str] = field(default_factory=dict, hash=False)
    traversal: str = DEPTH_FIRST
    add: str = "p.grad += d"
    stored: str = ""
    imprecise: str = ""

    def source(self) -> str:
        """The engine's file."""
        parts = [HEAD.replace("{name}", self.name)]
        for op, rule in {**RULES, **self.rules}.items():
            method = METHODS.get(op, op)
            if isinstance(rule, str):
                args = "" if len(RULES[op]) == 2 and op != "pow" else ", k" if op == "pow" else ", other"
                parts.append(f"\n    def {method}(self{args}):\n        {rule}\n")
                continue
            shape = POWER if op == "pow" else UNARY if len(rule) == 2 else BINARY
            parts.append(shape.format(method=method, value=rule[0], pushes=", ".join(rule[1:])))
        parts += [REFLECTED.format(name=name, sign=sign) for name, sign in SIGNS.items()]
        parts.append("\n    def backward(self):" + self.traversal.replace("ADD", self.add))
        return "".join(parts).replace("STORE", self.stored or "float")


FORMULAS: tuple[tuple[str, str, Rule | str], ...] = (
    ("tanh", "its slope a product", ("math.tanh(x)", "g * (1 - z) * (1 + z)")),
    ("tanh", "its slope by cosh", ("math.tanh(x)", "g / math.cosh(x) ** 2 if abs(x) < 300 else 0.0")),
    ("tanh", "computed again", ("math.tanh(x)", "(1 - math.tanh(x) ** 2) * g")),
    ("tanh", "by exp(2x)", ("(math.exp(2 * x) - 1) / (math.exp(2 * x) + 1)", "g * (1 - z * z)")),
    ("tanh", "by exp(-2x)", ("(1 - math.exp(-2 * x)) / (1 + math.exp(-2 * x))", "g * (1 - z ** 2)")),
    (
        "tanh",
        "by two exponentials",
        (
            "(math.exp(x) - math.exp(-x)) / (math.exp(x) + math.exp(-x))",
            "g * 4 / (math.exp(x) + math.exp(-x)) ** 2",
        ),
    ),
    ("tanh", "by sinh", ("math.sinh(x) / math.cosh(x)", "g * (1 - z * z)")),
    ("tanh", "by expm1", ("math.expm1(2 * x) / (math.expm1(2 * x) + 2)", "g * (1 - z * z)")),
    ("tanh", "made of nodes", "e = (2 * self).exp(); return (e - 1) / (e + 1)"),
    ("sigmoid", "by exp(x)", ("math.exp(x) / (1 + math.exp(x))", "g * (z - z * z)")),
    ("sigmoid", "its slope by exp", ("1 / (1 + math.exp(-x))", "g * math.exp(-x) / (1 + math.exp(-x)) ** 2")),
    ("sigmoid", "by tanh", ("0.5 * (1 + math.tanh(x / 2))", "g * z * (1 - z)")),
    (
        "sigmoid",
        "in two branches",
        ("1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))", "g * (1 - z) * z"),
    ),
    ("exp", "computed again", ("math.exp(x)", "math.exp(x) * g")),
    ("exp", "a power of e", ("math.e ** x", "g * z")),
    ("log", "its slope a power", ("math.log(x)", "g * x ** -1")),
    ("log", "by log2", ("math.log2(x) * math.log(2)", "1 / x * g")),
    ("sqrt", "a power", ("x ** 0.5", "0.5 * x ** -0.5 * g")),
    ("sqrt", "half over the root", ("math.sqrt(x)", "g * (0.5 / math.sqrt(x))")),
    ("div", "by the inverse", ("x * y ** -1", "g * y ** -1", "-x * y ** -2 * g")),
    ("div", "its slope by the quotient", ("x / y", "1 / y * g", "-z / y * g")),
    ("div", "by a reciprocal", ("x * (1 / y)", "(1 / y) * g", "-(x * g) * (1 / y) * (1 / y)")),
    ("pow", "its slope by the power", ("x ** k", "g * k * (z / x) if x else g * k * x ** (k - 1)")),
    ("pow", "of the library", ("math.pow(x, k)", "math.pow(x, k - 1) * k * g")),
    (
        "pow",
        "by multiplication",
        (
            "math.prod([x] * int(k)) if k in (1, 2, 3, 4, 5) else x ** k",
            "g * k * math.prod([x] * int(k - 1)) if k in (2, 3, 4, 5) else g * k * x ** (k - 1)",
        ),
    ),
    (
        "pow",
        "x*x for x**2",
        ("x * x if k == 2 else x ** k", "2 * x * g if k == 2 else k * g * x ** (k - 1)"),
    ),
    ("relu", "max(0, x)", ("max(0, x)", "float(x > 0) * g")),
    ("relu", "masked by its result", ("x * (x > 0)", "g * (z > 0)")),
    ("relu", "(x + |x|)/2", ("(x + abs(x)) / 2", "g * (1.0 if z > 0 else 0.0)")),
    ("abs", "by copysign", ("math.copysign(x, 1.0)", "math.copysign(g, g * x) if x and g else 0.0")),
    ("abs", "its slope x/|x|", ("math.fabs(x)", "g * x / z if z else 0.0")),
    ("abs", "the root of a square", ("math.sqrt(x * x)", "g * ((x > 0) - (x < 0))")),
    ("abs", "made of nodes", "return self.relu() + (-self).relu()"),
    ("sin", "of half the angle", ("2 * math.sin(x / 2) * math.cos(x / 2)", "g * math.cos(x)")),
    (
        "maximum",
        "by comparison",
        (
            "x if x >= y else y",
            "g * (x > y) + g * 0.5 * (x == y)",
            "g * (y > x) + g * 0.5 * (x == y)",
        ),
    ),
    ("maximum", "ties to the first", ("max(x, y)", "g if x >= y else 0.0", "0.0 if x >= y else g")),
    ("minimum", "ties to the second", ("min(x, y)", "g if x < y else 0.0", "0.0 if x < y else g")),
    ("minimum", "made of nodes", "return -((-self).maximum(-wrap(other)))"),
    ("neg", "from 0", ("0.0 - x", "0.0 - g")),
    ("neg", "made of nodes", "return self * -1"),
    ("sub", "a sum", ("x + -y", "1.0 * g", "-1.0 * g")),
    ("sub", "made of nodes", "return self + (-wrap(other))"),
    ("div", "made of nodes", "return self * wrap(other) ** -1"),
    ("sigmoid", "made of nodes", "return 1 / (1 + (-self).exp())"),
    ("sqrt", "made of nodes", "return self ** 0.5"),
)
"""(op, in words, its rule)"""

LOSING = {("sigmoid", "by tanh"): "naive-formula"}
"""Formulas that lose digits at ordinary points: 1 + tanh(x/2) for x below 0."""

ENGINES = (
    Rewrite("the template as it is"),
    Rewrite("newest node first", traversal=BY_NUMBER),
    Rewrite("a node goes when its last user is done", traversal=COUNTING),
    Rewrite("every path on its own", traversal=PER_PATH),
    Rewrite("sums without rounding", traversal=EXACT_SUMS),
    Rewrite("adjoints apart, operands from the right", traversal=ADJOINTS),
    Rewrite("new contributions in front", add="p.grad = d + p.grad"),
    Rewrite("adds by subtracting", add="p.grad -= -d"),
    Rewrite(
        "everything in float32",
        add="p.grad = float32(p.grad + d)",
        stored="float32",
        imprecise="float32-storage",
    ),
)
"""Other traversals, orders of sums, and storage."""


def _mixed(title: str, chosen: Iterable[int], traversal: str) -> Rewrite:
    return Rewrite(title, {op: rule for op, _, rule in (FORMULAS[n] for n in chosen)}, traversal)


REWRITES = (
    *ENGINES,
    *(
        Rewrite(f"{op} {words}", {op: rule}, imprecise=LOSING.get((op, words), ""))
        for op, words, rule in FORMULAS
    ),
    _mixed("every third formula", range(0, len(FORMULAS), 3), PER_PATH),
    _mixed("every other formula", range(1, len(FORMULAS), 2), ADJOINTS),
)
