"""Scalars; released when complete."""

import math
from collections import deque


class Scalar:
    def __init__(self, value, parents=(), op=""):
        self.value = value
        self.gradient = 0.0
        self.parents = tuple(parents)
        self.op = op
        self.rule = None

    def _lift(self, x):
        return x if isinstance(x, Scalar) else Scalar(x)

    def __add__(self, other):
        other = self._lift(other)
        z = Scalar(self.value + other.value, (self, other), "+")
        z.rule = lambda g: (g, g)
        return z

    def __sub__(self, other):
        other = self._lift(other)
        z = Scalar(self.value - other.value, (self, other), "-")
        z.rule = lambda g: (g, -g)
        return z

    def __mul__(self, other):
        other = self._lift(other)
        z = Scalar(self.value * other.value, (self, other), "*")
        z.rule = lambda g: (g * other.value, g * self.value)
        return z

    def __truediv__(self, other):
        other = self._lift(other)
        z = Scalar(self.value / other.value, (self, other), "/")
        z.rule = lambda g: (g / other.value, -g * z.value / other.value)
        return z

    def __pow__(self, n):
        z = Scalar(self.value ** n, (self,), f"**{n}")
        z.rule = lambda g: (g * n * self.value ** (n - 1),)
        return z

    def __neg__(self):
        z = Scalar(-self.value, (self,), "neg")
        z.rule = lambda g: (-g,)
        return z

    def __radd__(self, x):
        return self._lift(x) + self

    def __rsub__(self, x):
        return self._lift(x) - self

    def __rtruediv__(self, x):
        return self._lift(x) / self

    def tanh(self):
        z = Scalar(math.tanh(self.value), (self,), "tanh")
        z.rule = lambda g: (g * (1 - z.value * z.value),)
        return z

    def backward(self):
        waiting = {}
        found = [self]
        known = {id(self)}
        for node in found:
            for p in node.parents:
                waiting[id(p)] = waiting.get(id(p), 0) + 1
                if id(p) not in known:
                    known.add(id(p))
                    found.append(p)
        self.gradient = 1.0
        ready = deque([self])
        while ready:
            node = ready.popleft()
            if node.rule is None:
                continue
            for p, g in zip(node.parents, node.rule(node.gradient)):
                p.gradient += g
                waiting[id(p)] -= 1
                if waiting[id(p)] == 0:
                    ready.append(p)
