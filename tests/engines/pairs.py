"""Scalars with a list of (parent, local derivative) pairs."""

import math


class Scalar:
    """value, grad and a list of (parent, local derivative) pairs."""

    def __init__(self, value, parents=None):
        self.value = value
        self.grad = 0.0
        self.parents = parents or []

    def __repr__(self):
        return f"Scalar({self.value:.6g})"

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

    def __abs__(self):
        sign = (self.value > 0) - (self.value < 0)
        return Scalar(abs(self.value), [(self, float(sign))])

    def exp(self):
        y = math.exp(self.value)
        return Scalar(y, [(self, y)])

    def log(self):
        return Scalar(math.log(self.value), [(self, 1 / self.value)])

    def sqrt(self):
        r = math.sqrt(self.value)
        return Scalar(r, [(self, 0.5 / r)])

    def sin(self):
        return Scalar(math.sin(self.value), [(self, math.cos(self.value))])

    def cos(self):
        return Scalar(math.cos(self.value), [(self, -math.sin(self.value))])

    def tanh(self):
        t = math.tanh(self.value)
        return Scalar(t, [(self, 1 - t * t)])

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.value))
        return Scalar(s, [(self, s * (1 - s))])

    def relu(self):
        on = self.value > 0
        return Scalar(self.value if on else 0.0, [(self, 1.0 if on else 0.0)])

    def maximum(self, other):
        other = Scalar.of(other)
        if self.value == other.value:
            return Scalar(self.value, [(self, 0.5), (other, 0.5)])
        left = self.value > other.value
        return Scalar(self.value if left else other.value, [(self, float(left)), (other, float(not left))])

    def minimum(self, other):
        other = Scalar.of(other)
        if self.value == other.value:
            return Scalar(self.value, [(self, 0.5), (other, 0.5)])
        left = self.value < other.value
        return Scalar(self.value if left else other.value, [(self, float(left)), (other, float(not left))])

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
            for parent, local in node.parents:
                parent.grad += node.grad * local
