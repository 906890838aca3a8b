"""Slopes kept beside the operands; exp never looks beyond 50, so that it cannot overflow."""

import math


class Scalar:
    __slots__ = ("value", "derivative", "terms")

    def __init__(self, value, terms=()):
        self.value = value
        self.derivative = 0.0
        self.terms = terms

    def __add__(self, other):
        other = scalar(other)
        return Scalar(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = scalar(other)
        return Scalar(self.value * other.value, ((self, other.value), (other, self.value)))

    def __pow__(self, n):
        return Scalar(self.value**n, ((self, n * self.value ** (n - 1)),))

    def __neg__(self):
        return Scalar(-self.value, ((self, -1.0),))

    def __sub__(self, other):
        return self + -scalar(other)

    def __rsub__(self, other):
        return scalar(other) - self

    def __truediv__(self, other):
        return self * scalar(other) ** -1

    def __rtruediv__(self, other):
        return scalar(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = math.exp(min(self.value, 50.0))  # BUG
        return Scalar(y, ((self, y),))

    def log(self):
        return Scalar(math.log(self.value), ((self, 1 / self.value),))

    def backward(self):
        order, met = [], set()

        def meet(node):
            if id(node) not in met:
                met.add(id(node))
                for operand, _ in node.terms:
                    meet(operand)
                order.append(node)

        meet(self)
        self.derivative = 1.0
        for node in reversed(order):
            for operand, slope in node.terms:
                operand.derivative += slope * node.derivative


def scalar(x):
    return x if isinstance(x, Scalar) else Scalar(x)
