"""Value with exp and log; topological order by depth-first search."""

import math


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


class Value:
    """A number that remembers where it came from."""

    def __init__(self, data, _children=(), _op=""):
        self.data = float(data)
        self.grad = 0.0
        self._prev = set(_children)
        self._op = _op
        self._backward = lambda: None

    def __add__(self, other):
        other = as_value(other)
        y = Value(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += y.grad
            other.grad += y.grad

        y._backward = _backward
        return y

    def __sub__(self, other):
        other = as_value(other)
        y = Value(self.data - other.data, (self, other), "-")

        def _backward():
            self.grad += y.grad
            other.grad -= y.grad

        y._backward = _backward
        return y

    def __mul__(self, other):
        other = as_value(other)
        y = Value(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * y.grad
            other.grad += self.data * y.grad

        y._backward = _backward
        return y

    def __truediv__(self, other):
        other = as_value(other)
        y = Value(self.data / other.data, (self, other), "/")

        def _backward():
            self.grad += y.grad / other.data
            other.grad -= y.grad * self.data / (other.data * other.data)

        y._backward = _backward
        return y

    def __pow__(self, other):
        other = as_value(other)
        y = Value(self.data ** other.data, (self, other), "**")

        def _backward():
            self.grad += other.data * self.data ** (other.data - 1) * y.grad
            if self.data > 0:
                other.grad += y.data * math.log(self.data) * y.grad

        y._backward = _backward
        return y

    def __neg__(self):
        return 0.0 - self

    def __radd__(self, other):
        return as_value(other) + self

    def __rsub__(self, other):
        return as_value(other) - self

    def __rmul__(self, other):
        return as_value(other) * self

    def __rtruediv__(self, other):
        return as_value(other) / self

    def log(self):
        y = Value(math.log(self.data), (self,), "log")

        def _backward():
            self.grad += y.grad / self.data

        y._backward = _backward
        return y

    def backward(self):
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
        self.grad = 1.0
        for v in topo:  # BUG
            v._backward()
