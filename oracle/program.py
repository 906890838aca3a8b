"""Programs: computations as data, in single-assignment form, with their JSON spelling.

A program is a list of *values*: its inputs first, then one value for every node. Nodes are kept as flat
columns of machine numbers (op codes, operand codes, offsets), which become tensors without being copied. An
operand code `i >= 0` is the index of an earlier value; `i < 0` is the plain number `numbers[~i]`, which is handed
to the engine as it is and is not a value of the program.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from oracle.floats import from_hex, to_hex

Number = int | float


class ProgramError(ValueError):
    """A program that does not hang together; the message starts with the path of the bad field."""


class Node(NamedTuple):
    """One op of a program: its vocabulary name, its operand codes and its parameters."""

    op: str
    operands: tuple[int, ...]
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Program:
    """An immutable computation with one root.

    inputs       data of the leaves, float64 ("d")
    names        vocabulary names of the ops that occur, in order of appearance
    codes        which of them every node is ("H")
    operands     operand codes of all nodes, end to end ("q")
    starts       node k owns operands[starts[k]:starts[k + 1]]; one entry more than there are nodes ("q")
    numbers      plain numbers that operand codes below zero refer to; int and float stay what they are
    root         index of the value that backward starts from
    parameters   (node, {name: number}) for the few nodes that have any, e.g. leaky_relu's negative_slope
    labels       (value, name) for the values that were given a name
    """

    inputs: array[float]
    names: tuple[str, ...]
    codes: array[int]
    operands: array[int]
    starts: array[int]
    numbers: tuple[Number, ...]
    root: int
    parameters: tuple[tuple[int, tuple[tuple[str, float], ...]], ...] = ()
    labels: tuple[tuple[int, str], ...] = ()

    @classmethod
    def build(
        cls,
        inputs: Iterable[float],
        nodes: Iterable[Sequence[Any]],
        root: int | None = None,
        labels: Mapping[int, str] | None = None,
    ) -> Program:
        """Make a program from rows `(op, operands[, parameters])`, the columns' readable twin.

        An operand is the index of an earlier value, or `Num(x)` for a plain number. `root` defaults to the
        last value. Raises ProgramError with the path of the first bad field.
        """
        leaves = array("d", inputs)
        names: dict[str, int] = {}
        codes, operands, starts = array("H"), array("q"), array("q", [0])
        numbers: list[Number] = []
        parameters: list[tuple[int, tuple[tuple[str, float], ...]]] = []
        for k, (op, args, *rest) in enumerate(nodes):
            here = len(leaves) + k
            for slot, arg in enumerate(args):
                if isinstance(arg, Num):
                    operands.append(~len(numbers))
                    numbers.append(arg.x)
                elif not isinstance(arg, int) or isinstance(arg, bool) or not 0 <= arg < here:
                    raise ProgramError(
                        f"nodes[{k}][1][{slot}]: operand {arg!r} must be the index of an earlier value, "
                        f"0 to {here - 1}"
                    )
                else:
                    operands.append(arg)
            codes.append(names.setdefault(op, len(names)))
            starts.append(len(operands))
            if rest and rest[0]:
                parameters.append((k, tuple(sorted(rest[0].items()))))
        size = len(leaves) + len(codes)
        if size == 0:
            raise ProgramError("inputs: a program needs at least one value")
        if root is None:
            root = size - 1
        if not isinstance(root, int) or isinstance(root, bool) or not 0 <= root < size:
            raise ProgramError(f"root: {root!r} must be the index of a value, 0 to {size - 1}")
        return cls(
            leaves,
            tuple(names),
            codes,
            operands,
            starts,
            tuple(numbers),
            root,
            tuple(parameters),
            tuple(sorted((labels or {}).items())),
        )

    def __len__(self) -> int:
        """Number of values: inputs and nodes."""
        return len(self.inputs) + len(self.codes)

    def __hash__(self) -> int:
        return hash(
            (self.names, self.codes.tobytes(), self.operands.tobytes(), self.root)
        )  # 0.0 is -0.0 to ==

    @cached_property
    def ops(self) -> tuple[str, ...]:
        """The vocabulary name of every node."""
        return tuple(map(self.names.__getitem__, self.codes))

    @cached_property
    def _parameters(self) -> dict[int, dict[str, float]]:
        return {k: dict(items) for k, items in self.parameters}

    @cached_property
    def _labels(self) -> dict[int, str]:
        return dict(self.labels)

    def node(self, k: int) -> Node:
        """Node number k (not value index: value `len(inputs) + k`)."""
        return Node(
            self.names[self.codes[k]],
            tuple(self.operands[self.starts[k] : self.starts[k + 1]]),
            self._parameters.get(k, {}),
        )

    def nodes(self) -> Iterator[tuple[int, Node]]:
        """Every node with the index of its value, in order."""
        first = len(self.inputs)
        return ((first + k, self.node(k)) for k in range(len(self.codes)))

    def producer(self, value: int) -> Node | None:
        """The node that makes a value, or None for an input."""
        k = value - len(self.inputs)
        return self.node(k) if k >= 0 else None

    def operand_data(self, node: Node, data: Sequence[float]) -> tuple[float, ...]:
        """The numbers that a node's op is applied to, given the data of every value."""
        return tuple(data[i] if i >= 0 else float(self.numbers[~i]) for i in node.operands)

    def form(self, node: Node) -> str:
        """How the operands are given, e.g. "value-value", "value-int", "float-value"; "value" for unary."""
        if min(node.operands) >= 0:
            return "-".join(["value"] * len(node.operands))
        return "-".join(
            "value" if i >= 0 else "int" if isinstance(self.numbers[~i], int) else "float"
            for i in node.operands
        )

    def without_numbers(self) -> Program:
        """The same with every plain number made an input of its own, after those that there are."""
        first, more = len(self.inputs), len(self.numbers)

        def operand(i: int) -> int:
            return first + ~i if i < 0 else i if i < first else i + more

        return Program.build(
            (*self.inputs, *map(float, self.numbers)),
            [(node.op, [operand(i) for i in node.operands], node.parameters) for _, node in self.nodes()],
            operand(self.root),
            {operand(i): label for i, label in self.labels},
        )

    def reaches(self, root: int | None = None) -> list[bool]:
        """For every value, whether it leads to the root (the root itself included)."""
        live = [False] * len(self)
        live[self.root if root is None else root] = True
        first = len(self.inputs)
        for k in range(len(self.codes) - 1, -1, -1):
            if live[first + k]:
                for i in self.operands[self.starts[k] : self.starts[k + 1]]:
                    if i >= 0:
                        live[i] = True
        return live

    def name(self, value: int) -> str:
        """The label of a value; without one a, b, c, … for inputs and v0, v1, … for nodes."""
        given = self._labels.get(value)
        if given:
            return given
        first = len(self.inputs)
        if value >= first:
            return f"v{value - first}"
        return "abcdefghijklmnopqrstuw"[value] if first <= 22 else f"x{value}"

    # JSON ------------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """The program as plain JSON data, floats as C99 hex strings (design: the protocol)."""
        out: dict[str, Any] = {
            "inputs": [to_hex(x) for x in self.inputs],
            "nodes": [
                [node.op, [i if i >= 0 else self._number_json(~i) for i in node.operands]]
                + ([{name: to_hex(x) for name, x in node.parameters.items()}] if node.parameters else [])
                for _, node in self.nodes()
            ],
            "root": self.root,
        }
        if self.labels:
            out["labels"] = {str(value): name for value, name in self.labels}
        return out

    def _number_json(self, k: int) -> Any:
        x = self.numbers[k]
        return {"int": x} if isinstance(x, int) else {"num": to_hex(x)}

    @classmethod
    def from_json(cls, data: Any) -> Program:
        """Read `to_json`'s data. Raises ProgramError; its message begins with the path of the bad field."""
        if not isinstance(data, dict):
            raise ProgramError(f"program: expected an object, found {_kind(data)}")
        inputs = [_read_float(x, f"inputs[{i}]") for i, x in enumerate(_read(data, "inputs", list, "a list"))]
        nodes = []
        for k, row in enumerate(_read(data, "nodes", list, "a list")):
            at = f"nodes[{k}]"
            if not isinstance(row, list) or not 2 <= len(row) <= 3:
                raise ProgramError(f"{at}: expected [op, operands] or [op, operands, parameters]")
            if not isinstance(row[0], str) or not row[0]:
                raise ProgramError(f"{at}[0]: expected the name of an op, found {_kind(row[0])}")
            if not isinstance(row[1], list) or not row[1]:
                raise ProgramError(f"{at}[1]: expected a list of operands, found {_kind(row[1])}")
            args = [_read_operand(x, f"{at}[1][{slot}]") for slot, x in enumerate(row[1])]
            parameters = {}
            if len(row) == 3:
                if not isinstance(row[2], dict):
                    raise ProgramError(f"{at}[2]: expected an object of parameters, found {_kind(row[2])}")
                parameters = {name: _read_float(x, f"{at}[2].{name}") for name, x in row[2].items()}
            nodes.append((row[0], args, parameters))
        labels = {}
        given = data.get("labels", {})
        if not isinstance(given, dict):
            raise ProgramError(f"labels: expected an object of names, found {_kind(given)}")
        for key, name in given.items():
            if not key.isdecimal() or int(key) >= len(inputs) + len(nodes) or not isinstance(name, str):
                raise ProgramError(f"labels.{key}: expected the index of a value and a string")
            labels[int(key)] = name
        root = _read(data, "root", int, "the index of a value")
        return cls.build(inputs, nodes, root, labels)


class Num(NamedTuple):
    """A plain number as an operand, told apart from the index of a value."""

    x: Number


def _kind(x: Any) -> str:
    return "null" if x is None else f"{type(x).__name__} {str(x)[:40]!r}"


def _read(data: dict[str, Any], field: str, kind: type, words: str) -> Any:
    if field not in data:
        raise ProgramError(f"{field}: missing; expected {words}")
    if not isinstance(data[field], kind):
        raise ProgramError(f"{field}: expected {words}, found {_kind(data[field])}")
    return data[field]


def _read_float(x: Any, path: str) -> float:
    try:
        return from_hex(x)
    except ValueError as problem:
        raise ProgramError(f"{path}: {problem}") from None


def _read_operand(x: Any, path: str) -> int | Num:
    if isinstance(x, int) and not isinstance(x, bool):
        return x
    if isinstance(x, dict) and len(x) == 1:
        if "num" in x:
            return Num(_read_float(x["num"], f"{path}.num"))
        if "int" in x and isinstance(x["int"], int) and not isinstance(x["int"], bool):
            return Num(x["int"])
    raise ProgramError(
        f'{path}: expected the index of a value, {{"num": hex float}} or {{"int": n}}, found {_kind(x)}'
    )
