"""Value: a number that remembers how it was made, and backpropagation over such numbers.

What an op computes, and what the gradient of its result owes to each operand, is a row of `rules`. Here is how
numbers become a graph, and how gradients flow back through it.
"""

from __future__ import annotations

from itertools import count
from numbers import Real
from operator import attrgetter
from typing import Any, Final

from minigrad.ieee import divide
from minigrad.methods import Methods
from minigrad.rows import ROWS
from minigrad.rules import PARAMETRISED, RULES, power_number

# What add, mul, … read is one dictionary look-up away: a row costs a second one, for every node.
FORWARD = {op: rule.forward for op, rule in RULES.items()}
VJPS = {op: rule.vjps for op, rule in RULES.items()}

# The gradient of a Value that no backward has reached: PyTorch's None, as a number. It is told from other
# zeros by identity, because adding to a zero would turn a first contribution of -0.0 into 0.0.
NO_GRAD: Final = float("0")

NUMBER = (float, int, Real)  # the common ones first: `isinstance` stops there

next_number = count().__next__
creation = attrgetter("number")
new_object = object.__new__


class Value(Methods):
    """A float64 scalar in a computation graph, with PyTorch's semantics.

    data    the number
    grad    what `backward()` has added up here: the derivative of its root by this Value; 0.0 at first
    op      the name of the op that made it, as in torch; "" for a leaf
    a, b    that op's operands. One operand: a Value and None. Two: two Values. Ops that take plain numbers
            (the exponent of `x**2`, the slope of leaky_relu) keep those in `b`, as a tuple; ops of three
            operands keep the Values in `a`, as a tuple. dot, sum and fused neurons keep rows of Values in
            both (`rows`).
            See `parents` and `parameters`.
    label   a name for pictures and messages
    number  counts Values in the order of their creation

    A plain number in arithmetic becomes a leaf: every operand is then a Value, and forward and backward have
    one case, not four. Comparison and hash are those of identity. Gradients never refer to nodes, nodes only
    to their operands: no reference cycles, so a graph is freed when its root is dropped.
    """

    __slots__ = ("a", "b", "data", "grad", "label", "number", "op")

    data: float
    grad: float
    op: str
    a: Any
    b: Any
    label: str
    number: int

    def __init__(self, data: float, label: str = "") -> None:
        """A leaf. Raises TypeError when `data` is not a real number."""
        if not isinstance(data, NUMBER):
            raise TypeError(f"Value holds one real number, got {data!r} of type {type(data).__name__}")
        self.data = float(data)
        self.grad = NO_GRAD
        self.op = ""
        self.a = None
        self.b = None
        self.label = label
        self.number = next_number()

    # Backpropagation --------------------------------------------------------------------------------------

    def backward(self, gradient: float = 1.0) -> None:
        """Add the derivatives of this Value to the `grad` of every Value that leads to it, and of itself.

        `gradient` is the derivative of some final result by this Value. Every call adds, as with PyTorch's
        `retain_graph=True` and `retain_grad()` everywhere; data must not have been changed in between. While
        it runs, `grad` holds what this call has gathered so far.

        All there is to it, without the cases that are written out below because time is spent here:

            for node in nodes:
                for operand, vjp in zip(node.parents, the vjps of node.op):
                    operand.grad += vjp(node.grad, node.data, *the operands' data)
        """
        nodes, earlier = self._reach()
        # Newest first, so that a node's gradient is complete before it is passed on. This is PyTorch's order
        # too: of the nodes that are ready it takes the one created last.
        nodes.sort(key=creation, reverse=True)
        self.grad = float(gradient)
        for node in nodes:
            op, g = node.op, node.grad
            a, b = node.a, node.b
            if op == "add":  # of add and mul most graphs consist: their rules, in line
                a.grad += g
                b.grad += g
            elif op == "mul":
                a.grad += g * b.data
                b.grad += g * a.data
            elif a is None:  # a leaf
                continue
            elif b is None:  # one operand
                (vjp,) = VJPS[op]
                a.grad += vjp(g, node.data, a.data)
            elif type(b) is not tuple:  # two operands
                vjp_a, vjp_b = VJPS[op]
                x, z = a.data, b.data
                a.grad += vjp_a(g, node.data, x, z)
                b.grad += vjp_b(g, node.data, x, z)
            elif op in ROWS:  # dot, sum and fused neurons
                ROWS[op][len(a) + len(b)].push(g, node.data, a, b)
            else:  # plain numbers besides, or three operands
                operands = node.parents
                data = [operand.data for operand in operands]
                for operand, vjp in zip(operands, PARAMETRISED[op].vjps, strict=True):
                    operand.grad += vjp(g, node.data, *data, *b)

        for node, grad in earlier:
            if grad is not None:
                node.grad = grad + node.grad

    def _reach(self) -> tuple[list[Value], list[tuple[Value, float]]]:
        """Every Value that leads here, once, its grad now -0.0; and the grads of those that had one.

        -0.0 is the zero that leaves every number as it is, a contribution of -0.0 too. It is a new object in
        every call, so it also marks the Values that this call has seen.
        """
        zero = float("-0")
        nodes: list[Value] = []
        earlier: list[tuple[Value, float]] = []
        rows = set()  # the rows of Values that were looked through: many nodes share one
        todo = [self]
        # `while todo` would be slow on a first graph: Python 3.11 adapts to such a loop at the eighth call.
        while True:
            if not todo:
                return nodes, earlier
            node = todo.pop()
            if node.grad is zero:
                continue
            if node.grad is not NO_GRAD:
                earlier.append((node, node.grad))
            node.grad = zero
            nodes.append(node)
            a, b = node.a, node.b
            if b is None:
                if a is not None:
                    todo.append(a)
            elif type(b) is not tuple:
                if a.grad is not zero:
                    todo.append(a)
                if b.grad is not zero:
                    todo.append(b)
            elif node.op not in ROWS:
                todo.extend(node.parents)
            else:
                for row in (a, b):
                    if id(row) not in rows:
                        rows.add(id(row))
                        todo.extend(row)
        return nodes, earlier

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands, in order; `x * x` has x twice. Empty for a leaf."""
        a, b = self.a, self.b
        if a is None:
            return ()
        if type(a) is tuple:
            return a + b if self.op in ROWS else a
        return (a,) if b is None or type(b) is tuple else (a, b)

    @property
    def parameters(self) -> dict[str, Any]:
        """The plain numbers (and words) that the op was given, by torch's names: `{"exponent": 2.0}`."""
        if type(self.b) is not tuple or self.op in ROWS:
            return {}
        return dict(zip(PARAMETRISED[self.op].parameters, self.b, strict=True))

    def draw(self, rankdir: str = "LR", **options: Any) -> Any:
        """Everything that leads here, as a `graphviz.Digraph` that shows itself in a notebook: `minigrad.draw`."""
        from minigrad.draw import draw

        return draw(self, rankdir, **options)

    # Arithmetic -------------------------------------------------------------------------------------------

    def __add__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else constant(other)
        return new_node(self.data + b.data, "add", self, b) if b is not None else NotImplemented

    def __sub__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else constant(other)
        return new_node(self.data - b.data, "sub", self, b) if b is not None else NotImplemented

    def __mul__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else constant(other)
        return new_node(self.data * b.data, "mul", self, b) if b is not None else NotImplemented

    def __truediv__(self, other: Value | float) -> Value:
        b = other if isinstance(other, Value) else constant(other)
        return new_node(divide(self.data, b.data), "div", self, b) if b is not None else NotImplemented

    def __mod__(self, other: Value | float) -> Value:
        return self._binary("remainder", other) if isinstance(other, (Value, *NUMBER)) else NotImplemented

    def __pow__(self, other: Value | float) -> Value:
        """Two rules, as in PyTorch: a plain exponent is multiplied out where it is small, a Value never."""
        if isinstance(other, NUMBER):
            exponent = float(other)
            return new_node(power_number(self.data, exponent), "pow", self, (exponent,))
        return self._binary("pow", other) if isinstance(other, Value) else NotImplemented

    def __radd__(self, other: float) -> Value:
        first = constant(other)
        return first + self if first is not None else NotImplemented

    def __rsub__(self, other: float) -> Value:
        first = constant(other)
        return first - self if first is not None else NotImplemented

    def __rmul__(self, other: float) -> Value:
        first = constant(other)
        return first * self if first is not None else NotImplemented

    def __rtruediv__(self, other: float) -> Value:
        """As in torch.Tensor, `number / x` is `x.reciprocal() * number`: two nodes, rounded twice."""
        return self.reciprocal() * other if isinstance(other, NUMBER) else NotImplemented

    def __rmod__(self, other: float) -> Value:
        first = constant(other)
        return first % self if first is not None else NotImplemented

    def __rpow__(self, other: float) -> Value:
        first = constant(other)
        return first**self if first is not None else NotImplemented

    def __neg__(self) -> Value:
        return new_node(-self.data, "neg", self, None)

    def __pos__(self) -> Value:
        return self

    def __abs__(self) -> Value:
        return self._unary("abs")

    def __repr__(self) -> str:
        name = f", label={self.label!r}" if self.label else ""
        made_by = f", op={self.op!r}" if self.op else ""
        return f"Value(data={self.data}, grad={self.grad}{name}{made_by})"

    # How `Methods` makes nodes ----------------------------------------------------------------------------

    def _unary(self, op: str) -> Value:
        return new_node(FORWARD[op](self.data), op, self, None)

    def _binary(self, op: str, other: Value | float) -> Value:
        b = as_value(other, op)
        return new_node(FORWARD[op](self.data, b.data), op, self, b)

    def _parametrised(self, op: str, *parameters: float | str | None) -> Value:
        plain = plain_numbers(op, parameters)
        return new_node(PARAMETRISED[op].forward(self.data, *plain), op, self, plain)

    def _ternary(self, op: str, b: Value | float, c: Value | float, *parameters: float) -> Value:
        operands = self, as_value(b, op), as_value(c, op)
        plain = plain_numbers(op, parameters)
        data = PARAMETRISED[op].forward(*[operand.data for operand in operands], *plain)
        return new_node(data, op, operands, plain)


def new_node(data: float, op: str, a: Any, b: Any) -> Value:
    """The result of an op. Written out, not through `Value(…)`: this is where forward spends its time."""
    out = new_object(Value)
    out.data = data
    out.grad = NO_GRAD
    out.op = op
    out.a = a
    out.b = b
    out.label = ""
    out.number = next_number()
    return out


def constant(x: object) -> Value | None:
    """A number in arithmetic as a leaf; None for anything else."""
    return Value(float(x)) if isinstance(x, NUMBER) else None


def as_value(x: Value | float, op: str) -> Value:
    """An operand of `op` as a Value. Raises TypeError when it is neither Value nor number."""
    if isinstance(x, Value):
        return x
    leaf = constant(x)
    if leaf is None:
        raise TypeError(f"{op} takes Values and numbers, got {x!r} of type {type(x).__name__}")
    return leaf


def plain_numbers(op: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    """An op's parameters as floats; gelu's word and a missing bound of clamp as they are.

    Raises TypeError for anything else.
    """
    for name, x in zip(PARAMETRISED[op].parameters, parameters, strict=True):
        if not (isinstance(x, NUMBER) or (x is None and op == "clamp") or name == "approximate"):
            raise TypeError(f"{op}: {name} is a plain number, got {x!r} of type {type(x).__name__}")
    return tuple(float(x) if isinstance(x, NUMBER) else x for x in parameters)
