"""Where a frame stands in the source: the first line of its statement, and the def around it."""

from __future__ import annotations

import ast

from .source import cells

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import CodeType, FrameType
    from typing import Any

    Place = list[Any]


class Statements:
    """Reads each file once. A place is [file, line of the statement, function, line of its def]."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, int], int] = {}
        self._defs: dict[tuple[str, int], int] = {}
        self._read: set[str] = set()

    def place(self, frame: FrameType, line: int | None = None) -> Place:
        """Where a frame stands, or stood at that line; in a lambda its own line, whatever statement it is in."""
        code = frame.f_code
        line = frame.f_lineno if line is None else line
        self._read_file(code.co_filename)
        if code.co_name != "<lambda>":
            line = self._first.get((code.co_filename, line), line)
        return [code.co_filename, line, code.co_name, self._def(code)]

    def definition(self, code: CodeType) -> Place:
        """The def of a function."""
        self._read_file(code.co_filename)
        return [code.co_filename, self._def(code), code.co_name, self._def(code)]

    def _def(self, code: CodeType) -> int:
        return self._defs.get((code.co_filename, code.co_firstlineno), code.co_firstlineno)

    def _read_file(self, name: str) -> None:
        if name not in self._read:
            self._read.add(name)
            for piece, text in cells(name.partition("#")[0]):
                if piece == name:
                    self._index(name, ast.parse(text))

    def _index(self, name: str, tree: ast.AST) -> None:
        # From the outside inwards: of two statements on a line the inner one wins.
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                decorated = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                self._defs[name, decorated] = node.lineno
            if isinstance(node, ast.stmt):
                for line in range(node.lineno, _last_of_head(node) + 1):
                    self._first[name, line] = node.lineno


def _last_of_head(node: ast.stmt) -> int:
    """The last line of a statement, or of what stands before its body."""
    body = getattr(node, "body", None)
    last: int = body[0].lineno - 1 if isinstance(body, list) and body else node.end_lineno or 0
    return max(last, node.lineno)


def distinct(places: Iterable[Place]) -> list[Place]:
    """Places without repetition, in the order in which they came first."""
    return list({tuple(place): place for place in places}.values())
