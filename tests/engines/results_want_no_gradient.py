"""Numbers that want a gradient are marked; what an op makes of them is not, so it passes nothing on."""

import math


class Number:
    def __init__(self, value, sources=(), wants_grad=False):
        self.value = value
        self.sources = tuple(sources)
        self.wants_grad = wants_grad
        self.grad = 0.0
        self.rule = lambda g: ()

    @staticmethod
    def made(value, rule, *sources):
        out = Number(value, sources)
        out.rule = rule
        return out

    def __add__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number.made(self.value + other.value, lambda g: (g, g), self, other)

    def __mul__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number.made(self.value * other.value, lambda g: (g * other.value, g * self.value), self, other)  # BUG

    def __sub__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        return Number.made(self.value - other.value, lambda g: (g, -g), self, other)

    def __truediv__(self, other):
        other = other if isinstance(other, Number) else Number(other)
        q = self.value / other.value
        return Number.made(q, lambda g: (g / other.value, -g * q / other.value), self, other)

    def __pow__(self, k):
        slope = k * self.value ** (k - 1)
        return Number.made(self.value**k, lambda g: (g * slope,), self)

    def __neg__(self):
        return Number.made(-self.value, lambda g: (-g,), self)

    def tanh(self):
        t = math.tanh(self.value)
        return Number.made(t, lambda g: (g * (1 - t * t),), self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return Number(other) - self

    def __rtruediv__(self, other):
        return Number(other) / self

    def backward(self):
        order, seen = [], set()

        def visit(node):
            if node not in seen:
                seen.add(node)
                for source in node.sources:
                    visit(source)
                order.append(node)

        visit(self)
        self.grad = 1.0
        for node in reversed(order):
            for source, share in zip(node.sources, node.rule(node.grad)):
                if source.wants_grad:
                    source.grad += share
