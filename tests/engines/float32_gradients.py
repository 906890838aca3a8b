"""Numbers are plain floats; each gradient lies in an array of C floats, which rounds it to seven digits."""

import math
from array import array


class Value:
    def __init__(self, data, parents=(), slopes=()):
        self.data = data
        self.parents = parents
        self.slopes = slopes
        self.kept = array("f", [0.0])

    @property
    def grad(self):
        return self.kept[0]

    @grad.setter
    def grad(self, x):
        self.kept[0] = x

    def __add__(self, other):
        other = value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        return Value(self.data**k, (self,), (k * self.data ** (k - 1),))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __sub__(self, other):
        return self + -value(other)

    def __rsub__(self, other):
        return value(other) + -self

    def __truediv__(self, other):
        return self * value(other) ** -1

    def __rtruediv__(self, other):
        return value(other) * self**-1

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for parent in node.parents:
                    visit(parent)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += node.grad * slope  # BUG


def value(x):
    return x if isinstance(x, Value) else Value(x)
