"""Mutants: the corpus' right engines, each with one thing changed, and the cause that a judge must name.

A mutation replaces the text of one node of the syntax tree (or one statement) and leaves every line where it
was. What is expected follows from the place alone: the method's name gives the op, a closure, a lambda or a
slope gives the derivative, an expression outside of them the value; `backward` and helpers belong to no op.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import get_args

from tests.corpus import ENGINES, Kind

BASES = (
    "closures",
    "native_division",
    "value_exponent",
    "explicit_stack",
    "local_gradients",
    "kahn_counting",
    "pairs",
    "tape",
    "module_functions",
    "operation_classes",
    "leaf_gradients",
    "slotted_closures",
)
"""Right engines of twelve styles."""

OPS = {
    **{f"__{r}{name}__": name for name in ("add", "sub", "mul", "pow") for r in ("", "r")},
    "__truediv__": "div",
    "__rtruediv__": "div",
    "power": "pow",
    "ln": "log",
    "__neg__": "neg",
    "__abs__": "abs",
    **{
        name: name for name in ("add", "mul", "div", "pow", "neg", "exp", "log", "sqrt", "sin", "cos", "tanh")
    },
    **{name: name for name in ("sigmoid", "relu", "maximum", "minimum", "sub")},
}
"""Names of methods, functions and (in small letters) classes → the vocabulary's op."""

ANY = frozenset(get_args(Kind))
VALUE = frozenset({"forward", "missing", "raises"})
SLOPE = frozenset({"derivative", "raises", "missing"})
PARENT = frozenset({"derivative", "schedule"})
PUSH = frozenset({"derivative", "accumulation"})
TRAVERSAL = frozenset({"schedule", "derivative", "raises", "resource"})


@dataclass(frozen=True)
class Mutant:
    """One engine with one change.

    base, line     the engine and the 1-based line that changed
    mutation       the row of MUTATIONS, then what became of the text
    op             the vocabulary's op, None where none is concerned
    kinds          the kinds of cause that are right
    lines          the lines that are right: the changed one, those that use what it assigns, and, where a
                   statement is lost, what is around it
    anywhere       a change of a helper that all ops go through: any op is right
    """

    base: str
    line: int
    mutation: str
    before: str
    after: str
    op: str | None
    kinds: frozenset[str]
    lines: frozenset[int]
    anywhere: bool = False
    source: str = field(repr=False, compare=False, default="")

    @property
    def name(self) -> str:
        return f"{self.base}:{self.line} {self.mutation}: {self.before} → {self.after}"


# Mutations: each row takes a node and yields nodes to put in its place ----------------------------------------------

Change = Callable[[ast.AST], Iterator[ast.AST | None]]

SWAPPED: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.Pow: (ast.Mult,),
}
CONDITIONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.LtE,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
TWINS = {"self": "other", "other": "self", "a": "b", "b": "a", "x": "y", "y": "x", "o": "self"}
DATA, GRADIENT = ("data", "value", "v"), ("grad", "gradient", "derivative")
FUNCTIONS = {
    "exp": "log",
    "log": "exp",
    "sin": "cos",
    "cos": "sin",
    "tanh": "sin",
    "max": "min",
    "min": "max",
}


def _operator(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp):
        for other in SWAPPED.get(type(node.op), ()):
            yield ast.BinOp(node.left, other(), node.right)


def _factor(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        yield node.left
        if isinstance(node.op, ast.Mult):
            yield node.right


def _sign(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield node.operand
    if isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
        yield ast.AugAssign(node.target, ast.Sub() if isinstance(node.op, ast.Add) else ast.Add(), node.value)


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        x = node.value
        for other in {0: (1,), 1: (0, 2)}.get(x, (x + 1,)):
            yield ast.Constant(type(x)(other))


def _nearly(node: ast.AST) -> Iterator[ast.AST]:
    """A derivative that is wrong by 1e-12 relative."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
        scaled = ast.BinOp(node.value, ast.Mult(), ast.Constant(1 + 1e-12))
        yield ast.AugAssign(node.target, ast.Add(), scaled)


def _operand(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in TWINS:
        yield ast.Name(TWINS[node.id], ast.Load())
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute):
        owner = node.target.value
        if isinstance(owner, ast.Name) and owner.id in TWINS:
            target = ast.Attribute(ast.Name(TWINS[owner.id], ast.Load()), node.target.attr, ast.Store())
            yield ast.AugAssign(target, node.op, node.value)


def _attribute(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        for twin in GRADIENT if node.attr in DATA else DATA if node.attr in GRADIENT else ():
            yield ast.Attribute(node.value, twin, ast.Load())


def _overwrite(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.AugAssign):
        value = node.value if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.value)
        yield ast.Assign([node.target], value, lineno=0)


def _lost(node: ast.AST) -> Iterator[ast.AST | None]:
    if isinstance(node, ast.AugAssign) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)):
        yield ast.Pass()
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
        yield ast.Pass()


def _condition(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in CONDITIONS:
        yield ast.Compare(node.left, [CONDITIONS[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _function(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call):
        name = node.func
        if isinstance(name, ast.Name) and name.id in ("max", "min"):
            yield ast.Call(ast.Name(FUNCTIONS[name.id], ast.Load()), node.args, [])
        if isinstance(name, ast.Attribute) and isinstance(name.value, ast.Name) and name.value.id == "math":
            yield ast.Call(
                ast.Attribute(name.value, FUNCTIONS.get(name.attr, "exp"), ast.Load()), node.args, []
            )


def _exchange(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        yield ast.Tuple(node.elts[::-1], ast.Load())
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Sub, ast.Div, ast.Pow)):
        yield ast.BinOp(node.right, node.op, node.left)


def _parent(node: ast.AST) -> Iterator[ast.AST]:
    """A node loses one of its two operands as parents."""
    if isinstance(node, ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) == 2:
        if not all(isinstance(e, ast.Name) for e in node.elts):
            return
        for kept in node.elts:
            yield ast.Tuple([kept], ast.Load())


def _order(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reversed":
        yield ast.Call(ast.Name("list", ast.Load()), node.args, [])
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.step is not None:
        yield node.value


MUTATIONS: dict[str, Change] = {
    "operator": _operator,
    "factor dropped": _factor,
    "sign": _sign,
    "constant": _constant,
    "1e-12": _nearly,
    "operand": _operand,
    "attribute": _attribute,
    "overwrite": _overwrite,
    "lost line": _lost,
    "condition": _condition,
    "function": _function,
    "exchange": _exchange,
    "lost parent": _parent,
    "order": _order,
}

# Places -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where in an engine a node of the syntax tree stands: the definitions around it, and whether it is a slope."""

    around: tuple[ast.AST, ...]

    @property
    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in self.around if isinstance(node, ast.FunctionDef)]

    @property
    def op(self) -> str | None:
        names = [node.name for node in self.around if isinstance(node, (ast.ClassDef, ast.FunctionDef))]
        return next((OPS[name.lower()] for name in names if name.lower() in OPS), None)

    @property
    def slope(self) -> bool:
        """Inside a closure, a lambda, a `slopes` method, or the pairs and tuples of slopes given to a node."""
        functions = self.functions
        if len(functions) > 1 or any(isinstance(node, ast.Lambda) for node in self.around):
            return True
        if functions and functions[0].name == "slopes":
            return True
        calls = [n for n, node in enumerate(self.around) if isinstance(node, ast.Call)]
        for n in calls:
            call, inside = self.around[n], self.around[n + 1] if n + 1 < len(self.around) else None
            assert isinstance(call, ast.Call)
            if isinstance(inside, ast.List):
                return True
            if isinstance(inside, ast.Tuple) and len(call.args) > 2 and inside is call.args[2]:
                return True
        return False

    @property
    def parents(self) -> bool:
        """Inside the tuple of operands that a new node is told."""
        chain = self.around
        return any(
            isinstance(call, ast.Call) and isinstance(inside, ast.Tuple) and inside in call.args[1:2]
            for call, inside in pairwise(chain)
        )

    def knows(self, name: str) -> bool:
        """Whether the outermost function has a variable of that name."""
        return any(
            (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name)
            or (isinstance(node, ast.arg) and node.arg == name)
            for node in (ast.walk(self.functions[0]) if self.functions else ())
        )

    @property
    def statement(self) -> ast.stmt | None:
        return next((node for node in reversed(self.around) if isinstance(node, ast.stmt)), None)

    @property
    def looped(self) -> bool:
        return any(isinstance(node, (ast.For, ast.While)) for node in self.around)


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, Place]]:
    def walk(node: ast.AST, around: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, Place]]:
        for child in ast.iter_child_nodes(node):
            yield child, Place((*around, node))
            yield from walk(child, (*around, node))

    yield from walk(tree, ())


PLUMBING = ("__repr__", "__str__", "__init__")
"""Methods that compute nothing (the constructor's own lines are mutated only where it does more than store)."""


TRAVERSALS = frozenset({"backward", "backprop", "_order", "sorted_inputs"})
FLOWS = ("grad", "gradient", "derivative", "flow")
"""Names of what a traversal stores gradients in."""


def _expected(place: Place, mutation: str, node: ast.AST) -> tuple[str | None, frozenset[str], bool]:
    """The op, the kinds, and whether any op will do."""
    op = place.op
    if op is not None:
        if mutation == "overwrite":
            return op, frozenset({"accumulation"}), False
        if (
            mutation == "lost parent"
            or place.parents
            or (mutation == "exchange" and isinstance(node, ast.Tuple))
        ):
            return op, PARENT, False
        if place.slope or mutation == "lost line":  # `out._backward = …`
            return op, SLOPE, False
        return op, VALUE, False
    if not TRAVERSALS & {f.name for f in place.functions}:
        return None, ANY, True
    if mutation == "overwrite" and _stores_a_gradient(node):
        return None, frozenset({"accumulation"}), False
    return None, _of_traversal(place, node), False


def _stores_a_gradient(statement: ast.AST | None) -> bool:
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AugAssign):
        targets = [statement.target]
    return any(word in ast.unparse(target) for target in targets for word in FLOWS)


def _of_traversal(place: Place, node: ast.AST) -> frozenset[str]:
    """Kinds for a change of a traversal: what it stores into a gradient is the seed, or (in its loop) a push."""
    if not _stores_a_gradient(node if isinstance(node, ast.stmt) else place.statement):
        return TRAVERSAL
    return (
        PUSH | ({"schedule"} if isinstance(node, ast.stmt) else set())
        if place.looped
        else frozenset({"seed"})
    )


# Generation ---------------------------------------------------------------------------------------------------------


def mutants(base: str) -> Iterator[Mutant]:
    """Every mutant of one engine, without two of the same text."""
    source = (ENGINES / f"{base}.py").read_text(encoding="utf-8")
    seen = {source}
    for node, place in _places(ast.parse(source)):
        names = {f.name for f in place.functions}
        if not place.functions and place.op is None:
            continue
        if (
            names & set(PLUMBING)
            and place.op is None
            and not any(isinstance(a, ast.Call) for a in place.around)
        ):
            continue
        for mutation, change in MUTATIONS.items():
            if mutation == "1e-12" and place.op is None:
                continue
            for other in change(node):
                if mutation == "operand" and not _known(other, place):
                    continue
                if isinstance(other, ast.Attribute) and f"self.{other.attr} =" not in source:
                    continue
                if isinstance(node, ast.Tuple) and isinstance(place.around[-1], ast.List):
                    continue  # a pair (parent, slope): taking it apart is no test of a judge
                made = _made(base, source, node, other, mutation, place)
                if made is not None and made.source not in seen:
                    seen.add(made.source)
                    yield made
    for made in _exchanged_statements(base, source):
        if made.source not in seen:
            seen.add(made.source)
            yield made


def _known(changed: ast.AST | None, place: Place) -> bool:
    """Whether the name that an operand became exists there: a NameError would be no test of a judge."""
    if isinstance(changed, ast.AugAssign) and isinstance(changed.target, ast.Attribute):
        changed = changed.target.value
    return isinstance(changed, ast.Name) and place.knows(changed.id)


def _made(
    base: str, source: str, node: ast.AST, other: ast.AST | None, mutation: str, place: Place
) -> Mutant | None:
    if other is None or not isinstance(node, (ast.expr, ast.stmt)) or node.end_lineno != node.lineno:
        return None
    text = ast.unparse(ast.fix_missing_locations(copy.deepcopy(other)))
    if isinstance(node, ast.expr):
        text = f"({text})" if isinstance(other, (ast.BinOp, ast.UnaryOp, ast.IfExp, ast.Compare)) else text
    lines = source.splitlines(keepends=True)
    line = lines[node.lineno - 1]
    before = line[node.col_offset : node.end_col_offset]
    lines[node.lineno - 1] = line[: node.col_offset] + text + line[node.end_col_offset :]
    changed = "".join(lines)
    try:
        compile(changed, base, "exec")
    except SyntaxError:
        return None
    op, kinds, anywhere = _expected(place, mutation, node)
    right = {node.lineno, *_uses(place, node)}
    if mutation in ("lost line", "lost parent"):  # what is left to point at: the definitions around it
        right |= {f.lineno for f in place.functions}
        inner = [n for f in place.functions[:1] for n in ast.walk(f) if isinstance(n, ast.FunctionDef)]
        right |= {f.lineno for f in inner}
    return Mutant(base, node.lineno, mutation, before, text, op, kinds, frozenset(right), anywhere, changed)


def _uses(place: Place, node: ast.AST) -> Iterator[int]:
    """Lines of the function that read the variables which the changed statement assigns: the wrong number is
    made there as much as here."""
    statement = node if isinstance(node, ast.stmt) else place.statement
    if not isinstance(statement, ast.Assign) or place.op is None:
        return
    names = {n.id for target in statement.targets for n in ast.walk(target) if isinstance(n, ast.Name)}
    for other in ast.walk(place.functions[-1]):
        if isinstance(other, ast.Name) and isinstance(other.ctx, ast.Load) and other.id in names:
            yield other.lineno


def _exchanged_statements(base: str, source: str) -> Iterator[Mutant]:
    """Two neighbouring statements of a traversal in the other order: visits before or after what they must follow."""
    lines = source.splitlines(keepends=True)
    for node, place in _places(ast.parse(source)):
        names = [f.name for f in place.functions] + ([node.name] if isinstance(node, ast.FunctionDef) else [])
        body = getattr(node, "body", None)
        if not isinstance(body, list) or not TRAVERSALS & set(names):
            continue
        for first, second in pairwise(body):
            if isinstance(first, ast.FunctionDef) or isinstance(second, (ast.Return, ast.FunctionDef)):
                continue
            a, b = slice(first.lineno - 1, first.end_lineno), slice(second.lineno - 1, second.end_lineno)
            changed = [*lines[: a.start], *lines[b], *lines[a.stop : b.start], *lines[a], *lines[b.stop :]]
            right = frozenset(range(first.lineno, second.end_lineno + 1)) | {
                f.lineno for f in place.functions
            }
            yield Mutant(
                base, first.lineno, "swapped statements", _short(lines[a]), _short(lines[b]), None,
                TRAVERSAL | {"seed"}, right, False, "".join(changed),
            )  # fmt: skip


def _short(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())[:50]


def everything() -> list[Mutant]:
    """All mutants of all bases."""
    return [mutant for base in BASES for mutant in mutants(base)]


def sample(count: int, token: str) -> list[Mutant]:
    """Some of them, the same for the same token, every base and mutation in its proportion."""
    chosen = Random(token).sample(everything(), count)
    order = {base: n for n, base in enumerate(BASES)}
    return sorted(chosen, key=lambda m: (order[m.base], m.line, m.mutation, m.after))
