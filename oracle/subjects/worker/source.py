"""Which statements of a file or notebook are run: imports, definitions, and the constants they need.

A training loop at top level would take minutes, plot, or read files that are not there. So a module is run
without its actions: what defines something stays, with its line numbers; everything else is dropped.
"""

import ast
import builtins
import json
import re

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)

SAFE_CALLS = {"float", "int", "str", "bool", "complex", "dict", "set", "list", "tuple", "frozenset", "object"}
SAFE_CALLS |= {"range", "len", "max", "min", "abs", "round", "sum", "type", "property", "staticmethod", "classmethod"}


def cells(path):
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
    except (KeyError, TypeError, RecursionError) as problem:
        raise ValueError(f"not a notebook: {problem}") from None
    return [(f"{path}#{n}", without_magics(text)) for n, text in enumerate(texts, start=1)]


def without_magics(text):
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


def definitions(pieces):
    """For each piece of a module's source: (name, its code without its actions, or the SyntaxError it has).

    Also the names of the modules that are imported inside `try`. Raises ValueError and RecursionError for what
    cannot be parsed at all.
    """
    trees = [(name, _parsed(name, text)) for name, text in pieces]
    keep = Keep([tree for _, tree in trees if isinstance(tree, ast.Module)])
    codes = []
    for name, tree in trees:
        if isinstance(tree, ast.Module):
            tree.body = keep.body(tree.body)
            tree = compile(tree, name, "exec", dont_inherit=True)
        codes.append((name, tree))
    return codes, keep.guarded


def _parsed(name, text):
    try:
        return ast.parse(text, name)
    except SyntaxError as problem:
        problem.filename = name  # some problems of encoding come without it
        return problem


class Keep:
    """Decides statement by statement.

    classes    names of the classes defined or imported at top level
    local      names of the functions defined at top level
    needed     names that definitions read; by_classes: those that class bodies read
    bound      names that the statements kept so far have bound; a constant made from others was an action
    guarded    modules imported inside `try`, where an ImportError is expected
    """

    def __init__(self, trees):
        self.classes, self.local, self.needed, self.by_classes = set(), set(), set(), set()
        self.bound, self.guarded = set(dir(builtins)) | {"__name__", "__file__"}, set()
        for node in (node for tree in trees for node in ast.walk(tree)):
            if isinstance(node, ast.ClassDef):
                self.classes.add(node.name)
                self.by_classes |= names(node)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.local.add(node.name)
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                # `from engine import Value`, then `Value.tanh = …` in another file
                self.classes |= {name for name in imported(node) if name[:1].isupper()}
        for node in (node for tree in trees for node in tree.body):
            if isinstance(node, DEFINITIONS):
                self.needed |= names(node)
            if self.patches_class(node):
                self.by_classes |= names(node)
        self.needed |= self.by_classes

    def body(self, statements, guarded=False):
        return [kept for kept in (self.statement(s, guarded) for s in statements) if kept is not None]

    def statement(self, node, guarded):
        """The statement to run in place of this one, or None."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self.bound.update(imported(node))
            if guarded:
                self.guarded |= {a.name for a in node.names} if isinstance(node, ast.Import) else {node.module}
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

    def branch(self, node):
        if "__name__" in names(node.test) or any(isinstance(n, ast.Call) for n in ast.walk(node.test)):
            return None
        node.body = self.body(node.body) or [ast.copy_location(ast.Pass(), node)]
        node.orelse = self.body(node.orelse)
        return node

    def attempt(self, node):
        node.body = self.body(node.body, guarded=True) or [ast.copy_location(ast.Pass(), node)]
        for handler in node.handlers:
            handler.body = self.body(handler.body) or [ast.copy_location(ast.Pass(), handler)]
        node.orelse, node.finalbody = self.body(node.orelse), self.body(node.finalbody)
        if not node.handlers and not node.finalbody:
            node.finalbody = [ast.copy_location(ast.Pass(), node)]
        return node

    def patches_class(self, node):
        """Whether a statement gives a class an attribute: `Value.tanh = …`, `setattr(Value, …)`."""
        if isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            return all(
                isinstance(t, ast.Attribute) and isinstance(t.value, ast.Name) and t.value.id in self.classes
                for t in targets
            )
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            return (
                isinstance(call.func, ast.Name)
                and call.func.id == "setattr"
                and bool(call.args)
                and isinstance(call.args[0], ast.Name)
                and call.args[0].id in self.classes
            )
        return False

    def constant(self, node):
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

    def safe(self, function, bound):
        """Whether calling `function` at top level only defines: a library's, or one that classes need."""
        root = function
        while isinstance(root, (ast.Attribute, ast.Call, ast.Subscript)):
            root = root.func if isinstance(root, ast.Call) else root.value
        if not isinstance(root, ast.Name):
            return isinstance(root, (ast.Lambda, ast.Constant))
        if root.id in self.local or root.id in self.classes:
            return bool(bound & self.by_classes) or (root.id in self.classes and bool(bound & self.needed))
        if isinstance(function, ast.Name) and hasattr(builtins, function.id):
            return function.id in SAFE_CALLS
        return bool(bound & self.needed)


def names(node):
    """Every name that a piece of syntax mentions."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def imported(node):
    """The names that an import binds; "*" where it does not say."""
    return [(a.asname or a.name).partition(".")[0] for a in node.names]


def immediate(node):
    """The names whose values are needed to evaluate an expression now."""
    own = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return {n.id for n in evaluated(node, ast.Name)} - own


def evaluated(node, kind):
    """The parts of one kind that evaluating an expression evaluates: those inside a lambda's body are not."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, kind):
            yield at
        if not isinstance(at, ast.Lambda):
            stack.extend(ast.iter_child_nodes(at))
