"""Only nodes that ask for a gradient get one."""

import math


class Tensor:
    def __init__(self, data, requires_grad=False, _edges=()):
        self.data = data
        self.requires_grad = requires_grad
        self.grad = 0.0 if requires_grad else None
        self._edges = [(n, s) for n, s in _edges if n.requires_grad]

    @staticmethod
    def _wrap(x):
        return x if isinstance(x, Tensor) else Tensor(x)

    @staticmethod
    def _make(data, *edges):
        return Tensor(data, any(n.requires_grad for n, _ in edges), edges)

    def __add__(self, other):
        other = self._wrap(other)
        return self._make(self.data + other.data, (self, 1.0), (other, 1.0))

    def __sub__(self, other):
        other = self._wrap(other)
        return self._make(self.data - other.data, (self, 1.0), (other, -1.0))

    def __mul__(self, other):
        other = self._wrap(other)
        return self._make(self.data * other.data, (self, other.data), (other, self.data))

    def __truediv__(self, other):
        other = self._wrap(other)
        return self._make(self.data / other.data, (self, 1 / other.data), (other, -self.data / other.data ** 2))

    def __pow__(self, k):
        return self._make(self.data ** k, (self, k * self.data ** (k - 1)))

    def __neg__(self):
        return self._make(-self.data, (self, -1.0))

    def __radd__(self, other):
        return self._wrap(other) + self

    def __rsub__(self, other):
        return self._wrap(other) - self

    def __rmul__(self, other):
        return self._wrap(other) * self

    def __rtruediv__(self, other):
        return self._wrap(other) / self

    def tanh(self):
        t = math.tanh(self.data)
        return self._make(t, (self, 1 - t * t))

    def relu(self):
        return self._make(max(self.data, 0.0), (self, 1.0 if self.data > 0 else 0.0))

    def backward(self):
        if not self.requires_grad:
            raise RuntimeError("this node does not require a gradient")
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for n, _ in node._edges:
                    visit(n)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for n, slope in node._edges:
                n.grad += slope * node.grad
