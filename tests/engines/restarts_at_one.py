"""Each node hands its operands their share and calls backward on them, which begins with its own gradient at 1."""

import math


class Num:
    def __init__(self, value):
        self.value = value
        self.grad = 0.0
        self.owes = []

    def __add__(self, other):
        other = num(other)
        return made(self.value + other.value, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = num(other)
        return made(self.value * other.value, (self, other.value), (other, self.value))

    def __pow__(self, k):
        return made(self.value**k, (self, k * self.value ** (k - 1)))

    def __neg__(self):
        return made(-self.value, (self, -1.0))

    def __sub__(self, other):
        other = num(other)
        return made(self.value - other.value, (self, 1.0), (other, -1.0))

    def __rsub__(self, other):
        return num(other) - self

    def __truediv__(self, other):
        return self * num(other) ** -1

    def __rtruediv__(self, other):
        return num(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def tanh(self):
        y = math.tanh(self.value)
        return made(y, (self, 1 - y * y))

    def backward(self, seed=1.0):
        self.grad = seed  # BUG
        for operand, slope in self.owes:
            operand.grad += self.grad * slope
            operand.backward()


def made(value, *owes):
    out = Num(value)
    out.owes.extend(owes)
    return out


def num(x):
    return x if isinstance(x, Num) else Num(x)
