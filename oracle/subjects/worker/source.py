"""Which statements of a file or notebook are run: imports, definitions, and the constants they need.

A training loop at top level would take minutes, plot, or read files that are not there. So a module is run
without its actions: what defines something stays, with its line numbers; everything else is dropped.
"""

from __future__ import annotations

import ast
import builtins
import functools
import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from types import CodeType
    from typing import TypeVar

    Part = TypeVar("Part", bound=ast.AST)

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

SAFE_CALLS = {"float", "int", "str", "bool", "complex", "dict", "set", "list", "tuple", "frozenset", "object"}
SAFE_CALLS |= {
    "range",
    "len",
    "max",
    "min",
    "abs",
    "round",
    "sum",
    "type",
    "property",
    "staticmethod",
    "classmethod",
}


LAZY_ANNOTATIONS = annotations.compiler_flag
"""As from Python 3.14 on, whatever Python this is: no annotation is evaluated, so none can fail."""


def cells(path: str) -> list[tuple[str, str | bytes]]:
    """The pieces of source in a file: (name for messages, text) for each; a notebook has one a code cell.

    Raises OSError, UnicodeDecodeError, and ValueError for a notebook that is not one.
    """
    with open(path, "rb") as file:
        raw = file.read()
    if not path.endswith(".ipynb"):
        return [(path, raw)]
    try:
        found = json.loads(raw)["cells"]
        texts = ["".join(cell["source"]) for cell in found if cell["cell_type"] == "code"]
    except (KeyError, TypeError, RecursionError, json.JSONDecodeError) as problem:
        raise ValueError(f"not a notebook: {problem}") from None
    return [(f"{path}#{n}", without_magics(text)) for n, text in enumerate(texts, start=1)]


def edited(
    pieces: list[tuple[str, str | bytes]], name: str, changes: list[tuple[int, str]]
) -> list[tuple[str, str | bytes]]:
    """The pieces, with other texts for some lines (from 1) of the one of that name."""
    return [(piece, _changed(text, changes) if piece == name else text) for piece, text in pieces]


def _changed(text: str | bytes, changes: list[tuple[int, str]]) -> str:
    lines = (text if isinstance(text, str) else text.decode("utf-8-sig")).split("\n")
    for number, line in changes:
        lines[number - 1] = line
    return "\n".join(lines)


def without_magics(text: str) -> str:
    """A cell without IPython's own lines (%matplotlib, !pip, ?help), line numbers kept."""
    lines = text.split("\n")
    first = lines[0].lstrip() if lines else ""
    if first.startswith("%%") and not re.match(r"%%(time|timeit|capture|prun)\b", first):
        return ""
    kept = []
    for line in lines:
        magic = re.match(r"(\s*)([%!?]|\w+\s*=\s*[%!]|[\w.]+\?+\s*$)", line)
        kept.append(magic[1] + "pass" if magic else line)
    return "\n".join(kept)


def definitions(pieces: list[tuple[str, str | bytes]], exported: bool = False) -> Definitions:
    """A module's source without its actions. Raises ValueError and RecursionError for what cannot be parsed.

    pieces    name and text of each
    exported  whether other modules may import what is assigned here: then constants are needed though no
              definition reads them
    """
    trees = [(name, _parsed(name, text)) for name, text in pieces]
    keep = Keep([tree for _, tree in trees if isinstance(tree, ast.Module)], exported)
    codes: list[tuple[str, CodeType | SyntaxError]] = []
    for name, tree in trees:
        if isinstance(tree, SyntaxError):
            codes.append((name, tree))
        else:
            tree.body = keep.body(tree.body)
            codes.append((name, compile(tree, name, "exec", LAZY_ANNOTATIONS, dont_inherit=True)))
    return Definitions(codes, keep)


class Definitions:
    """What is left of a module.

    codes    for each piece: its name, and its code, or the SyntaxError that it has
    guarded  modules that it imports inside `try`, where an ImportError is expected
    dropped  names that only the statements left out would have bound
    """

    def __init__(self, codes: list[tuple[str, CodeType | SyntaxError]], keep: Keep) -> None:
        self.codes, self.guarded, self.dropped = codes, keep.guarded, keep.dropped - keep.bound


def _parsed(name: str, text: str | bytes) -> ast.Module | SyntaxError:
    try:
        return ast.parse(text, name)
    except SyntaxError as problem:
        problem.filename = name  # some problems of encoding come without it
        return problem


class Keep:
    """Decides statement by statement. What it has to know of the whole module is found when it is first asked for.

    bound      names that the statements kept so far have bound; a constant made from others was an action
    dropped    names that statements left out would have bound
    guarded    modules imported inside `try`, where an ImportError is expected
    """

    def __init__(self, trees: list[ast.Module], exported: bool) -> None:
        self.trees, self.exported = trees, exported
        self.bound = set(dir(builtins)) | {"__name__", "__file__"}
        self.dropped: set[str] = set()
        self.guarded: set[str] = set()

    def every(self, kind: type[Part]) -> list[Part]:
        """All syntax of one kind, however deep."""
        return [node for node in self.syntax if isinstance(node, kind)]

    @functools.cached_property
    def syntax(self) -> list[ast.AST]:
        """All of it."""
        return [node for tree in self.trees for node in walk(tree)]

    @functools.cached_property
    def classes(self) -> set[str]:
        """Names of classes, also of imported ones: `from engine import Value`, then `Value.tanh = …`."""
        imports = [name for node in self.every(ast.ImportFrom) for name in imported(node)]
        return {node.name for node in self.every(ast.ClassDef)} | {
            name for name in imports if name[:1].isupper()
        }

    @functools.cached_property
    def functions(self) -> set[str]:
        """Names of functions."""
        return {node.name for node in self.every(ast.FunctionDef)}

    @functools.cached_property
    def patchers(self) -> set[str]:
        """Names of functions that do nothing but give a class attributes: theirs, or the one that they are given."""
        return {node.name for node in self.every(ast.FunctionDef) if self._patches(node)}

    def _patches(self, function: ast.FunctionDef) -> bool:
        taken = {arg.arg for arg in function.args.args}
        at_all = [node for node in function.body if self.patches_class(node, taken)]
        quiet = (*DEFINITIONS, ast.Assign, ast.Return, ast.Pass)
        return bool(at_all) and all(
            node in at_all
            or isinstance(node, quiet)
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            for node in function.body
        )

    @functools.cached_property
    def by_classes(self) -> set[str]:
        """Names that class bodies and what is added to classes later read."""
        patches = [node for tree in self.trees for node in tree.body if self.patches_class(node)]
        return {name for node in (*self.every(ast.ClassDef), *patches) for name in names(node)}

    @functools.cached_property
    def needed(self) -> set[str]:
        """Names that any definition reads, and those that other modules may import."""
        top = [node for tree in self.trees for node in tree.body]
        read = {name for node in top if isinstance(node, DEFINITIONS) for name in names(node)}
        return read | self.by_classes | {name for node in top if self.exported for name in stored(node)}

    def body(self, statements: list[ast.stmt], guarded: bool = False) -> list[ast.stmt]:
        kept = []
        for node in statements:
            replacement = self.statement(node, guarded)
            if replacement is None:
                self.dropped |= stored(node)
            else:
                kept.append(replacement)
        return kept

    def statement(self, node: ast.stmt, guarded: bool) -> ast.stmt | None:
        """The statement to run in place of this one, or None."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.bound.update(imported(node))
            if guarded:
                self.guarded |= (
                    {a.name for a in node.names} if isinstance(node, ast.Import) else {node.module or ""}
                )
            return node
        if isinstance(node, DEFINITIONS):
            self.bound.add(node.name)
            return node
        if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            return node if self.patches_class(node) or self.constant(node) else None
        if isinstance(node, ast.Expr):
            return node if self.patches_class(node) else None
        if isinstance(node, (ast.For, ast.With)):
            return node if node.body and all(self.patches_class(s) for s in node.body) else None
        if isinstance(node, ast.If):
            return self.branch(node)
        if isinstance(node, ast.Try):
            return self.attempt(node)
        return None

    def branch(self, node: ast.If) -> ast.stmt | None:
        read = names(node.test)
        if "__name__" in read or not read <= self.bound or any(evaluated(node.test, ast.Call)):
            return None
        node.body = self.body(node.body) or [ast.copy_location(ast.Pass(), node)]
        node.orelse = self.body(node.orelse)
        return node

    def attempt(self, node: ast.Try) -> ast.stmt:
        node.body = self.body(node.body, guarded=True) or [ast.copy_location(ast.Pass(), node)]
        for handler in node.handlers:
            handler.body = self.body(handler.body) or [ast.copy_location(ast.Pass(), handler)]
        node.orelse, node.finalbody = self.body(node.orelse), self.body(node.finalbody)
        if not node.handlers and not node.finalbody:
            node.finalbody = [ast.copy_location(ast.Pass(), node)]
        return node

    def patches_class(self, node: ast.stmt, taken: Collection[str] | None = None) -> bool:
        """Whether a statement gives a class an attribute: `Value.tanh = …`, `setattr(Value, …)`, or a call of a
        function that does only that.

        taken: where the statement is in a function, its parameters, which may be classes
        """
        classes = self.classes | set(taken or ())
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return all(
                isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id in classes
                for t in targets
            )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            if taken is None and isinstance(call.func, ast.Name) and call.func.id in self.patchers:
                return True
            return (
                isinstance(call.func, ast.Name)
                and call.func.id == "setattr"
                and bool(call.args)
                and isinstance(call.args[0], ast.Name)
                and call.args[0].id in classes
            )
        return False

    def constant(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign) -> bool:
        """Whether an assignment is a constant, or something that the definitions cannot do without."""
        if node.value is None:
            return True
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in targets):
            return False
        bound = set().union(*(names(t) for t in targets))
        if "*" not in self.bound and not immediate(node.value) <= self.bound:
            return False
        if not all(self.safe(call.func, bound) for call in evaluated(node.value, ast.Call)):
            return False
        self.bound |= bound
        return True

    def safe(self, function: ast.expr, bound: set[str]) -> bool:
        """Whether calling `function` at top level only defines: a library's, or one that classes need."""
        root = function
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name):
            return isinstance(root, (ast.Lambda, ast.Constant))
        if root.id in self.functions or root.id in self.classes:
            # In a module that the subject imports, an assignment is what other modules may read.
            for_others = self.exported or root.id in self.classes
            return bool(bound & self.by_classes) or (for_others and bool(bound & self.needed))
        if isinstance(function, ast.Name) and hasattr(builtins, function.id):
            return function.id in SAFE_CALLS
        return bool(bound & self.needed)


def walk(node: ast.AST) -> list[ast.AST]:
    """A piece of syntax and all its parts, in any order: `ast.walk` in half the time, of which a start is made."""
    found = [node]
    for part in found:
        for field in part._fields:
            inside = getattr(part, field, None)
            if isinstance(inside, ast.AST):
                found.append(inside)
            elif type(inside) is list:
                found += [x for x in inside if isinstance(x, ast.AST)]
    return found


def names(node: ast.AST) -> set[str]:
    """Every name that a piece of syntax mentions."""
    return {n.id for n in walk(node) if isinstance(n, ast.Name)}


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The names that an import binds; "*" where it does not say."""
    return [(a.asname or a.name).partition(".")[0] for a in node.names]


def immediate(node: ast.AST) -> set[str]:
    """The names whose values are needed to evaluate an expression now."""
    return {n.id for n in evaluated(node, ast.Name)} - stored(node)


def stored(node: ast.AST) -> set[str]:
    """The names that a piece of syntax assigns to."""
    return {n.id for n in walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def evaluated(node: ast.AST, kind: type[Part]) -> Iterator[Part]:
    """The parts of one kind that evaluating an expression evaluates: those inside a lambda's body are not."""
    stack: list[ast.AST] = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, kind):
            yield at
        if not isinstance(at, ast.Lambda):
            stack.extend(ast.iter_child_nodes(at))
