"""Edits: every way in which one line of a traversal is likely to be meant otherwise, likeliest first.

An edit keeps all other lines where they are. What is tried is a table, each row a function from a piece of syntax
to the pieces that may belong in its place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from typing import Literal

Function = ast.FunctionDef | ast.AsyncFunctionDef
Change = Callable[[ast.AST], Iterator[ast.AST]]


How = Literal["otherwise", "added", "removed", "reordered", "inside", "outside"]
"""What an edit does: a line reads otherwise; a statement that was lost is there, one that should not be is gone; the
same statements in another order; statements that belong into the block above them, or behind the block they end."""


@dataclass(frozen=True)
class Edit:
    """Lines (from 1) and what they read instead; `line` is the one to point at, `after` what it reads, if one does."""

    line: int
    lines: tuple[tuple[int, str], ...]
    after: str
    how: How = "otherwise"


# What may be meant instead -------------------------------------------------------------------------------------------

OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
}
METHODS = {"append": ("appendleft",), "appendleft": ("append",), "pop": ("popleft",), "popleft": ("pop",)}
OTHER: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add, ast.Div),
    ast.Div: (ast.Mult,),
}


def _order(node: ast.AST) -> Iterator[ast.AST]:
    """A loop the other way round."""
    if isinstance(node, (ast.For, ast.comprehension)):
        inner = _reversed(node.iter)
        yield inner if inner is not None else ast.Call(ast.Name("reversed"), [node.iter], [])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        for name in METHODS.get(node.func.attr, ()):
            yield ast.Call(ast.Attribute(node.func.value, name), [] if "pop" in name else node.args, [])
        if node.func.attr == "pop":
            yield ast.Call(node.func, [] if node.args else [ast.Constant(0)], [])
    if isinstance(node, ast.keyword) and node.arg in ("reverse",) and isinstance(node.value, ast.Constant):
        yield ast.keyword(node.arg, ast.Constant(not node.value.value))


def _reversed(node: ast.expr) -> ast.expr | None:
    """What is iterated over backwards, or None."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reversed":
        return node.args[0]
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "::-1":
        return node.value
    return None


def _condition(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OPPOSITE:
        yield ast.Compare(node.left, [OPPOSITE[type(node.ops[0])]()], node.comparators)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(node.test, node.orelse, node.body)


def _test(node: ast.AST) -> Iterator[ast.AST]:
    """`if x` for `if not x`: a test that is a name or a call."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)) and isinstance(
        node.test, (ast.Name, ast.Attribute, ast.Call)
    ):
        yield ast.UnaryOp(ast.Not(), node.test)


def _store(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.AugAssign):
        for op in (ast.Add, ast.Sub):
            if not isinstance(node.op, op):
                yield ast.AugAssign(node.target, op(), node.value)
        yield ast.Assign([node.target], node.value, lineno=0)
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], (ast.Attribute, ast.Subscript, ast.Name)):
        yield ast.AugAssign(node.targets[0], ast.Add(), node.value)


def _constant(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        for x in (1, 0, node.value - 1):
            if x != node.value:
                yield ast.Constant(float(x) if isinstance(node.value, float) else x)


def _operator(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BinOp):
        for other in OTHER.get(type(node.op), ()):
            yield ast.BinOp(node.left, other(), node.right)


CHANGES: dict[str, tuple[Change, ...]] = {
    "schedule": (_order, _condition, _test, _store, _constant, _operator),
    "seed": (_constant, _store, _operator),
}
"""Changes of one piece of syntax, likeliest first, by what goes wrong: the order of the visits, or how they begin."""


# Where ---------------------------------------------------------------------------------------------------------------


def edits(text: str, first: int, kind: str, leave: Collection[str], names: Sequence[str]) -> Iterator[Edit]:
    """All edits of the function whose definition begins in line `first`, and of those that it calls by name.

    kind   "seed" for a gradient that begins with a wrong number; "lifecycle" for what a first backward leaves behind:
           then only stores that should not be there are looked at; else "schedule"
    leave  names of functions that are not looked into: those of the ops
    names  attributes of a node that hold its data and its gradient
    Raises SyntaxError where the text is none.
    """
    tree = ast.parse(text)
    lines = text.split("\n")
    functions = list(_reached(tree, first, leave))
    if kind != "lifecycle":
        yield from _meant_otherwise(functions, lines, kind, names)
    for function in functions:
        yield from _removed(function, lines)


def _meant_otherwise(
    functions: Sequence[Function], lines: Sequence[str], kind: str, names: Sequence[str]
) -> Iterator[Edit]:
    """Statements changed, added and swapped, likeliest first."""
    for change in CHANGES[kind]:
        for function in functions:
            yield from _changed(function, lines, change)
    for function in functions:
        yield from _indented(function, lines)
        yield from _dedented(function, lines)
    for function in functions:
        wanted = (
            [f"{root}.{names[1]} = 1.0" for root in _roots(function)]
            if kind == "seed"
            else _collecting(function)
        )
        yield from _added(function, lines, wanted)
    for function in functions:
        yield from _swapped(function, lines)
    for function in functions:
        yield from _changed(function, lines, _renamed(function))
        yield from _changed(function, lines, _twins(names))


def _reached(tree: ast.Module, first: int, leave: Collection[str]) -> Iterator[Function]:
    """The function, then those of the module and of its classes that it names, and so on."""
    bodies = [tree.body, *(node.body for node in tree.body if isinstance(node, ast.ClassDef))]
    known = {s.name: s for body in bodies for s in body if isinstance(s, Function)}
    every = (node for node in ast.walk(tree) if isinstance(node, Function))
    todo = [f for f in every if first in (f.lineno, *(d.lineno for d in f.decorator_list))]
    seen: set[int] = set()
    while todo:
        function = todo.pop(0)
        if id(function) in seen:
            continue
        seen.add(id(function))
        yield function
        for node in ast.walk(function):
            name = (
                node.id
                if isinstance(node, ast.Name)
                else node.attr
                if isinstance(node, ast.Attribute)
                else ""
            )
            if name in known and name not in leave and not name.startswith("__"):
                todo.append(known[name])


def _changed(function: Function, lines: Sequence[str], change: Change) -> Iterator[Edit]:
    for node in ast.walk(function):
        for new in change(node):
            old: ast.AST = node
            if isinstance(node, (ast.For, ast.comprehension)):
                old = node.iter
            elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and isinstance(new, ast.UnaryOp):
                old = node.test
            edit = _put(lines, old, ast.unparse(ast.fix_missing_locations(new)))
            if edit is not None:
                yield replace(edit, how="reordered") if change is _order else edit


def _put(lines: Sequence[str], node: ast.AST, text: str) -> Edit | None:
    """Text in the place of a node on one line; compound expressions in parentheses, as far as needed."""
    at: int = getattr(node, "lineno", 0)
    if not at or node.end_lineno != at:  # type: ignore[attr-defined]
        return None
    raw = lines[at - 1].encode()
    start, end = node.col_offset, node.end_col_offset  # type: ignore[attr-defined]
    if isinstance(node, ast.BinOp):
        text = f"({text})"
    line = (raw[:start] + text.encode() + raw[end:]).decode()
    return Edit(at, ((at, line),), line.strip()) if line != lines[at - 1] else None


def _blocks(function: Function) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(function):
        for field in ("body", "orelse"):
            block = getattr(node, field, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _swapped(function: Function, lines: Sequence[str]) -> Iterator[Edit]:
    """Two neighbours of a block, the other way round."""
    for block in _blocks(function):
        for one, two in pairwise(block):
            a, b = _lines(one, lines), _lines(two, lines)
            if (
                isinstance(one, Function)
                or isinstance(two, (*_RETURNS, Function))
                or one.end_lineno == two.lineno
            ):
                continue
            numbers = range(one.lineno, (two.end_lineno or two.lineno) + 1)
            between = lines[(one.end_lineno or one.lineno) : two.lineno - 1]
            texts = [*b, *between, *a]
            line = one.lineno if len(a) <= len(b) else two.lineno
            yield Edit(line, tuple(zip(numbers, texts, strict=True)), "", "reordered")


def _indented(function: Function, lines: Sequence[str]) -> Iterator[Edit]:
    """The statement behind a condition, or all that stand behind it, as the last under it."""
    for block in _blocks(function):
        for n, one in enumerate(block):
            behind = list(takewhile(lambda s: not isinstance(s, (*_RETURNS, Function)), block[n + 1 :]))
            if not behind or not isinstance(one, ast.If) or one.orelse or one.body[-1].lineno == one.lineno:
                continue
            deeper = " " * (one.body[-1].col_offset - one.col_offset)
            for last in dict.fromkeys((behind[0], behind[-1])):
                first = behind[0].lineno
                moved = [deeper + text for text in lines[first - 1 : last.end_lineno]]
                yield Edit(first, tuple(enumerate(moved, first)), "", "inside")


def _dedented(function: Function, lines: Sequence[str]) -> Iterator[Edit]:
    """The last statement under a loop or a condition, behind it."""
    for block in _blocks(function):
        for outer in block:
            if not isinstance(outer, (ast.For, ast.While, ast.If)) or outer.orelse or len(outer.body) < 2:
                continue
            last = outer.body[-1]
            if isinstance(last, (*_RETURNS, Function)):
                continue
            less = last.col_offset - outer.col_offset
            moved = [text[less:] for text in _lines(last, lines)]
            yield Edit(last.lineno, tuple(enumerate(moved, last.lineno)), "", "outside")


_RETURNS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def _lines(node: ast.stmt, lines: Sequence[str]) -> list[str]:
    return list(lines[node.lineno - 1 : node.end_lineno])


def _roots(function: Function) -> list[str]:
    """The first argument: the node that backward begins with."""
    return [argument.arg for argument in function.args.args[:1]]


def _collecting(function: Function) -> list[str]:
    """Statements that say what has been seen, or collect what is to be visited, where nothing says so."""
    text = ast.unparse(function)
    grows = r"\b{}(\.(add|append|appendleft|extend|insert|update)\(| \+=| \|=|\[)"
    asked = [
        (node.left, node.comparators[0])
        for node in ast.walk(function)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn))
    ]
    seen = [f"{ast.unparse(where)}.add({ast.unparse(what)})" for what, where in asked]
    bound = _bound(function)
    nodes = [name for name, kind in bound.items() if kind == "node"]
    lists = [f"{name}.append({node})" for name, kind in bound.items() if kind == "list" for node in nodes]
    return [
        s
        for s in dict.fromkeys(seen + lists)
        if not re.search(grows.format(re.escape(s.partition(".")[0])), text)
    ]


def _added(function: Function, lines: Sequence[str], wanted: Sequence[str]) -> Iterator[Edit]:
    """Statements that were lost, before and behind every other one."""
    blocks = list(_blocks(function))
    gaps = [n for block in blocks for n in block if isinstance(n, ast.Pass)]  # where something was left out
    for statement in wanted:
        for gap in gaps:
            indent = lines[gap.lineno - 1][: gap.col_offset]
            if not indent.strip():
                yield Edit(gap.lineno, ((gap.lineno, indent + statement),), statement, "added")
        for block in blocks:
            for node in reversed(block):
                indent = lines[node.lineno - 1][: node.col_offset]
                if indent.strip() or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
                    continue
                text, own, end = indent + statement, lines[node.lineno - 1], node.end_lineno or node.lineno
                if node is block[-1] and not isinstance(node, _RETURNS):
                    yield Edit(end, ((end, f"{lines[end - 1]}\n{text}"),), statement, "added")
                yield Edit(node.lineno, ((node.lineno, f"{text}\n{own}"),), statement, "added")


def _bound(function: Function) -> dict[str, str]:
    """Names that a function and those in it bind → "set", "list", "node" (an argument or a loop's), or ""."""
    found: dict[str, str] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            targets = node.targets[0].elts if isinstance(node.targets[0], ast.Tuple) else node.targets
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            for target, value in zip(targets, values, strict=False):
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, _collection(value))
        if isinstance(node, (ast.For, ast.comprehension)):
            found |= {name.id: "node" for name in ast.walk(node.target) if isinstance(name, ast.Name)}
        if isinstance(node, ast.arg):
            found.setdefault(node.arg, "node")
    return found


def _collection(value: ast.expr) -> str:
    """What an assigned value is: "set", "list", "node" where it was taken out of one, or "" for other things."""
    if isinstance(value, (ast.Set, ast.List)):
        return type(value).__name__.lower()
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
        return {"set": "set", "list": "list", "deque": "list"}.get(value.func.id, "")
    return "node" if isinstance(value, ast.Call) and ".pop" in ast.unparse(value.func) else ""


def _renamed(function: Function) -> Change:
    """One of the function's own names for another."""
    bound = list(_bound(function))

    def change(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in bound:
            for other in bound:
                if other != node.id:
                    yield ast.Name(other)

    return change


def _twins(names: Sequence[str]) -> Change:
    """A node's data for its gradient, and the other way round."""

    def change(node: ast.AST) -> Iterator[ast.AST]:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node.attr in names:
            for other in names:
                if other != node.attr:
                    yield ast.Attribute(node.value, other)

    return change


def _removed(function: Function, lines: Sequence[str]) -> Iterator[Edit]:
    """A store that should not be there."""
    for node in ast.walk(function):
        if isinstance(node, (ast.Assign, ast.AugAssign)) and not isinstance(
            getattr(node, "targets", [None])[0], ast.Name
        ):
            edit = _put(lines, node, "pass")
            if edit is not None:
                yield replace(edit, how="removed")
