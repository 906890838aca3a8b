"""Backpropagation that leaves nodes alone: gradients(y) returns what y owes to each of them."""

import math
from collections import defaultdict


class Variable:
    def __init__(self, value, sources=()):
        self.value = value
        self.sources = sources

    def __add__(self, other):
        return add(self, other)

    def __radd__(self, other):
        return add(other, self)

    def __mul__(self, other):
        return mul(self, other)

    def __rmul__(self, other):
        return mul(other, self)

    def __neg__(self):
        return neg(self)

    def __sub__(self, other):
        return add(self, neg(other))

    def __rsub__(self, other):
        return add(other, neg(self))

    def __truediv__(self, other):
        return mul(self, inverse(other))

    def __rtruediv__(self, other):
        return mul(other, inverse(self))

    def __pow__(self, k):
        return power(self, k)


def constant(x):
    return x if isinstance(x, Variable) else Variable(x)


def add(a, b):
    a, b = constant(a), constant(b)
    return Variable(a.value + b.value, ((a, 1.0), (b, 1.0)))


def mul(a, b):
    a, b = constant(a), constant(b)
    return Variable(a.value * b.value, ((a, b.value), (b, a.value)))


def neg(a):
    a = constant(a)
    return Variable(-a.value, ((a, -1.0),))


def inverse(a):
    a = constant(a)
    return Variable(1 / a.value, ((a, -1 / a.value ** 2),))


def power(a, k):
    return Variable(a.value ** k, ((a, k * a.value ** (k - 1)),))


def exp(a):
    y = math.exp(a.value)
    return Variable(y, ((a, y),))


def log(a):
    return Variable(math.log(a.value), ((a, 1 / a.value),))


def get_gradients(y):
    gradients = defaultdict(float)

    def along(node, so_far):
        for source, slope in node.sources:
            gradients[source] += so_far * slope
            along(source, so_far * slope)

    along(y, 1.0)
    return gradients
