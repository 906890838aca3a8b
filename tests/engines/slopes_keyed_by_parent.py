"""Slopes looked up by parent."""

import math


class Var:
    def __init__(self, data, parents=(), slopes=None):
        self.data = data
        self.grad = 0.0
        self.parents = parents
        self.slopes = slopes

    def __add__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = other if isinstance(other, Var) else Var(other)
        return Var(self.data / other.data, (self, other), (1 / other.data, -self.data / other.data**2))

    def __pow__(self, n):
        return Var(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __neg__(self):
        return Var(-self.data, (self,), (-1.0,))

    def __radd__(self, other):
        return Var(other) + self

    def __rsub__(self, other):
        return Var(other) - self

    def __rmul__(self, other):
        return Var(other) * self

    def __rtruediv__(self, other):
        return Var(other) / self

    def log(self):
        return Var(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Var(math.exp(self.data), (self,), (math.exp(self.data),))

    def backward(self):
        topo, seen = [], set()

        def visit(v):
            if v in seen:
                return
            seen.add(v)
            for p in v.parents:
                visit(p)
            topo.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(topo):
            slope = dict(zip(v.parents, v.slopes or ()))  # BUG
            for p in v.parents:
                p.grad += slope[p] * v.grad
