"""Programs as tensors: one column for every property of a node, and nodes sorted into kinds.

Nodes of one kind are done by one call of PyTorch. Several programs share columns, whose places are: 0, no value at
all; the inputs of all programs; their plain numbers; the values of their nodes, oldest first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, TypeVar

from oracle.program import Program
from oracle.torch_reference.module import torch
from oracle.vocabulary import VOCABULARY

OPS = tuple(VOCABULARY)
CODES = {op: code for code, op in enumerate(OPS)}
ARITIES = [VOCABULARY[op].arity for op in OPS]

NONE = 0
"""The place of an operand that is absent, or fixed for all nodes of a kind."""

Tensor = Any
Numbers = TypeVar("Numbers", "array[float]", "list[float | None]")
Parameters = tuple[tuple[str, Any], ...]


class Kind(NamedTuple):
    """What the nodes of one call have in common.

    fixed  (slot, number) of a plain number on which PyTorch's formula depends: an exponent, a base, a dividend
    """

    op: str
    parameters: Parameters
    fixed: tuple[int, float] | None

    @property
    def slots(self) -> list[int]:
        """The operands that are columns."""
        return [
            slot for slot in range(VOCABULARY[self.op].arity) if self.fixed is None or slot != self.fixed[0]
        ]

    def apply(self, columns: Sequence[Tensor]) -> Tensor:
        """The op, given a column for each of `slots`."""
        operands: list[Any] = list(columns)
        if self.fixed is not None:
            operands.insert(*self.fixed)
        return VOCABULARY[self.op].torch(torch(), *operands, **dict(self.parameters))


class Group(NamedTuple):
    """Nodes that are done together: their kind, their rank, and where they are in the sorted columns."""

    kind: Kind
    rank: int
    nodes: slice


@dataclass(frozen=True)
class Columns:
    """The columns of some programs that have n nodes together.

    first     the place of the first node's value
    made      (n) the place of a node's value
    operands  per slot (n): the place of the operand, or NONE
    kind      (n) index into kinds
    """

    programs: tuple[Program, ...]
    first: int
    made: Tensor
    operands: tuple[Tensor, Tensor]
    kind: Tensor
    kinds: tuple[Kind, ...]

    @property
    def size(self) -> int:
        """Number of places."""
        return self.first + len(self.made)

    @property
    def spans(self) -> list[tuple[slice, slice]]:
        """The places of every program's inputs, and of its nodes' values."""
        inputs = accumulate((len(p.inputs) for p in self.programs), initial=1)
        nodes = accumulate((len(p.codes) for p in self.programs), initial=self.first)
        return [(slice(*i), slice(*n)) for i, n in zip(pairwise(inputs), pairwise(nodes), strict=True)]

    @property
    def roots(self) -> list[int]:
        """The place of every program's root."""
        return [
            (inputs.start if p.root < len(p.inputs) else nodes.start - len(p.inputs)) + p.root
            for p, (inputs, nodes) in zip(self.programs, self.spans, strict=True)
        ]

    def newest_first(self) -> Tensor:
        """Where in these columns the nodes are, the one made last first."""
        t = torch()
        n = len(self.made)
        return t.empty(n, dtype=t.int64).scatter_(0, self.size - 1 - self.made, t.arange(n))

    def all_live(self) -> bool:
        """Whether nothing but roots is without a consumer, so that everything leads to a root."""
        used = torch().zeros(self.size, dtype=torch().bool)
        for column in self.operands:
            used.index_fill_(0, column, True)
        used[[NONE, *self.roots]] = True
        return bool(used.all())

    def data(self) -> Tensor:
        """The data at every place before anything is computed: nan at those of nodes."""
        data = torch().full((self.size,), float("nan"), dtype=torch().float64)
        data[1 : self.first] = tensor(
            "d", *(p.inputs for p in self.programs), *(p.numbers for p in self.programs)
        )
        return data

    def fill(self, column: Tensor, rows: Iterable[Sequence[float]]) -> Tensor:
        """The column with these numbers in it, one for every value of each program."""
        for row, (inputs, nodes) in zip(rows, self.spans, strict=True):
            numbers = tensor("d", row)
            column[inputs] = numbers[: inputs.stop - inputs.start]
            column[nodes] = numbers[inputs.stop - inputs.start :]
        return column

    def split(self, column: Numbers) -> list[Numbers]:
        """What a column has at the values of each program, in that program's order."""
        return [column[inputs] + column[nodes] for inputs, nodes in self.spans]

    def sorted_by(self, rank: Tensor | None = None) -> tuple[Columns, list[Group]]:
        """The columns with the nodes of a group next to each other, and the groups in order of rank.

        rank  (n) nodes of different rank are not done together; None: only the kind counts
        """
        t = torch()
        kinds = len(self.kinds)
        key = self.kind if rank is None else rank * kinds + self.kind
        counts = t.bincount(key)
        order = stable_order(key, len(counts))
        found = counts.nonzero().flatten()
        ends = accumulate(counts[found].tolist(), initial=0)
        groups = [
            Group(self.kinds[k % kinds], k // kinds, slice(*span))
            for k, span in zip(found.tolist(), pairwise(ends), strict=True)
        ]
        made, kind, a, b = (
            column.index_select(0, order) for column in (self.made, self.kind, *self.operands)
        )
        return replace(self, made=made, kind=kind, operands=(a, b)), groups

    def gather(self, group: Group, data: Tensor) -> list[Tensor]:
        """A column for each slot of a group, given the data at every place; leaves for autograd.

        Columns of functions are strided: PyTorch then takes its formula for single numbers, which gives a zero
        another sign than the one for vectors (softshrink, 2.13).
        """
        columns = [data.index_select(0, self.operands[slot][group.nodes]) for slot in group.kind.slots]
        if not VOCABULARY[group.kind.op].operator:
            columns = [column.repeat_interleave(2)[::2] for column in columns]
        return [column.requires_grad_() for column in columns]


def columns(programs: Sequence[Program], formulas: bool = True) -> Columns:
    """The columns of these programs.

    formulas  whether a plain number may choose PyTorch's formula, as in a user's program; else it is an operand like
              others, as for `local`
    """
    t = torch()
    nodes, leaves, numbers = (
        tensor("q", [*map(len, held)])
        for held in zip(*((p.codes, p.inputs, p.numbers) for p in programs), strict=True)
    )
    first = 1 + int(leaves.sum() + numbers.sum())

    def each(column: Tensor) -> Tensor | int:
        """A property of programs as one of nodes."""
        return column.repeat_interleave(nodes) if len(programs) > 1 else int(column[0])

    def before(counts: Tensor) -> Tensor:
        """How many there are in the programs before."""
        return counts.cumsum(0) - counts

    own = each(leaves)  # an operand below this is an input
    input_shift, node_shift = each(1 + before(leaves)), each(first + before(nodes) - leaves)
    number_shift = each(1 + leaves.sum() + before(numbers))
    names = tensor("q", [CODES[name] for p in programs for name in p.names])
    known = each(before(tensor("q", [len(p.names) for p in programs])))
    code = names.index_select(0, tensor("H", *(p.codes for p in programs)) + known)
    arity = tensor("q", ARITIES).index_select(0, code)
    written = tensor("q", *(p.operands for p in programs))
    begins = arity.cumsum(0) - arity

    def places(operand: Tensor) -> Tensor:
        value = operand + t.where(operand < own, input_shift, node_shift)
        return t.where(operand >= 0, value, number_shift + ~operand)

    a = places(written.index_select(0, begins))
    b = t.where(arity == 2, places(written.index_select(0, begins + arity - 1)), NONE)
    made = t.arange(first, first + len(code))
    laid = Columns(tuple(programs), first, made, (a, b), code, ())
    return _sorted_into_kinds(laid, 1 + int(leaves.sum()) if formulas else first)


def tensor(code: str, *columns: Sequence[Any]) -> Tensor:
    """A tensor of numbers, columns end to end. Codes are those of `array`, a single array of which is not copied:
    "d" for float64, "q" and "H" for whole numbers."""
    t = torch()
    held = columns[0] if len(columns) == 1 else array(code)
    if not isinstance(held, array):
        held = array(code, held)
    for column in columns if len(columns) > 1 else ():
        held.extend(column)
    dtype = {"d": t.float64, "q": t.int64, "H": t.int16}[code]
    found = t.frombuffer(held, dtype=dtype) if held else t.empty(0, dtype=dtype)
    return found.long() if code == "H" else found


def numbers(column: Tensor) -> array[float]:
    """A column of float64 as an array."""
    held = array("d", bytes(8 * len(column)))
    tensor("d", held).copy_(column)
    return held


def stable_order(key: Tensor, count: int) -> Tensor:
    """The order that sorts keys from 0 to count - 1, equal ones as they stand. Short integers are sorted faster."""
    t = torch()
    return t.sort(key.to(t.int16 if count < 2**15 else t.int32), stable=True)[1]


# Kinds ---------------------------------------------------------------------------------------------------------

FORMULA_DEPENDS = (("pow", 0), ("pow", 1), ("div", 0))
"""Operands that PyTorch looks at, when they are plain numbers, to choose a formula: the exponents 2, 3, 0.5, … have
their own, and `number / x` is `x.reciprocal() * number`."""


def _sorted_into_kinds(laid: Columns, numbers: int) -> Columns:
    """The columns with their kinds; laid.kind holds op codes. Plain numbers that may choose a formula have places
    from `numbers` on."""
    t = torch()
    parameters, which_parameters = _parameters(laid.programs)
    operands, fixed, which_fixed = _fixed(laid, numbers)
    key = (laid.kind * len(parameters) + which_parameters) * len(fixed) + which_fixed
    if len(fixed) < 100:  # few keys: counted, not sorted
        there = t.bincount(key) > 0
        keys = there.nonzero().flatten()
        kind = (t.cumsum(there, 0) - 1).index_select(0, key)
    else:
        keys, kind = t.unique(key, return_inverse=True)
    kinds = []
    for number in keys.tolist():
        number, f = divmod(number, len(fixed))
        op, p = divmod(number, len(parameters))
        kinds.append(Kind(OPS[op], parameters[p], fixed[f]))
    return replace(laid, operands=operands, kind=kind, kinds=tuple(kinds))


def _parameters(programs: Sequence[Program]) -> tuple[list[Parameters], Tensor]:
    """Every set of parameters that occurs, the empty one first, and which of them a node has."""
    known: dict[Parameters, int] = {(): 0}
    nodes, which = [], []
    first = 0
    for program in programs:
        for k, items in program.parameters:
            nodes.append(first + k)
            which.append(known.setdefault(items, len(known)))
        first += len(program.codes)
    column = torch().zeros(first, dtype=torch().int64)
    column[tensor("q", nodes)] = tensor("q", which)
    return list(known), column


def _fixed(
    laid: Columns, numbers: int
) -> tuple[tuple[Tensor, Tensor], list[tuple[int, float] | None], Tensor]:
    """The operands without those that are fixed for a kind; all that are, None first; which of them a node has."""
    t = torch()
    fixed: list[tuple[int, float] | None] = [None]
    which = t.zeros(len(laid.kind), dtype=t.int64)
    if numbers == laid.first:
        return laid.operands, fixed, which
    data = laid.data()
    operands = []
    for slot, column in enumerate(laid.operands):
        ops = t.tensor([CODES[op] for op, s in FORMULA_DEPENDS if s == slot])
        is_number = (column >= numbers) & (column < laid.first)
        nodes = (is_number & t.isin(laid.kind, ops)).nonzero().flatten() if is_number.any() else t.arange(0)
        bits = data[column[nodes]].view(t.int64)  # told apart by their bits: -0.0 is not 0.0
        found, index = t.unique(bits, return_inverse=True)
        which[nodes] = index + len(fixed)
        fixed += [(slot, x) for x in found.view(t.float64).tolist()]
        operands.append(column.index_fill(0, nodes, NONE))
    return (operands[0], operands[1]), fixed, which
