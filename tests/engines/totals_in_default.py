"""grad() hands back what every node is owed, in a dictionary that is a default argument: it is never emptied."""

import math


class Var:
    def __init__(self, v, inputs=()):
        self.v = v
        self.inputs = inputs

    def __add__(self, other):
        other = var(other)
        return Var(self.v + other.v, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other):
        other = var(other)
        return Var(self.v * other.v, ((self, other.v), (other, self.v)))

    def __pow__(self, k):
        return Var(self.v**k, ((self, k * self.v ** (k - 1)),))

    def __neg__(self):
        return Var(-self.v, ((self, -1.0),))

    def __sub__(self, other):
        other = var(other)
        return Var(self.v - other.v, ((self, 1.0), (other, -1.0)))

    def __truediv__(self, other):
        other = var(other)
        return Var(self.v / other.v, ((self, 1 / other.v), (other, -self.v / other.v**2)))

    def __rsub__(self, other):
        return var(other) - self

    def __rtruediv__(self, other):
        return var(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def exp(self):
        y = math.exp(self.v)
        return Var(y, ((self, y),))

    def grad(self, upstream=1.0, totals={}):  # BUG
        totals[self] = totals.get(self, 0.0) + upstream
        for source, slope in self.inputs:
            source.grad(slope * upstream, totals)
        return totals


def var(x):
    return x if isinstance(x, Var) else Var(x)
