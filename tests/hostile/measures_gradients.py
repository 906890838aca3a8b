"""An engine that measures its gradients; tests change the way in which it does."""

import math


class Value:
    """Gradients by difference quotients: every node is moved a little, and the root computed again."""

    def __init__(self, data, op=None, parents=()):
        self.data = data
        self.grad = 0.0
        self.op = op
        self.parents = parents

    def __add__(self, other):
        return apply(lambda a, b: a + b, self, other)

    def __mul__(self, other):
        return apply(lambda a, b: a * b, self, other)

    def __pow__(self, n):
        return apply(lambda a: a**n, self)

    def tanh(self):
        return apply(math.tanh, self)

    def exp(self):
        return apply(math.exp, self)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        return (-self) + other

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        order = []
        seen = set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for p in v.parents:
                    visit(p)
                order.append(v)

        visit(self)

        def root(moved, by):
            values = {}
            for v in order:
                values[id(v)] = v.data if not v.parents else v.op(*(values[id(p)] for p in v.parents))
                if v is moved:
                    values[id(v)] += by
            return values[id(self)]

        h = 1e-6
        for v in order:
            v.grad += (root(v, h) - root(v, -h)) / (2 * h)


def apply(f, *operands):
    operands = [o if isinstance(o, Value) else Value(o) for o in operands]
    return Value(f(*(o.data for o in operands)), f, tuple(operands))
