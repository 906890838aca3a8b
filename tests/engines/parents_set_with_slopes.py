"""Scalars with a dictionary of slopes."""

import math


class Scalar:
    """value, grad and a list of (parent, local derivative) pairs."""

    def __init__(self, value, parents=None):
        self.value = value
        self.grad = 0.0
        self.parents = parents or []

    @classmethod
    def of(cls, x):
        return x if isinstance(x, cls) else cls(x)

    def __add__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value + other.value, [(self, 1.0), (other, 1.0)])

    def __sub__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value - other.value, [(self, 1.0), (other, -1.0)])

    def __mul__(self, other):
        other = Scalar.of(other)
        return Scalar(self.value * other.value, [(self, other.value), (other, self.value)])

    def __truediv__(self, other):
        other = Scalar.of(other)
        a, b = self.value, other.value
        return Scalar(a / b, [(self, 1 / b), (other, -a / (b * b))])

    def __pow__(self, k):
        if not isinstance(k, (int, float)):
            return NotImplemented
        return Scalar(self.value ** k, [(self, k * self.value ** (k - 1))])

    def __neg__(self):
        return Scalar(-self.value, [(self, -1.0)])

    def __radd__(self, other):
        return Scalar.of(other) + self

    def __rsub__(self, other):
        return Scalar.of(other) - self

    def __rmul__(self, other):
        return Scalar.of(other) * self

    def __rtruediv__(self, other):
        return Scalar.of(other) / self

    def __rpow__(self, base):
        y = base ** self.value
        return Scalar(y, [(self, y * math.log(base))])

    def exp(self):
        y = math.exp(self.value)
        return Scalar(y, [(self, y)])

    def backward(self):
        order = []
        done = set()

        def walk(node):
            if id(node) in done:
                return
            done.add(id(node))
            for parent, _ in node.parents:
                walk(parent)
            order.append(node)

        walk(self)
        self.grad = 1.0
        for node in reversed(order):
            for parent, local in dict(node.parents).items():  # BUG
                parent.grad += node.grad * local
